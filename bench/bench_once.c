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
#include "rooms.h"

#include "fake_control.h"
#include "g711.h"
#include "port.h"

#include <math.h>
#include <unistd.h>

#define WARM_UP     10u
#define REPEATS     51u
#define CLIP        7u
#define CLIP_FRAMES 100u
#define SUPERVISORS 14u

/* Median cycles of a period, and how many frames were encoded in each. */
static double measure(struct rooms *r, void (*arrive)(struct rooms *r, uint32_t period),
	uint32_t repeats, double *encoded)
{
	static double cycles[REPEATS];
	uint64_t before = 0;

	for (uint32_t i = 0; i < WARM_UP + repeats; i++) {
		if (i == WARM_UP)
			before = rooms_counter(r->w, CORD_COUNTER_frames_coded);
		if (arrive)
			arrive(r, i);
		uint64_t c = rooms_tick(r, i);

		if (i >= WARM_UP)
			cycles[i - WARM_UP] = (double)c;
	}
	*encoded = (double)(rooms_counter(r->w, CORD_COUNTER_frames_coded) - before) / repeats;
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

static void add_clip(struct rooms *r, uint32_t format)
{
	uint64_t bytes;
	int fd = fake_control_clip(CLIP, format, CLIP_FRAMES, music, NULL, &bytes);

	if (fd < 0 || clip_add(&r->dp.clips, fd, bytes, CLIP, format, 1))
		rooms_fatal("clip refused");
	close(fd);
}

static double hold(const struct nic *nic, enum cord_codec codec, uint32_t listeners, bool stored,
	uint32_t repeats, double hz, double *encoded, uint64_t *hash)
{
	static struct rooms r;

	rooms_begin(&r, nic, listeners, listeners, hz);
	add_clip(&r, CORD_CLIP_L16);
	if (stored)
		add_clip(&r, codec);
	for (uint32_t i = 0; i < listeners; i++) {
		const struct cord_terms terms = rooms_terms(i, codec);
		const struct cord_port_playlist list = {.port = calls_id(i),
			.generation = 1,
			.clips = 1,
			.loop = 1,
			.clip = {CLIP}};
		const struct cord_room_set set = {.room = calls_id(i),
			.members = 1,
			.member = {{.port = calls_id(i),
				.hears = 1,
				.player = CORD_PLAYER_START,
				.player_generation = 1}}};

		rooms_port(r.w, i, &terms);
		if (port_playlist(r.w, &list))
			rooms_fatal("playlist refused");
		rooms_set(r.w, &set);
	}
	double cycles = measure(&r, NULL, repeats, encoded);

	*hash = bench_hash(*hash, &r.hash, sizeof(r.hash));
	rooms_end(&r);
	return cycles / listeners;
}

static void bench_hold(const struct nic *nic, const char *name, enum cord_codec codec,
	uint32_t listeners, uint32_t few, uint32_t repeats, double hz)
{
	double none, all;
	uint64_t hash = BENCH_HASH;
	double stored = hold(nic, codec, listeners, true, repeats, hz, &none, &hash);
	double encoding = hold(nic, codec, few, false, repeats, hz, &all, &hash);

	if (none != 0 || all != few)
		rooms_fatal("stored frames were encoded, or others were not");
	printf("{\"bench\":\"once\",\"case\":\"hold\",\"codec\":\"%s\",\"listeners\":%u,"
	       "\"encodes_per_period\":%.0f,\"cycles_per_listener\":%.1f,"
	       "\"cycles_per_listener_encoding\":%.0f,\"ratio\":%.0f,\"hash\":\"%016llx\"}\n",
		name, listeners, none, stored, encoding, encoding / stored,
		(unsigned long long)hash);
}

/* ---- mix ------------------------------------------------------------------------------------ */

/* Two parties talk in G.711. */
static void talk(struct rooms *r, uint32_t period)
{
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t codes[160];

		for (uint32_t k = 0; k < sizeof(codes); k++) {
			int16_t s = music(NULL, period * 160 + k + i * 37, 8000);

			g711_encode_mu(&codes[k], &s, 1);
		}
		rooms_arrive(r, i, period, codes, sizeof(codes));
	}
}

static double mix(const struct nic *nic, enum cord_codec codec, bool alike, uint32_t repeats,
	double hz, double *encoded, uint64_t *hash)
{
	static struct rooms r;
	struct cord_room_set set = {.room = calls_id(0), .members = 2 + SUPERVISORS};

	rooms_begin(&r, nic, 2 + SUPERVISORS, SUPERVISORS, hz);
	for (uint32_t i = 0; i < set.members; i++) {
		const struct cord_terms terms = rooms_terms(i, i < 2 ? CORD_CODEC_PCMU : codec);

		rooms_port(r.w, i, &terms);
		set.member[i] = (struct cord_room_member){.port = calls_id(i),
			.hears = (uint16_t)(i == 0   ? 2
					    : i == 1 ? 1
						     : 3)};
		if (i >= 2 && !alike)
			set.gain[set.gains++] = (struct cord_room_gain){
				.listener = (uint8_t)i, .talker = 0, .gain_db = -1};
	}
	rooms_set(r.w, &set);
	double cycles = measure(&r, talk, repeats, encoded);

	*hash = bench_hash(*hash, &r.hash, sizeof(r.hash));
	rooms_end(&r);
	return cycles / SUPERVISORS;
}

static void bench_mix(const struct nic *nic, uint32_t repeats, double hz)
{
	double once, each;
	uint64_t hash = BENCH_HASH;
	double shared = mix(nic, CORD_CODEC_OPUS, true, repeats, hz, &once, &hash);
	double apart = mix(nic, CORD_CODEC_OPUS, false, repeats, hz, &each, &hash);

	if (once != 1 || each != SUPERVISORS)
		rooms_fatal("a mix that all share was not encoded once");
	printf("{\"bench\":\"once\",\"case\":\"mix\",\"codec\":\"Opus\",\"listeners\":%u,"
	       "\"encodes_per_period\":%.0f,\"cycles_per_listener\":%.0f,"
	       "\"cycles_per_listener_encoding\":%.0f,\"ratio\":%.1f,\"hash\":\"%016llx\"}\n",
		SUPERVISORS, once, shared, apart, apart / shared, (unsigned long long)hash);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	struct nic nic;
	uint32_t repeats = smoke ? 3 : REPEATS, many = smoke ? 20 : 2000, few = smoke ? 2 : 50;

	rooms_start(&nic, 8191, "64");
	double hz = bench_tsc_hz();

	bench_hold(&nic, "G.722", CORD_CODEC_G722, many, few, repeats, hz);
	bench_hold(&nic, "Opus", CORD_CODEC_OPUS, many, few, repeats, hz);
	bench_mix(&nic, repeats, hz);
	return 0;
}
