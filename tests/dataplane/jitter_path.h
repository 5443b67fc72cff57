/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path and a worker in simulated time, for tests of the jitter buffer: the path delivers packets, the
 * worker reads them and ticks, with phase, noise, stalls, drift and loss as told.
 */
#ifndef JITTER_PATH_H
#define JITTER_PATH_H

#include "jitter.h"

#define MS 1000000ull

struct path {
	uint64_t first_ns; /* the first packet leaves */
	uint64_t tick_ns;  /* the first tick */
	int64_t noise_ns;  /* of arrivals, to both sides */
	uint64_t stall_ns; /* most that a tick is late */
	int64_t drift_ppm; /* sender's clock faster than ours */
	unsigned loss_per_mille;
	unsigned ptime_ms, clock_khz;
	unsigned packets;
	uint16_t sequence;
	uint32_t timestamp;
	bool quiet;
	unsigned seed;
	/* a burst: packets from burst_at on come together with burst_at + burst - 1 */
	unsigned burst_at, burst, burst_every;
};

struct outcome {
	unsigned frames, concealed, stretched, silent, dropped;
	unsigned taken, late, duplicate, overflow, reset;
	unsigned after_first; /* concealed, stretched or silent between the first frame and the last
			       */
	unsigned disorder;
	unsigned confirmed; /* by jitter_concealed() */
	unsigned depth_max;
	uint64_t delay_first_ns, delay_last_ns; /* from leaving to the tick that plays */
	uint64_t delay_max_ns;
};

/* 500 packets of 20 ms at 8 kHz, without noise, drift or loss. */
struct path path_even(void);

/* All packets, from the first tick until nothing comes any more. */
struct outcome path_run(struct jitter *j, const struct path *p);

/* The next of a row of numbers of 24 bits without order. */
uint32_t path_draw(unsigned *seed);

/* Packet n comes now. */
void path_insert(
	struct jitter *j, const struct path *p, unsigned n, uint64_t now, struct outcome *o);

/* One tick: pops until a whole period of sound is there; the last three are its state, zero at first. */
void path_tick(struct jitter *j, const struct path *p, struct outcome *o, uint64_t due,
	unsigned *stored_ms, uint32_t *last, unsigned *holes);

/* That so many packets were played, in order and with nothing between them. */
void path_assert_perfect(const struct outcome *o, unsigned packets);

#endif
