/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulator_private.h: the simulator's inside.
 *
 *   simulator.c         time: what comes next, and which flow follows which
 *   simulator_world.c   what the world answers to each effect
 *   simulator_script.c  the script: judged once, then asked
 *   simulator_lines.c   the lines of output
 */
#pragma once

#include <jansson.h>

#include "base/report.h"
#include "flow/engine.h"
#include "flow/simulator.h"

#define SIM_MS         UINT64_C(1000000)
#define SIM_KEYS_MAX   128u
#define SIM_EVENTS_MAX 1000u
#define SIM_OPEN_MAX   (FLOW_MODULE_DEPTH_MAX + 2)

/* What the script says of one kind of line (simulator_script.c judges it). */
enum sim_event_kind { SIM_KEY, SIM_HANG_UP, SIM_TAKE, SIM_LEAVE };

struct sim_event {
	uint64_t at_ns;
	enum sim_event_kind kind;
	char key;
};

/* An action that was entered and not left yet. */
struct sim_open {
	const struct flow_action *action;
	const struct flow *flow;
	json_t *parameters;
	uint64_t at_ns;
};

/* What the world owes the run. */
struct sim_owed {
	bool due; /* something is owed */
	uint64_t at_ns;
	struct flow_event event;
	char *text;
	struct attribute *values;
	json_t *keep; /* holds the values' texts */
};

struct sim {
	const struct simulator *config;
	struct report *report;
	json_t *script; /* an object, judged */
	json_t *used;   /* action or type: how many answers it has had */

	/* the contact */
	struct flow_memory memory;
	struct attributes related, facts;    /* as the script gives them */
	struct attributes set;               /* facts that flows have set: these come first */
	struct flow *hooks[FLOW_HOOK_COUNT]; /* held */
	bool hook_disabled[FLOW_HOOK_COUNT];

	struct flow_context context;
	struct flow_run run;
	struct flow_effects *effects;
	uint64_t now_ns;
	uint32_t random_used;

	/* the present action's answer; borrowed from the script, or NULL */
	const json_t *answer;
	struct sim_owed owed;
	uint32_t play_id; /* 0: nothing plays, or for ever */
	bool play_fails;
	uint64_t play_end_ns;
	char keys[SIM_KEYS_MAX];
	uint32_t key_count, key_next;
	uint64_t key_ns, key_gap_ns;

	struct sim_event *events; /* by time */
	uint32_t event_count, event_next;

	struct sim_open open[SIM_OPEN_MAX];
	uint32_t open_count;
	const struct flow *flows[SIMULATOR_FLOWS_MAX]; /* seen, to name them */
	uint32_t flow_count;
};

/* simulator_script.c */
int sim_script_read(struct sim *sim);
void sim_script_clear(struct sim *sim);
/* The next answer for an action, by identifier, else by type; NULL. */
const json_t *sim_script_answer(struct sim *sim, const struct flow_action *action);
const char *sim_text(const json_t *object, const char *name, const char *otherwise);
int64_t sim_number(const json_t *object, const char *name, int64_t otherwise);
bool sim_flag(const json_t *object, const char *name);
/* The result that an answer names, or `otherwise`. */
enum flow_result sim_result(const json_t *answer, enum flow_result otherwise);
enum flow_error sim_error(const json_t *answer);

/* simulator_world.c */
void sim_carry_out(struct sim *sim, const struct flow_effect *effect);
const char *sim_fact(void *owner, const char *name);
struct flow *sim_find_flow(void *owner, const char *reference);
uint64_t sim_random(void *owner);
void sim_owed_clear(struct sim *sim);

/* simulator_lines.c */
void sim_line_enter(struct sim *sim, const struct flow_effect *effect);
void sim_line_leave(struct sim *sim, const struct flow_effect *effect);
/* What is open will not be left any more. */
void sim_line_flush(struct sim *sim);
/* Takes the members (may be NULL). */
void sim_line_event(struct sim *sim, const char *event, json_t *members);
const struct flow *sim_flow_of(const struct sim *sim, const struct flow_action *action);
void sim_note_flow(struct sim *sim, const struct flow *flow);
