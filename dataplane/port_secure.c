/* SPDX-License-Identifier: Apache-2.0 */
#include "port_secure.h"

#include "srtp.h"
#include "tx.h"

/* Sequence numbers begin in the lower half, so that a receiver that misses the first packets does
 * not miss a wrap: it would not know the roll-over counter. */
#define SEQUENCE_MASK 0x7fffu

static bool key_allowed(const struct cord_srtp_key *key)
{
	return key->suite == CORD_SRTP_NONE || cord_srtp_key_bytes(key->suite) != 0;
}

bool port_secure_allowed(const struct cord_terms *t)
{
	bool sends = t->send_key.suite != CORD_SRTP_NONE;
	bool receives = t->receive_key.suite != CORD_SRTP_NONE;

	return sends == receives && key_allowed(&t->send_key) && key_allowed(&t->receive_key);
}

/* Splitmix64, whose seed is random. */
static uint64_t draw(struct worker *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A key that is held ends with its stream: in the next one it would be another key. */
static void end_key(struct worker *w, struct port *p)
{
	struct port_cold *cold = worker_cold(w, p);
	struct telephone_event_packet packet;

	if ((p->flags & (PORT_KEYS | PORT_INBAND)) != PORT_KEYS)
		return;
	for (uint32_t n = telephone_event_cut(&cold->event_out, cold->event_khz, &packet);
		n && (p->direction & CORD_MAY_SEND); n--)
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_event, false, p->event_payload_type,
			packet.timestamp, packet.payload, sizeof(packet.payload));
}

void port_stream_renew(struct worker *w, struct port *p)
{
	struct port_cold *cold = &w->dp->port_cold[p->slot];
	uint64_t numbers = draw(w);

	end_key(w, p);
	p->ssrc = (uint32_t)draw(w);
	p->sequence = (uint16_t)(numbers & SEQUENCE_MASK);
	p->timestamp_base = (uint32_t)(numbers >> 32);
	p->period--;
	port_forget_unsent(cold);
	cold->report.packets_before = p->tx_packets;
	cold->report.bytes_before = p->tx_bytes;
}

/* The key that was set before counts on, in the other slot; it may be the one to go back to. */
static int receive_with(struct worker *w, struct port *p, const struct cord_srtp_key *key)
{
	if (srtp_receives_with(w->srtp, port_key_slot(w, p), key))
		return 0;
	if (p->flags & PORT_SECURE) {
		p->flags ^= PORT_OTHER_KEY;
		p->key_before_until = w->now_ns + PORT_KEY_BEFORE_NS;
		if (srtp_receives_with(w->srtp, port_key_slot(w, p), key))
			return 0;
	}
	int rc = srtp_set_receive(w->srtp, port_key_slot(w, p), key);

	if (rc == 0)
		srtp_inherit(w->srtp, port_key_slot(w, p), port_key_before_slot(w, p));
	return rc;
}

static void forget_keys(struct worker *w, struct port *p)
{
	srtp_clear(w->srtp, port_key_slot(w, p));
	srtp_clear(w->srtp, port_key_before_slot(w, p));
	p->key_before_until = 0;
}

enum cord_refusal port_secure_set(struct worker *w, struct port *p, const struct cord_terms *t)
{
	int rc = 0;

	if (t->send_key.suite == CORD_SRTP_NONE)
		return p->flags & PORT_SECURE ? CORD_REFUSAL_DOWNGRADE : CORD_REFUSAL_NONE;
	bool other_clock = cord_codec_clock_khz(p->codec) != cord_codec_clock_khz(t->codec);

	if (other_clock || !srtp_sends_with(w->srtp, p->slot, &t->send_key)) {
		port_stream_renew(w, p);
		tx_protect(w);
		rc = srtp_set_send(w->srtp, p->slot, &t->send_key, p->ssrc);
	}
	if (rc == 0)
		rc = receive_with(w, p, &t->receive_key);
	p->flags |= PORT_SECURE;
	if (rc == 0)
		return CORD_REFUSAL_NONE;
	forget_keys(w, p);
	return CORD_REFUSAL_NO_MEMORY;
}

void port_secure_end(struct worker *w, struct port *p)
{
	if (!(p->flags & PORT_SECURE))
		return;
	tx_protect(w);
	forget_keys(w, p);
}
