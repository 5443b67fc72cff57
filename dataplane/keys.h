/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in the sound, a step of a room's tick behind take(): what a peer without telephone-events
 * says is listened to, its keys are told like any other, and nobody hears their tones.
 */
#ifndef DATAPLANE_KEYS_H
#define DATAPLANE_KEYS_H

#include "worker.h"

/* Listens to member i, whose port has PORT_INBAND; while a key sounds it says nothing. */
void keys_listen(struct worker *w, const struct room *r, uint32_t i);

#endif
