/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone: local time of a time zone, from the bytes of its TZif file (RFC 8536, versions 1 to 4).
 *
 * Pure: the bytes come in, nothing is read and no process-wide zone is touched. Instants after
 * the last transition of the table follow the POSIX rule in the file's footer, so that slim
 * files answer as well as fat ones. Leap seconds of "right" zones are not applied.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ZONE_NAME_MAX = 64,      /* bytes of a zone's name, without the NUL */
	ZONE_BYTES_MAX = 262144, /* bytes of a TZif file */
};

struct zone;

/* A wall-clock moment as people of the zone read it. */
struct zone_local {
	int32_t year;
	uint8_t month;   /* 1 to 12 */
	uint8_t day;     /* 1 to 31 */
	uint8_t weekday; /* 0 Monday to 6 Sunday */
	uint32_t second; /* of the day, 0 to 86,399 */
	int32_t offset;  /* seconds east of UTC */
};

/* Whether a name may be looked up in a zone directory: "Area/City" letters, no dots, not absolute.
 */
bool zone_name_valid(const char *name);

/* Reads a TZif file's bytes. -EINVAL when they are not one, -ENOMEM. The bytes are not kept. */
int zone_parse(const void *bytes, size_t size, struct zone **zone);

/* The zone of UTC itself, which needs no file. */
int zone_utc(struct zone **zone);

void zone_destroy(struct zone *zone);

/* Offset in seconds east of UTC at an instant (seconds since 1970, UTC). */
int32_t zone_offset(const struct zone *zone, int64_t utc_s);

void zone_local_time(const struct zone *zone, int64_t utc_s, struct zone_local *local);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
int64_t zone_days(int32_t year, uint32_t month, uint32_t day);

#endif
