/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a port. With keys it takes nothing that they do not authenticate and sends nothing
 * that they do not protect, until it is closed: plain RTP never replaces SRTP.
 *
 * Equal keys go on with their packet indices and replay windows, through every re-INVITE. Another
 * key to send with, or another RTP clock, is a new stream: SSRC, sequence numbers and timestamps begin anew. That SSRC is
 * drawn here, also when a port is opened, since a dataplane that was started anew may be given the
 * keys of the last one: indices begin at 0 again, and the same SSRC would have the same key stream
 * hide other packets (RFC 3711 section 9.1).
 *
 * When another key to receive with is set, packets under the one before are on their way, and the
 * peer may not know of the change yet. They count until the first packet under the new key is
 * PORT_KEY_BEFORE_GRACE_NS old, PORT_KEY_BEFORE_NS at most: what is not authentic under the one key
 * is tried under the other. The key before keeps its slot until the next one takes it, so that its
 * windows go on where a session goes back to it.
 */
#ifndef DATAPLANE_PORT_SECURE_H
#define DATAPLANE_PORT_SECURE_H

#include "port.h"
#include "worker.h"

/* SRTP slots of a port: of its own number, with the key to send, and another behind all of those. */
#define PORT_SECURE_SLOTS 2u
/* How long SIP may take to bring the peer our answer: 64 * T1 (RFC 3261 section 13.3.1.4). */
#define PORT_KEY_BEFORE_NS (32 * 1000000000ull)
/* How far behind another packet one may come. */
#define PORT_KEY_BEFORE_GRACE_NS 1000000000ull

/* The SRTP slot of the key that the port receives with, and of the one before. */
static inline uint32_t port_key_slot(const struct worker *w, const struct port *p)
{
	return p->slot + (p->flags & PORT_OTHER_KEY ? w->dp->config.ports : 0);
}

static inline uint32_t port_key_before_slot(const struct worker *w, const struct port *p)
{
	return p->slot + (p->flags & PORT_OTHER_KEY ? 0 : w->dp->config.ports);
}

/* Whether packets under the key before count. */
static inline bool port_key_before(const struct worker *w, const struct port *p)
{
	return w->now_ns < p->key_before_until;
}

/* A packet under the present key has come: the one before has not long to go. */
static inline void port_key_heard(const struct worker *w, struct port *p)
{
	if (p->key_before_until > w->now_ns + PORT_KEY_BEFORE_GRACE_NS)
		p->key_before_until = w->now_ns + PORT_KEY_BEFORE_GRACE_NS;
}

/* Whether the keys of terms are such as a port may have: of a known suite, for both directions. */
bool port_secure_allowed(const struct cord_terms *t);

/*
 * Sets what is new of the keys. CORD_REFUSAL_DOWNGRADE: nothing has changed.
 * CORD_REFUSAL_NO_MEMORY: the port has no keys, and neither takes nor sends until it gets some.
 */
enum cord_refusal port_secure_set(struct worker *w, struct port *p, const struct cord_terms *t);

/* The stream that is sent ends and another begins, with a marker. */
void port_stream_renew(struct worker *w, struct port *p);

/* Wipes the keys of a port that is closed; what it has said before is sent. */
void port_secure_end(struct worker *w, struct port *p);

#endif
