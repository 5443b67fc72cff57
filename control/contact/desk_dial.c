/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent dials at the panel (R56):
 *
 *   panel: contact.dial    agent's phone      trunk
 *      |---- DIALLING ------> INVITE            |    a panel's phone answers by itself
 *      |                      200 --------> INVITE   ringing and early media are heard
 *      |                        |<--------- 200      CUSTOMER_WHISPER: to the destination alone
 *      |                        |<== talk ==>|       TALKING
 *
 * From the phone's answer on it is dialling.c's. A phone that does not answer leaves the agent in
 * Error, to be cleared: nobody was called.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "contact/desk.h"

static int find_number(const struct switchboard *board, const struct agent_snapshot *s,
	const struct desk_target *target, const char **number, char why[DESK_WHY_SIZE])
{
	const struct resource_quick_connect *quick_connect;
	int rc;

	*number = target->number;
	if (!*number) {
		rc = desk_find_quick_connect(
			board, s->row, false, target->quick_connect, &quick_connect, why);
		if (rc < 0)
			return rc;
		*number = quick_connect->number;
	}
	return desk_may_call(board, *number, why);
}

/* The wanted state already: this number is being dialled. */
static bool is_dialling(
	const struct switchboard *board, const struct agent_snapshot *s, const char *number)
{
	const struct contact *contact = pool_get(&board->contacts, s->contact.contact);

	return s->contact.state == AGENT_SLOT_CALLING && contact &&
	       contact->state == CONTACT_DIALLING && strcmp(contact->customer_number, number) == 0;
}

static const char *text_of(int error)
{
	switch (error) {
	case -EBUSY:
		return "the agent is on a contact";
	case -EPERM:
		return "the user may not take or make calls";
	case -ENOTCONN:
		return "the agent is not logged in";
	case -EHOSTUNREACH:
		return "the agent's phone is not registered";
	case -ENOSPC:
		return "no room for another call";
	default:
		return strerror(-error);
	}
}

/* Nothing of it stays: the agent is as before. */
static int undo(struct contact *contact, int error, uint64_t now_ns)
{
	struct router *router = contact->board->router;
	uint32_t agent = contact->segment.agent;

	if (agent != ROUTER_NONE) {
		router_agent_contact(router, agent, contact->id, AGENT_FAIL, now_ns);
		router_agent_clear(router, agent, now_ns);
	}
	if (contact->agent)
		board_leg_close(contact->agent, 0, "");
	if (contact->caller)
		board_leg_close(contact->caller, 0, "");
	board_forget_contact(contact);
	return error;
}

static int start(struct switchboard *board, const struct resource_agent *row, const char *number)
{
	uint64_t now_ns = board_now(board);
	struct contact *contact = board_contact_open(board, CONTACT_METHOD_OUTBOUND, now_ns);
	int rc;

	if (!contact)
		return -ENOSPC;
	rc = dialling_prepare(contact, row, number, now_ns);
	if (rc == 0)
		rc = board_leg_ring(contact->agent, now_ns);
	if (rc < 0)
		return undo(contact, rc, now_ns);
	log_info(LOG_CALL(contact->segment.id, contact->agent->id), "contact",
		"%s dials %s at the panel", row->row.name, number);
	contact_event(contact, "INITIATED", now_ns);
	contact->dial_phone = true;
	contact_set_state(contact, CONTACT_DIALLING, now_ns);
	timers_set(board->timers, &contact->timer, now_ns + board_phone_limit(board, row));
	return 0;
}

int desk_dial(struct switchboard *board, const char *agent, const struct desk_target *target,
	char why[DESK_WHY_SIZE])
{
	struct agent_snapshot s;
	const char *number = "", *not_now = board_why_not_now(board);
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc == 0)
		rc = find_number(board, &s, target, &number, why);
	if (rc < 0)
		return rc;
	if (is_dialling(board, &s, number))
		return 0;
	if (not_now)
		return desk_refuse(why, -EAGAIN, not_now);
	if (!s.row->routing_profile->default_outbound_queue)
		return desk_refuse(
			why, -EPERM, "the routing profile has no default outbound queue");
	rc = start(board, s.row, number);
	return rc < 0 ? desk_refuse(why, rc, text_of(rc)) : 0;
}
