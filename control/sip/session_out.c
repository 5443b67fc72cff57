/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sip/session_private.h"

#define AUTH_VALUE_MAX 1024

static int send_attempt(struct session *s);

void session_out_free(struct session *s)
{
	struct session_out *out = s->out;

	if (!out)
		return;
	session_text_clear(&out->target);
	session_text_clear(&out->from);
	session_text_clear(&out->display);
	session_text_clear(&out->to);
	session_text_clear(&out->asserted);
	session_text_clear(&out->privacy);
	session_text_clear(&out->lines);
	session_text_clear(&out->call_id);
	session_text_clear(&out->body);
	explicit_bzero(&out->account, sizeof(out->account));
	free(out);
	s->out = NULL;
}

/* ---- credentials ------------------------------------------------------------------------- */

void session_add_credentials(const struct session *s, struct sip_builder *b)
{
	for (int i = 0; i < 2; i++)
		sip_build_lines(b, session_text_str(&s->auth[i]));
}

int session_authorize(struct session *s, const struct sip_message *response, enum sip_method method,
	struct str uri, struct str body)
{
	char value[AUTH_VALUE_MAX], line[AUTH_VALUE_MAX + 32], cnonce[17];
	struct digest_account account;
	enum sip_header_kind kind;
	struct strbuf text;
	int n;

	if (!s->out || !s->out->account.user[0] || s->challenges >= 3)
		return -EACCES;
	/* The same nonce again, and not stale: the password is wrong. */
	if (s->challenges > 0 && s->auth[response->status == 407].n && !digest_is_stale(response))
		return -EACCES;
	s->challenges++;
	s->layer->stats.challenges++;
	account.user = str_from(s->out->account.user);
	account.password = str_from(s->out->account.password);
	account.realm = str_from(s->out->account.realm);
	random_hex(s->layer->config.random, cnonce, 16);
	n = digest_answer(response, &account, str_from(sip_method_name(method)), uri, body, 1,
		str_from(cnonce), &kind, value, sizeof(value));
	if (n < 0)
		return n;
	strbuf_init(&text, line, sizeof(line));
	strbuf_printf(&text, "%s: %.*s\r\n", sip_header_name(kind), n, value);
	return session_text_set(
		&s->auth[kind == SIP_HEADER_PROXY_AUTHORIZATION], strbuf_str(&text));
}

/* ---- an attempt -------------------------------------------------------------------------- */

static void build_identity(struct session *s, struct sip_builder *b)
{
	const struct session_out *out = s->out;

	sip_build_address(b, SIP_HEADER_FROM, session_text_str(&out->display),
		session_text_str(&out->from), str_from(s->local_tag), STR_NULL);
	sip_build_address(
		b, SIP_HEADER_TO, STR_NULL, session_text_str(&out->to), STR_NULL, STR_NULL);
	sip_build_value(b, SIP_HEADER_CALL_ID, session_text_str(&out->call_id));
	sip_build_format(b, SIP_HEADER_CSEQ, "%u INVITE", s->client_cseq);
	if (out->asserted.n)
		sip_build_address(b, SIP_HEADER_P_ASSERTED_IDENTITY,
			session_text_str(&out->display), session_text_str(&out->asserted), STR_NULL,
			STR_NULL);
	if (out->privacy.n)
		sip_build_value(b, SIP_HEADER_PRIVACY, session_text_str(&out->privacy));
}

static int build_invite(struct session *s, const struct sip_hop *hop, struct str branch)
{
	struct sip_sessions *layer = s->layer;
	struct sip_builder b = sip_build(layer->scratch, SESSION_SCRATCH);
	struct sip_local local;
	int rc = layer->config.wire->local(layer->config.wire->ctx, hop, &local);

	if (rc < 0)
		return rc;
	sip_build_request(&b, STR("INVITE"), session_text_str(&s->out->target));
	sip_build_via(&b, (enum sip_transport_kind)hop->transport, str_from(local.host), local.port,
		branch, true);
	sip_build_value(&b, SIP_HEADER_MAX_FORWARDS, STR("70"));
	build_identity(s, &b);
	session_contact(layer, &b, hop);
	session_common_headers(layer, &b, true);
	session_timer_offer(s, &b);
	session_add_credentials(s, &b);
	sip_build_lines(&b, session_text_str(&s->out->lines));
	return sip_build_finish(&b, STR("application/sdp"), session_text_str(&s->out->body));
}

/* Who takes no TCP gets it in fragments (section 18.1.1). */
static bool again_over_udp(struct session *s)
{
	if (!s->out->over_tcp)
		return false;
	s->out->hops[s->out->hop_index].tcp_when_large = false;
	return send_attempt(s) == 0;
}

static int send_attempt(struct session *s)
{
	struct sip_sessions *layer = s->layer;
	struct sip_hop hop = s->out->hops[s->out->hop_index];
	char branch[SIP_BRANCH_SIZE];
	int n, rc;

	if (s->out->attempts++ >= SIP_INVITE_ATTEMPTS_MAX)
		return -ELOOP;
	s->client_cseq++;
	sip_branch_make(layer->config.random, branch);
	n = build_invite(s, &hop, str_from(branch));
	s->out->over_tcp =
		n > SIP_DATAGRAM_COMMON && hop.tcp_when_large && hop.transport == SIP_TRANSPORT_UDP;
	if (s->out->over_tcp) {
		hop.transport = SIP_TRANSPORT_TCP;
		hop.listener = 0;
		n = build_invite(s, &hop, str_from(branch));
	}
	if (n < 0)
		return n;
	rc = sip_client_start(layer->config.transactions,
		&(struct sip_client_request){
			.method = SIP_METHOD_INVITE,
			.branch = str_from(branch),
			.bytes = str_make(layer->scratch, (size_t)n),
			.hop = hop,
			.tag = s->id,
			.ctx = layer,
			.handler = &session_invite_handler,
		},
		&s->client);
	if (rc < 0)
		return again_over_udp(s) ? 0 : rc;
	s->hop = hop;
	s->out->heard = false;
	session_set_state(s, SIP_SESSION_CALLING);
	if (s->out->hop_index + 1 < s->out->hop_count)
		timers_set_in(layer->config.timers, &s->retry, layer->config.failover_ns);
	return 0;
}

static bool next_hop(struct session *s)
{
	/* Another gateway has challenges of its own. */
	session_text_clear(&s->auth[0]);
	session_text_clear(&s->auth[1]);
	s->challenges = 0;
	while (s->out->hop_index + 1 < s->out->hop_count) {
		s->out->hop_index++;
		s->layer->stats.failovers++;
		if (send_attempt(s) == 0)
			return true;
	}
	return false;
}

void session_out_failover(struct session *s)
{
	uint64_t old = s->client;

	/* Silence: should the old hop wake up, it is cancelled, and a late 2xx is a surplus fork.
	 */
	s->client = 0;
	sip_client_cancel(s->layer->config.transactions, old);
	if (next_hop(s))
		return;
	s->end.timed_out = true;
	session_set_end(s, 408, false, STR_NULL);
	session_finish(s);
}

/* Who rings says so each minute (section 13.3.1.1); this one is gone, as timer C has it. */
void session_out_silent(struct session *s)
{
	s->end.timed_out = true;
	session_set_end(s, 408, false, STR_NULL);
	session_set_state(s, SIP_SESSION_CANCELLING);
	sip_client_cancel(s->layer->config.transactions, s->client);
}

/* ---- responses --------------------------------------------------------------------------- */

/*
 * A 2xx that nobody wants: acknowledged and ended, from what it says itself; a symmetric peer's
 * Contact says nothing.
 */
static void end_surplus(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *response, const struct sip_hop *source, bool symmetric,
	bool keep_ack)
{
	struct sip_dialog dialog = {0};
	struct sip_hop hop = *source;
	struct sip_local local;
	char branch[SIP_BRANCH_SIZE];
	struct sip_builder b;
	uint64_t id;
	int n;

	layer->stats.surplus_forks++;
	if (sip_dialog_of_response(&dialog, response) < 0)
		return;
	if (!symmetric)
		sip_hop_of_uri(sip_dialog_next_uri(&dialog), source, &hop);
	if (layer->config.wire->local(layer->config.wire->ctx, &hop, &local) < 0)
		goto out;
	sip_branch_make(layer->config.random, branch);
	b = sip_build(layer->scratch, SESSION_SCRATCH);
	sip_dialog_build(
		&dialog, &b, SIP_METHOD_ACK, response->cseq.number, &hop, &local, str_from(branch));
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	if (n > 0 && keep_ack)
		sip_client_set_ack(layer->config.transactions, transaction, response->to_tag,
			str_make(layer->scratch, (size_t)n), &hop);
	else if (n > 0)
		layer->config.wire->send(layer->config.wire->ctx, &hop, layer->scratch, (size_t)n);
	sip_branch_make(layer->config.random, branch);
	b = sip_build(layer->scratch, SESSION_SCRATCH);
	sip_dialog_build(&dialog, &b, SIP_METHOD_BYE, 0, &hop, &local, str_from(branch));
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	if (n > 0)
		sip_client_start(layer->config.transactions,
			&(struct sip_client_request){.method = SIP_METHOD_BYE,
				.branch = str_from(branch),
				.bytes = str_make(layer->scratch, (size_t)n),
				.hop = hop},
			&id);
out:
	sip_dialog_clear(&dialog);
}

/* The answer in a response to our initial offer: 0 without one too, when early media had it. */
static int take_answer(struct session *s, const struct sip_message *response, bool *fresh)
{
	struct sdp_stream stream = {0};
	int rc = session_read_sdp(s->layer, response);

	*fresh = false;
	if (rc == -ENODATA && s->has_stream)
		return 0;
	if (rc == 0)
		rc = session_take_answer(s, s->layer->sdp_body, &s->local, &stream);
	if (rc < 0)
		return rc;
	session_set_stream(s, &stream);
	*fresh = true;
	return 0;
}

static void progressed(struct session *s, const struct sip_message *response, uint64_t now_ns)
{
	struct sip_sessions *layer = s->layer;
	bool early;

	timers_cancel(layer->config.timers, &s->retry);
	s->out->heard = true;
	if (s->state == SIP_SESSION_CANCELLING)
		return;
	session_set_state(s, SIP_SESSION_PROCEEDING);
	timers_set_in(layer->config.timers, &s->retry, SIP_RING_SILENCE_NS);
	if (response->status == 100)
		return;
	early = response->body.n > 0 && take_answer(s, response, &early) == 0 && early;
	layer->config.events->progress(
		layer->config.ctx, s->id, response->status, early ? &s->stream : NULL, now_ns);
}

/* The call is up in SIP, but its media cannot work: ACK, then BYE. */
static void give_up(struct session *s, const char *why)
{
	session_set_end(s, 488, false, str_from(why));
	session_set_state(s, SIP_SESSION_ESTABLISHED);
	session_send_bye(s);
}

static void accepted(struct session *s, const struct sip_message *response,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_sessions *layer = s->layer;
	const struct sip_hop *used = sip_client_hop(layer->config.transactions, s->client);
	bool fresh;
	int rc;

	timers_cancel(layer->config.timers, &s->retry);
	if (used)
		s->hop = *used;
	if (s->symmetric)
		s->hop = *source;
	if (sip_dialog_of_response(&s->dialog, response) < 0) {
		session_set_end(s, 502, true, STR("2xx without tag or with bad routes"));
		session_finish(s);
		return;
	}
	session_send_ack(s, response);
	session_text_clear(&s->auth[0]);
	session_text_clear(&s->auth[1]);
	s->challenges = 0;
	rc = take_answer(s, response, &fresh);
	if (rc < 0) {
		give_up(s, "no usable answer in the 2xx");
		return;
	}
	session_set_state(s, SIP_SESSION_ESTABLISHED);
	s->was_answered = true;
	layer->stats.answered++;
	session_timer_accepted(s, response);
	session_timer_start(s);
	layer->config.events->answered(layer->config.ctx, s->id, &s->stream, now_ns);
}

static bool is_hop_failure(unsigned status)
{
	return status == 500 || status == 502 || status == 503 || status == 504;
}

/* True when the refusal led to another attempt. */
static bool tried_again(struct session *s, const struct sip_message *response)
{
	unsigned status = response->status;

	if (s->state == SIP_SESSION_CANCELLING)
		return false;
	if (status == 401 || status == 407)
		return session_authorize(s, response, SIP_METHOD_INVITE,
			       session_text_str(&s->out->target),
			       session_text_str(&s->out->body)) == 0 &&
		       send_attempt(s) == 0;
	if (status == 422)
		return session_timer_raise(s, response) && send_attempt(s) == 0;
	return is_hop_failure(status) && next_hop(s);
}

static void refused(struct session *s, const struct sip_message *response)
{
	const struct sip_header *retry;

	timers_cancel(s->layer->config.timers, &s->retry);
	if (tried_again(s, response))
		return;
	retry = sip_message_header(response, SIP_HEADER_RETRY_AFTER);
	if (retry)
		sip_retry_after_parse(&s->end.retry_after_s, retry->value);
	if (s->state != SIP_SESSION_CANCELLING) {
		session_set_end(s, response->status, true, response->reason);
		session_read_reason(s, response);
	}
	session_finish(s);
}

static void on_invite_response(void *ctx, uint64_t tag, uint64_t id,
	const struct sip_message *response, const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_sessions *layer = ctx;
	struct session *s = session_find(layer, tag);
	bool ours = s && s->client == id && s->state != SIP_SESSION_ENDING;

	if (response->status < 200) {
		if (ours)
			progressed(s, response, now_ns);
	} else if (response->status >= 300) {
		if (ours)
			refused(s, response);
	} else if (!ours || s->state == SIP_SESSION_ESTABLISHED) {
		/* With a winner, its ACK is the one to keep. */
		end_surplus(
			layer, id, response, source, s && s->symmetric, !(s && s->client == id));
	} else if (s->state == SIP_SESSION_CANCELLING) {
		end_surplus(layer, id, response, source, s->symmetric, true);
		session_finish(s);
	} else {
		accepted(s, response, source, now_ns);
	}
}

static void on_invite_failed(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
	struct sip_sessions *layer = ctx;
	struct session *s = session_find(layer, tag);

	if (!s || s->client != id || s->state == SIP_SESSION_ESTABLISHED ||
		s->state == SIP_SESSION_ENDING)
		return;
	timers_cancel(layer->config.timers, &s->retry);
	if (s->state != SIP_SESSION_CANCELLING &&
		((failure == SIP_FAILURE_TRANSPORT && again_over_udp(s)) || next_hop(s)))
		return;
	s->end.timed_out = failure == SIP_FAILURE_TIMEOUT;
	session_set_end(s, failure == SIP_FAILURE_TIMEOUT ? 408 : 503, false, STR_NULL);
	session_finish(s);
}

const struct sip_client_handler session_invite_handler = {
	.response = on_invite_response,
	.failed = on_invite_failed,
};

/* ---- start ------------------------------------------------------------------------------- */

static int copy_invite(struct session *s, const struct sip_invite *invite)
{
	struct session_out *out = calloc(1, sizeof(*out));
	char call_id[33];
	int rc;

	if (!out)
		return -ENOMEM;
	s->out = out;
	random_hex(s->layer->config.random, call_id, 32);
	rc = session_text_set(&out->target, invite->target);
	rc = rc ? rc : session_text_set(&out->from, invite->from);
	rc = rc ? rc : session_text_set(&out->display, invite->display);
	rc = rc ? rc : session_text_set(&out->to, invite->to.n ? invite->to : invite->target);
	rc = rc ? rc : session_text_set(&out->asserted, invite->asserted);
	rc = rc ? rc : session_text_set(&out->privacy, invite->privacy);
	rc = rc ? rc : session_text_set(&out->lines, invite->lines);
	rc = rc ? rc : session_text_set(&out->call_id, str_from(call_id));
	memcpy(out->hops, invite->hops, invite->hop_count * sizeof(out->hops[0]));
	out->hop_count = (uint8_t)invite->hop_count;
	out->account = invite->account;
	return rc;
}

static int check_invite(const struct sip_invite *invite)
{
	struct sip_uri uri;

	if (invite->hop_count < 1 || invite->hop_count > SIP_SESSION_HOPS_MAX)
		return -EINVAL;
	if (invite->target.n > SIP_URI_TEXT_MAX || invite->from.n > SIP_URI_TEXT_MAX ||
		invite->to.n > SIP_URI_TEXT_MAX || invite->asserted.n > SIP_URI_TEXT_MAX ||
		invite->lines.n > SIP_EXTRA_LINES_MAX || invite->display.n > 128)
		return -E2BIG;
	if (sip_uri_parse(&uri, invite->target) < 0 || sip_uri_parse(&uri, invite->from) < 0)
		return -EINVAL;
	return 0;
}

int sip_session_invite(
	struct sip_sessions *layer, const struct sip_invite *invite, uint64_t now_ns, uint64_t *id)
{
	struct session *s;
	int rc = check_invite(invite);

	if (rc < 0)
		return rc;
	s = session_make(layer);
	if (!s)
		return -ENOBUFS;
	s->state = SIP_SESSION_CALLING;
	s->outgoing = true;
	s->symmetric = invite->symmetric;
	str_copy(str_head(invite->referrer, sizeof(s->referrer) - 1), s->referrer,
		sizeof(s->referrer));
	s->local = invite->local;
	rc = copy_invite(s, invite);
	rc = rc ? rc : session_make_offer(s, &invite->local);
	if (rc == 0) {
		s->out->body = s->our_sdp;
		s->our_sdp = (struct session_text){0};
		rc = send_attempt(s);
	}
	if (rc < 0 && rc != -ENOMEM && s->out && s->out->attempts > 0 && next_hop(s))
		rc = 0;
	if (rc < 0) {
		session_drop(s);
		return rc;
	}
	layer->stats.outgoing++;
	*id = s->id;
	return 0;
}
