/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: a contact flow in memory, the one form that both file formats are read into.
 *
 *     flow ── actions[] ── params[]      (what it is told)      value = parts[] of text and
 * JSONPaths │     ╰─── errors[]      ErrorType   -> action │     ╰─── conditions[]  operator,
 * operands -> action ╰───────── next          -> action
 *
 * A flow is immutable after loading and counted: flow_hold / flow_release, on any thread. A run holds the flow
 * that it is in, so a reload never pulls a flow away from under a call. Everything in it lives in
 * one arena.
 *
 * Targets are indexes into `actions`, or FLOW_NO_ACTION where the file leaves a branch open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_TEXT_MAX        (4u * 1024 * 1024) /* bytes of a flow file */
#define FLOW_ACTIONS_MAX     250u
#define FLOW_IDENTIFIER_MAX  50u /* characters */
#define FLOW_NAME_MAX        256u
#define FLOW_PARAMS_MAX      2048u /* parameters of one action, list and map members counted singly */
#define FLOW_CONDITIONS_MAX  512u
#define FLOW_ERRORS_MAX      32u
#define FLOW_MESSAGES_MAX    32u /* messages of one loop prompt */
#define FLOW_PROMPT_TEXT_MAX 6000u
#define FLOW_DTMF_DIGITS_MAX 50u
#define FLOW_NO_ACTION       UINT16_MAX

enum flow_type {
	FLOW_TYPE_UNKNOWN, /* nobody said: rules of types are not applied */
	FLOW_TYPE_INBOUND,
	FLOW_TYPE_CUSTOMER_QUEUE,
	FLOW_TYPE_CUSTOMER_HOLD,
	FLOW_TYPE_CUSTOMER_WHISPER,
	FLOW_TYPE_AGENT_HOLD,
	FLOW_TYPE_AGENT_WHISPER,
	FLOW_TYPE_OUTBOUND_WHISPER,
	FLOW_TYPE_AGENT_TRANSFER,
	FLOW_TYPE_QUEUE_TRANSFER,
	FLOW_TYPE_MODULE,
	FLOW_TYPE_COUNT
};

/*
 * The word used in files and options; the service's own words ("contactFlow", "CUSTOMER_QUEUE") are
 * read too. Unknown words: -EINVAL.
 */
const char *flow_type_name(enum flow_type type);
int flow_type_parse(const char *word, enum flow_type *type);

/*
 * Every action type of the flow language: enumerator, name in the file.
 * flow_action_rule() (rules.h) says what each may hold.
 */
#define FLOW_ACTION_LIST(X)                                                      \
	X(MESSAGE, "MessageParticipant")                                         \
	X(MESSAGE_LOOP, "MessageParticipantIteratively")                         \
	X(GET_INPUT, "GetParticipantInput")                                      \
	X(LEX, "ConnectParticipantWithLexBot")                                   \
	X(DISCONNECT, "DisconnectParticipant")                                   \
	X(TO_QUEUE, "TransferContactToQueue")                                    \
	X(DEQUEUE_TO_QUEUE, "DequeueContactAndTransferToQueue")                  \
	X(CREATE_CALLBACK, "CreateCallbackContact")                              \
	X(TO_AGENT, "TransferContactToAgent")                                    \
	X(TO_THIRD_PARTY, "TransferParticipantToThirdParty")                     \
	X(TO_FLOW, "TransferToFlow")                                             \
	X(END, "EndFlowExecution")                                               \
	X(END_MODULE, "EndFlowModuleExecution")                                  \
	X(INVOKE_MODULE, "InvokeFlowModule")                                     \
	X(SET_TARGET_QUEUE, "UpdateContactTargetQueue")                          \
	X(SET_ATTRIBUTES, "UpdateContactAttributes")                             \
	X(SET_FLOW_ATTRIBUTES, "UpdateFlowAttributes")                           \
	X(SET_CONTACT_DATA, "UpdateContactData")                                 \
	X(COMPARE, "Compare")                                                    \
	X(CHECK_HOURS, "CheckHoursOfOperation")                                  \
	X(CHECK_METRIC, "CheckMetricData")                                       \
	X(GET_METRICS, "GetMetricData")                                          \
	X(LOOP, "Loop")                                                          \
	X(DISTRIBUTE, "DistributeByPercentage")                                  \
	X(WAIT, "Wait")                                                          \
	X(LAMBDA, "InvokeLambdaFunction")                                        \
	X(SET_HOOKS, "UpdateContactEventHooks")                                  \
	X(SET_RECORDING, "UpdateContactRecordingBehavior")                       \
	X(SET_RECORDING_ANALYTICS, "UpdateContactRecordingAndAnalyticsBehavior") \
	X(SET_STREAMING, "UpdateContactMediaStreamingBehavior")                  \
	X(SET_MEDIA_PROCESSING, "UpdateContactMediaProcessing")                  \
	X(SET_LOGGING, "UpdateFlowLoggingBehavior")                              \
	X(SET_VOICE, "UpdateContactTextToSpeechVoice")                           \
	X(SET_CALLBACK_NUMBER, "UpdateContactCallbackNumber")                    \
	X(SET_ROUTING, "UpdateContactRoutingBehavior")                           \
	X(SET_CRITERIA, "UpdateContactRoutingCriteria")                          \
	X(HOLD_PARTICIPANT, "UpdatePreviousContactParticipantState")             \
	X(CALL_OUTBOUND, "CompleteOutboundCall")                                 \
	X(CHECK_OUTBOUND, "CheckOutboundCallStatus")                             \
	X(START_VOICE_ID, "StartVoiceIdStream")                                  \
	X(CHECK_VOICE_ID, "CheckVoiceId")                                        \
	X(CREATE_TASK, "CreateTask")                                             \
	X(TAG_CONTACT, "TagContact")                                             \
	X(UNTAG_CONTACT, "UnTagContact")                                         \
	X(CREATE_WISDOM, "CreateWisdomSession")                                  \
	X(SHOW_VIEW, "ShowView")                                                 \
	X(RESUME_CONTACT, "ResumeContact")                                       \
	X(START_OUTBOUND_CHAT, "StartOutboundChatContact")                       \
	X(CREATE_CASE, "CreateCase")                                             \
	X(GET_CASE, "GetCase")                                                   \
	X(UPDATE_CASE, "UpdateCase")                                             \
	X(CREATE_PROFILE, "CreateCustomerProfile")                               \
	X(GET_PROFILE, "GetCustomerProfile")                                     \
	X(GET_PROFILE_OBJECT, "GetCustomerProfileObject")                        \
	X(UPDATE_PROFILE, "UpdateCustomerProfile")                               \
	X(ASSOCIATE_PROFILE, "AssociateContactToCustomerProfile")                \
	X(GET_PROFILE_ATTRIBUTES, "GetCalculatedAttributesForCustomerProfile")   \
	X(CHECK_SEGMENT, "CheckSegmentMembership")                               \
	X(EVALUATE_TABLE, "EvaluateDataTableValues")                             \
	X(LIST_TABLE, "ListDataTableValues")                                     \
	X(UPSERT_TABLE, "UpsertDataTableValues")                                 \
	X(ROUTE_TO_AGENT, "RouteContactToAgent")                                 \
	X(AUTHENTICATE, "AuthenticateParticipant")                               \
	X(LOAD_CONTENT, "LoadContactContent")                                    \
	X(ASSOCIATE_CONTACT, "CreatePersistentContactAssociation")

enum flow_action_type {
#define X(id, name) FLOW_ACTION_##id,
	FLOW_ACTION_LIST(X)
#undef X
		FLOW_ACTION_COUNT
};

const char *flow_action_name(enum flow_action_type type);
/* Also knows the second spellings (UpdateRoutingCriteria, UntagContact). -ENOENT: no such action. */
int flow_action_parse(const char *name, enum flow_action_type *type);

/* Errors that a branch may be named after. */
#define FLOW_ERROR_LIST(X)                                      \
	X(NO_MATCHING_ERROR, "NoMatchingError")                 \
	X(NO_MATCHING_CONDITION, "NoMatchingCondition")         \
	X(QUEUE_AT_CAPACITY, "QueueAtCapacity")                 \
	X(INPUT_TIME_LIMIT, "InputTimeLimitExceeded")           \
	X(INVALID_PHONE_NUMBER, "InvalidPhoneNumber")           \
	X(INVALID_CALLBACK_NUMBER, "InvalidCallbackNumber")     \
	X(CALLBACK_NOT_DIALABLE, "CallbackNumberNotDialable")   \
	X(CALL_FAILED, "CallFailed")                            \
	X(CONNECTION_TIME_LIMIT, "ConnectionTimeLimitExceeded") \
	X(TIME_LIMIT, "TimeLimitExceeded")                      \
	X(PARTICIPANT_NOT_FOUND, "ParticipantNotFound")         \
	X(CHANNEL_MISMATCH, "ChannelMismatch")                  \
	X(CONTACT_NOT_LINKED, "ContactNotLinked")               \
	X(NONE_FOUND, "NoneFound")                              \
	X(MULTIPLE_FOUND, "MultipleFound")                      \
	X(NONE_FOUND_ERROR, "NoneFoundError")                   \
	X(MULTIPLE_FOUND_ERROR, "MultipleFoundError")

enum flow_error {
#define X(id, name) FLOW_ERROR_##id,
	FLOW_ERROR_LIST(X)
#undef X
		FLOW_ERROR_COUNT
};

const char *flow_error_name(enum flow_error error);

enum flow_operator {
	FLOW_EQUALS,
	FLOW_STARTS_WITH,
	FLOW_ENDS_WITH,
	FLOW_CONTAINS,
	FLOW_GREATER,
	FLOW_GREATER_OR_EQUAL,
	FLOW_LESS,
	FLOW_LESS_OR_EQUAL,
	FLOW_KEY_EXISTS, /* the value looked at has a member with this name */
	FLOW_OPERATOR_COUNT
};

const char *flow_operator_name(enum flow_operator op);

/* Where a JSONPath looks. FLOW_SPACE_FACT is everything that the owner of the contact knows. */
enum flow_space {
	FLOW_SPACE_ATTRIBUTES, /* $.Attributes.x */
	FLOW_SPACE_FLOW_ATTRIBUTES,
	FLOW_SPACE_EXTERNAL,
	FLOW_SPACE_STORED_INPUT, /* $.StoredCustomerInput */
	FLOW_SPACE_METRICS,
	FLOW_SPACE_LEX,
	FLOW_SPACE_MODULES,
	FLOW_SPACE_FACT
};

/* A value is compiled at load into parts; a part is literal text or one JSONPath. */
struct flow_part {
	bool is_path;
	uint8_t space; /* enum flow_space, of a path */
	/*
	 * Text: the text. Path: the key inside the space, names joined by dots, quotes and brackets
	 * gone
	 * ("Queue.Size" of $.Metrics.Queue.Size); of FLOW_SPACE_FACT the whole path without "$."
	 * ("CustomerEndpoint.Address", "Media.Sip.Headers.P-Asserted-Identity").
	 */
	const char *text;
	uint32_t length;
};

enum flow_value_class {
	FLOW_VALUE_STATIC, /* parts: none or one text */
	FLOW_VALUE_PATH,   /* exactly one JSONPath is the whole value */
	FLOW_VALUE_MIXED   /* text with JSONPaths in it */
};

struct flow_value {
	uint8_t class; /* enum flow_value_class */
	uint16_t part_count;
	const struct flow_part *parts;
	const char *source; /* as written in the file; numbers and truth values as text */
};

/* What a parameter is, for those that the engine or checker reads. Rows with rules: rules.c. */
enum flow_param_id {
	FLOW_PARAM_OTHER, /* kept by name only */
	FLOW_PARAM_TEXT,
	FLOW_PARAM_SSML,
	FLOW_PARAM_PROMPT,
	FLOW_PARAM_MEDIA_URI,
	FLOW_PARAM_MEDIA_SOURCE,
	FLOW_PARAM_MEDIA_TYPE,
	FLOW_PARAM_INTERRUPT_S,
	FLOW_PARAM_CONTINUE_DURING_INTERRUPT,
	FLOW_PARAM_INPUT_TIME_S,
	FLOW_PARAM_STORE_INPUT,
	FLOW_PARAM_DISABLE_CANCEL,
	FLOW_PARAM_TERMINATOR,
	FLOW_PARAM_INTERDIGIT_S,
	FLOW_PARAM_MAX_DIGITS,
	FLOW_PARAM_NUMBER_FORMAT,
	FLOW_PARAM_COUNTRY,
	FLOW_PARAM_ENCRYPTION_KEY_ID,
	FLOW_PARAM_ENCRYPTION_KEY,
	FLOW_PARAM_QUEUE,
	FLOW_PARAM_AGENT,
	FLOW_PARAM_FLOW,
	FLOW_PARAM_MODULE,
	FLOW_PARAM_HOURS,
	FLOW_PARAM_METRIC,
	FLOW_PARAM_CHANNEL,
	FLOW_PARAM_COMPARISON,
	FLOW_PARAM_LOOP_COUNT,
	FLOW_PARAM_ATTRIBUTE,      /* map: key, value */
	FLOW_PARAM_FLOW_ATTRIBUTE, /* map */
	FLOW_PARAM_TARGET_CONTACT,
	FLOW_PARAM_CONTACT_DATA, /* map: the key is the parameter's own name */
	FLOW_PARAM_HOOK,         /* map: the key is the hook */
	FLOW_PARAM_HOOK_DISABLE, /* map: the key is the hook */
	FLOW_PARAM_TIME_S,
	FLOW_PARAM_WAIT_EVENT,
	FLOW_PARAM_PRIORITY,
	FLOW_PARAM_AGE_S,
	FLOW_PARAM_CRITERIA, /* map: the key is the place inside RoutingCriteria */
	FLOW_PARAM_PARTICIPANT_STATE,
	FLOW_PARAM_PHONE_NUMBER,
	FLOW_PARAM_CONNECT_S,
	FLOW_PARAM_RESUME,
	FLOW_PARAM_DIGITS,
	FLOW_PARAM_CALLER_NUMBER,
	FLOW_PARAM_CALLER_NAME,
	FLOW_PARAM_DELAY_S,
	FLOW_PARAM_ATTEMPTS,
	FLOW_PARAM_RETRY_S,
	FLOW_PARAM_CALLBACK_NUMBER,
	FLOW_PARAM_FUNCTION,
	FLOW_PARAM_FUNCTION_INPUT, /* map */
	FLOW_PARAM_RESPONSE_TYPE,
	FLOW_PARAM_INVOCATION_TYPE,
	FLOW_PARAM_RECORDED, /* list: Agent, Customer */
	FLOW_PARAM_SCREEN_RECORDED,
	FLOW_PARAM_IVR_RECORDING,
	FLOW_PARAM_STATE, /* Enabled, Disabled */
	FLOW_PARAM_STREAM_PARTICIPANT,
	FLOW_PARAM_STREAM_DIRECTION,
	FLOW_PARAM_STREAM_TYPE,
	FLOW_PARAM_VOICE,
	FLOW_PARAM_VOICE_ENGINE,
	FLOW_PARAM_VOICE_STYLE,
	FLOW_PARAM_BOT,
	FLOW_PARAM_BOT_REGION,
	FLOW_PARAM_BOT_ALIAS,
	FLOW_PARAM_BOT_ATTRIBUTE, /* map */
	FLOW_PARAM_BOT_TIME_S,
	FLOW_PARAM_TAG, /* map */
	FLOW_PARAM_TAG_KEY,
	FLOW_PARAM_MODULE_INPUT,  /* map */
	FLOW_PARAM_MODULE_RESULT, /* named exit of a module */
	FLOW_PARAM_MODULE_OUTPUT, /* map */
	FLOW_PARAM_COUNT
};

struct flow_param {
	uint16_t id;       /* enum flow_param_id */
	uint16_t item;     /* index in the list that it is a member of (Messages[2] -> 2), else 0 */
	const char *place; /* as in the file: "Messages[2].Text" */
	struct flow_value key; /* of maps; may hold JSONPaths itself */
	struct flow_value value;
	const char *resource_name; /* legacy files: the human name of the resource, or NULL */
};

struct flow_error_branch {
	uint8_t error; /* enum flow_error, or FLOW_ERROR_COUNT for a name that we do not know */
	const char *name;
	uint16_t target;
};

struct flow_condition {
	uint8_t op; /* enum flow_operator */
	uint16_t target;
	struct flow_value operand;
};

struct flow_action {
	uint16_t type;  /* enum flow_action_type */
	uint16_t index; /* own place in flow->actions */
	uint16_t next;  /* or FLOW_NO_ACTION */
	uint16_t param_count;
	uint16_t error_count;
	uint16_t condition_count;
	const char *identifier;
	const char *legacy_type; /* module name of a legacy file, or NULL */
	const struct flow_param *params;
	const struct flow_error_branch *errors;
	const struct flow_condition *conditions;
};

enum flow_format { FLOW_FORMAT_LANGUAGE, FLOW_FORMAT_LEGACY };

struct flow {
	_Atomic uint32_t references;
	uint8_t format; /* enum flow_format */
	uint8_t type;   /* enum flow_type */
	bool saved;     /* metadata says saved: a draft, never run until published (R5) */
	uint16_t start;
	uint16_t action_count;
	const char *id; /* set by the reader's options, or from the file; may be empty */
	const char *arn;
	const char *name;
	const char *description;
	const char *file; /* for messages */
	const struct flow_action *actions;
	struct flow_arena *arena;
};

struct flow *flow_hold(struct flow *flow);
/* Frees at the last release. Takes NULL. */
void flow_release(struct flow *flow);

/* The action with this identifier, or NULL. */
const struct flow_action *flow_find_action(const struct flow *flow, const char *identifier);

/* The first parameter with this id, or NULL; with `item`, the one in that place of the list. */
const struct flow_param *flow_action_param(const struct flow_action *action, enum flow_param_id id);
const struct flow_param *flow_action_param_at(
	const struct flow_action *action, enum flow_param_id id, uint16_t item);

/* The target of an error branch, or FLOW_NO_ACTION. Does not fall back to NoMatchingError. */
uint16_t flow_action_error(const struct flow_action *action, enum flow_error error);
