/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tones for tests: makes them, finds them again, and keeps a time line of what was heard.
 *
 * A bank of Goertzel filters looks at 20 ms (160 samples at 8 kHz). Frequencies that are multiples
 * of 50 Hz do not disturb each other in that window, so several can be told apart at once. Levels
 * are in dBm0: a sine that fills 16 bits has +3.17.
 */
#ifndef TONES_H
#define TONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TONES_MAX      48u /* filters in a bank */
#define TONES_WINDOW   160u
#define TONES_RATE     8000u
#define TONES_SOUND    TONES_MAX /* "tone" of sound that is none: speech, noise, a click */
#define TONES_HEARD    512u      /* entries kept in a time line */
#define TONES_FLOOR_DB -45.0     /* what is softer is silence */

struct tone_bank {
	unsigned count;
	unsigned hz[TONES_MAX];
	double coefficient[TONES_MAX];
};

/* Filters at low, low + step, ... high. Returns 0, or -EINVAL when that is no 1..TONES_MAX. */
int tone_bank_init(struct tone_bank *bank, unsigned low_hz, unsigned high_hz, unsigned step_hz);

struct tone_frame {
	uint64_t tones; /* bit n: filter n; bit TONES_SOUND: sound that is no tone */
	double level_db[TONES_MAX + 1];
};

/* Looks at TONES_WINDOW samples. */
void tone_bank_look(const struct tone_bank *bank, const int16_t *pcm, struct tone_frame *frame);

/* Makes a tone with a steady phase; 0 Hz is silence. */
struct tone_maker {
	double phase;
};

void tone_make(struct tone_maker *maker, unsigned hz, double level_db, int16_t *pcm, size_t n);

/* ---- the time line -------------------------------------------------------------------------- */

struct tone_heard {
	unsigned tone; /* index in the bank, or TONES_SOUND */
	uint64_t from_ms, to_ms;
	unsigned frames; /* in which it was heard */
	unsigned breaks; /* frames in between in which it was not */
	double level_sum;
	bool open;
};

struct tone_span {
	uint64_t from_ms, to_ms;
};

/*
 * A tone begins with the first of two frames in a row that have it and ends with the last frame
 * before three in a row that have it not. Single frames without it are its breaks.
 */
struct tone_line {
	struct tone_heard heard[TONES_HEARD];
	struct tone_span quiet[TONES_HEARD]; /* runs of frames with neither tone nor sound */
	unsigned count, quiet_count;
	unsigned lost;               /* entries for which there was no room */
	int entry[TONES_MAX + 1];    /* open entry of a tone, -1: none */
	unsigned on[TONES_MAX + 1];  /* frames in a row with it, while there is no entry */
	unsigned off[TONES_MAX + 1]; /* frames in a row without it, while there is one */
	double on_level[TONES_MAX + 1];
	uint64_t on_from_ms[TONES_MAX + 1];
	bool is_quiet;
};

void tone_line_init(struct tone_line *line);

/*
 * Adds a frame. Calls told(context, entry) when a tone has begun (entry->open) and when it has
 * ended; told may be NULL.
 */
void tone_line_add(struct tone_line *line, const struct tone_frame *frame, uint64_t from_ms,
	uint64_t to_ms, void (*told)(void *context, const struct tone_heard *entry), void *context);

/* Ends all tones: no sound has come for a while. */
void tone_line_break(struct tone_line *line,
	void (*told)(void *context, const struct tone_heard *entry), void *context);

static inline double tone_heard_level(const struct tone_heard *entry)
{
	return entry->level_sum / (entry->frames ? entry->frames : 1);
}

/* ---- G.711, one sample at a time, by the segment search of the recommendation ---------------- */

uint8_t tones_encode(bool a_law, int16_t sample);
int16_t tones_decode(bool a_law, uint8_t code);

#endif
