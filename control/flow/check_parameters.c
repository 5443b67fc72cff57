/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters that depend on each other. The tables of rules.h judge each alone, when the file is
 * read. And what a voice contact here cannot have: such actions load, and a note says what happens.
 */
#include <string.h>

#include "flow/attributes.h"
#include "flow/check.h"

#define TERMINATOR_MAX 5
#define TAGS_MAX       6

const char *check_fixed(const struct check *check, enum flow_param_id id)
{
	const struct flow_param *param = flow_action_param(check->action, id);

	return param != NULL && param->value.class == FLOW_VALUE_STATIC ? param->value.source
									: NULL;
}

bool check_is_true(const struct check *check, enum flow_param_id id)
{
	const char *text = check_fixed(check, id);
	bool flag;

	return text != NULL && flow_text_to_flag(text, &flag) && flag;
}

static bool has(const struct check *check, enum flow_param_id id)
{
	return flow_action_param(check->action, id) != NULL;
}

static size_t count(const struct check *check, enum flow_param_id id)
{
	size_t n = 0;

	for (uint16_t i = 0; i < check->action->param_count; i++)
		n += check->action->params[i].id == id;
	return n;
}

/* ---- What must be there, what excludes what ------------------------------------------ */

/* The service refuses the action without these; it runs here with a default. */
static const struct {
	enum flow_action_type action;
	enum flow_param_id id;
	const char *name;
} wanted[] = {
	{FLOW_ACTION_TO_THIRD_PARTY, FLOW_PARAM_CONNECT_S, "ThirdPartyConnectionTimeLimitSeconds"},
	{FLOW_ACTION_TO_THIRD_PARTY, FLOW_PARAM_RESUME, "ContinueFlowExecution"},
	{FLOW_ACTION_CREATE_CALLBACK, FLOW_PARAM_DELAY_S, "InitialCallDelaySeconds"},
	{FLOW_ACTION_CREATE_CALLBACK, FLOW_PARAM_ATTEMPTS, "MaximumConnectionAttempts"},
	{FLOW_ACTION_CREATE_CALLBACK, FLOW_PARAM_RETRY_S, "RetryDelaySeconds"},
	{FLOW_ACTION_LOOP, FLOW_PARAM_LOOP_COUNT, "LoopCount"},
	{FLOW_ACTION_SET_VOICE, FLOW_PARAM_VOICE, "TextToSpeechVoice"},
	{FLOW_ACTION_SET_STREAMING, FLOW_PARAM_STATE, "MediaStreamingState"},
	{FLOW_ACTION_SET_LOGGING, FLOW_PARAM_STATE, "FlowLoggingBehavior"},
	{FLOW_ACTION_SET_CRITERIA, FLOW_PARAM_CRITERIA, "RoutingCriteria"},
	{FLOW_ACTION_SET_CONTACT_DATA, FLOW_PARAM_CONTACT_DATA, "something to set"},
};

static void check_wanted(struct check *check)
{
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i].action == (enum flow_action_type)check->action->type &&
			!has(check, wanted[i].id))
			check_problem(
				check, REPORT_WARNING, "Parameters", "expected %s", wanted[i].name);
	}
}

static void expect_one_of(
	struct check *check, const enum flow_param_id *ids, size_t n, const char *names)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += count(check, ids[i]);
	if (found > 1)
		check_problem(check, REPORT_WARNING, "Parameters",
			"expected only one of %s, found %zu", names, found);
}

static void check_exclusive(struct check *check)
{
	static const enum flow_param_id prompts[] = {
		FLOW_PARAM_TEXT, FLOW_PARAM_SSML, FLOW_PARAM_PROMPT, FLOW_PARAM_MEDIA_URI};
	static const enum flow_param_id targets[] = {FLOW_PARAM_QUEUE, FLOW_PARAM_AGENT};
	static const enum flow_param_id routing[] = {FLOW_PARAM_PRIORITY, FLOW_PARAM_AGE_S};
	static const enum flow_param_id hooks[] = {FLOW_PARAM_HOOK};

	if (check->action->type != FLOW_ACTION_MESSAGE_LOOP)
		expect_one_of(check, prompts, 4, "Text, SSML, PromptId and Media");
	expect_one_of(check, targets, 2, "QueueId and AgentId");
	expect_one_of(check, routing, 2, "QueuePriority and QueueTimeAdjustmentSeconds");
	expect_one_of(check, hooks, 1, "the hooks");
}

/* ---- Single actions ------------------------------------------------------------------ */

static void check_terminator(struct check *check)
{
	const char *where = "Parameters.DTMFConfiguration.InputTerminationSequence";
	const char *text = check_fixed(check, FLOW_PARAM_TERMINATOR);
	size_t length = text != NULL ? strspn(text, "0123456789*#") : 0;

	if (text == NULL || *text == '\0')
		return;
	if (text[length] != '\0' || length > TERMINATOR_MAX)
		check_problem(check, REPORT_WARNING, where,
			"expected one to %d of the keys 0-9 * #, found '%.20s'; the key # ends the "
			"input",
			TERMINATOR_MAX, text);
	else if (strchr(text, '*') != NULL && !check_is_true(check, FLOW_PARAM_DISABLE_CANCEL))
		check_problem(check, REPORT_WARNING, where,
			"expected DisableCancelKey True beside a sequence that holds *");
}

static void check_input(struct check *check)
{
	bool encrypts =
		has(check, FLOW_PARAM_ENCRYPTION_KEY) || has(check, FLOW_PARAM_ENCRYPTION_KEY_ID);

	check_terminator(check);
	if (!encrypts)
		return;
	if (has(check, FLOW_PARAM_NUMBER_FORMAT))
		check_problem(check, REPORT_WARNING, "Parameters.InputEncryption",
			"expected CustomValidation: phone numbers are not encrypted");
	if (!has(check, FLOW_PARAM_ENCRYPTION_KEY) || !has(check, FLOW_PARAM_ENCRYPTION_KEY_ID))
		check_problem(check, REPORT_WARNING, "Parameters.InputEncryption",
			"expected both Key and EncryptionKeyId");
}

static void check_interrupt(struct check *check)
{
	bool interrupts = has(check, FLOW_PARAM_INTERRUPT_S);
	bool follows = check->action->condition_count > 0;

	if (interrupts && !follows)
		check_problem(check, REPORT_WARNING, "Transitions.Conditions",
			"expected a condition Equals MessagesInterrupted beside an interrupt");
	if (!interrupts && follows)
		check_problem(check, REPORT_WARNING, "Transitions.Conditions",
			"expected InterruptFrequencySeconds: without it nothing interrupts the "
			"messages");
}

/* Texts that are fixed already exceed what a contact can keep. */
static void check_size(struct check *check, enum flow_param_id id)
{
	size_t bytes = 0;

	for (uint16_t i = 0; i < check->action->param_count; i++) {
		const struct flow_param *param = &check->action->params[i];

		if (param->id == id && param->value.class == FLOW_VALUE_STATIC)
			bytes += strlen(param->value.source) + 2 +
				 (param->key.source != NULL ? strlen(param->key.source) : 0);
	}
	if (bytes > ATTRIBUTES_BYTES_MAX)
		check_problem(check, REPORT_WARNING, "Parameters",
			"expected at most %u bytes of attributes, found %zu; none of them will be "
			"set",
			ATTRIBUTES_BYTES_MAX, bytes);
}

/* A parameter that must be exactly one JSONPath. */
static void expect_path(struct check *check, enum flow_param_id id, const char *where)
{
	const struct flow_param *param = flow_action_param(check->action, id);

	if (param != NULL && param->value.class != FLOW_VALUE_PATH)
		check_problem(check, REPORT_WARNING, where, "expected one JSONPath, found '%.60s'",
			param->value.source);
}

static void check_single(struct check *check)
{
	switch (check->action->type) {
	case FLOW_ACTION_GET_INPUT:
		check_input(check);
		break;
	case FLOW_ACTION_MESSAGE_LOOP:
		check_interrupt(check);
		break;
	case FLOW_ACTION_SET_ATTRIBUTES:
		check_size(check, FLOW_PARAM_ATTRIBUTE);
		break;
	case FLOW_ACTION_SET_FLOW_ATTRIBUTES:
		check_size(check, FLOW_PARAM_FLOW_ATTRIBUTE);
		break;
	case FLOW_ACTION_COMPARE:
		expect_path(check, FLOW_PARAM_COMPARISON, "Parameters.ComparisonValue");
		break;
	case FLOW_ACTION_SET_CALLBACK_NUMBER:
		expect_path(check, FLOW_PARAM_CALLBACK_NUMBER, "Parameters.CallbackNumber");
		break;
	case FLOW_ACTION_TAG_CONTACT:
		if (count(check, FLOW_PARAM_TAG) > TAGS_MAX)
			check_problem(check, REPORT_WARNING, "Parameters.Tags",
				"expected at most %d tags, found %zu", TAGS_MAX,
				count(check, FLOW_PARAM_TAG));
		break;
	default:
		break;
	}
}

/* ---- What is not carried out --------------------------------------------------------- */

#define UNLESS "unless a service is configured for it"

static const char *const unsupported[FLOW_ACTION_COUNT] = {
	[FLOW_ACTION_LEX] = "there is no bot here, " UNLESS,
	[FLOW_ACTION_WAIT] = "a voice contact does not wait, unless routing.wait_pauses is on",
	[FLOW_ACTION_SET_MEDIA_PROCESSING] = "only messages of a chat are processed",
	[FLOW_ACTION_CHECK_OUTBOUND] = "nobody listens for an answering machine, " UNLESS,
	[FLOW_ACTION_START_VOICE_ID] = "voices are not identified, " UNLESS,
	[FLOW_ACTION_CHECK_VOICE_ID] = "voices are not identified, " UNLESS,
	[FLOW_ACTION_CREATE_TASK] = "there are no tasks here, " UNLESS,
	[FLOW_ACTION_CREATE_WISDOM] = "there is no assistant here, " UNLESS,
	[FLOW_ACTION_SHOW_VIEW] = "a voice contact has no page to show",
	[FLOW_ACTION_RESUME_CONTACT] = "only tasks are paused and resumed",
	[FLOW_ACTION_START_OUTBOUND_CHAT] = "there are no messages here",
	[FLOW_ACTION_CREATE_CASE] = "there are no cases here, " UNLESS,
	[FLOW_ACTION_GET_CASE] = "there are no cases here, " UNLESS,
	[FLOW_ACTION_UPDATE_CASE] = "there are no cases here, " UNLESS,
	[FLOW_ACTION_CREATE_PROFILE] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_GET_PROFILE] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_GET_PROFILE_OBJECT] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_UPDATE_PROFILE] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_ASSOCIATE_PROFILE] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_GET_PROFILE_ATTRIBUTES] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_CHECK_SEGMENT] = "there are no customer profiles here, " UNLESS,
	[FLOW_ACTION_EVALUATE_TABLE] = "there are no data tables here, " UNLESS,
	[FLOW_ACTION_LIST_TABLE] = "there are no data tables here, " UNLESS,
	[FLOW_ACTION_UPSERT_TABLE] = "there are no data tables here, " UNLESS,
	[FLOW_ACTION_ROUTE_TO_AGENT] = "contacts reach agents through queues only, " UNLESS,
	[FLOW_ACTION_AUTHENTICATE] = "only customers in a chat are authenticated",
	[FLOW_ACTION_LOAD_CONTENT] = "only mails have stored content",
	[FLOW_ACTION_ASSOCIATE_CONTACT] = "only chats are continued later",
};

/* A URI that the file fixes and that no media directory can stand for. */
static bool has_other_media(const struct check *check)
{
	const char *uri = check_fixed(check, FLOW_PARAM_MEDIA_URI);

	return uri != NULL && strncmp(uri, "s3://", 5) != 0;
}

static bool is_served(const struct check *check)
{
	const struct flow_resolver *resolver = check->resolver;

	return resolver != NULL && resolver->is_served != NULL &&
	       resolver->is_served(resolver->owner, (enum flow_action_type)check->action->type);
}

static void check_supported(struct check *check)
{
	const char *why = has_other_media(check)
				  ? "media is played by URI from s3://BUCKET/KEY only"
				  : unsupported[check->action->type];
	bool wired =
		flow_action_error(check->action, FLOW_ERROR_NO_MATCHING_ERROR) != FLOW_NO_ACTION;

	if (why == NULL || is_served(check))
		return;
	check_problem(check, REPORT_NOTE, "Type", "%s: %s; %s",
		flow_action_name((enum flow_action_type)check->action->type), why,
		wired                                   ? "NoMatchingError is taken"
		: check->action->next != FLOW_NO_ACTION ? "NextAction is taken"
							: "the flow ends");
}

void check_parameters(struct check *check)
{
	check_wanted(check);
	check_exclusive(check);
	check_single(check);
	check_supported(check);
}
