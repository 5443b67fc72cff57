/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/rpc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/text.h"
#include "base/check.h"
#include "base/log.h"
#include "base/siphash.h"

struct rpc_batch {
	json_t *answers;
	unsigned pending;
};

void rpc_init(struct rpc *rpc, const struct verb_group *groups, size_t n_groups, void *ctx,
	uint64_t (*now)(void *ctx))
{
	*rpc = (struct rpc){.groups = groups, .n_groups = n_groups, .ctx = ctx, .now = now};
	answers_init(&rpc->answers);
}

void rpc_clear(struct rpc *rpc)
{
	answers_clear(&rpc->answers);
}

const struct verb *rpc_find(const struct rpc *rpc, const char *name)
{
	for (size_t g = 0; g < rpc->n_groups; g++)
		for (size_t i = 0; i < rpc->groups[g].n; i++)
			if (strcmp(rpc->groups[g].verbs[i].name, name) == 0)
				return &rpc->groups[g].verbs[i];
	return NULL;
}

/* ---- what goes out ------------------------------------------------------------------------- */

static json_t *error_object(enum rpc_error code, const char *message, const char *param)
{
	json_t *error = json_pack(
		"{s:i, s:o}", "code", (int)code, "message", json_bytes(message, strlen(message)));

	if (param)
		json_object_set_new(error, "data", json_pack("{s:s}", "param", param));
	return error;
}

static json_t *answer_object(json_t *id, const char *member, json_t *value)
{
	return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, member, value);
}

/* Takes the object. */
static void send_object(struct rpc_peer *peer, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;

	if (text) {
		text[n] = '\n'; /* in the place of the terminator */
		peer->send(peer, text, n + 1);
	}
	free(text);
	json_decref(object);
}

void rpc_notify(struct rpc_peer *peer, const char *method, json_t *params)
{
	send_object(peer,
		json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

static void batch_done(struct rpc_batch *batch, struct rpc_peer *peer)
{
	if (--batch->pending)
		return;
	if (peer && json_array_size(batch->answers))
		send_object(peer, json_incref(batch->answers));
	json_decref(batch->answers);
	free(batch);
}

/* An answer of a call or of what should have been one; takes the object. */
static void give(struct rpc_peer *peer, struct rpc_batch *batch, json_t *answer)
{
	if (batch)
		json_array_append_new(batch->answers, answer);
	else if (peer)
		send_object(peer, answer);
	else
		json_decref(answer);
}

static void give_error(struct rpc_peer *peer, struct rpc_batch *batch, json_t *id,
	enum rpc_error code, const char *message)
{
	json_t *null = json_null();

	peer->rpc->errors++;
	give(peer, batch,
		answer_object(id ? id : null, "error", error_object(code, message, NULL)));
}

/* ---- the end of a call --------------------------------------------------------------------- */

static void call_free(struct rpc_call *call)
{
	struct rpc_peer *peer = call->peer;

	if (peer) {
		*call->back = call->next;
		if (call->next)
			call->next->back = call->back;
		peer->n_calls--;
	}
	if (call->batch)
		batch_done(call->batch, peer);
	json_decref(call->id);
	json_decref(call->params);
	free(call->key);
	free(call);
	if (peer && peer->n_calls == 0 && peer->idle)
		peer->idle(peer);
}

/* What the answer's member says is kept under the request id: {"result": …} or {"error": …}. */
static void keep_answer(struct rpc_call *call, const char *member, json_t *value)
{
	json_t *kept;
	char *text;

	if (!call->key)
		return;
	kept = json_pack("{s:O}", member, value);
	text = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
	answers_end(&call->rpc->answers, call->key, call->key_n, text);
	free(text);
	json_decref(kept);
}

/* Takes the value. */
static void finish(struct rpc_call *call, const char *member, json_t *value)
{
	keep_answer(call, member, value);
	if (call->id && (call->peer || call->batch))
		give(call->peer, call->batch, answer_object(call->id, member, value));
	else
		json_decref(value);
	call_free(call);
}

static void finish_error(
	struct rpc_call *call, enum rpc_error code, const char *message, const char *param)
{
	call->rpc->errors++;
	finish(call, "error", error_object(code, message, param));
}

void rpc_result(struct rpc_call *call, json_t *result)
{
	size_t n;

	if (!result) {
		finish_error(call, RPC_INTERNAL, "the answer could not be built", NULL);
		return;
	}
	n = json_dumpb(result, NULL, 0, JSON_COMPACT);
	if (n > RPC_ANSWER_MAX) {
		json_decref(result);
		rpc_refuse(call, RPC_REFUSED,
			"the answer would be %zu bytes, more than %u: ask for less (limit, offset)",
			n, RPC_ANSWER_MAX);
		return;
	}
	finish(call, "result", result);
}

void rpc_refuse(struct rpc_call *call, enum rpc_error code, const char *fmt, ...)
{
	char why[RPC_WHY_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	finish_error(call, code, why, NULL);
}

void rpc_refuse_param(struct rpc_call *call, const char *param, const char *fmt, ...)
{
	char why[RPC_WHY_SIZE], message[RPC_WHY_SIZE + 64];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	snprintf(message, sizeof(message), "%.48s: %s", param, why);
	finish_error(call, RPC_PARAMS, message, param);
}

void rpc_finish(struct rpc_call *call, int rc, const char *why, json_t *result)
{
	if (rc == 0) {
		rpc_result(call, result);
		return;
	}
	json_decref(result);
	rpc_refuse(call, rc == -ENOENT ? RPC_NOT_FOUND : RPC_REFUSED, "%s",
		why && why[0] ? why : strerror(-rc));
}

void rpc_answer(struct rpc_call *call, json_t *object)
{
	if (call->peer)
		send_object(call->peer, object);
	else
		json_decref(object);
	call_free(call);
}

/* ---- parameters ---------------------------------------------------------------------------- */

const json_t *rpc_value(const struct rpc_call *call, const char *name)
{
	const json_t *value = json_object_get(call->params, name);

	CHECK(verb_param(call->verb, name));
	return json_is_null(value) ? NULL : value;
}

const char *rpc_text(const struct rpc_call *call, const char *name)
{
	return json_string_value(rpc_value(call, name));
}

int64_t rpc_number(const struct rpc_call *call, const char *name, int64_t otherwise)
{
	const json_t *value = rpc_value(call, name);

	return value ? json_integer_value(value) : otherwise;
}

bool rpc_flag(const struct rpc_call *call, const char *name)
{
	return json_is_true(rpc_value(call, name));
}

bool rpc_has(const struct rpc_call *call, const char *name)
{
	return rpc_value(call, name) != NULL;
}

/* ---- a call -------------------------------------------------------------------------------- */

static struct rpc_call *call_new(struct rpc_peer *peer, struct rpc_batch *batch,
	const struct verb *verb, json_t *id, json_t *params)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	*call = (struct rpc_call){.rpc = peer->rpc,
		.peer = peer,
		.verb = verb,
		.id = json_incref(id),
		.params = params ? json_incref(params) : json_object(),
		.batch = batch,
		.next = peer->calls,
		.back = &peer->calls};
	if (call->next)
		call->next->back = &call->next;
	peer->calls = call;
	peer->n_calls++;
	if (batch)
		batch->pending++;
	return call;
}

/* What tells one call from another under the same request id: verb and parameters. */
static uint64_t call_hash(const struct rpc_call *call)
{
	static const uint8_t key[SIPHASH_KEY_SIZE] = "calls";
	char *text = json_dumps(call->params, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = siphash(call->verb->name, strlen(call->verb->name), key);

	if (text)
		hash ^= siphash(text, strlen(text), key);
	free(text);
	return hash;
}

/* Request ids of one user are not those of another. */
static int make_key(struct rpc_call *call, const char *request)
{
	int n = asprintf(&call->key, "%u %s", (unsigned)call->peer->uid, request);

	if (n < 0)
		call->key = NULL;
	call->key_n = n < 0 ? 0 : (size_t)n;
	return n < 0 ? -ENOMEM : 0;
}

/* An error that is not the answer of the request id. */
static void refuse_unkept(struct rpc_call *call, enum rpc_error code, const char *why)
{
	free(call->key);
	call->key = NULL;
	finish_error(call, code, why, NULL);
}

static void answer_again(struct rpc_call *call, const char *text)
{
	json_t *kept = json_loads(text, 0, NULL);
	json_t *result = json_incref(json_object_get(kept, "result"));
	json_t *error = json_incref(json_object_get(kept, "error"));

	json_decref(kept);
	free(call->key);
	call->key = NULL;
	if (result)
		finish(call, "result", result);
	else
		finish(call, "error", error ? error : json_null());
}

static void run(struct rpc_call *call)
{
	const char *request = call->verb->changes
				      ? json_string_value(json_object_get(call->params, "request"))
				      : NULL;
	const char *text = NULL;
	int rc = request ? make_key(call, request) : 0;

	if (rc == 0 && request)
		rc = answers_begin(&call->rpc->answers, call->key, call->key_n, call_hash(call),
			call->rpc->now(call->rpc->ctx), &text);
	if (rc == 0)
		call->verb->handle(call);
	else if (rc == 1)
		answer_again(call, text);
	else if (rc == -EEXIST)
		refuse_unkept(call, RPC_REQUEST, "request: this id was used for another call");
	else if (rc == -EINPROGRESS)
		refuse_unkept(call, RPC_BUSY, "request: the call with this id is under way");
	else
		refuse_unkept(call, RPC_INTERNAL, "no memory");
}

static void start(struct rpc_peer *peer, struct rpc_batch *batch, const struct verb *verb,
	json_t *id, json_t *params)
{
	struct rpc_call *call = call_new(peer, batch, verb, id, params);
	char why[VERB_WHY_SIZE];
	const char *name;

	if (!call) {
		if (id)
			give_error(peer, batch, id, RPC_INTERNAL, "no memory");
		return;
	}
	peer->rpc->calls++;
	if (verb_check(verb, params, &name, why) < 0)
		rpc_refuse_param(call, name, "%s", why);
	else if (verb->changes && log_wants(LOG_LEVEL_INFO)) {
		log_info(NULL, "admin", "uid %u: %s", (unsigned)peer->uid, verb->name);
		run(call);
	} else
		run(call);
}

static bool is_message(const struct rpc *rpc, const json_t *object)
{
	return rpc->message && json_object_get(object, "channel") &&
	       json_object_get(object, "topic") && !json_object_get(object, "jsonrpc");
}

static void take_message(struct rpc_peer *peer, json_t *object)
{
	struct rpc_call *call = call_new(peer, NULL, NULL, NULL, object);

	if (!call) {
		give_error(peer, NULL, NULL, RPC_INTERNAL, "no memory");
		return;
	}
	peer->rpc->calls++;
	peer->rpc->message(call);
}

static bool id_good(const json_t *id)
{
	return !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/* One object of a line. */
static void take(struct rpc_peer *peer, struct rpc_batch *batch, const json_t *object)
{
	json_t *id = json_object_get(object, "id");
	const char *name = json_string_value(json_object_get(object, "method"));
	const char *version = json_string_value(json_object_get(object, "jsonrpc"));
	const struct verb *verb = name ? rpc_find(peer->rpc, name) : NULL;
	char why[RPC_WHY_SIZE];

	if (!json_is_object(object))
		give_error(peer, batch, NULL, RPC_INVALID,
			"expected an object with jsonrpc and method");
	else if (!id_good(id))
		give_error(peer, batch, NULL, RPC_INVALID, "id: expected text, a number or null");
	else if (!version || strcmp(version, "2.0") != 0)
		give_error(peer, batch, id, RPC_INVALID, "jsonrpc: expected \"2.0\"");
	else if (!name)
		give_error(peer, batch, id, RPC_INVALID, "method: expected the name of a verb");
	else if (!verb) {
		snprintf(why, sizeof(why), "no verb '%.64s'; rpc.list names them", name);
		if (id)
			give_error(peer, batch, id, RPC_NO_VERB, why);
	} else if (peer->role < verb->least) {
		snprintf(why, sizeof(why), "%s needs the role %s; uid %u has %s (admin.roles)",
			verb->name, role_name(verb->least), (unsigned)peer->uid,
			role_name(peer->role));
		if (id)
			give_error(peer, batch, id, RPC_FORBIDDEN, why);
	} else if (peer->n_calls >= RPC_CALLS_MAX && !batch) {
		if (id)
			give_error(peer, batch, id, RPC_BUSY, "too many calls not answered yet");
	} else
		start(peer, batch, verb, id, json_object_get(object, "params"));
}

static void take_batch(struct rpc_peer *peer, const json_t *array)
{
	struct rpc_batch *batch;
	size_t n = json_array_size(array);

	if (peer->n_calls >= RPC_CALLS_MAX) {
		give_error(peer, NULL, NULL, RPC_BUSY, "too many calls not answered yet");
		return;
	}
	if (n == 0 || n > RPC_BATCH_MAX) {
		give_error(peer, NULL, NULL, RPC_INVALID,
			n ? "a batch has at most 100 calls" : "a batch has at least one call");
		return;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch) {
		give_error(peer, NULL, NULL, RPC_INTERNAL, "no memory");
		return;
	}
	batch->answers = json_array();
	batch->pending = 1; /* until all calls are started */
	for (size_t i = 0; i < n; i++)
		take(peer, batch, json_array_get(array, i));
	batch_done(batch, peer);
}

static bool is_blank(const char *line, size_t n)
{
	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	return n == 0;
}

void rpc_line(struct rpc_peer *peer, const char *line, size_t n)
{
	char why[RPC_WHY_SIZE];
	json_error_t error;
	json_t *root;

	if (!line) {
		give_error(peer, NULL, NULL, RPC_PARSE, "the line is longer than 262144 bytes");
		return;
	}
	if (is_blank(line, n))
		return;
	root = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!root) {
		snprintf(why, sizeof(why), "expected JSON: %s (at byte %d)", error.text,
			error.position);
		give_error(peer, NULL, NULL, RPC_PARSE, why);
		return;
	}
	if (json_is_array(root))
		take_batch(peer, root);
	else if (is_message(peer->rpc, root))
		take_message(peer, root);
	else
		take(peer, NULL, root);
	json_decref(root);
}

void rpc_peer_gone(struct rpc_peer *peer)
{
	for (struct rpc_call *call = peer->calls; call; call = call->next)
		call->peer = NULL;
	peer->calls = NULL;
	peer->n_calls = 0;
	free(peer->agent);
	peer->agent = NULL;
}

/* ---- verbs of every table ------------------------------------------------------------------ */

static void handle_ping(struct rpc_call *call)
{
	rpc_result(call, json_pack("{s:s, s:s}", "pong", "cordboard", "role",
				 call->peer ? role_name(call->peer->role) : ""));
}

static void handle_list(struct rpc_call *call)
{
	json_t *rows = json_array();

	for (size_t g = 0; g < call->rpc->n_groups; g++)
		for (size_t i = 0; i < call->rpc->groups[g].n; i++)
			json_array_append_new(rows, verb_json(&call->rpc->groups[g].verbs[i]));
	rpc_result(call, json_pack("{s:o}", "verbs", rows));
}

static const struct verb verbs[] = {
	{"ping", ROLE_READER, .handle = handle_ping,
		.help = "answers, with the role of the caller"},
	{"rpc.list", ROLE_READER, .handle = handle_list, .help = "the verbs with their parameters"},
};

const struct verb_group rpc_verbs = {verbs, sizeof(verbs) / sizeof(verbs[0])};
