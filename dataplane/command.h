/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of control: copied out of the ring, judged, applied, answered.
 */
#ifndef DATAPLANE_COMMAND_H
#define DATAPLANE_COMMAND_H

#include "worker.h"

/* Takes a burst of commands. Returns how many. */
uint32_t command_step(struct worker *w, cord_time now_ns);

/*
 * Judges and applies one. CORD_REFUSAL_NONE with w->pending.set: the answer follows when ports of
 * other workers have come.
 */
enum cord_refusal command_apply(struct worker *w, const struct cord_message *m, cord_time now_ns);

#endif
