/* SPDX-License-Identifier: Apache-2.0 */
/* service_check: services.yaml against the flow language, and flows against services.yaml. */
#ifndef CONTACT_SERVICE_CHECK_H
#define CONTACT_SERVICE_CHECK_H

#include "base/report.h"
#include "contact/flow_catalog.h"
#include "service/service_set.h"

/* Types of services: each an action that a service may answer. */
void service_check_types(const struct service_set *set, struct report *report);
/* A warning for each action that invokes a fixed function which has no row. */
void service_check_flow(
	const struct service_set *set, const struct flow *flow, struct report *report);

#endif
