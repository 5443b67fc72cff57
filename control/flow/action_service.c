/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions that an outside service carries out (Lex, Voice ID, tasks, cases, profiles), and those
 * that a voice contact cannot carry out at all.
 */
#include <string.h>

#include "flow/machine.h"

static enum flow_step service_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_ask(m, FLOW_EFFECT_SERVICE);
	const struct attribute *inputs = m->effects->pairs + m->effects->pair_count;
	const struct flow_message *messages;
	size_t count = 0;

	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->service.message_count = flow_param_messages(m, &messages);
	effect->service.messages = messages;
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		const struct flow_param *param = &m->action->params[i];

		if (!flow_add_pair(m, param->place, flow_text(m, &param->value)))
			return FLOW_STEP_FULL;
		count++;
	}
	effect->service.inputs = inputs;
	effect->service.count = count;
	return flow_wait_answer(m, effect);
}

static enum flow_step service_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail_answer(m, event);
	if (m->action->type == FLOW_ACTION_LEX) {
		attributes_clear(&m->run->locals.lex);
		if (attributes_set_all(&m->run->locals.lex, event->values, event->value_count) < 0)
			return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	return flow_result(m, event->text != NULL ? event->text : "");
}

const struct flow_handler flow_service_handler = {service_enter, service_event};

static enum flow_step voice_error_enter(struct flow_machine *m)
{
	return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

const struct flow_handler flow_voice_error_handler = {voice_error_enter, NULL};
