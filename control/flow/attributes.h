/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attributes.h: a bounded store of named texts: contact attributes, flow attributes, the answer of
 * a Lambda function, queue metrics.
 *
 * A store is empty when its bytes are zero, holds at most ATTRIBUTES_BYTES_MAX bytes of names and
 * values together (32 KB, the documented limit of contact attributes), and keeps the order in which
 * names were first set. Names are compared exactly. A write is all or nothing: on any error the
 * store is unchanged.
 *
 * Layout: one heap block of pairs "name\0value\0", so a journal can write it as it is
 * (attributes_bytes) and read it back (attributes_load).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ATTRIBUTES_BYTES_MAX 32768u
#define ATTRIBUTE_NAME_MAX   256u

struct attributes {
	char *pairs;
	uint32_t length;   /* bytes used, terminators included */
	uint32_t capacity; /* bytes allocated */
};

/* Gives back the memory; the store is empty afterwards and may be used again. Takes NULL. */
void attributes_clear(struct attributes *store);

/* The value of a name, or NULL. The pointer is good until the next write to the store. */
const char *attributes_get(const struct attributes *store, const char *name);
/* The same for a name that does not end in a zero byte. */
const char *attributes_get_n(const struct attributes *store, const char *name, size_t length);

/*
 * Sets one name. An empty value is stored as such (reading it yields "").
 * -EINVAL: empty name, name longer than ATTRIBUTE_NAME_MAX; -ENOSPC: would exceed
 * ATTRIBUTES_BYTES_MAX; -ENOMEM.
 */
int attributes_set(struct attributes *store, const char *name, const char *value);

/* Sets several names in order: either all of them or, on error (as attributes_set), none. */
struct attribute {
	const char *name;
	const char *value;
};
int attributes_set_all(struct attributes *store, const struct attribute *list, size_t count);

/* Walks the store: pass NULL first, then the attribute returned last; false at the end. */
struct attributes_cursor {
	uint32_t offset;
};
_Bool attributes_next(
	const struct attributes *store, struct attributes_cursor *cursor, struct attribute *out);

/* How many names the store holds. */
size_t attributes_count(const struct attributes *store);

/* Makes `to` a copy of `from` (the attributes of a new contact segment). -ENOMEM leaves `to` as it
 * was. */
int attributes_copy(struct attributes *to, const struct attributes *from);

/* Replaces the store by bytes that attributes_bytes gave. -EINVAL when they are not such. */
int attributes_load(struct attributes *store, const char *bytes, size_t length);
const char *attributes_bytes(const struct attributes *store, size_t *length);
