/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much worse speech sounds than what it was made from: the Bark spectral distortion of Wang,
 * Sekey and Gersho ("An objective measure for predicting subjective quality of speech coders", IEEE
 * J. Sel. Areas Commun. 10(5), 1992), without its spreading between bands and its equal-loudness
 * curve, which tell little between 300 and 3400 Hz.
 *
 * Windows of 32 ms (Hann), one each 10 ms. Of each the power in 17 critical bands from 100 Hz to
 * 4 kHz (Zwicker), taken as a sound pressure level (full scale is 105 dB, so that speech at -26 dB
 * has 79 dB), as loudness L in sone: 2^((p - 40) / 10) above 40 dB, (p / 40)^2.642 below. Then
 *
 *   distortion = mean over windows of sum over bands of (L_heard - L_spoken)^2
 *              / mean over windows of sum over bands of L_spoken^2
 *
 * 0: the same. 1: nothing was heard at all, or as much wrong. Phase does not count, delay neither:
 * each window is held against the speech that was due in it.
 */
#ifndef BENCH_DISTORTION_H
#define BENCH_DISTORTION_H

#include <stddef.h>
#include <stdint.h>

#define DISTORTION_STEP   80u  /* samples of 8 kHz between windows */
#define DISTORTION_WINDOW 256u /* samples */
#define DISTORTION_BANDS  17u

struct distortion {
	const int16_t *spoken; /* said again and again */
	size_t steps;          /* its length in DISTORTION_STEP */
	float (*loudness)[DISTORTION_BANDS];
	double wrong, right;
};

/* samples: of speech, a multiple of DISTORTION_STEP. Leaves the program without memory. */
void distortion_init(struct distortion *d, const int16_t *spoken, size_t samples);
void distortion_free(struct distortion *d);

/*
 * Holds what was heard in one window against the speech that begins at step `due` (counted on over
 * the end of the speech). heard: DISTORTION_WINDOW samples.
 */
void distortion_add(struct distortion *d, const int16_t *heard, size_t due);

/* Of all windows since the last call. */
double distortion_take(struct distortion *d);

#endif
