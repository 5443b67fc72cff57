/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_catalog: the flows of an instance, found by id, ARN or name.
 *
 * `flows/` of the instance directory holds one flow in each `*.json`, as it was exported. Name and
 * type come from the file's metadata, else the name from the file's. `flows.yaml` may say more
 * about a file that lacks it:
 *
 *     flows:
 *       - file: 0x-returns.json    # below flows/
 *         name: Returns
 *         type: contactFlow
 *         id: c9f3a1d2-7e44-4b0a-9d6b-3b8f2f6f7a10
 *
 * Without an id it is derived from the name, so that it stays the same. A flow whose metadata says
 * `saved` is a draft: it is checked and listed, never found by flow_catalog_find() (R5).
 */
#ifndef CONTACT_FLOW_CATALOG_H
#define CONTACT_FLOW_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/report.h"
#include "flow/checker.h"
#include "flow/model.h"

#define FLOW_CATALOG_MAX 2000u

struct flow_catalog {
	struct flow **flows; /* in order of their file names */
	size_t n;
	struct map by_id;
	struct map by_name;
};

/* Reads all of `directory`/flows. `instance_arn` is the prefix of ARNs. 0, -EINVAL with everything
 * reported, -ENOMEM. A catalog that failed is empty. */
int flow_catalog_load(struct flow_catalog *catalog, const char *directory, const char *instance_arn,
	struct report *report);
void flow_catalog_clear(struct flow_catalog *catalog);

/* By id, ARN or name; NULL when there is none or it was never published. Borrowed. */
struct flow *flow_catalog_find(const struct flow_catalog *catalog, const char *reference);
/* The same, drafts included. */
struct flow *flow_catalog_find_any(const struct flow_catalog *catalog, const char *reference);

#endif
