/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user-agent core: bytes in, and everything to the right place. Pure, over a struct sip_wire.
 *
 *    sip_ua_receive --> parse --> trace --> transaction --+--> dialog known --> session
 *                         |                               +--> Max-Forwards, 482, 416, 420
 *                         v                               +--> policy: who is it?
 *                 counted, 400 or silence                           |
 *                                          known: INVITE -> session, REGISTER -> registrar,
 *                                          OPTIONS -> 200, others 405 or 501
 *                                          unknown: what the policy says (challenge, 403 with
 *                                          delay, silence)
 *
 * The policy decides who may do what; it never sees a request of an established dialog. Its own
 * counting and slowing of guessers is its business (guard.h); this core carries out the delay.
 */
#pragma once

#include "sip/session.h"

#define SIP_UA_REPLY_LINES_MAX 8192

/* What the policy answers with. */
struct sip_reply {
	uint16_t status; /* 0: silence (the transaction is dropped, repetitions meet silence too) */
	const char *reason; /* NULL: the standard phrase */
	uint64_t delay_ns;  /* send it this much later */
	struct strbuf
		lines; /* complete extra header lines, each with CRLF: challenges, Contact, … */
};

struct sip_ua_policy {
	void *ctx;
	/*
	 * Who sent a new request outside a dialog: INVITE or OPTIONS or any method but REGISTER.
	 * True fills peer. False fills reply, as given: status 0. That reply, and a 401 of
	 * `registration`, is sent once and leaves no transaction, unless it is delayed.
	 */
	bool (*identify)(void *ctx, const struct sip_message *request, const struct sip_hop *source,
		uint64_t now_ns, struct sip_peer *peer, struct sip_reply *reply);
	/* REGISTER: authenticates, binds, fills reply. NULL: 405. */
	void (*registration)(void *ctx, const struct sip_message *request,
		const struct sip_hop *source, uint64_t now_ns, struct sip_reply *reply);
	/*
	 * Whether a new INVITE is one too many now: Retry-After in seconds, for a 503 that leaves
	 * nothing behind; 0: it is not. Asked before anything else is known of it, and before all of
	 * it is parsed; `key` is the hash of its transaction. May be NULL.
	 */
	uint32_t (*overloaded)(
		void *ctx, uint64_t key, const struct sip_hop *source, uint64_t now_ns);
	/* Whether it was, of an INVITE of lately: nobody is asked who cancels it. May be NULL. */
	bool (*refused)(void *ctx, uint64_t key, uint64_t now_ns);
	/* Before anything is parsed: false drops the bytes (source is blocked). May be NULL. */
	bool (*admit)(void *ctx, const struct sip_hop *source, uint64_t now_ns);
	/* Bytes that were no SIP message, or one that was refused as malformed. May be NULL. */
	void (*malformed)(
		void *ctx, const struct sip_hop *source, const char *what, uint64_t now_ns);
};

/* One message in or out; for the ladder of a trace. */
struct sip_trace {
	uint64_t now_ns;
	bool outgoing;
	const struct sip_hop *hop;
	struct str bytes;
};

/* id, help */
#define SIP_UA_COUNTERS(X)                                      \
	X(received, "messages received")                        \
	X(sent, "messages sent")                                \
	X(send_errors, "messages that could not be sent")       \
	X(blocked, "datagrams and messages of blocked sources") \
	X(malformed, "requests answered 400, 505 or 513")       \
	X(dropped, "messages that could not be answered")       \
	X(merged, "requests answered 482")                      \
	X(too_many_hops, "requests answered 483")               \
	X(unknown_peers, "requests of nobody we know")          \
	X(refused_draining, "calls refused while draining")     \
	X(refused_overload, "calls refused in overload")        \
	X(stray_responses, "responses to nothing")              \
	X(registrations, "REGISTER requests")                   \
	X(pings_sent, "OPTIONS sent to trunks")                 \
	X(pings_lost, "OPTIONS without an answer")

struct sip_ua_stats {
#define X(name, help) uint64_t name;
	SIP_UA_COUNTERS(X)
#undef X
};

struct sip_ua;

struct sip_ua_config {
	struct timers *timers;
	struct random *random;
	const struct sip_wire *wire;
	struct sip_timing timing;
	uint32_t transactions_max, sessions_max; /* 0: defaults */
	const struct sip_ua_policy *policy;
	/* May be NULL. Must not call back into the ua. */
	void (*trace)(void *ctx, const struct sip_trace *trace);
	void *trace_ctx;
	/* timers to wire are filled in by sip_ua_new(); the rest as in session.h. */
	struct sip_sessions_config sessions;
};

int sip_ua_new(const struct sip_ua_config *config, struct sip_ua **out);
void sip_ua_free(struct sip_ua *ua);

/* One datagram, or one framed message of a stream. */
void sip_ua_receive(struct sip_ua *ua, const struct sip_hop *source, const void *bytes, size_t n,
	uint64_t now_ns);
void sip_ua_connection_lost(struct sip_ua *ua, uint64_t connection, uint64_t now_ns);

/* For the calls of session.h. */
struct sip_sessions *sip_ua_sessions(struct sip_ua *ua);
const struct sip_ua_stats *sip_ua_stats(const struct sip_ua *ua);
const struct sip_transaction_stats *sip_ua_transaction_stats(const struct sip_ua *ua);

/* While draining, new calls get 503 with Retry-After; established ones go on. */
void sip_ua_drain(struct sip_ua *ua, bool draining, uint32_t retry_after_s);

/*
 * An OPTIONS to a trunk; done is told the final status (any answer means that it lives), 0 for
 * none. from and target are URIs. -ENOBUFS, -EADDRNOTAVAIL.
 */
int sip_ua_ping(struct sip_ua *ua, const struct sip_hop *hop, struct str target, struct str from,
	void (*done)(void *ctx, uint64_t tag, unsigned status, uint64_t rtt_ns, uint64_t now_ns),
	void *ctx, uint64_t tag);
