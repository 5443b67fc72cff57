/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks. Logic takes `now_ns` (CLOCK_MONOTONIC, nanoseconds) as an argument; only the loop, the
 * log and main read clocks. Wall time is nanoseconds since 1970 UTC and named `_wall`.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define CLOCK_US       UINT64_C(1000)
#define CLOCK_MS       UINT64_C(1000000)
#define CLOCK_S        UINT64_C(1000000000)
#define CLOCK_ISO_SIZE 25 /* 2026-11-20T11:40:51.123Z and the terminator */

uint64_t clock_now(void);
uint64_t clock_wall(void);

/* The same moment by both clocks, taken once; wall time is then only added to. */
struct clock_pair {
	uint64_t now_ns;
	uint64_t wall_ns;
};

struct clock_pair clock_pair_take(void);
/* Wall time of a monotonic moment, before the pair or after it. */
uint64_t clock_wall_at(const struct clock_pair *pair, uint64_t now_ns);
/* ISO 8601, UTC, milliseconds (cut, not rounded), `Z`. */
void clock_format(uint64_t wall_ns, char out[CLOCK_ISO_SIZE]);
/* Reads what clock_format() writes; the fraction may be missing or have 1 to 9 digits. -EINVAL. */
int clock_parse(struct str text, uint64_t *wall_ns);
