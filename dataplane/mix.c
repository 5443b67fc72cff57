/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include "kernels.h"

enum { GAIN_SHIFT = 14, GAIN_HALF = 1 << (GAIN_SHIFT - 1) };

static inline int32_t scaled(int16_t sample, int32_t gain_q14)
{
	return (sample * gain_q14 + GAIN_HALF) >> GAIN_SHIFT;
}

static inline int16_t clipped(int32_t sum)
{
	sum = sum < INT16_MAX ? sum : INT16_MAX;
	return (int16_t)(sum > INT16_MIN ? sum : INT16_MIN);
}

static void set(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] = in[i];
}

static void add(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] += in[i];
}

static void add_gain(
	int32_t *restrict sum, const int16_t *restrict in, int32_t gain_q14, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] += scaled(in[i], gain_q14);
}

static void narrow(int16_t *restrict out, const int32_t *restrict sum, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = clipped(sum[i]);
}

static void minus(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict self,
	size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = clipped(sum[i] - self[i]);
}

static uint32_t level(const int16_t *in, size_t samples)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < samples; i++)
		sum += (uint32_t)(in[i] < 0 ? -in[i] : in[i]);
	return samples == 0 ? 0 : sum / (uint32_t)samples;
}

static uint32_t distance(const int16_t *a, const int16_t *b, size_t samples)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < samples; i++) {
		int16_t most = a[i] > b[i] ? a[i] : b[i], least = a[i] > b[i] ? b[i] : a[i];

		sum += (uint16_t)(most - least);
	}
	return sum;
}

/* In 16 bits, so that twice as many fit into a vector: where the sign of a sum of two of one sign is
 * another one, it is too large. */
static void pair(
	int16_t *restrict out, const int16_t *restrict a, const int16_t *restrict b, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		int16_t sum = (int16_t)(uint16_t)((uint16_t)a[i] + (uint16_t)b[i]);
		int16_t most = (int16_t)((a[i] >> 15) ^ INT16_MAX);

		out[i] = (int16_t)((sum ^ a[i]) & (sum ^ b[i])) < 0 ? most : sum;
	}
}

const struct mix_kernels KERNELS(mix_kernels) = {
	.set = set,
	.add = add,
	.add_gain = add_gain,
	.narrow = narrow,
	.minus = minus,
	.pair = pair,
	.level = level,
	.distance = distance,
};
