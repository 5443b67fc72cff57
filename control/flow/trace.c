/* SPDX-License-Identifier: Apache-2.0 */
/* ENTER and LEAVE: what a run does, for the simulator and the flow log. */
#include <string.h>

#include "flow/machine.h"

#define ROOM_MIN 4096u /* text that one action may count on */

static bool is_key(const struct flow_param *param)
{
	return param->id == FLOW_PARAM_ENCRYPTION_KEY;
}

/* Keeps one parameter; false without room for it. */
static bool keep(struct flow_machine *m, const struct flow_param *param)
{
	struct flow_effects *fx = m->effects;
	char *to = fx->traced_text + fx->traced_length;
	struct attribute *pair = &fx->traced[fx->traced_count];
	size_t length;

	if (fx->traced_count == FLOW_TRACED_MAX)
		return false;
	*pair = (struct attribute){param->place, param->value.source};
	if (is_key(param) || param->value.source == NULL) {
		pair->value = is_key(param) ? FLOW_SECRET : "";
	} else if (param->value.class != FLOW_VALUE_STATIC) {
		if (!flow_fill(m, &param->value, true, to, FLOW_TRACED_TEXT_MAX - fx->traced_length,
			    &length))
			return false;
		pair->value = to;
		fx->traced_length += (uint32_t)length + 1;
	}
	fx->traced_count++;
	return true;
}

/* Room for all parameters of the action, or a step's whole: then the trace is cut, not the flow. */
static bool has_room(const struct flow_machine *m)
{
	const struct flow_effects *fx = m->effects;

	if (fx->traced_count == 0)
		return true;
	return fx->traced_count + m->action->param_count <= FLOW_TRACED_MAX &&
	       fx->traced_length + ROOM_MIN <= FLOW_TRACED_TEXT_MAX;
}

static bool is_traced(const struct flow_machine *m)
{
	const struct flow_context *context = m->run->context;

	return context->trace || context->memory->logged;
}

bool flow_trace_enter(struct flow_machine *m)
{
	struct flow_effect *effect;
	uint32_t first = m->effects->traced_count;

	/* whether logging begins here is known when it has begun */
	if (!is_traced(m) && m->action->type != FLOW_ACTION_SET_LOGGING)
		return true;
	if (!has_room(m))
		return false;
	effect = flow_emit(m, FLOW_EFFECT_ENTER);
	if (effect == NULL)
		return false;
	effect->enter.flow = m->run->flow;
	effect->enter.list = m->effects->traced + first;
	for (uint16_t i = 0; i < m->action->param_count && !effect->enter.cut; i++)
		effect->enter.cut = !keep(m, &m->action->params[i]);
	effect->enter.count = m->effects->traced_count - first;
	return true;
}

static bool names_stored_input(const struct flow_value *value)
{
	for (uint16_t i = 0; i < value->part_count; i++)
		if (value->parts[i].is_path && value->parts[i].space == FLOW_SPACE_STORED_INPUT)
			return true;
	return false;
}

/* Compare shows the value that it was told to look at, and what it was found equal to. */
static bool is_secret(const struct flow_machine *m)
{
	const struct flow_param *param = flow_action_param(m->action, FLOW_PARAM_COMPARISON);

	if (param != NULL && names_stored_input(&param->value))
		return true;
	for (uint16_t i = 0; i < m->action->condition_count; i++)
		if (names_stored_input(&m->action->conditions[i].operand))
			return true;
	return false;
}

static bool is_operand(const char *branch)
{
	for (int i = 0; i < FLOW_ERROR_COUNT; i++)
		if (strcmp(branch, flow_error_name((enum flow_error)i)) == 0)
			return false;
	return strcmp(branch, "NextAction") != 0;
}

void flow_trace_leave(
	struct flow_machine *m, const char *result, const char *branch, uint16_t target)
{
	struct flow_effect *effect = is_traced(m) ? flow_emit(m, FLOW_EFFECT_LEAVE) : NULL;
	/* that nothing was typed is no secret */
	bool secret = is_secret(m) && *result != '\0' && strcmp(result, "Timeout") != 0;

	if (effect == NULL)
		return;
	effect->leave.result = secret ? FLOW_SECRET : flow_keep(m, result, strlen(result));
	effect->leave.branch = secret && is_operand(branch) ? FLOW_SECRET : branch;
	effect->leave.target = target;
}
