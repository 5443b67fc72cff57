/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended reports (RFC 3611): VoIP metrics (block type 7) both ways, and the two blocks by which
 * one who only receives learns the round trip: receiver reference time (4) and its answer (5). Other
 * blocks are passed over. Pure.
 */
#ifndef RTCP_XR_H
#define RTCP_XR_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_XR_TYPE 207u
/* Largest packet that rtcp_xr_write() makes. */
#define RTCP_XR_WRITE_MAX 72u
/* In place of R factors, MOS values and levels: not known. */
#define RTCP_XR_UNAVAILABLE 127u

/* How a receiver hears a stream (RFC 3611 section 4.7). */
struct rtcp_voip {
	uint32_t ssrc;          /* whose stream */
	uint8_t lost;           /* since the start, of 256 */
	uint8_t discarded;      /* came, but not in time: of 256 */
	uint8_t burst_density;  /* lost or discarded in bursts, of 256 */
	uint8_t gap_density;    /* and between them */
	uint16_t burst_ms;      /* mean length of a burst */
	uint16_t gap_ms;        /* and of what lies between */
	uint16_t round_trip_ms; /* 0: not known */
	uint16_t end_system_ms; /* delay that the receiver adds; 0: not known */
	uint8_t r_factor;       /* 0..100, RTCP_XR_UNAVAILABLE */
	uint8_t mos_lq, mos_cq; /* 10..50, RTCP_XR_UNAVAILABLE */
	uint16_t buffer_ms;     /* delay of the jitter buffer: now, */
	uint16_t buffer_max_ms; /* at most */
};

/* Of one packet, as far as it concerns us. */
struct rtcp_xr_summary {
	bool has_voip;      /* voip is about our stream */
	bool has_reference; /* the sender only receives: reference is to be answered */
	bool has_answer;    /* the two below answer our reference */
	struct rtcp_voip voip;
	uint32_t reference;                            /* middle 32 bits of the sender's NTP time */
	uint32_t last_reference, delay_last_reference; /* as LSR and DLSR */
};

/*
 * Reads the blocks of one XR packet, of `bytes` as its header says. Returns 0, or -EBADMSG when a
 * block is longer than the packet or of another length than its type has.
 */
int rtcp_xr_parse(
	const uint8_t *packet, size_t bytes, uint32_t our_ssrc, struct rtcp_xr_summary *summary);

/* What we say. All false: there is no packet. */
struct rtcp_xr_report {
	bool voip;      /* metrics of the stream that we receive */
	bool reference; /* we only receive, and want to know the round trip */
	bool answer;    /* to the reference of peer_ssrc */
	uint64_t ntp;   /* now, with `reference` */
	struct rtcp_voip metrics;
	uint32_t peer_ssrc, last_reference, delay_last_reference;
};

/* Writes an XR packet to where RTCP_XR_WRITE_MAX bytes are; returns its length, 0: none. */
size_t rtcp_xr_write(uint8_t *packet, uint32_t ssrc, const struct rtcp_xr_report *report);

#endif
