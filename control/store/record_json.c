/* SPDX-License-Identifier: Apache-2.0 */
/* The public shape of a contact record: names, nesting and order. */
#include "store/records.h"

#include <string.h>

#include "base/clock.h"
#include "base/jot.h"

#define FORMAT_VERSION "2017-03-10"

void record_time(uint64_t wall_ns, char text[RECORD_TIME_SIZE])
{
	char iso[CLOCK_ISO_SIZE];

	clock_format(wall_ns, iso);
	memcpy(text, iso, RECORD_TIME_SIZE - 2);
	memcpy(text + RECORD_TIME_SIZE - 2, "Z", 2);
}

static void time_or_null(struct jot *j, const char *key, uint64_t wall_ns)
{
	char text[RECORD_TIME_SIZE];

	if (wall_ns == 0) {
		jot_null(j, key);
		return;
	}
	record_time(wall_ns, text);
	jot_text(j, key, str_make(text, RECORD_TIME_SIZE - 1));
}

static void name_part(
	struct jot *j, const char *key, const char *name_key, const struct record_name *n)
{
	jot_open(j, key, '{');
	jot_text_or_null(j, "ARN", n->arn);
	jot_text_or_null(j, name_key, n->name);
	jot_close(j, '}');
}

static bool no_name(const struct record_name *n)
{
	return n->arn.n == 0 && n->name.n == 0;
}

static void endpoint(struct jot *j, const char *key, const struct record_endpoint *e)
{
	if (e->address.n == 0) {
		jot_null(j, key);
		return;
	}
	jot_open(j, key, '{');
	jot_text(j, "Address", e->address);
	jot_text(j, "Type", e->type.n ? e->type : STR("TELEPHONE_NUMBER"));
	jot_close(j, '}');
}

/* Seconds between two times as they are written; what is not over yet lasts until the update. */
static uint64_t between(const struct record *r, uint64_t from_wall, uint64_t to_wall)
{
	uint64_t from = from_wall / CLOCK_S;
	uint64_t to = (to_wall ? to_wall : r->last_update_wall) / CLOCK_S;

	return from && to > from ? to - from : 0;
}

static void queue_part(struct jot *j, const struct record *r)
{
	if (!r->has_queue) {
		jot_null(j, "Queue");
		return;
	}
	jot_open(j, "Queue", '{');
	jot_text_or_null(j, "ARN", r->queue.queue.arn);
	jot_text_or_null(j, "Name", r->queue.queue.name);
	time_or_null(j, "EnqueueTimestamp", r->queue.enqueue_wall);
	time_or_null(j, "DequeueTimestamp", r->queue.dequeue_wall);
	jot_number(j, "Duration", between(r, r->queue.enqueue_wall, r->queue.dequeue_wall));
	jot_close(j, '}');
}

static void hierarchy(struct jot *j, const struct record *r)
{
	static const char *const levels[] = {"Level1", "Level2", "Level3", "Level4", "Level5"};
	unsigned n = 0;

	for (unsigned i = 0; i < 5; i++) {
		if (no_name(&r->agent.hierarchy[i]))
			continue;
		if (n++ == 0)
			jot_open(j, "HierarchyGroups", '{');
		name_part(j, levels[i], "GroupName", &r->agent.hierarchy[i]);
	}
	if (n)
		jot_close(j, '}');
	else
		jot_null(j, "HierarchyGroups");
}

static void transitions(struct jot *j, const struct record *r)
{
	if (r->agent.n_transitions == 0) {
		jot_null(j, "StateTransitions");
		return;
	}
	jot_open(j, "StateTransitions", '[');
	for (size_t i = 0; i < r->agent.n_transitions; i++) {
		const struct record_transition *t = &r->agent.transitions[i];

		jot_open(j, NULL, '{');
		jot_text_or_null(j, "state", t->state);
		time_or_null(j, "stateStartTimestamp", t->start_wall);
		time_or_null(j, "stateEndTimestamp", t->end_wall);
		jot_close(j, '}');
	}
	jot_close(j, ']');
}

/* The talk but for the holds. */
static uint64_t interaction(const struct record *r)
{
	uint64_t talk = between(r, r->agent.connected_wall, r->agent.ended_wall);
	uint64_t held = r->agent.hold_ns / CLOCK_S;

	return talk > held ? talk - held : 0;
}

static void agent_part(struct jot *j, const struct record *r)
{
	if (!r->has_agent) {
		jot_null(j, "Agent");
		return;
	}
	jot_open(j, "Agent", '{');
	jot_text_or_null(j, "ARN", r->agent.arn);
	jot_text_or_null(j, "Username", r->agent.username);
	hierarchy(j, r);
	if (no_name(&r->agent.routing_profile))
		jot_null(j, "RoutingProfile");
	else
		name_part(j, "RoutingProfile", "Name", &r->agent.routing_profile);
	time_or_null(j, "ConnectedToAgentTimestamp", r->agent.connected_wall);
	jot_number(j, "AgentInteractionDuration", interaction(r));
	jot_number(j, "CustomerHoldDuration", r->agent.hold_ns / CLOCK_S);
	jot_number(j, "LongestHoldDuration", r->agent.longest_hold_ns / CLOCK_S);
	jot_number(j, "NumberOfHolds", r->agent.holds);
	time_or_null(j, "AfterContactWorkStartTimestamp", r->agent.acw_start_wall);
	time_or_null(j, "AfterContactWorkEndTimestamp", r->agent.acw_end_wall);
	jot_number(j, "AfterContactWorkDuration",
		between(r, r->agent.acw_start_wall, r->agent.acw_end_wall));
	transitions(j, r);
	jot_close(j, '}');
}

static void pairs(struct jot *j, const char *key, const struct record_pair *p, size_t n)
{
	jot_open(j, key, '{');
	for (size_t i = 0; i < n; i++)
		jot_text_of(j, p[i].name, p[i].value);
	jot_close(j, '}');
}

static void references(struct jot *j, const struct record *r)
{
	jot_open(j, "References", '[');
	for (size_t i = 0; i < r->n_references; i++) {
		jot_open(j, NULL, '{');
		jot_text_or_null(j, "Name", r->references[i].name);
		jot_text_or_null(j, "Value", r->references[i].value);
		jot_close(j, '}');
	}
	jot_close(j, ']');
}

/* ---- quality ---- */

static void stream(struct jot *j, const char *key, const struct record_stream *s)
{
	if (!s->known) {
		jot_null(j, key);
		return;
	}
	jot_open(j, key, '{');
	jot_hundredths(j, "QualityScore", s->mos);
	jot_hundredths(j, "MinimumQualityScore", s->mos_min);
	jot_hundredths(j, "PacketLossPercent", s->loss_percent);
	jot_hundredths(j, "MaximumJitterMilliseconds", s->jitter_ms);
	jot_close(j, '}');
}

static void party_quality(struct jot *j, const char *key, const struct record_quality *q)
{
	if (!q->known) {
		jot_null(j, key);
		return;
	}
	jot_open(j, key, '{');
	jot_open(j, "Audio", '{');
	jot_hundredths(j, "QualityScore", q->score);
	jot_open(j, "PotentialQualityIssues", '[');
	for (unsigned i = 0; i < q->n_issues; i++)
		jot_text(j, NULL, str_from(q->issues[i]));
	jot_close(j, ']');
	stream(j, "FromParticipant", &q->from);
	stream(j, "ToParticipant", &q->to);
	if (q->round_trip_ms > 0)
		jot_hundredths(j, "MaximumRoundTripMilliseconds", q->round_trip_ms);
	else
		jot_null(j, "MaximumRoundTripMilliseconds");
	jot_close(j, '}');
	jot_close(j, '}');
}

static void quality(struct jot *j, const struct record *r)
{
	if (!r->agent_quality.known && !r->customer_quality.known) {
		jot_null(j, "QualityMetrics");
		return;
	}
	jot_open(j, "QualityMetrics", '{');
	party_quality(j, "Agent", &r->agent_quality);
	party_quality(j, "Customer", &r->customer_quality);
	jot_close(j, '}');
}

/* ---- recordings ---- */

static void location(struct jot *j, const struct record_recording *one)
{
	jot_text_or_null(j, "Location", one->failed ? STR_NULL : one->location);
}

static void available(struct jot *j, const struct record_recording *one)
{
	jot_text_or_null(j, "Status", one->failed ? STR_NULL : STR("AVAILABLE"));
}

static void recording(struct jot *j, const struct record *r)
{
	if (r->n_recordings == 0) {
		jot_null(j, "Recording");
		return;
	}
	jot_open(j, "Recording", '{');
	jot_null(j, "DeletionReason");
	location(j, &r->recordings[0]);
	available(j, &r->recordings[0]);
	jot_text(j, "Type", STR("AUDIO"));
	jot_close(j, '}');
}

static void recordings(struct jot *j, const struct record *r)
{
	if (r->n_recordings == 0) {
		jot_null(j, "Recordings");
		return;
	}
	jot_open(j, "Recordings", '[');
	for (size_t i = 0; i < r->n_recordings; i++) {
		const struct record_recording *one = &r->recordings[i];

		jot_open(j, NULL, '{');
		jot_null(j, "DeletionReason");
		jot_null(j, "FragmentStartNumber");
		jot_null(j, "FragmentStopNumber");
		location(j, one);
		jot_text(j, "MediaStreamType", STR("AUDIO"));
		jot_text_or_null(j, "ParticipantType", one->participant);
		time_or_null(j, "StartTimestamp", one->start_wall);
		available(j, one);
		time_or_null(j, "StopTimestamp", one->stop_wall);
		jot_text(j, "StorageType", STR("FILE"));
		jot_close(j, '}');
	}
	jot_close(j, ']');
}

static void put(struct jot *j, const struct record *r)
{
	jot_open(j, NULL, '{');
	jot_text_or_null(j, "AWSAccountId", r->account_id);
	jot_text(j, "AWSContactTraceRecordFormatVersion", STR(FORMAT_VERSION));
	agent_part(j, r);
	jot_number(j, "AgentConnectionAttempts", r->agent_attempts);
	pairs(j, "Attributes", r->attributes, r->n_attributes);
	jot_text(j, "Channel", r->channel.n ? r->channel : STR("VOICE"));
	time_or_null(j, "ConnectedToSystemTimestamp", r->connected_to_system_wall);
	jot_open(j, "ContactDetails", '{');
	jot_close(j, '}');
	jot_text(j, "ContactId", r->contact_id);
	endpoint(j, "CustomerEndpoint", &r->customer);
	jot_text_or_null(j, "DisconnectReason", r->disconnect_reason);
	time_or_null(j, "DisconnectTimestamp", r->disconnect_wall);
	jot_text(j, "InitialContactId", r->initial_contact_id);
	jot_text(j, "InitiationMethod", r->initiation_method);
	time_or_null(j, "InitiationTimestamp", r->initiation_wall);
	jot_text_or_null(j, "InstanceARN", r->instance_arn);
	time_or_null(j, "LastUpdateTimestamp", r->last_update_wall);
	jot_open(j, "MediaStreams", '[');
	jot_open(j, NULL, '{');
	jot_text(j, "Type", STR("AUDIO"));
	jot_close(j, '}');
	jot_close(j, ']');
	jot_text_or_null(j, "NextContactId", r->next_contact_id);
	jot_text_or_null(j, "PreviousContactId", r->previous_contact_id);
	quality(j, r);
	queue_part(j, r);
	recording(j, r);
	recordings(j, r);
	references(j, r);
	jot_text_or_null(j, "RelatedContactId", r->related_contact_id);
	time_or_null(j, "ScheduledTimestamp", r->scheduled_wall);
	endpoint(j, "SystemEndpoint", &r->system);
	pairs(j, "Tags", r->tags, r->n_tags);
	time_or_null(j, "TransferCompletedTimestamp", r->transfer_completed_wall);
	endpoint(j, "TransferredToEndpoint", &r->transferred_to);
	jot_close(j, '}');
}

bool record_json(const struct record *r, struct jot *j)
{
	if (!r->contact_id.n || !r->initial_contact_id.n || !r->initiation_method.n ||
		!r->last_update_wall)
		return false;
	put(j, r);
	return !j->failed;
}
