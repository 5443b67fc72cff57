/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events to control. An event that finds the ring full is counted and lost; what it would have said
 * stays readable in the status of its port. Only DONE is never lost: command_step() takes no
 * command while the ring has no room for its answer.
 */
#ifndef DATAPLANE_EVENT_H
#define DATAPLANE_EVENT_H

#include "worker.h"

/* Whether one more event fits. */
bool event_room(struct worker *w);

void event_done(struct worker *w, const struct cord_message *command, enum cord_refusal refusal);
void event_media_first(struct worker *w, cord_id port);
void event_media_lost(struct worker *w, cord_id port);
void event_media_back(struct worker *w, cord_id port);
void event_media_learned(struct worker *w, cord_id port, const struct cord_address *address);
void event_digit(struct worker *w, cord_id port, uint32_t sequence, char digit);
void event_player_end(struct worker *w, cord_id port, uint32_t generation);
void event_digits_sent(struct worker *w, cord_id port);

/* Wakes control if it sleeps and something was written; at most once in a phase. */
void event_wake(struct worker *w);

#endif
