/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue: the contacts that wait in one queue, in the order in which they are served: smaller
 * priority first, then the older (waiting time plus an adjustment), then the one that came first.
 *
 * A contact stays a member, with its place, from enqueue until it is taken out: while it is being
 * offered and while the agent hears the agent whisper it is held (not offered to anyone else) but
 * counts, and keeps its position. The limit is checked and the place taken in one step, so of two
 * that race for the last place exactly one gets it (R80).
 *
 * All calls but queue_pick_fit() are O(log n). Nothing is allocated: members are embedded in the caller's structs.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/order.h"

enum { QUEUE_WAIT_BUCKETS = 16 };

#define QUEUE_AGE_MAX_NS (100LL * 86400 * 1000000000) /* an adjustment beyond it counts as it */

/* Upper ends of the answered-wait histogram, in seconds; the last bucket is everything beyond. */
extern const uint32_t queue_wait_bounds_s[QUEUE_WAIT_BUCKETS - 1];

/* How a contact comes; the overflow option gives the last three more room (R79). */
enum queue_via { QUEUE_VIA_FLOW, QUEUE_VIA_MOVE, QUEUE_VIA_TRANSFER, QUEUE_VIA_CALLBACK };

/* How a member leaves. */
enum queue_exit {
	QUEUE_ANSWERED,     /* an agent took it */
	QUEUE_ABANDONED,    /* the customer hung up */
	QUEUE_MOVED,        /* to another queue, by its flow */
	QUEUE_LEFT_BY_FLOW, /* the flow took it out: disconnect, callback, transfer to a number */
};

struct queue_member {
	struct order_node node; /* since_ns is when it was enqueued */
	bool callback;
};

/* Figures since the last queue_reset_figures(). */
struct queue_figures {
	uint64_t enqueued;
	uint64_t answered;
	uint64_t abandoned;
	uint64_t moved;
	uint64_t left_by_flow;
	uint64_t refused_full;
	uint64_t answered_wait_ns; /* sum */
	uint64_t abandoned_wait_ns;
	uint64_t longest_wait_ns;
	uint32_t most_members;
	uint64_t answered_by_wait[QUEUE_WAIT_BUCKETS];
};

struct queue {
	struct order line;
	uint32_t limit;     /* members */
	uint32_t callbacks; /* members that are queued callbacks, due */
	uint32_t held;      /* members being offered or in the agent whisper */
	struct queue_figures figures;
};

void queue_init(struct queue *queue, uint32_t limit);

/* The limit for a way of coming: overflow_percent more than the queue's for all but flows. */
uint32_t queue_limit_for(const struct queue *queue, enum queue_via via, uint32_t overflow_percent);

/*
 * Takes a place. `sequence` grows from call to call; `age_ns` is added to the waiting time for the
 * order (it may be negative). -ENOSPC when `limit` members are in: nothing is changed but a count.
 */
int queue_enqueue(struct queue *queue, struct queue_member *member, uint32_t limit,
	uint32_t priority, int64_t age_ns, uint64_t sequence, uint64_t now_ns);

/* Takes a member out. */
void queue_remove(
	struct queue *queue, struct queue_member *member, enum queue_exit how, uint64_t now_ns);

/* Changes priority and age of a member: its place follows from them. */
void queue_reorder(
	struct queue *queue, struct queue_member *member, uint32_t priority, int64_t age_ns);

/* Holds a member back from being picked, or lets it be picked again; its place stays. */
void queue_hold(struct queue *queue, struct queue_member *member, bool held);

/* The first member that may be picked and has waited delay_ns; NULL when there is none. */
struct queue_member *queue_pick(struct queue *queue, uint64_t delay_ns, uint64_t now_ns);

/* The first of those that fits; it looks at each that could be picked before it. */
struct queue_member *queue_pick_fit(struct queue *queue, uint64_t delay_ns, uint64_t now_ns,
	bool (*fits)(void *context, const struct order_node *node), void *context);

/* 1 for the first. */
uint32_t queue_position(struct queue *queue, const struct queue_member *member);

uint32_t queue_count(const struct queue *queue);

/* Waiting time of the member that has waited longest, 0 when empty. */
uint64_t queue_oldest_age(const struct queue *queue, uint64_t now_ns);

uint64_t queue_waited(const struct queue_member *member, uint64_t now_ns);

void queue_reset_figures(struct queue *queue);

#endif
