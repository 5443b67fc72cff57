/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: the text format that Prometheus reads (version 0.0.4), written family by family. Pure.
 *
 *     page_family(page, "queue_contacts", PAGE_GAUGE, "contacts in the queue");
 *     page_value(page, 3, "queue", "Returns", NULL);
 *
 * gives   # HELP cordboard_queue_contacts contacts in the queue
 *         # TYPE cordboard_queue_contacts gauge
 *         cordboard_queue_contacts{queue="Returns"} 3
 */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include <stdint.h>
#include <stdio.h>

enum page_kind { PAGE_COUNTER, PAGE_GAUGE, PAGE_HISTOGRAM };

struct page {
	FILE *to;
	char name[128]; /* of the family that is being written */
};

/* `name` without `cordboard_`; a counter's ends with `_total`. */
void page_family(struct page *page, const char *name, enum page_kind kind, const char *help);
/* Pairs of label and value, ends with NULL. */
__attribute__((sentinel)) void page_value(struct page *page, double value, ...);
struct page_label {
	const char *name, *value;
};

/* Of n + 1 buckets, not summed up, the last beyond all bounds; a bound counts `unit`. */
struct page_buckets {
	const uint32_t *bounds;
	double unit;
	const uint64_t *counts;
	unsigned n;
	double sum;
};

/* One histogram of the family, of one label at least. */
void page_histogram(struct page *page, const struct page_label *labels, unsigned n_labels,
	const struct page_buckets *buckets);

#endif
