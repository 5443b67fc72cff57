/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control's end of the lease: connects to the dataplane's attach socket, maps and judges the
 * segment, carries messages over the rings, and notices when the dataplane is gone.
 *
 *	        back-off                    WELCOME, segment checked
 *	WAITING ---------> connect, HELLO -> GREETING -------------> UP
 *	   ^                   |                 |                   |
 *	   +----refused--------+---refused, 2 s--+---hang-up, stale--+
 *	                                             heartbeat, fault
 *
 * Nothing the dataplane wrote is believed: the header is judged on a copy and only the copy is used
 * afterwards; a ring position beyond the capacity, or a segment that is not sealed, ends the lease.
 * Never blocks, never spins; goes on trying for ever (first after 20 ms, at most every 250 ms).
 *
 * Waking: before the loop sleeps, control_sleeping goes up and the event rings are looked at again;
 * a worker that writes then raises the eventfd.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cordboard/segment.h>

#include "base/address.h"

#define ATTACH_RETRY_MIN_NS UINT64_C(20000000)
#define ATTACH_RETRY_MAX_NS UINT64_C(250000000)
#define ATTACH_BEAT_NS      (CORD_HEARTBEAT_DEAD_NS / 10)
#define ATTACH_EVENTS_PASS  2048u /* events taken from one ring in one pass */

struct loop;
struct attach;

/* What the segment is like, copied and judged at attach. */
struct attach_shape {
	uint64_t epoch;
	uint64_t bytes;
	uint32_t workers, ports, rooms, addresses;
	uint32_t ports_per_address; /* ports / addresses */
	uint32_t udp_port_base, rooms_per_worker;
	enum cord_srtp_backend srtp_backend;
	struct cord_address address[CORD_ADDRESSES_MAX];
	uint64_t offset_workers, offset_port_status, offset_room_status;
};

/*
 * Judges a copy of the header of a segment of `bytes` bytes. 0, or -EPROTO and a text that says
 * what is wrong. Pure.
 */
int attach_judge(const struct cord_segment *copy, uint64_t bytes, struct attach_shape *out,
	const char **wrong);
/* Same places for the same slots: ports of one may live on in the other. */
bool attach_shape_same_ports(const struct attach_shape *a, const struct attach_shape *b);

enum attach_state { ATTACH_WAITING, ATTACH_GREETING, ATTACH_UP };

struct attach_config {
	struct loop *loop;
	struct address socket;
	void *ctx;
	/* The segment is mapped; `same_epoch`: the same dataplane as the last time. */
	void (*up)(void *ctx, bool same_epoch);
	/* The lease is over; the segment is unmapped when this returns. */
	void (*down)(void *ctx, const char *why);
	/* An event from a ring: type and size fit each other, everything else is to be judged. */
	void (*event)(void *ctx, unsigned worker, const struct cord_message *message);
	/* The rings have been read in this pass: time to write what waits. */
	void (*pass)(void *ctx, uint64_t now_ns);
	void (*clip_ready)(void *ctx, cord_clip_id id, uint32_t format, uint32_t result);
	void (*clip_removed)(void *ctx, cord_clip_id id, uint32_t result);
	void (*tap_ready)(void *ctx, cord_id id, uint32_t result);
	void (*tap_removed)(void *ctx, cord_id id, uint32_t result);
};

int attach_create(const struct attach_config *config, struct attach **out);
void attach_destroy(struct attach *attach);
enum attach_state attach_state(const struct attach *attach);
const char *attach_state_name(enum attach_state state);
/* Of the present lease, or of the last one; NULL before the first. */
const struct attach_shape *attach_shape(const struct attach *attach);
/* Why it is not up; "" when it is. */
const char *attach_reason(const struct attach *attach);

/* The rest needs ATTACH_UP. */

/* CORD_RING_FULL: keep it. After CORD_RING_FAULT the lease ends from the loop. */
enum cord_ring_result attach_write(
	struct attach *attach, unsigned worker, const struct cord_message *message);
/* A copy of one moment; false when there is none. `slot` must be in range. */
bool attach_port_status(const struct attach *attach, uint32_t slot, struct cord_port_status *copy);
/* Only the id, for walks over all slots. */
cord_id attach_port_at(const struct attach *attach, uint32_t slot);
cord_id attach_room_at(const struct attach *attach, uint32_t slot, unsigned *worker);
uint64_t attach_counter(const struct attach *attach, unsigned worker, enum cord_counter counter);
bool attach_worker_alive(const struct attach *attach, unsigned worker);
unsigned attach_clips(const struct attach *attach);
/* -ENOBUFS: later; -EPIPE: the lease is ending; -ENOTCONN. The descriptor stays the caller's. */
int attach_clip_add(struct attach *attach, cord_clip_id id, enum cord_clip_format format, int fd,
	uint64_t bytes);
int attach_clip_remove(struct attach *attach, cord_clip_id id);
/* The same of taps. */
int attach_tap_add(struct attach *attach, cord_id id, int fd, uint64_t bytes);
int attach_tap_remove(struct attach *attach, cord_id id);

struct attach_stats {
	uint64_t attaches, deaths, refusals, ring_faults;
	uint64_t events, events_bad; /* bad: type or size that does not exist */
	uint64_t packets_bad;        /* on the socket */
	uint64_t wakes;              /* by the eventfd */
};

const struct attach_stats *attach_stats(const struct attach *attach);
