/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp_packet.h"

#include "rtp.h"

#include <string.h>

#define RTCP_ENCRYPTED 0x80000000u

static uint32_t tag_bytes_of(const struct srtp_work *w)
{
	return w->protocol == SRTP_RTCP ? w->suite->rtcp_tag_bytes : w->suite->tag_bytes;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Tags of 4, 10 or 16 bytes, in words: a copy of unknown length would be a call. */
static void tag_copy(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
	if (bytes == 4)
		memcpy(to, from, 4);
	else if (bytes == 10)
		memcpy(to, from, 10);
	else
		memcpy(to, from, 16);
}

/* In a time that does not depend on what differs. */
static bool tag_equal(const uint8_t *a, const uint8_t *b, uint32_t bytes)
{
	uint32_t first = bytes < 8 ? 0 : 8;
	uint32_t x, y;
	uint64_t difference = 0;

	if (bytes >= 8)
		difference = load64(a) ^ load64(b);
	if (bytes == 16)
		return (difference | (load64(a + 8) ^ load64(b + 8))) == 0;
	memcpy(&x, a + first, sizeof(x));
	memcpy(&y, b + first, sizeof(y));
	x ^= y;
	return (difference | (bytes == 10 ? x & 0xffff : x)) == 0;
}

/* ---- a packet's parts ------------------------------------------------------------------------ */

/* Bytes of an RTP header with CSRC list and extension; 0: they do not fit. */
static uint32_t rtp_header_bytes(const uint8_t *data, uint32_t bytes)
{
	uint32_t header = SRTP_RTP_HEADER_BYTES;

	if (bytes < header)
		return 0;
	header += 4u * (data[0] & 0x0f);
	if (data[0] & 0x10) {
		if (header + 4 > bytes)
			return 0;
		header += 4 + 4u * rtp_get16(data + header + 2);
	}
	return header <= bytes ? header : 0;
}

/*
 * Cuts `bytes` of header and body in two and reads the SSRC. False: they are too few, or more than
 * the counter of AES-CM and our 16 bits of length allow.
 */
static bool work_cut(struct srtp_work *w, uint32_t bytes)
{
	const uint8_t *data = w->packet->data;
	uint32_t clear = SRTP_RTCP_HEADER_BYTES;

	if (w->protocol == SRTP_RTP)
		clear = rtp_header_bytes(data, bytes);
	if (clear == 0 || bytes < clear)
		return false;
	w->clear = (uint16_t)clear;
	w->body = (uint16_t)(bytes - clear);
	w->ssrc = rtp_get32(data + (w->protocol == SRTP_RTP ? 8 : 4));
	return true;
}

/*
 * IVs are put together in registers: what is written in small pieces cannot be read in large ones
 * without a wait. RFC 3711 section 4.1.1: SSRC and index over the salt, two bytes to count blocks.
 */
static void iv_cm(struct srtp_work *w)
{
	const uint8_t *salt = w->context->salt;
	uint64_t first = __builtin_bswap64(w->ssrc) ^ load64(salt);
	uint64_t second =
		__builtin_bswap64(w->index << 16) ^ (load64(salt + 8) & 0xffffffffffffull);

	memcpy(w->iv, &first, 8);
	memcpy(w->iv + 8, &second, 8);
}

/* RFC 7714 sections 8.1 and 9.1: 12 bytes. The index of RTCP is shorter than that of RTP. */
static void iv_gcm(struct srtp_work *w)
{
	const uint8_t *salt = w->context->salt;
	uint64_t first = __builtin_bswap64((uint64_t)w->ssrc << 16 | w->index >> 32) ^ load64(salt);
	uint64_t second = __builtin_bswap32((uint32_t)w->index) ^ load64(salt + 8);

	memcpy(w->iv, &first, 8);
	memcpy(w->iv + 8, &second, 8);
	if (w->protocol == SRTP_RTCP) {
		memcpy(w->aad, w->packet->data, SRTP_RTCP_HEADER_BYTES);
		rtp_put32(w->aad + SRTP_RTCP_HEADER_BYTES, RTCP_ENCRYPTED | (uint32_t)w->index);
	}
}

static void work_iv(struct srtp_work *w)
{
	if (w->suite->aead)
		iv_gcm(w);
	else
		iv_cm(w);
}

/* ---- to send --------------------------------------------------------------------------------- */

/* Indices only grow, whatever sequence numbers come: none is used twice with a key. */
static uint64_t next_index(const struct srtp_work *w)
{
	uint64_t next = w->context->next;

	if (w->protocol == SRTP_RTCP)
		return next;
	uint64_t index = (next & ~0xffffull) | rtp_get16(w->packet->data + 2);

	return index < next ? index + 0x10000 : index;
}

enum srtp_verdict srtp_packet_send(struct srtp_work *w)
{
	if (w->context->suite == CORD_SRTP_NONE)
		return SRTP_SPENT;
	if (!work_cut(w, w->packet->bytes))
		return SRTP_FORGED;
	w->index = next_index(w);
	if (w->index >= (w->protocol == SRTP_RTP ? SRTP_INDEX_END : SRTP_RTCP_INDEX_END))
		return SRTP_SPENT;
	w->context->next = w->index + 1;
	work_iv(w);
	/* Behind the body, where the HMAC takes it in. */
	if (w->protocol == SRTP_RTCP && !w->suite->aead)
		rtp_put32(w->packet->data + w->packet->bytes, RTCP_ENCRYPTED | (uint32_t)w->index);
	return SRTP_GOOD;
}

void srtp_packet_sent(struct srtp_work *w)
{
	uint8_t *end = w->packet->data + w->packet->bytes;
	uint32_t tag_bytes = tag_bytes_of(w);
	bool rtcp = w->protocol == SRTP_RTCP;

	if (w->packet->verdict != SRTP_GOOD)
		return;
	if (rtcp && !w->suite->aead)
		end += SRTP_RTCP_INDEX_BYTES;
	tag_copy(end, w->tag, tag_bytes);
	if (rtcp && w->suite->aead)
		rtp_put32(end + tag_bytes, RTCP_ENCRYPTED | (uint32_t)w->index);
	w->packet->bytes += (uint16_t)(tag_bytes + (rtcp ? SRTP_RTCP_INDEX_BYTES : 0));
}

/* ---- received -------------------------------------------------------------------------------- */

/*
 * The stream of an SSRC; one that has not come yet is an empty one that is not counted. NULL: there
 * are too many.
 */
static struct srtp_stream *stream_find(struct srtp_receiver *r, uint32_t ssrc)
{
	uint32_t i = r->last;

	if (r->streams && r->stream[i].ssrc == ssrc)
		return &r->stream[i];
	for (i = 0; i < r->streams; i++) {
		if (r->stream[i].ssrc == ssrc)
			return &r->stream[i];
	}
	if (i == SRTP_STREAMS_MAX)
		return NULL;
	r->stream[i].ssrc = ssrc;
	return &r->stream[i];
}

/* Notes an authenticated packet; its stream is one from here on. */
static void stream_note(
	struct srtp_receiver *r, struct srtp_stream *s, enum srtp_protocol protocol, uint64_t index)
{
	uint32_t at = (uint32_t)(s - r->stream);

	srtp_window_note(&s->window[protocol], index);
	if (at == r->streams)
		r->streams++;
	if (protocol == SRTP_RTP)
		r->last = at;
}

/* Parts a received packet from the tag and, of RTCP, the index behind it. False: too short. */
static bool trailer_cut(struct srtp_work *w, uint32_t *rtcp_index)
{
	const uint8_t *data = w->packet->data;
	uint32_t tag_bytes = tag_bytes_of(w);
	uint32_t trailer = tag_bytes + (w->protocol == SRTP_RTCP ? SRTP_RTCP_INDEX_BYTES : 0);

	if (w->packet->bytes < trailer || !work_cut(w, w->packet->bytes - trailer))
		return false;
	const uint8_t *end = data + w->clear + w->body;

	if (w->protocol == SRTP_RTP) {
		tag_copy(w->sent, end, tag_bytes);
		return true;
	}
	tag_copy(w->sent, end + (w->suite->aead ? 0 : SRTP_RTCP_INDEX_BYTES), tag_bytes);
	*rtcp_index = rtp_get32(end + (w->suite->aead ? tag_bytes : 0));
	/* All suites encrypt: what says that it is not encrypted was not agreed on. */
	return *rtcp_index & RTCP_ENCRYPTED;
}

static uint64_t index_of(
	const struct srtp_work *w, const struct srtp_receiver *r, const struct srtp_stream *s)
{
	uint16_t sequence = rtp_get16(w->packet->data + 2);

	if (srtp_window_empty(&s->window[SRTP_RTP]) && r->before.ssrc == w->ssrc)
		return srtp_window_first(&r->before, sequence);
	return srtp_window_index(&s->window[SRTP_RTP], sequence);
}

enum srtp_verdict srtp_packet_receive(struct srtp_work *w, struct srtp_receiver *r)
{
	uint32_t rtcp_index = 0;

	if (w->context->suite == CORD_SRTP_NONE || !trailer_cut(w, &rtcp_index))
		return SRTP_FORGED;
	const struct srtp_stream *s = stream_find(r, w->ssrc);

	if (s == NULL)
		return SRTP_REPLAYED;
	if (w->protocol == SRTP_RTP)
		w->index = index_of(w, r, s);
	else
		w->index = rtcp_index & ~RTCP_ENCRYPTED;
	if (w->index >= SRTP_INDEX_END)
		return SRTP_FORGED;
	if (!srtp_window_takes(&s->window[w->protocol], w->index))
		return SRTP_REPLAYED;
	work_iv(w);
	return SRTP_GOOD;
}

void srtp_packet_authenticate(struct srtp_work *w)
{
	if (w->packet->verdict == SRTP_GOOD && !tag_equal(w->sent, w->tag, tag_bytes_of(w)))
		w->packet->verdict = SRTP_FORGED;
}

/* In the order of arrival, and looked at once more: the burst may have brought a packet twice. */
void srtp_packet_received(struct srtp_work *w, struct srtp_receiver *r)
{
	if (w->packet->verdict != SRTP_GOOD)
		return;
	struct srtp_stream *s = stream_find(r, w->ssrc);

	if (s == NULL || !srtp_window_takes(&s->window[w->protocol], w->index)) {
		w->packet->verdict = SRTP_REPLAYED;
		return;
	}
	stream_note(r, s, w->protocol, w->index);
	w->packet->bytes = w->clear + w->body;
}

void srtp_receiver_inherit(struct srtp_receiver *r, const struct srtp_receiver *before)
{
	const struct srtp_stream *last = &before->stream[before->last];

	r->before = srtp_window_empty(&last->window[SRTP_RTP])
			    ? before->before
			    : (struct srtp_reached){last->ssrc, last->window[SRTP_RTP].highest};
}
