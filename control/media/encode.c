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

struct encoder {
	struct audio audio; /* the caller's */
	enum cord_clip_format format;
	uint32_t next; /* frame */
	/* what the format needs; else NULL */
	SpeexResamplerState *widening;
	uint32_t widened; /* samples at 8 kHz that it has taken */
	g722_encode_state_t *g722;
	OpusEncoder *opus;
};

uint32_t encode_frame_max(enum cord_clip_format format)
{
	uint32_t bytes = cord_clip_frame_bytes(format);

	return bytes ? bytes : CORD_CLIP_OPUS_FRAME_MAX;
}

uint32_t encode_piece(enum cord_clip_format format)
{
	switch (format) {
	case CORD_CLIP_OPUS:
		return 100;
	case CORD_CLIP_G722:
		return 500;
	default:
		return 5000;
	}
}

static OpusEncoder *make_opus(void)
{
	OpusEncoder *opus = opus_encoder_create(WIDE_RATE, 1, OPUS_APPLICATION_AUDIO, NULL);

	if (!opus)
		return NULL;
	opus_encoder_ctl(opus, OPUS_SET_BITRATE(ENCODE_OPUS_BITRATE));
	opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(ENCODE_OPUS_COMPLEXITY));
	return opus;
}

static SpeexResamplerState *make_widening(void)
{
	int error = 0;
	SpeexResamplerState *r =
		speex_resampler_init(1, AUDIO_RATE, WIDE_RATE, RESAMPLER_QUALITY, &error);

	if (r)
		speex_resampler_skip_zeros(r);
	return r;
}

int encoder_create(const struct audio *audio, enum cord_clip_format format, struct encoder **out)
{
	bool widens = cord_clip_rate_hz(format) != AUDIO_RATE && !audio->wide;
	struct encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->audio = *audio;
	e->format = format;
	if (widens)
		e->widening = make_widening();
	if (format == CORD_CLIP_G722)
		e->g722 = g722_encode_init(NULL, 64000, 0);
	if (format == CORD_CLIP_OPUS)
		e->opus = make_opus();
	if ((widens && !e->widening) || (format == CORD_CLIP_G722 && !e->g722) ||
		(format == CORD_CLIP_OPUS && !e->opus)) {
		encoder_destroy(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void encoder_destroy(struct encoder *e)
{
	if (!e)
		return;
	if (e->widening)
		speex_resampler_destroy(e->widening);
	if (e->g722)
		g722_encode_free(e->g722);
	if (e->opus)
		opus_encoder_destroy(e->opus);
	free(e);
}

/* The next frame of samples, filled up with silence. factor: 1 at 8 kHz, 2 at 16 kHz. */
static void frame_of(const struct encoder *e, const int16_t *samples, int factor, int16_t *out)
{
	size_t begin = (size_t)e->next * FRAME * factor, all = (size_t)e->audio.n * factor;
	size_t left = all - begin < (size_t)FRAME * factor ? all - begin : (size_t)FRAME * factor;

	memset(out, 0, (size_t)FRAME * factor * sizeof(*out));
	memcpy(out, samples + begin, left * sizeof(*out));
}

/* The resampler looks ahead: behind the sound is silence. */
static void widen(struct encoder *e, int16_t out[FRAME_WIDE])
{
	static const int16_t silence[FRAME];
	uint32_t made = 0;

	while (made < FRAME_WIDE) {
		uint32_t left = e->audio.n - e->widened;
		spx_uint32_t taken = left ? left : FRAME, more = FRAME_WIDE - made;

		speex_resampler_process_int(e->widening, 0,
			left ? e->audio.samples + e->widened : silence, &taken, out + made, &more);
		e->widened += left ? taken : 0;
		made += more;
	}
}

static void wide_frame(struct encoder *e, int16_t out[FRAME_WIDE])
{
	if (e->widening)
		widen(e, out);
	else
		frame_of(e, e->audio.wide, 2, out);
}

static uint32_t narrow_next(struct encoder *e, uint8_t *out)
{
	int16_t pcm[FRAME];

	frame_of(e, e->audio.samples, 1, pcm);
	if (e->format == CORD_CLIP_L16) {
		memcpy(out, pcm, sizeof(pcm));
		return sizeof(pcm);
	}
	for (uint32_t i = 0; i < FRAME; i++)
		out[i] = e->format == CORD_CLIP_PCMU ? linear_to_ulaw(pcm[i])
						     : linear_to_alaw(pcm[i]);
	return FRAME;
}

static uint32_t wide_next(struct encoder *e, uint8_t *out)
{
	int16_t pcm[FRAME_WIDE];
	int bytes;

	wide_frame(e, pcm);
	if (e->format == CORD_CLIP_G722) {
		bytes = g722_encode(e->g722, out, pcm, FRAME_WIDE);
	} else if (e->format == CORD_CLIP_OPUS) {
		bytes = opus_encode(e->opus, pcm, FRAME_WIDE, out, CORD_CLIP_OPUS_FRAME_MAX);
	} else {
		memcpy(out, pcm, sizeof(pcm));
		bytes = sizeof(pcm);
	}
	CHECK(bytes > 0);
	return (uint32_t)bytes;
}

uint32_t encoder_next(struct encoder *e, uint8_t *out)
{
	uint32_t bytes = cord_clip_rate_hz(e->format) == AUDIO_RATE ? narrow_next(e, out)
								    : wide_next(e, out);

	e->next++;
	return bytes;
}
