/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256u

void attributes_clear(struct attributes *store)
{
	if (store == NULL)
		return;
	free(store->pairs);
	*store = (struct attributes){0};
}

bool attributes_next(
	const struct attributes *store, struct attributes_cursor *cursor, struct attribute *out)
{
	if (cursor->offset >= store->length)
		return false;
	out->name = store->pairs + cursor->offset;
	out->value = out->name + strlen(out->name) + 1;
	cursor->offset = (uint32_t)(out->value + strlen(out->value) + 1 - store->pairs);
	return true;
}

const char *attributes_get_n(const struct attributes *store, const char *name, size_t length)
{
	struct attributes_cursor cursor = {0};
	struct attribute a;

	while (attributes_next(store, &cursor, &a)) {
		if ((size_t)(a.value - a.name) == length + 1 && memcmp(a.name, name, length) == 0)
			return a.value;
	}
	return NULL;
}

const char *attributes_get(const struct attributes *store, const char *name)
{
	return attributes_get_n(store, name, strlen(name));
}

size_t attributes_count(const struct attributes *store)
{
	struct attributes_cursor cursor = {0};
	struct attribute a;
	size_t count = 0;

	while (attributes_next(store, &cursor, &a))
		count++;
	return count;
}

/* Room for `length` bytes in all. */
static int reserve(struct attributes *store, size_t length)
{
	size_t capacity = store->capacity > 0 ? store->capacity : CAPACITY_MIN;
	char *pairs;

	if (length <= store->capacity)
		return 0;
	while (capacity < length)
		capacity *= 2;
	pairs = realloc(store->pairs, capacity);
	if (pairs == NULL)
		return -ENOMEM;
	store->pairs = pairs;
	store->capacity = (uint32_t)capacity;
	return 0;
}

/* Puts `value` in the place of the old one, so that the order of names stays. */
static int replace(struct attributes *store, const char *old, const char *value)
{
	uint32_t at = (uint32_t)(old - store->pairs);
	uint32_t old_end = at + (uint32_t)strlen(old);
	uint32_t size = (uint32_t)strlen(value);
	uint32_t length = store->length - (old_end - at) + size;
	int rc;

	if (length > ATTRIBUTES_BYTES_MAX)
		return -ENOSPC;
	rc = reserve(store, length);
	if (rc < 0)
		return rc;
	memmove(store->pairs + at + size, store->pairs + old_end, store->length - old_end);
	memcpy(store->pairs + at, value, size);
	store->length = length;
	return 0;
}

static int append(struct attributes *store, const char *name, const char *value)
{
	size_t name_size = strlen(name) + 1;
	size_t value_size = strlen(value) + 1;
	int rc;

	if (store->length + name_size + value_size > ATTRIBUTES_BYTES_MAX)
		return -ENOSPC;
	rc = reserve(store, store->length + name_size + value_size);
	if (rc < 0)
		return rc;
	memcpy(store->pairs + store->length, name, name_size);
	memcpy(store->pairs + store->length + name_size, value, value_size);
	store->length += (uint32_t)(name_size + value_size);
	return 0;
}

int attributes_set(struct attributes *store, const char *name, const char *value)
{
	size_t length = strlen(name);
	const char *old;

	if (length == 0 || length > ATTRIBUTE_NAME_MAX)
		return -EINVAL;
	if (strlen(value) >= ATTRIBUTES_BYTES_MAX)
		return -ENOSPC;
	old = attributes_get_n(store, name, length);
	return old != NULL ? replace(store, old, value) : append(store, name, value);
}

int attributes_copy(struct attributes *to, const struct attributes *from)
{
	struct attributes copy = {0};

	if (from->length > 0) {
		if (reserve(&copy, from->length) < 0)
			return -ENOMEM;
		memcpy(copy.pairs, from->pairs, from->length);
		copy.length = from->length;
	}
	attributes_clear(to);
	*to = copy;
	return 0;
}

int attributes_set_all(struct attributes *store, const struct attribute *list, size_t count)
{
	struct attributes copy = {0};
	int rc = attributes_copy(&copy, store);

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = attributes_set(&copy, list[i].name, list[i].value);
	if (rc < 0) {
		attributes_clear(&copy);
		return rc;
	}
	attributes_clear(store);
	*store = copy;
	return 0;
}

const char *attributes_bytes(const struct attributes *store, size_t *length)
{
	*length = store->length;
	return store->pairs;
}

/* Whole pairs only, each with a name of an allowed length. */
static bool well_formed(const char *bytes, size_t length)
{
	size_t at = 0;
	size_t texts = 0;

	if (length > ATTRIBUTES_BYTES_MAX)
		return false;
	while (at < length) {
		size_t n = strnlen(bytes + at, length - at);

		if (at + n == length)
			return false;
		if (texts % 2 == 0 && (n == 0 || n > ATTRIBUTE_NAME_MAX))
			return false;
		at += n + 1;
		texts++;
	}
	return texts % 2 == 0;
}

int attributes_load(struct attributes *store, const char *bytes, size_t length)
{
	struct attributes from = {0};

	if (!well_formed(bytes, length))
		return -EINVAL;
	from.pairs = (char *)bytes;
	from.length = (uint32_t)length;
	return attributes_copy(store, &from);
}
