/* SPDX-License-Identifier: Apache-2.0 */
#include "g711.h"

#include "kernels.h"

/* A code's seven bits, moved to the top of a float's fraction, and the float's exponent for 0. */
enum {
	FLOAT_SHIFT = 19,
	FLOAT_BASE = 134,                        /* exponent of 128, biased */
	FLOAT_ZERO = FLOAT_BASE << 23 | 1 << 18, /* the middle of the first step */
	MU_BIAS = 132,   /* what mu-law adds before it takes the logarithm */
	MU_CLIP = 32635, /* the largest magnitude mu-law can say */
	A_LINEAR = 256,  /* A-law's segment 0 has no leading one: lend it one */
	A_LINEAR_CODE = 16,
	CHUNK = 160,
};

static inline int32_t truncate_bits(uint32_t bits)
{
	union {
		uint32_t bits;
		float value;
	} u = {.bits = bits};

	return (int32_t)u.value;
}

static inline uint32_t float_bits(int32_t value)
{
	union {
		float value;
		uint32_t bits;
	} u = {.value = (float)value};

	return u.bits;
}

static void decode_mu(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		uint32_t code = in[i] ^ 0xffu;
		int32_t magnitude =
			truncate_bits(((code & 0x7f) << FLOAT_SHIFT) + FLOAT_ZERO) - MU_BIAS;
		int32_t sign = -(int32_t)(code >> 7);

		out[i] = (int16_t)((magnitude ^ sign) - sign);
	}
}

static void decode_a(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		uint32_t code = in[i] ^ 0xd5u;
		uint32_t steps = code & 0x7f;
		uint32_t lent = steps < A_LINEAR_CODE ? A_LINEAR_CODE : 0;
		int32_t magnitude = truncate_bits(((steps + lent) << FLOAT_SHIFT) + FLOAT_ZERO) -
				    (int32_t)(lent << 4);
		int32_t sign = -(int32_t)(code >> 7);

		out[i] = (int16_t)((magnitude ^ sign) - sign);
	}
}

static void encode_mu(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		int32_t sign = in[i] >> 15;
		int32_t magnitude = (in[i] ^ sign) - sign;

		magnitude = magnitude < MU_CLIP ? magnitude : MU_CLIP;
		uint32_t code =
			(float_bits(magnitude + MU_BIAS) >> FLOAT_SHIFT) - (FLOAT_BASE << 4);
		out[i] = (uint8_t) ~(code | ((uint32_t)sign & 0x80));
	}
}

static void encode_a(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	for (size_t i = 0; i < samples; i++) {
		int32_t sign = in[i] >> 15;
		int32_t magnitude = in[i] ^ sign;
		int32_t lent = magnitude < A_LINEAR ? A_LINEAR : 0;
		uint32_t code = (float_bits(magnitude + lent) >> FLOAT_SHIFT) - (FLOAT_BASE << 4) -
				(uint32_t)(lent >> 4);

		out[i] = (uint8_t)((code | ((uint32_t)sign & 0x80)) ^ 0xd5);
	}
}

static void mu_to_a(uint8_t *out, const uint8_t *in, size_t samples)
{
	int16_t linear[CHUNK];

	for (size_t done = 0; done < samples; done += CHUNK) {
		size_t n = samples - done < CHUNK ? samples - done : CHUNK;

		decode_mu(linear, in + done, n);
		encode_a(out + done, linear, n);
	}
}

static void a_to_mu(uint8_t *out, const uint8_t *in, size_t samples)
{
	int16_t linear[CHUNK];

	for (size_t done = 0; done < samples; done += CHUNK) {
		size_t n = samples - done < CHUNK ? samples - done : CHUNK;

		decode_a(linear, in + done, n);
		encode_mu(out + done, linear, n);
	}
}

const struct g711_kernels KERNELS(g711_kernels) = {
	.decode_mu = decode_mu,
	.decode_a = decode_a,
	.encode_mu = encode_mu,
	.encode_a = encode_a,
	.mu_to_a = mu_to_a,
	.a_to_mu = a_to_mu,
};
