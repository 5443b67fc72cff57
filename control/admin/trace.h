/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: the last SIP messages, in a ring bounded by bytes. Pure.
 *
 * What proves who somebody is never gets in: the response of digest credentials, everything of
 * other credentials, keys of SDP (`a=crypto`, `k=`) are overwritten with 'x'; so are keys of
 * telephone keypads in INFO bodies.
 */
#ifndef ADMIN_TRACE_H
#define ADMIN_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/str.h"

#define TRACE_BYTES        (8u << 20)
#define TRACE_MESSAGE_MAX  65535u
#define TRACE_BINDINGS_MAX 8192u
#define TRACE_ID_SIZE      37 /* of a contact id, with the terminator */

struct trace;

struct trace_message {
	uint64_t number; /* grows with each message */
	uint64_t now_ns;
	bool outgoing;
	const char *transport;        /* "udp", "tcp": a literal */
	char peer[ADDRESS_TEXT_SIZE]; /* the other end */
	struct str bytes;             /* blanked */
	struct str call_id;           /* "" when it has none */
};

/* bytes 0: TRACE_BYTES. NULL without memory. */
struct trace *trace_new(size_t bytes);
void trace_free(struct trace *trace);

/* Longer messages are cut at TRACE_MESSAGE_MAX. */
void trace_add(struct trace *trace, uint64_t now_ns, bool outgoing, const char *transport,
	const struct address *peer, struct str bytes);

/* The messages of a Call-ID, oldest first; `visit` false stops. Returns how many were visited. */
unsigned trace_each(const struct trace *trace, struct str call_id,
	bool (*visit)(void *ctx, const struct trace_message *message), void *ctx);

/* Remembers that a call was part of a contact; the oldest of TRACE_BINDINGS_MAX are forgotten. */
void trace_bind(struct trace *trace, const char *contact, struct str call_id);
/* The Call-IDs of a contact, oldest first; at most `max`. The texts live until the next bind. */
unsigned trace_calls_of(
	const struct trace *trace, const char *contact, struct str *call_ids, unsigned max);

/* Blanks what is secret, in place. */
void trace_blank(char *message, size_t n);
/* Value of the header, or of its compact form; "" when it has none. */
struct str trace_call_id(struct str message);

struct trace_stats {
	uint64_t messages; /* ever */
	unsigned held;
	size_t bytes;
};
void trace_stats(const struct trace *trace, struct trace_stats *out);

#endif
