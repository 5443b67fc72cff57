/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dataplane without media: speaks the attach socket and the rings, keeps ports, rooms and players
 * as the contract says, answers every command, and misbehaves on demand. Runs in the test's own
 * thread: fake_step() is one pass of all its workers.
 */
#pragma once

#include <cordboard/segment.h>

#define FAKE_WORKERS 2u
#define FAKE_PORTS   512u
#define FAKE_ROOMS   256u
#define FAKE_TAPS    16u
#define FAKE_LOG     65536u

struct fake_port {
	cord_id id;
	uint32_t last_generation;
	unsigned worker;
	struct cord_port_open open; /* values as changed since */
	cord_id room;
	struct cord_port_playlist staged, playing;
};

struct fake_room {
	cord_id id;
	uint32_t last_generation;
	unsigned worker;
	struct cord_room_set set;
	unsigned sets;
};

struct fake_misconduct {
	void (*spoil)(struct cord_segment *segment); /* before it is handed over */
	uint32_t welcome_result;
	uint64_t welcome_bytes_off; /* added to the announced size */
	uint64_t welcome_epoch_off;
	unsigned welcome_fds_less;
	unsigned welcome_cut; /* bytes missing of the message */
	bool welcome_bad_magic, welcome_bad_sizes;
	bool no_seals;
	bool no_welcome;
	bool mute;        /* applies, but does not answer */
	bool stall;       /* does not read commands */
	bool stand_still; /* its workers do not move at all */
	bool lose_events; /* status changes, events find the ring full */
	bool no_heartbeat;
	uint32_t clip_result; /* answer to every CLIP_ADD */
	uint32_t tap_result;  /* answer to every TAP_ADD */
};

struct fake_tap {
	cord_id id; /* 0: none */
	struct cord_tap *memory;
	struct cord_tap_writer writer;
};

struct fake {
	char path[108];
	int listener, connection, memfd, event_fd;
	struct cord_segment *segment;
	uint64_t bytes;
	struct cord_ring_reader readers[FAKE_WORKERS];
	struct cord_ring_writer writers[FAKE_WORKERS];
	struct fake_port ports[FAKE_PORTS];
	struct fake_room rooms[FAKE_ROOMS];
	struct {
		cord_clip_id id;
		unsigned formats;
	} clips[256];
	unsigned n_clips;
	struct fake_tap taps[FAKE_TAPS];
	struct fake_misconduct wrong;
	/* counts */
	unsigned commands, refused, clip_adds, clip_removes, tap_adds, attaches, wakes;
	/* all that was applied, in order: for tests of order */
	struct {
		uint32_t type;
		cord_id id;
	} log[FAKE_LOG];
	unsigned n_log;
};

/* A new life at the same socket path: new segment, new epoch. `misconduct` may be NULL. */
struct fake *fake_start(const char *path, uint64_t epoch, const struct fake_misconduct *misconduct);
/* As kill -9: everything is closed at once. */
void fake_kill(struct fake *f);
/* Hangs up and lives on. */
void fake_hang_up(struct fake *f);
void fake_step(struct fake *f);

/* What peers do. */
void fake_key(struct fake *f, cord_id port, char digit);
void fake_first_packet(struct fake *f, cord_id port, cord_time now_ns);
void fake_player_ends(struct fake *f, cord_id port);
void fake_digits_end(struct fake *f, cord_id port);
struct cord_port_status *fake_status(struct fake *f, cord_id port);
struct cord_worker *fake_worker(struct fake *f, unsigned worker);
void fake_event(struct fake *f, unsigned worker, struct cord_message *m);

struct fake_port *fake_port(struct fake *f, cord_id id);
struct fake_room *fake_room(struct fake *f, cord_id id);
unsigned fake_open_ports(const struct fake *f);
unsigned fake_open_rooms(const struct fake *f);
/* Does member a hear member b (a == b: its player) in the room as last set? */
bool fake_hears(struct fake *f, cord_id room, cord_id a, cord_id b);
/* The tap that a room as last set names, or NULL; its masks are in the room's set. */
struct fake_tap *fake_room_tap(struct fake *f, cord_id room);
/* Writes a frame: `left` and `right` in every sample. False: the ring is full. */
bool fake_tap_frame(struct fake_tap *tap, uint64_t period, int16_t left, int16_t right);
unsigned fake_open_taps(const struct fake *f);
bool fake_has_clip(const struct fake *f, cord_clip_id id, unsigned formats);
