/* SPDX-License-Identifier: Apache-2.0 */
/* Which version of a flow calls run, before and after its file becomes a draft (R5). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/loop.h"
#include "contact/flow_publish.h"
#include "support.h"

#define MAIN "flows/main-line.json"

struct answer {
	struct loop *loop;
	bool given;
	int rc;
};

static void start(struct fixture *f)
{
	if (fixture_load(f) != 0)
		report_print(&f->report, stderr);
	assert_non_null(f->instance);
	flow_publish_keep_now(f->instance);
}

static const struct flow_entry *main_line(const struct fixture *f)
{
	return flow_catalog_entry(&f->instance->flows, "Main line");
}

static void becomes_draft(struct fixture *f)
{
	change(f, MAIN, "\"status\": \"published\"", "\"status\": \"saved\"");
	change(f, MAIN, "\"Welcome\"", "\"Good morning\"");
}

/* Whether calls run the version that has an action of this name. */
static bool runs(const struct fixture *f, const char *greeting)
{
	const struct flow *flow = instance_flow(f->instance, "Main line");

	return flow && flow_find_action(flow, greeting);
}

static void on_published(void *ctx, int rc, const char *why)
{
	struct answer *answer = ctx;

	answer->given = true;
	answer->rc = rc;
	loop_stop(answer->loop);
}

static int publish(struct fixture *f, const char *flow, char why[FLOW_PUBLISH_WHY_SIZE])
{
	struct answer answer = {0};
	struct offload *offload;
	int rc;

	assert_int_equal(loop_create(NULL, &answer.loop), 0);
	assert_int_equal(offload_create(answer.loop, 0, &offload), 0);
	rc = flow_publish(f->instance, &f->config, offload, flow, on_published, &answer, why);
	if (rc == 0) {
		assert_int_equal(flow_publish(f->instance, &f->config, offload, flow, on_published,
					 &answer, why),
			-EBUSY);
		loop_run(answer.loop);
		assert_true(answer.given);
		rc = answer.rc;
	}
	offload_destroy(offload);
	loop_destroy(answer.loop);
	return rc;
}

static void R5_a_reload_with_a_draft_leaves_the_published_version_in_force(void **state)
{
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	assert_int_equal(fixture_reload(f), 0);
	assert_true(runs(f, "Welcome"));
	assert_non_null(flow_find_action(main_line(f)->draft, "Good morning"));
	assert_int_equal(fixture_reload(f), 0);
	assert_true(runs(f, "Welcome"));
}

static void R5_a_start_with_a_draft_finds_the_version_that_was_kept(void **state)
{
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	start(f);
	assert_true(runs(f, "Welcome"));
	assert_non_null(main_line(f)->draft);
}

static void R5_publishing_lasts_over_reload_and_restart(void **state)
{
	char why[FLOW_PUBLISH_WHY_SIZE];
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	assert_int_equal(fixture_reload(f), 0);
	assert_int_equal(publish(f, "Main line", why), 0);
	assert_true(runs(f, "Good morning"));
	assert_null(main_line(f)->draft);
	assert_int_equal(publish(f, "Main line", why), -EALREADY);
	assert_int_equal(fixture_reload(f), 0);
	assert_true(runs(f, "Good morning"));
	start(f);
	assert_true(runs(f, "Good morning"));
	assert_null(main_line(f)->draft);
}

static void R5_a_draft_that_was_never_published_is_published_once_asked(void **state)
{
	char why[FLOW_PUBLISH_WHY_SIZE];
	struct fixture *f = *state;

	shell("sed -e 's/Main line/Side line/' -e 's/published/saved/' %s/" MAIN
	      " > %s/flows/side-line.json",
		f->directory, f->directory);
	start(f);
	assert_null(instance_flow(f->instance, "Side line"));
	assert_int_equal(publish(f, "Side line", why), 0);
	assert_non_null(instance_flow(f->instance, "Side line"));
	assert_int_equal(publish(f, "No such line", why), -ENOENT);
	start(f);
	assert_non_null(instance_flow(f->instance, "Side line"));
}

static void test_a_draft_of_another_type_is_not_published_under_a_number(void **state)
{
	char why[FLOW_PUBLISH_WHY_SIZE] = "";
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	change(f, MAIN, "\"type\": \"contactFlow\"", "\"type\": \"agentTransfer\"");
	assert_int_equal(fixture_reload(f), 0);
	assert_int_equal(publish(f, "Main line", why), -EINVAL);
	assert_non_null(strstr(why, "numbers"));
	assert_true(runs(f, "Welcome"));
}

static void test_a_draft_may_name_what_is_not_there_until_it_is_published(void **state)
{
	char why[FLOW_PUBLISH_WHY_SIZE] = "";
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	change(f, MAIN, "\"QueueId\": \"[^\"]*\"", "\"QueueId\": \"no-such-queue\"");
	assert_int_equal(fixture_reload(f), 0);
	assert_true(report_mentions(&f->report, REPORT_WARNING, "no-such-queue"));
	assert_int_equal(publish(f, "Main line", why), -EINVAL);
	assert_non_null(strstr(why, "no-such-queue"));
	assert_true(runs(f, "Welcome"));
}

static void test_a_published_file_takes_the_place_of_what_was_kept(void **state)
{
	struct fixture *f = *state;

	start(f);
	becomes_draft(f);
	change(f, MAIN, "\"status\": \"saved\"", "\"status\": \"published\"");
	start(f);
	assert_true(runs(f, "Good morning"));
	change(f, MAIN, "\"status\": \"published\"", "\"status\": \"saved\"");
	change(f, MAIN, "\"Good morning\"", "\"Good evening\"");
	start(f);
	assert_true(runs(f, "Good morning"));
}

static void test_a_flow_that_is_gone_is_not_kept(void **state)
{
	struct fixture *f = *state;
	char name[FLOW_KEPT_NAME_MAX], path[200];

	shell("sed -e 's/Main line/Side line/' %s/" MAIN " > %s/flows/side-line.json", f->directory,
		f->directory);
	start(f);
	flow_kept_name(instance_flow(f->instance, "Side line")->id, name);
	snprintf(path, sizeof(path), "%s/" FLOW_KEPT_FOLDER "/%s", f->directory, name);
	assert_int_equal(access(path, F_OK), 0);
	shell("rm %s/flows/side-line.json", f->directory);
	start(f);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_the_name_of_a_kept_file_stays_in_its_folder(void **state)
{
	char name[FLOW_KEPT_NAME_MAX];

	flow_kept_name("c9f3a1d2-7e44-4b0a-9d6b-3b8f2f6f7a10", name);
	assert_string_equal(name, "c9f3a1d2-7e44-4b0a-9d6b-3b8f2f6f7a10.json");
	flow_kept_name("../../passwd", name);
	assert_null(strchr(name, '/'));
	flow_kept_name("", name);
	assert_true(name[0] != '.');
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(R5_a_reload_with_a_draft_leaves_the_published_version_in_force),
		TEST(R5_a_start_with_a_draft_finds_the_version_that_was_kept),
		TEST(R5_publishing_lasts_over_reload_and_restart),
		TEST(R5_a_draft_that_was_never_published_is_published_once_asked),
		TEST(test_a_draft_of_another_type_is_not_published_under_a_number),
		TEST(test_a_draft_may_name_what_is_not_there_until_it_is_published),
		TEST(test_a_published_file_takes_the_place_of_what_was_kept),
		TEST(test_a_flow_that_is_gone_is_not_kept),
		TEST(test_the_name_of_a_kept_file_stays_in_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
