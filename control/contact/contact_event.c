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
#include <stdio.h>
#include <stdlib.h>

#include "base/jot.h"
#include "base/log.h"
#include "contact/switchboard.h"

struct jot *event_begin(struct switchboard *board)
{
	jot_reset(&board->event);
	jot_open(&board->event, NULL, '{');
	return &board->event;
}

void event_end(struct switchboard *board, const char *topic, uint64_t now_ns)
{
	struct jot *j = &board->event;
	uint64_t number;

	jot_close(j, '}');
	if (j->failed || events_append(board->events, topic, clock_wall_at(&board->clock, now_ns),
				 jot_str(j), &number) < 0)
		log_error_limited(NULL, "event", 10, "an event of topic %s was lost", topic);
}

/* ---- contact events ---- */

static void queue_info(
	struct jot *j, const struct contact *contact, const struct contact_segment *s)
{
	const struct switchboard *board = contact->board;
	bool agent;

	if (s->queue == ROUTER_NONE) {
		jot_null(j, "QueueInfo");
		return;
	}
	agent = router_queue_agent(board->router, s->queue) != ROUTER_NONE;
	jot_open(j, "QueueInfo", '{');
	jot_text_or_null(j, "QueueArn", str_from(board_queue_arn(board, s->queue)));
	jot_text(j, "QueueType", agent ? STR("AGENT") : STR("STANDARD"));
	jot_time(j, "EnqueueTimestamp", contact_wall(contact, s->queued));
	jot_close(j, '}');
}

static void agent_info(
	struct jot *j, const struct contact *contact, const struct contact_segment *s)
{
	const struct resource_agent *row =
		s->agent == ROUTER_NONE || !s->agent_connected
			? NULL
			: router_agent_row(contact->board->router, s->agent);

	if (!row) {
		jot_null(j, "AgentInfo");
		return;
	}
	jot_open(j, "AgentInfo", '{');
	jot_text(j, "AgentArn", str_from(row->row.arn));
	jot_time(j, "ConnectedToAgentTimestamp", contact_wall(contact, s->agent_connected));
	jot_close(j, '}');
}

void contact_event(struct contact *contact, const char *type, uint64_t now_ns)
{
	segment_event(contact, &contact->segment, type, now_ns);
}

static void put_type(struct jot *j, struct switchboard *board, const char *type, uint64_t now_ns)
{
	jot_text(j, "EventType", str_from(type));
	jot_time(j, "EventTimestamp", clock_wall_at(&board->clock, now_ns));
}

static void put_segment(
	struct jot *j, const struct contact *contact, const struct contact_segment *s)
{
	jot_text(j, "ContactId", str_from(s->id));
	jot_text(j, "InitialContactId", str_from(s->initial));
	jot_text_or_null(j, "PreviousContactId", str_from(s->previous));
	jot_text(j, "Channel", STR("VOICE"));
	jot_text(j, "InstanceArn", str_from(instance_arn(contact->board->instance)));
	jot_text(j, "InitiationMethod", str_from(contact_method_name(s->method)));
	jot_time(j, "InitiationTimestamp", contact_wall(contact, s->initiated));
	jot_time(j, "ConnectedToSystemTimestamp", contact_wall(contact, s->connected));
	jot_time(j, "DisconnectTimestamp", contact_wall(contact, s->disconnected));
	jot_text_or_null(j, "DisconnectReason", str_from(contact_reason_name(s->reason)));
	queue_info(j, contact, s);
	agent_info(j, contact, s);
}

static struct jot *begin_segment_event(
	struct contact *contact, const struct contact_segment *s, const char *type, uint64_t now_ns)
{
	struct jot *j = event_begin(contact->board);

	put_type(j, contact->board, type, now_ns);
	put_segment(j, contact, s);
	return j;
}

void segment_event(
	struct contact *contact, const struct contact_segment *s, const char *type, uint64_t now_ns)
{
	begin_segment_event(contact, s, type, now_ns);
	event_end(contact->board, "contact", now_ns);
}

void participant_event(
	struct contact *contact, enum leg_role role, const char *type, uint64_t now_ns)
{
	static const char *const roles[] = {[LEG_CUSTOMER] = "CUSTOMER",
		[LEG_AGENT] = "AGENT",
		[LEG_THIRD_PARTY] = "THIRD_PARTY",
		[LEG_SUPERVISOR] = "SUPERVISOR"};
	struct jot *j = begin_segment_event(contact, &contact->segment, type, now_ns);

	jot_text(j, "ParticipantRole", str_from(roles[role]));
	event_end(contact->board, "contact", now_ns);
}

/* ---- events of recordings ---- */

struct recording_note recording_note(
	struct contact *contact, const struct segment_recording *recording, const char *path)
{
	struct jot *j = &contact->board->event;
	struct recording_note note = {.participant = recording_participant(recording),
		.started_wall = contact_wall(contact, recording->started),
		.stopped_wall = contact_wall(contact, recording->stopped)};

	if (!recording->failed)
		snprintf(note.path, sizeof(note.path), "%s", path);
	jot_reset(j);
	put_segment(j, contact, &contact->segment);
	note.segment = j->failed ? NULL : str_dup(jot_str(j));
	return note;
}

void recording_note_drop(struct recording_note *note)
{
	free(note->segment);
	note->segment = NULL;
}

void recording_event(struct switchboard *board, struct recording_note *note, const char *type,
	const char *reason, uint64_t now_ns)
{
	struct jot *j = event_begin(board);

	put_type(j, board, type, now_ns);
	if (note->segment)
		jot_fields(j, str_from(note->segment));
	jot_open(j, "Recording", '{');
	jot_text_or_null(j, "Location", str_from(note->path));
	jot_text(j, "MediaStreamType", STR("AUDIO"));
	jot_text(j, "ParticipantType", str_from(note->participant));
	jot_time(j, "StartTimestamp", note->started_wall);
	jot_time(j, "StopTimestamp", note->stopped_wall);
	jot_text(j, "StorageType", STR("FILE"));
	jot_close(j, '}');
	jot_text_or_null(j, "Reason", str_from(reason));
	event_end(board, "contact", now_ns);
	recording_note_drop(note);
}

/* ---- system events ---- */

void system_event(struct switchboard *board, const char *type, const char *text)
{
	struct jot *j = event_begin(board);
	uint64_t now_ns = board_now(board);

	put_type(j, board, type, now_ns);
	jot_text(j, "Text", str_from(text));
	event_end(board, "system", now_ns);
}
