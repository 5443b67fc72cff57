/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every action type and every branch it has, in the simulator. branches.json is the table
 * (branch_case.h). What the rules of the language and ../shared/flows/actions.tsv list must be in
 * it, and tests/README.md shows it: CORDBOARD_WRITE_COVERAGE=1 writes that part anew.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "branch_case.h"
#include "flow/rules.h"
#include "support.h"

#define TABLE_BEGIN "<!-- action types: written by test_branches.c -->\n"
#define LETTERS     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TABLE_END   "<!-- end of the action types -->\n"

static json_t *table; /* a list of types */

static bool is(const json_t *text, const char *word)
{
	return json_is_string(text) && strcmp(json_string_value(text), word) == 0;
}

static void every_branch_is_taken(void **state)
{
	int bad = 0, count = 0;
	size_t index, i;
	json_t *row, *one;

	(void)state;
	json_array_foreach(table, index, row)
	{
		const char *type = json_string_value(json_object_get(row, "type"));

		json_array_foreach(json_object_get(row, "cases"), i, one)
		{
			bad += branch_case_judge(type, one);
			count++;
		}
	}
	print_message("%zu action types, %d cases\n", json_array_size(table), count);
	assert_int_equal(bad, 0);
}

/* ---- nothing is left out ------------------------------------------------------------- */

static const json_t *row_of(const char *type)
{
	size_t index;
	json_t *row;

	json_array_foreach(table, index, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "type")), type) == 0)
			return row;
	}
	return NULL;
}

static bool has_case(const json_t *row, const char *branch)
{
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(row, "cases"), index, one)
	{
		const json_t *found = json_object_get(one, "branch");

		if (found != NULL && strcmp(json_string_value(found), branch) == 0)
			return true;
	}
	return false;
}

/* Tried, or said to be impossible, and not both. */
static int judge_branch(const char *type, const char *branch)
{
	const json_t *row = row_of(type);
	bool never = json_object_get(json_object_get(row, "never"), branch) != NULL;
	bool tried = has_case(row, branch);

	if (tried != never)
		return 0;
	print_error("%s: %s is %s\n", type, branch,
		tried ? "tried, and said never to be taken" : "neither tried nor accounted for");
	return 1;
}

static void no_branch_of_the_rules_is_left_out(void **state)
{
	int bad = 0;

	(void)state;
	assert_int_equal(json_array_size(table), FLOW_ACTION_COUNT);
	for (int type = 0; type < FLOW_ACTION_COUNT; type++) {
		const struct flow_action_rule *rule = flow_action_rule((enum flow_action_type)type);
		const char *name = flow_action_name((enum flow_action_type)type);

		if (row_of(name) == NULL)
			fail_msg("no row for %s", name);
		if (rule->follow == FLOW_FOLLOW_NEXT)
			bad += judge_branch(name, "NextAction");
		for (int error = 0; error < FLOW_ERROR_COUNT; error++)
			if (rule->errors & (1u << error))
				bad += judge_branch(name, flow_error_name((enum flow_error)error));
	}
	assert_int_equal(bad, 0);
}

/* Operands and operators that the language names one by one. */
static const struct {
	const char *type, *words;
} word_rows[] = {
	{"MessageParticipantIteratively", "MessagesInterrupted"},
	{"GetParticipantInput",
		"0 1 2 3 4 5 6 7 8 9 * # InputTimeLimitExceeded NoMatchingCondition "
		"InvalidPhoneNumber"},
	{"CheckHoursOfOperation", "True False"},
	{"Loop", "ContinueLooping DoneLooping"},
	{"Wait", "WaitCompleted CustomerReturned BotParticipantDisconnected"},
	{"CheckOutboundCallStatus", "CallAnswered VoicemailBeep VoicemailNoBeep NotDetected"},
	{"CheckVoiceId",
		"Enrolled NotEnrolled OptedOut Authenticated NotAuthenticated Inconclusive "
		"HighRisk LowRisk"},
	{"TransferParticipantToThirdParty", "NextAction CallFailed ConnectionTimeLimitExceeded"},
};

static void no_word_of_the_language_is_left_out(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(word_rows) / sizeof(word_rows[0]); i++) {
		char words[200];
		char *rest = words, *word;

		snprintf(words, sizeof(words), "%s", word_rows[i].words);
		while ((word = strsep(&rest, " ")) != NULL)
			bad += judge_branch(word_rows[i].type, word);
	}
	assert_int_equal(bad, 0);
}

/* A case with this parameter (its value, if one is wanted) by this branch. */
static bool has_parameter(const char *type, const char *branch, const char *object,
	const char *name, const char *value)
{
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(row_of(type), "cases"), index, one)
	{
		const json_t *parameters = json_object_get(one, "parameters");
		const json_t *found = json_object_get(
			object != NULL ? json_object_get(parameters, object) : parameters, name);
		const char *taken = json_string_value(json_object_get(one, "branch"));

		if (found != NULL && taken != NULL && strcmp(taken, branch) == 0 &&
			(value == NULL || is(found, value)))
			return true;
	}
	return false;
}

static bool has_operator(const char *op, bool held)
{
	size_t index;
	json_t *one;

	json_array_foreach(json_object_get(row_of("Compare"), "cases"), index, one)
	{
		const json_t *conditions = json_object_get(one, "conditions");
		const char *branch = json_string_value(json_object_get(one, "branch"));

		if (json_array_size(conditions) == 1 &&
			is(json_array_get(json_array_get(conditions, 0), 0), op) &&
			(strcmp(branch, "NoMatchingCondition") != 0) == held)
			return true;
	}
	return false;
}

static void no_operator_hook_or_metric_is_left_out(void **state)
{
	char metrics[] = FLOW_METRIC_CHOICES;
	char *rest = metrics, *metric;

	(void)state;
	for (int op = 0; op < FLOW_OPERATOR_COUNT; op++) {
		const char *name = flow_operator_name((enum flow_operator)op);

		if (!has_operator(name, true) || !has_operator(name, false))
			fail_msg("Compare: no case for %s, true and false", name);
	}
	for (int hook = 0; hook < FLOW_HOOK_COUNT; hook++) {
		const char *name = flow_hook_name((enum flow_hook)hook);

		if (!has_parameter(
			    "UpdateContactEventHooks", "NextAction", "EventHooks", name, NULL))
			fail_msg("UpdateContactEventHooks: no case for %s", name);
	}
	while ((metric = strsep(&rest, " ")) != NULL) {
		if (!has_parameter(
			    "CheckMetricData", "NoMatchingCondition", NULL, "MetricType", metric))
			fail_msg("CheckMetricData: no case for %s", metric);
	}
}

/* The errors that are words of this text. */
static int judge_words(const char *type, const char *text)
{
	int bad = 0;

	for (const char *word = text; *word != '\0';) {
		size_t length = strspn(word, LETTERS);

		for (int error = 0; error < FLOW_ERROR_COUNT; error++) {
			const char *name = flow_error_name((enum flow_error)error);

			if (strlen(name) == length && strncmp(word, name, length) == 0)
				bad += judge_branch(type, name);
		}
		word += length > 0 ? length : 1;
	}
	return bad;
}

/* One line of the page: "CreateCase/GetCase\t...\t...\t...\tbranches and errors\t...". */
static int judge_line(char *line)
{
	char *fields[5] = {0};
	char *types, *type, *rest = line;
	int bad = 0;

	for (size_t i = 0; i < 5; i++)
		fields[i] = strsep(&rest, "\t");
	if (fields[4] == NULL)
		return 0;
	types = fields[0];
	types[strcspn(types, " ")] = '\0'; /* "(docs: ...)" */
	while ((type = strsep(&types, "/")) != NULL) {
		if (row_of(type) == NULL)
			fail_msg("no row for %s", type);
		bad += judge_words(type, fields[4]);
	}
	return bad;
}

static void no_branch_of_the_page_is_left_out(void **state)
{
	const char *shared = getenv("CORDBOARD_SHARED");
	char path[2048];
	size_t length;
	char *text, *rest, *line;
	int bad = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/flows/actions.tsv",
		shared != NULL ? shared : SOURCE_ROOT "/../shared");
	text = read_file(path, &length);
	if (text == NULL) {
		print_message("skipped: no %s; name its folder in CORDBOARD_SHARED\n", path);
		skip();
	}
	rest = text;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) != NULL)
		bad += judge_line(line);
	free(text);
	assert_int_equal(bad, 0);
}

/* ---- the page ------------------------------------------------------------------------ */

/* "Equals True" of the condition with this operand; else the branch itself. */
static void name_branch(char *to, size_t size, const json_t *one)
{
	const json_t *branch = json_object_get(one, "branch");
	const json_t *outcome = json_object_get(one, "outcome");
	size_t index;
	json_t *pair;

	if (branch == NULL) {
		snprintf(to, size, "ends: %s", json_string_value(outcome));
		return;
	}
	snprintf(to, size, "%s", json_string_value(branch));
	json_array_foreach(json_object_get(one, "conditions"), index, pair)
	{
		if (json_equal(json_array_get(pair, 1), branch))
			snprintf(to, size, "%s %s", json_string_value(json_array_get(pair, 0)),
				json_string_value(branch));
	}
}

static void put_row(FILE *to, const json_t *row)
{
	json_t *named = json_array();
	size_t index, i, count = 0;
	const char *never;
	json_t *one, *known, *reason;

	fprintf(to, "| %s | ", json_string_value(json_object_get(row, "type")));
	json_array_foreach(json_object_get(row, "cases"), index, one)
	{
		char name[160];
		bool new = true;

		/* files that are whole take branches that other cases name better */
		if (json_object_get(one, "whole") != NULL && json_object_get(one, "branch") != NULL)
			continue;
		name_branch(name, sizeof(name), one);
		json_array_foreach(named, i, known) new =
			new &&strcmp(json_string_value(known), name) != 0;
		if (!new)
			continue;
		fprintf(to, "%s%s", json_array_size(named) > 0 ? ", " : "", name);
		json_array_append_new(named, json_string(name));
	}
	fprintf(to, " | %zu | ", json_array_size(json_object_get(row, "cases")));
	json_object_foreach(json_object_get(row, "never"), never, reason)
		fprintf(to, "%s%s: %s", count++ > 0 ? "; " : "", never, json_string_value(reason));
	fputs(count > 0 ? " |\n" : "|\n", to);
	json_decref(named);
}

static char *table_text(void)
{
	size_t size, index;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);
	json_t *row;

	fputs("| Action type | Branches tried | Cases | Never on a voice contact |\n"
	      "|---|---|---|---|\n",
		to);
	json_array_foreach(table, index, row) put_row(to, row);
	fclose(to);
	return text;
}

static void write_page(const char *path, const char *page, const char *from, const char *behind)
{
	char *wanted = table_text();
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fprintf(to, "%.*s%s%s", (int)(from - page), page, wanted, behind);
	fclose(to);
	free(wanted);
}

static void the_page_shows_what_is_tried(void **state)
{
	const char *path = SOURCE_ROOT "/tests/README.md";
	char *wanted = table_text();
	char *from, *behind, *page;
	size_t length;

	(void)state;
	page = read_file(path, &length);
	assert_non_null(page);
	from = strstr(page, TABLE_BEGIN);
	behind = strstr(page, TABLE_END);
	assert_non_null(from);
	assert_non_null(behind);
	from += strlen(TABLE_BEGIN);
	if (getenv("CORDBOARD_WRITE_COVERAGE") != NULL)
		write_page(path, page, from, behind);
	else if (behind < from || strlen(wanted) != (size_t)(behind - from) ||
		 strncmp(from, wanted, strlen(wanted)) != 0)
		fail_msg("tests/README.md differs: CORDBOARD_WRITE_COVERAGE=1 writes it anew");
	free(wanted);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_branch_is_taken),
		cmocka_unit_test(no_branch_of_the_rules_is_left_out),
		cmocka_unit_test(no_word_of_the_language_is_left_out),
		cmocka_unit_test(no_operator_hook_or_metric_is_left_out),
		cmocka_unit_test(no_branch_of_the_page_is_left_out),
		cmocka_unit_test(the_page_shows_what_is_tried),
	};
	json_error_t error;
	int rc;

	table = json_load_file(
		SOURCE_ROOT "/tests/control/flow/branches.json", JSON_REJECT_DUPLICATES, &error);
	if (table == NULL) {
		fprintf(stderr, "branches.json:%d: %s\n", error.line, error.text);
		return 1;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(table);
	return rc;
}
