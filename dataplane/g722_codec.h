/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ITU-T G.722 at 64 kbit/s (mode 1), by spandsp: 16 kHz samples, a byte for every two of them.
 *
 * Behind codec.h. Memory is taken by the create functions alone.
 */
#ifndef G722_CODEC_H
#define G722_CODEC_H

#include <stddef.h>
#include <stdint.h>

#define G722_BYTES_PER_MS 8u

struct g722_decode_state_s;
struct g722_encode_state_s;

/* NULL: no memory. */
struct g722_decode_state_s *g722_codec_decoder_create(void);
struct g722_encode_state_s *g722_codec_encoder_create(void);
void g722_codec_decoder_destroy(struct g722_decode_state_s *d);
void g722_codec_encoder_destroy(struct g722_encode_state_s *e);

/* Begin a stream. */
void g722_codec_decoder_reset(struct g722_decode_state_s *d);
void g722_codec_encoder_reset(struct g722_encode_state_s *e);

/* Two samples for each byte; how many. */
uint32_t g722_codec_decode(
	struct g722_decode_state_s *d, int16_t *out, const uint8_t *in, size_t bytes);

/* A byte for every two samples; how many. samples: even. */
size_t g722_codec_encode(
	struct g722_encode_state_s *e, uint8_t *out, const int16_t *in, uint32_t samples);

#endif
