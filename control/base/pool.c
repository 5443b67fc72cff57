/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

int pool_init(struct pool *p, size_t record_size, uint32_t max)
{
	*p = (struct pool){0};
	if (!record_size || !max || record_size > UINT32_MAX - 15 || max == UINT32_MAX)
		return -EINVAL;
	record_size = (record_size + 15) & ~(size_t)15;
	p->records = calloc(max, record_size);
	p->generations = calloc(max, sizeof(*p->generations));
	p->free_next = calloc(max, sizeof(*p->free_next));
	if (!p->records || !p->generations || !p->free_next) {
		pool_clear(p);
		return -ENOMEM;
	}
	p->record_size = (uint32_t)record_size;
	p->max = max;
	return 0;
}

void pool_clear(struct pool *p)
{
	if (!p)
		return;
	free(p->records);
	free(p->generations);
	free(p->free_next);
	*p = (struct pool){0};
}

static void *record_at(const struct pool *p, uint32_t slot)
{
	return p->records + (size_t)slot * p->record_size;
}

static uint32_t slot_of(const struct pool *p, const void *record)
{
	size_t at = (size_t)((const uint8_t *)record - p->records);

	CHECK((const uint8_t *)record >= p->records && at / p->record_size < p->touched);
	CHECK(at % p->record_size == 0);
	return (uint32_t)(at / p->record_size);
}

void *pool_alloc(struct pool *p, uint64_t *id)
{
	uint32_t slot;

	if (p->free_head) {
		slot = p->free_head - 1;
		p->free_head = p->free_next[slot];
	} else if (p->touched < p->max) {
		slot = p->touched++;
	} else {
		return NULL;
	}
	p->generations[slot]++;
	p->used++;
	if (p->used > p->most)
		p->most = p->used;
	if (id)
		*id = (uint64_t)p->generations[slot] << 32 | slot;
	return memset(record_at(p, slot), 0, p->record_size);
}

void *pool_get(const struct pool *p, uint64_t id)
{
	uint32_t slot = pool_id_slot(id), generation = pool_id_generation(id);

	if (slot >= p->touched || !(generation & 1) || p->generations[slot] != generation)
		return NULL;
	return record_at(p, slot);
}

void *pool_at(const struct pool *p, uint32_t slot)
{
	return slot < p->touched && p->generations[slot] & 1 ? record_at(p, slot) : NULL;
}

void pool_free(struct pool *p, void *record)
{
	uint32_t slot = slot_of(p, record);

	CHECK(p->generations[slot] & 1);
	p->generations[slot]++;
	p->free_next[slot] = p->free_head;
	p->free_head = slot + 1;
	p->used--;
}

uint64_t pool_id(const struct pool *p, const void *record)
{
	uint32_t slot = slot_of(p, record);

	CHECK(p->generations[slot] & 1);
	return (uint64_t)p->generations[slot] << 32 | slot;
}

void *pool_next(const struct pool *p, const void *record)
{
	uint32_t slot = record ? slot_of(p, record) + 1 : 0;

	for (; slot < p->touched; slot++)
		if (p->generations[slot] & 1)
			return record_at(p, slot);
	return NULL;
}

uint32_t pool_used(const struct pool *p)
{
	return p->used;
}
