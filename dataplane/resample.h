/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between 8 and 16 kHz: a half-band FIR filter of 47 taps, of which 24 and the middle one are not
 * zero, worked by phases.
 *
 * Equiripple: 0 to 3.4 kHz pass within 0.01 dB, images and aliases of that band are 62 dB down;
 * between 3.4 and 4.6 kHz the filter falls through -6 dB at 4 kHz. (31 taps, which would do with
 * two thirds of the work, leave them at -45 dB.) Both directions delay by 23 samples at 16 kHz
 * (1.4 ms). Whole numbers only; sums cannot overflow.
 *
 * All zero is a filter that has heard silence. Input and output must not overlap.
 */
#ifndef RESAMPLE_H
#define RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define RESAMPLE_TAPS 47u
/* Samples at 8 kHz in one call: 60 ms. */
#define RESAMPLE_MAX 480u

struct resample_up {
	int16_t history[RESAMPLE_TAPS / 2];
};

struct resample_down {
	int16_t history[RESAMPLE_TAPS - 1];
};

/* 8 to 16 kHz: `samples` in (at most RESAMPLE_MAX), twice as many out. */
void resample_up(
	struct resample_up *r, int16_t *restrict out, const int16_t *restrict in, size_t samples);

/* 16 to 8 kHz: `samples` out (at most RESAMPLE_MAX), twice as many in. */
void resample_down(
	struct resample_down *r, int16_t *restrict out, const int16_t *restrict in, size_t samples);

#endif
