/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers as a pure data structure: time comes in as an argument.
 *
 * A `struct timer` lives inside the record that it serves. It fires once, at the first timers_run()
 * whose now is at or behind its moment; timers of one moment fire in the order in which they were
 * set. Set and cancel cost O(log n) at worst (a 4-ary heap), mostly less.
 *
 * Inside a callback any timer may be set, set again or cancelled, also the one that fires (it is
 * unset by then), and its record may be freed. A timer set by a callback for a moment that is not
 * in the future fires in the next timers_run(), never in the same one.
 *
 * A timer that is set must be cancelled before its memory goes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMERS_NEVER UINT64_MAX

typedef void (*timer_fn)(void *ctx, uint64_t now_ns);

struct timer {
	timer_fn fn;
	void *ctx;
	uint64_t when_ns;
	size_t place; /* in the heap, from 1; 0: not set */
};

struct timers_entry;

struct timers {
	struct timers_entry *heap;
	size_t n, room;
	uint64_t sequence;
	uint64_t now_ns;
};

/* The structure starts at `now_ns`. The heap grows as needed; no memory there is a failed CHECK. */
void timers_init(struct timers *t, uint64_t now_ns);
/* Unsets all timers and releases the heap. */
void timers_clear(struct timers *t);

/* A timer must be initialised once before any other use; memory of zeros may be passed to
 * timers_cancel() and timer_is_set(). */
void timer_init(struct timer *timer, timer_fn fn, void *ctx);
/* Sets, or moves when set already. A moment in the past means "now". */
void timers_set(struct timers *t, struct timer *timer, uint64_t when_ns);
/* timers_now() + delay. */
void timers_set_in(struct timers *t, struct timer *timer, uint64_t delay_ns);
void timers_cancel(struct timers *t, struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* Moment of the earliest timer, TIMERS_NEVER without one. */
uint64_t timers_next(const struct timers *t);
/* Fires what is due; time never goes back (an earlier now counts as the last one). Returns how
 * many fired. Must not be called from a callback. */
size_t timers_run(struct timers *t, uint64_t now_ns);
/* The last now given. */
uint64_t timers_now(const struct timers *t);
size_t timers_count(const struct timers *t);
