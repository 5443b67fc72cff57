/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy console format, read into the same model. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "flow/checker.h"
#include "support.h"

#define P(name, value) "{\"name\": \"" name "\", \"value\": \"" value "\"}"
#define PN(name, value, space) \
	"{\"name\": \"" name "\", \"value\": \"" value "\", \"namespace\": \"" space "\"}"
#define PK(name, key, value) \
	"{\"name\": \"" name "\", \"key\": \"" key "\", \"value\": \"" value "\"}"
#define B(name) "{\"condition\": \"" name "\", \"transition\": \"bye\"}"
#define BV(name, type, value)                                      \
	"{\"condition\": \"" name "\", \"conditionType\": \"" type \
	"\", \"conditionValue\": " value ", \"transition\": \"bye\"}"
#define MODULE(type, rest, params, branches)                                                  \
	"{\"version\": \"1\", \"start\": \"act\", \"modules\": [{\"id\": \"act\", \"type\": " \
	"\"" type "\"" rest ", \"parameters\": [" params "], \"branches\": [" branches        \
	"]}, {\"id\": \"bye\", \"type\": \"Disconnect\", \"branches\": [], \"parameters\": []}]}"

/* One module: its action, one parameter, one branch. */
static const struct {
	const char *text;
	enum flow_action_type action;
	const char *place; /* of a parameter, and its value */
	const char *value;
	const char *branch; /* an error's name, or "operator operand" of a condition, or NULL */
} rows[] = {
	{MODULE("PlayPrompt", "", P("Text", "Hi") ", " P("TextToSpeechType", "text"), B("Success")),
		FLOW_ACTION_MESSAGE, "Text", "Hi", NULL},
	{MODULE("PlayPrompt", "", P("Text", "<speak/>") ", " P("TextToSpeechType", "ssml"),
		 B("Error")),
		FLOW_ACTION_MESSAGE, "SSML", "<speak/>", "NoMatchingError"},
	{MODULE("PlayPrompt", "", PN("Text", "say", "External"), ""), FLOW_ACTION_MESSAGE, "Text",
		"$.External.say", NULL},
	{MODULE("PlayPrompt", "", PN("AudioPrompt", "my prompt", "User Defined"), ""),
		FLOW_ACTION_MESSAGE, "PromptId", "$.Attributes['my prompt']", NULL},
	{MODULE("GetUserInput", ", \"target\": \"Digits\"", P("Text", "t") ", " P("Timeout", "5"),
		 BV("Evaluate", "Equals", "\"1\"") ", " B("Timeout")),
		FLOW_ACTION_GET_INPUT, "InputTimeLimitSeconds", "5", "Equals 1"},
	{MODULE("GetUserInput", ", \"target\": \"Digits\"", P("Text", "t"), B("Timeout")),
		FLOW_ACTION_GET_INPUT, "Text", "t", "InputTimeLimitExceeded"},
	{MODULE("GetUserInput", ", \"target\": \"Lex\"", P("BotName", "b"), B("NoMatch")),
		FLOW_ACTION_LEX, "LexBot.Name", "b", "NoMatchingCondition"},
	{MODULE("StoreUserInput", "",
		 P("Text", "t") ", " P(
			 "CustomerInputType", "Custom") ", {\"name\": \"MaxDigits\", \"value\": 4}",
		 B("InvalidNumber")),
		FLOW_ACTION_GET_INPUT, "InputValidation.CustomValidation.MaximumLength", "4",
		"InvalidPhoneNumber"},
	{MODULE("StoreCustomerInput", "", P("Text", "t"), ""), FLOW_ACTION_GET_INPUT, "StoreInput",
		"True", NULL},
	{MODULE("LoopPrompts", "",
		 PK("Text", "text", "one") ", " P(
			 "AudioPrompt", "p") ", {\"name\": \"InterruptSeconds\", "
					     "\"value\": 30}",
		 B("Timeout")),
		FLOW_ACTION_MESSAGE_LOOP, "Messages[1].PromptId", "p",
		"Equals MessagesInterrupted"},
	{MODULE("Resume", "", "", ""), FLOW_ACTION_END, NULL, NULL, NULL},
	{MODULE("Transfer", ", \"target\": \"Queue\"", "", B("AtCapacity")), FLOW_ACTION_TO_QUEUE,
		NULL, NULL, "QueueAtCapacity"},
	{"{\"type\": \"customerQueue\", " /* the same block in a queue flow */
	 "\"start\": \"act\", \"modules\": [{\"id\": \"act\", \"type\": \"Transfer\", \"target\": "
	 "\"Queue\", \"parameters\": [" P("Queue", "q") "]}]}",
		FLOW_ACTION_DEQUEUE_TO_QUEUE, "QueueId", "q", NULL},
	{MODULE("Transfer", ", \"target\": \"Flow\"", P("ContactFlowId", "f"), B("Error")),
		FLOW_ACTION_TO_FLOW, "ContactFlowId", "f", "NoMatchingError"},
	{MODULE("Transfer", ", \"target\": \"PhoneNumber\"",
		 PN("PhoneNumber", "n",
			 "External") ", {\"name\": \"BlindTransfer\", \"value\": true}",
		 B("CallFailure")),
		FLOW_ACTION_TO_THIRD_PARTY, "ContinueFlowExecution", "False", "CallFailed"},
	{MODULE("Transfer", ", \"target\": \"PhoneNumber\"", P("PhoneNumber", "+12025550143"),
		 B("Timeout")),
		FLOW_ACTION_TO_THIRD_PARTY, "ThirdPartyPhoneNumber", "+12025550143",
		"ConnectionTimeLimitExceeded"},
	{MODULE("Transfer", ", \"target\": \"Agent\"", "", ""), FLOW_ACTION_TO_AGENT, NULL, NULL,
		NULL},
	{MODULE("SetQueue", "", PN("Agent", "a", "User Defined"), B("Error")),
		FLOW_ACTION_SET_TARGET_QUEUE, "AgentId", "$.Attributes.a", "NoMatchingError"},
	{MODULE("SetAttributes", "", PK("Attribute", "k", "v"), ""), FLOW_ACTION_SET_ATTRIBUTES,
		"Attributes.k", "v", NULL},
	{MODULE("CheckAttribute", "",
		 P("Attribute", "Customer Number") ", " P("Namespace", "System"),
		 BV("Evaluate", "StartsWith", "\"+1\"")),
		FLOW_ACTION_COMPARE, "ComparisonValue", "$.CustomerEndpoint.Address",
		"TextStartsWith +1"},
	{MODULE("CheckAttribute", "", P("Attribute", "x") ", " P("Namespace", "User Defined"),
		 BV("Evaluate", "GreaterThanOrEqualTo", "5")),
		FLOW_ACTION_COMPARE, "ComparisonValue", "$.Attributes.x",
		"NumberGreaterOrEqualTo 5"},
	{MODULE("CheckHoursOfOperation", "", P("Hours", "h"), B("False")), FLOW_ACTION_CHECK_HOURS,
		"HoursOfOperationId", "h", "Equals False"},
	{MODULE("CheckStaffing", "", P("Status", "Staffed"), B("True")), FLOW_ACTION_CHECK_METRIC,
		"MetricType", "NumberOfAgentsStaffed", "NumberGreaterThan 0"},
	{MODULE("CheckStaffing", "", P("Status", "Online"), B("False")), FLOW_ACTION_CHECK_METRIC,
		"MetricType", "NumberOfAgentsOnline", "NoMatchingCondition"},
	{MODULE("CheckQueueStatus", "", "", BV("CheckQueueTime", "LessThan", "300000")),
		FLOW_ACTION_CHECK_METRIC, "MetricType", "OldestContactInQueueAgeSeconds",
		"NumberLessThan 300000"},
	{MODULE("CheckQueueStatus", "", "", BV("CheckQueueSize", "GreaterThan", "3")),
		FLOW_ACTION_CHECK_METRIC, "MetricType", "NumberOfContactsInQueue",
		"NumberGreaterThan 3"},
	{MODULE("Loop", "", P("LoopCount", "3"), B("Looping")), FLOW_ACTION_LOOP, "LoopCount", "3",
		"Equals ContinueLooping"},
	{MODULE("Loop", "", P("LoopCount", "3"), B("Complete")), FLOW_ACTION_LOOP, "LoopCount", "3",
		"Equals DoneLooping"},
	{MODULE("PercentileBranching", "", "", BV("Evaluate", "Equals", "\"30\"")),
		FLOW_ACTION_DISTRIBUTE, NULL, NULL, "NumberLessThan 31"},
	{MODULE("Wait", "", P("TimeoutSeconds", "5"), B("Timeout")), FLOW_ACTION_WAIT,
		"TimeLimitSeconds", "5", "Equals WaitCompleted"},
	{MODULE("InvokeExternalResource", ", \"target\": \"Lambda\"",
		 P("FunctionArn", "f") ", " PK("Parameter", "who", "me"), B("Error")),
		FLOW_ACTION_LAMBDA, "LambdaInvocationAttributes.who", "me", "NoMatchingError"},
	{MODULE("SetEventHook", "", P("Type", "CustomerQueue") ", " P("ContactFlowId", "f"), ""),
		FLOW_ACTION_SET_HOOKS, "EventHooks.CustomerQueue", "f", NULL},
	{MODULE("SetRecordingBehavior", "",
		 P("RecordingBehaviorOption", "Enable") ", " P(
			 "RecordingParticipantOption", "Both"),
		 ""),
		FLOW_ACTION_SET_RECORDING, "RecordingBehavior.RecordedParticipants[1]", "Customer",
		NULL},
	{MODULE("StopMediaStreaming", "", "", ""), FLOW_ACTION_SET_STREAMING, "MediaStreamingState",
		"Disabled", NULL},
	{MODULE("SetLoggingBehavior", "", P("LoggingBehavior", "Enable"), ""),
		FLOW_ACTION_SET_LOGGING, "FlowLoggingBehavior", "Enabled", NULL},
	{MODULE("SetVoice", "", P("GlobalVoice", "Joey"), ""), FLOW_ACTION_SET_VOICE,
		"TextToSpeechVoice", "Joey", NULL},
	{MODULE("SetCallBackNumber", "", PN("CallBackNumber", "Stored customer input", "System"),
		 B("NonDialableNumber")),
		FLOW_ACTION_SET_CALLBACK_NUMBER, "CallbackNumber", "$.StoredCustomerInput",
		"CallbackNumberNotDialable"},
	{MODULE("SetCallBackNumber", "", P("CallBackNumber", "x"), B("InvalidPhoneNumber")),
		FLOW_ACTION_SET_CALLBACK_NUMBER, "CallbackNumber", "x", "InvalidCallbackNumber"},
	{MODULE("CreateCallback", "", "{\"name\": \"MaxRetryAttempts\", \"value\": 2}", ""),
		FLOW_ACTION_CREATE_CALLBACK, "MaximumConnectionAttempts", "2", NULL},
	{MODULE("UpdateRoutingPriority", "", "{\"name\": \"TimeOffset\", \"value\": -60}", ""),
		FLOW_ACTION_SET_ROUTING, "QueueTimeAdjustmentSeconds", "-60", NULL},
	{MODULE("CheckVoiceId", "", P("CheckVoiceIdOption", "x"), B("Inconclusive")),
		FLOW_ACTION_CHECK_VOICE_ID, "CheckVoiceIdOption", "x", "Equals Inconclusive"},
};

static bool has_param(const struct flow_action *action, const char *place, const char *value)
{
	for (uint16_t i = 0; i < action->param_count; i++) {
		if (strcmp(action->params[i].place, place) == 0)
			return strcmp(action->params[i].value.source, value) == 0;
	}
	return false;
}

static bool has_branch(const struct flow_action *action, const char *branch)
{
	char text[200];

	for (uint16_t i = 0; i < action->error_count; i++) {
		if (strcmp(action->errors[i].name, branch) == 0)
			return action->errors[i].target == 1;
	}
	for (uint16_t i = 0; i < action->condition_count; i++) {
		snprintf(text, sizeof(text), "%s %s",
			flow_operator_name((enum flow_operator)action->conditions[i].op),
			action->conditions[i].operand.source);
		if (strcmp(text, branch) == 0)
			return action->conditions[i].target == 1;
	}
	return false;
}

static void every_module_becomes_its_action(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow *flow = flow_of(rows[i].text, "id", FLOW_TYPE_UNKNOWN);
		const struct flow_action *action = &flow->actions[0];

		assert_int_equal(flow->format, FLOW_FORMAT_LEGACY);
		assert_string_equal(flow_action_name((enum flow_action_type)action->type),
			flow_action_name(rows[i].action));
		if (rows[i].place != NULL && !has_param(action, rows[i].place, rows[i].value))
			fail_msg("row %zu: no %s = %s", i, rows[i].place, rows[i].value);
		if (rows[i].branch != NULL && !has_branch(action, rows[i].branch))
			fail_msg("row %zu: no branch %s", i, rows[i].branch);
		flow_release(flow);
	}
}

static const struct {
	const char *text, *place, *words;
} refused[] = {
	{"{\"modules\": []}", "start", "there is no ''"},
	{"{\"modules\": [5], \"start\": \"x\"}", "modules[0]", "found a number"},
	{"{\"modules\": [{\"id\": \"a\", \"type\": \"Teleport\"}], \"start\": \"a\"}",
		"action 'a': type", "'Teleport'"},
	{"{\"modules\": [{\"id\": \"a\", \"type\": \"Transfer\", \"target\": \"Moon\"}], "
	 "\"start\": \"a\"}",
		"action 'a': type", "'Moon'"},
	{MODULE("PlayPrompt", "", P("Text", "t"),
		 "{\"condition\": \"Success\", \"transition\": \"gone\"}"),
		"action 'act': branches[0]", "there is no 'gone'"},
	{MODULE("PlayPrompt", "", P("Text", "t"), "7"), "branches[0]", "names the branch"},
	{MODULE("PlayPrompt", "", "", ""), "Parameters", "expected Text"},
	{MODULE("Loop", "", P("LoopCount", "often"), ""), "Parameters.LoopCount", "whole number"},
	{MODULE("CheckAttribute", "", P("Attribute", "x") ", " P("Namespace", "External"),
		 "{\"condition\": \"Evaluate\", \"conditionType\": \"Equals\", \"transition\": "
		 "\"bye\"}"),
		"branches[0]", "conditionValue"},
	{MODULE("CheckAttribute", "", P("Attribute", "x") ", " P("Namespace", "External"),
		 BV("Evaluate", "Like", "\"x\"")),
		"branches[0]", "found 'Like'"},
};

static void bad_modules_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct flow *flow = NULL;
		struct report report;

		report_init(&report);
		assert_int_equal(
			flow_read(refused[i].text, strlen(refused[i].text), NULL, &report, &flow),
			-EINVAL);
		if (!report_mentions(&report, REPORT_ERROR, refused[i].place) ||
			!report_mentions(&report, REPORT_ERROR, refused[i].words)) {
			report_print(&report, stderr);
			fail_msg("row %zu", i);
		}
		report_clear(&report);
	}
}

static void resource_names_stand_in_for_empty_arns(void **state)
{
	struct flow *flow = flow_of(MODULE("SetQueue", "",
					    "{\"name\": \"Queue\", \"value\": \"\", \"namespace\": "
					    "null, \"resourceName\": "
					    "\"BasicQueue\"}",
					    B("Success")),
		"id", FLOW_TYPE_UNKNOWN);
	struct call call;

	(void)state;
	call_begin(&call, flow, FLOW_TYPE_INBOUND);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE)->target.queue, "");
	assert_string_equal(
		effect_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE)->target.resource_name, "BasicQueue");
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
	call_end(&call);
}

static void R39_a_legacy_block_names_its_queue(void **state)
{
	struct call call;

	(void)state;
	call_begin(&call,
		flow_of(MODULE("Transfer", ", \"target\": \"Queue\"", P("Queue", "q"), B("Error")),
			"id", FLOW_TYPE_UNKNOWN),
		FLOW_TYPE_QUEUE_TRANSFER);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_TRANSFER_TO_QUEUE)->target.queue, "q");
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_QUEUED);
	call_end(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_module_becomes_its_action),
		cmocka_unit_test(bad_modules_are_refused),
		cmocka_unit_test(resource_names_stand_in_for_empty_arns),
		cmocka_unit_test(R39_a_legacy_block_names_its_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
