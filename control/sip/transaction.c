/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/transaction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sip/build.h"
#include "sip/transaction_private.h"

/* No other To tag of ours begins like this: they are hex digits. */
#define STATELESS_MARK     's'
#define STATELESS_TAG_SIZE 18 /* mark, 16 digits, terminator */

void transaction_finish(struct transaction *t)
{
	struct sip_transactions *layer = t->layer;

	timers_cancel(layer->config.timers, &t->again);
	timers_cancel(layer->config.timers, &t->end);
	map_remove(&layer->map, t->key, TRANSACTION_KEY_SIZE);
	if (t->in_merge_map)
		map_remove(&layer->merge_map, t->merge_key, TRANSACTION_KEY_SIZE);
	transaction_drop(layer, &t->message);
	transaction_drop(layer, &t->ack);
	pool_free(&layer->pool, t);
	layer->stats.live = pool_used(&layer->pool);
}

static struct transaction *make(struct sip_transactions *layer, enum transaction_kind kind,
	const uint8_t key[TRANSACTION_KEY_SIZE])
{
	uint64_t id;
	struct transaction *t = pool_alloc(&layer->pool, &id);

	if (!t)
		return NULL;
	memcpy(t->key, key, TRANSACTION_KEY_SIZE);
	t->id = id;
	t->layer = layer;
	t->kind = (uint8_t)kind;
	transaction_timers_init(t);
	if (map_put(&layer->map, t->key, TRANSACTION_KEY_SIZE, t) < 0) {
		pool_free(&layer->pool, t);
		return NULL;
	}
	layer->stats.live = pool_used(&layer->pool);
	return t;
}

/* ---- answers without a transaction ----------------------------------------------------------- */

static void make_stateless_tag(
	struct sip_transactions *layer, const struct sip_message *request, struct strbuf *tag)
{
	uint8_t key[TRANSACTION_KEY_SIZE];

	transaction_hash(layer, 'r', (struct str[]){request->via.branch, request->call_id}, 2, key);
	strbuf_char(tag, STATELESS_MARK);
	strbuf_hex(tag, key, STATELESS_TAG_SIZE / 2 - 1);
}

static bool is_stateless_tag(struct str tag)
{
	return tag.n == STATELESS_TAG_SIZE - 1 && tag.p[0] == STATELESS_MARK;
}

int sip_respond_stateless(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, unsigned status, struct str reason, struct str lines)
{
	struct sip_hop hop = sip_hop_of_response(source, &request->via);
	char received[ADDRESS_TEXT_SIZE], tag_text[STATELESS_TAG_SIZE];
	struct sip_builder b;
	struct strbuf tag;
	int n;

	strbuf_init(&tag, tag_text, sizeof(tag_text));
	make_stateless_tag(layer, request, &tag);
	address_format_host(&source->remote, received);
	b = sip_build(layer->scratch, TRANSACTION_SCRATCH);
	sip_build_response(&b, request,
		&(struct sip_response){
			.status = (uint16_t)status,
			.reason = reason,
			.to_tag = status > 100 ? strbuf_str(&tag) : STR_NULL,
			.received = str_from(received),
			.rport = address_port(&source->remote),
		});
	sip_build_lines(&b, lines);
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	return n < 0 ? n : transaction_send_bytes(layer, &hop, layer->scratch, (size_t)n);
}

/* ---- messages in ------------------------------------------------------------------------- */

static void receive_response(struct sip_transactions *layer, const struct sip_message *response,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[TRANSACTION_KEY_SIZE];
	struct transaction *t;
	enum transaction_event event = EV_FINAL;

	transaction_client_key(layer, response->via.branch, response->cseq.method_name, key);
	t = response->via_count == 1 ? map_get(&layer->map, key, TRANSACTION_KEY_SIZE) : NULL;
	if (!t || !transaction_is_client(t)) {
		layer->stats.strays++;
		if (layer->config.server->stray)
			layer->config.server->stray(layer->config.ctx, response, source, now_ns);
		return;
	}
	if (response->status < 200)
		event = EV_1XX;
	else if (response->status < 300 && t->kind == CLIENT_INVITE)
		event = EV_2XX;
	if (t->state == SIP_TRANSACTION_COMPLETED || t->state == SIP_TRANSACTION_ACCEPTED)
		layer->stats.repeats_received++;
	transaction_run(t, event, response, source, now_ns);
}

static void receive_ack(struct sip_transactions *layer, const struct sip_message *ack,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[TRANSACTION_KEY_SIZE];
	struct transaction *t;

	transaction_server_key(layer, ack, STR("INVITE"), key);
	t = map_get(&layer->map, key, TRANSACTION_KEY_SIZE);
	if (t && t->state != SIP_TRANSACTION_ACCEPTED)
		transaction_run(t, EV_ACK, ack, source, now_ns);
	else
		layer->config.server->ack(layer->config.ctx, ack, source, now_ns);
}

static struct transaction *make_server(struct sip_transactions *layer,
	const struct sip_message *request, const struct sip_hop *source,
	const uint8_t key[TRANSACTION_KEY_SIZE])
{
	bool invite = request->method == SIP_METHOD_INVITE;
	struct transaction *t = make(layer, invite ? SERVER_INVITE : SERVER_OTHER, key);

	if (!t)
		return NULL;
	layer->stats.servers++;
	t->hop = sip_hop_of_response(source, &request->via);
	if (str_empty(request->to_tag) && request->method != SIP_METHOD_CANCEL) {
		transaction_merge_key(layer, request, t->merge_key);
		t->in_merge_map =
			map_put(&layer->merge_map, t->merge_key, TRANSACTION_KEY_SIZE, t) == 0;
		t->merged = !t->in_merge_map;
	}
	transaction_enter(t, invite ? SIP_TRANSACTION_PROCEEDING : SIP_TRANSACTION_TRYING);
	return t;
}

static void receive_cancel(struct sip_transactions *layer, struct transaction *t,
	const struct sip_message *cancel, const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[TRANSACTION_KEY_SIZE];
	const struct transaction *invite;

	transaction_server_key(layer, cancel, STR("INVITE"), key);
	invite = map_get(&layer->map, key, TRANSACTION_KEY_SIZE);
	layer->config.server->cancel(layer->config.ctx, t->id, invite ? invite->id : 0,
		invite ? invite->tag : 0, cancel, source, now_ns);
}

static bool admit_call(struct sip_transactions *layer, const struct sip_message *invite,
	const struct sip_hop *source, uint64_t now_ns)
{
	const struct sip_server_handler *server = layer->config.server;
	uint8_t key[TRANSACTION_KEY_SIZE];
	uint64_t hash;

	if (!server->admit)
		return true;
	transaction_server_key(layer, invite, STR("INVITE"), key);
	if (map_get(&layer->map, key, TRANSACTION_KEY_SIZE))
		return true;
	memcpy(&hash, key, sizeof(hash));
	return server->admit(layer->config.ctx, hash, invite, source, now_ns);
}

bool sip_transactions_admit(struct sip_transactions *layer, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	if (!message->request)
		return true;
	if (message->method == SIP_METHOD_INVITE && str_empty(message->to_tag))
		return admit_call(layer, message, source, now_ns);
	return message->method != SIP_METHOD_ACK || !is_stateless_tag(message->to_tag);
}

/* A CANCEL of what was not admitted is answered as that was: without a transaction, and unjudged. */
static bool is_of_refused(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now_ns)
{
	const struct sip_server_handler *server = layer->config.server;
	uint8_t key[TRANSACTION_KEY_SIZE];
	uint64_t hash;

	if (!server->refused || request->method != SIP_METHOD_CANCEL)
		return false;
	transaction_server_key(layer, request, STR("INVITE"), key);
	memcpy(&hash, key, sizeof(hash));
	if (map_get(&layer->map, key, TRANSACTION_KEY_SIZE) ||
		!server->refused(layer->config.ctx, hash, now_ns))
		return false;
	sip_respond_stateless(layer, request, source, 481, STR_NULL, STR_NULL);
	return true;
}

static void receive_request(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[TRANSACTION_KEY_SIZE];
	struct transaction *t;

	transaction_server_key(layer, request, request->method_name, key);
	t = map_get(&layer->map, key, TRANSACTION_KEY_SIZE);
	if (t) {
		layer->stats.repeats_received++;
		transaction_run(t, EV_REPEAT, request, source, now_ns);
		return;
	}
	if (is_of_refused(layer, request, source, now_ns))
		return;
	t = make_server(layer, request, source, key);
	if (!t) {
		char lines[32];

		layer->stats.refused++;
		snprintf(lines, sizeof(lines), "Retry-After: %d\r\n", SIP_OVERLOAD_RETRY_S);
		sip_respond_stateless(layer, request, source, 503, STR_NULL, str_from(lines));
		return;
	}
	if (request->method == SIP_METHOD_CANCEL)
		receive_cancel(layer, t, request, source, now_ns);
	else
		layer->config.server->request(layer->config.ctx, t->id, request, source, now_ns);
}

void sip_transactions_receive(struct sip_transactions *layer, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	if (!message->request)
		receive_response(layer, message, source, now_ns);
	else if (message->method == SIP_METHOD_ACK)
		receive_ack(layer, message, source, now_ns);
	else
		receive_request(layer, message, source, now_ns);
}

void sip_transactions_connection_lost(
	struct sip_transactions *layer, uint64_t connection, uint64_t now_ns)
{
	struct transaction *t;

	for (t = pool_next(&layer->pool, NULL); t; t = pool_next(&layer->pool, t)) {
		bool waits = t->state == SIP_TRANSACTION_CALLING ||
			     t->state == SIP_TRANSACTION_TRYING ||
			     t->state == SIP_TRANSACTION_PROCEEDING;

		/* In PROCEEDING the answer to an INVITE may still come over another connection. */
		if (t->kind == CLIENT_INVITE && t->state == SIP_TRANSACTION_PROCEEDING)
			waits = false;
		if (!waits || !transaction_is_client(t) || !t->message ||
			t->message->hop.connection != connection)
			continue;
		transaction_fail_soon(t);
	}
}

bool sip_server_is_merged(
	const struct sip_transactions *layer, uint64_t id, const struct sip_message *request)
{
	const struct transaction *t = pool_get(&layer->pool, id);

	return t && t->merged && str_empty(request->to_tag);
}

void sip_branch_make(struct random *random, char branch[SIP_BRANCH_SIZE])
{
	char digits[SIP_BRANCH_SIZE - 7];

	random_hex(random, digits, sizeof(digits) - 1);
	snprintf(branch, SIP_BRANCH_SIZE, "z9hG4bK%s", digits);
}

/* ---- client ------------------------------------------------------------------------------ */

int sip_client_start(
	struct sip_transactions *layer, const struct sip_client_request *request, uint64_t *id)
{
	bool invite = request->method == SIP_METHOD_INVITE;
	uint8_t key[TRANSACTION_KEY_SIZE];
	struct transaction *t;
	struct stored *message = NULL;
	int rc;

	/* First, because the bytes may stand in the scratch buffer that keys are made in. */
	rc = transaction_store(layer, &message, request->bytes, &request->hop);
	if (rc < 0)
		return rc;
	transaction_client_key(
		layer, request->branch, str_from(sip_method_name(request->method)), key);
	t = make(layer, invite ? CLIENT_INVITE : CLIENT_OTHER, key);
	if (!t) {
		transaction_drop(layer, &message);
		return -ENOBUFS;
	}
	layer->stats.clients++;
	t->message = message;
	t->hop = request->hop;
	t->tag = request->tag;
	t->ctx = request->ctx;
	t->handler = request->handler;
	transaction_enter(t, invite ? SIP_TRANSACTION_CALLING : SIP_TRANSACTION_TRYING);
	if (transaction_send(layer, t->message) < 0)
		transaction_fail_soon(t);
	*id = t->id;
	return 0;
}

int sip_client_cancel(struct sip_transactions *layer, uint64_t id)
{
	struct transaction *t = pool_get(&layer->pool, id);

	if (!t || t->kind != CLIENT_INVITE ||
		(t->state != SIP_TRANSACTION_CALLING && t->state != SIP_TRANSACTION_PROCEEDING))
		return -ESRCH;
	t->cancel_wanted = true;
	if (t->state == SIP_TRANSACTION_PROCEEDING && !t->cancel_sent)
		transaction_send_cancel(t);
	return 0;
}

int sip_client_set_ack(struct sip_transactions *layer, uint64_t id, struct str to_tag,
	struct str bytes, const struct sip_hop *hop)
{
	struct transaction *t = pool_get(&layer->pool, id);
	struct sip_hop to = *hop;

	if (!t || t->kind != CLIENT_INVITE)
		return -ESRCH;
	if (transaction_store(layer, &t->ack, bytes, hop) < 0)
		return transaction_send_bytes(layer, &to, bytes.p, bytes.n);
	transaction_hash(layer, 't', &to_tag, 1, t->ack_tag);
	transaction_drop(layer, &t->message);
	return transaction_send(layer, t->ack);
}

const struct sip_hop *sip_client_hop(const struct sip_transactions *layer, uint64_t id)
{
	const struct transaction *t = pool_get(&layer->pool, id);

	if (!t)
		return NULL;
	return t->message ? &t->message->hop : &t->hop;
}

/* ---- server ------------------------------------------------------------------------------ */

static struct transaction *open_server(const struct sip_transactions *layer, uint64_t id)
{
	struct transaction *t = pool_get(&layer->pool, id);

	if (!t || transaction_is_client(t) || t->delayed_status)
		return NULL;
	if (t->state != SIP_TRANSACTION_TRYING && t->state != SIP_TRANSACTION_PROCEEDING)
		return NULL;
	return t;
}

int sip_server_respond(
	struct sip_transactions *layer, uint64_t id, unsigned status, struct str bytes)
{
	struct transaction *t = open_server(layer, id);
	enum transaction_event event = EV_FINAL;
	int rc;

	if (!t)
		return -ESRCH;
	if (status < 200)
		event = EV_1XX;
	else if (status < 300 && t->kind == SERVER_INVITE)
		event = EV_2XX;
	rc = transaction_store(layer, &t->message, bytes, &t->hop);
	if (rc < 0) {
		transaction_drop(layer, &t->message);
		transaction_send_bytes(layer, &t->hop, bytes.p, bytes.n);
	}
	transaction_run(t, event, NULL, NULL, timers_now(layer->config.timers));
	return rc;
}

int sip_server_respond_at(struct sip_transactions *layer, uint64_t id, unsigned status,
	struct str bytes, uint64_t when_ns)
{
	struct transaction *t = open_server(layer, id);
	int rc;

	CHECK(status >= 200 && status < 700);
	if (!t)
		return -ESRCH;
	rc = transaction_store(layer, &t->message, bytes, &t->hop);
	if (rc < 0)
		return rc;
	t->delayed_status = (uint16_t)status;
	timers_set(layer->config.timers, &t->again, when_ns);
	return 0;
}

void sip_server_abandon(struct sip_transactions *layer, uint64_t id)
{
	struct transaction *t = open_server(layer, id);

	if (t)
		transaction_finish(t);
}

void sip_server_acknowledged(struct sip_transactions *layer, uint64_t id)
{
	struct transaction *t = pool_get(&layer->pool, id);

	if (!t || t->kind != SERVER_INVITE || t->state != SIP_TRANSACTION_ACCEPTED)
		return;
	t->acknowledged = true;
	timers_cancel(layer->config.timers, &t->again);
	transaction_drop(layer, &t->message);
}

void sip_server_set_tag(struct sip_transactions *layer, uint64_t id, uint64_t tag)
{
	struct transaction *t = pool_get(&layer->pool, id);

	if (t)
		t->tag = tag;
}

bool sip_server_is_open(const struct sip_transactions *layer, uint64_t id)
{
	return open_server(layer, id) != NULL;
}

/* ---- layer ------------------------------------------------------------------------------- */

int sip_transactions_new(
	const struct sip_transactions_config *config, struct sip_transactions **out)
{
	struct sip_transactions *layer = calloc(1, sizeof(*layer));
	struct sip_timing *timing;
	int rc = -ENOMEM;

	if (!layer)
		return -ENOMEM;
	layer->config = *config;
	timing = &layer->config.timing;
	timing->t1_ns = timing->t1_ns ? timing->t1_ns : SIP_T1_NS;
	timing->t2_ns = timing->t2_ns ? timing->t2_ns : SIP_T2_NS;
	timing->t4_ns = timing->t4_ns ? timing->t4_ns : SIP_T4_NS;
	if (!layer->config.max)
		layer->config.max = SIP_TRANSACTIONS_MAX;
	if (!layer->config.bytes_max)
		layer->config.bytes_max = SIP_STORED_BYTES_MAX;
	random_bytes(config->random, layer->seed, sizeof(layer->seed));
	map_init(&layer->map, layer->seed[0], 0);
	map_init(&layer->merge_map, layer->seed[1], 0);
	layer->scratch = malloc(TRANSACTION_SCRATCH);
	if (!layer->scratch)
		goto fail;
	rc = pool_init(&layer->pool, sizeof(struct transaction), layer->config.max);
	if (rc < 0)
		goto fail;
	*out = layer;
	return 0;
fail:
	free(layer->scratch);
	free(layer);
	return rc;
}

void sip_transactions_free(struct sip_transactions *layer)
{
	struct transaction *t;

	if (!layer)
		return;
	for (t = pool_next(&layer->pool, NULL); t; t = pool_next(&layer->pool, t))
		transaction_finish(t);
	map_clear(&layer->map);
	map_clear(&layer->merge_map);
	pool_clear(&layer->pool);
	free(layer->scratch);
	free(layer);
}

const struct sip_transaction_stats *sip_transactions_stats(const struct sip_transactions *layer)
{
	return &layer->stats;
}
