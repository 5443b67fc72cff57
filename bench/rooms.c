/* SPDX-License-Identifier: Apache-2.0 */
#include "rooms.h"

#include "bench.h"
#include "packet.h"
#include "port.h"
#include "room.h"
#include "rtp.h"
#include "tick.h"

#include <errno.h>
#include <rte_eal.h>

#define PEER_UDP 4000u
#define PEER_NET 0x0b000000u

void rooms_fatal(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

/* ---- a worker with calls -------------------------------------------------------------------- */

struct worker *rooms_worker(
	struct dataplane *dp, const struct nic *nic, const struct rooms_size *size, double hz)
{
	uint32_t addresses = (size->ports + CALLS_ADDRESS - 1) / CALLS_ADDRESS;
	struct dataplane_config c = {.workers = 1,
		.ports = addresses > 1 ? addresses * CALLS_ADDRESS : size->ports,
		.rooms = size->rooms,
		.coders = size->coders,
		.addresses = addresses,
		.gateway = {cord_address_ipv4(10, 0, 0, 1, 0)},
		.udp_port_base = CALLS_UDP_BASE,
		.srtp_backend = size->backend,
		.tsc_hz = (uint64_t)hz,
		.epoch = 1,
		.seed = 1};

	for (uint32_t i = 0; i < addresses; i++) {
		c.address[i] = cord_address_ipv4(10, 0, 0, (uint8_t)(2 + i), 0);
		c.prefix[i] = 24;
	}
	memset(dp, 0, sizeof(*dp));
	dp->nic = *nic;
	if (dataplane_create(dp, &c))
		rooms_fatal("no memory for the dataplane");
	atomic_store(&dp->unattended_since, 0);
	return dp->worker[0];
}

void rooms_worker_end(struct dataplane *dp, uint32_t ports, cord_time now_ns)
{
	for (uint32_t i = 0; i < ports; i++) {
		port_remove(dp->worker[0], &dp->port[i], now_ns);
		rooms_drop(dp->worker[0]);
	}
	dataplane_destroy(dp);
}

void rooms_port(struct worker *w, uint32_t slot, const struct cord_terms *terms)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct dataplane *dp = w->dp;
	const struct cord_port_open m = {.port = calls_id(slot), .ssrc = slot + 1, .terms = *terms};

	if (port_open(w, &m, 0) != CORD_REFUSAL_NONE)
		rooms_fatal("a port was refused");
	if (w->ports == 1)
		neighbor_learn(&dp->neighbors, &dp->config.gateway[0], mac, true, 1);
}

void rooms_set(struct worker *w, const struct cord_room_set *set)
{
	const struct cord_room_open o = {.room = set->room, .rate_hz = 8000};
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], count;

	if (room_open(w, &o) != CORD_REFUSAL_NONE ||
		room_set_check(w, set, foreign, &count) != CORD_REFUSAL_NONE)
		rooms_fatal("a room was refused");
	room_set_apply(w, set, 0);
}

void rooms_drop(struct worker *w)
{
	rte_pktmbuf_free_bulk(w->tx, w->tx_count);
	w->tx_count = 0;
}

uint32_t rooms_peer_ip(uint32_t slot)
{
	return packet_be32(PEER_NET + slot);
}

uint32_t rooms_peer_slot(uint32_t ip)
{
	return packet_be32(ip) - PEER_NET;
}

struct cord_address rooms_peer(uint32_t slot, uint16_t udp_port)
{
	struct cord_address peer = {.family = CORD_FAMILY_IPV4, .udp_port = udp_port};
	uint32_t ip = rooms_peer_ip(slot);

	memcpy(peer.ip, &ip, sizeof(ip));
	return peer;
}

/* ---- ticks without a NIC -------------------------------------------------------------------- */

void rooms_start(struct nic *nic, uint32_t packets, const char *mb)
{
	char *words[] = {"bench", "--lcores=0", "--no-huge", "-m", (char *)(uintptr_t)mb,
		"--no-pci", "--no-shconf", "--no-telemetry", "--log-level=lib.eal:error", NULL};

	*nic = (struct nic){0};
	if (rte_eal_init(9, words) < 0 || nic_pool_create(nic, packets))
		rooms_fatal("EAL did not start");
}

void rooms_begin(struct rooms *r, const struct nic *nic, uint32_t ports, uint32_t coders, double hz)
{
	/* Nothing is encrypted, and valgrind knows what it uses of the processor. */
	const struct rooms_size size = {ports, ports, coders, CORD_SRTP_BACKEND_LIBSRTP};

	r->ports = ports;
	r->hash = BENCH_HASH;
	r->w = rooms_worker(&r->dp, nic, &size, hz);
}

void rooms_end(struct rooms *r)
{
	rooms_worker_end(&r->dp, r->ports, 0);
}

struct cord_terms rooms_terms(uint32_t slot, enum cord_codec codec)
{
	return calls_terms(rooms_peer(slot, PEER_UDP), codec);
}

void rooms_arrive(
	struct rooms *r, uint32_t slot, uint32_t period, const uint8_t *payload, uint32_t bytes)
{
	struct port *p = &r->dp.port[slot];
	uint32_t samples = port_period_units(p);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->dp.nic.pool);
	char *at = m ? rte_pktmbuf_append(m, (uint16_t)bytes) : NULL;

	if (at == NULL)
		rooms_fatal("pool empty");
	memcpy(at, payload, bytes);
	r->w->now_ns = (ROOMS_PERIOD + period) * CORD_TICK_NS - 15000000u;
	const struct jitter_packet packet = {.handle = nic_handle(&r->dp.nic, m),
		.timestamp = period * samples,
		.sequence = (uint16_t)period,
		.samples = (uint16_t)samples,
		.marker = period == 0};

	if (jitter_insert(&p->jitter, &packet, r->w->now_ns) != JITTER_TAKEN)
		rooms_fatal("packet not taken");
}

static void leave(struct rooms *r)
{
	for (uint32_t i = 0; i < r->w->tx_count; i++) {
		const struct rte_mbuf *m = r->w->tx[i];
		const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
		const uint8_t *payload = (const uint8_t *)(h + 1) + RTP_HEADER_BYTES;
		size_t headers = sizeof(*h) + RTP_HEADER_BYTES;

		if (h->udp.to == packet_be16(PEER_UDP) && m->data_len > headers)
			r->hash = bench_hash(r->hash, payload, m->data_len - headers);
	}
	rooms_drop(r->w);
}

uint64_t rooms_tick(struct rooms *r, uint32_t period)
{
	uint64_t cycles = 0;

	for (uint64_t phase = 0; phase < CORD_PHASES; phase++) {
		uint64_t begun = bench_tsc();

		tick_phase(r->w, (ROOMS_PERIOD + period) * (uint64_t)CORD_PHASES + phase);
		cycles += bench_tsc() - begun;
		leave(r);
	}
	return cycles;
}
