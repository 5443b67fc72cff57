/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin_internal.h"
#include "base/log.h"

static const struct verb_group *const groups[] = {&rpc_verbs, &verbs_system, &verbs_agent,
	&verbs_contact, &verbs_conference, &verbs_outbound, &verbs_queue, &verbs_record,
	&verbs_dataplane, &verbs_sip, &verbs_events, &verbs_flow, &verbs_quick_connect,
	&verbs_quality, &verbs_desktop};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static struct verb_group table[GROUPS];

static uint64_t now_of(void *ctx)
{
	const struct admin *admin = ctx;

	return loop_now(admin->config.loop);
}

/*
 * The state of things for a reader with a gap: agents who are logged in, then contacts. The cursor
 * counts agents, then, above their ceiling, slots of contacts.
 */
static bool next_agent(const struct switchboard *board, uint64_t *cursor, json_t **object)
{
	struct agent_snapshot s;

	while (*cursor < router_agent_count(board->router)) {
		uint32_t agent = (uint32_t)(*cursor)++;

		if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row || !s.logged_in)
			continue;
		*object = json_pack("{s:s, s:o}", "AgentARN", s.row->row.arn,
			"CurrentAgentSnapshot", agent_snapshot_json(board, &s));
		return *object != NULL;
	}
	return false;
}

static bool next_contact(const struct pool *pool, uint64_t *slot, json_t **object)
{
	while (*slot < pool->touched) {
		uint64_t at = (*slot)++;

		if (!(pool->generations[at] & 1)) /* free */
			continue;
		*object =
			contact_row((const struct contact *)(const void *)(pool->records +
									   at * pool->record_size));
		return *object != NULL;
	}
	return false;
}

static bool next_of_snapshot(void *ctx, uint64_t *cursor, const char **topic, json_t **object)
{
	const struct admin *admin = ctx;
	const uint64_t contacts = UINT64_C(1) << 32;
	uint64_t slot;
	bool more;

	*topic = "agent";
	if (*cursor < contacts && next_agent(admin->config.board, cursor, object))
		return true;
	slot = *cursor < contacts ? 0 : *cursor - contacts;
	*topic = "contact";
	more = next_contact(&admin->config.board->contacts, &slot, object);
	*cursor = contacts + slot;
	return more;
}

/* A call can be asked for by its contact also when both are over, by the chain's first id too. */
static void on_leg_called(void *ctx, const struct leg *leg, uint64_t session)
{
	const struct admin *admin = ctx;
	const struct contact_segment *s = &leg->contact->segment;
	struct str call_id =
		sip_session_call_id(signalling_sessions(admin->config.board->signalling), session);

	if (!admin->trace)
		return;
	trace_bind(admin->trace, s->id, call_id);
	if (strcmp(s->id, s->initial) != 0)
		trace_bind(admin->trace, s->initial, call_id);
}

static int read_roles(struct admin *admin)
{
	const struct option_list *rows = &admin->config.config->admin_roles;
	char why[ROLE_WHY_SIZE];

	admin->roles.own = geteuid();
	for (size_t i = 0; i < rows->n; i++) {
		int rc = role_add(&admin->roles, rows->items[i], why);

		if (rc == -ENOENT) /* gives less than was meant, never more */
			log_warning(NULL, "admin", "admin.roles: %s", why);
		else if (rc < 0) {
			log_error(NULL, "admin", "admin.roles: %s", why);
			return rc;
		}
	}
	return 0;
}

static int open_socket(struct admin *admin)
{
	const struct config *k = admin->config.config;
	struct server_config server = {.loop = admin->config.loop,
		.roles = &admin->roles,
		.rpc = &admin->rpc,
		.follower = &admin->follower};
	char path[ADDRESS_TEXT_SIZE];
	int rc;

	snprintf(path, sizeof(path), "unix:%s", k->admin_socket);
	rc = address_parse(str_from(path), -1, &server.socket);
	if (rc == 0)
		rc = server_open(&server, &admin->server);
	if (rc < 0)
		log_error(NULL, "admin", "admin.socket %s: %s", k->admin_socket, strerror(-rc));
	return rc;
}

static int open_page(struct admin *admin)
{
	const struct config *k = admin->config.config;
	char address[ADDRESS_TEXT_SIZE];
	int rc;

	if (!k->metrics_listen.length)
		return 0;
	rc = http_open(&(struct http_config){.loop = admin->config.loop,
			       .listen = k->metrics_listen,
			       .path = "/metrics",
			       .type = "text/plain; version=0.0.4; charset=utf-8",
			       .ctx = admin,
			       .write = metrics_write},
		&admin->http);
	if (rc < 0) {
		address_format(&k->metrics_listen, address);
		log_error(NULL, "admin", "admin.metrics %s: %s", address, strerror(-rc));
	}
	return rc;
}

int admin_open(const struct admin_config *config, struct admin **out)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	int rc;

	if (!admin)
		return -ENOMEM;
	admin->config = *config;
	for (size_t i = 0; i < GROUPS; i++)
		table[i] = *groups[i];
	rpc_init(&admin->rpc, table, GROUPS, admin, now_of);
	admin->rpc.message = desktop_handle;
	admin->follower = (struct follower_config){.events = config->board->events,
		.snapshot_ctx = admin,
		.snapshot = next_of_snapshot};
	admin->trace = trace_new(0);
	config->board->leg_called_ctx = admin;
	config->board->leg_called = on_leg_called;
	rc = admin->trace ? read_roles(admin) : -ENOMEM;
	if (rc == 0)
		rc = open_socket(admin);
	if (rc == 0)
		rc = open_page(admin);
	if (rc < 0) {
		admin_close(admin);
		return rc;
	}
	*out = admin;
	return 0;
}

void admin_close(struct admin *admin)
{
	if (!admin)
		return;
	admin->config.board->leg_called = NULL;
	http_close(admin->http);
	server_close(admin->server);
	trace_free(admin->trace);
	rpc_clear(&admin->rpc);
	free(admin);
}

void admin_trace(struct admin *admin, const struct sip_trace *trace)
{
	/* The clock of this pass: what goes out bears the time of the timers, which may lag. */
	trace_add(admin->trace, loop_now(admin->config.loop), trace->outgoing,
		sip_transport_name((enum sip_transport_kind)trace->hop->transport),
		&trace->hop->remote, trace->bytes);
}
