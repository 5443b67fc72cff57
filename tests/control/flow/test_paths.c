/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripted paths through real flows. Each `paths/NAME.json` runs one flow of ../shared/flows/corpus
 * in the simulator; what it must do stands beside it in `paths/NAME.trace`:
 *
 *     {"flow": 29,                       number of the file in the corpus
 *      "about": "what the path shows",
 *      "flows": {"REFERENCE": 73},       what references of the flow lead to: other files
 *      "show": ["CallbackNumber"],       parameters whose resolved value the trace shows
 *      "script": {…}}                    flow/simulator.h
 *
 *     30000 96f7b261 GetParticipantInput -> 1 (1)        time, action, type, branch, result
 *
 * A dash stands where nothing follows; identifiers that are UUIDs are cut. Together the traces must
 * hold every action type of the corpus. CORDBOARD_WRITE_TRACES=1 writes the traces: read them then,
 * against the flow and flows/language.md, before you believe them.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/checker.h"
#include "flow/simulator.h"
#include "support.h"

#define SKIPPED   77
#define PATH_SIZE 2048
#define FLOWS_MIN 20
#define PATHS_MAX 200

static char corpus[PATH_SIZE];
static char *files[200]; /* of the corpus, by number */
static bool used_flows[200];
static bool used_types[FLOW_ACTION_COUNT];

/* ---- the corpus ---------------------------------------------------------------------- */

static bool find_corpus(void)
{
	const char *shared = getenv("CORDBOARD_SHARED");
	struct dirent *entry;
	DIR *folder;

	if (shared != NULL)
		snprintf(corpus, sizeof(corpus), "%s/flows/corpus", shared);
	else
		snprintf(corpus, sizeof(corpus), "%s/../shared/flows/corpus", SOURCE_ROOT);
	folder = opendir(corpus);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		long number = strtol(entry->d_name, NULL, 10);

		if (number > 0 && number < 200)
			files[number] = strdup(entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	return folder != NULL;
}

static struct flow *flow_of_corpus(int number)
{
	char path[2 * PATH_SIZE];

	assert_in_range(number, 1, 199);
	assert_non_null(files[number]);
	snprintf(path, sizeof(path), "%s/%s", corpus, files[number]);
	return flow_of_file(path, FLOW_TYPE_UNKNOWN);
}

/* ---- one path ------------------------------------------------------------------------ */

struct path {
	const json_t *object;
	struct flow *others[20];
	size_t n;
	char *trace;
	size_t size;
	FILE *to;
};

static struct flow *find_flow_of_path(void *ctx, const char *reference)
{
	struct path *path = ctx;
	size_t length;
	const char *id = flow_reference_id(reference, &length);
	const json_t *flows = json_object_get(path->object, "flows");
	const json_t *number = json_object_getn(flows, id, length);

	if (number == NULL)
		number = json_object_get(flows, reference);
	if (number == NULL || path->n == sizeof(path->others) / sizeof(path->others[0]))
		return NULL;
	path->others[path->n] = flow_of_corpus((int)json_integer_value(number));
	return path->others[path->n++];
}

static bool is_uuid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static void put_shown(struct path *path, const json_t *line)
{
	const json_t *parameters = json_object_get(line, "parameters"), *wanted;
	size_t index;

	json_array_foreach(json_object_get(path->object, "show"), index, wanted)
	{
		const char *name = json_string_value(wanted);

		if (json_object_get(parameters, name) != NULL)
			fprintf(path->to, " %s=%s", name, text_in(parameters, name));
	}
}

static void put_action(struct path *path, const json_t *line)
{
	const char *identifier = text_in(line, "action"), *result = text_in(line, "result");
	const char *branch = json_string_value(json_object_get(line, "branch"));
	enum flow_action_type type;

	assert_int_equal(flow_action_parse(text_in(line, "type"), &type), 0);
	used_types[type] = true;
	fprintf(path->to, "%lld %.*s %s -> %s",
		(long long)json_integer_value(json_object_get(line, "t")),
		is_uuid(identifier) ? 8 : (int)strlen(identifier), identifier,
		text_in(line, "type"), branch != NULL ? branch : "-");
	if (*result != '\0')
		fprintf(path->to, " (%s)", result);
	put_shown(path, line);
	fputc('\n', path->to);
}

static void put_event(struct path *path, const json_t *line)
{
	const char *event = text_in(line, "event");
	const char *name;
	json_t *value;

	fprintf(path->to, "%lld [%s] %s%s",
		(long long)json_integer_value(json_object_get(line, "t")), event,
		text_in(line, "as"), text_in(line, "outcome"));
	/* attributes that the script asks for are part of the end */
	json_object_foreach(json_object_get(line, "attributes"), name, value)
	{
		const json_t *wanted;
		size_t index;

		json_array_foreach(json_object_get(path->object, "show"), index,
			wanted) if (strcmp(json_string_value(wanted), name) == 0)
			fprintf(path->to, " %s=%s", name, json_string_value(value));
	}
	fputc('\n', path->to);
}

static void take_line(void *ctx, const char *text)
{
	json_t *line = json_loads(text, 0, NULL);

	assert_non_null(line);
	if (json_object_get(line, "event") != NULL)
		put_event(ctx, line);
	else
		put_action(ctx, line);
	json_decref(line);
}

static char *run_path(const json_t *object, const char *name)
{
	struct path path = {.object = object};
	int number = (int)json_integer_value(json_object_get(object, "flow"));
	struct flow *flow = flow_of_corpus(number);
	json_t *inner = json_object_get(object, "script");
	char *script = json_dumps(inner != NULL ? inner : json_object(), 0);
	struct simulator simulator = {.flow = flow,
		.script = script,
		.script_length = strlen(script),
		.script_file = name,
		.ctx = &path,
		.find_flow = find_flow_of_path,
		.line = take_line};
	struct report report;

	used_flows[number] = true;
	path.to = open_memstream(&path.trace, &path.size);
	report_init(&report);
	if (simulator_run(&simulator, &report) < 0) {
		report_print(&report, stderr);
		fail();
	}
	report_clear(&report);
	fclose(path.to);
	for (size_t i = 0; i < path.n; i++)
		flow_release(path.others[i]);
	flow_release(flow);
	free(script);
	return path.trace;
}

/* ---- comparing ----------------------------------------------------------------------- */

/* The first line in which they differ. */
static void complain(const char *name, const char *expected, const char *found)
{
	while (*expected != '\0' && *found != '\0') {
		size_t n = strcspn(expected, "\n"), m = strcspn(found, "\n");

		if (n != m || memcmp(expected, found, n) != 0)
			break;
		expected += n + (expected[n] == '\n');
		found += m + (found[m] == '\n');
	}
	fail_msg("%s:\nexpected: %.*s\nfound:    %.*s", name, (int)strcspn(expected, "\n"),
		expected, (int)strcspn(found, "\n"), found);
}

static void check_path(const char *name)
{
	char file[2 * PATH_SIZE];
	json_t *object;
	char *trace, *expected;
	size_t length;
	FILE *to;

	snprintf(file, sizeof(file), "%s/%s", FLOW_PATHS, name);
	object = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
	if (object == NULL)
		fail_msg("%s is no JSON", file);
	trace = run_path(object, name);
	snprintf(file + strlen(file) - strlen("json"), 6, "trace");
	if (getenv("CORDBOARD_WRITE_TRACES") != NULL) {
		to = fopen(file, "w");
		assert_non_null(to);
		fputs(trace, to);
		fclose(to);
	}
	expected = read_file(file, &length);
	if (expected == NULL)
		fail_msg("no %s", file);
	if (strcmp(expected, trace) != 0)
		complain(name, expected, trace);
	free(expected);
	free(trace);
	json_decref(object);
}

static int is_script(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".json") == 0;
}

static void every_path_leaves_its_trace(void **state)
{
	struct dirent **entries;
	int n = scandir(FLOW_PATHS, &entries, is_script, alphasort);

	(void)state;
	assert_in_range(n, FLOWS_MIN, PATHS_MAX);
	for (int i = 0; i < n; i++) {
		check_path(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* ---- what they hold together --------------------------------------------------------- */

static void take_types(const char *file, bool types[FLOW_ACTION_COUNT])
{
	char path[2 * PATH_SIZE];
	struct flow *flow = NULL;
	size_t length;
	char *text;

	snprintf(path, sizeof(path), "%s/%s", corpus, file);
	text = read_file(path, &length);
	assert_non_null(text);
	if (flow_read(text, length, NULL, NULL, &flow) == 0)
		for (uint16_t i = 0; i < flow->action_count; i++)
			types[flow->actions[i].type] = true;
	flow_release(flow);
	free(text);
}

static void the_paths_hold_every_action_type_of_the_corpus(void **state)
{
	bool types[FLOW_ACTION_COUNT] = {false};
	int flows = 0, count = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		if (files[i] != NULL)
			take_types(files[i], types);
		flows += used_flows[i];
	}
	for (int type = 0; type < FLOW_ACTION_COUNT; type++) {
		count += types[type];
		if (types[type] && !used_types[type])
			fail_msg("no path goes through %s",
				flow_action_name((enum flow_action_type)type));
	}
	assert_true(flows >= FLOWS_MIN);
	print_message("%d real flows, %d action types\n", flows, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path_leaves_its_trace),
		cmocka_unit_test(the_paths_hold_every_action_type_of_the_corpus),
	};
	int rc;

	if (!find_corpus()) {
		fprintf(stderr,
			"skipped: no folder with flows/corpus; name it in CORDBOARD_SHARED\n");
		return SKIPPED;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 0; i < 200; i++)
		free(files[i]);
	return rc;
}
