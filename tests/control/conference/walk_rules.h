/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in each state of a call and after each step, told a second time and from outside:
 * from what one hears and from the table in conference.h, not from how it is done. Each returns NULL,
 * or the rule that does not hold.
 */
#pragma once

#include <stdbool.h>

#include "conference/conference.h"

/* A verb or event, done. */
struct step {
	bool is_verb;
	unsigned what;    /* the verb or event */
	unsigned actor;   /* an event's party */
	unsigned subject; /* CONFERENCE_NOBODY; of ADD the new slot */
};

const char *state_rule(const struct conference *c);
/* Everybody can hang up one after the other, and a party on the way can arrive. */
const char *progress_rule(const struct conference *c);
const char *step_rule(
	const struct conference *before, const struct conference *after, const struct step *step);
