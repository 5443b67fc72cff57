/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good a port's streams are: what we tell the peer in RTCP, what we believe of what it tells
 * us, and whether it sends at all.
 *
 * RTCP can be forged by anybody who can send from the peer's address. It changes figures and at most
 * delays what is told of missing media: a value is believed when it is in its range and fits what we
 * have sent, a round trip when it answers one of our last reports, and BYE only ends what we would
 * say of that sender.
 *
 * A port that may receive and has a media timeout expects RTP from when it was opened, moved or
 * taken off hold; of a peer that may send comfort noise in place of talk, and nothing for long while
 * nobody speaks (RFC 3389), RTCP will do. None for so long, while it sits in a room, is told once
 * (MEDIA_LOST), and so is the packet that ends it (MEDIA_BACK, or MEDIA_FIRST when there had been
 * none from this peer).
 */
#ifndef DATAPLANE_REPORT_H
#define DATAPLANE_REPORT_H

#include "burst.h"
#include "rtcp.h"

#include <cordboard/types.h>

struct port;
struct worker;

#define REPORT_SENT 4u /* of our last reports whose answers are believed */

/* The cold part of a port. All zero but for the name is one that has said and heard nothing. */
struct report {
	cord_time due; /* of the next; 0: not planned yet */
	char cname[RTCP_CNAME_SIZE];
	uint16_t remote_udp; /* network order; 0: none is sent */
	struct rtcp_interval interval;
	uint32_t sent[REPORT_SENT]; /* middle bits of their NTP times */
	uint32_t sent_count;
	uint32_t tx_packets[2];                /* when the last two were sent */
	uint32_t packets_before, bytes_before; /* sent in streams before this one */

	/* what the peer said of its own clock; *_at 0: nothing */
	cord_time sr_at, reference_at;
	uint32_t sr, reference, reference_ssrc;

	/* what it said of our stream */
	uint32_t blocks; /* believed */
	uint32_t lost, lost_of;
	uint32_t jitter_us;
	uint32_t round_trip_us, round_trip_max_us; /* 0: not known */
	uint16_t end_system_ms;
	uint8_t discarded;

	/* of what we receive */
	struct burst burst;
	uint32_t late_before, recovered_before; /* in streams before this one */

	/* media that is expected */
	cord_time expected; /* since when */
	cord_time rtcp_at;  /* any came; 0: none */
	uint16_t timeout_s; /* 0: never told */
	bool media_lost;    /* told */
};

/* Takes a report of the peer. */
void report_take(struct worker *w, struct port *p, const struct rtcp_summary *summary);

/* Fills what we say now, and counts it as said. bye: our last. */
void report_fill(struct worker *w, struct port *p, bool bye, struct rtcp_report *report);

/* Now and then, while the port sits in a room: sends a report when one is due, misses media. */
void report_step(struct worker *w, struct port *p);

/* From now on RTP is expected (or not any more); what was told of it counts no longer. */
static inline void report_expect(struct report *r, cord_time now_ns)
{
	r->expected = now_ns;
	r->media_lost = false;
}

/* RTP came from a peer that was not heard yet, or not for a while: tells it. */
void report_heard(struct worker *w, struct port *p);

/* Another stream of the peer begins: our figures of it do too. */
void report_begin(struct worker *w, const struct port *p);

/* `lost` frames were missing when they should have been played. */
void report_lost(struct worker *w, const struct port *p, uint32_t lost);

#endif
