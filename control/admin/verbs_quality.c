/* SPDX-License-Identifier: Apache-2.0 */
/* The verb of legs' quality. */
#include <math.h>
#include <string.h>

#include "admin/admin_internal.h"

static json_t *rounded(double value)
{
	return json_real(round(value * 100) / 100);
}

static json_t *path_json(const struct quality_path *path)
{
	if (!path->known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "mos", rounded(path->mos), "r",
		rounded(path->r), "loss_percent", rounded(100 * path->lost), "jitter_ms",
		rounded(path->jitter_ms), "delay_ms", rounded(path->delay_ms));
}

/* Of the last reading; what the peer has not told is null. */
json_t *leg_quality_json(const struct leg *leg)
{
	const struct quality_watch *q = &leg->quality;
	uint32_t round_trip_us = q->round_trip_us;

	return json_pack("{s:o, s:o, s:o, s:b}", "from", path_json(&q->from), "to",
		path_json(&q->to), "round_trip_ms",
		round_trip_us ? rounded(round_trip_us / 1000.0) : json_null(), "media_lost",
		leg->media_lost);
}

static json_t *row(const struct leg *leg)
{
	json_t *object = leg_quality_json(leg);

	json_object_set_new(object, "contact", json_text(leg->contact->segment.id));
	json_object_set_new(object, "role", json_text(leg_role_name(leg->role)));
	json_object_set_new(object, "side", json_text(leg_quality_side(leg)));
	json_object_set_new(object, "agent", json_agent(leg->contact->board, leg->agent));
	return object;
}

static void handle_list(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const char *id = rpc_text(call, "contact");
	const struct contact *contact = id ? board_find_contact(board_of(call), id) : NULL;
	const struct leg *leg = NULL;
	struct list list;

	if (id && !contact) {
		rpc_refuse(call, RPC_NOT_FOUND, "no contact '%.64s' now; record.get knows the past",
			id);
		return;
	}
	list = list_begin(call);
	while ((leg = pool_next(&board->legs, leg)))
		if ((!contact || leg->call == contact->call) && list_wants(&list))
			json_array_append_new(list.rows, row(leg));
	list_answer(call, &list, "legs");
}

static const struct param list_params[] = {PARAM_CONTACT_OF(false), PARAM_OFFSET, PARAM_LIMIT};

static const struct verb verbs[] = {
	{"quality.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "how good each leg sounds, of one contact's call or of all: MOS, loss, "
			"jitter and delay from the party and to it, round trip"},
};

const struct verb_group verbs_quality = {verbs, sizeof(verbs) / sizeof(verbs[0])};
