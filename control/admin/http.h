/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: just enough of HTTP/1.0 and 1.1 to be asked for one page: GET or HEAD of /metrics, one
 * request a connection. Everything else gets 400, 404, 405 or 505 and the connection ends.
 *
 * The page is made in steps, one a pass of the loop, so that a long one holds up no call.
 */
#ifndef ADMIN_HTTP_H
#define ADMIN_HTTP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/loop.h"

#define HTTP_CONNECTIONS_MAX 16u
#define HTTP_REQUEST_MAX     8192u
#define HTTP_TIME_NS         (UINT64_C(10) * 1000000000)
#define HTTP_PAGE_MAX        (32u << 20)

struct http;

struct http_config {
	struct loop *loop;
	struct address listen;
	const char *path; /* "/metrics" */
	const char *type; /* Content-Type */
	void *ctx;
	/* Writes part `step` (0, 1, …) of the page; false: that was the last. */
	bool (*write)(void *ctx, unsigned step, FILE *to);
};

int http_open(const struct http_config *config, struct http **out);
void http_close(struct http *http);
/* With the port that the kernel chose. */
struct address http_local(const struct http *http);

#endif
