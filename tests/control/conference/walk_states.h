/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of states that a walk has met. Two states are the same when one becomes the other by giving
 * the parties other slots: slots are names, and the walk shows that they are no more than that. The
 * way a party was added (`via`) is a label too; who added it counts only in three-party mode.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conference/conference.h"

/* The parties as numbers, sorted; an agent's number has its listeners in it. */
struct state_key {
	uint32_t party[CONFERENCE_PARTIES_MAX];
};

struct state_set {
	struct conference *states; /* in the order in which they were met */
	struct state_key *keys;
	uint32_t *table; /* index + 1; 0 is free */
	size_t count, capacity, table_size;
};

struct state_key state_key(const struct conference *c);
bool state_same(const struct conference *a, const struct conference *b);
/* With the same slots and labels too. */
bool state_identical(const struct conference *a, const struct conference *b);

void state_set_init(struct state_set *set);
void state_set_free(struct state_set *set);
/* False when it was met before. */
bool state_set_add(struct state_set *set, const struct conference *c);

/* The same call with party i in slot to[i]. */
struct conference state_renamed(
	const struct conference *c, const uint8_t to[CONFERENCE_PARTIES_MAX]);
