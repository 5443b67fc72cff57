/* SPDX-License-Identifier: Apache-2.0 */
#include "inband_keys.h"

#include <math.h>
#include <string.h>

enum {
	GROUP = 4, /* low tones, and high ones */
	TONES = 2 * GROUP,
	LOOKS_BEGIN = 6,
	LOOKS_END = 5,
	/* of a sine of -9 and -7 dBm0 in 16 bits: 3.17 dBm0 overloads G.711 */
	PEAK_LOW = 8039,
	PEAK_HIGH = 10120,
};

static const char keys[GROUP][GROUP + 1] = {"123A", "456B", "789C", "*0#D"};

static const double tone_hz[TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
/* 2 cos(2 pi f / 8000) of each. */
static const float turn[TONES] = {1.7077378F, 1.6452810F, 1.5686870F, 1.4782046F, 1.1641040F,
	0.9963702F, 0.7986184F, 0.5685327F};

/*
 * Powers are squares of samples, summed over the window: a sine of amplitude a has a^2 W / 2. Least
 * of a tone: -32 dBm0, as a tone of -30 dBm0 has where it fills most of the window.
 */
static const float weakest = 569.0F * 569.0F * INBAND_KEYS_WINDOW / 2;
static const float share = 0.62F;         /* of all power that the pair has at least */
static const float beside = 4.0F;         /* a tone's power to that of others of its group: 6 dB */
static const float twist = 4.0F;          /* high to low, 6 dB */
static const float reverse_twist = 11.0F; /* low to high, 10.4 dB */

/* Power of each tone in the window, by Goertzel's filters side by side, and of everything. */
static float measure(const int16_t *window, float power[TONES])
{
	float last[TONES] = {0}, before[TONES] = {0}, all = 1;

	for (unsigned i = 0; i < INBAND_KEYS_WINDOW; i++) {
		float sample = window[i];

		all += sample * sample;
		for (unsigned t = 0; t < TONES; t++) {
			float next = sample + turn[t] * last[t] - before[t];

			before[t] = last[t];
			last[t] = next;
		}
	}
	for (unsigned t = 0; t < TONES; t++)
		power[t] = (last[t] * last[t] + before[t] * before[t] -
				   turn[t] * last[t] * before[t]) *
			   (2.0F / INBAND_KEYS_WINDOW);
	return all;
}

/* The strongest of a group, GROUP where none stands out. */
static unsigned strongest(const float power[GROUP])
{
	unsigned most = 0;

	for (unsigned i = 1; i < GROUP; i++)
		most = power[i] > power[most] ? i : most;
	for (unsigned i = 0; i < GROUP; i++)
		if (i != most && power[i] * beside > power[most])
			return GROUP;
	return most;
}

static char look(const int16_t *window)
{
	float power[TONES];
	float all = measure(window, power);
	unsigned row = strongest(power), column = strongest(power + GROUP);

	if (row == GROUP || column == GROUP)
		return '\0';
	float low = power[row], high = power[GROUP + column];
	if (low < weakest || high < weakest || high > low * twist || low > high * reverse_twist ||
		low + high < all * share)
		return '\0';
	return keys[row][column];
}

/* The key that begins with this look, or '\0'. */
static char judge(struct inband_keys *k, char seen)
{
	if (k->key && seen != k->key && ++k->missed == LOOKS_END)
		k->key = '\0';
	if (seen == k->key)
		k->missed = 0;
	if (seen != k->seen)
		k->looks = 0;
	k->seen = seen;
	if (seen == '\0' || k->looks == UINT8_MAX)
		return '\0';
	k->looks++;
	if (k->looks < LOOKS_BEGIN || seen == k->key)
		return '\0';
	k->key = seen;
	k->missed = 0;
	return seen;
}

static void push(struct inband_keys *k, const int16_t *pcm, size_t samples)
{
	memmove(k->window, k->window + samples,
		(INBAND_KEYS_WINDOW - samples) * sizeof(k->window[0]));
	memcpy(k->window + INBAND_KEYS_WINDOW - samples, pcm, samples * sizeof(pcm[0]));
	k->fresh = (uint8_t)(k->fresh + samples);
}

bool inband_keys_hear(struct inband_keys *k, const int16_t *pcm, size_t samples, char *digit)
{
	bool tone = k->key || k->seen;

	*digit = '\0';
	while (samples > 0) {
		size_t missing = INBAND_KEYS_STEP - k->fresh;
		size_t n = samples < missing ? samples : missing;

		push(k, pcm, n);
		pcm += n;
		samples -= n;
		if (k->fresh < INBAND_KEYS_STEP)
			break;
		k->fresh = 0;
		char begun = judge(k, look(k->window));
		if (begun)
			*digit = begun;
		tone = tone || k->seen;
	}
	return tone;
}

/* Adds a sine, by turning a pointer: two multiplications a sample. */
static void add_sine(double peak, double step, uint32_t from, int16_t *pcm, size_t samples)
{
	double now = peak * sin(step * from), before = peak * sin(step * ((double)from - 1));
	double turn_by = 2 * cos(step);

	for (size_t i = 0; i < samples; i++) {
		pcm[i] = (int16_t)(pcm[i] + (int)lrint(now));
		double next = turn_by * now - before;

		before = now;
		now = next;
	}
}

void inband_keys_tone(char digit, uint32_t rate_hz, uint32_t from, int16_t *pcm, size_t samples)
{
	memset(pcm, 0, samples * sizeof(pcm[0]));
	for (unsigned row = 0; row < GROUP; row++) {
		const char *column = digit ? strchr(keys[row], digit) : NULL;

		if (column == NULL)
			continue;
		double turns = 2 * M_PI / rate_hz;

		add_sine(PEAK_LOW, turns * tone_hz[row], from, pcm, samples);
		add_sine(PEAK_HIGH, turns * tone_hz[GROUP + (column - keys[row])], from, pcm,
			samples);
	}
}
