/* SPDX-License-Identifier: Apache-2.0 */
/* With each kind of kernels that runs here. */
#include "kernels.h"
#include "mix.h"

#include <cordboard/limits.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SAMPLES = 163 };

static int16_t a[SAMPLES], b[SAMPLES], out[SAMPLES];
static int32_t sum[SAMPLES];

static int fill(void **state)
{
	static const int16_t edges[] = {INT16_MIN, INT16_MIN + 1, -1, 0, 1, INT16_MAX};
	uint32_t seed = 1;

	for (size_t i = 0; i < SAMPLES; i++) {
		seed = seed * 1664525u + 1013904223u;
		a[i] = i < 36 ? edges[i / 6] : (int16_t)(seed >> 16);
		seed = seed * 1664525u + 1013904223u;
		b[i] = i < 36 ? edges[i % 6] : (int16_t)(seed >> 16);
	}
	memset(out, 0x55, sizeof(out));
	return 0;
}

static int naive_clip(int value)
{
	return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}

static int naive_scale(int sample, int gain)
{
	return (int)floor((double)sample * gain / MIX_GAIN_UNITY + 0.5);
}

static void gain_table_is_ten_to_the_db_over_twenty(void **state)
{
	for (int db = CORD_GAIN_MIN_DB; db <= CORD_GAIN_MAX_DB; db++)
		assert_int_equal(mix_gain(db), lround(MIX_GAIN_UNITY * pow(10, db / 20.0)));
	assert_int_equal(mix_gain(0), MIX_GAIN_UNITY);
	assert_int_equal(mix_gain(CORD_GAIN_MUTE), 0);
	assert_int_equal(mix_gain(-100), mix_gain(CORD_GAIN_MIN_DB));
	assert_int_equal(mix_gain(100), mix_gain(CORD_GAIN_MAX_DB));
}

static void adds_subtracts_and_clips_once(void **state)
{
	for (size_t n = 0; n <= SAMPLES; n++) {
		mix_set(sum, a, n);
		mix_add(sum, b, n);
		mix_add(sum, b, n);
		mix_minus(out, sum, a, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], naive_clip(2 * b[i]));
		mix_narrow(out, sum, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], naive_clip(a[i] + 2 * b[i]));
	}
}

static void adds_two_as_wide_sums_do(void **state)
{
	for (size_t n = 0; n <= SAMPLES; n++) {
		memset(out, 0x55, sizeof(out));
		mix_pair(out, a, b, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], naive_clip(a[i] + b[i]));
		if (n < SAMPLES)
			assert_int_equal(out[n], 0x5555);
	}
}

static void does_not_clip_before_the_end(void **state)
{
	int32_t gain = mix_gain(CORD_GAIN_MAX_DB);

	mix_set(sum, a, SAMPLES);
	for (int i = 0; i < (int)CORD_ROOM_MEMBERS_MAX; i++)
		mix_add_gain(sum, b, gain, SAMPLES);
	for (size_t i = 0; i < SAMPLES; i++)
		assert_int_equal(
			sum[i], a[i] + (int)CORD_ROOM_MEMBERS_MAX * naive_scale(b[i], gain));
	mix_narrow(out, sum, SAMPLES);
	for (size_t i = 0; i < SAMPLES; i++)
		assert_int_equal(out[i], naive_clip(sum[i]));
}

static void gains_round_to_whole_samples(void **state)
{
	for (int db = CORD_GAIN_MIN_DB; db <= CORD_GAIN_MAX_DB; db++) {
		int32_t gain = mix_gain(db);

		mix_set(sum, a, SAMPLES);
		mix_add_gain(sum, b, gain, SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++)
			assert_int_equal(sum[i], a[i] + naive_scale(b[i], gain));
	}
}

static void level_is_the_mean_magnitude(void **state)
{
	int16_t loud[4] = {INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN}, mixed[4] = {10, -20, 30, 0};

	assert_int_equal(mix_level(loud, 4), 32768);
	assert_int_equal(mix_level(mixed, 4), 15);
	assert_int_equal(mix_level(mixed, 0), 0);
}

static void distance_is_the_sum_of_magnitudes(void **state)
{
	for (size_t n = 0; n <= SAMPLES; n++) {
		uint32_t expected = 0;

		for (size_t i = 0; i < n; i++)
			expected += (uint32_t)abs(a[i] - b[i]);
		assert_int_equal(mix_distance(a, b, n), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(distance_is_the_sum_of_magnitudes, fill),
		cmocka_unit_test_setup(gain_table_is_ten_to_the_db_over_twenty, fill),
		cmocka_unit_test_setup(adds_subtracts_and_clips_once, fill),
		cmocka_unit_test_setup(adds_two_as_wide_sums_do, fill),
		cmocka_unit_test_setup(does_not_clip_before_the_end, fill),
		cmocka_unit_test_setup(gains_round_to_whole_samples, fill),
		cmocka_unit_test_setup(level_is_the_mean_magnitude, fill),
	};

	int failed = 0;

	for (enum kernels_kind kind = KERNELS_PLAIN; kind < KERNELS_KINDS; kind++) {
		if (kernels_use(kind))
			failed +=
				cmocka_run_group_tests_name(kernels_name(kind), tests, NULL, NULL);
		else
			print_message(
				"[  SKIPPED ] %s: not on this processor\n", kernels_name(kind));
	}
	return failed;
}
