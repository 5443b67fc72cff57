/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of 64-bit words from one thread of this process to another: packets and ports that one
 * worker hands to another travel in it. One producer, one consumer; neither waits.
 *
 * The producer's release store of `head` pairs with the consumer's acquire load, so what a word
 * names (a packet, a port's memory) is seen as the producer left it.
 */
#ifndef DATAPLANE_EXCHANGE_H
#define DATAPLANE_EXCHANGE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define EXCHANGE_SLOTS 1024u
_Static_assert((EXCHANGE_SLOTS & (EXCHANGE_SLOTS - 1)) == 0, "positions are masked");

struct exchange {
	alignas(64) _Atomic uint32_t head; /* written by the producer */
	alignas(64) _Atomic uint32_t tail; /* written by the consumer */
	alignas(64) uint64_t word[EXCHANGE_SLOTS];
};

/* False: full, and the word was not taken. */
static inline bool exchange_put(struct exchange *e, uint64_t word)
{
	uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&e->tail, memory_order_acquire) >= EXCHANGE_SLOTS)
		return false;
	e->word[head & (EXCHANGE_SLOTS - 1)] = word;
	atomic_store_explicit(&e->head, head + 1, memory_order_release);
	return true;
}

/* False: empty. */
static inline bool exchange_get(struct exchange *e, uint64_t *word)
{
	uint32_t tail = atomic_load_explicit(&e->tail, memory_order_relaxed);

	if (atomic_load_explicit(&e->head, memory_order_acquire) == tail)
		return false;
	*word = e->word[tail & (EXCHANGE_SLOTS - 1)];
	atomic_store_explicit(&e->tail, tail + 1, memory_order_release);
	return true;
}

#endif
