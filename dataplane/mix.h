/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of a room: sum wide, subtract what a listener must not hear, clip once.
 *
 * Sums are 32 bits wide. 16 members at +12 dB stay below 2^22, so a sum never overflows and nothing
 * is clipped before mix_narrow().
 * Gains are whole numbers in Q14 (mix_gain()); no kernel uses floating point. Arrays must not
 * overlap.
 */
#ifndef MIX_H
#define MIX_H

#include <stddef.h>
#include <stdint.h>

#define MIX_GAIN_UNITY 16384 /* 0 dB in Q14 */

/*
 * The factor in Q14 of a gain in dB. Values outside CORD_GAIN_MIN_DB..CORD_GAIN_MAX_DB are clipped
 * to that range; CORD_GAIN_MUTE gives 0.
 */
int32_t mix_gain(int gain_db);

struct mix_kernels {
	void (*set)(int32_t *restrict sum, const int16_t *restrict in, size_t samples);
	void (*add)(int32_t *restrict sum, const int16_t *restrict in, size_t samples);
	void (*add_gain)(int32_t *restrict sum, const int16_t *restrict in, int32_t gain_q14,
		size_t samples);
	void (*narrow)(int16_t *restrict out, const int32_t *restrict sum, size_t samples);
	void (*minus)(int16_t *restrict out, const int32_t *restrict sum,
		const int16_t *restrict self, size_t samples);
	void (*pair)(int16_t *restrict out, const int16_t *restrict a, const int16_t *restrict b,
		size_t samples);
	uint32_t (*level)(const int16_t *in, size_t samples);
	uint32_t (*distance)(const int16_t *a, const int16_t *b, size_t samples);
};
extern const struct mix_kernels *mix_kernels; /* those that run: kernels.h */

/* sum = in */
static inline void mix_set(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	mix_kernels->set(sum, in, samples);
}

/* sum += in */
static inline void mix_add(int32_t *restrict sum, const int16_t *restrict in, size_t samples)
{
	mix_kernels->add(sum, in, samples);
}

/* sum += in * gain; each product is rounded to a whole sample. */
static inline void mix_add_gain(
	int32_t *restrict sum, const int16_t *restrict in, int32_t gain_q14, size_t samples)
{
	mix_kernels->add_gain(sum, in, gain_q14, samples);
}

/* out = sum, clipped to 16 bits */
static inline void mix_narrow(int16_t *restrict out, const int32_t *restrict sum, size_t samples)
{
	mix_kernels->narrow(out, sum, samples);
}

/* out = sum - self, clipped to 16 bits: what a member hears of a room of which it is a part. */
static inline void mix_minus(int16_t *restrict out, const int32_t *restrict sum,
	const int16_t *restrict self, size_t samples)
{
	mix_kernels->minus(out, sum, self, samples);
}

/* out = a + b, clipped to 16 bits: the sum of two needs no wider one. */
static inline void mix_pair(
	int16_t *restrict out, const int16_t *restrict a, const int16_t *restrict b, size_t samples)
{
	mix_kernels->pair(out, a, b, samples);
}

/*
 * Mean magnitude of a frame, 0..32768; 0 samples: 0. Below MIX_QUIET nobody is speaking, and what
 * there is is not heard beside talk; below MIX_SILENT it is not heard at all (-66 dB).
 */
#define MIX_QUIET  64u
#define MIX_SILENT 16u
static inline uint32_t mix_level(const int16_t *in, size_t samples)
{
	return mix_kernels->level(in, samples);
}

/* How unlike two frames are: the sum of the magnitudes of what they differ by. To 65,536 samples. */
static inline uint32_t mix_distance(const int16_t *a, const int16_t *b, size_t samples)
{
	return mix_kernels->distance(a, b, samples);
}

#endif
