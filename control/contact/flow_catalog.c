/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/flow_catalog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/str.h"
#include "base/yaml.h"
#include "flow/reader.h"

#define PATH_SIZE 4096

struct loading {
	struct flow_catalog *catalog;
	const char *directory;
	const char *instance_arn;
	const struct yml_node *rows; /* of flows.yaml, or NULL */
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

static int add(const struct loading *l, struct flow *flow)
{
	struct flow_catalog *c = l->catalog;
	int rc;

	rc = map_put_str(&c->by_name, str_from(flow->name), flow);
	if (rc == -EEXIST)
		report_add(l->report, REPORT_ERROR, flow->file,
			"expected a name of its own, but '%s' is also the name of the flow in %s",
			flow->name,
			((struct flow *)map_get_str(&c->by_name, str_from(flow->name)))->file);
	if (rc < 0)
		return rc == -EEXIST ? -EINVAL : rc;
	rc = map_put_str(&c->by_id, str_from(flow->id), flow);
	if (rc == -EEXIST)
		report_add(l->report, REPORT_ERROR, flow->file,
			"expected an id of its own, but '%s' is also the id of the flow in %s",
			flow->id,
			((struct flow *)map_get_str(&c->by_id, str_from(flow->id)))->file);
	if (rc < 0) {
		map_remove_str(&c->by_name, str_from(flow->name));
		return rc == -EEXIST ? -EINVAL : rc;
	}
	c->flows[c->n++] = flow;
	return 0;
}

static int load_file(const struct loading *l, const char *file)
{
	char path[PATH_SIZE], place[300];
	struct flow_reader_options options = {.file = place};
	struct flow *flow;
	char *text;
	size_t n;
	int rc;

	snprintf(path, sizeof(path), "%s/flows/%s", l->directory, file);
	snprintf(place, sizeof(place), "flows/%s", file);
	rc = file_read(path, FLOW_TEXT_MAX, &text, &n);
	if (rc < 0) {
		report_add(l->report, REPORT_ERROR, place, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = read_row(l, row_of(l, file), &options);
	if (rc == 0)
		rc = read_named(l, text, n, &options, &flow);
	free(text);
	if (rc < 0)
		return rc;
	rc = add(l, flow);
	if (rc < 0)
		flow_release(flow);
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
	l->catalog->flows = calloc((size_t)n + 1, sizeof(*l->catalog->flows));
	if (!l->catalog->flows)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		int rc = load_file(l, entries[i]->d_name);

		if (rc < 0 && worst != -ENOMEM)
			worst = rc == -ENOMEM ? rc : -EINVAL;
	}
	return worst;
}

int flow_catalog_load(struct flow_catalog *catalog, const char *directory, const char *instance_arn,
	struct report *report)
{
	struct loading l = {catalog, directory, instance_arn, NULL, report};
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
		flow_release(catalog->flows[i]);
	free(catalog->flows);
	memset(catalog, 0, sizeof(*catalog));
}

struct flow *flow_catalog_find_any(const struct flow_catalog *catalog, const char *reference)
{
	struct flow *flow;
	const char *id;
	size_t n;

	if (!reference)
		return NULL;
	id = flow_reference_id(reference, &n);
	flow = map_get(&catalog->by_id, id, n);
	return flow ? flow : map_get_str(&catalog->by_name, str_from(reference));
}

struct flow *flow_catalog_find(const struct flow_catalog *catalog, const char *reference)
{
	struct flow *flow = flow_catalog_find_any(catalog, reference);

	return flow && !flow->saved ? flow : NULL;
}
