/* SPDX-License-Identifier: Apache-2.0 */
/* The flow log's file: order, new files, what does not fit, what a crash cut short, reading. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/offload.h"
#include "store/flow_log.h"

static char directory[64], path[128];
static struct loop *loop;
static struct offload *offload;
static struct flow_log *flow_log;

static void start(uint64_t size_max, unsigned keep)
{
	char error[FLOW_LOG_ERROR_SIZE] = "";

	assert_int_equal(loop_create(NULL, &loop), 0);
	assert_int_equal(offload_create(loop, 0, &offload), 0);
	if (flow_log_open(&(struct flow_log_config){.loop = loop,
				  .offload = offload,
				  .path = path,
				  .size_max = size_max,
				  .keep = keep},
		    error, &flow_log) < 0)
		fail_msg("%s", error);
}

static void stop(void)
{
	offload_destroy(offload);
	flow_log_close(flow_log);
	loop_destroy(loop);
}

static int set_up(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/cordboard-flow-log-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
	return 0;
}

static int tear_down(void **state)
{
	char name[160];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), i ? "%s.%d" : "%s", path, i);
		unlink(name);
	}
	return rmdir(directory);
}

static int put(const char *contact, unsigned number)
{
	char line[200];

	snprintf(line, sizeof(line), "{\"ContactId\":\"%s\",\"n\":%u}", contact, number);
	return flow_log_write(flow_log, str_from(line));
}

/* ---- reading ---- */

struct answer {
	bool given;
	int error;
	char text[20000];
	bool more;
};

static void on_read(void *ctx, const struct flow_log_result *result)
{
	struct answer *answer = ctx;

	answer->given = true;
	answer->error = result->error;
	answer->more = result->more;
	snprintf(answer->text, sizeof(answer->text), "%.*s", (int)result->n,
		result->text ? result->text : "");
	loop_stop(loop);
}

static void read_back(const char *contact, unsigned limit, struct answer *answer)
{
	*answer = (struct answer){0};
	assert_int_equal(flow_log_read(flow_log, str_from(contact), limit, on_read, answer), 0);
	loop_run(loop);
	assert_true(answer->given);
}

static void expect_file(const char *name, const char *content)
{
	char *text;
	size_t n;

	assert_int_equal(file_read(name, 1 << 24, &text, &n), 0);
	assert_string_equal(text, content);
	free(text);
}

static void what_was_written_before_is_read(void **state)
{
	static struct answer answer;

	start(1 << 20, 2);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(put("a", i), 0);
		assert_int_equal(put("b", i), 0);
	}
	read_back("a", 0, &answer);
	assert_string_equal(answer.text, "{\"ContactId\":\"a\",\"n\":0}\n"
					 "{\"ContactId\":\"a\",\"n\":1}\n"
					 "{\"ContactId\":\"a\",\"n\":2}\n"
					 "{\"ContactId\":\"a\",\"n\":3}\n"
					 "{\"ContactId\":\"a\",\"n\":4}\n");
	assert_false(answer.more);
	read_back("b", 2, &answer);
	assert_string_equal(answer.text, "{\"ContactId\":\"b\",\"n\":0}\n"
					 "{\"ContactId\":\"b\",\"n\":1}\n");
	assert_true(answer.more);
	read_back("c", 0, &answer);
	assert_string_equal(answer.text, "");
	stop();
}

static void a_full_file_gets_a_new_name(void **state)
{
	static struct answer answer;
	char name[160], last[40];
	struct stat st;

	start(100, 2); /* three lines */
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(put("a", i), 0);
		read_back("a", 0, &answer); /* each a write of its own */
		snprintf(last, sizeof(last), "\"n\":%u}\n", i);
		assert_non_null(strstr(answer.text, last));
	}
	assert_null(strstr(answer.text, "\"n\":2}"));
	assert_non_null(strstr(answer.text, "\"n\":15}"));
	for (int i = 0; i <= 2; i++) {
		snprintf(name, sizeof(name), i ? "%s.%d" : "%s", path, i);
		assert_int_equal(stat(name, &st), 0);
		assert_in_range(st.st_size, 1, 100);
	}
	snprintf(name, sizeof(name), "%s.3", path);
	assert_int_equal(stat(name, &st), -1);
	stop();
}

static void what_does_not_fit_is_counted_and_said(void **state)
{
	static struct answer answer;
	struct flow_log_stats stats;
	char *line = malloc(FLOW_LOG_LINE_MAX);
	unsigned taken = 0;

	memset(line, 'x', FLOW_LOG_LINE_MAX);
	start(1 << 24, 0);
	assert_int_equal(flow_log_write(flow_log, str_make(line, FLOW_LOG_LINE_MAX)), -E2BIG);
	while (flow_log_write(flow_log, str_make(line, FLOW_LOG_LINE_MAX - 1)) == 0)
		taken++;
	assert_int_equal(taken, FLOW_LOG_WAITING_BYTES / FLOW_LOG_LINE_MAX);
	assert_int_equal(flow_log_write(flow_log, str_make(line, FLOW_LOG_LINE_MAX - 1)), -ENOBUFS);
	flow_log_stats(flow_log, &stats);
	assert_int_equal(stats.left_out, 2);
	assert_in_range(stats.waiting_bytes, 1, FLOW_LOG_WAITING_BYTES);
	read_back("a", 0, &answer);
	assert_int_equal(put("a", 1), 0);
	read_back("a", 0, &answer);
	assert_string_equal(answer.text, "{\"ContactId\":\"a\",\"n\":1}\n");
	stop();
	char *text;
	size_t n;
	assert_int_equal(file_read(path, 1 << 24, &text, &n), 0);
	assert_non_null(strstr(text, "\"LinesLeftOut\":2,"));
	free(text);
	free(line);
}

static void a_line_that_a_crash_cut_short_ends_there(void **state)
{
	static const char cut[] = "{\"ContactId\":\"a\"}\n{\"Cont";

	assert_int_equal(file_write(path, cut, strlen(cut)), 0);
	start(1 << 20, 0);
	assert_int_equal(put("b", 1), 0);
	stop();
	expect_file(path, "{\"ContactId\":\"a\"}\n{\"Cont\n{\"ContactId\":\"b\",\"n\":1}\n");
}

static void the_end_writes_what_waits(void **state)
{
	start(1 << 20, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(put("a", i), 0);
	stop();
	expect_file(path, "{\"ContactId\":\"a\",\"n\":0}\n{\"ContactId\":\"a\",\"n\":1}\n"
			  "{\"ContactId\":\"a\",\"n\":2}\n");
}

static void a_file_that_cannot_be_is_named(void **state)
{
	char error[FLOW_LOG_ERROR_SIZE];
	struct flow_log *none;

	assert_int_equal(
		flow_log_open(&(struct flow_log_config){.path = "/nonexistent/log"}, error, &none),
		-ENOENT);
	assert_non_null(strstr(error, "/nonexistent/log"));
	assert_int_equal(
		flow_log_open(&(struct flow_log_config){.path = "/dev/null"}, error, &none),
		-EINVAL);
	assert_non_null(strstr(error, "regular file"));
}

static void a_question_at_the_end_is_answered(void **state)
{
	static struct answer answer;

	answer = (struct answer){0};
	start(1 << 20, 0);
	assert_int_equal(put("a", 1), 0);
	assert_int_equal(flow_log_read(flow_log, STR("a"), 0, on_read, &answer), 0);
	stop();
	assert_true(answer.given);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(what_was_written_before_is_read),
		T(a_full_file_gets_a_new_name),
		T(what_does_not_fit_is_counted_and_said),
		T(a_line_that_a_crash_cut_short_ends_there),
		T(the_end_writes_what_waits),
		T(a_file_that_cannot_be_is_named),
		T(a_question_at_the_end_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
