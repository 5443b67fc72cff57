/* SPDX-License-Identifier: Apache-2.0 */
#include "store/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "store/event_files.h"

#define RETRY_NS  CLOCK_S
#define GATHER_NS (10 * CLOCK_MS) /* that an event may wait for others before it is written */
#define READS_MAX 1024u

/* Everything but the pointer to the next stays as it is from append on, so the helper may read it.
 */
struct entry {
	struct entry *next;
	struct event event; /* its texts are the two below */
	unsigned held;      /* by batches on the helper */
	bool dropped;       /* out of the list, goes when no batch holds it */
	char topic[EVENTS_TOPIC_MAX];
	char json[];
};

struct batch {
	struct events *events;
	struct event_files *files;
	struct entry *entries[EVENTS_BATCH];
	unsigned n;
	uint64_t keep, forget_wall_ns;
	bool worked;
	int error;
};

struct read {
	struct events *events;
	struct read *next;
	uint64_t after;
	void (*done)(void *ctx, const struct events_page *page);
	void *ctx;
	/* of the helper */
	struct event_files *files;
	bool worked;
	int error;
	struct event rows[EVENTS_READ_MAX];
	size_t n;
};

struct events {
	struct events_config config;
	struct event_files *files;
	struct entry *first, **last; /* in memory, by number */
	struct entry *unwritten;     /* the first above `written`; NULL */
	size_t n;
	uint64_t last_number, written;
	size_t waiting, waiting_bytes;
	unsigned in_flight, reads_out;
	bool writing, failing;
	struct loop_task answer;
	struct timer flush;               /* what has gathered, or failed before */
	struct read *reads, **reads_last; /* answered by the task */
	struct events_listener *listeners;
	struct events_listener *telling; /* the next to be told */
	uint64_t appended, written_count, given_up, failures;
};

/* ---- memory -------------------------------------------------------------------------------- */

static void entry_drop(struct events *e)
{
	struct entry *entry = e->first;

	e->first = entry->next;
	if (e->unwritten == entry)
		e->unwritten = entry->next;
	if (!e->first)
		e->last = &e->first;
	e->n--;
	entry->dropped = true;
	if (entry->held == 0)
		free(entry);
}

static bool too_old(const struct events *e, const struct entry *entry, uint64_t wall_ns)
{
	return entry->event.wall_ns + e->config.keep_ns < wall_ns;
}

/* What is written may go when it is too much or too old. */
static void trim(struct events *e, uint64_t wall_ns)
{
	while (e->first && e->first->event.number <= e->written &&
		(e->n > e->config.memory || too_old(e, e->first, wall_ns)))
		entry_drop(e);
}

/* A disk that does not take anything must not cost all memory: the oldest are given up. */
static void give_up(struct events *e)
{
	while (e->first &&
		(e->waiting > EVENTS_WAITING_MAX || e->waiting_bytes > EVENTS_WAITING_BYTES)) {
		if (e->first->event.number > e->written) {
			e->waiting--;
			e->waiting_bytes -= e->first->event.json.n;
			e->given_up++;
			e->written = e->first->event.number;
		}
		entry_drop(e);
	}
}

/* ---- writing ------------------------------------------------------------------------------- */

static int write_batch(struct batch *b)
{
	int error = 0;

	for (unsigned i = 0; !error && i < b->n; i++)
		error = event_files_put(b->files, &b->entries[i]->event);
	if (!error)
		error = event_files_flush(b->files);
	if (!error)
		event_files_forget(b->files, b->keep, b->forget_wall_ns);
	return error;
}

static void batch_work(void *arg)
{
	struct batch *b = arg;

	b->worked = true;
	b->error = write_batch(b);
}

static void flush_in(struct events *e, uint64_t after_ns)
{
	timers_set_in(loop_timers(e->config.loop), &e->flush, after_ns);
}

/* Once when it begins, and once when it is over. */
static void report(struct events *e, int error)
{
	if (error && !e->failing)
		log_error(NULL, "store", "events cannot be written: %s: %s", e->config.path,
			strerror(-error));
	else if (!error && e->failing)
		log_info(NULL, "store", "events are written again");
	e->failing = error != 0;
}

static void batch_release(struct events *e, struct batch *b, bool written)
{
	for (unsigned i = 0; i < b->n; i++) {
		struct entry *entry = b->entries[i];

		if (written && entry->event.number > e->written) {
			e->written = entry->event.number;
			e->written_count++;
			e->waiting--;
			e->waiting_bytes -= entry->event.json.n;
		}
		if (--entry->held == 0 && entry->dropped)
			free(entry);
	}
	while (e->unwritten && e->unwritten->event.number <= e->written)
		e->unwritten = e->unwritten->next;
}

static void batch_done(void *arg)
{
	struct batch *b = arg;
	struct events *e = b->events;
	bool good = b->worked && !b->error;
	uint64_t wall_ns;

	e->in_flight--;
	e->writing = false;
	wall_ns = b->n ? b->entries[b->n - 1]->event.wall_ns : 0;
	batch_release(e, b, good);
	if (good) {
		report(e, 0);
		trim(e, wall_ns);
	}
	if (b->worked && b->error) {
		e->failures++;
		report(e, b->error);
		flush_in(e, RETRY_NS);
	} else if (good && e->waiting) {
		flush_in(e, GATHER_NS);
	}
	free(b);
}

static struct batch *batch_make(struct events *e)
{
	struct batch *b = malloc(sizeof(*b));
	uint64_t wall_ns = 0;

	if (!b)
		return NULL;
	b->events = e;
	b->files = e->files;
	b->n = 0;
	b->worked = false;
	b->error = 0;
	for (struct entry *entry = e->unwritten; entry && b->n < EVENTS_BATCH;
		entry = entry->next) {
		entry->held++;
		wall_ns = entry->event.wall_ns;
		b->entries[b->n++] = entry;
	}
	b->keep = e->config.keep;
	b->forget_wall_ns = wall_ns > e->config.keep_ns ? wall_ns - e->config.keep_ns : 0;
	return b;
}

static void flush_due(void *ctx, uint64_t now_ns)
{
	struct events *e = ctx;
	struct batch *b;

	if (e->writing || !e->waiting)
		return;
	b = batch_make(e);
	if (!b || offload_submit(e->config.offload, batch_work, batch_done, b)) {
		if (b)
			batch_release(e, b, false);
		free(b);
		flush_in(e, RETRY_NS);
		return;
	}
	e->writing = true;
	e->in_flight++;
}

/* ---- appending ----------------------------------------------------------------------------- */

static void tell_listeners(struct events *e, const struct entry *entry)
{
	for (struct events_listener *l = e->listeners; l; l = e->telling) {
		e->telling = l->next;
		l->fn(l->ctx, &entry->event);
	}
}

int events_append(
	struct events *e, const char *topic, uint64_t wall_ns, struct str json, uint64_t *number)
{
	struct entry *entry;

	if (!topic[0] || strlen(topic) >= EVENTS_TOPIC_MAX || json.n == 0)
		return -EINVAL;
	if (json.n > EVENTS_JSON_MAX)
		return -E2BIG;
	entry = malloc(sizeof(*entry) + json.n + 1);
	if (!entry)
		return -ENOMEM;
	*entry = (struct entry){
		.event = {++e->last_number, wall_ns, entry->topic, {entry->json, json.n}}};
	memcpy(entry->topic, topic, strlen(topic) + 1);
	memcpy(entry->json, json.p, json.n);
	entry->json[json.n] = '\0';
	*e->last = entry;
	e->last = &entry->next;
	if (!e->unwritten)
		e->unwritten = entry;
	e->n++;
	e->waiting++;
	e->waiting_bytes += json.n;
	e->appended++;
	if (number)
		*number = entry->event.number;
	tell_listeners(e, entry);
	give_up(e);
	trim(e, wall_ns);
	if (!e->writing && !e->failing && !timer_is_set(&e->flush))
		flush_in(e, GATHER_NS);
	return 0;
}

uint64_t events_last(const struct events *e)
{
	return e->last_number;
}

void events_listen(struct events *e, struct events_listener *l)
{
	struct events_listener **at = &e->listeners;

	while (*at)
		at = &(*at)->next;
	l->next = NULL;
	l->back = at;
	l->events = e;
	*at = l;
}

void events_unlisten(struct events_listener *l)
{
	if (!l->back)
		return;
	if (l->events->telling == l)
		l->events->telling = l->next;
	*l->back = l->next;
	if (l->next)
		l->next->back = l->back;
	l->back = NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void read_work(void *arg)
{
	struct read *r = arg;

	r->worked = true;
	r->error = event_files_read(r->files, r->after, r->rows, EVENTS_READ_MAX, &r->n);
}

static void read_end(struct read *r, const struct events_page *page)
{
	struct events *e = r->events;

	e->reads_out--;
	r->done(r->ctx, page);
	for (size_t i = 0; r->worked && i < r->n; i++) {
		free((char *)r->rows[i].json.p);
		free((char *)r->rows[i].topic);
	}
	free(r);
}

/* How many of the rows follow each other without a hole. */
static size_t unbroken(const struct event *rows, size_t n)
{
	size_t i = 1;

	while (i < n && rows[i].number == rows[i - 1].number + 1)
		i++;
	return n ? i : 0;
}

static void read_page(struct read *r)
{
	struct events *e = r->events;
	struct events_page page = {.events = r->rows, .n = unbroken(r->rows, r->n)};

	if (page.n) {
		page.gap = r->rows[0].number != r->after + 1;
		page.more = r->rows[page.n - 1].number < e->last_number;
	} else {
		page.gap = r->after != e->last_number;
	}
	read_end(r, &page);
}

static void read_memory(struct read *r)
{
	for (struct entry *entry = r->events->first; entry && r->n < EVENTS_READ_MAX;
		entry = entry->next)
		if (entry->event.number > r->after)
			r->rows[r->n++] = entry->event;
	read_page(r);
}

static void read_done(void *arg)
{
	struct read *r = arg;
	struct events *e = r->events;

	e->in_flight--;
	if (!r->worked || r->error) {
		read_end(r, &(struct events_page){.error = r->worked ? r->error : -ECANCELED});
	} else if (r->n == 0) {
		r->worked = false; /* the rows will not be its own */
		read_memory(r);
	} else {
		read_page(r);
	}
}

static bool in_memory(const struct events *e, uint64_t after)
{
	return after >= e->last_number || (e->first && e->first->event.number <= after + 1);
}

static void answer(void *ctx)
{
	struct events *e = ctx;
	struct read *r = e->reads;

	e->reads = NULL;
	e->reads_last = &e->reads;
	while (r) {
		struct read *next = r->next;

		if (in_memory(e, r->after)) {
			read_memory(r);
		} else if (offload_submit(e->config.offload, read_work, read_done, r)) {
			read_end(r, &(struct events_page){.error = -ENOBUFS});
		} else {
			e->in_flight++;
		}
		r = next;
	}
}

int events_read(struct events *e, uint64_t after,
	void (*done)(void *ctx, const struct events_page *page), void *ctx)
{
	struct read *r;

	if (e->reads_out == READS_MAX)
		return -ENOBUFS;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->events = e;
	r->files = e->files;
	r->after = after;
	r->done = done;
	r->ctx = ctx;
	*e->reads_last = r;
	e->reads_last = &r->next;
	e->reads_out++;
	loop_task_set(e->config.loop, &e->answer);
	return 0;
}

/* ---- open and close ------------------------------------------------------------------------ */

static void fill_defaults(struct events_config *c)
{
	if (!c->keep)
		c->keep = EVENTS_KEEP;
	if (!c->keep_ns)
		c->keep_ns = EVENTS_KEEP_NS;
	if (!c->memory)
		c->memory = EVENTS_MEMORY;
	if (c->memory > c->keep)
		c->memory = c->keep;
}

int events_open(const struct events_config *config, char *error_text, struct events **out)
{
	struct events *e = calloc(1, sizeof(*e));
	int error;

	if (!e) {
		snprintf(error_text, EVENTS_ERROR_SIZE, "%s: out of memory", config->path);
		return -ENOMEM;
	}
	e->config = *config;
	fill_defaults(&e->config);
	error = event_files_open(config->path, error_text, &e->files);
	if (error) {
		free(e);
		return error;
	}
	e->last = &e->first;
	e->reads_last = &e->reads;
	e->answer = (struct loop_task){.fn = answer, .ctx = e};
	timer_init(&e->flush, flush_due, e);
	e->last_number = e->written = event_files_last(e->files);
	event_files_forget(e->files, e->config.keep,
		config->wall_ns > e->config.keep_ns ? config->wall_ns - e->config.keep_ns : 0);
	*out = e;
	return 0;
}

static int write_rest(struct events *e)
{
	int error = 0;

	while (!error && e->waiting) {
		struct batch *b = batch_make(e);

		if (!b)
			return -ENOMEM;
		error = write_batch(b);
		batch_release(e, b, !error);
		free(b);
	}
	return error;
}

int events_close(struct events *e)
{
	int error;

	if (!e)
		return 0;
	CHECK(e->in_flight == 0);
	loop_task_cancel(&e->answer);
	timers_cancel(loop_timers(e->config.loop), &e->flush);
	while (e->reads) {
		struct read *r = e->reads;

		e->reads = r->next;
		read_end(r, &(struct events_page){.error = -ECANCELED});
	}
	error = write_rest(e);
	if (error)
		log_error(NULL, "store", "%zu events lost: %s", e->waiting, strerror(-error));
	/* Only without a loss is there no gap for those who resume. */
	event_files_close(e->files, error == 0);
	while (e->first)
		entry_drop(e);
	while (e->listeners)
		events_unlisten(e->listeners);
	free(e);
	return error;
}

void events_stats(const struct events *e, struct events_stats *out)
{
	*out = (struct events_stats){
		.appended = e->appended,
		.written = e->written_count,
		.given_up = e->given_up,
		.failures = e->failures,
		.waiting = e->waiting,
		.in_memory = e->n,
		.last = e->last_number,
	};
}
