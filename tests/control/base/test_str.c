/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void compares(void **state)
{
	assert_true(str_equal(STR("abc"), STR("abc")));
	assert_false(str_equal(STR("abc"), STR("abd")));
	assert_true(str_equal(STR_NULL, STR("")));
	assert_true(str_equal_nocase(STR("Via"), STR("vIA")));
	assert_false(str_equal_nocase(STR("[via"), STR("{VIA")));
	assert_true(str_compare(STR("ab"), STR("abc")) < 0);
	assert_true(str_compare(STR("b"), STR("abc")) > 0);
	assert_int_equal(str_compare_nocase(STR("AB"), STR("ab")), 0);
	assert_true(str_starts(STR("sips:x"), STR("sip")));
	assert_false(str_starts(STR("si"), STR("sip")));
	assert_true(str_starts_nocase(STR("SIP:x"), STR("sip:")));
	assert_true(str_ends(STR("a.json"), STR(".json")));
	assert_false(str_ends(STR("json"), STR(".json")));
}

static void cuts(void **state)
{
	struct str rest = STR("a,,b"), part;

	assert_true(str_equal_text(str_trim(STR(" \t x y\r\n")), "x y"));
	assert_int_equal(str_trim(STR(" \t ")).n, 0);
	assert_int_equal(str_skip(STR("abc"), 5).n, 0);
	assert_int_equal(str_index(STR("a:b:c"), ':'), 1);
	assert_int_equal(str_index_last(STR("a:b:c"), ':'), 3);
	assert_int_equal(str_index(STR("abc"), ':'), -1);
	assert_int_equal(str_find(STR("hello"), STR("llo")), 2);
	assert_int_equal(str_find(STR("hello"), STR("lo!")), -1);
	assert_true(str_split(&rest, ',', &part) && str_equal_text(part, "a"));
	assert_true(str_split(&rest, ',', &part) && str_equal_text(part, ""));
	assert_true(str_split(&rest, ',', &part) && str_equal_text(part, "b"));
	assert_false(str_split(&rest, ',', &part));
	rest = STR("a,");
	assert_true(str_split(&rest, ',', &part));
	assert_true(str_split(&rest, ',', &part) && part.n == 0);
	assert_false(str_split(&rest, ',', &part));
}

static void reads_numbers_strictly(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1a", "a"};
	uint32_t u32 = 7;
	uint64_t u64 = 7;
	int64_t i64 = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(str_to_u32(str_from(bad[i]), &u32), -EINVAL);
		assert_int_equal(str_to_u64(str_from(bad[i]), &u64), -EINVAL);
	}
	assert_int_equal(str_to_u32(STR("4294967296"), &u32), -ERANGE);
	assert_int_equal(u32, 7);
	assert_int_equal(str_to_u32(STR("4294967295"), &u32), 0);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(str_to_u64(STR("18446744073709551616"), &u64), -ERANGE);
	assert_int_equal(str_to_u64(STR("99999999999999999999999"), &u64), -ERANGE);
	assert_int_equal(str_to_u64(STR("18446744073709551615"), &u64), 0);
	assert_true(u64 == UINT64_MAX);
	assert_int_equal(str_to_i64(STR("-9223372036854775808"), &i64), 0);
	assert_true(i64 == INT64_MIN);
	assert_int_equal(str_to_i64(STR("9223372036854775808"), &i64), -ERANGE);
	assert_int_equal(str_to_i64(STR("--1"), &i64), -EINVAL);
	assert_int_equal(str_to_hex64(STR("fFff"), &u64), 0);
	assert_int_equal(u64, 0xffff);
	assert_int_equal(str_to_hex64(STR("g"), &u64), -EINVAL);
	assert_int_equal(str_to_hex64(STR("00000000000000001"), &u64), -EINVAL);
}

static void copies(void **state)
{
	char out[4] = "old", *dup = str_dup(STR("abc"));

	assert_int_equal(str_copy(STR("abcd"), out, sizeof(out)), -ENOSPC);
	assert_string_equal(out, "old");
	assert_int_equal(str_copy(STR("abc"), out, sizeof(out)), 0);
	assert_string_equal(dup, "abc");
	free(dup);
	strcpy(out, "AbC");
	str_lower(out, 3);
	assert_string_equal(out, "abc");
}

static void judges_utf8(void **state)
{
	assert_true(str_is_utf8(STR("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n\t")));
	assert_false(str_is_utf8(STR("\xc0\x80")));
	assert_false(str_is_utf8(STR("\xed\xa0\x80")));
	assert_false(str_is_utf8(STR("\xf4\x90\x80\x80")));
	assert_false(str_is_utf8(STR("\xe0\x80\x80")));
	assert_false(str_is_utf8(STR("\xe2\x82")));
	assert_false(str_is_utf8(STR("\x80")));
	assert_false(str_is_utf8(STR("a\x01")));
	assert_false(str_is_utf8(STR("a\x7f")));
}

/* For every size: never beyond, all or nothing, always terminated. */
static void builder_is_bounded(void **state)
{
	static const uint8_t bytes[] = {0x00, 0xab};
	char buffer[40];

	for (size_t size = 1; size <= 32; size++) {
		struct strbuf b;

		memset(buffer, 'z', sizeof(buffer));
		strbuf_init(&b, buffer, size);
		strbuf_text(&b, "ab");
		strbuf_char(&b, '-');
		strbuf_u64(&b, UINT64_C(1234567890));
		strbuf_hex(&b, bytes, 2);
		strbuf_printf(&b, "<%s>", "x");
		strbuf_i64(&b, -5);
		assert_true(b.n < size);
		assert_int_equal(buffer[b.n], 0);
		assert_int_equal(strlen(buffer), b.n);
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], 'z');
		assert_int_equal(strbuf_result(&b), size >= 23 ? 0 : -ENOSPC);
		if (size >= 23)
			assert_string_equal(buffer, "ab-123456789000ab<x>-5");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(cuts),
		cmocka_unit_test(reads_numbers_strictly),
		cmocka_unit_test(copies),
		cmocka_unit_test(judges_utf8),
		cmocka_unit_test(builder_is_bounded),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
