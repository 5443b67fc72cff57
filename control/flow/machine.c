/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void flow_effects_reset(struct flow_effects *effects)
{
	effects->count = 0;
	effects->message_count = 0;
	effects->pair_count = 0;
	effects->text_length = 0;
	effects->traced_count = 0;
	effects->traced_length = 0;
	while (effects->left_count > 0)
		flow_release(effects->left[--effects->left_count]);
}

/* ---- Effects ------------------------------------------------------------------------- */

struct flow_effect *flow_emit(struct flow_machine *m, enum flow_effect_type type)
{
	struct flow_effect *effect;

	if (m->effects->count >= FLOW_EFFECTS_MAX) {
		m->full = true;
		return NULL;
	}
	effect = &m->effects->items[m->effects->count++];
	*effect = (struct flow_effect){.type = type, .action = m->action};
	return effect;
}

static uint32_t new_id(struct flow_run *run)
{
	if (++run->next_id == 0)
		run->next_id = 1;
	return run->next_id;
}

struct flow_effect *flow_ask(struct flow_machine *m, enum flow_effect_type type)
{
	struct flow_effect *effect = flow_emit(m, type);

	if (effect != NULL)
		effect->id = new_id(m->run);
	return effect;
}

void flow_stop_playing(struct flow_machine *m)
{
	if (m->run->play_id == 0)
		return;
	if (flow_emit(m, FLOW_EFFECT_STOP_PLAYING) != NULL)
		m->run->play_id = 0;
}

const char *flow_keep(struct flow_machine *m, const char *text, size_t length)
{
	struct flow_effects *fx = m->effects;
	char *copy = fx->text + fx->text_length;

	if (length >= FLOW_EFFECT_TEXT_MAX - fx->text_length) {
		m->full = true;
		return "";
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	fx->text_length += (uint32_t)length + 1;
	return copy;
}

void flow_log(struct flow_machine *m, enum flow_log_level level, const char *format, ...)
{
	char text[400];
	va_list args;
	int length = snprintf(text, sizeof(text),
		"flow %.60s: action '%.60s': ", m->run->flow->name, m->action->identifier);
	struct flow_effect *effect;

	va_start(args, format);
	vsnprintf(text + length, sizeof(text) - (size_t)length, format, args);
	va_end(args);
	effect = flow_emit(m, FLOW_EFFECT_LOG);
	if (effect == NULL)
		return;
	effect->log.level = level;
	effect->log.text = flow_keep(m, text, strlen(text));
}

/* ---- Values -------------------------------------------------------------------------- */

/* The store of a namespace. Stored input and facts are in none. */
static const struct attributes *store_of(const struct flow_run *run, enum flow_space space)
{
	switch (space) {
	case FLOW_SPACE_FLOW_ATTRIBUTES:
		return &run->locals.flow_attributes;
	case FLOW_SPACE_EXTERNAL:
		return &run->locals.external;
	case FLOW_SPACE_METRICS:
		return &run->locals.metrics;
	case FLOW_SPACE_LEX:
		return &run->locals.lex;
	case FLOW_SPACE_MODULES:
		return &run->locals.modules;
	default:
		return &run->context->memory->attributes;
	}
}

/* A name of `length` bytes in a namespace, or NULL. */
static const char *look_up_name(
	const struct flow_run *run, enum flow_space space, const char *text, size_t length)
{
	char name[ATTRIBUTE_NAME_MAX + 1];

	if (space != FLOW_SPACE_FACT)
		return attributes_get_n(store_of(run, space), text, length);
	if (run->context->fact == NULL || length > ATTRIBUTE_NAME_MAX)
		return NULL;
	memcpy(name, text, length);
	name[length] = '\0';
	return run->context->fact(run->context->owner, name);
}

static const char *stored_input(const struct flow_memory *memory)
{
	return memory->stored_input != NULL ? memory->stored_input : "";
}

/*
 * The value of a path, or NULL, and the text that follows it. Names are looked up whole, then
 * without their last steps, which are then text: the ".wav" of
 * "s3://b/$['Attributes']['Town'].wav" is the file's, not the attribute's.
 */
static const char *look_up(
	const struct flow_machine *m, const struct flow_part *part, const char **rest)
{
	enum flow_space space = (enum flow_space)part->space;
	size_t length = part->length;
	const char *value = NULL;

	*rest = "";
	if (space == FLOW_SPACE_STORED_INPUT)
		return stored_input(m->run->context->memory);
	while (value == NULL && length > 0) {
		value = look_up_name(m->run, space, part->text, length);
		if (value != NULL)
			*rest = part->text + length;
		while (length > 0 && part->text[--length] != '.')
			;
	}
	return value;
}

/* An object has no value of its own, only members: "a.b" makes "a" one. */
static bool has_member(const struct attributes *store, const char *name, size_t length)
{
	struct attributes_cursor cursor = {0};
	struct attribute a;

	while (attributes_next(store, &cursor, &a)) {
		if (strncmp(a.name, name, length) == 0 &&
			(a.name[length] == '\0' || a.name[length] == '.'))
			return true;
	}
	return false;
}

bool flow_has_key(const struct flow_machine *m, const struct flow_value *value, const char *key)
{
	const struct flow_part *part = &value->parts[0];
	char name[2 * ATTRIBUTE_NAME_MAX];
	int n;

	if (value->class != FLOW_VALUE_PATH || part->space == FLOW_SPACE_STORED_INPUT)
		return false;
	n = snprintf(name, sizeof(name), "%s%s%s", part->text, part->length > 0 ? "." : "", key);
	if (n < 0 || (size_t)n >= sizeof(name))
		return false;
	if (part->space == FLOW_SPACE_FACT)
		return look_up_name(m->run, FLOW_SPACE_FACT, name, (size_t)n) != NULL;
	return has_member(store_of(m->run, (enum flow_space)part->space), name, (size_t)n);
}

/* Appends to `to`; false without room, the terminator included. */
static bool append(char *to, size_t room, size_t *length, const char *text, size_t size)
{
	if (size >= room - *length)
		return false;
	memcpy(to + *length, text, size);
	*length += size;
	return true;
}

bool flow_fill(const struct flow_machine *m, const struct flow_value *value, bool masked, char *to,
	size_t room, size_t *length)
{
	*length = 0;
	for (uint16_t i = 0; i < value->part_count; i++) {
		const struct flow_part *part = &value->parts[i];
		bool secret = masked && part->is_path && part->space == FLOW_SPACE_STORED_INPUT;
		const char *rest = "";
		const char *text = secret          ? FLOW_SECRET
				   : part->is_path ? look_up(m, part, &rest)
						   : part->text;
		size_t size = !part->is_path ? part->length : text != NULL ? strlen(text) : 0;

		if ((size > 0 && !append(to, room, length, text, size)) ||
			!append(to, room, length, rest, strlen(rest)))
			return false;
	}
	to[*length] = '\0';
	return true;
}

const char *flow_text(struct flow_machine *m, const struct flow_value *value)
{
	struct flow_effects *fx = m->effects;
	char *to = fx->text + fx->text_length;
	bool fits;
	size_t length;

	if (value->class == FLOW_VALUE_STATIC)
		return value->source != NULL ? value->source : "";
	fits = flow_fill(m, value, false, to, FLOW_EFFECT_TEXT_MAX - fx->text_length, &length);
	m->run->steps += (uint32_t)(length / FLOW_STEP_BYTES);
	if (!fits) {
		m->full = true;
		return "";
	}
	fx->text_length += (uint32_t)length + 1;
	return to;
}

const char *flow_param_text(struct flow_machine *m, enum flow_param_id id)
{
	const struct flow_param *param = flow_action_param(m->action, id);

	return param != NULL ? flow_text(m, &param->value) : "";
}

bool flow_has_param(const struct flow_machine *m, enum flow_param_id id)
{
	const struct flow_param *param = flow_action_param(m->action, id);

	return param != NULL && *param->value.source != '\0';
}

bool flow_param_number(struct flow_machine *m, enum flow_param_id id, int64_t *number)
{
	return flow_text_to_number(flow_param_text(m, id), number);
}

bool flow_param_flag(struct flow_machine *m, enum flow_param_id id, bool otherwise)
{
	bool flag;

	return flow_text_to_flag(flow_param_text(m, id), &flag) ? flag : otherwise;
}

struct flow_target flow_param_target(struct flow_machine *m)
{
	const struct flow_param *queue = flow_action_param(m->action, FLOW_PARAM_QUEUE);
	const struct flow_param *agent = flow_action_param(m->action, FLOW_PARAM_AGENT);
	const struct flow_param *param = queue != NULL ? queue : agent;
	struct flow_target target = {.queue = "", .agent = ""};

	if (param == NULL)
		return target;
	if (queue != NULL)
		target.queue = flow_text(m, &queue->value);
	else
		target.agent = flow_text(m, &agent->value);
	target.dynamic = param->value.class != FLOW_VALUE_STATIC;
	target.resource_name = param->resource_name;
	return target;
}

bool flow_target_is_lost(const struct flow_target *target)
{
	return target->dynamic && *target->queue == '\0' && *target->agent == '\0' &&
	       target->resource_name == NULL;
}

enum flow_step flow_ask_about_target(struct flow_machine *m, enum flow_effect_type type)
{
	struct flow_target target = flow_param_target(m);
	struct flow_effect *effect;

	if (m->full)
		return FLOW_STEP_FULL;
	if (flow_target_is_lost(&target))
		return flow_fail(m, FLOW_ERROR_NO_MATCHING_ERROR);
	effect = flow_ask(m, type);
	if (effect != NULL)
		effect->target = target;
	return flow_wait_answer(m, effect);
}

struct flow *flow_param_flow(struct flow_machine *m, enum flow_param_id id)
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

static bool message_kind(const struct flow_param *param, enum flow_message_kind *kind)
{
	switch (param->id) {
	case FLOW_PARAM_TEXT:
		*kind = FLOW_MESSAGE_TEXT;
		return true;
	case FLOW_PARAM_SSML:
		*kind = FLOW_MESSAGE_SSML;
		return true;
	case FLOW_PARAM_PROMPT:
		*kind = FLOW_MESSAGE_PROMPT;
		return true;
	case FLOW_PARAM_MEDIA_URI:
		*kind = FLOW_MESSAGE_MEDIA;
		return true;
	default:
		return false;
	}
}

uint16_t flow_param_messages(struct flow_machine *m, const struct flow_message **messages)
{
	struct flow_effects *fx = m->effects;
	uint16_t count = 0;

	*messages = fx->messages + fx->message_count;
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		const struct flow_param *param = &m->action->params[i];
		enum flow_message_kind kind;
		const char *text;

		if (!message_kind(param, &kind))
			continue;
		text = flow_text(m, &param->value);
		if (*text == '\0' && param->resource_name == NULL)
			continue;
		if (fx->message_count >= FLOW_MESSAGES_MAX) {
			m->full = true;
			break;
		}
		fx->messages[fx->message_count++] =
			(struct flow_message){kind, text, param->resource_name};
		count++;
	}
	return count;
}

bool flow_add_pair(struct flow_machine *m, const char *name, const char *value)
{
	if (m->effects->pair_count >= FLOW_EFFECT_PAIRS_MAX) {
		m->full = true;
		return false;
	}
	m->effects->pairs[m->effects->pair_count++] = (struct attribute){name, value};
	return true;
}

size_t flow_param_pairs(
	struct flow_machine *m, enum flow_param_id id, const struct attribute **pairs)
{
	size_t count = 0;

	*pairs = m->effects->pairs + m->effects->pair_count;
	for (uint16_t i = 0; i < m->action->param_count; i++) {
		const struct flow_param *param = &m->action->params[i];

		if (param->id != id)
			continue;
		if (!flow_add_pair(m, flow_text(m, &param->key), flow_text(m, &param->value)))
			break;
		count++;
	}
	return count;
}

/* ---- Conditions ---------------------------------------------------------------------- */

bool flow_has_room(const struct flow_machine *m)
{
	return FLOW_EFFECT_TEXT_MAX - m->effects->text_length > FLOW_OPERAND_MAX;
}

static bool compare_numbers(enum flow_operator op, const char *left, const char *right)
{
	double a, b;

	if (!flow_text_to_decimal(left, &a) || !flow_text_to_decimal(right, &b))
		return false;
	switch (op) {
	case FLOW_GREATER:
		return a > b;
	case FLOW_GREATER_OR_EQUAL:
		return a >= b;
	case FLOW_LESS:
		return a < b;
	default:
		return a <= b;
	}
}

bool flow_compare(enum flow_operator op, const char *left, const char *right)
{
	size_t n = strlen(left);
	size_t size = strlen(right);

	switch (op) {
	case FLOW_EQUALS:
		return n > 0 && strcmp(left, right) == 0;
	case FLOW_STARTS_WITH:
		return n > 0 && strncmp(left, right, size) == 0;
	case FLOW_ENDS_WITH:
		return n > 0 && size <= n && strcmp(left + n - size, right) == 0;
	case FLOW_CONTAINS:
		return n > 0 && strstr(left, right) != NULL;
	default:
		return compare_numbers(op, left, right);
	}
}
