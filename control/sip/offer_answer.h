/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offer and answer for one audio stream (RFC 3264), as pure functions.
 *
 * One m= line carries our audio: the first usable one, one with SRTP before one without. All others
 * are kept in place and refused with port 0. What comes out for media is a plain value: where to
 * send, what, under which key, and who may send.
 *
 * A session keeps a struct sdp_origin, which changes its version exactly when what we say changes,
 * the peer's last description, so that an offer in a session has the same lines in the same order
 * (RFC 3264 section 8), and what was agreed last: payload types keep their meaning (section 8.3.2),
 * keys stay, and a stream that is encrypted is never agreed on without.
 *
 * SRTP (keys by RFC 4568, sdes.h), as `srtp` of struct sdp_local says:
 *
 *              our offer             offer of RTP/SAVP   of RTP/AVP, keys   of RTP/AVP
 *   off        RTP/AVP               refused             taken, plain       taken
 *   optional   RTP/AVP with keys     taken               taken, encrypted   taken, plain
 *   required   RTP/SAVP              taken               refused            refused
 *
 * Optional is the opportunistic SRTP of RFC 8643: a peer that knows no keys answers as it always
 * did, which RTP/SAVP would have made it refuse. Feedback profiles (AVPF, SAVPF) are taken as those
 * without; DTLS-SRTP (UDP/TLS/RTP/SAVPF) is refused.
 *
 * Comfort noise (RFC 3389) goes with codecs of its clock, and so with G.722, whose RTP clock is
 * 8 kHz; Opus has its own. telephone-event (RFC 4733) goes with the codec's clock; where the peer
 * has it at 8 kHz only, Opus takes that, and durations count in that clock.
 */
#pragma once

#include "sip/opus_fmtp.h"
#include "sip/sdes.h"
#include "sip/sdp.h"

#define SDP_CODECS_MAX       8
#define SDP_PTIME_MS_DEFAULT 20
#define SDP_PTIME_MS_MIN     10
#define SDP_PTIME_MS_MAX     60
#define SDP_OPUS_RATE        16000 /* Hz: what rooms are mixed at, at most */

enum sdp_srtp {
	SDP_SRTP_OFF,
	SDP_SRTP_OPTIONAL,
	SDP_SRTP_REQUIRED,
};

/* Our side of a session. */
struct sdp_local {
	struct cord_address address;    /* where we receive, with the UDP port */
	uint8_t codecs[SDP_CODECS_MAX]; /* enum cord_codec, best first */
	uint8_t codec_count;            /* at least 1 */
	bool prefer_ours;               /* pick by our order; else by the offer's */
	bool events;                    /* telephone-event is taken */
	bool comfort_noise;             /* and so is comfort noise */
	bool rtcp_mux;                  /* RTP and RTCP on one port (RFC 5761) where the peer can */
	uint8_t srtp;                   /* enum sdp_srtp */
	uint8_t direction;              /* cord_direction bits that we want; both: talk */
	uint16_t ptime_ms;              /* 0: SDP_PTIME_MS_DEFAULT */
	uint32_t opus_bitrate;          /* bit/s, both ways; 0: what the codec finds right */
	bool opus_fec, opus_dtx;        /* sent to who wants it, and asked for */
};

/* What a session keeps of its own descriptions. Start with id set (any number) and the rest 0. */
struct sdp_origin {
	uint64_t id;
	uint64_t version;       /* 0: nothing said yet */
	uint64_t digest;        /* of what was said last */
	struct sdes_keys *keys; /* NULL: none are made */
};

/* What was agreed: the whole of what the media side needs. */
struct sdp_stream {
	struct cord_address remote;   /* where we send RTP; port 0 never */
	uint16_t remote_rtcp_port;    /* 0: none; that of RTP with rtcp_mux */
	bool rtcp_mux;                /* both ways */
	uint8_t codec;                /* enum cord_codec */
	uint8_t payload_type;         /* of what we send */
	uint8_t receive_payload_type; /* of what the peer sends */
	uint8_t event_payload_type;   /* of events we send, SDP_NO_PAYLOAD_TYPE: none agreed */
	uint8_t receive_event_payload_type;
	uint8_t noise_payload_type; /* of comfort noise, SDP_NO_PAYLOAD_TYPE: none agreed */
	uint8_t receive_noise_payload_type;
	uint8_t direction;    /* cord_direction bits for us: may send, may receive */
	uint8_t media_index;  /* which m= line */
	bool held_by_peer;    /* the peer does not want to hear us */
	uint16_t ptime_ms;    /* of packets we send: 10, 20, 30, 40 or 60 */
	uint32_t event_clock; /* Hz, 0: none */
	/* Opus: what we send, within what the peer likes and we do. bitrate 0: free */
	struct opus_fmtp opus;
	uint32_t crypto_tag;                        /* of its lines, the peer's and ours */
	struct cord_srtp_key send_key, receive_key; /* of one suite; CORD_SRTP_NONE: plain */
};

/*
 * The functions below have in common:
 *   agreed   what the established session has; NULL before
 *   origin   has keys when local->srtp is not off; -EINVAL
 *   out      at its start the whole description is written; -ENOSPC when it is too small
 */

/*
 * Answers an offer. Writes our description and what was agreed; origin is updated.
 *   -ENOTSUP   no usable audio line, no codec in common, or the encryption that the session has is
 *              not offered any more: answer 488; nothing has changed
 */
int sdp_answer(const struct sdp *offer, const struct sdp_local *local,
	const struct sdp_stream *agreed, struct sdp_origin *origin, struct strbuf *out,
	struct sdp_stream *stream);

/*
 * Makes an offer. previous is the peer's last description in this session, NULL in a new one; with
 * it, agreed names the line that carries our audio. -EINVAL without a known codec.
 */
int sdp_offer(const struct sdp_local *local, const struct sdp *previous,
	const struct sdp_stream *agreed, struct sdp_origin *origin, struct strbuf *out);

/*
 * Takes the answer to our offer, with the same local and agreed. -ENOTSUP when our line was
 * refused, has no codec that we offered, or lacks the encryption that it must have; -EBADMSG when
 * the answer has fewer lines than our offer.
 */
int sdp_take_answer(const struct sdp *answer, const struct sdp_local *local,
	const struct sdp_stream *agreed, const struct sdp_origin *origin,
	struct sdp_stream *stream);
