/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOCK_MONOTONIC without a system call: the main lcore publishes a pair (TSC, nanoseconds) and the
 * TSC's rate each second; workers convert. A machine that slept, or a guest that was moved, has a TSC
 * that jumped in either direction: the next pair puts it right, and time may go back then.
 */
#ifndef DATAPLANE_CLOCK_H
#define DATAPLANE_CLOCK_H

#include <cordboard/types.h>

#include <stdalign.h>
#include <stdatomic.h>

struct clock_pair {
	/* written by the main lcore; odd version: being written */
	alignas(64) _Atomic uint32_t version;
	_Atomic uint64_t tsc;
	_Atomic uint64_t ns;
	_Atomic uint64_t ns_per_tsc_q32; /* nanoseconds of a TSC cycle, 32 fraction bits */
	_Atomic uint64_t wall_offset_ns; /* CLOCK_REALTIME less CLOCK_MONOTONIC */
};

static inline uint64_t clock_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* CLOCK_MONOTONIC from the kernel. */
cord_time clock_kernel_ns(void);

/* Publishes the first pair. tsc_hz as the EAL measured it. */
void clock_start(struct clock_pair *pair, uint64_t tsc_hz);

/* Publishes a new pair; the rate follows the kernel's clock. */
void clock_publish(struct clock_pair *pair);

/* Now, as a worker sees it. */
static inline cord_time clock_now_ns(const struct clock_pair *pair, uint64_t tsc)
{
	uint64_t base, ns, rate;
	uint32_t before, after;

	do {
		before = atomic_load_explicit(&pair->version, memory_order_acquire);
		base = atomic_load_explicit(&pair->tsc, memory_order_relaxed);
		ns = atomic_load_explicit(&pair->ns, memory_order_relaxed);
		rate = atomic_load_explicit(&pair->ns_per_tsc_q32, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&pair->version, memory_order_relaxed);
	} while ((before & 1) || before != after);
	if (tsc < base)
		return ns;
	return ns + (uint64_t)(((unsigned __int128)(tsc - base) * rate) >> 32);
}

/* CLOCK_REALTIME of a moment. */
static inline uint64_t clock_wall_ns(const struct clock_pair *pair, cord_time now_ns)
{
	return now_ns + atomic_load_explicit(&pair->wall_offset_ns, memory_order_relaxed);
}

/* As NTP says it (RFC 3550 section 4): seconds since 1900, 32 fraction bits. */
static inline uint64_t clock_ntp(uint64_t wall_ns)
{
	return (wall_ns / 1000000000u + 2208988800u) << 32 |
	       ((wall_ns % 1000000000u) << 32) / 1000000000u;
}

#endif
