/* SPDX-License-Identifier: Apache-2.0 */
/* A NIC whose wire ends in memory: a bench puts in what is received, and takes what was sent. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include "nic.h"

struct wire {
	struct nic nic;
	struct rte_ring *rx, *tx;
};

/*
 * With a pool of so many packets, and rings of so many slots (a power of 2). The EAL must run; where
 * there is no memory the program ends.
 */
void wire_make(struct wire *w, uint32_t packets, uint32_t slots);

#endif
