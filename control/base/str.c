/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct str str_from(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

struct str str_make(const char *p, size_t n)
{
	return (struct str){p, n};
}

bool str_empty(struct str s)
{
	return s.n == 0;
}

bool str_equal(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_equal_text(struct str a, const char *text)
{
	return str_equal(a, str_from(text));
}

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? u + ('a' - 'A') : u;
}

static int compare_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int d = lower(a[i]) - lower(b[i]);

		if (d)
			return d;
	}
	return 0;
}

bool str_equal_nocase(struct str a, struct str b)
{
	return a.n == b.n && compare_nocase(a.p, b.p, a.n) == 0;
}

bool str_equal_nocase_text(struct str a, const char *text)
{
	return str_equal_nocase(a, str_from(text));
}

static int compare_lengths(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

int str_compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	return d ? d : compare_lengths(a.n, b.n);
}

int str_compare_nocase(struct str a, struct str b)
{
	int d = compare_nocase(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d ? d : compare_lengths(a.n, b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_equal(str_head(s, prefix.n), prefix);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_equal_nocase(str_head(s, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_equal(str_skip(s, s.n - suffix.n), suffix);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return n ? (struct str){s.p + n, s.n - n} : s;
}

struct str str_head(struct str s, size_t n)
{
	return (struct str){s.p, n < s.n ? n : s.n};
}

ptrdiff_t str_index(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_index_last(struct str s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

	return at ? at - s.p : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? at - s.p : -1;
}

bool str_split(struct str *rest, char c, struct str *part)
{
	ptrdiff_t at;

	if (!rest->p)
		return false;
	at = str_index(*rest, c);
	if (at < 0) {
		*part = *rest;
		*rest = STR_NULL;
	} else {
		*part = str_head(*rest, (size_t)at);
		*rest = str_skip(*rest, (size_t)at + 1);
	}
	return true;
}

int str_to_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;
	bool over = false;

	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		over |= __builtin_mul_overflow(v, (uint64_t)10, &v);
		over |= __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v);
	}
	if (over)
		return -ERANGE;
	*out = v;
	return 0;
}

int str_to_u32(struct str s, uint32_t *out)
{
	uint64_t v;
	int rc = str_to_u64(s, &v);

	if (rc < 0)
		return rc;
	if (v > UINT32_MAX)
		return -ERANGE;
	*out = (uint32_t)v;
	return 0;
}

int str_to_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t v;
	int rc = str_to_u64(minus ? str_skip(s, 1) : s, &v);

	if (rc < 0)
		return rc;
	if (v > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_to_hex64(struct str s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		int d = hex_digit(s.p[i]);

		if (d < 0)
			return -EINVAL;
		v = v << 4 | (uint64_t)d;
	}
	*out = v;
	return 0;
}

int str_copy(struct str s, char *out, size_t size)
{
	if (s.n >= size)
		return -ENOSPC;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return 0;
}

char *str_dup(struct str s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

void str_lower(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)lower(p[i]);
}

/* Length of the well-formed sequence at `p`, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t code;

	if (p[0] < 0xc2 || p[0] > 0xf4 || length > n)
		return 0;
	code = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return length;
}

size_t str_utf8_length(struct str s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.p + at;

	return p[0] < 0x80 ? 1 : utf8_sequence(p, s.n - at);
}

bool str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n;) {
		if (p[i] < 0x80) {
			if (p[i] == 0x7f || (p[i] < 0x20 && !blank(s.p[i])))
				return false;
			i++;
		} else {
			size_t length = utf8_sequence(p + i, s.n - i);

			if (!length)
				return false;
			i += length;
		}
	}
	return true;
}

void strbuf_init(struct strbuf *b, char *buffer, size_t size)
{
	CHECK(size > 0);
	b->p = buffer;
	b->size = size;
	strbuf_reset(b);
}

void strbuf_reset(struct strbuf *b)
{
	b->n = 0;
	b->overflow = false;
	b->p[0] = 0;
}

void strbuf_add(struct strbuf *b, struct str s)
{
	if (b->overflow || s.n >= b->size - b->n) {
		b->overflow = true;
		return;
	}
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = 0;
}

void strbuf_text(struct strbuf *b, const char *text)
{
	strbuf_add(b, str_from(text));
}

void strbuf_char(struct strbuf *b, char c)
{
	strbuf_add(b, (struct str){&c, 1});
}

void strbuf_u64(struct strbuf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	strbuf_add(b, (struct str){digits + at, sizeof(digits) - at});
}

void strbuf_i64(struct strbuf *b, int64_t v)
{
	strbuf_printf(b, "%" PRId64, v);
}

void strbuf_hex(struct strbuf *b, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	if (b->overflow || n > (b->size - b->n - 1) / 2) {
		b->overflow = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = digits[bytes[i] >> 4];
		b->p[b->n++] = digits[bytes[i] & 15];
	}
	b->p[b->n] = 0;
}

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list args)
{
	size_t room = b->size - b->n;
	int n;

	if (b->overflow)
		return;
	n = vsnprintf(b->p + b->n, room, fmt, args);
	if (n < 0 || (size_t)n >= room) {
		b->overflow = true;
		b->p[b->n] = 0;
		return;
	}
	b->n += (size_t)n;
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	strbuf_vprintf(b, fmt, args);
	va_end(args);
}

struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){b->p, b->n};
}

int strbuf_result(const struct strbuf *b)
{
	return b->overflow ? -ENOSPC : 0;
}
