/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_stream: the agent event stream (R104 to R110), topic `agent` of the event log.
 *
 *   LOGIN         PreviousAgentSnapshot is null
 *   STATE_CHANGE  another status or next status, a step of the contact, the phone; a reload that
 *                 changes what the snapshot shows
 *   LOGOUT        CurrentAgentSnapshot is null when a reload took the user away
 *   HEART_BEAT    nothing else for `events.heartbeat`; for an hour after the logout too
 *
 * What happens to an agent who is logged out is not told: the next LOGIN says how things are.
 *
 * A contact in a snapshot is the segment that the agent has or had. It is kept here from the moment
 * at which it came into the agent's slot, since it may be over, or in its next segment, while the
 * agent still shows it (after-contact work, missed).
 */
#ifndef CONTACT_AGENT_STREAM_H
#define CONTACT_AGENT_STREAM_H

#include <stdint.h>

#include "base/timers.h"
#include "contact/contact.h"

/* The hour in which heart-beats go on after a logout. */
#define AGENT_STREAM_AFTER_LOGOUT (3600 * CLOCK_S)

/* The segment in an agent's slot. */
struct told_contact {
	uint64_t contact; /* in the switchboard's pool; 0: none */
	char id[RANDOM_UUID_SIZE];
	char initial[RANDOM_UUID_SIZE]; /* "" of a first segment */
	enum contact_method method;
};

/* An agent of whom something was told. Private. */
struct told_agent {
	char *arn;             /* NULL: never told */
	uint64_t last_ns;      /* the last event */
	uint64_t logout_ns;    /* 0: logged in */
	uint32_t older, newer; /* in the order of last_ns; both itself: gets no heart-beats */
	struct told_contact contact;
};

struct agent_stream {
	struct told_agent *agents; /* by the router's numbers */
	uint32_t n;
	uint32_t oldest, newest; /* ROUTER_NONE: nobody gets heart-beats */
	struct timer heartbeat;
};

struct switchboard;
struct router_effect;

void agent_stream_init(struct switchboard *board);
void agent_stream_clear(struct switchboard *board);

/* A change as the router tells it, in order. */
void agent_event(struct switchboard *board, const struct router_effect *change);

#endif
