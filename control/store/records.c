/* SPDX-License-Identifier: Apache-2.0 */
#include "store/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/jot.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "store/database.h"
#include "store/record_table.h"

#define RETRY_NS     CLOCK_S
#define ROWS_DEFAULT 100u
#define QUERIES_MAX  256u
#define SQL_SIZE     600

/* Rows, and the memory that they take. */
struct load {
	size_t rows, bytes;
};

/* Of a visit of the helper to the table. */
struct outcome {
	int keep_error, fold_error;    /* 0 also when it was not tried */
	char text[RECORDS_ERROR_SIZE]; /* of the error, the first when there are two */
	struct load held;              /* by the table, afterwards */
	bool unkept;                   /* some of it */
};

enum health {
	WELL,
	WAITING, /* what is kept cannot be folded */
	FAILING, /* nothing can be kept */
};

struct batch {
	struct records *records;
	struct record_table *table;
	struct record_row *first;
	struct load load; /* of them */
	bool fold;
	bool worked;
	struct outcome outcome;
	uint64_t took_ns;
};

struct records {
	struct records_config config;
	struct record_table *table;
	struct jot jot;
	struct record_row *first, **last; /* not in a batch */
	struct load gathered;             /* of these */
	struct load handed;               /* in batches */
	struct load held;                 /* by the table, as the helper said last */
	unsigned in_flight;               /* batches and queries */
	unsigned batches_out;
	unsigned queries_out;
	enum health health;
	struct timer flush; /* what has gathered, or failed before */
	struct timer fold;
	struct records_stats stats;
};

/* ---- writing ------------------------------------------------------------------------------- */

static struct load load_of(const struct record_table *t)
{
	return (struct load){record_table_rows(t), record_table_bytes(t)};
}

static void load_add(struct load *l, struct load more)
{
	l->rows += more.rows;
	l->bytes += more.bytes;
}

static void load_remove(struct load *l, struct load less)
{
	l->rows -= less.rows;
	l->bytes -= less.bytes;
}

static void note_held(struct outcome *o, const struct record_table *t)
{
	o->held = load_of(t);
	o->unkept = record_table_unkept(t) > 0;
}

static int note_error(struct outcome *o, const struct record_table *t, int error)
{
	if (error && !o->text[0])
		snprintf(o->text, sizeof(o->text), "%s", record_table_error(t));
	return error;
}

/* A fold makes room in the journal, so one that is full needs it. */
static void batch_work(void *arg)
{
	struct batch *b = arg;
	struct record_table *t = b->table;
	struct outcome *o = &b->outcome;
	uint64_t begun_ns = clock_now();

	b->worked = true;
	o->keep_error = note_error(o, t, record_table_keep(t, b->first));
	if (b->fold || o->keep_error || record_table_is_due(t))
		o->fold_error = note_error(o, t, record_table_fold(t));
	note_held(o, t);
	b->took_ns = clock_now() - begun_ns;
}

static void flush_in(struct records *r, uint64_t after_ns)
{
	timers_set_in(loop_timers(r->config.loop), &r->flush, after_ns);
}

static void report(struct records *r, enum health now, const char *text)
{
	if (now == r->health)
		return;
	r->health = now;
	if (now == FAILING)
		log_error(NULL, "store", "records cannot be written: %s", text);
	else if (now == WAITING)
		log_warning(NULL, "store", "records wait in the journal: %s", text);
	else
		log_info(NULL, "store", "records are written again");
}

static void note_health(struct records *r, const struct outcome *o)
{
	int error = o->keep_error ? o->keep_error : o->fold_error;

	/* a fold that was not tried fails still */
	if (o->unkept)
		report(r, FAILING, o->text);
	else if (o->fold_error || (r->health == WAITING && o->held.rows))
		report(r, WAITING, o->text);
	else
		report(r, WELL, "");
	if (error)
		r->stats.failures++;
	if (error || r->health == WELL)
		r->stats.error = error;
}

/* What is kept may lie in memory for a while; it is in the table within RECORDS_FOLD_NS. */
static void note_outcome(struct records *r, const struct outcome *o)
{
	struct timers *timers = loop_timers(r->config.loop);

	note_health(r, o);
	r->held = o->held;
	if (!o->held.rows)
		timers_cancel(timers, &r->fold);
	else if (!timer_is_set(&r->fold))
		timers_set_in(timers, &r->fold, RECORDS_FOLD_NS);
}

/* The helper has ended, so the table is the loop's: rows stay in order. What fails, close says. */
static void batch_cancelled(struct records *r, struct batch *b)
{
	record_table_keep(r->table, b->first);
	r->held = load_of(r->table);
}

static void batch_over(struct records *r, struct batch *b)
{
	note_outcome(r, &b->outcome);
	if (b->outcome.keep_error) {
		flush_in(r, RETRY_NS);
		return;
	}
	r->stats.batches++;
	if (b->took_ns > r->stats.slowest_batch_ns)
		r->stats.slowest_batch_ns = b->took_ns;
	if (r->first && r->batches_out == 0)
		flush_in(r, RECORDS_GATHER_NS);
}

static void batch_done(void *arg)
{
	struct batch *b = arg;
	struct records *r = b->records;

	r->in_flight--;
	r->batches_out--;
	load_remove(&r->handed, b->load);
	if (b->worked)
		batch_over(r, b);
	else
		batch_cancelled(r, b);
	free(b);
}

/* Hands everything that has gathered to the helper. False: it is tried again. */
static bool submit(struct records *r, bool fold)
{
	struct batch *b = malloc(sizeof(*b));

	if (b)
		*b = (struct batch){.records = r,
			.table = r->table,
			.first = r->first,
			.load = r->gathered,
			.fold = fold};
	if (!b || offload_submit(r->config.offload, batch_work, batch_done, b)) {
		free(b);
		flush_in(r, RETRY_NS);
		return false;
	}
	load_add(&r->handed, b->load);
	r->gathered = (struct load){0};
	r->first = NULL;
	r->last = &r->first;
	r->in_flight++;
	r->batches_out++;
	return true;
}

static void flush_due(void *ctx, uint64_t now_ns)
{
	struct records *r = ctx;

	if (r->first || r->health == FAILING)
		submit(r, false);
}

static void fold_due(void *ctx, uint64_t now_ns)
{
	submit(ctx, true);
}

static int row_of(struct records *r, const struct record *record, struct record_row **out)
{
	struct str json;

	jot_reset(&r->jot);
	if (!record_json(record, &r->jot))
		return -EINVAL;
	json = jot_str(&r->jot);
	if (json.n > RECORDS_JSON_MAX)
		return -E2BIG;
	*out = record_row_make(record->contact_id, record->initial_contact_id, json);
	if (!*out)
		return -ENOMEM;
	(*out)->complete = record->complete;
	(*out)->initiated_wall = record->initiation_wall;
	return 0;
}

static size_t waiting(const struct records *r)
{
	return r->gathered.rows + r->handed.rows + r->held.rows;
}

static size_t waiting_bytes(const struct records *r)
{
	return r->gathered.bytes + r->handed.bytes + r->held.bytes;
}

static bool is_full(const struct records *r)
{
	return waiting(r) >= RECORDS_WAITING_MAX || waiting_bytes(r) >= RECORDS_WAITING_BYTES;
}

static void append(struct records *r, struct record_row *row)
{
	row->number = ++r->stats.last_number;
	row->next = NULL;
	*r->last = row;
	r->last = &row->next;
	r->gathered.rows++;
	r->gathered.bytes += row->bytes;
	r->stats.put++;
	/* While one batch is written the next one gathers. */
	if (r->batches_out == 0 && r->health != FAILING && !timer_is_set(&r->flush))
		flush_in(r, RECORDS_GATHER_NS);
}

int records_put(struct records *r, const struct record *record)
{
	struct record_row *row = NULL;
	int error = -ENOBUFS;

	if (!is_full(r))
		error = row_of(r, record, &row);
	if (!row) {
		r->stats.refused++;
		return error;
	}
	append(r, row);
	return 0;
}

int records_set_next(struct records *r, struct str contact_id, struct str next_id, uint64_t wall_ns)
{
	struct record_row *row;
	char time[RECORD_TIME_SIZE];

	if (str_empty(contact_id) || str_empty(next_id))
		return -EINVAL;
	if (contact_id.n + next_id.n > RECORDS_JSON_MAX)
		return -E2BIG;
	if (is_full(r)) {
		r->stats.refused++;
		return -ENOBUFS;
	}
	record_time(wall_ns, time);
	row = record_row_make(contact_id, next_id, str_from(time));
	if (!row)
		return -ENOMEM;
	row->link = true;
	append(r, row);
	return 0;
}

bool records_pressure(const struct records *r)
{
	return waiting(r) >= RECORDS_WAITING_MAX / 2 ||
	       waiting_bytes(r) >= RECORDS_WAITING_BYTES / 2;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct query {
	struct records *records;
	struct record_table *table;
	sqlite3 *db;
	char *contact_id, *chain;
	struct records_query q; /* its texts are the two above */
	void (*done)(void *ctx, const struct records_result *result);
	void *ctx;
	bool worked;
	int error;
	char text[RECORDS_ERROR_SIZE];
	struct records_row *rows;
	size_t n;
	bool more;
	struct outcome outcome;
};

static void query_sql(const struct records_query *q, char sql[SQL_SIZE])
{
	const char *order = q->since || q->by_number     ? "number"
			    : q->chain.n                 ? "initiated, number"
			    : q->order == RECORDS_OLDEST ? "initiated, number"
							 : "initiated DESC, number DESC";

	snprintf(sql, SQL_SIZE,
		"SELECT number, complete, contact_id, json FROM records WHERE number > ?1%s%s%s"
		" ORDER BY %s LIMIT ?2 OFFSET ?3",
		q->open_only  ? " AND complete = 0"
		: q->open_too ? ""
			      : " AND complete = 1",
		q->contact_id.n ? " AND contact_id = ?4" : "",
		q->chain.n ? " AND (initial_id = ?5 AND contact_id = ?5"
			     " OR initial_id = ?5 AND initial_id <> contact_id)"
			   : "",
		order);
}

static char *column_copy(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? str_dup(str_make(text, (size_t)sqlite3_column_bytes(s, column))) : NULL;
}

static int take_row(struct query *q, sqlite3_stmt *s)
{
	char *id = column_copy(s, 2), *json = column_copy(s, 3);

	if (!id || !json) {
		free(id);
		free(json);
		return -ENOMEM;
	}
	q->rows[q->n++] = (struct records_row){
		.number = (uint64_t)sqlite3_column_int64(s, 0),
		.complete = sqlite3_column_int(s, 1) != 0,
		.contact_id = id,
		.json = json,
	};
	return 0;
}

static int run_query(struct query *q)
{
	char sql[SQL_SIZE];
	sqlite3_stmt *s;
	int error, step = SQLITE_DONE;

	query_sql(&q->q, sql);
	error = database_prepare(q->db, sql, &s);
	if (error)
		return error;
	sqlite3_bind_int64(s, 1, (int64_t)q->q.since);
	sqlite3_bind_int64(s, 2, (int64_t)q->q.limit + 1);
	sqlite3_bind_int64(s, 3, q->q.offset);
	if (q->contact_id)
		sqlite3_bind_text(s, 4, q->contact_id, -1, SQLITE_STATIC);
	if (q->chain)
		sqlite3_bind_text(s, 5, q->chain, -1, SQLITE_STATIC);
	while (!error && (step = sqlite3_step(s)) == SQLITE_ROW) {
		if (q->n == q->q.limit) {
			q->more = true;
			break;
		}
		error = take_row(q, s);
	}
	if (!error)
		error = database_errno(step);
	sqlite3_finalize(s);
	return error;
}

static void query_work(void *arg)
{
	struct query *q = arg;

	q->worked = true;
	/* what cannot be written now is not found but counted; what was written before is found */
	q->outcome.fold_error = note_error(&q->outcome, q->table, record_table_fold(q->table));
	note_held(&q->outcome, q->table);
	q->rows = calloc(q->q.limit, sizeof(*q->rows));
	q->error = q->rows ? run_query(q) : -ENOMEM;
	if (q->error)
		snprintf(q->text, sizeof(q->text), "%s", sqlite3_errmsg(q->db));
}

static void query_free(struct query *q)
{
	for (size_t i = 0; i < q->n; i++) {
		free((char *)q->rows[i].contact_id);
		free((char *)q->rows[i].json);
	}
	free(q->rows);
	free(q->contact_id);
	free(q->chain);
	free(q);
}

static void query_done(void *arg)
{
	struct query *q = arg;
	int error = q->worked ? q->error : -ECANCELED;
	const struct records_result result = {
		.error = error,
		.error_text = q->worked ? q->text : "cancelled",
		.rows = q->rows,
		.n = error ? 0 : q->n,
		.more = q->more,
		.behind = q->outcome.held.rows,
	};

	q->records->in_flight--;
	q->records->queries_out--;
	if (q->worked)
		note_outcome(q->records, &q->outcome);
	q->done(q->ctx, &result);
	query_free(q);
}

int records_query(struct records *r, const struct records_query *query,
	void (*done)(void *ctx, const struct records_result *result), void *ctx)
{
	struct query *q;

	if (r->queries_out == QUERIES_MAX)
		return -ENOBUFS;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->records = r;
	q->table = r->table;
	q->db = record_table_db(r->table);
	q->q = *query;
	q->done = done;
	q->ctx = ctx;
	q->contact_id = query->contact_id.n ? str_dup(query->contact_id) : NULL;
	q->chain = query->chain.n ? str_dup(query->chain) : NULL;
	if (q->q.limit == 0)
		q->q.limit = ROWS_DEFAULT;
	if (q->q.limit > RECORDS_ROWS_MAX)
		q->q.limit = RECORDS_ROWS_MAX;
	/* The helper works in order: what is put before is written before. */
	if ((query->contact_id.n && !q->contact_id) || (query->chain.n && !q->chain) ||
		(r->first && !submit(r, false)) ||
		offload_submit(r->config.offload, query_work, query_done, q)) {
		query_free(q);
		return -ENOBUFS;
	}
	r->in_flight++;
	r->queries_out++;
	return 0;
}

/* ---- open and close ------------------------------------------------------------------------ */

/* Nobody will complete them any more. One statement: all of them, or none. */
static int complete_left(struct records *r)
{
	sqlite3 *db = record_table_db(r->table);
	char now[RECORD_TIME_SIZE];
	sqlite3_stmt *s;
	int left, error;

	record_time(r->config.wall_ns, now);
	error = database_prepare(db,
		"UPDATE records SET complete = 1, number = ?1 + nth, json = json_set(json,"
		" '$.DisconnectReason', coalesce(json_extract(json, '$.DisconnectReason'),"
		" 'OTHER'), '$.LastUpdateTimestamp', ?2) FROM (SELECT contact_id AS id,"
		" row_number() OVER (ORDER BY number) AS nth FROM records WHERE complete = 0)"
		" WHERE contact_id = id",
		&s);
	if (error)
		return error;
	sqlite3_bind_int64(s, 1, (int64_t)r->stats.last_number);
	sqlite3_bind_text(s, 2, now, -1, SQLITE_STATIC);
	error = database_errno(sqlite3_step(s));
	sqlite3_finalize(s);
	left = error ? 0 : sqlite3_changes(db);
	r->stats.last_number += (uint64_t)left;
	if (left)
		log_warning(NULL, "store", "%d records that were left open are complete now", left);
	return error;
}

int records_open(const struct records_config *config, char *error_text, struct records **out)
{
	struct records *r = calloc(1, sizeof(*r));
	int error;

	if (!r) {
		snprintf(error_text, RECORDS_ERROR_SIZE, "%s: out of memory", config->path);
		return -ENOMEM;
	}
	error = record_table_open(config->path, error_text, &r->table);
	if (error) {
		free(r);
		return error;
	}
	r->config = *config;
	r->last = &r->first;
	timer_init(&r->flush, flush_due, r);
	timer_init(&r->fold, fold_due, r);
	r->stats.last_number = (uint64_t)database_number(
		record_table_db(r->table), "SELECT max(number) FROM records", 0);
	error = complete_left(r);
	if (error < 0) {
		snprintf(error_text, RECORDS_ERROR_SIZE, "%s: records left open: %s", config->path,
			strerror(-error));
		record_table_close(r->table);
		free(r);
		return error;
	}
	sqlite3_busy_timeout(record_table_db(r->table), RECORDS_BUSY_MS);
	*out = r;
	return 0;
}

int records_close(struct records *r)
{
	int error = 0;

	if (!r)
		return 0;
	CHECK(r->in_flight == 0);
	timers_cancel(loop_timers(r->config.loop), &r->flush);
	timers_cancel(loop_timers(r->config.loop), &r->fold);
	error = record_table_keep(r->table, r->first);
	if (error)
		log_error(NULL, "store", "%zu records lost: %s", record_table_unkept(r->table),
			record_table_error(r->table));
	/* what cannot be folded is in the journal */
	if (record_table_fold(r->table) < 0)
		log_warning(NULL, "store", "records are left to the next start: %s",
			record_table_error(r->table));
	record_table_close(r->table);
	jot_clear(&r->jot);
	free(r);
	return error;
}

void records_stats(const struct records *r, struct records_stats *out)
{
	*out = r->stats;
	out->waiting = waiting(r);
	out->waiting_bytes = waiting_bytes(r);
	out->written = r->stats.put - out->waiting;
}
