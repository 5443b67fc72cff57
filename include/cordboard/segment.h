/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared segment: made by the dataplane, mapped by both, and how control comes by it.
 *
 * The segment is a memfd sealed with F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL. The dataplane
 * listens on a UNIX SOCK_SEQPACKET socket; the messages of that socket are at the end of this file:
 *
 *     control                                dataplane
 *        | connect                              |
 *        | HELLO magic, version, sizes  ------> | compares; checks the peer with SO_PEERCRED
 *        | <------ WELCOME refusal, epoch + fds | segment memfd, eventfd that wakes control
 *        | CLIP_ADD + memfd             ------> | maps, checks, keeps
 *        | <------------- CLIP_READY id, result |
 *        | CLIP_REMOVE id               ------> | gone when its last player has left
 *        | <------------ CLIP_REMOVED id        |
 *        | TAP_ADD id + memfd           ------> | maps, checks, keeps; the memfd may be closed
 *        | <-------------- TAP_READY id, result |
 *        | TAP_REMOVE id                ------> | out of its room
 *        | <------------- TAP_REMOVED id        | nothing is written to it any more
 *
 * One control at a time: a second one is refused with CORD_ATTACH_RESULT_BUSY. The open connection
 * is the lease: its hang-up tells each side that the other is gone. A control that attaches to a
 * living dataplane finds the same epoch, reads which ports and rooms exist from the status arrays,
 * and goes on with the rings where the last one left them. The taps of a control end with its lease.
 * A new dataplane is a new segment and a new epoch.
 *
 * Who writes what is said at each group. Everything else only reads, and believes nothing that the
 * peer wrote: ids, counts and offsets are checked on a copy.
 */
#ifndef CORDBOARD_SEGMENT_H
#define CORDBOARD_SEGMENT_H

#include <cordboard/clip.h>
#include <cordboard/counters.h>
#include <cordboard/ring.h>
#include <cordboard/tap.h>

#define CORD_SEGMENT_MAGIC   0x64726f63u /* "cord" */
#define CORD_SEGMENT_VERSION 3u
/* Periods between two times that a port's figures are written, for those who sit in a room. */
#define CORD_STATUS_PERIODS 16u

/* What both sides must agree on; compared field by field at attach. */
struct cord_sizes {
	uint32_t segment_version;
	uint32_t message;
	uint32_t commands; /* number of command types */
	uint32_t events;   /* number of event types */
	uint32_t ring;
	uint32_t counters;
	uint32_t port_status;
	uint32_t room_status;
	uint32_t worker;
	uint32_t header;
	uint32_t clip_header;
	uint32_t tap;
	uint32_t body[2][16]; /* body sizes of each command, of each event */
};

/* A consistent reading of a port's status: see cord_port_status_read(). Written by the owner. */
struct cord_port_status {
	alignas(64) _Atomic uint32_t version; /* odd while it is being written */
	uint32_t ssrc;                        /* of our stream */
	cord_id port;                         /* 0: the slot is closed */
	cord_id room;                         /* 0: it sits in none */
	cord_time opened;
	cord_time first_rx; /* 0: nothing valid received yet */
	cord_time last_rx;
	uint32_t player_generation; /* playing or last played; 0: never */
	/*
	 * Written as a clip begins and with the figures, CORD_STATUS_PERIODS apart; what plays has
	 * gone on since by a frame in each period: cord_port_status_frame().
	 */
	uint32_t player_clip;   /* index in the playlist */
	uint32_t player_frame;  /* frame of that clip, from 0, that was to come next */
	uint32_t player_ms;     /* CLOCK_MONOTONIC when the room had been worked, low 32 bits */
	uint8_t player_running; /* 1: playing */
	uint8_t owner;          /* worker */
	uint8_t digits_sending; /* 1: a cord_port_digits is being sent */
	uint8_t media_lost;     /* 1: MEDIA_LOST, and nothing since */
	uint32_t digits;        /* keys received so far: the last CORD_DIGIT_LOG are in digit[] */
	char digit[CORD_DIGIT_LOG];
	/* what a caller heard and was heard: packets and periods since it was opened */
	uint64_t rx_packets, tx_packets;
	uint32_t rx_lost, rx_late, rx_duplicate;
	uint32_t rx_dropped; /* malformed, unasked for, or not authentic */
	uint32_t concealed, silent;
	uint32_t
		recovered; /* lost or late, and heard all the same: Opus FEC. Not among concealed */
	uint32_t jitter_us;      /* RFC 3550 section 6.4.1 */
	uint32_t buffer_ms;      /* present depth of the jitter buffer */
	uint32_t source_dropped; /* packets from a foreign address */
	/*
	 * Of the stream that comes now, like rx_lost; another SSRC begins both anew. Together with
	 * rx_late and recovered they say what share of it was not heard.
	 */
	uint32_t rx_expected;
	/* frames that were missing when their time came, in so many stretches without a good one */
	uint32_t missing, missing_stretches;
	/* what the peer's RTCP says: 0 where it has not said it */
	uint32_t round_trip_us, round_trip_max_us; /* RFC 3550 section 6.4.1; not 0 when known */
	uint32_t peer_reports;                     /* about our stream that were believed */
	uint32_t peer_lost, peer_lost_of;          /* of our packets, when the last report came */
	uint32_t peer_jitter_us;
	uint16_t peer_end_system_ms; /* delay that its buffer and codec add (RFC 3611) */
	uint8_t peer_discarded;      /* came too late for it, of 256 (RFC 3611) */
	uint8_t reserved;
	struct cord_address learned; /* CORD_FAMILY_NONE: the peer is where the terms say */
};

/* Written by the worker that owns the room. */
struct cord_room_status {
	_Atomic uint64_t room; /* cord_id; 0: the slot is closed */
	_Atomic uint32_t members;
	_Atomic uint32_t worker_phase; /* worker << 16 | phase */
};

/* What a worker and control share. One of these for each worker. */
struct cord_worker {
	struct cord_ring commands; /* control writes, the worker reads */
	struct cord_ring events;   /* the worker writes, control reads */
	struct cord_counters counters;
	/* written by the worker */
	alignas(64) _Atomic uint64_t heartbeat; /* cord_time of its last pass, about every 10 ms */
};

struct cord_segment {
	/* written once by the dataplane before anybody attaches */
	uint32_t magic;
	uint32_t version;
	uint64_t bytes; /* of the whole segment */
	uint64_t epoch; /* random, one for each life of a dataplane */
	struct cord_sizes sizes;
	uint32_t workers;          /* 1..CORD_WORKERS_MAX */
	uint32_t ports;            /* slots in use: a multiple of addresses */
	uint32_t rooms;            /* slots in use */
	uint32_t addresses;        /* 1..CORD_ADDRESSES_MAX */
	uint32_t udp_port_base;    /* even: RTP of the first slot of every address */
	uint32_t rooms_per_worker; /* what a worker was given memory for */
	uint32_t srtp_backend;     /* enum cord_srtp_backend */
	struct cord_address address[CORD_ADDRESSES_MAX]; /* media addresses, udp_port 0 */
	uint64_t offset_workers;                         /* struct cord_worker[workers] */
	uint64_t offset_port_status;                     /* struct cord_port_status[ports] */
	uint64_t offset_room_status;                     /* struct cord_room_status[rooms] */

	/* written by the dataplane's main lcore */
	alignas(64) _Atomic uint64_t dataplane_heartbeat; /* cord_time */
	_Atomic uint32_t control_attached;                /* 1 while a lease is held */
	_Atomic uint32_t clips;                           /* clips ready */

	/* written by control */
	alignas(64) _Atomic uint64_t control_heartbeat; /* cord_time */
	/*
	 * 1 while control sleeps: a worker that has written events then writes the eventfd, at most
	 * once a tick. Control sets it (seq_cst), looks at every event ring again, and only then
	 * sleeps.
	 */
	_Atomic uint32_t control_sleeping;
};

static inline struct cord_sizes cord_sizes_here(void)
{
	struct cord_sizes s = {
		.segment_version = CORD_SEGMENT_VERSION,
		.message = sizeof(struct cord_message),
		.commands = CORD_COMMAND_END - 1,
		.events = CORD_EVENT_END - CORD_EVENT_BEGIN - 1,
		.ring = sizeof(struct cord_ring),
		.counters = sizeof(struct cord_counters),
		.port_status = sizeof(struct cord_port_status),
		.room_status = sizeof(struct cord_room_status),
		.worker = sizeof(struct cord_worker),
		.header = sizeof(struct cord_segment),
		.clip_header = sizeof(struct cord_clip_header),
		.tap = sizeof(struct cord_tap),
	};

	for (uint32_t i = 0; i < s.commands; i++)
		s.body[0][i] = cord_message_body_size(CORD_MESSAGE_NONE + 1 + i);
	for (uint32_t i = 0; i < s.events; i++)
		s.body[1][i] = cord_message_body_size(CORD_EVENT_BEGIN + 1 + i);
	return s;
}
_Static_assert(CORD_COMMAND_END - 1 <= 16 && CORD_EVENT_END - CORD_EVENT_BEGIN - 1 <= 16,
	"the table of body sizes has a place for each type");

/*
 * Where a port's RTP arrives: slots are numbered address by address, two UDP ports (RTP, RTCP)
 * each. Takes the number of slots and addresses from a copy that was checked at attach.
 */
static inline struct cord_address cord_segment_local(const struct cord_address *address,
	uint32_t ports_per_address, uint32_t udp_port_base, uint32_t slot)
{
	struct cord_address local = address[slot / ports_per_address];

	local.udp_port = (uint16_t)(udp_port_base + 2 * (slot % ports_per_address));
	return local;
}

/* Owner's side of the version lock around a change of a port's status. */
static inline void cord_port_status_begin(struct cord_port_status *s)
{
	uint32_t v = atomic_load_explicit(&s->version, memory_order_relaxed);

	atomic_store_explicit(&s->version, v + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static inline void cord_port_status_end(struct cord_port_status *s)
{
	uint32_t v = atomic_load_explicit(&s->version, memory_order_relaxed);

	atomic_store_explicit(&s->version, v + 1, memory_order_release);
}

/*
 * Reader's side: a copy of one moment, or false when the owner kept writing (or died while writing)
 * for a hundred tries.
 */
static inline bool cord_port_status_read(
	const struct cord_port_status *s, struct cord_port_status *copy)
{
	for (int i = 0; i < 100; i++) {
		uint32_t before = atomic_load_explicit(&s->version, memory_order_acquire);

		memcpy(copy, s, sizeof(*copy));
		atomic_thread_fence(memory_order_acquire);
		if (!(before & 1) &&
			before == atomic_load_explicit(&s->version, memory_order_relaxed))
			return true;
	}
	return false;
}

/*
 * The frame of its clip that a player has come to, by a copy of its status: right while ticks are in
 * time. It may be the number of frames of the clip, at its end.
 */
static inline uint32_t cord_port_status_frame(const struct cord_port_status *s, cord_time now_ns)
{
	uint32_t since = ((uint32_t)(now_ns / 1000000) - s->player_ms) / (CORD_TICK_NS / 1000000);

	/* A player that nobody works has not gone on. */
	return s->player_frame +
	       (s->player_running == 1 && since <= CORD_STATUS_PERIODS ? since : 0);
}

/* ---- the attach socket ---- */

enum cord_attach_type {
	CORD_ATTACH_HELLO = 1,
	CORD_ATTACH_WELCOME = 2,
	CORD_ATTACH_CLIP_ADD = 3,
	CORD_ATTACH_CLIP_READY = 4,
	CORD_ATTACH_CLIP_REMOVE = 5,
	CORD_ATTACH_CLIP_REMOVED = 6,
	CORD_ATTACH_TAP_ADD = 7,
	CORD_ATTACH_TAP_READY = 8,
	CORD_ATTACH_TAP_REMOVE = 9,
	CORD_ATTACH_TAP_REMOVED = 10,
};

#define CORD_ATTACH_RESULTS(X)                                                              \
	X(OK, "done")                                                                       \
	X(MAGIC, "not a cordboard peer (magic)")                                            \
	X(VERSION, "another version of the contract")                                       \
	X(SIZES, "struct sizes differ: the two programs were built from different sources") \
	X(BUSY, "another control is attached")                                              \
	X(PEER, "the peer's user is not allowed to attach")                                 \
	X(MALFORMED, "malformed message on the attach socket")                              \
	X(NO_FD, "message came without its file descriptor")                                \
	X(NOT_SEALED, "memory is not sealed against change")                                \
	X(BAD_CLIP, "clip's header or frame table is wrong")                                \
	X(CLIP_ID, "clip's id is not the one announced")                                    \
	X(CLIP_TABLE_FULL, "as many clips as the dataplane can hold")                       \
	X(CLIP_UNKNOWN, "no such clip")                                                     \
	X(BAD_TAP, "tap's header or size is wrong")                                         \
	X(TAP_TAKEN, "the tap's slot is in use")                                            \
	X(TAP_UNKNOWN, "no such tap")

enum cord_attach_result {
#define X(name, text) CORD_ATTACH_RESULT_##name,
	CORD_ATTACH_RESULTS(X)
#undef X
		CORD_ATTACH_RESULT_COUNT
};

static inline const char *cord_attach_result_name(uint32_t result)
{
	static const char *const names[] = {
#define X(name, text) text,
		CORD_ATTACH_RESULTS(X)
#undef X
	};
	return result < CORD_ATTACH_RESULT_COUNT ? names[result] : "unknown result";
}

/* Every message of the attach socket is one datagram of this size. */
struct cord_attach_message {
	uint32_t magic;  /* CORD_SEGMENT_MAGIC */
	uint32_t type;   /* enum cord_attach_type */
	uint32_t result; /* enum cord_attach_result: WELCOME, *_READY, *_REMOVED */
	uint32_t format; /* enum cord_clip_format: CLIP_ADD, CLIP_READY */
	union {
		cord_clip_id clip; /* CLIP_* */
		cord_id tap;       /* TAP_* */
	};
	uint64_t epoch;          /* WELCOME */
	uint64_t bytes;          /* WELCOME: of the segment; *_ADD: of the memfd */
	struct cord_sizes sizes; /* HELLO: control's; WELCOME: the dataplane's */
};

#endif
