/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that only look and branch: Compare, hours, metrics, Loop, percentages, Wait. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flow/machine.h"

static enum flow_step compare_enter(struct flow_machine *m)
{
	const char *value = flow_param_text(m, FLOW_PARAM_COMPARISON);

	return m->full ? FLOW_STEP_FULL : flow_result(m, value);
}

const struct flow_handler flow_compare_handler = {compare_enter, NULL};

/* ---- Hours --------------------------------------------------------------------------- */

static enum flow_step hours_enter(struct flow_machine *m)
{
	const struct flow_param *param = flow_action_param(m->action, FLOW_PARAM_HOURS);
	const char *hours = flow_param_text(m, FLOW_PARAM_HOURS);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	/* An attribute that holds nothing names no hours, not those of the queue. */
	if (param != NULL && param->value.class != FLOW_VALUE_STATIC && *hours == '\0')
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_CHECK_HOURS);
	if (effect != NULL) {
		effect->hours.hours = hours;
		effect->hours.resource_name = param != NULL ? param->resource_name : NULL;
	}
	return flow_wait_answer(m, effect);
}

static enum flow_step hours_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_YES && event->result != FLOW_RESULT_NO)
		return flow_fail_answer(m, event);
	return flow_result(m, event->result == FLOW_RESULT_YES ? "True" : "False");
}

const struct flow_handler flow_hours_handler = {hours_enter, hours_event};

/* ---- Metrics ------------------------------------------------------------------------- */

static enum flow_step metric_enter(struct flow_machine *m)
{
	int metric = flow_text_choice(flow_param_text(m, FLOW_PARAM_METRIC), FLOW_METRIC_CHOICES);
	struct flow_target target = flow_param_target(m);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (metric < 0 || flow_target_is_lost(&target))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_CHECK_METRIC);
	if (effect != NULL) {
		effect->metric.metric = (enum flow_metric)metric;
		effect->metric.target = target;
	}
	return flow_wait_answer(m, effect);
}

static enum flow_step metric_event(struct flow_machine *m, const struct flow_event *event)
{
	char number[24];

	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail_answer(m, event);
	snprintf(number, sizeof(number), "%" PRId64, event->number);
	return flow_result(m, number);
}

const struct flow_handler flow_metric_handler = {metric_enter, metric_event};

static enum flow_step metrics_enter(struct flow_machine *m)
{
	return flow_ask_about_target(m, FLOW_EFFECT_GET_METRICS);
}

static bool of_another_channel(struct flow_machine *m)
{
	const char *channel = flow_param_text(m, FLOW_PARAM_CHANNEL);

	return *channel != '\0' && strcasecmp(channel, "Voice") != 0;
}

static enum flow_step metrics_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail_answer(m, event);
	attributes_clear(&m->run->locals.metrics);
	if (of_another_channel(m))
		return flow_next(m); /* no activity: nothing is returned */
	if (attributes_set_all(&m->run->locals.metrics, event->values, event->value_count) < 0)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return flow_next(m);
}

const struct flow_handler flow_metrics_handler = {metrics_enter, metrics_event};

/* ---- Loop ---------------------------------------------------------------------------- */

#define LOOP_COUNT_MAX 100

static uint64_t hash_text(uint64_t hash, const char *text)
{
	do {
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	} while (*text++ != '\0');
	return hash;
}

/* The same block of the same flow counts on, whichever run of the contact comes by (FNV-1a). */
static uint64_t counter_key(const struct flow_machine *m)
{
	const struct flow *flow = m->run->flow;
	uint64_t hash = hash_text(
		UINT64_C(14695981039346656037), *flow->id != '\0' ? flow->id : flow->name);

	return hash_text(hash, m->action->identifier);
}

/* The counter of the block; a new one takes the place that was not used for longest. NULL without
 * memory. */
static struct flow_counter *counter_of(struct flow_machine *m)
{
	struct flow_memory *memory = m->run->context->memory;
	uint64_t key = counter_key(m);
	struct flow_counter *oldest, *found = NULL;

	if (memory->counters == NULL)
		memory->counters = calloc(FLOW_COUNTERS_MAX, sizeof(*memory->counters));
	if (memory->counters == NULL)
		return NULL;
	oldest = memory->counters;
	for (size_t i = 0; i < FLOW_COUNTERS_MAX && found == NULL; i++) {
		struct flow_counter *counter = &memory->counters[i];

		if (counter->stamp != 0 && counter->key == key)
			found = counter;
		else if (counter->stamp < oldest->stamp)
			oldest = counter;
	}
	if (found == NULL) {
		found = oldest;
		*found = (struct flow_counter){.key = key};
	}
	found->stamp = ++memory->counter_stamp;
	return found;
}

static enum flow_step loop_enter(struct flow_machine *m)
{
	struct flow_counter *counter, before;
	enum flow_step step;
	int64_t count;

	if (!flow_param_number(m, FLOW_PARAM_LOOP_COUNT, &count) || count < 0) {
		if (m->full)
			return FLOW_STEP_FULL;
		/* Only newer exports have the branch; without it there is nothing to loop. */
		if (flow_action_error(m->action, FLOW_ERROR_NO_MATCHING_ERROR) != FLOW_NO_ACTION)
			return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
		count = 0;
	}
	if (count > LOOP_COUNT_MAX)
		count = LOOP_COUNT_MAX;
	counter = counter_of(m);
	if (counter == NULL)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	before = *counter;
	if (counter->count < count) {
		counter->count++;
		step = flow_result(m, "ContinueLooping");
	} else {
		counter->count = 0;
		step = flow_result(m, "DoneLooping");
	}
	if (step == FLOW_STEP_FULL)
		*counter = before;
	return step;
}

const struct flow_handler flow_loop_handler = {loop_enter, NULL};

/* ---- Percentages --------------------------------------------------------------------- */

static enum flow_step distribute_enter(struct flow_machine *m)
{
	const struct flow_context *context = m->run->context;
	uint64_t random = context->random != NULL ? context->random(context->owner) : 0;
	char number[8];

	snprintf(number, sizeof(number), "%u", (unsigned)(random % 100 + 1));
	return flow_result(m, number);
}

const struct flow_handler flow_distribute_handler = {distribute_enter, NULL};

/* ---- Wait ---------------------------------------------------------------------------- */

#define WAIT_MAX_S 604800

static enum flow_step wait_enter(struct flow_machine *m)
{
	int64_t seconds;

	if (!m->run->context->wait_pauses || !flow_param_number(m, FLOW_PARAM_TIME_S, &seconds) ||
		seconds < 0 || seconds > WAIT_MAX_S)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return flow_wait_for(m, FLOW_WAIT_TIME, m->now_ns + (uint64_t)seconds * FLOW_SECOND_NS);
}

static enum flow_step wait_event(struct flow_machine *m, const struct flow_event *event)
{
	return event->type == FLOW_EVENT_TIMER ? flow_result(m, "WaitCompleted") : FLOW_STEP_WAIT;
}

const struct flow_handler flow_wait_handler = {wait_enter, wait_event};
