/* SPDX-License-Identifier: Apache-2.0 */
#include "burst.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* '.' came, 'x' did not. Losses next to each other are told together, as a caller may. */
static struct burst_figures hear(const char *packets, struct burst *b)
{
	uint32_t good = 0;

	memset(b, 0, sizeof(*b));
	for (const char *p = packets; *p; p++) {
		uint32_t lost = 0;

		while (*p == 'x' && p[1] == 'x') {
			lost++;
			p++;
		}
		if (*p == 'x')
			burst_lost(b, good, lost + 1);
		else
			good++;
	}
	return burst_figures(b, good);
}

#define TWENTY "...................."

static void losses_alone_are_gap(void **state)
{
	struct burst b;
	struct burst_figures f = hear(TWENTY "x" TWENTY "x" TWENTY, &b);

	assert_int_equal(b.lost, 2);
	assert_int_equal(b.stretches, 2);
	assert_int_equal(f.burst_density, 0);
	assert_int_equal(f.burst_packets, 0);
	assert_int_equal(f.gap_packets, 62);
	assert_int_equal(f.gap_density, 2 * 256 / 62);
}

static void losses_close_to_each_other_are_a_burst(void **state)
{
	struct burst b;
	/* 16 in between end a burst, 15 do not */
	struct burst_figures f = hear(TWENTY "xx.x" TWENTY "x...............x" TWENTY "x", &b);

	assert_int_equal(b.lost, 6);
	assert_int_equal(b.stretches, 5);
	assert_int_equal(f.burst_packets, (4 + 17) / 2);
	assert_int_equal(f.burst_density, 5 * 256 / 21);
	assert_int_equal(f.gap_packets, 61 / 3);
	assert_int_equal(f.gap_density, 1 * 256 / 61);
	f = hear(TWENTY "x................x" TWENTY, &b);
	assert_int_equal(f.burst_packets, 0);
}

static void a_burst_that_goes_on_counts(void **state)
{
	struct burst b;
	struct burst_figures f = hear(TWENTY "xxx", &b);

	assert_int_equal(f.burst_packets, 3);
	assert_int_equal(f.burst_density, 255);
	assert_int_equal(f.gap_packets, 10);
	assert_int_equal(b.stretches, 1);
}

static void told_one_by_one_is_told_at_once(void **state)
{
	struct burst one = {0}, all = {0};

	burst_lost(&all, 30, 3);
	for (int i = 0; i < 3; i++)
		burst_lost(&one, 30, 1);
	burst_lost(&one, 40, 0);
	assert_memory_equal(&one, &all, sizeof(one));
}

static void nothing_heard_is_nothing_lost(void **state)
{
	struct burst b = {0};
	struct burst_figures f = burst_figures(&b, 0);

	assert_int_equal(f.burst_density + f.gap_density, 0);
	assert_int_equal(f.burst_packets + f.gap_packets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_alone_are_gap),
		cmocka_unit_test(losses_close_to_each_other_are_a_burst),
		cmocka_unit_test(a_burst_that_goes_on_counts),
		cmocka_unit_test(told_one_by_one_is_told_at_once),
		cmocka_unit_test(nothing_heard_is_nothing_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
