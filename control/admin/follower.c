/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/follower.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Outlives a follower that stops while the store reads. */
struct follower_read {
	struct follower *follower; /* NULL: stopped */
};

static bool wanted(const struct follower *f, const char *topic)
{
	for (unsigned i = 0; i < f->n_topics; i++)
		if (strcmp(f->topics[i], topic) == 0)
			return true;
	return f->n_topics == 0;
}

static bool may_send(const struct follower *f)
{
	return f->config->unsent(f->ctx) < FOLLOWER_AHEAD;
}

/* ---- lines --------------------------------------------------------------------------------- */

static bool send_line(struct follower *f, char *line, int n)
{
	bool ok = n > 0 && f->config->send(f->ctx, line, (size_t)n);

	if (n > 0)
		free(line);
	return ok;
}

/* The stored text goes out as it is: it is one JSON object without line feeds. */
static bool send_event(struct follower *f, const struct event *event)
{
	char time[CLOCK_ISO_SIZE], *line;
	int n;

	f->sent = event->number;
	if (!wanted(f, event->topic))
		return true;
	clock_format(event->wall_ns, time);
	n = asprintf(&line,
		"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"number\":%llu,"
		"\"time\":\"%s\",\"topic\":\"%s\",\"event\":%.*s}}\n",
		(unsigned long long)event->number, time, event->topic, STR_ARG(event->json));
	return send_line(f, line, n);
}

static bool send_gap(struct follower *f, uint64_t first)
{
	char *line;
	int n = asprintf(&line,
		"{\"jsonrpc\":\"2.0\",\"method\":\"gap\",\"params\":{\"after\":%llu,"
		"\"first\":%llu}}\n",
		(unsigned long long)f->sent, (unsigned long long)first);

	return send_line(f, line, n);
}

static bool send_snapshot(struct follower *f, const char *topic, const json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL, *line;
	int n = asprintf(&line,
		"{\"jsonrpc\":\"2.0\",\"method\":\"snapshot\",\"params\":{\"number\":%llu,"
		"\"topic\":\"%s\"%s%s}}\n",
		(unsigned long long)f->snapshot_number, topic, text ? ",\"snapshot\":" : "",
		text ? text : "");

	free(text);
	return send_line(f, line, n);
}

/* ---- catching up --------------------------------------------------------------------------- */

static void read_on(struct follower *f);

/* False: stopped, or the reader must take what it has first. */
static bool snapshot_on(struct follower *f)
{
	const char *topic;
	json_t *object;

	while (may_send(f)) {
		bool ok;

		if (!f->config->snapshot(f->config->snapshot_ctx, &f->cursor, &topic, &object)) {
			ok = send_snapshot(f, "end", NULL);
			if (ok)
				f->state = FOLLOWER_READING;
			return ok;
		}
		ok = !wanted(f, topic) || send_snapshot(f, topic, object);
		json_decref(object);
		if (!ok)
			return false;
	}
	return false;
}

/* Something is gone: that is said each time; the state of things is told the first time. */
static void take_gap(struct follower *f, uint64_t first)
{
	if (!send_gap(f, first))
		return;
	f->sent = first - 1;
	if (f->snapshot_told) {
		read_on(f);
		return;
	}
	f->snapshot_told = true;
	f->snapshot_number = events_last(f->config->events);
	f->cursor = 0;
	f->state = FOLLOWER_SNAPSHOT;
	if (snapshot_on(f))
		read_on(f);
}

static void take_page(struct follower *f, const struct events_page *page)
{
	for (size_t i = 0; i < page->n; i++) {
		if (!may_send(f))
			return; /* follower_drained() reads again */
		if (!send_event(f, &page->events[i]))
			return;
	}
	if (page->more || f->seen > f->sent)
		read_on(f);
	else
		f->state = FOLLOWER_LIVE;
}

static void give_up(struct follower *f, int error)
{
	char *line;
	int n = asprintf(&line,
		"{\"jsonrpc\":\"2.0\",\"method\":\"stopped\",\"params\":{\"after\":%llu,"
		"\"why\":\"%s\"}}\n",
		(unsigned long long)f->sent, strerror(-error));

	follower_stop(f);
	send_line(f, line, n);
}

static void on_page(void *ctx, const struct events_page *page)
{
	struct follower_read *read = ctx;
	struct follower *f = read->follower;

	free(read);
	if (!f)
		return;
	f->read = NULL;
	if (page->error < 0)
		give_up(f, page->error);
	else if (page->gap) /* without events: the number is from the future, or all are gone */
		take_gap(
			f, (page->n ? page->events[0].number : events_last(f->config->events) + 1));
	else
		take_page(f, page);
}

static int read_start(struct follower *f)
{
	struct follower_read *read = malloc(sizeof(*read));
	int rc;

	if (!read)
		return -ENOMEM;
	read->follower = f;
	rc = events_read(f->config->events, f->sent, on_page, read);
	if (rc < 0)
		free(read);
	else
		f->read = read;
	return rc;
}

static void read_on(struct follower *f)
{
	int rc = f->read ? 0 : read_start(f);

	if (rc < 0)
		give_up(f, rc);
}

void follower_drained(struct follower *f)
{
	if (f->state == FOLLOWER_READING || (f->state == FOLLOWER_SNAPSHOT && snapshot_on(f)))
		read_on(f);
}

static void on_event(void *ctx, const struct event *event)
{
	struct follower *f = ctx;

	if (f->state == FOLLOWER_LIVE)
		send_event(f, event);
	else
		f->seen = event->number;
}

/* ---- begin and end ------------------------------------------------------------------------- */

static int take_topics(struct follower *f, const json_t *topics)
{
	f->n_topics = 0;
	for (size_t i = 0; i < json_array_size(topics); i++) {
		const char *topic = json_string_value(json_array_get(topics, i));

		if (i == FOLLOWER_TOPICS_MAX || !topic ||
			str_copy(str_from(topic), f->topics[i], EVENTS_TOPIC_MAX) < 0)
			return -EINVAL;
		f->n_topics++;
	}
	return 0;
}

int follower_start(struct follower *f, uint64_t after, const json_t *topics)
{
	int rc;

	if (f->state != FOLLOWER_IDLE)
		return -EBUSY;
	rc = take_topics(f, topics);
	if (rc < 0)
		return rc;
	f->sent = after;
	f->seen = 0;
	f->snapshot_told = false;
	f->listener = (struct events_listener){.fn = on_event, .ctx = f};
	if (after == events_last(f->config->events))
		f->state = FOLLOWER_LIVE;
	else {
		rc = read_start(f);
		if (rc < 0)
			return rc;
		f->state = FOLLOWER_READING;
	}
	events_listen(f->config->events, &f->listener);
	return 0;
}

void follower_stop(struct follower *f)
{
	if (f->state == FOLLOWER_IDLE)
		return;
	f->state = FOLLOWER_IDLE;
	events_unlisten(&f->listener);
	if (f->read)
		f->read->follower = NULL;
	f->read = NULL;
}
