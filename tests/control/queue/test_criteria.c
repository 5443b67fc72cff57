/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "queue/criteria.h"

#define STEP0 "Steps[0].Expression."
#define STEP1 "Steps[1].Expression."

static const struct resource_proficiency skills[] = {
	{"Language", "Italian", 4},
	{"Language", "German", 2},
	{"Product", "Loans", 3},
};

static const struct resource_agent ann = {
	.row = {.id = "u-ann"}, .proficiencies = skills, .proficiency_count = 3};
static const struct resource_agent bob = {.row = {.id = "u-bob"}};

struct pair {
	const char *place, *value;
};

/* Built from pairs up to one without a place; what is wrong otherwise. */
static struct criteria *build(const struct pair *pairs, char wrong[CRITERIA_WRONG_SIZE])
{
	struct criteria *criteria = criteria_new();
	int rc = 0;

	assert_non_null(criteria);
	wrong[0] = '\0';
	for (; rc == 0 && pairs->place; pairs++)
		rc = criteria_set(criteria, pairs->place, pairs->value, wrong);
	if (rc == 0)
		rc = criteria_finish(criteria, wrong);
	if (rc == 0)
		return criteria;
	assert_int_equal(rc, -EINVAL);
	assert_int_not_equal(wrong[0], '\0');
	criteria_release(criteria);
	return NULL;
}

static bool fits(const struct pair *pairs, const struct resource_agent *agent)
{
	char wrong[CRITERIA_WRONG_SIZE];
	struct criteria *criteria = build(pairs, wrong);
	bool met;

	if (!criteria)
		fail_msg("%s", wrong);
	met = criteria_match(criteria, 0, agent);
	criteria_release(criteria);
	return met;
}

/* One condition on Language Italian. */
static bool level_fits(const char *comparison, const char *level)
{
	const struct pair pairs[] = {
		{STEP0 "AttributeCondition.ProficiencyLevel", level},
		{STEP0 "AttributeCondition.Name", "Language"},
		{STEP0 "AttributeCondition.Value", "Italian"},
		{STEP0 "AttributeCondition.ComparisonOperator", comparison},
		{NULL, NULL},
	};

	return fits(pairs, &ann);
}

static void levels_are_compared(void **state)
{
	assert_true(level_fits("NumberGreaterOrEqualTo", "4"));
	assert_true(level_fits("NumberGreaterOrEqualTo", "1.0"));
	assert_false(level_fits("NumberGreaterOrEqualTo", "5.0"));
	assert_true(level_fits("NumberGreaterThan", "3"));
	assert_false(level_fits("NumberGreaterThan", "4"));
	assert_false(level_fits("NumberGreaterThan", "5"));
	assert_true(level_fits("NumberLessOrEqualTo", "4"));
	assert_false(level_fits("NumberLessOrEqualTo", "3"));
	assert_true(level_fits("NumberLessThan", "5"));
	assert_false(level_fits("NumberLessThan", "4"));
	assert_false(level_fits("NumberLessThan", "1"));
	assert_true(level_fits("NumberEquals", "4"));
	assert_false(level_fits("NumberEquals", "3"));
}

#define SKILL(at, name, value, level)                                                 \
	{at "AttributeCondition.Name", name}, {at "AttributeCondition.Value", value}, \
		{at "AttributeCondition.ProficiencyLevel", level},                    \
	{                                                                             \
		at "AttributeCondition.ComparisonOperator", "NumberGreaterOrEqualTo"  \
	}
#define END                \
	{                  \
		NULL, NULL \
	}

static void expressions_join_conditions(void **state)
{
	const struct pair both[] = {SKILL(STEP0 "AndExpression[0].", "Language", "Italian", "4"),
		SKILL(STEP0 "AndExpression[1].", "Product", "Loans", "3"), END};
	const struct pair one_too_many[] = {
		SKILL(STEP0 "AndExpression[0].", "Language", "Italian", "4"),
		SKILL(STEP0 "AndExpression[1].", "Product", "Loans", "4"), END};
	const struct pair either[] = {SKILL(STEP0 "OrExpression[0].", "Language", "Italian", "5"),
		SKILL(STEP0 "OrExpression[1].AndExpression[0].", "Language", "German", "2"),
		SKILL(STEP0 "OrExpression[1].AndExpression[1].", "Product", "Loans", "1"), END};
	const struct pair neither[] = {SKILL(STEP0 "OrExpression[0].", "Language", "Italian", "5"),
		SKILL(STEP0 "OrExpression[1].AndExpression[0].", "Language", "German", "2"),
		SKILL(STEP0 "OrExpression[1].AndExpression[1].", "Product", "Cars", "1"), END};

	assert_true(fits(both, &ann));
	assert_false(fits(both, &bob));
	assert_false(fits(one_too_many, &ann));
	assert_true(fits(either, &ann));
	assert_false(fits(neither, &ann));
}

static void a_range_and_its_opposite(void **state)
{
	struct pair range[] = {
		{STEP0 "AttributeCondition.Name", "Language"},
		{STEP0 "AttributeCondition.Value", "German"},
		{STEP0 "AttributeCondition.ComparisonOperator", "Range"},
		{STEP0 "AttributeCondition.Range.MinProficiencyLevel", "2"},
		{STEP0 "AttributeCondition.Range.MaxProficiencyLevel", "3"},
		END,
	};
	struct pair not_so[] = {
		{STEP0 "NotAttributeCondition.Name", "Language"},
		{STEP0 "NotAttributeCondition.Value", "German"},
		{STEP0 "NotAttributeCondition.ComparisonOperator", "NumberGreaterOrEqualTo"},
		{STEP0 "NotAttributeCondition.ProficiencyLevel", "1"},
		END,
	};

	assert_true(fits(range, &ann));
	assert_false(fits(range, &bob));
	range[3].value = "3";
	assert_false(fits(range, &ann));
	assert_false(fits(not_so, &ann));
	assert_true(fits(not_so, &bob));
}

#define IDS STEP0 "AttributeCondition.MatchCriteria.AgentsCriteria.AgentIds"

static void agents_are_preferred_by_id_or_arn(void **state)
{
	const struct pair pairs[] = {
		{STEP0 "AttributeCondition.ComparisonOperator", "Match"},
		{IDS "[0]", "u-other"},
		{IDS "[1]", "arn:aws:connect:eu-central-1:1:instance/2/agent/u-ann"},
		END,
	};

	assert_true(fits(pairs, &ann));
	assert_false(fits(pairs, &bob));
}

static void lists_may_be_written_with_dots(void **state)
{
	const struct pair pairs[] = {
		SKILL("Steps.0.Expression.AndExpression.0.", "Language", "Italian", "4.0"),
		SKILL(STEP0 "AndExpression[1].", "Product", "Loans", "3"), END};

	assert_true(fits(pairs, &ann));
	assert_false(fits(pairs, &bob));
}

static void steps_follow_each_other(void **state)
{
	const struct pair pairs[] = {
		SKILL(STEP1, "Language", "German", "2"),
		SKILL(STEP0, "Language", "German", "5"),
		{"Steps[0].Expiry.DurationInSeconds", "10"},
		{"Steps[1].Expiry.DurationInSeconds", "5"},
		END,
	};
	char wrong[CRITERIA_WRONG_SIZE];
	struct criteria *criteria = build(pairs, wrong);
	uint64_t ends;

	assert_non_null(criteria);
	assert_int_equal(criteria_step(criteria, 0, &ends), 0);
	assert_int_equal(ends, 10 * SECOND);
	assert_int_equal(criteria_step(criteria, 10 * SECOND, &ends), 1);
	assert_int_equal(ends, 15 * SECOND);
	assert_int_equal(criteria_step(criteria, 15 * SECOND, &ends), 2);
	assert_true(ends == CRITERIA_FOREVER);
	assert_false(criteria_match(criteria, 0, &ann));
	assert_true(criteria_match(criteria, 1, &ann));
	assert_false(criteria_match(criteria, 1, &bob));
	assert_true(criteria_match(criteria, 2, &bob));
	criteria_release(criteria);
}

static void a_step_without_expiry_holds_for_good(void **state)
{
	const struct pair pairs[] = {SKILL(STEP0, "Language", "German", "2"), END};
	char wrong[CRITERIA_WRONG_SIZE];
	struct criteria *criteria = criteria_hold(build(pairs, wrong));
	uint64_t ends;

	criteria_release(criteria);
	assert_int_equal(criteria_step(criteria, 1000000 * SECOND, &ends), 0);
	assert_true(ends == CRITERIA_FOREVER);
	criteria_release(criteria);
	criteria_release(NULL);
}

#define CONDITION STEP0 "AttributeCondition."

static void malformed_criteria_are_refused(void **state)
{
	static const struct {
		struct pair pairs[6];
		const char *wrong;
	} cases[] = {
		{{END}, "at least one"},
		{{{"Steps[0].Expiry.DurationInSeconds", "30"}, END}, "an Expression in each"},
		{{{"Steps[0].Expiry.DurationInSeconds", "0"}, END}, "'0' is not possible"},
		{{{"Steps[0].Expiry.DurationInSeconds", "604801"}, END}, "not possible"},
		{{{"Steps[0].Expiry.DurationInSeconds", "3s"}, END}, "not possible"},
		{{{"Steps[10].Expiry.DurationInSeconds", "30"}, END}, "at most 10 steps"},
		{{{"Steps.Expiry", "30"}, END}, "Steps[n]"},
		{{{"Stepsize[0]", "30"}, END}, "Steps[n]"},
		{{SKILL(STEP1, "Language", "German", "2"), END}, "an Expression in each"},
		{{SKILL(STEP0, "Language", "German", "6"), END}, "'6' is not possible"},
		{{SKILL(STEP0, "Language", "German", "0"), END}, "'0' is not possible"},
		{{SKILL(STEP0, "Language", "German", "2.5"), END}, "'2.5' is not possible"},
		{{SKILL(STEP0, "Language", "", "2"), END}, "'' is not possible"},
		{{SKILL(STEP0 "AndExpression.", "Language", "German", "2"), END}, "not possible"},
		{{SKILL(STEP0 "AndExpression[999999999999].", "Language", "German", "2"), END},
			"not possible"},
		{{{CONDITION "Name", "Language"}, {CONDITION "Value", "German"},
			 {CONDITION "ProficiencyLevel", "2"}, END},
			"ComparisonOperator"},
		{{{CONDITION "Name", "Language"}, {CONDITION "Value", "German"},
			 {CONDITION "ComparisonOperator", "NumberGreaterThan"}, END},
			"ProficiencyLevel"},
		{{{CONDITION "Name", "Language"}, {CONDITION "Value", "German"},
			 {CONDITION "ComparisonOperator", "Range"},
			 {CONDITION "ProficiencyLevel", "2"}, END},
			"Range"},
		{{{CONDITION "ComparisonOperator", "Equals"}, END}, "'Equals' is not possible"},
		{{{CONDITION "ComparisonOperator", "Match"}, END}, "AgentIds"},
		{{SKILL(STEP0, "Language", "German", "2"), {IDS "[0]", "u-ann"}, END},
			"AgentIds with Match only"},
		{{{CONDITION "ComparisonOperator", "Match"}, {IDS "[0]", ""}, END}, "not possible"},
		{{{CONDITION "Colour", "red"}, END}, "Colour"},
		{{SKILL(STEP0, "Language", "German", "2"),
			 {STEP0 "OrExpression[0].AttributeCondition.Name", "x"}, END},
			"one kind of member"},
	};
	char wrong[CRITERIA_WRONG_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(build(cases[i].pairs, wrong));
		if (!strstr(wrong, cases[i].wrong))
			fail_msg("case %zu says '%s'", i, wrong);
	}
}

static void ceilings_hold(void **state)
{
	struct criteria *criteria = criteria_new();
	char wrong[CRITERIA_WRONG_SIZE], place[400], text[80];
	int rc = 0;

	for (int i = 0; i < CRITERIA_NODES_MAX && rc == 0; i++) {
		snprintf(place, sizeof(place), "%s[%d]", IDS, i);
		rc = criteria_set(criteria, place, "u-ann", wrong);
	}
	assert_int_equal(rc, -EINVAL);
	assert_non_null(strstr(wrong, "fewer"));
	criteria_release(criteria);
	criteria = criteria_new();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(criteria_set(criteria, CONDITION "Name", text, wrong), -EINVAL);
	snprintf(place, sizeof(place), STEP0);
	for (int i = 0; i <= CRITERIA_DEPTH_MAX; i++)
		strncat(place, "AndExpression[0].", sizeof(place) - strlen(place) - 1);
	strncat(place, "AttributeCondition.Name", sizeof(place) - strlen(place) - 1);
	assert_int_equal(criteria_set(criteria, place, "x", wrong), -EINVAL);
	criteria_release(criteria);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_compared),
		cmocka_unit_test(expressions_join_conditions),
		cmocka_unit_test(a_range_and_its_opposite),
		cmocka_unit_test(agents_are_preferred_by_id_or_arn),
		cmocka_unit_test(lists_may_be_written_with_dots),
		cmocka_unit_test(steps_follow_each_other),
		cmocka_unit_test(a_step_without_expiry_holds_for_good),
		cmocka_unit_test(malformed_criteria_are_refused),
		cmocka_unit_test(ceilings_hold),
	};

	return cmocka_run_group_tests_name("criteria", tests, NULL, NULL);
}
