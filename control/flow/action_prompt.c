/* SPDX-License-Identifier: Apache-2.0 */
/* Play prompt and Loop prompts. */
#include <string.h>

#include "flow/action_prompt.h"

bool flow_messages_fit(struct flow_machine *m, const struct flow_message *messages, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		if (strlen(messages[i].text) <= FLOW_PROMPT_TEXT_MAX)
			continue;
		flow_log(m, FLOW_LOG_WARNING, "the text of the prompt is longer than %u bytes",
			FLOW_PROMPT_TEXT_MAX);
		return false;
	}
	return true;
}

struct flow_effect *flow_play(
	struct flow_machine *m, const struct flow_message *messages, uint16_t count)
{
	struct flow_effect *effect = flow_ask(m, FLOW_EFFECT_PLAY);

	if (effect == NULL)
		return NULL;
	effect->play.messages = messages;
	effect->play.count = count;
	if (!m->full)
		m->run->play_id = effect->id;
	return effect;
}

static enum flow_step message_enter(struct flow_machine *m)
{
	const struct flow_message *messages;
	uint16_t count = flow_param_messages(m, &messages);

	if (m->full)
		return FLOW_STEP_FULL;
	if (count == 0)
		return flow_next(m);
	if (!flow_messages_fit(m, messages, count))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (flow_play(m, messages, count) == NULL)
		return FLOW_STEP_FULL;
	return flow_wait_for(m, FLOW_WAIT_PLAY, 0);
}

static enum flow_step message_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type == FLOW_EVENT_PLAY_FAILED)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return event->type == FLOW_EVENT_PLAY_DONE ? flow_next(m) : FLOW_STEP_WAIT;
}

const struct flow_handler flow_message_handler = {message_enter, message_event};

/* A loop prompt that cannot be played is nothing to come back to. */
static enum flow_step loop_failed(struct flow_machine *m)
{
	m->run->resume_action = FLOW_NO_ACTION;
	return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

static enum flow_step message_loop_enter(struct flow_machine *m)
{
	const struct flow_message *messages;
	uint16_t count = flow_param_messages(m, &messages);
	struct flow_effect *effect;
	int64_t interrupt_s;
	uint64_t wake_at_ns = 0;

	if (flow_param_number(m, FLOW_PARAM_INTERRUPT_S, &interrupt_s) && interrupt_s > 0)
		wake_at_ns = m->now_ns + (uint64_t)interrupt_s * FLOW_SECOND_NS;
	if (m->full)
		return FLOW_STEP_FULL;
	if (count == 0 || !flow_messages_fit(m, messages, count))
		return loop_failed(m);
	effect = flow_play(m, messages, count);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->play.loop = true;
	if (m->run->depth == 0)
		m->run->resume_action = m->action->index;
	return flow_wait_for(m, FLOW_WAIT_LOOP, wake_at_ns);
}

static enum flow_step message_loop_event(struct flow_machine *m, const struct flow_event *event)
{
	switch (event->type) {
	case FLOW_EVENT_TIMER:
		if (!flow_param_flag(m, FLOW_PARAM_CONTINUE_DURING_INTERRUPT, false))
			flow_stop_playing(m);
		return flow_result(m, "MessagesInterrupted");
	case FLOW_EVENT_PLAY_FAILED:
		return loop_failed(m);
	case FLOW_EVENT_PLAY_DONE:
		return FLOW_STEP_GO;
	default:
		return FLOW_STEP_WAIT;
	}
}

const struct flow_handler flow_message_loop_handler = {message_loop_enter, message_loop_event};
