/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/model.h"

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/check.h"
#include "flow/arena.h"

static const char *const type_names[FLOW_TYPE_COUNT] = {
	[FLOW_TYPE_UNKNOWN] = "unknown",
	[FLOW_TYPE_INBOUND] = "inbound",
	[FLOW_TYPE_CUSTOMER_QUEUE] = "customerQueue",
	[FLOW_TYPE_CUSTOMER_HOLD] = "customerHold",
	[FLOW_TYPE_CUSTOMER_WHISPER] = "customerWhisper",
	[FLOW_TYPE_AGENT_HOLD] = "agentHold",
	[FLOW_TYPE_AGENT_WHISPER] = "agentWhisper",
	[FLOW_TYPE_OUTBOUND_WHISPER] = "outboundWhisper",
	[FLOW_TYPE_AGENT_TRANSFER] = "agentTransfer",
	[FLOW_TYPE_QUEUE_TRANSFER] = "queueTransfer",
	[FLOW_TYPE_MODULE] = "module",
};

static const char *const action_names[FLOW_ACTION_COUNT] = {
#define X(id, name) [FLOW_ACTION_##id] = name,
	FLOW_ACTION_LIST(X)
#undef X
};

/* What documents or newer exports call the same action. */
static const struct {
	const char *name;
	enum flow_action_type type;
} action_aliases[] = {
	{"UpdateRoutingCriteria", FLOW_ACTION_SET_CRITERIA},
	{"UntagContact", FLOW_ACTION_UNTAG_CONTACT},
};

static const char *const error_names[FLOW_ERROR_COUNT] = {
#define X(id, name) [FLOW_ERROR_##id] = name,
	FLOW_ERROR_LIST(X)
#undef X
};

static const char *const operator_names[FLOW_OPERATOR_COUNT] = {
	[FLOW_EQUALS] = "Equals",
	[FLOW_STARTS_WITH] = "TextStartsWith",
	[FLOW_ENDS_WITH] = "TextEndsWith",
	[FLOW_CONTAINS] = "TextContains",
	[FLOW_GREATER] = "NumberGreaterThan",
	[FLOW_GREATER_OR_EQUAL] = "NumberGreaterOrEqualTo",
	[FLOW_LESS] = "NumberLessThan",
	[FLOW_LESS_OR_EQUAL] = "NumberLessOrEqualTo",
	[FLOW_KEY_EXISTS] = "KeyExists",
};

const char *flow_type_name(enum flow_type type)
{
	return (unsigned)type < FLOW_TYPE_COUNT ? type_names[type] : "?";
}

/* Without case, underscores and dashes: customerQueue, CUSTOMER_QUEUE and customer-queue. */
static bool same_word(const char *word, const char *name)
{
	for (; *word != '\0' && *name != '\0'; word++) {
		if (*word == '_' || *word == '-')
			continue;
		if (tolower((unsigned char)*word) != tolower((unsigned char)*name++))
			return false;
	}
	return *word == '\0' && *name == '\0';
}

int flow_type_parse(const char *word, enum flow_type *type)
{
	if (same_word(word, "contactFlow")) {
		*type = FLOW_TYPE_INBOUND;
		return 0;
	}
	if (same_word(word, "contactFlowModule") || same_word(word, "flowModule")) {
		*type = FLOW_TYPE_MODULE;
		return 0;
	}
	for (int i = FLOW_TYPE_INBOUND; i < FLOW_TYPE_COUNT; i++) {
		if (same_word(word, type_names[i])) {
			*type = (enum flow_type)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *flow_action_name(enum flow_action_type type)
{
	return (unsigned)type < FLOW_ACTION_COUNT ? action_names[type] : "?";
}

int flow_action_parse(const char *name, enum flow_action_type *type)
{
	for (int i = 0; i < FLOW_ACTION_COUNT; i++) {
		if (strcmp(name, action_names[i]) == 0) {
			*type = (enum flow_action_type)i;
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof(action_aliases) / sizeof(action_aliases[0]); i++) {
		if (strcmp(name, action_aliases[i].name) == 0) {
			*type = action_aliases[i].type;
			return 0;
		}
	}
	return -ENOENT;
}

const char *flow_error_name(enum flow_error error)
{
	return (unsigned)error < FLOW_ERROR_COUNT ? error_names[error] : "?";
}

const char *flow_operator_name(enum flow_operator op)
{
	return (unsigned)op < FLOW_OPERATOR_COUNT ? operator_names[op] : "?";
}

struct flow *flow_hold(struct flow *flow)
{
	uint32_t before = atomic_fetch_add_explicit(&flow->references, 1, memory_order_relaxed);

	CHECK(before > 0 && before < UINT32_MAX);
	return flow;
}

void flow_release(struct flow *flow)
{
	uint32_t before;

	if (flow == NULL)
		return;
	before = atomic_fetch_sub_explicit(&flow->references, 1, memory_order_acq_rel);
	CHECK(before > 0);
	if (before == 1)
		flow_arena_free(flow->arena); /* the flow itself lives in it */
}

const struct flow_action *flow_find_action(const struct flow *flow, const char *identifier)
{
	for (uint16_t i = 0; i < flow->action_count; i++) {
		if (strcmp(flow->actions[i].identifier, identifier) == 0)
			return &flow->actions[i];
	}
	return NULL;
}

const struct flow_param *flow_action_param(const struct flow_action *action, enum flow_param_id id)
{
	for (uint16_t i = 0; i < action->param_count; i++) {
		if (action->params[i].id == id)
			return &action->params[i];
	}
	return NULL;
}

const struct flow_param *flow_action_param_at(
	const struct flow_action *action, enum flow_param_id id, uint16_t item)
{
	for (uint16_t i = 0; i < action->param_count; i++) {
		if (action->params[i].id == id && action->params[i].item == item)
			return &action->params[i];
	}
	return NULL;
}

uint16_t flow_action_error(const struct flow_action *action, enum flow_error error)
{
	for (uint16_t i = 0; i < action->error_count; i++) {
		if (action->errors[i].error == error)
			return action->errors[i].target;
	}
	return FLOW_NO_ACTION;
}
