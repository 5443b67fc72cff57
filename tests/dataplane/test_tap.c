/* SPDX-License-Identifier: Apache-2.0 */
/* What a tap says of its room, judged by the tones in its two channels. */
#include "fake_control.h"
#include "rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define RATE    8000u
#define SAMPLES 160u
#define LEASE   1u

static const double tone[] = {500, 1100, 1900};
static const cord_id tap_id = (1ull << 32) | 3;

/* A recorder: what it has read so far. */
struct tape {
	struct cord_tap *tap;
	uint32_t rate, samples;
	struct cord_tap_reader reader;
	uint32_t frames;
	uint64_t period[600];
	int16_t left[1200 * SAMPLES], right[1200 * SAMPLES];
};

static struct tape *tape_at(struct rig *r, cord_id id, uint32_t rate)
{
	struct tape *t = calloc(1, sizeof(*t));
	int fd = fake_control_tap(id, rate, &t->tap);

	assert_true(fd >= 0);
	assert_int_equal(
		tap_add(&r->dp.taps, fd, cord_tap_bytes(rate), id, LEASE), CORD_ATTACH_RESULT_OK);
	close(fd);
	t->rate = rate;
	t->samples = rate / 50;
	cord_tap_reader_join(&t->reader, t->tap, rate);
	return t;
}

static struct tape *tape_on(struct rig *r, cord_id id)
{
	return tape_at(r, id, RATE);
}

static void tape_off(struct tape *t)
{
	munmap(t->tap, cord_tap_bytes(t->rate));
	free(t);
}

/* Reads what waits; how many frames. */
static int tape_read(struct tape *t)
{
	int n = cord_tap_waiting(&t->reader);

	for (int i = 0; i < n; i++) {
		const struct cord_tap_frame *f = cord_tap_oldest(&t->reader);

		assert_in_range(t->frames, 0, 599);
		t->period[t->frames] = f->period;
		memcpy(t->left + t->frames * t->samples, f->pcm, sizeof(int16_t) * t->samples);
		memcpy(t->right + t->frames * t->samples, f->pcm + t->samples,
			sizeof(int16_t) * t->samples);
		t->frames++;
		cord_tap_read_end(&t->reader);
	}
	return n;
}

static void tape_forget(struct tape *t)
{
	tape_read(t);
	t->frames = 0;
}

/* Amplitude of a tone in the last `frames` frames of a channel. */
static double level(const struct tape *t, const int16_t *channel, double hz, uint32_t frames)
{
	const int16_t *pcm = channel + (t->frames - frames) * t->samples;
	uint32_t n = frames * t->samples;
	double a = 0, b = 0;

	assert_in_range(frames, 1, t->frames);
	for (uint32_t i = 0; i < n; i++) {
		a += pcm[i] * cos(2 * M_PI * hz * i / t->rate);
		b += pcm[i] * sin(2 * M_PI * hz * i / t->rate);
	}
	return 2 * hypot(a, b) / n;
}

static bool sounds(const struct tape *t, const int16_t *channel, uint32_t talker)
{
	return level(t, channel, tone[talker], 10) > 6000;
}

static bool lacks(const struct tape *t, const int16_t *channel, uint32_t talker)
{
	return level(t, channel, tone[talker], 10) < 100;
}

/* The first sample of a channel that is loud. */
static uint32_t onset(const struct tape *t, const int16_t *channel)
{
	uint32_t i = 0;

	while (i < t->frames * SAMPLES && abs(channel[i]) < 1000)
		i++;
	return i;
}

/* Ports 0 .. ports-1 who all hear each other, and the tap with its masks. */
static struct cord_message set_of(struct rig *r, uint32_t room, uint32_t ports, uint16_t left,
	uint16_t right, uint32_t players)
{
	struct cord_message m = {.room_set = {.room = rig_room(room), .members = (uint8_t)ports}};

	for (uint32_t i = 0; i < ports; i++)
		m.room_set.member[i] = (struct cord_room_member){.port = rig_port(r, i),
			.hears = (uint16_t)(((1u << ports) - 1) & ~(1u << i))};
	m.room_set.member[m.room_set.members++] = (struct cord_room_member){.kind = CORD_MEMBER_TAP,
		.port = tap_id,
		.hears = left,
		.digits_to = right,
		.players = players};
	return m;
}

static int tap_room_set(struct rig *r, uint32_t ports, uint16_t left, uint16_t right)
{
	struct cord_message m = set_of(r, 0, ports, left, right, 0);

	return rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET);
}

static struct rig *three_talk(uint32_t workers)
{
	return rig_create_three(workers, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMA, CORD_CODEC_PCMU);
}

static void each_channel_holds_its_side(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);

	(void)state;
	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	rig_run(r, 600);
	assert_int_equal(tape_read(t), 30);
	assert_true(sounds(t, t->left, 0) && lacks(t, t->left, 1) && lacks(t, t->left, 2));
	assert_true(lacks(t, t->right, 0) && sounds(t, t->right, 1) && sounds(t, t->right, 2));
	/* The parties hear each other as ever. */
	assert_true(rig_level(r, 0, tone[1], 200) > 6000 && rig_level(r, 1, tone[0], 200) > 6000);
	for (uint32_t i = 1; i < t->frames; i++)
		assert_true(t->period[i] == t->period[i - 1] + 1);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_tapped), 30);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_untapped), 0);
	tape_off(t);
	rig_destroy(r);
}

/* A talker that nobody hears but the tap is on it all the same; one that is not named is not. */
static void masks_of_a_tap_are_its_own(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	struct cord_message m = set_of(r, 0, 3, 1, 2, 0);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		m.room_set.member[i].hears = 0;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_run(r, 600);
	tape_read(t);
	assert_true(sounds(t, t->left, 0) && lacks(t, t->left, 1) && lacks(t, t->left, 2));
	assert_true(lacks(t, t->right, 0) && sounds(t, t->right, 1) && lacks(t, t->right, 2));
	assert_true(rig_level(r, 0, tone[1], 200) < 100);
	tape_off(t);
	rig_destroy(r);
}

/* Both sides begin to speak at the same moment: their channels do so within one period. */
static void the_channels_are_aligned(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);

	(void)state;
	rig_hush(r, 0);
	rig_hush(r, 1);
	rig_hush(r, 2);
	assert_int_equal(tap_room_set(r, 3, 1, 2), 0);
	rig_run(r, 300);
	rig_talk(r, 0, tone[0]);
	rig_talk(r, 1, tone[1]);
	rig_run(r, 400);
	tape_read(t);
	assert_in_range(onset(t, t->left), 10 * SAMPLES, 30 * SAMPLES);
	assert_in_range(abs((int)onset(t, t->left) - (int)onset(t, t->right)), 0, SAMPLES);
	tape_off(t);
	rig_destroy(r);
}

/* What a member is played is on the right channel where the mask says so. */
static void a_player_is_heard(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	struct cord_message m = {.port_playlist = {.port = rig_port(r, 0),
					 .generation = 1,
					 .clips = 1,
					 .loop = 1,
					 .clip = {77}}};

	(void)state;
	rig_clip(r, 77, CORD_CLIP_L16, 50, 700);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), 0);
	m = set_of(r, 0, 1, 1, 0, 1);
	m.room_set.member[0].hears = 1;
	m.room_set.member[0].player = CORD_PLAYER_START;
	m.room_set.member[0].player_generation = 1;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_run(r, 600);
	tape_read(t);
	assert_true(sounds(t, t->left, 0) && lacks(t, t->right, 0));
	assert_true(level(t, t->right, 700, 10) > 6000 && level(t, t->left, 700, 10) < 100);
	m.room_set.member[0].player = CORD_PLAYER_KEEP;
	m.room_set.member[1].players = 0;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_run(r, 600);
	tape_read(t);
	assert_true(level(t, t->right, 700, 10) < 100);
	tape_off(t);
	rig_destroy(r);
}

/* A tap has its own rate, whatever the codecs in the room are: at 16 kHz all of a wideband voice. */
static void a_tap_has_its_own_rate(void **state)
{
	(void)state;
	for (uint32_t rate = 8000; rate <= 16000; rate += 8000) {
		struct rig *r = rig_create(1);
		struct tape *t = tape_at(r, tap_id, rate);

		assert_int_equal(rig_open_room(r, 0, 0), 0);
		assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
		assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_G722), 0);
		assert_int_equal(tap_room_set(r, 2, 1, 2), 0);
		rig_talk(r, 0, 1100);
		rig_talk(r, 1, 600);
		rig_run(r, 600);
		tape_read(t);
		assert_true(level(t, t->left, 1100, 10) > 6000);
		assert_true(level(t, t->left, 600, 10) < 100);
		assert_true(level(t, t->right, 600, 10) > 5000);
		assert_true(level(t, t->right, 1100, 10) < 100);
		rig_talk(r, 1, 5500);
		rig_run(r, 600);
		tape_read(t);
		if (rate == 16000)
			assert_true(level(t, t->right, 5500, 10) > 4000);
		else /* neither the tone nor what it would fold to */
			assert_true(level(t, t->right, 2500, 10) < 100);
		tape_off(t);
		rig_destroy(r);
	}
}

/* Nobody reads: so many periods are kept, and the gap after them is counted and can be seen. */
static void a_full_ring_is_a_gap_of_the_right_length(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);

	(void)state;
	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	rig_run(r, 20 * (CORD_TAP_SLOTS + 33));
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_tapped), CORD_TAP_SLOTS);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_untapped), 33);
	assert_int_equal(tape_read(t), CORD_TAP_SLOTS);
	rig_run(r, 20 * 5);
	assert_int_equal(tape_read(t), 5);
	for (uint32_t i = 1; i < t->frames; i++)
		assert_true(t->period[i] - t->period[i - 1] == (i == CORD_TAP_SLOTS ? 34 : 1));
	assert_true(sounds(t, t->left, 0) && sounds(t, t->right, 1));
	tape_off(t);
	rig_destroy(r);
}

/* Who goes elsewhere is not on the tap any more; the others stay where they were. */
static void a_port_that_leaves_is_gone_from_the_masks(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	const uint32_t first[] = {0};
	const uint16_t nobody[] = {0};

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 1), 0);
	assert_int_equal(tap_room_set(r, 3, 2, 5), 0);
	rig_run(r, 400);
	assert_int_equal(rig_set(r, 0, 1, 1, first, nobody), 0);
	rig_run(r, 400);
	tape_read(t);
	assert_true(lacks(t, t->left, 0) && sounds(t, t->left, 1) && lacks(t, t->left, 2));
	assert_true(lacks(t, t->right, 0) && lacks(t, t->right, 1) && sounds(t, t->right, 2));
	tape_off(t);
	rig_destroy(r);
}

/* A tap goes to another room in one step, and writes no period twice. */
static void a_tap_moves_from_room_to_room(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	struct cord_message m;

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 1), 0);
	assert_int_equal(tap_room_set(r, 2, 1, 2), 0);
	rig_run(r, 400);
	for (uint32_t i = 0; i < 20; i++) {
		m = set_of(r, 1 - i % 2, 2, 1, 2, 0);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
		rig_run(r, 7);
	}
	rig_run(r, 400);
	tape_read(t);
	for (uint32_t i = 1; i < t->frames; i++)
		assert_true(t->period[i] > t->period[i - 1]);
	assert_true(sounds(t, t->left, 0) && sounds(t, t->right, 1));
	assert_int_equal(r->dp.room[0].taps + r->dp.room[1].taps, 1);
	tape_off(t);
	rig_destroy(r);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct rig *r = three_talk(2);
	struct tape *t = tape_on(r, tap_id);
	struct cord_message m, good = set_of(r, 0, 3, 1, 6, 0);
	struct cord_room_member *tap = &m.room_set.member[3];

	(void)state;
	/* One that is not there holds up nobody's talk. */
	m = good;
	tap->port = tap_id + (1ull << 32);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	tap->port = CORD_TAPS_MAX;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	assert_int_equal(r->dp.room[0].taps, 0);
	assert_int_equal(r->dp.room[0].members, 3);
	m = good;
	tap->hears = 8;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	tap->digits_to = 16;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	tap->players = 1u << 31;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	tap->kind = 2;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	m.room_set.member[0].hears = 8; /* a port cannot hear a tap */
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	m.room_set.gains = 1;
	m.room_set.gain[0] = (struct cord_room_gain){.listener = 3, .talker = 0, .gain_db = -6};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	m = good;
	m.room_set.member[4] = m.room_set.member[3];
	m.room_set.members = 5;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_PORT_TWICE);
	for (uint32_t i = 4; i < 4 + CORD_ROOM_TAPS_MAX; i++)
		m.room_set.member[i] = m.room_set.member[3];
	m.room_set.members = 4 + CORD_ROOM_TAPS_MAX;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_ROOM_FULL);
	m = good;
	m.room_set.member[3] = m.room_set.member[2]; /* a port behind a tap */
	m.room_set.member[2] = good.room_set.member[3];
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	/* A room of another worker does not get a tap that is in use. */
	assert_int_equal(rig_ask(r, 0, &good, CORD_COMMAND_ROOM_SET), 0);
	assert_int_equal(rig_open_room(r, 1, 9), 0);
	m = set_of(r, 9, 0, 0, 0, 0);
	assert_int_equal(rig_ask(r, 1, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_WRONG_WORKER);
	tape_off(t);
	rig_destroy(r);
}

static cord_id reap(struct rig *r)
{
	uint64_t passes[CORD_WORKERS_MAX];

	dataplane_passes(&r->dp, passes);
	return tap_reap(&r->dp.taps, passes, r->workers);
}

/* The memory goes when its room has let go of it, not before. */
static void a_removed_tap_goes_when_its_room_has_let_go(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);

	(void)state;
	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	rig_run(r, 200);
	tape_forget(t);
	assert_int_equal(tap_remove(&r->dp.taps, tap_id), CORD_ATTACH_RESULT_OK);
	assert_int_equal(tap_remove(&r->dp.taps, tap_id), CORD_ATTACH_RESULT_TAP_UNKNOWN);
	assert_int_equal(reap(r), 0);
	rig_run(r, 40);
	assert_int_equal(r->dp.room[0].taps, 0);
	assert_true(reap(r) == tap_id);
	assert_int_equal(reap(r), 0);
	rig_run(r, 200);
	assert_int_equal(tape_read(t), 0);
	/* The slot serves the next one. */
	struct tape *next = tape_on(r, tap_id);

	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	rig_run(r, 200);
	assert_int_equal(tape_read(next), 10);
	tape_off(t);
	tape_off(next);
	rig_destroy(r);
}

/* Control has died: its taps go with the lease, those of the next control stay. */
static void taps_end_with_their_lease(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	struct cord_tap *other;
	int fd = fake_control_tap(tap_id + 1, RATE, &other);

	(void)state;
	assert_int_equal(tap_add(&r->dp.taps, fd, cord_tap_bytes(RATE), tap_id + 1, LEASE + 1), 0);
	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	rig_run(r, 200);
	taps_remove_lease(&r->dp.taps, LEASE);
	assert_null(tap_find(&r->dp.taps, tap_id));
	assert_non_null(tap_find(&r->dp.taps, tap_id + 1));
	assert_int_equal(reap(r), 0);
	rig_run(r, 40);
	assert_int_equal(r->dp.room[0].taps, 0);
	assert_int_equal(reap(r), 0); /* nobody is told */
	assert_null(r->dp.taps.leaving);
	assert_true(rig_level(r, 0, tone[1], 20) > 6000);
	munmap(other, cord_tap_bytes(RATE));
	close(fd);
	tape_off(t);
	rig_destroy(r);
}

/* The reader writes whatever it likes into the memory: the calls go on, nothing else is touched. */
static void a_reader_that_scribbles_harms_itself_only(void **state)
{
	struct rig *r = three_talk(1);
	struct tape *t = tape_on(r, tap_id);
	uint8_t *memory = (uint8_t *)t->tap;
	uint32_t random = 1;

	(void)state;
	assert_int_equal(tap_room_set(r, 3, 1, 6), 0);
	for (uint32_t i = 0; i < 300; i++) {
		for (uint32_t n = 0; n < 64; n++) {
			random = random * 1664525u + 1013904223u;
			memory[(random >> 8) % sizeof(struct cord_tap)] = (uint8_t)(random >> 24);
		}
		atomic_store(&t->tap->tail, random);
		rig_run(r, 20);
	}
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_tapped) +
				 rig_counter(r, CORD_COUNTER_frames_untapped),
		300);
	assert_true(rig_level(r, 0, tone[1], 200) > 6000);
	tape_off(t);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_channel_holds_its_side),
		cmocka_unit_test(masks_of_a_tap_are_its_own),
		cmocka_unit_test(the_channels_are_aligned),
		cmocka_unit_test(a_player_is_heard),
		cmocka_unit_test(a_tap_has_its_own_rate),
		cmocka_unit_test(a_full_ring_is_a_gap_of_the_right_length),
		cmocka_unit_test(a_port_that_leaves_is_gone_from_the_masks),
		cmocka_unit_test(a_tap_moves_from_room_to_room),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(a_removed_tap_goes_when_its_room_has_let_go),
		cmocka_unit_test(taps_end_with_their_lease),
		cmocka_unit_test(a_reader_that_scribbles_harms_itself_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
