/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "store/event_files.h"

#define WALL UINT64_C(1773561600000000000)

static struct event_files *files;

static void open_files(void)
{
	char error[EVENTS_ERROR_SIZE] = "";

	assert_int_equal(event_files_open(path, error, &files), 0);
}

static void close_files(bool good)
{
	assert_int_equal(event_files_close(files, good), 0);
	files = NULL;
}

static int put(uint64_t number)
{
	const struct event event = {number, WALL + number, "agent", STR("{\"n\":\"a b\"}")};

	return event_files_put(files, &event);
}

static void write_up_to(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		assert_int_equal(put(n), 0);
	assert_int_equal(event_files_flush(files), 0);
}

/* How many there are behind `after`; each follows the one before. */
static size_t count(uint64_t after)
{
	struct event rows[EVENTS_READ_MAX];
	size_t n, sum = 0;

	do {
		assert_int_equal(event_files_read(files, after, rows, EVENTS_READ_MAX, &n), 0);
		for (size_t i = 0; i < n; i++) {
			if (i)
				assert_int_equal(rows[i].number, rows[i - 1].number + 1);
			assert_int_equal(rows[i].wall_ns, WALL + rows[i].number);
			assert_string_equal(rows[i].topic, "agent");
			assert_string_equal(rows[i].json.p, "{\"n\":\"a b\"}");
			after = rows[i].number;
			free((char *)rows[i].topic);
			free((char *)rows[i].json.p);
		}
		sum += n;
	} while (n == EVENTS_READ_MAX);
	return sum;
}

static unsigned count_files(char last[300])
{
	DIR *d = opendir(path);
	struct dirent *entry;
	unsigned n = 0;

	assert_non_null(d);
	last[0] = '\0';
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (strcmp(entry->d_name, last) > 0)
			snprintf(last, 300, "%s", entry->d_name);
	}
	closedir(d);
	return n;
}

static void events_lie_in_files_of_so_many(void **state)
{
	const uint64_t all = 3 * EVENT_FILES_LINES + 7;
	char last[300];

	open_files();
	assert_int_equal(event_files_last(files), 0);
	write_up_to(1, all);
	assert_int_equal(count_files(last), 4);
	assert_int_equal(count(0), all);
	assert_int_equal(count(EVENT_FILES_LINES - 1), all - EVENT_FILES_LINES + 1);
	assert_int_equal(count(all), 0);
	/* an older one is dropped when nothing of it is wanted; the rest is not read any more */
	event_files_forget(files, all - EVENT_FILES_LINES - 5, 0);
	assert_int_equal(count_files(last), 3);
	assert_int_equal(count(0), all - EVENT_FILES_LINES - 5);
	event_files_forget(files, all, WALL + all);
	assert_int_equal(count_files(last), 1);
	assert_int_equal(count(0), 1);
	close_files(true);
	open_files();
	assert_int_equal(event_files_last(files), all);
	assert_int_equal(count(0), 7);
	close_files(true);
}

static void a_life_that_was_not_ended_leaves_a_gap(void **state)
{
	char last[300];

	open_files();
	write_up_to(1, 10);
	close_files(false);
	open_files();
	assert_int_equal(event_files_last(files), 10 + EVENT_FILES_SKIP);
	write_up_to(11 + EVENT_FILES_SKIP, 12 + EVENT_FILES_SKIP);
	assert_int_equal(count(10), 2);
	/* the gap is none of those that are kept */
	event_files_forget(files, EVENT_FILES_LINES + 2, 0);
	assert_int_equal(count_files(last), 2);
	event_files_forget(files, 1, 0);
	assert_int_equal(count_files(last), 1);
	assert_int_equal(count(0), 1);
	close_files(true);
	/* nothing was given to anybody, so nothing is skipped */
	open_files();
	close_files(true);
	open_files();
	assert_int_equal(event_files_last(files), 12 + EVENT_FILES_SKIP);
	close_files(true);
}

static void a_line_that_was_cut_off_does_not_count(void **state)
{
	char last[300], name[500];
	struct stat st;

	open_files();
	write_up_to(1, 10);
	assert_int_equal(count_files(last), 1);
	snprintf(name, sizeof(name), "%s/%s", path, last);
	assert_int_equal(stat(name, &st), 0);
	close_files(false);
	assert_int_equal(truncate(name, st.st_size - 3), 0);
	open_files();
	assert_int_equal(event_files_last(files), 9 + EVENT_FILES_SKIP);
	assert_int_equal(count(0), 9);
	close_files(true);
}

static void what_could_not_be_written_is_written_once(void **state)
{
	uint64_t n = 1;

	open_files();
	write_up_to(1, 10);
	disk_takes(50000);
	while (n <= 20000 && put(n) == 0)
		n++;
	assert_true(n <= 20000 || event_files_flush(files) < 0);
	disk_takes(RLIM_INFINITY);
	write_up_to(1, 20000);
	assert_int_equal(count(0), 20000);
	close_files(true);
}

/* A write that failed has left more behind than the next one takes. */
static void what_a_failed_write_left_is_not_read(void **state)
{

	open_files();
	write_up_to(1, 10);
	disk_takes(5000);
	for (uint64_t n = 11; n <= 500; n++)
		assert_int_equal(put(n), 0);
	assert_int_equal(event_files_flush(files), -EFBIG);
	disk_takes(RLIM_INFINITY);
	/* those were given up */
	write_up_to(900, 900);
	close_files(false);
	open_files();
	assert_int_equal(event_files_last(files), 900 + EVENT_FILES_SKIP);
	assert_int_equal(count(10), 1);
	close_files(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(events_lie_in_files_of_so_many),
		T(a_life_that_was_not_ended_leaves_a_gap),
		T(a_line_that_was_cut_off_does_not_count),
		T(what_could_not_be_written_is_written_once),
		T(what_a_failed_write_left_is_not_read),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
