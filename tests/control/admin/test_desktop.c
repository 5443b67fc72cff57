/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of agents' desktops: each wrong member is named; the answers to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin/desktop.h"

#define ARN                                                          \
	"arn:aws:connect:eu-central-1:111122223333:instance/"        \
	"3f0c2a6e-7b1d-4e58-9a27-5c61d0b8e914/transfer-destination/" \
	"7c2e9f40-83b5-4d16-a9e8-1b0c3d5f7a92"

static const char number[] =
	"{\"channel\": \"Amazon\", \"topic\": \"InboundCall\", \"subtopic\": \"BlindTransfer\","
	" \"source\": \"ui\", \"data\": \"+12025550143\"}";
static const char queue[] =
	"{\"channel\": \"Amazon\", \"topic\": \"InboundCall\", \"subtopic\": \"BlindTransfer\","
	" \"source\": \"ui\", \"data\": {\"endpointARN\": \"" ARN "\", \"endpointId\": \"" ARN
	"\", \"type\": \"queue\", \"name\": \"Returns desk\", \"phoneNumber\": null,"
	" \"agentLogin\": null, \"queue\": null}}";

static json_t *parse(const char *text)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(object);
	return object;
}

static void R112_R114_R115_the_samples_are_read(void **state)
{
	json_t *one = parse(number), *two = parse(queue);
	struct desktop_message message;
	char why[ENDPOINT_WHY_SIZE];

	assert_int_equal(desktop_read(one, &message, why), 0);
	assert_string_equal(message.number, "+12025550143");
	assert_string_equal(message.source, "ui");
	assert_null(message.endpoint.arn);
	assert_int_equal(desktop_read(two, &message, why), 0);
	assert_null(message.number);
	assert_string_equal(message.endpoint.arn, ARN);
	assert_string_equal(message.endpoint.type, "queue");
	json_decref(one);
	json_decref(two);
}

static void R113_the_subtopic_in_any_case_and_any_source(void **state)
{
	static const char *const spellings[] = {
		"BlindTransfer", "Blindtransfer", "blindtransfer", "BLINDTRANSFER"};
	json_t *object = parse(number);
	struct desktop_message message;
	char why[ENDPOINT_WHY_SIZE];

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		json_object_set_new(object, "subtopic", json_string(spellings[i]));
		json_object_set_new(object, "source", json_string(i ? "another" : "x"));
		json_object_set_new(object, "extra", json_true());
		assert_int_equal(desktop_read(object, &message, why), 0);
	}
	json_decref(object);
}

/* The member with this value (NULL: without it) is refused, and why says so. */
static void expect_refusal(
	const char *text, const char *member, json_t *value, int error, const char *wanted)
{
	json_t *object = parse(text);
	struct desktop_message message = {.number = "untouched"};
	char why[ENDPOINT_WHY_SIZE] = "";

	if (value)
		json_object_set_new(object, member, value);
	else
		json_object_del(object, member);
	assert_int_equal(desktop_read(object, &message, why), error);
	assert_string_equal(why, wanted);
	assert_string_equal(message.number, "untouched");
	json_decref(object);
}

static void R119_each_wrong_member_is_named(void **state)
{
	static const char source[] =
		"source: expected the application's name, a text that is not empty";
	static const char data[] =
		"data: expected a phone number as text, or the object of a quick connect";
	char missing[128];

	expect_refusal(number, "channel", json_string("amazon"), -EINVAL,
		"channel: expected Amazon, found 'amazon'");
	expect_refusal(number, "channel", json_integer(1), -EINVAL, "channel: expected Amazon");
	expect_refusal(number, "topic", json_string("OutboundCall"), -EINVAL,
		"topic: expected InboundCall, found 'OutboundCall'");
	expect_refusal(number, "topic", json_null(), -EINVAL, "topic: expected InboundCall");
	snprintf(missing, sizeof(missing), "%s; it is missing", source);
	expect_refusal(number, "source", NULL, -EINVAL, missing);
	snprintf(missing, sizeof(missing), "%s, found ''", source);
	expect_refusal(number, "source", json_string(""), -EINVAL, missing);
	expect_refusal(number, "source", json_array(), -EINVAL, source);
	snprintf(missing, sizeof(missing), "%s; it is missing", data);
	expect_refusal(number, "data", NULL, -EINVAL, missing);
	expect_refusal(number, "data", json_null(), -EINVAL, data);
	expect_refusal(number, "data", json_integer(12025550143), -EINVAL, data);
	expect_refusal(number, "data", json_array(), -EINVAL, data);
	expect_refusal(number, "data", json_object(), -EINVAL,
		"data: endpointARN: expected a text; it is missing");
}

static void R119_each_wrong_member_of_the_object_is_named(void **state)
{
	static const char *const required[] = {"endpointARN", "endpointId", "type", "name"};
	static const char *const optional[] = {"phoneNumber", "agentLogin", "queue"};
	struct desktop_message message;
	char why[ENDPOINT_WHY_SIZE], wanted[128];

	for (size_t i = 0; i < 4; i++) {
		json_t *object = parse(queue), *data = json_object_get(object, "data");

		json_object_set_new(data, required[i], json_integer(7));
		assert_int_equal(desktop_read(object, &message, why), -EINVAL);
		snprintf(wanted, sizeof(wanted), "data: %s: expected ", required[i]);
		assert_memory_equal(why, wanted, strlen(wanted));
		json_object_del(data, required[i]);
		assert_int_equal(desktop_read(object, &message, why), -EINVAL);
		assert_memory_equal(why, wanted, strlen(wanted));
		assert_non_null(strstr(why, "missing"));
		json_decref(object);
	}
	for (size_t i = 0; i < 3; i++) {
		json_t *object = parse(queue), *data = json_object_get(object, "data");

		json_object_set_new(data, optional[i], json_false());
		assert_int_equal(desktop_read(object, &message, why), -EINVAL);
		snprintf(wanted, sizeof(wanted), "data: %s: expected ", optional[i]);
		assert_memory_equal(why, wanted, strlen(wanted));
		json_object_del(data, optional[i]);
		assert_int_equal(desktop_read(object, &message, why), 0);
		json_decref(object);
	}
}

static void another_message_says_what_is_known(void **state)
{
	expect_refusal(number, "subtopic", json_string("StateSync"), -ENOMSG,
		"subtopic: expected BlindTransfer, found 'StateSync'");
	expect_refusal(number, "subtopic", NULL, -ENOMSG,
		"subtopic: expected BlindTransfer; it is missing");
	expect_refusal(
		number, "subtopic", json_true(), -ENOMSG, "subtopic: expected BlindTransfer");
}

static void expect_json(json_t *found, const char *text)
{
	json_t *wanted = parse(text);

	if (!json_equal(found, wanted)) {
		char *shown = json_dumps(found, 0);

		fail_msg("found %s, expected %s", shown, text);
	}
	json_decref(found);
	json_decref(wanted);
}

static void R113_R120_success_to_the_letter(void **state)
{
	json_t *object = parse(number);

	json_object_set_new(object, "subtopic", json_string("blindtransfer"));
	expect_json(
		desktop_success(object, "11111111-aaaa-4aaa-8aaa-000000000001", "AfterCallWork"),
		"{\"channel\": \"Amazon\", \"topic\": \"InboundCall\", \"subtopic\": "
		"\"BlindTransfer\", \"message\": {\"contactId\": "
		"\"11111111-aaaa-4aaa-8aaa-000000000001\", \"agentState\": \"AfterCallWork\"}}");
	json_decref(object);
}

static void R121_failure_to_the_letter(void **state)
{
	json_t *object = parse(queue);

	expect_json(desktop_failure(object, -ECANCELED, "queue Returns is full (20 of 20)"),
		"{\"channel\": \"Amazon\", \"topic\": \"InboundCall\", \"subtopic\": "
		"\"BlindTransfer\", \"errorType\": \"BLIND_TRANSFER_FAILED\", \"msg\": \"queue "
		"Returns is full (20 of 20)\", \"errorMessage\": \"Blind transfer failed.\"}");
	json_decref(object);
}

static void an_unknown_message_is_answered_in_the_same_shape(void **state)
{
	json_t *object = parse("{\"channel\": [1], \"topic\": \"Weather\"}");

	expect_json(desktop_failure(object, -ENOMSG, "channel: expected Amazon"),
		"{\"channel\": null, \"topic\": \"Weather\", \"subtopic\": null, \"errorType\": "
		"\"UNKNOWN_MESSAGE\", \"msg\": \"channel: expected Amazon\", \"errorMessage\": "
		"\"Unknown message.\"}");
	json_decref(object);
}

/* What is cut in the middle of a letter is still told. */
static void a_cause_is_told_whatever_its_bytes(void **state)
{
	json_t *object = parse(number), *answer;
	struct desktop_message message;
	char subtopic[80], why[ENDPOINT_WHY_SIZE];

	memset(subtopic, 'a', 63);
	snprintf(subtopic + 63, sizeof(subtopic) - 63, "\xc3\xa9");
	json_object_set_new(object, "subtopic", json_string(subtopic));
	assert_int_equal(desktop_read(object, &message, why), -ENOMSG);
	answer = desktop_failure(object, -ENOMSG, why);
	assert_non_null(strstr(json_string_value(json_object_get(answer, "msg")), "aaa?'"));
	json_decref(answer);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R112_R114_R115_the_samples_are_read),
		cmocka_unit_test(R113_the_subtopic_in_any_case_and_any_source),
		cmocka_unit_test(R119_each_wrong_member_is_named),
		cmocka_unit_test(R119_each_wrong_member_of_the_object_is_named),
		cmocka_unit_test(another_message_says_what_is_known),
		cmocka_unit_test(R113_R120_success_to_the_letter),
		cmocka_unit_test(R121_failure_to_the_letter),
		cmocka_unit_test(an_unknown_message_is_answered_in_the_same_shape),
		cmocka_unit_test(a_cause_is_told_whatever_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
