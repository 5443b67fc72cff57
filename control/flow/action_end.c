/* SPDX-License-Identifier: Apache-2.0 */
/* Ways out of a flow: disconnect, end, another flow, modules. */
#include <string.h>

#include "flow/machine.h"

static enum flow_step disconnect_enter(struct flow_machine *m)
{
	return flow_over(m, FLOW_OUTCOME_DISCONNECTED);
}

const struct flow_handler flow_disconnect_handler = {disconnect_enter, NULL};

/* R89: in a queue flow the interrupted Loop prompts go on. */
static enum flow_step end_enter(struct flow_machine *m)
{
	return flow_run_out(m, true);
}

const struct flow_handler flow_end_handler = {end_enter, NULL};

/* ---- Transfer to flow ---------------------------------------------------------------- */

static struct flow *find(struct flow_machine *m, enum flow_param_id id)
{
	const struct flow_context *context = m->run->context;
	const char *reference = flow_param_text(m, id);
	const struct flow_param *param = flow_action_param(m->action, id);

	if (*reference == '\0' && param != NULL && param->resource_name != NULL)
		reference = param->resource_name;
	if (m->full || *reference == '\0' || context->find_flow == NULL)
		return NULL;
	return context->find_flow(context->owner, reference);
}

/* The new flow starts afresh: no flow attributes, no module to go back to, no prompts to resume. */
static enum flow_step to_flow_enter(struct flow_machine *m)
{
	struct flow *flow = find(m, FLOW_PARAM_FLOW);
	struct flow_run *run = m->run;
	struct flow *left;

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow == NULL || flow->type == FLOW_TYPE_MODULE || flow->action_count == 0)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	while (run->depth > 0)
		flow_leave_module(m);
	left = run->flow;
	flow_enter(m, flow);
	flow_leave(m, left);
	attributes_clear(&run->flow_attributes);
	run->resume_action = FLOW_NO_ACTION;
	return FLOW_STEP_GO;
}

const struct flow_handler flow_to_flow_handler = {to_flow_enter, NULL};

/* ---- Modules ------------------------------------------------------------------------- */

static enum flow_step module_enter(struct flow_machine *m)
{
	struct flow *flow = find(m, FLOW_PARAM_MODULE);
	struct flow_run *run = m->run;

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow == NULL || flow->action_count == 0 || run->depth >= FLOW_MODULE_DEPTH_MAX)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	run->frames[run->depth++] = (struct flow_frame){run->flow, run->action};
	flow_enter(m, flow);
	return FLOW_STEP_GO;
}

const struct flow_handler flow_module_handler = {module_enter, NULL};

/* Back behind the block that invoked the module, along the branch of the exit taken. */
static enum flow_step end_module_enter(struct flow_machine *m)
{
	struct flow_run *run = m->run;
	const char *result = flow_param_text(m, FLOW_PARAM_MODULE_RESULT);

	if (m->full)
		return FLOW_STEP_FULL;
	if (run->depth == 0)
		return flow_run_out(m, true);
	flow_leave_module(m); /* `result` may point into the module, which stays until the reset */
	return flow_result(m, result);
}

const struct flow_handler flow_end_module_handler = {end_module_enter, NULL};
