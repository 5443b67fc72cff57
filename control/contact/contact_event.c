/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told to those who subscribe: contact events, the agent event stream (R104 to R110),
 * system events. Stored input and attributes never appear in them.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

/* Appends the object and drops it. */
static void append(struct switchboard *board, const char *topic, uint64_t now_ns, json_t *object)
{
	uint64_t number;
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int rc = text ? events_append(board->events, topic, clock_wall_at(&board->clock, now_ns),
				str_from(text), &number)
		      : -1;

	if (rc < 0)
		log_error_limited(NULL, "event", 10, "an event of topic %s was lost", topic);
	free(text);
	json_decref(object);
}

static json_t *stamp(uint64_t wall_ns)
{
	char text[CLOCK_ISO_SIZE];

	if (!wall_ns)
		return json_null();
	clock_format(wall_ns, text);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

/* ---- contact events ---- */

static json_t *queue_info(const struct contact *contact)
{
	const struct contact_segment *s = &contact->segment;
	const struct switchboard *board = contact->board;

	if (s->queue == ROUTER_NONE)
		return json_null();
	return json_pack("{s:s?, s:s, s:o}", "QueueArn", board_queue_arn(board, s->queue),
		"QueueType",
		router_queue_agent(board->router, s->queue) == ROUTER_NONE ? "STANDARD" : "AGENT",
		"EnqueueTimestamp", stamp(contact_wall(contact, s->queued)));
}

static json_t *agent_info(const struct contact *contact)
{
	const struct contact_segment *s = &contact->segment;
	const struct resource_agent *row =
		s->agent == ROUTER_NONE || !s->agent_connected
			? NULL
			: router_agent_row(contact->board->router, s->agent);

	if (!row)
		return json_null();
	return json_pack("{s:s, s:o}", "AgentArn", row->row.arn, "ConnectedToAgentTimestamp",
		stamp(contact_wall(contact, s->agent_connected)));
}

void contact_event(struct contact *contact, const char *type, uint64_t now_ns)
{
	const struct contact_segment *s = &contact->segment;

	append(contact->board, "contact", now_ns,
		json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
			"EventType", type, "EventTimestamp", stamp(contact_wall(contact, now_ns)),
			"ContactId", s->id, "InitialContactId", s->initial, "PreviousContactId",
			text_or_null(s->previous), "Channel", "VOICE", "InstanceArn",
			instance_arn(contact->board->instance), "InitiationMethod",
			contact_method_name(s->method), "InitiationTimestamp",
			stamp(contact_wall(contact, s->initiated)), "ConnectedToSystemTimestamp",
			stamp(contact_wall(contact, s->connected)), "DisconnectTimestamp",
			stamp(contact_wall(contact, s->disconnected)), "DisconnectReason",
			text_or_null(contact_reason_name(s->reason)), "QueueInfo",
			queue_info(contact), "AgentInfo", agent_info(contact)));
}

/* ---- the agent event stream ---- */

static json_t *status(const struct switchboard *board, const struct agent_snapshot *s)
{
	static const char *const types[] = {"ROUTABLE", "CUSTOM", "OFFLINE"};

	return json_pack("{s:s, s:s, s:o, s:s}", "ARN", s->status->row.arn, "Name",
		s->status->row.name, "StartTimestamp",
		stamp(clock_wall_at(&board->clock, s->status_since_ns)), "Type",
		types[s->status->type]);
}

static json_t *next_status(const struct switchboard *board, const struct agent_snapshot *s)
{
	if (!s->next)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "ARN", s->next->row.arn, "Name", s->next->row.name,
		"EnqueuedTimestamp", stamp(clock_wall_at(&board->clock, s->next_since_ns)));
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

static json_t *moment(const struct switchboard *board, uint64_t ns)
{
	return ns ? stamp(clock_wall_at(&board->clock, ns)) : json_null();
}

static json_t *contact_entry(const struct switchboard *board, const struct agent_snapshot *s)
{
	struct contact *contact = pool_get(&board->contacts, s->contact.contact);
	const struct contact_segment *segment = NULL;
	const struct resource_queue *queue = router_queue_row(board->router, s->contact.queue);
	const char *state = agent_contact_state_name(&s->contact);

	if (!state || !contact)
		return NULL;
	segment = contact_wrapped_by(contact, s->agent);
	if (!segment)
		segment = &contact->segment;
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "ContactId", segment->id,
		"InitialContactId",
		segment->previous[0] ? json_string(segment->initial) : json_null(), "Channel",
		"VOICE", "InitiationMethod", contact_method_name(segment->method), "State", state,
		"StateStartTimestamp", moment(board, s->contact.state_since_ns),
		"ConnectedToAgentTimestamp", moment(board, s->contact.connected_at_ns),
		"QueueTimestamp", moment(board, s->contact.queued_at_ns), "Queue",
		queue ? json_pack("{s:s, s:s}", "ARN", queue->row.arn, "Name", queue->row.name)
		      : json_null());
}

json_t *agent_snapshot_json(const struct switchboard *board, const struct agent_snapshot *s)
{
	json_t *contacts = json_array(), *entry;

	if (!s->row || !s->status) {
		json_decref(contacts);
		return json_null();
	}
	entry = contact_entry(board, s);
	if (entry)
		json_array_append_new(contacts, entry);
	return json_pack("{s:o, s:o, s:o, s:o}", "AgentStatus", status(board, s), "NextAgentStatus",
		next_status(board, s), "Configuration", configuration(s), "Contacts", contacts);
}

static const char *event_type(const struct router_effect *change)
{
	if (change->before.logged_in == change->after.logged_in)
		return "STATE_CHANGE";
	return change->after.logged_in ? "LOGIN" : "LOGOUT";
}

void agent_event(struct switchboard *board, const struct router_effect *change)
{
	char id[RANDOM_UUID_SIZE];

	if (!change->after.row)
		return;
	random_uuid(&board->random, id);
	append(board, "agent", change->at_ns,
		json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o}", "AWSAccountId",
			board->config->account, "AgentARN", change->after.row->row.arn,
			"EventTimestamp", stamp(clock_wall_at(&board->clock, change->at_ns)),
			"EventId", id, "EventType", event_type(change), "InstanceARN",
			instance_arn(board->instance), "Version", "2017-10-01",
			"CurrentAgentSnapshot", agent_snapshot_json(board, &change->after),
			"PreviousAgentSnapshot",
			change->before.logged_in ? agent_snapshot_json(board, &change->before)
						 : json_null()));
}

/* ---- system events ---- */

void system_event(struct switchboard *board, const char *type, const char *text)
{
	uint64_t now_ns = board_now(board);

	append(board, "system", now_ns,
		json_pack("{s:s, s:o, s:s}", "EventType", type, "EventTimestamp",
			stamp(clock_wall_at(&board->clock, now_ns)), "Text", text));
}
