/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the threads of the dataplane share: sizes fixed at start, the arrays of ports and rooms, the
 * segment, the NIC. Grouped by who writes.
 */
#ifndef DATAPLANE_DATAPLANE_H
#define DATAPLANE_DATAPLANE_H

#include "clip.h"
#include "clock.h"
#include "neighbor.h"
#include "nic.h"
#include "options.h"
#include "tap.h"

#include <cordboard/segment.h>

struct exchange;
struct port;
struct port_cold;
struct port_rich;
struct room;
struct srtp_keys;
struct worker;

#define OWNER_NONE 0xffu

struct dataplane_config {
	uint32_t workers, ports, rooms;
	uint32_t coders; /* of each worker */
	uint32_t addresses;
	struct cord_address address[CORD_ADDRESSES_MAX]; /* of media; udp_port 0 */
	uint8_t prefix[CORD_ADDRESSES_MAX];              /* bits */
	struct cord_address gateway[2]; /* of IPv4, of IPv6; CORD_FAMILY_NONE: none */
	uint16_t udp_port_base;
	bool ignore_udp_checksum;
	bool may_sleep;
	enum cord_srtp_backend srtp_backend; /* NONE: the best */
	uint64_t tsc_hz;
	uint64_t epoch; /* random, not 0 */
	uint64_t seed;  /* of the generators of stream numbers */
};

struct dataplane {
	/* fixed at start */
	struct dataplane_config config;
	uint64_t (*tsc)(void); /* what ticks are timed by: clock_tsc(), or a test's own */
	uint32_t ports_per_address;
	uint32_t ipv4[CORD_ADDRESSES_MAX]; /* network order; 0: an IPv6 address */
	struct nic nic;
	struct cord_segment *segment;
	size_t segment_bytes;
	int segment_fd;
	int wake_fd; /* eventfd of control */
	/* our own pointers into the segment: its header lies where control can write */
	struct cord_worker *shared;
	struct cord_port_status *port_status;
	struct cord_room_status *room_status;
	struct worker *worker[CORD_WORKERS_MAX];
	struct port *port;
	struct port_cold *port_cold;
	struct port_rich *port_rich;
	struct room *room;
	struct srtp_keys *srtp; /* PORT_SECURE_SLOTS of each port, touched by its owner alone */

	/* written by the worker that claims or gives away a slot */
	_Atomic uint8_t *port_owner; /* worker, OWNER_NONE: closed */
	_Atomic uint8_t *room_owner;

	/* written by any worker, see neighbor.h */
	struct neighbors neighbors;

	/* written by the main lcore */
	struct clips clips;
	struct taps taps;
	struct clock_pair clock;
	struct exchange *from_main;        /* packets for worker 0 to send */
	_Atomic uint64_t unattended_since; /* cord_time; 0: control is attached */
	_Atomic uint32_t stop;
};

/* Takes all memory, makes the segment and the workers. Starts no thread. */
int dataplane_create(struct dataplane *dp, const struct dataplane_config *config);
void dataplane_destroy(struct dataplane *dp);

/* Whether an address, in network order, is one of ours, and which. */
static inline bool dataplane_local_ipv4(const struct dataplane *dp, uint32_t ip, uint32_t *index)
{
	for (uint32_t i = 0; i < dp->config.addresses; i++) {
		if (dp->ipv4[i] == ip && ip != 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

static inline bool dataplane_local_ipv6(
	const struct dataplane *dp, const uint8_t ip[16], uint32_t *index)
{
	for (uint32_t i = 0; i < dp->config.addresses; i++) {
		if (dp->config.address[i].family == CORD_FAMILY_IPV6 &&
			memcmp(dp->config.address[i].ip, ip, 16) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* Copies how many passes each worker has begun. */
void dataplane_passes(const struct dataplane *dp, uint64_t passes[CORD_WORKERS_MAX]);

#endif
