/* SPDX-License-Identifier: Apache-2.0 */
#include "media/media.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "media/model.h"

/* ---- legs that failed ---------------------------------------------------------------------- */

static void failed_unlink(struct media_leg *leg)
{
	if (!leg->failed_back)
		return;
	*leg->failed_back = leg->failed_next;
	if (leg->failed_next)
		leg->failed_next->failed_back = leg->failed_back;
	leg->failed_back = NULL;
}

void model_tell_failed(void *ctx)
{
	struct media *m = ctx;
	const struct media_callbacks *cb = &m->config.callbacks;

	while (m->failed) {
		struct media_leg *leg = m->failed;

		failed_unlink(leg);
		if (cb->leg_failed)
			cb->leg_failed(cb->ctx, leg->ctx,
				leg->failed_why ? leg->failed_why : "out of memory");
	}
}

void model_leg_failed(struct media_leg *leg, const char *why)
{
	struct media *m = leg->media;

	if (leg->failed)
		return;
	leg->failed = true;
	leg->failed_why = strdup(why);
	log_error(NULL, "media", "port %#llx: %s", (unsigned long long)leg->id, why);
	leg->failed_next = m->failed;
	leg->failed_back = &m->failed;
	if (m->failed)
		m->failed->failed_back = &leg->failed_next;
	m->failed = leg;
	loop_task_set(m->loop, &m->failed_task);
}

/* ---- rooms ---------------------------------------------------------------------------------- */

int media_room_create(struct media *m, const struct media_room *beside, struct media_room **out)
{
	struct media_room *room;
	int error;

	if (m->state == MEDIA_AWAY)
		return -ENOTCONN;
	if (!beside && !admission_takes_room(m))
		return -EBUSY;
	room = calloc(1, sizeof(*room));
	if (!room)
		return -ENOMEM;
	room->media = m;
	room->worker = beside ? beside->worker : admission_worker(m);
	error = placement_room(m->placement, room->worker, loop_now(m->loop), &room->id);
	if (error) {
		free(room);
		return error;
	}
	model_weigh(room);
	room->next = m->rooms;
	room->back = &m->rooms;
	if (m->rooms)
		m->rooms->back = &room->next;
	m->rooms = room;
	room->changed = true;
	send_later(room);
	*out = room;
	return 0;
}

void media_room_destroy(struct media_room *room)
{
	struct media *m;

	if (!room)
		return;
	m = room->media;
	while (room->legs)
		media_leg_close(room->legs);
	while (room->n_taps)
		model_tap_leaves(room->taps[0].tap);
	send_forget(room);
	model_weigh_nothing(room);
	*room->back = room->next;
	if (room->next)
		room->next->back = room->back;
	if (room->id)
		send_close(m, room->id, room->worker, true, room->open);
	room->closed = true;
	model_room_free(room);
}

void model_room_free(struct media_room *room)
{
	if (room->unanswered)
		return;
	free(room->members);
	free(room);
}

unsigned media_room_worker(const struct media_room *room)
{
	return room->worker;
}

uint64_t media_room_id(const struct media_room *room)
{
	return room->id;
}

/* ---- legs ----------------------------------------------------------------------------------- */

static bool payload_type_sound(uint8_t type, bool may_miss)
{
	return type < 128 || (may_miss && type == MEDIA_NO_EVENTS);
}

static bool keys_sound(const struct cord_terms *t)
{
	return t->send_key.suite < CORD_SRTP_SUITE_COUNT &&
	       t->send_key.suite == t->receive_key.suite;
}

static bool remote_sound(const struct cord_terms *t)
{
	static const uint8_t ptimes[] = {10, 20, 30, 40, 60};

	if (cord_codec_clock_khz(t->codec) == 0 || !keys_sound(t))
		return false;
	if (!payload_type_sound(t->payload_type, false) ||
		!payload_type_sound(t->receive_payload_type, false) ||
		!payload_type_sound(t->event_payload_type, true) ||
		!payload_type_sound(t->receive_event_payload_type, true) ||
		!payload_type_sound(t->noise_payload_type, true) ||
		!payload_type_sound(t->receive_noise_payload_type, true))
		return false;
	if (t->remote.udp_port == 0 ||
		(t->remote.family != CORD_FAMILY_IPV4 && t->remote.family != CORD_FAMILY_IPV6))
		return false;
	return memchr(ptimes, t->ptime_ms, sizeof(ptimes)) != NULL;
}

static void room_link(struct media_room *room, struct media_leg *leg)
{
	leg->room = room;
	leg->next = room->legs;
	leg->back = &room->legs;
	if (room->legs)
		room->legs->back = &leg->next;
	room->legs = leg;
}

static void room_unlink(struct media_leg *leg)
{
	*leg->back = leg->next;
	if (leg->next)
		leg->next->back = leg->back;
	leg->room = NULL;
}

static unsigned legs_of(const struct media_room *room)
{
	unsigned n = 0;

	for (const struct media_leg *leg = room->legs; leg; leg = leg->next)
		n++;
	return n;
}

static int members_reserve(struct media_room *room, unsigned n)
{
	struct media_member_kept *members;

	if (n <= room->members_size)
		return 0;
	members = realloc(room->members, n * sizeof(members[0]));
	if (!members)
		return -ENOMEM;
	room->members = members;
	room->members_size = n;
	return 0;
}

int media_leg_open(struct media_room *room, const struct cord_terms *remote, void *leg_ctx,
	struct media_leg **out)
{
	struct media *m = room->media;
	struct media_leg *leg;
	int error;

	if (remote && !remote_sound(remote))
		return -EINVAL;
	if (!admission_takes_leg(room))
		return -EBUSY;
	error = members_reserve(room, legs_of(room) + 1);
	if (error)
		return error;
	leg = calloc(1, sizeof(*leg));
	if (!leg)
		return -ENOMEM;
	error = placement_port(m->placement, room->worker,
		remote ? (enum cord_family)remote->remote.family : CORD_FAMILY_NONE,
		loop_now(m->loop), &leg->id);
	if (error) {
		free(leg);
		return error;
	}
	leg->media = m;
	leg->ctx = leg_ctx;
	leg->ssrc = random_u32(m->config.random);
	leg->has_remote = remote != NULL;
	if (remote)
		leg->remote = *remote;
	play_init(leg);
	room_link(room, leg);
	m->leg_at[cord_id_slot(leg->id)] = leg;
	m->n_legs++;
	model_weigh(room);
	if (remote)
		send_later(room);
	*out = leg;
	return 0;
}

int media_leg_face(struct media_leg *leg, enum cord_family family)
{
	struct media *m = leg->media;
	cord_id fresh;
	int error;

	if (leg->id == 0)
		return -ENOTCONN;
	if (model_local(&m->shape, cord_id_slot(leg->id)).family == family)
		return 0;
	if (leg->has_remote)
		return -EBUSY;
	error = placement_port(m->placement, leg->room->worker, family, loop_now(m->loop), &fresh);
	if (error)
		return error;
	m->leg_at[cord_id_slot(leg->id)] = NULL;
	placement_port_give_back(m->placement, leg->id);
	leg->id = fresh;
	m->leg_at[cord_id_slot(leg->id)] = leg;
	return 0;
}

int media_leg_update(struct media_leg *leg, const struct cord_terms *remote)
{
	bool moved, awaited_anew;

	if (!remote_sound(remote))
		return -EINVAL;
	if (leg->has_remote && memcmp(remote, &leg->remote, sizeof(*remote)) == 0)
		return 0;
	moved = !cord_address_equal(&remote->remote, &leg->remote.remote);
	awaited_anew = moved || remote->media_timeout_s != leg->remote.media_timeout_s ||
		       ((remote->direction ^ leg->remote.direction) & CORD_MAY_RECEIVE);
	leg->remote = *remote;
	leg->has_remote = true;
	leg->changed = true;
	if (moved) {
		leg->track.media = false;
		leg->track.learned = (struct cord_address){0};
	}
	if (awaited_anew)
		leg->track.missed = false;
	play_codec(leg);
	model_weigh(leg->room);
	send_later(leg->room);
	return 0;
}

/* The mask without bit n, those above it moved down. */
static uint16_t mask_without(uint16_t mask, unsigned n)
{
	uint16_t low = (uint16_t)(mask & ((1u << n) - 1));

	return (uint16_t)(low | ((mask >> (n + 1)) << n));
}

static void gains_without(struct media_room *room, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < room->n_gains; i++) {
		struct media_gain g = room->gains[i];

		if (g.listener == n || g.talker == n)
			continue;
		g.listener -= g.listener > n;
		g.talker -= g.talker > n;
		room->gains[kept++] = g;
	}
	room->n_gains = kept;
}

static void room_without(struct media_room *room, const struct media_leg *leg)
{
	unsigned n = 0;

	while (n < room->n_members && room->members[n].leg != leg)
		n++;
	if (n == room->n_members)
		return;
	room->n_members--;
	memmove(&room->members[n], &room->members[n + 1],
		(room->n_members - n) * sizeof(room->members[0]));
	for (unsigned i = 0; i < room->n_members; i++) {
		room->members[i].hears = mask_without(room->members[i].hears, n);
		room->members[i].digits_to = mask_without(room->members[i].digits_to, n);
	}
	for (unsigned i = 0; i < room->n_taps; i++) {
		struct media_tap_masks *t = &room->taps[i];

		t->left = mask_without(t->left, n);
		t->right = mask_without(t->right, n);
		t->players = mask_without(t->players, n);
	}
	gains_without(room, n);
}

void model_leg_free(struct media_leg *leg)
{
	if (leg->unanswered)
		return;
	explicit_bzero(&leg->remote, sizeof(leg->remote)); /* keys */
	free(leg->failed_why);
	free(leg);
}

void media_leg_close(struct media_leg *leg)
{
	struct media_room *room;
	struct media *m;

	/* One that has left its room is closed already, and waits for its last answer. */
	if (!leg || !leg->room)
		return;
	room = leg->room;
	m = leg->media;
	play_clear(leg);
	failed_unlink(leg);
	room_without(room, leg);
	if (leg->id) {
		m->leg_at[cord_id_slot(leg->id)] = NULL;
		send_close(m, leg->id, room->worker, false, leg->open);
	}
	room_unlink(leg);
	model_weigh(room);
	m->n_legs--;
	leg->open = false;
	model_leg_free(leg);
}

struct address model_address(const struct cord_address *c)
{
	struct address a = {0};

	if (c->family == CORD_FAMILY_IPV6) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(c->udp_port);
		memcpy(&a.in6.sin6_addr, c->ip, 16);
		a.length = sizeof(a.in6);
	} else {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(c->udp_port);
		memcpy(&a.in.sin_addr, c->ip, 4);
		a.length = sizeof(a.in);
	}
	return a;
}

struct address media_leg_local(const struct media_leg *leg)
{
	struct cord_address local = model_local(&leg->media->shape, cord_id_slot(leg->id));

	return model_address(&local);
}

uint32_t media_leg_ssrc(const struct media_leg *leg)
{
	return leg->ssrc;
}

uint64_t media_leg_id(const struct media_leg *leg)
{
	return leg->id;
}

struct media_room *media_leg_room(const struct media_leg *leg)
{
	return leg->room;
}

static bool digits_sound(const char *digits, size_t n)
{
	if (n == 0 || n > MEDIA_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (digits[i] != ',' && !track_is_key(digits[i]))
			return false;
	return true;
}

int media_leg_send_digits(struct media_leg *leg, const char *digits, size_t n, unsigned duration_ms,
	unsigned gap_ms, unsigned pause_ms)
{
	struct cord_port_digits body = {
		.port = leg->id,
		.duration_ms = (uint16_t)(duration_ms ? duration_ms : 100),
		.gap_ms = (uint16_t)(gap_ms ? gap_ms : 70),
		.pause_ms = (uint16_t)(pause_ms ? pause_ms : 500),
		.digits = (uint8_t)n,
	};

	if (!digits_sound(digits, n) || duration_ms > 1000 || gap_ms > 1000 || pause_ms > 5000 ||
		body.duration_ms < 40 || body.gap_ms < 40 || body.pause_ms < 100)
		return -EINVAL;
	if (leg->track.digits)
		return -EBUSY;
	if (leg->has_remote && leg->remote.event_payload_type == MEDIA_NO_EVENTS)
		return -ENOTSUP;
	send_room(leg->room);
	if (!leg->open || leg->media->state != MEDIA_UP)
		return -ENOTCONN;
	body.port = leg->id;
	memcpy(body.digit, digits, n);
	return send_digits(leg, &body);
}

/* ---- who hears whom -------------------------------------------------------------------------- */

static int member_judge(
	const struct media_room *room, const struct media_room_state *state, unsigned n)
{
	const struct media_member *m = &state->members[n];
	unsigned bits = m->hears | m->digits_to;

	if (!m->leg || m->leg->media != room->media || bits >> state->n_members)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (state->members[i].leg == m->leg)
			return -EINVAL;
	if (m->player > MEDIA_PLAYER_START)
		return -EINVAL;
	if (m->player == MEDIA_PLAYER_START && (!m->play.list || m->play.list->n > MEDIA_LIST_MAX ||
						       m->play.first_clip >= m->play.list->n))
		return -EINVAL;
	return m->leg->room->worker == room->worker ? 0 : -EXDEV;
}

static bool tap_sound(
	const struct media_room *room, const struct media_room_state *state, unsigned n)
{
	const struct media_tap_masks *t = &state->taps[n];
	unsigned bits = t->left | t->right | t->players;

	for (unsigned i = 0; i < n; i++)
		if (state->taps[i].tap == t->tap)
			return false;
	return t->tap && t->tap->media == room->media && !t->tap->closing &&
	       bits >> state->n_members == 0;
}

static int state_judge(const struct media_room *room, const struct media_room_state *state)
{
	if (state->n_taps > MEDIA_TAPS_MAX || state->n_gains > MEDIA_GAINS_MAX ||
		state->n_members + state->n_taps > MEDIA_MEMBERS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < state->n_taps; i++)
		if (!tap_sound(room, state, i))
			return -EINVAL;
	for (unsigned i = 0; i < state->n_members; i++) {
		int error = member_judge(room, state, i);

		if (error)
			return error;
	}
	for (unsigned i = 0; i < state->n_gains; i++) {
		const struct media_gain *g = &state->gains[i];

		if (g->listener >= state->n_members || g->talker >= state->n_members ||
			(g->gain_db != CORD_GAIN_MUTE &&
				(g->gain_db < CORD_GAIN_MIN_DB || g->gain_db > CORD_GAIN_MAX_DB)))
			return -EINVAL;
	}
	return 0;
}

static bool state_names(const struct media_room_state *state, const struct media_leg *leg)
{
	for (unsigned i = 0; i < state->n_members; i++)
		if (state->members[i].leg == leg)
			return true;
	return false;
}

static void bring_here(struct media_room *room, struct media_leg *leg)
{
	struct media_room *from = leg->room;

	if (from == room)
		return;
	room_without(from, leg);
	room_unlink(leg);
	room_link(room, leg);
	model_weigh(from);
	model_weigh(room);
}

/* ---- taps of a room -------------------------------------------------------------------------- */

void model_tap_changed(struct media_tap *tap)
{
	if (!tap->room)
		return;
	tap->room->changed = true;
	send_later(tap->room);
}

void model_tap_leaves(struct media_tap *tap)
{
	struct media_room *room = tap->room;
	unsigned n = 0;

	if (!room)
		return;
	while (room->taps[n].tap != tap)
		n++;
	room->n_taps--;
	memmove(&room->taps[n], &room->taps[n + 1], (room->n_taps - n) * sizeof(room->taps[0]));
	model_tap_changed(tap);
	tap->room = NULL;
}

static void apply_taps(struct media_room *room, const struct media_room_state *state)
{
	while (room->n_taps)
		model_tap_leaves(room->taps[0].tap);
	for (unsigned i = 0; i < state->n_taps; i++) {
		model_tap_leaves(state->taps[i].tap);
		state->taps[i].tap->room = room;
		room->taps[room->n_taps++] = state->taps[i];
	}
}

/* ---- who hears whom, applied ------------------------------------------------------------------ */

static void apply_player(const struct media_member *m)
{
	if (m->player == MEDIA_PLAYER_STOP)
		play_stop(m->leg);
	else if (m->player == MEDIA_PLAYER_START)
		play_start(m->leg, &m->play);
}

int media_room_apply(struct media_room *room, const struct media_room_state *state)
{
	int error = state_judge(room, state);

	if (error == 0)
		error = members_reserve(room, state->n_members);
	if (error)
		return error;
	for (unsigned i = 0; i < room->n_members; i++)
		if (!state_names(state, room->members[i].leg))
			play_stop(room->members[i].leg);
	for (unsigned i = 0; i < state->n_members; i++)
		bring_here(room, state->members[i].leg);
	room->n_members = state->n_members;
	for (unsigned i = 0; i < state->n_members; i++) {
		const struct media_member *m = &state->members[i];

		room->members[i] = (struct media_member_kept){
			.leg = m->leg, .hears = m->hears, .digits_to = m->digits_to};
		apply_player(m);
	}
	apply_taps(room, state);
	room->n_gains = state->n_gains;
	if (state->n_gains)
		memcpy(room->gains, state->gains, state->n_gains * sizeof(room->gains[0]));
	room->changed = true;
	send_later(room);
	return 0;
}

struct cord_address model_local(const struct attach_shape *shape, uint32_t slot)
{
	return cord_segment_local(
		shape->address, shape->ports_per_address, shape->udp_port_base, slot);
}
