/* SPDX-License-Identifier: Apache-2.0 */
/* resource_read: reads the fields of one row of each kind; inside of resource_files. */
#ifndef RESOURCE_READ_H
#define RESOURCE_READ_H

#include <stdbool.h>

#include "base/report.h"
#include "base/yaml.h"
#include "queue/resource_files.h"
#include "queue/resources_rows.h"

struct resource_reader {
	const struct resource_files_config *config;
	struct resources *resources;
	struct report *report;
	bool no_memory;
};

/* Reads all but identity (name, id, description) of a row from its mapping. All rows of all kinds
 * are there by now, so that references can be checked. */
void resource_read_fields(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row);

/* The keys of a kind's mappings, for refusing all others. Ends with NULL. */
const char *const *resource_read_keys(enum resource_kind kind);

/* Memory and text of the resources; an empty string and a note of it when there is no memory. */
void *resource_read_alloc(struct resource_reader *reader, size_t size);
const char *resource_read_text(struct resource_reader *reader, const char *text);

#endif
