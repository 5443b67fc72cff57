/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "queue/hours.h"

static const struct support_texts texts = {{
	[RESOURCE_HOURS] = "hours:\n"
			   "  - name: Desk\n"
			   "    time_zone: Europe/Rome\n"
			   "    week:\n"
			   "      monday: ['09:00-12:30', '13:30-18:00']\n"
			   "      friday: ['20:00-24:00']\n"
			   "      saturday: ['00:00-02:00']\n"
			   "      sunday: ['00:00-24:00']\n"
			   "    overrides:\n"
			   "      - {date: '2026-12-28', name: Closed, open: []}\n"
			   "      - {date: '2026-04-07', name: Tuesday, open: ['10:00-11:00']}\n"
			   "  - name: Always\n"
			   "    time_zone: UTC\n"
			   "    week: {monday: ['00:00-24:00']}\n",
}};

static struct resources *resources;

static int load(void **state)
{
	resources = support_resources(&texts);
	return 0;
}

static int unload(void **state)
{
	resources_destroy(resources);
	return 0;
}

static bool open_at(unsigned month, unsigned day, int hour, int minute)
{
	const struct resource_hours *desk = resources_hours(resources, "Desk", RESOURCE_BY_NAME);

	assert_non_null(desk);
	return hours_is_open(
		&desk->hours, zone_days(2026, month, day) * 86400 + hour * 3600 + minute * 60);
}

static void a_day_with_a_break(void **state)
{
	/* Monday 2 March 2026, winter: Rome is an hour ahead. */
	assert_false(open_at(3, 2, 7, 59));
	assert_true(open_at(3, 2, 8, 0));
	assert_true(open_at(3, 2, 11, 29));
	assert_false(open_at(3, 2, 11, 30));
	assert_false(open_at(3, 2, 12, 29));
	assert_true(open_at(3, 2, 12, 30));
	assert_false(open_at(3, 2, 17, 0));
}

static void summer_time_moves_the_instant(void **state)
{
	/* Monday 6 July 2026: two hours ahead. */
	assert_false(open_at(7, 6, 6, 59));
	assert_true(open_at(7, 6, 7, 0));
	/* The Sundays of the change are open all day: 23 and 25 hours long. */
	assert_true(open_at(3, 28, 23, 0));
	assert_true(open_at(3, 29, 21, 59));
	assert_false(open_at(3, 29, 22, 0));
	assert_true(open_at(10, 24, 22, 0));
	assert_true(open_at(10, 25, 22, 59));
	assert_false(open_at(10, 25, 23, 0));
}

static void midnight_ends_and_begins_a_day(void **state)
{
	/* Friday 6 March, 20:00 to 24:00, then Saturday from 00:00 to 02:00. */
	assert_false(open_at(3, 6, 18, 59));
	assert_true(open_at(3, 6, 19, 0));
	assert_true(open_at(3, 6, 22, 59));
	assert_true(open_at(3, 6, 23, 0));
	assert_true(open_at(3, 7, 0, 59));
	assert_false(open_at(3, 7, 1, 0));
}

static void a_dated_override_replaces_its_day(void **state)
{
	assert_true(open_at(12, 21, 9, 0));  /* a Monday */
	assert_false(open_at(12, 28, 9, 0)); /* the Monday that is closed */
	assert_false(open_at(3, 31, 8, 30)); /* a Tuesday */
	assert_true(open_at(4, 7, 8, 30));   /* the Tuesday that is open */
	assert_false(open_at(4, 7, 9, 0));
	/* The override's date is the zone's, not UTC's: Rome's 28th ends an hour before. */
	assert_true(open_at(12, 27, 22, 59));
	assert_false(open_at(12, 27, 23, 0));
}

static void ranges_keep_order_and_do_not_overlap(void **state)
{
	struct hours_day day = {0};

	assert_int_equal(hours_day_add(&day, 600, 660), 0);
	assert_int_equal(hours_day_add(&day, 60, 120), 0);
	assert_int_equal(hours_day_add(&day, 120, 180), 0);
	assert_int_equal(hours_day_add(&day, 179, 200), -EEXIST);
	assert_int_equal(hours_day_add(&day, 590, 601), -EEXIST);
	assert_int_equal(hours_day_add(&day, 0, 1440), -EEXIST);
	assert_int_equal(hours_day_add(&day, 100, 100), -EINVAL);
	assert_int_equal(hours_day_add(&day, 1439, 1441), -EINVAL);
	assert_int_equal(day.ranges[0].start_min, 60);
	assert_int_equal(day.ranges[2].start_min, 600);
	for (uint32_t i = 3; i < HOURS_RANGES_MAX; i++)
		assert_int_equal(hours_day_add(&day, 700 + i, 701 + i), 0);
	assert_int_equal(hours_day_add(&day, 1000, 1001), -ENOSPC);
}

static void times_and_dates_are_read_strictly(void **state)
{
	static const char *const bad_times[] = {
		"", "9:00", "09:60", "24:01", "25:00", "09:00 ", "09-00", "ab:cd"};
	static const char *const bad_dates[] = {
		"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "26-04-01", "2026-4-1"};
	uint32_t minutes;
	int64_t days;

	for (size_t i = 0; i < sizeof(bad_times) / sizeof(bad_times[0]); i++)
		assert_int_equal(hours_parse_time(bad_times[i], &minutes), -EINVAL);
	for (size_t i = 0; i < sizeof(bad_dates) / sizeof(bad_dates[0]); i++)
		assert_int_equal(hours_parse_date(bad_dates[i], &days), -EINVAL);
	assert_int_equal(hours_parse_time("24:00", &minutes), 0);
	assert_int_equal(minutes, 1440);
	assert_int_equal(hours_parse_date("2024-02-29", &days), 0);
	assert_int_equal(days, zone_days(2024, 2, 29));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_with_a_break),
		cmocka_unit_test(summer_time_moves_the_instant),
		cmocka_unit_test(midnight_ends_and_begins_a_day),
		cmocka_unit_test(a_dated_override_replaces_its_day),
		cmocka_unit_test(ranges_keep_order_and_do_not_overlap),
		cmocka_unit_test(times_and_dates_are_read_strictly),
	};

	return cmocka_run_group_tests_name("hours", tests, load, unload);
}
