/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hours: hours of operation. For each weekday any number of ranges up to HOURS_RANGES_MAX (so
 * that breaks are gaps between ranges), in the wall time of a zone; a dated override (a holiday,
 * a long Saturday) replaces all ranges of its date, with none meaning closed all day.
 *
 * A range is [start, end): open at its start, closed at its end; an end of 24:00 is midnight.
 * Ranges of a day do not overlap. Routing never looks at hours; only flows do.
 *
 * Daylight saving needs no special case: an instant has exactly one wall time. In the hour that
 * is repeated the range counts twice, the hour that is skipped is never seen.
 */
#ifndef HOURS_H
#define HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/zone.h"

enum {
	HOURS_WEEKDAYS = 7,
	HOURS_RANGES_MAX = 8,
	HOURS_OVERRIDES_MAX = 400,
	HOURS_DAY_MINUTES = 1440,
};

struct hours_range {
	uint16_t start_min; /* of the day, 0 to 1,439 */
	uint16_t end_min;   /* start_min + 1 to 1,440 */
};

struct hours_day {
	uint8_t count;
	struct hours_range ranges[HOURS_RANGES_MAX]; /* ascending, disjoint */
};

struct hours_override {
	int64_t date_days; /* days since 1970-01-01, in the zone's calendar */
	const char *name;
	struct hours_day day;
};

struct hours {
	const struct zone *zone;
	struct hours_day week[HOURS_WEEKDAYS];  /* 0 Monday */
	const struct hours_override *overrides; /* ascending by date, one a date */
	uint32_t override_count;
};

/* Inserts a range in order. -EINVAL outside a day or not after its start, -EEXIST when it overlaps
 * another, -ENOSPC beyond HOURS_RANGES_MAX. */
int hours_day_add(struct hours_day *day, uint32_t start_min, uint32_t end_min);

/* The day's plan that counts on a date: the override of that date, else the weekday's. */
const struct hours_day *hours_day_at(const struct hours *hours, int64_t date_days);

/* Whether an instant (seconds since 1970, UTC) is within the hours. */
bool hours_is_open(const struct hours *hours, int64_t utc_s);

/* "HH:MM", "24:00" only as an end. -EINVAL otherwise. */
int hours_parse_time(const char *text, uint32_t *minutes);

/* "YYYY-MM-DD", a date that exists. -EINVAL otherwise. */
int hours_parse_date(const char *text, int64_t *date_days);

#endif
