/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "queue/router_state.h"

enum { EFFECTS_FIRST_ROOM = 64 };

#define SECOND_NS 1000000000ULL

/* ---- effects ---- */

int router_effects_reserve(struct router *router, size_t count)
{
	size_t room = router->effect_room ? router->effect_room : EFFECTS_FIRST_ROOM;
	struct router_effect *effects;

	while (room < router->effect_count + count)
		room *= 2;
	if (room == router->effect_room)
		return 0;
	effects = calloc(room, sizeof(*effects));
	if (!effects)
		return -ENOMEM;
	for (size_t i = 0; i < router->effect_count; i++)
		effects[i] =
			router->effects[(router->effect_first + i) & (router->effect_room - 1)];
	free(router->effects);
	router->effects = effects;
	router->effect_room = room;
	router->effect_first = 0;
	return 0;
}

void router_emit(struct router *router, const struct router_effect *effect)
{
	size_t at;

	CHECK(router_effects_reserve(router, 1) == 0);
	at = (router->effect_first + router->effect_count) & (router->effect_room - 1);
	router->effects[at] = *effect;
	if (router->effect_count++ == 0 && router->wake)
		router->wake(router->wake_context);
}

void router_set_wake(struct router *router, void (*wake)(void *context), void *context)
{
	router->wake = wake;
	router->wake_context = context;
}

bool router_take_effect(struct router *router, struct router_effect *effect)
{
	if (router->effect_count == 0)
		return false;
	*effect = router->effects[router->effect_first];
	router->effect_first = (router->effect_first + 1) & (router->effect_room - 1);
	router->effect_count--;
	return true;
}

/* ---- what follows from a change of an agent ---- */

static struct order *line_of(struct router_agent *agent)
{
	return &agent->router->profiles[agent->profile].line;
}

void router_agent_unlist(struct router_agent *agent)
{
	struct router *router = agent->router;

	if (agent->in_line)
		order_remove(line_of(agent), &agent->node);
	agent->in_line = false;
	metrics_agents_subtract(&router->totals, agent->classes);
	if (agent->profile != ROUTER_NONE)
		metrics_agents_subtract(&router->profiles[agent->profile].counts, agent->classes);
	agent->classes = 0;
}

static void join_line(struct router_agent *agent)
{
	uint64_t since_ns = agent->agent.available_since_ns;

	if (agent->clock_ns != since_ns) {
		agent->clock_ns = since_ns;
		agent->node.sequence = ++agent->router->sequence;
	}
	agent->node.priority = 0;
	agent->node.moment_ns = (int64_t)since_ns;
	agent->node.since_ns = since_ns;
	agent->node.open = true;
	order_insert(line_of(agent), &agent->node);
	agent->in_line = true;
}

void router_agent_list(struct router_agent *agent)
{
	struct router *router = agent->router;

	agent->classes = metrics_classify(&agent->agent);
	metrics_agents_add(&router->totals, agent->classes);
	if (agent->profile == ROUTER_NONE)
		return;
	metrics_agents_add(&router->profiles[agent->profile].counts, agent->classes);
	if (agent_bar(&agent->agent) == AGENT_ROUTABLE)
		join_line(agent);
	else if (agent->agent.available_since_ns == 0)
		agent->clock_ns = 0;
}

static bool contact_same(const struct agent_contact *a, const struct agent_contact *b)
{
	return a->state == b->state && a->contact == b->contact && a->queue == b->queue &&
	       a->state_since_ns == b->state_since_ns;
}

static bool snapshot_same(const struct agent_snapshot *a, const struct agent_snapshot *b)
{
	return a->status == b->status && a->next == b->next && a->logged_in == b->logged_in &&
	       a->status_since_ns == b->status_since_ns && a->phone_ready == b->phone_ready &&
	       a->state == b->state && a->bar == b->bar && contact_same(&a->contact, &b->contact);
}

static void emit_change(
	struct router_agent *agent, const struct agent_snapshot *before, uint64_t now_ns)
{
	struct router_effect effect = {
		.kind = ROUTER_AGENT_CHANGED,
		.at_ns = now_ns,
		.agent = agent->agent.number,
		.queue = ROUTER_NONE,
		.before = *before,
	};

	agent_take_snapshot(&agent->agent, &effect.after);
	if (!snapshot_same(before, &effect.after))
		router_emit(agent->router, &effect);
}

static void set_acw_timer(struct router_agent *agent, uint64_t now_ns)
{
	const struct agent *a = &agent->agent;
	struct timers *timers = agent->router->timers;

	if (a->contact.state != AGENT_SLOT_ENDED || !a->row || a->row->acw_timeout_s == 0)
		timers_cancel(timers, &agent->acw);
	else if (!timer_is_set(&agent->acw))
		timers_set(timers, &agent->acw,
			a->contact.state_since_ns + a->row->acw_timeout_s * SECOND_NS);
}

void router_agent_follow(
	struct router_agent *agent, const struct agent_snapshot *before, uint64_t now_ns)
{
	struct agent_snapshot middle;

	emit_change(agent, before, now_ns);
	agent_take_snapshot(&agent->agent, &middle);
	if (agent_settle(&agent->agent, now_ns))
		emit_change(agent, &middle, now_ns);
	router_agent_unlist(agent);
	router_agent_list(agent);
	set_acw_timer(agent, now_ns);
}

void router_agent_event(struct router_agent *agent, enum agent_event event,
	const struct agent_contact *contact, uint64_t now_ns)
{
	struct agent_snapshot before;

	agent_take_snapshot(&agent->agent, &before);
	CHECK(agent_apply(&agent->agent, event, contact, now_ns) == 0);
	router_agent_follow(agent, &before, now_ns);
}

/* ---- offers ---- */

static struct router_effect effect_of(
	const struct router_entry *entry, enum router_effect_kind kind, uint64_t now_ns)
{
	return (struct router_effect){
		.kind = kind,
		.at_ns = now_ns,
		.contact = entry->contact,
		.queue = entry->queue == ROUTER_NONE ? entry->through : entry->queue,
		.agent = entry->agent,
		.offer = entry->offer,
		.waited_ns = entry->queue == ROUTER_NONE ? 0 : queue_waited(&entry->member, now_ns),
	};
}

static struct queue *queue_of(const struct router_entry *entry)
{
	return entry->queue == ROUTER_NONE ? NULL : &entry->router->queues[entry->queue]->queue;
}

void router_start_offer(struct router_entry *entry, struct router_agent *agent, uint64_t now_ns)
{
	struct router *router = entry->router;
	struct agent_contact contact = {
		.contact = entry->contact,
		.queue = entry->queue == ROUTER_NONE ? entry->through : entry->queue,
		.callback = entry->member.callback,
		.queued_at_ns = entry->queue == ROUTER_NONE ? 0 : entry->member.node.since_ns,
	};
	struct router_effect effect;

	CHECK(entry->state == ENTRY_WAITING && agent->entry == NULL);
	if (queue_of(entry))
		queue_hold(queue_of(entry), &entry->member, true);
	entry->state = ENTRY_OFFERED;
	entry->agent = agent->agent.number;
	entry->offer = ++router->offers << OFFER_AGENT_BITS | entry->agent;
	agent->entry = entry;
	timers_set(router->timers, &entry->timer, now_ns + router->config.offer_ns);
	effect = effect_of(entry, ROUTER_OFFER, now_ns);
	effect.deadline_ns = entry->timer.when_ns;
	router_emit(router, &effect);
	router_agent_event(agent, AGENT_OFFER, &contact, now_ns);
}

void router_entry_free(struct router_entry *entry)
{
	struct router *router = entry->router;

	timers_cancel(router->timers, &entry->timer);
	criteria_release(entry->criteria);
	CHECK(map_remove(&router->contacts, &entry->contact, sizeof(entry->contact)) == entry);
	pool_free(&router->entries, entry);
}

/* Says what becomes of a contact whose offer or acceptance is over, and frees a direct one. */
static void give_back(struct router_entry *entry, struct router_effect *effect, uint64_t now_ns)
{
	struct router *router = entry->router;

	effect->kind = entry->queue == ROUTER_NONE ? ROUTER_DIRECT_FAILED : ROUTER_RETURNED;
	effect->position = router_entry_position(entry);
	router_emit(router, effect);
	if (entry->queue == ROUTER_NONE)
		router_entry_free(entry);
	else
		router_pair_entry(entry, now_ns);
}

void router_return(
	struct router_entry *entry, enum agent_event event, enum router_why why, uint64_t now_ns)
{
	struct router *router = entry->router;
	struct router_agent *agent = router->agents[entry->agent];
	struct router_effect effect = effect_of(entry, ROUTER_WITHDRAW, now_ns);

	effect.why = why;
	timers_cancel(router->timers, &entry->timer);
	if (entry->state == ENTRY_OFFERED)
		router_emit(router, &effect);
	agent->entry = NULL;
	entry->state = ENTRY_WAITING;
	entry->agent = ROUTER_NONE;
	entry->offer = 0;
	if (queue_of(entry))
		queue_hold(queue_of(entry), &entry->member, false);
	router_agent_event(agent, event, NULL, now_ns);
	give_back(entry, &effect, now_ns);
}

/* ---- who gets whom ---- */

static struct router_entry *entry_of(struct queue_member *member)
{
	return (struct router_entry *)((char *)member - offsetof(struct router_entry, member));
}

/* The step of a contact's criteria that applies; the moment at which it ends. */
static uint32_t step_of(const struct router_entry *entry, uint64_t now_ns, uint64_t *ends_ns)
{
	uint64_t since_ns = entry->criteria_since_ns;
	uint32_t step =
		criteria_step(entry->criteria, now_ns > since_ns ? now_ns - since_ns : 0, ends_ns);

	if (*ends_ns != CRITERIA_FOREVER)
		*ends_ns += since_ns;
	return step;
}

bool router_criteria_met(
	const struct router_entry *entry, const struct router_agent *agent, uint64_t now_ns)
{
	uint64_t ends_ns;

	return !entry->criteria ||
	       criteria_match(entry->criteria, step_of(entry, now_ns, &ends_ns), agent->agent.row);
}

struct pairing {
	const struct router_agent *agent;
	const struct router_entry *entry;
	uint64_t now_ns;
};

static bool contact_fits(void *context, const struct order_node *node)
{
	const struct pairing *pairing = context;
	const struct router_entry *entry =
		(const struct router_entry *)((const char *)node -
					      offsetof(struct router_entry, member.node));

	return router_criteria_met(entry, pairing->agent, pairing->now_ns);
}

struct queue_member *router_pick(const struct router_agent *agent, struct router_queue *queue,
	uint64_t delay_ns, uint64_t now_ns)
{
	struct pairing pairing = {.agent = agent, .now_ns = now_ns};

	return queue_pick_fit(&queue->queue, delay_ns, now_ns, contact_fits, &pairing);
}

/* Contacts of one (priority, delay) are served as one line. */
static bool served_before(const struct order_node *a, const struct order_node *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->moment_ns != b->moment_ns)
		return a->moment_ns < b->moment_ns;
	return a->sequence < b->sequence;
}

static bool same_level(
	const struct resource_profile_queue *a, const struct resource_profile_queue *b)
{
	return a->priority == b->priority && a->delay_s == b->delay_s;
}

static struct queue_member *best_of_profile(const struct router_agent *agent, uint64_t now_ns)
{
	struct router *router = agent->router;
	const struct router_profile *profile = &router->profiles[agent->profile];
	const struct resource_profile_queue *lanes = profile->row->queues;
	struct queue_member *best = NULL;

	for (uint32_t i = 0; i < profile->row->queue_count; i++) {
		struct queue_member *member;
		if (best && !same_level(&lanes[i], &lanes[i - 1]))
			break;
		member = router_pick(agent, router->queues[profile->queues[i]],
			lanes[i].delay_s * SECOND_NS, now_ns);
		if (member && (!best || served_before(&member->node, &best->node)))
			best = member;
	}
	return best;
}

void router_pair_agent(struct router_agent *agent, uint64_t now_ns)
{
	struct router *router = agent->router;
	struct queue_member *member;

	if (agent_bar(&agent->agent) != AGENT_ROUTABLE)
		return;
	member = queue_pick(&router->queues[agent->queue]->queue, 0, now_ns);
	if (!member)
		member = best_of_profile(agent, now_ns);
	if (member)
		router_start_offer(entry_of(member), agent, now_ns);
}

static struct router_agent *agent_of(struct order_node *node)
{
	return (struct router_agent *)((char *)node - offsetof(struct router_agent, node));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool agent_fits(void *context, const struct order_node *node)
{
	const struct pairing *pairing = context;
	const struct router_agent *agent =
		(const struct router_agent *)((const char *)node -
					      offsetof(struct router_agent, node));

	return router_criteria_met(pairing->entry, agent, pairing->now_ns);
}

/* The longest available agent of a profile that the contact's criteria allow. */
static struct order_node *first_of_line(
	struct order *line, const struct router_entry *entry, uint64_t now_ns)
{
	struct pairing pairing = {.entry = entry, .now_ns = now_ns};

	return entry->criteria ? order_first_fit(line, UINT64_MAX, agent_fits, &pairing)
			       : order_first(line);
}

/* The longest available agent among the profiles whose delay is over; *next_ns is the moment of
 * the first that is not, or at which the step of the contact's criteria ends. */
static struct router_agent *longest_available(const struct router_queue *queue,
	const struct router_entry *entry, uint64_t now_ns, uint64_t *next_ns)
{
	struct order_node *best = NULL;

	*next_ns = CRITERIA_FOREVER;
	if (entry->criteria)
		step_of(entry, now_ns, next_ns);
	for (uint32_t i = 0; i < queue->lane_count; i++) {
		const struct router_lane *lane = &queue->lanes[i];
		struct order_node *first;
		if (queue_waited(&entry->member, now_ns) < lane->delay_ns) {
			*next_ns = earlier(*next_ns, entry->member.node.since_ns + lane->delay_ns);
			break;
		}
		first = first_of_line(&entry->router->profiles[lane->profile].line, entry, now_ns);
		if (first && (!best || served_before(first, best)))
			best = first;
	}
	return best ? agent_of(best) : NULL;
}

void router_pair_entry(struct router_entry *entry, uint64_t now_ns)
{
	struct router *router = entry->router;
	struct router_queue *queue = router->queues[entry->queue];
	struct router_agent *agent = NULL;
	uint64_t next_ns = TIMERS_NEVER;

	timers_cancel(router->timers, &entry->timer);
	if (queue->agent == ROUTER_NONE)
		agent = longest_available(queue, entry, now_ns, &next_ns);
	else if (agent_bar(&router->agents[queue->agent]->agent) == AGENT_ROUTABLE)
		agent = router->agents[queue->agent];
	if (agent)
		router_start_offer(entry, agent, now_ns);
	else if (next_ns != TIMERS_NEVER)
		timers_set(router->timers, &entry->timer, next_ns);
}
