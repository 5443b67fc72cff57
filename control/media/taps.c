/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps: memory that the dataplane writes what a room sounds like into, read here in turn.
 *
 *	        handed over        TAP_READY: room_set may name it      close: TAP_REMOVE
 *	IDLE --------------> GIVEN ----------------------------> READY -------------------> LEAVING
 *	 ^                     |                                   |                          |
 *	 +-- the lease ended --+-----------------------------------+    TAP_REMOVED, or the   |
 *	                                                                lease ended: gone <---+
 *
 * Each time it is handed over it is new memory with a new id: the dataplane may still write into the
 * former one.
 */
#include "media/media.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "media/model.h"

/* Every tap is read so often, a few of them at a time. */
#define TAPS_TURN_NS (100 * CLOCK_MS)
#define TAPS_STEPS   20u
/* Frames of one tap in its turn: one that has fallen behind catches up over several. */
#define TAPS_FRAMES 32

static void tap_link(struct media *m, struct media_tap *tap)
{
	tap->next = m->taps;
	tap->back = &m->taps;
	if (m->taps)
		m->taps->back = &tap->next;
	m->taps = tap;
	m->n_taps++;
}

static void tap_unlink(struct media_tap *tap)
{
	struct media *m = tap->media;

	if (m->tap_turn == tap)
		m->tap_turn = tap->next;
	*tap->back = tap->next;
	if (tap->next)
		tap->next->back = tap->back;
	m->n_taps--;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void tap_release(struct media_tap *tap)
{
	struct tap_slots *slots = tap->media->tap_slots;

	if (!tap->memory)
		return;
	munmap(tap->memory, cord_tap_bytes(tap->rate_hz));
	tap->memory = NULL;
	slots->at[cord_id_slot(tap->id)] = NULL;
	slots->free[slots->n_free++] = cord_id_slot(tap->id);
	tap->id = 0;
}

/* A slot under a generation that it never had: the clock goes on over a restart of control. */
static cord_id take_id(struct media_tap *tap)
{
	struct media *m = tap->media;
	struct tap_slots *slots = m->tap_slots;
	uint32_t slot = slots->free[--slots->n_free];
	uint32_t second = (uint32_t)(loop_now(m->loop) / CLOCK_S) + 1;
	uint32_t next = slots->generation[slot] + 1;

	slots->at[slot] = tap;
	slots->generation[slot] = next > second ? next : second;
	return cord_id_make(slot, slots->generation[slot]);
}

/* Sealed memory with its header. Returns the memfd, which the caller closes, or a negative errno. */
static int make_memory(struct media_tap *tap)
{
	size_t bytes = cord_tap_bytes(tap->rate_hz);
	int error, fd = memfd_create("cordboard-tap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct cord_tap *memory;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) < 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		goto fail;
	tap->id = take_id(tap);
	tap->memory = memory;
	memory->header = (struct cord_tap_header){.magic = CORD_TAP_MAGIC,
		.version = CORD_TAP_VERSION,
		.id = tap->id,
		.rate_hz = tap->rate_hz,
		.slots = CORD_TAP_SLOTS};
	cord_tap_reader_join(&tap->reader, memory, tap->rate_hz);
	return fd;
fail:
	error = -errno;
	close(fd);
	return error;
}

static void tap_give(struct media_tap *tap)
{
	struct media *m = tap->media;
	int error, fd = make_memory(tap);

	if (fd < 0) {
		log_error_limited(NULL, "media", 10, "no memory for a tap: %s", strerror(-fd));
		return;
	}
	error = attach_tap_add(m->attach, tap->id, fd, cord_tap_bytes(tap->rate_hz));
	close(fd);
	if (error) /* the socket is full: tried again in a later pass */
		tap_release(tap);
	else
		tap->state = TAP_GIVEN;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What is there now, `max` frames at most. False: the dataplane wrote an impossible position. */
static bool tap_read(struct media_tap *tap, int max)
{
	const struct media_callbacks *cb = &tap->media->config.callbacks;
	unsigned samples = cord_tap_samples(tap->rate_hz);
	int n = tap->memory ? cord_tap_waiting(&tap->reader) : 0;

	for (int i = 0; i < n && i < max; i++) {
		const struct cord_tap_frame *f = cord_tap_oldest(&tap->reader);

		if (cb->tap_frame)
			cb->tap_frame(cb->ctx, tap->ctx, f->period, f->pcm, f->pcm + samples);
		cord_tap_read_end(&tap->reader);
	}
	return n >= 0;
}

static void turn(void *ctx, uint64_t now_ns)
{
	struct media *m = ctx;
	unsigned steps = m->n_taps < TAPS_STEPS ? m->n_taps : TAPS_STEPS;

	if (m->n_taps == 0)
		return;
	for (unsigned n = (m->n_taps + steps - 1) / steps; n > 0; n--) {
		struct media_tap *tap = m->tap_turn ? m->tap_turn : m->taps;

		m->tap_turn = tap->next;
		if (!tap_read(tap, TAPS_FRAMES) && !tap->faulted) {
			tap->faulted = true;
			log_error(NULL, "media", "tap %#llx: impossible position in its ring",
				(unsigned long long)tap->id);
		}
	}
	timers_set(loop_timers(m->loop), &m->tap_timer, now_ns + TAPS_TURN_NS / steps);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* All has been read, and nothing more comes. */
static void tap_end(struct media_tap *tap)
{
	struct media *m = tap->media;
	void *ctx = tap->ctx;

	tap_read(tap, CORD_TAP_SLOTS);
	tap_release(tap);
	tap_unlink(tap);
	free(tap);
	if (m->config.callbacks.tap_ended)
		m->config.callbacks.tap_ended(m->config.callbacks.ctx, ctx);
}

int media_tap_open(struct media *m, uint32_t rate_hz, void *tap_ctx, struct media_tap **out)
{
	struct media_tap *tap;

	if (!cord_tap_rate_allowed(rate_hz))
		return -EINVAL;
	if (m->n_taps == CORD_TAPS_MAX)
		return -ENOSPC;
	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return -ENOMEM;
	tap->media = m;
	tap->ctx = tap_ctx;
	tap->rate_hz = rate_hz;
	tap_link(m, tap);
	if (!timer_is_set(&m->tap_timer))
		timers_set_in(loop_timers(m->loop), &m->tap_timer, TAPS_TURN_NS);
	loop_task_set(m->loop, &m->tap_task);
	*out = tap;
	return 0;
}

void media_tap_close(struct media_tap *tap)
{
	if (!tap || tap->closing)
		return;
	tap->closing = true;
	model_tap_leaves(tap);
	loop_task_set(tap->media->loop, &tap->media->tap_task);
}

/* Does for a tap what is due and can be done now. */
static void tap_pump(struct media_tap *tap)
{
	struct media *m = tap->media;
	bool up = m->state == MEDIA_UP;

	if (tap->state == TAP_IDLE && tap->closing)
		tap_end(tap);
	else if (tap->state == TAP_IDLE && up && !tap->refused)
		tap_give(tap);
	else if (tap->closing && tap->state != TAP_LEAVING && up &&
		 attach_tap_remove(m->attach, tap->id) == 0)
		tap->state = TAP_LEAVING;
}

/* Looks again in a later pass while the socket is full. */
void taps_pump(struct media *m)
{
	bool waiting = false;

	if (!m->taps_waiting)
		return;
	for (struct media_tap *tap = m->taps, *next; tap; tap = next) {
		next = tap->next;
		tap_pump(tap);
	}
	for (struct media_tap *tap = m->taps; tap && !waiting; tap = tap->next)
		waiting = (tap->state == TAP_IDLE && !tap->refused) ||
			  (tap->closing && tap->state != TAP_LEAVING);
	m->taps_waiting = waiting;
}

static void pump_task(void *ctx)
{
	struct media *m = ctx;

	m->taps_waiting = true;
	taps_pump(m);
}

static struct media_tap *tap_by_id(const struct media *m, cord_id id)
{
	uint32_t slot = cord_id_slot(id);
	struct media_tap *tap = slot < CORD_TAPS_MAX ? m->tap_slots->at[slot] : NULL;

	return tap && tap->id == id ? tap : NULL;
}

void taps_ready(struct media *m, cord_id id, uint32_t result)
{
	struct media_tap *tap = tap_by_id(m, id);

	if (!tap || tap->state != TAP_GIVEN)
		return;
	if (result == CORD_ATTACH_RESULT_OK) {
		tap->state = TAP_READY;
		model_tap_changed(tap);
		return;
	}
	log_error_limited(NULL, "media", 10, "the dataplane refused a tap: %s",
		cord_attach_result_name(result));
	tap->refused = true;
	tap->state = TAP_IDLE;
	tap_release(tap);
	loop_task_set(m->loop, &m->tap_task);
}

void taps_removed(struct media *m, cord_id id)
{
	struct media_tap *tap = tap_by_id(m, id);

	if (tap && tap->state == TAP_LEAVING)
		tap_end(tap);
}

void taps_attached(struct media *m)
{
	for (struct media_tap *tap = m->taps; tap; tap = tap->next)
		tap->refused = tap->faulted = false;
	loop_task_set(m->loop, &m->tap_task);
}

void taps_gone(struct media *m)
{
	for (struct media_tap *tap = m->taps, *next; tap; tap = next) {
		next = tap->next;
		tap_read(tap, CORD_TAP_SLOTS);
		tap_release(tap);
		tap->state = TAP_IDLE;
		if (tap->closing)
			tap_end(tap);
	}
}

int taps_create(struct media *m)
{
	m->tap_slots = calloc(1, sizeof(*m->tap_slots));
	if (!m->tap_slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < CORD_TAPS_MAX; i++)
		m->tap_slots->free[m->tap_slots->n_free++] = CORD_TAPS_MAX - 1 - i;
	timer_init(&m->tap_timer, turn, m);
	m->tap_task = (struct loop_task){.fn = pump_task, .ctx = m};
	return 0;
}

void taps_destroy(struct media *m)
{
	loop_task_cancel(&m->tap_task);
	timers_cancel(loop_timers(m->loop), &m->tap_timer);
	while (m->taps) {
		m->taps->closing = true;
		tap_end(m->taps);
	}
	free(m->tap_slots);
}
