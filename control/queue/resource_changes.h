/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource_changes: what was changed over the admin socket, laid over what the files say; inside of
 * resource_files, which has the shape of the document.
 *
 * A row of quick-connects.yaml whose id is among the changed rows or the removed ids is judged like
 * any other and then found by nothing; queues that name it mean the changed row, or nobody. Notes
 * say at the file's place what does not count and why.
 */
#ifndef RESOURCE_CHANGES_H
#define RESOURCE_CHANGES_H

#include "base/map.h"
#include "queue/resource_read.h"

struct resource_changes {
	const struct yml_node *rows, *removed, *attached, *detached; /* sequences, or NULL */
	struct map changed_ids, removed_ids;
	struct map replaced; /* ids, to the places of the files' rows */
	struct map names;    /* of the files' rows that do not count, to their ids */
};

void resource_changes_init(struct resource_changes *changes);
void resource_changes_clear(struct resource_changes *changes);

/* Takes the document in; what is wrong with its shape is reported. */
void resource_changes_read(struct resource_reader *reader, const struct yml_doc *doc);

/* Whether a row of the files does not count, from now on by its name neither. */
bool resource_changes_replace(struct resource_reader *reader, const struct resource *row);

/* The place of the files' row that a changed row stands for; NULL: it is a new one. */
const char *resource_changes_place(const struct resource_changes *changes, const char *id);

/* What a quick connect named in a queue's list is found by; NULL: it was removed. */
const char *resource_changes_reference(const struct resource_changes *changes, const char *text);

/* How many quick connects may join a queue's list. */
size_t resource_changes_attached(
	const struct resource_changes *changes, const struct resource_queue *queue);

/* Takes those that were detached out of a queue's list and puts in those that were attached; there
 * is room. The new count. */
uint32_t resource_changes_attach(struct resource_reader *reader, const struct resource_queue *queue,
	const struct resource_quick_connect **rows, uint32_t count);

/* Warns of queues that are gone. */
void resource_changes_finish(struct resource_reader *reader);

#endif
