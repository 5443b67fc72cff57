/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving: every packet gets one verdict, which is its counter, and one exit.
 */
#ifndef DATAPLANE_RX_H
#define DATAPLANE_RX_H

#include "worker.h"

/*
 * Judges one frame from the NIC or from another worker, counts its verdict, and keeps the packet or
 * frees it.
 */
void rx_packet(struct worker *w, struct rte_mbuf *m);

/* Judges n frames, fetching ahead. */
void rx_burst(struct worker *w, struct rte_mbuf **packet, uint32_t n);

/* Takes what the NIC has, a few bursts at most. Returns how many. */
uint32_t rx_step(struct worker *w);

#endif
