/* SPDX-License-Identifier: Apache-2.0 */
/* legacy.h: what the files that read the legacy console export share. */
#pragma once

#include "flow/draft.h"

/* The figure of a CheckQueueStatus that looks at time. */
#define LEGACY_QUEUE_AGE "OldestContactInQueueAgeSeconds"

/* The text of a member; "" when it is missing or no text. Takes NULL. */
const char *legacy_text(const json_t *object, const char *name);

/* Reads the branches of a module; its parameters are known. */
void legacy_branches(struct flow_draft *draft, struct flow_action *action, const json_t *object);
