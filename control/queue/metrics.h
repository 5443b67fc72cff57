/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: the wallboard. What counts as what (the same numbers serve the flows' Check staffing,
 * Check queue status and Get queue metrics, the admin socket and the metrics page):
 *
 *   online          logged in, status not Offline
 *   staffed         online, and not in a custom status
 *   available       routable: can be offered a contact now
 *   on_contact      contact accepted, connected, on hold, in after-contact work, or being dialled
 *   busy            on_contact without after-contact work (what flows call busy)
 *   after_contact   after-contact work
 *   non_productive  in a custom status
 *   missed          a contact missed or rejected and not yet cleared
 *   error           as missed, or failed and not yet cleared
 *
 * A queue's agents are those whose routing profile holds it; of an agent's own queue, the agent.
 * Counts are kept as agents change, so a question costs the number of routing profiles that hold
 * the queue and never looks at agents or contacts.
 *
 * Service level X is the share, in percent, of contacts answered within X seconds among all that
 * were answered or abandoned; 100 when there was none.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

#include "queue/agent.h"
#include "queue/queue.h"

enum metrics_count {
	METRICS_ONLINE,
	METRICS_STAFFED,
	METRICS_AVAILABLE,
	METRICS_ON_CONTACT,
	METRICS_BUSY,
	METRICS_AFTER_CONTACT,
	METRICS_NON_PRODUCTIVE,
	METRICS_MISSED,
	METRICS_ERROR,
	METRICS_COUNT
};

struct metrics_agents {
	uint32_t count[METRICS_COUNT];
};

struct metrics_queue {
	uint32_t contacts;  /* in the queue, callbacks that are due included */
	uint32_t callbacks; /* of them */
	uint32_t held;      /* of them, being offered or in the agent whisper */
	uint32_t limit;
	uint64_t oldest_age_ns; /* 0 when empty */
	struct metrics_agents agents;
	struct queue_figures figures;
};

const char *metrics_count_name(enum metrics_count which); /* "online", "staffed", ... */

/* The counts that an agent is part of, one bit for each enum metrics_count. */
uint32_t metrics_classify(const struct agent *agent);

void metrics_agents_add(struct metrics_agents *agents, uint32_t classes);
void metrics_agents_subtract(struct metrics_agents *agents, uint32_t classes);
void metrics_agents_sum(struct metrics_agents *total, const struct metrics_agents *part);

/* Percent, 0 to 100. `within_s` between two bounds of the histogram counts up to the lower one. */
double metrics_service_level(const struct queue_figures *figures, uint32_t within_s);

/* Mean wait of answered contacts, 0 when none. */
uint64_t metrics_mean_answer_ns(const struct queue_figures *figures);

#endif
