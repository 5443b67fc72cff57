/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may follow an action: the service insists on a NextAction of all that are not terminal, on
 * the errors that an action can have, and on conditions that can come true. Older files were stored
 * before it did, so all of it is a warning; but R88 is an error.
 */
#include <string.h>

#include "flow/check.h"

/* ---- NextAction ---------------------------------------------------------------------- */

static enum flow_follow follow_of(const struct check *check, const struct flow_action_rule *rule)
{
	/* Success of a transfer to a number exists only with resume (R72). */
	if (check->action->type == FLOW_ACTION_TO_THIRD_PARTY &&
		check_is_true(check, FLOW_PARAM_RESUME))
		return FLOW_FOLLOW_NEXT;
	return rule->follow;
}

/* The old format has no default beside conditions, and none that is never followed. */
static bool old_format_lets_out(const struct check *check, enum flow_follow follow)
{
	return check->flow->format == FLOW_FORMAT_LEGACY &&
	       (check->action->condition_count > 0 || follow == FLOW_FOLLOW_DECOY);
}

static void check_follow(struct check *check, enum flow_follow follow)
{
	const struct flow_action *action = check->action;
	const char *type = flow_action_name((enum flow_action_type)action->type);

	if (follow == FLOW_FOLLOW_TERMINAL && action->next != FLOW_NO_ACTION)
		check_problem(check, REPORT_WARNING, "Transitions.NextAction",
			"expected nothing after %s; it is never followed", type);
	if (follow == FLOW_FOLLOW_TERMINAL || follow == FLOW_FOLLOW_FREE ||
		action->next != FLOW_NO_ACTION || old_format_lets_out(check, follow))
		return;
	if (action->type == FLOW_ACTION_DEQUEUE_TO_QUEUE)
		check_problem(check, REPORT_ERROR, "Transitions.NextAction",
			"expected an action after Success: with none the contact is not moved");
	else
		check_problem(check, REPORT_WARNING, "Transitions.NextAction",
			"expected an action after %s", type);
}

/* ---- Errors -------------------------------------------------------------------------- */

#define E(error) (1u << FLOW_ERROR_##error)

/* Errors that depend on the parameters. */
static uint32_t further_errors(const struct check *check)
{
	if (check->action->type == FLOW_ACTION_TO_THIRD_PARTY)
		return check_is_true(check, FLOW_PARAM_RESUME)
			       ? E(CALL_FAILED) | E(CONNECTION_TIME_LIMIT)
			       : 0;
	if (check->action->type != FLOW_ACTION_GET_INPUT)
		return 0;
	if (!check_is_true(check, FLOW_PARAM_STORE_INPUT))
		return E(INPUT_TIME_LIMIT) | E(NO_MATCHING_CONDITION);
	return flow_action_param(check->action, FLOW_PARAM_NUMBER_FORMAT) != NULL
		       ? E(INVALID_PHONE_NUMBER)
		       : 0;
}

/* Branches that exist only in another mode of the action. */
static uint32_t impossible_errors(const struct check *check)
{
	const char *resume = check_fixed(check, FLOW_PARAM_RESUME);

	if (check->action->type == FLOW_ACTION_TO_THIRD_PARTY && resume != NULL &&
		!check_is_true(check, FLOW_PARAM_RESUME))
		return E(CALL_FAILED) | E(CONNECTION_TIME_LIMIT);
	if (check->action->type == FLOW_ACTION_GET_INPUT &&
		check_is_true(check, FLOW_PARAM_STORE_INPUT))
		return E(INPUT_TIME_LIMIT) | E(NO_MATCHING_CONDITION);
	return 0;
}

static void check_errors(struct check *check, uint32_t wanted, uint32_t impossible)
{
	for (int error = 0; error < FLOW_ERROR_COUNT; error++) {
		bool there =
			flow_action_error(check->action, (enum flow_error)error) != FLOW_NO_ACTION;

		if (!there && (wanted & 1u << error))
			check_problem(check, REPORT_WARNING, "Transitions.Errors",
				"expected a branch %s", flow_error_name((enum flow_error)error));
		if (there && (impossible & 1u << error))
			check_problem(check, REPORT_WARNING, "Transitions.Errors",
				"expected no branch %s; with these parameters it is never taken",
				flow_error_name((enum flow_error)error));
	}
}

/* ---- Conditions ---------------------------------------------------------------------- */

/* What conditions of an action are tried against. */
static const struct {
	enum { RESULT_NONE, RESULT_ANY, RESULT_NUMBER, RESULT_WORDS } kind;
	bool all;          /* each word needs its condition */
	const char *words; /* separated by blanks */
} results[FLOW_ACTION_COUNT] = {
	[FLOW_ACTION_MESSAGE_LOOP] = {RESULT_WORDS, false, "MessagesInterrupted"},
	[FLOW_ACTION_GET_INPUT] = {RESULT_WORDS, false, "0 1 2 3 4 5 6 7 8 9 * #"},
	[FLOW_ACTION_LEX] = {RESULT_ANY},
	[FLOW_ACTION_INVOKE_MODULE] = {RESULT_ANY},
	[FLOW_ACTION_COMPARE] = {RESULT_ANY},
	[FLOW_ACTION_CHECK_HOURS] = {RESULT_WORDS, true, "True False"},
	[FLOW_ACTION_CHECK_METRIC] = {RESULT_NUMBER},
	[FLOW_ACTION_LOOP] = {RESULT_WORDS, true, "ContinueLooping DoneLooping"},
	[FLOW_ACTION_DISTRIBUTE] = {RESULT_NUMBER},
	[FLOW_ACTION_WAIT] = {RESULT_WORDS, false,
		"WaitCompleted CustomerReturned BotParticipantDisconnected Continue"},
	[FLOW_ACTION_CHECK_OUTBOUND] = {RESULT_WORDS, false,
		"CallAnswered VoicemailBeep VoicemailNoBeep NotDetected"},
	[FLOW_ACTION_CHECK_VOICE_ID] = {RESULT_ANY},
	[FLOW_ACTION_SHOW_VIEW] = {RESULT_ANY},
	[FLOW_ACTION_CHECK_SEGMENT] = {RESULT_ANY},
	[FLOW_ACTION_AUTHENTICATE] = {RESULT_ANY},
	[FLOW_ACTION_EVALUATE_TABLE] = {RESULT_ANY},
	[FLOW_ACTION_LIST_TABLE] = {RESULT_ANY},
	[FLOW_ACTION_UPSERT_TABLE] = {RESULT_ANY},
};

static bool has_condition(const struct flow_action *action, const char *word, size_t length)
{
	for (uint16_t i = 0; i < action->condition_count; i++) {
		const char *operand = action->conditions[i].operand.source;

		if (operand != NULL && strlen(operand) == length &&
			strncmp(operand, word, length) == 0)
			return true;
	}
	return false;
}

static void check_all_words(struct check *check, const char *words)
{
	for (size_t length; *words != '\0'; words += length + (words[length] == ' ')) {
		length = strcspn(words, " ");
		if (!has_condition(check->action, words, length))
			check_problem(check, REPORT_WARNING, "Transitions.Conditions",
				"expected a condition Equals %.*s", (int)length, words);
	}
}

static bool is_among(const char *text, const char *words)
{
	size_t size = strlen(text);

	for (size_t length; *words != '\0'; words += length + (words[length] == ' ')) {
		length = strcspn(words, " ");
		if (length == size && strncmp(words, text, size) == 0)
			return true;
	}
	return false;
}

static bool is_text_operator(enum flow_operator op)
{
	return op == FLOW_STARTS_WITH || op == FLOW_ENDS_WITH || op == FLOW_CONTAINS;
}

static bool is_number_operator(enum flow_operator op)
{
	return op == FLOW_GREATER || op == FLOW_GREATER_OR_EQUAL || op == FLOW_LESS ||
	       op == FLOW_LESS_OR_EQUAL;
}

/* Why a condition with a fixed operand can never be true; NULL: it can. */
static const char *why_never(const struct check *check, const struct flow_condition *condition)
{
	enum flow_operator op = (enum flow_operator)condition->op;
	const char *operand = condition->operand.source;
	double number;

	switch (results[check->action->type].kind) {
	case RESULT_WORDS:
		return op == FLOW_EQUALS && !is_among(operand, results[check->action->type].words)
			       ? "this action never has that result"
			       : NULL;
	case RESULT_NUMBER:
		if (is_text_operator(op) || !flow_text_to_decimal(operand, &number))
			return "the result is a number";
		return NULL;
	default:
		return is_number_operator(op) && !flow_text_to_decimal(operand, &number)
			       ? "it is compared as a number"
			       : NULL;
	}
}

static bool same_before(const struct flow_action *action, uint16_t index)
{
	const struct flow_condition *condition = &action->conditions[index];

	for (uint16_t i = 0; i < index; i++) {
		if (action->conditions[i].op == condition->op &&
			strcmp(action->conditions[i].operand.source, condition->operand.source) ==
				0)
			return true;
	}
	return false;
}

static void check_condition(struct check *check, uint16_t index)
{
	const struct flow_condition *condition = &check->action->conditions[index];
	const char *op = flow_operator_name((enum flow_operator)condition->op);
	const char *operand = condition->operand.source;
	char where[60];
	const char *why = NULL;

	if (operand == NULL)
		return;
	snprintf(where, sizeof(where), "Transitions.Conditions[%u]", index);
	if (condition->operand.class == FLOW_VALUE_STATIC && *operand != '\0')
		why = why_never(check, condition);
	if (why != NULL)
		check_problem(check, REPORT_WARNING, where,
			"expected a condition that can be true, found %s '%.60s': %s", op, operand,
			why);
	else if (same_before(check->action, index))
		check_problem(check, REPORT_WARNING, where,
			"expected another condition: %s '%.60s' stands before it", op, operand);
}

static void check_conditions(struct check *check)
{
	const struct flow_action *action = check->action;
	bool stores = action->type == FLOW_ACTION_GET_INPUT &&
		      check_is_true(check, FLOW_PARAM_STORE_INPUT);

	if (results[action->type].all)
		check_all_words(check, results[action->type].words);
	if (action->condition_count == 0)
		return;
	if (results[action->type].kind == RESULT_NONE || stores) {
		check_problem(check, REPORT_WARNING, "Transitions.Conditions",
			"expected none: %s has no result to compare",
			flow_action_name((enum flow_action_type)action->type));
		return;
	}
	for (uint16_t i = 0; i < action->condition_count; i++)
		check_condition(check, i);
}

void check_branches(struct check *check)
{
	const struct flow_action_rule *rule =
		flow_action_rule((enum flow_action_type)check->action->type);

	check_follow(check, follow_of(check, rule));
	check_errors(check, rule->errors | further_errors(check), impossible_errors(check));
	check_conditions(check);
}
