/* SPDX-License-Identifier: Apache-2.0 */
/* G.722 and Opus in rooms, beside G.711: judged on what the peers are sent, and what it cost. */
#include "rig.h"

#include "fake_control.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define A_HZ    500.0
#define B_HZ    1100.0
#define C_HZ    1900.0
#define HIGH_HZ 6000.0 /* beyond what a room of 8 kHz can carry */
#define MUSIC   42u
/* A rate of the TSC at which no tick takes long. */
#define PLENTY_HZ 1000000000000u

static const double tone[] = {A_HZ, B_HZ, C_HZ};
static const uint32_t slots[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint16_t all_of_three[] = {6, 5, 3};
static const enum cord_codec every[] = {
	CORD_CODEC_PCMU, CORD_CODEC_PCMA, CORD_CODEC_G722, CORD_CODEC_OPUS};

static bool hears(const struct rig *r, uint32_t listener, double hz)
{
	double level = rig_level(r, listener, hz, 200);

	return level > 5500 && level < 11000;
}

static bool deaf_to(const struct rig *r, uint32_t listener, double hz)
{
	return rig_level(r, listener, hz, 200) < 400;
}

static bool stream_is_whole(const struct rig *r, uint32_t slot)
{
	return r->heard[slot].sequence_gaps == 0 && r->heard[slot].timestamp_gaps == 0 &&
	       r->heard[slot].markers == 1;
}

/* Every pair of codecs in one conference with a third. */
static void every_codec_hears_every_other(void **state)
{
	for (uint32_t way = 0; way < 64; way++) {
		struct rig *r = rig_create_three(
			1, tone, every[way & 3], every[way >> 2 & 3], every[way >> 4]);

		assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
		rig_run(r, 600);
		for (uint32_t l = 0; l < 3; l++) {
			for (uint32_t t = 0; t < 3; t++)
				assert_true(l == t ? deaf_to(r, l, tone[t]) : hears(r, l, tone[t]));
			assert_true(stream_is_whole(r, l));
		}
		rig_destroy(r);
	}
}

static void two_wideband_members_make_a_room_wide(void **state)
{
	static const enum cord_codec wide[] = {CORD_CODEC_G722, CORD_CODEC_OPUS};

	for (uint32_t way = 0; way < 4; way++) {
		struct rig *r =
			rig_create_three(1, tone, wide[way & 1], CORD_CODEC_PCMU, wide[way >> 1]);
		const uint16_t two[] = {2, 1};

		rig_talk(r, 0, HIGH_HZ);
		assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
		rig_run(r, 600);
		assert_true(hears(r, 2, HIGH_HZ));
		/* G.711 cannot have it, and has no alias of it either. */
		assert_true(deaf_to(r, 1, 8000 - HIGH_HZ));
		assert_true(hears(r, 1, C_HZ) && hears(r, 0, C_HZ) && hears(r, 2, B_HZ));
		/* The image of what G.711 said is not heard. */
		assert_true(deaf_to(r, 2, 8000 - B_HZ));
		assert_int_equal(rig_set(r, 0, 0, 2, slots, two), 0);
		rig_talk(r, 0, A_HZ);
		rig_run(r, 600);
		assert_true(hears(r, 1, A_HZ) && hears(r, 0, B_HZ));
		assert_true(stream_is_whole(r, 0) && stream_is_whole(r, 1));
		rig_destroy(r);
	}
}

static void every_packet_time_is_received_and_sent(void **state)
{
	static const uint8_t ms[] = {10, 20, 30, 40, 60};

	for (uint32_t c = 0; c < 4; c++) {
		for (uint32_t k = 0; k < 5; k++) {
			struct rig *r = rig_create(1);
			struct cord_terms terms = rig_terms(0, every[c]);
			const uint16_t both[] = {2, 1};

			terms.ptime_ms = ms[k];
			assert_int_equal(rig_open_room(r, 0, 0), 0);
			assert_int_equal(rig_open_terms(r, 0, 0, &terms), 0);
			assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMU), 0);
			r->peer[0].ptime_ms = ms[k];
			rig_talk(r, 0, A_HZ);
			rig_talk(r, 1, B_HZ);
			assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
			rig_run(r, 900);
			assert_true(hears(r, 0, B_HZ) && hears(r, 1, A_HZ));
			assert_int_equal(r->heard[0].payload_us, ms[k] * 1000);
			assert_true(stream_is_whole(r, 0));
			assert_int_equal(rig_counter(r, CORD_COUNTER_frames_concealed), 0);
			rig_destroy(r);
		}
	}
}

/* Supervisors with the same mask share an encode; who hears something else has one of his own. */
static void one_mix_is_encoded_once(void **state)
{
	for (uint32_t c = 2; c < 4; c++) {
		struct rig *r = rig_create(1);
		uint16_t mask[10] = {2, 1, 3, 3, 3, 3, 3, 3, 3, 3};

		assert_int_equal(rig_open_room(r, 0, 0), 0);
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(rig_open(r, 0, i, i < 2 ? CORD_CODEC_PCMU : every[c]), 0);
		rig_talk(r, 0, A_HZ);
		rig_talk(r, 1, B_HZ);
		assert_int_equal(rig_set(r, 0, 0, 10, slots, mask), 0);
		rig_run(r, 400);
		uint64_t coded = rig_counter(r, CORD_COUNTER_frames_coded);
		uint64_t shared = rig_counter(r, CORD_COUNTER_frames_shared);

		rig_run(r, 400);
		assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded) - coded, 20);
		assert_int_equal(rig_counter(r, CORD_COUNTER_frames_shared) - shared, 20 * 7);
		for (uint32_t i = 2; i < 10; i++)
			assert_true(hears(r, i, A_HZ) && hears(r, i, B_HZ));
		rig_destroy(r);
	}
}

/* An encode is of one bit rate: who agreed on another is not sent it. */
static void other_terms_are_encoded_apart(void **state)
{
	struct rig *r = rig_create(1);
	const uint16_t mask[] = {0, 1, 1, 1};
	struct cord_terms terms = rig_terms(3, CORD_CODEC_OPUS);

	terms.opus_bitrate = 12000;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_OPUS), 0);
	assert_int_equal(rig_open(r, 0, 2, CORD_CODEC_OPUS), 0);
	assert_int_equal(rig_open_terms(r, 0, 3, &terms), 0);
	rig_talk(r, 0, A_HZ);
	assert_int_equal(rig_set(r, 0, 0, 4, slots, mask), 0);
	rig_run(r, 200);
	uint64_t coded = rig_counter(r, CORD_COUNTER_frames_coded);

	rig_run(r, 400);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded) - coded, 2 * 20);
	assert_true(r->heard[3].payload_bytes < r->heard[2].payload_bytes);
	rig_destroy(r);
}

/* A re-INVITE that asks for fewer bits gets them while the talker goes on talking. */
static void a_bitrate_changes_in_the_call(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_OPUS, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	struct cord_message set = {
		.port_set = {.port = rig_port(r, 0), .terms = rig_terms(0, CORD_CODEC_OPUS)}};

	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	rig_run(r, 600);
	uint32_t before = r->heard[0].payload_bytes;

	set.port_set.terms.opus_bitrate = CODEC_OPUS_BITRATE * 2 / 3;
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
	rig_run(r, 600);
	assert_true(r->heard[0].payload_bytes < before * 3 / 4);
	assert_true(hears(r, 0, B_HZ) && hears(r, 0, C_HZ));
	assert_true(stream_is_whole(r, 0));
	rig_destroy(r);
}

/* Joining, leaving and a talker's pauses: everybody hears on, in one stream each. */
static void listeners_come_and_go(void **state)
{
	struct rig *r = rig_create(1);
	const uint16_t some[] = {0, 1, 1}, fewer[] = {0, 1};

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_OPUS), 0);
	assert_int_equal(rig_open(r, 0, 2, CORD_CODEC_OPUS), 0);
	rig_talk(r, 0, A_HZ);
	for (uint32_t turn = 0; turn < 4; turn++) {
		assert_int_equal(
			rig_set(r, 0, 0, 2 + (turn & 1), slots, turn & 1 ? some : fewer), 0);
		rig_run(r, 400);
		assert_true(hears(r, 1, A_HZ));
		assert_true(!(turn & 1) || hears(r, 2, A_HZ));
		rig_hush(r, 0);
		rig_run(r, 400);
		assert_true(deaf_to(r, 1, A_HZ));
		rig_talk(r, 0, A_HZ);
	}
	assert_true(stream_is_whole(r, 1));
	rig_destroy(r);
}

static void play(struct rig *r, uint32_t slot, cord_clip_id clip)
{
	struct cord_message m = {.port_playlist = {.port = rig_port(r, slot),
					 .generation = 1,
					 .clips = 1,
					 .loop = 1,
					 .clip = {clip}}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), 0);
}

static void all_on_hold(struct rig *r, enum cord_codec codec, uint32_t n, uint8_t ptime_ms)
{
	struct cord_message m = {.room_set = {.room = rig_room(0), .members = (uint8_t)n}};

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct cord_terms terms = rig_terms(i, codec);

		terms.ptime_ms = ptime_ms;
		assert_int_equal(rig_open_terms(r, 0, i, &terms), 0);
		play(r, i, MUSIC);
		m.room_set.member[i] = (struct cord_room_member){.port = rig_port(r, i),
			.hears = (uint16_t)(1u << i),
			.player = CORD_PLAYER_START,
			.player_generation = 1};
	}
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
}

static void music_is_sent_as_it_is_stored(void **state)
{
	static const uint8_t ms[] = {20, 40, 60};

	for (uint32_t c = 2; c < 4; c++) {
		for (uint32_t k = 0; k < 3; k++) {
			struct rig *r = rig_create(1);

			rig_clip(r, MUSIC, CORD_CLIP_L16, 50, A_HZ);
			rig_clip(r, MUSIC, every[c], 50, A_HZ);
			all_on_hold(r, every[c], 4, ms[k]);
			rig_run(r, 2200);
			assert_int_equal(rig_counter(r, CORD_COUNTER_frames_coded), 0);
			for (uint32_t i = 0; i < 4; i++) {
				assert_true(hears(r, i, A_HZ));
				assert_int_equal(r->heard[i].payload_us, ms[k] * 1000);
				assert_true(stream_is_whole(r, i));
			}
			rig_destroy(r);
		}
	}
}

/* Where the coding is not there (yet), or its frames do not fit, samples are encoded. */
static void music_is_encoded_where_it_has_to_be(void **state)
{
	struct rig *r = rig_create(1);

	rig_clip(r, MUSIC, CORD_CLIP_L16, 50, A_HZ);
	rig_clip(r, MUSIC, CORD_CLIP_L16_WIDE, 50, HIGH_HZ);
	all_on_hold(r, CORD_CODEC_OPUS, 2, 20);
	rig_run(r, 600);
	/* Two wideband members: the clip's samples at 16 kHz. */
	assert_true(hears(r, 0, HIGH_HZ) && deaf_to(r, 0, A_HZ));
	assert_true(rig_counter(r, CORD_COUNTER_frames_coded) > 50);
	rig_destroy(r);

	r = rig_create(1);
	rig_clip(r, MUSIC, CORD_CLIP_L16_WIDE, 50, A_HZ);
	rig_clip(r, MUSIC, CORD_CLIP_OPUS, 50, C_HZ);
	all_on_hold(r, CORD_CODEC_OPUS, 1, 30);
	rig_run(r, 600);
	/* One in a room of 8 kHz, with frames of 10 ms. */
	assert_true(hears(r, 0, A_HZ) && deaf_to(r, 0, C_HZ));
	rig_destroy(r);
}

/* Frames of Opus that do not fit packets of 20, 40 and 60 ms, or any packet, are no clip. */
static void a_clip_of_other_opus_is_refused(void **state)
{
	static const uint8_t tocs[] = {
		8 << 3,     /* SILK of 10 ms */
		10 << 3,    /* 40 ms */
		9 << 3 | 4, /* stereo */
		9 << 3 | 1, /* two frames */
		22 << 3,    /* CELT of 10 ms */
		12 << 3,    /* hybrid of 10 ms */
	};
	struct cord_clip_header header;
	const char *wrong;
	uint64_t bytes;
	int fd = fake_control_clip(MUSIC, CORD_CLIP_OPUS, 5, NULL, NULL, &bytes);
	uint8_t *clip = malloc(bytes);
	uint32_t *end = (uint32_t *)(void *)(clip + sizeof(header));

	assert_int_equal(pread(fd, clip, bytes, 0), bytes);
	close(fd);
	assert_int_equal(cord_clip_check(clip, bytes, &header, &wrong), 0);
	uint8_t *third = clip + cord_clip_payload_offset(5) + end[1];
	uint8_t toc = *third;

	for (size_t i = 0; i < sizeof(tocs); i++) {
		*third = tocs[i];
		assert_int_equal(cord_clip_check(clip, bytes, &header, &wrong), -EINVAL);
	}
	*third = toc;
	assert_int_equal(cord_clip_check(clip, bytes - 1, &header, &wrong), -EINVAL);
	end[2] = end[1];
	assert_int_equal(cord_clip_check(clip, bytes, &header, &wrong), -EINVAL);
	end[2] = end[1] + CORD_CLIP_OPUS_FRAME_MAX + 1;
	assert_int_equal(cord_clip_check(clip, bytes, &header, &wrong), -EINVAL);
	free(clip);
}

static void a_port_without_a_coder_is_refused(void **state)
{
	struct rig *r = rig_create(1);
	struct cord_message close = {0};
	struct cord_message set = {0};

	for (uint32_t i = 0; i < RIG_CODERS; i++)
		assert_int_equal(rig_open(r, 0, i, i & 1 ? CORD_CODEC_OPUS : CORD_CODEC_G722), 0);
	assert_int_equal(rig_open(r, 0, 20, CORD_CODEC_OPUS), CORD_REFUSAL_NO_MEMORY);
	assert_int_equal(rig_open(r, 0, 20, CORD_CODEC_PCMU), 0);
	set.port_set = (struct cord_port_set){
		.port = rig_port(r, 20), .terms = rig_terms(20, CORD_CODEC_G722)};
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), CORD_REFUSAL_NO_MEMORY);
	/* What closes, or changes to G.711, leaves its coder to others. */
	close.port_close.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &close, CORD_COMMAND_PORT_CLOSE), 0);
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
	set.port_set = (struct cord_port_set){
		.port = rig_port(r, 1), .terms = rig_terms(1, CORD_CODEC_PCMA)};
	assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(rig_open(r, 0, 21, CORD_CODEC_OPUS), 0);
	rig_destroy(r);
}

/* A re-INVITE to each other codec: a new RTP clock is a new stream, the same clock is not. */
static void a_codec_changes_in_the_call(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_OPUS);
	uint32_t ssrc = 0;

	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	for (uint32_t turn = 0; turn < 8; turn++) {
		enum cord_codec codec = every[turn & 3];
		bool clock = cord_codec_clock_khz(codec) != cord_codec_clock_khz(r->codec[0]);
		struct cord_message set = {
			.port_set = {.port = rig_port(r, 0), .terms = rig_terms(0, codec)}};

		assert_int_equal(rig_ask(r, 0, &set, CORD_COMMAND_PORT_SET), 0);
		rig_code(r, 0, codec);
		if (clock) {
			r->heard[0].packets = r->heard[0].events = 0;
			r->peer[0].timestamp += 100000;
		}
		rig_forget(r);
		rig_run(r, 600);
		assert_true(clock == (r->heard[0].ssrc != ssrc) || turn == 0);
		ssrc = r->heard[0].ssrc;
		assert_true(hears(r, 0, B_HZ) && hears(r, 0, C_HZ));
		assert_true(hears(r, 1, A_HZ) && hears(r, 2, A_HZ));
		assert_int_equal(r->heard[0].sequence_gaps, 0);
	}
	rig_destroy(r);
}

/* Opus of 120 ms is refused, broken frames are concealed, and what follows is heard. */
static void bad_opus_is_counted_and_concealed(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_OPUS, CORD_CODEC_PCMU, CORD_CODEC_OPUS);
	uint8_t packet[200] = {0};

	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	rig_run(r, 400);
	/* SILK wideband, 60 ms, two frames. */
	packet[0] = 11 << 3 | 1;
	uint64_t size = rig_counter(r, CORD_COUNTER_drop_payload_size);

	rig_rtp(r, 0, 111, false, r->peer[0].sequence, r->peer[0].timestamp, packet, 101);
	/* Second length beyond the end. */
	rig_rtp(r, 0, 111, false, r->peer[0].sequence, r->peer[0].timestamp,
		(const uint8_t *)"\x4a\xfb\1\2", 4);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_payload_size) - size, 2);
	/* Well-formed noise in place of a second of frames. */
	rig_hush(r, 0);
	srand(3);
	for (uint32_t k = 0; k < 50; k++) {
		for (uint32_t i = 1; i < 60; i++)
			packet[i] = (uint8_t)rand();
		packet[0] = (uint8_t)(9 << 3);
		rig_rtp(r, 0, 111, false, r->peer[0].sequence++, r->peer[0].timestamp, packet, 60);
		r->peer[0].timestamp += 960;
		rig_run(r, 20);
	}
	rig_talk(r, 0, A_HZ);
	rig_run(r, 800);
	assert_true(hears(r, 1, A_HZ) && hears(r, 2, A_HZ) && hears(r, 2, B_HZ));
	rig_destroy(r);
}

/* RFC 3389: what the talker's silence sounds like is played until talk resumes. */
static void comfort_noise_is_played(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_G722);
	const uint16_t mask[] = {0, 1, 1};
	const uint8_t level = 40;

	assert_int_equal(rig_set(r, 0, 0, 3, slots, mask), 0);
	rig_run(r, 400);
	rig_hush(r, 0);
	rig_rtp(r, 0, RIG_NOISE, false, r->peer[0].sequence++, r->peer[0].timestamp, &level, 1);
	rig_run(r, 400);
	rig_forget(r);
	rig_run(r, 1000);
	for (uint32_t l = 1; l < 3; l++) {
		double power = 0;

		for (uint32_t i = 0; i < r->heard[l].samples; i++)
			power += (double)r->heard[l].pcm[i] * r->heard[l].pcm[i];
		double db = 10 * log10(power / r->heard[l].samples / 32768 / 32768);

		/* At 16 kHz half of the band is empty, and the samples have the same power. */
		assert_true(db > -43 && db < -37);
		assert_true(deaf_to(r, l, A_HZ));
	}
	r->peer[0].timestamp += 70 * 160;
	rig_talk(r, 0, A_HZ);
	rig_run(r, 400);
	assert_true(hears(r, 1, A_HZ) && hears(r, 2, A_HZ));
	rig_destroy(r);
}

/* A peer that allows pauses is told of silence at times, and gets the timestamps of media time. */
static void silence_is_not_sent_where_it_need_not_be(void **state)
{
	for (uint32_t c = 0; c < 4; c++) {
		struct rig *r = rig_create(1);
		struct cord_terms terms = rig_terms(0, every[c]);
		const uint16_t mask[] = {2, 0};

		terms.flags = CORD_TERMS_MAY_PAUSE;
		if (every[c] != CORD_CODEC_OPUS)
			terms.noise_payload_type = RIG_NOISE;
		assert_int_equal(rig_open_room(r, 0, 0), 0);
		assert_int_equal(rig_open_terms(r, 0, 0, &terms), 0);
		assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMU), 0);
		assert_int_equal(rig_set(r, 0, 0, 2, slots, mask), 0);
		rig_run(r, 1000);
		uint32_t quiet =
			every[c] == CORD_CODEC_OPUS ? r->heard[0].packets : r->heard[0].noises;

		assert_int_equal(r->heard[0].packets + r->heard[0].noises, quiet);
		assert_in_range(quiet, 5, 6);
		uint32_t begun = r->heard[0].next_timestamp, markers = r->heard[0].markers;

		rig_talk(r, 1, A_HZ);
		rig_run(r, 600);
		assert_true(hears(r, 0, A_HZ));
		assert_int_equal(r->heard[0].markers, markers + 1);
		assert_int_equal(r->heard[0].sequence_gaps, 0);
		if (every[c] == CORD_CODEC_OPUS)
			assert_int_equal((r->heard[0].next_timestamp - begun) % 960, 0);
		rig_destroy(r);
	}
}

static void keys_take_the_place_of_sound(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_OPUS, CORD_CODEC_PCMU, CORD_CODEC_G722);
	struct cord_message m = {.port_digits = {.port = 0,
					 .duration_ms = 100,
					 .gap_ms = 100,
					 .pause_ms = 100,
					 .digits = 3,
					 .digit = "12#"}};

	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	rig_run(r, 400);
	m.port_digits.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 1000);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	assert_in_range(r->heard[0].events, 15, 24);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_true(hears(r, 0, B_HZ) && hears(r, 0, C_HZ));
	rig_destroy(r);
}

/* Where it is lost, Opus makes it up itself, and G.722 from what was heard. */
static void losses_are_concealed(void **state)
{
	for (uint32_t c = 2; c < 4; c++) {
		struct rig *r =
			rig_create_three(1, tone, every[c], CORD_CODEC_PCMU, CORD_CODEC_OPUS);

		assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
		rig_run(r, 400);
		for (uint32_t k = 0; k < 20; k++) {
			r->peer[0].sequence++;
			r->peer[0].timestamp += 20 * cord_codec_clock_khz(every[c]);
			r->peer[0].next_ns += 20000000;
			rig_run(r, 100);
		}
		assert_in_range(rig_counter(r, CORD_COUNTER_frames_concealed), 15, 30);
		double level = rig_level(r, 1, A_HZ, 1000);

		assert_true(level > 5500);
		rig_destroy(r);
	}
}

/*
 * The peer says 20 ms in 400 packets, of which it loses some. What goes on and on is no talk to the
 * encoder, which has FEC for that alone: every other fifth of a second is silent.
 */
static uint32_t say_with_loss(struct rig *r, bool fec)
{
	const struct codec_encoding how = {.codec = CORD_CODEC_OPUS,
		.rate_khz = 16,
		.bitrate = 32000,
		.complexity = 5,
		.loss = 20,
		.fec = fec};
	uint32_t lost = 0;

	codec_encoder_reset(r->peer[0].encoder, &how);
	for (uint32_t k = 0; k < 400; k++) {
		int16_t pcm[320];
		uint8_t frame[CODEC_FRAME_BYTES_MAX];

		for (uint32_t i = 0; i < 320; i++)
			pcm[i] = (int16_t)(k % 20 < 10 ? 8000 * sin(2 * M_PI * A_HZ * i / 16000)
						       : 0);
		size_t n = codec_encode(r->peer[0].encoder, frame, pcm, 320);

		if (k % 20 == 5)
			lost++;
		else
			rig_rtp(r, 0, 111, k == 0, (uint16_t)k, 960 * k, frame, (uint16_t)n);
		rig_run(r, 20);
	}
	rig_run(r, 400);
	return lost;
}

/* What the packet behind a lost one holds was not lost to who hears it. */
static void what_fec_brings_back_is_not_missing(void **state)
{
	const uint16_t both[] = {2, 1};

	for (uint32_t fec = 0; fec < 2; fec++) {
		struct rig *r = rig_create(1);
		struct cord_terms terms = rig_terms(0, CORD_CODEC_OPUS);
		struct cord_port_status s;
		struct rtcp_summary told;

		terms.flags = CORD_TERMS_OPUS_FEC;
		assert_int_equal(rig_open_room(r, 0, 0), 0);
		assert_int_equal(rig_open_terms(r, 0, 0, &terms), 0);
		assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMU), 0);
		assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
		uint32_t lost = say_with_loss(r, fec);

		assert_true(cord_port_status_read(&r->dp.port_status[0], &s));
		assert_int_equal(s.rx_lost, lost);
		assert_int_equal(s.recovered, fec ? lost : 0);
		/* The first loss asks for a frame of delay, so that what follows is there in time. */
		assert_int_equal(s.concealed, lost - s.recovered + 1);
		assert_int_equal(s.missing, s.concealed);
		assert_int_equal(rig_counter(r, CORD_COUNTER_frames_recovered), s.recovered);
		assert_int_equal(rig_counter(r, CORD_COUNTER_frames_concealed), s.concealed);
		/* The peer is told what was lost on the way, and what of it was lost to the ear. */
		rig_run(r, 8000);
		assert_int_equal(rtcp_parse(r->heard[0].last_rtcp, r->heard[0].last_rtcp_bytes,
					 0x5000, &told),
			0);
		assert_int_equal(told.block.lost, lost);
		assert_int_equal(told.xr.voip.lost, fec ? 0 : lost * 256 / 400);
		rig_destroy(r);
	}
}

/* A talker of short frames who falls silent is not made up for ever. */
static void short_frames_end_in_silence(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_OPUS, CORD_CODEC_PCMU, CORD_CODEC_PCMU);

	r->peer[0].ptime_ms = 5;
	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	rig_run(r, 600);
	assert_true(hears(r, 1, A_HZ));
	rig_hush(r, 0);
	rig_run(r, 400);
	uint64_t silent = rig_counter(r, CORD_COUNTER_frames_silent);

	rig_run(r, 400);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_silent) - silent, 20);
	rig_talk(r, 0, A_HZ);
	rig_run(r, 600);
	assert_true(hears(r, 1, A_HZ));
	rig_destroy(r);
}

/* A port that moves to a room of another worker takes its coder along. */
static void a_coded_port_moves_between_workers(void **state)
{
	struct rig *r = rig_create(2);
	const uint16_t both[] = {2, 1};

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open_room(r, 1, 1), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_OPUS), 0);
	assert_int_equal(rig_open(r, 1, 1, CORD_CODEC_G722), 0);
	rig_talk(r, 0, A_HZ);
	rig_talk(r, 1, B_HZ);
	for (uint32_t turn = 0; turn < 4; turn++) {
		assert_int_equal(rig_set(r, turn & 1, turn & 1, 2, slots, both), 0);
		rig_run(r, 600);
		assert_true(hears(r, 0, B_HZ) && hears(r, 1, A_HZ));
	}
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_int_equal(r->heard[0].timestamp_gaps, 0);
	rig_destroy(r);
}

/* Phases without time to encode, then with more than they need. */
static void opus_is_encoded_more_simply_where_time_is_short(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_OPUS, CORD_CODEC_OPUS, CORD_CODEC_PCMU);

	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
	r->dp.config.tsc_hz = PLENTY_HZ;
	rig_run(r, 600);
	assert_int_equal(rig_counter(r, CORD_COUNTER_complexity), 10);
	assert_int_equal(rig_counter(r, CORD_COUNTER_complexity_lowered), 0);
	r->dp.config.tsc_hz = PLENTY_HZ / 1000000;
	rig_run(r, 600);
	assert_int_equal(rig_counter(r, CORD_COUNTER_complexity), 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_complexity_lowered), 10);
	r->dp.config.tsc_hz = PLENTY_HZ;
	rig_run(r, 5100);
	assert_int_equal(rig_counter(r, CORD_COUNTER_complexity), 1);
	assert_true(hears(r, 0, B_HZ) && hears(r, 1, C_HZ) && hears(r, 2, A_HZ));
	for (uint32_t i = 0; i < 3; i++)
		assert_true(stream_is_whole(r, i));
	rig_destroy(r);
}

/* Rooms with much to encode end in phases of their own, however they were opened. */
static void heavy_rooms_spread_over_the_phases(void **state)
{
	struct rig *r = rig_create(1);
	const struct worker *w = r->dp.worker[0];
	const uint16_t alone[] = {0};
	uint32_t heavy[CORD_PHASES] = {0};

	for (uint32_t i = 0; i < 60; i++)
		assert_int_equal(rig_open_room(r, 0, i), 0);
	/* All in the same phase, as rooms that are opened one after the other are. */
	for (uint32_t i = 0; i < 60; i++) {
		bool opus = i < 3;

		assert_int_equal(r->dp.room[i].phase, r->dp.room[0].phase);
		assert_int_equal(rig_open(r, 0, i, opus ? CORD_CODEC_OPUS : CORD_CODEC_PCMU), 0);
		assert_int_equal(rig_set(r, 0, i, 1, &i, alone), 0);
	}
	rig_run(r, 100);
	for (uint32_t i = 0; i < 60; i++)
		heavy[r->dp.room[i].phase] += r->codec[i] == CORD_CODEC_OPUS;
	for (uint32_t i = 0; i < CORD_PHASES; i++) {
		assert_in_range(heavy[i], 0, 1);
		assert_int_equal(heavy[i], w->phase_load_ns[i] > 20000);
	}
	/* Every member is sent one packet a period, also in those when its room moved. */
	for (uint32_t i = 0; i < 60; i++)
		assert_true(stream_is_whole(r, i));
	rig_destroy(r);
}

static struct rig *worked;

/* A clock of work alone: each frame played takes 25,000 cycles. */
static uint64_t work_tsc(void)
{
	return 25000 * rig_counter(worked, CORD_COUNTER_frames_played);
}

/* Slot 7 hears what slot 40 says in a room of their own, whose phase has 100,000 cycles. */
static struct rig *rig_create_timed(bool talks)
{
	static const uint16_t hears[] = {2, 0};
	static const uint32_t two[] = {7, 40};
	struct rig *r = worked = rig_create(1);

	r->dp.tsc = work_tsc;
	/* The only phase with a room has the time of all. */
	r->dp.config.tsc_hz = 100000000u / CORD_PHASES;
	assert_int_equal(rig_open_room(r, 0, 7), 0);
	assert_int_equal(rig_open(r, 0, 7, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 40, CORD_CODEC_OPUS), 0);
	if (talks)
		rig_talk(r, 40, A_HZ);
	assert_int_equal(rig_set(r, 0, 7, 2, two, hears), 0);
	return r;
}

/* By the average of a second. */
static void the_fullest_phase_is_told(void **state)
{
	struct rig *r = rig_create_timed(false);

	rig_run(r, 2100);
	assert_int_equal(rig_counter(r, CORD_COUNTER_phase_fullest), 0);
	rig_talk(r, 40, A_HZ);
	rig_run(r, 2100);
	assert_int_equal(rig_counter(r, CORD_COUNTER_phase_fullest), 250);
	rig_hush(r, 40);
	rig_run(r, 2100);
	assert_int_equal(rig_counter(r, CORD_COUNTER_phase_fullest), 0);
	rig_destroy(r);
}

/* Two seconds are not one because the worker was held up where the one ended. */
static void a_second_ends_in_a_phase_that_is_skipped(void **state)
{
	struct rig *r = rig_create_timed(true);

	rig_run(r, 2980);
	assert_int_equal(rig_counter(r, CORD_COUNTER_phase_fullest), 250);
	r->now_ns += 45000000;
	rig_run(r, 5);
	assert_in_range(rig_counter(r, CORD_COUNTER_phase_fullest), 240, 250);
	assert_true(rig_counter(r, CORD_COUNTER_ticks_skipped) > 20);
	rig_run(r, 1100);
	assert_in_range(rig_counter(r, CORD_COUNTER_phase_fullest), 230, 250);
	rig_destroy(r);
}

/* A port of 60 ms whose peer's keys are in the sound, beside two who make the room wide. */
static void open_in_wide_room(struct rig *r)
{
	struct cord_terms terms = rig_terms(0, CORD_CODEC_PCMU);

	terms.ptime_ms = 60;
	terms.event_payload_type = terms.receive_event_payload_type = CORD_NO_PAYLOAD_TYPE;
	terms.flags = CORD_TERMS_INBAND_KEYS;
	assert_int_equal(rig_open_terms(r, 0, 0, &terms), 0);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, all_of_three), 0);
}

/* What a port left of what few need is not begun with by the next one of its slot. */
static void a_slot_keeps_no_sound_of_its_last_port(void **state)
{
	static const struct port_rich none;
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_G722, CORD_CODEC_OPUS);
	struct cord_message close = {.port_close = {.port = rig_port(r, 0)}};
	struct worker *w = r->dp.worker[0];
	const struct port *p = &r->dp.port[0];

	assert_false(r->dp.port_cold[0].rich);
	assert_int_equal(rig_ask(r, 0, &close, CORD_COMMAND_PORT_CLOSE), 0);
	open_in_wide_room(r);
	r->peer[0].ptime_ms = 60;
	rig_talk(r, 0, A_HZ);
	rig_run(r, 600);
	r->peer[0].lose = 1;
	rig_run(r, 400);
	assert_true(hears(r, 1, A_HZ) && (p->flags & PORT_CONCEALS));
	rig_hush(r, 0);
	const struct port_rich *rich = worker_rich(w, p);

	assert_memory_not_equal(rich->in, none.in, sizeof(none.in));
	assert_memory_not_equal(rich->out, none.out, sizeof(none.out));
	assert_memory_not_equal(&rich->inband, &none.inband, sizeof(none.inband));
	assert_memory_not_equal(&rich->talk_rate, &none.talk_rate, sizeof(none.talk_rate));
	assert_memory_not_equal(&rich->conceal, &none.conceal, sizeof(none.conceal));
	close.port_close.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &close, CORD_COMMAND_PORT_CLOSE), 0);

	open_in_wide_room(r);
	rich = worker_rich(w, p);
	assert_memory_equal(&rich->inband, &none.inband, sizeof(none.inband));
	assert_memory_equal(&rich->talk_rate, &none.talk_rate, sizeof(none.talk_rate));
	assert_memory_equal(&rich->player_rate, &none.player_rate, sizeof(none.player_rate));
	assert_false(p->flags & PORT_CONCEALS);
	assert_int_equal(r->dp.port_cold[0].in_count + r->dp.port_cold[0].out_count, 0);
	rig_talk(r, 0, 700);
	rig_run(r, 600);
	assert_true(hears(r, 1, 700) && deaf_to(r, 1, A_HZ));
	assert_true(hears(r, 0, B_HZ) && hears(r, 0, C_HZ));
	rig_destroy(r);
}

/* Who waits to music that is stored in its codec takes none of the memory that few need. */
static void who_waits_needs_no_more_than_every_port(void **state)
{
	struct rig *r = rig_create(1);

	rig_clip(r, MUSIC, CORD_CLIP_PCMU, 50, A_HZ);
	all_on_hold(r, CORD_CODEC_PCMU, 1, 20);
	rig_talk(r, 0, B_HZ);
	rig_run(r, 1000);
	assert_true(hears(r, 0, A_HZ));
	assert_false(r->dp.port_cold[0].rich);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_codec_hears_every_other),
		cmocka_unit_test(two_wideband_members_make_a_room_wide),
		cmocka_unit_test(every_packet_time_is_received_and_sent),
		cmocka_unit_test(one_mix_is_encoded_once),
		cmocka_unit_test(other_terms_are_encoded_apart),
		cmocka_unit_test(a_bitrate_changes_in_the_call),
		cmocka_unit_test(listeners_come_and_go),
		cmocka_unit_test(music_is_sent_as_it_is_stored),
		cmocka_unit_test(music_is_encoded_where_it_has_to_be),
		cmocka_unit_test(a_clip_of_other_opus_is_refused),
		cmocka_unit_test(a_port_without_a_coder_is_refused),
		cmocka_unit_test(a_codec_changes_in_the_call),
		cmocka_unit_test(bad_opus_is_counted_and_concealed),
		cmocka_unit_test(comfort_noise_is_played),
		cmocka_unit_test(silence_is_not_sent_where_it_need_not_be),
		cmocka_unit_test(keys_take_the_place_of_sound),
		cmocka_unit_test(losses_are_concealed),
		cmocka_unit_test(what_fec_brings_back_is_not_missing),
		cmocka_unit_test(short_frames_end_in_silence),
		cmocka_unit_test(a_coded_port_moves_between_workers),
		cmocka_unit_test(a_slot_keeps_no_sound_of_its_last_port),
		cmocka_unit_test(who_waits_needs_no_more_than_every_port),
		cmocka_unit_test(opus_is_encoded_more_simply_where_time_is_short),
		cmocka_unit_test(heavy_rooms_spread_over_the_phases),
		cmocka_unit_test(the_fullest_phase_is_told),
		cmocka_unit_test(a_second_ends_in_a_phase_that_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
