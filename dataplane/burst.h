/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How losses lie: alone, or in bursts, as RFC 3611 section 4.7.2 tells them apart. A burst begins
 * and ends with a loss, and fewer than BURST_GMIN packets in a row come well in it; the rest, losses
 * that stand alone included, is gap. Only a loss costs anything: packets that came are told as a
 * count that grows. Pure.
 */
#ifndef BURST_H
#define BURST_H

#include <stdint.h>

#define BURST_GMIN 16u

/* All zero is a stream without loss. */
struct burst {
	uint32_t good_at;  /* count of packets that had come at the last loss */
	uint32_t run;      /* packets since the first loss of what may be a burst, */
	uint32_t run_lost; /* lost ones of them; 0: there was no loss yet */
	uint32_t bursts, burst_packets, burst_lost; /* that are over */
	uint32_t gap_lost;                          /* losses that stand alone */
	uint32_t lost, stretches; /* all, and in how many stretches without a good one between */
};

/* `lost` packets in a row were missing, when `good` had come. */
void burst_lost(struct burst *b, uint32_t good, uint32_t lost);

struct burst_figures {
	uint8_t burst_density, gap_density;  /* lost of 256 */
	uint32_t burst_packets, gap_packets; /* mean length, in packets */
};

/* How it is by now, when `good` packets have come. What goes on counts with the rest. */
struct burst_figures burst_figures(const struct burst *b, uint32_t good);

#endif
