/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of flows: what is loaded, which version runs, and publishing a draft. */
#include <stdlib.h>
#include <string.h>

#include "admin/admin_internal.h"
#include "base/log.h"
#include "contact/flow_publish.h"

/* Which version calls run: of the file below flows/, one published before, or none. */
static const char *runs(const struct flow_entry *entry)
{
	return !entry->draft ? "file" : entry->published ? "earlier" : "none";
}

static json_t *flow_row(const struct flow_entry *entry)
{
	const struct flow *flow = flow_entry_flow(entry);
	const struct flow *file = entry->draft ? entry->draft : entry->published;

	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:i}", "name",
		json_text(flow->name), "id", flow->id, "arn", flow->arn, "type",
		flow_type_name((enum flow_type)flow->type), "status",
		entry->draft ? "saved" : "published", "runs", runs(entry), "file",
		json_text(file->file), "description", json_text(file->description), "format",
		file->format == FLOW_FORMAT_LEGACY ? "legacy" : "language", "actions",
		(int)file->action_count);
}

static void handle_list(struct rpc_call *call)
{
	const struct flow_catalog *flows = &board_of(call)->instance->flows;
	const char *type = rpc_text(call, "type"), *status = rpc_text(call, "status");
	struct list list = list_begin(call);

	for (size_t i = 0; i < flows->n; i++) {
		const struct flow_entry *entry = &flows->entries[i];
		const struct flow *flow = flow_entry_flow(entry);

		if (type && strcmp(type, flow_type_name((enum flow_type)flow->type)) != 0)
			continue;
		if (status && strcmp(status, entry->draft ? "saved" : "published") != 0)
			continue;
		if (list_wants(&list))
			json_array_append_new(list.rows, flow_row(entry));
	}
	list_answer(call, &list, "flows");
}

static void on_published(void *ctx, int rc, const char *why)
{
	struct rpc_call *call = ctx;
	const char *reference = rpc_text(call, "flow");
	const struct flow_entry *entry;

	if (rc < 0) {
		rpc_finish(call, rc, why, NULL);
		return;
	}
	entry = flow_catalog_entry(&board_of(call)->instance->flows, reference);
	log_info(NULL, "flow", "flow '%s' was published",
		entry ? entry->published->name : reference);
	rpc_result(call, entry ? flow_row(entry) : json_object());
}

static void handle_publish(struct rpc_call *call)
{
	struct switchboard *board = board_of(call);
	char why[FLOW_PUBLISH_WHY_SIZE] = "";
	int rc = flow_publish(board->instance, board->config, board->offload,
		rpc_text(call, "flow"), on_published, call, why);

	if (rc < 0)
		rpc_finish(call, rc, why, NULL);
}

/* ---- the flow log -------------------------------------------------------------------------- */

struct line {
	const char *time;
	size_t place;
	json_t *json;
};

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->time, y->time);

	return order ? order : x->place < y->place ? -1 : 1;
}

/* The file has them in the order in which actions were left; people want to see how they began. */
static json_t *sorted(json_t *lines)
{
	size_t n = json_array_size(lines);
	struct line *rows = calloc(n + 1, sizeof(*rows));
	json_t *sorted = json_array();

	for (size_t i = 0; rows && i < n; i++) {
		json_t *json = json_array_get(lines, i);
		const char *time = json_string_value(json_object_get(json, "Timestamp"));

		rows[i] = (struct line){time ? time : "", i, json};
	}
	if (rows)
		qsort(rows, n, sizeof(*rows), by_time);
	for (size_t i = 0; rows && i < n; i++)
		json_array_append(sorted, rows[i].json);
	free(rows);
	json_decref(lines);
	return sorted;
}

static json_t *lines_json(const struct flow_log_result *result)
{
	json_t *lines = json_array();
	const char *p = result->text, *end = p + result->n;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf ? lf : end) - p);
		json_t *line = json_loadb(p, n, 0, NULL);

		if (line) /* a crash may have cut one */
			json_array_append_new(lines, line);
		p += n + 1;
	}
	return lines;
}

static void on_log(void *ctx, const struct flow_log_result *result)
{
	struct rpc_call *call = ctx;

	if (result->error < 0)
		rpc_refuse(call, RPC_FAILED, "the flow log cannot be read: %s",
			strerror(-result->error));
	else
		rpc_result(call, json_pack("{s:o, s:b}", "lines", sorted(lines_json(result)),
					 "more", result->more));
}

static void handle_log(struct rpc_call *call)
{
	struct flow_log *log = board_of(call)->flow_log;
	int rc = flow_log_read(log, str_from(rpc_text(call, "contact")),
		(unsigned)rpc_number(call, "limit", 0), on_log, call);

	if (rc < 0)
		rpc_refuse(call, RPC_BUSY, "too many questions to the flow log under way");
}

static const struct param list_params[] = {
	{"type", PARAM_TEXT, .min = 1, .max = 32, .help = "only those of this type"},
	{"status", PARAM_TEXT, .min = 1, .max = 16,
		.help = "published, or saved: there is a draft"},
	PARAM_OFFSET, PARAM_LIMIT};
static const struct param publish_params[] = {{"flow", PARAM_TEXT, .required = true, .min = 1,
	.help = "name, id or ARN of the flow whose draft is put in force"}};

static const struct param log_params[] = {PARAM_CONTACT_OF(true),
	{"limit", PARAM_NUMBER, .min = 1, .max = FLOW_LOG_READ_LINES, .help = "lines at most"}};

static const struct verb verbs[] = {
	{"flow.log", ROLE_READER, VERB_PARAMS(log_params), .handle = handle_log,
		.help = "what flows did for a contact while they had logging on, oldest first"},
	{"flow.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "flows: type, file, whether there is a draft, which version runs"},
	{"flow.publish", ROLE_OPERATOR, .changes = true, VERB_PARAMS(publish_params),
		.handle = handle_publish,
		.help = "puts a draft in force, for every start of the flow from now on"},
};

const struct verb_group verbs_flow = {verbs, sizeof(verbs) / sizeof(verbs[0])};
