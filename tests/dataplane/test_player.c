/* SPDX-License-Identifier: Apache-2.0 */
/* Players, keys received, passed on and sent. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MUSIC_HZ 600.0
#define TALK_HZ  1500.0

enum { MUSIC = 100, STORED = 101, SHORT = 102 };

static int setup(void **state)
{
	struct rig *r = rig_create(1);

	*state = r;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMA), 0);
	rig_clip(r, MUSIC, CORD_CLIP_L16, 50, MUSIC_HZ);
	rig_clip(r, STORED, CORD_CLIP_L16, 50, MUSIC_HZ);
	rig_clip(r, STORED, CORD_CLIP_PCMU, 50, MUSIC_HZ);
	rig_clip(r, SHORT, CORD_CLIP_PCMA, 3, TALK_HZ);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void stage(struct rig *r, uint32_t slot, uint32_t generation, bool loop, uint32_t clips,
	cord_clip_id a, cord_clip_id b)
{
	struct cord_message m = {.port_playlist = {.port = rig_port(r, slot),
					 .generation = generation,
					 .clips = (uint8_t)clips,
					 .loop = loop,
					 .clip = {a, b}}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), 0);
}

/* Two members; the first starts generation `start` (0: keeps on), and hears `hears`. */
static void set(struct rig *r, uint16_t hears, enum cord_player_action action, uint32_t start)
{
	struct cord_message m = {.room_set = {.room = rig_room(0),
					 .members = 2,
					 .member = {{.port = rig_port(r, 0),
							    .hears = hears,
							    .player = (uint8_t)action,
							    .player_generation = start},
						 {.port = rig_port(r, 1), .hears = 1}}}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
}

static void plays_once_and_says_so_once(void **state)
{
	struct rig *r = *state;
	struct cord_port_status s;

	stage(r, 0, 7, false, 2, MUSIC, SHORT);
	rig_run(r, 100);
	assert_true(rig_level(r, 0, MUSIC_HZ, 80) < 10);
	set(r, 1, CORD_PLAYER_START, 7);
	rig_forget(r);
	rig_run(r, 500);
	assert_true(rig_level(r, 0, MUSIC_HZ, 400) > 7000);
	rig_run(r, 1000);
	assert_int_equal(rig_events(r, CORD_EVENT_PLAYER_END), 1);
	assert_int_equal(r->event[0].event_player_end.generation, 7);
	/* 53 frames were heard: the last three of the second clip. */
	assert_true(rig_level(r, 0, MUSIC_HZ, 100) < 10);
	assert_int_equal(r->heard[0].sequence_gaps + r->heard[0].timestamp_gaps, 0);
	assert_true(cord_port_status_read(&r->dp.port_status[0], &s));
	assert_int_equal(s.player_generation, 7);
	assert_int_equal(s.player_running, 0);
	assert_int_equal(clip_find(&r->dp.clips, MUSIC)->users, 0);
	assert_int_equal(clip_find(&r->dp.clips, SHORT)->users, 0);
}

static uint32_t frame_now(const struct rig *r, struct cord_port_status *s)
{
	assert_true(cord_port_status_read(&r->dp.port_status[0], s));
	return cord_port_status_frame(s, r->now_ns);
}

/* What is about to go on for another party begins there without a word heard twice. */
static void says_at_any_time_where_it_is(void **state)
{
	struct rig *r = *state;
	struct cord_port_status s;
	uint32_t before;

	stage(r, 0, 7, true, 2, SHORT, MUSIC);
	set(r, 1, CORD_PLAYER_START, 7);
	rig_run(r, 100);
	for (int i = 0; i < 200; i++) {
		before = frame_now(r, &s);
		uint32_t clip = s.player_clip;

		rig_run(r, 20);
		uint32_t now = frame_now(r, &s);
		const struct player *p = &r->dp.port_cold[0].player;

		assert_true(now == before + 1 || (clip != s.player_clip && now == 0));
		assert_int_equal(s.player_clip, p->at);
		assert_int_equal(now, p->frame);
	}
	/* Who is worked no more has not gone on. */
	frame_now(r, &s);
	assert_int_equal(
		cord_port_status_frame(&s, r->now_ns + 1000 * CORD_TICK_NS), s.player_frame);
}

/* What a party heard goes on for another one: from a frame of a clip, and on from there. */
static void begins_where_it_is_told(void **state)
{
	struct rig *r = *state;
	uint32_t frames = clip_find(&r->dp.clips, MUSIC)->frames;
	const struct {
		uint8_t clip;
		uint32_t frame, left; /* frames that are heard */
	} rows[] = {{1, frames - 10, 10}, {0, 1, 2 + frames}, {1, frames, 3 + frames},
		{2, 0, 3 + frames}};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cord_message m = {.room_set = {.room = rig_room(0),
						 .members = 1,
						 .member = {{.port = rig_port(r, 0),
							 .hears = 1,
							 .player = CORD_PLAYER_START,
							 .player_generation = i + 1,
							 .first_clip = rows[i].clip,
							 .first_frame = rows[i].frame}}}};

		stage(r, 0, i + 1, false, 2, SHORT, MUSIC);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
		rig_forget(r);
		rig_run(r, (rows[i].left - 2) * 20);
		assert_int_equal(rig_events(r, CORD_EVENT_PLAYER_END), 0);
		rig_run(r, 80);
		assert_int_equal(rig_events(r, CORD_EVENT_PLAYER_END), 1);
	}
}

static void loops_until_it_is_stopped(void **state)
{
	struct rig *r = *state;

	stage(r, 0, 1, true, 1, MUSIC, 0);
	set(r, 1, CORD_PLAYER_START, 1);
	rig_run(r, 5000);
	assert_true(rig_level(r, 0, MUSIC_HZ, 2000) > 7000);
	set(r, 1, CORD_PLAYER_KEEP, 0);
	rig_run(r, 500);
	assert_true(rig_level(r, 0, MUSIC_HZ, 400) > 7000);
	set(r, 1, CORD_PLAYER_STOP, 0);
	rig_run(r, 500);
	assert_true(rig_level(r, 0, MUSIC_HZ, 400) < 10);
	assert_int_equal(rig_events(r, CORD_EVENT_PLAYER_END), 0);
	assert_int_equal(clip_find(&r->dp.clips, MUSIC)->users, 0);
}

/* The stored encoding goes out as it is; where there is none, the samples are encoded. */
static void stored_frames_are_sent_as_they_are(void **state)
{
	struct rig *r = *state;

	stage(r, 0, 1, true, 1, STORED, 0);
	set(r, 1, CORD_PLAYER_START, 1);
	rig_run(r, 400);
	assert_true(rig_level(r, 0, MUSIC_HZ, 300) > 7000);
	assert_true(rig_counter(r, CORD_COUNTER_frames_clip) >= 19);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_mixed), 0);
	/* Only A-law is there, and the port wants mu-law. */
	stage(r, 0, 2, true, 1, SHORT, 0);
	set(r, 1, CORD_PLAYER_START, 2);
	rig_run(r, 400);
	assert_true(rig_level(r, 0, TALK_HZ, 300) > 7000);
	assert_true(rig_counter(r, CORD_COUNTER_frames_mixed) >= 19);
}

static void talk_over_music_and_gain_on_music(void **state)
{
	struct rig *r = *state;
	struct cord_message m;

	rig_talk(r, 1, TALK_HZ);
	stage(r, 0, 1, true, 1, MUSIC, 0);
	set(r, 3, CORD_PLAYER_START, 1);
	rig_run(r, 400);
	assert_true(rig_level(r, 0, MUSIC_HZ, 200) > 7000);
	assert_true(rig_level(r, 0, TALK_HZ, 200) > 7000);
	m = (struct cord_message){.room_set = {.room = rig_room(0),
					  .members = 2,
					  .gains = 1,
					  .member = {{.port = rig_port(r, 0), .hears = 3},
						  {.port = rig_port(r, 1), .hears = 1}},
					  .gain = {{0, 0, -20, 0}}}};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_run(r, 400);
	assert_in_range((uint32_t)rig_level(r, 0, MUSIC_HZ, 200), 700, 900);
	assert_true(rig_level(r, 0, TALK_HZ, 200) > 7000);
	/* Whoever listens to the port hears its peer, never its player. */
	assert_true(rig_level(r, 1, MUSIC_HZ, 200) < 10);
}

/* A new list replaces the running one in the tick in which it starts. */
static void the_next_list_follows_without_a_gap(void **state)
{
	struct rig *r = *state;

	stage(r, 0, 1, true, 1, MUSIC, 0);
	set(r, 1, CORD_PLAYER_START, 1);
	rig_run(r, 400);
	for (uint32_t g = 2; g < 12; g++) {
		stage(r, 0, g, true, 1, MUSIC, 0);
		set(r, 1, CORD_PLAYER_START, g);
		rig_run(r, 40);
	}
	for (uint32_t i = r->heard[0].samples - 3200; i < r->heard[0].samples; i += 80)
		assert_true(rig_level(r, 0, MUSIC_HZ, 400) > 100);
	assert_int_equal(r->heard[0].sequence_gaps + r->heard[0].timestamp_gaps, 0);
}

static void a_removed_clip_plays_on_until_its_last_player_leaves(void **state)
{
	struct rig *r = *state;
	uint64_t passes[CORD_WORKERS_MAX] = {0};
	struct cord_message m = {
		.port_playlist = {
			.port = rig_port(r, 1), .generation = 1, .clips = 1, .clip = {MUSIC}}};

	stage(r, 0, 1, true, 1, MUSIC, 0);
	set(r, 1, CORD_PLAYER_START, 1);
	assert_int_equal(clip_remove(&r->dp.clips, MUSIC), CORD_ATTACH_RESULT_OK);
	assert_int_equal(clip_remove(&r->dp.clips, MUSIC), CORD_ATTACH_RESULT_CLIP_UNKNOWN);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), CORD_REFUSAL_UNKNOWN_CLIP);
	rig_run(r, 1500);
	dataplane_passes(&r->dp, passes);
	assert_int_equal(clip_reap(&r->dp.clips, passes, 1), 0);
	assert_true(rig_level(r, 0, MUSIC_HZ, 400) > 7000);
	set(r, 1, CORD_PLAYER_STOP, 0);
	rig_run(r, 5);
	dataplane_passes(&r->dp, passes);
	assert_int_equal(clip_reap(&r->dp.clips, passes, 1), MUSIC);
}

/* A worker that found the clip before it was removed counts itself as a user after that. */
static void a_clip_found_just_before_its_removal_is_kept(void **state)
{
	struct rig *r = *state;
	uint64_t passes[CORD_WORKERS_MAX] = {0};
	struct clip *found = clip_find(&r->dp.clips, MUSIC);

	assert_int_equal(clip_remove(&r->dp.clips, MUSIC), CORD_ATTACH_RESULT_OK);
	for (uint32_t i = 0; i < 3; i++) {
		dataplane_passes(&r->dp, passes);
		assert_int_equal(clip_reap(&r->dp.clips, passes, 1), 0);
	}
	clip_use(found);
	rig_run(r, 5);
	dataplane_passes(&r->dp, passes);
	assert_int_equal(clip_reap(&r->dp.clips, passes, 1), 0);
	clip_leave(found);
	assert_int_equal(clip_reap(&r->dp.clips, passes, 1), MUSIC);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void press(struct rig *r, uint32_t slot, uint8_t event, uint32_t timestamp)
{
	for (uint32_t i = 1; i <= 8; i++) {
		uint32_t duration = (i > 5 ? 5 : i) * 160;
		const uint8_t payload[4] = {event, (uint8_t)((i > 5 ? 0x80 : 0) | 10),
			(uint8_t)(duration >> 8), (uint8_t)duration};

		rig_rtp(r, slot, 101, i == 1, r->peer[slot].sequence++, timestamp, payload, 4);
		rig_run(r, 20);
	}
}

static void a_key_is_told_once_and_kept_in_the_log(void **state)
{
	struct rig *r = *state;
	struct cord_port_status s;

	for (uint32_t i = 0; i < 20; i++)
		press(r, 0, (uint8_t)(i % 16), 1000 + i * 1600);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGIT), 20);
	assert_true(cord_port_status_read(&r->dp.port_status[0], &s));
	assert_int_equal(s.digits, 20);
	assert_memory_equal(s.digit, "0123456789*#ABCD", 16);
	for (uint32_t i = 0, n = 0; i < r->event_count; i++) {
		if (r->event[i].type != CORD_EVENT_DIGIT)
			continue;
		assert_int_equal(r->event[i].event_digit.sequence, ++n);
		assert_int_equal(r->event[i].event_digit.digit, "0123456789*#ABCD"[(n - 1) % 16]);
	}
}

static void keys_are_passed_on_only_where_the_mask_says(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {
		.room_set = {.room = rig_room(0),
			.members = 2,
			.member = {{.port = rig_port(r, 0), .hears = 2},
				{.port = rig_port(r, 1), .hears = 1, .digits_to = 1}}}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	press(r, 0, 5, 1000);
	rig_run(r, 500);
	assert_int_equal(r->heard[1].events, 0);
	press(r, 1, 7, 1000);
	rig_run(r, 500);
	assert_true(r->heard[0].events >= 5);
	assert_int_equal(r->heard[0].last_event[0], 7);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 0);
}

static void digits_are_sent_with_pauses_and_nothing_else_is_heard(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.port_digits = {.port = rig_port(r, 0),
					 .duration_ms = 100,
					 .gap_ms = 100,
					 .pause_ms = 500,
					 .digits = 4,
					 .digit = "1,#9"}};

	rig_talk(r, 1, TALK_HZ);
	set(r, 2, CORD_PLAYER_KEEP, 0);
	rig_run(r, 400);
	assert_true(rig_level(r, 0, TALK_HZ, 200) > 7000);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 20);
	rig_forget(r);
	rig_run(r, 1000);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 0);
	assert_true(rig_level(r, 0, TALK_HZ, 1000) < 10);
	rig_run(r, 400);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	assert_int_equal(rig_counter(r, CORD_COUNTER_digits_sent), 3);
	rig_run(r, 400);
	assert_true(rig_level(r, 0, TALK_HZ, 200) > 7000);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
}

static struct cord_message takes_keys(struct rig *r, uint8_t event_payload_type)
{
	struct cord_terms terms = rig_terms(0, CORD_CODEC_PCMU);

	terms.event_payload_type = event_payload_type;
	return (struct cord_message){.port_set = {.port = rig_port(r, 0), .terms = terms}};
}

static void keys_end_when_the_peer_takes_none_any_more(void **state)
{
	struct rig *r = *state;
	struct cord_message digits = {.port_digits = {.port = rig_port(r, 0),
					      .duration_ms = 100,
					      .gap_ms = 100,
					      .pause_ms = 500,
					      .digits = 4,
					      .digit = "1359"}};
	struct cord_message without = takes_keys(r, CORD_NO_PAYLOAD_TYPE);
	struct cord_message with = takes_keys(r, 101);
	struct cord_port_status s;

	rig_talk(r, 1, TALK_HZ);
	set(r, 2, CORD_PLAYER_KEEP, 0);
	assert_int_equal(rig_ask(r, 0, &digits, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 60);
	assert_int_equal(rig_ask(r, 0, &without, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	assert_true(cord_port_status_read(&r->dp.port_status[0], &s));
	assert_int_equal(s.digits_sending, 0);
	rig_forget(r);
	rig_run(r, 600);
	assert_int_equal(r->heard[0].payload_bytes, 160);
	assert_int_equal(r->heard[0].samples, 600 * 8);
	assert_true(rig_level(r, 0, TALK_HZ, 500) > 7000);
	assert_int_equal(rig_ask(r, 0, &with, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(rig_ask(r, 0, &digits, CORD_COMMAND_PORT_DIGITS), 0);
	rig_run(r, 1000);
	assert_int_equal(rig_events(r, CORD_EVENT_DIGITS_SENT), 1);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plays_once_and_says_so_once, setup, teardown),
		cmocka_unit_test_setup_teardown(begins_where_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(says_at_any_time_where_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(loops_until_it_is_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			stored_frames_are_sent_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(talk_over_music_and_gain_on_music, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_next_list_follows_without_a_gap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_removed_clip_plays_on_until_its_last_player_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_clip_found_just_before_its_removal_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_is_told_once_and_kept_in_the_log, setup, teardown),
		cmocka_unit_test_setup_teardown(
			keys_are_passed_on_only_where_the_mask_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
			digits_are_sent_with_pauses_and_nothing_else_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(
			keys_end_when_the_peer_takes_none_any_more, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
