/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's layouts, pinned, and its rings under everything that a peer may do to them. */
#include <cordboard/segment.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * A change of one of these is a change of the contract: raise CORD_SEGMENT_VERSION with it.
 */
_Static_assert(CORD_SEGMENT_VERSION == 3, "layouts below are those of version 3");
_Static_assert(sizeof(struct cord_address) == 20, "address");
_Static_assert(sizeof(struct cord_terms) == 144, "terms");
_Static_assert(sizeof(struct cord_port_open) == 160, "port_open");
_Static_assert(sizeof(struct cord_port_set) == 152, "port_set");
_Static_assert(sizeof(struct cord_port_close) == 8, "port_close");
_Static_assert(sizeof(struct cord_port_playlist) == 144, "port_playlist");
_Static_assert(sizeof(struct cord_port_digits) == 72, "port_digits");
_Static_assert(sizeof(struct cord_room_open) == 16, "room_open");
_Static_assert(sizeof(struct cord_room_member) == 24, "room_member");
_Static_assert(sizeof(struct cord_room_gain) == 4, "room_gain");
_Static_assert(sizeof(struct cord_room_set) == 464, "room_set");
_Static_assert(sizeof(struct cord_room_close) == 8, "room_close");
_Static_assert(sizeof(struct cord_event_done) == 8, "event_done");
_Static_assert(sizeof(struct cord_event_media_first) == 8, "event_media_first");
_Static_assert(sizeof(struct cord_event_digit) == 16, "event_digit");
_Static_assert(sizeof(struct cord_event_player_end) == 16, "event_player_end");
_Static_assert(sizeof(struct cord_event_digits_sent) == 8, "event_digits_sent");
_Static_assert(sizeof(struct cord_message) == 24 + 464, "message");
_Static_assert(offsetof(struct cord_message, port_open) == 24, "envelope");
_Static_assert(sizeof(struct cord_ring) == 128 + CORD_RING_SLOTS * CORD_RING_SLOT_BYTES, "ring");
_Static_assert(offsetof(struct cord_ring, tail) == 64, "positions have lines of their own");
_Static_assert(sizeof(struct cord_port_status) % 64 == 0, "no line belongs to two ports");
_Static_assert(sizeof(struct cord_clip_header) == 32, "clip header");
_Static_assert(sizeof(struct cord_tap_header) == 24, "tap header");
_Static_assert(sizeof(struct cord_tap) == 192, "header and positions have lines of their own");
_Static_assert(sizeof(struct cord_tap_frame) == 8, "tap frame");
_Static_assert(sizeof(struct cord_room_status) == 16, "room status");
_Static_assert(offsetof(struct cord_segment, dataplane_heartbeat) % 64 == 0, "writer's line");
_Static_assert(offsetof(struct cord_segment, control_heartbeat) % 64 == 0, "writer's line");

static struct cord_ring *ring_new(void)
{
	struct cord_ring *r =
		mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(r != MAP_FAILED);
	cord_ring_init(r);
	return r;
}

static void ring_free(struct cord_ring *r)
{
	munmap(r, sizeof(*r));
}

/* A message whose every byte follows from its number. */
static struct cord_message message(uint64_t n)
{
	struct cord_message m;

	memset(&m, (int)(n % 251), sizeof(m));
	m.correlation = n;
	return m;
}

static void assert_message(const struct cord_message *m, uint64_t n)
{
	struct cord_message want = message(n);

	if (memcmp(m, &want, sizeof(want)) != 0)
		fail_msg("message %llu is not what was written (correlation %llu)",
			(unsigned long long)n, (unsigned long long)m->correlation);
}

static void empty_full_and_everything_between(void **state)
{
	struct cord_ring *ring = ring_new();
	struct cord_ring_writer w;
	struct cord_ring_reader r;
	struct cord_message m;
	uint64_t in = 0, out = 0;

	(void)state;
	/* Positions close to where they wrap to 0. */
	atomic_store(&ring->head, 0xffffffffu - CORD_RING_SLOTS / 2);
	atomic_store(&ring->tail, 0xffffffffu - CORD_RING_SLOTS / 2);
	cord_ring_writer_join(&w, ring);
	cord_ring_reader_join(&r, ring);
	for (uint32_t turn = 0; turn < 3; turn++) {
		assert_false(cord_ring_waiting(&r));
		assert_int_equal(cord_ring_read(&r, &m), CORD_RING_EMPTY);
		for (uint32_t i = 0; i < CORD_RING_SLOTS; i++) {
			m = message(in++);
			assert_int_equal(cord_ring_write(&w, &m), CORD_RING_OK);
			assert_true(cord_ring_waiting(&r));
		}
		assert_int_equal(cord_ring_write(&w, &m), CORD_RING_FULL);
		for (uint32_t i = 0; i < CORD_RING_SLOTS; i++) {
			assert_int_equal(cord_ring_read(&r, &m), CORD_RING_OK);
			assert_message(&m, out++);
			if (i == 0) {
				m = message(in);
				assert_int_equal(cord_ring_write(&w, &m), CORD_RING_OK);
				assert_int_equal(cord_ring_write(&w, &m), CORD_RING_FULL);
			}
		}
		in++;
		assert_int_equal(cord_ring_read(&r, &m), CORD_RING_OK);
		assert_message(&m, out++);
	}
	ring_free(ring);
}

static void impossible_positions_are_faults_and_touch_nothing(void **state)
{
	struct cord_ring *ring = ring_new();
	struct cord_ring_writer w;
	struct cord_ring_reader r;
	struct cord_message m = message(1), kept = m;

	(void)state;
	for (uint64_t ahead = CORD_RING_SLOTS + 1; ahead < 1ull << 32; ahead = ahead * 3 / 2) {
		cord_ring_init(ring);
		cord_ring_reader_join(&r, ring);
		atomic_store(&ring->head, (uint32_t)ahead);
		for (uint32_t again = 0; again < 3; again++)
			assert_int_equal(cord_ring_read(&r, &m), CORD_RING_FAULT);
		/* One who joins finds the fault too. */
		cord_ring_reader_join(&r, ring);
		assert_int_equal(cord_ring_read(&r, &m), CORD_RING_FAULT);
		assert_memory_equal(&m, &kept, sizeof(m));
		assert_int_equal(r.tail, 0);
		/* The writer's side: a tail that has overtaken the head, seen when it looks. */
		cord_ring_init(ring);
		cord_ring_writer_join(&w, ring);
		for (uint32_t i = 0; i < CORD_RING_SLOTS; i++)
			assert_int_equal(cord_ring_write(&w, &m), CORD_RING_OK);
		atomic_store(&ring->tail, (uint32_t)(CORD_RING_SLOTS + ahead));
		if ((uint32_t)-ahead <= CORD_RING_SLOTS)
			continue;
		for (uint32_t again = 0; again < 3; again++)
			assert_int_equal(cord_ring_write(&w, &m), CORD_RING_FAULT);
		cord_ring_writer_join(&w, ring);
		assert_int_equal(cord_ring_write(&w, &m), CORD_RING_FAULT);
	}
	ring_free(ring);
}

/* A new owner goes on where the last one stopped. */
static void stale_ends_join_where_the_last_one_left(void **state)
{
	struct cord_ring *ring = ring_new();
	struct cord_ring_writer w;
	struct cord_ring_reader r;
	struct cord_message m;
	uint64_t in = 0, out = 0;

	(void)state;
	cord_ring_writer_join(&w, ring);
	cord_ring_reader_join(&r, ring);
	for (uint32_t turn = 0; turn < 1000; turn++) {
		for (uint32_t i = 0; i < 7; i++) {
			m = message(in++);
			assert_int_equal(cord_ring_write(&w, &m), CORD_RING_OK);
		}
		for (uint32_t i = 0; i < 5 + 4 * (turn & 1) && out < in; i++) {
			assert_int_equal(cord_ring_read(&r, &m), CORD_RING_OK);
			assert_message(&m, out++);
		}
		cord_ring_writer_join(&w, ring);
		cord_ring_reader_join(&r, ring);
	}
	ring_free(ring);
}

#define STREAM 2000000u

static void *produce(void *ring)
{
	struct cord_ring_writer w;
	struct cord_message m;

	cord_ring_writer_join(&w, ring);
	for (uint64_t n = 0; n < STREAM;) {
		m = message(n);
		if (cord_ring_write(&w, &m) == CORD_RING_OK)
			n++;
		else
			sched_yield();
	}
	return NULL;
}

static void two_threads_two_million_messages(void **state)
{
	struct cord_ring *ring = ring_new();
	struct cord_ring_reader r;
	struct cord_message m;
	pthread_t thread;

	(void)state;
	cord_ring_reader_join(&r, ring);
	assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
	for (uint64_t n = 0; n < STREAM;) {
		if (cord_ring_read(&r, &m) == CORD_RING_OK)
			assert_message(&m, n++);
		else
			sched_yield();
	}
	pthread_join(thread, NULL);
	ring_free(ring);
}

/* kill -9 at any point: what was published is whole, and the next producer goes on. */
static void a_producer_that_is_killed_leaves_whole_messages(void **state)
{
	struct cord_ring *ring = ring_new();
	struct cord_ring_reader r;
	struct cord_message m;
	uint64_t seen = 0;

	(void)state;
	cord_ring_reader_join(&r, ring);
	srandom(3);
	for (uint32_t round = 0; round < 100; round++) {
		pid_t child = fork();

		if (child == 0) {
			struct cord_ring_writer w;

			cord_ring_writer_join(&w, ring);
			for (uint64_t n = w.head;;) {
				m = message(n);
				if (cord_ring_write(&w, &m) == CORD_RING_OK)
					n++;
			}
		}
		uint32_t take = (uint32_t)random() % 20000;

		while (take > 0) {
			enum cord_ring_result result = cord_ring_read(&r, &m);

			assert_true(result == CORD_RING_OK || result == CORD_RING_EMPTY);
			if (result != CORD_RING_OK)
				continue;
			assert_message(&m, m.correlation);
			assert_int_equal((uint32_t)m.correlation, r.tail - 1);
			take--;
			seen++;
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (cord_ring_read(&r, &m) == CORD_RING_OK)
			assert_message(&m, m.correlation);
	}
	assert_true(seen > 0);
	ring_free(ring);
}

/* A version that never becomes even, and one that moves all the time, are given up on. */
static void a_status_that_is_being_written_is_not_believed(void **state)
{
	struct cord_port_status s = {0}, copy;

	(void)state;
	cord_port_status_begin(&s);
	assert_false(cord_port_status_read(&s, &copy));
	s.rx_packets = 5;
	cord_port_status_end(&s);
	assert_true(cord_port_status_read(&s, &copy));
	assert_int_equal(copy.rx_packets, 5);
}

struct torn {
	struct cord_port_status status;
	_Atomic bool stop;
};

static void *write_status(void *context)
{
	struct torn *t = context;

	for (uint64_t n = 1; !atomic_load(&t->stop); n++) {
		cord_port_status_begin(&t->status);
		t->status.opened = n;
		t->status.rx_packets = n;
		t->status.tx_packets = n;
		t->status.rx_lost = (uint32_t)n;
		cord_port_status_end(&t->status);
	}
	return NULL;
}

static void a_status_is_read_whole(void **state)
{
	static struct torn t;
	struct cord_port_status copy;
	pthread_t thread;
	uint32_t good = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_status, &t), 0);
	for (uint32_t i = 0; i < 200000; i++) {
		if (!cord_port_status_read(&t.status, &copy))
			continue;
		good++;
		assert_true(copy.opened == copy.rx_packets && copy.rx_packets == copy.tx_packets &&
			    copy.rx_lost == (uint32_t)copy.opened);
	}
	atomic_store(&t.stop, true);
	pthread_join(thread, NULL);
	assert_true(good > 0);
}

static void every_type_has_a_name_and_a_size(void **state)
{
	(void)state;
	for (uint32_t t = 0; t < 300; t++) {
		bool known = (t > CORD_MESSAGE_NONE && t < CORD_COMMAND_END) ||
			     (t > CORD_EVENT_BEGIN && t < CORD_EVENT_END);

		assert_int_equal(cord_message_body_size(t) != 0, known);
		assert_int_equal(strcmp(cord_message_name(t), "?") != 0, known);
	}
	for (uint32_t c = 0; c < CORD_COUNTER_COUNT; c++)
		assert_non_null(cord_counter_row(c)->help);
	assert_null(cord_counter_row(CORD_COUNTER_COUNT));
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(strcmp(cord_refusal_name(i), "unknown refusal") != 0,
			i < CORD_REFUSAL_COUNT);
		assert_int_equal(strcmp(cord_attach_result_name(i), "unknown result") != 0,
			i < CORD_ATTACH_RESULT_COUNT);
	}
}

/* Each slot has an even UDP port of its own, in order, on each address. */
static void local_addresses(void **state)
{
	const struct cord_address a[2] = {
		cord_address_ipv4(10, 0, 0, 1, 0), cord_address_ipv4(10, 0, 0, 2, 0)};

	(void)state;
	for (uint32_t slot = 0; slot < 200; slot++) {
		struct cord_address l = cord_segment_local(a, 100, 20000, slot);

		assert_int_equal(l.udp_port, 20000 + 2 * (slot % 100));
		assert_int_equal(l.ip[3], 1 + slot / 100);
	}
}

/* The ring of a tap: filled to its end, drained, across the wrap of positions; lies are noticed. */
static void a_tap_is_filled_and_drained(void **state)
{
	const size_t bytes = cord_tap_bytes(16000);
	struct cord_tap *tap =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct cord_tap_writer w;
	struct cord_tap_reader r;
	struct cord_tap_frame *f;
	uint64_t written = 0, read = 0;

	(void)state;
	assert_true(tap != MAP_FAILED);
	cord_tap_writer_join(&w, tap, 16000);
	cord_tap_reader_join(&r, tap, 16000);
	w.head = w.tail = r.tail = UINT32_MAX - 99;
	atomic_store(&tap->head, w.head);
	atomic_store(&tap->tail, r.tail);
	for (uint32_t round = 0; round < 4; round++) {
		while ((f = cord_tap_write_begin(&w))) {
			assert_true((uint8_t *)f + cord_tap_frame_bytes(16000) <=
				    (uint8_t *)tap + bytes);
			f->period = ++written;
			f->pcm[0] = (int16_t)written;
			f->pcm[639] = (int16_t)-written;
			cord_tap_write_end(&w);
		}
		assert_int_equal(written - read, CORD_TAP_SLOTS);
		assert_int_equal(cord_tap_waiting(&r), CORD_TAP_SLOTS);
		while (cord_tap_waiting(&r) > 0) {
			const struct cord_tap_frame *o = cord_tap_oldest(&r);

			read++;
			assert_true(o->period == read && o->pcm[0] == (int16_t)read &&
				    o->pcm[639] == (int16_t)-read);
			cord_tap_read_end(&r);
		}
	}
	atomic_store(&tap->head, r.tail + CORD_TAP_SLOTS + 1);
	assert_int_equal(cord_tap_waiting(&r), -EPROTO);
	atomic_store(&tap->head, r.tail - 1);
	assert_int_equal(cord_tap_waiting(&r), -EPROTO);
	for (uint32_t i = 0; i < CORD_TAP_SLOTS; i++) {
		assert_non_null(cord_tap_write_begin(&w));
		cord_tap_write_end(&w);
	}
	atomic_store(&tap->tail, w.head + 1);
	assert_null(cord_tap_write_begin(&w));
	atomic_store(&tap->tail, w.head - CORD_TAP_SLOTS + 1);
	assert_non_null(cord_tap_write_begin(&w));
	munmap(tap, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_full_and_everything_between),
		cmocka_unit_test(impossible_positions_are_faults_and_touch_nothing),
		cmocka_unit_test(stale_ends_join_where_the_last_one_left),
		cmocka_unit_test(two_threads_two_million_messages),
		cmocka_unit_test(a_producer_that_is_killed_leaves_whole_messages),
		cmocka_unit_test(a_status_that_is_being_written_is_not_believed),
		cmocka_unit_test(a_status_is_read_whole),
		cmocka_unit_test(every_type_has_a_name_and_a_size),
		cmocka_unit_test(local_addresses),
		cmocka_unit_test(a_tap_is_filled_and_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
