/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line: bytes of a stream into lines, with a ceiling. Pure.
 *
 * A line ends with LF; a CR before it is dropped. A line longer than LINE_MAX is told once, without
 * its text, and skipped up to its LF. What is behind the last LF is a line once the stream ends.
 */
#ifndef ADMIN_LINE_H
#define ADMIN_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX_BYTES (256u << 10)

struct line_reader {
	size_t max; /* 0: LINE_MAX_BYTES */
	char *p;    /* this and the rest: private, zero */
	size_t n, room;
	bool skipping;
};

/* `line` NULL: it was too long. False: no more lines are wanted, the rest is dropped. */
typedef bool (*line_fn)(void *ctx, const char *line, size_t n);

/* 0, -ECANCELED when `fn` wanted no more, -ENOMEM. */
int line_feed(struct line_reader *reader, const void *data, size_t n, line_fn fn, void *ctx);
/* The stream has ended. */
int line_end(struct line_reader *reader, line_fn fn, void *ctx);
void line_clear(struct line_reader *reader);

#endif
