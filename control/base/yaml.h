/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files as trees that know their places. Over libyaml; the prefix is yml_ because libyaml owns
 * yaml_ (its yaml_free() and others are global symbols).
 *
 * Readers report into a struct report and go on: a reader of a value that is missing or wrong
 * leaves its output as it was, so set defaults first. Places read `file:line:column: key.path`,
 * messages `expected …, found …`.
 *
 * Refused with an error: more than 4 MiB, deeper than 32, several documents, aliases and merge
 * keys, a key twice in one mapping, keys that are not scalars, bytes that are not UTF-8. Nodes live
 * as long as the document. Scalars are kept as text; plain `~`, `null` and the empty plain scalar
 * are null.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/report.h"
#include "base/str.h"

#define YML_FILE_MAX  (4u << 20) /* bytes */
#define YML_DEPTH_MAX 32
#define YML_PLACE_MAX 400

enum yml_kind { YML_NULL, YML_SCALAR, YML_SEQUENCE, YML_MAPPING };

struct yml_doc;
struct yml_node;

/* `name` is what places show (NULL: path). A missing file is reported as well. -ENOENT, -EINVAL, …
 */
int yml_load_file(const char *path, const char *name, struct report *report, struct yml_doc **out);
int yml_load_text(
	const char *text, size_t n, const char *name, struct report *report, struct yml_doc **out);
void yml_destroy(struct yml_doc *doc);
/* Never NULL; an empty file has a root of kind YML_NULL. */
const struct yml_node *yml_root(const struct yml_doc *doc);

/* A NULL node is YML_NULL, empty, at no place, in all functions below. */
enum yml_kind yml_kind(const struct yml_node *node);
const char *yml_kind_name(enum yml_kind kind);
unsigned yml_line(const struct yml_node *node); /* from 1 */
unsigned yml_column(const struct yml_node *node);
/* Terminated; "" unless a scalar. */
const char *yml_text(const struct yml_node *node);
struct str yml_str(const struct yml_node *node);
/* `file:line:column: key.path`. */
void yml_place(const struct yml_node *node, char out[YML_PLACE_MAX]);
/* Reports at the node's place. */
__attribute__((format(printf, 4, 5))) void yml_report(struct report *report,
	const struct yml_node *node, enum report_severity severity, const char *fmt, ...);

/* Value of a key, NULL when the node is no mapping or has no such key. */
const struct yml_node *yml_get(const struct yml_node *mapping, const char *key);
/* Children of a sequence or pairs of a mapping, in file order. */
size_t yml_size(const struct yml_node *node);
const struct yml_node *yml_at(const struct yml_node *node, size_t i);
/* Key of pair `i` of a mapping. */
const char *yml_key_at(const struct yml_node *mapping, size_t i);

/* Reports each key that is not in `known` (ends with NULL), naming the known ones. 0 or -EINVAL. */
int yml_only_keys(struct report *report, const struct yml_node *mapping, const char *const *known);
/* Reports and returns -EINVAL unless of that kind. */
int yml_expect(struct report *report, const struct yml_node *node, enum yml_kind kind);

/*
 * Readers of a mapping's key. 0: read. -ENOENT: no such key or null (reported as an error only when
 * `required`). -EINVAL: reported.
 */
enum yml_need { YML_OPTIONAL, YML_REQUIRED };
int yml_read_string(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, size_t max, const char **out); /* points into the document */
int yml_read_int(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, int64_t min, int64_t max, int64_t *out);
int yml_read_bool(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, bool *out); /* true, false, yes, no, on, off */
/* `choices` ends with NULL; *out is the index. */
int yml_read_choice(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const char *const *choices, int *out);
/* `20s`, `500ms`, `2m`, `1h`, `1d`, `250us`; in nanoseconds. */
int yml_read_duration(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, uint64_t min_ns, uint64_t max_ns, uint64_t *out);
int yml_read_mapping(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const struct yml_node **out);
int yml_read_sequence(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const struct yml_node **out);
