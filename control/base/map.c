/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"

#define MAP_SIZE_MIN 16

static const char empty_key[1];

void map_init(struct map *m, const uint8_t seed[SIPHASH_KEY_SIZE], size_t max)
{
	*m = (struct map){.max = max};
	if (seed)
		memcpy(m->seed, seed, sizeof(m->seed));
	else
		CHECK(getrandom(m->seed, sizeof(m->seed), 0) == (ssize_t)sizeof(m->seed));
}

void map_clear(struct map *m)
{
	if (!m)
		return;
	free(m->slots);
	m->slots = NULL;
	m->size = m->count = m->filled = 0;
}

/* The slot of the key, or NULL. There is always a never-used slot to stop at. */
static struct map_slot *find(const struct map *m, const void *key, size_t key_n, uint64_t hash)
{
	if (!m->size)
		return NULL;
	for (size_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
		struct map_slot *s = &m->slots[i];

		if (!s->key)
			return NULL;
		if (s->value && s->hash == hash && s->key_n == key_n &&
			memcmp(s->key, key, key_n) == 0)
			return s;
	}
}

static struct map_slot *find_free(const struct map *m, uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	while (m->slots[i].value)
		i = (i + 1) & (m->size - 1);
	return &m->slots[i];
}

/* Grows, or cleans removed entries away, so that one more fits below 3/4 full. */
static int make_room(struct map *m)
{
	struct map bigger = *m;

	if ((m->filled + 1) * 4 <= m->size * 3)
		return 0;
	bigger.size = m->size ? m->size : MAP_SIZE_MIN;
	while ((m->count + 1) * 2 > bigger.size)
		bigger.size *= 2;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].value)
			*find_free(&bigger, m->slots[i].hash) = m->slots[i];
	bigger.filled = bigger.count;
	free(m->slots);
	*m = bigger;
	return 0;
}

void *map_get(const struct map *m, const void *key, size_t key_n)
{
	struct map_slot *s;

	if (!m->count)
		return NULL;
	key = key_n ? key : empty_key;
	s = find(m, key, key_n, siphash(key, key_n, m->seed));
	return s ? s->value : NULL;
}

int map_set(struct map *m, const void *key, size_t key_n, void *value, void **old)
{
	uint64_t hash;
	struct map_slot *s;
	int rc;

	CHECK(value);
	key = key_n ? key : empty_key;
	hash = siphash(key, key_n, m->seed);
	s = find(m, key, key_n, hash);
	if (old)
		*old = s ? s->value : NULL;
	if (!s) {
		if (m->max && m->count >= m->max)
			return -ENOSPC;
		rc = make_room(m);
		if (rc < 0)
			return rc;
		s = find_free(m, hash);
		m->filled += !s->key;
		m->count++;
	}
	*s = (struct map_slot){hash, key, key_n, value};
	return 0;
}

int map_put(struct map *m, const void *key, size_t key_n, void *value)
{
	if (map_get(m, key, key_n))
		return -EEXIST;
	return map_set(m, key, key_n, value, NULL);
}

void *map_remove(struct map *m, const void *key, size_t key_n)
{
	struct map_slot *s;
	void *value;

	key = key_n ? key : empty_key;
	s = find(m, key, key_n, siphash(key, key_n, m->seed));
	if (!s)
		return NULL;
	value = s->value;
	*s = (struct map_slot){.key = empty_key}; /* the entry's own bytes may go now */
	m->count--;
	return value;
}

size_t map_count(const struct map *m)
{
	return m->count;
}

bool map_next(const struct map *m, struct map_cursor *c)
{
	while (c->at < m->size) {
		const struct map_slot *s = &m->slots[c->at++];

		if (s->value) {
			c->key = s->key;
			c->key_n = s->key_n;
			c->value = s->value;
			return true;
		}
	}
	return false;
}

void *map_get_str(const struct map *m, struct str key)
{
	return map_get(m, key.p, key.n);
}

int map_put_str(struct map *m, struct str key, void *value)
{
	return map_put(m, key.p, key.n, value);
}

void *map_remove_str(struct map *m, struct str key)
{
	return map_remove(m, key.p, key.n);
}
