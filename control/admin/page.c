/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>

void page_family(struct page *page, const char *name, enum page_kind kind, const char *help)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	snprintf(page->name, sizeof(page->name), "cordboard_%s", name);
	fprintf(page->to, "# HELP %s %s\n# TYPE %s %s\n", page->name, help, page->name,
		kinds[kind]);
}

static void put_label(FILE *to, char before, const char *label, const char *value)
{
	fprintf(to, "%c%s=\"", before, label);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", to);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', to);
		fputc(*value, to);
	}
	fputc('"', to);
}

static void put_number(FILE *to, double value)
{
	if (value == floor(value) && fabs(value) < 9007199254740992.0)
		fprintf(to, " %.0f\n", value);
	else
		fprintf(to, " %.9g\n", value);
}

void page_value(struct page *page, double value, ...)
{
	char before = '{';
	const char *label;
	va_list args;

	fputs(page->name, page->to);
	va_start(args, value);
	while ((label = va_arg(args, const char *))) {
		put_label(page->to, before, label, va_arg(args, const char *));
		before = ',';
	}
	va_end(args);
	if (before == ',')
		fputc('}', page->to);
	put_number(page->to, value);
}

static void put_bucket(const struct page *page, const char *label, const char *label_value,
	const char *bound, uint64_t count)
{
	fprintf(page->to, "%s_bucket", page->name);
	put_label(page->to, '{', label, label_value);
	put_label(page->to, ',', "le", bound);
	fprintf(page->to, "} %" PRIu64 "\n", count);
}

void page_histogram(struct page *page, const char *label, const char *label_value,
	const uint32_t *bounds, const uint64_t *counts, unsigned n, double sum)
{
	uint64_t total = 0;
	char bound[16];

	for (unsigned i = 0; i < n; i++) {
		total += counts[i];
		snprintf(bound, sizeof(bound), "%u", bounds[i]);
		put_bucket(page, label, label_value, bound, total);
	}
	total += counts[n];
	put_bucket(page, label, label_value, "+Inf", total);
	fprintf(page->to, "%s_sum", page->name);
	put_label(page->to, '{', label, label_value);
	fputc('}', page->to);
	put_number(page->to, sum);
	fprintf(page->to, "%s_count", page->name);
	put_label(page->to, '{', label, label_value);
	fprintf(page->to, "} %" PRIu64 "\n", total);
}
