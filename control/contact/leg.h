/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg: one party's part in a contact: a SIP session and a media port in the contact's room, and the
 * treatment that the party gets.
 *
 *   called or calling --answered--> up --hang-up of either side--> gone
 *
 * A leg belongs to one call for its life, and to one contact at a time: an agent's to the agent's
 * contact, the customer's to the contact that the customer is in now (contact/call.h). board_leg_close()
 * is the one way out: it ends the session in the way that its state demands, closes the port and frees
 * the leg.
 */
#ifndef CONTACT_LEG_H
#define CONTACT_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "contact/keys.h"
#include "contact/leg_quality.h"
#include "contact/treatment.h"
#include "media/media.h"
#include "sip/offer_answer.h"
#include "sip/trunk.h"

enum leg_role {
	LEG_CUSTOMER,
	LEG_AGENT,
	LEG_THIRD_PARTY, /* an outside number that a flow or an agent called */
	LEG_SUPERVISOR
};

struct call;
struct contact;

/* The calls of an agent's phone (phone.c): that of the leg, and a second one. */
struct leg_phone {
	uint64_t consult;            /* session of a number that the agent dialled; 0: none */
	uint32_t consult_party;      /* id of whom it called */
	struct sdp_stream stream[2]; /* of the first and the second; port 0: not known yet */
	uint32_t held[2];            /* id of the party that its hold has put on hold; 0: none */
	bool muted;                  /* by a hold */
	uint64_t refer;              /* session whose REFER is on its way; 0: none */
};

struct leg {
	uint64_t id;
	enum leg_role role;
	bool up; /* answered, media known */
	bool held_by_peer;
	struct keys keys;
	uint8_t party;  /* in the call's conference; CONFERENCE_NOBODY: not in it */
	uint32_t agent; /* router's number; ROUTER_NONE */
	struct call *call;
	struct contact *contact;
	uint64_t session;            /* of sip/session.h; 0 once it is over */
	char number[32];             /* of an outside number that an agent calls */
	char trunk[TRUNK_NAME_SIZE]; /* whose channel it holds; "": none */
	struct leg_phone *phone;     /* an agent's; NULL: of another role */
	struct media_leg *media;
	struct quality_watch quality;
	bool media_lost; /* and not back yet */
	struct treatment *treatment;
	struct timer timer; /* an outside number or a supervisor does not answer in time */
	bool has_slot;      /* a supervisor's voice slot is taken for this */
	struct leg *next_supervisor;
};

const char *leg_role_name(enum leg_role role);

#endif
