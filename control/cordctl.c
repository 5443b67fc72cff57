/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordctl: the command-line client of the admin socket: a row for each command, which says the verb
 * that it calls, its arguments and how the answer is shown. With --json the answer comes as it is.
 *
 * Exit codes: 0 done, 1 refused (the reason goes to stderr), 2 usage, 3 no connection.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/ctl.h"

#define ARGUMENTS_MAX 5
#define SOCKET        "/run/cordboard/control.sock"

struct options {
	const char *socket;
	bool json;
	bool messages; /* trace: the texts too */
	/* --since, --after, …: parameters by name */
	json_t *params;
};

struct command {
	const char *words; /* "agent login" */
	const char *verb;
	/* Parameters of the verb, in the order of the arguments; `?` before the name: may be
	 * absent; `=` at its end and a text: always that. */
	const char *arguments[ARGUMENTS_MAX];
	ctl_answer *show;
	/* Instead of a plain call. */
	int (*run)(const struct options *options, const struct command *command, char **arguments,
		int n);
	const char *help;
};

static int fail(enum ctl_exit code, const char *why)
{
	fprintf(stderr, "cordctl: %s\n", why);
	return code;
}

/* ---- calls --------------------------------------------------------------------------------- */

static int show(const struct options *options, const struct command *command, const json_t *result)
{
	if (options->json || !command->show) {
		json_dumpf(result, stdout, options->json ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
		if (command->show == ctl_show_reload &&
			json_is_false(json_object_get(result, "loaded")))
			return CTL_REFUSED;
		return CTL_OK;
	}
	return command->show(result, options->messages);
}

static int no_connection(const struct options *options, int error)
{
	fprintf(stderr, "cordctl: %s: %s\n", options->socket,
		error == -EPIPE ? "control has closed the connection" : strerror(-error));
	return CTL_NO_CONNECTION;
}

/* The answer's result, borrowed from *answer; NULL and the exit code. */
static const json_t *call(const struct options *options, struct ctl_link *link, const char *verb,
	json_t *params, json_t **answer, int *code)
{
	char why[1024];
	const json_t *error;
	int rc = 0;

	*answer = ctl_call(link, verb, params, &rc);
	*code = CTL_OK;
	if (!*answer) {
		*code = no_connection(options, rc);
		return NULL;
	}
	error = json_object_get(*answer, "error");
	if (!error)
		return json_object_get(*answer, "result");
	if (options->json)
		json_dumpf(error, stderr, JSON_COMPACT);
	ctl_text(json_object_get(error, "message"), CTL_PLAIN, why, sizeof(why));
	if (options->json)
		fputc('\n', stderr);
	*code = options->json ? CTL_REFUSED : fail(CTL_REFUSED, why);
	return NULL;
}

static int call_and_show(const struct options *options, const struct command *command,
	const char *verb, json_t *params)
{
	struct ctl_link link;
	json_t *answer = NULL;
	const json_t *result;
	int code, rc = ctl_open(&link, options->socket);

	if (rc < 0) {
		json_decref(params);
		return no_connection(options, rc);
	}
	result = call(options, &link, verb, params, &answer, &code);
	if (result)
		code = show(options, command, result);
	json_decref(answer);
	ctl_close(&link);
	return code;
}

/* ---- commands that are more than a call ---------------------------------------------------- */

static void put_event(const struct options *options, const json_t *line)
{
	const char *method = json_string_value(json_object_get(line, "method"));
	const json_t *p = json_object_get(line, "params");
	char type[64], id[160], more[160];

	if (options->json) {
		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (method && strcmp(method, "event") == 0) {
		const json_t *e = json_object_get(p, "event");
		const json_t *name = ctl_member(e, "CurrentAgentSnapshot.Configuration.Username");

		ctl_text(json_object_get(e, "EventType"), CTL_PLAIN, type, sizeof(type));
		ctl_text(name ? name : json_object_get(e, "ContactId"), CTL_PLAIN, id, sizeof(id));
		ctl_text(name ? ctl_member(e, "CurrentAgentSnapshot.AgentStatus.Name")
			      : json_object_get(e, "Text"),
			CTL_PLAIN, more, sizeof(more));
		printf("%-8" JSON_INTEGER_FORMAT " %s %-8s %-20s %s %s\n",
			json_integer_value(json_object_get(p, "number")),
			json_string_value(json_object_get(p, "time")),
			json_string_value(json_object_get(p, "topic")), type, id, more);
	} else if (method && strcmp(method, "gap") == 0)
		printf("-- events between %" JSON_INTEGER_FORMAT " and %" JSON_INTEGER_FORMAT
		       " are gone\n",
			json_integer_value(json_object_get(p, "after")),
			json_integer_value(json_object_get(p, "first")));
	fflush(stdout);
}

static int run_events(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	struct ctl_link link;
	json_t *answer = NULL, *line;
	int code, rc = ctl_open(&link, options->socket);

	if (rc < 0)
		return no_connection(options, rc);
	if (call(options, &link, command->verb, json_incref(options->params), &answer, &code)) {
		ctl_wait_long(&link);
		while ((line = ctl_read(&link, &rc))) {
			put_event(options, line);
			json_decref(line);
		}
		code = no_connection(options, rc);
	}
	json_decref(answer);
	ctl_close(&link);
	return code;
}

/* A contact id is a UUID; everything else is a Call-ID. */
static int run_trace(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	const char *id = arguments[0];
	bool contact = strlen(id) == 36 && strspn(id, "0123456789abcdefABCDEF-") == 36;

	return call_and_show(options, command, command->verb,
		json_pack("{s:s}", contact ? "contact" : "call_id", id));
}

/* The checker is control itself, beside us or in the path. */
static int run_check(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - sizeof("cordboard-control"));
	char *slash;

	path[size > 0 ? size : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		memcpy(slash + 1, "cordboard-control", sizeof("cordboard-control"));
		execl(path, "cordboard-control", "--instance", arguments[0], "--check",
			(char *)NULL);
	}
	execlp("cordboard-control", "cordboard-control", "--instance", arguments[0], "--check",
		(char *)NULL);
	return fail(
		CTL_NO_CONNECTION, "cordboard-control is neither beside cordctl nor in the path");
}

static int run_call(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	json_error_t error;
	json_t *params = n > 1 ? json_loads(arguments[1], JSON_DECODE_ANY, &error) : json_object();

	if (!params) {
		fprintf(stderr, "cordctl: parameters: expected a JSON object: %s\n", error.text);
		return CTL_USAGE;
	}
	return call_and_show(options, command, arguments[0], params);
}

static int run_orphan_remove(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	json_t *params =
		strcmp(arguments[0], "all") == 0
			? json_object()
			: json_pack("{s:I}", "room", (json_int_t)strtoull(arguments[0], NULL, 10));

	return call_and_show(options, command, command->verb, params);
}

static int run_attach(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	return call_and_show(options, command, command->verb,
		json_pack("{s:s, s:[s]}", "queue", arguments[0], "quick_connects", arguments[1]));
}

static int run_help(
	const struct options *options, const struct command *command, char **arguments, int n);

static const struct command commands[] = {
	{"status", "status", .show = ctl_show_tree,
		.help = "the state of everything, and the first bottleneck"},
	{"agents", "agent.list", .show = ctl_show_agents,
		.help = "agents, and why one is not routable"},
	{"agent get", "agent.get", {"agent"}, .show = ctl_show_tree, .help = "one agent"},
	{"agent login", "agent.login", {"agent", "?status"}, .show = ctl_show_agent,
		.help = "logs an agent in"},
	{"agent logout", "agent.logout", {"agent"}, .show = ctl_show_agent,
		.help = "logs an agent out"},
	{"agent status", "agent.set_status", {"agent", "status"}, .show = ctl_show_agent,
		.help = "sets an agent's status"},
	{"agent endpoints", "agent.endpoints", {"agent"}, .show = ctl_show_endpoints,
		.help = "the quick connects that an agent sees now"},
	{"accept", "contact.accept", {"agent"}, .show = ctl_show_desk,
		.help = "the agent takes the contact that is offered"},
	{"reject", "contact.reject", {"agent"}, .show = ctl_show_desk,
		.help = "the agent declines it"},
	{"suspend-recording", "contact.suspend_recording", {"agent"}, .show = ctl_show_desk,
		.help = "the recordings of the agent's call are silent from now on"},
	{"resume-recording", "contact.resume_recording", {"agent"}, .show = ctl_show_desk,
		.help = "they are not any more"},
	{"leave", "contact.leave", {"agent"}, .show = ctl_show_desk,
		.help = "the agent leaves the contact"},
	{"clear", "agent.clear", {"agent"}, .show = ctl_show_agent,
		.help = "ends the agent's after-contact work"},
	{"end", "contact.end", {"contact"}, .show = ctl_show_desk, .help = "hangs up on everybody"},
	{"transfer", "contact.transfer", {"agent", "quick_connect"}, .show = ctl_show_tree,
		.help = "the agent adds an agent, a queue or a number to the call"},
	{"transfer number", "contact.transfer", {"agent", "number"}, .show = ctl_show_tree,
		.help = "the same to a number that is typed"},
	{"transfer blind", "contact.transfer_blind", {"agent", "quick_connect"},
		.show = ctl_show_tree,
		.help = "the agent leaves the customer to it, once it rings or waits there"},
	{"transfer blind-number", "contact.transfer_blind", {"agent", "number"},
		.show = ctl_show_tree, .help = "the same to a number that is typed"},
	{"panel", "contact.panel", {"agent"}, .show = ctl_show_tree,
		.help = "what the agent's desktop shows of the call"},
	{"join", "contact.join", {"agent"}, .show = ctl_show_tree,
		.help = "everybody is off hold and hears everybody"},
	{"hold all", "contact.hold_all", {"agent"}, .show = ctl_show_tree,
		.help = "everybody but the agent is on hold"},
	{"hold", "contact.hold", {"agent", "party"}, .show = ctl_show_tree,
		.help = "a party, customer or as the panel names it, is on hold"},
	{"resume", "contact.resume", {"agent", "party"}, .show = ctl_show_tree,
		.help = "it is off hold"},
	{"swap", "contact.swap", {"agent", "party"}, .show = ctl_show_tree,
		.help = "the agent talks to it, the other one is on hold"},
	{"disconnect", "contact.disconnect", {"agent", "party"}, .show = ctl_show_tree,
		.help = "it is hung up on"},
	{"mute", "contact.mute", {"agent", "?party"}, .show = ctl_show_tree,
		.help = "nobody hears it, or the agent"},
	{"unmute", "contact.unmute", {"agent", "?party"}, .show = ctl_show_tree,
		.help = "it is heard again"},
	{"monitor", "contact.monitor", {"supervisor", "agent"}, .show = ctl_show_tree,
		.help = "a supervisor hears what the agent hears"},
	{"coach", "contact.coach", {"supervisor", "agent"}, .show = ctl_show_tree,
		.help = "the supervisor speaks to the agent alone"},
	{"barge", "contact.barge", {"supervisor", "agent"}, .show = ctl_show_tree,
		.help = "the supervisor takes part"},
	{"dial", "contact.dial", {"agent", "number"}, .show = ctl_show_tree,
		.help = "the agent calls a number; the agent's phone is called first"},
	{"dial quick-connect", "contact.dial", {"agent", "quick_connect"}, .show = ctl_show_tree,
		.help = "the same to an external quick connect"},
	{"start outbound", "contact.start_outbound",
		{"DestinationPhoneNumber", "ContactFlowId", "SourcePhoneNumber"},
		.show = ctl_show_tree,
		.help = "calls a number and runs a flow when it has answered"},
	{"queues", "queue.metrics", .show = ctl_show_queues, .help = "the wallboard"},
	{"queue", "queue.contacts", {"queue"}, .show = ctl_show_waiting,
		.help = "who waits in a queue"},
	{"contacts", "contact.list", .show = ctl_show_contacts,
		.help = "every contact and where it is"},
	{"contact", "contact.get", {"contact"}, .show = ctl_show_tree,
		.help = "one contact: legs, media, segments"},
	{"quality", "quality.list", {"?contact"}, .show = ctl_show_quality,
		.help = "how good each leg sounds: MOS, loss, jitter, round trip (ms)"},
	{"records", "record.list", .show = ctl_show_records,
		.help = "contact records [--since N] [--limit N] [--chain ID]"},
	{"record list", "record.list", .show = ctl_show_records, .help = "the same"},
	{"record get", "record.get", {"contact"}, .help = "one contact record"},
	{"events", "events.subscribe", .run = run_events,
		.help = "events as they happen [--after N] [--topic T]..."},
	{"trace", "call.trace", {"CONTACT|CALL-ID"}, .show = ctl_show_trace, .run = run_trace,
		.help = "a call as a SIP ladder [--messages]"},
	{"trunks", "trunk.list", .show = ctl_show_trunks, .help = "trunks and their gateways"},
	{"phones", "phone.list", .show = ctl_show_phones, .help = "agents' phones"},
	{"users", "user.list", .show = ctl_show_users, .help = "users and their ids"},
	{"statuses", "status.list", .show = ctl_show_statuses, .help = "agent statuses"},
	{"stats", "dataplane.stats", .show = ctl_show_stats,
		.help = "the dataplane's counters: the sum, then each worker"},
	{"orphans", "dataplane.orphans", .show = ctl_show_orphans,
		.help = "rooms of a control that died"},
	{"orphan remove", "dataplane.orphan_remove", {"ROOM|all"}, .run = run_orphan_remove,
		.help = "removes them now"},
	{"flow list", "flow.list", .show = ctl_show_flows,
		.help = "flows, drafts, and which version runs"},
	{"flow log", "flow.log", {"contact"}, .show = ctl_show_flow_log,
		.help = "what flows did for a contact, where they log [--limit N]"},
	{"flow publish", "flow.publish", {"flow"}, .show = ctl_show_published,
		.help = "puts a flow's draft in force"},
	{"quick-connect list", "quick_connect.list", {"?queue"}, .show = ctl_show_quick_connects,
		.help = "quick connects, all or of a queue"},
	{"quick-connect add", "quick_connect.create",
		{"name", "type", "destination", "description", "?flow"}, .show = ctl_show_tree,
		.help = "makes one: agent, queue or external"},
	{"quick-connect remove", "quick_connect.delete", {"quick_connect"}, .show = ctl_show_tree,
		.help = "removes one, from all queues"},
	{"quick-connect attach", "queue.attach_quick_connects", {"queue", "quick_connect"},
		.show = ctl_show_tree, .run = run_attach, .help = "agents of the queue see it"},
	{"quick-connect detach", "queue.detach_quick_connects", {"queue", "quick_connect"},
		.show = ctl_show_tree, .run = run_attach, .help = "they do not see it any more"},
	{"config", "config.get", .show = ctl_show_config, .help = "the options that run"},
	{"check", NULL, {"DIR"}, .run = run_check, .help = "judges an instance directory"},
	{"reload", "reload", .show = ctl_show_reload,
		.help = "takes the instance directory over, all or nothing"},
	{"log", "log.set_level", {"level"}, .show = ctl_show_tree,
		.help = "debug, info, warning or error"},
	{"ping", "ping", .show = ctl_show_tree, .help = "whether control answers, and our role"},
	{"call", NULL, {"VERB", "?JSON"}, .run = run_call, .help = "any verb with its parameters"},
	{"verbs", "rpc.list", .show = ctl_show_verbs, .help = "the verbs that control has"},
	{"help", NULL, .run = run_help, .help = "this"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage: cordctl [--socket PATH] [--json] COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		int n = fprintf(to, "  %s", commands[i].words);

		for (size_t a = 0; a < ARGUMENTS_MAX && commands[i].arguments[a]; a++) {
			const char *name = commands[i].arguments[a];

			n += name[0] == '?' ? fprintf(to, " [%s]", name + 1)
					    : fprintf(to, " %s", name);
		}
		if (n > 30)
			n = fprintf(to, "\n") - 1;
		fprintf(to, "%*s %s\n", 30 - n, "", commands[i].help);
	}
	ctl_flow_usage(to);
	fprintf(to, "\nThe socket is " SOCKET ", or what CORDBOARD_SOCKET says.\n");
}

static int run_help(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	usage(stdout);
	return CTL_OK;
}

/* ---- the command line ---------------------------------------------------------------------- */

/* How many words of the line the command has; 0: it is another one. */
static int words_that_fit(const struct command *command, char **words, int n)
{
	const char *rest = command->words;
	int used = 0;

	while (*rest) {
		size_t part = strcspn(rest, " ");

		if (used == n || strlen(words[used]) != part ||
			strncmp(words[used], rest, part) != 0)
			return 0;
		used++;
		rest += part;
		rest += *rest == ' ';
	}
	return used;
}

static const struct command *find_command(char **words, int n, int *used)
{
	const struct command *best = NULL;

	*used = 0;
	for (size_t i = 0; i < COMMANDS; i++) {
		int fit = words_that_fit(&commands[i], words, n);

		if (fit > *used) {
			best = &commands[i];
			*used = fit;
		}
	}
	return best;
}

static bool count_fits(const struct command *command, int n)
{
	int least = 0, most = 0;

	for (; most < ARGUMENTS_MAX && command->arguments[most]; most++)
		least += command->arguments[most][0] != '?';
	return n >= least && n <= most;
}

static int run_command(
	const struct options *options, const struct command *command, char **arguments, int n)
{
	json_t *params;

	if (!count_fits(command, n)) {
		fprintf(stderr, "cordctl: %s: wrong number of arguments; see cordctl help\n",
			command->words);
		return CTL_USAGE;
	}
	if (command->run)
		return command->run(options, command, arguments, n);
	params = json_copy(options->params);
	for (int i = 0; i < n; i++) {
		const char *name = command->arguments[i];

		json_object_set_new(
			params, name[0] == '?' ? name + 1 : name, json_string(arguments[i]));
	}
	return call_and_show(options, command, command->verb, params);
}

/* Options that are parameters of the verb. */
static int take_param(struct options *options, const char *name, const char *value)
{
	json_error_t error;
	json_t *number;

	if (strcmp(name, "topic") == 0) {
		json_t *topics = json_object_get(options->params, "topics");

		if (!topics)
			json_object_set_new(options->params, "topics", topics = json_array());
		return json_array_append_new(topics, json_string(value));
	}
	if (strcmp(name, "chain") == 0 || strcmp(name, "state") == 0 ||
		strcmp(name, "request") == 0)
		return json_object_set_new(options->params, name, json_string(value));
	number = json_loads(value, JSON_DECODE_ANY, &error);
	if (!json_is_integer(number)) {
		fprintf(stderr, "cordctl: --%s: expected a whole number, found '%s'\n", name,
			value);
		json_decref(number);
		return -1;
	}
	return json_object_set_new(options->params, name, number);
}

/* An option at words[0]: how many words it takes, or -1. */
static int take_option(struct options *options, char **words, int n)
{
	static const char *const with_value[] = {"since", "after", "limit", "offset", "within",
		"topic", "chain", "state", "request", "if_version"};
	const char *name = words[0] + 2;

	if (strcmp(name, "json") == 0) {
		options->json = true;
		return 1;
	}
	if (strcmp(name, "messages") == 0) {
		options->messages = true;
		return 1;
	}
	if (strcmp(name, "socket") == 0 && n > 1) {
		options->socket = words[1];
		return 2;
	}
	for (size_t i = 0; i < sizeof(with_value) / sizeof(with_value[0]); i++)
		if (strcmp(name, with_value[i]) == 0 && n > 1)
			return take_param(options, name, words[1]) < 0 ? -1 : 2;
	fprintf(stderr, "cordctl: %s: no such option, or its value is missing\n", words[0]);
	return -1;
}

/* Takes the options out of the line; the number of words that are left, or -1. */
static int take_options(struct options *options, char **words, int n)
{
	static char help[] = "help";
	int left = 0;

	for (int i = 0; i < n;) {
		int used = 1;

		if (strcmp(words[i], "--help") == 0)
			words[left++] = help;
		else if (strncmp(words[i], "--", 2) == 0)
			used = take_option(options, words + i, n - i);
		else
			words[left++] = words[i];
		if (used < 0)
			return -1;
		i += used;
	}
	return left;
}

int main(int argc, char **argv)
{
	struct options options = {.socket = getenv("CORDBOARD_SOCKET"), .params = json_object()};
	const struct command *command;
	int n, used, code;

	signal(SIGPIPE, SIG_DFL);
	if (argc > 2 && strcmp(argv[1], "flow") == 0 && ctl_flow_knows(argv[2])) {
		json_decref(options.params);
		return ctl_flow(argc - 2, argv + 2);
	}
	if (!options.socket || !options.socket[0])
		options.socket = SOCKET;
	n = take_options(&options, argv + 1, argc - 1);
	command = n > 0 ? find_command(argv + 1, n, &used) : NULL;
	if (n == 0)
		usage(stderr);
	else if (n > 0 && !command)
		fprintf(stderr, "cordctl: no command '%s'; see cordctl help\n", argv[1]);
	code = command ? run_command(&options, command, argv + 1 + used, n - used) : CTL_USAGE;
	json_decref(options.params);
	return code;
}
