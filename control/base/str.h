/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices and bounded text.
 *
 * `struct str` points into memory that somebody else owns and is not terminated by a zero byte:
 * print it with "%.*s", STR_ARG(s). `struct strbuf` builds text in a buffer of its caller; it never
 * writes beyond it, keeps it terminated, and remembers that something did not fit. All comparisons
 * are by bytes; "case-insensitive" is ASCII only and independent of the locale.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_ARG(s)   (int)(s).n, (s).p
#define STR_NULL     ((struct str){NULL, 0})

/* A slice over a terminated string; NULL gives the empty slice. */
struct str str_from(const char *text);
struct str str_make(const char *p, size_t n);

bool str_empty(struct str s);
bool str_equal(struct str a, struct str b);
bool str_equal_text(struct str a, const char *text);
bool str_equal_nocase(struct str a, struct str b);
bool str_equal_nocase_text(struct str a, const char *text);
/* <0, 0, >0 by bytes, the shorter first when one is a prefix of the other. */
int str_compare(struct str a, struct str b);
int str_compare_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/* s without its first `n` bytes (all of them when it is shorter). */
struct str str_skip(struct str s, size_t n);
/* At most the first `n` bytes. */
struct str str_head(struct str s, size_t n);
/* Index of the first `c`, or -1. */
ptrdiff_t str_index(struct str s, char c);
ptrdiff_t str_index_last(struct str s, char c);
/* Index of the first `needle`, or -1; the empty needle is found at 0. */
ptrdiff_t str_find(struct str s, struct str needle);
/*
 * Takes the part of *rest before `c` into *part and moves *rest behind `c`; the last part is what
 * is left. False when *rest is used up (its p is NULL then). "a,,b" gives "a", "", "b"; an empty
 * non-NULL slice gives one empty part.
 */
bool str_split(struct str *rest, char c, struct str *part);

/* The whole slice must be decimal digits: no sign, no space, no overflow. -EINVAL, -ERANGE. */
int str_to_u32(struct str s, uint32_t *out);
int str_to_u64(struct str s, uint64_t *out);
/* As above with an optional leading '-'. */
int str_to_i64(struct str s, int64_t *out);
/* The whole slice as hex digits, 1 to 16 of them. */
int str_to_hex64(struct str s, uint64_t *out);
/* Copies into `out` and terminates; -ENOSPC (and out untouched) when it does not fit. */
int str_copy(struct str s, char *out, size_t size);
/* A malloc'ed terminated copy; NULL without memory. */
char *str_dup(struct str s);
/* Lower case in place. */
void str_lower(char *p, size_t n);
/* Well-formed UTF-8 (RFC 3629) without control bytes other than tab, CR and LF. */
bool str_is_utf8(struct str s);
/* Bytes of the character that begins at `at`, which is inside; 0: it is not well-formed. */
size_t str_utf8_length(struct str s, size_t at);

struct strbuf {
	char *p;     /* the caller's buffer, always terminated */
	size_t n;    /* bytes in it, without the terminator */
	size_t size; /* of the buffer, at least 1 */
	bool overflow;
};

/* `size` must be at least 1. */
void strbuf_init(struct strbuf *b, char *buffer, size_t size);
void strbuf_reset(struct strbuf *b);
/*
 * Each of these appends all or nothing; what does not fit sets `overflow`, and nothing more is
 * appended until strbuf_reset().
 */
void strbuf_add(struct strbuf *b, struct str s);
void strbuf_text(struct strbuf *b, const char *text);
void strbuf_char(struct strbuf *b, char c);
void strbuf_u64(struct strbuf *b, uint64_t v);
void strbuf_i64(struct strbuf *b, int64_t v);
void strbuf_hex(struct strbuf *b, const uint8_t *bytes, size_t n);
__attribute__((format(printf, 2, 3))) void strbuf_printf(struct strbuf *b, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void strbuf_vprintf(
	struct strbuf *b, const char *fmt, va_list args);
struct str strbuf_str(const struct strbuf *b);
/* 0, or -ENOSPC when something did not fit. */
int strbuf_result(const struct strbuf *b);
