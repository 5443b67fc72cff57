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

#include <cordboard/segment.h>

struct exchange;
struct port;
struct port_cold;
struct room;
struct worker;

#define OWNER_NONE 0xffu

struct dataplane_config {
	uint32_t workers, ports, rooms;
	uint32_t addresses;
	uint32_t ip[CORD_ADDRESSES_MAX], mask[CORD_ADDRESSES_MAX]; /* network order */
	uint32_t gateway;
	uint16_t udp_port_base;
	bool ignore_udp_checksum;
	bool may_sleep;
	uint64_t tsc_hz;
	uint64_t epoch; /* random, not 0 */
	uint64_t seed;  /* of the generators of stream numbers */
};

struct dataplane {
	/* fixed at start */
	struct dataplane_config config;
	uint32_t ports_per_address;
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
	struct room *room;

	/* written by the worker that claims or gives away a slot */
	_Atomic uint8_t *port_owner; /* worker, OWNER_NONE: closed */
	_Atomic uint8_t *room_owner;

	/* written by any worker, see neighbor.h */
	struct neighbors neighbors;

	/* written by the main lcore */
	struct clips clips;
	struct clock_pair clock;
	struct exchange *from_main;        /* packets for worker 0 to send */
	_Atomic uint64_t unattended_since; /* cord_time; 0: control is attached */
	_Atomic uint32_t stop;
};

/* Takes all memory, makes the segment and the workers. Starts no thread. */
int dataplane_create(struct dataplane *dp, const struct dataplane_config *config);
void dataplane_destroy(struct dataplane *dp);

/* Copies how many passes each worker has begun. */
void dataplane_passes(const struct dataplane *dp, uint64_t passes[CORD_WORKERS_MAX]);

#endif
