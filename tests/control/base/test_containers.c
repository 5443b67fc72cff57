/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/report.h"
#include "base/siphash.h"

/* From the reference implementation's vectors: key 00..0f, input 00..n-1. */
static void siphash_matches_reference(void **state)
{
	uint8_t key[16], data[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		data[i] = i;
	assert_true(siphash(data, 0, key) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash(data, 1, key) == UINT64_C(0x74f839c593dc67fd));
	assert_true(siphash(data, 15, key) == UINT64_C(0xa129ca6149be45e5));
}

#define KEYS 300

/* Random operations against an array of flags. */
static void map_equals_reference(void **state)
{
	static char names[KEYS][8];
	bool there[KEYS] = {false};
	struct random r;
	struct map m;

	random_init_seed(&r, 1);
	map_init(&m, NULL, 0);
	for (int i = 0; i < KEYS; i++)
		snprintf(names[i], sizeof(names[i]), "k%d", i);
	for (int step = 0; step < 200000; step++) {
		size_t i = random_below(&r, (step / 20000) % 2 ? KEYS : 20);
		size_t n = strlen(names[i]), count = 0;

		switch (random_below(&r, 3)) {
		case 0:
			assert_int_equal(
				map_put(&m, names[i], n, names[i]), there[i] ? -EEXIST : 0);
			there[i] = true;
			break;
		case 1:
			assert_ptr_equal(map_remove(&m, names[i], n), there[i] ? names[i] : NULL);
			there[i] = false;
			break;
		default:
			assert_ptr_equal(map_get(&m, names[i], n), there[i] ? names[i] : NULL);
		}
		if (step % 1000)
			continue;
		for (struct map_cursor c = {0}; map_next(&m, &c); count++)
			assert_true(there[((char *)c.value - names[0]) / 8]);
		assert_int_equal(count, map_count(&m));
	}
	map_clear(&m);
}

static void map_iteration_tolerates_removal(void **state)
{
	char keys[100][4];
	struct map m;
	size_t seen = 0;

	map_init(&m, NULL, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(keys[i], 4, "%d", i);
		assert_int_equal(map_put_str(&m, str_from(keys[i]), keys[i]), 0);
	}
	for (struct map_cursor c = {0}; map_next(&m, &c); seen++) {
		size_t i = (size_t)((char(*)[4])c.value - keys);

		map_remove_str(&m, str_from(keys[i ^ 1]));
		map_remove(&m, c.key, c.key_n);
	}
	assert_int_equal(seen, 50);
	assert_int_equal(map_count(&m), 0);
	map_clear(&m);
	map_clear(NULL);
}

static void map_has_a_ceiling(void **state)
{
	void *old = NULL;
	struct map m;

	map_init(&m, NULL, 2);
	assert_int_equal(map_put_str(&m, STR("a"), "1"), 0);
	assert_int_equal(map_put_str(&m, STR(""), "2"), 0);
	assert_int_equal(map_put_str(&m, STR("c"), "3"), -ENOSPC);
	assert_string_equal(map_get(&m, NULL, 0), "2");
	assert_int_equal(map_set(&m, "a", 1, "4", &old), 0);
	assert_string_equal(old, "1");
	assert_string_equal(map_get_str(&m, STR("a")), "4");
	map_clear(&m);
}

static void pool_ids_go_stale(void **state)
{
	struct pool p;
	uint64_t id[3], again;
	int *r[3], seen = 0;

	assert_int_equal(pool_init(&p, sizeof(int), 3), 0);
	assert_null(pool_get(&p, 0));
	for (int i = 0; i < 3; i++) {
		r[i] = pool_alloc(&p, &id[i]);
		assert_int_equal(*r[i], 0);
		*r[i] = i + 1;
		assert_true(pool_id_generation(id[i]) != 0);
		assert_true(pool_id(&p, r[i]) == id[i]);
	}
	assert_null(pool_alloc(&p, NULL));
	pool_free(&p, r[1]);
	assert_null(pool_get(&p, id[1]));
	assert_null(pool_at(&p, pool_id_slot(id[1])));
	assert_ptr_equal(pool_at(&p, pool_id_slot(id[2])), r[2]);
	assert_null(pool_at(&p, 3));
	assert_null(pool_get(&p, id[1] + (UINT64_C(1) << 32))); /* the generation of a free slot */
	assert_ptr_equal(pool_get(&p, id[2]), r[2]);
	r[1] = pool_alloc(&p, &again);
	assert_int_equal(*r[1], 0);
	assert_int_equal(pool_id_slot(again), pool_id_slot(id[1]));
	assert_true(again != id[1]);
	assert_null(pool_get(&p, id[1]));
	for (int *q = pool_next(&p, NULL); q; q = pool_next(&p, q)) {
		pool_free(&p, q);
		seen++;
	}
	assert_int_equal(seen, 3);
	assert_int_equal(pool_used(&p), 0);
	assert_int_equal(p.most, 3);
	pool_clear(&p);
	assert_int_equal(pool_init(&p, 0, 3), -EINVAL);
	pool_clear(NULL);
}

static void report_is_bounded(void **state)
{
	char text[2000], *printed = NULL;
	size_t n;
	FILE *f = open_memstream(&printed, &n);
	struct report r;

	report_init(&r);
	report_add(NULL, REPORT_ERROR, "x", "y");
	assert_false(report_has_errors(&r));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	report_add(&r, REPORT_WARNING, text, "%s", text);
	assert_int_equal(strlen(report_at(&r, 0)->place), REPORT_PLACE_MAX);
	assert_int_equal(strlen(report_at(&r, 0)->text), REPORT_TEXT_MAX - 1);
	for (int i = 0; i < REPORT_ENTRIES_MAX + 5; i++)
		report_add(&r, REPORT_ERROR, "flows/main.json: action 'Greet'", "expected %d", i);
	assert_int_equal(report_size(&r), REPORT_ENTRIES_MAX);
	assert_int_equal(report_count(&r, REPORT_ERROR), REPORT_ENTRIES_MAX + 5);
	assert_true(report_mentions(&r, REPORT_ERROR, "action 'Greet'"));
	assert_false(report_mentions(&r, REPORT_NOTE, "Greet"));
	report_print(&r, f);
	fclose(f);
	assert_non_null(strstr(printed, "error: flows/main.json: action 'Greet': expected 0\n"));
	assert_non_null(strstr(printed, "and 6 more"));
	report_clear(&r);
	free(printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_matches_reference),
		cmocka_unit_test(map_equals_reference),
		cmocka_unit_test(map_iteration_tolerates_removal),
		cmocka_unit_test(map_has_a_ceiling),
		cmocka_unit_test(pool_ids_go_stale),
		cmocka_unit_test(report_is_bounded),
	};

	return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
