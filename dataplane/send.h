/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step of a room's tick: one packet for each member that may send, keys in place of sound.
 */
#ifndef DATAPLANE_SEND_H
#define DATAPLANE_SEND_H

#include "worker.h"

/*
 * Sends member i what it hears in this period, or a key in its place; its own packet is used where it
 * is not needed any more.
 */
void send_sound(struct worker *w, struct port *p, uint32_t i, uint32_t period, struct sound *s);

#endif
