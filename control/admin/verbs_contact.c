/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of contacts. */
#include <string.h>

#include "admin/admin_internal.h"

json_t *contact_row(const struct contact *contact)
{
	const struct contact_segment *s = &contact->segment;
	const struct switchboard *board = contact->board;
	uint32_t agent = s->agent != ROUTER_NONE ? s->agent
			 : contact->offer        ? contact->offer_agent
						 : ROUTER_NONE;

	return json_pack("{s:s, s:s, s:o, s:s, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
		"id", s->id, "initial", s->initial, "previous", json_text(s->previous), "state",
		contact_state_name(contact->state), "version", (int)contact->version, "method",
		contact_method_name(s->method), "customer", json_text(contact->customer_number),
		"system", json_text(contact->system_number), "queue", json_queue(board, s->queue),
		"agent", json_agent(board, agent), "initiated", json_moment(board, s->initiated),
		"age_s", json_seconds(board_now(board) - s->initiated), "recorded",
		contact->tape != NULL, "recording_suspended",
		contact->call && contact->call->recording_suspended);
}

static void handle_list(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	const char *state = rpc_text(call, "state");
	const struct contact *contact = NULL;
	struct list list = list_begin(call);

	while ((contact = pool_next(&board->contacts, contact))) {
		if (state && strcmp(state, contact_state_name(contact->state)) != 0)
			continue;
		if (list_wants(&list))
			json_array_append_new(list.rows, contact_row(contact));
	}
	list_answer(call, &list, "contacts");
}

/* ---- one contact --------------------------------------------------------------------------- */

static json_t *leg_media(const struct leg *leg)
{
	struct media_leg_stats m;
	char address[ADDRESS_TEXT_SIZE], learned[ADDRESS_TEXT_SIZE];
	struct address local;

	if (!leg->media)
		return json_null();
	local = media_leg_local(leg->media);
	address_format(&local, address);
	if (!media_leg_stats(leg->media, &m))
		return json_pack("{s:s, s:b}", "local", address, "known", false);
	address_format(&m.learned, learned);
	return json_pack(
		"{s:s, s:o, s:b, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:i, s:b}",
		"local", address, "learned",
		address_family(&m.learned) == AF_UNSPEC ? json_null() : json_string(learned),
		"known", m.open, "rx_packets", (json_int_t)m.rx_packets, "tx_packets",
		(json_int_t)m.tx_packets, "rx_lost", (int)m.rx_lost, "rx_late", (int)m.rx_late,
		"rx_duplicate", (int)m.rx_duplicate, "rx_dropped", (int)m.rx_dropped,
		"wrong_source", (int)m.source_dropped, "concealed", (int)m.concealed, "recovered",
		(int)m.recovered, "silent", (int)m.silent, "jitter_ms", m.jitter_us / 1000.0,
		"buffer_ms", (int)m.buffer_ms, "playing", m.playing);
}

static json_t *leg_json(const struct switchboard *board, const struct leg *leg)
{
	struct sip_sessions *sessions = signalling_sessions(board->signalling);
	struct str call_id = sip_session_call_id(sessions, leg->session);

	return json_pack("{s:s, s:b, s:b, s:o, s:s, s:o, s:b, s:o, s:o}", "role",
		leg_role_name(leg->role), "up", leg->up, "held_by_peer", leg->held_by_peer, "agent",
		json_agent(board, leg->agent), "session",
		sip_session_state_name(sip_session_state(sessions, leg->session)), "call_id",
		str_empty(call_id) ? json_null() : json_bytes(call_id.p, call_id.n), "flow_running",
		treatment_running(leg->treatment), "media", leg_media(leg), "quality",
		leg_quality_json(leg));
}

static json_t *segment_json(const struct contact *c, const struct contact_segment *s)
{
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "id",
		s->id, "method", contact_method_name(s->method), "reason",
		json_text(contact_reason_name(s->reason)), "initiated",
		json_wall(contact_wall(c, s->initiated)), "connected",
		json_wall(contact_wall(c, s->connected)), "queue", json_queue(c->board, s->queue),
		"queued", json_wall(contact_wall(c, s->queued)), "dequeued",
		json_wall(contact_wall(c, s->dequeued)), "agent", json_agent(c->board, s->agent),
		"agent_connected", json_wall(contact_wall(c, s->agent_connected)), "agent_ended",
		json_wall(contact_wall(c, s->agent_ended)), "acw_started",
		json_wall(contact_wall(c, s->acw_started)), "disconnected",
		json_wall(contact_wall(c, s->disconnected)), "offers", (int)s->attempts, "holds",
		json_integer(s->holds));
}

static void add_legs(json_t *row, const struct contact *contact)
{
	const struct call *call = contact->call;
	json_t *legs = json_array();

	for (unsigned i = 0; call && i < call->n_legs; i++)
		json_array_append_new(legs, leg_json(contact->board, call->legs[i]));
	json_object_set_new(row, "legs", legs);
}

static void add_segments(json_t *row, const struct contact *contact)
{
	json_t *segments = json_array();

	json_array_append_new(segments, segment_json(contact, &contact->segment));
	for (const struct contact_segment *s = contact->past; s; s = s->older)
		json_array_append_new(segments, segment_json(contact, s));
	json_object_set_new(row, "segments", segments);
}

static void add_place(json_t *row, const struct contact *contact)
{
	const struct switchboard *board = contact->board;
	struct router_place place;

	if (router_place(board->router, contact->id, board_now(board), &place) < 0)
		return;
	json_object_set_new(row, "place",
		json_pack("{s:o, s:i, s:o, s:b, s:b, s:o}", "queue", json_queue(board, place.queue),
			"position", (int)place.position, "agent", json_agent(board, place.agent),
			"offered", place.offered, "accepted", place.accepted, "waited_s",
			json_seconds(place.waited_ns)));
}

static json_t *pairs_json(const struct attributes *store)
{
	struct attributes_cursor cursor = {0};
	struct attribute pair;
	json_t *object = json_object();

	while (attributes_next(store, &cursor, &pair))
		json_object_set_new(object, pair.name, json_text(pair.value));
	return object;
}

/* What flows have set. */
static void add_data(json_t *row, const struct contact *contact)
{
	const struct contact_data *d = &contact->data;

	json_object_set_new(row, "language", json_text(contact->language));
	json_object_set_new(row, "voice", json_text(contact->voice));
	json_object_set_new(row, "name", json_text(attributes_get(&d->texts, "Name")));
	json_object_set_new(row, "tags", pairs_json(&d->tags));
	json_object_set_new(row, "references", pairs_json(&d->references));
	json_object_set_new(row, "recording",
		json_pack("{s:b, s:b, s:b, s:b}", "agent", d->recording.agent, "customer",
			d->recording.customer, "screen", d->recording.screen, "ivr",
			d->recording.ivr));
	json_object_set_new(row, "streaming",
		json_pack("{s:b, s:b, s:b}", "on", d->streaming.on, "from_customer",
			d->streaming.from_customer, "to_customer", d->streaming.to_customer));
	json_object_set_new(row, "flow_log", json_boolean(contact->memory.logged));
}

static void add_recordings(json_t *row, const struct contact *contact)
{
	const struct contact_segment *s = &contact->segment;
	char path[RECORDING_PATH_SIZE];
	json_t *list = json_array();

	for (unsigned i = 0; i < s->n_recordings; i++) {
		recording_path_of(contact, s, i, path);
		json_array_append_new(list,
			json_pack("{s:o, s:b, s:o, s:o}", "location", json_text(path), "automated",
				s->recording[i].kind == SEGMENT_RECORDING_AUTOMATED, "started",
				json_wall(contact_wall(contact, s->recording[i].started)),
				"stopped",
				json_wall(contact_wall(contact, s->recording[i].stopped))));
	}
	json_object_set_new(row, "recordings", list);
}

static json_t *contact_full(const struct contact *contact)
{
	json_t *row = contact_row(contact);

	if (!row)
		return NULL;
	add_legs(row, contact);
	add_segments(row, contact);
	add_place(row, contact);
	add_data(row, contact);
	add_recordings(row, contact);
	if (contact->call)
		json_object_set_new(row, "room",
			json_pack("{s:I, s:i}", "id",
				(json_int_t)media_room_id(contact->call->room), "worker",
				(int)media_room_worker(contact->call->room)));
	return row;
}

static struct contact *find(struct rpc_call *call)
{
	const char *id = rpc_text(call, "contact");
	struct contact *contact = board_find_contact(board_of(call), id);

	if (!contact)
		rpc_refuse(call, RPC_NOT_FOUND, "no contact '%.64s' now; record.get knows the past",
			id);
	return contact;
}

static void handle_get(struct rpc_call *call)
{
	const struct contact *contact = find(call);

	if (contact)
		rpc_result(call, contact_full(contact));
}

/* ---- verbs of the desk --------------------------------------------------------------------- */

/* The contact that an agent's verb is about: the one in the slot. */
struct contact *contact_of_agent(struct rpc_call *call)
{
	const struct switchboard *board = board_of(call);
	uint32_t agent = router_find_agent(board->router, rpc_text(call, "agent"), RESOURCE_BY_ANY);
	struct agent_snapshot s;

	if (agent == ROUTER_NONE || router_agent_snapshot(board->router, agent, &s) < 0)
		return NULL;
	return pool_get(&board->contacts, s.contact.contact);
}

/* False: the call is refused, the contact has moved on since the caller looked. */
bool contact_version_holds(struct rpc_call *call, const struct contact *contact)
{
	if (!rpc_has(call, "if_version") || !contact ||
		rpc_number(call, "if_version", 0) == contact->version)
		return true;
	rpc_refuse(call, RPC_VERSION, "if_version: the contact is at version %u, state %s",
		contact->version, contact_state_name(contact->state));
	return false;
}

typedef int (*desk_fn)(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE]);

static void desk(struct rpc_call *call, desk_fn fn)
{
	struct contact *contact = contact_of_agent(call);
	uint64_t id = contact ? contact->id : 0;
	char why[DESK_WHY_SIZE] = "";
	json_t *result = NULL;
	int rc;

	if (!contact_version_holds(call, contact))
		return;
	rc = fn(board_of(call), rpc_text(call, "agent"), rpc_text(call, "contact"), why);
	if (rc == 0) {
		uint32_t agent = router_find_agent(
			board_of(call)->router, rpc_text(call, "agent"), RESOURCE_BY_ANY);

		contact = pool_get(&board_of(call)->contacts, id);
		result = json_pack("{s:o, s:o}", "agent", agent_row(board_of(call), agent),
			"contact", contact ? contact_row(contact) : json_null());
	}
	rpc_finish(call, rc, why, result);
}

static void handle_accept(struct rpc_call *call)
{
	desk(call, desk_accept);
}

static void handle_reject(struct rpc_call *call)
{
	desk(call, desk_reject);
}

static void handle_leave(struct rpc_call *call)
{
	desk(call, desk_leave);
}

static int suspend_recording(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE])
{
	return desk_suspend_recording(board, agent, contact, true, why);
}

static int resume_recording(
	struct switchboard *board, const char *agent, const char *contact, char why[DESK_WHY_SIZE])
{
	return desk_suspend_recording(board, agent, contact, false, why);
}

static void handle_suspend_recording(struct rpc_call *call)
{
	desk(call, suspend_recording);
}

static void handle_resume_recording(struct rpc_call *call)
{
	desk(call, resume_recording);
}

static void handle_end(struct rpc_call *call)
{
	struct contact *contact = find(call);
	char why[DESK_WHY_SIZE] = "";
	uint64_t id;
	int rc;

	if (!contact || !contact_version_holds(call, contact))
		return;
	id = contact->id;
	rc = desk_end(board_of(call), rpc_text(call, "contact"), why);
	contact = pool_get(&board_of(call)->contacts, id);
	rpc_finish(call, rc, why,
		rc < 0 ? NULL
		       : json_pack("{s:s, s:o}", "id", rpc_text(call, "contact"), "contact",
				 contact ? contact_row(contact) : json_null()));
}

static const struct param list_params[] = {
	{"state", PARAM_TEXT, .min = 1, .max = 32, .help = "only those in this state"},
	PARAM_OFFSET, PARAM_LIMIT};
static const struct param get_params[] = {PARAM_CONTACT_OF(true)};
static const struct param desk_params[] = {PARAM_AGENT, PARAM_CONTACT_OF(false)};

static const struct verb verbs[] = {
	{"contact.list", ROLE_READER, VERB_PARAMS(list_params), .handle = handle_list,
		.help = "contacts and where each is"},
	{"contact.get", ROLE_READER, VERB_PARAMS(get_params), .handle = handle_get,
		.help = "one contact: legs with media statistics, segments, place in the queue"},
	{"contact.accept", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(desk_params), .handle = handle_accept,
		.help = "the agent takes the contact that is offered"},
	{"contact.reject", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(desk_params), .handle = handle_reject,
		.help = "the agent declines it; the caller keeps the place"},
	{"contact.leave", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(desk_params), .handle = handle_leave,
		.help = "the agent leaves: after-contact work begins"},
	{"contact.suspend_recording", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(desk_params), .handle = handle_suspend_recording,
		.help = "what is said on the agent's call is silence on its recordings"},
	{"contact.resume_recording", ROLE_DESKTOP, .changes = true, .versioned = true,
		VERB_PARAMS(desk_params), .handle = handle_resume_recording,
		.help = "it is recorded again"},
	{"contact.end", ROLE_SUPERVISOR, .changes = true, .versioned = true,
		VERB_PARAMS(get_params), .handle = handle_end, .help = "hangs up on everybody"},
};

const struct verb_group verbs_contact = {verbs, sizeof(verbs) / sizeof(verbs[0])};
