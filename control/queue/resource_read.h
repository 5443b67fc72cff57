/* SPDX-License-Identifier: Apache-2.0 */
/* resource_read: reads the fields of one row of each kind; inside of resource_files. */
#ifndef RESOURCE_READ_H
#define RESOURCE_READ_H

#include <stdbool.h>

#include "base/report.h"
#include "base/yaml.h"
#include "queue/resource_files.h"
#include "queue/resources_rows.h"

enum { RESOURCE_PATH_MAX = 1024 }; /* bytes of a path in a file */

struct resource_changes;

struct resource_reader {
	const struct resource_files_config *config;
	struct resource_changes *changes; /* those of an instance that has none are empty */
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

/* The values of a mapping's keys. Each reports what is wrong; what cannot be read leaves *out as it
 * was, or gives NULL. */

/* Text that is not empty, copied. 0, -ENOENT without the key, -EINVAL. */
int resource_read_string(struct resource_reader *reader, const struct yml_node *node,
	const char *key, enum yml_need need, size_t max, const char **out);

void resource_read_u32(struct resource_reader *reader, const struct yml_node *node, const char *key,
	enum yml_need need, uint32_t min, uint32_t max, uint32_t *out);

/* The row of a kind that the text names by name, id or ARN. */
const void *resource_read_reference(struct resource_reader *reader, const struct yml_node *node,
	const char *key, enum yml_need need, enum resource_kind kind);

/* Whether a sequence is not longer than its ceiling. */
bool resource_read_size_fits(
	struct resource_reader *reader, const struct yml_node *sequence, uint32_t max);

/* Reports a key that has no place beside `with`. */
void resource_read_refuse_key(struct resource_reader *reader, const struct yml_node *node,
	const char *key, const char *with);

/* The fields of an agent (resource_read_agent.c). */
void resource_read_agent(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row);

#endif
