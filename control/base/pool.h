/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pool of equal records with a fixed ceiling and ids that go stale.
 *
 * An id is a slot (low 32 bits) and a generation (high 32 bits, never 0), so an id is never 0 and
 * an id of a freed record finds nothing, also when the slot is used again. Records never move.
 * Memory is reserved at init and touched on first use.
 *
 *	for (struct rec *r = pool_next(&p, NULL); r; r = pool_next(&p, r))
 *		the current record may be freed inside the loop
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *records;
	uint32_t *generations; /* odd: in use */
	uint32_t *free_next;
	uint32_t record_size, max;
	uint32_t used;      /* in use now */
	uint32_t touched;   /* slots ever used */
	uint32_t free_head; /* slot + 1, 0: none */
	uint32_t most;      /* high-water mark of `used` */
};

/* -ENOMEM; -EINVAL for a size or ceiling of 0. */
int pool_init(struct pool *p, size_t record_size, uint32_t max);
void pool_clear(struct pool *p);
/* A zeroed record and its id (`id` may be NULL), or NULL when all are in use. */
void *pool_alloc(struct pool *p, uint64_t *id);
/* NULL for a stale, unknown or zero id. */
void *pool_get(const struct pool *p, uint64_t id);
/* The record that has this slot now; NULL: none, also beyond all that were ever used. */
void *pool_at(const struct pool *p, uint32_t slot);
/* The record must be in use: checked. */
void pool_free(struct pool *p, void *record);
uint64_t pool_id(const struct pool *p, const void *record);
/* The first record in use behind `record` (NULL: the very first) in order of slots, or NULL. */
void *pool_next(const struct pool *p, const void *record);
uint32_t pool_used(const struct pool *p);

static inline uint32_t pool_id_slot(uint64_t id)
{
	return (uint32_t)id;
}

static inline uint32_t pool_id_generation(uint64_t id)
{
	return (uint32_t)(id >> 32);
}
