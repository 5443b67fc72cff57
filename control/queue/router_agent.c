/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "queue/router_state.h"

int router_agent_login(struct router *router, uint32_t number, const struct resource_status *status,
	uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);
	struct agent_snapshot before;
	int rc;

	if (!agent)
		return -ENOENT;
	agent_take_snapshot(&agent->agent, &before);
	rc = agent_login(&agent->agent, status, now_ns);
	if (rc)
		return rc;
	router_agent_follow(agent, &before, now_ns);
	router_pair_agent(agent, now_ns);
	return 0;
}

int router_agent_logout(struct router *router, uint32_t number, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);
	struct agent_snapshot before;
	struct router_entry *offered = NULL;
	int rc;

	if (!agent)
		return -ENOENT;
	if (agent->entry && agent->entry->state == ENTRY_OFFERED)
		offered = agent->entry;
	if (offered) /* as missed: out of routing, so the contact goes to someone else */
		router_return(offered, AGENT_MISS, ROUTER_WHY_AGENT_LOGOUT, now_ns);
	agent_take_snapshot(&agent->agent, &before);
	rc = agent_logout(&agent->agent, now_ns);
	if (rc == 0)
		router_agent_follow(agent, &before, now_ns);
	return rc;
}

int router_agent_status(struct router *router, uint32_t number,
	const struct resource_status *status, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);
	struct agent_snapshot before;
	int rc;

	if (!agent)
		return -ENOENT;
	agent_take_snapshot(&agent->agent, &before);
	rc = agent_choose_status(&agent->agent, status, now_ns);
	if (rc)
		return rc;
	router_agent_follow(agent, &before, now_ns);
	router_pair_agent(agent, now_ns);
	return 0;
}

int router_agent_phone(struct router *router, uint32_t number, bool ready, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);
	struct agent_snapshot before;

	if (!agent)
		return -ENOENT;
	agent_take_snapshot(&agent->agent, &before);
	agent_set_phone(&agent->agent, ready, now_ns);
	router_agent_follow(agent, &before, now_ns);
	if (!agent->agent.phone_ready && agent->entry && agent->entry->state == ENTRY_OFFERED)
		router_return(agent->entry, AGENT_WITHDRAW, ROUTER_WHY_PHONE_LOST, now_ns);
	router_pair_agent(agent, now_ns);
	return 0;
}

static int may_dial(const struct agent *agent)
{
	if (!agent->logged_in)
		return -ENOTCONN;
	if (agent->removed || !resource_agent_may_take_calls(agent->row))
		return -EPERM;
	if (!agent->phone_ready)
		return -EHOSTUNREACH;
	if (agent_is_engaged(agent) || agent->contact.state == AGENT_SLOT_ENDED)
		return -EBUSY;
	return 0;
}

int router_agent_dial(struct router *router, uint32_t number, router_contact contact,
	uint32_t queue, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);
	struct agent_contact call = {.contact = contact, .queue = queue};
	int rc;

	if (!agent)
		return -ENOENT;
	if (contact == 0)
		return -EINVAL;
	rc = may_dial(&agent->agent);
	if (rc)
		return rc;
	if (agent->agent.contact.state != AGENT_SLOT_EMPTY)
		router_agent_event(agent, AGENT_CLEAR, NULL, now_ns);
	router_agent_event(agent, AGENT_DIAL, &call, now_ns);
	return 0;
}

/* Events that the switchboard may report of a contact which is out of the queue. */
static bool is_contact_event(enum agent_event event)
{
	return event == AGENT_DIAL || event == AGENT_CONNECT || event == AGENT_HOLD ||
	       event == AGENT_RESUME || event == AGENT_END || event == AGENT_FAIL;
}

int router_agent_contact(struct router *router, uint32_t number, router_contact contact,
	enum agent_event event, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);

	if (!agent || contact == 0 || agent->agent.contact.contact != contact)
		return -ENOENT;
	if (agent->entry || !is_contact_event(event) ||
		agent_slot_after(agent->agent.contact.state, event) == AGENT_SLOT_COUNT)
		return -EINVAL;
	router_agent_event(agent, event, NULL, now_ns);
	router_pair_agent(agent, now_ns);
	return 0;
}

int router_agent_clear(struct router *router, uint32_t number, uint64_t now_ns)
{
	struct router_agent *agent = router_agent_at(router, number);

	if (!agent)
		return -ENOENT;
	if (agent->agent.contact.state == AGENT_SLOT_EMPTY)
		return -EALREADY;
	if (agent_is_engaged(&agent->agent))
		return -EBUSY;
	router_agent_event(agent, AGENT_CLEAR, NULL, now_ns);
	router_pair_agent(agent, now_ns);
	return 0;
}

int router_agent_snapshot(
	const struct router *router, uint32_t number, struct agent_snapshot *snapshot)
{
	struct router_agent *agent = router_agent_at(router, number);

	if (!agent)
		return -ENOENT;
	agent_take_snapshot(&agent->agent, snapshot);
	return 0;
}
