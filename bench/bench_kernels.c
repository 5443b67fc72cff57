/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycles of the dataplane's arithmetic for a frame of 20 ms (160 samples), one line of JSON each:
 *
 *   {"bench":"kernels","case":"g711_decode_mu","cycles_min":26.1,"cycles_median":26.4}
 *
 * and last a hash of everything that was computed, which must not change with compiler or flags
 * (Opus is left out of it: its arithmetic is the library's, in floating point).
 * Cycles are those of the time stamp counter. G.711 and mixing come with each kind of kernels that
 * runs here, the best of them without its name (kernels.h). --smoke runs each case a few times, to
 * see that it works.
 */
#include "bench.h"
#include "codec.h"
#include "conceal.h"
#include "g711.h"
#include "jitter.h"
#include "kernels.h"
#include "mix.h"
#include "resample.h"
#include "rtp.h"
#include "rtp_source.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum {
	FRAME = 160,
	WIDE = 2 * FRAME,
	FRAMES = 512,
	VOICE = 100,
	PORTS_MAX = 60000,
	REPEATS = 1001,
	REPEATS_SMOKE = 5
};

struct work {
	uint8_t code[FRAMES][FRAME];
	uint8_t out[FRAMES][FRAME];
	int16_t pcm[FRAMES][FRAME];
	int16_t made[FRAMES][FRAME];
	int32_t sum[FRAME];
	int16_t voice[VOICE][WIDE]; /* a hum of many tones, two seconds at 16 kHz */
	int16_t wide[VOICE][WIDE];
	uint8_t packet[VOICE][CODEC_FRAME_BYTES_MAX];
	size_t packet_bytes[VOICE];
	struct codec_encoder *encoder;
	struct codec_decoder *decoder;
	struct jitter *jitters;
	struct rtp_source *sources;
	unsigned ports;
	uint64_t now_ns;
	uint16_t sequence;
	uint64_t result;
};

static uint64_t cycles(void)
{
#if defined(__x86_64__)
	unsigned aux;

	return __rdtscp(&aux);
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
#endif
}

/* ---- cases: each does its work on FRAMES frames and returns how many those were -------------- */

static unsigned decode_mu(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		g711_decode_mu(w->made[f], w->code[f], FRAME);
	return FRAMES;
}

static unsigned decode_a(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		g711_decode_a(w->made[f], w->code[f], FRAME);
	return FRAMES;
}

static unsigned encode_mu(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		g711_encode_mu(w->out[f], w->pcm[f], FRAME);
	return FRAMES;
}

static unsigned encode_a(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		g711_encode_a(w->out[f], w->pcm[f], FRAME);
	return FRAMES;
}

static unsigned transcode(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		g711_mu_to_a(w->out[f], w->code[f], FRAME);
	return FRAMES;
}

static unsigned mix_adds(struct work *w)
{
	mix_set(w->sum, w->pcm[0], FRAME);
	for (unsigned f = 0; f < FRAMES; f++)
		mix_add(w->sum, w->pcm[f], FRAME);
	return FRAMES;
}

static unsigned mix_adds_gain(struct work *w)
{
	mix_set(w->sum, w->pcm[0], FRAME);
	for (unsigned f = 0; f < FRAMES; f++)
		mix_add_gain(w->sum, w->pcm[f], mix_gain(-6), FRAME);
	return FRAMES;
}

static unsigned mix_minuses(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		mix_minus(w->made[f], w->sum, w->pcm[f], FRAME);
	return FRAMES;
}

static unsigned levels(struct work *w)
{
	for (unsigned f = 0; f < FRAMES; f++)
		w->result += mix_level(w->pcm[f], FRAME);
	return FRAMES;
}

/* Three parties: decode, sum, subtract self, encode; counted for each party. */
static unsigned three_parties(struct work *w)
{
	for (unsigned f = 0; f + 2 < FRAMES; f += 3) {
		int16_t in[3][FRAME], mixed[FRAME];

		for (unsigned p = 0; p < 3; p++)
			g711_decode_mu(in[p], w->code[f + p], FRAME);
		for (unsigned p = 0; p < 3; p++) {
			mix_pair(mixed, in[(p + 1) % 3], in[(p + 2) % 3], FRAME);
			g711_encode_mu(w->out[f + p], mixed, FRAME);
		}
	}
	return FRAMES / 3 * 3;
}

static unsigned conceals(struct work *w)
{
	static struct conceal record;

	conceal_init(&record, 8);
	memcpy(w->made, w->pcm, sizeof(w->made));
	for (unsigned f = 0; f < FRAMES; f++) {
		if (f % 20 == 19)
			conceal_lost(&record, w->made[f], FRAME);
		else
			conceal_good(&record, w->made[f], FRAME);
	}
	return FRAMES;
}

static unsigned ups(struct work *w)
{
	struct resample_up r = {0};

	for (unsigned f = 0; f < VOICE; f++)
		resample_up(&r, w->wide[f], w->pcm[f], FRAME);
	return VOICE;
}

static unsigned downs(struct work *w)
{
	struct resample_down r = {0};

	for (unsigned f = 0; f < VOICE; f++)
		resample_down(&r, w->made[f], w->pcm[2 * f], FRAME);
	return VOICE;
}

static unsigned encodes(struct work *w)
{
	for (unsigned f = 0; f < VOICE; f++)
		w->packet_bytes[f] = codec_encode(w->encoder, w->packet[f], w->voice[f], WIDE);
	return VOICE;
}

static unsigned decodes(struct work *w)
{
	for (unsigned f = 0; f < VOICE; f++) {
		int n = codec_decode(w->decoder, w->wide[f], w->packet[f], w->packet_bytes[f]);

		w->result += (uint64_t)n;
	}
	return VOICE;
}

/* One packet in and one frame out of every port, ports in order. */
static unsigned jitters(struct work *w)
{
	uint32_t handle = 0;

	for (unsigned p = 0; p < w->ports; p++) {
		struct rtp_header h = {.sequence = w->sequence,
			.timestamp = w->sequence * 160u,
			.ssrc = p,
			.payload_bytes = FRAME};
		struct jitter_packet packet = {.handle = p + 1,
			.timestamp = h.timestamp,
			.sequence = h.sequence,
			.samples = FRAME};

		rtp_source_judge(&w->sources[p], &h, true, w->now_ns, 8000);
		w->result += jitter_insert(&w->jitters[p], &packet, w->now_ns);
		w->result += jitter_pop(&w->jitters[p], w->now_ns + 15000000, false, &handle);
		w->result += handle;
	}
	w->sequence++;
	w->now_ns += 20000000;
	return w->ports;
}

/* ---- measuring ------------------------------------------------------------------------------ */

static void measure(
	struct work *w, const char *name, unsigned (*run)(struct work *), unsigned repeats)
{
	double each[REPEATS];

	w->result = BENCH_HASH;
	for (unsigned r = 0; r < repeats; r++) {
		uint64_t begin = cycles();
		unsigned frames = run(w);
		each[r] = (double)(cycles() - begin) / frames;
	}
	double median = bench_median(each, repeats);

	w->result = bench_hash(w->result, w->made, sizeof(w->made));
	w->result = bench_hash(w->result, w->out, sizeof(w->out));
	w->result = bench_hash(w->result, w->sum, sizeof(w->sum));
	w->result = bench_hash(w->result, w->wide, sizeof(w->wide));
	w->result = bench_hash(w->result, w->packet, sizeof(w->packet));
	printf("{\"bench\":\"kernels\",\"case\":\"%s\",\"cycles_min\":%.1f,\"cycles_median\":%.1f,"
	       "\"hash\":\"%016llx\"}\n",
		name, each[0], median, (unsigned long long)w->result);
}

static const struct {
	const char *name;
	unsigned (*work)(struct work *w);
} arithmetic[] = {
	{"g711_decode_mu", decode_mu},
	{"g711_decode_a", decode_a},
	{"g711_encode_mu", encode_mu},
	{"g711_encode_a", encode_a},
	{"g711_mu_to_a", transcode},
	{"mix_add", mix_adds},
	{"mix_add_gain", mix_adds_gain},
	{"mix_minus", mix_minuses},
	{"mix_level", levels},
	{"three_parties_each", three_parties},
};

static void measure_arithmetic(struct work *w, unsigned repeats)
{
	bool best = true;
	char row[64];

	for (enum kernels_kind kind = KERNELS_KINDS; kind-- > KERNELS_PLAIN;) {
		if (!kernels_use(kind))
			continue;
		for (size_t i = 0; i < sizeof(arithmetic) / sizeof(arithmetic[0]); i++) {
			snprintf(row, sizeof(row), "%s%s%s", arithmetic[i].name, best ? "" : ", ",
				best ? "" : kernels_name(kind));
			measure(w, row, arithmetic[i].work, repeats);
		}
		best = false;
	}
	for (enum kernels_kind kind = KERNELS_PLAIN; kind < KERNELS_KINDS; kind++)
		kernels_use(kind);
}

static void measure_jitters(struct work *w, const char *name, unsigned ports, unsigned repeats)
{
	w->ports = ports;
	w->now_ns = 1000000000;
	w->sequence = 0;
	for (unsigned p = 0; p < ports; p++) {
		jitter_init(&w->jitters[p], 8);
		rtp_source_init(&w->sources[p]);
	}
	measure(w, name, jitters, repeats);
}

static void measure_codec(struct work *w, const char *name, enum cord_codec codec,
	uint8_t complexity, bool fec, unsigned repeats)
{
	const struct codec_encoding how = {.codec = codec,
		.rate_khz = 16,
		.complexity = complexity,
		.fec = fec,
		.loss = fec ? 10 : 0,
		.bitrate = 24000};
	char row[64];

	codec_encoder_reset(w->encoder, &how);
	codec_decoder_reset(w->decoder, codec);
	snprintf(row, sizeof(row), "%s_encode", name);
	measure(w, row, encodes, repeats);
	snprintf(row, sizeof(row), "%s_decode", name);
	measure(w, row, decodes, repeats);
}

static void measure_codecs(struct work *w, unsigned repeats)
{
	w->encoder = codec_encoder_create();
	w->decoder = codec_decoder_create();
	if (w->encoder && w->decoder) {
		measure_codec(w, "g722", CORD_CODEC_G722, 0, false, repeats);
		measure_codec(w, "opus_16khz_complexity_0", CORD_CODEC_OPUS, 0, false, repeats);
		measure_codec(w, "opus_16khz_complexity_5", CORD_CODEC_OPUS, 5, false, repeats);
		measure_codec(w, "opus_16khz_complexity_5_fec", CORD_CODEC_OPUS, 5, true, repeats);
		measure_codec(w, "opus_16khz_complexity_9", CORD_CODEC_OPUS, 9, false, repeats);
	}
	codec_encoder_destroy(w->encoder);
	codec_decoder_destroy(w->decoder);
}

static void fill_voice(struct work *w)
{
	double phase = 0;

	for (unsigned i = 0; i < VOICE * WIDE; i++) {
		double t = i / 16000.0, sum = 0;

		phase += 2 * M_PI * (120 + 20 * sin(2 * M_PI * 3 * t)) / 16000;
		for (int k = 1; k <= 40; k++)
			sum += sin(k * phase) / k;
		w->voice[i / WIDE][i % WIDE] =
			(int16_t)lrint(5000 * sum * (0.6 + 0.4 * sin(2 * M_PI * 4 * t)));
	}
}

static void fill(struct work *w)
{
	uint32_t seed = 1;

	for (unsigned f = 0; f < FRAMES; f++)
		for (unsigned i = 0; i < FRAME; i++) {
			seed = seed * 1664525u + 1013904223u;
			w->code[f][i] = (uint8_t)(seed >> 24);
			w->pcm[f][i] = (int16_t)((int32_t)seed >> 18);
		}
}

int main(int count, char **words)
{
	bool smoke = bench_smoke(count, words);
	unsigned repeats = smoke ? REPEATS_SMOKE : REPEATS;
	unsigned many = smoke ? 100 : PORTS_MAX;
	struct work *w = calloc(1, sizeof(*w));

	if (!w || !(w->jitters = aligned_alloc(64, PORTS_MAX * sizeof(struct jitter))) ||
		!(w->sources = calloc(PORTS_MAX, sizeof(struct rtp_source))))
		return 1;
	fill(w);
	fill_voice(w);
	measure_arithmetic(w, repeats);
	measure(w, "conceal_5_percent", conceals, repeats);
	measure(w, "resample_8_to_16", ups, repeats);
	measure(w, "resample_16_to_8", downs, repeats);
	measure_codecs(w, smoke ? 1 : 21);
	measure_jitters(w, "jitter_100_ports", 100, repeats);
	measure_jitters(w, "jitter_60000_ports", many, smoke ? REPEATS_SMOKE : 51);
	free(w->jitters);
	free(w->sources);
	free(w);
	return 0;
}
