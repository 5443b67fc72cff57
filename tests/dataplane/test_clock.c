/* SPDX-License-Identifier: Apache-2.0 */
/* The workers' clock after the TSC and the kernel's clock went different ways. */
#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#define SECOND 1000000000ull

/* The TSC's rate as it is: measured over 20 ms. */
static uint64_t tsc_hz(void)
{
	const struct timespec t = {.tv_nsec = 20000000};
	uint64_t ns = clock_kernel_ns(), tsc = clock_tsc();

	nanosleep(&t, NULL);
	return (clock_tsc() - tsc) * SECOND / (clock_kernel_ns() - ns);
}

/* A reading that was interrupted changes nothing: until one was not. */
static void publish(struct clock_pair *pair)
{
	uint32_t before = atomic_load(&pair->version);

	for (int i = 0; i < 10000 && atomic_load(&pair->version) == before; i++)
		clock_publish(pair);
	assert_int_not_equal(atomic_load(&pair->version), before);
}

static void assert_right(const struct clock_pair *pair)
{
	const struct timespec t = {.tv_nsec = 20000000};

	for (int i = 0; i < 2; i++) {
		int64_t apart = (int64_t)(clock_now_ns(pair, clock_tsc()) - clock_kernel_ns());

		assert_in_range(apart + 5000000, 0, 10000000);
		nanosleep(&t, NULL);
	}
}

static void a_second_passes(void **state)
{
	struct clock_pair pair;
	uint64_t hz = tsc_hz();

	(void)state;
	clock_start(&pair, hz);
	assert_right(&pair);
	atomic_fetch_sub(&pair.tsc, hz);
	atomic_fetch_sub(&pair.ns, SECOND);
	publish(&pair);
	assert_right(&pair);
}

static void a_tsc_that_began_anew_is_followed(void **state)
{
	struct clock_pair pair;
	uint64_t hz = tsc_hz();

	(void)state;
	clock_start(&pair, hz);
	atomic_fetch_add(&pair.tsc, 3600 * hz);
	atomic_fetch_sub(&pair.ns, SECOND);
	publish(&pair);
	assert_right(&pair);
}

static void a_tsc_that_ran_ahead_does_not_change_the_rate(void **state)
{
	struct clock_pair pair;
	uint64_t hz = tsc_hz();

	(void)state;
	clock_start(&pair, hz);
	uint64_t rate = atomic_load(&pair.ns_per_tsc_q32);
	atomic_fetch_sub(&pair.tsc, 3600 * hz < pair.tsc ? 3600 * hz : pair.tsc);
	atomic_fetch_sub(&pair.ns, SECOND);
	publish(&pair);
	assert_int_equal(atomic_load(&pair.ns_per_tsc_q32), rate);
	assert_right(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_passes),
		cmocka_unit_test(a_tsc_that_began_anew_is_followed),
		cmocka_unit_test(a_tsc_that_ran_ahead_does_not_change_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
