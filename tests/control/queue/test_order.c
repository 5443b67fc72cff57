/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "queue/order.h"

enum { NODES = 300, STEPS = 20000 };

/* The model: a plain list, sorted by insertion. */
struct list {
	struct order_node *nodes[NODES];
	size_t count;
};

static bool comes_first(const struct order_node *a, const struct order_node *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->moment_ns != b->moment_ns)
		return a->moment_ns < b->moment_ns;
	return a->sequence < b->sequence;
}

static void list_insert(struct list *list, struct order_node *node)
{
	size_t at = list->count++;

	while (at > 0 && comes_first(node, list->nodes[at - 1])) {
		list->nodes[at] = list->nodes[at - 1];
		at--;
	}
	list->nodes[at] = node;
}

static void list_remove(struct list *list, size_t at)
{
	list->count--;
	for (; at < list->count; at++)
		list->nodes[at] = list->nodes[at + 1];
}

static void compare(struct order *order, const struct list *list, uint64_t since_max)
{
	struct order_node *open = NULL;
	uint64_t oldest = UINT64_MAX;

	assert_int_equal(order_size(order), list->count);
	for (size_t i = 0; i < list->count; i++) {
		struct order_node *node = list->nodes[i];
		assert_int_equal(order_rank(order, node), i);
		assert_ptr_equal(
			order_next(order, node), i + 1 < list->count ? list->nodes[i + 1] : NULL);
		if (!open && node->open && node->since_ns <= since_max)
			open = node;
		if (node->since_ns < oldest)
			oldest = node->since_ns;
	}
	assert_ptr_equal(order_first(order), list->count ? list->nodes[0] : NULL);
	assert_ptr_equal(order_first_open(order, since_max), open);
	assert_true(order_oldest(order) == oldest);
}

static void insert_any(
	struct order *order, struct list *list, struct order_node *node, struct random *random)
{
	static uint64_t sequence;

	node->sequence = ++sequence;
	node->priority = (uint32_t)random_below(random, 4);
	node->since_ns = random_below(random, 50);
	node->moment_ns = (int64_t)node->since_ns - (int64_t)random_below(random, 20) + 10;
	node->open = random_below(random, 2);
	order_insert(order, node);
	list_insert(list, node);
}

static void order_equals_a_sorted_list(void **state)
{
	static struct order_node nodes[NODES];
	struct order_node *idle[NODES];
	struct order order = {0};
	struct list list = {0};
	struct random random;
	size_t idle_count = 0;

	random_init_seed(&random, 7);
	for (size_t i = 0; i < NODES; i++)
		idle[idle_count++] = &nodes[i];
	for (int step = 0; step < STEPS; step++) {
		uint64_t what = random_below(&random, 5);
		size_t at = list.count ? random_below(&random, list.count) : 0;
		if (what < 2 && idle_count) {
			insert_any(&order, &list, idle[--idle_count], &random);
		} else if (what == 2 && list.count) {
			order_set_open(&order, list.nodes[at], random_below(&random, 2));
		} else if (list.count && random_below(&random, 3)) {
			order_remove(&order, list.nodes[at]);
			idle[idle_count++] = list.nodes[at];
			list_remove(&list, at);
		}
		if (step % 20 == 0)
			compare(&order, &list, random_below(&random, 60));
	}
}

static void an_empty_order_has_nothing(void **state)
{
	struct order order = {0};

	assert_null(order_first(&order));
	assert_null(order_first_open(&order, UINT64_MAX));
	assert_int_equal(order_size(&order), 0);
	assert_true(order_oldest(&order) == UINT64_MAX);
}

/* Visits per call grow with the logarithm: from a thousand to a hundred thousand members, less
 * than twofold. */
static double steps_per_call(uint32_t count)
{
	struct order_node *nodes = calloc(count, sizeof(*nodes));
	struct order order = {0};
	uint64_t before;
	uint32_t calls = 0;

	for (uint32_t i = 0; i < count; i++) {
		nodes[i] = (struct order_node){
			.sequence = i + 1, .moment_ns = i, .since_ns = i, .open = true};
		order_insert(&order, &nodes[i]);
	}
	before = order.steps;
	for (uint32_t i = 0; i < count; i += count / 500) {
		order_rank(&order, &nodes[i]);
		order_set_open(&order, &nodes[i], false);
		order_first_open(&order, count);
		order_remove(&order, &nodes[i]);
		calls += 4;
	}
	free(nodes);
	return (double)(order.steps - before) / calls;
}

static void growth_is_logarithmic(void **state)
{
	double small = steps_per_call(1000), large = steps_per_call(100000);

	assert_true(large < small * 2.5);
	assert_true(large < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_equals_a_sorted_list),
		cmocka_unit_test(an_empty_order_has_nothing),
		cmocka_unit_test(growth_is_logarithmic),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
