/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A room: who hears whom. Everything the product does with media is a mask here.
 *
 * A room is worked once in each 20 ms period, at its phase. Phases are weighed by what the codecs of
 * their rooms cost, so that a room with much to encode has, where possible, one to itself. room_set() changes everything about it
 * between two ticks. A port of another worker that it names is asked for first (worker.h), and the
 * set is applied when all have come.
 */
#ifndef DATAPLANE_ROOM_H
#define DATAPLANE_ROOM_H

#include "port.h"

struct room_gain {
	uint8_t listener, talker;
	int32_t gain_q14;
};

/* Left and right channel: bit n: member n; players: bit n: the player of member n, on the right. */
struct room_tap {
	struct tap *tap;
	uint16_t left, right, players;
};

struct room_member {
	uint32_t port;      /* slot */
	uint16_t hears;     /* bit n: member n; its own bit: what its player plays */
	uint16_t digits_to; /* bit n: member n gets its keys */
};

/* A room of up to three members, without gains and taps, fills one cache line. */
struct room {
	alignas(64) cord_id id; /* 0: closed */
	uint32_t slot;
	uint32_t place; /* in its phase's list */
	uint8_t phase;
	uint8_t members, gains, taps;
	uint16_t gained;      /* bit n: listener n has gains */
	uint16_t heard;       /* bit n: somebody hears member n */
	uint16_t keys_passed; /* bit n: somebody gets member n's keys */
	uint16_t coded;       /* bit n: member n has G.722 or Opus */
	bool wide : 1;        /* two members are wideband: it is worked at 16 kHz too */
	bool crowded : 1;     /* another phase has less to do: to be moved there */
	uint32_t load_ns;     /* what a tick is expected to take */
	uint32_t period;      /* the last one in which it was worked */
	struct room_member member[CORD_ROOM_MEMBERS_MAX];
	struct room_gain gain[CORD_ROOM_GAINS_MAX];
	struct room_tap tap[CORD_ROOM_TAPS_MAX];
	uint32_t last_generation; /* of the slot's last room; survives close */
};
_Static_assert(offsetof(struct room, member) + 3 * sizeof(struct room_member) <= 64,
	"what a room of three needs in a tick is one cache line");

enum cord_refusal room_open(struct worker *w, const struct cord_room_open *m);
enum cord_refusal room_close(struct worker *w, const struct cord_room_close *m);

/*
 * Judges everything that can be judged before foreign ports have come; changes nothing. Fills
 * `foreign` with the slots of ports that belong to another worker.
 */
enum cord_refusal room_set_check(struct worker *w, const struct cord_room_set *m,
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX], uint32_t *foreign_count);

/* Applies a set that room_set_check() has passed with no foreign port left. */
void room_set_apply(struct worker *w, const struct cord_room_set *m, cord_time now_ns);

/* Takes a port out of the room that it sits in, if any. */
void room_leave(struct worker *w, struct port *p);

/* A member's codec has changed. A port that sits in no room: nothing. */
void room_recoded(struct worker *w, struct port *p);

/*
 * Moves the crowded rooms of a phase to phases that have less to do. Between two phases: each has
 * been worked in this period, and is worked in the next one where it is by then.
 */
void room_spread(struct worker *w, uint32_t phase);

/* Takes tap n out of a room. */
void room_tap_leave(struct room *r, uint32_t n);

/* Closes without judging: the room is open and ours. Its ports stay open. */
void room_remove(struct worker *w, struct room *r);

#endif
