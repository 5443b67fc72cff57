/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RTCP (RFC 3550 section 6): reads what a compound packet says about one stream, writes SR or RR
 * with SDES. Pure.
 */
#ifndef RTCP_H
#define RTCP_H

#include "rtp_source.h"

#define RTCP_CNAME_MAX 64u
/* Largest packet that rtcp_write() makes. */
#define RTCP_WRITE_MAX 160u

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

/* A compound packet, as far as it concerns us. */
struct rtcp_summary {
	uint32_t sender_ssrc;
	bool has_sr;    /* the five below are valid */
	bool has_block; /* block is about our stream */
	bool bye;       /* of the sender */
	uint64_t ntp;
	uint32_t timestamp, packets, bytes;
	struct rtcp_block block;
};

/*
 * Parses a compound packet; our_ssrc selects the report block. Unknown packet types are passed
 * over. Returns 0, or -EBADMSG when it does not begin with SR or RR (BYE alone is tolerated), a
 * length does not fit, a version is not 2, or padding is not in the last packet.
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
	const char *cname; /* 1..RTCP_CNAME_MAX bytes */
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

#endif
