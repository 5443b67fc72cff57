/* SPDX-License-Identifier: Apache-2.0 */
#include "tones.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FULL_SCALE    32768.0
#define FULL_SCALE_DB 3.17
#define RELATIVE_DB   26.0 /* tones softer than the loudest by this are its shadow */
#define TONE_SHARE    0.8  /* of a frame's power that is in its tones, or it is just sound */

enum { BEGIN_FRAMES = 2, END_FRAMES = 3 };

int tone_bank_init(struct tone_bank *bank, unsigned low_hz, unsigned high_hz, unsigned step_hz)
{
	if (low_hz == 0 || step_hz == 0 || high_hz < low_hz || high_hz >= TONES_RATE / 2 ||
		(high_hz - low_hz) / step_hz >= TONES_MAX)
		return -EINVAL;
	bank->count = 0;
	for (unsigned hz = low_hz; hz <= high_hz; hz += step_hz) {
		bank->hz[bank->count] = hz;
		bank->coefficient[bank->count++] = 2 * cos(2 * M_PI * hz / TONES_RATE);
	}
	return 0;
}

static double power_at(double coefficient, const int16_t *pcm)
{
	double s1 = 0, s2 = 0;

	for (unsigned i = 0; i < TONES_WINDOW; i++) {
		double s = pcm[i] + coefficient * s1 - s2;
		s2 = s1;
		s1 = s;
	}
	/* |X|^2 of a sine is (amplitude * N / 2)^2; its power is amplitude^2 / 2. */
	double square = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
	return square * 2 / ((double)TONES_WINDOW * TONES_WINDOW);
}

static double power_to_db(double power)
{
	double full = FULL_SCALE * FULL_SCALE / 2;

	return power <= full * 1e-10 ? -100 : 10 * log10(power / full) + FULL_SCALE_DB;
}

static double total_power(const int16_t *pcm)
{
	double sum = 0;

	for (unsigned i = 0; i < TONES_WINDOW; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / TONES_WINDOW;
}

void tone_bank_look(const struct tone_bank *bank, const int16_t *pcm, struct tone_frame *frame)
{
	double power[TONES_MAX], total = total_power(pcm), loudest = -100, in_tones = 0;

	memset(frame, 0, sizeof(*frame));
	frame->level_db[TONES_SOUND] = power_to_db(total);
	if (frame->level_db[TONES_SOUND] < TONES_FLOOR_DB)
		return;
	for (unsigned i = 0; i < bank->count; i++) {
		power[i] = power_at(bank->coefficient[i], pcm);
		frame->level_db[i] = power_to_db(power[i]);
		loudest = fmax(loudest, frame->level_db[i]);
	}
	for (unsigned i = 0; i < bank->count; i++) {
		bool peak = (i == 0 || power[i] >= power[i - 1]) &&
			    (i + 1 == bank->count || power[i] > power[i + 1]);
		if (!peak || frame->level_db[i] < fmax(TONES_FLOOR_DB, loudest - RELATIVE_DB))
			continue;
		frame->tones |= 1ull << i;
		in_tones += power[i];
	}
	if (in_tones < TONE_SHARE * total)
		frame->tones = 1ull << TONES_SOUND;
}

void tone_make(struct tone_maker *maker, unsigned hz, double level_db, int16_t *pcm, size_t n)
{
	double amplitude = hz == 0 ? 0 : FULL_SCALE * pow(10, (level_db - FULL_SCALE_DB) / 20);

	for (size_t i = 0; i < n; i++) {
		pcm[i] = (int16_t)lrint(fmin(amplitude * sin(maker->phase), INT16_MAX));
		maker->phase = fmod(maker->phase + 2 * M_PI * hz / TONES_RATE, 2 * M_PI);
	}
}

/* ---- the time line -------------------------------------------------------------------------- */

void tone_line_init(struct tone_line *line)
{
	memset(line, 0, sizeof(*line));
	for (unsigned i = 0; i <= TONES_MAX; i++)
		line->entry[i] = -1;
}

static void begin(struct tone_line *line, unsigned tone)
{
	if (line->count == TONES_HEARD) {
		line->lost++;
		return;
	}
	line->heard[line->count] = (struct tone_heard){
		.tone = tone,
		.from_ms = line->on_from_ms[tone],
		.frames = line->on[tone] - 1,
		.level_sum = line->on_level[tone],
		.open = true,
	};
	line->entry[tone] = (int)line->count++;
	line->off[tone] = 0;
}

static void add_on(struct tone_line *line, unsigned tone, double level, uint64_t from_ms,
	uint64_t to_ms, void (*told)(void *context, const struct tone_heard *entry), void *context)
{
	bool begun = false;

	if (line->entry[tone] < 0) {
		if (line->on[tone]++ == 0) {
			line->on_from_ms[tone] = from_ms;
			line->on_level[tone] = 0;
		}
		if (line->on[tone] >= BEGIN_FRAMES) {
			begin(line, tone);
			begun = line->entry[tone] >= 0;
		} else {
			line->on_level[tone] += level;
		}
		if (!begun)
			return;
	}
	struct tone_heard *entry = &line->heard[line->entry[tone]];
	entry->breaks += line->off[tone];
	line->off[tone] = 0;
	entry->frames++;
	entry->level_sum += level;
	entry->to_ms = to_ms;
	if (begun && told)
		told(context, entry);
}

static void end(struct tone_line *line, unsigned tone,
	void (*told)(void *context, const struct tone_heard *entry), void *context)
{
	struct tone_heard *entry = &line->heard[line->entry[tone]];
	entry->open = false;
	line->entry[tone] = -1;
	if (told)
		told(context, entry);
}

static void add_off(struct tone_line *line, unsigned tone,
	void (*told)(void *context, const struct tone_heard *entry), void *context)
{
	line->on[tone] = 0;
	if (line->entry[tone] >= 0 && ++line->off[tone] >= END_FRAMES)
		end(line, tone, told, context);
}

static void add_quiet(struct tone_line *line, bool quiet, uint64_t from_ms, uint64_t to_ms)
{
	if (quiet && !line->is_quiet) {
		if (line->quiet_count < TONES_HEARD)
			line->quiet[line->quiet_count++].from_ms = from_ms;
		else
			line->lost++;
	}
	if (quiet && line->quiet_count > 0)
		line->quiet[line->quiet_count - 1].to_ms = to_ms;
	line->is_quiet = quiet;
}

void tone_line_add(struct tone_line *line, const struct tone_frame *frame, uint64_t from_ms,
	uint64_t to_ms, void (*told)(void *context, const struct tone_heard *entry), void *context)
{
	for (unsigned tone = 0; tone <= TONES_MAX; tone++) {
		if (frame->tones >> tone & 1)
			add_on(line, tone, frame->level_db[tone], from_ms, to_ms, told, context);
		else
			add_off(line, tone, told, context);
	}
	add_quiet(line, frame->tones == 0, from_ms, to_ms);
}

void tone_line_break(struct tone_line *line,
	void (*told)(void *context, const struct tone_heard *entry), void *context)
{
	for (unsigned tone = 0; tone <= TONES_MAX; tone++) {
		line->on[tone] = 0;
		if (line->entry[tone] >= 0)
			end(line, tone, told, context);
	}
	line->is_quiet = false;
}

/* ---- G.711 ---------------------------------------------------------------------------------- */

static int segment_of(int value, int first_end)
{
	int segment = 0;

	while (segment < 7 && value > (first_end << segment | ((1 << segment) - 1)))
		segment++;
	return segment;
}

uint8_t tones_encode(bool a_law, int16_t sample)
{
	int value = sample;

	if (a_law) {
		int magnitude = (value < 0 ? -value - 1 : value) >> 3;
		int segment = segment_of(magnitude, 0x1f);
		int code = segment << 4 | (magnitude >> (segment < 2 ? 1 : segment) & 0x0f);
		return (uint8_t)(code ^ (value < 0 ? 0x55 : 0xd5));
	}
	int magnitude = value < 0 ? -value : value;
	magnitude = (magnitude > 32635 ? 32635 : magnitude) + 0x84;
	int segment = segment_of(magnitude, 0xff);
	int code = segment << 4 | (magnitude >> (segment + 3) & 0x0f);
	return (uint8_t) ~((value < 0 ? 0x80 : 0) | code);
}

int16_t tones_decode(bool a_law, uint8_t code)
{
	int c = a_law ? code ^ 0x55 : (uint8_t)~code;
	int segment = c >> 4 & 7, step = c & 0x0f, magnitude;

	if (!a_law) {
		magnitude = (((step << 3) + 0x84) << segment) - 0x84;
		return (int16_t)(c & 0x80 ? -magnitude : magnitude);
	}
	magnitude = (step << 4) + (segment == 0 ? 8 : 0x108);
	if (segment > 1)
		magnitude <<= segment - 1;
	return (int16_t)(c & 0x80 ? magnitude : -magnitude);
}
