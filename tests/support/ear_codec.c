/* SPDX-License-Identifier: Apache-2.0 */
#include "ear_codec.h"

#include "tones.h"

#include <string.h>

#define OPUS_BITRATE 24000

static const struct {
	const char *name;
	int payload_type;
	unsigned clock_khz;
} kinds[EAR_CODECS] = {
	[EAR_PCMU] = {"pcmu", 0, 8},
	[EAR_PCMA] = {"pcma", 8, 8},
	[EAR_G722] = {"g722", 9, 8},
	[EAR_OPUS] = {"opus", 96, 48},
};

enum ear_codec_kind ear_codec_kind(const char *name)
{
	unsigned kind = 0;

	while (kind < EAR_CODECS && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return (enum ear_codec_kind)kind;
}

int ear_codec_payload_type(enum ear_codec_kind kind)
{
	return kinds[kind].payload_type;
}

unsigned ear_codec_clock_khz(enum ear_codec_kind kind)
{
	return kinds[kind].clock_khz;
}

/* ---- G.711 -------------------------------------------------------------------------------- */

static size_t encode_g711(bool a_law, const int16_t *pcm, size_t samples, uint8_t *out, size_t size)
{
	if (samples > size)
		return 0;
	for (size_t i = 0; i < samples; i++)
		out[i] = tones_encode(a_law, pcm[i]);
	return samples;
}

static size_t decode_g711(bool a_law, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (bytes > EAR_SAMPLES_MAX)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		pcm[i] = tones_decode(a_law, payload[i]);
	return bytes;
}

/* ---- G.722 -------------------------------------------------------------------------------- */

static size_t encode_g722(
	struct ear_codec *codec, const int16_t *pcm, size_t samples, uint8_t *out, size_t size)
{
	if (!codec->g722_encode)
		codec->g722_encode = g722_encode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	if (!codec->g722_encode || samples > size)
		return 0;
	return (size_t)g722_encode(codec->g722_encode, out, pcm, (int)samples);
}

static size_t decode_g722(
	struct ear_codec *codec, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	if (!codec->g722_decode)
		codec->g722_decode = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
	if (!codec->g722_decode || bytes > EAR_SAMPLES_MAX)
		return 0;
	return (size_t)g722_decode(codec->g722_decode, pcm, payload, (int)bytes);
}

/* ---- Opus --------------------------------------------------------------------------------- */

static size_t encode_opus(
	struct ear_codec *codec, const int16_t *pcm, size_t samples, uint8_t *out, size_t size)
{
	int error, got;

	if (!codec->opus_encode) {
		codec->opus_encode =
			opus_encoder_create(TONES_RATE, 1, OPUS_APPLICATION_VOIP, &error);
		if (codec->opus_encode)
			opus_encoder_ctl(codec->opus_encode, OPUS_SET_BITRATE(OPUS_BITRATE));
	}
	got = codec->opus_encode
		      ? opus_encode(codec->opus_encode, pcm, (int)samples, out, (opus_int32)size)
		      : 0;
	return got > 0 ? (size_t)got : 0;
}

static size_t decode_opus(
	struct ear_codec *codec, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	int error, got;

	if (!codec->opus_decode)
		codec->opus_decode = opus_decoder_create(TONES_RATE, 1, &error);
	got = codec->opus_decode ? opus_decode(codec->opus_decode, payload, (opus_int32)bytes, pcm,
					   EAR_SAMPLES_MAX, 0)
				 : 0;
	return got > 0 ? (size_t)got : 0;
}

/* ---- all of them -------------------------------------------------------------------------- */

size_t ear_codec_encode(struct ear_codec *codec, enum ear_codec_kind kind, const int16_t *pcm,
	size_t samples, uint8_t *out, size_t size)
{
	if (kind == EAR_OPUS)
		return encode_opus(codec, pcm, samples, out, size);
	if (kind == EAR_G722)
		return encode_g722(codec, pcm, samples, out, size);
	return encode_g711(kind == EAR_PCMA, pcm, samples, out, size);
}

size_t ear_codec_decode(struct ear_codec *codec, enum ear_codec_kind kind, const uint8_t *payload,
	size_t bytes, int16_t *pcm)
{
	if (kind == EAR_OPUS)
		return decode_opus(codec, payload, bytes, pcm);
	if (kind == EAR_G722)
		return decode_g722(codec, payload, bytes, pcm);
	return decode_g711(kind == EAR_PCMA, payload, bytes, pcm);
}

void ear_codec_clear(struct ear_codec *codec)
{
	if (codec->g722_encode)
		g722_encode_free(codec->g722_encode);
	if (codec->g722_decode)
		g722_decode_free(codec->g722_decode);
	if (codec->opus_encode)
		opus_encoder_destroy(codec->opus_encode);
	if (codec->opus_decode)
		opus_decoder_destroy(codec->opus_decode);
	*codec = (struct ear_codec){0};
}
