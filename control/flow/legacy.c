/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The legacy console export: modules with lists of parameters and branches. Each module becomes the
 * action that the console writes for the same block today; parameters get the place that they have
 * there, so the same rules type and judge them. legacy_branches.c reads what follows a module.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "flow/legacy.h"
#include "flow/rules.h"

#define PLACE_MAX 600

static const struct {
	const char *type;
	const char *target; /* NULL: any */
	enum flow_action_type action;
} modules[] = {
	{"PlayPrompt", NULL, FLOW_ACTION_MESSAGE},
	{"PlayAudio", NULL, FLOW_ACTION_MESSAGE},
	{"GetUserInput", "Lex", FLOW_ACTION_LEX},
	{"GetUserInput", NULL, FLOW_ACTION_GET_INPUT},
	{"StoreUserInput", NULL, FLOW_ACTION_GET_INPUT},
	{"StoreCustomerInput", NULL, FLOW_ACTION_GET_INPUT},
	{"LoopPrompts", NULL, FLOW_ACTION_MESSAGE_LOOP},
	{"Disconnect", NULL, FLOW_ACTION_DISCONNECT},
	{"Resume", NULL, FLOW_ACTION_END},
	{"Transfer", "Queue", FLOW_ACTION_TO_QUEUE},
	{"Transfer", "Flow", FLOW_ACTION_TO_FLOW},
	{"Transfer", "PhoneNumber", FLOW_ACTION_TO_THIRD_PARTY},
	{"Transfer", "Agent", FLOW_ACTION_TO_AGENT},
	{"TransferToFlow", NULL, FLOW_ACTION_TO_FLOW},
	{"CustomerInQueue", NULL, FLOW_ACTION_TO_QUEUE},
	{"SetQueue", NULL, FLOW_ACTION_SET_TARGET_QUEUE},
	{"SetAttributes", NULL, FLOW_ACTION_SET_ATTRIBUTES},
	{"SetScreenPop", NULL, FLOW_ACTION_SET_ATTRIBUTES},
	{"SetContactData", NULL, FLOW_ACTION_SET_CONTACT_DATA},
	{"CheckAttribute", NULL, FLOW_ACTION_COMPARE},
	{"CheckHoursOfOperation", NULL, FLOW_ACTION_CHECK_HOURS},
	{"CheckStaffing", NULL, FLOW_ACTION_CHECK_METRIC},
	{"CheckQueueStatus", NULL, FLOW_ACTION_CHECK_METRIC},
	{"GetMetricData", NULL, FLOW_ACTION_GET_METRICS},
	{"Loop", NULL, FLOW_ACTION_LOOP},
	{"PercentileBranching", NULL, FLOW_ACTION_DISTRIBUTE},
	{"Wait", NULL, FLOW_ACTION_WAIT},
	{"InvokeExternalResource", NULL, FLOW_ACTION_LAMBDA},
	{"SetEventHook", NULL, FLOW_ACTION_SET_HOOKS},
	{"SetContactFlow", NULL, FLOW_ACTION_SET_HOOKS},
	{"SetRecordingBehavior", NULL, FLOW_ACTION_SET_RECORDING},
	{"StartMediaStreaming", NULL, FLOW_ACTION_SET_STREAMING},
	{"StopMediaStreaming", NULL, FLOW_ACTION_SET_STREAMING},
	{"SetLoggingBehavior", NULL, FLOW_ACTION_SET_LOGGING},
	{"SetVoice", NULL, FLOW_ACTION_SET_VOICE},
	{"SetVoiceId", NULL, FLOW_ACTION_START_VOICE_ID},
	{"CheckVoiceId", NULL, FLOW_ACTION_CHECK_VOICE_ID},
	{"SetCallBackNumber", NULL, FLOW_ACTION_SET_CALLBACK_NUMBER},
	{"CreateCallback", NULL, FLOW_ACTION_CREATE_CALLBACK},
	{"UpdateRoutingPriority", NULL, FLOW_ACTION_SET_ROUTING},
};

/* Where a parameter stands in the flow language; an empty place: it says nothing that a flow needs.
 */
static const struct {
	enum flow_action_type action;
	const char *name;
	const char *place;
} places[] = {
	{FLOW_ACTION_MESSAGE_LOOP, "InterruptSeconds", "InterruptFrequencySeconds"},
	{FLOW_ACTION_GET_INPUT, "Timeout", "InputTimeLimitSeconds"},
	{FLOW_ACTION_GET_INPUT, "DisableCancel", "DTMFConfiguration.DisableCancelKey"},
	{FLOW_ACTION_GET_INPUT, "TerminatorDigits", "DTMFConfiguration.InputTerminationSequence"},
	{FLOW_ACTION_GET_INPUT, "PhoneNumberFormat",
		"InputValidation.PhoneNumberValidation.NumberFormat"},
	{FLOW_ACTION_GET_INPUT, "CountryCode", "InputValidation.PhoneNumberValidation.CountryCode"},
	{FLOW_ACTION_GET_INPUT, "EncryptionKeyId", "InputEncryption.EncryptionKeyId"},
	{FLOW_ACTION_GET_INPUT, "EncryptionKey", "InputEncryption.Key"},
	{FLOW_ACTION_GET_INPUT, "EncryptEntry", ""},
	{FLOW_ACTION_GET_INPUT, "CustomerInputType", ""},
	{FLOW_ACTION_LEX, "BotName", "LexBot.Name"},
	{FLOW_ACTION_LEX, "BotAlias", "LexBot.Alias"},
	{FLOW_ACTION_LEX, "BotRegion", "LexBot.Region"},
	{FLOW_ACTION_TO_THIRD_PARTY, "PhoneNumber", "ThirdPartyPhoneNumber"},
	{FLOW_ACTION_TO_THIRD_PARTY, "TimeLimit", "ThirdPartyConnectionTimeLimitSeconds"},
	{FLOW_ACTION_TO_THIRD_PARTY, "DtmfDigits", "ThirdPartyDTMFDigits"},
	{FLOW_ACTION_TO_THIRD_PARTY, "CallerIdNumber", "CallerId.Number"},
	{FLOW_ACTION_TO_THIRD_PARTY, "CallerIdName", "CallerId.Name"},
	{FLOW_ACTION_CHECK_HOURS, "Hours", "HoursOfOperationId"},
	{FLOW_ACTION_LAMBDA, "FunctionArn", "LambdaFunctionARN"},
	{FLOW_ACTION_LAMBDA, "TimeLimit", "InvocationTimeLimitSeconds"},
	{FLOW_ACTION_SET_VOICE, "GlobalVoice", "TextToSpeechVoice"},
	{FLOW_ACTION_SET_VOICE, "GlobalEngine", "TextToSpeechEngine"},
	{FLOW_ACTION_SET_VOICE, "SpeakingStyle", "TextToSpeechStyle"},
	{FLOW_ACTION_SET_CALLBACK_NUMBER, "CallBackNumber", "CallbackNumber"},
	{FLOW_ACTION_CREATE_CALLBACK, "InitialDelaySeconds", "InitialCallDelaySeconds"},
	{FLOW_ACTION_CREATE_CALLBACK, "MaxRetryAttempts", "MaximumConnectionAttempts"},
	{FLOW_ACTION_SET_ROUTING, "AbsolutePosition", "QueuePriority"},
	{FLOW_ACTION_SET_ROUTING, "TimeOffset", "QueueTimeAdjustmentSeconds"},
	{FLOW_ACTION_WAIT, "TimeoutSeconds", "TimeLimitSeconds"},
	{FLOW_ACTION_GET_METRICS, "Channel", "QueueChannel"},
	{FLOW_ACTION_COUNT, "AudioPrompt", "PromptId"},
	{FLOW_ACTION_COUNT, "Queue", "QueueId"},
	{FLOW_ACTION_COUNT, "Agent", "AgentId"},
	{FLOW_ACTION_COUNT, "TextToSpeechType", ""},
};

/* Display names of the System namespace that differ from the path. */
static const struct {
	const char *name;
	const char *path;
} system_keys[] = {
	{"Customer Number", "$.CustomerEndpoint.Address"},
	{"Dialed Number", "$.SystemEndpoint.Address"},
	{"Customer callback number", "$.CustomerCallbackNumber"},
	{"Stored customer input", "$.StoredCustomerInput"},
};

/* ---- Reading one module ---------------------------------------------------------------------- */

struct module {
	struct flow_draft *draft;
	struct flow_action *action;
	const json_t *object;
	const json_t *parameters;
	struct flow_params_draft params;
	unsigned messages; /* of a loop prompt, so far */
};

const char *legacy_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static const json_t *parameter(const struct module *module, const char *name)
{
	const json_t *entry;
	size_t index;

	json_array_foreach((json_t *)module->parameters, index, entry)
	{
		if (strcmp(legacy_text(entry, "name"), name) == 0)
			return entry;
	}
	return NULL;
}

static bool is_plain(const char *name)
{
	return name[strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")] ==
		       '\0' &&
	       name[0] != '\0' && name[0] != '.' && strstr(name, "..") == NULL &&
	       name[strlen(name) - 1] != '.';
}

static const char *path_to(struct flow_draft *draft, const char *space, const char *name)
{
	char quote = strchr(name, '\'') == NULL ? '\'' : '"';
	const char *path;

	if (is_plain(name))
		path = flow_arena_printf(draft->arena, "$.%s.%s", space, name);
	else
		path = flow_arena_printf(draft->arena, "$.%s[%c%s%c]", space, quote, name, quote);
	return path != NULL ? path : "";
}

/* A key of a namespace as a JSONPath. */
static const char *in_namespace(struct flow_draft *draft, const char *space, const char *name)
{
	const char *path;

	if (strcasecmp(space, "User Defined") == 0)
		return path_to(draft, "Attributes", name);
	if (strcasecmp(space, "Flow") == 0)
		return path_to(draft, "FlowAttributes", name);
	if (strcasecmp(space, "System") != 0)
		return path_to(draft, space, name); /* External, Lex, Lex.Slots */
	for (size_t i = 0; i < sizeof(system_keys) / sizeof(system_keys[0]); i++) {
		if (strcasecmp(system_keys[i].name, name) == 0)
			return system_keys[i].path;
	}
	path = flow_arena_printf(draft->arena, is_plain(name) ? "$.%s" : "$['%s']", name);
	return path != NULL ? path : "";
}

/* A key of the namespace, or literal text where there is none. */
static const char *in_space(struct module *module, const char *space, const char *text)
{
	return *space != '\0' ? in_namespace(module->draft, space, text) : text;
}

/* The value of a parameter: literal, or a path into its namespace; NULL: none that a flow can use.
 */
static const char *value_of(struct module *module, const json_t *entry)
{
	const json_t *value = json_object_get(entry, "value");
	const char *text = value != NULL ? flow_draft_scalar(module->draft, value) : NULL;

	return text != NULL ? in_space(module, legacy_text(entry, "namespace"), text) : NULL;
}

static void add(
	struct module *module, const char *place, const char *text, const char *resource_name)
{
	flow_draft_param(
		module->draft, module->action, &module->params, place, text, resource_name);
}

static bool is_ssml(const struct module *module, const json_t *entry)
{
	const char *key = legacy_text(entry, "key");

	if (*key == '\0')
		key = legacy_text(parameter(module, "TextToSpeechType"), "value");
	return strcasecmp(key, "ssml") == 0;
}

/* Text and AudioPrompt: a message, in the list of a loop prompt. */
static bool add_message(struct module *module, const json_t *entry, const char *name,
	const char *text, const char *resource_name)
{
	const char *kind = strcmp(name, "AudioPrompt") == 0 ? "PromptId"
			   : is_ssml(module, entry)         ? "SSML"
							    : "Text";
	char place[40];

	if (strcmp(name, "Text") != 0 && strcmp(name, "AudioPrompt") != 0)
		return false;
	if (module->action->type == FLOW_ACTION_MESSAGE_LOOP)
		snprintf(place, sizeof(place), "Messages[%u].%s", module->messages++, kind);
	else
		snprintf(place, sizeof(place), "%s", kind);
	add(module, place, text, resource_name);
	return true;
}

static void add_list(struct module *module, const char *list, const char *words)
{
	char place[80];
	bool both = strcasecmp(words, "Both") == 0;

	snprintf(place, sizeof(place), "%s[0]", list);
	add(module, place, both ? "Agent" : words, NULL);
	if (!both)
		return;
	snprintf(place, sizeof(place), "%s[1]", list);
	add(module, place, "Customer", NULL);
}

/* Parameters whose value changes, not only their place. True: done. */
static bool add_changed(
	struct module *module, const json_t *entry, const char *name, const char *text)
{
	char place[PLACE_MAX];
	bool flag;

	switch (module->action->type) {
	case FLOW_ACTION_COMPARE:
		if (strcmp(name, "Attribute") == 0)
			add(module, "ComparisonValue",
				in_namespace(module->draft,
					legacy_text(parameter(module, "Namespace"), "value"), text),
				NULL);
		return true;
	case FLOW_ACTION_SET_ATTRIBUTES:
	case FLOW_ACTION_LAMBDA:
		if (strcmp(name, "Attribute") != 0 && strcmp(name, "Parameter") != 0)
			return false;
		snprintf(place, sizeof(place), "%s.%s",
			*name == 'A' ? "Attributes" : "LambdaInvocationAttributes",
			legacy_text(entry, "key"));
		add(module, place, text, NULL);
		return true;
	case FLOW_ACTION_SET_HOOKS:
		if (strcmp(name, "ContactFlowId") != 0)
			return true;
		snprintf(place, sizeof(place), "EventHooks.%s",
			legacy_text(parameter(module, "Type"), "value"));
		add(module, place, text, json_string_value(json_object_get(entry, "resourceName")));
		return true;
	case FLOW_ACTION_CHECK_METRIC:
		if (strcmp(name, "Status") != 0)
			return false;
		snprintf(place, sizeof(place), "NumberOfAgents%.60s", text);
		add(module, "MetricType", place, NULL);
		return true;
	case FLOW_ACTION_TO_THIRD_PARTY:
		if (strcmp(name, "BlindTransfer") != 0)
			return false;
		flag = flow_text_to_flag(text, &flag) && flag;
		add(module, "ContinueFlowExecution", flag ? "False" : "True", NULL);
		return true;
	case FLOW_ACTION_SET_LOGGING:
		add(module, "FlowLoggingBehavior",
			strcasecmp(text, "Enable") == 0 ? "Enabled" : "Disabled", NULL);
		return true;
	case FLOW_ACTION_SET_RECORDING:
		if (strcmp(name, "RecordingParticipantOption") == 0 &&
			strcasecmp(
				legacy_text(parameter(module, "RecordingBehaviorOption"), "value"),
				"Disable") != 0)
			add_list(module, "RecordingBehavior.RecordedParticipants", text);
		return true;
	case FLOW_ACTION_SET_STREAMING:
		if (strcmp(name, "Track") == 0)
			add(module,
				strcasecmp(text, "FromCustomer") == 0
					? "Participants[0].MediaDirections[0]"
					: "Participants[0].MediaDirections[1]",
				strcasecmp(text, "FromCustomer") == 0 ? "From" : "To", NULL);
		return true;
	default:
		return false;
	}
}

static const char *place_of(const struct module *module, const char *name)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strcmp(places[i].name, name) == 0 &&
			(places[i].action == module->action->type ||
				places[i].action == FLOW_ACTION_COUNT))
			return places[i].place;
	}
	return name;
}

static bool is_flag(const struct module *module, const char *name, bool wanted)
{
	const json_t *value = json_object_get(parameter(module, name), "value");
	const char *text = value != NULL ? flow_draft_scalar(module->draft, value) : NULL;
	bool flag;

	return text != NULL && flow_text_to_flag(text, &flag) && flag == wanted;
}

/* MaxDigits counts for stored digits, not for menus and phone numbers; keys only when used. */
static bool is_pointless(const struct module *module, const char *name)
{
	if (strncmp(name, "EncryptionKey", 13) == 0)
		return is_flag(module, "EncryptEntry", false);
	return strcmp(name, "MaxDigits") == 0 &&
	       (strncmp(module->action->legacy_type, "Store", 5) != 0 ||
		       strcasecmp(legacy_text(parameter(module, "CustomerInputType"), "value"),
			       "PhoneNumber") == 0);
}

/* "ContactData" has its values in members of its own. */
static void add_contact_data(struct module *module, const json_t *entry)
{
	static const struct {
		const char *member, *place;
	} fields[] = {{"languageCode", "LanguageCode"}, {"customerId", "CustomerId"}};
	const json_t *reference = json_object_get(entry, "contactReference");
	const char *space = legacy_text(entry, "namespace");
	char place[PLACE_MAX];

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *text = legacy_text(entry, fields[i].member);

		if (*text != '\0')
			add(module, fields[i].place, in_space(module, space, text), NULL);
	}
	if (*legacy_text(reference, "key") == '\0')
		return;
	snprintf(place, sizeof(place), "References.%.200s.Value", legacy_text(reference, "key"));
	add(module, place, in_space(module, space, legacy_text(reference, "value")), NULL);
	snprintf(place, sizeof(place), "References.%.200s.Type", legacy_text(reference, "key"));
	add(module, place, legacy_text(reference, "type"), NULL);
}

static void read_parameter(struct module *module, const json_t *entry)
{
	const char *name = legacy_text(entry, "name");
	const char *resource_name = json_string_value(json_object_get(entry, "resourceName"));
	const char *text = value_of(module, entry);
	const char *place;

	if (strcmp(name, "ContactData") == 0)
		add_contact_data(module, entry);
	if (text == NULL || *name == '\0' || is_pointless(module, name))
		return;
	if (add_message(module, entry, name, text, resource_name) ||
		add_changed(module, entry, name, text))
		return;
	if (module->action->type == FLOW_ACTION_GET_INPUT && strcmp(name, "MaxDigits") == 0)
		place = "InputValidation.CustomValidation.MaximumLength";
	else
		place = place_of(module, name);
	if (*place != '\0')
		add(module, place, text, resource_name);
}

/* CheckQueueStatus says what it looks at only in its branches. */
static const char *metric_of_branches(const json_t *object)
{
	const json_t *branches = json_object_get(object, "branches");
	const json_t *branch;
	size_t index;

	json_array_foreach((json_t *)branches, index, branch)
	{
		if (strcmp(legacy_text(branch, "condition"), "CheckQueueTime") == 0)
			return LEGACY_QUEUE_AGE;
	}
	return "NumberOfContactsInQueue";
}

/* Input that was to be encrypted stays a secret when its key was left out. */
static void add_stored(struct module *module)
{
	add(module, "StoreInput", "True", NULL);
	if (is_flag(module, "EncryptEntry", true) && parameter(module, "EncryptionKey") == NULL)
		add(module, "InputEncryption.Key", "", NULL);
}

/* What the old module's type itself says. */
static void add_implied(struct module *module)
{
	const char *type = module->action->legacy_type;

	if (strncmp(type, "Store", 5) == 0)
		add_stored(module);
	else if (strcmp(type, "CheckQueueStatus") == 0)
		add(module, "MetricType", metric_of_branches(module->object), NULL);
	else if (strcmp(type, "StartMediaStreaming") == 0)
		add(module, "MediaStreamingState", "Enabled", NULL);
	else if (strcmp(type, "StopMediaStreaming") == 0)
		add(module, "MediaStreamingState", "Disabled", NULL);
}

static void read_parameters(
	struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	struct module module = {.draft = draft, .action = action, .object = object};
	const json_t *entry;
	size_t index;

	module.parameters = json_object_get(object, "parameters");
	if (module.parameters != NULL && !json_is_array(module.parameters))
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "parameters",
			"expected a list, found %s", flow_json_kind(module.parameters));
	add_implied(&module);
	json_array_foreach((json_t *)module.parameters, index, entry)
		read_parameter(&module, entry);
	flow_draft_finish_action(draft, action, &module.params);
}

/* ---- Flow ------------------------------------------------------------------------------------ */

static bool parse_module(
	const struct flow_draft *draft, const json_t *object, enum flow_action_type *type)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (strcmp(modules[i].type, legacy_text(object, "type")) != 0 ||
			(modules[i].target != NULL &&
				strcmp(modules[i].target, legacy_text(object, "target")) != 0))
			continue;
		*type = modules[i].action;
		if (*type == FLOW_ACTION_TO_QUEUE && draft->flow->type == FLOW_TYPE_CUSTOMER_QUEUE)
			*type = FLOW_ACTION_DEQUEUE_TO_QUEUE;
		return true;
	}
	return false;
}

static bool read_head(struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	char where[40];
	enum flow_action_type type;

	snprintf(where, sizeof(where), "modules[%u]", action->index);
	if (*legacy_text(object, "id") == '\0') {
		flow_draft_problem(draft, REPORT_ERROR, NULL, where,
			"expected an object with a member id that is a text, found %s",
			flow_json_kind(object));
		return false;
	}
	action->identifier = flow_arena_copy(draft->arena, legacy_text(object, "id"));
	action->legacy_type = flow_arena_copy(draft->arena, legacy_text(object, "type"));
	if (action->identifier == NULL || action->legacy_type == NULL)
		return false;
	if (!parse_module(draft, object, &type)) {
		flow_draft_problem(draft, REPORT_ERROR, action->identifier, "type",
			"expected a module type of the console; '%.60s' with target '%.60s' is "
			"none",
			legacy_text(object, "type"), legacy_text(object, "target"));
		return false;
	}
	action->type = (uint16_t)type;
	return true;
}

static void read_body(struct flow_draft *draft, struct flow_action *action, const json_t *object)
{
	read_parameters(draft, action, object);
	legacy_branches(draft, action, object);
}

static const struct flow_draft_format format = {"modules", read_head, read_body};

void flow_read_legacy(struct flow_draft *draft, const json_t *root)
{
	flow_draft_read_actions(draft, &format, json_object_get(root, "modules"));
	if (draft->identifiers != NULL)
		draft->flow->start =
			flow_draft_target(draft, NULL, "start", legacy_text(root, "start"));
}
