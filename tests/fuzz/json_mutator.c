/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutations of JSON that stay JSON: most changed bytes make a text that no reader looks at twice.
 * Half of the time, and when the input is no JSON, the bytes are changed as ever.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#define TEXT_MAX 512

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t room, unsigned seed);

/* A value by the container that it is in. */
struct place {
	json_t *parent;
	const char *key; /* NULL: a list */
	size_t index;
};

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static json_t *value_at(const struct place *place)
{
	return place->key != NULL ? json_object_get(place->parent, place->key)
				  : json_array_get(place->parent, place->index);
}

static struct place child_of(json_t *node, size_t index)
{
	void *member = json_object_iter(node);

	if (json_is_array(node))
		return (struct place){node, NULL, index};
	while (index-- > 0)
		member = json_object_iter_next(node, member);
	return (struct place){node, json_object_iter_key(member), 0};
}

/* Some value below the root; a parent of NULL: there is none. */
static struct place find_place(json_t *root, uint32_t *seed)
{
	struct place place = {0};
	json_t *node = root;

	for (;;) {
		size_t size = json_is_object(node) ? json_object_size(node) : json_array_size(node);

		if (size == 0 || (place.parent != NULL && draw(seed) % 5 == 0))
			return place;
		place = child_of(node, draw(seed) % size);
		node = value_at(&place);
	}
}

/* Takes the value over; NULL is let pass. */
static void put(const struct place *place, json_t *value)
{
	if (place->key != NULL)
		json_object_set_new(place->parent, place->key, value);
	else
		json_array_set_new(place->parent, place->index, value);
}

static json_t *any_value(uint32_t *seed)
{
	static const char *const texts[] = {"null", "true", "0", "-1", "1.5", "\"\"", "[]", "{}",
		"\"$.External.a\"", "\"$.Attributes['a b']\"", "\"True\"", "\"300\""};

	return json_loads(
		texts[draw(seed) % (sizeof(texts) / sizeof(texts[0]))], JSON_DECODE_ANY, NULL);
}

/* NULL when it is no text, or none any more. */
static json_t *changed_text(const json_t *value)
{
	uint8_t text[TEXT_MAX];
	size_t length = json_string_length(value);

	if (!json_is_string(value) || length > TEXT_MAX)
		return NULL;
	memcpy(text, json_string_value(value), length);
	length = LLVMFuzzerMutate(text, length, TEXT_MAX);
	return json_stringn((const char *)text, length);
}

static void change(json_t *root, uint32_t *seed)
{
	struct place here = find_place(root, seed);
	struct place there = find_place(root, seed);

	if (here.parent == NULL)
		return;
	switch (draw(seed) % 5) {
	case 0:
		if (here.key != NULL)
			json_object_del(here.parent, here.key);
		else
			json_array_remove(here.parent, here.index);
		break;
	case 1:
		put(&here, json_deep_copy(value_at(&there)));
		break;
	case 2:
		if (here.key == NULL)
			json_array_append_new(here.parent, json_deep_copy(value_at(&here)));
		else if (there.key != NULL)
			json_object_set_new(
				here.parent, there.key, json_deep_copy(value_at(&here)));
		break;
	case 3:
		put(&here, changed_text(value_at(&here)));
		break;
	default:
		put(&here, any_value(seed));
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t room, unsigned seed)
{
	uint32_t state = seed;
	json_t *root =
		draw(&state) % 2 == 0 ? json_loadb((const char *)bytes, length, 0, NULL) : NULL;
	size_t size = 0;

	if (root != NULL) {
		change(root, &state);
		size = json_dumpb(root, NULL, 0, JSON_COMPACT);
		if (size > 0 && size <= room)
			size = json_dumpb(root, (char *)bytes, room, JSON_COMPACT);
		else
			size = 0;
		json_decref(root);
	}
	return size > 0 ? size : LLVMFuzzerMutate(bytes, length, room);
}
