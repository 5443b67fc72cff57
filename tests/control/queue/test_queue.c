/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "queue/queue.h"

static uint64_t sequence;

static int add(struct queue *queue, struct queue_member *member, uint32_t priority, int64_t age_s,
	uint64_t now_s)
{
	return queue_enqueue(queue, member, queue->limit, priority, age_s * (int64_t)SECOND,
		++sequence, now_s * SECOND);
}

static void order_is_priority_then_adjusted_age_then_arrival(void **state)
{
	struct queue_member old = {0}, young = {0}, urgent = {0}, aged = {0}, twin = {0};
	struct queue queue;

	queue_init(&queue, 10);
	assert_int_equal(add(&queue, &old, 5, 0, 100), 0);
	assert_int_equal(add(&queue, &young, 5, 0, 110), 0);
	assert_int_equal(add(&queue, &twin, 5, 0, 110), 0);
	assert_int_equal(add(&queue, &urgent, 1, 0, 120), 0);
	assert_int_equal(add(&queue, &aged, 5, 60, 130), 0);
	assert_int_equal(queue_position(&queue, &urgent), 1);
	assert_int_equal(queue_position(&queue, &aged), 2);
	assert_int_equal(queue_position(&queue, &old), 3);
	assert_int_equal(queue_position(&queue, &young), 4);
	assert_int_equal(queue_position(&queue, &twin), 5);
	queue_reorder(&queue, &urgent, 5, -60 * (int64_t)SECOND);
	assert_int_equal(queue_position(&queue, &urgent), 5);
	assert_true(queue_waited(&urgent, 130 * SECOND) == 10 * SECOND);
}

static void an_absurd_age_counts_as_the_largest(void **state)
{
	struct queue_member members[3] = {0};
	struct queue queue;

	queue_init(&queue, 10);
	queue_enqueue(&queue, &members[0], 10, 5, INT64_MIN, 1, SECOND);
	queue_enqueue(&queue, &members[1], 10, 5, 0, 2, SECOND);
	queue_enqueue(&queue, &members[2], 10, 5, INT64_MAX, 3, SECOND);
	assert_int_equal(queue_position(&queue, &members[0]), 3);
	assert_int_equal(queue_position(&queue, &members[2]), 1);
}

static void R77_full_is_full(void **state)
{
	struct queue_member members[4] = {0};
	struct queue queue;

	queue_init(&queue, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(add(&queue, &members[i], 5, 0, 1), 0);
	assert_int_equal(add(&queue, &members[3], 5, 0, 1), -ENOSPC);
	assert_int_equal(queue_count(&queue), 3);
	assert_true(queue.figures.refused_full == 1);
	queue_remove(&queue, &members[0], QUEUE_ABANDONED, 2);
	assert_int_equal(add(&queue, &members[3], 5, 0, 3), 0);
}

static void R79_overflow_is_for_all_but_flows(void **state)
{
	struct queue queue;

	queue_init(&queue, 20);
	assert_int_equal(queue_limit_for(&queue, QUEUE_VIA_MOVE, 0), 20);
	assert_int_equal(queue_limit_for(&queue, QUEUE_VIA_FLOW, 20), 20);
	assert_int_equal(queue_limit_for(&queue, QUEUE_VIA_MOVE, 20), 24);
	assert_int_equal(queue_limit_for(&queue, QUEUE_VIA_TRANSFER, 20), 24);
	assert_int_equal(queue_limit_for(&queue, QUEUE_VIA_CALLBACK, 20), 24);
}

static void a_held_member_counts_and_keeps_its_place(void **state)
{
	struct queue_member first = {0}, second = {0};
	struct queue queue;

	queue_init(&queue, 2);
	add(&queue, &first, 5, 0, 1);
	add(&queue, &second, 5, 0, 2);
	queue_hold(&queue, &first, true);
	queue_hold(&queue, &first, true);
	assert_int_equal(queue.held, 1);
	assert_int_equal(queue_count(&queue), 2);
	assert_int_equal(queue_position(&queue, &first), 1);
	assert_ptr_equal(queue_pick(&queue, 0, 5 * SECOND), &second);
	queue_hold(&queue, &first, false);
	assert_int_equal(queue.held, 0);
	assert_ptr_equal(queue_pick(&queue, 0, 5 * SECOND), &first);
	queue_hold(&queue, &first, true);
	queue_remove(&queue, &first, QUEUE_ANSWERED, 5 * SECOND);
	assert_int_equal(queue.held, 0);
}

static void a_delay_looks_past_those_who_are_too_young(void **state)
{
	struct queue_member urgent = {0}, patient = {0};
	struct queue queue;

	queue_init(&queue, 10);
	add(&queue, &patient, 5, 0, 100);
	add(&queue, &urgent, 1, 0, 108);
	assert_ptr_equal(queue_pick(&queue, 0, 110 * SECOND), &urgent);
	assert_ptr_equal(queue_pick(&queue, 10 * SECOND, 110 * SECOND), &patient);
	assert_null(queue_pick(&queue, 11 * SECOND, 110 * SECOND));
	assert_ptr_equal(queue_pick(&queue, 10 * SECOND, 118 * SECOND), &urgent);
}

static void ages_and_figures(void **state)
{
	struct queue_member members[4] = {{.callback = true}};
	struct queue queue;

	queue_init(&queue, 10);
	assert_true(queue_oldest_age(&queue, 50 * SECOND) == 0);
	for (int i = 0; i < 4; i++)
		add(&queue, &members[i], 5, 0, 100 + (uint64_t)i);
	assert_int_equal(queue.callbacks, 1);
	assert_true(queue_oldest_age(&queue, 110 * SECOND) == 10 * SECOND);
	queue_remove(&queue, &members[0], QUEUE_ANSWERED, 105 * SECOND);
	queue_remove(&queue, &members[1], QUEUE_ABANDONED, 121 * SECOND);
	queue_remove(&queue, &members[2], QUEUE_MOVED, 121 * SECOND);
	queue_remove(&queue, &members[3], QUEUE_LEFT_BY_FLOW, 121 * SECOND);
	assert_int_equal(queue.callbacks, 0);
	assert_true(queue.figures.enqueued == 4);
	assert_true(queue.figures.answered == 1);
	assert_true(queue.figures.answered_wait_ns == 5 * SECOND);
	assert_true(queue.figures.answered_by_wait[0] == 1);
	assert_true(queue.figures.abandoned_wait_ns == 20 * SECOND);
	assert_true(queue.figures.moved == 1 && queue.figures.left_by_flow == 1);
	assert_true(queue.figures.longest_wait_ns == 20 * SECOND);
	assert_int_equal(queue.figures.most_members, 4);
	queue_reset_figures(&queue);
	assert_true(queue.figures.enqueued == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_priority_then_adjusted_age_then_arrival),
		cmocka_unit_test(an_absurd_age_counts_as_the_largest),
		cmocka_unit_test(R77_full_is_full),
		cmocka_unit_test(R79_overflow_is_for_all_but_flows),
		cmocka_unit_test(a_held_member_counts_and_keeps_its_place),
		cmocka_unit_test(a_delay_looks_past_those_who_are_too_young),
		cmocka_unit_test(ages_and_figures),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
