/* SPDX-License-Identifier: Apache-2.0 */
#include "rtcp_xr.h"

#include "burst.h"
#include "rtp.h"

#include <string.h>

enum {
	REFERENCE = 4,
	ANSWER = 5,
	VOIP = 7,
	HEADER_BYTES = 8, /* of the packet, with the sender's SSRC */
	BLOCK_HEADER_BYTES = 4,
	REFERENCE_BYTES = 12,
	ANSWER_ENTRY_BYTES = 12,
	VOIP_BYTES = 36,
	/* Concealment of our own kind, an adaptive buffer (RFC 3611 section 4.7.6). */
	CONFIGURATION = 2 << 6 | 3 << 4,
};

/* ---- reading -------------------------------------------------------------------------------- */

static void read_voip(const uint8_t *p, struct rtcp_voip *v)
{
	*v = (struct rtcp_voip){
		.ssrc = rtp_get32(p + 4),
		.lost = p[8],
		.discarded = p[9],
		.burst_density = p[10],
		.gap_density = p[11],
		.burst_ms = rtp_get16(p + 12),
		.gap_ms = rtp_get16(p + 14),
		.round_trip_ms = rtp_get16(p + 16),
		.end_system_ms = rtp_get16(p + 18),
		.r_factor = p[24],
		.mos_lq = p[26],
		.mos_cq = p[27],
		.buffer_ms = rtp_get16(p + 30),
		.buffer_max_ms = rtp_get16(p + 32),
	};
}

static int read_answer(const uint8_t *p, size_t bytes, uint32_t our_ssrc, struct rtcp_xr_summary *s)
{
	if ((bytes - BLOCK_HEADER_BYTES) % ANSWER_ENTRY_BYTES != 0)
		return -EBADMSG;
	for (size_t at = BLOCK_HEADER_BYTES; at < bytes; at += ANSWER_ENTRY_BYTES) {
		if (rtp_get32(p + at) != our_ssrc)
			continue;
		s->has_answer = true;
		s->last_reference = rtp_get32(p + at + 4);
		s->delay_last_reference = rtp_get32(p + at + 8);
	}
	return 0;
}

static int read_block(const uint8_t *p, size_t bytes, uint32_t our_ssrc, struct rtcp_xr_summary *s)
{
	switch (p[0]) {
	case REFERENCE:
		if (bytes != REFERENCE_BYTES)
			return -EBADMSG;
		s->has_reference = true;
		s->reference = rtp_get32(p + 4) << 16 | rtp_get32(p + 8) >> 16;
		return 0;
	case ANSWER:
		return read_answer(p, bytes, our_ssrc, s);
	case VOIP:
		if (bytes != VOIP_BYTES)
			return -EBADMSG;
		if (rtp_get32(p + 4) == our_ssrc) {
			s->has_voip = true;
			read_voip(p, &s->voip);
		}
		return 0;
	default:
		return 0;
	}
}

int rtcp_xr_parse(
	const uint8_t *packet, size_t bytes, uint32_t our_ssrc, struct rtcp_xr_summary *summary)
{
	struct rtcp_xr_summary s = *summary;

	if (bytes < HEADER_BYTES)
		return -EBADMSG;
	for (size_t at = HEADER_BYTES; at < bytes;) {
		const uint8_t *p = packet + at;

		if (bytes - at < BLOCK_HEADER_BYTES)
			return -EBADMSG;
		size_t length = 4u * (rtp_get16(p + 2) + 1u);
		if (length > bytes - at)
			return -EBADMSG;
		int error = read_block(p, length, our_ssrc, &s);
		if (error)
			return error;
		at += length;
	}
	*summary = s;
	return 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static size_t write_block_header(uint8_t *p, uint8_t type, size_t bytes)
{
	memset(p, 0, bytes);
	p[0] = type;
	rtp_put16(p + 2, (uint16_t)(bytes / 4 - 1));
	return bytes;
}

static size_t write_reference(uint8_t *p, uint64_t ntp)
{
	size_t bytes = write_block_header(p, REFERENCE, REFERENCE_BYTES);

	rtp_put32(p + 4, (uint32_t)(ntp >> 32));
	rtp_put32(p + 8, (uint32_t)ntp);
	return bytes;
}

static size_t write_answer(uint8_t *p, const struct rtcp_xr_report *report)
{
	size_t bytes = write_block_header(p, ANSWER, BLOCK_HEADER_BYTES + ANSWER_ENTRY_BYTES);

	rtp_put32(p + 4, report->peer_ssrc);
	rtp_put32(p + 8, report->last_reference);
	rtp_put32(p + 12, report->delay_last_reference);
	return bytes;
}

static size_t write_voip(uint8_t *p, const struct rtcp_voip *v)
{
	size_t bytes = write_block_header(p, VOIP, VOIP_BYTES);

	rtp_put32(p + 4, v->ssrc);
	p[8] = v->lost;
	p[9] = v->discarded;
	p[10] = v->burst_density;
	p[11] = v->gap_density;
	rtp_put16(p + 12, v->burst_ms);
	rtp_put16(p + 14, v->gap_ms);
	rtp_put16(p + 16, v->round_trip_ms);
	rtp_put16(p + 18, v->end_system_ms);
	p[20] = RTCP_XR_UNAVAILABLE; /* signal level */
	p[21] = RTCP_XR_UNAVAILABLE; /* noise level */
	p[22] = RTCP_XR_UNAVAILABLE; /* residual echo return loss */
	p[23] = BURST_GMIN;
	p[24] = v->r_factor;
	p[25] = RTCP_XR_UNAVAILABLE; /* R factor of an external network */
	p[26] = v->mos_lq;
	p[27] = v->mos_cq;
	p[28] = CONFIGURATION;
	rtp_put16(p + 30, v->buffer_ms);
	rtp_put16(p + 32, v->buffer_max_ms);
	rtp_put16(p + 34, v->buffer_max_ms);
	return bytes;
}

size_t rtcp_xr_write(uint8_t *packet, uint32_t ssrc, const struct rtcp_xr_report *report)
{
	size_t at = HEADER_BYTES;

	if (report->reference)
		at += write_reference(packet + at, report->ntp);
	if (report->answer)
		at += write_answer(packet + at, report);
	if (report->voip)
		at += write_voip(packet + at, &report->metrics);
	if (at == HEADER_BYTES)
		return 0;
	packet[0] = 0x80;
	packet[1] = RTCP_XR_TYPE;
	rtp_put16(packet + 2, (uint16_t)(at / 4 - 1));
	rtp_put32(packet + 4, ssrc);
	return at;
}
