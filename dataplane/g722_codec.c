/* SPDX-License-Identifier: Apache-2.0 */
#include "g722_codec.h"

#include <spandsp/telephony.h>

#include <spandsp/g722.h>

enum { BIT_RATE = 64000 };

struct g722_decode_state_s *g722_codec_decoder_create(void)
{
	return g722_decode_init(NULL, BIT_RATE, 0);
}

struct g722_encode_state_s *g722_codec_encoder_create(void)
{
	return g722_encode_init(NULL, BIT_RATE, 0);
}

void g722_codec_decoder_destroy(struct g722_decode_state_s *d)
{
	if (d)
		g722_decode_free(d);
}

void g722_codec_encoder_destroy(struct g722_encode_state_s *e)
{
	if (e)
		g722_encode_free(e);
}

void g722_codec_decoder_reset(struct g722_decode_state_s *d)
{
	g722_decode_init(d, BIT_RATE, 0);
}

void g722_codec_encoder_reset(struct g722_encode_state_s *e)
{
	g722_encode_init(e, BIT_RATE, 0);
}

uint32_t g722_codec_decode(
	struct g722_decode_state_s *d, int16_t *out, const uint8_t *in, size_t bytes)
{
	return (uint32_t)g722_decode(d, out, in, (int)bytes);
}

size_t g722_codec_encode(
	struct g722_encode_state_s *e, uint8_t *out, const int16_t *in, uint32_t samples)
{
	return (size_t)g722_encode(e, out, in, (int)samples);
}
