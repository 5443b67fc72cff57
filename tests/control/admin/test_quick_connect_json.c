/* SPDX-License-Identifier: Apache-2.0 */
/* What a call may say about a quick connect, in both shapes, and which member a refusal names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "admin/quick_connect_json.h"

#define QUEUE_CONFIG                                                          \
	"'QuickConnectConfig': {'QuickConnectType': 'QUEUE', 'QueueConfig': " \
	"{'QueueId': 'q-1', 'ContactFlowId': 'f-1'}}"

static json_t *parse(const char *text)
{
	char copy[1024];
	json_t *object;

	snprintf(copy, sizeof(copy), "{%s}", text);
	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	object = json_loads(copy, 0, NULL);
	assert_non_null(object);
	return object;
}

static int read_and_judge(const json_t *params, struct quick_connect_wanted *wanted,
	const char **member, char why[QUICK_CONNECT_WHY_SIZE])
{
	int rc = quick_connect_read(params, wanted, member, why);

	return rc < 0 ? rc : quick_connect_judge(wanted, member, why);
}

static void R14_both_shapes_say_the_same(void **state)
{
	static const char *const texts[] = {
		"'Name': 'Desk', 'Description': 'd', " QUEUE_CONFIG,
		"'name': 'Desk', 'description': 'd', 'type': 'queue', 'destination': 'q-1', "
		"'flow': 'f-1'",
		"'name': 'Desk', 'Name': null, 'Description': 'd', " QUEUE_CONFIG,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char why[QUICK_CONNECT_WHY_SIZE] = "";
		struct quick_connect_wanted wanted;
		const char *member;
		json_t *params = parse(texts[i]), *row;

		if (read_and_judge(params, &wanted, &member, why) < 0)
			fail_msg("%s: %s", member, why);
		row = quick_connect_row(&wanted, "c-1");
		assert_int_equal(json_object_size(row), 6);
		assert_string_equal(json_string_value(json_object_get(row, "queue")), "q-1");
		assert_string_equal(json_string_value(json_object_get(row, "flow")), "f-1");
		json_decref(row);
		json_decref(params);
	}
}

static void R8_R9_R10_a_refusal_names_the_member(void **state)
{
	static const char *const rows[][2] = {
		{"'name': 'N', " QUEUE_CONFIG, "description"},
		{"'name': 'N', 'description': '', " QUEUE_CONFIG, "description"},
		{"'description': 'd', " QUEUE_CONFIG, "name"},
		{"'name': 'N', 'description': 'd'", "type"},
		{"'name': 'N', 'description': 'd', 'type': 'fax'", "type"},
		{"'name': 'N', 'description': 'd', 'type': 'agent', 'flow': 'f'", "destination"},
		{"'name': 'N', 'description': 'd', 'type': 'agent', 'destination': 'a'", "flow"},
		{"'name': 'N', 'description': 'd', 'type': 'external', 'destination': '+12', "
		 "'flow': 'f'",
			"flow"},
		{"'name': 'N', 'Name': 'N', 'description': 'd', " QUEUE_CONFIG, "Name"},
		{"'name': 'N', 'description': 'd', 'type': 'queue', " QUEUE_CONFIG,
			"QuickConnectConfig"},
		{"'name': 'N', 'description': 'd', 'QuickConnectConfig': {}", "QuickConnectType"},
		{"'name': 'N', 'description': 'd', 'QuickConnectConfig': {'QuickConnectType': "
		 "'USER'}",
			"UserConfig"},
		{"'name': 'N', 'description': 'd', 'QuickConnectConfig': {'QuickConnectType': "
		 "'USER', 'UserConfig': {'UserId': 7}}",
			"UserId"},
		{"'name': 'N', 'description': 'd', 'QuickConnectConfig': {'QuickConnectType': "
		 "'PHONE_NUMBER', 'PhoneConfig': {'PhoneNumber': '+12'}, 'QueueConfig': {}}",
			"QueueConfig"},
		{"'name': 'N', 'description': 'd', 'QuickConnectConfig': {'QuickConnectType': "
		 "'PHONE_NUMBER', 'PhoneConfig': {'PhoneNumber': '+12', 'ContactFlowId': 'f'}}",
			"flow"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[QUICK_CONNECT_WHY_SIZE] = "";
		struct quick_connect_wanted wanted;
		const char *member = "";
		json_t *params = parse(rows[i][0]);

		if (read_and_judge(params, &wanted, &member, why) == 0)
			fail_msg("accepted: %s", rows[i][0]);
		assert_string_equal(member, rows[i][1]);
		assert_true(why[0] != '\0');
		json_decref(params);
	}
}

static void test_an_update_keeps_what_it_does_not_say(void **state)
{
	const struct resource_queue queue = {.row = {.id = "q-1"}};
	const struct resource_quick_connect before = {.row = {.name = "Desk", .description = "d"},
		.type = RESOURCE_QUICK_CONNECT_QUEUE,
		.queue = &queue,
		.flow = "f-1"};
	struct quick_connect_wanted wanted = {.name = "Bench"};
	char why[QUICK_CONNECT_WHY_SIZE];
	const char *member = "";

	quick_connect_inherit(&wanted, &before);
	assert_int_equal(quick_connect_judge(&wanted, &member, why), 0);
	assert_string_equal(wanted.name, "Bench");
	assert_string_equal(wanted.destination, "q-1");
	assert_string_equal(wanted.flow, "f-1");
	wanted = (struct quick_connect_wanted){.type = "external", .destination = "+12"};
	quick_connect_inherit(&wanted, &before);
	assert_int_equal(quick_connect_judge(&wanted, &member, why), 0);
	assert_null(wanted.flow);
	wanted = (struct quick_connect_wanted){.type = "agent"};
	quick_connect_inherit(&wanted, &before);
	assert_int_not_equal(quick_connect_judge(&wanted, &member, why), 0);
	assert_string_equal(member, "destination");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R14_both_shapes_say_the_same),
		cmocka_unit_test(R8_R9_R10_a_refusal_names_the_member),
		cmocka_unit_test(test_an_update_keeps_what_it_does_not_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
