/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Branches of a legacy module: what is an error, a condition or NextAction in the flow language.
 */
#include <stdio.h>
#include <string.h>

#include "flow/legacy.h"
#include "flow/rules.h"
#include "flow/value.h"

struct branches {
	struct flow_draft *draft;
	struct flow_action *action;
	struct flow_error_branch *errors;
	struct flow_condition *conditions;
	char where[60];
};

static void add_error(struct branches *b, enum flow_error error, uint16_t target)
{
	if (b->action->error_count < FLOW_ERRORS_MAX)
		b->errors[b->action->error_count++] =
			(struct flow_error_branch){(uint8_t)error, flow_error_name(error), target};
}

static void add_condition(
	struct branches *b, enum flow_operator op, const char *operand, uint16_t target)
{
	struct flow_condition *condition = &b->conditions[b->action->condition_count++];

	condition->op = (uint8_t)op;
	condition->target = target;
	flow_value_compile(b->draft->arena, operand, &condition->operand);
}

static const struct {
	const char *name;
	enum flow_operator op;
} operators[] = {
	{"Equals", FLOW_EQUALS},
	{"GreaterThan", FLOW_GREATER},
	{"LessThan", FLOW_LESS},
	{"GreaterThanOrEqualTo", FLOW_GREATER_OR_EQUAL},
	{"LessThanOrEqualTo", FLOW_LESS_OR_EQUAL},
	{"StartsWith", FLOW_STARTS_WITH},
	{"EndsWith", FLOW_ENDS_WITH},
	{"Contains", FLOW_CONTAINS},
};

/* A percentage is the upper bound of its share. */
static const char *upper_bound(struct branches *b, const char *operand)
{
	int64_t number;
	const char *text;

	if (!flow_text_to_number(operand, &number) || number < 0 || number > 100)
		return operand;
	text = flow_arena_printf(b->draft->arena, "%d", (int)number + 1);
	return text != NULL ? text : operand;
}

/* Evaluate, CheckQueueTime, CheckQueueSize: an operator and a value. */
static void read_comparison(struct branches *b, const json_t *branch, uint16_t target)
{
	const char *name = legacy_text(branch, "conditionType");
	const json_t *value = json_object_get(branch, "conditionValue");
	const char *operand = value != NULL ? flow_draft_scalar(b->draft, value) : NULL;

	if (operand == NULL) {
		flow_draft_problem(b->draft, REPORT_ERROR, b->action->identifier, b->where,
			"expected a member conditionValue, found %s", flow_json_kind(value));
		return;
	}
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strcmp(operators[i].name, name) != 0)
			continue;
		if (b->action->type == FLOW_ACTION_DISTRIBUTE)
			add_condition(b, FLOW_LESS, upper_bound(b, operand), target);
		else
			add_condition(b, operators[i].op, operand, target);
		return;
	}
	flow_draft_problem(b->draft, REPORT_ERROR, b->action->identifier, b->where,
		"expected Equals, GreaterThan, LessThan, StartsWith or Contains, found '%.60s'",
		name);
}

/* Branches that are an error of the flow language, by action; FLOW_ACTION_COUNT: of any. */
static const struct {
	enum flow_action_type action;
	const char *name;
	enum flow_error error;
} error_branches[] = {
	{FLOW_ACTION_SET_CALLBACK_NUMBER, "InvalidPhoneNumber", FLOW_ERROR_INVALID_CALLBACK_NUMBER},
	{FLOW_ACTION_SET_CALLBACK_NUMBER, "InvalidNumber", FLOW_ERROR_INVALID_CALLBACK_NUMBER},
	{FLOW_ACTION_SET_CALLBACK_NUMBER, "NonDialableNumber", FLOW_ERROR_CALLBACK_NOT_DIALABLE},
	{FLOW_ACTION_GET_INPUT, "Timeout", FLOW_ERROR_INPUT_TIME_LIMIT},
	{FLOW_ACTION_LEX, "Timeout", FLOW_ERROR_INPUT_TIME_LIMIT},
	{FLOW_ACTION_TO_THIRD_PARTY, "Timeout", FLOW_ERROR_CONNECTION_TIME_LIMIT},
	{FLOW_ACTION_CHECK_METRIC, "False", FLOW_ERROR_NO_MATCHING_CONDITION},
	{FLOW_ACTION_COUNT, "Error", FLOW_ERROR_NO_MATCHING_ERROR},
	{FLOW_ACTION_COUNT, "NoMatch", FLOW_ERROR_NO_MATCHING_CONDITION},
	{FLOW_ACTION_COUNT, "AtCapacity", FLOW_ERROR_QUEUE_AT_CAPACITY},
	{FLOW_ACTION_COUNT, "CallFailure", FLOW_ERROR_CALL_FAILED},
	{FLOW_ACTION_COUNT, "InvalidNumber", FLOW_ERROR_INVALID_PHONE_NUMBER},
	{FLOW_ACTION_COUNT, "InvalidPhoneNumber", FLOW_ERROR_INVALID_PHONE_NUMBER},
};

/* Branches that are a result: what the action says in the flow language. All others say their name.
 */
static const char *result_of(const struct flow_action *action, const char *name)
{
	if (strcmp(name, "Looping") == 0)
		return "ContinueLooping";
	if (strcmp(name, "Complete") == 0 && action->type == FLOW_ACTION_LOOP)
		return "DoneLooping";
	if (strcmp(name, "Timeout") == 0)
		return action->type == FLOW_ACTION_WAIT ? "WaitCompleted" : "MessagesInterrupted";
	return name;
}

static bool read_error_branch(struct branches *b, const char *name, uint16_t target)
{
	for (size_t i = 0; i < sizeof(error_branches) / sizeof(error_branches[0]); i++) {
		if (strcmp(error_branches[i].name, name) == 0 &&
			(error_branches[i].action == b->action->type ||
				error_branches[i].action == FLOW_ACTION_COUNT)) {
			add_error(b, error_branches[i].error, target);
			return true;
		}
	}
	return false;
}

/* CheckQueueStatus looks at the age or at the size, never at both. */
static bool is_other_figure(const struct branches *b, const char *name)
{
	const struct flow_param *metric = flow_action_param(b->action, FLOW_PARAM_METRIC);

	return metric != NULL && strcmp(name, "CheckQueueSize") == 0 &&
	       strcmp(metric->value.source, LEGACY_QUEUE_AGE) == 0;
}

static void read_branch(struct branches *b, const json_t *branch)
{
	const char *name = legacy_text(branch, "condition");
	const char *transition = legacy_text(branch, "transition");
	uint16_t target;

	if (*name == '\0') {
		flow_draft_problem(b->draft, REPORT_ERROR, b->action->identifier, b->where,
			"expected a member condition that names the branch");
		return;
	}
	if (*transition == '\0')
		return; /* left open */
	target = flow_draft_target(b->draft, b->action, b->where, transition);
	if (strcmp(name, "Success") == 0)
		b->action->next = target;
	else if (is_other_figure(b, name))
		flow_draft_problem(b->draft, REPORT_WARNING, b->action->identifier, b->where,
			"expected one figure in all branches; this one is never taken");
	else if (strcmp(name, "Evaluate") == 0 || strncmp(name, "CheckQueue", 10) == 0)
		read_comparison(b, branch, target);
	else if (strcmp(name, "True") == 0 && b->action->type == FLOW_ACTION_CHECK_METRIC)
		add_condition(b, FLOW_GREATER, "0", target);
	else if (!read_error_branch(b, name, target))
		add_condition(b, FLOW_EQUALS, result_of(b->action, name), target);
}

void legacy_branches(struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	struct branches b = {.draft = draft, .action = action};
	const json_t *list = json_object_get(object, "branches");
	size_t count = json_array_size(list);

	if (list != NULL && !json_is_array(list))
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "branches",
			"expected a list, found %s", flow_json_kind(list));
	if (count > FLOW_CONDITIONS_MAX) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "branches",
			"expected at most %u branches, found %zu", FLOW_CONDITIONS_MAX, count);
		return;
	}
	b.errors = flow_arena_take(draft->arena, FLOW_ERRORS_MAX, sizeof(*b.errors));
	b.conditions = flow_arena_take(draft->arena, count, sizeof(*b.conditions));
	if (b.errors == NULL || b.conditions == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		snprintf(b.where, sizeof(b.where), "branches[%zu]", i);
		read_branch(&b, json_array_get(list, i));
	}
	action->errors = b.errors;
	action->conditions = b.conditions;
}
