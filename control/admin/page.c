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

static void put_labels(struct page *page, const char *suffix, const struct page_label *labels,
	unsigned n_labels, const char *bound)
{
	char before = '{';

	fprintf(page->to, "%s%s", page->name, suffix);
	for (unsigned i = 0; i < n_labels; i++) {
		put_label(page->to, before, labels[i].name, labels[i].value);
		before = ',';
	}
	if (bound)
		put_label(page->to, before, "le", bound);
	fputc('}', page->to);
}

void page_histogram(struct page *page, const struct page_label *labels, unsigned n_labels,
	const struct page_buckets *b)
{
	uint64_t total = 0;
	char bound[32];

	for (unsigned i = 0; i < b->n; i++) {
		total += b->counts[i];
		snprintf(bound, sizeof(bound), "%.6g", b->bounds[i] * b->unit);
		put_labels(page, "_bucket", labels, n_labels, bound);
		fprintf(page->to, " %" PRIu64 "\n", total);
	}
	total += b->counts[b->n];
	put_labels(page, "_bucket", labels, n_labels, "+Inf");
	fprintf(page->to, " %" PRIu64 "\n", total);
	put_labels(page, "_sum", labels, n_labels, NULL);
	put_number(page->to, b->sum);
	put_labels(page, "_count", labels, n_labels, NULL);
	fprintf(page->to, " %" PRIu64 "\n", total);
}
