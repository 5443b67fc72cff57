/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs of contact records: the store answers later. `behind` of an answer is how many puts of records
 * it does not show, because they could not be written yet.
 */
#include <errno.h>

#include "admin/admin_internal.h"

static json_t *record_of(const struct records_row *row)
{
	json_t *record = json_loads(row->json, 0, NULL);

	return record ? record
		      : json_pack("{s:s, s:s}", "ContactId", row->contact_id, "Error",
				"the stored record is not JSON");
}

static void on_list(void *ctx, const struct records_result *result)
{
	struct rpc_call *call = ctx;
	json_t *rows;

	if (result->error < 0) {
		rpc_refuse(call, RPC_FAILED, "the records cannot be read: %s", result->error_text);
		return;
	}
	rows = json_array();
	for (size_t i = 0; i < result->n; i++)
		json_array_append_new(rows, record_of(&result->rows[i]));
	rpc_result(call, json_pack("{s:o, s:I, s:b, s:I}", "records", rows, "last",
				 (json_int_t)(result->n ? result->rows[result->n - 1].number
							: (uint64_t)rpc_number(call, "since", 0)),
				 "more", result->more, "behind", (json_int_t)result->behind));
}

static void on_get(void *ctx, const struct records_result *result)
{
	struct rpc_call *call = ctx;

	if (result->error < 0)
		rpc_refuse(call, RPC_FAILED, "the records cannot be read: %s", result->error_text);
	else if (result->n == 0 && result->behind)
		rpc_refuse(call, RPC_FAILED, "no record '%.64s' yet: %zu wait to be written",
			rpc_text(call, "contact"), result->behind);
	else if (result->n == 0)
		rpc_refuse(call, RPC_NOT_FOUND, "no record '%.64s'", rpc_text(call, "contact"));
	else
		rpc_result(call,
			json_pack("{s:b, s:o, s:I}", "complete", result->rows[0].complete, "record",
				record_of(&result->rows[0]), "behind", (json_int_t)result->behind));
}

static void ask(struct rpc_call *call, const struct records_query *query,
	void (*done)(void *ctx, const struct records_result *result))
{
	int rc = records_query(board_of(call)->records, query, done, call);

	if (rc < 0)
		rpc_refuse(call, rc == -ENOBUFS ? RPC_BUSY : RPC_FAILED,
			rc == -ENOBUFS ? "too many questions to the records under way"
				       : "the records cannot be asked");
}

static void handle_list(struct rpc_call *call)
{
	ask(call,
		&(struct records_query){.contact_id = str_from(rpc_text(call, "contact")),
			.chain = str_from(rpc_text(call, "chain")),
			.since = (uint64_t)rpc_number(call, "since", 0),
			.by_number = rpc_has(call, "since"),
			.open_too = rpc_flag(call, "open"),
			.order = rpc_flag(call, "oldest") ? RECORDS_OLDEST : RECORDS_NEWEST,
			.offset = (unsigned)rpc_number(call, "offset", 0),
			.limit = (unsigned)rpc_number(call, "limit", 0)},
		on_list);
}

static void handle_get(struct rpc_call *call)
{
	ask(call,
		&(struct records_query){.contact_id = str_from(rpc_text(call, "contact")),
			.open_too = true,
			.limit = 1},
		on_get);
}

static const struct param list_params[] = {
	{"since", PARAM_NUMBER, .help = "those with a number above it, in the order of numbers"},
	{"chain", PARAM_TEXT, .min = 1, .max = 64, .help = "all with this InitialContactId"},
	PARAM_CONTACT_OF(false), {"open", PARAM_FLAG, .help = "those that are not complete too"},
	{"oldest", PARAM_FLAG, .help = "oldest first; otherwise the newest"},
	{"offset", PARAM_NUMBER, .max = 1000000000, .help = "rows to leave out first"},
	{"limit", PARAM_NUMBER, .min = 1, .max = RECORDS_ROWS_MAX, .help = "rows at most (100)"}};
static const struct param get_params[] = {PARAM_CONTACT_OF(true)};

static const struct verb verbs[] = {
	{"record.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "contact records: newest, since a number, of a chain, of a contact; "
			"behind: how many wait to be written and are not seen"},
	{"record.get", ROLE_READER, VERB_PARAMS(get_params), .handle = handle_get,
		.help = "one contact record, complete or not"},
};

const struct verb_group verbs_record = {verbs, sizeof(verbs) / sizeof(verbs[0])};
