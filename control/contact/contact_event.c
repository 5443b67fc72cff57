/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told to those who subscribe: contact events and system events (agents: agent_stream.c).
 * Stored input and attributes never appear in them.
 *
 * Of each contact id, in this order, what applies: INITIATED, CONNECTED_TO_SYSTEM, QUEUED,
 * CONNECTED_TO_AGENT, DISCONNECTED, COMPLETED. A callback is QUEUED, maybe more than once, before it
 * is CONNECTED_TO_SYSTEM. COMPLETED: its record is complete, after-contact work included; without a
 * record (the caller gave up before the answer) there is none. In between, any number of MEDIA_LOST
 * and MEDIA_BACK: no media came for `media_timeout` from the party of `ParticipantRole`, and it
 * came again.
 *
 * Of each recording (recording.h), with its `Recording` as in the contact record: RECORDING_STARTED;
 * any number of RECORDING_PAUSED (`Reason`: REQUESTED, SECURE_INPUT or FLOW) and RECORDING_RESUMED; and
 * when its file is closed, which may be after COMPLETED, RECORDING_ENDED, or RECORDING_FAILED (`Reason`:
 * the error), which is also all that is told of one that could not be begun. What was being written when
 * control was ended or killed is repaired at the next start, and no more is told of it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

void event_append(struct switchboard *board, const char *topic, uint64_t now_ns, json_t *object)
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

json_t *event_time(uint64_t wall_ns)
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

static json_t *queue_info(const struct contact *contact, const struct contact_segment *s)
{
	const struct switchboard *board = contact->board;

	if (s->queue == ROUTER_NONE)
		return json_null();
	return json_pack("{s:s?, s:s, s:o}", "QueueArn", board_queue_arn(board, s->queue),
		"QueueType",
		router_queue_agent(board->router, s->queue) == ROUTER_NONE ? "STANDARD" : "AGENT",
		"EnqueueTimestamp", event_time(contact_wall(contact, s->queued)));
}

static json_t *agent_info(const struct contact *contact, const struct contact_segment *s)
{
	const struct resource_agent *row =
		s->agent == ROUTER_NONE || !s->agent_connected
			? NULL
			: router_agent_row(contact->board->router, s->agent);

	if (!row)
		return json_null();
	return json_pack("{s:s, s:o}", "AgentArn", row->row.arn, "ConnectedToAgentTimestamp",
		event_time(contact_wall(contact, s->agent_connected)));
}

void contact_event(struct contact *contact, const char *type, uint64_t now_ns)
{
	segment_event(contact, &contact->segment, type, now_ns);
}

static json_t *segment_json(
	struct contact *contact, const struct contact_segment *s, const char *type, uint64_t now_ns)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"EventType", type, "EventTimestamp", event_time(contact_wall(contact, now_ns)),
		"ContactId", s->id, "InitialContactId", s->initial, "PreviousContactId",
		text_or_null(s->previous), "Channel", "VOICE", "InstanceArn",
		instance_arn(contact->board->instance), "InitiationMethod",
		contact_method_name(s->method), "InitiationTimestamp",
		event_time(contact_wall(contact, s->initiated)), "ConnectedToSystemTimestamp",
		event_time(contact_wall(contact, s->connected)), "DisconnectTimestamp",
		event_time(contact_wall(contact, s->disconnected)), "DisconnectReason",
		text_or_null(contact_reason_name(s->reason)), "QueueInfo", queue_info(contact, s),
		"AgentInfo", agent_info(contact, s));
}

void segment_event(
	struct contact *contact, const struct contact_segment *s, const char *type, uint64_t now_ns)
{
	event_append(contact->board, "contact", now_ns, segment_json(contact, s, type, now_ns));
}

void participant_event(
	struct contact *contact, enum leg_role role, const char *type, uint64_t now_ns)
{
	static const char *const roles[] = {[LEG_CUSTOMER] = "CUSTOMER",
		[LEG_AGENT] = "AGENT",
		[LEG_THIRD_PARTY] = "THIRD_PARTY",
		[LEG_SUPERVISOR] = "SUPERVISOR"};
	json_t *event = segment_json(contact, &contact->segment, type, now_ns);

	json_object_set_new(event, "ParticipantRole", json_string(roles[role]));
	event_append(contact->board, "contact", now_ns, event);
}

json_t *recording_event_json(struct contact *contact, const struct segment_recording *recording,
	const char *path, uint64_t now_ns)
{
	json_t *event = segment_json(contact, &contact->segment, "", now_ns);

	json_object_set_new(event, "Recording",
		json_pack("{s:o, s:s, s:s, s:o, s:o, s:s}", "Location",
			text_or_null(recording->failed ? NULL : path), "MediaStreamType", "AUDIO",
			"ParticipantType", recording_participant(recording), "StartTimestamp",
			event_time(contact_wall(contact, recording->started)), "StopTimestamp",
			event_time(contact_wall(contact, recording->stopped)), "StorageType",
			"FILE"));
	return event;
}

void recording_event(struct switchboard *board, json_t *event, const char *type, const char *reason,
	uint64_t now_ns)
{
	json_object_set_new(event, "EventType", json_string(type));
	json_object_set_new(
		event, "EventTimestamp", event_time(clock_wall_at(&board->clock, now_ns)));
	json_object_set_new(event, "Reason", text_or_null(reason));
	event_append(board, "contact", now_ns, event);
}

/* ---- system events ---- */

void system_event(struct switchboard *board, const char *type, const char *text)
{
	uint64_t now_ns = board_now(board);

	event_append(board, "system", now_ns,
		json_pack("{s:s, s:o, s:s}", "EventType", type, "EventTimestamp",
			event_time(clock_wall_at(&board->clock, now_ns)), "Text", text));
}
