/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of quick connects: what there is, what an agent sees, and changes, which are kept in the
 * instance's directory and put in force by a reload. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_internal.h"
#include "admin/endpoint.h"
#include "admin/quick_connect_json.h"
#include "base/log.h"
#include "contact/reload.h"

static const struct resources *resources_of(const struct rpc_call *call)
{
	return board_of(call)->instance->resources;
}

/* NULL: the call is refused. */
static const struct resource_quick_connect *find(struct rpc_call *call, const char *name)
{
	const struct resource_quick_connect *row =
		resources_quick_connect(resources_of(call), name, RESOURCE_BY_ANY);

	if (!row)
		rpc_refuse(call, RPC_NOT_FOUND, "no quick connect '%.100s'", name);
	return row;
}

static const struct resource_queue *find_queue(struct rpc_call *call)
{
	const char *name = rpc_text(call, "queue");
	const struct resource_queue *row =
		resources_queue(resources_of(call), name, RESOURCE_BY_ANY);

	if (!row)
		rpc_refuse(call, RPC_NOT_FOUND, "no queue '%.100s'", name);
	return row;
}

/* ---- what there is ------------------------------------------------------------------------- */

static const char *flow_id(const struct switchboard *board, const char *reference)
{
	const struct flow_entry *entry =
		reference ? flow_catalog_entry(&board->instance->flows, reference) : NULL;

	return entry ? flow_entry_flow(entry)->id : reference;
}

static json_t *row_of(
	const struct switchboard *board, const struct resource_quick_connect *quick_connect)
{
	return quick_connect_json(quick_connect, flow_id(board, quick_connect->flow));
}

static void list_queue(struct rpc_call *call, struct list *list)
{
	const struct resource_queue *queue = find_queue(call);

	if (!queue) {
		json_decref(list->rows);
		return;
	}
	for (uint32_t i = 0; i < queue->quick_connect_count; i++)
		if (list_wants(list))
			json_array_append_new(
				list->rows, row_of(board_of(call), queue->quick_connects[i]));
	list_answer(call, list, "quick_connects");
}

static void handle_list(struct rpc_call *call)
{
	const struct resources *resources = resources_of(call);
	struct list list = list_begin(call);

	if (rpc_has(call, "queue")) {
		list_queue(call, &list);
		return;
	}
	for (uint32_t i = 0; i < resources_count(resources, RESOURCE_QUICK_CONNECT); i++)
		if (list_wants(&list))
			json_array_append_new(list.rows,
				row_of(board_of(call),
					(const struct resource_quick_connect *)resources_row(
						resources, RESOURCE_QUICK_CONNECT, i)));
	list_answer(call, &list, "quick_connects");
}

static bool is_attached(
	const struct resource_queue *queue, const struct resource_quick_connect *quick_connect)
{
	for (uint32_t i = 0; i < queue->quick_connect_count; i++)
		if (queue->quick_connects[i] == quick_connect)
			return true;
	return false;
}

static json_t *queues_of(
	const struct resources *resources, const struct resource_quick_connect *quick_connect)
{
	json_t *names = json_array();

	for (uint32_t i = 0; i < resources_count(resources, RESOURCE_QUEUE); i++) {
		const struct resource_queue *queue =
			(const struct resource_queue *)resources_row(resources, RESOURCE_QUEUE, i);

		if (is_attached(queue, quick_connect))
			json_array_append_new(names, json_string(queue->row.name));
	}
	return names;
}

/* With the queues that it is attached to. */
static json_t *full_row(
	const struct switchboard *board, const struct resource_quick_connect *quick_connect)
{
	json_t *row = row_of(board, quick_connect);

	json_object_set_new(row, "queues", queues_of(board->instance->resources, quick_connect));
	return row;
}

static void handle_get(struct rpc_call *call)
{
	const struct resource_quick_connect *row = find(call, rpc_text(call, "quick_connect"));

	if (row)
		rpc_result(call, full_row(board_of(call), row));
}

/* ---- what an agent sees -------------------------------------------------------------------- */

static int add_endpoint(void *ctx, const struct resource_quick_connect *quick_connect)
{
	struct list *list = ctx;

	if (list_wants(list))
		json_array_append_new(list->rows, endpoint_json(quick_connect));
	return 0;
}

static void handle_endpoints(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const char *name = rpc_text(call, "agent");
	uint32_t agent = router_find_agent(board->router, name, RESOURCE_BY_ANY);
	struct agent_snapshot s;
	struct list list;
	bool on_contact;

	if (agent == ROUTER_NONE || router_agent_snapshot(board->router, agent, &s) < 0 || !s.row) {
		rpc_refuse(call, RPC_NOT_FOUND, "no user '%.100s'", name);
		return;
	}
	on_contact =
		s.contact.state == AGENT_SLOT_CONNECTED || s.contact.state == AGENT_SLOT_ONHOLD;
	list = list_begin(call);
	resources_each_quick_connect(
		board->instance->resources, s.row, on_contact, add_endpoint, &list);
	list_answer(call, &list, "endpoints");
}

/* ---- changes ------------------------------------------------------------------------------- */

/* The field of the row in instance.d/ that a place names; "" when it is the row. */
static const char *field_of(const char *place)
{
	const char *path = strstr(place, ": ");
	const char *dot = path ? strrchr(path, '.') : NULL;

	if (dot)
		return dot + 1;
	return path && !strchr(path, '[') ? path + 2 : "";
}

/* The first error: of the change, else of the directory. */
static void say_why(const struct report *report, char *why, size_t size)
{
	const struct report_entry *found = NULL;
	const char *field;

	for (size_t i = 0; i < report_size(report); i++) {
		const struct report_entry *e = report_at(report, i);

		if (e->severity != REPORT_ERROR)
			continue;
		if (str_starts(str_from(e->place), STR(INSTANCE_CHANGES))) {
			field = field_of(e->place);
			snprintf(why, size, "%s%s%s", field, *field ? ": " : "", e->text);
			return;
		}
		found = found ? found : e;
	}
	if (found)
		snprintf(why, size, "the instance directory has errors: %s: %s", found->place,
			found->text);
}

/* What a call under way is about; call->state. */
struct changing {
	char id[RESOURCE_ID_MAX + 1]; /* of the quick connect, or of the queue */
	bool queue;
};

static json_t *result_of(const struct switchboard *board, const struct changing *c)
{
	const struct resources *resources = board->instance->resources;
	const struct resource_quick_connect *row;
	const struct resource_queue *queue;
	json_t *names;

	if (!c->queue) {
		row = resources_quick_connect(resources, c->id, RESOURCE_BY_ID);
		return row ? full_row(board, row)
			   : json_pack("{s:s, s:b}", "QuickConnectId", c->id, "deleted", 1);
	}
	queue = resources_queue(resources, c->id, RESOURCE_BY_ID);
	if (!queue)
		return json_object();
	names = json_array();
	for (uint32_t i = 0; i < queue->quick_connect_count; i++)
		json_array_append_new(names, json_string(queue->quick_connects[i]->row.name));
	return json_pack("{s:s, s:o}", "queue", queue->row.name, "quick_connects", names);
}

static void on_changed(void *ctx, int rc, const struct report *report)
{
	struct rpc_call *call = ctx;
	struct changing *c = call->state;
	char why[RPC_WHY_SIZE] = "";

	say_why(report, why, sizeof(why));
	if (rc == 0)
		log_info(NULL, "admin", "%s: %s", call->verb->name, c->id);
	rpc_finish(call, rc, why, rc < 0 ? NULL : result_of(board_of(call), c));
	free(c);
}

/* Takes the change. */
static void begin(
	struct rpc_call *call, const char *id, bool queue, struct quick_connect_change *change)
{
	struct changing *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (c) {
		snprintf(c->id, sizeof(c->id), "%s", id);
		c->queue = queue;
		call->state = c;
		rc = reload_begin(board_of(call), change, on_changed, call);
	}
	if (rc == 0)
		return;
	quick_connect_change_clear(change);
	call->state = NULL;
	free(c);
	rpc_refuse(call, RPC_BUSY, "%s",
		rc == -EBUSY ? "another change is under way: try again when it is done"
			     : strerror(-rc));
}

/* Ids in the place of names, so that what is kept outlasts a change of names. What is not found is
 * refused where it is read. */
static void use_ids(const struct rpc_call *call, struct quick_connect_wanted *wanted)
{
	const struct resources *resources = resources_of(call);
	const struct resource_agent *agent;
	const struct resource_queue *queue;

	if (strcmp(wanted->type, "agent") == 0) {
		agent = resources_agent(resources, wanted->destination, RESOURCE_BY_ANY);
		if (agent)
			wanted->destination = agent->row.id;
	} else if (strcmp(wanted->type, "queue") == 0) {
		queue = resources_queue(resources, wanted->destination, RESOURCE_BY_ANY);
		if (queue)
			wanted->destination = queue->row.id;
	}
	wanted->flow = flow_id(board_of(call), wanted->flow);
}

/* What the call wants, over what there is (NULL: nothing); false: it is refused. */
static bool read_wanted(struct rpc_call *call, const struct resource_quick_connect *before,
	struct quick_connect_wanted *wanted)
{
	char why[QUICK_CONNECT_WHY_SIZE];
	const char *member = "";
	int rc = quick_connect_read(call->params, wanted, &member, why);

	if (rc == 0 && before)
		quick_connect_inherit(wanted, before);
	if (rc == 0)
		rc = quick_connect_judge(wanted, &member, why);
	if (rc < 0) {
		rpc_refuse_param(call, member, "%s", why);
		return false;
	}
	use_ids(call, wanted);
	return true;
}

static void put(struct rpc_call *call, const struct quick_connect_wanted *wanted, const char *id)
{
	struct quick_connect_change change = {
		.kind = QUICK_CONNECT_PUT, .row = quick_connect_row(wanted, id)};

	if (!change.row) {
		rpc_refuse(call, RPC_INTERNAL, "no memory");
		return;
	}
	begin(call, id, false, &change);
}

static void handle_create(struct rpc_call *call)
{
	struct quick_connect_wanted wanted;
	char id[RANDOM_UUID_SIZE];

	if (!read_wanted(call, NULL, &wanted))
		return;
	random_uuid(&board_of(call)->random, id);
	put(call, &wanted, id);
}

static void handle_update(struct rpc_call *call)
{
	const struct resource_quick_connect *before = find(call, rpc_text(call, "quick_connect"));
	struct quick_connect_wanted wanted;

	if (before && read_wanted(call, before, &wanted))
		put(call, &wanted, before->row.id);
}

static void handle_delete(struct rpc_call *call)
{
	const struct resource_quick_connect *row = find(call, rpc_text(call, "quick_connect"));
	struct quick_connect_change change = {.kind = QUICK_CONNECT_REMOVE};

	if (!row)
		return;
	change.id = json_string(row->row.id);
	change.in_file = row->file_place;
	begin(call, row->row.id, false, &change);
}

/* Attaching what is attached, and detaching what is not, changes nothing. */
static void change_queue(
	struct rpc_call *call, enum quick_connect_change_kind kind, bool attached_before)
{
	const struct resource_queue *queue = find_queue(call);
	struct quick_connect_change change = {.kind = kind, .ids = json_array()};
	const json_t *names = rpc_value(call, "quick_connects");
	json_t *name;
	size_t i;

	json_array_foreach((json_t *)names, i, name)
	{
		const struct resource_quick_connect *row =
			queue ? find(call, json_string_value(name)) : NULL;

		if (!row) {
			quick_connect_change_clear(&change);
			return;
		}
		if (is_attached(queue, row) == attached_before)
			json_array_append_new(change.ids, json_string(row->row.id));
	}
	if (json_array_size(change.ids) == 0) {
		struct changing c = {.queue = true};

		quick_connect_change_clear(&change);
		snprintf(c.id, sizeof(c.id), "%s", queue->row.id);
		rpc_result(call, result_of(board_of(call), &c));
		return;
	}
	change.queue = json_string(queue->row.id);
	begin(call, queue->row.id, true, &change);
}

static void handle_attach(struct rpc_call *call)
{
	change_queue(call, QUICK_CONNECT_ATTACH, false);
}

static void handle_detach(struct rpc_call *call)
{
	change_queue(call, QUICK_CONNECT_DETACH, true);
}

#define PARAM_QUICK_CONNECT                                                                        \
	{                                                                                          \
		"quick_connect", PARAM_TEXT, .required = true, .min = 1, .help = "name, id or ARN" \
	}
#define PARAMS_WANTED                                                                         \
	{"name", PARAM_TEXT, .help = "name"}, {"description", PARAM_TEXT, .help = "must be"}, \
		{"type", PARAM_TEXT, .help = "agent, queue or external"},                     \
		{"destination", PARAM_TEXT, .help = "user, queue or phone number"},           \
		{"flow", PARAM_TEXT, .help = "transfer flow; none for external"},             \
		{"Name", PARAM_TEXT, .help = "in place of name"},                             \
		{"Description", PARAM_TEXT, .help = "in place of description"},               \
	{                                                                                     \
		"QuickConnectConfig", PARAM_OBJECT,                                           \
			.help = "in place of type, destination and flow"                      \
	}

static const struct param list_params[] = {
	{"queue", PARAM_TEXT, .min = 1, .help = "only those attached to it"}, PARAM_OFFSET,
	PARAM_LIMIT};
static const struct param one_params[] = {PARAM_QUICK_CONNECT};
static const struct param create_params[] = {PARAMS_WANTED};
static const struct param update_params[] = {PARAM_QUICK_CONNECT, PARAMS_WANTED};
static const struct param endpoints_params[] = {PARAM_AGENT, PARAM_OFFSET, PARAM_LIMIT};
static const struct param queue_params[] = {
	{"queue", PARAM_TEXT, .required = true, .min = 1, .help = "name, id or ARN"},
	{"quick_connects", PARAM_TEXTS, .required = true, .max = RESOURCE_QUEUE_QUICK_CONNECTS_MAX,
		.help = "names, ids or ARNs"}};

static const struct verb verbs[] = {
	{"quick_connect.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "quick connects, all or of a queue"},
	{"quick_connect.get", ROLE_READER, VERB_PARAMS(one_params), .handle = handle_get,
		.help = "one quick connect, with the queues that it is attached to"},
	{"quick_connect.create", ROLE_OPERATOR, .changes = true, VERB_PARAMS(create_params),
		.handle = handle_create,
		.help = "makes one, keeps it in instance.d/ and reloads the instance"},
	{"quick_connect.update", ROLE_OPERATOR, .changes = true, VERB_PARAMS(update_params),
		.handle = handle_update,
		.help = "changes what is given of one, of the instance's files too"},
	{"quick_connect.delete", ROLE_OPERATOR, .changes = true, VERB_PARAMS(one_params),
		.handle = handle_delete,
		.help = "removes one, of the instance's files too, from all queues"},
	{"queue.attach_quick_connects", ROLE_OPERATOR, .changes = true, VERB_PARAMS(queue_params),
		.handle = handle_attach, .help = "agents of the queue see these"},
	{"queue.detach_quick_connects", ROLE_OPERATOR, .changes = true, VERB_PARAMS(queue_params),
		.handle = handle_detach, .help = "agents of the queue do not see these any more"},
	{"agent.endpoints", ROLE_READER, VERB_PARAMS(endpoints_params), .handle = handle_endpoints,
		.help = "the quick connects that an agent sees now, as endpoint objects"},
};

const struct verb_group verbs_quick_connect = {verbs, sizeof(verbs) / sizeof(verbs[0])};
