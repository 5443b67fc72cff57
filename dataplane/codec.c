/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include "g711.h"
#include "g722_codec.h"
#include "opus_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_MS = 8 /* of G.711 and G.722 */ };

struct codec_decoder {
	enum cord_codec codec;
	struct OpusDecoder *opus;
	struct g722_decode_state_s *g722;
};

struct codec_encoder {
	enum cord_codec codec;
	uint8_t complexity;
	bool joins; /* the next frame is the first after those of another encoder */
	struct OpusEncoder *opus;
	struct g722_encode_state_s *g722;
};

uint32_t codec_payload_us(enum cord_codec codec, const uint8_t *payload, size_t bytes)
{
	if (codec == CORD_CODEC_OPUS)
		return opus_codec_payload_us(payload, bytes);
	if (bytes == 0 || bytes > BYTES_PER_MS * CORD_PTIME_MAX_MS ||
		bytes % (BYTES_PER_MS * CORD_PTIME_MIN_MS) != 0)
		return 0;
	return (uint32_t)bytes * 1000 / BYTES_PER_MS;
}

/*
 * Opus: a frame of CELT, wideband, whose one bit says that all of it is silence (RFC 6716 section
 * 4.3.1). G.722: the pair of codes that lets a decoder fall silent from whatever state it is in.
 */
size_t codec_silence(enum cord_codec codec, uint32_t frame_ms, uint8_t *out)
{
	size_t bytes = frame_ms * BYTES_PER_MS;

	if (codec == CORD_CODEC_OPUS) {
		memcpy(out, frame_ms == 10 ? "\xb0\xff\xfe" : "\xb8\xff\xfe", 3);
		return 3;
	}
	if (codec != CORD_CODEC_G722) {
		memset(out, g711_silence(codec), bytes);
		return bytes;
	}
	for (size_t i = 0; i < bytes; i++)
		out[i] = i & 1 ? 0xfc : 0xfa;
	return bytes;
}

/* ---- decoding ------------------------------------------------------------------------------- */

struct codec_decoder *codec_decoder_create(void)
{
	struct codec_decoder *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->opus = opus_codec_decoder_create();
	d->g722 = g722_codec_decoder_create();
	if (d->opus && d->g722)
		return d;
	codec_decoder_destroy(d);
	return NULL;
}

void codec_decoder_destroy(struct codec_decoder *d)
{
	if (d == NULL)
		return;
	opus_codec_decoder_destroy(d->opus);
	g722_codec_decoder_destroy(d->g722);
	free(d);
}

void codec_decoder_reset(struct codec_decoder *d, enum cord_codec codec)
{
	d->codec = codec;
	if (codec == CORD_CODEC_OPUS)
		opus_codec_decoder_reset(d->opus);
	else
		g722_codec_decoder_reset(d->g722);
}

int codec_decode(struct codec_decoder *d, int16_t *out, const uint8_t *payload, size_t bytes)
{
	if (d->codec == CORD_CODEC_OPUS)
		return opus_codec_decode(d->opus, out, payload, bytes);
	return (int)g722_codec_decode(d->g722, out, payload, bytes);
}

int codec_conceal(struct codec_decoder *d, int16_t *out, uint32_t samples)
{
	if (d->codec != CORD_CODEC_OPUS)
		return -ENOTSUP;
	return opus_codec_conceal(d->opus, out, samples, NULL, 0);
}

int codec_recover(
	struct codec_decoder *d, int16_t *out, uint32_t samples, const uint8_t *next, size_t bytes)
{
	if (d->codec != CORD_CODEC_OPUS)
		return -ENOTSUP;
	return opus_codec_conceal(d->opus, out, samples, next, bytes);
}

bool codec_recovers(
	const struct codec_decoder *d, uint32_t samples, const uint8_t *next, size_t bytes)
{
	return d->codec == CORD_CODEC_OPUS && opus_codec_recovers(samples, next, bytes);
}

/* ---- encoding ------------------------------------------------------------------------------- */

struct codec_encoder *codec_encoder_create(void)
{
	struct codec_encoder *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->opus = opus_codec_encoder_create();
	e->g722 = g722_codec_encoder_create();
	if (e->opus && e->g722)
		return e;
	codec_encoder_destroy(e);
	return NULL;
}

void codec_encoder_destroy(struct codec_encoder *e)
{
	if (e == NULL)
		return;
	opus_codec_encoder_destroy(e->opus);
	g722_codec_encoder_destroy(e->g722);
	free(e);
}

void codec_encoder_reset(struct codec_encoder *e, const struct codec_encoding *encoding)
{
	e->codec = encoding->codec;
	e->complexity = encoding->complexity;
	e->joins = false;
	if (e->codec == CORD_CODEC_OPUS)
		opus_codec_encoder_reset(e->opus, encoding);
	else
		g722_codec_encoder_reset(e->g722);
}

void codec_encoder_join(struct codec_encoder *e, const int16_t *before, uint32_t samples)
{
	if (e->codec != CORD_CODEC_OPUS)
		return;
	opus_codec_encoder_join(e->opus, before, samples);
	e->joins = true;
}

void codec_encoder_complexity(struct codec_encoder *e, uint32_t complexity)
{
	if (e->codec != CORD_CODEC_OPUS || e->complexity == complexity)
		return;
	e->complexity = (uint8_t)complexity;
	opus_codec_encoder_complexity(e->opus, complexity);
}

size_t codec_encode(struct codec_encoder *e, uint8_t *out, const int16_t *pcm, uint32_t samples)
{
	if (e->codec == CORD_CODEC_OPUS) {
		size_t bytes = opus_codec_encode(e->opus, out, pcm, samples);

		if (e->joins)
			opus_codec_encoder_joined(e->opus);
		e->joins = false;
		return bytes;
	}
	return g722_codec_encode(e->g722, out, pcm, samples);
}
