/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000ull

static enum rtp_source_verdict judge(
	struct rtp_source *s, uint32_t ssrc, unsigned n, uint64_t arrival_ns)
{
	struct rtp_header h = {.ssrc = ssrc, .sequence = (uint16_t)n, .timestamp = n * 160};

	return rtp_source_judge(s, &h, true, arrival_ns, 8000);
}

static void counts_across_the_wrap(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	assert_int_equal(rtp_source_expected(&s), 0);
	assert_int_equal(judge(&s, 1, 65000, 0), RTP_SOURCE_CHANGED);
	for (unsigned n = 1; n < 200000; n++)
		if (n % 10 != 0)
			assert_int_equal(judge(&s, 1, 65000 + n, n * 20 * MS), RTP_SOURCE_GOOD);
	assert_int_equal(rtp_source_expected(&s), 200000);
	assert_int_equal(s.received, 180001);
	assert_int_equal(s.highest - s.first, 199999);
}

static void old_packets_do_not_move_the_highest(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	judge(&s, 1, 5, 0);
	for (unsigned back = 1; back <= RTP_SOURCE_MISORDER_MAX; back++)
		assert_int_equal(judge(&s, 1, 5 - back, 0), RTP_SOURCE_GOOD);
	assert_int_equal((uint16_t)s.highest, 5);
	assert_int_equal(judge(&s, 1, 5 - RTP_SOURCE_MISORDER_MAX - 2, 0), RTP_SOURCE_STRANGE);
}

static void another_ssrc_is_taken_after_consecutive_packets(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	for (unsigned n = 0; n < 10; n++)
		judge(&s, 1, n, n * 20 * MS);
	for (unsigned n = 0; n + 1 < RTP_SOURCE_PROBATION; n++)
		assert_int_equal(judge(&s, 2, 7000 + n, 0), RTP_SOURCE_STRANGE);
	assert_int_equal(s.received, 10);
	assert_int_equal(judge(&s, 2, 7000 + RTP_SOURCE_PROBATION - 1, 0), RTP_SOURCE_CHANGED);
	assert_int_equal(s.ssrc, 2);
	assert_int_equal(s.received, 1);
	assert_int_equal(judge(&s, 2, 7000 + RTP_SOURCE_PROBATION, 0), RTP_SOURCE_GOOD);
	assert_int_equal(judge(&s, 1, 10, 0), RTP_SOURCE_STRANGE);
}

static void strays_and_alternating_senders_change_nothing(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	judge(&s, 1, 0, 0);
	for (unsigned n = 1; n < 100; n++) {
		assert_int_equal(judge(&s, 2, n, 0), RTP_SOURCE_STRANGE);
		assert_int_equal(judge(&s, 1, n, 0), RTP_SOURCE_GOOD);
	}
	/* Not consecutive, from a stream that goes on, or from many: never trusted. */
	for (unsigned n = 0; n < 100; n++)
		assert_int_equal(judge(&s, 2, n * 2, 0), RTP_SOURCE_STRANGE);
	for (unsigned n = 0; n < 100; n++)
		assert_int_equal(judge(&s, 3 + n, n, 0), RTP_SOURCE_STRANGE);
	assert_int_equal(s.ssrc, 1);
}

static void a_restarted_sender_is_taken_after_consecutive_packets(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	for (unsigned n = 0; n < 10; n++)
		judge(&s, 1, 30000 + n, 0);
	assert_int_equal(judge(&s, 1, 30009 + RTP_SOURCE_DROPOUT_MAX - 1, 0), RTP_SOURCE_GOOD);
	assert_int_equal(judge(&s, 1, 100, 0), RTP_SOURCE_STRANGE);
	assert_int_equal(judge(&s, 1, 101, 0), RTP_SOURCE_STRANGE);
	assert_int_equal(judge(&s, 1, 102, 0), RTP_SOURCE_CHANGED);
	assert_int_equal(rtp_source_expected(&s), 1);
}

static void jitter_is_that_of_rfc_3550(void **state)
{
	struct rtp_source s;

	rtp_source_init(&s);
	for (unsigned n = 0; n < 1000; n++)
		judge(&s, 1, n, 100 * MS + n * 20 * MS);
	assert_int_equal(rtp_source_jitter(&s), 0);
	/* Every second packet 4 ms late: |D| is 32 units each time. */
	for (unsigned n = 1000; n < 3000; n++)
		judge(&s, 1, n, 100 * MS + n * 20 * MS + (n & 1) * 4 * MS);
	assert_in_range(rtp_source_jitter(&s), 30, 33);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_across_the_wrap),
		cmocka_unit_test(old_packets_do_not_move_the_highest),
		cmocka_unit_test(another_ssrc_is_taken_after_consecutive_packets),
		cmocka_unit_test(strays_and_alternating_senders_change_nothing),
		cmocka_unit_test(a_restarted_sender_is_taken_after_consecutive_packets),
		cmocka_unit_test(jitter_is_that_of_rfc_3550),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
