/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: single POSTs over HTTP and HTTPS on the loop, with libcurl's multi interface. Of the room
 * only; service.h knows about tries and limits. Connections are kept and used again.
 */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "service/service_set.h"

struct loop;
struct http;
struct http_post;

struct http_answer {
	const char *failed;   /* NULL: an answer came; else why none did */
	bool too_large;       /* it did not fit */
	bool function_failed; /* the header by which Lambda's interface says that the function did */
	long status;
	const char *body; /* terminated */
	size_t n;
};

/* -EIO: a libcurl that would block on names, or misses something else. */
int http_create(struct loop *loop, struct http **out);
/* Every post must have ended. NULL is fine. */
void http_destroy(struct http *http);

struct http_request {
	const struct service_target *target;
	const char *body; /* must stay until the end */
	size_t body_n;
	size_t answer_max;
	void *ctx;
	/* Once; the handle is gone afterwards. Never from inside http_start(). */
	void (*done)(void *ctx, const struct http_answer *answer);
};

int http_start(struct http *http, const struct http_request *request, struct http_post **out);
/* Without `done`. */
void http_cancel(struct http_post *post);

#endif
