/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the example instance in a directory of its own, to be changed and loaded. */
#pragma once

#include "contact/instance.h"

struct fixture {
	char directory[64];
	struct config config;
	struct report report;
	struct instance *instance; /* what was loaded last */
};

/* cmocka's set-up and tear-down: *state is a struct fixture. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Options and instance as at a start, or as a reload does it beside the one that runs; that one goes
 * when the new one is good. */
int fixture_load(struct fixture *f);
int fixture_reload(struct fixture *f);

__attribute__((format(printf, 1, 2))) void shell(const char *format, ...);
/* Replaces a text in a file of the instance. */
void change(struct fixture *f, const char *file, const char *from, const char *to);
/* Fails unless an error names both. */
void expect_mention(struct fixture *f, const char *first, const char *second);
