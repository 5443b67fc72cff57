/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half-band filter, judged by the spectrum of what it makes of tones: what passes, what is left
 * of images and aliases, and that pieces of any length give what the whole gives.
 */
#include "resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LONG = 8000 /* samples at 8 kHz: bins of 1 Hz */, FRAME = 160, SETTLE = 100 };

static int16_t narrow[LONG + SETTLE], wide[2 * (LONG + SETTLE)];

static void tone(int16_t *out, size_t samples, double hz, double rate, double amplitude)
{
	for (size_t i = 0; i < samples; i++)
		out[i] = (int16_t)lrint(amplitude * sin(2 * M_PI * hz * (double)i / rate));
}

/* Amplitude of a frequency in the second that begins after the filter has settled. */
static double amplitude(const int16_t *pcm, size_t samples, double hz, double rate)
{
	double a = 0, b = 0;

	for (size_t i = 0; i < samples; i++) {
		a += pcm[i] * cos(2 * M_PI * hz * (double)i / rate);
		b += pcm[i] * sin(2 * M_PI * hz * (double)i / rate);
	}
	return 2 * hypot(a, b) / (double)samples;
}

static double decibels(double ratio)
{
	return 20 * log10(ratio + 1e-9);
}

static void up(const int16_t *in, int16_t *out, size_t samples)
{
	struct resample_up r = {0};

	for (size_t done = 0; done < samples; done += FRAME) {
		size_t n = samples - done < FRAME ? samples - done : FRAME;

		resample_up(&r, out + 2 * done, in + done, n);
	}
}

static void down(const int16_t *in, int16_t *out, size_t samples)
{
	struct resample_down r = {0};

	for (size_t done = 0; done < samples; done += FRAME) {
		size_t n = samples - done < FRAME ? samples - done : FRAME;

		resample_down(&r, out + done, in + 2 * done, n);
	}
}

static void up_passes_the_band_and_rejects_its_image(void **state)
{
	double least = 0, most = 0, image = -200;

	for (double hz = 100; hz <= 3400; hz += 100) {
		tone(narrow, LONG + SETTLE, hz, 8000, 20000);
		up(narrow, wide, LONG + SETTLE);
		double pass = decibels(amplitude(wide + 2 * SETTLE, 2 * LONG, hz, 16000) / 20000);
		double ghost =
			decibels(amplitude(wide + 2 * SETTLE, 2 * LONG, 8000 - hz, 16000) / 20000);

		least = pass < least ? pass : least;
		most = pass > most ? pass : most;
		image = ghost > image ? ghost : image;
	}
	print_message(
		"8 to 16 kHz: %.4f to %.4f dB up to 3.4 kHz, image %.1f dB\n", least, most, image);
	assert_true(least > -0.01 && most < 0.01);
	assert_true(image < -62);
}

static void down_passes_the_band_and_rejects_what_would_fold_into_it(void **state)
{
	double least = 0, most = 0, alias = -200;

	for (double hz = 100; hz <= 7900; hz += 100) {
		if (hz > 3400 && hz < 4600)
			continue;
		tone(wide, 2 * (LONG + SETTLE), hz, 16000, 20000);
		down(wide, narrow, LONG + SETTLE);
		double heard = hz < 4000 ? hz : 8000 - hz;
		double level = decibels(amplitude(narrow + SETTLE, LONG, heard, 8000) / 20000);

		if (hz > 4000) {
			alias = level > alias ? level : alias;
			continue;
		}
		least = level < least ? level : least;
		most = level > most ? level : most;
	}
	print_message(
		"16 to 8 kHz: %.4f to %.4f dB up to 3.4 kHz, alias %.1f dB\n", least, most, alias);
	assert_true(least > -0.01 && most < 0.01);
	assert_true(alias < -62);
}

/* Everything that is in the output and not the tone: images, rounding, what chunks leave behind. */
static void nothing_but_the_tone_is_left(void **state)
{
	const double hz[] = {200, 1000, 3000};

	for (size_t k = 0; k < sizeof(hz) / sizeof(hz[0]); k++) {
		double all = 0;

		tone(narrow, LONG + SETTLE, hz[k], 8000, 20000);
		up(narrow, wide, LONG + SETTLE);
		for (size_t i = 2 * SETTLE; i < 2 * (LONG + SETTLE); i++)
			all += (double)wide[i] * wide[i];
		double a = amplitude(wide + 2 * SETTLE, 2 * LONG, hz[k], 16000);
		double rest = all / (2 * LONG) - a * a / 2;

		assert_true(10 * log10(rest / (a * a / 2)) < -60);
	}
}

static void pieces_give_what_the_whole_gives(void **state)
{
	static int16_t whole[2 * RESAMPLE_MAX], parts[2 * RESAMPLE_MAX];
	const size_t pieces[] = {1, 2, 40, 80, 7, 160, 190};
	struct resample_up u = {0}, u2 = {0};
	struct resample_down d = {0}, d2 = {0};
	size_t done = 0;

	srand(1);
	for (size_t i = 0; i < 2 * RESAMPLE_MAX; i++)
		wide[i] = (int16_t)(rand() % 65536 - 32768);
	resample_up(&u, whole, wide, RESAMPLE_MAX);
	for (size_t k = 0; k < 7; done += pieces[k++])
		resample_up(&u2, parts + 2 * done, wide + done, pieces[k]);
	assert_int_equal(done, RESAMPLE_MAX);
	assert_memory_equal(parts, whole, sizeof(whole));
	resample_down(&d, whole, wide, RESAMPLE_MAX);
	for (size_t k = 0, at = 0; k < 7; at += pieces[k++])
		resample_down(&d2, parts + at, wide + 2 * at, pieces[k]);
	assert_memory_equal(parts, whole, RESAMPLE_MAX * sizeof(whole[0]));
}

/* The signs that make the sums largest are clipped, not wrapped. */
static void the_loudest_input_is_clipped(void **state)
{
	static const int8_t sign[24] = {
		-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1};
	struct resample_up u = {0};
	struct resample_down d = {0};
	int16_t in[48], out[48];

	for (int i = 0; i < 24; i++)
		in[i] = sign[i] > 0 ? 32767 : -32768;
	resample_up(&u, out, in, 24);
	assert_int_equal(out[47], 32767);
	for (int i = 0; i < 48; i++)
		in[i] = i & 1 ? (sign[i / 2] > 0 ? 32767 : -32768) : 32767;
	resample_down(&d, out, in, 24);
	assert_int_equal(out[23], 32767);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_passes_the_band_and_rejects_its_image),
		cmocka_unit_test(down_passes_the_band_and_rejects_what_would_fold_into_it),
		cmocka_unit_test(nothing_but_the_tone_is_left),
		cmocka_unit_test(pieces_give_what_the_whole_gives),
		cmocka_unit_test(the_loudest_input_is_clipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
