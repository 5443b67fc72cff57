/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_voice [--smoke]: what becomes of speech on a network that loses, delays, reorders and
 * drifts. G.711 in packets goes over a simulated path (the same one, seeded, for each line of a
 * network) through our jitter buffer and concealment, through our buffer and spandsp's concealment,
 * and through a plain fixed buffer of 60 ms that plays silence for what is not there. Of each: the
 * mean delay from leaving to playing, the share of time that no packet filled, the share of packets
 * that came too late, frames added and dropped, and the distortion of what is heard (distortion.h),
 * 100 % being silence.
 *
 * Opus at 8 kHz, FEC for the loss that there is, goes over the paths with nothing but loss: its
 * holes are filled by its own concealment, and then with the FEC of the packet that follows.
 *
 * Loss is Gilbert's: two states, in the bad one everything is lost, and it lasts two packets on
 * average. Jitter is uniform from 0 to the figure told, packets in order unless reordering is told;
 * then each takes its own time. A stall holds everything back for 150 ms each 5 s on average and
 * delivers it at once.
 */
#include "bench.h"
#include "distortion.h"
#include "speech.h"

#include "codec.h"
#include "conceal.h"
#include "g711.h"
#include "jitter.h"
#include "mix.h"
#include "resample.h"

#include <spandsp/telephony.h>
#include <spandsp/plc.h>

#define MS           1000000ull
#define TICK_MS      20u
#define TICK_SAMPLES 160u
#define PTIME_MAX_MS 60u
#define PHASE_US     7300u /* between the sender's periods and the ticks */
#define STALL_MS     150u
#define STALL_EVERY  5000u /* ms */
#define FIXED_MS     60u
#define FIXED_FULL   120u /* ms that wait: the fixed buffer jumps back to FIXED_MS */
#define FIXED_MISSES 10u  /* in a row: it begins anew */
#define OPUS_BITRATE 24000u
#define OPUS_LAG     66u   /* samples: Opus looks ahead, and the filter to 8 kHz delays */
#define CALM         3000u /* good frames after which a port's record ends: PORT_CONCEAL_CALM */
#define LOST         UINT64_MAX
#define HOLE         UINT32_MAX

struct network {
	const char *name;
	unsigned loss_percent, jitter_ms;
	int drift_ppm;
	unsigned ptime_ms;
	bool reorder, stalls;
};

enum concealment {
	CONCEAL_SILENCE,
	CONCEAL_OURS,
	CONCEAL_SPANDSP,
	CONCEAL_OPUS,
	CONCEAL_OPUS_FEC,
};

static const char *const concealment_name[] = {"silence", "ours", "spandsp", "opus", "opus fec"};

/* The speech in Opus, a frame for each 20 ms of it; NULL: G.711. */
struct coded {
	uint32_t frames, lag; /* lag: samples by which it is heard late */
	uint16_t *bytes;
	uint8_t (*payload)[CODEC_FRAME_BYTES_MAX];
	struct codec_decoder *decoder;
};

struct path {
	const struct network *network;
	uint32_t packets;
	uint64_t *arrival; /* LOST: never; of the packet that has this number */
	uint32_t *order;   /* numbers by arrival */
};

struct result {
	uint64_t delay_ns;
	uint32_t played, holes, arrived, late, added, dropped;
	double distortion;
};

/* One leg: a buffer, what fills its holes, and what came out. */
struct line {
	const struct path *path;
	const struct distortion *spoken;
	const struct coded *coded;
	struct resample_down down;
	bool fixed;
	enum concealment concealment;
	struct jitter jitter;
	/* the fixed buffer */
	bool playing;
	uint32_t next, newest, misses;
	uint64_t begins;
	bool *here;
	/* concealment */
	struct conceal ours;
	plc_state_t spandsp;
	bool conceals, quiet;
	uint32_t good;
	/* samples that wait, as of another packet time than the tick's */
	int16_t store[TICK_SAMPLES + PTIME_MAX_MS * 8];
	uint32_t stored, stored_due[TICK_MS / 10 + PTIME_MAX_MS / 10];
	/* what was heard */
	int16_t *heard;
	uint32_t *due; /* of each step of 10 ms: the step that was spoken, or HOLE */
	uint32_t steps, first, last;
	struct result result;
};

static void *take_memory(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL) {
		fprintf(stderr, "bench_voice: no memory\n");
		exit(1);
	}
	return p;
}

/* ---- the path ------------------------------------------------------------------------------- */

static double draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (double)(*seed >> 11) / (double)(1ull << 53);
}

static uint64_t leaves(const struct network *n, uint32_t packet)
{
	double period = n->ptime_ms * (1 - n->drift_ppm / 1e6);

	return 1000 * MS + PHASE_US * 1000 + (uint64_t)(packet * period * (double)MS);
}

static const struct path *ordering;

static int by_arrival(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = ordering->arrival[i], y = ordering->arrival[k];

	return x != y ? (x < y ? -1 : 1) : (i < k ? -1 : 1);
}

static void path_init(struct path *p, const struct network *n, uint32_t ms)
{
	uint64_t seed = 88172645463325252ull, before = 0, stalled = 0;
	double leave_bad = 0.5, enter_bad = leave_bad * n->loss_percent / (100 - n->loss_percent);
	bool bad = false;

	*p = (struct path){.network = n, .packets = ms / n->ptime_ms};
	p->arrival = take_memory(p->packets, sizeof(*p->arrival));
	p->order = take_memory(p->packets, sizeof(*p->order));
	for (uint32_t i = 0; i < p->packets; i++) {
		uint64_t left = leaves(n, i);
		uint64_t at = left + (uint64_t)(draw(&seed) * n->jitter_ms * (double)MS);

		if (draw(&seed) * STALL_EVERY < n->ptime_ms && n->stalls)
			stalled = left + STALL_MS * MS;
		at = at < stalled ? stalled : at;
		if (at < before && !n->reorder)
			at = before;
		before = at;
		bad = draw(&seed) < (bad ? 1 - leave_bad : enter_bad);
		p->arrival[i] = bad ? LOST : at;
		p->order[i] = i;
	}
	ordering = p;
	qsort(p->order, p->packets, sizeof(*p->order), by_arrival);
}

static void path_free(struct path *p)
{
	free(p->arrival);
	free(p->order);
}

/* ---- what fills holes ----------------------------------------------------------------------- */

/* Opus' own way: from the packet that follows where that is there. */
static void make_up_coded(struct line *l, int16_t *pcm, uint32_t samples)
{
	const struct coded *c = l->coded;
	int16_t wide[2 * TICK_SAMPLES];
	uint32_t next = jitter_following(&l->jitter);

	if (l->concealment == CONCEAL_OPUS_FEC && next) {
		uint32_t frame = (next - 1) % c->frames;

		codec_recover(c->decoder, wide, 2 * samples, c->payload[frame], c->bytes[frame]);
	} else {
		codec_conceal(c->decoder, wide, 2 * samples);
	}
	resample_down(&l->down, pcm, wide, samples);
}

static void make_up(struct line *l, int16_t *pcm, uint32_t samples)
{
	switch (l->concealment) {
	case CONCEAL_SILENCE:
		memset(pcm, 0, samples * sizeof(*pcm));
		break;
	case CONCEAL_OURS:
		if (!l->conceals)
			conceal_init(&l->ours, 8);
		conceal_lost(&l->ours, pcm, samples);
		break;
	case CONCEAL_SPANDSP:
		if (!l->conceals)
			plc_init(&l->spandsp);
		plc_fillin(&l->spandsp, pcm, (int)samples);
		break;
	default:
		make_up_coded(l, pcm, samples);
	}
	l->conceals = true;
	l->good = 0;
}

static void pass(struct line *l, int16_t *pcm, uint32_t samples)
{
	l->quiet = mix_level(pcm, samples) < MIX_QUIET;
	if (!l->conceals)
		return;
	if (l->concealment == CONCEAL_OURS)
		conceal_good(&l->ours, pcm, samples);
	else if (l->concealment == CONCEAL_SPANDSP)
		plc_rx(&l->spandsp, pcm, (int)samples);
	l->conceals = ++l->good < CALM;
}

/* The frame that comes next is there: it is played twice. */
static void repeat(struct line *l, const int16_t *pcm, uint32_t samples)
{
	if (!l->conceals)
		conceal_init(&l->ours, 8);
	conceal_repeat(&l->ours, pcm, samples);
	l->conceals = true;
	l->good = 0;
}

static void speak(struct line *l, uint32_t packet, int16_t *pcm)
{
	uint32_t samples = l->path->network->ptime_ms * 8;
	size_t all = l->spoken->steps * DISTORTION_STEP;
	uint8_t codes[PTIME_MAX_MS * 8];
	int16_t wide[2 * TICK_SAMPLES];

	if (l->coded) {
		uint32_t frame = packet % l->coded->frames;

		codec_decode(
			l->coded->decoder, wide, l->coded->payload[frame], l->coded->bytes[frame]);
		resample_down(&l->down, pcm, wide, samples);
		return;
	}
	g711_encode_mu(codes, l->spoken->spoken + (size_t)packet * samples % all, samples);
	g711_decode_mu(pcm, codes, samples);
}

/* ---- buffers: each says what to play next, a packet or HOLE --------------------------------- */

static uint32_t pop_adaptive(struct line *l, uint64_t due, uint32_t *cut, uint32_t *twice)
{
	uint32_t handle = 0;
	enum jitter_frame f;

	*cut = HOLE;
	*twice = HOLE;
	while ((f = jitter_pop(&l->jitter, due, l->quiet, &handle)) == JITTER_DROP) {
		l->result.dropped++;
		*cut = handle - 1;
	}
	if (f == JITTER_STRETCH) {
		l->result.added++;
		*twice = jitter_following(&l->jitter) - 1;
	}
	return f == JITTER_FRAME ? handle - 1 : HOLE;
}

static uint32_t pop_fixed(struct line *l, uint64_t due)
{
	const uint32_t ptime = l->path->network->ptime_ms;

	if (!l->playing) {
		if (due < l->begins)
			return HOLE;
		l->playing = true;
	}
	if ((l->newest - l->next) * ptime > FIXED_FULL && l->newest > l->next) {
		uint32_t to = l->newest - FIXED_MS / ptime;

		l->result.dropped += to - l->next;
		l->next = to;
	}
	uint32_t packet = l->next++;

	if (l->here[packet]) {
		l->misses = 0;
		return packet;
	}
	if (++l->misses == FIXED_MISSES) {
		l->playing = false;
		l->begins = LOST;
	}
	return HOLE;
}

static void insert_adaptive(struct line *l, uint32_t packet, uint64_t at)
{
	const struct network *n = l->path->network;
	uint32_t handles[JITTER_SLOTS];
	struct jitter_packet p = {
		.handle = packet + 1,
		.timestamp = packet * n->ptime_ms * 8,
		.sequence = (uint16_t)packet,
		.samples = (uint16_t)(n->ptime_ms * 8),
		.marker = packet == 0,
	};
	enum jitter_verdict v = jitter_insert(&l->jitter, &p, at);

	if (v == JITTER_RESET) {
		l->result.dropped += jitter_flush(&l->jitter, handles);
		v = jitter_insert(&l->jitter, &p, at);
	}
	l->result.late += v == JITTER_LATE;
	l->result.dropped += v == JITTER_OVERFLOW;
}

static void insert_fixed(struct line *l, uint32_t packet, uint64_t at)
{
	if (l->begins == LOST) {
		l->begins = at + FIXED_MS * MS;
		l->next = packet;
		l->misses = 0;
	}
	l->here[packet] = true;
	l->newest = packet > l->newest ? packet : l->newest;
	l->result.late += packet < l->next;
}

/* ---- a leg ---------------------------------------------------------------------------------- */

/* Puts what the buffer gives next behind the samples that wait. */
static void fill(struct line *l, uint64_t due)
{
	uint32_t ptime = l->path->network->ptime_ms, samples = ptime * 8, cut = HOLE, twice = HOLE;
	uint32_t packet = l->fixed ? pop_fixed(l, due) : pop_adaptive(l, due, &cut, &twice);
	int16_t *pcm = l->store + l->stored, dropped[PTIME_MAX_MS * 8];

	for (uint32_t i = 0; i < ptime / 10; i++)
		l->stored_due[l->stored / DISTORTION_STEP + i] =
			packet == HOLE ? HOLE : packet * (ptime / 10) + i;
	if (twice != HOLE && l->concealment == CONCEAL_OURS) {
		speak(l, twice, pcm);
		repeat(l, pcm, samples);
	} else if (packet == HOLE) {
		make_up(l, pcm, samples);
	} else {
		speak(l, packet, pcm);
		if (cut != HOLE) {
			speak(l, cut, dropped);
			conceal_join(pcm, dropped, samples);
		}
		pass(l, pcm, samples);
		l->result.played++;
		l->result.delay_ns += due + l->stored * (MS / 8) - leaves(l->path->network, packet);
	}
	l->stored += samples;
}

static void tick(struct line *l, uint64_t due)
{
	const uint32_t steps = TICK_SAMPLES / DISTORTION_STEP;

	while (l->stored < TICK_SAMPLES)
		fill(l, due);
	memcpy(l->heard + (size_t)l->steps * DISTORTION_STEP, l->store,
		TICK_SAMPLES * sizeof(*l->heard));
	memcpy(l->due + l->steps, l->stored_due, steps * sizeof(*l->due));
	for (uint32_t i = l->steps; i < l->steps + steps; i++) {
		if (l->due[i] == HOLE)
			continue;
		l->first = l->first == HOLE ? i : l->first;
		l->last = i;
	}
	l->steps += steps;
	l->stored -= TICK_SAMPLES;
	memmove(l->store, l->store + TICK_SAMPLES, l->stored * sizeof(*l->store));
	memmove(l->stored_due, l->stored_due + steps,
		l->stored / DISTORTION_STEP * sizeof(*l->due));
}

/*
 * What should have been heard in holes: the speech that is missing between what was played before
 * and behind, from its beginning; where nothing is missing, what was played behind.
 */
static void explain_holes(struct line *l)
{
	uint32_t next = 0;

	for (uint32_t i = l->first; i <= l->last; i++) {
		if (l->due[i] != HOLE) {
			next = l->due[i] + 1;
			continue;
		}
		uint32_t behind = i;

		while (l->due[behind] == HOLE)
			behind++;
		l->result.holes++;
		l->due[i] = next < l->due[behind] ? next++ : l->due[behind];
	}
}

static uint64_t judge(struct line *l, struct distortion *d)
{
	explain_holes(l);
	uint32_t lag = l->coded ? l->coded->lag : 0;

	for (uint32_t i = l->first; i + 4 <= l->last; i++)
		distortion_add(d, l->heard + (size_t)i * DISTORTION_STEP + lag, l->due[i]);
	l->result.distortion = distortion_take(d);
	return bench_hash(
		BENCH_HASH, l->heard, (size_t)l->steps * DISTORTION_STEP * sizeof(*l->heard));
}

static void run(struct line *l)
{
	const struct path *p = l->path;
	uint64_t end = leaves(p->network, p->packets - 1);
	uint32_t next = 0;

	for (uint64_t due = 980 * MS; due < end; due += TICK_MS * MS) {
		for (; next < p->packets && p->arrival[p->order[next]] <= due; next++) {
			uint32_t packet = p->order[next];

			l->result.arrived++;
			if (l->fixed)
				insert_fixed(l, packet, p->arrival[packet]);
			else
				insert_adaptive(l, packet, p->arrival[packet]);
		}
		tick(l, due);
	}
}

static void report(const struct line *l, uint64_t hash)
{
	const struct result *r = &l->result;
	double time = l->last - l->first + 1;

	printf("{\"bench\":\"voice\",\"network\":\"%s\",\"buffer\":\"%s\",\"concealment\":\"%s\","
	       "\"delay_ms\":%.0f,\"concealed_percent\":%.2f,\"late_percent\":%.2f,\"added\":%u,"
	       "\"dropped\":%u,\"distortion_percent\":%.2f,\"hash\":\"%016llx\"}\n",
		l->path->network->name, l->fixed ? "fixed" : "adaptive",
		concealment_name[l->concealment], (double)r->delay_ns / r->played / (double)MS,
		100 * r->holes / time, 100.0 * r->late / r->arrived, r->added, r->dropped,
		100 * r->distortion, (unsigned long long)hash);
}

static void measure(struct distortion *d, const struct path *p, bool fixed,
	enum concealment concealment, const struct coded *coded)
{
	static struct line l;
	uint32_t ticks = (uint32_t)((leaves(p->network, p->packets) / MS - 900) / TICK_MS);

	l = (struct line){.path = p,
		.spoken = d,
		.coded = coded,
		.fixed = fixed,
		.concealment = concealment,
		.begins = LOST,
		.first = HOLE};
	l.here = take_memory(p->packets + 100, sizeof(*l.here));
	l.heard = take_memory(ticks + 3, TICK_SAMPLES * sizeof(*l.heard));
	l.due = take_memory(ticks + 3, TICK_SAMPLES / DISTORTION_STEP * sizeof(*l.due));
	jitter_init(&l.jitter, 8);
	jitter_recovers(&l.jitter, concealment == CONCEAL_OPUS_FEC);
	if (coded)
		codec_decoder_reset(coded->decoder, CORD_CODEC_OPUS);
	run(&l);
	uint64_t hash = judge(&l, d);

	report(&l, hash);
	free(l.here);
	free(l.heard);
	free(l.due);
}

static const struct network network[] = {
	{"even", 0, 0, 0, 20, false, false},
	{"loss 1 %", 1, 0, 0, 20, false, false},
	{"loss 3 %", 3, 0, 0, 20, false, false},
	{"loss 5 %", 5, 0, 0, 20, false, false},
	{"loss 10 %", 10, 0, 0, 20, false, false},
	{"jitter 20 ms", 0, 20, 0, 20, false, false},
	{"jitter 40 ms", 0, 40, 0, 20, false, false},
	{"jitter 60 ms", 0, 60, 0, 20, false, false},
	{"jitter 60 ms, reordered", 0, 60, 0, 20, true, false},
	{"stalls", 0, 5, 0, 20, false, true},
	{"drift +200 ppm", 0, 5, 200, 20, false, false},
	{"drift -200 ppm", 0, 5, -200, 20, false, false},
	{"loss 3 %, jitter 40 ms, +200 ppm", 3, 40, 200, 20, true, false},
	{"loss 5 %, jitter 60 ms, -200 ppm", 5, 60, -200, 20, true, false},
	{"loss 3 %, jitter 60 ms, 10 ms packets", 3, 60, 0, 10, true, false},
	{"loss 3 %, jitter 60 ms, 60 ms packets", 3, 60, 0, 60, true, false},
};

enum { NETWORKS_OPUS = 5 }; /* the first ones: nothing but loss */

static void code(struct coded *c, const int16_t *pcm, size_t samples, unsigned loss_percent)
{
	const struct codec_encoding how = {.codec = CORD_CODEC_OPUS,
		.rate_khz = 8,
		.complexity = 5,
		.loss = (uint8_t)loss_percent,
		.fec = true,
		.bitrate = OPUS_BITRATE};
	struct codec_encoder *encoder = codec_encoder_create();

	*c = (struct coded){.frames = (uint32_t)(samples / TICK_SAMPLES),
		.lag = OPUS_LAG,
		.decoder = codec_decoder_create()};
	c->bytes = take_memory(c->frames, sizeof(*c->bytes));
	c->payload = take_memory(c->frames, sizeof(*c->payload));
	if (encoder == NULL || c->decoder == NULL) {
		fprintf(stderr, "bench_voice: no memory\n");
		exit(1);
	}
	codec_encoder_reset(encoder, &how);
	for (uint32_t i = 0; i < c->frames; i++)
		c->bytes[i] = (uint16_t)codec_encode(
			encoder, c->payload[i], pcm + (size_t)i * TICK_SAMPLES, TICK_SAMPLES);
	codec_encoder_destroy(encoder);
}

static void measure_opus(struct distortion *d, const struct path *p)
{
	struct coded c;

	code(&c, d->spoken, d->steps * DISTORTION_STEP, p->network->loss_percent);
	measure(d, p, false, CONCEAL_OPUS, &c);
	measure(d, p, false, CONCEAL_OPUS_FEC, &c);
	codec_decoder_destroy(c.decoder);
	free(c.bytes);
	free(c.payload);
}

int main(int argc, char **argv)
{
	bool smoke = bench_smoke(argc, argv);
	size_t samples;
	int16_t *speech = speech_say(smoke ? 2 : 8, &samples);
	struct distortion d;

	distortion_init(&d, speech, samples);
	for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++) {
		struct path p;

		path_init(&p, &network[i], smoke ? 20000 : 600000);
		measure(&d, &p, true, CONCEAL_SILENCE, NULL);
		measure(&d, &p, false, CONCEAL_SPANDSP, NULL);
		measure(&d, &p, false, CONCEAL_OURS, NULL);
		if (i < NETWORKS_OPUS)
			measure_opus(&d, &p);
		path_free(&p);
	}
	distortion_free(&d);
	free(speech);
	return 0;
}
