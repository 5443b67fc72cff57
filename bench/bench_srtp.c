/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP: TSC cycles for a packet of 20 ms of G.711 (172 bytes), by back end, suite, burst and number
 * of sessions, each session with a key for each direction:
 *
 *   {"bench":"srtp","backend":"ipsec-mb, AVX-512","suite":"AEAD_AES_128_GCM","sessions":64,
 *    "burst":32,"protect_cycles":…,"unprotect_cycles":…,"set_cycles":…,"hash":…}
 *
 * The figures are medians; set_cycles is what it costs to set one key. The hash is of what was
 * protected: the same for all back ends.
 */
#include "bench.h"
#include "rtp.h"
#include "srtp.h"

enum { PAYLOAD = 160, BURST_MAX = 64, SESSIONS = 1000, ROUNDS = 400, ROUNDS_SMOKE = 3 };
/* Prime, and no part of a number of sessions. */
enum { STRIDE = 7919 };

struct setting {
	enum cord_srtp_backend backend;
	uint32_t suite, sessions, burst, rounds;
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_srtp: %s\n", what);
	exit(1);
}

static double set_keys(struct srtp_engine *e, const struct setting *s)
{
	struct cord_srtp_key key = {.suite = (uint8_t)s->suite};
	uint64_t begun = bench_tsc();

	for (uint32_t slot = 0; slot < s->sessions; slot++) {
		for (uint32_t i = 0; i < cord_srtp_key_bytes(s->suite); i++)
			key.key[i] = (uint8_t)(slot * 31 + i * 7 + slot / 256);
		need(srtp_set_send(e, slot, &key, slot + 1) == 0, "cannot set a key");
		need(srtp_set_receive(e, slot, &key) == 0, "cannot set a key");
	}
	return (double)(bench_tsc() - begun) / (2.0 * s->sessions);
}

/* The next packet of each of the sessions whose turn it is, in no order that a cache could know. */
static void fill(struct srtp_packet *packet, uint8_t (*data)[PAYLOAD + 64], const struct setting *s,
	uint32_t round)
{
	for (uint32_t i = 0; i < s->burst; i++) {
		uint32_t at = round * s->burst + i, slot = at * STRIDE % s->sessions;

		rtp_write(data[i], false, 0, (uint16_t)(at / s->sessions + 1), at * PAYLOAD,
			slot + 1);
		memset(data[i] + RTP_HEADER_BYTES, (int)at, PAYLOAD);
		packet[i] = (struct srtp_packet){
			.data = data[i], .slot = slot, .bytes = RTP_HEADER_BYTES + PAYLOAD};
	}
}

static void measure(const struct setting *s)
{
	static uint8_t data[BURST_MAX][PAYLOAD + 64];
	static double out[ROUNDS], in[ROUNDS];
	struct srtp_packet packet[BURST_MAX];
	struct srtp_keys *keys;
	struct srtp_engine *e;
	uint64_t hash = BENCH_HASH;

	need(srtp_keys_create(&keys, s->backend, s->sessions) == 0, "no memory for keys");
	need(srtp_engine_create(&e, keys) == 0, "no memory for an engine");
	double set = set_keys(e, s);

	/* Once through all sessions, so that none is met for the first time. */
	uint32_t warm_up = s->sessions / s->burst + 1;

	for (uint32_t round = 0; round < warm_up + s->rounds; round++) {
		uint32_t at = round < warm_up ? 0 : round - warm_up;

		fill(packet, data, s, round);
		uint64_t begun = bench_tsc();

		srtp_protect_burst(e, packet, s->burst);
		out[at] = (double)(bench_tsc() - begun) / s->burst;
		for (uint32_t i = 0; i < s->burst; i++)
			hash = bench_hash(hash, packet[i].data, packet[i].bytes);
		begun = bench_tsc();
		srtp_unprotect_burst(e, packet, s->burst);
		in[at] = (double)(bench_tsc() - begun) / s->burst;
		for (uint32_t i = 0; i < s->burst; i++)
			need(packet[i].verdict == SRTP_GOOD, "a packet was refused");
	}
	printf("{\"bench\":\"srtp\",\"backend\":\"%s\",\"suite\":\"%s\",\"sessions\":%u,"
	       "\"burst\":%u,\"protect_cycles\":%.0f,\"unprotect_cycles\":%.0f,"
	       "\"set_cycles\":%.0f,\"hash\":\"%016lx\"}\n",
		cord_srtp_backend_name(s->backend), cord_srtp_parts(s->suite)->name, s->sessions,
		s->burst, bench_median(out, s->rounds), bench_median(in, s->rounds), set, hash);
	srtp_engine_destroy(e);
	srtp_keys_destroy(keys);
}

/* By sessions; SESSIONS of them are measured with the others. */
static void measure_growth(struct setting *s)
{
	static const uint32_t sessions[] = {1, 10, 100, 10000, 60000};
	static const uint32_t grown[] = {
		CORD_SRTP_AEAD_AES_128_GCM, CORD_SRTP_AES_CM_128_HMAC_SHA1_80};

	s->burst = 32;
	for (uint32_t g = 0; g < sizeof(grown) / sizeof(grown[0]); g++) {
		s->suite = grown[g];
		for (uint32_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
			s->sessions = sessions[i];
			measure(s);
		}
	}
}

int main(int argc, char **argv)
{
	static const uint32_t bursts[] = {1, 8, 32, 64};
	const enum cord_srtp_backend backends[] = {
		CORD_SRTP_BACKEND_LIBSRTP, srtp_pick(CORD_SRTP_BACKEND_IPSEC_MB)};
	bool smoke = bench_smoke(argc, argv);
	struct setting s = {.rounds = smoke ? ROUNDS_SMOKE : ROUNDS};

	for (uint32_t b = 0; b < 2 && backends[b]; b++) {
		s.backend = backends[b];
		for (s.suite = 1; s.suite < CORD_SRTP_SUITE_COUNT; s.suite++) {
			s.sessions = smoke ? 8 : 64;
			for (uint32_t i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++) {
				s.burst = bursts[i];
				measure(&s);
			}
			s.sessions = smoke ? 16 : SESSIONS;
			s.burst = 32;
			measure(&s);
		}
	}
	if (!smoke && s.backend != CORD_SRTP_BACKEND_LIBSRTP)
		measure_growth(&s);
	return 0;
}
