/* SPDX-License-Identifier: Apache-2.0 */
/* The admin socket over a real UNIX socket, subscriptions, and the metrics page over HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/http.h"
#include "admin/server.h"
#include "base/clock.h"
#include "support.h"

static struct loop *loop;
static struct events *events;
static struct server *server;
static struct rpc rpc;
static struct role_table roles;
static struct follower_config follower;
static struct verb_group table[3];
static char path[64];

static uint64_t now_of(void *ctx)
{
	return loop_now(loop);
}

static void handle_follow(struct rpc_call *call)
{
	int rc = follower_start(server_follower(call), (uint64_t)rpc_number(call, "after", 0),
		rpc_value(call, "topics"));

	rpc_finish(call, rc, NULL, rc < 0 ? NULL : json_object());
}

static const struct param follow_params[] = {
	{"after", PARAM_NUMBER, .help = "n"}, {"topics", PARAM_TEXTS, .help = "t"}};
static const struct verb follow_verbs[] = {
	{"follow", ROLE_READER, VERB_PARAMS(follow_params), .handle = handle_follow, .help = "f"}};

/* Three agents. */
static bool next_of_snapshot(void *ctx, uint64_t *cursor, const char **topic, json_t **object)
{
	if (*cursor == 3)
		return false;
	*topic = "agent";
	*object = json_pack("{s:i}", "agent", (int)++*cursor);
	return true;
}

static int set_up(void **state)
{
	struct server_config config = {.roles = &roles, .rpc = &rpc, .follower = &follower};

	if (loop_create(NULL, &loop) < 0)
		return -1;
	events = fake_events_new(100);
	table[0] = rpc_verbs;
	table[1] = fake_verbs;
	table[2] = (struct verb_group){follow_verbs, 1};
	rpc_init(&rpc, table, 3, NULL, now_of);
	roles = (struct role_table){.own = geteuid()};
	follower = (struct follower_config){.events = events, .snapshot = next_of_snapshot};
	snprintf(path, sizeof(path), "/tmp/test_admin_%d.sock", (int)getpid());
	config.loop = loop;
	if (address_parse(str_from(path), -1, &config.socket) < 0)
		return -1;
	return server_open(&config, &server);
}

static int tear_down(void **state)
{
	server_close(server);
	fake_answer_late();
	rpc_clear(&rpc);
	fake_events_free(events);
	loop_destroy(loop);
	return 0;
}

/* ---- a client ------------------------------------------------------------------------------ */

static int dial(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
}

/* The next line within 5 s, "" at the end of the stream. */
static const char *hear(int fd)
{
	static char line[300000];
	uint64_t end = clock_now() + 5 * CLOCK_S;
	size_t n = 0;

	while (clock_now() < end) {
		ssize_t got = recv(fd, line + n, 1, 0);

		if (got == 0 || (got < 0 && errno != EAGAIN))
			return "";
		if (got < 0)
			loop_step(loop, CLOCK_MS);
		else if (line[n] == '\n') {
			line[n] = '\0';
			return line;
		} else if (n + 1 < sizeof(line))
			n++;
	}
	fail_msg("no line");
	return "";
}

static void expect(int fd, const char *part)
{
	const char *line = hear(fd);

	if (!strstr(line, part))
		fail_msg("expected '%s' in '%s'", part, line);
}

static void settle(unsigned ms)
{
	uint64_t end = clock_now() + ms * CLOCK_MS;

	while (clock_now() < end)
		loop_step(loop, CLOCK_MS);
}

#define CALL(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":" params "}\n"

/* ---- calls --------------------------------------------------------------------------------- */

static void calls_come_in_pieces(void **state)
{
	static const char line[] = CALL("ping", "{}");
	int fd = dial();

	for (size_t cut = 1; cut < sizeof(line) - 1; cut += 7) {
		char part[sizeof(line)];

		snprintf(part, sizeof(part), "%.*s", (int)cut, line);
		say(fd, part);
		loop_step(loop, CLOCK_MS);
		loop_step(loop, CLOCK_MS);
		say(fd, line + cut);
		expect(fd, "\"role\":\"operator\"");
	}
	say(fd, "rubbish\n\n" CALL("ping", "{}"));
	expect(fd, "-32700");
	expect(fd, "pong");
	close(fd);
}

static void a_line_without_end_is_refused_and_survived(void **state)
{
	char *much = malloc(LINE_MAX_BYTES + 100);
	size_t sent = 0, n = LINE_MAX_BYTES + 100;
	int fd = dial();

	memset(much, 'x', n);
	while (sent < n) {
		ssize_t got = send(fd, much + sent, n - sent, MSG_NOSIGNAL);

		if (got > 0)
			sent += (size_t)got;
		loop_step(loop, CLOCK_MS);
	}
	expect(fd, "longer than 262144");
	say(fd, "\n" CALL("ping", "{}"));
	expect(fd, "pong");
	close(fd);
	free(much);
}

static void who_only_stopped_sending_is_answered(void **state)
{
	int fd = dial();

	say(fd, CALL("fake.late", "{}"));
	send(fd, CALL("ping", "{}"), strlen(CALL("ping", "{}")) - 1, MSG_NOSIGNAL); /* no LF */
	shutdown(fd, SHUT_WR);
	expect(fd, "pong");
	fake_answer_late();
	expect(fd, "\"late\"");
	assert_string_equal(hear(fd), "");
	close(fd);
}

static void a_peer_may_vanish_at_any_time(void **state)
{
	struct server_stats stats;

	for (unsigned i = 0; i < 20; i++) {
		int fd = dial();

		say(fd, CALL("fake.late", "{}") CALL("follow", "{}")
				CALL("fake.large", "{\"bytes\":1000000}"));
		for (unsigned steps = 0; steps < i % 5; steps++)
			loop_step(loop, CLOCK_MS);
		close(fd);
	}
	settle(50);
	fake_answer_late();
	settle(50);
	while (fake_events_answer(events))
		settle(1);
	fake_event(events, "agent", "{}");
	server_stats(server, &stats);
	assert_int_equal(stats.connections, 0);
	assert_int_equal(stats.followers, 0);
}

static void connections_of_a_user_are_limited(void **state)
{
	int fds[SERVER_USER_MAX + 1];

	for (unsigned i = 0; i <= SERVER_USER_MAX; i++) {
		fds[i] = dial();
		settle(1);
	}
	expect(fds[SERVER_USER_MAX], "too many connections");
	assert_string_equal(hear(fds[SERVER_USER_MAX]), "");
	say(fds[0], CALL("ping", "{}"));
	expect(fds[0], "pong");
	for (unsigned i = 0; i <= SERVER_USER_MAX; i++)
		close(fds[i]);
}

/* ---- events -------------------------------------------------------------------------------- */

static void a_reader_gets_what_it_missed_then_what_happens(void **state)
{
	int fd = dial();
	char part[64];

	for (int i = 0; i < 25; i++)
		fake_event(events, i % 5 ? "contact" : "agent", "{\"a\":1}");
	say(fd, CALL("follow", "{\"after\":3,\"topics\":[\"contact\"]}"));
	expect(fd, "\"result\"");
	fake_event(events, "contact", "{\"live\":26}"); /* while it catches up */
	while (fake_events_answer(events))
		;
	fake_event(events, "contact", "{\"live\":27}");
	for (int i = 4; i <= 27; i++) {
		if ((i - 1) % 5 == 0 && i <= 25)
			continue;
		snprintf(part, sizeof(part), "\"number\":%d,", i);
		expect(fd, part);
	}
	say(fd, CALL("follow", "{}"));
	expect(fd, "\"error\"");
	close(fd);
}

static void a_gap_is_told_with_the_state_of_things(void **state)
{
	int fd = dial();

	for (int i = 0; i < 150; i++) /* 1 to 50 are gone */
		fake_event(events, "agent", "{}");
	say(fd, CALL("follow", "{\"after\":7}"));
	expect(fd, "\"result\"");
	while (fake_events_answer(events))
		;
	expect(fd, "\"method\":\"gap\",\"params\":{\"after\":7,\"first\":51}");
	for (int i = 0; i < 3; i++)
		expect(fd, "\"method\":\"snapshot\",\"params\":{\"number\":150,");
	expect(fd, "\"topic\":\"end\"");
	expect(fd, "\"number\":51,");
	for (int i = 52; i < 150; i++)
		hear(fd);
	expect(fd, "\"number\":150,");
	fake_event(events, "agent", "{}");
	expect(fd, "\"number\":151,");
	close(fd);

	fd = dial(); /* a number from the future is a gap too */
	say(fd, CALL("follow", "{\"after\":9000}"));
	expect(fd, "\"result\"");
	while (fake_events_answer(events))
		;
	expect(fd, "\"method\":\"gap\"");
	for (int i = 0; i < 4; i++)
		expect(fd, "snapshot");
	while (fake_events_answer(events))
		;
	fake_event(events, "agent", "{}");
	expect(fd, "\"number\":152,");
	close(fd);
}

static void a_reader_that_does_not_read_is_cut_off(void **state)
{
	char *json = malloc(100003);
	struct server_stats stats;
	int fd = dial(), other = dial();

	memset(json, 'x', 100002);
	json[0] = json[100001] = '"';
	json[100002] = '\0';
	say(fd, CALL("follow", "{}"));
	expect(fd, "\"result\"");
	for (int i = 0; i < 60; i++) {
		fake_event(events, "agent", json);
		loop_step(loop, 0);
	}
	settle(10);
	server_stats(server, &stats);
	assert_int_equal(stats.cut_off, 1);
	assert_int_equal(stats.followers, 0);
	say(other, CALL("ping", "{}"));
	expect(other, "pong");
	close(fd);
	close(other);
	free(json);
}

/* Catching up waits for a slow reader instead of cutting it off. */
static void a_slow_reader_catches_up(void **state)
{
	char *json = malloc(100003);
	struct server_stats stats;
	int fd = dial();

	memset(json, 'x', 100002);
	json[0] = json[100001] = '"';
	json[100002] = '\0';
	for (int i = 0; i < 90; i++)
		fake_event(events, "agent", json);
	say(fd, CALL("follow", "{\"after\":0}"));
	settle(10);
	for (int i = 0; i < 20; i++) {
		fake_events_answer(events);
		settle(2);
	}
	server_stats(server, &stats);
	assert_int_equal(stats.cut_off, 0);
	expect(fd, "\"result\"");
	for (int i = 1; i <= 90; i++) {
		char part[32];

		while (fake_events_answer(events)) /* asked for as room comes */
			;
		snprintf(part, sizeof(part), "\"number\":%d,", i);
		expect(fd, part);
	}
	close(fd);
	free(json);
}

/* ---- the page ------------------------------------------------------------------------------ */

static bool write_page(void *ctx, unsigned step, FILE *to)
{
	fprintf(to, "part %u\n", step);
	return step < 2;
}

static void ask(const struct http *http, const char *request, const char *first, const char *last)
{
	struct address to = http_local(http);
	char got[4096];
	size_t n = 0;
	uint64_t end = clock_now() + 5 * CLOCK_S;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, &to.any, to.length), 0);
	for (size_t i = 0; i < strlen(request); i += 9) { /* in pieces */
		size_t part = strlen(request) - i < 9 ? strlen(request) - i : 9;

		if (send(fd, request + i, part, MSG_NOSIGNAL) < 0)
			break;
		loop_step(loop, 0);
	}
	while (clock_now() < end) {
		ssize_t r = recv(fd, got + n, sizeof(got) - 1 - n, MSG_DONTWAIT);

		if (r == 0 || (r < 0 && errno != EAGAIN))
			break;
		if (r > 0)
			n += (size_t)r;
		else
			loop_step(loop, CLOCK_MS);
	}
	got[n] = '\0';
	close(fd);
	if (strncmp(got, first, strlen(first)) != 0 || !strstr(got, last))
		fail_msg("'%s' got '%s'", request, got);
}

static void the_page_can_be_fetched(void **state)
{
	struct http_config config = {.loop = loop,
		.listen = address_ipv4(0x7f000001, 0),
		.path = "/metrics",
		.type = "text/plain",
		.write = write_page};
	struct http *http;

	assert_int_equal(http_open(&config, &http), 0);
	ask(http, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK",
		"\r\n\r\npart 0\npart 1\npart 2\n");
	ask(http, "GET /metrics?x=1 HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "part 2");
	ask(http, "HEAD /metrics HTTP/1.1\n\n", "HTTP/1.1 200 OK", "Content-Length: 21");
	ask(http, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404", "");
	ask(http, "POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405", "");
	ask(http, "GET /metrics HTTP/3.0\r\n\r\n", "HTTP/1.1 505", "");
	ask(http, "GET /metrics\r\n\r\n", "HTTP/1.1 400", "");
	ask(http, "\r\n\r\n", "HTTP/1.1 400", "");
	ask(http, "GET metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 400", "");
	http_close(http);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(calls_come_in_pieces),
		T(a_line_without_end_is_refused_and_survived),
		T(who_only_stopped_sending_is_answered), T(a_peer_may_vanish_at_any_time),
		T(connections_of_a_user_are_limited),
		T(a_reader_gets_what_it_missed_then_what_happens),
		T(a_gap_is_told_with_the_state_of_things),
		T(a_reader_that_does_not_read_is_cut_off), T(a_slow_reader_catches_up),
		T(the_page_can_be_fetched)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
