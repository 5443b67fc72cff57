/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "sip/session_private.h"

int session_read_sdp(struct sip_sessions *layer, const struct sip_message *message)
{
	const char *problem = NULL;
	int rc = sip_message_part(message, "application", "sdp", &layer->sdp_body);

	if (rc < 0)
		return rc;
	return sdp_parse(layer->sdp, layer->sdp_body, &problem) < 0 ? -EBADMSG : 0;
}

/* What a new description must go on with; early media bind nobody yet. */
static const struct sdp_stream *agreed_of(const struct session *s)
{
	return s->was_answered && s->has_stream ? &s->stream : NULL;
}

/* A description is to be made from `local`: the buffer for it, and keys where it takes some. */
static int begin(struct session *s, const struct sdp_local *local, struct strbuf *out)
{
	if (local->srtp != SDP_SRTP_OFF && !s->origin.keys) {
		s->origin.keys = sdes_keys_new(s->layer->config.random);
		if (!s->origin.keys)
			return -ENOMEM;
	}
	strbuf_init(out, s->layer->sdp_text, SDP_BYTES_MAX);
	return 0;
}

int session_make_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream)
{
	struct strbuf out;
	int rc = begin(s, local, &out);

	if (rc == 0)
		rc = sdp_answer(s->layer->sdp, local, agreed_of(s), &s->origin, &out, stream);
	if (rc < 0)
		return rc;
	rc = session_text_set(&s->our_sdp, strbuf_str(&out));
	return rc < 0 ? rc : session_text_set(&s->peer_sdp, peer);
}

int session_make_offer(struct session *s, const struct sdp_local *local)
{
	struct sip_sessions *layer = s->layer;
	const struct sdp *previous = NULL;
	const char *problem;
	struct strbuf out;
	int rc = begin(s, local, &out);

	if (rc < 0)
		return rc;
	if (s->peer_sdp.n &&
		sdp_parse(layer->previous, session_text_str(&s->peer_sdp), &problem) == 0)
		previous = layer->previous;
	rc = sdp_offer(local, previous, agreed_of(s), &s->origin, &out);
	return rc < 0 ? rc : session_text_set(&s->our_sdp, strbuf_str(&out));
}

int session_take_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream)
{
	int rc = sdp_take_answer(s->layer->sdp, local, agreed_of(s), &s->origin, stream);

	if (rc < 0)
		return rc;
	/* Who is not offered to be sent anything cannot say that it would listen. */
	if (!(local->direction & CORD_MAY_SEND))
		stream->held_by_peer = s->stream.held_by_peer;
	return session_text_set(&s->peer_sdp, peer);
}

static bool same_opus(const struct opus_fmtp *a, const struct opus_fmtp *b)
{
	return a->rate == b->rate && a->bitrate == b->bitrate && a->fec == b->fec &&
	       a->dtx == b->dtx && a->cbr == b->cbr;
}

static bool same_keys(const struct sdp_stream *a, const struct sdp_stream *b)
{
	return a->crypto_tag == b->crypto_tag &&
	       memcmp(&a->send_key, &b->send_key, sizeof(a->send_key)) == 0 &&
	       memcmp(&a->receive_key, &b->receive_key, sizeof(a->receive_key)) == 0;
}

static bool same_types(const struct sdp_stream *a, const struct sdp_stream *b)
{
	return a->payload_type == b->payload_type &&
	       a->receive_payload_type == b->receive_payload_type &&
	       a->event_payload_type == b->event_payload_type &&
	       a->receive_event_payload_type == b->receive_event_payload_type &&
	       a->noise_payload_type == b->noise_payload_type &&
	       a->receive_noise_payload_type == b->receive_noise_payload_type;
}

static bool same_stream(const struct sdp_stream *a, const struct sdp_stream *b)
{
	return cord_address_equal(&a->remote, &b->remote) &&
	       a->remote_rtcp_port == b->remote_rtcp_port && a->rtcp_mux == b->rtcp_mux &&
	       a->codec == b->codec && same_types(a, b) && a->direction == b->direction &&
	       a->media_index == b->media_index && a->held_by_peer == b->held_by_peer &&
	       a->ptime_ms == b->ptime_ms && a->event_clock == b->event_clock &&
	       same_opus(&a->opus, &b->opus) && same_keys(a, b);
}

bool session_set_stream(struct session *s, const struct sdp_stream *stream)
{
	bool changed = !s->has_stream || !same_stream(&s->stream, stream);

	s->stream = *stream;
	s->has_stream = true;
	return changed;
}
