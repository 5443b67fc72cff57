/* SPDX-License-Identifier: Apache-2.0 */
#include "ahead.h"

#include "tick.h"

#include <rte_prefetch.h>

#define LINE 64u
/*
 * How many rooms ahead: each step reads what the one before has fetched. A room of one caller who
 * waits takes the least time, so it sets the distance.
 */
#define AHEAD_ROOM   24u
#define AHEAD_PORT   18u
#define AHEAD_HANDLE 12u
#define AHEAD_PACKET 8u
#define AHEAD_CLIP   4u
/* Cache lines of a packet of G.711 or less, headers and all. */
#define PACKET_LINES 4u

static void fetch(const void *at, size_t lines)
{
	for (size_t i = 0; i < lines; i++)
		rte_prefetch0((const char *)at + i * LINE);
}

/* Of a port what every tick needs, and of a room with more members than its first line holds the rest. */
static void fetch_ports(struct worker *w, const struct room *r)
{
	size_t bytes = offsetof(struct room, member) + r->members * sizeof(r->member[0]);

	if (bytes > LINE)
		fetch((const char *)r + LINE, bytes / LINE);
	for (uint32_t i = 0; i < r->members; i++)
		fetch(worker_member(w, r, i), offsetof(struct port, jitter.handle) / LINE);
}

/* Which packets wait; of who has sent nothing for a while, nobody looks. */
static void fetch_handles(struct worker *w, const struct room *r)
{
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);

		if (p->jitter.present)
			fetch(p->jitter.handle, 1);
	}
}

/* What telling and reporting a port's figures looks at. */
static void fetch_figures(struct worker *w, const struct port *p)
{
	const struct port_cold *cold = worker_cold(w, p);

	fetch(&p->source, 1);
	fetch(&w->dp->port_status[p->slot], sizeof(struct cord_port_status) / LINE);
	fetch(&cold->player, 1);
	fetch(&cold->opened, 1);
	fetch(&cold->report, 1 + sizeof(cold->report) / LINE);
}

/*
 * The packet that a port will play next: its header, and what lies behind the headroom that the pool
 * gave it, without waiting for the header to say where.
 */
static void fetch_packet(struct worker *w, const struct port *p)
{
	const struct jitter *j = &p->jitter;
	uint32_t handle = j->present ? j->handle[j->next_sequence % JITTER_SLOTS] : 0;

	if (handle == 0 || handle == PORT_UNHEARD)
		return;
	const struct rte_mbuf *m = nic_mbuf(&w->dp->nic, handle);

	fetch(m, 1);
	fetch((const char *)(m + 1) + RTE_PKTMBUF_HEADROOM, PACKET_LINES);
}

static void fetch_packets(struct worker *w, const struct room *r, uint32_t period)
{
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);

		fetch_packet(w, p);
		if (p->flags & PORT_PLAYING)
			fetch(&worker_cold(w, p)->player, 1);
		if (tick_looks_at(p, period))
			fetch_figures(w, p);
	}
}

static void fetch_clips(struct worker *w, const struct room *r)
{
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);
		const struct player *player = &worker_cold(w, p)->player;
		uint32_t bytes;

		if (!(p->flags & PORT_PLAYING))
			continue;
		const uint8_t *frame = clip_frame(player_clip(player),
			(enum cord_clip_format)p->codec, player->frame, &bytes);

		if (frame)
			fetch(frame, 1 + bytes / LINE);
	}
}

/* Fetches room number `furthest`, ports of one before it, and so on, of the rooms that there are. */
static void step(
	struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t furthest, uint32_t period)
{
	const struct room *room = w->dp->room;
	/* What would be before the first wraps, and is none either. */
	uint32_t port = furthest - (AHEAD_ROOM - AHEAD_PORT);
	uint32_t handle = furthest - (AHEAD_ROOM - AHEAD_HANDLE);
	uint32_t packet = furthest - (AHEAD_ROOM - AHEAD_PACKET);
	uint32_t clip = furthest - (AHEAD_ROOM - AHEAD_CLIP);

	if (furthest < count)
		fetch(&room[rooms[furthest]], 1);
	if (port < count)
		fetch_ports(w, &room[rooms[port]]);
	if (handle < count)
		fetch_handles(w, &room[rooms[handle]]);
	if (packet < count)
		fetch_packets(w, &room[rooms[packet]], period);
	if (clip < count)
		fetch_clips(w, &room[rooms[clip]]);
}

void ahead_begin(struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t period)
{
	for (uint32_t i = 0; i < AHEAD_ROOM; i++)
		step(w, rooms, count, i, period);
}

void ahead_room(
	struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t at, uint32_t period)
{
	step(w, rooms, count, at + AHEAD_ROOM, period);
}
