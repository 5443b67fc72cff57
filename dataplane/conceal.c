/* SPDX-License-Identifier: Apache-2.0 */
#include "conceal.h"

#include "g711.h"
#include "mix.h"

#include <string.h>

/* A quarter of a cycle is blended at either end of what is made up. */
#define CONCEAL_QUARTER_MAX (2 * CONCEAL_PITCH_MAX / 4)

/*
 * As floats, of which several are divided at once. Nothing is lost: the sum is below 2^24, and a
 * part of 1/480 too far from the next whole number to be rounded to it.
 */
static int16_t blend(int32_t from, int32_t to, int32_t at, int32_t length)
{
	return (int16_t)((float)(from * (length - at) + to * at) / (float)length);
}

static size_t history_samples(const struct conceal *c)
{
	return (size_t)c->scale * CONCEAL_HISTORY;
}

static void remember(struct conceal *c, const int16_t *pcm, size_t samples)
{
	size_t all = history_samples(c);

	if (samples >= all) {
		memcpy(c->history, pcm + samples - all, all * sizeof(*pcm));
		return;
	}
	memmove(c->history, c->history + samples, (all - samples) * sizeof(*pcm));
	memcpy(c->history + all - samples, pcm, samples * sizeof(*pcm));
}

/* What was kept as codes becomes history. */
static void take_in(struct conceal *c)
{
	int16_t pcm[CONCEAL_CODES];

	for (; c->kept; c->kept--) {
		g711_decode((enum cord_codec)c->codec, pcm,
			c->codes[c->kept == 2 ? !c->latest : c->latest], CONCEAL_CODES);
		remember(c, pcm, CONCEAL_CODES);
	}
}

/*
 * The distance at which the last samples are most like those before them; of two at 16 kHz one is
 * compared, so the past is parted into what lies at even distances and at odd ones.
 */
static unsigned find_pitch(const struct conceal *c)
{
	int16_t even[CONCEAL_HISTORY], odd[CONCEAL_HISTORY];
	const int16_t *part[2] = {c->history, c->history};
	uint32_t least = UINT32_MAX;
	unsigned pitch = 0, shift = c->scale - 1u; /* the scale is 1 or 2: no division for each */

	if (c->scale == 2) {
		for (unsigned i = 0; i < CONCEAL_HISTORY; i++) {
			even[i] = c->history[2 * i];
			odd[i] = c->history[2 * i + 1];
		}
		part[0] = even;
		part[1] = odd;
	}
	const int16_t *recent = part[0] + CONCEAL_PITCH_MAX;

	for (unsigned lag = c->scale * CONCEAL_PITCH_MIN; lag <= c->scale * CONCEAL_PITCH_MAX;
		lag++) {
		unsigned from = c->scale * CONCEAL_PITCH_MAX - lag;
		uint32_t difference =
			mix_distance(recent, part[from & shift] + (from >> shift), CONCEAL_SPAN);

		if (difference < least) {
			least = difference;
			pitch = lag;
		}
	}
	return pitch;
}

/* The last quarter of the cycle turns into what preceded it, so that it meets its own beginning. */
static void begin_loss(struct conceal *c)
{
	const int16_t *end = c->history + history_samples(c);

	c->pitch = (uint16_t)find_pitch(c);
	c->at = 0;
	const int16_t *start = end - c->pitch;
	int quarter = c->pitch / 4;
	memcpy(c->cycle, start, c->pitch * sizeof(c->cycle[0]));
	for (int i = 0; i < quarter; i++) {
		int at = c->pitch - quarter + i;
		c->cycle[at] = blend(start[at], start[i - quarter], i + 1, quarter);
	}
}

/* Samples that are not silent yet, from `missing` on; the scale is said so that it is a constant. */
static inline size_t fade_at(int16_t *pcm, size_t samples, int32_t missing, int32_t scale)
{
	const int32_t steady = scale * (int32_t)CONCEAL_STEADY,
		      fade = scale * (int32_t)CONCEAL_FADE;
	int32_t loud = missing < fade ? fade - missing : 0;
	int32_t n = (int32_t)samples < loud ? (int32_t)samples : loud;

	for (int32_t i = missing < steady ? steady - missing : 0; i < n; i++)
		pcm[i] = (int16_t)(pcm[i] * (loud - i) / (fade - steady));
	return (size_t)n;
}

/* What comes next: the cycle again and again, faded. */
static void go_on(struct conceal *c, int16_t *pcm, size_t samples)
{
	const size_t fade = (size_t)c->scale * CONCEAL_FADE;
	size_t missing = c->missing + samples;

	for (size_t made = 0; made < samples;) {
		size_t n = (size_t)(c->pitch - c->at);

		n = n < samples - made ? n : samples - made;
		memcpy(pcm + made, c->cycle + c->at, n * sizeof(*pcm));
		c->at = (uint16_t)(c->at + n < c->pitch ? c->at + n : 0);
		made += n;
	}
	size_t loud = c->scale == 2 ? fade_at(pcm, samples, c->missing, 2)
				    : fade_at(pcm, samples, c->missing, 1);
	memset(pcm + loud, 0, (samples - loud) * sizeof(*pcm));
	c->missing = (uint16_t)(missing < fade ? missing : fade);
}

void conceal_init(struct conceal *c, uint32_t rate_khz)
{
	memset(c, 0, sizeof(*c));
	c->scale = rate_khz == 16 ? 2 : 1;
}

bool conceal_keep(struct conceal *c, enum cord_codec codec, const uint8_t *codes)
{
	if (c->missing != 0 || c->scale != 1)
		return false;
	if (c->codec != codec)
		take_in(c);
	c->codec = (uint8_t)codec;
	c->latest = !c->latest;
	c->kept = c->kept < 2 ? c->kept + 1 : 2;
	memcpy(c->codes[c->latest], codes, CONCEAL_CODES);
	return true;
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t samples)
{
	take_in(c);
	if (c->missing != 0) {
		int16_t made[CONCEAL_QUARTER_MAX];
		size_t quarter = c->pitch / 4u, n = quarter < samples ? quarter : samples;

		go_on(c, made, n);
		for (size_t i = 0; i < n; i++)
			pcm[i] = blend(made[i], pcm[i], (int32_t)i, (int32_t)quarter);
		c->missing = 0;
	}
	remember(c, pcm, samples);
}

/*
 * The first cycle begins where what was heard ended: its first samples are moved by as much as the
 * last sample heard differed from the one a cycle before it, less and less.
 */
static void lead_in(const struct conceal *c, int16_t *pcm, size_t samples)
{
	const int16_t *last = c->history + history_samples(c) - 1;
	int32_t offset = last[0] - last[-(int)c->pitch], length = c->pitch / 4;

	for (int32_t i = 0; i < length && i < (int32_t)samples; i++) {
		int32_t sample = pcm[i] + (int32_t)((float)(offset * (length - i)) / (float)length);

		pcm[i] = (int16_t)(sample > INT16_MAX   ? INT16_MAX
				   : sample < INT16_MIN ? INT16_MIN
							: sample);
	}
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples)
{
	bool first = c->missing == 0;

	take_in(c);
	if (first)
		begin_loss(c);
	go_on(c, pcm, samples);
	if (first)
		lead_in(c, pcm, samples);
	remember(c, pcm, samples);
}

void conceal_repeat(struct conceal *c, const int16_t *pcm, size_t samples)
{
	take_in(c);
	remember(c, pcm, samples);
	begin_loss(c);
	c->missing = 1;
}

void conceal_join(int16_t *restrict next, const int16_t *restrict dropped, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		next[i] = blend(dropped[i], next[i], (int32_t)i, (int32_t)samples);
}
