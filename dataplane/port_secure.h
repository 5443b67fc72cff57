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
 */
#ifndef DATAPLANE_PORT_SECURE_H
#define DATAPLANE_PORT_SECURE_H

#include "worker.h"

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
