/* SPDX-License-Identifier: Apache-2.0 */
#include "resample.h"

#include <string.h>

enum {
	PAIRS = (RESAMPLE_TAPS + 1) / 4, /* taps of one side, nearest to the middle first */
	WINDOW = 2 * PAIRS,              /* samples under the taps that are not zero */
	SHIFT = 14,
	HALF = 1 << (SHIFT - 1),
};

/* Twice the filter in Q14, without its zeros and its middle: the gain of two that filling in needs. */
static const int16_t taps[WINDOW] = {-27, 49, -92, 155, -246, 375, -556, 816, -1208, 1876, -3347,
	10387, 10387, -3347, 1876, -1208, 816, -556, 375, -246, 155, -92, 49, -27};

static inline int16_t clipped(int32_t value)
{
	value = value < INT16_MAX ? value : INT16_MAX;
	return (int16_t)(value > INT16_MIN ? value : INT16_MIN);
}

/* The taps over in[0] .. in[WINDOW - 1]; the middle lies between two samples. */
static inline int32_t filtered(const int16_t *in)
{
	int32_t sum = 0;

	for (size_t k = 0; k < WINDOW; k++)
		sum += taps[k] * in[k];
	return sum;
}

void resample_up(
	struct resample_up *r, int16_t *restrict out, const int16_t *restrict in, size_t samples)
{
	int16_t line[WINDOW - 1 + RESAMPLE_MAX];

	memcpy(line, r->history, sizeof(r->history));
	memcpy(line + WINDOW - 1, in, samples * sizeof(*in));
	memcpy(r->history, line + samples, sizeof(r->history));
	for (size_t i = 0; i < samples; i++) {
		out[2 * i] = line[PAIRS - 1 + i];
		out[2 * i + 1] = clipped((filtered(line + i) + HALF) >> SHIFT);
	}
}

void resample_down(
	struct resample_down *r, int16_t *restrict out, const int16_t *restrict in, size_t samples)
{
	int16_t line[RESAMPLE_TAPS - 1 + 2 * RESAMPLE_MAX];
	int16_t even[WINDOW + RESAMPLE_MAX], odd[WINDOW + RESAMPLE_MAX];

	samples = samples < RESAMPLE_MAX ? samples : RESAMPLE_MAX;
	memcpy(line, r->history, sizeof(r->history));
	memcpy(line + RESAMPLE_TAPS - 1, in, 2 * samples * sizeof(*in));
	memcpy(r->history, line + 2 * samples, sizeof(r->history));
	for (size_t i = 0; i < WINDOW - 1 + samples; i++) {
		even[i] = line[2 * i];
		odd[i] = line[2 * i + 1];
	}
	/* Over the even samples lies only the middle tap, over the odd ones all the others. */
	for (size_t i = 0; i < samples; i++) {
		int32_t middle = even[PAIRS + i] * (1 << SHIFT);

		out[i] = clipped((filtered(odd + i) + middle + 2 * HALF) >> (SHIFT + 1));
	}
}
