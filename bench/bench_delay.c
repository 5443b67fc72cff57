/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_delay [--smoke]: how long the switch keeps what is said, and how late its ticks are, when a
 * core has four fifths of the parties that it can carry. Two cores, real time, no kernel in the way.
 *
 * A worker runs its own loop on the first core. The peers, on the second, send each party's packet
 * of 20 ms when it is due, spread evenly and without jitter, and take what the worker sends; the NIC
 * between them is two rings (net_ring). Two parties of G.711 in each room hear each other, and every
 * byte of a packet says which period it is of, so the sound that leaves tells when it came. Sound
 * that was filled in for a packet that was missing came never: it is counted, and has no delay.
 *
 * How many parties are four fifths is found by short runs, by busy cycles (counters.h): from
 * CALIBRATION parties on until the core is busy for SHARE of its time, SHARE_NEAR more or less; what
 * is printed was measured when it was. That is judged by the median of its tenths of a second, since
 * one in which the machine took the core for itself says nothing about the parties. Where the speed
 * of the core changes from one run to the next, so that none of TRIES finds it so, the parties are
 * the median of what they say, and busy_percent is what it then was.
 *
 * Legs ask for the least delay that the jitter buffer knows, as one would who knows that a line has
 * no jitter: jitter_min in the instance, jitter_min_ms here.
 *
 * A tick is late when its millisecond is noticed more than 1 ms after it came. What of that is the
 * machine's, because others share it, two loops see on the same core, before and after the run and
 * for as long. One only looks at the clock: what it misses, the core was taken away. The other reads
 * memory for SHARE of each millisecond, at the speed that memory has in the median, and does nothing
 * else: what it misses besides, memory was slow.
 */
#include "bench.h"

#include "packet.h"
#include "rooms.h"
#include "rtp.h"
#include "wire.h"

#include <math.h>
#include <rte_lcore.h>
#include <sched.h>

enum {
	CALIBRATION = 9000,
	SMOKE_PARTIES = 60,
	JITTER_MS = CORD_JITTER_LEAST_MS,
	PEER_UDP = 4000,
	RING_SLOTS = 4096, /* as many as NICs have descriptors */
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
#define SHARE_NEAR  0.02
#define TRIES       20u
#define STEPS_WHOLE 6u
#define STEP_MAX    1.5
#define WARM_UP_NS  (2000 * MS)
#define SLICE_NS    (100 * MS)
#define SLICES_MAX  1000u
#define PARTIES_MAX 120000u
#define WALK_BYTES  (UINT64_C(64) << 20) /* beyond the caches of a core */
#define WALK_STRIDE 4160u                /* a line of each page, another one each time */
#define WALK_SWEEPS 201u

struct scene {
	struct wire wire;
	struct dataplane dp;
	struct worker *w;
	uint32_t parties;
	uint64_t (*said_ns)[CODES]; /* of each party, when its packet of a period was given */
	uint64_t begun_ns;          /* of the peers' first period */
	uint64_t turns;             /* packets given, of all parties together */
	bool measuring;
	/* refused: the ring was full, or the pool empty */
	uint64_t heard, unknown, refused, generator_worst_ns;
	uint64_t codes;   /* that were heard, a bit for each */
	uint32_t *delays; /* by STEP_US */
	uint8_t *walked;  /* WALK_BYTES */
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_delay: %s\n", what);
	exit(1);
}

/* ---- the worker's side ---------------------------------------------------------------------- */

static void calls_open(struct scene *s, uint32_t parties, double hz)
{
	const struct rooms_size size = {.ports = parties, .rooms = parties / 2};

	s->w = rooms_worker(&s->dp, &s->wire.nic, &size, hz);
	s->parties = parties;
	s->said_ns = calloc(parties, sizeof(*s->said_ns));
	s->delays = calloc(STEPS, sizeof(*s->delays));
	need(s->said_ns && s->delays, "no memory");
	for (uint32_t i = 0; i < parties; i++) {
		struct cord_terms terms = calls_terms(rooms_peer(i, PEER_UDP), CORD_CODEC_PCMU);

		terms.jitter_min_ms = JITTER_MS;
		rooms_port(s->w, i, &terms);
	}
	for (uint32_t i = 0; i < parties / 2; i++) {
		const struct cord_room_set set = calls_room(i, 2);

		rooms_set(s->w, &set);
	}
	rooms_drop(s->w);
}

static void calls_close(struct scene *s)
{
	struct rte_mbuf *packet[BURST];
	uint32_t n;

	while ((n = rte_ring_dequeue_burst(s->wire.rx, (void **)packet, BURST, NULL)) ||
		(n = rte_ring_dequeue_burst(s->wire.tx, (void **)packet, BURST, NULL)))
		rte_pktmbuf_free_bulk(packet, n);
	rooms_worker_end(&s->dp, s->parties, clock_kernel_ns());
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
	packet_headers_write(rte_pktmbuf_mtod(m, struct packet_headers *), mac, mac,
		rooms_peer_ip(slot), s->dp.ipv4[slot / CALLS_ADDRESS], packet_be16(PEER_UDP),
		packet_be16((uint16_t)(CALLS_UDP_BASE + 2 * (slot % CALLS_ADDRESS))),
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

		if (rte_pktmbuf_alloc_bulk(s->wire.nic.pool, packet, n)) {
			s->refused += n; /* as a NIC without a free packet */
			s->turns += n;
			continue;
		}
		now_ns = clock_kernel_ns();
		for (uint32_t i = 0; i < n; i++) {
			uint64_t period = (s->turns + i) / s->parties;
			uint32_t slot = slot_at(s, s->turns + i);

			packet_make(s, packet[i], slot, period);
			s->said_ns[slot][period % CODES] = now_ns;
		}
		uint32_t taken = rte_ring_enqueue_burst(s->wire.rx, (void **)packet, n, NULL);

		rte_pktmbuf_free_bulk(packet + taken, n - taken);
		s->refused += n - taken;
		s->turns += n;
	}
}

/* The code of a payload that is one packet's sound, nothing of it filled in; 0: it is not. */
static uint8_t heard_code(const uint8_t *payload)
{
	uint8_t code = payload[0];

	return code >= 0x80 && code < 0x80 + CODES && memcmp(payload, payload + 1, PAYLOAD - 1) == 0
		       ? code
		       : 0;
}

static void judge(struct scene *s, const struct rte_mbuf *m, uint64_t now_ns)
{
	const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
	uint32_t slot = rooms_peer_slot(h->ip.to);

	need(slot < s->parties, "a packet is for nobody");
	if (m->data_len != HEADER + PAYLOAD) /* RTCP */
		return;
	uint8_t code = heard_code(rte_pktmbuf_mtod_offset(m, const uint8_t *, HEADER));
	uint64_t said = s->said_ns[slot ^ 1][code % CODES];

	s->heard++;
	if (code == 0 || said == 0) {
		s->unknown++;
		return;
	}
	s->codes |= UINT64_C(1) << code % CODES;

	uint64_t step = (now_ns - said) / 1000 / STEP_US;

	s->delays[step < STEPS ? step : STEPS - 1]++;
}

static void listen_all(struct scene *s)
{
	struct rte_mbuf *packet[BURST];
	uint32_t n;

	while ((n = rte_ring_dequeue_burst(s->wire.tx, (void **)packet, BURST, NULL)) != 0) {
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
	const uint8_t *memory; /* WALK_BYTES, where it is walked */
	uint64_t at, sum;
};

/* Takes note of a millisecond that is noticed now; true when there was one. */
static bool note(struct spun *spun, uint64_t now_ns, uint64_t *due_ns)
{
	uint64_t late = now_ns - *due_ns;

	if (now_ns < *due_ns)
		return false;
	spun->phases++;
	spun->late += late > MS;
	if (late > spun->worst_ns)
		spun->worst_ns = late;
	*due_ns += PHASE_NS;
	return true;
}

/* A loop that only looks at the clock, on the worker's core: what its ticks would have been. */
static int spin(void *context)
{
	struct spun *spun = context;
	uint64_t now_ns = clock_kernel_ns(), until = now_ns + spun->for_ns, due = now_ns + PHASE_NS;

	while (now_ns < until) {
		now_ns = clock_kernel_ns();
		while (note(spun, now_ns, &due))
			;
	}
	return 0;
}

static void walk_lines(struct spun *spun, uint32_t lines)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < lines; i++) {
		sum += *(volatile uint8_t *)&spun->memory[spun->at];
		spun->at = (spun->at + WALK_STRIDE) % WALK_BYTES;
	}
	spun->sum += sum;
}

/* Lines that are read in a share of a phase when memory is as it mostly is. */
static uint32_t walk_measure(struct spun *spun)
{
	static double ns[WALK_SWEEPS];
	enum { LINES = 1000 };

	for (uint32_t i = 0; i < WALK_SWEEPS; i++) {
		uint64_t begun = clock_kernel_ns();

		walk_lines(spun, LINES);
		ns[i] = (double)(clock_kernel_ns() - begun);
	}
	return (uint32_t)(SHARE * PHASE_NS * LINES / bench_median(ns, WALK_SWEEPS));
}

/* A loop that reads memory for SHARE of each phase. As a worker, it skips what is a period late. */
static int walk(void *context)
{
	struct spun *spun = context;
	uint32_t lines = walk_measure(spun);
	uint64_t now_ns = clock_kernel_ns(), until = now_ns + spun->for_ns, due = now_ns + PHASE_NS;

	while (now_ns < until) {
		now_ns = clock_kernel_ns();
		while (now_ns > due + CORD_TICK_NS)
			note(spun, now_ns, &due);
		if (note(spun, now_ns, &due))
			walk_lines(spun, lines);
	}
	return 0;
}

static void alone_for(lcore_function_t *loop, struct spun *spun, uint64_t ns)
{
	spun->for_ns = ns;
	rte_eal_remote_launch(loop, spun, WORKER_LCORE);
	rte_eal_wait_lcore(WORKER_LCORE);
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
	double share; /* busy of total: the median of windows of SLICE_NS */
};

static struct spent spent(const struct scene *s)
{
	return (struct spent){rooms_counter(s->w, CORD_COUNTER_busy_cycles),
		rooms_counter(s->w, CORD_COUNTER_total_cycles),
		rooms_counter(s->w, CORD_COUNTER_ticks),
		rooms_counter(s->w, CORD_COUNTER_ticks_late),
		rooms_counter(s->w, CORD_COUNTER_ticks_skipped),
		rooms_counter(s->w, CORD_COUNTER_frames_concealed), 0};
}

/* Goes on for so long; the median share of it that the worker was busy. */
static double go_on(struct scene *s, uint64_t window_ns)
{
	static double busy[SLICES_MAX];
	uint32_t slices = (uint32_t)(window_ns / SLICE_NS);

	for (uint32_t i = 0; i < slices; i++) {
		struct spent before = spent(s);

		peers_for(s, SLICE_NS);

		struct spent after = spent(s);

		uint64_t total = after.total - before.total;

		/* none: the machine had the core all the while */
		busy[i] = total ? (double)(after.busy - before.busy) / (double)total : 1;
	}
	return bench_median(busy, slices);
}

/* Runs a worker with so many parties; what was spent in the window. */
static struct spent run(struct scene *s, uint32_t parties, uint64_t window_ns, double hz)
{
	s->turns = s->heard = s->unknown = s->refused = s->generator_worst_ns = s->codes = 0;
	s->measuring = false;
	calls_open(s, parties, hz);
	rte_eal_remote_launch(worker_run, s->w, WORKER_LCORE);
	s->begun_ns = clock_kernel_ns();
	peers_for(s, WARM_UP_NS);
	s->measuring = true;

	struct spent before = spent(s);
	double median = go_on(s, window_ns);
	struct spent after = spent(s);

	s->measuring = false;
	atomic_store(&s->dp.stop, true);
	rte_eal_wait_lcore(WORKER_LCORE);
	return (struct spent){after.busy - before.busy, after.total - before.total,
		after.ticks - before.ticks, after.late - before.late,
		after.skipped - before.skipped, after.concealed - before.concealed, median};
}

static bool is_near(double found)
{
	return found > SHARE - SHARE_NEAR && found < SHARE + SHARE_NEAR;
}

static double in_10000(uint64_t late, uint64_t phases)
{
	return 1e4 * (double)late / (double)phases;
}

static void print(const struct scene *s, const struct spent *c, const struct spun *idle,
	const struct spun *walked, uint64_t window_ns)
{
	double late = in_10000(c->late, c->ticks);
	double idle_late = in_10000(idle->late, idle->phases);

	printf("{\"bench\":\"delay\",\"codec\":\"PCMU\",\"room\":2,\"jitter_min_ms\":%u,"
	       "\"parties\":%u,\"seconds\":%.0f,"
	       "\"busy_percent\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,"
	       "\"max_ms\":%.2f,\"packets\":%llu,\"filled_in\":%llu,\"refused_packets\":%llu,"
	       "\"concealed\":%llu,"
	       "\"ticks\":%llu,\"late_ticks\":%llu,\"skipped_ticks\":%llu,"
	       "\"late_in_10000\":%.2f,\"late_in_10000_idle\":%.2f,\"late_in_10000_walk\":%.2f,"
	       "\"late_in_10000_excess\":%.2f,"
	       "\"idle_worst_ms\":%.2f,\"generator_worst_ms\":%.2f,\"large_pages\":%s,"
	       "\"hash\":\"%016llx\"}\n",
		(unsigned)JITTER_MS, s->parties, (double)window_ns / 1e9, 100 * c->share,
		delay_ms(s, 0.5), delay_ms(s, 0.99), delay_ms(s, 0.999), delay_ms(s, 1),
		(unsigned long long)s->heard, (unsigned long long)s->unknown,
		(unsigned long long)s->refused, (unsigned long long)c->concealed,
		(unsigned long long)c->ticks, (unsigned long long)c->late,
		(unsigned long long)c->skipped, late, idle_late,
		in_10000(walked->late, walked->phases), late > idle_late ? late - idle_late : 0,
		(double)idle->worst_ns / 1e6, (double)s->generator_worst_ns / 1e6,
		s->wire.large_pages ? "true" : "false",
		(unsigned long long)bench_hash(BENCH_HASH, &s->codes, sizeof(s->codes)));
}

/* Prints when the core was as busy as wanted, or whatever it was; how busy it was. */
static double measure(
	struct scene *s, uint32_t parties, uint64_t window_ns, double hz, bool whatever)
{
	struct spun idle = {0}, walked = {.memory = s->walked};

	alone_for(spin, &idle, window_ns / 2);
	alone_for(walk, &walked, window_ns / 2);

	struct spent c = run(s, parties, window_ns, hz);

	alone_for(walk, &walked, window_ns / 2);
	alone_for(spin, &idle, window_ns / 2);
	need(s->heard > s->unknown, "nothing was heard");
	if (whatever || is_near(c.share))
		print(s, &c, &idle, &walked, window_ns);
	calls_close(s);
	return c.share;
}

/* Short runs until the number of parties is right, then a long one, which must find it right too. */
static void measure_four_fifths(struct scene *s, double hz)
{
	uint32_t parties = CALIBRATION;
	double said[TRIES];

	for (uint32_t i = 0; i < TRIES; i++) {
		struct spent c = run(s, parties, WARM_UP_NS, hz);
		double found = c.share;

		calls_close(s);
		fprintf(stderr, "bench_delay: %u parties: busy for %.1f %%\n", parties,
			100 * found);
		if (is_near(found)) {
			found = measure(s, parties, 20000 * MS, hz, false);
			if (is_near(found))
				return;
		}
		double step = SHARE / found;

		said[i] = parties * step;
		/* a core with little to do says little about a busy one, and once the number is
		 * about right, noise is not to throw it about */
		double wanted = parties * (i < STEPS_WHOLE ? fmin(step, STEP_MAX) : sqrt(step));

		need(wanted < PARTIES_MAX, "the core has time for more parties than there are");
		parties = (uint32_t)wanted / 2 * 2;
	}
	fputs("bench_delay: the core's speed changes, the median of what was found is measured\n",
		stderr);
	parties = (uint32_t)bench_median(said + STEPS_WHOLE, TRIES - STEPS_WHOLE) / 2 * 2;
	measure(s, parties, 20000 * MS, hz, true);
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

static void start(struct scene *s, bool smoke, const char *lcores)
{
	uint32_t parties = smoke ? SMOKE_PARTIES : PARTIES_MAX;

	wire_start(&s->wire, lcores, 3 * parties + 2 * RING_SLOTS + 4096, RING_SLOTS);
	s->walked = malloc(WALK_BYTES);
	need(s->walked != NULL, "no memory");
	memset(s->walked, 1, WALK_BYTES);
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
		measure(&s, SMOKE_PARTIES, 500 * MS, hz, true);
	else
		measure_four_fifths(&s, hz);
	return 0;
}
