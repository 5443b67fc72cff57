/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_states.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { PARTIES = CONFERENCE_PARTIES_MAX, NOBODY = CONFERENCE_NOBODY, LISTENER_BITS = 5 };

static int descending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* 1 to 31: there, on the call, muted, and what it does. */
static uint32_t supervisor_number(const struct party *party)
{
	return 1u | (uint32_t)(party->state == PARTY_CONNECTED) << 1 | (uint32_t)party->muted << 2 |
	       (uint32_t)party->watch << 3;
}

static uint32_t listeners_number(const struct conference *c, unsigned agent)
{
	uint32_t listeners[PARTIES] = {0}, number = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < PARTIES; i++) {
		if (c->party[i].state != PARTY_ABSENT && c->party[i].watched == agent)
			listeners[n++] = supervisor_number(&c->party[i]);
	}
	CHECK(n <= 3); /* the bits there are */
	qsort(listeners, n, sizeof(listeners[0]), descending);
	for (unsigned i = 0; i < n; i++)
		number = number << LISTENER_BITS | listeners[i];
	return number;
}

static uint32_t party_number(const struct conference *c, unsigned slot)
{
	const struct party *party = &c->party[slot];
	unsigned pending = conference_pending(c);
	bool source = pending != NOBODY && c->party[pending].source == slot;
	bool added = c->mode == CONFERENCE_THREE_PARTY && party->added_by != NOBODY;

	if (party->state == PARTY_ABSENT)
		return 0;
	if (party->role == PARTY_SUPERVISOR)
		return party->watched == NOBODY ? 1u << 31 | supervisor_number(party) : 0;
	return (uint32_t)party->state | (uint32_t)party->role << 3 | (uint32_t)party->muted << 5 |
	       (uint32_t)(slot == c->primary) << 6 | (uint32_t)source << 7 | (uint32_t)added << 8 |
	       listeners_number(c, slot) << 9;
}

struct state_key state_key(const struct conference *c)
{
	struct state_key key;

	for (unsigned i = 0; i < PARTIES; i++)
		key.party[i] = party_number(c, i);
	qsort(key.party, PARTIES, sizeof(key.party[0]), descending);
	return key;
}

bool state_same(const struct conference *a, const struct conference *b)
{
	struct state_key x = state_key(a), y = state_key(b);

	return a->mode == b->mode && memcmp(&x, &y, sizeof(x)) == 0;
}

static bool party_identical(const struct party *a, const struct party *b)
{
	return a->role == b->role && a->state == b->state && a->via == b->via &&
	       a->watch == b->watch && a->watched == b->watched && a->added_by == b->added_by &&
	       a->source == b->source && a->muted == b->muted;
}

bool state_identical(const struct conference *a, const struct conference *b)
{
	bool same = a->mode == b->mode && a->primary == b->primary;

	for (unsigned i = 0; i < PARTIES && same; i++)
		same = party_identical(&a->party[i], &b->party[i]);
	return same;
}

static size_t hash(const struct state_key *key)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (unsigned i = 0; i < PARTIES; i++)
		h = (h ^ key->party[i]) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32);
}

/* Where the key is, or the free place for it. */
static uint32_t *place(const struct state_set *set, const struct state_key *key)
{
	size_t at = hash(key) & (set->table_size - 1);

	while (set->table[at] && memcmp(&set->keys[set->table[at] - 1], key, sizeof(*key)) != 0)
		at = (at + 1) & (set->table_size - 1);
	return &set->table[at];
}

static void grow(struct state_set *set)
{
	set->capacity *= 2;
	set->table_size *= 2;
	set->states = realloc(set->states, set->capacity * sizeof(set->states[0]));
	set->keys = realloc(set->keys, set->capacity * sizeof(set->keys[0]));
	free(set->table);
	set->table = calloc(set->table_size, sizeof(set->table[0]));
	CHECK(set->states && set->keys && set->table);
	for (size_t i = 0; i < set->count; i++)
		*place(set, &set->keys[i]) = (uint32_t)i + 1;
}

void state_set_init(struct state_set *set)
{
	memset(set, 0, sizeof(*set));
	set->capacity = 512;
	set->table_size = 1024;
	grow(set);
}

void state_set_free(struct state_set *set)
{
	free(set->states);
	free(set->keys);
	free(set->table);
}

bool state_set_add(struct state_set *set, const struct conference *c)
{
	struct state_key key = state_key(c);
	uint32_t *at = place(set, &key);

	if (*at)
		return false;
	if (set->count == set->capacity) {
		grow(set);
		at = place(set, &key);
	}
	set->states[set->count] = *c;
	set->keys[set->count] = key;
	*at = (uint32_t)++set->count;
	return true;
}

static uint8_t renamed(const uint8_t to[PARTIES], uint8_t slot)
{
	return slot == NOBODY ? (uint8_t)NOBODY : to[slot];
}

struct conference state_renamed(const struct conference *c, const uint8_t to[PARTIES])
{
	struct conference out = *c;

	out.primary = renamed(to, c->primary);
	for (unsigned i = 0; i < PARTIES; i++) {
		struct party *party = &out.party[to[i]];
		*party = c->party[i];
		party->watched = renamed(to, party->watched);
		party->added_by = renamed(to, party->added_by);
		party->source = renamed(to, party->source);
	}
	return out;
}
