/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second step of a room's tick: what each member hears, as codes. Silence, a stored clip frame,
 * one talker's own codes, or: sum wide, subtract the unheard, apply gains, clip once, encode.
 * Listeners with the same codec that hear the same share the result.
 *
 * Each listener hears a mix at 8 or 16 kHz; sources of the other rate are resampled once for all who
 * need it, so that a room of both kinds costs one more sum and a filter for each source.
 */
#ifndef DATAPLANE_LISTEN_H
#define DATAPLANE_LISTEN_H

#include "worker.h"

/* Before the first listener of a room's tick. */
void listen_begin(struct worker *w, uint32_t period);

/*
 * What members are sent of 20 ms. listeners: bit n, member n is sent something; talking: it says
 * something that somebody hears. Valid until the next room's tick.
 */
void listen_room(struct worker *w, const struct room *r, uint32_t listeners, uint32_t talking,
	struct sound sound[CORD_ROOM_MEMBERS_MAX]);

/* What member i says, at a rate; it says something. Behind listen_begin(). */
const int16_t *listen_talk(struct worker *w, const struct room *r, uint32_t i, enum tick_rate rate);

/* The same of nobody: silence in its codec, or where the port may pause that, at times, or nothing. */
struct sound listen_silence(struct worker *w, const struct port *p);

/* Makes the worker's silences, once. */
void listen_prepare(struct worker *w);

/*
 * The sum of those who talk of `set` and of what the members of `players` are played: 20 ms of pcm at
 * a rate.
 */
void listen_mix(struct worker *w, const struct room *r, uint32_t set, uint32_t players,
	enum tick_rate rate, int16_t *pcm);

#endif
