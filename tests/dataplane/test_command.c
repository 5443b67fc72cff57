/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal of every command; what is refused changes nothing. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
	struct rig *r = rig_create(2);

	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static int open_with(struct rig *r, struct cord_port_open open)
{
	struct cord_message m = {.port_open = open};

	return rig_ask(r, 0, &m, CORD_COMMAND_PORT_OPEN);
}

static void port_open_refuses_every_bad_value(void **state)
{
	struct rig *r = *state;
	const struct cord_port_open good = rig_port_open(r, 1, CORD_CODEC_PCMU);
	struct cord_port_open bad;

#define BAD(change, refusal)                                  \
	do {                                                  \
		bad = good;                                   \
		bad.change;                                   \
		assert_int_equal(open_with(r, bad), refusal); \
	} while (0)
	BAD(port = cord_id_make(RIG_PORTS, 1), CORD_REFUSAL_BAD_SLOT);
	BAD(port = cord_id_make(0xffffffff, 1), CORD_REFUSAL_BAD_SLOT);
	BAD(port = cord_id_make(1, 0), CORD_REFUSAL_BAD_VALUE);
	BAD(port = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.remote.family = CORD_FAMILY_NONE, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.remote.family = CORD_FAMILY_IPV6, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.remote.family = 99, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.remote.udp_port = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.codec = CORD_CODEC_NONE, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.codec = CORD_CODEC_COUNT, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.codec = 255, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.payload_type = 128, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.receive_payload_type = 128, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.event_payload_type = 128, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.event_payload_type = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.receive_event_payload_type = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.direction = 4, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.event_clock_hz = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.event_clock_hz = 44100, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.noise_payload_type = 128, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.noise_payload_type = 0, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.receive_noise_payload_type = 101, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.flags = CORD_TERMS_FLAGS + 1, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.jitter_max_ms = 20; bad.terms.jitter_min_ms = 40, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.send_key.suite = CORD_SRTP_SUITE_COUNT, CORD_REFUSAL_BAD_VALUE);
	BAD(terms.receive_key.suite = 255, CORD_REFUSAL_BAD_VALUE);
	for (uint32_t ms = 0; ms < 256; ms++) {
		if (ms != 10 && ms != 20 && ms != 30 && ms != 40 && ms != 60)
			BAD(terms.ptime_ms = (uint8_t)ms, CORD_REFUSAL_BAD_VALUE);
	}
#undef BAD
	assert_int_equal(r->dp.worker[0]->ports, 0);
	assert_int_equal(open_with(r, good), CORD_REFUSAL_NONE);
	r->generation[1] = 1;
}

static void slots_and_generations(void **state)
{
	struct rig *r = *state;
	struct cord_message m;

	for (uint32_t turn = 1; turn <= 3; turn++) {
		m = (struct cord_message){.port_open = rig_port_open(r, 0, CORD_CODEC_PCMU)};
		assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), CORD_REFUSAL_NONE);
		assert_int_equal(open_with(r, m.port_open), CORD_REFUSAL_SLOT_TAKEN);
		m.port_open.port = cord_id_make(0, turn + 10);
		assert_int_equal(
			rig_ask(r, 1, &m, CORD_COMMAND_PORT_OPEN), CORD_REFUSAL_SLOT_TAKEN);
		m = (struct cord_message){.port_close = {.port = rig_port(r, 0)}};
		assert_int_equal(
			rig_ask(r, 1, &m, CORD_COMMAND_PORT_CLOSE), CORD_REFUSAL_WRONG_WORKER);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), CORD_REFUSAL_NONE);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), CORD_REFUSAL_STALE_ID);
		m = (struct cord_message){.port_open = rig_port_open(r, 0, CORD_CODEC_PCMU)};
		for (uint32_t old = 1; old <= turn; old++) {
			m.port_open.port = cord_id_make(0, old);
			assert_int_equal(rig_ask(r, 1, &m, CORD_COMMAND_PORT_OPEN),
				CORD_REFUSAL_OLD_GENERATION);
		}
	}
	assert_int_equal(rig_open_room(r, 0, 3), CORD_REFUSAL_NONE);
	assert_int_equal(rig_open_room(r, 1, 3), CORD_REFUSAL_SLOT_TAKEN);
	m = (struct cord_message){.room_close = {.room = rig_room(3)}};
	assert_int_equal(rig_ask(r, 1, &m, CORD_COMMAND_ROOM_CLOSE), CORD_REFUSAL_WRONG_WORKER);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_CLOSE), CORD_REFUSAL_NONE);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_CLOSE), CORD_REFUSAL_STALE_ID);
	assert_int_equal(rig_open_room(r, 0, 3), CORD_REFUSAL_OLD_GENERATION);
}

/* Every command that names a port or room, with ids that name none. */
static void ids_of_nobody(void **state)
{
	struct rig *r = *state;
	const cord_id ids[] = {0, cord_id_make(5, 1), cord_id_make(RIG_PORTS, 1), ~0ull};
	const int refusal[] = {CORD_REFUSAL_STALE_ID, CORD_REFUSAL_STALE_ID, CORD_REFUSAL_BAD_SLOT,
		CORD_REFUSAL_BAD_SLOT};

	for (uint32_t i = 0; i < 4; i++) {
		struct cord_message m = {.port_set = {.port = ids[i]}};

		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), refusal[i]);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), refusal[i]);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), refusal[i]);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), refusal[i]);
		m = (struct cord_message){.room_set = {.room = ids[i]}};
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), refusal[i]);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_CLOSE), refusal[i]);
	}
}

static void room_set_refuses_and_changes_nothing(void **state)
{
	struct rig *r = *state;
	const uint32_t slots[] = {0, 1};
	const uint16_t both[] = {2, 1};
	struct cord_message m;

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(rig_open(r, 0, i, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	const struct room before = r->dp.room[0];
	const struct cord_room_set good = {.room = rig_room(0),
		.members = 2,
		.member = {{.port = rig_port(r, 0), .hears = 2}, {.port = rig_port(r, 2)}}};

#define BAD(change, refusal)                                                         \
	do {                                                                         \
		m = (struct cord_message){.room_set = good};                         \
		m.room_set.change;                                                   \
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), refusal); \
		assert_memory_equal(&before, &r->dp.room[0], sizeof(before));        \
	} while (0)
	BAD(members = 17, CORD_REFUSAL_ROOM_FULL);
	BAD(members = 255, CORD_REFUSAL_ROOM_FULL);
	BAD(gains = 17, CORD_REFUSAL_BAD_VALUE);
	BAD(member[1].port = rig_port(r, 0), CORD_REFUSAL_PORT_TWICE);
	BAD(member[1].port = 0, CORD_REFUSAL_STALE_ID);
	BAD(member[1].port = cord_id_make(2, 99), CORD_REFUSAL_STALE_ID);
	BAD(member[1].port = cord_id_make(9, 1), CORD_REFUSAL_STALE_ID);
	BAD(member[1].port = cord_id_make(RIG_PORTS + 1, 1), CORD_REFUSAL_BAD_SLOT);
	BAD(member[1].hears = 4, CORD_REFUSAL_BAD_VALUE);
	BAD(member[0].hears = 0x8000, CORD_REFUSAL_BAD_VALUE);
	BAD(member[1].digits_to = 4, CORD_REFUSAL_BAD_VALUE);
	BAD(member[0].player = 3, CORD_REFUSAL_BAD_VALUE);
	BAD(member[0].player = CORD_PLAYER_START, CORD_REFUSAL_BAD_VALUE);
#undef BAD
	m = (struct cord_message){.room_set = good};
	m.room_set.gains = 1;
	const struct cord_room_gain gains[] = {{2, 0, 0, 0}, {0, 2, 0, 0}, {255, 255, 0, 0},
		{0, 1, 13, 0}, {0, 1, -61, 0}, {0, 1, 127, 0}, {0, 1, -127, 0}};

	for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) {
		m.room_set.gain[0] = gains[i];
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_BAD_VALUE);
	}
	assert_memory_equal(&before, &r->dp.room[0], sizeof(before));
	assert_int_equal(rig_ask(r, 1, &m, CORD_COMMAND_ROOM_SET), CORD_REFUSAL_WRONG_WORKER);
}

/* A port of another worker whose id is stale: the set is refused, nobody hangs. */
static void a_foreign_port_that_is_not_there(void **state)
{
	struct rig *r = *state;
	const uint32_t slots[] = {0, 1};
	const uint16_t both[] = {2, 1};

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 1, 1, CORD_CODEC_PCMU), 0);
	r->generation[1] += 5;
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), CORD_REFUSAL_STALE_ID);
	r->generation[1] -= 5;
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
}

static void playlists_and_digits(void **state)
{
	struct rig *r = *state;
	struct cord_message m;

	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	rig_clip(r, 77, CORD_CLIP_L16, 3, 500);
#define PLAYLIST(want, ...)                                                                        \
	do {                                                                                       \
		m = (struct cord_message){.port_playlist = {.port = rig_port(r, 0), __VA_ARGS__}}; \
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_PLAYLIST), want);             \
	} while (0)
	PLAYLIST(CORD_REFUSAL_BAD_VALUE, .generation = 0, .clips = 1, .clip = {77});
	PLAYLIST(CORD_REFUSAL_BAD_VALUE, .generation = 1, .clips = 0, .clip = {77});
	PLAYLIST(CORD_REFUSAL_BAD_VALUE, .generation = 1, .clips = 17, .clip = {77});
	PLAYLIST(CORD_REFUSAL_BAD_VALUE, .generation = 1, .clips = 1, .loop = 2, .clip = {77});
	PLAYLIST(CORD_REFUSAL_UNKNOWN_CLIP, .generation = 1, .clips = 2, .clip = {77, 78});
	PLAYLIST(CORD_REFUSAL_UNKNOWN_CLIP, .generation = 1, .clips = 1, .clip = {0});
	assert_int_equal(clip_find(&r->dp.clips, 77)->users, 0);
	PLAYLIST(CORD_REFUSAL_NONE, .generation = 1, .clips = 2, .clip = {77, 77});
	assert_int_equal(clip_find(&r->dp.clips, 77)->users, 2);
	PLAYLIST(CORD_REFUSAL_NONE, .generation = 2, .clips = 1, .clip = {77});
	assert_int_equal(clip_find(&r->dp.clips, 77)->users, 1);
#undef PLAYLIST
#define DIGITS(want, ...)                                                            \
	do {                                                                         \
		m = (struct cord_message){.port_digits = {.port = rig_port(r, 0),    \
						  .duration_ms = 100,                \
						  .gap_ms = 60,                      \
						  .pause_ms = 500,                   \
						  .digits = 2,                       \
						  .digit = "1#",                     \
						  __VA_ARGS__}};                     \
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), want); \
	} while (0)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
	DIGITS(CORD_REFUSAL_BAD_VALUE, .digits = 0);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .digits = 51);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .digits = 3);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .digit = "1x");
	DIGITS(CORD_REFUSAL_BAD_VALUE, .duration_ms = 39);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .duration_ms = 1001);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .gap_ms = 39);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .gap_ms = 1001);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .pause_ms = 99);
	DIGITS(CORD_REFUSAL_BAD_VALUE, .pause_ms = 5001);
	DIGITS(CORD_REFUSAL_NONE, .digits = 2);
	DIGITS(CORD_REFUSAL_BUSY, .digits = 2);
#pragma GCC diagnostic pop
#undef DIGITS
	struct cord_port_open open = rig_port_open(r, 4, CORD_CODEC_PCMU);

	open.terms.event_payload_type = CORD_NO_PAYLOAD_TYPE;
	assert_int_equal(open_with(r, open), 0);
	m = (struct cord_message){.port_digits = {.port = open.port,
					  .duration_ms = 100,
					  .gap_ms = 60,
					  .pause_ms = 500,
					  .digits = 1,
					  .digit = "1"}};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), CORD_REFUSAL_NO_DIGITS);
}

/* Types that do not exist, and each type with each wrong size. */
static void envelopes(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {0};

	for (uint32_t type = 0; type < 200; type++) {
		bool known = type > CORD_MESSAGE_NONE && type < CORD_COMMAND_END;

		for (uint32_t size = 0; size < 600; size += 4) {
			if (known && size == cord_message_body_size(type))
				continue;
			m.type = type;
			m.size = size;
			assert_int_equal(rig_ask(r, 0, &m, CORD_MESSAGE_NONE),
				known ? CORD_REFUSAL_BAD_SIZE : CORD_REFUSAL_UNKNOWN_COMMAND);
		}
	}
	m.type = 0xffffffff;
	assert_int_equal(rig_ask(r, 0, &m, CORD_MESSAGE_NONE), CORD_REFUSAL_UNKNOWN_COMMAND);
}

/* A hundred thousand messages of noise, with the size that their type has. */
static void garbage(void **state)
{
	struct rig *r = *state;
	const uint32_t slots[] = {0, 1};
	const uint16_t both[] = {2, 1};
	union {
		struct cord_message m;
		uint8_t byte[sizeof(struct cord_message)];
	} u;

	srandom(11);
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMA), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	rig_talk(r, 0, 500);
	rig_talk(r, 1, 700);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t mode = (uint32_t)random() % 3;

		for (size_t b = 0; b < sizeof(u); b++)
			u.byte[b] = mode ? (uint8_t)(random() % 3) : (uint8_t)random();
		u.m.type = 1 + (uint32_t)random() % 8;
		u.m.size = cord_message_body_size(u.m.type);
		/* Generations beyond ours, so that our two ports are not hit by chance. */
		if (u.m.port_open.port == rig_port(r, 0) || u.m.port_open.port == rig_port(r, 1) ||
			u.m.room_set.room == rig_room(0))
			continue;
		rig_ask(r, (uint32_t)random() & 1, &u.m, CORD_MESSAGE_NONE);
		if (i % 100 == 0)
			rig_run(r, 1);
	}
	rig_talk(r, 0, 500);
	rig_run(r, 400);
	assert_int_equal(atomic_load(&r->dp.worker[0]->rings), WORKER_RINGS_OPEN);
	/* The two may have been moved by a lucky set, but they are open and alive. */
	assert_true(r->dp.port[0].id == rig_port(r, 0) && r->dp.port[1].id == rig_port(r, 1));
}

/* An impossible position ends the rings; repaired, they work again. */
static void impossible_positions(void **state)
{
	struct rig *r = *state;
	const uint32_t heads[] = {CORD_RING_SLOTS + 1, 0x80000000u, 0xffffffffu};

	for (uint32_t i = 0; i < 3; i++) {
		struct worker *w = r->dp.worker[0];
		uint32_t at = atomic_load(&w->shared->commands.tail);

		atomic_store(&w->shared->commands.head, at + heads[i]);
		rig_run(r, 20);
		assert_int_equal(atomic_load(&w->rings), WORKER_RINGS_FAULT);
		assert_int_equal(atomic_load(&w->shared->commands.tail), at);
		cord_ring_init(&w->shared->commands);
		cord_ring_init(&w->shared->events);
		atomic_store(&w->rings, WORKER_RINGS_JOIN);
		rig_run(r, 20);
		assert_int_equal(atomic_load(&w->rings), WORKER_RINGS_OPEN);
		cord_ring_writer_join(&r->commands[0], &w->shared->commands);
		cord_ring_reader_join(&r->events[0], &w->shared->events);
		assert_int_equal(rig_open_room(r, 0, 10 + i), 0);
	}
}

/* Commands wait while nobody reads the answers; none of the answers is lost. */
static void a_full_event_ring_makes_commands_wait(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.type = 9, .size = 0}, done;
	struct worker *w = r->dp.worker[0];
	uint32_t answered = 0;

	for (uint32_t i = 0; i < 2 * CORD_RING_SLOTS - 1;) {
		m.correlation = i + 1;
		if (cord_ring_write(&r->commands[0], &m) == CORD_RING_OK)
			i++;
		worker_pass(w, r->now_ns += 1000);
	}
	for (uint32_t i = 0; i < 10; i++)
		worker_pass(w, r->now_ns += 1000);
	while (cord_ring_read(&r->events[0], &done) == CORD_RING_OK) {
		assert_int_equal(done.correlation, ++answered);
		worker_pass(w, r->now_ns += 1000);
	}
	assert_int_equal(answered, 2 * CORD_RING_SLOTS - 1);
	assert_int_equal(rig_counter(r, CORD_COUNTER_events_lost), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(port_open_refuses_every_bad_value, setup, teardown),
		cmocka_unit_test_setup_teardown(slots_and_generations, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_of_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			room_set_refuses_and_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_foreign_port_that_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(playlists_and_digits, setup, teardown),
		cmocka_unit_test_setup_teardown(envelopes, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(impossible_positions, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_event_ring_makes_commands_wait, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
