/* SPDX-License-Identifier: Apache-2.0 */
/* resources_rows: the inside of struct resources, for resources.c and the reader of its files. */
#ifndef RESOURCES_ROWS_H
#define RESOURCES_ROWS_H

#include "base/map.h"
#include "base/str.h"
#include "queue/resources.h"

struct resources_table {
	uint8_t *rows;
	size_t row_size;
	uint32_t count, max;
	struct map by_id, by_name, by_arn;
};

struct resources_block;

struct resources {
	struct resources_table tables[RESOURCE_KIND_COUNT];
	struct map queue_arns; /* of agents' own queues, to struct resource_agent */
	struct map phones;     /* user parts, to struct resource_agent */
	struct map zones;      /* names, to struct zone */
	struct resources_block *blocks;
	const char *instance_arn;
	const struct resource_status *available, *offline;
};

int resources_create(struct resources **resources);

/* Zeroed memory that lives as long as the resources; NULL when there is none. */
void *resources_alloc(struct resources *resources, size_t size);

/* A copy of text; NULL without memory. */
const char *resources_text(struct resources *resources, const char *text);

/* Makes room for the rows of a kind: they do not move later. */
int resources_reserve(struct resources *resources, enum resource_kind kind, uint32_t max);

/* The next row of a kind, not yet found by anything: resources_index() makes it so. */
struct resource *resources_add(struct resources *resources, enum resource_kind kind);

/* Makes a row with id, name and ARN findable. -EEXIST when the id or the name is taken. */
int resources_index(struct resources *resources, struct resource *row);

/* Builds "<instance>/KIND/ID" in the resources' memory. */
const char *resources_make_arn(struct resources *resources, const char *kind, const char *id);

#endif
