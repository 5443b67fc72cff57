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
 * Without an id it is derived from the name, so that it stays the same.
 *
 * Published and draft (R5). A file is published by being loaded. One whose metadata says `saved` is
 * a draft of the flow with its id: it is checked and listed, and calls keep getting the version
 * published last, which may be none:
 *
 *     file                       in force before     calls run            draft
 *     published                  -                   the file             none
 *     saved                      nothing             nothing              the file
 *     saved                      another version     the other version    the file
 *     saved                      the same bytes      the file             none (flow.publish did it)
 *
 * "In force before" is what the instance before a reload ran, and at start the copy that
 * flow_publish.c keeps in `instance.d/flows/`. A flow without a file below flows/ is gone.
 */
#ifndef CONTACT_FLOW_CATALOG_H
#define CONTACT_FLOW_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/report.h"
#include "flow/checker.h"
#include "flow/model.h"

#define FLOW_CATALOG_MAX   2000u
#define FLOW_KEPT_FOLDER   "instance.d/flows"
#define FLOW_KEPT_NAME_MAX 80u

struct flow_entry {
	struct flow *published; /* what calls run; NULL: never published */
	struct flow *draft;     /* what flow.publish would put in force; NULL: nothing */
	uint64_t published_hash, draft_hash; /* of the bytes */
	/* Of the draft, else of the published version until flow_publish.c has kept it, else NULL. */
	char *text;
	size_t text_n;
};

struct flow_catalog {
	struct flow_entry *entries; /* in order of their file names */
	size_t n;
	struct map by_id;
	struct map by_name;
};

/*
 * Reads all of `directory`/flows. `instance_arn` is the prefix of ARNs; `previous` is what runs now,
 * or NULL at start. 0, -EINVAL with everything reported, -ENOMEM. A catalog that failed is empty.
 */
int flow_catalog_load(struct flow_catalog *catalog, const char *directory, const char *instance_arn,
	const struct flow_catalog *previous, struct report *report);
void flow_catalog_clear(struct flow_catalog *catalog);

/* By id, ARN or name; NULL. Borrowed. */
struct flow_entry *flow_catalog_entry(const struct flow_catalog *catalog, const char *reference);
/* The published version; NULL when there is none. Borrowed. */
struct flow *flow_catalog_find(const struct flow_catalog *catalog, const char *reference);
/* The version that calls run, else the draft. */
struct flow *flow_entry_flow(const struct flow_entry *entry);

/* Puts an entry's draft in force. Runs that are in the old version stay in it. -ENOMEM. */
int flow_catalog_publish(struct flow_catalog *catalog, struct flow_entry *entry);

/* The name in `instance.d/flows/` of the version published last of the flow with this id. */
void flow_kept_name(const char *id, char name[FLOW_KEPT_NAME_MAX]);

#endif
