/* SPDX-License-Identifier: Apache-2.0 */
/* Desktops: the verb that binds a connection to an agent, and the messages (desktop.h) that act for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_internal.h"
#include "admin/desktop.h"
#include "base/log.h"

/* ---- a message ---- */

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
