/* SPDX-License-Identifier: Apache-2.0 */
/* desk: what the verbs of desk*.c share. Each refuses with a negative errno and a text. */
#ifndef CONTACT_DESK_H
#define CONTACT_DESK_H

#include "contact/switchboard.h"

/* `error`, with the text as the reason. */
int desk_refuse(char why[DESK_WHY_SIZE], int error, const char *text);
/* By name, id or ARN. */
int desk_find_agent(const struct switchboard *board, const char *name,
	struct agent_snapshot *snapshot, char why[DESK_WHY_SIZE]);
/* The contact in the agent's slot; `id` (may be NULL) must be its. */
int desk_find_contact(struct switchboard *board, const char *agent, const char *id,
	struct agent_snapshot *snapshot, struct contact **contact, char why[DESK_WHY_SIZE]);
/* The same, of an agent who has accepted it and is still on its call: what the agent may do there is for
 * conference/rights.h to say. */
int desk_find_call(struct switchboard *board, const char *agent, const char *id,
	struct agent_snapshot *snapshot, struct contact **contact, char why[DESK_WHY_SIZE]);
/* By name, id or ARN, if the agent (NULL: none) sees it, on a contact or without one (R11 to R13). */
int desk_find_quick_connect(const struct switchboard *board, const struct resource_agent *agent,
	bool on_contact, const char *name, const struct resource_quick_connect **quick_connect,
	char why[DESK_WHY_SIZE]);
/* The number is one, and the number plan lets it be dialled. */
int desk_may_call(const struct switchboard *board, const char *number, char why[DESK_WHY_SIZE]);

#endif
