/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time of the workers: read from their counters once a second, weighed with what the model has
 * (headroom.h), and judged when a room or a leg is wanted.
 *
 *	expected   0 ......... media_config.busy_percent ......... half of the rest ....... all
 *	new calls  taken       refused: media_has_time()
 *	more       taken                                           refused: -EBUSY
 */
#include "media/media.h"

#include <limits.h>

#include "base/clock.h"
#include "base/log.h"
#include "media/model.h"

#define MEASURE_NS CLOCK_S

static uint64_t bound_for_calls(const struct media *m)
{
	return m->config.busy_percent * (CORD_TICK_NS / 100);
}

/* What is accepted already may go further: an agent who consults, a supervisor who listens. */
static uint64_t bound_for_more(const struct media *m)
{
	return (bound_for_calls(m) + CORD_TICK_NS) / 2;
}

/* ---- what the model has ---------------------------------------------------------------------- */

static struct headroom_load load_of(const struct media_room *room)
{
	struct headroom_load load = {0};
	unsigned legs = 0;

	for (const struct media_leg *leg = room->legs; leg; leg = leg->next) {
		legs++;
		load.legs += leg->has_remote;
		if (leg->has_remote)
			load.arithmetic_ns += headroom_arithmetic_ns(&leg->remote);
	}
	load.awaited = (legs > HEADROOM_ROOM_LEGS ? legs : HEADROOM_ROOM_LEGS) - load.legs;
	return load;
}

static void weigh_as(struct media_room *room, struct headroom_load now)
{
	headroom_change(&room->media->headroom, room->worker, &room->load, &now);
	room->load = now;
}

void model_weigh(struct media_room *room)
{
	weigh_as(room, load_of(room));
}

void model_weigh_nothing(struct media_room *room)
{
	weigh_as(room, (struct headroom_load){0});
}

/* ---- measuring ------------------------------------------------------------------------------- */

static void measure(struct media *m, unsigned worker)
{
	const struct headroom_sample sample = {
		.busy_cycles = attach_counter(m->attach, worker, CORD_COUNTER_busy_cycles),
		.total_cycles = attach_counter(m->attach, worker, CORD_COUNTER_total_cycles),
		.phase_fullest = attach_counter(m->attach, worker, CORD_COUNTER_phase_fullest),
		.ports = attach_counter(m->attach, worker, CORD_COUNTER_ports),
	};

	headroom_measure(&m->headroom, worker, &sample);
}

static unsigned percent(uint64_t ns)
{
	return (unsigned)(ns / (CORD_TICK_NS / 100));
}

static void tell(struct media *m)
{
	bool full = !media_has_time(m);
	struct media_headroom h = {0};

	if (full == m->full)
		return;
	m->full = full;
	if (!full) {
		log_info_limited(NULL, "media", 5, "workers have time for new calls again");
		return;
	}
	media_headroom(m, admission_worker(m), &h);
	log_warning_limited(NULL, "media", 5,
		"no worker has time for another call: the one with most of it takes %u %% of its "
		"core, its fullest phase %u %%, and %u %% when all that was accepted has come",
		percent(h.busy_ns), percent(h.phase_ns), percent(h.expected_ns));
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct media *m = ctx;

	for (unsigned w = 0; w < m->headroom.workers; w++)
		measure(m, w);
	tell(m);
	timers_set(loop_timers(m->loop), &m->measure, now_ns + MEASURE_NS);
}

void admission_init(struct media *m)
{
	timer_init(&m->measure, on_timer, m);
}

void admission_begin(struct media *m, unsigned workers)
{
	headroom_reset(&m->headroom, workers);
	for (struct media_room *room = m->rooms; room; room = room->next)
		room->load = (struct headroom_load){0};
}

void admission_attached(struct media *m)
{
	for (struct media_room *room = m->rooms; room; room = room->next)
		model_weigh(room);
	on_timer(m, loop_now(m->loop));
}

void admission_gone(struct media *m)
{
	timers_cancel(loop_timers(m->loop), &m->measure);
}

/* ---- judging --------------------------------------------------------------------------------- */

unsigned admission_worker(const struct media *m)
{
	uint64_t load[CORD_WORKERS_MAX];

	for (unsigned w = 0; w < m->headroom.workers; w++)
		load[w] = headroom_expected_ns(&m->headroom, w);
	return placement_worker(m->placement, load);
}

static bool fits(const struct media *m, unsigned worker, unsigned legs, uint64_t bound_ns)
{
	return m->config.busy_percent == 0 ||
	       headroom_expected_ns(&m->headroom, worker) +
			       legs * headroom_leg_ns(&m->headroom, worker) <=
		       bound_ns;
}

/* Without space for a room it is not time that lacks. */
static bool room_fits(const struct media *m, uint64_t bound_ns)
{
	unsigned worker = m->placement ? admission_worker(m) : UINT_MAX;

	return worker == UINT_MAX || fits(m, worker, HEADROOM_ROOM_LEGS, bound_ns);
}

bool media_has_time(const struct media *m)
{
	return room_fits(m, bound_for_calls(m));
}

bool admission_takes_room(const struct media *m)
{
	return room_fits(m, bound_for_more(m));
}

bool admission_takes_leg(const struct media_room *room)
{
	unsigned legs = 0;

	for (const struct media_leg *leg = room->legs; leg; leg = leg->next)
		legs++;
	/* those that the room waits for were counted when it was made */
	return legs < HEADROOM_ROOM_LEGS ||
	       fits(room->media, room->worker, 1, bound_for_more(room->media));
}

bool media_headroom(const struct media *m, unsigned worker, struct media_headroom *out)
{
	if (m->state != MEDIA_UP || worker >= m->headroom.workers)
		return false;
	*out = (struct media_headroom){
		.busy_ns = m->headroom.worker[worker].busy_ns,
		.phase_ns = m->headroom.worker[worker].phase_ns,
		.expected_ns = headroom_expected_ns(&m->headroom, worker),
		.leg_ns = headroom_leg_ns(&m->headroom, worker),
		.bound_ns = m->config.busy_percent ? bound_for_calls(m) : CORD_TICK_NS,
	};
	return true;
}
