/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of Opus that go to others as they are, and who is left out of a mix because it is silent. */
#include "rig.h"

#include "distortion.h"
#include "inband_keys.h"
#include "mix.h"
#include "resample.h"
#include "speech.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define WIDE     320u /* samples of 20 ms at 16 kHz */
#define NARROW   160u
#define FRAMES   1000u /* of what each voice says, over and over */
#define HISTORY  64u
#define PASS     CORD_TERMS_OPUS_PASS
#define KEEP_MAX 1200u

static const uint32_t slots[] = {0, 1, 2, 3, 4, 5};
static const uint16_t all_of_two[] = {2, 1}, all_of_three[] = {6, 5, 3};

/* Two voices, a room in which nobody speaks, one with a fan, and the key 5 every 400 ms. */
enum { ANNA, BEN, NOBODY, FAN, KEYS, VOICES };
static int16_t narrow[VOICES][FRAMES * NARROW], wide[VOICES][FRAMES][WIDE];

/* A peer whose packets are made here, a frame of 20 ms each, and remembered. */
struct talker {
	uint32_t slot, voice, at;
	uint16_t sequence;
	uint32_t timestamp;
	struct codec_encoder *encoder;
	enum cord_codec codec;
	uint32_t sent;
	uint16_t bytes[HISTORY];
	uint8_t payload[HISTORY][CODEC_FRAME_BYTES_MAX];
};

static struct rig *r;
static struct talker talker[4];

static int speak(void **state)
{
	size_t samples;
	int16_t *speech = speech_say(8, &samples);
	size_t half = samples / 2;
	uint32_t seed = 1;

	for (uint32_t i = 0; i < FRAMES * NARROW; i++) {
		seed = seed * 1664525u + 1013904223u;
		narrow[ANNA][i] = speech[i % half];
		narrow[BEN][i] = speech[half + i % half];
		narrow[NOBODY][i] = (int16_t)((int)(seed >> 16) % 9 - 4);
		narrow[FAN][i] = (int16_t)((int)(seed >> 16) % 801 - 400);
	}
	free(speech);
	for (uint32_t f = 0; f < FRAMES; f++)
		if (f % 20 < 5)
			inband_keys_tone(
				'5', 8000, f % 20 * NARROW, narrow[KEYS] + f * NARROW, NARROW);
	for (uint32_t v = 0; v < VOICES; v++) {
		struct resample_up up = {0};

		for (uint32_t f = 0; f < FRAMES; f++)
			resample_up(&up, wide[v][f], narrow[v] + (size_t)f * NARROW, NARROW);
	}
	return 0;
}

static int setup(void **state)
{
	r = rig_create(1);
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	return 0;
}

static int teardown(void **state)
{
	for (uint32_t i = 0; i < 4; i++) {
		codec_encoder_destroy(talker[i].encoder);
		talker[i] = (struct talker){0};
	}
	rig_destroy(r);
	return 0;
}

static void begin_in(uint32_t slot, uint32_t voice, enum cord_codec codec, bool dtx)
{
	const struct codec_encoding how = {.codec = codec,
		.rate_khz = 16,
		.complexity = 5,
		.dtx = dtx,
		.bitrate = CODEC_OPUS_BITRATE};
	struct talker *t = &talker[slot];

	if (t->encoder == NULL)
		t->encoder = codec_encoder_create();
	codec_encoder_reset(t->encoder, &how);
	t->slot = slot;
	t->voice = voice;
	t->codec = codec;
}

static void begin(uint32_t slot, uint32_t voice)
{
	begin_in(slot, voice, CORD_CODEC_OPUS, false);
}

static void open_with(uint32_t slot, enum cord_codec codec, uint8_t flags)
{
	struct cord_terms terms = rig_terms(slot, codec);

	terms.flags = flags;
	if (flags & CORD_TERMS_INBAND_KEYS)
		terms.event_payload_type = terms.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE;
	assert_int_equal(rig_open_terms(r, 0, slot, &terms), 0);
}

/* `n` ports of Opus that allow it, in one room; the voices of the first. */
static void open_all(uint32_t n, const uint16_t *hears, uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t voice[] = {a, b, c};

	for (uint32_t i = 0; i < n; i++) {
		open_with(i, CORD_CODEC_OPUS, PASS);
		begin(i, voice[i]);
	}
	assert_int_equal(rig_set(r, 0, 0, n, slots, hears), 0);
}

/* Encodes the next 20 ms; they arrive when `arrives`, and else count as sent. */
static void say(struct talker *t, bool arrives)
{
	uint32_t k = t->sent++ % HISTORY;
	size_t n = codec_encode(t->encoder, t->payload[k], wide[t->voice][t->at++ % FRAMES], WIDE);

	t->bytes[k] = (uint16_t)n;
	if (n && arrives)
		rig_rtp(r, t->slot, rig_terms(0, t->codec).payload_type, t->sent == 1, t->sequence,
			t->timestamp, t->payload[k], (uint16_t)n);
	/* What DTX leaves out has no number. */
	t->sequence += n > 0;
	t->timestamp += 20 * cord_codec_clock_khz(t->codec);
}

/* All who have begun say the next 20 ms. */
static void talk(uint32_t periods)
{
	for (uint32_t i = 0; i < periods; i++) {
		for (uint32_t k = 0; k < 4; k++)
			if (talker[k].encoder)
				say(&talker[k], true);
		rig_run(r, 20);
	}
}

/* Whether the last packet that a listener was sent is one of the talker's last three. */
static bool is_sent(uint32_t listener, const struct talker *t)
{
	const struct rig_heard *h = &r->heard[listener];

	for (uint32_t back = 1; back <= 3 && back <= t->sent; back++) {
		uint32_t k = (t->sent - back) % HISTORY;

		if (h->payload_bytes == t->bytes[k] &&
			memcmp(h->payload, t->payload[k], t->bytes[k]) == 0)
			return true;
	}
	return false;
}

static bool stream_is_whole(uint32_t slot)
{
	return r->heard[slot].sequence_gaps == 0 && r->heard[slot].timestamp_gaps == 0 &&
	       r->heard[slot].markers == 1;
}

static bool speaks(uint32_t voice, uint32_t frame)
{
	return mix_level(narrow[voice] + (size_t)(frame % FRAMES) * NARROW, NARROW) >= MIX_QUIET;
}

/* The first frame from here on at which a voice has spoken for some time. */
static uint32_t next_talk(uint32_t voice, uint32_t frame)
{
	for (uint32_t run = 0; run < 10; frame++)
		run = speaks(voice, frame) ? run + 1 : 0;
	return frame;
}

static uint64_t since(enum cord_counter counter, uint64_t *before)
{
	uint64_t now = rig_counter(r, counter), n = now - *before;

	*before = now;
	return n;
}

/* ---- who is passed on ------------------------------------------------------------------------ */

static void two_parties_are_sent_each_others_packets(void **state)
{
	open_all(2, all_of_two, ANNA, BEN, 0);
	talk(100);
	assert_true(is_sent(0, &talker[1]) && is_sent(1, &talker[0]));
	assert_true(stream_is_whole(0) && stream_is_whole(1));
	assert_int_equal(r->heard[0].ssrc, 0x9000);
	assert_in_range(rig_counter(r, CORD_COUNTER_frames_passed), 196, 200);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
	/* Nobody needed their samples: all that was taken waits for the decoders. */
	for (uint32_t i = 0; i < 2; i++)
		assert_in_range(r->dp.port_cold[i].coder->missed.count, 98, 100);
}

static void payload_types_and_keys_are_the_listeners_own(void **state)
{
	struct cord_terms terms = rig_terms(1, CORD_CODEC_OPUS);

	terms.flags = PASS;
	terms.payload_type = 96;
	rig_secure(r, 0, CORD_SRTP_AEAD_AES_128_GCM, 1, 2);
	rig_secure(r, 1, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 3, 4);
	open_with(0, CORD_CODEC_OPUS, PASS);
	assert_int_equal(rig_open_terms(r, 0, 1, &terms), 0);
	begin(0, ANNA);
	begin(1, BEN);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, all_of_two), 0);
	talk(50);
	assert_true(is_sent(0, &talker[1]) && is_sent(1, &talker[0]));
	assert_int_equal(r->heard[0].unauthentic + r->heard[1].unauthentic, 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
}

/* Two of three talk, the third only makes the noise of its room: it alone needs a mix. */
static void of_three_only_who_hears_two_is_encoded_for(void **state)
{
	uint64_t coded = 0, passed = 0;

	open_all(3, all_of_three, ANNA, BEN, NOBODY);
	talker[1].at = next_talk(BEN, 0) + 1000 - next_talk(ANNA, 300) % 1000;
	talk(next_talk(ANNA, 300));
	since(CORD_COUNTER_frames_coded, &coded);
	since(CORD_COUNTER_frames_passed, &passed);
	talk(20);
	assert_true(is_sent(0, &talker[1]) && is_sent(1, &talker[0]));
	assert_false(is_sent(2, &talker[0]) || is_sent(2, &talker[1]));
	assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 20);
	assert_int_equal(since(CORD_COUNTER_frames_passed, &passed), 40);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(stream_is_whole(i));
}

/* When nobody talks, each listener goes on hearing the noise of whom it heard last. */
static void the_last_one_goes_on_when_all_are_quiet(void **state)
{
	open_all(3, all_of_three, ANNA, NOBODY, NOBODY);
	talk(300);
	assert_true(is_sent(1, &talker[0]) && is_sent(2, &talker[0]));
	talker[0].voice = NOBODY;
	talk(40);
	assert_true(is_sent(1, &talker[0]) && is_sent(2, &talker[0]));
	talker[2].voice = BEN;
	talker[2].at = next_talk(BEN, 0);
	talk(5);
	assert_true(is_sent(1, &talker[2]) && is_sent(0, &talker[2]));
	assert_true(stream_is_whole(1));
}

/* Of a fan its encoder says that it has no voice. It is loud: a part of the mix. */
static void noise_that_is_loud_is_heard(void **state)
{
	uint64_t coded = 0;

	open_all(3, all_of_three, ANNA, NOBODY, FAN);
	talk(next_talk(ANNA, 300));
	since(CORD_COUNTER_frames_coded, &coded);
	talk(10);
	/* Anna hears the fan, and what she says is mixed with it for who hears both. */
	assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 10);
	assert_true(is_sent(0, &talker[2]));
	talker[1].voice = FAN;
	talk(20);
	since(CORD_COUNTER_frames_coded, &coded);
	talker[0].at = next_talk(ANNA, 300);
	talk(10);
	assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 30);
}

/* G.722, and Opus where nothing may be passed: nothing is encoded of who is silent. */
static void the_silent_are_left_out_of_a_mix(void **state)
{
	static const enum cord_codec codecs[] = {CORD_CODEC_G722, CORD_CODEC_OPUS};

	for (uint32_t c = 0; c < 2; c++) {
		uint64_t coded = 0;

		for (uint32_t i = 0; i < 3; i++) {
			open_with(i, codecs[c], 0);
			begin_in(i, i ? NOBODY : ANNA, codecs[c], false);
		}
		assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
		talk(next_talk(ANNA, 50));
		since(CORD_COUNTER_frames_coded, &coded);
		talk(10);
		assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 20);
		talker[0].voice = NOBODY;
		talk(20);
		since(CORD_COUNTER_frames_coded, &coded);
		talk(10);
		assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 0);
		/* Talk is heard from its first frame on. */
		talker[2].voice = BEN;
		talker[2].at = next_talk(BEN, 50);
		talk(3);
		assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 6);
		assert_true(stream_is_whole(0) && stream_is_whole(1));
		teardown(state);
		setup(state);
	}
}

static uint64_t coded_in(uint32_t periods)
{
	uint64_t coded = rig_counter(r, CORD_COUNTER_frames_coded);

	talk(periods);
	return rig_counter(r, CORD_COUNTER_frames_coded) - coded;
}

/* Three are mixed for the fourth, who has long been silent: its own samples are no part of it. */
static void who_is_left_out_is_not_decoded(void **state)
{
	static const uint16_t all_of_four[] = {14, 13, 11, 7};
	uint32_t decoded = 0;

	for (uint32_t i = 0; i < 4; i++) {
		open_with(i, CORD_CODEC_OPUS, 0);
		begin(i, i < 3 ? FAN : NOBODY);
		talker[i].at = 100 * i;
	}
	assert_int_equal(rig_set(r, 0, 0, 4, slots, all_of_four), 0);
	talk(40);
	for (uint32_t i = 0; i < 30; i++) {
		uint32_t missed = r->dp.port_cold[3].coder->missed.count;

		talk(1);
		decoded += r->dp.port_cold[3].coder->missed.count <= missed;
	}
	assert_int_equal(coded_in(1), 4);
	assert_in_range(decoded, 1, 2);
}

/* Who stops, or goes on with comfort noise, is as silent as who says nothing. */
static void the_silent_need_send_nothing(void **state)
{
	const uint8_t softly = 80;

	for (uint32_t noise = 0; noise < 2; noise++) {
		for (uint32_t i = 0; i < 3; i++) {
			open_with(i, CORD_CODEC_G722, 0);
			begin_in(i, i ? NOBODY : ANNA, CORD_CODEC_G722, false);
		}
		assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
		talk(next_talk(ANNA, 50));
		talker[0].voice = NOBODY;
		talk(3);
		struct talker anna = talker[0];

		talker[0].encoder = NULL;
		if (noise)
			rig_rtp(r, 0, RIG_NOISE, false, anna.sequence++, anna.timestamp, &softly,
				1);
		talk(20);
		assert_int_equal(coded_in(20), 0);
		anna.timestamp += 40 * 160;
		talker[0] = anna;
		assert_int_equal(coded_in(20), 0);
		teardown(state);
		setup(state);
	}
}

/* Nobody listened to her: that she has talked until now is known from her packets. */
static void who_talks_unheard_is_not_quiet(void **state)
{
	static const uint16_t both[] = {6, 0, 0}, anna_alone[] = {2, 0, 0};

	open_all(3, both, NOBODY, NOBODY, NOBODY);
	talk(20);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, anna_alone), 0);
	talk(20);
	talker[1].voice = ANNA;
	talker[1].at = next_talk(ANNA, 300);
	talk(10);
	assert_true(is_sent(0, &talker[1]));
	talker[1].voice = NOBODY;
	talker[2].voice = BEN;
	talker[2].at = next_talk(BEN, 300);
	talk(2);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, both), 0);
	assert_int_equal(coded_in(5), 5);
	talk(10);
	assert_int_equal(coded_in(5), 0);
}

/* Keys in the sound are told, though nobody else needs the talker's samples, and not passed on. */
static void keys_in_the_sound_are_found(void **state)
{
	uint64_t passed = 0;

	open_with(0, CORD_CODEC_OPUS, PASS | CORD_TERMS_INBAND_KEYS);
	open_with(1, CORD_CODEC_OPUS, PASS);
	begin(0, KEYS);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, all_of_two), 0);
	talk(20);
	since(CORD_COUNTER_frames_passed, &passed);
	talk(200);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGIT), 11);
	assert_in_range(since(CORD_COUNTER_frames_passed, &passed), 130, 150);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
	assert_true(stream_is_whole(1));
}

struct refusal {
	uint8_t flags, ptime_ms, rate_khz, talker_flags, talker_ptime_ms;
	uint32_t bitrate;
};

static void what_is_not_agreed_is_encoded(void **state)
{
	static const struct refusal table[] = {
		{0, 20, 16, PASS, 20, 0},
		{PASS, 20, 16, 0, 20, 0},
		{PASS, 40, 16, PASS, 20, 0},
		{PASS, 10, 16, PASS, 20, 0},
		{PASS, 20, 8, PASS, 20, 0},
		{PASS, 20, 16, PASS, 20, 12000},
		{PASS, 20, 16, PASS, 10, 0},
		{PASS, 20, 16, PASS, 40, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct refusal *row = &table[i];
		struct cord_terms terms = rig_terms(1, CORD_CODEC_OPUS);
		uint64_t passed = 0;

		terms.flags = row->flags;
		terms.ptime_ms = row->ptime_ms;
		terms.opus_rate_khz = row->rate_khz;
		terms.opus_bitrate = row->bitrate;
		open_with(0, CORD_CODEC_OPUS, row->talker_flags);
		assert_int_equal(rig_open_terms(r, 0, 1, &terms), 0);
		r->peer[0].ptime_ms = row->talker_ptime_ms;
		rig_talk(r, 0, 500);
		assert_int_equal(rig_set(r, 0, 0, 2, slots, all_of_two), 0);
		/* A stream of more bits than were agreed on shows by and by. */
		rig_run(r, 600);
		since(CORD_COUNTER_frames_passed, &passed);
		rig_run(r, 600);
		assert_int_equal(since(CORD_COUNTER_frames_passed, &passed), 0);
		assert_true(rig_level(r, 1, 500, 200) > 5500);
		assert_int_equal(r->heard[1].payload_us, row->ptime_ms * 1000);
		assert_int_equal(r->heard[1].sequence_gaps, 0);
		teardown(state);
		setup(state);
	}
}

/* Gains, and a clip that is heard, need samples; behind them the packets are passed again. */
static void a_gain_and_a_clip_end_it_at_once(void **state)
{
	struct cord_message m = {.room_set = {.members = 2, .gains = 1}};
	struct cord_message list = {.port_playlist = {.generation = 1, .clips = 1, .clip = {7}}};
	uint64_t coded = 0, passed = 0;

	rig_clip(r, 7, CORD_CLIP_L16, 10, 1900);
	open_all(2, all_of_two, ANNA, BEN, 0);
	talk(50);
	m.room_set.room = rig_room(0);
	for (uint32_t i = 0; i < 2; i++)
		m.room_set.member[i] =
			(struct cord_room_member){.port = rig_port(r, i), .hears = all_of_two[i]};
	m.room_set.gain[0] = (struct cord_room_gain){.listener = 1, .talker = 0, .gain_db = -6};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	since(CORD_COUNTER_frames_coded, &coded);
	talk(10);
	assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 10);
	list.port_playlist.port = rig_port(r, 1);
	assert_int_equal(rig_ask(r, 0, &list, CORD_COMMAND_PORT_PLAYLIST), 0);
	m.room_set.gains = 0;
	m.room_set.member[1].hears = 3;
	m.room_set.member[1].player = CORD_PLAYER_START;
	m.room_set.member[1].player_generation = 1;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_forget(r);
	talk(8);
	assert_true(rig_level(r, 1, 1900, 100) > 5500);
	talk(260);
	since(CORD_COUNTER_frames_coded, &coded);
	since(CORD_COUNTER_frames_passed, &passed);
	talk(10);
	assert_int_equal(since(CORD_COUNTER_frames_coded, &coded), 0);
	assert_int_equal(since(CORD_COUNTER_frames_passed, &passed), 20);
	assert_true(stream_is_whole(0) && stream_is_whole(1));
}

/* ---- gaps ------------------------------------------------------------------------------------ */

static void what_the_talker_lost_has_no_packet(void **state)
{
	open_all(2, all_of_two, ANNA, BEN, 0);
	talk(50);
	for (uint32_t lost = 1; lost <= 3; lost++) {
		struct rig_heard *h = &r->heard[1];

		talk(3);
		uint32_t packets = h->packets, gaps = h->sequence_gaps;
		uint16_t sequence = h->sequence;
		uint32_t timestamp = h->timestamp;

		for (uint32_t i = 0; i < lost; i++) {
			say(&talker[0], false);
			rig_run(r, 20);
		}
		talk(3);
		assert_int_equal(h->packets, packets + 3);
		assert_int_equal(h->sequence_gaps, gaps + 1);
		assert_int_equal((uint16_t)(h->sequence - sequence), 3 + lost);
		assert_int_equal(h->timestamp - timestamp, (3 + lost) * 960);
		assert_int_equal(h->markers, 1);
		assert_true(is_sent(1, &talker[0]));
	}
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
}

static void what_comes_late_or_never_was_leaves_out_no_number(void **state)
{
	struct rig_heard *h = &r->heard[1];
	struct talker *anna = &talker[0];
	uint32_t timestamp;

	open_all(2, all_of_two, ANNA, BEN, 0);
	talk(50);
	timestamp = h->timestamp;
	/* 35 ms late, and all that follows in its time. */
	rig_run(r, 35);
	talk(30);
	assert_int_equal(h->sequence_gaps, 0);
	assert_int_equal(h->markers, 2);
	assert_true(is_sent(1, anna));
	assert_int_equal((h->timestamp - timestamp) % 960, 0);
	/* DTX: the stream goes on in its own time, and the next packet has the next number. */
	begin_in(0, NOBODY, CORD_CODEC_OPUS, true);
	anna->at = 0;
	talk(200);
	assert_int_equal(h->sequence_gaps, 0);
	anna->voice = ANNA;
	talk(30);
	assert_true(is_sent(1, anna));
	assert_int_equal(h->sequence_gaps, 0);
	assert_int_equal((h->timestamp - timestamp) % 960, 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
}

/* ---- samples when they are needed ------------------------------------------------------------ */

/* What a listener hears, against what was said, with the delay of that way. */
struct judge {
	struct distortion distortion;
	uint32_t delay; /* samples at 8 kHz */
	uint32_t slot, samples;
	bool wide;
	struct resample_down down;
	int16_t heard[KEEP_MAX * NARROW];
};

static struct judge *judge_of(uint32_t slot, const int16_t *said)
{
	struct judge *j = calloc(1, sizeof(*j));

	distortion_init(&j->distortion, said, (size_t)FRAMES * NARROW);
	j->slot = slot;
	j->wide = cord_codec_wide(r->codec[slot]);
	return j;
}

static void judge_free(struct judge *j)
{
	distortion_free(&j->distortion);
	free(j);
}

/* Keeps what was heard since the last call. */
static void judge_listen(struct judge *j)
{
	struct rig_heard *h = &r->heard[j->slot];
	uint32_t n = j->wide ? h->samples / 2 : h->samples;

	assert_true(j->samples + n <= KEEP_MAX * NARROW);
	if (j->wide)
		resample_down(&j->down, j->heard + j->samples, h->pcm, n);
	else
		memcpy(j->heard + j->samples, h->pcm, n * sizeof(int16_t));
	j->samples += n;
	h->samples = 0;
}

/* Adds the windows that the speech of frames from..to-1 is due in. */
static void judge_add(struct judge *j, uint32_t from, uint32_t to)
{
	for (uint32_t step = 2 * from; step < 2 * to; step++) {
		uint32_t at = step * DISTORTION_STEP + j->delay;

		if (at + DISTORTION_WINDOW <= j->samples)
			distortion_add(&j->distortion, j->heard + at, step);
	}
}

static double judge_frames(struct judge *j, uint32_t from, uint32_t to)
{
	judge_add(j, from, to);
	return distortion_take(&j->distortion);
}

/* Finds the delay at which what was heard in these frames fits best. */
static double judge_align(struct judge *j, uint32_t from, uint32_t to)
{
	uint32_t best = 0;
	double least = 1e9;

	for (j->delay = 0; j->delay < 8 * NARROW; j->delay += 4) {
		double d = judge_frames(j, from, to);

		if (d < least) {
			least = d;
			best = j->delay;
		}
	}
	j->delay = best;
	return least;
}

/* A listener of G.711 joins after the decoder has rested for long: its first frames are good. */
static void a_decoder_that_rested_is_brought_up_to_date(void **state)
{
	open_all(2, all_of_two, ANNA, BEN, 0);
	open_with(3, CORD_CODEC_PCMU, 0);
	const uint16_t mask[] = {2, 1, 1};
	const uint32_t who[] = {0, 1, 3};
	struct judge *j = judge_of(3, narrow[ANNA]);
	uint32_t at = next_talk(ANNA, 60);

	talk(at);
	assert_int_equal(rig_set(r, 0, 0, 3, who, mask), 0);
	rig_forget(r);
	for (uint32_t i = 0; i < 100; i++) {
		talk(1);
		judge_listen(j);
	}
	memmove(j->heard + (size_t)at * NARROW, j->heard, j->samples * sizeof(int16_t));
	j->samples += at * NARROW;
	double steady = judge_align(j, at + 20, at + 90);
	double first = judge_frames(j, at, at + 5);

	assert_true(first < steady + 0.02);
	assert_true(is_sent(1, &talker[0]));
	judge_free(j);
}

/* ---- the switch ------------------------------------------------------------------------------ */

#define EVERY 100u /* frames between two times that Ben talks */
#define FROM  50u
#define LAST  80u
#define AFTER 5u /* frames after a switch: 100 ms */

static bool ben_talks(uint32_t frame)
{
	return frame % EVERY >= FROM && frame % EVERY < LAST;
}

struct heard {
	struct judge *judge;
	bool passed[FRAMES];
};

/* Anna talks all the time, Ben now and then: what each of some listeners hears of it. */
static void listen_to_both(
	struct heard *h, uint32_t listeners, const uint8_t *flags, const int16_t *said)
{
	const uint32_t anna = listeners, ben = listeners + 1;
	uint16_t mask[4] = {0};
	uint64_t passed = 0;

	for (uint32_t i = 0; i < listeners; i++) {
		mask[i] = (uint16_t)(1u << anna | 1u << ben);
		open_with(i, CORD_CODEC_OPUS, flags[i]);
		h[i].judge = judge_of(i, said);
	}
	open_with(anna, CORD_CODEC_OPUS, PASS);
	open_with(ben, CORD_CODEC_OPUS, PASS);
	begin(anna, ANNA);
	begin(ben, NOBODY);
	assert_int_equal(rig_set(r, 0, 0, listeners + 2, slots, mask), 0);
	for (uint32_t f = 0; f < FRAMES; f++) {
		talker[ben].voice = ben_talks(f) ? BEN : NOBODY;
		talk(1);
		bool now = since(CORD_COUNTER_frames_passed, &passed);

		for (uint32_t i = 0; i < listeners; i++) {
			h[i].passed[f] = now && flags[i];
			judge_listen(h[i].judge);
		}
	}
	for (uint32_t i = 0; i < listeners; i++)
		assert_true(stream_is_whole(i));
}

static const int16_t *both_said(void)
{
	static int16_t said[FRAMES * NARROW];

	for (uint32_t i = 0; i < FRAMES * NARROW; i++)
		said[i] = (int16_t)(narrow[ANNA][i] + (ben_talks(i / NARROW) ? narrow[BEN][i] : 0));
	return said;
}

/* The delay of our own coding, and of a talker's packets. */
struct ways {
	uint32_t delay[2];
};

static struct ways ways_of(struct heard *own, struct heard *pass)
{
	struct ways ways;

	assert_true(judge_align(own->judge, 100, 900) < 0.01);
	ways.delay[0] = own->judge->delay;
	judge_align(pass->judge, 130, 140);
	ways.delay[1] = pass->judge->delay;
	return ways;
}

/* What a listener heard of it whenever somebody was switched to one of the ways. */
static double at_switches(
	const struct heard *h, const struct ways *ways, const bool *switched, bool to_pass)
{
	uint32_t switches = 0;

	for (uint32_t f = 100; f < 990; f++) {
		if (switched[f] == switched[f - 1] || switched[f] != to_pass)
			continue;
		switches++;
		for (uint32_t k = f - 1; k < f + AFTER; k++) {
			h->judge->delay = ways->delay[h->passed[k]];
			judge_add(h->judge, k, k + 1);
		}
	}
	assert_in_range(switches, 8, 12);
	return distortion_take(&h->judge->distortion);
}

static void a_switch_is_hardly_heard(void **state)
{
	static const uint8_t none = 0, allowed = PASS;
	struct heard own = {0}, pass = {0};

	listen_to_both(&own, 1, &none, both_said());
	teardown(state);
	setup(state);
	listen_to_both(&pass, 1, &allowed, both_said());
	struct ways ways = ways_of(&own, &pass);

	for (uint32_t to_pass = 0; to_pass < 2; to_pass++) {
		double with = at_switches(&pass, &ways, pass.passed, to_pass);
		double without = at_switches(&own, &ways, pass.passed, to_pass);

		assert_true(with < without + 0.01);
	}
	judge_free(own.judge);
	judge_free(pass.judge);
}

/* One of two who share our own coding is switched, whichever of them it is encoded for. */
static void a_switch_is_hardly_heard_by_who_shared(void **state)
{
	static const uint8_t none[2] = {0};

	for (uint32_t one = 0; one < 2; one++) {
		const uint8_t allowed[2] = {one ? 0 : PASS, one ? PASS : 0};
		struct heard own[2] = {0}, pass[2] = {0};

		listen_to_both(own, 2, none, both_said());
		teardown(state);
		setup(state);
		listen_to_both(pass, 2, allowed, both_said());
		struct ways ways = ways_of(&own[one], &pass[one]);

		for (uint32_t i = 0; i < 2; i++) {
			for (uint32_t to_pass = 0; to_pass < 2; to_pass++) {
				const bool *switched = pass[one].passed;
				double with = at_switches(&pass[i], &ways, switched, to_pass);
				double without = at_switches(&own[i], &ways, switched, to_pass);

				assert_true(with < without + (i == one ? 0.01 : 0.0025));
			}
			judge_free(own[i].judge);
			judge_free(pass[i].judge);
		}
		teardown(state);
		setup(state);
	}
}

/* Where time is short, so is that for what an encoder is to know of the packets before. */
static void a_switch_is_encoded_in_the_time_there_is(void **state)
{
	static const uint16_t mask[] = {6, 0, 0};
	const struct codec_encoding simple = {
		.codec = CORD_CODEC_OPUS, .rate_khz = 16, .bitrate = CODEC_OPUS_BITRATE};
	struct cord_terms terms = rig_terms(0, CORD_CODEC_OPUS);
	struct worker *w = r->dp.worker[0];
	struct codec_encoder *alike = codec_encoder_create();
	uint64_t coded = 0;
	uint8_t payload[CODEC_FRAME_BYTES_MAX];

	terms.flags = PASS;
	terms.opus_complexity = 10;
	assert_int_equal(rig_open_terms(r, 0, 0, &terms), 0);
	open_with(1, CORD_CODEC_OPUS, PASS);
	open_with(2, CORD_CODEC_OPUS, PASS);
	begin(1, ANNA);
	begin(2, NOBODY);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, mask), 0);
	talk(next_talk(ANNA, 300));
	since(CORD_COUNTER_frames_coded, &coded);
	w->pace.complexity = 0;
	talker[2].voice = BEN;
	talker[2].at = next_talk(BEN, 100);
	while (since(CORD_COUNTER_frames_coded, &coded) == 0)
		talk(1);
	const int16_t *before = coder_said(r->dp.port_cold[1].coder, w->scratch.period - 1);

	assert_non_null(before);
	codec_encoder_reset(alike, &simple);
	codec_encoder_join(alike, before, CODER_SAMPLES);
	size_t bytes = codec_encode(alike, payload, w->scratch.mixed, CODER_SAMPLES);

	assert_int_equal(r->heard[0].payload_bytes, bytes);
	assert_memory_equal(r->heard[0].payload, payload, bytes);
	codec_encoder_destroy(alike);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(two_parties_are_sent_each_others_packets),
		TEST(payload_types_and_keys_are_the_listeners_own),
		TEST(of_three_only_who_hears_two_is_encoded_for),
		TEST(the_last_one_goes_on_when_all_are_quiet),
		TEST(noise_that_is_loud_is_heard),
		TEST(the_silent_are_left_out_of_a_mix),
		TEST(who_is_left_out_is_not_decoded),
		TEST(the_silent_need_send_nothing),
		TEST(who_talks_unheard_is_not_quiet),
		TEST(keys_in_the_sound_are_found),
		TEST(what_is_not_agreed_is_encoded),
		TEST(a_gain_and_a_clip_end_it_at_once),
		TEST(what_the_talker_lost_has_no_packet),
		TEST(what_comes_late_or_never_was_leaves_out_no_number),
		TEST(a_decoder_that_rested_is_brought_up_to_date),
		TEST(a_switch_is_hardly_heard),
		TEST(a_switch_is_hardly_heard_by_who_shared),
		TEST(a_switch_is_encoded_in_the_time_there_is),
	};

	return cmocka_run_group_tests(tests, speak, NULL);
}
