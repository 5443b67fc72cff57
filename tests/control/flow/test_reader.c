/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader takes leniently, what it refuses, and in which words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define ACTION(id, type, rest) "{\"Identifier\": \"" id "\", \"Type\": \"" type "\"" rest "}"
#define BYE                    ACTION("bye", "DisconnectParticipant", "")
#define FLOW(start, actions)                                                                       \
	"{\"Version\": \"2019-10-30\", \"StartAction\": \"" start "\", \"Actions\": [" actions "]" \
	"}"
#define SAY(rest) ACTION("say", "MessageParticipant", rest)

static const struct {
	const char *text;
	const char *place; /* part of the place or message of an error */
	const char *expected;
} refused[] = {
	{"", "f.json", "expected JSON"},
	{"{", "f.json", "expected JSON: line 1"},
	{"[]", "f.json", "one JSON object, found a list"},
	{"null", "f.json", "found null"},
	{"{} {}", "f.json", "expected JSON"},
	{"{\"a\": 1, \"a\": 2}", "f.json", "duplicate"},
	{"{\"a\": \"\xff\"}", "f.json", "unable to decode byte"},
	{"{}", "Version", "expected \"2019-10-30\", found nothing"},
	{"{\"Version\": \"2020-01-01\"}", "Version", "found 2020-01-01"},
	{"{\"Version\": \"2019-10-30\"}", "Actions", "expected a list of actions, found nothing"},
	{"{\"Version\": \"2019-10-30\", \"Actions\": [" BYE "]}", "StartAction", "found nothing"},
	{FLOW("nobody", BYE), "StartAction", "there is no 'nobody'"},
	{FLOW("", ""), "StartAction", "there is no ''"},
	{FLOW("bye", BYE ", 5"), "Actions[1]", "expected an object, found a number"},
	{FLOW("bye", BYE ", {}"), "Actions[1]", "expected a member Identifier"},
	{FLOW("bye", BYE ", " ACTION("", "DisconnectParticipant", "")), "Identifier", "empty text"},
	{FLOW("bye", BYE ", " BYE), "action 'bye': Identifier", "two actions have it"},
	{FLOW("bye", BYE ", " ACTION("a/b", "DisconnectParticipant", "")), "action 'a/b'",
		"found '/'"},
	{FLOW("bye", BYE ", " ACTION("toString", "DisconnectParticipant", "")), "toString",
		"reserved"},
	{FLOW("bye", BYE ", " ACTION("123456789012345678901234567890123456789012345678901",
			     "DisconnectParticipant", "")),
		"Identifier", "at most 50 characters"},
	{FLOW("bye", ACTION("bye", "SetVoice", "")), "action 'bye': Type", "'SetVoice' is none"},
	{FLOW("bye", "{\"Identifier\": \"bye\"}"), "action 'bye': Type", "found nothing"},
	{FLOW("say", SAY(", \"Parameters\": 5")), "action 'say': Parameters",
		"an object, found a number"},
	{FLOW("say", SAY("")), "action 'say': Parameters", "expected Text or SSML or PromptId"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": {\"a\": \"b\"}}")), "Parameters.Text",
		"expected a text, found an object"},
	{FLOW("say", SAY(", \"Parameters\": {\"Media\": \"x\"}")), "Parameters.Media",
		"expected an object or a list"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": []")),
		"Transitions", "an object, found a list"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"NextAction\": "
			 "\"x\"}")),
		"action 'say': Transitions.NextAction", "there is no 'x'"},
	{FLOW("say",
		 SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"NextAction\": 5}")),
		"Transitions.NextAction", "a text, found a number"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Errors\": "
			 "[{\"ErrorType\": "
			 "\"NoMatchingError\", \"NextAction\": \"x\"}]}")),
		"Transitions.Errors[0].NextAction", "there is no 'x'"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Errors\": "
			 "[{\"ErrorType\": "
			 "\"NoMatchingError\"}]}")),
		"Transitions.Errors[0].NextAction", "expected the identifier"},
	{FLOW("say",
		 SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Errors\": [7]}")),
		"Transitions.Errors[0]", "found a number"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Errors\": "
			 "[{\"NextAction\": "
			 "\"say\"}]}")),
		"Transitions.Errors[0].ErrorType", "the name of an error"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{}]}")),
		"Transitions.Conditions[0].Condition", "expected an object"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": \"Like\", "
			 "\"Operands\": "
			 "[\"x\"]}}]}")),
		"Conditions[0].Condition.Operator", "found Like"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": \"Equals\", "
			 "\"Operands\": "
			 "[]}}]}")),
		"Condition.Operands", "a list with one text"},
	{FLOW("loop", ACTION("loop", "Loop", ", \"Parameters\": {\"LoopCount\": \"often\"}")),
		"action 'loop': Parameters.LoopCount", "whole number from 0 to 100, found 'often'"},
	{FLOW("m", ACTION("m", "CheckMetricData", ", \"Parameters\": {\"MetricType\": \"Mood\"}")),
		"action 'm': Parameters.MetricType", "found 'Mood'"},
	{FLOW("in", ACTION("in", "GetParticipantInput",
			    ", \"Parameters\": {\"StoreInput\": \"maybe\"}")),
		"action 'in': Parameters.StoreInput", "True or False, found 'maybe'"},
	{FLOW("q", ACTION("q", "UpdateContactTargetQueue", "")), "action 'q': Parameters",
		"expected QueueId or AgentId"},
	/* R74 */
	{FLOW("t", ACTION("t", "TransferParticipantToThirdParty",
			   ", \"Parameters\": {\"ThirdPartyPhoneNumber\": \"+12025550143\", "
			   "\"ThirdPartyDTMFDigits\": "
			   "\"123456789012345678901234567890123456789012345678901\"}")),
		"action 't': Parameters.ThirdPartyDTMFDigits", "at most 50"},
	{"{\"modules\": 5}", "Version", "found nothing"},
	/* Wrong types, everywhere. */
	{"{\"Version\": 20191030}", "Version", "found a number"},
	{"{\"Version\": \"2019-10-30\", \"Actions\": {}}", "Actions", "found an object"},
	{"{\"Version\": \"2019-10-30\", \"StartAction\": [], \"Actions\": [" BYE "]}",
		"StartAction", "found a list"},
	{FLOW("bye", "{\"Identifier\": 7, \"Type\": \"Loop\"}"), "Actions[0]", "found a number"},
	{FLOW("bye", "{\"Identifier\": \"bye\", \"Type\": [\"Loop\"]}"), "action 'bye': Type",
		"found a list"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": [\"t\"]}")), "Parameters.Text",
		"expected a text, found a list"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": 5")), "Transitions",
		"an object, found a number"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"NextAction\": "
			 "[\"say\"]}")),
		"Transitions.NextAction", "a text, found a list"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Errors\": {}}")),
		"Transitions.Errors", "a list, found an object"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "\"x\"}")),
		"Transitions.Conditions", "a list, found a text"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"Condition\": \"x\"}]}")),
		"Conditions[0].Condition", "an object, found a text"},
	{FLOW("say",
		 SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
		     "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": 5, \"Operands\": "
		     "[\"x\"]}}]}")),
		"Condition.Operator", "found a number"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": \"Equals\", "
			 "\"Operands\": \"x\"}}]}")),
		"Condition.Operands", "a list with one text"},
	/* The documents speak of nested conditions; the service takes none. */
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": \"Equals\", "
			 "\"Operands\": [[[[[\"x\"]]]]]}}]}")),
		"Condition.Operands", "a list with one text"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"Conditions\": "
			 "[{\"NextAction\": \"say\", \"Condition\": {\"Operator\": \"Equals\", "
			 "\"Operands\": [\"x\", \"y\"]}}]}")),
		"Condition.Operands", "a list with one text"},
	/* Texts that are none, and a key twice far inside. */
	{"{\"a\": \"\\u0000\"}", "f.json", "u0000"},
	{"{\"a\": \"\\ud800\"}", "f.json", "invalid Unicode"},
	{"{\"a\": \"\xc0\x80\"}", "f.json", "unable to decode byte"},
	{"{\"a\": \"\xed\xa0\x80\"}", "f.json", "unable to decode byte"},
	{"{\"a\": \"\x01\"}", "f.json", "control character"},
	{FLOW("say", SAY(", \"Parameters\": {\"Text\": \"t\", \"Text\": \"u\"}")), "f.json",
		"duplicate object key"},
};

static void R74_bad_files_are_refused_with_place_and_expectation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct flow_reader_options options = {.file = "f.json"};
		struct flow *flow = NULL;
		struct report report;

		report_init(&report);
		assert_int_equal(flow_read(refused[i].text, strlen(refused[i].text), &options,
					 &report, &flow),
			-EINVAL);
		assert_null(flow);
		if (!report_mentions(&report, REPORT_ERROR, refused[i].place) ||
			!report_mentions(&report, REPORT_ERROR, refused[i].expected) ||
			!report_mentions(&report, REPORT_ERROR, "f.json")) {
			report_print(&report, stderr);
			fail_msg("row %zu: expected %s: %s", i, refused[i].place,
				refused[i].expected);
		}
		report_clear(&report);
	}
}

static void real_files_are_read_leniently(void **state)
{
	static const char *const text = FLOW(
		"a", ACTION("a", "Loop",
			     ", \"Parameters\": {\"LoopCount\": 3}, \"Transitions\": "
			     "{}") ", " ACTION("b", "TransferContactToQueue", "") ", " ACTION("c",
			     "GetParticipantInput",
			     ", \"Parameters\": {\"StoreInput\": true, \"Invented\": "
			     "{\"x\": [1, null]}}, "
			     "\"Transitions\": {\"Conditions\": null, \"Errors\": "
			     "[{\"ErrorType\": \"NewError\", "
			     "\"NextAction\": \"a\"}]}") ", " ACTION("d", "UpdateRoutingCriteria",
			     ", \"Parameters\": null") ", " ACTION("\xc3\xbc ber", "Wait",
			     ", \"Parameters\": {\"TimeoutSeconds\": \"${wait}\"}"));
	struct flow *flow = flow_of(text, "id", FLOW_TYPE_UNKNOWN);

	(void)state;
	assert_int_equal(flow->action_count, 5);
	assert_string_equal(flow->actions[0].params[0].value.source, "3");
	assert_int_equal(flow->actions[1].next, FLOW_NO_ACTION);
	assert_int_equal(flow->actions[2].errors[0].error, FLOW_ERROR_COUNT);
	assert_string_equal(flow->actions[2].errors[0].name, "NewError");
	assert_int_equal(flow->actions[3].type, FLOW_ACTION_SET_CRITERIA);
	assert_non_null(flow_find_action(flow, "\xc3\xbc ber"));
	assert_null(flow_find_action(flow, "e"));
	assert_string_equal(flow->name, "flow");
	flow_release(flow);
}

static void R5_metadata_gives_name_type_and_status(void **state)
{
	static const char *const text =
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"bye\", \"Metadata\": {\"name\": "
		"\"Main\", "
		"\"type\": \"contactFlow\", \"status\": \"SAVED\"}, \"Actions\": [" BYE "]}";
	struct flow_reader_options options = {.file = "/x/flows/some.flow.json"};
	struct flow *flow = flow_of(text, "id", FLOW_TYPE_UNKNOWN);

	(void)state;
	assert_string_equal(flow->name, "Main");
	assert_int_equal(flow->type, FLOW_TYPE_INBOUND);
	assert_true(flow->saved);
	flow_release(flow);
	assert_int_equal(
		flow_read(FLOW("bye", BYE), strlen(FLOW("bye", BYE)), &options, NULL, &flow), 0);
	assert_string_equal(flow->name, "some.flow");
	assert_int_equal(flow->type, FLOW_TYPE_UNKNOWN);
	assert_false(flow->saved);
	flow_release(flow);
}

static void settings_make_a_module(void **state)
{
	struct flow *flow =
		flow_of("{\"Version\": \"2019-10-30\", \"StartAction\": \"bye\", \"Settings\": "
			"{\"Transitions\": "
			"[{\"ReferenceName\": \"Success\"}, {}, 5]}, \"Actions\": [" BYE "]}",
			"id", FLOW_TYPE_UNKNOWN);

	(void)state;
	assert_int_equal(flow->type, FLOW_TYPE_MODULE);
	flow_release(flow);
}

static void expect_refusal(const char *text, size_t length, int rc, const char *words)
{
	struct flow *flow = NULL;
	struct report report;

	report_init(&report);
	assert_int_equal(flow_read(text, length, NULL, &report, &flow), rc);
	assert_true(report_mentions(&report, REPORT_ERROR, words));
	report_clear(&report);
}

static void limits_are_kept(void **state)
{
	size_t size = FLOW_TEXT_MAX + 1;
	char *text = malloc(size);
	size_t used;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	expect_refusal(text, size, -E2BIG, "at most");
	used = (size_t)snprintf(text, size,
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"a0\", \"Actions\": [");
	for (int i = 0; i < 251; i++)
		used += (size_t)snprintf(text + used, size - used,
			"%s{\"Identifier\": \"a%d\", \"Type\": \"DisconnectParticipant\"}",
			i > 0 ? "," : "", i);
	used += (size_t)snprintf(text + used, size - used, "]}");
	expect_refusal(text, used, -EINVAL, "at most 250 actions, found 251");
	/* Nesting, in a parameter and of the whole. */
	used = (size_t)snprintf(text, size,
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"a\", \"Actions\": "
		"[{\"Identifier\": \"a\", "
		"\"Type\": \"ShowView\", \"Parameters\": {\"x\": ");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, size - used, "[");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(text + used, size - used, "]");
	used += (size_t)snprintf(text + used, size - used, "}}]}");
	expect_refusal(text, used, -EINVAL, "fewer levels");
	memset(text, '[', 100000);
	expect_refusal(text, 100000, -EINVAL, "expected JSON");
	/* Conditions of one action. */
	used = (size_t)snprintf(text, size,
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"a\", \"Actions\": "
		"[{\"Identifier\": \"a\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": \"$.Channel\"}, \"Transitions\": {\"Conditions\": [{}");
	for (int i = 1; i < 10000; i++)
		used += (size_t)snprintf(text + used, size - used, ", {}");
	used += (size_t)snprintf(text + used, size - used, "]}}]}");
	expect_refusal(text, used, -EINVAL, "at most 512 entries, found 10000");
	/* Values of one action. */
	used = (size_t)snprintf(text, size,
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"a\", \"Actions\": "
		"[{\"Identifier\": \"a\", "
		"\"Type\": \"UpdateContactAttributes\", \"Parameters\": {\"Attributes\": {\"x\": "
		"\"1\"");
	for (int i = 0; i < 3000; i++)
		used += (size_t)snprintf(text + used, size - used, ", \"k%d\": \"v\"", i);
	used += (size_t)snprintf(text + used, size - used, "}}}]}");
	expect_refusal(text, used, -EINVAL, "at most 2048 values");
	free(text);
}

/* What is just within the limits of the service. */
static void the_largest_flow_loads(void **state)
{
	const size_t size = 200000;
	char *text = malloc(size);
	struct flow *flow;
	size_t used;

	(void)state;
	assert_non_null(text);
	used = (size_t)snprintf(text, size,
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"a0\", \"Actions\": [");
	for (int i = 0; i < 249; i++)
		used += (size_t)snprintf(text + used, size - used,
			"{\"Identifier\": \"a%d\", \"Type\": \"MessageParticipant\", "
			"\"Parameters\": {\"Text\": \"t\"}, \"Transitions\": {\"NextAction\": "
			"\"a%d\"}}, ",
			i, i < 248 ? i + 1 : 0);
	/* 50 characters of two bytes each */
	used += (size_t)snprintf(text + used, size - used, "{\"Identifier\": \"");
	for (int i = 0; i < 50; i++)
		used += (size_t)snprintf(text + used, size - used, "\xc3\xbc");
	snprintf(text + used, size - used, "\", \"Type\": \"DisconnectParticipant\"}]}");
	flow = flow_of(text, "id", FLOW_TYPE_UNKNOWN);
	assert_int_equal(flow->action_count, 250);
	flow_release(flow);
	free(text);
}

/* Members that the engine has no use for may be anything. */
static void what_is_not_read_cannot_hurt(void **state)
{
	static const char *const texts[] = {
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"bye\", \"Metadata\": [1], "
		"\"Settings\": \"x\", \"Actions\": [" BYE "]}",
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"bye\", \"Metadata\": {\"name\": "
		"5, "
		"\"type\": {}, \"status\": []}, \"Settings\": {\"Transitions\": {}}, \"Actions\": "
		"[" BYE "]}",
		"{\"Version\": \"2019-10-30\", \"StartAction\": \"bye\", \"Unheard\": {\"of\": "
		"[null]}, \"Actions\": [" BYE "]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		flow_release(flow_of(texts[i], "id", FLOW_TYPE_UNKNOWN));
}

static void empty_values_are_warned_about(void **state)
{
	static const char *const text = FLOW("say", SAY(", \"Parameters\": {\"Text\": \"\"}"));
	struct flow *flow = NULL;
	struct report report;

	(void)state;
	report_init(&report);
	assert_int_equal(flow_read(text, strlen(text), NULL, &report, &flow), 0);
	assert_true(report_mentions(&report, REPORT_WARNING, "action 'say': Parameters.Text"));
	assert_true(report_mentions(&report, REPORT_WARNING, "found an empty text"));
	report_clear(&report);
	flow_release(flow);
}

static void paths_are_compiled(void **state)
{
	static const struct {
		const char *text;
		int parts;
		enum flow_value_class class;
		int path; /* index of the part looked at */
		enum flow_space space;
		const char *key;
	} rows[] = {
		{"", 0, FLOW_VALUE_STATIC, -1, 0, NULL},
		{"plain $5 and $ and $.", 1, FLOW_VALUE_STATIC, -1, 0, NULL},
		{"${x.y}", 1, FLOW_VALUE_STATIC, -1, 0, NULL},
		{"$.Attributes.a", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_ATTRIBUTES, "a"},
		{"$['Attributes']['a b']", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_ATTRIBUTES, "a b"},
		{"$.External.[\\\"a b\\\"]", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_EXTERNAL, "a b"},
		{"$.External.list[2].x", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_EXTERNAL, "list.2.x"},
		{"$.StoredCustomerInput", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_STORED_INPUT, ""},
		{"$.CustomerEndpoint.Address", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_FACT,
			"CustomerEndpoint.Address"},
		{"$.Media.Sip.Headers.P-Asserted-Identity", 1, FLOW_VALUE_PATH, 0, FLOW_SPACE_FACT,
			"Media.Sip.Headers.P-Asserted-Identity"},
		{"Hi $.Attributes.n.", 3, FLOW_VALUE_MIXED, 1, FLOW_SPACE_ATTRIBUTES, "n"},
		{"$.Attributes.n!", 2, FLOW_VALUE_MIXED, 0, FLOW_SPACE_ATTRIBUTES, "n"},
		{"arn:$.AwsRegion:1", 3, FLOW_VALUE_MIXED, 1, FLOW_SPACE_FACT, "AwsRegion"},
		{"$.Lex.Slots.x$.Metrics.Queue.Size", 2, FLOW_VALUE_MIXED, 1, FLOW_SPACE_METRICS,
			"Queue.Size"},
		{"$.Attributes['x", 2, FLOW_VALUE_MIXED, 0, FLOW_SPACE_ATTRIBUTES, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[500];
		struct flow *flow;
		const struct flow_value *value;

		snprintf(text, sizeof(text),
			FLOW("say", SAY(", \"Parameters\": {\"Text\": \"%s\"}")), rows[i].text);
		flow = flow_of(text, "id", FLOW_TYPE_UNKNOWN);
		value = &flow->actions[0].params[0].value;
		assert_int_equal(value->part_count, rows[i].parts);
		assert_int_equal(value->class, rows[i].class);
		if (rows[i].path >= 0) {
			assert_true(value->parts[rows[i].path].is_path);
			assert_int_equal(value->parts[rows[i].path].space, rows[i].space);
			assert_string_equal(value->parts[rows[i].path].text, rows[i].key);
		}
		flow_release(flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R74_bad_files_are_refused_with_place_and_expectation),
		cmocka_unit_test(real_files_are_read_leniently),
		cmocka_unit_test(R5_metadata_gives_name_type_and_status),
		cmocka_unit_test(settings_make_a_module),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(the_largest_flow_loads),
		cmocka_unit_test(what_is_not_read_cannot_hurt),
		cmocka_unit_test(empty_values_are_warned_about),
		cmocka_unit_test(paths_are_compiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
