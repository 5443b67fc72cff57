/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of events: a subscription belongs to its connection. */
#include <errno.h>
#include <string.h>

#include "admin/admin_internal.h"

static bool topics_known(struct rpc_call *call, const json_t *topics)
{
	for (size_t i = 0; i < json_array_size(topics); i++) {
		const char *topic = json_string_value(json_array_get(topics, i));

		if (strcmp(topic, "agent") != 0 && strcmp(topic, "contact") != 0 &&
			strcmp(topic, "panel") != 0 && strcmp(topic, "system") != 0) {
			rpc_refuse_param(call, "topics",
				"expected agent, contact, panel or system, found '%.40s'", topic);
			return false;
		}
	}
	return true;
}

static void handle_subscribe(struct rpc_call *call)
{
	struct events *events = board_of(call)->events;
	struct follower *follower = server_follower(call);
	uint64_t last = events_last(events);
	uint64_t after = (uint64_t)rpc_number(call, "after", (int64_t)last);
	const json_t *topics = rpc_value(call, "topics");
	int rc;

	if (!follower || !topics_known(call, topics))
		return;
	rc = follower_start(follower, after, topics);
	rpc_finish(call, rc, rc == -EBUSY ? "this connection has subscribed already" : NULL,
		rc < 0 ? NULL
		       : json_pack("{s:I, s:I}", "after", (json_int_t)after, "last",
				 (json_int_t)last));
}

static void handle_unsubscribe(struct rpc_call *call)
{
	struct follower *follower = server_follower(call);
	uint64_t last = follower ? follower->sent : 0;

	if (follower)
		follower_stop(follower);
	rpc_result(call, json_pack("{s:I}", "last", (json_int_t)last));
}

static const struct param subscribe_params[] = {
	{"after", PARAM_NUMBER,
		.help = "number of the last event that is known; default: from now on"},
	{"topics", PARAM_TEXTS, .max = 4, .help = "agent, contact, panel, system; default: all"}};

static const struct verb verbs[] = {
	{"events.subscribe", ROLE_READER, VERB_PARAMS(subscribe_params), .handle = handle_subscribe,
		.help = "events as they happen, on this connection, as notifications"},
	{"events.unsubscribe", ROLE_READER, .handle = handle_unsubscribe, .help = "no more events"},
};

const struct verb_group verbs_events = {verbs, sizeof(verbs) / sizeof(verbs[0])};
