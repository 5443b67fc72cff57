/* SPDX-License-Identifier: Apache-2.0 */
#include "web_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define EDGE 32768 /* bytes: SERVICE_ANSWER_MAX */

static void drop(struct web_connection *c)
{
	close(c->fd);
	c->fd = -1;
	c->n = 0;
}

static void say(const struct web_connection *c, const char *text, size_t n)
{
	(void)!send(c->fd, text, n, MSG_NOSIGNAL);
}

static void respond(const struct web_connection *c, const char *status, const char *header,
	const char *body, size_t n)
{
	char head[512];
	int head_n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n",
		status, header, n);

	say(c, head, (size_t)head_n);
	say(c, body, n);
}

static void respond_text(const struct web_connection *c, const char *status, const char *body)
{
	respond(c, status, "", body, strlen(body));
}

/* A JSON string of `n` bytes, quotes included. */
static void respond_long(const struct web_connection *c, size_t n)
{
	char *body = malloc(n);

	memset(body, 'x', n);
	body[0] = body[n - 1] = '"';
	respond(c, "200 OK", "", body, n);
	free(body);
}

static void echo(const struct web_connection *c, const char *body)
{
	char *text;
	int n = asprintf(&text, "{\"said\": %s}", body);

	respond(c, "200 OK", "Content-Type: application/json\r\n", text, (size_t)n);
	free(text);
}

static void headers_without_end(const struct web_connection *c)
{
	say(c, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < 4000; i++)
		say(c, "X-Filler: 0123456789012345678901234567890123456789\r\n", 52);
}

static void serve(struct web_server *s, struct web_connection *c, const char *body)
{
	char path[64] = "";
	bool first = atomic_fetch_add(&s->requests, 1) == 0;

	memcpy(s->last, c->request, c->n + 1);
	sscanf(c->request, "POST %63s", path);
	if (strcmp(path, "/ok") == 0 || (!first && strstr(path, "-once")))
		echo(c, body);
	else if (strcmp(path, "/fail") == 0 || strcmp(path, "/fail-once") == 0)
		respond_text(c, "500 Oops", "{\"said\": \"no\"}");
	else if (strcmp(path, "/busy") == 0 || strcmp(path, "/busy-once") == 0)
		respond_text(c, "429 Too Many Requests", "");
	else if (strcmp(path, "/function-failed") == 0)
		respond(c, "200 OK", "X-Amz-Function-Error: Unhandled\r\n",
			"{\"errorMessage\": \"boom\"}", 24);
	else if (strcmp(path, "/moved") == 0)
		respond(c, "302 Found", "Location: /ok\r\n", "", 0);
	else if (strcmp(path, "/text") == 0)
		respond_text(c, "200 OK", "certainly");
	else if (strcmp(path, "/edge") == 0)
		respond_long(c, EDGE);
	else if (strcmp(path, "/large") == 0)
		respond_long(c, EDGE + 1);
	else if (strcmp(path, "/headers") == 0)
		headers_without_end(c);
	else if (strcmp(path, "/cut") == 0) {
		say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":", 44);
		drop(c);
		return;
	} else if (strcmp(path, "/silent") != 0)
		respond_text(c, "404 Not Found", "");
	c->n = 0;
}

static void receive(struct web_server *s, struct web_connection *c)
{
	ssize_t n = recv(c->fd, c->request + c->n, sizeof(c->request) - 1 - c->n, 0);
	char *body, *length;

	if (n <= 0) {
		drop(c);
		return;
	}
	c->n += (size_t)n;
	c->request[c->n] = '\0';
	body = strstr(c->request, "\r\n\r\n");
	length = strstr(c->request, "Content-Length: ");
	if (body && length &&
		strlen(body + 4) >= strtoul(length + strlen("Content-Length: "), NULL, 10))
		serve(s, c, body + 4);
}

static void take(struct web_server *s)
{
	int fd = accept(s->listener, NULL, NULL);

	atomic_fetch_add(&s->connections, 1);
	for (int i = 0; i < WEB_CONNECTIONS; i++)
		if (s->open[i].fd < 0) {
			s->open[i].fd = fd;
			return;
		}
	close(fd);
}

static void *run(void *ctx)
{
	struct web_server *s = ctx;
	struct pollfd fds[WEB_CONNECTIONS + 2];

	for (;;) {
		fds[0] = (struct pollfd){.fd = s->stop[0], .events = POLLIN};
		fds[1] = (struct pollfd){.fd = s->listener, .events = POLLIN};
		for (int i = 0; i < WEB_CONNECTIONS; i++)
			fds[i + 2] = (struct pollfd){.fd = s->open[i].fd, .events = POLLIN};
		poll(fds, WEB_CONNECTIONS + 2, -1);
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			take(s);
		for (int i = 0; i < WEB_CONNECTIONS; i++)
			if (fds[i + 2].revents && s->open[i].fd == fds[i + 2].fd)
				receive(s, &s->open[i]);
	}
}

void web_server_start(struct web_server *s)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);

	memset(s, 0, sizeof(*s));
	for (int i = 0; i < WEB_CONNECTIONS; i++)
		s->open[i].fd = -1;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(s->listener, WEB_CONNECTIONS), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &n), 0);
	s->port = ntohs(address.sin_port);
	assert_int_equal(pipe2(s->stop, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

void web_server_stop(struct web_server *s)
{
	assert_int_equal(write(s->stop[1], "x", 1), 1);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < WEB_CONNECTIONS; i++)
		if (s->open[i].fd >= 0)
			close(s->open[i].fd);
	close(s->listener);
	close(s->stop[0]);
	close(s->stop[1]);
}
