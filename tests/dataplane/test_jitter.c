/* SPDX-License-Identifier: Apache-2.0 */
/* The jitter buffer in simulated time. */
#include "jitter_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what must hold ------------------------------------------------------------------------- */

static void an_even_path_loses_nothing_for_ten_minutes(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		for (unsigned hard = 0; hard < 8; hard++) {
			struct jitter j;
			struct path p = path_even();

			p.packets = 30000;
			p.first_ns += phase * MS + hard * 137000;
			p.noise_ns = hard & 1 ? 5 * (int64_t)MS : 0;
			p.stall_ns = hard & 2 ? 15 * MS : 0;
			p.quiet = hard & 4;
			p.seed = phase * 8 + hard;
			jitter_init(&j, 8);
			struct outcome o = path_run(&j, &p);
			path_assert_perfect(&o, p.packets);
			assert_true(o.delay_max_ns <= 65 * MS);
			if (hard == 0)
				assert_true(o.delay_max_ns <= 33 * MS);
		}
	}
}

static void sequence_and_timestamp_wrap_unnoticed(void **state)
{
	for (unsigned n = 0; n < 40; n++) {
		struct jitter j;
		struct path p = path_even();

		p.sequence = (uint16_t)(65536 - n * 16);
		p.timestamp = (uint32_t) - (int32_t)(n * 801);
		p.first_ns = 4294967296ull * 1000 - n * 17 * MS; /* microseconds wrap too */
		p.tick_ns = p.first_ns - 100 * MS;
		p.noise_ns = 5 * (int64_t)MS;
		jitter_init(&j, 8);
		struct outcome o = path_run(&j, &p);
		path_assert_perfect(&o, p.packets);
	}
}

static void every_packet_time_plays_whole_at_every_clock(void **state)
{
	static const unsigned ptimes[] = {10, 20, 30, 40, 60}, clocks[] = {8, 16, 48};

	for (unsigned i = 0; i < 15; i++) {
		for (unsigned phase = 0; phase < 40; phase++) {
			struct jitter j;
			struct path p = path_even();

			p.ptime_ms = ptimes[i % 5];
			p.clock_khz = clocks[i / 5];
			p.first_ns += phase * MS / 2;
			p.packets = 5000;
			p.noise_ns = 4 * (int64_t)MS;
			p.seed = phase;
			jitter_init(&j, (uint8_t)p.clock_khz);
			struct outcome o = path_run(&j, &p);
			path_assert_perfect(&o, p.packets);
		}
	}
}

static void drift_is_followed_where_it_is_quiet(void **state)
{
	static const int64_t drifts[] = {-1000, -300, -50, 50, 300, 1000};

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned phase = 0; phase < 20; phase += 3) {
			struct jitter j;
			struct path p = path_even();
			int64_t ms =
				600 * drifts[i]; /* ahead or behind after ten minutes, in us / ms */
			int expected = (int)(ms / 1000 / 20);

			p.packets = 30000;
			p.first_ns += phase * MS;
			p.drift_ppm = drifts[i];
			p.quiet = true;
			jitter_init(&j, 8);
			struct outcome o = path_run(&j, &p);
			assert_int_equal(o.disorder, 0);
			assert_int_equal(o.frames + o.dropped, p.packets);
			assert_true(o.delay_max_ns <= 90 * MS);
			/* A stream that ends conceals a few frames; nothing else does. */
			assert_int_equal(o.after_first, o.stretched);
			assert_int_equal(o.confirmed, o.stretched);
			assert_true(abs((int)o.dropped - (int)o.stretched - expected) <= 3);
			assert_true(expected > 0 ? o.stretched == 0 : o.dropped == 0);
		}
	}
}

static void drift_is_followed_in_endless_talk(void **state)
{
	static const int64_t drifts[] = {-500, 500};

	for (unsigned i = 0; i < 2; i++) {
		struct jitter j;
		struct path p = path_even();

		p.packets = 30000;
		p.noise_ns = 2 * (int64_t)MS;
		p.drift_ppm = drifts[i];
		jitter_init(&j, 8);
		struct outcome o = path_run(&j, &p);
		assert_int_equal(o.disorder, 0);
		assert_int_equal(o.frames + o.dropped, p.packets);
		assert_true(o.delay_max_ns <= 90 * MS);
		assert_in_range(drifts[i] > 0 ? o.dropped : o.after_first, 10, 20);
	}
}

/* Ten minutes: 120 ms ahead or behind, six frames to drop or add; nothing else is missing. */
static void a_drift_of_200_ppm_costs_six_frames(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		struct jitter j;
		struct path p = path_even();

		p.packets = 30000;
		p.noise_ns = 2 * (int64_t)MS;
		p.drift_ppm = i % 2 ? 200 : -200;
		p.quiet = i & 2;
		p.first_ns += i / 4 * 9 * MS;
		jitter_init(&j, 8);
		struct outcome o = path_run(&j, &p);
		assert_int_equal(o.disorder + o.late, 0);
		assert_int_equal(o.frames + o.dropped, p.packets);
		assert_int_equal(o.after_first, o.stretched);
		assert_in_range(o.dropped + o.stretched, 5, 7);
		assert_true(p.drift_ppm > 0 ? o.stretched == 0 : o.dropped == 0);
		assert_true(o.delay_max_ns <= 70 * MS);
	}
}

/* Ten minutes with delays from 0 to 60 ms, each packet its own: it learns in the first second. */
static void a_jitter_of_60_ms_loses_little(void **state)
{
	static const unsigned ptimes[] = {10, 20, 30, 40, 60};

	for (unsigned i = 0; i < 80; i++) {
		struct jitter j;
		struct path p = path_even();
		bool least = i >= 40; /* as if there were no jitter */

		p.ptime_ms = ptimes[i % 5];
		p.packets = 600000 / p.ptime_ms;
		p.first_ns += i % 40 * MS;
		p.noise_ns = 30 * (int64_t)MS;
		p.seed = i;
		jitter_init(&j, 8);
		jitter_bounds(&j, least ? CORD_JITTER_LEAST_MS : 0, 0);
		struct outcome o = path_run(&j, &p);
		assert_int_equal(o.disorder + o.overflow + o.reset, 0);
		assert_true(o.after_first * 1000 <= p.packets);
		assert_true(o.late * 2000 <= p.packets);
		assert_true(o.delay_max_ns <= 140 * MS);
	}
}

static void a_leg_waits_as_long_as_its_bounds_say(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		struct jitter j;
		struct path p = path_even();

		/* At least: the first frame waits, and nothing is dropped to shorten the wait. */
		p.packets = 3000;
		p.first_ns += phase * MS;
		p.noise_ns = 2 * (int64_t)MS;
		p.quiet = true;
		jitter_init(&j, 8);
		jitter_bounds(&j, 100, 0);
		struct outcome o = path_run(&j, &p);
		path_assert_perfect(&o, p.packets);
		assert_in_range(o.delay_first_ns, 100 * MS, 124 * MS);

		/* At most: stalls of 100 ms would have taught it more. */
		p = path_even();
		p.packets = 3000;
		p.first_ns += phase * MS;
		p.burst_at = 100;
		p.burst = 6;
		p.burst_every = 150;
		jitter_init(&j, 8);
		jitter_bounds(&j, 0, 60);
		o = path_run(&j, &p);
		assert_true(o.dropped > 0);
		assert_int_equal(o.disorder, 0);
		assert_true(o.delay_last_ns <= (60 + 20 + 20) * MS);
		jitter_init(&j, 8);
		jitter_bounds(&j, 0, 255);
		o = path_run(&j, &p);
		assert_true(o.delay_last_ns >= 100 * MS);
	}
}

/* On a line without jitter nothing is lost for it. */
static void a_leg_that_asks_for_the_least_delay_has_it(void **state)
{
	for (unsigned n = 0; n < 320; n++) {
		struct jitter j;
		struct path p = path_even();
		bool hard = n & 1, drifts = n & 4;

		p.packets = 30000;
		p.first_ns += n / 8 * MS / 2;
		p.noise_ns = hard ? (int64_t)MS : 0;
		p.stall_ns = hard ? 15 * MS : 0;
		p.drift_ppm = drifts ? -200 : 0;
		p.quiet = n & 2;
		p.seed = n;
		jitter_init(&j, 8);
		jitter_bounds(&j, CORD_JITTER_LEAST_MS, 0);
		struct outcome o = path_run(&j, &p);
		if (drifts) {
			assert_int_equal(o.disorder + o.late + o.dropped, 0);
			assert_int_equal(o.after_first, o.stretched);
			assert_in_range(o.stretched, 5, 7);
		} else {
			path_assert_perfect(&o, p.packets);
			assert_true(o.delay_max_ns <= (hard ? 24 + 15 : 24) * MS);
		}
	}
}

static void bounds_that_make_no_sense_are_put_right(void **state)
{
	struct jitter j;

	jitter_init(&j, 8);
	jitter_bounds(&j, 200, 50);
	assert_int_equal(j.target_ms, 50);
	jitter_bounds(&j, 1, 1);
	assert_int_equal(j.target_ms, CORD_JITTER_LEAST_MS);
	jitter_bounds(&j, 0, 8);
	assert_int_equal(j.target_ms, 8);
	jitter_bounds(&j, 0, 0);
	assert_int_equal(j.target_ms, JITTER_MIN_MS);
	jitter_bounds(&j, 200, 0);
	assert_int_equal(j.target_ms, JITTER_MAX_MS);
}

/* What forward error correction needs: the packet behind a hole, when it is there, and only then. */
static void the_packet_behind_a_hole_is_told(void **state)
{
	struct jitter j;
	struct path p = path_even();
	struct outcome o = {0};
	uint32_t handle = 0;

	p.clock_khz = 48;
	jitter_init(&j, 48);
	assert_int_equal(jitter_following(&j), 0);
	path_insert(&j, &p, 0, p.first_ns, &o);
	path_insert(&j, &p, 2, p.first_ns, &o);
	assert_int_equal(jitter_pop(&j, p.first_ns + 15 * MS, false, &handle), JITTER_FRAME);
	path_insert(&j, &p, 5, p.first_ns + 16 * MS, &o);
	assert_int_equal(handle, 1);
	assert_int_equal(jitter_following(&j), 0); /* frame 1 is missing */
	assert_int_equal(jitter_pop(&j, p.first_ns + 35 * MS, false, &handle), JITTER_CONCEAL);
	assert_int_equal(jitter_following(&j), 3);
	assert_int_equal(jitter_depth(&j), 2);
	assert_int_equal(jitter_pop(&j, p.first_ns + 55 * MS, false, &handle), JITTER_FRAME);
	assert_int_equal(handle, 3);
	assert_int_equal(jitter_pop(&j, p.first_ns + 75 * MS, false, &handle), JITTER_CONCEAL);
	assert_int_equal(jitter_following(&j), 0); /* two are missing before the next */
	assert_int_equal(jitter_pop(&j, p.first_ns + 95 * MS, false, &handle), JITTER_CONCEAL);
	assert_int_equal(jitter_following(&j), 6);
	assert_int_equal(jitter_pop(&j, p.first_ns + 115 * MS, false, &handle), JITTER_FRAME);
	assert_int_equal(jitter_pop(&j, p.first_ns + 135 * MS, false, &handle), JITTER_CONCEAL);
	assert_int_equal(jitter_following(&j), 0); /* nothing is there */
}

/* Opus: of single losses all but the first are made good by what follows, for one frame of delay. */
static void what_follows_a_loss_is_waited_for(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		struct jitter j;
		struct path p = path_even();
		struct outcome o = {0};
		unsigned helped = 0, lost = 0;

		p.clock_khz = 48;
		p.first_ns += phase * MS;
		jitter_init(&j, 48);
		jitter_recovers(&j, true);
		for (unsigned i = 0; i < 3000; i++) {
			uint64_t now = p.first_ns + i * 20 * MS;
			uint32_t handle = 0;

			if (i % 30 != 29)
				path_insert(&j, &p, i, now, &o);
			lost += i % 30 == 29;
			enum jitter_frame f = jitter_pop(&j, now + 3 * MS, false, &handle);
			helped += f == JITTER_CONCEAL && jitter_following(&j) != 0;
			o.stretched += f == JITTER_STRETCH;
			o.dropped += f == JITTER_DROP;
		}
		assert_int_equal(lost, 100);
		assert_in_range(helped, 98, 100);
		assert_int_equal(o.late + o.dropped + o.stretched, 0);
	}
}

static void a_lost_packet_costs_one_frame(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		struct jitter j;
		struct path p = path_even();

		p.packets = 5000;
		p.first_ns += phase * MS;
		p.noise_ns = 5 * (int64_t)MS;
		p.loss_per_mille = 50;
		p.seed = phase;
		jitter_init(&j, 8);
		struct outcome o = path_run(&j, &p);
		assert_int_equal(o.frames, o.taken);
		assert_int_equal(o.late + o.dropped + o.disorder + o.stretched, 0);
		assert_int_equal(o.confirmed, o.after_first);
		/* Those lost before the first and after the last frame are nobody's. */
		assert_in_range(p.packets - o.taken - o.after_first, 0, 4);
	}
}

/* Delivers packets in the order of `order`, two a tick from the second tick on, from phase 0. */
static struct outcome play_order(const int *order, unsigned count, unsigned spread_ms)
{
	struct jitter j;
	struct path p = path_even();
	struct outcome o = {0};
	unsigned stored_ms = 0, holes = 0;
	uint32_t last = 0;

	jitter_init(&j, 8);
	for (unsigned i = 0; i < count + 20; i++) {
		if (i < count)
			path_insert(&j, &p, (unsigned)order[i],
				p.first_ns + i * 20 * MS + spread_ms * MS, &o);
		path_tick(&j, &p, &o, p.first_ns + (i + 1) * 20 * MS, &stored_ms, &last, &holes);
	}
	return o;
}

static void neighbours_that_swap_play_in_order(void **state)
{
	for (unsigned at = 0; at < 8; at++) {
		struct jitter j;
		struct path p = path_even();
		struct outcome o = {0};
		unsigned stored_ms = 0, holes = 0;
		uint32_t last = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 30; i++) {
			/* The late one comes 2 ms after the next, within its slack. */
			uint64_t now = p.first_ns + i * 20 * MS;
			if (i == at + 1)
				path_insert(&j, &p, at + 1, now, &o),
					path_insert(&j, &p, at, now + 2 * MS, &o);
			else if (i != at)
				path_insert(&j, &p, i, now, &o);
			path_tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
		}
		assert_int_equal(o.disorder + o.late, 0);
		assert_int_equal(o.frames + jitter_depth(&j), 30);
	}
}

static void duplicates_are_told_before_and_after_they_played(void **state)
{
	static const int order[] = {0, 1, 1, 0, 2, 3, 2, 3, 4, 5, 0, 1, 6, 7};
	struct outcome o = play_order(order, 14, 0);

	assert_int_equal(o.duplicate, 6);
	assert_int_equal(o.taken, 8);
	assert_int_equal(o.frames, 8);
	assert_int_equal(o.disorder, 0);
}

static void one_that_comes_behind_its_turn_is_late(void **state)
{
	struct jitter j;
	struct path p = path_even();
	struct outcome o = {0};
	unsigned stored_ms = 0, holes = 0;
	uint32_t last = 0;

	jitter_init(&j, 8);
	for (unsigned i = 0; i < 40; i++) {
		uint64_t now = p.first_ns + i * 20 * MS;
		if (i != 10)
			path_insert(&j, &p, i, now, &o);
		if (i == 13)
			path_insert(&j, &p, 10, now + MS, &o);
		path_tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
	}
	assert_int_equal(o.late, 1);
	assert_int_equal(o.after_first, 1);
	assert_int_equal(o.disorder, 0);
}

static void bursts_raise_the_delay_and_quiet_lowers_it_again(void **state)
{
	struct jitter j;
	struct path p = path_even();

	p.packets = 1500;
	p.burst_at = 100;
	p.burst = 4;
	p.burst_every = 50;
	jitter_init(&j, 8);
	struct outcome o = path_run(&j, &p);
	assert_int_equal(o.disorder, 0);
	/* It learns from the first bursts and loses nothing after. */
	assert_in_range(o.after_first, 1, 6);
	assert_in_range(o.delay_last_ns, 60 * MS, 110 * MS);
	assert_int_equal(o.dropped, 0);

	p = path_even();
	p.packets = 6000;
	p.burst_at = 100;
	p.burst = 4;
	p.burst_every = 60000;
	p.quiet = true;
	jitter_init(&j, 8);
	o = path_run(&j, &p);
	assert_true(o.delay_max_ns >= 60 * MS);
	assert_true(o.delay_last_ns <= 60 * MS);
	assert_in_range(o.dropped, 1, 3);
}

static void a_talk_spurt_begins_at_its_own_time(void **state)
{
	for (unsigned gap_ms = 20; gap_ms <= 4000; gap_ms += 20) {
		struct jitter j;
		struct jitter_packet packet = {.samples = 160};
		uint64_t now = 1000 * MS;
		unsigned frames = 0, concealed = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 40; i++) {
			bool resumes = i == 20;
			uint64_t until = now + (resumes ? gap_ms + 20 : 20) * MS;
			packet.timestamp += resumes ? (gap_ms + 20) * 8 : 160;
			if (resumes)
				for (; now + 20 * MS < until; now += 20 * MS) {
					uint32_t handle = 0;
					enum jitter_frame f =
						jitter_pop(&j, now + 3 * MS, false, &handle);
					frames += f == JITTER_FRAME;
					concealed += f == JITTER_CONCEAL;
				}
			packet.marker = resumes || i == 0;
			packet.handle = i + 1;
			packet.sequence = (uint16_t)(65530 + i);
			assert_int_equal(jitter_insert(&j, &packet, now), JITTER_TAKEN);
			uint32_t handle = 0;
			enum jitter_frame f = jitter_pop(&j, now + 3 * MS, false, &handle);
			frames += f == JITTER_FRAME;
			concealed += f == JITTER_CONCEAL;
			now += 20 * MS;
		}
		assert_in_range(frames + jitter_depth(&j), 40, 40);
		assert_in_range(concealed, 0, JITTER_STARVED_MAX);
		assert_int_equal(jitter_concealed(&j), 0);
		/* What was late by being silent teaches no delay. */
		assert_int_equal(j.target_ms, JITTER_MIN_MS);
	}
}

static void events_take_numbers_but_no_time(void **state)
{
	struct jitter j;
	struct jitter_packet packet = {0};
	uint64_t now = 1000 * MS;
	unsigned frames = 0, concealed = 0;

	jitter_init(&j, 8);
	for (unsigned i = 0; i < 100; i++, now += 20 * MS) {
		bool event = i >= 30 && i < 40;
		packet = (struct jitter_packet){
			.handle = event ? 0 : i + 1,
			.sequence = (uint16_t)(i + 65500),
			.timestamp = (event ? 30 : i) * 160,
			.samples = 160,
		};
		assert_int_equal(jitter_insert(&j, &packet, now), JITTER_TAKEN);
		uint32_t handle = 0;
		enum jitter_frame f = jitter_pop(&j, now + 7 * MS, false, &handle);
		frames += f == JITTER_FRAME;
		concealed += f == JITTER_CONCEAL;
	}
	assert_int_equal(frames + jitter_depth(&j), 90);
	assert_int_equal(concealed, 0);
	assert_int_equal(j.target_ms, JITTER_MIN_MS);
}

static void a_pause_holds_and_resumes(void **state)
{
	for (unsigned pause = 7; pause < 400; pause += 7) {
		struct jitter j;
		uint64_t now = 1000 * MS;
		unsigned frames = 0, concealed = 0, sent = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 60 + pause; i++, now += 20 * MS) {
			if (i < 30 || i >= 30 + pause) {
				/* The sender stood still: its numbers go on as if nothing had been.
				 */
				struct jitter_packet packet = {.handle = sent + 1,
					.sequence = (uint16_t)sent,
					.timestamp = sent * 160,
					.samples = 160};
				sent++;
				assert_int_equal(jitter_insert(&j, &packet, now), JITTER_TAKEN);
			}
			uint32_t handle = 0;
			enum jitter_frame f = jitter_pop(&j, now + 3 * MS, false, &handle);
			frames += f == JITTER_FRAME;
			concealed += f == JITTER_CONCEAL;
		}
		assert_int_equal(frames + jitter_depth(&j), 60);
		assert_int_equal(concealed, JITTER_STARVED_MAX);
		assert_int_equal(jitter_concealed(&j), 0);
		assert_int_equal(j.target_ms, JITTER_MIN_MS);
	}
}

static void an_outage_is_counted_when_it_is_over(void **state)
{
	for (unsigned outage = 1; outage < 100; outage++) {
		struct jitter j;
		struct path p = path_even();
		struct outcome o = {0};
		unsigned stored_ms = 0, holes = 0;
		uint32_t last = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 60 + outage; i++) {
			uint64_t now = p.first_ns + i * 20 * MS;
			if (i < 30 || i >= 30 + outage)
				path_insert(&j, &p, i, now, &o);
			path_tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
		}
		assert_int_equal(
			o.confirmed, outage < JITTER_STARVED_MAX ? outage : JITTER_STARVED_MAX);
		assert_int_equal(o.frames + jitter_depth(&j), 60);
	}
}

static void sixteen_at_once_are_held(void **state)
{
	struct jitter j;
	struct path p = path_even();
	struct outcome o = {0};

	jitter_init(&j, 8);
	for (unsigned n = 0; n < JITTER_SLOTS; n++)
		path_insert(&j, &p, n, p.first_ns, &o);
	assert_int_equal(o.taken, JITTER_SLOTS);
	assert_int_equal(jitter_depth(&j), JITTER_SLOTS);
	path_insert(&j, &p, JITTER_SLOTS, p.first_ns, &o);
	assert_int_equal(o.overflow, 1);
	/* Before the talk spurt begins, a burst is trimmed to what it needs. */
	uint32_t handle = 0;
	unsigned dropped = 0;
	while (jitter_pop(&j, p.first_ns + 20 * MS, false, &handle) == JITTER_DROP)
		dropped++;
	assert_int_equal(dropped, 12);
	assert_int_equal(handle, 13);
}

static void a_jump_resets(void **state)
{
	static const uint16_t jumps[] = {40, 1000, 20000, 32767};

	for (unsigned i = 0; i < 4; i++) {
		struct jitter j;
		struct path p = path_even();
		struct outcome o = {0};

		jitter_init(&j, 8);
		path_insert(&j, &p, 0, p.first_ns, &o);
		path_insert(&j, &p, 1, p.first_ns, &o);
		path_insert(&j, &p, jumps[i], p.first_ns, &o);
		assert_int_equal(o.reset, 1);
		assert_int_equal(o.dropped, 2);
		assert_int_equal(jitter_depth(&j), 1);
	}
}

static void ticks_that_stop_reset(void **state)
{
	struct jitter j;
	struct path p = path_even();
	struct outcome o = {0};
	uint32_t handle = 0;

	jitter_init(&j, 8);
	path_insert(&j, &p, 0, p.first_ns, &o);
	assert_int_equal(jitter_pop(&j, p.first_ns + 15 * MS, false, &handle), JITTER_FRAME);
	for (unsigned n = 1; n < 100; n++)
		path_insert(&j, &p, n, p.first_ns + n * 20 * MS, &o);
	assert_true(o.reset >= 1);
	assert_true(o.overflow < 20);
}

/* Whatever comes, each handle is given back exactly once. */
static void handles_come_back_once(void **state)
{
	unsigned seed = 5;
	static uint8_t owned[1 << 16];

	for (unsigned round = 0; round < 200; round++) {
		struct jitter j;
		uint32_t handles[JITTER_SLOTS], next = 1;
		uint64_t now = path_draw(&seed) * 1000000ull;
		uint16_t sequence = (uint16_t)path_draw(&seed);
		uint32_t timestamp = path_draw(&seed) << 8;

		memset(owned, 0, sizeof(owned));
		jitter_init(&j, round % 3 ? 8 : 48);
		for (unsigned step = 0; step < 3000; step++) {
			unsigned what = path_draw(&seed) % 100;
			struct jitter_packet packet = {
				.handle = what % 9 ? next : 0,
				.sequence = (uint16_t)(sequence +
						       path_draw(&seed) % (what == 1 ? 65536 : 6)),
				.timestamp = timestamp +
					     path_draw(&seed) % (what == 2 ? 1 << 24 : 3) * 160,
				.samples = (uint16_t)(what == 3 ? path_draw(&seed) : 160),
				.marker = what == 4,
			};
			sequence++;
			timestamp += 160;
			now += path_draw(&seed) % (what == 5 ? 1000 * MS : 40 * MS);
			enum jitter_verdict v = jitter_insert(&j, &packet, now);
			if (v == JITTER_RESET) {
				for (unsigned n = jitter_flush(&j, handles); n > 0; n--)
					assert_int_equal(owned[handles[n - 1]]--, 1);
				v = jitter_insert(&j, &packet, now);
				assert_int_equal(v, JITTER_TAKEN);
			}
			if (v == JITTER_TAKEN && packet.handle != 0)
				owned[next++] = 1;
			if (what % 5 == 0)
				continue;
			uint32_t handle = 0;
			enum jitter_frame f;
			while ((f = jitter_pop(&j, now, what & 1, &handle)) == JITTER_DROP)
				assert_int_equal(owned[handle]--, 1);
			if (f == JITTER_FRAME)
				assert_int_equal(owned[handle]--, 1);
		}
		for (unsigned n = jitter_flush(&j, handles); n > 0; n--)
			assert_int_equal(owned[handles[n - 1]]--, 1);
		for (uint32_t h = 0; h < next; h++)
			assert_int_equal(owned[h], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_even_path_loses_nothing_for_ten_minutes),
		cmocka_unit_test(sequence_and_timestamp_wrap_unnoticed),
		cmocka_unit_test(every_packet_time_plays_whole_at_every_clock),
		cmocka_unit_test(drift_is_followed_where_it_is_quiet),
		cmocka_unit_test(drift_is_followed_in_endless_talk),
		cmocka_unit_test(a_drift_of_200_ppm_costs_six_frames),
		cmocka_unit_test(a_jitter_of_60_ms_loses_little),
		cmocka_unit_test(a_leg_waits_as_long_as_its_bounds_say),
		cmocka_unit_test(a_leg_that_asks_for_the_least_delay_has_it),
		cmocka_unit_test(bounds_that_make_no_sense_are_put_right),
		cmocka_unit_test(the_packet_behind_a_hole_is_told),
		cmocka_unit_test(what_follows_a_loss_is_waited_for),
		cmocka_unit_test(a_lost_packet_costs_one_frame),
		cmocka_unit_test(neighbours_that_swap_play_in_order),
		cmocka_unit_test(duplicates_are_told_before_and_after_they_played),
		cmocka_unit_test(one_that_comes_behind_its_turn_is_late),
		cmocka_unit_test(bursts_raise_the_delay_and_quiet_lowers_it_again),
		cmocka_unit_test(a_talk_spurt_begins_at_its_own_time),
		cmocka_unit_test(events_take_numbers_but_no_time),
		cmocka_unit_test(a_pause_holds_and_resumes),
		cmocka_unit_test(an_outage_is_counted_when_it_is_over),
		cmocka_unit_test(sixteen_at_once_are_held),
		cmocka_unit_test(a_jump_resets),
		cmocka_unit_test(ticks_that_stop_reset),
		cmocka_unit_test(handles_come_back_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
