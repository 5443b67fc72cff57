/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contact: one customer's interaction, from arrival to the end of after-contact work.
 *
 *             answered           queued            offer              accepted
 *   ARRIVING ----------> FLOW ----------> QUEUED <-------> OFFERED -----------+
 *      |                  | ^               |  ^    ended      |              v
 *      |                  | | disconnect    |  |          AGENT_WHISPER <-----+
 *      |                  | | flow          |  +--------------+  |
 *      |                  | |               |   agent dropped    | over
 *      | an agent         | |               |                    v
 *      | dials            | |               |            CUSTOMER_WHISPER <---+
 *      v                  | |               |                    | over       | answered
 *   DIALLING -------------|-|---------------|--------------------|------------+
 *      |                  | +---------------|------------+       v
 *      |                  |                 |            +--- TALKING <-> HOLD
 *      v                  v                 v                    |
 *   CLOSED <------------ ENDED <---------------------------------+
 *            cleared       (after-contact work, or nothing left to wait for)
 *
 * FLOW and QUEUED <-> BRIDGED: a flow has connected the customer to an outside number
 * (third_party.c). TALKING and HOLD -> BRIDGED: the agent has left the customer with one, or with a
 * supervisor who barges (call.h). FLOW -> OFFERED: a transfer to one agent goes through no queue.
 * A call that a program starts (api_call.c) goes from DIALLING to FLOW when it is answered. A queued
 * callback (callback.c) has no customer before DIALLING:
 *
 *   ARRIVING -> SCHEDULED --due--> QUEUED <-> OFFERED -> AGENT_WHISPER -> DIALLING -> CUSTOMER_WHISPER
 *                   ^                                                        |
 *                   +------------ not answered: again, as a new segment -----+
 *
 * What the customer hears follows from the state (hearing.c); what is written follows from the
 * moments kept in the segment (contact_record.c). A move to another queue begins a new segment: a
 * contact id, a record and a place in the chain of its own; legs, room, attributes and hooks go on. A
 * transfer by an agent is another contact of the same call (call.h), chained to this one.
 *
 * contact_set_state() is the only writer of the state; contact_transition() the table that says
 * what may follow what.
 */
#ifndef CONTACT_CONTACT_H
#define CONTACT_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/random.h"
#include "contact/contact_data.h"
#include "contact/leg.h"
#include "contact/recording.h"
#include "flow/engine.h"
#include "media/quality.h"
#include "queue/router.h"

#define CONTACT_STATES(X)                       \
	X(ARRIVING, "arriving")                 \
	X(SCHEDULED, "scheduled")               \
	X(DIALLING, "dialling")                 \
	X(FLOW, "flow")                         \
	X(QUEUED, "queued")                     \
	X(BRIDGED, "bridged")                   \
	X(OFFERED, "offered")                   \
	X(AGENT_WHISPER, "agent-whisper")       \
	X(CUSTOMER_WHISPER, "customer-whisper") \
	X(TALKING, "talking")                   \
	X(HOLD, "hold")                         \
	X(ENDED, "ended")                       \
	X(CLOSED, "closed")

enum contact_state {
#define X(name, word) CONTACT_##name,
	CONTACT_STATES(X)
#undef X
		CONTACT_STATE_COUNT
};

/* How a segment began; the word is the one of records and events. */
#define CONTACT_METHODS(X) \
	X(INBOUND)         \
	X(OUTBOUND)        \
	X(TRANSFER)        \
	X(CALLBACK)        \
	X(API)             \
	X(QUEUE_TRANSFER)  \
	X(DISCONNECT)

enum contact_method {
#define X(name) CONTACT_METHOD_##name,
	CONTACT_METHODS(X)
#undef X
};

#define CONTACT_REASONS(X)         \
	X(NONE)                    \
	X(CUSTOMER_DISCONNECT)     \
	X(AGENT_DISCONNECT)        \
	X(THIRD_PARTY_DISCONNECT)  \
	X(TELECOM_PROBLEM)         \
	X(BARGED)                  \
	X(CONTACT_FLOW_DISCONNECT) \
	X(OTHER)

/* Why it ended, in the words of the record's DisconnectReason. */
enum contact_reason {
#define X(name) CONTACT_REASON_##name,
	CONTACT_REASONS(X)
#undef X
};

/*
 * One segment of a contact: what its record says. Moments are monotonic, 0: has not happened; the
 * record turns them into wall time by the contact's clock.
 */
struct contact_segment {
	char id[RANDOM_UUID_SIZE];
	char initial[RANDOM_UUID_SIZE];
	char previous[RANDOM_UUID_SIZE]; /* "" in the first */
	char next[RANDOM_UUID_SIZE];     /* "" in the last */
	enum contact_method method;
	enum contact_reason reason;
	uint64_t initiated, connected, disconnected;
	uint64_t queued, dequeued;
	uint32_t queue;                        /* router's number; ROUTER_NONE */
	uint32_t agent;                        /* who took it; ROUTER_NONE */
	uint64_t agent_connected, agent_ended; /* talk with the agent */
	uint64_t acw_started, acw_ended;
	uint64_t hold_started, hold_total, hold_longest;
	uint32_t holds;
	uint32_t attempts;    /* offers to agents */
	uint64_t transferred; /* connected to an outside number */
	char transferred_to[32];
	uint64_t scheduled; /* a callback's: when it is due */
	struct quality_party customer_quality, agent_quality;
	struct segment_recording recording[SEGMENT_RECORDINGS_MAX];
	unsigned n_recordings;
	struct contact_segment *older; /* list of those whose after-contact work goes on */
};

/*
 * The segments of one story in order: those of a contact, and of the callbacks that it asked for.
 * Each names the one before and the one after; a new one goes to the end (R101, R103).
 */
struct contact_chain {
	uint32_t references; /* contacts that may add to it */
	char tail[RANDOM_UUID_SIZE];
	uint64_t holder; /* contact whose segment the tail is; stale when that is gone */
};

/* Of a caller's name, with the terminator. */
#define CONTACT_NAME_SIZE 128u

struct switchboard;
struct call;

/* A queued callback (callback.c). */
struct callback {
	uint32_t attempts; /* calls that may still be made */
	uint64_t retry_ns;
	uint64_t gives_up_ns;   /* no call after that */
	char caller_number[64]; /* "": the queue's */
};

/* An outside number that a flow connects the customer to (third_party.c). */
struct third_party {
	struct leg *leg; /* NULL: none */
	uint32_t answer; /* of the customer's flow: the effect that waits for an answer; 0: none */
	bool resume;     /* the flow goes on when the number has hung up (R71) */
	bool ringing;    /* the customer hears our ringback */
	bool early;      /* the far end plays something before it answers */
	char number[32];
	char digits[FLOW_DTMF_DIGITS_MAX + 1]; /* sent before the customer is joined (R75) */
	char caller_number[64];
	char caller_name[128];
	uint64_t limit_ns;       /* time to answer */
	enum contact_state back; /* where the contact was: FLOW or QUEUED */
	struct timer timer;      /* the call is due, or not answered in time */
};

struct contact {
	uint64_t id; /* in the switchboard's pool; the router's key */
	struct switchboard *board;
	enum contact_state state;
	uint32_t version; /* counts changes of state: `if_version` of the admin verbs */
	struct clock_pair clock;
	struct contact_chain *chain;
	struct contact_segment segment; /* the present one */
	struct contact_segment *past;   /* earlier ones that an agent has not cleared yet */

	/* who called, as facts for flows */
	char customer_number[64];
	char *customer_name; /* NULL: none */
	char system_number[64];
	char *sip_headers; /* pairs "Name\0value\0", ends with "\0": $.Media.Sip.Headers.* */

	/* what flows have set, kept over segments */
	struct flow_memory memory;
	uint32_t target_queue;              /* ROUTER_NONE: none */
	uint32_t customer_queue;            /* the last standard queue that it was in (R67) */
	struct flow *first_flow;            /* held until the call is up */
	struct flow *hook[FLOW_HOOK_COUNT]; /* held; NULL: the default */
	bool hook_disabled[FLOW_HOOK_COUNT];
	uint32_t priority; /* 0: the queue's */
	int64_t age_ns;
	struct criteria *criteria; /* held; NULL: any agent */
	char language[16];         /* "": no flow set one */
	char voice[64];
	char callback_number[32];
	struct contact_data data;
	bool flow_logged; /* memory.logged, as far as effects have been carried out */

	/* parties; NULL: not there */
	struct leg *caller; /* who is on the caller's side: the customer; in a transfer, until it is
			       joined or the source has left, the source agent (call.h) */
	struct leg *agent;
	uint8_t party;             /* the agent's, in the call's conference; CONFERENCE_NOBODY */
	struct third_party *third; /* NULL: no number has been called yet */
	struct callback *callback; /* NULL: it is none */
	struct call *call;         /* NULL: not a call now */
	struct contact *call_next; /* of the same call */

	struct tape *tape;      /* the recording that runs (recording.c); NULL: none */
	bool recording_refused; /* the one that is wanted could not be begun, and that was told */
	bool released;          /* no concurrent call now */

	/* the live offer; 0: none */
	uint64_t offer;
	uint32_t offer_agent;
	bool accepting; /* the agent accepted at the panel; the phone is being called */
	bool disconnect_flow_ran;
	char *quick_connect;     /* name of the one that began this transfer; NULL */
	uint32_t transfer_agent; /* whom Transfer to agent means; ROUTER_NONE */
	uint32_t left_agent;     /* who was there before the disconnect flow; ROUTER_NONE: nobody */
	bool dial_phone;         /* DIALLING: the agent's phone is being called first */
	bool dial_placed;        /* DIALLING: the destination is being called */
	bool dial_whispered;     /* the outbound whisper was over before the answer */
	bool dial_ringing;       /* the agent, on the line already, hears it ring */
	unsigned dial_error;     /* SIP status of a call that could not be placed */

	struct contact *panel_next, **panel_back; /* panel.c */
	uint64_t panel_hash;

	struct timer timer; /* whisper limit, panel answer, time to answer, a callback is due */
};

const char *contact_state_name(enum contact_state state);
const char *contact_method_name(enum contact_method method);
const char *contact_reason_name(enum contact_reason reason);

/* Whether `to` may follow `from`. */
bool contact_transition(enum contact_state from, enum contact_state to);
/* The one setter: checks the table, counts the version, tells the log. */
void contact_set_state(struct contact *contact, enum contact_state state, uint64_t now_ns);

/* A live customer: neither ended nor closed. */
bool contact_is_live(const struct contact *contact);

/* Begins the first segment, and a chain. */
void contact_first_segment(struct contact *contact, enum contact_method method, uint64_t now_ns);
/* The first segment, in the chain of another contact whose flow asked for this one. */
void contact_follow(struct contact *contact, struct contact *cause, uint64_t now_ns);
void contact_leave_chain(struct contact *contact);
/* What flows have set for another contact counts for this one as well, but for its hooks. */
void contact_inherit(struct contact *contact, const struct contact *cause);
void contact_inherit_hook(
	struct contact *contact, const struct contact *cause, enum flow_hook hook);
/* A callback whose customer is not being called yet. */
bool contact_is_callback(const struct contact *contact);
/*
 * Begins the next segment of the chain. The old one is complete, or, while its agent is in
 * after-contact work, one of the past.
 */
void contact_next_segment(struct contact *contact, enum contact_method method, uint64_t now_ns);
/* The segment whose after-contact work this agent is in, present or past; NULL. */
struct contact_segment *contact_wrapped_by(struct contact *contact, uint32_t agent);
/* Takes a past segment out of the list and frees it. */
void contact_drop_past(struct contact *contact, struct contact_segment *segment);
bool segment_is_wrapping(const struct contact_segment *segment);
/* The customer goes on hold and comes off it. */
void contact_hold_begins(struct contact_segment *segment, uint64_t now_ns);
void contact_hold_ends(struct contact_segment *segment, uint64_t now_ns);

/* Cut at CONTACT_NAME_SIZE. "", and without memory: none. */
void contact_set_customer_name(struct contact *contact, const char *name);
/* "": none. */
const char *contact_customer_name(const struct contact *contact);

/* Wall time of a moment of this contact. */
uint64_t contact_wall(const struct contact *contact, uint64_t moment_ns);

/* Sets one of the contact's texts, cut at its size; what is not UTF-8 becomes question marks. */
void contact_text(char *to, size_t size, const char *from);

#endif
