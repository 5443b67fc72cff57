/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support.h: a contact made of tables, for tests of the engine. It answers look-ups from what the
 * test put in, keeps the effects of the last call, and checks that what is owed is asked for.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/report.h"
#include "flow/engine.h"
#include "flow/reader.h"

#define SECOND UINT64_C(1000000000)

struct call {
	struct flow_memory memory;
	struct flow_context context;
	struct flow_run run;
	struct flow_effects *fx;
	struct flow *flow;
	struct attributes facts;
	struct attributes related;
	struct flow *others[8];
	size_t other_count;
	uint64_t random;
	uint64_t now;
};

/* Reads a flow; fails the test when it is refused. Held once. */
struct flow *flow_of(const char *text, const char *id, enum flow_type type);
/* The whole file, or NULL; freed by the caller. */
char *read_file(const char *path, size_t *length);
struct flow *flow_of_file(const char *path, enum flow_type type);
/* A flow of the folder with the default flows. */
struct flow *default_flow(const char *name);
/* The text of a flow: "[...]" is its list of actions; the first listed is the start. Static memory.
 */
const char *flow_text_of(const char *start, const char *actions);

/* Takes the flow over. */
void call_begin(struct call *call, struct flow *flow, enum flow_type role);
/* flow_of(flow_text_of(start, actions)), then call_begin. */
void call_begin_text(
	struct call *call, const char *start, const char *actions, enum flow_type role);
/* call_begin_text in two halves, to set facts in between. */
void call_prepare(struct call *call, struct flow *flow);
void call_start(struct call *call, enum flow_type role);
void call_end(struct call *call);
/* Makes find_flow know a flow by its id; takes it over. */
void call_add_flow(struct call *call, struct flow *flow);

void call_key(struct call *call, char key);
void call_keys(struct call *call, const char *keys);
void call_play_done(struct call *call);
void call_play_failed(struct call *call);
/* Goes to run.wake_at_ns and says so. */
void call_timer(struct call *call);
void call_answer(struct call *call, enum flow_result result);
void call_answer_event(struct call *call, struct flow_event event);
void call_party_gone(struct call *call);

/* The only effect of this type; fails the test when there is none. */
const struct flow_effect *effect_of(const struct call *call, enum flow_effect_type type);
int count_of(const struct call *call, enum flow_effect_type type);
/* The identifier of the action that the run is at. */
const char *at(const struct call *call);
const char *attribute_of(const struct call *call, const char *name);

#define assert_at(call, identifier) assert_string_equal(at(call), identifier)
#define assert_outcome(call, wanted)                                                        \
	do {                                                                                \
		assert_string_equal(flow_run_state_name((call)->run.state), "over");        \
		assert_string_equal(                                                        \
			flow_outcome_name((call)->run.outcome), flow_outcome_name(wanted)); \
	} while (0)
