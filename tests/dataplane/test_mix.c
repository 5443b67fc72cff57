/* SPDX-License-Identifier: Apache-2.0 */
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
		mix_sub(sum, b, n);
		mix_narrow(out, sum, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], naive_clip(a[i] + b[i]));
	}
}

static void does_not_clip_before_the_end(void **state)
{
	mix_set(sum, a, SAMPLES);
	for (int i = 0; i < (int)CORD_ROOM_MEMBERS_MAX; i++)
		mix_add_gain(sum, b, mix_gain(CORD_GAIN_MAX_DB), SAMPLES);
	for (int i = 0; i < (int)CORD_ROOM_MEMBERS_MAX; i++)
		mix_sub_gain(sum, b, mix_gain(CORD_GAIN_MAX_DB), SAMPLES);
	mix_narrow(out, sum, SAMPLES);
	assert_memory_equal(out, a, sizeof(a));
}

static void gains_round_to_whole_samples(void **state)
{
	for (int db = CORD_GAIN_MIN_DB; db <= CORD_GAIN_MAX_DB; db++) {
		int32_t gain = mix_gain(db);

		mix_set(sum, a, SAMPLES);
		mix_add_gain(sum, b, gain, SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++)
			assert_int_equal(sum[i], a[i] + naive_scale(b[i], gain));
		mix_sub_gain(sum, b, gain, SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++)
			assert_int_equal(sum[i], a[i]);
		mix_scale(out, b, gain, SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++)
			assert_int_equal(out[i], naive_clip(naive_scale(b[i], gain)));
	}
	mix_scale(out, b, MIX_GAIN_UNITY, SAMPLES);
	assert_memory_equal(out, b, sizeof(b));
}

static void level_is_the_mean_magnitude(void **state)
{
	int16_t loud[4] = {INT16_MIN, INT16_MIN, INT16_MIN, INT16_MIN}, mixed[4] = {10, -20, 30, 0};

	assert_int_equal(mix_level(loud, 4), 32768);
	assert_int_equal(mix_level(mixed, 4), 15);
	assert_int_equal(mix_level(mixed, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gain_table_is_ten_to_the_db_over_twenty, fill),
		cmocka_unit_test_setup(adds_subtracts_and_clips_once, fill),
		cmocka_unit_test_setup(does_not_clip_before_the_end, fill),
		cmocka_unit_test_setup(gains_round_to_whole_samples, fill),
		cmocka_unit_test_setup(level_is_the_mean_magnitude, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
