/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coders: what a port of G.722 or Opus has to remember. A port takes one when it is opened (or
 * changes to such a codec) and gives it back when it closes, so that none is ever missed while it
 * talks; the option `coders` says how many there are for each worker.
 *
 * The encoder of a port serves a stream: one mix of one room, heard by the port and by all others
 * of the room that hear the same in the same coding. Where any of that changes, or nothing was
 * encoded for a period, the encoder begins anew. It goes to another of them while the port itself is
 * sent something else.
 *
 * The decoder of Opus rests while nobody needs the samples of its port. It is kept what it misses
 * last, and hears that before it goes on.
 *
 * A coder stays with its port when the port moves; the worker that closes the port keeps it.
 */
#ifndef DATAPLANE_CODER_H
#define DATAPLANE_CODER_H

#include "codec.h"
#include "opus_codec.h"
#include "resample.h"

#include <cordboard/limits.h>

#define CODER_SAMPLES 320u /* of 20 ms at 16 kHz */

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

/*
 * Packets of 20 ms that the decoder has not heard. After as many as are kept, one that began anew
 * with them is right again; after half as many it may still be wrong in the middle of a vowel.
 */
#define CODER_MISSED 8u
struct coder_missed {
	uint32_t count;               /* all of them, of which the last are kept */
	uint32_t period;              /* of the last one */
	uint16_t bytes[CODER_MISSED]; /* 0: it was lost */
	uint8_t payload[CODER_MISSED][CODEC_FRAME_BYTES_MAX];
};

/* Periods after which a talker counts as quiet, or silent: an encoder of Opus goes on as long before DTX. */
#define CODER_QUIET_PERIODS 10u

/* What it said in a period, whole packets of Opus of 20 ms alone. */
struct coder_said {
	uint32_t period;
	int16_t pcm[CODER_SAMPLES];
};

/* An encoder, and what it encodes. */
struct coder_out {
	struct codec_encoder *encoder;
	struct coder_stream stream;
	uint32_t period;       /* the last one in which it encoded */
	struct resample_up up; /* of what G.722 encodes in a room of 8 kHz */
};

/* Of a port that is sent the packets of another: see pass.h. */
struct coder_pass {
	uint32_t period;   /* the last one in which it was */
	uint32_t from;     /* slot of the talker */
	uint16_t sequence; /* of the talker's last packet */
	uint8_t missed;    /* periods since, in which there was none */
	uint8_t waited;    /* periods of our own coding, while it could be passed */
	uint32_t coded;    /* the last period in which it was sent our own coding */
};

struct coder {
	struct codec_decoder *decoder;
	struct coder_out out;
	struct opus_gather gather; /* frames of Opus that wait to be sent */
	struct coder_missed missed;
	struct coder_said said[2]; /* of an even and of an odd period */
	struct coder_pass pass;
	uint16_t bytes_mean; /* of a packet received, moving, in 1/16 */
	uint8_t quiet,
		silent; /* periods in a row below MIX_QUIET and MIX_SILENT, as far as known */
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

/* Gives each the encoder of the other. */
static inline void coder_swap_encoders(struct coder *a, struct coder *b)
{
	const struct coder_out out = a->out;

	a->out = b->out;
	b->out = out;
}

/* Begins the stream in and out anew, in a codec. */
void coder_begin(struct coder *c, enum cord_codec codec);

/* The decoder, which has heard what it missed. */
struct codec_decoder *coder_decoder(struct coder *c);

/* A packet of 20 ms of Opus that nobody needed the samples of in this period; bytes 0: it was lost. */
void coder_miss(struct coder *c, uint32_t period, const uint8_t *payload, uint32_t bytes);

/* Keeps what was said in a period: CODER_SAMPLES. */
void coder_keep_said(struct coder *c, uint32_t period, const int16_t *pcm);

/* What was said in a period, this one or the one before; NULL: that is not known. */
const int16_t *coder_said(struct coder *c, uint32_t period);

#endif
