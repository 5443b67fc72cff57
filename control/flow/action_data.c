/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes, contact data, tags, and the Lambda that fills $.External. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "flow/machine.h"

/* ---- Attributes ---------------------------------------------------------------------- */

/* All of the action or nothing. A path to nothing sets an empty value. */
static enum flow_step write_attributes(
	struct flow_machine *m, struct attributes *store, enum flow_param_id id, bool related)
{
	const struct attribute *pairs;
	size_t count = flow_param_pairs(m, id, &pairs);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	effect = flow_emit(m, FLOW_EFFECT_ATTRIBUTES_SET);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	if (attributes_set_all(store, pairs, count) < 0) {
		m->effects->count--;
		flow_log(m, FLOW_LOG_WARNING,
			"attributes are not set: a name is empty, or all together exceed %u bytes",
			ATTRIBUTES_BYTES_MAX);
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	effect->attributes.related = related;
	effect->attributes.list = pairs;
	effect->attributes.count = count;
	return flow_next(m);
}

static enum flow_step set_attributes_enter(struct flow_machine *m)
{
	const struct flow_context *context = m->run->context;
	bool related =
		flow_text_choice(flow_param_text(m, FLOW_PARAM_TARGET_CONTACT), "Related") == 0;
	struct attributes *store = related ? context->related : &context->memory->attributes;

	if (store == NULL)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return write_attributes(m, store, FLOW_PARAM_ATTRIBUTE, related);
}

const struct flow_handler flow_set_attributes_handler = {set_attributes_enter, NULL};

/* Flow attributes are the run's own business: no effect. */
static enum flow_step set_flow_attributes_enter(struct flow_machine *m)
{
	const struct attribute *pairs;
	size_t count = flow_param_pairs(m, FLOW_PARAM_FLOW_ATTRIBUTE, &pairs);

	if (m->full)
		return FLOW_STEP_FULL;
	if (attributes_set_all(&m->run->locals.flow_attributes, pairs, count) < 0)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return flow_next(m);
}

const struct flow_handler flow_set_flow_attributes_handler = {set_flow_attributes_enter, NULL};

/* ---- Contact data, tags -------------------------------------------------------------- */

static enum flow_step set_contact_data_enter(struct flow_machine *m)
{
	bool related =
		flow_text_choice(flow_param_text(m, FLOW_PARAM_TARGET_CONTACT), "Related") == 0;
	struct flow_effect *effect;
	const struct attribute *pairs;
	size_t count;

	/* only the attributes of the related contact can be written */
	if (related && !m->full)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_emit(m, FLOW_EFFECT_SET_CONTACT_DATA);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	count = flow_param_pairs(m, FLOW_PARAM_CONTACT_DATA, &pairs);
	effect->pairs.list = pairs;
	effect->pairs.count = count;
	return flow_done(m, effect);
}

const struct flow_handler flow_set_contact_data_handler = {set_contact_data_enter, NULL};

#define FLOW_TAGS_MAX 6u /* of one action, documented */

static enum flow_step tag_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_emit(m, FLOW_EFFECT_SET_TAGS);
	const struct attribute *pairs;
	size_t count;

	if (effect == NULL)
		return FLOW_STEP_FULL;
	count = flow_param_pairs(m, FLOW_PARAM_TAG, &pairs);
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		if (m->action->params[i].id != FLOW_PARAM_TAG_KEY)
			continue;
		if (!flow_add_pair(m, flow_text(m, &m->action->params[i].value), NULL))
			return FLOW_STEP_FULL;
		count++;
	}
	if (count > FLOW_TAGS_MAX) {
		m->effects->count--;
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	effect->pairs.list = pairs;
	effect->pairs.count = count;
	return flow_done(m, effect);
}

const struct flow_handler flow_tag_handler = {tag_enter, NULL};

/* ---- Lambda -------------------------------------------------------------------------- */

#define LAMBDA_TIME_DEFAULT_S   3
#define LAMBDA_TIME_MAX_S       8
#define LAMBDA_TIME_MAX_ASYNC_S 60 /* nobody waits for it */
#define ANSWER_DEPTH_MAX        16

static bool is_json(struct flow_machine *m)
{
	return flow_text_choice(flow_param_text(m, FLOW_PARAM_RESPONSE_TYPE), "JSON") == 0;
}

static bool is_asynchronous(struct flow_machine *m)
{
	return flow_text_choice(flow_param_text(m, FLOW_PARAM_INVOCATION_TYPE), "ASYNCHRONOUS") ==
	       0;
}

/* What the file allows, at most what the service does (real files have 10 and 30). */
static uint32_t lambda_time_ms(struct flow_machine *m, int64_t max_s)
{
	int64_t seconds;

	if (!flow_param_number(m, FLOW_PARAM_TIME_S, &seconds) || seconds < 1)
		seconds = LAMBDA_TIME_DEFAULT_S;
	return (uint32_t)(seconds < max_s ? seconds : max_s) * 1000;
}

static struct flow_effect *lambda_effect(struct flow_machine *m)
{
	struct flow_effect *effect = flow_ask(m, FLOW_EFFECT_INVOKE_LAMBDA);
	const struct attribute *inputs;

	if (effect == NULL)
		return NULL;
	effect->lambda.function = flow_param_text(m, FLOW_PARAM_FUNCTION);
	effect->lambda.count = flow_param_pairs(m, FLOW_PARAM_FUNCTION_INPUT, &inputs);
	effect->lambda.inputs = inputs;
	effect->lambda.json = is_json(m);
	return effect;
}

/* The flow goes on at once; an answer is nobody's and changes nothing. */
static enum flow_step invoke_asynchronous(struct flow_machine *m)
{
	struct flow_effect *effect = lambda_effect(m);

	if (effect != NULL)
		effect->lambda.timeout_ms = lambda_time_ms(m, LAMBDA_TIME_MAX_ASYNC_S);
	return flow_done(m, effect);
}

static enum flow_step lambda_enter(struct flow_machine *m)
{
	const uint64_t all_ns = FLOW_LAMBDAS_MAX_S * FLOW_SECOND_NS;
	struct flow_run *run = m->run;
	struct flow_effect *effect;
	uint64_t left_ms;

	if (*flow_param_text(m, FLOW_PARAM_FUNCTION) == '\0')
		return m->full ? FLOW_STEP_FULL : flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (is_asynchronous(m))
		return invoke_asynchronous(m);
	if (run->lambda_ns >= all_ns) {
		flow_log(m, FLOW_LOG_WARNING,
			"not called: functions in a row may take %u s, and nothing was played "
			"in between",
			FLOW_LAMBDAS_MAX_S);
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	effect = lambda_effect(m);
	if (effect == NULL || m->full)
		return FLOW_STEP_FULL;
	left_ms = (all_ns - run->lambda_ns + 999999) / 1000000;
	effect->lambda.timeout_ms = lambda_time_ms(m, LAMBDA_TIME_MAX_S);
	if (effect->lambda.timeout_ms > left_ms)
		effect->lambda.timeout_ms = (uint32_t)left_ms;
	run->lambda_began_ns = m->now_ns;
	return flow_wait_answer(m, effect);
}

static int flatten(
	struct attributes *store, char *name, size_t length, const json_t *value, int depth);

static int flatten_member(struct attributes *store, char *name, size_t length, const char *member,
	const json_t *value, int depth)
{
	int n = snprintf(name + length, ATTRIBUTE_NAME_MAX + 1 - length, "%s%s",
		length > 0 ? "." : "", member);

	if (n < 0 || (size_t)n > ATTRIBUTE_NAME_MAX - length)
		return -E2BIG;
	return flatten(store, name, length + (size_t)n, value, depth + 1);
}

static int flatten_scalar(struct attributes *store, const char *name, const json_t *value)
{
	char number[40];

	switch (json_typeof(value)) {
	case JSON_STRING:
		return attributes_set(store, name, json_string_value(value));
	case JSON_INTEGER:
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return attributes_set(store, name, number);
	case JSON_REAL:
		snprintf(number, sizeof(number), "%.15g", json_real_value(value));
		return attributes_set(store, name, number);
	case JSON_TRUE:
	case JSON_FALSE:
		return attributes_set(store, name, json_is_true(value) ? "true" : "false");
	default:
		return 0;
	}
}

/* {"a": {"b": 1}, "c": ["x"]} becomes a.b = 1, c.0 = x. */
static int flatten(
	struct attributes *store, char *name, size_t length, const json_t *value, int depth)
{
	const char *member;
	json_t *inner;
	size_t index;
	char digits[24];
	int rc = 0;

	if (depth > ANSWER_DEPTH_MAX)
		return -E2BIG;
	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, member, inner)
		{
			rc = flatten_member(store, name, length, member, inner, depth);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	if (json_is_array(value)) {
		json_array_foreach((json_t *)value, index, inner)
		{
			snprintf(digits, sizeof(digits), "%zu", index);
			rc = flatten_member(store, name, length, digits, inner, depth);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	return flatten_scalar(store, name, value);
}

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* A flat map with plain names, unless the file declares the answer to be any JSON. */
static bool is_flat(const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (json_is_object(value) || json_is_array(value) ||
			name[strspn(name, KEY_CHARACTERS)] != '\0')
			return false;
	}
	return true;
}

static int take_answer(struct flow_machine *m, const char *text)
{
	char name[ATTRIBUTE_NAME_MAX + 1] = "";
	struct attributes answer = {0};
	json_t *root;
	int rc = -EINVAL;

	if (text == NULL || strlen(text) > ATTRIBUTES_BYTES_MAX)
		return -E2BIG;
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(root) && (is_json(m) || is_flat(root)))
		rc = flatten(&answer, name, 0, root, 0);
	json_decref(root);
	if (rc < 0) {
		attributes_clear(&answer);
		return rc;
	}
	attributes_clear(&m->run->locals.external);
	m->run->locals.external = answer;
	return 0;
}

static enum flow_step lambda_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	m->run->lambda_ns += m->now_ns - m->run->lambda_began_ns;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (take_answer(m, event->text) < 0) {
		flow_log(m, FLOW_LOG_WARNING, "expected as answer %s of at most %u bytes",
			is_json(m) ? "a JSON object" : "a flat JSON object with plain names",
			ATTRIBUTES_BYTES_MAX);
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	return flow_next(m);
}

const struct flow_handler flow_lambda_handler = {lambda_enter, lambda_event};
