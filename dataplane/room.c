/* SPDX-License-Identifier: Apache-2.0 */
#include "room.h"

#include "check.h"
#include "mix.h"
#include "worker.h"

/*
 * What a tick takes, by bench_kernels and bench_worker on the machine of limits.md: only how they
 * compare matters. A room that takes less than the last of them is not worth moving.
 */
enum {
	LOAD_ROOM_NS = 50,
	LOAD_PLAIN_NS = 40,
	LOAD_G722_NS = 25000,
	LOAD_OPUS_NS = 55000,
	LOAD_OPUS_STEP_NS = 15000,
	LOAD_MOVED_NS = 20000,
};

static struct room *room_find(struct worker *w, cord_id id, enum cord_refusal *refusal)
{
	struct dataplane *dp = w->dp;
	uint32_t slot = cord_id_slot(id);

	*refusal = CORD_REFUSAL_BAD_SLOT;
	if (slot >= dp->config.rooms)
		return NULL;
	uint8_t owner = atomic_load_explicit(&dp->room_owner[slot], memory_order_acquire);

	*refusal = CORD_REFUSAL_STALE_ID;
	if (owner == OWNER_NONE || id == 0)
		return NULL;
	*refusal = CORD_REFUSAL_WRONG_WORKER;
	if (owner != w->index)
		return NULL;
	*refusal = CORD_REFUSAL_STALE_ID;
	if (dp->room[slot].id != id)
		return NULL;
	*refusal = CORD_REFUSAL_NONE;
	return &dp->room[slot];
}

static void room_status_write(struct worker *w, const struct room *r)
{
	struct cord_room_status *s = &w->dp->room_status[r->slot];

	atomic_store_explicit(&s->members, r->members, memory_order_relaxed);
	atomic_store_explicit(&s->worker_phase, w->index << 16 | r->phase, memory_order_relaxed);
	atomic_store_explicit(&s->room, r->id, memory_order_release);
}

static uint32_t quietest_phase(const struct worker *w)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < CORD_PHASES; i++) {
		if (w->phase_load_ns[i] < w->phase_load_ns[best])
			best = i;
	}
	return best;
}

/*
 * Rooms that were opened one after the other lie side by side in memory, as their ports mostly do:
 * so long as it makes no phase much fuller than another, they share one, whose tick then walks along.
 */
static uint32_t next_phase(struct worker *w)
{
	uint32_t quietest = quietest_phase(w);

	if (w->phase_load_ns[w->phase_last] > w->phase_load_ns[quietest] + LOAD_MOVED_NS)
		w->phase_last = quietest;
	return w->phase_last;
}

static void phase_add(struct worker *w, struct room *r, uint32_t best)
{
	CHECK(w->phase_count[best] < w->phase_capacity);
	r->phase = best;
	r->place = w->phase_count[best]++;
	w->phase_rooms[best][r->place] = r->slot;
	w->phase_load_ns[best] += r->load_ns;
}

static void phase_remove(struct worker *w, struct room *r)
{
	uint32_t *rooms = w->phase_rooms[r->phase];
	uint32_t last = rooms[--w->phase_count[r->phase]];

	rooms[r->place] = last;
	w->dp->room[last].place = r->place;
	w->phase_load_ns[r->phase] -= r->load_ns;
}

/* Decoding and encoding 20 ms for a member, at the complexity it asks for; the rest is little. */
static uint32_t member_load_ns(const struct port_cold *cold)
{
	if (cold->coder == NULL)
		return LOAD_PLAIN_NS;
	if (cold->encoding.codec == CORD_CODEC_G722)
		return LOAD_G722_NS;
	return LOAD_OPUS_NS + LOAD_OPUS_STEP_NS * cold->encoding.complexity;
}

/* What follows from the members' codecs. */
static void room_weigh(struct worker *w, struct room *r)
{
	uint32_t load_ns = LOAD_ROOM_NS;

	r->coded = 0;
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);

		if (cord_codec_wide(p->codec))
			r->coded |= (uint16_t)(1u << i);
		load_ns += member_load_ns(worker_cold(w, p));
	}
	r->wide = r->coded & (r->coded - 1);
	w->phase_load_ns[r->phase] += load_ns;
	w->phase_load_ns[r->phase] -= r->load_ns;
	r->load_ns = load_ns;
	r->crowded = load_ns >= LOAD_MOVED_NS &&
		     w->phase_load_ns[quietest_phase(w)] + load_ns < w->phase_load_ns[r->phase];
	if (r->crowded)
		w->phases_crowded |= 1u << r->phase;
}

void room_recoded(struct worker *w, struct port *p)
{
	if (p->room != PORT_NONE)
		room_weigh(w, &w->dp->room[p->room]);
}

void room_spread(struct worker *w, uint32_t phase)
{
	if (!(w->phases_crowded >> phase & 1))
		return;
	w->phases_crowded &= ~(1u << phase);
	for (uint32_t i = w->phase_count[phase]; i-- > 0;) {
		struct room *r = &w->dp->room[w->phase_rooms[phase][i]];

		if (!r->crowded)
			continue;
		r->crowded = false;
		phase_remove(w, r);
		phase_add(w, r, quietest_phase(w));
		room_status_write(w, r);
	}
}

enum cord_refusal room_open(struct worker *w, const struct cord_room_open *m)
{
	struct dataplane *dp = w->dp;
	uint32_t slot = cord_id_slot(m->room);
	uint32_t generation = cord_id_generation(m->room);
	uint8_t none = OWNER_NONE;

	if (slot >= dp->config.rooms)
		return CORD_REFUSAL_BAD_SLOT;
	if (generation == 0 || m->rate_hz != 8000)
		return CORD_REFUSAL_BAD_VALUE;
	if (!atomic_compare_exchange_strong(&dp->room_owner[slot], &none, (uint8_t)w->index))
		return CORD_REFUSAL_SLOT_TAKEN;
	struct room *r = &dp->room[slot];

	if (generation <= r->last_generation) {
		atomic_store(&dp->room_owner[slot], OWNER_NONE);
		return CORD_REFUSAL_OLD_GENERATION;
	}
	*r = (struct room){.id = m->room,
		.slot = slot,
		.load_ns = LOAD_ROOM_NS,
		.last_generation = generation};
	phase_add(w, r, next_phase(w));
	w->rooms++;
	room_status_write(w, r);
	return CORD_REFUSAL_NONE;
}

/* Makes a port sit in no room; what it had received and not heard is gone. */
static void unseat(struct worker *w, struct port *p)
{
	port_flush(w, p);
	p->room = PORT_NONE;
	p->flags |= PORT_CHANGED;
}

void room_tap_leave(struct room *r, uint32_t n)
{
	tap_let_go(r->tap[n].tap);
	r->taps--;
	memmove(&r->tap[n], &r->tap[n + 1], (r->taps - n) * sizeof(r->tap[0]));
}

void room_remove(struct worker *w, struct room *r)
{
	struct dataplane *dp = w->dp;

	while (r->taps)
		room_tap_leave(r, r->taps - 1u);
	for (uint32_t i = 0; i < r->members; i++) {
		struct port *p = &dp->port[r->member[i].port];

		unseat(w, p);
		port_status_write(w, p);
	}
	phase_remove(w, r);
	w->rooms--;
	r->members = 0;
	r->id = 0;
	room_status_write(w, r);
	atomic_store_explicit(&dp->room_owner[r->slot], OWNER_NONE, memory_order_release);
}

enum cord_refusal room_close(struct worker *w, const struct cord_room_close *m)
{
	enum cord_refusal refusal;
	struct room *r = room_find(w, m->room, &refusal);

	if (r)
		room_remove(w, r);
	return refusal;
}

/* Takes bit n out of a mask; the bits above move down. */
static uint16_t mask_without(uint16_t mask, uint32_t n)
{
	uint16_t below = (uint16_t)((1u << n) - 1);

	return (uint16_t)((mask & below) | ((mask >> 1) & ~below));
}

/* Masks that follow from the others, and what follows from the members. */
static void room_derive(struct worker *w, struct room *r)
{
	room_weigh(w, r);
	r->gained = 0;
	r->heard = 0;
	r->keys_passed = 0;
	for (uint32_t i = 0; i < r->members; i++) {
		r->heard |= (uint16_t)(r->member[i].hears & ~(1u << i));
		if (r->member[i].digits_to)
			r->keys_passed |= (uint16_t)(1u << i);
		worker_member(w, r, i)->alone = r->members == 1 && r->taps == 0;
	}
	for (uint32_t i = 0; i < r->taps; i++)
		r->heard |= r->tap[i].left | r->tap[i].right;
	for (uint32_t i = 0; i < r->gains; i++)
		r->gained |= (uint16_t)(1u << r->gain[i].listener);
}

static void gains_without(struct room *r, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->gains; i++) {
		struct room_gain g = r->gain[i];

		if (g.listener == n || g.talker == n)
			continue;
		g.listener -= g.listener > n;
		g.talker -= g.talker > n;
		r->gain[kept++] = g;
	}
	r->gains = (uint8_t)kept;
}

void room_leave(struct worker *w, struct port *p)
{
	struct dataplane *dp = w->dp;

	if (p->room == PORT_NONE)
		return;
	struct room *r = &dp->room[p->room];
	uint32_t n = p->member;

	for (uint32_t i = n; i + 1 < r->members; i++) {
		r->member[i] = r->member[i + 1];
		dp->port[r->member[i].port].member = i & (CORD_ROOM_MEMBERS_MAX - 1);
	}
	r->members--;
	for (uint32_t i = 0; i < r->members; i++) {
		r->member[i].hears = mask_without(r->member[i].hears, n);
		r->member[i].digits_to = mask_without(r->member[i].digits_to, n);
	}
	for (uint32_t i = 0; i < r->taps; i++) {
		struct room_tap *t = &r->tap[i];

		t->left = mask_without(t->left, n);
		t->right = mask_without(t->right, n);
		t->players = mask_without(t->players, n);
	}
	gains_without(r, n);
	room_derive(w, r);
	room_status_write(w, r);
	unseat(w, p);
}

/* Whether the port can be named at all, wherever it is. */
static enum cord_refusal member_check(
	struct worker *w, const struct cord_room_member *m, uint32_t members, bool *is_foreign)
{
	struct dataplane *dp = w->dp;
	uint32_t slot = cord_id_slot(m->port);
	uint16_t all = (uint16_t)((1u << members) - 1);

	if (slot >= dp->config.ports)
		return CORD_REFUSAL_BAD_SLOT;
	uint8_t owner = atomic_load_explicit(&dp->port_owner[slot], memory_order_acquire);

	if (owner == OWNER_NONE || m->port == 0)
		return CORD_REFUSAL_STALE_ID;
	*is_foreign = owner != w->index;
	/* The id of a foreign port is judged by its owner when it is asked for. */
	if (!*is_foreign && dp->port[slot].id != m->port)
		return CORD_REFUSAL_STALE_ID;
	if ((m->hears & ~all) || (m->digits_to & ~all) || m->player > CORD_PLAYER_START)
		return CORD_REFUSAL_BAD_VALUE;
	if (m->player != CORD_PLAYER_START)
		return CORD_REFUSAL_NONE;
	uint32_t staged =
		atomic_load_explicit(&dp->port_cold[slot].staged_generation, memory_order_relaxed);

	return m->player_generation != 0 && staged == m->player_generation ? CORD_REFUSAL_NONE
									   : CORD_REFUSAL_BAD_VALUE;
}

/* Whether the tap can be named; its room may be another one of ours. */
static enum cord_refusal tap_check(
	struct worker *w, const struct cord_room_member *m, uint32_t ports)
{
	uint32_t all = (1u << ports) - 1;
	const struct tap *t = tap_find(&w->dp->taps, m->port);

	if ((m->hears & ~all) || (m->digits_to & ~all) || (m->players & ~all) ||
		m->player != CORD_PLAYER_KEEP)
		return CORD_REFUSAL_BAD_VALUE;
	if (t == NULL)
		return CORD_REFUSAL_NONE;
	uint8_t owner = atomic_load_explicit(&t->owner, memory_order_acquire);

	return owner == TAP_OWNER_NONE || owner == w->index ? CORD_REFUSAL_NONE
							    : CORD_REFUSAL_WRONG_WORKER;
}

static enum cord_refusal taps_check(struct worker *w, const struct cord_room_set *m, uint32_t ports)
{
	if (m->members - ports > CORD_ROOM_TAPS_MAX)
		return CORD_REFUSAL_ROOM_FULL;
	for (uint32_t i = ports; i < m->members; i++) {
		if (m->member[i].kind != CORD_MEMBER_TAP)
			return CORD_REFUSAL_BAD_VALUE;
		enum cord_refusal refusal = tap_check(w, &m->member[i], ports);

		if (refusal != CORD_REFUSAL_NONE)
			return refusal;
		for (uint32_t j = ports; j < i; j++) {
			if (m->member[j].port == m->member[i].port)
				return CORD_REFUSAL_PORT_TWICE;
		}
	}
	return CORD_REFUSAL_NONE;
}

/* Members up to the first that is no port: taps stand behind them. */
static uint32_t ports_of(const struct cord_room_set *m)
{
	uint32_t n = 0;

	while (n < m->members && m->member[n].kind == CORD_MEMBER_PORT)
		n++;
	return n;
}

static bool gains_allowed(const struct cord_room_set *m, uint32_t ports)
{
	for (uint32_t i = 0; i < m->gains; i++) {
		const struct cord_room_gain *g = &m->gain[i];
		bool in_range = g->gain_db == CORD_GAIN_MUTE ||
				(g->gain_db >= CORD_GAIN_MIN_DB && g->gain_db <= CORD_GAIN_MAX_DB);

		if (g->listener >= ports || g->talker >= ports || !in_range)
			return false;
	}
	return true;
}

enum cord_refusal room_set_check(struct worker *w, const struct cord_room_set *m,
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], uint32_t *foreign_count)
{
	enum cord_refusal refusal;
	uint32_t count = 0;

	if (room_find(w, m->room, &refusal) == NULL)
		return refusal;
	if (m->members > CORD_ROOM_MEMBERS_MAX)
		return CORD_REFUSAL_ROOM_FULL;
	uint32_t ports = ports_of(m);

	if (m->gains > CORD_ROOM_GAINS_MAX || !gains_allowed(m, ports))
		return CORD_REFUSAL_BAD_VALUE;
	refusal = taps_check(w, m, ports);
	if (refusal != CORD_REFUSAL_NONE)
		return refusal;
	for (uint32_t i = 0; i < ports; i++) {
		bool is_foreign = false;

		refusal = member_check(w, &m->member[i], ports, &is_foreign);
		if (refusal != CORD_REFUSAL_NONE)
			return refusal;
		for (uint32_t j = 0; j < i; j++) {
			if (cord_id_slot(m->member[j].port) == cord_id_slot(m->member[i].port))
				return CORD_REFUSAL_PORT_TWICE;
		}
		if (is_foreign)
			foreign[count++] = cord_id_slot(m->member[i].port);
	}
	*foreign_count = count;
	return CORD_REFUSAL_NONE;
}

static bool named(const struct cord_room_set *m, uint32_t ports, uint32_t slot)
{
	for (uint32_t i = 0; i < ports; i++) {
		if (cord_id_slot(m->member[i].port) == slot)
			return true;
	}
	return false;
}

static void member_apply(
	struct worker *w, struct room *r, uint32_t i, const struct cord_room_member *m)
{
	struct port *p = &w->dp->port[cord_id_slot(m->port)];
	struct port_cold *cold = &w->dp->port_cold[p->slot];

	r->member[i].port = p->slot;
	r->member[i].hears = m->hears;
	r->member[i].digits_to = m->digits_to & (uint16_t) ~(1u << i);
	p->room = r->slot;
	p->member = i & (CORD_ROOM_MEMBERS_MAX - 1);
	if (m->player == CORD_PLAYER_START) {
		player_start(&cold->player, m->first_clip, m->first_frame);
		atomic_store_explicit(&cold->staged_generation, 0, memory_order_relaxed);
		p->flags |= PORT_PLAYING;
	} else if (m->player == CORD_PLAYER_STOP) {
		player_stop(&cold->player);
		p->flags &= (uint16_t)~PORT_PLAYING;
	}
	port_status_write(w, p);
}

/* A tap that sits in another of our rooms leaves it. */
static void tap_take(struct worker *w, const struct tap *t)
{
	if (atomic_load_explicit(&t->owner, memory_order_relaxed) != w->index)
		return;
	struct room *r = &w->dp->room[t->room];

	for (uint32_t i = 0; i < r->taps; i++) {
		if (r->tap[i].tap == t) {
			room_tap_leave(r, i);
			room_derive(w, r);
			return;
		}
	}
}

static void taps_apply(
	struct worker *w, struct room *r, const struct cord_room_set *m, uint32_t ports)
{
	while (r->taps)
		room_tap_leave(r, r->taps - 1u);
	for (uint32_t i = ports; i < m->members; i++) {
		struct tap *t = tap_find(&w->dp->taps, m->member[i].port);

		if (t == NULL)
			continue;
		tap_take(w, t);
		if (tap_claim(t, (uint8_t)w->index, r->slot))
			r->tap[r->taps++] = (struct room_tap){t, m->member[i].hears,
				m->member[i].digits_to, (uint16_t)m->member[i].players};
	}
}

void room_set_apply(struct worker *w, const struct cord_room_set *m, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	struct room *r = &dp->room[cord_id_slot(m->room)];
	uint32_t ports = ports_of(m);

	(void)now_ns;
	for (uint32_t i = 0; i < r->members; i++) {
		struct port *p = &dp->port[r->member[i].port];

		if (!named(m, ports, p->slot)) {
			unseat(w, p);
			port_status_write(w, p);
		}
	}
	for (uint32_t i = 0; i < ports; i++) {
		struct port *p = &dp->port[cord_id_slot(m->member[i].port)];

		if (p->room != PORT_NONE && p->room != r->slot)
			room_leave(w, p);
	}
	r->members = (uint8_t)ports;
	for (uint32_t i = 0; i < ports; i++)
		member_apply(w, r, i, &m->member[i]);
	r->gains = m->gains;
	for (uint32_t i = 0; i < m->gains; i++)
		r->gain[i] = (struct room_gain){
			m->gain[i].listener, m->gain[i].talker, mix_gain(m->gain[i].gain_db)};
	taps_apply(w, r, m, ports);
	room_derive(w, r);
	room_status_write(w, r);
}
