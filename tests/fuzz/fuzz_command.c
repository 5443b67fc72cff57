/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: what control may write into a dataplane's rings, and what the network may send at the
 * same time. The input is a series of steps, each led by a byte:
 *
 *     0xxxxxxx  a command of type x to a worker, ids made plausible by the byte behind it
 *     10xxxxxx  a frame of the wire
 *     110xxxxx  RTP of a port's peer
 *     111xxxxx  time, and a position in a tap
 *
 * Every command has one answer, every packet one exit, and nothing is left at the end. One
 * dataplane serves all inputs: each input has generations of its own.
 */
#include "dataplane/fake_control.h"
#include "dataplane/rig.h"
#include "rx.h"

#include <stdlib.h>
#include <unistd.h>

#include <rte_mbuf.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { WORKERS = 2, STEPS_MAX = 400, FRAME_MAX = 300, TAPS = 3 };

/* Taps of this control, which it writes into as it likes. */
static struct cord_tap *taps[TAPS];

/* Below those of this input. */
static uint32_t generation_base;

struct input {
	const uint8_t *bytes;
	size_t length;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t take(struct input *in)
{
	if (in->length == 0)
		return 0;
	in->length--;
	return *in->bytes++;
}

static size_t take_bytes(struct input *in, void *to, size_t n)
{
	n = n < in->length ? n : in->length;
	memcpy(to, in->bytes, n);
	in->bytes += n;
	in->length -= n;
	return n;
}

static void drop_sent(struct rig *r)
{
	uint64_t word;

	for (uint32_t i = 0; i < WORKERS; i++) {
		struct worker *w = r->dp.worker[i];

		rte_pktmbuf_free_bulk(w->tx, w->tx_count);
		w->tx_count = 0;
	}
	for (uint32_t i = 0; i < WORKERS; i++)
		while (exchange_get(r->dp.worker[0]->exchange[i], &word))
			rte_pktmbuf_free((struct rte_mbuf *)(uintptr_t)WORKER_WORD_VALUE(word));
}

static void pass(struct rig *r, uint64_t later_ns)
{
	struct cord_message m;

	r->now_ns += later_ns;
	for (uint32_t i = 0; i < WORKERS; i++) {
		do
			worker_pass(r->dp.worker[i], r->now_ns);
		while (r->dp.worker[i]->phase_at <= r->now_ns / WORKER_PHASE_NS);
	}
	drop_sent(r);
	for (uint32_t i = 0; i < WORKERS; i++)
		while (cord_ring_read(&r->events[i], &m) == CORD_RING_OK) {
			require(m.type > CORD_EVENT_BEGIN && m.type < CORD_EVENT_END);
			require(m.size == cord_message_body_size(m.type));
			if (m.type == CORD_EVENT_DONE) {
				require(m.correlation != r->last_correlation);
				r->last_correlation = m.correlation;
				r->last_refusal = (int)m.event_done.refusal;
			}
		}
}

static void ask(struct rig *r, uint32_t worker, struct cord_message *m)
{
	m->correlation = ++r->correlation;
	require(cord_ring_write(&r->commands[worker], m) == CORD_RING_OK);
	for (uint32_t i = 0; i < 10 && r->last_correlation != m->correlation; i++)
		pass(r, 0);
	require(r->last_correlation == m->correlation);
}

/* Ids that may be there: a slot of a few, or one beyond the last; a generation of a few. */
static cord_id plausible(uint8_t byte)
{
	return cord_id_make(
		(byte & 7) + (byte >= 0xf0 ? RIG_PORTS : 0), generation_base + (byte >> 3 & 3) + 1);
}

/* A slot never gets a generation again that is not above its last. */
static bool takes_generation(uint32_t type)
{
	return type == CORD_COMMAND_PORT_OPEN || type == CORD_COMMAND_ROOM_OPEN;
}

static void make_plausible(struct cord_message *m, uint8_t byte)
{
	cord_id id = plausible(byte);

	switch (m->type) {
	case CORD_COMMAND_PORT_OPEN:
		m->port_open.port = id;
		m->port_open.terms.ptime_ms =
			(uint8_t)(10 + 10 * (m->port_open.terms.ptime_ms % 7));
		m->port_open.terms.codec %= CORD_CODEC_COUNT + 1;
		break;
	case CORD_COMMAND_ROOM_SET:
		m->room_set.room = id;
		m->room_set.members %= CORD_ROOM_MEMBERS_MAX + 2;
		m->room_set.gains %= 4;
		for (uint32_t i = 0; i < CORD_ROOM_MEMBERS_MAX; i++) {
			struct cord_room_member *k = &m->room_set.member[i];

			k->port = plausible((uint8_t)k->port);
			k->hears &= (1u << m->room_set.members) - 1;
			k->digits_to &= (1u << m->room_set.members) - 1;
			k->player_generation %= 4;
			k->kind = i + CORD_ROOM_TAPS_MAX < m->room_set.members ? CORD_MEMBER_PORT
									       : k->kind & 1;
			if (k->kind == CORD_MEMBER_TAP)
				k->port = cord_id_make(k->port & 3, 1);
		}
		break;
	case CORD_COMMAND_PORT_PLAYLIST:
		m->port_playlist.port = id;
		m->port_playlist.generation %= 4;
		for (uint32_t i = 0; i < CORD_PLAYLIST_MAX; i++)
			m->port_playlist.clip[i] = m->port_playlist.clip[i] % 4;
		break;
	case CORD_COMMAND_ROOM_OPEN:
		m->room_open.rate_hz = m->room_open.rate_hz & 15 ? 8000 : m->room_open.rate_hz;
		/* fall through */
	default:
		m->port_close.port = id; /* first in every body */
	}
}

static void command(struct rig *r, struct input *in, uint8_t lead)
{
	struct cord_message m = {.type = (lead & 15u) % (CORD_COMMAND_END + 1)};
	uint8_t flags = take(in);
	size_t room = sizeof(m) - offsetof(struct cord_message, port_open);

	m.size = cord_message_body_size(m.type);
	take_bytes(in, &m.port_open, m.size ? m.size : room);
	if (lead & 0x40)
		m.size += take(in);
	if (!(lead & 0x20) || takes_generation(m.type))
		make_plausible(&m, flags);
	ask(r, lead >> 4 & 1, &m);
}

static void frame(struct rig *r, struct input *in, uint8_t lead)
{
	uint8_t bytes[FRAME_MAX] = {0};
	size_t n = take_bytes(in, bytes, take(in));

	r->home = lead & 1;
	if (n)
		rig_frame(r, bytes, (uint16_t)n);
}

static void rtp(struct rig *r, struct input *in, uint8_t lead)
{
	uint8_t payload[FRAME_MAX] = {0}, type = take(in);
	uint16_t sequence = (uint16_t)(take(in) << 8 | take(in));
	size_t n = take_bytes(in, payload, take(in));

	r->home = lead >> 3 & 1;
	rig_rtp(r, lead & 7, type & 127, type >> 7, sequence, sequence * 160u, payload,
		(uint16_t)n);
}

static void later(struct rig *r, uint8_t lead)
{
	atomic_store(&taps[lead % TAPS]->tail, (lead & 31u) * 0x01010101u);
	pass(r, (lead & 31) * 2000000ull);
}

static void close_one(struct rig *r, uint32_t worker, enum cord_message_type type, cord_id id)
{
	struct cord_message m = {
		.type = type, .size = cord_message_body_size(type), .port_close.port = id};

	ask(r, worker, &m);
	require(r->last_refusal == CORD_REFUSAL_NONE);
}

static void close_all(struct rig *r)
{
	for (uint32_t i = 0; i < RIG_PORTS; i++) {
		uint8_t owner = atomic_load(&r->dp.port_owner[i]);

		if (owner != OWNER_NONE)
			close_one(r, owner, CORD_COMMAND_PORT_CLOSE, r->dp.port[i].id);
		owner = atomic_load(&r->dp.room_owner[i]);
		if (owner != OWNER_NONE)
			close_one(r, owner, CORD_COMMAND_ROOM_CLOSE, r->dp.room[i].id);
	}
	pass(r, CORD_TICK_NS);
	for (uint32_t i = 0; i < WORKERS; i++)
		require(r->dp.worker[i]->ports == 0 && r->dp.worker[i]->rooms == 0);
	require(rte_mempool_in_use_count(r->dp.nic.pool) == 0);
}

static struct rig *rig;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	rig = rig_create(WORKERS);
	for (cord_clip_id id = 1; id <= 2; id++)
		for (uint32_t format = CORD_CLIP_L16; format <= id; format++)
			rig_clip(rig, id, format, 3, 440);
	for (uint32_t i = 0; i < TAPS; i++) {
		int fd = fake_control_tap(cord_id_make(i, 1), 8000, &taps[i]);

		require(tap_add(&rig->dp.taps, fd, cord_tap_bytes(8000), cord_id_make(i, 1), 1) ==
			CORD_ATTACH_RESULT_OK);
		close(fd);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input in = {bytes, length};

	for (uint32_t i = 0; i < STEPS_MAX && in.length; i++) {
		uint8_t lead = take(&in);

		if (!(lead & 0x80))
			command(rig, &in, lead);
		else if (!(lead & 0x40))
			frame(rig, &in, lead);
		else if (!(lead & 0x20))
			rtp(rig, &in, lead);
		else
			later(rig, lead);
	}
	close_all(rig);
	generation_base += 4;
	return 0;
}
