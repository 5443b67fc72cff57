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
	if (attributes_set_all(&m->run->flow_attributes, pairs, count) < 0)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	return flow_next(m);
}

const struct flow_handler flow_set_flow_attributes_handler = {set_flow_attributes_enter, NULL};

/* ---- Contact data, tags -------------------------------------------------------------- */

static enum flow_step set_contact_data_enter(struct flow_machine *m)
{
	struct flow_effect *effect = flow_emit(m, FLOW_EFFECT_SET_CONTACT_DATA);
	const struct attribute *pairs;
	size_t count;

	if (effect == NULL)
		return FLOW_STEP_FULL;
	count = flow_param_pairs(m, FLOW_PARAM_CONTACT_DATA, &pairs);
	effect->pairs.list = pairs;
	effect->pairs.count = count;
	return flow_done(m, effect);
}

const struct flow_handler flow_set_contact_data_handler = {set_contact_data_enter, NULL};

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
	effect->pairs.list = pairs;
	effect->pairs.count = count;
	return flow_done(m, effect);
}

const struct flow_handler flow_tag_handler = {tag_enter, NULL};

/* ---- Lambda -------------------------------------------------------------------------- */

#define LAMBDA_TIME_DEFAULT_S 3
#define LAMBDA_TIME_MAX_S     8
#define ANSWER_DEPTH_MAX      16

static enum flow_step lambda_enter(struct flow_machine *m)
{
	const char *function = flow_param_text(m, FLOW_PARAM_FUNCTION);
	bool json = flow_text_choice(flow_param_text(m, FLOW_PARAM_RESPONSE_TYPE), "JSON") == 0;
	const struct attribute *inputs;
	size_t count = flow_param_pairs(m, FLOW_PARAM_FUNCTION_INPUT, &inputs);
	struct flow_effect *effect;
	int64_t seconds;

	if (!flow_param_number(m, FLOW_PARAM_TIME_S, &seconds) || seconds < 1)
		seconds = LAMBDA_TIME_DEFAULT_S;
	if (m->full)
		return FLOW_STEP_FULL;
	if (*function == '\0')
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, FLOW_EFFECT_INVOKE_LAMBDA);
	if (effect == NULL)
		return FLOW_STEP_FULL;
	effect->lambda.function = function;
	effect->lambda.timeout_ms =
		(uint32_t)(seconds < LAMBDA_TIME_MAX_S ? seconds : LAMBDA_TIME_MAX_S) * 1000;
	effect->lambda.inputs = inputs;
	effect->lambda.count = count;
	effect->lambda.json = json;
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

/* A flat map of texts, unless the file declares the answer to be any JSON. */
static bool is_flat(const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		if (json_is_object(value) || json_is_array(value))
			return false;
	}
	return true;
}

static int take_answer(struct flow_machine *m, const char *text)
{
	char name[ATTRIBUTE_NAME_MAX + 1] = "";
	struct attributes answer = {0};
	bool json = flow_text_choice(flow_param_text(m, FLOW_PARAM_RESPONSE_TYPE), "JSON") == 0;
	json_t *root;
	int rc = -EINVAL;

	if (text == NULL || strlen(text) > ATTRIBUTES_BYTES_MAX)
		return -E2BIG;
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(root) && (json || is_flat(root)))
		rc = flatten(&answer, name, 0, root, 0);
	json_decref(root);
	if (rc < 0) {
		attributes_clear(&answer);
		return rc;
	}
	attributes_clear(&m->run->external);
	m->run->external = answer;
	return 0;
}

static enum flow_step lambda_event(struct flow_machine *m, const struct flow_event *event)
{
	if (event->type != FLOW_EVENT_ANSWER)
		return FLOW_STEP_WAIT;
	if (event->result != FLOW_RESULT_OK)
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	if (take_answer(m, event->text) < 0) {
		flow_log(m, FLOW_LOG_WARNING,
			"the function's answer is not a JSON object of the declared shape, or too "
			"large");
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	}
	return flow_next(m);
}

const struct flow_handler flow_lambda_handler = {lambda_enter, lambda_event};
