/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first step of a room's tick: a frame from each member's jitter buffer, decoded where its
 * samples have to wait for each other or to be concealed. A packet of Opus that fills the period is
 * decoded, or made up when it was lost, when somebody needs its samples (listen_talk()).
 */
#ifndef DATAPLANE_TAKE_H
#define DATAPLANE_TAKE_H

#include "worker.h"

/* What member i of the room that is worked says in this period: into w->scratch.talk[i]. */
void take(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns);

/* Makes what talk[i].later promises. */
void take_samples(struct worker *w, struct port *p, uint32_t i);

/* At the end of the tick: nobody needed what talk[i].later promises. */
void take_unheard(struct worker *w, struct port *p, uint32_t i);

/* Notes whether the last frame of a port had talk in it. */
void take_note_level(struct port *p, const int16_t *pcm, uint32_t samples);

#endif
