/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criteria: what a contact asks of the agent who takes it, in steps. Each step is an expression and
 * the time that it holds; then the next applies, and after the last any agent will do. A step
 * without an expiry holds for good, so that what stands behind it is never reached. The clock is
 * the router's (router.h).
 *
 *   expression  one of AttributeCondition, NotAttributeCondition,
 *               AndExpression[n] and OrExpression[n], whose members are expressions again
 *   condition   Name, Value, ComparisonOperator and ProficiencyLevel: the agent's proficiency (an
 *               agent without it meets no such condition); NumberGreaterOrEqualTo, -GreaterThan,
 *               -LessOrEqualTo, -LessThan, -Equals, and Range with Range.Min- and
 *               Range.MaxProficiencyLevel
 *               or Match and MatchCriteria.AgentsCriteria.AgentIds[n]: one of these agents, each by
 *               id or ARN
 *
 * Criteria are built from places and values as they stand in the action's RoutingCriteria
 * ("Steps[0].Expression.AttributeCondition.Name" -> "Language"; Steps.0 is Steps[0]), in any order,
 * and judged when complete. From then on they do not change and are shared by counting holders.
 *
 * Source: the action UpdateContactRoutingCriteria. The ceilings are ours.
 */
#ifndef CRITERIA_H
#define CRITERIA_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/resources.h"

enum {
	CRITERIA_STEPS_MAX = 10,
	CRITERIA_NODES_MAX = 256,          /* expressions, conditions and agents of all steps */
	CRITERIA_DEPTH_MAX = 8,            /* expressions inside each other */
	CRITERIA_EXPIRY_MAX_S = 7 * 86400, /* of one step */
	CRITERIA_WRONG_SIZE = 200,
};

#define CRITERIA_FOREVER UINT64_MAX

struct criteria;

/* Empty criteria with one holder; NULL without memory. */
struct criteria *criteria_new(void);

struct criteria *criteria_hold(struct criteria *criteria);

/* NULL is nobody's. */
void criteria_release(struct criteria *criteria);

/* Adds a value. -EINVAL with what is wrong, -ENOMEM. */
int criteria_set(struct criteria *criteria, const char *place, const char *value,
	char wrong[CRITERIA_WRONG_SIZE]);

/* Judges the whole; to be called once, before it is used. -EINVAL with what is wrong. */
int criteria_finish(struct criteria *criteria, char wrong[CRITERIA_WRONG_SIZE]);

/* The step that applies after a time; the number of steps when all are over. *ends_ns is when, on
 * the same clock, it ends: CRITERIA_FOREVER for never. */
uint32_t criteria_step(const struct criteria *criteria, uint64_t elapsed_ns, uint64_t *ends_ns);

/* Whether an agent meets a step; everybody does when all are over. */
bool criteria_match(
	const struct criteria *criteria, uint32_t step, const struct resource_agent *agent);

#endif
