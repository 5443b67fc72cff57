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
	/* RFC 5761 section 4 */
	TYPE_FIRST = 192,
	TYPE_LAST = 223,
	LOST_MAX = 0x7fffff,
	LOST_MIN = -0x800000,
	ROUND_TRIP_EARLY_US = -1000, /* two roundings and a clock that is read late */
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

/* Of several sources that say goodbye, the one is meant that the packet is from. */
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

static int read_xr(
	const uint8_t *p, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary, bool first)
{
	int error = rtcp_xr_parse(p, bytes, our_ssrc, &summary->xr);

	if (!error && first)
		summary->sender_ssrc = rtp_get32(p + 4);
	return error;
}

static int read_one(
	const uint8_t *p, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary, bool first)
{
	switch (p[1]) {
	case TYPE_SR:
	case TYPE_RR:
		return read_report(p, bytes, our_ssrc, summary);
	case TYPE_BYE:
		return read_bye(p, bytes, summary, first);
	case RTCP_XR_TYPE:
		return read_xr(p, bytes, our_ssrc, summary, first);
	default:
		return p[1] < TYPE_FIRST || p[1] > TYPE_LAST ? -EBADMSG : 0;
	}
}

/* Of one packet, with its header; 0: it does not fit. Padding ends the last, and only that. */
static size_t whole(const uint8_t *p, size_t available)
{
	if (available < HEADER_BYTES || p[0] >> 6 != 2)
		return 0;
	size_t length = 4u * (rtp_get16(p + 2) + 1u);

	if (length > available)
		return 0;
	if (p[0] & 0x20) {
		uint8_t padding = p[length - 1];

		if (length != available || padding == 0 || padding % 4 != 0 ||
			padding > length - HEADER_BYTES)
			return 0;
	}
	return length;
}

int rtcp_parse(const uint8_t *packet, size_t bytes, uint32_t our_ssrc, struct rtcp_summary *summary)
{
	struct rtcp_summary s = {0};
	size_t at = 0;

	if (bytes == 0)
		return -EBADMSG;
	while (at < bytes) {
		const uint8_t *p = packet + at;
		size_t length = whole(p, bytes - at);

		if (length == 0)
			return -EBADMSG;
		size_t used = length - (p[0] & 0x20 ? p[length - 1] : 0u);
		int error = read_one(p, used, our_ssrc, &s, at == 0);

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
	at += rtcp_xr_write(packet + at, report->ssrc, &report->xr);
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

/* ---- time ----------------------------------------------------------------------------------- */

uint64_t rtcp_interval_ns(bool first, uint32_t random)
{
	uint64_t mean = first ? RTCP_INTERVAL_NS / 2 : RTCP_INTERVAL_NS;

	/* Half to one and a half of it, divided by e - 1.5, which is 1.21828. */
	return (mean / 2 + ((mean >> 8) * random >> 24)) * 100000 / 121828;
}

uint32_t rtcp_round_trip_us(uint32_t now, uint32_t last, uint32_t delay)
{
	int64_t units = (int64_t)(uint32_t)(now - last) - delay;
	int64_t us = units * 1000000 / 65536;

	if (last == 0 || us < ROUND_TRIP_EARLY_US || us > RTCP_ROUND_TRIP_MAX_US)
		return 0;
	return us > 1 ? (uint32_t)us : 1;
}

void rtcp_cname(char cname[RTCP_CNAME_SIZE], const uint32_t random[3])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[12];

	for (unsigned i = 0; i < 3; i++)
		rtp_put32(bytes + 4 * i, random[i]);
	for (unsigned i = 0; i < RTCP_CNAME_SIZE - 1; i++) {
		unsigned bit = 6 * i;
		unsigned two = bytes[bit / 8] << 8 | (bit / 8 + 1 < 12 ? bytes[bit / 8 + 1] : 0);

		cname[i] = digits[two >> (10 - bit % 8) & 0x3f];
	}
	cname[RTCP_CNAME_SIZE - 1] = '\0';
}
