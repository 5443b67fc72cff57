/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_once [--smoke]: what listeners cost in a tick, with no NIC in the way.
 *
 *   hold    callers who each hear a clip: its stored frames, or, to compare, its samples encoded
 *   mix     supervisors who hear the same two parties: one encode for all, or, to compare, one for
 *           each, because each hears one party at a gain of its own
 *
 * Each line says how many frames were encoded, by the dataplane's own counters: for hold from stored
 * frames none at all, for a shared mix one a period, or the bench fails.
 */
#include "bench.h"

#include "fake_control.h"
#include "g711.h"
#include "packet.h"
#include "port.h"
#include "room.h"
#include "rtp.h"
#include "tick.h"
#include "worker.h"

#include <math.h>
#include <rte_eal.h>
#include <unistd.h>

#define WARM_UP     10u
#define REPEATS     51u
#define UDP_BASE    2000u
#define CLIP        7u
#define CLIP_FRAMES 100u
#define SUPERVISORS 14u

struct run {
	struct dataplane dp;
	struct worker *w;
	uint32_t ports;
};

static void fatal(const char *what)
{
	fprintf(stderr, "bench_once: %s\n", what);
	exit(1);
}

static uint64_t counter(const struct run *r, enum cord_counter c)
{
	return atomic_load(&r->w->shared->counters.value[c]);
}

static void begin(struct run *r, const struct nic *nic, uint32_t ports, uint32_t coders, double hz)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	const struct dataplane_config c = {.workers = 1,
		.ports = ports,
		.rooms = ports,
		.coders = coders,
		.addresses = 1,
		.address = {cord_address_ipv4(10, 0, 0, 2, 0)},
		.prefix = {24},
		.gateway = {cord_address_ipv4(10, 0, 0, 1, 0)},
		.udp_port_base = UDP_BASE,
		.tsc_hz = (uint64_t)hz,
		.epoch = 1,
		.seed = 1};

	memset(r, 0, sizeof(*r));
	r->dp.nic = *nic;
	if (dataplane_create(&r->dp, &c))
		fatal("no memory");
	r->w = r->dp.worker[0];
	r->ports = ports;
	neighbor_learn(&r->dp.neighbors, &c.gateway[0], mac, true, 1);
}

static void end(struct run *r)
{
	for (uint32_t i = 0; i < r->ports; i++)
		port_remove(r->w, &r->dp.port[i], 0);
	for (uint32_t i = 0; i < r->w->tx_count; i++)
		rte_pktmbuf_free(r->w->tx[i]);
	r->w->tx_count = 0;
	dataplane_destroy(&r->dp);
}

static void open_port(struct run *r, uint32_t slot, enum cord_codec codec, uint32_t bitrate)
{
	const struct cord_port_open m = {
		.port = cord_id_make(slot, 1),
		.ssrc = slot + 1,
		.terms = {.remote = cord_address_ipv4(
				  11, 0, (uint8_t)(slot >> 8), (uint8_t)(slot | 1), 4000),
			.codec = codec,
			.payload_type = 96,
			.event_payload_type = CORD_NO_PAYLOAD_TYPE,
			.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.receive_payload_type = 96,
			.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE,
			.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
			.opus_bitrate = bitrate,
			.opus_complexity = 5,
			.opus_rate_khz = 16,
			.ptime_ms = 20,
			.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE},
	};

	if (port_open(r->w, &m, 0))
		fatal("port refused");
}

static void set_room(struct run *r, const struct cord_room_set *set)
{
	const struct cord_room_open o = {.room = set->room, .rate_hz = 8000};
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], count;

	if (room_open(r->w, &o) || room_set_check(r->w, set, foreign, &count))
		fatal("room refused");
	room_set_apply(r->w, set, 0);
}

/* Cycles of one period's ticks; what they made is thrown away between phases. */
static uint64_t one_period(struct run *r, uint64_t period)
{
	uint64_t cycles = 0;

	for (uint32_t p = 0; p < CORD_PHASES; p++) {
		uint64_t begun = bench_tsc();

		tick_phase(r->w, (1000 + period) * CORD_PHASES + p);
		cycles += bench_tsc() - begun;
		for (uint32_t i = 0; i < r->w->tx_count; i++)
			rte_pktmbuf_free(r->w->tx[i]);
		r->w->tx_count = 0;
	}
	return cycles;
}

/* Median cycles of a period, and how many frames were encoded in each. */
static double measure(struct run *r, void (*arrive)(struct run *r, uint32_t period),
	uint32_t repeats, double *encoded)
{
	static double cycles[REPEATS];
	uint64_t before = 0;

	for (uint32_t i = 0; i < WARM_UP + repeats; i++) {
		if (i == WARM_UP)
			before = counter(r, CORD_COUNTER_frames_coded);
		if (arrive)
			arrive(r, i);
		uint64_t c = one_period(r, i);

		if (i >= WARM_UP)
			cycles[i - WARM_UP] = (double)c;
	}
	*encoded = (double)(counter(r, CORD_COUNTER_frames_coded) - before) / repeats;
	return bench_median(cycles, repeats);
}

/* ---- hold ----------------------------------------------------------------------------------- */

static int16_t music(void *context, uint32_t index, uint32_t rate_hz)
{
	double t = (double)index / rate_hz, sum = 0;

	(void)context;
	for (int k = 1; k <= 12; k++)
		sum += sin(2 * M_PI * 110 * k * t) / k;
	return (int16_t)lrint(4000 * sum);
}

static void add_clip(struct run *r, uint32_t format)
{
	uint64_t bytes;
	int fd = fake_control_clip(CLIP, format, CLIP_FRAMES, music, NULL, &bytes);

	if (fd < 0 || clip_add(&r->dp.clips, fd, bytes, CLIP, format, 1))
		fatal("clip refused");
	close(fd);
}

static double hold(const struct nic *nic, enum cord_codec codec, uint32_t listeners, bool stored,
	uint32_t repeats, double hz, double *encoded)
{
	static struct run r;

	begin(&r, nic, listeners, listeners, hz);
	add_clip(&r, CORD_CLIP_L16);
	if (stored)
		add_clip(&r, codec);
	for (uint32_t i = 0; i < listeners; i++) {
		const struct cord_port_playlist list = {.port = cord_id_make(i, 1),
			.generation = 1,
			.clips = 1,
			.loop = 1,
			.clip = {CLIP}};
		const struct cord_room_set set = {.room = cord_id_make(i, 1),
			.members = 1,
			.member = {{.port = cord_id_make(i, 1),
				.hears = 1,
				.player = CORD_PLAYER_START,
				.player_generation = 1}}};

		open_port(&r, i, codec, 0);
		if (port_playlist(r.w, &list))
			fatal("playlist refused");
		set_room(&r, &set);
	}
	double cycles = measure(&r, NULL, repeats, encoded);

	end(&r);
	return cycles / listeners;
}

static void bench_hold(const struct nic *nic, const char *name, enum cord_codec codec,
	uint32_t listeners, uint32_t few, uint32_t repeats, double hz)
{
	double none, all;
	double stored = hold(nic, codec, listeners, true, repeats, hz, &none);
	double encoding = hold(nic, codec, few, false, repeats, hz, &all);

	if (none != 0 || all != few)
		fatal("stored frames were encoded, or others were not");
	printf("{\"bench\":\"once\",\"case\":\"hold\",\"codec\":\"%s\",\"listeners\":%u,"
	       "\"encodes_per_period\":%.0f,\"cycles_per_listener\":%.1f,"
	       "\"cycles_per_listener_encoding\":%.0f,\"ratio\":%.0f}\n",
		name, listeners, none, stored, encoding, encoding / stored);
}

/* ---- mix ------------------------------------------------------------------------------------ */

/* Two parties talk in G.711. */
static void talk(struct run *r, uint32_t period)
{
	r->w->now_ns = (1000 + period) * CORD_TICK_NS - 15000000u;
	for (uint32_t i = 0; i < 2; i++) {
		struct port *p = &r->dp.port[i];
		struct rte_mbuf *m = rte_pktmbuf_alloc(r->dp.nic.pool);

		if (m == NULL)
			fatal("pool empty");
		uint8_t *codes = (uint8_t *)rte_pktmbuf_append(m, 160);

		for (uint32_t k = 0; k < 160; k++) {
			int16_t s = music(NULL, period * 160 + k + i * 37, 8000);

			g711_encode_mu(&codes[k], &s, 1);
		}
		const struct jitter_packet packet = {.handle = nic_handle(&r->dp.nic, m),
			.timestamp = period * 160,
			.sequence = (uint16_t)period,
			.samples = 160,
			.marker = period == 0};

		if (jitter_insert(&p->jitter, &packet, r->w->now_ns) != JITTER_TAKEN)
			fatal("packet not taken");
	}
}

static double mix(const struct nic *nic, enum cord_codec codec, bool alike, uint32_t repeats,
	double hz, double *encoded)
{
	static struct run r;
	struct cord_room_set set = {.room = cord_id_make(0, 1), .members = 2 + SUPERVISORS};

	begin(&r, nic, 2 + SUPERVISORS, SUPERVISORS, hz);
	for (uint32_t i = 0; i < set.members; i++) {
		open_port(&r, i, i < 2 ? CORD_CODEC_PCMU : codec, 0);
		set.member[i] = (struct cord_room_member){.port = cord_id_make(i, 1),
			.hears = (uint16_t)(i == 0   ? 2
					    : i == 1 ? 1
						     : 3)};
		if (i >= 2 && !alike)
			set.gain[set.gains++] = (struct cord_room_gain){
				.listener = (uint8_t)i, .talker = 0, .gain_db = -1};
	}
	set_room(&r, &set);
	double cycles = measure(&r, talk, repeats, encoded);

	end(&r);
	return cycles / SUPERVISORS;
}

static void bench_mix(const struct nic *nic, uint32_t repeats, double hz)
{
	double once, each;
	double shared = mix(nic, CORD_CODEC_OPUS, true, repeats, hz, &once);
	double apart = mix(nic, CORD_CODEC_OPUS, false, repeats, hz, &each);

	if (once != 1 || each != SUPERVISORS)
		fatal("a mix that all share was not encoded once");
	printf("{\"bench\":\"once\",\"case\":\"mix\",\"codec\":\"Opus\",\"listeners\":%u,"
	       "\"encodes_per_period\":%.0f,\"cycles_per_listener\":%.0f,"
	       "\"cycles_per_listener_encoding\":%.0f,\"ratio\":%.1f}\n",
		SUPERVISORS, once, shared, apart, apart / shared);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	char *words[] = {"bench_once", "--lcores=0", "--no-huge", "-m", "64", "--no-pci",
		"--no-shconf", "--no-telemetry", "--log-level=lib.eal:error", NULL};
	struct nic nic = {0};
	uint32_t repeats = smoke ? 3 : REPEATS, many = smoke ? 20 : 2000, few = smoke ? 2 : 50;

	if (rte_eal_init(9, words) < 0 || nic_pool_create(&nic, 8191))
		fatal("EAL did not start");
	double hz = bench_tsc_hz();

	bench_hold(&nic, "G.722", CORD_CODEC_G722, many, few, repeats, hz);
	bench_hold(&nic, "Opus", CORD_CODEC_OPUS, many, few, repeats, hz);
	bench_mix(&nic, repeats, hz);
	return 0;
}
