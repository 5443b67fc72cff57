/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that set how the contact is treated from now on. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "flow/hooks.h"
#include "flow/machine.h"

/* ---- Hooks --------------------------------------------------------------------------- */

/* The type that a flow in this hook must have; UNKNOWN: any. */
static const enum flow_type hook_types[FLOW_HOOK_COUNT] = {
	[FLOW_HOOK_AGENT_WHISPER] = FLOW_TYPE_AGENT_WHISPER,
	[FLOW_HOOK_CUSTOMER_WHISPER] = FLOW_TYPE_CUSTOMER_WHISPER,
	[FLOW_HOOK_CUSTOMER_QUEUE] = FLOW_TYPE_CUSTOMER_QUEUE,
	[FLOW_HOOK_CUSTOMER_HOLD] = FLOW_TYPE_CUSTOMER_HOLD,
	[FLOW_HOOK_AGENT_HOLD] = FLOW_TYPE_AGENT_HOLD,
	[FLOW_HOOK_CUSTOMER_REMAINING] = FLOW_TYPE_INBOUND,
};

enum flow_type flow_hook_type(enum flow_hook hook)
{
	return hook_types[hook];
}

int flow_hook_parse(const char *name)
{
	for (int i = 0; i < FLOW_HOOK_COUNT; i++) {
		if (strcmp(name, flow_hook_name((enum flow_hook)i)) == 0)
			return i;
	}
	return -1;
}

static bool hook_disabled(struct flow_machine *m, const char *name)
{
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		const struct flow_param *param = &m->action->params[i];
		bool disabled;

		if (param->id == FLOW_PARAM_HOOK_DISABLE && strcmp(param->key.source, name) == 0)
			return flow_text_to_flag(flow_text(m, &param->value), &disabled) &&
			       disabled;
	}
	return false;
}

/* One hook of the action: 0, -1 when the flow cannot be had, 1 when the effects are full. */
static int set_hook(struct flow_machine *m, const struct flow_param *param)
{
	const struct flow_context *context = m->run->context;
	int hook = flow_hook_parse(param->key.source);
	const char *reference = param->id == FLOW_PARAM_HOOK ? flow_text(m, &param->value) : "";
	bool disabled;
	struct flow_effect *effect;
	struct flow *flow = NULL;

	if (*reference == '\0' && param->resource_name != NULL)
		reference = param->resource_name;
	if (hook < 0)
		return -1;
	disabled = hook_disabled(m, param->key.source);
	if (!disabled) {
		if (m->full)
			return 1;
		if (context->find_flow != NULL && *reference != '\0')
			flow = context->find_flow(context->owner, reference);
		if (flow == NULL ||
			(hook_types[hook] != FLOW_TYPE_UNKNOWN && flow->type != FLOW_TYPE_UNKNOWN &&
				flow->type != hook_types[hook]))
			return -1;
	}
	effect = flow_emit(m, FLOW_EFFECT_SET_HOOK);
	if (effect == NULL)
		return 1;
	effect->hook.hook = (enum flow_hook)hook;
	effect->hook.disabled = disabled;
	effect->hook.reference = reference;
	effect->hook.flow = flow;
	return 0;
}

/* A flag without a flow beside it still switches the hook. */
static bool flag_stands_alone(const struct flow_action *action, const struct flow_param *flag)
{
	for (uint16_t i = 0; i < action->param_count; i++) {
		if (action->params[i].id == FLOW_PARAM_HOOK &&
			strcmp(action->params[i].key.source, flag->key.source) == 0)
			return false;
	}
	return true;
}

static enum flow_step hooks_enter(struct flow_machine *m)
{
	uint32_t count = m->effects->count;

	for (uint16_t i = 0; i < m->action->param_count; i++) {
		const struct flow_param *param = &m->action->params[i];
		bool alone = param->id == FLOW_PARAM_HOOK_DISABLE &&
			     flag_stands_alone(m->action, param) &&
			     hook_disabled(m, param->key.source);
		int rc;

		if (param->id != FLOW_PARAM_HOOK && !alone)
			continue;
		rc = set_hook(m, param);
		if (rc > 0)
			return FLOW_STEP_FULL;
		if (rc < 0) {
			m->effects->count = count;
			flow_log(m, FLOW_LOG_WARNING,
				"%.40s: no published flow of the right type behind it",
				param->key.source);
			return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
		}
	}
	return flow_next(m);
}

const struct flow_handler flow_hooks_handler = {hooks_enter, NULL};

/* ---- Recording, streaming, logging, voice -------------------------------------------- */

static bool list_holds(struct flow_machine *m, enum flow_param_id id, const char *word)
{
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		if (m->action->params[i].id == id &&
			strcasecmp(flow_text(m, &m->action->params[i].value), word) == 0)
			return true;
	}
	return false;
}

static enum flow_step recording_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_emit(m, FLOW_EFFECT_SET_RECORDING);

	if (effect != NULL) {
		effect->recording.agent = list_holds(m, FLOW_PARAM_RECORDED, "Agent");
		effect->recording.customer = list_holds(m, FLOW_PARAM_RECORDED, "Customer");
		effect->recording.screen = list_holds(m, FLOW_PARAM_SCREEN_RECORDED, "Agent");
		effect->recording.ivr = list_holds(m, FLOW_PARAM_IVR_RECORDING, "Enabled");
	}
	return flow_done(m, effect);
}

const struct flow_handler flow_recording_handler = {recording_enter, NULL};

static enum flow_step streaming_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_ask(m, FLOW_EFFECT_SET_STREAMING);

	if (effect != NULL) {
		effect->streaming.on = list_holds(m, FLOW_PARAM_STATE, "Enabled");
		effect->streaming.from_customer =
			list_holds(m, FLOW_PARAM_STREAM_DIRECTION, "From");
		effect->streaming.to_customer = list_holds(m, FLOW_PARAM_STREAM_DIRECTION, "To");
	}
	return flow_wait_answer(m, effect);
}

static enum flow_step streaming_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	return event->result == FLOW_RESULT_OK ? flow_next(m) : flow_fail_answer(m, event);
}

const struct flow_handler flow_streaming_handler = {streaming_enter, streaming_event};

static enum flow_step logging_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_emit(m, FLOW_EFFECT_SET_LOGGING);

	bool on = list_holds(m, FLOW_PARAM_STATE, "Enabled");

	if (effect == NULL || m->full)
		return FLOW_STEP_FULL;
	effect->flag = on;
	m->run->context->memory->logged = on;
	return flow_done(m, effect);
}

const struct flow_handler flow_logging_handler = {logging_enter, NULL};

static enum flow_step voice_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_emit(m, FLOW_EFFECT_SET_VOICE);

	if (effect != NULL) {
		effect->voice.voice = flow_param_text(m, FLOW_PARAM_VOICE);
		effect->voice.engine = flow_param_text(m, FLOW_PARAM_VOICE_ENGINE);
		effect->voice.style = flow_param_text(m, FLOW_PARAM_VOICE_STYLE);
	}
	return flow_done(m, effect);
}

const struct flow_handler flow_voice_handler = {voice_enter, NULL};

/* ---- Routing ------------------------------------------------------------------------- */

static enum flow_step routing_enter(struct flow_machine *m)
{
	struct flow_effect *effect;
	int64_t number;

	if (flow_param_number(m, FLOW_PARAM_PRIORITY, &number) && number >= 1) {
		effect = flow_emit(m, FLOW_EFFECT_SET_PRIORITY);
		if (effect != NULL)
			effect->number = number;
		return flow_done(m, effect);
	}
	if (flow_param_number(m, FLOW_PARAM_AGE_S, &number)) {
		effect = flow_emit(m, FLOW_EFFECT_ADJUST_AGE);
		if (effect != NULL)
			effect->number = number;
		return flow_done(m, effect);
	}
	return m->full ? FLOW_STEP_FULL : flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

const struct flow_handler flow_routing_handler = {routing_enter, NULL};

/* What a function answered below a path, each member with its place below `place`. */
static bool add_members(struct flow_machine *m, const char *place, const struct flow_part *path)
{
	struct attributes_cursor cursor = {0};
	struct attribute one;
	char whole[2 * FLOW_NAME_MAX];

	while (attributes_next(&m->run->locals.external, &cursor, &one)) {
		if (strncmp(one.name, path->text, path->length) != 0 ||
			one.name[path->length] != '.')
			continue;
		snprintf(whole, sizeof(whole), "%s%s%s", place, *place ? "." : "",
			one.name + path->length + 1);
		if (!flow_add_pair(m, flow_keep(m, whole, strlen(whole)), one.value))
			return false;
	}
	return true;
}

/* The criteria, whole or in part, may be an object that a function answered. */
static bool add_criteria(struct flow_machine *m, const struct flow_param *param)
{
	const char *place = flow_text(m, &param->key);
	const struct flow_value *value = &param->value;

	if (value->class == FLOW_VALUE_PATH && value->parts[0].space == FLOW_SPACE_EXTERNAL &&
		attributes_get_n(&m->run->locals.external, value->parts[0].text,
			value->parts[0].length) == NULL)
		return add_members(m, place, &value->parts[0]);
	return flow_add_pair(m, place, flow_text(m, value));
}

static enum flow_step criteria_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_ask(m, FLOW_EFFECT_SET_CRITERIA);
	uint32_t first = m->effects->pair_count;

	if (effect == NULL)
		return FLOW_STEP_FULL;
	for (uint16_t i = 0; i < m->action->param_count; i++)
		if (m->action->params[i].id == FLOW_PARAM_CRITERIA &&
			!add_criteria(m, &m->action->params[i]))
			break;
	effect->pairs.list = m->effects->pairs + first;
	effect->pairs.count = m->effects->pair_count - first;
	return flow_wait_answer(m, effect);
}

const struct flow_handler flow_criteria_handler = {criteria_enter, streaming_event};
