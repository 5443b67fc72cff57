/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap as it lies in memory: what a room sounds like, in two channels, for a recorder. Made by
 * control in a memfd, sealed, handed to the dataplane.
 *
 *   struct cord_tap              header and the positions of both sides
 *   frame[CORD_TAP_SLOTS]        of cord_tap_frame_bytes() each: a ring, one frame a period
 *
 * A frame is 20 ms of 16-bit samples at the tap's rate, the left channel before the right one, and
 * the number of its period. Both channels of a frame, and all frames with the same number, were
 * heard at the same time; a number that is more than one higher than that of the frame before says
 * that periods are missing between them. A full ring loses the present period.
 *
 * The memfd is sealed with F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL before it is handed over: its
 * size, and so what may be touched, cannot change any more. Nothing else in it is believed: the
 * receiver judges a copy of the header once, and indexes by a position of its own. A position of the
 * peer only says how many frames there are; an impossible one ends the use of the tap.
 *
 * Pairing of atomics: the writer's release store of `head` pairs with the reader's acquire load, the
 * reader's release store of `tail` with the writer's acquire load.
 */
#ifndef CORDBOARD_TAP_H
#define CORDBOARD_TAP_H

#include <cordboard/types.h>

#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

#define CORD_TAP_MAGIC   0x20706174u /* "tap " */
#define CORD_TAP_VERSION 1u
/* At least 4 s deep: the next power of two of 200 periods, so that positions are masked. */
#define CORD_TAP_SLOTS 256u
_Static_assert((CORD_TAP_SLOTS & (CORD_TAP_SLOTS - 1)) == 0, "positions are masked");
_Static_assert(CORD_TAP_SLOTS *CORD_TICK_NS >= 4000000000ull, "4 s deep");

struct cord_tap_header {
	uint32_t magic;
	uint32_t version;
	cord_id id;
	uint32_t rate_hz; /* 8000 or 16000 */
	uint32_t slots;   /* CORD_TAP_SLOTS */
};

struct cord_tap {
	/* written by control before it is handed over */
	alignas(64) struct cord_tap_header header;
	/* written by the worker that owns the room */
	alignas(64) _Atomic uint32_t head;
	/* written by control */
	alignas(64) _Atomic uint32_t tail;
};

struct cord_tap_frame {
	uint64_t period; /* of 20 ms, counted from the epoch of CLOCK_MONOTONIC */
	int16_t pcm[];   /* left, then right: cord_tap_samples() each */
};

static inline bool cord_tap_rate_allowed(uint32_t rate_hz)
{
	return rate_hz == 8000 || rate_hz == 16000;
}

/* Samples of one channel in a frame. */
static inline uint32_t cord_tap_samples(uint32_t rate_hz)
{
	return rate_hz / 50;
}

/* Distance from frame to frame: whole cache lines. */
static inline size_t cord_tap_frame_bytes(uint32_t rate_hz)
{
	return (sizeof(struct cord_tap_frame) + 2 * sizeof(int16_t) * cord_tap_samples(rate_hz) +
		       63) &
	       ~(size_t)63;
}

/* Of the whole memfd. */
static inline size_t cord_tap_bytes(uint32_t rate_hz)
{
	return sizeof(struct cord_tap) + CORD_TAP_SLOTS * cord_tap_frame_bytes(rate_hz);
}

/* The frame at a position. rate_hz: judged, of memory that the peer cannot write. */
static inline struct cord_tap_frame *cord_tap_frame(
	struct cord_tap *tap, uint32_t rate_hz, uint32_t position)
{
	uint8_t *frames = (uint8_t *)(tap + 1);

	return (struct cord_tap_frame *)(void *)(frames + (position & (CORD_TAP_SLOTS - 1)) *
								  cord_tap_frame_bytes(rate_hz));
}

/*
 * Judges the header of a mapped tap of `bytes` bytes and copies it out. Returns 0, or -EINVAL and a
 * text that says what is wrong.
 */
static inline int cord_tap_check(
	const void *mapped, size_t bytes, struct cord_tap_header *header, const char **wrong)
{
	struct cord_tap_header h;

	*wrong = "shorter than its header";
	if (bytes < sizeof(struct cord_tap))
		return -EINVAL;
	memcpy(&h, mapped, sizeof(h));
	*wrong = "magic or version";
	if (h.magic != CORD_TAP_MAGIC || h.version != CORD_TAP_VERSION)
		return -EINVAL;
	*wrong = "id";
	if (cord_id_slot(h.id) >= CORD_TAPS_MAX || cord_id_generation(h.id) == 0)
		return -EINVAL;
	*wrong = "rate";
	if (!cord_tap_rate_allowed(h.rate_hz))
		return -EINVAL;
	*wrong = "number of slots";
	if (h.slots != CORD_TAP_SLOTS)
		return -EINVAL;
	*wrong = "size of the file";
	if (bytes != cord_tap_bytes(h.rate_hz))
		return -EINVAL;
	*wrong = "";
	*header = h;
	return 0;
}

/* ---- the writer's end ---- */

struct cord_tap_writer {
	struct cord_tap *tap;
	uint32_t rate_hz; /* judged */
	uint32_t head;    /* ours; the shared one is only ever written */
	uint32_t tail;    /* the peer's, as last seen */
};

static inline void cord_tap_writer_join(
	struct cord_tap_writer *w, struct cord_tap *tap, uint32_t rate_hz)
{
	*w = (struct cord_tap_writer){.tap = tap, .rate_hz = rate_hz};
}

/*
 * The frame to be filled next, or NULL: the ring is full, or the reader's position is impossible,
 * which comes to the same.
 */
static inline struct cord_tap_frame *cord_tap_write_begin(struct cord_tap_writer *w)
{
	if (w->head - w->tail >= CORD_TAP_SLOTS)
		w->tail = atomic_load_explicit(&w->tap->tail, memory_order_acquire);
	if (w->head - w->tail < CORD_TAP_SLOTS)
		return cord_tap_frame(w->tap, w->rate_hz, w->head);
	w->tail = w->head - CORD_TAP_SLOTS; /* looked at again the next time */
	return NULL;
}

static inline void cord_tap_write_end(struct cord_tap_writer *w)
{
	w->head++;
	atomic_store_explicit(&w->tap->head, w->head, memory_order_release);
}

/* ---- the reader's end ---- */

struct cord_tap_reader {
	struct cord_tap *tap;
	uint32_t rate_hz;
	uint32_t tail; /* ours; the shared one is only ever written */
};

static inline void cord_tap_reader_join(
	struct cord_tap_reader *r, struct cord_tap *tap, uint32_t rate_hz)
{
	*r = (struct cord_tap_reader){.tap = tap, .rate_hz = rate_hz};
}

/* How many frames wait; -EPROTO: the writer's position is impossible. */
static inline int cord_tap_waiting(const struct cord_tap_reader *r)
{
	uint32_t n = atomic_load_explicit(&r->tap->head, memory_order_acquire) - r->tail;

	return n <= CORD_TAP_SLOTS ? (int)n : -EPROTO;
}

/* The oldest frame, when one waits. Its period is read once, and its samples are anybody's. */
static inline const struct cord_tap_frame *cord_tap_oldest(const struct cord_tap_reader *r)
{
	return cord_tap_frame(r->tap, r->rate_hz, r->tail);
}

/* Gives the oldest frame's slot back. */
static inline void cord_tap_read_end(struct cord_tap_reader *r)
{
	r->tail++;
	atomic_store_explicit(&r->tap->tail, r->tail, memory_order_release);
}

#endif
