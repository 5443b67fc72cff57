/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/checker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "flow/check.h"
#include "flow/hooks.h"

#define INTERRUPT_SAFE_S 20
#define UUID_LENGTH      36

static const char *const resource_names[FLOW_RESOURCE_COUNT] = {
	[FLOW_RESOURCE_QUEUE] = "queue",
	[FLOW_RESOURCE_AGENT] = "agent",
	[FLOW_RESOURCE_PROMPT] = "prompt",
	[FLOW_RESOURCE_FLOW] = "flow",
	[FLOW_RESOURCE_MODULE] = "flow module",
	[FLOW_RESOURCE_HOURS] = "hours of operation",
	[FLOW_RESOURCE_PHONE_NUMBER] = "phone number",
};

const char *flow_resource_name(enum flow_resource kind)
{
	return (unsigned)kind < FLOW_RESOURCE_COUNT ? resource_names[kind] : "?";
}

/* "ID:$LATEST", "ID:3": a version behind a bare id. Names of people's making may hold colons. */
static size_t length_without_version(const char *reference)
{
	const char *colon = strrchr(reference, ':');
	size_t length = strlen(reference);
	bool is_version;

	if (colon == NULL)
		return length;
	is_version = colon[1] == '$' || (colon - reference == UUID_LENGTH && colon[1] != '\0' &&
						colon[1 + strspn(colon + 1, "0123456789")] == '\0');
	return is_version ? (size_t)(colon - reference) : length;
}

const char *flow_reference_id(const char *reference, size_t *length)
{
	const char *slash;

	if (strncmp(reference, "arn:", 4) != 0) {
		*length = length_without_version(reference);
		return reference;
	}
	slash = strrchr(reference, '/');
	if (slash == NULL)
		slash = strrchr(reference, ':');
	*length = strcspn(slash + 1, ":");
	return slash + 1;
}

void check_problem(struct check *check, enum report_severity severity, const char *where,
	const char *format, ...)
{
	char place[REPORT_PLACE_MAX];
	va_list args;

	snprintf(place, sizeof(place), "%s: action '%.80s': %.200s", check->flow->file,
		check->action->identifier, where);
	if (severity == REPORT_ERROR)
		check->errors++;
	va_start(args, format);
	report_vadd(check->report, severity, place, format, args);
	va_end(args);
}

/* ---- References ---------------------------------------------------------------------- */

static void check_flow_type(struct check *check, const struct flow_param *param, const char *where,
	const struct flow_resource_info *info)
{
	enum flow_type wanted = FLOW_TYPE_UNKNOWN;

	if (info->never_published)
		check_problem(check, REPORT_ERROR, where,
			"expected a published flow; '%.80s' is only saved", param->value.source);
	if (info->type == FLOW_TYPE_UNKNOWN)
		return;
	if (param->id == FLOW_PARAM_HOOK && flow_hook_parse(param->key.source) >= 0)
		wanted = flow_hook_type((enum flow_hook)flow_hook_parse(param->key.source));
	if (param->id == FLOW_PARAM_MODULE)
		wanted = FLOW_TYPE_MODULE;
	if (wanted != FLOW_TYPE_UNKNOWN && info->type != wanted)
		check_problem(check, REPORT_ERROR, where,
			"expected a flow of type %s; '%.80s' is of type %s", flow_type_name(wanted),
			param->value.source, flow_type_name(info->type));
	else if (param->id == FLOW_PARAM_FLOW && info->type == FLOW_TYPE_MODULE)
		check_problem(check, REPORT_ERROR, where, "expected a flow; '%.80s' is a module",
			param->value.source);
}

static void report_missing(struct check *check, const struct flow_param *param,
	enum flow_resource kind, const char *where)
{
	const char *reference =
		*param->value.source != '\0' ? param->value.source : param->resource_name;

	if (check->resolver->missing_is_note)
		check_problem(check, REPORT_NOTE, where, "needs %s '%.200s' in the instance",
			flow_resource_name(kind), reference);
	else
		check_problem(check,
			kind == FLOW_RESOURCE_PHONE_NUMBER ? REPORT_WARNING : REPORT_ERROR, where,
			"expected what this instance has; there is no %s '%.200s'",
			flow_resource_name(kind), reference);
}

static void check_reference(struct check *check, const struct flow_param *param,
	enum flow_resource kind, const char *where)
{
	const struct flow_resolver *resolver = check->resolver;
	const char *reference = param->value.source;
	struct flow_resource_info info = {0};

	if (*reference == '\0' && param->resource_name == NULL) {
		check_problem(check, REPORT_WARNING, where,
			"expected the id of a resource (%s), found an empty text",
			flow_resource_name(kind));
		return;
	}
	if (resolver == NULL)
		return;
	if (resolver->find == NULL ||
		!resolver->find(resolver->owner, kind, reference, param->resource_name, &info)) {
		report_missing(check, param, kind, where);
		return;
	}
	if (kind == FLOW_RESOURCE_FLOW || kind == FLOW_RESOURCE_MODULE)
		check_flow_type(check, param, where, &info);
	if (info.may_not_take_calls)
		check_problem(check, REPORT_WARNING, where,
			"expected a user who may take calls; contacts sent to '%.80s' are offered "
			"to nobody",
			reference);
}

/* ---- Parameters ---------------------------------------------------------------------- */

static void check_interrupt(struct check *check, const struct flow_param *param, const char *where)
{
	int64_t seconds;

	if (flow_text_to_number(param->value.source, &seconds) && seconds <= INTERRUPT_SAFE_S)
		check_problem(check, REPORT_WARNING, where,
			"expected more than %d seconds: a contact just being offered to an agent "
			"cannot be "
			"moved",
			INTERRUPT_SAFE_S);
}

static void check_param(struct check *check, const struct flow_param *param)
{
	const char *key;
	size_t key_length;
	const struct flow_param_rule *rule = flow_param_rule(
		(enum flow_action_type)check->action->type, param->place, &key, &key_length);
	char where[REPORT_PLACE_MAX];

	snprintf(where, sizeof(where), "Parameters.%.200s", param->place);
	if (param->id == FLOW_PARAM_HOOK && flow_hook_parse(param->key.source) < 0)
		check_problem(check, REPORT_WARNING, where,
			"expected the name of a hook; '%.60s' is none", param->key.source);
	if (rule == NULL || param->value.class != FLOW_VALUE_STATIC)
		return;
	if (param->id == FLOW_PARAM_INTERRUPT_S)
		check_interrupt(check, param, where);
	if (param->id == FLOW_PARAM_PHONE_NUMBER && !flow_text_is_e164(param->value.source))
		check_problem(check, REPORT_WARNING, where,
			"expected a number in E.164, as +12025550143; found '%.60s'",
			param->value.source);
	if (rule->kind == FLOW_KIND_RESOURCE)
		check_reference(check, param, rule->resource, where);
}

static void check_action(struct check *check)
{
	const struct flow_action *action = check->action;
	const struct flow_action_rule *rule = flow_action_rule((enum flow_action_type)action->type);

	if (check->flow->type != FLOW_TYPE_UNKNOWN &&
		!(rule->types & FLOW_TYPE_BIT(check->flow->type)))
		check_problem(check, REPORT_WARNING, "Type",
			"expected an action that flows of type %s allow; %s is not one",
			flow_type_name((enum flow_type)check->flow->type),
			flow_action_name((enum flow_action_type)action->type));
	check_branches(check);
	check_parameters(check);
	for (uint16_t i = 0; i < action->param_count; i++)
		check_param(check, &action->params[i]);
}

/* ---- Reach --------------------------------------------------------------------------- */

static void visit(bool *reached, uint16_t *stack, size_t *depth, uint16_t target)
{
	if (target == FLOW_NO_ACTION || reached[target])
		return;
	reached[target] = true;
	stack[(*depth)++] = target;
}

static void check_reach(struct check *check)
{
	const struct flow *flow = check->flow;
	bool reached[FLOW_ACTIONS_MAX] = {false};
	uint16_t stack[FLOW_ACTIONS_MAX];
	size_t depth = 0;

	visit(reached, stack, &depth, flow->start);
	while (depth > 0) {
		const struct flow_action *action = &flow->actions[stack[--depth]];

		visit(reached, stack, &depth, action->next);
		for (uint16_t i = 0; i < action->error_count; i++)
			visit(reached, stack, &depth, action->errors[i].target);
		for (uint16_t i = 0; i < action->condition_count; i++)
			visit(reached, stack, &depth, action->conditions[i].target);
	}
	for (uint16_t i = 0; i < flow->action_count; i++) {
		check->action = &flow->actions[i];
		if (!reached[i])
			check_problem(check, REPORT_NOTE, "Identifier", "no action leads here");
	}
}

int flow_check(const struct flow *flow, const struct flow_resolver *resolver, struct report *report)
{
	struct check check = {.flow = flow, .resolver = resolver, .report = report};

	for (uint16_t i = 0; i < flow->action_count; i++) {
		check.action = &flow->actions[i];
		check_action(&check);
	}
	check_reach(&check);
	return check.errors > 0 ? -EINVAL : 0;
}
