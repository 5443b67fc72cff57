/* SPDX-License-Identifier: Apache-2.0 */
#include "media/audio.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define TONES_MAX     8  /* at the same time */
#define PARTS_MAX     64 /* one after the other */
#define PART_MAX_NS   (UINT64_C(300) * 1000000000)
#define LEVEL_DEFAULT (-10)
#define LEVEL_MIN     (-60)
#define LEVEL_MAX     3
#define RAMP          (AUDIO_RATE * 4 / 1000)
#define FRAME         (AUDIO_RATE / 50)
/* The sine of full scale is 3.14 dBm0 (ITU-T G.711). */
#define FULL_SCALE_DBM0 3.14

struct part {
	uint32_t hz[TONES_MAX];
	unsigned n;
	uint32_t samples;
	int64_t level;
};

struct plan {
	struct part parts[PARTS_MAX];
	unsigned n;
	uint32_t samples;
};

static int complain(char *wrong, const char *what, struct str where)
{
	if (wrong)
		snprintf(wrong, AUDIO_WRONG_SIZE, "%s in '%.*s'", what,
			where.n > 60 ? 60 : (int)where.n, where.p);
	return -EINVAL;
}

static int parse_tones(struct str text, struct part *part, char *wrong)
{
	struct str rest = text, one;

	while (str_split(&rest, ',', &one)) {
		uint32_t hz;

		if (part->n == TONES_MAX)
			return complain(wrong, "more than 8 tones at a time", text);
		if (str_to_u32(str_trim(one), &hz) || hz >= AUDIO_RATE / 2)
			return complain(wrong, "expected a frequency of 0 to 3999 Hz", text);
		part->hz[part->n++] = hz;
	}
	return part->n ? 0 : complain(wrong, "expected a frequency", text);
}

static int parse_part(struct str text, struct part *part, char *wrong)
{
	struct str rest = text, tones = {0}, length = {0}, level = {0};
	uint64_t ns;

	*part = (struct part){.level = LEVEL_DEFAULT};
	str_split(&rest, ':', &tones);
	str_split(&rest, ':', &length);
	if (parse_tones(tones, part, wrong))
		return -EINVAL;
	if (duration_parse(str_trim(length), &ns) || ns == 0 || ns > PART_MAX_NS)
		return complain(wrong, "expected a duration up to 5m", text);
	if (rest.p) {
		str_split(&rest, ':', &level);
		if (rest.p || str_to_i64(str_trim(level), &part->level) ||
			part->level < LEVEL_MIN || part->level > LEVEL_MAX)
			return complain(wrong, "expected a level of -60 to 3 dBm0", text);
	}
	part->samples = (uint32_t)(ns * AUDIO_RATE / 1000000000u);
	return part->samples ? 0 : complain(wrong, "expected a longer duration", text);
}

static int parse(struct str spec, struct plan *plan, char *wrong)
{
	struct str rest, one;

	memset(plan, 0, sizeof(*plan));
	if (!str_starts(spec, STR("tone:")))
		return complain(wrong, "expected tone:", spec);
	rest = str_skip(spec, 5);
	while (str_split(&rest, '/', &one)) {
		if (plan->n == PARTS_MAX)
			return complain(wrong, "more than 64 parts", spec);
		if (parse_part(one, &plan->parts[plan->n], wrong))
			return -EINVAL;
		plan->samples += plan->parts[plan->n++].samples;
		if (plan->samples > AUDIO_SAMPLES_MAX)
			return complain(wrong, "longer than an hour", spec);
	}
	return 0;
}

/* Whole cycles need no ramp at the ends and join without a click when they are looped. */
static bool whole_cycles(const struct part *part)
{
	for (unsigned t = 0; t < part->n; t++)
		if ((uint64_t)part->hz[t] * part->samples % AUDIO_RATE != 0)
			return false;
	return true;
}

static double ramp_at(uint32_t i, uint32_t n)
{
	uint32_t edge = i < n - 1 - i ? i : n - 1 - i;

	return edge >= RAMP ? 1 : 0.5 - 0.5 * cos(M_PI * (edge + 0.5) / RAMP);
}

static void render_part(const struct part *part, int16_t *out)
{
	bool ramp = !whole_cycles(part);
	double amplitude = 32767 * pow(10, ((double)part->level - FULL_SCALE_DBM0) / 20);

	for (uint32_t i = 0; i < part->samples; i++) {
		double sum = 0;

		for (unsigned t = 0; t < part->n; t++) {
			uint64_t turn = (uint64_t)part->hz[t] * i % AUDIO_RATE;

			sum += sin(2 * M_PI * (double)turn / AUDIO_RATE);
		}
		sum *= amplitude * (ramp ? ramp_at(i, part->samples) : 1);
		out[i] = (int16_t)lrint(sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum);
	}
}

int audio_tone_check(struct str spec, char *wrong)
{
	struct plan plan;

	return parse(spec, &plan, wrong);
}

int audio_tone(struct str spec, struct audio *out, char *wrong)
{
	struct plan plan;
	struct audio a;
	uint32_t at = 0;

	if (parse(spec, &plan, wrong))
		return -EINVAL;
	a.n = (plan.samples + FRAME - 1) / FRAME * FRAME;
	a.samples = calloc(a.n ? a.n : 1, sizeof(*a.samples));
	if (!a.samples)
		return -ENOMEM;
	for (unsigned i = 0; i < plan.n; i++) {
		render_part(&plan.parts[i], a.samples + at);
		at += plan.parts[i].samples;
	}
	*out = a;
	return 0;
}
