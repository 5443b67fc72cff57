/* SPDX-License-Identifier: Apache-2.0 */
#include "branch_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/rules.h"
#include "flow/simulator.h"
#include "support.h"

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

static bool is_listed(const json_t *list, const char *word)
{
	size_t index;
	json_t *entry;

	json_array_foreach((json_t *)list, index, entry)
	{
		if (strcmp(json_string_value(entry), word) == 0)
			return true;
	}
	return false;
}

/* All errors, or those that the case lists. */
static void add_errors(json_t *actions, json_t *transitions, const json_t *wanted)
{
	json_t *errors = json_array();

	for (int i = 0; i < FLOW_ERROR_COUNT; i++) {
		const char *name = flow_error_name((enum flow_error)i);

		if (wanted != NULL && !is_listed(wanted, name))
			continue;
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

/* What the values are when a branch is taken: its action makes attributes of them. */
static void show_values(json_t *actions, const json_t *values)
{
	json_t *attributes = json_object(), *action, *value;
	const char *path;
	size_t index;

	json_object_foreach((json_t *)values, path, value)
		json_object_set_new(attributes, path, json_sprintf("$.%s", path));
	json_array_foreach(actions, index, action)
	{
		if (strncmp(json_string_value(json_object_get(action, "Identifier")), "to ", 3) !=
			0)
			continue;
		json_object_set_new(action, "Type", json_string("UpdateContactAttributes"));
		json_object_set_new(
			action, "Parameters", json_pack("{s:O}", "Attributes", attributes));
	}
	json_decref(attributes);
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
		add_errors(actions, transitions, json_object_get(one, "errors"));
		add_conditions(actions, transitions, json_object_get(one, "conditions"));
	}
	json_decref(transitions);
	if (json_object_get(one, "values") != NULL)
		show_values(actions, json_object_get(one, "values"));
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
	json_t *line;                           /* the first one of the action under test */
	json_t *values;                         /* attributes at the end */
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
	if (event != NULL && strcmp(event, "end") == 0) {
		copy_text(play->outcome, sizeof(play->outcome), line, "outcome");
		play->values = json_incref(json_object_get(line, "attributes"));
	}
	if (action != NULL && seen != NULL && strcmp(action, seen) == 0)
		play->seen = true;
	if (action != NULL && strcmp(action, "it") == 0 && !play->left) {
		play->left = true;
		play->line = json_incref(line);
		copy_text(play->branch, sizeof(play->branch), line, "branch");
		copy_text(play->next, sizeof(play->next), line, "next");
	}
	json_decref(line);
}

static json_t *long_text(const json_t *one, const char *name)
{
	char text[65536];
	size_t length = (size_t)json_integer_value(json_object_get(one, name));

	assert_in_range(length, 1, sizeof(text) - 1);
	memset(text, 'x', length);
	return json_stringn(text, length);
}

static void set_long(json_t *script, const json_t *one)
{
	if (json_object_get(one, "long") != NULL) {
		if (json_object_get(script, "attributes") == NULL)
			json_object_set_new(script, "attributes", json_object());
		json_object_set_new(
			json_object_get(script, "attributes"), "long", long_text(one, "long"));
	}
	if (json_object_get(one, "long_answer") != NULL)
		json_object_set_new(script, "answers",
			json_pack(
				"{s:{s:{s:o}}}", "it", "json", "a", long_text(one, "long_answer")));
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
	set_long(script, one);
	text = json_dumps(script, 0);
	json_decref(script);
	return text;
}

static struct flow *whole_flow(const json_t *object, const char *role)
{
	char *text = json_dumps(object, 0);
	enum flow_type type;
	struct flow *flow;

	assert_int_equal(flow_type_parse(role, &type), 0);
	flow = flow_of(text, "main", type);
	free(text);
	return flow;
}

/* In a module: a flow around it that invokes it. */
static struct flow *flow_of_case(struct play *play)
{
	const json_t *whole = json_object_get(play->one, "whole");
	json_t *actions;

	if (whole != NULL)
		return whole_flow(whole, role_of(play->one));
	actions = actions_of(play->type, play->one);
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

/* Each member that is wanted is there and the same; more may be. */
static bool holds_all(const json_t *found, const json_t *wanted)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)wanted, name, value)
	{
		const json_t *other = json_object_get(found, name);

		if (json_is_object(value) ? !holds_all(other, value) : !json_equal(other, value)) {
			char *text = json_dumps(other, JSON_ENCODE_ANY);

			print_error("%s is %s\n", name, text != NULL ? text : "not there");
			free(text);
			return false;
		}
	}
	return true;
}

int branch_case_judge(const char *type, const json_t *one)
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
	       (play.seen || json_object_get(one, "seen") == NULL) &&
	       holds_all(play.line, json_object_get(one, "line")) &&
	       holds_all(play.values, json_object_get(one, "values"));
	if (!good)
		print_error(
			"%s (%s): expected branch '%s', found '%s' leading '%s'; outcome %s%s\n",
			type, about != NULL ? json_string_value(about) : "", next, play.branch,
			play.next, play.outcome, play.left ? "" : "; never left");
	json_decref(play.line);
	json_decref(play.values);
	return !good;
}
