/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of agents, their statuses, users and phones. */
#include <string.h>

#include "admin/admin_internal.h"

static json_t *contact_of(const struct switchboard *board, const struct agent_snapshot *s)
{
	struct contact *contact = pool_get(&board->contacts, s->contact.contact);
	const struct contact_segment *segment;

	if (s->contact.state == AGENT_SLOT_EMPTY)
		return json_null();
	segment = contact ? contact_wrapped_by(contact, s->agent) : NULL;
	if (contact && !segment)
		segment = &contact->segment;
	return json_pack("{s:o, s:s, s:o, s:o, s:o}", "id", json_text(segment ? segment->id : NULL),
		"state", agent_slot_name(s->contact.state), "since",
		json_moment(board, s->contact.state_since_ns), "queue",
		json_queue(board, s->contact.queue), "customer",
		json_text(contact ? contact->customer_number : NULL));
}

static json_t *proficiencies_of(const struct resource_agent *row)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < row->proficiency_count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:i}", "attribute", row->proficiencies[i].attribute,
				"value", row->proficiencies[i].value, "level",
				(int)row->proficiencies[i].level));
	return list;
}

static json_t *row_of(const struct switchboard *board, const struct agent_snapshot *s)
{
	const struct resource_agent *r = s->row;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:s, s:b, s:o, s:s, s:b, s:o, s:s, s:o}",
		"name", r->row.name, "id", r->row.id, "first_name", r->first_name, "last_name",
		r->last_name, "logged_in", s->logged_in, "status",
		json_text(s->status ? s->status->row.name : NULL), "status_since",
		json_moment(board, s->status_since_ns), "next_status",
		json_text(s->next ? s->next->row.name : NULL), "state", agent_state_name(s->state),
		"routable", s->bar == AGENT_ROUTABLE, "not_routable_because",
		s->bar == AGENT_ROUTABLE ? json_null() : json_text(agent_bar_text(s->bar)), "phone",
		r->phone_kind == RESOURCE_PHONE_RING ? "ring" : "panel", "phone_ready",
		s->phone_ready, "contact", contact_of(board, s), "routing_profile",
		r->routing_profile->row.name, "proficiencies", proficiencies_of(r));
}

json_t *agent_row(const struct switchboard *board, uint32_t agent)
{
	struct agent_snapshot s;

	if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row)
		return NULL;
	return row_of(board, &s);
}

static void handle_list(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	struct list list = list_begin(call);
	bool in_only = rpc_flag(call, "logged_in");
	struct agent_snapshot s;

	for (uint32_t i = 0; i < router_agent_count(board->router); i++) {
		if (router_agent_snapshot(board->router, i, &s) < 0 || !s.row)
			continue;
		if ((!in_only || s.logged_in) && list_wants(&list))
			json_array_append_new(list.rows, row_of(board, &s));
	}
	list_answer(call, &list, "agents");
}

/* The agent's number, or ROUTER_NONE and the call is refused. */
static uint32_t find_agent(struct rpc_call *call)
{
	const char *name = rpc_text(call, "agent");
	uint32_t agent = router_find_agent(board_of(call)->router, name, RESOURCE_BY_ANY);

	if (agent == ROUTER_NONE || !router_agent_row(board_of(call)->router, agent)) {
		rpc_refuse(call, RPC_NOT_FOUND, "no user '%.100s'", name);
		return ROUTER_NONE;
	}
	return agent;
}

static void handle_get(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	uint32_t agent = find_agent(call);
	struct agent_snapshot s;
	json_t *row;

	if (agent == ROUTER_NONE)
		return;
	row = agent_row(board, agent);
	if (row && router_agent_snapshot(board->router, agent, &s) == 0)
		json_object_set_new(row, "snapshot", agent_snapshot_json(board, &s));
	rpc_result(call, row);
}

/* A verb of the desk is answered with the agent's resulting state. */
static void answer(struct rpc_call *call, int rc, const char *why)
{
	const struct switchboard *board = board_of(call);
	uint32_t agent = router_find_agent(board->router, rpc_text(call, "agent"), RESOURCE_BY_ANY);

	rpc_finish(call, rc, why, rc < 0 ? NULL : agent_row(board, agent));
}

static void handle_login(struct rpc_call *call)
{
	char why[DESK_WHY_SIZE] = "";

	answer(call,
		desk_login(board_of(call), rpc_text(call, "agent"), rpc_text(call, "status"), why),
		why);
}

static void handle_logout(struct rpc_call *call)
{
	char why[DESK_WHY_SIZE] = "";

	answer(call, desk_logout(board_of(call), rpc_text(call, "agent"), why), why);
}

static void handle_status(struct rpc_call *call)
{
	char why[DESK_WHY_SIZE] = "";

	answer(call,
		desk_status(board_of(call), rpc_text(call, "agent"), rpc_text(call, "status"), why),
		why);
}

static void handle_clear(struct rpc_call *call)
{
	char why[DESK_WHY_SIZE] = "";

	answer(call, desk_clear(board_of(call), rpc_text(call, "agent"), why), why);
}

static void handle_statuses(struct rpc_call *call)
{
	static const char *const types[] = {"ROUTABLE", "CUSTOM", "OFFLINE"};
	const struct resources *r = board_of(call)->instance->resources;
	json_t *rows = json_array();

	for (uint32_t i = 0; i < resources_count(r, RESOURCE_STATUS); i++) {
		const struct resource_status *row =
			(const struct resource_status *)resources_row(r, RESOURCE_STATUS, i);

		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", row->row.name, "id",
				      row->row.id, "arn", row->row.arn, "type", types[row->type],
				      "description", row->row.description));
	}
	rpc_result(call, json_pack("{s:o}", "statuses", rows));
}

/* R96: the documented shape. */
static void handle_users(struct rpc_call *call)
{
	const struct resources *r = board_of(call)->instance->resources;
	struct list list = list_begin(call);

	for (uint32_t i = 0; i < resources_count(r, RESOURCE_AGENT); i++) {
		const struct resource *row = resources_row(r, RESOURCE_AGENT, i);

		if (list_wants(&list))
			json_array_append_new(
				list.rows, json_pack("{s:s, s:s, s:s}", "Id", row->id, "Arn",
						   row->arn, "Username", row->name));
	}
	list_answer(call, &list, "UserSummaryList");
}

static void handle_phones(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	struct list list = list_begin(call);
	struct agent_snapshot s;

	for (uint32_t i = 0; i < router_agent_count(board->router); i++) {
		bool fixed;

		if (router_agent_snapshot(board->router, i, &s) < 0 || !s.row || !list_wants(&list))
			continue;
		fixed = s.row->phone_uri[0];
		json_array_append_new(list.rows,
			json_pack("{s:s, s:s, s:s, s:o, s:b}", "agent", s.row->row.name, "kind",
				s.row->phone_kind == RESOURCE_PHONE_RING ? "ring" : "panel",
				"address", fixed ? "static" : "registers", "user",
				json_text(fixed ? s.row->phone_uri : s.row->phone_register),
				"ready", s.phone_ready));
	}
	list_answer(call, &list, "phones");
}

static const struct param page[] = {PARAM_OFFSET, PARAM_LIMIT};
static const struct param list_params[] = {
	{"logged_in", PARAM_FLAG, .help = "only those who are"}, PARAM_OFFSET, PARAM_LIMIT};
static const struct param agent_params[] = {PARAM_AGENT};
static const struct param login_params[] = {PARAM_AGENT,
	{"status", PARAM_TEXT, .min = 1, .help = "name of the first status (Offline)"}};
static const struct param status_params[] = {PARAM_AGENT,
	{"status", PARAM_TEXT, .required = true, .min = 1, .help = "name, id or ARN of a status"}};

static const struct verb verbs[] = {
	{"agent.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "agents: status, state, phone, contact, and why one is not routable"},
	{"agent.get", ROLE_READER, VERB_PARAMS(agent_params), .handle = handle_get,
		.help = "one agent, with the snapshot of the agent event stream"},
	{"agent.login", ROLE_DESKTOP, .changes = true, VERB_PARAMS(login_params),
		.handle = handle_login, .help = "the agent is logged in, in this status"},
	{"agent.logout", ROLE_DESKTOP, .changes = true, VERB_PARAMS(agent_params),
		.handle = handle_logout, .help = "the agent is logged out"},
	{"agent.set_status", ROLE_DESKTOP, .changes = true, VERB_PARAMS(status_params),
		.handle = handle_status, .help = "the status, at once or after the contact"},
	{"agent.clear", ROLE_DESKTOP, .changes = true, VERB_PARAMS(agent_params),
		.handle = handle_clear,
		.help = "ends after-contact work; clears a missed or failed contact"},
	{"status.list", ROLE_READER, .handle = handle_statuses, .help = "agent statuses"},
	{"user.list", ROLE_READER, VERB_PARAMS(page), .handle = handle_users,
		.help = "users with the ids that flows take"},
	{"phone.list", ROLE_READER, VERB_PARAMS(page), .handle = handle_phones,
		.help = "agents' phones and whether they can be called"},
};

const struct verb_group verbs_agent = {verbs, sizeof(verbs) / sizeof(verbs[0])};
