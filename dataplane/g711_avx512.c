/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G.711 with the instructions of AVX-512 that look bytes up in a table (VBMI): what the compiler
 * does not find by itself, at a fifth of its cost. The tables are made by the plain kernels.
 */
#include "g711.h"
#include "kernels.h"

#include <immintrin.h>
#include <stdalign.h>

extern const struct g711_kernels g711_kernels_plain;

enum { CODES = 256, SEGMENTS = 128, FEW = 32, MANY = 64, MU_BIAS = 132, MU_CLIP = 32635 };

struct table {
	alignas(64) uint8_t of[CODES];
};

static struct {
	struct table mu_low, mu_high, a_low, a_high; /* bytes of a code's sample */
	struct table mu_to_a, a_to_mu;
	alignas(64) uint8_t segment[SEGMENTS]; /* by the upper byte of a magnitude */
} tables;

/* Whole vectors are loaded and stored without a mask, which is faster. */
static inline uint64_t first(size_t n)
{
	return n < 64 ? (1ull << n) - 1 : ~0ull;
}

static inline __m512i load_codes(const uint8_t *in, size_t n)
{
	return n >= MANY ? _mm512_loadu_si512(in) : _mm512_maskz_loadu_epi8(first(n), in);
}

static inline __m512i load_samples(const int16_t *in, size_t n)
{
	return n >= FEW ? _mm512_loadu_si512(in)
			: _mm512_maskz_loadu_epi16((__mmask32)first(n), in);
}

static inline void store_samples(int16_t *out, size_t n, __m512i samples)
{
	if (n >= FEW)
		_mm512_storeu_si512(out, samples);
	else
		_mm512_mask_storeu_epi16(out, (__mmask32)first(n), samples);
}

/* What a table has for each of 64 codes. */
static inline __m512i look_up(const struct table *t, __m512i codes)
{
	const uint8_t *at = t->of;
	__m512i below =
		_mm512_permutex2var_epi8(_mm512_load_si512(at), codes, _mm512_load_si512(at + 64));
	__m512i above = _mm512_permutex2var_epi8(
		_mm512_load_si512(at + 128), codes, _mm512_load_si512(at + 192));

	return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), below, above);
}

static inline void decode(int16_t *restrict out, const uint8_t *restrict in, size_t samples,
	const struct table *low, const struct table *high)
{
	/* Unpacking takes halves of quarters: this order makes them follow each other. */
	const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);

	for (size_t i = 0; i < samples; i += MANY) {
		size_t n = samples - i;
		__m512i codes = _mm512_permutexvar_epi64(order, load_codes(in + i, n));
		__m512i lows = look_up(low, codes), highs = look_up(high, codes);

		store_samples(out + i, n, _mm512_unpacklo_epi8(lows, highs));
		if (n > FEW)
			store_samples(out + i + FEW, n - FEW, _mm512_unpackhi_epi8(lows, highs));
	}
}

static void decode_mu(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	decode(out, in, samples, &tables.mu_low, &tables.mu_high);
}

static void decode_a(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	decode(out, in, samples, &tables.a_low, &tables.a_high);
}

/* Segment and the four bits behind the leading one; `least`: the shift of segment 0. */
static inline __m512i logarithm(__m512i magnitude, int least)
{
	/* The upper bytes of the index are 0, and segment[0] is 0. */
	__m512i segment = _mm512_permutex2var_epi8(_mm512_load_si512(tables.segment),
		_mm512_srli_epi16(magnitude, 8), _mm512_load_si512(tables.segment + 64));
	__m512i shift = _mm512_max_epi16(
		_mm512_add_epi16(segment, _mm512_set1_epi16(3)), _mm512_set1_epi16((short)least));
	__m512i bits =
		_mm512_and_si512(_mm512_srlv_epi16(magnitude, shift), _mm512_set1_epi16(0x0f));

	return _mm512_or_si512(_mm512_slli_epi16(segment, 4), bits);
}

static inline void store_codes(uint8_t *out, size_t n, __m512i codes, __m512i samples, int flip)
{
	__m512i sign = _mm512_and_si512(_mm512_srli_epi16(samples, 8), _mm512_set1_epi16(0x80));

	codes = _mm512_xor_si512(_mm512_or_si512(codes, sign), _mm512_set1_epi16((short)flip));
	__m256i bytes = _mm512_cvtepi16_epi8(codes);

	if (n >= FEW)
		_mm256_storeu_si256((__m256i *)(void *)out, bytes);
	else
		_mm256_mask_storeu_epi8(out, (__mmask32)first(n), bytes);
}

static void encode_mu(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i += FEW) {
		__m512i pcm = load_samples(in + i, samples - i);
		__m512i magnitude =
			_mm512_min_epu16(_mm512_abs_epi16(pcm), _mm512_set1_epi16(MU_CLIP));

		magnitude = _mm512_add_epi16(magnitude, _mm512_set1_epi16(MU_BIAS));
		store_codes(out + i, samples - i, logarithm(magnitude, 3), pcm, 0xff);
	}
}

static void encode_a(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i += FEW) {
		__m512i pcm = load_samples(in + i, samples - i);
		__m512i magnitude = _mm512_xor_si512(pcm, _mm512_srai_epi16(pcm, 15));

		store_codes(out + i, samples - i, logarithm(magnitude, 4), pcm, 0xd5);
	}
}

static inline void transcode(uint8_t *out, const uint8_t *in, size_t samples, const struct table *t)
{
	for (size_t i = 0; i < samples; i += MANY) {
		size_t n = samples - i;
		__m512i codes = look_up(t, load_codes(in + i, n));

		if (n >= MANY)
			_mm512_storeu_si512(out + i, codes);
		else
			_mm512_mask_storeu_epi8(out + i, first(n), codes);
	}
}

static void mu_to_a(uint8_t *out, const uint8_t *in, size_t samples)
{
	transcode(out, in, samples, &tables.mu_to_a);
}

static void a_to_mu(uint8_t *out, const uint8_t *in, size_t samples)
{
	transcode(out, in, samples, &tables.a_to_mu);
}

/* ---- tables --------------------------------------------------------------------------------- */

static void split(struct table *low, struct table *high, const int16_t *samples)
{
	for (size_t i = 0; i < CODES; i++) {
		low->of[i] = (uint8_t)samples[i];
		high->of[i] = (uint8_t)((uint16_t)samples[i] >> 8);
	}
}

void g711_avx512_prepare(void)
{
	const struct g711_kernels *plain = &g711_kernels_plain;
	uint8_t codes[CODES];
	int16_t samples[CODES];

	for (size_t i = 0; i < CODES; i++)
		codes[i] = (uint8_t)i;
	plain->decode_mu(samples, codes, CODES);
	split(&tables.mu_low, &tables.mu_high, samples);
	plain->decode_a(samples, codes, CODES);
	split(&tables.a_low, &tables.a_high, samples);
	plain->mu_to_a(tables.mu_to_a.of, codes, CODES);
	plain->a_to_mu(tables.a_to_mu.of, codes, CODES);
	for (uint32_t i = 1; i < SEGMENTS; i++)
		tables.segment[i] = (uint8_t)(32 - __builtin_clz(i));
}

const struct g711_kernels g711_kernels_avx512 = {
	.decode_mu = decode_mu,
	.decode_a = decode_a,
	.encode_mu = encode_mu,
	.encode_a = encode_a,
	.mu_to_a = mu_to_a,
	.a_to_mu = a_to_mu,
};
