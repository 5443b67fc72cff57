/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/queue.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/check.h"

#define SECOND_NS 1000000000ULL

const uint32_t queue_wait_bounds_s[QUEUE_WAIT_BUCKETS - 1] = {
	5, 10, 15, 20, 25, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1200};

static struct queue_member *member_of(struct order_node *node)
{
	return node ? (struct queue_member *)((char *)node - offsetof(struct queue_member, node))
		    : NULL;
}

void queue_init(struct queue *queue, uint32_t limit)
{
	memset(queue, 0, sizeof(*queue));
	queue->limit = limit;
}

uint32_t queue_limit_for(const struct queue *queue, enum queue_via via, uint32_t overflow_percent)
{
	if (via == QUEUE_VIA_FLOW)
		return queue->limit;
	return queue->limit + (uint32_t)((uint64_t)queue->limit * overflow_percent / 100);
}

static void place(
	struct queue *queue, struct queue_member *member, uint32_t priority, int64_t age_ns)
{
	if (age_ns > QUEUE_AGE_MAX_NS)
		age_ns = QUEUE_AGE_MAX_NS;
	else if (age_ns < -QUEUE_AGE_MAX_NS)
		age_ns = -QUEUE_AGE_MAX_NS;
	member->node.priority = priority;
	member->node.moment_ns = (int64_t)member->node.since_ns - age_ns;
	order_insert(&queue->line, &member->node);
}

int queue_enqueue(struct queue *queue, struct queue_member *member, uint32_t limit,
	uint32_t priority, int64_t age_ns, uint64_t sequence, uint64_t now_ns)
{
	uint32_t count = queue_count(queue);

	if (count >= limit) {
		queue->figures.refused_full++;
		return -ENOSPC;
	}
	member->node.sequence = sequence;
	member->node.since_ns = now_ns;
	member->node.open = true;
	place(queue, member, priority, age_ns);
	queue->callbacks += member->callback;
	queue->figures.enqueued++;
	if (count + 1 > queue->figures.most_members)
		queue->figures.most_members = count + 1;
	return 0;
}

static void count_answered(struct queue_figures *figures, uint64_t waited_ns)
{
	uint32_t bucket = 0;

	while (bucket < QUEUE_WAIT_BUCKETS - 1 &&
		waited_ns > queue_wait_bounds_s[bucket] * SECOND_NS)
		bucket++;
	figures->answered_by_wait[bucket]++;
	figures->answered++;
	figures->answered_wait_ns += waited_ns;
}

static void count_exit(struct queue_figures *figures, enum queue_exit how, uint64_t waited_ns)
{
	if (waited_ns > figures->longest_wait_ns)
		figures->longest_wait_ns = waited_ns;
	switch (how) {
	case QUEUE_ANSWERED:
		count_answered(figures, waited_ns);
		break;
	case QUEUE_ABANDONED:
		figures->abandoned++;
		figures->abandoned_wait_ns += waited_ns;
		break;
	case QUEUE_MOVED:
		figures->moved++;
		break;
	case QUEUE_LEFT_BY_FLOW:
		figures->left_by_flow++;
		break;
	}
}

void queue_remove(
	struct queue *queue, struct queue_member *member, enum queue_exit how, uint64_t now_ns)
{
	order_remove(&queue->line, &member->node);
	queue->callbacks -= member->callback;
	queue->held -= !member->node.open;
	count_exit(&queue->figures, how, queue_waited(member, now_ns));
}

void queue_reorder(
	struct queue *queue, struct queue_member *member, uint32_t priority, int64_t age_ns)
{
	order_remove(&queue->line, &member->node);
	place(queue, member, priority, age_ns);
}

void queue_hold(struct queue *queue, struct queue_member *member, bool held)
{
	if (member->node.open == !held)
		return;
	order_set_open(&queue->line, &member->node, !held);
	queue->held += held ? 1 : -1u;
}

struct queue_member *queue_pick(struct queue *queue, uint64_t delay_ns, uint64_t now_ns)
{
	if (delay_ns > now_ns)
		return NULL;
	return member_of(order_first_open(&queue->line, now_ns - delay_ns));
}

struct queue_member *queue_pick_fit(struct queue *queue, uint64_t delay_ns, uint64_t now_ns,
	bool (*fits)(void *context, const struct order_node *node), void *context)
{
	if (delay_ns > now_ns)
		return NULL;
	return member_of(order_first_fit(&queue->line, now_ns - delay_ns, fits, context));
}

uint32_t queue_position(struct queue *queue, const struct queue_member *member)
{
	return order_rank(&queue->line, &member->node) + 1;
}

uint32_t queue_count(const struct queue *queue)
{
	return order_size(&queue->line);
}

uint64_t queue_oldest_age(const struct queue *queue, uint64_t now_ns)
{
	uint64_t oldest = order_oldest(&queue->line);

	return oldest < now_ns ? now_ns - oldest : 0;
}

uint64_t queue_waited(const struct queue_member *member, uint64_t now_ns)
{
	return member->node.since_ns < now_ns ? now_ns - member->node.since_ns : 0;
}

void queue_reset_figures(struct queue *queue)
{
	memset(&queue->figures, 0, sizeof(queue->figures));
	queue->figures.most_members = queue_count(queue);
}
