/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a received packet: one verdict, which is its counter, and whether it was kept;
 * then nobody frees it. One that waits has no verdict yet, and is not freed either.
 */
#ifndef DATAPLANE_EXIT_H
#define DATAPLANE_EXIT_H

#include <cordboard/counters.h>

#include <stdbool.h>

struct exit {
	enum cord_counter verdict;
	bool kept, waits;
};

static inline struct exit dropped(enum cord_counter verdict)
{
	return (struct exit){.verdict = verdict};
}

static inline struct exit kept(enum cord_counter verdict)
{
	return (struct exit){.verdict = verdict, .kept = true};
}

static inline struct exit waits(void)
{
	return (struct exit){.waits = true};
}

#endif
