/* SPDX-License-Identifier: Apache-2.0 */
/* Each key counts once, whatever ways it comes by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contact/keys.h"

#define MS 1000000ull

/* What happens: a time in ms, h (heard) or i (INFO), the key; and what counts in the end. */
struct story {
	bool events;
	const char *text;
	const char *counts;
};

static void told(const struct story *story)
{
	struct keys keys = {.events = story->events};
	char counts[32] = "", key, way;
	unsigned at, n = 0;
	int used;

	for (const char *p = story->text; sscanf(p, "%u%c%c%n", &at, &way, &key, &used) == 3;
		p += used) {
		uint64_t now_ns = 5000 * MS + at * MS;

		if (way == 'h' ? keys_heard(&keys, key, now_ns) : keys_informed(&keys, key, now_ns))
			counts[n++] = key;
	}
	if (strcmp(counts, story->counts) != 0)
		fail_msg("%s: '%s' count, expected '%s'", story->text, counts, story->counts);
}

static void each_key_counts_once(void **state)
{
	static const struct story stories[] = {
		/* telephone-event, with INFO beside it */
		{true, "0h1 10i1 500h2 510i2", "12"},
		{true, "0i1 10h1 20h1", "11"},
		/* one way alone */
		{false, "0i1 100i1 200i2", "112"},
		{false, "0h1 100h1 200h2", "112"},
		/* the tone first, its INFO behind it */
		{false, "0h1 200i1 500h2 700i2", "12"},
		{false, "0h1 999i1", "1"},
		/* the INFO first, its tone behind it */
		{false, "0i1 100h1 500i1 600h1", "11"},
		/* an INFO of another key, or much later, is a key of its own */
		{false, "0h1 200i2", "12"},
		{false, "0h1 1000i1", "11"},
		/* the tone stands for one INFO, not for two */
		{false, "0h1 100i1 200i1", "11"},
	};

	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		told(&stories[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
