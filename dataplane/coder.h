/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coders: what a port of G.722 or Opus has to remember. A port takes one when it is opened (or
 * changes to such a codec) and gives it back when it closes, so that none is ever missed while it
 * talks; the option `coders` says how many there are for each worker.
 *
 * The encoder of a port serves a stream: one mix of one room, heard by the port and by all others
 * of the room that hear the same in the same coding. Where any of that changes, or nothing was
 * encoded for a period, the encoder begins anew.
 *
 * A coder stays with its port when the port moves; the worker that closes the port keeps it.
 */
#ifndef DATAPLANE_CODER_H
#define DATAPLANE_CODER_H

#include "codec.h"
#include "opus_codec.h"
#include "resample.h"

#include <cordboard/limits.h>

struct coder_stream {
	uint32_t room;      /* slot */
	uint16_t mix;       /* who is heard; the listener's own bit: its player */
	uint16_t listeners; /* who is sent it */
	uint8_t rate_khz;
};

static inline bool coder_stream_equal(const struct coder_stream *a, const struct coder_stream *b)
{
	return a->room == b->room && a->mix == b->mix && a->listeners == b->listeners &&
	       a->rate_khz == b->rate_khz;
}

struct coder {
	struct codec_decoder *decoder;
	struct codec_encoder *encoder;
	struct coder_stream stream;
	uint32_t period;           /* the last one in which the encoder encoded */
	struct resample_up up;     /* of what G.722 encodes in a room of 8 kHz */
	struct opus_gather gather; /* frames of Opus that wait to be sent */
};

/* Those of a worker. Made at start; `idle` has room for those of all workers. */
struct coders {
	struct coder **made, **idle;
	uint32_t made_count, idle_count;
};

/* Makes `count`; `total`: of all workers. 0 or -ENOMEM. */
int coders_create(struct coders *coders, uint32_t count, uint32_t total);
/* Frees those that were made here, wherever they are. No worker may run. */
void coders_destroy(struct coders *coders);

/* One for a stream of a codec, begun; NULL: there is none left. */
struct coder *coder_take(struct coders *coders, enum cord_codec codec);
void coder_give(struct coders *coders, struct coder *c);

/* Begins the stream in and out anew, in a codec. */
void coder_begin(struct coder *c, enum cord_codec codec);

#endif
