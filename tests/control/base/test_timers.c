/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/timers.h"

#define TIMERS 200

struct one {
	struct timer timer;
	struct timers *timers;
	bool wanted;
	uint64_t when, order; /* reference */
};

static struct one all[TIMERS];
static struct random rng;
static uint64_t order, last_when, last_order;
static size_t fired;

static void set(struct timers *t, struct one *o, uint64_t when)
{
	timers_set(t, &o->timer, when);
	o->wanted = true;
	o->when = when < timers_now(t) ? timers_now(t) : when;
	o->order = order++;
}

static void cancel(struct timers *t, struct one *o)
{
	timers_cancel(t, &o->timer);
	o->wanted = false;
}

/* Checks the order, then sets and cancels at random, itself as well. */
static void fire(void *ctx, uint64_t now)
{
	struct one *o = ctx;

	assert_true(o->wanted);
	assert_true(o->when <= now);
	assert_true(o->when > last_when || (o->when == last_when && o->order >= last_order));
	assert_false(timer_is_set(&o->timer));
	last_when = o->when;
	last_order = o->order;
	o->wanted = false;
	fired++;
	if (random_below(&rng, 4) == 0)
		set(o->timers, o, now - random_below(&rng, 3));
	if (random_below(&rng, 4) == 0)
		cancel(o->timers, &all[random_below(&rng, TIMERS)]);
	if (random_below(&rng, 4) == 0)
		set(o->timers, &all[random_below(&rng, TIMERS)], now + random_below(&rng, 50));
}

static uint64_t reference_next(void)
{
	uint64_t next = TIMERS_NEVER;

	for (int i = 0; i < TIMERS; i++)
		if (all[i].wanted && all[i].when < next)
			next = all[i].when;
	return next;
}

static void equal_reference(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct timers t;
		uint64_t now = 1000;

		random_init_seed(&rng, seed);
		timers_init(&t, now);
		memset(all, 0, sizeof(all));
		for (int i = 0; i < TIMERS; i++) {
			timer_init(&all[i].timer, fire, &all[i]);
			all[i].timers = &t;
		}
		for (int step = 0; step < 2000; step++) {
			struct one *o = &all[random_below(&rng, TIMERS)];
			uint64_t end;

			if (random_below(&rng, 3))
				set(&t, o, now + random_below(&rng, 200));
			else
				cancel(&t, o);
			assert_true(timers_next(&t) == reference_next());
			if (random_below(&rng, 3))
				continue;
			now += random_below(&rng, 40);
			last_when = last_order = 0;
			end = order;
			timers_run(&t, now);
			for (int i = 0; i < TIMERS; i++) {
				assert_int_equal(timer_is_set(&all[i].timer), all[i].wanted);
				/* What is left over was set by a callback just now. */
				assert_true(
					!all[i].wanted || all[i].when > now || all[i].order >= end);
			}
		}
		timers_clear(&t);
	}
	assert_true(fired > 5000);
}

static void again(void *ctx, uint64_t now)
{
	struct one *o = ctx;

	o->order++;
	timers_set(o->timers, &o->timer, 0);
}

static void never_twice_in_one_run(void **state)
{
	struct timers t;
	struct one o = {.timers = &t};

	timers_init(&t, 5);
	timer_init(&o.timer, again, &o);
	timers_set(&t, &o.timer, 0);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(timers_run(&t, 5), 1);
		assert_int_equal(o.order, i);
	}
	timers_run(&t, 3); /* time does not go back */
	assert_int_equal(timers_now(&t), 5);
	timers_cancel(&t, &o.timer);
	timers_cancel(&t, &o.timer);
	assert_true(timers_next(&t) == TIMERS_NEVER);
	timers_set_in(&t, &o.timer, UINT64_MAX);
	assert_true(timers_next(&t) == TIMERS_NEVER - 1);
	timers_clear(&t);
	assert_false(timer_is_set(&o.timer));
}

static void free_it(void *ctx, uint64_t now)
{
	free(ctx);
}

/* 200,000 set and half cancelled, at a cost that a loop can bear. */
static void many_are_cheap(void **state)
{
	enum { N = 200000 };
	struct one **o = calloc(N, sizeof(*o));
	struct timers t;
	struct random r;

	assert_non_null(o);
	random_init_seed(&r, 3);
	timers_init(&t, 0);
	for (int i = 0; i < N; i++) {
		o[i] = calloc(1, sizeof(**o));
		timer_init(&o[i]->timer, free_it, o[i]);
		timers_set(&t, &o[i]->timer, random_below(&r, 32 * CLOCK_S));
	}
	for (int i = 0; i < N; i += 2) {
		timers_cancel(&t, &o[i]->timer);
		free(o[i]);
	}
	assert_int_equal(timers_count(&t), N / 2);
	assert_int_equal(timers_run(&t, 32 * CLOCK_S), N / 2);
	timers_clear(&t);
	free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_reference),
		cmocka_unit_test(never_twice_in_one_run),
		cmocka_unit_test(many_are_cheap),
	};

	return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
