/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real flows: each loads, or is refused as corpus.tsv says, and none of its beginnings does harm.
 * The corpus is not part of the source; CORDBOARD_SHARED names the folder that holds flows/corpus.
 * Without it the test is skipped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/checker.h"
#include "support.h"

#define SKIPPED     77
#define CUTS        60 /* beginnings tried of each file */
#define LINE_FIELDS 7

static char shared[1024];

static char *corpus_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/flows/%s", shared, name);
	return path;
}

static bool find_shared(void)
{
	static const char *const places[] = {"../shared", "../../shared", "../../../shared"};
	const char *named = getenv("CORDBOARD_SHARED");
	char path[2048];
	FILE *file;

	for (size_t i = 0; i <= sizeof(places) / sizeof(places[0]); i++) {
		if (i == 0 && named == NULL)
			continue;
		if (i == 0)
			snprintf(shared, sizeof(shared), "%s", named);
		else
			snprintf(shared, sizeof(shared), "%s/%s", SOURCE_ROOT, places[i - 1]);
		file = fopen(corpus_path("corpus.tsv", path, sizeof(path)), "r");
		if (file != NULL) {
			fclose(file);
			return true;
		}
	}
	return false;
}

struct row {
	char *fields[LINE_FIELDS]; /* file, source, format, type, actions, status, revision */
};

static bool split(char *line, struct row *row)
{
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < LINE_FIELDS; i++) {
		row->fields[i] = line;
		line += strcspn(line, "\t");
		if (*line != '\0')
			*line++ = '\0';
		else if (i < LINE_FIELDS - 1)
			return false;
	}
	return true;
}

static void for_each_file(void (*visit)(const struct row *row, const char *text, size_t length))
{
	char path[2048], line[1024];
	FILE *table = fopen(corpus_path("corpus.tsv", path, sizeof(path)), "r");
	struct row row;

	assert_non_null(table);
	assert_non_null(fgets(line, sizeof(line), table));
	while (fgets(line, sizeof(line), table) != NULL) {
		char name[600];
		size_t length;
		char *text;

		assert_true(split(line, &row));
		snprintf(name, sizeof(name), "corpus/%s", row.fields[0]);
		text = read_file(corpus_path(name, path, sizeof(path)), &length);
		assert_non_null(text);
		visit(&row, text, length);
		free(text);
	}
	fclose(table);
}

static void visit_load(const struct row *row, const char *text, size_t length)
{
	struct flow_reader_options options = {.file = row->fields[0]};
	struct report report;
	struct flow *flow = NULL;
	int rc;

	report_init(&report);
	rc = flow_read(text, length, &options, &report, &flow);
	if (strcmp(row->fields[5], "ok") == 0) {
		if (rc < 0)
			report_print(&report, stderr);
		assert_int_equal(rc, 0);
		assert_int_equal(flow->action_count, atoi(row->fields[4]));
		rc = flow_check(flow, NULL, &report);
		if (rc < 0)
			report_print(&report, stderr);
		assert_int_equal(rc, 0);
		if (getenv("VERBOSE") != NULL)
			report_print(&report, stderr);
	} else {
		assert_int_equal(rc, -EINVAL);
		assert_null(flow);
		assert_true(report_mentions(&report, REPORT_ERROR, row->fields[0]));
		assert_true(report_mentions(&report, REPORT_ERROR,
			strcmp(row->fields[5], "dangling") == 0 ? "StartAction"
								: "expected an action type"));
	}
	flow_release(flow);
	report_clear(&report);
}

static void every_file_loads_or_is_refused_as_expected(void **state)
{
	(void)state;
	for_each_file(visit_load);
}

static void visit_cuts(const struct row *row, const char *text, size_t length)
{
	(void)row;
	for (size_t i = 0; i < CUTS; i++) {
		struct flow *flow = NULL;
		struct report report;
		size_t cut = length * i / CUTS;

		report_init(&report);
		assert_true(flow_read(text, cut, NULL, &report, &flow) < 0);
		assert_true(report_has_errors(&report));
		assert_null(flow);
		report_clear(&report);
	}
}

static void every_beginning_of_every_file_is_refused(void **state)
{
	(void)state;
	for_each_file(visit_cuts);
}

/* One byte changed to something that JSON cares for: loads or is refused, never harm. */
static void visit_changes(const struct row *row, const char *text, size_t length)
{
	static const char bytes[] = "{}[]\",:0-ntf\\$.\x80";
	char *copy = malloc(length);

	(void)row;
	assert_non_null(copy);
	for (size_t i = 0; i < CUTS; i++) {
		size_t place = (length * i / CUTS + i * 7) % length;
		struct flow *flow = NULL;

		memcpy(copy, text, length);
		copy[place] = bytes[i % (sizeof(bytes) - 1)];
		if (flow_read(copy, length, NULL, NULL, &flow) == 0)
			flow_check(flow, NULL, NULL);
		flow_release(flow);
	}
	free(copy);
}

static void changed_bytes_do_no_harm(void **state)
{
	(void)state;
	for_each_file(visit_changes);
}

/* A caller who presses keys and an outside that answers anything: seeded, the same on every run. */
static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static struct flow_event any_event(const struct flow_run *run, uint32_t *seed)
{
	static const enum flow_event_type types[] = {FLOW_EVENT_PLAY_DONE, FLOW_EVENT_PLAY_DONE,
		FLOW_EVENT_PLAY_FAILED, FLOW_EVENT_KEY, FLOW_EVENT_KEY, FLOW_EVENT_TIMER,
		FLOW_EVENT_ANSWER, FLOW_EVENT_ANSWER, FLOW_EVENT_ANSWER};
	struct flow_event event = {.type = types[draw(seed) % 9]};

	event.id = event.type == FLOW_EVENT_ANSWER ? run->pending_id : run->play_id;
	event.key = "0123456789*#"[draw(seed) % 12];
	event.result = draw(seed) % 3 != 0
			       ? FLOW_RESULT_OK
			       : (enum flow_result)(draw(seed) % (FLOW_RESULT_FAILED + 1));
	event.number = draw(seed) % 10;
	event.text = draw(seed) % 2 != 0 ? "{\"status\": \"ok\"}" : "True";
	return event;
}

static void walk(struct flow *flow, enum flow_type role, uint32_t seed)
{
	struct call call;

	call_prepare(&call, flow);
	call.context.trace = true;
	call.context.wait_pauses = true;
	call_start(&call, role);
	for (int i = 0; i < 300 && call.run.state != FLOW_RUN_OVER; i++) {
		struct flow_event event = any_event(&call.run, &seed);

		if (event.type == FLOW_EVENT_TIMER && call.run.wake_at_ns > call.now)
			call.now = call.run.wake_at_ns;
		flow_run_step(&call.run, &event, call.now, call.fx);
		assert_true(call.run.state == FLOW_RUN_OVER || call.run.pending_id != 0 ||
			    call.run.play_id != 0 || call.run.wake_at_ns != 0);
	}
	flow_run_stop(&call.run, call.fx);
	call_end(&call);
}

static void visit_walks(const struct row *row, const char *text, size_t length)
{
	struct flow *flow = NULL;

	if (flow_read(text, length, NULL, NULL, &flow) < 0)
		return;
	for (uint32_t seed = 1; seed <= 20; seed++)
		walk(flow_hold(flow),
			seed % 2 != 0 || flow->type == FLOW_TYPE_UNKNOWN
				? (enum flow_type)(seed % FLOW_TYPE_MODULE)
				: (enum flow_type)flow->type,
			seed);
	assert_int_equal(flow->references, 1);
	flow_release(flow);
}

/* Whatever comes, a run that is not over waits for something that somebody owes it. */
static void every_flow_runs_and_always_waits_for_something(void **state)
{
	(void)state;
	for_each_file(visit_walks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_loads_or_is_refused_as_expected),
		cmocka_unit_test(every_beginning_of_every_file_is_refused),
		cmocka_unit_test(changed_bytes_do_no_harm),
		cmocka_unit_test(every_flow_runs_and_always_waits_for_something),
	};

	if (!find_shared()) {
		fprintf(stderr,
			"skipped: no folder with flows/corpus; name it in CORDBOARD_SHARED\n");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
