/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/ctl.h"

#define COLUMNS_MAX 16
#define CELL_SIZE   256
#define TREE_DEPTH  16

const json_t *ctl_member(const json_t *object, const char *path)
{
	while (object && *path) {
		const char *dot = strchrnul(path, '.');

		object = json_object_getn(object, path, (size_t)(dot - path));
		path = *dot ? dot + 1 : dot;
	}
	return object;
}

/* Control bytes, C1 ones included, become '?'. */
static void put_clean(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		unsigned char c = (unsigned char)*from;
		bool c1 = c == 0xc2 && (unsigned char)from[1] >= 0x80 &&
			  (unsigned char)from[1] < 0xa0;

		to[n++] = c < 0x20 || c == 0x7f || c1 ? '?' : *from;
		if (c1)
			from++;
	}
	/* not in the middle of a character */
	while (*from && n && ((unsigned char)to[n - 1] & 0xc0) == 0x80)
		n--;
	if (*from && n && (unsigned char)to[n - 1] >= 0xc0)
		n--;
	to[n] = '\0';
}

static void put_span(double seconds, char *text, size_t size)
{
	unsigned long s = seconds < 0 ? 0 : (unsigned long)seconds;

	if (s >= 3600)
		snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
}

void ctl_text(const json_t *value, enum ctl_cell cell, char *text, size_t size)
{
	const char *string = json_string_value(value);

	if (cell == CTL_SPAN && json_is_number(value))
		put_span(json_number_value(value), text, size);
	else if (cell == CTL_TIME && string && strlen(string) >= 19)
		snprintf(text, size, "%.8s", string + 11);
	else if (string)
		put_clean(string, text, size);
	else if (json_is_integer(value))
		snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, size, "%.1f", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
	else
		snprintf(text, size, "-");
}

/* Characters of UTF-8, near enough to columns of a terminal. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void put_cell(FILE *to, const char *text, size_t width, bool last)
{
	size_t n = width_of(text);

	fputs(text, to);
	if (last)
		return;
	for (; n < width + 2; n++)
		fputc(' ', to);
}

void ctl_table(FILE *to, const json_t *rows, const struct ctl_column *columns, size_t n)
{
	size_t width[COLUMNS_MAX], count = json_array_size(rows);
	char text[CELL_SIZE];

	if (n > COLUMNS_MAX)
		n = COLUMNS_MAX;
	for (size_t c = 0; c < n; c++) {
		width[c] = width_of(columns[c].title);
		for (size_t i = 0; i < count; i++) {
			ctl_text(ctl_member(json_array_get(rows, i), columns[c].path),
				columns[c].cell, text, sizeof(text));
			if (width_of(text) > width[c])
				width[c] = width_of(text);
		}
	}
	for (size_t c = 0; c < n; c++)
		put_cell(to, columns[c].title, width[c], c + 1 == n);
	fputc('\n', to);
	for (size_t i = 0; i < count; i++) {
		for (size_t c = 0; c < n; c++) {
			ctl_text(ctl_member(json_array_get(rows, i), columns[c].path),
				columns[c].cell, text, sizeof(text));
			put_cell(to, text, width[c], c + 1 == n);
		}
		fputc('\n', to);
	}
}

/* ---- trees --------------------------------------------------------------------------------- */

static void put_name(FILE *to, const char *name, unsigned depth)
{
	char clean[CELL_SIZE];

	put_clean(name, clean, sizeof(clean));
	for (char *p = clean; *p; p++)
		if (*p == '_')
			*p = ' ';
	fprintf(to, "%*s%s", (int)depth * 2, "", clean);
}

static bool put_use(FILE *to, const json_t *value)
{
	if (json_object_size(value) != 2 || !json_object_get(value, "used") ||
		!json_object_get(value, "max"))
		return false;
	fprintf(to, ": %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n",
		json_integer_value(json_object_get(value, "used")),
		json_integer_value(json_object_get(value, "max")));
	return true;
}

static void put_value(FILE *to, const char *name, const json_t *value, unsigned depth)
{
	char text[1024], label[64];
	size_t i;
	json_t *item;

	if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, item)
		{
			snprintf(label, sizeof(label), "%.40s %zu", name, i + 1);
			put_value(to, label, item, depth);
		}
		return;
	}
	put_name(to, name, depth);
	if (put_use(to, value))
		return;
	if (json_is_object(value)) {
		fputs(":\n", to);
		ctl_tree(to, value, depth + 1);
		return;
	}
	ctl_text(value, CTL_PLAIN, text, sizeof(text));
	fprintf(to, ": %s\n", text);
}

void ctl_tree(FILE *to, const json_t *object, unsigned depth)
{
	const char *name;
	json_t *value;

	if (depth > TREE_DEPTH)
		return;
	json_object_foreach((json_t *)object, name, value) put_value(to, name, value, depth);
}
