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
		cmocka_unit_test(reference_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
