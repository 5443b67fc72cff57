/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

struct clock_pair clock_pair_take(void)
{
	return (struct clock_pair){clock_now(), clock_wall()};
}

uint64_t clock_wall_at(const struct clock_pair *pair, uint64_t now_ns)
{
	return pair->wall_ns + (now_ns - pair->now_ns);
}

static void digits(char *out, unsigned n, unsigned value)
{
	while (n--) {
		out[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* Year, month and day by Hinnant's arithmetic: years that begin in March, eras of 400 of them. */
static void format_day(uint32_t days, char out[11])
{
	uint32_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
	uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint32_t march = (5 * of_year + 2) / 153;
	uint32_t month = march < 10 ? march + 3 : march - 9;

	digits(out, 4, year + era * 400 + (month <= 2));
	digits(out + 5, 2, month);
	digits(out + 8, 2, of_year - (153 * march + 2) / 5 + 1);
	out[4] = out[7] = '-';
	out[10] = 'T';
}

/* 64 bits of nanoseconds end in 2554: four digits of year always. */
void clock_format(uint64_t wall_ns, char out[CLOCK_ISO_SIZE])
{
	uint64_t seconds = wall_ns / CLOCK_S;
	unsigned of_day = (unsigned)(seconds % 86400);

	format_day((uint32_t)(seconds / 86400), out);
	digits(out + 11, 2, of_day / 3600);
	digits(out + 14, 2, of_day / 60 % 60);
	digits(out + 17, 2, of_day % 60);
	digits(out + 20, 3, (unsigned)(wall_ns % CLOCK_S / CLOCK_MS));
	out[13] = out[16] = ':';
	out[19] = '.';
	out[23] = 'Z';
	out[24] = '\0';
}

static int parse_fraction(struct str text, uint64_t *ns)
{
	uint64_t v, scale = CLOCK_S;

	if (text.n > 9 || str_to_u64(text, &v) < 0)
		return -EINVAL;
	for (size_t i = 0; i < text.n; i++)
		scale /= 10;
	*ns = v * scale;
	return 0;
}

/* Reads digits where the pattern has 'd', and wants every other byte as it is. */
static int parse_fields(struct str text, const char *pattern, uint32_t *fields)
{
	int field = -1;

	for (size_t i = 0; pattern[i]; i++) {
		if (pattern[i] != 'd') {
			if (text.p[i] != pattern[i])
				return -EINVAL;
			continue;
		}
		if (text.p[i] < '0' || text.p[i] > '9')
			return -EINVAL;
		if (i == 0 || pattern[i - 1] != 'd')
			fields[++field] = 0;
		fields[field] = fields[field] * 10 + (uint32_t)(text.p[i] - '0');
	}
	return 0;
}

int clock_parse(struct str text, uint64_t *wall_ns)
{
	static const char pattern[] = "dddd-dd-ddTdd:dd:dd";
	const size_t whole = sizeof(pattern) - 1;
	uint32_t f[6];
	uint64_t fraction = 0;
	struct tm tm, again;
	time_t seconds;

	if (text.n <= whole || text.p[text.n - 1] != 'Z' || parse_fields(text, pattern, f) < 0)
		return -EINVAL;
	if (text.n > whole + 1 &&
		(text.p[whole] != '.' ||
			parse_fraction(
				str_make(text.p + whole + 1, text.n - whole - 2), &fraction) < 0))
		return -EINVAL;
	if (f[0] < 1970 || f[0] > 2500)
		return -EINVAL;
	tm = (struct tm){.tm_year = (int)f[0] - 1900,
		.tm_mon = (int)f[1] - 1,
		.tm_mday = (int)f[2],
		.tm_hour = (int)f[3],
		.tm_min = (int)f[4],
		.tm_sec = (int)f[5]};
	again = tm;
	seconds = timegm(&again);
	if (again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday ||
		again.tm_hour != tm.tm_hour || again.tm_min != tm.tm_min ||
		again.tm_sec != tm.tm_sec)
		return -EINVAL;
	*wall_ns = (uint64_t)seconds * CLOCK_S + fraction;
	return 0;
}
