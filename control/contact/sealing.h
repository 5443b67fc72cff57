/* SPDX-License-Identifier: Apache-2.0 */
/* sealing: what a flow wants encrypted goes to the offload thread, and the answer back to the flow. */
#ifndef CONTACT_SEALING_H
#define CONTACT_SEALING_H

#include "flow/engine.h"

struct treatment;

/*
 * For FLOW_EFFECT_ENCRYPT_INPUT: treatment_answer() follows, OK with the text, or ERROR and a line of
 * the log that says why. A treatment that has gone, or another flow in it by then, is not answered.
 * A negative errno: not begun, and logged.
 */
int sealing_start(struct treatment *t, const struct flow_effect *effect);

#endif
