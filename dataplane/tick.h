/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mixing period. A worker works one phase each millisecond: the rooms of that phase take a
 * frame from every member, sum, and send every member what it hears.
 *
 *   take     (take.h) a frame from each jitter buffer
 *   listen   (listen.h) what each member hears, mixed and encoded once for all who hear the same
 *   send     (send.h) one packet for each member that may send
 *
 * A phase that is more than a period late is skipped and counted: no room is ever worked twice in a
 * period, and no port sends twice in one.
 */
#ifndef DATAPLANE_TICK_H
#define DATAPLANE_TICK_H

#include "worker.h"

/* Works the earliest phase that is due at now_ns. Returns how many: one, or none. */
uint32_t tick_step(struct worker *w, cord_time now_ns);

/* Works the rooms of one phase. phase_at: counted from the epoch of CLOCK_MONOTONIC. */
void tick_phase(struct worker *w, uint64_t phase_at);

/* Whether a port's figures are looked at in a period, to write and to report them: ports take turns. */
static inline bool tick_looks_at(const struct port *p, uint32_t period)
{
	return (period + p->slot) % CORD_STATUS_PERIODS == 0;
}

#endif
