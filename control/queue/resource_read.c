/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/resource_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/resource_changes.h"

enum { RANGE_TEXT_LENGTH = 11 }; /* "HH:MM-HH:MM" */

static const char *const keys_of_kind[RESOURCE_KIND_COUNT][12] = {
	[RESOURCE_QUEUE] = {"name", "id", "description", "max_contacts", "priority", "hours",
		"outbound_caller_id", "outbound_whisper_flow", "quick_connects", NULL},
	[RESOURCE_HOURS] = {"name", "id", "description", "time_zone", "week", "overrides", NULL},
	[RESOURCE_STATUS] = {"name", "id", "description", NULL},
	[RESOURCE_SECURITY_PROFILE] = {"name", "id", "description", "permissions", NULL},
	[RESOURCE_ROUTING_PROFILE] = {"name", "id", "description", "default_outbound_queue",
		"queues", NULL},
	[RESOURCE_AGENT] = {"user", "id", "description", "first_name", "last_name",
		"routing_profile", "security_profile", "after_contact_seconds", "proficiencies",
		"phone", NULL},
	[RESOURCE_QUICK_CONNECT] = {"name", "id", "description", "type", "agent", "queue", "number",
		"flow", NULL},
	[RESOURCE_PROMPT] = {"name", "id", "description", "file", "text", NULL},
};

static const char *const caller_id_keys[] = {"name", "number", NULL};
static const char *const override_keys[] = {"date", "name", "open", NULL};
static const char *const profile_queue_keys[] = {"queue", "priority", "delay_seconds", NULL};
static const char *const weekday_names[] = {
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL};
static const char *const permission_names[] = {"take_calls", "monitor", "barge", "manage", NULL};
static const char *const quick_connect_types[] = {"agent", "queue", "external", NULL};

const char *const *resource_read_keys(enum resource_kind kind)
{
	return keys_of_kind[kind];
}

void *resource_read_alloc(struct resource_reader *reader, size_t size)
{
	void *memory = resources_alloc(reader->resources, size);

	reader->no_memory |= memory == NULL;
	return memory;
}

const char *resource_read_text(struct resource_reader *reader, const char *text)
{
	const char *copy = resources_text(reader->resources, text);

	reader->no_memory |= copy == NULL;
	return copy ? copy : "";
}

/* ---- values ---- */

int resource_read_string(struct resource_reader *reader, const struct yml_node *node,
	const char *key, enum yml_need need, size_t max, const char **out)
{
	const char *text;
	int rc = yml_read_string(reader->report, node, key, need, max, &text);

	if (rc)
		return rc;
	if (*text == '\0') {
		yml_report(reader->report, yml_get(node, key), REPORT_ERROR,
			"expected some text, found an empty one");
		return -EINVAL;
	}
	*out = resource_read_text(reader, text);
	return 0;
}

void resource_read_u32(struct resource_reader *reader, const struct yml_node *node, const char *key,
	enum yml_need need, uint32_t min, uint32_t max, uint32_t *out)
{
	int64_t value;

	if (yml_read_int(reader->report, node, key, need, min, max, &value) == 0)
		*out = (uint32_t)value;
}

/* The row that a scalar node names; reported when there is none. */
static const struct resource *find_row(
	struct resource_reader *reader, const struct yml_node *node, enum resource_kind kind)
{
	const struct resource *row = NULL;

	if (yml_kind(node) == YML_SCALAR)
		row = resources_find(reader->resources, kind, yml_text(node), RESOURCE_BY_ANY);
	if (!row)
		yml_report(reader->report, node, REPORT_ERROR,
			"expected the name, id or ARN of a %s in %s, found %s%s%s",
			resource_kind_word(kind), resource_kind_file(kind),
			yml_kind(node) == YML_SCALAR ? "\"" : "",
			yml_kind(node) == YML_SCALAR ? yml_text(node)
						     : yml_kind_name(yml_kind(node)),
			yml_kind(node) == YML_SCALAR ? "\"" : "");
	return row;
}

const void *resource_read_reference(struct resource_reader *reader, const struct yml_node *node,
	const char *key, enum yml_need need, enum resource_kind kind)
{
	const char *text;

	if (yml_read_string(reader->report, node, key, need, RESOURCE_ARN_MAX, &text))
		return NULL;
	return find_row(reader, yml_get(node, key), kind);
}

static const char *read_number(struct resource_reader *reader, const struct yml_node *node,
	const char *key, enum yml_need need)
{
	const char *number = "";

	if (resource_read_string(reader, node, key, need, RESOURCE_NAME_MAX, &number))
		return "";
	if (!resource_number_valid(number))
		yml_report(reader->report, yml_get(node, key), REPORT_ERROR,
			"expected a phone number in E.164 form (\"+\" and 2 to 15 digits), "
			"found \"%s\"",
			number);
	return number;
}

bool resource_read_size_fits(
	struct resource_reader *reader, const struct yml_node *sequence, uint32_t max)
{
	if (yml_size(sequence) <= max)
		return true;
	yml_report(reader->report, sequence, REPORT_ERROR, "expected at most %u entries, found %zu",
		max, yml_size(sequence));
	return false;
}

void resource_read_refuse_key(struct resource_reader *reader, const struct yml_node *node,
	const char *key, const char *with)
{
	if (yml_get(node, key))
		yml_report(reader->report, yml_get(node, key), REPORT_ERROR,
			"expected no \"%s\" with %s", key, with);
}

/* ---- queues ---- */

static void read_caller_id(
	struct resource_reader *reader, const struct yml_node *node, struct resource_queue *queue)
{
	const struct yml_node *caller;

	if (yml_read_mapping(reader->report, node, "outbound_caller_id", YML_OPTIONAL, &caller))
		return;
	yml_only_keys(reader->report, caller, caller_id_keys);
	resource_read_string(
		reader, caller, "name", YML_OPTIONAL, RESOURCE_NAME_MAX, &queue->caller_id_name);
	queue->caller_id_number = read_number(reader, caller, "number", YML_REQUIRED);
}

/* Adds the one that an entry names, unless it was removed over the admin socket. */
static void add_quick_connect(struct resource_reader *reader, const struct yml_node *entry,
	const struct resource_quick_connect **rows, uint32_t *count)
{
	const char *reference = resource_changes_reference(reader->changes, yml_text(entry));
	const void *row;

	if (!reference)
		return;
	if (reference == yml_text(entry))
		row = find_row(reader, entry, RESOURCE_QUICK_CONNECT);
	else
		row = resources_quick_connect(reader->resources, reference, RESOURCE_BY_ID);
	for (uint32_t i = 0; row && i < *count; i++) {
		if (rows[i] != row)
			continue;
		yml_report(reader->report, entry, REPORT_ERROR, "expected each quick connect once");
		row = NULL;
	}
	if (row)
		rows[(*count)++] = row;
}

static void read_queue_quick_connects(
	struct resource_reader *reader, const struct yml_node *node, struct resource_queue *queue)
{
	const struct resource_quick_connect **rows;
	const struct yml_node *list = NULL;
	uint32_t count = 0;
	size_t room;

	if (yml_read_sequence(reader->report, node, "quick_connects", YML_OPTIONAL, &list) ==
		-EINVAL)
		return;
	room = yml_size(list) + resource_changes_attached(reader->changes, queue) + 1;
	rows = resource_read_alloc(reader, room * sizeof(const struct resource_quick_connect *));
	if (!rows)
		return;
	for (size_t i = 0; i < yml_size(list); i++)
		add_quick_connect(reader, yml_at(list, i), rows, &count);
	count = resource_changes_attach(reader, queue, rows, count);
	if (count > RESOURCE_QUEUE_QUICK_CONNECTS_MAX)
		yml_report(reader->report, list ? list : node, REPORT_ERROR,
			"expected at most %d quick connects, found %u",
			RESOURCE_QUEUE_QUICK_CONNECTS_MAX, count);
	queue->quick_connects = rows;
	queue->quick_connect_count = count;
}

static void read_queue(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_queue *queue = (struct resource_queue *)row;

	queue->priority = RESOURCE_PRIORITY_DEFAULT;
	queue->caller_id_name = queue->caller_id_number = queue->outbound_whisper_flow = "";
	resource_read_u32(reader, node, "max_contacts", YML_OPTIONAL, 1,
		RESOURCE_QUEUE_CONTACTS_MAX, &queue->contacts_max);
	resource_read_u32(
		reader, node, "priority", YML_OPTIONAL, 1, RESOURCE_PRIORITY_MAX, &queue->priority);
	queue->hours = resource_read_reference(reader, node, "hours", YML_OPTIONAL, RESOURCE_HOURS);
	resource_read_string(reader, node, "outbound_whisper_flow", YML_OPTIONAL, RESOURCE_ARN_MAX,
		&queue->outbound_whisper_flow);
	read_caller_id(reader, node, queue);
	read_queue_quick_connects(reader, node, queue);
}

/* ---- hours of operation ---- */

static int parse_range(const char *text, uint32_t *start, uint32_t *end)
{
	char copy[RANGE_TEXT_LENGTH + 1];

	if (strlen(text) != RANGE_TEXT_LENGTH || text[5] != '-')
		return -EINVAL;
	memcpy(copy, text, sizeof(copy));
	copy[5] = '\0';
	if (hours_parse_time(copy, start) || hours_parse_time(copy + 6, end))
		return -EINVAL;
	return *start < *end ? 0 : -EINVAL;
}

static void read_ranges(
	struct resource_reader *reader, const struct yml_node *list, struct hours_day *day)
{
	for (size_t i = 0; i < yml_size(list); i++) {
		const struct yml_node *item = yml_at(list, i);
		uint32_t start, end;
		int rc = -EINVAL;
		if (parse_range(yml_text(item), &start, &end)) {
			yml_report(reader->report, item, REPORT_ERROR,
				"expected a range like \"09:00-17:30\" whose end is after its "
				"start (midnight as an end is 24:00), found \"%s\"",
				yml_text(item));
			continue;
		}
		rc = hours_day_add(day, start, end);
		if (rc == -ENOSPC)
			yml_report(reader->report, item, REPORT_ERROR,
				"expected at most %d ranges a day", HOURS_RANGES_MAX);
		else if (rc)
			yml_report(reader->report, item, REPORT_ERROR,
				"expected ranges that do not overlap, found \"%s\" over another",
				yml_text(item));
	}
}

static void read_week(
	struct resource_reader *reader, const struct yml_node *node, struct hours *hours)
{
	const struct yml_node *week, *day;

	if (yml_read_mapping(reader->report, node, "week", YML_REQUIRED, &week))
		return;
	yml_only_keys(reader->report, week, weekday_names);
	for (int i = 0; i < HOURS_WEEKDAYS; i++)
		if (yml_read_sequence(reader->report, week, weekday_names[i], YML_OPTIONAL, &day) ==
			0)
			read_ranges(reader, day, &hours->week[i]);
}

static void read_override(struct resource_reader *reader, const struct yml_node *node,
	struct hours_override *override)
{
	const struct yml_node *open;
	const char *date;

	override->name = "";
	if (yml_expect(reader->report, node, YML_MAPPING))
		return;
	yml_only_keys(reader->report, node, override_keys);
	resource_read_string(
		reader, node, "name", YML_OPTIONAL, RESOURCE_NAME_MAX, &override->name);
	if (yml_read_string(reader->report, node, "date", YML_REQUIRED, RESOURCE_NAME_MAX, &date) ==
			0 &&
		hours_parse_date(date, &override->date_days))
		yml_report(reader->report, yml_get(node, "date"), REPORT_ERROR,
			"expected a date like 2026-12-25, found \"%s\"", date);
	if (yml_read_sequence(reader->report, node, "open", YML_REQUIRED, &open) == 0)
		read_ranges(reader, open, &override->day);
}

static int by_date(const void *a, const void *b)
{
	const struct hours_override *x = a, *y = b;

	return x->date_days < y->date_days ? -1 : x->date_days > y->date_days;
}

static void read_overrides(
	struct resource_reader *reader, const struct yml_node *node, struct hours *hours)
{
	struct hours_override *overrides;
	const struct yml_node *list;
	size_t count;

	if (yml_read_sequence(reader->report, node, "overrides", YML_OPTIONAL, &list) ||
		!resource_read_size_fits(reader, list, HOURS_OVERRIDES_MAX))
		return;
	count = yml_size(list);
	overrides = resource_read_alloc(reader, (count + 1) * sizeof(*overrides));
	if (!overrides)
		return;
	for (size_t i = 0; i < count; i++)
		read_override(reader, yml_at(list, i), &overrides[i]);
	qsort(overrides, count, sizeof(*overrides), by_date);
	for (size_t i = 1; i < count; i++)
		if (overrides[i].date_days == overrides[i - 1].date_days &&
			!report_has_errors(reader->report))
			yml_report(reader->report, list, REPORT_ERROR,
				"expected each date once (\"%s\" and \"%s\" share one)",
				overrides[i - 1].name, overrides[i].name);
	hours->overrides = overrides;
	hours->override_count = (uint32_t)count;
}

/* The zone of a name, each parsed once; NULL with *why when it cannot be had. */
static const struct zone *load_zone(
	struct resource_reader *reader, const char *name, const char **why)
{
	struct zone *zone = map_get_str(&reader->resources->zones, str_from(name));
	void *bytes = NULL;
	size_t size = 0;
	int rc;

	if (zone)
		return zone;
	*why = "is not known here";
	if (strcmp(name, "UTC") == 0)
		rc = zone_utc(&zone);
	else
		rc = reader->config->read_zone(reader->config->context, name, &bytes, &size);
	if (rc == 0 && bytes) {
		*why = "has a zone file that cannot be read";
		rc = zone_parse(bytes, size, &zone);
	}
	free(bytes);
	if (rc)
		return NULL;
	if (map_put_str(
		    &reader->resources->zones, str_from(resource_read_text(reader, name)), zone)) {
		zone_destroy(zone);
		reader->no_memory = true;
		return NULL;
	}
	return zone;
}

static void read_hours(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_hours *hours = (struct resource_hours *)row;
	const char *why = "is not a name of one";

	hours->zone_name = "";
	read_week(reader, node, &hours->hours);
	read_overrides(reader, node, &hours->hours);
	if (resource_read_string(
		    reader, node, "time_zone", YML_REQUIRED, ZONE_NAME_MAX, &hours->zone_name))
		return;
	if (zone_name_valid(hours->zone_name))
		hours->hours.zone = load_zone(reader, hours->zone_name, &why);
	if (!hours->hours.zone)
		yml_report(reader->report, yml_get(node, "time_zone"), REPORT_ERROR,
			"expected a time zone like Europe/Rome; \"%s\" %s", hours->zone_name, why);
}

/* ---- profiles ---- */

static void read_security_profile(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_security_profile *profile = (struct resource_security_profile *)row;
	const struct yml_node *list;

	if (yml_read_sequence(reader->report, node, "permissions", YML_REQUIRED, &list))
		return;
	profile->permissions = 0;
	for (size_t i = 0; i < yml_size(list); i++) {
		const char *text = yml_text(yml_at(list, i));
		uint32_t bit = 0;
		while (permission_names[bit] && strcmp(permission_names[bit], text) != 0)
			bit++;
		if (permission_names[bit])
			profile->permissions |= 1u << bit;
		else
			yml_report(reader->report, yml_at(list, i), REPORT_ERROR,
				"expected take_calls, monitor, barge or manage, found \"%s\"",
				text);
	}
}

static bool level_before(
	const struct resource_profile_queue *a, const struct resource_profile_queue *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->delay_s < b->delay_s;
}

/* Adds a queue to a routing profile's, ascending by (priority, delay). */
static void insert_profile_queue(struct resource_profile_queue *queues, uint32_t count,
	const struct resource_profile_queue *one)
{
	while (count > 0 && level_before(one, &queues[count - 1])) {
		queues[count] = queues[count - 1];
		count--;
	}
	queues[count] = *one;
}

static bool has_queue(const struct resource_profile_queue *queues, uint32_t count,
	const struct resource_queue *queue)
{
	for (uint32_t i = 0; i < count; i++)
		if (queues[i].queue == queue)
			return true;
	return false;
}

static void read_profile_queue(struct resource_reader *reader, const struct yml_node *node,
	struct resource_profile_queue *queues, uint32_t *count)
{
	struct resource_profile_queue one = {.priority = 1};

	if (yml_expect(reader->report, node, YML_MAPPING))
		return;
	yml_only_keys(reader->report, node, profile_queue_keys);
	one.queue = resource_read_reference(reader, node, "queue", YML_REQUIRED, RESOURCE_QUEUE);
	resource_read_u32(
		reader, node, "priority", YML_REQUIRED, 1, RESOURCE_PRIORITY_MAX, &one.priority);
	resource_read_u32(
		reader, node, "delay_seconds", YML_OPTIONAL, 0, RESOURCE_DELAY_MAX_S, &one.delay_s);
	if (!one.queue)
		return;
	if (has_queue(queues, *count, one.queue)) {
		yml_report(reader->report, yml_get(node, "queue"), REPORT_ERROR,
			"expected each queue once, found \"%s\" again", one.queue->row.name);
		return;
	}
	insert_profile_queue(queues, (*count)++, &one);
}

static void read_routing_profile(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_routing_profile *profile = (struct resource_routing_profile *)row;
	struct resource_profile_queue *queues;
	const struct yml_node *list;

	profile->default_outbound_queue = resource_read_reference(
		reader, node, "default_outbound_queue", YML_OPTIONAL, RESOURCE_QUEUE);
	if (yml_read_sequence(reader->report, node, "queues", YML_REQUIRED, &list) ||
		!resource_read_size_fits(reader, list, RESOURCE_PROFILE_QUEUES_MAX))
		return;
	queues = resource_read_alloc(reader, (yml_size(list) + 1) * sizeof(*queues));
	if (!queues)
		return;
	for (size_t i = 0; i < yml_size(list); i++)
		read_profile_queue(reader, yml_at(list, i), queues, &profile->queue_count);
	profile->queues = queues;
}

/* ---- quick connects and prompts ---- */

static void read_external(struct resource_reader *reader, const struct yml_node *node,
	struct resource_quick_connect *one)
{
	one->number = read_number(reader, node, "number", YML_REQUIRED);
	resource_read_refuse_key(reader, node, "agent", "type external");
	resource_read_refuse_key(reader, node, "queue", "type external");
	resource_read_refuse_key(reader, node, "flow", "type external");
}

static void read_quick_connect(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_quick_connect *one = (struct resource_quick_connect *)row;
	int type;

	if (yml_read_choice(reader->report, node, "type", YML_REQUIRED, quick_connect_types, &type))
		return;
	one->type = (enum resource_quick_connect_type)type;
	if (one->type == RESOURCE_QUICK_CONNECT_EXTERNAL) {
		read_external(reader, node, one);
		return;
	}
	resource_read_refuse_key(reader, node, "number",
		one->type == RESOURCE_QUICK_CONNECT_AGENT ? "type agent" : "type queue");
	resource_read_string(reader, node, "flow", YML_REQUIRED, RESOURCE_ARN_MAX, &one->flow);
	if (one->type == RESOURCE_QUICK_CONNECT_AGENT) {
		one->agent = resource_read_reference(
			reader, node, "agent", YML_REQUIRED, RESOURCE_AGENT);
		resource_read_refuse_key(reader, node, "queue", "type agent");
	} else {
		one->queue = resource_read_reference(
			reader, node, "queue", YML_REQUIRED, RESOURCE_QUEUE);
		resource_read_refuse_key(reader, node, "agent", "type queue");
	}
}

/* A relative path that stays below where it starts. */
static bool path_valid(const char *path)
{
	struct str rest = str_from(path), part;

	if (path[0] == '/')
		return false;
	while (str_split(&rest, '/', &part))
		if (str_empty(part) || str_equal_text(part, "..") || str_equal_text(part, "."))
			return false;
	return true;
}

static void read_prompt(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	struct resource_prompt *prompt = (struct resource_prompt *)row;

	resource_read_string(
		reader, node, "text", YML_OPTIONAL, RESOURCE_PROMPT_TEXT_MAX, &prompt->text);
	if (resource_read_string(
		    reader, node, "file", YML_OPTIONAL, RESOURCE_PATH_MAX, &prompt->file) == 0 &&
		!path_valid(prompt->file))
		yml_report(reader->report, yml_get(node, "file"), REPORT_ERROR,
			"expected a path below the directory of prompts, found \"%s\"",
			prompt->file);
	if (!yml_get(node, "text") == !yml_get(node, "file"))
		yml_report(reader->report, node, REPORT_ERROR,
			"expected either \"file\" (recorded) or \"text\" (spoken)");
}

static void read_status(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	/* Identity is all there is: the type follows from the name. */
}

void resource_read_fields(
	struct resource_reader *reader, const struct yml_node *node, struct resource *row)
{
	static void (*const readers[RESOURCE_KIND_COUNT])(
		struct resource_reader *, const struct yml_node *, struct resource *) = {
		[RESOURCE_QUEUE] = read_queue,
		[RESOURCE_HOURS] = read_hours,
		[RESOURCE_STATUS] = read_status,
		[RESOURCE_SECURITY_PROFILE] = read_security_profile,
		[RESOURCE_ROUTING_PROFILE] = read_routing_profile,
		[RESOURCE_AGENT] = resource_read_agent,
		[RESOURCE_QUICK_CONNECT] = read_quick_connect,
		[RESOURCE_PROMPT] = read_prompt,
	};

	readers[row->kind](reader, node, row);
}
