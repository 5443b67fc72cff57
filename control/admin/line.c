/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_FIRST_ROOM 4096

static size_t ceiling(const struct line_reader *r)
{
	return r->max ? r->max : LINE_MAX_BYTES;
}

static int keep(struct line_reader *r, const char *data, size_t n)
{
	size_t room = r->room ? r->room : LINE_FIRST_ROOM;
	char *p;

	while (room < r->n + n)
		room *= 2;
	if (room > r->room) {
		p = realloc(r->p, room);
		if (!p)
			return -ENOMEM;
		r->p = p;
		r->room = room;
	}
	memcpy(r->p + r->n, data, n);
	r->n += n;
	return 0;
}

static int give(struct line_reader *r, const char *line, size_t n, line_fn fn, void *ctx)
{
	if (n && line[n - 1] == '\r')
		n--;
	return fn(ctx, line, n) ? 0 : -ECANCELED;
}

/* The part of a line up to its LF. */
static int complete(struct line_reader *r, const char *data, size_t n, line_fn fn, void *ctx)
{
	int rc;

	if (r->skipping) {
		r->skipping = false;
		return 0;
	}
	if (r->n + n > ceiling(r)) {
		r->n = 0;
		return fn(ctx, NULL, 0) ? 0 : -ECANCELED;
	}
	if (r->n == 0)
		return give(r, data, n, fn, ctx);
	rc = keep(r, data, n);
	n = r->n;
	r->n = 0;
	return rc < 0 ? rc : give(r, r->p, n, fn, ctx);
}

/* The part of a line whose LF has not come yet. */
static int partial(struct line_reader *r, const char *data, size_t n, line_fn fn, void *ctx)
{
	if (r->skipping)
		return 0;
	if (r->n + n <= ceiling(r))
		return keep(r, data, n);
	r->n = 0;
	r->skipping = true;
	return fn(ctx, NULL, 0) ? 0 : -ECANCELED;
}

int line_feed(struct line_reader *r, const void *data, size_t n, line_fn fn, void *ctx)
{
	const char *p = data;

	while (n) {
		const char *lf = memchr(p, '\n', n);
		size_t part = lf ? (size_t)(lf - p) : n;
		int rc = lf ? complete(r, p, part, fn, ctx) : partial(r, p, part, fn, ctx);

		if (rc < 0)
			return rc;
		part += lf ? 1 : 0;
		p += part;
		n -= part;
	}
	return 0;
}

int line_end(struct line_reader *r, line_fn fn, void *ctx)
{
	size_t n = r->n;

	r->n = 0;
	r->skipping = false;
	return n ? give(r, r->p, n, fn, ctx) : 0;
}

void line_clear(struct line_reader *r)
{
	free(r->p);
	*r = (struct line_reader){.max = r->max};
}
