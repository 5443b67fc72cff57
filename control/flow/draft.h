/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft.h: a flow being read. What both readers share: problems with their place, the index of
 * identifiers, typed parameters, transitions. Faults are reported and counted, and reading goes on,
 * so that one run names them all; the draft becomes a flow only when there was none.
 */
#pragma once

#include <jansson.h>

#include "base/report.h"
#include "flow/arena.h"
#include "flow/model.h"
#include "flow/reader.h"

struct flow_params_draft {
	struct flow_param *items;
	size_t count;
	size_t capacity;
};

struct flow_draft {
	struct flow_arena *arena;
	struct flow *flow;
	struct flow_action *actions;
	const char **identifiers; /* of the actions, sorted together with `order` */
	uint16_t *order;
	struct report *report;
	const char *file;
	size_t errors;
};

/* The place is "FILE: action 'IDENTIFIER': WHERE"; either may be NULL. Errors are counted. */
__attribute__((format(printf, 5, 6))) void flow_draft_problem(struct flow_draft *draft,
	enum report_severity severity, const char *identifier, const char *where,
	const char *format, ...);

/* How a format writes its actions. */
struct flow_draft_format {
	const char *where; /* the member with the list: "Actions" */
	/* Identifier and type of one. False: nothing more can be said about it. */
	bool (*read_head)(
		struct flow_draft *draft, struct flow_action *action, const json_t *object);
	/* The rest; by now all identifiers are known. */
	void (*read_body)(
		struct flow_draft *draft, struct flow_action *action, const json_t *object);
};

/* Reads all entries of the list, at most FLOW_ACTIONS_MAX. */
void flow_draft_read_actions(
	struct flow_draft *draft, const struct flow_draft_format *format, const json_t *list);
/* The action's index, or FLOW_NO_ACTION after reporting that nothing has this identifier. */
uint16_t flow_draft_target(struct flow_draft *draft, const struct flow_action *from,
	const char *where, const char *identifier);

/*
 * Adds one parameter, typed and judged by the rule of its place (rules.h). `key` overrides the key
 * that the rule found; NULL: as found.
 */
void flow_draft_param(struct flow_draft *draft, struct flow_action *action,
	struct flow_params_draft *params, const char *place, const char *text,
	const char *resource_name);
/* Judges the action as a whole and hands it its parameters. */
void flow_draft_finish_action(struct flow_draft *draft, struct flow_action *action,
	const struct flow_params_draft *params);

/* A string, number or truth value as text, in the arena; NULL for anything else. */
const char *flow_draft_scalar(struct flow_draft *draft, const json_t *value);
/* "an object", "a list", ... */
const char *flow_json_kind(const json_t *value);

/* The two formats: read `root` into the draft. */
void flow_read_language(struct flow_draft *draft, const json_t *root);
void flow_read_legacy(struct flow_draft *draft, const json_t *root);
