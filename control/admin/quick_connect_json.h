/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quick_connect_json: a quick connect as a resource, in the documented shape (R14), and what a call
 * wants one to be, in that shape or in plain words. Pure.
 *
 *     {"QuickConnectId", "QuickConnectARN", "Name", "Description",
 *      "QuickConnectConfig": {"QuickConnectType": "USER" | "QUEUE" | "PHONE_NUMBER",
 *        "UserConfig": {"UserId", "ContactFlowId"} | "QueueConfig": {"QueueId", "ContactFlowId"} |
 *        "PhoneConfig": {"PhoneNumber"}}}
 *
 *     {"name", "description", "type": "agent" | "queue" | "external", "destination", "flow"}
 */
#ifndef ADMIN_QUICK_CONNECT_JSON_H
#define ADMIN_QUICK_CONNECT_JSON_H

#include <jansson.h>

#include "queue/resources.h"

#define QUICK_CONNECT_WHY_SIZE 200

/* Borrowed; NULL: not said. */
struct quick_connect_wanted {
	const char *name, *description;
	const char *type;        /* as in the plain words */
	const char *destination; /* a user, a queue or a number, as the type has it */
	const char *flow;
};

/* New. `flow_id` is of the flow that the row names (NULL for an external one). */
json_t *quick_connect_json(const struct resource_quick_connect *row, const char *flow_id);

/* Reads the parameters, in either shape and each value once. -EINVAL: `member` is the one, `why`
 * what was expected. */
int quick_connect_read(const json_t *params, struct quick_connect_wanted *wanted,
	const char **member, char why[QUICK_CONNECT_WHY_SIZE]);

/* What is not said is as it is: all of it, but destination and flow only where the type stays. */
void quick_connect_inherit(
	struct quick_connect_wanted *wanted, const struct resource_quick_connect *row);

/* Whether all is said that the type needs, and no more (R7 to R10). As quick_connect_read(). */
int quick_connect_judge(const struct quick_connect_wanted *wanted, const char **member,
	char why[QUICK_CONNECT_WHY_SIZE]);

/* The row of the instance's files that says it; new. References are as they come. */
json_t *quick_connect_row(const struct quick_connect_wanted *wanted, const char *id);

#endif
