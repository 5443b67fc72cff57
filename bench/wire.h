/* SPDX-License-Identifier: Apache-2.0 */
/* A NIC whose wire ends in memory: a bench puts in what is received, and takes what was sent. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include "nic.h"

struct wire {
	struct nic nic;
	struct rte_ring *rx, *tx;
	bool large_pages; /* packets are on some: where the machine has enough */
};

/*
 * Starts the EAL on lcores ("--lcores=…"), with a pool of so many packets, and rings of so many slots
 * (a power of 2). Where there is no memory the program ends.
 */
void wire_start(struct wire *w, const char *lcores, uint32_t packets, uint32_t slots);

#endif
