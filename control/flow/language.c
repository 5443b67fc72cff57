/* SPDX-License-Identifier: Apache-2.0 */
/* The flow language, version 2019-10-30. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "flow/draft.h"
#include "flow/rules.h"
#include "flow/value.h"

#define PLACE_DEPTH_MAX 16
#define PLACE_MAX       600

/* Characters that the service forbids in identifiers. */
#define IDENTIFIER_FORBIDDEN "%:()\\/=$,;[]{}"

/* Names that would break the service's own editor. */
static const char *const identifier_reserved[] = {
	"__proto__",
	"constructor",
	"__defineGetter__",
	"__defineSetter__",
	"toString",
	"hasOwnProperty",
	"isPrototypeOf",
	"propertyIsEnumerable",
	"toLocaleString",
	"valueOf",
};

/* Other spellings that documents and older exports use for the operators. */
static const struct {
	const char *name;
	enum flow_operator op;
} operator_aliases[] = {
	{"NumericGreaterThan", FLOW_GREATER},
	{"NumericGreaterOrEqualTo", FLOW_GREATER_OR_EQUAL},
	{"NumericLessThan", FLOW_LESS},
	{"NumericLessOrEqualTo", FLOW_LESS_OR_EQUAL},
	{"NumberGreaterThanOrEqualTo", FLOW_GREATER_OR_EQUAL},
	{"NumberLessThanOrEqualTo", FLOW_LESS_OR_EQUAL},
	{"NumberEquals", FLOW_EQUALS},
};

static size_t utf8_length(const char *text)
{
	size_t length = 0;

	for (; *text != '\0'; text++)
		length += ((unsigned char)*text & 0xc0) != 0x80;
	return length;
}

static void judge_identifier(struct flow_draft *draft, const char *identifier)
{
	size_t at = strcspn(identifier, IDENTIFIER_FORBIDDEN);

	if (*identifier == '\0')
		flow_draft_problem(draft, REPORT_ERROR, "", "Identifier",
			"expected a name, found an empty text");
	if (utf8_length(identifier) > FLOW_IDENTIFIER_MAX)
		flow_draft_problem(draft, REPORT_ERROR, identifier, "Identifier",
			"expected at most %u characters", FLOW_IDENTIFIER_MAX);
	if (identifier[at] != '\0')
		flow_draft_problem(draft, REPORT_ERROR, identifier, "Identifier",
			"expected none of the characters %s, found '%c'", IDENTIFIER_FORBIDDEN,
			identifier[at]);
	for (size_t i = 0; i < sizeof(identifier_reserved) / sizeof(identifier_reserved[0]); i++) {
		if (strcmp(identifier, identifier_reserved[i]) == 0)
			flow_draft_problem(draft, REPORT_ERROR, identifier, "Identifier",
				"expected another name; this one is reserved");
	}
}

/* A member that must be of a kind when it is there; NULL when it is missing, null or wrong. */
static const json_t *member(struct flow_draft *draft, const struct flow_action *action,
	const json_t *object, const char *name, json_type kind, const char *where)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL || json_is_null(value))
		return NULL;
	if (json_typeof(value) != kind) {
		flow_draft_problem(draft, REPORT_ERROR, action != NULL ? action->identifier : NULL,
			where, "expected %s, found %s",
			kind == JSON_OBJECT  ? "an object"
			: kind == JSON_ARRAY ? "a list"
					     : "a text",
			flow_json_kind(value));
		return NULL;
	}
	return value;
}

/* ---- Parameters ---------------------------------------------------------------------- */

struct walk {
	struct flow_draft *draft;
	struct flow_action *action;
	struct flow_params_draft params;
	char place[PLACE_MAX];
};

static void walk_problem(struct walk *walk, const char *format, const char *found)
{
	char where[PLACE_MAX + 16];

	snprintf(where, sizeof(where), "Parameters%s%s", walk->place[0] != '\0' ? "." : "",
		walk->place);
	flow_draft_problem(
		walk->draft, REPORT_ERROR, walk->action->identifier, where, format, found);
}

static void walk_value(struct walk *walk, const json_t *value, size_t length, int depth);

static void walk_members(struct walk *walk, const json_t *value, size_t length, int depth)
{
	const char *name;
	json_t *inner;
	size_t index;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, name, inner)
		{
			int n = snprintf(walk->place + length, sizeof(walk->place) - length, "%s%s",
				length > 0 ? "." : "", name);

			if ((size_t)n >= sizeof(walk->place) - length) {
				walk->place[length] = '\0';
				walk_problem(walk, "expected shorter names below here%s", "");
				continue;
			}
			walk_value(walk, inner, length + (size_t)n, depth + 1);
		}
	} else {
		json_array_foreach((json_t *)value, index, inner)
		{
			int n = snprintf(
				walk->place + length, sizeof(walk->place) - length, "[%zu]", index);

			if ((size_t)n >= sizeof(walk->place) - length || index > UINT16_MAX)
				break;
			walk_value(walk, inner, length + (size_t)n, depth + 1);
		}
	}
	walk->place[length] = '\0';
}

static void walk_value(struct walk *walk, const json_t *value, size_t length, int depth)
{
	enum flow_action_type type = (enum flow_action_type)walk->action->type;
	const char *text, *key;
	size_t key_length;
	const struct flow_param_rule *rule;

	if (json_is_null(value))
		return;
	if (json_is_object(value) || json_is_array(value)) {
		rule = flow_param_rule(type, walk->place, &key, &key_length);
		if (rule != NULL && strchr(rule->pattern, '*') == NULL &&
			!flow_place_is_inner(type, walk->place))
			walk_problem(walk, "expected a text, found %s", flow_json_kind(value));
		else if (depth >= PLACE_DEPTH_MAX)
			walk_problem(walk, "expected fewer levels of nesting%s", "");
		else
			walk_members(walk, value, length, depth);
		return;
	}
	rule = flow_param_rule(type, walk->place, &key, &key_length);
	if (rule == NULL && flow_place_is_inner(type, walk->place)) {
		walk_problem(walk, "expected an object or a list, found %s", flow_json_kind(value));
		return;
	}
	text = flow_draft_scalar(walk->draft, value);
	if (text != NULL)
		flow_draft_param(walk->draft, walk->action, &walk->params, walk->place, text, NULL);
}

static void read_parameters(
	struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	struct walk walk = {.draft = draft, .action = action};
	const json_t *parameters =
		member(draft, action, object, "Parameters", JSON_OBJECT, "Parameters");

	if (parameters != NULL)
		walk_members(&walk, parameters, 0, 0);
	flow_draft_finish_action(draft, action, &walk.params);
}

/* ---- Transitions --------------------------------------------------------------------- */

/* The text of a NextAction, resolved. Missing: FLOW_NO_ACTION, an error when `needed`. */
static uint16_t read_target(struct flow_draft *draft, const struct flow_action *action,
	const json_t *object, const char *where, bool needed)
{
	const json_t *next = member(draft, action, object, "NextAction", JSON_STRING, where);

	if (next != NULL)
		return flow_draft_target(draft, action, where, json_string_value(next));
	if (needed && json_object_get(object, "NextAction") == NULL)
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected the identifier of an action");
	return FLOW_NO_ACTION;
}

static enum flow_error parse_error(const char *name)
{
	for (int i = 0; i < FLOW_ERROR_COUNT; i++) {
		if (strcmp(name, flow_error_name((enum flow_error)i)) == 0)
			return (enum flow_error)i;
	}
	return FLOW_ERROR_COUNT;
}

static void read_error(struct flow_draft *draft, struct flow_action *action, const json_t *entry,
	size_t index, struct flow_error_branch *branch)
{
	char where[80];
	const json_t *name;

	branch->name = "";
	branch->target = FLOW_NO_ACTION;
	branch->error = FLOW_ERROR_COUNT;
	snprintf(where, sizeof(where), "Transitions.Errors[%zu]", index);
	if (!json_is_object(entry)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected an object, found %s", flow_json_kind(entry));
		return;
	}
	snprintf(where, sizeof(where), "Transitions.Errors[%zu].NextAction", index);
	branch->target = read_target(draft, action, entry, where, true);
	snprintf(where, sizeof(where), "Transitions.Errors[%zu].ErrorType", index);
	name = json_object_get(entry, "ErrorType");
	if (!json_is_string(name)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected the name of an error, found %s", flow_json_kind(name));
		return;
	}
	branch->name = flow_arena_copy(draft->arena, json_string_value(name));
	branch->error = (uint8_t)parse_error(json_string_value(name));
	if (branch->error == FLOW_ERROR_COUNT)
		flow_draft_problem(draft, REPORT_WARNING, action->identifier, where,
			"expected the name of an error; '%.60s' never occurs",
			json_string_value(name));
}

static bool parse_operator(const char *name, enum flow_operator *op)
{
	for (int i = 0; i < FLOW_OPERATOR_COUNT; i++) {
		if (strcmp(name, flow_operator_name((enum flow_operator)i)) == 0) {
			*op = (enum flow_operator)i;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(operator_aliases) / sizeof(operator_aliases[0]); i++) {
		if (strcmp(name, operator_aliases[i].name) == 0) {
			*op = operator_aliases[i].op;
			return true;
		}
	}
	return false;
}

static void read_operand(struct flow_draft *draft, struct flow_action *action,
	const json_t *operands, const char *where, struct flow_condition *condition)
{
	const json_t *operand = json_array_get(operands, 0);
	const char *text;

	if (json_array_size(operands) != 1 || json_is_object(operand) || json_is_array(operand) ||
		json_is_null(operand)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected a list with one text in it");
		return;
	}
	text = flow_draft_scalar(draft, operand);
	if (text == NULL)
		return;
	if (*text == '\0')
		flow_draft_problem(draft, REPORT_WARNING, action->identifier, where,
			"expected a text that is not empty: it matches nothing");
	if (flow_value_compile(draft->arena, text, &condition->operand) == -E2BIG)
		flow_draft_problem(
			draft, REPORT_ERROR, action->identifier, where, "expected fewer JSONPaths");
}

static void read_condition(struct flow_draft *draft, struct flow_action *action,
	const json_t *entry, size_t index, struct flow_condition *condition)
{
	char where[80];
	const json_t *inner = json_is_object(entry) ? json_object_get(entry, "Condition") : NULL;
	const json_t *op = json_object_get(inner, "Operator");
	enum flow_operator parsed;

	condition->target = FLOW_NO_ACTION;
	snprintf(where, sizeof(where), "Transitions.Conditions[%zu].Condition", index);
	if (!json_is_object(inner)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected an object, found %s", flow_json_kind(inner));
		return;
	}
	snprintf(where, sizeof(where), "Transitions.Conditions[%zu].NextAction", index);
	condition->target = read_target(draft, action, entry, where, true);
	snprintf(where, sizeof(where), "Transitions.Conditions[%zu].Condition.Operator", index);
	if (!json_is_string(op) || !parse_operator(json_string_value(op), &parsed)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected Equals, TextStartsWith, TextEndsWith, TextContains, KeyExists or "
			"a Number operator, found %.60s",
			json_is_string(op) ? json_string_value(op) : flow_json_kind(op));
		return;
	}
	condition->op = (uint8_t)parsed;
	snprintf(where, sizeof(where), "Transitions.Conditions[%zu].Condition.Operands", index);
	read_operand(draft, action, json_object_get(inner, "Operands"), where, condition);
}

static size_t list_size(struct flow_draft *draft, const struct flow_action *action,
	const json_t *list, const char *where, size_t max)
{
	size_t size = json_array_size(list);

	if (size <= max)
		return size;
	flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
		"expected at most %zu entries, found %zu", max, size);
	return 0;
}

static void read_transitions(
	struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	const json_t *transitions =
		member(draft, action, object, "Transitions", JSON_OBJECT, "Transitions");
	const json_t *errors, *conditions;
	struct flow_error_branch *branches;
	struct flow_condition *tests;
	size_t error_count, condition_count;

	if (transitions == NULL)
		return;
	action->next = read_target(draft, action, transitions, "Transitions.NextAction", false);
	errors = member(draft, action, transitions, "Errors", JSON_ARRAY, "Transitions.Errors");
	conditions = member(
		draft, action, transitions, "Conditions", JSON_ARRAY, "Transitions.Conditions");
	error_count = list_size(draft, action, errors, "Transitions.Errors", FLOW_ERRORS_MAX);
	condition_count =
		list_size(draft, action, conditions, "Transitions.Conditions", FLOW_CONDITIONS_MAX);
	branches = flow_arena_take(draft->arena, error_count, sizeof(*branches));
	tests = flow_arena_take(draft->arena, condition_count, sizeof(*tests));
	if (branches == NULL || tests == NULL)
		return;
	for (size_t i = 0; i < error_count; i++)
		read_error(draft, action, json_array_get(errors, i), i, &branches[i]);
	for (size_t i = 0; i < condition_count; i++)
		read_condition(draft, action, json_array_get(conditions, i), i, &tests[i]);
	action->errors = branches;
	action->error_count = (uint16_t)error_count;
	action->conditions = tests;
	action->condition_count = (uint16_t)condition_count;
}

/* ---- Flow ---------------------------------------------------------------------------- */

/* Identifier and type of one action. False: nothing more can be said about it. */
static bool read_head(struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	char where[40];
	const json_t *identifier = json_object_get(object, "Identifier");
	const json_t *type = json_object_get(object, "Type");
	enum flow_action_type parsed;

	snprintf(where, sizeof(where), "Actions[%u]", action->index);
	if (!json_is_object(object)) {
		flow_draft_problem(draft, REPORT_ERROR, NULL, where, "expected an object, found %s",
			flow_json_kind(object));
		return false;
	}
	if (!json_is_string(identifier)) {
		flow_draft_problem(draft, REPORT_ERROR, NULL, where,
			"expected a member Identifier that is a text, found %s",
			flow_json_kind(identifier));
		return false;
	}
	action->identifier = flow_arena_copy(draft->arena, json_string_value(identifier));
	if (action->identifier == NULL)
		return false;
	judge_identifier(draft, action->identifier);
	if (!json_is_string(type)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "Type",
			"expected the name of an action type, found %s", flow_json_kind(type));
		return false;
	}
	if (flow_action_parse(json_string_value(type), &parsed) < 0) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "Type",
			"expected an action type of the flow language; '%.60s' is none",
			json_string_value(type));
		return false;
	}
	action->type = (uint16_t)parsed;
	return true;
}

static void read_body(struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	read_parameters(draft, action, object);
	read_transitions(draft, action, object);
}

static const struct flow_draft_format format = {"Actions", read_head, read_body};

/*
 * Only modules have Settings. What stands in them is the same for all: a module's input, output and
 * exits are declared outside of its content, and are whatever its actions name.
 */
static void read_settings(struct flow_draft *draft, const json_t *root)
{
	if (json_is_object(json_object_get(root, "Settings")) &&
		draft->flow->type == FLOW_TYPE_UNKNOWN)
		draft->flow->type = FLOW_TYPE_MODULE;
}

void flow_read_language(struct flow_draft *draft, const json_t *root)
{
	const json_t *version = json_object_get(root, "Version");
	const json_t *start = json_object_get(root, "StartAction");
	const json_t *actions = json_object_get(root, "Actions");

	if (!json_is_string(version) || strcmp(json_string_value(version), "2019-10-30") != 0)
		flow_draft_problem(draft, REPORT_ERROR, NULL, "Version",
			"expected \"2019-10-30\", found %.40s",
			json_is_string(version) ? json_string_value(version)
						: flow_json_kind(version));
	if (!json_is_array(actions)) {
		flow_draft_problem(draft, REPORT_ERROR, NULL, "Actions",
			"expected a list of actions, found %s", flow_json_kind(actions));
		return;
	}
	flow_draft_read_actions(draft, &format, actions);
	read_settings(draft, root);
	if (!json_is_string(start))
		flow_draft_problem(draft, REPORT_ERROR, NULL, "StartAction",
			"expected the identifier of an action, found %s", flow_json_kind(start));
	else if (draft->identifiers != NULL)
		draft->flow->start =
			flow_draft_target(draft, NULL, "StartAction", json_string_value(start));
}
