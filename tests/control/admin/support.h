/* SPDX-License-Identifier: Apache-2.0 */
/* A table of verbs with nothing behind it, and an event store in memory. */
#ifndef TESTS_ADMIN_SUPPORT_H
#define TESTS_ADMIN_SUPPORT_H

#include "admin/rpc.h"
#include "store/events.h"

/* fake.add {a, b} (desktop, changes), fake.get {name, list, flag} (reader), fake.late (reader),
 * fake.refuse {code}, fake.contact {contact} (supervisor, versioned), fake.large {bytes}. */
extern const struct verb_group fake_verbs;
extern unsigned fake_added; /* calls of fake.add that ran */

/* Answers all calls of fake.late that wait. */
void fake_answer_late(void);
unsigned fake_late_waiting(void);

/* ---- events, in place of the store ---- */

struct events *fake_events_new(unsigned keep);
void fake_events_free(struct events *events);
uint64_t fake_event(struct events *events, const char *topic, const char *json);
/* Reads are answered by this, not before. */
bool fake_events_answer(struct events *events);

#endif
