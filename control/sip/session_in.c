/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/session_private.h"

/* A response to the initial INVITE, which is parsed again: it waited for the user. */
int session_reply_invite(struct session *s, const struct session_reply *reply)
{
	struct sip_message request;
	struct sip_outcome outcome;

	if (sip_message_parse(&request, s->request.p, s->request.n, SIP_DATAGRAM, &outcome) !=
		SIP_ACCEPT)
		return -EINVAL;
	return session_reply(s->layer, s->server, &request, &s->hop, str_from(s->local_tag), reply);
}

/* ---- arrival ----------------------------------------------------------------------------- */

static void refuse(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, unsigned status,
	const char *reason, const char *lines)
{
	char tag[SIP_TAG_SIZE];

	sip_tag_make(layer->config.random, tag);
	session_reply(layer, transaction, request, source, str_from(tag),
		&(struct session_reply){
			.status = status, .reason = str_from(reason), .lines = lines});
}

/* Of a peer that may refer: what to refuse an INVITE with that Replaces a dialog; 0: it has none. */
static unsigned replaces_obstacle(
	const struct sip_sessions *layer, const struct sip_message *request)
{
	const struct sip_header *header = sip_message_header(request, SIP_HEADER_REPLACES);
	struct sip_replaces replaces;

	if (!header)
		return 0;
	if (sip_replaces_parse(&replaces, header->value) < 0)
		return 400;
	return session_of_dialog(layer, replaces.call_id, replaces.to_tag, replaces.from_tag) ? 501
											      : 481;
}

/* False when the INVITE was refused for what it says. */
static bool acceptable(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source,
	const struct sip_peer *peer, bool *has_offer)
{
	char lines[64];
	int rc = session_read_sdp(layer, request);
	unsigned obstacle = peer->may_refer ? replaces_obstacle(layer, request) : 0;

	*has_offer = rc == 0;
	if (obstacle) {
		refuse(layer, transaction, request, source, obstacle,
			obstacle == 400 ? "Bad Replaces" : NULL, NULL);
		return false;
	}
	if (rc == -EMEDIUMTYPE) {
		refuse(layer, transaction, request, source, 415, NULL,
			"Accept: application/sdp\r\n");
		return false;
	}
	if (rc == -EBADMSG) {
		refuse(layer, transaction, request, source, 400, "Bad Session Description", NULL);
		return false;
	}
	if (session_timer_check(layer, request) < 0) {
		snprintf(lines, sizeof(lines), "Min-SE: %u\r\n", layer->config.min_se_s);
		refuse(layer, transaction, request, source, 422, NULL, lines);
		return false;
	}
	return true;
}

static void find_asserted(const struct sip_message *request, struct sip_address *asserted)
{
	struct sip_address address;

	*asserted = (struct sip_address){0};
	for (unsigned i = 0; i < 4; i++) {
		int rc = sip_message_address(request, SIP_HEADER_P_ASSERTED_IDENTITY, i, &address);

		if (rc == -ENOENT)
			return;
		if (rc == 0 && address.uri.scheme != SIP_SCHEME_OTHER) {
			*asserted = address;
			return;
		}
	}
}

static struct session *take(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source,
	const struct sip_peer *peer, int *error)
{
	struct session *s = session_make(layer);

	*error = -ENOBUFS;
	if (!s)
		return NULL;
	s->hop = *source;
	s->symmetric = peer->symmetric;
	if (peer->may_refer)
		memcpy(s->referrer, peer->name, sizeof(s->referrer));
	s->server = transaction;
	s->server_cseq = request->cseq.number;
	*error = sip_dialog_of_request(
		&s->dialog, request, str_from(s->local_tag), SIP_DIALOG_EARLY);
	if (*error == 0)
		*error = session_text_set(&s->request, request->raw);
	if (*error < 0) {
		session_drop(s);
		return NULL;
	}
	return s;
}

void sip_sessions_invite(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source,
	const struct sip_peer *peer, uint64_t now_ns)
{
	struct sip_incoming call = {.peer = *peer, .source = *source, .message = request};
	struct session *s;
	bool has_offer;
	int error;

	if (!acceptable(layer, transaction, request, source, peer, &has_offer))
		return;
	s = take(layer, transaction, request, source, peer, &error);
	if (!s) {
		if (error == -EBADMSG)
			refuse(layer, transaction, request, source, 400, "Bad Contact", NULL);
		else
			refuse(layer, transaction, request, source, 503, NULL,
				"Retry-After: 5\r\n");
		return;
	}
	if (has_offer && session_text_set(&s->peer_sdp, layer->sdp_body) < 0) {
		refuse(layer, transaction, request, source, 500, NULL, NULL);
		session_drop(s);
		return;
	}
	layer->stats.incoming++;
	sip_server_set_tag(layer->config.transactions, transaction, s->id);
	find_asserted(request, &call.asserted);
	call.offer = has_offer ? layer->sdp : NULL;
	layer->config.events->incoming(layer->config.ctx, s->id, &call, now_ns);
}

/* ---- what the user decides --------------------------------------------------------------- */

static bool is_open(const struct session *s)
{
	return s->state == SIP_SESSION_INCOMING || s->state == SIP_SESSION_RINGING ||
	       s->state == SIP_SESSION_EARLY;
}

int sip_session_ring(struct sip_sessions *layer, uint64_t id)
{
	struct session *s = session_find(layer, id);
	int rc;

	if (!s)
		return -ESRCH;
	if (s->state != SIP_SESSION_INCOMING && s->state != SIP_SESSION_RINGING)
		return -EINVAL;
	rc = session_reply_invite(s, &(struct session_reply){.status = 180, .contact = true});
	if (rc == 0)
		session_set_state(s, SIP_SESSION_RINGING);
	return rc;
}

/* Our answer to the offer of the initial INVITE. */
static int answer_offer(struct session *s, const struct sdp_local *local)
{
	struct sdp_stream stream = {0};
	struct session_text peer = {0};
	const char *problem;
	int rc;

	rc = session_text_set(&peer, session_text_str(&s->peer_sdp));
	if (rc < 0)
		return rc;
	rc = sdp_parse(s->layer->sdp, session_text_str(&peer), &problem);
	if (rc == 0)
		rc = session_make_answer(s, session_text_str(&peer), local, &stream);
	session_text_clear(&peer);
	if (rc < 0)
		return rc;
	s->local = *local;
	session_set_stream(s, &stream);
	return 0;
}

int sip_session_early_media(struct sip_sessions *layer, uint64_t id, const struct sdp_local *local,
	struct sdp_stream *agreed)
{
	struct session *s = session_find(layer, id);
	int rc;

	if (!s)
		return -ESRCH;
	if (s->state != SIP_SESSION_INCOMING && s->state != SIP_SESSION_RINGING)
		return -EINVAL;
	if (!s->peer_sdp.n)
		return -ENODATA;
	rc = answer_offer(s, local);
	if (rc < 0)
		return rc;
	rc = session_reply_invite(
		s, &(struct session_reply){
			   .status = 183, .contact = true, .body = session_text_str(&s->our_sdp)});
	if (rc < 0)
		return rc;
	session_set_state(s, SIP_SESSION_EARLY);
	*agreed = s->stream;
	return 0;
}

static int answer_media(struct session *s, const struct sdp_local *local)
{
	int rc;

	if (s->state == SIP_SESSION_EARLY)
		return 0;
	if (!local)
		return -EINVAL;
	if (s->peer_sdp.n)
		return answer_offer(s, local);
	rc = session_make_offer(s, local);
	if (rc < 0)
		return rc;
	s->local = *local;
	s->offer_in_200 = true;
	return 0;
}

int sip_session_answer(struct sip_sessions *layer, uint64_t id, const struct sdp_local *local,
	struct sdp_stream *agreed)
{
	struct session *s = session_find(layer, id);
	char lines[SESSION_LINES];
	struct sip_message request;
	struct sip_outcome outcome;
	int rc;

	if (!s)
		return -ESRCH;
	if (!is_open(s))
		return -EINVAL;
	rc = answer_media(s, local);
	if (rc < 0)
		return rc;
	if (sip_message_parse(&request, s->request.p, s->request.n, SIP_DATAGRAM, &outcome) !=
		SIP_ACCEPT)
		return -EINVAL;
	session_timer_answer(s, &request, lines);
	rc = session_reply(layer, s->server, &request, &s->hop, str_from(s->local_tag),
		&(struct session_reply){.status = 200,
			.contact = true,
			.lines = lines,
			.body = session_text_str(&s->our_sdp)});
	/* Sent once without being kept for repetition: the caller repeats its INVITE or gives up.
	 */
	if (rc < 0 && rc != -ENOBUFS && rc != -ENOMEM)
		return rc;
	s->dialog.state = SIP_DIALOG_CONFIRMED;
	session_set_state(s, SIP_SESSION_ANSWERED);
	session_text_clear(&s->request);
	session_text_clear(&s->our_sdp);
	if (agreed)
		*agreed = s->has_stream ? s->stream : (struct sdp_stream){0};
	return 0;
}

int sip_session_reject(struct sip_sessions *layer, uint64_t id, unsigned status, struct str reason,
	uint32_t retry_after_s)
{
	struct session *s = session_find(layer, id);

	if (!s)
		return -ESRCH;
	if (!is_open(s) || status < 300 || status > 699)
		return -EINVAL;
	session_reply_invite(
		s, &(struct session_reply){
			   .status = status, .reason = reason, .retry_after_s = retry_after_s});
	session_set_end(s, status, false, reason);
	session_finish(s);
	return 0;
}

/* ---- what the peer does ------------------------------------------------------------------ */

void sip_sessions_cancel(struct sip_sessions *layer, uint64_t transaction, uint64_t invite,
	uint64_t tag, const struct sip_message *cancel, const struct sip_hop *source,
	uint64_t now_ns)
{
	struct session *s = session_find(layer, tag);
	bool known = invite != 0;

	session_reply(layer, transaction, cancel, source, s ? str_from(s->local_tag) : STR_NULL,
		&(struct session_reply){.status = known ? 200 : 481});
	if (!s || s->server != invite || !is_open(s))
		return;
	session_read_reason(s, cancel);
	session_reply_invite(s, &(struct session_reply){.status = 487});
	s->end.cancelled = true;
	s->end.by_peer = true;
	s->end.status = 487;
	session_finish(s);
}

void sip_sessions_unacknowledged(
	struct sip_sessions *layer, uint64_t tag, uint64_t transaction, uint64_t now_ns)
{
	struct session *s = session_find(layer, tag);

	if (!s || s->server != transaction || s->state == SIP_SESSION_ENDING)
		return;
	layer->stats.unacknowledged++;
	s->end.timed_out = true;
	session_set_end(s, 408, false, STR("no ACK"));
	session_send_bye(s);
}

/* The answer to our offer, in an ACK. */
static int take_ack_answer(struct session *s, const struct sip_message *ack, bool *changed)
{
	struct sdp_stream stream = {0};
	int rc;

	*changed = false;
	if (!s->offer_in_200)
		return 0;
	rc = session_read_sdp(s->layer, ack);
	if (rc == 0)
		rc = session_take_answer(s, s->layer->sdp_body, &s->local, &stream);
	if (rc < 0)
		return rc;
	*changed = session_set_stream(s, &stream);
	return 0;
}

void sip_sessions_ack(struct sip_sessions *layer, const struct sip_message *ack,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct session *s = map_get_str(&layer->dialogs, ack->to_tag);
	const struct sip_session_events *events = layer->config.events;
	bool changed;
	int rc;

	if (!s || !s->server || ack->cseq.number != s->server_cseq ||
		!sip_dialog_has_request(&s->dialog, ack) ||
		sip_server_is_open(layer->config.transactions, s->server))
		return;
	sip_server_acknowledged(layer->config.transactions, s->server);
	s->server = 0;
	if (s->state != SIP_SESSION_ANSWERED && s->state != SIP_SESSION_ESTABLISHED)
		return;
	rc = take_ack_answer(s, ack, &changed);
	s->offer_in_200 = false;
	if (rc < 0) {
		session_set_end(s, 488, false, STR("no usable answer in the ACK"));
		session_send_bye(s);
		return;
	}
	session_timer_start(s);
	if (s->state == SIP_SESSION_ESTABLISHED) {
		if (changed)
			events->media(layer->config.ctx, s->id, &s->stream, now_ns);
		return;
	}
	session_set_state(s, SIP_SESSION_ESTABLISHED);
	s->was_answered = true;
	layer->stats.answered++;
	if (s->hangup_wanted) {
		session_set_end(s, 0, false, session_text_str(&s->bye_text));
		session_send_bye(s);
		return;
	}
	events->answered(layer->config.ctx, s->id, &s->stream, now_ns);
}
