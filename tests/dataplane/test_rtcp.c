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

static const struct rtcp_xr_report extended = {
	.voip = true,
	.reference = true,
	.answer = true,
	.ntp = 0x0123456789abcdefull,
	.metrics = {.ssrc = 0x22222222,
		.lost = 13,
		.discarded = 2,
		.burst_density = 100,
		.gap_density = 3,
		.burst_ms = 120,
		.gap_ms = 30000,
		.round_trip_ms = 250,
		.end_system_ms = 60,
		.r_factor = RTCP_XR_UNAVAILABLE,
		.mos_lq = 41,
		.mos_cq = 40,
		.buffer_ms = 40,
		.buffer_max_ms = 120},
	.peer_ssrc = 0x22222222,
	.last_reference = 77,
	.delay_last_reference = 78,
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
	struct rtcp_report report = full;

	report.xr = extended;
	size_t bytes = (size_t)rtcp_write(whole, sizeof(whole), &report);

	for (size_t cut = 0, end = 0; cut < bytes; cut++) {
		uint8_t *packet = malloc(cut ? cut : 1);

		/* Only whole packets of the compound are a good prefix. */
		if (cut > end)
			end += 4u * (rtp_get16(whole + end + 2) + 1u);
		memcpy(packet, whole, cut);
		assert_int_equal(rtcp_parse(packet, cut, 0, &s), cut && cut == end ? 0 : -EBADMSG);
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

static void packets_of_reduced_size_are_read(void **state)
{
	/* generic feedback, alone (RFC 4585), and a goodbye, alone */
	static const uint8_t feedback[] = {0x81, 205, 0, 3, 0, 0, 0, 9, 0, 0, 0, 8, 0, 1, 0, 0};
	static const uint8_t bye[] = {0x81, 203, 0, 1, 0, 0, 0, 9};
	static const uint8_t media[] = {0x80, 128, 0, 1, 0, 0, 0, 9};
	static const uint8_t padded[] = {
		0x81, 203, 0, 1, 0, 0, 0, 9, 0xa0, 201, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4};
	uint8_t wrong[sizeof(padded)];
	struct rtcp_summary s;

	assert_int_equal(rtcp_parse(feedback, sizeof(feedback), 8, &s), 0);
	assert_false(s.has_block || s.bye);
	assert_int_equal(rtcp_parse(bye, sizeof(bye), 8, &s), 0);
	assert_true(s.bye);
	assert_int_equal(s.sender_ssrc, 9);
	assert_int_equal(rtcp_parse(media, sizeof(media), 8, &s), -EBADMSG);
	assert_int_equal(rtcp_parse(padded, sizeof(padded), 8, &s), 0);
	for (unsigned padding = 0; padding < 256; padding++) {
		memcpy(wrong, padded, sizeof(wrong));
		wrong[sizeof(wrong) - 1] = (uint8_t)padding;
		/* 8: nothing is left of the receiver report but its header */
		assert_int_equal(
			rtcp_parse(wrong, sizeof(wrong), 8, &s), padding == 4 ? 0 : -EBADMSG);
	}
}

static void extended_reports_say_what_they_said(void **state)
{
	uint8_t packet[RTCP_WRITE_MAX];
	struct rtcp_summary s;
	struct rtcp_report report = full;

	report.xr = extended;
	int bytes = rtcp_write(packet, sizeof(packet), &report);

	assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x22222222, &s), 0);
	assert_true(s.xr.has_voip && s.xr.has_reference && s.xr.has_answer);
	assert_int_equal(s.xr.reference, 0x456789ab);
	assert_int_equal(s.xr.last_reference, 77);
	assert_int_equal(s.xr.delay_last_reference, 78);
	assert_memory_equal(&s.xr.voip, &extended.metrics, sizeof(s.xr.voip));
	/* what is about others is passed over */
	assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x33333333, &s), 0);
	assert_false(s.xr.has_voip || s.xr.has_answer);
	assert_true(s.xr.has_reference);
	for (unsigned shape = 0; shape < 8; shape++) {
		report.xr = extended;
		report.xr.voip = shape & 1;
		report.xr.reference = shape & 2;
		report.xr.answer = shape & 4;
		bytes = rtcp_write(packet, sizeof(packet), &report);
		assert_true(bytes > 0 && bytes <= (int)RTCP_WRITE_MAX);
		assert_int_equal(rtcp_parse(packet, (size_t)bytes, 0x22222222, &s), 0);
		assert_int_equal(s.xr.has_voip, report.xr.voip);
		assert_int_equal(s.xr.has_reference, report.xr.reference);
		assert_int_equal(s.xr.has_answer, report.xr.answer);
		assert_true(s.bye && s.has_block);
	}
}

static void blocks_of_a_wrong_length_are_refused(void **state)
{
	uint8_t packet[RTCP_XR_WRITE_MAX + 64];
	size_t bytes = rtcp_xr_write(packet, 1, &extended);

	assert_true(bytes > 0 && bytes <= RTCP_XR_WRITE_MAX);
	/* the first block says that it is longer or shorter than such a one is */
	for (uint16_t words = 0; words < 20; words++) {
		struct rtcp_xr_summary s = {0};
		uint8_t changed[sizeof(packet)];

		memcpy(changed, packet, bytes);
		rtp_put16(changed + 10, words);
		assert_int_equal(
			rtcp_xr_parse(changed, bytes, 0x22222222, &s), words == 2 ? 0 : -EBADMSG);
	}
}

static void reports_leave_at_random_times_of_five_seconds_on_average(void **state)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < 1000; i++)
		sum += rtcp_interval_ns(false, i * 4294967u);
	/* the mean of 5 s is divided by 1.21828, since others who leave would make us wait anew */
	assert_in_range(sum / 1000, 4100000000u, 4110000000u);
	assert_in_range(rtcp_interval_ns(false, 0), 2050000000u, 2053000000u);
	assert_in_range(rtcp_interval_ns(false, UINT32_MAX), 6150000000u, 6157000000u);
	assert_true(rtcp_interval_ns(true, 12345) * 2 <= rtcp_interval_ns(false, 12345) + 2);
	assert_in_range(rtcp_interval_ns(true, 0), 1025000000u, 1027000000u);
}

static void round_trips_are_believed_in_range(void **state)
{
	const struct {
		uint32_t now, last, delay, us;
	} rows[] = {
		/* the example of RFC 3550 section 6.4.1, figure 2: 6.125 s */
		{0xb7108000, 0xb7052000, 0x00054000, 6125000},
		{0x00000100, 0xffffff00, 0, 7812},       /* across the wrap: 512 / 65536 s */
		{0x00010000, 0x00008000, 0x00008000, 1}, /* at once: known, so not 0 */
		{0x00010000, 0x00008000, 0x00008020, 1}, /* a little early: clocks are read late */
		{0x00010000, 0x00008000, 0x00009000, 0}, /* an answer from before the question */
		{0x00010000, 0, 0, 0},                   /* there was no report */
		{0x000b0000, 0x00010000, 0, 10000000},
		{0x000b0100, 0x00010000, 0, 0}, /* longer than anybody would talk */
		{0x00010000, 0x00020000, 0, 0}, /* of the future */
		{0x00010000, 0x00008000, 0xffffffff, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			rtcp_round_trip_us(rows[i].now, rows[i].last, rows[i].delay), rows[i].us);
}

static void a_name_is_96_bits_as_text(void **state)
{
	char name[RTCP_CNAME_SIZE];

	rtcp_cname(name, (const uint32_t[]){0, 0, 0});
	assert_string_equal(name, "AAAAAAAAAAAAAAAA");
	rtcp_cname(name, (const uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff});
	assert_string_equal(name, "////////////////");
	/* "Many hands m" as base64 says it (RFC 4648) */
	rtcp_cname(name, (const uint32_t[]){0x4d616e79, 0x2068616e, 0x6473206d});
	assert_string_equal(name, "TWFueSBoYW5kcyBt");
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
		cmocka_unit_test(packets_of_reduced_size_are_read),
		cmocka_unit_test(extended_reports_say_what_they_said),
		cmocka_unit_test(blocks_of_a_wrong_length_are_refused),
		cmocka_unit_test(reports_leave_at_random_times_of_five_seconds_on_average),
		cmocka_unit_test(round_trips_are_believed_in_range),
		cmocka_unit_test(a_name_is_96_bits_as_text),
		cmocka_unit_test(loss_of_an_interval_is_a_fraction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
