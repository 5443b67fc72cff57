/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/order.h"

#include <stddef.h>

#include "base/check.h"

static uint32_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)(x >> 32);
}

static bool before(const struct order_node *a, const struct order_node *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->moment_ns != b->moment_ns)
		return a->moment_ns < b->moment_ns;
	return a->sequence < b->sequence;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint32_t size_of(const struct order_node *node)
{
	return node ? node->size : 0;
}

static void update(struct order_node *node)
{
	node->size = 1 + size_of(node->left) + size_of(node->right);
	node->oldest_ns = node->since_ns;
	node->oldest_open_ns = node->open ? node->since_ns : UINT64_MAX;
	for (int side = 0; side < 2; side++) {
		const struct order_node *child = side ? node->right : node->left;
		if (!child)
			continue;
		node->oldest_ns = min(node->oldest_ns, child->oldest_ns);
		node->oldest_open_ns = min(node->oldest_open_ns, child->oldest_open_ns);
	}
}

/* Splits into the nodes before `at` and the others. */
static void split(struct order *order, struct order_node *tree, const struct order_node *at,
	struct order_node **low, struct order_node **high)
{
	if (!tree) {
		*low = *high = NULL;
		return;
	}
	order->steps++;
	if (before(tree, at)) {
		split(order, tree->right, at, &tree->right, high);
		*low = tree;
	} else {
		split(order, tree->left, at, low, &tree->left);
		*high = tree;
	}
	update(tree);
}

static struct order_node *merge(
	struct order *order, struct order_node *low, struct order_node *high)
{
	if (!low || !high)
		return low ? low : high;
	order->steps++;
	if (low->weight >= high->weight) {
		low->right = merge(order, low->right, high);
		update(low);
		return low;
	}
	high->left = merge(order, low, high->left);
	update(high);
	return high;
}

static struct order_node *insert(
	struct order *order, struct order_node *tree, struct order_node *node)
{
	order->steps++;
	if (!tree || node->weight > tree->weight) {
		split(order, tree, node, &node->left, &node->right);
		update(node);
		return node;
	}
	if (before(node, tree))
		tree->left = insert(order, tree->left, node);
	else
		tree->right = insert(order, tree->right, node);
	update(tree);
	return tree;
}

static struct order_node *take_out(
	struct order *order, struct order_node *tree, const struct order_node *node)
{
	CHECK(tree != NULL);
	order->steps++;
	if (tree == node)
		return merge(order, tree->left, tree->right);
	if (before(node, tree))
		tree->left = take_out(order, tree->left, node);
	else
		tree->right = take_out(order, tree->right, node);
	update(tree);
	return tree;
}

/* Works out again what the nodes from the root to `node` know of their subtrees. */
static void refresh(struct order *order, struct order_node *tree, const struct order_node *node)
{
	CHECK(tree != NULL);
	order->steps++;
	if (tree != node)
		refresh(order, before(node, tree) ? tree->left : tree->right, node);
	update(tree);
}

void order_insert(struct order *order, struct order_node *node)
{
	node->left = node->right = NULL;
	node->weight = mix(node->sequence);
	order->root = insert(order, order->root, node);
}

void order_remove(struct order *order, struct order_node *node)
{
	order->root = take_out(order, order->root, node);
	node->left = node->right = NULL;
	node->size = 0;
}

void order_set_open(struct order *order, struct order_node *node, bool open)
{
	if (node->open == open)
		return;
	node->open = open;
	refresh(order, order->root, node);
}

uint32_t order_rank(struct order *order, const struct order_node *node)
{
	const struct order_node *tree = order->root;
	uint32_t rank = 0;

	for (;;) {
		CHECK(tree != NULL);
		order->steps++;
		if (tree == node)
			return rank + size_of(tree->left);
		if (before(node, tree)) {
			tree = tree->left;
		} else {
			rank += size_of(tree->left) + 1;
			tree = tree->right;
		}
	}
}

static bool has_open(const struct order_node *tree, uint64_t since_max_ns)
{
	return tree && tree->oldest_open_ns != UINT64_MAX && tree->oldest_open_ns <= since_max_ns;
}

struct order_node *order_first_open(struct order *order, uint64_t since_max_ns)
{
	struct order_node *tree = order->root;

	while (has_open(tree, since_max_ns)) {
		order->steps++;
		if (has_open(tree->left, since_max_ns))
			tree = tree->left;
		else if (tree->open && tree->since_ns <= since_max_ns)
			return tree;
		else
			tree = tree->right;
	}
	return NULL;
}

static struct order_node *first_fit(struct order *order, struct order_node *tree,
	uint64_t since_max_ns, bool (*fits)(void *context, const struct order_node *node),
	void *context)
{
	struct order_node *found = NULL;

	while (!found && has_open(tree, since_max_ns)) {
		order->steps++;
		found = first_fit(order, tree->left, since_max_ns, fits, context);
		if (!found && tree->open && tree->since_ns <= since_max_ns && fits(context, tree))
			found = tree;
		tree = tree->right;
	}
	return found;
}

struct order_node *order_first_fit(struct order *order, uint64_t since_max_ns,
	bool (*fits)(void *context, const struct order_node *node), void *context)
{
	return first_fit(order, order->root, since_max_ns, fits, context);
}

struct order_node *order_first(struct order *order)
{
	struct order_node *tree = order->root;

	while (tree && tree->left) {
		order->steps++;
		tree = tree->left;
	}
	return tree;
}

struct order_node *order_next(struct order *order, const struct order_node *node)
{
	struct order_node *tree = order->root, *next = NULL;

	while (tree) {
		order->steps++;
		if (before(node, tree)) {
			next = tree;
			tree = tree->left;
		} else {
			tree = tree->right;
		}
	}
	return next;
}

uint32_t order_size(const struct order *order)
{
	return size_of(order->root);
}

uint64_t order_oldest(const struct order *order)
{
	return order->root ? order->root->oldest_ns : UINT64_MAX;
}
