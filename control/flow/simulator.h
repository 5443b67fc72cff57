/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulator.h: runs a flow without telephony, on simulated time, from a script; gives one JSON line
 * for each action executed. Pure: text in, lines out.
 *
 *     {"t": 0, "flow": "Main", "action": "Menu", "type": "GetParticipantInput",
 *      "parameters": {"Text": "Press 1"}, "result": "1", "branch": "1", "next": "Sales", "took": 940}
 *
 * `t` and `took` are milliseconds of simulated time: when the action was entered and how long it
 * took. `branch` is NextAction, the name of an error, or the operand of the condition that held;
 * null where nothing follows (a terminal action, or one that moves to another flow). Actions of a
 * module come before the line of the block that invoked it. Between them stand lines with `event`:
 * `log` (what an operator would read), `flow` (the next flow begins: queue flow, whispers,
 * disconnect flow), and last `end` with the outcome and the contact's attributes.
 *
 * The script is one JSON object; every member may be missing, and with none of them things go well:
 * everything is open, staffed and not full, prompts play, nobody presses a key.
 *
 *     {
 *       "type": "inbound",                    what the flow runs as
 *       "facts": {"CustomerEndpoint.Address": "+12025550143"},       $.paths without "$."
 *       "attributes": {"tier": "gold"},       of the contact
 *       "related": {},                        of the contact that it was transferred from
 *       "random": [37, 80],                   1 to 100, for DistributeByPercentage; the last repeats
 *       "wait_pauses": true,                  the option routing.wait_pauses
 *       "queue_flow": "Waiting",              flow of a queue without one set by a hook
 *       "limit_ms": 600000,                   the run is cut then
 *       "answers": {"Menu": {"keys": "1"}, "InvokeLambdaFunction": [{"json": {"ok": "1"}}, ...]},
 *       "events": [{"at": 65000, "do": "take"}, {"at": 90000, "do": "hang_up"}]
 *     }
 *
 * `answers` say what the world answers to an action, by its identifier, else by its type; a list is
 * used up visit by visit, and its last entry repeats. Members of an answer, each where it applies:
 *
 *     after     milliseconds until it comes (until the first key)
 *     keys      pressed when the action takes input; `gap` milliseconds between them (300)
 *     lasts     length of the prompt in milliseconds (else 60 a character, 1000 a recorded one)
 *     fails     true: the prompt cannot be played
 *     result    ok, error, at_capacity, yes, no, ended, call_failed, timeout, invalid, not_dialable,
 *               failed (with `error`, the name of an error branch)
 *     number    of CheckMetricData
 *     json      of a Lambda function: what it returns; `text`: the same as raw text, or the result
 *               that a service gives to branch on
 *     values    an object of texts: GetMetricData's figures, a Lex bot's $.Lex values
 *
 * `events` happen at their time: "key" (with "key": "5"), "hang_up" (the caller), "take" (an agent
 * takes the waiting contact; whispers follow), "leave" (the agent hangs up; the disconnect flow).
 */
#pragma once

#include <stddef.h>

#include "flow/model.h"

struct report;

#define SIMULATOR_SCRIPT_MAX (1024u * 1024)
#define SIMULATOR_LIMIT_MS   600000u /* default, and with SIMULATOR_STEPS_MAX what bounds a run */
#define SIMULATOR_STEPS_MAX  20000u  /* events delivered */
#define SIMULATOR_FLOWS_MAX  256u    /* flows that one run can go through */

struct simulator {
	struct flow *flow;
	enum flow_type type; /* UNKNOWN: as the script says, else the flow's own, else inbound */
	const char *script;  /* NULL: none */
	size_t script_length;
	const char *script_file; /* for messages */
	void *ctx;
	/* Another flow or module by id, ARN or name, or NULL; borrowed, and stays during the run. */
	struct flow *(*find_flow)(void *ctx, const char *reference);
	/* One line of output, without a line end. */
	void (*line)(void *ctx, const char *json);
};

/* 0, or -EINVAL with the script's faults in the report; -ENOMEM. */
int simulator_run(const struct simulator *simulator, struct report *report);
