/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of types and branches, references against an instance made of a table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "flow/checker.h"
#include "support.h"

static const struct {
	enum flow_resource kind;
	const char *name;
	struct flow_resource_info info;
} instance[] = {
	{FLOW_RESOURCE_QUEUE, "sales", {0}},
	{FLOW_RESOURCE_AGENT, "arossi", {0}},
	{FLOW_RESOURCE_AGENT, "watcher", {.may_not_take_calls = true}},
	{FLOW_RESOURCE_PROMPT, "beep", {0}},
	{FLOW_RESOURCE_HOURS, "day", {0}},
	{FLOW_RESOURCE_FLOW, "inbound", {.type = FLOW_TYPE_INBOUND}},
	{FLOW_RESOURCE_FLOW, "queue", {.type = FLOW_TYPE_CUSTOMER_QUEUE}},
	{FLOW_RESOURCE_FLOW, "module", {.type = FLOW_TYPE_MODULE}},
	{FLOW_RESOURCE_FLOW, "draft", {.type = FLOW_TYPE_INBOUND, .never_published = true}},
	{FLOW_RESOURCE_MODULE, "module", {.type = FLOW_TYPE_MODULE}},
	{FLOW_RESOURCE_MODULE, "inbound", {.type = FLOW_TYPE_INBOUND}},
	{FLOW_RESOURCE_PHONE_NUMBER, "+12025550100", {0}},
};

static bool find(void *owner, enum flow_resource kind, const char *reference, const char *name,
	struct flow_resource_info *info)
{
	size_t length;
	const char *id = flow_reference_id(reference, &length);

	(void)owner;
	(void)name;
	for (size_t i = 0; i < sizeof(instance) / sizeof(instance[0]); i++) {
		if (instance[i].kind == kind && strlen(instance[i].name) == length &&
			strncmp(instance[i].name, id, length) == 0) {
			*info = instance[i].info;
			return true;
		}
	}
	return false;
}

static const struct flow_resolver resolver = {.find = find};

#define ONE(type, params)                                                             \
	"[{\"Identifier\": \"act\", \"Type\": \"" type "\", \"Parameters\": {" params \
	"}, \"Transitions\": {\"NextAction\": \"act\", \"Errors\": [{\"ErrorType\": " \
	"\"NoMatchingError\", \"NextAction\": \"act\"}]}}]"

static const struct {
	const char *actions;
	const char *place; /* NULL: no error */
	const char *words;
} rows[] = {
	{ONE("UpdateContactTargetQueue", "\"QueueId\": \"sales\""), NULL, NULL},
	{ONE("UpdateContactTargetQueue",
		 "\"QueueId\": \"arn:aws:connect:r:1:instance/i/queue/sales\""),
		NULL, NULL},
	{ONE("UpdateContactTargetQueue", "\"QueueId\": \"nowhere\""),
		"action 'act': Parameters.QueueId", "there is no queue 'nowhere'"},
	{ONE("UpdateContactTargetQueue", "\"QueueId\": \"$.Attributes.q\""), NULL, NULL},
	{ONE("UpdateContactTargetQueue", "\"AgentId\": \"ghost\""), "Parameters.AgentId",
		"there is no agent 'ghost'"},
	{ONE("MessageParticipant", "\"PromptId\": \"beep\""), NULL, NULL},
	{ONE("MessageParticipant", "\"PromptId\": \"boop\""), "action 'act': Parameters.PromptId",
		"there is no prompt 'boop'"},
	{ONE("MessageParticipantIteratively",
		 "\"Messages\": [{\"Text\": \"t\"}, {\"PromptId\": \"boop\"}]"),
		"Parameters.Messages[1].PromptId", "there is no prompt 'boop'"},
	{ONE("CheckHoursOfOperation", "\"HoursOfOperationId\": \"night\""),
		"Parameters.HoursOfOperationId", "hours of operation"},
	{ONE("TransferToFlow", "\"ContactFlowId\": \"nowhere\""), "Parameters.ContactFlowId",
		"there is no flow 'nowhere'"},
	{ONE("TransferToFlow", "\"ContactFlowId\": \"module\""), "Parameters.ContactFlowId",
		"is a module"},
	{ONE("TransferToFlow", "\"ContactFlowId\": \"draft\""), "Parameters.ContactFlowId",
		"only saved"},
	{ONE("TransferToFlow", "\"ContactFlowId\": \"arn:x/contact-flow/inbound:$SAVED\""), NULL,
		NULL},
	{ONE("InvokeFlowModule", "\"FlowModuleId\": \"module\""), NULL, NULL},
	{ONE("InvokeFlowModule", "\"FlowModuleId\": \"inbound\""), "Parameters.FlowModuleId",
		"of type module"},
	{ONE("UpdateContactEventHooks", "\"EventHooks\": {\"CustomerRemaining\": \"inbound\"}"),
		NULL, NULL},
	{ONE("UpdateContactEventHooks", "\"EventHooks\": {\"CustomerRemaining\": \"queue\"}"),
		"Parameters.EventHooks.CustomerRemaining", "expected a flow of type inbound"},
	{ONE("UpdateContactEventHooks", "\"EventHooks\": {\"CustomerQueue\": \"inbound\"}"),
		"Parameters.EventHooks.CustomerQueue", "expected a flow of type customerQueue"},
	{"[{\"Identifier\": \"act\", \"Type\": \"DequeueContactAndTransferToQueue\"}]",
		"action 'act': Transitions.NextAction", "Success"},
};

static void R63_R88_references_and_success_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow *flow =
			flow_of(flow_text_of("act", rows[i].actions), "id", FLOW_TYPE_UNKNOWN);
		struct report report;
		int rc;

		report_init(&report);
		rc = flow_check(flow, &resolver, &report);
		if (rc != (rows[i].place != NULL ? -EINVAL : 0))
			report_print(&report, stderr);
		assert_int_equal(rc, rows[i].place != NULL ? -EINVAL : 0);
		if (rows[i].place != NULL) {
			assert_true(report_mentions(&report, REPORT_ERROR, rows[i].place));
			assert_true(report_mentions(&report, REPORT_ERROR, rows[i].words));
		}
		report_clear(&report);
		flow_release(flow);
	}
}

/* `cordctl flow check` with no instance at hand. */
static void what_no_instance_has_is_a_note(void **state)
{
	static const struct flow_resolver nothing = {.missing_is_note = true};
	struct flow *flow = flow_of(
		flow_text_of("act", ONE("UpdateContactTargetQueue", "\"QueueId\": \"nowhere\"")),
		"id", FLOW_TYPE_INBOUND);
	struct report report;

	(void)state;
	report_init(&report);
	assert_int_equal(flow_check(flow, &nothing, &report), 0);
	assert_int_equal(report_count(&report, REPORT_WARNING), 0);
	assert_true(report_mentions(&report, REPORT_NOTE, "action 'act': Parameters.QueueId"));
	assert_true(report_mentions(&report, REPORT_NOTE, "needs queue 'nowhere' in the instance"));
	report_clear(&report);
	flow_release(flow);
}

static void expect_warning(
	const char *actions, enum flow_type type, const char *place, const char *words)
{
	struct flow *flow = flow_of(flow_text_of("act", actions), "id", type);
	struct report report;

	report_init(&report);
	assert_int_equal(flow_check(flow, &resolver, &report), 0);
	if (!report_mentions(&report, REPORT_WARNING, place) ||
		!report_mentions(&report, REPORT_WARNING, words))
		report_print(&report, stderr);
	assert_true(report_mentions(&report, REPORT_WARNING, place));
	assert_true(report_mentions(&report, REPORT_WARNING, words));
	report_clear(&report);
	flow_release(flow);
}

static void R84_short_interrupts_are_warned_about(void **state)
{
	(void)state;
	expect_warning(
		ONE("MessageParticipantIteratively",
			"\"Messages\": [{\"Text\": \"t\"}], \"InterruptFrequencySeconds\": \"20\""),
		FLOW_TYPE_CUSTOMER_QUEUE, "Parameters.InterruptFrequencySeconds",
		"more than 20 seconds");
}

static void R95_users_who_may_not_take_calls_are_warned_about(void **state)
{
	(void)state;
	expect_warning(ONE("UpdateContactTargetQueue", "\"AgentId\": \"watcher\""),
		FLOW_TYPE_INBOUND, "action 'act': Parameters.AgentId", "offered to nobody");
}

static void R76_foreign_caller_ids_are_warned_about(void **state)
{
	(void)state;
	expect_warning(
		ONE("TransferParticipantToThirdParty",
			"\"ThirdPartyPhoneNumber\": \"+12025550143\", \"CallerId\": {\"Number\": "
			"\"+4930123456\"}"),
		FLOW_TYPE_INBOUND, "Parameters.CallerId.Number",
		"there is no phone number '+4930123456'");
}

static void what_the_live_service_refuses_is_warned_about(void **state)
{
	(void)state;
	expect_warning(ONE("MessageParticipant", "\"Text\": \"t\""), FLOW_TYPE_CUSTOMER_HOLD,
		"Type", "flows of type customerHold");
	expect_warning("[{\"Identifier\": \"act\", \"Type\": \"Compare\", \"Parameters\": "
		       "{\"ComparisonValue\": \"$.Channel\"}}]",
		FLOW_TYPE_INBOUND, "Transitions.NextAction", "expected an action after Compare");
	expect_warning(ONE("Compare", "\"ComparisonValue\": \"$.Channel\""), FLOW_TYPE_INBOUND,
		"Transitions.Errors", "NoMatchingCondition");
	expect_warning(ONE("CheckHoursOfOperation", ""), FLOW_TYPE_INBOUND,
		"Transitions.Conditions", "True");
	expect_warning(ONE("DisconnectParticipant", ""), FLOW_TYPE_INBOUND,
		"Transitions.NextAction", "never followed");
	expect_warning(
		ONE("UpdateContactEventHooks", "\"EventHooks\": {\"Sometimes\": \"inbound\"}"),
		FLOW_TYPE_INBOUND, "Parameters.EventHooks.Sometimes", "name of a hook");
}

/* ---- What the live service refuses ------------------------------------------------------ */

#define FULL(type, params, next, errors, conditions)                                          \
	"[{\"Identifier\": \"act\", \"Type\": \"" type "\", \"Parameters\": {" params         \
	"}, \"Transitions\": {" next "\"Errors\": [" errors "], \"Conditions\": [" conditions \
	"]}}]"
#define NEXT    "\"NextAction\": \"act\", "
#define E(name) "{\"ErrorType\": \"" name "\", \"NextAction\": \"act\"}"
#define C(op, value)                                                    \
	"{\"NextAction\": \"act\", \"Condition\": {\"Operator\": \"" op \
	"\", \"Operands\": [\"" value "\"]}}"
#define MENU_ERRORS \
	E("NoMatchingError") ", " E("NoMatchingCondition") ", " E("InputTimeLimitExceeded")
#define NUMBER_TO "\"ThirdPartyPhoneNumber\": \"+12025550143\""
#define RESUME(flag)                                                     \
	NUMBER_TO ", \"ThirdPartyConnectionTimeLimitSeconds\": \"30\", " \
		  "\"ContinueFlowExecution\": \"" flag "\""

static const struct {
	const char *actions;
	const char *place; /* NULL: nothing is said */
	const char *words;
} warned[] = {
	/* NextAction */
	{FULL("MessageParticipant", "\"Text\": \"t\"", "", "", ""), "Transitions.NextAction",
		"expected an action after MessageParticipant"},
	{FULL("TransferToFlow", "\"ContactFlowId\": \"inbound\"", "", E("NoMatchingError"), ""),
		"Transitions.NextAction", "expected an action after TransferToFlow"},
	{FULL("MessageParticipantIteratively", "\"Messages\": [{\"Text\": \"t\"}]", "", "", ""),
		NULL, NULL},
	{FULL("DisconnectParticipant", "", NEXT, "", ""), "Transitions.NextAction",
		"never followed"},
	/* Errors */
	{FULL("UpdateFlowAttributes", "\"FlowAttributes\": {\"a\": {\"Value\": \"b\"}}", NEXT, "",
		 ""),
		"Transitions.Errors", "expected a branch NoMatchingError"},
	{FULL("CheckMetricData", "\"MetricType\": \"NumberOfAgentsStaffed\"", NEXT,
		 E("NoMatchingError"), C("NumberGreaterThan", "0")),
		"Transitions.Errors", "expected a branch NoMatchingCondition"},
	{FULL("GetParticipantInput", "\"Text\": \"t\"", NEXT, E("NoMatchingError"),
		 C("Equals", "1")),
		"Transitions.Errors", "expected a branch InputTimeLimitExceeded"},
	{FULL("GetParticipantInput",
		 "\"Text\": \"t\", \"StoreInput\": \"True\", \"InputValidation\": "
		 "{\"PhoneNumberValidation\": {\"NumberFormat\": \"Local\", \"CountryCode\": "
		 "\"US\"}}",
		 NEXT, E("NoMatchingError"), ""),
		"Transitions.Errors", "expected a branch InvalidPhoneNumber"},
	{FULL("GetParticipantInput", "\"Text\": \"t\", \"StoreInput\": \"True\"", NEXT, MENU_ERRORS,
		 ""),
		"Transitions.Errors", "expected no branch InputTimeLimitExceeded"},
	{FULL("TransferParticipantToThirdParty", RESUME("True"), NEXT, E("NoMatchingError"), ""),
		"Transitions.Errors", "expected a branch CallFailed"},
	{FULL("TransferParticipantToThirdParty", RESUME("False"), NEXT,
		 E("NoMatchingError") ", " E("CallFailed"), ""),
		"Transitions.Errors", "expected no branch CallFailed"},
	{FULL("TransferParticipantToThirdParty", RESUME("False"), NEXT, E("NoMatchingError"), ""),
		NULL, NULL},
	/* Conditions */
	{FULL("GetParticipantInput", "\"Text\": \"t\"", NEXT, MENU_ERRORS, C("Equals", "10")),
		"Transitions.Conditions[0]", "never has that result"},
	{FULL("GetParticipantInput", "\"Text\": \"t\"", NEXT, MENU_ERRORS,
		 C("Equals", "1") ", " C("Equals", "*") ", " C("Equals", "1")),
		"Transitions.Conditions[2]", "Equals '1' stands before it"},
	{FULL("GetParticipantInput", "\"Text\": \"t\", \"StoreInput\": \"True\"", NEXT,
		 E("NoMatchingError"), C("Equals", "1")),
		"Transitions.Conditions", "has no result to compare"},
	{FULL("CheckHoursOfOperation", "", NEXT, E("NoMatchingError"), C("Equals", "True")),
		"Transitions.Conditions", "expected a condition Equals False"},
	{FULL("CheckHoursOfOperation", "", NEXT, E("NoMatchingError"),
		 C("Equals", "True") ", " C("Equals", "False") ", " C("Equals", "Maybe")),
		"Transitions.Conditions[2]", "never has that result"},
	{FULL("Loop", "\"LoopCount\": \"3\"", NEXT, "", C("Equals", "DoneLooping")),
		"Transitions.Conditions", "expected a condition Equals ContinueLooping"},
	{FULL("CheckMetricData", "\"MetricType\": \"NumberOfContactsInQueue\"", NEXT,
		 E("NoMatchingError") ", " E("NoMatchingCondition"), C("NumberLessThan", "five")),
		"Transitions.Conditions[0]", "the result is a number"},
	{FULL("Compare", "\"ComparisonValue\": \"$.Channel\"", NEXT, E("NoMatchingCondition"),
		 C("NumberGreaterThan", "many")),
		"Transitions.Conditions[0]", "compared as a number"},
	{FULL("Compare", "\"ComparisonValue\": \"$.Channel\"", NEXT, E("NoMatchingCondition"),
		 C("NumberGreaterThan", "$.Attributes.n") ", " C("TextContains", "V") ", " C(
			 "NumberLessOrEqualTo", "-1.5")),
		NULL, NULL},
	{FULL("MessageParticipant", "\"Text\": \"t\"", NEXT, "", C("Equals", "1")),
		"Transitions.Conditions", "has no result to compare"},
	{FULL("MessageParticipantIteratively",
		 "\"Messages\": [{\"Text\": \"t\"}], \"InterruptFrequencySeconds\": \"30\"", NEXT,
		 "", ""),
		"Transitions.Conditions", "MessagesInterrupted"},
	{FULL("MessageParticipantIteratively", "\"Messages\": [{\"Text\": \"t\"}]", NEXT, "",
		 C("Equals", "MessagesInterrupted")),
		"Transitions.Conditions", "nothing interrupts"},
	/* Parameters */
	{FULL("TransferParticipantToThirdParty", NUMBER_TO ", \"ContinueFlowExecution\": \"False\"",
		 NEXT, E("NoMatchingError"), ""),
		"Parameters", "expected ThirdPartyConnectionTimeLimitSeconds"},
	{FULL("TransferParticipantToThirdParty",
		 NUMBER_TO ", \"ThirdPartyConnectionTimeLimitSeconds\": \"30\"", NEXT,
		 E("NoMatchingError"), ""),
		"Parameters", "expected ContinueFlowExecution"},
	{FULL("CreateCallbackContact",
		 "\"InitialCallDelaySeconds\": \"5\", \"RetryDelaySeconds\": \"60\"", NEXT,
		 E("NoMatchingError"), ""),
		"Parameters", "expected MaximumConnectionAttempts"},
	{FULL("MessageParticipant", "\"Text\": \"t\", \"SSML\": \"<speak>t</speak>\"", NEXT, "",
		 ""),
		"Parameters", "expected only one of Text, SSML"},
	{FULL("UpdateContactTargetQueue", "\"QueueId\": \"sales\", \"AgentId\": \"arossi\"", NEXT,
		 E("NoMatchingError"), ""),
		"Parameters", "expected only one of QueueId and AgentId"},
	{FULL("UpdateContactRoutingBehavior",
		 "\"QueuePriority\": \"1\", \"QueueTimeAdjustmentSeconds\": \"2\"", NEXT, "", ""),
		"Parameters", "expected only one of QueuePriority"},
	{FULL("UpdateContactEventHooks",
		 "\"EventHooks\": {\"CustomerQueue\": \"queue\", \"CustomerRemaining\": "
		 "\"inbound\"}",
		 NEXT, E("NoMatchingError"), ""),
		"Parameters", "expected only one of the hooks"},
	{FULL("GetParticipantInput",
		 "\"StoreInput\": \"True\", \"DTMFConfiguration\": {\"InputTerminationSequence\": "
		 "\"123456\"}",
		 NEXT, E("NoMatchingError"), ""),
		"DTMFConfiguration.InputTerminationSequence", "one to 5"},
	{FULL("GetParticipantInput",
		 "\"StoreInput\": \"True\", \"DTMFConfiguration\": {\"InputTerminationSequence\": "
		 "\"**\"}",
		 NEXT, E("NoMatchingError"), ""),
		"DTMFConfiguration.InputTerminationSequence", "DisableCancelKey True"},
	{FULL("GetParticipantInput",
		 "\"StoreInput\": \"True\", \"DTMFConfiguration\": {\"InputTerminationSequence\": "
		 "\"**\", \"DisableCancelKey\": \"True\"}",
		 NEXT, E("NoMatchingError"), ""),
		NULL, NULL},
	{FULL("GetParticipantInput",
		 "\"StoreInput\": \"True\", \"InputEncryption\": {\"EncryptionKeyId\": \"k\", "
		 "\"Key\": \"pem\"}, \"InputValidation\": {\"PhoneNumberValidation\": "
		 "{\"NumberFormat\": \"E164\"}}",
		 NEXT, E("NoMatchingError") ", " E("InvalidPhoneNumber"), ""),
		"Parameters.InputEncryption", "expected CustomValidation"},
	{FULL("GetParticipantInput",
		 "\"StoreInput\": \"True\", \"InputEncryption\": {\"Key\": \"pem\"}", NEXT,
		 E("NoMatchingError"), ""),
		"Parameters.InputEncryption", "both Key and EncryptionKeyId"},
	{FULL("Compare", "\"ComparisonValue\": \"gold\"", NEXT, E("NoMatchingCondition"), ""),
		"Parameters.ComparisonValue", "expected one JSONPath, found 'gold'"},
	{FULL("UpdateContactCallbackNumber", "\"CallbackNumber\": \"+12025550143\"", NEXT,
		 E("InvalidCallbackNumber") ", " E("CallbackNumberNotDialable"), ""),
		"Parameters.CallbackNumber", "expected one JSONPath"},
	{FULL("TagContact",
		 "\"Tags\": {\"a\": \"1\", \"b\": \"1\", \"c\": \"1\", \"d\": \"1\", \"e\": \"1\", "
		 "\"f\": \"1\", \"g\": \"1\"}",
		 NEXT, E("NoMatchingError"), ""),
		"Parameters.Tags", "at most 6 tags, found 7"},
	{FULL("UpdateContactData", "", NEXT, E("NoMatchingError"), ""), "Parameters",
		"expected something to set"},
};

static void what_the_live_service_validates_is_warned_about(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
		struct flow *flow =
			flow_of(flow_text_of("act", warned[i].actions), "id", FLOW_TYPE_UNKNOWN);
		struct report report;
		bool good;

		report_init(&report);
		assert_int_equal(flow_check(flow, &resolver, &report), 0);
		good = warned[i].place == NULL
			       ? report_count(&report, REPORT_WARNING) == 0
			       : report_mentions(&report, REPORT_WARNING, warned[i].place) &&
					 report_mentions(&report, REPORT_WARNING, warned[i].words);
		if (!good) {
			report_print(&report, stderr);
			fail_msg("row %zu: %s", i, warned[i].words);
		}
		report_clear(&report);
		flow_release(flow);
	}
}

static void fixed_attributes_over_32_kb_are_warned_about(void **state)
{
	static char value[20000], actions[60000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	snprintf(actions, sizeof(actions),
		FULL("UpdateContactAttributes", "\"Attributes\": {\"a\": \"%s\", \"b\": \"%s\"}",
			NEXT, E("NoMatchingError"), ""),
		value, value);
	expect_warning(actions, FLOW_TYPE_INBOUND, "Parameters", "at most 32768 bytes");
}

/* i inbound, q queue, h customer hold, H agent hold, w customer whisper, W agent whisper,
 * o outbound whisper, a agent transfer, t queue transfer, m module */
static const char type_letters[FLOW_TYPE_COUNT] = {
	[FLOW_TYPE_INBOUND] = 'i',
	[FLOW_TYPE_CUSTOMER_QUEUE] = 'q',
	[FLOW_TYPE_CUSTOMER_HOLD] = 'h',
	[FLOW_TYPE_CUSTOMER_WHISPER] = 'w',
	[FLOW_TYPE_AGENT_HOLD] = 'H',
	[FLOW_TYPE_AGENT_WHISPER] = 'W',
	[FLOW_TYPE_OUTBOUND_WHISPER] = 'o',
	[FLOW_TYPE_AGENT_TRANSFER] = 'a',
	[FLOW_TYPE_QUEUE_TRANSFER] = 't',
	[FLOW_TYPE_MODULE] = 'm',
};

static const struct {
	const char *type, *params, *allowed;
} type_rows[] = {
	{"MessageParticipant", "\"Text\": \"t\"", "iqwWoatm"},
	{"MessageParticipantIteratively", "\"Messages\": [{\"Text\": \"t\"}]", "qhH"},
	{"GetParticipantInput", "", "iqatmo"},
	{"ConnectParticipantWithLexBot", "", "iqatm"},
	{"DisconnectParticipant", "", "iqatm"},
	{"TransferContactToQueue", "", "iatm"},
	{"DequeueContactAndTransferToQueue", "", "q"},
	{"CreateCallbackContact", "", "iqatm"},
	{"TransferContactToAgent", "", "at"},
	{"TransferParticipantToThirdParty", NUMBER_TO, "iqatm"},
	{"TransferToFlow", "\"ContactFlowId\": \"inbound\"", "iatm"},
	{"EndFlowExecution", "", "qwWo"},
	{"EndFlowModuleExecution", "", "m"},
	{"UpdateContactTargetQueue", "\"QueueId\": \"sales\"", "iatm"},
	{"UpdateContactAttributes", "", "iqhHwWoatm"},
	{"Compare", "\"ComparisonValue\": \"$.Channel\"", "iqhHwWoatm"},
	{"CheckHoursOfOperation", "", "iqatm"},
	{"Loop", "\"LoopCount\": \"3\"", "iqhHwWoatm"},
	{"DistributeByPercentage", "", "iqatmo"},
	{"InvokeLambdaFunction", "\"LambdaFunctionARN\": \"f\"", "iqhHwWoatm"},
	{"UpdateContactRecordingBehavior", "", "iqatmo"},
	{"UpdateContactMediaStreamingBehavior", "", "iqwWoatm"},
	{"UpdateContactCallbackNumber", "\"CallbackNumber\": \"$.Attributes.n\"", "iqatm"},
	{"UpdateContactRoutingBehavior", "\"QueuePriority\": \"1\"", "iqatmo"},
	{"UpdatePreviousContactParticipantState",
		"\"PreviousContactParticipantState\": \"OffHold\"", "iato"},
	{"CompleteOutboundCall", "", "o"},
	{"CheckVoiceId", "", "iqwWoatm"},
	{"ShowView", "", "iq"},
};

static void each_type_of_flow_forbids_what_the_service_forbids(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(type_rows) / sizeof(type_rows[0]); i++) {
		for (int type = FLOW_TYPE_INBOUND; type < FLOW_TYPE_COUNT; type++) {
			char actions[300];
			struct flow *flow;
			struct report report;
			bool forbidden = strchr(type_rows[i].allowed, type_letters[type]) == NULL;

			snprintf(actions, sizeof(actions),
				"[{\"Identifier\": \"act\", \"Type\": \"%s\", \"Parameters\": "
				"{%s}}]",
				type_rows[i].type, type_rows[i].params);
			flow = flow_of(flow_text_of("act", actions), "id", (enum flow_type)type);
			report_init(&report);
			flow_check(flow, NULL, &report);
			if (report_mentions(&report, REPORT_WARNING,
				    "expected an action that flows of type") != forbidden)
				fail_msg("%s in %s", type_rows[i].type,
					flow_type_name((enum flow_type)type));
			report_clear(&report);
			flow_release(flow);
		}
	}
}

static void what_is_not_carried_out_is_noted_with_the_branch_taken(void **state)
{
	static const struct {
		const char *actions, *words;
	} noted[] = {
		{FULL("ShowView", "", NEXT, E("NoMatchingError"), ""),
			"no page to show; NoMatchingError is taken"},
		{FULL("CreateTask", "", NEXT, "", ""), "NextAction is taken"},
		{FULL("LoadContactContent", "", "", "", ""), "the flow ends"},
		{FULL("Wait", "\"TimeLimitSeconds\": \"5\"", NEXT, E("NoMatchingError"), ""),
			"routing.wait_pauses"},
		{FULL("ConnectParticipantWithLexBot", "", NEXT, E("NoMatchingError"), ""),
			"ConnectParticipantWithLexBot: there is no bot here"},
		{FULL("MessageParticipant",
			 "\"Media\": {\"Uri\": \"https://host/a.wav\", \"SourceType\": \"S3\", "
			 "\"MediaType\": \"Audio\"}",
			 NEXT, E("NoMatchingError"), ""),
			"from s3://BUCKET/KEY only; NoMatchingError is taken"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++) {
		struct flow *flow =
			flow_of(flow_text_of("act", noted[i].actions), "id", FLOW_TYPE_UNKNOWN);
		struct report report;

		report_init(&report);
		assert_int_equal(flow_check(flow, NULL, &report), 0);
		assert_true(report_mentions(&report, REPORT_NOTE, noted[i].words));
		report_clear(&report);
		flow_release(flow);
	}
}

static bool serves_bots(void *owner, enum flow_action_type type)
{
	return type == FLOW_ACTION_LEX;
}

static void what_a_service_carries_out_is_not_noted(void **state)
{
	static const struct flow_resolver served = {.find = find, .is_served = serves_bots};
	static const char *const actions[] = {
		FULL("ConnectParticipantWithLexBot", "", NEXT, E("NoMatchingError"), ""),
		FULL("CreateTask", "", NEXT, E("NoMatchingError"), "")};

	for (size_t i = 0; i < 2; i++) {
		struct flow *flow =
			flow_of(flow_text_of("act", actions[i]), "id", FLOW_TYPE_UNKNOWN);
		struct report report;

		report_init(&report);
		flow_check(flow, &served, &report);
		assert_int_equal(
			report_mentions(&report, REPORT_NOTE, "NoMatchingError is taken"), i == 1);
		report_clear(&report);
		flow_release(flow);
	}
}

static void reference_ids(void **state)
{
	static const struct {
		const char *reference, *id;
	} ids[] = {
		{"abc", "abc"},
		{"", ""},
		{"a51ac753-bfd4-4be1-9a87-f3cf367c9f4c:$LATEST",
			"a51ac753-bfd4-4be1-9a87-f3cf367c9f4c"},
		{"a51ac753-bfd4-4be1-9a87-f3cf367c9f4c:12", "a51ac753-bfd4-4be1-9a87-f3cf367c9f4c"},
		{"Support: day", "Support: day"},
		{"Support:24", "Support:24"},
		{"arn:aws:connect:r:1:instance/i/queue/q", "q"},
		{"arn:aws:connect:r:1:instance/i/contact-flow/f:$SAVED", "f"},
		{"arn:aws:connect:r:1:instance/i/queue/agent/u", "u"},
		{"arn:aws:lambda:r:1:function", "function"},
		{"arn:", ""},
		{"arn:/", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		size_t length;
		const char *id = flow_reference_id(ids[i].reference, &length);

		assert_int_equal(length, strlen(ids[i].id));
		assert_memory_equal(id, ids[i].id, length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R63_R88_references_and_success_are_judged),
		cmocka_unit_test(what_no_instance_has_is_a_note),
		cmocka_unit_test(R84_short_interrupts_are_warned_about),
		cmocka_unit_test(R95_users_who_may_not_take_calls_are_warned_about),
		cmocka_unit_test(R76_foreign_caller_ids_are_warned_about),
		cmocka_unit_test(what_the_live_service_refuses_is_warned_about),
		cmocka_unit_test(what_the_live_service_validates_is_warned_about),
		cmocka_unit_test(fixed_attributes_over_32_kb_are_warned_about),
		cmocka_unit_test(each_type_of_flow_forbids_what_the_service_forbids),
		cmocka_unit_test(what_is_not_carried_out_is_noted_with_the_branch_taken),
		cmocka_unit_test(what_a_service_carries_out_is_not_noted),
		cmocka_unit_test(reference_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
