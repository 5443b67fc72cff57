/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: a dataplane that lies. Control's media room is attached to one, with two legs that
 * talk in a room; the input is a series of steps of that dataplane, each led by a byte:
 *
 *     0  an event of any type and size in a ring, ids made plausible
 *     1  the same, as it comes
 *     2  bytes anywhere in the status of a port
 *     3  bytes anywhere in what the segment says beside the rings
 *     4  an impossible position of a ring
 *     5  a message on the attach socket
 *     6  a header of a segment for attach_judge() alone
 *     7  time
 *
 * Control goes on, and what it was told is in range. A lease that ended is taken up again.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "control/media/fake_dataplane.h"
#include "media/media.h"
#include "media/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { STEPS_MAX = 100, LEGS = 2 };

struct input {
	const uint8_t *bytes;
	size_t length;
};

static char path[64];
static struct loop *loop;
static struct offload *offload;
static struct random seeded;
static struct media *media;
static struct media_room *room;
static struct media_leg *legs[LEGS];
static struct fake *fake;
static uint64_t epoch;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t take(struct input *in)
{
	if (in->length == 0)
		return 0;
	in->length--;
	return *in->bytes++;
}

static void take_bytes(struct input *in, void *to, size_t n)
{
	n = n < in->length ? n : in->length;
	memcpy(to, in->bytes, n);
	in->bytes += n;
	in->length -= n;
}

/* ---- what control is told -------------------------------------------------------------------- */

static void on_key(void *ctx, void *leg_ctx, char digit, uint64_t time_ns)
{
	require(leg_ctx >= (void *)legs && leg_ctx < (void *)(legs + LEGS));
	require(digit != '\0' && strchr("0123456789*#ABCD", digit) != NULL);
}

static void on_play(void *ctx, void *leg_ctx, uint64_t token)
{
	require(leg_ctx >= (void *)legs && leg_ctx < (void *)(legs + LEGS));
}

static void on_leg_failed(void *ctx, void *leg_ctx, const char *why)
{
	require(leg_ctx >= (void *)legs && leg_ctx < (void *)(legs + LEGS));
	require(why && *why);
}

/* ---- the two processes ----------------------------------------------------------------------- */

static void step(void)
{
	loop_step(loop, 0);
	fake_step(fake);
}

static bool settled(void)
{
	struct media_counts c;

	media_counts(media, &c);
	return media_state(media) == MEDIA_UP && c.commands_open == 0 && c.commands_waiting == 0 &&
	       c.restoring == 0;
}

static void settle(void)
{
	uint64_t end = clock_now() + 8 * CLOCK_S;

	do {
		loop_step(loop, settled() ? 0 : CLOCK_MS);
		fake_step(fake);
	} while (!settled() && clock_now() < end);
	require(settled());
}

static void call(void)
{
	const struct cord_terms remote = {.remote = cord_address_ipv4(198, 51, 100, 1, 4000),
		.codec = CORD_CODEC_PCMU,
		.event_payload_type = 101,
		.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.receive_event_payload_type = 101,
		.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.event_clock_hz = 8000,
		.ptime_ms = 20,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE};
	struct media_member members[LEGS] = {{.hears = 2}, {.hears = 1}};

	require(media_room_create(media, NULL, &room) == 0);
	for (int i = 0; i < LEGS; i++) {
		require(media_leg_open(room, &remote, &legs[i], &legs[i]) == 0);
		members[i].leg = legs[i];
	}
	require(media_room_apply(room, &(struct media_room_state){members, LEGS, NULL, 0}) == 0);
}

/* A new life of both: nothing of an earlier input is left. */
static void begin(void)
{
	struct media_config config = {.loop = loop,
		.offload = offload,
		.random = &seeded,
		.callbacks = {.key = on_key, .play_ended = on_play, .leg_failed = on_leg_failed}};

	random_init_seed(&seeded, 7);
	fake = fake_start(path, ++epoch, NULL);
	require(address_parse(str_from(path), -1, &config.socket) == 0);
	require(media_create(&config, &media) == 0);
	while (media_state(media) != MEDIA_UP)
		step();
	call();
	step();
	settle();
}

static void end(void)
{
	media_room_destroy(room);
	media_destroy(media);
	fake_kill(fake);
	loop_step(loop, 0);
}

/* ---- lies ------------------------------------------------------------------------------------ */

static cord_id known(uint8_t byte)
{
	return byte & 4 ? media_room_id(room) : media_leg_id(legs[byte & 1]);
}

static void event(struct input *in, bool plausible)
{
	struct cord_message m = {.type = CORD_EVENT_BEGIN + take(in) % 8};
	uint8_t flags = take(in);

	m.size = cord_message_body_size(m.type);
	take_bytes(in, &m.event_done, sizeof(m) - offsetof(struct cord_message, event_done));
	m.correlation = flags >> 3;
	if (plausible && m.type != CORD_EVENT_DONE)
		m.event_media_first.port = known(flags);
	else if (!plausible)
		m.size += flags;
	cord_ring_write(&fake->writers[flags & 1], &m);
}

static void spoil(struct input *in, void *at, size_t bytes, size_t offset)
{
	size_t n = take(in) % 32u;

	offset %= bytes;
	take_bytes(in, (uint8_t *)at + offset, n < bytes - offset ? n : bytes - offset);
}

static void position(struct input *in)
{
	struct cord_worker *w = fake_worker(fake, take(in) % FAKE_WORKERS);
	uint32_t value = 0;
	uint8_t which = take(in);

	take_bytes(in, &value, which >> 4 & 3);
	switch (which & 3) {
	case 0:
		atomic_fetch_add(&w->events.head, value);
		break;
	case 1:
		atomic_fetch_add(&w->events.tail, value);
		break;
	default:
		atomic_fetch_add(&w->commands.tail, value);
		fake->wrong.stall = true; /* it would read what nobody wrote */
	}
}

static void packet(struct input *in)
{
	struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC, .sizes = cord_sizes_here()};
	uint8_t flags = take(in);

	m.type = flags & 7;
	take_bytes(in, &m.result,
		offsetof(struct cord_attach_message, sizes) -
			offsetof(struct cord_attach_message, result));
	m.magic += flags >> 7;
	if (fake->connection >= 0)
		send(fake->connection, &m, sizeof(m) - (flags & 0x40 ? take(in) : 0u),
			MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void judge(struct input *in)
{
	struct cord_segment *copy = malloc(sizeof(*copy));
	uint8_t n = take(in);
	struct attach_shape shape;
	const char *wrong = NULL;
	uint64_t bytes = fake->bytes + (take(in) & 1);

	memcpy(copy, fake->segment, sizeof(*copy));
	for (unsigned i = 0; i < (n & 7u); i++)
		spoil(in, copy, sizeof(*copy), take(in) * 4u);
	if (attach_judge(copy, bytes, &shape, &wrong) == 0) {
		require(shape.workers <= CORD_WORKERS_MAX && shape.ports <= CORD_PORTS_MAX);
		require(shape.offset_workers + shape.workers * sizeof(struct cord_worker) <= bytes);
		require(shape.offset_port_status +
				(uint64_t)shape.ports * sizeof(struct cord_port_status) <=
			bytes);
		require(shape.offset_room_status +
				(uint64_t)shape.rooms * sizeof(struct cord_room_status) <=
			bytes);
		require(shape.addresses > 0 &&
			shape.ports == shape.ports_per_address * shape.addresses);
	} else {
		require(wrong && *wrong);
	}
	free(copy);
}

static void lie(struct input *in)
{
	uint8_t lead = take(in);
	size_t rings = sizeof(struct cord_segment) + FAKE_WORKERS * sizeof(struct cord_worker);

	switch (lead & 7) {
	case 0:
	case 1:
		event(in, !(lead & 1));
		break;
	case 2:
		spoil(in, fake_status(fake, known(lead >> 3 & 1)), sizeof(struct cord_port_status),
			take(in));
		break;
	case 3:
		spoil(in, (uint8_t *)fake->segment + (lead & 8 ? rings : 0),
			lead & 8 ? fake->bytes - rings : sizeof(struct cord_segment),
			take(in) * (size_t)(1 + (lead >> 4) * 8));
		break;
	case 4:
		position(in);
		break;
	case 5:
		packet(in);
		break;
	case 6:
		judge(in);
		break;
	default:
		for (unsigned i = lead >> 4; i > 0; i--)
			step();
	}
}

static void ask_all(void)
{
	struct media_leg_stats stats;
	struct media_orphan orphans[8];
	struct media_counts counts;

	for (int i = 0; i < LEGS; i++)
		media_leg_stats(legs[i], &stats);
	media_orphans(media, orphans, 8);
	media_counts(media, &counts);
	media_counter(media, UINT32_MAX, CORD_COUNTER_events_lost);
}

static void remove_socket(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(path, sizeof(path), "/tmp/cordboard-fuzz-%d", (int)getpid());
	atexit(remove_socket);
	signal(SIGPIPE, SIG_IGN);
	log_set_fd(-1);
	require(loop_create(NULL, &loop) == 0);
	require(offload_create(loop, 0, &offload) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input in = {bytes, length};

	begin();
	for (int i = 0; i < STEPS_MAX && in.length; i++)
		lie(&in);
	for (int i = 0; i < 4; i++)
		loop_step(loop, 0);
	ask_all();
	end();
	return 0;
}
