/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SECOND 1000000000ull

static struct guard *guard;
static struct address scanner, other;

static int set_up(void **state)
{
	static const uint8_t seed[16] = {9};

	guard = guard_new(NULL, seed);
	address_parse(STR("203.0.113.66:5060"), 0, &scanner);
	address_parse(STR("203.0.113.67:5060"), 0, &other);
	return 0;
}

static int tear_down(void **state)
{
	guard_free(guard);
	return 0;
}

static void a_guesser_is_slowed_then_silenced(void **state)
{
	uint64_t delay = 0, now = SECOND;

	assert_int_equal(guard_check(guard, &scanner, now, NULL), GUARD_PASS);
	assert_int_equal(guard_offence(guard, &scanner, GUARD_WRONG, now, &delay), GUARD_PASS);
	assert_int_equal(guard_offence(guard, &scanner, GUARD_WRONG, now, &delay), GUARD_PASS);
	assert_int_equal(guard_offence(guard, &scanner, GUARD_WRONG, now, &delay), GUARD_SLOW);
	assert_int_equal(delay, 2 * SECOND);
	/* Another port of the same host is the same source, another host is not. */
	address_set_port(&scanner, 1234);
	assert_int_equal(guard_check(guard, &scanner, now, NULL), GUARD_SLOW);
	assert_int_equal(guard_check(guard, &other, now, NULL), GUARD_PASS);
	for (int i = 0; i < 5; i++)
		guard_offence(guard, &scanner, GUARD_WRONG, now, &delay);
	assert_int_equal(guard_check(guard, &scanner, now, NULL), GUARD_DROP);
	assert_int_equal(guard_check(guard, &scanner, now + 599 * SECOND, NULL), GUARD_DROP);
	assert_int_equal(guard_check(guard, &scanner, now + 600 * SECOND, NULL), GUARD_SLOW);
	assert_int_equal(guard_check(guard, &scanner, now + 720 * SECOND, NULL), GUARD_PASS);
	assert_int_equal(guard_stats(guard)->blocked, 1);
}

static void points_leak_away_and_are_forgiven(void **state)
{
	uint64_t now = SECOND;

	for (int i = 0; i < 100; i++, now += 50 * SECOND)
		assert_int_equal(
			guard_offence(guard, &scanner, GUARD_WRONG, now, NULL), GUARD_PASS);
	for (int i = 0; i < 3; i++)
		guard_offence(guard, &scanner, GUARD_WRONG, now, NULL);
	assert_int_equal(guard_check(guard, &scanner, now, NULL), GUARD_SLOW);
	guard_forgive(guard, &scanner);
	assert_int_equal(guard_check(guard, &scanner, now, NULL), GUARD_PASS);
}

static void an_ipv6_network_is_one_source(void **state)
{
	struct address a, b, c;

	address_parse(STR("[2001:db8:1:2::1]:5060"), 0, &a);
	address_parse(STR("[2001:db8:1:2:ffff::9]:5060"), 0, &b);
	address_parse(STR("[2001:db8:1:3::1]:5060"), 0, &c);
	for (int i = 0; i < 10; i++)
		guard_offence(guard, &a, GUARD_WRONG, SECOND, NULL);
	assert_int_equal(guard_check(guard, &b, SECOND, NULL), GUARD_DROP);
	assert_int_equal(guard_check(guard, &c, SECOND, NULL), GUARD_PASS);
}

/* A flood of sources takes no more memory, and a blocked one is among the last to be forgotten. */
static void a_flood_of_sources_is_bounded(void **state)
{
	for (int i = 0; i < 10; i++)
		guard_offence(guard, &scanner, GUARD_WRONG, SECOND, NULL);
	for (uint32_t i = 0; i < 10 * GUARD_SLOTS; i++) {
		struct address source = address_ipv4(0x0a000000 + i, 5060);

		guard_offence(guard, &source, GUARD_STRANGER, SECOND, NULL);
	}
	assert_true(guard_stats(guard)->evicted > 0);
	assert_int_equal(guard_check(guard, &scanner, SECOND, NULL), GUARD_DROP);
}

static void strangers_learn_nothing(void **state)
{
	assert_int_equal(guard_refusal(SIP_METHOD_ACK), 0);
	assert_int_equal(guard_refusal(SIP_METHOD_CANCEL), 0);
	assert_int_equal(guard_refusal(SIP_METHOD_REGISTER), 401);
	assert_int_equal(guard_refusal(SIP_METHOD_INVITE), 403);
	assert_int_equal(guard_refusal(SIP_METHOD_OPTIONS), 403);
	assert_int_equal(guard_refusal(SIP_METHOD_OTHER), 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_guesser_is_slowed_then_silenced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			points_leak_away_and_are_forgiven, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_ipv6_network_is_one_source, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_of_sources_is_bounded, set_up, tear_down),
		cmocka_unit_test(strangers_learn_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
