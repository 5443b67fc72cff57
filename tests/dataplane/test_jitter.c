/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jitter buffer in simulated time: a path delivers packets, a worker reads them and ticks, with
 * phase, noise, stalls, drift and loss as told.
 */
#include "jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MS 1000000ull

/* ---- a path and a worker -------------------------------------------------------------------- */

struct path {
	uint64_t first_ns; /* the first packet leaves */
	uint64_t tick_ns;  /* the first tick */
	int64_t noise_ns;  /* of arrivals, to both sides */
	uint64_t stall_ns; /* most that a tick is late */
	int64_t drift_ppm; /* sender's clock faster than ours */
	unsigned loss_per_mille;
	unsigned ptime_ms, clock_khz;
	unsigned packets;
	uint16_t sequence;
	uint32_t timestamp;
	bool quiet;
	unsigned seed;
	/* a burst: packets from burst_at on come together with burst_at + burst - 1 */
	unsigned burst_at, burst, burst_every;
};

struct outcome {
	unsigned frames, concealed, stretched, silent, dropped;
	unsigned taken, late, duplicate, overflow, reset;
	unsigned after_first; /* concealed, stretched or silent between the first frame and the last
			       */
	unsigned disorder;
	unsigned confirmed; /* by jitter_concealed() */
	unsigned depth_max;
	uint64_t delay_first_ns, delay_last_ns; /* from leaving to the tick that plays */
	uint64_t delay_max_ns;
};

static uint32_t draw(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint64_t leaves(const struct path *p, unsigned n)
{
	int64_t step = (int64_t)(p->ptime_ms * MS);

	return p->first_ns + (uint64_t)((int64_t)n * (step - step * p->drift_ppm / 1000000));
}

/* Arrival times; 0: lost. */
static uint64_t *arrivals(const struct path *p)
{
	uint64_t *at = calloc(p->packets, sizeof(*at));
	unsigned seed = p->seed;

	for (unsigned n = 0; n < p->packets; n++) {
		unsigned from = n;
		if (p->burst != 0 && n >= p->burst_at) {
			unsigned in =
				(n - p->burst_at) % (p->burst_every ? p->burst_every : UINT16_MAX);
			if (in < p->burst)
				from = n - in + p->burst - 1;
		}
		at[n] = leaves(p, from) + n - from + p->burst;
		if (p->noise_ns != 0)
			at[n] += (uint64_t)((
				int64_t)(draw(&seed) % (uint64_t)(2 * p->noise_ns + 1)));
		if (draw(&seed) % 1000 < p->loss_per_mille)
			at[n] = 0;
	}
	return at;
}

static void insert(
	struct jitter *j, const struct path *p, unsigned n, uint64_t now, struct outcome *o)
{
	struct jitter_packet packet = {
		.handle = n + 1,
		.sequence = (uint16_t)(p->sequence + n),
		.timestamp = p->timestamp + n * p->ptime_ms * p->clock_khz,
		.samples = (uint16_t)(p->ptime_ms * p->clock_khz),
		.marker = n == 0,
	};
	uint32_t flushed[JITTER_SLOTS];

	switch (jitter_insert(j, &packet, now)) {
	case JITTER_TAKEN:
		o->taken++;
		break;
	case JITTER_LATE:
		o->late++;
		break;
	case JITTER_DUPLICATE:
		o->duplicate++;
		break;
	case JITTER_OVERFLOW:
		o->overflow++;
		break;
	case JITTER_RESET:
		o->reset++;
		o->dropped += jitter_flush(j, flushed);
		assert_int_equal(jitter_insert(j, &packet, now), JITTER_TAKEN);
		break;
	}
	if (jitter_depth(j) > o->depth_max)
		o->depth_max = jitter_depth(j);
}

static void played(const struct path *p, struct outcome *o, uint32_t handle, uint64_t due,
	uint32_t *last, unsigned *holes)
{
	uint64_t delay = due - leaves(p, handle - 1);

	if (o->frames++ == 0)
		o->delay_first_ns = delay;
	else
		o->after_first += *holes;
	*holes = 0;
	o->disorder += handle <= *last;
	*last = handle;
	o->delay_last_ns = delay;
	if (delay > o->delay_max_ns)
		o->delay_max_ns = delay;
}

/* One tick: pops until a whole period of sound is there. */
static void tick(struct jitter *j, const struct path *p, struct outcome *o, uint64_t due,
	unsigned *stored_ms, uint32_t *last, unsigned *holes)
{
	while (*stored_ms < 20) {
		uint32_t handle = 0;
		enum jitter_frame frame = jitter_pop(j, due, p->quiet, &handle);

		o->confirmed += jitter_concealed(j);
		if (frame == JITTER_DROP) {
			assert_int_not_equal(handle, 0);
			o->dropped++;
			continue;
		}
		*stored_ms += p->ptime_ms;
		if (frame == JITTER_FRAME) {
			assert_int_not_equal(handle, 0);
			played(p, o, handle, due, last, holes);
			continue;
		}
		assert_int_equal(handle, 0);
		*holes += 1;
		o->concealed += frame == JITTER_CONCEAL;
		o->stretched += frame == JITTER_STRETCH;
		o->silent += frame == JITTER_SILENCE;
	}
	*stored_ms -= 20;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = *(const uint64_t *const *)a, *y = *(const uint64_t *const *)b;

	return *x != *y ? (*x < *y ? -1 : 1) : (x < y ? -1 : 1);
}

static struct outcome run(struct jitter *j, const struct path *p)
{
	uint64_t *at = arrivals(p);
	uint64_t **order = calloc(p->packets, sizeof(*order));
	struct outcome o = {0};
	unsigned seed = p->seed + 77, next = 0, stored_ms = 0, holes = 0;
	uint32_t last = 0;
	uint64_t end = leaves(p, p->packets) + 400 * MS;

	for (unsigned n = 0; n < p->packets; n++)
		order[n] = &at[n];
	qsort(order, p->packets, sizeof(*order), by_time);
	for (uint64_t due = p->tick_ns; due < end; due += 20 * MS) {
		uint64_t stall = p->stall_ns ? draw(&seed) * 64ull % p->stall_ns : 0;
		uint64_t ran = due + stall;

		/* What came before the worker was late is read in time, the rest when it runs
		 * again. */
		for (; next < p->packets && *order[next] <= ran; next++) {
			uint64_t came = *order[next];
			if (came != 0)
				insert(j, p, (unsigned)(order[next] - at), came < due ? came : ran,
					&o);
		}
		tick(j, p, &o, due, &stored_ms, &last, &holes);
	}
	o.dropped += jitter_depth(j);
	free(order);
	free(at);
	return o;
}

static struct path even_path(void)
{
	return (struct path){
		.first_ns = 5000 * MS,
		.tick_ns = 4900 * MS,
		.ptime_ms = 20,
		.clock_khz = 8,
		.packets = 500,
		.sequence = 100,
		.timestamp = 1000,
	};
}

static void assert_perfect(const struct outcome *o, unsigned packets)
{
	assert_int_equal(o->frames, packets);
	assert_int_equal(o->after_first, 0);
	assert_int_equal(o->dropped, 0);
	assert_int_equal(o->stretched, 0);
	assert_int_equal(o->confirmed, 0);
	assert_int_equal(o->disorder, 0);
	assert_int_equal(o->late + o->duplicate + o->overflow + o->reset, 0);
}

/* ---- what must hold ------------------------------------------------------------------------- */

static void an_even_path_loses_nothing_for_ten_minutes(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		for (unsigned hard = 0; hard < 8; hard++) {
			struct jitter j;
			struct path p = even_path();

			p.packets = 30000;
			p.first_ns += phase * MS + hard * 137000;
			p.noise_ns = hard & 1 ? 5 * (int64_t)MS : 0;
			p.stall_ns = hard & 2 ? 15 * MS : 0;
			p.quiet = hard & 4;
			p.seed = phase * 8 + hard;
			jitter_init(&j, 8);
			struct outcome o = run(&j, &p);
			assert_perfect(&o, p.packets);
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
		struct path p = even_path();

		p.sequence = (uint16_t)(65536 - n * 16);
		p.timestamp = (uint32_t) - (int32_t)(n * 801);
		p.first_ns = 4294967296ull * 1000 - n * 17 * MS; /* microseconds wrap too */
		p.tick_ns = p.first_ns - 100 * MS;
		p.noise_ns = 5 * (int64_t)MS;
		jitter_init(&j, 8);
		struct outcome o = run(&j, &p);
		assert_perfect(&o, p.packets);
	}
}

static void every_packet_time_plays_whole_at_every_clock(void **state)
{
	static const unsigned ptimes[] = {10, 20, 30, 40, 60}, clocks[] = {8, 16, 48};

	for (unsigned i = 0; i < 15; i++) {
		for (unsigned phase = 0; phase < 40; phase++) {
			struct jitter j;
			struct path p = even_path();

			p.ptime_ms = ptimes[i % 5];
			p.clock_khz = clocks[i / 5];
			p.first_ns += phase * MS / 2;
			p.packets = 5000;
			p.noise_ns = 4 * (int64_t)MS;
			p.seed = phase;
			jitter_init(&j, (uint8_t)p.clock_khz);
			struct outcome o = run(&j, &p);
			assert_perfect(&o, p.packets);
		}
	}
}

static void drift_is_followed_where_it_is_quiet(void **state)
{
	static const int64_t drifts[] = {-1000, -300, -50, 50, 300, 1000};

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned phase = 0; phase < 20; phase += 3) {
			struct jitter j;
			struct path p = even_path();
			int64_t ms =
				600 * drifts[i]; /* ahead or behind after ten minutes, in us / ms */
			int expected = (int)(ms / 1000 / 20);

			p.packets = 30000;
			p.first_ns += phase * MS;
			p.drift_ppm = drifts[i];
			p.quiet = true;
			jitter_init(&j, 8);
			struct outcome o = run(&j, &p);
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
		struct path p = even_path();

		p.packets = 30000;
		p.noise_ns = 2 * (int64_t)MS;
		p.drift_ppm = drifts[i];
		jitter_init(&j, 8);
		struct outcome o = run(&j, &p);
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
		struct path p = even_path();

		p.packets = 30000;
		p.noise_ns = 2 * (int64_t)MS;
		p.drift_ppm = i % 2 ? 200 : -200;
		p.quiet = i & 2;
		p.first_ns += i / 4 * 9 * MS;
		jitter_init(&j, 8);
		struct outcome o = run(&j, &p);
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

	for (unsigned i = 0; i < 40; i++) {
		struct jitter j;
		struct path p = even_path();

		p.ptime_ms = ptimes[i % 5];
		p.packets = 600000 / p.ptime_ms;
		p.first_ns += i * MS;
		p.noise_ns = 30 * (int64_t)MS;
		p.seed = i;
		jitter_init(&j, 8);
		struct outcome o = run(&j, &p);
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
		struct path p = even_path();

		/* At least: the first frame waits, and nothing is dropped to shorten the wait. */
		p.packets = 3000;
		p.first_ns += phase * MS;
		p.noise_ns = 2 * (int64_t)MS;
		p.quiet = true;
		jitter_init(&j, 8);
		jitter_bounds(&j, 100, 0);
		struct outcome o = run(&j, &p);
		assert_perfect(&o, p.packets);
		assert_in_range(o.delay_first_ns, 100 * MS, 124 * MS);

		/* At most: stalls of 100 ms would have taught it more. */
		p = even_path();
		p.packets = 3000;
		p.first_ns += phase * MS;
		p.burst_at = 100;
		p.burst = 6;
		p.burst_every = 150;
		jitter_init(&j, 8);
		jitter_bounds(&j, 0, 60);
		o = run(&j, &p);
		assert_true(o.dropped > 0);
		assert_int_equal(o.disorder, 0);
		assert_true(o.delay_last_ns <= (60 + 20 + 20) * MS);
		jitter_init(&j, 8);
		jitter_bounds(&j, 0, 255);
		o = run(&j, &p);
		assert_true(o.delay_last_ns >= 100 * MS);
	}
}

/* A line without jitter: nothing is lost for it, and one with jitter after all is learned. */
static void a_leg_that_asks_for_the_least_delay_has_it(void **state)
{
	for (unsigned n = 0; n < 320; n++) {
		struct jitter j;
		struct path p = even_path();
		bool hard = n & 1, quiet = n & 2, drifts = n & 4;
		struct outcome o;

		p.packets = 30000;
		p.first_ns += n / 8 * MS / 2;
		p.noise_ns = hard ? (int64_t)MS : 0;
		p.stall_ns = hard ? 15 * MS : 0;
		p.drift_ppm = drifts ? -200 : 0;
		p.quiet = quiet;
		p.seed = n;
		jitter_init(&j, 8);
		jitter_bounds(&j, JITTER_LEAST_MS, 0);
		o = run(&j, &p);
		if (drifts) {
			assert_int_equal(o.disorder + o.late + o.dropped, 0);
			assert_int_equal(o.after_first, o.stretched);
			assert_in_range(o.stretched, 5, 7);
		} else {
			assert_perfect(&o, p.packets);
			assert_true(o.delay_max_ns <= (hard ? 24 + 15 : 24) * MS);
		}

		p = even_path();
		p.packets = 30000;
		p.first_ns += n * MS / 16;
		p.noise_ns = 30 * (int64_t)MS;
		p.seed = n;
		jitter_init(&j, 8);
		jitter_bounds(&j, JITTER_LEAST_MS, 0);
		o = run(&j, &p);
		assert_int_equal(o.disorder + o.overflow + o.reset, 0);
		assert_true(o.after_first * 1000 <= p.packets);
		assert_true(o.late * 2000 <= p.packets);
		assert_true(o.delay_max_ns <= 140 * MS);
	}
}

static void bounds_that_make_no_sense_are_put_right(void **state)
{
	struct jitter j;

	jitter_init(&j, 8);
	jitter_bounds(&j, 200, 50);
	assert_int_equal(j.target_ms, 50);
	jitter_bounds(&j, 1, 1);
	assert_int_equal(j.target_ms, JITTER_LEAST_MS);
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
	struct path p = even_path();
	struct outcome o = {0};
	uint32_t handle = 0;

	p.clock_khz = 48;
	jitter_init(&j, 48);
	assert_int_equal(jitter_following(&j), 0);
	insert(&j, &p, 0, p.first_ns, &o);
	insert(&j, &p, 2, p.first_ns, &o);
	assert_int_equal(jitter_pop(&j, p.first_ns + 15 * MS, false, &handle), JITTER_FRAME);
	insert(&j, &p, 5, p.first_ns + 16 * MS, &o);
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
		struct path p = even_path();
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
				insert(&j, &p, i, now, &o);
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
		struct path p = even_path();

		p.packets = 5000;
		p.first_ns += phase * MS;
		p.noise_ns = 5 * (int64_t)MS;
		p.loss_per_mille = 50;
		p.seed = phase;
		jitter_init(&j, 8);
		struct outcome o = run(&j, &p);
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
	struct path p = even_path();
	struct outcome o = {0};
	unsigned stored_ms = 0, holes = 0;
	uint32_t last = 0;

	jitter_init(&j, 8);
	for (unsigned i = 0; i < count + 20; i++) {
		if (i < count)
			insert(&j, &p, (unsigned)order[i],
				p.first_ns + i * 20 * MS + spread_ms * MS, &o);
		tick(&j, &p, &o, p.first_ns + (i + 1) * 20 * MS, &stored_ms, &last, &holes);
	}
	return o;
}

static void neighbours_that_swap_play_in_order(void **state)
{
	for (unsigned at = 0; at < 8; at++) {
		struct jitter j;
		struct path p = even_path();
		struct outcome o = {0};
		unsigned stored_ms = 0, holes = 0;
		uint32_t last = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 30; i++) {
			/* The late one comes 2 ms after the next, within its slack. */
			uint64_t now = p.first_ns + i * 20 * MS;
			if (i == at + 1)
				insert(&j, &p, at + 1, now, &o),
					insert(&j, &p, at, now + 2 * MS, &o);
			else if (i != at)
				insert(&j, &p, i, now, &o);
			tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
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
	struct path p = even_path();
	struct outcome o = {0};
	unsigned stored_ms = 0, holes = 0;
	uint32_t last = 0;

	jitter_init(&j, 8);
	for (unsigned i = 0; i < 40; i++) {
		uint64_t now = p.first_ns + i * 20 * MS;
		if (i != 10)
			insert(&j, &p, i, now, &o);
		if (i == 13)
			insert(&j, &p, 10, now + MS, &o);
		tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
	}
	assert_int_equal(o.late, 1);
	assert_int_equal(o.after_first, 1);
	assert_int_equal(o.disorder, 0);
}

static void bursts_raise_the_delay_and_quiet_lowers_it_again(void **state)
{
	struct jitter j;
	struct path p = even_path();

	p.packets = 1500;
	p.burst_at = 100;
	p.burst = 4;
	p.burst_every = 50;
	jitter_init(&j, 8);
	struct outcome o = run(&j, &p);
	assert_int_equal(o.disorder, 0);
	/* It learns from the first bursts and loses nothing after. */
	assert_in_range(o.after_first, 1, 6);
	assert_in_range(o.delay_last_ns, 60 * MS, 110 * MS);
	assert_int_equal(o.dropped, 0);

	p = even_path();
	p.packets = 6000;
	p.burst_at = 100;
	p.burst = 4;
	p.burst_every = 60000;
	p.quiet = true;
	jitter_init(&j, 8);
	o = run(&j, &p);
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
		struct path p = even_path();
		struct outcome o = {0};
		unsigned stored_ms = 0, holes = 0;
		uint32_t last = 0;

		jitter_init(&j, 8);
		for (unsigned i = 0; i < 60 + outage; i++) {
			uint64_t now = p.first_ns + i * 20 * MS;
			if (i < 30 || i >= 30 + outage)
				insert(&j, &p, i, now, &o);
			tick(&j, &p, &o, now + 15 * MS, &stored_ms, &last, &holes);
		}
		assert_int_equal(
			o.confirmed, outage < JITTER_STARVED_MAX ? outage : JITTER_STARVED_MAX);
		assert_int_equal(o.frames + jitter_depth(&j), 60);
	}
}

static void sixteen_at_once_are_held(void **state)
{
	struct jitter j;
	struct path p = even_path();
	struct outcome o = {0};

	jitter_init(&j, 8);
	for (unsigned n = 0; n < JITTER_SLOTS; n++)
		insert(&j, &p, n, p.first_ns, &o);
	assert_int_equal(o.taken, JITTER_SLOTS);
	assert_int_equal(jitter_depth(&j), JITTER_SLOTS);
	insert(&j, &p, JITTER_SLOTS, p.first_ns, &o);
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
		struct path p = even_path();
		struct outcome o = {0};

		jitter_init(&j, 8);
		insert(&j, &p, 0, p.first_ns, &o);
		insert(&j, &p, 1, p.first_ns, &o);
		insert(&j, &p, jumps[i], p.first_ns, &o);
		assert_int_equal(o.reset, 1);
		assert_int_equal(o.dropped, 2);
		assert_int_equal(jitter_depth(&j), 1);
	}
}

static void ticks_that_stop_reset(void **state)
{
	struct jitter j;
	struct path p = even_path();
	struct outcome o = {0};
	uint32_t handle = 0;

	jitter_init(&j, 8);
	insert(&j, &p, 0, p.first_ns, &o);
	assert_int_equal(jitter_pop(&j, p.first_ns + 15 * MS, false, &handle), JITTER_FRAME);
	for (unsigned n = 1; n < 100; n++)
		insert(&j, &p, n, p.first_ns + n * 20 * MS, &o);
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
		uint64_t now = draw(&seed) * 1000000ull;
		uint16_t sequence = (uint16_t)draw(&seed);
		uint32_t timestamp = draw(&seed) << 8;

		memset(owned, 0, sizeof(owned));
		jitter_init(&j, round % 3 ? 8 : 48);
		for (unsigned step = 0; step < 3000; step++) {
			unsigned what = draw(&seed) % 100;
			struct jitter_packet packet = {
				.handle = what % 9 ? next : 0,
				.sequence = (uint16_t)(sequence +
						       draw(&seed) % (what == 1 ? 65536 : 6)),
				.timestamp =
					timestamp + draw(&seed) % (what == 2 ? 1 << 24 : 3) * 160,
				.samples = (uint16_t)(what == 3 ? draw(&seed) : 160),
				.marker = what == 4,
			};
			sequence++;
			timestamp += 160;
			now += draw(&seed) % (what == 5 ? 1000 * MS : 40 * MS);
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
