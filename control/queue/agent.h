/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent: one agent as the router sees it. What is kept is what happened (logged in or not, the
 * status chosen, the next status, the phone, the one contact in the voice slot and how far it is);
 * what a panel shows and whether the agent may be offered a contact are worked out from that on
 * each question and never stored.
 *
 * The voice slot (one contact at a time):
 *
 *            OFFER            ACCEPT             CONNECT             HOLD
 *   EMPTY ----------> OFFERED ------> ACCEPTED ----------> CONNECTED <----> ONHOLD
 *    ^ |                | |             |  | |                | |   RESUME    |
 *    | |                | | MISS REJECT |  | | END            | | END         | END
 *    | |       WITHDRAW | v             |  | +--------> ENDED <---------------+
 *    | |   <------------+ MISSED        |  |             ^  |
 *    | |                   |       FAIL |  | WITHDRAW    |  | CLEAR (by hand, by the timeout,
 *    | |                   |            v  v             |  | or by a next status)
 *    | |                   |          ERROR EMPTY        |  |
 *    | | DIAL              |            |                |  |
 *    | +------> CALLING ---|------------|----------------+  |
 *    |            | CONNECT|  CLEAR     | CLEAR         END |
 *    +------------v--------+------------+-------------------+
 *              CONNECTED
 *
 * (ACCEPTED also goes to MISSED by MISS: a panel phone that does not answer; and to CALLING by
 * DIAL: the customer of an accepted callback is called. CALLING goes to ERROR by FAIL: the phone of
 * an agent who dials at the panel does not answer.)
 * ENDED is after-contact work. MISSED and ERROR keep the agent out of routing until cleared or a
 * status is chosen. A chosen status other than the routable one waits as the next status while a
 * contact is in the slot, and ends after-contact work at once; choosing Available cancels it.
 *
 * The agent's clock: `available_since_ns` starts when the agent becomes routable, and survives an
 * offer that was withdrawn (the caller gave up: the agent did not get a turn). It starts anew after
 * everything else.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/resources.h"

/* What is in the voice slot. */
enum agent_slot {
	AGENT_SLOT_EMPTY,
	AGENT_SLOT_OFFERED,
	AGENT_SLOT_ACCEPTED, /* phone being connected, whispers */
	AGENT_SLOT_CALLING,  /* a number is called for the agent, not answered yet */
	AGENT_SLOT_CONNECTED,
	AGENT_SLOT_ONHOLD,
	AGENT_SLOT_ENDED, /* after-contact work */
	AGENT_SLOT_MISSED,
	AGENT_SLOT_ERROR,
	AGENT_SLOT_COUNT
};

enum agent_event {
	AGENT_OFFER,
	AGENT_ACCEPT,
	AGENT_REJECT,
	AGENT_MISS,
	AGENT_WITHDRAW, /* the offer is void, through no deed of the agent */
	AGENT_FAIL,     /* the agent's phone failed, or the agent hung up in the whisper */
	AGENT_DIAL,
	AGENT_CONNECT, /* whispers over, talking; the dialled party answered */
	AGENT_HOLD,
	AGENT_RESUME,
	AGENT_END, /* the agent's part is over */
	AGENT_CLEAR,
	AGENT_EVENT_COUNT
};

/* What a panel shows. */
enum agent_state {
	AGENT_LOGGED_OUT,
	AGENT_OFFLINE,
	AGENT_CUSTOM, /* in a custom status */
	AGENT_AVAILABLE,
	AGENT_OFFERED,
	AGENT_CONNECTING,
	AGENT_CALLING,
	AGENT_BUSY,
	AGENT_AFTER_CONTACT_WORK,
	AGENT_MISSED,
	AGENT_ERROR,
	AGENT_STATE_COUNT
};

/* Why an agent may not be offered a contact now. */
enum agent_bar {
	AGENT_ROUTABLE,
	AGENT_BAR_LOGGED_OUT,
	AGENT_BAR_PERMISSION, /* the security profile does not let this user take calls (R94) */
	AGENT_BAR_STATUS,     /* the chosen status is not routable */
	AGENT_BAR_PHONE,      /* the phone is not registered */
	AGENT_BAR_OFFERED,
	AGENT_BAR_CONTACT,
	AGENT_BAR_AFTER_CONTACT,
	AGENT_BAR_MISSED,
	AGENT_BAR_ERROR,
	AGENT_BAR_NEXT_STATUS,
	AGENT_BAR_REMOVED, /* a reload took the user away */
	AGENT_BAR_COUNT
};

/* The slot's contact. `queue` is the router's queue number, or ROUTER_NONE. */
struct agent_contact {
	enum agent_slot state;
	uint64_t contact; /* the caller's key; 0 when EMPTY */
	uint32_t queue;
	bool callback;
	uint64_t state_since_ns;
	uint64_t connected_at_ns; /* 0: not yet */
	uint64_t queued_at_ns;    /* 0: not queued */
};

/* The agent at one moment, for panels and the agent event stream (R104 to R110). Times are
 * monotonic. Pointers are into the resources in force: use them before the next reload. */
struct agent_snapshot {
	uint32_t agent; /* the router's number */
	const struct resource_agent *row;
	const struct resource_status *status; /* chosen */
	const struct resource_status *next;   /* NULL when none waits */
	uint64_t status_since_ns;
	uint64_t next_since_ns;
	uint64_t login_at_ns;
	bool logged_in;
	bool phone_ready;
	enum agent_state state; /* derived */
	enum agent_bar bar;     /* derived */
	struct agent_contact contact;
};

/* One agent; fields belong to agent.c, others read. */
struct agent {
	const struct resource_agent *row;
	const struct resource_status *status;
	const struct resource_status *next;
	const struct resource_status *available;
	const struct resource_status *offline;
	uint64_t status_since_ns;
	uint64_t next_since_ns;
	uint64_t login_at_ns;
	uint64_t available_since_ns; /* 0: not routable, and no clock kept over an offer */
	struct agent_contact contact;
	uint32_t number;
	bool logged_in;
	bool phone_ready; /* registered, or static */
	bool removed;
};

/* A logged-out agent. A static phone is ready from the start. */
void agent_init(struct agent *agent, uint32_t number, const struct resource_agent *row,
	const struct resource_status *available, const struct resource_status *offline);

/* The state that an event leads to; AGENT_SLOT_COUNT when the event has no place there. */
enum agent_slot agent_slot_after(enum agent_slot slot, enum agent_event event);

/* Applies an event to the slot. 0, or -EINVAL when the event has no place there. Of `contact`,
 * which counts for OFFER and DIAL only, the contact, queue, callback and queued_at_ns are taken. */
int agent_apply(struct agent *agent, enum agent_event event, const struct agent_contact *contact,
	uint64_t now_ns);

/* Login in a status (NULL: Offline). -EALREADY when in. */
int agent_login(struct agent *agent, const struct resource_status *status, uint64_t now_ns);

/* -EBUSY with a live contact; clears a finished or missed one. -EALREADY when out. */
int agent_logout(struct agent *agent, uint64_t now_ns);

/* Lets what waits for the contact's end come to be when no live contact is left: a next status,
 * which clears what is in the slot, or the logout of an agent whom a reload took away. True when
 * something changed. Called after every event, so that the state between (ended, missed) can be
 * seen. */
bool agent_settle(struct agent *agent, uint64_t now_ns);

/* Chooses a status, at once or as the next one. -ENOTCONN when logged out. */
int agent_choose_status(struct agent *agent, const struct resource_status *status, uint64_t now_ns);

/* The phone came (true) or went. A static phone is always ready. */
void agent_set_phone(struct agent *agent, bool ready, uint64_t now_ns);

/* Points the agent at the rows of new resources; a status that is gone becomes Offline, a row of
 * NULL marks the agent as removed. */
void agent_rebind(struct agent *agent, const struct resource_agent *row,
	const struct resources *resources, uint64_t now_ns);

enum agent_state agent_state(const struct agent *agent);
enum agent_bar agent_bar(const struct agent *agent);

/* A live contact: offered, accepted, calling, connected or on hold. */
bool agent_is_engaged(const struct agent *agent);

void agent_take_snapshot(const struct agent *agent, struct agent_snapshot *snapshot);

const char *agent_state_name(enum agent_state state); /* "Available", "AfterCallWork", ... */
const char *agent_bar_text(enum agent_bar bar);       /* "the phone is not registered" */
const char *agent_slot_name(enum agent_slot slot);

/* The name in the agent event stream: of a callback INCOMING (offered) and PENDING (accepted, the
 * customer is not called yet); CONNECTING, CONNECTED, CONNECTED_ONHOLD, MISSED, ERROR, ENDED; NULL
 * for an empty slot. */
const char *agent_contact_state_name(const struct agent_contact *contact);

#endif
