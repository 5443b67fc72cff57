/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order: a sorted set of intrusive nodes with ranks, the shape of a line of people. It is a treap
 * (a binary tree by order, a heap by a hash of the sequence number, so its shape depends on its
 * members alone), and each node knows of its subtree: how many nodes, the earliest `since`, and
 * the earliest `since` of those that are open. All calls but order_first_fit() are O(log n)
 * expected; nothing is allocated.
 *
 * Order is ascending by (priority, moment_ns, sequence); the sequence makes it total. A node's
 * order fields and `since_ns` do not change while it is in a set.
 */
#ifndef ORDER_H
#define ORDER_H

#include <stdbool.h>
#include <stdint.h>

struct order_node {
	struct order_node *left, *right;
	uint64_t sequence;                  /* unique in the set */
	int64_t moment_ns;                  /* may lie before since_ns (aged) or after it */
	uint64_t since_ns;                  /* when it came in, unadjusted */
	uint64_t oldest_ns, oldest_open_ns; /* of the subtree; UINT64_MAX for none */
	uint32_t priority;
	uint32_t weight; /* heap order */
	uint32_t size;   /* of the subtree */
	bool open;       /* may be picked */
};

struct order {
	struct order_node *root;
	uint64_t steps; /* nodes visited so far, for tests of growth */
};

/* Adds a node whose priority, moment_ns, since_ns, sequence and open are set. */
void order_insert(struct order *order, struct order_node *node);

/* Takes out a node that is in the set. */
void order_remove(struct order *order, struct order_node *node);

/* Changes whether a node that is in the set may be picked. */
void order_set_open(struct order *order, struct order_node *node, bool open);

/* Nodes before this one, which is in the set. */
uint32_t order_rank(struct order *order, const struct order_node *node);

/* The first open node that came in at since_max_ns or earlier; NULL when there is none. */
struct order_node *order_first_open(struct order *order, uint64_t since_max_ns);

/* The first of those that fits; it looks at each open one before it. */
struct order_node *order_first_fit(struct order *order, uint64_t since_max_ns,
	bool (*fits)(void *context, const struct order_node *node), void *context);

/* The first node; NULL when empty. */
struct order_node *order_first(struct order *order);

/* The node after this one, which is in the set; NULL at the end. */
struct order_node *order_next(struct order *order, const struct order_node *node);

uint32_t order_size(const struct order *order);

/* Earliest since_ns of all members; UINT64_MAX when empty. */
uint64_t order_oldest(const struct order *order);

#endif
