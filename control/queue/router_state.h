/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router_state: the router's inside, shared by its files and nobody else.
 *
 *   router.c        requests, questions
 *   router_agent.c  what agents do
 *   router_pair.c   who gets whom; offers; effects; what follows from a change of an agent
 *   router_tables.c queues, agents and routing profiles from resources; reload; look-ups
 *   router_audit.c  the invariants, looked at one by one
 */
#ifndef ROUTER_STATE_H
#define ROUTER_STATE_H

#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "queue/router.h"

/* Agent's number in the low bits of an offer's id. */
enum { OFFER_AGENT_BITS = 24 };

enum entry_state { ENTRY_WAITING, ENTRY_PARKED, ENTRY_OFFERED, ENTRY_ACCEPTED };

/* A contact that the router holds. */
struct router_entry {
	struct router *router;
	router_contact contact; /* key of router->contacts */
	struct queue_member member;
	struct timer timer; /* WAITING: a delay or a step of the criteria is over; OFFERED: the
			       offer is */
	struct criteria *criteria; /* held; NULL: none */
	uint64_t criteria_since_ns;
	int64_t age_ns;
	uint64_t offer;
	uint32_t priority; /* asked for; 0: the queue's */
	uint32_t queue;    /* ROUTER_NONE: a direct offer */
	uint32_t through;  /* the queue shown with a direct offer */
	uint32_t agent;    /* ROUTER_NONE while WAITING or PARKED */
	enum entry_state state;
};

/* A routing profile that holds a queue. */
struct router_lane {
	uint32_t profile;
	uint64_t delay_ns;
};

struct router_queue {
	struct queue queue;
	const struct resource_queue *row; /* NULL: an agent's own, or gone */
	const struct router_lane *lanes;  /* ascending by delay; in router->lanes */
	uint32_t lane_count;
	uint32_t number;
	uint32_t agent;               /* whose own queue it is; ROUTER_NONE */
	uint32_t priority;            /* default of a contact */
	bool closed;                  /* gone: takes no contacts */
	char id[RESOURCE_ID_MAX + 1]; /* key of router->queue_ids */
};

struct router_agent {
	struct router *router;
	struct agent agent;
	struct order_node node; /* in its profile's line while routable */
	bool in_line;
	uint64_t clock_ns;          /* available_since_ns that node.sequence was given for */
	struct router_entry *entry; /* offered, or accepted and not dequeued */
	struct timer acw;
	uint32_t profile;
	uint32_t queue;               /* own */
	uint32_t classes;             /* counted in the metrics now */
	char id[RESOURCE_ID_MAX + 1]; /* key of router->agent_ids */
};

struct router_profile {
	const struct resource_routing_profile *row;
	uint32_t *queues;  /* numbers, as row->queues */
	struct order line; /* routable agents, longest available first */
	struct metrics_agents counts;
};

struct router {
	struct router_config config;
	struct timers *timers;
	const struct resources *resources;
	void (*wake)(void *context);
	void *wake_context;

	struct router_effect *effects; /* a ring */
	size_t effect_room, effect_first, effect_count;

	struct router_queue **queues;
	struct router_agent **agents;
	uint32_t queue_count, agent_count, queue_room, agent_room;
	struct map queue_ids, agent_ids;

	struct router_profile *profiles; /* by row index */
	uint32_t profile_count;
	struct router_lane *lanes; /* of all queues */
	uint32_t *numbers;         /* of all profiles' queues */

	struct pool entries;
	struct map contacts;
	struct metrics_agents totals;
	uint64_t sequence;
	uint64_t offers;
};

/* ---- router_pair.c ---- */

/* Room for so many more effects. */
int router_effects_reserve(struct router *router, size_t count);

/* Adds to the list; no memory there is a failed CHECK. */
void router_emit(struct router *router, const struct router_effect *effect);

/* Brings line, counts, timers and the list of effects up to a change of an agent: emits
 * AGENT_CHANGED when something differs from `before`, and lets a next status come into force. */
void router_agent_follow(
	struct router_agent *agent, const struct agent_snapshot *before, uint64_t now_ns);

/* An event in the voice slot that must have a place there, and what follows. */
void router_agent_event(struct router_agent *agent, enum agent_event event,
	const struct agent_contact *contact, uint64_t now_ns);

/* Takes an agent out of the line and the counts, or puts the agent in as things stand. */
void router_agent_unlist(struct router_agent *agent);
void router_agent_list(struct router_agent *agent);

/* Offers the best contact to an agent who is routable. */
void router_pair_agent(struct router_agent *agent, uint64_t now_ns);

/* Offers a waiting contact to the best agent, or sets its timer for the next delay. */
void router_pair_entry(struct router_entry *entry, uint64_t now_ns);

/* Whether a contact in a standard queue may go to an agent, as its criteria stand. */
bool router_criteria_met(
	const struct router_entry *entry, const struct router_agent *agent, uint64_t now_ns);

/* The first contact of a standard queue that has waited and may go to the agent; NULL when none. */
struct queue_member *router_pick(const struct router_agent *agent, struct router_queue *queue,
	uint64_t delay_ns, uint64_t now_ns);

/* Starts an offer; the agent's slot is empty. */
void router_start_offer(struct router_entry *entry, struct router_agent *agent, uint64_t now_ns);

/* Ends an offer or an acceptance by an event of the agent's slot: the contact waits again and is
 * offered anew, or, when direct, is given up. */
void router_return(
	struct router_entry *entry, enum agent_event event, enum router_why why, uint64_t now_ns);

/* Frees an entry that is in no queue and at no agent. */
void router_entry_free(struct router_entry *entry);

/* ---- router_tables.c ---- */

/* NULL for unknown numbers. */
struct router_queue *router_queue_at(const struct router *router, uint32_t number);
struct router_agent *router_agent_at(const struct router *router, uint32_t number);

uint32_t router_entry_priority(const struct router_entry *entry, const struct router_queue *queue);

/* Where `entry` stands now, for effects. */
uint32_t router_entry_position(const struct router_entry *entry);

#endif
