/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a run: roles, guards, stale answers, what is owed at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define SAY(id, next)                                                                     \
	"{\"Identifier\": \"" id "\", \"Type\": \"MessageParticipant\", \"Parameters\": " \
	"{\"Text\": \"" id "\"}, \"Transitions\": {\"NextAction\": \"" next "\"}}"
#define SAY_LAST(id)                                                                      \
	"{\"Identifier\": \"" id "\", \"Type\": \"MessageParticipant\", \"Parameters\": " \
	"{\"Text\": \"" id "\"}}"
#define HANG_UP "{\"Identifier\": \"bye\", \"Type\": \"DisconnectParticipant\"}"
#define END     "{\"Identifier\": \"end\", \"Type\": \"EndFlowExecution\"}"

static void a_flow_that_runs_out_ends_as_its_role_says(void **state)
{
	static const struct {
		enum flow_type role;
		enum flow_outcome outcome;
	} rows[] = {
		{FLOW_TYPE_INBOUND, FLOW_OUTCOME_DISCONNECTED},
		{FLOW_TYPE_UNKNOWN, FLOW_OUTCOME_DISCONNECTED},
		{FLOW_TYPE_CUSTOMER_QUEUE, FLOW_OUTCOME_SILENCE},
		{FLOW_TYPE_CUSTOMER_HOLD, FLOW_OUTCOME_SILENCE},
		{FLOW_TYPE_AGENT_HOLD, FLOW_OUTCOME_SILENCE},
		{FLOW_TYPE_CUSTOMER_WHISPER, FLOW_OUTCOME_PROCEED},
		{FLOW_TYPE_AGENT_WHISPER, FLOW_OUTCOME_PROCEED},
		{FLOW_TYPE_OUTBOUND_WHISPER, FLOW_OUTCOME_PROCEED},
		{FLOW_TYPE_AGENT_TRANSFER, FLOW_OUTCOME_DISCONNECTED},
		{FLOW_TYPE_QUEUE_TRANSFER, FLOW_OUTCOME_DISCONNECTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		call_begin_text(&call, "only", "[" SAY_LAST("only") "]", rows[i].role);
		call_play_done(&call);
		assert_outcome(&call, rows[i].outcome);
		assert_int_equal(count_of(&call, FLOW_EFFECT_DISCONNECT),
			rows[i].outcome == FLOW_OUTCOME_DISCONNECTED);
		effect_of(&call, FLOW_EFFECT_OVER);
		call_end(&call);
		call_begin_text(&call, "end", "[" END "]", rows[i].role);
		assert_outcome(&call, rows[i].outcome);
		call_end(&call);
	}
}

static void answers_nobody_waits_for_are_stale(void **state)
{
	struct call call;
	struct flow_event event = {.type = FLOW_EVENT_PLAY_DONE};

	(void)state;
	call_begin_text(&call, "one", "[" SAY("one", "two") ", " SAY("two", "bye") ", " HANG_UP "]",
		FLOW_TYPE_INBOUND);
	event.id = effect_of(&call, FLOW_EFFECT_PLAY)->id;
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), 0);
	assert_at(&call, "two");
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), -ESTALE);
	assert_int_equal(call.fx->count, 0);
	event.type = FLOW_EVENT_ANSWER;
	event.id = 0;
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), -ESTALE);
	event.type = FLOW_EVENT_KEY;
	event.key = '1';
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), 0);
	event.type = FLOW_EVENT_TIMER;
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), 0);
	assert_at(&call, "two");
	call_play_done(&call);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	assert_int_equal(flow_run_step(&call.run, &event, call.now, call.fx), -EINVAL);
	call_end(&call);
}

static void an_answer_to_what_an_earlier_run_asked_is_stale(void **state)
{
	struct call call;
	struct flow_event late = {.type = FLOW_EVENT_PLAY_DONE};

	(void)state;
	call_begin_text(
		&call, "one", "[" SAY("one", "two") ", " SAY_LAST("two") "]", FLOW_TYPE_INBOUND);
	late.id = effect_of(&call, FLOW_EFFECT_PLAY)->id;
	flow_run_clear(&call.run);
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_at(&call, "one");
	assert_int_equal(flow_run_step(&call.run, &late, call.now, call.fx), -ESTALE);
	assert_at(&call, "one");
	call_end(&call);
}

static void an_endless_loop_is_stopped_with_a_log_line(void **state)
{
	static const char *const loop =
		"[{\"Identifier\": \"a\", \"Type\": \"UpdateFlowLoggingBehavior\", \"Parameters\": "
		"{\"FlowLoggingBehavior\": \"Enabled\"}, \"Transitions\": {\"NextAction\": \"b\"}},"
		"{\"Identifier\": \"b\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": "
		"\"$.Channel\"}, \"Transitions\": {\"NextAction\": \"a\"}}]";
	struct call call;
	int pauses = 0;

	(void)state;
	call_begin_text(&call, "a", loop, FLOW_TYPE_INBOUND);
	while (call.run.state == FLOW_RUN_RUNNING) {
		assert_true(pauses++ < 1000);
		assert_int_equal(call.run.wake_at_ns, call.now);
		call_timer(&call);
	}
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_LOG)->log.level, FLOW_LOG_ERROR);
	assert_non_null(strstr(effect_of(&call, FLOW_EFFECT_LOG)->log.text, "1000 actions"));
	call_end(&call);
}

static void a_loop_that_is_answered_at_once_is_stopped_too(void **state)
{
	static const char *const loop =
		"[{\"Identifier\": \"a\", \"Type\": \"CheckHoursOfOperation\", \"Transitions\": "
		"{\"NextAction\": \"a\"}}]";
	struct call call;
	int answers = 0;

	(void)state;
	call_begin_text(&call, "a", loop, FLOW_TYPE_CUSTOMER_QUEUE);
	while (call.run.state == FLOW_RUN_WAITING) {
		assert_true(answers++ <= 1000);
		call_answer(&call, FLOW_RESULT_ERROR);
	}
	assert_outcome(&call, FLOW_OUTCOME_SILENCE);
	call_end(&call);
}

/* Few actions, but each fills in megabytes: it counts as the time that it takes. */
static void a_loop_over_long_texts_is_stopped_early(void **state)
{
	static char actions[65536], value[30000];
	struct call call;
	size_t used;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	used = (size_t)snprintf(actions, sizeof(actions),
		"[{\"Identifier\": \"a\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": \"$.Channel\"}, \"Transitions\": {\"NextAction\": \"a\", "
		"\"Conditions\": [");
	for (int i = 0; i < 500; i++)
		used += (size_t)snprintf(actions + used, sizeof(actions) - used,
			"%s{\"NextAction\": \"a\", \"Condition\": {\"Operator\": \"Equals\", "
			"\"Operands\": [\"$.Attributes.x %d\"]}}",
			i > 0 ? ", " : "", i);
	snprintf(actions + used, sizeof(actions) - used, "]}}]");
	call_prepare(&call, flow_of(flow_text_of("a", actions), "main", FLOW_TYPE_UNKNOWN));
	assert_int_equal(attributes_set(&call.memory.attributes, "x", value), 0);
	assert_int_equal(attributes_set(&call.facts, "Channel", "VOICE"), 0);
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	assert_non_null(strstr(effect_of(&call, FLOW_EFFECT_LOG)->log.text, "without waiting"));
	/* 1000 steps of 4 KB: no more than some 150 operands of 30 KB were made. */
	assert_true(call.run.steps < FLOW_STEPS_MAX + 20);
	call_end(&call);
}

static void a_slow_loop_may_go_on(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "a", "[" SAY("a", "a") "]", FLOW_TYPE_INBOUND);
	for (int i = 0; i < 5000; i++) {
		call.now += SECOND / 100;
		call_play_done(&call);
	}
	assert_int_equal(call.run.state, FLOW_RUN_WAITING);
	call_party_gone(&call);
	call_end(&call);
}

static void full_effects_pause_and_lose_nothing(void **state)
{
	static char actions[65536];
	struct call call;
	size_t used = 0;
	int priorities = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(actions + used, sizeof(actions) - used,
			"%s{\"Identifier\": \"a%d\", \"Type\": \"UpdateContactRoutingBehavior\", "
			"\"Parameters\": {\"QueuePriority\": %d}, \"Transitions\": "
			"{\"NextAction\": \"%s%.*d\"}}",
			i == 0 ? "[" : ", ", i, i + 1, i < 99 ? "a" : "bye", i < 99,
			i < 99 ? i + 1 : 0);
	snprintf(actions + used, sizeof(actions) - used, ", " HANG_UP "]");
	call_begin_text(&call, "a0", actions, FLOW_TYPE_INBOUND);
	for (;;) {
		for (uint32_t i = 0; i < call.fx->count; i++) {
			if (call.fx->items[i].type == FLOW_EFFECT_SET_PRIORITY)
				assert_int_equal(call.fx->items[i].number, ++priorities);
		}
		if (call.run.state == FLOW_RUN_OVER)
			break;
		call_timer(&call);
	}
	assert_int_equal(priorities, 100);
	call_end(&call);
}

static void texts_too_large_when_filled_in_take_the_error_branch(void **state)
{
	static char actions[8192];
	static char value[4096];
	struct call call;
	size_t used;

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	used = (size_t)snprintf(actions, sizeof(actions),
		"[{\"Identifier\": \"a\", \"Type\": \"MessageParticipant\", \"Parameters\": "
		"{\"Text\": \"");
	for (int i = 0; i < 100; i++)
		used += (size_t)snprintf(actions + used, sizeof(actions) - used, "$.Attributes.x ");
	snprintf(actions + used, sizeof(actions) - used,
		"\"}, \"Transitions\": {\"NextAction\": \"a\", \"Errors\": [{\"ErrorType\": "
		"\"NoMatchingError\", \"NextAction\": \"bye\"}]}}, " HANG_UP "]");
	call_prepare(&call, flow_of(flow_text_of("a", actions), "main", FLOW_TYPE_UNKNOWN));
	assert_int_equal(attributes_set(&call.memory.attributes, "x", value), 0);
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	effect_of(&call, FLOW_EFFECT_LOG);
	call_end(&call);
}

static void R4_transfer_to_flow_jumps_and_drops_flow_attributes(void **state)
{
	static const char *const first =
		"[{\"Identifier\": \"a\", \"Type\": \"UpdateFlowAttributes\", \"Parameters\": "
		"{\"FlowAttributes\": {\"x\": {\"Value\": \"1\"}}}, \"Transitions\": "
		"{\"NextAction\": \"b\"}},"
		"{\"Identifier\": \"b\", \"Type\": \"UpdateContactAttributes\", \"Parameters\": "
		"{\"Attributes\": {\"y\": \"$.FlowAttributes.x\"}}, \"Transitions\": "
		"{\"NextAction\": \"c\"}},"
		"{\"Identifier\": \"c\", \"Type\": \"TransferToFlow\", \"Parameters\": "
		"{\"ContactFlowId\": "
		"\"second\"}, \"Transitions\": {\"NextAction\": \"bye\", \"Errors\": "
		"[{\"ErrorType\": "
		"\"NoMatchingError\", \"NextAction\": \"bye\"}]}}, " HANG_UP "]";
	static const char *const second = "[{\"Identifier\": \"s\", \"Type\": "
					  "\"MessageParticipant\", \"Parameters\": {\"Text\": "
					  "\"<$.FlowAttributes.x|$.Attributes.y>\"}}]";
	struct call call;

	(void)state;
	call_prepare(&call, flow_of(flow_text_of("a", first), "main", FLOW_TYPE_INBOUND));
	call_add_flow(&call, flow_of(flow_text_of("s", second), "second", FLOW_TYPE_INBOUND));
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_at(&call, "s");
	assert_string_equal(effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text, "<|1>");
	call_party_gone(&call);
	call_end(&call);

	/* No such flow, and a module: the error branch. */
	call_begin(&call, flow_of(flow_text_of("a", first), "main", FLOW_TYPE_INBOUND),
		FLOW_TYPE_INBOUND);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	call_end(&call);
	call_prepare(&call, flow_of(flow_text_of("a", first), "main", FLOW_TYPE_INBOUND));
	call_add_flow(&call, flow_of(flow_text_of("s", second), "second", FLOW_TYPE_MODULE));
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	call_end(&call);
}

static void a_flow_left_for_good_stays_until_its_effects_are_gone(void **state)
{
	static const char *const first =
		"[{\"Identifier\": \"w\", \"Type\": \"CheckHoursOfOperation\", \"Transitions\": "
		"{\"NextAction\": \"a\"}}, "
		"{\"Identifier\": \"a\", \"Type\": \"UpdateContactAttributes\", "
		"\"Parameters\": {\"Attributes\": {\"voice\": \"Vicki\"}}, "
		"\"Transitions\": {\"NextAction\": \"c\"}}, "
		"{\"Identifier\": \"c\", \"Type\": \"TransferToFlow\", \"Parameters\": "
		"{\"ContactFlowId\": "
		"\"second\"}}]";
	struct call call;

	(void)state;
	call_prepare(&call, flow_of(flow_text_of("w", first), "main", FLOW_TYPE_INBOUND));
	call_add_flow(&call,
		flow_of(flow_text_of("s", "[" SAY_LAST("s") "]"), "second", FLOW_TYPE_INBOUND));
	call_start(&call, FLOW_TYPE_INBOUND);
	flow_release(call.flow); /* a reload drops it: the run holds it alone */
	call_answer(&call, FLOW_RESULT_YES);
	assert_at(&call, "s");
	assert_string_equal(
		effect_of(&call, FLOW_EFFECT_ATTRIBUTES_SET)->attributes.list[0].value, "Vicki");
	call_party_gone(&call);
	call.flow = flow_of(flow_text_of("bye", "[" HANG_UP "]"), "new", FLOW_TYPE_INBOUND);
	call_end(&call);
}

/* What an action changes of the contact, the next one finds changed. */
static void facts_are_set_before_the_next_action_asks_for_them(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "a",
		"[{\"Identifier\": \"a\", \"Type\": \"UpdateContactData\", \"Parameters\": "
		"{\"Name\": \"Order 12\"}, \"Transitions\": {\"NextAction\": \"b\"}}, "
		"{\"Identifier\": \"b\", \"Type\": \"UpdateContactAttributes\", \"Parameters\": "
		"{\"Attributes\": {\"order\": \"$.Name\"}}, \"Transitions\": {\"NextAction\": "
		"\"bye\"}}, " HANG_UP "]",
		FLOW_TYPE_INBOUND);
	assert_at(&call, "b");
	assert_string_equal(flow_run_state_name(call.run.state), "running");
	attributes_set(&call.facts,
		effect_of(&call, FLOW_EFFECT_SET_CONTACT_DATA)->pairs.list[0].name,
		effect_of(&call, FLOW_EFFECT_SET_CONTACT_DATA)->pairs.list[0].value);
	call_timer(&call);
	assert_string_equal(attribute_of(&call, "order"), "Order 12");
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	call_end(&call);
}

static void every_waiting_state_survives_party_gone_and_stop(void **state)
{
	static const char *const waits[] = {
		"[" SAY_LAST("w") "]",
		"[{\"Identifier\": \"w\", \"Type\": \"GetParticipantInput\", \"Parameters\": "
		"{\"Text\": \"t\"}}]",
		"[{\"Identifier\": \"w\", \"Type\": \"MessageParticipantIteratively\", "
		"\"Parameters\": "
		"{\"Messages\": [{\"Text\": \"t\"}]}}]",
		"[{\"Identifier\": \"w\", \"Type\": \"TransferContactToQueue\"}]",
		"[{\"Identifier\": \"w\", \"Type\": \"Wait\", \"Parameters\": "
		"{\"TimeLimitSeconds\": 5}}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		for (int stop = 0; stop < 2; stop++) {
			struct call call;

			call_prepare(&call,
				flow_of(flow_text_of("w", waits[i]), "main", FLOW_TYPE_INBOUND));
			call.context.wait_pauses = true;
			call_start(&call, FLOW_TYPE_INBOUND);
			assert_int_equal(call.run.state, FLOW_RUN_WAITING);
			if (stop)
				flow_run_stop(&call.run, call.fx);
			else
				call_party_gone(&call);
			assert_outcome(
				&call, stop ? FLOW_OUTCOME_STOPPED : FLOW_OUTCOME_PARTY_GONE);
			assert_int_equal(call.run.wake_at_ns, 0);
			assert_int_equal(call.run.pending_id, 0);
			call_end(&call);
		}
	}
}

/* The nth effect of a type. */
static const struct flow_effect *nth(const struct call *call, enum flow_effect_type type, int n)
{
	for (uint32_t i = 0; i < call->fx->count; i++)
		if (call->fx->items[i].type == type && n-- == 0)
			return &call->fx->items[i];
	fail_msg("no such effect %s", flow_effect_name(type));
	return NULL;
}

static void begin_traced(struct call *call, const char *actions)
{
	call_prepare(call, flow_of(flow_text_of("a", actions), "main", FLOW_TYPE_INBOUND));
	call->context.trace = true;
	assert_int_equal(attributes_set(&call->facts, "Channel", "VOICE"), 0);
	assert_true(flow_memory_store(&call->memory, "4711"));
	call_start(call, FLOW_TYPE_INBOUND);
}

static void every_action_says_what_it_was_told_and_how_it_left(void **state)
{
	struct call call;
	const struct flow_effect *e;

	(void)state;
	begin_traced(&call,
		"[{\"Identifier\": \"a\", \"Type\": \"UpdateContactAttributes\", "
		"\"Parameters\": {\"Attributes\": {\"way\": \"by $.Channel\"}}, "
		"\"Transitions\": {\"NextAction\": \"b\"}}, "
		"{\"Identifier\": \"b\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": \"$.Attributes.way\"}, \"Transitions\": {\"NextAction\": "
		"\"bye\", \"Conditions\": [{\"NextAction\": \"bye\", \"Condition\": "
		"{\"Operator\": \"Equals\", \"Operands\": [\"by VOICE\"]}}]}}, " HANG_UP "]");
	e = nth(&call, FLOW_EFFECT_ENTER, 0);
	assert_string_equal(e->action->identifier, "a");
	assert_int_equal(e->enter.count, 1);
	assert_string_equal(e->enter.list[0].name, "Attributes.way");
	assert_string_equal(e->enter.list[0].value, "by VOICE");
	e = nth(&call, FLOW_EFFECT_LEAVE, 0);
	assert_string_equal(e->leave.branch, "NextAction");
	assert_int_equal(e->leave.target, 1);
	assert_string_equal(nth(&call, FLOW_EFFECT_ENTER, 1)->enter.list[0].value, "by VOICE");
	e = nth(&call, FLOW_EFFECT_LEAVE, 1);
	assert_string_equal(e->leave.result, "by VOICE");
	assert_string_equal(e->leave.branch, "by VOICE");
	/* a terminal action is entered and never left */
	assert_int_equal(nth(&call, FLOW_EFFECT_ENTER, 2)->enter.count, 0);
	assert_int_equal(count_of(&call, FLOW_EFFECT_LEAVE), 2);
	call_end(&call);
}

static void a_trace_keeps_stored_input_to_itself(void **state)
{
	struct call call;
	const struct flow_effect *e;

	(void)state;
	begin_traced(&call,
		"[{\"Identifier\": \"a\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": \"$.StoredCustomerInput\"}, \"Transitions\": "
		"{\"NextAction\": \"bye\", \"Conditions\": [{\"NextAction\": \"bye\", "
		"\"Condition\": {\"Operator\": \"Equals\", \"Operands\": [\"4711\"]}}]}}, " HANG_UP
		"]");
	e = nth(&call, FLOW_EFFECT_ENTER, 0);
	assert_string_equal(e->enter.list[0].value, FLOW_SECRET);
	e = nth(&call, FLOW_EFFECT_LEAVE, 0);
	assert_string_equal(e->leave.result, FLOW_SECRET);
	assert_string_equal(e->leave.branch, FLOW_SECRET);
	assert_int_equal(e->leave.target, 1);
	call_end(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_that_runs_out_ends_as_its_role_says),
		cmocka_unit_test(answers_nobody_waits_for_are_stale),
		cmocka_unit_test(an_answer_to_what_an_earlier_run_asked_is_stale),
		cmocka_unit_test(an_endless_loop_is_stopped_with_a_log_line),
		cmocka_unit_test(a_loop_that_is_answered_at_once_is_stopped_too),
		cmocka_unit_test(a_loop_over_long_texts_is_stopped_early),
		cmocka_unit_test(a_slow_loop_may_go_on),
		cmocka_unit_test(full_effects_pause_and_lose_nothing),
		cmocka_unit_test(texts_too_large_when_filled_in_take_the_error_branch),
		cmocka_unit_test(R4_transfer_to_flow_jumps_and_drops_flow_attributes),
		cmocka_unit_test(a_flow_left_for_good_stays_until_its_effects_are_gone),
		cmocka_unit_test(facts_are_set_before_the_next_action_asks_for_them),
		cmocka_unit_test(every_waiting_state_survives_party_gone_and_stop),
		cmocka_unit_test(every_action_says_what_it_was_told_and_how_it_left),
		cmocka_unit_test(a_trace_keeps_stored_input_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
