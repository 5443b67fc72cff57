/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second step of a room's tick: what each member hears, as codes. Silence, a stored clip frame,
 * one talker's own codes, or: sum wide, subtract the unheard, apply gains, clip once, encode.
 * Listeners with the same codec that hear the same share the result.
 */
#ifndef DATAPLANE_LISTEN_H
#define DATAPLANE_LISTEN_H

#include "worker.h"

/*
 * The codes of 20 ms that a member hears. talking: bit n, member n says something that somebody
 * hears. *total_ready: false before the first listener of a tick.
 */
const uint8_t *listen_codes(struct worker *w, const struct room *r, uint32_t listener,
	uint32_t talking, bool *total_ready);

/* The same of nobody. */
const uint8_t *listen_silence(uint8_t codec);

#endif
