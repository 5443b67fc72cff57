/* SPDX-License-Identifier: Apache-2.0 */
/* An instance directory, judged: what is good loads, what is wrong is named by file and place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"

static void expect_error(struct fixture *f, const char *first, const char *second)
{
	assert_int_not_equal(fixture_load(f), 0);
	expect_mention(f, first, second);
}

static void test_the_example_is_good(void **state)
{
	struct fixture *f = *state;

	if (fixture_load(f) != 0)
		report_print(&f->report, stderr);
	assert_non_null(f->instance);
	assert_non_null(instance_flow(f->instance, "Main line"));
	assert_non_null(instance_prompt(f->instance, "hold-music", NULL));
	assert_null(instance_flow(f->instance, "No such flow"));
}

static void test_a_flow_that_names_a_missing_queue(void **state)
{
	struct fixture *f = *state;

	change(f, "flows/main-line.json", "\"QueueId\": \"orders\"", "\"QueueId\": \"nowhere\"");
	expect_error(f, "action 'Orders': Parameters.QueueId", "nowhere");
}

static void test_a_flow_that_names_a_missing_prompt(void **state)
{
	struct fixture *f = *state;

	change(f, "flows/main-line.json", "\"PromptId\": \"welcome\"", "\"PromptId\": \"silence\"");
	expect_error(f, "Parameters.PromptId", "silence");
}

static void test_a_flow_with_an_unknown_action(void **state)
{
	struct fixture *f = *state;

	change(f, "flows/main-line.json", "CheckHoursOfOperation", "CheckTheWeather");
	expect_error(f, "flows/main-line.json", "CheckTheWeather");
}

static void test_a_number_that_names_a_missing_flow(void **state)
{
	struct fixture *f = *state;

	change(f, "cordboard.yaml", "flow: Main line", "flow: Side line");
	expect_error(f, "cordboard.yaml:", "Side line");
}

static void R5_a_number_never_leads_to_a_draft(void **state)
{
	struct fixture *f = *state;

	change(f, "flows/main-line.json", "\"status\": \"published\"", "\"status\": \"saved\"");
	expect_error(f, "numbers", "draft");
}

static void R9_a_quick_connect_needs_a_published_flow_of_its_type(void **state)
{
	struct fixture *f = *state;
	const char *file = "quick-connects.yaml";

	change(f, file, "flow: Default queue transfer", "flow: Default agent transfer");
	expect_error(f, "quick-connects.yaml:5:5: flow", "type transfer to queue");
	change(f, file, "flow: Default agent transfer", "flow: No such flow");
	expect_error(f, "quick-connects.yaml:5:5: flow", "no flow \"No such flow\"");
	change(f, file, "flow: No such flow", "flow: Default queue transfer");
	expect_error(f, "quick-connects.yaml:16:5: flow", "type transfer to agent");
	change(f, "flows/default-queue-transfer.json", "\"published\"", "\"saved\"");
	expect_error(f, "quick-connects.yaml:5:5: flow", "never published");
}

static void R8_a_quick_connect_without_a_description_is_refused(void **state)
{
	struct fixture *f = *state;

	change(f, "quick-connects.yaml", "description: Vouchers", "description: \"\"");
	expect_error(f, "quick-connects.yaml:27:18: quick_connects[4].description", "description");
	change(f, "quick-connects.yaml", "    description: \"\"", "");
	expect_error(f, "quick-connects.yaml:26:5: quick_connects[4]", "description");
}

static void expect_warning(struct fixture *f, const char *place, const char *words)
{
	assert_int_equal(fixture_load(f), 0);
	assert_true(report_mentions(&f->report, REPORT_WARNING, place));
	assert_true(report_mentions(&f->report, REPORT_WARNING, words));
}

static void R95_fixed_references_to_who_may_not_take_calls_are_warned_about(void **state)
{
	struct fixture *f = *state;

	change(f, "flows/main-line.json", "\"QueueId\": \"orders\"", "\"AgentId\": \"eweber\"");
	expect_warning(f, "flows/main-line.json: action 'Orders': Parameters.AgentId",
		"'eweber' are offered to nobody");
}

static void R95_an_own_queue_named_by_its_arn_counts_too(void **state)
{
	struct fixture *f = *state;

	change(f, "agents.yaml", "user: eweber", "user: eweber\\n    id: u-eva");
	change(f, "flows/main-line.json", "\"QueueId\": \"orders\"",
		"\"QueueId\": \"arn:aws:connect:us-west-2:123456789012:instance\\/i\\/queue\\/agent"
		"\\/u-eva\"");
	expect_warning(f, "flows/main-line.json: action 'Orders': Parameters.QueueId",
		"are offered to nobody");
}

static void R95_a_quick_connect_to_who_may_not_take_calls_is_warned_about(void **state)
{
	struct fixture *f = *state;

	change(f, "quick-connects.yaml", "agent: csilva", "agent: eweber");
	expect_warning(f, "quick-connects.yaml:26:5: agent", "\"eweber\" are offered to nobody");
}

static void test_a_default_flow_of_another_type(void **state)
{
	struct fixture *f = *state;

	shell("printf 'defaults:\\n  customer_queue: Main line\\n' >> %s/cordboard.yaml",
		f->directory);
	expect_error(f, "defaults.customer_queue", "customerQueue");
}

static void test_a_recorded_prompt_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	shell("rm %s/prompts/hold-music.wav", f->directory);
	expect_error(f, "prompts.yaml", "hold-music.wav");
}

static void test_two_flows_of_one_name(void **state)
{
	struct fixture *f = *state;

	shell("cp %s/flows/main-line.json %s/flows/another.json", f->directory, f->directory);
	expect_error(f, "flows/main-line.json", "another.json");
}

static void test_an_option_that_is_none(void **state)
{
	struct fixture *f = *state;

	shell("printf 'routing:\\n  ofer: 20s\\n' >> %s/cordboard.yaml", f->directory);
	expect_error(f, "cordboard.yaml:", "ofer");
}

static void test_a_directory_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	shell("rm %s/cordboard.yaml", f->directory);
	expect_error(f, "cordboard.yaml", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_example_is_good),
		TEST(test_a_flow_that_names_a_missing_queue),
		TEST(test_a_flow_that_names_a_missing_prompt),
		TEST(test_a_flow_with_an_unknown_action),
		TEST(test_a_number_that_names_a_missing_flow),
		TEST(R5_a_number_never_leads_to_a_draft),
		TEST(R9_a_quick_connect_needs_a_published_flow_of_its_type),
		TEST(R8_a_quick_connect_without_a_description_is_refused),
		TEST(R95_fixed_references_to_who_may_not_take_calls_are_warned_about),
		TEST(R95_an_own_queue_named_by_its_arn_counts_too),
		TEST(R95_a_quick_connect_to_who_may_not_take_calls_is_warned_about),
		TEST(test_a_default_flow_of_another_type),
		TEST(test_a_recorded_prompt_that_is_not_there),
		TEST(test_two_flows_of_one_name),
		TEST(test_an_option_that_is_none),
		TEST(test_a_directory_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
