/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the shared segment (cordboard/segment.h): a memfd, laid out, published, sealed.
 */
#ifndef DATAPLANE_SEGMENT_H
#define DATAPLANE_SEGMENT_H

#include "dataplane.h"

/* By dp->config. Fills segment, segment_bytes, segment_fd, wake_fd and the status arrays. */
int segment_create(struct dataplane *dp);
void segment_destroy(struct dataplane *dp);

/*
 * Makes the rings of a worker that met a fault consistent again: nothing in them. Only while the
 * worker keeps off (WORKER_RINGS_FAULT) and no control is attached.
 */
void segment_rings_repair(struct dataplane *dp, uint32_t worker);

#endif
