/* SPDX-License-Identifier: Apache-2.0 */
#include "base/report.h"

#include <stdlib.h>
#include <string.h>

void report_init(struct report *r)
{
	*r = (struct report){0};
}

void report_clear(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->entries[i].place);
		free(r->entries[i].text);
	}
	free(r->entries);
	report_init(r);
}

static int make_room(struct report *r)
{
	size_t room = r->room ? r->room * 2 : 16;
	struct report_entry *entries;

	if (r->n < r->room)
		return 0;
	if (r->n >= REPORT_ENTRIES_MAX)
		return -1;
	if (room > REPORT_ENTRIES_MAX)
		room = REPORT_ENTRIES_MAX;
	entries = realloc(r->entries, room * sizeof(*entries));
	if (!entries)
		return -1;
	r->entries = entries;
	r->room = room;
	return 0;
}

void report_vadd(struct report *r, enum report_severity severity, const char *place,
	const char *fmt, va_list args)
{
	char text[REPORT_TEXT_MAX];
	struct report_entry entry = {.severity = severity};

	if (!r)
		return;
	r->counts[severity]++;
	if (make_room(r) < 0)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	entry.place = strndup(place ? place : "", REPORT_PLACE_MAX);
	entry.text = strdup(text);
	if (!entry.place || !entry.text) {
		free(entry.place);
		free(entry.text);
		return;
	}
	r->entries[r->n++] = entry;
}

void report_add(
	struct report *r, enum report_severity severity, const char *place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_vadd(r, severity, place, fmt, args);
	va_end(args);
}

size_t report_count(const struct report *r, enum report_severity severity)
{
	return r->counts[severity];
}

bool report_has_errors(const struct report *r)
{
	return r->counts[REPORT_ERROR] > 0;
}

size_t report_size(const struct report *r)
{
	return r->n;
}

const struct report_entry *report_at(const struct report *r, size_t i)
{
	return i < r->n ? &r->entries[i] : NULL;
}

void report_print(const struct report *r, FILE *to)
{
	size_t all = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];

		fprintf(to, "%s: %s%s%s\n", report_severity_name(e->severity), e->place,
			e->place[0] ? ": " : "", e->text);
	}
	for (int s = 0; s < REPORT_SEVERITIES; s++)
		all += r->counts[s];
	if (all > r->n)
		fprintf(to, "… and %zu more\n", all - r->n);
}

const char *report_severity_name(enum report_severity severity)
{
	static const char *const names[REPORT_SEVERITIES] = {"error", "warning", "note"};

	return severity < REPORT_SEVERITIES ? names[severity] : "?";
}

bool report_mentions(const struct report *r, enum report_severity severity, const char *part)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];

		if (e->severity == severity && (strstr(e->place, part) || strstr(e->text, part)))
			return true;
	}
	return false;
}
