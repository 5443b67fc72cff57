/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker with calls and no control: what benches of the dataplane open, and ticks of it without a
 * NIC, whose packets are put into the jitter buffers and whose sound is hashed as it leaves.
 *
 * Whatever is refused, or finds no memory, ends the program.
 */
#ifndef BENCH_ROOMS_H
#define BENCH_ROOMS_H

#include "calls.h"

#include "dataplane.h"
#include "worker.h"

#define ROOMS_PERIOD 1000u /* of the first tick */

_Noreturn void rooms_fatal(const char *what);

/* ---- a worker with calls ---- */

struct rooms_size {
	uint32_t ports, rooms, coders;
	enum cord_srtp_backend backend;
};

/*
 * One worker, on a NIC that the caller made. hz: of the TSC. Its ports lie at 10.0.0.2 and the next
 * addresses, CALLS_ADDRESS at each.
 */
struct worker *rooms_worker(
	struct dataplane *dp, const struct nic *nic, const struct rooms_size *size, double hz);
/* The ports of the first slots must be open. */
void rooms_worker_end(struct dataplane *dp, uint32_t ports, cord_time now_ns);

/* Opens the port of a slot. The next hop answers as soon as the first one asks for it. */
void rooms_port(struct worker *w, uint32_t slot, const struct cord_terms *terms);
/* Opens the room that the set names, and sets it. */
void rooms_set(struct worker *w, const struct cord_room_set *set);
/* What waits to be sent is not. */
void rooms_drop(struct worker *w);

/* The peer of a slot: 11.0.0.0 and so many. Addresses of packets are in network order. */
uint32_t rooms_peer_ip(uint32_t slot);
uint32_t rooms_peer_slot(uint32_t ip);
struct cord_address rooms_peer(uint32_t slot, uint16_t udp_port);

/* ---- ticks without a NIC ---- */

struct rooms {
	struct dataplane dp;
	struct worker *w;
	uint32_t ports;
	uint64_t hash; /* of what left but RTCP, which tells the time of day */
};

/* Starts the EAL without NIC and makes a pool of packets. mb: of memory. */
void rooms_start(struct nic *nic, uint32_t packets, const char *mb);

/* `ports` ports and as many rooms, none open. */
void rooms_begin(
	struct rooms *r, const struct nic *nic, uint32_t ports, uint32_t coders, double hz);
/* All ports must be open. */
void rooms_end(struct rooms *r);

/* Of the peer of a slot. */
struct cord_terms rooms_terms(uint32_t slot, enum cord_codec codec);

/* A packet of 20 ms for a tick that comes 15 ms later; period: counted from 0. */
void rooms_arrive(
	struct rooms *r, uint32_t slot, uint32_t period, const uint8_t *payload, uint32_t bytes);

/* Works a period; cycles of its ticks. */
uint64_t rooms_tick(struct rooms *r, uint32_t period);

static inline uint64_t rooms_counter(const struct worker *w, enum cord_counter counter)
{
	return atomic_load(&w->shared->counters.value[counter]);
}

#endif
