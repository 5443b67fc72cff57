/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/resource_changes.h"

#include <errno.h>
#include <string.h>

static const char *const root_keys[] = {"quick_connects", "removed", "attached", "detached", NULL};
static const char *const pair_keys[] = {"queue", "quick_connects", NULL};

/* The file is control's own, and names come from operators; nobody floods these maps. */
static const uint8_t map_seed[SIPHASH_KEY_SIZE] = {3};

void resource_changes_init(struct resource_changes *changes)
{
	memset(changes, 0, sizeof(*changes));
	map_init(&changes->changed_ids, map_seed, 0);
	map_init(&changes->removed_ids, map_seed, 0);
	map_init(&changes->replaced, map_seed, 0);
	map_init(&changes->names, map_seed, 0);
}

void resource_changes_clear(struct resource_changes *changes)
{
	map_clear(&changes->changed_ids);
	map_clear(&changes->removed_ids);
	map_clear(&changes->replaced);
	map_clear(&changes->names);
}

static void put(struct resource_reader *reader, struct map *map, const char *key, const void *value)
{
	if (map_put_str(map, str_from(key), (void *)value) == -ENOMEM)
		reader->no_memory = true;
}

/* ---- the document ---- */

static void read_ids(struct resource_reader *reader)
{
	struct resource_changes *changes = reader->changes;
	const char *id;

	for (size_t i = 0; i < yml_size(changes->rows); i++) {
		const struct yml_node *row = yml_at(changes->rows, i);

		if (yml_expect(reader->report, row, YML_MAPPING) == 0 &&
			yml_read_string(
				reader->report, row, "id", YML_REQUIRED, RESOURCE_ID_MAX, &id) == 0)
			put(reader, &changes->changed_ids, id, row);
	}
	for (size_t i = 0; i < yml_size(changes->removed); i++) {
		const struct yml_node *node = yml_at(changes->removed, i);

		if (yml_expect(reader->report, node, YML_SCALAR) == 0)
			put(reader, &changes->removed_ids, yml_text(node), node);
	}
}

static void judge_pairs(struct resource_reader *reader, const struct yml_node *pairs)
{
	const struct yml_node *list;
	const char *queue;

	for (size_t i = 0; i < yml_size(pairs); i++) {
		const struct yml_node *pair = yml_at(pairs, i);

		if (yml_expect(reader->report, pair, YML_MAPPING) < 0)
			continue;
		yml_only_keys(reader->report, pair, pair_keys);
		yml_read_string(
			reader->report, pair, "queue", YML_REQUIRED, RESOURCE_ID_MAX, &queue);
		if (yml_read_sequence(reader->report, pair, "quick_connects", YML_REQUIRED, &list))
			continue;
		for (size_t j = 0; j < yml_size(list); j++)
			yml_expect(reader->report, yml_at(list, j), YML_SCALAR);
	}
}

void resource_changes_read(struct resource_reader *reader, const struct yml_doc *doc)
{
	struct resource_changes *changes = reader->changes;
	const struct yml_node *root = yml_root(doc);

	if (yml_expect(reader->report, root, YML_MAPPING))
		return;
	yml_only_keys(reader->report, root, root_keys);
	yml_read_sequence(reader->report, root, "quick_connects", YML_OPTIONAL, &changes->rows);
	yml_read_sequence(reader->report, root, "removed", YML_OPTIONAL, &changes->removed);
	yml_read_sequence(reader->report, root, "attached", YML_OPTIONAL, &changes->attached);
	yml_read_sequence(reader->report, root, "detached", YML_OPTIONAL, &changes->detached);
	read_ids(reader);
	judge_pairs(reader, changes->attached);
	judge_pairs(reader, changes->detached);
}

/* ---- rows ---- */

bool resource_changes_replace(struct resource_reader *reader, const struct resource *row)
{
	struct resource_changes *changes = reader->changes;
	const struct yml_node *by = map_get_str(&changes->changed_ids, str_from(row->id));
	const struct yml_node *removed = map_get_str(&changes->removed_ids, str_from(row->id));
	char place[YML_PLACE_MAX];

	if (!by && !removed)
		return false;
	put(reader, &changes->replaced, row->id, row->place);
	put(reader, &changes->names, row->name, row->id);
	yml_place(by ? by : removed, place);
	report_add(reader->report, REPORT_NOTE, row->place,
		"quick connect \"%s\" was %s over the admin socket: %s counts", row->name,
		by ? "changed" : "removed", place);
	return true;
}

const char *resource_changes_place(const struct resource_changes *changes, const char *id)
{
	return map_get_str(&changes->replaced, str_from(id));
}

const char *resource_changes_reference(const struct resource_changes *changes, const char *text)
{
	const char *id = map_get_str(&changes->names, str_from(text));
	const char *slash = strncmp(text, "arn:", 4) == 0 ? strrchr(text, '/') : NULL;

	if (!id)
		id = slash ? slash + 1 : text;
	if (map_get_str(&changes->removed_ids, str_from(id)))
		return NULL;
	return map_get_str(&changes->changed_ids, str_from(id)) ? id : text;
}

/* ---- queues ---- */

/* The list of quick connects that were attached to a queue, or detached. */
static const struct yml_node *list_of(
	const struct yml_node *pairs, const struct resource_queue *queue)
{
	for (size_t i = 0; i < yml_size(pairs); i++)
		if (strcmp(yml_text(yml_get(yml_at(pairs, i), "queue")), queue->row.id) == 0)
			return yml_get(yml_at(pairs, i), "quick_connects");
	return NULL;
}

size_t resource_changes_attached(
	const struct resource_changes *changes, const struct resource_queue *queue)
{
	return yml_size(list_of(changes->attached, queue));
}

static bool names(const struct yml_node *list, const char *id)
{
	for (size_t i = 0; i < yml_size(list); i++)
		if (strcmp(yml_text(yml_at(list, i)), id) == 0)
			return true;
	return false;
}

static uint32_t detach(struct resource_reader *reader, const struct resource_queue *queue,
	const struct resource_quick_connect **rows, uint32_t count)
{
	const struct yml_node *list = list_of(reader->changes->detached, queue);
	uint32_t kept = 0;

	for (uint32_t i = 0; list && i < count; i++) {
		if (names(list, rows[i]->row.id))
			report_add(reader->report, REPORT_NOTE, queue->row.place,
				"quick connect \"%s\" was detached over the admin socket",
				rows[i]->row.name);
		else
			rows[kept++] = rows[i];
	}
	return list ? kept : count;
}

static bool has_row(const struct resource_quick_connect *const *rows, uint32_t count,
	const struct resource_quick_connect *row)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i] == row)
			return true;
	return false;
}

uint32_t resource_changes_attach(struct resource_reader *reader, const struct resource_queue *queue,
	const struct resource_quick_connect **rows, uint32_t count)
{
	const struct yml_node *list = list_of(reader->changes->attached, queue);

	count = detach(reader, queue, rows, count);
	for (size_t i = 0; i < yml_size(list); i++) {
		const struct resource_quick_connect *row = resources_quick_connect(
			reader->resources, yml_text(yml_at(list, i)), RESOURCE_BY_ID);

		if (!row)
			yml_report(reader->report, yml_at(list, i), REPORT_WARNING,
				"expected a quick connect to attach, found none of this id");
		else if (!has_row(rows, count, row))
			rows[count++] = row;
	}
	return count;
}

void resource_changes_finish(struct resource_reader *reader)
{
	const struct yml_node *pairs = reader->changes->attached;

	for (size_t i = 0; i < yml_size(pairs); i++) {
		const struct yml_node *queue = yml_get(yml_at(pairs, i), "queue");

		if (!resources_queue(reader->resources, yml_text(queue), RESOURCE_BY_ID))
			yml_report(reader->report, queue, REPORT_WARNING,
				"expected a queue to attach quick connects to, found none of this "
				"id");
	}
}
