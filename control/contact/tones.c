/* SPDX-License-Identifier: Apache-2.0 */
/* What a leg hears that no flow says: ringback, and keys as tones. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

#define KEYS_OF_CLIP 20 /* keys that one specification of tones holds */

static int play_source(struct treatment *t, const char *source, struct clip **clip)
{
	char wrong[CLIPS_REASON_SIZE];
	int rc = clips_source(
		media_clips(t->leg->contact->board->media), str_from(source), wrong, clip);

	if (rc < 0)
		log_error_limited(NULL, "media", 10, "%s cannot be played: %s", source, wrong);
	return rc;
}

void treatment_ringback(struct treatment *t)
{
	struct clip *clip;

	if (play_source(t, t->leg->contact->board->config->ringback, &clip) == 0)
		treatment_play(t, &clip, 1, true);
}

/* ITU-T Q.23: each key is a tone of the low group and one of the high group. */
static size_t put_key(char *to, size_t size, char key, unsigned pause_ms)
{
	static const char keys[] = "123A456B789C*0#D";
	static const unsigned low[] = {697, 770, 852, 941}, high[] = {1209, 1336, 1477, 1633};
	const char *place = strchr(keys, key);
	int n;

	if (key == ',' || !place)
		n = snprintf(to, size, "/0:%ums", pause_ms);
	else
		n = snprintf(to, size, "/%u,%u:100ms:-10/0:70ms", low[(place - keys) / 4],
			high[(place - keys) % 4]);
	return n < 0 ? 0 : (size_t)n;
}

static int clip_of_keys(
	struct treatment *t, const char *digits, size_t n, unsigned pause_ms, struct clip **clip)
{
	char source[CLIPS_SOURCE_MAX] = "tone:0:40ms";
	size_t length = strlen(source);

	for (size_t i = 0; i < n && length < sizeof(source); i++)
		length += put_key(source + length, sizeof(source) - length, digits[i], pause_ms);
	return length < sizeof(source) ? play_source(t, source, clip) : -E2BIG;
}

int treatment_digits(struct treatment *t, const char *digits, unsigned pause_ms)
{
	struct clip *clips[MEDIA_LIST_MAX];
	size_t n = strlen(digits);
	unsigned count = 0;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < n && count < MEDIA_LIST_MAX; at += KEYS_OF_CLIP) {
		size_t part = n - at < KEYS_OF_CLIP ? n - at : KEYS_OF_CLIP;

		rc = clip_of_keys(t, digits + at, part, pause_ms, &clips[count]);
		count += rc == 0;
	}
	if (rc == 0)
		return treatment_play(t, clips, count, false);
	while (count)
		clip_release(clips[--count]);
	return rc;
}
