/* SPDX-License-Identifier: Apache-2.0 */
#include "tick.h"

#include "ahead.h"
#include "event.h"
#include "keys.h"
#include "listen.h"
#include "pass.h"
#include "send.h"
#include "take.h"
#include "tx.h"

#define TICK_LATE_NS            1000000u
#define TICK_PERIODS_PER_SECOND 50u
/* More of its time than this a tick is not counted as. */
#define TICK_TAKEN_MAX 100000u

static void advance_player(struct worker *w, struct port *p)
{
	struct player *player = &worker_cold(w, p)->player;

	if (!player_advance(player))
		return;
	p->flags &= (uint16_t)~PORT_PLAYING;
	port_status_write(w, p);
	event_player_end(w, p->id, player->list.generation);
}

static void finish(struct worker *w, struct port *p, uint32_t i, uint32_t period)
{
	bool look = tick_looks_at(p, period);

	if (w->scratch.talk[i].later)
		take_unheard(w, p, i);
	if (w->scratch.talk[i].packet)
		nic_free(&w->dp->nic, w->scratch.talk[i].packet);
	if (p->flags & PORT_PLAYING)
		advance_player(w, p);
	if (look)
		report_step(w, p);
	if (look || (p->flags & PORT_CHANGED))
		port_status_write(w, p);
	else if ((p->flags & PORT_PLAYING) && worker_cold(w, p)->player.frame == 0)
		port_status_write_player(w, p);
}

static void tick_room(struct worker *w, struct room *r, uint64_t due_ns, uint32_t period)
{
	struct sound sound[CORD_ROOM_MEMBERS_MAX];
	uint32_t talking = 0, sending = 0;

	listen_begin(w, period);
	for (uint32_t i = 0; i < r->members; i++) {
		struct port *p = worker_member(w, r, i);

		take(w, p, i, due_ns);
		if (p->flags & PORT_INBAND)
			keys_listen(w, r, i);
		if (talk_says(&w->scratch.talk[i]) && (r->heard >> i & 1))
			talking |= 1u << i;
	}
	if (r->taps)
		tap_room(w, r, talking, due_ns / CORD_TICK_NS);
	if (r->coded)
		pass_judge(w, r, talking);
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);

		/* Moved here from a room that was worked earlier in this period: it has sent. */
		if ((p->direction & CORD_MAY_SEND) &&
			!((p->flags & PORT_STARTED) && p->period == period))
			sending |= 1u << i;
	}
	listen_room(w, r, sending, talking, sound);
	for (uint32_t i = 0; i < r->members; i++) {
		struct port *p = worker_member(w, r, i);

		if (sending >> i & 1)
			send_sound(w, p, i, period, &sound[i]);
	}
	/* Behind all sending: what is sent may be another member's packet. */
	for (uint32_t i = 0; i < r->members; i++)
		finish(w, worker_member(w, r, i), i, period);
}

void tick_phase(struct worker *w, uint64_t phase_at)
{
	uint32_t phase = (uint32_t)(phase_at % CORD_PHASES);
	uint32_t period = (uint32_t)(phase_at / CORD_PHASES);
	const uint32_t *rooms = w->phase_rooms[phase];
	uint32_t count = w->phase_count[phase];

	ahead_begin(w, rooms, count, period);
	for (uint32_t i = 0; i < count; i++) {
		struct room *r = &w->dp->room[rooms[i]];

		ahead_room(w, rooms, count, i, period);
		/* One that was moved here from a phase before has been worked. */
		if (r->period == period)
			continue;
		r->period = period;
		tick_room(w, r, phase_at * WORKER_PHASE_NS, period);
	}
	room_spread(w, phase);
}

/* Phases from this one to the next that has something to do. */
static uint32_t phases_until_next(const struct worker *w, uint32_t phase)
{
	uint32_t n = 1;

	while (n < CORD_PHASES && w->phase_count[(phase + n) % CORD_PHASES] == 0)
		n++;
	return n;
}

static void tick_pace(struct worker *w, uint64_t budget, uint64_t cycles)
{
	if (pace_step(&w->pace, cycles, budget, w->opus_coded))
		worker_count(w, CORD_COUNTER_complexity_lowered, 1);
	w->opus_coded = false;
}

static void tick_tell_fullest(struct worker *w)
{
	uint32_t fullest = 0;

	for (uint32_t i = 0; i < CORD_PHASES; i++) {
		if (w->phase_taken[i] > fullest)
			fullest = w->phase_taken[i];
	}
	memset(w->phase_taken, 0, sizeof(w->phase_taken));
	worker_gauge(w, CORD_COUNTER_phase_fullest, fullest / TICK_PERIODS_PER_SECOND);
}

/*
 * One phase that is too full makes ticks late on a core that is idle on average. The average of a
 * second counts: a single tick may be long because the worker was held up.
 */
static void tick_fullness(struct worker *w, uint64_t budget, uint64_t cycles)
{
	uint64_t taken = cycles * 1000 / budget;
	uint64_t second = w->phase_at / (TICK_PERIODS_PER_SECOND * CORD_PHASES);

	if (second != w->second)
		tick_tell_fullest(w);
	w->second = second;
	w->phase_taken[w->phase_at % CORD_PHASES] +=
		(uint32_t)(taken < TICK_TAKEN_MAX ? taken : TICK_TAKEN_MAX);
}

static uint64_t phase_budget(const struct worker *w, uint32_t phase)
{
	return worker_phase_cycles(w) * phases_until_next(w, phase);
}

static void tick_account(struct worker *w, uint64_t cycles)
{
	uint64_t budget = phase_budget(w, (uint32_t)(w->phase_at % CORD_PHASES));

	tick_pace(w, budget, cycles);
	tick_fullness(w, budget, cycles);
	worker_count(w, CORD_COUNTER_ticks, 1);
	worker_count(w, CORD_COUNTER_tick_cycles, cycles);
	if (cycles > atomic_load_explicit(&w->shared->counters.value[CORD_COUNTER_tick_cycles_max],
			     memory_order_relaxed))
		worker_gauge(w, CORD_COUNTER_tick_cycles_max, cycles);
}

uint32_t tick_step(struct worker *w, cord_time now_ns)
{
	uint64_t now_phase = now_ns / WORKER_PHASE_NS;

	/* The first one ever, or the clock was ahead and has been put back. */
	if (w->phase_at == 0 || w->phase_at > now_phase + 1)
		w->phase_at = now_phase;
	if (w->phase_at > now_phase)
		return 0;
	if (now_phase >= w->phase_at + CORD_PHASES) {
		uint64_t skipped = now_phase - w->phase_at - CORD_PHASES + 1;

		worker_count(w, CORD_COUNTER_ticks_skipped, skipped);
		w->phase_at += skipped;
	}
	if (now_ns - w->phase_at * WORKER_PHASE_NS > TICK_LATE_NS)
		worker_count(w, CORD_COUNTER_ticks_late, 1);

	uint64_t begun = w->dp->tsc();

	if (w->phase_count[w->phase_at % CORD_PHASES])
		tick_phase(w, w->phase_at);
	tick_account(w, w->dp->tsc() - begun);
	w->phase_at++;
	return 1;
}
