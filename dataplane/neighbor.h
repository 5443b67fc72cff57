/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Next hops: an IPv4 address and the MAC it resolves to.
 *
 *   FREE --acquire--> UNRESOLVED --ARP reply--> RESOLVED --30 s--> asked again, still used
 *    ^                                                                  |
 *    +------------------- no port needs it, one minute ----------------+
 *
 * One table for all workers, without a lock: an entry's key is one word (address and number of
 * ports that need it) that is changed by compare-and-swap, its MAC is another that is stored whole.
 * The hot path loads one word. A resolved MAC is used until a new one is learned, for ever if need
 * be: losing media because an ARP reply was lost would be worse than a stale address.
 *
 * The seam for IPv6: next_hop() chooses, neighbor_acquire() keys by address; neighbour discovery
 * would be a second key word.
 */
#ifndef DATAPLANE_NEIGHBOR_H
#define DATAPLANE_NEIGHBOR_H

#include <cordboard/types.h>

#include <stdatomic.h>

#define NEIGHBORS_MAX    (2u * CORD_PORTS_MAX)
#define NEIGHBOR_PROBES  64u
#define NEIGHBOR_NONE    0xffffffffu
#define NEIGHBOR_ASK_NS  250000000ull   /* while unresolved */
#define NEIGHBOR_AGE_NS  30000000000ull /* a resolved one is asked again after this */
#define NEIGHBOR_IDLE_NS 60000000000ull /* an entry that nobody needs goes after this */

struct neighbor {
	_Atomic uint64_t key;     /* address << 32 | number of ports; 0: free */
	_Atomic uint64_t mac;     /* NEIGHBOR_RESOLVED | 48 bits; 0: unresolved */
	_Atomic uint64_t learned; /* cord_time of the last ARP answer */
	cord_time asked;          /* main lcore alone: last request */
	cord_time needed;         /* main lcore alone: last time it was in use */
};

#define NEIGHBOR_RESOLVED (1ull << 63)

struct neighbors {
	struct neighbor *entry;
	uint32_t count; /* power of two */
	/* how to reach what; fixed at start, network order */
	uint32_t gateway;
	uint32_t addresses;
	uint32_t ip[CORD_ADDRESSES_MAX], mask[CORD_ADDRESSES_MAX];
};

int neighbors_create(struct neighbors *n, uint32_t ports);
void neighbors_destroy(struct neighbors *n);

/* Next hop from local address `local` (index) to `remote`: itself, the gateway, or 0 (no route). */
uint32_t neighbor_next_hop(const struct neighbors *n, uint32_t local, uint32_t remote);

/*
 * Counts one more port that needs `ip`. Returns its index, or NEIGHBOR_NONE: table full.
 * Any worker.
 */
uint32_t neighbor_acquire(struct neighbors *n, uint32_t ip);

/* Counts one port fewer. NEIGHBOR_NONE is allowed. */
void neighbor_release(struct neighbors *n, uint32_t index);

/* Takes an answer into every entry of `ip`. Any worker. */
void neighbor_learn(struct neighbors *n, uint32_t ip, const uint8_t mac[6], cord_time now_ns);

/* The MAC of an entry; false: not resolved. */
static inline bool neighbor_mac(const struct neighbors *n, uint32_t index, uint8_t mac[6])
{
	if (index >= n->count)
		return false;
	uint64_t word = atomic_load_explicit(&n->entry[index].mac, memory_order_relaxed);

	memcpy(mac, &word, 6);
	return word & NEIGHBOR_RESOLVED;
}

/*
 * Main lcore, every 100 ms: calls ask() for each address that wants an ARP request, and frees what
 * nobody has needed for a while.
 */
void neighbors_step(struct neighbors *n, cord_time now_ns,
	void (*ask)(void *context, uint32_t local_ip, uint32_t ip), void *context);

#endif
