/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timers.h"

#include <stdlib.h>

#include "base/check.h"

#define TIMERS_ROOM_MIN 256
#define TIMERS_WAYS     4

/* The key is kept beside the pointer, so that sifting reads the heap alone. */
struct timers_entry {
	uint64_t when_ns;
	uint64_t sequence;
	struct timer *timer;
};

void timers_init(struct timers *t, uint64_t now_ns)
{
	*t = (struct timers){.now_ns = now_ns};
}

void timers_clear(struct timers *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->heap[i].timer->place = 0;
	free(t->heap);
	t->heap = NULL;
	t->n = t->room = 0;
}

void timer_init(struct timer *timer, timer_fn fn, void *ctx)
{
	*timer = (struct timer){.fn = fn, .ctx = ctx};
}

static bool before(const struct timers_entry *a, const struct timers_entry *b)
{
	return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->sequence < b->sequence;
}

static void place(struct timers *t, size_t at, struct timers_entry entry)
{
	t->heap[at] = entry;
	entry.timer->place = at + 1;
}

static void sift_up(struct timers *t, size_t at, struct timers_entry entry)
{
	while (at > 0) {
		size_t parent = (at - 1) / TIMERS_WAYS;

		if (!before(&entry, &t->heap[parent]))
			break;
		place(t, at, t->heap[parent]);
		at = parent;
	}
	place(t, at, entry);
}

static size_t least_child(const struct timers *t, size_t at)
{
	size_t first = at * TIMERS_WAYS + 1, least = first;

	for (size_t i = first + 1; i < first + TIMERS_WAYS && i < t->n; i++)
		if (before(&t->heap[i], &t->heap[least]))
			least = i;
	return least;
}

static void sift_down(struct timers *t, size_t at, struct timers_entry entry)
{
	for (;;) {
		size_t child = least_child(t, at);

		if (child >= t->n || !before(&t->heap[child], &entry))
			break;
		place(t, at, t->heap[child]);
		at = child;
	}
	place(t, at, entry);
}

static void settle(struct timers *t, size_t at, struct timers_entry entry)
{
	if (at > 0 && before(&entry, &t->heap[(at - 1) / TIMERS_WAYS]))
		sift_up(t, at, entry);
	else
		sift_down(t, at, entry);
}

static void make_room(struct timers *t)
{
	size_t room = t->room ? t->room * 2 : TIMERS_ROOM_MIN;
	struct timers_entry *heap;

	if (t->n < t->room)
		return;
	heap = realloc(t->heap, room * sizeof(*heap));
	CHECK(heap);
	t->heap = heap;
	t->room = room;
}

void timers_set(struct timers *t, struct timer *timer, uint64_t when_ns)
{
	struct timers_entry entry;

	CHECK(timer->fn);
	timer->when_ns = when_ns < t->now_ns ? t->now_ns : when_ns;
	entry = (struct timers_entry){timer->when_ns, t->sequence++, timer};
	if (timer->place) {
		CHECK(timer->place <= t->n && t->heap[timer->place - 1].timer == timer);
		settle(t, timer->place - 1, entry);
		return;
	}
	make_room(t);
	sift_up(t, t->n++, entry);
}

void timers_set_in(struct timers *t, struct timer *timer, uint64_t delay_ns)
{
	uint64_t when_ns;

	if (__builtin_add_overflow(t->now_ns, delay_ns, &when_ns))
		when_ns = TIMERS_NEVER - 1;
	timers_set(t, timer, when_ns);
}

void timers_cancel(struct timers *t, struct timer *timer)
{
	size_t at = timer->place;

	if (!at)
		return;
	CHECK(at <= t->n && t->heap[at - 1].timer == timer);
	timer->place = 0;
	t->n--;
	if (at - 1 < t->n)
		settle(t, at - 1, t->heap[t->n]);
}

bool timer_is_set(const struct timer *timer)
{
	return timer->place != 0;
}

uint64_t timers_next(const struct timers *t)
{
	return t->n ? t->heap[0].when_ns : TIMERS_NEVER;
}

size_t timers_run(struct timers *t, uint64_t now_ns)
{
	uint64_t end = t->sequence;
	size_t fired = 0;

	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	/* What a callback sets is never before now, so it sorts behind all that was due already. */
	while (t->n && t->heap[0].when_ns <= t->now_ns && t->heap[0].sequence < end) {
		struct timer *timer = t->heap[0].timer;

		timers_cancel(t, timer);
		fired++;
		timer->fn(timer->ctx, t->now_ns);
	}
	return fired;
}

uint64_t timers_now(const struct timers *t)
{
	return t->now_ns;
}

size_t timers_count(const struct timers *t)
{
	return t->n;
}
