/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory takes longer than a room's tick, so what a tick will look at is fetched while rooms before
 * it are worked: at a fixed distance, so that no burst of requests fills the processor's buffers for
 * them. Nothing here changes anything.
 */
#ifndef DATAPLANE_AHEAD_H
#define DATAPLANE_AHEAD_H

#include "worker.h"

/*
 * Fetches for the first of the `count` rooms that a phase works, in a period; then, as number `at` is
 * worked, for one room behind it: the room, then its ports, then their packets, then the frames of
 * clips that they play.
 */
void ahead_begin(struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t period);
void ahead_room(
	struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t at, uint32_t period);

#endif
