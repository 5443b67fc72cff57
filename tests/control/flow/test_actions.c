/* SPDX-License-Identifier: Apache-2.0 */
/* Every action type with each of its branches: what it asks for, and where each answer leads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

/*
 * A flow of one action `act`; each branch leads to a prompt that bears its name. E: error branches,
 * C: conditions.
 */
#define ERR(name) "{\"ErrorType\": \"" name "\", \"NextAction\": \"" name "\"}"
#define COND(op, v, to)                                                    \
	"{\"NextAction\": \"" to "\", \"Condition\": {\"Operator\": \"" op \
	"\", \"Operands\": [\"" v "\"]}}"
#define EQ(v) COND("Equals", v, v)
#define TERMINAL(id)               \
	", {\"Identifier\": \"" id \
	"\", \"Type\": \"MessageParticipant\", \"Parameters\": {\"Text\": \"x\"}}"
#define ACT(type, params, errors, conditions)                                                     \
	"[{\"Identifier\": \"act\", \"Type\": \"" type "\", \"Parameters\": {" params             \
	"}, \"Transitions\": {\"NextAction\": \"next\", \"Errors\": [" errors                     \
	"], \"Conditions\": [" conditions "]}}" TERMINAL("next") TERMINAL("NoMatchingError")      \
		TERMINAL("NoMatchingCondition") TERMINAL("InputTimeLimitExceeded") TERMINAL(      \
			"QueueAtCapacity") TERMINAL("InvalidPhoneNumber") TERMINAL("CallFailed")  \
			TERMINAL("ConnectionTimeLimitExceeded") TERMINAL("InvalidCallbackNumber") \
				TERMINAL("CallbackNumberNotDialable") TERMINAL("1") TERMINAL(     \
					"2") TERMINAL("star") TERMINAL("True") TERMINAL("False")  \
					TERMINAL("ContinueLooping") TERMINAL("DoneLooping")       \
						TERMINAL("MessagesInterrupted")                   \
							TERMINAL("WaitCompleted") TERMINAL("yes") \
								TERMINAL("A") TERMINAL("B")       \
									TERMINAL("Book") "]"

static void start(struct call *call, const char *actions)
{
	call_begin_text(call, "act", actions, FLOW_TYPE_INBOUND);
}

static void finish(struct call *call, const char *where)
{
	assert_at(call, where);
	flow_run_stop(&call->run, call->fx);
	call_end(call);
}

/* Starts, answers the one thing that was asked, and expects to be `where`. */
static void branch(const char *actions, enum flow_result result, const char *where)
{
	struct call call;

	start(&call, actions);
	call_answer(&call, result);
	finish(&call, where);
}

/* ---- Prompts --------------------------------------------------------------------------------- */

static void play_prompt_of_every_kind(void **state)
{
	static const struct {
		const char *params;
		enum flow_message_kind kind;
		const char *text;
	} rows[] = {
		{ACT("MessageParticipant", "\"Text\": \"Hi $.Attributes.n.\"",
			 ERR("NoMatchingError"), ""),
			FLOW_MESSAGE_TEXT, "Hi Ada."},
		{ACT("MessageParticipant", "\"SSML\": \"<speak>$.Attributes.n</speak>\"", "", ""),
			FLOW_MESSAGE_SSML, "<speak>Ada</speak>"},
		{ACT("MessageParticipant", "\"PromptId\": \"$.Attributes.n\"", "", ""),
			FLOW_MESSAGE_PROMPT, "Ada"},
		{ACT("MessageParticipant",
			 "\"Media\": {\"Uri\": \"s3://b/$.Attributes.n.wav\", \"SourceType\": "
			 "\"S3\", "
			 "\"MediaType\": \"Audio\"}",
			 "", ""),
			FLOW_MESSAGE_MEDIA, "s3://b/Ada.wav"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;
		const struct flow_effect *effect;

		call_prepare(&call,
			flow_of(flow_text_of("act", rows[i].params), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.memory.attributes, "n", "Ada");
		call_start(&call, FLOW_TYPE_INBOUND);
		effect = effect_of(&call, FLOW_EFFECT_PLAY);
		assert_int_equal(effect->play.count, 1);
		assert_false(effect->play.loop);
		assert_int_equal(effect->play.messages[0].kind, rows[i].kind);
		assert_string_equal(effect->play.messages[0].text, rows[i].text);
		call_play_done(&call);
		finish(&call, "next");
	}
}

static void play_prompt_that_fails(void **state)
{
	struct call call;

	(void)state;
	start(&call, ACT("MessageParticipant", "\"Text\": \"t\"", ERR("NoMatchingError"), ""));
	call_play_failed(&call);
	finish(&call, "NoMatchingError");
	start(&call, ACT("MessageParticipant", "\"Text\": \"t\"", "", ""));
	call_play_failed(&call);
	finish(&call, "next");
	/* Too long when filled in. */
	call_prepare(&call, flow_of(flow_text_of("act", ACT("MessageParticipant",
								"\"Text\": \"$.Attributes.n\"",
								ERR("NoMatchingError"), "")),
				    "f", FLOW_TYPE_UNKNOWN));
	char text[FLOW_PROMPT_TEXT_MAX + 2];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	attributes_set(&call.memory.attributes, "n", text);
	call_start(&call, FLOW_TYPE_INBOUND);
	effect_of(&call, FLOW_EFFECT_LOG);
	finish(&call, "NoMatchingError");
}

#define LOOP_PROMPT(extra)                                                       \
	"\"Messages\": [{\"Text\": \"one\"}, {\"PromptId\": \"p\"}, {\"SSML\": " \
	"\"<speak/>\"}]" extra

static void R83_loop_prompts_plays_all_messages_and_is_interrupted(void **state)
{
	struct call call;
	const struct flow_effect *effect;

	(void)state;
	start(&call, ACT("MessageParticipantIteratively",
			     LOOP_PROMPT(", \"InterruptFrequencySeconds\": \"30\""),
			     ERR("NoMatchingError"), EQ("MessagesInterrupted")));
	effect = effect_of(&call, FLOW_EFFECT_PLAY);
	assert_true(effect->play.loop);
	assert_int_equal(effect->play.count, 3);
	assert_string_equal(effect->play.messages[1].text, "p");
	assert_int_equal(call.run.wake_at_ns, call.now + 30 * SECOND);
	call_timer(&call);
	effect_of(&call, FLOW_EFFECT_STOP_PLAYING);
	finish(&call, "MessagesInterrupted");

	start(&call, ACT("MessageParticipantIteratively",
			     LOOP_PROMPT(", \"InterruptFrequencySeconds\": 30, "
					 "\"ContinueMessagingDuringInterrupt\": \"true\""),
			     "", EQ("MessagesInterrupted")));
	call_timer(&call);
	assert_int_equal(count_of(&call, FLOW_EFFECT_STOP_PLAYING), 0);
	finish(&call, "MessagesInterrupted");

	start(&call,
		ACT("MessageParticipantIteratively", LOOP_PROMPT(""), ERR("NoMatchingError"), ""));
	assert_int_equal(call.run.wake_at_ns, 0);
	call_play_failed(&call);
	finish(&call, "NoMatchingError");
}

/* ---- Menu ------------------------------------------------------------------------------------ */

#define MENU_CONDITIONS EQ("1") ", " EQ("2") ", " COND("Equals", "*", "star")
#define MENU_ERRORS \
	ERR("InputTimeLimitExceeded") ", " ERR("NoMatchingCondition") ", " ERR("NoMatchingError")
#define MENU                                                                                    \
	ACT("GetParticipantInput",                                                              \
		"\"Text\": \"t\", \"StoreInput\": \"False\", \"InputTimeLimitSeconds\": \"7\"", \
		MENU_ERRORS, MENU_CONDITIONS)

static void menu_takes_one_key(void **state)
{
	static const struct {
		char key;
		const char *where;
	} rows[] = {{'1', "1"}, {'2', "2"}, {'*', "star"}, {'9', "NoMatchingCondition"},
		{'#', "NoMatchingCondition"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		start(&call, MENU);
		assert_true(effect_of(&call, FLOW_EFFECT_PLAY)->play.ends_with_key);
		call_key(&call, 'A');
		assert_at(&call, "act");
		call_key(&call, rows[i].key);
		effect_of(&call, FLOW_EFFECT_STOP_PLAYING);
		finish(&call, rows[i].where);
	}
}

static void menu_time_counts_from_the_end_of_the_prompt(void **state)
{
	struct call call;

	(void)state;
	start(&call, MENU);
	assert_int_equal(call.run.wake_at_ns, 0);
	call.now += 60 * SECOND;
	call_play_done(&call);
	assert_int_equal(call.run.wake_at_ns, call.now + 7 * SECOND);
	call_timer(&call);
	finish(&call, "InputTimeLimitExceeded");

	start(&call, MENU);
	call_play_failed(&call);
	finish(&call, "NoMatchingError");

	/* Without a prompt it counts at once. */
	start(&call, ACT("GetParticipantInput", "\"InputTimeLimitSeconds\": 3", MENU_ERRORS, ""));
	assert_int_equal(call.run.wake_at_ns, call.now + 3 * SECOND);
	call_timer(&call);
	finish(&call, "InputTimeLimitExceeded");
}

/* ---- Stored input ---------------------------------------------------------------------------- */

#define STORE(extra)                                                                     \
	ACT("GetParticipantInput",                                                       \
		"\"Text\": \"t\", \"StoreInput\": \"True\", \"InputTimeLimitSeconds\": " \
		"\"5\"" extra,                                                           \
		ERR("InvalidPhoneNumber") ", " ERR("NoMatchingError"), "")
#define CUSTOM(max) \
	", \"InputValidation\": {\"CustomValidation\": {\"MaximumLength\": \"" max "\"}}"
#define PHONE(format, country)                                                            \
	", \"InputValidation\": {\"PhoneNumberValidation\": {\"NumberFormat\": \"" format \
	"\", \"CountryCode\": \"" country "\"}}"
#define DTMF(config) ", \"DTMFConfiguration\": {" config "}"

static const char *stored(const struct call *call)
{
	return call->memory.stored_input != NULL ? call->memory.stored_input : "";
}

static void stored_input(void **state)
{
	/* keys as typed, then "T" for silence until the time is up */
	static const struct {
		const char *actions;
		const char *keys;
		const char *stored;
		const char *where;
	} rows[] = {
		{STORE(CUSTOM("4")), "1234", "1234", "next"},
		{STORE(CUSTOM("4")), "12#", "12", "next"},
		{STORE(CUSTOM("4")), "12T", "12", "next"},
		{STORE(CUSTOM("4")), "T", "Timeout", "next"},
		{STORE(CUSTOM("4")), "#", "Timeout", "next"},
		{STORE(CUSTOM("4")), "99*12#", "12", "next"},
		{STORE(CUSTOM("4")), "99*T", "Timeout", "next"},
		{STORE(CUSTOM("4") DTMF("\"DisableCancelKey\": \"True\"")), "9*#", "9*", "next"},
		{STORE(CUSTOM("9") DTMF("\"InputTerminationSequence\": \"##\"")), "1#2##", "1#2",
			"next"},
		{STORE(CUSTOM("9") DTMF(
			 "\"InputTerminationSequence\": \"*#\", \"DisableCancelKey\": true")),
			"12*3*#", "12*3", "next"},
		{STORE(PHONE("Local", "US")), "2025550143#", "+12025550143", "next"},
		{STORE(PHONE("Local", "DE")), "0301234567#", "+49301234567", "next"},
		{STORE(PHONE("Local", "IT")), "0612345678#", "+390612345678", "next"},
		{STORE(PHONE("E164", "US")), "4930123456#", "+4930123456", "next"},
		{STORE(PHONE("Local", "US")), "T", "Timeout", "next"},
		{STORE(PHONE("Local", "US")), "123#", "", "InvalidPhoneNumber"},
		{STORE(PHONE("Local", "??")), "2025550143#", "", "InvalidPhoneNumber"},
		{STORE(PHONE("E164", "US")), "0123456789#", "", "InvalidPhoneNumber"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		start(&call, rows[i].actions);
		call_play_done(&call);
		for (const char *key = rows[i].keys; *key != '\0'; key++) {
			if (*key == 'T')
				call_timer(&call);
			else
				call_key(&call, *key);
		}
		assert_string_equal(stored(&call), rows[i].stored);
		if (*rows[i].stored != '\0')
			assert_string_equal(call.run.input->digits, "");
		finish(&call, rows[i].where);
	}
}

static void stored_input_waits_between_keys(void **state)
{
	struct call call;

	(void)state;
	start(&call, STORE(CUSTOM("4") DTMF("\"InterdigitTimeLimitSeconds\": \"2\"")));
	assert_false(flow_run_takes_secret(&call.run));
	call_key(&call, '1');
	effect_of(&call, FLOW_EFFECT_STOP_PLAYING);
	assert_int_equal(call.run.wake_at_ns, call.now + 2 * SECOND);
	call.now += SECOND;
	call_key(&call, '2');
	assert_int_equal(count_of(&call, FLOW_EFFECT_STOP_PLAYING), 0);
	assert_int_equal(call.run.wake_at_ns, call.now + 2 * SECOND);
	call_timer(&call);
	assert_string_equal(stored(&call), "12");
	finish(&call, "next");
}

static void stored_input_is_encrypted_or_not_stored(void **state)
{
	static const char *const actions = STORE(CUSTOM(
		"4") ", \"InputEncryption\": {\"EncryptionKeyId\": \"k\", \"Key\": \"PEM\"}");
	struct call call;

	(void)state;
	start(&call, actions);
	assert_true(flow_run_takes_secret(&call.run));
	call_keys(&call, "123");
	assert_true(flow_run_takes_secret(&call.run));
	call_keys(&call, "4");
	assert_true(flow_run_takes_secret(&call.run));
	assert_string_equal(effect_of(&call, FLOW_EFFECT_ENCRYPT_INPUT)->encrypt.digits, "1234");
	assert_string_equal(effect_of(&call, FLOW_EFFECT_ENCRYPT_INPUT)->encrypt.key_id, "k");
	call_answer_event(&call, (struct flow_event){.result = FLOW_RESULT_OK, .text = "sealed"});
	assert_string_equal(stored(&call), "sealed");
	assert_false(flow_run_takes_secret(&call.run));
	finish(&call, "next");
	assert_false(flow_run_takes_secret(&call.run));

	start(&call, actions);
	call_keys(&call, "1234");
	call_answer(&call, FLOW_RESULT_ERROR);
	assert_string_equal(stored(&call), "");
	finish(&call, "NoMatchingError");
}

/* What was to be a secret is never kept as clear text for want of a key. */
static void stored_input_that_cannot_be_encrypted_is_an_error(void **state)
{
	static const char *const without[] = {
		STORE(CUSTOM("4") ", \"InputEncryption\": {\"EncryptionKeyId\": \"k\"}"),
		STORE(CUSTOM("4") ", \"InputEncryption\": {\"EncryptionKeyId\": \"k\", \"Key\": "
				  "\"\"}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		struct call call;

		start(&call, without[i]);
		call_keys(&call, "1234");
		assert_int_equal(count_of(&call, FLOW_EFFECT_ENCRYPT_INPUT), 0);
		assert_null(strstr(effect_of(&call, FLOW_EFFECT_LOG)->log.text, "1234"));
		assert_string_equal(stored(&call), "");
		finish(&call, "NoMatchingError");
	}
}

/* ---- Routing --------------------------------------------------------------------------------- */

static void set_working_queue(void **state)
{
	static const char *const by_queue = ACT(
		"UpdateContactTargetQueue", "\"QueueId\": \"arn:q\"", ERR("NoMatchingError"), "");
	struct call call;

	(void)state;
	branch(by_queue, FLOW_RESULT_OK, "next");
	branch(by_queue, FLOW_RESULT_ERROR, "NoMatchingError");
	start(&call, by_queue);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE)->target.queue, "arn:q");
	assert_false(effect_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE)->target.dynamic);
	finish(&call, "act");
	/* An attribute that is not set is nothing to ask for. */
	start(&call, ACT("UpdateContactTargetQueue", "\"QueueId\": \"$.Attributes.q\"",
			     ERR("NoMatchingError"), ""));
	assert_int_equal(count_of(&call, FLOW_EFFECT_SET_TARGET_QUEUE), 0);
	finish(&call, "NoMatchingError");
}

static void R92_R93_by_agent_from_an_attribute(void **state)
{
	static const char *const types[] = {
		ACT("UpdateContactTargetQueue", "\"AgentId\": \"$.Attributes.a\"", "", ""),
		ACT("GetMetricData", "\"AgentId\": \"$.Attributes.a\"", "", ""),
		ACT("DequeueContactAndTransferToQueue", "\"AgentId\": \"$.Attributes.a\"", "", ""),
		ACT("CheckMetricData",
			"\"MetricType\": \"NumberOfContactsInQueue\", \"AgentId\": "
			"\"$.Attributes.a\"",
			"", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct flow_effect *effect;
		const struct flow_target *target;
		struct call call;

		call_prepare(&call, flow_of(flow_text_of("act", types[i]), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.memory.attributes, "a", "arossi");
		call_start(&call, FLOW_TYPE_CUSTOMER_QUEUE);
		effect = &call.fx->items[0];
		target = effect->type == FLOW_EFFECT_CHECK_METRIC ? &effect->metric.target
								  : &effect->target;
		assert_string_equal(target->agent, "arossi");
		assert_string_equal(target->queue, "");
		assert_true(target->dynamic);
		assert_int_not_equal(effect->id, 0);
		finish(&call, "act");
	}
}

static void R2_transfer_to_queue_ends_the_flow(void **state)
{
	static const char *const actions = ACT("TransferContactToQueue", "",
		ERR("QueueAtCapacity") ", " ERR("NoMatchingError"), "");
	struct call call;

	(void)state;
	start(&call, actions);
	effect_of(&call, FLOW_EFFECT_TRANSFER_TO_QUEUE);
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_QUEUED);
	call_end(&call);
	branch(actions, FLOW_RESULT_AT_CAPACITY, "QueueAtCapacity");
	branch(actions, FLOW_RESULT_ERROR, "NoMatchingError");
}

#define LOOP_THEN(type, extra, branches)                                                           \
	"[{\"Identifier\": \"loop\", \"Type\": \"MessageParticipantIteratively\", "                \
	"\"Parameters\": "                                                                         \
	"{\"Messages\": [{\"Text\": \"m\"}], \"InterruptFrequencySeconds\": \"30\"}, "             \
	"\"Transitions\": {\"Conditions\": [" COND("Equals", "MessagesInterrupted",                \
		"move") "]}}, {\"Identifier\": \"move\", \"Type\": \"" type                        \
			"\", \"Parameters\": {" extra "}, \"Transitions\": {" branches             \
			"}}, {\"Identifier\": \"end\", \"Type\": "                                 \
			"\"EndFlowExecution\"}, {\"Identifier\": \"full\", \"Type\": "             \
			"\"MessageParticipant\", "                                                 \
			"\"Parameters\": {\"Text\": \"full\"}, \"Transitions\": {\"NextAction\": " \
			"\"end\"}}]"
#define MOVE                                                                                       \
	LOOP_THEN("DequeueContactAndTransferToQueue", "\"QueueId\": \"b\"",                        \
		"\"NextAction\": \"end\", \"Errors\": [{\"ErrorType\": \"QueueAtCapacity\", "      \
		"\"NextAction\": \"full\"}, {\"ErrorType\": \"NoMatchingError\", \"NextAction\": " \
		"\"end\"}]")

static void expect_loop_from_its_start(struct call *call)
{
	assert_at(call, "loop");
	assert_true(effect_of(call, FLOW_EFFECT_PLAY)->play.loop);
	assert_int_equal(call->run.wake_at_ns, call->now + 30 * SECOND);
}

static void R62_R86_R87_R89_a_move_keeps_the_queue_flow_and_end_resumes_it(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "loop", MOVE, FLOW_TYPE_CUSTOMER_QUEUE);
	call_timer(&call);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE)->target.queue, "b");
	call_answer(&call, FLOW_RESULT_AT_CAPACITY);
	assert_at(&call, "full");
	call_play_done(&call);
	expect_loop_from_its_start(&call);
	call_timer(&call);
	call.now += SECOND;
	call_answer(&call, FLOW_RESULT_OK);
	expect_loop_from_its_start(&call);
	call_timer(&call);
	call_answer(&call, FLOW_RESULT_ERROR);
	expect_loop_from_its_start(&call);
	flow_run_stop(&call.run, call.fx);
	assert_outcome(&call, FLOW_OUTCOME_STOPPED);
	call_end(&call);
}

/* R85: what came from an attribute must be an ARN or id; the contact is told which it was. */
static void R85_the_new_queue_is_fixed_or_from_an_attribute(void **state)
{
	static const struct {
		const char *params, *queue;
		bool dynamic;
	} moves[] = {
		{"\"QueueId\": \"q-1\"", "q-1", false},
		{"\"QueueId\": \"$.Attributes.q\"", "arn:aws:connect:r:1:instance/i/queue/q-2",
			true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		char actions[4096];
		const struct flow_effect *effect;
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"act\", \"Type\": "
			"\"DequeueContactAndTransferToQueue\", "
			"\"Parameters\": {%s}, \"Transitions\": {\"NextAction\": \"next\", "
			"\"Errors\": [" ERR("NoMatchingError") "]}}" TERMINAL("next")
				TERMINAL("NoMatchingError") "]",
			moves[i].params);
		call_prepare(&call, flow_of(flow_text_of("act", actions), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(
			&call.memory.attributes, "q", "arn:aws:connect:r:1:instance/i/queue/q-2");
		call_start(&call, FLOW_TYPE_CUSTOMER_QUEUE);
		effect = effect_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE);
		assert_string_equal(effect->target.queue, moves[i].queue);
		assert_int_equal(effect->target.dynamic, moves[i].dynamic);
		call_answer(&call, FLOW_RESULT_ERROR);
		finish(&call, "NoMatchingError");
	}
}

/* Nothing is not the working queue. */
static void R85_R93_an_attribute_that_holds_nothing_takes_error(void **state)
{
	static const char *const lost[] = {
		ACT("DequeueContactAndTransferToQueue", "\"QueueId\": \"$.Attributes.none\"",
			ERR("NoMatchingError"), ""),
		ACT("DequeueContactAndTransferToQueue", "\"AgentId\": \"$.External.none\"",
			ERR("NoMatchingError"), ""),
		ACT("UpdateContactTargetQueue", "\"QueueId\": \"$.Attributes.none\"",
			ERR("NoMatchingError"), ""),
		ACT("CheckMetricData",
			"\"MetricType\": \"NumberOfAgentsStaffed\", \"AgentId\": "
			"\"$.Attributes.none\"",
			ERR("NoMatchingError"), ""),
		ACT("GetMetricData", "\"QueueId\": \"$.Attributes.none\"", ERR("NoMatchingError"),
			""),
		ACT("CreateCallbackContact",
			"\"InitialCallDelaySeconds\": \"5\", \"MaximumConnectionAttempts\": \"1\", "
			"\"RetryDelaySeconds\": \"60\", \"QueueId\": \"$.Attributes.none\"",
			ERR("NoMatchingError"), ""),
		ACT("CheckHoursOfOperation", "\"HoursOfOperationId\": \"$.Attributes.none\"",
			ERR("NoMatchingError"), ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct call call;

		start(&call, lost[i]);
		assert_int_equal(call.run.pending_id, 0);
		finish(&call, "NoMatchingError");
	}
}

static void R88_a_move_that_leads_nowhere_is_not_made(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "loop",
		LOOP_THEN("DequeueContactAndTransferToQueue", "\"QueueId\": \"b\"", ""),
		FLOW_TYPE_CUSTOMER_QUEUE);
	call_timer(&call);
	assert_int_equal(count_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE), 0);
	assert_non_null(strstr(effect_of(&call, FLOW_EFFECT_LOG)->log.text, "keeps its queue"));
	expect_loop_from_its_start(&call);
	flow_run_stop(&call.run, call.fx);
	call_end(&call);
}

static void R2_transfer_to_queue_in_a_queue_flow_moves(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "loop",
		LOOP_THEN("TransferContactToQueue", "", "\"NextAction\": \"full\""),
		FLOW_TYPE_CUSTOMER_QUEUE);
	call_timer(&call);
	effect_of(&call, FLOW_EFFECT_MOVE_TO_QUEUE);
	call_answer(&call, FLOW_RESULT_OK);
	expect_loop_from_its_start(&call);
	flow_run_stop(&call.run, call.fx);
	call_end(&call);
}

static void R90_a_queue_flow_without_loop_prompts_leaves_silence(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(&call, "a", "[{\"Identifier\": \"a\", \"Type\": \"EndFlowExecution\"}]",
		FLOW_TYPE_CUSTOMER_QUEUE);
	assert_outcome(&call, FLOW_OUTCOME_SILENCE);
	call_end(&call);
}

static void transfer_to_agent_is_terminal(void **state)
{
	struct call call;

	(void)state;
	call_begin_text(
		&call, "act", ACT("TransferContactToAgent", "", "", ""), FLOW_TYPE_AGENT_TRANSFER);
	assert_outcome(&call, FLOW_OUTCOME_TO_AGENT);
	call_end(&call);
}

#define DIAL(resume, extra)                                                                \
	ACT("TransferParticipantToThirdParty",                                             \
		"\"ThirdPartyPhoneNumber\": \"+12025550143\", \"ContinueFlowExecution\": " \
		"\"" resume "\"" extra,                                                    \
		ERR("CallFailed") ", " ERR("ConnectionTimeLimitExceeded") ", " ERR(        \
			"NoMatchingError"),                                                \
		"")

static void R71_R72_transfer_to_number_with_resume(void **state)
{
	struct call call;
	const struct flow_effect *effect;

	(void)state;
	start(&call, DIAL("True", ", \"ThirdPartyConnectionTimeLimitSeconds\": \"60\", "
				  "\"ThirdPartyDTMFDigits\": \"1,2#\", \"CallerId\": {\"Number\": "
				  "\"+12025550100\", \"Name\": \"Us\"}"));
	effect = effect_of(&call, FLOW_EFFECT_TRANSFER_TO_NUMBER);
	assert_string_equal(effect->third_party.number, "+12025550143");
	assert_int_equal(effect->third_party.timeout_s, 60);
	assert_true(effect->third_party.resume);
	assert_string_equal(effect->third_party.digits, "1,2#");
	assert_string_equal(effect->third_party.caller_number, "+12025550100");
	assert_string_equal(effect->third_party.caller_name, "Us");
	call_answer(&call, FLOW_RESULT_ENDED);
	finish(&call, "next");
	branch(DIAL("True", ""), FLOW_RESULT_CALL_FAILED, "CallFailed");
	branch(DIAL("True", ""), FLOW_RESULT_TIMEOUT, "ConnectionTimeLimitExceeded");
	branch(DIAL("True", ""), FLOW_RESULT_ERROR, "NoMatchingError");
}

static void R73_transfer_to_number_without_resume(void **state)
{
	struct call call;

	(void)state;
	start(&call, DIAL("False", ""));
	assert_false(effect_of(&call, FLOW_EFFECT_TRANSFER_TO_NUMBER)->third_party.resume);
	call_answer(&call, FLOW_RESULT_OK);
	assert_outcome(&call, FLOW_OUTCOME_THIRD_PARTY);
	call_end(&call);
	branch(DIAL("False", ""), FLOW_RESULT_CALL_FAILED, "NoMatchingError");
	branch(DIAL("False", ""), FLOW_RESULT_TIMEOUT, "NoMatchingError");
}

static void R69_R70_R74_dynamic_values_out_of_range_take_error(void **state)
{
#define DYNAMIC                                                                                  \
	ACT("TransferParticipantToThirdParty",                                                   \
		"\"ThirdPartyPhoneNumber\": \"$.Attributes.number\", "                           \
		"\"ThirdPartyConnectionTimeoutSeconds\": \"$.Attributes.time\", "                \
		"\"ThirdPartyDTMFDigits\": \"$.Attributes.digits\", \"ContinueFlowExecution\": " \
		"\"True\"",                                                                      \
		ERR("NoMatchingError"), "")
	static const struct {
		const char *number, *time, *digits;
		bool good;
	} rows[] = {
		{"+12025550143", "0", "", true},
		{"+12025550143", "600", "12345678901234567890123456789012345678901234567890", true},
		{"+12025550143", "600", "123456789012345678901234567890123456789012345678901",
			false},
		{"+12025550143", "601", "", false},
		{"+12025550143", "", "", false},
		{"+12025550143", "ten", "", false},
		{"+12025550143", "10", "12A", false},
		{"2025550143", "10", "", false},
		{"", "10", "", false},
		{"+0123456789", "10", "", false},
		{"+1234567890123456", "10", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		call_prepare(&call, flow_of(flow_text_of("act", DYNAMIC), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.memory.attributes, "number", rows[i].number);
		attributes_set(&call.memory.attributes, "time", rows[i].time);
		attributes_set(&call.memory.attributes, "digits", rows[i].digits);
		call_start(&call, FLOW_TYPE_INBOUND);
		assert_int_equal(count_of(&call, FLOW_EFFECT_TRANSFER_TO_NUMBER), rows[i].good);
		finish(&call, rows[i].good ? "act" : "NoMatchingError");
	}
}

static void callbacks(void **state)
{
	static const char *const create = ACT("CreateCallbackContact",
		"\"InitialCallDelaySeconds\": \"5\", \"MaximumConnectionAttempts\": 2, "
		"\"RetryDelaySeconds\": \"600\"",
		ERR("NoMatchingError"), "");
	static const char *const number =
		ACT("UpdateContactCallbackNumber", "\"CallbackNumber\": \"$.StoredCustomerInput\"",
			ERR("InvalidCallbackNumber") ", " ERR("CallbackNumberNotDialable"), "");
	struct call call;

	(void)state;
	start(&call, create);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_CREATE_CALLBACK)->callback.delay_s, 5);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_CREATE_CALLBACK)->callback.attempts, 2);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_CREATE_CALLBACK)->callback.retry_s, 600);
	call_answer(&call, FLOW_RESULT_OK);
	finish(&call, "next");
	branch(create, FLOW_RESULT_ERROR, "NoMatchingError");

	start(&call, number);
	finish(&call, "InvalidCallbackNumber");
	for (int i = 0; i < 3; i++) {
		static const enum flow_result results[] = {
			FLOW_RESULT_OK, FLOW_RESULT_NOT_DIALABLE, FLOW_RESULT_INVALID};
		static const char *const wheres[] = {
			"next", "CallbackNumberNotDialable", "InvalidCallbackNumber"};

		call_prepare(&call, flow_of(flow_text_of("act", number), "f", FLOW_TYPE_UNKNOWN));
		assert_true(flow_memory_store(&call.memory, "+12025550143"));
		call_start(&call, FLOW_TYPE_INBOUND);
		assert_string_equal(
			effect_of(&call, FLOW_EFFECT_SET_CALLBACK_NUMBER)->text, "+12025550143");
		call_answer(&call, results[i]);
		finish(&call, wheres[i]);
	}
}

static void hold_and_outbound_call(void **state)
{
	static const char *const hold = ACT("UpdatePreviousContactParticipantState",
		"\"PreviousContactParticipantState\": \"AgentOnHold\"", ERR("NoMatchingError"), "");
	struct call call;

	(void)state;
	branch(hold, FLOW_RESULT_OK, "next");
	branch(hold, FLOW_RESULT_ERROR, "NoMatchingError");
	start(&call, hold);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_HOLD_PARTICIPANT)->text, "AgentOnHold");
	finish(&call, "act");
	start(&call, ACT("CompleteOutboundCall", "\"CallerId\": {\"Number\": \"+12025550100\"}", "",
			     ""));
	assert_string_equal(
		effect_of(&call, FLOW_EFFECT_CALL_OUTBOUND)->call.caller_number, "+12025550100");
	finish(&call, "next");
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static void compare_with_every_operator(void **state)
{
	static const struct {
		const char *op, *value, *operand;
		bool holds;
	} rows[] = {
		{"Equals", "Gold", "Gold", true},
		{"Equals", "gold", "Gold", false},
		{"Equals", "", "Gold", false},
		{"Equals", "", "", false},
		{"Equals", "", "$.Attributes.none", false},
		{"TextStartsWith", "Goldfish", "Gold", true},
		{"TextStartsWith", "Gol", "Gold", false},
		{"TextEndsWith", "Marigold", "gold", true},
		{"TextEndsWith", "golden", "gold", false},
		{"TextContains", "a gold bar", "gold", true},
		{"TextContains", "silver", "gold", false},
		{"TextContains", "", "gold", false},
		{"NumberGreaterThan", "10", "9", true},
		{"NumberGreaterThan", "9", "9", false},
		{"NumberGreaterOrEqualTo", "9", "9", true},
		{"NumberGreaterOrEqualTo", "8.5", "9", false},
		{"NumberLessThan", "-1", "0", true},
		{"NumberLessThan", "0", "0", false},
		{"NumberLessOrEqualTo", "0", "0", true},
		{"NumberLessOrEqualTo", "0.1", "0", false},
		{"NumberLessThan", "", "5", false},
		{"NumberLessThan", "one", "5", false},
		{"NumberLessThan", "0x1", "5", false},
		{"NumberGreaterThan", "inf", "5", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char actions[2000];
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"act\", \"Type\": \"Compare\", \"Parameters\": "
			"{\"ComparisonValue\": \"$.Attributes.v\"}, \"Transitions\": "
			"{\"NextAction\": \"no\", "
			"\"Errors\": [{\"ErrorType\": \"NoMatchingCondition\", \"NextAction\": "
			"\"no\"}], "
			"\"Conditions\": [{\"NextAction\": \"yes\", \"Condition\": {\"Operator\": "
			"\"%s\", "
			"\"Operands\": [\"%s\"]}}]}}" TERMINAL("yes") TERMINAL("no") "]",
			rows[i].op, rows[i].operand);
		call_prepare(&call, flow_of(flow_text_of("act", actions), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.memory.attributes, "v", rows[i].value);
		call_start(&call, FLOW_TYPE_INBOUND);
		finish(&call, rows[i].holds ? "yes" : "no");
	}
}

static void compare_tries_conditions_in_order_and_reads_operands(void **state)
{
	struct call call;

	(void)state;
	call_prepare(
		&call, flow_of(flow_text_of("act",
				       ACT("Compare", "\"ComparisonValue\": \"$.Attributes.v\"",
					       ERR("NoMatchingCondition"),
					       COND("Equals", "$.Attributes.w", "A") ", " COND(
						       "Equals", "x", "B"))),
			       "f", FLOW_TYPE_UNKNOWN));
	attributes_set(&call.memory.attributes, "v", "x");
	attributes_set(&call.memory.attributes, "w", "x");
	call_start(&call, FLOW_TYPE_INBOUND);
	finish(&call, "A");
}

static void check_hours(void **state)
{
	static const char *const actions =
		ACT("CheckHoursOfOperation", "\"HoursOfOperationId\": \"h\"",
			ERR("NoMatchingError"), EQ("True") ", " EQ("False"));
	struct call call;

	(void)state;
	start(&call, actions);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_CHECK_HOURS)->hours.hours, "h");
	finish(&call, "act");
	branch(actions, FLOW_RESULT_YES, "True");
	branch(actions, FLOW_RESULT_NO, "False");
	branch(actions, FLOW_RESULT_ERROR, "NoMatchingError");
}

static void check_metrics_of_every_kind(void **state)
{
	static const struct {
		const char *actions;
		enum flow_metric metric;
	} rows[] = {
#define METRIC(name)                                                    \
	ACT("CheckMetricData", "\"MetricType\": \"" name "\"",          \
		ERR("NoMatchingCondition") ", " ERR("NoMatchingError"), \
		COND("NumberGreaterThan", "300000", "yes"))
		{METRIC("NumberOfAgentsAvailable"), FLOW_METRIC_AGENTS_AVAILABLE},
		{METRIC("NumberOfAgentsStaffed"), FLOW_METRIC_AGENTS_STAFFED},
		{METRIC("NumberOfAgentsOnline"), FLOW_METRIC_AGENTS_ONLINE},
		{METRIC("OldestContactInQueueAgeSeconds"), FLOW_METRIC_OLDEST_AGE},
		{METRIC("NumberOfContactsInQueue"), FLOW_METRIC_CONTACTS_IN_QUEUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call call;

		start(&call, rows[i].actions);
		assert_int_equal(
			effect_of(&call, FLOW_EFFECT_CHECK_METRIC)->metric.metric, rows[i].metric);
		call_answer_event(&call, (struct flow_event){.number = 300001});
		finish(&call, "yes");
		start(&call, rows[i].actions);
		call_answer_event(&call, (struct flow_event){.number = 300000});
		finish(&call, "NoMatchingCondition");
		branch(rows[i].actions, FLOW_RESULT_ERROR, "NoMatchingError");
	}
}

static void R82_get_metrics_then_compare(void **state)
{
	static const struct attribute values[] = {
		{"Queue.Size", "4"}, {"Agents.Online.Count", "2"}};
	static const char *const actions =
		"[{\"Identifier\": \"act\", \"Type\": \"GetMetricData\", \"Transitions\": "
		"{\"NextAction\": "
		"\"c\", \"Errors\": [{\"ErrorType\": \"NoMatchingError\", \"NextAction\": "
		"\"no\"}]}}, "
		"{\"Identifier\": \"c\", \"Type\": \"Compare\", \"Parameters\": "
		"{\"ComparisonValue\": "
		"\"$.Metrics.Queue.Size\"}, \"Transitions\": {\"NextAction\": \"no\", "
		"\"Conditions\": [" COND("NumberGreaterThan", "3", "yes") "]}}" TERMINAL("yes")
			TERMINAL("no") "]";
	struct call call;

	(void)state;
	start(&call, actions);
	effect_of(&call, FLOW_EFFECT_GET_METRICS);
	call_answer_event(&call, (struct flow_event){.values = values, .value_count = 2});
	finish(&call, "yes");
	branch(actions, FLOW_RESULT_OK, "no");
	branch(actions, FLOW_RESULT_ERROR, "no");
}

/* Figures of chats are those of a queue without any activity. */
static void R82_metrics_of_another_channel_are_empty(void **state)
{
	static const struct attribute values[] = {{"Queue.Size", "4"}};
	static const char *const channels[] = {"Voice", "voice", "Chat"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char actions[300];
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"act\", \"Type\": \"GetMetricData\", \"Parameters\": "
			"{\"QueueChannel\": \"%s\"}, \"Transitions\": {\"NextAction\": \"next\"}}, "
			"{\"Identifier\": \"next\", \"Type\": \"MessageParticipant\", "
			"\"Parameters\": {\"Text\": \"<$.Metrics.Queue.Size>\"}}]",
			channels[i]);
		start(&call, actions);
		call_answer_event(&call, (struct flow_event){.values = values, .value_count = 1});
		assert_string_equal(effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text,
			i < 2 ? "<4>" : "<>");
		finish(&call, "next");
	}
}

static void loop_counts_for_the_contact(void **state)
{
	static const char *const actions =
		"[{\"Identifier\": \"act\", \"Type\": \"Loop\", \"Parameters\": {\"LoopCount\": "
		"\"2\"}, "
		"\"Transitions\": {\"NextAction\": \"done\", \"Conditions\": [" COND(
			"Equals", "ContinueLooping", "again") ", " COND("Equals", "DoneLooping",
			"done") "]}}, {\"Identifier\": \"again\", \"Type\": "
				"\"MessageParticipant\", \"Parameters\": "
				"{\"Text\": \"x\"}, \"Transitions\": {\"NextAction\": \"act\"}}, "
				"{\"Identifier\": \"done\", "
				"\"Type\": \"MessageParticipant\", \"Parameters\": {\"Text\": "
				"\"x\"}, \"Transitions\": "
				"{\"NextAction\": \"act\"}}]";
	static const char *const wanted[] = {"again", "again", "done", "again", "again", "done"};
	struct call call;

	(void)state;
	start(&call, actions);
	for (size_t i = 0; i < 6; i++) {
		assert_at(&call, wanted[i]);
		call_play_done(&call);
	}
	finish(&call, "again");
	start(&call,
		ACT("Loop", "\"LoopCount\": 0", "", EQ("ContinueLooping") ", " EQ("DoneLooping")));
	finish(&call, "DoneLooping");
	start(&call, ACT("Loop", "\"LoopCount\": \"$.Attributes.none\"", "",
			     EQ("ContinueLooping") ", " EQ("DoneLooping")));
	finish(&call, "DoneLooping");
}

static void distribute_by_percentage(void **state)
{
	static const char *const actions =
		ACT("DistributeByPercentage", "", ERR("NoMatchingCondition"),
			COND("NumberLessThan", "31", "A") ", " COND("NumberLessThan", "81", "B"));
	int count[3] = {0};

	(void)state;
	for (uint64_t random = 0; random < 100; random++) {
		struct call call;

		call_prepare(&call, flow_of(flow_text_of("act", actions), "f", FLOW_TYPE_UNKNOWN));
		call.random = random + 700;
		call_start(&call, FLOW_TYPE_INBOUND);
		count[strcmp(at(&call), "A") == 0 ? 0 : strcmp(at(&call), "B") == 0 ? 1 : 2]++;
		flow_run_stop(&call.run, call.fx);
		call_end(&call);
	}
	assert_int_equal(count[0], 30);
	assert_int_equal(count[1], 50);
	assert_int_equal(count[2], 20);
}

static void wait_is_an_error_for_voice_unless_it_pauses(void **state)
{
	static const char *const actions = ACT("Wait", "\"TimeLimitSeconds\": \"$.Attributes.t\"",
		ERR("NoMatchingError"), EQ("WaitCompleted"));
	struct call call;

	(void)state;
	for (int pauses = 0; pauses < 2; pauses++) {
		call_prepare(&call, flow_of(flow_text_of("act", actions), "f", FLOW_TYPE_UNKNOWN));
		call.context.wait_pauses = pauses;
		attributes_set(&call.memory.attributes, "t", "9");
		call_start(&call, FLOW_TYPE_INBOUND);
		if (pauses) {
			assert_int_equal(call.run.wake_at_ns, call.now + 9 * SECOND);
			call_timer(&call);
		}
		finish(&call, pauses ? "WaitCompleted" : "NoMatchingError");
	}
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void set_attributes(void **state)
{
	static char huge[ATTRIBUTES_BYTES_MAX + 100];
	struct call call;

	(void)state;
	call_prepare(&call,
		flow_of(flow_text_of("act", ACT("UpdateContactAttributes",
						    "\"Attributes\": {\"a\": \"1\", "
						    "\"k_$.Attributes.n\": \"v$.Attributes.n\"}",
						    ERR("NoMatchingError"), "")),
			"f", FLOW_TYPE_UNKNOWN));
	attributes_set(&call.memory.attributes, "n", "7");
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_ATTRIBUTES_SET)->attributes.count, 2);
	assert_string_equal(attribute_of(&call, "a"), "1");
	assert_string_equal(attribute_of(&call, "k_7"), "v7");
	finish(&call, "next");

	/* All or nothing. */
	call_prepare(
		&call, flow_of(flow_text_of("act", ACT("UpdateContactAttributes",
							   "\"Attributes\": {\"a\": \"1\", \"b\": "
							   "\"$.Attributes.n$.Attributes.n\"}",
							   ERR("NoMatchingError"), "")),
			       "f", FLOW_TYPE_UNKNOWN));
	memset(huge, 'x', ATTRIBUTES_BYTES_MAX - 100);
	attributes_set(&call.memory.attributes, "n", huge);
	call_start(&call, FLOW_TYPE_INBOUND);
	assert_string_equal(attribute_of(&call, "a"), "(unset)");
	assert_int_equal(count_of(&call, FLOW_EFFECT_ATTRIBUTES_SET), 0);
	finish(&call, "NoMatchingError");

	start(&call, ACT("UpdateContactAttributes",
			     "\"Attributes\": {\"a\": \"1\"}, \"TargetContact\": \"Related\"",
			     ERR("NoMatchingError"), ""));
	assert_string_equal(attributes_get(&call.related, "a"), "1");
	assert_string_equal(attribute_of(&call, "a"), "(unset)");
	finish(&call, "next");
}

static void set_contact_data_and_tags(void **state)
{
	struct call call;
	const struct flow_effect *effect;

	(void)state;
	start(&call, ACT("UpdateContactData",
			     "\"LanguageCode\": \"de-DE\", \"TargetContact\": \"Current\"",
			     ERR("NoMatchingError"), ""));
	effect = effect_of(&call, FLOW_EFFECT_SET_CONTACT_DATA);
	assert_int_equal(effect->pairs.count, 1);
	assert_string_equal(effect->pairs.list[0].name, "LanguageCode");
	assert_string_equal(effect->pairs.list[0].value, "de-DE");
	finish(&call, "next");
	start(&call, ACT("TagContact", "\"Tags\": {\"team\": \"blue\"}", "", ""));
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_TAGS)->pairs.list[0].value, "blue");
	finish(&call, "next");
	start(&call, ACT("TagContact",
			     "\"Tags\": {\"a\": \"1\", \"b\": \"1\", \"c\": \"1\", "
			     "\"d\": \"1\", \"e\": \"1\", \"f\": \"1\", \"g\": \"1\"}",
			     ERR("NoMatchingError"), ""));
	assert_int_equal(count_of(&call, FLOW_EFFECT_SET_TAGS), 0);
	finish(&call, "NoMatchingError");
	start(&call, ACT("UpdateContactData", "\"Name\": \"n\", \"TargetContact\": \"Related\"",
			     ERR("NoMatchingError"), ""));
	assert_int_equal(count_of(&call, FLOW_EFFECT_SET_CONTACT_DATA), 0);
	finish(&call, "NoMatchingError");
	start(&call, ACT("UnTagContact", "\"TagKeys\": [\"team\"]", "", ""));
	assert_null(effect_of(&call, FLOW_EFFECT_SET_TAGS)->pairs.list[0].value);
	finish(&call, "next");
}

#define LAMBDA(extra)                                                                            \
	"[{\"Identifier\": \"act\", \"Type\": \"InvokeLambdaFunction\", \"Parameters\": "        \
	"{\"LambdaFunctionARN\": \"arn:f\", \"InvocationTimeLimitSeconds\": \"30\", "            \
	"\"LambdaInvocationAttributes\": {\"who\": \"$.CustomerEndpoint.Address\"}" extra        \
	"}, \"Transitions\": {\"NextAction\": \"next\", \"Errors\": [{\"ErrorType\": "           \
	"\"NoMatchingError\", \"NextAction\": \"no\"}]}}, {\"Identifier\": \"next\", \"Type\": " \
	"\"MessageParticipant\", \"Parameters\": {\"Text\": "                                    \
	"\"$.External.name|$.External.a.b|$.External.list[1]|$.External['x "                     \
	"y']|$.External.n\"}}" TERMINAL("no") "]"

static void lambda_answers(void **state)
{
	static const struct {
		const char *actions, *answer, *said;
	} rows[] = {
		{LAMBDA(""), "{\"name\": \"Ada\", \"n\": 3, \"a-b_C9\": null}", "Ada||||3"},
		{LAMBDA(", \"ResponseValidation\": {\"ResponseType\": \"JSON\"}"),
			"{\"a\": {\"b\": true}, \"list\": [\"p\", \"q\"]}", "|true|q||"},
		{LAMBDA(""), "{\"a\": {\"b\": 1}}", NULL},
		{LAMBDA(""), "[1]", NULL},
		{LAMBDA(""), "nonsense", NULL},
		{LAMBDA(""), "", NULL},
		{LAMBDA(""), NULL, NULL},
		{LAMBDA(""), "{\"a\": \"1\", \"a\": \"2\"}", NULL},
		{LAMBDA(""), "{\"x y\": \"z\"}", NULL},
		{LAMBDA(", \"ResponseValidation\": {\"ResponseType\": \"JSON\"}"),
			"{\"x y\": \"z\"}", "|||z|"},
		{LAMBDA(""), "{\"a\": \"\x80\"}", NULL},
		{LAMBDA(""), "{\"a\": \"\\u0000\"}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct flow_effect *effect;
		struct call call;

		call_prepare(&call,
			flow_of(flow_text_of("act", rows[i].actions), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.facts, "CustomerEndpoint.Address", "+12025550143");
		call_start(&call, FLOW_TYPE_INBOUND);
		effect = effect_of(&call, FLOW_EFFECT_INVOKE_LAMBDA);
		assert_string_equal(effect->lambda.function, "arn:f");
		assert_int_equal(effect->lambda.timeout_ms, 8000);
		assert_string_equal(effect->lambda.inputs[0].name, "who");
		assert_string_equal(effect->lambda.inputs[0].value, "+12025550143");
		call_answer_event(&call, (struct flow_event){.text = rows[i].answer});
		if (rows[i].said != NULL)
			assert_string_equal(
				effect_of(&call, FLOW_EFFECT_PLAY)->play.messages[0].text,
				rows[i].said);
		finish(&call, rows[i].said != NULL ? "next" : "no");
	}
	branch(LAMBDA(""), FLOW_RESULT_ERROR, "no");
	branch(LAMBDA(""), FLOW_RESULT_TIMEOUT, "no");
}

static void a_lambda_answer_of_more_than_32_kb_is_an_error(void **state)
{
	static char answer[ATTRIBUTES_BYTES_MAX + 100];
	struct call call;

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		size_t length = ATTRIBUTES_BYTES_MAX - 20;

		memset(answer, 0, sizeof(answer));
		memcpy(answer, "{\"name\": \"", 10);
		memset(answer + 10, 'x', length - 12);
		memcpy(answer + length - 2, "\"}", 2);
		memset(answer + length, ' ', extra == 1 ? 21 : 20);
		start(&call, LAMBDA(""));
		call_answer_event(&call, (struct flow_event){.text = answer});
		finish(&call, extra == 1 ? "no" : "next");
	}
}

/* Ten functions one after the other; the prompt ends the row. */
#define CHAIN                                                                                    \
	"[{\"Identifier\": \"a\", \"Type\": \"InvokeLambdaFunction\", \"Parameters\": "          \
	"{\"LambdaFunctionARN\": \"f\", \"InvocationTimeLimitSeconds\": \"8\"}, "                \
	"\"Transitions\": {\"NextAction\": \"a\", \"Errors\": [{\"ErrorType\": "                 \
	"\"NoMatchingError\", \"NextAction\": \"say\"}]}}, {\"Identifier\": \"say\", \"Type\": " \
	"\"MessageParticipant\", \"Parameters\": {\"Text\": \"t\"}, \"Transitions\": "           \
	"{\"NextAction\": \"a\"}}]"

static void lambdas_in_a_row_may_take_20_s(void **state)
{
	static const uint32_t timeouts_ms[] = {8000, 8000, 6000};
	struct call call;

	(void)state;
	call_begin_text(&call, "a", CHAIN, FLOW_TYPE_INBOUND);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(effect_of(&call, FLOW_EFFECT_INVOKE_LAMBDA)->lambda.timeout_ms,
			timeouts_ms[i]);
		call.now += 7 * SECOND;
		call_answer_event(&call, (struct flow_event){.text = "{}"});
	}
	/* 21 s are gone: the fourth is not called. */
	assert_int_equal(count_of(&call, FLOW_EFFECT_INVOKE_LAMBDA), 0);
	assert_non_null(strstr(effect_of(&call, FLOW_EFFECT_LOG)->log.text, "20 s"));
	assert_at(&call, "say");
	call_play_done(&call);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_INVOKE_LAMBDA)->lambda.timeout_ms, 8000);
	finish(&call, "a");
}

static void an_asynchronous_lambda_is_not_waited_for(void **state)
{
	struct call call;
	const struct flow_effect *effect;
	struct flow_event late = {.type = FLOW_EVENT_ANSWER, .text = "{\"name\": \"Ada\"}"};

	(void)state;
	start(&call, LAMBDA(", \"InvocationType\": \"ASYNCHRONOUS\""));
	effect = effect_of(&call, FLOW_EFFECT_INVOKE_LAMBDA);
	assert_int_equal(effect->lambda.timeout_ms, 30000);
	late.id = effect->id;
	assert_at(&call, "next");
	assert_int_equal(flow_run_step(&call.run, &late, call.now, call.fx), -ESTALE);
	finish(&call, "next");
}

static void key_exists_looks_for_members(void **state)
{
	static const struct {
		const char *path, *key;
		bool there;
	} rows[] = {
		{"$.External", "name", true},
		{"$.External.who", "first", true},
		{"$.External", "who", true},
		{"$.External", "wh", false},
		{"$.External.name", "first", false},
		{"$.Attributes", "town", true},
		{"$.CustomerEndpoint", "Address", true},
		{"$.CustomerEndpoint", "Street", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char actions[2048];
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"act\", \"Type\": \"InvokeLambdaFunction\", "
			"\"Parameters\": {\"LambdaFunctionARN\": \"f\", \"ResponseValidation\": "
			"{\"ResponseType\": \"JSON\"}}, \"Transitions\": {\"NextAction\": "
			"\"look\"}}, {\"Identifier\": \"look\", \"Type\": \"Compare\", "
			"\"Parameters\": {\"ComparisonValue\": \"%s\"}, \"Transitions\": "
			"{\"NextAction\": \"no\", \"Errors\": [" ERR(
				"NoMatchingCondition") "], \"Conditions\": [{\"NextAction\": "
						       "\"yes\", \"Condition\": "
						       "{\"Operator\": \"KeyExists\", "
						       "\"Operands\": [\"%s\"]}}]}}" TERMINAL("yes")
							       TERMINAL("no") TERMINAL(
								       "NoMatchingCondition") "]",
			rows[i].path, rows[i].key);
		call_prepare(&call, flow_of(flow_text_of("act", actions), "f", FLOW_TYPE_UNKNOWN));
		attributes_set(&call.facts, "CustomerEndpoint.Address", "+12025550143");
		attributes_set(&call.memory.attributes, "town", "Ulm");
		call_start(&call, FLOW_TYPE_INBOUND);
		call_answer_event(&call,
			(struct flow_event){
				.text = "{\"name\": \"Ada\", \"who\": {\"first\": \"Ada\"}}"});
		finish(&call, rows[i].there ? "yes" : "NoMatchingCondition");
	}
}

/* ---- Behaviour ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum flow_type type;
} hook_rows[FLOW_HOOK_COUNT] = {
	{"AgentWhisper", FLOW_TYPE_AGENT_WHISPER},
	{"CustomerWhisper", FLOW_TYPE_CUSTOMER_WHISPER},
	{"CustomerQueue", FLOW_TYPE_CUSTOMER_QUEUE},
	{"CustomerHold", FLOW_TYPE_CUSTOMER_HOLD},
	{"AgentHold", FLOW_TYPE_AGENT_HOLD},
	{"CustomerRemaining", FLOW_TYPE_INBOUND},
	{"DefaultAgentUI", FLOW_TYPE_INBOUND},
	{"DisconnectAgentUI", FLOW_TYPE_INBOUND},
	{"PauseContact", FLOW_TYPE_INBOUND},
	{"ResumeContact", FLOW_TYPE_INBOUND},
};

static const char *hook_actions(const char *hook)
{
	static char actions[1000];

	snprintf(actions, sizeof(actions),
		"[{\"Identifier\": \"act\", \"Type\": \"UpdateContactEventHooks\", \"Parameters\": "
		"{\"EventHooks\": {\"%s\": \"other\"}}, \"Transitions\": {\"NextAction\": "
		"\"next\", "
		"\"Errors\": [{\"ErrorType\": \"NoMatchingError\", \"NextAction\": "
		"\"no\"}]}}" TERMINAL("next") TERMINAL("no") "]",
		hook);
	return actions;
}

static void R63_R65_hooks_name_a_flow_of_their_type(void **state)
{
	(void)state;
	for (int hook = 0; hook < FLOW_HOOK_COUNT; hook++) {
		for (int type = FLOW_TYPE_INBOUND; type < FLOW_TYPE_COUNT; type++) {
			bool any = hook >= FLOW_HOOK_DEFAULT_AGENT_UI;
			bool good = any || type == (int)hook_rows[hook].type;
			struct call call;

			call_prepare(&call,
				flow_of(flow_text_of("act", hook_actions(hook_rows[hook].name)),
					"main", FLOW_TYPE_INBOUND));
			call_add_flow(&call,
				flow_of(flow_text_of("x", "[{\"Identifier\": \"x\", \"Type\": "
							  "\"EndFlowExecution\"}]"),
					"other", (enum flow_type)type));
			call_start(&call, FLOW_TYPE_INBOUND);
			assert_int_equal(count_of(&call, FLOW_EFFECT_SET_HOOK), good);
			if (good) {
				assert_int_equal(
					effect_of(&call, FLOW_EFFECT_SET_HOOK)->hook.hook, hook);
				assert_ptr_equal(effect_of(&call, FLOW_EFFECT_SET_HOOK)->hook.flow,
					call.others[0]);
			}
			finish(&call, good ? "next" : "no");
		}
	}
}

static void hooks_to_nothing_and_hooks_switched_off(void **state)
{
	struct call call;

	(void)state;
	start(&call, hook_actions("CustomerQueue"));
	finish(&call, "no");
	start(&call, hook_actions("Nonsense"));
	finish(&call, "no");
	start(&call,
		ACT("UpdateContactEventHooks",
			"\"EventHooks\": {\"AgentWhisper\": \"\"}, \"EventHooksConfiguration\": "
			"{\"AgentWhisper\": {\"DisableExecution\": \"true\"}}",
			"", ""));
	assert_true(effect_of(&call, FLOW_EFFECT_SET_HOOK)->hook.disabled);
	assert_null(effect_of(&call, FLOW_EFFECT_SET_HOOK)->hook.flow);
	finish(&call, "next");
	start(&call, ACT("UpdateContactEventHooks",
			     "\"EventHooksConfiguration\": {\"CustomerWhisper\": "
			     "{\"DisableExecution\": true}}",
			     "", ""));
	assert_int_equal(
		effect_of(&call, FLOW_EFFECT_SET_HOOK)->hook.hook, FLOW_HOOK_CUSTOMER_WHISPER);
	finish(&call, "next");
}

static void recording_streaming_logging_voice(void **state)
{
	static const char *const stream = ACT("UpdateContactMediaStreamingBehavior",
		"\"MediaStreamingState\": \"Enabled\", \"MediaStreamType\": \"Audio\", "
		"\"Participants\": "
		"[{\"ParticipantType\": \"Customer\", \"MediaDirections\": [\"To\", \"From\"]}]",
		ERR("NoMatchingError"), "");
	struct call call;
	const struct flow_effect *effect;

	(void)state;
	start(&call, ACT("UpdateContactRecordingBehavior",
			     "\"RecordingBehavior\": {\"RecordedParticipants\": [\"Agent\", "
			     "\"Customer\"]}",
			     "", ""));
	assert_true(effect_of(&call, FLOW_EFFECT_SET_RECORDING)->recording.agent);
	assert_true(effect_of(&call, FLOW_EFFECT_SET_RECORDING)->recording.customer);
	finish(&call, "next");
	start(&call, stream);
	effect = effect_of(&call, FLOW_EFFECT_SET_STREAMING);
	assert_true(effect->streaming.on && effect->streaming.from_customer &&
		    effect->streaming.to_customer);
	finish(&call, "act");
	branch(stream, FLOW_RESULT_OK, "next");
	branch(stream, FLOW_RESULT_ERROR, "NoMatchingError");
	start(&call,
		ACT("UpdateFlowLoggingBehavior", "\"FlowLoggingBehavior\": \"Disabled\"", "", ""));
	assert_false(effect_of(&call, FLOW_EFFECT_SET_LOGGING)->flag);
	finish(&call, "next");
	start(&call, ACT("UpdateContactTextToSpeechVoice",
			     "\"TextToSpeechVoice\": \"Vicki\", \"TextToSpeechEngine\": \"Neural\"",
			     "", ""));
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_VOICE)->voice.engine, "Neural");
	finish(&call, "next");
}

static void routing_priority_age_and_criteria(void **state)
{
	static const char *const criteria = ACT("UpdateContactRoutingCriteria",
		"\"RoutingCriteria\": {\"Steps\": [{\"Expiry\": {\"DurationInSeconds\": 30}}]}",
		ERR("NoMatchingError"), "");
	struct call call;

	(void)state;
	start(&call, ACT("UpdateContactRoutingBehavior", "\"QueuePriority\": \"1\"", "", ""));
	assert_int_equal(effect_of(&call, FLOW_EFFECT_SET_PRIORITY)->number, 1);
	finish(&call, "next");
	start(&call, ACT("UpdateContactRoutingBehavior", "\"QueueTimeAdjustmentSeconds\": \"-60\"",
			     "", ""));
	assert_int_equal(effect_of(&call, FLOW_EFFECT_ADJUST_AGE)->number, -60);
	finish(&call, "next");
	start(&call, criteria);
	assert_string_equal(effect_of(&call, FLOW_EFFECT_SET_CRITERIA)->pairs.list[0].name,
		"Steps[0].Expiry.DurationInSeconds");
	finish(&call, "act");
	branch(criteria, FLOW_RESULT_OK, "next");
	branch(criteria, FLOW_RESULT_ERROR, "NoMatchingError");
}

/* All pairs, in order, filled in: the router reads them. */
static void routing_criteria_reach_the_router_whole(void **state)
{
	static const struct attribute wanted[] = {
		{"Steps[0].Expiry.DurationInSeconds", "30"},
		{"Steps[0].Expression.AndExpression[0].AttributeCondition.Name", "Language"},
		{"Steps[0].Expression.AndExpression[0].AttributeCondition.Value", "Welsh"},
		{"Steps[0].Expression.AndExpression[0].AttributeCondition.ProficiencyLevel", "4"},
		{"Steps[0].Expression.AndExpression[0].AttributeCondition.ComparisonOperator",
			"NumberGreaterOrEqualTo"},
		{"Steps[0].Expression.AndExpression[1].NotAttributeCondition.Name", "Team"},
		{"Steps[1].Expression.AttributeCondition.ComparisonOperator", "Match"},
		{"Steps[1].Expression.AttributeCondition.MatchCriteria.AgentsCriteria.AgentIds[0]",
			"arossi"},
		{"Steps[1].Expression.AttributeCondition.MatchCriteria.AgentsCriteria.AgentIds[1]",
			"id-2"},
	};
	const struct flow_effect *effect;
	struct call call;

	(void)state;
	call_prepare(&call,
		flow_of(flow_text_of("act",
				ACT("UpdateContactRoutingCriteria",
					"\"RoutingCriteria\": {\"Steps\": [{\"Expiry\": "
					"{\"DurationInSeconds\": \"30\"}, \"Expression\": "
					"{\"AndExpression\": [{\"AttributeCondition\": {\"Name\": "
					"\"Language\", \"Value\": \"$.Attributes.language\", "
					"\"ProficiencyLevel\": 4, \"ComparisonOperator\": "
					"\"NumberGreaterOrEqualTo\"}}, {\"NotAttributeCondition\": "
					"{\"Name\": \"Team\"}}]}}, {\"Expression\": "
					"{\"AttributeCondition\": {\"ComparisonOperator\": "
					"\"Match\", \"MatchCriteria\": {\"AgentsCriteria\": "
					"{\"AgentIds\": [\"$.External.who\", \"id-2\"]}}}}}]}",
					ERR("NoMatchingError"), "")),
			"f", FLOW_TYPE_UNKNOWN));
	attributes_set(&call.memory.attributes, "language", "Welsh");
	attributes_set(&call.run.locals.external, "who", "arossi");
	call_start(&call, FLOW_TYPE_INBOUND);
	effect = effect_of(&call, FLOW_EFFECT_SET_CRITERIA);
	assert_int_equal(effect->pairs.count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < effect->pairs.count; i++) {
		assert_string_equal(effect->pairs.list[i].name, wanted[i].name);
		assert_string_equal(effect->pairs.list[i].value, wanted[i].value);
	}
	finish(&call, "act");
}

/* The answer of a function, as the criteria or as their steps. */
static void routing_criteria_from_a_function(void **state)
{
	static const char *const parameters[] = {
		"\"RoutingCriteria\": \"$.External.wish\"",
		"\"RoutingCriteria\": {\"Steps\": \"$.External.wish.Steps\"}",
	};
	static const struct attribute wanted[] = {
		{"Steps.0.Expression.AttributeCondition.Name", "Language"},
		{"Steps.0.Expiry.DurationInSeconds", "30"},
	};
	char actions[1000];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct flow_effect *effect;
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"f\", \"Type\": \"InvokeLambdaFunction\", "
			"\"Parameters\": {\"LambdaFunctionARN\": \"arn:f\", "
			"\"InvocationTimeLimitSeconds\": \"3\", \"ResponseValidation\": "
			"{\"ResponseType\": \"JSON\"}}, \"Transitions\": {\"NextAction\": "
			"\"act\"}}, "
			"{\"Identifier\": \"act\", \"Type\": \"UpdateContactRoutingCriteria\", "
			"\"Parameters\": {%s}, \"Transitions\": {\"NextAction\": "
			"\"next\"}}" TERMINAL("next") "]",
			parameters[i]);
		call_begin_text(&call, "f", actions, FLOW_TYPE_INBOUND);
		call_answer_event(
			&call, (struct flow_event){
				       .text = "{\"other\": 1, \"wish\": {\"Steps\": "
					       "[{\"Expression\": {\"AttributeCondition\": "
					       "{\"Name\": \"Language\"}}, \"Expiry\": "
					       "{\"DurationInSeconds\": 30}}]}, \"wishes\": 2}"});
		effect = effect_of(&call, FLOW_EFFECT_SET_CRITERIA);
		assert_int_equal(effect->pairs.count, 2);
		for (size_t j = 0; j < 2; j++) {
			assert_string_equal(effect->pairs.list[j].name, wanted[j].name);
			assert_string_equal(effect->pairs.list[j].value, wanted[j].value);
		}
		call_answer(&call, FLOW_RESULT_OK);
		finish(&call, "next");
	}
}

/* ---- Services -------------------------------------------------------------------------------- */

static void lex_branches_on_the_intent(void **state)
{
	static const struct attribute values[] = {{"IntentName", "Book"}};
	static const char *const actions = ACT("ConnectParticipantWithLexBot",
		"\"Text\": \"t\", \"LexV2Bot\": {\"AliasArn\": \"arn:bot\"}",
		ERR("NoMatchingCondition") ", " ERR("InputTimeLimitExceeded") ", " ERR(
			"NoMatchingError"),
		EQ("Book"));
	struct call call;

	(void)state;
	start(&call, actions);
	assert_int_equal(effect_of(&call, FLOW_EFFECT_SERVICE)->service.message_count, 1);
	call_answer_event(
		&call, (struct flow_event){.text = "Book", .values = values, .value_count = 1});
	assert_string_equal(attributes_get(&call.run.locals.lex, "IntentName"), "Book");
	finish(&call, "Book");
	start(&call, actions);
	call_answer_event(&call, (struct flow_event){.text = "Cancel"});
	finish(&call, "NoMatchingCondition");
	start(&call, actions);
	call_answer_event(&call, (struct flow_event){.result = FLOW_RESULT_FAILED,
					 .error = FLOW_ERROR_INPUT_TIME_LIMIT});
	finish(&call, "InputTimeLimitExceeded");
	branch(actions, FLOW_RESULT_ERROR, "NoMatchingError");
}

/* Whatever is not a voice contact's to do, or needs a service that is not there: the documented
 * branch. */
static void every_other_type_has_its_documented_branch(void **state)
{
	static const char *const types[] = {
		"CheckOutboundCallStatus",
		"StartVoiceIdStream",
		"CheckVoiceId",
		"CreateTask",
		"CreateWisdomSession",
		"CreateCase",
		"GetCase",
		"UpdateCase",
		"CreateCustomerProfile",
		"GetCustomerProfile",
		"GetCustomerProfileObject",
		"UpdateCustomerProfile",
		"AssociateContactToCustomerProfile",
		"GetCalculatedAttributesForCustomerProfile",
		"ShowView",
		"ResumeContact",
		"StartOutboundChatContact",
		"UpdateContactMediaProcessing",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char actions[1000];
		struct call call;

		snprintf(actions, sizeof(actions),
			"[{\"Identifier\": \"act\", \"Type\": \"%s\", \"Transitions\": "
			"{\"NextAction\": \"next\", "
			"\"Errors\": [{\"ErrorType\": \"NoMatchingError\", \"NextAction\": "
			"\"no\"}]}}" TERMINAL("next") TERMINAL("no") "]",
			types[i]);
		start(&call, actions);
		if (i < 14) {
			assert_at(&call, "act");
			call_answer(&call, FLOW_RESULT_ERROR);
		}
		finish(&call, "no");
		if (i >= 14)
			continue;
		branch(actions, FLOW_RESULT_OK, "next");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(play_prompt_of_every_kind),
		cmocka_unit_test(play_prompt_that_fails),
		cmocka_unit_test(R83_loop_prompts_plays_all_messages_and_is_interrupted),
		cmocka_unit_test(menu_takes_one_key),
		cmocka_unit_test(menu_time_counts_from_the_end_of_the_prompt),
		cmocka_unit_test(stored_input),
		cmocka_unit_test(stored_input_waits_between_keys),
		cmocka_unit_test(stored_input_is_encrypted_or_not_stored),
		cmocka_unit_test(stored_input_that_cannot_be_encrypted_is_an_error),
		cmocka_unit_test(set_working_queue),
		cmocka_unit_test(R92_R93_by_agent_from_an_attribute),
		cmocka_unit_test(R2_transfer_to_queue_ends_the_flow),
		cmocka_unit_test(R62_R86_R87_R89_a_move_keeps_the_queue_flow_and_end_resumes_it),
		cmocka_unit_test(R85_the_new_queue_is_fixed_or_from_an_attribute),
		cmocka_unit_test(R85_R93_an_attribute_that_holds_nothing_takes_error),
		cmocka_unit_test(R88_a_move_that_leads_nowhere_is_not_made),
		cmocka_unit_test(R2_transfer_to_queue_in_a_queue_flow_moves),
		cmocka_unit_test(R90_a_queue_flow_without_loop_prompts_leaves_silence),
		cmocka_unit_test(transfer_to_agent_is_terminal),
		cmocka_unit_test(R71_R72_transfer_to_number_with_resume),
		cmocka_unit_test(R73_transfer_to_number_without_resume),
		cmocka_unit_test(R69_R70_R74_dynamic_values_out_of_range_take_error),
		cmocka_unit_test(callbacks),
		cmocka_unit_test(hold_and_outbound_call),
		cmocka_unit_test(compare_with_every_operator),
		cmocka_unit_test(compare_tries_conditions_in_order_and_reads_operands),
		cmocka_unit_test(check_hours),
		cmocka_unit_test(check_metrics_of_every_kind),
		cmocka_unit_test(R82_get_metrics_then_compare),
		cmocka_unit_test(R82_metrics_of_another_channel_are_empty),
		cmocka_unit_test(loop_counts_for_the_contact),
		cmocka_unit_test(distribute_by_percentage),
		cmocka_unit_test(wait_is_an_error_for_voice_unless_it_pauses),
		cmocka_unit_test(set_attributes),
		cmocka_unit_test(set_contact_data_and_tags),
		cmocka_unit_test(lambda_answers),
		cmocka_unit_test(a_lambda_answer_of_more_than_32_kb_is_an_error),
		cmocka_unit_test(lambdas_in_a_row_may_take_20_s),
		cmocka_unit_test(an_asynchronous_lambda_is_not_waited_for),
		cmocka_unit_test(key_exists_looks_for_members),
		cmocka_unit_test(R63_R65_hooks_name_a_flow_of_their_type),
		cmocka_unit_test(hooks_to_nothing_and_hooks_switched_off),
		cmocka_unit_test(recording_streaming_logging_voice),
		cmocka_unit_test(routing_priority_age_and_criteria),
		cmocka_unit_test(routing_criteria_reach_the_router_whole),
		cmocka_unit_test(routing_criteria_from_a_function),
		cmocka_unit_test(lex_branches_on_the_intent),
		cmocka_unit_test(every_other_type_has_its_documented_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
