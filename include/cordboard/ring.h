/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single-producer, single-consumer ring of messages in shared memory.
 *
 *   struct cord_ring         in the segment: two positions, a cache line each, and the slots
 *   struct cord_ring_writer  private to the producer
 *   struct cord_ring_reader  private to the consumer
 *
 * Positions count up for ever and are masked with a compile-time constant: nothing that indexes
 * memory is read from memory that the peer can write. A position of the peer that makes the count
 * exceed the capacity is a fault of the peer: the call says CORD_RING_FAULT, touches no slot, and
 * the owner of the lease ends it (segment.h).
 *
 * Pairing of atomics: the producer's release store of `head` pairs with the consumer's acquire load
 * (slot contents are visible before the position is); the consumer's release store of `tail` pairs
 * with the producer's acquire load (a slot is copied out before it is written again). A side that
 * dies leaves either a message that was never published or one that is read again by nobody: no
 * repair is needed.
 */
#ifndef CORDBOARD_RING_H
#define CORDBOARD_RING_H

#include <cordboard/messages.h>

#include <stdalign.h>
#include <stdatomic.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "positions are shared between processes");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "heartbeats are shared between processes");

#define CORD_RING_MASK (CORD_RING_SLOTS - 1)

struct cord_ring {
	/* written by the producer */
	alignas(64) _Atomic uint32_t head;
	/* written by the consumer */
	alignas(64) _Atomic uint32_t tail;
	/* slot contents: written by the producer before head passes them */
	alignas(64) uint8_t slot[CORD_RING_SLOTS][CORD_RING_SLOT_BYTES];
};

enum cord_ring_result {
	CORD_RING_OK = 0,
	CORD_RING_EMPTY = 1, /* nothing to read */
	CORD_RING_FULL = 2,  /* no room to write: keep the message and try again later */
	CORD_RING_FAULT = 3, /* the peer wrote an impossible position: end the lease */
};

struct cord_ring_writer {
	struct cord_ring *ring;
	uint32_t head; /* ours; the shared one is only ever written */
	uint32_t tail; /* the peer's, as last seen */
};

struct cord_ring_reader {
	struct cord_ring *ring;
	uint32_t tail; /* ours */
	uint32_t head; /* the peer's, as last seen */
};

/* Empties a ring that nobody uses yet. */
static inline void cord_ring_init(struct cord_ring *ring)
{
	atomic_store_explicit(&ring->head, 0, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, 0, memory_order_release);
}

/* Takes the producer's end; what an earlier producer published stays and is read. */
static inline void cord_ring_writer_join(struct cord_ring_writer *w, struct cord_ring *ring)
{
	w->ring = ring;
	w->head = atomic_load_explicit(&ring->head, memory_order_acquire);
	/* As if full: the first write looks at the reader's position and judges it. */
	w->tail = w->head - CORD_RING_SLOTS;
}

/* Takes the consumer's end where the earlier consumer left it. */
static inline void cord_ring_reader_join(struct cord_ring_reader *r, struct cord_ring *ring)
{
	r->ring = ring;
	r->tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	r->head = r->tail;
}

/* Copies a message in. Its size beyond the envelope is not judged: that is the receiver's part. */
static inline enum cord_ring_result cord_ring_write(
	struct cord_ring_writer *w, const struct cord_message *message)
{
	if (w->head - w->tail >= CORD_RING_SLOTS) {
		uint32_t tail = atomic_load_explicit(&w->ring->tail, memory_order_acquire);

		if (w->head - tail > CORD_RING_SLOTS)
			return CORD_RING_FAULT;
		if (w->head - tail == CORD_RING_SLOTS)
			return CORD_RING_FULL;
		w->tail = tail;
	}
	memcpy(w->ring->slot[w->head & CORD_RING_MASK], message, sizeof(*message));
	w->head++;
	atomic_store_explicit(&w->ring->head, w->head, memory_order_release);
	return CORD_RING_OK;
}

/* Copies the oldest message out. The copy is the only thing the caller may judge. */
static inline enum cord_ring_result cord_ring_read(
	struct cord_ring_reader *r, struct cord_message *message)
{
	if (r->head == r->tail) {
		uint32_t head = atomic_load_explicit(&r->ring->head, memory_order_acquire);

		if (head - r->tail > CORD_RING_SLOTS)
			return CORD_RING_FAULT;
		if (head == r->tail)
			return CORD_RING_EMPTY;
		r->head = head;
	}
	uint8_t *slot = r->ring->slot[r->tail & CORD_RING_MASK];

	memcpy(message, slot, sizeof(*message));
	/* Before the slot is given back: keys are not left behind. */
	if (cord_message_secret(message->type))
		memset(slot, 0, sizeof(*message));
	r->tail++;
	atomic_store_explicit(&r->ring->tail, r->tail, memory_order_release);
	return CORD_RING_OK;
}

/* Whether a read would find something. The consumer asks before it goes to sleep. */
static inline bool cord_ring_waiting(const struct cord_ring_reader *r)
{
	return atomic_load_explicit(&r->ring->head, memory_order_acquire) != r->tail;
}

#endif
