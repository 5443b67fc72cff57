/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending: packets gather in the worker and leave in bursts. Phases spread them over the period.
 */
#ifndef DATAPLANE_TX_H
#define DATAPLANE_TX_H

#include "worker.h"

#define TX_BURST 32u

/*
 * Sends an RTP packet of a port with its next sequence number. `reuse` is a received packet that is
 * not needed any more, or NULL: one is taken from the pool. Counts `counter` or why it was not
 * sent; the sequence number is spent either way, so that the peer sees the loss.
 */
void tx_rtp(struct worker *w, struct port *p, struct rte_mbuf *reuse, enum cord_counter counter,
	bool marker, uint8_t payload_type, uint32_t timestamp, const uint8_t *payload,
	uint16_t bytes);

/* Sends an RTCP report of a port, bye: its last. Nothing where the terms say that none is sent. */
void tx_rtcp(struct worker *w, struct port *p, bool bye);

/* Sends a whole frame that is not media; it is counted as `counter`. */
void tx_frame(struct worker *w, struct rte_mbuf *m, enum cord_counter counter);

/* Protects what ports with keys have sent so far, and lets it join what has gathered. */
void tx_protect(struct worker *w);

/* Gives what has gathered to the NIC. Returns how many it took. */
uint32_t tx_flush(struct worker *w);

#endif
