/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "flow/simulator_private.h"

static json_int_t ms(uint64_t ns)
{
	return (json_int_t)(ns / SIM_MS);
}

static void say(struct sim *sim, json_t *object)
{
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text != NULL)
		sim->config->line(sim->config->ctx, text);
	free(text);
	json_decref(object);
}

void sim_note_flow(struct sim *sim, const struct flow *flow)
{
	for (uint32_t i = 0; i < sim->flow_count; i++)
		if (sim->flows[i] == flow)
			return;
	if (sim->flow_count < SIMULATOR_FLOWS_MAX)
		sim->flows[sim->flow_count++] = flow;
}

const struct flow *sim_flow_of(const struct sim *sim, const struct flow_action *action)
{
	for (uint32_t i = 0; i < sim->flow_count; i++)
		if (sim->flows[i]->actions == action - action->index)
			return sim->flows[i];
	return NULL;
}

/* A line of an action; the branch is NULL where nothing followed. */
static void say_action(struct sim *sim, struct sim_open *open, const char *result,
	const char *branch, uint16_t target)
{
	const struct flow *flow = open->flow;
	bool known = flow != NULL && target < flow->action_count;

	say(sim, json_pack("{s:I, s:s, s:s, s:s, s:o, s:s, s:s?, s:s?, s:I}", "t", ms(open->at_ns),
			 "flow", flow != NULL ? flow->name : "", "action", open->action->identifier,
			 "type", flow_action_name((enum flow_action_type)open->action->type),
			 "parameters", open->parameters, "result", result, "branch", branch, "next",
			 known ? flow->actions[target].identifier : NULL, "took",
			 ms(sim->now_ns - open->at_ns)));
	open->parameters = NULL;
}

/* The last action entered, which nothing left. */
static void close_last(struct sim *sim)
{
	say_action(sim, &sim->open[--sim->open_count], "", NULL, FLOW_NO_ACTION);
}

void sim_line_flush(struct sim *sim)
{
	while (sim->open_count > 0)
		close_last(sim);
}

void sim_line_enter(struct sim *sim, const struct flow_effect *effect)
{
	json_t *parameters = json_object();
	struct sim_open *open;

	/* only a block that invoked a module stays open under others */
	if (sim->open_count > 0 &&
		(sim->open[sim->open_count - 1].action->type != FLOW_ACTION_INVOKE_MODULE ||
			sim->open_count == SIM_OPEN_MAX))
		close_last(sim);
	for (size_t i = 0; i < effect->enter.count; i++)
		json_object_set_new(parameters, effect->enter.list[i].name,
			json_string(effect->enter.list[i].value));
	open = &sim->open[sim->open_count++];
	*open = (struct sim_open){.action = effect->action,
		.flow = sim_flow_of(sim, effect->action),
		.parameters = parameters,
		.at_ns = sim->now_ns};
	sim->answer = sim_script_answer(sim, effect->action);
}

void sim_line_leave(struct sim *sim, const struct flow_effect *effect)
{
	/* the end of a module's flow, before the block that invoked it is left */
	while (sim->open_count > 0 && sim->open[sim->open_count - 1].action != effect->action)
		close_last(sim);
	if (sim->open_count > 0)
		say_action(sim, &sim->open[--sim->open_count], effect->leave.result,
			effect->leave.branch, effect->leave.target);
}

void sim_line_event(struct sim *sim, const char *event, json_t *members)
{
	json_t *object = json_pack("{s:I, s:s}", "t", ms(sim->now_ns), "event", event);

	if (members != NULL)
		json_object_update(object, members);
	json_decref(members);
	say(sim, object);
}
