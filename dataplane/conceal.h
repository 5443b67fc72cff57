/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concealment of lost frames of speech at 8 or 16 kHz, in the manner of G.711 appendix I without
 * its delay: the last pitch period is repeated, faded to silence within CONCEAL_FADE and blended
 * into the frame that follows.
 *
 * (spandsp's plc does the same; it copies overlapping memory with memcpy, and distorts some more:
 * see scripts/bench voice.)
 *
 * Every good frame has to be recorded, so a port has one only from its first loss on (the
 * first loss of a port is silence), in a cold place, until it has been without loss for a while. A
 * record that has seen no good frame conceals with silence.
 */
#ifndef CONCEAL_H
#define CONCEAL_H

#include <cordboard/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In samples at 8 kHz, twice as many at 16 kHz. */
#define CONCEAL_PITCH_MIN 40u  /* 200 Hz; higher voices repeat several periods */
#define CONCEAL_PITCH_MAX 120u /* 66 Hz */
#define CONCEAL_SPAN      160u /* compared to find the pitch */
#define CONCEAL_HISTORY   (CONCEAL_SPAN + CONCEAL_PITCH_MAX)
#define CONCEAL_STEADY    80u  /* made up before the fade begins */
#define CONCEAL_FADE      480u /* 60 ms: when it has ended */

/* Codes of a frame that conceal_keep() takes: two of them are longer than the history. */
#define CONCEAL_CODES 160u

struct conceal {
	uint16_t missing; /* samples made up since the last good one, until the fade has ended */
	uint16_t scale;   /* 1 at 8 kHz, 2 at 16 kHz */
	uint16_t pitch;   /* length of the cycle */
	uint16_t at;      /* where it goes on */
	uint8_t kept;     /* frames in codes[], 0 to 2: they follow the history */
	uint8_t latest;   /* the later one of them */
	uint8_t codec;    /* enum cord_codec of both */
	uint8_t codes[2][CONCEAL_CODES];
	int16_t history[2 * CONCEAL_HISTORY]; /* the last samples, made up ones included */
	int16_t cycle[2 * CONCEAL_PITCH_MAX]; /* what is repeated */
};

/* A record that has seen nothing. rate_khz: 8 or 16. */
void conceal_init(struct conceal *c, uint32_t rate_khz);
/* Records a good frame; after a loss its beginning is changed to blend with what was made up. */
void conceal_good(struct conceal *c, int16_t *pcm, size_t samples);
/*
 * The same for a frame of CONCEAL_CODES codes of G.711, at 8 kHz, that is to be heard as it came. It
 * is decoded when a loss needs it, which is seldom. False: a loss has just ended, and the samples have
 * to pass through conceal_good().
 */
bool conceal_keep(struct conceal *c, enum cord_codec codec, const uint8_t *codes);
/* Makes up a frame. */
void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples);

/*
 * Where a frame is added before one that is there already (JITTER_STRETCH): that one is played
 * twice. Told of its first time, unchanged; the second time it passes through conceal_good(), which
 * blends its beginning with what would have followed the first. Needs no past.
 */
void conceal_repeat(struct conceal *c, const int16_t *pcm, size_t samples);

/*
 * Where jitter_pop() dropped a frame: fades from the dropped frame into the next one, so that the
 * cut does not click. Writes over next.
 */
void conceal_join(int16_t *restrict next, const int16_t *restrict dropped, size_t samples);

#endif
