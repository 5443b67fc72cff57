/* SPDX-License-Identifier: Apache-2.0 */
#include "jitter_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

uint32_t path_draw(unsigned *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static uint64_t leaves(const struct path *p, unsigned n)
{
	int64_t step = (int64_t)(p->ptime_ms * MS);

	return p->first_ns + (uint64_t)((int64_t)n * (step - step * p->drift_ppm / 1000000));
}

/* Arrival times; 0: lost. */
static uint64_t *arrivals(const struct path *p)
{
	uint64_t *at = calloc(p->packets, sizeof(*at));
	unsigned seed = p->seed;

	for (unsigned n = 0; n < p->packets; n++) {
		unsigned from = n;
		if (p->burst != 0 && n >= p->burst_at) {
			unsigned in =
				(n - p->burst_at) % (p->burst_every ? p->burst_every : UINT16_MAX);
			if (in < p->burst)
				from = n - in + p->burst - 1;
		}
		at[n] = leaves(p, from) + n - from + p->burst;
		if (p->noise_ns != 0)
			at[n] += (uint64_t)((
				int64_t)(path_draw(&seed) % (uint64_t)(2 * p->noise_ns + 1)));
		if (path_draw(&seed) % 1000 < p->loss_per_mille)
			at[n] = 0;
	}
	return at;
}

void path_insert(
	struct jitter *j, const struct path *p, unsigned n, uint64_t now, struct outcome *o)
{
	struct jitter_packet packet = {
		.handle = n + 1,
		.sequence = (uint16_t)(p->sequence + n),
		.timestamp = p->timestamp + n * p->ptime_ms * p->clock_khz,
		.samples = (uint16_t)(p->ptime_ms * p->clock_khz),
		.marker = n == 0,
	};
	uint32_t flushed[JITTER_SLOTS];

	switch (jitter_insert(j, &packet, now)) {
	case JITTER_TAKEN:
		o->taken++;
		break;
	case JITTER_LATE:
		o->late++;
		break;
	case JITTER_DUPLICATE:
		o->duplicate++;
		break;
	case JITTER_OVERFLOW:
		o->overflow++;
		break;
	case JITTER_RESET:
		o->reset++;
		o->dropped += jitter_flush(j, flushed);
		assert_int_equal(jitter_insert(j, &packet, now), JITTER_TAKEN);
		break;
	}
	if (jitter_depth(j) > o->depth_max)
		o->depth_max = jitter_depth(j);
}

static void played(const struct path *p, struct outcome *o, uint32_t handle, uint64_t due,
	uint32_t *last, unsigned *holes)
{
	uint64_t delay = due - leaves(p, handle - 1);

	if (o->frames++ == 0)
		o->delay_first_ns = delay;
	else
		o->after_first += *holes;
	*holes = 0;
	o->disorder += handle <= *last;
	*last = handle;
	o->delay_last_ns = delay;
	if (delay > o->delay_max_ns)
		o->delay_max_ns = delay;
}

void path_tick(struct jitter *j, const struct path *p, struct outcome *o, uint64_t due,
	unsigned *stored_ms, uint32_t *last, unsigned *holes)
{
	while (*stored_ms < 20) {
		uint32_t handle = 0;
		enum jitter_frame frame = jitter_pop(j, due, p->quiet, &handle);

		o->confirmed += jitter_concealed(j);
		if (frame == JITTER_DROP) {
			assert_int_not_equal(handle, 0);
			o->dropped++;
			continue;
		}
		*stored_ms += p->ptime_ms;
		if (frame == JITTER_FRAME) {
			assert_int_not_equal(handle, 0);
			played(p, o, handle, due, last, holes);
			continue;
		}
		assert_int_equal(handle, 0);
		*holes += 1;
		o->concealed += frame == JITTER_CONCEAL;
		o->stretched += frame == JITTER_STRETCH;
		o->silent += frame == JITTER_SILENCE;
	}
	*stored_ms -= 20;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = *(const uint64_t *const *)a, *y = *(const uint64_t *const *)b;

	return *x != *y ? (*x < *y ? -1 : 1) : (x < y ? -1 : 1);
}

struct outcome path_run(struct jitter *j, const struct path *p)
{
	uint64_t *at = arrivals(p);
	uint64_t **order = calloc(p->packets, sizeof(*order));
	struct outcome o = {0};
	unsigned seed = p->seed + 77, next = 0, stored_ms = 0, holes = 0;
	uint32_t last = 0;
	uint64_t end = leaves(p, p->packets) + 400 * MS;

	for (unsigned n = 0; n < p->packets; n++)
		order[n] = &at[n];
	qsort(order, p->packets, sizeof(*order), by_time);
	for (uint64_t due = p->tick_ns; due < end; due += 20 * MS) {
		uint64_t stall = p->stall_ns ? path_draw(&seed) * 64ull % p->stall_ns : 0;
		uint64_t ran = due + stall;

		/* What came before the worker was late is read in time, the rest when it runs
		 * again. */
		for (; next < p->packets && *order[next] <= ran; next++) {
			uint64_t came = *order[next];
			if (came != 0)
				path_insert(j, p, (unsigned)(order[next] - at),
					came < due ? came : ran, &o);
		}
		path_tick(j, p, &o, due, &stored_ms, &last, &holes);
	}
	o.dropped += jitter_depth(j);
	free(order);
	free(at);
	return o;
}

struct path path_even(void)
{
	return (struct path){
		.first_ns = 5000 * MS,
		.tick_ns = 4900 * MS,
		.ptime_ms = 20,
		.clock_khz = 8,
		.packets = 500,
		.sequence = 100,
		.timestamp = 1000,
	};
}

void path_assert_perfect(const struct outcome *o, unsigned packets)
{
	assert_int_equal(o->frames, packets);
	assert_int_equal(o->after_first, 0);
	assert_int_equal(o->dropped, 0);
	assert_int_equal(o->stretched, 0);
	assert_int_equal(o->confirmed, 0);
	assert_int_equal(o->disorder, 0);
	assert_int_equal(o->late + o->duplicate + o->overflow + o->reset, 0);
}
