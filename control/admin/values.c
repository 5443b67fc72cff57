/* SPDX-License-Identifier: Apache-2.0 */
/* Small values as JSON, and pages of lists (admin_internal.h). */
#include "admin/admin_internal.h"
#include "base/jot.h"

struct admin *admin_of(const struct rpc_call *call)
{
	return call->rpc->ctx;
}

struct switchboard *board_of(const struct rpc_call *call)
{
	return admin_of(call)->config.board;
}

struct list list_begin(const struct rpc_call *call)
{
	return (struct list){.rows = json_array(),
		.offset = rpc_number(call, "offset", 0),
		.limit = rpc_number(call, "limit", LIST_LIMIT)};
}

bool list_wants(struct list *list)
{
	int64_t at = list->total++;

	return at >= list->offset && at - list->offset < list->limit;
}

void list_answer(struct rpc_call *call, struct list *list, const char *name)
{
	rpc_result(
		call, json_pack("{s:o, s:I}", name, list->rows, "total", (json_int_t)list->total));
}

json_t *json_wall(uint64_t wall_ns)
{
	char text[CLOCK_ISO_SIZE];

	if (!wall_ns)
		return json_null();
	clock_format(wall_ns, text);
	return json_string(text);
}

json_t *json_moment(const struct switchboard *board, uint64_t ns)
{
	return ns ? json_wall(clock_wall_at(&board->clock, ns)) : json_null();
}

json_t *json_seconds(uint64_t ns)
{
	return json_real((double)(ns / CLOCK_MS) / 1000);
}

json_t *json_queue(const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row;

	if (queue == ROUTER_NONE)
		return json_null();
	row = router_queue_row(board->router, queue);
	return row ? json_string(row->row.name)
		   : json_agent(board, router_queue_agent(board->router, queue));
}

json_t *json_agent(const struct switchboard *board, uint32_t agent)
{
	const struct resource_agent *row =
		agent == ROUTER_NONE ? NULL : router_agent_row(board->router, agent);

	return row ? json_string(row->row.name) : json_null();
}

/* Drops the jot. */
static json_t *read_jot(struct jot *j)
{
	json_t *object = j->failed || !j->n ? NULL : json_loadb(j->p, j->n, JSON_DECODE_ANY, NULL);

	jot_clear(j);
	return object;
}

json_t *agent_snapshot_json(const struct switchboard *board, const struct agent_snapshot *s)
{
	struct jot j = {0};

	agent_snapshot_write(&j, NULL, board, s);
	return read_jot(&j);
}

json_t *panel_json(const struct switchboard *board, uint32_t agent)
{
	struct jot j = {0};

	panel_write(&j, board, agent);
	return read_jot(&j);
}
