/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/database.h"
#include "store/record_table.h"
#include "store/records.h"

static struct record_table *table;
static uint64_t number;

static int begin(void **state)
{
	number = 0;
	return set_up(state);
}

static void open_table(void)
{
	char error[RECORDS_ERROR_SIZE] = "";

	assert_int_equal(record_table_open(path, error, &table), 0);
}

static struct record_row *row(const char *id, bool complete, const char *json)
{
	struct record_row *r = record_row_make(str_from(id), str_from(id), str_from(json));

	assert_non_null(r);
	r->number = ++number;
	r->complete = complete;
	return r;
}

static void keep(struct record_row *r)
{
	assert_int_equal(record_table_keep(table, r), 0);
}

static int64_t ask(const char *sql)
{
	return database_number(record_table_db(table), sql, -1);
}

#define COUNT "SELECT count(*) FROM records"

static void what_is_kept_outlives_a_crash(void **state)
{
	open_table();
	keep(row("a", false, "{\"n\":1}"));
	keep(row("a", true, "{\"n\":2}"));
	keep(row("b", false, "{\"n\":3}"));
	assert_int_equal(ask(COUNT), 0);
	/* nothing is folded: as after kill -9 */
	record_table_close(table);
	open_table();
	assert_int_equal(ask(COUNT), 2);
	assert_int_equal(ask("SELECT number FROM records WHERE complete = 1"), 2);
	assert_int_equal(ask("SELECT json_extract(json, '$.n') FROM records WHERE number = 3"), 3);
	assert_int_equal(record_table_rows(table), 0);
	/* what is left of it in the journal does no harm to what comes later */
	keep(row("b", true, "{\"n\":4}"));
	assert_int_equal(record_table_fold(table), 0);
	record_table_close(table);
	open_table();
	assert_int_equal(ask(COUNT), 2);
	assert_int_equal(ask("SELECT json_extract(json, '$.n') FROM records WHERE number = 4"), 4);
	assert_int_equal(ask("SELECT complete FROM records WHERE contact_id = 'b'"), 1);
	record_table_close(table);
}

static void a_short_call_is_one_row(void **state)
{
	open_table();
	keep(row("a", false, "{\"n\":1}"));
	assert_int_equal(record_table_rows(table), 1);
	keep(row("a", true, "{\"n\":2}"));
	assert_int_equal(record_table_rows(table), 1);
	/* put again when it was complete: both count, for the second bears a later time */
	keep(row("a", true, "{\"LastUpdateTimestamp\":\"2026-03-15T08:00:00Z\"}"));
	assert_int_equal(record_table_rows(table), 2);
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(record_table_rows(table), 0);
	assert_int_equal(ask(COUNT), 1);
	assert_int_equal(ask("SELECT number FROM records"), 3);
	assert_int_equal(record_table_fold(table), 0);
	record_table_close(table);
}

static void read_file(const char *name, char *bytes, size_t n)
{
	int fd = open(name, O_RDONLY);

	assert_int_equal(read(fd, bytes, n), n);
	close(fd);
}

static void write_file(const char *name, const char *bytes, size_t n)
{
	int fd = open(name, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* Each length that a crash may leave the journal with: a prefix of the rows, never half of one. */
static void a_journal_that_was_cut_off_counts_up_to_there(void **state)
{
	char name[160], bytes[1000];
	struct stat st;
	off_t first;

	snprintf(name, sizeof(name), "%s-puts", path);
	open_table();
	keep(row("a", true, "{}"));
	assert_int_equal(stat(name, &st), 0);
	first = st.st_size;
	keep(row("b", true, "{}"));
	record_table_close(table);
	assert_int_equal(stat(name, &st), 0);
	read_file(name, bytes, (size_t)st.st_size);
	for (off_t at = st.st_size - 1; at >= 0; at -= 7) {
		write_file(name, bytes, (size_t)at);
		open_table();
		assert_int_equal(ask(COUNT), at >= first ? 1 : 0);
		assert_int_equal(database_run(record_table_db(table), "DELETE FROM records"), 0);
		record_table_close(table);
	}
	/* and one that was changed */
	open_table();
	keep(row("a", true, "{\"n\":1}"));
	record_table_close(table);
	int fd = open(name, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 61), 1);
	close(fd);
	open_table();
	assert_int_equal(ask(COUNT), 0);
	record_table_close(table);
}

/* What is behind the damage is lost, and does not come back over what has its numbers now. */
static void what_was_behind_damage_stays_away(void **state)
{
	char name[160];
	int fd;

	snprintf(name, sizeof(name), "%s-puts", path);
	open_table();
	keep(row("a", true, "{\"n\":1}"));
	keep(row("b", true, "{\"n\":2}"));
	record_table_close(table);
	fd = open(name, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 61), 1);
	close(fd);
	open_table();
	number = 0;
	keep(row("b", true, "{\"n\":3}"));
	record_table_close(table);
	open_table();
	assert_int_equal(ask(COUNT), 1);
	assert_int_equal(ask("SELECT json_extract(json, '$.n') FROM records"), 3);
	record_table_close(table);
}

/* Also while only one record is put again and again, so that one row would be written. */
static void the_journal_counts_and_shrinks(void **state)
{
	static char json[200000] = "{}";
	const off_t most = 2 * (off_t)RECORD_TABLE_BYTES;
	char name[160];
	struct stat st = {0};

	snprintf(name, sizeof(name), "%s-puts", path);
	memset(json + 2, ' ', sizeof(json) - 3);
	open_table();
	while (st.st_size < most) {
		keep(row("a", false, json));
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(record_table_is_due(table),
			record_table_bytes(table) >= RECORD_TABLE_BYTES);
		assert_true((size_t)st.st_size <= record_table_bytes(table));
	}
	assert_int_equal(record_table_rows(table), 1);
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(record_table_bytes(table), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 0);
	/* a small one keeps its blocks, up to the next open */
	keep(row("a", false, json));
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_true(st.st_size > 0);
	record_table_close(table);
	open_table();
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_size, 0);
	record_table_close(table);
}

static void what_could_not_be_kept_waits(void **state)
{
	struct record_row *r;

	open_table();
	r = row("a", true, "{}");
	r->next = row("b", true, "{}");
	disk_takes(100);
	assert_int_equal(record_table_keep(table, r), -EFBIG);
	assert_non_null(strstr(record_table_error(table), path));
	disk_takes(RLIM_INFINITY);
	assert_int_equal(record_table_rows(table), 2);
	assert_int_equal(record_table_unkept(table), 2);
	/* not safe, so not in the table either */
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(ask(COUNT), 0);
	keep(NULL);
	assert_int_equal(record_table_unkept(table), 0);
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(ask(COUNT), 2);
	record_table_close(table);
}

/* What could not be kept is before what comes later, in the journal too. */
static void a_failure_and_a_crash_keep_the_order(void **state)
{
	open_table();
	disk_takes(20);
	assert_int_equal(record_table_keep(table, row("a", false, "{\"n\":1}")), -EFBIG);
	assert_int_equal(record_table_keep(table, row("b", true, "{\"n\":2}")), -EFBIG);
	disk_takes(RLIM_INFINITY);
	keep(row("a", false, "{\"n\":3}"));
	record_table_close(table);
	open_table();
	assert_int_equal(ask(COUNT), 2);
	assert_int_equal(ask("SELECT number FROM records WHERE contact_id = 'a'"), 3);
	assert_int_equal(ask("SELECT json_extract(json, '$.n') FROM records WHERE number = 2"), 2);
	record_table_close(table);
}

/* ---- any order of puts, failures, folds and crashes ------------------------------------------- */

#define IDS  4
#define PUTS 1500

struct model {
	uint64_t number, link; /* 0: none */
	bool complete;
	unsigned json;
};

static struct model past[PUTS + 1][IDS]; /* by the number of the last put that counts */
static uint64_t seed;

static unsigned any(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static struct record_row *any_put(void)
{
	char id[2] = {(char)('a' + any(IDS)), '\0'}, json[80];
	struct model *m = past[number + 1];
	struct record_row *r;

	memcpy(m, past[number], sizeof(past[0]));
	m += id[0] - 'a';
	if (any(4) == 0) {
		r = record_row_make(str_from(id), STR("next"), STR("2026-03-15T08:00:00Z"));
		r->number = ++number;
		r->link = true;
		if (m->number)
			m->number = m->link = number;
		return r;
	}
	snprintf(json, sizeof(json), "{\"n\":%u,\"LastUpdateTimestamp\":\"2026-03-15T08:00:00Z\"}",
		(unsigned)number + 1);
	r = row(id, any(3) == 0, json);
	*m = (struct model){number, 0, m->complete || r->complete, (unsigned)number};
	return r;
}

static bool is_state(const struct model *m)
{
	for (char id = 'a'; id < 'a' + IDS; id++, m++) {
		char sql[200];

		snprintf(sql, sizeof(sql),
			"SELECT count(*) FROM records WHERE contact_id = '%c' AND number = %llu AND"
			" complete = %d AND json_extract(json, '$.n') = %u AND"
			" (json_extract(json, '$.NextContactId') IS NULL) = %d",
			id, (unsigned long long)m->number, m->complete, m->json, m->link == 0);
		if (ask(sql) != (m->number != 0))
			return false;
	}
	return true;
}

/* Everything up to one of the puts from `kept` on, and nothing else. */
static uint64_t state_from(uint64_t kept)
{
	while (kept <= number && !is_state(past[kept]))
		kept++;
	return kept;
}

static void order_is_kept_whatever_fails(void **state)
{
	uint64_t kept = 0;

	seed = 7;
	open_table();
	while (number + 3 < PUTS) {
		unsigned what = any(20);

		disk_takes(any(4) ? RLIM_INFINITY : any(4000));
		if (what < 14) {
			struct record_row *first = any_put();

			if (any(2))
				first->next = any_put();
			if (record_table_keep(table, first) == 0)
				kept = number;
			assert_true(number - record_table_unkept(table) >= kept);
			kept = number - record_table_unkept(table);
		} else if (what < 18) {
			record_table_fold(table);
		} else {
			record_table_close(table);
			disk_takes(RLIM_INFINITY);
			open_table();
			kept = state_from(kept);
			assert_true(kept <= number);
			number = kept;
		}
	}
	disk_takes(RLIM_INFINITY);
	keep(NULL);
	assert_int_equal(record_table_fold(table), 0);
	assert_true(is_state(past[number]));
	record_table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)
		T(what_is_kept_outlives_a_crash),
		T(a_short_call_is_one_row),
		T(a_journal_that_was_cut_off_counts_up_to_there),
		T(what_was_behind_damage_stays_away),
		T(the_journal_counts_and_shrinks),
		T(what_could_not_be_kept_waits),
		T(a_failure_and_a_crash_keep_the_order),
		T(order_is_kept_whatever_fails),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
