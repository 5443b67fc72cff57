/* SPDX-License-Identifier: Apache-2.0 */
#include "media/model.h"

#include <errno.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"

#define SWEEP_NS 1000000000u
/* The dead control's last commands may still be in the rings: look more than once. */
#define SCANS 3

static void orphan_add(struct media *m, struct orphan orphan)
{
	if (m->n_orphans == m->size_orphans) {
		unsigned size = m->size_orphans ? 2 * m->size_orphans : 64;
		struct orphan *grown = realloc(m->orphans, size * sizeof(*grown));

		CHECK(grown);
		m->orphans = grown;
		m->size_orphans = size;
	}
	m->orphans[m->n_orphans++] = orphan;
}

static void scan_ports(struct media *m)
{
	for (uint32_t slot = 0; slot < m->shape.ports; slot++) {
		cord_id id = attach_port_at(m->attach, slot);
		struct cord_port_status s;

		if (id == 0 || cord_id_slot(id) != slot ||
			!attach_port_status(m->attach, slot, &s) || s.port != id ||
			!placement_port_claim(m->placement, id))
			continue;
		orphan_add(m, (struct orphan){.id = id,
				      .room = s.room,
				      .worker = s.owner < m->shape.workers ? s.owner : 0,
				      .last_rx_ns = s.last_rx > s.opened ? s.last_rx : s.opened});
	}
}

static void scan_rooms(struct media *m)
{
	for (uint32_t slot = 0; slot < m->shape.rooms; slot++) {
		unsigned worker;
		cord_id id = attach_room_at(m->attach, slot, &worker);

		if (id == 0 || cord_id_slot(id) != slot ||
			!placement_room_claim(m->placement, id, worker))
			continue;
		orphan_add(m, (struct orphan){.id = id,
				      .room = id,
				      .is_room = true,
				      .worker = worker < m->shape.workers ? worker : 0,
				      .last_rx_ns = loop_now(m->loop)});
	}
}

/* A room and its ports lie side by side. */
static int by_room(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;

	return x->room < y->room ? -1 : x->room > y->room;
}

static void sort(struct media *m)
{
	if (m->n_orphans)
		qsort(m->orphans, m->n_orphans, sizeof(*m->orphans), by_room);
}

static void scan(struct media *m)
{
	unsigned before = m->n_orphans;

	scan_ports(m);
	scan_rooms(m);
	sort(m);
	if (m->n_orphans > before)
		log_warning(NULL, "media", "%u ports and rooms of a former control found",
			m->n_orphans - before);
}

/* Keeps what is still there and reads when its ports last received. */
static void refresh(struct media *m)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->n_orphans; i++) {
		struct orphan o = m->orphans[i];
		struct cord_port_status s;
		unsigned worker;
		bool there = true;

		if (o.is_room)
			there = attach_room_at(m->attach, cord_id_slot(o.id), &worker) == o.id;
		else if (attach_port_status(m->attach, cord_id_slot(o.id), &s)) {
			there = s.port == o.id;
			o.room = s.room;
			o.last_rx_ns = s.last_rx > s.opened ? s.last_rx : s.opened;
		}
		if (there)
			m->orphans[kept++] = o;
		else
			send_close(m, o.id, o.worker, o.is_room, false);
	}
	m->n_orphans = kept;
}

/* The room that begins at `i`; *i moves to the next one. */
static struct media_orphan summary(const struct media *m, unsigned *i)
{
	struct media_orphan out = {.room = m->orphans[*i].room};
	uint64_t seen_ns = 0;

	for (; *i < m->n_orphans && m->orphans[*i].room == out.room; ++*i) {
		const struct orphan *o = &m->orphans[*i];

		out.worker = o->worker;
		if (o->is_room) {
			seen_ns = o->last_rx_ns;
			continue;
		}
		out.ports++;
		if (o->last_rx_ns > out.last_rx_ns)
			out.last_rx_ns = o->last_rx_ns;
	}
	if (out.ports == 0)
		out.last_rx_ns = seen_ns;
	return out;
}

static bool quiet(const struct media_orphan *o, uint64_t now_ns)
{
	return now_ns > o->last_rx_ns && now_ns - o->last_rx_ns >= CORD_ORPHAN_QUIET_NS;
}

static void remove_quiet(struct media *m, uint64_t now_ns)
{
	unsigned kept = 0;

	for (unsigned i = 0, end = 0; i < m->n_orphans; i = end) {
		struct media_orphan s = summary(m, &end);
		bool gone = quiet(&s, now_ns);

		if (gone)
			log_info(NULL, "media", "room %#llx of a former control is quiet: removed",
				(unsigned long long)s.room);
		for (unsigned at = i; at < end; at++) {
			const struct orphan o = m->orphans[at];

			if (gone)
				send_close(m, o.id, o.worker, o.is_room, true);
			else
				m->orphans[kept++] = o;
		}
	}
	m->n_orphans = kept;
}

static void remove_room(struct media *m, uint64_t room)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->n_orphans; i++) {
		const struct orphan o = m->orphans[i];

		if (o.room == room || room == UINT64_MAX)
			send_close(m, o.id, o.worker, o.is_room, true);
		else
			m->orphans[kept++] = o;
	}
	m->n_orphans = kept;
}

static void sweep(void *ctx, uint64_t now_ns)
{
	struct media *m = ctx;

	if (m->state != MEDIA_UP)
		return;
	if (m->scans) {
		m->scans--;
		scan(m);
	}
	refresh(m);
	sort(m);
	remove_quiet(m, now_ns);
	if (m->scans || m->n_orphans)
		timers_set_in(loop_timers(m->loop), &m->sweep, SWEEP_NS);
}

void orphans_init(struct media *m)
{
	timer_init(&m->sweep, sweep, m);
}

void orphans_attached(struct media *m)
{
	m->scans = SCANS;
	scan(m);
	timers_set_in(loop_timers(m->loop), &m->sweep, SWEEP_NS);
}

void orphans_gone(struct media *m)
{
	timers_cancel(loop_timers(m->loop), &m->sweep);
	for (unsigned i = 0; i < m->n_orphans; i++)
		send_close(m, m->orphans[i].id, m->orphans[i].worker, m->orphans[i].is_room, false);
	free(m->orphans);
	m->orphans = NULL;
	m->n_orphans = m->size_orphans = 0;
}

unsigned media_orphans(const struct media *m, struct media_orphan *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n_orphans; n++) {
		struct media_orphan o = summary(m, &i);

		if (n < max)
			out[n] = o;
	}
	return n;
}

int media_orphan_remove(struct media *m, uint64_t room)
{
	unsigned before = m->n_orphans;

	remove_room(m, room);
	return m->n_orphans < before ? 0 : -ENOENT;
}
