/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_publish: puts drafts in force and keeps what is in force over restarts (R5).
 *
 *     load or reload --> flow_publish_keep_*(): `instance.d/flows/ID.json` holds, byte for byte, the
 *                        version in force of every flow; flows that are gone are removed there
 *     flow.publish   --> flow_publish(): judged, kept, and then in force for every start from now on
 *
 * The copies are what a start finds when a file has become a draft meanwhile (flow_catalog.h).
 * Files are replaced in one step and synced. A directory that cannot be written keeps nothing: that
 * is logged, and a draft is published by writing `published` into its metadata and a reload.
 */
#ifndef CONTACT_FLOW_PUBLISH_H
#define CONTACT_FLOW_PUBLISH_H

#include "base/offload.h"
#include "contact/instance.h"

#define FLOW_PUBLISH_WHY_SIZE 1300

/* Before the loop runs: blocks. */
void flow_publish_keep_now(struct instance *instance);
/* After a reload: on the offload thread. */
void flow_publish_keep_later(struct instance *instance, struct offload *offload);

/*
 * Publishes the draft of a flow, by id, ARN or name. `done` is called once, later, with 0 or a
 * negative errno and the reason; `instance` must stay until then (instance->changing). At once:
 * -ENOENT no such flow, -EALREADY no draft of it, -EBUSY another change is under way, -EINVAL the
 * instance would not be good with it, -ENOBUFS; with the reason in `why`.
 */
int flow_publish(struct instance *instance, const struct config *config, struct offload *offload,
	const char *reference, void (*done)(void *ctx, int rc, const char *why), void *ctx,
	char why[FLOW_PUBLISH_WHY_SIZE]);

#endif
