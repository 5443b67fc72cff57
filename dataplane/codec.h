/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a codec is, and the codecs that remember: G.722 and Opus, one stream each way.
 *
 * G.711 has no state and is called directly (g711.h); the questions about clocks, rates and sizes
 * are answered for it as well. Samples are 16-bit and mono. All memory of a decoder or an encoder is
 * taken by its create function, before the first packet; nothing else here allocates, locks or
 * calls the system.
 *
 * Decoders give 16 kHz, whatever the peer's encoder did. An encoder of Opus is given 8 or 16 kHz,
 * one of G.722 16 kHz.
 */
#ifndef CODEC_H
#define CODEC_H

#include <cordboard/types.h>

#include <stddef.h>
#include <stdint.h>

/* Samples of the longest packet, 60 ms at 16 kHz. */
#define CODEC_SAMPLES_MAX (16u * CORD_PTIME_MAX_MS)
/* Bytes of one encoded frame of 10 or 20 ms: Opus at 128 kbit/s, with room for a loud one. */
#define CODEC_FRAME_BYTES_MAX 400u

/* Of Opus, bit/s: the least and the most that may be asked for, and what is sent when nothing is. */
#define CODEC_OPUS_BITRATE_MIN 6000u
#define CODEC_OPUS_BITRATE_MAX 128000u
#define CODEC_OPUS_BITRATE     24000u

struct codec_decoder;
struct codec_encoder;

/* What an encoder is to do. */
struct codec_encoding {
	uint8_t codec;      /* enum cord_codec: G722 or OPUS; what follows is for Opus */
	uint8_t rate_khz;   /* of the samples: 8 or 16 */
	uint8_t complexity; /* 0..10 */
	uint8_t loss;       /* percent expected, 0..100: how much of it in-band FEC prepares for */
	bool fec;           /* repeat each frame coarsely in the next one's packet */
	bool dtx;           /* code nothing while there is silence */
	uint32_t bitrate;   /* bit/s */
};

static inline bool codec_encoding_equal(
	const struct codec_encoding *a, const struct codec_encoding *b)
{
	return a->codec == b->codec && a->rate_khz == b->rate_khz &&
	       a->complexity == b->complexity && a->loss == b->loss && a->fec == b->fec &&
	       a->dtx == b->dtx && a->bitrate == b->bitrate;
}

/* Rate of the samples that a decoder gives. */
static inline uint32_t codec_rate_khz(enum cord_codec codec)
{
	return cord_codec_wide(codec) ? 16 : 8;
}

/*
 * Duration of a received payload in microseconds; 0: it is none that is allowed. G.711 and G.722:
 * 10, 20, … 60 ms. Opus: what its table of contents says, 2.5 to 60 ms, when the frames lie inside
 * the packet (RFC 6716 section 3.4).
 */
uint32_t codec_payload_us(enum cord_codec codec, const uint8_t *payload, size_t bytes);

/* A frame of 10 or 20 ms of silence that needs no encoder: at most CODEC_FRAME_BYTES_MAX; how many. */
size_t codec_silence(enum cord_codec codec, uint32_t frame_ms, uint8_t *out);

/* ---- decoding ------------------------------------------------------------------------------- */

/* NULL: no memory. */
struct codec_decoder *codec_decoder_create(void);
void codec_decoder_destroy(struct codec_decoder *d);

/* Begins a stream of a codec (G722 or OPUS). */
void codec_decoder_reset(struct codec_decoder *d, enum cord_codec codec);

/*
 * Decodes a payload that codec_payload_us() allowed. Returns how many samples there are, at most
 * CODEC_SAMPLES_MAX; -EBADMSG for a payload that is broken inside: conceal it.
 */
int codec_decode(struct codec_decoder *d, int16_t *out, const uint8_t *payload, size_t bytes);

/*
 * Makes up `samples` (a multiple of 40) of Opus for a packet that is lost. -ENOTSUP: the codec has
 * no way of its own (G.722).
 */
int codec_conceal(struct codec_decoder *d, int16_t *out, uint32_t samples);

/*
 * The same, with the help of the packet after the lost one: its in-band FEC is decoded where there
 * is any. Call it before that packet is decoded.
 */
int codec_recover(
	struct codec_decoder *d, int16_t *out, uint32_t samples, const uint8_t *next, size_t bytes);

/* Whether that packet's FEC holds all of the samples, so that nothing of them need be made up. */
bool codec_recovers(
	const struct codec_decoder *d, uint32_t samples, const uint8_t *next, size_t bytes);

/* ---- encoding ------------------------------------------------------------------------------- */

struct codec_encoder *codec_encoder_create(void);
void codec_encoder_destroy(struct codec_encoder *e);

/* Begins a stream. */
void codec_encoder_reset(struct codec_encoder *e, const struct codec_encoding *encoding);

/*
 * To be called behind the reset where the peer has been sent packets of another encoder until now:
 * `before` are the samples of the last 20 ms of them. The first frame takes up where they end, and is
 * coded without reference to what the peer's decoder remembers. G.722: nothing.
 */
void codec_encoder_join(struct codec_encoder *e, const int16_t *before, uint32_t samples);

/* Changes the complexity of a stream of Opus; what is set already costs nothing. */
void codec_encoder_complexity(struct codec_encoder *e, uint32_t complexity);

/*
 * Encodes one frame: 10 or 20 ms of Opus, any even number of samples of G.722. Writes at most
 * CODEC_FRAME_BYTES_MAX bytes and returns how many; 0: Opus says that nothing need be sent (DTX).
 */
size_t codec_encode(struct codec_encoder *e, uint8_t *out, const int16_t *pcm, uint32_t samples);

#endif
