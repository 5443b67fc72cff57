/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conference: who is on one customer's call, who is on hold, who hears whom, and who may do what.
 * Pure: a verb or an event makes the next state of a struct that can be copied; whoever carries it
 * out (contact/call.h) looks at the difference. It begins when the customer and the first agent are
 * joined; what comes before, and each transfer's own way, is a contact's (contact/contact.h).
 *
 * A party's way:
 *
 *              accepted              agent whisper over           customer whisper over
 *   INVITED ------------> AGENT_WHISPER -----------> CUSTOMER_WHISPER ------------+
 *    ^  |  ^                  |                            |                      v
 *  add  |  +---- again -------+----------------------------+                 CONNECTED <----> HELD
 *       |   (the agent dropped; the place in the queue is kept)              ^    hold, resume, join,
 *       +--- answered (an outside number, a supervisor: no whisper) ---------+    hold all, swap
 *
 *   ABSENT: from everywhere by leave, disconnect, hang-up; from the first three by failed.
 *
 * The first three are `pending`: what is played on the way there (transfer flow, queue flow, ringback,
 * customer whisper) is heard by the party's `source`: the agent who added it, until that agent leaves;
 * then the primary, else the customer (R124). The source is never on hold. While an agent talks with
 * the customer meanwhile it is spared the way, but not the customer whisper. Nobody talks with a
 * pending party.
 *
 *   verb        who hears whom afterwards (source S, customer C, target T; R45 to R50)
 *   add         C on hold; S hears the way to T
 *   join        everybody off hold
 *   hold_all    everybody but S on hold
 *   hold T      T on hold, and with three parties C off hold (R47)
 *   hold C      C on hold
 *   resume x    x off hold
 *   swap T      T off hold, the other one on hold
 *   leave       S gone, everybody who stays off hold (R50)
 *   disconnect  that party gone; holds stay
 *
 * An agent's gone is its leave; another party's leaves the holds (R22). Nobody stays on hold or muted
 * whom nobody on the call may release.
 *
 * Verbs name the wanted state: one that is there already is 0 and changes nothing. Who may do what is
 * rights.h, one table for each mode; a refusal is -EPERM (not for you), -EINVAL (no such party, not
 * now) or -ENOSPC (no more parties), with a text that says why.
 *
 * The primary is the first agent on the call; when it leaves, the agent in the lowest slot; with no
 * agent on the call, the next who connects. A new party takes the lowest free slot.
 *
 * Supervisors come beside the parties and are never on hold. One who monitors hears all who talk while
 * its agent talks, one who coaches is heard by that agent too, one who barges is a party like the
 * others. The first two go with their agent. A supervisor's connection is its own: others can neither
 * hold, mute nor disconnect it; its leave changes no hold.
 *
 * A call lives as long as the customer has somebody (an agent, an outside party, one on the way, a
 * supervisor who barges), or an agent has another agent or an outside party. When the customer goes,
 * who is on the way goes too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	CONFERENCE_THREE_MAX = 3,       /* parties in three-party mode, the customer included */
	CONFERENCE_MULTI_MAX = 6,       /* in multi-party mode */
	CONFERENCE_SUPERVISORS_MAX = 5, /* beside them */
	CONFERENCE_PARTIES_MAX = CONFERENCE_MULTI_MAX + CONFERENCE_SUPERVISORS_MAX,
	CONFERENCE_NOBODY = CONFERENCE_PARTIES_MAX, /* no party */
	CONFERENCE_WHY_SIZE = 96,
};

/* The wire and the log know the words: conference_mode_name() and so on. */
#define CONFERENCE_MODES(X)           \
	X(THREE_PARTY, "three-party") \
	X(MULTI_PARTY, "multi-party")

enum conference_mode {
#define X(name, word) CONFERENCE_##name,
	CONFERENCE_MODES(X)
#undef X
};

enum party_role { PARTY_CUSTOMER, PARTY_AGENT, PARTY_OUTSIDE, PARTY_SUPERVISOR };

#define PARTY_STATES(X)                         \
	X(ABSENT, "absent")                     \
	X(INVITED, "invited")                   \
	X(AGENT_WHISPER, "agent-whisper")       \
	X(CUSTOMER_WHISPER, "customer-whisper") \
	X(CONNECTED, "connected")               \
	X(HELD, "hold")

enum party_state {
#define X(name, word) PARTY_##name,
	PARTY_STATES(X)
#undef X
		PARTY_STATE_COUNT
};

/* How a party was added: says what panels show. */
enum party_via { PARTY_VIA_CONTACT, PARTY_VIA_AGENT, PARTY_VIA_QUEUE, PARTY_VIA_NUMBER };

/* What a supervisor does: listens; is heard by the agent too; takes part. */
enum party_watch { PARTY_MONITORS, PARTY_COACHES, PARTY_BARGES };

struct party {
	uint8_t role;     /* enum party_role */
	uint8_t state;    /* enum party_state */
	uint8_t via;      /* enum party_via */
	uint8_t watch;    /* enum party_watch: a supervisor's */
	uint8_t watched;  /* the agent that a supervisor listens to */
	uint8_t added_by; /* CONFERENCE_NOBODY: with the contact, or that one has left */
	uint8_t source;   /* while pending: who hears the way; else CONFERENCE_NOBODY */
	bool muted;
};

struct conference {
	enum conference_mode mode;
	uint8_t primary; /* the first agent on the call, of those who are still on it */
	struct party party[CONFERENCE_PARTIES_MAX];
};

#define CONFERENCE_VERBS(X)         \
	X(ADD, "add")               \
	X(JOIN, "join")             \
	X(HOLD_ALL, "hold_all")     \
	X(HOLD, "hold")             \
	X(RESUME, "resume")         \
	X(SWAP, "swap")             \
	X(LEAVE, "leave")           \
	X(DISCONNECT, "disconnect") \
	X(MUTE, "mute")             \
	X(UNMUTE, "unmute")         \
	X(MONITOR, "monitor")       \
	X(COACH, "coach")           \
	X(BARGE, "barge")

enum conference_verb {
#define X(name, word) CONFERENCE_##name,
	CONFERENCE_VERBS(X)
#undef X
		CONFERENCE_VERB_COUNT
};

#define CONFERENCE_EVENTS(X)                                                                     \
	X(ACCEPTED, "accepted")                           /* the agent whisper begins */         \
	X(AGENT_WHISPER_OVER, "agent-whisper-over")       /* the customer whisper begins */      \
	X(CUSTOMER_WHISPER_OVER, "customer-whisper-over") /* connected */                        \
	X(ANSWERED, "answered") /* an outside number or a supervisor: connected */               \
	X(AGAIN, "again")       /* the agent who had accepted dropped; it is on the way again */ \
	X(FAILED, "failed")     /* pending, and will not come (R22): holds stay */               \
	X(GONE, "gone")         /* hung up. An agent's is leave */

enum conference_event {
#define X(name, word) CONFERENCE_##name,
	CONFERENCE_EVENTS(X)
#undef X
		CONFERENCE_EVENT_COUNT
};

/* What is left of the call. The state does not end by itself: who hangs up on the rest says so. */
enum conference_life {
	CONFERENCE_LIVES,
	CONFERENCE_CUSTOMER_ALONE, /* the customer is there, and nobody else, nor on the way */
	CONFERENCE_OVER,           /* nobody is left who keeps it alive: hang up on the rest */
};

/* An empty conference; then the customer and the first agent, connected, in slots 0 and 1. */
void conference_init(struct conference *c, enum conference_mode mode);
void conference_begin(struct conference *c);

/*
 * The actor adds a party: INVITED, in `*slot`; the customer goes on hold (R17). `via` AGENT, QUEUE or
 * NUMBER. -EPERM, -EINVAL (nobody to transfer, another one is pending, the actor on hold), -ENOSPC.
 */
int conference_add(struct conference *c, unsigned actor, enum party_via via, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE]);
/* A supervisor is invited to listen to the agent party `watched`. Its permission is the caller's to check. */
int conference_watch(struct conference *c, unsigned watched, enum party_watch watch, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE]);
/*
 * JOIN, HOLD_ALL and LEAVE take no subject, MONITOR, COACH and BARGE neither (a supervisor's own).
 * ADD is -EINVAL here. On a refusal nothing is changed.
 */
int conference_do(struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject,
	char why[CONFERENCE_WHY_SIZE]);
/* What happened. One that has no place in the party's state does nothing. */
void conference_happens(struct conference *c, unsigned party, enum conference_event event);

enum conference_life conference_life(const struct conference *c);

/* ---- questions ---- */

/* Whether `listener` hears `talker`; equal: its own player. */
bool conference_hears(const struct conference *c, unsigned listener, unsigned talker);
/* Whether what the party says belongs on a recording: it talks, and not to one agent alone. */
bool conference_is_recorded(const struct conference *c, unsigned slot);
/*
 * Whether the peer of `to` gets the keys of `from`: an outside party those of agents who talk with it,
 * and the customer's when no agent is on the call. Mute does not stop keys.
 */
bool conference_gets_keys(const struct conference *c, unsigned to, unsigned from);
/*
 * Whether the panel of `viewer`, an agent who has accepted or a supervisor, shows `subject`: in
 * three-party mode the primary sees all others, a secondary only its connection with the primary (with
 * none, the customer); in multi-party mode all see all, themselves included. Agents see supervisors who
 * barge, and the one who coaches them; supervisors see every party.
 */
bool conference_sees(const struct conference *c, unsigned viewer, unsigned subject);

bool party_is_pending(const struct party *party); /* INVITED to CUSTOMER_WHISPER */
bool party_is_on_call(const struct party *party); /* CONNECTED or HELD */
/* Whether the slot is an agent's who is connected or on hold; CONFERENCE_NOBODY is not. */
bool conference_has_agent(const struct conference *c, unsigned slot);
unsigned conference_customer(const struct conference *c); /* CONFERENCE_NOBODY: gone */
/* The party that is on the way (not a supervisor); CONFERENCE_NOBODY. At most one at a time. */
unsigned conference_pending(const struct conference *c);
/* Parties without supervisors. */
unsigned conference_count(const struct conference *c);
/* The one beside the actor and the subject, when the actor has two others on the call (supervisors do
 * not count); else CONFERENCE_NOBODY. */
unsigned conference_other(const struct conference *c, unsigned actor, unsigned subject);
/* Whether a supervisor takes part. */
bool conference_is_barged(const struct conference *c);

const char *conference_mode_name(enum conference_mode mode);
const char *conference_verb_name(enum conference_verb verb);
const char *conference_event_name(enum conference_event event);
const char *party_state_name(enum party_state state);

/* The first rule of the state that does not hold, or NULL: for tests and the audit (field: one state,
 * one hearing). */
const char *conference_broken(const struct conference *c);
