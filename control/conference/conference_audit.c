/* SPDX-License-Identifier: Apache-2.0 */
#include "conference/conference.h"

#include <stddef.h>

#include "conference/rights.h"

static const char *absent_broken(const struct party *party)
{
	if (party->muted || party->watched != CONFERENCE_NOBODY ||
		party->added_by != CONFERENCE_NOBODY || party->source != CONFERENCE_NOBODY)
		return "an absent party is tied to nobody";
	return NULL;
}

static const char *supervisor_broken(const struct conference *c, const struct party *party)
{
	if (party->state != PARTY_INVITED && party->state != PARTY_CONNECTED)
		return "a supervisor is invited or connected";
	if (party->source != CONFERENCE_NOBODY || party->added_by != CONFERENCE_NOBODY)
		return "a supervisor comes by itself";
	if (conference_has_agent(c, party->watched))
		return NULL;
	if (party->watched != CONFERENCE_NOBODY || party->state != PARTY_CONNECTED ||
		party->watch != PARTY_BARGES)
		return "a supervisor who does not barge listens to an agent on the call";
	return NULL;
}

static const char *pending_broken(const struct conference *c, const struct party *party)
{
	unsigned source = party->source, customer = conference_customer(c);

	if (party->role == PARTY_CUSTOMER)
		return "the customer is never on the way";
	if (party->role == PARTY_OUTSIDE && party->state != PARTY_INVITED)
		return "an outside party hears no whisper";
	if (customer == CONFERENCE_NOBODY)
		return "nobody is on the way to a customer who has left";
	if (!conference_has_agent(c, source) &&
		(source != customer || c->primary != CONFERENCE_NOBODY))
		return "an agent hears the way, or the customer when no agent is on the call";
	if (c->party[source].state != PARTY_CONNECTED)
		return "who hears the way is not on hold";
	if (party->muted)
		return "a party on the way is not muted";
	return NULL;
}

static const char *party_broken(const struct conference *c, unsigned slot)
{
	const struct party *party = &c->party[slot];

	if (party->state == PARTY_ABSENT)
		return absent_broken(party);
	if (party->role == PARTY_SUPERVISOR)
		return supervisor_broken(c, party);
	if (party->watched != CONFERENCE_NOBODY)
		return "only supervisors watch";
	if (party->added_by != CONFERENCE_NOBODY &&
		(party->added_by == slot || !conference_has_agent(c, party->added_by)))
		return "who has added a party is an agent on the call";
	if (party_is_pending(party))
		return pending_broken(c, party);
	if (party->source != CONFERENCE_NOBODY)
		return "nobody hears the way of a party that is there";
	if (party->state == PARTY_HELD && !rights_somebody(c, CONFERENCE_RESUME, slot))
		return "whoever is on hold can be taken off hold by somebody";
	if (party->muted && !rights_somebody(c, CONFERENCE_UNMUTE, slot))
		return "whoever is muted can be unmuted by somebody";
	return NULL;
}

/* How many parties there are of each kind. */
static const char *numbers_broken(const struct conference *c)
{
	unsigned customers = 0, supervisors = 0, pending = 0, others = 0;

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		const struct party *party = &c->party[i];
		if (party->state == PARTY_ABSENT)
			continue;
		supervisors += party->role == PARTY_SUPERVISOR;
		customers += party->role == PARTY_CUSTOMER;
		others += party->role != PARTY_SUPERVISOR;
		pending += party->role != PARTY_SUPERVISOR && party_is_pending(party);
	}
	if (customers > 1)
		return "one customer";
	if (pending > 1)
		return "one party is on the way at a time";
	if (supervisors > CONFERENCE_SUPERVISORS_MAX)
		return "five supervisors at most";
	if (others >
		(c->mode == CONFERENCE_MULTI_PARTY ? CONFERENCE_MULTI_MAX : CONFERENCE_THREE_MAX))
		return "no more parties than the mode has";
	return NULL;
}

static const char *primary_broken(const struct conference *c)
{
	if (c->primary != CONFERENCE_NOBODY)
		return conference_has_agent(c, c->primary) ? NULL
							   : "the primary is an agent on the call";
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (conference_has_agent(c, i))
			return "with an agent on the call there is a primary";
	}
	return NULL;
}

const char *conference_broken(const struct conference *c)
{
	const char *broken = numbers_broken(c);

	if (!broken)
		broken = primary_broken(c);
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX && !broken; i++)
		broken = party_broken(c, i);
	return broken;
}
