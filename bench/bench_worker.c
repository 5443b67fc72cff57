/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_worker [--smoke] [--parties N] [CASE…]: what a party costs a whole worker, from NIC to NIC:
 * receiving, jitter buffer, tick, sending, RTCP, figures, everything that runs with a call.
 *
 * The NIC is two rings (net_ring). The peers (peers.h) work on the same core, and their time is not
 * counted: the packets of a millisecond come in, in an order that has nothing to do with rooms, the
 * worker passes until it has taken them, then comes its phase. What it sends is judged as it leaves;
 * as a driver does that may free fast, the device then holds a packet until IN_FLIGHT others have
 * left, and frees it in the worker's time. It has verified the checksums of what comes, as NICs do. A
 * figure is the sum over phases of the median of each over periods.
 *
 *   g711          three-party conferences
 *   g711-checked  the same behind a NIC that verifies no checksum
 *   hold          callers who hear a clip and send
 *   hold-listen   callers who hear a clip
 *   gcm, cm       three-party conferences, AEAD_AES_128_GCM and AES_CM_128_HMAC_SHA1_80
 *   g722, opus    three-party conferences; only when named
 */
#include "bench.h"

#include "fake_control.h"
#include "peers.h"
#include "port.h"
#include "rooms.h"
#include "wire.h"

#include <math.h>
#include <rte_ethdev.h>
#include <unistd.h>

#define WARM_UP    20u
#define PERIODS    101u
#define RING_SLOTS 16384u /* more than what a phase sends and receives */
#define RX_MAX     8192u
#define IN_FLIGHT  256u
#define CLIP       7u
#define BEGIN      1000u /* periods since the epoch of CLOCK_MONOTONIC */
#define PHASE_NS   (CORD_TICK_NS / CORD_PHASES)
#define GROWTH     3, 9, 99, 999, 9999, 60000 /* parties */

struct scene {
	const char *name;
	enum cord_codec codec;
	uint32_t suite, room; /* SRTP, none where nothing is said; members of each */
	bool talk;
	bool unverified; /* the NIC leaves checksums to the worker */
	bool asked;      /* only when named */
	uint32_t parties[8];
};

static const struct scene scenes[] = {
	{"g711", CORD_CODEC_PCMU, .room = 3, .talk = true, .parties = {GROWTH, 99999}},
	{"g711-checked", CORD_CODEC_PCMU, .room = 3, .talk = true, .unverified = true,
		.parties = {999, 99999}},
	{"hold", CORD_CODEC_PCMU, .room = 1, .talk = true, .parties = {GROWTH}},
	{"hold-listen", CORD_CODEC_PCMU, .room = 1, .parties = {GROWTH}},
	{"gcm", CORD_CODEC_PCMU, CORD_SRTP_AEAD_AES_128_GCM, .room = 3, .talk = true,
		.parties = {GROWTH}},
	{"cm", CORD_CODEC_PCMU, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, .room = 3, .talk = true,
		.parties = {GROWTH}},
	{"g722", CORD_CODEC_G722, .room = 3, .talk = true, .asked = true, .parties = {300}},
	{"opus", CORD_CODEC_OPUS, .room = 3, .talk = true, .asked = true, .parties = {99}},
};

/* Where there is a NIC. */
struct place {
	struct wire wire;
	double hz;
};

struct run {
	const struct scene *scene;
	const struct place *place;
	const struct rte_eth_rxtx_callback *device;
	struct dataplane dp;
	struct worker *w;
	struct peers *peers;
	uint32_t parties;
	uint32_t *order;
	uint32_t period;
	uint64_t aside; /* cycles in this pass that are not the worker's */
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_worker: %s\n", what);
	exit(1);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void open_port(struct run *r, uint32_t slot)
{
	const struct scene *s = r->scene;
	struct cord_terms terms = calls_terms(rooms_peer(slot, PEERS_UDP), s->codec);

	terms.remote_rtcp_udp_port = PEERS_UDP + 1;
	terms.media_timeout_s = 30;
	terms.send_key = peers_key(s->suite, slot, false);
	terms.receive_key = peers_key(s->suite, slot, true);
	rooms_port(r->w, slot, &terms);
}

static void stage_clip(struct run *r, uint32_t slot)
{
	const struct cord_port_playlist m = {
		.port = calls_id(slot), .generation = 1, .clips = 1, .loop = 1, .clip = {CLIP}};

	need(port_playlist(r->w, &m) == CORD_REFUSAL_NONE, "a playlist was refused");
}

/* Three who hear each other, or one who hears its player. */
static void open_room(struct run *r, uint32_t number)
{
	struct cord_room_set set = calls_room(number, r->scene->room);

	if (r->scene->room == 1) {
		set.member[0].hears = 1;
		set.member[0].player = CORD_PLAYER_START;
		set.member[0].player_generation = 1;
	}
	rooms_set(r->w, &set);
}

static void add_clip(struct run *r, uint32_t format)
{
	uint64_t bytes;
	int fd = fake_control_clip(CLIP, format, PEERS_FRAMES, peers_music, NULL, &bytes);

	need(fd >= 0 && clip_add(&r->dp.clips, fd, bytes, CLIP, format, 1) == CORD_ATTACH_RESULT_OK,
		"a clip was refused");
	close(fd);
}

static void open_calls(struct run *r)
{
	if (r->scene->room == 1) {
		add_clip(r, CORD_CLIP_L16);
		add_clip(r, CORD_CLIP_PCMU);
	}
	for (uint32_t i = 0; i < r->parties; i++) {
		open_port(r, i);
		if (r->scene->room == 1)
			stage_clip(r, i);
	}
	for (uint32_t i = 0; i < r->parties / r->scene->room; i++)
		open_room(r, i);
	rooms_drop(r->w);
}

/* ---- time ----------------------------------------------------------------------------------- */

/* The device, in front of its ring. */
static uint16_t leave(
	uint16_t port, uint16_t queue, struct rte_mbuf **packet, uint16_t n, void *run)
{
	struct run *r = run;
	struct rte_mbuf *done[WORKER_RX_BURST];
	uint64_t begun = bench_tsc();

	(void)port;
	(void)queue;
	peers_listen(r->peers, packet, n, r->period);
	r->aside += bench_tsc() - begun;
	while (rte_ring_count(r->place->wire.tx) > IN_FLIGHT)
		rte_mempool_put_bulk(r->place->wire.nic.pool, (void **)done,
			rte_ring_dequeue_burst(
				r->place->wire.tx, (void **)done, WORKER_RX_BURST, NULL));
	return n;
}

/* A pass of the worker at a moment; its cycles. */
static uint64_t pass(struct run *r, cord_time now_ns)
{
	uint64_t begun = bench_tsc();

	r->aside = 0;
	worker_pass(r->w, now_ns);
	return bench_tsc() - begun - r->aside;
}

/* Parties whose packets come in the millisecond before a phase: an even share. */
static uint32_t share(const struct run *r, uint32_t phase)
{
	return r->parties * phase / CORD_PHASES;
}

static void arrive(struct run *r, uint32_t period, uint32_t phase)
{
	static struct rte_mbuf *packet[RX_MAX];
	uint32_t from = share(r, phase), n = share(r, phase + 1) - from;

	need(n <= RX_MAX, "too many parties");
	if (!r->scene->talk)
		return;
	peers_talk(r->peers, r->order + from, n, period, packet);
	need(rte_ring_enqueue_bulk(r->place->wire.rx, (void **)packet, n, NULL) == n,
		"ring is full");
}

/* What the passes that received before each phase took, and those at it, by period. */
struct cycles {
	double receive[CORD_PHASES][PERIODS], tick[CORD_PHASES][PERIODS],
		both[CORD_PHASES][PERIODS];
};

static void one_period(struct run *r, uint32_t period, uint32_t at, struct cycles *c)
{
	r->period = period;
	for (uint32_t phase = 0; phase < CORD_PHASES; phase++) {
		cord_time due = (BEGIN + period) * CORD_TICK_NS + (phase + 1) * PHASE_NS;
		double receive = 0;

		arrive(r, period, phase);
		while (rte_ring_count(r->place->wire.rx))
			receive += (double)pass(r, due - PHASE_NS / 10);
		c->receive[phase][at] = receive;
		c->tick[phase][at] = (double)pass(r, due);
		c->both[phase][at] = receive + c->tick[phase][at];
	}
}

/* Of all phases together: medians, or minima, over periods. What held one phase up is left out. */
static double sum_up(double (*value)[PERIODS], uint32_t periods, bool least)
{
	double sum = 0;

	for (uint32_t phase = 0; phase < CORD_PHASES; phase++) {
		double median = bench_median(value[phase], periods);

		sum += least ? value[phase][0] : median;
	}
	return sum;
}

/* ---- a figure ------------------------------------------------------------------------------- */

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

static void begin(struct run *r, const struct place *place, const struct scene *s, uint32_t parties)
{
	const struct rooms_size size = {.ports = parties,
		.rooms = parties / s->room,
		.coders = cord_codec_wide(s->codec) ? parties : 0,
		/* Where nothing is encrypted it changes nothing. */
		.backend = s->suite ? CORD_SRTP_BACKEND_NONE : CORD_SRTP_BACKEND_LIBSRTP};

	memset(r, 0, sizeof(*r));
	r->scene = s;
	r->place = place;
	r->parties = parties;
	r->w = rooms_worker(&r->dp, &place->wire.nic, &size, place->hz);
	r->order = calloc(parties, sizeof(*r->order));
	need(r->order != NULL, "no memory");
	shuffle(r->order, parties);
	const struct peers_config peers = {.peers = parties,
		.room = s->room,
		.codec = s->codec,
		.suite = s->suite,
		.talk = s->talk,
		.verified = !s->unverified,
		.nic = &place->wire.nic,
		.local = r->dp.ipv4};

	r->peers = peers_create(&peers);
	r->device = rte_eth_add_tx_callback(place->wire.nic.port, 0, leave, r);
	need(r->device != NULL, "no callback");
	open_calls(r);
}

static void end(struct run *r)
{
	rte_eth_remove_tx_callback(r->place->wire.nic.port, 0, r->device);
	for (void *m; rte_ring_dequeue(r->place->wire.tx, &m) == 0;)
		rte_pktmbuf_free(m);
	rooms_worker_end(&r->dp, r->parties, 2 * BEGIN * CORD_TICK_NS);
	peers_destroy(r->peers);
	free(r->order);
}

/* Every party was sent a packet in each period, and every packet of theirs was taken and played. */
static void check_counts(
	const struct run *r, const struct peers_figures *before, uint64_t played, uint32_t periods)
{
	struct peers_figures now = peers_figures(r->peers);
	uint64_t all = (uint64_t)periods * r->parties;

	need(now.media - before->media == all, "a packet was not sent");
	need(rooms_counter(r->w, CORD_COUNTER_frames_played) - played == (r->scene->talk ? all : 0),
		"a frame was not played");
	need(now.compared > before->compared, "nothing was compared");
}

static void measure(
	const struct place *place, const struct scene *s, uint32_t parties, uint32_t periods)
{
	static struct run r;
	static struct cycles c;
	struct peers_figures before = {0};
	uint64_t played = 0;

	begin(&r, place, s, parties);
	for (uint32_t i = 0; i < WARM_UP + periods; i++) {
		if (i == WARM_UP) {
			before = peers_figures(r.peers);
			played = rooms_counter(r.w, CORD_COUNTER_frames_played);
		}
		one_period(&r, i, i < WARM_UP ? 0 : i - WARM_UP, &c);
	}
	check_counts(&r, &before, played, periods);
	double cycles = sum_up(c.both, periods, false) / parties;

	printf("{\"bench\":\"worker\",\"case\":\"%s\",\"parties\":%u,\"periods\":%u,"
	       "\"receive_cycles_per_party\":%.1f,\"tick_cycles_per_party\":%.1f,"
	       "\"cycles_per_party\":%.1f,\"cycles_per_party_least\":%.1f,"
	       "\"parties_per_core\":%.0f,\"large_pages\":%s,\"tsc_mhz\":%.0f,\"hash\":\"%016llx\"}"
	       "\n",
		s->name, parties, periods, sum_up(c.receive, periods, false) / parties,
		sum_up(c.tick, periods, false) / parties, cycles,
		sum_up(c.both, periods, true) / parties, place->hz * 0.02 / cycles,
		place->wire.large_pages ? "true" : "false", place->hz / 1e6,
		(unsigned long long)peers_figures(r.peers).hash);
	fflush(stdout);
	end(&r);
}

/* ---- the program ---------------------------------------------------------------------------- */

/* A NIC whose wire ends in our rings, and packets for so many parties. */
static void place_make(struct place *p, uint32_t parties)
{
	wire_start(&p->wire, "--lcores=0", 3 * parties + 2 * RING_SLOTS + 4096, RING_SLOTS);
	p->hz = bench_tsc_hz();
}

/* Whether a scene is to run: it is named, or nothing is. */
static bool chosen(const struct scene *s, int argc, char **argv)
{
	bool named = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--parties") == 0) {
			i++;
			continue;
		}
		if (strcmp(argv[i], s->name) == 0)
			return true;
		named |= argv[i][0] != '-';
	}
	return !named && !s->asked;
}

static uint32_t parties_asked(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--parties") == 0)
			return (uint32_t)strtoul(argv[i + 1], NULL, 10) / 3 * 3;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	static struct place place;
	uint32_t asked = smoke ? 99 : parties_asked(argc, argv), most = asked;

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		for (uint32_t k = 0; asked == 0 && scenes[i].parties[k]; k++)
			if (chosen(&scenes[i], argc, argv) && scenes[i].parties[k] > most)
				most = scenes[i].parties[k];
	need(most > 0, "no case is called so");
	place_make(&place, most);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		const struct scene *s = &scenes[i];

		if (!smoke && !chosen(s, argc, argv))
			continue;
		if (asked)
			measure(&place, s, asked, smoke ? 5 : PERIODS);
		for (uint32_t k = 0; asked == 0 && s->parties[k]; k++)
			measure(&place, s, s->parties[k], PERIODS);
	}
	return 0;
}
