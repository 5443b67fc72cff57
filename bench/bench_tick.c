/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_tick [--smoke]: cycles for each party of three-party G.711 conferences, with no NIC in the
 * way: a packet of each party is received (all checks, jitter buffer), every room is worked, a
 * packet for each party is made. Packets arrive in an order that has nothing to do with rooms.
 */
#include "bench.h"

#include "packet.h"
#include "port.h"
#include "room.h"
#include "rtp.h"
#include "rx.h"
#include "tick.h"
#include "worker.h"

#include <rte_eal.h>

#define WARM_UP  30u
#define REPEATS  101u
#define UDP_BASE 2000u

struct run {
	struct dataplane dp;
	struct worker *w;
	uint32_t parties;
	uint32_t *order;
	struct rte_mbuf **arriving;
	uint64_t hash;
};

static void fatal(const char *what)
{
	fprintf(stderr, "bench_tick: %s\n", what);
	exit(1);
}

static uint32_t remote_ip(uint32_t slot)
{
	return packet_be32(0x0b000000u + slot);
}

static void open_all(struct run *r)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	for (uint32_t i = 0; i < r->parties; i++) {
		struct cord_port_open m = {
			.port = cord_id_make(i, 1),
			.ssrc = i + 1,
			.terms = {.remote = {.family = CORD_FAMILY_IPV4, .udp_port = 4000},
				.codec = CORD_CODEC_PCMU,
				.event_payload_type = 101,
				.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
				.receive_event_payload_type = 101,
				.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
				.event_clock_hz = 8000,
				.ptime_ms = 20,
				.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE},
		};
		uint32_t ip = remote_ip(i);

		memcpy(m.terms.remote.ip, &ip, sizeof(ip));
		if (port_open(r->w, &m, 0))
			fatal("port refused");
	}
	neighbor_learn(&r->dp.neighbors, &r->dp.config.gateway[0], mac, true, 1);
	for (uint32_t i = 0; i < r->parties / 3; i++) {
		struct cord_room_open o = {.room = cord_id_make(i, 1), .rate_hz = 8000};
		struct cord_room_set s = {.room = o.room, .members = 3};
		uint32_t foreign[CORD_ROOM_MEMBERS_MAX], count;

		for (uint32_t k = 0; k < 3; k++)
			s.member[k] = (struct cord_room_member){.port = cord_id_make(3 * i + k, 1),
				.hears = (uint16_t)(7 & ~(1u << k))};
		if (room_open(r->w, &o) || room_set_check(r->w, &s, foreign, &count))
			fatal("room refused");
		room_set_apply(r->w, &s, 0);
	}
	for (uint32_t i = 0; i < r->w->tx_count; i++)
		rte_pktmbuf_free(r->w->tx[i]);
	r->w->tx_count = 0;
}

/* The packets of one period, made outside the measured time, as a NIC would. */
static void arrive(struct run *r, uint32_t period)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	if (rte_pktmbuf_alloc_bulk(r->dp.nic.pool, r->arriving, r->parties))
		fatal("pool empty");
	for (uint32_t i = 0; i < r->parties; i++) {
		uint32_t slot = r->order[i];
		struct rte_mbuf *m = r->arriving[i];
		struct packet_headers *h =
			(struct packet_headers *)(void *)rte_pktmbuf_append(m, 214);
		uint8_t *rtp = (uint8_t *)(h + 1);

		packet_headers_write(h, mac, mac, remote_ip(slot), r->dp.ipv4[0], packet_be16(4000),
			packet_be16((uint16_t)(UDP_BASE + 2 * slot)), 172);
		rtp_write(rtp, period == 0, 0, (uint16_t)period, period * 160, slot + 7);
		for (uint32_t k = 0; k < 160; k++)
			rtp[12 + k] = (uint8_t)((slot * 31 + period * 7 + k * 13) | 0x08);
	}
}

static void leave(struct run *r, bool hash)
{
	for (uint32_t i = 0; i < r->w->tx_count; i++) {
		/* RTCP tells the time of day. */
		if (hash && r->w->tx[i]->data_len == 214)
			r->hash = bench_hash(r->hash,
				rte_pktmbuf_mtod_offset(r->w->tx[i], const void *, 54), 160);
		rte_pktmbuf_free(r->w->tx[i]);
	}
	r->w->tx_count = 0;
}

static uint64_t one_tick(struct run *r, uint32_t period, uint64_t *rx)
{
	uint64_t base = 1000 + period, cycles = 0, begun;

	arrive(r, period);
	r->w->now_ns = base * CORD_TICK_NS - 10000000u;
	begun = bench_tsc();
	for (uint32_t i = 0; i < r->parties; i += WORKER_RX_BURST) {
		uint32_t left = r->parties - i;

		rx_burst(r->w, r->arriving + i, left < WORKER_RX_BURST ? left : WORKER_RX_BURST);
	}
	*rx = bench_tsc() - begun;
	for (uint32_t p = 0; p < CORD_PHASES; p++) {
		begun = bench_tsc();
		tick_phase(r->w, base * CORD_PHASES + p);
		cycles += bench_tsc() - begun;
		leave(r, period == WARM_UP);
	}
	return cycles;
}

static void shuffle(uint32_t *order, uint32_t n)
{
	uint64_t x = 88172645463325252ull;

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	for (uint32_t i = n - 1; i > 0; i--) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		uint32_t k = (uint32_t)(x % (i + 1)), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
}

static uint64_t played(const struct run *r)
{
	return atomic_load(&r->w->shared->counters.value[CORD_COUNTER_frames_played]);
}

static void measure(struct nic *nic, uint32_t parties, uint32_t repeats, double hz)
{
	static struct run r;
	struct dataplane_config c = {.workers = 1,
		.ports = parties,
		.rooms = parties / 3,
		.addresses = 1,
		.address = {cord_address_ipv4(10, 0, 0, 2, 0)},
		.prefix = {24},
		.gateway = {cord_address_ipv4(10, 0, 0, 1, 0)},
		.udp_port_base = UDP_BASE,
		.tsc_hz = (uint64_t)hz,
		.epoch = 1,
		.seed = 1};
	static double rx[REPEATS], tick[REPEATS];

	memset(&r, 0, sizeof(r));
	r.dp.nic = *nic;
	if (dataplane_create(&r.dp, &c))
		fatal("no memory");
	r.w = r.dp.worker[0];
	r.parties = parties;
	r.order = calloc(parties, sizeof(*r.order));
	r.arriving = calloc(parties, sizeof(struct rte_mbuf *));
	if (!r.order || !r.arriving)
		fatal("no memory");
	r.hash = BENCH_HASH;
	shuffle(r.order, parties);
	open_all(&r);
	for (uint32_t i = 0; i < WARM_UP + repeats; i++) {
		uint64_t rx_cycles, before = played(&r);
		uint64_t tick_cycles = one_tick(&r, i, &rx_cycles);

		if (i < WARM_UP)
			continue;
		if (played(&r) - before != parties)
			fatal("a frame was not played");
		rx[i - WARM_UP] = (double)rx_cycles / parties;
		tick[i - WARM_UP] = (double)tick_cycles / parties;
	}
	double receive = bench_median(rx, repeats), mix = bench_median(tick, repeats);

	printf("{\"bench\":\"tick\",\"codec\":\"PCMU\",\"room\":3,\"parties\":%u,\"repeats\":%u,"
	       "\"rx_cycles_per_party\":%.1f,\"tick_cycles_per_party\":%.1f,"
	       "\"cycles_per_party\":%.1f,\"tsc_mhz\":%.0f,\"parties_per_core\":%.0f,"
	       "\"hash\":\"%016llx\"}\n",
		parties, repeats, receive, mix, receive + mix, hz / 1e6,
		hz * 0.02 / (receive + mix), (unsigned long long)r.hash);
	for (uint32_t i = 0; i < parties; i++)
		port_remove(r.w, &r.dp.port[i], 0);
	free(r.order);
	free(r.arriving);
	dataplane_destroy(&r.dp);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	char *words[] = {"bench_tick", "--lcores=0", "--no-huge", "-m", smoke ? "64" : "300",
		"--no-pci", "--no-shconf", "--no-telemetry", "--log-level=lib.eal:error", NULL};
	struct nic nic = {0};

	if (rte_eal_init(9, words) < 0 || nic_pool_create(&nic, smoke ? 4095 : 65535))
		fatal("EAL did not start");
	double hz = bench_tsc_hz();

	if (smoke) {
		measure(&nic, 99, 5, hz);
		return 0;
	}
	measure(&nic, 999, REPEATS, hz);
	measure(&nic, 9999, REPEATS, hz);
	return 0;
}
