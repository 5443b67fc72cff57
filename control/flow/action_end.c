/* SPDX-License-Identifier: Apache-2.0 */
/* Ways out of a flow: disconnect, end, another flow. */

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

/* The new flow starts afresh: no flow attributes, no module to go back to, no prompts to resume. */
static enum flow_step to_flow_enter(struct flow_machine *m)
{
	struct flow *flow = flow_param_flow(m, FLOW_PARAM_FLOW);
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
	attributes_clear(&run->locals.flow_attributes);
	run->resume_action = FLOW_NO_ACTION;
	return FLOW_STEP_GO;
}

const struct flow_handler flow_to_flow_handler = {to_flow_enter, NULL};
