/* SPDX-License-Identifier: Apache-2.0 */
#include "coder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void coder_destroy(struct coder *c)
{
	codec_decoder_destroy(c->decoder);
	codec_encoder_destroy(c->encoder);
	free(c);
}

static struct coder *coder_create(void)
{
	struct coder *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->decoder = codec_decoder_create();
	c->encoder = codec_encoder_create();
	if (c->decoder && c->encoder)
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
	c->stream = (struct coder_stream){0};
	opus_gather_clear(&c->gather);
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
