/* SPDX-License-Identifier: Apache-2.0 */
/* The public shape of a contact record: names, nesting and order. */
#include "store/records.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FORMAT_VERSION "2017-03-10"

static json_t *text_or_null(struct str s)
{
	return s.n ? json_stringn(s.p, s.n) : json_null();
}

void record_time(uint64_t wall_ns, char text[RECORD_TIME_SIZE])
{
	char iso[CLOCK_ISO_SIZE];

	clock_format(wall_ns, iso);
	memcpy(text, iso, RECORD_TIME_SIZE - 2);
	memcpy(text + RECORD_TIME_SIZE - 2, "Z", 2);
}

static json_t *time_or_null(uint64_t wall_ns)
{
	char text[RECORD_TIME_SIZE];

	if (wall_ns == 0)
		return json_null();
	record_time(wall_ns, text);
	return json_string(text);
}

static json_t *seconds(uint64_t ns)
{
	return json_integer((json_int_t)(ns / CLOCK_S));
}

static json_t *name_or_null(const struct record_name *n)
{
	if (n->arn.n == 0 && n->name.n == 0)
		return json_null();
	return json_pack("{s:o, s:o}", "ARN", text_or_null(n->arn), "Name", text_or_null(n->name));
}

static json_t *endpoint_or_null(const struct record_endpoint *e)
{
	if (e->address.n == 0)
		return json_null();
	return json_pack("{s:o, s:o}", "Address", text_or_null(e->address), "Type",
		e->type.n ? text_or_null(e->type) : json_string("TELEPHONE_NUMBER"));
}

/* Seconds between two times as they are written; what is not over yet lasts until the update. */
static uint64_t between(const struct record *r, uint64_t from_wall, uint64_t to_wall)
{
	uint64_t from = from_wall / CLOCK_S;
	uint64_t to = (to_wall ? to_wall : r->last_update_wall) / CLOCK_S;

	return from && to > from ? to - from : 0;
}

static json_t *queue_part(const struct record *r)
{
	if (!r->has_queue)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "ARN", text_or_null(r->queue.queue.arn),
		"Name", text_or_null(r->queue.queue.name), "EnqueueTimestamp",
		time_or_null(r->queue.enqueue_wall), "DequeueTimestamp",
		time_or_null(r->queue.dequeue_wall), "Duration",
		json_integer((json_int_t)between(r, r->queue.enqueue_wall, r->queue.dequeue_wall)));
}

static json_t *hierarchy(const struct record *r)
{
	static const char *const levels[] = {"Level1", "Level2", "Level3", "Level4", "Level5"};
	json_t *out = NULL;

	for (unsigned i = 0; i < 5; i++) {
		const struct record_name *n = &r->agent.hierarchy[i];

		if (n->arn.n == 0 && n->name.n == 0)
			continue;
		if (!out)
			out = json_object();
		json_object_set_new(out, levels[i],
			json_pack("{s:o, s:o}", "ARN", text_or_null(n->arn), "GroupName",
				text_or_null(n->name)));
	}
	return out ? out : json_null();
}

static json_t *transitions(const struct record *r)
{
	json_t *out;

	if (r->agent.n_transitions == 0)
		return json_null();
	out = json_array();
	for (size_t i = 0; i < r->agent.n_transitions; i++) {
		const struct record_transition *t = &r->agent.transitions[i];

		json_array_append_new(
			out, json_pack("{s:o, s:o, s:o}", "state", text_or_null(t->state),
				     "stateStartTimestamp", time_or_null(t->start_wall),
				     "stateEndTimestamp", time_or_null(t->end_wall)));
	}
	return out;
}

/* The talk but for the holds. */
static json_t *interaction(const struct record *r)
{
	uint64_t talk = between(r, r->agent.connected_wall, r->agent.ended_wall);
	uint64_t held = r->agent.hold_ns / CLOCK_S;

	return json_integer((json_int_t)(talk > held ? talk - held : 0));
}

static json_t *agent_part(const struct record *r)
{
	if (!r->has_agent)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "ARN",
		text_or_null(r->agent.arn), "Username", text_or_null(r->agent.username),
		"HierarchyGroups", hierarchy(r), "RoutingProfile",
		name_or_null(&r->agent.routing_profile), "ConnectedToAgentTimestamp",
		time_or_null(r->agent.connected_wall), "AgentInteractionDuration", interaction(r),
		"CustomerHoldDuration", seconds(r->agent.hold_ns), "LongestHoldDuration",
		seconds(r->agent.longest_hold_ns), "NumberOfHolds", (int)r->agent.holds,
		"AfterContactWorkStartTimestamp", time_or_null(r->agent.acw_start_wall),
		"AfterContactWorkEndTimestamp", time_or_null(r->agent.acw_end_wall),
		"AfterContactWorkDuration",
		json_integer(
			(json_int_t)between(r, r->agent.acw_start_wall, r->agent.acw_end_wall)),
		"StateTransitions", transitions(r));
}

static json_t *pairs(const struct record_pair *p, size_t n)
{
	json_t *out = json_object();

	for (size_t i = 0; out && i < n; i++) {
		char *name = str_dup(p[i].name);

		if (!name ||
			json_object_set_new(out, name, json_stringn(p[i].value.p, p[i].value.n))) {
			json_decref(out);
			out = NULL;
		}
		free(name);
	}
	return out;
}

static json_t *references(const struct record *r)
{
	json_t *out = json_array();

	for (size_t i = 0; out && i < r->n_references; i++)
		json_array_append_new(
			out, json_pack("{s:o, s:o}", "Name", text_or_null(r->references[i].name),
				     "Value", text_or_null(r->references[i].value)));
	return out;
}

/* ---- quality ---- */

static json_t *rounded(double value)
{
	return json_real(round(value * 100) / 100);
}

static json_t *stream(const struct record_stream *s)
{
	if (!s->known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "QualityScore", rounded(s->mos),
		"MinimumQualityScore", rounded(s->mos_min), "PacketLossPercent",
		rounded(s->loss_percent), "MaximumJitterMilliseconds", rounded(s->jitter_ms));
}

static json_t *party_quality(const struct record_quality *q)
{
	json_t *issues;

	if (!q->known)
		return json_null();
	issues = json_array();
	for (unsigned i = 0; i < q->n_issues; i++)
		json_array_append_new(issues, json_string(q->issues[i]));
	return json_pack("{s:{s:o, s:o, s:o, s:o, s:o}}", "Audio", "QualityScore",
		rounded(q->score), "PotentialQualityIssues", issues, "FromParticipant",
		stream(&q->from), "ToParticipant", stream(&q->to), "MaximumRoundTripMilliseconds",
		q->round_trip_ms > 0 ? rounded(q->round_trip_ms) : json_null());
}

static json_t *quality(const struct record *r)
{
	if (!r->agent_quality.known && !r->customer_quality.known)
		return json_null();
	return json_pack("{s:o, s:o}", "Agent", party_quality(&r->agent_quality), "Customer",
		party_quality(&r->customer_quality));
}

/* ---- recordings ---- */

static json_t *recording_location(const struct record_recording *one)
{
	return one->failed ? json_null() : text_or_null(one->location);
}

static json_t *recording_status(const struct record_recording *one)
{
	return one->failed ? json_null() : json_string("AVAILABLE");
}

static json_t *recording(const struct record *r)
{
	if (r->n_recordings == 0)
		return json_null();
	return json_pack("{s:n, s:o, s:o, s:s}", "DeletionReason", "Location",
		recording_location(&r->recordings[0]), "Status",
		recording_status(&r->recordings[0]), "Type", "AUDIO");
}

static json_t *recordings(const struct record *r)
{
	json_t *out = r->n_recordings ? json_array() : json_null();

	for (size_t i = 0; out && i < r->n_recordings; i++) {
		const struct record_recording *one = &r->recordings[i];

		if (json_array_append_new(out,
			    json_pack("{s:n, s:n, s:n, s:o, s:s, s:o, s:o, s:o, s:o, s:s}",
				    "DeletionReason", "FragmentStartNumber", "FragmentStopNumber",
				    "Location", recording_location(one), "MediaStreamType", "AUDIO",
				    "ParticipantType", text_or_null(one->participant),
				    "StartTimestamp", time_or_null(one->start_wall), "Status",
				    recording_status(one), "StopTimestamp",
				    time_or_null(one->stop_wall), "StorageType", "FILE"))) {
			json_decref(out);
			out = NULL;
		}
	}
	return out;
}

/* A NULL value (not UTF-8, no memory) spoils the whole record. */
static bool put(json_t *o, const char *name, json_t *value)
{
	return json_object_set_new(o, name, value) == 0;
}

static json_t *build(const struct record *r)
{
	json_t *o = json_object();
	struct str channel = r->channel.n ? r->channel : STR("VOICE");
	bool good = o != NULL;

	good = good && put(o, "AWSAccountId", text_or_null(r->account_id));
	good = good && put(o, "AWSContactTraceRecordFormatVersion", json_string(FORMAT_VERSION));
	good = good && put(o, "Agent", agent_part(r));
	good = good && put(o, "AgentConnectionAttempts", json_integer(r->agent_attempts));
	good = good && put(o, "Attributes", pairs(r->attributes, r->n_attributes));
	good = good && put(o, "Channel", text_or_null(channel));
	good = good &&
	       put(o, "ConnectedToSystemTimestamp", time_or_null(r->connected_to_system_wall));
	good = good && put(o, "ContactDetails", json_object());
	good = good && put(o, "ContactId", text_or_null(r->contact_id));
	good = good && put(o, "CustomerEndpoint", endpoint_or_null(&r->customer));
	good = good && put(o, "DisconnectReason", text_or_null(r->disconnect_reason));
	good = good && put(o, "DisconnectTimestamp", time_or_null(r->disconnect_wall));
	good = good && put(o, "InitialContactId", text_or_null(r->initial_contact_id));
	good = good && put(o, "InitiationMethod", text_or_null(r->initiation_method));
	good = good && put(o, "InitiationTimestamp", time_or_null(r->initiation_wall));
	good = good && put(o, "InstanceARN", text_or_null(r->instance_arn));
	good = good && put(o, "LastUpdateTimestamp", time_or_null(r->last_update_wall));
	good = good && put(o, "MediaStreams", json_pack("[{s:s}]", "Type", "AUDIO"));
	good = good && put(o, "NextContactId", text_or_null(r->next_contact_id));
	good = good && put(o, "PreviousContactId", text_or_null(r->previous_contact_id));
	good = good && put(o, "QualityMetrics", quality(r));
	good = good && put(o, "Queue", queue_part(r));
	good = good && put(o, "Recording", recording(r));
	good = good && put(o, "Recordings", recordings(r));
	good = good && put(o, "References", references(r));
	good = good && put(o, "RelatedContactId", text_or_null(r->related_contact_id));
	good = good && put(o, "ScheduledTimestamp", time_or_null(r->scheduled_wall));
	good = good && put(o, "SystemEndpoint", endpoint_or_null(&r->system));
	good = good && put(o, "Tags", pairs(r->tags, r->n_tags));
	good = good &&
	       put(o, "TransferCompletedTimestamp", time_or_null(r->transfer_completed_wall));
	good = good && put(o, "TransferredToEndpoint", endpoint_or_null(&r->transferred_to));
	if (good)
		return o;
	json_decref(o);
	return NULL;
}

char *record_json(const struct record *r)
{
	json_t *o;
	char *text;

	if (!r->contact_id.n || !r->initial_contact_id.n || !r->initiation_method.n ||
		!r->last_update_wall)
		return NULL;
	o = build(r);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}
