/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sip/session_private.h"

#define TO(state) (1u << SIP_SESSION_##state)
static const uint16_t successors[SIP_SESSION_STATES] = {
	[SIP_SESSION_INCOMING] = TO(RINGING) | TO(EARLY) | TO(ANSWERED) | TO(DONE),
	[SIP_SESSION_RINGING] = TO(EARLY) | TO(ANSWERED) | TO(DONE),
	[SIP_SESSION_EARLY] = TO(ANSWERED) | TO(DONE),
	[SIP_SESSION_ANSWERED] = TO(ESTABLISHED) | TO(ENDING) | TO(DONE),
	[SIP_SESSION_CALLING] = TO(PROCEEDING) | TO(CANCELLING) | TO(ESTABLISHED) | TO(DONE),
	[SIP_SESSION_PROCEEDING] = TO(CALLING) | TO(CANCELLING) | TO(ESTABLISHED) | TO(DONE),
	[SIP_SESSION_CANCELLING] = TO(DONE),
	[SIP_SESSION_ESTABLISHED] = TO(ENDING) | TO(DONE),
	[SIP_SESSION_ENDING] = TO(DONE),
};
#undef TO

const char *sip_session_state_name(enum sip_session_state state)
{
	static const char *const names[] = {"incoming", "ringing", "early", "answered", "calling",
		"proceeding", "cancelling", "established", "ending", "done"};

	return state < SIP_SESSION_STATES ? names[state] : "?";
}

void session_set_state(struct session *s, enum sip_session_state state)
{
	if (s->state == state)
		return;
	CHECK(successors[s->state] & (1u << state));
	s->state = (uint8_t)state;
}

int session_text_set(struct session_text *text, struct str value)
{
	char *p = malloc(value.n + 1);

	if (!p)
		return -ENOMEM;
	if (value.n)
		memcpy(p, value.p, value.n);
	p[value.n] = '\0';
	session_text_clear(text);
	text->p = p;
	text->n = value.n;
	return 0;
}

void session_text_keep(struct session_text *text, struct str value, size_t max)
{
	if (str_empty(value) || session_text_set(text, str_head(value, max)) < 0)
		session_text_clear(text);
}

/* Descriptions have keys, and header lines credentials. */
void session_text_clear(struct session_text *text)
{
	if (text->p)
		explicit_bzero(text->p, text->n);
	free(text->p);
	*text = (struct session_text){0};
}

uint64_t session_now(const struct sip_sessions *layer)
{
	return timers_now(layer->config.timers);
}

/* ---- life -------------------------------------------------------------------------------- */

struct session *session_find(const struct sip_sessions *layer, uint64_t id)
{
	struct session *s = pool_get(&layer->pool, id);

	return s && s->state != SIP_SESSION_DONE ? s : NULL;
}

void session_drop(struct session *s)
{
	struct sip_sessions *layer = s->layer;

	timers_cancel(layer->config.timers, &s->tell);
	timers_cancel(layer->config.timers, &s->retry);
	timers_cancel(layer->config.timers, &s->refresh);
	timers_cancel(layer->config.timers, &s->refer.expiry);
	map_remove(&layer->dialogs, s->local_tag, strlen(s->local_tag));
	sip_dialog_clear(&s->dialog);
	session_out_free(s);
	session_text_clear(&s->request);
	session_text_clear(&s->auth[0]);
	session_text_clear(&s->auth[1]);
	session_text_clear(&s->peer_sdp);
	session_text_clear(&s->our_sdp);
	session_text_clear(&s->end_reason);
	session_text_clear(&s->bye_text);
	sdes_keys_free(s->origin.keys);
	explicit_bzero(&s->stream, sizeof(s->stream));
	pool_free(&layer->pool, s);
	layer->stats.live = pool_used(&layer->pool);
}

static void on_tell(void *ctx, uint64_t now_ns)
{
	struct session *s = ctx;
	struct sip_sessions *layer = s->layer;
	const struct sip_session_events *events = layer->config.events;

	s->end.reason = session_text_str(&s->end_reason);
	if (s->outgoing && !s->was_answered) {
		layer->stats.failed++;
		events->failed(layer->config.ctx, s->id, &s->end, now_ns);
	} else {
		layer->stats.ended++;
		events->ended(layer->config.ctx, s->id, &s->end, now_ns);
	}
	session_drop(s);
}

static void on_retry(void *ctx, uint64_t now_ns)
{
	struct session *s = ctx;

	if (s->state == SIP_SESSION_CALLING)
		session_out_failover(s);
	else if (s->state == SIP_SESSION_PROCEEDING)
		session_out_silent(s);
	if (s->state != SIP_SESSION_ESTABLISHED || s->exchange != EXCHANGE_WAITING)
		return;
	if (s->server)
		session_wait_for_ack(s);
	else if (session_send_reinvite(s) < 0)
		session_reoffer_over(s, 500, now_ns);
}

static void on_keys(void *ctx, uint64_t now_ns)
{
	session_keys_step(ctx, now_ns);
}

static void on_refresh(void *ctx, uint64_t now_ns)
{
	session_timer_fired(ctx, now_ns);
}

struct session *session_make(struct sip_sessions *layer)
{
	uint64_t id;
	struct session *s = pool_alloc(&layer->pool, &id);

	if (!s) {
		layer->stats.refused++;
		return NULL;
	}
	s->id = id;
	s->layer = layer;
	s->origin.id = ++layer->serial;
	timer_init(&s->tell, on_tell, s);
	timer_init(&s->retry, on_retry, s);
	timer_init(&s->refresh, on_refresh, s);
	session_refer_init(s);
	sip_tag_make(layer->config.random, s->local_tag);
	if (map_put(&layer->dialogs, s->local_tag, strlen(s->local_tag), s) < 0) {
		pool_free(&layer->pool, s);
		return NULL;
	}
	layer->stats.live = pool_used(&layer->pool);
	return s;
}

void session_set_end(struct session *s, unsigned status, bool by_peer, struct str reason)
{
	if (s->end_reason.n || s->end.status || s->end.by_peer)
		return;
	s->end.status = (uint16_t)status;
	s->end.by_peer = by_peer;
	if (str_empty(reason) && status)
		reason = str_from(sip_status_reason(status));
	session_text_keep(&s->end_reason, reason, SESSION_END_REASON_MAX);
}

void session_read_reason(struct session *s, const struct sip_message *message)
{
	struct sip_reason reason;
	char text[SESSION_END_REASON_MAX];

	for (unsigned i = 0; i < 4 && sip_message_reason(message, i, &reason) == 0; i++) {
		size_t n;

		if (str_equal_nocase(reason.protocol, STR("Q.850")) && reason.cause > 0)
			s->end.q850 = (int16_t)(reason.cause & 127);
		if (str_empty(reason.text) || s->end_reason.n)
			continue;
		if (sip_unquote(reason.text, text, sizeof(text), &n) == 0)
			session_text_keep(&s->end_reason, str_make(text, n), sizeof(text));
	}
}

void session_finish(struct session *s)
{
	struct timers *timers = s->layer->config.timers;

	if (s->state == SIP_SESSION_DONE)
		return;
	session_set_state(s, SIP_SESSION_DONE);
	timers_cancel(timers, &s->retry);
	timers_cancel(timers, &s->refresh);
	session_refer_end(s);
	timers_set_in(timers, &s->tell, 0);
}

/* ---- pieces of messages ------------------------------------------------------------------ */

int session_contact(struct sip_sessions *layer, struct sip_builder *b, const struct sip_hop *hop)
{
	const char *transport = hop->transport == SIP_TRANSPORT_TCP ? ";transport=tcp" : "";
	struct sip_local local;
	int rc = layer->config.wire->local(layer->config.wire->ctx, hop, &local);

	if (rc < 0)
		return rc;
	sip_build_format(b, SIP_HEADER_CONTACT, "<sip:%s@%s:%u%s>", layer->config.user, local.host,
		local.port, transport);
	return 0;
}

void session_common_headers(struct sip_sessions *layer, struct sip_builder *b, bool request)
{
	sip_build_value(b, SIP_HEADER_ALLOW, STR(SIP_ALLOW));
	sip_build_value(b, SIP_HEADER_SUPPORTED, STR(SIP_SUPPORTED));
	if (layer->config.product[0])
		sip_build_value(b, request ? SIP_HEADER_USER_AGENT : SIP_HEADER_SERVER,
			str_from(layer->config.product));
}

int session_reply(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, struct str to_tag,
	const struct session_reply *reply)
{
	struct sip_builder b = sip_build(layer->scratch, SESSION_SCRATCH);
	char received[ADDRESS_TEXT_SIZE];
	int n;

	address_format_host(&source->remote, received);
	sip_build_response(&b, request,
		&(struct sip_response){
			.status = (uint16_t)reply->status,
			.reason = reply->reason,
			.to_tag = reply->status > 100 ? to_tag : STR_NULL,
			.received = str_from(received),
			.rport = address_port(&source->remote),
		});
	if (reply->contact)
		session_contact(layer, &b, source);
	if (reply->status > 100 &&
		(reply->status < 300 || reply->status == 405 || reply->status == 501))
		session_common_headers(layer, &b, false);
	if (reply->retry_after_s)
		sip_build_format(&b, SIP_HEADER_RETRY_AFTER, "%u", reply->retry_after_s);
	if (reply->lines)
		sip_build_lines(&b, str_from(reply->lines));
	n = sip_build_finish(&b, STR("application/sdp"), reply->body);
	if (n < 0) {
		/* No room beside what the request makes us repeat: silence, not a record for good. */
		if (reply->status >= 200)
			sip_server_abandon(layer->config.transactions, transaction);
		return n;
	}
	return sip_server_respond(layer->config.transactions, transaction, reply->status,
		str_make(layer->scratch, (size_t)n));
}

struct sip_hop session_next_hop(const struct session *s)
{
	struct sip_hop hop;

	if (s->symmetric || sip_hop_of_uri(sip_dialog_next_uri(&s->dialog), &s->hop, &hop) < 0)
		return s->hop;
	return hop;
}

/* ---- dispatch ---------------------------------------------------------------------------- */

struct session *session_of_dialog(const struct sip_sessions *layer, struct str call_id,
	struct str local_tag, struct str remote_tag)
{
	struct session *s = map_get_str(&layer->dialogs, local_tag);

	if (!s || s->state == SIP_SESSION_DONE ||
		!sip_dialog_is(&s->dialog, call_id, local_tag, remote_tag))
		return NULL;
	return s;
}

static struct session *of_dialog(
	const struct sip_sessions *layer, const struct sip_message *request)
{
	return session_of_dialog(layer, request->call_id, request->to_tag, request->from_tag);
}

bool sip_sessions_know(const struct sip_sessions *layer, const struct sip_message *request)
{
	return of_dialog(layer, request) != NULL;
}

void sip_sessions_request(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns)
{
	struct session *s = of_dialog(layer, request);
	struct session_reply reply = {.status = 481};

	if (s && sip_dialog_take_cseq(&s->dialog, request) == SIP_DIALOG_IN_ORDER) {
		session_dialog_request(s, transaction, request, source, now_ns);
		return;
	}
	if (s)
		reply = (struct session_reply){.status = 500, .reason = STR("CSeq Out Of Order")};
	session_reply(layer, transaction, request, source, STR_NULL, &reply);
}

/* ---- small calls ------------------------------------------------------------------------- */

int sip_session_set_tag(struct sip_sessions *layer, uint64_t id, uint64_t tag)
{
	struct session *s = pool_get(&layer->pool, id);

	if (!s)
		return -ESRCH;
	s->tag = tag;
	return 0;
}

uint64_t sip_session_tag(const struct sip_sessions *layer, uint64_t id)
{
	const struct session *s = pool_get(&layer->pool, id);

	return s ? s->tag : 0;
}

enum sip_session_state sip_session_state(const struct sip_sessions *layer, uint64_t id)
{
	const struct session *s = pool_get(&layer->pool, id);

	return s ? (enum sip_session_state)s->state : SIP_SESSION_DONE;
}

enum cord_family sip_session_family(struct sip_sessions *layer, uint64_t id)
{
	const struct session *s = pool_get(&layer->pool, id);
	enum cord_family family = CORD_FAMILY_NONE;
	const char *problem;

	if (!s)
		return CORD_FAMILY_NONE;
	if (s->peer_sdp.n &&
		sdp_parse(layer->previous, session_text_str(&s->peer_sdp), &problem) == 0)
		family = sdp_audio_family(layer->previous);
	return family != CORD_FAMILY_NONE ? family : sip_hop_family(&s->hop);
}

struct str sip_session_call_id(const struct sip_sessions *layer, uint64_t id)
{
	const struct session *s = pool_get(&layer->pool, id);

	if (!s)
		return STR_NULL;
	if (s->dialog.text)
		return sip_dialog_text(&s->dialog, SIP_DIALOG_CALL_ID);
	return s->out ? session_text_str(&s->out->call_id) : STR_NULL;
}

int sip_session_hangup(struct sip_sessions *layer, uint64_t id, unsigned q850, struct str text)
{
	struct session *s = session_find(layer, id);

	if (!s)
		return -ESRCH;
	s->bye_q850 = (uint16_t)q850;
	session_text_keep(&s->bye_text, text, SESSION_BYE_TEXT_MAX);
	switch ((enum sip_session_state)s->state) {
	case SIP_SESSION_INCOMING:
	case SIP_SESSION_RINGING:
	case SIP_SESSION_EARLY:
		return sip_session_reject(layer, id, 480, STR_NULL, 0);
	case SIP_SESSION_ANSWERED:
		s->hangup_wanted = true;
		return 0;
	case SIP_SESSION_CALLING:
	case SIP_SESSION_PROCEEDING:
		session_set_state(s, SIP_SESSION_CANCELLING);
		timers_cancel(layer->config.timers, &s->retry);
		session_set_end(s, 487, false, STR_NULL);
		sip_client_cancel(layer->config.transactions, s->client);
		return 0;
	case SIP_SESSION_ESTABLISHED:
		session_set_end(s, 0, false, text);
		session_send_bye(s);
		return 0;
	case SIP_SESSION_CANCELLING:
	case SIP_SESSION_ENDING:
	case SIP_SESSION_DONE:
	case SIP_SESSION_STATES:
		break;
	}
	return 0;
}

/* ---- layer ------------------------------------------------------------------------------- */

static void set_defaults(struct sip_sessions_config *config)
{
	struct sip_timing *timing = &config->timing;

	config->max = config->max ? config->max : SIP_SESSIONS_MAX;
	config->expires_s = config->expires_s ? config->expires_s : SIP_SESSION_EXPIRES_S;
	config->min_se_s = config->min_se_s ? config->min_se_s : SIP_SESSION_MIN_SE_S;
	config->failover_ns = config->failover_ns ? config->failover_ns : SIP_FAILOVER_NS;
	timing->t1_ns = timing->t1_ns ? timing->t1_ns : SIP_T1_NS;
	if (!config->user[0])
		str_copy(STR("cordboard"), config->user, sizeof(config->user));
}

int sip_sessions_new(const struct sip_sessions_config *config, struct sip_sessions **out)
{
	struct sip_sessions *layer = calloc(1, sizeof(*layer));
	uint8_t seed[SIPHASH_KEY_SIZE];

	if (!layer)
		return -ENOMEM;
	layer->config = *config;
	set_defaults(&layer->config);
	random_bytes(config->random, seed, sizeof(seed));
	map_init(&layer->dialogs, seed, 0);
	layer->serial = random_u32(config->random);
	timer_init(&layer->keys, on_keys, layer);
	layer->scratch = malloc(SESSION_SCRATCH);
	layer->sdp_text = malloc(SDP_BYTES_MAX);
	layer->sdp = malloc(sizeof(*layer->sdp));
	layer->previous = malloc(sizeof(*layer->previous));
	if (!layer->scratch || !layer->sdp_text || !layer->sdp || !layer->previous ||
		pool_init(&layer->pool, sizeof(struct session), layer->config.max) < 0)
		goto fail;
	*out = layer;
	return 0;
fail:
	free(layer->previous);
	free(layer->sdp);
	free(layer->sdp_text);
	free(layer->scratch);
	free(layer);
	return -ENOMEM;
}

void sip_sessions_free(struct sip_sessions *layer)
{
	struct session *s;

	if (!layer)
		return;
	timers_cancel(layer->config.timers, &layer->keys);
	for (s = pool_next(&layer->pool, NULL); s; s = pool_next(&layer->pool, s))
		session_drop(s);
	map_clear(&layer->dialogs);
	pool_clear(&layer->pool);
	free(layer->previous);
	free(layer->sdp);
	free(layer->sdp_text);
	free(layer->scratch);
	free(layer);
}

const struct sip_session_stats *sip_sessions_stats(const struct sip_sessions *layer)
{
	return &layer->stats;
}
