/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordctl flow run, check and graph: flows on one's own desk, without a control process.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "admin/ctl.h"
#include "base/file.h"
#include "base/report.h"
#include "base/str.h"
#include "flow/checker.h"
#include "flow/reader.h"
#include "flow/simulator.h"

#define PATH_SIZE 4096

struct desk {
	enum flow_type type; /* UNKNOWN: as the file says */
	const char *script;
	const char *folder; /* of other flows; NULL: none */
	bool json;
	/* those of the folder, once one was asked for */
	bool looked;
	struct flow *flows[SIMULATOR_FLOWS_MAX];
	size_t n;
};

static int complain(const char *place, int error)
{
	fprintf(stderr, "cordctl: %s: %s\n", place, strerror(-error));
	return CTL_REFUSED;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int read_flow(
	const char *path, enum flow_type type, struct report *report, struct flow **flow)
{
	char *text;
	size_t n;
	int rc = file_read(path, FLOW_TEXT_MAX, &text, &n);

	if (rc < 0) {
		report_add(report, REPORT_ERROR, path, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = flow_read(
		text, n, &(struct flow_reader_options){.file = path, .type = type}, report, flow);
	free(text);
	return rc;
}

static struct flow *load(const struct desk *desk, const char *path)
{
	struct flow *flow = NULL;
	struct report report;

	report_init(&report);
	if (read_flow(path, desk->type, &report, &flow) < 0)
		report_print(&report, stderr);
	report_clear(&report);
	return flow;
}

/* ---- other flows of a run ------------------------------------------------------------------- */

static int is_json(const struct dirent *entry)
{
	return str_ends(str_from(entry->d_name), STR(".json"));
}

static void look_into_folder(struct desk *desk)
{
	struct dirent **entries;
	int n = scandir(desk->folder, &entries, is_json, alphasort);

	desk->looked = true;
	if (n < 0) {
		complain(desk->folder, -errno);
		return;
	}
	for (int i = 0; i < n; i++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s/%s", desk->folder, entries[i]->d_name);
		if (desk->n < SIMULATOR_FLOWS_MAX &&
			read_flow(path, FLOW_TYPE_UNKNOWN, NULL, &desk->flows[desk->n]) == 0)
			desk->n++;
		free(entries[i]);
	}
	free(entries);
}

static struct flow *find_flow(void *ctx, const char *reference)
{
	struct desk *desk = ctx;
	size_t n;
	const char *id = flow_reference_id(reference, &n);

	if (desk->folder && !desk->looked)
		look_into_folder(desk);
	for (size_t i = 0; i < desk->n; i++) {
		const struct flow *flow = desk->flows[i];

		if ((strlen(flow->id) == n && memcmp(flow->id, id, n) == 0) ||
			strcmp(flow->name, reference) == 0 ||
			(strlen(flow->name) == n && memcmp(flow->name, id, n) == 0))
			return desk->flows[i];
	}
	return NULL;
}

/* ---- run ------------------------------------------------------------------------------------ */

static void put_line(void *ctx, const char *json)
{
	puts(json);
}

static int run(struct desk *desk, struct flow *flow)
{
	struct simulator simulator = {.flow = flow,
		.type = desk->type,
		.script_file = desk->script,
		.ctx = desk,
		.find_flow = find_flow,
		.line = put_line};
	struct report report;
	char *script = NULL;
	int rc = 0;

	if (desk->script)
		rc = file_read(
			desk->script, SIMULATOR_SCRIPT_MAX, &script, &simulator.script_length);
	if (rc < 0)
		return complain(desk->script, rc);
	simulator.script = script;
	report_init(&report);
	rc = simulator_run(&simulator, &report);
	report_print(&report, stderr);
	report_clear(&report);
	free(script);
	return rc < 0 ? CTL_REFUSED : CTL_OK;
}

static int run_file(struct desk *desk, char **files, int n)
{
	struct flow *flow = load(desk, files[0]);
	int code = flow ? run(desk, flow) : CTL_REFUSED;

	flow_release(flow);
	for (size_t i = 0; i < desk->n; i++)
		flow_release(desk->flows[i]);
	return code;
}

/* ---- check ---------------------------------------------------------------------------------- */

static json_t *entries_json(const struct report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report_size(report); i++) {
		const struct report_entry *entry = report_at(report, i);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "severity",
						    report_severity_name(entry->severity), "place",
						    entry->place, "text", entry->text));
	}
	return list;
}

static void show_check(const struct desk *desk, const char *path, const struct flow *flow,
	const struct report *report)
{
	const char *type = flow ? flow_type_name((enum flow_type)flow->type) : NULL;

	if (desk->json) {
		json_t *object = json_pack("{s:s, s:b, s:s?, s:s?, s:i, s:o}", "file", path,
			"loads", flow != NULL, "type", type, "format",
			!flow                                ? NULL
			: flow->format == FLOW_FORMAT_LEGACY ? "legacy"
							     : "language",
			"actions", flow ? (int)flow->action_count : 0, "report",
			entries_json(report));

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
		return;
	}
	report_print(report, stdout);
	if (flow)
		printf("%s: loads: %u actions, type %s, %zu errors, %zu warnings, %zu notes\n",
			path, flow->action_count, type, report_count(report, REPORT_ERROR),
			report_count(report, REPORT_WARNING), report_count(report, REPORT_NOTE));
	else
		printf("%s: refused: %zu errors\n", path, report_count(report, REPORT_ERROR));
}

static bool check_file(const struct desk *desk, const char *path)
{
	static const struct flow_resolver nobody = {.missing_is_note = true};
	struct flow *flow = NULL;
	struct report report;
	bool good;

	report_init(&report);
	if (read_flow(path, desk->type, &report, &flow) == 0)
		flow_check(flow, &nobody, &report);
	good = !report_has_errors(&report);
	show_check(desk, path, flow, &report);
	report_clear(&report);
	flow_release(flow);
	return good;
}

static int check_files(struct desk *desk, char **files, int n)
{
	int bad = 0;

	for (int i = 0; i < n; i++)
		bad += !check_file(desk, files[i]);
	if (!desk->json && n > 1)
		printf("%d files: %d good, %d not\n", n, n - bad, bad);
	return bad ? CTL_REFUSED : CTL_OK;
}

/* ---- graph ---------------------------------------------------------------------------------- */

/* As Mermaid takes any text: quoted, its own signs as entities. */
static void put_text(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			putchar(' ');
		else if (strchr("\"#<>&;|`[]{}()", c))
			printf("#%u;", c);
		else
			putchar(c);
	}
}

static bool is_terminal(const struct flow_action *action)
{
	return action->next == FLOW_NO_ACTION && action->error_count == 0 &&
	       action->condition_count == 0;
}

static void put_node(const struct flow_action *action)
{
	const char *shape[] = {"[\"", "\"]"};

	if (is_terminal(action))
		shape[0] = "([\"", shape[1] = "\"])";
	else if (action->condition_count > 0)
		shape[0] = "{{\"", shape[1] = "\"}}";
	printf("  n%u%s", action->index, shape[0]);
	put_text(action->identifier);
	printf("<br/>%s%s\n", flow_action_name((enum flow_action_type)action->type), shape[1]);
}

static void put_edge(
	const struct flow_action *action, const char *arrow, const char *label, uint16_t target)
{
	if (target == FLOW_NO_ACTION)
		return;
	printf("  n%u %s", action->index, arrow);
	if (*label) {
		fputs("|\"", stdout);
		put_text(label);
		fputs("\"|", stdout);
	}
	printf(" n%u\n", target);
}

static void put_edges(const struct flow_action *action)
{
	for (uint16_t i = 0; i < action->condition_count; i++)
		put_edge(action, "-->", action->conditions[i].operand.source,
			action->conditions[i].target);
	/* beside conditions the console writes a copy of another branch there */
	if (action->condition_count > 0)
		put_edge(action, "-.->", "NextAction", action->next);
	else
		put_edge(action, "-->", "", action->next);
	for (uint16_t i = 0; i < action->error_count; i++)
		put_edge(action, "-.->", action->errors[i].name, action->errors[i].target);
}

static int graph_file(struct desk *desk, char **files, int n)
{
	struct flow *flow = load(desk, files[0]);

	if (!flow)
		return CTL_REFUSED;
	printf("flowchart TD\n  start((start)) --> n%u\n", flow->start);
	for (uint16_t i = 0; i < flow->action_count; i++)
		put_node(&flow->actions[i]);
	for (uint16_t i = 0; i < flow->action_count; i++)
		put_edges(&flow->actions[i]);
	flow_release(flow);
	return CTL_OK;
}

/* ---- the command line ----------------------------------------------------------------------- */

static const struct tool {
	const char *name, *arguments, *help;
	int (*run)(struct desk *desk, char **files, int n);
	int files_max; /* 0: any number */
} tools[] = {
	{"run", "FILE [--type TYPE] [--script FILE] [--flows DIR]",
		"a flow on simulated time: a JSON line for each action", run_file, 1},
	{"check", "FILE... [--type TYPE] [--json]", "whether flows load, and what to look at",
		check_files, 0},
	{"graph", "FILE", "a flow as a Mermaid chart", graph_file, 1},
};

static const struct tool *find_tool(const char *name)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

bool ctl_flow_knows(const char *word)
{
	return find_tool(word) != NULL;
}

void ctl_flow_usage(FILE *to)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		fprintf(to, "  flow %s %s\n%32s %s\n", tools[i].name, tools[i].arguments, "",
			tools[i].help);
}

static int misused(const struct tool *tool)
{
	fprintf(stderr, "usage: cordctl flow %s %s\n", tool->name, tool->arguments);
	return CTL_USAGE;
}

int ctl_flow(int argc, char **argv)
{
	static const struct option longs[] = {{"type", required_argument, NULL, 't'},
		{"script", required_argument, NULL, 's'}, {"flows", required_argument, NULL, 'f'},
		{"json", no_argument, NULL, 'j'}, {0}};
	const struct tool *tool = find_tool(argv[0]);
	struct desk desk = {0};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 't' && flow_type_parse(optarg, &desk.type) < 0) {
			fprintf(stderr,
				"cordctl: --type: expected a flow type such as inbound, found "
				"'%s'\n",
				optarg);
			return CTL_USAGE;
		}
		if (option == 's')
			desk.script = optarg;
		else if (option == 'f')
			desk.folder = optarg;
		else if (option == 'j')
			desk.json = true;
		else if (option == '?')
			return misused(tool);
	}
	if (optind == argc || (tool->files_max && argc - optind > tool->files_max))
		return misused(tool);
	return tool->run(&desk, argv + optind, argc - optind);
}
