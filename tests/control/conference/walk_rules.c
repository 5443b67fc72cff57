/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_rules.h"

#include <stddef.h>
#include <string.h>

enum { PARTIES = CONFERENCE_PARTIES_MAX, NOBODY = CONFERENCE_NOBODY };

static bool is_there(const struct conference *c, unsigned slot)
{
	return slot < PARTIES && c->party[slot].state != PARTY_ABSENT;
}

static bool is_party(const struct conference *c, unsigned slot)
{
	return is_there(c, slot) && c->party[slot].role != PARTY_SUPERVISOR;
}

static bool is_in(const struct conference *c, unsigned slot, enum party_state state)
{
	return slot < PARTIES && c->party[slot].state == state;
}

static bool is_on_the_way(const struct conference *c, unsigned slot)
{
	return is_in(c, slot, PARTY_INVITED) || is_in(c, slot, PARTY_AGENT_WHISPER) ||
	       is_in(c, slot, PARTY_CUSTOMER_WHISPER);
}

static bool is_barging(const struct conference *c, unsigned slot)
{
	return is_in(c, slot, PARTY_CONNECTED) && c->party[slot].role == PARTY_SUPERVISOR &&
	       c->party[slot].watch == PARTY_BARGES;
}

static bool is_agent(const struct conference *c, unsigned slot)
{
	return (is_in(c, slot, PARTY_CONNECTED) || is_in(c, slot, PARTY_HELD)) &&
	       c->party[slot].role == PARTY_AGENT;
}

static unsigned agents_of(const struct conference *c)
{
	unsigned agents = 0;

	for (unsigned i = 0; i < PARTIES; i++)
		agents += is_agent(c, i);
	return agents;
}

/* ---- a state ---- */

static bool takes_part(const struct conference *c, unsigned slot)
{
	return is_in(c, slot, PARTY_CONNECTED) && (is_party(c, slot) || is_barging(c, slot));
}

static const char *talk_rule(const struct conference *c, unsigned ear, unsigned mouth)
{
	const struct party *talker = &c->party[mouth];
	bool hears = conference_hears(c, ear, mouth);

	if (hears && is_in(c, ear, PARTY_HELD))
		return "nobody on hold hears talk";
	if (hears && (is_on_the_way(c, ear) || is_on_the_way(c, mouth)))
		return "a pending party hears and is heard by nobody";
	if (hears && talker->muted)
		return "who is muted is heard by nobody";
	if (hears && !is_in(c, mouth, PARTY_CONNECTED))
		return "who is heard is connected";
	if (takes_part(c, ear) && takes_part(c, mouth) && !talker->muted && !hears)
		return "those who talk hear each other";
	if (hears && talker->role == PARTY_SUPERVISOR && !is_barging(c, mouth) &&
		(talker->watch != PARTY_COACHES || talker->watched != ear))
		return "who listens is heard by nobody, a coach by its agent";
	if (hears && c->party[ear].role == PARTY_SUPERVISOR && !is_barging(c, ear) &&
		!is_in(c, c->party[ear].watched, PARTY_CONNECTED))
		return "who listens hears nothing while the agent is on hold";
	return NULL;
}

/* Flows and whispers are players: only in the ear that they are meant for. */
static const char *player_rule(const struct conference *c, unsigned slot)
{
	unsigned pending = conference_pending(c);
	bool source = pending != NOBODY && c->party[pending].source == slot;
	bool alone = is_in(c, slot, PARTY_HELD) || is_on_the_way(c, slot);
	bool hears = conference_hears(c, slot, slot);

	if (hears && !alone && !source)
		return "a player is for those on hold, on the way, and the source";
	if (alone && !hears)
		return "those on hold and on the way hear their player";
	if (source && !hears && is_in(c, pending, PARTY_CUSTOMER_WHISPER))
		return "the source hears the customer whisper";
	if (source && !hears && !is_in(c, conference_customer(c), PARTY_CONNECTED))
		return "the source hears the way unless it talks with the customer";
	return NULL;
}

static const char *keys_rule(const struct conference *c, unsigned to, unsigned from)
{
	if (!conference_gets_keys(c, to, from))
		return NULL;
	if (c->party[to].role != PARTY_OUTSIDE || !is_in(c, to, PARTY_CONNECTED) ||
		!is_in(c, from, PARTY_CONNECTED))
		return "keys go to outside parties who are talked with";
	if (!is_agent(c, from) && (c->party[from].role != PARTY_CUSTOMER || agents_of(c)))
		return "keys are an agent's, or the customer's without one";
	return NULL;
}

static const char *life_rule(const struct conference *c)
{
	enum conference_life life = conference_life(c);
	bool customer = conference_customer(c) != NOBODY;

	if (life == CONFERENCE_CUSTOMER_ALONE &&
		(!customer || conference_count(c) != 1 || conference_is_barged(c)))
		return "alone is the customer without anybody else";
	if (life == CONFERENCE_OVER && (customer || (agents_of(c) && conference_count(c) > 1)))
		return "a call with the customer, or an agent and another, is not over";
	if (life == CONFERENCE_LIVES && !customer && !agents_of(c))
		return "outside parties and supervisors keep no call alive";
	if (life == CONFERENCE_LIVES && conference_count(c) + conference_is_barged(c) < 2)
		return "one alone is no call";
	return NULL;
}

const char *state_rule(const struct conference *c)
{
	const char *rule = conference_broken(c);

	for (unsigned i = 0; i < PARTIES && !rule; i++) {
		if (is_there(c, i))
			rule = player_rule(c, i);
		for (unsigned k = 0; k < PARTIES && !rule; k++) {
			if (i == k || !is_there(c, i) || !is_there(c, k))
				continue;
			rule = talk_rule(c, i, k);
			rule = rule ? rule : keys_rule(c, i, k);
		}
	}
	return rule ? rule : life_rule(c);
}

const char *progress_rule(const struct conference *c)
{
	static const enum conference_event next[PARTY_STATE_COUNT] = {
		[PARTY_INVITED] = CONFERENCE_ACCEPTED,
		[PARTY_AGENT_WHISPER] = CONFERENCE_AGENT_WHISPER_OVER,
		[PARTY_CUSTOMER_WHISPER] = CONFERENCE_CUSTOMER_WHISPER_OVER,
	};
	struct conference copy = *c;

	for (unsigned i = 0; i < PARTIES; i++) {
		struct party *party = &copy.party[i];
		for (unsigned k = 0; k < 3 && is_on_the_way(&copy, i); k++)
			conference_happens(&copy, i,
				party->role == PARTY_AGENT ? next[party->state]
							   : CONFERENCE_ANSWERED);
		if (is_on_the_way(&copy, i))
			return "a party on the way can arrive";
	}
	for (unsigned i = 0; i < PARTIES; i++)
		conference_happens(&copy, i, CONFERENCE_GONE);
	for (unsigned i = 0; i < PARTIES; i++) {
		if (is_there(&copy, i))
			return "everybody can hang up";
	}
	return copy.primary == NOBODY ? NULL : "an empty call has no primary";
}

/* ---- a step ---- */

/* Whoever the step itself takes off the call; NOBODY. */
static unsigned leaver_of(const struct step *step)
{
	if (step->is_verb && step->what == CONFERENCE_LEAVE)
		return step->actor;
	if (step->is_verb)
		return step->what == CONFERENCE_DISCONNECT ? step->subject : NOBODY;
	return step->what == CONFERENCE_GONE || step->what == CONFERENCE_FAILED ? step->actor
										: NOBODY;
}

static bool goes_with(const struct conference *before, unsigned leaver, unsigned slot)
{
	const struct party *party = &before->party[slot];

	if (leaver == NOBODY)
		return false;
	if (slot == leaver)
		return true;
	if (party->role == PARTY_SUPERVISOR)
		return party->watched == leaver && !is_barging(before, slot);
	return before->party[leaver].role == PARTY_CUSTOMER && is_on_the_way(before, slot);
}

/* Who is added leaves once: nobody comes but by add, nobody goes but by the step, and who stays is
 * the same party. */
static const char *presence_rule(
	const struct conference *before, const struct conference *after, const struct step *step)
{
	unsigned leaver = leaver_of(step);
	bool adds = step->is_verb && step->what == CONFERENCE_ADD;

	for (unsigned i = 0; i < PARTIES; i++) {
		const struct party *was = &before->party[i], *is = &after->party[i];
		if (!is_there(before, i)) {
			if (is_there(after, i) != (adds && i == step->subject))
				return "nobody comes but by add";
			continue;
		}
		if (is_there(after, i) == goes_with(before, leaver, i))
			return "those go who leave, and those who depend on them";
		if (is_there(after, i) && (was->role != is->role || was->via != is->via))
			return "who stays is the same party";
	}
	return NULL;
}

static const char *all_in(const struct conference *c, enum party_state state, unsigned but)
{
	for (unsigned i = 0; i < PARTIES; i++) {
		if (i != but && is_party(c, i) && !is_on_the_way(c, i) && !is_in(c, i, state))
			return state == PARTY_HELD ? "all are on hold" : "nobody is on hold";
	}
	return NULL;
}

/* When another than an agent goes, holds stay, but for the one who hears the way now, and when no
 * agent is there to resume. */
static const char *holds_rule(
	const struct conference *before, const struct conference *after, unsigned leaver)
{
	unsigned pending = conference_pending(after);

	for (unsigned i = 0; i < PARTIES; i++) {
		if (i == leaver || !is_there(after, i) ||
			before->party[i].state == after->party[i].state)
			continue;
		if (pending != NOBODY && after->party[pending].source == i)
			continue;
		if (agents_of(after))
			return "holds stay when another than an agent goes";
	}
	return NULL;
}

static const char *departure_rule(
	const struct conference *before, const struct conference *after, const struct step *step)
{
	unsigned leaver = leaver_of(step);

	if (leaver == NOBODY)
		return NULL;
	if (is_agent(before, leaver) && !(step->is_verb && step->what == CONFERENCE_DISCONNECT))
		return all_in(after, PARTY_CONNECTED, NOBODY);
	return holds_rule(before, after, leaver);
}

static const char *hold_rule(
	const struct conference *before, const struct conference *after, unsigned subject)
{
	unsigned customer = conference_customer(before);

	if (!is_in(after, subject, PARTY_HELD))
		return "hold puts on hold";
	if (conference_count(before) == 3 && customer != NOBODY && customer != subject &&
		!is_in(after, customer, PARTY_CONNECTED))
		return "with three parties hold of another takes the customer off hold";
	return NULL;
}

static const char *swap_rule(
	const struct conference *before, const struct conference *after, const struct step *step)
{
	unsigned others = 0;

	for (unsigned i = 0; i < PARTIES; i++) {
		if (!is_party(before, i) || i == step->actor)
			continue;
		others++;
		if (!is_in(after, i, i == step->subject ? PARTY_CONNECTED : PARTY_HELD))
			return "swap leaves one off hold and the other on hold";
	}
	if (is_in(after, step->actor, PARTY_HELD))
		return "who swaps is off hold";
	return others == 2 ? NULL : "swap is between two";
}

static const char *add_rule(const struct conference *after, const struct step *step)
{
	if (!is_in(after, conference_customer(after), PARTY_HELD))
		return "add puts the customer on hold";
	if (conference_pending(after) != step->subject ||
		after->party[step->subject].source != step->actor ||
		!conference_hears(after, step->actor, step->actor))
		return "who adds hears the way";
	return NULL;
}

static const char *verb_rule(
	const struct conference *before, const struct conference *after, const struct step *step)
{
	switch ((enum conference_verb)step->what) {
	case CONFERENCE_ADD:
		return add_rule(after, step);
	case CONFERENCE_JOIN:
		return all_in(after, PARTY_CONNECTED, NOBODY);
	case CONFERENCE_HOLD_ALL:
		return is_in(after, step->actor, PARTY_HELD)
			       ? "who holds all is off hold"
			       : all_in(after, PARTY_HELD, step->actor);
	case CONFERENCE_HOLD:
		return hold_rule(before, after, step->subject);
	case CONFERENCE_RESUME:
		return is_in(after, step->subject, PARTY_CONNECTED) ? NULL
								    : "resume takes off hold";
	case CONFERENCE_SWAP:
		return swap_rule(before, after, step);
	case CONFERENCE_MUTE:
		return after->party[step->subject].muted ? NULL : "mute mutes";
	case CONFERENCE_UNMUTE:
		return after->party[step->subject].muted ? "unmute unmutes" : NULL;
	case CONFERENCE_MONITOR:
		return after->party[step->actor].watch == PARTY_MONITORS ? NULL : "monitor listens";
	case CONFERENCE_COACH:
		return after->party[step->actor].watch == PARTY_COACHES ? NULL : "coach coaches";
	case CONFERENCE_BARGE:
		return is_barging(after, step->actor) ? NULL : "barge takes part";
	case CONFERENCE_LEAVE:
	case CONFERENCE_DISCONNECT:
	case CONFERENCE_VERB_COUNT:
		break;
	}
	return NULL;
}

const char *step_rule(
	const struct conference *before, const struct conference *after, const struct step *step)
{
	const char *rule = presence_rule(before, after, step);

	if (!rule)
		rule = departure_rule(before, after, step);
	return rule || !step->is_verb ? rule : verb_rule(before, after, step);
}
