/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/metrics.h"

#include "base/check.h"

#define BIT(which) (1u << (which))

static const char *const names[METRICS_COUNT] = {
	[METRICS_ONLINE] = "online",
	[METRICS_STAFFED] = "staffed",
	[METRICS_AVAILABLE] = "available",
	[METRICS_ON_CONTACT] = "on_contact",
	[METRICS_BUSY] = "busy",
	[METRICS_AFTER_CONTACT] = "after_contact",
	[METRICS_NON_PRODUCTIVE] = "non_productive",
	[METRICS_MISSED] = "missed",
	[METRICS_ERROR] = "error",
};

/* What the voice slot's state adds. */
static const uint32_t slot_classes[AGENT_SLOT_COUNT] = {
	[AGENT_SLOT_ACCEPTED] = BIT(METRICS_ON_CONTACT) | BIT(METRICS_BUSY),
	[AGENT_SLOT_CALLING] = BIT(METRICS_ON_CONTACT) | BIT(METRICS_BUSY),
	[AGENT_SLOT_CONNECTED] = BIT(METRICS_ON_CONTACT) | BIT(METRICS_BUSY),
	[AGENT_SLOT_ONHOLD] = BIT(METRICS_ON_CONTACT) | BIT(METRICS_BUSY),
	[AGENT_SLOT_ENDED] = BIT(METRICS_ON_CONTACT) | BIT(METRICS_AFTER_CONTACT),
	[AGENT_SLOT_MISSED] = BIT(METRICS_MISSED) | BIT(METRICS_ERROR),
	[AGENT_SLOT_ERROR] = BIT(METRICS_ERROR),
};

const char *metrics_count_name(enum metrics_count which)
{
	return which < METRICS_COUNT ? names[which] : "?";
}

uint32_t metrics_classify(const struct agent *agent)
{
	uint32_t classes = slot_classes[agent->contact.state];

	if (!agent->logged_in)
		return 0;
	switch (agent->status->type) {
	case RESOURCE_STATUS_OFFLINE:
		return classes;
	case RESOURCE_STATUS_CUSTOM:
		classes |= BIT(METRICS_ONLINE) | BIT(METRICS_NON_PRODUCTIVE);
		break;
	case RESOURCE_STATUS_ROUTABLE:
		classes |= BIT(METRICS_ONLINE) | BIT(METRICS_STAFFED);
		break;
	}
	if (agent_bar(agent) == AGENT_ROUTABLE)
		classes |= BIT(METRICS_AVAILABLE);
	return classes;
}

void metrics_agents_add(struct metrics_agents *agents, uint32_t classes)
{
	for (uint32_t which = 0; which < METRICS_COUNT; which++)
		agents->count[which] += (classes >> which) & 1;
}

void metrics_agents_subtract(struct metrics_agents *agents, uint32_t classes)
{
	for (uint32_t which = 0; which < METRICS_COUNT; which++) {
		uint32_t one = (classes >> which) & 1;
		CHECK(agents->count[which] >= one);
		agents->count[which] -= one;
	}
}

void metrics_agents_sum(struct metrics_agents *total, const struct metrics_agents *part)
{
	for (uint32_t which = 0; which < METRICS_COUNT; which++)
		total->count[which] += part->count[which];
}

double metrics_service_level(const struct queue_figures *figures, uint32_t within_s)
{
	uint64_t all = figures->answered + figures->abandoned, within = 0;

	if (all == 0)
		return 100.0;
	for (uint32_t i = 0; i < QUEUE_WAIT_BUCKETS - 1 && queue_wait_bounds_s[i] <= within_s; i++)
		within += figures->answered_by_wait[i];
	return 100.0 * (double)within / (double)all;
}

uint64_t metrics_mean_answer_ns(const struct queue_figures *figures)
{
	return figures->answered ? figures->answered_wait_ns / figures->answered : 0;
}
