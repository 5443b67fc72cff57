/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded mutations of the torture messages through all that reads bytes of the network. 5,000 with
 * the tests; CORDBOARD_MUTATIONS says how many, CORDBOARD_SEED from which seed.
 */
#include "exercise.h"
#include "mutate.h"
#include "sip/sdp.h"
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

int main(void)
{
	const struct torture_message *messages = torture_load();
	unsigned long count = from_environment("CORDBOARD_MUTATIONS", 5000);
	static char text[MUTATED_MAX];

	mutate_seed(from_environment("CORDBOARD_SEED", 1));
	for (unsigned long i = 0; i < count; i++) {
		const struct torture_message *m = &messages[i % TORTURE_COUNT];
		size_t n = m->length < MUTATED_MAX ? m->length : MUTATED_MAX;
		char *exact;

		memcpy(text, m->bytes, n);
		mutate(text, &n);
		/* Of the exact size, so that the sanitizer sees any byte read beyond it. */
		exact = malloc(n + (n == 0));
		memcpy(exact, text, n);
		exercise_message(exact, n);
		free(exact);
	}
	printf("%lu mutations survived\n", count);
	return 0;
}
