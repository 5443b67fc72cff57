/* SPDX-License-Identifier: Apache-2.0 */
/* check.h: one check of a flow under way; what the files of the checker share. */
#pragma once

#include "base/report.h"
#include "flow/checker.h"
#include "flow/rules.h"

struct check {
	const struct flow *flow;
	const struct flow_action *action; /* the one that is looked at */
	const struct flow_resolver *resolver;
	struct report *report;
	size_t errors;
};

/* At "FILE: action 'IDENTIFIER': WHERE". Errors are counted. */
__attribute__((format(printf, 4, 5))) void check_problem(struct check *check,
	enum report_severity severity, const char *where, const char *format, ...);

/* NextAction, error branches and conditions of the action. */
void check_branches(struct check *check);

/* Parameters that must come together or exclude each other, and what is not carried out here. */
void check_parameters(struct check *check);

/* The parameter as it stands in the file when it is fixed; NULL: missing or dynamic. */
const char *check_fixed(const struct check *check, enum flow_param_id id);
/* A fixed truth value. */
bool check_is_true(const struct check *check, enum flow_param_id id);
