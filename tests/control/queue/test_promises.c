/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers and agents of other switches complain about, promised (field.md, pains 4, 5 and 6):
 * a random walk keeps a ledger of its own calls, as the legs tell it, and after every event compares
 * the agents with it. A failure prints its seed; CORDBOARD_SEED runs that one alone.
 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { AGENTS = 6, QUEUES = 2, CONTACTS = 20, SEEDS = 60, STEPS = 1200 };

/* Seconds of after-contact work; 0: until cleared. */
static const unsigned acw_s[AGENTS] = {0, 3, 10, 0, 7, 60};

/* How far a call is, by what was done with its legs. */
enum step { OUT, WAITS, RINGS, ACCEPTED, GREETED, TALKS, HELD };

struct entry {
	enum step step;
	uint32_t agent;
	uint64_t offer;
};

struct wrap {
	bool open;
	uint64_t since_ns;
};

struct walk {
	struct bench bench;
	struct random random;
	struct entry calls[CONTACTS + 1]; /* by key */
	struct wrap wraps[AGENTS];
	uint64_t seen[3]; /* what the promise under test was tried on */
};

static struct walk walk;
static char agents_text[AGENTS * 300];
static uint64_t failing_seed;

static const struct support_texts texts = {{
	[RESOURCE_QUEUE] = "queues: [{name: Q0, max_contacts: 4}, {name: Q1}]\n",
	[RESOURCE_STATUS] = "statuses: [{name: Lunch}]\n",
	[RESOURCE_ROUTING_PROFILE] =
		("routing_profiles:\n"
		 "  - {name: P0, queues: [{queue: Q0, priority: 1}, {queue: Q1, priority: 2}]}\n"
		 "  - {name: P1, queues: [{queue: Q1, priority: 1, delay_seconds: 2}]}\n"),
	[RESOURCE_AGENT] = agents_text,
}};

static void write_agents(void)
{
	size_t length = (size_t)snprintf(agents_text, sizeof(agents_text), "agents:\n");

	for (int i = 0; i < AGENTS; i++)
		length += (size_t)snprintf(agents_text + length, sizeof(agents_text) - length,
			"  - {user: a%d, first_name: A, last_name: B, routing_profile: P%d,\n"
			"     security_profile: Agent, after_contact_seconds: %u,\n"
			"     phone: {kind: ring, register: a%d, password: x}}\n",
			i, i % 2, acw_s[i], i);
}

static uint64_t dice(uint64_t sides)
{
	return random_below(&walk.random, sides);
}

static struct agent_snapshot snapshot(uint32_t agent)
{
	struct agent_snapshot s;

	assert_int_equal(router_agent_snapshot(walk.bench.router, agent, &s), 0);
	return s;
}

/* ---- the ledger, kept by effects and by what the walk itself does ---- */

static void wrap_ends(uint32_t agent)
{
	walk.wraps[agent].open = false;
}

static bool wrap_is_over(uint32_t agent)
{
	const struct wrap *wrap = &walk.wraps[agent];

	return !wrap->open ||
	       (acw_s[agent] && walk.bench.now >= wrap->since_ns + acw_s[agent] * SECOND);
}

static void take_effects(void)
{
	struct router_effect effect;

	while (router_take_effect(walk.bench.router, &effect)) {
		struct entry none = {0};
		struct entry *call = effect.contact ? &walk.calls[effect.contact] : &none;

		switch (effect.kind) {
		case ROUTER_OFFER:
			/* pain 5: a live call; pain 6: an agent who is done with the last one */
			assert_int_equal(call->step, WAITS);
			assert_true(wrap_is_over(effect.agent));
			*call = (struct entry){RINGS, effect.agent, effect.offer};
			walk.seen[0]++;
			break;
		case ROUTER_WITHDRAW:
			if (call->offer == effect.offer)
				call->agent = ROUTER_NONE;
			break;
		case ROUTER_RETURNED:
			*call = (struct entry){.step = WAITS, .agent = ROUTER_NONE};
			break;
		case ROUTER_DIRECT_FAILED:
			*call = (struct entry){.step = OUT, .agent = ROUTER_NONE};
			break;
		case ROUTER_ANSWER:
			if (effect.request == ROUTER_ENQUEUE ||
				effect.request == ROUTER_OFFER_AGENT)
				call->step = effect.result == ROUTER_OK ? WAITS : OUT;
			if (effect.request == ROUTER_OFFER_AGENT && effect.result == ROUTER_OK)
				wrap_ends(effect.agent);
			if (effect.request == ROUTER_ACCEPT && effect.result == ROUTER_OK)
				call->step = ACCEPTED;
			break;
		case ROUTER_DEQUEUED:
			call->step = GREETED;
			break;
		case ROUTER_AGENT_CHANGED:
			break;
		}
	}
}

/* ---- what may happen ---- */

static router_contact some_call(enum step step)
{
	router_contact first = 1 + dice(CONTACTS);

	for (unsigned i = 0; i < CONTACTS; i++) {
		router_contact contact = 1 + (first + i) % CONTACTS;

		if (walk.calls[contact].step == step)
			return contact;
	}
	return 0;
}

static void arrives(void)
{
	router_contact contact = some_call(OUT);
	struct router_enqueue request = {.contact = contact, .queue = (uint32_t)dice(QUEUES)};

	if (contact == 0)
		return;
	if (dice(6) == 0)
		request.queue = router_agent_queue(walk.bench.router, (uint32_t)dice(AGENTS));
	if (dice(8) == 0)
		router_offer_agent(walk.bench.router, 0, contact, (uint32_t)dice(AGENTS),
			ROUTER_NONE, walk.bench.now);
	else
		router_enqueue(walk.bench.router, &request, walk.bench.now);
}

/* The agent is in after-contact work now, unless another status was waiting for this moment. */
static void part_ends(router_contact contact, bool in_queue)
{
	struct entry *call = &walk.calls[contact];
	bool waiting = snapshot(call->agent).next;

	walk.wraps[call->agent] = (struct wrap){.open = !waiting, .since_ns = walk.bench.now};
	if (in_queue)
		router_remove(walk.bench.router, 0, contact, QUEUE_ABANDONED, walk.bench.now);
	else
		assert_int_equal(router_agent_contact(walk.bench.router, call->agent, contact,
					 AGENT_END, walk.bench.now),
			0);
	*call = (struct entry){.step = OUT, .agent = ROUTER_NONE};
}

/* The customer hangs up, wherever the call is. */
static void hangs_up(void)
{
	router_contact contact = 1 + dice(CONTACTS);
	struct entry *call = &walk.calls[contact];

	switch (call->step) {
	case OUT:
		break;
	case WAITS:
	case RINGS:
		router_remove(walk.bench.router, 0, contact, QUEUE_ABANDONED, walk.bench.now);
		*call = (struct entry){.step = OUT, .agent = ROUTER_NONE};
		walk.seen[1]++;
		break;
	default:
		part_ends(contact, call->step == ACCEPTED);
	}
}

static void goes_on(void)
{
	router_contact contact = 1 + dice(CONTACTS);
	struct entry *call = &walk.calls[contact];
	struct router *router = walk.bench.router;
	static const enum agent_event events[] = {
		[GREETED] = AGENT_CONNECT, [TALKS] = AGENT_HOLD, [HELD] = AGENT_RESUME};

	if (call->step == RINGS && dice(5) == 0)
		router_reject(router, 0, call->offer, dice(2), walk.bench.now);
	else if (call->step == RINGS)
		router_accept(router, 0, call->offer, walk.bench.now);
	else if (call->step == ACCEPTED && dice(5) == 0)
		router_drop(router, 0, contact, walk.bench.now);
	else if (call->step == ACCEPTED)
		router_dequeue(router, 0, contact, walk.bench.now);
	else if (call->step >= GREETED) {
		assert_int_equal(router_agent_contact(router, call->agent, contact,
					 events[call->step], walk.bench.now),
			0);
		call->step = call->step == TALKS ? HELD : TALKS;
	}
}

static void agent_does(void)
{
	struct router *router = walk.bench.router;
	uint32_t agent = (uint32_t)dice(AGENTS);
	const struct resource_status *lunch =
		resources_status(walk.bench.resources, "Lunch", RESOURCE_BY_NAME);

	switch (dice(7)) {
	case 0:
		router_agent_login(
			router, agent, resources_available(walk.bench.resources), walk.bench.now);
		break;
	case 1:
		if (router_agent_logout(router, agent, walk.bench.now) == 0)
			wrap_ends(agent);
		break;
	case 2:
		if (router_agent_clear(router, agent, walk.bench.now) == 0)
			wrap_ends(agent);
		break;
	case 3: /* no way out of after-contact work */
		router_agent_status(
			router, agent, resources_available(walk.bench.resources), walk.bench.now);
		break;
	case 4:
		if (router_agent_status(router, agent, lunch, walk.bench.now) == 0)
			wrap_ends(agent);
		break;
	case 5: /* nor does a phone that comes and goes end it, or begin it anew */
		router_agent_phone(router, agent, dice(4) > 0, walk.bench.now);
		break;
	case 6:
		assert_int_equal(router_reload(router, walk.bench.resources, walk.bench.now), 0);
		break;
	}
}

/* Often to the moment before a wrap-up's end, or to the end itself. */
static uint64_t next_moment(void)
{
	uint32_t agent = (uint32_t)dice(AGENTS);
	uint64_t end = walk.wraps[agent].since_ns + acw_s[agent] * SECOND;

	if (walk.wraps[agent].open && acw_s[agent] && end > walk.bench.now + 1 && dice(2))
		return dice(2) ? end : end - 1;
	return walk.bench.now + dice(2 * SECOND);
}

/* ---- the three promises ---- */

static void compare_states(void)
{
	static const enum agent_state expected[] = {[RINGS] = AGENT_OFFERED,
		[ACCEPTED] = AGENT_CONNECTING,
		[GREETED] = AGENT_CONNECTING,
		[TALKS] = AGENT_BUSY,
		[HELD] = AGENT_BUSY};
	struct metrics_agents counts;
	uint32_t busy = 0, engaged = 0;

	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct agent_snapshot s = snapshot(agent);
		router_contact mine = 0;

		for (router_contact c = 1; c <= CONTACTS; c++)
			if (walk.calls[c].step >= RINGS && walk.calls[c].agent == agent) {
				assert_int_equal(mine, 0);
				mine = c;
			}
		if (mine) {
			assert_int_equal(s.state, expected[walk.calls[mine].step]);
			assert_int_equal(s.contact.contact, mine);
			engaged++;
			busy += s.state == AGENT_BUSY;
			walk.seen[2]++;
		} else {
			assert_true(s.state != AGENT_OFFERED && s.state != AGENT_CONNECTING &&
				    s.state != AGENT_CALLING && s.state != AGENT_BUSY);
		}
	}
	router_agent_metrics(walk.bench.router, &counts);
	assert_true(counts.count[METRICS_AVAILABLE] <= AGENTS - engaged);
	assert_true(counts.count[METRICS_BUSY] >= busy);
}

/* Whoever rings or is rung for is alive, and of each call there is one. */
static void look_for_ghosts(void)
{
	for (router_contact c = 1; c <= CONTACTS; c++) {
		const struct entry *call = &walk.calls[c];
		struct router_place place;
		int rc = router_place(walk.bench.router, c, walk.bench.now, &place);

		assert_int_equal(rc == 0, call->step >= WAITS && call->step <= ACCEPTED);
		if (rc == 0)
			assert_true(place.offered == (call->step == RINGS) &&
				    place.accepted == (call->step == ACCEPTED));
	}
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		struct agent_snapshot s = snapshot(agent);

		if (s.state != AGENT_OFFERED)
			continue;
		assert_true(s.logged_in);
		assert_int_equal(walk.calls[s.contact.contact].step, RINGS);
		walk.seen[2]++;
	}
}

static void look_at_wraps(void)
{
	for (uint32_t agent = 0; agent < AGENTS; agent++) {
		bool over = wrap_is_over(agent);

		if (walk.wraps[agent].open) {
			walk.seen[over ? 1 : 2]++;
			assert_int_equal(snapshot(agent).state == AGENT_AFTER_CONTACT_WORK, !over);
		}
		if (over)
			wrap_ends(agent);
	}
}

static void run(uint64_t seed, void (*promise)(void))
{
	struct router_config config = {.contacts_max = 100, .instance_limit = 10};

	failing_seed = seed;
	memset(walk.calls, 0, sizeof(walk.calls));
	memset(walk.wraps, 0, sizeof(walk.wraps));
	bench_start_with(&walk.bench, &texts, &config);
	random_init_seed(&walk.random, seed);
	for (int step = 0; step < STEPS; step++) {
		static void (*const events[])(void) = {
			arrives, arrives, goes_on, goes_on, goes_on, goes_on, hangs_up, agent_does};

		events[dice(sizeof(events) / sizeof(events[0]))]();
		take_effects();
		promise();
		if (dice(3) == 0) {
			bench_run(&walk.bench, next_moment());
			take_effects();
			promise();
		}
	}
	bench_stop(&walk.bench);
	failing_seed = 0;
}

static void run_all(void (*promise)(void))
{
	const char *one = getenv("CORDBOARD_SEED");

	memset(walk.seen, 0, sizeof(walk.seen));
	if (one) {
		run(strtoull(one, NULL, 10), promise);
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(seed, promise);
	for (int i = 0; i < 3; i++)
		assert_true(walk.seen[i] > SEEDS * 10);
}

static void pain_4_agent_state_never_drifts_from_calls(void **state)
{
	run_all(compare_states);
}

static void pain_5_no_agent_rings_for_a_caller_who_is_gone(void **state)
{
	run_all(look_for_ghosts);
}

static void pain_6_wrap_up_is_honoured_by_one_clock(void **state)
{
	run_all(look_at_wraps);
}

static void print_seed(void)
{
	if (failing_seed)
		fprintf(stderr, "failed with CORDBOARD_SEED=%llu\n",
			(unsigned long long)failing_seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pain_4_agent_state_never_drifts_from_calls),
		cmocka_unit_test(pain_5_no_agent_rings_for_a_caller_who_is_gone),
		cmocka_unit_test(pain_6_wrap_up_is_honoured_by_one_clock),
	};

	write_agents();
	atexit(print_seed);
	return cmocka_run_group_tests_name("promises", tests, NULL, NULL);
}
