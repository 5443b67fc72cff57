/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the files we were given: a list that is bounded in count.
 *
 * Readers of instance files, flows and options add what they find and go on, so that one run names
 * every problem. Each entry has a severity, a place that a person can find
 * (`flows/main.json: action 'Greet': Parameters.Text`, `cordboard.yaml:12:3: sip.listen`) and a
 * message that says what was expected. Counts go on when the list is full.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_ENTRIES_MAX 1000
#define REPORT_PLACE_MAX   400 /* bytes, longer ones are cut */
#define REPORT_TEXT_MAX    800

enum report_severity {
	REPORT_ERROR,   /* the file cannot be used */
	REPORT_WARNING, /* it can, but somebody should look */
	REPORT_NOTE,
	REPORT_SEVERITIES
};

struct report_entry {
	enum report_severity severity;
	char *place;
	char *text;
};

struct report {
	struct report_entry *entries;
	size_t n, room;
	size_t counts[REPORT_SEVERITIES]; /* also those that no longer fitted */
};

void report_init(struct report *r);
void report_clear(struct report *r);
/* `place` may be NULL or empty. A NULL report is allowed and drops the entry. */
__attribute__((format(printf, 4, 5))) void report_add(
	struct report *r, enum report_severity severity, const char *place, const char *fmt, ...);
__attribute__((format(printf, 4, 0))) void report_vadd(struct report *r,
	enum report_severity severity, const char *place, const char *fmt, va_list args);
size_t report_count(const struct report *r, enum report_severity severity);
bool report_has_errors(const struct report *r);
/* Iteration: entries 0 to report_size() - 1 in the order they were added. */
size_t report_size(const struct report *r);
const struct report_entry *report_at(const struct report *r, size_t i);
/* One line an entry: `error: place: text`, and a last line when some were not kept. */
void report_print(const struct report *r, FILE *to);
const char *report_severity_name(enum report_severity severity);
/* True when an entry of this severity has `part` in its place or text; for tests. */
bool report_mentions(const struct report *r, enum report_severity severity, const char *part);
