/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attach socket: who may hold the lease, and the clips and taps that come over it. Main lcore.
 *
 *             connect, one at a time      HELLO that agrees
 *   NOBODY -----------------------> GUEST -----------------> ATTACHED
 *     ^                               |                          |
 *     +---- refused, hang-up, 2 s ----+                          |
 *     +---- hang-up, heartbeat older than 2 s, ring fault, ------+
 *           a datagram that is none of ours
 *
 * While one control is attached, others that connect are refused with BUSY. Guests that say nothing
 * for 2 s are cut off.
 */
#ifndef DATAPLANE_ATTACH_H
#define DATAPLANE_ATTACH_H

#include "dataplane.h"

#include <sys/types.h>

#define ATTACH_GUESTS_MAX 8u

struct attach_guest {
	int fd; /* -1: free */
	cord_time since;
};

struct attach_config {
	const char *path;
	long long allow_uid, allow_gid; /* -1: only our own user and root */
};

struct attach {
	struct dataplane *dp;
	struct attach_config config;
	int listener;
	int lease; /* connection of the control that is attached, -1 */
	uint64_t leases;
	cord_time watched_from; /* since it attached, or since we stood still */
	cord_time looked_at;    /* at its heartbeat */
	pid_t peer;
	struct attach_guest guest[ATTACH_GUESTS_MAX];
	uint64_t repair_at[CORD_WORKERS_MAX]; /* pass of a worker with a ring fault; 0: no fault */
};

/* Binds the socket (a stale one is replaced). 0, or a negative errno, logged. */
int attach_open(struct attach *a, struct dataplane *dp, const struct attach_config *config);
void attach_close(struct attach *a);

/* Waits up to timeout_ms for something, and handles all there is. */
void attach_step(struct attach *a, int timeout_ms);

#endif
