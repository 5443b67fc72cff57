/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker with rooms for benches of the tick: no NIC, no control. Packets are put into the jitter
 * buffers, ticks are worked, and what they made is thrown away.
 *
 * Whatever is refused, or finds no memory, ends the program.
 */
#ifndef BENCH_ROOMS_H
#define BENCH_ROOMS_H

#include "dataplane.h"
#include "worker.h"

#define ROOMS_PERIOD 1000u /* of the first tick */

struct rooms {
	struct dataplane dp;
	struct worker *w;
	uint32_t ports;
};

_Noreturn void rooms_fatal(const char *what);

/* Starts the EAL without NIC and makes a pool of packets. mb: of memory. */
void rooms_start(struct nic *nic, uint32_t packets, const char *mb);

/* `ports` ports and as many rooms, none open. hz: of the TSC. */
void rooms_begin(
	struct rooms *r, const struct nic *nic, uint32_t ports, uint32_t coders, double hz);
/* All ports must be open. */
void rooms_end(struct rooms *r);

/* Opens the port of a slot, 20 ms both ways, Opus of complexity 5 at 16 kHz. */
void rooms_port(struct rooms *r, uint32_t slot, enum cord_codec codec, uint8_t flags);

/* The id of the port or room of a slot. */
static inline cord_id rooms_id(uint32_t slot)
{
	return cord_id_make(slot, 1);
}

/* Opens the room that the set names, and sets it. */
void rooms_set(struct rooms *r, const struct cord_room_set *set);

/* A packet of 20 ms for a tick that comes 15 ms later; period: counted from 0. */
void rooms_arrive(
	struct rooms *r, uint32_t slot, uint32_t period, const uint8_t *payload, uint32_t bytes);

/* Works a period; cycles of its ticks. */
uint64_t rooms_tick(struct rooms *r, uint32_t period);

static inline uint64_t rooms_counter(const struct rooms *r, enum cord_counter counter)
{
	return atomic_load(&r->w->shared->counters.value[counter]);
}

#endif
