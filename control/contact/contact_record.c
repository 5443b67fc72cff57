/* SPDX-License-Identifier: Apache-2.0 */
/* A segment of a contact as the value that the store keeps (store/records.h). */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "contact/switchboard.h"

#define ATTRIBUTES_MAX 1024

static void put_queue(
	const struct contact *contact, const struct contact_segment *s, struct record *record)
{
	const struct resource_queue *row;

	if (s->queue == ROUTER_NONE)
		return;
	row = router_queue_row(contact->board->router, s->queue);
	record->has_queue = true;
	record->queue.queue.arn = str_from(board_queue_arn(contact->board, s->queue));
	record->queue.queue.name = str_from(row ? row->row.name : NULL);
	record->queue.enqueue_wall = contact_wall(contact, s->queued);
	record->queue.dequeue_wall = contact_wall(contact, s->dequeued);
}

/* A hold that goes on counts up to now. */
static void put_holds(const struct contact_segment *s, struct record *record, uint64_t now_ns)
{
	uint64_t running_ns = s->hold_started ? now_ns - s->hold_started : 0;

	record->agent.holds = s->holds;
	record->agent.hold_ns = s->hold_total + running_ns;
	record->agent.longest_hold_ns = running_ns > s->hold_longest ? running_ns : s->hold_longest;
}

static void put_agent(const struct contact *contact, const struct contact_segment *s,
	struct record *record, uint64_t now_ns)
{
	const struct resource_agent *row =
		s->agent == ROUTER_NONE || !s->agent_connected
			? NULL
			: router_agent_row(contact->board->router, s->agent);

	if (!row)
		return;
	record->has_agent = true;
	record->agent.arn = str_from(row->row.arn);
	record->agent.username = str_from(row->row.name);
	record->agent.routing_profile = (struct record_name){
		str_from(row->routing_profile->row.arn), str_from(row->routing_profile->row.name)};
	record->agent.connected_wall = contact_wall(contact, s->agent_connected);
	record->agent.acw_start_wall = contact_wall(contact, s->acw_started);
	record->agent.acw_end_wall = contact_wall(contact, s->acw_ended);
	record->agent.ended_wall = contact_wall(contact, s->agent_ended);
	put_holds(s, record, now_ns);
}

static struct record_stream stream_record(const struct quality_total *t)
{
	return (struct record_stream){.known = t->samples > 0,
		.mos = quality_total_mos(t),
		.mos_min = t->mos_min,
		.loss_percent = t->of ? 100.0 * (double)t->lost / (double)t->of : 0,
		.jitter_ms = t->jitter_max_ms};
}

static struct record_quality quality_record(const struct quality_party *party)
{
	struct record_quality q = {.score = quality_party_mos(party),
		.from = stream_record(&party->from),
		.to = stream_record(&party->to),
		.round_trip_ms = party->round_trip_max_ms};
	unsigned issues = quality_issues(party);

	q.known = q.from.known || q.to.known;
	for (unsigned i = 0; i < QUALITY_ISSUES; i++)
		if (issues >> i & 1)
			q.issues[q.n_issues++] = quality_issue_name(i);
	return q;
}

static size_t put_pairs(const struct attributes *store, struct record_pair *pairs, size_t max)
{
	struct attributes_cursor cursor = {0};
	struct attribute attribute;
	size_t n = 0;

	while (n < max && attributes_next(store, &cursor, &attribute))
		pairs[n++] =
			(struct record_pair){str_from(attribute.name), str_from(attribute.value)};
	return n;
}

static size_t put_recordings(const struct contact *contact, const struct contact_segment *s,
	struct record_recording rows[SEGMENT_RECORDINGS_MAX],
	char paths[SEGMENT_RECORDINGS_MAX][RECORDING_PATH_SIZE])
{
	for (unsigned i = 0; i < s->n_recordings; i++) {
		recording_path_of(contact, s, i, paths[i]);
		rows[i] = (struct record_recording){.location = str_from(paths[i]),
			.participant = str_from(recording_participant(&s->recording[i])),
			.start_wall = contact_wall(contact, s->recording[i].started),
			.stop_wall = contact_wall(contact, s->recording[i].stopped),
			.failed = s->recording[i].failed};
	}
	return s->n_recordings;
}

void contact_record_put(
	struct contact *contact, const struct contact_segment *s, bool complete, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	struct record_pair pairs[ATTRIBUTES_MAX], tags[CONTACT_TAGS_MAX],
		references[CONTACT_REFERENCES_MAX];
	struct record_recording recordings[SEGMENT_RECORDINGS_MAX];
	char paths[SEGMENT_RECORDINGS_MAX][RECORDING_PATH_SIZE];
	struct record record = {.complete = complete,
		.contact_id = str_from(s->id),
		.initial_contact_id = str_from(s->initial),
		.previous_contact_id = str_from(s->previous),
		.next_contact_id = str_from(s->next),
		.initiation_method = str_from(contact_method_name(s->method)),
		.account_id = str_from(board->config->account),
		.instance_arn = str_from(instance_arn(board->instance)),
		.disconnect_reason = str_from(contact_reason_name(s->reason)),
		.initiation_wall = contact_wall(contact, s->initiated),
		.connected_to_system_wall = contact_wall(contact, s->connected),
		.disconnect_wall = contact_wall(contact, s->disconnected),
		.last_update_wall = contact_wall(contact, now_ns),
		.customer = {.address = str_from(contact->customer_number)},
		.system = {.address = str_from(contact->system_number)},
		.scheduled_wall = contact_wall(contact, s->scheduled),
		.transfer_completed_wall = contact_wall(contact, s->transferred),
		.transferred_to = {.address = str_from(s->transferred_to)},
		.agent_attempts = s->attempts,
		.agent_quality = quality_record(&s->agent_quality),
		.customer_quality = quality_record(&s->customer_quality)};
	int rc;

	put_queue(contact, s, &record);
	put_agent(contact, s, &record, now_ns);
	record.attributes = pairs;
	record.n_attributes = put_pairs(&contact->memory.attributes, pairs, ATTRIBUTES_MAX);
	record.tags = tags;
	record.n_tags = put_pairs(&contact->data.tags, tags, CONTACT_TAGS_MAX);
	record.references = references;
	record.n_references =
		put_pairs(&contact->data.references, references, CONTACT_REFERENCES_MAX);
	record.recordings = recordings;
	record.n_recordings = put_recordings(contact, s, recordings, paths);
	rc = records_put(board->records, &record);
	if (rc < 0)
		log_error_limited(LOG_CALL(s->id, 0), "contact", 10,
			"the record could not be stored: %s", strerror(-rc));
	else if (complete && s->disconnected)
		segment_event(contact, s, "COMPLETED", now_ns);
}
