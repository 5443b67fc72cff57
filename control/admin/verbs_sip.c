/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of SIP: trunks and the trace of calls. */
#include "admin/admin_internal.h"

#define TRACE_CALLS_MAX 16u
#define TRACE_LINES_MAX 2000u /* messages of one answer */

static json_t *gateway_json(const struct switchboard *board, const struct trunk_gateway *g)
{
	char address[ADDRESS_TEXT_SIZE];

	address_format(&g->address, address);
	return json_pack("{s:s, s:s, s:s, s:o}", "address", address, "transport",
		sip_transport_name((enum sip_transport_kind)g->transport), "health",
		trunk_health_name((enum trunk_health)g->health), "since",
		json_moment(board, g->changed_ns));
}

static json_t *trunk_json(const struct switchboard *board, const struct trunk *t)
{
	json_t *gateways = json_array();

	for (unsigned i = 0; i < t->gateway_count; i++)
		json_array_append_new(gateways, gateway_json(board, &t->gateways[i]));
	return json_pack("{s:s, s:b, s:i, s:i, s:I, s:I, s:I, s:I, s:o}", "name", t->name, "usable",
		trunk_is_usable(t), "calls", (int)t->calls, "channels", (int)t->channels,
		"taken_in", (json_int_t)t->taken[TRUNK_IN], "taken_out",
		(json_int_t)t->taken[TRUNK_OUT], "refused_channels",
		(json_int_t)t->refused_channels, "refused_rate", (json_int_t)t->refused_rate,
		"gateways", gateways);
}

static void handle_trunks(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const struct trunk_set *set = board->instance->trunks;
	json_t *rows = json_array();

	for (unsigned i = 0; i < set->count; i++)
		json_array_append_new(rows, trunk_json(board, &set->trunks[i]));
	rpc_result(call, json_pack("{s:o}", "trunks", rows));
}

/* ---- trace --------------------------------------------------------------------------------- */

struct traced {
	const struct switchboard *board;
	json_t *rows;
};

static bool add_message(void *ctx, const struct trace_message *m)
{
	struct traced *t = ctx;

	json_array_append_new(
		t->rows, json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:o}", "number",
				 (json_int_t)m->now_ns, "time", json_moment(t->board, m->now_ns),
				 "direction", m->outgoing ? "out" : "in", "transport", m->transport,
				 "peer", m->peer, "call_id", json_bytes(m->call_id.p, m->call_id.n),
				 "message", json_bytes(m->bytes.p, m->bytes.n)));
	return json_array_size(t->rows) < TRACE_LINES_MAX;
}

/* Once, though a live leg is noted as well. */
static unsigned add_call(struct str call_ids[], unsigned n, struct str call_id)
{
	for (unsigned i = 0; i < n; i++)
		if (str_equal(call_ids[i], call_id))
			return n;
	if (n < TRACE_CALLS_MAX && !str_empty(call_id))
		call_ids[n++] = call_id;
	return n;
}

/* The calls of a contact: those that were noted, and those of its legs now (a move gives the
 * contact another id, and its legs stay). */
static unsigned calls_of(struct admin *admin, const char *id, struct str call_ids[])
{
	struct sip_sessions *sessions = signalling_sessions(admin->config.board->signalling);
	const struct contact *contact = board_find_contact(admin->config.board, id);
	unsigned n = trace_calls_of(admin->trace, id, call_ids, TRACE_CALLS_MAX);

	if (contact && contact->caller)
		n = add_call(call_ids, n, sip_session_call_id(sessions, contact->caller->session));
	if (contact && contact->agent)
		n = add_call(call_ids, n, sip_session_call_id(sessions, contact->agent->session));
	return n;
}

static int by_number(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "number"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "number"));

	return (x > y) - (x < y);
}

/* The messages of several calls side by side, as they came and went. */
static json_t *in_order(json_t *rows)
{
	size_t n = json_array_size(rows);
	json_t **list = calloc(n + 1, sizeof(json_t *));
	json_t *sorted = json_array();

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_array_get(rows, i);
	if (list && n)
		qsort(list, n, sizeof(json_t *), by_number);
	for (size_t i = 0; list && i < n; i++)
		json_array_append(sorted, list[i]);
	free(list);
	json_decref(rows);
	return sorted;
}

static void handle_trace(struct rpc_call *call)
{
	struct admin *admin = admin_of(call);
	struct str call_ids[TRACE_CALLS_MAX];
	struct traced traced = {.board = admin->config.board};
	unsigned n = 1;

	if (rpc_has(call, "contact") == rpc_has(call, "call_id")) {
		rpc_refuse_param(call, "contact", "expected either contact or call_id");
		return;
	}
	if (rpc_has(call, "contact"))
		n = calls_of(admin, rpc_text(call, "contact"), call_ids);
	else
		call_ids[0] = str_from(rpc_text(call, "call_id"));
	traced.rows = json_array();
	for (unsigned i = 0; i < n; i++)
		trace_each(admin->trace, call_ids[i], add_message, &traced);
	if (json_array_size(traced.rows) == 0) {
		json_decref(traced.rows);
		rpc_refuse(call, RPC_NOT_FOUND, "no messages of it are kept");
		return;
	}
	rpc_result(call, json_pack("{s:o}", "messages", in_order(traced.rows)));
}

static const struct param trace_params[] = {PARAM_CONTACT_OF(false),
	{"call_id", PARAM_TEXT, .min = 1, .max = 255, .help = "a SIP Call-ID"}};

static const struct verb verbs[] = {
	{"trunk.list", ROLE_READER, .handle = handle_trunks,
		.help = "trunks: calls, channels, health of the gateways"},
	{"call.trace", ROLE_OPERATOR, VERB_PARAMS(trace_params), .handle = handle_trace,
		.help = "the SIP messages of a contact or of one call"},
};

const struct verb_group verbs_sip = {verbs, sizeof(verbs) / sizeof(verbs[0])};
