/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/duration.h"
#include "base/file.h"

struct yml_pair {
	struct yml_node *key, *value;
};

struct yml_node {
	struct yml_doc *doc;
	struct yml_node *parent; /* of a mapping's value: its key */
	const char *text;        /* scalars: in the libyaml document */
	struct yml_pair *pairs;  /* mappings; sequences use the values alone */
	size_t n;                /* pairs, or bytes of text */
	unsigned line, column;
	enum yml_kind kind;
};

struct yml_doc {
	yaml_document_t document;
	char *name;
	struct yml_node *nodes;
	struct yml_pair *pairs;
	size_t n_nodes, n_pairs;
	size_t room_nodes, room_pairs;
	struct report *report; /* while loading */
	bool failed;
	struct yml_node *root;
};

static const struct yml_node nothing = {.text = ""};

static const struct yml_node *some(const struct yml_node *node)
{
	return node ? node : &nothing;
}

static void fail(struct yml_doc *doc, size_t line, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void fail(struct yml_doc *doc, size_t line, size_t column, const char *fmt, ...)
{
	char place[YML_PLACE_MAX];
	va_list args;

	doc->failed = true;
	if (line)
		snprintf(place, sizeof(place), "%s:%zu:%zu", doc->name, line, column);
	else
		snprintf(place, sizeof(place), "%s", doc->name);
	va_start(args, fmt);
	report_vadd(doc->report, REPORT_ERROR, place, fmt, args);
	va_end(args);
}

static bool plain_null(const yaml_node_t *from)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp((const char *)from->data.scalar.value, words[i]) == 0)
			return true;
	return false;
}

static struct yml_node *build(
	struct yml_doc *doc, int index, struct yml_node *parent, unsigned depth);

static void build_scalar(struct yml_doc *doc, const yaml_node_t *from, struct yml_node *node)
{
	node->kind = plain_null(from) ? YML_NULL : YML_SCALAR;
	node->text = (const char *)from->data.scalar.value;
	node->n = from->data.scalar.length;
	if (memchr(node->text, 0, node->n))
		fail(doc, node->line, node->column, "expected text without zero bytes");
}

static struct yml_pair *take_pairs(struct yml_doc *doc, size_t n)
{
	struct yml_pair *pairs = doc->pairs + doc->n_pairs;

	doc->n_pairs += n;
	return pairs;
}

static void build_sequence(
	struct yml_doc *doc, const yaml_node_t *from, struct yml_node *node, unsigned depth)
{
	const yaml_node_item_t *items = from->data.sequence.items.start;

	node->kind = YML_SEQUENCE;
	node->n = (size_t)(from->data.sequence.items.top - items);
	node->pairs = take_pairs(doc, node->n);
	for (size_t i = 0; i < node->n; i++)
		node->pairs[i].value = build(doc, items[i], node, depth + 1);
}

static int compare_keys(const void *a, const void *b)
{
	const struct yml_node *const *x = a, *const *y = b;
	int d = strcmp((*x)->text, (*y)->text);

	return d                             ? d
	       : (*x)->line != (*y)->line    ? ((*x)->line > (*y)->line ? 1 : -1)
	       : (*x)->column > (*y)->column ? 1
					     : -1;
}

static void refuse_duplicates(struct yml_doc *doc, const struct yml_node *node)
{
	const struct yml_node **keys;

	if (node->n < 2)
		return;
	keys = calloc(node->n, sizeof(*keys));
	if (!keys) {
		fail(doc, 0, 0, "out of memory");
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		keys[i] = node->pairs[i].key;
	qsort(keys, node->n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < node->n; i++)
		if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
			fail(doc, keys[i]->line, keys[i]->column,
				"key '%s' is here twice; the first is in line %u", keys[i]->text,
				keys[i - 1]->line);
	free(keys);
}

static void build_mapping(
	struct yml_doc *doc, const yaml_node_t *from, struct yml_node *node, unsigned depth)
{
	const yaml_node_pair_t *pairs = from->data.mapping.pairs.start;
	bool scalars = true;

	node->kind = YML_MAPPING;
	node->n = (size_t)(from->data.mapping.pairs.top - pairs);
	node->pairs = take_pairs(doc, node->n);
	for (size_t i = 0; i < node->n && !doc->failed; i++) {
		struct yml_node *key = build(doc, pairs[i].key, node, depth + 1);

		node->pairs[i].key = key;
		if (doc->failed)
			return;
		if (key->kind != YML_SCALAR) {
			fail(doc, key->line, key->column, "expected a name as key, found %s",
				yml_kind_name(key->kind));
			scalars = false;
		} else if (strcmp(key->text, "<<") == 0) {
			fail(doc, key->line, key->column, "merge keys are not supported");
		}
		node->pairs[i].value = build(doc, pairs[i].value, key, depth + 1);
	}
	if (scalars && !doc->failed)
		refuse_duplicates(doc, node);
}

/* Node by node the same tree; aliases are the only way to meet a node twice. */
static struct yml_node *build(
	struct yml_doc *doc, int index, struct yml_node *parent, unsigned depth)
{
	const yaml_node_t *from = yaml_document_get_node(&doc->document, index);
	struct yml_node *node = &doc->nodes[index - 1];

	node->line = (unsigned)from->start_mark.line + 1;
	node->column = (unsigned)from->start_mark.column + 1;
	node->text = "";
	if (node->doc) {
		fail(doc, node->line, node->column, "aliases are not supported");
		return node;
	}
	node->doc = doc;
	node->parent = parent;
	if (depth > YML_DEPTH_MAX)
		fail(doc, node->line, node->column, "nested deeper than %d", YML_DEPTH_MAX);
	else if (from->type == YAML_SCALAR_NODE)
		build_scalar(doc, from, node);
	else if (from->type == YAML_SEQUENCE_NODE)
		build_sequence(doc, from, node, depth);
	else if (from->type == YAML_MAPPING_NODE)
		build_mapping(doc, from, node, depth);
	return node;
}

static void count_nodes(struct yml_doc *doc)
{
	const yaml_node_t *node = doc->document.nodes.start;

	for (; node < doc->document.nodes.top; node++) {
		doc->room_nodes++;
		if (node->type == YAML_SEQUENCE_NODE)
			doc->room_pairs += (size_t)(node->data.sequence.items.top -
						    node->data.sequence.items.start);
		else if (node->type == YAML_MAPPING_NODE)
			doc->room_pairs += (size_t)(node->data.mapping.pairs.top -
						    node->data.mapping.pairs.start);
	}
}

static int build_tree(struct yml_doc *doc)
{
	count_nodes(doc);
	doc->nodes = calloc(doc->room_nodes + 1, sizeof(*doc->nodes));
	doc->pairs = calloc(doc->room_pairs + 1, sizeof(*doc->pairs));
	if (!doc->nodes || !doc->pairs)
		return -ENOMEM;
	if (doc->room_nodes) {
		doc->root = build(doc, 1, NULL, 1);
	} else {
		doc->root = &doc->nodes[0];
		*doc->root = (struct yml_node){.doc = doc, .text = "", .line = 1, .column = 1};
	}
	return doc->failed ? -EINVAL : 0;
}

static void parser_failed(struct yml_doc *doc, const yaml_parser_t *parser)
{
	const yaml_mark_t *mark = &parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		fail(doc, 0, 0, "out of memory");
	else if (parser->error == YAML_READER_ERROR)
		fail(doc, 0, 0, "expected UTF-8 text: %s at byte %zu", parser->problem,
			parser->problem_offset);
	else
		fail(doc, mark->line + 1, mark->column + 1, "expected YAML: %s%s%s",
			parser->problem ? parser->problem : "cannot be read",
			parser->context ? ", " : "", parser->context ? parser->context : "");
}

static int refuse_second_document(struct yml_doc *doc, yaml_parser_t *parser)
{
	yaml_document_t second;
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &second)) {
		parser_failed(doc, parser);
		return -EINVAL;
	}
	root = yaml_document_get_root_node(&second);
	if (root)
		fail(doc, root->start_mark.line + 1, root->start_mark.column + 1,
			"expected one YAML document, found a second one");
	yaml_document_delete(&second);
	return root ? -EINVAL : 0;
}

/*
 * libyaml composes documents recursively, so depth is judged on its flat events before it gets that
 * far.
 */
static int refuse_depth(struct yml_doc *doc, const char *text, size_t n)
{
	yaml_parser_t parser;
	unsigned depth = 0;
	bool end = false;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	while (!end && !doc->failed) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			parser_failed(doc, &parser);
			break;
		}
		if (event.type == YAML_MAPPING_START_EVENT ||
			event.type == YAML_SEQUENCE_START_EVENT) {
			if (++depth > YML_DEPTH_MAX)
				fail(doc, event.start_mark.line + 1, event.start_mark.column + 1,
					"expected at most %d levels", YML_DEPTH_MAX);
		} else if (event.type == YAML_MAPPING_END_EVENT ||
			   event.type == YAML_SEQUENCE_END_EVENT) {
			depth--;
		} else if (event.type == YAML_ALIAS_EVENT) {
			fail(doc, event.start_mark.line + 1, event.start_mark.column + 1,
				"aliases are not supported");
		}
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return doc->failed ? -EINVAL : 0;
}

static int parse(struct yml_doc *doc, const char *text, size_t n)
{
	yaml_parser_t parser;
	int rc = refuse_depth(doc, text, n);

	if (rc < 0)
		return rc;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	if (!yaml_parser_load(&parser, &doc->document)) {
		parser_failed(doc, &parser);
		rc = -EINVAL;
	} else if (yaml_document_get_root_node(&doc->document)) {
		rc = refuse_second_document(doc, &parser);
	}
	yaml_parser_delete(&parser);
	return rc;
}

int yml_load_text(
	const char *text, size_t n, const char *name, struct report *report, struct yml_doc **out)
{
	struct yml_doc *doc = calloc(1, sizeof(*doc));
	int rc = -ENOMEM;

	if (!doc)
		return -ENOMEM;
	doc->report = report;
	doc->name = strdup(name ? name : "(text)");
	if (!doc->name)
		goto fail;
	if (n > YML_FILE_MAX) {
		fail(doc, 0, 0, "expected at most %u bytes", YML_FILE_MAX);
		rc = -EFBIG;
		goto fail;
	}
	rc = parse(doc, text, n);
	if (rc == 0)
		rc = build_tree(doc);
	if (rc < 0)
		goto fail;
	doc->report = NULL;
	*out = doc;
	return 0;
fail:
	yml_destroy(doc);
	return rc;
}

int yml_load_file(const char *path, const char *name, struct report *report, struct yml_doc **out)
{
	char *text;
	size_t n;
	int rc = file_read(path, YML_FILE_MAX, &text, &n);

	name = name ? name : path;
	if (rc < 0) {
		report_add(report, REPORT_ERROR, name, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = yml_load_text(text, n, name, report, out);
	free(text);
	return rc;
}

void yml_destroy(struct yml_doc *doc)
{
	if (!doc)
		return;
	yaml_document_delete(&doc->document);
	free(doc->nodes);
	free(doc->pairs);
	free(doc->name);
	free(doc);
}

const struct yml_node *yml_root(const struct yml_doc *doc)
{
	return doc->root;
}

enum yml_kind yml_kind(const struct yml_node *node)
{
	return some(node)->kind;
}

const char *yml_kind_name(enum yml_kind kind)
{
	static const char *const names[] = {"nothing", "a value", "a list", "a mapping"};

	return names[kind];
}

unsigned yml_line(const struct yml_node *node)
{
	return some(node)->line;
}

unsigned yml_column(const struct yml_node *node)
{
	return some(node)->column;
}

const char *yml_text(const struct yml_node *node)
{
	return some(node)->kind == YML_SCALAR ? node->text : "";
}

struct str yml_str(const struct yml_node *node)
{
	return str_from(yml_text(node));
}

static size_t index_in(const struct yml_node *sequence, const struct yml_node *node)
{
	size_t i = 0;

	while (i < sequence->n && sequence->pairs[i].value != node)
		i++;
	return i;
}

static void add_path(struct strbuf *b, const struct yml_node *node)
{
	const struct yml_node *parent = node->parent;

	if (!parent)
		return;
	add_path(b, parent);
	if (parent->kind == YML_SEQUENCE)
		strbuf_printf(b, "[%zu]", index_in(parent, node));
	else if (parent->kind == YML_MAPPING)
		strbuf_printf(b, "%s%s", parent->parent ? "." : "", node->text);
}

/* The place of a node, or of a key that it does not have. */
static void place_of(const struct yml_node *node, const char *key, char out[YML_PLACE_MAX])
{
	char path[YML_PLACE_MAX];
	struct strbuf b, p;

	strbuf_init(&b, out, YML_PLACE_MAX);
	strbuf_init(&p, path, sizeof(path));
	if (!node || !node->doc)
		return;
	strbuf_printf(&b, "%s:%u:%u", node->doc->name, node->line, node->column);
	add_path(&p, node);
	if (key)
		strbuf_printf(&p, "%s%s", p.n ? "." : "", key);
	if (p.n)
		strbuf_printf(&b, ": %s", path);
}

void yml_place(const struct yml_node *node, char out[YML_PLACE_MAX])
{
	place_of(node, NULL, out);
}

void yml_report(struct report *report, const struct yml_node *node, enum report_severity severity,
	const char *fmt, ...)
{
	char place[YML_PLACE_MAX];
	va_list args;

	yml_place(node, place);
	va_start(args, fmt);
	report_vadd(report, severity, place, fmt, args);
	va_end(args);
}

const struct yml_node *yml_get(const struct yml_node *mapping, const char *key)
{
	mapping = some(mapping);
	if (mapping->kind != YML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n; i++)
		if (strcmp(mapping->pairs[i].key->text, key) == 0)
			return mapping->pairs[i].value;
	return NULL;
}

size_t yml_size(const struct yml_node *node)
{
	node = some(node);
	return node->kind == YML_SEQUENCE || node->kind == YML_MAPPING ? node->n : 0;
}

const struct yml_node *yml_at(const struct yml_node *node, size_t i)
{
	return i < yml_size(node) ? node->pairs[i].value : NULL;
}

const char *yml_key_at(const struct yml_node *mapping, size_t i)
{
	return yml_kind(mapping) == YML_MAPPING && i < mapping->n ? mapping->pairs[i].key->text
								  : "";
}

static bool is_known(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

int yml_only_keys(struct report *report, const struct yml_node *mapping, const char *const *known)
{
	char list[REPORT_TEXT_MAX / 2];
	struct strbuf b;
	int rc = 0;

	if (yml_kind(mapping) != YML_MAPPING)
		return 0;
	strbuf_init(&b, list, sizeof(list));
	for (size_t i = 0; known[i]; i++)
		strbuf_printf(&b, "%s%s", i ? ", " : "", known[i]);
	for (size_t i = 0; i < mapping->n; i++) {
		if (is_known(mapping->pairs[i].key->text, known))
			continue;
		yml_report(report, mapping->pairs[i].key, REPORT_ERROR,
			"unknown key; expected one of: %s%s", list, b.overflow ? ", …" : "");
		rc = -EINVAL;
	}
	return rc;
}

int yml_expect(struct report *report, const struct yml_node *node, enum yml_kind kind)
{
	if (yml_kind(node) == kind)
		return 0;
	yml_report(report, node, REPORT_ERROR, "expected %s, found %s", yml_kind_name(kind),
		yml_kind_name(yml_kind(node)));
	return -EINVAL;
}

/* The value of a key, of the wanted kind. */
static int read_kind(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, enum yml_kind kind, const struct yml_node **out)
{
	const struct yml_node *node = yml_get(mapping, key);
	char place[YML_PLACE_MAX];

	if (yml_kind(node) == YML_NULL) {
		place_of(node ? node : mapping, node ? NULL : key, place);
		if (need == YML_REQUIRED)
			report_add(report, REPORT_ERROR, place, "expected %s, found nothing",
				yml_kind_name(kind));
		return -ENOENT;
	}
	if (yml_expect(report, node, kind) < 0)
		return -EINVAL;
	*out = node;
	return 0;
}

int yml_read_string(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, size_t max, const char **out)
{
	const struct yml_node *node;
	int rc = read_kind(report, mapping, key, need, YML_SCALAR, &node);

	if (rc < 0)
		return rc;
	if (node->n > max) {
		yml_report(report, node, REPORT_ERROR, "expected at most %zu bytes, found %zu", max,
			node->n);
		return -EINVAL;
	}
	*out = node->text;
	return 0;
}

int yml_read_int(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, int64_t min, int64_t max, int64_t *out)
{
	const struct yml_node *node;
	int64_t v = 0;
	int rc = read_kind(report, mapping, key, need, YML_SCALAR, &node);

	if (rc < 0)
		return rc;
	if (str_to_i64(yml_str(node), &v) < 0 || v < min || v > max) {
		yml_report(report, node, REPORT_ERROR,
			"expected a whole number from %lld to %lld, found '%.80s'", (long long)min,
			(long long)max, node->text);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

int yml_read_bool(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, bool *out)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	const struct yml_node *node;
	int rc = read_kind(report, mapping, key, need, YML_SCALAR, &node);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal_nocase_text(yml_str(node), words[i])) {
			*out = i & 1;
			return 0;
		}
	}
	yml_report(report, node, REPORT_ERROR, "expected true or false, found '%.80s'", node->text);
	return -EINVAL;
}

int yml_read_choice(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const char *const *choices, int *out)
{
	char list[REPORT_TEXT_MAX / 2];
	const struct yml_node *node;
	struct strbuf b;
	int rc = read_kind(report, mapping, key, need, YML_SCALAR, &node);

	if (rc < 0)
		return rc;
	strbuf_init(&b, list, sizeof(list));
	for (int i = 0; choices[i]; i++) {
		if (strcmp(node->text, choices[i]) == 0) {
			*out = i;
			return 0;
		}
		strbuf_printf(&b, "%s%s", i ? ", " : "", choices[i]);
	}
	yml_report(
		report, node, REPORT_ERROR, "expected one of: %s, found '%.80s'", list, node->text);
	return -EINVAL;
}

int yml_read_duration(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, uint64_t min_ns, uint64_t max_ns, uint64_t *out)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
	const struct yml_node *node;
	uint64_t v = 0;
	int rc = read_kind(report, mapping, key, need, YML_SCALAR, &node);

	if (rc < 0)
		return rc;
	if (duration_parse(yml_str(node), &v) < 0 || v < min_ns || v > max_ns) {
		duration_format(min_ns, low);
		duration_format(max_ns, high);
		yml_report(report, node, REPORT_ERROR,
			"expected a duration from %s to %s such as 20s, found '%.80s'", low, high,
			node->text);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

int yml_read_mapping(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const struct yml_node **out)
{
	return read_kind(report, mapping, key, need, YML_MAPPING, out);
}

int yml_read_sequence(struct report *report, const struct yml_node *mapping, const char *key,
	enum yml_need need, const struct yml_node **out)
{
	return read_kind(report, mapping, key, need, YML_SEQUENCE, out);
}
