/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/hours.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int hours_day_add(struct hours_day *day, uint32_t start_min, uint32_t end_min)
{
	uint8_t at = 0;

	if (start_min >= end_min || end_min > HOURS_DAY_MINUTES)
		return -EINVAL;
	if (day->count == HOURS_RANGES_MAX)
		return -ENOSPC;
	while (at < day->count && day->ranges[at].start_min < start_min)
		at++;
	if (at > 0 && day->ranges[at - 1].end_min > start_min)
		return -EEXIST;
	if (at < day->count && day->ranges[at].start_min < end_min)
		return -EEXIST;
	memmove(&day->ranges[at + 1], &day->ranges[at],
		(size_t)(day->count - at) * sizeof(day->ranges[0]));
	day->ranges[at].start_min = (uint16_t)start_min;
	day->ranges[at].end_min = (uint16_t)end_min;
	day->count++;
	return 0;
}

const struct hours_day *hours_day_at(const struct hours *hours, int64_t date_days)
{
	uint32_t low = 0, high = hours->override_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (hours->overrides[middle].date_days < date_days)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < hours->override_count && hours->overrides[low].date_days == date_days)
		return &hours->overrides[low].day;
	return &hours->week[((date_days + 3) % HOURS_WEEKDAYS + HOURS_WEEKDAYS) % HOURS_WEEKDAYS];
}

bool hours_is_open(const struct hours *hours, int64_t utc_s)
{
	struct zone_local local;
	const struct hours_day *day;
	uint32_t minute;

	zone_local_time(hours->zone, utc_s, &local);
	day = hours_day_at(hours, zone_days(local.year, local.month, local.day));
	minute = local.second / 60;
	for (uint8_t i = 0; i < day->count; i++)
		if (minute >= day->ranges[i].start_min && minute < day->ranges[i].end_min)
			return true;
	return false;
}

/* Exactly `digits` digits; moves the text behind them. */
static int read_digits(const char **text, int digits, uint32_t *value)
{
	uint32_t v = 0;

	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -EINVAL;
		v = v * 10 + (uint32_t)(**text - '0');
	}
	*value = v;
	return 0;
}

int hours_parse_time(const char *text, uint32_t *minutes)
{
	uint32_t hour, minute;

	if (read_digits(&text, 2, &hour) || *text++ != ':' || read_digits(&text, 2, &minute))
		return -EINVAL;
	if (*text != '\0' || minute > 59 || hour * 60 + minute > HOURS_DAY_MINUTES)
		return -EINVAL;
	*minutes = hour * 60 + minute;
	return 0;
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
	if (month == 12)
		return 31;
	return (uint32_t)(zone_days((int32_t)year, month + 1, 1) -
			  zone_days((int32_t)year, month, 1));
}

int hours_parse_date(const char *text, int64_t *date_days)
{
	uint32_t year, month, day;

	if (read_digits(&text, 4, &year) || *text++ != '-' || read_digits(&text, 2, &month) ||
		*text++ != '-' || read_digits(&text, 2, &day) || *text != '\0')
		return -EINVAL;
	if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return -EINVAL;
	*date_days = zone_days((int32_t)year, month, day);
	return 0;
}
