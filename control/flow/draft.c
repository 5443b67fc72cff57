/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/draft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/rules.h"
#include "flow/value.h"

void flow_draft_problem(struct flow_draft *draft, enum report_severity severity,
	const char *identifier, const char *where, const char *format, ...)
{
	char place[REPORT_PLACE_MAX];
	va_list args;

	snprintf(place, sizeof(place), "%s%s%.80s%s%s%.200s", draft->file,
		identifier != NULL ? ": action '" : "", identifier != NULL ? identifier : "",
		identifier != NULL ? "'" : "", where != NULL ? ": " : "",
		where != NULL ? where : "");
	if (severity == REPORT_ERROR)
		draft->errors++;
	va_start(args, format);
	report_vadd(draft->report, severity, place, format, args);
	va_end(args);
}

/* Makes room for the actions. False without memory. */
static bool make_actions(struct flow_draft *draft, size_t count)
{
	draft->actions = flow_arena_take(draft->arena, count, sizeof(*draft->actions));
	draft->identifiers = flow_arena_take(draft->arena, count, sizeof(*draft->identifiers));
	draft->order = flow_arena_take(draft->arena, count, sizeof(*draft->order));
	if (flow_arena_failed(draft->arena))
		return false;
	for (size_t i = 0; i < count; i++) {
		draft->actions[i].index = (uint16_t)i;
		draft->actions[i].next = FLOW_NO_ACTION;
		draft->actions[i].identifier = "";
	}
	draft->flow->actions = draft->actions;
	draft->flow->action_count = (uint16_t)count;
	return true;
}

static int compare_actions(const void *a, const void *b, void *actions)
{
	const struct flow_action *list = actions;
	uint16_t left = *(const uint16_t *)a;
	uint16_t right = *(const uint16_t *)b;
	int order = strcmp(list[left].identifier, list[right].identifier);

	return order != 0 ? order : (int)left - (int)right;
}

/* Once all identifiers are set: builds the index and reports doubles. */
static void make_index(struct flow_draft *draft)
{
	size_t count = draft->flow->action_count;

	for (size_t i = 0; i < count; i++)
		draft->order[i] = (uint16_t)i;
	qsort_r(draft->order, count, sizeof(*draft->order), compare_actions, draft->actions);
	for (size_t i = 0; i < count; i++) {
		const char *identifier = draft->actions[draft->order[i]].identifier;

		draft->identifiers[i] = identifier;
		if (i > 0 && *identifier != '\0' &&
			strcmp(identifier, draft->identifiers[i - 1]) == 0)
			flow_draft_problem(draft, REPORT_ERROR, identifier, "Identifier",
				"expected an identifier used once; two actions have it");
	}
}

void flow_draft_read_actions(
	struct flow_draft *draft, const struct flow_draft_format *format, const json_t *list)
{
	size_t count = json_array_size(list);
	bool good[FLOW_ACTIONS_MAX];

	if (count > FLOW_ACTIONS_MAX) {
		flow_draft_problem(draft, REPORT_ERROR, NULL, format->where,
			"expected at most %u actions, found %zu", FLOW_ACTIONS_MAX, count);
		return;
	}
	if (!make_actions(draft, count))
		return;
	for (size_t i = 0; i < count; i++)
		good[i] = format->read_head(draft, &draft->actions[i], json_array_get(list, i));
	make_index(draft);
	for (size_t i = 0; i < count; i++) {
		if (good[i])
			format->read_body(draft, &draft->actions[i], json_array_get(list, i));
	}
}

static int compare_identifiers(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

uint16_t flow_draft_target(struct flow_draft *draft, const struct flow_action *from,
	const char *where, const char *identifier)
{
	const char **found = NULL;

	if (*identifier != '\0')
		found = bsearch(identifier, draft->identifiers, draft->flow->action_count,
			sizeof(*draft->identifiers), compare_identifiers);
	if (found == NULL) {
		flow_draft_problem(draft, REPORT_ERROR, from != NULL ? from->identifier : NULL,
			where, "expected the identifier of an action; there is no '%.80s'",
			identifier);
		return FLOW_NO_ACTION;
	}
	return draft->order[found - draft->identifiers];
}

const char *flow_json_kind(const json_t *value)
{
	if (value == NULL)
		return "nothing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a text";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a truth value";
	default:
		return "null";
	}
}

const char *flow_draft_scalar(struct flow_draft *draft, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		return flow_arena_printf(
			draft->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return flow_arena_printf(draft->arena, "%.15g", json_real_value(value));
	case JSON_TRUE:
		return "True";
	case JSON_FALSE:
		return "False";
	default:
		return NULL;
	}
}

/* The first [n] in a place. */
static uint16_t item_of(const char *place)
{
	const char *bracket = strchr(place, '[');

	return bracket != NULL ? (uint16_t)strtoul(bracket + 1, NULL, 10) : 0;
}

static void judge_number(struct flow_draft *draft, const struct flow_action *action,
	const struct flow_param_rule *rule, const char *where, const char *text)
{
	int64_t number;

	if (!flow_text_to_number(text, &number)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected a whole number from %" PRId64 " to %" PRId64 ", found '%.60s'",
			rule->min, rule->max, text);
	} else if (number < rule->min || number > rule->max) {
		flow_draft_problem(draft, REPORT_WARNING, action->identifier, where,
			"expected a number from %" PRId64 " to %" PRId64 ", found %" PRId64,
			rule->min, rule->max, number);
	}
}

static void judge_choice(struct flow_draft *draft, const struct flow_action *action,
	const struct flow_param_rule *rule, const char *where, const char *text)
{
	if (flow_text_choice(text, rule->choices) >= 0)
		return;
	flow_draft_problem(draft, rule->flags & FLOW_PARAM_STRICT ? REPORT_ERROR : REPORT_WARNING,
		action->identifier, where, "expected one of %s, found '%.60s'", rule->choices,
		text);
}

/* What can be said of a fixed value. A "${placeholder}" of a template is let pass. */
static void judge_static(struct flow_draft *draft, const struct flow_action *action,
	const struct flow_param_rule *rule, const char *where, const char *text)
{
	bool flag;

	if (strstr(text, "${") != NULL)
		return;
	switch (rule->kind) {
	case FLOW_KIND_NUMBER:
		judge_number(draft, action, rule, where, text);
		break;
	case FLOW_KIND_CHOICE:
		judge_choice(draft, action, rule, where, text);
		break;
	case FLOW_KIND_FLAG:
		if (!flow_text_to_flag(text, &flag))
			flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
				"expected True or False, found '%.60s'", text);
		break;
	case FLOW_KIND_DIGITS:
		if (!flow_text_is_digits(text))
			flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
				"expected at most %u of the characters 0-9 , * #, found '%.60s'",
				FLOW_DTMF_DIGITS_MAX, text);
		break;
	case FLOW_KIND_TEXT:
	case FLOW_KIND_RESOURCE:
		if ((rule->flags & FLOW_PARAM_SPOKEN) && strlen(text) > FLOW_PROMPT_TEXT_MAX)
			flow_draft_problem(draft, REPORT_WARNING, action->identifier, where,
				"expected at most %u bytes of text; this prompt will fail when "
				"played",
				FLOW_PROMPT_TEXT_MAX);
		break;
	}
}

/*
 * The service takes no empty texts, but in what it only passes on (the data of a view). The old
 * format has them where nothing was filled in. References are the checker's.
 */
static void judge_empty(struct flow_draft *draft, const struct flow_action *action,
	const struct flow_param_rule *rule, const char *where)
{
	bool old_text = rule != NULL && rule->kind == FLOW_KIND_TEXT &&
			draft->flow->format == FLOW_FORMAT_LEGACY;

	if (rule != NULL && rule->kind != FLOW_KIND_RESOURCE && !old_text)
		flow_draft_problem(draft, REPORT_WARNING, action->identifier, where,
			"expected a value, found an empty text");
}

static struct flow_param *new_param(
	struct flow_draft *draft, struct flow_action *action, struct flow_params_draft *params)
{
	struct flow_param *items;
	size_t capacity = params->capacity > 0 ? params->capacity * 2 : 8;

	if (params->count < params->capacity)
		return &params->items[params->count++];
	if (params->count >= FLOW_PARAMS_MAX) {
		if (params->count == FLOW_PARAMS_MAX)
			flow_draft_problem(draft, REPORT_ERROR, action->identifier, "Parameters",
				"expected at most %u values", FLOW_PARAMS_MAX);
		params->count = FLOW_PARAMS_MAX + 1;
		return NULL;
	}
	items = flow_arena_take(draft->arena, capacity, sizeof(*items));
	if (items == NULL)
		return NULL;
	if (params->count > 0)
		memcpy(items, params->items, params->count * sizeof(*items));
	params->items = items;
	params->capacity = capacity;
	return &params->items[params->count++];
}

static void compile(struct flow_draft *draft, const struct flow_action *action, const char *where,
	const char *text, struct flow_value *value)
{
	if (flow_value_compile(draft->arena, text, value) == -E2BIG)
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, where,
			"expected at most %u JSONPaths and texts between them", FLOW_PARTS_MAX / 2);
}

void flow_draft_param(struct flow_draft *draft, struct flow_action *action,
	struct flow_params_draft *params, const char *place, const char *text,
	const char *resource_name)
{
	struct flow_param *param = new_param(draft, action, params);
	const struct flow_param_rule *rule;
	const char *key;
	size_t key_length;
	char where[REPORT_PLACE_MAX];

	if (param == NULL)
		return;
	snprintf(where, sizeof(where), "Parameters.%.200s", place);
	rule = flow_param_rule((enum flow_action_type)action->type, place, &key, &key_length);
	param->id = rule != NULL ? rule->id : FLOW_PARAM_OTHER;
	param->item = item_of(place);
	param->place = flow_arena_copy(draft->arena, place);
	if (resource_name != NULL)
		param->resource_name = flow_arena_copy(draft->arena, resource_name);
	compile(draft, action, where, text, &param->value);
	if (key_length > 0) {
		key = flow_arena_text(draft->arena, key, key_length);
		if (key != NULL)
			compile(draft, action, where, key, &param->key);
	}
	if (param->value.class != FLOW_VALUE_STATIC)
		return;
	if (*text == '\0')
		judge_empty(draft, action, rule, where);
	else if (rule != NULL)
		judge_static(draft, action, rule, where, text);
}

/* Actions that must be told something have parameters marked FLOW_PARAM_ONE_OF. */
static void judge_missing(struct flow_draft *draft, const struct flow_action *action,
	const struct flow_params_draft *params)
{
	const struct flow_action_rule *rule = flow_action_rule((enum flow_action_type)action->type);
	char wanted[300] = "";
	size_t used = 0;

	for (uint16_t i = 0; i < rule->param_count; i++) {
		if (!(rule->params[i].flags & FLOW_PARAM_ONE_OF))
			continue;
		for (size_t p = 0; p < params->count; p++) {
			if (params->items[p].id == rule->params[i].id)
				return;
		}
		if (used < sizeof(wanted))
			used += (size_t)snprintf(wanted + used, sizeof(wanted) - used, "%s%s",
				used > 0 ? " or " : "", rule->params[i].pattern);
	}
	if (used > 0)
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "Parameters",
			"expected %s", wanted);
}

void flow_draft_finish_action(struct flow_draft *draft, struct flow_action *action,
	const struct flow_params_draft *params)
{
	if (params->count > FLOW_PARAMS_MAX)
		return;
	judge_missing(draft, action, params);
	action->params = params->items;
	action->param_count = (uint16_t)params->count;
}
