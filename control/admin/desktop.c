/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/desktop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin/admin_internal.h"
#include "base/log.h"

#define CHANNEL  "Amazon"
#define TOPIC    "InboundCall"
#define SUBTOPIC "BlindTransfer"

/* ---- read ---- */

static int refuse(int error, const char *member, const char *expected, const json_t *found,
	char why[ENDPOINT_WHY_SIZE])
{
	const char *text = json_string_value(found);

	if (text)
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected %s, found '%.64s'", member, expected,
			text);
	else
		snprintf(why, ENDPOINT_WHY_SIZE, "%s: expected %s%s", member, expected,
			found ? "" : "; it is missing");
	return error;
}

/* The page spells it in two ways (R113). */
static bool is_blind_transfer(const json_t *object)
{
	const char *subtopic = json_string_value(json_object_get(object, "subtopic"));

	return subtopic && strcasecmp(subtopic, SUBTOPIC) == 0;
}

static bool is_text(const json_t *value, const char *text)
{
	return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static int read_data(
	const json_t *data, struct desktop_message *message, char why[ENDPOINT_WHY_SIZE])
{
	char member[ENDPOINT_WHY_SIZE];

	message->number = json_string_value(data);
	if (message->number)
		return 0;
	if (!json_is_object(data))
		return refuse(-EINVAL, "data",
			"a phone number as text, or the object of a quick connect", data, why);
	if (endpoint_read(data, &message->endpoint, member) == 0)
		return 0;
	snprintf(why, ENDPOINT_WHY_SIZE, "data: %.*s", ENDPOINT_WHY_SIZE - 8, member);
	return -EINVAL;
}

int desktop_read(const json_t *object, struct desktop_message *out, char why[ENDPOINT_WHY_SIZE])
{
	const json_t *channel = json_object_get(object, "channel");
	const json_t *topic = json_object_get(object, "topic");
	const json_t *source = json_object_get(object, "source");
	struct desktop_message message = {.source = json_string_value(source)};
	int error = is_blind_transfer(object) ? -EINVAL : -ENOMSG;
	int rc;

	if (!is_text(channel, CHANNEL))
		return refuse(error, "channel", CHANNEL, channel, why);
	if (!is_text(topic, TOPIC))
		return refuse(error, "topic", TOPIC, topic, why);
	if (error == -ENOMSG)
		return refuse(
			error, "subtopic", SUBTOPIC, json_object_get(object, "subtopic"), why);
	if (!message.source || !message.source[0])
		return refuse(error, "source", "the application's name, a text that is not empty",
			source, why);
	rc = read_data(json_object_get(object, "data"), &message, why);
	if (rc == 0)
		*out = message;
	return rc;
}

/* ---- written ---- */

static json_t *echo(const json_t *object, const char *member)
{
	json_t *value = json_object_get(object, member);

	return json_is_string(value) ? json_incref(value) : json_null();
}

static json_t *head(const json_t *object)
{
	return json_pack("{s:o, s:o, s:o}", "channel", echo(object, "channel"), "topic",
		echo(object, "topic"), "subtopic",
		is_blind_transfer(object) ? json_string(SUBTOPIC) : echo(object, "subtopic"));
}

json_t *desktop_success(const json_t *object, const char *contact, const char *agent_state)
{
	json_t *answer = head(object);

	json_object_set_new(answer, "message",
		json_pack("{s:s, s:s}", "contactId", contact, "agentState", agent_state));
	return answer;
}

json_t *desktop_failure(const json_t *object, int error, const char *why)
{
	bool known = error != -ENOMSG;
	json_t *answer = head(object);

	json_object_set_new(answer, "errorType",
		json_string(known ? "BLIND_TRANSFER_FAILED" : "UNKNOWN_MESSAGE"));
	json_object_set_new(answer, "msg", json_text(why));
	json_object_set_new(answer, "errorMessage",
		json_string(known ? "Blind transfer failed." : "Unknown message."));
	return answer;
}

/* ---- carried out ---- */

/* A blind transfer on its way: the state of its call. */
struct transfer {
	uint32_t agent;
	char contact[RANDOM_UUID_SIZE]; /* the agent's; "": none */
};

static void fail(struct rpc_call *call, int error, const char *why)
{
	free(call->state);
	call->rpc->errors++;
	rpc_answer(call, desktop_failure(call->params, error, why));
}

static void on_done(void *ctx, int error, const char *why)
{
	struct rpc_call *call = ctx;
	const struct transfer *transfer = call->state;
	struct agent_snapshot s = {0};
	json_t *answer;

	if (error) {
		fail(call, error, why);
		return;
	}
	router_agent_snapshot(board_of(call)->router, transfer->agent, &s);
	answer = desktop_success(call->params, transfer->contact, agent_state_name(s.state));
	free(call->state);
	rpc_answer(call, answer);
}

static struct transfer *transfer_of(const struct switchboard *board, const char *agent)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	const struct contact *contact;
	struct agent_snapshot s;

	if (!transfer)
		return NULL;
	transfer->agent = router_find_agent(board->router, agent, RESOURCE_BY_ID);
	if (transfer->agent == ROUTER_NONE ||
		router_agent_snapshot(board->router, transfer->agent, &s) < 0)
		return transfer;
	contact = pool_get(&board->contacts, s.contact.contact);
	if (contact)
		memcpy(transfer->contact, contact->segment.id, sizeof(transfer->contact));
	return transfer;
}

/* Where to; false: `why` says why not. */
static bool find_target(const struct switchboard *board, const struct desktop_message *message,
	struct desk_target *target, char why[ENDPOINT_WHY_SIZE])
{
	const struct resource_quick_connect *quick_connect;

	target->number = message->number;
	if (message->number)
		return true;
	quick_connect = endpoint_find(board->instance->resources, &message->endpoint, why);
	target->quick_connect = quick_connect ? quick_connect->row.arn : NULL;
	return quick_connect;
}

static void start(struct rpc_call *call, const struct desktop_message *message)
{
	struct switchboard *board = board_of(call);
	const char *agent = call->peer->agent;
	struct desk_target target = {0};
	char why[ENDPOINT_WHY_SIZE] = "";
	int rc;

	if (!find_target(board, message, &target, why)) {
		fail(call, -EINVAL, why);
		return;
	}
	call->state = transfer_of(board, agent);
	if (!call->state) {
		fail(call, -ENOMEM, "no memory");
		return;
	}
	log_info(NULL, "admin", "uid %u: blind transfer by %.64s", (unsigned)call->peer->uid,
		message->source);
	rc = desk_transfer_blind(board, agent, &target, on_done, call, why);
	if (rc < 0)
		fail(call, rc, why);
}

void desktop_handle(struct rpc_call *call)
{
	struct desktop_message message;
	char why[ENDPOINT_WHY_SIZE] = "";
	int rc = desktop_read(call->params, &message, why);

	if (rc < 0)
		fail(call, rc, why);
	else if (!call->peer->agent)
		fail(call, -ENOTCONN,
			"the connection is bound to no agent: call desktop.register first");
	else if (call->peer->n_calls > RPC_CALLS_MAX)
		fail(call, -EBUSY, "too many calls not answered yet");
	else
		start(call, &message);
}

/* ---- the binding ---- */

static void handle_register(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const char *name = rpc_text(call, "agent");
	uint32_t agent = router_find_agent(board->router, name, RESOURCE_BY_ANY);
	const struct resource_agent *row =
		agent == ROUTER_NONE ? NULL : router_agent_row(board->router, agent);
	char **bound = call->peer ? &call->peer->agent : NULL;

	if (!row) {
		rpc_refuse(call, RPC_NOT_FOUND, "no user '%.100s'", name);
		return;
	}
	if (bound && *bound && strcmp(*bound, row->row.id) != 0) {
		rpc_refuse(call, RPC_REFUSED,
			"the connection is bound to another agent: open one for each");
		return;
	}
	if (bound && !*bound)
		*bound = strdup(row->row.id);
	if (bound && !*bound) {
		rpc_refuse(call, RPC_INTERNAL, "no memory");
		return;
	}
	log_info(NULL, "admin", "the desktop '%.64s' acts for %s", rpc_text(call, "application"),
		row->row.name);
	rpc_result(call, json_pack("{s:s, s:s}", "agent", row->row.name, "application",
				 rpc_text(call, "application")));
}

static const struct param register_params[] = {
	PARAM_AGENT, {"application", PARAM_TEXT, .required = true, .min = 1, .max = 64,
			     .help = "the name of what connects"}};

static const struct verb verbs[] = {
	{"desktop.register", ROLE_DESKTOP, VERB_PARAMS(register_params), .handle = handle_register,
		.help = "messages of this connection (with channel and topic) act for the agent"},
};

const struct verb_group verbs_desktop = {verbs, sizeof(verbs) / sizeof(verbs[0])};
