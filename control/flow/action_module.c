/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules: into one, and back out behind the block that invoked it. What belongs to a flow only
 * (flow attributes, results of Lambda and Lex, metrics, stored input) is the module's own while it
 * runs and the invoker's again afterwards; contact attributes are shared. Values go in as
 * $.Modules.Input.x and come back as $.Modules.ResultData.x, the exit taken as $.Modules.Result.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/machine.h"

/* "list[0].name" as a path names it: "list.0.name". */
static void plain_name(char *name)
{
	char *to = name;

	for (const char *from = name; *from != '\0'; from++) {
		if (*from == '[')
			*to++ = '.';
		else if (*from != ']')
			*to++ = *from;
	}
	*to = '\0';
}

/* Sets SPACE.key for each pair. A negative errno: too many, too long. */
static int set_values(
	struct attributes *store, const char *space, const struct attribute *pairs, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		char name[ATTRIBUTE_NAME_MAX + 2];
		int n = snprintf(name, sizeof(name), "%s.%s", space, pairs[i].name);

		if (n < 0 || (size_t)n >= sizeof(name))
			return -EINVAL;
		plain_name(name);
		rc = attributes_set(store, name, pairs[i].value);
	}
	return rc;
}

/* ---- Locals -------------------------------------------------------------------------- */

void flow_locals_clear(struct flow_locals *locals)
{
	attributes_clear(&locals->flow_attributes);
	attributes_clear(&locals->external);
	attributes_clear(&locals->metrics);
	attributes_clear(&locals->lex);
	attributes_clear(&locals->modules);
}

void flow_wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void flow_frame_free(struct flow_frame *frame)
{
	flow_release(frame->flow);
	flow_locals_clear(&frame->locals);
	flow_wipe(frame->stored_input);
	free(frame);
}

/* Puts the run's own things aside and begins with `locals`. False without memory. */
static bool push_frame(struct flow_run *run, const struct flow_locals *locals)
{
	struct flow_memory *memory = run->context->memory;
	struct flow_frame *frame = malloc(sizeof(*frame));

	if (frame == NULL)
		return false;
	*frame = (struct flow_frame){
		run->invoker, run->flow, run->action, run->locals, memory->stored_input};
	run->invoker = frame;
	run->depth++;
	run->locals = *locals;
	memory->stored_input = NULL;
	return true;
}

void flow_leave_module(struct flow_machine *m)
{
	struct flow_run *run = m->run;
	struct flow_memory *memory = run->context->memory;
	struct flow_frame *frame = run->invoker;

	flow_leave(m, run->flow);
	flow_locals_clear(&run->locals);
	run->invoker = frame->outer;
	run->depth--;
	run->flow = frame->flow;
	run->action = frame->action;
	run->locals = frame->locals;
	flow_wipe(memory->stored_input);
	memory->stored_input = frame->stored_input;
	free(frame);
	m->action = &run->flow->actions[run->action];
}

/* ---- Invoke -------------------------------------------------------------------------- */

static enum flow_step module_enter(struct flow_machine *m)
{
	struct flow *flow = flow_param_flow(m, FLOW_PARAM_MODULE);
	struct flow_run *run = m->run;
	struct flow_locals locals = {0};
	const struct attribute *inputs;
	size_t count = flow_param_pairs(m, FLOW_PARAM_MODULE_INPUT, &inputs);

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow == NULL || flow->action_count == 0 || run->depth >= FLOW_MODULE_DEPTH_MAX ||
		(flow->type != FLOW_TYPE_MODULE && flow->type != FLOW_TYPE_UNKNOWN)) {
		flow_log(m, FLOW_LOG_WARNING, "%s",
			run->depth >= FLOW_MODULE_DEPTH_MAX ? "modules are nested too deep"
							    : "there is no such module");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	if (set_values(&locals.modules, "Input", inputs, count) < 0 || !push_frame(run, &locals)) {
		flow_locals_clear(&locals);
		flow_log(m, FLOW_LOG_WARNING,
			"the input of the module is too large, or there is no memory");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	flow_enter(m, flow);
	return FLOW_STEP_GO;
}

const struct flow_handler flow_module_handler = {module_enter, NULL};

/* ---- Return -------------------------------------------------------------------------- */

static bool is_input(const char *name)
{
	return strncmp(name, "Input.", 6) == 0;
}

/* What the invoker reads from now on: its own input, and the result of this module only. */
static int make_result(struct attributes *to, const struct attributes *invoker, const char *result,
	const struct attribute *data, size_t count)
{
	struct attributes_cursor cursor = {0};
	struct attribute a;
	int rc = 0;

	while (rc == 0 && attributes_next(invoker, &cursor, &a)) {
		if (is_input(a.name))
			rc = attributes_set(to, a.name, a.value);
	}
	if (rc == 0)
		rc = attributes_set(to, "Result", result);
	return rc < 0 ? rc : set_values(to, "ResultData", data, count);
}

enum flow_step flow_return(
	struct flow_machine *m, const char *result, const struct attribute *data, size_t count)
{
	struct attributes modules = {0};
	int rc = make_result(&modules, &m->run->invoker->locals.modules, result, data, count);

	flow_leave_module(m); /* the texts may point into the module, which stays until the reset */
	if (rc < 0) {
		attributes_clear(&modules);
		flow_log(m, FLOW_LOG_WARNING, "the result of the module is too large");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	attributes_clear(&m->run->locals.modules);
	m->run->locals.modules = modules;
	return flow_result(m, result);
}

/* Behind the block that invoked the module, along the branch of the exit taken. */
static enum flow_step end_module_enter(struct flow_machine *m)
{
	const char *result = flow_param_text(m, FLOW_PARAM_MODULE_RESULT);
	const struct attribute *data;
	size_t count = flow_param_pairs(m, FLOW_PARAM_MODULE_OUTPUT, &data);

	if (m->full || !flow_has_room(m))
		return FLOW_STEP_FULL;
	if (m->run->depth == 0)
		return flow_run_out(m, true);
	return flow_return(m, result, data, count);
}

const struct flow_handler flow_end_module_handler = {end_module_enter, NULL};
