/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow_log_line: what the flow log says of an action, one JSON object a line, in the shape that the
 * service writes:
 *
 *     {"ContactId": "…", "ContactFlowId": "arn:…:contact-flow/…", "ContactFlowName": "Main line",
 *      "ContactFlowModuleType": "GetUserInput", "Identifier": "Ask",
 *      "Timestamp": "2026-03-04T08:11:02.480Z",
 *      "Parameters": {"Text": "For orders, press one.", "InputTimeLimitSeconds": "5"},
 *      "Results": "1"}
 *
 * ContactFlowModuleType is the name of the legacy module also for flows of the newer format; where
 * there never was one, the action's own type. Parameters bear the names of the flow language
 * ("Attributes.way", "Messages[0].Text"), with what JSONPaths gave. Results: what the branches were
 * tried against, or the error; absent where there is neither. ExternalResults: what a function
 * answered. Stored input and keys are "****".
 *
 * A line is written when the action is left, with the time at which it was entered; one that is
 * never left (a terminal one, or the caller hung up) when the next begins or the run is over.
 */
#ifndef CONTACT_FLOW_LOG_LINE_H
#define CONTACT_FLOW_LOG_LINE_H

#include <jansson.h>

#include "flow/engine.h"

struct treatment;

struct flow_log_line {
	json_t *object;                   /* of the action that was entered; NULL: none */
	const struct flow_action *action; /* only to be compared with */
	bool kept;                        /* logging is on, or was before this action */
};

/* ENTER, LEAVE and SET_LOGGING. */
void flow_log_line_effect(struct treatment *t, const struct flow_effect *effect, uint64_t now_ns);
/* What answers the action that was entered. */
void flow_log_line_answer(struct treatment *t, const struct flow_event *event);
/* The run is over, or stopped. */
void flow_log_line_end(struct treatment *t);

/* The legacy module of an action. */
const char *flow_log_line_module(const struct flow_action *action);

#endif
