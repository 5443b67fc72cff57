/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears whom, whose keys go where, and what panels show: functions of the state, which they only
 * read. */
#include "conference/conference.h"

#include <stddef.h>

static bool is_there(const struct conference *c, unsigned slot)
{
	return slot < CONFERENCE_PARTIES_MAX && c->party[slot].state != PARTY_ABSENT;
}

static bool talks(const struct conference *c, unsigned slot)
{
	return slot < CONFERENCE_PARTIES_MAX && c->party[slot].state == PARTY_CONNECTED;
}

static bool watches_as(const struct party *party, enum party_watch watch)
{
	return party->role == PARTY_SUPERVISOR && party->watch == watch;
}

/*
 * A hold flow, a whisper, or the way to a pending party. An agent who talks with the customer
 * meanwhile is spared the way, but not the customer whisper: it says that the target comes.
 */
static bool hears_player(const struct conference *c, unsigned slot)
{
	unsigned pending = conference_pending(c);
	const struct party *party = &c->party[slot];

	if (party->state != PARTY_CONNECTED)
		return true;
	if (pending == CONFERENCE_NOBODY || c->party[pending].source != slot)
		return false;
	if (party->role == PARTY_CUSTOMER || !talks(c, conference_customer(c)))
		return true;
	return c->party[pending].state == PARTY_CUSTOMER_WHISPER;
}

bool conference_hears(const struct conference *c, unsigned listener, unsigned talker)
{
	const struct party *ear, *mouth;

	if (!is_there(c, listener) || !is_there(c, talker))
		return false;
	if (listener == talker)
		return hears_player(c, listener);
	ear = &c->party[listener];
	mouth = &c->party[talker];
	if (!talks(c, listener) || !talks(c, talker) || mouth->muted)
		return false;
	if (watches_as(mouth, PARTY_MONITORS))
		return false;
	if (watches_as(mouth, PARTY_COACHES))
		return listener == mouth->watched;
	if (ear->role == PARTY_SUPERVISOR && ear->watch != PARTY_BARGES)
		return talks(c, ear->watched);
	return true;
}

bool conference_is_recorded(const struct conference *c, unsigned slot)
{
	const struct party *party = talks(c, slot) ? &c->party[slot] : NULL;

	return party && !party->muted &&
	       (party->role != PARTY_SUPERVISOR || party->watch == PARTY_BARGES);
}

bool conference_gets_keys(const struct conference *c, unsigned to, unsigned from)
{
	bool attended = false;

	if (!talks(c, to) || !talks(c, from) || c->party[to].role != PARTY_OUTSIDE)
		return false;
	if (c->party[from].role == PARTY_AGENT)
		return true;
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		attended = attended || conference_has_agent(c, i);
	return c->party[from].role == PARTY_CUSTOMER && !attended;
}

static bool sees_supervisor(const struct conference *c, unsigned viewer, unsigned subject)
{
	const struct party *supervisor = &c->party[subject];

	if (viewer == subject)
		return true;
	if (!talks(c, subject))
		return false;
	return supervisor->watch == PARTY_BARGES ||
	       (supervisor->watch == PARTY_COACHES && supervisor->watched == viewer);
}

/* A secondary agent sees its connection with who brought it: the primary, or, when that one has left
 * meanwhile, the customer. */
static bool sees_in_three(const struct conference *c, unsigned viewer, unsigned subject)
{
	if (viewer == subject)
		return false;
	if (viewer == c->primary)
		return true;
	if (c->primary != CONFERENCE_NOBODY)
		return subject == c->primary;
	return c->party[subject].role == PARTY_CUSTOMER;
}

bool conference_sees(const struct conference *c, unsigned viewer, unsigned subject)
{
	const struct party *party;

	if (!is_there(c, viewer) || !is_there(c, subject))
		return false;
	party = &c->party[viewer];
	if (party->state == PARTY_INVITED ||
		(party->role != PARTY_AGENT && party->role != PARTY_SUPERVISOR))
		return false;
	if (c->party[subject].role == PARTY_SUPERVISOR)
		return sees_supervisor(c, viewer, subject);
	if (party->role == PARTY_SUPERVISOR || c->mode == CONFERENCE_MULTI_PARTY)
		return true;
	return sees_in_three(c, viewer, subject);
}
