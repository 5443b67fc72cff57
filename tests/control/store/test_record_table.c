/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
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

/* Each length that a crash may leave the journal with: a prefix of the rows, never half of one. */
static void a_journal_that_was_cut_off_counts_up_to_there(void **state)
{
	char name[160];
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
	for (off_t at = st.st_size - 1; at >= 0; at -= 7) {
		assert_int_equal(truncate(name, at), 0);
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

/* The limit on the size of files stands for the full disk. */
static void what_could_not_be_kept_is_the_callers(void **state)
{
	struct rlimit before, small;
	struct record_row *r;

	open_table();
	r = row("a", true, "{}");
	r->next = row("b", true, "{}");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(record_table_keep(table, r), -EFBIG);
	assert_non_null(strstr(record_table_error(table), path));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(record_table_rows(table), 0);
	keep(r);
	assert_int_equal(record_table_fold(table), 0);
	assert_int_equal(ask(COUNT), 2);
	record_table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)
		T(what_is_kept_outlives_a_crash),
		T(a_short_call_is_one_row),
		T(a_journal_that_was_cut_off_counts_up_to_there),
		T(what_could_not_be_kept_is_the_callers),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
