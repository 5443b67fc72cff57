/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flow/engine.h"

#define TEXT(place, name)                                \
	{                                                \
		place, FLOW_PARAM_##name, FLOW_KIND_TEXT \
	}
#define ONE(place, name)                                                    \
	{                                                                   \
		place, FLOW_PARAM_##name, FLOW_KIND_TEXT, FLOW_PARAM_ONE_OF \
	}
#define NUMBER(place, name, lo, hi)                                   \
	{                                                             \
		place, FLOW_PARAM_##name, FLOW_KIND_NUMBER, 0, lo, hi \
	}
#define FLAG(place, name)                                \
	{                                                \
		place, FLOW_PARAM_##name, FLOW_KIND_FLAG \
	}
#define CHOICE(place, name, words)                                         \
	{                                                                  \
		place, FLOW_PARAM_##name, FLOW_KIND_CHOICE, 0, 0, 0, words \
	}
#define STRICT(place, name, words)                                                                 \
	{                                                                                          \
		place, FLOW_PARAM_##name, FLOW_KIND_CHOICE, FLOW_PARAM_STRICT | FLOW_PARAM_ONE_OF, \
			0, 0, words                                                                \
	}
#define REF(place, name, what)                                                                    \
	{                                                                                         \
		place, FLOW_PARAM_##name, FLOW_KIND_RESOURCE, 0, 0, 0, NULL, FLOW_RESOURCE_##what \
	}
#define REF_ONE(place, name, what)                                                           \
	{                                                                                    \
		place, FLOW_PARAM_##name, FLOW_KIND_RESOURCE, FLOW_PARAM_ONE_OF, 0, 0, NULL, \
			FLOW_RESOURCE_##what                                                 \
	}

#define PROMPT_AT(place, one)                                                                \
	{place "Text", FLOW_PARAM_TEXT, FLOW_KIND_TEXT, FLOW_PARAM_SPOKEN | (one)},          \
		{place "SSML", FLOW_PARAM_SSML, FLOW_KIND_TEXT, FLOW_PARAM_SPOKEN | (one)},  \
		{place "PromptId", FLOW_PARAM_PROMPT, FLOW_KIND_RESOURCE, (one), 0, 0, NULL, \
			FLOW_RESOURCE_PROMPT},                                               \
		{place "Media.Uri", FLOW_PARAM_MEDIA_URI, FLOW_KIND_TEXT, (one)},            \
		TEXT(place "Media.SourceType", MEDIA_SOURCE),                                \
		TEXT(place "Media.MediaType", MEDIA_TYPE)

#define DAYS_30 2592000

static const struct flow_param_rule message_params[] = {
	PROMPT_AT("", FLOW_PARAM_ONE_OF),
};

static const struct flow_param_rule message_loop_params[] = {
	PROMPT_AT("Messages[].", FLOW_PARAM_ONE_OF),
	NUMBER("InterruptFrequencySeconds", INTERRUPT_S, 1, DAYS_30),
	FLAG("ContinueMessagingDuringInterrupt", CONTINUE_DURING_INTERRUPT),
};

static const struct flow_param_rule get_input_params[] = {
	PROMPT_AT("", 0),
	FLAG("StoreInput", STORE_INPUT),
	NUMBER("InputTimeLimitSeconds", INPUT_TIME_S, 1, 180),
	FLAG("DTMFConfiguration.DisableCancelKey", DISABLE_CANCEL),
	TEXT("DTMFConfiguration.InputTerminationSequence", TERMINATOR),
	NUMBER("DTMFConfiguration.InterdigitTimeLimitSeconds", INTERDIGIT_S, 1, 20),
	NUMBER("InputValidation.CustomValidation.MaximumLength", MAX_DIGITS, 1, FLOW_INPUT_MAX),
	CHOICE("InputValidation.PhoneNumberValidation.NumberFormat", NUMBER_FORMAT, "Local E164"),
	TEXT("InputValidation.PhoneNumberValidation.CountryCode", COUNTRY),
	TEXT("InputEncryption.EncryptionKeyId", ENCRYPTION_KEY_ID),
	TEXT("InputEncryption.Key", ENCRYPTION_KEY),
};

static const struct flow_param_rule lex_params[] = {
	PROMPT_AT("", 0),
	TEXT("LexV2Bot.AliasArn", BOT),
	TEXT("LexBot.Name", BOT),
	TEXT("LexBot.Region", BOT_REGION),
	TEXT("LexBot.Alias", BOT_ALIAS),
	TEXT("LexSessionAttributes.**", BOT_ATTRIBUTE),
	NUMBER("LexTimeoutSeconds.Text", BOT_TIME_S, 1, 604800),
};

static const struct flow_param_rule to_queue_params[] = {
	REF("QueueId", QUEUE, QUEUE),
	REF("AgentId", AGENT, AGENT),
};

static const struct flow_param_rule callback_params[] = {
	REF("QueueId", QUEUE, QUEUE),
	REF("AgentId", AGENT, AGENT),
	NUMBER("InitialCallDelaySeconds", DELAY_S, 1, 259200),
	NUMBER("MaximumConnectionAttempts", ATTEMPTS, 1, 1000),
	NUMBER("RetryDelaySeconds", RETRY_S, 1, 259200),
	REF("ContactFlowId", FLOW, FLOW),
	REF("CallerId.Number", CALLER_NUMBER, PHONE_NUMBER),
	REF("CallerId", CALLER_NUMBER, PHONE_NUMBER),
};

static const struct flow_param_rule third_party_params[] = {
	ONE("ThirdPartyPhoneNumber", PHONE_NUMBER),
	NUMBER("ThirdPartyConnectionTimeLimitSeconds", CONNECT_S, 0, 600),
	NUMBER("ThirdPartyConnectionTimeoutSeconds", CONNECT_S, 0, 600),
	FLAG("ContinueFlowExecution", RESUME),
	{"ThirdPartyDTMFDigits", FLOW_PARAM_DIGITS, FLOW_KIND_DIGITS, FLOW_PARAM_STRICT},
	REF("CallerId.Number", CALLER_NUMBER, PHONE_NUMBER),
	TEXT("CallerId.Name", CALLER_NAME),
};

static const struct flow_param_rule to_flow_params[] = {
	REF_ONE("ContactFlowId", FLOW, FLOW),
};

static const struct flow_param_rule end_module_params[] = {
	TEXT("Result", MODULE_RESULT),
	TEXT("ResultData.**", MODULE_OUTPUT),
};

static const struct flow_param_rule invoke_module_params[] = {
	REF_ONE("FlowModuleId", MODULE, MODULE),
	TEXT("Input.**", MODULE_INPUT),
};

static const struct flow_param_rule set_target_queue_params[] = {
	REF_ONE("QueueId", QUEUE, QUEUE),
	REF_ONE("AgentId", AGENT, AGENT),
};

static const struct flow_param_rule set_attributes_params[] = {
	TEXT("Attributes.**", ATTRIBUTE),
	CHOICE("TargetContact", TARGET_CONTACT, "Current Related"),
};

static const struct flow_param_rule set_flow_attributes_params[] = {
	TEXT("FlowAttributes.*.Value", FLOW_ATTRIBUTE),
};

static const struct flow_param_rule set_contact_data_params[] = {
	CHOICE("TargetContact", TARGET_CONTACT, "Current Related"),
	TEXT("**", CONTACT_DATA),
};

static const struct flow_param_rule compare_params[] = {
	ONE("ComparisonValue", COMPARISON),
};

static const struct flow_param_rule check_hours_params[] = {
	REF("HoursOfOperationId", HOURS, HOURS),
};

static const struct flow_param_rule check_metric_params[] = {
	STRICT("MetricType", METRIC, FLOW_METRIC_CHOICES),
	REF("QueueId", QUEUE, QUEUE),
	REF("AgentId", AGENT, AGENT),
};

static const struct flow_param_rule get_metrics_params[] = {
	REF("QueueId", QUEUE, QUEUE),
	REF("AgentId", AGENT, AGENT),
	CHOICE("QueueChannel", CHANNEL, "Voice Chat Task Email"),
};

static const struct flow_param_rule loop_params[] = {
	NUMBER("LoopCount", LOOP_COUNT, 0, 100),
};

static const struct flow_param_rule wait_params[] = {
	{"TimeLimitSeconds", FLOW_PARAM_TIME_S, FLOW_KIND_NUMBER, FLOW_PARAM_ONE_OF, 0, 604800},
	{"TimeoutSeconds", FLOW_PARAM_TIME_S, FLOW_KIND_NUMBER, FLOW_PARAM_ONE_OF, 0, 604800},
	TEXT("Events[]", WAIT_EVENT),
};

static const struct flow_param_rule lambda_params[] = {
	ONE("LambdaFunctionARN", FUNCTION),
	NUMBER("InvocationTimeLimitSeconds", TIME_S, 1, 8),
	TEXT("LambdaInvocationAttributes.**", FUNCTION_INPUT),
	CHOICE("ResponseValidation.ResponseType", RESPONSE_TYPE, "STRING_MAP JSON"),
	TEXT("InvocationType", INVOCATION_TYPE),
};

static const struct flow_param_rule set_hooks_params[] = {
	{"EventHooks.*", FLOW_PARAM_HOOK, FLOW_KIND_RESOURCE, FLOW_PARAM_ONE_OF, 0, 0, NULL,
		FLOW_RESOURCE_FLOW},
	{"EventHooksConfiguration.*.DisableExecution", FLOW_PARAM_HOOK_DISABLE, FLOW_KIND_FLAG,
		FLOW_PARAM_ONE_OF},
};

static const struct flow_param_rule set_recording_params[] = {
	CHOICE("RecordingBehavior.RecordedParticipants[]", RECORDED, "Agent Customer"),
	TEXT("RecordingBehavior.ScreenRecordedParticipants[]", SCREEN_RECORDED),
	TEXT("RecordingBehavior.IVRRecordingBehavior", IVR_RECORDING),
	CHOICE("VoiceBehavior.VoiceRecordingBehavior.RecordedParticipants[]", RECORDED,
		"Agent Customer"),
	TEXT("VoiceBehavior.VoiceRecordingBehavior.IVRRecordingBehavior", IVR_RECORDING),
	TEXT("ScreenRecordingBehavior.ScreenRecordedParticipants[]", SCREEN_RECORDED),
};

static const struct flow_param_rule set_streaming_params[] = {
	CHOICE("MediaStreamingState", STATE, "Enabled Disabled"),
	TEXT("MediaStreamType", STREAM_TYPE),
	TEXT("Participants[].ParticipantType", STREAM_PARTICIPANT),
	CHOICE("Participants[].MediaDirections[]", STREAM_DIRECTION, "From To"),
};

static const struct flow_param_rule set_logging_params[] = {
	CHOICE("FlowLoggingBehavior", STATE, "Enabled Disabled"),
};

static const struct flow_param_rule set_voice_params[] = {
	TEXT("TextToSpeechVoice", VOICE),
	TEXT("TextToSpeechEngine", VOICE_ENGINE),
	TEXT("TextToSpeechStyle", VOICE_STYLE),
};

static const struct flow_param_rule callback_number_params[] = {
	ONE("CallbackNumber", CALLBACK_NUMBER),
};

static const struct flow_param_rule set_routing_params[] = {
	{"QueuePriority", FLOW_PARAM_PRIORITY, FLOW_KIND_NUMBER, FLOW_PARAM_ONE_OF, 1,
		9223372036854775807},
	{"QueueTimeAdjustmentSeconds", FLOW_PARAM_AGE_S, FLOW_KIND_NUMBER, FLOW_PARAM_ONE_OF,
		-DAYS_30, DAYS_30},
};

static const struct flow_param_rule set_criteria_params[] = {
	TEXT("RoutingCriteria.**", CRITERIA),
	TEXT("RoutingCriteria", CRITERIA), /* from the answer of a function */
};

static const struct flow_param_rule hold_params[] = {
	STRICT("PreviousContactParticipantState", PARTICIPANT_STATE, FLOW_PARTICIPANT_STATES),
};

static const struct flow_param_rule call_outbound_params[] = {
	REF("CallerId.Number", CALLER_NUMBER, PHONE_NUMBER),
	NUMBER("ConnectionTimeLimitSeconds", CONNECT_S, 1, 600),
};

static const struct flow_param_rule tag_params[] = {
	TEXT("Tags.**", TAG),
	TEXT("TagKeys[]", TAG_KEY),
};

#define T(type)      FLOW_TYPE_BIT(FLOW_TYPE_##type)
#define T_ALL        (FLOW_TYPE_BIT(FLOW_TYPE_COUNT) - 1)
#define T_TRANSFER   (T(AGENT_TRANSFER) | T(QUEUE_TRANSFER))
#define T_MAIN       (T(INBOUND) | T_TRANSFER | T(MODULE))
#define T_CALLER     (T_MAIN | T(CUSTOMER_QUEUE))
#define T_WHISPER    (T(CUSTOMER_WHISPER) | T(AGENT_WHISPER) | T(OUTBOUND_WHISPER))
#define T_HOLD       (T(CUSTOMER_HOLD) | T(AGENT_HOLD))
#define E(error)     (1u << FLOW_ERROR_##error)
#define PARAMS(list) list, sizeof(list) / sizeof((list)[0])
#define NEXT         FLOW_FOLLOW_NEXT
#define TERMINAL     FLOW_FOLLOW_TERMINAL
#define DECOY        FLOW_FOLLOW_DECOY
#define FREE         FLOW_FOLLOW_FREE
#define ERR          E(NO_MATCHING_ERROR)
#define COND         E(NO_MATCHING_CONDITION)

static const struct flow_action_rule rules[FLOW_ACTION_COUNT] = {
	[FLOW_ACTION_MESSAGE] = {PARAMS(message_params), T_CALLER | T_WHISPER, NEXT, 0},
	[FLOW_ACTION_MESSAGE_LOOP] = {PARAMS(message_loop_params), T(CUSTOMER_QUEUE) | T_HOLD, FREE,
		0},
	[FLOW_ACTION_GET_INPUT] = {PARAMS(get_input_params), T_CALLER | T(OUTBOUND_WHISPER), NEXT,
		ERR},
	[FLOW_ACTION_LEX] = {PARAMS(lex_params), T_CALLER, NEXT, ERR | COND},
	[FLOW_ACTION_DISCONNECT] = {NULL, 0, T_CALLER, TERMINAL, 0},
	[FLOW_ACTION_TO_QUEUE] = {PARAMS(to_queue_params), T_MAIN, DECOY,
		ERR | E(QUEUE_AT_CAPACITY)},
	[FLOW_ACTION_DEQUEUE_TO_QUEUE] = {PARAMS(to_queue_params), T(CUSTOMER_QUEUE), NEXT,
		ERR | E(QUEUE_AT_CAPACITY)},
	[FLOW_ACTION_CREATE_CALLBACK] = {PARAMS(callback_params), T_CALLER, NEXT, ERR},
	[FLOW_ACTION_TO_AGENT] = {NULL, 0, T_TRANSFER, TERMINAL, 0},
	[FLOW_ACTION_TO_THIRD_PARTY] = {PARAMS(third_party_params), T_CALLER, DECOY, ERR},
	[FLOW_ACTION_TO_FLOW] = {PARAMS(to_flow_params), T_MAIN, DECOY, ERR},
	[FLOW_ACTION_END] = {NULL, 0, T(CUSTOMER_QUEUE) | T_WHISPER, TERMINAL, 0},
	[FLOW_ACTION_END_MODULE] = {PARAMS(end_module_params), T(MODULE), TERMINAL, 0},
	[FLOW_ACTION_INVOKE_MODULE] = {PARAMS(invoke_module_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_TARGET_QUEUE] = {PARAMS(set_target_queue_params), T_MAIN, NEXT, ERR},
	[FLOW_ACTION_SET_ATTRIBUTES] = {PARAMS(set_attributes_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_FLOW_ATTRIBUTES] = {PARAMS(set_flow_attributes_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_CONTACT_DATA] = {PARAMS(set_contact_data_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_COMPARE] = {PARAMS(compare_params), T_ALL, NEXT, COND},
	[FLOW_ACTION_CHECK_HOURS] = {PARAMS(check_hours_params), T_CALLER, NEXT, ERR},
	[FLOW_ACTION_CHECK_METRIC] = {PARAMS(check_metric_params), T_CALLER, NEXT, ERR | COND},
	[FLOW_ACTION_GET_METRICS] = {PARAMS(get_metrics_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_LOOP] = {PARAMS(loop_params), T_ALL, NEXT, 0},
	[FLOW_ACTION_DISTRIBUTE] = {NULL, 0, T_CALLER | T(OUTBOUND_WHISPER), NEXT, COND},
	[FLOW_ACTION_WAIT] = {PARAMS(wait_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_LAMBDA] = {PARAMS(lambda_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_HOOKS] = {PARAMS(set_hooks_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_RECORDING] = {PARAMS(set_recording_params), T_CALLER | T(OUTBOUND_WHISPER),
		NEXT, 0},
	[FLOW_ACTION_SET_RECORDING_ANALYTICS] = {PARAMS(set_recording_params),
		T_CALLER | T(OUTBOUND_WHISPER), NEXT, ERR | E(CHANNEL_MISMATCH)},
	[FLOW_ACTION_SET_STREAMING] = {PARAMS(set_streaming_params), T_CALLER | T_WHISPER, NEXT,
		ERR},
	[FLOW_ACTION_SET_MEDIA_PROCESSING] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_SET_LOGGING] = {PARAMS(set_logging_params), T_ALL, NEXT, 0},
	[FLOW_ACTION_SET_VOICE] = {PARAMS(set_voice_params), T_ALL, NEXT, 0},
	[FLOW_ACTION_SET_CALLBACK_NUMBER] = {PARAMS(callback_number_params), T_CALLER, NEXT,
		E(INVALID_CALLBACK_NUMBER) | E(CALLBACK_NOT_DIALABLE)},
	[FLOW_ACTION_SET_ROUTING] = {PARAMS(set_routing_params), T_CALLER | T(OUTBOUND_WHISPER),
		NEXT, 0},
	[FLOW_ACTION_SET_CRITERIA] = {PARAMS(set_criteria_params), T_CALLER, NEXT, ERR},
	[FLOW_ACTION_HOLD_PARTICIPANT] = {PARAMS(hold_params),
		T(INBOUND) | T_TRANSFER | T(OUTBOUND_WHISPER), NEXT, ERR},
	[FLOW_ACTION_CALL_OUTBOUND] = {PARAMS(call_outbound_params), T(OUTBOUND_WHISPER), NEXT, 0},
	[FLOW_ACTION_CHECK_OUTBOUND] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_START_VOICE_ID] = {NULL, 0, T_ALL & ~T_HOLD, NEXT, ERR},
	[FLOW_ACTION_CHECK_VOICE_ID] = {NULL, 0, T_ALL & ~T_HOLD, NEXT, ERR},
	[FLOW_ACTION_CREATE_TASK] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_TAG_CONTACT] = {PARAMS(tag_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_UNTAG_CONTACT] = {PARAMS(tag_params), T_ALL, NEXT, ERR},
	[FLOW_ACTION_CREATE_WISDOM] = {NULL, 0, T_CALLER | T(OUTBOUND_WHISPER), NEXT, ERR},
	[FLOW_ACTION_SHOW_VIEW] = {NULL, 0, T(INBOUND) | T(CUSTOMER_QUEUE), NEXT,
		ERR | COND | E(TIME_LIMIT)},
	[FLOW_ACTION_RESUME_CONTACT] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_START_OUTBOUND_CHAT] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_CREATE_CASE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_GET_CASE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_UPDATE_CASE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_CREATE_PROFILE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_GET_PROFILE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_GET_PROFILE_OBJECT] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_UPDATE_PROFILE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_ASSOCIATE_PROFILE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_GET_PROFILE_ATTRIBUTES] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_CHECK_SEGMENT] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_EVALUATE_TABLE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_LIST_TABLE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_UPSERT_TABLE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_ROUTE_TO_AGENT] = {NULL, 0, T_ALL, FREE, ERR},
	[FLOW_ACTION_AUTHENTICATE] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_LOAD_CONTENT] = {NULL, 0, T_ALL, NEXT, ERR},
	[FLOW_ACTION_ASSOCIATE_CONTACT] = {NULL, 0, T_ALL, NEXT, ERR},
};

const struct flow_action_rule *flow_action_rule(enum flow_action_type type)
{
	return &rules[type];
}

/* Matches a place against a pattern. */
static bool place_matches(
	const char *pattern, const char *place, const char **key, size_t *key_length)
{
	while (*pattern != '\0') {
		if (strcmp(pattern, "**") == 0) {
			if (*place == '\0')
				return false;
			*key = place;
			*key_length = strlen(place);
			return true;
		}
		if (*pattern == '*') {
			/* A member name may hold dots itself; what follows it in the pattern is
			 * fixed. */
			size_t tail = strlen(pattern + 1);
			size_t rest = strlen(place);

			if (rest <= tail || strcmp(place + rest - tail, pattern + 1) != 0)
				return false;
			*key = place;
			*key_length = rest - tail;
			return true;
		}
		if (*pattern == '[') {
			size_t digits = strspn(place + (*place == '['), "0123456789");

			if (*place != '[' || digits == 0 || place[1 + digits] != ']')
				return false;
			place += digits + 2;
			pattern += 2;
			continue;
		}
		if (*pattern++ != *place++)
			return false;
	}
	return *place == '\0';
}

const struct flow_param_rule *flow_param_rule(
	enum flow_action_type type, const char *place, const char **key, size_t *key_length)
{
	const struct flow_action_rule *rule = &rules[type];

	*key = NULL;
	*key_length = 0;
	for (uint16_t i = 0; i < rule->param_count; i++) {
		if (place_matches(rule->params[i].pattern, place, key, key_length))
			return &rule->params[i];
	}
	return NULL;
}

bool flow_place_is_inner(enum flow_action_type type, const char *place)
{
	const struct flow_action_rule *rule = &rules[type];
	size_t length = strlen(place);

	for (uint16_t i = 0; i < rule->param_count; i++) {
		const char *pattern = rule->params[i].pattern;

		if (strncmp(pattern, place, length) == 0 &&
			(pattern[length] == '.' || pattern[length] == '['))
			return true;
	}
	return false;
}

bool flow_text_to_number(const char *text, int64_t *number)
{
	bool negative = *text == '-';
	int64_t value = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *text - '0', &value))
			return false;
	}
	*number = negative ? -value : value;
	return true;
}

bool flow_text_to_decimal(const char *text, double *number)
{
	size_t at = strspn(text, " ");
	size_t digits;
	size_t fraction = 0;

	text += at;
	at = *text == '-' || *text == '+';
	digits = strspn(text + at, "0123456789");
	if (text[at + digits] == '.')
		fraction = strspn(text + at + digits + 1, "0123456789");
	if (digits + fraction == 0)
		return false;
	at += digits + (fraction > 0 ? fraction + 1 : text[at + digits] == '.');
	if (text[at + strspn(text + at, " ")] != '\0')
		return false;
	*number = strtod(text, NULL);
	return true;
}

bool flow_text_to_flag(const char *text, bool *flag)
{
	if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
		return false;
	*flag = strcasecmp(text, "true") == 0;
	return true;
}

bool flow_text_is_e164(const char *text)
{
	size_t digits;

	if (text[0] != '+' || text[1] == '0')
		return false;
	digits = strspn(text + 1, "0123456789");
	return digits >= 7 && digits <= 15 && text[1 + digits] == '\0';
}

bool flow_text_is_digits(const char *text)
{
	size_t length = strspn(text, "0123456789,*#");

	return length <= FLOW_DTMF_DIGITS_MAX && text[length] == '\0';
}

int flow_text_choice(const char *text, const char *choices)
{
	size_t length = strlen(text);

	for (int index = 0;; index++) {
		size_t size = strcspn(choices, " ");

		if (size == length && strncasecmp(text, choices, size) == 0)
			return index;
		if (choices[size] == '\0')
			return -1;
		choices += size + 1;
	}
}
