/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: what the contacts of one customer share: the room in the dataplane, the legs, and, from the
 * moment at which the first agent is joined, the conference (conference/conference.h).
 *
 *   one contact, no agent yet          conference             last agent has left
 *   FLOW, QUEUED, whispers  --begins--> verbs, events --ends--> the customer's contact goes on:
 *                                                              disconnect flow, a queue, or the end
 *
 * A transfer to an agent or a queue is a contact of its own in the same call (transfer.c); an outside
 * number that an agent calls is only a leg (outside.c), a supervisor as well (supervising.c).
 *
 *   contact 1: customer -- agent 1 (source)            agent 1 leaves:   contact 1 ends (after-contact work)
 *   contact 2:             agent 1 (caller) -- agent 2                   contact 2: customer -- agent 2
 *
 * The customer's leg belongs to one contact at a time. When that contact's agent leaves, it passes on
 * to the contact of the agent who is primary now, or to the transfer that is on the way, which goes on
 * for the customer from where it is (R124). While an outside number or a supervisor who barges is there
 * as well, a transfer on the way may still fail: the contact stays, without an agent, until one comes.
 *
 * call_change() is the only writer of the conference: it carries out the difference to the state
 * before: hold flows, moves of a treatment, legs to close, agents' parts to end, who hears whom.
 */
#ifndef CONTACT_CALL_H
#define CONTACT_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "conference/conference.h"
#include "contact/contact.h"
#include "media/media.h"

enum {
	CALL_WHY_SIZE = 160,
	/* slots of conference_begin() */
	CALL_FIRST_CUSTOMER = 0,
	CALL_FIRST_AGENT = 1,
};

/* A blind transfer on its way (transfer.c). */
struct blind {
	bool on;
	bool was_held;  /* the customer, before */
	uint8_t source; /* who leaves when it succeeds; CONFERENCE_NOBODY: has left before */
	uint8_t party; /* on the way; CONFERENCE_NOBODY: of a contact that is an ordinary one again */
	/* 0: the source has left; else a negative errno and why. May be NULL. */
	void (*done)(void *ctx, int error, const char *why);
	void *ctx;
};

struct call {
	struct switchboard *board;
	struct media_room *room;
	struct leg *customer; /* NULL: not there, or gone */
	struct leg *legs[MEDIA_MEMBERS_MAX];
	unsigned n_legs;
	struct contact *contacts; /* that are live in it, oldest first */
	struct conference conference;
	uint32_t party_id[CONFERENCE_PARTIES_MAX]; /* names a party for good; 0: none */
	uint32_t last_party_id;
	bool talking;               /* the conference has begun */
	bool changing;              /* call_change() is at work */
	bool early;                 /* the outside number on the way plays something */
	bool ringing;               /* its source hears our ringback */
	enum contact_reason reason; /* why the next party leaves */
	struct blind blind;
	bool recording_suspended; /* by a verb, on all recordings */
	bool takes_secret;        /* a flow takes input that it encrypts */
	struct timer quiet;       /* ... or has taken some: recordings are silent (recording.h) */
	char *failed;             /* why the last transfer did not come about; NULL */
};

/* A call for a contact that has none: a room. -ENOTCONN, -ENOSPC, -ENOMEM. */
int call_open(struct contact *contact);
/* The contact is one of the call's. */
void call_join(struct call *call, struct contact *contact);
/* The contact leaves; with the last one room and legs are gone. A contact without a call: nothing. */
void call_part(struct contact *contact);

void call_add_leg(struct call *call, struct leg *leg);
void call_remove_leg(struct call *call, struct leg *leg);
/* The leg of a party of the conference; NULL: nobody, not called yet, or closed. */
struct leg *call_leg(const struct call *call, unsigned party);
/* The contact whose agent this party is or will be; NULL: of an outside number, say. */
struct contact *call_contact_of(const struct call *call, unsigned party);
/* The contact that the customer is in; once the customer has gone, the oldest. */
struct contact *call_customers_contact(const struct call *call);

/* The first agent is joined: customer and agent are connected. */
void call_begin(struct contact *contact, uint64_t now_ns);
/* Carries out the next state of the conference; `reason`: why who leaves does. The call may be over when it returns. */
void call_change(struct call *call, const struct conference *next, enum contact_reason reason,
	uint64_t now_ns);
/* conference_happens(), carried out. */
void call_happens(struct call *call, unsigned party, enum conference_event event,
	enum contact_reason reason, uint64_t now_ns);
/* Hangs up on everybody. */
void call_end(struct call *call, enum contact_reason reason, uint64_t now_ns);
/* A new party has this slot. */
void call_name_party(struct call *call, unsigned party);
/* The party of this id; CONFERENCE_NOBODY. */
unsigned call_find_party(const struct call *call, uint32_t id);
/* Why the transfer on the way does not come about. Cut at CALL_WHY_SIZE; without memory nobody is told. */
void call_fails(struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* No transfer has failed: another one begins, say. */
void call_fails_not(struct call *call);
/* What panels show has changed. */
void call_show(struct call *call);

#endif
