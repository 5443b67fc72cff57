/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/session_private.h"

#define MS_NS 1000000ull

static const struct sip_client_handler bye_handler, reinvite_handler;

/* ---- requests of ours -------------------------------------------------------------------- */

/* Builds into layer->scratch and gives the length. */
static int build(struct session *s, const struct session_request *request,
	const struct sip_hop *hop, const char *branch)
{
	struct sip_sessions *layer = s->layer;
	struct sip_builder b = sip_build(layer->scratch, SESSION_SCRATCH);
	struct sip_local local;
	int rc = layer->config.wire->local(layer->config.wire->ctx, hop, &local);

	if (rc < 0)
		return rc;
	sip_dialog_build(
		&s->dialog, &b, request->method, request->cseq, hop, &local, str_from(branch));
	session_add_credentials(s, &b);
	if (request->method == SIP_METHOD_INVITE || request->method == SIP_METHOD_NOTIFY)
		session_contact(layer, &b, hop);
	if (request->method == SIP_METHOD_INVITE) {
		session_common_headers(layer, &b, true);
		session_timer_offer(s, &b);
	}
	if (request->lines)
		sip_build_lines(&b, str_from(request->lines));
	return sip_build_finish(&b,
		request->type ? str_from(request->type) : STR("application/sdp"), request->body);
}

int session_start(struct session *s, const struct session_request *request,
	const struct sip_client_handler *handler, uint64_t *id)
{
	struct sip_sessions *layer = s->layer;
	struct sip_hop hop = session_next_hop(s);
	char branch[SIP_BRANCH_SIZE];
	int n;

	sip_branch_make(layer->config.random, branch);
	n = build(s, request, &hop, branch);
	if (n < 0)
		return n;
	return sip_client_start(layer->config.transactions,
		&(struct sip_client_request){
			.method = request->method,
			.branch = str_from(branch),
			.bytes = str_make(layer->scratch, (size_t)n),
			.hop = hop,
			.tag = s->id,
			.ctx = layer,
			.handler = handler,
		},
		id);
}

int session_send_ack(struct session *s, const struct sip_message *response)
{
	struct sip_sessions *layer = s->layer;
	struct sip_hop hop = session_next_hop(s);
	char branch[SIP_BRANCH_SIZE];
	int n;

	sip_branch_make(layer->config.random, branch);
	n = build(s,
		&(struct session_request){.method = SIP_METHOD_ACK, .cseq = response->cseq.number},
		&hop, branch);
	if (n < 0)
		return n;
	return sip_client_set_ack(layer->config.transactions, s->client, response->to_tag,
		str_make(layer->scratch, (size_t)n), &hop);
}

/* ---- BYE --------------------------------------------------------------------------------- */

static void bye_reason(const struct session *s, char lines[SESSION_LINES])
{
	char text[2 * SESSION_BYE_TEXT_MAX + 1];
	size_t n = 0;

	lines[0] = '\0';
	if (!s->bye_q850 && s->bye_text.n == 0)
		return;
	for (size_t i = 0; i < s->bye_text.n; i++) {
		unsigned char c = (unsigned char)s->bye_text.p[i];

		if (c == '"' || c == '\\')
			text[n++] = '\\';
		text[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	text[n] = '\0';
	if (s->bye_q850)
		snprintf(lines, SESSION_LINES, "Reason: Q.850;cause=%u%s%s%s\r\n", s->bye_q850,
			n ? ";text=\"" : "", text, n ? "\"" : "");
	else
		snprintf(lines, SESSION_LINES, "Reason: SIP;text=\"%s\"\r\n", text);
}

static int start_bye(struct session *s)
{
	char lines[SESSION_LINES];

	bye_reason(s, lines);
	return session_start(s, &(struct session_request){.method = SIP_METHOD_BYE, .lines = lines},
		&bye_handler, &s->client);
}

void session_send_bye(struct session *s)
{
	struct timers *timers = s->layer->config.timers;

	if (s->state == SIP_SESSION_ENDING || s->state == SIP_SESSION_DONE)
		return;
	session_refer_end(s);
	if (s->server)
		sip_server_acknowledged(s->layer->config.transactions, s->server);
	timers_cancel(timers, &s->retry);
	timers_cancel(timers, &s->refresh);
	session_set_state(s, SIP_SESSION_ENDING);
	s->challenges = 0;
	if (start_bye(s) < 0)
		session_finish(s);
}

static void on_bye_response(void *ctx, uint64_t tag, uint64_t id,
	const struct sip_message *response, const struct sip_hop *source, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (!s || s->client != id || response->status < 200)
		return;
	if ((response->status == 401 || response->status == 407) &&
		session_authorize(s, response, SIP_METHOD_BYE,
			sip_dialog_text(&s->dialog, SIP_DIALOG_TARGET), STR_NULL) == 0 &&
		start_bye(s) == 0)
		return;
	session_finish(s);
}

static void on_bye_failed(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (s && s->client == id)
		session_finish(s);
}

static const struct sip_client_handler bye_handler = {
	.response = on_bye_response,
	.failed = on_bye_failed,
};

/* ---- our re-INVITE ----------------------------------------------------------------------- */

int session_send_reinvite(struct session *s)
{
	int rc;

	if (s->new_keys)
		sdes_keys_renew(s->origin.keys, s->layer->config.random);
	rc = session_make_offer(s, &s->wanted);
	if (rc == 0)
		rc = session_start(s,
			&(struct session_request){
				.method = SIP_METHOD_INVITE, .body = session_text_str(&s->our_sdp)},
			&reinvite_handler, &s->client);
	if (rc < 0)
		return rc;
	s->client_cseq = s->dialog.local_cseq;
	s->exchange = EXCHANGE_REOFFER;
	return 0;
}

void session_reoffer_over(struct session *s, unsigned status, uint64_t now_ns)
{
	struct sip_sessions *layer = s->layer;
	bool was_refresh = s->refresh_only, was_keys = s->new_keys;

	if (status && was_keys)
		session_keys_keep(s);
	s->exchange = EXCHANGE_NONE;
	s->refresh_only = s->new_keys = false;
	session_text_clear(&s->our_sdp);
	session_text_clear(&s->auth[0]);
	session_text_clear(&s->auth[1]);
	if (status && was_refresh)
		session_timer_refresh_failed(s, now_ns);
	if (was_keys && layer->config.events->rekeyed)
		layer->config.events->rekeyed(
			layer->config.ctx, s->id, status, s->peer_key_is_new, now_ns);
	if (!was_refresh && !was_keys)
		layer->config.events->reoffered(layer->config.ctx, s->id, status, now_ns);
}

/* An INVITE of the peer lacks its ACK still: one exchange at a time. */
void session_wait_for_ack(struct session *s)
{
	s->exchange = EXCHANGE_WAITING;
	timers_set_in(s->layer->config.timers, &s->retry, 50 * MS_NS);
}

int sip_session_reoffer(
	struct sip_sessions *layer, uint64_t id, const struct sdp_local *local, uint64_t now_ns)
{
	struct session *s = session_find(layer, id);

	if (!s)
		return -ESRCH;
	if (s->state != SIP_SESSION_ESTABLISHED)
		return -EINVAL;
	/* An own refresh that waits after a 491 gives way to the user. */
	if (s->exchange == EXCHANGE_WAITING && s->refresh_only) {
		timers_cancel(layer->config.timers, &s->retry);
		s->exchange = EXCHANGE_NONE;
	}
	if (s->exchange != EXCHANGE_NONE)
		return -EBUSY;
	s->wanted = *local;
	s->refresh_only = false;
	s->challenges = 0;
	if (!s->server)
		return session_send_reinvite(s);
	session_wait_for_ack(s);
	return 0;
}

/* Section 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
 */
static void wait_after_glare(struct session *s)
{
	struct random *random = s->layer->config.random;
	uint64_t steps = s->outgoing ? 210 + random_below(random, 191) : random_below(random, 201);

	s->layer->stats.glare++;
	s->exchange = EXCHANGE_WAITING;
	if (s->new_keys)
		session_keys_keep(s);
	timers_set_in(s->layer->config.timers, &s->retry, steps * 10 * MS_NS);
}

static void reinvite_accepted(
	struct session *s, const struct sip_message *response, uint64_t now_ns)
{
	struct sip_sessions *layer = s->layer;
	struct sdp_stream stream = {0};
	int rc;

	sip_dialog_refresh_target(&s->dialog, response);
	session_send_ack(s, response);
	rc = session_read_sdp(layer, response);
	if (rc == 0)
		rc = session_take_answer(s, layer->sdp_body, &s->wanted, &stream);
	if (rc < 0) {
		session_set_end(s, 488, false, STR("no usable answer in the 2xx"));
		session_send_bye(s);
		return;
	}
	s->local = s->wanted;
	s->peer_key_is_new = memcmp(&stream.receive_key, &s->stream.receive_key,
				     sizeof(stream.receive_key)) != 0;
	session_timer_accepted(s, response);
	session_timer_start(s);
	if (session_set_stream(s, &stream))
		layer->config.events->media(layer->config.ctx, s->id, &s->stream, now_ns);
	/* The user may have hung up in that event. */
	if (s->state == SIP_SESSION_ESTABLISHED)
		session_reoffer_over(s, 0, now_ns);
}

static void reinvite_refused(struct session *s, const struct sip_message *response, uint64_t now_ns)
{
	unsigned status = response->status;

	if (status == 491) {
		wait_after_glare(s);
		return;
	}
	if ((status == 401 || status == 407) &&
		session_authorize(s, response, SIP_METHOD_INVITE,
			sip_dialog_text(&s->dialog, SIP_DIALOG_TARGET),
			session_text_str(&s->our_sdp)) == 0 &&
		session_send_reinvite(s) == 0)
		return;
	if (status == 422 && session_timer_raise(s, response) && session_send_reinvite(s) == 0)
		return;
	if (status == 481 || status == 408) {
		session_set_end(s, status, true, response->reason);
		session_send_bye(s);
		return;
	}
	session_reoffer_over(s, status, now_ns);
}

static void on_reinvite_response(void *ctx, uint64_t tag, uint64_t id,
	const struct sip_message *response, const struct sip_hop *source, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (!s || s->client != id || s->exchange != EXCHANGE_REOFFER || response->status < 200) {
		if (s && response->status >= 200 && response->status < 300 && s->client != id) {
			/* It crossed our BYE: acknowledged all the same. */
			uint64_t client = s->client;

			s->client = id;
			session_send_ack(s, response);
			s->client = client;
		}
		return;
	}
	if (s->state != SIP_SESSION_ESTABLISHED)
		return;
	if (response->status < 300)
		reinvite_accepted(s, response, now_ns);
	else
		reinvite_refused(s, response, now_ns);
}

static void on_reinvite_failed(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
	struct session *s = session_find(ctx, tag);

	if (!s || s->client != id || s->state != SIP_SESSION_ESTABLISHED)
		return;
	s->end.timed_out = failure == SIP_FAILURE_TIMEOUT;
	session_set_end(s, 408, false, STR_NULL);
	session_send_bye(s);
}

static const struct sip_client_handler reinvite_handler = {
	.response = on_reinvite_response,
	.failed = on_reinvite_failed,
};

/* ---- requests of the peer ---------------------------------------------------------------- */

int session_answer(
	struct session *s, const struct session_arrival *in, const struct session_reply *reply)
{
	return session_reply(s->layer, in->transaction, in->message, in->source, STR_NULL, reply);
}

static void take_bye(struct session *s, const struct session_arrival *in)
{
	struct sip_transactions *transactions = s->layer->config.transactions;

	session_answer(s, in, &(struct session_reply){.status = 200});
	if (s->state == SIP_SESSION_ENDING)
		return;
	if (s->server && sip_server_is_open(transactions, s->server) && s->request.n)
		session_reply_invite(s, &(struct session_reply){.status = 487});
	if (s->server)
		sip_server_acknowledged(transactions, s->server);
	session_read_reason(s, in->message);
	s->end.by_peer = true;
	session_finish(s);
}

/* "Signal=5\r\nDuration=160", or just the key. */
static bool read_digit(struct str body, char *digit, unsigned *duration_ms)
{
	struct str line, value = STR_NULL;
	uint32_t number;

	*duration_ms = 0;
	while (str_split(&body, '\n', &line)) {
		ptrdiff_t at = str_index(line, '=');

		if (at < 0)
			at = str_index(line, ':');
		if (at < 0) {
			if (!value.n)
				value = str_trim(line);
			continue;
		}
		if (str_equal_nocase(str_trim(str_head(line, (size_t)at)), STR("Signal")))
			value = str_trim(str_skip(line, (size_t)at + 1));
		else if (str_equal_nocase(str_trim(str_head(line, (size_t)at)), STR("Duration")) &&
			 str_to_u32(str_trim(str_skip(line, (size_t)at + 1)), &number) == 0)
			*duration_ms = number;
	}
	if (str_equal(value, STR("10")))
		value = STR("*");
	else if (str_equal(value, STR("11")))
		value = STR("#");
	if (value.n != 1 || str_index(STR("0123456789*#ABCDabcd"), value.p[0]) < 0)
		return false;
	*digit = value.p[0] >= 'a' ? (char)(value.p[0] - 32) : value.p[0];
	return true;
}

static void take_info(struct session *s, const struct session_arrival *in)
{
	unsigned duration_ms;
	char digit;
	bool dtmf = sip_message_body_is(in->message, "application", "dtmf-relay") ||
		    sip_message_body_is(in->message, "application", "dtmf");

	if (in->message->body.n && !dtmf) {
		session_answer(s, in,
			&(struct session_reply){
				.status = 415, .lines = "Accept: application/dtmf-relay\r\n"});
		return;
	}
	session_answer(s, in, &(struct session_reply){.status = 200});
	if (dtmf && read_digit(in->message->body, &digit, &duration_ms))
		s->layer->config.events->digit(
			s->layer->config.ctx, s->id, digit, duration_ms, in->now_ns);
}

/* What stands in the way of a re-INVITE (section 14.2): 0, or the status to refuse it with. */
static unsigned reinvite_obstacle(const struct session *s)
{
	if (s->state == SIP_SESSION_ENDING)
		return 481;
	if (s->outgoing ? !s->was_answered
			: s->state != SIP_SESSION_ESTABLISHED && s->state != SIP_SESSION_ANSWERED)
		return 500;
	if (s->exchange == EXCHANGE_REOFFER)
		return 491;
	/* One INVITE of theirs at a time: the 200 of the last one waits for its ACK. */
	return s->server ? 491 : 0;
}

static int reinvite_media(struct session *s, const struct session_arrival *in,
	struct sdp_stream *stream, bool *has_offer)
{
	int rc = session_read_sdp(s->layer, in->message);

	*stream = s->stream;
	*has_offer = rc == 0;
	if (rc == 0)
		return session_make_answer(s, s->layer->sdp_body, &s->local, stream);
	if (rc == -ENODATA)
		rc = session_make_offer(s, &s->local);
	return rc;
}

static void refuse_reinvite(struct session *s, const struct session_arrival *in, int rc)
{
	struct session_reply what = {.status = 488};

	if (rc == -EMEDIUMTYPE)
		what = (struct session_reply){
			.status = 415, .lines = "Accept: application/sdp\r\n"};
	else if (rc == -EBADMSG)
		what = (struct session_reply){
			.status = 400, .reason = STR("Bad Session Description")};
	else if (rc != -ENOTSUP)
		what.status = 500;
	session_answer(s, in, &what);
}

static void take_reinvite(struct session *s, const struct session_arrival *in)
{
	struct sip_sessions *layer = s->layer;
	bool has_offer;
	unsigned obstacle = reinvite_obstacle(s);
	char lines[SESSION_LINES];
	struct sdp_stream stream;
	int rc;

	if (obstacle) {
		layer->stats.glare += obstacle == 491;
		session_answer(s, in,
			&(struct session_reply){.status = obstacle,
				.retry_after_s = obstacle == 500
							 ? 1 + (uint32_t)random_below(
								       layer->config.random, 10)
							 : 0});
		return;
	}
	if (session_timer_check(layer, in->message) < 0) {
		snprintf(lines, sizeof(lines), "Min-SE: %u\r\n", layer->config.min_se_s);
		session_answer(s, in, &(struct session_reply){.status = 422, .lines = lines});
		return;
	}
	rc = reinvite_media(s, in, &stream, &has_offer);
	if (rc < 0) {
		refuse_reinvite(s, in, rc);
		return;
	}
	sip_dialog_refresh_target(&s->dialog, in->message);
	if (s->symmetric)
		s->hop = *in->source;
	session_timer_answer(s, in->message, lines);
	s->server = in->transaction;
	s->server_cseq = in->message->cseq.number;
	s->offer_in_200 = !has_offer;
	sip_server_set_tag(layer->config.transactions, in->transaction, s->id);
	rc = session_answer(s, in,
		&(struct session_reply){.status = 200,
			.contact = true,
			.lines = lines,
			.body = session_text_str(&s->our_sdp)});
	session_text_clear(&s->our_sdp);
	/* No 200 went out, no ACK will come. */
	if (rc == -ENOSPC || rc == -EMSGSIZE)
		s->server = 0;
	session_timer_start(s);
	if (has_offer && session_set_stream(s, &stream))
		layer->config.events->media(layer->config.ctx, s->id, &s->stream, in->now_ns);
}

void session_dialog_request(struct session *s, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns)
{
	struct session_arrival in = {transaction, request, source, now_ns};

	switch ((enum sip_method)request->method) {
	case SIP_METHOD_INVITE:
		take_reinvite(s, &in);
		break;
	case SIP_METHOD_BYE:
		take_bye(s, &in);
		break;
	case SIP_METHOD_INFO:
		take_info(s, &in);
		break;
	case SIP_METHOD_OPTIONS:
		session_answer(s, &in,
			&(struct session_reply){
				.status = 200, .lines = "Accept: application/sdp\r\n"});
		break;
	case SIP_METHOD_REFER:
		session_refer_take(s, &in);
		break;
	case SIP_METHOD_OTHER:
		session_answer(s, &in, &(struct session_reply){.status = 501});
		break;
	default:
		session_answer(s, &in, &(struct session_reply){.status = 405});
		break;
	}
}
