/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK telemetry commands: /cordboard/counters, /cordboard/workers, /cordboard/ports,
 * /cordboard/port,SLOT, /cordboard/rooms. They read what the workers publish, on a thread of their
 * own, and never touch a worker.
 */
#ifndef DATAPLANE_TELEMETRY_H
#define DATAPLANE_TELEMETRY_H

#include "dataplane.h"

/* Registers the commands; dp must outlive the EAL. */
int telemetry_register(struct dataplane *dp);

#endif
