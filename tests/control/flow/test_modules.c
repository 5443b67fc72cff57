/* SPDX-License-Identifier: Apache-2.0 */
/* Modules: named exits, input and output, what stays whose, depth, and ways to end in one. */
#include <stdio.h>
#include <string.h>

#include "support.h"

#define SAY(id, text, rest)      \
	"{\"Identifier\": \"" id \
	"\", \"Type\": \"MessageParticipant\", \"Parameters\": {\"Text\": \"" text "\"}" rest "}"
#define NEXT(id) ", \"Transitions\": {\"NextAction\": \"" id "\"}"
#define RETURN(params)                                                        \
	"{\"Identifier\": \"return\", \"Type\": \"EndFlowModuleExecution\", " \
	"\"Parameters\": {" params "}, \"Transitions\": {}}"
#define ON(branch)                                                                    \
	"{\"NextAction\": \"" branch "\", \"Condition\": {\"Operator\": \"Equals\", " \
	"\"Operands\": [\"" branch "\"]}}"
#define INVOKE(id, module, input, next, conditions)                                              \
	"{\"Identifier\": \"" id "\", \"Type\": \"InvokeFlowModule\", \"Parameters\": "          \
	"{\"FlowModuleId\": \"" module "\"" input "}, \"Transitions\": {\"NextAction\": \"" next \
	"\", \"Conditions\": [" conditions "], \"Errors\": [{\"ErrorType\": "                    \
	"\"NoMatchingError\", \"NextAction\": \"failed\"}, {\"ErrorType\": "                     \
	"\"NoMatchingCondition\", \"NextAction\": \"none\"}]}}"

static void begin(struct call *call, const char *actions)
{
	call_prepare(call, flow_of(flow_text_of("m", actions), "main", FLOW_TYPE_INBOUND));
}

static void add_module(struct call *call, const char *id, const char *start, const char *actions)
{
	call_add_flow(call, flow_of(flow_text_of(start, actions), id, FLOW_TYPE_MODULE));
}

static void finish(struct call *call)
{
	call_party_gone(call);
	call_end(call);
}

static const char *said(const struct call *call)
{
	return effect_of(call, FLOW_EFFECT_PLAY)->play.messages[0].text;
}

static void modules_return_along_the_exit_taken(void **state)
{
	static const char *const named =
		"[" INVOKE("m", "module", "", "after", ON("found") ", " ON("lost")) ", " SAY(
			"after", "t", "") ", " SAY("failed", "t", "") ", " SAY("none", "t",
			"") ", " SAY("found", "t", "") ", " SAY("lost", "t", "") "]";
	static const char *const plain = "[" INVOKE("m", "module", "", "after", "") ", " SAY(
		"after", "t", "") ", " SAY("failed", "t", "") ", " SAY("none", "t", "") "]";
	static const struct {
		const char *invoker, *module, *wanted;
	} rows[] = {
		{NULL, "[" RETURN("") "]", "after"},
		{NULL, "[" RETURN("\"Result\": \"found\"") "]", "after"},
		{"named", "[" RETURN("\"Result\": \"found\"") "]", "found"},
		{"named", "[" RETURN("\"Result\": \"lost\"") "]", "lost"},
		{"named", "[" RETURN("\"Result\": \"else\"") "]", "none"},
		{"named", "[" RETURN("") "]", "none"},
		/* It runs out without a Return block. */
		{NULL,
			"[{\"Identifier\": \"return\", \"Type\": \"UpdateFlowLoggingBehavior\", "
			"\"Parameters\": {\"FlowLoggingBehavior\": \"Enabled\"}}]",
			"after"},
		/* There is none. */
		{NULL, NULL, "failed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		begin(&call, rows[i].invoker != NULL ? named : plain);
		if (rows[i].module != NULL)
			add_module(&call, "module", "return", rows[i].module);
		call_start(&call, FLOW_TYPE_INBOUND);
		assert_at(&call, rows[i].wanted);
		finish(&call);
	}
}

static void what_is_no_module_is_not_invoked(void **state)
{
	struct call call;

	(void)state;
	begin(&call, "[" INVOKE("m", "other", "", "after", "") ", " SAY("after", "t", "") ", " SAY(
			     "failed", "t", "") ", " SAY("none", "t", "") "]");
	call_add_flow(&call,
		flow_of(flow_text_of("x", "[" SAY("x", "t", "") "]"), "other", FLOW_TYPE_INBOUND));
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_at(&call, "failed");
	finish(&call);
}

static void input_goes_in_and_output_comes_back(void **state)
{
	struct call call;

	(void)state;
	begin(&call, "[" INVOKE("m", "module",
			     ", \"Input\": {\"who\": \"$.Attributes.name\", \"deep\": {\"list\": "
			     "[\"a\", "
			     "7]}}",
			     "after", ON("ok")) ", " SAY("ok",
			     "$.Modules.Result: $.Modules.ResultData.greeting, "
			     "$.Modules.ResultData.n[0]; $.Modules.Input.who",
			     "") ", " SAY("after", "t", "") ", " SAY("failed", "t",
			     "") ", " SAY("none", "t", "") "]");
	attributes_set(&call.memory.attributes, "name", "Ada");
	add_module(&call, "module", "say",
		"[" SAY("say",
			"$.Modules.Input.who|$.Modules.Input.deep.list[1]|"
			"$['Modules']['Input']['who']",
			NEXT("return")) ", " RETURN("\"Result\": \"ok\", \"ResultData\": "
						    "{\"greeting\": \"Hi $.Modules.Input.who\", "
						    "\"n\": [3]}") "]");
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_string_equal(said(&call), "Ada|7|Ada");
	call_play_done(&call);
	assert_at(&call, "ok");
	assert_string_equal(said(&call), "ok: Hi Ada, 3; ");
	finish(&call);
}

/* A module in a module: its result replaces the one before, its invoker's input stays. */
static void input_survives_an_inner_module(void **state)
{
	struct call call;

	(void)state;
	begin(&call, "[" INVOKE("m", "outer", ", \"Input\": {\"x\": \"1\"}", "after", "") ", " SAY(
			     "after", "$.Modules.Input.x|$.Modules.ResultData.y",
			     "") ", " SAY("failed", "t", "") ", " SAY("none", "t", "") "]");
	add_module(&call, "outer", "i",
		"[" INVOKE("i", "inner", ", \"Input\": {\"x\": \"2\"}", "say", "") ", " SAY("say",
			"$.Modules.Input.x|$.Modules.ResultData.y",
			NEXT("return")) ", " RETURN("") ", " SAY("failed", "t", "") ", " SAY("none",
			"t", "") "]");
	add_module(&call, "inner", "return",
		"[" RETURN("\"ResultData\": {\"y\": \"$.Modules.Input.x\"}") "]");
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_string_equal(said(&call), "1|2");
	call_play_done(&call);
	assert_string_equal(said(&call), "|");
	finish(&call);
}

static void a_module_keeps_its_own_and_leaves_its_invokers(void **state)
{
	static const char *const module =
		"[{\"Identifier\": \"set\", \"Type\": \"UpdateFlowAttributes\", \"Parameters\": "
		"{\"FlowAttributes\": {\"f\": {\"Value\": \"inner\"}}}, \"Transitions\": "
		"{\"NextAction\": \"attr\"}}, {\"Identifier\": \"attr\", \"Type\": "
		"\"UpdateContactAttributes\", \"Parameters\": {\"Attributes\": {\"seen\": "
		"\"$.External.e|$.StoredCustomerInput\"}}, \"Transitions\": {\"NextAction\": "
		"\"ask\"}}, {\"Identifier\": \"ask\", \"Type\": \"GetParticipantInput\", "
		"\"Parameters\": {\"StoreInput\": \"True\", \"InputValidation\": "
		"{\"CustomValidation\": {\"MaximumLength\": \"2\"}}}, \"Transitions\": "
		"{\"NextAction\": \"return\"}}, " RETURN("") "]";
	struct call call;

	(void)state;
	begin(&call,
		"[{\"Identifier\": \"m\", \"Type\": \"UpdateFlowAttributes\", \"Parameters\": "
		"{\"FlowAttributes\": {\"f\": {\"Value\": \"outer\"}}}, \"Transitions\": "
		"{\"NextAction\": \"l\"}}, {\"Identifier\": \"l\", \"Type\": "
		"\"InvokeLambdaFunction\", \"Parameters\": {\"LambdaFunctionARN\": \"f\"}, "
		"\"Transitions\": {\"NextAction\": \"i\"}}, " INVOKE(
			"i", "module", "", "say", "") ", " SAY("say",
			"$.FlowAttributes.f|$.External.e|$.StoredCustomerInput|$.Attributes.seen",
			"") ", " SAY("failed", "t", "") ", " SAY("none", "t", "") "]");
	assert_true(flow_memory_store(&call.memory, "4711"));
	add_module(&call, "module", "set", module);
	call_start(&call, FLOW_TYPE_INBOUND);
	call_answer_event(&call, (struct flow_event){.text = "{\"e\": \"x\"}"});
	call_keys(&call, "99");
	assert_at(&call, "say");
	assert_string_equal(said(&call), "outer|x|4711||");
	finish(&call);
}

static void modules_nest_five_deep(void **state)
{
	struct call call;
	int logs = 0;

	(void)state;
	begin(&call, "[" INVOKE("m", "module", "", "after", "") ", " SAY("after", "t", "") ", " SAY(
			     "failed", "t", "") ", " SAY("none", "t", "") "]");
	add_module(&call, "module", "return",
		"[{\"Identifier\": \"return\", \"Type\": \"InvokeFlowModule\", \"Parameters\": "
		"{\"FlowModuleId\": \"module\"}}]");
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_at(&call, "after");
	for (uint32_t i = 0; i < call.fx->count; i++)
		logs += call.fx->items[i].type == FLOW_EFFECT_LOG &&
			strstr(call.fx->items[i].log.text, "nested too deep") != NULL;
	assert_int_equal(logs, 1);
	finish(&call);
}

static void a_disconnect_or_an_end_in_a_module_ends_it_all(void **state)
{
	static const struct {
		const char *type;
		enum flow_type role;
		enum flow_outcome outcome;
	} rows[] = {
		{"DisconnectParticipant", FLOW_TYPE_INBOUND, FLOW_OUTCOME_DISCONNECTED},
		{"EndFlowExecution", FLOW_TYPE_CUSTOMER_WHISPER, FLOW_OUTCOME_PROCEED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char module[200];
		struct call call;

		snprintf(module, sizeof(module), "[{\"Identifier\": \"x\", \"Type\": \"%s\"}]",
			rows[i].type);
		begin(&call, "[" INVOKE("m", "module", "", "failed", "") ", " SAY(
				     "failed", "t", "") ", " SAY("none", "t", "") "]");
		add_module(&call, "module", "x", module);
		call_start(&call, rows[i].role);
		assert_outcome(&call, rows[i].outcome);
		call_end(&call);
	}
}

/* The party hangs up three modules deep: nothing that a frame held is lost (the sanitizer looks). */
static void a_hang_up_deep_inside_gives_everything_back(void **state)
{
	struct call call;

	(void)state;
	begin(&call, "[" INVOKE("m", "one", ", \"Input\": {\"a\": \"b\"}", "failed", "") ", " SAY(
			     "failed", "t", "") ", " SAY("none", "t", "") "]");
	add_module(&call, "one", "m",
		"[" INVOKE("m", "two", ", \"Input\": {\"a\": \"b\"}", "failed", "") ", " SAY(
			"failed", "t", "") ", " SAY("none", "t", "") "]");
	add_module(&call, "two", "x", "[" SAY("x", "$.Modules.Input.a", "") "]");
	assert_true(flow_memory_store(&call.memory, "1234"));
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_int_equal(call.run.depth, 2);
	assert_string_equal(said(&call), "b");
	finish(&call);
}

static void a_result_that_is_too_large_is_an_error(void **state)
{
	static char big[20000];
	struct call call;

	(void)state;
	begin(&call, "[" INVOKE("m", "module", "", "after", "") ", " SAY("after", "t", "") ", " SAY(
			     "failed", "t", "") ", " SAY("none", "t", "") "]");
	memset(big, 'x', sizeof(big) - 1);
	attributes_set(&call.memory.attributes, "big", big);
	add_module(&call, "module", "return",
		"[" RETURN("\"ResultData\": {\"a\": \"$.Attributes.big\", \"b\": "
			   "\"$.Attributes.big\"}") "]");
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_at(&call, "failed");
	assert_int_equal(call.run.depth, 0);
	finish(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_return_along_the_exit_taken),
		cmocka_unit_test(what_is_no_module_is_not_invoked),
		cmocka_unit_test(input_goes_in_and_output_comes_back),
		cmocka_unit_test(input_survives_an_inner_module),
		cmocka_unit_test(a_module_keeps_its_own_and_leaves_its_invokers),
		cmocka_unit_test(modules_nest_five_deep),
		cmocka_unit_test(a_disconnect_or_an_end_in_a_module_ends_it_all),
		cmocka_unit_test(a_hang_up_deep_inside_gives_everything_back),
		cmocka_unit_test(a_result_that_is_too_large_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
