/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that programs start. */
#include "admin/admin_internal.h"

/* The parameters of StartOutboundVoiceContact (R60). */
#define DESTINATION "DestinationPhoneNumber"
#define FLOW        "ContactFlowId"
#define QUEUE       "QueueId"
#define SOURCE      "SourcePhoneNumber"
#define TOKEN       "ClientToken"
#define ATTRIBUTES  "Attributes"

static int take_attributes(const struct rpc_call *call, struct attributes *attributes)
{
	const json_t *object = rpc_value(call, ATTRIBUTES);
	const char *name;
	json_t *text;
	int rc = 0;

	json_object_foreach((json_t *)object, name, text)
	{
		if (rc == 0)
			rc = attributes_set(attributes, name, json_string_value(text));
	}
	return rc;
}

static void refuse_outbound(
	struct rpc_call *call, int error, const struct api_call_refusal *refusal)
{
	static const char *const params[] = {[API_CALL_DESTINATION] = DESTINATION,
		[API_CALL_FLOW] = FLOW,
		[API_CALL_QUEUE] = QUEUE,
		[API_CALL_SOURCE] = SOURCE};

	if (refusal->field == API_CALL_NONE)
		rpc_finish(call, error, refusal->why, NULL);
	else
		rpc_refuse_param(call, params[refusal->field], "%s", refusal->why);
}

static void handle_start_outbound(struct rpc_call *call)
{
	struct attributes attributes = {0};
	const struct api_call request = {.destination = rpc_text(call, DESTINATION),
		.flow = rpc_text(call, FLOW),
		.queue = rpc_text(call, QUEUE),
		.source = rpc_text(call, SOURCE),
		.token = rpc_text(call, TOKEN),
		.attributes = &attributes};
	struct api_call_refusal refusal;
	char id[RANDOM_UUID_SIZE];
	int rc = take_attributes(call, &attributes);

	if (rc < 0) {
		rpc_refuse(call, RPC_INTERNAL, "no memory for the attributes");
	} else {
		rc = api_call_start(board_of(call), &request, id, &refusal);
		if (rc < 0)
			refuse_outbound(call, rc, &refusal);
		else
			rpc_result(call, json_pack("{s:s}", "ContactId", id));
	}
	attributes_clear(&attributes);
}

static const struct param start_outbound_params[] = {
	{DESTINATION, PARAM_TEXT, .required = true, .min = 1, .max = 32,
		.help = "whom to call, E.164"},
	{FLOW, PARAM_TEXT, .required = true, .min = 1, .max = 500,
		.help = "inbound flow to begin with after the answer: id, ARN or name"},
	{QUEUE, PARAM_TEXT, .min = 1, .max = 500,
		.help = "queue of the contact, and whose caller id: id, ARN or name"},
	{SOURCE, PARAM_TEXT, .min = 1, .max = 32,
		.help = "caller id, one of the instance's numbers"},
	{TOKEN, PARAM_TEXT, .min = 1, .max = 500, .help = "the same token starts one contact"},
	{ATTRIBUTES, PARAM_MAP, .max = ATTRIBUTES_BYTES_MAX, .help = "contact attributes"}};

static const struct verb verbs[] = {
	{"contact.start_outbound", ROLE_SUPERVISOR, .changes = true,
		VERB_PARAMS(start_outbound_params), .handle = handle_start_outbound,
		.help = "calls a number and runs a flow when it has answered"},
};

const struct verb_group verbs_outbound = {verbs, sizeof(verbs) / sizeof(verbs[0])};
