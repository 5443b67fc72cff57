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

int session_make_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream)
{
	struct sip_sessions *layer = s->layer;
	size_t n;
	int rc;

	rc = sdp_answer(layer->sdp, local, &s->origin, layer->sdp_text, SDP_BYTES_MAX, &n, stream);
	if (rc < 0)
		return rc;
	rc = session_text_set(&s->our_sdp, str_make(layer->sdp_text, n));
	return rc < 0 ? rc : session_text_set(&s->peer_sdp, peer);
}

int session_make_offer(struct session *s, const struct sdp_local *local)
{
	struct sip_sessions *layer = s->layer;
	const struct sdp *previous = NULL;
	const char *problem;
	size_t n;
	int rc;

	if (s->peer_sdp.n &&
		sdp_parse(layer->previous, session_text_str(&s->peer_sdp), &problem) == 0)
		previous = layer->previous;
	rc = sdp_offer(local, previous, s->stream.media_index, &s->origin, layer->sdp_text,
		SDP_BYTES_MAX, &n);
	return rc < 0 ? rc : session_text_set(&s->our_sdp, str_make(layer->sdp_text, n));
}

int session_take_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream)
{
	int rc = sdp_take_answer(s->layer->sdp, local, s->stream.media_index, stream);

	if (rc < 0)
		return rc;
	/* Who is not offered to be sent anything cannot say that it would listen. */
	if (!(local->direction & CORD_MAY_SEND))
		stream->held_by_peer = s->stream.held_by_peer;
	return session_text_set(&s->peer_sdp, peer);
}

static bool same_stream(const struct sdp_stream *a, const struct sdp_stream *b)
{
	return cord_address_equal(&a->remote, &b->remote) &&
	       a->remote_rtcp_port == b->remote_rtcp_port && a->codec == b->codec &&
	       a->payload_type == b->payload_type &&
	       a->receive_payload_type == b->receive_payload_type &&
	       a->event_payload_type == b->event_payload_type &&
	       a->receive_event_payload_type == b->receive_event_payload_type &&
	       a->direction == b->direction && a->media_index == b->media_index &&
	       a->held_by_peer == b->held_by_peer && a->ptime_ms == b->ptime_ms &&
	       a->event_clock == b->event_clock;
}

bool session_set_stream(struct session *s, const struct sdp_stream *stream)
{
	bool changed = !s->has_stream || !same_stream(&s->stream, stream);

	s->stream = *stream;
	s->has_stream = true;
	return changed;
}
