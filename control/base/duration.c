/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"d", UINT64_C(86400000000000)},
	{"h", UINT64_C(3600000000000)},
	{"m", UINT64_C(60000000000)},
	{"s", UINT64_C(1000000000)},
	{"ms", UINT64_C(1000000)},
	{"us", UINT64_C(1000)},
	{"ns", UINT64_C(1)},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

int duration_parse(struct str text, uint64_t *ns)
{
	size_t digits = 0;
	uint64_t v;
	int rc;

	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	rc = str_to_u64(str_head(text, digits), &v);
	if (rc < 0)
		return rc;
	if (digits == text.n && v == 0) {
		*ns = 0;
		return 0;
	}
	for (size_t i = 0; i < UNITS; i++) {
		if (!str_equal_text(str_skip(text, digits), units[i].name))
			continue;
		if (__builtin_mul_overflow(v, units[i].ns, &v))
			return -ERANGE;
		*ns = v;
		return 0;
	}
	return -EINVAL;
}

void duration_format(uint64_t ns, char out[DURATION_TEXT_SIZE])
{
	size_t i = 0;

	if (ns == 0)
		i = 3;
	while (ns % units[i].ns)
		i++;
	snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
}
