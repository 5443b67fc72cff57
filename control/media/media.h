/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media as the contact room sees it: legs, rooms, who hears whom, what is played.
 *
 * The caller says what should be; this module keeps it as a model and sees to it that the dataplane
 * does it: now, after the dataplane was restarted (same UDP ports, same SSRCs but for legs with keys,
 * clips handed over first), after a full ring, after a lost event. Nothing here blocks, waits or
 * fails because the dataplane is away for a moment; what cannot be done at all comes back as a
 * callback.
 *
 *	room = media_room_create()              one for a contact, from answer to end
 *	leg  = media_leg_open(room, NULL or what the SDP says)
 *	       media_leg_local(leg)             address and UDP port for our SDP, at once
 *	       media_leg_update(leg, remote)    the peer's SDP has come, or has changed
 *	       media_room_apply(room, state)    members, who hears whom, players: one tick for all
 *	       media_leg_close(leg)             at the end; the leg leaves its room
 *	tap  = media_tap_open(media, rate)      what a room sounds like, in two channels
 *	       media_room_destroy(room)
 *
 *	state of the whole:   AWAY ---attached---> UP ---died, fault---> DOWN ---attached---> UP
 *
 * Rules
 * - All from the loop's thread. Callbacks come from the loop, never from inside a call made here,
 *   and never for a leg after media_leg_close().
 * - All changes made in one pass of the loop are sent at the end of the pass, for each room in one
 *   step: legs opened or changed first, then playlists, then the room.
 * - A leg without remote values has its UDP port, but is not open in the dataplane: as a member of
 *   a room it is passed over until media_leg_update().
 * - Clips that are not ready yet (still loading or being handed over) hold up only the player that
 *   wants them: masks change at once, the leg's former playlist goes on, and the new one starts
 *   when it can. What fails or takes longer than the time limit is `play_failed`.
 * - The contact's room names the worker, so all legs of a chain are opened in one room, or in a
 *   room made beside it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cordboard/counters.h>
#include <cordboard/messages.h>
#include <cordboard/types.h>

#include "base/address.h"
#include "base/random.h"
#include "media/clip_list.h"
#include "media/clips.h"

struct loop;
struct offload;
struct media;
struct media_leg;
struct media_room;
struct media_tap;

#define MEDIA_NO_EVENTS \
	CORD_NO_PAYLOAD_TYPE /* event_payload_type: the peer has no telephone-event */
#define MEDIA_MEMBERS_MAX     CORD_ROOM_MEMBERS_MAX
#define MEDIA_GAINS_MAX       CORD_ROOM_GAINS_MAX
#define MEDIA_TAPS_MAX        CORD_ROOM_TAPS_MAX
#define MEDIA_LIST_MAX        CORD_PLAYLIST_MAX
#define MEDIA_DIGITS_MAX      CORD_DIGITS_MAX
#define MEDIA_REASON_SIZE     CLIPS_REASON_SIZE
#define MEDIA_PLAY_TIMEOUT_NS (8 * UINT64_C(1000000000)) /* default time for clips to be ready */

enum media_state {
	MEDIA_AWAY, /* never attached: no leg can be opened */
	MEDIA_UP,
	MEDIA_DOWN, /* was up; legs and rooms may be changed, opened and closed as ever */
};

/* Each may be NULL. `leg_ctx` is what media_leg_open() was given. */
struct media_callbacks {
	void *ctx;
	/*
	 * Attached. `restarted`: a new dataplane; the model is being restored. What is not in it are
	 * the roll-over counters of peers with keys (RFC 3711 section 3.3.1): a stream that has sent
	 * more than 65,536 packets is understood again once the peer has a new key.
	 */
	void (*up)(void *ctx, bool restarted);
	void (*down)(void *ctx, const char *why);
	/* A key of the peer, once for each key, in order. `time_ns`: when it began. */
	void (*key)(void *ctx, void *leg_ctx, char digit, uint64_t time_ns);
	/* Keys that were pressed while nobody could tell which (more than the log holds). */
	void (*keys_lost)(void *ctx, void *leg_ctx, unsigned count);
	/* A list that does not loop has been played out. `token` as in its media_play. */
	void (*play_ended)(void *ctx, void *leg_ctx, uint64_t token);
	/* It was never heard, or not to its end: file, speech or clip failed. */
	void (*play_failed)(void *ctx, void *leg_ctx, uint64_t token, const char *why);
	/* First valid packet of the peer since the leg's address was given. */
	void (*first_media)(void *ctx, void *leg_ctx);
	/* No packet for as long as the terms allow, once; and there it is again. */
	void (*media_lost)(void *ctx, void *leg_ctx);
	void (*media_back)(void *ctx, void *leg_ctx);
	/* Behind NAT, as its terms allow: from now on media comes from there and goes there. */
	void (*media_learned)(void *ctx, void *leg_ctx, const struct address *address);
	/* media_leg_send_digits(): the last one is out, or (error < 0) they did not all go out. */
	void (*digits_sent)(void *ctx, void *leg_ctx, int error);
	/* The leg cannot have media: refused, or its UDP port does not exist any more. Close it. */
	void (*leg_failed)(void *ctx, void *leg_ctx, const char *why);
	/*
	 * 20 ms of a tap. `period` counts them from the epoch of CLOCK_MONOTONIC and grows: where it
	 * grows by more than one, those between were not heard. Both channels have the samples of
	 * 20 ms at the tap's rate; they are valid during the callback.
	 */
	void (*tap_frame)(void *ctx, void *tap_ctx, uint64_t period, const int16_t *left,
		const int16_t *right);
	/* The last frame of a tap that was closed has been told; it is gone. */
	void (*tap_ended)(void *ctx, void *tap_ctx);
};

struct media_config {
	struct loop *loop;
	struct offload *offload;
	struct random *random;     /* SSRCs; stays the caller's and must live as long */
	struct address socket;     /* of the dataplane's attach socket (a UNIX path) */
	struct clips_config clips; /* loop and offload are filled in here */
	uint64_t play_timeout_ns;  /* 0: MEDIA_PLAY_TIMEOUT_NS */
	unsigned busy_percent;     /* of a worker's time that new calls may fill; 0: all and more */
	struct media_callbacks callbacks;
};

/* Begins to attach, and goes on trying for ever. */
int media_create(const struct media_config *config, struct media **out);
/*
 * Lets go of the dataplane; no callback any more. Ports and rooms that are left stay there as
 * orphans for the next control. Destroy before the offload and the loop. NULL is fine.
 */
void media_destroy(struct media *media);
enum media_state media_state(const struct media *media);
const char *media_state_name(enum media_state state);
/* Why it is away or down; "" when it is up. */
const char *media_down_reason(const struct media *media);
struct clips *media_clips(struct media *media);

/* ---- rooms and legs ---------------------------------------------------------------------- */

/* False: another call would make ticks late. Asked before a call from outside is taken. */
bool media_has_time(const struct media *media);
/*
 * `beside`: on the same worker as that room (may be NULL: the one with most time).
 * -ENOTCONN: MEDIA_AWAY; -ENOSPC: no room or worker has space; -EBUSY: no worker has time, also for
 * calls of our own, which may fill half of what calls from outside leave; -ENOMEM.
 */
int media_room_create(
	struct media *media, const struct media_room *beside, struct media_room **out);
/* Closes the room and those legs that are still in it. NULL is fine. */
void media_room_destroy(struct media_room *room);
/* For logs and the admin socket: worker and the id in the dataplane. */
unsigned media_room_worker(const struct media_room *room);
uint64_t media_room_id(const struct media_room *room);

/*
 * Takes a UDP port for a leg of this room. `remote`: what the peer's SDP and ours agreed on; NULL:
 * not known yet. -ENOSPC: no port (freed ones rest for 10 s); -EBUSY: its worker has no time, and it
 * is not one of the first HEADROOM_ROOM_LEGS; -EINVAL: a value of `remote` out of range; -ENOMEM.
 */
int media_leg_open(struct media_room *room, const struct cord_terms *remote, void *leg_ctx,
	struct media_leg **out);
/*
 * Has the leg's port at an address of the family that its peer has, before anybody is told where it
 * is: the peer's SDP says, or where the call is sent to. -EAFNOSUPPORT: the dataplane has no address
 * of that family; -ENOSPC; -EBUSY: the peer is known, and has another one; -ENOTCONN. The leg stays
 * where it was then.
 */
int media_leg_face(struct media_leg *leg, enum cord_family family);
/* -EINVAL and no change: a value out of range. What is equal costs nothing. */
int media_leg_update(struct media_leg *leg, const struct cord_terms *remote);
/* The leg leaves its room at once; its UDP port rests. NULL is fine. */
void media_leg_close(struct media_leg *leg);
/* Where the peer sends RTP to (RTCP: the port above). Changes by media_leg_face() alone. */
struct address media_leg_local(const struct media_leg *leg);
uint32_t media_leg_ssrc(const struct media_leg *leg);
uint64_t media_leg_id(const struct media_leg *leg);
struct media_room *media_leg_room(const struct media_leg *leg);

/*
 * Digits to the peer as telephone-events, `n` of 0-9 * # A-D and ',' (pause). Zero times: 100 ms a
 * key, 70 ms between, 500 ms a pause. -EINVAL; -EBUSY: the former ones are not out yet; -ENOTSUP:
 * the peer has no telephone-event; -ENOTCONN: the leg has no remote, or the dataplane is away.
 */
int media_leg_send_digits(struct media_leg *leg, const char *digits, size_t n, unsigned duration_ms,
	unsigned gap_ms, unsigned pause_ms);

/* ---- who hears whom, and what is played --------------------------------------------------- */

enum media_player {
	MEDIA_PLAYER_KEEP,  /* goes on with what it plays */
	MEDIA_PLAYER_STOP,  /* silent; nothing is announced */
	MEDIA_PLAYER_START, /* begins `play`; the former list is forgotten */
};

/* What is played. The list is held as long as that takes; the caller keeps its own hold. */
struct media_play {
	struct clip_list *list; /* of 1..MEDIA_LIST_MAX clips */
	bool loop;
	uint8_t first_clip;   /* where it begins: a clip of the list, */
	uint32_t first_frame; /* and a frame of 20 ms in it; beyond its end: the list begins anew */
	uint64_t token;       /* comes back in play_ended and play_failed */
};

struct media_member {
	struct media_leg *leg;
	uint16_t hears;     /* bit n: hears member n of this state; its own bit: its own player */
	uint16_t digits_to; /* bit n: member n gets this member's keys */
	enum media_player player;
	struct media_play play; /* with MEDIA_PLAYER_START */
};

/* How loud member `listener` hears `talker` (equal: its own player); others are at 0 dB. */
struct media_gain {
	uint8_t listener, talker;
	int8_t gain_db; /* CORD_GAIN_MIN_DB..CORD_GAIN_MAX_DB, or CORD_GAIN_MUTE */
};

/* Bit n: member n of this state. */
struct media_tap_masks {
	struct media_tap *tap;
	uint16_t left, right; /* who is on each channel */
	uint16_t players;     /* whose player is on the right one */
};

struct media_room_state {
	const struct media_member *members;
	unsigned n_members; /* 0..MEDIA_MEMBERS_MAX, together with n_taps */
	const struct media_gain *gains;
	unsigned n_gains; /* 0..MEDIA_GAINS_MAX */
	const struct media_tap_masks *taps;
	unsigned n_taps; /* 0..MEDIA_TAPS_MAX */
};

/*
 * The whole state of the room; it replaces the former one, in one tick for all members. Legs that
 * are not named are members no more (silent both ways, player stopped) but stay open and may come
 * back. A leg of another room on the same worker moves here. Several calls in one pass: the last
 * state counts, with every START of them that was not taken back.
 * -EINVAL: a leg or tap named twice, one without a play to start, an index or gain out of range;
 * -EXDEV: a leg of a room on another worker; -ENOMEM: not where all legs are the room's. Nothing is
 * changed then.
 */
int media_room_apply(struct media_room *room, const struct media_room_state *state);

/* ---- taps ---------------------------------------------------------------------------------- */

/*
 * A tap that hears nothing until a room's state names it; of one room at a time, and its worker's. It
 * outlives a restart of the dataplane: what was not heard meanwhile is a gap in the periods.
 * `rate_hz`: 8000 or 16000. -EINVAL; -ENOSPC: CORD_TAPS_MAX; -ENOMEM.
 */
int media_tap_open(struct media *media, uint32_t rate_hz, void *tap_ctx, struct media_tap **out);
/* Leaves its room. Frames may still come, then `tap_ended`. NULL and a second time are fine. */
void media_tap_close(struct media_tap *tap);

/* ---- what runs ---------------------------------------------------------------------------- */

struct media_leg_stats {
	bool open;                        /* known to the dataplane; the rest is 0 otherwise */
	uint64_t opened_ns;               /* as the dataplane's clock (CLOCK_MONOTONIC) says */
	uint64_t first_rx_ns, last_rx_ns; /* 0: nothing received */
	uint64_t rx_packets, tx_packets;
	uint32_t rx_lost, rx_late, rx_duplicate, rx_dropped, source_dropped;
	struct address learned;     /* where media comes from and goes to; none: as the terms say */
	uint32_t concealed, silent; /* periods of 20 ms */
	uint32_t recovered;         /* packets that were lost or late, and heard all the same */
	uint32_t jitter_us, buffer_ms;
	uint8_t codec, ptime_ms; /* of what we send */
	uint32_t rx_expected;    /* of the present stream, as rx_lost */
	uint32_t missing, missing_stretches;
	bool media_lost; /* see media_callbacks */
	/* what the peer reports of our stream (struct cord_port_status); 0: not known */
	uint32_t round_trip_us, round_trip_max_us;
	uint32_t peer_reports, peer_lost, peer_lost_of, peer_jitter_us;
	uint16_t peer_end_system_ms;
	uint8_t peer_discarded; /* of 256 */
	bool playing;
	uint32_t play_clip, play_frame; /* index in the list, frame of 20 ms in the clip */
};

/* False: the dataplane is away or keeps writing. */
bool media_leg_stats(const struct media_leg *leg, struct media_leg_stats *out);

struct media_counts {
	unsigned workers;
	unsigned workers_stalled;                  /* no heartbeat for 2 s */
	unsigned ports, ports_used, ports_resting; /* all, held by legs, freed less than 10 s ago */
	unsigned rooms, rooms_used;
	unsigned legs, legs_closing, rooms_closing; /* closing: not confirmed yet */
	unsigned orphan_ports, orphan_rooms;
	unsigned commands_waiting;           /* no space in the ring yet */
	unsigned commands_open;              /* not answered yet */
	unsigned restoring;                  /* rooms still to be sent again */
	unsigned clips_ready;                /* as the dataplane says */
	enum cord_srtp_backend srtp_backend; /* of the dataplane that is or was attached; 0: none */
	unsigned taps;
	uint64_t attaches, deaths, ring_faults, refusals, events_stale, events_bad, rereads;
};

/* Goes over all ports: for who looks, not for each call. */
void media_counts(const struct media *media, struct media_counts *out);
/* How many rooms the dataplane has; 0: none is attached. */
uint32_t media_rooms(const struct media *media);
/* One worker's counter; 0 when it is away. UINT_MAX as worker: the sum. */
uint64_t media_counter(const struct media *media, unsigned worker, enum cord_counter counter);

/* A worker's time, in ns of a period of 20 ms (headroom.h). */
struct media_headroom {
	uint64_t busy_ns, phase_ns; /* of the last second: of the core, of the fullest phase */
	uint64_t expected_ns;       /* when the legs have come that rooms wait for */
	uint64_t leg_ns;            /* of another leg */
	uint64_t bound_ns;          /* for new calls */
};

/* False: it is away. */
bool media_headroom(const struct media *media, unsigned worker, struct media_headroom *out);

/* ---- orphans: rooms of a control that died -------------------------------------------------- */

struct media_orphan {
	uint64_t room; /* 0: ports that sit in no room */
	unsigned worker;
	unsigned ports;
	uint64_t last_rx_ns; /* of all its ports; removed 30 s after it */
};

/* Fills at most `max` (may be 0) and returns how many there are. */
unsigned media_orphans(const struct media *media, struct media_orphan *out, unsigned max);
/* Removes one now; UINT64_MAX: all. -ENOENT. */
int media_orphan_remove(struct media *media, uint64_t room);
