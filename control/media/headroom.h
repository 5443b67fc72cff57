/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much time of each worker's core calls take, and how much another would. Pure: counters come
 * in. Everything is ns of a period of 20 ms (CORD_TICK_NS).
 *
 * A measurement says how much of the core was busy since the last one, and how full the fullest
 * phase was; the greater of the two is *taken*. What a leg costs follows from it: the way of its
 * packets, which differs from NIC to NIC by a factor of a hundred, and the arithmetic of its codec
 * and cipher, which is known but for the speed of the core. Whichever of the two is the greater part
 * of a measurement is learned from it; a leg is never held to cost more than its share of all that a
 * worker did, or than a hundredth of a core. Before anything was measured, limits of a machine like
 * ours stand in. The counters are the dataplane's: what one worker says is believed of that worker
 * alone.
 *
 *	expected = taken + what the legs of since then cost, less those that went
 *	                 + what the legs cost that rooms still wait for
 *
 * A room waits for HEADROOM_ROOM_LEGS from its first moment, so that a call that was accepted can be
 * given an agent, and a burst of arrivals is spread before its legs exist.
 */
#pragma once

#include <stdint.h>

#include <cordboard/messages.h>

#define HEADROOM_ROOM_LEGS 2u

/* What rooms have and wait for. */
struct headroom_load {
	uint32_t legs;    /* whose peer is known */
	uint32_t awaited; /* others that are open, and those that the room is short of */
	uint64_t arithmetic_ns;
};

/* Counters of a worker, as they are now. */
struct headroom_sample {
	uint64_t busy_cycles, total_cycles;
	uint64_t phase_fullest; /* permille */
	uint64_t ports;
};

struct headroom_worker {
	struct headroom_sample sample; /* of the last measurement */
	struct headroom_load load, sampled;
	double sampled_legs, sampled_arithmetic_ns; /* on average, while `taken_ns` was measured */
	uint64_t busy_ns, phase_ns, taken_ns;
	double leg_ns;          /* of a leg, but for its arithmetic */
	double arithmetic_part; /* of what is known of arithmetic: how much it takes here */
};

struct headroom {
	unsigned workers;
	struct headroom_worker worker[CORD_WORKERS_MAX];
};

/* Of a codec and cipher, both ways. */
uint64_t headroom_arithmetic_ns(const struct cord_terms *terms);

/* Nothing measured, nothing there; what was learned stays when there was something. */
void headroom_reset(struct headroom *h, unsigned workers);
/* A room of the worker has `now` instead of `before`. */
void headroom_change(struct headroom *h, unsigned worker, const struct headroom_load *before,
	const struct headroom_load *now);
void headroom_measure(struct headroom *h, unsigned worker, const struct headroom_sample *sample);

uint64_t headroom_expected_ns(const struct headroom *h, unsigned worker);
/* What another leg would take, as legs of the worker are on average. */
uint64_t headroom_leg_ns(const struct headroom *h, unsigned worker);
