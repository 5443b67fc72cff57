/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: everything around the switchboard, simulated: a clock, peers behind SIP sessions, a
 * dataplane, stores. One seed makes one run; nothing reads the real clock or touches a file.
 *
 *   happenings (a heap of moments) --> switchboard (control/contact, as it runs) --> fakes_*.c
 *          ^                                                                            |
 *          +------------------- answers of peers and dataplane, later ------------------+
 *
 * The functions of media/media.h, store/ and the loop that the switchboard calls are replaced at link
 * time (--wrap); the rest is the product. Of SIP there are two:
 *
 *   simulate_board   fakes_sip.c           in place of sip/session.h and contact/signalling.h: fast
 *   simulate_sip     network.c, peers.c    in place of sip/transport.h: the whole SIP core runs
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/random.h"
#include "base/timers.h"
#include "contact/switchboard.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

enum { SIM_AGENTS_MAX = 64 };

/* What differs from seed to seed. */
struct profile {
	unsigned agents; /* logged in at times */
	unsigned calls;  /* at a time, about */
	bool multi_party;
	unsigned verb_ms;         /* between two verbs of the operators, on the average */
	unsigned hang_up_percent; /* of calls whose customer hangs up at some moment of its own */
	unsigned lost_percent;    /* of phones and peers: no answer, refusals, failures */
	unsigned late_ms;         /* answers of the dataplane, at most */
};

enum sim_count {
	COUNT_SIP,   /* happenings of sessions */
	COUNT_MEDIA, /* of the dataplane */
	COUNT_TIMER, /* timers of the product */
	COUNT_VERB,  /* verbs of agents and supervisors, refused ones as well */
	COUNT_REFUSED,
	COUNT_ROUTER, /* effects of the router */
	COUNT_CALLS,  /* that came in */
	COUNT_OUT,    /* dialled by agents */
	COUNT_MAX
};

struct sim {
	uint64_t seed, calls, now_ns; /* of the round */
	struct random random;
	struct timers timers;
	struct switchboard board;
	struct config config;
	struct profile profile;
	uint64_t count[COUNT_MAX];
	uint64_t arrivals_left;
	bool ending; /* no new calls, no verbs that make any */
};

extern struct sim sim;

/* Begins a run. The instance is loaded once. */
void world_open(const char *instance);
void world_begin(uint64_t seed, uint64_t calls);
/* Until nothing happens any more but timers of the product, of which some run for ever. */
void world_run(void);
/* What is due in this moment. */
void world_settle(void);
/* The instance is read anew and taken over while calls run. */
void world_reload(void);
void world_end(void);
void world_close(void);

/* Something happens after a while. */
typedef void (*sim_fn)(uint64_t id, uint64_t argument);
void sim_at(uint64_t after_ns, sim_fn fn, uint64_t id, uint64_t argument);
/* Moments up to `most`, small ones more often. */
uint64_t sim_while(uint64_t most_ns);
bool sim_percent(unsigned percent);
/* A line of the last ones that are shown when something is wrong. */
__attribute__((format(printf, 1, 2))) void sim_note(const char *format, ...);
/* Says what is wrong, the seed, and the last lines; ends the process. */
__attribute__((noreturn, format(printf, 1, 2))) void sim_wrong(const char *format, ...);

/* ---- fakes_sip.c, or network.c and peers.c ---- */

void sessions_open(void);
/* All sessions must be over: those that are not are a leak. */
unsigned sessions_left(void);
void sessions_close(void);
/* What else is worth saying at the end of all. */
void sessions_print(void);
/* A caller calls. */
void caller_arrives(uint64_t unused, uint64_t argument);
/* An agent dials a number at the phone. */
void agent_dials(uint32_t agent);

/* ---- fakes_media.c ---- */

void media_open(void);
unsigned media_left(void);
void media_close(void);
/* What a room was told last is what follows from the state now, and nobody hears what is not theirs. */
void media_check(struct call *call);
/* The dataplane goes for a while; what is played then is over later. */
void media_goes(uint64_t unused, uint64_t argument);
/* The peer of a leg presses a key. */
void media_key(const struct leg *leg, char digit);

/* ---- fakes_store.c ---- */

void store_open(void);
/* Every record complete, every chain whole; forgets them. */
void store_check(void);
uint64_t store_records(void);

/* ---- actors.c ---- */

void actors_open(void);
/* Some time after the last arrival: everything is brought to its end. */
void actors_last_call(uint64_t unused, uint64_t argument);
/* Everybody clears, hangs up and goes home. */
void actors_end(void);
/* Of what they have asked for and not been told the end of. */
unsigned actors_left(void);

/* ---- rules.c ---- */

/* What must hold of a call and its contacts after every happening. */
void rules_of_call(struct call *call);
/* Those of what the last happening may have touched. */
void rules_of_touched(void);
void rules_touch(struct contact *contact);
/* Of the agent's slot. */
void rules_of_agent(uint32_t agent);
/* Of everything. */
void rules_of_all(void);

/* ---- tally.c ---- */

void tally_state(enum contact_state from, enum contact_state to);
void tally_verb(const struct conference *before, unsigned actor, enum conference_verb verb,
	unsigned subject, int rc);
void tally_event(const struct conference *before, unsigned party, enum conference_event event);
/* Prints the hits of each cell; how many legal ones were never hit. */
unsigned tally_print(void);
