/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FIRST_SIZE  4096
#define ESCAPE_SIZE 6  /* the longest: \u00XX */
#define NUMBER_SIZE 32 /* bytes of any number */

void jot_reset(struct jot *j)
{
	j->n = 0;
	j->failed = false;
}

void jot_clear(struct jot *j)
{
	free(j->p);
	*j = (struct jot){0};
}

struct str jot_str(const struct jot *j)
{
	return (struct str){j->p, j->n};
}

/* Room for `n` more bytes and a terminator. */
static bool make_room(struct jot *j, size_t n)
{
	size_t size = j->size ? j->size : FIRST_SIZE;
	char *p;

	if (j->failed)
		return false;
	if (j->n + n < j->size)
		return true;
	while (size <= j->n + n)
		size *= 2;
	p = realloc(j->p, size);
	if (!p) {
		j->failed = true;
		return false;
	}
	j->p = p;
	j->size = size;
	return true;
}

static void add(struct jot *j, const char *p, size_t n)
{
	memcpy(j->p + j->n, p, n);
	j->n += n;
}

/* The comma, and the key with its colon; then room for `n` bytes of the value. */
static bool begin(struct jot *j, const char *key, size_t n)
{
	size_t key_n = key ? strlen(key) : 0;
	char last = j->n ? j->p[j->n - 1] : '{';

	if (!make_room(j, key_n + 4 + n))
		return false;
	if (last != '{' && last != '[' && last != ':')
		j->p[j->n++] = ',';
	if (key) {
		j->p[j->n++] = '"';
		add(j, key, key_n);
		add(j, "\":", 2);
	}
	return true;
}

static void end(struct jot *j)
{
	j->p[j->n] = '\0';
}

void jot_open(struct jot *j, const char *key, char bracket)
{
	if (!begin(j, key, 1))
		return;
	j->p[j->n++] = bracket;
	end(j);
}

void jot_close(struct jot *j, char bracket)
{
	if (!make_room(j, 1))
		return;
	j->p[j->n++] = bracket;
	end(j);
}

static void escape(struct jot *j, char c)
{
	static const char letters[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
	const char *at = strchr(letters, c);

	j->p[j->n++] = '\\';
	if (at)
		j->p[j->n++] = names[at - letters];
	else
		j->n += (size_t)snprintf(j->p + j->n, ESCAPE_SIZE, "u%04x", (unsigned)c);
}

/* There is room for the longest that it can be. */
static void add_text(struct jot *j, struct str text)
{
	size_t plain = 0;

	j->p[j->n++] = '"';
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c >= 0x80) {
			size_t length = str_utf8_length(text, i);

			if (!length) {
				j->failed = true;
				return;
			}
			i += length - 1;
		} else if (c < 0x20 || c == '"' || c == '\\') {
			if (!c) {
				j->failed = true;
				return;
			}
			add(j, text.p + plain, i - plain);
			escape(j, (char)c);
			plain = i + 1;
		}
	}
	if (text.n > plain)
		add(j, text.p + plain, text.n - plain);
	j->p[j->n++] = '"';
}

void jot_text(struct jot *j, const char *key, struct str text)
{
	if (!begin(j, key, text.n * ESCAPE_SIZE + 2))
		return;
	add_text(j, text);
	end(j);
}

void jot_text_of(struct jot *j, struct str key, struct str text)
{
	jot_text(j, NULL, key);
	if (!make_room(j, text.n * ESCAPE_SIZE + 3))
		return;
	j->p[j->n++] = ':';
	add_text(j, text);
	end(j);
}

void jot_text_or_null(struct jot *j, const char *key, struct str text)
{
	if (text.n)
		jot_text(j, key, text);
	else
		jot_null(j, key);
}

static void word(struct jot *j, const char *key, const char *text, size_t n)
{
	if (!begin(j, key, n))
		return;
	add(j, text, n);
	end(j);
}

void jot_null(struct jot *j, const char *key)
{
	word(j, key, "null", 4);
}

void jot_bool(struct jot *j, const char *key, bool value)
{
	word(j, key, value ? "true" : "false", value ? 4 : 5);
}

void jot_number(struct jot *j, const char *key, uint64_t number)
{
	char text[NUMBER_SIZE];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	word(j, key, text + at, sizeof(text) - at);
}

void jot_fields(struct jot *j, struct str fields)
{
	word(j, NULL, fields.p, fields.n);
}

void jot_hundredths(struct jot *j, const char *key, double number)
{
	char text[NUMBER_SIZE];
	int n = isfinite(number) ? snprintf(text, sizeof(text), "%.2f", number) : 0;

	if (n <= 0 || n >= (int)sizeof(text))
		jot_null(j, key);
	else
		word(j, key, text, (size_t)n);
}

void jot_time(struct jot *j, const char *key, uint64_t wall_ns)
{
	char text[CLOCK_ISO_SIZE + 1];

	if (!wall_ns) {
		jot_null(j, key);
		return;
	}
	text[0] = '"';
	clock_format(wall_ns, text + 1);
	text[CLOCK_ISO_SIZE] = '"'; /* where the terminator was */
	word(j, key, text, sizeof(text));
}
