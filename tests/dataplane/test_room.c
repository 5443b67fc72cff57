/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears whom, judged on what the peers are sent. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define A_HZ 500.0
#define B_HZ 1100.0
#define C_HZ 1900.0

static const double tone[] = {A_HZ, B_HZ, C_HZ};
static const uint32_t slots[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static bool hears(const struct rig *r, uint32_t listener, uint32_t talker)
{
	return rig_level(r, listener, tone[talker], 200) > 6000;
}

static bool deaf_to(const struct rig *r, uint32_t listener, uint32_t talker)
{
	return rig_level(r, listener, tone[talker], 200) < 100;
}

/* Every one of the 64 ways in which three can hear each other. */
static void every_mask_is_heard(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMA);

	(void)state;
	for (uint32_t way = 0; way < 64; way++) {
		const uint16_t mask[] = {(uint16_t)((way & 3) << 1),
			(uint16_t)((way >> 2 & 1) | (way >> 3 & 1) << 2), (uint16_t)(way >> 4 & 3)};

		assert_int_equal(rig_set(r, 0, 0, 3, slots, mask), 0);
		rig_forget(r);
		rig_run(r, 400);
		for (uint32_t l = 0; l < 3; l++) {
			for (uint32_t t = 0; t < 3; t++)
				assert_true(mask[l] >> t & 1 ? hears(r, l, t) : deaf_to(r, l, t));
		}
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(r->heard[i].sequence_gaps, 0);
		assert_int_equal(r->heard[i].timestamp_gaps, 0);
		assert_int_equal(r->heard[i].markers, 1);
	}
	rig_destroy(r);
}

static void conference_of_sixteen_leaves_nobody_out(void **state)
{
	struct rig *r = rig_create(1);
	uint16_t mask[16];

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < 16; i++) {
		assert_int_equal(rig_open(r, 0, i, i & 1 ? CORD_CODEC_PCMA : CORD_CODEC_PCMU), 0);
		mask[i] = (uint16_t) ~(1u << i);
	}
	rig_talk(r, 3, A_HZ);
	rig_talk(r, 12, B_HZ);
	assert_int_equal(rig_set(r, 0, 0, 16, slots, mask), 0);
	rig_run(r, 400);
	for (uint32_t i = 0; i < 16; i++) {
		assert_true((rig_level(r, i, A_HZ, 200) > 6000) == (i != 3));
		assert_true((rig_level(r, i, B_HZ, 200) > 6000) == (i != 12));
	}
	rig_destroy(r);
}

static void gains_are_applied_to_one_listener(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	struct cord_message m = {.room_set = {.room = rig_room(0),
					 .members = 3,
					 .gains = 2,
					 .gain = {{0, 1, -20, 0}, {1, 2, CORD_GAIN_MUTE, 0}}}};

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		m.room_set.member[i] = (struct cord_room_member){
			.port = rig_port(r, i), .hears = (uint16_t)(7 & ~(1u << i))};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_ROOM_SET), 0);
	rig_run(r, 400);
	assert_in_range((uint32_t)rig_level(r, 0, B_HZ, 200), 700, 900);
	assert_true(hears(r, 0, 2));
	assert_true(deaf_to(r, 1, 2));
	assert_true(hears(r, 1, 0) && hears(r, 2, 0) && hears(r, 2, 1));
	rig_destroy(r);
}

/* Loud talkers together are clipped once, not wrapped. */
static void a_sum_beyond_the_range_is_clipped(void **state)
{
	struct rig *r = rig_create(1);
	const uint16_t mask[] = {0x3e, 0, 0, 0, 0, 0};
	int32_t most = 0;

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(rig_open(r, 0, i, CORD_CODEC_PCMU), 0);
		if (i)
			rig_talk(r, i, A_HZ);
	}
	assert_int_equal(rig_set(r, 0, 0, 6, slots, mask), 0);
	rig_run(r, 400);
	for (uint32_t i = r->heard[0].samples - 800; i < r->heard[0].samples; i++) {
		int32_t d = r->heard[0].pcm[i] - r->heard[0].pcm[i - 1];

		most = abs(d) > most ? abs(d) : most;
	}
	/* A wrap would be a jump of 65535; a clipped 40000 at 500 Hz moves by 16000 at most. */
	assert_in_range(most, 1, 17000);
	rig_destroy(r);
}

/* Nobody hears who waits alone: only their time is kept, and they are heard from when one comes. */
static void packets_of_who_is_alone_are_not_kept(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMA, CORD_CODEC_PCMU);
	const uint16_t nobody[] = {0}, both[] = {2, 1};
	const uint32_t one[] = {1}, zero_one[] = {0, 1};
	struct cord_port_status alone, kept;

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 1), 0);
	rig_hush(r, 0);
	rig_hush(r, 2);
	assert_int_equal(rig_set(r, 0, 1, 1, one, nobody), 0);
	for (uint32_t i = 0; i < 40; i++) {
		rig_run(r, 50);
		assert_int_equal(rte_mempool_in_use_count(r->dp.nic.pool), 0);
	}
	uint64_t played = rig_counter(r, CORD_COUNTER_frames_played);

	assert_in_range(played, 96, 100);
	assert_true(cord_port_status_read(&r->dp.port_status[1], &alone));
	assert_true(alone.buffer_ms >= 20);
	/* Another comes: it hears the first within what the buffer holds, and nothing is made up. */
	rig_forget(r);
	assert_int_equal(rig_set(r, 0, 1, 2, zero_one, both), 0);
	rig_run(r, 500);
	assert_true(rig_level(r, 0, B_HZ, 400) > 6000);
	assert_int_equal(r->heard[0].sequence_gaps + r->heard[0].timestamp_gaps, 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_frames_concealed), 0);
	assert_in_range(rig_counter(r, CORD_COUNTER_frames_played) - played, 24, 26);
	assert_true(cord_port_status_read(&r->dp.port_status[1], &kept));
	assert_int_equal(kept.rx_late + kept.rx_duplicate + kept.concealed, 0);
	/* Alone again; what waited then is given back when its time comes. */
	assert_int_equal(rig_set(r, 0, 1, 1, one, nobody), 0);
	rig_run(r, 500);
	assert_int_equal(rte_mempool_in_use_count(r->dp.nic.pool), 0);
	/* Frames are missing: they count, and from then on sound is kept so that it can be made up. */
	r->peer[1].lose = 2;
	rig_run(r, 500);
	assert_in_range(rig_counter(r, CORD_COUNTER_frames_concealed), 2, 3);
	assert_in_range(rte_mempool_in_use_count(r->dp.nic.pool), 1, 3);
	rig_destroy(r);
}

static void a_port_moves_from_room_to_room_and_its_numbers_go_on(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	const uint16_t both[] = {2, 1};
	const uint32_t zero_one[] = {0, 1}, one_two[] = {1, 2};

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 1), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, zero_one, both), 0);
	rig_run(r, 400);
	assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	for (uint32_t turn = 0; turn < 10; turn++) {
		assert_int_equal(rig_set(r, 0, 1, 2, one_two, both), 0);
		rig_forget(r);
		rig_run(r, 413);
		assert_true(hears(r, 1, 2) && hears(r, 2, 1) && deaf_to(r, 0, 1));
		assert_int_equal(r->dp.room[0].members, 1);
		assert_int_equal(rig_set(r, 0, 0, 2, zero_one, both), 0);
		rig_forget(r);
		rig_run(r, 407);
		assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	}
	/* Port 1 sat in a room throughout: one stream without a gap. */
	assert_int_equal(r->heard[1].sequence_gaps, 0);
	assert_int_equal(r->heard[1].timestamp_gaps, 0);
	assert_int_equal(r->heard[1].markers, 1);
	rig_destroy(r);
}

static void a_port_that_leaves_falls_silent_and_returns_by_media_time(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	const uint16_t all[] = {6, 5, 3};
	const uint32_t two[] = {0, 1};
	const uint16_t pair[] = {2, 1};

	(void)state;
	assert_int_equal(rig_set(r, 0, 0, 3, slots, all), 0);
	rig_run(r, 400);
	assert_int_equal(rig_set(r, 0, 0, 2, two, pair), 0);
	uint32_t before = r->heard[2].packets, timestamp = r->heard[2].timestamp;

	rig_run(r, 1000);
	assert_int_equal(r->heard[2].packets, before);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, all), 0);
	rig_run(r, 20);
	assert_int_equal(r->heard[2].packets, before + 1);
	assert_int_equal(r->heard[2].sequence_gaps, 0);
	assert_int_equal(r->heard[2].markers, 2);
	assert_in_range(r->heard[2].timestamp - timestamp, 8000, 8480);
	rig_destroy(r);
}

/* Rooms and legs on different workers, and packets that arrive at the wrong one. */
static void ports_move_between_workers(void **state)
{
	struct rig *r = rig_create(2);
	const uint16_t both[] = {2, 1};
	const uint32_t pair[] = {0, 1};

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open_room(r, 1, 1), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 1, 1, CORD_CODEC_PCMU), 0);
	rig_talk(r, 0, A_HZ);
	rig_talk(r, 1, B_HZ);
	for (uint32_t turn = 0; turn < 6; turn++) {
		uint32_t worker = turn & 1;

		r->home = turn / 2 & 1;
		assert_int_equal(rig_set(r, worker, worker, 2, pair, both), 0);
		rig_forget(r);
		rig_run(r, 400);
		assert_true(hears(r, 0, 1) && hears(r, 1, 0));
		assert_int_equal(atomic_load(&r->dp.port_owner[0]), worker);
		assert_int_equal(atomic_load(&r->dp.port_owner[1]), worker);
		assert_int_equal(r->dp.room[1 - worker].members, 0);
	}
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_int_equal(r->heard[1].timestamp_gaps, 0);
	assert_true(rig_counter(r, CORD_COUNTER_rx_handed_over) > 0);
	assert_int_equal(r->dp.worker[0]->ports + r->dp.worker[1]->ports, 2);
	rig_destroy(r);
}

/* What one peer sends is 10, 30, 40 or 60 ms long, and so is what it gets. */
static void other_packet_times(void **state)
{
	static const uint8_t times[] = {10, 20, 30, 40, 60};

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		struct rig *r = rig_create(1);
		struct cord_message m;
		const uint16_t both[] = {2, 1};

		assert_int_equal(rig_open_room(r, 0, 0), 0);
		assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
		assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMA), 0);
		m.port_set = (struct cord_port_set){
			.port = rig_port(r, 0), .terms = rig_terms(0, CORD_CODEC_PCMU)};
		m.port_set.terms.ptime_ms = times[i];
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		r->peer[0].ptime_ms = times[i];
		rig_talk(r, 0, A_HZ);
		rig_talk(r, 1, B_HZ);
		assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
		rig_run(r, 600);
		rig_forget(r);
		uint64_t concealed = rig_counter(r, CORD_COUNTER_frames_concealed);

		rig_run(r, 600);
		assert_true(hears(r, 0, 1) && hears(r, 1, 0));
		assert_int_equal(r->heard[0].payload_bytes, times[i] * 8);
		assert_int_equal(r->heard[0].sequence_gaps + r->heard[0].timestamp_gaps, 0);
		assert_int_equal(rig_counter(r, CORD_COUNTER_frames_concealed) - concealed, 0);
		rig_destroy(r);
	}
}

/* What waited for a whole packet when the packet time changed is never sent later. */
static void a_packet_time_that_changes_leaves_nothing_behind(void **state)
{
	(void)state;
	for (uint32_t wait = 20; wait <= 60; wait += 20) {
		struct rig *r = rig_create_three(
			1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
		const uint16_t both[] = {2, 1};
		struct cord_message m = {.port_set = {.port = rig_port(r, 0),
						 .terms = rig_terms(0, CORD_CODEC_PCMU)}};

		assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
		m.port_set.terms.ptime_ms = 60;
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		rig_run(r, 600 + wait);
		m.port_set.terms.ptime_ms = 20;
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		rig_run(r, 400);
		uint32_t gaps = r->heard[0].timestamp_gaps;

		m.port_set.terms.ptime_ms = 60;
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		rig_run(r, 600);
		assert_int_equal(r->heard[0].timestamp_gaps, gaps);
		assert_int_equal(r->heard[0].sequence_gaps, 0);
		assert_int_equal(r->heard[0].payload_bytes, 480);
		rig_destroy(r);
	}
}

static struct cord_message held(struct rig *r)
{
	struct cord_terms terms = rig_terms(0, CORD_CODEC_PCMU);

	terms.direction = 0;
	return (struct cord_message){.port_set = {.port = rig_port(r, 0), .terms = terms}};
}

static void a_held_port_gets_nothing_and_gives_nothing(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	struct cord_message m = held(r);
	const uint16_t both[] = {2, 1};

	(void)state;
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	rig_run(r, 200);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	uint32_t packets = r->heard[0].packets;

	rig_run(r, 400);
	assert_int_equal(r->heard[0].packets, packets);
	assert_true(deaf_to(r, 1, 0));
	assert_true(rig_counter(r, CORD_COUNTER_drop_direction) >= 19);
	m.port_set.terms.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	rig_run(r, 400);
	assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_int_equal(r->heard[0].markers, 2);
	rig_destroy(r);
}

/* A phone that sends nothing while it holds, at any moment of the tick: heard at once when it is back. */
static void a_hold_is_not_waited_for_twice(void **state)
{
	const uint16_t both[] = {2, 1};

	(void)state;
	for (uint32_t phase = 0; phase < 20; phase++) {
		struct rig *r = rig_create_three(
			1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
		struct cord_message m = held(r);

		assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
		rig_run(r, 200);
		rig_hush(r, 0); /* the network stalls: from now on some packets wait */
		rig_run(r, 60);
		rig_talk(r, 0, A_HZ);
		r->peer[0].next_ns -= 60000000;
		rig_run(r, 200 + phase);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		rig_hush(r, 0);
		rig_run(r, 700);
		r->peer[0].timestamp += 700 * 8; /* as time has passed */
		m.port_set.terms.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE;
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
		rig_run(r, 20 + phase);
		rig_talk(r, 0, A_HZ);
		rig_run(r, 160);
		rig_forget(r);
		rig_run(r, 200);
		assert_true(hears(r, 1, 0));
		rig_destroy(r);
	}
}

static void orphans_go_when_they_have_been_quiet(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	const uint16_t both[] = {2, 1};

	(void)state;
	assert_int_equal(rig_open_room(r, 0, 5), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	rig_hush(r, 2);
	rig_run(r, 100);
	atomic_store(&r->dp.unattended_since, r->now_ns);
	rig_run(r, 31000);
	/* The two go on talking; the empty room and the port without one are gone. */
	assert_int_equal(atomic_load(&r->dp.room_owner[5]), OWNER_NONE);
	assert_int_equal(atomic_load(&r->dp.port_owner[2]), OWNER_NONE);
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), 0);
	assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	rig_hush(r, 0);
	rig_run(r, 31000);
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), 0);
	rig_hush(r, 1);
	rig_run(r, 31000);
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), OWNER_NONE);
	assert_int_equal(atomic_load(&r->dp.port_owner[0]), OWNER_NONE);
	assert_int_equal(r->dp.worker[0]->ports + r->dp.worker[0]->rooms, 0);
	rig_destroy(r);
}

/* A peer that is silent says so now and then: it is there. */
static void comfort_noise_keeps_a_port_from_being_an_orphan(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMU);
	const uint16_t both[] = {2, 1};
	const uint8_t level = 60;

	(void)state;
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	for (uint32_t i = 0; i < 3; i++)
		rig_hush(r, i);
	atomic_store(&r->dp.unattended_since, r->now_ns);
	for (uint32_t i = 0; i < 40; i++) {
		rig_rtp(r, 0, 13, false, (uint16_t)i, i * 8000, &level, 1);
		rig_run(r, 1000);
	}
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), 0);
	rig_run(r, 32000);
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), OWNER_NONE);
	rig_destroy(r);
}

/* As after a machine slept: the TSC ran on, the kernel's clock did not. */
static void a_clock_that_was_ahead_is_put_back(void **state)
{
	struct rig *r =
		rig_create_three(1, tone, CORD_CODEC_PCMU, CORD_CODEC_PCMU, CORD_CODEC_PCMA);
	const uint16_t both[] = {2, 1};
	const cord_time hour = 3600000000000u;

	(void)state;
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	rig_run(r, 400);
	r->now_ns += hour;
	rig_run(r, 400);
	assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	r->now_ns -= hour;
	for (uint32_t i = 0; i < 3; i++)
		r->peer[i].next_ns = r->now_ns;
	uint32_t packets = r->heard[0].packets;
	rig_run(r, 600);
	assert_in_range(r->heard[0].packets - packets, 29, 31);
	assert_true(hears(r, 0, 1) && hears(r, 1, 0));
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	/* Nobody is an orphan because it was heard in the future. */
	atomic_store(&r->dp.unattended_since, r->now_ns);
	r->dp.port[0].last_rx = r->dp.port[1].last_rx = r->now_ns + 40 * 1000000000ull;
	rig_hush(r, 0);
	rig_hush(r, 1);
	rig_run(r, 31000);
	assert_int_equal(atomic_load(&r->dp.room_owner[0]), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mask_is_heard),
		cmocka_unit_test(conference_of_sixteen_leaves_nobody_out),
		cmocka_unit_test(gains_are_applied_to_one_listener),
		cmocka_unit_test(a_sum_beyond_the_range_is_clipped),
		cmocka_unit_test(packets_of_who_is_alone_are_not_kept),
		cmocka_unit_test(a_port_moves_from_room_to_room_and_its_numbers_go_on),
		cmocka_unit_test(a_port_that_leaves_falls_silent_and_returns_by_media_time),
		cmocka_unit_test(ports_move_between_workers),
		cmocka_unit_test(other_packet_times),
		cmocka_unit_test(a_packet_time_that_changes_leaves_nothing_behind),
		cmocka_unit_test(a_held_port_gets_nothing_and_gives_nothing),
		cmocka_unit_test(a_hold_is_not_waited_for_twice),
		cmocka_unit_test(orphans_go_when_they_have_been_quiet),
		cmocka_unit_test(comfort_noise_keeps_a_port_from_being_an_orphan),
		cmocka_unit_test(a_clock_that_was_ahead_is_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
