/* SPDX-License-Identifier: Apache-2.0 */
#include "conceal.h"

#include "g711.h"
#include "mix.h"

#include <string.h>

static int16_t blend(int32_t from, int32_t to, int32_t at, int32_t length)
{
	return (int16_t)((from * (length - at) + to * at) / length);
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
	int16_t part[2][CONCEAL_HISTORY];
	const int16_t *recent = part[0] + CONCEAL_PITCH_MAX;
	uint32_t least = UINT32_MAX;
	unsigned pitch = 0, shift = c->scale - 1u; /* the scale is 1 or 2: no division for each */

	for (unsigned i = 0; i < CONCEAL_HISTORY; i++) {
		part[0][i] = c->history[i * c->scale];
		part[1][i] = c->history[i * c->scale + c->scale - 1];
	}
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

static int16_t next_sample(struct conceal *c)
{
	const int32_t steady = (int32_t)(c->scale * CONCEAL_STEADY);
	const int32_t fade = (int32_t)(c->scale * CONCEAL_FADE);
	int32_t sample = c->cycle[c->at];

	c->at = (uint16_t)(c->at + 1 < c->pitch ? c->at + 1 : 0);
	if (c->missing >= steady)
		sample = sample * (fade - c->missing) / (int32_t)(CONCEAL_FADE - CONCEAL_STEADY) /
			 (c->scale == 2 ? 2 : 1);
	if (c->missing < fade)
		c->missing++;
	return (int16_t)sample;
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
		int quarter = c->pitch / 4;

		for (int i = 0; i < quarter && i < (int)samples; i++)
			pcm[i] = blend(next_sample(c), pcm[i], i, quarter);
		c->missing = 0;
	}
	remember(c, pcm, samples);
}

/*
 * The first cycle begins where what was heard ended: its first samples are moved by as much as the
 * last sample heard differed from the one a cycle before it, less and less.
 */
static size_t lead_in(struct conceal *c, int16_t *pcm, size_t samples)
{
	const int16_t *last = c->history + history_samples(c) - 1;
	int32_t offset = last[0] - last[-(int)c->pitch], length = c->pitch / 4;
	size_t i = 0;

	for (; i < (size_t)length && i < samples; i++) {
		int32_t sample = next_sample(c) + offset * (length - (int32_t)i) / length;

		pcm[i] = (int16_t)(sample > INT16_MAX   ? INT16_MAX
				   : sample < INT16_MIN ? INT16_MIN
							: sample);
	}
	return i;
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples)
{
	size_t made = 0;

	take_in(c);
	if (c->missing == 0) {
		begin_loss(c);
		made = lead_in(c, pcm, samples);
	}
	for (size_t i = made; i < samples; i++)
		pcm[i] = next_sample(c);
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
