/* SPDX-License-Identifier: Apache-2.0 */
#include "conceal.h"

#include "g711.h"
#include "mix.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { FRAME = 160 };

static void tone(int16_t *pcm, unsigned frame)
{
	for (unsigned i = 0; i < FRAME; i++)
		pcm[i] = (int16_t)(8000 * sin(2 * M_PI * 150 * (frame * FRAME + i) / 8000.0));
}

static int largest_step(const int16_t *pcm, int16_t before)
{
	int largest = abs(pcm[0] - before);

	for (unsigned i = 1; i < FRAME; i++)
		largest = abs(pcm[i] - pcm[i - 1]) > largest ? abs(pcm[i] - pcm[i - 1]) : largest;
	return largest;
}

static void without_a_past_it_is_silent(void **state)
{
	struct conceal c;
	int16_t pcm[FRAME] = {1, 2, 3};

	conceal_init(&c, 8);
	conceal_lost(&c, pcm, FRAME);
	assert_int_equal(mix_level(pcm, FRAME), 0);
}

static void a_loss_goes_on_fades_and_blends_back(void **state)
{
	struct conceal c;
	int16_t pcm[FRAME];
	uint32_t level[8];
	unsigned frame = 0;
	int16_t last = 0;

	conceal_init(&c, 8);
	for (; frame < 10; frame++) {
		tone(pcm, frame);
		conceal_good(&c, pcm, FRAME);
		last = pcm[FRAME - 1];
	}
	for (unsigned lost = 0; lost < 8; lost++, frame++) {
		conceal_lost(&c, pcm, FRAME);
		assert_true(largest_step(pcm, last) < 3000);
		last = pcm[FRAME - 1];
		level[lost] = mix_level(pcm, FRAME);
	}
	assert_in_range(level[0], 2500, 6000);
	assert_true(level[1] < level[0] && level[2] < level[1]);
	assert_int_equal(level[4], 0);
	tone(pcm, frame);
	conceal_good(&c, pcm, FRAME);
	assert_true(largest_step(pcm, last) < 3000);
}

/* The repeated period of a tone is the tone: what is made up differs little from what was lost. */
static void a_steady_sound_goes_on_in_phase(void **state)
{
	struct conceal c;
	int16_t pcm[FRAME], lost[FRAME];

	conceal_init(&c, 8);
	for (unsigned frame = 0; frame < 5; frame++) {
		tone(pcm, frame);
		conceal_good(&c, pcm, FRAME);
	}
	conceal_lost(&c, pcm, FRAME);
	tone(lost, 5);
	for (unsigned i = 30; i < 80; i++)
		assert_true(abs(pcm[i] - lost[i]) < 1200);
}

/* How far what is made up for 10 ms is from what was lost: power against power; silence is 1. */
static double error_share(uint32_t rate_khz, double hz)
{
	struct conceal c;
	unsigned samples = 20 * rate_khz;
	int16_t pcm[2 * FRAME];
	double wrong = 0, right = 0;

	conceal_init(&c, rate_khz);
	for (unsigned at = 0; at <= 5 * samples; at += samples) {
		for (unsigned i = 0; i < samples; i++)
			pcm[i] = (int16_t)(8000 *
					   sin(2 * M_PI * hz * (at + i) / (rate_khz * 1000.0)));
		if (at < 5 * samples) {
			conceal_good(&c, pcm, samples);
			continue;
		}
		int16_t lost[2 * FRAME];

		conceal_lost(&c, lost, samples);
		for (unsigned i = 0; i < samples / 2; i++) {
			wrong += (lost[i] - pcm[i]) * (double)(lost[i] - pcm[i]);
			right += pcm[i] * (double)pcm[i];
		}
	}
	return wrong / right;
}

static void voices_of_every_pitch_go_on_at_both_rates(void **state)
{
	static const double hz[] = {80, 100, 125, 160, 200, 250, 320};

	for (unsigned i = 0; i < 7; i++) {
		double narrow = error_share(8, hz[i]), wide = error_share(16, hz[i]);

		assert_true(narrow < 0.001);
		assert_true(wide < 0.001);
	}
}

static void a_repeated_frame_does_not_click(void **state)
{
	for (unsigned hz = 70; hz < 400; hz += 7) {
		struct conceal c;
		int16_t pcm[3 * FRAME];
		int steepest = (int)(8000 * 2 * M_PI * hz / 8000) + 8;

		/* Frame 0, then frame 1 twice, of a record without a past. */
		for (unsigned i = 0; i < 2 * FRAME; i++)
			pcm[i] = (int16_t)(8000 * sin(2 * M_PI * hz * i / 8000.0));
		memcpy(pcm + 2 * FRAME, pcm + FRAME, FRAME * sizeof(*pcm));
		conceal_init(&c, 8);
		conceal_repeat(&c, pcm + FRAME, FRAME);
		conceal_good(&c, pcm + 2 * FRAME, FRAME);
		for (unsigned i = 1; i < 3 * FRAME; i++)
			assert_true(abs(pcm[i] - pcm[i - 1]) < 2 * steepest + 900);
	}
}

/* Whether frames were kept as codes or passed through as samples makes no difference to the ear. */
static void codes_are_as_good_as_samples(void **state)
{
	struct conceal c, of_codes;
	uint32_t seed = 5, kept = 0;

	conceal_init(&c, 8);
	conceal_init(&of_codes, 8);
	for (unsigned frame = 0; frame < 2000; frame++) {
		enum cord_codec codec = frame / 100 % 2 ? CORD_CODEC_PCMA : CORD_CODEC_PCMU;
		int16_t pcm[FRAME], other[FRAME];
		uint8_t codes[FRAME];

		seed = seed * 1664525u + 1013904223u;
		unsigned what = seed >> 24;

		tone(pcm, frame);
		g711_encode(codec, codes, pcm, FRAME);
		g711_decode(codec, pcm, codes, FRAME);
		memcpy(other, pcm, sizeof(pcm));
		if (what < 40) {
			conceal_lost(&c, pcm, FRAME);
			conceal_lost(&of_codes, other, FRAME);
		} else if (what < 50) {
			conceal_repeat(&c, pcm, FRAME);
			conceal_repeat(&of_codes, other, FRAME);
		} else {
			conceal_good(&c, pcm, FRAME);
			if (conceal_keep(&of_codes, codec, codes))
				kept++;
			else
				conceal_good(&of_codes, other, FRAME);
		}
		assert_memory_equal(pcm, other, sizeof(pcm));
	}
	assert_in_range(kept, 1000, 1600);
	conceal_init(&c, 16);
	assert_false(conceal_keep(&c, CORD_CODEC_PCMU, (const uint8_t[FRAME]){0}));
}

static void frames_of_every_length_are_taken(void **state)
{
	struct conceal c;
	int16_t pcm[960];

	for (size_t samples = 1; samples <= 960; samples++) {
		conceal_init(&c, samples % 2 ? 8 : 16);
		for (unsigned n = 0; n < 20; n++) {
			for (size_t i = 0; i < samples; i++)
				pcm[i] = (int16_t)(n * 2654435u + i * 40503u);
			if (n % 3 == 2)
				conceal_lost(&c, pcm, samples);
			else
				conceal_good(&c, pcm, samples);
		}
	}
}

static void joined_frames_do_not_click(void **state)
{
	int16_t dropped[FRAME], next[FRAME];

	tone(dropped, 3);
	tone(next, 4);
	int16_t first = dropped[0], end = next[FRAME - 1];
	conceal_join(next, dropped, FRAME);
	assert_int_equal(next[0], first);
	assert_true(abs(next[FRAME - 1] - end) < 200);
	assert_true(largest_step(next, first) < 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_past_it_is_silent),
		cmocka_unit_test(a_loss_goes_on_fades_and_blends_back),
		cmocka_unit_test(a_steady_sound_goes_on_in_phase),
		cmocka_unit_test(voices_of_every_pitch_go_on_at_both_rates),
		cmocka_unit_test(a_repeated_frame_does_not_click),
		cmocka_unit_test(codes_are_as_good_as_samples),
		cmocka_unit_test(frames_of_every_length_are_taken),
		cmocka_unit_test(joined_frames_do_not_click),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
