/* SPDX-License-Identifier: Apache-2.0 */
#include "rtcp.h"

#include <string.h>

enum {
	TYPE_SR = 200,
	TYPE_RR = 201,
	TYPE_SDES = 202,
	TYPE_BYE = 203,
	SDES_CNAME = 1,
	HEADER_BYTES = 4,
	SENDER_BYTES = 20,
	BLOCK_BYTES = 24,
	LOST_MAX = 0x7fffff,
	LOST_MIN = -0x800000,
};

/* ---- reading -------------------------------------------------------------------------------- */

static void read_block(const uint8_t *p, struct rtcp_block *block)
{
	uint32_t lost = rtp_get32(p + 4) & 0xffffff;

	*block = (struct rtcp_block){
		.ssrc = rtp_get32(p),
		.fraction = p[4],
		.lost = (int32_t)(lost ^ 0x800000) - 0x800000,
		.highest = rtp_get32(p + 8),
		.jitter = rtp_get32(p + 12),
		.last_sr = rtp_get32(p + 16),
		.delay_last_sr = rtp_get32(p + 20),
	};
}

static int read_report(
	const uint8_t *p, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary)
{
	unsigned count = p[0] & 0x1f;
	bool sr = p[1] == TYPE_SR;
	size_t blocks = HEADER_BYTES + 4 + (sr ? SENDER_BYTES : 0);

	if (blocks + (size_t)count * BLOCK_BYTES > bytes)
		return -EBADMSG;
	summary->sender_ssrc = rtp_get32(p + 4);
	if (sr) {
		summary->has_sr = true;
		summary->ntp = (uint64_t)rtp_get32(p + 8) << 32 | rtp_get32(p + 12);
		summary->timestamp = rtp_get32(p + 16);
		summary->packets = rtp_get32(p + 20);
		summary->bytes = rtp_get32(p + 24);
	}
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *block = p + blocks + (size_t)i * BLOCK_BYTES;

		if (rtp_get32(block) == our_ssrc) {
			read_block(block, &summary->block);
			summary->has_block = true;
		}
	}
	return 0;
}

static int read_bye(const uint8_t *p, size_t bytes, struct rtcp_summary *summary, bool first)
{
	unsigned count = p[0] & 0x1f;

	if (HEADER_BYTES + 4u * count > bytes)
		return -EBADMSG;
	if (first && count > 0)
		summary->sender_ssrc = rtp_get32(p + 4);
	for (unsigned i = 0; i < count; i++)
		if (rtp_get32(p + HEADER_BYTES + 4u * i) == summary->sender_ssrc)
			summary->bye = true;
	return 0;
}

int rtcp_parse(const uint8_t *packet, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary)
{
	struct rtcp_summary s = {0};
	size_t at = 0;

	if (bytes < HEADER_BYTES + 4 || packet[1] < TYPE_SR || packet[1] > TYPE_BYE ||
		packet[1] == TYPE_SDES)
		return -EBADMSG;
	while (at < bytes) {
		const uint8_t *p = packet + at;
		if (bytes - at < HEADER_BYTES || p[0] >> 6 != 2)
			return -EBADMSG;
		size_t length = 4u * (rtp_get16(p + 2) + 1u);
		if (length > bytes - at || (p[0] & 0x20 && at + length != bytes))
			return -EBADMSG;
		int error = 0;
		if (p[1] == TYPE_SR || p[1] == TYPE_RR)
			error = read_report(p, length, our_ssrc, &s);
		else if (p[1] == TYPE_BYE)
			error = read_bye(p, length, &s, at == 0);
		if (error)
			return error;
		at += length;
	}
	*summary = s;
	return 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_header(uint8_t *p, unsigned count, uint8_t type, size_t bytes)
{
	p[0] = (uint8_t)(0x80 | count);
	p[1] = type;
	rtp_put16(p + 2, (uint16_t)(bytes / 4 - 1));
}

static size_t write_block(uint8_t *p, const struct rtcp_block *block)
{
	rtp_put32(p, block->ssrc);
	rtp_put32(p + 4, (uint32_t)block->fraction << 24 | ((uint32_t)block->lost & 0xffffff));
	rtp_put32(p + 8, block->highest);
	rtp_put32(p + 12, block->jitter);
	rtp_put32(p + 16, block->last_sr);
	rtp_put32(p + 20, block->delay_last_sr);
	return BLOCK_BYTES;
}

static size_t write_report(uint8_t *p, const struct rtcp_report *report)
{
	size_t at = HEADER_BYTES + 4;

	rtp_put32(p + 4, report->ssrc);
	if (report->sending) {
		rtp_put32(p + 8, (uint32_t)(report->ntp >> 32));
		rtp_put32(p + 12, (uint32_t)report->ntp);
		rtp_put32(p + 16, report->timestamp);
		rtp_put32(p + 20, report->packets);
		rtp_put32(p + 24, report->bytes);
		at += SENDER_BYTES;
	}
	if (report->receiving)
		at += write_block(p + at, &report->block);
	write_header(p, report->receiving, report->sending ? TYPE_SR : TYPE_RR, at);
	return at;
}

static size_t write_sdes(uint8_t *p, uint32_t ssrc, const char *cname, size_t length)
{
	/* At least one null byte ends the items, more fill up to 32 bits. */
	size_t bytes = (HEADER_BYTES + 4 + 2 + length + 4) & ~(size_t)3;

	memset(p, 0, bytes);
	write_header(p, 1, TYPE_SDES, bytes);
	rtp_put32(p + 4, ssrc);
	p[8] = SDES_CNAME;
	p[9] = (uint8_t)length;
	memcpy(p + 10, cname, length);
	return bytes;
}

static size_t write_bye(uint8_t *p, uint32_t ssrc)
{
	write_header(p, 1, TYPE_BYE, HEADER_BYTES + 4);
	rtp_put32(p + 4, ssrc);
	return HEADER_BYTES + 4;
}

int rtcp_write(uint8_t *packet, size_t size, const struct rtcp_report *report)
{
	size_t length = report->cname ? strnlen(report->cname, RTCP_CNAME_MAX + 1) : 0;

	if (size < RTCP_WRITE_MAX || length == 0 || length > RTCP_CNAME_MAX)
		return -EINVAL;
	size_t at = write_report(packet, report);
	at += write_sdes(packet + at, report->ssrc, report->cname, length);
	if (report->bye)
		at += write_bye(packet + at, report->ssrc);
	return (int)at;
}

void rtcp_block_from_source(
	struct rtcp_block *block, struct rtcp_interval *interval, const struct rtp_source *s)
{
	uint32_t expected = rtp_source_expected(s);
	int64_t lost = (int64_t)expected - s->received;
	int32_t expected_now = (int32_t)(expected - interval->expected);
	int32_t lost_now = expected_now - (int32_t)(s->received - interval->received);

	block->ssrc = s->ssrc;
	block->highest = s->highest - 0x10000;
	block->jitter = rtp_source_jitter(s);
	block->lost = (int32_t)(lost > LOST_MAX ? LOST_MAX : lost < LOST_MIN ? LOST_MIN : lost);
	block->fraction = 0;
	if (expected_now > 0 && lost_now > 0)
		block->fraction =
			(uint8_t)(lost_now >= expected_now ? 255 : lost_now * 256ll / expected_now);
	*interval = (struct rtcp_interval){.expected = expected, .received = s->received};
}
