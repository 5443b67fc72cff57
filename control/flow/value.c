/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/value.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Namespaces that the engine itself answers; all others are facts of the owner. */
static const struct {
	const char *name;
	enum flow_space space;
} spaces[] = {
	{"Attributes", FLOW_SPACE_ATTRIBUTES},
	{"FlowAttributes", FLOW_SPACE_FLOW_ATTRIBUTES},
	{"External", FLOW_SPACE_EXTERNAL},
	{"StoredCustomerInput", FLOW_SPACE_STORED_INPUT},
	{"Metrics", FLOW_SPACE_METRICS},
	{"Lex", FLOW_SPACE_LEX},
	{"Modules", FLOW_SPACE_MODULES},
};

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c > 127;
}

/* One step of a path: where its name stands in the text, and how many bytes the step takes. */
struct step {
	const char *name;
	size_t length;
	size_t size;
};

/* "['name']", "["name"]" or "[3]" */
static bool read_bracket(const char *text, struct step *step)
{
	const char *end;

	if (text[0] != '[')
		return false;
	if (text[1] == '\'' || text[1] == '"') {
		end = strchr(text + 2, text[1]);
		if (end == NULL || end == text + 2 || end[1] != ']')
			return false;
		*step = (struct step){text + 2, (size_t)(end - text - 2), (size_t)(end + 2 - text)};
		return true;
	}
	end = text + 1 + strspn(text + 1, "0123456789");
	if (end == text + 1 || *end != ']')
		return false;
	*step = (struct step){text + 1, (size_t)(end - text - 1), (size_t)(end + 1 - text)};
	return true;
}

static bool read_step(const char *text, struct step *step)
{
	size_t n = 0;

	if (text[0] == '[')
		return read_bracket(text, step);
	if (text[0] != '.')
		return false;
	if (text[1] == '[') {
		if (!read_bracket(text + 1, step))
			return false;
		step->size++;
		return true;
	}
	while (is_name_char(text[1 + n]))
		n++;
	*step = (struct step){text + 1, n, n + 1};
	return n > 0;
}

/* The path's length in the text, 0 when there is none. */
static size_t path_length(const char *text)
{
	struct step step;
	size_t at = 1;

	if (text[0] != '$')
		return 0;
	while (read_step(text + at, &step))
		at += step.size;
	return at > 1 ? at : 0;
}

static int compile_path(
	struct flow_arena *arena, const char *text, size_t length, struct flow_part *part)
{
	char *key = flow_arena_take(arena, length + 1, 1);
	struct step step;
	size_t used = 0;
	bool first = true;

	if (key == NULL)
		return -ENOMEM;
	part->is_path = true;
	part->space = FLOW_SPACE_FACT;
	for (size_t at = 1; at < length && read_step(text + at, &step); at += step.size) {
		if (first) {
			first = false;
			for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
				if (strlen(spaces[i].name) == step.length &&
					memcmp(spaces[i].name, step.name, step.length) == 0)
					part->space = spaces[i].space;
			}
			if (part->space != FLOW_SPACE_FACT)
				continue;
		}
		if (used > 0)
			key[used++] = '.';
		memcpy(key + used, step.name, step.length);
		used += step.length;
	}
	part->text = key;
	part->length = (uint32_t)used;
	return 0;
}

/* Finds the next path at or after `text`; its start, or the end of the text. */
static const char *next_path(const char *text, size_t *length)
{
	for (; *text != '\0'; text++) {
		*length = path_length(text);
		if (*length > 0)
			return text;
	}
	*length = 0;
	return text;
}

static size_t count_parts(const char *text)
{
	size_t count = 0;

	while (*text != '\0') {
		size_t length;
		const char *path = next_path(text, &length);

		count += (path > text) + (length > 0);
		text = path + length;
	}
	return count;
}

static uint8_t class_of(const struct flow_value *value)
{
	if (value->part_count == 0 || (value->part_count == 1 && !value->parts[0].is_path))
		return FLOW_VALUE_STATIC;
	return value->part_count == 1 ? FLOW_VALUE_PATH : FLOW_VALUE_MIXED;
}

int flow_value_compile(struct flow_arena *arena, const char *text, struct flow_value *value)
{
	size_t count = count_parts(text);
	struct flow_part *parts, *part;
	char *source = flow_arena_copy(arena, text);

	if (count > FLOW_PARTS_MAX)
		return -E2BIG;
	parts = flow_arena_take(arena, count, sizeof(*parts));
	if (source == NULL || parts == NULL)
		return -ENOMEM;
	part = parts;
	for (const char *at = source; *at != '\0';) {
		size_t length;
		const char *path = next_path(at, &length);

		if (path > at) {
			part->text = at;
			part->length = (uint32_t)(path - at);
			part++;
		}
		if (length > 0) {
			if (compile_path(arena, path, length, part) < 0)
				return -ENOMEM;
			part++;
		}
		at = path + length;
	}
	value->source = source;
	value->parts = parts;
	value->part_count = (uint16_t)count;
	value->class = class_of(value);
	return 0;
}
