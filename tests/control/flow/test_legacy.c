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
	{MODULE("UpdateRoutingPriority", "", "{\"name\": \"AbsolutePosition\", \"value\": 1}", ""),
		FLOW_ACTION_SET_ROUTING, "QueuePriority", "1", NULL},
	{MODULE("CreateCallback", "",
		 P("InitialDelaySeconds", "15") ", " P("RetryDelaySeconds", "600"), B("Error")),
		FLOW_ACTION_CREATE_CALLBACK, "InitialCallDelaySeconds", "15", "NoMatchingError"},
	{MODULE("GetMetricData", "", P("Queue", "q") ", " P("Channel", "Voice"), B("Error")),
		FLOW_ACTION_GET_METRICS, "QueueChannel", "Voice", "NoMatchingError"},
	{MODULE("SetContactData", "",
		 "{\"name\": \"ContactData\", \"namespace\": null, \"languageCode\": \"es-MX\"}",
		 ""),
		FLOW_ACTION_SET_CONTACT_DATA, "LanguageCode", "es-MX", NULL},
	{MODULE("SetContactData", "",
		 "{\"name\": \"ContactData\", \"namespace\": \"User Defined\", \"customerId\": "
		 "\"id\"}",
		 ""),
		FLOW_ACTION_SET_CONTACT_DATA, "CustomerId", "$.Attributes.id", NULL},
	{MODULE("SetContactData", "",
		 "{\"name\": \"ContactData\", \"namespace\": \"External\", \"contactReference\": "
		 "{\"key\": \"Mail\", \"value\": \"url\", \"type\": \"URL\"}}",
		 ""),
		FLOW_ACTION_SET_CONTACT_DATA, "References.Mail.Value", "$.External.url", NULL},
	{MODULE("SetContactData", "", P("IsVoiceIdStreamingEnabled", "true"), ""),
		FLOW_ACTION_SET_CONTACT_DATA, "IsVoiceIdStreamingEnabled", "true", NULL},
	{MODULE("SetVoice", "", P("GlobalEngine", "Neural") ", " P("SpeakingStyle", "None"), ""),
		FLOW_ACTION_SET_VOICE, "TextToSpeechEngine", "Neural", NULL},
	{MODULE("CheckQueueStatus", "", PN("Agent", "name", "External"),
		 BV("CheckQueueSize", "GreaterThan", "3") ", " BV(
			 "CheckQueueTime", "LessThan", "60000")),
		FLOW_ACTION_CHECK_METRIC, "MetricType", "OldestContactInQueueAgeSeconds",
		"NumberLessThan 60000"},
	{MODULE("StoreUserInput", "",
		 P("Text", "t") ", " P("CustomerInputType", "PhoneNumber") ", " P("MaxDigits",
			 "20") ", " P("PhoneNumberFormat", "Local") ", " P("CountryCode", "US"),
		 B("InvalidNumber")),
		FLOW_ACTION_GET_INPUT, "InputValidation.PhoneNumberValidation.CountryCode", "US",
		"InvalidPhoneNumber"},
	{MODULE("StoreUserInput", "",
		 P("Text", "t") ", " P("CustomerInputType", "Custom") ", " P("TerminatorDigits",
			 "*9") ", {\"name\": \"DisableCancel\", \"value\": true}, " P("EncryptEntr"
										      "y",
			 "True") ", " P("EncryptionKeyId", "k") ", " P("EncryptionKey", "pem"),
		 B("Success")),
		FLOW_ACTION_GET_INPUT, "InputEncryption.Key", "pem", NULL},
	{MODULE("CheckAttribute", "",
		 P("Attribute", "Agent.UserName") ", " P("Namespace", "System"),
		 BV("Evaluate", "Contains", "\"a\"")),
		FLOW_ACTION_COMPARE, "ComparisonValue", "$.Agent.UserName", "TextContains a"},
	{MODULE("CheckAttribute", "",
		 P("Attribute", "Some New Figure") ", " P("Namespace", "System"), B("NoMatch")),
		FLOW_ACTION_COMPARE, "ComparisonValue", "$['Some New Figure']",
		"NoMatchingCondition"},
	{MODULE("CheckAttribute", "", P("Attribute", "size") ", " P("Namespace", "Lex.Slots"),
		 B("NoMatch")),
		FLOW_ACTION_COMPARE, "ComparisonValue", "$.Lex.Slots.size", "NoMatchingCondition"},
	{MODULE("SetContactFlow", "",
		 P("Type", "AgentWhisper") ", " PN("ContactFlowId", "w", "External"), ""),
		FLOW_ACTION_SET_HOOKS, "EventHooks.AgentWhisper", "$.External.w", NULL},
	{MODULE("StartMediaStreaming", "", P("Track", "ToCustomer"), B("Error")),
		FLOW_ACTION_SET_STREAMING, "Participants[0].MediaDirections[1]", "To",
		"NoMatchingError"},
	{MODULE("SetScreenPop", "", PK("Attribute", "k", "v"), B("Error")),
		FLOW_ACTION_SET_ATTRIBUTES, "Attributes.k", "v", "NoMatchingError"},
	{MODULE("CustomerInQueue", "", "", B("AtCapacity")), FLOW_ACTION_TO_QUEUE, NULL, NULL,
		"QueueAtCapacity"},
	{MODULE("TransferToFlow", "", P("ContactFlowId", "f"), B("Error")), FLOW_ACTION_TO_FLOW,
		"ContactFlowId", "f", "NoMatchingError"},
	{MODULE("SetVoiceId", "", "", B("Error")), FLOW_ACTION_START_VOICE_ID, NULL, NULL,
		"NoMatchingError"},
	{MODULE("PlayAudio", "", P("AudioPrompt", "p"), B("Success")), FLOW_ACTION_MESSAGE,
		"PromptId", "p", NULL},
	{MODULE("SetRecordingBehavior", "",
		 P("RecordingBehaviorOption", "Enable") ", " P(
			 "RecordingParticipantOption", "Agent"),
		 ""),
		FLOW_ACTION_SET_RECORDING, "RecordingBehavior.RecordedParticipants[0]", "Agent",
		NULL},
	{MODULE("StoreUserInput", "",
		 P("CustomerInputType", "Custom") ", " P("EncryptEntry", "True"), B("Error")),
		FLOW_ACTION_GET_INPUT, "InputEncryption.Key", "", "NoMatchingError"},
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

/* An old key that is switched off encrypts nothing. */
static void keys_count_only_when_entries_are_encrypted(void **state)
{
	static const char *const texts[] = {
		MODULE("StoreUserInput", "",
			P("EncryptEntry", "false") ", " P("EncryptionKey", "pem") ", " P(
				"EncryptionKeyId", "k"),
			B("Error")),
		MODULE("StoreUserInput", "",
			P("EncryptEntry", "True") ", " P("EncryptionKey", "pem") ", " P(
				"EncryptionKeyId", "k"),
			B("Error")),
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct flow *flow = flow_of(texts[i], "id", FLOW_TYPE_UNKNOWN);

		assert_int_equal(
			flow_action_param(&flow->actions[0], FLOW_PARAM_ENCRYPTION_KEY) != NULL,
			i == 1);
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

/* R86, R88: the file does not say that it is a queue flow; the block has a Success there. */
static void R86_R88_transfer_in_a_queue_flow_of_unknown_type(void **state)
{
	static const struct {
		const char *branches, *where;
		bool moved;
	} moves[] = {
		{B("Success") ", {\"condition\": \"Error\", \"transition\": \"act\"}", "bye", true},
		{"{\"condition\": \"Error\", \"transition\": \"bye\"}", "bye", false},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[900];
		struct call call;

		snprintf(text, sizeof(text),
			"{\"start\": \"act\", \"modules\": [{\"id\": \"act\", \"type\": "
			"\"Transfer\", \"target\": \"Queue\", \"parameters\": [" P(
				"Queue", "q") "], \"branches\": [%s]}, {\"id\": \"bye\", \"type\": "
					      "\"Disconnect\"}]}",
			moves[i].branches);
		call_begin(&call, flow_of(text, "id", FLOW_TYPE_UNKNOWN), FLOW_TYPE_CUSTOMER_QUEUE);
		assert_int_equal(count_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE), moves[i].moved);
		if (moves[i].moved) {
			assert_string_equal(
				effect_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE)->target.queue, "q");
			call_answer(&call, FLOW_RESULT_OK);
		} else {
			assert_non_null(strstr(
				effect_of(&call, FLOW_EFFECT_LOG)->log.text, "keeps its queue"));
		}
		assert_at(&call, moves[i].where);
		assert_outcome(&call, FLOW_OUTCOME_DISCONNECTED);
		call_end(&call);
	}
}

static void types_and_versions_are_found_where_they_are(void **state)
{
	static const struct {
		const char *head;
		enum flow_type type;
	} heads[] = {
		{"\"version\": \"1\", \"type\": \"agentHold\"", FLOW_TYPE_AGENT_HOLD},
		{"\"metadata\": {\"type\": \"queueTransfer\"}", FLOW_TYPE_QUEUE_TRANSFER},
		{"\"type\": \"contactFlow\"", FLOW_TYPE_INBOUND},
		{"\"type\": \"OUTBOUND_WHISPER\"", FLOW_TYPE_OUTBOUND_WHISPER},
		{"\"type\": \"newKind\"", FLOW_TYPE_UNKNOWN},
		{"\"version\": \"1\"", FLOW_TYPE_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		char text[300];
		struct flow *flow;

		snprintf(text, sizeof(text),
			"{%s, \"start\": \"a\", \"modules\": [{\"id\": \"a\", \"type\": "
			"\"Disconnect\"}]}",
			heads[i].head);
		flow = flow_of(text, "id", FLOW_TYPE_UNKNOWN);
		assert_int_equal(flow->type, heads[i].type);
		flow_release(flow);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_module_becomes_its_action),
		cmocka_unit_test(keys_count_only_when_entries_are_encrypted),
		cmocka_unit_test(bad_modules_are_refused),
		cmocka_unit_test(resource_names_stand_in_for_empty_arns),
		cmocka_unit_test(R39_a_legacy_block_names_its_queue),
		cmocka_unit_test(R86_R88_transfer_in_a_queue_flow_of_unknown_type),
		cmocka_unit_test(types_and_versions_are_found_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
