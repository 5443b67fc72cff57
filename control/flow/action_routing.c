/* SPDX-License-Identifier: Apache-2.0 */
/* Set working queue, transfers to queue, agent and number, callbacks, outbound call, hold. */
#include <string.h>

#include "flow/machine.h"

/* The branch of an answer that has nothing but success and failures. */
static enum flow_step simple_answer(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	return event->result == FLOW_RESULT_OK ? flow_next(m) : flow_fail_answer(m, event);
}

/* ---- Working queue ------------------------------------------------------------------- */

static enum flow_step target_queue_enter(struct flow_machine *m)
{
	struct flow_target target = flow_param_target(m);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (*target.queue == '\0' && *target.agent == '\0' && target.resource_name == NULL)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_SET_TARGET_QUEUE);
	if (effect != NULL)
		effect->target = target;
	return flow_wait_answer(m, effect);
}

const struct flow_handler flow_target_queue_handler = {target_queue_enter, simple_answer};

/* ---- Transfer to queue --------------------------------------------------------------- */

/* R88: a move whose Success leads nowhere is not made. */
static enum flow_step move_with_success(struct flow_machine *m)
{
	if (m->action->next != FLOW_NO_ACTION)
		return flow_ask_about_target(m, FLOW_EFFECT_MOVE_TO_QUEUE);
	flow_log(m, FLOW_LOG_ERROR,
		"the contact keeps its queue: Success of the transfer leads to no action");
	return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

/*
 * In a queue flow the contact is moved (R2). NextAction is no success branch of this action; the old
 * format has a Success there, when its file does not say that it is a queue flow.
 */
static enum flow_step to_queue_enter(struct flow_machine *m)
{
	if (m->run->role != FLOW_TYPE_CUSTOMER_QUEUE)
		return flow_ask_about_target(m, FLOW_EFFECT_TRANSFER_TO_QUEUE);
	return m->run->flow->format == FLOW_FORMAT_LEGACY
		       ? move_with_success(m)
		       : flow_ask_about_target(m, FLOW_EFFECT_MOVE_TO_QUEUE);
}

static enum flow_step to_queue_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail_answer(m, event);
	if (m->run->role != FLOW_TYPE_CUSTOMER_QUEUE)
		return flow_over(m, FLOW_OUTCOME_QUEUED);
	return m->run->flow->format == FLOW_FORMAT_LEGACY ? flow_next(m) : flow_run_out(m, true);
}

const struct flow_handler flow_to_queue_handler = {to_queue_enter, to_queue_event};

const struct flow_handler flow_dequeue_handler = {move_with_success, simple_answer};

/* ---- Transfer to agent --------------------------------------------------------------- */

static enum flow_step to_agent_enter(struct flow_machine *m)
{
	return flow_over(m, FLOW_OUTCOME_TO_AGENT);
}

const struct flow_handler flow_to_agent_handler = {to_agent_enter, NULL};

/* ---- Transfer to phone number -------------------------------------------------------- */

#define CONNECT_DEFAULT_S 30
#define CONNECT_MAX_S     600

static enum flow_step to_third_party_enter(struct flow_machine *m)
{
	const char *number = flow_param_text(m, FLOW_PARAM_PHONE_NUMBER);
	const char *digits = flow_param_text(m, FLOW_PARAM_DIGITS);
	const char *caller_number = flow_param_text(m, FLOW_PARAM_CALLER_NUMBER);
	int64_t timeout_s = CONNECT_DEFAULT_S;
	bool timeout_good = flow_action_param(m->action, FLOW_PARAM_CONNECT_S) == NULL ||
			    flow_param_number(m, FLOW_PARAM_CONNECT_S, &timeout_s);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (!flow_text_is_e164(number) || !flow_text_is_digits(digits) || !timeout_good ||
		timeout_s < 0 || timeout_s > CONNECT_MAX_S)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_TRANSFER_TO_NUMBER);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->third_party.number = number;
	effect->third_party.timeout_s = (uint32_t)timeout_s;
	effect->third_party.resume = flow_param_flag(m, FLOW_PARAM_RESUME, false);
	effect->third_party.digits = digits;
	effect->third_party.caller_number = caller_number;
	effect->third_party.caller_name = flow_param_text(m, FLOW_PARAM_CALLER_NAME);
	return flow_wait_answer(m, effect);
}

/* R72: Success, Call failed and Timeout exist only with resume. */
static enum flow_step to_third_party_event(struct flow_machine *m, const struct flow_event *event)
{
	bool resume = flow_param_flag(m, FLOW_PARAM_RESUME, false);

	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result == FLOW_RESULT_OK || event->result == FLOW_RESULT_ENDED)
		return resume ? flow_next(m) : flow_over(m, FLOW_OUTCOME_THIRD_PARTY);
	if (resume && event->result == FLOW_RESULT_TIMEOUT)
		return flow_fail(m, FLOW_ERROR_CONNECTION_TIME_LIMIT);
	if (resume && event->result == FLOW_RESULT_CALL_FAILED)
		return flow_fail(m, FLOW_ERROR_CALL_FAILED);
	return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

const struct flow_handler flow_to_third_party_handler = {
	to_third_party_enter, to_third_party_event};

/* ---- Callbacks ----------------------------------------------------------------------- */

#define CALLBACK_DELAY_MAX_S 259200

/* A delay or count that is missing is `otherwise`; false when it is there and no good. */
static bool number_in(struct flow_machine *m, enum flow_param_id id, int64_t otherwise, int64_t min,
	int64_t max, uint32_t *out)
{
	int64_t number = otherwise;

	if (flow_action_param(m->action, id) != NULL && !flow_param_number(m, id, &number))
		return false;
	if (number < min || number > max)
		return false;
	*out = (uint32_t)number;
	return true;
}

static enum flow_step callback_enter(struct flow_machine *m)
{
	struct flow_target target = flow_param_target(m);
	const char *flow = flow_param_text(m, FLOW_PARAM_FLOW);
	const char *caller_number = flow_param_text(m, FLOW_PARAM_CALLER_NUMBER);
	uint32_t delay_s, attempts, retry_s;
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow_target_is_lost(&target) ||
		!number_in(m, FLOW_PARAM_DELAY_S, 0, 0, CALLBACK_DELAY_MAX_S, &delay_s) ||
		!number_in(m, FLOW_PARAM_ATTEMPTS, 1, 1, UINT16_MAX, &attempts) ||
		!number_in(m, FLOW_PARAM_RETRY_S, 0, 0, CALLBACK_DELAY_MAX_S, &retry_s))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_CREATE_CALLBACK);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->callback.target = target;
	effect->callback.delay_s = delay_s;
	effect->callback.attempts = attempts;
	effect->callback.retry_s = retry_s;
	effect->callback.flow = flow;
	effect->callback.caller_number = caller_number;
	return flow_wait_answer(m, effect);
}

const struct flow_handler flow_callback_handler = {callback_enter, simple_answer};

static enum flow_step callback_number_enter(struct flow_machine *m)
{
	const char *number = flow_param_text(m, FLOW_PARAM_CALLBACK_NUMBER);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (!flow_text_is_e164(number))
		return flow_fail(m, FLOW_ERROR_INVALID_CALLBACK_NUMBER);
	effect = flow_ask(m, FLOW_EFFECT_SET_CALLBACK_NUMBER);
	if (effect != NULL)
		effect->text = number;
	return flow_wait_answer(m, effect);
}

const struct flow_handler flow_callback_number_handler = {callback_number_enter, simple_answer};

/* ---- Outbound whisper, previous contact ---------------------------------------------- */

static enum flow_step call_outbound_enter(struct flow_machine *m)
{
	const char *caller_number = flow_param_text(m, FLOW_PARAM_CALLER_NUMBER);
	struct flow_effect *effect;
	uint32_t timeout_s;

	if (!number_in(m, FLOW_PARAM_CONNECT_S, CONNECT_DEFAULT_S, 1, CONNECT_MAX_S, &timeout_s))
		timeout_s = CONNECT_DEFAULT_S;
	effect = flow_emit(m, FLOW_EFFECT_CALL_OUTBOUND);
	if (effect != NULL) {
		effect->call.caller_number = caller_number;
		effect->call.timeout_s = timeout_s;
	}
	return flow_done(m, effect);
}

const struct flow_handler flow_call_outbound_handler = {call_outbound_enter, NULL};

static enum flow_step hold_enter(struct flow_machine *m)
{
	const char *state = flow_param_text(m, FLOW_PARAM_PARTICIPANT_STATE);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow_text_choice(state, FLOW_PARTICIPANT_STATES) < 0)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_HOLD_PARTICIPANT);
	if (effect != NULL)
		effect->text = state;
	return flow_wait_answer(m, effect);
}

const struct flow_handler flow_hold_handler = {hold_enter, simple_answer};
