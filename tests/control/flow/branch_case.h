/* SPDX-License-Identifier: Apache-2.0 */
/*
 * branch_case.h: a case of branches.json, run in the simulator.
 *
 *     {"type": "CheckHoursOfOperation",
 *      "never": {"NextAction": "why no voice contact leaves by it"},
 *      "cases": [{"branch": "True",              or none: the action ends the flow
 *                 "about": "what the case shows",
 *                 "as": "customerQueue",         what the flow runs as (inbound)
 *                 "parameters": {…},
 *                 "conditions": [["Equals", "True"], …],
 *                 "answer": {…}, "script": {…},  flow/simulator.h: of this action, of the contact
 *                 "flows": {"f": {"as": "inbound", "actions": […]}},
 *                 "within": true,                the action stands in a module
 *                 "errors": ["…"],               the branches that there are (all)
 *                 "long": 20000,                 length of the attribute `long`
 *                 "long_answer": 40000,          length of what a function answers
 *                 "whole": {…},                  the flow, in place of one made of the above
 *                 "seen": "other",               an action that must be executed too
 *                 "line": {…},                   what the line of the action has, among others
 *                 "values": {"External.a": "1"}, $.paths without "$.", when the branch is taken
 *                 "outcome": "queued"}]}         how the contact ends
 *
 * The action under test is called "it"; all its errors, and NextAction, lead to actions named after
 * them, so a branch that is taken by mistake is seen.
 */
#pragma once

#include <jansson.h>

/* 0; 1 and a message when the case breaks a promise. */
int branch_case_judge(const char *type, const json_t *one);
