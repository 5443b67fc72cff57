/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of the dataplane: counters, and what a control that died left behind. */
#include <errno.h>
#include <limits.h>

#include "admin/admin_internal.h"

#define ORPHANS_MAX 1000u

static json_t *counters_of(const struct media *media, unsigned worker)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < CORD_COUNTER_COUNT; i++)
		json_object_set_new(object, cord_counter_row(i)->name,
			json_integer(
				(json_int_t)media_counter(media, worker, (enum cord_counter)i)));
	return object;
}

static void handle_stats(struct rpc_call *call)
{
	const struct media *media = board_of(call)->media;
	json_t *workers = json_array();
	struct media_counts counts;

	media_counts(media, &counts);
	for (unsigned i = 0; i < counts.workers; i++)
		json_array_append_new(workers, counters_of(media, i));
	rpc_result(call,
		json_pack("{s:s, s:o, s:o, s:o}", "state", media_state_name(media_state(media)),
			"why", json_text(media_down_reason(media)), "sum",
			counters_of(media, UINT_MAX), "workers", workers));
}

static void handle_orphans(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	struct media_orphan rows[ORPHANS_MAX];
	unsigned n = media_orphans(board->media, rows, ORPHANS_MAX);
	json_t *list = json_array();

	for (unsigned i = 0; i < n && i < ORPHANS_MAX; i++)
		json_array_append_new(
			list, json_pack("{s:I, s:i, s:i, s:o}", "room", (json_int_t)rows[i].room,
				      "worker", (int)rows[i].worker, "ports", (int)rows[i].ports,
				      "last_rtp", json_moment(board, rows[i].last_rx_ns)));
	rpc_result(call, json_pack("{s:o, s:i}", "orphans", list, "total", (int)n));
}

static void handle_remove(struct rpc_call *call)
{
	struct media *media = board_of(call)->media;
	bool all = !rpc_has(call, "room");
	int rc;

	rc = media_orphan_remove(media, all ? UINT64_MAX : (uint64_t)rpc_number(call, "room", 0));
	if (all && rc == -ENOENT) /* the wanted state: none */
		rc = 0;
	rpc_finish(call, rc, "no such orphan",
		rc < 0 ? NULL : json_pack("{s:i}", "left", (int)media_orphans(media, NULL, 0)));
}

static const struct param remove_params[] = {
	{"room", PARAM_NUMBER, .max = INT64_MAX, .help = "room of dataplane.orphans; default: all"},
};

static const struct verb verbs[] = {
	{"dataplane.stats", ROLE_READER, .handle = handle_stats,
		.help = "the dataplane's counters, summed up and of each worker"},
	{"dataplane.orphans", ROLE_READER, .handle = handle_orphans,
		.help = "rooms of a control that died"},
	{"dataplane.orphan_remove", ROLE_OPERATOR, .changes = true, VERB_PARAMS(remove_params),
		.handle = handle_remove, .help = "removes orphans now"},
};

const struct verb_group verbs_dataplane = {verbs, sizeof(verbs) / sizeof(verbs[0])};
