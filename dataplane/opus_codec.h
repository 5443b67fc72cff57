/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opus (RFC 6716, RFC 7587), by libopus: mono, decoded at 16 kHz, encoded from 8 or 16 kHz.
 *
 * Behind codec.h. Memory is taken by the create functions alone: a state is begun anew in its place.
 */
#ifndef OPUS_CODEC_H
#define OPUS_CODEC_H

#include "codec.h"

struct OpusDecoder;
struct OpusEncoder;

/* NULL: no memory. */
struct OpusDecoder *opus_codec_decoder_create(void);
struct OpusEncoder *opus_codec_encoder_create(void);
void opus_codec_decoder_destroy(struct OpusDecoder *d);
void opus_codec_encoder_destroy(struct OpusEncoder *e);

/*
 * Duration of a packet in microseconds: 2,500 to 60,000. 0: longer, or its frames do not lie inside
 * it. The duration is judged first: it is what bounds the number of frames.
 */
uint32_t opus_codec_payload_us(const uint8_t *payload, size_t bytes);

/*
 * What a packet that is allowed says of itself without being decoded: the rate of samples that its
 * band needs (8, 12, 16, 24 or 48), whether it is mono, and whether its encoder found no voice in it,
 * which only those of one frame of 10 or 20 ms with a layer of SILK tell (RFC 6716 section 4.2.3).
 */
uint32_t opus_codec_rate_khz(const uint8_t *payload);
bool opus_codec_mono(const uint8_t *payload);
bool opus_codec_voiceless(const uint8_t *payload, size_t bytes);

/* Begin a stream. */
void opus_codec_decoder_reset(struct OpusDecoder *d);
void opus_codec_encoder_reset(struct OpusEncoder *e, const struct codec_encoding *encoding);

/*
 * The encoder has just begun, and what it encodes is heard after another encoder's `before` (20 ms):
 * the frames from here on know what that was, and need nothing of it to be decoded until this is
 * undone.
 */
void opus_codec_encoder_join(struct OpusEncoder *e, const int16_t *before, uint32_t samples);
void opus_codec_encoder_joined(struct OpusEncoder *e);

void opus_codec_encoder_complexity(struct OpusEncoder *e, uint32_t complexity);

/* Samples at 16 kHz, or -EBADMSG. */
int opus_codec_decode(struct OpusDecoder *d, int16_t *out, const uint8_t *payload, size_t bytes);

/* Makes up `samples` without a packet, or from the FEC of the one that follows. */
int opus_codec_conceal(
	struct OpusDecoder *d, int16_t *out, uint32_t samples, const uint8_t *next, size_t bytes);

/* Bytes of one frame; 0: it need not be sent. */
size_t opus_codec_encode(struct OpusEncoder *e, uint8_t *out, const int16_t *pcm, uint32_t samples);

/*
 * Whether the FEC of a packet holds all of the `samples` at 16 kHz before it: the first frame of one
 * of SILK says so in the bit behind those of voice activity (RFC 6716 section 4.2.4).
 */
bool opus_codec_recovers(uint32_t samples, const uint8_t *next, size_t bytes);

/*
 * Frames that are gathered into one packet (RFC 6716 section 3.2): all of them mono, of one mode,
 * bandwidth and length. All zero is empty.
 */
#define OPUS_GATHER_MAX 6u /* 60 ms of 10 ms frames */
#define OPUS_PACKET_MAX (3u * CODEC_FRAME_BYTES_MAX + 2 + 2 * OPUS_GATHER_MAX)

struct opus_gather {
	uint32_t frames, bytes;
	uint16_t size[OPUS_GATHER_MAX];
	uint8_t toc;
	uint8_t data[3 * CODEC_FRAME_BYTES_MAX];
};

static inline void opus_gather_clear(struct opus_gather *g)
{
	g->frames = 0;
	g->bytes = 0;
}

/*
 * Adds a packet of one frame. False: it does not go into one packet with those that are there, which
 * have to be written first.
 */
bool opus_gather_add(struct opus_gather *g, const uint8_t *frame, size_t bytes);

/* Writes the packet (at most OPUS_PACKET_MAX bytes), which is then empty; how many. */
size_t opus_gather_write(struct opus_gather *g, uint8_t *out);

#endif
