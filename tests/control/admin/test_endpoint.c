/* SPDX-License-Identifier: Apache-2.0 */
/* Quick connects as endpoint objects: written, read in any spelling, and found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../queue/support.h"
#include "admin/endpoint.h"

#define ARN                                                   \
	"arn:aws:connect:eu-central-1:111122223333:instance/" \
	"3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914/transfer-destination/"

static const struct support_texts texts = {{
	[RESOURCE_QUEUE] = "queues: [{name: Returns}]\n",
	[RESOURCE_ROUTING_PROFILE] = "routing_profiles: [{name: P, queues: []}]\n",
	[RESOURCE_AGENT] =
		"agents:\n"
		"  - {user: ann, first_name: Ann, last_name: A, routing_profile: P,\n"
		"     security_profile: Agent, phone: {kind: ring, register: ann, password: x}}\n",
	[RESOURCE_QUICK_CONNECT] =
		"quick_connects:\n"
		"  - {name: Returns desk, id: q-desk, description: d, type: queue,\n"
		"     queue: Returns, flow: TQ}\n"
		"  - {name: Ann, id: q-ann, description: d, type: agent, agent: ann, flow: TA}\n"
		"  - {name: Courier, id: q-courier, description: d, type: external,\n"
		"     number: '+12025550177'}\n",
}};

static struct resources *resources;

static int load(void **state)
{
	resources = support_resources(&texts);
	return 0;
}

static int unload(void **state)
{
	resources_destroy(resources);
	return 0;
}

static json_t *object_of(const char *name)
{
	json_t *object = endpoint_json(resources_quick_connect(resources, name, RESOURCE_BY_NAME));

	assert_non_null(object);
	return object;
}

static void expect_text(const json_t *object, const char *member, const char *text)
{
	const json_t *value = json_object_get(object, member);

	assert_non_null(value);
	if (text)
		assert_string_equal(json_string_value(value), text);
	else
		assert_true(json_is_null(value));
}

static void R118_each_kind_is_written_with_the_first_spelling(void **state)
{
	static const struct {
		const char *name, *arn, *type, *number, *agent, *queue;
	} rows[] = {
		{"Returns desk", ARN "q-desk", "queue", NULL, NULL, "Returns"},
		{"Ann", ARN "q-ann", "agent", NULL, "ann", NULL},
		{"Courier", ARN "q-courier", "phone_number", "+12025550177", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *object = object_of(rows[i].name);

		assert_int_equal(json_object_size(object), 7);
		expect_text(object, "endpointARN", rows[i].arn);
		expect_text(object, "endpointId", rows[i].arn);
		expect_text(object, "type", rows[i].type);
		expect_text(object, "name", rows[i].name);
		expect_text(object, "phoneNumber", rows[i].number);
		expect_text(object, "agentLogin", rows[i].agent);
		expect_text(object, "queue", rows[i].queue);
		json_decref(object);
	}
}

/* The object with every member's name in capitals. */
static json_t *in_capitals(const json_t *object)
{
	json_t *copy = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)object, key, value)
	{
		char name[32];
		size_t n = 0;

		for (; key[n]; n++)
			name[n] = (char)toupper((unsigned char)key[n]);
		name[n] = '\0';
		json_object_set(copy, name, value);
	}
	return copy;
}

static void R14_R118_what_is_written_is_read_in_any_case_and_found(void **state)
{
	static const char *const names[] = {"Returns desk", "Ann", "Courier"};

	for (size_t i = 0; i < 3; i++) {
		json_t *object = object_of(names[i]), *capitals = in_capitals(object);
		const json_t *const both[] = {object, capitals};

		for (size_t j = 0; j < 2; j++) {
			char why[ENDPOINT_WHY_SIZE] = "";
			struct endpoint endpoint;
			const struct resource_quick_connect *one;

			assert_int_equal(endpoint_read(both[j], &endpoint, why), 0);
			one = endpoint_find(resources, &endpoint, why);
			assert_non_null(one);
			assert_string_equal(one->row.name, names[i]);
		}
		json_decref(capitals);
		json_decref(object);
	}
}

static void expect_refusal(const json_t *object, const char *words)
{
	char why[ENDPOINT_WHY_SIZE] = "";
	struct endpoint endpoint;

	if (endpoint_read(object, &endpoint, why) == 0 && endpoint_find(resources, &endpoint, why))
		fail_msg("accepted where '%s' was expected", words);
	if (!strstr(why, words))
		fail_msg("'%s' does not name '%s'", why, words);
}

static void R119_a_member_that_is_missing_or_of_another_type_is_named(void **state)
{
	static const char *const required[] = {"endpointARN", "endpointId", "type", "name"};
	static const char *const others[] = {"phoneNumber", "agentLogin", "queue"};

	for (size_t i = 0; i < 4; i++) {
		json_t *object = object_of("Courier");

		json_object_set_new(object, required[i], json_integer(7));
		expect_refusal(object, required[i]);
		json_object_set_new(object, required[i], json_null());
		expect_refusal(object, required[i]);
		json_object_set_new(object, required[i], json_string(""));
		expect_refusal(object, required[i]);
		json_object_del(object, required[i]);
		expect_refusal(object, required[i]);
		json_decref(object);
	}
	for (size_t i = 0; i < 3; i++) {
		json_t *object = object_of("Courier");

		json_object_set_new(object, others[i], json_array());
		expect_refusal(object, others[i]);
		json_decref(object);
	}
}

static void R119_unknown_members_are_ignored_and_optional_ones_may_lack(void **state)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:i}", "endpointarn", ARN "q-ann",
		"EndpointId", ARN "q-ann", "Type", "agent", "NAME", "an old name", "colour", 7);
	char why[ENDPOINT_WHY_SIZE] = "";
	struct endpoint endpoint;

	assert_int_equal(endpoint_read(object, &endpoint, why), 0);
	assert_null(endpoint.phone_number);
	assert_null(endpoint.queue);
	assert_non_null(endpoint_find(resources, &endpoint, why));
	json_decref(object);
}

static void R119_what_contradicts_the_arn_is_refused(void **state)
{
	json_t *object = object_of("Courier");

	json_object_set_new(object, "phoneNumber", json_string("+12025550143"));
	expect_refusal(object, "phoneNumber");
	json_object_set_new(object, "phoneNumber", json_null());
	json_object_set_new(object, "type", json_string("queue"));
	expect_refusal(object, "type");
	json_object_set_new(object, "type", json_string("phone_number"));
	json_object_set_new(object, "endpointId", json_string(ARN "q-ann"));
	expect_refusal(object, "endpointId");
	json_object_set_new(object, "endpointId", json_string(ARN "nobody"));
	json_object_set_new(object, "endpointARN", json_string(ARN "nobody"));
	expect_refusal(object, "endpointARN");
	json_decref(object);
	object = object_of("Ann");
	json_object_set_new(object, "phoneNumber", json_string("+12025550143"));
	expect_refusal(object, "phoneNumber");
	json_object_set_new(object, "PhoneNumber", json_string("+12025550143"));
	expect_refusal(object, "two spellings");
	json_decref(object);
	expect_refusal(NULL, "endpoint object");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R118_each_kind_is_written_with_the_first_spelling),
		cmocka_unit_test(R14_R118_what_is_written_is_read_in_any_case_and_found),
		cmocka_unit_test(R119_a_member_that_is_missing_or_of_another_type_is_named),
		cmocka_unit_test(R119_unknown_members_are_ignored_and_optional_ones_may_lack),
		cmocka_unit_test(R119_what_contradicts_the_arn_is_refused),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
