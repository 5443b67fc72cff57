/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/criteria.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

enum {
	NODES_FIRST_ROOM = 8,
	INDEX_NONE = CRITERIA_NODES_MAX,
	NODE_NONE = CRITERIA_NODES_MAX,
};

#define SECOND_NS 1000000000ULL

/* Words that lead to a node. */
#define WORDS(X)                                  \
	X(EXPRESSION, "Expression")               \
	X(AND, "AndExpression")                   \
	X(OR, "OrExpression")                     \
	X(CONDITION, "AttributeCondition")        \
	X(NOT_CONDITION, "NotAttributeCondition") \
	X(AGENT, "MatchCriteria.AgentsCriteria.AgentIds")

enum word {
#define X(name, text) WORD_##name,
	WORDS(X)
#undef X
};

static const char *const word_texts[] = {
#define X(name, text) [WORD_##name] = text,
	WORDS(X)
#undef X
};

/* What ComparisonOperator may be. */
enum comparison { UNSET, AT_LEAST, ABOVE, AT_MOST, BELOW, EQUALS, RANGE, MATCH };

static const char *const comparison_texts[] = {
	[UNSET] = "",
	[AT_LEAST] = "NumberGreaterOrEqualTo",
	[ABOVE] = "NumberGreaterThan",
	[AT_MOST] = "NumberLessOrEqualTo",
	[BELOW] = "NumberLessThan",
	[EQUALS] = "NumberEquals",
	[RANGE] = "Range",
	[MATCH] = "Match",
};

/* The children of a node stand behind it. */
struct node {
	enum word word;
	uint32_t index;  /* in the list of its parent; INDEX_NONE outside of a list */
	uint32_t parent; /* NODE_NONE: the step's expression */
	uint32_t step;
	uint32_t children;
	enum comparison comparison;
	uint32_t level, min, max; /* as read; 0: not given. min and max are what counts at last */
	char name[RESOURCE_PROFICIENCY_TEXT_MAX + 1]; /* of the attribute; an agent's id */
	char value[RESOURCE_PROFICIENCY_TEXT_MAX + 1];
};

struct criteria {
	uint32_t holders;
	uint32_t step_count;
	uint32_t node_count, node_room;
	uint64_t lasts_ns[CRITERIA_STEPS_MAX]; /* 0: for good */
	struct node *nodes;
};

struct criteria *criteria_new(void)
{
	struct criteria *criteria = calloc(1, sizeof(*criteria));

	if (criteria)
		criteria->holders = 1;
	return criteria;
}

struct criteria *criteria_hold(struct criteria *criteria)
{
	if (criteria)
		criteria->holders++;
	return criteria;
}

void criteria_release(struct criteria *criteria)
{
	if (!criteria || --criteria->holders)
		return;
	free(criteria->nodes);
	free(criteria);
}

/* ---- reading a place ---- */

static int refuse(char wrong[CRITERIA_WRONG_SIZE], const char *place, const char *expected)
{
	snprintf(wrong, CRITERIA_WRONG_SIZE, "%.80s: expected %s", place, expected);
	return -EINVAL;
}

/* Takes a word and the dot behind it. */
static bool take_word(const char **rest, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*rest, word, length) != 0 || !strchr(".[", (*rest)[length]))
		return false;
	*rest += length + ((*rest)[length] == '.');
	return true;
}

/* Takes "[n]", or "n", and the dot behind it; -EINVAL when there is none below a ceiling. */
static int take_index(const char **rest, uint32_t max, uint32_t *index)
{
	const char *c = *rest;
	bool bracket = *c == '[';
	uint32_t number = 0;

	c += bracket;
	if (*c < '0' || *c > '9')
		return -EINVAL;
	for (; *c >= '0' && *c <= '9' && number < max; c++)
		number = number * 10 + (uint32_t)(*c - '0');
	if ((bracket && *c++ != ']') || number >= max || !strchr(".", *c))
		return -EINVAL;
	*index = number;
	*rest = c + (*c == '.');
	return 0;
}

/* ---- building ---- */

static int add_node(struct criteria *criteria, const struct node *node)
{
	uint32_t room = criteria->node_room ? criteria->node_room * 2 : NODES_FIRST_ROOM;
	struct node *grown;

	if (criteria->node_count == CRITERIA_NODES_MAX)
		return -ENOSPC;
	if (criteria->node_count == criteria->node_room) {
		grown = realloc(criteria->nodes, room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		criteria->nodes = grown;
		criteria->node_room = room;
	}
	criteria->nodes[criteria->node_count++] = *node;
	if (node->parent != NODE_NONE)
		criteria->nodes[node->parent].children++;
	return 0;
}

/* The node at this place below another, made when it is not there yet. */
static int find_node(struct criteria *criteria, const struct node *wanted, uint32_t *at)
{
	for (*at = 0; *at < criteria->node_count; ++*at) {
		const struct node *node = &criteria->nodes[*at];
		if (node->parent == wanted->parent && node->step == wanted->step &&
			node->word == wanted->word && node->index == wanted->index)
			return 0;
	}
	return add_node(criteria, wanted);
}

/* From an expression to one of its list: the list is a node, and so is the member. */
static int enter_list(
	struct criteria *criteria, struct node *wanted, const char **rest, uint32_t *at)
{
	uint32_t index;
	int rc;

	if (take_index(rest, CRITERIA_NODES_MAX, &index))
		return -EINVAL;
	rc = find_node(criteria, wanted, at);
	if (rc)
		return rc;
	wanted->parent = *at;
	wanted->word = WORD_EXPRESSION;
	wanted->index = index;
	rc = find_node(criteria, wanted, at);
	wanted->parent = *at;
	wanted->index = INDEX_NONE;
	return rc;
}

/* Walks down to the condition that a place lies in; `rest` is behind it. */
static int find_condition(struct criteria *criteria, uint32_t step, const char **rest, uint32_t *at)
{
	struct node wanted = {
		.word = WORD_EXPRESSION, .index = INDEX_NONE, .parent = NODE_NONE, .step = step};
	int rc = find_node(criteria, &wanted, at);

	wanted.parent = *at;
	for (int depth = 0; rc == 0 && depth < CRITERIA_DEPTH_MAX; depth++) {
		if (take_word(rest, word_texts[WORD_AND]))
			wanted.word = WORD_AND;
		else if (take_word(rest, word_texts[WORD_OR]))
			wanted.word = WORD_OR;
		else
			break;
		rc = enter_list(criteria, &wanted, rest, at);
	}
	if (rc)
		return rc;
	if (take_word(rest, word_texts[WORD_CONDITION]))
		wanted.word = WORD_CONDITION;
	else if (take_word(rest, word_texts[WORD_NOT_CONDITION]))
		wanted.word = WORD_NOT_CONDITION;
	else
		return -EINVAL;
	return find_node(criteria, &wanted, at);
}

/* ---- values ---- */

/* 1 to 5, as a whole number or with a point and zeroes. */
static int read_level(const char *text, uint32_t *level)
{
	if (*text < '1' || *text > '0' + RESOURCE_PROFICIENCY_LEVEL_MAX)
		return -EINVAL;
	if (text[1] != '\0' && (text[1] != '.' || text[2 + strspn(text + 2, "0")] != '\0'))
		return -EINVAL;
	*level = (uint32_t)(*text - '0');
	return 0;
}

static int read_comparison(const char *text, enum comparison *comparison)
{
	for (uint32_t i = AT_LEAST; i <= MATCH; i++) {
		if (strcmp(text, comparison_texts[i]) != 0)
			continue;
		*comparison = (enum comparison)i;
		return 0;
	}
	return -EINVAL;
}

static int read_text(const char *text, char out[RESOURCE_PROFICIENCY_TEXT_MAX + 1])
{
	if (*text == '\0')
		return -EINVAL;
	return str_copy(str_from(text), out, RESOURCE_PROFICIENCY_TEXT_MAX + 1) ? -EINVAL : 0;
}

static int read_seconds(const char *text, uint64_t *lasts_ns)
{
	uint64_t seconds = 0;

	for (; *text >= '0' && *text <= '9' && seconds <= CRITERIA_EXPIRY_MAX_S; text++)
		seconds = seconds * 10 + (uint64_t)(*text - '0');
	if (*text != '\0' || seconds == 0 || seconds > CRITERIA_EXPIRY_MAX_S)
		return -EINVAL;
	*lasts_ns = seconds * SECOND_NS;
	return 0;
}

/* A member of AgentIds: the id, or an ARN that ends with it. */
static int set_agent(
	struct criteria *criteria, uint32_t condition, const char *rest, const char *value)
{
	struct node wanted = {
		.word = WORD_AGENT, .parent = condition, .step = criteria->nodes[condition].step};
	const char *slash = strrchr(value, '/');
	uint32_t at;

	if (take_index(&rest, CRITERIA_NODES_MAX, &wanted.index) || *rest != '\0' ||
		read_text(slash ? slash + 1 : value, wanted.name))
		return -EINVAL;
	return find_node(criteria, &wanted, &at);
}

static int set_in_condition(
	struct criteria *criteria, uint32_t at, const char *rest, const char *value)
{
	struct node *node = &criteria->nodes[at];

	if (take_word(&rest, word_texts[WORD_AGENT]))
		return set_agent(criteria, at, rest, value);
	if (strcmp(rest, "Name") == 0)
		return read_text(value, node->name);
	if (strcmp(rest, "Value") == 0)
		return read_text(value, node->value);
	if (strcmp(rest, "ComparisonOperator") == 0)
		return read_comparison(value, &node->comparison);
	if (strcmp(rest, "ProficiencyLevel") == 0)
		return read_level(value, &node->level);
	if (strcmp(rest, "Range.MinProficiencyLevel") == 0)
		return read_level(value, &node->min);
	if (strcmp(rest, "Range.MaxProficiencyLevel") == 0)
		return read_level(value, &node->max);
	return -EINVAL;
}

static int set_in_step(
	struct criteria *criteria, uint32_t step, const char *rest, const char *value)
{
	uint32_t at;
	int rc;

	if (strcmp(rest, "Expiry.DurationInSeconds") == 0)
		return read_seconds(value, &criteria->lasts_ns[step]);
	if (!take_word(&rest, word_texts[WORD_EXPRESSION]))
		return -EINVAL;
	rc = find_condition(criteria, step, &rest, &at);
	return rc ? rc : set_in_condition(criteria, at, rest, value);
}

int criteria_set(struct criteria *criteria, const char *place, const char *value,
	char wrong[CRITERIA_WRONG_SIZE])
{
	const char *rest = place;
	uint32_t step;
	int rc;

	if (!take_word(&rest, "Steps") || take_index(&rest, CRITERIA_STEPS_MAX, &step))
		return refuse(wrong, place, "Steps[n], with at most 10 steps");
	if (step >= criteria->step_count)
		criteria->step_count = step + 1;
	rc = set_in_step(criteria, step, rest, value);
	if (rc == -EINVAL)
		snprintf(wrong, CRITERIA_WRONG_SIZE, "%.80s: '%.60s' is not possible here", place,
			value);
	else if (rc == -ENOSPC)
		rc = refuse(wrong, place, "fewer conditions and agents");
	return rc;
}

/* ---- judging the whole ---- */

/* What the levels of a condition amount to. */
static int settle_levels(struct node *node)
{
	uint32_t max = RESOURCE_PROFICIENCY_LEVEL_MAX, level = node->level;

	if (node->comparison == RANGE)
		return node->min && node->max && node->min <= node->max ? 0 : -EINVAL;
	if (level == 0)
		return -EINVAL;
	node->min = node->comparison == AT_LEAST || node->comparison == EQUALS ? level
		    : node->comparison == ABOVE                                ? level + 1
									       : 1;
	node->max = node->comparison == AT_MOST || node->comparison == EQUALS ? level
		    : node->comparison == BELOW                               ? level - 1
									      : max;
	return 0;
}

static const char *judge_condition(struct node *node)
{
	if (node->comparison == UNSET)
		return "a ComparisonOperator in each condition";
	if (node->comparison == MATCH)
		return node->children ? NULL : "AgentIds with Match";
	if (node->children)
		return "AgentIds with Match only";
	if (!node->name[0] || !node->value[0])
		return "Name and Value in each condition";
	return settle_levels(node) ? "a ProficiencyLevel of 1 to 5, or a Range, in each condition"
				   : NULL;
}

static const char *judge(struct node *node)
{
	switch (node->word) {
	case WORD_EXPRESSION:
		return node->children == 1 ? NULL : "one kind of member in each Expression";
	case WORD_CONDITION:
	case WORD_NOT_CONDITION:
		return judge_condition(node);
	case WORD_AND:
	case WORD_OR:
	case WORD_AGENT:
		break;
	}
	return NULL;
}

int criteria_finish(struct criteria *criteria, char wrong[CRITERIA_WRONG_SIZE])
{
	uint32_t expressions = 0;
	char place[32] = "Steps";

	for (uint32_t i = 0; i < criteria->node_count; i++) {
		struct node *node = &criteria->nodes[i];
		const char *expected = judge(node);
		snprintf(place, sizeof(place), "Steps[%u]", node->step);
		if (expected)
			return refuse(wrong, place, expected);
		expressions += node->parent == NODE_NONE;
	}
	if (criteria->step_count == 0)
		return refuse(wrong, "Steps", "at least one");
	if (expressions != criteria->step_count)
		return refuse(wrong, "Steps", "an Expression in each");
	return 0;
}

/* ---- asking ---- */

uint32_t criteria_step(const struct criteria *criteria, uint64_t elapsed_ns, uint64_t *ends_ns)
{
	uint64_t end_ns = 0;

	*ends_ns = CRITERIA_FOREVER;
	for (uint32_t step = 0; step < criteria->step_count; step++) {
		if (criteria->lasts_ns[step] == 0)
			return step;
		end_ns += criteria->lasts_ns[step];
		if (elapsed_ns >= end_ns)
			continue;
		*ends_ns = end_ns;
		return step;
	}
	return criteria->step_count;
}

static bool is_proficient(const struct node *node, const struct resource_agent *agent)
{
	for (uint32_t i = 0; i < agent->proficiency_count; i++) {
		const struct resource_proficiency *one = &agent->proficiencies[i];
		if (one->level >= node->min && one->level <= node->max &&
			strcmp(one->attribute, node->name) == 0 &&
			strcmp(one->value, node->value) == 0)
			return true;
	}
	return false;
}

/* What a node holds of an agent, when `any` and `all` of its children are known. */
static bool holds(const struct node *node, const struct resource_agent *agent, bool any, bool all)
{
	switch (node->word) {
	case WORD_AGENT:
		return strcmp(node->name, agent->row.id) == 0;
	case WORD_CONDITION:
		return node->comparison == MATCH ? any : is_proficient(node, agent);
	case WORD_NOT_CONDITION:
		return node->comparison == MATCH ? !any : !is_proficient(node, agent);
	case WORD_OR:
		return any;
	case WORD_EXPRESSION:
	case WORD_AND:
		break;
	}
	return all;
}

/* From the last node to the first, so that each comes after its children. */
bool criteria_match(
	const struct criteria *criteria, uint32_t step, const struct resource_agent *agent)
{
	bool any[CRITERIA_NODES_MAX], some_not[CRITERIA_NODES_MAX], held = true;

	if (step >= criteria->step_count)
		return true;
	memset(any, 0, criteria->node_count * sizeof(any[0]));
	memset(some_not, 0, criteria->node_count * sizeof(some_not[0]));
	for (uint32_t i = criteria->node_count; i-- > 0;) {
		const struct node *node = &criteria->nodes[i];
		if (node->step != step)
			continue;
		held = holds(node, agent, any[i], !some_not[i]);
		if (node->parent == NODE_NONE)
			return held;
		any[node->parent] |= held;
		some_not[node->parent] |= !held;
	}
	CHECK(false);
	return held;
}
