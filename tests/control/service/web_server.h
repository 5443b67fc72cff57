/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP server on the loopback, on a thread of its own. What it does is in the path:
 *
 *   /ok             200 {"said": <the request's body>}, the connection stays open
 *   /fail-once      500, from the second request on as /ok      /busy-once     429, then as /ok
 *   /fail  /busy  /missing  /moved     500, 429, 404, 302 to /ok
 *   /function-failed                   200 with X-Amz-Function-Error
 *   /text           200, no JSON       /edge /large  200 with 32768 and 32769 bytes of JSON
 *   /silent         never answers      /cut          closes in the middle of the body
 *   /headers        header lines without end
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define WEB_CONNECTIONS 64
#define WEB_REQUEST_MAX 65536

struct web_connection {
	int fd;
	size_t n;
	char request[WEB_REQUEST_MAX];
};

struct web_server {
	pthread_t thread;
	int listener, stop[2];
	uint16_t port;
	atomic_uint requests, connections;
	char last
		[WEB_REQUEST_MAX]; /* the last request, head and body; read when it has been answered */
	struct web_connection open[WEB_CONNECTIONS];
};

void web_server_start(struct web_server *server);
void web_server_stop(struct web_server *server);
