/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/resources.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/random.h"
#include "queue/resources_rows.h"

enum { BLOCK_SIZE = 65536, ALIGNMENT = 16 };

struct resources_block {
	struct resources_block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) uint8_t bytes[];
};

struct kind_words {
	const char *arn, *word, *file;
};

static const struct kind_words kinds[RESOURCE_KIND_COUNT] = {
#define X(name, arn, word, file) [RESOURCE_##name] = {arn, word, file},
	RESOURCE_KINDS(X)
#undef X
};

static const size_t row_sizes[RESOURCE_KIND_COUNT] = {
	[RESOURCE_QUEUE] = sizeof(struct resource_queue),
	[RESOURCE_HOURS] = sizeof(struct resource_hours),
	[RESOURCE_STATUS] = sizeof(struct resource_status),
	[RESOURCE_SECURITY_PROFILE] = sizeof(struct resource_security_profile),
	[RESOURCE_ROUTING_PROFILE] = sizeof(struct resource_routing_profile),
	[RESOURCE_AGENT] = sizeof(struct resource_agent),
	[RESOURCE_QUICK_CONNECT] = sizeof(struct resource_quick_connect),
	[RESOURCE_PROMPT] = sizeof(struct resource_prompt),
};

/* Names come from the operator's own files; nobody floods these maps. */
static const uint8_t map_seed[SIPHASH_KEY_SIZE] = {2};

const char *resource_kind_word(enum resource_kind kind)
{
	return kinds[kind].word;
}

const char *resource_kind_arn(enum resource_kind kind)
{
	return kinds[kind].arn;
}

const char *resource_kind_file(enum resource_kind kind)
{
	return kinds[kind].file;
}

/* ---- memory ---- */

int resources_create(struct resources **out)
{
	struct resources *resources = calloc(1, sizeof(*resources));

	if (!resources)
		return -ENOMEM;
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		map_init(&resources->tables[kind].by_id, map_seed, 0);
		map_init(&resources->tables[kind].by_name, map_seed, 0);
		map_init(&resources->tables[kind].by_arn, map_seed, 0);
		resources->tables[kind].row_size = row_sizes[kind];
	}
	map_init(&resources->queue_arns, map_seed, 0);
	map_init(&resources->phones, map_seed, 0);
	map_init(&resources->zones, map_seed, 0);
	*out = resources;
	return 0;
}

void resources_destroy(struct resources *resources)
{
	if (!resources)
		return;
	for (int kind = 0; kind < RESOURCE_KIND_COUNT; kind++) {
		map_clear(&resources->tables[kind].by_id);
		map_clear(&resources->tables[kind].by_name);
		map_clear(&resources->tables[kind].by_arn);
	}
	for (struct map_cursor c = {0}; map_next(&resources->zones, &c);)
		zone_destroy(c.value);
	map_clear(&resources->queue_arns);
	map_clear(&resources->phones);
	map_clear(&resources->zones);
	while (resources->blocks) {
		struct resources_block *next = resources->blocks->next;
		free(resources->blocks);
		resources->blocks = next;
	}
	free(resources);
}

void *resources_alloc(struct resources *resources, size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct resources_block *block = resources->blocks;
	void *memory;

	if (!block || block->size - block->used < rounded) {
		size_t room = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
		block = calloc(1, sizeof(*block) + room);
		if (!block)
			return NULL;
		block->size = room;
		block->next = resources->blocks;
		resources->blocks = block;
	}
	memory = block->bytes + block->used;
	block->used += rounded;
	return memory;
}

const char *resources_text(struct resources *resources, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = resources_alloc(resources, size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

int resources_reserve(struct resources *resources, enum resource_kind kind, uint32_t max)
{
	struct resources_table *table = &resources->tables[kind];

	table->rows = resources_alloc(resources, (size_t)(max ? max : 1) * table->row_size);
	table->max = max;
	return table->rows ? 0 : -ENOMEM;
}

struct resource *resources_add(struct resources *resources, enum resource_kind kind)
{
	struct resources_table *table = &resources->tables[kind];
	struct resource *row;

	CHECK(table->count < table->max);
	row = (struct resource *)(void *)(table->rows + table->count * table->row_size);
	row->kind = kind;
	row->index = table->count++;
	return row;
}

int resources_index(struct resources *resources, struct resource *row)
{
	struct resources_table *table = &resources->tables[row->kind];
	int rc = map_put_str(&table->by_name, str_from(row->name), row);

	if (!rc)
		rc = map_put_str(&table->by_id, str_from(row->id), row);
	if (!rc)
		rc = map_put_str(&table->by_arn, str_from(row->arn), row);
	return rc;
}

const char *resources_make_arn(struct resources *resources, const char *kind, const char *id)
{
	char arn[RESOURCE_ARN_MAX + 1];

	snprintf(arn, sizeof(arn), "%s/%s/%s", resources->instance_arn, kind, id);
	return resources_text(resources, arn);
}

/* ---- look-ups ---- */

uint32_t resources_count(const struct resources *resources, enum resource_kind kind)
{
	return resources->tables[kind].count;
}

const struct resource *resources_row(
	const struct resources *resources, enum resource_kind kind, uint32_t index)
{
	const struct resources_table *table = &resources->tables[kind];

	CHECK(index < table->count);
	return (const struct resource *)(const void *)(table->rows + index * table->row_size);
}

/* The id in `arn:…/KIND/ID`, perhaps followed by `:version`; empty when it is no such ARN. */
static struct str id_of_arn(const char *text, const char *kind)
{
	const char *at = strncmp(text, "arn:", 4) == 0 ? strchr(text, '/') : NULL;
	size_t n = strlen(kind);

	/* the instance's id, then the kind */
	at = at ? strchr(at + 1, '/') : NULL;
	if (!at || strncmp(at + 1, kind, n) != 0 || at[1 + n] != '/')
		return STR_NULL;
	at += n + 2;
	n = strcspn(at, ":/");
	return at[n] == '/' ? STR_NULL : str_make(at, n);
}

const struct resource *resources_find(const struct resources *resources, enum resource_kind kind,
	const char *text, enum resource_refs refs)
{
	const struct resources_table *table = &resources->tables[kind];
	struct str key = str_from(text);
	const struct resource *row = NULL;

	if (refs & RESOURCE_BY_ID)
		row = map_get_str(&table->by_id, key);
	if (!row && (refs & RESOURCE_BY_ARN))
		row = map_get_str(&table->by_arn, key);
	if (!row && (refs & RESOURCE_BY_ARN))
		row = map_get_str(&table->by_id, id_of_arn(text, resource_kind_arn(kind)));
	if (!row && (refs & RESOURCE_BY_NAME))
		row = map_get_str(&table->by_name, key);
	return row;
}

#define FINDER(function, type, kind)                                                          \
	const struct type *function(                                                          \
		const struct resources *resources, const char *text, enum resource_refs refs) \
	{                                                                                     \
		return (const struct type *)resources_find(resources, kind, text, refs);      \
	}

FINDER(resources_queue, resource_queue, RESOURCE_QUEUE)
FINDER(resources_hours, resource_hours, RESOURCE_HOURS)
FINDER(resources_status, resource_status, RESOURCE_STATUS)
FINDER(resources_routing_profile, resource_routing_profile, RESOURCE_ROUTING_PROFILE)
FINDER(resources_agent, resource_agent, RESOURCE_AGENT)
FINDER(resources_quick_connect, resource_quick_connect, RESOURCE_QUICK_CONNECT)
FINDER(resources_prompt, resource_prompt, RESOURCE_PROMPT)

const struct resource_agent *resources_agent_by_queue_arn(
	const struct resources *resources, const char *arn)
{
	const struct resource_agent *agent = map_get_str(&resources->queue_arns, str_from(arn));
	struct str id = id_of_arn(arn, "queue/agent");

	return agent ? agent : map_get_str(&resources->tables[RESOURCE_AGENT].by_id, id);
}

const struct resource_agent *resources_agent_by_phone(
	const struct resources *resources, const char *user)
{
	return map_get_str(&resources->phones, str_from(user));
}

const struct resource_status *resources_available(const struct resources *resources)
{
	return resources->available;
}

const struct resource_status *resources_offline(const struct resources *resources)
{
	return resources->offline;
}

const char *resources_instance_arn(const struct resources *resources)
{
	return resources->instance_arn;
}

bool resource_agent_may_take_calls(const struct resource_agent *agent)
{
	return (agent->security_profile->permissions & RESOURCE_MAY_TAKE_CALLS) != 0;
}

/* Whether a row's bit was set before; it is from now on. */
static bool seen_before(uint8_t *seen, uint32_t index)
{
	uint8_t bit = (uint8_t)(1u << index % 8);
	bool before = seen[index / 8] & bit;

	seen[index / 8] |= bit;
	return before;
}

int resources_each_quick_connect(const struct resources *resources,
	const struct resource_agent *agent, bool on_contact,
	int (*visit)(void *context, const struct resource_quick_connect *quick_connect),
	void *context)
{
	const struct resource_routing_profile *profile = agent->routing_profile;
	uint8_t seen[RESOURCES_QUICK_CONNECTS_MAX / 8 + 1] = {0};

	for (uint32_t q = 0; q < profile->queue_count; q++) {
		const struct resource_queue *queue = profile->queues[q].queue;
		for (uint32_t i = 0; i < queue->quick_connect_count; i++) {
			const struct resource_quick_connect *one = queue->quick_connects[i];
			int rc;
			if (!on_contact && one->type != RESOURCE_QUICK_CONNECT_EXTERNAL)
				continue;
			if (seen_before(seen, one->row.index))
				continue;
			rc = visit(context, one);
			if (rc)
				return rc;
		}
	}
	return 0;
}

void resource_id_from_name(enum resource_kind kind, const char *name, char *id)
{
	uuid_from_name(str_from(kinds[kind].arn), str_from(name), id);
}

bool resource_number_valid(const char *number)
{
	size_t digits = 0;

	if (number[0] != '+' || number[1] == '0')
		return false;
	for (const char *c = number + 1; *c; c++, digits++)
		if (!isdigit((unsigned char)*c))
			return false;
	return digits >= 2 && digits <= 15;
}
