/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Supervisors on a call (flows/language.md 7.8): one listens to an agent, is heard by that agent alone
 * (coach), or takes part (barge), and may go from each to each. The supervisor's phone is called for
 * it; it is a leg of the call, with no flow, no record and no after-contact work.
 *
 * A supervisor who may be offered contacts has a voice slot, which this takes: nobody is offered a
 * contact while listening. One who is not logged in, or takes no calls, only needs a phone; the former
 * does not log in before it has left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "contact/desk.h"

struct leg *supervising_leg(const struct switchboard *board, uint32_t agent)
{
	struct leg *leg = board->supervisors;

	while (leg && leg->agent != agent)
		leg = leg->next_supervisor;
	return leg;
}

static void enlist(struct leg *leg)
{
	struct switchboard *board = leg->call->board;

	leg->next_supervisor = board->supervisors;
	board->supervisors = leg;
}

/* The slot's key: the contact that the supervisor came to. */
static uint64_t slot_of(const struct leg *leg)
{
	struct agent_snapshot s;

	return router_agent_snapshot(leg->call->board->router, leg->agent, &s) == 0
		       ? s.contact.contact
		       : 0;
}

static void slot_event(const struct leg *leg, enum agent_event event, uint64_t now_ns)
{
	uint64_t slot = leg->has_slot ? slot_of(leg) : 0;

	if (slot)
		router_agent_contact(leg->call->board->router, leg->agent, slot, event, now_ns);
}

void supervising_close(struct leg *leg)
{
	struct switchboard *board = leg->call->board;
	struct leg **p = &board->supervisors;
	uint64_t now_ns = board_now(board);

	while (*p && *p != leg)
		p = &(*p)->next_supervisor;
	if (*p)
		*p = leg->next_supervisor;
	if (!leg->has_slot)
		return;
	slot_event(leg, AGENT_END, now_ns);
	leg->has_slot = false;
	router_agent_clear(board->router, leg->agent, now_ns);
}

/* ---- coming ---- */

static int check_permission(
	const struct resource_agent *row, enum party_watch watch, char why[DESK_WHY_SIZE])
{
	uint32_t needed = watch == PARTY_BARGES ? RESOURCE_MAY_BARGE : RESOURCE_MAY_MONITOR;

	if (row->security_profile->permissions & needed)
		return 0;
	snprintf(why, DESK_WHY_SIZE, "the security profile of %.64s does not allow it",
		row->row.name);
	return -EPERM;
}

static int take_slot(struct contact *contact, const struct agent_snapshot *supervisor,
	uint64_t now_ns, char why[DESK_WHY_SIZE])
{
	int rc;

	if (!supervisor->logged_in || !resource_agent_may_take_calls(supervisor->row))
		return 0;
	rc = router_agent_dial(contact->board->router, supervisor->agent, contact->id,
		contact->segment.queue, now_ns);
	if (rc == -EBUSY)
		return desk_refuse(why, rc, "the supervisor is on a contact");
	return rc < 0 ? desk_refuse(why, rc, "the supervisor's phone cannot be reached") : 1;
}

static void on_timer(void *ctx, uint64_t now_ns)
{
	supervising_down(ctx, now_ns);
}

static int call_phone(struct contact *contact, const struct agent_snapshot *supervisor,
	unsigned party, uint64_t now_ns, struct leg **out)
{
	struct switchboard *board = contact->board;
	struct leg *leg = board_leg_open(
		call_customers_contact(contact->call), LEG_SUPERVISOR, supervisor->agent);
	int rc;

	if (!leg)
		return -ENOSPC;
	leg->party = (uint8_t)party;
	rc = board_leg_ring(leg, now_ns);
	if (rc < 0) {
		board_leg_close(leg, 0, "");
		return rc;
	}
	enlist(leg);
	timer_init(&leg->timer, on_timer, leg);
	timers_set(board->timers, &leg->timer, now_ns + board_phone_limit(board, supervisor->row));
	*out = leg;
	return 0;
}

static int come(struct contact *contact, const struct agent_snapshot *supervisor,
	enum party_watch watch, char why[DESK_WHY_SIZE])
{
	struct call *call = contact->call;
	const struct conference before = call->conference;
	struct conference next = before;
	uint64_t now_ns = board_now(contact->board);
	unsigned party;
	struct leg *leg = NULL;
	int slot, rc = conference_watch(&next, contact->party, watch, &party, why);

	if (rc < 0)
		return rc;
	slot = take_slot(contact, supervisor, now_ns, why);
	if (slot < 0)
		return slot;
	call_name_party(call, party);
	call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	rc = call_phone(contact, supervisor, party, now_ns, &leg);
	if (rc == 0) {
		leg->has_slot = slot;
		return 0;
	}
	if (slot) {
		router_agent_contact(
			contact->board->router, supervisor->agent, contact->id, AGENT_FAIL, now_ns);
		router_agent_clear(contact->board->router, supervisor->agent, now_ns);
	}
	call_change(call, &before, CONTACT_REASON_AGENT_DISCONNECT, now_ns);
	return desk_refuse(why, rc, "the supervisor's phone cannot be called");
}

/* ---- the verbs ---- */

static const enum conference_verb verbs[] = {[PARTY_MONITORS] = CONFERENCE_MONITOR,
	[PARTY_COACHES] = CONFERENCE_COACH,
	[PARTY_BARGES] = CONFERENCE_BARGE};

/* On the call already: from one to the other, and back. */
static int change(struct leg *leg, enum party_watch watch, char why[DESK_WHY_SIZE])
{
	struct call *call = leg->call;
	struct conference next = call->conference;
	int rc = conference_do(&next, leg->party, verbs[watch], CONFERENCE_NOBODY, why);

	if (rc == 0)
		call_change(call, &next, CONTACT_REASON_AGENT_DISCONNECT, board_now(call->board));
	return rc;
}

int desk_watch(struct switchboard *board, const char *supervisor, const char *agent,
	enum party_watch watch, char why[DESK_WHY_SIZE])
{
	struct agent_snapshot s = {0}, watched = {0};
	struct contact *contact = NULL;
	struct leg *leg;
	int rc = desk_find_agent(board, supervisor, &s, why);

	if (rc == 0)
		rc = check_permission(s.row, watch, why);
	if (rc == 0)
		rc = desk_find_agent(board, agent, &watched, why);
	if (rc == 0 && s.agent == watched.agent)
		rc = desk_refuse(why, -EINVAL, "nobody supervises oneself");
	if (rc == 0)
		rc = desk_find_call(board, agent, NULL, &watched, &contact, why);
	if (rc < 0 || !contact)
		return rc;
	leg = supervising_leg(board, s.agent);
	if (!leg)
		return come(contact, &s, watch, why);
	if (leg->call != contact->call ||
		leg->call->conference.party[leg->party].watched != contact->party)
		return desk_refuse(why, -EBUSY, "the supervisor is with another agent");
	return change(leg, watch, why);
}

/* ---- what the phone does ---- */

void supervising_answered(struct leg *leg, uint64_t now_ns)
{
	timers_cancel(leg->call->board->timers, &leg->timer);
	slot_event(leg, AGENT_CONNECT, now_ns);
	log_info(LOG_CALL(leg->contact->segment.id, leg->id), "contact", "a supervisor is there");
	call_happens(leg->call, leg->party, CONFERENCE_ANSWERED, CONTACT_REASON_AGENT_DISCONNECT,
		now_ns);
}

void supervising_down(struct leg *leg, uint64_t now_ns)
{
	const struct party *party = &leg->call->conference.party[leg->party];

	call_happens(leg->call, leg->party,
		party_is_pending(party) ? CONFERENCE_FAILED : CONFERENCE_GONE,
		CONTACT_REASON_AGENT_DISCONNECT, now_ns);
}
