/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps: memory from control that a room writes what it sounds like into (cordboard/tap.h).
 *
 *               TAP_ADD, checked       room_set            leaves the room, or it is closed
 *   (unknown) -------------------> IDLE --------> SEATED ----------------------------+
 *                                   ^                                                |
 *                                   +------------------------------------------------+
 *   TAP_REMOVE, or the lease is over: out of the table, out of its room at the next period, and,
 *   when every worker has passed, unmapped.
 *
 * The main lcore alone adds, removes and unmaps. A worker finds a tap by its id when a room_set
 * names it, and claims it within the same pass; from then on it alone writes to it.
 */
#ifndef DATAPLANE_TAP_H
#define DATAPLANE_TAP_H

#include "grace.h"

#include <cordboard/segment.h>
#include <cordboard/tap.h>

#define TAP_OWNER_NONE 0xffu

struct tap {
	cord_id id;
	_Atomic uint8_t owner; /* worker that writes to it, TAP_OWNER_NONE; set by that worker */
	_Atomic bool leaving;  /* set by the main lcore: to be let go */
	/* of the worker that owns it */
	uint32_t room;   /* slot */
	uint64_t period; /* last one written; 0: none */
	struct cord_tap_writer writer;
	/* main lcore alone */
	void *mapped;
	size_t bytes;
	uint64_t lease;     /* the control that wants it */
	struct grace grace; /* since it left the table */
	bool announce;      /* control asked for the removal and is told */
	struct tap *next;   /* among those that are leaving */
};

struct taps {
	struct tap *_Atomic at[CORD_TAPS_MAX]; /* by slot; written by the main lcore */
	struct tap *leaving;                   /* main lcore alone */
};

/*
 * Takes a tap's memory of `bytes` bytes: checks seals, maps, checks the header. `lease` says who
 * wants it. Never closes fd. Main lcore.
 */
enum cord_attach_result tap_add(
	struct taps *taps, int fd, uint64_t bytes, cord_id id, uint64_t lease);

/* Begins to let a tap go. CORD_ATTACH_RESULT_OK, or CORD_ATTACH_RESULT_TAP_UNKNOWN. Main lcore. */
enum cord_attach_result tap_remove(struct taps *taps, cord_id id);

/* The same for all taps of a lease that is over; nobody is told. Main lcore. */
void taps_remove_lease(struct taps *taps, uint64_t lease);

/*
 * Unmaps one tap that is in no room any more, if there is one. Its id if control asked for the
 * removal, else 0. passes: as for clip_reap(). Main lcore.
 */
cord_id tap_reap(struct taps *taps, const uint64_t *passes, uint32_t workers);

/* Unmaps all. No worker may run. */
void taps_destroy(struct taps *taps);

/* A tap by id, or NULL. Any worker. */
struct tap *tap_find(const struct taps *taps, cord_id id);

/* False: another worker has it. Claiming what is ours already is fine. */
bool tap_claim(struct tap *tap, uint8_t worker, uint32_t room);
/* The worker that claimed it touches it no more. */
void tap_let_go(struct tap *tap);

struct room;
struct worker;

/*
 * Writes a period to the taps of a room, between the taking and the sending of its tick; those that
 * were taken away leave it. talking: as for listen_codes(). The worker that owns the room.
 */
void tap_room(struct worker *w, struct room *r, uint32_t talking, uint64_t period);

#endif
