/* SPDX-License-Identifier: Apache-2.0 */
#include "burst.h"

/* The run is over: a loss alone belongs to the gap around it. */
static void close_run(struct burst *b)
{
	if (b->run_lost == 1) {
		b->gap_lost++;
	} else if (b->run_lost > 1) {
		b->bursts++;
		b->burst_packets += b->run;
		b->burst_lost += b->run_lost;
	}
	b->run = 0;
	b->run_lost = 0;
}

void burst_lost(struct burst *b, uint32_t good, uint32_t lost)
{
	uint32_t between = good - b->good_at;

	if (lost == 0)
		return;
	if (between >= BURST_GMIN || b->run_lost == 0)
		close_run(b);
	else
		b->run += between;
	b->stretches += between != 0 || b->lost == 0;
	b->run += lost;
	b->run_lost += lost;
	b->lost += lost;
	b->good_at = good;
}

static uint8_t share(uint32_t part, uint32_t all)
{
	uint64_t of_256 = all ? (uint64_t)part * 256 / all : 0;

	return (uint8_t)(of_256 < 255 ? of_256 : 255);
}

struct burst_figures burst_figures(const struct burst *b, uint32_t good)
{
	struct burst now = *b;

	close_run(&now);
	uint32_t all = good + now.lost;
	uint32_t gap = all > now.burst_packets ? all - now.burst_packets : 0;

	return (struct burst_figures){
		.burst_density = share(now.burst_lost, now.burst_packets),
		.gap_density = share(now.gap_lost, gap),
		.burst_packets = now.bursts ? now.burst_packets / now.bursts : 0,
		.gap_packets = gap / (now.bursts + 1),
	};
}
