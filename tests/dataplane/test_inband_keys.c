/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the sound, by the numbers of ITU-T Q.24, through G.711. */
#include "inband_keys.h"

#include "dtmf_reference.h"
#include "g711.h"
#include "speech.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { HZ = 8000, FRAME = 160, SAMPLES_MAX = 60 * HZ };

static const char keys[] = "123A456B789C*0#D";
static const double row[] = {697, 770, 852, 941}, column[] = {1209, 1336, 1477, 1633};

static int16_t sound[SAMPLES_MAX];
static size_t samples;

struct tone {
	double low_dbm0, high_dbm0;
	double off; /* share by which both frequencies are off */
	double on_ms, gap_ms;
};

static const struct tone ordinary = {-10, -10, 0, 50, 50};

/* A sine of 0 dBm0 has its peak at 3.14 dB below overload in the mu-law (ITU-T G.711). */
static double peak(double dbm0)
{
	return 32635 * pow(10, (dbm0 - 3.17) / 20);
}

static void silence(double ms)
{
	size_t n = (size_t)(ms * HZ / 1000);

	memset(sound + samples, 0, n * sizeof(*sound));
	samples += n;
}

static void press(char key, const struct tone *t)
{
	size_t which = (size_t)(strchr(keys, key) - keys), n = (size_t)(t->on_ms * HZ / 1000);
	double low = 2 * M_PI * row[which / 4] * (1 + t->off) / HZ;
	double high = 2 * M_PI * column[which % 4] * (1 + t->off) / HZ;

	for (size_t i = 0; i < n; i++) {
		double s = peak(t->low_dbm0) * sin(low * (double)i) +
			   peak(t->high_dbm0) * sin(high * (double)i);
		sound[samples++] = (int16_t)lrint(fmax(-32768, fmin(32767, s)));
	}
	silence(t->gap_ms);
}

static void add_noise(double dbm0, unsigned seed)
{
	double scale = peak(dbm0) / sqrt(2) * sqrt(3) / 32768;

	for (size_t i = 0; i < samples; i++) {
		seed = seed * 1664525u + 1013904223u;
		sound[i] = (int16_t)(sound[i] + (int16_t)(seed >> 16) * scale);
	}
}

/* Begins a sound; `ms` shifts it against the blocks of the detector. */
static void begin(double ms)
{
	samples = 0;
	silence(ms);
}

/* What is told of the sound, after G.711. */
static const char *hear(unsigned *muted)
{
	static char told[1000];
	struct inband_keys k;
	size_t n = 0;

	*muted = 0;
	memset(&k, 0, sizeof(k));
	silence(40);
	for (size_t at = 0; at + FRAME <= samples; at += FRAME) {
		uint8_t codes[FRAME];
		int16_t pcm[FRAME];
		char digit;

		g711_encode_mu(codes, sound + at, FRAME);
		g711_decode_mu(pcm, codes, FRAME);
		*muted += inband_keys_hear(&k, pcm, FRAME, &digit);
		if (digit && n + 1 < sizeof(told))
			told[n++] = digit;
	}
	told[n] = '\0';
	return told;
}

static const char *hear_all(const struct tone *t, double shift_ms)
{
	unsigned muted;

	begin(shift_ms);
	for (const char *key = keys; *key; key++)
		press(*key, t);
	return hear(&muted);
}

static void assert_heard(const struct tone *t)
{
	for (unsigned shift = 0; shift < 26; shift++)
		assert_string_equal(hear_all(t, shift), keys);
}

static void assert_not_heard(const struct tone *t)
{
	for (unsigned shift = 0; shift < 26; shift++)
		assert_string_equal(hear_all(t, shift), "");
}

static void all_keys_are_heard_at_every_level(void **state)
{
	for (int level = -27; level <= 0; level++) {
		struct tone t = ordinary;

		t.low_dbm0 = t.high_dbm0 = level;
		assert_heard(&t);
	}
}

static void what_is_too_soft_is_no_key(void **state)
{
	struct tone t = ordinary;

	t.low_dbm0 = t.high_dbm0 = -40;
	assert_not_heard(&t);
}

static void twist_is_taken_as_far_as_allowed(void **state)
{
	struct tone t = ordinary;

	for (int twist = -8; twist <= 4; twist++) {
		t.low_dbm0 = -12;
		t.high_dbm0 = t.low_dbm0 + twist;
		assert_heard(&t);
	}
	t.high_dbm0 = t.low_dbm0 + 14;
	assert_not_heard(&t);
	t.high_dbm0 = t.low_dbm0 - 14;
	assert_not_heard(&t);
}

static void forty_ms_are_a_key_and_23_are_none(void **state)
{
	struct tone t = ordinary;

	t.on_ms = t.gap_ms = 40;
	assert_heard(&t);
	t.gap_ms = 53; /* 93 ms a digit */
	assert_heard(&t);
	t.on_ms = 23;
	assert_not_heard(&t);
}

static void frequencies_may_be_off_a_little(void **state)
{
	struct tone t = ordinary;

	for (int sign = -1; sign <= 1; sign += 2) {
		t.off = sign * 0.015;
		assert_heard(&t);
		t.off = sign * 0.035;
		assert_not_heard(&t);
	}
}

static void an_interruption_of_10_ms_is_within_one_key(void **state)
{
	unsigned muted;

	for (unsigned shift = 0; shift < 26; shift++) {
		struct tone part = ordinary;

		part.on_ms = 60;
		part.gap_ms = 10;
		begin(shift);
		press('5', &part);
		part.gap_ms = 100;
		press('5', &part);
		assert_string_equal(hear(&muted), "5");
	}
}

static void a_long_key_is_one(void **state)
{
	struct tone t = ordinary;
	unsigned muted;

	t.on_ms = 12000;
	begin(0);
	press('#', &t);
	assert_string_equal(hear(&muted), "#");
	assert_in_range(muted, 599, 603);
}

static void noise_does_not_hide_keys(void **state)
{
	for (unsigned seed = 1; seed < 20; seed++) {
		unsigned muted;

		begin(seed);
		for (const char *key = keys; *key; key++)
			press(*key, &ordinary);
		add_noise(-26, seed);
		assert_string_equal(hear(&muted), keys);
	}
}

static void noise_alone_is_no_key(void **state)
{
	for (unsigned seed = 1; seed < 10; seed++) {
		unsigned muted;

		begin(0);
		silence(50000);
		add_noise(-10, seed);
		assert_string_equal(hear(&muted), "");
	}
}

static void speech_is_no_key(void **state)
{
	size_t spoken;
	int16_t *speech = speech_say(8, &spoken);

	for (int gain = 1; gain <= 4; gain *= 2) {
		unsigned muted;

		for (samples = 0; samples < spoken && samples < SAMPLES_MAX - HZ; samples++)
			sound[samples] = (int16_t)(speech[samples] / gain);
		assert_string_equal(hear(&muted), "");
		/* Of 2400 frames 3 seem to be a tone for 5 ms. */
		assert_true(muted * 500 < samples / FRAME);
	}
	free(speech);
}

/* A lost frame that is not listened to interrupts no key. */
static void a_lost_frame_leaves_one_key(void **state)
{
	for (unsigned lost = 1; lost < 7; lost++) {
		struct inband_keys k;
		struct tone t = ordinary;
		unsigned told = 0;

		t.on_ms = 120;
		begin(10);
		press('8', &t);
		silence(60);
		memset(&k, 0, sizeof(k));
		for (size_t at = 0; at + FRAME <= samples; at += FRAME) {
			char digit = '\0';

			if (at / FRAME != lost)
				inband_keys_hear(&k, sound + at, FRAME, &digit);
			told += digit == '8';
		}
		assert_int_equal(told, 1);
	}
}

/* What is not muted of a tone, before it is noticed and after, is less than any receiver takes. */
static void little_is_heard_of_a_tone(void **state)
{
	for (unsigned shift = 0; shift < 160; shift++) {
		struct inband_keys k;
		struct tone t = ordinary;
		size_t open = 0;

		t.on_ms = 80;
		samples = shift;
		memset(sound, 0, shift * sizeof(*sound));
		press('1', &t);
		silence(60);
		memset(&k, 0, sizeof(k));
		for (size_t at = 0; at + FRAME <= samples; at += FRAME) {
			char digit;

			if (inband_keys_hear(&k, sound + at, FRAME, &digit))
				continue;
			for (size_t i = at; i < at + FRAME; i++)
				open += i >= shift && i < shift + 80 * HZ / 1000;
		}
		assert_true(open < 23 * HZ / 1000);
	}
}

/* Ours, as we hear it and as another receiver does. */
static void what_we_send_is_heard(void **state)
{
	for (uint32_t rate_hz = 8000; rate_hz <= 16000; rate_hz *= 2) {
		char told[40];
		unsigned muted;

		begin(0);
		for (const char *key = keys; *key; key++) {
			for (uint32_t from = 0; from < 4; from++, samples += FRAME) {
				int16_t pcm[2 * FRAME];
				uint32_t n = rate_hz / 50;

				inband_keys_tone(*key, rate_hz, from * n, pcm, n);
				for (unsigned i = 0; i < FRAME; i++)
					sound[samples + i] = pcm[i * (n / FRAME)];
			}
			silence(60);
		}
		assert_string_equal(hear(&muted), keys);
		dtmf_reference_hear(sound, samples, told, sizeof(told));
		assert_string_equal(told, keys);
	}
}

static void what_is_no_key_is_sent_as_silence(void **state)
{
	for (int c = -128; c < 128; c++) {
		int16_t pcm[FRAME];
		unsigned loud = 0;

		inband_keys_tone((char)c, 8000, 7, pcm, FRAME);
		for (unsigned i = 0; i < FRAME; i++)
			loud += pcm[i] != 0;
		assert_int_equal(loud > 0, c && strchr(keys, c) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_are_heard_at_every_level),
		cmocka_unit_test(what_is_too_soft_is_no_key),
		cmocka_unit_test(twist_is_taken_as_far_as_allowed),
		cmocka_unit_test(forty_ms_are_a_key_and_23_are_none),
		cmocka_unit_test(frequencies_may_be_off_a_little),
		cmocka_unit_test(an_interruption_of_10_ms_is_within_one_key),
		cmocka_unit_test(a_long_key_is_one),
		cmocka_unit_test(noise_does_not_hide_keys),
		cmocka_unit_test(noise_alone_is_no_key),
		cmocka_unit_test(speech_is_no_key),
		cmocka_unit_test(a_lost_frame_leaves_one_key),
		cmocka_unit_test(what_we_send_is_heard),
		cmocka_unit_test(what_is_no_key_is_sent_as_silence),
		cmocka_unit_test(little_is_heard_of_a_tone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
