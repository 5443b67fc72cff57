/* SPDX-License-Identifier: Apache-2.0 */
#include "pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Cycles of a phase, and those that take all the time, much of it, neither, and little. */
enum { BUDGET = 1000000, ALL = 990000, MUCH = 800001, SOME = 800000, LITTLE = 500000 };

static struct pace begin(uint32_t complexity)
{
	struct pace p;

	pace_init(&p);
	assert_int_equal(p.complexity, PACE_COMPLEXITY_MAX);
	p.complexity = complexity;
	return p;
}

/* So many phases alike; how often the complexity was lowered. */
static uint32_t phases(struct pace *p, uint32_t n, uint64_t cycles, bool opus)
{
	uint32_t lowered = 0;

	for (uint32_t i = 0; i < n; i++)
		lowered += pace_step(p, cycles, BUDGET, opus);
	return lowered;
}

/* What Opus costs grows with the complexity: it is lowered until there is time, and none is lost. */
static void complexity_falls_before_a_phase_is_late(void **state)
{
	for (uint64_t step = 60000; step <= 150000; step += 10000) {
		struct pace p = begin(PACE_COMPLEXITY_MAX);
		uint64_t load = 0;
		uint32_t late = 0;

		/* Load comes by and by, as calls do. */
		for (; load < 400000; load += 1000) {
			uint64_t cycles = load + step * p.complexity / 2;

			late += cycles > BUDGET;
			pace_step(&p, cycles, BUDGET, true);
		}
		assert_int_equal(late, 0);
		assert_true(p.complexity > 0);
	}
}

static void nothing_is_lowered_that_does_not_help(void **state)
{
	struct pace p = begin(5);

	/* no Opus in it */
	assert_int_equal(phases(&p, 100, ALL, false), 0);
	/* all has been done */
	assert_int_equal(phases(&p, 100, ALL, true), 5);
	assert_int_equal(p.complexity, 0);
	assert_int_equal(phases(&p, 100, ALL, true), 0);
}

static void complexity_rises_after_a_calm(void **state)
{
	struct pace p = begin(3);

	phases(&p, PACE_CALM - 1, LITTLE, true);
	assert_int_equal(p.complexity, 3);
	phases(&p, 1, LITTLE, true);
	assert_int_equal(p.complexity, 4);
	/* step by step, and no further than there is */
	phases(&p, PACE_CALM, 0, false);
	assert_int_equal(p.complexity, 5);
	phases(&p, 10 * PACE_CALM, 0, false);
	assert_int_equal(p.complexity, PACE_COMPLEXITY_MAX);
}

/* One phase of many that is not calm, whatever it holds, and the wait begins anew. */
static void a_calm_is_of_all_phases(void **state)
{
	static const uint64_t busy[] = {LITTLE + 1, SOME, ALL};

	for (uint32_t i = 0; i < 3; i++) {
		struct pace p = begin(3);

		phases(&p, PACE_CALM - 1, LITTLE, true);
		phases(&p, 1, busy[i], false);
		phases(&p, PACE_CALM - 1, LITTLE, true);
		assert_int_equal(p.complexity, 3);
		phases(&p, 1, LITTLE, true);
		assert_int_equal(p.complexity, 4);
	}
}

/* Between the two thresholds it stays for ever: a step up that costs up to three fifths is kept. */
static void what_was_raised_is_not_lowered_at_once(void **state)
{
	struct pace p = begin(3);

	assert_int_equal(phases(&p, 20 * PACE_CALM, SOME, true), 0);
	assert_int_equal(p.complexity, 3);
	phases(&p, PACE_CALM, LITTLE, true);
	assert_int_equal(phases(&p, 20 * PACE_CALM, LITTLE * 16 / 10, true), 0);
	assert_int_equal(p.complexity, 4);
	assert_int_equal(phases(&p, 1, MUCH, true), 1);
	assert_int_equal(p.complexity, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complexity_falls_before_a_phase_is_late),
		cmocka_unit_test(nothing_is_lowered_that_does_not_help),
		cmocka_unit_test(complexity_rises_after_a_calm),
		cmocka_unit_test(a_calm_is_of_all_phases),
		cmocka_unit_test(what_was_raised_is_not_lowered_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
