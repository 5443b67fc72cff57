/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP over libsrtp2, packet by packet. Indices and windows are the library's; that it may be told
 * of no more than SRTP_STREAMS_MAX streams of a peer is ours, since it keeps each for ever.
 */
#include "rtp.h"
#include "srtp_backend.h"
#include "srtp_stream.h"

#include <errno.h>
#include <srtp2/crypto_types.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct session {
	srtp_t srtp[SRTP_DIRECTIONS];
	uint32_t streams; /* received; their SSRCs */
	uint32_t ssrc[SRTP_STREAMS_MAX];
	uint32_t rtp;                     /* bit n: of that one RTP has come, not RTCP alone */
	struct srtp_reached last, before; /* under this key; under the one before */
};
_Static_assert(SRTP_STREAMS_MAX <= 32, "a bit for each stream");

/* ---- start and end -------------------------------------------------------------------------- */

static int create(struct srtp_keys *s)
{
	static bool begun;

	/* Once for the process, and until its end. */
	if (!begun && srtp_init() != srtp_err_status_ok)
		return -ENOTSUP;
	begun = true;
	s->own = srtp_memory_take(s->slots * sizeof(struct session));
	return s->own ? 0 : -ENOMEM;
}

static void session_end(srtp_t *srtp)
{
	if (*srtp)
		srtp_dealloc(*srtp);
	*srtp = NULL;
}

static void destroy(struct srtp_keys *s)
{
	struct session *session = s->own;

	for (uint32_t slot = 0; slot < s->slots; slot++) {
		for (uint32_t d = 0; d < SRTP_DIRECTIONS; d++)
			session_end(&session[slot].srtp[d]);
	}
	srtp_memory_give(session, s->slots * sizeof(*session));
}

static int engine_create(struct srtp_engine *e)
{
	e->own = NULL;
	return 0;
}

static void engine_destroy(struct srtp_engine *e)
{
	(void)e;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static srtp_crypto_policy_t crypto_policy(const struct cord_srtp_parts *parts, uint32_t tag_bytes)
{
	bool long_key = parts->key_bytes == 32;
	srtp_crypto_policy_t policy = {
		.cipher_type = long_key ? SRTP_AES_ICM_256 : SRTP_AES_ICM_128,
		.cipher_key_len = parts->key_bytes + parts->salt_bytes,
		.auth_type = SRTP_HMAC_SHA1,
		.auth_key_len = SRTP_SHA1_BYTES,
		.auth_tag_len = (int)tag_bytes,
		.sec_serv = sec_serv_conf_and_auth,
	};

	if (parts->aead) {
		policy.cipher_type = long_key ? SRTP_AES_GCM_256 : SRTP_AES_GCM_128;
		policy.auth_type = SRTP_NULL_AUTH;
		policy.auth_key_len = 0;
	}
	return policy;
}

static srtp_policy_t policy_of(struct cord_srtp_key *key, srtp_ssrc_type_t type, uint32_t ssrc)
{
	const struct cord_srtp_parts *parts = cord_srtp_parts(key->suite);
	srtp_policy_t policy = {.window_size = SRTP_WINDOW, .key = key->key};

	policy.rtp = crypto_policy(parts, parts->tag_bytes);
	policy.rtcp = crypto_policy(parts, parts->rtcp_tag_bytes);
	policy.ssrc.type = type;
	policy.ssrc.value = ssrc;
	return policy;
}

static int set(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction,
	const struct cord_srtp_key *key, uint32_t ssrc)
{
	struct session *session = e->keys->own;
	struct cord_srtp_key copy = *key;
	const srtp_policy_t policy =
		policy_of(&copy, direction == SRTP_SEND ? ssrc_specific : ssrc_any_inbound, ssrc);
	srtp_err_status_t status = srtp_create(&session[slot].srtp[direction], &policy);

	explicit_bzero(&copy, sizeof(copy));
	return status == srtp_err_status_ok ? 0 : -ENOMEM;
}

static void clear(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction)
{
	struct session *session = (struct session *)e->keys->own + slot;

	session_end(&session->srtp[direction]);
	if (direction != SRTP_RECEIVE)
		return;
	session->streams = session->rtp = 0;
	session->last = session->before = (struct srtp_reached){0};
}

/*
 * The library is told of the stream that may go on, so that its counter can be set: once, since it
 * derives keys for it, and packets that anybody may have made up are tried with that counter.
 */
static void inherit(struct srtp_engine *e, uint32_t slot, uint32_t before)
{
	struct session *session = e->keys->own;
	const struct session *from = &session[before];
	const struct srtp_reached reached = from->rtp ? from->last : from->before;

	if (reached.highest == 0)
		return;
	const srtp_policy_t policy =
		policy_of(&e->keys->master[SRTP_RECEIVE][slot], ssrc_specific, reached.ssrc);

	if (srtp_add_stream(session[slot].srtp[SRTP_RECEIVE], &policy) == srtp_err_status_ok)
		session[slot].before = reached;
}

/* ---- packets -------------------------------------------------------------------------------- */

static enum srtp_verdict verdict(srtp_err_status_t status)
{
	switch (status) {
	case srtp_err_status_ok:
		return SRTP_GOOD;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return SRTP_REPLAYED;
	case srtp_err_status_key_expired:
		return SRTP_SPENT;
	default:
		return SRTP_FORGED;
	}
}

static void protect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	const struct session *session = e->keys->own;

	for (uint32_t i = 0; i < n; i++) {
		struct srtp_packet *p = &packet[i];
		srtp_t srtp = session[p->slot].srtp[SRTP_SEND];
		int bytes = p->bytes;

		p->verdict = SRTP_SPENT;
		if (srtp == NULL)
			continue;
		p->verdict = (uint8_t)verdict(p->rtcp ? srtp_protect_rtcp(srtp, p->data, &bytes)
						      : srtp_protect(srtp, p->data, &bytes));
		if (p->verdict == SRTP_GOOD)
			p->bytes = (uint16_t)bytes;
	}
}

/* Place of a stream; s->streams: it has not come yet. */
static uint32_t stream_find(const struct session *s, uint32_t ssrc)
{
	uint32_t i = 0;

	while (i < s->streams && s->ssrc[i] != ssrc)
		i++;
	return i;
}

/* Notes an authenticated packet of the stream at a place, which is one from here on. */
static void stream_note(struct session *s, uint32_t at, uint32_t ssrc, const struct srtp_packet *p)
{
	uint32_t roll_over = 0;

	s->ssrc[at] = ssrc;
	s->streams += at == s->streams;
	if (p->rtcp)
		return;
	s->rtp |= 1u << at;
	srtp_get_stream_roc(s->srtp[SRTP_RECEIVE], ssrc, &roll_over);
	uint64_t index = (uint64_t)roll_over << 16 | rtp_get16(p->data + 2);

	/* One from before a wrap does not count in the turn after it. */
	if (s->last.ssrc != ssrc || (index > s->last.highest && index - s->last.highest < 0x8000))
		s->last = (struct srtp_reached){.ssrc = ssrc, .highest = index};
}

static enum srtp_verdict unprotect_one(struct srtp_engine *e, struct srtp_packet *p)
{
	struct session *s = (struct session *)e->keys->own + p->slot;

	if (s->srtp[SRTP_RECEIVE] == NULL ||
		p->bytes < (p->rtcp ? SRTP_RTCP_HEADER_BYTES : SRTP_RTP_HEADER_BYTES))
		return SRTP_FORGED;
	uint32_t ssrc = rtp_get32(p->data + (p->rtcp ? 4 : 8));
	srtp_t srtp = s->srtp[SRTP_RECEIVE];
	uint32_t at = stream_find(s, ssrc);

	if (at == SRTP_STREAMS_MAX)
		return SRTP_REPLAYED;
	if (!p->rtcp && !(s->rtp >> at & 1) && s->before.ssrc == ssrc)
		srtp_set_stream_roc(srtp, ssrc,
			(uint32_t)(srtp_window_first(&s->before, rtp_get16(p->data + 2)) >> 16));
	int bytes = p->bytes;
	enum srtp_verdict v = verdict(p->rtcp ? srtp_unprotect_rtcp(srtp, p->data, &bytes)
					      : srtp_unprotect(srtp, p->data, &bytes));

	if (v == SRTP_GOOD) {
		p->bytes = (uint16_t)bytes;
		stream_note(s, at, ssrc, p);
	}
	return v;
}

static void unprotect(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		packet[i].verdict = (uint8_t)unprotect_one(e, &packet[i]);
}

const struct srtp_ops srtp_libsrtp_ops = {
	.create = create,
	.destroy = destroy,
	.engine_create = engine_create,
	.engine_destroy = engine_destroy,
	.set = set,
	.clear = clear,
	.inherit = inherit,
	.protect = protect,
	.unprotect = unprotect,
};
