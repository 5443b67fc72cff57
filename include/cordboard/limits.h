/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every ceiling of the contract between the two processes, and the relations between them.
 *
 * A ceiling is what an array is dimensioned for; an instance may run with less (option rows), never
 * with more. Both processes are built from this file and compare the sizes that follow from it when
 * they attach (segment.h).
 */
#ifndef CORDBOARD_LIMITS_H
#define CORDBOARD_LIMITS_H

/* Workers: one pinned core, one pair of rings and one set of counters each. */
#define CORD_WORKERS_MAX 64u
/* Media ports: a power of two, so that a slot masks to an index. */
#define CORD_PORTS_MAX 262144u
/* Rooms: every room holds at least one port. */
#define CORD_ROOMS_MAX 262144u
/* Clips known to the dataplane at one time, one entry for each content hash. */
#define CORD_CLIPS_MAX 4096u
/* Taps at one time: recordings that run. */
#define CORD_TAPS_MAX 16384u
/* Members of a room: six parties, five supervisors, taps. */
#define CORD_ROOM_MEMBERS_MAX 16u
/* Of them taps: one for each agent of a call of six. */
#define CORD_ROOM_TAPS_MAX 5u
/* Gains in one room that differ from 0 dB. */
#define CORD_ROOM_GAINS_MAX 16u
/* Clips in one playlist of a player. */
#define CORD_PLAYLIST_MAX 16u
/* Digits sent by one command, pauses included (requirement R74). */
#define CORD_DIGITS_MAX 50u
/* Received digits kept in the status of a port, for readers that missed the event. */
#define CORD_DIGIT_LOG 16u
/* Media addresses of one dataplane. */
#define CORD_ADDRESSES_MAX 16u

/* Rings: fixed slots, powers of two. */
#define CORD_RING_SLOT_BYTES 512u
#define CORD_RING_SLOTS      4096u

/* Gains in dB, both ends included; CORD_GAIN_MUTE is silence. */
#define CORD_GAIN_MIN_DB (-60)
#define CORD_GAIN_MAX_DB 12
#define CORD_GAIN_MUTE   (-128)

/* One mixing period, and the phases that rooms are spread over. */
#define CORD_TICK_NS 20000000ull
#define CORD_PHASES  20u

/* Packet times a peer may ask for, milliseconds. */
#define CORD_PTIME_MIN_MS 10u
#define CORD_PTIME_MAX_MS 60u

/* Clips: 20 ms frames; five minutes is the longest prompt of the flow language, an hour is music.
 */
#define CORD_CLIP_FRAMES_MAX (3600u * 50u)
#define CORD_CLIP_BYTES_MAX  (128u << 20)

/* A UDP port that was closed is not opened again before this has passed. */
#define CORD_UDP_PORT_REST_NS 10000000000ull
/* A peer whose heartbeat is older than this is dead. Heartbeats are written every tenth of it. */
#define CORD_HEARTBEAT_DEAD_NS 2000000000ull
/*
 * Who has not looked at the peer's heartbeat for longer than this stood still, as a machine does that
 * is moved: the peer may have stood as well, and gets its time anew.
 */
#define CORD_HEARTBEAT_LOOK_NS (CORD_HEARTBEAT_DEAD_NS / 4)
/* Rooms that no control owns are removed when their ports had no RTP for this long. */
#define CORD_ORPHAN_QUIET_NS 30000000000ull

_Static_assert((CORD_PORTS_MAX & (CORD_PORTS_MAX - 1)) == 0, "port slots are masked");
_Static_assert((CORD_ROOMS_MAX & (CORD_ROOMS_MAX - 1)) == 0, "room slots are masked");
_Static_assert((CORD_RING_SLOTS & (CORD_RING_SLOTS - 1)) == 0, "ring positions are masked");
_Static_assert((CORD_DIGIT_LOG & (CORD_DIGIT_LOG - 1)) == 0, "digit log positions are masked");
_Static_assert(CORD_ROOM_MEMBERS_MAX <= 16, "a hear-mask is 16 bits");
_Static_assert(CORD_ROOMS_MAX >= CORD_PORTS_MAX / CORD_ROOM_MEMBERS_MAX, "every port finds a room");
_Static_assert(CORD_TICK_NS % CORD_PHASES == 0, "phases divide the period");

#endif
