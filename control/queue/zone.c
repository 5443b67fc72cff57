/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEADER_SIZE = 44,
	TYPE_SIZE = 6,
	TIMES_MAX = 8192,
	TYPES_MAX = 256,
	RULE_TEXT_MAX = 255,
	OFFSET_MAX_S = 26 * 3600, /* RFC 8536: at most 26 hours */
	DAY_S = 86400,
};

/* A date of each year on which daylight saving starts or ends. */
struct rule_date {
	enum { DATE_JULIAN, DATE_DAY, DATE_MONTH } kind;
	int32_t month, week, day;
	int32_t second; /* of wall time on that day; may be beyond it */
};

struct rule {
	bool given;
	bool daylight;
	int32_t standard_s, daylight_s; /* east of UTC */
	struct rule_date start, end;
};

struct zone {
	uint32_t time_count;
	int64_t *times;   /* ascending */
	int32_t *offsets; /* in force from times[i] on */
	int32_t before_s; /* before the first time */
	struct rule rule; /* after the last */
};

struct header {
	uint8_t version;
	uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be_time(const uint8_t *p, size_t size)
{
	if (size == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

bool zone_name_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > ZONE_NAME_MAX || name[0] == '/' || name[length - 1] == '/')
		return false;
	for (const char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("/_+-", *c))
			return false;
		if (c[0] == '/' && c[1] == '/')
			return false;
	}
	return true;
}

int64_t zone_days(int32_t year, uint32_t month, uint32_t day)
{
	/* Years begin in March, so that the leap day is the last of its year. */
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, struct zone_local *local)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	local->day = (uint8_t)(day_of_year - (153 * m + 2) / 5 + 1);
	local->month = (uint8_t)(m < 10 ? m + 3 : m - 9);
	local->year = (int32_t)(year_of_era + era * 400 + (local->month <= 2));
}

/* ---- the footer's POSIX rule (RFC 8536 section 3.3.1, POSIX environment variable TZ) ---- */

static int rule_name(const char **text)
{
	const char *p = *text;
	bool quoted = *p == '<';
	size_t n = 0;

	p += quoted;
	while (isalpha((unsigned char)p[n]) ||
		(quoted && (isdigit((unsigned char)p[n]) || p[n] == '+' || p[n] == '-')))
		n++;
	if (n < 3 || (quoted && p[n] != '>'))
		return -EINVAL;
	*text = p + n + quoted;
	return 0;
}

static int rule_number(const char **text, int32_t min, int32_t max, int32_t *value)
{
	const char *p = *text;
	int32_t v = 0;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		v = v * 10 + (*p - '0');
		if (v > max)
			return -EINVAL;
	}
	if (v < min)
		return -EINVAL;
	*text = p;
	*value = v;
	return 0;
}

/* [+|-]hh[:mm[:ss]] in seconds. */
static int rule_time(const char **text, int32_t *seconds)
{
	int32_t sign = **text == '-' ? -1 : 1, part[3] = {0};

	if (**text == '-' || **text == '+')
		(*text)++;
	for (int i = 0; i < 3; i++) {
		if (rule_number(text, 0, i == 0 ? 167 : 59, &part[i]))
			return -EINVAL;
		if (i == 2 || **text != ':')
			break;
		(*text)++;
	}
	*seconds = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return 0;
}

static int rule_month_date(const char **text, struct rule_date *date)
{
	date->kind = DATE_MONTH;
	(*text)++;
	if (rule_number(text, 1, 12, &date->month) || *(*text)++ != '.')
		return -EINVAL;
	if (rule_number(text, 1, 5, &date->week) || *(*text)++ != '.')
		return -EINVAL;
	return rule_number(text, 0, 6, &date->day);
}

static int rule_read_date(const char **text, struct rule_date *date)
{
	int rc;

	if (*(*text)++ != ',')
		return -EINVAL;
	if (**text == 'M') {
		rc = rule_month_date(text, date);
	} else if (**text == 'J') {
		(*text)++;
		date->kind = DATE_JULIAN;
		rc = rule_number(text, 1, 365, &date->day);
	} else {
		date->kind = DATE_DAY;
		rc = rule_number(text, 0, 365, &date->day);
	}
	if (rc)
		return rc;
	date->second = 2 * 3600;
	if (**text != '/')
		return 0;
	(*text)++;
	return rule_time(text, &date->second);
}

static int rule_read(const char *text, struct rule *rule)
{
	int32_t west;

	if (*text == '\0')
		return 0; /* no rule: the last transition holds for ever */
	if (rule_name(&text) || rule_time(&text, &west) || abs(west) > OFFSET_MAX_S)
		return -EINVAL;
	rule->given = true;
	rule->standard_s = -west;
	if (*text == '\0')
		return 0;
	if (rule_name(&text))
		return -EINVAL;
	rule->daylight = true;
	rule->daylight_s = rule->standard_s + 3600;
	if (*text != ',') {
		if (rule_time(&text, &west) || abs(west) > OFFSET_MAX_S)
			return -EINVAL;
		rule->daylight_s = -west;
	}
	if (rule_read_date(&text, &rule->start) || rule_read_date(&text, &rule->end))
		return -EINVAL;
	return *text == '\0' ? 0 : -EINVAL;
}

static bool leap_year(int32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970 of a rule's date in a year. */
static int64_t rule_day(const struct rule_date *date, int32_t year)
{
	int64_t first, days, next;

	switch (date->kind) {
	case DATE_JULIAN: /* 1 to 365, the leap day is never counted */
		return zone_days(year, 1, 1) + date->day - 1 + (leap_year(year) && date->day > 59);
	case DATE_DAY:
		return zone_days(year, 1, 1) + date->day;
	default:
		break;
	}
	first = zone_days(year, (uint32_t)date->month, 1);
	next = date->month == 12 ? zone_days(year + 1, 1, 1)
				 : zone_days(year, (uint32_t)date->month + 1, 1);
	/* 1970-01-01 was a Thursday; Sunday is 0. */
	days = first + (date->day - (first + 4) % 7 + 7) % 7 + ((int64_t)date->week - 1) * 7;
	while (days >= next)
		days -= 7;
	return days;
}

static int32_t rule_offset(const struct rule *rule, int64_t utc_s)
{
	struct zone_local local;
	int64_t shifted = utc_s + rule->standard_s, start, end;
	bool in;

	if (!rule->daylight)
		return rule->standard_s;
	date_of_days((shifted - (shifted % DAY_S + DAY_S) % DAY_S) / DAY_S, &local);
	start = rule_day(&rule->start, local.year) * DAY_S + rule->start.second - rule->standard_s;
	end = rule_day(&rule->end, local.year) * DAY_S + rule->end.second - rule->daylight_s;
	in = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
	return in ? rule->daylight_s : rule->standard_s;
}

/* ---- the file ---- */

static int header_read(const uint8_t *p, size_t size, struct header *h)
{
	if (size < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
		return -EINVAL;
	h->version = p[4];
	h->isut = be32(p + 20);
	h->isstd = be32(p + 24);
	h->leap = be32(p + 28);
	h->time = be32(p + 32);
	h->type = be32(p + 36);
	h->chars = be32(p + 40);
	if (h->time > TIMES_MAX || h->type == 0 || h->type > TYPES_MAX || h->chars > TYPES_MAX * 16)
		return -EINVAL;
	if (h->isut > h->type || h->isstd > h->type || h->leap > TIMES_MAX)
		return -EINVAL;
	return 0;
}

static size_t block_size(const struct header *h, size_t time_size)
{
	return h->time * (time_size + 1) + (size_t)h->type * TYPE_SIZE + h->chars +
	       h->leap * (time_size + 4) + h->isstd + h->isut;
}

static int block_read(const uint8_t *p, const struct header *h, size_t time_size, struct zone *zone)
{
	const uint8_t *indexes = p + h->time * time_size;
	const uint8_t *types = indexes + h->time;

	for (uint32_t i = 0; i < h->type; i++) {
		int32_t offset = (int32_t)be32(types + (size_t)i * TYPE_SIZE);
		if (offset > OFFSET_MAX_S || offset < -OFFSET_MAX_S)
			return -EINVAL;
	}
	zone->before_s = (int32_t)be32(types);
	zone->times = calloc(h->time ? h->time : 1, sizeof(*zone->times));
	zone->offsets = calloc(h->time ? h->time : 1, sizeof(*zone->offsets));
	if (!zone->times || !zone->offsets)
		return -ENOMEM;
	for (uint32_t i = 0; i < h->time; i++) {
		zone->times[i] = be_time(p + i * time_size, time_size);
		if (indexes[i] >= h->type || (i > 0 && zone->times[i] <= zone->times[i - 1]))
			return -EINVAL;
		zone->offsets[i] = (int32_t)be32(types + (size_t)indexes[i] * TYPE_SIZE);
	}
	zone->time_count = h->time;
	return 0;
}

static int footer_read(const uint8_t *p, size_t size, struct rule *rule)
{
	char text[RULE_TEXT_MAX + 1];
	const uint8_t *end;

	if (size < 2 || p[0] != '\n')
		return -EINVAL;
	end = memchr(p + 1, '\n', size - 1);
	if (!end || end - p - 1 > RULE_TEXT_MAX)
		return -EINVAL;
	memcpy(text, p + 1, (size_t)(end - p - 1));
	text[end - p - 1] = '\0';
	return rule_read(text, rule);
}

static int file_parse(const uint8_t *p, size_t size, struct zone *zone)
{
	struct header h;
	size_t time_size = 4;
	int rc;

	rc = header_read(p, size, &h);
	if (rc)
		return rc;
	if (h.version >= '2') { /* a second block with times of eight bytes follows the first */
		size_t skip = HEADER_SIZE + block_size(&h, 4);
		if (skip > size)
			return -EINVAL;
		p += skip;
		size -= skip;
		rc = header_read(p, size, &h);
		if (rc)
			return rc;
		time_size = 8;
	}
	if (HEADER_SIZE + block_size(&h, time_size) > size)
		return -EINVAL;
	rc = block_read(p + HEADER_SIZE, &h, time_size, zone);
	if (rc || time_size == 4)
		return rc;
	p += HEADER_SIZE + block_size(&h, time_size);
	size -= HEADER_SIZE + block_size(&h, time_size);
	return footer_read(p, size, &zone->rule);
}

int zone_parse(const void *bytes, size_t size, struct zone **zone)
{
	struct zone *made;
	int rc;

	if (size > ZONE_BYTES_MAX)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	rc = file_parse(bytes, size, made);
	if (rc) {
		zone_destroy(made);
		return rc;
	}
	*zone = made;
	return 0;
}

int zone_utc(struct zone **zone)
{
	struct zone *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	*zone = made;
	return 0;
}

void zone_destroy(struct zone *zone)
{
	if (!zone)
		return;
	free(zone->times);
	free(zone->offsets);
	free(zone);
}

int32_t zone_offset(const struct zone *zone, int64_t utc_s)
{
	uint32_t low = 0, high = zone->time_count;

	if (high == 0 || utc_s >= zone->times[high - 1]) {
		if (zone->rule.given)
			return rule_offset(&zone->rule, utc_s);
		return high == 0 ? zone->before_s : zone->offsets[high - 1];
	}
	while (low < high) { /* the first transition after utc_s */
		uint32_t middle = low + (high - low) / 2;
		if (zone->times[middle] <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? zone->before_s : zone->offsets[low - 1];
}

void zone_local_time(const struct zone *zone, int64_t utc_s, struct zone_local *local)
{
	int32_t offset = zone_offset(zone, utc_s);
	int64_t shifted = utc_s + offset;
	int64_t second = (shifted % DAY_S + DAY_S) % DAY_S;
	int64_t days = (shifted - second) / DAY_S;

	date_of_days(days, local);
	local->offset = offset;
	local->second = (uint32_t)second;
	local->weekday = (uint8_t)(((days + 3) % 7 + 7) % 7);
}
