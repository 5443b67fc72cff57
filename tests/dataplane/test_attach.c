/* SPDX-License-Identifier: Apache-2.0 */
/* The attach socket: who is let in, what a peer may do to it, and clips that lie. */
#include "attach.h"
#include "fake_control.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct house {
	struct rig *rig;
	struct attach attach;
	pthread_t thread;
	_Atomic bool stop, still;
	char path[64];
};

/* Workers pass in the rig's own time while the house answers the socket. */
static void *keep(void *context)
{
	struct house *h = context;

	while (!atomic_load(&h->stop)) {
		if (atomic_load(&h->still)) {
			usleep(1000);
			continue;
		}
		attach_step(&h->attach, 1);
		rig_run(h->rig, 1);
	}
	return NULL;
}

static int setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	const struct attach_config c = {h->path, -1, -1};

	snprintf(h->path, sizeof(h->path), "/tmp/test-attach-%d.sock", (int)getpid());
	h->rig = rig_create(2);
	h->rig->attended = true;
	assert_int_equal(attach_open(&h->attach, &h->rig->dp, &c), 0);
	assert_int_equal(pthread_create(&h->thread, NULL, keep, h), 0);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;

	atomic_store(&h->stop, true);
	pthread_join(h->thread, NULL);
	attach_close(&h->attach);
	rig_destroy(h->rig);
	free(h);
	return 0;
}

static int attach_soon(struct house *h, struct fake_control *c)
{
	int rc = -1;

	for (uint32_t i = 0; i < 200 && rc != 0; i++) {
		rc = fake_control_attach(c, h->path);
		if (rc)
			usleep(10000);
	}
	return rc;
}

/* Says hello with `m`; the result of the answer, or a negative errno. */
static int hello(struct house *h, struct cord_attach_message *m)
{
	int fds[2];
	int s = fake_control_connect(h->path);

	assert_true(s >= 0);
	int rc = fake_control_send(s, m, -1);

	if (rc == 0)
		rc = fake_control_receive(s, m, fds, 1000);
	close(s);
	assert_int_equal(fds[0], -1);
	return rc ? rc : (int)m->result;
}

static struct cord_attach_message good_hello(void)
{
	return (struct cord_attach_message){
		.magic = CORD_SEGMENT_MAGIC, .type = CORD_ATTACH_HELLO, .sizes = cord_sizes_here()};
}

/* Every field of the sizes, wrong by one in each direction, is a refusal. */
static void every_size_that_differs_is_refused(void **state)
{
	struct house *h = *state;
	const size_t fields = sizeof(struct cord_sizes) / sizeof(uint32_t);
	struct cord_attach_message m;

	for (size_t i = 0; i < fields; i++) {
		for (int by = -1; by <= 1; by += 2) {
			m = good_hello();
			((uint32_t *)&m.sizes)[i] += (uint32_t)by;
			assert_int_equal(hello(h, &m),
				i == 0 ? CORD_ATTACH_RESULT_VERSION : CORD_ATTACH_RESULT_SIZES);
		}
	}
	m = good_hello();
	m.magic ^= 1;
	assert_int_equal(hello(h, &m), CORD_ATTACH_RESULT_MAGIC);
	for (uint32_t type = 0; type < 9; type++) {
		m = good_hello();
		m.type = type == CORD_ATTACH_HELLO ? 77 : type;
		assert_int_equal(hello(h, &m), CORD_ATTACH_RESULT_MALFORMED);
	}
}

static void datagrams_of_every_other_size_are_malformed(void **state)
{
	struct house *h = *state;
	char bytes[sizeof(struct cord_attach_message) + 64] = {0};
	struct cord_attach_message m;
	int fds[2];

	for (size_t n = 1; n < sizeof(bytes); n += 7) {
		if (n == sizeof(m))
			continue;
		int s = fake_control_connect(h->path);

		assert_true(s >= 0);
		assert_int_equal(write(s, bytes, n), n);
		assert_int_equal(fake_control_receive(s, &m, fds, 1000), 0);
		assert_int_equal(m.result, CORD_ATTACH_RESULT_MALFORMED);
		close(s);
	}
}

static void one_control_at_a_time_and_the_same_epoch_after(void **state)
{
	struct house *h = *state;
	struct fake_control a = {0}, b = {0};
	uint64_t epoch = 0;

	for (uint32_t turn = 0; turn < 5; turn++) {
		assert_int_equal(attach_soon(h, &a), 0);
		assert_int_equal(atomic_load(&a.segment->control_attached), 1);
		assert_int_equal(fake_control_attach(&b, h->path), CORD_ATTACH_RESULT_BUSY);
		assert_true(epoch == 0 || epoch == a.segment->epoch);
		epoch = a.segment->epoch;
		struct cord_message m = {
			.room_open = {.room = cord_id_make(turn, 1), .rate_hz = 8000}};

		assert_int_equal(fake_control_ask(&a, turn & 1, &m, CORD_COMMAND_ROOM_OPEN), 0);
		for (uint32_t i = 0; i <= turn; i++)
			assert_int_equal(atomic_load(&a.room_status[i].room), cord_id_make(i, 1));
		fake_control_detach(&a);
	}
}

static void the_segment_cannot_be_cut(void **state)
{
	struct house *h = *state;
	struct cord_attach_message m = good_hello();
	int fds[2];
	int s = fake_control_connect(h->path);

	assert_int_equal(fake_control_send(s, &m, -1), 0);
	assert_int_equal(fake_control_receive(s, &m, fds, 1000), 0);
	assert_int_equal(m.result, 0);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_true(ftruncate(fds[0], 4096) < 0);
	assert_true(ftruncate(fds[0], (off_t)m.bytes * 2) < 0);
	assert_true(fcntl(fds[0], F_ADD_SEALS, F_SEAL_WRITE) < 0);
	close(fds[0]);
	close(fds[1]);
	close(s);
}

/* Killed before, in, and after the handshake, and with commands in the ring. */
static void a_peer_may_die_at_any_point(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};

	for (uint32_t point = 0; point < 5; point++) {
		pid_t child = fork();

		if (child == 0) {
			struct cord_attach_message m = good_hello();
			struct cord_message room = {
				.room_open = {.room = cord_id_make(20, 1), .rate_hz = 8000}};
			int s = point ? fake_control_connect(h->path) : -1;

			if (point == 2)
				fake_control_send(s, &m, -1);
			if (point >= 3)
				fake_control_attach(&c, h->path);
			if (point == 4)
				fake_control_write(&c, 0, &room, CORD_COMMAND_ROOM_OPEN);
			kill(getpid(), SIGKILL);
		}
		waitpid(child, NULL, 0);
		assert_int_equal(attach_soon(h, &c), 0);
		fake_control_detach(&c);
	}
	assert_int_equal(attach_soon(h, &c), 0);
	/* What the dead one had published was done. */
	assert_int_equal(atomic_load(&c.room_status[20].room), cord_id_make(20, 1));
	fake_control_detach(&c);
}

static void a_dead_heartbeat_ends_the_lease(void **state)
{
	struct house *h = *state;
	struct fake_control a = {0}, b = {0};

	assert_int_equal(attach_soon(h, &a), 0);
	for (uint32_t i = 0; i < 25; i++) {
		fake_control_beat(&a);
		usleep(100000);
		assert_int_equal(atomic_load(&a.segment->control_attached), 1);
	}
	usleep(2300000);
	assert_int_equal(atomic_load(&a.segment->control_attached), 0);
	assert_int_equal(attach_soon(h, &b), 0);
	fake_control_detach(&b);
	fake_control_detach(&a);
}

/* Who stood still itself cannot tell that the other one did not. */
static void a_machine_that_stood_still_keeps_the_lease(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};

	assert_int_equal(attach_soon(h, &c), 0);
	fake_control_beat(&c);
	atomic_store(&h->still, true);
	usleep(2500000);
	atomic_store(&h->still, false);
	usleep(500000);
	assert_int_equal(atomic_load(&c.segment->control_attached), 1);
	for (uint32_t i = 0; i < 20; i++) {
		fake_control_beat(&c);
		usleep(100000);
		assert_int_equal(atomic_load(&c.segment->control_attached), 1);
	}
	/* Once, and no longer than it takes to come back. */
	for (uint32_t i = 0; i < 100 && atomic_load(&c.segment->control_attached); i++)
		usleep(100000);
	assert_int_equal(atomic_load(&c.segment->control_attached), 0);
	fake_control_detach(&c);
}

/* Beats by thousands, so that some come between any two instructions of who looks at them. */
static void a_beat_may_come_while_it_is_looked_for(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	cord_time until;
	cpu_set_t mine, others;

	/* the EAL has put this thread and the house's on one core: where there is another, go there */
	sched_getaffinity(0, sizeof(mine), &mine);
	memset(&others, 0xff, sizeof(others));
	CPU_XOR(&others, &others, &mine);
	sched_setaffinity(0, sizeof(others), &others);
	assert_int_equal(attach_soon(h, &c), 0);
	/* longer than a heartbeat may stay away */
	until = fake_control_now() + CORD_HEARTBEAT_DEAD_NS + 300000000u;
	while (fake_control_now() < until) {
		for (uint32_t i = 0; i < 1000; i++)
			fake_control_beat(&c);
		assert_int_equal(atomic_load(&c.segment->control_attached), 1);
	}
	fake_control_detach(&c);
	sched_setaffinity(0, sizeof(mine), &mine);
}

static void an_impossible_position_ends_the_lease_and_is_repaired(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	struct cord_message m = {.room_open = {.room = cord_id_make(1, 1), .rate_hz = 8000}};

	/* A position that a worker meets ends the lease; one that it does not is put right after.
	 */
	for (uint32_t turn = 0; turn < 8; turn++) {
		struct cord_worker *w;

		assert_int_equal(attach_soon(h, &c), 0);
		w = &c.worker[turn >> 1 & 1];
		if (turn & 1) {
			atomic_store(&w->commands.head, 0x80000000u);
			for (uint32_t i = 0; i < 200 && atomic_load(&c.segment->control_attached);
				i++)
				usleep(5000);
			assert_int_equal(atomic_load(&c.segment->control_attached), 0);
		} else {
			atomic_store(&w->events.tail, 0x40000000u);
		}
		fake_control_detach(&c);
	}
	assert_int_equal(attach_soon(h, &c), 0);
	assert_int_equal(fake_control_ask(&c, 1, &m, CORD_COMMAND_ROOM_OPEN), 0);
	m.room_open.room = cord_id_make(2, 1);
	assert_int_equal(fake_control_ask(&c, 0, &m, CORD_COMMAND_ROOM_OPEN), 0);
	fake_control_detach(&c);
}

static void garbage_on_the_lease_ends_it(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	struct cord_attach_message m;
	char noise[sizeof(m)];
	int fds[2];

	srandom(1);
	for (uint32_t turn = 0; turn < 20; turn++) {
		assert_int_equal(attach_soon(h, &c), 0);
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)random();
		size_t n = turn & 1 ? sizeof(noise) : 1 + (size_t)random() % 100;

		assert_int_equal(write(c.socket, noise, n), n);
		assert_int_equal(fake_control_receive(c.socket, &m, fds, 1000), -EPIPE);
		fake_control_detach(&c);
	}
}

/* ---- clips ---------------------------------------------------------------------------------- */

#define FRAMES 3u
#define ID     5u

/* A memfd with a clip that is right but for what `spoil` does to it. */
static int spoilt(void (*spoil)(uint8_t *at, size_t bytes), bool seal, uint64_t *bytes)
{
	int good = fake_control_clip(ID, CORD_CLIP_L16, FRAMES, NULL, NULL, bytes);
	int fd = memfd_create("spoilt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *from = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, good, 0);

	assert_int_equal(ftruncate(fd, (off_t)*bytes), 0);
	uint8_t *to = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	memcpy(to, from, *bytes);
	if (spoil)
		spoil(to, *bytes);
	munmap(to, *bytes);
	munmap(from, *bytes);
	close(good);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS,
					 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL),
			0);
	return fd;
}

#define SPOIL(name, field, value)                        \
	static void name(uint8_t *at, size_t bytes)      \
	{                                                \
		struct cord_clip_header *c = (void *)at; \
                                                         \
		(void)bytes;                             \
		c->field = value;                        \
	}
SPOIL(magic, magic, 1)
SPOIL(version, version, 2)
SPOIL(no_id, id, 0)
SPOIL(other_id, id, ID + 1)
SPOIL(format, format, 9)
SPOIL(other_format, format, CORD_CLIP_PCMU)
SPOIL(rate, rate_hz, 16000)
SPOIL(no_frames, frames, 0)
SPOIL(too_many_frames, frames, CORD_CLIP_FRAMES_MAX + 1)
SPOIL(more_frames, frames, FRAMES + 1)
SPOIL(frames_beyond, frames, 100000)

static void short_frame(uint8_t *at, size_t bytes)
{
	(void)bytes;
	((uint32_t *)(void *)(at + sizeof(struct cord_clip_header)))[1]--;
}

static void far_frame(uint8_t *at, size_t bytes)
{
	(void)bytes;
	((uint32_t *)(void *)(at + sizeof(struct cord_clip_header)))[2] = 0xfffffff0u;
}

static void a_clip_that_lies_is_refused(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	const struct {
		void (*spoil)(uint8_t *at, size_t bytes);
		enum cord_attach_result result;
	} lies[] = {
		{magic, CORD_ATTACH_RESULT_BAD_CLIP},
		{version, CORD_ATTACH_RESULT_BAD_CLIP},
		{no_id, CORD_ATTACH_RESULT_BAD_CLIP},
		{other_id, CORD_ATTACH_RESULT_CLIP_ID},
		{format, CORD_ATTACH_RESULT_BAD_CLIP},
		{other_format, CORD_ATTACH_RESULT_BAD_CLIP},
		{rate, CORD_ATTACH_RESULT_BAD_CLIP},
		{no_frames, CORD_ATTACH_RESULT_BAD_CLIP},
		{too_many_frames, CORD_ATTACH_RESULT_BAD_CLIP},
		{more_frames, CORD_ATTACH_RESULT_BAD_CLIP},
		{frames_beyond, CORD_ATTACH_RESULT_BAD_CLIP},
		{short_frame, CORD_ATTACH_RESULT_BAD_CLIP},
		{far_frame, CORD_ATTACH_RESULT_BAD_CLIP},
		{NULL, CORD_ATTACH_RESULT_OK},
	};
	uint64_t bytes;

	assert_int_equal(attach_soon(h, &c), 0);
	int fd = spoilt(NULL, false, &bytes);

	assert_int_equal(fake_control_clip_add(&c, fd, bytes, ID, CORD_CLIP_L16),
		CORD_ATTACH_RESULT_NOT_SEALED);
	close(fd);
	assert_int_equal(
		fake_control_clip_add(&c, -1, bytes, ID, CORD_CLIP_L16), CORD_ATTACH_RESULT_NO_FD);
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(fake_control_clip_add(&c, fd, bytes, ID, CORD_CLIP_L16),
		CORD_ATTACH_RESULT_NOT_SEALED);
	close(fd);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fd = spoilt(lies[i].spoil, true, &bytes);
		assert_int_equal(fake_control_clip_add(&c, fd, bytes - 1, ID, CORD_CLIP_L16),
			CORD_ATTACH_RESULT_BAD_CLIP);
		assert_int_equal(fake_control_clip_add(&c, fd, bytes + 1, ID, CORD_CLIP_L16),
			CORD_ATTACH_RESULT_BAD_CLIP);
		assert_int_equal(
			fake_control_clip_add(&c, fd, bytes, ID, CORD_CLIP_L16), lies[i].result);
		close(fd);
	}
	assert_int_equal(atomic_load(&c.segment->clips), 1);
	fake_control_detach(&c);
}

static void encodings_join_and_removal_is_told(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC, .clip = ID};
	uint64_t bytes;
	int fds[2];

	assert_int_equal(attach_soon(h, &c), 0);
	for (uint32_t turn = 0; turn < 2; turn++) {
		for (uint32_t format = 0; format < CORD_CLIP_FORMAT_COUNT; format++) {
			int fd = fake_control_clip(ID, format, FRAMES, NULL, NULL, &bytes);

			assert_int_equal(fake_control_clip_add(&c, fd, bytes, ID, format), 0);
			close(fd);
		}
	}
	int fd = fake_control_clip(ID, CORD_CLIP_PCMU, FRAMES + 1, NULL, NULL, &bytes);

	assert_int_equal(fake_control_clip_add(&c, fd, bytes, ID, CORD_CLIP_PCMU),
		CORD_ATTACH_RESULT_BAD_CLIP);
	close(fd);
	assert_int_equal(atomic_load(&c.segment->clips), 1);
	for (uint32_t turn = 0; turn < 2; turn++) {
		m.type = CORD_ATTACH_CLIP_REMOVE;
		m.clip = ID;
		assert_int_equal(fake_control_send(c.socket, &m, -1), 0);
		assert_int_equal(fake_control_receive(c.socket, &m, fds, 1000), 0);
		assert_int_equal(m.type, CORD_ATTACH_CLIP_REMOVED);
		assert_int_equal(
			m.result, turn ? CORD_ATTACH_RESULT_CLIP_UNKNOWN : CORD_ATTACH_RESULT_OK);
	}
	assert_int_equal(atomic_load(&c.segment->clips), 0);
	fake_control_detach(&c);
}

/* ---- taps ----------------------------------------------------------------------------------- */

static const cord_id tap = (1ull << 32) | 7;

#define SPOIL_TAP(name, field, value)              \
	static void tap_##name(struct cord_tap *t) \
	{                                          \
		t->header.field = value;           \
	}
SPOIL_TAP(magic, magic, 1)
SPOIL_TAP(version, version, 2)
SPOIL_TAP(other_id, id, tap + 1)
SPOIL_TAP(no_generation, id, 7)
SPOIL_TAP(rate, rate_hz, 11025)
SPOIL_TAP(other_rate, rate_hz, 16000)
SPOIL_TAP(slots, slots, 512)

static void a_tap_that_lies_is_refused(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	static void (*const lies[])(struct cord_tap * t) = {tap_magic, tap_version, tap_other_id,
		tap_no_generation, tap_rate, tap_other_rate, tap_slots};
	const uint64_t bytes = cord_tap_bytes(8000);
	struct cord_tap *t;

	assert_int_equal(attach_soon(h, &c), 0);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int fd = fake_control_tap(tap, 8000, &t);

		lies[i](t);
		assert_int_equal(
			fake_control_tap_add(&c, fd, bytes, tap), CORD_ATTACH_RESULT_BAD_TAP);
		munmap(t, bytes);
		close(fd);
	}
	int fd = fake_control_tap(tap, 8000, &t);

	assert_int_equal(fake_control_tap_add(&c, -1, bytes, tap), CORD_ATTACH_RESULT_NO_FD);
	assert_int_equal(fake_control_tap_add(&c, fd, bytes - 1, tap), CORD_ATTACH_RESULT_BAD_TAP);
	assert_int_equal(
		fake_control_tap_add(&c, fd, bytes, CORD_TAPS_MAX), CORD_ATTACH_RESULT_BAD_TAP);
	assert_int_equal(fake_control_tap_add(&c, fd, bytes, tap), CORD_ATTACH_RESULT_OK);
	assert_int_equal(fake_control_tap_add(&c, fd, bytes, tap), CORD_ATTACH_RESULT_TAP_TAKEN);
	munmap(t, bytes);
	close(fd);
	fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	assert_int_equal(fake_control_tap_add(&c, fd, bytes, tap), CORD_ATTACH_RESULT_NOT_SEALED);
	close(fd);
	fake_control_detach(&c);
}

/* Removal is told; what a control leaves behind goes with its lease, and the next may use the slot.
 */
static void taps_are_removed_and_end_with_the_lease(void **state)
{
	struct house *h = *state;
	struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC};
	const uint64_t bytes = cord_tap_bytes(16000);
	struct cord_tap *t;
	int fds[2], fd = fake_control_tap(tap, 16000, &t);

	for (uint32_t life = 0; life < 3; life++) {
		struct fake_control c = {0};

		assert_int_equal(attach_soon(h, &c), 0);
		for (uint32_t turn = 0; turn < 2; turn++) {
			m.type = CORD_ATTACH_TAP_REMOVE;
			m.tap = tap;
			assert_int_equal(fake_control_tap_add(&c, fd, bytes, tap), 0);
			assert_int_equal(fake_control_send(c.socket, &m, -1), 0);
			assert_int_equal(fake_control_receive(c.socket, &m, fds, 1000), 0);
			assert_int_equal(m.type, CORD_ATTACH_TAP_REMOVED);
			assert_int_equal(m.result, CORD_ATTACH_RESULT_OK);
			assert_true(m.tap == tap);
		}
		m.type = CORD_ATTACH_TAP_REMOVE;
		assert_int_equal(fake_control_send(c.socket, &m, -1), 0);
		assert_int_equal(fake_control_receive(c.socket, &m, fds, 1000), 0);
		assert_int_equal(m.type, CORD_ATTACH_TAP_REMOVED);
		assert_int_equal(m.result, CORD_ATTACH_RESULT_TAP_UNKNOWN);
		assert_int_equal(fake_control_tap_add(&c, fd, bytes, tap), 0);
		fake_control_detach(&c);
	}
	munmap(t, bytes);
	close(fd);
}

/* The table's end: a full table refuses its own control, and makes room for the next one. */
static void a_full_table_of_clips(void **state)
{
	struct house *h = *state;
	struct fake_control c = {0};
	uint64_t bytes;

	for (uint32_t life = 0; life < 2; life++) {
		assert_int_equal(attach_soon(h, &c), 0);
		for (uint32_t i = 0; i <= CORD_CLIPS_MAX; i++) {
			cord_clip_id id = 1000000u * (life + 1) + i;
			int fd = fake_control_clip(id, CORD_CLIP_PCMU, 1, NULL, NULL, &bytes);

			if (i % 64 == 0)
				fake_control_beat(&c);
			assert_int_equal(fake_control_clip_add(&c, fd, bytes, id, CORD_CLIP_PCMU),
				i < CORD_CLIPS_MAX ? CORD_ATTACH_RESULT_OK
						   : CORD_ATTACH_RESULT_CLIP_TABLE_FULL);
			close(fd);
		}
		fake_control_detach(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_size_that_differs_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			datagrams_of_every_other_size_are_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_control_at_a_time_and_the_same_epoch_after, setup, teardown),
		cmocka_unit_test_setup_teardown(the_segment_cannot_be_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_may_die_at_any_point, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_heartbeat_ends_the_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_machine_that_stood_still_keeps_the_lease, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_beat_may_come_while_it_is_looked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_impossible_position_ends_the_lease_and_is_repaired, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_on_the_lease_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clip_that_lies_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			encodings_join_and_removal_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_table_of_clips, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tap_that_lies_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			taps_are_removed_and_end_with_the_lease, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
