/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

struct client {
	struct http *http;
	struct loop_stream *stream; /* NULL: closed */
	struct timer timer;
	struct loop_task task; /* the next step of the page, or the end */
	char request[HTTP_REQUEST_MAX];
	size_t n;
	bool answering, head;
	unsigned step;
	FILE *page;
	char *text;
	size_t text_n;
	struct client *next, **back;
};

struct http {
	struct http_config config;
	struct loop_listener *listener;
	struct client *clients;
	unsigned n;
};

static void client_free(struct client *c)
{
	timers_cancel(loop_timers(c->http->config.loop), &c->timer);
	loop_task_cancel(&c->task);
	loop_stream_close(c->stream);
	if (c->page)
		fclose(c->page);
	free(c->text);
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	c->http->n--;
	free(c);
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	client_free(ctx);
}

/* Sends what there is and says goodbye. */
static void answer(
	struct client *c, const char *status, const char *type, const char *body, size_t n)
{
	char head[256];
	int head_n = snprintf(head, sizeof(head),
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: "
		"no-store\r\n"
		"Connection: close\r\n\r\n",
		status, type, n);

	if (loop_stream_send(c->stream, head, (size_t)head_n) == 0 && !c->head && n)
		loop_stream_send(c->stream, body, n);
	loop_stream_finish(c->stream);
	c->stream = NULL;
}

static void refuse(struct client *c, const char *status)
{
	char body[64];
	int n = snprintf(body, sizeof(body), "%s\n", status);

	answer(c, status, "text/plain", body, (size_t)n);
	client_free(c);
}

static void on_step(void *ctx)
{
	struct client *c = ctx;
	bool more = c->http->config.write(c->http->config.ctx, c->step++, c->page);

	if (more) {
		loop_task_set(c->http->config.loop, &c->task);
		return;
	}
	fclose(c->page);
	c->page = NULL;
	if (c->text_n > HTTP_PAGE_MAX)
		refuse(c, "500 Internal Server Error");
	else {
		answer(c, "200 OK", c->http->config.type, c->text, c->text_n);
		client_free(c);
	}
}

static void begin_page(struct client *c)
{
	c->page = open_memstream(&c->text, &c->text_n);
	if (!c->page) {
		refuse(c, "503 Service Unavailable");
		return;
	}
	c->answering = true;
	c->task = (struct loop_task){.fn = on_step, .ctx = c};
	loop_task_set(c->http->config.loop, &c->task);
}

/* The request line is judged; headers say nothing that we need. */
static void take_request(struct client *c)
{
	struct str rest = str_make(c->request, c->n), line, method, target, version;

	str_split(&rest, '\n', &line);
	line = str_trim(line);
	if (!str_split(&line, ' ', &method) || !str_split(&line, ' ', &target) ||
		!str_split(&line, ' ', &version) || line.p || str_empty(target) ||
		target.p[0] != '/' || !str_starts(version, STR("HTTP/"))) {
		refuse(c, "400 Bad Request");
		return;
	}
	target = str_head(
		target, str_index(target, '?') < 0 ? target.n : (size_t)str_index(target, '?'));
	c->head = str_equal_text(method, "HEAD");
	if (!str_starts(version, STR("HTTP/1.")))
		refuse(c, "505 HTTP Version Not Supported");
	else if (!c->head && !str_equal_text(method, "GET"))
		refuse(c, "405 Method Not Allowed");
	else if (!str_equal_text(target, c->http->config.path))
		refuse(c, "404 Not Found");
	else
		begin_page(c);
}

/* The empty line behind the headers. */
static bool is_whole(const struct client *c)
{
	struct str text = str_make(c->request, c->n);

	return str_find(text, STR("\r\n\r\n")) >= 0 || str_find(text, STR("\n\n")) >= 0;
}

static void on_received(void *ctx, const uint8_t *data, size_t n)
{
	struct client *c = ctx;

	if (c->answering)
		return;
	if (n > sizeof(c->request) - c->n) {
		refuse(c, "431 Request Header Fields Too Large");
		return;
	}
	memcpy(c->request + c->n, data, n);
	c->n += n;
	if (is_whole(c))
		take_request(c);
}

/* A client that half closes behind its request still wants the page. */
static void on_ended(void *ctx)
{
	struct client *c = ctx;

	if (!c->answering)
		client_free(c);
}

static void on_closed(void *ctx, int error)
{
	client_free(ctx);
}

static void on_accepted(void *ctx, int fd, const struct address *peer)
{
	struct http *http = ctx;
	struct client *c = http->n < HTTP_CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
	struct loop_stream_config stream = {.ctx = c,
		.received = on_received,
		.ended = on_ended,
		.closed = on_closed,
		.queue_max = HTTP_PAGE_MAX + 4096};

	if (!c || loop_stream_adopt(http->config.loop, fd, &stream, &c->stream) < 0) {
		if (!c)
			close(fd);
		free(c);
		return;
	}
	c->http = http;
	c->next = http->clients;
	c->back = &http->clients;
	if (c->next)
		c->next->back = &c->next;
	http->clients = c;
	http->n++;
	timer_init(&c->timer, on_timer, c);
	timers_set_in(loop_timers(http->config.loop), &c->timer, HTTP_TIME_NS);
}

int http_open(const struct http_config *config, struct http **out)
{
	struct http *http = calloc(1, sizeof(*http));
	int rc;

	if (!http)
		return -ENOMEM;
	http->config = *config;
	rc = loop_listen(config->loop, &config->listen,
		&(struct loop_listener_config){.ctx = http, .accepted = on_accepted},
		&http->listener);
	if (rc < 0) {
		free(http);
		return rc;
	}
	*out = http;
	return 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	while (http->clients)
		client_free(http->clients);
	loop_listener_close(http->listener);
	free(http);
}

struct address http_local(const struct http *http)
{
	return loop_listener_local(http->listener);
}
