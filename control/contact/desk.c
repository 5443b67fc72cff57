/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of agents and operators: each names the wanted state and says why it was refused. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "contact/desk.h"

int desk_refuse(char why[DESK_WHY_SIZE], int error, const char *text)
{
	snprintf(why, DESK_WHY_SIZE, "%s", text);
	return error;
}

int desk_find_agent(const struct switchboard *board, const char *name,
	struct agent_snapshot *snapshot, char why[DESK_WHY_SIZE])
{
	uint32_t agent = router_find_agent(board->router, name, RESOURCE_BY_ANY);

	if (agent == ROUTER_NONE || router_agent_snapshot(board->router, agent, snapshot) < 0) {
		snprintf(why, DESK_WHY_SIZE, "no user '%.100s'", name);
		return -ENOENT;
	}
	return 0;
}

static int find_status(const struct switchboard *board, const char *name,
	const struct resource_status **status, char why[DESK_WHY_SIZE])
{
	*status = resources_status(board->instance->resources, name, RESOURCE_BY_ANY);
	if (*status)
		return 0;
	snprintf(why, DESK_WHY_SIZE, "no agent status '%.100s'", name);
	return -ENOENT;
}

int desk_login(
	struct switchboard *board, const char *agent, const char *status, char why[DESK_WHY_SIZE])
{
	const struct resource_status *row = NULL;
	struct agent_snapshot s;
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc == 0 && status)
		rc = find_status(board, status, &row, why);
	if (rc < 0)
		return rc;
	if (s.logged_in) /* the wanted state: in, and in that status */
		return row ? desk_status(board, agent, status, why) : 0;
	/* who listens holds no voice slot without being logged in, and would be offered a contact */
	if (supervising_leg(board, s.agent) && resource_agent_may_take_calls(s.row))
		return desk_refuse(why, -EBUSY, "the agent supervises a call: leave it first");
	rc = router_agent_login(board->router, s.agent, row, board_now(board));
	return rc < 0 ? desk_refuse(why, rc, strerror(-rc)) : 0;
}

int desk_logout(struct switchboard *board, const char *agent, char why[DESK_WHY_SIZE])
{
	struct agent_snapshot s;
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc < 0 || !s.logged_in)
		return rc;
	rc = router_agent_logout(board->router, s.agent, board_now(board));
	return rc == -EBUSY ? desk_refuse(why, rc, "the agent is on a contact")
	       : rc < 0     ? desk_refuse(why, rc, strerror(-rc))
			    : 0;
}

int desk_status(
	struct switchboard *board, const char *agent, const char *status, char why[DESK_WHY_SIZE])
{
	const struct resource_status *row = NULL;
	struct agent_snapshot s;
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc == 0)
		rc = find_status(board, status, &row, why);
	if (rc < 0)
		return rc;
	rc = router_agent_status(board->router, s.agent, row, board_now(board));
	return rc == -ENOTCONN ? desk_refuse(why, rc, "the agent is not logged in")
	       : rc < 0        ? desk_refuse(why, rc, strerror(-rc))
			       : 0;
}

/* The contact in the agent's slot; `id` (may be NULL) must be its. */
int desk_find_contact(struct switchboard *board, const char *agent, const char *id,
	struct agent_snapshot *s, struct contact **contact, char why[DESK_WHY_SIZE])
{
	int rc = desk_find_agent(board, agent, s, why);

	if (rc < 0)
		return rc;
	*contact = pool_get(&board->contacts, s->contact.contact);
	if (s->contact.state == AGENT_SLOT_EMPTY || !*contact)
		return desk_refuse(why, -ENOENT, "the agent has no contact");
	if (id && strcmp((*contact)->segment.id, id) != 0)
		return desk_refuse(why, -ENOENT, "the agent has another contact");
	return 0;
}

struct visibility {
	const struct resource_quick_connect *wanted;
};

static int is_wanted(void *ctx, const struct resource_quick_connect *quick_connect)
{
	const struct visibility *v = ctx;

	return v->wanted == quick_connect;
}

int desk_find_quick_connect(const struct switchboard *board, const struct resource_agent *agent,
	bool on_contact, const char *name, const struct resource_quick_connect **quick_connect,
	char why[DESK_WHY_SIZE])
{
	const struct resources *resources = board->instance->resources;
	struct visibility v = {resources_quick_connect(resources, name, RESOURCE_BY_ANY)};

	if (!v.wanted || !agent ||
		!resources_each_quick_connect(resources, agent, on_contact, is_wanted, &v)) {
		snprintf(why, DESK_WHY_SIZE, "no quick connect '%.100s' for this agent%s", name,
			on_contact ? "" : " without a contact");
		return -ENOENT;
	}
	*quick_connect = v.wanted;
	return 0;
}

int desk_may_call(const struct switchboard *board, const char *number, char why[DESK_WHY_SIZE])
{
	if (!resource_number_valid(number)) {
		snprintf(why, DESK_WHY_SIZE,
			"'%.40s' is no phone number: expected + and 2 to 15 digits", number);
		return -EINVAL;
	}
	if (signalling_may_call(board->signalling, number))
		return 0;
	snprintf(why, DESK_WHY_SIZE, "%.40s may not be called", number);
	return -EACCES;
}

int desk_accept(
	struct switchboard *board, const char *agent, const char *id, char why[DESK_WHY_SIZE])
{
	struct contact *contact;
	struct agent_snapshot s;
	int rc = desk_find_contact(board, agent, id, &s, &contact, why);

	if (rc < 0)
		return rc;
	if (s.contact.state == AGENT_SLOT_ACCEPTED || contact->accepting)
		return 0;
	if (s.contact.state != AGENT_SLOT_OFFERED)
		return desk_refuse(why, -EINVAL, "the contact is not being offered");
	if (s.row->phone_kind == RESOURCE_PHONE_RING)
		return desk_refuse(why, -ENOTSUP, "the agent accepts by answering the phone");
	if (contact->state != CONTACT_OFFERED || contact->offer_agent != s.agent)
		return desk_refuse(why, -EAGAIN, "the offer has changed");
	contact->accepting = true;
	return router_accept(board->router, 0, contact->offer, board_now(board));
}

int desk_reject(
	struct switchboard *board, const char *agent, const char *id, char why[DESK_WHY_SIZE])
{
	struct contact *contact;
	struct agent_snapshot s;
	int rc = desk_find_contact(board, agent, id, &s, &contact, why);

	if (rc < 0)
		return rc;
	if (s.contact.state == AGENT_SLOT_MISSED)
		return 0;
	if (s.contact.state != AGENT_SLOT_OFFERED)
		return desk_refuse(why, -EINVAL, "the contact is not being offered");
	if (contact->state != CONTACT_OFFERED || contact->offer_agent != s.agent)
		return desk_refuse(why, -EAGAIN, "the offer has changed");
	return router_reject(board->router, 0, contact->offer, false, board_now(board));
}

int desk_leave(
	struct switchboard *board, const char *agent, const char *id, char why[DESK_WHY_SIZE])
{
	struct sip_end end = {0};
	struct contact *contact;
	struct agent_snapshot s;
	int rc = desk_find_agent(board, agent, &s, why);
	struct leg *supervising = rc < 0 ? NULL : supervising_leg(board, s.agent);

	if (supervising) {
		supervising_down(supervising, board_now(board));
		return 0;
	}
	rc = desk_find_contact(board, agent, id, &s, &contact, why);
	if (rc < 0)
		return rc;
	if (s.contact.state == AGENT_SLOT_ENDED)
		return 0;
	if (!contact->agent || contact->agent->agent != s.agent ||
		!(contact->agent->up || contact->dial_phone))
		return desk_refuse(why, -EINVAL, "the agent is not connected to the contact");
	offering_agent_leg_down(contact->agent, &end, board_now(board));
	return 0;
}

int desk_clear(struct switchboard *board, const char *agent, char why[DESK_WHY_SIZE])
{
	struct agent_snapshot s;
	int rc = desk_find_agent(board, agent, &s, why);

	if (rc < 0)
		return rc;
	rc = router_agent_clear(board->router, s.agent, board_now(board));
	if (rc == -EALREADY)
		return 0;
	return rc == -EBUSY ? desk_refuse(why, rc, "the contact is still live")
	       : rc < 0     ? desk_refuse(why, rc, strerror(-rc))
			    : 0;
}

int desk_end(struct switchboard *board, const char *id, char why[DESK_WHY_SIZE])
{
	struct contact *contact = board_find_contact(board, id);

	if (!contact)
		return desk_refuse(why, -ENOENT, "no such contact");
	if (contact->call && contact->call->talking)
		call_end(contact->call, CONTACT_REASON_OTHER, board_now(board));
	else
		board_end_contact(contact, CONTACT_REASON_OTHER, board_now(board));
	return 0;
}
