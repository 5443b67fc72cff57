/* SPDX-License-Identifier: Apache-2.0 */
#include "media/media.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "media/model.h"

/* ---- what the dataplane tells ---------------------------------------------------------------- */

/*
 * A callback may close the leg while there is more to tell about it: the leg stays allocated as
 * long as it is held (unanswered), and nothing is told any more once its room is gone.
 */
static void told_key(void *ctx, char digit, uint64_t time_ns)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->key)
		cb->key(cb->ctx, leg->ctx, digit, time_ns);
}

static void told_keys_lost(void *ctx, unsigned count)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->keys_lost)
		cb->keys_lost(cb->ctx, leg->ctx, count);
}

static void told_media(void *ctx)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->first_media)
		cb->first_media(cb->ctx, leg->ctx);
}

static void told_media_lost(void *ctx)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->media_lost)
		cb->media_lost(cb->ctx, leg->ctx);
}

static void told_media_back(void *ctx)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->media_back)
		cb->media_back(cb->ctx, leg->ctx);
}

static void told_media_learned(void *ctx, const struct cord_address *address)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;
	struct address learned = model_address(address);

	if (leg->room && cb->media_learned)
		cb->media_learned(cb->ctx, leg->ctx, &learned);
}

static void told_player_end(void *ctx, uint32_t generation)
{
	struct media_leg *leg = ctx;

	if (leg->room)
		play_ended(leg, generation);
}

static void told_digits_sent(void *ctx)
{
	struct media_leg *leg = ctx;
	const struct media_callbacks *cb = &leg->media->config.callbacks;

	if (leg->room && cb->digits_sent)
		cb->digits_sent(cb->ctx, leg->ctx, 0);
}

static struct track_told told_to(struct media_leg *leg)
{
	return (struct track_told){
		.ctx = leg,
		.key = told_key,
		.keys_lost = told_keys_lost,
		.media = told_media,
		.media_lost = told_media_lost,
		.media_back = told_media_back,
		.media_learned = told_media_learned,
		.player_end = told_player_end,
		.digits_sent = told_digits_sent,
	};
}

static void leg_hold(struct media_leg *leg)
{
	leg->unanswered++;
}

static void leg_unhold(struct media_leg *leg)
{
	leg->unanswered--;
	if (!leg->room)
		model_leg_free(leg);
}

/* Tells what the status says and no event has told. */
static void reread(struct media_leg *leg)
{
	struct media *m = leg->media;
	const struct track_told told = told_to(leg);
	struct cord_port_status status;

	m->rereads++;
	if (!attach_port_status(m->attach, cord_id_slot(leg->id), &status) ||
		status.port != leg->id)
		return;
	leg_hold(leg);
	track_status(&leg->track, &status, loop_now(m->loop), &told);
	leg_unhold(leg);
}

void model_leg_check(struct media_leg *leg)
{
	struct media *m = leg->media;
	struct cord_port_status status;
	bool known = attach_port_status(m->attach, cord_id_slot(leg->id), &status) &&
		     status.port == leg->id;

	/* A status that is being written for long is no reason to open the port once more. */
	if (!known && attach_port_at(m->attach, cord_id_slot(leg->id)) != leg->id) {
		if (leg->open)
			leg->id = placement_port_renew(m->placement, leg->id, loop_now(m->loop));
		leg->open = false;
		play_again(leg);
		return;
	}
	leg->open = true;
	leg->changed = true;
	if (known && leg->play_state == PLAY_RUNNING && status.player_generation != leg->generation)
		play_again(leg);
	else
		play_codec(leg);
	m->reread_all = true;
}

static cord_id event_port(const struct cord_message *m)
{
	switch (m->type) {
	case CORD_EVENT_MEDIA_FIRST:
		return m->event_media_first.port;
	case CORD_EVENT_MEDIA_LOST:
		return m->event_media_lost.port;
	case CORD_EVENT_MEDIA_LEARNED:
		return m->event_media_learned.port;
	case CORD_EVENT_MEDIA_BACK:
		return m->event_media_back.port;
	case CORD_EVENT_DIGIT:
		return m->event_digit.port;
	case CORD_EVENT_PLAYER_END:
		return m->event_player_end.port;
	case CORD_EVENT_DIGITS_SENT:
		return m->event_digits_sent.port;
	default:
		return 0;
	}
}

static struct media_leg *leg_by_id(const struct media *m, cord_id id)
{
	uint32_t slot = cord_id_slot(id);
	struct media_leg *leg = slot < m->shape.ports ? m->leg_at[slot] : NULL;

	return leg && leg->id == id ? leg : NULL;
}

static void event_came(void *ctx, unsigned worker, const struct cord_message *message)
{
	struct media *m = ctx;
	struct media_leg *leg;

	if (message->type == CORD_EVENT_DONE) {
		if (!commands_answer(m->commands, worker, message))
			m->events_stale++;
		return;
	}
	leg = leg_by_id(m, event_port(message));
	if (!leg || !leg->open) {
		m->events_stale++;
		return;
	}
	const struct track_told told = told_to(leg);

	leg_hold(leg);
	if (track_event(&leg->track, message, &told) && leg->room)
		reread(leg);
	leg_unhold(leg);
}

/* UINT_MAX: of every worker. */
static void catch_up(struct media *m, unsigned worker)
{
	for (uint32_t slot = 0; slot < m->shape.ports && m->state == MEDIA_UP; slot++) {
		struct media_leg *leg = m->leg_at[slot];

		if (leg && leg->open && (worker == UINT_MAX || leg->room->worker == worker))
			reread(leg);
	}
}

/* A worker that found its event ring full counted it: what it could not say is in the status. */
static void watch_lost_events(struct media *m)
{
	for (unsigned w = 0; w < m->shape.workers; w++) {
		uint64_t lost = attach_counter(m->attach, w, CORD_COUNTER_events_lost);

		if (lost == m->events_lost[w])
			continue;
		m->events_lost[w] = lost;
		catch_up(m, w);
	}
}

static void flush(void *ctx)
{
	struct media *m = ctx;

	if (m->state != MEDIA_UP)
		return;
	if (m->reread_all) {
		m->reread_all = false;
		catch_up(m, UINT_MAX);
	}
	if (m->dirty || m->closing)
		send_all(m);
}

static void pass(void *ctx, uint64_t now_ns)
{
	struct media *m = ctx;

	commands_pass(m->commands, now_ns);
	watch_lost_events(m);
	flush(m);
	clips_pump(m->clips);
	taps_pump(m);
}

/* ---- the lease ------------------------------------------------------------------------------ */

static int carrier_give(
	void *ctx, cord_clip_id id, enum cord_clip_format format, int fd, uint64_t bytes)
{
	return attach_clip_add(((struct media *)ctx)->attach, id, format, fd, bytes);
}

static int carrier_remove(void *ctx, cord_clip_id id)
{
	return attach_clip_remove(((struct media *)ctx)->attach, id);
}

static void clip_is_ready(void *ctx, cord_clip_id id, uint32_t format, uint32_t result)
{
	struct media *m = ctx;

	clips_given(m->clips, id, format, result == CORD_ATTACH_RESULT_OK ? 0 : -EPROTO,
		cord_attach_result_name(result));
}

static void clip_is_removed(void *ctx, cord_clip_id id, uint32_t result)
{
}

static void tap_is_ready(void *ctx, cord_id id, uint32_t result)
{
	taps_ready(ctx, id, result);
}

static void tap_is_removed(void *ctx, cord_id id, uint32_t result)
{
	taps_removed(ctx, id);
}

static int make_places(struct media *m, const struct attach_shape *shape)
{
	struct placement *placement;
	struct media_leg **leg_at = calloc(shape->ports, sizeof(*leg_at));
	struct placement_shape places = {.workers = shape->workers,
		.ports = shape->ports,
		.rooms = shape->rooms,
		.rooms_per_worker = shape->rooms_per_worker,
		.addresses = shape->addresses};
	int error;

	for (uint32_t i = 0; i < shape->addresses; i++)
		places.family[i] = shape->address[i].family;
	error = leg_at ? placement_create(&places, &placement) : -ENOMEM;
	if (error) {
		free(leg_at);
		return error;
	}
	placement_destroy(m->placement);
	free(m->leg_at);
	m->placement = placement;
	m->leg_at = leg_at;
	m->shape = *shape;
	return 0;
}

static bool keeps_place(
	const struct media_leg *leg, const struct attach_shape *old, const struct attach_shape *new)
{
	uint32_t slot = cord_id_slot(leg->id);
	struct cord_address before = model_local(old, slot), after;

	if (slot >= new->ports)
		return false;
	after = model_local(new, slot);
	return cord_address_equal(&before, &after);
}

static void move_room(struct media *m, struct media_room *room, uint64_t now_ns)
{
	unsigned worker = admission_worker(m);

	room->id = 0;
	room->failed = placement_room(m->placement, worker, now_ns, &room->id) != 0;
	room->worker = room->failed ? 0 : worker;
}

/* Another shape: the legs whose address is still there keep it, rooms find a worker again. */
static void move_in(struct media *m, const struct attach_shape *old)
{
	uint64_t now_ns = loop_now(m->loop);

	for (struct media_room *room = m->rooms; room; room = room->next) {
		if (room->worker >= m->shape.workers ||
			!placement_room_claim(m->placement, room->id, room->worker))
			move_room(m, room, now_ns);
		model_weigh(room);
		for (struct media_leg *leg = room->legs; leg; leg = leg->next) {
			if (!keeps_place(leg, old, &m->shape) ||
				!placement_port_claim(m->placement, leg->id))
				leg->id = 0;
			else
				m->leg_at[cord_id_slot(leg->id)] = leg;
		}
	}
}

static void fail_homeless(struct media *m)
{
	for (struct media_room *room = m->rooms; room; room = room->next) {
		for (struct media_leg *leg = room->legs; leg; leg = leg->next) {
			if (leg->id == 0)
				model_leg_failed(leg, "the new dataplane lacks its UDP port");
			else if (room->failed)
				model_leg_failed(
					leg, "the new dataplane has no space for its room");
		}
	}
}

static bool same_places(const struct attach_shape *a, const struct attach_shape *b)
{
	return attach_shape_same_ports(a, b) && a->workers == b->workers && a->rooms == b->rooms &&
	       a->rooms_per_worker == b->rooms_per_worker;
}

/* A new dataplane has nothing of ours. */
static void restore(struct media *m)
{
	for (struct media_room *room = m->rooms; room; room = room->next) {
		room->open = false;
		room->failed = room->id == 0;
		room->refused = 0;
		room->changed = true;
		for (struct media_leg *leg = room->legs; leg; leg = leg->next) {
			leg->open = leg->changed = false;
			leg->refused = 0;
			play_again(leg);
		}
		send_later(room);
	}
}

/* The same dataplane as before: it has what we had, and perhaps less. */
static void compare(struct media *m)
{
	unsigned worker;

	for (struct media_room *room = m->rooms; room; room = room->next) {
		room->open = attach_room_at(m->attach, cord_id_slot(room->id), &worker) == room->id;
		if (!room->open)
			room->id = placement_room_renew(m->placement, room->id, loop_now(m->loop));
		room->changed = true;
		for (struct media_leg *leg = room->legs; leg; leg = leg->next)
			if (leg->open)
				model_leg_check(leg);
		send_later(room);
	}
}

static void attached(void *ctx, bool same_epoch)
{
	struct media *m = ctx;
	const struct attach_shape *shape = attach_shape(m->attach);
	const struct media_callbacks *cb = &m->config.callbacks;
	const struct clips_carrier carrier = {
		.ctx = m, .give = carrier_give, .remove = carrier_remove};
	struct attach_shape old = m->shape;
	bool restarted = m->placement && !same_epoch;

	if (restarted)
		send_closing_done(m);
	admission_begin(m, shape->workers);
	if (!m->placement || !same_places(&m->shape, shape)) {
		int error = make_places(m, shape);

		CHECK(error == 0);
		if (restarted)
			move_in(m, &old);
	}
	m->shape = *shape;
	m->state = MEDIA_UP;
	memset(m->events_lost, 0, sizeof(m->events_lost));
	for (unsigned w = 0; w < shape->workers; w++)
		m->events_lost[w] = attach_counter(m->attach, w, CORD_COUNTER_events_lost);
	commands_attach(m->commands, m->attach, shape->workers);
	clips_attach(m->clips, &carrier);
	taps_attached(m);
	orphans_attached(m);
	admission_attached(m);
	if (same_epoch)
		compare(m);
	else
		restore(m);
	if (cb->up)
		cb->up(cb->ctx, restarted);
	if (restarted)
		fail_homeless(m);
	loop_task_set(m->loop, &m->flush);
}

static void tell_digits_lost(struct media *m)
{
	const struct media_callbacks *cb = &m->config.callbacks;

	for (uint32_t slot = 0; slot < m->shape.ports; slot++) {
		struct media_leg *leg = m->leg_at[slot];

		if (!leg || !leg->track.digits)
			continue;
		leg->track.digits = leg->track.digits_applied = false;
		if (cb->digits_sent)
			cb->digits_sent(cb->ctx, leg->ctx, -ECONNRESET);
	}
}

static void detached(void *ctx, const char *why)
{
	struct media *m = ctx;
	const struct media_callbacks *cb = &m->config.callbacks;

	m->state = MEDIA_DOWN;
	orphans_gone(m);
	admission_gone(m);
	commands_detach(m->commands);
	clips_attach(m->clips, NULL);
	taps_gone(m);
	tell_digits_lost(m);
	if (cb->down)
		cb->down(cb->ctx, why);
}

int media_create(const struct media_config *config, struct media **out)
{
	struct media *m = calloc(1, sizeof(*m));
	struct clips_config clips = config->clips;
	int error;

	if (!m)
		return -ENOMEM;
	m->config = *config;
	m->loop = config->loop;
	m->dirty_last = &m->dirty;
	m->flush = (struct loop_task){.fn = flush, .ctx = m};
	m->failed_task = (struct loop_task){.fn = model_tell_failed, .ctx = m};
	if (!m->config.play_timeout_ns)
		m->config.play_timeout_ns = MEDIA_PLAY_TIMEOUT_NS;
	orphans_init(m);
	admission_init(m);
	clips.loop = config->loop;
	clips.offload = config->offload;
	error = clips_create(&clips, &m->clips);
	if (!error)
		error = taps_create(m);
	if (!error)
		error = commands_create(config->random, &m->commands);
	if (!error)
		error = attach_create(
			&(struct attach_config){
				.loop = config->loop,
				.socket = config->socket,
				.ctx = m,
				.up = attached,
				.down = detached,
				.event = event_came,
				.pass = pass,
				.clip_ready = clip_is_ready,
				.clip_removed = clip_is_removed,
				.tap_ready = tap_is_ready,
				.tap_removed = tap_is_removed,
			},
			&m->attach);
	if (error) {
		media_destroy(m);
		return error;
	}
	*out = m;
	return 0;
}

void media_destroy(struct media *m)
{
	if (!m)
		return;
	m->config.callbacks = (struct media_callbacks){0};
	m->state = MEDIA_DOWN;
	attach_destroy(m->attach);
	if (m->commands)
		commands_detach(m->commands);
	orphans_gone(m);
	admission_gone(m);
	while (m->rooms)
		media_room_destroy(m->rooms);
	send_closing_done(m);
	taps_destroy(m);
	loop_task_cancel(&m->flush);
	loop_task_cancel(&m->failed_task);
	commands_destroy(m->commands);
	clips_destroy(m->clips);
	placement_destroy(m->placement);
	free(m->leg_at);
	free(m);
}

enum media_state media_state(const struct media *m)
{
	return m->state;
}

const char *media_state_name(enum media_state state)
{
	static const char *const names[] = {"away", "up", "down"};

	return state <= MEDIA_DOWN ? names[state] : "?";
}

const char *media_down_reason(const struct media *m)
{
	return attach_reason(m->attach);
}

struct clips *media_clips(struct media *m)
{
	return m->clips;
}

/* ---- what runs ------------------------------------------------------------------------------- */

bool media_leg_stats(const struct media_leg *leg, struct media_leg_stats *out)
{
	const struct media *m = leg->media;
	struct cord_port_status s;

	memset(out, 0, sizeof(*out));
	if (m->state != MEDIA_UP || !leg->id ||
		!attach_port_status(m->attach, cord_id_slot(leg->id), &s))
		return false;
	if (s.port != leg->id)
		return true;
	*out = (struct media_leg_stats){
		.open = true,
		.opened_ns = s.opened,
		.first_rx_ns = s.first_rx,
		.last_rx_ns = s.last_rx,
		.rx_packets = s.rx_packets,
		.tx_packets = s.tx_packets,
		.rx_lost = s.rx_lost,
		.rx_late = s.rx_late,
		.rx_duplicate = s.rx_duplicate,
		.rx_dropped = s.rx_dropped,
		.source_dropped = s.source_dropped,
		.concealed = s.concealed,
		.recovered = s.recovered,
		.silent = s.silent,
		.jitter_us = s.jitter_us,
		.buffer_ms = s.buffer_ms,
		.codec = leg->remote.codec,
		.ptime_ms = leg->remote.ptime_ms,
		.rx_expected = s.rx_expected,
		.missing = s.missing,
		.missing_stretches = s.missing_stretches,
		.media_lost = s.media_lost == 1,
		.round_trip_us = s.round_trip_us,
		.round_trip_max_us = s.round_trip_max_us,
		.peer_reports = s.peer_reports,
		.peer_lost = s.peer_lost,
		.peer_lost_of = s.peer_lost_of,
		.peer_jitter_us = s.peer_jitter_us,
		.peer_end_system_ms = s.peer_end_system_ms,
		.peer_discarded = s.peer_discarded,
		.playing = s.player_running == 1,
		.play_clip = s.player_clip,
		.play_frame = cord_port_status_frame(&s, loop_now(m->loop)),
	};
	if (s.learned.family != CORD_FAMILY_NONE)
		out->learned = model_address(&s.learned);
	return true;
}

static void count_up(const struct media *m, struct media_counts *out)
{
	for (unsigned w = 0; w < m->shape.workers; w++)
		out->workers_stalled += !attach_worker_alive(m->attach, w);
	out->clips_ready = attach_clips(m->attach);
}

uint32_t media_rooms(const struct media *m)
{
	return m->placement ? m->shape.rooms : 0;
}

void media_counts(const struct media *m, struct media_counts *out)
{
	const struct attach_stats *a = attach_stats(m->attach);
	struct placement_counts p = {0};

	if (m->placement)
		placement_counts(m->placement, loop_now(m->loop), &p);
	*out = (struct media_counts){
		.workers = m->shape.workers,
		.srtp_backend = m->shape.srtp_backend,
		.ports = p.ports,
		.ports_used = p.ports_used,
		.ports_resting = p.ports_resting,
		.rooms = p.rooms,
		.rooms_used = p.rooms_used,
		.legs = m->n_legs,
		.legs_closing = m->n_closing_ports,
		.rooms_closing = m->n_closing_rooms,
		.commands_waiting = commands_waiting(m->commands),
		.commands_open = commands_open(m->commands),
		.restoring = m->n_dirty,
		.taps = m->n_taps,
		.attaches = a->attaches,
		.deaths = a->deaths,
		.ring_faults = a->ring_faults,
		.refusals = m->refusals + a->refusals,
		.events_stale = m->events_stale,
		.events_bad = a->events_bad,
		.rereads = m->rereads,
	};
	for (unsigned i = 0; i < m->n_orphans; i++) {
		out->orphan_rooms += m->orphans[i].is_room;
		out->orphan_ports += !m->orphans[i].is_room;
	}
	if (m->state == MEDIA_UP)
		count_up(m, out);
}

uint64_t media_counter(const struct media *m, unsigned worker, enum cord_counter counter)
{
	uint64_t sum = 0;

	if (m->state != MEDIA_UP)
		return 0;
	if (worker < m->shape.workers)
		return attach_counter(m->attach, worker, counter);
	for (unsigned w = 0; worker == UINT_MAX && w < m->shape.workers; w++)
		sum += attach_counter(m->attach, w, counter);
	return sum;
}
