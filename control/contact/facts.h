/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts: what flows may ask about a contact and the instance around it: the values behind JSONPaths
 * (flows/language.md section 3), which queue is meant, whether it is open, its figures.
 */
#ifndef CONTACT_FACTS_H
#define CONTACT_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "contact/contact.h"

enum { METRIC_VALUES_MAX = 12, METRIC_TEXT_SIZE = 256 };

/* The fact's text, in the contact, the instance or `buffer`; NULL: it has none. */
const char *facts_of_contact(const struct contact *contact, enum flow_type role, const char *name,
	char *buffer, size_t size);

/* The queue that a flow means; none named: the contact's target queue. ROUTER_NONE: no such. */
uint32_t facts_target_queue(const struct contact *contact, const struct flow_target *target);

/* 1 open, 0 closed, -ENOENT: no such hours, or the queue has none. Empty: of the target queue. */
int facts_hours_open(const struct contact *contact, const char *reference, const char *name);

/* -ENOENT: no such queue. */
int facts_metric(const struct contact *contact, uint32_t queue, enum flow_metric metric,
	uint64_t now_ns, int64_t *number);

/* All figures as attributes: how many, or -ENOENT. The texts hold the values. */
int facts_metrics(const struct contact *contact, uint32_t queue, uint64_t now_ns,
	struct attribute values[METRIC_VALUES_MAX], char texts[][METRIC_TEXT_SIZE]);

#endif
