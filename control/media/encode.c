/* SPDX-License-Identifier: Apache-2.0 */
#include "media/encode.h"

#include <errno.h>
#include <opus/opus.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>
#include <spandsp/g722.h>

#include "base/check.h"

enum {
	FRAME = AUDIO_RATE / 50,
	FRAME_WIDE = 2 * FRAME,
	WIDE_RATE = 2 * AUDIO_RATE,
	RESAMPLER_QUALITY = 6,
};

uint32_t encode_frame_max(enum cord_clip_format format)
{
	uint32_t bytes = cord_clip_frame_bytes(format);

	return bytes ? bytes : CORD_CLIP_OPUS_FRAME_MAX;
}

/* A frame of samples, filled up with silence. factor: 1 at 8 kHz, 2 at 16 kHz. */
static void frame_of(const int16_t *samples, uint32_t n, uint32_t frame, int factor, int16_t *out)
{
	size_t begin = (size_t)frame * FRAME * factor, all = (size_t)n * factor;
	size_t left = all - begin < (size_t)FRAME * factor ? all - begin : (size_t)FRAME * factor;

	memset(out, 0, (size_t)FRAME * factor * sizeof(*out));
	memcpy(out, samples + begin, left * sizeof(*out));
}

static void encode_narrow(const struct audio *a, enum cord_clip_format format, uint8_t *payload,
	uint32_t *end, uint32_t frames)
{
	uint32_t bytes = cord_clip_frame_bytes(format);
	int16_t pcm[FRAME];

	for (uint32_t f = 0; f < frames; f++) {
		uint8_t *out = payload + (size_t)f * bytes;

		frame_of(a->samples, a->n, f, 1, pcm);
		if (format == CORD_CLIP_L16)
			memcpy(out, pcm, sizeof(pcm));
		for (uint32_t i = 0; i < FRAME && format != CORD_CLIP_L16; i++)
			out[i] = format == CORD_CLIP_PCMU ? linear_to_ulaw(pcm[i])
							  : linear_to_alaw(pcm[i]);
		end[f] = (f + 1) * bytes;
	}
}

/* The samples at 16 kHz: those of the sound, or made of its others and to be freed. */
static int16_t *widened(const struct audio *a)
{
	if (a->wide)
		return a->wide;
	int16_t *wide = calloc(2 * (size_t)a->n + 1, sizeof(*wide));
	int error = 0;
	SpeexResamplerState *r =
		speex_resampler_init(1, AUDIO_RATE, WIDE_RATE, RESAMPLER_QUALITY, &error);
	spx_uint32_t taken = a->n, made = 2 * a->n;

	if (wide && r) {
		speex_resampler_skip_zeros(r);
		speex_resampler_process_int(r, 0, a->samples, &taken, wide, &made);
	} else {
		free(wide);
		wide = NULL;
	}
	if (r)
		speex_resampler_destroy(r);
	return wide;
}

static int encode_g722(
	const int16_t *wide, uint32_t n, uint8_t *payload, uint32_t *end, uint32_t frames)
{
	g722_encode_state_t *e = g722_encode_init(NULL, 64000, 0);
	int16_t pcm[FRAME_WIDE];

	if (!e)
		return -ENOMEM;
	for (uint32_t f = 0; f < frames; f++) {
		frame_of(wide, n, f, 2, pcm);
		g722_encode(e, payload + (size_t)f * FRAME, pcm, FRAME_WIDE);
		end[f] = (f + 1) * FRAME;
	}
	g722_encode_free(e);
	return 0;
}

static int encode_opus(
	const int16_t *wide, uint32_t n, uint8_t *payload, uint32_t *end, uint32_t frames)
{
	OpusEncoder *e = opus_encoder_create(WIDE_RATE, 1, OPUS_APPLICATION_AUDIO, NULL);
	int16_t pcm[FRAME_WIDE];
	uint32_t at = 0;

	if (!e)
		return -ENOMEM;
	opus_encoder_ctl(e, OPUS_SET_BITRATE(ENCODE_OPUS_BITRATE));
	opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(ENCODE_OPUS_COMPLEXITY));
	for (uint32_t f = 0; f < frames; f++) {
		frame_of(wide, n, f, 2, pcm);
		int bytes = opus_encode(e, pcm, FRAME_WIDE, payload + at, CORD_CLIP_OPUS_FRAME_MAX);

		CHECK(bytes > 0);
		at += (uint32_t)bytes;
		end[f] = at;
	}
	opus_encoder_destroy(e);
	return 0;
}

static void encode_wide(
	const int16_t *wide, uint32_t n, uint8_t *payload, uint32_t *end, uint32_t frames)
{
	for (uint32_t f = 0; f < frames; f++) {
		int16_t pcm[FRAME_WIDE];

		frame_of(wide, n, f, 2, pcm);
		memcpy(payload + f * sizeof(pcm), pcm, sizeof(pcm));
		end[f] = (uint32_t)((f + 1) * sizeof(pcm));
	}
}

int encode_frames(
	const struct audio *a, enum cord_clip_format format, uint8_t *payload, uint32_t *end)
{
	uint32_t frames = audio_frames(a);
	int error = 0;

	if (cord_clip_rate_hz(format) == AUDIO_RATE) {
		encode_narrow(a, format, payload, end, frames);
		return 0;
	}
	int16_t *wide = widened(a);

	if (!wide)
		return -ENOMEM;
	if (format == CORD_CLIP_G722)
		error = encode_g722(wide, a->n, payload, end, frames);
	else if (format == CORD_CLIP_OPUS)
		error = encode_opus(wide, a->n, payload, end, frames);
	else
		encode_wide(wide, a->n, payload, end, frames);
	if (wide != a->wide)
		free(wide);
	return error;
}
