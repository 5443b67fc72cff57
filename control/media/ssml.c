/* SPDX-License-Identifier: Apache-2.0 */
#include "media/ssml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 32u

/* How the text inside a say-as is written out. */
enum spelling { SPELL_NOT, SPELL_DIGITS, SPELL_CHARACTERS, SPELL_DATE };

struct element {
	const char *name;
	bool passed; /* the program knows it; the tags of others are left out */
};

static const struct element elements[] = {
	{"speak", true},
	{"break", false}, /* written by write_pause() */
	{"emphasis", true},
	{"lang", false},
	{"mark", false},
	{"p", true},
	{"phoneme", false},
	{"prosody", true},
	{"s", true},
	{"say-as", true},
	{"sub", true},
	{"w", false},
	{"amazon:auto-breaths", false},
	{"amazon:breath", false},
	{"amazon:domain", false},
	{"amazon:effect", false},
};

struct attribute {
	struct str name, value;
	char quote;
};

struct tag {
	struct str name;
	const struct element *element;
	struct attribute attributes[SSML_ATTRIBUTES_MAX];
	unsigned n;
	bool closed; /* <x/> */
};

struct parser {
	const char *begin, *p, *end;
	FILE *to; /* NULL: only judge */
	char *wrong;
	const struct element *stack[SSML_DEPTH_MAX];
	unsigned depth;
	bool begun, over; /* <speak> was opened, closed */
	enum spelling spelling;
	unsigned spelling_depth;
	unsigned pause_ms; /* not written yet */
	bool spoken;       /* something was written that the program speaks */
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *s, const char *fmt, ...)
{
	char what[SSML_WRONG_SIZE - 32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	snprintf(s->wrong, SSML_WRONG_SIZE, "SSML, byte %zu: %s", (size_t)(s->p - s->begin), what);
	return -EINVAL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == ':' || c == '_' || c == '.';
}

static void skip_space(struct parser *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

static bool starts(const struct parser *s, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, with, n) == 0;
}

static struct str take_name(struct parser *s)
{
	const char *from = s->p;

	while (s->p < s->end && is_name(*s->p))
		s->p++;
	return str_make(from, (size_t)(s->p - from));
}

static const struct element *find_element(struct str name)
{
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (str_equal(name, str_from(elements[i].name)))
			return &elements[i];
	return NULL;
}

static struct str attribute_of(const struct tag *tag, const char *name)
{
	for (unsigned i = 0; i < tag->n; i++)
		if (str_equal(tag->attributes[i].name, str_from(name)))
			return tag->attributes[i].value;
	return (struct str){0};
}

/* ---- what is written for the program ---- */

static void put(const struct parser *s, struct str text)
{
	if (s->to)
		fwrite(text.p, 1, text.n, s->to);
}

/* Of breaks in a row the program keeps the last, and it drops one before the first word. */
static void write_pause(struct parser *s)
{
	if (!s->pause_ms)
		return;
	if (s->to)
		fprintf(s->to, "%s<break time=\"%ums\"/>", s->spoken ? "" : ",", s->pause_ms);
	s->spoken = true;
	s->pause_ms = 0;
}

/* One character of text, or an entity. */
static void write_character(struct parser *s, struct str c)
{
	char first = c.p[0];

	if (!is_space(first)) {
		write_pause(s);
		s->spoken = true;
	}
	if (s->spelling == SPELL_DATE && (first == '/' || first == '-' || first == '.'))
		c = STR(" ");
	put(s, c);
	if (s->spelling == SPELL_CHARACTERS)
		put(s, STR(" "));
}

static const char *say_as(const struct tag *tag, enum spelling *spelling)
{
	static const struct {
		const char *kind;
		const char *written; /* the program's word */
		enum spelling spelling;
	} rows[] = {
		{"digits", "tts:digits", SPELL_DIGITS},
		{"telephone", "tts:digits", SPELL_DIGITS},
		{"characters", "characters", SPELL_CHARACTERS},
		{"spell-out", "characters", SPELL_CHARACTERS},
		{"verbatim", "characters", SPELL_CHARACTERS},
		{"date", "date", SPELL_DATE},
	};
	struct str kind = attribute_of(tag, "interpret-as");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!str_equal_nocase_text(kind, rows[i].kind))
			continue;
		*spelling = rows[i].spelling;
		return rows[i].written;
	}
	return NULL;
}

static void write_tag(struct parser *s, const struct tag *tag)
{
	const char *written = NULL;

	if (strcmp(tag->element->name, "say-as") == 0 && s->spelling == SPELL_NOT) {
		written = say_as(tag, &s->spelling);
		s->spelling_depth = s->depth;
	}
	if (!tag->element->passed || !s->to)
		return;
	fprintf(s->to, "<%.*s", STR_ARG(tag->name));
	for (unsigned i = 0; i < tag->n; i++) {
		const struct attribute *a = &tag->attributes[i];
		struct str value = a->value;

		if (written && str_equal(a->name, STR("interpret-as")))
			value = str_from(written);
		fprintf(s->to, " %.*s=%c%.*s%c", STR_ARG(a->name), a->quote, STR_ARG(value),
			a->quote);
	}
	fputs(tag->closed ? "/>" : ">", s->to);
}

/* ---- text ---- */

/* The entity at `&`; its length, or 0. */
static size_t entity_at(const struct parser *s)
{
	static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
	size_t n = 2, digits = 0;
	bool hex = starts(s, "&#x");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (starts(s, names[i]))
			return strlen(names[i]);
	if (!starts(s, "&#"))
		return 0;
	for (n += hex; s->p + n < s->end && s->p[n] != ';'; n++, digits++) {
		char c = s->p[n];
		bool decimal = c >= '0' && c <= '9';

		if (!decimal && !(hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
			return 0;
	}
	return s->p + n < s->end && digits > 0 && digits <= 7 ? n + 1 : 0;
}

static size_t bytes_of_character(const struct parser *s)
{
	size_t n = 1;

	while (s->p + n < s->end && ((unsigned char)s->p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static int take_text(struct parser *s)
{
	while (s->p < s->end && *s->p != '<') {
		size_t n = *s->p == '&' ? entity_at(s) : bytes_of_character(s);

		if (n == 0)
			return bad(s, "expected &amp; or another entity behind '&'");
		if (s->depth == 0 && !is_space(*s->p))
			return bad(s, "expected one <speak> around the text");
		if (s->depth > 0)
			write_character(s, str_make(s->p, n));
		s->p += n;
	}
	return 0;
}

/* ---- tags ---- */

static int take_attribute(struct parser *s, struct tag *tag)
{
	struct attribute a = {.name = take_name(s)};
	const char *end;

	if (a.name.n == 0 || a.name.n > NAME_MAX_BYTES)
		return bad(s, "expected an attribute or '>'");
	if (tag->n == SSML_ATTRIBUTES_MAX)
		return bad(s, "expected at most %u attributes", SSML_ATTRIBUTES_MAX);
	for (unsigned i = 0; i < tag->n; i++)
		if (str_equal(tag->attributes[i].name, a.name))
			return bad(s, "attribute '%.*s' a second time", STR_ARG(a.name));
	skip_space(s);
	if (s->p == s->end || *s->p != '=')
		return bad(s, "expected '=' behind '%.*s'", STR_ARG(a.name));
	s->p++;
	skip_space(s);
	if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
		return bad(s, "expected the value of '%.*s' in quotes", STR_ARG(a.name));
	a.quote = *s->p++;
	end = memchr(s->p, a.quote, (size_t)(s->end - s->p));
	if (!end || memchr(s->p, '<', (size_t)(end - s->p)))
		return bad(s, "the value of '%.*s' does not end", STR_ARG(a.name));
	a.value = str_make(s->p, (size_t)(end - s->p));
	s->p = end + 1;
	tag->attributes[tag->n++] = a;
	return 0;
}

static int take_tag(struct parser *s, struct tag *tag)
{
	s->p++;
	tag->name = take_name(s);
	tag->element = find_element(tag->name);
	if (!tag->element)
		return bad(s, "unknown element '%.*s'",
			tag->name.n > NAME_MAX_BYTES ? (int)NAME_MAX_BYTES : (int)tag->name.n,
			tag->name.p);
	for (;;) {
		bool space = s->p < s->end && is_space(*s->p);
		int rc;

		skip_space(s);
		if (starts(s, "/>")) {
			tag->closed = true;
			s->p += 2;
			return 0;
		}
		if (s->p < s->end && *s->p == '>') {
			s->p++;
			return 0;
		}
		if (!space)
			return bad(s, "expected '>' at the end of '<%.*s'", STR_ARG(tag->name));
		rc = take_attribute(s, tag);
		if (rc < 0)
			return rc;
	}
}

/* "2s", "0.2s", "500ms" as milliseconds; -1: none of them. */
static long milliseconds(struct str text)
{
	char copy[16], *unit;
	double value;

	if (text.n == 0 || text.n >= sizeof(copy) || text.p[text.n - 1] != 's')
		return -1;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (strspn(copy, "+0123456789.") == 0)
		return -1;
	value = strtod(copy, &unit);
	if (strcmp(unit, "s") == 0)
		value *= 1000;
	else if (strcmp(unit, "ms") != 0)
		return -1;
	return value >= 0 && value <= SSML_BREAK_MAX_MS ? (long)(value + 0.5) : -1;
}

static int take_break(struct parser *s, const struct tag *tag)
{
	static const struct {
		const char *strength;
		unsigned ms;
	} rows[] = {{"none", 0}, {"x-weak", 100}, {"weak", 200}, {"medium", 400}, {"strong", 700},
		{"x-strong", 1000}};
	struct str time = attribute_of(tag, "time"), strength = attribute_of(tag, "strength");
	long ms = milliseconds(time);

	if (time.p && ms < 0)
		return bad(s, "expected a break of 0 to 10 s, such as 500ms, found '%.*s'",
			time.n > 20 ? 20 : (int)time.n, time.p);
	if (!time.p && !strength.p)
		strength = STR("medium");
	for (size_t i = 0; ms < 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (str_equal(strength, str_from(rows[i].strength)))
			ms = (long)rows[i].ms;
	if (ms < 0)
		return bad(s, "expected a strength such as medium, found '%.*s'",
			strength.n > 20 ? 20 : (int)strength.n, strength.p);
	s->pause_ms += (unsigned)ms;
	return 0;
}

static int open_element(struct parser *s, const struct tag *tag)
{
	bool root = strcmp(tag->element->name, "speak") == 0;

	if (root ? s->begun : s->depth == 0)
		return bad(s, "expected one <speak> around the text");
	if (strcmp(tag->element->name, "break") == 0) {
		int rc = take_break(s, tag);

		if (rc < 0)
			return rc;
	}
	if (strcmp(tag->element->name, "say-as") == 0 && !attribute_of(tag, "interpret-as").n)
		return bad(s, "expected interpret-as in <say-as>");
	if (s->depth == SSML_DEPTH_MAX)
		return bad(s, "expected at most %u elements in one another", SSML_DEPTH_MAX);
	s->begun = true;
	if (strcmp(tag->element->name, "sub") == 0) { /* its alias is spoken */
		write_pause(s);
		s->spoken = true;
	}
	if (!tag->closed)
		s->stack[s->depth++] = tag->element;
	else if (root)
		s->over = true;
	write_tag(s, tag);
	return 0;
}

static int close_element(struct parser *s)
{
	const struct element *top = s->depth ? s->stack[s->depth - 1] : NULL;
	struct str name;

	s->p += 2;
	name = take_name(s);
	skip_space(s);
	if (!top || !str_equal(name, str_from(top->name)) || s->p == s->end || *s->p != '>')
		return bad(s, "expected </%s>", top ? top->name : "speak");
	s->p++;
	if (s->depth == 1)
		write_pause(s);
	if (top->passed && s->to)
		fprintf(s->to, "</%s>", top->name);
	if (s->depth == s->spelling_depth)
		s->spelling = SPELL_NOT;
	s->depth--;
	s->over = s->depth == 0;
	return 0;
}

/* Behind `<!--` or `<?`: to its end. */
static int skip_to(struct parser *s, const char *end)
{
	while (s->p < s->end && !starts(s, end))
		s->p++;
	if (s->p == s->end)
		return bad(s, "expected %s", end);
	s->p += strlen(end);
	return 0;
}

static int take_markup(struct parser *s)
{
	struct tag tag = {0};
	int rc;

	if (starts(s, "<!--"))
		return skip_to(s, "-->");
	if (starts(s, "<?") && !s->begun)
		return skip_to(s, "?>");
	if (starts(s, "</"))
		return close_element(s);
	if (s->over)
		return bad(s, "expected nothing behind </speak>");
	rc = take_tag(s, &tag);
	return rc < 0 ? rc : open_element(s, &tag);
}

static int take_all(struct parser *s)
{
	int rc = 0;

	while (rc == 0 && s->p < s->end)
		rc = *s->p == '<' ? take_markup(s) : take_text(s);
	if (rc == 0 && !s->over)
		rc = bad(s, "expected <%s%s>", s->depth ? "/" : "",
			s->depth ? s->stack[s->depth - 1]->name : "speak");
	return rc;
}

int ssml_prepare(struct str text, char **out, char wrong[SSML_WRONG_SIZE])
{
	struct parser s = {.begin = text.p, .p = text.p, .end = text.p + text.n, .wrong = wrong};
	char *written = NULL;
	size_t n;
	int rc;

	wrong[0] = '\0';
	if (out) {
		s.to = open_memstream(&written, &n);
		if (!s.to)
			return -ENOMEM;
	}
	rc = take_all(&s);
	if (s.to && fclose(s.to) != 0 && rc == 0)
		rc = -ENOMEM;
	if (rc == 0 && out)
		*out = written;
	else
		free(written);
	return rc;
}
