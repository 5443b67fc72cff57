/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ITU-T G.711: frames of mu-law and A-law codes to and from 16-bit linear samples.
 *
 * Bit-exact with the reference form of G.711 over all 256 codes and all 65,536 samples. The
 * magnitude of a code is a small float (3-bit exponent, 4-bit mantissa), so each direction is a
 * shift of the bits of a float; that form has no table and no branch and is vectorised by the
 * compiler at -O3 on every target. Input and output must not overlap unless said otherwise.
 */
#ifndef G711_H
#define G711_H

#include <cordboard/types.h>

#include <stddef.h>
#include <stdint.h>

/* The code of silence: the smallest positive value. */
#define G711_SILENCE_MU 0xffu
#define G711_SILENCE_A  0xd5u

struct g711_kernels {
	void (*decode_mu)(int16_t *restrict out, const uint8_t *restrict in, size_t samples);
	void (*decode_a)(int16_t *restrict out, const uint8_t *restrict in, size_t samples);
	void (*encode_mu)(uint8_t *restrict out, const int16_t *restrict in, size_t samples);
	void (*encode_a)(uint8_t *restrict out, const int16_t *restrict in, size_t samples);
	void (*mu_to_a)(uint8_t *out, const uint8_t *in, size_t samples);
	void (*a_to_mu)(uint8_t *out, const uint8_t *in, size_t samples);
};
extern const struct g711_kernels *g711_kernels; /* those that run: kernels.h */

static inline void g711_decode_mu(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	g711_kernels->decode_mu(out, in, samples);
}

static inline void g711_decode_a(int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	g711_kernels->decode_a(out, in, samples);
}

static inline void g711_encode_mu(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	g711_kernels->encode_mu(out, in, samples);
}

static inline void g711_encode_a(uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	g711_kernels->encode_a(out, in, samples);
}

/* From one law to the other, by way of the linear sample. out may be in. */
static inline void g711_mu_to_a(uint8_t *out, const uint8_t *in, size_t samples)
{
	g711_kernels->mu_to_a(out, in, samples);
}

static inline void g711_a_to_mu(uint8_t *out, const uint8_t *in, size_t samples)
{
	g711_kernels->a_to_mu(out, in, samples);
}

static inline uint8_t g711_silence(enum cord_codec codec)
{
	return codec == CORD_CODEC_PCMA ? G711_SILENCE_A : G711_SILENCE_MU;
}

/* codec: CORD_CODEC_PCMU or CORD_CODEC_PCMA. */
static inline void g711_decode(
	enum cord_codec codec, int16_t *restrict out, const uint8_t *restrict in, size_t samples)
{
	if (codec == CORD_CODEC_PCMA)
		g711_decode_a(out, in, samples);
	else
		g711_decode_mu(out, in, samples);
}

static inline void g711_encode(
	enum cord_codec codec, uint8_t *restrict out, const int16_t *restrict in, size_t samples)
{
	if (codec == CORD_CODEC_PCMA)
		g711_encode_a(out, in, samples);
	else
		g711_encode_mu(out, in, samples);
}

#endif
