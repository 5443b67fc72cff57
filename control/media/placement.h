/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slot a port or a room gets, and which worker. Pure: time comes in.
 *
 * Port slots lie in aligned blocks of PLACEMENT_BLOCK; block b has worker b modulo workers as its
 * home, and a port is placed at home of the worker that owns its room while that has slots, since
 * packets that arrive at another worker cost a hand-over. The slots lie address by address, so each
 * has the family of its address, and a port is placed at an address of the family that its peer
 * has. The slot freed longest ago is taken first
 * and not before it has rested: CORD_UDP_PORT_REST_NS for ports (late packets of the former call),
 * PLACEMENT_ROOM_REST_NS for rooms.
 *
 * The generation of an id is at least the second of CLOCK_MONOTONIC at which it was made, and more
 * than the slot's last one. Because slots rest longer than a second, it grows also over a restart
 * of control that left no memory behind but a living dataplane.
 *
 * A room goes to the worker with the least load, which the caller knows (headroom.h).
 */
#pragma once

#include <stdint.h>

#include <cordboard/types.h>

#define PLACEMENT_BLOCK        64u
#define PLACEMENT_ROOM_REST_NS UINT64_C(2000000000)

struct placement;

struct placement_shape {
	uint32_t workers, ports, rooms, rooms_per_worker;
	uint32_t addresses;                 /* of media, each with ports / addresses slots */
	uint8_t family[CORD_ADDRESSES_MAX]; /* enum cord_family, of each */
};

int placement_create(const struct placement_shape *shape, struct placement **out);
void placement_destroy(struct placement *p);

/* The worker that a new room would go to: the one with the least of `load`, which has one for each
 * worker. UINT_MAX: none has space for a room. */
unsigned placement_worker(const struct placement *p, const uint64_t *load);
/* A room on the worker. -ENOSPC, also for UINT_MAX. */
int placement_room(struct placement *p, unsigned worker, uint64_t now_ns, cord_id *room);
void placement_room_free(struct placement *p, cord_id room, uint64_t now_ns);
/*
 * A port for a room on `worker`, at an address of `family`; CORD_FAMILY_NONE: of the first
 * address's. -ENOSPC; -EAFNOSUPPORT: there is no such address.
 */
int placement_port(struct placement *p, unsigned worker, enum cord_family family, uint64_t now_ns,
	cord_id *port);
void placement_port_free(struct placement *p, cord_id port, uint64_t now_ns);
/* Of which nobody has heard: it need not rest. */
void placement_port_give_back(struct placement *p, cord_id port);
/* The same slot under a new generation: the object is opened once more. */
cord_id placement_port_renew(struct placement *p, cord_id port, uint64_t now_ns);
cord_id placement_room_renew(struct placement *p, cord_id room, uint64_t now_ns);
/* Found in a living dataplane: its slot is taken and its generation used. False when it is ours or
 * claimed already under this id. A worker out of range counts as 0. */
bool placement_port_claim(struct placement *p, cord_id port);
bool placement_room_claim(struct placement *p, cord_id room, unsigned worker);

struct placement_counts {
	uint32_t ports, ports_used, ports_resting, rooms, rooms_used;
};

void placement_counts(const struct placement *p, uint64_t now_ns, struct placement_counts *out);
unsigned placement_home(const struct placement *p, uint32_t slot);
