/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of queues: the wallboard. */
#include "admin/admin_internal.h"

#define SERVICE_LEVEL_S 20 /* when the caller names none */

static bool is_agents_own(const struct switchboard *board, uint32_t queue)
{
	return router_queue_agent(board->router, queue) != ROUTER_NONE;
}

static json_t *queue_row(const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(board->router, queue);
	const struct resource_agent *owner =
		row ? NULL
		    : router_agent_row(board->router, router_queue_agent(board->router, queue));
	struct metrics_queue m;

	if ((!row && !owner) ||
		router_queue_metrics(board->router, queue, board_now(board), &m) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:i, s:i}", "name",
		row ? row->row.name : owner->row.name, "id", row ? row->row.id : owner->row.id,
		"arn", row ? row->row.arn : owner->queue_arn, "type", row ? "STANDARD" : "AGENT",
		"contacts", (int)m.contacts, "limit", (int)m.limit, "oldest_s",
		json_seconds(m.oldest_age_ns), "available", (int)m.agents.count[METRICS_AVAILABLE],
		"staffed", (int)m.agents.count[METRICS_STAFFED]);
}

static void handle_list(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	bool agents_too = rpc_flag(call, "agents");
	struct list list = list_begin(call);

	for (uint32_t i = 0; i < router_queue_count(board->router); i++) {
		json_t *row;

		if (is_agents_own(board, i) && !agents_too)
			continue;
		row = queue_row(board, i);
		if (row && list_wants(&list))
			json_array_append(list.rows, row);
		json_decref(row);
	}
	list_answer(call, &list, "queues");
}

/* ---- figures ------------------------------------------------------------------------------- */

static json_t *agents_json(const struct metrics_agents *agents)
{
	json_t *object = json_object();

	for (int i = 0; i < METRICS_COUNT; i++)
		json_object_set_new(object, metrics_count_name((enum metrics_count)i),
			json_integer(agents->count[i]));
	return object;
}

static json_t *figures_json(const struct queue_figures *f)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:i}", "entered",
		(json_int_t)f->enqueued, "answered", (json_int_t)f->answered, "abandoned",
		(json_int_t)f->abandoned, "moved", (json_int_t)f->moved, "left_by_flow",
		(json_int_t)f->left_by_flow, "refused_full", (json_int_t)f->refused_full,
		"mean_answer_s", json_seconds(metrics_mean_answer_ns(f)), "mean_abandon_s",
		json_seconds(f->abandoned ? f->abandoned_wait_ns / f->abandoned : 0),
		"longest_wait_s", json_seconds(f->longest_wait_ns), "most_contacts",
		(int)f->most_members);
}

static json_t *metrics_row(const struct switchboard *board, uint32_t queue, uint32_t level_s)
{
	json_t *row = queue_row(board, queue);
	struct metrics_queue m;

	if (!row || router_queue_metrics(board->router, queue, board_now(board), &m) < 0) {
		json_decref(row);
		return NULL;
	}
	json_object_set_new(row, "callbacks", json_integer(m.callbacks));
	json_object_set_new(row, "being_offered", json_integer(m.held));
	json_object_set_new(row, "agents", agents_json(&m.agents));
	json_object_set_new(row, "figures", figures_json(&m.figures));
	json_object_set_new(row, "service_level",
		json_pack("{s:i, s:f}", "within_s", (int)level_s, "percent",
			metrics_service_level(&m.figures, level_s)));
	return row;
}

/* ROUTER_NONE: the call is refused. */
static uint32_t find_queue(struct rpc_call *call)
{
	const char *name = rpc_text(call, "queue");
	uint32_t queue = router_find_queue(board_of(call)->router, name, RESOURCE_BY_ANY);

	if (queue == ROUTER_NONE)
		rpc_refuse(call, RPC_NOT_FOUND, "no queue '%.100s'", name);
	return queue;
}

static void handle_metrics(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	uint32_t level_s = (uint32_t)rpc_number(call, "within", SERVICE_LEVEL_S);
	struct list list = list_begin(call);
	struct metrics_agents all;

	if (rpc_has(call, "queue")) {
		uint32_t queue = find_queue(call);

		if (queue == ROUTER_NONE) {
			json_decref(list.rows);
			return;
		}
		list.total = 1;
		json_array_append_new(list.rows, metrics_row(board, queue, level_s));
		list_answer(call, &list, "queues");
		return;
	}
	for (uint32_t i = 0; i < router_queue_count(board->router); i++) {
		if (is_agents_own(board, i) || !router_queue_row(board->router, i))
			continue;
		if (list_wants(&list))
			json_array_append_new(list.rows, metrics_row(board, i, level_s));
	}
	router_agent_metrics(board->router, &all);
	rpc_result(call, json_pack("{s:o, s:I, s:o}", "queues", list.rows, "total",
				 (json_int_t)list.total, "agents", agents_json(&all)));
}

/* ---- who waits ----------------------------------------------------------------------------- */

struct waiting {
	const struct switchboard *board;
	json_t *rows;
};

static void add_waiting(void *context, router_contact key, uint64_t enqueued_at_ns)
{
	struct waiting *w = context;
	const struct contact *contact = pool_get(&w->board->contacts, key);

	if (!contact)
		return;
	json_array_append_new(
		w->rows, json_pack("{s:i, s:s, s:o, s:o, s:o, s:s}", "position",
				 (int)json_array_size(w->rows) + 1, "contact", contact->segment.id,
				 "customer", json_text(contact->customer_number), "since",
				 json_moment(w->board, enqueued_at_ns), "waited_s",
				 json_seconds(board_now(w->board) - enqueued_at_ns), "state",
				 contact_state_name(contact->state)));
}

static void handle_contacts(struct rpc_call *call)
{
	struct waiting w = {.board = board_of(call)};
	uint32_t queue = find_queue(call);

	if (queue == ROUTER_NONE)
		return;
	w.rows = json_array();
	router_each_waiting(w.board->router, queue, (uint32_t)rpc_number(call, "limit", LIST_LIMIT),
		add_waiting, &w);
	rpc_result(call,
		json_pack("{s:o, s:o}", "queue", json_queue(w.board, queue), "contacts", w.rows));
}

#define PARAM_QUEUE(is_required)                                                                  \
	{                                                                                         \
		"queue", PARAM_TEXT, .required = is_required, .min = 1, .help = "name, id or ARN" \
	}

static const struct param list_params[] = {
	{"agents", PARAM_FLAG, .help = "agents' own queues too"}, PARAM_OFFSET, PARAM_LIMIT};
static const struct param metrics_params[] = {PARAM_QUEUE(false),
	{"within", PARAM_NUMBER, .min = 1, .max = 86400,
		.help = "seconds of the service level (20)"},
	PARAM_OFFSET, PARAM_LIMIT};
static const struct param contacts_params[] = {PARAM_QUEUE(true), PARAM_LIMIT};

static const struct verb verbs[] = {
	{"queue.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "queues with contacts waiting and agents free"},
	{"queue.metrics", ROLE_READER, VERB_PARAMS(metrics_params), .handle = handle_metrics,
		.help = "wallboard figures, of one queue or all"},
	{"queue.contacts", ROLE_READER, VERB_PARAMS(contacts_params), .handle = handle_contacts,
		.help = "contacts of a queue in the order in which they are served"},
};

const struct verb_group verbs_queue = {verbs, sizeof(verbs) / sizeof(verbs[0])};
