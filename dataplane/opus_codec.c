/* SPDX-License-Identifier: Apache-2.0 */
#include "opus_codec.h"

#include <errno.h>
#include <opus/opus.h>
#include <string.h>

enum {
	DECODED_HZ = 16000,
	PACKET_MAX_US = CORD_PTIME_MAX_MS * 1000,
	FRAMES_MAX = 48,   /* what libopus may write, RFC 6716 section 3.2.5 */
	DTX_BYTES = 2,     /* a frame no longer than this need not be sent */
	CODE_MANY = 3,     /* TOC: any number of frames */
	CELT_ONLY = 0x80,  /* TOC: neither SILK nor a hybrid */
	CODE_MASK = 3,     /* TOC: how many frames; the other bits say what they are */
	VARIABLE = 1 << 7, /* frame count: lengths follow */
	LENGTH_ONE = 252,  /* lengths below fit one byte */
	VOICE = 1 << 7,    /* first bit of a frame of SILK: its first 20 ms */
};

/* ---- packets -------------------------------------------------------------------------------- */

uint32_t opus_codec_payload_us(const uint8_t *payload, size_t bytes)
{
	const unsigned char *frame[FRAMES_MAX];
	opus_int16 size[FRAMES_MAX];
	unsigned char toc;
	int offset;

	if (bytes == 0 || bytes > INT16_MAX)
		return 0;
	/* At 48 kHz, as the finest that libopus counts in: 2.5 ms are 120. */
	int units = opus_packet_get_nb_samples(payload, (opus_int32)bytes, 48000);

	if (units <= 0 || units > PACKET_MAX_US / 1000 * 48)
		return 0;
	if (opus_packet_parse(payload, (opus_int32)bytes, &toc, frame, size, &offset) <= 0)
		return 0;
	return (uint32_t)units * 1000 / 48;
}

uint32_t opus_codec_rate_khz(const uint8_t *payload)
{
	switch (opus_packet_get_bandwidth(payload)) {
	case OPUS_BANDWIDTH_NARROWBAND:
		return 8;
	case OPUS_BANDWIDTH_MEDIUMBAND:
		return 12;
	case OPUS_BANDWIDTH_WIDEBAND:
		return 16;
	case OPUS_BANDWIDTH_SUPERWIDEBAND:
		return 24;
	default:
		return 48;
	}
}

bool opus_codec_mono(const uint8_t *payload)
{
	return opus_packet_get_nb_channels(payload) == 1;
}

bool opus_codec_voiceless(const uint8_t *payload, size_t bytes)
{
	uint8_t toc = payload[0];

	if (bytes < 2 || (toc & CODE_MASK) || (toc & CELT_ONLY) ||
		opus_packet_get_samples_per_frame(payload, 1000) > 20)
		return false;
	return !(payload[1] & VOICE);
}

static size_t put_length(uint8_t *out, uint32_t bytes)
{
	if (bytes < LENGTH_ONE) {
		out[0] = (uint8_t)bytes;
		return 1;
	}
	out[0] = (uint8_t)(LENGTH_ONE + (bytes & 3));
	out[1] = (uint8_t)((bytes - out[0]) >> 2);
	return 2;
}

bool opus_gather_add(struct opus_gather *g, const uint8_t *frame, size_t bytes)
{
	if (bytes == 0 || (frame[0] & CODE_MASK) != 0 || g->frames == OPUS_GATHER_MAX ||
		g->bytes + bytes - 1 > sizeof(g->data) || (g->frames && g->toc != frame[0]))
		return false;
	g->toc = frame[0];
	memcpy(g->data + g->bytes, frame + 1, bytes - 1);
	g->size[g->frames++] = (uint16_t)(bytes - 1);
	g->bytes += (uint32_t)bytes - 1;
	return true;
}

size_t opus_gather_write(struct opus_gather *g, uint8_t *out)
{
	size_t at = 0;

	out[at++] = (uint8_t)(g->frames > 1 ? g->toc | CODE_MANY : g->toc);
	if (g->frames > 1)
		out[at++] = (uint8_t)(VARIABLE | g->frames);
	for (uint32_t i = 0; i + 1 < g->frames; i++)
		at += put_length(out + at, g->size[i]);
	memcpy(out + at, g->data, g->bytes);
	at += g->bytes;
	opus_gather_clear(g);
	return at;
}

/* ---- decoding ------------------------------------------------------------------------------- */

struct OpusDecoder *opus_codec_decoder_create(void)
{
	return opus_decoder_create(DECODED_HZ, 1, NULL);
}

void opus_codec_decoder_destroy(struct OpusDecoder *d)
{
	if (d)
		opus_decoder_destroy(d);
}

void opus_codec_decoder_reset(struct OpusDecoder *d)
{
	opus_decoder_ctl(d, OPUS_RESET_STATE);
}

int opus_codec_decode(struct OpusDecoder *d, int16_t *out, const uint8_t *payload, size_t bytes)
{
	int n = opus_decode(d, payload, (opus_int32)bytes, out, CODEC_SAMPLES_MAX, 0);

	return n > 0 ? n : -EBADMSG;
}

int opus_codec_conceal(
	struct OpusDecoder *d, int16_t *out, uint32_t samples, const uint8_t *next, size_t bytes)
{
	int n = opus_decode(d, next, (opus_int32)bytes, out, (int)samples, next != NULL);

	return n > 0 ? n : -EBADMSG;
}

bool opus_codec_recovers(uint32_t samples, const uint8_t *next, size_t bytes)
{
	const unsigned char *frame[FRAMES_MAX];
	opus_int16 size[FRAMES_MAX];

	if (bytes == 0 || next[0] & CELT_ONLY)
		return false;
	uint32_t length = (uint32_t)opus_packet_get_samples_per_frame(next, DECODED_HZ);
	uint32_t bits = length < DECODED_HZ / 50 ? 1 : length / (DECODED_HZ / 50);

	return length == samples &&
	       opus_packet_parse(next, (opus_int32)bytes, NULL, frame, size, NULL) > 0 &&
	       size[0] > 1 && (frame[0][0] << bits & 0x80);
}

/* ---- encoding ------------------------------------------------------------------------------- */

struct OpusEncoder *opus_codec_encoder_create(void)
{
	return opus_encoder_create(DECODED_HZ, 1, OPUS_APPLICATION_VOIP, NULL);
}

void opus_codec_encoder_destroy(struct OpusEncoder *e)
{
	if (e)
		opus_encoder_destroy(e);
}

void opus_codec_encoder_reset(struct OpusEncoder *e, const struct codec_encoding *encoding)
{
	/* In its place: the memory is the same for every rate. */
	opus_encoder_init(e, encoding->rate_khz * 1000, 1, OPUS_APPLICATION_VOIP);
	opus_encoder_ctl(e, OPUS_SET_BITRATE((opus_int32)encoding->bitrate));
	opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(encoding->complexity));
	opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(encoding->fec));
	opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(encoding->loss));
	opus_encoder_ctl(e, OPUS_SET_DTX(encoding->dtx));
}

void opus_codec_encoder_join(struct OpusEncoder *e, const int16_t *before, uint32_t samples)
{
	uint8_t unsent[CODEC_FRAME_BYTES_MAX];

	if (opus_encode(e, before, (int)samples, unsent, sizeof(unsent)) > 0)
		opus_encoder_ctl(e, OPUS_SET_PREDICTION_DISABLED(1));
}

void opus_codec_encoder_joined(struct OpusEncoder *e)
{
	opus_encoder_ctl(e, OPUS_SET_PREDICTION_DISABLED(0));
}

void opus_codec_encoder_complexity(struct OpusEncoder *e, uint32_t complexity)
{
	opus_encoder_ctl(e, OPUS_SET_COMPLEXITY((opus_int32)complexity));
}

size_t opus_codec_encode(struct OpusEncoder *e, uint8_t *out, const int16_t *pcm, uint32_t samples)
{
	opus_int32 n = opus_encode(e, pcm, (int)samples, out, CODEC_FRAME_BYTES_MAX);

	return n > DTX_BYTES ? (size_t)n : 0;
}
