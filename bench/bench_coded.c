/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_coded [--smoke]: cycles for each party of conferences in G.722 and in Opus at 16 kHz with
 * complexity 5, with no NIC in the way: packets wait in the jitter buffers, every room is worked, a
 * packet for each party is made.
 *
 * pass: the ports allow it that a talker's own packets are sent on (pass.h).
 *
 * Those who talk say speech without its pauses, each from another place in it. Those who do not are
 * not muted: they send the coded noise of a quiet room.
 */
#include "bench.h"
#include "rooms.h"
#include "speech.h"

#include "mix.h"
#include "resample.h"

/* What our own coding goes on for at most, where packets could be passed: 5 s (pass.c). */
#define WARM_UP   280u
#define REPEATS   151u
#define SENTENCES 4u
#define NARROW    160u /* samples of 20 ms at 8 kHz */
#define WIDE      320u
#define SAID_MAX  2000u
#define NOISE     4 /* amplitude in a quiet room */

#define GROWTH_OPUS 33u /* rooms: not many more than what a core carries */

/* What parties send: coded once, in a frame for each 20 ms. */
struct said {
	uint32_t frames;
	uint16_t bytes[SAID_MAX];
	uint8_t payload[SAID_MAX][CODEC_FRAME_BYTES_MAX];
};

static int16_t speech[SAID_MAX][WIDE], noise[SAID_MAX][WIDE];
static uint32_t speech_frames;
static struct said talk, hush;

/* Speech at 16 kHz, of which the frames without talk are left out; as many of noise. */
static void speak(uint32_t sentences)
{
	size_t samples;
	int16_t *spoken = speech_say(sentences, &samples);
	struct resample_up up = {0};
	uint32_t seed = 1;

	for (size_t at = 0; at + NARROW <= samples && speech_frames < SAID_MAX; at += NARROW) {
		if (mix_level(spoken + at, NARROW) >= MIX_QUIET)
			resample_up(&up, speech[speech_frames++], spoken + at, NARROW);
	}
	for (uint32_t i = 0; i < speech_frames * WIDE; i++) {
		seed = seed * 1664525u + 1013904223u;
		noise[i / WIDE][i % WIDE] = (int16_t)((int)(seed >> 16) % (2 * NOISE + 1) - NOISE);
	}
	free(spoken);
}

static void code(struct said *said, int16_t (*pcm)[WIDE], enum cord_codec codec)
{
	const struct codec_encoding how = {
		.codec = codec, .rate_khz = 16, .complexity = 9, .bitrate = CODEC_OPUS_BITRATE};
	struct codec_encoder *encoder = codec_encoder_create();

	if (encoder == NULL)
		rooms_fatal("no memory");
	codec_encoder_reset(encoder, &how);
	said->frames = speech_frames;
	for (uint32_t i = 0; i < said->frames; i++)
		said->bytes[i] = (uint16_t)codec_encode(encoder, said->payload[i], pcm[i], WIDE);
	codec_encoder_destroy(encoder);
}

static void arrive(struct rooms *r, uint32_t period, uint32_t party, uint32_t talking)
{
	for (uint32_t i = 0; i < r->ports; i++) {
		const struct said *said = i % party < talking ? &talk : &hush;
		uint32_t at = (i * 37 + period) % said->frames;

		rooms_arrive(r, i, period, said->payload[at], said->bytes[at]);
	}
}

static void open_all(struct rooms *r, enum cord_codec codec, uint32_t party, uint8_t flags)
{
	for (uint32_t i = 0; i < r->ports; i++) {
		struct cord_terms terms = rooms_terms(i, codec);

		terms.flags = flags;
		rooms_port(r->w, i, &terms);
	}
	for (uint32_t i = 0; i < r->ports / party; i++) {
		const struct cord_room_set set = calls_room(i, party);

		rooms_set(r->w, &set);
	}
}

/* `party` in a room, of whom the first `talking` talk, so that there are `encodes` in a period. */
static void measure(const struct nic *nic, const char *name, enum cord_codec codec, uint8_t flags,
	uint32_t rooms, uint32_t party, uint32_t talking, uint32_t encodes, uint32_t repeats,
	double hz)
{
	static struct rooms r;
	static double cycles[REPEATS];
	uint64_t coded = 0;

	rooms_begin(&r, nic, rooms * party, rooms * party, hz);
	open_all(&r, codec, party, flags);
	for (uint32_t i = 0; i < WARM_UP + repeats; i++) {
		if (i == WARM_UP)
			coded = rooms_counter(r.w, CORD_COUNTER_frames_coded);
		arrive(&r, i, party, talking);
		uint64_t c = rooms_tick(&r, i);

		if (i >= WARM_UP)
			cycles[i - WARM_UP] = (double)c / r.ports;
	}
	if (rooms_counter(r.w, CORD_COUNTER_frames_concealed))
		rooms_fatal("a frame was not played");
	coded = rooms_counter(r.w, CORD_COUNTER_frames_coded) - coded;
	if (coded != (uint64_t)encodes * repeats * rooms)
		rooms_fatal("it was encoded more often, or less");
	double each = bench_median(cycles, repeats);

	printf("{\"bench\":\"coded\",\"codec\":\"%s\",\"pass\":%s,\"room\":%u,\"talking\":%u,"
	       "\"parties\":%u,\"encodes_per_room\":%u,\"cycles_min\":%.0f,"
	       "\"cycles_per_party\":%.0f,\"tsc_mhz\":%.0f,\"parties_per_core\":%.0f,"
	       "\"hash\":\"%016llx\"}\n",
		name, flags & CORD_TERMS_OPUS_PASS ? "true" : "false", party, talking, r.ports,
		encodes, cycles[0], each, hz / 1e6, hz * 0.02 / each, (unsigned long long)r.hash);
	rooms_end(&r);
}

int main(int argc, char **argv)
{
	static const uint32_t growth[] = {1, 3, 33, 333, 0}; /* rooms */
	bool smoke = bench_smoke(argc, argv);
	uint32_t repeats = smoke ? 3 : REPEATS, rooms = smoke ? 1 : 6;
	double hz = bench_tsc_hz();
	struct nic nic;

	rooms_start(&nic, 8191, "64");
	speak(smoke ? 1 : SENTENCES);
	for (enum cord_codec codec = CORD_CODEC_G722; codec <= CORD_CODEC_OPUS; codec++) {
		const char *name = codec == CORD_CODEC_OPUS ? "Opus" : "G.722";

		code(&talk, speech, codec);
		code(&hush, noise, codec);
		measure(&nic, name, codec, 0, rooms, 3, 3, 3, repeats, hz);
		measure(&nic, name, codec, 0, rooms, 3, 2, 3, repeats, hz);
		/* Who alone talks hears silence. */
		measure(&nic, name, codec, 0, rooms, 3, 1, 2, repeats, hz);
		for (uint32_t i = 0; !smoke && growth[i]; i++)
			if (codec == CORD_CODEC_G722 || growth[i] <= GROWTH_OPUS)
				measure(&nic, name, codec, 0, growth[i], 3, 3, 3, repeats, hz);
	}
	measure(&nic, "Opus", CORD_CODEC_OPUS, CORD_TERMS_OPUS_PASS, rooms, 3, 3, 3, repeats, hz);
	measure(&nic, "Opus", CORD_CODEC_OPUS, CORD_TERMS_OPUS_PASS, rooms, 3, 2, 1, repeats, hz);
	measure(&nic, "Opus", CORD_CODEC_OPUS, CORD_TERMS_OPUS_PASS, rooms, 3, 1, 0, repeats, hz);
	measure(&nic, "Opus", CORD_CODEC_OPUS, CORD_TERMS_OPUS_PASS, rooms, 2, 2, 0, repeats, hz);
	return 0;
}
