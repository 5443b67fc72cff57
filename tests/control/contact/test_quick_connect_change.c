/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of quick connects: text in, text out, and what an instance makes of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contact/quick_connect_change.h"
#include "support.h"

#define COURIER "d41f6b8a-09c7-4e52-8b3d-6a7f1e2c9054"

static json_t *taxi(const char *number)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", "Taxi", "id", "c-taxi", "description",
		"The way \"home\"", "type", "external", "number", number);
}

/* The document after a change; the one before is freed. */
static char *after(char *text, struct quick_connect_change change)
{
	char why[QUICK_CONNECT_CHANGE_WHY_SIZE] = "", *out = NULL;

	if (quick_connect_change_apply(&change, text, &out, why) < 0)
		fail_msg("refused: %s", why);
	quick_connect_change_clear(&change);
	free(text);
	return out;
}

static char *put(char *text, const char *number)
{
	return after(text,
		(struct quick_connect_change){.kind = QUICK_CONNECT_PUT, .row = taxi(number)});
}

static char *with_queue(
	char *text, enum quick_connect_change_kind kind, const char *queue, const char *id)
{
	return after(text,
		(struct quick_connect_change){
			.kind = kind, .queue = json_string(queue), .ids = json_pack("[s]", id)});
}

static char *removed(char *text, const char *id, bool in_file)
{
	return after(text,
		(struct quick_connect_change){
			.kind = QUICK_CONNECT_REMOVE, .id = json_string(id), .in_file = in_file});
}

static void expect_list(const char *text, const char *name, const char *wanted)
{
	json_t *document = json_loads(text, 0, NULL);
	char *list = json_dumps(json_object_get(document, name), JSON_COMPACT);

	assert_non_null(list);
	assert_string_equal(list, wanted);
	free(list);
	json_decref(document);
}

static void test_one_id_has_one_row(void **state)
{
	char *text = put(put(NULL, "+12025550188"), "+12025550189");
	json_t *document = json_loads(text, 0, NULL);
	json_t *rows = json_object_get(document, "quick_connects");

	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "number")),
		"+12025550189");
	json_decref(document);
	free(text);
}

static void test_only_one_of_the_files_is_remembered_as_removed(void **state)
{
	char *text = removed(put(NULL, "+12025550188"), "c-taxi", false);

	expect_list(text, "quick_connects", "[]");
	expect_list(text, "removed", "[]");
	text = removed(text, COURIER, true);
	expect_list(text, "removed", "[\"" COURIER "\"]");
	text = removed(text, COURIER, true);
	expect_list(text, "removed", "[\"" COURIER "\"]");
	free(text);
}

static void test_one_that_is_put_again_is_not_removed_any_more(void **state)
{
	char *text = put(removed(NULL, "c-taxi", true), "+12025550188");

	expect_list(text, "removed", "[]");
	free(text);
}

static void test_the_last_word_about_a_queue_counts(void **state)
{
	char *text = with_queue(NULL, QUICK_CONNECT_ATTACH, "orders", "c-taxi");

	text = with_queue(text, QUICK_CONNECT_ATTACH, "orders", "c-taxi");
	text = with_queue(text, QUICK_CONNECT_ATTACH, "orders", COURIER);
	expect_list(text, "attached",
		"[{\"queue\":\"orders\",\"quick_connects\":[\"c-taxi\",\"" COURIER "\"]}]");
	text = with_queue(text, QUICK_CONNECT_DETACH, "orders", "c-taxi");
	text = with_queue(text, QUICK_CONNECT_DETACH, "orders", COURIER);
	expect_list(text, "attached", "[]");
	expect_list(text, "detached",
		"[{\"queue\":\"orders\",\"quick_connects\":[\"c-taxi\",\"" COURIER "\"]}]");
	text = with_queue(text, QUICK_CONNECT_ATTACH, "orders", COURIER);
	text = removed(text, "c-taxi", false);
	expect_list(text, "detached", "[]");
	expect_list(
		text, "attached", "[{\"queue\":\"orders\",\"quick_connects\":[\"" COURIER "\"]}]");
	free(text);
}

static void test_a_document_that_is_none_is_refused(void **state)
{
	static const char *const texts[] = {"", "[]", "{", "quick_connects: []", "{}{}"};
	struct quick_connect_change change = {
		.kind = QUICK_CONNECT_PUT, .row = taxi("+12025550188")};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char why[QUICK_CONNECT_CHANGE_WHY_SIZE] = "", *out = NULL;

		assert_int_equal(quick_connect_change_apply(&change, texts[i], &out, why), -EINVAL);
		assert_non_null(strstr(why, "JSON object"));
		assert_null(out);
	}
	quick_connect_change_clear(&change);
}

/* ---- in an instance ---- */

static void write_changes(const struct fixture *f, const char *text)
{
	char path[200];
	FILE *file;

	shell("mkdir -p %s/instance.d", f->directory);
	snprintf(path, sizeof(path), "%s/" INSTANCE_CHANGES, f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool has(const struct fixture *f, const char *queue, const char *name)
{
	const struct resource_queue *row =
		resources_queue(f->instance->resources, queue, RESOURCE_BY_NAME);

	for (uint32_t i = 0; i < row->quick_connect_count; i++)
		if (strcmp(row->quick_connects[i]->row.name, name) == 0)
			return true;
	return false;
}

static void R11_what_was_changed_is_there_at_the_next_start_and_reload(void **state)
{
	struct fixture *f = *state;
	char *text =
		with_queue(put(NULL, "+12025550188"), QUICK_CONNECT_ATTACH, "orders", "c-taxi");

	text = with_queue(text, QUICK_CONNECT_DETACH, "returns", COURIER);
	write_changes(f, text);
	free(text);
	for (int i = 0; i < 2; i++) {
		if ((i == 0 ? fixture_load(f) : fixture_reload(f)) != 0)
			report_print(&f->report, stderr);
		assert_non_null(f->instance);
		assert_true(has(f, "Orders", "Taxi"));
		assert_true(has(f, "Orders", "Courier hotline"));
		assert_false(has(f, "Returns", "Courier hotline"));
		assert_true(report_mentions(&f->report, REPORT_NOTE, "was detached"));
	}
}

static void R9_a_changed_one_needs_a_flow_of_its_type_too(void **state)
{
	struct fixture *f = *state;

	write_changes(f, "{\"quick_connects\": [{\"name\": \"Desk\", \"id\": \"c-desk\", "
			 "\"description\": \"d\", \"type\": \"queue\", \"queue\": \"orders\",\n"
			 "\"flow\": \"Default agent transfer\"}]}");
	assert_int_not_equal(fixture_load(f), 0);
	expect_mention(f, INSTANCE_CHANGES ":1:21: flow", "transfer to queue");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_id_has_one_row),
		cmocka_unit_test(test_only_one_of_the_files_is_remembered_as_removed),
		cmocka_unit_test(test_one_that_is_put_again_is_not_removed_any_more),
		cmocka_unit_test(test_the_last_word_about_a_queue_counts),
		cmocka_unit_test(test_a_document_that_is_none_is_refused),
		TEST(R11_what_was_changed_is_there_at_the_next_start_and_reload),
		TEST(R9_a_changed_one_needs_a_flow_of_its_type_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
