/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash map from byte strings to pointers: open addressing, SipHash with a random key, grows by
 * itself.
 *
 * Keys are NOT copied: the bytes must live, unchanged, as long as the entry (keep them in the
 * value). Values are never NULL. Not thread-safe.
 *
 * Iteration tolerates map_remove() of any entry, the current one and others, but not map_put():
 *
 *	for (struct map_cursor c = {0}; map_next(&m, &c);)
 *		use(c.key, c.key_n, c.value);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "base/str.h"

struct map_slot {
	uint64_t hash;
	const void *key; /* NULL: never used */
	size_t key_n;
	void *value; /* NULL with a key: removed */
};

struct map {
	struct map_slot *slots;
	size_t size;   /* power of two, or 0 */
	size_t count;  /* entries */
	size_t filled; /* entries and removed ones */
	size_t max;    /* ceiling of entries, 0: none */
	uint8_t seed[SIPHASH_KEY_SIZE];
};

struct map_cursor {
	size_t at; /* private */
	const void *key;
	size_t key_n;
	void *value;
};

/* `seed` NULL: random. `max` entries at most, 0 for no ceiling. Takes no memory yet. */
void map_init(struct map *m, const uint8_t seed[SIPHASH_KEY_SIZE], size_t max);
/* Releases the table, not the values. NULL is fine. */
void map_clear(struct map *m);
void *map_get(const struct map *m, const void *key, size_t key_n);
/* -EEXIST when the key is there, -ENOSPC at the ceiling, -ENOMEM. */
int map_put(struct map *m, const void *key, size_t key_n, void *value);
/* Puts or replaces (the stored key pointer too); *old (may be NULL) gets the former value or NULL.
 */
int map_set(struct map *m, const void *key, size_t key_n, void *value, void **old);
/* The removed value, or NULL when there was none. */
void *map_remove(struct map *m, const void *key, size_t key_n);
size_t map_count(const struct map *m);
bool map_next(const struct map *m, struct map_cursor *c);

void *map_get_str(const struct map *m, struct str key);
int map_put_str(struct map *m, struct str key, void *value);
void *map_remove_str(struct map *m, struct str key);
