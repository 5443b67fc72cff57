/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/agent_stream.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "contact/switchboard.h"

#define VERSION "2017-10-01"

/* Heart-beats told in one pass of the loop: about half a millisecond's work. */
#define HEARTBEATS_AT_ONCE 20

/* ---- the segment in an agent's slot -------------------------------------------------------- */

/* False: the contact was gone before anything was told of it. */
static bool find_segment(
	const struct switchboard *board, const struct agent_snapshot *s, struct told_contact *found)
{
	struct contact *contact = pool_get(&board->contacts, s->contact.contact);
	const struct contact_segment *segment;

	if (!contact)
		return false;
	segment = contact_wrapped_by(contact, s->agent);
	if (!segment)
		segment = &contact->segment;
	*found = (struct told_contact){.contact = contact->id, .method = segment->method};
	memcpy(found->id, segment->id, sizeof(found->id));
	if (segment->previous[0])
		memcpy(found->initial, segment->initial, sizeof(found->initial));
	return true;
}

static bool segment_of(
	const struct switchboard *board, const struct agent_snapshot *s, struct told_contact *found)
{
	const struct agent_stream *stream = &board->agent_stream;

	if (s->contact.state == AGENT_SLOT_EMPTY)
		return false;
	if (s->agent < stream->n &&
		stream->agents[s->agent].contact.contact == s->contact.contact) {
		*found = stream->agents[s->agent].contact;
		return true;
	}
	return find_segment(board, s, found);
}

/* ---- the snapshot -------------------------------------------------------------------------- */

static json_t *moment(const struct switchboard *board, uint64_t ns)
{
	return ns ? event_time(clock_wall_at(&board->clock, ns)) : json_null();
}

static json_t *status(const struct switchboard *board, const struct agent_snapshot *s)
{
	static const char *const types[] = {"ROUTABLE", "CUSTOM", "OFFLINE"};

	return json_pack("{s:s, s:s, s:o, s:s}", "ARN", s->status->row.arn, "Name",
		s->status->row.name, "StartTimestamp", moment(board, s->status_since_ns), "Type",
		types[s->status->type]);
}

static json_t *next_status(const struct switchboard *board, const struct agent_snapshot *s)
{
	if (!s->next)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "ARN", s->next->row.arn, "Name", s->next->row.name,
		"EnqueuedTimestamp", moment(board, s->next_since_ns));
}

static json_t *queue_entry(const char *arn, const char *name)
{
	return json_pack("{s:s, s:s?, s:[s]}", "ARN", arn, "Name", name, "Channels", "VOICE");
}

static json_t *routing_profile(const struct resource_agent *row, bool free_slot)
{
	const struct resource_routing_profile *profile = row->routing_profile;
	const struct resource_queue *outbound = profile->default_outbound_queue;
	json_t *queues = json_array();

	for (uint32_t i = 0; i < profile->queue_count; i++)
		json_array_append_new(queues, queue_entry(profile->queues[i].queue->row.arn,
						      profile->queues[i].queue->row.name));
	json_array_append_new(queues, queue_entry(row->queue_arn, NULL));
	return json_pack("{s:s, s:s, s:o, s:o, s:[{s:s, s:i, s:i}]}", "ARN", profile->row.arn,
		"Name", profile->row.name, "DefaultOutboundQueue",
		outbound ? queue_entry(outbound->row.arn, outbound->row.name) : json_null(),
		"InboundQueues", queues, "Concurrency", "Channel", "VOICE", "AvailableSlots",
		free_slot ? 1 : 0, "MaximumSlots", 1);
}

static json_t *configuration(const struct agent_snapshot *s)
{
	return json_pack("{s:n, s:s, s:s, s:o, s:s}", "AgentHierarchyGroups", "FirstName",
		s->row->first_name, "LastName", s->row->last_name, "RoutingProfile",
		routing_profile(s->row, s->contact.state == AGENT_SLOT_EMPTY), "Username",
		s->row->row.name);
}

/* The queue that the contact came through; an agent's own has no name. */
static json_t *contact_queue(const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(board->router, queue);
	const char *arn = board_queue_arn(board, queue);

	return arn ? json_pack("{s:s, s:s?}", "ARN", arn, "Name", row ? row->row.name : NULL)
		   : json_null();
}

static json_t *contact_entry(const struct switchboard *board, const struct agent_snapshot *s)
{
	const char *state = agent_contact_state_name(&s->contact);
	struct told_contact c;

	if (!state || !segment_of(board, s, &c))
		return NULL;
	return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "ContactId", c.id,
		"InitialContactId", c.initial[0] ? c.initial : NULL, "Channel", "VOICE",
		"InitiationMethod", contact_method_name(c.method), "State", state,
		"StateStartTimestamp", moment(board, s->contact.state_since_ns),
		"ConnectedToAgentTimestamp", moment(board, s->contact.connected_at_ns),
		"QueueTimestamp", moment(board, s->contact.queued_at_ns), "Queue",
		contact_queue(board, s->contact.queue));
}

json_t *agent_snapshot_json(const struct switchboard *board, const struct agent_snapshot *s)
{
	json_t *contacts, *entry;

	if (!s->row || !s->status)
		return json_null();
	contacts = json_array();
	entry = contact_entry(board, s);
	if (entry)
		json_array_append_new(contacts, entry);
	return json_pack("{s:o, s:o, s:o, s:o}", "AgentStatus", status(board, s), "NextAgentStatus",
		next_status(board, s), "Configuration", configuration(s), "Contacts", contacts);
}

/* ---- who is due for a heart-beat ----------------------------------------------------------- */

static void unlist(struct agent_stream *stream, uint32_t agent)
{
	struct told_agent *told = &stream->agents[agent];

	if (told->older == agent)
		return;
	if (told->older == ROUTER_NONE)
		stream->oldest = told->newer;
	else
		stream->agents[told->older].newer = told->newer;
	if (told->newer == ROUTER_NONE)
		stream->newest = told->older;
	else
		stream->agents[told->newer].older = told->older;
	told->older = told->newer = agent;
}

static void list_newest(struct agent_stream *stream, uint32_t agent)
{
	struct told_agent *told = &stream->agents[agent];

	told->older = stream->newest;
	told->newer = ROUTER_NONE;
	if (stream->newest == ROUTER_NONE)
		stream->oldest = agent;
	else
		stream->agents[stream->newest].newer = agent;
	stream->newest = agent;
}

static uint64_t due(const struct switchboard *board)
{
	const struct agent_stream *stream = &board->agent_stream;

	return stream->agents[stream->oldest].last_ns + board->config->heartbeat_ns;
}

static void set_timer(struct switchboard *board)
{
	if (board->agent_stream.oldest == ROUTER_NONE)
		timers_cancel(board->timers, &board->agent_stream.heartbeat);
	else
		timers_set(board->timers, &board->agent_stream.heartbeat, due(board));
}

/* ---- events -------------------------------------------------------------------------------- */

/* False: no memory, and nothing is told. */
static bool make_room(struct agent_stream *stream, uint32_t agent)
{
	uint32_t n = agent + 1;
	struct told_agent *agents;

	if (agent < stream->n)
		return true;
	agents = realloc(stream->agents, n * sizeof(*agents));
	if (!agents)
		return false;
	for (uint32_t i = stream->n; i < n; i++)
		agents[i] = (struct told_agent){.older = i, .newer = i};
	stream->agents = agents;
	stream->n = n;
	return true;
}

static void tell(struct switchboard *board, uint32_t agent, const char *type, json_t *current,
	json_t *previous, uint64_t now_ns)
{
	struct agent_stream *stream = &board->agent_stream;
	struct told_agent *told = &stream->agents[agent];
	char id[RANDOM_UUID_SIZE];

	random_uuid(&board->random, id);
	event_append(board, "agent", now_ns,
		json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o}", "AWSAccountId",
			board->config->account, "AgentARN", told->arn, "EventTimestamp",
			event_time(clock_wall_at(&board->clock, now_ns)), "EventId", id,
			"EventType", type, "InstanceARN", instance_arn(board->instance), "Version",
			VERSION, "CurrentAgentSnapshot", current, "PreviousAgentSnapshot",
			previous));
	told->last_ns = now_ns;
	unlist(stream, agent);
	list_newest(stream, agent);
}

static const char *event_type(const struct router_effect *change)
{
	if (change->before.logged_in == change->after.logged_in)
		return "STATE_CHANGE";
	return change->after.logged_in ? "LOGIN" : "LOGOUT";
}

static void keep_contact(struct switchboard *board, const struct agent_snapshot *s)
{
	struct told_contact *kept = &board->agent_stream.agents[s->agent].contact;

	if (s->contact.state == AGENT_SLOT_EMPTY ||
		(kept->contact != s->contact.contact && !find_segment(board, s, kept)))
		kept->contact = 0;
}

void agent_event(struct switchboard *board, const struct router_effect *change)
{
	const struct agent_snapshot *before = &change->before, *after = &change->after;
	struct told_agent *told;
	json_t *previous;

	if ((!before->logged_in && !after->logged_in) ||
		!make_room(&board->agent_stream, change->agent))
		return;
	told = &board->agent_stream.agents[change->agent];
	if (!told->arn && after->row)
		told->arn = strdup(after->row->row.arn);
	/* a user whom a reload took away is told of again when the last contact is over */
	if (!told->arn || (!after->row && after->logged_in))
		return;
	previous = before->logged_in ? agent_snapshot_json(board, before) : json_null();
	keep_contact(board, after);
	told->logout_ns = after->logged_in ? 0 : change->at_ns;
	tell(board, change->agent, event_type(change), agent_snapshot_json(board, after), previous,
		change->at_ns);
	if (!after->row)
		unlist(&board->agent_stream, change->agent);
	set_timer(board);
}

static void beat(struct switchboard *board, uint32_t agent, uint64_t now_ns)
{
	const struct told_agent *told = &board->agent_stream.agents[agent];
	struct agent_snapshot s;
	json_t *snapshot;

	if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row ||
		(told->logout_ns && now_ns - told->logout_ns >= AGENT_STREAM_AFTER_LOGOUT)) {
		unlist(&board->agent_stream, agent);
		return;
	}
	snapshot = agent_snapshot_json(board, &s);
	tell(board, agent, "HEART_BEAT", snapshot, json_incref(snapshot), now_ns);
}

static void on_heartbeat(void *ctx, uint64_t now_ns)
{
	struct switchboard *board = ctx;

	for (int i = 0; i < HEARTBEATS_AT_ONCE && board->agent_stream.oldest != ROUTER_NONE &&
			due(board) <= now_ns;
		i++)
		beat(board, board->agent_stream.oldest, now_ns);
	set_timer(board);
}

/* ---- life ---------------------------------------------------------------------------------- */

void agent_stream_init(struct switchboard *board)
{
	board->agent_stream = (struct agent_stream){.oldest = ROUTER_NONE, .newest = ROUTER_NONE};
	timer_init(&board->agent_stream.heartbeat, on_heartbeat, board);
}

void agent_stream_clear(struct switchboard *board)
{
	struct agent_stream *stream = &board->agent_stream;

	timers_cancel(board->timers, &stream->heartbeat);
	for (uint32_t i = 0; i < stream->n; i++)
		free(stream->agents[i].arn);
	free(stream->agents);
	stream->agents = NULL;
	stream->n = 0;
	stream->oldest = stream->newest = ROUTER_NONE;
}
