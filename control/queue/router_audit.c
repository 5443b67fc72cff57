/* SPDX-License-Identifier: Apache-2.0 */
/* Every invariant of the router, checked by looking at everything: for tests and simulations. */
#include <errno.h>
#include <stdlib.h>

#include "queue/router_state.h"

static const char *audit_entry(const struct router_entry *entry)
{
	const struct router *router = entry->router;
	const struct router_agent *agent = router_agent_at(router, entry->agent);

	if (entry->state == ENTRY_WAITING || entry->state == ENTRY_PARKED) {
		if (entry->agent != ROUTER_NONE || entry->queue == ROUTER_NONE)
			return "a waiting contact has an agent, or no queue";
		return entry->member.node.open == (entry->state == ENTRY_WAITING)
			       ? NULL
			       : "a waiting contact cannot be picked, or a parked one can";
	}
	if (!agent || agent->entry != entry)
		return "a contact is offered to an agent who does not know of it";
	if (agent->agent.contact.contact != entry->contact)
		return "an agent's slot holds another contact than the one offered";
	if (entry->queue != ROUTER_NONE && entry->member.node.open)
		return "a contact that is offered can be picked";
	if (entry->state == ENTRY_OFFERED)
		return agent->agent.contact.state == AGENT_SLOT_OFFERED &&
				       timer_is_set(&entry->timer)
			       ? NULL
			       : "an offer without its slot or timer";
	return agent->agent.contact.state == AGENT_SLOT_ACCEPTED ? NULL
								 : "an acceptance without its slot";
}

static const char *audit_agent(const struct router_agent *agent)
{
	bool routable = agent_bar(&agent->agent) == AGENT_ROUTABLE;

	if (agent->in_line != routable)
		return "an agent stands in line without being routable, or the reverse";
	if (agent->classes != metrics_classify(&agent->agent))
		return "an agent is counted as something else";
	if (agent->agent.contact.state == AGENT_SLOT_OFFERED && !agent->entry)
		return "an agent is offered nothing";
	if (agent->entry && agent->entry->agent != agent->agent.number)
		return "an agent holds another's contact";
	return NULL;
}

/* No routable agent is left with a contact that could be offered. */
static const char *audit_pairing(
	struct router *router, const struct router_agent *agent, uint64_t now_ns)
{
	const struct router_profile *profile;

	if (!agent->in_line)
		return NULL;
	if (queue_pick(&router->queues[agent->queue]->queue, 0, now_ns))
		return "a contact waits in the queue of an agent who is free";
	profile = &router->profiles[agent->profile];
	for (uint32_t i = 0; i < profile->row->queue_count; i++) {
		const struct router_queue *queue = router->queues[profile->queues[i]];
		uint64_t delay_ns = profile->row->queues[i].delay_s * 1000000000ULL;
		if (router_pick(agent, router->queues[queue->number], delay_ns, now_ns))
			return "a contact waits although an agent is free for it";
	}
	return NULL;
}

/* `members` counts, for each queue, the contacts that think they are in it. */
static const char *audit_queue(const struct router_queue *queue, uint32_t members)
{
	if (queue_count(&queue->queue) != members)
		return "a queue's size is not the number of its contacts";
	if (queue->queue.held > members || queue->queue.callbacks > members)
		return "a queue counts more held contacts or callbacks than contacts";
	if (queue->agent != ROUTER_NONE && members > RESOURCE_AGENT_QUEUE_LIMIT)
		return "an agent's own queue holds more than its limit";
	return NULL;
}

static const char *audit_entries(struct router *router, uint32_t *members)
{
	const char *problem = NULL;

	for (struct router_entry *entry = pool_next(&router->entries, NULL); entry && !problem;
		entry = pool_next(&router->entries, entry)) {
		if (entry->queue != ROUTER_NONE)
			members[entry->queue]++;
		problem = audit_entry(entry);
	}
	return problem;
}

int router_audit(struct router *router, uint64_t now_ns, const char **problem)
{
	struct metrics_agents totals = {0};
	uint32_t *members = calloc(router->queue_count + 1, sizeof(*members));

	*problem = members ? audit_entries(router, members) : "no memory";
	for (uint32_t i = 0; i < router->queue_count && !*problem; i++)
		*problem = audit_queue(router->queues[i], members[i]);
	for (uint32_t i = 0; i < router->agent_count && !*problem; i++) {
		*problem = audit_agent(router->agents[i]);
		if (!*problem)
			*problem = audit_pairing(router, router->agents[i], now_ns);
		metrics_agents_add(&totals, router->agents[i]->classes);
	}
	for (uint32_t which = 0; which < METRICS_COUNT && !*problem; which++)
		if (totals.count[which] != router->totals.count[which])
			*problem = "the totals of agents do not add up";
	free(members);
	return *problem ? -EINVAL : 0;
}
