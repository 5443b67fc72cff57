/* SPDX-License-Identifier: Apache-2.0 */
#include "media/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/loop.h"

#define GREETING_TIMEOUT_NS CORD_HEARTBEAT_DEAD_NS
#define REASON_SIZE         160

/* A heartbeat is judged by whether it changes, on our clock: its value is the peer's. */
struct pulse {
	uint64_t value;
	uint64_t changed_ns;
};

struct attach {
	struct attach_config config;
	enum attach_state state;
	char reason[REASON_SIZE];
	char logged[REASON_SIZE];
	uint64_t retry_ns;
	struct timer retry, beat;
	struct loop_hook hook;
	struct loop_packet *packet;
	struct loop_watch *wake;
	int event_fd;

	bool shaped; /* `shape` is of the present lease or the last one */
	struct attach_shape shape;
	struct cord_segment *segment;
	struct cord_ring_writer writers[CORD_WORKERS_MAX];
	struct cord_ring_reader readers[CORD_WORKERS_MAX];
	struct pulse pulse, worker_pulse[CORD_WORKERS_MAX];
	uint64_t looked_ns; /* at the pulses */
	bool faulted;       /* a write met an impossible position */
	struct loop_task fault_task;
	struct attach_stats stats;
};

static void attach_connect(struct attach *a);

/* ---- judging the header ------------------------------------------------------------------- */

static bool range_inside(uint64_t offset, uint64_t count, uint64_t size, uint64_t bytes)
{
	return offset % 64 == 0 && offset >= sizeof(struct cord_segment) && offset <= bytes &&
	       count * size <= bytes - offset;
}

static bool ranges_apart(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a + a_bytes <= b || b + b_bytes <= a;
}

static const char *judge_counts(const struct cord_segment *s)
{
	if (s->workers == 0 || s->workers > CORD_WORKERS_MAX)
		return "number of workers";
	if (s->addresses == 0 || s->addresses > CORD_ADDRESSES_MAX)
		return "number of addresses";
	if (s->ports == 0 || s->ports > CORD_PORTS_MAX || s->ports % s->addresses != 0)
		return "number of ports";
	if (s->rooms == 0 || s->rooms > CORD_ROOMS_MAX || s->rooms_per_worker == 0)
		return "number of rooms";
	if (s->srtp_backend == CORD_SRTP_BACKEND_NONE || s->srtp_backend >= CORD_SRTP_BACKEND_COUNT)
		return "SRTP back end";
	if (s->udp_port_base == 0 || s->udp_port_base % 2 != 0 ||
		s->udp_port_base + 2 * (uint64_t)(s->ports / s->addresses) > 65536)
		return "range of UDP ports";
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->address[i].family != CORD_FAMILY_IPV4 &&
			s->address[i].family != CORD_FAMILY_IPV6)
			return "a media address";
	return NULL;
}

static const char *judge_offsets(const struct cord_segment *s, uint64_t bytes)
{
	uint64_t workers = (uint64_t)s->workers * sizeof(struct cord_worker);
	uint64_t ports = (uint64_t)s->ports * sizeof(struct cord_port_status);
	uint64_t rooms = (uint64_t)s->rooms * sizeof(struct cord_room_status);

	if (!range_inside(s->offset_workers, s->workers, sizeof(struct cord_worker), bytes) ||
		!range_inside(
			s->offset_port_status, s->ports, sizeof(struct cord_port_status), bytes) ||
		!range_inside(
			s->offset_room_status, s->rooms, sizeof(struct cord_room_status), bytes))
		return "an offset outside the segment";
	if (!ranges_apart(s->offset_workers, workers, s->offset_port_status, ports) ||
		!ranges_apart(s->offset_workers, workers, s->offset_room_status, rooms) ||
		!ranges_apart(s->offset_port_status, ports, s->offset_room_status, rooms))
		return "parts of the segment that overlap";
	return NULL;
}

static const char *judge(const struct cord_segment *s, uint64_t bytes)
{
	struct cord_sizes here = cord_sizes_here();
	const char *wrong;

	if (s->magic != CORD_SEGMENT_MAGIC)
		return "magic";
	if (s->version != CORD_SEGMENT_VERSION)
		return "version";
	if (s->bytes != bytes)
		return "size of the segment";
	if (memcmp(&s->sizes, &here, sizeof(here)) != 0)
		return "struct sizes";
	wrong = judge_counts(s);
	return wrong ? wrong : judge_offsets(s, bytes);
}

int attach_judge(const struct cord_segment *copy, uint64_t bytes, struct attach_shape *out,
	const char **wrong)
{
	const char *what = judge(copy, bytes);

	*wrong = what ? what : "";
	if (what)
		return -EPROTO;
	*out = (struct attach_shape){
		.epoch = copy->epoch,
		.bytes = bytes,
		.workers = copy->workers,
		.ports = copy->ports,
		.rooms = copy->rooms,
		.addresses = copy->addresses,
		.ports_per_address = copy->ports / copy->addresses,
		.udp_port_base = copy->udp_port_base,
		.rooms_per_worker = copy->rooms_per_worker,
		.srtp_backend = (enum cord_srtp_backend)copy->srtp_backend,
		.offset_workers = copy->offset_workers,
		.offset_port_status = copy->offset_port_status,
		.offset_room_status = copy->offset_room_status,
	};
	memcpy(out->address, copy->address, sizeof(out->address));
	return 0;
}

bool attach_shape_same_ports(const struct attach_shape *a, const struct attach_shape *b)
{
	if (a->addresses != b->addresses || a->ports != b->ports ||
		a->udp_port_base != b->udp_port_base)
		return false;
	for (uint32_t i = 0; i < a->addresses; i++)
		if (!cord_address_equal(&a->address[i], &b->address[i]))
			return false;
	return true;
}

/* ---- places in the segment ----------------------------------------------------------------- */

static struct cord_worker *worker_at(const struct attach *a, unsigned worker)
{
	CHECK(a->segment && worker < a->shape.workers);
	return (struct cord_worker *)((uint8_t *)a->segment + a->shape.offset_workers) + worker;
}

static struct cord_port_status *port_at(const struct attach *a, uint32_t slot)
{
	CHECK(a->segment && slot < a->shape.ports);
	return (struct cord_port_status *)((uint8_t *)a->segment + a->shape.offset_port_status) +
	       slot;
}

static struct cord_room_status *room_at(const struct attach *a, uint32_t slot)
{
	CHECK(a->segment && slot < a->shape.rooms);
	return (struct cord_room_status *)((uint8_t *)a->segment + a->shape.offset_room_status) +
	       slot;
}

/* ---- the lease ------------------------------------------------------------------------------ */

static void release_lease(struct attach *a)
{
	loop_task_cancel(&a->fault_task);
	timers_cancel(loop_timers(a->config.loop), &a->beat);
	loop_watch_close(a->wake);
	a->wake = NULL;
	if (a->event_fd >= 0)
		close(a->event_fd);
	a->event_fd = -1;
	if (a->segment)
		munmap(a->segment, a->shape.bytes);
	a->segment = NULL;
	loop_packet_close(a->packet);
	a->packet = NULL;
	a->faulted = false;
}

static void schedule_retry(struct attach *a)
{
	timers_set_in(loop_timers(a->config.loop), &a->retry, a->retry_ns);
	a->retry_ns *= 2;
	if (a->retry_ns > ATTACH_RETRY_MAX_NS)
		a->retry_ns = ATTACH_RETRY_MAX_NS;
}

/* A reason is logged when it is a new one, not at each of the tries. */
static void log_reason(struct attach *a)
{
	if (strcmp(a->reason, a->logged) == 0)
		return;
	memcpy(a->logged, a->reason, sizeof(a->logged));
	log_warning(NULL, "media", "dataplane: %s", a->reason);
}

__attribute__((format(printf, 2, 3))) static void attach_end(struct attach *a, const char *fmt, ...)
{
	bool was_up = a->state == ATTACH_UP;
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->reason, sizeof(a->reason), fmt, args);
	va_end(args);
	log_reason(a);
	a->state = ATTACH_WAITING;
	if (was_up) {
		a->stats.deaths++;
		a->retry_ns = ATTACH_RETRY_MIN_NS;
		a->config.down(a->config.ctx, a->reason);
	}
	release_lease(a);
	schedule_retry(a);
}

static void fault_found(void *ctx)
{
	struct attach *a = ctx;

	if (a->state == ATTACH_UP)
		attach_end(a, "impossible position in a ring");
}

static void watch_pulse(struct pulse *p, uint64_t value, uint64_t now_ns)
{
	if (value != p->value || p->changed_ns == 0) {
		p->value = value;
		p->changed_ns = now_ns;
	}
}

static bool pulse_stale(const struct pulse *p, uint64_t now_ns)
{
	return now_ns - p->changed_ns > CORD_HEARTBEAT_DEAD_NS;
}

static void beat_due(void *ctx, uint64_t now_ns)
{
	struct attach *a = ctx;

	if (a->state == ATTACH_GREETING) {
		attach_end(a, "no answer on the attach socket");
		return;
	}
	atomic_store_explicit(&a->segment->control_heartbeat, now_ns, memory_order_relaxed);
	watch_pulse(&a->pulse,
		atomic_load_explicit(&a->segment->dataplane_heartbeat, memory_order_relaxed),
		now_ns);
	for (unsigned w = 0; w < a->shape.workers; w++)
		watch_pulse(&a->worker_pulse[w],
			atomic_load_explicit(&worker_at(a, w)->heartbeat, memory_order_relaxed),
			now_ns);
	if (now_ns - a->looked_ns > CORD_HEARTBEAT_LOOK_NS)
		a->pulse.changed_ns = now_ns;
	a->looked_ns = now_ns;
	if (pulse_stale(&a->pulse, now_ns)) {
		attach_end(a, "no heartbeat for %u ms",
			(unsigned)((now_ns - a->pulse.changed_ns) / 1000000));
		return;
	}
	timers_set_in(loop_timers(a->config.loop), &a->beat, ATTACH_BEAT_NS);
}

static void woken(void *ctx, uint64_t count)
{
	struct attach *a = ctx;

	a->stats.wakes++;
}

/* ---- WELCOME -------------------------------------------------------------------------------- */

static int map_segment(int fd, uint64_t announced, struct attach_shape *shape,
	struct cord_segment **out, const char **wrong)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct stat st;
	int have = fcntl(fd, F_GET_SEALS);

	*wrong = "segment is not sealed";
	if (have < 0 || (have & seals) != seals)
		return -EPROTO;
	*wrong = "segment is smaller than its header or not of the size announced";
	if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof(struct cord_segment) ||
		(uint64_t)st.st_size != announced)
		return -EPROTO;

	void *at = mmap(NULL, announced, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*wrong = "segment cannot be mapped";
	if (at == MAP_FAILED)
		return -errno;

	struct cord_segment copy;
	memcpy(&copy, at, sizeof(copy));
	int error = attach_judge(&copy, announced, shape, wrong);
	if (error) {
		munmap(at, announced);
		return error;
	}
	*out = at;
	return 0;
}

static void join_rings(struct attach *a)
{
	for (unsigned w = 0; w < a->shape.workers; w++) {
		cord_ring_writer_join(&a->writers[w], &worker_at(a, w)->commands);
		cord_ring_reader_join(&a->readers[w], &worker_at(a, w)->events);
	}
}

static void lease_begun(struct attach *a, bool same_epoch)
{
	struct loop *loop = a->config.loop;

	a->state = ATTACH_UP;
	a->reason[0] = a->logged[0] = '\0';
	a->retry_ns = ATTACH_RETRY_MIN_NS;
	a->stats.attaches++;
	memset(&a->pulse, 0, sizeof(a->pulse));
	memset(a->worker_pulse, 0, sizeof(a->worker_pulse));
	join_rings(a);
	timers_set(loop_timers(loop), &a->beat, 0);
	log_info(NULL, "media", "attached to the dataplane: %u workers, %u ports, %u rooms%s",
		a->shape.workers, a->shape.ports, a->shape.rooms,
		same_epoch ? ", the same as before" : "");
	a->config.up(a->config.ctx, same_epoch);
}

/* Member by member: the padding of a struct is nobody's. */
static bool same_shape(const struct attach_shape *a, const struct attach_shape *b)
{
	return a->epoch == b->epoch && a->bytes == b->bytes && a->workers == b->workers &&
	       a->rooms == b->rooms && a->rooms_per_worker == b->rooms_per_worker &&
	       a->offset_workers == b->offset_workers &&
	       a->offset_port_status == b->offset_port_status &&
	       a->offset_room_status == b->offset_room_status && attach_shape_same_ports(a, b);
}

static void welcome(struct attach *a, const struct cord_attach_message *m, int *fds, unsigned n_fds)
{
	struct cord_sizes here = cord_sizes_here();
	struct attach_shape shape = {0};
	struct cord_segment *segment = NULL;
	const char *wrong;

	if (m->result != CORD_ATTACH_RESULT_OK) {
		a->stats.refusals++;
		attach_end(a, "refused: %s", cord_attach_result_name(m->result));
		return;
	}
	if (memcmp(&m->sizes, &here, sizeof(here)) != 0) {
		attach_end(a, "%s", cord_attach_result_name(CORD_ATTACH_RESULT_SIZES));
		return;
	}
	if (n_fds != 2) {
		attach_end(a, "welcome with %u descriptors instead of 2", n_fds);
		return;
	}
	if (map_segment(fds[0], m->bytes, &shape, &segment, &wrong)) {
		attach_end(a, "segment refused: %s", wrong);
		return;
	}
	bool same = a->shaped && a->shape.epoch == shape.epoch;
	if (m->epoch != shape.epoch || (same && !same_shape(&a->shape, &shape))) {
		munmap(segment, shape.bytes);
		attach_end(a, "segment refused: epoch");
		return;
	}
	a->segment = segment;
	a->shape = shape;
	a->shaped = true;
	a->event_fd = fds[1];
	fds[1] = -1;
	fcntl(a->event_fd, F_SETFL, fcntl(a->event_fd, F_GETFL) | O_NONBLOCK);
	if (loop_watch_event(a->config.loop, a->event_fd, woken, a, &a->wake)) {
		attach_end(a, "event descriptor cannot be watched");
		return;
	}
	lease_begun(a, same);
}

static void packet_received(void *ctx, const uint8_t *data, size_t n, int *fds, unsigned n_fds)
{
	struct attach *a = ctx;
	struct cord_attach_message m;

	if (n != sizeof(m)) {
		a->stats.packets_bad++;
		attach_end(a, "message of %zu bytes on the attach socket", n);
		return;
	}
	memcpy(&m, data, sizeof(m));
	if (m.magic != CORD_SEGMENT_MAGIC) {
		a->stats.packets_bad++;
		attach_end(a, "message with a wrong magic on the attach socket");
	} else if (a->state == ATTACH_GREETING && m.type == CORD_ATTACH_WELCOME) {
		welcome(a, &m, fds, n_fds);
	} else if (a->state == ATTACH_UP && m.type == CORD_ATTACH_CLIP_READY) {
		a->config.clip_ready(a->config.ctx, m.clip, m.format, m.result);
	} else if (a->state == ATTACH_UP && m.type == CORD_ATTACH_CLIP_REMOVED) {
		a->config.clip_removed(a->config.ctx, m.clip, m.result);
	} else if (a->state == ATTACH_UP && m.type == CORD_ATTACH_TAP_READY) {
		a->config.tap_ready(a->config.ctx, m.tap, m.result);
	} else if (a->state == ATTACH_UP && m.type == CORD_ATTACH_TAP_REMOVED) {
		a->config.tap_removed(a->config.ctx, m.tap, m.result);
	} else {
		a->stats.packets_bad++;
		attach_end(a, "unexpected message %u on the attach socket", m.type);
	}
}

static void packet_closed(void *ctx, int error)
{
	struct attach *a = ctx;

	if (error)
		attach_end(a, "attach socket: %s", strerror(-error));
	else
		attach_end(a, "the dataplane hung up");
}

static void attach_connect(struct attach *a)
{
	const struct loop_packet_config config = {
		.ctx = a, .received = packet_received, .closed = packet_closed};
	const struct cord_attach_message hello = {
		.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_HELLO,
		.sizes = cord_sizes_here(),
	};
	int error = loop_packet_connect(a->config.loop, &a->config.socket, &config, &a->packet);

	if (!error)
		error = loop_packet_send(a->packet, &hello, sizeof(hello), NULL, 0);
	if (error) {
		attach_end(a, "cannot connect: %s", strerror(-error));
		return;
	}
	a->state = ATTACH_GREETING;
	timers_set_in(loop_timers(a->config.loop), &a->beat, GREETING_TIMEOUT_NS);
}

static void retry_due(void *ctx, uint64_t now_ns)
{
	attach_connect(ctx);
}

/* ---- rings ---------------------------------------------------------------------------------- */

static bool event_sound(const struct cord_message *m)
{
	return m->type > CORD_EVENT_BEGIN && m->type < CORD_EVENT_END &&
	       m->size == cord_message_body_size(m->type);
}

/* False: the peer wrote an impossible position. */
static bool read_ring(struct attach *a, unsigned worker)
{
	struct cord_message m;

	for (unsigned i = 0; i < ATTACH_EVENTS_PASS; i++) {
		switch (cord_ring_read(&a->readers[worker], &m)) {
		case CORD_RING_OK:
			break;
		case CORD_RING_FAULT:
			a->stats.ring_faults++;
			return false;
		default:
			return true;
		}
		a->stats.events++;
		if (event_sound(&m))
			a->config.event(a->config.ctx, worker, &m);
		else
			a->stats.events_bad++;
	}
	return true;
}

static void pass(void *ctx, uint64_t now_ns)
{
	struct attach *a = ctx;

	for (unsigned w = 0; a->state == ATTACH_UP && w < a->shape.workers; w++)
		if (!read_ring(a, w))
			fault_found(a);
	if (a->state == ATTACH_UP)
		a->config.pass(a->config.ctx, now_ns);
}

static void set_sleeping(struct attach *a, uint32_t sleeping)
{
	atomic_store_explicit(&a->segment->control_sleeping, sleeping, memory_order_seq_cst);
}

/* The store and the look pair with a worker's write and its look at the flag: one of us sees. */
static bool before_sleep(void *ctx)
{
	struct attach *a = ctx;

	if (a->state != ATTACH_UP)
		return false;
	set_sleeping(a, 1);
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned w = 0; w < a->shape.workers; w++) {
		if (cord_ring_waiting(&a->readers[w])) {
			set_sleeping(a, 0);
			return true;
		}
	}
	return false;
}

static void after_sleep(void *ctx)
{
	struct attach *a = ctx;

	if (a->state == ATTACH_UP)
		set_sleeping(a, 0);
}

/* ---- public --------------------------------------------------------------------------------- */

int attach_create(const struct attach_config *config, struct attach **out)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->config = *config;
	a->event_fd = -1;
	a->retry_ns = ATTACH_RETRY_MIN_NS;
	snprintf(a->reason, sizeof(a->reason), "not connected yet");
	timer_init(&a->retry, retry_due, a);
	timer_init(&a->beat, beat_due, a);
	a->fault_task = (struct loop_task){.fn = fault_found, .ctx = a};
	a->hook = (struct loop_hook){
		.ctx = a, .pass = pass, .before_sleep = before_sleep, .after_sleep = after_sleep};
	loop_hook_add(config->loop, &a->hook);
	timers_set_in(loop_timers(config->loop), &a->retry, 0);
	*out = a;
	return 0;
}

void attach_destroy(struct attach *a)
{
	if (!a)
		return;
	release_lease(a);
	timers_cancel(loop_timers(a->config.loop), &a->retry);
	loop_hook_remove(&a->hook);
	free(a);
}

enum attach_state attach_state(const struct attach *a)
{
	return a->state;
}

const char *attach_state_name(enum attach_state state)
{
	static const char *const names[] = {"waiting", "greeting", "up"};

	return state <= ATTACH_UP ? names[state] : "?";
}

const struct attach_shape *attach_shape(const struct attach *a)
{
	return a->shaped ? &a->shape : NULL;
}

const char *attach_reason(const struct attach *a)
{
	return a->reason;
}

enum cord_ring_result attach_write(
	struct attach *a, unsigned worker, const struct cord_message *message)
{
	CHECK(a->state == ATTACH_UP && worker < a->shape.workers);
	enum cord_ring_result result = cord_ring_write(&a->writers[worker], message);

	if (result == CORD_RING_FAULT && !a->faulted) {
		a->faulted = true;
		a->stats.ring_faults++;
		loop_task_set(a->config.loop, &a->fault_task);
	}
	return result;
}

bool attach_port_status(const struct attach *a, uint32_t slot, struct cord_port_status *copy)
{
	return cord_port_status_read(port_at(a, slot), copy);
}

cord_id attach_port_at(const struct attach *a, uint32_t slot)
{
	return *(const volatile cord_id *)&port_at(a, slot)->port;
}

cord_id attach_room_at(const struct attach *a, uint32_t slot, unsigned *worker)
{
	const struct cord_room_status *room = room_at(a, slot);

	*worker = atomic_load_explicit(&room->worker_phase, memory_order_relaxed) >> 16;
	return atomic_load_explicit(&room->room, memory_order_acquire);
}

uint64_t attach_counter(const struct attach *a, unsigned worker, enum cord_counter counter)
{
	return atomic_load_explicit(
		&worker_at(a, worker)->counters.value[counter], memory_order_relaxed);
}

bool attach_worker_alive(const struct attach *a, unsigned worker)
{
	return !pulse_stale(&a->worker_pulse[worker], loop_now(a->config.loop));
}

unsigned attach_clips(const struct attach *a)
{
	return atomic_load_explicit(&a->segment->clips, memory_order_relaxed);
}

int attach_clip_add(
	struct attach *a, cord_clip_id id, enum cord_clip_format format, int fd, uint64_t bytes)
{
	const struct cord_attach_message m = {
		.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_CLIP_ADD,
		.format = format,
		.clip = id,
		.bytes = bytes,
	};

	if (a->state != ATTACH_UP)
		return -ENOTCONN;
	return loop_packet_send(a->packet, &m, sizeof(m), &fd, 1);
}

int attach_clip_remove(struct attach *a, cord_clip_id id)
{
	const struct cord_attach_message m = {
		.magic = CORD_SEGMENT_MAGIC, .type = CORD_ATTACH_CLIP_REMOVE, .clip = id};

	if (a->state != ATTACH_UP)
		return -ENOTCONN;
	return loop_packet_send(a->packet, &m, sizeof(m), NULL, 0);
}

int attach_tap_add(struct attach *a, cord_id id, int fd, uint64_t bytes)
{
	const struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_TAP_ADD,
		.tap = id,
		.bytes = bytes};

	if (a->state != ATTACH_UP)
		return -ENOTCONN;
	return loop_packet_send(a->packet, &m, sizeof(m), &fd, 1);
}

int attach_tap_remove(struct attach *a, cord_id id)
{
	const struct cord_attach_message m = {
		.magic = CORD_SEGMENT_MAGIC, .type = CORD_ATTACH_TAP_REMOVE, .tap = id};

	if (a->state != ATTACH_UP)
		return -ENOTCONN;
	return loop_packet_send(a->packet, &m, sizeof(m), NULL, 0);
}

const struct attach_stats *attach_stats(const struct attach *a)
{
	return &a->stats;
}
