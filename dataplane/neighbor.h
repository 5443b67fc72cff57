/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Next hops: an IPv4 or IPv6 address and the MAC it resolves to.
 *
 *   FREE --acquire--> UNRESOLVED --answer--> RESOLVED --30 s--> asked again, still used
 *    ^                                                               |
 *    +------------------ no port needs it, one minute --------------+
 *
 * An answer is an ARP packet (RFC 826) or what neighbour discovery brings (RFC 4861); link.h reads
 * them. A resolved MAC is used until a new one is learned, for ever if need be: losing media
 * because an answer was lost would be worse than a stale address.
 *
 * One table for all workers, without a lock. An entry's key is one word: a generation, which no two
 * claims share, and the number of ports that need it; it is changed by compare-and-swap. The
 * address is written between claiming an entry and publishing its key, so who finds the same key
 * before and after reading the address has read the right one. Two workers that claim entries for
 * one address at the same time leave two, which are both told what is learned. The MAC is another
 * word that is stored whole; the hot path loads that one alone.
 */
#ifndef DATAPLANE_NEIGHBOR_H
#define DATAPLANE_NEIGHBOR_H

#include <cordboard/types.h>

#include <stdalign.h>
#include <stdatomic.h>

#define NEIGHBORS_MAX    (2u * CORD_PORTS_MAX)
#define NEIGHBOR_PROBES  64u
#define NEIGHBOR_NONE    0xffffffffu
#define NEIGHBOR_ASK_NS  250000000ull   /* while unresolved */
#define NEIGHBOR_AGE_NS  30000000000ull /* a resolved one is asked again after this */
#define NEIGHBOR_IDLE_NS 60000000000ull /* an entry that nobody needs goes after this */

struct neighbor {
	alignas(64) _Atomic uint64_t key; /* generation << 32 | number of ports; 0: free */
	_Atomic uint64_t ip[2];           /* as IPv6, IPv4 mapped (RFC 4291 section 2.5.5.2) */
	_Atomic uint64_t mac;             /* NEIGHBOR_RESOLVED | 48 bits; 0: unresolved */
	_Atomic uint64_t learned;         /* cord_time of the last answer */
	cord_time asked;                  /* main lcore alone: last request */
	cord_time needed;                 /* main lcore alone: last time it was in use */
};
_Static_assert(sizeof(struct neighbor) == 64, "one cache line");

#define NEIGHBOR_RESOLVED (1ull << 63)

struct neighbors {
	struct neighbor *entry;
	uint32_t count; /* power of two */
	_Atomic uint32_t claims;
	/* how to reach what; fixed at start, UDP ports of no meaning */
	uint32_t addresses;
	struct cord_address address[CORD_ADDRESSES_MAX];
	uint8_t prefix[CORD_ADDRESSES_MAX]; /* bits */
	struct cord_address gateway[2];     /* of IPv4, of IPv6; CORD_FAMILY_NONE: none */
};

int neighbors_create(struct neighbors *n, uint32_t ports);
void neighbors_destroy(struct neighbors *n);

/*
 * Next hop from local address `local` (index) to `remote` of its family: itself, or the gateway.
 * False: no route.
 */
bool neighbor_next_hop(const struct neighbors *n, uint32_t local, const struct cord_address *remote,
	struct cord_address *hop);

/*
 * Counts one more port that needs `ip`. Returns its index, or NEIGHBOR_NONE: table full.
 * Any worker.
 */
uint32_t neighbor_acquire(struct neighbors *n, const struct cord_address *ip);

/* Counts one port fewer. NEIGHBOR_NONE is allowed. */
void neighbor_release(struct neighbors *n, uint32_t index);

/*
 * Takes an answer into every entry of `ip`. One that may not override (RFC 4861 section 7.2.5)
 * changes no MAC that is known, but has it asked for again. Any worker.
 */
void neighbor_learn(struct neighbors *n, const struct cord_address *ip, const uint8_t mac[6],
	bool override, cord_time now_ns);

/* The MAC of an entry; false: not resolved. */
static inline bool neighbor_mac(const struct neighbors *n, uint32_t index, uint8_t mac[6])
{
	if (index >= n->count)
		return false;
	uint64_t word = atomic_load_explicit(&n->entry[index].mac, memory_order_relaxed);

	memcpy(mac, &word, 6);
	return word & NEIGHBOR_RESOLVED;
}

/* Asks on the link who has `ip`, from our address `local`. */
typedef void neighbor_ask(
	void *context, const struct cord_address *local, const struct cord_address *ip);

/*
 * Main lcore, every 100 ms: calls ask() for each address that is to be asked for, and frees what
 * nobody has needed for a while.
 */
void neighbors_step(struct neighbors *n, cord_time now_ns, neighbor_ask *ask, void *context);

#endif
