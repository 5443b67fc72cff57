/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "media/headroom.h"

#define PERCENT (CORD_TICK_NS / 100)

static const struct headroom_load nothing;

struct bench {
	struct headroom h;
	struct headroom_sample sample;
};

static struct bench make(unsigned workers)
{
	struct bench b = {0};

	headroom_reset(&b.h, workers);
	return b;
}

static void add(struct bench *b, uint32_t legs, uint32_t awaited, uint64_t arithmetic_ns)
{
	headroom_change(&b->h, 0, &nothing, &(struct headroom_load){legs, awaited, arithmetic_ns});
	b->sample.ports += legs;
}

/* A second in which worker 0 was busy for so many percent, twice: the load was there throughout. */
static void busy(struct bench *b, unsigned percent, unsigned fullest_permille)
{
	for (int i = 0; i < 3; i++) {
		b->sample.total_cycles += 1000;
		b->sample.busy_cycles += 10 * percent;
		b->sample.phase_fullest = fullest_permille;
		headroom_measure(&b->h, 0, &b->sample);
	}
}

static unsigned expected_percent(const struct bench *b)
{
	return (unsigned)((headroom_expected_ns(&b->h, 0) + PERCENT / 2) / PERCENT);
}

static struct cord_terms terms(
	enum cord_codec codec, unsigned complexity, enum cord_srtp_suite suite)
{
	return (struct cord_terms){.codec = (uint8_t)codec,
		.opus_complexity = (uint8_t)complexity,
		.send_key.suite = (uint8_t)suite};
}

static void codecs_and_ciphers_have_their_price(void **state)
{
	struct cord_terms plain = terms(CORD_CODEC_PCMU, 0, CORD_SRTP_NONE);
	struct cord_terms cipher = terms(CORD_CODEC_PCMU, 0, CORD_SRTP_AEAD_AES_128_GCM);
	struct cord_terms older = terms(CORD_CODEC_PCMU, 0, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
	struct cord_terms g722 = terms(CORD_CODEC_G722, 0, CORD_SRTP_NONE);
	struct cord_terms opus = terms(CORD_CODEC_OPUS, 0, CORD_SRTP_NONE);
	struct cord_terms best = terms(CORD_CODEC_OPUS, 10, CORD_SRTP_NONE);

	assert_int_equal(headroom_arithmetic_ns(&plain), 0);
	assert_true(headroom_arithmetic_ns(&cipher) < headroom_arithmetic_ns(&older));
	assert_true(headroom_arithmetic_ns(&older) < headroom_arithmetic_ns(&g722));
	assert_true(headroom_arithmetic_ns(&g722) < headroom_arithmetic_ns(&opus));
	assert_true(3 * headroom_arithmetic_ns(&opus) < headroom_arithmetic_ns(&best));
}

/* 100 legs that fill 40 % of the core cost 0.4 % each. */
static void what_a_leg_costs_is_measured(void **state)
{
	struct bench b = make(1);

	assert_int_equal(expected_percent(&b), 0);
	add(&b, 100, 0, 0);
	busy(&b, 40, 0);
	assert_in_range(headroom_leg_ns(&b.h, 0), 79000, 81000);
	assert_int_equal(expected_percent(&b), 40);
	add(&b, 50, 0, 0);
	assert_int_equal(expected_percent(&b), 60);
	headroom_change(&b.h, 0, &(struct headroom_load){.legs = 100}, &nothing);
	assert_int_equal(expected_percent(&b), 20);
	/* What is measured then counts, not what was expected. */
	b.sample.ports = 50;
	busy(&b, 30, 0);
	assert_int_equal(expected_percent(&b), 30);
}

static void what_rooms_wait_for_is_expected(void **state)
{
	struct bench b = make(1);

	add(&b, 100, 0, 0);
	busy(&b, 40, 0);
	add(&b, 0, 2, 0);
	assert_in_range(
		headroom_expected_ns(&b.h, 0), 40 * PERCENT + 155000, 40 * PERCENT + 165000);
	for (unsigned i = 0; i < 24; i++)
		add(&b, 0, 2, 0);
	assert_int_equal(expected_percent(&b), 60);
	/* They are expected still when the next second was measured. */
	busy(&b, 40, 0);
	assert_int_equal(expected_percent(&b), 60);
}

/* A core that is hardly busy says nothing about legs: a burst from nothing is not refused. */
static void little_work_teaches_nothing(void **state)
{
	struct bench b = make(1);

	add(&b, 1, 1, 0);
	busy(&b, 3, 0);
	assert_true(headroom_leg_ns(&b.h, 0) < 1000);
	add(&b, 0, 200, 0);
	assert_int_equal(expected_percent(&b), 3);
}

/* Through a slow NIC a leg costs much, and Opus not more than elsewhere; and the other way round. */
static void the_greater_part_is_learned(void **state)
{
	struct bench b = make(1);
	struct cord_terms opus = terms(CORD_CODEC_OPUS, 5, CORD_SRTP_NONE);
	uint64_t arithmetic_ns = headroom_arithmetic_ns(&opus);

	add(&b, 100, 0, 0);
	busy(&b, 40, 0);
	add(&b, 10, 0, 10 * arithmetic_ns);
	/* 10 of 80 us for packets, and of 130 us for the codec */
	assert_in_range(headroom_expected_ns(&b.h, 0), 40 * PERCENT + 10 * (79000 + arithmetic_ns),
		40 * PERCENT + 10 * (81000 + arithmetic_ns));

	b = make(1);
	add(&b, 40, 0, 40 * arithmetic_ns);
	busy(&b, 52, 0); /* twice what the machine of the figures takes */
	assert_in_range(headroom_leg_ns(&b.h, 0), 250000, 270000);
	add(&b, 10, 0, 0);
	assert_int_equal(expected_percent(&b), 52);
	add(&b, 10, 0, 10 * arithmetic_ns);
	assert_int_equal(expected_percent(&b), 65);
}

/* The core has time on average, but one phase makes the next one late. */
static void a_full_phase_counts(void **state)
{
	struct bench b = make(1);

	add(&b, 100, 0, 0);
	busy(&b, 30, 850);
	assert_int_equal(expected_percent(&b), 85);
	/* What a leg costs follows from the core. */
	assert_in_range(headroom_leg_ns(&b.h, 0), 59000, 61000);
	busy(&b, 30, 100000);
	assert_int_equal(expected_percent(&b), 100);
}

/* Others keep the worker busy while there are few legs: legs are not taken for the cause for long. */
static void work_for_others_is_not_held_against_legs(void **state)
{
	struct bench b = make(1);

	add(&b, 2, 0, 0);
	busy(&b, 60, 0);
	assert_int_equal(expected_percent(&b), 60);
	busy(&b, 1, 0);
	assert_true(headroom_leg_ns(&b.h, 0) <= PERCENT);
	busy(&b, 60, 0);
	headroom_change(&b.h, 0, &(struct headroom_load){.legs = 2}, &nothing);
	b.sample.ports = 0;
	for (int i = 0; i < 20; i++)
		busy(&b, 0, 0);
	assert_true(headroom_leg_ns(&b.h, 0) <= PERCENT);
}

/* Whatever the counters of one say: it has no time itself, and the others have theirs. */
static void a_worker_speaks_for_itself(void **state)
{
	struct bench b = make(2);
	const struct headroom_load burst = {.legs = 20, .awaited = 20};

	add(&b, 1, 0, 0);
	busy(&b, 100, 1000);
	assert_int_equal(expected_percent(&b), 100);
	assert_true(headroom_leg_ns(&b.h, 0) <= PERCENT);
	assert_true(headroom_leg_ns(&b.h, 1) < 1000);
	headroom_change(&b.h, 1, &nothing, &burst);
	assert_true(headroom_expected_ns(&b.h, 1) < PERCENT);
	/* And what it said is not for ever. */
	headroom_change(&b.h, 0, &(struct headroom_load){.legs = 1}, &nothing);
	b.sample.ports = 0;
	busy(&b, 0, 0);
	headroom_change(&b.h, 0, &nothing, &burst);
	assert_true(expected_percent(&b) <= 40);
}

static void what_was_learned_outlives_a_dataplane(void **state)
{
	struct bench b = make(2);
	uint64_t leg_ns;

	add(&b, 100, 0, 0);
	busy(&b, 40, 0);
	leg_ns = headroom_leg_ns(&b.h, 0);
	headroom_reset(&b.h, 2);
	assert_int_equal(headroom_leg_ns(&b.h, 0), leg_ns);
	assert_int_equal(headroom_expected_ns(&b.h, 0), 0);
}

static void nonsense_is_not_believed(void **state)
{
	struct bench b = make(2);

	add(&b, 100, 0, 0);
	busy(&b, 40, 0);
	b.sample.busy_cycles += 2000; /* of 1000 */
	b.sample.total_cycles += 1000;
	headroom_measure(&b.h, 0, &b.sample);
	assert_int_equal(expected_percent(&b), 40);
	b.sample.total_cycles -= 500;
	headroom_measure(&b.h, 0, &b.sample);
	assert_int_equal(expected_percent(&b), 40);
	b.sample.ports = UINT64_MAX;
	b.sample.total_cycles += 5000;
	headroom_measure(&b.h, 0, &b.sample);
	assert_int_equal(expected_percent(&b), 40);
	assert_int_equal(headroom_expected_ns(&b.h, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codecs_and_ciphers_have_their_price),
		cmocka_unit_test(what_a_leg_costs_is_measured),
		cmocka_unit_test(what_rooms_wait_for_is_expected),
		cmocka_unit_test(little_work_teaches_nothing),
		cmocka_unit_test(the_greater_part_is_learned),
		cmocka_unit_test(a_full_phase_counts),
		cmocka_unit_test(work_for_others_is_not_held_against_legs),
		cmocka_unit_test(a_worker_speaks_for_itself),
		cmocka_unit_test(what_was_learned_outlives_a_dataplane),
		cmocka_unit_test(nonsense_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
