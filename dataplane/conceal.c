/* SPDX-License-Identifier: Apache-2.0 */
#include "conceal.h"

#include <stdlib.h>
#include <string.h>

enum { STEADY = 80 /* samples before the fade begins */ };

static int16_t blend(int32_t from, int32_t to, int32_t at, int32_t length)
{
	return (int16_t)((from * (length - at) + to * at) / length);
}

static void remember(struct conceal *c, const int16_t *pcm, size_t samples)
{
	if (samples >= CONCEAL_HISTORY) {
		memcpy(c->history, pcm + samples - CONCEAL_HISTORY, sizeof(c->history));
		return;
	}
	memmove(c->history, c->history + samples,
		(CONCEAL_HISTORY - samples) * sizeof(c->history[0]));
	memcpy(c->history + CONCEAL_HISTORY - samples, pcm, samples * sizeof(pcm[0]));
}

/* The lag at which the last samples are most like those before them. */
static unsigned find_pitch(const int16_t *history)
{
	const int16_t *recent = history + CONCEAL_PITCH_MAX;
	uint32_t least = UINT32_MAX;
	unsigned pitch = CONCEAL_PITCH_MIN;

	for (unsigned lag = CONCEAL_PITCH_MIN; lag <= CONCEAL_PITCH_MAX; lag++) {
		uint32_t difference = 0;

		for (unsigned i = 0; i < CONCEAL_SPAN; i++)
			difference += (uint32_t)abs(recent[i] - recent[(int)i - (int)lag]);
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
	const int16_t *end = c->history + CONCEAL_HISTORY;

	c->pitch = (uint16_t)find_pitch(c->history);
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
	int32_t sample = c->cycle[c->at];

	c->at = (uint16_t)(c->at + 1 < c->pitch ? c->at + 1 : 0);
	if (c->missing >= STEADY)
		sample = sample * ((int32_t)CONCEAL_FADE - c->missing) /
			 ((int32_t)CONCEAL_FADE - STEADY);
	if (c->missing < CONCEAL_FADE)
		c->missing++;
	return (int16_t)sample;
}

void conceal_init(struct conceal *c)
{
	memset(c, 0, sizeof(*c));
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t samples)
{
	if (c->missing != 0) {
		int quarter = c->pitch / 4;

		for (int i = 0; i < quarter && i < (int)samples; i++)
			pcm[i] = blend(next_sample(c), pcm[i], i, quarter);
		c->missing = 0;
	}
	remember(c, pcm, samples);
}

void conceal_lost(struct conceal *c, int16_t *pcm, size_t samples)
{
	size_t begun = 0;

	if (c->missing == 0) {
		/* The tail of what was heard, reversed in time, leads into the first cycle. */
		begin_loss(c);
		int quarter = c->pitch / 4;
		for (; begun < (size_t)quarter && begun < samples; begun++)
			pcm[begun] = blend(c->history[CONCEAL_HISTORY - 1 - begun], next_sample(c),
				(int)begun, quarter);
	}
	for (size_t i = begun; i < samples; i++)
		pcm[i] = next_sample(c);
	remember(c, pcm, samples);
}

void conceal_join(int16_t *restrict next, const int16_t *restrict dropped, size_t samples)
{
	for (size_t i = 0; i < samples; i++)
		next[i] = blend(dropped[i], next[i], (int32_t)i, (int32_t)samples);
}
