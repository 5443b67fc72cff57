/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RTCP (RFC 3550 section 6): reads what a packet says about one stream, writes SR or RR with SDES
 * and, where wanted, an extended report (RFC 3611, rtcp_xr.h) and BYE. Pure.
 */
#ifndef RTCP_H
#define RTCP_H

#include "rtcp_xr.h"
#include "rtp_source.h"

#define RTCP_CNAME_MAX 64u
/* Largest packet that rtcp_write() makes. */
#define RTCP_WRITE_MAX 256u
/* A text of 96 random bits (RFC 7022 section 4.2) and its end. */
#define RTCP_CNAME_SIZE 17u
/* Mean time between reports (RFC 3550 section 6.2), of which the first waits half. */
#define RTCP_INTERVAL_NS 5000000000ull

/* What a receiver says about a stream. */
struct rtcp_block {
	uint32_t ssrc;          /* whose stream */
	uint32_t highest;       /* extended highest sequence number */
	uint32_t jitter;        /* RTP clock units */
	uint32_t last_sr;       /* middle 32 bits of the NTP time of the last SR; 0: none */
	uint32_t delay_last_sr; /* 1/65536 s since it came */
	int32_t lost;           /* 24 bits, may be negative */
	uint8_t fraction;       /* lost since the last report, of 256 */
};

/* A packet, as far as it concerns us. */
struct rtcp_summary {
	uint32_t sender_ssrc;
	bool has_sr;    /* the four below are valid */
	bool has_block; /* block is about our stream */
	bool bye;       /* of the sender */
	uint64_t ntp;
	uint32_t timestamp, packets, bytes;
	struct rtcp_block block;
	struct rtcp_xr_summary xr;
};

/*
 * Parses a compound packet, or one of reduced size (RFC 5506); our_ssrc selects what is about us.
 * Unknown packet types are passed over. Returns 0, or -EBADMSG when a length does not fit, a
 * version is not 2, padding is not in the last packet, or one is of no RTCP type.
 */
int rtcp_parse(
	const uint8_t *packet, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary);

/* What we say of ourselves. */
struct rtcp_report {
	uint32_t ssrc;
	bool sending;   /* SR; otherwise RR */
	bool receiving; /* block is added */
	bool bye;
	uint64_t ntp; /* now, NTP format */
	uint32_t timestamp, packets, bytes;
	struct rtcp_block block;
	struct rtcp_xr_report xr; /* nothing in it: no extended report */
	const char *cname;        /* 1..RTCP_CNAME_MAX bytes */
};

/* Writes a compound packet; returns its length, or -EINVAL (size below RTCP_WRITE_MAX, cname). */
int rtcp_write(uint8_t *packet, size_t size, const struct rtcp_report *report);

/* The figures of the last report, for the fraction lost in the interval. All zero at the start. */
struct rtcp_interval {
	uint32_t expected, received;
};

/*
 * Fills highest, jitter, lost and fraction of a block from a source (RFC 3550 appendix A.3) and
 * begins a new interval.
 */
void rtcp_block_from_source(
	struct rtcp_block *block, struct rtcp_interval *interval, const struct rtp_source *s);

/*
 * Time to the next report, with two members and so few bytes that the minimum counts: randomised
 * and corrected as RFC 3550 section 6.3.1 says, so 2.05 to 6.16 s, and half of it at the start.
 */
uint64_t rtcp_interval_ns(bool first, uint32_t random);

/*
 * Round trip in microseconds (RFC 3550 section 6.4.1): `now`, and what a report says of the one
 * that it answers, as middle 32 bits of NTP time. 0: not to be believed (none, more than
 * RTCP_ROUND_TRIP_MAX_US, an answer from before the question).
 */
#define RTCP_ROUND_TRIP_MAX_US 10000000u
uint32_t rtcp_round_trip_us(uint32_t now, uint32_t last, uint32_t delay);

/* Makes a CNAME of 96 random bits. */
void rtcp_cname(char cname[RTCP_CNAME_SIZE], const uint32_t random[3]);

#endif
