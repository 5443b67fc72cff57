/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/resource_files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "queue/resource_changes.h"
#include "queue/resource_read.h"

enum {
	REGION_MAX = 32,
	ACCOUNT_DIGITS = 12,
	BUILT_INS_MAX = 4,
	DOCS_MAX = 10000,
};

struct resource_files {
	struct resource_files_config config;
	const struct yml_doc **docs;
	enum resource_kind *kinds;
	uint32_t count, room;
	const struct yml_doc *changes; /* NULL: none */
};

/* A row and the mapping that it is read from. */
struct item {
	const struct yml_node *node;
	struct resource *row;
};

struct loading {
	struct resource_reader reader;
	struct item *items;
	size_t count;
};

static const char *const list_keys[RESOURCE_KIND_COUNT][2] = {
	[RESOURCE_QUEUE] = {"queues"},
	[RESOURCE_HOURS] = {"hours"},
	[RESOURCE_STATUS] = {"statuses"},
	[RESOURCE_SECURITY_PROFILE] = {"security_profiles"},
	[RESOURCE_ROUTING_PROFILE] = {"routing_profiles"},
	[RESOURCE_AGENT] = {"agents"},
	[RESOURCE_QUICK_CONNECT] = {"quick_connects"},
	[RESOURCE_PROMPT] = {"prompts"},
};

static const uint32_t rows_max[RESOURCE_KIND_COUNT] = {
	[RESOURCE_QUEUE] = RESOURCES_QUEUES_MAX,
	[RESOURCE_HOURS] = RESOURCES_HOURS_MAX,
	[RESOURCE_STATUS] = RESOURCES_STATUSES_MAX,
	[RESOURCE_SECURITY_PROFILE] = RESOURCES_SECURITY_PROFILES_MAX,
	[RESOURCE_ROUTING_PROFILE] = RESOURCES_ROUTING_PROFILES_MAX,
	[RESOURCE_AGENT] = RESOURCES_AGENTS_MAX,
	[RESOURCE_QUICK_CONNECT] = RESOURCES_QUICK_CONNECTS_MAX,
	[RESOURCE_PROMPT] = RESOURCES_PROMPTS_MAX,
};

/* What an instance is born with. `value` is a status's type or a profile's permissions. */
struct built_in {
	enum resource_kind kind;
	const char *name;
	uint32_t value;
};

static const struct built_in built_ins[] = {
	{RESOURCE_STATUS, "Available", RESOURCE_STATUS_ROUTABLE},
	{RESOURCE_STATUS, "Offline", RESOURCE_STATUS_OFFLINE},
	{RESOURCE_SECURITY_PROFILE, "Admin",
		RESOURCE_MAY_TAKE_CALLS | RESOURCE_MAY_MONITOR | RESOURCE_MAY_BARGE |
			RESOURCE_MAY_MANAGE},
	{RESOURCE_SECURITY_PROFILE, "Agent", RESOURCE_MAY_TAKE_CALLS},
	{RESOURCE_SECURITY_PROFILE, "CallCenterManager",
		RESOURCE_MAY_MONITOR | RESOURCE_MAY_BARGE | RESOURCE_MAY_MANAGE},
	{RESOURCE_SECURITY_PROFILE, "QualityAnalyst", RESOURCE_MAY_MONITOR},
};

static const char *const built_in_place = "built-in";

/* ---- what comes in ---- */

static bool id_valid(const char *id)
{
	size_t length = strlen(id);

	for (const char *c = id; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return false;
	return length > 0 && length <= RESOURCE_ID_MAX;
}

static bool config_valid(const struct resource_files_config *config)
{
	for (const char *c = config->account; *c; c++)
		if (!isdigit((unsigned char)*c))
			return false;
	return strlen(config->account) == ACCOUNT_DIGITS && strlen(config->region) <= REGION_MAX &&
	       id_valid(config->region) && id_valid(config->instance) && config->read_zone;
}

int resource_files_create(const struct resource_files_config *config, struct resource_files **out)
{
	struct resource_files *files;

	if (!config_valid(config))
		return -EINVAL;
	files = calloc(1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	files->config = *config;
	*out = files;
	return 0;
}

void resource_files_destroy(struct resource_files *files)
{
	if (!files)
		return;
	free(files->docs);
	free(files->kinds);
	free(files);
}

int resource_files_add(
	struct resource_files *files, enum resource_kind kind, const struct yml_doc *doc)
{
	uint32_t room = files->room ? files->room * 2 : 16;
	const struct yml_doc **docs;
	enum resource_kind *kinds;

	if (files->count == DOCS_MAX)
		return -ENOSPC;
	if (files->count == files->room) {
		docs = realloc(files->docs, room * sizeof(const struct yml_doc *));
		if (!docs)
			return -ENOMEM;
		files->docs = docs;
		kinds = realloc(files->kinds, room * sizeof(*kinds));
		if (!kinds)
			return -ENOMEM;
		files->kinds = kinds;
		files->room = room;
	}
	files->docs[files->count] = doc;
	files->kinds[files->count++] = kind;
	return 0;
}

void resource_files_change(struct resource_files *files, const struct yml_doc *changes)
{
	files->changes = changes;
}

/* ---- identity ---- */

static const char *name_key(enum resource_kind kind)
{
	return kind == RESOURCE_AGENT ? "user" : "name";
}

static bool user_name_valid(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.@+", *c))
			return false;
	return true;
}

static int read_name(struct resource_reader *reader, const struct yml_node *node,
	enum resource_kind kind, const char **name)
{
	const char *text;

	if (yml_read_string(
		    reader->report, node, name_key(kind), YML_REQUIRED, RESOURCE_NAME_MAX, &text))
		return -EINVAL;
	if (*text == '\0' || (kind == RESOURCE_AGENT && !user_name_valid(text))) {
		yml_report(reader->report, yml_get(node, name_key(kind)), REPORT_ERROR,
			kind == RESOURCE_AGENT
				? "expected a user name of letters, digits and -_.@+, found \"%s\""
				: "expected a name, found \"%s\"",
			text);
		return -EINVAL;
	}
	*name = resource_read_text(reader, text);
	return 0;
}

static void read_id(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	char derived[RANDOM_UUID_SIZE];
	const char *text;
	int rc = yml_read_string(reader->report, node, "id", YML_OPTIONAL, RESOURCE_ID_MAX, &text);

	resource_id_from_name(row->kind, row->name, derived);
	row->id = resource_read_text(reader, derived);
	if (rc)
		return;
	if (!id_valid(text))
		yml_report(reader->report, yml_get(node, "id"), REPORT_ERROR,
			"expected an id of letters, digits and -_., found \"%s\"", text);
	else
		row->id = resource_read_text(reader, text);
}

static void read_description(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	bool needed = row->kind == RESOURCE_QUICK_CONNECT;
	const char *text = "";
	int rc;

	rc = yml_read_string(reader->report, node, "description",
		needed ? YML_REQUIRED : YML_OPTIONAL, RESOURCE_TEXT_MAX, &text);
	if (rc == 0 && needed && *text == '\0')
		yml_report(reader->report, yml_get(node, "description"), REPORT_ERROR,
			"expected a description, found an empty one");
	row->description = rc ? "" : resource_read_text(reader, text);
}

static void set_place(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	char place[YML_PLACE_MAX], *end;

	yml_place(node, place);
	end = strstr(place, ": ");
	if (end)
		*end = '\0';
	row->place = resource_read_text(reader, place);
}

static void add_to_index(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	const struct resource *other;
	int rc;

	row->arn = resources_make_arn(reader->resources, resource_kind_arn(row->kind), row->id);
	rc = row->arn ? resources_index(reader->resources, row) : -ENOMEM;
	if (rc == -EEXIST) {
		other = resources_find(reader->resources, row->kind, row->name, RESOURCE_BY_NAME);
		if (other == row) /* the name was free, so it is the id */
			other = resources_find(
				reader->resources, row->kind, row->id, RESOURCE_BY_ID);
		yml_report(reader->report, node, REPORT_ERROR,
			"expected a name and an id of its own, found those of the %s at %s",
			resource_kind_word(row->kind), other ? other->place : "another place");
	} else if (rc) {
		reader->no_memory = true;
	}
}

/* ---- built-ins ---- */

static void set_built_in(struct resource *row, uint32_t value)
{
	if (row->kind == RESOURCE_STATUS)
		((struct resource_status *)row)->type = (enum resource_status_type)value;
	else
		((struct resource_security_profile *)row)->permissions = value;
}

static void add_built_ins(struct resource_reader *reader)
{
	for (size_t i = 0; i < sizeof(built_ins) / sizeof(built_ins[0]); i++) {
		struct resource *row = resources_add(reader->resources, built_ins[i].kind);
		row->name = built_ins[i].name;
		row->description = "";
		row->place = built_in_place;
		set_built_in(row, built_ins[i].value);
	}
}

/* A built-in row of that name which no file has described yet. */
static struct resource *find_built_in(
	struct resource_reader *reader, enum resource_kind kind, const char *name)
{
	struct resources_table *table = &reader->resources->tables[kind];

	for (uint32_t i = 0; i < table->count && i < BUILT_INS_MAX; i++) {
		struct resource *row =
			(struct resource *)(void *)(table->rows + i * table->row_size);
		if (row->place == built_in_place && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

/* Makes those findable that no file has described. */
static void index_built_ins(struct resource_reader *reader)
{
	for (size_t i = 0; i < sizeof(built_ins) / sizeof(built_ins[0]); i++) {
		struct resource *row = find_built_in(reader, built_ins[i].kind, built_ins[i].name);
		char id[RANDOM_UUID_SIZE];
		if (!row)
			continue;
		resource_id_from_name(row->kind, row->name, id);
		row->id = resource_read_text(reader, id);
		add_to_index(reader, NULL, row);
	}
	reader->resources->available =
		resources_status(reader->resources, "Available", RESOURCE_BY_NAME);
	reader->resources->offline =
		resources_status(reader->resources, "Offline", RESOURCE_BY_NAME);
}

/* ---- rows ---- */

static void read_identity(struct resource_reader *reader, const struct yml_node *node,
	const char *name, struct resource *row)
{
	row->name = name;
	set_place(reader, node, row);
	read_id(reader, node, row);
	read_description(reader, node, row);
}

static void add_row(struct loading *loading, enum resource_kind kind, const char *name,
	const struct yml_node *node)
{
	struct resource_reader *reader = &loading->reader;
	struct resource *row = find_built_in(reader, kind, name);

	if (!row) {
		row = resources_add(reader->resources, kind);
		if (kind == RESOURCE_STATUS)
			((struct resource_status *)row)->type = RESOURCE_STATUS_CUSTOM;
	}
	read_identity(reader, node, name, row);
	add_to_index(reader, node, row);
	loading->items[loading->count++] = (struct item){node, row};
}

/* One of the files: judged aside first, since it may not count any more. */
static void add_quick_connect(
	struct loading *loading, const char *name, const struct yml_node *node)
{
	struct resource_reader *reader = &loading->reader;
	struct resource_quick_connect *one = resource_read_alloc(reader, sizeof(*one)), *row;

	if (!one)
		return;
	one->row.kind = RESOURCE_QUICK_CONNECT;
	read_identity(reader, node, name, &one->row);
	one->file_place = one->row.place;
	if (!resource_changes_replace(reader, &one->row)) {
		row = (struct resource_quick_connect *)resources_add(
			reader->resources, RESOURCE_QUICK_CONNECT);
		one->row.index = row->row.index;
		*row = *one;
		one = row;
		add_to_index(reader, node, &one->row);
	}
	loading->items[loading->count++] = (struct item){node, &one->row};
}

static void read_row(struct loading *loading, enum resource_kind kind, const struct yml_node *node)
{
	struct resource_reader *reader = &loading->reader;
	const char *name;

	if (yml_expect(reader->report, node, YML_MAPPING))
		return;
	yml_only_keys(reader->report, node, resource_read_keys(kind));
	if (read_name(reader, node, kind, &name))
		return;
	if (kind == RESOURCE_QUICK_CONNECT)
		add_quick_connect(loading, name, node);
	else
		add_row(loading, kind, name, node);
}

/* One that was made or changed over the admin socket. */
static void read_changed_row(struct loading *loading, const struct yml_node *node)
{
	struct resource_reader *reader = &loading->reader;
	struct resource_quick_connect *row;
	const char *name;

	if (yml_kind(node) != YML_MAPPING)
		return;
	yml_only_keys(reader->report, node, resource_read_keys(RESOURCE_QUICK_CONNECT));
	if (read_name(reader, node, RESOURCE_QUICK_CONNECT, &name))
		return;
	add_row(loading, RESOURCE_QUICK_CONNECT, name, node);
	row = (struct resource_quick_connect *)loading->items[loading->count - 1].row;
	row->file_place = resource_changes_place(reader->changes, row->row.id);
}

/* The list of a document; NULL when it is empty or no list. */
static const struct yml_node *list_of(
	struct report *report, const struct yml_doc *doc, enum resource_kind kind)
{
	const struct yml_node *root = yml_root(doc), *list;
	const char *const keys[] = {list_keys[kind][0], NULL};

	if (yml_kind(root) == YML_NULL || (report && yml_expect(report, root, YML_MAPPING)))
		return NULL;
	if (report)
		yml_only_keys(report, root, keys);
	if (yml_read_sequence(report, root, keys[0], YML_REQUIRED, &list))
		return NULL;
	return list;
}

static int reserve(struct loading *loading, const struct resource_files *files)
{
	struct resource_reader *reader = &loading->reader;
	uint32_t counts[RESOURCE_KIND_COUNT] = {0};
	size_t total = 0;
	int rc = 0;

	for (uint32_t i = 0; i < files->count; i++) {
		size_t size = yml_size(list_of(NULL, files->docs[i], files->kinds[i]));
		counts[files->kinds[i]] += (uint32_t)size;
		total += size;
	}
	counts[RESOURCE_QUICK_CONNECT] += (uint32_t)yml_size(reader->changes->rows);
	total += yml_size(reader->changes->rows);
	for (int kind = 0; kind < RESOURCE_KIND_COUNT && !rc; kind++) {
		if (counts[kind] > rows_max[kind]) {
			report_add(reader->report, REPORT_ERROR, resource_kind_file(kind),
				"expected at most %u entries, found %u", rows_max[kind],
				counts[kind]);
			return -EINVAL;
		}
		rc = resources_reserve(
			reader->resources, (enum resource_kind)kind, counts[kind] + BUILT_INS_MAX);
	}
	loading->items = calloc(total + 1, sizeof(*loading->items));
	return loading->items ? rc : -ENOMEM;
}

static void read_all(struct loading *loading, const struct resource_files *files)
{
	struct resource_reader *reader = &loading->reader;

	add_built_ins(reader);
	for (uint32_t i = 0; i < files->count; i++) {
		const struct yml_node *list =
			list_of(reader->report, files->docs[i], files->kinds[i]);
		for (size_t j = 0; j < yml_size(list); j++)
			read_row(loading, files->kinds[i], yml_at(list, j));
	}
	for (size_t i = 0; i < yml_size(reader->changes->rows); i++)
		read_changed_row(loading, yml_at(reader->changes->rows, i));
	index_built_ins(reader);
	for (size_t i = 0; i < loading->count; i++)
		resource_read_fields(reader, loading->items[i].node, loading->items[i].row);
	resource_changes_finish(reader);
}

static int set_instance_arn(
	struct resource_reader *reader, const struct resource_files_config *config)
{
	char arn[RESOURCE_ARN_MAX + 1];

	snprintf(arn, sizeof(arn), "arn:aws:connect:%s:%s:instance/%s", config->region,
		config->account, config->instance);
	reader->resources->instance_arn = resources_text(reader->resources, arn);
	return reader->resources->instance_arn ? 0 : -ENOMEM;
}

int resource_files_finish(
	struct resource_files *files, struct report *report, struct resources **resources)
{
	struct resource_changes changes;
	struct loading loading = {
		.reader = {.config = &files->config, .changes = &changes, .report = report}};
	size_t errors = report_count(report, REPORT_ERROR);
	int rc;

	rc = resources_create(&loading.reader.resources);
	if (rc)
		return rc;
	resource_changes_init(&changes);
	if (files->changes)
		resource_changes_read(&loading.reader, files->changes);
	rc = set_instance_arn(&loading.reader, &files->config);
	if (!rc)
		rc = reserve(&loading, files);
	if (!rc)
		read_all(&loading, files);
	if (!rc && loading.reader.no_memory)
		rc = -ENOMEM;
	if (!rc && report_count(report, REPORT_ERROR) > errors)
		rc = -EINVAL;
	free(loading.items);
	resource_changes_clear(&changes);
	if (rc)
		resources_destroy(loading.reader.resources);
	else
		*resources = loading.reader.resources;
	return rc;
}

/* ---- flows ---- */

static void refuse_flow(struct report *report, const struct resource *row, const char *field,
	const char *flow, enum resource_flow_kind found, const char *wanted)
{
	char place[REPORT_PLACE_MAX];

	snprintf(place, sizeof(place), "%s: %s", row->place, field);
	if (found == RESOURCE_FLOW_MISSING)
		report_add(report, REPORT_ERROR, place,
			"expected a flow of type %s, found no flow \"%s\"", wanted, flow);
	else if (found == RESOURCE_FLOW_DRAFT)
		report_add(report, REPORT_ERROR, place,
			"expected a published flow, \"%s\" is a draft that was never published",
			flow);
	else
		report_add(report, REPORT_ERROR, place,
			"expected a flow of type %s, \"%s\" is of another type", wanted, flow);
}

static void warn_of_agent(struct report *report, const struct resource_quick_connect *one)
{
	char place[REPORT_PLACE_MAX];

	if (resource_agent_may_take_calls(one->agent))
		return;
	snprintf(place, sizeof(place), "%s: agent", one->row.place);
	report_add(report, REPORT_WARNING, place,
		"expected a user who may take calls; contacts sent to \"%s\" are offered to nobody",
		one->agent->row.name);
}

static void check_quick_connect(const struct resource_quick_connect *one,
	enum resource_flow_kind (*flow_kind)(void *context, const char *reference), void *context,
	struct report *report)
{
	bool agent = one->type == RESOURCE_QUICK_CONNECT_AGENT;
	enum resource_flow_kind found;

	if (one->type == RESOURCE_QUICK_CONNECT_EXTERNAL)
		return;
	found = flow_kind(context, one->flow);
	if (found != (agent ? RESOURCE_FLOW_TRANSFER_TO_AGENT : RESOURCE_FLOW_TRANSFER_TO_QUEUE))
		refuse_flow(report, &one->row, "flow", one->flow, found,
			agent ? "transfer to agent" : "transfer to queue");
	if (agent)
		warn_of_agent(report, one);
}

void resource_files_check_flows(const struct resources *resources,
	enum resource_flow_kind (*flow_kind)(void *context, const char *reference), void *context,
	struct report *report)
{
	for (uint32_t i = 0; i < resources_count(resources, RESOURCE_QUICK_CONNECT); i++)
		check_quick_connect((const struct resource_quick_connect *)resources_row(
					    resources, RESOURCE_QUICK_CONNECT, i),
			flow_kind, context, report);
	for (uint32_t i = 0; i < resources_count(resources, RESOURCE_QUEUE); i++) {
		const struct resource_queue *queue =
			(const struct resource_queue *)resources_row(resources, RESOURCE_QUEUE, i);
		enum resource_flow_kind found;
		if (queue->outbound_whisper_flow[0] == '\0')
			continue;
		found = flow_kind(context, queue->outbound_whisper_flow);
		if (found != RESOURCE_FLOW_OUTBOUND_WHISPER)
			refuse_flow(report, &queue->row, "outbound_whisper_flow",
				queue->outbound_whisper_flow, found, "outbound whisper");
	}
}
