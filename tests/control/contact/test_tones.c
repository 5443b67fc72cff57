/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as tones for who has no telephone-events, judged by another receiver of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"
#include "dataplane/dtmf_reference.h"
#include "media/audio.h"

#define CLIPS 8

/* The clips that are asked for, one behind the other. */
static struct audio made[CLIPS];
static unsigned asked, played, released;
static unsigned refuses; /* the clip that cannot be had; 0: none */

struct clips *__wrap_media_clips(const struct media *media);
int __wrap_clips_source(struct clips *clips, struct str source, char *wrong, struct clip **out);
void __wrap_clip_release(struct clip *clip);
int __wrap_treatment_play(struct treatment *t, struct clip *const *clips, unsigned n, bool loop);

struct clips *__wrap_media_clips(const struct media *media)
{
	return NULL;
}

int __wrap_clips_source(struct clips *clips, struct str source, char *wrong, struct clip **out)
{
	assert_in_range(source.n, 1, CLIPS_SOURCE_MAX);
	wrong[0] = '\0';
	if (asked + 1 == refuses)
		return -ENOSPC;
	assert_int_equal(audio_tone(source, &made[asked], wrong), 0);
	*out = (struct clip *)&made[asked++];
	return 0;
}

void __wrap_clip_release(struct clip *clip)
{
	released++;
}

int __wrap_treatment_play(struct treatment *t, struct clip *const *clips, unsigned n, bool loop)
{
	assert_false(loop);
	for (unsigned i = 0; i < n; i++)
		assert_ptr_equal(clips[i], &made[i]);
	played = n;
	return 0;
}

static int send_keys(const char *digits)
{
	static struct switchboard board;
	static struct contact contact = {.board = &board};
	static struct leg leg = {.contact = &contact};
	static struct treatment treatment = {.leg = &leg};

	asked = played = released = 0;
	return treatment_digits(&treatment, digits, 750);
}

/* What is heard of all that is played, and how many samples it has. */
static uint32_t hear(char *told, size_t size)
{
	uint32_t n = 0, at = 0;
	int16_t *pcm;

	for (unsigned i = 0; i < asked; i++)
		n += made[i].n;
	pcm = calloc(n + 800, sizeof(*pcm));
	for (unsigned i = 0; i < asked; i++) {
		memcpy(pcm + at, made[i].samples, made[i].n * sizeof(*pcm));
		at += made[i].n;
		audio_free(&made[i]);
	}
	dtmf_reference_hear(pcm, n + 800, told, size);
	free(pcm);
	return n;
}

static void R75_every_key_is_heard_as_itself(void **state)
{
	char told[32];

	assert_int_equal(send_keys("0123456789*#"), 0);
	assert_int_equal(played, 1);
	assert_int_equal(hear(told, sizeof(told)), 8 * (40 + 12 * 170));
	assert_string_equal(told, "0123456789*#");
}

static void R75_a_comma_is_a_pause(void **state)
{
	char told[32];

	assert_int_equal(send_keys(",1,,2"), 0);
	/* in whole frames of 20 ms */
	assert_int_equal(hear(told, sizeof(told)), 8 * (40 + 2 * 170 + 3 * 750 + 10));
	assert_string_equal(told, "12");
}

static void R75_as_many_as_a_flow_may_name(void **state)
{
	static const char many[] = "11223344556677889900**##,1212121212,3434343434,0000";
	char told[64], *to = told, keys[64];

	_Static_assert(sizeof(many) - 1 >= FLOW_DTMF_DIGITS_MAX, "as many, and one more");
	memcpy(keys, many, FLOW_DTMF_DIGITS_MAX);
	keys[FLOW_DTMF_DIGITS_MAX] = '\0';
	assert_int_equal(send_keys(keys), 0);
	assert_int_equal(played, 3);
	hear(told, sizeof(told));
	for (const char *key = keys; *key; key++)
		if (*key != ',')
			assert_int_equal(*to++, *key);
	assert_int_equal(*to, '\0');
	/* all of them, or none */
	refuses = 2;
	assert_int_equal(send_keys(keys), -ENOSPC);
	assert_int_equal(played, 0);
	assert_int_equal(released, asked);
	refuses = 0;
	hear(told, sizeof(told));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R75_every_key_is_heard_as_itself),
		cmocka_unit_test(R75_a_comma_is_a_pause),
		cmocka_unit_test(R75_as_many_as_a_flow_may_name),
	};

	log_set_level(LOG_LEVEL_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
