/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concealment of lost G.711 frames, 8 kHz, by spandsp's pitch repetition (as G.711 appendix I):
 * repeats the last pitch period, fades to silence within 60 ms, blends into the frame that follows.
 *
 * A record is about a kilobyte and every good frame has to pass through it, so a port has one only
 * from its first loss on (the first loss of a port is silence), in a cold place, until it has been
 * without loss for a while. A record that has seen no good frame conceals with silence.
 */
#ifndef CONCEAL_H
#define CONCEAL_H

#include <stddef.h>
#include <stdint.h>

#define CONCEAL_BYTES 1088u

struct conceal {
	_Alignas(16) unsigned char state[CONCEAL_BYTES];
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
