/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checker.h: judges a loaded flow: what its type allows, which branches it must have, and whether
 * what it refers to exists. Used by `cordctl check` (against the instance) and `cordctl flow check`
 * (where nothing is at hand, references are notes).
 *
 * Errors: a fixed reference to a queue, prompt, flow, module, hours or agent that the resolver does
 * not know; a hook, transfer or module that names a flow of the wrong type (R63) or one never
 * published (R5); DequeueContactAndTransferToQueue whose Success leads nowhere (R88).
 *
 * Warnings, what the live service refuses and older files have: an action that the flow's type does
 * not allow; a missing NextAction or error branch; one that is never taken; conditions that can
 * never be true; parameters that must come together or exclude each other. And an interrupt of 20 s
 * or less (R84); a fixed reference to a user who may not take calls (R95); a fixed caller id that
 * is not the instance's (R76).
 *
 * Notes: what a voice contact here does not carry out, with the branch that is taken, unless the
 * resolver says that a service does; an action
 * that can never be reached.
 */
#pragma once

#include "flow/model.h"

struct report;

enum flow_resource {
	FLOW_RESOURCE_QUEUE,
	FLOW_RESOURCE_AGENT, /* by id, ARN or user name */
	FLOW_RESOURCE_PROMPT,
	FLOW_RESOURCE_FLOW,
	FLOW_RESOURCE_MODULE,
	FLOW_RESOURCE_HOURS,
	FLOW_RESOURCE_PHONE_NUMBER, /* one of the instance's numbers, E.164 */
	FLOW_RESOURCE_COUNT
};

const char *flow_resource_name(enum flow_resource kind);

/* What the resolver knows about a resource that it found. */
struct flow_resource_info {
	enum flow_type type; /* of flows and modules */
	bool never_published;
	bool may_not_take_calls; /* of agents and their own queues (R94) */
};

/*
 * Given by the instance. `reference` is as in the file: an id, an ARN (flow_reference_id gives its
 * last part) or a name; `name` is the human name that a legacy file adds, or NULL. Returns true and
 * fills *info when the resource exists.
 */
struct flow_resolver {
	/* NULL: no instance is at hand, nothing is found. */
	bool (*find)(void *owner, enum flow_resource kind, const char *reference, const char *name,
		struct flow_resource_info *info);
	/* NULL: none. Whether a service outside carries out these actions. */
	bool (*is_served)(void *owner, enum flow_action_type type);
	void *owner;
	bool missing_is_note; /* what is not found is worth a note, not an error */
};

/*
 * `resolver` may be NULL: references are then not judged. `cordctl flow check` passes
 * {.missing_is_note = true}. 0, or -EINVAL when an error was reported.
 */
int flow_check(
	const struct flow *flow, const struct flow_resolver *resolver, struct report *report);

/*
 * The id inside a reference: what follows the last slash of an ARN, without a version or alias
 * after a colon ("...:instance/I/contact-flow/ID:$SAVED" -> "ID"); the reference itself, without
 * such a version ("ID:$LATEST"), when it is no ARN. Returns its start and sets *length.
 */
const char *flow_reference_id(const char *reference, size_t *length);
