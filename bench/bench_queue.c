/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_queue [--smoke]: the router alone, with so many contacts waiting and so many agents logged in:
 *
 *     queue_enter  CPU time of the capacity check and of the enqueue of a contact, effects taken; no
 *                  agent is free
 *     queue_offer  of an agent who becomes free, the offer of the longest waiting, its acceptance, the
 *                  dequeue, the end of the contact and a new login, effects taken
 *
 * Each is the median of batches; what was entered is taken out again, untimed.
 */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "../tests/control/queue/support.h"

#define BATCHES 21u
#define BATCH   200u

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* YAML of so many agents; malloc'ed. */
static char *agents_text(unsigned n)
{
	size_t size = 64 + (size_t)n * 256, at;
	char *text = malloc(size);

	if (!text)
		exit(1);
	at = (size_t)snprintf(text, size, "agents:\n");
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at,
			"  - {user: a%u, id: u-%u, first_name: A, last_name: B, routing_profile: "
			"All, "
			"security_profile: Agent, after_contact_seconds: 1, "
			"phone: {kind: ring, address: 'sip:a%u@192.0.2.1'}}\n",
			i, i, i);
	return text;
}

static void start(struct bench *b, unsigned waiting, unsigned agents)
{
	char *text = agents_text(agents);
	const struct support_texts texts = {{
		[RESOURCE_QUEUE] = "queues:\n  - {name: Orders, id: q-orders}\n",
		[RESOURCE_ROUTING_PROFILE] = "routing_profiles:\n"
					     "  - name: All\n"
					     "    queues: [{queue: Orders, priority: 1}]\n",
		[RESOURCE_AGENT] = text,
	}};
	const struct router_config config = {
		.contacts_max = waiting + 2 * BATCH, .instance_limit = waiting + 2 * BATCH};

	bench_start_with(b, &texts, &config);
	free(text);
}

static uint64_t take_effects(struct router *router, struct router_effect *last)
{
	struct router_effect effect;
	uint64_t n = 0;

	while (router_take_effect(router, &effect)) {
		n++;
		if (effect.kind == ROUTER_OFFER)
			*last = effect;
	}
	return n;
}

static uint64_t enter(struct bench *b, uint32_t queue, router_contact contact)
{
	struct router_effect offer;
	uint32_t members, limit;

	router_capacity(b->router, queue, QUEUE_VIA_FLOW, &members, &limit);
	router_enqueue(b->router,
		&(struct router_enqueue){.contact = contact, .queue = queue, .via = QUEUE_VIA_FLOW},
		b->now += 1000);
	return take_effects(b->router, &offer) + members;
}

static void print(const char *name, unsigned waiting, unsigned agents, double *ns, uint64_t hash)
{
	printf("{\"bench\": \"%s\", \"waiting\": %u, \"agents\": %u, \"ns\": %.0f, \"hash\": "
	       "\"%016llx\"}\n",
		name, waiting, agents, bench_median(ns, BATCHES), (unsigned long long)hash);
}

static void measure_enter(struct bench *b, uint32_t queue, unsigned waiting, unsigned agents)
{
	struct router_effect offer;
	uint64_t hash = BENCH_HASH;
	double ns[BATCHES];

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t begun = cpu_ns(), n = 0;

		for (unsigned k = 0; k < BATCH; k++)
			n += enter(b, queue, 1000000000 + k);
		ns[i] = (double)(cpu_ns() - begun) / BATCH;
		hash = bench_hash(hash, &n, sizeof(n));
		for (unsigned k = 0; k < BATCH; k++)
			router_remove(b->router, 0, 1000000000 + k, QUEUE_ABANDONED, b->now);
		take_effects(b->router, &offer);
	}
	print("queue_enter", waiting, agents, ns, hash);
}

/* An agent whose status becomes Available, is offered a contact, takes it, ends it, and logs in anew. */
static uint64_t serve(struct bench *b, uint32_t agent)
{
	struct router_effect offer = {0};
	uint64_t n;

	b->now += 1000;
	router_agent_status(b->router, agent, resources_available(b->resources), b->now);
	n = take_effects(b->router, &offer);
	if (!offer.offer) {
		fprintf(stderr, "bench_queue: nothing was offered\n");
		exit(1);
	}
	router_accept(b->router, 0, offer.offer, b->now);
	router_dequeue(b->router, 0, offer.contact, b->now);
	router_agent_contact(b->router, agent, offer.contact, AGENT_CONNECT, b->now);
	router_agent_contact(b->router, agent, offer.contact, AGENT_END, b->now);
	/* into after-contact work, and out of it as one who logs in anew */
	router_agent_logout(b->router, agent, b->now);
	router_agent_clear(b->router, agent, b->now);
	router_agent_login(b->router, agent, NULL, b->now);
	return n + take_effects(b->router, &offer);
}

static void measure_offer(struct bench *b, uint32_t queue, unsigned waiting, unsigned agents)
{
	unsigned batch = waiting < BATCH ? waiting : BATCH;
	router_contact next = 2000000000;
	uint64_t hash = BENCH_HASH;
	double ns[BATCHES];

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t begun = cpu_ns(), n = 0;

		for (unsigned k = 0; k < batch; k++)
			n += serve(b, (i * batch + k) % agents);
		ns[i] = (double)(cpu_ns() - begun) / batch;
		hash = bench_hash(hash, &n, sizeof(n));
		for (unsigned k = 0; k < batch; k++)
			enter(b, queue, next++);
	}
	print("queue_offer", waiting, agents, ns, hash);
}

static void measure(unsigned waiting, unsigned agents)
{
	struct router_effect offer;
	struct bench b;
	uint32_t queue;

	start(&b, waiting, agents);
	queue = bench_queue(&b, "Orders");
	for (uint32_t i = 0; i < agents; i++)
		router_agent_login(b.router, i, NULL, b.now);
	for (router_contact c = 1; c <= waiting; c++)
		enter(&b, queue, c);
	measure_enter(&b, queue, waiting, agents);
	measure_offer(&b, queue, waiting, agents);
	for (uint32_t i = 0; i < agents; i++)
		router_agent_logout(b.router, i, b.now);
	take_effects(b.router, &offer);
	router_destroy(b.router);
	resources_destroy(b.resources);
	timers_clear(&b.timers);
}

int main(int argc, char **argv)
{
	static const unsigned waiting[] = {10, 1000, 100000}, agents[] = {10, 100, 1000, 10000};
	bool smoke = bench_smoke(argc, argv);

	for (unsigned w = 0; w < (smoke ? 1 : 3); w++)
		for (unsigned a = 0; a < (smoke ? 1 : 4); a++)
			measure(waiting[w], agents[a]);
	return 0;
}
