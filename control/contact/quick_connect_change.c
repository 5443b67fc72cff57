/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/quick_connect_change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void quick_connect_change_clear(struct quick_connect_change *change)
{
	json_decref(change->row);
	json_decref(change->id);
	json_decref(change->queue);
	json_decref(change->ids);
	*change = (struct quick_connect_change){.kind = change->kind};
}

/* A list of the document, made where there is none. */
static json_t *list_of(json_t *object, const char *name)
{
	json_t *list = json_object_get(object, name);

	if (json_is_array(list))
		return list;
	list = json_array();
	return json_object_set_new(object, name, list) < 0 ? NULL : list;
}

/* ---- lists of ids ---- */

static void drop_id(json_t *ids, const json_t *id)
{
	for (size_t i = json_array_size(ids); i-- > 0;)
		if (json_equal(json_array_get(ids, i), id))
			json_array_remove(ids, i);
}

static int add_id(json_t *ids, json_t *id)
{
	drop_id(ids, id);
	return json_array_append(ids, id);
}

/* ---- lists of rows that bear an id in one member ---- */

static json_t *find_row(const json_t *rows, const char *member, const json_t *id)
{
	json_t *row;
	size_t i;

	json_array_foreach((json_t *)rows, i,
		row) if (json_equal(json_object_get(row, member), id)) return row;
	return NULL;
}

static void drop_row(json_t *rows, const json_t *id)
{
	for (size_t i = json_array_size(rows); i-- > 0;)
		if (json_equal(json_object_get(json_array_get(rows, i), "id"), id))
			json_array_remove(rows, i);
}

/* ---- quick connects of queues ---- */

static int put_in(json_t *pairs, json_t *queue, json_t *id)
{
	json_t *pair = find_row(pairs, "queue", queue);

	if (!pair) {
		pair = json_pack("{s:O, s:[]}", "queue", queue, "quick_connects");
		if (json_array_append_new(pairs, pair) < 0)
			return -ENOMEM;
	}
	return add_id(list_of(pair, "quick_connects"), id) < 0 ? -ENOMEM : 0;
}

/* Of one queue, or of all (NULL). */
static void take_out(json_t *pairs, const json_t *queue, const json_t *id)
{
	for (size_t i = json_array_size(pairs); i-- > 0;) {
		json_t *pair = json_array_get(pairs, i);
		json_t *ids = json_object_get(pair, "quick_connects");

		if (queue && !json_equal(json_object_get(pair, "queue"), queue))
			continue;
		drop_id(ids, id);
		if (json_array_size(ids) == 0)
			json_array_remove(pairs, i);
	}
}

static int move(const struct quick_connect_change *change, json_t *from, json_t *to)
{
	json_t *id;
	size_t i;

	json_array_foreach(change->ids, i, id)
	{
		take_out(from, change->queue, id);
		if (put_in(to, change->queue, id) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- the document ---- */

static int edit(const struct quick_connect_change *change, json_t *document)
{
	json_t *rows = list_of(document, "quick_connects");
	json_t *removed = list_of(document, "removed");
	json_t *attached = list_of(document, "attached");
	json_t *detached = list_of(document, "detached");
	const json_t *id = change->id;

	if (!rows || !removed || !attached || !detached)
		return -ENOMEM;
	switch (change->kind) {
	case QUICK_CONNECT_PUT:
		id = json_object_get(change->row, "id");
		drop_row(rows, id);
		drop_id(removed, id);
		return json_array_append(rows, change->row) < 0 ? -ENOMEM : 0;
	case QUICK_CONNECT_REMOVE:
		drop_row(rows, id);
		take_out(attached, NULL, id);
		take_out(detached, NULL, id);
		return change->in_file && add_id(removed, change->id) < 0 ? -ENOMEM : 0;
	case QUICK_CONNECT_ATTACH:
		return move(change, detached, attached);
	default:
		return move(change, attached, detached);
	}
}

int quick_connect_change_apply(const struct quick_connect_change *change, const char *text,
	char **out, char why[QUICK_CONNECT_CHANGE_WHY_SIZE])
{
	json_error_t error;
	json_t *document = text ? json_loads(text, JSON_REJECT_DUPLICATES, &error) : json_object();
	int rc = -ENOMEM;

	if (text && !json_is_object(document)) {
		snprintf(why, QUICK_CONNECT_CHANGE_WHY_SIZE, "expected a JSON object%s%s",
			document ? "" : ": ", document ? "" : error.text);
		json_decref(document);
		return -EINVAL;
	}
	if (document)
		rc = edit(change, document);
	*out = rc == 0 ? json_dumps(document, JSON_INDENT(1)) : NULL;
	json_decref(document);
	return rc == 0 && !*out ? -ENOMEM : rc;
}
