/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model behind media.h, shared by the files that make it true: legs.c (what the caller says),
 * media.c (what the dataplane tells), send.c (what has changed goes out), play.c (players and their
 * clips), taps.c (what is recorded), orphans.c (what another control left behind), admission.c (what
 * time the workers have). Not for anybody else.
 *
 *	player of a leg       `play` is what the dataplane has, `next` waits for its clips
 *
 *	          START, clips ready        sent with the room          told
 *	   NONE --------------------> READY ------------------> RUNNING -----> ENDED
 *	    ^                                                      |
 *	    +------------------- STOP, not a member ---------------+
 */
#pragma once

#include "base/timers.h"
#include "base/loop.h"
#include "media/attach.h"
#include "media/commands.h"
#include "media/headroom.h"
#include "media/media.h"
#include "media/placement.h"
#include "media/track.h"

#define MODEL_REFUSALS_MAX 3 /* the same object refused that often in a row: given up */

enum play_state { PLAY_NONE, PLAY_READY, PLAY_RUNNING, PLAY_ENDED };

struct media_leg {
	struct media *media;
	struct media_room *room;        /* NULL: closed, waits for answers */
	struct media_leg *next, **back; /* legs of the room */
	void *ctx;
	cord_id id;
	uint32_t ssrc;
	bool has_remote;
	struct cord_terms remote;
	bool open;    /* PORT_OPEN has been sent in this lease, or found open */
	bool changed; /* PORT_SET is due */
	bool failed;  /* nothing is sent any more */
	struct media_leg *failed_next, **failed_back; /* not told yet */
	char *failed_why;                             /* NULL: no memory for it */
	uint8_t refused;
	uint32_t unanswered; /* commands whose `done` has us as ctx */
	struct track track;

	enum play_state play_state;
	bool play_forgotten; /* a new list was wanted: the end of this one is not told */
	uint32_t generation; /* of `play` */
	struct media_play play, next_play; /* lists held; NULL: none */
	struct clip_wait wait;             /* for the first clip of `next_play` that is not there */
	struct timer play_limit;
};

struct media_member_kept {
	struct media_leg *leg;
	uint16_t hears, digits_to;
};

enum tap_state { TAP_IDLE, TAP_GIVEN, TAP_READY, TAP_LEAVING };

struct media_tap {
	struct media *media;
	struct media_room *room;        /* whose state names it; NULL: none's */
	struct media_tap *next, **back; /* all taps */
	void *ctx;
	uint32_t rate_hz;
	enum tap_state state;
	bool closing;            /* by media_tap_close() */
	bool refused;            /* by the dataplane: not tried again in this lease */
	bool faulted;            /* the dataplane wrote an impossible position; logged */
	cord_id id;              /* of `memory` */
	struct cord_tap *memory; /* NULL: none is handed over */
	struct cord_tap_reader reader;
};

struct tap_slots {
	struct media_tap *at[CORD_TAPS_MAX]; /* those with memory */
	uint32_t free[CORD_TAPS_MAX], n_free;
	uint32_t generation[CORD_TAPS_MAX]; /* the last one */
};

struct media_room {
	struct media *media;
	struct media_room *next, **back; /* all rooms */
	struct media_room *next_dirty;
	struct media_leg *legs;
	cord_id id;
	unsigned worker;
	bool closed;  /* waits for answers */
	bool open;    /* ROOM_OPEN has been sent in this lease, or found open */
	bool changed; /* ROOM_SET is due */
	bool dirty;   /* in the list */
	bool failed;  /* refused: nothing is sent until there is another dataplane */
	uint8_t refused;
	uint32_t unanswered;
	struct headroom_load load; /* as the worker's headroom has it */
	unsigned n_members, n_gains, n_taps;
	struct media_member_kept *members; /* room for `members_size`: all legs */
	unsigned members_size;
	struct media_gain gains[MEDIA_GAINS_MAX];
	struct media_tap_masks taps[MEDIA_TAPS_MAX];
};

/* A port or room that is to go from the dataplane; its slot is taken until that is sure. */
struct closing {
	struct media *media;
	struct closing *next, **back;
	cord_id id;
	unsigned worker;
	bool is_room, sent;
};

/* A port or room of a control that died. */
struct orphan {
	cord_id id, room; /* room: of a port, 0: in none */
	unsigned worker;
	bool is_room;
	uint64_t last_rx_ns;
};

struct media {
	struct media_config config;
	struct loop *loop;
	struct attach *attach;
	struct commands *commands;
	struct clips *clips;
	struct placement *placement; /* NULL: never attached */
	struct attach_shape shape;   /* that placement was made for */
	enum media_state state;
	struct media_room *rooms, *dirty, **dirty_last;
	struct closing *closing;
	struct media_leg **leg_at; /* by slot */
	struct loop_task flush, failed_task;
	struct media_leg *failed; /* not told yet */
	bool reread_all;          /* statuses may say more than the events did */
	unsigned n_legs, n_closing_ports, n_closing_rooms, n_dirty;
	uint64_t refusals, events_stale, rereads;
	uint64_t events_lost[CORD_WORKERS_MAX]; /* the workers' counters as last seen */
	struct headroom headroom;
	struct timer measure;
	bool full; /* no worker had time for another call; logged */

	struct media_tap *taps, *tap_turn; /* all; whose turn it is to be read, NULL: the first */
	unsigned n_taps;
	bool taps_waiting; /* one is to be handed over or removed */
	struct tap_slots *tap_slots;
	struct timer tap_timer;
	struct loop_task tap_task;

	struct orphan *orphans;
	unsigned n_orphans, size_orphans;
	unsigned scans; /* of all slots, still to be done */
	struct timer sweep;
};

/* ---- media.c ---- */
/* Reads the leg's status and brings the model in line with it; `open` may turn false. Tells
 * nothing yet. */
void model_leg_check(struct media_leg *leg);

/* ---- legs.c ---- */
/* Told from a task: the callback may close anything. */
void model_leg_failed(struct media_leg *leg, const char *why);
void model_tell_failed(void *media);
void model_leg_free(struct media_leg *leg); /* when nothing refers to it any more */
void model_room_free(struct media_room *room);
/* The room that the tap is of is sent again; the tap is of no room any more. */
void model_tap_changed(struct media_tap *tap);
void model_tap_leaves(struct media_tap *tap);
struct address model_address(const struct cord_address *address);
struct cord_address model_local(const struct attach_shape *shape, uint32_t slot);

/* ---- admission.c ---- */
void admission_init(struct media *media);
/* Before the rooms of the model find their workers: none has anything. */
void admission_begin(struct media *media, unsigned workers);
void admission_attached(struct media *media);
void admission_gone(struct media *media);
/* Legs of the room have come, gone or changed; it goes itself. */
void model_weigh(struct media_room *room);
void model_weigh_nothing(struct media_room *room);
/* Where a new room goes to; UINT_MAX: no worker has space for one. */
unsigned admission_worker(const struct media *media);
/* Time for more on behalf of calls that are there. */
bool admission_takes_room(const struct media *media);
bool admission_takes_leg(const struct media_room *room);

/* ---- send.c ---- */
/* Has something to send: at the end of this pass, or as soon as it can. */
void send_later(struct media_room *room);
/* Now, as far as there is space. */
void send_room(struct media_room *room);
void send_all(struct media *media);
void send_forget(struct media_room *room);
int send_digits(struct media_leg *leg, const struct cord_port_digits *digits);
/* Takes over the slot of `id`; frees it at once when the dataplane never heard of it. */
void send_close(struct media *media, cord_id id, unsigned worker, bool is_room, bool known);
/* A new dataplane knows none of them. */
void send_closing_done(struct media *media);

/* ---- play.c ---- */
void play_start(struct media_leg *leg, const struct media_play *play);
void play_stop(struct media_leg *leg);
/* The leg's codec is known, or another one. */
void play_codec(struct media_leg *leg);
/* The dataplane does not have what runs: once more from the start, when its clips are there. */
void play_again(struct media_leg *leg);
/* The dataplane has announced the end of `generation`. */
void play_ended(struct media_leg *leg, uint32_t generation);
void play_failed(struct media_leg *leg, uint32_t generation, const char *why);
/* Releases everything, tells nothing. */
void play_clear(struct media_leg *leg);
void play_init(struct media_leg *leg);

/* ---- taps.c ---- */
int taps_create(struct media *media);
void taps_destroy(struct media *media);
void taps_attached(struct media *media);
void taps_gone(struct media *media);
void taps_pump(struct media *media);
void taps_ready(struct media *media, cord_id id, uint32_t result);
void taps_removed(struct media *media, cord_id id);

/* ---- orphans.c ---- */
void orphans_init(struct media *media);
void orphans_attached(struct media *media);
void orphans_gone(struct media *media);
