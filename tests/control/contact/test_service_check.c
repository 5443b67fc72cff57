/* SPDX-License-Identifier: Apache-2.0 */
/* services.yaml of an instance, judged together with its flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

#define FLOW    "flows/find-a-parcel.json"
#define MISSING "services.yaml has no function"

static void write_services(struct fixture *f, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/services.yaml", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_good(struct fixture *f)
{
	if (fixture_load(f) != 0) {
		report_print(&f->report, stderr);
		fail_msg("the instance was refused");
	}
}

static void the_example_has_its_function(void **state)
{
	struct fixture *f = *state;
	const struct service_target *target;

	expect_good(f);
	assert_false(report_mentions(&f->report, REPORT_WARNING, MISSING));
	target = service_set_function(f->instance->services,
		"arn:aws:lambda:eu-central-1:111122223333:function:order-status:live");
	assert_non_null(target);
	assert_string_equal(target->program[0], "awk");
}

static void a_function_that_nobody_has_is_told(void **state)
{
	struct fixture *f = *state;

	write_services(f, "functions:\n  - {name: another, url: 'http://127.0.0.1/'}\n");
	expect_good(f);
	assert_true(report_mentions(&f->report, REPORT_WARNING, FLOW ": action 'Look it up'"));
	assert_true(report_mentions(&f->report, REPORT_WARNING, MISSING " 'arn:aws:lambda:"));
}

static void a_missing_file_is_no_error(void **state)
{
	struct fixture *f = *state;

	shell("rm %s/services.yaml", f->directory);
	expect_good(f);
	assert_true(report_mentions(&f->report, REPORT_WARNING, "action 'Look it up'"));
	assert_null(service_set_function(f->instance->services, "order-status"));
}

static void one_row_may_answer_for_all(void **state)
{
	struct fixture *f = *state;

	write_services(f, "functions:\n  - {name: '*', url: 'http://127.0.0.1/'}\n");
	expect_good(f);
	assert_false(report_mentions(&f->report, REPORT_WARNING, MISSING));
}

/* Which one it is shows only when a call is there. */
static void a_function_that_an_attribute_names_is_not_judged(void **state)
{
	struct fixture *f = *state;

	write_services(f, "functions: []\n");
	change(f, FLOW, "arn:aws:lambda:eu-central-1:111122223333:function:order-status",
		"$.Attributes.function");
	expect_good(f);
	assert_false(report_mentions(&f->report, REPORT_WARNING, MISSING));
}

static void services_are_actions_that_one_can_answer(void **state)
{
	struct fixture *f = *state;

	write_services(f, "services:\n"
			  "  - {type: ConnectParticipantWithLexBot, url: 'http://127.0.0.1/'}\n"
			  "  - {type: GetCustomerProfile, url: 'http://127.0.0.1/'}\n");
	expect_good(f);
	assert_non_null(service_set_action(f->instance->services, "GetCustomerProfile"));
}

static void other_actions_are_refused(void **state)
{
	static const char *const types[] = {
		"InvokeLambdaFunction", "MessageParticipant", "NoSuchAction"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char text[160], found[64];

		snprintf(text, sizeof(text),
			"services:\n  - {type: CreateTask, url: 'http://127.0.0.1/'}\n"
			"  - {type: %s, url: 'http://127.0.0.1/'}\n",
			types[i]);
		snprintf(found, sizeof(found), "found '%s'", types[i]);
		write_services(f, text);
		assert_int_not_equal(fixture_load(f), 0);
		expect_mention(f, "services.yaml:3: services", found);
	}
}

static void what_is_wrong_in_the_file_keeps_the_instance_out(void **state)
{
	struct fixture *f = *state;

	expect_good(f);
	write_services(f, "functions:\n  - {name: order-status, url: 'gopher://x/'}\n");
	assert_int_not_equal(fixture_reload(f), 0);
	expect_mention(f, "services.yaml:2", "gopher://x/");
	assert_non_null(service_set_function(f->instance->services, "order-status"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_example_has_its_function),
		TEST(a_function_that_nobody_has_is_told),
		TEST(a_missing_file_is_no_error),
		TEST(one_row_may_answer_for_all),
		TEST(a_function_that_an_attribute_names_is_not_judged),
		TEST(services_are_actions_that_one_can_answer),
		TEST(other_actions_are_refused),
		TEST(what_is_wrong_in_the_file_keeps_the_instance_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
