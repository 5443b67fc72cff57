/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concealment of lost frames of speech at 8 kHz, in the manner of G.711 appendix I without its
 * delay: the last pitch period is repeated, faded to silence within CONCEAL_FADE samples (60 ms)
 * and blended into the frame that follows.
 *
 * (spandsp's plc does the same; it copies overlapping memory with memcpy, and distorts some more: see
 * scripts/bench voice.)
 *
 * Every good frame has to pass through a record, so a port has one only from its first loss on (the
 * first loss of a port is silence), in a cold place, until it has been without loss for a while. A
 * record that has seen no good frame conceals with silence.
 */
#ifndef CONCEAL_H
#define CONCEAL_H

#include <stddef.h>
#include <stdint.h>

#define CONCEAL_PITCH_MIN 40u  /* samples: 200 Hz; higher voices repeat several periods */
#define CONCEAL_PITCH_MAX 120u /* samples: 66 Hz */
#define CONCEAL_SPAN      160u /* samples that are compared to find the pitch */
#define CONCEAL_HISTORY   (CONCEAL_SPAN + CONCEAL_PITCH_MAX)
#define CONCEAL_FADE      480u

/* All zero is a record that has seen nothing. */
struct conceal {
	int16_t history[CONCEAL_HISTORY]; /* the last samples, made up ones included */
	int16_t cycle[CONCEAL_PITCH_MAX]; /* what is repeated */
	uint16_t pitch;                   /* its length */
	uint16_t at;                      /* where it goes on */
	uint16_t missing; /* samples made up since the last good one, to CONCEAL_FADE */
};

void conceal_init(struct conceal *c);
/* Records a good frame; after a loss its beginning is changed to blend with what was made up. */
void conceal_good(struct conceal *c, int16_t *pcm, size_t samples);
/* Makes up a frame. */
void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples);

/*
 * Where jitter_pop() dropped a frame: fades from the dropped frame into the next one, so that the
 * cut does not click. Writes over next.
 */
void conceal_join(int16_t *restrict next, const int16_t *restrict dropped, size_t samples);

#endif
