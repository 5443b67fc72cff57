/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offer and answer for one audio stream (RFC 3264), as pure functions.
 *
 * One m= line carries our audio: the first usable one. All others are kept in place and refused
 * with port 0. What comes out for media is a plain value: where to send, what, and who may send.
 *
 * A session keeps a struct sdp_origin, which changes its version exactly when what we say changes,
 * and its last struct sdp_local. For a new offer in a session, it passes the peer's last
 * description, so that the offer has the same lines in the same order (RFC 3264 section 8).
 */
#pragma once

#include "sip/sdp.h"

#define SDP_CODECS_MAX         8
#define SDP_EVENT_PAYLOAD_TYPE 101 /* of our offers */
#define SDP_PTIME_MS_DEFAULT   20
#define SDP_PTIME_MS_MIN       10
#define SDP_PTIME_MS_MAX       60

/* One codec that we can describe. A new codec is a new row in offer_answer.c. */
struct sdp_codec {
	uint8_t codec;        /* enum cord_codec */
	uint8_t payload_type; /* static, or the dynamic one of our offers */
	uint8_t channels;
	const char *encoding;
	uint32_t clock;
	const char *fmtp; /* of our offers; NULL: none */
};
const struct sdp_codec *sdp_codec(enum cord_codec codec); /* NULL: not known */

/* Our side of a session. */
struct sdp_local {
	struct cord_address address;    /* where we receive, with the UDP port */
	uint8_t codecs[SDP_CODECS_MAX]; /* enum cord_codec, best first */
	uint8_t codec_count;            /* at least 1 */
	bool prefer_ours;               /* pick by our order; else by the offer's */
	bool events;                    /* telephone-event is taken */
	uint8_t direction;              /* cord_direction bits that we want; both: talk */
	uint16_t ptime_ms;              /* 0: SDP_PTIME_MS_DEFAULT */
};

/* Identity of our descriptions in a session. Start with id set (any number) and the rest 0. */
struct sdp_origin {
	uint64_t id;
	uint64_t version; /* 0: nothing said yet */
	uint64_t digest;  /* of what was said last */
};

/* What was agreed: the whole of what the media side needs. */
struct sdp_stream {
	struct cord_address remote;   /* where we send RTP; port 0 never */
	uint16_t remote_rtcp_port;    /* 0: none */
	uint8_t codec;                /* enum cord_codec */
	uint8_t payload_type;         /* of what we send */
	uint8_t receive_payload_type; /* of what the peer sends */
	uint8_t event_payload_type;   /* of events we send, SDP_NO_PAYLOAD_TYPE: none agreed */
	uint8_t receive_event_payload_type;
	uint8_t direction;    /* cord_direction bits for us: may send, may receive */
	uint8_t media_index;  /* which m= line */
	bool held_by_peer;    /* the peer does not want to hear us */
	uint16_t ptime_ms;    /* of packets we send */
	uint32_t event_clock; /* Hz, 0: none */
};

/*
 * Answers an offer. Writes our description and what was agreed. offer, local and origin are inputs;
 * origin is updated. *length is the length of the body in buffer.
 *   -ENOTSUP   no usable audio line, no codec in common: answer 488
 *   -ENOSPC    the buffer is too small
 */
int sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp_origin *origin,
	char *buffer, size_t size, size_t *length, struct sdp_stream *stream);

/*
 * Makes an offer. previous is the peer's last description in this session (NULL in a new session)
 * and media_index the line that carries our audio in it. -ENOSPC, -EINVAL without a known codec.
 */
int sdp_offer(const struct sdp_local *local, const struct sdp *previous, unsigned media_index,
	struct sdp_origin *origin, char *buffer, size_t size, size_t *length);

/*
 * Takes the answer to our offer. -ENOTSUP when our line was refused or has no codec that we
 * offered, -EBADMSG when the answer has fewer lines than media_index asks for.
 */
int sdp_take_answer(const struct sdp *answer, const struct sdp_local *local, unsigned media_index,
	struct sdp_stream *stream);
