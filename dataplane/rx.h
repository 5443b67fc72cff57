/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: every packet gets one verdict, which is its counter, and one exit.
 */
#ifndef DATAPLANE_RX_H
#define DATAPLANE_RX_H

#include "worker.h"

/* Frames that are judged at a time. */
#define RX_BURST_MAX WORKER_EXCHANGE_BURST
_Static_assert(WORKER_RX_BURST <= RX_BURST_MAX, "bursts of the NIC and of other workers");

/*
 * Judges up to RX_BURST_MAX frames from the NIC or from another worker: counts the verdict of each,
 * and keeps it or frees it. Those of ports with keys are unprotected together, and then judged on.
 */
void rx_burst(struct worker *w, struct rte_mbuf **packet, uint32_t n);

/* Takes a burst of what the NIC has. Returns how many. */
uint32_t rx_step(struct worker *w);

#endif
