/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router against a naive model: random events from a seed; the model learns from effects alone,
 * and judges each offer by looking at every contact and every agent. After each event: one place
 * for each contact, sizes within limits, ranks as a sort gives them, one offer for each agent and
 * contact, nobody free beside someone who could be served (bench_audit).
 *
 * Every third contact has one of a few criteria, with which the model judges by itself.
 *
 * A failure prints its seed; CORDBOARD_SEED runs that one alone.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum {
	AGENTS = 12,
	QUEUES = 5,
	CONTACTS = 60,
	SEEDS = 150,
	STEPS = 1500,
	CRITERIA = 4,
	INSTANCE_LIMIT = 25,
	OVERFLOW = 20,
};

/* A contact's place as the effects tell it. */
struct model_contact {
	enum { OUTSIDE, WAITING, OFFERED, ACCEPTED } state;
	bool direct, callback;
	uint32_t queue, agent, priority;
	int64_t age_ns;
	uint64_t since_ns, sequence, offer;
	int criteria; /* one more than its number; 0: none */
	uint64_t criteria_since_ns;
};

struct model_agent {
	bool routable;
	bool paused; /* being offered: the clock goes on when the offer is withdrawn */
	uint64_t since_ns, sequence;
	router_contact offered;
};

struct model {
	struct bench bench;
	struct random random;
	struct model_contact contacts[CONTACTS + 1]; /* by key */
	struct model_agent agents[AGENTS];
	uint64_t load; /* of 20 events, how many are contacts' */
	uint64_t sequence;
	uint64_t offers, answered, refused;
	struct router_enqueue enqueue; /* the last request, until its answer */
};

static const struct support_texts texts = {{
	[RESOURCE_QUEUE] = "queues:\n"
			   "  - {name: Q0, max_contacts: 4}\n"
			   "  - {name: Q1, priority: 3}\n"
			   "  - {name: Q2, max_contacts: 10}\n"
			   "  - {name: Q3}\n"
			   "  - {name: Q4, max_contacts: 1}\n",
	[RESOURCE_STATUS] = "statuses: [{name: Lunch}]\n",
	[RESOURCE_ROUTING_PROFILE] =
		"routing_profiles:\n"
		"  - {name: P0, queues: [{queue: Q0, priority: 1}, {queue: Q1, priority: 1},\n"
		"     {queue: Q2, priority: 2}]}\n"
		"  - {name: P1, queues: [{queue: Q1, priority: 1, delay_seconds: 7},\n"
		"     {queue: Q3, priority: 1}, {queue: Q0, priority: 3, delay_seconds: 2}]}\n"
		"  - {name: P2, queues: [{queue: Q4, priority: 5}, {queue: Q2, priority: 5},\n"
		"     {queue: Q3, priority: 4, delay_seconds: 30}]}\n"
		"  - {name: P3, queues: []}\n",
}};

/* Criteria as pairs, and what the model knows of them: a step needs a skill, then the next. */
static const struct {
	const char *value[2], *level[2], *seconds[2];
} wishes[CRITERIA] = {
	{{"Italian"}, {"3"}, {"6"}},
	{{"Italian", "German"}, {"5", "1"}, {"3", "9"}},
	{{"German"}, {"2"}, {NULL}},
	{{"Klingon", "Italian"}, {"1", "2"}, {"4", "2"}},
};

static struct criteria *criteria[CRITERIA];

static char agents_text[AGENTS * 320];

static void write_agents(void)
{
	size_t length = (size_t)snprintf(agents_text, sizeof(agents_text), "agents:\n");

	for (int i = 0; i < AGENTS; i++)
		length += (size_t)snprintf(agents_text + length, sizeof(agents_text) - length,
			"  - {user: a%d, first_name: A, last_name: %d, routing_profile: P%d,\n"
			"     security_profile: %s, after_contact_seconds: %d,\n"
			"     proficiencies: [{attribute: Language, value: %s, level: %d}],\n"
			"     phone: {kind: ring, register: a%d, password: x}}\n",
			i, i, i == AGENTS - 1 ? 3 : i % 3, i == 5 ? "QualityAnalyst" : "Agent",
			i % 2 ? 9 : 0, i % 4 < 2 ? "Italian" : "German", 1 + i % 5, i);
}

static void set_part(struct criteria *one, int step, const char *part, const char *value)
{
	char place[100], wrong[CRITERIA_WRONG_SIZE];

	snprintf(place, sizeof(place), "Steps[%d].%s", step, part);
	assert_int_equal(criteria_set(one, place, value, wrong), 0);
}

static void make_criteria(void)
{
	char wrong[CRITERIA_WRONG_SIZE];

	for (int i = 0; i < CRITERIA; i++) {
		criteria[i] = criteria_new();
		for (int step = 0; step < 2 && wishes[i].value[step]; step++) {
#define PART "Expression.AttributeCondition."
			set_part(criteria[i], step, PART "Name", "Language");
			set_part(criteria[i], step, PART "Value", wishes[i].value[step]);
			set_part(criteria[i], step, PART "ProficiencyLevel", wishes[i].level[step]);
			set_part(criteria[i], step, PART "ComparisonOperator",
				"NumberGreaterOrEqualTo");
#undef PART
			if (wishes[i].seconds[step])
				set_part(criteria[i], step, "Expiry.DurationInSeconds",
					wishes[i].seconds[step]);
		}
		assert_int_equal(criteria_finish(criteria[i], wrong), 0);
	}
}

/* ---- the model's judgement ---- */

/* Whether an agent is what a contact asks for; `late`: as it was a nanosecond ago. */
static bool is_wished_for(const struct model *m, const struct model_contact *c, uint32_t agent,
	uint64_t now, bool late)
{
	const struct resource_proficiency *skill =
		router_agent_row(m->bench.router, agent)->proficiencies;
	uint64_t waited = now - c->criteria_since_ns, end = 0;

	waited -= late && waited > 0;
	for (int step = 0; c->criteria && step < 2 && wishes[c->criteria - 1].value[step]; step++) {
		const char *seconds = wishes[c->criteria - 1].seconds[step];
		end += seconds ? (uint64_t)(*seconds - '0') * SECOND : 0;
		if (!seconds || waited < end)
			return strcmp(skill->value, wishes[c->criteria - 1].value[step]) == 0 &&
			       skill->level >=
				       (uint32_t)(*wishes[c->criteria - 1].level[step] - '0');
	}
	return true;
}

static uint32_t limit_of(const struct model *m, uint32_t queue, enum queue_via via)
{
	const struct resource_queue *row = router_queue_row(m->bench.router, queue);
	uint32_t limit = row && row->contacts_max ? row->contacts_max : INSTANCE_LIMIT;

	if (!row)
		return RESOURCE_AGENT_QUEUE_LIMIT;
	return via == QUEUE_VIA_FLOW ? limit : limit + limit * OVERFLOW / 100;
}

static uint32_t members(const struct model *m, uint32_t queue)
{
	uint32_t count = 0;

	for (int i = 1; i <= CONTACTS; i++)
		count += m->contacts[i].state != OUTSIDE && !m->contacts[i].direct &&
			 m->contacts[i].queue == queue;
	return count;
}

/* What a contact is to an agent: own queue first, then priority, then delay. */
struct level {
	bool eligible;
	uint32_t own, priority, delay_s;
};

static struct level level_of(const struct model *m, const struct model_contact *c, uint32_t agent,
	uint64_t now, bool exact)
{
	const struct resource_routing_profile *profile =
		router_agent_row(m->bench.router, agent)->routing_profile;
	struct level none = {0};

	if (c->state != WAITING || c->direct)
		return none;
	if (c->queue == router_agent_queue(m->bench.router, agent))
		return (struct level){true, 0, 0, 0};
	for (uint32_t i = 0; i < profile->queue_count; i++) {
		const struct resource_profile_queue *q = &profile->queues[i];
		uint64_t delay = q->delay_s * SECOND;
		if (router_queue_of(m->bench.router, q->queue) != c->queue)
			continue;
		/* A delay that is over in this very nanosecond may not have been seen yet. */
		if (now - c->since_ns < delay || (!exact && delay && now - c->since_ns == delay))
			return none;
		/* Nor may the end of a step. */
		if (!is_wished_for(m, c, agent, now, false) ||
			(!exact && !is_wished_for(m, c, agent, now, true)))
			return none;
		return (struct level){true, 1, q->priority, q->delay_s};
	}
	return none;
}

static bool contact_before(const struct model_contact *a, const struct model_contact *b)
{
	int64_t moment_a = (int64_t)a->since_ns - a->age_ns;
	int64_t moment_b = (int64_t)b->since_ns - b->age_ns;

	if (a->priority != b->priority)
		return a->priority < b->priority;
	return moment_a != moment_b ? moment_a < moment_b : a->sequence < b->sequence;
}

static bool level_before(const struct level *a, const struct level *b)
{
	if (a->own != b->own)
		return a->own < b->own;
	return a->priority != b->priority ? a->priority < b->priority : a->delay_s < b->delay_s;
}

static void judge_contact(const struct model *m, const struct router_effect *offer)
{
	const struct model_contact *chosen = &m->contacts[offer->contact];
	struct level level = level_of(m, chosen, offer->agent, offer->at_ns, true);

	assert_true(level.eligible);
	for (int i = 1; i <= CONTACTS; i++) {
		const struct model_contact *c = &m->contacts[i];
		struct level other = level_of(m, c, offer->agent, offer->at_ns, false);
		if (!other.eligible || c == chosen)
			continue;
		assert_false(level_before(&other, &level));
		if (!level_before(&level, &other))
			assert_false(contact_before(c, chosen));
	}
}

static void judge_agent(const struct model *m, const struct router_effect *offer)
{
	const struct model_contact *c = &m->contacts[offer->contact];
	const struct model_agent *chosen = &m->agents[offer->agent];

	for (uint32_t i = 0; i < AGENTS; i++) {
		const struct model_agent *a = &m->agents[i];
		if (!a->routable || !level_of(m, c, i, offer->at_ns, false).eligible)
			continue;
		assert_true(chosen->since_ns < a->since_ns ||
			    (chosen->since_ns == a->since_ns && chosen->sequence <= a->sequence));
	}
}

/* ---- learning from effects ---- */

static void learn_offer(struct model *m, const struct router_effect *effect)
{
	struct model_contact *c = &m->contacts[effect->contact];
	struct model_agent *a = &m->agents[effect->agent];

	assert_int_equal(c->state, WAITING);
	assert_int_equal(a->offered, 0);
	assert_true(a->routable);
	if (!c->direct) {
		judge_contact(m, effect);
		judge_agent(m, effect);
	}
	c->state = OFFERED;
	c->agent = effect->agent;
	c->offer = effect->offer;
	a->offered = effect->contact;
	m->offers++;
}

static void learn_agent(struct model *m, const struct router_effect *effect)
{
	struct model_agent *a = &m->agents[effect->agent];
	bool routable = effect->after.bar == AGENT_ROUTABLE;

	assert_int_equal(effect->before.agent, effect->agent);
	if (routable && !a->routable && !a->paused) {
		a->since_ns = effect->at_ns;
		a->sequence = ++m->sequence;
	}
	a->routable = routable;
	a->paused = effect->after.bar == AGENT_BAR_OFFERED;
}

static int enqueue_criteria;

static void learn_enqueued(struct model *m, const struct router_effect *effect)
{
	struct model_contact *c = &m->contacts[effect->contact];
	const struct resource_queue *row = router_queue_row(m->bench.router, m->enqueue.queue);
	bool full = members(m, m->enqueue.queue) >= limit_of(m, m->enqueue.queue, m->enqueue.via);

	if (c->state != OUTSIDE) {
		assert_int_equal(effect->result, ROUTER_DUPLICATE);
		return;
	}
	assert_int_equal(effect->result, full ? ROUTER_FULL : ROUTER_OK);
	m->refused += full;
	if (full)
		return;
	*c = (struct model_contact){
		.state = WAITING,
		.callback = m->enqueue.callback,
		.queue = m->enqueue.queue,
		.priority = m->enqueue.priority ? m->enqueue.priority
			    : row               ? row->priority
						: RESOURCE_PRIORITY_DEFAULT,
		.age_ns = m->enqueue.age_ns,
		.since_ns = effect->at_ns,
		.sequence = ++m->sequence,
		.criteria = enqueue_criteria,
		.criteria_since_ns = effect->at_ns,
	};
}

static void learn_moved(struct model *m, const struct router_effect *effect, uint32_t target,
	uint32_t asked_priority)
{
	struct model_contact *c = &m->contacts[effect->contact];
	const struct resource_queue *row = router_queue_row(m->bench.router, target);

	if (c->state == OUTSIDE) {
		assert_int_equal(effect->result, ROUTER_UNKNOWN_CONTACT);
	} else if (c->state != WAITING) {
		assert_int_equal(effect->result, ROUTER_BEING_OFFERED);
	} else if (c->queue == target) {
		assert_int_equal(effect->result, ROUTER_OK);
	} else if (members(m, target) >= limit_of(m, target, QUEUE_VIA_MOVE)) {
		assert_int_equal(effect->result, ROUTER_FULL);
		m->refused++;
	} else {
		assert_int_equal(effect->result, ROUTER_OK);
		c->queue = target;
		c->since_ns = c->criteria_since_ns = effect->at_ns;
		c->sequence = ++m->sequence;
		c->priority = asked_priority ? asked_priority
			      : row          ? row->priority
					     : RESOURCE_PRIORITY_DEFAULT;
	}
}

static uint32_t move_target, asked[CONTACTS + 1];
static struct model_contact changed_to;

static void learn_answer(struct model *m, const struct router_effect *effect)
{
	struct model_contact *c = &m->contacts[effect->contact];

	switch (effect->request) {
	case ROUTER_ENQUEUE:
		learn_enqueued(m, effect);
		if (effect->result == ROUTER_OK)
			asked[effect->contact] = m->enqueue.priority;
		break;
	case ROUTER_MOVE:
		learn_moved(m, effect, move_target, asked[effect->contact]);
		break;
	case ROUTER_REMOVE:
		assert_int_equal(effect->result == ROUTER_OK, c->state != OUTSIDE);
		if (effect->result == ROUTER_OK && c->state != WAITING)
			m->agents[c->agent].offered = 0;
		c->state = OUTSIDE;
		break;
	case ROUTER_SET_PRIORITY:
		if (effect->result == ROUTER_OK) {
			c->priority = changed_to.priority;
			c->age_ns = changed_to.age_ns;
			asked[effect->contact] = changed_to.priority;
		}
		break;
	case ROUTER_SET_CRITERIA:
		assert_int_equal(effect->result == ROUTER_OK, c->state != OUTSIDE && !c->direct);
		if (effect->result == ROUTER_OK) {
			c->criteria = changed_to.criteria;
			c->criteria_since_ns = effect->at_ns;
		}
		break;
	case ROUTER_OFFER_AGENT:
		if (effect->result == ROUTER_OK)
			*c = (struct model_contact){.state = WAITING, .direct = true};
		break;
	case ROUTER_ACCEPT:
		if (effect->result == ROUTER_OK)
			c->state = ACCEPTED;
		break;
	default:
		break;
	}
}

static void learn(struct model *m, const struct router_effect *effect)
{
	struct model_contact *c = &m->contacts[effect->contact];

	switch (effect->kind) {
	case ROUTER_ANSWER:
		learn_answer(m, effect);
		break;
	case ROUTER_OFFER:
		learn_offer(m, effect);
		break;
	case ROUTER_WITHDRAW:
		assert_int_equal(m->agents[effect->agent].offered, effect->contact);
		assert_true(c->state == OFFERED && c->offer == effect->offer);
		break;
	case ROUTER_RETURNED:
	case ROUTER_DIRECT_FAILED:
		m->agents[c->agent].offered = 0;
		assert_int_equal(c->direct, effect->kind == ROUTER_DIRECT_FAILED);
		c->state = c->direct ? OUTSIDE : WAITING;
		break;
	case ROUTER_DEQUEUED:
		assert_int_equal(c->state, ACCEPTED);
		m->agents[c->agent].offered = 0;
		c->state = OUTSIDE;
		m->answered++;
		break;
	case ROUTER_AGENT_CHANGED:
		learn_agent(m, effect);
		break;
	}
}

/* ---- what holds after every event ---- */

static void check_place(struct model *m, router_contact contact)
{
	const struct model_contact *c = &m->contacts[contact];
	struct router_place place;
	uint32_t rank = 1;

	if (c->state == OUTSIDE) {
		assert_int_equal(
			router_place(m->bench.router, contact, m->bench.now, &place), -ENOENT);
		return;
	}
	assert_int_equal(router_place(m->bench.router, contact, m->bench.now, &place), 0);
	assert_int_equal(place.offered, c->state == OFFERED);
	assert_int_equal(place.accepted, c->state == ACCEPTED);
	if (c->direct)
		return;
	assert_int_equal(place.queue, c->queue);
	for (int i = 1; i <= CONTACTS; i++) {
		const struct model_contact *o = &m->contacts[i];
		if (o != c && o->state != OUTSIDE && !o->direct && o->queue == c->queue)
			rank += contact_before(o, c);
	}
	assert_int_equal(place.position, rank);
}

static void settle(struct model *m)
{
	struct router_effect effect;
	struct metrics_queue metrics;
	uint32_t queue = (uint32_t)random_below(&m->random, router_queue_count(m->bench.router));

	while (router_take_effect(m->bench.router, &effect))
		learn(m, &effect);
	bench_audit(&m->bench);
	check_place(m, 1 + random_below(&m->random, CONTACTS));
	router_queue_metrics(m->bench.router, queue, m->bench.now, &metrics);
	assert_int_equal(metrics.contacts, members(m, queue));
	assert_true(metrics.contacts <= limit_of(m, queue, QUEUE_VIA_MOVE));
}

/* ---- events ---- */

static uint32_t any_queue(struct model *m)
{
	uint64_t which = random_below(&m->random, 10);
	char name[8];

	if (which == 9)
		return router_agent_queue(
			m->bench.router, (uint32_t)random_below(&m->random, AGENTS));
	snprintf(name, sizeof(name), "Q%u", (unsigned)(which % QUEUES));
	return bench_queue(&m->bench, name);
}

/* One in three: the number of criteria and one more; else 0. */
static int any_criteria(struct model *m)
{
	return random_below(&m->random, 3) ? 0 : 1 + (int)random_below(&m->random, CRITERIA);
}

static void event_of_contact(struct model *m, router_contact contact)
{
	struct model_contact *c = &m->contacts[contact];
	struct router *router = m->bench.router;
	uint64_t now = m->bench.now;

	switch (random_below(&m->random, 9)) {
	case 0:
	case 1:
	case 2:
		enqueue_criteria = any_criteria(m);
		m->enqueue = (struct router_enqueue){.contact = contact,
			.queue = any_queue(m),
			.via = (enum queue_via)random_below(&m->random, 4),
			.priority = random_below(&m->random, 3)
					    ? 0
					    : 1 + (uint32_t)random_below(&m->random, 9),
			.age_ns = random_below(&m->random, 4) ? 0
							      : (int64_t)random_below(&m->random,
									60) * (int64_t)SECOND -
									30 * (int64_t)SECOND,
			.callback = random_below(&m->random, 5) == 0,
			.criteria = enqueue_criteria ? criteria[enqueue_criteria - 1] : NULL};
		router_enqueue(router, &m->enqueue, now);
		break;
	case 3:
		move_target = any_queue(m);
		router_move(router, 0, contact, move_target, now);
		break;
	case 4:
		router_remove(router, 0, contact, QUEUE_ABANDONED, now);
		break;
	case 5:
		changed_to.priority = 1 + (uint32_t)random_below(&m->random, 9);
		changed_to.age_ns = (int64_t)random_below(&m->random, 50) * (int64_t)SECOND;
		if (c->state != OUTSIDE)
			router_set_priority(
				router, 0, contact, changed_to.priority, changed_to.age_ns, now);
		break;
	case 7:
		changed_to.criteria = any_criteria(m);
		router_set_criteria(router, 0, contact,
			changed_to.criteria ? criteria[changed_to.criteria - 1] : NULL, now);
		break;
	case 6:
		if (c->state == OUTSIDE)
			router_offer_agent(router, 0, contact,
				(uint32_t)random_below(&m->random, AGENTS), ROUTER_NONE, now);
		break;
	default:
		router_drop(router, 0, contact, now);
	}
}

/* What an agent does with the contact that is offered. */
static void event_of_offer(struct model *m, uint32_t agent)
{
	struct router *router = m->bench.router;
	uint64_t now = m->bench.now;
	struct model_contact *c;
	router_contact contact;

	for (uint32_t i = 0; i < AGENTS && m->agents[agent].offered == 0; i++)
		agent = (agent + 1) % AGENTS;
	contact = m->agents[agent].offered;
	c = &m->contacts[contact];
	if (contact == 0)
		return;
	if (c->state == OFFERED && random_below(&m->random, 6))
		router_accept(router, 0, c->offer, now);
	else if (c->state == OFFERED)
		router_reject(router, 0, c->offer, random_below(&m->random, 3) == 0, now);
	else if (random_below(&m->random, 8))
		router_dequeue(router, 0, contact, now);
	else if (random_below(&m->random, 2))
		router_miss(router, 0, contact, now);
	else
		router_drop(router, 0, contact, now);
}

/* What an agent does who works as told: back to Available with an empty slot. */
static void event_of_work(struct model *m, uint32_t agent)
{
	const struct resource_status *available = resources_available(m->bench.resources);
	struct router *router = m->bench.router;
	struct agent_snapshot snapshot;
	uint64_t now = m->bench.now;

	router_agent_snapshot(router, agent, &snapshot);
	if (!snapshot.logged_in)
		router_agent_login(router, agent, available, now);
	else if (snapshot.status != available || snapshot.next)
		router_agent_status(router, agent, available, now);
	else if (!snapshot.phone_ready)
		router_agent_phone(router, agent, true, now);
	else if (router_agent_clear(router, agent, now) == -EBUSY)
		router_agent_contact(router, agent, snapshot.contact.contact, AGENT_END, now);
}

static void event_of_agent(struct model *m, uint32_t agent)
{
	const struct resources *resources = m->bench.resources;
	struct router *router = m->bench.router;
	struct agent_snapshot snapshot;
	uint64_t now = m->bench.now;

	router_agent_snapshot(router, agent, &snapshot);
	switch (random_below(&m->random, 8)) {
	case 0:
		router_agent_logout(router, agent, now);
		break;
	case 1:
		router_agent_phone(router, agent, false, now);
		break;
	case 2:
		router_agent_status(
			router, agent, resources_status(resources, "Lunch", RESOURCE_BY_NAME), now);
		break;
	case 3:
		router_agent_status(router, agent, resources_offline(resources), now);
		break;
	case 4:
		router_agent_dial(router, agent, 1000 + agent, ROUTER_NONE, now);
		break;
	default:
		router_agent_contact(router, agent, snapshot.contact.contact,
			(enum agent_event)random_below(&m->random, AGENT_EVENT_COUNT), now);
	}
}

static void step(struct model *m)
{
	uint64_t what = random_below(&m->random, 20);

	if (what < m->load)
		event_of_contact(m, 1 + random_below(&m->random, CONTACTS));
	else if (what < 9)
		event_of_offer(m, (uint32_t)random_below(&m->random, AGENTS));
	else if (what < 16)
		event_of_work(m, (uint32_t)random_below(&m->random, AGENTS));
	else if (what < 17)
		event_of_agent(m, (uint32_t)random_below(&m->random, AGENTS));
	else if (what < 19)
		bench_run(&m->bench, m->bench.now + random_below(&m->random, 5 * SECOND));
	else
		bench_run(&m->bench, m->bench.now + SECOND * random_below(&m->random, 4));
	settle(m);
}

static uint64_t failing_seed;

static void run_seed(uint64_t seed, uint64_t totals[3])
{
	struct router_config config = {.contacts_max = 1000,
		.instance_limit = INSTANCE_LIMIT,
		.overflow_percent = OVERFLOW};
	struct support_texts all = texts;
	static struct model m;

	failing_seed = seed;
	memset(&m, 0, sizeof(m));
	memset(asked, 0, sizeof(asked));
	random_init_seed(&m.random, seed);
	m.load = 1 + 2 * (seed % 3);
	all.text[RESOURCE_AGENT] = agents_text;
	bench_start_with(&m.bench, &all, &config);
	for (int i = 0; i < STEPS; i++)
		step(&m);
	for (router_contact contact = 1; contact <= CONTACTS; contact++) {
		router_remove(m.bench.router, 0, contact, QUEUE_ABANDONED, m.bench.now);
		settle(&m);
	}
	assert_int_equal(router_contacts(m.bench.router), 0);
	bench_stop(&m.bench);
	totals[0] += m.offers;
	totals[1] += m.answered;
	totals[2] += m.refused;
	failing_seed = 0;
}

static void print_seed(void)
{
	if (failing_seed)
		fprintf(stderr, "failed with CORDBOARD_SEED=%llu\n",
			(unsigned long long)failing_seed);
}

static void the_router_equals_the_model(void **state)
{
	const char *one = getenv("CORDBOARD_SEED");
	uint64_t totals[3] = {0};

	if (one) {
		run_seed(strtoull(one, NULL, 10), totals);
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed, totals);
	print_message("%d runs: %llu offers, %llu answered, %llu refused as full\n", SEEDS,
		(unsigned long long)totals[0], (unsigned long long)totals[1],
		(unsigned long long)totals[2]);
	assert_true(totals[0] > SEEDS * 50 && totals[1] > SEEDS * 10 && totals[2] > SEEDS);
}

static int report_seed(void **state)
{
	print_seed();
	return 0;
}

/* ---- growth ---- */

static char *many_agents(uint32_t count)
{
	size_t room = (size_t)count * 200 + 100, length;
	char *text = malloc(room);

	length = (size_t)snprintf(text, room, "agents:\n");
	for (uint32_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, room - length,
			" - {user: a%u, first_name: A, last_name: B, routing_profile: P%u,"
			" security_profile: Agent, phone: {kind: ring, address: 'sip:a%u@b'}}\n",
			i, i % 3, i);
	return text;
}

/* Fills queues with contacts, lets agents come and serve; visits of ordered sets per event. */
static double visits_per_event(uint32_t contacts, uint32_t agents)
{
	struct router_config config = {.contacts_max = contacts, .instance_limit = contacts};
	struct support_texts all = texts;
	char *text = many_agents(agents);
	struct router_effect effect;
	struct bench bench;
	uint64_t before, events = 0;

	all.text[RESOURCE_QUEUE] =
		"queues: [{name: Q0}, {name: Q1}, {name: Q2}, {name: Q3}, {name: Q4}]\n";
	all.text[RESOURCE_AGENT] = text;
	bench_start_with(&bench, &all, &config);
	before = router_steps(bench.router);
	for (uint32_t i = 1; i <= contacts; i++, events++) {
		struct router_enqueue request = {.contact = i, .queue = i % 2};
		router_enqueue(bench.router, &request, ++bench.now);
		bench_drop_effects(&bench);
	}
	for (uint32_t a = 0; a < agents; a++, events++)
		router_agent_login(
			bench.router, a, resources_available(bench.resources), ++bench.now);
	while (router_take_effect(bench.router, &effect)) {
		if (effect.kind != ROUTER_OFFER)
			continue;
		router_accept(bench.router, 0, effect.offer, bench.now);
		router_dequeue(bench.router, 0, effect.contact, bench.now);
		router_agent_contact(
			bench.router, effect.agent, effect.contact, AGENT_END, bench.now);
		events += 4;
	}
	for (uint32_t i = 1; i <= contacts; i += contacts / 1000, events++)
		router_remove(bench.router, 0, i, QUEUE_ABANDONED, ++bench.now);
	before = router_steps(bench.router) - before;
	for (uint32_t i = 1; i <= contacts; i++)
		router_remove(bench.router, 0, i, QUEUE_ABANDONED, bench.now);
	router_destroy(bench.router);
	resources_destroy(bench.resources);
	timers_clear(&bench.timers);
	free(text);
	return (double)before / (double)events;
}

static void a_hundred_thousand_contacts_cost_a_logarithm(void **state)
{
	double small = visits_per_event(1000, 100), large = visits_per_event(100000, 10000);

	print_message("visits per event: %.1f with 1,000 contacts and 100 agents, %.1f with "
		      "100,000 and 10,000\n",
		small, large);
	assert_true(large < small * 2.5);
	assert_true(large < 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_router_equals_the_model, report_seed),
		cmocka_unit_test(a_hundred_thousand_contacts_cost_a_logarithm),
	};

	int rc;

	write_agents();
	make_criteria();
	rc = cmocka_run_group_tests_name("router_model", tests, NULL, NULL);
	for (int i = 0; i < CRITERIA; i++)
		criteria_release(criteria[i]);
	return rc;
}
