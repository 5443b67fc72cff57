/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/transaction.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/pool.h"
#include "sip/build.h"

#define KEY_SIZE     16
#define SCRATCH_SIZE (SIP_MESSAGE_BYTES_MAX + 256)

enum kind { CLIENT_INVITE, CLIENT_OTHER, SERVER_INVITE, SERVER_OTHER, KINDS };

enum event {
	EV_1XX, /* a response received, or asked for by the user */
	EV_2XX,
	EV_FINAL, /* 300 to 699; of other methods than INVITE 200 to 699 */
	EV_REPEAT,
	EV_ACK,
	EV_AGAIN, /* timers A, E, G */
	EV_END,   /* all other timers */
	EV_ERROR,
	EVENTS,
};

enum action {
	GO = 1 << 0,     /* the transition exists */
	TELL = 1 << 1,   /* hand the response up */
	SEND = 1 << 2,   /* the stored message */
	ACK = 1 << 3,    /* build and send the ACK of a final response other than 2xx */
	ACCEPT = 1 << 4, /* the stored ACK again, or hand the 2xx up */
	FAIL = 1 << 5,
	UNACKNOWLEDGED = 1 << 6, /* when it is so */
};

struct transition {
	uint8_t next;
	uint8_t actions;
};

#define S(state) SIP_TRANSACTION_##state
static const struct transition transitions[KINDS][SIP_TRANSACTION_STATES][EVENTS] = {
	[CLIENT_INVITE][S(CALLING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_INVITE][S(CALLING)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(CALLING)][EV_FINAL] = {S(COMPLETED), GO | ACK | TELL},
	[CLIENT_INVITE][S(CALLING)][EV_AGAIN] = {S(CALLING), GO | SEND},
	[CLIENT_INVITE][S(CALLING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(CALLING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | ACK | TELL},
	[CLIENT_INVITE][S(PROCEEDING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_INVITE][S(COMPLETED)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[CLIENT_INVITE][S(COMPLETED)][EV_ERROR] = {S(TERMINATED), GO},
	[CLIENT_INVITE][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
	[CLIENT_INVITE][S(ACCEPTED)][EV_2XX] = {S(ACCEPTED), GO | ACCEPT},
	[CLIENT_INVITE][S(ACCEPTED)][EV_END] = {S(TERMINATED), GO},

	[CLIENT_OTHER][S(TRYING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_OTHER][S(TRYING)][EV_FINAL] = {S(COMPLETED), GO | TELL},
	[CLIENT_OTHER][S(TRYING)][EV_AGAIN] = {S(TRYING), GO | SEND},
	[CLIENT_OTHER][S(TRYING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(TRYING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | TELL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | TELL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_AGAIN] = {S(PROCEEDING), GO | SEND},
	[CLIENT_OTHER][S(PROCEEDING)][EV_END] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(PROCEEDING)][EV_ERROR] = {S(TERMINATED), GO | FAIL},
	[CLIENT_OTHER][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},

	[SERVER_INVITE][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_2XX] = {S(ACCEPTED), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(PROCEEDING)][EV_REPEAT] = {S(PROCEEDING), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_REPEAT] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_AGAIN] = {S(COMPLETED), GO | SEND},
	[SERVER_INVITE][S(COMPLETED)][EV_ACK] = {S(CONFIRMED), GO},
	[SERVER_INVITE][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
	[SERVER_INVITE][S(CONFIRMED)][EV_END] = {S(TERMINATED), GO},
	[SERVER_INVITE][S(ACCEPTED)][EV_AGAIN] = {S(ACCEPTED), GO | SEND},
	[SERVER_INVITE][S(ACCEPTED)][EV_END] = {S(TERMINATED), GO | UNACKNOWLEDGED},

	[SERVER_OTHER][S(TRYING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(TRYING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_1XX] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_FINAL] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(PROCEEDING)][EV_REPEAT] = {S(PROCEEDING), GO | SEND},
	[SERVER_OTHER][S(COMPLETED)][EV_REPEAT] = {S(COMPLETED), GO | SEND},
	[SERVER_OTHER][S(COMPLETED)][EV_END] = {S(TERMINATED), GO},
};
#undef S

/* A message kept for repetition. */
struct stored {
	struct sip_hop hop;
	uint32_t n;
	char bytes[];
};

struct transaction {
	uint8_t key[KEY_SIZE];
	uint8_t merge_key[KEY_SIZE]; /* server */
	uint64_t id;
	uint64_t tag;
	struct sip_transactions *layer;
	struct timer again, end;
	uint64_t interval_ns; /* of `again` */
	uint8_t kind;
	uint8_t state;
	bool in_merge_map, merged;
	bool cancel_wanted, cancel_sent;
	bool send_failed;
	bool acknowledged;
	uint16_t delayed_status; /* a final response waits for `again` */
	struct sip_hop hop;
	struct stored *message; /* request, ACK of a refusal, or last response */
	struct stored *ack;     /* client, of a 2xx */
	uint8_t ack_tag[KEY_SIZE];
	void *ctx; /* client */
	const struct sip_client_handler *handler;
};

struct sip_transactions {
	struct sip_transactions_config config;
	struct pool pool;
	struct map map, merge_map;
	uint8_t seed[2][SIPHASH_KEY_SIZE];
	struct sip_transaction_stats stats;
	char *scratch;
};

static void run(struct transaction *t, enum event event, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns);

const char *sip_transaction_state_name(enum sip_transaction_state state)
{
	static const char *const names[] = {"calling", "trying", "proceeding", "completed",
		"confirmed", "accepted", "terminated"};

	return state < SIP_TRANSACTION_STATES ? names[state] : "?";
}

/* ---- keys -------------------------------------------------------------------------------- */

static void hash_parts(struct sip_transactions *layer, char space, const struct str *parts,
	unsigned count, uint8_t key[KEY_SIZE])
{
	struct strbuf text;
	uint64_t half[2];

	strbuf_init(&text, layer->scratch, SCRATCH_SIZE);
	strbuf_char(&text, space);
	for (unsigned i = 0; i < count; i++) {
		strbuf_u64(&text, parts[i].n);
		strbuf_char(&text, ':');
		strbuf_add(&text, parts[i]);
	}
	half[0] = siphash(text.p, text.n, layer->seed[0]);
	half[1] = siphash(text.p, text.n, layer->seed[1]);
	memcpy(key, half, KEY_SIZE);
}

static void client_key(
	struct sip_transactions *layer, struct str branch, struct str method, uint8_t key[KEY_SIZE])
{
	hash_parts(layer, 'c', (struct str[]){branch, method}, 2, key);
}

/* RFC 3261 section 17.2.3; without the cookie the rules of RFC 2543. */
static void server_key(struct sip_transactions *layer, const struct sip_message *request,
	struct str method, uint8_t key[KEY_SIZE])
{
	const struct sip_via *via = &request->via;
	char host[256] = "", port[8], number[12];
	struct str sent_by = via->host, parts[7];
	unsigned n = 0;

	if (via->host.n < sizeof(host)) {
		memcpy(host, via->host.p, via->host.n);
		str_lower(host, via->host.n);
		sent_by = str_make(host, via->host.n);
	}
	snprintf(port, sizeof(port), "%u", via->port ? (unsigned)via->port : 5060u);
	parts[n++] = method;
	parts[n++] = via->branch;
	parts[n++] = sent_by;
	parts[n++] = str_from(port);
	if (!sip_via_has_cookie(via)) {
		snprintf(number, sizeof(number), "%u", request->cseq.number);
		parts[n++] = request->from_tag;
		parts[n++] = request->call_id;
		parts[n++] = str_from(number);
	}
	hash_parts(layer, 's', parts, n, key);
}

static void merge_key(
	struct sip_transactions *layer, const struct sip_message *request, uint8_t key[KEY_SIZE])
{
	char number[12];

	snprintf(number, sizeof(number), "%u", request->cseq.number);
	hash_parts(layer, 'm',
		(struct str[]){request->from_tag, request->call_id, request->method_name,
			str_from(number)},
		4, key);
}

/* ---- stored messages --------------------------------------------------------------------- */

/* Wiped: descriptions have keys. */
static void drop_stored(struct sip_transactions *layer, struct stored **at)
{
	if (!*at)
		return;
	layer->stats.bytes -= sizeof(**at) + (*at)->n;
	explicit_bzero((*at)->bytes, (*at)->n);
	free(*at);
	*at = NULL;
}

static int store(struct sip_transactions *layer, struct stored **at, struct str bytes,
	const struct sip_hop *hop)
{
	struct stored *stored;

	if (layer->stats.bytes + sizeof(*stored) + bytes.n > layer->config.bytes_max)
		return -ENOBUFS;
	stored = malloc(sizeof(*stored) + bytes.n);
	if (!stored)
		return -ENOMEM;
	stored->hop = *hop;
	stored->n = (uint32_t)bytes.n;
	memcpy(stored->bytes, bytes.p, bytes.n);
	drop_stored(layer, at);
	layer->stats.bytes += sizeof(*stored) + bytes.n;
	*at = stored;
	return 0;
}

static int wire_send(struct sip_transactions *layer, struct sip_hop *hop, const void *p, size_t n)
{
	int rc = layer->config.wire->send(layer->config.wire->ctx, hop, p, n);

	if (rc < 0)
		layer->stats.transport_errors++;
	return rc < 0 ? rc : 0;
}

static int send_stored(struct sip_transactions *layer, struct stored *stored)
{
	return stored ? wire_send(layer, &stored->hop, stored->bytes, stored->n) : 0;
}

/* ---- life -------------------------------------------------------------------------------- */

static bool is_client(const struct transaction *t)
{
	return t->kind == CLIENT_INVITE || t->kind == CLIENT_OTHER;
}

static void finish(struct transaction *t)
{
	struct sip_transactions *layer = t->layer;

	timers_cancel(layer->config.timers, &t->again);
	timers_cancel(layer->config.timers, &t->end);
	map_remove(&layer->map, t->key, KEY_SIZE);
	if (t->in_merge_map)
		map_remove(&layer->merge_map, t->merge_key, KEY_SIZE);
	drop_stored(layer, &t->message);
	drop_stored(layer, &t->ack);
	pool_free(&layer->pool, t);
	layer->stats.live = pool_used(&layer->pool);
}

static void set_in(struct transaction *t, struct timer *timer, uint64_t delay_ns)
{
	timers_set_in(t->layer->config.timers, timer, delay_ns);
}

static void start_again(struct transaction *t, uint64_t interval_ns)
{
	t->interval_ns = interval_ns;
	set_in(t, &t->again, interval_ns);
}

/* Timers of a state, by kind: the letters of RFC 3261 table 4 and RFC 6026. */
static void enter(struct transaction *t, enum sip_transaction_state state)
{
	const struct sip_timing *timing = &t->layer->config.timing;
	bool reliable = sip_hop_reliable(&t->hop);
	uint64_t long_ns = 64 * timing->t1_ns;

	t->state = (uint8_t)state;
	t->send_failed = false;
	timers_cancel(t->layer->config.timers, &t->again);
	switch (state) {
	case SIP_TRANSACTION_CALLING:
	case SIP_TRANSACTION_TRYING:
		if (!is_client(t))
			break;
		if (!reliable)
			start_again(t, timing->t1_ns); /* A, E */
		set_in(t, &t->end, long_ns);           /* B, F */
		break;
	case SIP_TRANSACTION_PROCEEDING:
		if (t->kind == CLIENT_INVITE)
			timers_cancel(t->layer->config.timers, &t->end);
		if (t->kind == CLIENT_OTHER && !reliable)
			start_again(t, timing->t2_ns); /* E */
		break;
	case SIP_TRANSACTION_COMPLETED:
		if (t->kind == SERVER_INVITE) {
			if (!reliable)
				start_again(t, timing->t1_ns); /* G */
			set_in(t, &t->end, long_ns);           /* H */
		} else if (t->kind == CLIENT_OTHER) {
			set_in(t, &t->end, reliable ? 0 : timing->t4_ns); /* K */
		} else {
			set_in(t, &t->end, reliable ? 0 : long_ns); /* D, J */
		}
		break;
	case SIP_TRANSACTION_CONFIRMED:
		set_in(t, &t->end, reliable ? 0 : timing->t4_ns); /* I */
		break;
	case SIP_TRANSACTION_ACCEPTED:
		if (t->kind == SERVER_INVITE)
			start_again(t, timing->t1_ns);
		set_in(t, &t->end, long_ns); /* L, M */
		break;
	case SIP_TRANSACTION_TERMINATED:
	case SIP_TRANSACTION_STATES:
		break;
	}
}

static void set_state(struct transaction *t, enum sip_transaction_state state)
{
	if (t->state != state)
		enter(t, state);
}

static void respond_delayed(struct transaction *t)
{
	unsigned status = t->delayed_status;
	bool other = t->kind == SERVER_OTHER;

	t->delayed_status = 0;
	run(t, status < 300 && !other ? EV_2XX : EV_FINAL, NULL, NULL,
		timers_now(t->layer->config.timers));
}

static void on_again(void *ctx, uint64_t now_ns)
{
	struct transaction *t = ctx;
	const struct sip_timing *timing = &t->layer->config.timing;
	bool capped = t->kind != CLIENT_INVITE;

	if (t->delayed_status) {
		respond_delayed(t);
		return;
	}
	t->interval_ns *= 2;
	if (capped && t->interval_ns > timing->t2_ns)
		t->interval_ns = timing->t2_ns;
	set_in(t, &t->again, t->interval_ns);
	t->layer->stats.repeats_sent++;
	run(t, EV_AGAIN, NULL, NULL, now_ns);
}

static void on_end(void *ctx, uint64_t now_ns)
{
	struct transaction *t = ctx;

	run(t, t->send_failed ? EV_ERROR : EV_END, NULL, NULL, now_ns);
}

static struct transaction *make(
	struct sip_transactions *layer, enum kind kind, const uint8_t key[KEY_SIZE])
{
	uint64_t id;
	struct transaction *t = pool_alloc(&layer->pool, &id);

	if (!t)
		return NULL;
	memcpy(t->key, key, KEY_SIZE);
	t->id = id;
	t->layer = layer;
	t->kind = (uint8_t)kind;
	timer_init(&t->again, on_again, t);
	timer_init(&t->end, on_end, t);
	if (map_put(&layer->map, t->key, KEY_SIZE, t) < 0) {
		pool_free(&layer->pool, t);
		return NULL;
	}
	layer->stats.live = pool_used(&layer->pool);
	return t;
}

/* ---- what a client sends by itself ------------------------------------------------------- */

static bool parse_stored(const struct stored *stored, struct sip_message *message)
{
	struct sip_outcome outcome;

	return stored && sip_message_parse(message, stored->bytes, stored->n, SIP_DATAGRAM,
				 &outcome) == SIP_ACCEPT;
}

/* ACK and CANCEL that belong to the INVITE's transaction (sections 17.1.1.3 and 9.1). */
static int build_like_invite(struct sip_transactions *layer, const struct sip_message *invite,
	enum sip_method method, const struct sip_message *response)
{
	struct sip_builder b = sip_build(layer->scratch, SCRATCH_SIZE);
	const struct sip_message *to = response ? response : invite;
	struct sip_values vias = sip_values(invite, SIP_HEADER_VIA);
	struct str via;

	sip_build_request(&b, str_from(sip_method_name(method)), invite->uri.text);
	if (sip_values_next(&vias, &via) > 0)
		sip_build_value(&b, SIP_HEADER_VIA, via);
	sip_build_value(&b, SIP_HEADER_MAX_FORWARDS, STR("70"));
	sip_build_copy(&b, invite, SIP_HEADER_ROUTE);
	sip_build_copy(&b, invite, SIP_HEADER_FROM);
	sip_build_copy(&b, to, SIP_HEADER_TO);
	sip_build_copy(&b, invite, SIP_HEADER_CALL_ID);
	sip_build_format(
		&b, SIP_HEADER_CSEQ, "%u %s", invite->cseq.number, sip_method_name(method));
	return sip_build_finish(&b, STR_NULL, STR_NULL);
}

static void send_refusal_ack(struct transaction *t, const struct sip_message *response)
{
	struct sip_transactions *layer = t->layer;
	struct sip_message invite;
	struct sip_hop hop;
	int n;

	if (!parse_stored(t->message, &invite))
		return;
	n = build_like_invite(layer, &invite, SIP_METHOD_ACK, response);
	if (n < 0)
		return;
	hop = t->message->hop;
	if (store(layer, &t->message, str_make(layer->scratch, (size_t)n), &hop) < 0)
		wire_send(layer, &hop, layer->scratch, (size_t)n);
	else
		send_stored(layer, t->message);
}

static void send_cancel(struct transaction *t)
{
	struct sip_transactions *layer = t->layer;
	struct sip_message invite;
	int n;

	t->cancel_sent = true;
	set_in(t, &t->end, 64 * layer->config.timing.t1_ns);
	if (!parse_stored(t->message, &invite))
		return;
	n = build_like_invite(layer, &invite, SIP_METHOD_CANCEL, NULL);
	if (n < 0)
		return;
	sip_client_start(layer,
		&(struct sip_client_request){
			.method = SIP_METHOD_CANCEL,
			.branch = invite.via.branch,
			.bytes = str_make(layer->scratch, (size_t)n),
			.hop = t->message->hop,
		},
		&(uint64_t){0});
}

/* A 2xx: known fork, its ACK again; else the user's. */
static bool is_acknowledged_fork(struct transaction *t, const struct sip_message *response)
{
	uint8_t key[KEY_SIZE];

	CHECK(response != NULL);
	if (!t->ack)
		return false;
	hash_parts(t->layer, 't', &response->to_tag, 1, key);
	return memcmp(key, t->ack_tag, KEY_SIZE) == 0;
}

/* ---- the machine ------------------------------------------------------------------------- */

static void tell_response(struct transaction *t, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	if (t->handler)
		t->handler->response(t->ctx, t->tag, t->id, message, source, now_ns);
}

static void tell_end(struct transaction *t, unsigned actions, enum event event, uint64_t now_ns)
{
	struct sip_transactions *layer = t->layer;

	if (actions & FAIL) {
		if (event == EV_END)
			layer->stats.timeouts++;
		if (t->handler)
			t->handler->failed(t->ctx, t->tag, t->id,
				event == EV_ERROR ? SIP_FAILURE_TRANSPORT : SIP_FAILURE_TIMEOUT,
				now_ns);
	}
	if ((actions & UNACKNOWLEDGED) && !t->acknowledged)
		layer->config.server->unacknowledged(layer->config.ctx, t->tag, t->id, now_ns);
}

static void run(struct transaction *t, enum event event, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_transactions *layer = t->layer;
	const struct transition *go = &transitions[t->kind][t->state][event];
	uint64_t id = t->id;

	if (!(go->actions & GO))
		return;
	set_state(t, go->next);
	if (go->actions & SEND) {
		int rc = t->delayed_status ? 0 : send_stored(layer, t->message);

		if (rc < 0 && is_client(t)) {
			t->send_failed = true;
			set_in(t, &t->end, 0);
		}
	}
	if (go->actions & ACK)
		send_refusal_ack(t, message);
	if (event == EV_1XX && t->cancel_wanted && !t->cancel_sent)
		send_cancel(t);
	if ((go->actions & ACCEPT) && is_acknowledged_fork(t, message))
		send_stored(layer, t->ack);
	else if (go->actions & (TELL | ACCEPT))
		tell_response(t, message, source, now_ns);
	if (go->next == SIP_TRANSACTION_TERMINATED) {
		tell_end(t, go->actions, event, now_ns);
		t = pool_get(&layer->pool, id);
		if (t)
			finish(t);
	}
}

/* ---- messages in ------------------------------------------------------------------------- */

static void receive_response(struct sip_transactions *layer, const struct sip_message *response,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[KEY_SIZE];
	struct transaction *t;
	enum event event = EV_FINAL;

	client_key(layer, response->via.branch, response->cseq.method_name, key);
	t = response->via_count == 1 ? map_get(&layer->map, key, KEY_SIZE) : NULL;
	if (!t || !is_client(t)) {
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
	run(t, event, response, source, now_ns);
}

static void receive_ack(struct sip_transactions *layer, const struct sip_message *ack,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[KEY_SIZE];
	struct transaction *t;

	server_key(layer, ack, STR("INVITE"), key);
	t = map_get(&layer->map, key, KEY_SIZE);
	if (t && t->state != SIP_TRANSACTION_ACCEPTED)
		run(t, EV_ACK, ack, source, now_ns);
	else
		layer->config.server->ack(layer->config.ctx, ack, source, now_ns);
}

static struct transaction *make_server(struct sip_transactions *layer,
	const struct sip_message *request, const struct sip_hop *source,
	const uint8_t key[KEY_SIZE])
{
	bool invite = request->method == SIP_METHOD_INVITE;
	struct transaction *t = make(layer, invite ? SERVER_INVITE : SERVER_OTHER, key);

	if (!t)
		return NULL;
	layer->stats.servers++;
	t->hop = sip_hop_of_response(source, &request->via);
	if (str_empty(request->to_tag) && request->method != SIP_METHOD_CANCEL) {
		merge_key(layer, request, t->merge_key);
		t->in_merge_map = map_put(&layer->merge_map, t->merge_key, KEY_SIZE, t) == 0;
		t->merged = !t->in_merge_map;
	}
	enter(t, invite ? SIP_TRANSACTION_PROCEEDING : SIP_TRANSACTION_TRYING);
	return t;
}

static void receive_cancel(struct sip_transactions *layer, struct transaction *t,
	const struct sip_message *cancel, const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[KEY_SIZE];
	const struct transaction *invite;

	server_key(layer, cancel, STR("INVITE"), key);
	invite = map_get(&layer->map, key, KEY_SIZE);
	layer->config.server->cancel(layer->config.ctx, t->id, invite ? invite->id : 0,
		invite ? invite->tag : 0, cancel, source, now_ns);
}

static void receive_request(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, uint64_t now_ns)
{
	uint8_t key[KEY_SIZE];
	struct transaction *t;

	server_key(layer, request, request->method_name, key);
	t = map_get(&layer->map, key, KEY_SIZE);
	if (t) {
		layer->stats.repeats_received++;
		run(t, EV_REPEAT, request, source, now_ns);
		return;
	}
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
		if (!waits || !is_client(t) || !t->message ||
			t->message->hop.connection != connection)
			continue;
		t->send_failed = true;
		set_in(t, &t->end, 0);
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
	uint8_t key[KEY_SIZE];
	struct transaction *t;
	struct stored *message = NULL;
	int rc;

	/* First, because the bytes may stand in the scratch buffer that keys are made in. */
	rc = store(layer, &message, request->bytes, &request->hop);
	if (rc < 0)
		return rc;
	client_key(layer, request->branch, str_from(sip_method_name(request->method)), key);
	t = make(layer, invite ? CLIENT_INVITE : CLIENT_OTHER, key);
	if (!t) {
		drop_stored(layer, &message);
		return -ENOBUFS;
	}
	layer->stats.clients++;
	t->message = message;
	t->hop = request->hop;
	t->tag = request->tag;
	t->ctx = request->ctx;
	t->handler = request->handler;
	enter(t, invite ? SIP_TRANSACTION_CALLING : SIP_TRANSACTION_TRYING);
	if (send_stored(layer, t->message) < 0) {
		t->send_failed = true;
		set_in(t, &t->end, 0);
	}
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
		send_cancel(t);
	return 0;
}

int sip_client_set_ack(struct sip_transactions *layer, uint64_t id, struct str to_tag,
	struct str bytes, const struct sip_hop *hop)
{
	struct transaction *t = pool_get(&layer->pool, id);
	struct sip_hop to = *hop;

	if (!t || t->kind != CLIENT_INVITE)
		return -ESRCH;
	if (store(layer, &t->ack, bytes, hop) < 0)
		return wire_send(layer, &to, bytes.p, bytes.n);
	hash_parts(layer, 't', &to_tag, 1, t->ack_tag);
	drop_stored(layer, &t->message);
	return send_stored(layer, t->ack);
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

	if (!t || is_client(t) || t->delayed_status)
		return NULL;
	if (t->state != SIP_TRANSACTION_TRYING && t->state != SIP_TRANSACTION_PROCEEDING)
		return NULL;
	return t;
}

int sip_server_respond(
	struct sip_transactions *layer, uint64_t id, unsigned status, struct str bytes)
{
	struct transaction *t = open_server(layer, id);
	enum event event = EV_FINAL;
	int rc;

	if (!t)
		return -ESRCH;
	if (status < 200)
		event = EV_1XX;
	else if (status < 300 && t->kind == SERVER_INVITE)
		event = EV_2XX;
	rc = store(layer, &t->message, bytes, &t->hop);
	if (rc < 0) {
		drop_stored(layer, &t->message);
		wire_send(layer, &t->hop, bytes.p, bytes.n);
	}
	run(t, event, NULL, NULL, timers_now(layer->config.timers));
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
	rc = store(layer, &t->message, bytes, &t->hop);
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
		finish(t);
}

void sip_server_acknowledged(struct sip_transactions *layer, uint64_t id)
{
	struct transaction *t = pool_get(&layer->pool, id);

	if (!t || t->kind != SERVER_INVITE || t->state != SIP_TRANSACTION_ACCEPTED)
		return;
	t->acknowledged = true;
	timers_cancel(layer->config.timers, &t->again);
	drop_stored(layer, &t->message);
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

int sip_respond_stateless(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, unsigned status, struct str reason, struct str lines)
{
	struct sip_hop hop = sip_hop_of_response(source, &request->via);
	char received[ADDRESS_TEXT_SIZE], tag[17];
	uint8_t key[KEY_SIZE];
	struct sip_builder b;
	int n;

	hash_parts(layer, 'r', (struct str[]){request->via.branch, request->call_id}, 2, key);
	for (int i = 0; i < 8; i++)
		snprintf(tag + 2 * i, 3, "%02x", key[i]);
	address_format_host(&source->remote, received);
	b = sip_build(layer->scratch, SCRATCH_SIZE);
	sip_build_response(&b, request,
		&(struct sip_response){
			.status = (uint16_t)status,
			.reason = reason,
			.to_tag = status > 100 ? str_from(tag) : STR_NULL,
			.received = str_from(received),
			.rport = address_port(&source->remote),
		});
	sip_build_lines(&b, lines);
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	return n < 0 ? n : wire_send(layer, &hop, layer->scratch, (size_t)n);
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
	layer->scratch = malloc(SCRATCH_SIZE);
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
		finish(t);
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
