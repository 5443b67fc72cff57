/* SPDX-License-Identifier: Apache-2.0 */
#include "media/quality.h"

#include <cordboard/rating.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

static void near(double is, double wanted, double within)
{
	if (fabs(is - wanted) > within)
		fail_msg("%.3f, expected %.3f within %.3f", is, wanted, within);
}

static double rated(double lost, double burst, double delay_ms)
{
	const struct cord_rating in = {
		.codec = CORD_CODEC_PCMU, .lost = lost, .burst = burst, .delay_ms = delay_ms};

	return cord_rating_r(&in);
}

static struct media_leg_stats reading(uint32_t expected, uint32_t lost)
{
	return (struct media_leg_stats){
		.open = true,
		.opened_ns = 1,
		.codec = CORD_CODEC_PCMU,
		.ptime_ms = 20,
		.rx_expected = expected,
		.rx_lost = lost,
		.jitter_us = 4000,
		.buffer_ms = 40,
	};
}

static void what_is_received_is_judged_between_readings(void **state)
{
	struct quality_watch w = {0};
	struct quality_party party = {0};
	struct media_leg_stats s = reading(250, 0);

	assert_true(quality_watch_step(&w, &s, &party).from);
	near(w.from.mos, 4.38, 0.02);
	/* 60 ms, none of the network's: no report has come */
	near(w.from.delay_ms, 60, 0);
	assert_false(w.to.known);
	/* of the next 250 packets 20 are lost, and 5 come too late */
	s = reading(500, 20);
	s.rx_late = 5;
	s.missing = s.missing_stretches = 25;
	assert_true(quality_watch_step(&w, &s, &party).from);
	near(w.from.lost, 0.1, 1e-9);
	near(w.from.r, 91.6 - 95 * 10 / 35.1, 0.3);
	/* nothing new: nothing to judge */
	assert_false(quality_watch_step(&w, &s, &party).from);
	assert_int_equal(party.from.samples, 2);
	assert_int_equal(party.from.lost, 25);
	assert_int_equal(party.from.of, 500);
	near(party.from.mos_min, w.from.mos, 1e-9);
	assert_true(quality_total_mos(&party.from) > w.from.mos);
	near(party.from.jitter_max_ms, 4, 1e-9);
	assert_int_equal(party.buffer_max_ms, 40);
}

/* Lost or late, and held by the packet behind: heard all the same. */
static void what_was_recovered_was_not_lost(void **state)
{
	struct quality_watch w = {0};
	struct media_leg_stats s = reading(100, 10);

	s.rx_late = 5;
	s.recovered = 12;
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0.03, 1e-9);
	s.rx_expected += 100;
	s.rx_lost += 10;
	s.recovered += 10;
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0, 1e-9);
	near(w.from.r, rated(0, 1, w.from.delay_ms), 1e-9);
	/* a packet that was recovered before it came late */
	s.rx_expected += 100;
	s.recovered++;
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0, 1e-9);
	/* a new dataplane */
	s = reading(100, 10);
	s.opened_ns = 2;
	s.recovered = 8;
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0.02, 1e-9);
}

static void losses_in_a_row_cost_more(void **state)
{
	struct quality_watch alone = {0}, together = {0};
	struct media_leg_stats s = reading(1000, 50);

	s.missing = s.missing_stretches = 50;
	quality_watch_step(&alone, &s, NULL);
	s.missing_stretches = 10;
	quality_watch_step(&together, &s, NULL);
	assert_true(together.from.r < alone.from.r - 2);
}

static void another_stream_is_counted_from_its_start(void **state)
{
	struct quality_watch w = {0};
	struct media_leg_stats s = reading(5000, 500);

	quality_watch_step(&w, &s, NULL);
	s = reading(100, 1);
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0.01, 1e-9);
	/* a new dataplane: everything begins at 0 */
	s = reading(200, 2);
	s.opened_ns = 2;
	s.rx_late = 2;
	quality_watch_step(&w, &s, NULL);
	near(w.from.lost, 0.02, 1e-9);
}

static void what_the_peer_hears_is_judged_by_its_reports(void **state)
{
	struct quality_watch w = {0};
	struct quality_party party = {0};
	struct media_leg_stats s = reading(250, 0);

	s.peer_reports = 1;
	s.peer_lost = 10;
	s.peer_lost_of = 200;
	s.peer_jitter_us = 15000;
	s.round_trip_us = s.round_trip_max_us = 120000;
	assert_true(quality_watch_step(&w, &s, &party).to);
	near(w.to.lost, 0.05, 1e-9);
	near(w.to.jitter_ms, 15, 1e-9);
	/* half the round trip, a buffer of twice its jitter and a packet, our packet */
	near(w.to.delay_ms, 60 + 50 + 20, 1e-9);
	near(w.from.delay_ms, 60 + 40 + 20, 1e-9);
	/* no report since: not judged again, and the last one stands */
	s.rx_expected += 250;
	assert_false(quality_watch_step(&w, &s, &party).to);
	near(w.to.lost, 0.05, 1e-9);
	/* it says what its buffer does, and what came too late for it */
	s.peer_reports = 2;
	s.peer_lost_of = 400;
	s.peer_end_system_ms = 80;
	s.peer_discarded = 64;
	assert_true(quality_watch_step(&w, &s, &party).to);
	near(w.to.lost, 0.25, 1e-9);
	near(w.to.delay_ms, 60 + 80 + 20, 1e-9);
	assert_int_equal(party.to.samples, 2);
	near(party.round_trip_max_ms, 120, 1e-9);
	/* the worse direction is the party's */
	near(quality_party_mos(&party), quality_total_mos(&party.to), 1e-9);
}

static void a_leg_that_is_not_open_is_not_judged(void **state)
{
	struct quality_watch w = {0};
	struct quality_party party = {0};
	struct media_leg_stats s = reading(250, 0);

	s.open = false;
	quality_watch_step(&w, &s, &party);
	assert_int_equal(party.from.samples, 0);
	near(quality_party_mos(&party), 0, 0);
	assert_int_equal(quality_issues(&party), 0);
}

static void what_troubles_a_party_has_a_name(void **state)
{
	struct quality_party party = {.from = {.lost = 30, .of = 1000}};

	assert_int_equal(quality_issues(&party), 0);
	party.from.lost = 31;
	assert_int_equal(quality_issues(&party), QUALITY_ISSUE_LOSS);
	party.round_trip_max_ms = 301;
	party.buffer_max_ms = 101;
	assert_int_equal(quality_issues(&party), 7);
	assert_string_equal(quality_issue_name(0), "HighPacketLoss");
	assert_string_equal(quality_issue_name(1), "HighRoundTripTime");
	assert_string_equal(quality_issue_name(2), "HighJitterBuffer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_received_is_judged_between_readings),
		cmocka_unit_test(what_was_recovered_was_not_lost),
		cmocka_unit_test(losses_in_a_row_cost_more),
		cmocka_unit_test(another_stream_is_counted_from_its_start),
		cmocka_unit_test(what_the_peer_hears_is_judged_by_its_reports),
		cmocka_unit_test(a_leg_that_is_not_open_is_not_judged),
		cmocka_unit_test(what_troubles_a_party_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
