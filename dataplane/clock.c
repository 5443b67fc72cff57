/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdbool.h>
#include <time.h>

/* A measured rate may be this part of the known one away from it. */
#define RATE_APART 20u

cord_time clock_kernel_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (cord_time)t.tv_sec * 1000000000u + (cord_time)t.tv_nsec;
}

static uint64_t wall_offset(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - clock_kernel_ns();
}

static void clock_store(struct clock_pair *pair, uint64_t tsc, uint64_t ns, uint64_t rate)
{
	uint32_t v = atomic_load_explicit(&pair->version, memory_order_relaxed);

	atomic_store_explicit(&pair->version, v + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&pair->tsc, tsc, memory_order_relaxed);
	atomic_store_explicit(&pair->ns, ns, memory_order_relaxed);
	atomic_store_explicit(&pair->ns_per_tsc_q32, rate, memory_order_relaxed);
	atomic_store_explicit(&pair->wall_offset_ns, wall_offset(), memory_order_relaxed);
	atomic_store_explicit(&pair->version, v + 2, memory_order_release);
}

void clock_start(struct clock_pair *pair, uint64_t tsc_hz)
{
	uint64_t rate = (uint64_t)(((unsigned __int128)1000000000u << 32) / tsc_hz);

	atomic_store_explicit(&pair->version, 0, memory_order_relaxed);
	clock_store(pair, clock_tsc(), clock_kernel_ns(), rate);
}

/* The machine slept or was moved when the two clocks disagree: the rate is then the old one. */
static bool rate_plausible(uint64_t rate, uint64_t measured)
{
	uint64_t apart = measured > rate ? measured - rate : rate - measured;

	return apart <= rate / RATE_APART;
}

void clock_publish(struct clock_pair *pair)
{
	uint64_t tsc0 = atomic_load_explicit(&pair->tsc, memory_order_relaxed);
	uint64_t ns0 = atomic_load_explicit(&pair->ns, memory_order_relaxed);
	uint64_t rate = atomic_load_explicit(&pair->ns_per_tsc_q32, memory_order_relaxed);
	uint64_t before = clock_tsc();
	uint64_t ns = clock_kernel_ns();
	uint64_t after = clock_tsc();

	/* A reading that was interrupted says nothing: keep the old pair. */
	if (after - before > 100000)
		return;
	if (before > tsc0 && ns > ns0 && ns - ns0 > 500000000u) {
		uint64_t measured =
			(uint64_t)(((unsigned __int128)(ns - ns0) << 32) / (before - tsc0));

		if (rate_plausible(rate, measured))
			rate = measured;
	}
	clock_store(pair, before, ns, rate);
}
