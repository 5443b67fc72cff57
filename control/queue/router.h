/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router: brings waiting contacts and free agents together. It owns the queues and the agents as
 * they run (queue.h, agent.h), picks pairs, runs the 20 s of an offer, the delays of routing
 * profiles and the after-contact timeout, and says what happened and what is to be done as a list
 * of effects. Pure: time comes in, timers are the caller's struct timers, nothing is sent.
 *
 * Who gets whom
 *   For an agent who becomes free: the agent's own queue before all others; then the queues of the
 *   routing profile by priority, then by delay (a contact younger than the delay does not count),
 *   then by the contact's priority, then the oldest by adjusted age.
 *   For a contact that becomes eligible: the agent longest available among all that may take it.
 *   A contact with criteria (criteria.h) goes only to agents who meet the step that applies: the
 *   steps count from the moment at which it comes into its queue, or at which they are set while
 *   it waits. An agent's own queue knows no criteria.
 *   At the end of every call no contact and routable agent are left who could be paired.
 *   One live offer for each agent and for each contact.
 *
 * A contact's way:
 *
 *              enqueue             offer            accept              dequeue (whisper over)
 *   (outside) --------> WAITING ----------> OFFERED -------> ACCEPTED ------------------> (outside)
 *                        ^  | move: new       |   timeout,      |  agent dropped
 *                        |  v queue, new      |   reject        |
 *                        +--+ place           |                 |
 *                        ^--------------------+-----------------+      place kept
 *   remove leads outside from everywhere; while OFFERED it withdraws the offer. Move is refused
 *   while OFFERED or ACCEPTED (R84). A contact that talks to an outside number meanwhile is PARKED:
 *   it keeps its place and is offered to nobody until it is unparked; only a WAITING one can be. A
 *   callback is dequeued by its acceptance. A contact offered to
 *   one agent directly (Transfer to agent) is in no queue and goes outside when the offer fails.
 *
 * Asynchronous by contract: a request (enqueue, move, remove, set_priority, set_criteria, park,
 * unpark, offer_agent, accept, reject, dequeue, drop, miss) is answered by an effect ROUTER_ANSWER
 * that carries the request's tag; the return value only says that the request could not be taken. A
 * distributed store can stand in. Agent verbs (login, status, phone, dial, connect, hold, end, clear) are local and
 * answer at once.
 *
 * Effects are taken one by one, in order, from a list; the router never calls back but for a wake
 * (when the list becomes non-empty), so requests may be made while effects are being carried out.
 * Effects hold pointers into the resources in force: take all before resources are freed.
 *
 * Cost: O(log n) in contacts and agents for each event, times the queues of one routing profile (at
 * most 50), or the routing profiles that hold one queue. No call looks at all contacts or agents
 * but router_reload(). With criteria it may come to that: looking for a contact passes all those
 * before it whose criteria the agent does not meet, and looking for an agent of a contact with
 * criteria passes the free agents who do not meet them. A contact without criteria is never passed.
 * Passing 10,000 free agents takes under 1 ms, and so does passing 20,000 contacts; a reload pairs
 * anew, so it takes that for each free agent.
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/agent.h"
#include "queue/criteria.h"
#include "queue/metrics.h"
#include "queue/queue.h"
#include "queue/resources.h"

struct timers;
struct router;

#define ROUTER_NONE     UINT32_MAX              /* no queue, no agent */
#define ROUTER_OFFER_NS (20ULL * 1000000000ULL) /* default time to accept */

struct router_config {
	uint32_t contacts_max;     /* contacts the router can hold; ceiling ROUTER_CONTACTS_MAX */
	uint32_t instance_limit;   /* concurrent calls: limit of a queue without its own (R78) */
	uint32_t overflow_percent; /* R79; default 0, at most 100 */
	uint64_t offer_ns;         /* 0: ROUTER_OFFER_NS */
};

enum { ROUTER_CONTACTS_MAX = 1000000 };

/* What a contact is to the router: the caller's own non-zero key. */
typedef uint64_t router_contact;

#define ROUTER_REQUESTS(X)            \
	X(ENQUEUE, enqueue)           \
	X(MOVE, move)                 \
	X(REMOVE, remove)             \
	X(SET_PRIORITY, set_priority) \
	X(SET_CRITERIA, set_criteria) \
	X(PARK, park)                 \
	X(UNPARK, unpark)             \
	X(OFFER_AGENT, offer_agent)   \
	X(ACCEPT, accept)             \
	X(REJECT, reject)             \
	X(DEQUEUE, dequeue)           \
	X(DROP, drop)                 \
	X(MISS, miss)

enum router_request {
#define X(name, word) ROUTER_##name,
	ROUTER_REQUESTS(X)
#undef X
};

enum router_result {
	ROUTER_OK,
	ROUTER_FULL, /* at capacity: `members` of `limit` */
	ROUTER_UNKNOWN_QUEUE,
	ROUTER_UNKNOWN_CONTACT, /* not waiting here */
	ROUTER_UNKNOWN_AGENT,
	ROUTER_DUPLICATE,     /* the contact is in a queue already */
	ROUTER_BEING_OFFERED, /* the contact cannot be dequeued now (R84) */
	ROUTER_AGENT_BARRED,  /* the agent cannot be offered a contact: `bar` says why */
	ROUTER_STALE_OFFER,   /* the offer is over */
	ROUTER_NOT_ACCEPTED,  /* dequeue or drop of a contact that no agent has accepted */
	ROUTER_NO_ROOM,       /* contacts_max reached */
};

enum router_effect_kind {
	ROUTER_ANSWER,   /* request, tag, result, contact, queue; position, members, limit, bar */
	ROUTER_OFFER,    /* offer, contact, agent, queue (ROUTER_NONE when direct), deadline_ns */
	ROUTER_WITHDRAW, /* offer, contact, agent, why: stop ringing, take it off the panel; also
			    after a miss or a reject */
	ROUTER_RETURNED, /* contact, queue, position, why: it waits again, in its place */
	ROUTER_DIRECT_FAILED, /* contact, agent, why: a direct offer is over, the contact is not
				 kept */
	ROUTER_DEQUEUED,      /* contact, queue, agent, waited_ns: an agent has taken it */
	ROUTER_AGENT_CHANGED, /* agent, before, after */
};

/* Why an offer or an acceptance ended without a connection. */
enum router_why {
	ROUTER_WHY_NONE,
	ROUTER_WHY_MISSED, /* not accepted in time */
	ROUTER_WHY_REJECTED,
	ROUTER_WHY_CONTACT_GONE, /* the contact was removed */
	ROUTER_WHY_PHONE_LOST,   /* the agent's phone went away */
	ROUTER_WHY_AGENT_LOGOUT,
	ROUTER_WHY_AGENT_FAILED, /* the agent's phone could not be reached, or the agent hung up */
};

struct router_effect {
	enum router_effect_kind kind;
	enum router_request request;
	enum router_result result;
	enum router_why why;
	enum agent_bar bar;
	uint64_t at_ns;
	uint64_t tag;
	router_contact contact;
	uint64_t offer;
	uint64_t deadline_ns;
	uint64_t waited_ns;
	uint32_t queue;
	uint32_t agent;
	uint32_t position; /* 1 is first; 0 when it does not apply */
	uint32_t members;
	uint32_t limit;
	struct agent_snapshot before, after;
};

struct router_enqueue {
	uint64_t tag;
	router_contact contact;
	uint32_t queue;
	enum queue_via via;
	uint32_t priority;         /* 1 is best; 0: the queue's default */
	int64_t age_ns;            /* added to the waiting time */
	bool callback;             /* a queued callback that has become due */
	struct criteria *criteria; /* the router takes a hold of its own; NULL: any agent */
};

/* ---- life ---- */

/* Starts with every agent logged out. -EINVAL for a configuration out of range, -ENOMEM. */
int router_create(const struct router_config *config, struct timers *timers,
	const struct resources *resources, uint64_t now_ns, struct router **router);

void router_destroy(struct router *router);

/*
 * Swaps in new resources; the old ones may be freed when it has returned and the effects are taken.
 * Queues and agents are the same when their ids are; numbers stay. A queue that is gone keeps its
 * contacts until they leave and takes no new ones; an agent who is gone finishes the contact. All
 * or nothing: on -ENOMEM the old resources stay in force.
 */
int router_reload(struct router *router, const struct resources *resources, uint64_t now_ns);

/* `wake` is called when the list of effects becomes non-empty. It must only note it. */
void router_set_wake(struct router *router, void (*wake)(void *context), void *context);

/* The next effect; false when there is none. */
bool router_take_effect(struct router *router, struct router_effect *effect);

/* ---- numbers of queues and agents ---- */

/* By id, ARN, or for a fixed reference name; an agent's own queue by its ARN .../queue/agent/ID.
 * ROUTER_NONE when there is none. */
uint32_t router_find_queue(const struct router *router, const char *text, enum resource_refs refs);
uint32_t router_find_agent(const struct router *router, const char *text, enum resource_refs refs);
uint32_t router_queue_of(const struct router *router, const struct resource_queue *row);
uint32_t router_agent_of(const struct router *router, const struct resource_agent *row);

/* The agent's own queue (R91); it exists whether or not the user may take calls (R94). */
uint32_t router_agent_queue(const struct router *router, uint32_t agent);

/* The rows behind numbers; NULL for an unknown number, a removed one, or the wrong kind of queue.
 */
const struct resource_queue *router_queue_row(const struct router *router, uint32_t queue);
const struct resource_agent *router_agent_row(const struct router *router, uint32_t agent);

/* The agent whose own queue this is; ROUTER_NONE for a standard queue. */
uint32_t router_queue_agent(const struct router *router, uint32_t queue);

uint32_t router_queue_count(const struct router *router); /* numbers are below this */
uint32_t router_agent_count(const struct router *router);

/* ---- requests, answered by ROUTER_ANSWER ---- */

/* 0 when taken; -EINVAL for a contact of 0. */
int router_enqueue(struct router *router, const struct router_enqueue *request, uint64_t now_ns);

/* To another queue. FULL: the contact stays where it is, with its place (R87). */
int router_move(struct router *router, uint64_t tag, router_contact contact, uint32_t queue,
	uint64_t now_ns);

/* Out of the queue for good, whatever its state. After acceptance the agent's part ends as well. */
int router_remove(struct router *router, uint64_t tag, router_contact contact, enum queue_exit how,
	uint64_t now_ns);

int router_set_priority(struct router *router, uint64_t tag, router_contact contact,
	uint32_t priority, int64_t age_ns, uint64_t now_ns);

/* Other criteria, from now on; NULL: any agent. Kept over a move. An offer goes on that is made. */
int router_set_criteria(struct router *router, uint64_t tag, router_contact contact,
	struct criteria *criteria, uint64_t now_ns);

/* Keeps a waiting contact's place but offers it to nobody; BEING_OFFERED when it is too late. */
int router_park(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns);
int router_unpark(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns);

/* Offers a contact that is in no queue to one agent (Transfer to agent). After-contact work of that
 * agent is ended by it; any other bar is the answer. `queue` is the one that the contact came
 * through, for the panel and the whisper, or ROUTER_NONE. */
int router_offer_agent(struct router *router, uint64_t tag, router_contact contact, uint32_t agent,
	uint32_t queue, uint64_t now_ns);

/* The agent takes the offer. */
int router_accept(struct router *router, uint64_t tag, uint64_t offer, uint64_t now_ns);

/* The agent, or the agent's phone, declines; `failed` when the phone could not be reached. */
int router_reject(
	struct router *router, uint64_t tag, uint64_t offer, bool failed, uint64_t now_ns);

/* The agent whisper is over: an accepted contact leaves the queue. */
int router_dequeue(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns);

/* The agent is lost after acceptance and before dequeue: the contact waits again in its place. */
int router_drop(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns);

/* As router_drop(), but the agent has missed the contact: a panel phone that did not answer in
 * time. */
int router_miss(struct router *router, uint64_t tag, router_contact contact, uint64_t now_ns);

/* ---- agents, answered at once ---- */

/* 0, -ENOENT for an unknown agent, or the errno of agent.h's function. */
int router_agent_login(struct router *router, uint32_t agent, const struct resource_status *status,
	uint64_t now_ns);
int router_agent_logout(struct router *router, uint32_t agent, uint64_t now_ns);
int router_agent_status(struct router *router, uint32_t agent, const struct resource_status *status,
	uint64_t now_ns);
int router_agent_phone(struct router *router, uint32_t agent, bool ready, uint64_t now_ns);

/* A call that the agent makes. Allowed in every status when the slot is empty; a missed or failed
 * contact is cleared by it. -EBUSY otherwise, -EPERM without the permission, -ENOTCONN when logged
 * out, -EHOSTUNREACH without a phone. */
int router_agent_dial(struct router *router, uint32_t agent, router_contact contact, uint32_t queue,
	uint64_t now_ns);

/* DIAL (of a callback), CONNECT, HOLD, RESUME, END, FAIL for the contact in the agent's slot; -ENOENT when it is another
 * contact, -EINVAL when the event has no place in the slot's state. END begins after-contact work
 * and its timeout. Before the contact is dequeued use router_remove() and router_drop(). */
int router_agent_contact(struct router *router, uint32_t agent, router_contact contact,
	enum agent_event event, uint64_t now_ns);

/* Clear contact: after-contact work, missed or error. -EALREADY when the slot is empty, -EBUSY with
 * a live contact. */
int router_agent_clear(struct router *router, uint32_t agent, uint64_t now_ns);

int router_agent_snapshot(
	const struct router *router, uint32_t agent, struct agent_snapshot *snapshot);

/* ---- questions ---- */

struct router_place {
	uint32_t queue;
	uint32_t agent;    /* offered to or accepted by; ROUTER_NONE */
	uint32_t position; /* 1 is first; 0 for a direct offer */
	bool offered, accepted;
	uint64_t offer;
	uint64_t waited_ns;
};

/* Where a contact waits; -ENOENT when it does not. */
int router_place(
	struct router *router, router_contact contact, uint64_t now_ns, struct router_place *place);

/* What Transfer to queue would meet, without taking a place: OK, FULL or UNKNOWN_QUEUE. */
enum router_result router_capacity(const struct router *router, uint32_t queue, enum queue_via via,
	uint32_t *members, uint32_t *limit);

int router_queue_metrics(const struct router *router, uint32_t queue, uint64_t now_ns,
	struct metrics_queue *metrics);

/* All agents of the instance. */
void router_agent_metrics(const struct router *router, struct metrics_agents *metrics);

/* Starts a queue's figures anew, as a wallboard does at midnight. */
int router_reset_figures(struct router *router, uint32_t queue);

/* Contacts waiting in queue order: calls `visit` for at most `limit` of them; for listings. */
int router_each_waiting(struct router *router, uint32_t queue, uint32_t limit,
	void (*visit)(void *context, router_contact contact, uint64_t enqueued_at_ns),
	void *context);

/* Contacts that the router holds, in queues or offered; 0 at rest. */
uint32_t router_contacts(const struct router *router);

const char *router_request_name(enum router_request request);
const char *router_result_text(enum router_result result);
const char *router_why_text(enum router_why why);

/* Nodes of ordered sets visited so far, for tests of growth. */
uint64_t router_steps(const struct router *router);

/* Checks every invariant by looking at everything (tests only): 0, or -EINVAL with a text. */
int router_audit(struct router *router, uint64_t now_ns, const char **problem);

#endif
