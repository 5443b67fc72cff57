/* SPDX-License-Identifier: Apache-2.0 */
/* What the test ear hears: the detector, alone and through G.711, and its time line. */
#include "tones.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct tone_bank bank;

static int make_bank(void **state)
{
	return tone_bank_init(&bank, 400, 2000, 50);
}

static void through_g711(bool a_law, int16_t *pcm)
{
	for (unsigned i = 0; i < TONES_WINDOW; i++)
		pcm[i] = tones_decode(a_law, tones_encode(a_law, pcm[i]));
}

static void a_bank_has_limits(void **state)
{
	struct tone_bank b;

	assert_int_equal(tone_bank_init(&b, 0, 100, 10), -EINVAL);
	assert_int_equal(tone_bank_init(&b, 400, 300, 10), -EINVAL);
	assert_int_equal(tone_bank_init(&b, 400, 4000, 100), -EINVAL);
	assert_int_equal(tone_bank_init(&b, 400, 400 + 50 * TONES_MAX, 50), -EINVAL);
	assert_int_equal(tone_bank_init(&b, 400, 2000, 0), -EINVAL);
	assert_int_equal(bank.count, 33);
}

static void every_tone_is_found_alone_at_its_level(void **state)
{
	for (unsigned t = 0; t < bank.count; t++) {
		for (int level = -40; level <= 0; level += 5) {
			struct tone_maker maker = {.phase = t * 0.37};
			int16_t pcm[TONES_WINDOW];
			struct tone_frame frame;

			tone_make(&maker, bank.hz[t], level, pcm, TONES_WINDOW);
			through_g711(level % 2, pcm);
			tone_bank_look(&bank, pcm, &frame);
			assert_true(frame.tones == 1ull << t);
			assert_true(fabs(frame.level_db[t] - level) < 0.5);
		}
	}
}

static void every_pair_is_told_apart(void **state)
{
	for (unsigned a = 0; a < bank.count; a++) {
		for (unsigned b = a + 2; b < bank.count; b++) {
			struct tone_maker x = {0}, y = {.phase = 1};
			int16_t first[TONES_WINDOW], pcm[TONES_WINDOW];
			struct tone_frame frame;

			tone_make(&x, bank.hz[a], -10, first, TONES_WINDOW);
			tone_make(&y, bank.hz[b], -22, pcm, TONES_WINDOW);
			for (unsigned i = 0; i < TONES_WINDOW; i++)
				pcm[i] = (int16_t)(pcm[i] + first[i]);
			through_g711(b % 2, pcm);
			tone_bank_look(&bank, pcm, &frame);
			assert_true(frame.tones == (1ull << a | 1ull << b));
		}
	}
}

static void silence_and_noise_are_no_tones(void **state)
{
	int16_t pcm[TONES_WINDOW] = {0};
	struct tone_frame frame;

	through_g711(true, pcm);
	tone_bank_look(&bank, pcm, &frame);
	assert_true(frame.tones == 0);
	srand(1);
	for (unsigned run = 0; run < 1000; run++) {
		for (unsigned i = 0; i < TONES_WINDOW; i++)
			pcm[i] = (int16_t)(rand() % 8000 - 4000);
		tone_bank_look(&bank, pcm, &frame);
		assert_true(frame.tones == 1ull << TONES_SOUND);
	}
}

static unsigned begun, ended;

static void count(void *context, const struct tone_heard *entry)
{
	if (entry->open)
		begun++;
	else
		ended++;
}

/* Plays a score, one character a frame ('.' silence, 'a'.. tone 0..), into a new time line. */
static void play(struct tone_line *line, const char *score)
{
	tone_line_init(line);
	begun = ended = 0;
	for (unsigned n = 0; score[n]; n++) {
		struct tone_frame frame = {0};

		if (score[n] != '.') {
			frame.tones = 1ull << (score[n] - 'a');
			frame.level_db[score[n] - 'a'] = -10;
		}
		tone_line_add(line, &frame, n * 20, n * 20 + 20, count, NULL);
	}
}

static void the_time_line_has_beginnings_ends_and_breaks(void **state)
{
	struct tone_line line;

	play(&line, "..aaa.aaaa..bbbbb...a....");
	assert_int_equal(line.count, 2);
	assert_int_equal(begun, 2);
	assert_int_equal(ended, 2);
	assert_int_equal(line.heard[0].tone, 0);
	assert_int_equal(line.heard[0].from_ms, 40);
	assert_int_equal(line.heard[0].to_ms, 200);
	assert_int_equal(line.heard[0].frames, 7);
	assert_int_equal(line.heard[0].breaks, 1);
	assert_true(fabs(tone_heard_level(&line.heard[0]) + 10) < 0.01);
	assert_int_equal(line.heard[1].tone, 1);
	assert_int_equal(line.heard[1].from_ms, 240);
	assert_int_equal(line.heard[1].to_ms, 340);
	assert_false(line.heard[1].open);
	/* Quiet: at first, the break, between, after, and after the click. */
	assert_int_equal(line.quiet_count, 5);
	assert_int_equal(line.quiet[1].from_ms, 100);
	assert_int_equal(line.quiet[1].to_ms, 120);
	assert_int_equal(line.quiet[4].to_ms, 500);
}

static void a_pause_ends_what_is_heard(void **state)
{
	struct tone_line line;

	play(&line, "..aaaa");
	assert_true(line.heard[0].open);
	tone_line_break(&line, count, NULL);
	assert_int_equal(ended, 1);
	assert_false(line.heard[0].open);
	tone_line_break(&line, count, NULL);
	assert_int_equal(ended, 1);
}

static void a_full_time_line_counts_what_it_lost(void **state)
{
	static struct tone_line line;
	static char score[(TONES_HEARD + 10) * 5 + 1];

	for (unsigned i = 0; i < TONES_HEARD + 10; i++)
		memcpy(score + i * 5, "aa...", 5);
	play(&line, score);
	assert_int_equal(line.count, TONES_HEARD);
	assert_true(line.lost >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bank_has_limits),
		cmocka_unit_test(every_tone_is_found_alone_at_its_level),
		cmocka_unit_test(every_pair_is_told_apart),
		cmocka_unit_test(silence_and_noise_are_no_tones),
		cmocka_unit_test(the_time_line_has_beginnings_ends_and_breaks),
		cmocka_unit_test(a_pause_ends_what_is_heard),
		cmocka_unit_test(a_full_time_line_counts_what_it_lost),
	};

	return cmocka_run_group_tests(tests, make_bank, NULL);
}
