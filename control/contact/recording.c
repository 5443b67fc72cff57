/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "contact/desk.h"
#include "contact/switchboard.h"

/* A recording that runs: from the tap in the room to the file. It goes when the tap has ended. */
struct tape {
	struct switchboard *board;
	struct media_tap *tap;
	struct recording *file; /* NULL: none could be begun */
	enum segment_recording_kind kind;
	char segment[RANDOM_UUID_SIZE]; /* whose recording it is, */
	unsigned n;                     /* and which of them */
	bool paused;
	struct recording_note
		last; /* its last event, as far as it is known before the file is closed */
};

static struct segment_recording *last_of(struct contact_segment *segment)
{
	return &segment->recording[segment->n_recordings - 1];
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static bool agent_is_joined(const struct contact *contact)
{
	const struct call *call = contact->call;

	return call->talking && contact->party != CONFERENCE_NOBODY &&
	       party_is_on_call(&call->conference.party[contact->party]);
}

/* The flows have the customer. */
static bool is_automated(const struct contact *contact)
{
	const struct leg *customer = contact->call->customer;

	return !contact->call->talking && customer && customer->contact == contact &&
	       customer->up && contact_is_live(contact);
}

/* Whether a recording of this kind has its place in the present state. */
static bool has_place(const struct contact *contact, enum segment_recording_kind kind)
{
	return kind == SEGMENT_RECORDING_AGENT ? agent_is_joined(contact) : is_automated(contact);
}

static bool is_wanted(const struct contact *contact, enum segment_recording_kind kind)
{
	const struct contact_data *d = &contact->data;

	return kind == SEGMENT_RECORDING_AGENT ? d->recording.agent || d->recording.customer
					       : d->recording.ivr;
}

/* ---- who is heard ---------------------------------------------------------------------------- */

static void automated_masks(const struct contact *contact, struct media_tap_masks *masks)
{
	const struct call *call = contact->call;

	for (unsigned i = 0; i < call->n_legs; i++)
		if (call->legs[i] == call->customer && contact->state != CONTACT_BRIDGED)
			masks->left = masks->players = (uint16_t)(1u << i);
}

static void agent_masks(const struct contact *contact, struct media_tap_masks *masks)
{
	const struct call *call = contact->call;

	for (unsigned i = 0; i < call->n_legs; i++) {
		const struct leg *leg = call->legs[i];

		if (!conference_is_recorded(&call->conference, leg->party))
			continue;
		if (leg->role == LEG_CUSTOMER && contact->data.recording.customer)
			masks->left |= (uint16_t)(1u << i);
		if (leg->role != LEG_CUSTOMER && contact->data.recording.agent)
			masks->right |= (uint16_t)(1u << i);
	}
}

/* Why the whole recording is silent, in the words of its event; NULL: it is not. */
static const char *pause_of(const struct contact *contact)
{
	const struct call *call = contact->call;

	if (call->recording_suspended)
		return "REQUESTED";
	if (call->takes_secret || timer_is_set(&call->quiet))
		return "SECURE_INPUT";
	return is_wanted(contact, contact->tape->kind) ? NULL : "FLOW";
}

unsigned recording_masks(const struct call *call, struct media_tap_masks masks[MEDIA_TAPS_MAX])
{
	unsigned n = 0;

	for (const struct contact *contact = call->contacts; contact;
		contact = contact->call_next) {
		const struct tape *tape = contact->tape;

		if (!tape || n == MEDIA_TAPS_MAX || call->n_legs + n == MEDIA_MEMBERS_MAX)
			continue;
		masks[n] = (struct media_tap_masks){.tap = tape->tap};
		if (!pause_of(contact)) {
			if (tape->kind == SEGMENT_RECORDING_AGENT)
				agent_masks(contact, &masks[n]);
			else
				automated_masks(contact, &masks[n]);
		}
		n++;
	}
	return n;
}

/* ---- begin and end --------------------------------------------------------------------------- */

const char *recording_participant(const struct segment_recording *r)
{
	if (r->kind == SEGMENT_RECORDING_AUTOMATED)
		return "IVR";
	return r->agent && r->customer ? "ALL" : r->agent ? "AGENT" : "CUSTOMER";
}

/* The first file of a kind bears the segment's id, a further one its number too. */
static void name_of(
	const struct contact_segment *segment, unsigned n, char name[RECORDING_NAME_MAX])
{
	enum segment_recording_kind kind = segment->recording[n].kind;
	unsigned number = 1;

	for (unsigned i = 0; i < n; i++)
		number += segment->recording[i].kind == kind;
	snprintf(name, RECORDING_NAME_MAX, "%s%s", segment->id,
		kind == SEGMENT_RECORDING_AGENT ? "" : "_ivr");
	if (number > 1)
		snprintf(name + strlen(name), RECORDING_NAME_MAX - strlen(name), "_%u", number);
}

void recording_path_of(const struct contact *contact, const struct contact_segment *segment,
	unsigned n, char path[RECORDING_PATH_SIZE])
{
	char name[RECORDING_NAME_MAX];

	name_of(segment, n, name);
	recording_path(contact->board->recordings, name,
		contact_wall(contact, segment->recording[n].started), path);
}

/* The record links it no more. One that has been completed meanwhile stays; the event says it. */
static void failed(struct tape *tape, int error, uint64_t now_ns)
{
	struct contact *contact = board_find_contact(tape->board, tape->segment);

	tape->last.path[0] = '\0';
	recording_event(tape->board, &tape->last, "RECORDING_FAILED", strerror(-error), now_ns);
	if (!contact)
		return;
	contact->segment.recording[tape->n].failed = true;
	contact_record_put(contact, &contact->segment, false, now_ns);
}

static void on_done(void *ctx, const struct recording_result *result)
{
	struct tape *tape = ctx;

	if (result->error == -ECANCELED) /* the process ends: nobody is there to be told */
		recording_note_drop(&tape->last);
	else if (result->error)
		failed(tape, result->error, board_now(tape->board));
	else
		recording_event(
			tape->board, &tape->last, "RECORDING_ENDED", NULL, board_now(tape->board));
	if (result->lost || result->missing)
		log_warning(NULL, "contact",
			"recording: of %.1f s, %.2f s were not heard and "
			"%.2f s not kept: silence",
			(double)result->frames / 50, (double)result->missing / 50,
			(double)result->lost / 50);
	free(tape);
}

static int tape_begin(struct contact *contact, enum segment_recording_kind kind, uint64_t now_ns)
{
	struct switchboard *board = contact->board;
	struct contact_segment *s = &contact->segment;
	struct tape *tape = calloc(1, sizeof(*tape));
	uint32_t rate_hz = board->config->recording_rate == 0 ? 8000 : 16000;
	char name[RECORDING_NAME_MAX];
	int rc = tape ? media_tap_open(board->media, rate_hz, tape, &tape->tap) : -ENOMEM;

	if (rc < 0) {
		free(tape);
		return rc;
	}
	tape->board = board;
	tape->kind = kind;
	tape->n = s->n_recordings;
	memcpy(tape->segment, s->id, sizeof(tape->segment));
	s->recording[s->n_recordings++] = (struct segment_recording){.kind = kind,
		.agent = contact->data.recording.agent,
		.customer = contact->data.recording.customer,
		.started = now_ns};
	name_of(s, s->n_recordings - 1, name);
	rc = recording_start(board->recordings,
		&(struct recording_config){.name = name,
			.wall_ns = contact_wall(contact, now_ns),
			.rate_hz = rate_hz,
			.done = on_done,
			.ctx = tape},
		&tape->file);
	if (rc < 0) {
		s->n_recordings--;
		media_tap_close(tape->tap); /* the tape goes with it */
		return rc;
	}
	contact->tape = tape;
	return 0;
}

/* The event of the segment's last recording, but for what it says of it. */
static struct recording_note note_of(struct contact *contact)
{
	char path[RECORDING_PATH_SIZE];

	recording_path_of(contact, &contact->segment, contact->segment.n_recordings - 1, path);
	return recording_note(contact, last_of(&contact->segment), path);
}

static void tell(struct contact *contact, const char *type, const char *reason, uint64_t now_ns)
{
	struct recording_note note = note_of(contact);

	recording_event(contact->board, &note, type, reason, now_ns);
}

/* Once for each time that it is wanted. */
static void tell_refused(
	struct contact *contact, enum segment_recording_kind kind, int error, uint64_t now_ns)
{
	const struct segment_recording none = {.kind = kind,
		.agent = contact->data.recording.agent,
		.customer = contact->data.recording.customer,
		.failed = true};
	struct recording_note note;

	if (contact->recording_refused)
		return;
	note = recording_note(contact, &none, "");
	recording_event(contact->board, &note, "RECORDING_FAILED", strerror(-error), now_ns);
	contact->recording_refused = true;
}

static void begin(struct contact *contact, enum segment_recording_kind kind, uint64_t now_ns)
{
	struct contact_segment *s = &contact->segment;
	int rc = s->n_recordings < SEGMENT_RECORDINGS_MAX ? tape_begin(contact, kind, now_ns)
							  : -ENOSPC;

	if (rc < 0) {
		log_error_limited(LOG_CALL(s->id, 0), "contact", 10,
			"the recording cannot be begun: %s", strerror(-rc));
		tell_refused(contact, kind, rc, now_ns);
		return;
	}
	contact->recording_refused = false;
	log_info(LOG_CALL(s->id, 0), "contact", "recording begins: %s",
		recording_location(contact->tape->file));
	tell(contact, "RECORDING_STARTED", NULL, now_ns);
	contact_record_put(contact, s, false, now_ns);
}

void recording_stop(struct contact *contact, uint64_t now_ns)
{
	struct tape *tape = contact->tape;

	if (!tape)
		return;
	last_of(&contact->segment)->stopped = now_ns;
	tape->last = note_of(contact);
	contact->tape = NULL;
	media_tap_close(tape->tap);
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "recording ends");
}

static void follow_pause(struct contact *contact, uint64_t now_ns)
{
	const char *why = pause_of(contact);

	if (contact->tape->paused == (why != NULL))
		return;
	contact->tape->paused = why != NULL;
	tell(contact, why ? "RECORDING_PAUSED" : "RECORDING_RESUMED", why, now_ns);
}

/* ---- secret input ---------------------------------------------------------------------------- */

static void on_quiet_over(void *ctx, uint64_t now_ns)
{
	hearing_apply(ctx);
}

static void follow_secrets(struct call *call, uint64_t now_ns)
{
	bool secret = false;

	for (unsigned i = 0; i < call->n_legs && !secret; i++)
		secret = flow_run_takes_secret(&call->legs[i]->treatment->run);
	if (call->takes_secret && !secret) {
		timer_init(&call->quiet, on_quiet_over, call);
		timers_set(call->board->timers, &call->quiet, now_ns + RECORDING_QUIET_NS);
	} else if (secret) {
		timers_cancel(call->board->timers, &call->quiet);
	}
	call->takes_secret = secret;
}

void recording_forget(struct call *call)
{
	timers_cancel(call->board->timers, &call->quiet);
}

void recording_follow(struct call *call, uint64_t now_ns)
{
	if (!call->board->recordings)
		return;
	follow_secrets(call, now_ns);
	for (struct contact *contact = call->contacts; contact; contact = contact->call_next) {
		enum segment_recording_kind kind = agent_is_joined(contact)
							   ? SEGMENT_RECORDING_AGENT
							   : SEGMENT_RECORDING_AUTOMATED;

		if (contact->tape && (contact->tape->kind != kind || !has_place(contact, kind)))
			recording_stop(contact, now_ns);
		if (!has_place(contact, kind) || !is_wanted(contact, kind))
			contact->recording_refused = false;
		else if (!contact->tape)
			begin(contact, kind, now_ns);
		if (contact->tape)
			follow_pause(contact, now_ns);
	}
}

/* ---- from the tap to the file ---------------------------------------------------------------- */

void recording_frame_came(
	struct tape *tape, uint64_t period, const int16_t *left, const int16_t *right)
{
	if (tape->file)
		recording_frame(tape->file, period, left, right);
}

void recording_tap_ended(struct tape *tape)
{
	if (tape->file)
		recording_end(tape->file);
	else
		free(tape);
}

/* ---- verbs ----------------------------------------------------------------------------------- */

int desk_suspend_recording(struct switchboard *board, const char *agent, const char *contact_id,
	bool suspended, char why[DESK_WHY_SIZE])
{
	struct agent_snapshot s = {0};
	struct contact *contact = NULL;
	int rc = desk_find_call(board, agent, contact_id, &s, &contact, why);

	if (rc < 0 || !contact)
		return rc;
	if (!contact->tape)
		return desk_refuse(why, -EINVAL, "the contact is not being recorded");
	if (contact->call->recording_suspended == suspended)
		return 0;
	contact->call->recording_suspended = suspended;
	log_info(LOG_CALL(contact->segment.id, 0), "contact", "recording %s",
		suspended ? "suspended" : "resumed");
	hearing_apply(contact->call);
	call_show(contact->call);
	return 0;
}
