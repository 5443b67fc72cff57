/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telephone numbers: dialled digits to E.164, what may be dialled at all, which trunks carry it,
 * and which flow an inbound number starts.
 *
 *     number_plan:
 *       country_code: "1"             # default: none, then only international forms are understood
 *       national_prefix: "1"          # dialled before a national number; default: none
 *       international_prefix: "011"   # default "00"
 *       bare_numbers: national        # without any prefix: refuse (default), national,
 * international allow: ["+1202", "+44"]       # nothing may be dialled that is not listed here
 *       deny: ["+1900"]               # the longer match of allow and deny decides, deny on a tie
 *       routes:                       # longest match; trunks in the order in which they are tried
 *         - prefix: "+1"
 *           trunks: [carrier, backup]
 *     numbers:
 *       - number: "+12025550100"
 *         flow: Main line             # name, id or ARN of a flow
 *         trunk: carrier              # only from this trunk; default: any
 *
 * The empty plan lets nothing be dialled (toll fraud). Immutable once loaded.
 */
#pragma once

#include "base/yaml.h"
#include "sip/trunk.h"

#define NUMBER_SIZE              17 /* '+', 15 digits (E.164), NUL */
#define NUMBER_PLAN_PREFIXES_MAX 4096
#define NUMBER_PLAN_ROUTES_MAX   1024
#define NUMBER_PLAN_NUMBERS_MAX  20000
#define NUMBER_PLAN_TRUNKS_MAX   8 /* of one route */
#define NUMBER_PLAN_TEXT_MAX     400

struct number_plan;

/*
 * Loads the sections number_plan and numbers of the root of cordboard.yaml, either of which may be
 * NULL. Routes and numbers must name trunks of the set. What is wrong goes to the report, each with
 * file, line and what was expected; then -EINVAL and *out is untouched.
 */
int number_plan_load(const struct yml_node *plan, const struct yml_node *numbers,
	const struct trunk_set *trunks, struct report *report, struct number_plan **out);
void number_plan_free(struct number_plan *plan);

/*
 * What was dialled or delivered, as E.164. Spaces and "-.()/" are skipped. -EINVAL when it is no
 * number of this plan.
 */
int number_plan_normalise(
	const struct number_plan *plan, struct str dialled, char number[NUMBER_SIZE]);

/* May this E.164 number be dialled? */
bool number_plan_allows(const struct number_plan *plan, const char *number);

/*
 * The trunks that carry an E.164 number, in the order of trial: fills up to
 * NUMBER_PLAN_TRUNKS_MAX indices into the set and returns how many; -EACCES when it may not be
 * dialled, -ENOENT without a route.
 */
int number_plan_route(const struct number_plan *plan, const char *number,
	unsigned trunks[NUMBER_PLAN_TRUNKS_MAX]);

/* Where an inbound E.164 number leads. */
struct number_entry {
	char number[NUMBER_SIZE];
	const char *flow; /* as written: name, id or ARN */
	int trunk;        /* index into the set, -1: any */
	unsigned line;    /* of the file, for messages of those who look the flow up */
};

/* NULL when the number is not ours, or not from this trunk. */
const struct number_entry *number_plan_inbound(
	const struct number_plan *plan, const char *number, unsigned trunk);

/* All inbound numbers, sorted. */
size_t number_plan_count(const struct number_plan *plan);
const struct number_entry *number_plan_at(const struct number_plan *plan, size_t index);
bool number_plan_is_ours(const struct number_plan *plan, const char *number);
