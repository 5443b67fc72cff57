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
#include "store/database.h"

#define RETRY_NS  CLOCK_S
#define READS_MAX 1024u

static const struct database_schema schema = {.version = EVENTS_SCHEMA,
	.ddl = "CREATE TABLE events("
	       " number INTEGER PRIMARY KEY,"
	       " wall INTEGER NOT NULL,"
	       " topic TEXT NOT NULL,"
	       " json TEXT NOT NULL);"
	       "CREATE INDEX events_wall ON events(wall);"
	       "CREATE TABLE numbers(reserved INTEGER NOT NULL);"
	       "INSERT INTO numbers VALUES(0);"};

/* Everything but the pointer to the next stays as it is from append on, so the helper may read it.
 */
struct entry {
	struct entry *next;
	uint64_t number, wall_ns;
	unsigned held; /* by batches on the helper */
	bool dropped;  /* out of the list, goes when no batch holds it */
	size_t n;
	char topic[EVENTS_TOPIC_MAX];
	char json[];
};

struct batch {
	struct events *events;
	sqlite3 *db;
	struct entry *entries[EVENTS_BATCH];
	unsigned n;
	uint64_t reserve; /* 0: as it is */
	uint64_t forget_number, forget_wall_ns;
	bool worked;
	int error;
	char text[EVENTS_ERROR_SIZE];
};

struct read {
	struct events *events;
	struct read *next;
	uint64_t after;
	void (*done)(void *ctx, const struct events_page *page);
	void *ctx;
	/* of the helper */
	sqlite3 *db;
	bool worked;
	int error;
	struct event rows[EVENTS_READ_MAX];
	size_t n;
};

struct events {
	struct events_config config;
	sqlite3 *db;
	struct entry *first, **last; /* in memory, by number */
	struct entry *unwritten;     /* the first above `written`; NULL */
	size_t n;
	uint64_t last_number, written, reserved;
	size_t waiting, waiting_bytes;
	unsigned in_flight, reads_out;
	bool writing, failing;
	struct loop_task flush, answer;
	struct timer retry;
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
	return entry->wall_ns + e->config.keep_ns < wall_ns;
}

/* What is written may go when it is too much or too old. */
static void trim(struct events *e, uint64_t wall_ns)
{
	while (e->first && e->first->number <= e->written &&
		(e->n > e->config.memory || too_old(e, e->first, wall_ns)))
		entry_drop(e);
}

/* A disk that does not take anything must not cost all memory: the oldest are given up. */
static void give_up(struct events *e)
{
	while (e->first &&
		(e->waiting > EVENTS_WAITING_MAX || e->waiting_bytes > EVENTS_WAITING_BYTES)) {
		if (e->first->number > e->written) {
			e->waiting--;
			e->waiting_bytes -= e->first->n;
			e->given_up++;
			e->written = e->first->number;
		}
		entry_drop(e);
	}
}

/* ---- writing ------------------------------------------------------------------------------- */

static int write_entry(sqlite3_stmt *s, const struct entry *entry)
{
	sqlite3_bind_int64(s, 1, (int64_t)entry->number);
	sqlite3_bind_int64(s, 2, (int64_t)entry->wall_ns);
	sqlite3_bind_text(s, 3, entry->topic, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, entry->json, (int)entry->n, SQLITE_STATIC);
	int result = sqlite3_step(s);
	sqlite3_reset(s);
	return database_errno(result);
}

static int run_number(sqlite3 *db, const char *sql, uint64_t one, uint64_t two)
{
	sqlite3_stmt *s;
	int error = database_prepare(db, sql, &s);

	if (error)
		return error;
	sqlite3_bind_int64(s, 1, (int64_t)one);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, (int64_t)two);
	error = database_errno(sqlite3_step(s));
	sqlite3_finalize(s);
	return error;
}

static int write_batch(struct batch *b)
{
	sqlite3_stmt *s = NULL;
	int error = database_run(b->db, "BEGIN IMMEDIATE");

	if (error)
		return error;
	error = database_prepare(b->db,
		"INSERT OR IGNORE INTO events(number, wall, topic, json) VALUES(?1, ?2, ?3, ?4)",
		&s);
	for (unsigned i = 0; !error && i < b->n; i++)
		error = write_entry(s, b->entries[i]);
	sqlite3_finalize(s);
	if (!error && b->reserve)
		error = run_number(b->db, "UPDATE numbers SET reserved = ?1", b->reserve, 0);
	if (!error)
		error = run_number(b->db, "DELETE FROM events WHERE number <= ?1 OR wall < ?2",
			b->forget_number, b->forget_wall_ns);
	if (!error)
		error = database_run(b->db, "COMMIT");
	return error;
}

static void batch_work(void *arg)
{
	struct batch *b = arg;

	b->worked = true;
	b->error = write_batch(b);
	if (!b->error)
		return;
	snprintf(b->text, sizeof(b->text), "%s: %s", sqlite3_db_filename(b->db, "main"),
		sqlite3_errmsg(b->db));
	if (!sqlite3_get_autocommit(b->db))
		sqlite3_exec(b->db, "ROLLBACK", NULL, NULL, NULL);
}

static void report_health(struct events *e, int error, const char *text)
{
	bool failing = error != 0;

	if (failing == e->failing)
		return;
	e->failing = failing;
	if (failing)
		log_error(NULL, "store", "events cannot be written: %s", text);
	else
		log_info(NULL, "store", "events are written again");
	if (e->config.health)
		e->config.health(e->config.ctx, error, text);
}

static void batch_release(struct events *e, struct batch *b, bool written)
{
	for (unsigned i = 0; i < b->n; i++) {
		struct entry *entry = b->entries[i];

		if (written && entry->number > e->written) {
			e->written = entry->number;
			e->written_count++;
			e->waiting--;
			e->waiting_bytes -= entry->n;
		}
		if (--entry->held == 0 && entry->dropped)
			free(entry);
	}
	while (e->unwritten && e->unwritten->number <= e->written)
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
	if (good && b->reserve)
		e->reserved = b->reserve;
	wall_ns = b->n ? b->entries[b->n - 1]->wall_ns : 0;
	batch_release(e, b, good);
	if (good) {
		report_health(e, 0, "");
		trim(e, wall_ns);
	}
	if (b->worked && b->error) {
		e->failures++;
		report_health(e, b->error, b->text);
		timers_set_in(loop_timers(e->config.loop), &e->retry, RETRY_NS);
	} else if (good && e->waiting) {
		loop_task_set(e->config.loop, &e->flush);
	}
	free(b);
}

static struct batch *batch_make(struct events *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	uint64_t wall_ns = 0;

	if (!b)
		return NULL;
	b->events = e;
	b->db = e->db;
	for (struct entry *entry = e->unwritten; entry && b->n < EVENTS_BATCH;
		entry = entry->next) {
		entry->held++;
		wall_ns = entry->wall_ns;
		b->entries[b->n++] = entry;
	}
	if (e->last_number + EVENTS_BLOCK / 2 > e->reserved)
		b->reserve = e->last_number + EVENTS_BLOCK;
	b->forget_number = e->last_number > e->config.keep ? e->last_number - e->config.keep : 0;
	b->forget_wall_ns = wall_ns > e->config.keep_ns ? wall_ns - e->config.keep_ns : 0;
	return b;
}

static void flush(void *ctx)
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
		timers_set_in(loop_timers(e->config.loop), &e->retry, RETRY_NS);
		return;
	}
	e->writing = true;
	e->in_flight++;
}

static void retry_due(void *ctx, uint64_t now_ns)
{
	flush(ctx);
}

/* ---- appending ----------------------------------------------------------------------------- */

static struct event event_of(const struct entry *entry)
{
	return (struct event){
		.number = entry->number,
		.wall_ns = entry->wall_ns,
		.topic = entry->topic,
		.json = {entry->json, entry->n},
	};
}

static void tell_listeners(struct events *e, const struct entry *entry)
{
	const struct event event = event_of(entry);

	for (struct events_listener *l = e->listeners; l; l = e->telling) {
		e->telling = l->next;
		l->fn(l->ctx, &event);
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
	entry = calloc(1, sizeof(*entry) + json.n + 1);
	if (!entry)
		return -ENOMEM;
	entry->number = ++e->last_number;
	entry->wall_ns = wall_ns;
	entry->n = json.n;
	snprintf(entry->topic, sizeof(entry->topic), "%s", topic);
	memcpy(entry->json, json.p, json.n);
	*e->last = entry;
	e->last = &entry->next;
	if (!e->unwritten)
		e->unwritten = entry;
	e->n++;
	e->waiting++;
	e->waiting_bytes += json.n;
	e->appended++;
	if (number)
		*number = entry->number;
	tell_listeners(e, entry);
	give_up(e);
	trim(e, wall_ns);
	if (!e->writing && !e->failing)
		loop_task_set(e->config.loop, &e->flush);
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

static int take_row(struct read *r, sqlite3_stmt *s)
{
	size_t n = (size_t)sqlite3_column_bytes(s, 3);
	struct event *row = &r->rows[r->n];
	char *json = str_dup(str_make((const char *)sqlite3_column_text(s, 3), n));
	char *topic = str_dup(str_from((const char *)sqlite3_column_text(s, 2)));

	if (!json || !topic) {
		free(json);
		free(topic);
		return -ENOMEM;
	}
	*row = (struct event){
		.number = (uint64_t)sqlite3_column_int64(s, 0),
		.wall_ns = (uint64_t)sqlite3_column_int64(s, 1),
		.topic = topic,
		.json = {json, n},
	};
	r->n++;
	return 0;
}

static void read_work(void *arg)
{
	struct read *r = arg;
	sqlite3_stmt *s;
	int step = SQLITE_DONE;

	r->worked = true;
	r->error = database_prepare(r->db,
		"SELECT number, wall, topic, json FROM events WHERE number > ?1"
		" ORDER BY number LIMIT ?2",
		&s);
	if (r->error)
		return;
	sqlite3_bind_int64(s, 1, (int64_t)r->after);
	sqlite3_bind_int64(s, 2, EVENTS_READ_MAX);
	while (!r->error && r->n < EVENTS_READ_MAX && (step = sqlite3_step(s)) == SQLITE_ROW)
		r->error = take_row(r, s);
	if (!r->error)
		r->error = database_errno(step);
	sqlite3_finalize(s);
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
		if (entry->number > r->after)
			r->rows[r->n++] = event_of(entry);
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
	return after >= e->last_number || (e->first && e->first->number <= after + 1);
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
	r->db = e->db;
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

/* What a former control set aside and did not give back may have been given to a reader. */
static int take_numbers(struct events *e)
{
	uint64_t reserved = (uint64_t)database_number(e->db, "SELECT reserved FROM numbers", 0);
	uint64_t last = (uint64_t)database_number(e->db, "SELECT max(number) FROM events", 0);

	e->last_number = reserved > last ? reserved : last;
	e->written = e->last_number;
	e->reserved = e->last_number + EVENTS_BLOCK;
	return run_number(e->db, "UPDATE numbers SET reserved = ?1", e->reserved, 0);
}

int events_open(const struct events_config *config, char *error_text, struct events **out)
{
	struct events *e = calloc(1, sizeof(*e));
	uint64_t old_ns;
	int error;

	if (!e) {
		snprintf(error_text, EVENTS_ERROR_SIZE, "%s: out of memory", config->path);
		return -ENOMEM;
	}
	e->config = *config;
	fill_defaults(&e->config);
	error = database_open(config->path, &schema, error_text, EVENTS_ERROR_SIZE, &e->db);
	if (error) {
		free(e);
		return error;
	}
	/* An event is not worth a wait for the disk; a crash of the machine may cost the last ones.
	 */
	database_run(e->db, "PRAGMA synchronous = NORMAL");
	e->last = &e->first;
	e->reads_last = &e->reads;
	e->flush = (struct loop_task){.fn = flush, .ctx = e};
	e->answer = (struct loop_task){.fn = answer, .ctx = e};
	timer_init(&e->retry, retry_due, e);
	error = take_numbers(e);
	old_ns = config->wall_ns > e->config.keep_ns ? config->wall_ns - e->config.keep_ns : 0;
	if (!error)
		error = run_number(
			e->db, "DELETE FROM events WHERE number <= ?1 OR wall < ?2", 0, old_ns);
	if (error) {
		snprintf(error_text, EVENTS_ERROR_SIZE, "%s: %s", config->path,
			sqlite3_errmsg(e->db));
		sqlite3_close(e->db);
		free(e);
		return error;
	}
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
		if (error && !sqlite3_get_autocommit(e->db))
			sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
		batch_release(e, b, !error);
		free(b);
	}
	/* Nothing set aside is open: no gap for those who resume. */
	if (!error)
		error = run_number(e->db, "UPDATE numbers SET reserved = ?1", e->last_number, 0);
	return error;
}

int events_close(struct events *e)
{
	int error;

	if (!e)
		return 0;
	CHECK(e->in_flight == 0);
	loop_task_cancel(&e->flush);
	loop_task_cancel(&e->answer);
	timers_cancel(loop_timers(e->config.loop), &e->retry);
	while (e->reads) {
		struct read *r = e->reads;

		e->reads = r->next;
		read_end(r, &(struct events_page){.error = -ECANCELED});
	}
	error = write_rest(e);
	if (error)
		log_error(NULL, "store", "%zu events lost: %s", e->waiting, sqlite3_errmsg(e->db));
	while (e->first)
		entry_drop(e);
	while (e->listeners)
		events_unlisten(e->listeners);
	sqlite3_close(e->db);
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
