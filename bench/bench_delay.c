/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_delay [--smoke]: how long the switch keeps what is said, and how late its ticks are, when a
 * core has four fifths of the parties that it can carry. Two cores, real time, no kernel in the way.
 *
 * A worker runs its own loop on the first core. The peers, on the second, send each party's packet
 * of 20 ms when it is due, spread evenly and without jitter, and take what the worker sends; the NIC
 * between them is two rings (net_ring). Two parties of G.711 in each room hear each other, and every
 * byte of a packet says which period it is of, so the sound that leaves tells when it came.
 *
 * How many parties are four fifths is found by a short run first: busy cycles (counters.h) of
 * CALIBRATION parties. What the machine itself takes from the core, because others share it, is seen
 * by a loop that only looks at the clock, for as long before and after the run; a tick is late, there
 * as here, when its millisecond is noticed more than 1 ms after it came.
 */
#include "bench.h"

#include "packet.h"
#include "port.h"
#include "room.h"
#include "rtp.h"
#include "worker.h"

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <sched.h>

enum {
	CALIBRATION = 9000,
	SMOKE_PARTIES = 60,
	PORTS_PER_ADDRESS = 30000,
	UDP_BASE = 2000,
	PEER_UDP = 4000,
	RING_SLOTS = 1 << 16,
	WORKER_LCORE = 1,
	BURST = 64,
	PAYLOAD = 160,
	CODES = 64, /* periods that a payload can tell apart */
	STEP_US = 10,
	STEPS = 100000,
};

#define MS          UINT64_C(1000000)
#define HEADER      (sizeof(struct packet_headers) + RTP_HEADER_BYTES)
#define PHASE_NS    (CORD_TICK_NS / CORD_PHASES)
#define SHARE       0.8
#define WARM_UP_NS  (2000 * MS)
#define PARTIES_MAX 180000u

struct scene {
	struct nic nic;
	struct rte_ring *rx, *tx;
	struct dataplane dp;
	struct worker *w;
	uint32_t parties;
	uint64_t (*said_ns)[CODES]; /* of each party, when its packet of a period was given */
	uint64_t begun_ns;          /* of the peers' first period */
	uint64_t turns;             /* packets given, of all parties together */
	bool measuring;
	uint64_t heard, unknown, refused, generator_worst_ns; /* refused: the ring was full */
	uint32_t *delays;                                     /* by STEP_US */
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_delay: %s\n", what);
	exit(1);
}

/* ---- the worker's side ---------------------------------------------------------------------- */

static uint32_t peer_ip(uint32_t slot)
{
	return packet_be32(0x0b000000u + slot);
}

static void open_port(struct scene *s, uint32_t slot)
{
	struct cord_port_open m = {.port = cord_id_make(slot, 1),
		.ssrc = slot + 1,
		.terms = {.remote = {.family = CORD_FAMILY_IPV4, .udp_port = PEER_UDP},
			.codec = CORD_CODEC_PCMU,
			.event_payload_type = 101,
			.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.receive_event_payload_type = 101,
			.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.event_clock_hz = 8000,
			.ptime_ms = 20,
			.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE}};
	uint32_t ip = peer_ip(slot);

	memcpy(m.terms.remote.ip, &ip, sizeof(ip));
	need(port_open(s->w, &m, 0) == CORD_REFUSAL_NONE, "a port was refused");
}

static void open_room(struct scene *s, uint32_t number)
{
	struct cord_room_open open = {.room = cord_id_make(number, 1), .rate_hz = 8000};
	struct cord_room_set set = {.room = open.room,
		.members = 2,
		.member = {{.port = cord_id_make(2 * number, 1), .hears = 2},
			{.port = cord_id_make(2 * number + 1, 1), .hears = 1}}};
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], count;

	need(room_open(s->w, &open) == CORD_REFUSAL_NONE &&
			room_set_check(s->w, &set, foreign, &count) == CORD_REFUSAL_NONE,
		"a room was refused");
	room_set_apply(s->w, &set, 0);
}

static void drop_pending(struct worker *w)
{
	for (uint32_t i = 0; i < w->tx_count; i++)
		rte_pktmbuf_free(w->tx[i]);
	w->tx_count = 0;
}

static void calls_open(struct scene *s, uint32_t parties, double hz)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	uint32_t addresses = (parties + PORTS_PER_ADDRESS - 1) / PORTS_PER_ADDRESS;
	struct dataplane_config c = {.workers = 1,
		.ports = addresses * PORTS_PER_ADDRESS,
		.rooms = parties / 2,
		.addresses = addresses,
		.gateway = {cord_address_ipv4(10, 0, 0, 1, 0)},
		.udp_port_base = UDP_BASE,
		.tsc_hz = (uint64_t)hz,
		.epoch = 1,
		.seed = 1};

	for (uint32_t i = 0; i < addresses; i++) {
		c.address[i] = cord_address_ipv4(10, 0, 0, (uint8_t)(2 + i), 0);
		c.prefix[i] = 24;
	}
	memset(&s->dp, 0, sizeof(s->dp));
	s->dp.nic = s->nic;
	need(dataplane_create(&s->dp, &c) == 0, "no memory for the dataplane");
	atomic_store(&s->dp.unattended_since, 0);
	s->w = s->dp.worker[0];
	s->parties = parties;
	s->said_ns = calloc(parties, sizeof(*s->said_ns));
	s->delays = calloc(STEPS, sizeof(*s->delays));
	need(s->said_ns && s->delays, "no memory");
	for (uint32_t i = 0; i < parties; i++) {
		open_port(s, i);
		if (i == 0) /* the first port asks for its next hop */
			neighbor_learn(&s->dp.neighbors, &c.gateway[0], mac, true, 1);
	}
	for (uint32_t i = 0; i < parties / 2; i++)
		open_room(s, i);
	drop_pending(s->w);
}

static void calls_close(struct scene *s)
{
	struct rte_mbuf *packet[BURST];
	uint32_t n;

	for (uint32_t i = 0; i < s->parties; i++) {
		port_remove(s->w, &s->dp.port[i], clock_kernel_ns());
		drop_pending(s->w);
	}
	while ((n = rte_ring_dequeue_burst(s->rx, (void **)packet, BURST, NULL)) ||
		(n = rte_ring_dequeue_burst(s->tx, (void **)packet, BURST, NULL)))
		rte_pktmbuf_free_bulk(packet, n);
	dataplane_destroy(&s->dp);
	free(s->said_ns);
	free(s->delays);
}

/* ---- the peers' side ------------------------------------------------------------------------ */

/* Codes of G.711 that decoding and encoding leaves as they are, one for each period. */
static uint8_t code_of(uint64_t period)
{
	return (uint8_t)(0x80 | (period % CODES));
}

/* The party whose turn it is: neighbours are not members of one room. */
static uint32_t slot_at(const struct scene *s, uint64_t turn)
{
	uint32_t at = (uint32_t)(turn % s->parties), half = s->parties / 2;

	return at < half ? 2 * at : 2 * (at - half) + 1;
}

static void packet_make(struct scene *s, struct rte_mbuf *m, uint32_t slot, uint64_t period)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint8_t *rtp = rte_pktmbuf_mtod_offset(m, uint8_t *, sizeof(struct packet_headers));

	m->data_len = (uint16_t)(HEADER + PAYLOAD);
	m->pkt_len = m->data_len;
	packet_headers_write(rte_pktmbuf_mtod(m, struct packet_headers *), mac, mac, peer_ip(slot),
		s->dp.ipv4[slot / PORTS_PER_ADDRESS], packet_be16(PEER_UDP),
		packet_be16((uint16_t)(UDP_BASE + 2 * (slot % PORTS_PER_ADDRESS))),
		RTP_HEADER_BYTES + PAYLOAD);
	rtp_write(rtp, period == 0, 0, (uint16_t)period, (uint32_t)period * PAYLOAD, slot + 7);
	memset(rtp + RTP_HEADER_BYTES, code_of(period), PAYLOAD);
}

/* All packets that are due. */
static void talk(struct scene *s, uint64_t now_ns)
{
	uint64_t due = (now_ns - s->begun_ns) * s->parties / CORD_TICK_NS;
	struct rte_mbuf *packet[BURST];

	if (s->measuring && due > s->turns) {
		uint64_t lag = now_ns - s->begun_ns - s->turns * CORD_TICK_NS / s->parties;

		if (lag > s->generator_worst_ns)
			s->generator_worst_ns = lag;
	}
	while (s->turns < due) {
		uint32_t n = due - s->turns < BURST ? (uint32_t)(due - s->turns) : BURST;

		need(rte_pktmbuf_alloc_bulk(s->nic.pool, packet, n) == 0, "the pool is empty");
		now_ns = clock_kernel_ns();
		for (uint32_t i = 0; i < n; i++) {
			uint64_t period = (s->turns + i) / s->parties;
			uint32_t slot = slot_at(s, s->turns + i);

			packet_make(s, packet[i], slot, period);
			s->said_ns[slot][period % CODES] = now_ns;
		}
		uint32_t taken = rte_ring_enqueue_burst(s->rx, (void **)packet, n, NULL);

		rte_pktmbuf_free_bulk(packet + taken, n - taken);
		s->refused += n - taken;
		s->turns += n;
	}
}

static void judge(struct scene *s, const struct rte_mbuf *m, uint64_t now_ns)
{
	const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
	uint32_t slot = packet_be32(h->ip.to) - 0x0b000000u;
	uint8_t code = *rte_pktmbuf_mtod_offset(m, const uint8_t *, HEADER + PAYLOAD / 2);

	need(slot < s->parties, "a packet is for nobody");
	if (m->data_len != HEADER + PAYLOAD) /* RTCP */
		return;
	uint64_t said = s->said_ns[slot ^ 1][code % CODES];

	s->heard++;
	if (code < 0x80 || code >= 0x80 + CODES || said == 0) {
		s->unknown++;
		return;
	}
	uint64_t step = (now_ns - said) / 1000 / STEP_US;

	s->delays[step < STEPS ? step : STEPS - 1]++;
}

static void listen_all(struct scene *s)
{
	struct rte_mbuf *packet[BURST];
	uint32_t n;

	while ((n = rte_ring_dequeue_burst(s->tx, (void **)packet, BURST, NULL)) != 0) {
		uint64_t now_ns = clock_kernel_ns();

		for (uint32_t i = 0; s->measuring && i < n; i++)
			judge(s, packet[i], now_ns);
		rte_pktmbuf_free_bulk(packet, n);
	}
}

/* Peers talk and listen for so long; the clock of the workers goes on. */
static void peers_for(struct scene *s, uint64_t ns)
{
	uint64_t now_ns = clock_kernel_ns(), until = now_ns + ns, clock_at = 0;

	while (now_ns < until) {
		if (now_ns >= clock_at) {
			clock_publish(&s->dp.clock);
			clock_at = now_ns + 1000 * MS;
		}
		talk(s, now_ns);
		listen_all(s);
		now_ns = clock_kernel_ns();
	}
}

/* ---- figures -------------------------------------------------------------------------------- */

struct spun {
	uint64_t for_ns;
	uint64_t phases, late, worst_ns;
};

/* A loop that only looks at the clock, on the worker's core: what its ticks would have been. */
static int spin(void *context)
{
	struct spun *spun = context;
	uint64_t now_ns = clock_kernel_ns(), until = now_ns + spun->for_ns, due = now_ns + PHASE_NS;

	while (now_ns < until) {
		now_ns = clock_kernel_ns();
		for (; now_ns >= due; due += PHASE_NS) {
			uint64_t late = now_ns - due;

			spun->phases++;
			spun->late += late > MS;
			if (late > spun->worst_ns)
				spun->worst_ns = late;
		}
	}
	return 0;
}

static void spin_for(struct spun *spun, uint64_t ns)
{
	spun->for_ns = ns;
	rte_eal_remote_launch(spin, spun, WORKER_LCORE);
	rte_eal_wait_lcore(WORKER_LCORE);
}

static uint64_t counter(const struct scene *s, enum cord_counter c)
{
	return atomic_load(&s->w->shared->counters.value[c]);
}

static double delay_ms(const struct scene *s, double share)
{
	uint64_t all = s->heard - s->unknown, seen = 0, wanted = (uint64_t)(share * (double)all);

	for (uint32_t i = 0; i < STEPS; i++) {
		seen += s->delays[i];
		if (seen > wanted || (seen == all && seen))
			return (i + 1) * STEP_US / 1000.0;
	}
	return 0;
}

struct spent {
	uint64_t busy, total, ticks, late, skipped, concealed;
};

static struct spent spent(const struct scene *s)
{
	return (struct spent){counter(s, CORD_COUNTER_busy_cycles),
		counter(s, CORD_COUNTER_total_cycles), counter(s, CORD_COUNTER_ticks),
		counter(s, CORD_COUNTER_ticks_late), counter(s, CORD_COUNTER_ticks_skipped),
		counter(s, CORD_COUNTER_frames_concealed)};
}

/* Runs a worker with so many parties; what was spent in the window. */
static struct spent run(struct scene *s, uint32_t parties, uint64_t window_ns, double hz)
{
	s->turns = s->heard = s->unknown = s->refused = s->generator_worst_ns = 0;
	s->measuring = false;
	calls_open(s, parties, hz);
	rte_eal_remote_launch(worker_run, s->w, WORKER_LCORE);
	s->begun_ns = clock_kernel_ns();
	peers_for(s, WARM_UP_NS);
	s->measuring = true;

	struct spent before = spent(s);

	peers_for(s, window_ns);

	struct spent after = spent(s);

	s->measuring = false;
	atomic_store(&s->dp.stop, true);
	rte_eal_wait_lcore(WORKER_LCORE);
	return (struct spent){after.busy - before.busy, after.total - before.total,
		after.ticks - before.ticks, after.late - before.late,
		after.skipped - before.skipped, after.concealed - before.concealed};
}

static uint32_t four_fifths(struct scene *s, double hz)
{
	struct spent c = run(s, CALIBRATION, WARM_UP_NS, hz);
	double parties = SHARE * CALIBRATION * (double)c.total / (double)c.busy;

	calls_close(s);
	return parties < PARTIES_MAX ? (uint32_t)parties / 2 * 2 : PARTIES_MAX;
}

static void measure(struct scene *s, uint32_t parties, uint64_t window_ns, double hz)
{
	struct spun idle = {0};

	spin_for(&idle, window_ns);

	struct spent c = run(s, parties, window_ns, hz);

	spin_for(&idle, window_ns);
	need(s->heard > s->unknown, "nothing was heard");
	double late = 1e4 * (double)c.late / (double)c.ticks;
	double idle_late = 1e4 * (double)idle.late / (double)idle.phases;

	printf("{\"bench\":\"delay\",\"codec\":\"PCMU\",\"room\":2,\"parties\":%u,\"seconds\":%.0f,"
	       "\"busy_percent\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,"
	       "\"max_ms\":%.2f,\"packets\":%llu,\"silent_packets\":%llu,\"refused_packets\":%llu,"
	       "\"concealed\":%llu,"
	       "\"ticks\":%llu,\"late_ticks\":%llu,\"skipped_ticks\":%llu,"
	       "\"late_in_10000\":%.2f,\"late_in_10000_idle\":%.2f,\"late_in_10000_excess\":%.2f,"
	       "\"idle_worst_ms\":%.2f,\"generator_worst_ms\":%.2f}\n",
		parties, (double)window_ns / 1e9, 100.0 * (double)c.busy / (double)c.total,
		delay_ms(s, 0.5), delay_ms(s, 0.99), delay_ms(s, 0.999), delay_ms(s, 1),
		(unsigned long long)s->heard, (unsigned long long)s->unknown,
		(unsigned long long)s->refused, (unsigned long long)c.concealed,
		(unsigned long long)c.ticks, (unsigned long long)c.late,
		(unsigned long long)c.skipped, late, idle_late,
		late > idle_late ? late - idle_late : 0, (double)idle.worst_ns / 1e6,
		(double)s->generator_worst_ns / 1e6);
	calls_close(s);
}

/* ---- the program ---------------------------------------------------------------------------- */

/* Two cores of those that we may use: "0@B,1@A". False where there is but one. */
static bool two_cores(char *out, size_t bytes)
{
	cpu_set_t set;
	int first = -1;

	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		if (first < 0) {
			first = i;
			continue;
		}
		snprintf(out, bytes, "--lcores=0@%d,1@%d", i, first);
		return true;
	}
	return false;
}

static void start(struct scene *s, bool smoke, char *lcores)
{
	uint32_t parties = smoke ? SMOKE_PARTIES : PARTIES_MAX;
	uint32_t packets = 3 * parties + 2 * RING_SLOTS;
	char mb[16];
	char *words[] = {"bench_delay", lcores, "--no-huge", "-m", mb, "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=lib.eal:error", NULL};
	struct rte_eth_conf conf = {0};

	snprintf(mb, sizeof(mb), "%llu", (packets * 4096ull >> 20) + 64);
	need(rte_eal_init(9, words) >= 0, "EAL did not start");
	need(nic_pool_create(&s->nic, packets) == 0, "no memory for packets");
	s->rx = rte_ring_create("arriving", RING_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	s->tx = rte_ring_create("leaving", RING_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	need(s->rx && s->tx, "no memory for rings");
	int port = rte_eth_from_rings("wire", &s->rx, 1, &s->tx, 1, 0);

	need(port >= 0 && rte_eth_dev_configure((uint16_t)port, 1, 1, &conf) == 0 &&
			rte_eth_rx_queue_setup((uint16_t)port, 0, 0, 0, NULL, s->nic.pool) == 0 &&
			rte_eth_tx_queue_setup((uint16_t)port, 0, 0, 0, NULL) == 0 &&
			rte_eth_dev_start((uint16_t)port) == 0,
		"the ring device did not start");
	s->nic.port = (uint16_t)port;
	s->nic.rx_queues = s->nic.tx_queues = 1;
}

int main(int argc, char **argv)
{
	static struct scene s;
	bool smoke = bench_smoke(argc, argv);
	char lcores[64];

	if (!two_cores(lcores, sizeof(lcores))) {
		printf("bench_delay: skipped: needs two cores\n");
		return 0;
	}
	start(&s, smoke, lcores);

	double hz = bench_tsc_hz();

	if (smoke)
		measure(&s, SMOKE_PARTIES, 500 * MS, hz);
	else
		measure(&s, four_fifths(&s, hz), 20000 * MS, hz);
	return 0;
}
