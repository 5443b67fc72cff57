/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator's script, what bounds a run, and the way of a contact from flow to flow. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/simulator.h"
#include "support.h"

/* ---- a run --------------------------------------------------------------------------- */

struct played {
	struct flow *others[8];
	size_t other_count;
	json_t *lines; /* a list */
	struct report report;
	int rc;
};

static struct flow *find_flow(void *ctx, const char *reference)
{
	struct played *played = ctx;

	for (size_t i = 0; i < played->other_count; i++)
		if (strcmp(played->others[i]->id, reference) == 0)
			return played->others[i];
	return NULL;
}

static void take_line(void *ctx, const char *text)
{
	struct played *played = ctx;
	json_t *line = json_loads(text, 0, NULL);

	assert_non_null(line);
	json_array_append_new(played->lines, line);
}

static void add_flow(
	struct played *played, const char *id, const char *actions, enum flow_type type)
{
	assert_in_range(played->other_count, 0, 7);
	played->others[played->other_count++] = flow_of(flow_text_of("a", actions), id, type);
}

static void play(struct played *played, const char *actions, const char *script)
{
	struct flow *flow = flow_of(flow_text_of("a", actions), "main", FLOW_TYPE_UNKNOWN);
	struct simulator simulator = {.flow = flow,
		.script = script,
		.script_length = strlen(script),
		.script_file = "s.json",
		.ctx = played,
		.find_flow = find_flow,
		.line = take_line};

	played->lines = json_array();
	report_init(&played->report);
	played->rc = simulator_run(&simulator, &played->report);
	flow_release(flow);
}

static void clear(struct played *played)
{
	for (size_t i = 0; i < played->other_count; i++)
		flow_release(played->others[i]);
	report_clear(&played->report);
	json_decref(played->lines);
}

static const char *text_of(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text != NULL ? text : "";
}

static const json_t *last_line(const struct played *played)
{
	return json_array_get(played->lines, json_array_size(played->lines) - 1);
}

/* The n-th line of an action, or NULL. */
static const json_t *line_of(const struct played *played, const char *action, int n)
{
	size_t index;
	json_t *line;

	json_array_foreach(played->lines, index, line)
	{
		if (strcmp(text_of(line, "action"), action) == 0 && n-- == 0)
			return line;
	}
	return NULL;
}

/* "action event action ...", without the end. */
static void assert_way(const struct played *played, const char *wanted)
{
	char way[1024] = "";
	size_t length = 0, index;
	json_t *line;

	json_array_foreach(played->lines, index, line)
	{
		const char *action = text_of(line, "action");
		const char *word = *action != '\0' ? action : text_of(line, "event");

		if (strcmp(word, "end") != 0)
			length += (size_t)snprintf(way + length, sizeof(way) - length, "%s%s",
				length > 0 ? " " : "", word);
	}
	assert_string_equal(way, wanted);
}

#define BYE                                                                                   \
	"{\"Identifier\": \"bye\", \"Type\": \"DisconnectParticipant\", \"Parameters\": {}, " \
	"\"Transitions\": {}}"
#define MENU                                                                                      \
	"[{\"Identifier\": \"a\", \"Type\": \"GetParticipantInput\", \"Parameters\": {\"Text\": " \
	"\"Press 1.\", \"InputTimeLimitSeconds\": \"5\"}, \"Transitions\": {\"NextAction\": "     \
	"\"bye\", \"Conditions\": [{\"NextAction\": \"bye\", \"Condition\": {\"Operator\": "      \
	"\"Equals\", \"Operands\": [\"1\"]}}], \"Errors\": [{\"ErrorType\": "                     \
	"\"InputTimeLimitExceeded\", \"NextAction\": \"a\"}, {\"ErrorType\": "                    \
	"\"NoMatchingCondition\", \"NextAction\": \"a\"}, {\"ErrorType\": \"NoMatchingError\", "  \
	"\"NextAction\": \"bye\"}]}}, " BYE "]"
#define QUEUE                                                                                 \
	"[{\"Identifier\": \"a\", \"Type\": \"TransferContactToQueue\", \"Parameters\": {}, " \
	"\"Transitions\": {\"NextAction\": \"bye\", \"Errors\": [{\"ErrorType\": "            \
	"\"NoMatchingError\", \"NextAction\": \"bye\"}]}}, " BYE "]"

/* ---- the script ---------------------------------------------------------------------- */

static void a_faulty_script_is_refused_with_the_place(void **state)
{
	static const struct {
		const char *script, *place, *text;
	} rows[] = {
		{"{", "s.json", "line 1"},
		{"[]", "s.json", "expected an object"},
		{"{\"x\": 1}", "s.json: x", "no such member"},
		{"{\"type\": \"outbound\"}", "s.json", "type: expected a flow type"},
		{"{\"facts\": {\"Channel\": 1}}", "s.json: facts", "an object of texts"},
		{"{\"random\": [101]}", "s.json: random", "from 1 to 100"},
		{"{\"random\": []}", "s.json: random", "from 1 to 100"},
		{"{\"limit_ms\": -1}", "s.json: limit_ms", "milliseconds"},
		{"{\"wait_pauses\": \"yes\"}", "s.json: wait_pauses", "true or false"},
		{"{\"answers\": {\"a\": []}}", "s.json: answers.a", "a list of answers"},
		{"{\"answers\": {\"a\": 1}}", "s.json: answers.a", "a list of answers"},
		{"{\"answers\": {\"a\": {\"keys\": \"1a\"}}}", "s.json: answers.a.keys", "keys"},
		{"{\"answers\": {\"a\": {\"after\": -5}}}", "s.json: answers.a.after",
			"milliseconds"},
		{"{\"answers\": {\"a\": [{}, {\"result\": \"good\"}]}}", "s.json: answers.a",
			"'good' is none"},
		{"{\"answers\": {\"a\": {\"result\": \"failed\", \"error\": \"Oops\"}}}",
			"s.json: answers.a", "error branch"},
		{"{\"events\": [{\"do\": \"take\"}]}", "s.json: events[0]", "`at`"},
		{"{\"events\": [{\"at\": 1, \"do\": \"dance\"}]}", "s.json: events[0]", "`do`"},
		{"{\"events\": [{\"at\": 1, \"do\": \"key\"}]}", "s.json: events[0]", "`key`"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct played played = {0};
		const struct report_entry *entry;

		play(&played, MENU, rows[i].script);
		assert_true(played.rc < 0);
		assert_int_equal(json_array_size(played.lines), 0);
		assert_true(report_size(&played.report) > 0);
		entry = report_at(&played.report, 0);
		assert_string_equal(entry->place, rows[i].place);
		assert_non_null(strstr(entry->text, rows[i].text));
		clear(&played);
	}
}

/* Visit by visit; the last one repeats. */
static void a_list_of_answers_is_used_up(void **state)
{
	struct played played = {0};

	(void)state;
	play(&played, MENU,
		"{\"answers\": {\"a\": [{\"keys\": \"7\"}, {}, {\"keys\": \"1\", \"after\": "
		"1500}]}}");
	assert_int_equal(played.rc, 0);
	assert_way(&played, "a a a bye");
	assert_string_equal(text_of(line_of(&played, "a", 0), "branch"), "NoMatchingCondition");
	assert_string_equal(text_of(line_of(&played, "a", 1), "branch"), "InputTimeLimitExceeded");
	assert_string_equal(text_of(line_of(&played, "a", 2), "branch"), "1");
	assert_int_equal(
		json_integer_value(json_object_get(line_of(&played, "a", 2), "took")), 1500);
	clear(&played);
}

/* ---- what bounds a run --------------------------------------------------------------- */

static void a_run_without_end_is_cut(void **state)
{
	struct played played = {0};

	(void)state;
	play(&played, MENU, "{\"limit_ms\": 60000}");
	assert_int_equal(played.rc, 0);
	assert_string_equal(text_of(last_line(&played), "outcome"), "cut");
	assert_in_range(json_integer_value(json_object_get(last_line(&played), "t")), 50000, 60000);
	clear(&played);
}

static void the_caller_may_hang_up_at_any_moment(void **state)
{
	struct played played = {0};

	(void)state;
	play(&played, MENU, "{\"events\": [{\"at\": 300, \"do\": \"hang_up\"}]}");
	assert_way(&played, "a");
	assert_string_equal(text_of(last_line(&played), "outcome"), "party_gone");
	assert_int_equal(json_integer_value(json_object_get(last_line(&played), "t")), 300);
	clear(&played);
}

/* ---- from flow to flow --------------------------------------------------------------- */

#define HOOKS                                                                                      \
	"[{\"Identifier\": \"a\", \"Type\": \"UpdateContactEventHooks\", \"Parameters\": "         \
	"{\"EventHooks\": {\"CustomerQueue\": \"waiting\"}}, \"Transitions\": {\"NextAction\": "   \
	"\"b\"}}, {\"Identifier\": \"b\", \"Type\": \"UpdateContactEventHooks\", \"Parameters\": " \
	"{\"EventHooks\": {\"AgentWhisper\": \"whisper\"}}, \"Transitions\": {\"NextAction\": "    \
	"\"c\"}}, {\"Identifier\": \"c\", \"Type\": \"UpdateContactEventHooks\", \"Parameters\": " \
	"{\"EventHooks\": {\"CustomerRemaining\": \"after\"}}, \"Transitions\": "                  \
	"{\"NextAction\": \"d\"}}, {\"Identifier\": \"d\", \"Type\": \"TransferContactToQueue\", " \
	"\"Parameters\": {}, \"Transitions\": {\"NextAction\": \"bye\"}}, " BYE "]"

static void a_contact_goes_through_its_flows(void **state)
{
	struct played played = {0};

	(void)state;
	add_flow(&played, "waiting",
		"[{\"Identifier\": \"a\", \"Type\": \"MessageParticipantIteratively\", "
		"\"Parameters\": {\"Messages\": [{\"Text\": \"Please wait.\"}]}, "
		"\"Transitions\": {}}]",
		FLOW_TYPE_CUSTOMER_QUEUE);
	add_flow(&played, "whisper",
		"[{\"Identifier\": \"a\", \"Type\": \"EndFlowExecution\", \"Parameters\": {}, "
		"\"Transitions\": {}}]",
		FLOW_TYPE_AGENT_WHISPER);
	add_flow(&played, "after",
		"[{\"Identifier\": \"a\", \"Type\": \"DisconnectParticipant\", \"Parameters\": {}, "
		"\"Transitions\": {}}]",
		FLOW_TYPE_INBOUND);
	play(&played, HOOKS,
		"{\"events\": [{\"at\": 90000, \"do\": \"leave\"}, {\"at\": 30000, \"do\": "
		"\"take\"}]}");
	assert_int_equal(played.rc, 0);
	assert_way(&played, "a b c d flow a taken flow a talking flow a");
	assert_string_equal(text_of(last_line(&played), "outcome"), "disconnected");
	assert_int_equal(json_integer_value(json_object_get(last_line(&played), "t")), 90000);
	clear(&played);
}

static void a_queue_without_a_flow_is_silent(void **state)
{
	struct played played = {0};

	(void)state;
	play(&played, QUEUE, "{\"events\": [{\"at\": 4000, \"do\": \"take\"}]}");
	assert_way(&played, "a taken talking");
	assert_string_equal(text_of(last_line(&played), "outcome"), "talking");
	clear(&played);
}

/* What a flow sets comes before what the script says. */
static void a_flow_may_change_what_the_script_gives(void **state)
{
	static const char actions[] =
		"[{\"Identifier\": \"a\", \"Type\": \"UpdateContactData\", \"Parameters\": "
		"{\"Name\": \"second\"}, \"Transitions\": {\"NextAction\": \"b\"}}, "
		"{\"Identifier\": \"b\", \"Type\": \"UpdateContactAttributes\", \"Parameters\": "
		"{\"Attributes\": {\"name\": \"$.Name\", \"own\": \"$.Channel\"}}, "
		"\"Transitions\": {\"NextAction\": \"bye\"}}, " BYE "]";
	struct played played = {0};
	const json_t *attributes;

	(void)state;
	play(&played, actions, "{\"facts\": {\"Name\": \"first\", \"Channel\": \"VOICE\"}}");
	attributes = json_object_get(last_line(&played), "attributes");
	assert_string_equal(text_of(attributes, "name"), "second");
	assert_string_equal(text_of(attributes, "own"), "VOICE");
	clear(&played);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_faulty_script_is_refused_with_the_place),
		cmocka_unit_test(a_list_of_answers_is_used_up),
		cmocka_unit_test(a_run_without_end_is_cut),
		cmocka_unit_test(the_caller_may_hang_up_at_any_moment),
		cmocka_unit_test(a_contact_goes_through_its_flows),
		cmocka_unit_test(a_queue_without_a_flow_is_silent),
		cmocka_unit_test(a_flow_may_change_what_the_script_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
