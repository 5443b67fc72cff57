/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last step of a room's tick: one packet for each member that may send, keys in place of sound.
 */
#ifndef DATAPLANE_SEND_H
#define DATAPLANE_SEND_H

#include "worker.h"

/* Sends member i the codes of this period; its own packet is used where it is not needed any more. */
void send_codes(
	struct worker *w, struct port *p, uint32_t i, uint32_t period, const uint8_t *codes);

#endif
