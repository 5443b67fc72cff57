/* SPDX-License-Identifier: Apache-2.0 */
/* cordctl against a server with canned answers: what it prints, and its exit codes. The program is
 * the first argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/server.h"
#include "support.h"

static const char *program;
static char path[64];
static pid_t served_by;

/* ---- the server, in a process of its own --------------------------------------------------- */

static struct loop *loop;

static uint64_t now_of(void *ctx)
{
	return loop_now(loop);
}

static void canned(struct rpc_call *call, const char *json)
{
	rpc_result(call, json_loads(json, 0, NULL));
}

static void handle_status(struct rpc_call *call)
{
	canned(call, "{\"bottleneck\":\"media ports: 1 of 4 in use (25 %)\",\"dataplane\":"
		     "{\"ports\":{\"used\":1,\"max\":4},\"why\":null,\"workers_stalled\":0}}");
}

/* A name that would clear the screen and ring the bell. */
static void handle_agents(struct rpc_call *call)
{
	canned(call,
		"{\"agents\":[{\"name\":\"arossi\",\"status\":\"Available\",\"phone_ready\":true,"
		"\"contact\":{\"customer\":\"\\u001b[2J\\u0007\\u009bM\xc3\xbcnchen\"}},{\"name\":"
		"\"b\"}]}");
}

static void handle_login(struct rpc_call *call)
{
	if (strcmp(rpc_text(call, "agent"), "nobody") == 0)
		rpc_refuse(call, RPC_NOT_FOUND, "no user 'nobody'");
	else
		rpc_result(call, json_pack("{s:s, s:s, s:s?}", "name", rpc_text(call, "agent"),
					 "state", "Available", "status", rpc_text(call, "status")));
}

static void handle_reload(struct rpc_call *call)
{
	canned(call,
		"{\"loaded\":false,\"report\":[{\"severity\":\"error\",\"place\":\"queues.yaml:3\","
		"\"text\":\"expected a name\"}]}");
}

static void handle_trace(struct rpc_call *call)
{
	static const char invite[] = "INVITE sip:a SIP/2.0\\r\\nCSeq: 1 INVITE\\r\\n\\r\\nv=0";
	static const char ok[] = "SIP/2.0 200 OK\\r\\nCSeq: 1 INVITE\\r\\n\\r\\n";
	char json[1024];

	snprintf(json, sizeof(json),
		"{\"messages\":[{\"time\":\"2026-01-01T10:00:00.125Z\",\"direction\":\"in\","
		"\"peer\":\"192.0.2.1:5060\",\"message\":\"%s\"},"
		"{\"time\":\"2026-01-01T10:00:00.250Z\",\"direction\":\"out\","
		"\"peer\":\"192.0.2.2:5060\",\"message\":\"%s\"},"
		"{\"time\":\"x\",\"direction\":\"in\",\"peer\":7,\"message\":null}]}",
		invite, ok);
	canned(call, json);
}

static void handle_records(struct rpc_call *call)
{
	rpc_result(call, json_pack("{s:[], s:I, s:b}", "records", "last",
				 (json_int_t)rpc_number(call, "since", 0), "more", 0));
}

static void handle_events(struct rpc_call *call)
{
	struct rpc_peer *peer = call->peer;

	rpc_result(call, json_object());
	rpc_notify(peer, "gap", json_pack("{s:i, s:i}", "after", 3, "first", 7));
	rpc_notify(peer, "event",
		json_pack("{s:i, s:s, s:s, s:{s:s, s:s}}", "number", 8, "time",
			"2026-01-01T10:00:00.125Z", "topic", "contact", "event", "EventType",
			"QUEUED", "ContactId", "c1"));
}

static const struct param login_params[] = {
	{"agent", PARAM_TEXT, .required = true, .min = 1, .help = "a"},
	{"status", PARAM_TEXT, .min = 1, .help = "s"}};
static const struct param trace_params[] = {{"call_id", PARAM_TEXT, .help = "c"}};
static const struct param records_params[] = {{"since", PARAM_NUMBER, .help = "n"}};
static const struct param events_params[] = {
	{"after", PARAM_NUMBER, .help = "n"}, {"topics", PARAM_TEXTS, .help = "t"}};

static const struct verb verbs[] = {
	{"status", ROLE_READER, .handle = handle_status, .help = "s"},
	{"agent.list", ROLE_READER, .handle = handle_agents, .help = "a"},
	{"agent.login", ROLE_READER, VERB_PARAMS(login_params), .handle = handle_login,
		.help = "l"},
	{"reload", ROLE_READER, .handle = handle_reload, .help = "r"},
	{"call.trace", ROLE_READER, VERB_PARAMS(trace_params), .handle = handle_trace, .help = "t"},
	{"record.list", ROLE_READER, VERB_PARAMS(records_params), .handle = handle_records,
		.help = "r"},
	{"events.subscribe", ROLE_READER, VERB_PARAMS(events_params), .handle = handle_events,
		.help = "e"},
};

static void serve(void)
{
	static struct verb_group table[2];
	static struct role_table roles;
	static struct rpc rpc;
	struct server_config config = {.roles = &roles, .rpc = &rpc};
	struct server *server;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	table[0] = rpc_verbs;
	table[1] = (struct verb_group){verbs, sizeof(verbs) / sizeof(verbs[0])};
	roles.own = geteuid();
	rpc_init(&rpc, table, 2, NULL, now_of);
	if (loop_create(NULL, &loop) < 0 || address_parse(str_from(path), -1, &config.socket) < 0)
		_exit(1);
	config.loop = loop;
	if (server_open(&config, &server) < 0)
		_exit(1);
	loop_run(loop);
	_exit(0);
}

static int set_up(void **state)
{
	snprintf(path, sizeof(path), "/tmp/test_ctl_%d.sock", (int)getpid());
	served_by = fork();
	if (served_by == 0)
		serve();
	for (int i = 0; i < 500 && access(path, F_OK) < 0; i++)
		usleep(10000);
	return access(path, F_OK);
}

static int tear_down(void **state)
{
	kill(served_by, SIGKILL);
	waitpid(served_by, NULL, 0);
	unlink(path);
	return 0;
}

/* ---- the client ---------------------------------------------------------------------------- */

static char said[65536];

/* Runs cordctl with the words of a line; the exit code, with what it said in `said`. */
static int ctl(const char *socket, const char *line)
{
	char words[256], *argv[16] = {(char *)program, (char[]){"--socket"}, (char *)socket};
	int out[2], n = 3, status;
	size_t got = 0;
	ssize_t r;
	pid_t pid;
	char *rest;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &rest); w && n < 15; w = strtok_r(NULL, " ", &rest))
		argv[n++] = w;
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(out[0]);
		execv(program, argv);
		_exit(127);
	}
	close(out[1]);
	while ((r = read(out[0], said + got, sizeof(said) - 1 - got)) > 0) {
		got += (size_t)r;
		said[got] = '\0';
		if (strstr(line, "events") && strstr(said, "c1"))
			kill(pid, SIGTERM);
	}
	said[got] = '\0';
	close(out[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void has(const char *part)
{
	if (!strstr(said, part))
		fail_msg("expected '%s' in '%s'", part, said);
}

static void people_get_tables_and_trees(void **state)
{
	assert_int_equal(ctl(path, "status"), 0);
	has("bottleneck: media ports: 1 of 4 in use (25 %)\n");
	has("  ports: 1 of 4\n");
	has("  workers stalled: 0\n");
	assert_int_equal(ctl(path, "agents"), 0);
	has("AGENT   STATUS ");
	has("arossi  Available");
	has("?[2J??M\xc3\xbcnchen"); /* cannot steer the terminal */
	assert_null(strchr(said, 0x1b));
	assert_int_equal(ctl(path, "agent login arossi Available"), 0);
	has("arossi: Available, status Available");
	assert_int_equal(ctl(path, "records --since 12"), 0);
	has("last: 12");
	assert_int_equal(ctl(path, "record list --since 13"), 0);
	has("last: 13");
}

static void scripts_get_json(void **state)
{
	json_t *json;

	assert_int_equal(ctl(path, "--json agents"), 0);
	json = json_loads(said, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "agents")), 2);
	json_decref(json);
	assert_int_equal(ctl(path, "call ping {}"), 0);
	has("\"pong\"");
	assert_int_equal(ctl(path, "call no.such"), 1);
	has("no verb 'no.such'");
	assert_int_equal(ctl(path, "call ping {"), 2);
}

static void a_refusal_is_printed(void **state)
{
	assert_int_equal(ctl(path, "agent login nobody"), 1);
	has("cordctl: no user 'nobody'\n");
	assert_int_equal(ctl(path, "reload"), 1);
	has("error: queues.yaml:3: expected a name\n");
	assert_int_equal(ctl(path, "reload --json"), 1);
}

static void usage_is_two(void **state)
{
	assert_int_equal(ctl(path, ""), 2);
	has("usage: cordctl");
	assert_int_equal(ctl(path, "nonsense"), 2);
	assert_int_equal(ctl(path, "agent"), 2);
	assert_int_equal(ctl(path, "agent login"), 2);
	assert_int_equal(ctl(path, "status too many"), 2);
	assert_int_equal(ctl(path, "--nonsense status"), 2);
	assert_int_equal(ctl(path, "records --since x"), 2);
	assert_int_equal(ctl(path, "records --since"), 2);
	assert_int_equal(ctl(path, "help"), 0);
	assert_int_equal(ctl(path, "--help"), 0);
}

static void no_connection_is_three(void **state)
{
	assert_int_equal(ctl("/tmp/no-such-socket", "status"), 3);
	has("/tmp/no-such-socket: No such file");
	assert_int_equal(ctl("/tmp/no-such-socket", "events"), 3);
}

static void a_trace_is_a_ladder(void **state)
{
	const char *first, *second;

	assert_int_equal(ctl(path, "trace some-call-id"), 0);
	has("192.0.2.1:5060");
	has("10:00:00.125");
	first = strstr(said, "INVITE (sdp)");
	second = strstr(said, "200 OK [INVITE]");
	assert_true(first && second && first < second);
	has("|<-");
	has("->|");
	assert_int_equal(ctl(path, "trace --messages some-call-id"), 0);
	has("CSeq: 1 INVITE");
}

static void events_are_followed(void **state)
{
	assert_int_equal(ctl(path, "events --after 3 --topic contact"), 128 + SIGTERM);
	has("-- events between 3 and 7 are gone");
	has("QUEUED");
}

static void verbs_are_listed(void **state)
{
	assert_int_equal(ctl(path, "verbs"), 0);
	has("agent.login");
	has("(must) a");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(people_get_tables_and_trees),
		cmocka_unit_test(scripts_get_json), cmocka_unit_test(a_refusal_is_printed),
		cmocka_unit_test(usage_is_two), cmocka_unit_test(no_connection_is_three),
		cmocka_unit_test(a_trace_is_a_ladder), cmocka_unit_test(events_are_followed),
		cmocka_unit_test(verbs_are_listed)};

	if (argc < 2)
		return 77;
	program = argv[1];
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
