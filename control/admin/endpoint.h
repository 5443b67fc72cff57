/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint: a quick connect as agents' desktops see it, and as a blind transfer sends it back
 * (R118): one object, both directions. Pure.
 *
 *     {"endpointARN": "…/transfer-destination/ID", "endpointId": the same,
 *      "type": "agent" | "queue" | "phone_number", "name": …,
 *      "phoneNumber": … , "agentLogin": … , "queue": …}      null where it does not apply
 *
 * Desktops differ in how they spell the members: they are compared without case, and written as
 * above. Unknown members are ignored (R119).
 */
#ifndef ADMIN_ENDPOINT_H
#define ADMIN_ENDPOINT_H

#include <jansson.h>

#include "queue/resources.h"

#define ENDPOINT_WHY_SIZE 400

/* An object that was read. Borrowed from the JSON; NULL: absent or null. */
struct endpoint {
	const char *arn, *id, *type, *name; /* always there */
	const char *phone_number, *agent_login, *queue;
};

/* New; NULL without memory. */
json_t *endpoint_json(const struct resource_quick_connect *quick_connect);
/* 0; or -EINVAL and `why` names the member and what was expected. */
int endpoint_read(const json_t *object, struct endpoint *endpoint, char why[ENDPOINT_WHY_SIZE]);
/*
 * The quick connect that the ARN names. NULL: there is none, or another member contradicts it
 * (R119), and `why` says which. The name is for people: it may have changed meanwhile.
 */
const struct resource_quick_connect *endpoint_find(const struct resources *resources,
	const struct endpoint *endpoint, char why[ENDPOINT_WHY_SIZE]);

#endif
