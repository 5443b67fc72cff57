/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every action type and every branch it has, in the simulator. branches.json is the table:
 *
 *     {"type": "CheckHoursOfOperation",
 *      "never": {"NextAction": "why no voice contact leaves by it"},
 *      "cases": [{"branch": "True",              or none: the action ends the flow
 *                 "about": "what the case shows",
 *                 "as": "customerQueue",         what the flow runs as (inbound)
 *                 "parameters": {…},
 *                 "conditions": [["Equals", "True"], …],
 *                 "answer": {…}, "script": {…},  flow/simulator.h: of this action, of the contact
 *                 "flows": {"f": {"as": "inbound", "actions": […]}},
 *                 "within": true,                the action stands in a module
 *                 "seen": "other",               an action that must be executed too
 *                 "outcome": "queued"}]}         how the contact ends
 *
 * The action under test is called "it"; all its errors, and NextAction, lead to actions named after
 * them, so a branch that is taken by mistake is seen. What the rules of the language and
 * ../shared/flows/actions.tsv list must be in the table, and tests/README.md shows it:
 * CORDBOARD_WRITE_COVERAGE=1 writes that part anew.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/rules.h"
#include "flow/simulator.h"
#include "support.h"

#define TABLE_BEGIN "<!-- action types: written by test_branches.c -->\n"
#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TABLE_END   "<!-- end of the action types -->\n"

static json_t *table; /* a list of types */

/* ---- one flow ------------------------------------------------------------------------ */

/* Branches lead to an action that is named after them. */
static json_t *leaf_of(const char *branch)
{
	return json_pack("{s:o, s:s, s:{}, s:{}}", "Identifier", json_sprintf("to %s", branch),
		"Type", "DisconnectParticipant", "Parameters", "Transitions");
}

static void add_leaf(json_t *actions, const char *branch)
{
	char identifier[FLOW_IDENTIFIER_MAX + 1];
	size_t index;
	json_t *action;

	snprintf(identifier, sizeof(identifier), "to %s", branch);
	json_array_foreach(actions, index, action)
	{
		const char *known = json_string_value(json_object_get(action, "Identifier"));

		if (known != NULL && strcmp(known, identifier) == 0)
			return;
	}
	json_array_append_new(actions, leaf_of(branch));
}

static void add_errors(json_t *actions, json_t *transitions)
{
	json_t *errors = json_array();

	for (int i = 0; i < FLOW_ERROR_COUNT; i++) {
		const char *name = flow_error_name((enum flow_error)i);

		json_array_append_new(errors, json_pack("{s:s, s:o}", "ErrorType", name,
						      "NextAction", json_sprintf("to %s", name)));
		add_leaf(actions, name);
	}
	json_object_set_new(transitions, "Errors", errors);
}

static void add_conditions(json_t *actions, json_t *transitions, const json_t *wanted)
{
	json_t *conditions = json_array();
	size_t index;
	json_t *pair;

	json_array_foreach(wanted, index, pair)
	{
		const char *operand = json_string_value(json_array_get(pair, 1));

		json_array_append_new(
			conditions, json_pack("{s:o, s:{s:O, s:[s]}}", "NextAction",
					    json_sprintf("to %s", operand), "Condition", "Operator",
					    json_array_get(pair, 0), "Operands", operand));
		add_leaf(actions, operand);
	}
	json_object_set_new(transitions, "Conditions", conditions);
}

static bool is_terminal(const char *type_name)
{
	enum flow_action_type type;

	assert_int_equal(flow_action_parse(type_name, &type), 0);
	return flow_action_rule(type)->follow == FLOW_FOLLOW_TERMINAL;
}

static json_t *actions_of(const char *type, const json_t *one)
{
	json_t *parameters = json_object_get(one, "parameters");
	json_t *transitions = json_object();
	json_t *actions = json_array();

	json_array_append_new(actions,
		json_pack("{s:s, s:s, s:o, s:O}", "Identifier", "it", "Type", type, "Parameters",
			parameters != NULL ? json_incref(parameters) : json_object(), "Transitions",
			transitions));
	if (!is_terminal(type)) {
		json_object_set_new(transitions, "NextAction", json_string("to NextAction"));
		add_leaf(actions, "NextAction");
		add_errors(actions, transitions);
		add_conditions(actions, transitions, json_object_get(one, "conditions"));
	}
	json_decref(transitions);
	return actions;
}

/* Takes the actions; the first is the start. */
static struct flow *flow_with(json_t *actions, const char *id, const char *role)
{
	enum flow_type type;
	json_t *object = json_pack("{s:s, s:O, s:{}, s:o}", "Version", "2019-10-30", "StartAction",
		json_object_get(json_array_get(actions, 0), "Identifier"), "Metadata", "Actions",
		actions);
	char *text = json_dumps(object, 0);
	struct flow *flow;

	assert_int_equal(flow_type_parse(role, &type), 0);
	flow = flow_of(text, id, type);
	free(text);
	json_decref(object);
	return flow;
}

/* ---- one case ------------------------------------------------------------------------ */

#define OTHERS_MAX 8

struct play {
	const char *type;
	const json_t *one;
	struct flow *module; /* that the action under test stands in */
	struct flow *others[OTHERS_MAX];
	size_t other_count;
	bool left; /* the line of the action under test has come */
	bool seen;
	char branch[64], next[80], outcome[32]; /* what was found; empty: nothing */
};

static const char *role_of(const json_t *one)
{
	const char *role = json_string_value(json_object_get(one, "as"));

	return role != NULL ? role : "inbound";
}

static struct flow *find_flow_of_case(void *ctx, const char *reference)
{
	struct play *play = ctx;
	size_t length;
	const char *id = flow_reference_id(reference, &length);
	const json_t *other = json_object_getn(json_object_get(play->one, "flows"), id, length);

	if (play->module != NULL)
		return play->module;
	if (other == NULL)
		return NULL;
	assert_in_range(play->other_count, 0, OTHERS_MAX - 1);
	play->others[play->other_count] =
		flow_with(json_deep_copy(json_object_get(other, "actions")), id, role_of(other));
	return play->others[play->other_count++];
}

static void copy_text(char *to, size_t size, const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	snprintf(to, size, "%s", text != NULL ? text : "");
}

static void take_line(void *ctx, const char *text)
{
	struct play *play = ctx;
	json_t *line = json_loads(text, 0, NULL);
	const char *action = json_string_value(json_object_get(line, "action"));
	const char *event = json_string_value(json_object_get(line, "event"));
	const char *seen = json_string_value(json_object_get(play->one, "seen"));

	assert_non_null(line);
	if (event != NULL && strcmp(event, "end") == 0)
		copy_text(play->outcome, sizeof(play->outcome), line, "outcome");
	if (action != NULL && seen != NULL && strcmp(action, seen) == 0)
		play->seen = true;
	if (action != NULL && strcmp(action, "it") == 0 && !play->left) {
		play->left = true;
		copy_text(play->branch, sizeof(play->branch), line, "branch");
		copy_text(play->next, sizeof(play->next), line, "next");
	}
	json_decref(line);
}

/* The script of the case, with the answer to the action under test in it. */
static char *script_of(const json_t *one)
{
	json_t *wanted = json_object_get(one, "script");
	json_t *answer = json_object_get(one, "answer");
	json_t *script = wanted != NULL ? json_deep_copy(wanted) : json_object();
	char *text;

	json_object_set_new(script, "type", json_string(role_of(one)));
	if (answer != NULL)
		json_object_set_new(script, "answers", json_pack("{s:O}", "it", answer));
	text = json_dumps(script, 0);
	json_decref(script);
	return text;
}

/* In a module: a flow around it that invokes it. */
static struct flow *flow_of_case(struct play *play)
{
	json_t *actions = actions_of(play->type, play->one);

	if (!json_is_true(json_object_get(play->one, "within")))
		return flow_with(actions, "main", role_of(play->one));
	play->module = flow_with(actions, "module", "module");
	actions = json_pack("[{s:s, s:s, s:{s:s}, s:{s:s}}]", "Identifier", "invoked", "Type",
		"InvokeFlowModule", "Parameters", "FlowModuleId", "module", "Transitions",
		"NextAction", "to NextAction");
	add_leaf(actions, "NextAction");
	return flow_with(actions, "main", role_of(play->one));
}

static void run_case(struct play *play)
{
	struct flow *flow = flow_of_case(play);
	char *script = script_of(play->one);
	struct simulator simulator = {.flow = flow,
		.script = script,
		.script_length = strlen(script),
		.script_file = play->type,
		.ctx = play,
		.find_flow = find_flow_of_case,
		.line = take_line};
	struct report report;

	report_init(&report);
	if (simulator_run(&simulator, &report) < 0) {
		report_print(&report, stderr);
		fail();
	}
	report_clear(&report);
	flow_release(play->module);
	for (size_t i = 0; i < play->other_count; i++)
		flow_release(play->others[i]);
	flow_release(flow);
	free(script);
}

static bool same(const char *found, const json_t *wanted)
{
	return wanted == NULL || strcmp(found, json_string_value(wanted)) == 0;
}

/* How many of its promises a case breaks. */
static int judge_case(const char *type, const json_t *one)
{
	const json_t *about = json_object_get(one, "about");
	const json_t *branch = json_object_get(one, "branch");
	struct play play = {.type = type, .one = one};
	char next[80] = "";
	bool good;

	if (branch != NULL)
		snprintf(next, sizeof(next), "to %s", json_string_value(branch));
	run_case(&play);
	good = play.left && strcmp(play.next, next) == 0 &&
	       (branch != NULL ? same(play.branch, branch) : *play.branch == '\0') &&
	       same(play.outcome, json_object_get(one, "outcome")) &&
	       (play.seen || json_object_get(one, "seen") == NULL);
	if (!good)
		print_error(
			"%s (%s): expected branch '%s', found '%s' leading '%s'; outcome %s%s\n",
			type, about != NULL ? json_string_value(about) : "", next, play.branch,
			play.next, play.outcome, play.left ? "" : "; never left");
	return !good;
}

static void every_branch_is_taken(void **state)
{
	int bad = 0, count = 0;
	size_t index, i;
	json_t *row, *one;

	(void)state;
	json_array_foreach(table, index, row)
	{
		const char *type = json_string_value(json_object_get(row, "type"));

		json_array_foreach(json_object_get(row, "cases"), i, one)
		{
			bad += judge_case(type, one);
			count++;
		}
	}
	print_message("%zu action types, %d cases\n", json_array_size(table), count);
	assert_int_equal(bad, 0);
}

/* ---- nothing is left out ------------------------------------------------------------- */

static const json_t *row_of(const char *type)
{
	size_t index;
	json_t *row;

	json_array_foreach(table, index, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "type")), type) == 0)
			return row;
	}
	return NULL;
}

static bool has_case(const json_t *row, const char *branch)
{
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(row, "cases"), index, one)
	{
		const json_t *found = json_object_get(one, "branch");

		if (found != NULL && strcmp(json_string_value(found), branch) == 0)
			return true;
	}
	return false;
}

/* Tried, or said to be impossible, and not both. */
static int judge_branch(const char *type, const char *branch)
{
	const json_t *row = row_of(type);
	bool never = json_object_get(json_object_get(row, "never"), branch) != NULL;
	bool tried = has_case(row, branch);

	if (tried != never)
		return 0;
	print_error("%s: %s is %s\n", type, branch,
		tried ? "tried, and said never to be taken" : "neither tried nor accounted for");
	return 1;
}

static void no_branch_of_the_rules_is_left_out(void **state)
{
	int bad = 0;

	(void)state;
	assert_int_equal(json_array_size(table), FLOW_ACTION_COUNT);
	for (int type = 0; type < FLOW_ACTION_COUNT; type++) {
		const struct flow_action_rule *rule = flow_action_rule((enum flow_action_type)type);
		const char *name = flow_action_name((enum flow_action_type)type);

		if (row_of(name) == NULL)
			fail_msg("no row for %s", name);
		if (rule->follow == FLOW_FOLLOW_NEXT)
			bad += judge_branch(name, "NextAction");
		for (int error = 0; error < FLOW_ERROR_COUNT; error++)
			if (rule->errors & (1u << error))
				bad += judge_branch(name, flow_error_name((enum flow_error)error));
	}
	assert_int_equal(bad, 0);
}

/* The errors that are words of this text. */
static int judge_words(const char *type, const char *text)
{
	int bad = 0;

	for (const char *word = text; *word != '\0';) {
		size_t length = strspn(word, LETTERS);

		for (int error = 0; error < FLOW_ERROR_COUNT; error++) {
			const char *name = flow_error_name((enum flow_error)error);

			if (strlen(name) == length && strncmp(word, name, length) == 0)
				bad += judge_branch(type, name);
		}
		word += length > 0 ? length : 1;
	}
	return bad;
}

/* One line of the page: "CreateCase/GetCase\t...\t...\t...\tbranches and errors\t...". */
static int judge_line(char *line)
{
	char *fields[5] = {0};
	char *types, *type, *rest = line;
	int bad = 0;

	for (size_t i = 0; i < 5; i++)
		fields[i] = strsep(&rest, "\t");
	if (fields[4] == NULL)
		return 0;
	types = fields[0];
	types[strcspn(types, " ")] = '\0'; /* "(docs: ...)" */
	while ((type = strsep(&types, "/")) != NULL) {
		if (row_of(type) == NULL)
			fail_msg("no row for %s", type);
		bad += judge_words(type, fields[4]);
	}
	return bad;
}

static void no_branch_of_the_page_is_left_out(void **state)
{
	const char *shared = getenv("CORDBOARD_SHARED");
	char path[2048];
	size_t length;
	char *text, *rest, *line;
	int bad = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/flows/actions.tsv",
		shared != NULL ? shared : SOURCE_ROOT "/../shared");
	text = read_file(path, &length);
	if (text == NULL) {
		print_message("skipped: no %s; name its folder in CORDBOARD_SHARED\n", path);
		skip();
	}
	rest = text;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) != NULL)
		bad += judge_line(line);
	free(text);
	assert_int_equal(bad, 0);
}

/* ---- the page ------------------------------------------------------------------------ */

/* "Equals True" of the condition with this operand; else the branch itself. */
static void name_branch(char *to, size_t size, const json_t *one)
{
	const json_t *branch = json_object_get(one, "branch");
	const json_t *outcome = json_object_get(one, "outcome");
	size_t index;
	json_t *pair;

	if (branch == NULL) {
		snprintf(to, size, "ends: %s", json_string_value(outcome));
		return;
	}
	snprintf(to, size, "%s", json_string_value(branch));
	json_array_foreach(json_object_get(one, "conditions"), index, pair)
	{
		if (json_equal(json_array_get(pair, 1), branch))
			snprintf(to, size, "%s %s", json_string_value(json_array_get(pair, 0)),
				json_string_value(branch));
	}
}

static void put_row(FILE *to, const json_t *row)
{
	json_t *named = json_array();
	size_t index, i, count = 0;
	const char *never;
	json_t *one, *known, *reason;

	fprintf(to, "| %s | ", json_string_value(json_object_get(row, "type")));
	json_array_foreach(json_object_get(row, "cases"), index, one)
	{
		char name[160];
		bool new = true;

		name_branch(name, sizeof(name), one);
		json_array_foreach(named, i, known) new =
			new &&strcmp(json_string_value(known), name) != 0;
		if (!new)
			continue;
		fprintf(to, "%s%s", json_array_size(named) > 0 ? ", " : "", name);
		json_array_append_new(named, json_string(name));
	}
	fputs(" | ", to);
	json_object_foreach(json_object_get(row, "never"), never, reason)
		fprintf(to, "%s%s: %s", count++ > 0 ? "; " : "", never, json_string_value(reason));
	fputs(count > 0 ? " |\n" : "|\n", to);
	json_decref(named);
}

static char *table_text(void)
{
	size_t size, index;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);
	json_t *row;

	fputs("| Action type | Branches tried | Never on a voice contact |\n|---|---|---|\n", to);
	json_array_foreach(table, index, row) put_row(to, row);
	fclose(to);
	return text;
}

static void write_page(const char *path, const char *page, const char *from, const char *behind)
{
	char *wanted = table_text();
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fprintf(to, "%.*s%s%s", (int)(from - page), page, wanted, behind);
	fclose(to);
	free(wanted);
}

static void the_page_shows_what_is_tried(void **state)
{
	const char *path = SOURCE_ROOT "/tests/README.md";
	char *wanted = table_text();
	char *from, *behind, *page;
	size_t length;

	(void)state;
	page = read_file(path, &length);
	assert_non_null(page);
	from = strstr(page, TABLE_BEGIN);
	behind = strstr(page, TABLE_END);
	assert_non_null(from);
	assert_non_null(behind);
	from += strlen(TABLE_BEGIN);
	if (getenv("CORDBOARD_WRITE_COVERAGE") != NULL)
		write_page(path, page, from, behind);
	else if (behind < from || strlen(wanted) != (size_t)(behind - from) ||
		 strncmp(from, wanted, strlen(wanted)) != 0)
		fail_msg("tests/README.md differs: CORDBOARD_WRITE_COVERAGE=1 writes it anew");
	free(wanted);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_branch_is_taken),
		cmocka_unit_test(no_branch_of_the_rules_is_left_out),
		cmocka_unit_test(no_branch_of_the_page_is_left_out),
		cmocka_unit_test(the_page_shows_what_is_tried),
	};
	json_error_t error;
	int rc;

	table = json_load_file(
		SOURCE_ROOT "/tests/control/flow/branches.json", JSON_REJECT_DUPLICATES, &error);
	if (table == NULL) {
		fprintf(stderr, "branches.json:%d: %s\n", error.line, error.text);
		return 1;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(table);
	return rc;
}
