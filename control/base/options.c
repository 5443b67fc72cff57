/* SPDX-License-Identifier: Apache-2.0 */
#include "base/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/duration.h"

#define OPTION_ITEM_MAX 1024

static const char *const true_words[] = {"true", "yes", "on", NULL};
static const char *const false_words[] = {"false", "no", "off", NULL};

static void *field_of(const struct option_row *row, void *base)
{
	return (char *)base + row->offset;
}

static const void *field_in(const struct option_row *row, const void *base)
{
	return (const char *)base + row->offset;
}

static bool has_range(const struct option_row *row)
{
	return row->min || row->max;
}

static int index_of(const char *const *words, struct str text)
{
	for (int i = 0; words[i]; i++)
		if (str_equal_text(text, words[i]))
			return i;
	return -1;
}

static void list_clear(struct option_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct option_list){0};
}

static int list_add(struct option_list *list, struct str item)
{
	char **items = realloc(list->items, (list->n + 1) * sizeof(*items));
	char *copy;

	if (!items)
		return -ENOMEM;
	list->items = items;
	copy = str_dup(item);
	if (!copy)
		return -ENOMEM;
	list->items[list->n++] = copy;
	return 0;
}

/* What a value of this row must be, for messages and for the default file. */
static void describe(const struct option_row *row, struct strbuf *b)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	switch (row->type) {
	case OPTION_BOOL:
		strbuf_text(b, "true or false");
		break;
	case OPTION_INT:
		strbuf_text(b, "a whole number");
		if (has_range(row))
			strbuf_printf(b, " from %" PRId64 " to %" PRId64, row->min, row->max);
		break;
	case OPTION_DURATION:
		strbuf_text(b, "a duration");
		if (has_range(row)) {
			duration_format((uint64_t)row->min, low);
			duration_format((uint64_t)row->max, high);
			strbuf_printf(b, " from %s to %s", low, high);
		}
		break;
	case OPTION_STRING:
		strbuf_printf(b, "text of %" PRId64 " to %" PRId64 " bytes", row->min,
			row->max ? row->max : OPTION_STRING_MAX);
		break;
	case OPTION_ADDRESS:
		strbuf_text(b, "an address and port such as 192.0.2.1:5060, [2001:db8::1]:5060 or "
			       "unix:/path");
		break;
	case OPTION_LIST:
		strbuf_printf(b, "a list of %" PRId64 " to %" PRId64 " values", row->min,
			row->max ? row->max : OPTION_LIST_MAX);
		break;
	case OPTION_ENUM:
		strbuf_text(b, "one of: ");
		for (int i = 0; row->choices[i]; i++)
			strbuf_printf(b, "%s%s", i ? ", " : "", row->choices[i]);
		break;
	}
}

static int set_int(const struct option_row *row, int64_t *field, struct str text)
{
	int64_t v;

	if (str_to_i64(text, &v) < 0 || (has_range(row) && (v < row->min || v > row->max)))
		return -EINVAL;
	*field = v;
	return 0;
}

static int set_duration(const struct option_row *row, uint64_t *field, struct str text)
{
	uint64_t v;

	if (duration_parse(text, &v) < 0)
		return -EINVAL;
	if (has_range(row) && (v < (uint64_t)row->min || v > (uint64_t)row->max))
		return -EINVAL;
	*field = v;
	return 0;
}

static int set_string(const struct option_row *row, char **field, struct str text)
{
	char *copy;

	if (text.n > (size_t)(row->max ? row->max : OPTION_STRING_MAX) || text.n < (size_t)row->min)
		return -EINVAL;
	copy = str_dup(text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int set_bool(bool *field, struct str text)
{
	if (index_of(true_words, text) >= 0)
		*field = true;
	else if (index_of(false_words, text) >= 0)
		*field = false;
	else
		return -EINVAL;
	return 0;
}

static int set_address(struct address *field, struct str text)
{
	if (text.n == 0) {
		*field = (struct address){0};
		return 0;
	}
	return address_parse(text, -1, field);
}

static int set_enum(const struct option_row *row, int *field, struct str text)
{
	int i = index_of(row->choices, text);

	if (i < 0)
		return -EINVAL;
	*field = i;
	return 0;
}

/* Takes the items in *list, whatever comes of it. */
static int set_list(
	const struct option_row *row, struct option_list *field, struct option_list *list)
{
	if (list->n < (size_t)row->min ||
		list->n > (size_t)(row->max ? row->max : OPTION_LIST_MAX)) {
		list_clear(list);
		return -EINVAL;
	}
	list_clear(field);
	*field = *list;
	return 0;
}

static int set_list_text(const struct option_row *row, struct option_list *field, struct str text)
{
	struct option_list list = {0};
	struct str rest = str_trim(text), part;
	int rc = 0;

	if (rest.n == 0)
		rest = STR_NULL;
	while (rc == 0 && str_split(&rest, ',', &part)) {
		part = str_trim(part);
		rc = part.n && part.n <= OPTION_ITEM_MAX && list.n < OPTION_LIST_MAX
			     ? list_add(&list, part)
			     : -EINVAL;
	}
	if (rc < 0) {
		list_clear(&list);
		return rc;
	}
	return set_list(row, field, &list);
}

static int set_text(const struct option_row *row, void *base, struct str text)
{
	void *field = field_of(row, base);

	switch (row->type) {
	case OPTION_BOOL:
		return set_bool(field, text);
	case OPTION_INT:
		return set_int(row, field, text);
	case OPTION_DURATION:
		return set_duration(row, field, text);
	case OPTION_STRING:
		return set_string(row, field, text);
	case OPTION_ADDRESS:
		return set_address(field, text);
	case OPTION_LIST:
		return set_list_text(row, field, text);
	case OPTION_ENUM:
		return set_enum(row, field, text);
	}
	return -EINVAL;
}

void options_preset(const struct options *o, void *base)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct option_row *row = &o->rows[i];
		int rc = set_text(row, base, str_from(row->preset ? row->preset : ""));

		/* No preset means zero, and a required list or text may start empty. */
		if (rc < 0 && row->type == OPTION_STRING && !(row->preset && row->preset[0])) {
			char **field = field_of(row, base);

			*field = strdup("");
			CHECK(*field);
			continue;
		}
		CHECK(rc == 0 || !row->preset || !row->preset[0]);
	}
}

void options_clear(const struct options *o, void *base)
{
	for (size_t i = 0; i < o->n; i++) {
		void *field = field_of(&o->rows[i], base);

		switch (o->rows[i].type) {
		case OPTION_BOOL:
			*(bool *)field = false;
			break;
		case OPTION_INT:
			*(int64_t *)field = 0;
			break;
		case OPTION_DURATION:
			*(uint64_t *)field = 0;
			break;
		case OPTION_STRING:
			free(*(char **)field);
			*(char **)field = NULL;
			break;
		case OPTION_ADDRESS:
			*(struct address *)field = (struct address){0};
			break;
		case OPTION_LIST:
			list_clear(field);
			break;
		case OPTION_ENUM:
			*(int *)field = 0;
			break;
		}
	}
}

/* "sip" of "sip.listen"; empty for a name without a dot. */
static struct str section_of(const struct option_row *row)
{
	struct str name = str_from(row->name);
	ptrdiff_t dot = str_index(name, '.');

	return dot < 0 ? str_head(name, 0) : str_head(name, (size_t)dot);
}

static const char *key_of(const struct option_row *row)
{
	const char *dot = strchr(row->name, '.');

	return dot ? dot + 1 : row->name;
}

static const struct option_row *find_row(
	const struct options *o, struct str section, struct str key)
{
	for (size_t i = 0; i < o->n; i++)
		if (str_equal(section_of(&o->rows[i]), section) &&
			str_equal_text(key, key_of(&o->rows[i])))
			return &o->rows[i];
	return NULL;
}

static bool is_section(const struct options *o, struct str name)
{
	for (size_t i = 0; i < o->n; i++)
		if (name.n && str_equal(section_of(&o->rows[i]), name))
			return true;
	return false;
}

static int wrong_value(
	const struct option_row *row, const struct yml_node *node, struct report *report)
{
	char expected[512];
	struct strbuf b;

	strbuf_init(&b, expected, sizeof(expected));
	describe(row, &b);
	yml_report(report, node, REPORT_ERROR, "expected %s, found %s%.80s%s", expected,
		yml_kind(node) == YML_SCALAR ? "'" : "",
		yml_kind(node) == YML_SCALAR ? yml_text(node) : yml_kind_name(yml_kind(node)),
		yml_kind(node) == YML_SCALAR ? "'" : "");
	return -EINVAL;
}

static int read_list(const struct option_row *row, void *base, const struct yml_node *node,
	struct report *report)
{
	struct option_list list = {0};
	int rc = 0;

	if (yml_kind(node) != YML_SEQUENCE)
		return wrong_value(row, node, report);
	for (size_t i = 0; rc == 0 && i < yml_size(node) && i <= OPTION_LIST_MAX; i++) {
		const struct yml_node *item = yml_at(node, i);

		if (yml_kind(item) != YML_SCALAR || yml_str(item).n > OPTION_ITEM_MAX) {
			yml_report(report, item, REPORT_ERROR, "expected text of at most %d bytes",
				OPTION_ITEM_MAX);
			rc = -EINVAL;
		} else {
			rc = list_add(&list, yml_str(item));
		}
	}
	if (rc < 0) {
		list_clear(&list);
		return rc;
	}
	if (set_list(row, field_of(row, base), &list) < 0)
		return wrong_value(row, node, report);
	return 0;
}

static int read_row(const struct option_row *row, void *base, const struct yml_node *node,
	struct report *report)
{
	if (yml_kind(node) == YML_NULL)
		return 0; /* a key without a value leaves the default */
	if (row->type == OPTION_LIST)
		return read_list(row, base, node, report);
	if (yml_kind(node) != YML_SCALAR || set_text(row, base, yml_str(node)) < 0)
		return wrong_value(row, node, report);
	return 0;
}

static void unknown_key(const struct options *o, struct str section, const char *const *others,
	const struct yml_node *mapping, size_t i, struct report *report)
{
	char list[REPORT_TEXT_MAX / 2], place[YML_PLACE_MAX];
	const struct yml_node *value = yml_at(mapping, i);
	struct strbuf b;

	strbuf_init(&b, list, sizeof(list));
	for (size_t k = 0; k < o->n; k++) {
		struct str of = section_of(&o->rows[k]);
		bool again = k > 0 && of.n && str_equal(of, section_of(&o->rows[k - 1]));

		if (str_equal(of, section))
			strbuf_printf(&b, "%s%s", b.n ? ", " : "", key_of(&o->rows[k]));
		else if (section.n == 0 && !again)
			strbuf_printf(&b, "%s%.*s", b.n ? ", " : "", STR_ARG(of));
	}
	for (size_t k = 0; others && others[k]; k++)
		strbuf_printf(&b, "%s%s", b.n ? ", " : "", others[k]);
	yml_place(value, place);
	report_add(report, REPORT_ERROR, place, "unknown option '%s'; expected one of: %s%s",
		yml_key_at(mapping, i), list, b.overflow ? ", …" : "");
}

static int read_section(const struct options *o, void *base, const struct yml_node *mapping,
	struct str section, struct report *report)
{
	int rc = 0;

	if (yml_kind(mapping) == YML_NULL)
		return 0;
	if (yml_expect(report, mapping, YML_MAPPING) < 0)
		return -EINVAL;
	for (size_t i = 0; i < yml_size(mapping); i++) {
		const struct option_row *row =
			find_row(o, section, str_from(yml_key_at(mapping, i)));

		if (!row)
			unknown_key(o, section, NULL, mapping, i, report);
		if (!row || read_row(row, base, yml_at(mapping, i), report) < 0)
			rc = -EINVAL;
	}
	return rc;
}

int options_read(const struct options *o, void *base, const struct yml_node *root,
	const char *const *others, struct report *report)
{
	int rc = 0;

	if (yml_kind(root) == YML_NULL)
		return 0;
	if (yml_expect(report, root, YML_MAPPING) < 0)
		return -EINVAL;
	for (size_t i = 0; i < yml_size(root); i++) {
		struct str key = str_from(yml_key_at(root, i));
		const struct option_row *row = find_row(o, str_head(key, 0), key);
		int one = 0;

		if (row) {
			one = read_row(row, base, yml_at(root, i), report);
		} else if (is_section(o, key)) {
			one = read_section(o, base, yml_at(root, i), key, report);
		} else if (!others || index_of(others, key) < 0) {
			unknown_key(o, str_head(key, 0), others, root, i, report);
			one = -EINVAL;
		}
		if (one < 0)
			rc = -EINVAL;
	}
	return rc;
}

int options_set(const struct options *o, void *base, const char *assignment, struct report *report)
{
	struct str text = str_from(assignment), name;
	ptrdiff_t equals = str_index(text, '=');
	char place[REPORT_PLACE_MAX], expected[512];
	struct strbuf b;

	snprintf(place, sizeof(place), "--set %.300s", assignment);
	if (equals < 0) {
		report_add(report, REPORT_ERROR, place, "expected name=value");
		return -EINVAL;
	}
	name = str_trim(str_head(text, (size_t)equals));
	for (size_t i = 0; i < o->n; i++) {
		if (!str_equal_text(name, o->rows[i].name))
			continue;
		if (set_text(&o->rows[i], base, str_trim(str_skip(text, (size_t)equals + 1))) == 0)
			return 0;
		strbuf_init(&b, expected, sizeof(expected));
		describe(&o->rows[i], &b);
		report_add(report, REPORT_ERROR, place, "expected %s", expected);
		return -EINVAL;
	}
	report_add(report, REPORT_ERROR, place, "unknown option '%.*s'", STR_ARG(name));
	return -ENOENT;
}

static void print_quoted(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void print_list(FILE *to, const struct option_list *list)
{
	fputc('[', to);
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			fputs(", ", to);
		print_quoted(to, list->items[i]);
	}
	fputc(']', to);
}

static void print_value(FILE *to, const struct option_row *row, const void *base)
{
	const void *field = field_in(row, base);
	char text[ADDRESS_TEXT_SIZE + 8] = "";

	switch (row->type) {
	case OPTION_BOOL:
		fputs(*(const bool *)field ? "true" : "false", to);
		break;
	case OPTION_INT:
		fprintf(to, "%" PRId64, *(const int64_t *)field);
		break;
	case OPTION_DURATION:
		duration_format(*(const uint64_t *)field, text);
		fputs(text, to);
		break;
	case OPTION_STRING:
		print_quoted(to, *(char *const *)field);
		break;
	case OPTION_ADDRESS:
		if (((const struct address *)field)->length)
			address_format(field, text);
		print_quoted(to, text);
		break;
	case OPTION_LIST:
		print_list(to, field);
		break;
	case OPTION_ENUM:
		fputs(row->choices[*(const int *)field], to);
		break;
	}
}

/* Prints `section:` when the row begins one; gives the indentation of its line. */
static const char *print_section(FILE *to, const struct options *o, size_t i, const char *comment)
{
	struct str section = section_of(&o->rows[i]);

	if (section.n && (i == 0 || !str_equal(section, section_of(&o->rows[i - 1]))))
		fprintf(to, "%s%.*s:\n", comment, STR_ARG(section));
	return section.n ? "  " : "";
}

static void print_help(FILE *to, const struct option_row *row, const char *indent)
{
	char expected[512];
	struct str rest = str_from(row->help), line;
	struct strbuf b;

	while (str_split(&rest, '\n', &line))
		fprintf(to, "%s# %.*s\n", indent, STR_ARG(line));
	strbuf_init(&b, expected, sizeof(expected));
	describe(row, &b);
	fprintf(to, "%s# (%s)\n", indent, expected);
}

/* A fresh structure with the defaults; its size follows from the rows. */
static void *make_presets(const struct options *o)
{
	size_t size = 0;
	void *base;

	for (size_t i = 0; i < o->n; i++)
		if (o->rows[i].offset > size)
			size = o->rows[i].offset;
	base = calloc(1, size + sizeof(struct address));
	CHECK(base);
	options_preset(o, base);
	return base;
}

void options_print_default(const struct options *o, FILE *to)
{
	void *base = make_presets(o);

	for (size_t i = 0; i < o->n; i++) {
		const char *indent = print_section(to, o, i, "#");

		print_help(to, &o->rows[i], indent);
		fprintf(to, "#%s%s: ", indent, key_of(&o->rows[i]));
		print_value(to, &o->rows[i], base);
		fputs("\n\n", to);
	}
	options_clear(o, base);
	free(base);
}

void options_print(const struct options *o, const void *base, FILE *to)
{
	for (size_t i = 0; i < o->n; i++) {
		const char *indent = print_section(to, o, i, "");

		fprintf(to, "%s%s: ", indent, key_of(&o->rows[i]));
		print_value(to, &o->rows[i], base);
		fputc('\n', to);
	}
}
