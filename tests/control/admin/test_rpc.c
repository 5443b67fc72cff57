/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, calls, parameters, roles, request ids: without sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/line.h"
#include "support.h"

static const struct verb_group *const both[] = {&rpc_verbs, &fake_verbs};
static struct verb_group table[2];
static uint64_t now = 1;

struct desk {
	struct rpc_peer peer; /* first */
	char *said;           /* the last line */
	unsigned lines;
};

static struct rpc rpc;
static struct desk desk;

static uint64_t now_of(void *ctx)
{
	return now;
}

static void keep(struct rpc_peer *peer, const char *line, size_t n)
{
	struct desk *d = (struct desk *)peer;

	assert_true(n > 1 && line[n - 1] == '\n');
	assert_null(memchr(line, '\n', n - 1));
	free(d->said);
	d->said = strndup(line, n - 1);
	d->lines++;
}

static int set_up(void **state)
{
	for (int i = 0; i < 2; i++)
		table[i] = *both[i];
	rpc_init(&rpc, table, 2, NULL, now_of);
	desk = (struct desk){.peer = {.rpc = &rpc, .role = ROLE_OPERATOR, .uid = 7, .send = keep}};
	fake_added = 0;
	return 0;
}

static int tear_down(void **state)
{
	rpc_peer_gone(&desk.peer);
	fake_answer_late();
	rpc_clear(&rpc);
	free(desk.said);
	return 0;
}

/* The answer to a line; NULL: none. */
static json_t *say_n(const char *line, size_t n)
{
	unsigned before = desk.lines;

	rpc_line(&desk.peer, line, n);
	if (desk.lines == before)
		return NULL;
	return json_loads(desk.said, JSON_REJECT_DUPLICATES, NULL);
}

static json_t *say(const char *line)
{
	return say_n(line, strlen(line));
}

static void expect_code(json_t *answer, int code, const char *part)
{
	const json_t *error = json_object_get(answer, "error");

	assert_non_null(error);
	assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
	assert_non_null(strstr(json_string_value(json_object_get(error, "message")), part));
	assert_string_equal(json_string_value(json_object_get(answer, "jsonrpc")), "2.0");
	assert_non_null(json_object_get(answer, "id"));
	json_decref(answer);
}

#define CALL(method, params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":" params "}"

static void a_call_is_answered(void **state)
{
	json_t *answer = say(CALL("fake.add", "{\"a\":2,\"b\":3}"));

	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "result"), "sum")), 5);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 1);
	json_decref(answer);
	assert_null(say("{\"jsonrpc\":\"2.0\",\"method\":\"fake.add\",\"params\":{\"a\":1}}"));
	assert_int_equal(fake_added, 2); /* a notification runs, silently */
}

static void a_line_that_is_no_call_says_why(void **state)
{
	expect_code(say("{"), RPC_PARSE, "expected JSON");
	expect_code(say("7"), RPC_INVALID, "expected an object");
	expect_code(say("null"), RPC_INVALID, "expected an object");
	expect_code(say("{\"id\":1,\"id\":2}"), RPC_PARSE, "duplicate");
	expect_code(say("{\"id\":1,\"method\":\"ping\"}"), RPC_INVALID, "jsonrpc");
	expect_code(say("{\"jsonrpc\":\"2.0\",\"id\":1}"), RPC_INVALID, "method");
	expect_code(say("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":3}"), RPC_INVALID, "method");
	expect_code(say("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}"), RPC_INVALID, "id");
	expect_code(say(CALL("no.such", "{}")), RPC_NO_VERB, "no.such");
	expect_code(say(CALL("ping", "[1]")), RPC_PARAMS, "object");
	rpc_line(&desk.peer, NULL, 0);
	expect_code(json_loads(desk.said, 0, NULL), RPC_PARSE, "262144");
	assert_null(say(""));
	assert_null(say("  \t "));
}

/* Any byte at any place of a good line: an answer or silence, and the peer lives on. */
static void every_byte_may_be_wrong(void **state)
{
	static const char good[] = CALL("fake.get", "{\"name\":\"a\",\"list\":[\"x\"]}");
	char line[sizeof(good)];

	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (unsigned byte = 0; byte < 256; byte++) {
			memcpy(line, good, sizeof(good));
			line[at] = (char)byte;
			if (byte == '\n')
				continue;
			json_decref(say_n(line, sizeof(good) - 1));
		}
	for (size_t cut = 1; cut < sizeof(good) - 1; cut++)
		expect_code(say_n(good, cut), RPC_PARSE, "expected JSON");
	json_decref(say(good));
	assert_non_null(strstr(desk.said, "\"result\""));
}

static void nesting_is_bounded(void **state)
{
	size_t n = 200000;
	char *line = malloc(n);

	memset(line, '[', n);
	expect_code(say_n(line, n), RPC_PARSE, "");
	free(line);
}

/* A value of each type for each parameter of each verb: right ones pass, wrong ones are named. */
static void wrong_parameters_are_named(void **state)
{
	static const char *const values[] = {"null", "true", "7", "-11", "1.5", "\"\"", "\"ok\"",
		"\"much too long\"", "\"a\\u0000b\"", "\"\\u001b[2J\"", "[]", "[\"x\"]", "[7]",
		"[\"a\",\"b\",\"c\"]", "{}", "99999999999999999"};
	char line[512], why[VERB_WHY_SIZE];

	for (size_t v = 0; v < fake_verbs.n; v++) {
		const struct verb *verb = &fake_verbs.verbs[v];

		for (size_t p = 0; p < verb->n_params; p++)
			for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
				json_t *params, *answer;
				const char *name;
				bool good;

				snprintf(line, sizeof(line), "{\"%s\":%s}", verb->params[p].name,
					values[i]);
				params = json_loads(line, JSON_ALLOW_NUL, NULL);
				good = verb_check(verb, params, &name, why) == 0;
				json_decref(params);
				snprintf(line, sizeof(line),
					"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\","
					"\"params\":"
					"{\"%s\":%s}}",
					verb->name, verb->params[p].name, values[i]);
				answer = say(line);
				assert_non_null(answer);
				if (!good && strstr(values[i], "u0000") == NULL)
					expect_code(answer, RPC_PARAMS, "expected");
				else
					json_decref(answer);
			}
	}
	expect_code(say(CALL("fake.get", "{}")), RPC_PARAMS, "name: expected text");
	expect_code(say(CALL("fake.get", "{\"name\":\"a\",\"nmae\":1}")), RPC_PARAMS,
		"nmae: no such parameter; known are: name list flag");
	expect_code(say(CALL("ping", "{\"x\":1}")), RPC_PARAMS, "takes no parameters");
	expect_code(say(CALL("fake.add", "{\"a\":11}")), RPC_PARAMS, "from -10 to 10");
}

static bool map_passes(const struct verb *verb, const char *value, size_t n)
{
	json_t *params = json_pack("{s:{s:s%}}", "map", "name", value, n);
	char why[VERB_WHY_SIZE] = "";
	const char *name;
	bool good = verb_check(verb, params, &name, why) == 0;

	if (!good) {
		assert_string_equal(name, "map");
		assert_non_null(strstr(why, "expected an object of texts"));
	}
	json_decref(params);
	return good;
}

static void an_object_of_texts_is_judged(void **state)
{
	static const struct param params[] = {{"map", PARAM_MAP, .max = 20, .help = "a map"}};
	static const struct verb verb = {"fake.map", ROLE_READER, VERB_PARAMS(params)};
	static const struct {
		const char *params;
		bool good;
	} rows[] = {{"{\"map\":{}}", true}, {"{\"map\":null}", true}, {"{\"map\":[]}", false},
		{"{\"map\":\"x\"}", false}, {"{\"map\":{\"a\":1}}", false},
		{"{\"map\":{\"a\":null}}", false}, {"{\"map\":{\"a\":{}}}", false},
		{"{\"map\":{\"\":\"a\"}}", false},
		{"{\"map\":{\"a\":\"line\\nline\",\"b\":\"\"}}", true},
		{"{\"map\":{\"a\":\"x\\u0000y\"}}", false}};
	char why[VERB_WHY_SIZE];
	const char *name;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *value = json_loads(rows[i].params, JSON_ALLOW_NUL, NULL);

		assert_non_null(value);
		assert_int_equal(verb_check(&verb, value, &name, why) == 0, rows[i].good);
		json_decref(value);
	}
	/* name and text, and a NUL after each: 20 bytes fit, 21 do not */
	assert_true(map_passes(&verb, "12345678901234", 14));
	assert_false(map_passes(&verb, "123456789012345", 15));
}

static void a_role_may_what_its_row_says(void **state)
{
	for (enum role role = ROLE_NONE; role < ROLE_COUNT; role++) {
		desk.peer.role = role;
		for (size_t v = 0; v < fake_verbs.n; v++) {
			char line[128];
			bool barred;
			json_t *answer;

			snprintf(line, sizeof(line),
				"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}",
				fake_verbs.verbs[v].name);
			answer = say(line);
			barred =
				json_integer_value(json_object_get(
					json_object_get(answer, "error"), "code")) == RPC_FORBIDDEN;
			json_decref(answer);
			assert_int_equal(barred, role < fake_verbs.verbs[v].least);
			fake_answer_late();
		}
	}
}

static void batches_are_answered_as_one(void **state)
{
	json_t *answer = say("[" CALL("ping", "{}") ", 7, " CALL("no.such",
		"{}") ","
		      "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}," CALL("fake.late", "{}") "]");

	assert_null(answer); /* one is not answered yet */
	fake_answer_late();
	answer = json_loads(desk.said, 0, NULL);
	assert_int_equal(json_array_size(answer), 4);
	json_decref(answer);
	expect_code(say("[]"), RPC_INVALID, "at least one");
	assert_null(say("[{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}]"));
}

static void too_many_calls_under_way_are_refused(void **state)
{
	for (unsigned i = 0; i < RPC_CALLS_MAX; i++)
		assert_null(say(CALL("fake.late", "{}")));
	expect_code(say(CALL("ping", "{}")), RPC_BUSY, "not answered yet");
	expect_code(say("[" CALL("ping", "{}") "]"), RPC_BUSY, "not answered yet");
	fake_answer_late();
	json_decref(say(CALL("ping", "{}")));
	assert_non_null(strstr(desk.said, "pong"));
}

static void a_peer_may_go_before_the_answer(void **state)
{
	unsigned lines;

	assert_null(say(CALL("fake.late", "{}")));
	assert_null(say("[" CALL("fake.late", "{}") "]"));
	rpc_peer_gone(&desk.peer);
	lines = desk.lines;
	fake_answer_late();
	assert_int_equal(desk.lines, lines);
}

static void the_same_request_runs_once(void **state)
{
	static const char line[] = CALL("fake.add", "{\"a\":1,\"request\":\"r1\"}");
	char *first;

	json_decref(say(line));
	first = strdup(desk.said);
	json_decref(say(line));
	assert_string_equal(desk.said, first);
	assert_int_equal(fake_added, 1);
	expect_code(
		say(CALL("fake.add", "{\"a\":2,\"request\":\"r1\"}")), RPC_REQUEST, "another call");
	expect_code(say(CALL("fake.refuse", "{\"request\":\"r1\"}")), RPC_REQUEST, "another call");

	desk.peer.uid++; /* ids of one user are not those of another */
	json_decref(say(line));
	assert_int_equal(fake_added, 2);
	desk.peer.uid--;

	now += ANSWERS_KEEP_NS - 2;
	json_decref(say(line));
	assert_int_equal(fake_added, 2);
	now += 3;
	json_decref(say(line));
	assert_int_equal(fake_added, 3);

	expect_code(say(CALL("fake.refuse", "{\"request\":\"r2\"}")), RPC_REFUSED, "forbids");
	expect_code(say(CALL("fake.refuse", "{\"request\":\"r2\"}")), RPC_REFUSED, "forbids");
	/* a wrong parameter is no answer that is kept */
	expect_code(say(CALL("fake.add", "{\"request\":\"r3\"}")), RPC_PARAMS, "a: expected");
	json_decref(say(CALL("fake.add", "{\"a\":1,\"request\":\"r3\"}")));
	assert_non_null(strstr(desk.said, "\"sum\""));
	free(first);
}

static void kept_answers_are_bounded(void **state)
{
	struct answers a;
	const char *text;
	char key[16];

	answers_init(&a);
	a.max = 100;
	for (unsigned i = 0; i < 1000; i++) {
		int n = snprintf(key, sizeof(key), "%u", i);

		assert_int_equal(answers_begin(&a, key, (size_t)n, i, 1, &text), 0);
		assert_int_equal(answers_begin(&a, key, (size_t)n, i, 1, &text), -EINPROGRESS);
		answers_end(&a, key, (size_t)n, "{}");
		assert_int_equal(answers_begin(&a, key, (size_t)n, i, 1, &text), 1);
		assert_true(map_count(&a.map) <= 100);
	}
	assert_int_equal(answers_begin(&a, "999", 3, 5, 1, &text), -EEXIST);
	a.bytes_max = 1000;
	assert_int_equal(answers_begin(&a, "x", 1, 5, 1, &text), 0);
	assert_true(a.bytes < 1200);
	answers_end(&a, "x", 1, NULL); /* never happened */
	assert_int_equal(answers_begin(&a, "x", 1, 6, 1, &text), 0);
	answers_clear(&a);
}

static void a_large_answer_is_an_error(void **state)
{
	json_decref(say(CALL("fake.large", "{\"bytes\":2000000}")));
	assert_non_null(strstr(desk.said, "\"result\""));
	expect_code(say(CALL("fake.large", "{\"bytes\":2200000}")), RPC_REFUSED, "ask for less");
}

static void the_list_names_every_verb(void **state)
{
	json_t *answer = say(CALL("rpc.list", "{}")), *verb;
	const json_t *verbs = json_object_get(json_object_get(answer, "result"), "verbs");
	size_t i;

	assert_int_equal(json_array_size(verbs), rpc_verbs.n + fake_verbs.n);
	json_array_foreach((json_t *)verbs, i, verb)
		assert_non_null(rpc_find(&rpc, json_string_value(json_object_get(verb, "name"))));
	json_decref(answer);
}

/* ---- lines --------------------------------------------------------------------------------- */

struct heard {
	char text[256];
	unsigned too_long;
};

static bool hear(void *ctx, const char *line, size_t n)
{
	struct heard *h = ctx;

	if (!line)
		h->too_long++;
	else
		snprintf(h->text + strlen(h->text), sizeof(h->text) - strlen(h->text), "%.*s|",
			(int)n, line);
	return true;
}

/* Cut in two at each place, and in single bytes, it is the same. */
static void lines_may_come_in_pieces(void **state)
{
	static const char bytes[] = "one\r\n\ntwo\n0123456789abcdef\nthree\nfour";
	static const char expected[] = "one||two|three|four|";
	size_t n = sizeof(bytes) - 1;

	for (size_t cut = 0; cut <= n + 1; cut++) {
		struct line_reader r = {.max = 10};
		struct heard h = {.text = ""};

		if (cut > n) {
			for (size_t i = 0; i < n; i++)
				assert_int_equal(line_feed(&r, bytes + i, 1, hear, &h), 0);
		} else {
			assert_int_equal(line_feed(&r, bytes, cut, hear, &h), 0);
			assert_int_equal(line_feed(&r, bytes + cut, n - cut, hear, &h), 0);
		}
		assert_int_equal(line_end(&r, hear, &h), 0);
		assert_string_equal(h.text, expected);
		assert_int_equal(h.too_long, 1);
		line_clear(&r);
	}
}

/* ---- roles --------------------------------------------------------------------------------- */

static void rows_give_roles(void **state)
{
	static const char *const bad[] = {"", "root=operator", "uid:root",
		"uid:root=", "uid:=reader", "uid:root=none", "uid:root=king", "gid:root:reader",
		"=operator"};
	struct role_table t = {.own = 4000};
	char why[ROLE_WHY_SIZE];
	gid_t groups[] = {5, 50};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(role_add(&t, bad[i], why), -EINVAL);
	assert_int_equal(role_add(&t, "uid:nobody-here-with-this-name=reader", why), -ENOENT);
	assert_int_equal(t.n, 0);
	assert_int_equal(role_add(&t, "uid:root=operator", why), 0);
	assert_int_equal(role_add(&t, " uid:1000=reader ", why), 0);
	assert_int_equal(role_add(&t, "gid:50=supervisor", why), 0);
	assert_int_equal(role_of(&t, 0, NULL, 0), ROLE_OPERATOR);
	assert_int_equal(role_of(&t, 1000, NULL, 0), ROLE_READER);
	assert_int_equal(role_of(&t, 1000, groups, 2), ROLE_SUPERVISOR); /* the highest */
	assert_int_equal(role_of(&t, 1001, groups, 1), ROLE_NONE);
	assert_int_equal(role_of(&t, 4000, NULL, 0), ROLE_OPERATOR); /* ourselves */
	while (t.n < ROLE_ROWS_MAX)
		assert_int_equal(role_add(&t, "uid:1=reader", why), 0);
	assert_int_equal(role_add(&t, "uid:1=reader", why), -ENOSPC);
}

/* A name that is cut in the middle of a letter. */
static void an_error_is_told_whatever_its_bytes(void **state)
{
	char line[160];
	json_t *answer;

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%063d\xc3\xa9\"}",
		0);
	answer = say(line);
	assert_non_null(answer);
	assert_non_null(strstr(desk.said, "no verb '0"));
	json_decref(answer);
}

/* ---- messages of desktops ------------------------------------------------------------------ */

#define MESSAGE "{\"channel\":\"Amazon\",\"topic\":\"InboundCall\",\"data\":1}"

static struct rpc_call *message;

static void take_message(struct rpc_call *call)
{
	message = call;
}

static void R125_a_line_with_channel_and_topic_is_a_message(void **state)
{
	static const char *const calls[] = {"{\"channel\":\"Amazon\"}", "{\"topic\":1}",
		"[" MESSAGE "]",
		"{\"jsonrpc\":\"2.0\",\"channel\":1,\"topic\":1,\"id\":1,\"method\":\"ping\"}"};
	json_t *answer = say(MESSAGE);

	assert_non_null(json_object_get(answer, "error")); /* nobody takes them */
	json_decref(answer);
	rpc.message = take_message;
	message = NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		answer = say(calls[i]);
		assert_non_null(answer);
		assert_null(message);
		json_decref(answer);
	}
	assert_null(say(MESSAGE));
	assert_non_null(message);
	assert_int_equal(desk.peer.n_calls, 1);
	assert_int_equal(json_integer_value(json_object_get(message->params, "data")), 1);
	rpc_answer(message, json_pack("{s:s}", "told", "as it is"));
	assert_string_equal(desk.said, "{\"told\":\"as it is\"}");
	assert_int_equal(desk.peer.n_calls, 0);
}

static void R125_messages_are_answered_in_the_order_in_which_they_end(void **state)
{
	struct rpc_call *first;

	rpc.message = take_message;
	say(MESSAGE);
	first = message;
	say(MESSAGE);
	rpc_answer(message, json_pack("{s:i}", "told", 2));
	assert_string_equal(desk.said, "{\"told\":2}");
	rpc_answer(first, json_pack("{s:i}", "told", 1));
	assert_string_equal(desk.said, "{\"told\":1}");
}

static void R125_a_desktop_may_go_before_the_answer(void **state)
{
	unsigned before;

	rpc.message = take_message;
	desk.peer.agent = strdup("somebody");
	say(MESSAGE);
	before = desk.lines;
	rpc_peer_gone(&desk.peer);
	assert_null(desk.peer.agent);
	rpc_answer(message, json_pack("{s:i}", "told", 1));
	assert_int_equal(desk.lines, before);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {T(a_call_is_answered),
		T(a_line_that_is_no_call_says_why), T(every_byte_may_be_wrong),
		T(nesting_is_bounded), T(wrong_parameters_are_named),
		T(an_object_of_texts_is_judged), T(a_role_may_what_its_row_says),
		T(batches_are_answered_as_one), T(too_many_calls_under_way_are_refused),
		T(a_peer_may_go_before_the_answer), T(the_same_request_runs_once),
		T(kept_answers_are_bounded), T(a_large_answer_is_an_error),
		T(the_list_names_every_verb), T(lines_may_come_in_pieces), T(rows_give_roles),
		T(an_error_is_told_whatever_its_bytes),
		T(R125_a_line_with_channel_and_topic_is_a_message),
		T(R125_messages_are_answered_in_the_order_in_which_they_end),
		T(R125_a_desktop_may_go_before_the_answer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
