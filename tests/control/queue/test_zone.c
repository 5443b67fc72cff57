/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "queue/zone.h"

static struct zone *load(const char *name)
{
	struct zone *zone = NULL;
	void *bytes;
	size_t size;

	assert_int_equal(support_read_zone(NULL, name, &bytes, &size), 0);
	assert_int_equal(zone_parse(bytes, size, &zone), 0);
	free(bytes);
	return zone;
}

static int64_t utc(int year, unsigned month, unsigned day, int hour, int minute, int second)
{
	return zone_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/* The C library with TZ set is the second opinion, hour by hour over years beyond every table. */
static void compare_with_libc(const char *name, int first_year, int last_year, int step_s)
{
	struct zone *zone = load(name);

	setenv("TZ", name, 1);
	tzset();
	for (int64_t t = utc(first_year, 1, 1, 0, 0, 0); t < utc(last_year, 1, 1, 0, 0, 0);
		t += step_s) {
		time_t libc_t = (time_t)t;
		struct zone_local local;
		struct tm tm;
		localtime_r(&libc_t, &tm);
		zone_local_time(zone, t, &local);
		if (local.offset != tm.tm_gmtoff)
			fail_msg("%s at %lld: %d, libc says %ld", name, (long long)t, local.offset,
				tm.tm_gmtoff);
		assert_int_equal(local.year, tm.tm_year + 1900);
		assert_int_equal(local.month, tm.tm_mon + 1);
		assert_int_equal(local.day, tm.tm_mday);
		assert_int_equal(local.weekday, (tm.tm_wday + 6) % 7);
		assert_int_equal(local.second, tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
	}
	zone_destroy(zone);
	unsetenv("TZ");
	tzset();
}

static void zones_agree_with_the_c_library(void **state)
{
	static const char *const names[] = {"Europe/Rome", "America/New_York", "Asia/Kolkata",
		"Australia/Sydney", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran",
		"Pacific/Apia", "Etc/GMT+5", "America/Nuuk", "Australia/Lord_Howe"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		compare_with_libc(names[i], 2020, 2030, 1800);
		compare_with_libc(names[i], 1950, 2150, 7 * 86400 + 3600);
	}
}

static void the_hour_of_the_change_is_exact(void **state)
{
	struct zone *rome = load("Europe/Rome");
	int64_t spring = utc(2026, 3, 29, 1, 0, 0), autumn = utc(2026, 10, 25, 1, 0, 0);
	int64_t late = utc(2080, 3, 31, 1, 0, 0); /* beyond the table: the footer's rule */

	assert_int_equal(zone_offset(rome, spring - 1), 3600);
	assert_int_equal(zone_offset(rome, spring), 7200);
	assert_int_equal(zone_offset(rome, autumn - 1), 7200);
	assert_int_equal(zone_offset(rome, autumn), 3600);
	assert_int_equal(zone_offset(rome, late - 1), 3600);
	assert_int_equal(zone_offset(rome, late), 7200);
	zone_destroy(rome);
}

static void dates_before_1970_and_leap_days(void **state)
{
	struct zone *zone;
	struct zone_local local;

	assert_int_equal(zone_utc(&zone), 0);
	zone_local_time(zone, -1, &local);
	assert_int_equal(local.year, 1969);
	assert_int_equal(local.second, 86399);
	zone_local_time(zone, utc(2024, 2, 29, 12, 0, 0), &local);
	assert_int_equal(local.month, 2);
	assert_int_equal(local.day, 29);
	assert_int_equal(local.weekday, 3);
	zone_destroy(zone);
}

/* Whatever is cut off or changed, the reader answers: it never reads beyond, and never crashes. */
static void broken_files_are_refused_or_read(void **state)
{
	struct zone *zone = NULL;
	uint8_t *bytes;
	void *file;
	size_t size;

	assert_int_equal(support_read_zone(NULL, "Europe/Rome", &file, &size), 0);
	for (size_t n = 0; n < size; n++) {
		bytes = malloc(n ? n : 1);
		memcpy(bytes, file, n);
		assert_int_equal(zone_parse(bytes, n, &zone), -EINVAL);
		free(bytes);
	}
	bytes = file;
	for (size_t n = 0; n < size; n++) {
		uint8_t kept = bytes[n];
		bytes[n] = (uint8_t)(kept ^ 0xff);
		if (zone_parse(bytes, size, &zone) == 0) {
			zone_offset(zone, 0);
			zone_offset(zone, utc(2100, 7, 1, 0, 0, 0));
			zone_destroy(zone);
		}
		bytes[n] = kept;
	}
	free(file);
	assert_int_equal(zone_parse("hello", 5, &zone), -EINVAL);
}

static void names_stay_in_the_zone_directory(void **state)
{
	assert_true(zone_name_valid("Europe/Rome"));
	assert_true(zone_name_valid("America/Argentina/Buenos_Aires"));
	assert_true(zone_name_valid("Etc/GMT-14"));
	assert_false(zone_name_valid("../etc/passwd"));
	assert_false(zone_name_valid("/etc/passwd"));
	assert_false(zone_name_valid("Europe//Rome"));
	assert_false(zone_name_valid("Europe/"));
	assert_false(zone_name_valid(""));
	assert_false(zone_name_valid("Europe/Ro me"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_agree_with_the_c_library),
		cmocka_unit_test(the_hour_of_the_change_is_exact),
		cmocka_unit_test(dates_before_1970_and_leap_days),
		cmocka_unit_test(broken_files_are_refused_or_read),
		cmocka_unit_test(names_stay_in_the_zone_directory),
	};

	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
