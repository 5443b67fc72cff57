/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/flow_catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/siphash.h"
#include "base/str.h"
#include "base/yaml.h"
#include "flow/reader.h"

#define PATH_SIZE 4096

struct loading {
	struct flow_catalog *catalog;
	const char *directory;
	const char *instance_arn;
	const struct flow_catalog *previous; /* or NULL */
	const struct yml_node *rows;         /* of flows.yaml, or NULL */
	struct report *report;
};

static int is_flow_file(const struct dirent *entry)
{
	struct str name = str_from(entry->d_name);

	return entry->d_name[0] != '.' && str_ends(name, STR(".json"));
}

/* The row of flows.yaml about a file, or NULL. */
static const struct yml_node *row_of(const struct loading *l, const char *file)
{
	for (size_t i = 0; i < yml_size(l->rows); i++)
		if (strcmp(yml_text(yml_get(yml_at(l->rows, i), "file")), file) == 0)
			return yml_at(l->rows, i);
	return NULL;
}

static int read_row(
	const struct loading *l, const struct yml_node *row, struct flow_reader_options *options)
{
	const char *type = NULL;

	if (!row)
		return 0;
	yml_read_string(l->report, row, "name", YML_OPTIONAL, FLOW_NAME_MAX, &options->name);
	yml_read_string(l->report, row, "id", YML_OPTIONAL, 64, &options->id);
	yml_read_string(l->report, row, "type", YML_OPTIONAL, 64, &type);
	if (type && flow_type_parse(type, &options->type) < 0) {
		yml_report(l->report, yml_get(row, "type"), REPORT_ERROR,
			"expected a flow type such as contactFlow or customerQueue, found '%s'",
			type);
		return -EINVAL;
	}
	return 0;
}

/* A flow without an id or ARN gets both from its name: read once for the name, then for good. */
static int read_named(const struct loading *l, const char *text, size_t n,
	const struct flow_reader_options *options, struct flow **flow)
{
	struct flow_reader_options named = *options;
	char id[RANDOM_UUID_SIZE], arn[512];
	struct flow *first;
	int rc;

	rc = flow_read(text, n, options, l->report, &first);
	if (rc < 0)
		return rc;
	if (!options->id) {
		uuid_from_name(STR("contact-flow"), str_from(first->name), id);
		named.id = id;
	}
	snprintf(arn, sizeof(arn), "%s/%s/%s", l->instance_arn,
		first->type == FLOW_TYPE_MODULE ? "flow-module" : "contact-flow", named.id);
	named.arn = arn;
	flow_release(first);
	return flow_read(text, n, &named, NULL, flow);
}

/* ---- published and draft ---- */

static uint64_t hash_of(const char *text, size_t n)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = "cordboard flow";

	return siphash(text, n, key);
}

void flow_kept_name(const char *id, char name[FLOW_KEPT_NAME_MAX])
{
	static const char safe[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char uuid[RANDOM_UUID_SIZE];

	if (!id[0] || id[0] == '.' || strlen(id) > 64 || strspn(id, safe) != strlen(id)) {
		uuid_from_name(STR("kept-flow"), str_from(id), uuid);
		id = uuid;
	}
	snprintf(name, FLOW_KEPT_NAME_MAX, "%s.json", id);
}

/* The draft's bytes are those in force already. */
static void settle_published(struct flow_entry *entry)
{
	entry->published = entry->draft;
	entry->published_hash = entry->draft_hash;
	entry->draft = NULL;
}

/* At a reload: what runs now goes on. */
static void take_over(const struct loading *l, struct flow_entry *entry)
{
	const struct flow_entry *old = flow_catalog_entry(l->previous, entry->draft->id);

	if (!old || !old->published)
		return;
	if (old->published_hash == entry->draft_hash) {
		settle_published(entry);
		return;
	}
	entry->published = flow_hold(old->published);
	entry->published_hash = old->published_hash;
}

/* At start: the copy that was kept. */
static int take_kept(const struct loading *l, const struct flow_reader_options *of_file,
	struct flow_entry *entry)
{
	char name[FLOW_KEPT_NAME_MAX], path[PATH_SIZE], place[300];
	struct flow_reader_options options = *of_file;
	char *text;
	size_t n;
	int rc;

	flow_kept_name(entry->draft->id, name);
	snprintf(path, sizeof(path), "%s/" FLOW_KEPT_FOLDER "/%s", l->directory, name);
	snprintf(place, sizeof(place), FLOW_KEPT_FOLDER "/%s", name);
	rc = file_read(path, FLOW_TEXT_MAX, &text, &n);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		report_add(l->report, REPORT_ERROR, place, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	entry->published_hash = hash_of(text, n);
	if (entry->published_hash == entry->draft_hash) {
		settle_published(entry);
	} else {
		options.file = place;
		options.id = entry->draft->id;
		rc = read_named(l, text, n, &options, &entry->published);
	}
	free(text);
	return rc;
}

/* ---- entries ---- */

struct flow *flow_entry_flow(const struct flow_entry *entry)
{
	return entry->published ? entry->published : entry->draft;
}

static void clear_entry(struct flow_entry *entry)
{
	flow_release(entry->published);
	flow_release(entry->draft);
	free(entry->text);
	memset(entry, 0, sizeof(*entry));
}

/* Where the flow stands below flows/, for messages. */
static const char *file_of(const struct flow_entry *entry)
{
	return entry->draft ? entry->draft->file : entry->published->file;
}

static int add_key(const struct loading *l, struct map *map, const char *what, const char *key,
	struct flow_entry *entry)
{
	int rc = map_put_str(map, str_from(key), entry);

	if (rc != -EEXIST)
		return rc;
	report_add(l->report, REPORT_ERROR, file_of(entry),
		"expected %s of its own, but '%s' is also that of the flow in %s", what, key,
		file_of(map_get_str(map, str_from(key))));
	return -EINVAL;
}

/* Takes the entry, also on failure. */
static int add(const struct loading *l, const struct flow_entry *found)
{
	struct flow_catalog *c = l->catalog;
	struct flow_entry *entry = &c->entries[c->n];
	const struct flow *flow = flow_entry_flow(found);
	int rc;

	*entry = *found;
	rc = add_key(l, &c->by_name, "a name", flow->name, entry);
	if (rc == 0) {
		rc = add_key(l, &c->by_id, "an id", flow->id, entry);
		if (rc < 0)
			map_remove_str(&c->by_name, str_from(flow->name));
	}
	if (rc < 0)
		clear_entry(entry);
	else
		c->n++;
	return rc;
}

static int read_entry(const struct loading *l, const char *file, struct flow_entry *entry)
{
	char place[300];
	struct flow_reader_options options = {.file = place};
	struct flow *flow;
	int rc;

	snprintf(place, sizeof(place), "flows/%s", file);
	rc = read_row(l, row_of(l, file), &options);
	if (rc == 0)
		rc = read_named(l, entry->text, entry->text_n, &options, &flow);
	if (rc < 0)
		return rc;
	entry->draft = flow;
	entry->draft_hash = hash_of(entry->text, entry->text_n);
	if (!flow->saved)
		settle_published(entry);
	else if (l->previous)
		take_over(l, entry);
	else
		rc = take_kept(l, &options, entry);
	return rc;
}

static int load_file(const struct loading *l, const char *file)
{
	char path[PATH_SIZE];
	struct flow_entry entry = {0};
	int rc;

	snprintf(path, sizeof(path), "%s/flows/%s", l->directory, file);
	rc = file_read(path, FLOW_TEXT_MAX, &entry.text, &entry.text_n);
	if (rc < 0) {
		snprintf(path, sizeof(path), "flows/%s", file);
		report_add(l->report, REPORT_ERROR, path, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = read_entry(l, file, &entry);
	if (rc == 0)
		return add(l, &entry);
	clear_entry(&entry);
	return rc;
}

static int load_rows(struct loading *l, struct yml_doc **doc)
{
	static const char *const root_keys[] = {"flows", NULL};
	static const char *const row_keys[] = {"file", "name", "type", "id", NULL};
	char path[PATH_SIZE];
	char *text;
	size_t n;
	int rc;

	snprintf(path, sizeof(path), "%s/flows.yaml", l->directory);
	rc = file_read(path, YML_FILE_MAX, &text, &n);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0) {
		report_add(
			l->report, REPORT_ERROR, "flows.yaml", "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = yml_load_text(text, n, "flows.yaml", l->report, doc);
	free(text);
	if (rc < 0)
		return rc;
	if (yml_only_keys(l->report, yml_root(*doc), root_keys) < 0 ||
		yml_read_sequence(l->report, yml_root(*doc), "flows", YML_REQUIRED, &l->rows) < 0)
		return -EINVAL;
	for (size_t i = 0; i < yml_size(l->rows); i++) {
		const char *file;

		if (yml_only_keys(l->report, yml_at(l->rows, i), row_keys) < 0 ||
			yml_read_string(l->report, yml_at(l->rows, i), "file", YML_REQUIRED, 255,
				&file) < 0)
			rc = -EINVAL;
	}
	return rc;
}

static int load_all(struct loading *l, struct dirent **entries, int n)
{
	int worst = 0;

	if (n > (int)FLOW_CATALOG_MAX) {
		report_add(l->report, REPORT_ERROR, "flows", "expected at most %u flows, found %d",
			FLOW_CATALOG_MAX, n);
		return -EINVAL;
	}
	l->catalog->entries = calloc((size_t)n + 1, sizeof(*l->catalog->entries));
	if (!l->catalog->entries)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		int rc = load_file(l, entries[i]->d_name);

		if (rc < 0 && worst != -ENOMEM)
			worst = rc == -ENOMEM ? rc : -EINVAL;
	}
	return worst;
}

int flow_catalog_load(struct flow_catalog *catalog, const char *directory, const char *instance_arn,
	const struct flow_catalog *previous, struct report *report)
{
	struct loading l = {catalog, directory, instance_arn, previous, NULL, report};
	struct yml_doc *doc = NULL;
	struct dirent **entries = NULL;
	char path[PATH_SIZE];
	int n, rc;

	memset(catalog, 0, sizeof(*catalog));
	map_init(&catalog->by_id, NULL, 0);
	map_init(&catalog->by_name, NULL, 0);
	rc = load_rows(&l, &doc);
	if (rc < 0)
		goto out;
	snprintf(path, sizeof(path), "%s/flows", directory);
	n = scandir(path, &entries, is_flow_file, alphasort);
	if (n < 0) {
		rc = -errno;
		report_add(report, REPORT_ERROR, "flows", "expected a directory of flows: %s",
			strerror(errno));
		goto out;
	}
	rc = load_all(&l, entries, n);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
out:
	yml_destroy(doc);
	if (rc < 0)
		flow_catalog_clear(catalog);
	return rc;
}

void flow_catalog_clear(struct flow_catalog *catalog)
{
	map_clear(&catalog->by_id);
	map_clear(&catalog->by_name);
	for (size_t i = 0; i < catalog->n; i++)
		clear_entry(&catalog->entries[i]);
	free(catalog->entries);
	memset(catalog, 0, sizeof(*catalog));
}

struct flow_entry *flow_catalog_entry(const struct flow_catalog *catalog, const char *reference)
{
	struct flow_entry *entry;
	const char *id;
	size_t n;

	if (!reference)
		return NULL;
	id = flow_reference_id(reference, &n);
	entry = map_get(&catalog->by_id, id, n);
	return entry ? entry : map_get_str(&catalog->by_name, str_from(reference));
}

struct flow *flow_catalog_find(const struct flow_catalog *catalog, const char *reference)
{
	const struct flow_entry *entry = flow_catalog_entry(catalog, reference);

	return entry ? entry->published : NULL;
}

int flow_catalog_publish(struct flow_catalog *catalog, struct flow_entry *entry)
{
	struct flow *old = entry->published, *fresh = entry->draft;
	int rc = 0;

	/* the keys live in the flow that they are taken from */
	if (old)
		rc = map_set(&catalog->by_name, fresh->name, strlen(fresh->name), entry, NULL);
	if (rc < 0)
		return rc;
	if (old && strcmp(old->name, fresh->name) != 0)
		map_remove_str(&catalog->by_name, str_from(old->name));
	if (old)
		map_set(&catalog->by_id, fresh->id, strlen(fresh->id), entry, NULL);
	settle_published(entry);
	flow_release(old);
	free(entry->text);
	entry->text = NULL;
	return 0;
}
