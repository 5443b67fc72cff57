/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants (field: one state, one place, one offer, one hearing), after every happening. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

#define TOUCHED_MAX 16

static uint64_t touched[TOUCHED_MAX];
static unsigned n_touched;

void rules_touch(struct contact *contact)
{
	if (n_touched < TOUCHED_MAX)
		touched[n_touched++] = contact->id;
}

/* ---- a contact ---- */

static bool may_wait(const struct contact *contact)
{
	return contact->state == CONTACT_QUEUED || contact->state == CONTACT_OFFERED ||
	       contact->state == CONTACT_AGENT_WHISPER ||
	       (contact->third &&
		       (contact->third->answer || (contact->state == CONTACT_BRIDGED &&
							  contact->third->back == CONTACT_QUEUED)));
}

/* One that is tried again has its old place again. */
static bool has_callback(uint32_t queue)
{
	const struct contact *contact = NULL;
	struct router_place place;

	while ((contact = pool_next(&sim.board.contacts, contact)))
		if (contact->segment.method == CONTACT_METHOD_CALLBACK &&
			router_place(sim.board.router, contact->id, sim.now_ns, &place) == 0 &&
			place.queue == queue)
			return true;
	return false;
}

/*
 * 4: nobody gets in front of who waits; no flow here sets a priority or an age. What was noted at a
 * later time is of a former round with the same seed.
 */
static void check_position(const struct contact *contact, const struct router_place *place)
{
	static struct {
		uint64_t seed, id, since_ns, noted_ns;
		uint32_t queue, position;
	} stood[8192];
	unsigned slot = pool_id_slot(contact->id) % 8192;
	uint64_t since_ns = sim.now_ns - place->waited_ns;

	if (stood[slot].seed == sim.seed && stood[slot].id == contact->id &&
		stood[slot].noted_ns <= sim.now_ns && stood[slot].queue == place->queue &&
		stood[slot].since_ns == since_ns && place->position > stood[slot].position &&
		!has_callback(place->queue))
		sim_wrong("a contact was number %u of its queue and is number %u now",
			stood[slot].position, place->position);
	stood[slot].seed = sim.seed;
	stood[slot].id = contact->id;
	stood[slot].queue = place->queue;
	stood[slot].since_ns = since_ns;
	stood[slot].noted_ns = sim.now_ns;
	stood[slot].position = place->position;
}

/* 1: in one place; what the router says agrees with the state. */
static void check_place(const struct contact *contact)
{
	struct router_place place;
	bool waits = router_place(sim.board.router, contact->id, sim.now_ns, &place) == 0;
	bool callback = contact->segment.method == CONTACT_METHOD_CALLBACK && !contact->caller;

	if (waits)
		check_position(contact, &place);
	if (waits && !may_wait(contact))
		sim_wrong("a contact that is %s waits in a queue",
			contact_state_name(contact->state));
	if (!waits && contact->state == CONTACT_QUEUED)
		sim_wrong("a queued contact is in no queue");
	if (!waits && contact->state == CONTACT_OFFERED && !callback)
		sim_wrong("an offered contact is offered to nobody");
	if (contact->state == CONTACT_OFFERED && waits && place.offered &&
		place.offer != contact->offer)
		sim_wrong("the contact knows of another offer than the router");
}

/* 3: no ringing agent without a live contact, no leg without a reason. */
static void check_legs(const struct contact *contact)
{
	if (!contact->agent)
		return;
	if (contact->agent->contact != contact)
		sim_wrong("an agent's leg belongs to another contact");
	if (!contact_is_live(contact))
		sim_wrong("an agent's phone is in a contact that is over");
	if (contact->state == CONTACT_QUEUED || contact->state == CONTACT_FLOW ||
		contact->state == CONTACT_BRIDGED)
		sim_wrong("an agent's phone is in a contact that is %s",
			contact_state_name(contact->state));
}

/* Liveness: how long a contact may be in a state that something else must end. 0: for ever. */
static uint64_t patience_of(enum contact_state state)
{
	switch (state) {
	case CONTACT_ARRIVING:
		return 70 * S; /* a 200 waits for its ACK */
	case CONTACT_OFFERED:
		return sim.config.offer_ns + sim.config.panel_answer_ns + S;
	case CONTACT_AGENT_WHISPER:
	case CONTACT_CUSTOMER_WHISPER:
		return sim.config.whisper_max_ns + S;
	case CONTACT_DIALLING:
		return 600 * S;
	default:
		return 0;
	}
}

static void check_patience(const struct contact *contact)
{
	static struct {
		uint64_t seed, id, since_ns;
		uint32_t version;
	} seen[8192];
	unsigned slot = pool_id_slot(contact->id) % 8192;

	if (seen[slot].id != contact->id || seen[slot].version != contact->version ||
		seen[slot].seed != sim.seed) {
		seen[slot].seed = sim.seed;
		seen[slot].id = contact->id;
		seen[slot].version = contact->version;
		seen[slot].since_ns = sim.now_ns;
	} else if (patience_of(contact->state) &&
		   sim.now_ns - seen[slot].since_ns > patience_of(contact->state)) {
		sim_wrong("a contact is %s for %.1f s", contact_state_name(contact->state),
			(double)(sim.now_ns - seen[slot].since_ns) / 1e9);
	}
}

static void check_contact(const struct contact *contact)
{
	check_patience(contact);
	if (contact_is_live(contact))
		check_place(contact);
	check_legs(contact);
	if (!contact_is_live(contact) && contact->call)
		sim_wrong("a contact that is over is still in a call");
	if (!contact->call || contact->state < CONTACT_TALKING)
		return;
	if (contact_is_live(contact) && !contact->call->talking &&
		contact->state != CONTACT_BRIDGED)
		sim_wrong("an agent talks outside of a conference");
}

/* ---- a call ---- */

static void check_party(const struct call *call, unsigned party)
{
	const struct party *p = &call->conference.party[party];
	const struct contact *contact = call_contact_of(call, party);
	const struct leg *leg = call_leg(call, party);

	if (p->state == PARTY_ABSENT) {
		if (leg || contact)
			sim_wrong("a party that is gone has a %s left", leg ? "leg" : "contact");
		return;
	}
	if (!call->party_id[party])
		sim_wrong("a party has no name");
	if (party_is_on_call(p) && (!leg || (!leg->up && leg->role != LEG_AGENT)))
		sim_wrong("party %u, of role %d, is %s %s", party, p->role,
			party_state_name(p->state), leg ? "before its leg is up" : "without a leg");
	if (p->role == PARTY_AGENT && !contact)
		sim_wrong("an agent is on the call without a contact");
	if (p->role == PARTY_AGENT && party_is_on_call(p) && contact->agent != leg)
		sim_wrong("an agent's party has another leg than its contact");
	if (p->role == PARTY_AGENT && party_is_on_call(p) && contact->state != CONTACT_TALKING &&
		contact->state != CONTACT_HOLD)
		sim_wrong("an agent is on the call while its contact is %s",
			contact_state_name(contact->state));
	if (p->role == PARTY_AGENT && party_is_pending(p) && contact->state >= CONTACT_TALKING)
		sim_wrong("an agent is on the way while its contact is %s",
			contact_state_name(contact->state));
}

void rules_of_call(struct call *call)
{
	const char *broken = call->talking ? conference_broken(&call->conference) : NULL;

	if (broken)
		sim_wrong("the conference: %s", broken);
	if (!call->contacts)
		sim_wrong("a call without a contact");
	if (call->changing)
		sim_wrong("a change of the call was not finished");
	for (unsigned i = 0; i < CONFERENCE_PARTIES_MAX; i++)
		if (call->talking)
			check_party(call, i);
	for (unsigned i = 0; i < call->n_legs; i++)
		if (!call->talking && call->legs[i]->party != CONFERENCE_NOBODY)
			sim_wrong("a leg has a party outside of a conference");
	if (call->customer && call->customer->contact->call != call)
		sim_wrong("the customer belongs to a contact of another call");
	for (struct contact *contact = call->contacts; contact; contact = contact->call_next)
		check_contact(contact);
	media_check(call);
}

/* ---- an agent ---- */

/* 3: no agent is busy without a leg; derived, never stored beside it. */
void rules_of_agent(uint32_t agent)
{
	struct agent_snapshot s;
	const struct contact *contact;
	bool talks;

	CHECK(router_agent_snapshot(sim.board.router, agent, &s) == 0);
	talks = s.contact.state == AGENT_SLOT_CONNECTED || s.contact.state == AGENT_SLOT_ONHOLD;
	if (supervising_leg(&sim.board, agent))
		return;
	contact = pool_get(&sim.board.contacts, s.contact.contact);
	if (talks && (!contact || !contact->agent || contact->agent->agent != agent))
		sim_wrong("%s is %s without a leg", s.row->row.name,
			agent_slot_name(s.contact.state));
	if (s.contact.state == AGENT_SLOT_OFFERED && (!contact || !contact_is_live(contact)))
		sim_wrong("%s is offered a contact that is over", s.row->row.name);
	if (s.contact.state == AGENT_SLOT_CALLING && (!contact || !contact->agent))
		sim_wrong("%s calls without a leg", s.row->row.name);
	if (s.contact.state == AGENT_SLOT_ENDED &&
		(!contact || !contact_wrapped_by((struct contact *)contact, agent)))
		sim_wrong("%s does after-contact work for nothing", s.row->row.name);
	if (talks && contact->state != (s.contact.state == AGENT_SLOT_ONHOLD ? CONTACT_HOLD
									     : CONTACT_TALKING))
		sim_wrong("%s is %s while the contact is %s", s.row->row.name,
			agent_slot_name(s.contact.state), contact_state_name(contact->state));
}

void rules_of_touched(void)
{
	for (unsigned i = 0; i < n_touched; i++) {
		struct contact *contact = pool_get(&sim.board.contacts, touched[i]);

		if (!contact)
			continue;
		if (contact->call)
			rules_of_call(contact->call);
		else
			check_contact(contact);
		if (contact->segment.agent != ROUTER_NONE)
			rules_of_agent(contact->segment.agent);
	}
	n_touched = 0;
}

/* ---- everything ---- */

void rules_of_all(void)
{
	struct contact *contact = NULL;
	const char *problem = "";
	uint32_t live = 0, in_state[CONTACT_STATE_COUNT] = {0};

	if (router_audit(sim.board.router, sim.now_ns, &problem) < 0)
		sim_wrong("the router: %s", problem);
	while ((contact = pool_next(&sim.board.contacts, contact))) {
		live += !contact->released;
		in_state[contact->state]++;
		if (board_find_contact(&sim.board, contact->segment.id) != contact)
			sim_wrong("contact %s is not found by its id", contact->segment.id);
		if (contact->call)
			rules_of_call(contact->call);
		else
			check_contact(contact);
	}
	if (live != sim.board.live)
		sim_wrong("%u concurrent calls are counted, there are %u", sim.board.live, live);
	for (int i = 0; i < CONTACT_STATE_COUNT; i++)
		if (in_state[i] != sim.board.in_state[i])
			sim_wrong("%u contacts are counted as %s, there are %u",
				sim.board.in_state[i], contact_state_name((enum contact_state)i),
				in_state[i]);
	for (uint32_t i = 0; i < router_agent_count(sim.board.router); i++)
		rules_of_agent(i);
}
