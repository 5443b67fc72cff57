/* SPDX-License-Identifier: Apache-2.0 */
#include "conference/rights.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

/* Who acts. */
enum actor {
	ACTOR_PRIMARY,
	ACTOR_SECONDARY,
	ACTOR_BARGES,
	ACTOR_LISTENS, /* a supervisor who monitors or coaches */
	ACTOR_NONE,    /* the customer, an outside party */
	ACTOR_COUNT,
};

/* Over whom: a set. */
enum subject {
	NO_SUBJECT = 1, /* the verb has none */
	SELF = 2,
	CUSTOMER = 4,
	ADDED = 8, /* by the actor; for the primary also what nobody who is still there has added */
	OTHER = 16, /* another agent or outside party */
	SUPERVISOR = 32,
	ANY_OTHER = CUSTOMER | ADDED | OTHER,
	ANY = SELF | ANY_OTHER,
};

#define AGENTS(over)      [ACTOR_PRIMARY] = (over), [ACTOR_SECONDARY] = (over)
#define SUPERVISORS(over) [ACTOR_BARGES] = (over), [ACTOR_LISTENS] = (over)

static const uint8_t three_party[CONFERENCE_VERB_COUNT][ACTOR_COUNT] = {
	[CONFERENCE_ADD] = {[ACTOR_PRIMARY] = NO_SUBJECT},
	[CONFERENCE_JOIN] = {[ACTOR_PRIMARY] = NO_SUBJECT, [ACTOR_BARGES] = NO_SUBJECT},
	[CONFERENCE_HOLD_ALL] = {[ACTOR_PRIMARY] = NO_SUBJECT, [ACTOR_BARGES] = NO_SUBJECT},
	[CONFERENCE_HOLD] = {[ACTOR_PRIMARY] = CUSTOMER | ADDED, [ACTOR_BARGES] = ANY_OTHER},
	/* itself: only a supervisor can have put the primary on hold */
	[CONFERENCE_RESUME] =
		{[ACTOR_PRIMARY] = SELF | CUSTOMER | ADDED, [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_SWAP] = {[ACTOR_PRIMARY] = CUSTOMER | ADDED, [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_LEAVE] = {AGENTS(NO_SUBJECT), SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_DISCONNECT] = {[ACTOR_PRIMARY] = CUSTOMER | ADDED, [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_MUTE] = {AGENTS(SELF), [ACTOR_BARGES] = ANY, [ACTOR_LISTENS] = SELF},
	[CONFERENCE_UNMUTE] = {AGENTS(SELF), [ACTOR_BARGES] = ANY, [ACTOR_LISTENS] = SELF},
	[CONFERENCE_MONITOR] = {SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_COACH] = {SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_BARGE] = {SUPERVISORS(NO_SUBJECT)},
};

static const uint8_t multi_party[CONFERENCE_VERB_COUNT][ACTOR_COUNT] = {
	[CONFERENCE_ADD] = {AGENTS(NO_SUBJECT)},
	[CONFERENCE_JOIN] = {AGENTS(NO_SUBJECT), [ACTOR_BARGES] = NO_SUBJECT},
	[CONFERENCE_HOLD_ALL] = {AGENTS(NO_SUBJECT), [ACTOR_BARGES] = NO_SUBJECT},
	[CONFERENCE_HOLD] = {AGENTS(ANY), [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_RESUME] = {AGENTS(ANY), [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_SWAP] = {AGENTS(ANY_OTHER), [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_LEAVE] = {AGENTS(NO_SUBJECT), SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_DISCONNECT] = {AGENTS(ANY_OTHER), [ACTOR_BARGES] = ANY_OTHER},
	[CONFERENCE_MUTE] = {AGENTS(ANY), [ACTOR_BARGES] = ANY, [ACTOR_LISTENS] = SELF},
	[CONFERENCE_UNMUTE] = {AGENTS(ANY), [ACTOR_BARGES] = ANY, [ACTOR_LISTENS] = SELF},
	[CONFERENCE_MONITOR] = {SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_COACH] = {SUPERVISORS(NO_SUBJECT)},
	[CONFERENCE_BARGE] = {SUPERVISORS(NO_SUBJECT)},
};

static int refuse(char why[CONFERENCE_WHY_SIZE], int error, const char *text)
{
	snprintf(why, CONFERENCE_WHY_SIZE, "%s", text);
	return error;
}

static bool takes_subject(enum conference_verb verb)
{
	return verb == CONFERENCE_HOLD || verb == CONFERENCE_RESUME || verb == CONFERENCE_SWAP ||
	       verb == CONFERENCE_DISCONNECT || verb == CONFERENCE_MUTE ||
	       verb == CONFERENCE_UNMUTE;
}

static bool is_on_mute(enum conference_verb verb)
{
	return verb == CONFERENCE_MUTE || verb == CONFERENCE_UNMUTE;
}

static bool is_supervisors(enum conference_verb verb)
{
	return verb == CONFERENCE_MONITOR || verb == CONFERENCE_COACH || verb == CONFERENCE_BARGE;
}

static enum actor actor_of(const struct conference *c, unsigned actor)
{
	const struct party *party = &c->party[actor];

	if (party->role == PARTY_SUPERVISOR)
		return party->watch == PARTY_BARGES ? ACTOR_BARGES : ACTOR_LISTENS;
	if (party->role != PARTY_AGENT)
		return ACTOR_NONE;
	return actor == c->primary ? ACTOR_PRIMARY : ACTOR_SECONDARY;
}

static enum subject subject_of(const struct conference *c, unsigned actor, unsigned subject)
{
	const struct party *party = &c->party[subject];

	if (subject == actor)
		return SELF;
	if (party->role == PARTY_SUPERVISOR)
		return SUPERVISOR;
	if (party->role == PARTY_CUSTOMER)
		return CUSTOMER;
	if (party->added_by == actor ||
		(party->added_by == CONFERENCE_NOBODY && actor == c->primary))
		return ADDED;
	return OTHER;
}

/* What the table of the mode has, less the agents' mutes of others while a supervisor barges. */
static unsigned allowed(const struct conference *c, enum actor actor, enum conference_verb verb)
{
	unsigned over = c->mode == CONFERENCE_MULTI_PARTY ? multi_party[verb][actor]
							  : three_party[verb][actor];

	if (is_on_mute(verb) && actor != ACTOR_BARGES && conference_is_barged(c))
		over &= SELF;
	return over;
}

static const char *not_for_actor(enum actor actor, enum conference_verb verb)
{
	if (actor == ACTOR_NONE)
		return "only agents and supervisors may do anything on a call";
	if (is_supervisors(verb))
		return "only a supervisor may monitor, coach or barge";
	if (actor == ACTOR_LISTENS)
		return "a supervisor who does not barge only listens";
	if (actor == ACTOR_BARGES)
		return "a supervisor may not add a party";
	return "in three-party mode this is for the primary agent: the first one on the call";
}

static const char *not_over_subject(
	const struct conference *c, enum subject subject, enum conference_verb verb)
{
	if (subject == SUPERVISOR)
		return "a supervisor's connection is the supervisor's own";
	if (is_on_mute(verb) && conference_is_barged(c))
		return "while a supervisor barges, an agent may only mute itself";
	if (is_on_mute(verb))
		return "in three-party mode an agent may only mute itself";
	if (verb == CONFERENCE_SWAP)
		return "swap names the party to talk with, not oneself";
	return "in three-party mode an agent may not put itself on hold";
}

static int check_permission(const struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	enum actor who = actor_of(c, actor);
	unsigned over = allowed(c, who, verb);
	enum subject whom = takes_subject(verb) ? subject_of(c, actor, subject) : NO_SUBJECT;

	if (!over)
		return refuse(why, -EPERM, not_for_actor(who, verb));
	if (!(over & whom))
		return refuse(why, -EPERM, not_over_subject(c, whom, verb));
	return 0;
}

/* In multi-party mode an agent's rights begin when it accepts. */
static bool has_begun(const struct conference *c, unsigned actor, enum conference_verb verb)
{
	const struct party *party = &c->party[actor];

	if (party_is_on_call(party))
		return true;
	return c->mode == CONFERENCE_MULTI_PARTY && party->state != PARTY_INVITED &&
	       verb != CONFERENCE_LEAVE;
}

static int check_add(const struct conference *c, unsigned actor, char why[CONFERENCE_WHY_SIZE])
{
	bool multi = c->mode == CONFERENCE_MULTI_PARTY;

	if (conference_customer(c) == CONFERENCE_NOBODY)
		return refuse(why, -EINVAL, "the customer has left: there is nobody to transfer");
	if (conference_pending(c) != CONFERENCE_NOBODY)
		return refuse(why, -EINVAL, "another party is still on the way");
	if (conference_count(c) >= (multi ? CONFERENCE_MULTI_MAX : CONFERENCE_THREE_MAX))
		return refuse(why, -ENOSPC,
			multi ? "six parties are on the call: there is no room for another"
			      : "three parties are on the call: there is no room for another");
	if (c->party[actor].state != PARTY_CONNECTED)
		return refuse(why, -EINVAL, "on hold: resume before adding a party");
	return 0;
}

/* Who hears the way of a pending party has no ear for a hold flow. */
static bool hears_the_way(const struct conference *c, unsigned party)
{
	unsigned pending = conference_pending(c);

	return pending != CONFERENCE_NOBODY && c->party[pending].source == party;
}

static int check_hold(const struct conference *c, unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	if (hears_the_way(c, subject))
		return refuse(
			why, -EINVAL, "that party hears a transfer and cannot be put on hold now");
	return 0;
}

static int check_hold_all(const struct conference *c, unsigned actor, char why[CONFERENCE_WHY_SIZE])
{
	unsigned pending = conference_pending(c);

	if (pending != CONFERENCE_NOBODY && c->party[pending].source != actor)
		return refuse(why, -EINVAL,
			"another party hears a transfer: it cannot be put on hold now");
	return 0;
}

static int check_swap(
	const struct conference *c, unsigned actor, unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	unsigned other = conference_other(c, actor, subject);

	if (other == CONFERENCE_NOBODY)
		return refuse(why, -EINVAL, "swap is for a call of three: oneself and two others");
	if (!party_is_on_call(&c->party[other]))
		return refuse(why, -EINVAL, "the other party is not connected yet");
	return check_hold(c, other, why);
}

static int check_watch(const struct conference *c, unsigned actor, enum conference_verb verb,
	char why[CONFERENCE_WHY_SIZE])
{
	if (verb != CONFERENCE_BARGE && c->party[actor].watched == CONFERENCE_NOBODY)
		return refuse(why, -EINVAL, "the agent to listen to has left");
	return 0;
}

/* Whether it can be done now, by somebody who may. */
static int check_moment(const struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	if (!has_begun(c, actor, verb))
		return refuse(why, -EINVAL, "not connected yet");
	if (verb == CONFERENCE_ADD)
		return check_add(c, actor, why);
	if (verb == CONFERENCE_HOLD_ALL)
		return check_hold_all(c, actor, why);
	if (is_supervisors(verb))
		return check_watch(c, actor, verb, why);
	if (!takes_subject(verb) || verb == CONFERENCE_DISCONNECT)
		return 0;
	if (!party_is_on_call(&c->party[subject]))
		return refuse(why, -EINVAL, "that party is not connected yet");
	if (verb == CONFERENCE_SWAP)
		return check_swap(c, actor, subject, why);
	return verb == CONFERENCE_HOLD ? check_hold(c, subject, why) : 0;
}

static bool is_there(const struct conference *c, unsigned slot)
{
	return slot < CONFERENCE_PARTIES_MAX && c->party[slot].state != PARTY_ABSENT;
}

int rights_check(const struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE])
{
	int error;

	if (!is_there(c, actor))
		return refuse(why, -EINVAL, "not on this call");
	if (takes_subject(verb) && !is_there(c, subject))
		return refuse(why, -EINVAL, "no such party on this call");
	if (verb == CONFERENCE_DISCONNECT && subject == actor)
		return refuse(why, -EINVAL, "oneself: leave");
	error = check_permission(c, actor, verb, subject, why);
	return error ? error : check_moment(c, actor, verb, subject, why);
}

bool rights_somebody(const struct conference *c, enum conference_verb verb, unsigned subject)
{
	char why[CONFERENCE_WHY_SIZE];

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (!rights_check(c, i, verb, subject, why))
			return true;
	}
	return false;
}
