/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well Opus may be encoded in the time there is. Each phase says how much of its time it took:
 * one that took nearly all of it lowers the complexity by a step, before the next ones would be
 * late; only a long calm raises it again. In between nothing changes, so that what a step costs does
 * not take it back at once. Pure, inline.
 */
#ifndef DATAPLANE_PACE_H
#define DATAPLANE_PACE_H

#include <cordboard/limits.h>

#include <stdbool.h>
#include <stdint.h>

#define PACE_COMPLEXITY_MAX 10u /* that of libopus */
/* Shares of a phase's time, and phases in a row (5 s) that take no more than the low one. */
#define PACE_HIGH_PERCENT 80u
#define PACE_LOW_PERCENT  50u
#define PACE_CALM         (250u * CORD_PHASES)

struct pace {
	uint32_t complexity; /* most that Opus is encoded with, 0..PACE_COMPLEXITY_MAX */
	uint32_t calm;       /* phases in a row */
};

static inline void pace_init(struct pace *p)
{
	*p = (struct pace){.complexity = PACE_COMPLEXITY_MAX};
}

/*
 * A phase is over that took `cycles` of the `budget` until the next one with rooms. opus: it encoded
 * some, else there is nothing to gain. True: the complexity was lowered.
 */
static inline bool pace_step(struct pace *p, uint64_t cycles, uint64_t budget, bool opus)
{
	if (cycles > budget / 100 * PACE_LOW_PERCENT || p->complexity == PACE_COMPLEXITY_MAX)
		p->calm = 0;
	else if (++p->calm == PACE_CALM) {
		p->calm = 0;
		p->complexity++;
	}
	if (cycles <= budget / 100 * PACE_HIGH_PERCENT || !opus || p->complexity == 0)
		return false;
	p->complexity--;
	return true;
}

#endif
