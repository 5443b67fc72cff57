/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "flow/machine.h"

static const char *const effect_names[FLOW_EFFECT_COUNT] = {
	[FLOW_EFFECT_PLAY] = "play",
	[FLOW_EFFECT_STOP_PLAYING] = "stop_playing",
	[FLOW_EFFECT_SET_TARGET_QUEUE] = "set_target_queue",
	[FLOW_EFFECT_CHECK_HOURS] = "check_hours",
	[FLOW_EFFECT_CHECK_METRIC] = "check_metric",
	[FLOW_EFFECT_GET_METRICS] = "get_metrics",
	[FLOW_EFFECT_TRANSFER_TO_QUEUE] = "transfer_to_queue",
	[FLOW_EFFECT_MOVE_TO_QUEUE] = "move_to_queue",
	[FLOW_EFFECT_TRANSFER_TO_NUMBER] = "transfer_to_number",
	[FLOW_EFFECT_CREATE_CALLBACK] = "create_callback",
	[FLOW_EFFECT_SET_CALLBACK_NUMBER] = "set_callback_number",
	[FLOW_EFFECT_CALL_OUTBOUND] = "call_outbound",
	[FLOW_EFFECT_ENCRYPT_INPUT] = "encrypt_input",
	[FLOW_EFFECT_HOLD_PARTICIPANT] = "hold_participant",
	[FLOW_EFFECT_SET_HOOK] = "set_hook",
	[FLOW_EFFECT_ATTRIBUTES_SET] = "attributes_set",
	[FLOW_EFFECT_SET_CONTACT_DATA] = "set_contact_data",
	[FLOW_EFFECT_SET_TAGS] = "set_tags",
	[FLOW_EFFECT_SET_PRIORITY] = "set_priority",
	[FLOW_EFFECT_ADJUST_AGE] = "adjust_age",
	[FLOW_EFFECT_SET_CRITERIA] = "set_criteria",
	[FLOW_EFFECT_SET_RECORDING] = "set_recording",
	[FLOW_EFFECT_SET_STREAMING] = "set_streaming",
	[FLOW_EFFECT_SET_LOGGING] = "set_logging",
	[FLOW_EFFECT_SET_VOICE] = "set_voice",
	[FLOW_EFFECT_INVOKE_LAMBDA] = "invoke_lambda",
	[FLOW_EFFECT_SERVICE] = "service",
	[FLOW_EFFECT_DISCONNECT] = "disconnect",
	[FLOW_EFFECT_OVER] = "over",
	[FLOW_EFFECT_LOG] = "log",
	[FLOW_EFFECT_ENTER] = "enter",
	[FLOW_EFFECT_LEAVE] = "leave",
};

static const char *const state_names[] = {
	[FLOW_RUN_IDLE] = "idle",
	[FLOW_RUN_RUNNING] = "running",
	[FLOW_RUN_WAITING] = "waiting",
	[FLOW_RUN_OVER] = "over",
};

static const char *const outcome_names[] = {
	[FLOW_OUTCOME_NONE] = "none",
	[FLOW_OUTCOME_PROCEED] = "proceed",
	[FLOW_OUTCOME_SILENCE] = "silence",
	[FLOW_OUTCOME_QUEUED] = "queued",
	[FLOW_OUTCOME_TO_AGENT] = "to_agent",
	[FLOW_OUTCOME_THIRD_PARTY] = "third_party",
	[FLOW_OUTCOME_DISCONNECTED] = "disconnected",
	[FLOW_OUTCOME_PARTY_GONE] = "party_gone",
	[FLOW_OUTCOME_STOPPED] = "stopped",
};

static const char *const hook_names[FLOW_HOOK_COUNT] = {
#define X(id, name) [FLOW_HOOK_##id] = name,
	FLOW_HOOK_LIST(X)
#undef X
};

const char *flow_effect_name(enum flow_effect_type type)
{
	return (unsigned)type < FLOW_EFFECT_COUNT ? effect_names[type] : "?";
}

const char *flow_run_state_name(enum flow_run_state state)
{
	return (unsigned)state <= FLOW_RUN_OVER ? state_names[state] : "?";
}

const char *flow_outcome_name(enum flow_outcome outcome)
{
	return (unsigned)outcome <= FLOW_OUTCOME_STOPPED ? outcome_names[outcome] : "?";
}

const char *flow_hook_name(enum flow_hook hook)
{
	return (unsigned)hook < FLOW_HOOK_COUNT ? hook_names[hook] : "?";
}

/* ---- State --------------------------------------------------------------------------- */

/* Which states may follow: the picture in engine.h as bits. */
static const unsigned run_may_become[] = {
	[FLOW_RUN_IDLE] = 1u << FLOW_RUN_RUNNING,
	[FLOW_RUN_RUNNING] = 1u << FLOW_RUN_WAITING | 1u << FLOW_RUN_OVER,
	[FLOW_RUN_WAITING] = 1u << FLOW_RUN_RUNNING | 1u << FLOW_RUN_OVER,
	[FLOW_RUN_OVER] = 0,
};

static void run_set_state(struct flow_run *run, enum flow_run_state state)
{
	CHECK(run_may_become[run->state] & 1u << state);
	run->state = state;
}

/* ---- Leaving an action --------------------------------------------------------------- */

enum flow_step flow_over(struct flow_machine *m, enum flow_outcome outcome)
{
	flow_stop_playing(m);
	m->run->outcome = outcome;
	m->run->wait = FLOW_WAIT_NONE;
	m->run->pending_id = 0;
	m->run->wake_at_ns = 0;
	if (outcome == FLOW_OUTCOME_DISCONNECTED)
		flow_emit(m, FLOW_EFFECT_DISCONNECT);
	flow_emit(m, FLOW_EFFECT_OVER);
	return FLOW_STEP_OVER;
}

void flow_leave(struct flow_machine *m, struct flow *flow)
{
	if (flow->references > 1) {
		flow_release(flow);
		return;
	}
	CHECK(m->effects->left_count < FLOW_EFFECTS_MAX);
	m->effects->left[m->effects->left_count++] = flow;
}

/* What a flow that has nothing more to do means to the party, by what it runs as. */
static enum flow_outcome outcome_of_role(enum flow_type role)
{
	switch (role) {
	case FLOW_TYPE_CUSTOMER_WHISPER:
	case FLOW_TYPE_AGENT_WHISPER:
	case FLOW_TYPE_OUTBOUND_WHISPER:
		return FLOW_OUTCOME_PROCEED;
	case FLOW_TYPE_CUSTOMER_QUEUE:
	case FLOW_TYPE_CUSTOMER_HOLD:
	case FLOW_TYPE_AGENT_HOLD:
		return FLOW_OUTCOME_SILENCE;
	default:
		return FLOW_OUTCOME_DISCONNECTED;
	}
}

enum flow_step flow_run_out(struct flow_machine *m, bool resume)
{
	struct flow_run *run = m->run;

	while (run->depth > 0)
		flow_leave_module(m);
	if (resume && run->resume_action != FLOW_NO_ACTION) {
		run->action = run->resume_action;
		return FLOW_STEP_GO;
	}
	return flow_over(m, outcome_of_role(run->role));
}

enum flow_step flow_go(struct flow_machine *m, uint16_t target)
{
	struct flow_run *run = m->run;

	if (target != FLOW_NO_ACTION) {
		run->action = target;
		return FLOW_STEP_GO;
	}
	if (run->depth > 0)
		return flow_return(m, "", NULL, 0);
	return flow_run_out(m, true);
}

enum flow_step flow_next(struct flow_machine *m)
{
	flow_trace_leave(m, "", "NextAction", m->action->next);
	return flow_go(m, m->action->next);
}

enum flow_step flow_fail(struct flow_machine *m, enum flow_error error)
{
	uint16_t target = flow_action_error(m->action, error);
	const char *branch = flow_error_name(error);

	if (target == FLOW_NO_ACTION) {
		target = flow_action_error(m->action, FLOW_ERROR_NO_MATCHING_ERROR);
		branch = flow_error_name(FLOW_ERROR_NO_MATCHING_ERROR);
	}
	if (target == FLOW_NO_ACTION) {
		target = m->action->next;
		branch = "NextAction";
	}
	flow_trace_leave(m, flow_error_name(error), branch, target);
	return flow_go(m, target);
}

/* Whether a condition is true of the result. Operands take no room once they are compared. */
static bool holds(struct flow_machine *m, const struct flow_condition *condition,
	const char *result, const char **operand)
{
	uint32_t length = m->effects->text_length;
	const struct flow_param *param = flow_action_param(m->action, FLOW_PARAM_COMPARISON);
	bool roomy = flow_has_room(m);
	bool held = false;

	*operand = flow_text(m, &condition->operand);
	if (m->full && roomy)
		m->full = false; /* longer than anything it could match */
	else if (condition->op == FLOW_KEY_EXISTS)
		held = param != NULL && flow_has_key(m, &param->value, *operand);
	else
		held = flow_compare((enum flow_operator)condition->op, result, *operand);
	if (!held)
		m->effects->text_length = length;
	return held;
}

enum flow_step flow_result(struct flow_machine *m, const char *result)
{
	const struct flow_action *action = m->action;
	const char *operand;
	uint16_t target;

	/* Operands may be long and many: a flow that has used up its second compares no more. */
	for (uint16_t i = 0; i < action->condition_count && m->run->steps <= FLOW_STEPS_MAX; i++) {
		const struct flow_condition *condition = &action->conditions[i];
		bool held = holds(m, condition, result, &operand);

		if (m->full)
			return FLOW_STEP_FULL;
		if (held) {
			flow_trace_leave(m, result, operand, condition->target);
			return flow_go(m, condition->target);
		}
	}
	target = flow_action_error(action, FLOW_ERROR_NO_MATCHING_CONDITION);
	if (action->condition_count > 0 && target != FLOW_NO_ACTION) {
		flow_trace_leave(
			m, result, flow_error_name(FLOW_ERROR_NO_MATCHING_CONDITION), target);
		return flow_go(m, target);
	}
	flow_trace_leave(m, result, "NextAction", action->next);
	return flow_go(m, action->next);
}

enum flow_step flow_fail_answer(struct flow_machine *m, const struct flow_event *event)
{
	switch (event->result) {
	case FLOW_RESULT_AT_CAPACITY:
		return flow_fail(m, FLOW_ERROR_QUEUE_AT_CAPACITY);
	case FLOW_RESULT_CALL_FAILED:
		return flow_fail(m, FLOW_ERROR_CALL_FAILED);
	case FLOW_RESULT_INVALID:
		return flow_fail(m, FLOW_ERROR_INVALID_CALLBACK_NUMBER);
	case FLOW_RESULT_NOT_DIALABLE:
		return flow_fail(m, FLOW_ERROR_CALLBACK_NOT_DIALABLE);
	case FLOW_RESULT_FAILED:
		return flow_fail(m, event->error);
	default:
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
}

void flow_enter(struct flow_machine *m, struct flow *flow)
{
	m->run->flow = flow_hold(flow);
	m->run->action = flow->start;
}

/* ---- Waiting ------------------------------------------------------------------------- */

/* Waiting actions whose answer comes from a person, not from a machine. */
static bool talks_to_party(const struct flow_action *action)
{
	return action->type == FLOW_ACTION_LEX || action->type == FLOW_ACTION_TO_THIRD_PARTY;
}

enum flow_step flow_wait_for(struct flow_machine *m, enum flow_wait wait, uint64_t wake_at_ns)
{
	if (m->full)
		return FLOW_STEP_FULL;
	if (wait != FLOW_WAIT_ANSWER || talks_to_party(m->action))
		m->run->lambda_ns = 0;
	m->run->wait = wait;
	m->run->wake_at_ns = wake_at_ns;
	return FLOW_STEP_WAIT;
}

enum flow_step flow_wait_answer(struct flow_machine *m, struct flow_effect *effect)
{
	if (effect == NULL || m->full)
		return FLOW_STEP_FULL;
	m->run->pending_id = effect->id;
	return flow_wait_for(m, FLOW_WAIT_ANSWER, 0);
}

enum flow_step flow_done(struct flow_machine *m, const struct flow_effect *effect)
{
	if (effect == NULL || m->full)
		return FLOW_STEP_FULL;
	return flow_next(m);
}

/* ---- The loop ------------------------------------------------------------------------ */

/* What a handler may have put into the effects and what it has not. */
struct mark {
	uint32_t count, message_count, pair_count, text_length, traced_count, traced_length;
};

static struct mark mark_of(const struct flow_effects *fx)
{
	return (struct mark){fx->count, fx->message_count, fx->pair_count, fx->text_length,
		fx->traced_count, fx->traced_length};
}

static void undo_to(struct flow_effects *fx, const struct mark *mark)
{
	fx->count = mark->count;
	fx->message_count = mark->message_count;
	fx->pair_count = mark->pair_count;
	fx->text_length = mark->text_length;
	fx->traced_count = mark->traced_count;
	fx->traced_length = mark->traced_length;
}

/* Steps count within a second. */
static void begin_window(struct flow_run *run, uint64_t now_ns)
{
	if (now_ns - run->window_ns < FLOW_SECOND_NS)
		return;
	run->window_ns = now_ns;
	run->steps = 0;
}

/* More than FLOW_STEPS_MAX actions within a second: nobody listens to this flow, it only burns
 * time. */
static bool runs_away(struct flow_machine *m)
{
	return ++m->run->steps > FLOW_STEPS_MAX;
}

/* Effects that an action makes besides its own: ENTER, STOP_PLAYING, LOG, LEAVE, DISCONNECT, OVER. */
#define SPARE_EFFECTS 7u

/*
 * Runs one handler call. When it did not fit: undo, and pause until the caller has carried out what
 * is there; when there was nothing to carry out it can never fit, and the action fails.
 */
static enum flow_step enter_action(struct flow_machine *m)
{
	const struct mark before = mark_of(m->effects);
	bool fresh = before.count == 0 && before.text_length == 0;
	uint32_t play_id = m->run->play_id;
	struct mark entered;
	enum flow_step step;

	m->full = false;
	m->action = &m->run->flow->actions[m->run->action];
	if (!flow_trace_enter(m))
		return FLOW_STEP_FULL;
	entered = mark_of(m->effects);
	step = flow_handler((enum flow_action_type)m->action->type)->enter(m);
	if (step != FLOW_STEP_FULL) {
		if (m->effects->count == entered.count)
			undo_to(m->effects, &entered);
		return step;
	}
	undo_to(m->effects, fresh ? &entered : &before);
	m->run->play_id = play_id;
	if (!fresh)
		return FLOW_STEP_FULL;
	m->full = false;
	flow_log(m, FLOW_LOG_WARNING, "its parameters are too large when filled in");
	return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
}

/* Actions that follow may ask for what the owner knows once these are carried out. */
static bool facts_change(const struct flow_effects *effects, uint32_t from)
{
	for (uint32_t i = from; i < effects->count; i++) {
		const enum flow_effect_type type = effects->items[i].type;

		if (type == FLOW_EFFECT_SET_CONTACT_DATA || type == FLOW_EFFECT_SET_TAGS ||
			type == FLOW_EFFECT_SET_VOICE)
			return true;
	}
	return false;
}

static enum flow_step run_actions(struct flow_machine *m)
{
	struct flow_run *run = m->run;
	enum flow_step step = FLOW_STEP_GO;
	uint32_t from;

	while (step == FLOW_STEP_GO) {
		if (m->effects->count + SPARE_EFFECTS > FLOW_EFFECTS_MAX ||
			m->effects->left_count + FLOW_MODULE_DEPTH_MAX + 1 > FLOW_EFFECTS_MAX)
			return FLOW_STEP_FULL;
		m->action = &run->flow->actions[run->action];
		if (runs_away(m)) {
			flow_log(m, FLOW_LOG_ERROR,
				"stopped: more than %u actions within a second without waiting",
				FLOW_STEPS_MAX);
			return flow_run_out(m, false);
		}
		run->wait = FLOW_WAIT_NONE;
		run->pending_id = 0;
		run->wake_at_ns = 0;
		from = m->effects->count;
		step = enter_action(m);
		if (step == FLOW_STEP_GO && facts_change(m->effects, from))
			return FLOW_STEP_PAUSE;
	}
	return step;
}

static void settle(struct flow_machine *m, enum flow_step step)
{
	struct flow_run *run = m->run;

	if (step == FLOW_STEP_GO)
		step = run_actions(m);
	switch (step) {
	case FLOW_STEP_WAIT:
		run_set_state(run, FLOW_RUN_WAITING);
		break;
	case FLOW_STEP_OVER:
		run_set_state(run, FLOW_RUN_OVER);
		break;
	case FLOW_STEP_FULL:
	case FLOW_STEP_PAUSE:
		run->wake_at_ns = m->now_ns > 0 ? m->now_ns : 1;
		break;
	case FLOW_STEP_GO:
		break;
	}
}

int flow_run_start(struct flow_run *run, struct flow *flow, enum flow_type role,
	const struct flow_context *context, uint64_t now_ns, struct flow_effects *effects)
{
	struct flow_machine m = {.run = run, .effects = effects, .now_ns = now_ns};

	flow_effects_reset(effects);
	if (flow == NULL || context == NULL || context->memory == NULL || flow->action_count == 0)
		return -EINVAL;
	CHECK(run->state == FLOW_RUN_IDLE);
	run->role = role;
	run->context = context;
	run->resume_action = FLOW_NO_ACTION;
	run->window_ns = now_ns;
	flow_enter(&m, flow);
	run_set_state(run, FLOW_RUN_RUNNING);
	settle(&m, FLOW_STEP_GO);
	return 0;
}

/* Whether the run waits for this event: 1 yes, 0 it is of no interest, -ESTALE. */
static int wanted(const struct flow_run *run, const struct flow_event *event, uint64_t now_ns)
{
	switch (event->type) {
	case FLOW_EVENT_PLAY_DONE:
	case FLOW_EVENT_PLAY_FAILED:
		return event->id != 0 && event->id == run->play_id ? 1 : -ESTALE;
	case FLOW_EVENT_ANSWER:
		return event->id != 0 && event->id == run->pending_id ? 1 : -ESTALE;
	case FLOW_EVENT_TIMER:
		return run->wake_at_ns != 0 && now_ns >= run->wake_at_ns;
	case FLOW_EVENT_KEY:
		return run->wait == FLOW_WAIT_INPUT;
	case FLOW_EVENT_PARTY_GONE:
		return 1;
	}
	return 0;
}

static enum flow_step deliver(struct flow_machine *m, const struct flow_event *event)
{
	struct flow_run *run = m->run;
	const struct flow_handler *handler = flow_handler((enum flow_action_type)m->action->type);

	if (event->type == FLOW_EVENT_PARTY_GONE) {
		run->play_id = 0;
		return flow_over(m, FLOW_OUTCOME_PARTY_GONE);
	}
	if (run->state == FLOW_RUN_RUNNING)
		return FLOW_STEP_GO;
	if (event->type == FLOW_EVENT_PLAY_DONE || event->type == FLOW_EVENT_PLAY_FAILED) {
		run->play_id = 0;
		/* Prompts left playing during an interrupt are nobody's any more. */
		if (run->wait == FLOW_WAIT_ANSWER || run->wait == FLOW_WAIT_TIME)
			return FLOW_STEP_WAIT;
	}
	if (event->type == FLOW_EVENT_ANSWER)
		run->pending_id = 0;
	return handler->event != NULL ? handler->event(m, event) : FLOW_STEP_WAIT;
}

int flow_run_step(struct flow_run *run, const struct flow_event *event, uint64_t now_ns,
	struct flow_effects *effects)
{
	struct flow_machine m = {.run = run, .effects = effects, .now_ns = now_ns};
	enum flow_step step;
	int want;

	flow_effects_reset(effects);
	if (run->state != FLOW_RUN_WAITING && run->state != FLOW_RUN_RUNNING)
		return -EINVAL;
	want = wanted(run, event, now_ns);
	if (want <= 0)
		return want;
	m.action = &run->flow->actions[run->action];
	begin_window(run, now_ns);
	step = deliver(&m, event);
	if (step == FLOW_STEP_WAIT && run->state == FLOW_RUN_WAITING)
		return 0;
	if (run->state == FLOW_RUN_WAITING && step != FLOW_STEP_OVER)
		run_set_state(run, FLOW_RUN_RUNNING);
	settle(&m, step);
	return 0;
}

void flow_run_stop(struct flow_run *run, struct flow_effects *effects)
{
	struct flow_machine m = {.run = run, .effects = effects};

	flow_effects_reset(effects);
	if (run->state != FLOW_RUN_WAITING && run->state != FLOW_RUN_RUNNING)
		return;
	m.action = &run->flow->actions[run->action];
	flow_over(&m, FLOW_OUTCOME_STOPPED);
	run_set_state(run, FLOW_RUN_OVER);
}

void flow_run_clear(struct flow_run *run)
{
	struct flow_frame *outer;
	uint32_t next_id;

	if (run == NULL)
		return;
	next_id = run->next_id;
	for (struct flow_frame *frame = run->invoker; frame != NULL; frame = outer) {
		outer = frame->outer;
		flow_frame_free(frame);
	}
	if (run->input != NULL)
		explicit_bzero(run->input, sizeof(*run->input));
	free(run->input);
	flow_release(run->flow);
	flow_locals_clear(&run->locals);
	explicit_bzero(run, sizeof(*run));
	run->next_id = next_id;
}

bool flow_memory_store(struct flow_memory *memory, const char *input)
{
	char *copy = *input != '\0' ? strndup(input, FLOW_STORED_INPUT_MAX) : NULL;

	flow_wipe(memory->stored_input);
	memory->stored_input = copy;
	return copy != NULL || *input == '\0';
}

void flow_memory_clear(struct flow_memory *memory)
{
	attributes_clear(&memory->attributes);
	flow_wipe(memory->stored_input);
	free(memory->counters);
	*memory = (struct flow_memory){0};
}
