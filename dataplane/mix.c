/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include <cordboard/limits.h>

enum { GAIN_SHIFT = 14, GAIN_HALF = 1 << (GAIN_SHIFT - 1) };

/* 10^(dB / 20) in Q14, from CORD_GAIN_MIN_DB up. */
static const uint16_t gains[] = {
	/* clang-format off */
	16, 18, 21, 23, 26, 29, 33, 37, 41, 46, 52, 58,
	65, 73, 82, 92, 103, 116, 130, 146, 164, 184, 206, 231,
	260, 291, 327, 367, 412, 462, 518, 581, 652, 732, 821, 921,
	1034, 1160, 1301, 1460, 1638, 1838, 2063, 2314, 2597, 2914, 3269, 3668,
	4115, 4618, 5181, 5813, 6523, 7318, 8211, 9213, 10338, 11599, 13014, 14602,
	16384, 18383, 20626, 23143, 25967, 29135, 32690, 36679, 41155, 46176, 51811, 58133,
	65226,
	/* clang-format on */
};
_Static_assert(sizeof(gains) / sizeof(gains[0]) == CORD_GAIN_MAX_DB - CORD_GAIN_MIN_DB + 1,
	"a factor for each gain");

int32_t mix_gain(int gain_db)
{
	if (gain_db == CORD_GAIN_MUTE)
		return 0;
	if (gain_db < CORD_GAIN_MIN_DB)
		gain_db = CORD_GAIN_MIN_DB;
	if (gain_db > CORD_GAIN_MAX_DB)
		gain_db = CORD_GAIN_MAX_DB;
	return gains[gain_db - CORD_GAIN_MIN_DB];
}

static inline int32_t scaled(int16_t sample, int32_t gain_q14)
{
	return (sample * gain_q14 + GAIN_HALF) >> GAIN_SHIFT;
}

static inline int16_t clipped(int32_t sum)
{
	sum = sum < INT16_MAX ? sum : INT16_MAX;
	return (int16_t)(sum > INT16_MIN ? sum : INT16_MIN);
}

void mix_set(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] = in[i];
}

void mix_add(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] += in[i];
}

void mix_sub(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] -= in[i];
}

void mix_add_gain(
	int32_t *restrict sum, const int16_t *restrict in, int32_t gain_q14, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] += scaled(in[i], gain_q14);
}

void mix_sub_gain(
	int32_t *restrict sum, const int16_t *restrict in, int32_t gain_q14, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		sum[i] -= scaled(in[i], gain_q14);
}

void mix_narrow(int16_t *restrict out, const int32_t *restrict sum, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = clipped(sum[i]);
}

void mix_minus(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict self,
	size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = clipped(sum[i] - self[i]);
}

void mix_scale(int16_t *restrict out, const int16_t *restrict in, int32_t gain_q14, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = clipped(scaled(in[i], gain_q14));
}

uint32_t mix_level(const int16_t *in, size_t samples)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < samples; i++)
		sum += (uint32_t)(in[i] < 0 ? -in[i] : in[i]);
	return samples == 0 ? 0 : sum / (uint32_t)samples;
}
