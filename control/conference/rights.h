/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights: who may do what on a call with more than one agent, as one table for each mode. Primary is
 * the first agent on the call, secondary any other; a barging supervisor may do everything but add.
 *
 *   three-party (default)  an agent adds one: agent, customer, one other. Hold, resume, swap, join,
 *                          hold all, disconnect are the primary's: over the customer and the party it
 *                          added; what somebody added who has left counts as the primary's. A
 *                          secondary may leave and mute itself; it gets the rest when the primary has
 *                          left (R52, R54). Mute: oneself.
 *   multi-party            any agent, any party, itself included, from the moment it accepts; six
 *                          parties with the customer, one on the way at a time. Swap: while there are
 *                          three. Mute: any, but only oneself while a supervisor barges.
 *
 * A supervisor who listens may leave, mute itself and change what it does. Nobody has a right over a
 * supervisor's connection but the supervisor.
 */
#pragma once

#include "conference/conference.h"

/* 0, or a refusal as conference_do() gives it. `subject` CONFERENCE_NOBODY for verbs without one. */
int rights_check(const struct conference *c, unsigned actor, enum conference_verb verb,
	unsigned subject, char why[CONFERENCE_WHY_SIZE]);
/* Whether anybody may do it now. */
bool rights_somebody(const struct conference *c, enum conference_verb verb, unsigned subject);
