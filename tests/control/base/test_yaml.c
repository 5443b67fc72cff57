/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/report.h"
#include "base/yaml.h"

static struct yml_doc *load(const char *text, struct report *r)
{
	struct yml_doc *doc = NULL;

	report_init(r);
	yml_load_text(text, strlen(text), "f.yaml", r, &doc);
	return doc;
}

static void reads_values_and_names_places(void **state)
{
	static const char text[] = "name: Sales\n"
				   "max: 12\n"
				   "on: yes\n"
				   "wait: 20s\n"
				   "kind: ring\n"
				   "empty:\n"
				   "list:\n"
				   "  - id: 5\n"
				   "    bad: 99\n"
				   "'null': 'null'\n";
	static const char *const kinds[] = {"panel", "ring", NULL};
	static const char *const known[] = {"id", "name", NULL};
	struct report r;
	struct yml_doc *doc = load(text, &r);
	const struct yml_node *root, *list, *item, *map;
	const char *s = "";
	char place[YML_PLACE_MAX];
	int64_t i = 0;
	uint64_t ns = 0;
	bool b = false;
	int choice = -1;

	assert_non_null(doc);
	root = yml_root(doc);
	assert_int_equal(yml_read_string(&r, root, "name", YML_REQUIRED, 5, &s), 0);
	assert_string_equal(s, "Sales");
	assert_int_equal(yml_read_int(&r, root, "max", YML_REQUIRED, 1, 12, &i), 0);
	assert_int_equal(i, 12);
	assert_int_equal(yml_read_bool(&r, root, "on", YML_REQUIRED, &b), 0);
	assert_true(b);
	assert_int_equal(
		yml_read_duration(&r, root, "wait", YML_REQUIRED, 0, 60 * CLOCK_S, &ns), 0);
	assert_true(ns == 20 * CLOCK_S);
	assert_int_equal(yml_read_choice(&r, root, "kind", YML_REQUIRED, kinds, &choice), 0);
	assert_int_equal(choice, 1);
	assert_int_equal(yml_read_string(&r, root, "null", YML_REQUIRED, 9, &s), 0);
	assert_int_equal(yml_read_string(&r, root, "empty", YML_OPTIONAL, 9, &s), -ENOENT);
	assert_int_equal(report_size(&r), 0);

	assert_int_equal(yml_read_string(&r, root, "missing", YML_REQUIRED, 9, &s), -ENOENT);
	assert_true(report_mentions(&r, REPORT_ERROR, "f.yaml:1:1: missing"));
	assert_int_equal(yml_read_string(&r, root, "name", YML_REQUIRED, 4, &s), -EINVAL);
	assert_true(report_mentions(&r, REPORT_ERROR, "expected at most 4 bytes, found 5"));
	assert_int_equal(yml_read_int(&r, root, "name", YML_REQUIRED, 1, 9, &i), -EINVAL);
	assert_true(report_mentions(&r, REPORT_ERROR, "f.yaml:1:7: name"));
	assert_true(report_mentions(
		&r, REPORT_ERROR, "expected a whole number from 1 to 9, found 'Sales'"));
	assert_int_equal(yml_read_bool(&r, root, "max", YML_REQUIRED, &b), -EINVAL);
	assert_int_equal(yml_read_choice(&r, root, "name", YML_REQUIRED, kinds, &choice), -EINVAL);
	assert_true(
		report_mentions(&r, REPORT_ERROR, "expected one of: panel, ring, found 'Sales'"));
	assert_int_equal(
		yml_read_duration(&r, root, "wait", YML_REQUIRED, 0, CLOCK_S, &ns), -EINVAL);
	assert_true(report_mentions(&r, REPORT_ERROR, "expected a duration from 0s to 1s"));
	assert_int_equal(yml_read_mapping(&r, root, "list", YML_REQUIRED, &map), -EINVAL);
	assert_true(report_mentions(&r, REPORT_ERROR, "expected a mapping, found a list"));
	assert_int_equal(yml_read_sequence(&r, root, "list", YML_REQUIRED, &list), 0);
	assert_int_equal(yml_size(list), 1);
	item = yml_at(list, 0);
	yml_place(yml_get(item, "id"), place);
	assert_string_equal(place, "f.yaml:8:9: list[0].id");
	assert_int_equal(yml_only_keys(&r, item, known), -EINVAL);
	assert_true(report_mentions(&r, REPORT_ERROR, "f.yaml:9:5: list[0].bad"));
	assert_true(report_mentions(&r, REPORT_ERROR, "expected one of: id, name"));
	assert_null(yml_at(list, 1));
	assert_null(yml_get(NULL, "x"));
	assert_string_equal(yml_text(NULL), "");
	assert_string_equal(yml_key_at(item, 1), "bad");
	yml_destroy(doc);
	report_clear(&r);
}

static void refuses_bad_files(void **state)
{
	static const struct {
		const char *text, *place, *message;
	} rows[] = {
		{"a: 1\nb: 2\na: 3\n", "f.yaml:3:1",
			"key 'a' is here twice; the first is in line 1"},
		{"a: &x 1\nb: *x\n", "f.yaml:2:4", "aliases"},
		{"a: 1\n---\nb: 2\n", "f.yaml:", "second"},
		{"a: [1, 2\n", "f.yaml:", "expected YAML"},
		{"\ta: 1\n", "f.yaml:1:1", "expected YAML"},
		{"a: \"\\x\"\n", "f.yaml:1:", "expected YAML"},
		{"[a, b]: 1\n", "f.yaml:1:1", "expected a name as key, found a list"},
		{"<<: 1\n", "f.yaml:1:1", "merge"},
		{"a: \"x\\0y\"\n", "f.yaml:1:4", "zero bytes"},
		{"a: \xff\n", "f.yaml", "expected UTF-8"},
	};
	struct report r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(load(rows[i].text, &r));
		assert_true(report_mentions(&r, REPORT_ERROR, rows[i].place));
		assert_true(report_mentions(&r, REPORT_ERROR, rows[i].message));
		report_clear(&r);
	}
}

static void has_ceilings(void **state)
{
	size_t n = YML_FILE_MAX + 1;
	char *big = malloc(n), deep[200001];
	struct yml_doc *doc = NULL;
	struct report r;

	assert_non_null(big);
	report_init(&r);
	memset(big, ' ', n);
	assert_int_equal(yml_load_text(big, n, "big", &r, &doc), -EFBIG);
	report_clear(&r);
	free(big);
	for (int depth = YML_DEPTH_MAX - 1; depth <= YML_DEPTH_MAX; depth++) {
		char text[200] = "";

		for (int i = 0; i < depth; i++)
			text[i] = '[', text[2 * depth - 1 - i] = ']';
		doc = load(text, &r);
		if (depth < YML_DEPTH_MAX)
			assert_non_null(doc);
		yml_destroy(doc);
		report_clear(&r);
	}
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	assert_null(load(deep, &r));
	assert_true(report_mentions(&r, REPORT_ERROR, "expected at most 32 levels"));
	report_clear(&r);
}

static void empty_and_missing_files(void **state)
{
	struct report r;
	struct yml_doc *doc = load("", &r);

	assert_non_null(doc);
	assert_int_equal(yml_kind(yml_root(doc)), YML_NULL);
	yml_destroy(doc);
	assert_int_equal(yml_load_file("/nowhere/x.yaml", "x.yaml", &r, &doc), -ENOENT);
	assert_true(report_mentions(&r, REPORT_ERROR, "No such file"));
	assert_string_equal(report_at(&r, 0)->place, "x.yaml");
	report_clear(&r);
	yml_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values_and_names_places),
		cmocka_unit_test(refuses_bad_files),
		cmocka_unit_test(has_ceilings),
		cmocka_unit_test(empty_and_missing_files),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
