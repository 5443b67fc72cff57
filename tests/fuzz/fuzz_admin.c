/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: what somebody writes to the admin socket. The first byte is the peer's role and how
 * its bytes are cut into pieces; the rest goes through lines, calls, a table of verbs, and messages
 * of desktops. Every answer is one line of JSON-RPC, or of a desktop's, and pieces change nothing.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "admin/desktop.h"
#include "admin/line.h"
#include "admin/rpc.h"
#include "admin/trace.h"
#include "control/admin/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct desk {
	struct rpc_peer peer; /* first */
	struct line_reader reader;
	size_t lines, answers;
};

static uint64_t now;

static void require(int condition)
{
	if (!condition)
		abort();
}

static uint64_t now_of(void *ctx)
{
	return now;
}

static void require_response(const json_t *one)
{
	require(json_is_object(one));
	require(strcmp(json_string_value(json_object_get(one, "jsonrpc")), "2.0") == 0);
	require(json_object_get(one, "id") != NULL);
	require(!json_object_get(one, "result") != !json_object_get(one, "error"));
}

static bool is_text(const json_t *object, const char *member)
{
	return json_is_string(json_object_get(object, member));
}

static void require_desktop_answer(const json_t *one)
{
	require(json_object_get(one, "channel") && json_object_get(one, "topic"));
	require(json_object_get(one, "subtopic") != NULL);
	if (json_object_get(one, "message"))
		require(json_object_size(one) == 4);
	else
		require(is_text(one, "errorType") && is_text(one, "msg") &&
			is_text(one, "errorMessage"));
}

static void take_message(struct rpc_call *call)
{
	struct desktop_message message = {0};
	char why[ENDPOINT_WHY_SIZE];
	int rc = desktop_read(call->params, &message, why);

	if (rc == 0) {
		require(message.source[0] && !message.number == !!message.endpoint.arn);
		rpc_answer(call, desktop_success(call->params, "c", "AfterCallWork"));
	} else {
		require(strlen(why) > 0 && strlen(why) < sizeof(why));
		rpc_answer(call, desktop_failure(call->params, rc, why));
	}
}

static void take_answer(struct rpc_peer *peer, const char *line, size_t n)
{
	json_t *answer, *one;
	size_t i;

	require(n > 1 && line[n - 1] == '\n' && !memchr(line, '\n', n - 1));
	answer = json_loadb(line, n - 1, JSON_ALLOW_NUL, NULL);
	require(answer != NULL);
	if (json_is_array(answer)) {
		require(json_array_size(answer) <= RPC_BATCH_MAX);
		json_array_foreach(answer, i, one) require_response(one);
	} else if (json_object_get(answer, "jsonrpc")) {
		require_response(answer);
	} else {
		require_desktop_answer(answer);
	}
	json_decref(answer);
	((struct desk *)peer)->answers++;
}

static bool take_line(void *ctx, const char *line, size_t n)
{
	struct desk *desk = ctx;

	/* Of its exact size, so that a read beyond it is seen. */
	char *exact = line ? malloc(n ? n : 1) : NULL;

	desk->lines++;
	if (line)
		memcpy(exact, line, n);
	rpc_line(&desk->peer, exact, n);
	free(exact);
	if (fake_late_waiting() > 200)
		fake_answer_late();
	now += UINT64_C(1000000000);
	return true;
}

static void feed(struct desk *desk, const uint8_t *bytes, size_t length, size_t piece)
{
	for (size_t at = 0; at < length; at += piece)
		require(line_feed(&desk->reader, bytes + at,
				length - at < piece ? length - at : piece, take_line, desk) == 0);
	require(line_end(&desk->reader, take_line, desk) == 0);
}

static size_t run(const uint8_t *bytes, size_t length, enum role role, size_t piece)
{
	static struct verb_group table[2];
	struct rpc rpc;
	struct desk desk = {.peer = {.rpc = &rpc, .role = role, .send = take_answer}};

	table[0] = rpc_verbs;
	table[1] = fake_verbs;
	now = 1;
	desk.reader.max = 4096;
	rpc_init(&rpc, table, 2, NULL, now_of);
	rpc.message = take_message;
	feed(&desk, bytes, length, piece);
	rpc_peer_gone(&desk.peer);
	fake_answer_late();
	line_clear(&desk.reader);
	rpc_clear(&rpc);
	return desk.answers;
}

/* The same bytes as a SIP message that somebody may look at later. */
static void trace_them(const uint8_t *bytes, size_t length)
{
	struct trace *trace = trace_new(1 << 16);
	struct address peer = {0};
	char *exact = malloc(length ? length : 1);

	memcpy(exact, bytes, length);
	trace_add(trace, 1, false, "udp", &peer, (struct str){exact, length});
	trace_blank(exact, length);
	trace_call_id((struct str){exact, length});
	free(exact);
	trace_free(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	enum role role;

	if (length == 0)
		return 0;
	role = (enum role)((bytes[0] & 7) % ROLE_COUNT);
	require(run(bytes + 1, length - 1, role, length) ==
		run(bytes + 1, length - 1, role, 1u + (bytes[0] >> 3)));
	trace_them(bytes + 1, length - 1);
	return 0;
}
