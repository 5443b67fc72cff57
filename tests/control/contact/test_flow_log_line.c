/* SPDX-License-Identifier: Apache-2.0 */
/* The module names of the flow log: those of the legacy console, whichever format a flow has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contact/flow_log_line.h"
#include "flow/reader.h"

static void expect_module(const char *type, const char *parameters, const char *module)
{
	struct flow_action action = {0};
	struct flow_param params[1] = {0};
	enum flow_action_type parsed;
	char name[64] = "", value[64] = "";

	assert_int_equal(flow_action_parse(type, &parsed), 0);
	action.type = (uint16_t)parsed;
	if (sscanf(parameters, "%63[^=]=%63s", name, value) == 2) {
		params[0].place = name;
		params[0].value.source = value;
		params[0].id = strcmp(name, "StoreInput") == 0   ? FLOW_PARAM_STORE_INPUT
			       : strcmp(name, "MetricType") == 0 ? FLOW_PARAM_METRIC
								 : FLOW_PARAM_STATE;
		action.params = params;
		action.param_count = 1;
	}
	assert_string_equal(flow_log_line_module(&action), module);
}

static void new_flows_bear_the_old_names(void **state)
{
	static const struct {
		const char *type, *parameters, *module;
	} rows[] = {
		{"MessageParticipant", "", "PlayPrompt"},
		{"MessageParticipantIteratively", "", "LoopPrompts"},
		{"GetParticipantInput", "", "GetUserInput"},
		{"GetParticipantInput", "StoreInput=False", "GetUserInput"},
		{"GetParticipantInput", "StoreInput=True", "StoreUserInput"},
		{"ConnectParticipantWithLexBot", "", "GetUserInput"},
		{"DisconnectParticipant", "", "Disconnect"},
		{"EndFlowExecution", "", "Resume"},
		{"TransferContactToQueue", "", "Transfer"},
		{"DequeueContactAndTransferToQueue", "", "Transfer"},
		{"TransferToFlow", "", "Transfer"},
		{"TransferParticipantToThirdParty", "", "Transfer"},
		{"TransferContactToAgent", "", "Transfer"},
		{"UpdateContactTargetQueue", "", "SetQueue"},
		{"UpdateContactAttributes", "", "SetAttributes"},
		{"UpdateContactData", "", "SetContactData"},
		{"Compare", "", "CheckAttribute"},
		{"CheckHoursOfOperation", "", "CheckHoursOfOperation"},
		{"CheckMetricData", "MetricType=NumberOfAgentsStaffed", "CheckStaffing"},
		{"CheckMetricData", "MetricType=NumberOfContactsInQueue", "CheckQueueStatus"},
		{"CheckMetricData", "MetricType=OldestContactInQueueAgeSeconds",
			"CheckQueueStatus"},
		{"GetMetricData", "", "GetMetricData"},
		{"Loop", "", "Loop"},
		{"DistributeByPercentage", "", "PercentileBranching"},
		{"Wait", "", "Wait"},
		{"InvokeLambdaFunction", "", "InvokeExternalResource"},
		{"UpdateContactEventHooks", "", "SetEventHook"},
		{"UpdateContactRecordingBehavior", "", "SetRecordingBehavior"},
		{"UpdateContactMediaStreamingBehavior", "MediaStreamingState=Enabled",
			"StartMediaStreaming"},
		{"UpdateContactMediaStreamingBehavior", "MediaStreamingState=Disabled",
			"StopMediaStreaming"},
		{"UpdateFlowLoggingBehavior", "", "SetLoggingBehavior"},
		{"UpdateContactTextToSpeechVoice", "", "SetVoice"},
		{"UpdateContactCallbackNumber", "", "SetCallBackNumber"},
		{"CreateCallbackContact", "", "CreateCallback"},
		{"UpdateContactRoutingBehavior", "", "UpdateRoutingPriority"},
		/* no legacy module is known */
		{"InvokeFlowModule", "", "InvokeFlowModule"},
		{"CompleteOutboundCall", "", "CompleteOutboundCall"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_module(rows[i].type, rows[i].parameters, rows[i].module);
}

static void every_action_has_a_name(void **state)
{
	for (int i = 0; i < FLOW_ACTION_COUNT; i++) {
		struct flow_action action = {.type = (uint16_t)i};

		assert_true(flow_log_line_module(&action)[0] != '\0');
	}
}

static void an_old_flow_keeps_its_own_names(void **state)
{
	static const char text[] =
		"{\"version\": \"1\", \"start\": \"a\", \"type\": \"contactFlow\", \"modules\": ["
		"{\"id\": \"a\", \"type\": \"SetContactFlow\", \"branches\": [], \"parameters\": "
		"[{\"name\": \"Type\", \"value\": \"AgentWhisper\"}, {\"name\": \"ContactFlowId\", "
		"\"value\": \"w\"}]}]}";
	struct flow *flow;

	assert_int_equal(flow_read(text, strlen(text), NULL, NULL, &flow), 0);
	assert_string_equal(flow_log_line_module(&flow->actions[0]), "SetContactFlow");
	flow_release(flow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_flows_bear_the_old_names),
		cmocka_unit_test(every_action_has_a_name),
		cmocka_unit_test(an_old_flow_keeps_its_own_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
