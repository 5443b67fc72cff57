/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/number_plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define E164_DIGITS_MAX 15
#define E164_DIGITS_MIN 5
#define DIALLED_MAX     32 /* digits with all prefixes */
#define PREFIX_SIZE     8  /* of national and international prefix, with the NUL */

enum bare {
	BARE_REFUSE,
	BARE_NATIONAL,
	BARE_INTERNATIONAL,
};

struct prefix {
	char digits[NUMBER_SIZE]; /* "+1202"; "+" is everything */
	bool allow;
};

struct route {
	char digits[NUMBER_SIZE];
	unsigned trunks[NUMBER_PLAN_TRUNKS_MAX];
	unsigned trunk_count;
};

struct number_plan {
	char country_code[4];
	char national_prefix[PREFIX_SIZE], international_prefix[PREFIX_SIZE];
	int bare; /* enum bare */
	size_t prefix_count, route_count, number_count;
	struct prefix *prefixes;
	struct route *routes;
	struct number_entry *numbers; /* sorted */
	char **texts;                 /* of the flows, one each */
};

struct load {
	struct report *report;
	struct number_plan *plan;
	const struct trunk_set *trunks;
	bool failed;
};

__attribute__((format(printf, 3, 4))) static void wrong(
	struct load *load, const struct yml_node *node, const char *format, ...)
{
	char text[REPORT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	yml_report(load->report, node, REPORT_ERROR, "%s", text);
	load->failed = true;
}

static bool all_digits(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
	return true;
}

/* '+' and min to 15 digits. */
static bool is_e164(struct str text, size_t min)
{
	return text.n >= min + 1 && text.n <= E164_DIGITS_MAX + 1 && text.p[0] == '+' &&
	       (text.n == 1 || text.p[1] != '0') && all_digits(str_skip(text, 1));
}

/* ---- loading ---- */

static void load_digits(
	struct load *load, const struct yml_node *node, const char *key, char *out, size_t size)
{
	const char *text;
	int rc = yml_read_string(load->report, node, key, YML_OPTIONAL, size - 1, &text);

	if (rc == -ENOENT)
		return;
	if (rc < 0)
		load->failed = true;
	else if (!all_digits(str_from(text)))
		wrong(load, yml_get(node, key), "expected digits only, found '%s'", text);
	else
		str_copy(str_from(text), out, size);
}

static bool load_prefix_text(struct load *load, const struct yml_node *node, char out[NUMBER_SIZE])
{
	struct str text = yml_str(node);

	if (yml_kind(node) != YML_SCALAR || !is_e164(text, 0)) {
		wrong(load, node, "expected a prefix like \"+1202\", in quotes, found '%s'",
			yml_text(node));
		return false;
	}
	str_copy(text, out, NUMBER_SIZE);
	return true;
}

static const struct yml_node *load_sequence(
	struct load *load, const struct yml_node *node, const char *key, size_t max)
{
	const struct yml_node *list;
	int rc = yml_read_sequence(load->report, node, key, YML_OPTIONAL, &list);

	if (rc == -ENOENT)
		return NULL;
	if (rc < 0) {
		load->failed = true;
		return NULL;
	}
	if (yml_size(list) > max) {
		wrong(load, list, "expected at most %zu entries, found %zu", max, yml_size(list));
		return NULL;
	}
	return list;
}

static int load_prefixes(struct load *load, const struct yml_node *node)
{
	struct number_plan *plan = load->plan;
	const struct yml_node *lists[2] = {
		load_sequence(load, node, "allow", NUMBER_PLAN_PREFIXES_MAX),
		load_sequence(load, node, "deny", NUMBER_PLAN_PREFIXES_MAX)};
	size_t total = yml_size(lists[0]) + yml_size(lists[1]);

	plan->prefixes = calloc(total + 1, sizeof(*plan->prefixes));
	if (!plan->prefixes)
		return -ENOMEM;
	for (int deny = 0; deny < 2; deny++)
		for (size_t i = 0; i < yml_size(lists[deny]); i++) {
			struct prefix *prefix = &plan->prefixes[plan->prefix_count];

			if (!load_prefix_text(load, yml_at(lists[deny], i), prefix->digits))
				continue;
			prefix->allow = !deny;
			plan->prefix_count++;
		}
	return 0;
}

static void load_route_trunks(struct load *load, const struct yml_node *node, struct route *route)
{
	const struct yml_node *list = load_sequence(load, node, "trunks", NUMBER_PLAN_TRUNKS_MAX);

	if (yml_size(list) == 0)
		wrong(load, node, "expected trunks: a list of one or more names");
	for (size_t i = 0; i < yml_size(list); i++) {
		const struct yml_node *name = yml_at(list, i);
		int trunk = trunk_find(load->trunks, yml_str(name));

		if (trunk < 0)
			wrong(load, name, "expected the name of a trunk, found '%s'",
				yml_text(name));
		else
			route->trunks[route->trunk_count++] = (unsigned)trunk;
	}
}

static void load_route(struct load *load, const struct yml_node *node)
{
	static const char *const keys[] = {"prefix", "trunks", NULL};
	struct number_plan *plan = load->plan;
	struct route route = {0};

	if (yml_expect(load->report, node, YML_MAPPING) < 0 ||
		yml_only_keys(load->report, node, keys) < 0) {
		load->failed = true;
		return;
	}
	if (!yml_get(node, "prefix")) {
		wrong(load, node, "expected prefix: like \"+1\"");
		return;
	}
	if (!load_prefix_text(load, yml_get(node, "prefix"), route.digits))
		return;
	for (size_t i = 0; i < plan->route_count; i++)
		if (strcmp(plan->routes[i].digits, route.digits) == 0)
			wrong(load, yml_get(node, "prefix"),
				"expected each prefix once, '%s' stands twice", route.digits);
	load_route_trunks(load, node, &route);
	plan->routes[plan->route_count++] = route;
}

static int load_routes(struct load *load, const struct yml_node *node)
{
	const struct yml_node *list = load_sequence(load, node, "routes", NUMBER_PLAN_ROUTES_MAX);

	load->plan->routes = calloc(yml_size(list) + 1, sizeof(*load->plan->routes));
	if (!load->plan->routes)
		return -ENOMEM;
	for (size_t i = 0; i < yml_size(list); i++)
		load_route(load, yml_at(list, i));
	return 0;
}

static int load_plan(struct load *load, const struct yml_node *node)
{
	static const char *const keys[] = {"country_code", "national_prefix",
		"international_prefix", "bare_numbers", "allow", "deny", "routes", NULL};
	static const char *const bare[] = {"refuse", "national", "international", NULL};
	struct number_plan *plan = load->plan;
	int rc;

	str_copy(STR("00"), plan->international_prefix, sizeof(plan->international_prefix));
	if (yml_kind(node) != YML_NULL && (yml_expect(load->report, node, YML_MAPPING) < 0 ||
						  yml_only_keys(load->report, node, keys) < 0))
		return -EINVAL;
	load_digits(load, node, "country_code", plan->country_code, sizeof(plan->country_code));
	load_digits(load, node, "national_prefix", plan->national_prefix,
		sizeof(plan->national_prefix));
	load_digits(load, node, "international_prefix", plan->international_prefix,
		sizeof(plan->international_prefix));
	rc = yml_read_choice(load->report, node, "bare_numbers", YML_OPTIONAL, bare, &plan->bare);
	if (rc < 0 && rc != -ENOENT)
		load->failed = true;
	if (!plan->country_code[0] && (plan->national_prefix[0] || plan->bare == BARE_NATIONAL))
		wrong(load, node, "expected country_code for national numbers");
	rc = load_prefixes(load, node);
	return rc < 0 ? rc : load_routes(load, node);
}

static void load_number_trunk(
	struct load *load, const struct yml_node *node, struct number_entry *entry)
{
	const char *name;
	int rc = yml_read_string(
		load->report, node, "trunk", YML_OPTIONAL, TRUNK_NAME_SIZE - 1, &name);

	entry->trunk = -1;
	if (rc == -ENOENT)
		return;
	if (rc == 0)
		entry->trunk = trunk_find(load->trunks, str_from(name));
	if (rc < 0)
		load->failed = true;
	else if (entry->trunk < 0)
		wrong(load, yml_get(node, "trunk"), "expected the name of a trunk, found '%s'",
			name);
}

static int load_number(struct load *load, const struct yml_node *node)
{
	static const char *const keys[] = {"number", "flow", "trunk", NULL};
	struct number_plan *plan = load->plan;
	struct number_entry *entry = &plan->numbers[plan->number_count];
	const char *number, *flow;
	char *copy;

	if (yml_expect(load->report, node, YML_MAPPING) < 0 ||
		yml_only_keys(load->report, node, keys) < 0 ||
		yml_read_string(load->report, node, "number", YML_REQUIRED, NUMBER_PLAN_TEXT_MAX,
			&number) < 0 ||
		yml_read_string(load->report, node, "flow", YML_REQUIRED, NUMBER_PLAN_TEXT_MAX,
			&flow) < 0) {
		load->failed = true;
		return 0;
	}
	if (!is_e164(str_from(number), E164_DIGITS_MIN)) {
		wrong(load, yml_get(node, "number"),
			"expected an E.164 number like \"+12025550100\", in quotes, found '%s'",
			number);
		return 0;
	}
	copy = strdup(flow);
	if (!copy)
		return -ENOMEM;
	*entry = (struct number_entry){.flow = copy, .line = yml_line(node)};
	str_copy(str_from(number), entry->number, sizeof(entry->number));
	load_number_trunk(load, node, entry);
	plan->texts[plan->number_count++] = copy;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	return strcmp(
		((const struct number_entry *)a)->number, ((const struct number_entry *)b)->number);
}

static int load_numbers(struct load *load, const struct yml_node *node)
{
	struct number_plan *plan = load->plan;
	int rc = 0;

	if (yml_kind(node) != YML_NULL && yml_expect(load->report, node, YML_SEQUENCE) < 0)
		return -EINVAL;
	if (yml_size(node) > NUMBER_PLAN_NUMBERS_MAX) {
		wrong(load, node, "expected at most %d numbers", NUMBER_PLAN_NUMBERS_MAX);
		return -EINVAL;
	}
	plan->numbers = calloc(yml_size(node) + 1, sizeof(*plan->numbers));
	plan->texts = calloc(yml_size(node) + 1, sizeof(*plan->texts));
	if (!plan->numbers || !plan->texts)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < yml_size(node); i++)
		rc = load_number(load, yml_at(node, i));
	qsort(plan->numbers, plan->number_count, sizeof(*plan->numbers), compare_numbers);
	for (size_t i = 1; i < plan->number_count; i++)
		if (compare_numbers(&plan->numbers[i - 1], &plan->numbers[i]) == 0)
			wrong(load, node, "expected each number once, %s stands twice",
				plan->numbers[i].number);
	return rc;
}

int number_plan_load(const struct yml_node *plan, const struct yml_node *numbers,
	const struct trunk_set *trunks, struct report *report, struct number_plan **out)
{
	struct load load = {.report = report, .trunks = trunks};
	int rc, rc_numbers;

	load.plan = calloc(1, sizeof(*load.plan));
	if (!load.plan)
		return -ENOMEM;
	rc = load_plan(&load, plan);
	rc_numbers = load_numbers(&load, numbers);
	if (rc == 0)
		rc = rc_numbers;
	if (rc == 0 && load.failed)
		rc = -EINVAL;
	if (rc == 0)
		*out = load.plan;
	else
		number_plan_free(load.plan);
	return rc;
}

void number_plan_free(struct number_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->number_count; i++)
		free(plan->texts[i]);
	free(plan->texts);
	free(plan->numbers);
	free(plan->routes);
	free(plan->prefixes);
	free(plan);
}

/* ---- numbers ---- */

/* Digits with an optional '+' in front, without separators. Empty when there is anything else. */
static struct str strip(struct str dialled, char out[DIALLED_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < dialled.n; i++) {
		char c = dialled.p[i];

		if (c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/')
			continue;
		if (n == DIALLED_MAX || !((c >= '0' && c <= '9') || (c == '+' && n == 0)))
			return STR_NULL;
		out[n++] = c;
	}
	return str_make(out, n);
}

static bool takes_prefix(struct str *digits, const char *prefix)
{
	struct str p = str_from(prefix);

	if (p.n == 0 || !str_starts(*digits, p))
		return false;
	*digits = str_skip(*digits, p.n);
	return true;
}

static int join(const char *country_code, struct str digits, char number[NUMBER_SIZE])
{
	char text[DIALLED_MAX + 8];
	int n = snprintf(text, sizeof(text), "+%s%.*s", country_code, STR_ARG(digits));
	struct str joined = str_make(text, (size_t)n);

	if (!is_e164(joined, E164_DIGITS_MIN))
		return -EINVAL;
	return str_copy(joined, number, NUMBER_SIZE);
}

int number_plan_normalise(
	const struct number_plan *plan, struct str dialled, char number[NUMBER_SIZE])
{
	char buffer[DIALLED_MAX + 1];
	struct str digits = strip(dialled, buffer);

	if (digits.n == 0)
		return -EINVAL;
	if (takes_prefix(&digits, "+") || takes_prefix(&digits, plan->international_prefix))
		return join("", digits, number);
	if (takes_prefix(&digits, plan->national_prefix))
		return join(plan->country_code, digits, number);
	if (plan->bare == BARE_NATIONAL)
		return join(plan->country_code, digits, number);
	if (plan->bare == BARE_INTERNATIONAL)
		return join("", digits, number);
	return -EINVAL;
}

bool number_plan_allows(const struct number_plan *plan, const char *number)
{
	struct str wanted = str_from(number);
	size_t longest = 0;
	bool allowed = false;

	for (size_t i = 0; i < plan->prefix_count; i++) {
		struct str prefix = str_from(plan->prefixes[i].digits);

		if (prefix.n < longest || !str_starts(wanted, prefix))
			continue;
		allowed = prefix.n == longest ? allowed && plan->prefixes[i].allow
					      : plan->prefixes[i].allow;
		longest = prefix.n;
	}
	return allowed;
}

int number_plan_route(
	const struct number_plan *plan, const char *number, unsigned trunks[NUMBER_PLAN_TRUNKS_MAX])
{
	const struct route *best = NULL;
	size_t longest = 0;

	if (!number_plan_allows(plan, number))
		return -EACCES;
	for (size_t i = 0; i < plan->route_count; i++) {
		struct str prefix = str_from(plan->routes[i].digits);

		if (prefix.n <= longest || !str_starts(str_from(number), prefix))
			continue;
		best = &plan->routes[i];
		longest = prefix.n;
	}
	if (!best)
		return -ENOENT;
	memcpy(trunks, best->trunks, best->trunk_count * sizeof(*trunks));
	return (int)best->trunk_count;
}

static const struct number_entry *find_number(const struct number_plan *plan, const char *number)
{
	struct number_entry key = {0};

	if (str_copy(str_from(number), key.number, sizeof(key.number)) < 0)
		return NULL;
	return bsearch(&key, plan->numbers, plan->number_count, sizeof(key), compare_numbers);
}

const struct number_entry *number_plan_inbound(
	const struct number_plan *plan, const char *number, unsigned trunk)
{
	const struct number_entry *entry = find_number(plan, number);

	return entry && (entry->trunk < 0 || (unsigned)entry->trunk == trunk) ? entry : NULL;
}

size_t number_plan_count(const struct number_plan *plan)
{
	return plan->number_count;
}

const struct number_entry *number_plan_at(const struct number_plan *plan, size_t index)
{
	return index < plan->number_count ? &plan->numbers[index] : NULL;
}

bool number_plan_is_ours(const struct number_plan *plan, const char *number)
{
	return find_number(plan, number);
}
