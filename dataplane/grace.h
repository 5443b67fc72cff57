/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the main lcore may believe that no worker still holds a pointer that it found in a table:
 * after the pointer was taken out, every worker has begun another pass, and the one before has
 * ended. Workers look up and count themselves as users within one pass. Main lcore alone.
 */
#ifndef DATAPLANE_GRACE_H
#define DATAPLANE_GRACE_H

#include <cordboard/limits.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Zero it when the pointer leaves the table. */
struct grace {
	uint64_t passes[CORD_WORKERS_MAX]; /* of each worker after it left */
	bool noted;                        /* passes[] says so */
};

/* passes: begun by each worker, read just now; the first call only notes them. */
static inline bool grace_over(struct grace *g, const uint64_t *passes, uint32_t workers)
{
	if (!g->noted) {
		memcpy(g->passes, passes, workers * sizeof(*passes));
		g->noted = true;
		return false;
	}
	for (uint32_t w = 0; w < workers; w++) {
		if (passes[w] < g->passes[w] + 2)
			return false;
	}
	return true;
}

#endif
