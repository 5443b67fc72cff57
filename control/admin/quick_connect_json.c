/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/quick_connect_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One kind in each shape: plain word, documented word, the config and its member, key in a file. */
struct shape {
	const char *word, *documented, *config, *member, *key;
};

static const struct shape shapes[] = {
	[RESOURCE_QUICK_CONNECT_AGENT] = {"agent", "USER", "UserConfig", "UserId", "agent"},
	[RESOURCE_QUICK_CONNECT_QUEUE] = {"queue", "QUEUE", "QueueConfig", "QueueId", "queue"},
	[RESOURCE_QUICK_CONNECT_EXTERNAL] = {"external", "PHONE_NUMBER", "PhoneConfig",
		"PhoneNumber", "number"},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const struct shape *shape_of(const char *word)
{
	for (size_t i = 0; word && i < SHAPES; i++)
		if (strcmp(word, shapes[i].word) == 0)
			return &shapes[i];
	return NULL;
}

static bool is_external(const struct shape *shape)
{
	return shape == &shapes[RESOURCE_QUICK_CONNECT_EXTERNAL];
}

/* ---- written ---- */

static const char *destination_of(const struct resource_quick_connect *row)
{
	switch (row->type) {
	case RESOURCE_QUICK_CONNECT_AGENT:
		return row->agent->row.id;
	case RESOURCE_QUICK_CONNECT_QUEUE:
		return row->queue->row.id;
	default:
		return row->number;
	}
}

json_t *quick_connect_json(const struct resource_quick_connect *row, const char *flow_id)
{
	const struct shape *shape = &shapes[row->type];
	json_t *config = json_pack("{s:s}", shape->member, destination_of(row));

	if (!is_external(shape))
		json_object_set_new(config, "ContactFlowId", json_string(flow_id));
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:o}}", "QuickConnectId", row->row.id,
		"QuickConnectARN", row->row.arn, "Name", row->row.name, "Description",
		row->row.description, "QuickConnectConfig", "QuickConnectType", shape->documented,
		shape->config, config);
}

json_t *quick_connect_row(const struct quick_connect_wanted *wanted, const char *id)
{
	const struct shape *shape = shape_of(wanted->type);
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", wanted->name, "id", id,
		"description", wanted->description, "type", shape->word, shape->key,
		wanted->destination);

	if (row && wanted->flow)
		json_object_set_new(row, "flow", json_string(wanted->flow));
	return row;
}

/* ---- read ---- */

static int refuse(const char **member, const char *name, char why[QUICK_CONNECT_WHY_SIZE],
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int refuse(const char **member, const char *name, char why[QUICK_CONNECT_WHY_SIZE],
	const char *fmt, ...)
{
	va_list args;

	*member = name;
	va_start(args, fmt);
	vsnprintf(why, QUICK_CONNECT_WHY_SIZE, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* The text of a member under either of its names; absent is null. */
static int read_text(const json_t *object, const char *name, const char *other, const char **text,
	const char **member, char why[QUICK_CONNECT_WHY_SIZE])
{
	const json_t *first = json_object_get(object, name);
	const json_t *second = json_object_get(object, other);

	if (json_is_null(first))
		first = NULL;
	if (json_is_null(second))
		second = NULL;
	if (first && second)
		return refuse(member, other, why, "expected either this or %s", name);
	if (!first && !second)
		return 0;
	*text = json_string_value(first ? first : second);
	if (!*text)
		return refuse(member, first ? name : other, why, "expected a text");
	return 0;
}

/* The member of the config that holds the destination's, which nothing stands beside (R10). */
static int read_destination(const json_t *config, const struct shape *shape,
	struct quick_connect_wanted *wanted, const char **member, char why[QUICK_CONNECT_WHY_SIZE])
{
	const json_t *inner = json_object_get(config, shape->config);
	int rc;

	for (size_t i = 0; i < SHAPES; i++)
		if (&shapes[i] != shape && json_object_get(config, shapes[i].config))
			return refuse(member, shapes[i].config, why,
				"expected none with QuickConnectType %s", shape->documented);
	if (!json_is_object(inner))
		return refuse(
			member, shape->config, why, "expected an object with %s", shape->member);
	rc = read_text(inner, shape->member, "", &wanted->destination, member, why);
	if (rc == 0)
		rc = read_text(inner, "ContactFlowId", "", &wanted->flow, member, why);
	return rc;
}

static int read_config(const json_t *config, struct quick_connect_wanted *wanted,
	const char **member, char why[QUICK_CONNECT_WHY_SIZE])
{
	const char *type = NULL;

	if (wanted->type || wanted->destination || wanted->flow)
		return refuse(member, "QuickConnectConfig", why,
			"expected either this or type, destination and flow");
	if (read_text(config, "QuickConnectType", "", &type, member, why) < 0)
		return -EINVAL;
	for (size_t i = 0; type && i < SHAPES; i++) {
		if (strcmp(type, shapes[i].documented) != 0)
			continue;
		wanted->type = shapes[i].word;
		return read_destination(config, &shapes[i], wanted, member, why);
	}
	return refuse(member, "QuickConnectType", why, "expected USER, QUEUE or PHONE_NUMBER");
}

int quick_connect_read(const json_t *params, struct quick_connect_wanted *wanted,
	const char **member, char why[QUICK_CONNECT_WHY_SIZE])
{
	const json_t *config = json_object_get(params, "QuickConnectConfig");

	*wanted = (struct quick_connect_wanted){0};
	if (read_text(params, "name", "Name", &wanted->name, member, why) < 0 ||
		read_text(params, "description", "Description", &wanted->description, member, why) <
			0 ||
		read_text(params, "type", "", &wanted->type, member, why) < 0 ||
		read_text(params, "destination", "", &wanted->destination, member, why) < 0 ||
		read_text(params, "flow", "", &wanted->flow, member, why) < 0)
		return -EINVAL;
	if (wanted->type && !shape_of(wanted->type))
		return refuse(member, "type", why, "expected agent, queue or external");
	return json_is_object(config) ? read_config(config, wanted, member, why) : 0;
}

/* ---- judged ---- */

void quick_connect_inherit(
	struct quick_connect_wanted *wanted, const struct resource_quick_connect *row)
{
	bool same = !wanted->type || strcmp(wanted->type, shapes[row->type].word) == 0;

	if (!wanted->name)
		wanted->name = row->row.name;
	if (!wanted->description)
		wanted->description = row->row.description;
	wanted->type = wanted->type ? wanted->type : shapes[row->type].word;
	if (same && !wanted->destination)
		wanted->destination = destination_of(row);
	if (same && !wanted->flow)
		wanted->flow = row->flow;
}

static bool is_missing(const char *text)
{
	return !text || !*text;
}

int quick_connect_judge(const struct quick_connect_wanted *wanted, const char **member,
	char why[QUICK_CONNECT_WHY_SIZE])
{
	const struct shape *shape = shape_of(wanted->type);

	if (is_missing(wanted->name))
		return refuse(member, "name", why, "expected a name");
	if (is_missing(wanted->description))
		return refuse(member, "description", why,
			"expected a description: a quick connect must have one");
	if (!shape)
		return refuse(member, "type", why, "expected agent, queue or external");
	if (is_missing(wanted->destination))
		return refuse(member, "destination", why, "expected %s",
			is_external(shape) ? "a phone number"
					   : "a user or a queue, as the type says");
	if (is_external(shape) && wanted->flow)
		return refuse(member, "flow", why,
			"expected none: an external quick connect takes a phone number only");
	if (!is_external(shape) && is_missing(wanted->flow))
		return refuse(
			member, "flow", why, "expected a flow of type transfer to %s", shape->word);
	return 0;
}
