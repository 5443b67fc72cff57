/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "queue/router_state.h"

static const char *const request_names[] = {
#define X(name, word) [ROUTER_##name] = #word,
	ROUTER_REQUESTS(X)
#undef X
};

static const char *const result_texts[] = {
	[ROUTER_OK] = "done",
	[ROUTER_FULL] = "the queue is full",
	[ROUTER_UNKNOWN_QUEUE] = "no such queue",
	[ROUTER_UNKNOWN_CONTACT] = "the contact is not in a queue",
	[ROUTER_UNKNOWN_AGENT] = "no such agent",
	[ROUTER_DUPLICATE] = "the contact is in a queue already",
	[ROUTER_BEING_OFFERED] = "the contact is being offered to an agent",
	[ROUTER_AGENT_BARRED] = "the agent cannot be offered a contact",
	[ROUTER_STALE_OFFER] = "the offer is over",
	[ROUTER_NOT_ACCEPTED] = "no agent has accepted the contact",
	[ROUTER_NO_ROOM] = "too many contacts",
};

static const char *const why_texts[] = {
	[ROUTER_WHY_NONE] = "",
	[ROUTER_WHY_MISSED] = "not accepted in time",
	[ROUTER_WHY_REJECTED] = "rejected",
	[ROUTER_WHY_CONTACT_GONE] = "the contact is gone",
	[ROUTER_WHY_PHONE_LOST] = "the agent's phone is gone",
	[ROUTER_WHY_AGENT_LOGOUT] = "the agent logged out",
	[ROUTER_WHY_AGENT_FAILED] = "the agent's phone failed",
};

const char *router_request_name(enum router_request request)
{
	return request < sizeof(request_names) / sizeof(request_names[0]) ? request_names[request]
									  : "?";
}

const char *router_result_text(enum router_result result)
{
	return result < sizeof(result_texts) / sizeof(result_texts[0]) ? result_texts[result] : "?";
}

const char *router_why_text(enum router_why why)
{
	return why < sizeof(why_texts) / sizeof(why_texts[0]) ? why_texts[why] : "?";
}

/* ---- answers ---- */

static struct router_effect answer_to(
	enum router_request request, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	return (struct router_effect){
		.kind = ROUTER_ANSWER,
		.request = request,
		.at_ns = now_ns,
		.tag = tag,
		.contact = contact,
		.queue = ROUTER_NONE,
		.agent = ROUTER_NONE,
	};
}

static void answer(struct router *router, struct router_effect *effect, enum router_result result)
{
	effect->result = result;
	router_emit(router, effect);
}

static struct router_entry *find_entry(const struct router *router, router_contact contact)
{
	return map_get(&router->contacts, &contact, sizeof(contact));
}

static void describe(
	const struct router_entry *entry, struct router_effect *effect, uint64_t now_ns)
{
	effect->queue = entry->queue == ROUTER_NONE ? entry->through : entry->queue;
	effect->agent = entry->agent;
	effect->offer = entry->offer;
	effect->position = router_entry_position(entry);
	if (entry->queue != ROUTER_NONE)
		effect->waited_ns = queue_waited(&entry->member, now_ns);
}

/* The entry of an accepted contact, or NULL with the reason in *result. */
static struct router_entry *find_accepted(
	const struct router *router, router_contact contact, enum router_result *result)
{
	struct router_entry *entry = find_entry(router, contact);

	if (!entry)
		*result = ROUTER_UNKNOWN_CONTACT;
	else if (entry->state != ENTRY_ACCEPTED)
		*result = ROUTER_NOT_ACCEPTED;
	else
		return entry;
	return NULL;
}

/* The entry of a live offer; NULL when it is over. */
static struct router_entry *find_offer(const struct router *router, uint64_t offer)
{
	struct router_agent *agent =
		router_agent_at(router, (uint32_t)(offer & ((1u << OFFER_AGENT_BITS) - 1)));

	if (!agent || !agent->entry || agent->entry->offer != offer)
		return NULL;
	return agent->entry->state == ENTRY_OFFERED ? agent->entry : NULL;
}

/* ---- enqueue, move ---- */

static void on_timer(void *ctx, uint64_t now_ns)
{
	struct router_entry *entry = ctx;

	if (entry->state == ENTRY_OFFERED)
		router_return(entry, AGENT_MISS, ROUTER_WHY_MISSED, now_ns);
	else if (entry->state == ENTRY_WAITING)
		router_pair_entry(entry, now_ns);
}

static struct router_entry *entry_new(struct router *router, router_contact contact)
{
	struct router_entry *entry = pool_alloc(&router->entries, NULL);

	if (!entry)
		return NULL;
	entry->router = router;
	entry->contact = contact;
	entry->queue = entry->through = entry->agent = ROUTER_NONE;
	timer_init(&entry->timer, on_timer, entry);
	if (map_put(&router->contacts, &entry->contact, sizeof(entry->contact), entry)) {
		pool_free(&router->entries, entry);
		return NULL;
	}
	return entry;
}

static uint32_t limit_of(
	const struct router *router, const struct router_queue *queue, enum queue_via via)
{
	if (queue->agent != ROUTER_NONE) /* the vendor's overflow is for standard queues */
		return queue->queue.limit;
	return queue_limit_for(&queue->queue, via, router->config.overflow_percent);
}

/* Puts an entry that is in no queue into one, or says that it is full. */
static enum router_result take_place(
	struct router_entry *entry, struct router_queue *queue, enum queue_via via, uint64_t now_ns)
{
	struct router *router = entry->router;

	if (queue_enqueue(&queue->queue, &entry->member, limit_of(router, queue, via),
		    router_entry_priority(entry, queue), entry->age_ns, ++router->sequence, now_ns))
		return ROUTER_FULL;
	entry->queue = queue->number;
	entry->criteria_since_ns = now_ns;
	return ROUTER_OK;
}

static void describe_queue(struct router *router, const struct router_queue *queue,
	enum queue_via via, struct router_effect *effect)
{
	effect->queue = queue->number;
	effect->members = queue_count(&queue->queue);
	effect->limit = limit_of(router, queue, via);
}

static enum router_result enqueue(struct router *router, const struct router_enqueue *request,
	struct router_queue *queue, uint64_t now_ns, struct router_entry **out)
{
	struct router_entry *entry;

	if (find_entry(router, request->contact))
		return ROUTER_DUPLICATE;
	entry = entry_new(router, request->contact);
	if (!entry)
		return ROUTER_NO_ROOM;
	entry->priority = request->priority;
	entry->age_ns = request->age_ns;
	entry->member.callback = request->callback;
	if (take_place(entry, queue, request->via, now_ns) != ROUTER_OK) {
		router_entry_free(entry);
		return ROUTER_FULL;
	}
	entry->criteria = criteria_hold(request->criteria);
	*out = entry;
	return ROUTER_OK;
}

int router_enqueue(struct router *router, const struct router_enqueue *request, uint64_t now_ns)
{
	struct router_effect effect =
		answer_to(ROUTER_ENQUEUE, request->tag, request->contact, now_ns);
	struct router_queue *queue = router_queue_at(router, request->queue);
	struct router_entry *entry = NULL;
	enum router_result result = ROUTER_UNKNOWN_QUEUE;

	if (request->contact == 0)
		return -EINVAL;
	if (queue && !queue->closed) {
		result = enqueue(router, request, queue, now_ns, &entry);
		describe_queue(router, queue, request->via, &effect);
	}
	if (entry)
		effect.position = router_entry_position(entry);
	answer(router, &effect, result);
	if (entry)
		router_pair_entry(entry, now_ns);
	return 0;
}

static enum router_result move(
	struct router_entry *entry, struct router_queue *queue, uint64_t now_ns)
{
	struct router *router = entry->router;
	struct queue *old = &router->queues[entry->queue]->queue;

	if (entry->queue == queue->number)
		return ROUTER_OK;
	if (queue_count(&queue->queue) >= limit_of(router, queue, QUEUE_VIA_MOVE)) {
		queue->queue.figures.refused_full++;
		return ROUTER_FULL;
	}
	queue_remove(old, &entry->member, QUEUE_MOVED, now_ns);
	CHECK(take_place(entry, queue, QUEUE_VIA_MOVE, now_ns) == ROUTER_OK);
	return ROUTER_OK;
}

int router_move(struct router *router, uint64_t tag, router_contact contact, uint32_t number,
	uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_MOVE, tag, contact, now_ns);
	struct router_queue *queue = router_queue_at(router, number);
	struct router_entry *entry = find_entry(router, contact);
	enum router_result result;

	if (!entry)
		result = ROUTER_UNKNOWN_CONTACT;
	else if (entry->state != ENTRY_WAITING)
		result = ROUTER_BEING_OFFERED;
	else if (!queue || queue->closed)
		result = ROUTER_UNKNOWN_QUEUE;
	else
		result = move(entry, queue, now_ns);
	if (entry)
		describe(entry, &effect, now_ns);
	if (result == ROUTER_OK || result == ROUTER_FULL)
		describe_queue(router, queue, QUEUE_VIA_MOVE, &effect);
	answer(router, &effect, result);
	if (result == ROUTER_OK)
		router_pair_entry(entry, now_ns);
	return 0;
}

/* ---- leaving ---- */

/* Frees an entry, out of its queue if it is in one. */
static void leave(struct router_entry *entry, enum queue_exit how, uint64_t now_ns)
{
	if (entry->queue != ROUTER_NONE)
		queue_remove(
			&entry->router->queues[entry->queue]->queue, &entry->member, how, now_ns);
	router_entry_free(entry);
}

/* Parts an agent from a contact that is being removed. */
static void part(struct router_entry *entry, struct router_agent *agent, uint64_t now_ns)
{
	bool offered = entry->state == ENTRY_OFFERED;
	struct router_effect effect = answer_to(0, 0, entry->contact, now_ns);

	describe(entry, &effect, now_ns);
	effect.kind = ROUTER_WITHDRAW;
	effect.why = ROUTER_WHY_CONTACT_GONE;
	if (offered)
		router_emit(entry->router, &effect);
	agent->entry = NULL;
	router_agent_event(agent, offered ? AGENT_WITHDRAW : AGENT_END, NULL, now_ns);
}

int router_remove(struct router *router, uint64_t tag, router_contact contact, enum queue_exit how,
	uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_REMOVE, tag, contact, now_ns);
	struct router_entry *entry = find_entry(router, contact);
	struct router_agent *agent = NULL;

	if (!entry) {
		answer(router, &effect, ROUTER_UNKNOWN_CONTACT);
		return 0;
	}
	describe(entry, &effect, now_ns);
	if (entry->agent != ROUTER_NONE) {
		agent = router->agents[entry->agent];
		part(entry, agent, now_ns);
	}
	leave(entry, how, now_ns);
	answer(router, &effect, ROUTER_OK);
	if (agent)
		router_pair_agent(agent, now_ns);
	return 0;
}

static void dequeue(struct router_entry *entry, uint64_t now_ns)
{
	struct router *router = entry->router;
	struct router_effect effect = answer_to(0, 0, entry->contact, now_ns);

	describe(entry, &effect, now_ns);
	effect.kind = ROUTER_DEQUEUED;
	router->agents[entry->agent]->entry = NULL;
	leave(entry, QUEUE_ANSWERED, now_ns);
	router_emit(router, &effect);
}

int router_dequeue(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_DEQUEUE, tag, contact, now_ns);
	enum router_result result = ROUTER_OK;
	struct router_entry *entry = find_accepted(router, contact, &result);

	if (entry)
		describe(entry, &effect, now_ns);
	answer(router, &effect, result);
	if (entry)
		dequeue(entry, now_ns);
	return 0;
}

/* ---- order ---- */

int router_set_priority(struct router *router, uint64_t tag, router_contact contact,
	uint32_t priority, int64_t age_ns, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_SET_PRIORITY, tag, contact, now_ns);
	struct router_entry *entry = find_entry(router, contact);

	if (!entry || entry->queue == ROUTER_NONE) {
		answer(router, &effect, ROUTER_UNKNOWN_CONTACT);
		return 0;
	}
	entry->priority = priority;
	entry->age_ns = age_ns;
	queue_reorder(&router->queues[entry->queue]->queue, &entry->member,
		router_entry_priority(entry, router->queues[entry->queue]), age_ns);
	describe(entry, &effect, now_ns);
	answer(router, &effect, ROUTER_OK);
	return 0;
}

int router_set_criteria(struct router *router, uint64_t tag, router_contact contact,
	struct criteria *criteria, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_SET_CRITERIA, tag, contact, now_ns);
	struct router_entry *entry = find_entry(router, contact);

	if (!entry || entry->queue == ROUTER_NONE) {
		answer(router, &effect, ROUTER_UNKNOWN_CONTACT);
		return 0;
	}
	criteria_hold(criteria);
	criteria_release(entry->criteria);
	entry->criteria = criteria;
	entry->criteria_since_ns = now_ns;
	describe(entry, &effect, now_ns);
	answer(router, &effect, ROUTER_OK);
	if (entry->state == ENTRY_WAITING)
		router_pair_entry(entry, now_ns);
	return 0;
}

/* ---- parking ---- */

int router_park(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_PARK, tag, contact, now_ns);
	struct router_entry *entry = find_entry(router, contact);

	if (!entry || entry->queue == ROUTER_NONE || entry->state > ENTRY_PARKED) {
		answer(router, &effect, entry ? ROUTER_BEING_OFFERED : ROUTER_UNKNOWN_CONTACT);
		return 0;
	}
	if (entry->state == ENTRY_WAITING) {
		timers_cancel(router->timers, &entry->timer);
		queue_hold(&router->queues[entry->queue]->queue, &entry->member, true);
		entry->state = ENTRY_PARKED;
	}
	describe(entry, &effect, now_ns);
	answer(router, &effect, ROUTER_OK);
	return 0;
}

int router_unpark(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_UNPARK, tag, contact, now_ns);
	struct router_entry *entry = find_entry(router, contact);
	bool parked = entry && entry->state == ENTRY_PARKED;

	if (parked) {
		queue_hold(&router->queues[entry->queue]->queue, &entry->member, false);
		entry->state = ENTRY_WAITING;
	}
	if (entry)
		describe(entry, &effect, now_ns);
	answer(router, &effect, entry ? ROUTER_OK : ROUTER_UNKNOWN_CONTACT);
	if (parked)
		router_pair_entry(entry, now_ns);
	return 0;
}

/* ---- offers ---- */

/* Whether the agent can be offered a contact directly; ends after-contact work if that is all that
 * is in the way. */
static enum agent_bar make_free(struct router_agent *agent, uint64_t now_ns)
{
	enum agent_bar bar = agent_bar(&agent->agent);
	const struct agent *a = &agent->agent;

	if (bar != AGENT_BAR_AFTER_CONTACT)
		return bar;
	if (a->status->type != RESOURCE_STATUS_ROUTABLE)
		return AGENT_BAR_STATUS;
	if (!a->phone_ready)
		return AGENT_BAR_PHONE;
	router_agent_event(agent, AGENT_CLEAR, NULL, now_ns);
	return agent_bar(&agent->agent);
}

static enum router_result offer_direct(struct router *router, router_contact contact,
	struct router_agent *agent, uint32_t through, struct router_effect *effect, uint64_t now_ns)
{
	struct router_entry *entry;

	if (find_entry(router, contact))
		return ROUTER_DUPLICATE;
	entry = entry_new(router, contact);
	if (!entry)
		return ROUTER_NO_ROOM;
	effect->bar = make_free(agent, now_ns);
	if (effect->bar != AGENT_ROUTABLE) {
		router_entry_free(entry);
		return ROUTER_AGENT_BARRED;
	}
	entry->through = through;
	return ROUTER_OK;
}

int router_offer_agent(struct router *router, uint64_t tag, router_contact contact, uint32_t number,
	uint32_t through, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_OFFER_AGENT, tag, contact, now_ns);
	struct router_agent *agent = router_agent_at(router, number);
	enum router_result result = ROUTER_UNKNOWN_AGENT;

	if (contact == 0)
		return -EINVAL;
	effect.queue = through;
	effect.agent = number;
	if (agent)
		result = offer_direct(router, contact, agent, through, &effect, now_ns);
	answer(router, &effect, result);
	if (result == ROUTER_OK)
		router_start_offer(find_entry(router, contact), agent, now_ns);
	return 0;
}

int router_accept(struct router *router, uint64_t tag, uint64_t offer, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_ACCEPT, tag, 0, now_ns);
	struct router_entry *entry = find_offer(router, offer);

	effect.offer = offer;
	if (!entry) {
		answer(router, &effect, ROUTER_STALE_OFFER);
		return 0;
	}
	effect.contact = entry->contact;
	describe(entry, &effect, now_ns);
	timers_cancel(router->timers, &entry->timer);
	entry->state = ENTRY_ACCEPTED;
	answer(router, &effect, ROUTER_OK);
	router_agent_event(router->agents[entry->agent], AGENT_ACCEPT, NULL, now_ns);
	if (entry->member.callback)
		dequeue(entry, now_ns);
	return 0;
}

int router_reject(struct router *router, uint64_t tag, uint64_t offer, bool failed, uint64_t now_ns)
{
	struct router_effect effect = answer_to(ROUTER_REJECT, tag, 0, now_ns);
	struct router_entry *entry = find_offer(router, offer);

	effect.offer = offer;
	if (!entry) {
		answer(router, &effect, ROUTER_STALE_OFFER);
		return 0;
	}
	effect.contact = entry->contact;
	describe(entry, &effect, now_ns);
	answer(router, &effect, ROUTER_OK);
	router_return(entry, failed ? AGENT_FAIL : AGENT_REJECT,
		failed ? ROUTER_WHY_AGENT_FAILED : ROUTER_WHY_REJECTED, now_ns);
	return 0;
}

static int lose_agent(struct router *router, struct router_effect effect, enum agent_event event,
	enum router_why why, uint64_t now_ns)
{
	enum router_result result = ROUTER_OK;
	struct router_entry *entry = find_accepted(router, effect.contact, &result);

	if (entry)
		describe(entry, &effect, now_ns);
	answer(router, &effect, result);
	if (entry)
		router_return(entry, event, why, now_ns);
	return 0;
}

int router_drop(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	return lose_agent(router, answer_to(ROUTER_DROP, tag, contact, now_ns), AGENT_FAIL,
		ROUTER_WHY_AGENT_FAILED, now_ns);
}

int router_miss(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns)
{
	return lose_agent(router, answer_to(ROUTER_MISS, tag, contact, now_ns), AGENT_MISS,
		ROUTER_WHY_MISSED, now_ns);
}

/* ---- questions ---- */

int router_place(
	struct router *router, router_contact contact, uint64_t now_ns, struct router_place *place)
{
	const struct router_entry *entry = find_entry(router, contact);

	if (!entry)
		return -ENOENT;
	*place = (struct router_place){
		.queue = entry->queue,
		.agent = entry->agent,
		.position = router_entry_position(entry),
		.offered = entry->state == ENTRY_OFFERED,
		.accepted = entry->state == ENTRY_ACCEPTED,
		.offer = entry->offer,
		.waited_ns = entry->queue == ROUTER_NONE ? 0 : queue_waited(&entry->member, now_ns),
	};
	return 0;
}

enum router_result router_capacity(const struct router *router, uint32_t number, enum queue_via via,
	uint32_t *members, uint32_t *limit)
{
	const struct router_queue *queue = router_queue_at(router, number);

	if (!queue || queue->closed)
		return ROUTER_UNKNOWN_QUEUE;
	*members = queue_count(&queue->queue);
	*limit = limit_of(router, queue, via);
	return *members < *limit ? ROUTER_OK : ROUTER_FULL;
}

int router_queue_metrics(const struct router *router, uint32_t number, uint64_t now_ns,
	struct metrics_queue *metrics)
{
	const struct router_queue *queue = router_queue_at(router, number);

	if (!queue)
		return -ENOENT;
	*metrics = (struct metrics_queue){
		.contacts = queue_count(&queue->queue),
		.callbacks = queue->queue.callbacks,
		.held = queue->queue.held,
		.limit = queue->queue.limit,
		.oldest_age_ns = queue_oldest_age(&queue->queue, now_ns),
		.figures = queue->queue.figures,
	};
	if (queue->agent != ROUTER_NONE)
		metrics_agents_add(&metrics->agents, router->agents[queue->agent]->classes);
	for (uint32_t i = 0; i < queue->lane_count; i++)
		metrics_agents_sum(
			&metrics->agents, &router->profiles[queue->lanes[i].profile].counts);
	return 0;
}

void router_agent_metrics(const struct router *router, struct metrics_agents *metrics)
{
	*metrics = router->totals;
}

int router_reset_figures(struct router *router, uint32_t number)
{
	struct router_queue *queue = router_queue_at(router, number);

	if (!queue)
		return -ENOENT;
	queue_reset_figures(&queue->queue);
	return 0;
}

int router_each_waiting(struct router *router, uint32_t number, uint32_t limit,
	void (*visit)(void *context, router_contact contact, uint64_t enqueued_at_ns),
	void *context)
{
	struct router_queue *queue = router_queue_at(router, number);
	struct order_node *node;

	if (!queue)
		return -ENOENT;
	node = order_first(&queue->queue.line);
	for (uint32_t i = 0; node && i < limit; i++) {
		const struct router_entry *entry =
			(const struct router_entry *)((char *)node -
						      offsetof(struct router_entry, member.node));
		visit(context, entry->contact, node->since_ns);
		node = order_next(&queue->queue.line, node);
	}
	return 0;
}

uint32_t router_contacts(const struct router *router)
{
	return pool_used(&router->entries);
}
