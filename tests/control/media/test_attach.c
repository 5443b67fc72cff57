/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a dataplane can be wrong at attach: a clear reason, no mapping, no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "media/attach.h"

#include "fake_dataplane.h"

static char directory[] = "/tmp/cordboard-attach-XXXXXX";
static char path[96];
static struct loop *loop;
static struct attach *attach;
static struct fake *fake;
static unsigned ups, downs, events;
static char why[200];

static void on_up(void *ctx, bool same_epoch)
{
	ups++;
}

static void on_down(void *ctx, const char *reason)
{
	downs++;
	snprintf(why, sizeof(why), "%s", reason);
}

static void on_event(void *ctx, unsigned worker, const struct cord_message *m)
{
	events++;
}

static void on_pass(void *ctx, uint64_t now_ns)
{
}

static void on_clip(void *ctx, cord_clip_id id, uint32_t format, uint32_t result)
{
}

static void on_clip_removed(void *ctx, cord_clip_id id, uint32_t result)
{
}

static int set_up(void **state)
{
	struct attach_config config = {.up = on_up,
		.down = on_down,
		.event = on_event,
		.pass = on_pass,
		.clip_ready = on_clip,
		.clip_removed = on_clip_removed};

	ups = downs = events = 0;
	snprintf(path, sizeof(path), "%s/socket", directory);
	assert_int_equal(loop_create(NULL, &loop), 0);
	config.loop = loop;
	assert_int_equal(address_parse(str_from(path), -1, &config.socket), 0);
	return attach_create(&config, &attach);
}

static int tear_down(void **state)
{
	attach_destroy(attach);
	loop_destroy(loop);
	fake_kill(fake);
	fake = NULL;
	return 0;
}

static void run_ms(unsigned ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;

	while (clock_now() < end) {
		loop_step(loop, CLOCK_MS);
		fake_step(fake);
	}
}

#define UNTIL(condition)                                    \
	do {                                                \
		uint64_t end_ = clock_now() + 10 * CLOCK_S; \
		while (!(condition) && clock_now() < end_)  \
			run_ms(2);                          \
		assert_true(condition);                     \
	} while (0)

static void spoil_magic(struct cord_segment *s)
{
	s->magic++;
}
static void spoil_version(struct cord_segment *s)
{
	s->version++;
}
static void spoil_bytes(struct cord_segment *s)
{
	s->bytes += 4096;
}
static void spoil_no_workers(struct cord_segment *s)
{
	s->workers = 0;
}
static void spoil_workers(struct cord_segment *s)
{
	s->workers = CORD_WORKERS_MAX + 1;
}
static void spoil_many_workers(struct cord_segment *s)
{
	s->workers = CORD_WORKERS_MAX;
}
static void spoil_no_ports(struct cord_segment *s)
{
	s->ports = 0;
}
static void spoil_ports(struct cord_segment *s)
{
	s->ports = CORD_PORTS_MAX;
}
static void spoil_odd_ports(struct cord_segment *s)
{
	s->ports--;
}
static void spoil_rooms(struct cord_segment *s)
{
	s->rooms = CORD_ROOMS_MAX + 1;
}
static void spoil_rooms_per_worker(struct cord_segment *s)
{
	s->rooms_per_worker = 0;
}
static void spoil_no_srtp(struct cord_segment *s)
{
	s->srtp_backend = CORD_SRTP_BACKEND_NONE;
}
static void spoil_srtp(struct cord_segment *s)
{
	s->srtp_backend = CORD_SRTP_BACKEND_COUNT;
}
static void spoil_no_addresses(struct cord_segment *s)
{
	s->addresses = 0;
}
static void spoil_addresses(struct cord_segment *s)
{
	s->addresses = CORD_ADDRESSES_MAX + 1;
}
static void spoil_family(struct cord_segment *s)
{
	s->address[1].family = 9;
}
static void spoil_odd_base(struct cord_segment *s)
{
	s->udp_port_base++;
}
static void spoil_high_base(struct cord_segment *s)
{
	s->udp_port_base = 65534;
}
static void spoil_base_overflow(struct cord_segment *s)
{
	s->udp_port_base = 0xfffffffe;
}
static void spoil_offset_workers(struct cord_segment *s)
{
	s->offset_workers = UINT64_MAX - 63;
}
static void spoil_offset_odd(struct cord_segment *s)
{
	s->offset_port_status += 8;
}
static void spoil_offset_header(struct cord_segment *s)
{
	s->offset_room_status = 0;
}
static void spoil_offset_far(struct cord_segment *s)
{
	s->offset_port_status = s->bytes - 64;
}
static void spoil_overlap(struct cord_segment *s)
{
	s->offset_port_status = s->offset_workers;
}

static void a_wrong_header_is_refused(void **state)
{
	static const struct {
		void (*spoil)(struct cord_segment *s);
		const char *part;
	} cases[] = {
		{spoil_magic, "magic"},
		{spoil_version, "version"},
		{spoil_bytes, "size of the segment"},
		{spoil_no_workers, "workers"},
		{spoil_workers, "workers"},
		{spoil_many_workers, "offset"},
		{spoil_no_ports, "ports"},
		{spoil_ports, "UDP ports"},
		{spoil_odd_ports, "ports"},
		{spoil_rooms, "rooms"},
		{spoil_rooms_per_worker, "rooms"},
		{spoil_no_srtp, "SRTP"},
		{spoil_srtp, "SRTP"},
		{spoil_no_addresses, "addresses"},
		{spoil_addresses, "addresses"},
		{spoil_family, "address"},
		{spoil_odd_base, "UDP ports"},
		{spoil_high_base, "UDP ports"},
		{spoil_base_overflow, "UDP ports"},
		{spoil_offset_workers, "offset"},
		{spoil_offset_odd, "offset"},
		{spoil_offset_header, "offset"},
		{spoil_offset_far, "offset"},
		{spoil_overlap, "overlap"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake = fake_start(path, i + 1, &(struct fake_misconduct){.spoil = cases[i].spoil});
		UNTIL(fake->attaches > 0);
		run_ms(10);
		assert_int_equal(ups, 0);
		if (!strstr(attach_reason(attach), cases[i].part))
			fail_msg("case %zu: '%s' does not say '%s'", i, attach_reason(attach),
				cases[i].part);
		fake_kill(fake);
		fake = NULL;
	}
	/* And the sizes, each field of them. */
	for (size_t i = 0; i < sizeof(struct cord_sizes) / 4; i++) {
		struct cord_segment *s = calloc(1, sizeof(*s));
		struct attach_shape shape;
		const char *wrong;

		s->magic = CORD_SEGMENT_MAGIC;
		s->version = CORD_SEGMENT_VERSION;
		s->bytes = sizeof(*s);
		s->sizes = cord_sizes_here();
		((uint32_t *)&s->sizes)[i]++;
		assert_int_equal(attach_judge(s, sizeof(*s), &shape, &wrong), -EPROTO);
		assert_string_equal(wrong, "struct sizes");
		free(s);
	}
}

static void a_wrong_welcome_is_refused(void **state)
{
	const struct {
		struct fake_misconduct wrong;
		const char *part;
	} cases[] = {
		{{.welcome_result = CORD_ATTACH_RESULT_BUSY}, "another control"},
		{{.welcome_result = CORD_ATTACH_RESULT_SIZES}, "sizes"},
		{{.welcome_result = CORD_ATTACH_RESULT_PEER}, "not allowed"},
		{{.welcome_result = 9999}, "unknown result"},
		{{.welcome_bytes_off = 4096}, "size announced"},
		{{.welcome_bytes_off = (uint64_t)-4096}, "size announced"},
		{{.welcome_epoch_off = 1}, "epoch"},
		{{.welcome_fds_less = 1}, "descriptors"},
		{{.welcome_fds_less = 2}, "descriptors"},
		{{.welcome_cut = 8}, "bytes on the attach socket"},
		{{.welcome_bad_magic = true}, "magic"},
		{{.welcome_bad_sizes = true}, "sizes"},
		{{.no_seals = true}, "not sealed"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake = fake_start(path, i + 1, &cases[i].wrong);
		UNTIL(fake->attaches > 0);
		run_ms(10);
		assert_int_equal(ups, 0);
		if (!strstr(attach_reason(attach), cases[i].part))
			fail_msg("case %zu: '%s' does not say '%s'", i, attach_reason(attach),
				cases[i].part);
		fake_kill(fake);
		fake = NULL;
	}
	fake = fake_start(path, 99, NULL);
	UNTIL(ups == 1);
	assert_string_equal(attach_reason(attach), "");
}

static void a_silent_dataplane_is_given_up(void **state)
{
	fake = fake_start(path, 1, &(struct fake_misconduct){.no_welcome = true});
	UNTIL(strstr(attach_reason(attach), "no answer"));
	fake->wrong.no_welcome = false;
	UNTIL(ups == 1);
	assert_int_equal(downs, 0);
}

static void it_dies_at_any_point(void **state)
{
	/* After so many passes of its: before accept, before hello, after welcome, later. */
	for (unsigned passes = 0; passes < 12; passes++) {
		unsigned before = ups;

		fake = fake_start(path, passes + 1, NULL);
		for (unsigned i = 0; i < 60 && fake->connection < 0; i++) {
			loop_step(loop, CLOCK_MS);
			if (passes > 0)
				fake_step(fake);
		}
		for (unsigned i = 1; i < passes; i++) {
			loop_step(loop, 0);
			fake_step(fake);
		}
		fake_kill(fake);
		fake = NULL;
		UNTIL(attach_state(attach) == ATTACH_WAITING);
		assert_int_equal(downs, ups);
		assert_true(ups - before <= 1);
	}
	fake = fake_start(path, 100, NULL);
	UNTIL(attach_state(attach) == ATTACH_UP);
}

static void a_sleeper_is_woken_by_the_eventfd(void **state)
{
	fake = fake_start(path, 1, NULL);
	UNTIL(ups == 1);
	run_ms(20);
	struct cord_message m = {.type = CORD_EVENT_DONE};
	unsigned before = fake->wakes;
	/* The loop has slept: the flag went up and came down. */
	assert_int_equal(atomic_load(&fake->segment->control_sleeping), 0);
	atomic_store(&fake->segment->control_sleeping, 1);
	fake_event(fake, 0, &m);
	assert_int_equal(fake->wakes, before + 1);
	uint64_t begun = clock_now();
	loop_step(loop, 5 * CLOCK_S);
	loop_step(loop, 0);
	assert_true(clock_now() - begun < CLOCK_S);
	assert_int_equal(events, 1);
	/* What is written before the sleep is seen without it. */
	m.type = CORD_EVENT_DONE;
	fake_event(fake, 1, &m);
	begun = clock_now();
	loop_step(loop, 5 * CLOCK_S);
	assert_true(clock_now() - begun < CLOCK_S);
	assert_int_equal(events, 2);
	assert_true(atomic_load(&fake->segment->control_heartbeat) > 0);
}

/* So long, or until the lease ends. */
static void run_alone_ms(unsigned ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;

	while (downs == 0 && clock_now() < end)
		loop_step(loop, CLOCK_MS);
}

/* Who stood still itself cannot tell that the other one did not. */
static void a_machine_that_stood_still_keeps_the_lease(void **state)
{
	fake = fake_start(path, 1, NULL);
	UNTIL(ups == 1);
	run_ms(300);
	run_alone_ms(250); /* its last beat has been seen */
	usleep(2300000);
	run_alone_ms(1000);
	assert_int_equal(downs, 0);
	run_ms(300);
	/* Once, and no longer than it takes to come back. */
	run_alone_ms(10000);
	assert_int_equal(downs, 1);
	assert_non_null(strstr(why, "no heartbeat"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(a_wrong_header_is_refused),
		T(a_wrong_welcome_is_refused),
		T(a_silent_dataplane_is_given_up),
		T(it_dies_at_any_point),
		T(a_sleeper_is_woken_by_the_eventfd),
		T(a_machine_that_stood_still_keeps_the_lease),
#undef T
	};

	if (!mkdtemp(directory))
		return 1;
	log_set_level(LOG_LEVEL_ERROR + 1);
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return result;
}
