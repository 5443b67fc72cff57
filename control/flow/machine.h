/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h: what the families of actions are written against (engine.c owns it). A handler is
 * called with the machine, looks at its action, may emit effects, and says how it leaves:
 *
 *     enter   the action begins; emit, then flow_next / flow_fail / flow_result, or wait
 *     event   something that the action waits for came
 *
 * A handler that has run out of room returns FLOW_STEP_FULL: the engine undoes its effects and
 * enters it again with empty ones, so it must not change the run or the memory before everything
 * was emitted.
 */
#pragma once

#include "flow/engine.h"
#include "flow/rules.h"

enum flow_step {
	FLOW_STEP_GO,   /* run->action is the next action */
	FLOW_STEP_WAIT, /* run->wait says for what */
	FLOW_STEP_OVER, /* run->outcome is set */
	FLOW_STEP_FULL,
	FLOW_STEP_PAUSE /* as GO, when the effects are carried out */
};

struct flow_machine {
	struct flow_run *run;
	struct flow_effects *effects;
	const struct flow_action *action;
	uint64_t now_ns;
	bool full; /* something did not fit */
};

struct flow_handler {
	enum flow_step (*enter)(struct flow_machine *m);
	enum flow_step (*event)(struct flow_machine *m, const struct flow_event *event);
};

const struct flow_handler *flow_handler(enum flow_action_type type);

/* ---- Leaving an action --------------------------------------------------------------- */

/* Along NextAction. */
enum flow_step flow_next(struct flow_machine *m);
/* Along the error's branch, else NoMatchingError, else NextAction. */
enum flow_step flow_fail(struct flow_machine *m, enum flow_error error);
/* The first condition that is true of `result`, else NoMatchingCondition, else NextAction. */
enum flow_step flow_result(struct flow_machine *m, const char *result);
/* To an action of the same flow; FLOW_NO_ACTION: the flow has run out. */
enum flow_step flow_go(struct flow_machine *m, uint16_t target);
/* The flow has nothing more to do; `resume`: a queue or hold flow goes back to its loop prompt. */
enum flow_step flow_run_out(struct flow_machine *m, bool resume);
/* The run is over. Stops what plays. */
enum flow_step flow_over(struct flow_machine *m, enum flow_outcome outcome);
/* A branch for an answer that has no success: ERROR, TIMEOUT and so on. */
enum flow_step flow_fail_answer(struct flow_machine *m, const struct flow_event *event);
/* Continues in another flow, at its start. The flow that was run in stays held: flow_leave. */
void flow_enter(struct flow_machine *m, struct flow *flow);
/* The run is done with a flow that it held; effects may still point into it. */
void flow_leave(struct flow_machine *m, struct flow *flow);
/* Back to the flow that invoked the present module; m->action is then the block that did. */
void flow_leave_module(struct flow_machine *m);
/* The same with a result to branch on and values for $.Modules. */
enum flow_step flow_return(
	struct flow_machine *m, const char *result, const struct attribute *data, size_t count);
void flow_locals_clear(struct flow_locals *locals);
/* Frees a text and leaves nothing of it in memory. NULL is fine. */
void flow_wipe(char *secret);
/* With what it holds. */
void flow_frame_free(struct flow_frame *frame);

/* ---- Trace (trace.c) ----------------------------------------------------------------- */

/* Nothing, and true, unless context.trace. False: no room; carry out what is there first. */
bool flow_trace_enter(struct flow_machine *m);
void flow_trace_leave(
	struct flow_machine *m, const char *result, const char *branch, uint16_t target);

/* ---- Waiting ------------------------------------------------------------------------- */

/* For the answer to the effect just emitted. */
enum flow_step flow_wait_answer(struct flow_machine *m, struct flow_effect *effect);
enum flow_step flow_wait_for(struct flow_machine *m, enum flow_wait wait, uint64_t wake_at_ns);
/* An effect without answer was the whole action. */
enum flow_step flow_done(struct flow_machine *m, const struct flow_effect *effect);

/* ---- Effects ------------------------------------------------------------------------- */

/* A new effect, zeroed, or NULL (and m->full) when there is no room. */
struct flow_effect *flow_emit(struct flow_machine *m, enum flow_effect_type type);
/* The same with an id that an answer must bear. */
struct flow_effect *flow_ask(struct flow_machine *m, enum flow_effect_type type);
void flow_stop_playing(struct flow_machine *m);
__attribute__((format(printf, 3, 4))) void flow_log(
	struct flow_machine *m, enum flow_log_level level, const char *format, ...);

/* ---- Parameters ---------------------------------------------------------------------- */

/* The value with its JSONPaths filled in. Never NULL; "" and m->full when there is no room. */
const char *flow_text(struct flow_machine *m, const struct flow_value *value);
/*
 * The same into `to` of `room` bytes; false when it does not fit. Masked: what comes from stored
 * input is FLOW_SECRET.
 */
bool flow_fill(const struct flow_machine *m, const struct flow_value *value, bool masked, char *to,
	size_t room, size_t *length);
/* The parameter of the present action; "" when it has none. */
const char *flow_param_text(struct flow_machine *m, enum flow_param_id id);
bool flow_has_param(const struct flow_machine *m, enum flow_param_id id);
/* False: missing, empty or not a number. */
bool flow_param_number(struct flow_machine *m, enum flow_param_id id, int64_t *number);
/* `otherwise` when missing or not a truth value. */
bool flow_param_flag(struct flow_machine *m, enum flow_param_id id, bool otherwise);
/* QueueId or AgentId. */
struct flow_target flow_param_target(struct flow_machine *m);
/* R85, R93: it comes from an attribute that holds nothing, and so names no queue at all. */
bool flow_target_is_lost(const struct flow_target *target);
/* The whole action is a question about that queue: an effect with only a target. */
enum flow_step flow_ask_about_target(struct flow_machine *m, enum flow_effect_type type);
/* The published flow or module that the parameter names, borrowed, or NULL. */
struct flow *flow_param_flow(struct flow_machine *m, enum flow_param_id id);
/* The messages of the action (Text, SSML, PromptId, Media) that are not empty, in order; their
 * number. */
uint16_t flow_param_messages(struct flow_machine *m, const struct flow_message **messages);
/* All parameters with this id as pairs of key and value. */
size_t flow_param_pairs(
	struct flow_machine *m, enum flow_param_id id, const struct attribute **pairs);
/* Puts one pair into the effects; false (and m->full) without room. */
bool flow_add_pair(struct flow_machine *m, const char *name, const char *value);
/* A copy of the text that is good as long as the effects. */
const char *flow_keep(struct flow_machine *m, const char *text, size_t length);

/* Room for the longest operand of a condition (FLOW_OPERAND_MAX); false with fuller effects. */
bool flow_has_room(const struct flow_machine *m);

/* Longer operands match nothing. */
#define FLOW_OPERAND_MAX (2 * ATTRIBUTES_BYTES_MAX)

/*
 * True when the condition holds of `left`; nothing holds of an empty value. FLOW_KEY_EXISTS is none
 * of these: flow_has_key.
 */
bool flow_compare(enum flow_operator op, const char *left, const char *right);
/* True when what the path of `value` names has a member `key`. */
bool flow_has_key(const struct flow_machine *m, const struct flow_value *value, const char *key);

#define FLOW_SECOND_NS UINT64_C(1000000000)

/* ---- Families ------------------------------------------------------------------------ */

extern const struct flow_handler flow_message_handler, flow_message_loop_handler;
extern const struct flow_handler flow_get_input_handler;
extern const struct flow_handler flow_to_queue_handler, flow_dequeue_handler, flow_to_agent_handler,
	flow_to_third_party_handler, flow_target_queue_handler, flow_callback_handler,
	flow_callback_number_handler, flow_call_outbound_handler, flow_hold_handler;
extern const struct flow_handler flow_set_attributes_handler, flow_set_flow_attributes_handler,
	flow_set_contact_data_handler, flow_tag_handler, flow_lambda_handler;
extern const struct flow_handler flow_compare_handler, flow_hours_handler, flow_metric_handler,
	flow_metrics_handler, flow_loop_handler, flow_distribute_handler, flow_wait_handler;
extern const struct flow_handler flow_hooks_handler, flow_recording_handler, flow_streaming_handler,
	flow_logging_handler, flow_voice_handler, flow_routing_handler, flow_criteria_handler;
extern const struct flow_handler flow_service_handler, flow_voice_error_handler;
extern const struct flow_handler flow_disconnect_handler, flow_end_handler, flow_to_flow_handler,
	flow_module_handler, flow_end_module_handler;
