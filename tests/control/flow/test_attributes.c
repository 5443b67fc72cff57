/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "flow/attributes.h"
#include "support.h"

static void names_are_set_replaced_and_kept_in_order(void **state)
{
	struct attributes store = {0};
	struct attributes_cursor cursor = {0};
	struct attribute a;

	(void)state;
	assert_null(attributes_get(&store, "a"));
	assert_int_equal(attributes_set(&store, "a", "1"), 0);
	assert_int_equal(attributes_set(&store, "b", ""), 0);
	assert_int_equal(attributes_set(&store, "c", "three"), 0);
	assert_int_equal(attributes_set(&store, "a", "longer"), 0);
	assert_int_equal(attributes_set(&store, "c", "3"), 0);
	assert_string_equal(attributes_get(&store, "a"), "longer");
	assert_string_equal(attributes_get(&store, "b"), "");
	assert_string_equal(attributes_get(&store, "c"), "3");
	assert_null(attributes_get(&store, "longer"));
	assert_int_equal(attributes_count(&store), 3);
	assert_true(attributes_next(&store, &cursor, &a));
	assert_string_equal(a.name, "a");
	attributes_clear(&store);
	attributes_clear(NULL);
	assert_int_equal(attributes_count(&store), 0);
}

static void bad_names_and_too_much_are_refused(void **state)
{
	static char name[ATTRIBUTE_NAME_MAX + 2], value[ATTRIBUTES_BYTES_MAX + 1];
	struct attributes store = {0};
	struct attribute list[] = {{"x", "1"}, {"y", value}};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(attributes_set(&store, name, "v"), -EINVAL);
	assert_int_equal(attributes_set(&store, "", "v"), -EINVAL);
	memset(value, 'v', ATTRIBUTES_BYTES_MAX);
	assert_int_equal(attributes_set(&store, "a", value), -ENOSPC);
	value[ATTRIBUTES_BYTES_MAX - 3] = '\0'; /* "a", value and two terminators fill the store */
	assert_int_equal(attributes_set(&store, "a", value), 0);
	assert_int_equal(attributes_set(&store, "b", ""), -ENOSPC);
	assert_int_equal(attributes_set(&store, "a", "1"), 0);
	assert_int_equal(attributes_set_all(&store, list, 2), -ENOSPC);
	assert_null(attributes_get(&store, "x"));
	assert_int_equal(attributes_set_all(&store, list, 1), 0);
	assert_string_equal(attributes_get(&store, "x"), "1");
	attributes_clear(&store);
}

static void bytes_can_be_written_and_read_back(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int rc;
	} rows[] = {{"", 0, 0}, {"a\0b", 4, 0}, {"a\0", 3, 0}, {"a\0b", 3, -EINVAL},
		{"a", 2, -EINVAL}, {"\0b", 3, -EINVAL}, {"a\0b\0c", 6, -EINVAL}};
	struct attributes store = {0}, copy = {0};
	size_t length;
	const char *bytes;

	(void)state;
	attributes_set(&store, "a", "1");
	attributes_set(&store, "b", "2");
	bytes = attributes_bytes(&store, &length);
	assert_int_equal(attributes_load(&copy, bytes, length), 0);
	assert_string_equal(attributes_get(&copy, "b"), "2");
	attributes_clear(&store);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			attributes_load(&store, rows[i].bytes, rows[i].length), rows[i].rc);
	attributes_clear(&store);
	attributes_clear(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_set_replaced_and_kept_in_order),
		cmocka_unit_test(bad_names_and_too_much_are_refused),
		cmocka_unit_test(bytes_can_be_written_and_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
