/* SPDX-License-Identifier: Apache-2.0 */
#include "coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void coder_destroy(struct coder *c)
{
	codec_decoder_destroy(c->decoder);
	codec_encoder_destroy(c->out.encoder);
	free(c);
}

static struct coder *coder_create(void)
{
	struct coder *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->decoder = codec_decoder_create();
	c->out.encoder = codec_encoder_create();
	if (c->decoder && c->out.encoder)
		return c;
	coder_destroy(c);
	return NULL;
}

int coders_create(struct coders *coders, uint32_t count, uint32_t total)
{
	*coders = (struct coders){
		.made = calloc(count + 1, sizeof(struct coder *)),
		.idle = calloc(total + 1, sizeof(struct coder *)),
	};
	if (coders->made == NULL || coders->idle == NULL)
		goto fail;
	while (coders->made_count < count) {
		struct coder *c = coder_create();

		if (c == NULL)
			goto fail;
		coders->made[coders->made_count++] = c;
		coders->idle[coders->idle_count++] = c;
	}
	return 0;
fail:
	coders_destroy(coders);
	return -ENOMEM;
}

void coders_destroy(struct coders *coders)
{
	for (uint32_t i = 0; i < coders->made_count; i++)
		coder_destroy(coders->made[i]);
	free(coders->made);
	free(coders->idle);
	*coders = (struct coders){0};
}

void coder_begin(struct coder *c, enum cord_codec codec)
{
	codec_decoder_reset(c->decoder, codec);
	c->out.stream = (struct coder_stream){0};
	opus_gather_clear(&c->gather);
	c->missed.count = 0;
	c->said[0].period = c->said[1].period = 0;
	c->pass = (struct coder_pass){0};
	c->bytes_mean = 0;
	c->quiet = c->silent = 0;
}

struct codec_decoder *coder_decoder(struct coder *c)
{
	struct coder_missed *missed = &c->missed;
	uint32_t count = missed->count;
	uint32_t kept = count < CODER_MISSED ? count : CODER_MISSED;
	int16_t pcm[CODEC_SAMPLES_MAX];
	int samples = 0;

	if (kept < count)
		codec_decoder_reset(c->decoder, CORD_CODEC_OPUS);
	for (uint32_t i = count - kept; i < count; i++) {
		uint32_t at = i % CODER_MISSED;

		samples = missed->bytes[at] ? codec_decode(c->decoder, pcm, missed->payload[at],
						      missed->bytes[at])
					    : codec_conceal(c->decoder, pcm, CODER_SAMPLES);
	}
	if (samples == CODER_SAMPLES)
		coder_keep_said(c, missed->period, pcm);
	missed->count = 0;
	return c->decoder;
}

void coder_miss(struct coder *c, uint32_t period, const uint8_t *payload, uint32_t bytes)
{
	struct coder_missed *missed = &c->missed;
	uint32_t at = missed->count++ % CODER_MISSED;

	missed->period = period;
	missed->bytes[at] = bytes <= CODEC_FRAME_BYTES_MAX ? (uint16_t)bytes : 0;
	if (missed->bytes[at])
		memcpy(missed->payload[at], payload, bytes);
}

void coder_keep_said(struct coder *c, uint32_t period, const int16_t *pcm)
{
	struct coder_said *said = &c->said[period & 1];

	said->period = period;
	memcpy(said->pcm, pcm, sizeof(said->pcm));
}

const int16_t *coder_said(struct coder *c, uint32_t period)
{
	if (c->missed.count && c->missed.period == period)
		coder_decoder(c);
	return c->said[period & 1].period == period ? c->said[period & 1].pcm : NULL;
}

struct coder *coder_take(struct coders *coders, enum cord_codec codec)
{
	if (coders->idle_count == 0)
		return NULL;
	struct coder *c = coders->idle[--coders->idle_count];

	coder_begin(c, codec);
	return c;
}

void coder_give(struct coders *coders, struct coder *c)
{
	coders->idle[coders->idle_count++] = c;
}
