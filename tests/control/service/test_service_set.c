/* SPDX-License-Identifier: Apache-2.0 */
/* services.yaml: what is good is found, what is wrong is named by line and by what was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"
#include "service/service_set.h"

#define ARN "arn:aws:lambda:eu-central-1:111122223333:function:customer-lookup"

struct fixture {
	char directory[32];
	struct report report;
	struct service_set *set;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	report_init(&f->report);
	snprintf(f->directory, sizeof(f->directory), "/tmp/cordboard-services-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char path[64];

	service_set_release(f->set);
	report_clear(&f->report);
	snprintf(path, sizeof(path), "%s/" SERVICE_FILE, f->directory);
	remove(path);
	remove(f->directory);
	free(f);
	return 0;
}

static int load(struct fixture *f, const char *text, size_t n)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/" SERVICE_FILE, f->directory);
	file = fopen(path, "w");
	fwrite(text, 1, n, file);
	fclose(file);
	service_set_release(f->set);
	f->set = NULL;
	report_clear(&f->report);
	report_init(&f->report);
	return service_set_load(f->directory, &f->report, &f->set);
}

static void expect_good(struct fixture *f, const char *text)
{
	if (load(f, text, strlen(text)) == 0 && report_size(&f->report) == 0)
		return;
	report_print(&f->report, stderr);
	fail_msg("is not good: %s", text);
}

static void expect_wrong(struct fixture *f, const char *text, const char *place, const char *what)
{
	assert_int_equal(load(f, text, strlen(text)), -EINVAL);
	if (report_mentions(&f->report, REPORT_ERROR, place) &&
		report_mentions(&f->report, REPORT_ERROR, what))
		return;
	report_print(&f->report, stderr);
	fail_msg("no error names '%s' and '%s'", place, what);
}

static const char *found(struct fixture *f, const char *reference)
{
	const struct service_target *target = service_set_function(f->set, reference);

	return target ? target->name : "none";
}

static void no_file_is_an_empty_set(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(service_set_load(f->directory, &f->report, &f->set), 0);
	assert_null(service_set_function(f->set, ARN));
	assert_null(service_set_action(f->set, "CreateTask"));
	expect_good(f, "");
	assert_null(service_set_function(NULL, ARN));
}

static void a_function_is_found_by_its_name(void **state)
{
	struct fixture *f = *state;

	expect_good(f, "functions:\n- {name: customer-lookup, url: 'http://h:1/'}\n");
	assert_string_equal(found(f, ARN), "customer-lookup");
	assert_string_equal(found(f, ARN ":live"), "customer-lookup");
	assert_string_equal(found(f, ARN ":17"), "customer-lookup");
	assert_string_equal(found(f, "111122223333:function:customer-lookup"), "customer-lookup");
	assert_string_equal(found(f, "customer-lookup"), "customer-lookup");
	assert_string_equal(found(f, "customer-lookup:live"), "customer-lookup");
	assert_string_equal(found(f, "function:customer"), "none");
	assert_string_equal(found(f, ARN "s"), "none");
	assert_string_equal(found(f, ""), "none");
}

static void an_arn_goes_before_a_name_and_a_name_before_the_rest(void **state)
{
	struct fixture *f = *state;

	expect_good(f, "functions:\n- {name: '*', url: 'http://h:1/'}\n"
		       "- {name: customer-lookup, url: 'http://h:2/'}\n"
		       "- {name: '" ARN "', url: 'http://h:3/'}\n"
		       "- {name: '" ARN ":live', url: 'http://h:4/'}\n");
	assert_string_equal(service_set_function(f->set, ARN ":live")->url, "http://h:4/");
	assert_string_equal(service_set_function(f->set, ARN ":test")->url, "http://h:3/");
	assert_string_equal(
		service_set_function(f->set, "customer-lookup:live")->url, "http://h:2/");
	assert_string_equal(service_set_function(f->set, "another")->url, "http://h:1/");
}

static void a_row_has_all_that_it_says(void **state)
{
	struct fixture *f = *state;
	const struct service_target *target;

	expect_good(f, "functions:\n"
		       "- name: a\n  url: https://h/x\n  timeout: 2500ms\n  concurrency: 5\n"
		       "  headers: {X-A: b, X-C: d e}\n"
		       "- name: b\n  program: [sh, -c, exit 1]\n"
		       "services:\n- {type: CreateTask, program: [cat]}\n");
	target = service_set_at(f->set, SERVICE_FUNCTION, 0);
	assert_int_equal(target->limit_ns, 2500 * CLOCK_MS);
	assert_int_equal(target->concurrency, 5);
	assert_string_equal(target->headers[0], "X-A: b");
	assert_string_equal(target->headers[1], "X-C: d e");
	assert_null(target->headers[2]);
	target = service_set_at(f->set, SERVICE_FUNCTION, 1);
	assert_null(target->url);
	assert_string_equal(target->program[2], "exit 1");
	assert_null(target->program[3]);
	assert_int_equal(target->concurrency, SERVICE_CONCURRENCY_RUN);
	assert_null(service_set_at(f->set, SERVICE_FUNCTION, 2));
	assert_int_equal(service_set_action(f->set, "CreateTask")->line, 10);
}

#define ROW "functions:\n- name: a\n  "

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *place, *what;
	} rows[] = {
		{"functions: 7\n", "services.yaml:1:", "a list"},
		{"[]\n", "services.yaml:1:", "mapping"},
		{"functons: []\n", "services.yaml:1:", "functions, services"},
		{"functions:\n- 7\n", "services.yaml:2:", "mapping"},
		{"functions:\n- {url: 'http://h/'}\n", "services.yaml:2:", "name"},
		{ROW "ulr: 'http://h/'\n", "services.yaml:3:", "url, program"},
		{ROW "timeout: 1s\n", "services.yaml:2:", "one of url and program"},
		{ROW "url: 'http://h/'\n  program: [a]\n",
			"services.yaml:2:", "one of url and program"},
		{ROW "url: 'ftp://h/'\n", "services.yaml:3:", "http://host"},
		{ROW "url: 'file:///etc/passwd'\n", "services.yaml:3:", "http://host"},
		{ROW "url: nowhere\n", "services.yaml:3:", "http://host"},
		{ROW "url: 'http://'\n", "services.yaml:3:", "http://host"},
		{ROW "url: 'http://me:word@h/'\n", "services.yaml:3:", "token_file"},
		{ROW "program: cat\n", "services.yaml:3:", "a list"},
		{ROW "program: []\n", "services.yaml:3:", "expected a program"},
		{ROW "program: [[cat]]\n", "services.yaml:3:", "a value"},
		{ROW "program: [/no/such/program]\n", "services.yaml:3:", "/no/such/program"},
		{ROW "program: [cat]\n  headers: {A: b}\n", "services.yaml:4:", "with a program"},
		{ROW "program: [cat]\n  token_file: x\n", "services.yaml:4:", "with a program"},
		{ROW "url: 'http://h/'\n  headers: [a]\n", "services.yaml:4:", "mapping"},
		{ROW "url: 'http://h/'\n  headers: {'A b': c}\n", "services.yaml:4:", "header"},
		{ROW "url: 'http://h/'\n  headers: {A: \"b\\r\\nC: d\"}\n",
			"services.yaml:4:", "line of text"},
		{ROW "url: 'http://h/'\n  headers: {Content-Length: 9}\n",
			"services.yaml:4:", "Content-Length"},
		{ROW "url: 'http://h/'\n  token_file: missing\n", "services.yaml:4:", "missing"},
		{ROW "url: 'http://h/'\n  ca_file: missing\n", "services.yaml:4:", "missing"},
		{ROW "url: 'http://h/'\n  ca_file: /etc/hostname\n",
			"services.yaml:4:", "certificates in PEM"},
		{ROW "url: 'http://h/'\n  timeout: 2\n", "services.yaml:4:", "timeout"},
		{ROW "url: 'http://h/'\n  timeout: 2h\n", "services.yaml:4:", "timeout"},
		{ROW "url: 'http://h/'\n  concurrency: 0\n", "services.yaml:4:", "concurrency"},
		{ROW "url: 'http://h/'\n- {name: a, url: 'http://h/'}\n",
			"services.yaml:4:", "line 2"},
		{"services:\n- {name: CreateTask, url: 'http://h/'}\n", "services.yaml:2:", "type"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_wrong(*state, rows[i].text, rows[i].place, rows[i].what);
}

/* Every single byte of a good file replaced by every byte that means something in YAML. */
static void a_damaged_file_does_no_harm(void **state)
{
	static const char good[] = ROW "url: 'http://h/'\n  headers: {A: b}\n  timeout: 1s\n"
				       "services:\n- {type: X, program: [cat, a]}\n";
	static const char bytes[] = "\0\n\t :-[]{},&*#?|>'\"%@`~!a0\xff";
	struct fixture *f = *state;
	char text[sizeof(good)];

	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			int rc;

			memcpy(text, good, sizeof(good));
			text[i] = bytes[b];
			rc = load(f, text, sizeof(good) - 1);
			assert_int_equal(rc < 0, report_has_errors(&f->report));
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(no_file_is_an_empty_set),
		TEST(a_function_is_found_by_its_name),
		TEST(an_arn_goes_before_a_name_and_a_name_before_the_rest),
		TEST(a_row_has_all_that_it_says),
		TEST(what_is_wrong_is_named),
		TEST(a_damaged_file_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
