/* SPDX-License-Identifier: Apache-2.0 */
#include "conference/conference.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "conference/rights.h"

/* What moves a party from state to state: the events, then what verbs do. */
enum {
	STEP_BEGIN = CONFERENCE_EVENT_COUNT,
	STEP_INVITE,
	STEP_HOLD,
	STEP_RESUME,
	STEP_COUNT,
};

enum {
	CUSTOMER = 1 << PARTY_CUSTOMER,
	AGENT = 1 << PARTY_AGENT,
	OUTSIDE = 1 << PARTY_OUTSIDE,
	SUPERVISOR = 1 << PARTY_SUPERVISOR,
	ADDED = AGENT | OUTSIDE | SUPERVISOR,
	HOLDABLE = CUSTOMER | AGENT | OUTSIDE,
	ANYBODY = CUSTOMER | ADDED,
};

struct step {
	uint8_t to;
	uint8_t roles; /* a set; 0: the step has no place in the state */
};

#define TO(state_, roles_)                              \
	{                                               \
		.to = PARTY_##state_, .roles = (roles_) \
	}

static const struct step steps[PARTY_STATE_COUNT][STEP_COUNT] = {
	[PARTY_ABSENT] = {[STEP_BEGIN] = TO(CONNECTED, CUSTOMER | AGENT),
		[STEP_INVITE] = TO(INVITED, ADDED)},
	[PARTY_INVITED] = {[CONFERENCE_ACCEPTED] = TO(AGENT_WHISPER, AGENT),
		[CONFERENCE_ANSWERED] = TO(CONNECTED, OUTSIDE | SUPERVISOR),
		[CONFERENCE_FAILED] = TO(ABSENT, ADDED),
		[CONFERENCE_GONE] = TO(ABSENT, ADDED)},
	[PARTY_AGENT_WHISPER] = {[CONFERENCE_AGENT_WHISPER_OVER] = TO(CUSTOMER_WHISPER, AGENT),
		[CONFERENCE_AGAIN] = TO(INVITED, AGENT),
		[CONFERENCE_FAILED] = TO(ABSENT, AGENT),
		[CONFERENCE_GONE] = TO(ABSENT, AGENT)},
	[PARTY_CUSTOMER_WHISPER] = {[CONFERENCE_CUSTOMER_WHISPER_OVER] = TO(CONNECTED, AGENT),
		[CONFERENCE_AGAIN] = TO(INVITED, AGENT),
		[CONFERENCE_FAILED] = TO(ABSENT, AGENT),
		[CONFERENCE_GONE] = TO(ABSENT, AGENT)},
	[PARTY_CONNECTED] = {[CONFERENCE_GONE] = TO(ABSENT, ANYBODY),
		[STEP_HOLD] = TO(HELD, HOLDABLE),
		[STEP_RESUME] = TO(CONNECTED, ANYBODY)},
	[PARTY_HELD] = {[CONFERENCE_GONE] = TO(ABSENT, HOLDABLE),
		[STEP_HOLD] = TO(HELD, HOLDABLE),
		[STEP_RESUME] = TO(CONNECTED, HOLDABLE)},
};

static const struct party nobody = {
	.watched = CONFERENCE_NOBODY, .added_by = CONFERENCE_NOBODY, .source = CONFERENCE_NOBODY};

/* ---- the state of one party ---- */

/* The one place that changes a party's state. False: the step has no place in it. */
static bool party_step(struct party *party, unsigned step)
{
	const struct step *s = &steps[party->state][step];

	if (!(s->roles & (1u << party->role)))
		return false;
	party->state = s->to;
	if (party_is_on_call(party))
		party->source = CONFERENCE_NOBODY;
	if (party->state == PARTY_ABSENT)
		*party = nobody;
	return true;
}

static bool barges(const struct party *party)
{
	return party->role == PARTY_SUPERVISOR && party->state == PARTY_CONNECTED &&
	       party->watch == PARTY_BARGES;
}

/* ---- what follows from a step for the others ---- */

static void release_all(struct conference *c)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		party_step(&c->party[i], STEP_RESUME);
}

static void choose_primary(struct conference *c)
{
	if (conference_has_agent(c, c->primary))
		return;
	c->primary = CONFERENCE_NOBODY;
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (conference_has_agent(c, i)) {
			c->primary = (uint8_t)i;
			return;
		}
	}
}

/* The way of a pending party is heard by an agent, else by the customer; without a customer there is
 * nobody to bring the party to. */
static void choose_source(struct conference *c)
{
	unsigned pending = conference_pending(c), customer = conference_customer(c);
	struct party *party;

	if (pending == CONFERENCE_NOBODY)
		return;
	party = &c->party[pending];
	if (customer == CONFERENCE_NOBODY) {
		party_step(party, CONFERENCE_FAILED);
		return;
	}
	if (party->source != CONFERENCE_NOBODY)
		return;
	party->source = (uint8_t)(c->primary != CONFERENCE_NOBODY ? c->primary : customer);
	party_step(&c->party[party->source], STEP_RESUME);
}

/* A supervisor whose agent is gone stays only when it talks itself. */
static void dismiss_listeners(struct conference *c)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		struct party *party = &c->party[i];
		if (party->state != PARTY_ABSENT && party->role == PARTY_SUPERVISOR &&
			party->watched == CONFERENCE_NOBODY && !barges(party))
			party_step(party, CONFERENCE_GONE);
	}
}

/* Nobody stays on hold or muted whom nobody on the call may release. */
static void release_forgotten(struct conference *c)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		struct party *party = &c->party[i];
		if (party->state == PARTY_HELD && !rights_somebody(c, CONFERENCE_RESUME, i))
			party_step(party, STEP_RESUME);
		if (party->muted && !rights_somebody(c, CONFERENCE_UNMUTE, i))
			party->muted = false;
	}
}

static void settle(struct conference *c)
{
	choose_primary(c);
	choose_source(c);
	dismiss_listeners(c);
	release_forgotten(c);
}

static void forget(struct conference *c, unsigned slot)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		struct party *party = &c->party[i];
		if (party->watched == slot)
			party->watched = CONFERENCE_NOBODY;
		if (party->added_by == slot)
			party->added_by = CONFERENCE_NOBODY;
		if (party->source == slot)
			party->source = CONFERENCE_NOBODY;
	}
}

static void go(struct conference *c, unsigned slot)
{
	if (party_step(&c->party[slot], CONFERENCE_GONE)) {
		forget(c, slot);
		settle(c);
	}
}

static void leave(struct conference *c, unsigned slot)
{
	if (conference_has_agent(c, slot)) {
		party_step(&c->party[slot], CONFERENCE_GONE);
		forget(c, slot);
		release_all(c);
		settle(c);
	} else {
		go(c, slot);
	}
}

/* ---- verbs ---- */

static void hold_all(struct conference *c, unsigned actor)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		party_step(&c->party[i], i == actor ? STEP_RESUME : STEP_HOLD);
}

static void hold(struct conference *c, unsigned subject)
{
	unsigned customer = conference_customer(c);

	party_step(&c->party[subject], STEP_HOLD);
	if (conference_count(c) == 3 && customer != CONFERENCE_NOBODY && customer != subject)
		party_step(&c->party[customer], STEP_RESUME);
}

static void swap(struct conference *c, unsigned actor, unsigned subject)
{
	unsigned other = conference_other(c, actor, subject);

	party_step(&c->party[actor], STEP_RESUME);
	party_step(&c->party[subject], STEP_RESUME);
	party_step(&c->party[other], STEP_HOLD);
}

static void watch_as(struct conference *c, unsigned supervisor, enum party_watch watch)
{
	c->party[supervisor].watch = watch;
	settle(c);
}

static void carry_out(
	struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject)
{
	switch (verb) {
	case CONFERENCE_JOIN:
		release_all(c);
		break;
	case CONFERENCE_HOLD_ALL:
		hold_all(c, actor);
		break;
	case CONFERENCE_HOLD:
		hold(c, subject);
		break;
	case CONFERENCE_RESUME:
		party_step(&c->party[subject], STEP_RESUME);
		break;
	case CONFERENCE_SWAP:
		swap(c, actor, subject);
		break;
	case CONFERENCE_LEAVE:
		leave(c, actor);
		break;
	case CONFERENCE_DISCONNECT:
		go(c, subject);
		break;
	case CONFERENCE_MUTE:
	case CONFERENCE_UNMUTE:
		c->party[subject].muted = verb == CONFERENCE_MUTE;
		break;
	case CONFERENCE_MONITOR:
		watch_as(c, actor, PARTY_MONITORS);
		break;
	case CONFERENCE_COACH:
		watch_as(c, actor, PARTY_COACHES);
		break;
	case CONFERENCE_BARGE:
		watch_as(c, actor, PARTY_BARGES);
		break;
	case CONFERENCE_ADD:
	case CONFERENCE_VERB_COUNT:
		break;
	}
}

/* ---- public ---- */

void conference_init(struct conference *c, enum conference_mode mode)
{
	c->mode = mode;
	c->primary = CONFERENCE_NOBODY;
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		c->party[i] = nobody;
}

void conference_begin(struct conference *c)
{
	CHECK(c->party[0].state == PARTY_ABSENT && c->party[1].state == PARTY_ABSENT);
	c->party[0].role = PARTY_CUSTOMER;
	c->party[1].role = PARTY_AGENT;
	party_step(&c->party[0], STEP_BEGIN);
	party_step(&c->party[1], STEP_BEGIN);
	settle(c);
}

static struct party *invite(struct conference *c, enum party_role role, unsigned *slot)
{
	unsigned free = 0;

	while (c->party[free].state != PARTY_ABSENT)
		free++;
	CHECK(free < CONFERENCE_PARTIES_MAX);
	c->party[free].role = role;
	party_step(&c->party[free], STEP_INVITE);
	*slot = free;
	return &c->party[free];
}

int conference_add(struct conference *c, unsigned actor, enum party_via via, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE])
{
	int error = rights_check(c, actor, CONFERENCE_ADD, CONFERENCE_NOBODY, why);
	struct party *party;

	if (error)
		return error;
	CHECK(via != PARTY_VIA_CONTACT);
	party = invite(c, via == PARTY_VIA_NUMBER ? PARTY_OUTSIDE : PARTY_AGENT, slot);
	party->via = via;
	party->added_by = party->source = (uint8_t)actor;
	party_step(&c->party[conference_customer(c)], STEP_HOLD);
	return 0;
}

int conference_watch(struct conference *c, unsigned watched, enum party_watch watch, unsigned *slot,
	char why[CONFERENCE_WHY_SIZE])
{
	unsigned supervisors = 0;
	struct party *party;

	if (!conference_has_agent(c, watched)) {
		snprintf(why, CONFERENCE_WHY_SIZE, "no such agent is connected to this call");
		return -EINVAL;
	}
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		supervisors +=
			c->party[i].state != PARTY_ABSENT && c->party[i].role == PARTY_SUPERVISOR;
	if (supervisors == CONFERENCE_SUPERVISORS_MAX) {
		snprintf(why, CONFERENCE_WHY_SIZE, "five supervisors are on the call");
		return -ENOSPC;
	}
	party = invite(c, PARTY_SUPERVISOR, slot);
	party->watch = watch;
	party->watched = (uint8_t)watched;
	return 0;
}

int conference_do(struct conference *c, unsigned actor, enum conference_verb verb, unsigned subject,
	char why[CONFERENCE_WHY_SIZE])
{
	int error;

	if (verb == CONFERENCE_ADD) {
		snprintf(why, CONFERENCE_WHY_SIZE, "a party is added by conference_add()");
		return -EINVAL;
	}
	error = rights_check(c, actor, verb, subject, why);
	if (!error)
		carry_out(c, actor, verb, subject);
	return error;
}

void conference_happens(struct conference *c, unsigned slot, enum conference_event event)
{
	CHECK(slot < CONFERENCE_PARTIES_MAX);
	if (event == CONFERENCE_GONE)
		leave(c, slot);
	else if (party_step(&c->party[slot], event))
		settle(c);
}

enum conference_life conference_life(const struct conference *c)
{
	bool pending = conference_pending(c) != CONFERENCE_NOBODY;
	unsigned agents = 0, outside = 0;
	bool barged = conference_is_barged(c);

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		agents += conference_has_agent(c, i);
		outside += c->party[i].role == PARTY_OUTSIDE && party_is_on_call(&c->party[i]);
	}
	if (conference_customer(c) != CONFERENCE_NOBODY)
		return agents || outside || pending || barged ? CONFERENCE_LIVES
							      : CONFERENCE_CUSTOMER_ALONE;
	return agents && agents + outside > 1 ? CONFERENCE_LIVES : CONFERENCE_OVER;
}

bool party_is_pending(const struct party *party)
{
	return party->state == PARTY_INVITED || party->state == PARTY_AGENT_WHISPER ||
	       party->state == PARTY_CUSTOMER_WHISPER;
}

bool party_is_on_call(const struct party *party)
{
	return party->state == PARTY_CONNECTED || party->state == PARTY_HELD;
}

bool conference_has_agent(const struct conference *c, unsigned slot)
{
	return slot < CONFERENCE_PARTIES_MAX && c->party[slot].role == PARTY_AGENT &&
	       party_is_on_call(&c->party[slot]);
}

static bool is_counted(const struct party *party)
{
	return party->state != PARTY_ABSENT && party->role != PARTY_SUPERVISOR;
}

unsigned conference_customer(const struct conference *c)
{
	unsigned i = 0;

	while (i < CONFERENCE_PARTIES_MAX &&
		(c->party[i].state == PARTY_ABSENT || c->party[i].role != PARTY_CUSTOMER))
		i++;
	return i;
}

unsigned conference_pending(const struct conference *c)
{
	unsigned i = 0;

	while (i < CONFERENCE_PARTIES_MAX &&
		!(is_counted(&c->party[i]) && party_is_pending(&c->party[i])))
		i++;
	return i;
}

unsigned conference_count(const struct conference *c)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		count += is_counted(&c->party[i]);
	return count;
}

unsigned conference_other(const struct conference *c, unsigned actor, unsigned subject)
{
	unsigned other = CONFERENCE_NOBODY, others = 0;

	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (!is_counted(&c->party[i]) || i == actor)
			continue;
		others++;
		if (i != subject)
			other = i;
	}
	return others == 2 ? other : CONFERENCE_NOBODY;
}

bool conference_is_barged(const struct conference *c)
{
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++) {
		if (barges(&c->party[i]))
			return true;
	}
	return false;
}

const char *conference_mode_name(enum conference_mode mode)
{
	static const char *const names[] = {
#define X(name, word) [CONFERENCE_##name] = word,
		CONFERENCE_MODES(X)
#undef X
	};

	return names[mode];
}

const char *conference_verb_name(enum conference_verb verb)
{
	static const char *const names[CONFERENCE_VERB_COUNT] = {
#define X(name, word) [CONFERENCE_##name] = word,
		CONFERENCE_VERBS(X)
#undef X
	};

	return names[verb];
}

const char *conference_event_name(enum conference_event event)
{
	static const char *const names[CONFERENCE_EVENT_COUNT] = {
#define X(name, word) [CONFERENCE_##name] = word,
		CONFERENCE_EVENTS(X)
#undef X
	};

	return names[event];
}

const char *party_state_name(enum party_state state)
{
	static const char *const names[PARTY_STATE_COUNT] = {
#define X(name, word) [PARTY_##name] = word,
		PARTY_STATES(X)
#undef X
	};

	return names[state];
}
