/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a real HTTP server on the loopback and to real programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/loop.h"
#include "service/service.h"
#include "web_server.h"

#define LIMIT (3 * CLOCK_S)

struct fixture {
	struct web_server server;
	struct loop *loop;
	struct services *services;
	char directory[32];
	struct report report;
	struct service_set *set;
	unsigned answers; /* calls that have ended */
	enum service_result result;
	unsigned tries;
	char text[SERVICE_ANSWER_MAX + 1];
	char wrong[SERVICE_WRONG_SIZE];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	web_server_start(&f->server);
	assert_int_equal(loop_create(NULL, &f->loop), 0);
	assert_int_equal(services_create(f->loop, &f->services), 0);
	report_init(&f->report);
	snprintf(f->directory, sizeof(f->directory), "/tmp/cordboard-service-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[64];

	services_destroy(f->services);
	service_set_release(f->set);
	loop_destroy(f->loop);
	web_server_stop(&f->server);
	report_clear(&f->report);
	snprintf(path, sizeof(path), "%s/" SERVICE_FILE, f->directory);
	remove(path);
	remove(f->directory);
	free(f);
	return 0;
}

/* The one function that `row` describes. */
__attribute__((format(printf, 2, 3))) static const struct service_target *target(
	struct fixture *f, const char *row, ...)
{
	char path[64];
	va_list args;
	FILE *file;

	snprintf(path, sizeof(path), "%s/" SERVICE_FILE, f->directory);
	file = fopen(path, "w");
	fprintf(file, "functions:\n  - name: it\n    ");
	va_start(args, row);
	vfprintf(file, row, args);
	va_end(args);
	fclose(file);
	service_set_release(f->set);
	if (service_set_load(f->directory, &f->report, &f->set) < 0)
		report_print(&f->report, stderr);
	return service_set_at(f->set, SERVICE_FUNCTION, 0);
}

static const struct service_target *page(struct fixture *f, const char *path)
{
	return target(f, "url: http://127.0.0.1:%u%s", f->server.port, path);
}

static void on_answer(void *ctx, const struct service_answer *answer)
{
	struct fixture *f = ctx;

	f->answers++;
	f->result = answer->result;
	f->tries = answer->tries;
	snprintf(f->text, sizeof(f->text), "%s", answer->text);
	snprintf(f->wrong, sizeof(f->wrong), "%s", answer->wrong);
}

static int begin(struct fixture *f, const struct service_target *at, uint64_t limit_ns,
	struct service_call **call)
{
	return service_ask(f->services,
		&(struct service_request){.target = at,
			.body = "{\"n\": 1}",
			.body_n = 8,
			.limit_ns = limit_ns,
			.ctx = f,
			.done = on_answer},
		f->wrong, call);
}

static void run_until(struct fixture *f, unsigned answers)
{
	uint64_t end = clock_now() + 20 * CLOCK_S;

	while (f->answers < answers && clock_now() < end)
		loop_step(f->loop, 100 * CLOCK_MS);
	assert_int_equal(f->answers, answers);
}

static void run_for(struct fixture *f, uint64_t ns)
{
	uint64_t end = clock_now() + ns;

	while (clock_now() < end)
		loop_step(f->loop, 10 * CLOCK_MS);
}

/* The result of one call. */
static enum service_result ask(
	struct fixture *f, const struct service_target *at, uint64_t limit_ns)
{
	struct service_call *call;
	unsigned answers = f->answers;

	loop_step(f->loop, 0);
	assert_int_equal(begin(f, at, limit_ns, &call), 0);
	run_until(f, answers + 1);
	return f->result;
}

/* ---- HTTP ---- */

static void an_answer_comes_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/ok"), LIMIT), SERVICE_OK);
	assert_string_equal(f->text, "{\"said\": {\"n\": 1}}");
	assert_int_equal(f->tries, 1);
	assert_non_null(strstr(f->server.last, "POST /ok HTTP/1.1\r\n"));
	assert_non_null(strstr(f->server.last, "Content-Type: application/json\r\n"));
	assert_null(strstr(f->server.last, "Expect:"));
}

static void a_connection_is_used_again(void **state)
{
	struct fixture *f = *state;
	const struct service_target *at = page(f, "/ok");

	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(f, at, LIMIT), SERVICE_OK);
	assert_int_equal(f->server.requests, 5);
	assert_int_equal(f->server.connections, 1);
}

static void a_name_is_resolved(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, target(f, "url: http://localhost:%u/ok", f->server.port), LIMIT),
		SERVICE_OK);
}

static void headers_and_token_go_along(void **state)
{
	struct fixture *f = *state;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/token", f->directory);
	file = fopen(path, "w");
	fputs("abc.def\n", file);
	fclose(file);
	assert_int_equal(ask(f,
				 target(f,
					 "url: http://127.0.0.1:%u/ok\n"
					 "    headers: {X-Tenant: \"7\"}\n    token_file: token",
					 f->server.port),
				 LIMIT),
		SERVICE_OK);
	remove(path);
	assert_non_null(strstr(f->server.last, "X-Tenant: 7\r\n"));
	assert_non_null(strstr(f->server.last, "Authorization: Bearer abc.def\r\n"));
}

static void a_failure_is_tried_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/fail-once"), LIMIT), SERVICE_OK);
	assert_int_equal(f->tries, 2);
}

static void throttling_is_tried_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/busy-once"), LIMIT), SERVICE_OK);
	assert_int_equal(f->tries, 2);
}

static void three_tries_and_no_more(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/fail"), LIMIT), SERVICE_STATUS);
	assert_int_equal(f->tries, 3);
	assert_int_equal(f->server.requests, 3);
	assert_non_null(strstr(f->wrong, "500"));
	assert_int_equal(ask(f, page(f, "/busy"), LIMIT), SERVICE_BUSY);
	assert_int_equal(f->server.requests, 6);
}

static void no_further_try_behind_the_limit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/fail"), 90 * CLOCK_MS), SERVICE_STATUS);
	assert_int_equal(f->tries, 1);
}

static void what_is_refused_is_not_tried_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/missing"), LIMIT), SERVICE_STATUS);
	assert_int_equal(ask(f, page(f, "/moved"), LIMIT), SERVICE_STATUS);
	assert_int_equal(ask(f, page(f, "/function-failed"), LIMIT), SERVICE_STATUS);
	assert_non_null(strstr(f->wrong, "boom"));
	assert_int_equal(f->server.requests, 3);
}

static void what_is_no_json_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/text"), LIMIT), SERVICE_NOT_JSON);
}

static void an_answer_may_have_32_KB(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/edge"), LIMIT), SERVICE_OK);
	assert_int_equal(strlen(f->text), SERVICE_ANSWER_MAX);
	assert_int_equal(ask(f, page(f, "/large"), LIMIT), SERVICE_TOO_LARGE);
	assert_int_equal(ask(f, page(f, "/headers"), LIMIT), SERVICE_TOO_LARGE);
}

static void silence_ends_at_the_limit(void **state)
{
	struct fixture *f = *state;
	uint64_t began = clock_now();

	assert_int_equal(ask(f, page(f, "/silent"), 300 * CLOCK_MS), SERVICE_TIMEOUT);
	assert_in_range(clock_now() - began, 290 * CLOCK_MS, 2 * CLOCK_S);
	assert_string_equal(f->wrong, "no answer within 300 ms");
}

static void a_row_has_a_limit_of_its_own(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f,
				 target(f, "url: http://127.0.0.1:%u/silent\n    timeout: 200ms",
					 f->server.port),
				 8 * CLOCK_S),
		SERVICE_TIMEOUT);
	assert_string_equal(f->wrong, "no answer within 200 ms");
}

static void nobody_listens(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, target(f, "url: http://127.0.0.1:1/"), LIMIT), SERVICE_UNREACHABLE);
	assert_int_equal(f->tries, 3);
	assert_non_null(strstr(f->wrong, "127.0.0.1"));
}

static void a_body_that_is_cut_off(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, page(f, "/cut"), LIMIT), SERVICE_UNREACHABLE);
	assert_int_equal(f->tries, 3);
}

static void a_cancelled_call_says_nothing(void **state)
{
	struct fixture *f = *state;
	const struct service_target *at = page(f, "/silent");
	struct service_call *first, *second, *third;

	loop_step(f->loop, 0);
	assert_int_equal(begin(f, at, LIMIT, &first), 0);
	service_cancel(first); /* before anything was done for it */
	assert_int_equal(begin(f, at, LIMIT, &second), 0);
	run_for(f, 100 * CLOCK_MS);
	service_cancel(second); /* while it waits for the answer */
	assert_int_equal(begin(f, page(f, "/fail"), LIMIT, &third), 0);
	run_for(f, 60 * CLOCK_MS);
	service_cancel(third); /* between two tries */
	run_for(f, 400 * CLOCK_MS);
	assert_int_equal(f->answers, 0);
	assert_int_equal(ask(f, page(f, "/ok"), LIMIT), SERVICE_OK);
}

static void a_call_outlives_the_rows(void **state)
{
	struct fixture *f = *state;
	struct service_call *call;

	loop_step(f->loop, 0);
	assert_int_equal(begin(f, page(f, "/fail-once"), LIMIT, &call), 0);
	service_set_release(f->set);
	f->set = NULL;
	run_until(f, 1);
	assert_int_equal(f->result, SERVICE_OK);
}

static void what_is_left_is_answered_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct service_call *call;

	loop_step(f->loop, 0);
	assert_int_equal(begin(f, page(f, "/silent"), LIMIT, &call), 0);
	run_for(f, 50 * CLOCK_MS);
	services_destroy(f->services);
	f->services = NULL;
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->result, SERVICE_CLOSED);
}

static void too_many_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct service_target *at =
		target(f, "url: http://127.0.0.1:%u/silent\n    concurrency: 3", f->server.port);
	struct service_call *calls[3], *more;
	struct service_stats stats;

	for (int i = 0; i < 3; i++)
		assert_int_equal(begin(f, at, LIMIT, &calls[i]), 0);
	assert_int_equal(begin(f, at, LIMIT, &more), -EBUSY);
	assert_string_equal(f->wrong, "3 calls to 'it' are in flight");
	/* also of the row as a reload reads it anew */
	at = target(f, "url: http://127.0.0.1:%u/silent\n    concurrency: 3", f->server.port);
	assert_int_equal(begin(f, at, LIMIT, &more), -EBUSY);
	service_cancel(calls[1]);
	assert_int_equal(begin(f, at, LIMIT, &calls[1]), 0);
	services_stats(f->services, &stats);
	assert_int_equal(stats.in_flight, 3);
	assert_int_equal(stats.refused, 2);
}

struct sequel {
	struct fixture *f;
	const struct service_target *at;
	struct service_call *call;
	int rc;
};

static void ask_the_next(void *ctx, const struct service_answer *answer)
{
	struct sequel *s = ctx;

	s->rc = begin(s->f, s->at, LIMIT, &s->call);
}

static void an_answer_makes_room_for_the_next_call(void **state)
{
	struct sequel s = {.f = *state, .rc = 1};
	struct service_call *call;
	struct service_request request = {
		.body = "{}", .body_n = 2, .limit_ns = LIMIT, .ctx = &s, .done = ask_the_next};

	s.at = request.target =
		target(s.f, "url: http://127.0.0.1:%u/ok\n    concurrency: 1", s.f->server.port);
	loop_step(s.f->loop, 0);
	assert_int_equal(service_ask(s.f->services, &request, s.f->wrong, &call), 0);
	run_until(s.f, 1);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.f->result, SERVICE_OK);
}

static void many_at_a_time(void **state)
{
	struct fixture *f = *state;
	const struct service_target *at =
		target(f, "url: http://127.0.0.1:%u/ok\n    concurrency: 512", f->server.port);
	struct service_call *call;

	loop_step(f->loop, 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(begin(f, at, 10 * CLOCK_S, &call), 0);
	run_until(f, 50);
	assert_int_equal(f->result, SERVICE_OK);
	assert_int_equal(f->server.requests, 50);
}

/* ---- programs ---- */

static void a_program_answers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, target(f, "program: [cat]"), LIMIT), SERVICE_OK);
	assert_string_equal(f->text, "{\"n\": 1}");
}

static void a_program_fails(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, target(f, "program: [sh, -c, \"echo no >&2; exit 7\"]"), LIMIT),
		SERVICE_STATUS);
	assert_int_equal(f->tries, 1);
	assert_string_equal(f->wrong, "exit code 7: no\n");
	assert_int_equal(
		ask(f, target(f, "program: [sh, -c, \"kill -9 $$\"]"), LIMIT), SERVICE_STATUS);
	assert_non_null(strstr(f->wrong, "signal 9"));
}

static void a_program_is_too_slow(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		ask(f, target(f, "program: [sleep, \"30\"]"), 200 * CLOCK_MS), SERVICE_TIMEOUT);
}

static void a_program_says_too_much(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, target(f, "program: [cat, /dev/zero]"), LIMIT), SERVICE_TOO_LARGE);
	assert_int_equal(ask(f, target(f, "program: [head, -c, \"32769\", /dev/zero]"), LIMIT),
		SERVICE_TOO_LARGE);
	assert_int_equal(ask(f, target(f, "program: [head, -c, \"32768\", /dev/zero]"), LIMIT),
		SERVICE_NOT_JSON);
}

static void a_program_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct service_call *call;

	assert_int_equal(
		begin(f, target(f, "program: [no-such-program-here]"), LIMIT, &call), -ENOENT);
	assert_true(f->wrong[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_back),
		TEST(a_connection_is_used_again),
		TEST(a_name_is_resolved),
		TEST(headers_and_token_go_along),
		TEST(a_failure_is_tried_again),
		TEST(throttling_is_tried_again),
		TEST(three_tries_and_no_more),
		TEST(no_further_try_behind_the_limit),
		TEST(what_is_refused_is_not_tried_again),
		TEST(what_is_no_json_is_refused),
		TEST(an_answer_may_have_32_KB),
		TEST(silence_ends_at_the_limit),
		TEST(a_row_has_a_limit_of_its_own),
		TEST(nobody_listens),
		TEST(a_body_that_is_cut_off),
		TEST(a_cancelled_call_says_nothing),
		TEST(a_call_outlives_the_rows),
		TEST(what_is_left_is_answered_at_the_end),
		TEST(too_many_are_refused),
		TEST(an_answer_makes_room_for_the_next_call),
		TEST(many_at_a_time),
		TEST(a_program_answers),
		TEST(a_program_fails),
		TEST(a_program_is_too_slow),
		TEST(a_program_says_too_much),
		TEST(a_program_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
