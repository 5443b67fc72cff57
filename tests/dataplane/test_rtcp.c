/* SPDX-License-Identifier: Apache-2.0 */
#include "rtcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct rtcp_report full = {
	.ssrc = 0x11111111,
	.sending = true,
	.receiving = true,
	.bye = true,
	.ntp = 0x0123456789abcdefull,
	.timestamp = 1600,
	.packets = 10,
	.bytes = 1600,
	.block = {.ssrc = 0x22222222,
		.highest = 0x00012345,
		.jitter = 17,
		.last_sr = 0x456789ab,
		.delay_last_sr = 65536,
		.lost = -3,
		.fraction = 128},
	.cname = "cordboard@example.invalid",
};

static void reads_what_it_writes(void **state)
{
	uint8_t packet[RTCP_WRITE_MAX];
	struct rtcp_summary s;
	int bytes = rtcp_write(packet, sizeof(packet), &full);

	assert_true(bytes > 0 && bytes % 4 == 0);
	assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x22222222, &s), 0);
	assert_int_equal(s.sender_ssrc, full.ssrc);
	assert_true(s.has_sr && s.has_block && s.bye);
	assert_true(s.ntp == full.ntp);
	assert_int_equal(s.timestamp, full.timestamp);
	assert_int_equal(s.packets, full.packets);
	assert_int_equal(s.bytes, full.bytes);
	assert_int_equal(s.block.ssrc, full.block.ssrc);
	assert_int_equal(s.block.highest, full.block.highest);
	assert_int_equal(s.block.jitter, full.block.jitter);
	assert_int_equal(s.block.last_sr, full.block.last_sr);
	assert_int_equal(s.block.delay_last_sr, full.block.delay_last_sr);
	assert_int_equal(s.block.lost, full.block.lost);
	assert_int_equal(s.block.fraction, full.block.fraction);
	assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x33333333, &s), 0);
	assert_false(s.has_block);
}

static void writes_every_shape(void **state)
{
	char cname[RTCP_CNAME_MAX + 2];

	for (unsigned shape = 0; shape < 8; shape++) {
		for (size_t length = 0; length <= RTCP_CNAME_MAX + 1; length++) {
			struct rtcp_report report = full;
			uint8_t packet[RTCP_WRITE_MAX];
			struct rtcp_summary s;

			memset(cname, 'c', length);
			cname[length] = '\0';
			report.cname = cname;
			report.sending = shape & 1;
			report.receiving = shape & 2;
			report.bye = shape & 4;
			int bytes = rtcp_write(packet, sizeof(packet), &report);
			if (length == 0 || length > RTCP_CNAME_MAX) {
				assert_int_equal(bytes, -EINVAL);
				continue;
			}
			assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x22222222, &s), 0);
			assert_int_equal(s.has_sr, report.sending);
			assert_int_equal(s.has_block, report.receiving);
			assert_int_equal(s.bye, report.bye);
		}
	}
	assert_int_equal(rtcp_write((uint8_t[8]){0}, 8, &full), -EINVAL);
}

static void no_cut_or_changed_packet_is_read_beyond_its_end(void **state)
{
	uint8_t whole[RTCP_WRITE_MAX];
	struct rtcp_summary s;
	size_t bytes = (size_t)rtcp_write(whole, sizeof(whole), &full);

	for (size_t cut = 0; cut < bytes; cut++) {
		uint8_t *packet = malloc(cut ? cut : 1);

		memcpy(packet, whole, cut);
		int got = rtcp_parse(packet, cut, 0, &s);
		/* Only whole packets of the compound are a good prefix. */
		assert_int_equal(got, cut == 52 || cut == bytes - 8 ? 0 : -EBADMSG);
		free(packet);
	}
	for (size_t at = 0; at < bytes; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t *packet = malloc(bytes);

			memcpy(packet, whole, bytes);
			packet[at] = (uint8_t)value;
			rtcp_parse(packet, bytes, 0x22222222, &s);
			free(packet);
		}
	}
}

static void loss_of_an_interval_is_a_fraction(void **state)
{
	struct rtp_source s = {
		.ssrc = 9, .started = 1, .first = 0x10000, .highest = 0x10063, .received = 75};
	struct rtcp_interval interval = {0};
	struct rtcp_block block = {0};

	rtcp_block_from_source(&block, &interval, &s);
	assert_int_equal(block.ssrc, 9);
	assert_int_equal(block.highest, 0x63);
	assert_int_equal(block.lost, 25);
	assert_int_equal(block.fraction, 64);
	s.highest += 100;
	s.received += 110;
	rtcp_block_from_source(&block, &interval, &s);
	assert_int_equal(block.lost, 15);
	assert_int_equal(block.fraction, 0);
	s.highest += 100;
	rtcp_block_from_source(&block, &interval, &s);
	assert_int_equal(block.fraction, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(writes_every_shape),
		cmocka_unit_test(no_cut_or_changed_packet_is_read_beyond_its_end),
		cmocka_unit_test(loss_of_an_interval_is_a_fraction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
