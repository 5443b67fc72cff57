/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of the example instance, played along the paths that their README tells of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "flow/simulator.h"
#include "support.h"

struct played {
	struct instance *instance;
	char path[8000]; /* "Ask=3 Tell=NextAction …" */
	char spoken[4000];
};

static struct flow *find_flow(void *ctx, const char *reference)
{
	return instance_flow(((struct played *)ctx)->instance, reference);
}

static void add(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);

	snprintf(to + n, size - n, "%s", text);
}

static void on_line(void *ctx, const char *text)
{
	struct played *played = ctx;
	json_t *line = json_loads(text, 0, NULL), *parameters;
	const char *action = json_string_value(json_object_get(line, "action"));
	const char *branch = json_string_value(json_object_get(line, "branch"));
	const char *name;
	json_t *value;

	assert_non_null(line);
	if (action) {
		add(played->path, sizeof(played->path), "|");
		add(played->path, sizeof(played->path), action);
		add(played->path, sizeof(played->path), "=");
		add(played->path, sizeof(played->path), branch ? branch : "");
	}
	parameters = json_object_get(line, "parameters");
	json_object_foreach(parameters, name, value) if (json_is_string(value))
		add(played->spoken, sizeof(played->spoken), json_string_value(value));
	json_decref(line);
}

static void play(struct fixture *f, const char *flow, const char *script, struct played *played)
{
	struct report report;
	struct simulator simulator = {.script = script,
		.script_length = strlen(script),
		.script_file = "script",
		.ctx = played,
		.find_flow = find_flow,
		.line = on_line};

	report_init(&report);
	*played = (struct played){.instance = f->instance};
	simulator.flow = instance_flow(f->instance, flow);
	assert_non_null(simulator.flow);
	if (simulator_run(&simulator, &report) < 0)
		report_print(&report, stderr);
	assert_int_equal(report_count(&report, REPORT_ERROR), 0);
	report_clear(&report);
}

static void the_paths_of_the_readme(void **state)
{
	static const struct {
		const char *flow, *script, *path;
	} rows[] = {
		{"Main line",
			"{\"answers\": {\"Ask\": [{\"keys\": \"3\"}, {\"keys\": \"2\"}, {\"keys\": "
			"\"5\"}], \"Ask for the number\": {\"keys\": \"1043#\"}, \"Look it up\": "
			"{\"json\": {\"found\": \"true\", \"status\": \"is on its way\"}}}, "
			"\"events\": [{\"at\": 30000, \"do\": \"take\"}, {\"at\": 60000, \"do\": "
			"\"leave\"}]}",
			"|Ask=3|Ask for the number=NextAction|Typed?=NoMatchingCondition|Remember="
			"NextAction|Look it up=NextAction|Known?=true|Found=|Find the parcel=Found|"
			"Tell=NextAction|Ask=2|Returns=NextAction|Survey afterwards=NextAction|"},
		{"Main line",
			"{\"answers\": {\"Ask\": {\"keys\": \"3\"}, \"Ask for the number\": "
			"{\"keys\": "
			"\"1043#\"}, \"Look it up\": {\"result\": \"error\"}}}",
			"|Unavailable=|Find the parcel=Unavailable|No answer=NextAction|Orders="},
		{"Main line", "{\"answers\": {\"Ask\": {\"keys\": \"3\"}}}",
			"|Again?=DoneLooping|NotFound=|Find the parcel=NotFound|Not found="},
		{"Main line",
			"{\"answers\": {\"Ask\": {\"keys\": \"4\"}, \"Call the courier\": "
			"{\"result\": \"ended\"}}}",
			"|Courier=|Tell=NextAction|Call the courier=NextAction|Back=NextAction|"
			"Orders=NextAction|Queue=|Wait with music="},
		{"Courier line",
			"{\"answers\": {\"Call the courier\": {\"result\": \"call_failed\"}}}",
			"|Call the courier=CallFailed|Busy=NextAction|Orders="},
		{"Courier line", "{\"answers\": {\"Call the courier\": {\"result\": \"timeout\"}}}",
			"|Call the courier=ConnectionTimeLimitExceeded|Nobody=NextAction|"},
		{"Courier line", "{\"answers\": {\"Call the courier\": {\"result\": \"error\"}}}",
			"|Call the courier=NoMatchingError|Sorry=NextAction|Orders="},
		{"Waiting line",
			"{\"facts\": {\"Queue.Name\": \"Orders\"}, \"answers\": {\"Offer\": "
			"{\"keys\": "
			"\"2\"}, \"To returns\": [{\"result\": \"at_capacity\"}, {\"result\": "
			"\"ok\"}]}}",
			"|To returns=QueueAtCapacity|Full=NextAction|Keep waiting=|Wait with music="
			"MessagesInterrupted|Offer=2|Which desk?=Orders|To "
			"returns=NextAction|Moved="},
		{"Waiting line",
			"{\"answers\": {\"Offer\": {\"keys\": \"1\"}, \"Caller's own number\": "
			"{\"result\": \"not_dialable\"}, \"Ask for a number\": {\"keys\": "
			"\"2025550143\"}}}",
			"|Ask for a number=NextAction|Typed number=NextAction|Call back=NextAction|"
			"Goodbye=NextAction|End="},
		{"After the call", "{\"answers\": {\"Ask\": {\"keys\": \"4\"}}}",
			"|A mark?=****|Note=NextAction|Tag=NextAction|Thanks=NextAction|End="},
		{"After the call", "{\"answers\": {\"Ask\": {\"keys\": \"9\"}}}",
			"|A mark?=NoMatchingCondition|Thanks=NextAction|End="},
	};
	struct fixture *f = *state;
	static struct played played;

	assert_int_equal(fixture_load(f), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		play(f, rows[i].flow, rows[i].script, &played);
		if (!strstr(played.path, rows[i].path))
			fail_msg("%s: expected %s, found %s", rows[i].flow, rows[i].path,
				played.path);
	}
	play(f, rows[0].flow, rows[0].script, &played);
	assert_non_null(strstr(played.spoken, "<say-as interpret-as=\"digits\">1043</say-as>"));
	assert_non_null(strstr(played.spoken, "is on its way"));
	assert_non_null(strstr(played.path, "|A mark?=****|Note="));
}

/* A newcomer's first look. */
static void the_instance_loads_without_a_word(void **state)
{
	struct fixture *f = *state;

	if (fixture_load(f) != 0 || report_size(&f->report) > 0) {
		report_print(&f->report, stderr);
		fail_msg("%zu entries", report_size(&f->report));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_paths_of_the_readme),
		TEST(the_instance_loads_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
