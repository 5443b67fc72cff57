/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of an agent on a call: transfer, join, hold and the rest (R15 to R54). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contact/desk.h"

_Static_assert(CONFERENCE_WHY_SIZE <= DESK_WHY_SIZE, "a refusal of the conference fits");

static int refuse_state(const struct agent_snapshot *s, char why[DESK_WHY_SIZE])
{
	if (s->contact.state == AGENT_SLOT_OFFERED)
		return desk_refuse(why, -EINVAL, "the agent is only being offered the contact");
	if (s->contact.state == AGENT_SLOT_ENDED)
		return desk_refuse(why, -EINVAL, "the agent is in after-contact work");
	return desk_refuse(why, -EINVAL, "the agent is not connected to a contact");
}

int desk_find_call(struct switchboard *board, const char *agent, const char *id,
	struct agent_snapshot *s, struct contact **contact, char why[DESK_WHY_SIZE])
{
	int rc = desk_find_contact(board, agent, id, s, contact, why);

	if (rc < 0)
		return rc;
	/* what is in the slot may be another agent's by now, or is, a supervisor's */
	if ((*contact)->segment.agent != s->agent || !(*contact)->call ||
		!(*contact)->call->talking || (*contact)->party == CONFERENCE_NOBODY ||
		(*contact)->call->conference.party[(*contact)->party].state == PARTY_INVITED)
		return refuse_state(s, why);
	return 0;
}

/* ---- transfer ---- */

static enum party_via via_of(const struct resource_quick_connect *quick_connect)
{
	if (!quick_connect || quick_connect->type == RESOURCE_QUICK_CONNECT_EXTERNAL)
		return PARTY_VIA_NUMBER;
	return quick_connect->type == RESOURCE_QUICK_CONNECT_AGENT ? PARTY_VIA_AGENT
								   : PARTY_VIA_QUEUE;
}

static int place(struct contact *contact, const struct resource_quick_connect *quick_connect,
	const char *number, unsigned party, uint64_t now_ns)
{
	return number ? outside_call(contact, party, number, now_ns)
		      : transfer_start(contact, quick_connect, party, now_ns);
}

/* Adds the party and sets out; on an error everything is as it was. */
static int add(struct contact *contact, const struct desk_target *target, const struct blind *blind,
	char why[DESK_WHY_SIZE])
{
	struct call *call = contact->call;
	const struct conference before = call->conference;
	struct conference next = before;
	const struct resource_quick_connect *quick_connect = NULL;
	const char *number = target->number;
	uint64_t now_ns = board_now(contact->board);
	unsigned party = CONFERENCE_NOBODY;
	int rc = 0;

	if (!number) {
		rc = desk_find_quick_connect(contact->board,
			router_agent_row(contact->board->router, contact->segment.agent), true,
			target->quick_connect, &quick_connect, why);
		number = rc < 0 ? NULL : quick_connect->number;
	}
	if (rc == 0 && number) /* before the customer is put on hold */
		rc = desk_may_call(contact->board, number, why);
	if (rc == 0)
		rc = conference_add(&next, contact->party, via_of(quick_connect), &party, why);
	if (rc < 0)
		return rc;
	call_fails_not(call);
	call_name_party(call, party);
	call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	if (blind) {
		call->blind = *blind;
		call->blind.party = (uint8_t)party;
	}
	rc = place(contact, quick_connect, number, party, now_ns);
	if (rc < 0) {
		call->blind.on = false;
		call_change(call, &before, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
		return desk_refuse(why, rc, strerror(-rc));
	}
	return 0;
}

int desk_transfer(struct switchboard *board, const char *agent, const char *id,
	const struct desk_target *target, char why[DESK_WHY_SIZE])
{
	struct contact *contact;
	struct agent_snapshot s;
	int rc = desk_find_call(board, agent, id, &s, &contact, why);

	return rc < 0 ? rc : add(contact, target, NULL, why);
}

/* R111: the primary agent, with the customer on the call. */
static int may_transfer_blind(const struct contact *contact, char why[DESK_WHY_SIZE])
{
	const struct conference *c = &contact->call->conference;

	if (c->primary != contact->party)
		return desk_refuse(why, -EPERM, "only the primary agent may do that");
	if (!contact->call->customer)
		return desk_refuse(why, -EINVAL, "the customer has left");
	return contact->call->blind.on
		       ? desk_refuse(why, -EBUSY, "a blind transfer is on its way already")
		       : 0;
}

int desk_transfer_blind(struct switchboard *board, const char *agent,
	const struct desk_target *target, void (*done)(void *ctx, int error, const char *why),
	void *ctx, char why[DESK_WHY_SIZE])
{
	struct contact *contact;
	struct blind blind = {.on = true, .done = done, .ctx = ctx};
	const struct call *call;
	struct agent_snapshot s;
	int rc = desk_find_call(board, agent, NULL, &s, &contact, why);

	if (rc == 0)
		rc = may_transfer_blind(contact, why);
	if (rc < 0)
		return rc;
	call = contact->call;
	blind.was_held = call->conference.party[call->customer->party].state == PARTY_HELD;
	blind.source = contact->party;
	return add(contact, target, &blind, why);
}

/* ---- the verbs of the conference ---- */

static unsigned party_of(const struct call *call, const char *name)
{
	char *end;
	unsigned long id;

	if (strcmp(name, "customer") == 0)
		return call->customer ? call->customer->party : CONFERENCE_NOBODY;
	id = strtoul(name, &end, 10);
	return *name && !*end && id <= UINT32_MAX ? call_find_party(call, (uint32_t)id)
						  : CONFERENCE_NOBODY;
}

/* Who acts: an agent by the contact in the slot, or a supervisor. */
static int find_actor(struct switchboard *board, const char *agent, const char *id,
	struct call **call, unsigned *party, char why[DESK_WHY_SIZE])
{
	struct contact *contact;
	struct agent_snapshot s;
	const struct leg *leg;
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc < 0)
		return rc;
	leg = supervising_leg(board, s.agent);
	if (!leg) {
		rc = desk_find_call(board, agent, id, &s, &contact, why);
		*call = rc < 0 ? NULL : contact->call;
		*party = rc < 0 ? CONFERENCE_NOBODY : contact->party;
		return rc;
	}
	*call = leg->call;
	*party = leg->party;
	return 0;
}

int desk_conference(struct switchboard *board, const char *agent, const char *id,
	enum conference_verb verb, const char *party, char why[DESK_WHY_SIZE])
{
	struct call *call;
	struct conference next;
	unsigned actor, subject = CONFERENCE_NOBODY;
	int rc = find_actor(board, agent, id, &call, &actor, why);

	if (rc < 0)
		return rc;
	if (party)
		subject = party_of(call, party);
	else if (verb == CONFERENCE_MUTE || verb == CONFERENCE_UNMUTE)
		subject = actor;
	if (party && subject == CONFERENCE_NOBODY) {
		snprintf(why, DESK_WHY_SIZE, "no party '%.40s' on the call", party);
		return -ENOENT;
	}
	next = call->conference;
	rc = conference_do(&next, actor, verb, subject, why);
	if (rc == 0)
		call_change(call, &next,
			next.party[actor].role == PARTY_SUPERVISOR
				? CONTACT_REASON_BARGED
				: CONTACT_REASON_AGENT_DISCONNECT,
			board_now(board));
	return rc;
}
