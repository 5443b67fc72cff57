/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/siphash.h"
#include "store/database.h"
#include "store/records.h"

#define JOURNAL_MAGIC UINT32_C(0x6c6e756a) /* "junl" */
#define BUFFER_SIZE   ((size_t)1 << 20)
#define PATH_SIZE     4200
#define BUSY_REST_NS  CLOCK_S

/*
 * Rows lie in the order of their numbers, so that what is new is appended to the table; only the
 * index of ids takes an entry somewhere in its middle. A first segment, which most are, has no
 * entry in the index of chains: its own id finds it.
 */
#define DDL                                                                                   \
	"CREATE TABLE records("                                                               \
	" number INTEGER PRIMARY KEY,"                                                        \
	" contact_id TEXT NOT NULL UNIQUE,"                                                   \
	" complete INTEGER NOT NULL,"                                                         \
	" initial_id TEXT NOT NULL,"                                                          \
	" initiated INTEGER NOT NULL,"                                                        \
	" json TEXT NOT NULL);"                                                               \
	"CREATE INDEX records_initial ON records(initial_id) WHERE initial_id <> contact_id;" \
	"CREATE INDEX records_initiated ON records(initiated);"                               \
	"CREATE INDEX records_open ON records(number) WHERE complete = 0;"

/* The first schema lay in the order of the ids. */
static const struct database_schema schema = {.version = RECORDS_SCHEMA,
	.ddl = DDL,
	.upgrade = "ALTER TABLE records RENAME TO records_1;"
		   "DROP INDEX records_initial;"
		   "DROP INDEX records_initiated;" DDL
		   "INSERT INTO records SELECT number, contact_id, complete, initial_id, initiated,"
		   " json FROM records_1 ORDER BY number;"
		   "DROP TABLE records_1;"};

/* The LastUpdateTimestamp of `json`, at least a second behind that of what was complete before. */
#define LATER(json)                                                                    \
	"CASE WHEN complete THEN max(json_extract(" json ", '$.LastUpdateTimestamp')," \
	" strftime('%Y-%m-%dT%H:%M:%SZ', json_extract(records.json,"                   \
	" '$.LastUpdateTimestamp'), '+1 second')) ELSE json_extract(" json             \
	", '$.LastUpdateTimestamp') END"

/* A late batch must not undo a later one: the higher number wins. */
static const char upsert[] =
	"INSERT INTO records(contact_id, number, complete, initial_id, initiated, json)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
	" ON CONFLICT(contact_id) DO UPDATE SET number = excluded.number,"
	" complete = max(complete, excluded.complete), initial_id = excluded.initial_id,"
	" initiated = excluded.initiated, json = json_set(excluded.json, '$.LastUpdateTimestamp',"
	" " LATER("excluded.json") ")"
				   " WHERE excluded.number > number";

/* What is there gets a successor; the rest of it stays as it was written. */
static const char link_next[] =
	"UPDATE records SET number = ?2, json = json_set(json, '$.NextContactId', ?3,"
	" '$.LastUpdateTimestamp', " LATER(
		"json_object('LastUpdateTimestamp', ?4)") ")"
							  " WHERE contact_id = ?1 AND number < ?2";

/* In the journal, before the row's three texts. */
struct head {
	uint32_t magic;
	uint32_t contact_n, initial_n, json_n;
	uint64_t number, initiated_wall;
	uint64_t complete, link;
	uint64_t check; /* over the head with 0 here, and the texts */
};

struct record_table {
	sqlite3 *db;
	sqlite3_stmt *begin, *upsert, *link, *commit;
	struct record_row *first, **last; /* kept, not folded */
	struct map open; /* those of them whose records are not complete, by contact id */
	size_t rows, bytes;
	struct record_row *unkept, **unkept_last;
	size_t unkept_rows, unkept_bytes;
	int journal;
	off_t journal_at, journal_size;
	char *buffer; /* BUFFER_SIZE */
	uint64_t busy_until_ns;
	char path[PATH_SIZE];
	char error[RECORDS_ERROR_SIZE];
};

/* ---- rows ------------------------------------------------------------------------------------ */

static struct str put_text(char **at, struct str text)
{
	struct str copy = {*at, text.n};

	if (text.n)
		memcpy(*at, text.p, text.n);
	(*at)[text.n] = '\0';
	*at += text.n + 1;
	return copy;
}

static size_t text_bytes(const struct record_row *row)
{
	return row->bytes - sizeof(*row);
}

struct record_row *record_row_make(struct str contact_id, struct str initial_id, struct str json)
{
	size_t bytes = sizeof(struct record_row) + contact_id.n + initial_id.n + json.n + 3;
	struct record_row *row = malloc(bytes);
	char *at;

	if (!row)
		return NULL;
	*row = (struct record_row){.bytes = bytes};
	at = row->text;
	row->contact_id = put_text(&at, contact_id);
	row->initial_id = put_text(&at, initial_id);
	row->json = put_text(&at, json);
	return row;
}

void record_rows_free(struct record_row *row)
{
	while (row) {
		struct record_row *next = row->next;

		free(row);
		row = next;
	}
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* A row that the next one of its record makes needless stays in the list, but is not written. */
static void outdate(struct record_table *t, struct record_row *row)
{
	t->rows--;
	row->json = STR_NULL;
}

/* A record that was complete bears a later time when it is put again, so SQLite has to see both. */
static void take(struct record_table *t, struct record_row *row)
{
	struct record_row *former;

	row->next = NULL;
	*t->last = row;
	t->last = &row->next;
	t->rows++;
	t->bytes += row->bytes;
	if (row->link)
		return;
	former = map_remove(&t->open, row->contact_id.p, row->contact_id.n);
	if (former)
		outdate(t, former);
	/* without memory it is written for nothing */
	if (!row->complete)
		map_put(&t->open, row->contact_id.p, row->contact_id.n, row);
}

static void forget_all(struct record_table *t)
{
	record_rows_free(t->first);
	t->first = NULL;
	t->last = &t->first;
	map_clear(&t->open);
	map_init(&t->open, NULL, 0);
	t->rows = t->bytes = 0;
}

/* ---- the journal ----------------------------------------------------------------------------- */

static uint64_t check_of(const char *bytes, size_t n)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];

	return siphash(bytes, n, key);
}

static size_t put_row(char *at, const struct record_row *row)
{
	struct head head = {.magic = JOURNAL_MAGIC,
		.contact_n = (uint32_t)row->contact_id.n,
		.initial_n = (uint32_t)row->initial_id.n,
		.json_n = (uint32_t)row->json.n,
		.number = row->number,
		.initiated_wall = row->initiated_wall,
		.complete = row->complete,
		.link = row->link};
	size_t n = sizeof(head) + text_bytes(row);

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), row->text, text_bytes(row));
	head.check = check_of(at, n);
	memcpy(at, &head, sizeof(head));
	return n;
}

static int write_journal(struct record_table *t, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t more =
			pwrite(t->journal, t->buffer + done, n - done, t->journal_at + (off_t)done);

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			return more < 0 ? -errno : -EIO;
		done += (size_t)more;
	}
	return fdatasync(t->journal) < 0 ? -errno : 0;
}

static int fail(struct record_table *t, int error)
{
	snprintf(t->error, sizeof(t->error), "%.200s-puts: %s", t->path, strerror(-error));
	return error;
}

static struct record_row *unkept_take(struct record_table *t)
{
	struct record_row *row = t->unkept;

	t->unkept = row->next;
	if (!t->unkept)
		t->unkept_last = &t->unkept;
	t->unkept_rows--;
	t->unkept_bytes -= row->bytes;
	return row;
}

/* As many of the first as the buffer holds. */
static int keep_some(struct record_table *t)
{
	const struct record_row *end = t->unkept;
	size_t n = 0;
	int error;

	while (end && n + sizeof(struct head) + text_bytes(end) <= BUFFER_SIZE) {
		n += put_row(t->buffer + n, end);
		end = end->next;
	}
	CHECK(n > 0);
	error = write_journal(t, n);
	if (error)
		return fail(t, error);
	t->journal_at += (off_t)n;
	if (t->journal_at > t->journal_size)
		t->journal_size = t->journal_at;
	while (t->unkept != end)
		take(t, unkept_take(t));
	return 0;
}

int record_table_keep(struct record_table *t, struct record_row *first)
{
	int error = 0;

	*t->unkept_last = first;
	for (struct record_row *row = first; row; row = row->next) {
		t->unkept_last = &row->next;
		t->unkept_rows++;
		t->unkept_bytes += row->bytes;
	}
	while (!error && t->unkept)
		error = keep_some(t);
	return error;
}

/* `row` NULL: it is none, or one of before the last fold. Changes the bytes. */
static int read_row(char *bytes, size_t n, uint64_t after, size_t *used, struct record_row **row)
{
	const char *texts = bytes + sizeof(struct head);
	struct head head;
	uint64_t check;

	*row = NULL;
	if (n < sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	*used = sizeof(head) + (size_t)head.contact_n + head.initial_n + head.json_n + 3;
	if (head.magic != JOURNAL_MAGIC || *used > n || head.number <= after)
		return 0;
	check = head.check;
	head.check = 0;
	memcpy(bytes, &head, sizeof(head));
	if (check_of(bytes, *used) != check)
		return 0;
	*row = record_row_make(str_make(texts, head.contact_n),
		str_make(texts + head.contact_n + 1, head.initial_n),
		str_make(texts + head.contact_n + head.initial_n + 2, head.json_n));
	if (!*row)
		return -ENOMEM;
	(*row)->number = head.number;
	(*row)->initiated_wall = head.initiated_wall;
	(*row)->complete = head.complete;
	(*row)->link = head.link;
	return 0;
}

/* Takes what lies whole at `at`; `used` is how much that is. */
static int read_rows(struct record_table *t, off_t at, uint64_t *number, size_t *used)
{
	ssize_t n = pread(t->journal, t->buffer, BUFFER_SIZE, at);
	struct record_row *row;
	size_t row_n = 0;
	int error;

	if (n < 0)
		return -errno;
	for (*used = 0;; *used += row_n) {
		error = read_row(t->buffer + *used, (size_t)n - *used, *number, &row_n, &row);
		if (!row)
			return error;
		*number = row->number;
		take(t, row);
	}
}

static int read_journal(struct record_table *t)
{
	uint64_t number = 0;
	size_t used = 0;
	off_t at = 0;
	int error;

	do {
		error = read_rows(t, at, &number, &used);
		if (error)
			return fail(t, error);
		at += (off_t)used;
	} while (used);
	error = record_table_fold(t);
	/* behind a row that was damaged are numbers that are given again now */
	if (!error && ftruncate(t->journal, 0) < 0)
		error = fail(t, -errno);
	return error;
}

static int open_journal(struct record_table *t)
{
	char path[PATH_SIZE + 8];

	snprintf(path, sizeof(path), "%s-puts", t->path);
	t->journal = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (t->journal < 0)
		return fail(t, -errno);
	t->buffer = malloc(BUFFER_SIZE);
	return t->buffer ? read_journal(t) : fail(t, -ENOMEM);
}

/* ---- SQLite ---------------------------------------------------------------------------------- */

static int finish(sqlite3_stmt *s)
{
	int result = sqlite3_step(s);

	sqlite3_reset(s);
	return database_errno(result);
}

static void bind(sqlite3_stmt *s, int at, struct str text)
{
	sqlite3_bind_text(s, at, text.p, (int)text.n, SQLITE_STATIC);
}

static int write_link(sqlite3_stmt *s, const struct record_row *row)
{
	bind(s, 1, row->contact_id);
	sqlite3_bind_int64(s, 2, (int64_t)row->number);
	bind(s, 3, row->initial_id);
	bind(s, 4, row->json);
	return finish(s);
}

static int write_row(sqlite3_stmt *s, const struct record_row *row)
{
	bind(s, 1, row->contact_id);
	sqlite3_bind_int64(s, 2, (int64_t)row->number);
	sqlite3_bind_int(s, 3, row->complete);
	bind(s, 4, row->initial_id);
	sqlite3_bind_int64(s, 5, (int64_t)row->initiated_wall);
	bind(s, 6, row->json);
	return finish(s);
}

static int write_rows(struct record_table *t)
{
	int error = finish(t->begin);

	for (const struct record_row *row = t->first; !error && row; row = row->next)
		if (row->json.n)
			error = row->link ? write_link(t->link, row) : write_row(t->upsert, row);
	return error ? error : finish(t->commit);
}

static int fold_failed(struct record_table *t, int error)
{
	snprintf(t->error, sizeof(t->error), "%.200s: %s", t->path, sqlite3_errmsg(t->db));
	if (!sqlite3_get_autocommit(t->db))
		sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
	if (error == -EBUSY)
		t->busy_until_ns = clock_now() + BUSY_REST_NS;
	return error;
}

int record_table_fold(struct record_table *t)
{
	int error;

	if (!t->first)
		return 0;
	if (clock_now() < t->busy_until_ns) {
		snprintf(t->error, sizeof(t->error), "%.200s: another program holds it", t->path);
		return -EBUSY;
	}
	error = write_rows(t);
	if (error)
		return fold_failed(t, error);
	forget_all(t);
	t->journal_at = 0;
	if (t->journal_size > (off_t)RECORD_TABLE_BYTES && ftruncate(t->journal, 0) == 0)
		t->journal_size = 0;
	return 0;
}

bool record_table_is_due(const struct record_table *t)
{
	return t->rows >= RECORD_TABLE_ROWS || t->bytes >= RECORD_TABLE_BYTES;
}

/* ---- the rest -------------------------------------------------------------------------------- */

size_t record_table_rows(const struct record_table *t)
{
	return t->rows + t->unkept_rows;
}

size_t record_table_bytes(const struct record_table *t)
{
	return t->bytes + t->unkept_bytes;
}

size_t record_table_unkept(const struct record_table *t)
{
	return t->unkept_rows;
}

sqlite3 *record_table_db(const struct record_table *t)
{
	return t->db;
}

const char *record_table_error(const struct record_table *t)
{
	return t->error;
}

void record_table_close(struct record_table *t)
{
	if (!t)
		return;
	forget_all(t);
	record_rows_free(t->unkept);
	map_clear(&t->open);
	sqlite3_finalize(t->begin);
	sqlite3_finalize(t->upsert);
	sqlite3_finalize(t->link);
	sqlite3_finalize(t->commit);
	sqlite3_close(t->db);
	if (t->journal >= 0)
		close(t->journal);
	free(t->buffer);
	free(t);
}

static int prepare(struct record_table *t)
{
	int error = database_prepare(t->db, "BEGIN IMMEDIATE", &t->begin);

	if (!error)
		error = database_prepare(t->db, upsert, &t->upsert);
	if (!error)
		error = database_prepare(t->db, link_next, &t->link);
	if (!error)
		error = database_prepare(t->db, "COMMIT", &t->commit);
	if (error)
		snprintf(t->error, sizeof(t->error), "%.200s: %s", t->path, sqlite3_errmsg(t->db));
	return error;
}

int record_table_open(const char *path, char *error_text, struct record_table **out)
{
	struct record_table *t = calloc(1, sizeof(*t));
	int error;

	if (!t) {
		snprintf(error_text, RECORDS_ERROR_SIZE, "%s: out of memory", path);
		return -ENOMEM;
	}
	t->journal = -1;
	t->last = &t->first;
	t->unkept_last = &t->unkept;
	map_init(&t->open, NULL, 0);
	snprintf(t->path, sizeof(t->path), "%s", path);
	error = database_open(path, &schema, error_text, RECORDS_ERROR_SIZE, &t->db);
	if (!error) {
		error = prepare(t);
		if (!error)
			error = open_journal(t);
		if (error)
			snprintf(error_text, RECORDS_ERROR_SIZE, "%s", t->error);
	}
	if (error) {
		record_table_close(t);
		return error;
	}
	*out = t;
	return 0;
}
