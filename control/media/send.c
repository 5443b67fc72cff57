/* SPDX-License-Identifier: Apache-2.0 */
#include "media/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

static uint64_t now(const struct media *m)
{
	return loop_now(m->loop);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* The leg behind an answer, or NULL when it was closed since. */
static struct media_leg *answered_leg(void *ctx)
{
	struct media_leg *leg = ctx;

	CHECK(leg->unanswered > 0);
	leg->unanswered--;
	if (leg->room)
		return leg;
	model_leg_free(leg);
	return NULL;
}

static void refused_leg(struct media_leg *leg, const char *what, enum cord_refusal refusal)
{
	char why[MEDIA_REASON_SIZE];

	snprintf(why, sizeof(why), "%s refused: %s", what, cord_refusal_name(refusal));
	model_leg_failed(leg, why);
}

/* Only an answer that did not come leaves us in doubt; a lease that ended is settled at attach. */
static void doubt_leg(struct media_leg *leg)
{
	if (leg->media->state != MEDIA_UP)
		return;
	model_leg_check(leg);
	leg->room->changed = true;
	send_later(leg->room);
}

static void open_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_leg *leg = answered_leg(ctx);

	if (!leg)
		return;
	if (!error) {
		leg->refused = 0;
		return;
	}
	if (error == -ETIMEDOUT) {
		doubt_leg(leg);
		return;
	}
	if (error != -EPROTO)
		return;
	leg->media->refusals++;
	leg->open = false;
	if (refusal != CORD_REFUSAL_OLD_GENERATION || ++leg->refused >= MODEL_REFUSALS_MAX) {
		refused_leg(leg, "port", refusal);
		return;
	}
	leg->id = placement_port_renew(leg->media->placement, leg->id, now(leg->media));
	leg->room->changed = true;
	send_later(leg->room);
}

static void set_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_leg *leg = answered_leg(ctx);

	if (!leg || !error)
		return;
	if (error == -ETIMEDOUT)
		doubt_leg(leg);
	if (error != -EPROTO)
		return;
	leg->media->refusals++;
	refused_leg(leg, "change of a port", refusal);
}

static void playlist_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_leg *leg = answered_leg(ctx);

	if (!leg || error != -EPROTO)
		return;
	leg->media->refusals++;
	play_failed(leg, tag, cord_refusal_name(refusal));
}

static void digits_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_leg *leg = answered_leg(ctx);
	const struct media_callbacks *cb;

	if (!leg || !leg->track.digits || error == -ECONNRESET)
		return;
	/* Without an answer the status must say it. */
	leg->track.digits_applied = true;
	if (error != -EPROTO)
		return;
	leg->media->refusals++;
	leg->track.digits = leg->track.digits_applied = false;
	cb = &leg->media->config.callbacks;
	if (cb->digits_sent)
		cb->digits_sent(cb->ctx, leg->ctx,
			refusal == CORD_REFUSAL_BUSY        ? -EBUSY
			: refusal == CORD_REFUSAL_NO_DIGITS ? -ENOTSUP
							    : -EPROTO);
}

static struct media_room *answered_room(void *ctx)
{
	struct media_room *room = ctx;

	CHECK(room->unanswered > 0);
	room->unanswered--;
	if (!room->closed)
		return room;
	model_room_free(room);
	return NULL;
}

static void fail_room(struct media_room *room, const char *what, enum cord_refusal refusal)
{
	struct media_leg *leg = room->legs;

	room->failed = true;
	log_error(NULL, "media", "room %#llx: %s refused: %s", (unsigned long long)room->id, what,
		cord_refusal_name(refusal));
	while (leg) {
		struct media_leg *next = leg->next;

		refused_leg(leg, what, refusal);
		leg = next;
	}
}

static void check_room(struct media_room *room)
{
	unsigned worker;

	room->open =
		attach_room_at(room->media->attach, cord_id_slot(room->id), &worker) == room->id;
	if (!room->open)
		room->id = placement_room_renew(room->media->placement, room->id, now(room->media));
	for (struct media_leg *leg = room->legs; leg; leg = leg->next)
		model_leg_check(leg);
	room->changed = true;
	send_later(room);
}

static void room_opened(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_room *room = answered_room(ctx);

	if (!room)
		return;
	if (!error)
		room->refused = 0;
	if (error == -ETIMEDOUT && room->media->state == MEDIA_UP)
		check_room(room);
	if (error != -EPROTO)
		return;
	room->media->refusals++;
	room->open = false;
	if (refusal != CORD_REFUSAL_OLD_GENERATION || ++room->refused >= MODEL_REFUSALS_MAX) {
		fail_room(room, "room", refusal);
		return;
	}
	room->id = placement_room_renew(room->media->placement, room->id, now(room->media));
	room->changed = true;
	send_later(room);
}

static void room_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct media_room *room = answered_room(ctx);

	if (!room)
		return;
	if (!error) {
		room->refused = 0;
		return;
	}
	if (error == -ECONNRESET || room->media->state != MEDIA_UP)
		return;
	if (error == -EPROTO) {
		room->media->refusals++;
		if (++room->refused >= MODEL_REFUSALS_MAX) {
			log_error(NULL, "media", "room %#llx keeps being refused: %s",
				(unsigned long long)room->id, cord_refusal_name(refusal));
			return;
		}
	}
	check_room(room);
}

/* ---- what goes out -------------------------------------------------------------------------- */

static void send_port_open(struct media_leg *leg)
{
	struct cord_port_open body = {.port = leg->id, .ssrc = leg->ssrc, .terms = leg->remote};
	int error = commands_port_open(leg->media->commands, leg->room->worker, &body,
		now(leg->media), open_answered, leg, 0);

	explicit_bzero(&body, sizeof(body));
	if (error)
		return;
	leg->unanswered++;
	leg->open = true;
	leg->changed = false;
	leg->room->changed = true;
	track_reset(&leg->track);
}

static void send_port_set(struct media_leg *leg)
{
	struct cord_port_set body = {.port = leg->id, .terms = leg->remote};
	int error = commands_port_set(leg->media->commands, leg->room->worker, &body,
		now(leg->media), set_answered, leg, 0);

	explicit_bzero(&body, sizeof(body));
	if (error)
		return;
	leg->unanswered++;
	leg->changed = false;
}

static void send_playlist(struct media_leg *leg)
{
	const struct clip_list *list = leg->play.list;
	struct cord_port_playlist body = {
		.port = leg->id,
		.generation = leg->generation,
		.clips = (uint8_t)list->n,
		.loop = leg->play.loop,
	};

	for (unsigned i = 0; i < list->n; i++)
		body.clip[i] = clip_content(list->clips[i]);
	if (!commands_port_playlist(leg->media->commands, leg->room->worker, &body, now(leg->media),
		    playlist_answered, leg, leg->generation))
		leg->unanswered++;
}

static uint8_t member_player(struct media_leg *leg)
{
	switch (leg->play_state) {
	case PLAY_READY:
		return CORD_PLAYER_START;
	case PLAY_NONE:
		return CORD_PLAYER_STOP;
	default:
		return CORD_PLAYER_KEEP;
	}
}

/* A mask over our members as one over those that are open. */
static uint16_t open_mask(const struct media_room *room, uint16_t mask)
{
	uint16_t out = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < room->n_members; i++) {
		if (!room->members[i].leg->open)
			continue;
		if (mask & 1u << i)
			out |= (uint16_t)(1u << at);
		at++;
	}
	return out;
}

static void fill_members(const struct media_room *room, struct cord_room_set *body, uint8_t place[])
{
	for (unsigned i = 0; i < room->n_members; i++) {
		const struct media_member_kept *k = &room->members[i];

		place[i] = UINT8_MAX;
		if (!k->leg->open)
			continue;
		place[i] = body->members;
		body->member[body->members++] = (struct cord_room_member){
			.port = k->leg->id,
			.hears = open_mask(room, k->hears),
			.digits_to = open_mask(room, k->digits_to),
			.player = member_player(k->leg),
			.player_generation = k->leg->generation,
			.first_clip = k->leg->play.first_clip,
			.first_frame = k->leg->play.first_frame,
		};
	}
}

/* Behind all ports. */
static void fill_taps(const struct media_room *room, struct cord_room_set *body)
{
	for (unsigned i = 0; i < room->n_taps; i++) {
		const struct media_tap_masks *t = &room->taps[i];

		if (t->tap->state != TAP_READY)
			continue;
		body->member[body->members++] = (struct cord_room_member){
			.kind = CORD_MEMBER_TAP,
			.port = t->tap->id,
			.hears = open_mask(room, t->left),
			.digits_to = open_mask(room, t->right),
			.players = open_mask(room, t->players),
		};
	}
}

static void fill_gains(
	const struct media_room *room, struct cord_room_set *body, const uint8_t place[])
{
	for (unsigned i = 0; i < room->n_gains; i++) {
		const struct media_gain *g = &room->gains[i];

		if (place[g->listener] == UINT8_MAX || place[g->talker] == UINT8_MAX)
			continue;
		body->gain[body->gains++] = (struct cord_room_gain){
			.listener = place[g->listener],
			.talker = place[g->talker],
			.gain_db = g->gain_db,
		};
	}
}

static void players_started(struct media_room *room)
{
	for (unsigned i = 0; i < room->n_members; i++) {
		struct media_leg *leg = room->members[i].leg;

		if (!leg->open || leg->play_state != PLAY_READY)
			continue;
		leg->play_state = PLAY_RUNNING;
		leg->track.generation = leg->play.loop ? 0 : leg->generation;
	}
}

static void send_room_set(struct media_room *room)
{
	struct cord_room_set body = {.room = room->id};
	uint8_t place[MEDIA_MEMBERS_MAX];

	fill_members(room, &body, place);
	fill_taps(room, &body);
	fill_gains(room, &body, place);
	if (commands_room_set(room->media->commands, room->worker, &body, now(room->media),
		    room_answered, room, 0))
		return;
	room->unanswered++;
	room->changed = false;
	players_started(room);
}

static bool send_room_open(struct media_room *room)
{
	const struct cord_room_open body = {.room = room->id, .rate_hz = 8000};

	if (commands_room_open(room->media->commands, room->worker, &body, now(room->media),
		    room_opened, room, 0))
		return false;
	room->unanswered++;
	room->open = true;
	room->changed = true;
	return true;
}

static unsigned room_needs(const struct media_room *room)
{
	unsigned n = 2 + room->n_members;

	for (const struct media_leg *leg = room->legs; leg; leg = leg->next)
		n++;
	return n;
}

static void send_legs(struct media_room *room)
{
	for (struct media_leg *leg = room->legs; leg; leg = leg->next) {
		if (!leg->has_remote || leg->failed)
			continue;
		if (!leg->open)
			send_port_open(leg);
		else if (leg->changed)
			send_port_set(leg);
	}
}

static void send_playlists(struct media_room *room)
{
	for (unsigned i = 0; i < room->n_members; i++) {
		struct media_leg *leg = room->members[i].leg;

		if (leg->open && leg->play_state == PLAY_READY)
			send_playlist(leg);
	}
}

void send_room(struct media_room *room)
{
	struct media *m = room->media;

	if (m->state != MEDIA_UP || room->failed ||
		commands_space(m->commands, room->worker) < room_needs(room))
		return;
	if (!room->open && !send_room_open(room))
		return;
	send_legs(room);
	send_playlists(room);
	if (room->changed)
		send_room_set(room);
}

static bool room_is_sent(const struct media_room *room)
{
	if (room->failed)
		return true;
	if (!room->open || room->changed)
		return false;
	for (const struct media_leg *leg = room->legs; leg; leg = leg->next)
		if (leg->has_remote && !leg->failed && (!leg->open || leg->changed))
			return false;
	return true;
}

void send_later(struct media_room *room)
{
	struct media *m = room->media;

	if (room->closed)
		return;
	if (!room->dirty) {
		room->dirty = true;
		room->next_dirty = NULL;
		*m->dirty_last = room;
		m->dirty_last = &room->next_dirty;
		m->n_dirty++;
	}
	loop_task_set(m->loop, &m->flush);
}

void send_forget(struct media_room *room)
{
	struct media *m = room->media;
	struct media_room **at = &m->dirty;

	if (!room->dirty)
		return;
	while (*at != room)
		at = &(*at)->next_dirty;
	*at = room->next_dirty;
	if (!room->next_dirty)
		m->dirty_last = at;
	room->dirty = false;
	m->n_dirty--;
}

/* ---- what goes away --------------------------------------------------------------------------*/

static void closing_done(struct closing *c)
{
	struct media *m = c->media;

	if (c->is_room) {
		placement_room_free(m->placement, c->id, now(m));
		m->n_closing_rooms--;
	} else {
		placement_port_free(m->placement, c->id, now(m));
		m->n_closing_ports--;
	}
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	free(c);
}

static bool still_there(const struct closing *c)
{
	unsigned worker;

	if (c->is_room)
		return attach_room_at(c->media->attach, cord_id_slot(c->id), &worker) == c->id;
	return attach_port_at(c->media->attach, cord_id_slot(c->id)) == c->id;
}

static void close_answered(void *ctx, uint32_t tag, int error, enum cord_refusal refusal)
{
	struct closing *c = ctx;

	c->sent = false;
	if (error == -ECONNRESET || (error == -ETIMEDOUT && still_there(c)))
		return;
	closing_done(c);
}

static void send_closing(struct closing *c)
{
	struct media *m = c->media;
	const struct cord_port_close port = {.port = c->id};
	const struct cord_room_close room = {.room = c->id};
	int error = c->is_room ? commands_room_close(m->commands, c->worker, &room, now(m),
					 close_answered, c, 0)
			       : commands_port_close(m->commands, c->worker, &port, now(m),
					 close_answered, c, 0);

	c->sent = error == 0;
}

void send_close(struct media *m, cord_id id, unsigned worker, bool is_room, bool known)
{
	struct closing *c = calloc(1, sizeof(*c));

	CHECK(c);
	*c = (struct closing){.media = m,
		.next = m->closing,
		.back = &m->closing,
		.id = id,
		.worker = worker,
		.is_room = is_room};
	if (m->closing)
		m->closing->back = &c->next;
	m->closing = c;
	if (is_room)
		m->n_closing_rooms++;
	else
		m->n_closing_ports++;
	if (!known)
		closing_done(c);
	else
		loop_task_set(m->loop, &m->flush);
}

void send_closing_done(struct media *m)
{
	while (m->closing)
		closing_done(m->closing);
}

void send_all(struct media *m)
{
	struct media_room *room = m->dirty;

	if (m->state != MEDIA_UP)
		return;
	m->dirty = NULL;
	m->dirty_last = &m->dirty;
	m->n_dirty = 0;
	while (room) {
		struct media_room *next = room->next_dirty;

		room->dirty = false;
		send_room(room);
		if (!room_is_sent(room)) {
			room->dirty = true;
			room->next_dirty = NULL;
			*m->dirty_last = room;
			m->dirty_last = &room->next_dirty;
			m->n_dirty++;
		}
		room = next;
	}
	for (struct closing *c = m->closing; c; c = c->next)
		if (!c->sent)
			send_closing(c);
}

int send_digits(struct media_leg *leg, const struct cord_port_digits *digits)
{
	int error = commands_port_digits(leg->media->commands, leg->room->worker, digits,
		now(leg->media), digits_answered, leg, 0);

	if (error)
		return error;
	leg->unanswered++;
	leg->track.digits = true;
	leg->track.digits_applied = false;
	return 0;
}
