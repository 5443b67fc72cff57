/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/agent_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/jot.h"
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

static void moment(struct jot *j, const char *key, const struct switchboard *board, uint64_t ns)
{
	jot_time(j, key, ns ? clock_wall_at(&board->clock, ns) : 0);
}

static void status(struct jot *j, const struct switchboard *board, const struct agent_snapshot *s)
{
	static const char *const types[] = {"ROUTABLE", "CUSTOM", "OFFLINE"};

	jot_open(j, "AgentStatus", '{');
	jot_text(j, "ARN", str_from(s->status->row.arn));
	jot_text(j, "Name", str_from(s->status->row.name));
	moment(j, "StartTimestamp", board, s->status_since_ns);
	jot_text(j, "Type", str_from(types[s->status->type]));
	jot_close(j, '}');
}

static void next_status(
	struct jot *j, const struct switchboard *board, const struct agent_snapshot *s)
{
	if (!s->next) {
		jot_null(j, "NextAgentStatus");
		return;
	}
	jot_open(j, "NextAgentStatus", '{');
	jot_text(j, "ARN", str_from(s->next->row.arn));
	jot_text(j, "Name", str_from(s->next->row.name));
	moment(j, "EnqueuedTimestamp", board, s->next_since_ns);
	jot_close(j, '}');
}

static void queue_entry(struct jot *j, const char *key, const char *arn, const char *name)
{
	jot_open(j, key, '{');
	jot_text(j, "ARN", str_from(arn));
	jot_text_or_null(j, "Name", str_from(name));
	jot_open(j, "Channels", '[');
	jot_text(j, NULL, STR("VOICE"));
	jot_close(j, ']');
	jot_close(j, '}');
}

static void concurrency(struct jot *j, bool free_slot)
{
	jot_open(j, "Concurrency", '[');
	jot_open(j, NULL, '{');
	jot_text(j, "Channel", STR("VOICE"));
	jot_number(j, "AvailableSlots", free_slot);
	jot_number(j, "MaximumSlots", 1);
	jot_close(j, '}');
	jot_close(j, ']');
}

static void routing_profile(struct jot *j, const struct resource_agent *row, bool free_slot)
{
	const struct resource_routing_profile *profile = row->routing_profile;
	const struct resource_queue *outbound = profile->default_outbound_queue;

	jot_open(j, "RoutingProfile", '{');
	jot_text(j, "ARN", str_from(profile->row.arn));
	jot_text(j, "Name", str_from(profile->row.name));
	if (outbound)
		queue_entry(j, "DefaultOutboundQueue", outbound->row.arn, outbound->row.name);
	else
		jot_null(j, "DefaultOutboundQueue");
	jot_open(j, "InboundQueues", '[');
	for (uint32_t i = 0; i < profile->queue_count; i++)
		queue_entry(j, NULL, profile->queues[i].queue->row.arn,
			profile->queues[i].queue->row.name);
	queue_entry(j, NULL, row->queue_arn, NULL);
	jot_close(j, ']');
	concurrency(j, free_slot);
	jot_close(j, '}');
}

static void configuration(struct jot *j, const struct agent_snapshot *s)
{
	jot_open(j, "Configuration", '{');
	jot_null(j, "AgentHierarchyGroups");
	jot_text(j, "FirstName", str_from(s->row->first_name));
	jot_text(j, "LastName", str_from(s->row->last_name));
	routing_profile(j, s->row, s->contact.state == AGENT_SLOT_EMPTY);
	jot_text(j, "Username", str_from(s->row->row.name));
	jot_close(j, '}');
}

/* The queue that the contact came through; an agent's own has no name. */
static void contact_queue(struct jot *j, const struct switchboard *board, uint32_t queue)
{
	const struct resource_queue *row = router_queue_row(board->router, queue);
	const char *arn = board_queue_arn(board, queue);

	if (!arn) {
		jot_null(j, "Queue");
		return;
	}
	jot_open(j, "Queue", '{');
	jot_text(j, "ARN", str_from(arn));
	jot_text_or_null(j, "Name", str_from(row ? row->row.name : NULL));
	jot_close(j, '}');
}

static void contact_entry(
	struct jot *j, const struct switchboard *board, const struct agent_snapshot *s)
{
	const char *state = agent_contact_state_name(&s->contact);
	struct told_contact c;

	if (!state || !segment_of(board, s, &c))
		return;
	jot_open(j, NULL, '{');
	jot_text(j, "ContactId", str_from(c.id));
	jot_text_or_null(j, "InitialContactId", str_from(c.initial));
	jot_text(j, "Channel", STR("VOICE"));
	jot_text(j, "InitiationMethod", str_from(contact_method_name(c.method)));
	jot_text(j, "State", str_from(state));
	moment(j, "StateStartTimestamp", board, s->contact.state_since_ns);
	moment(j, "ConnectedToAgentTimestamp", board, s->contact.connected_at_ns);
	moment(j, "QueueTimestamp", board, s->contact.queued_at_ns);
	contact_queue(j, board, s->contact.queue);
	jot_close(j, '}');
}

void agent_snapshot_write(struct jot *j, const char *key, const struct switchboard *board,
	const struct agent_snapshot *s)
{
	if (!s->row || !s->status) {
		jot_null(j, key);
		return;
	}
	jot_open(j, key, '{');
	status(j, board, s);
	next_status(j, board, s);
	configuration(j, s);
	jot_open(j, "Contacts", '[');
	contact_entry(j, board, s);
	jot_close(j, ']');
	jot_close(j, '}');
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

/* Up to the snapshots: both are there when tell() ends it. */
static struct jot *begin_event(
	struct switchboard *board, uint32_t agent, const char *type, uint64_t now_ns)
{
	struct jot *j = event_begin(board);
	char id[RANDOM_UUID_SIZE];

	random_uuid(&board->random, id);
	jot_text_or_null(j, "AWSAccountId", str_from(board->config->account));
	jot_text(j, "AgentARN", str_from(board->agent_stream.agents[agent].arn));
	jot_time(j, "EventTimestamp", clock_wall_at(&board->clock, now_ns));
	jot_text(j, "EventId", str_from(id));
	jot_text(j, "EventType", str_from(type));
	jot_text(j, "InstanceARN", str_from(instance_arn(board->instance)));
	jot_text(j, "Version", STR(VERSION));
	return j;
}

static void tell(struct switchboard *board, uint32_t agent, uint64_t now_ns)
{
	struct agent_stream *stream = &board->agent_stream;

	event_end(board, "agent", now_ns);
	stream->agents[agent].last_ns = now_ns;
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
	struct jot *j;

	if ((!before->logged_in && !after->logged_in) ||
		!make_room(&board->agent_stream, change->agent))
		return;
	told = &board->agent_stream.agents[change->agent];
	if (!told->arn && after->row)
		told->arn = strdup(after->row->row.arn);
	/* a user whom a reload took away is told of again when the last contact is over */
	if (!told->arn || (!after->row && after->logged_in))
		return;
	j = begin_event(board, change->agent, event_type(change), change->at_ns);
	/* before the contact that it shows is another */
	if (before->logged_in)
		agent_snapshot_write(j, "PreviousAgentSnapshot", board, before);
	else
		jot_null(j, "PreviousAgentSnapshot");
	keep_contact(board, after);
	agent_snapshot_write(j, "CurrentAgentSnapshot", board, after);
	told->logout_ns = after->logged_in ? 0 : change->at_ns;
	tell(board, change->agent, change->at_ns);
	if (!after->row)
		unlist(&board->agent_stream, change->agent);
	set_timer(board);
}

static void beat(struct switchboard *board, uint32_t agent, uint64_t now_ns)
{
	const struct told_agent *told = &board->agent_stream.agents[agent];
	struct agent_snapshot s;
	struct jot *j;

	if (router_agent_snapshot(board->router, agent, &s) < 0 || !s.row ||
		(told->logout_ns && now_ns - told->logout_ns >= AGENT_STREAM_AFTER_LOGOUT)) {
		unlist(&board->agent_stream, agent);
		return;
	}
	j = begin_event(board, agent, "HEART_BEAT", now_ns);
	agent_snapshot_write(j, "PreviousAgentSnapshot", board, &s);
	agent_snapshot_write(j, "CurrentAgentSnapshot", board, &s);
	tell(board, agent, now_ns);
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
