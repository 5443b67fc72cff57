/* SPDX-License-Identifier: Apache-2.0 */
/* The flows that a new instance is given: loaded without a remark, run from start to end. */
#include <string.h>

#include "flow/checker.h"
#include "support.h"

static const struct {
	const char *name;
	enum flow_type type;
} defaults[] = {
	{"default-agent-hold", FLOW_TYPE_AGENT_HOLD},
	{"default-agent-transfer", FLOW_TYPE_AGENT_TRANSFER},
	{"default-agent-whisper", FLOW_TYPE_AGENT_WHISPER},
	{"default-customer-hold", FLOW_TYPE_CUSTOMER_HOLD},
	{"default-customer-queue", FLOW_TYPE_CUSTOMER_QUEUE},
	{"default-customer-whisper", FLOW_TYPE_CUSTOMER_WHISPER},
	{"default-outbound-whisper", FLOW_TYPE_OUTBOUND_WHISPER},
	{"default-queue-transfer", FLOW_TYPE_QUEUE_TRANSFER},
	{"sample-inbound", FLOW_TYPE_INBOUND},
};

static void R64_default_flows_load_without_remark(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		struct flow *flow = default_flow(defaults[i].name);
		struct report report;

		report_init(&report);
		assert_int_equal(flow->type, defaults[i].type);
		assert_false(flow->saved);
		assert_int_equal(flow_check(flow, NULL, &report), 0);
		if (report_size(&report) > 0)
			report_print(&report, stderr);
		assert_int_equal(report_size(&report), 0);
		report_clear(&report);
		flow_release(flow);
	}
}

static void hold_flows_loop_for_ever(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-customer-hold"), FLOW_TYPE_CUSTOMER_HOLD);
	assert_true(effect_of(&call, FLOW_EFFECT_PLAY)->play.loop);
	assert_string_equal(
		effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text, "hold-music");
	assert_int_equal(call.run.wake_at_ns, 0);
	call_party_gone(&call);
	assert_outcome(&call, FLOW_OUTCOME_PARTY_GONE);
	call_end(&call);

	call_begin(&call, default_flow("default-agent-hold"), FLOW_TYPE_AGENT_HOLD);
	assert_int_equal(
		effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].kind, FLOW_MESSAGE_SSML);
	flow_run_stop(&call.run, call.fx);
	effect_of(&call, FLOW_EFFECT_STOP_PLAYING);
	assert_outcome(&call, FLOW_OUTCOME_STOPPED);
	call_end(&call);
}

static void R90_queue_prompts_that_fail_leave_silence(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-customer-queue"), FLOW_TYPE_CUSTOMER_QUEUE);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_PLAY)->play.count, 2);
	call_play_failed(&call);
	assert_outcome(&call, FLOW_OUTCOME_SILENCE);
	call_end(&call);
}

static void R66_customer_whisper_beeps(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-customer-whisper"), FLOW_TYPE_CUSTOMER_WHISPER);
	assert_int_equal(
		effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].kind, FLOW_MESSAGE_PROMPT);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text, "beep");
	call_play_done(&call);
	assert_outcome(&call, FLOW_OUTCOME_PROCEED);
	call_end(&call);
}

static void R67_agent_whisper_speaks_the_queue(void **state)
{
	struct call call;

	(void)state;
	call_prepare(&call, default_flow("default-agent-whisper"));
	assert_int_equal(attributes_set(&call.facts, "Queue.Name", "Returns"), 0);
	call_start(&call, FLOW_TYPE_AGENT_WHISPER);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text, "Returns");
	call_play_done(&call);
	assert_outcome(&call, FLOW_OUTCOME_PROCEED);
	call_end(&call);
}

static void R67_agent_whisper_without_a_queue_says_nothing_and_goes_on(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-agent-whisper"), FLOW_TYPE_AGENT_WHISPER);
	assert_int_equal(count_of(&call, FLOW_EFFECT_PLAY), 0);
	assert_outcome(&call, FLOW_OUTCOME_PROCEED);
	call_end(&call);
}

static void outbound_whisper_records_nobody(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-outbound-whisper"), FLOW_TYPE_OUTBOUND_WHISPER);
	assert_false(effect_of(&call, FLOW_EFFECT_SET_RECORDING)->recording.agent);
	assert_false(effect_of(&call, FLOW_EFFECT_SET_RECORDING)->recording.customer);
	assert_outcome(&call, FLOW_OUTCOME_PROCEED);
	call_end(&call);
}

static void R25_agent_transfer_speaks_then_connects(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("default-agent-transfer"), FLOW_TYPE_AGENT_TRANSFER);
	effect_of(&call, FLOW_EFFECT_PLAY);
	call_play_done(&call);
	assert_outcome(&call, FLOW_OUTCOME_TO_AGENT);
	call_end(&call);
}

static void begin_queue_transfer(struct call *call)
{
	call_begin(call, default_flow("default-queue-transfer"), FLOW_TYPE_QUEUE_TRANSFER);
	assert_string_equal(effect_of(call, FLOW_EFFECT_CHECK_HOURS)->hours.hours, "");
}

static void expect_said_and_hung_up(struct call *call, const char *identifier)
{
	assert_at(call, identifier);
	call_play_done(call);
	effect_of(call, FLOW_EFFECT_DISCONNECT);
	assert_outcome(call, FLOW_OUTCOME_DISCONNECTED);
	call_end(call);
}

static void R33_queue_transfer_checks_then_queues(void **state)
{
	struct call call;

	(void)state;
	begin_queue_transfer(&call);
	call_answer(&call, FLOW_RESULT_YES);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_CHECK_METRIC)->metric.metric,
		FLOW_METRIC_AGENTS_STAFFED);
	call_answer_event(&call, (struct flow_event){.result = FLOW_RESULT_OK, .number = 1});
	call_play_done(&call);
	effect_of(&call, FLOW_EFFECT_TRANSFER_TO_QUEUE);
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_QUEUED);
	call_end(&call);
}

static void queue_transfer_refuses_in_words(void **state)
{
	struct call call;

	(void)state;
	begin_queue_transfer(&call);
	call_answer(&call, FLOW_RESULT_NO);
	expect_said_and_hung_up(&call, "Say closed");

	begin_queue_transfer(&call);
	call_answer(&call, FLOW_RESULT_ERROR);
	expect_said_and_hung_up(&call, "Say failed");

	begin_queue_transfer(&call);
	call_answer(&call, FLOW_RESULT_YES);
	call_answer_event(&call, (struct flow_event){.result = FLOW_RESULT_OK, .number = 0});
	expect_said_and_hung_up(&call, "Say nobody");
}

static void R40_queue_transfer_to_a_full_queue_is_heard(void **state)
{
	struct call call;

	(void)state;
	begin_queue_transfer(&call);
	call_answer(&call, FLOW_RESULT_YES);
	call_answer_event(&call, (struct flow_event){.result = FLOW_RESULT_OK, .number = 3});
	call_play_done(&call);
	call_answer(&call, FLOW_RESULT_AT_CAPACITY);
	expect_said_and_hung_up(&call, "Say full");
}

static void sample_inbound_queues_by_menu(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("sample-inbound"), FLOW_TYPE_INBOUND);
	call_play_done(&call);
	assert_true(effect_of(&call, FLOW_EFFECT_PLAY)->play.ends_with_key);
	call_key(&call, '1');
	effect_of(&call, FLOW_EFFECT_STOP_PLAYING);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE)->target.queue, "sales");
	assert_int_equal(attributes_set(&call.facts, "Queue.Name", "Sales"), 0);
	call_answer(&call, FLOW_RESULT_OK);
	assert_string_equal(attribute_of(&call, "Department"), "Sales");
	call_answer(&call, FLOW_RESULT_YES);
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_QUEUED);
	call_end(&call);
}

static void sample_inbound_asks_three_times(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call, default_flow("sample-inbound"), FLOW_TYPE_INBOUND);
	call_play_done(&call);
	for (int i = 0; i < 3; i++) {
		assert_at(&call, "Ask");
		call_play_done(&call);
		call_timer(&call);
	}
	assert_at(&call, "Choose support");
	call_end(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R64_default_flows_load_without_remark),
		cmocka_unit_test(hold_flows_loop_for_ever),
		cmocka_unit_test(R90_queue_prompts_that_fail_leave_silence),
		cmocka_unit_test(R66_customer_whisper_beeps),
		cmocka_unit_test(R67_agent_whisper_speaks_the_queue),
		cmocka_unit_test(R67_agent_whisper_without_a_queue_says_nothing_and_goes_on),
		cmocka_unit_test(outbound_whisper_records_nobody),
		cmocka_unit_test(R25_agent_transfer_speaks_then_connects),
		cmocka_unit_test(R33_queue_transfer_checks_then_queues),
		cmocka_unit_test(queue_transfer_refuses_in_words),
		cmocka_unit_test(R40_queue_transfer_to_a_full_queue_is_heard),
		cmocka_unit_test(sample_inbound_queues_by_menu),
		cmocka_unit_test(sample_inbound_asks_three_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
