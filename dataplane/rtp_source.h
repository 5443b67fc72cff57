/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream that a port receives: whose packets belong to it, and the figures that RTCP reports
 * (RFC 3550 appendices A.1, A.3 and A.8).
 *
 * The caller has checked the packet's source address. The first packet decides the SSRC. A packet
 * with another SSRC, or of the same SSRC with a sequence number far from the last (a sender that
 * restarted), is on probation: it is to be dropped until RTP_SOURCE_PROBATION packets have come
 * with consecutive sequence numbers; the last of them starts the stream anew. A packet of the
 * stream in between ends the probation, so that strays and two senders that alternate change
 * nothing.
 *
 *            first packet              other SSRC, or jump
 *   (none) ---------------> (stream) -----------------------> (stream, probation)
 *                            ^    ^     packet of the stream         |
 *                            |    +----------------------------------+
 *                            +-- enough consecutive: CHANGED --------+
 */
#ifndef RTP_SOURCE_H
#define RTP_SOURCE_H

#include "rtp.h"

/* Consecutive packets that change the stream. */
#define RTP_SOURCE_PROBATION 3u
/* Furthest a sequence number may jump forward or back and be of the same stream. */
#define RTP_SOURCE_DROPOUT_MAX  3000u
#define RTP_SOURCE_MISORDER_MAX 100u

struct rtp_source {
	uint32_t ssrc;
	uint32_t transit;    /* arrival minus timestamp of the last packet, in RTP clock units */
	uint32_t jitter_q4;  /* interarrival jitter, in 1/16 of the RTP clock */
	uint32_t highest;    /* extended highest sequence number: cycles << 16 | sequence */
	uint32_t first;      /* extended sequence number of the first packet */
	uint32_t received;   /* packets of this stream, duplicates included */
	uint32_t other_ssrc; /* on probation */
	uint16_t other_next; /* the sequence number that would be consecutive */
	uint8_t other_count; /* packets on probation, 0: none */
	uint8_t started;     /* 0 before the first packet */
};
_Static_assert(sizeof(struct rtp_source) == 32, "half a cache line");

enum rtp_source_verdict {
	RTP_SOURCE_GOOD,    /* of the stream */
	RTP_SOURCE_CHANGED, /* the first packet of a stream: flush the jitter buffer, then take it
			     */
	RTP_SOURCE_STRANGE, /* on probation: drop it */
};

/* All zero is a source that has received nothing. */
static inline void rtp_source_init(struct rtp_source *s)
{
	*s = (struct rtp_source){0};
}

/*
 * Judges a packet and, unless it is strange, counts it. The jitter is only measured for packets of
 * media (`media`: not for telephone-events, whose timestamps stand still). arrival_ns is when it
 * was received; clock_hz the RTP clock of the payload type.
 */
enum rtp_source_verdict rtp_source_judge(struct rtp_source *s, const struct rtp_header *h,
	bool media, uint64_t arrival_ns, uint32_t clock_hz);

/* Packets that should have come so far; the difference to received is the loss, which may be < 0.
 */
static inline uint32_t rtp_source_expected(const struct rtp_source *s)
{
	return s->started ? s->highest - s->first + 1 : 0;
}

/* The interarrival jitter in units of the RTP clock, as reported in RTCP. */
static inline uint32_t rtp_source_jitter(const struct rtp_source *s)
{
	return s->jitter_q4 >> 4;
}

#endif
