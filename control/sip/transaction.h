/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: RFC 3261 section 17 with the Accepted states of RFC 6026. Pure: messages and time
 * come in, bytes leave through a struct sip_wire, the user (ua.h, session.h) is told by callbacks.
 *
 *   client INVITE                               client non-INVITE
 *                 request                                     request
 *                    v                                           v
 *       A: again  CALLING ---- B, error --+        E: again   TRYING ------ F, error --+
 *                  |  | 2xx               |                    |  | final              |
 *              1xx v  +-> ACCEPTED -- M --+                1xx v  |                    |
 *             PROCEEDING ----^            |      E: again PROCEEDING ------ F, error --+
 *                  | 300-699              |                    v  v final              |
 *                  +---> COMPLETED -- D --+               COMPLETED ------------- K ---+
 *                        (ACK each)       v                                            v
 *                                    TERMINATED                                   TERMINATED
 *
 *   server INVITE                               server non-INVITE
 *                request                                      request
 *                   v                                            v
 *              PROCEEDING --- 2xx --> ACCEPTED -- L --+       TRYING -- final --+
 *                   | 300-699      (2xx again until   |        | 1xx            |
 *      G: again COMPLETED ---- H --- acknowledged) ---+    PROCEEDING -- final -+
 *                   | ACK                             |                         v
 *               CONFIRMED ---- I ---------------------+      COMPLETED -- J -> TERMINATED
 *                                                     v
 *                                                TERMINATED
 *
 * What is decided here beyond the RFCs:
 * - The server transaction repeats its 2xx (T1, doubled up to T2, on every transport) until
 *   sip_server_acknowledged(); 64*T1 without it is told as `unacknowledged`.
 * - The client transaction answers a repeated 2xx with the ACK given by sip_client_set_ack(), and
 *   passes on only what has another To tag (a fork).
 * - sip_client_cancel() waits for a provisional response by itself (section 9.1), and gives up
 *   64*T1 after the CANCEL.
 * - CANCEL for a server INVITE is a transaction of its own, handed up with the one it means.
 *
 * Callbacks never run inside a call of a client function; errors of a first send are told by a
 * timer. Ids have a generation: a stale one is harmless everywhere.
 *
 * A transaction is found by a 128-bit SipHash with random keys over branch, sent-by and method, so
 * that a peer can neither flood a bucket nor forge a collision.
 */
#pragma once

#include "base/random.h"
#include "base/timers.h"
#include "sip/hop.h"
#include "sip/message.h"

#define SIP_T1_NS            500000000ull
#define SIP_T2_NS            4000000000ull
#define SIP_T4_NS            5000000000ull
#define SIP_TRANSACTIONS_MAX 65536u       /* default ceiling */
#define SIP_STORED_BYTES_MAX (256u << 20) /* default ceiling of bytes kept for repetition */
#define SIP_BRANCH_SIZE      32           /* with the cookie and the terminator */
#define SIP_OVERLOAD_RETRY_S 5            /* Retry-After beyond a ceiling */

/* All zero: the values of the RFC. */
struct sip_timing {
	uint64_t t1_ns;
	uint64_t t2_ns;
	uint64_t t4_ns;
};

enum sip_failure {
	SIP_FAILURE_TIMEOUT,   /* timer B or F, or no final response after a CANCEL: as a 408 */
	SIP_FAILURE_TRANSPORT, /* could not be sent, connection lost: as a 503 */
};

enum sip_transaction_state {
	SIP_TRANSACTION_CALLING,
	SIP_TRANSACTION_TRYING,
	SIP_TRANSACTION_PROCEEDING,
	SIP_TRANSACTION_COMPLETED,
	SIP_TRANSACTION_CONFIRMED,
	SIP_TRANSACTION_ACCEPTED,
	SIP_TRANSACTION_TERMINATED,
	SIP_TRANSACTION_STATES,
};
const char *sip_transaction_state_name(enum sip_transaction_state state);

struct sip_transactions;

/* Messages are valid during the callback. `tag` is what the user gave. */
struct sip_client_handler {
	/*
	 * Each provisional response; the final one, once; of an INVITE each 2xx whose To tag has no
	 * ACK yet.
	 */
	void (*response)(void *ctx, uint64_t tag, uint64_t id, const struct sip_message *response,
		const struct sip_hop *source, uint64_t now_ns);
	/* No final response will come. Instead of `response` with a final one. */
	void (*failed)(
		void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns);
};

struct sip_server_handler {
	/*
	 * A new INVITE without To tag, for sip_transactions_admit(): false when it was answered
	 * without a transaction (sip_respond_stateless). `key` is its hash, which nobody can choose.
	 * May be NULL.
	 */
	bool (*admit)(void *ctx, uint64_t key, const struct sip_message *request,
		const struct sip_hop *source, uint64_t now_ns);
	/* Whether the INVITE of this `key` was not admitted, lately. Without `admit` NULL. */
	bool (*refused)(void *ctx, uint64_t key, uint64_t now_ns);
	/* A new request, not ACK, not CANCEL. Answer with sip_server_respond(), now or later. */
	void (*request)(void *ctx, uint64_t id, const struct sip_message *request,
		const struct sip_hop *source, uint64_t now_ns);
	/* An ACK that no transaction absorbed: of a 2xx, or stray. */
	void (*ack)(void *ctx, const struct sip_message *ack, const struct sip_hop *source,
		uint64_t now_ns);
	/*
	 * A CANCEL: answer `id` (200, or 481 when invite is 0), then the INVITE with 487 if it has
	 * no final response yet. `tag` is that of the INVITE.
	 */
	void (*cancel)(void *ctx, uint64_t id, uint64_t invite, uint64_t tag,
		const struct sip_message *cancel, const struct sip_hop *source, uint64_t now_ns);
	/* The 2xx of an INVITE got no ACK in 64*T1. */
	void (*unacknowledged)(void *ctx, uint64_t tag, uint64_t id, uint64_t now_ns);
	/* A response that no transaction knows. May be NULL. */
	void (*stray)(void *ctx, const struct sip_message *response, const struct sip_hop *source,
		uint64_t now_ns);
};

struct sip_transaction_stats {
	uint64_t clients, servers; /* ever started */
	uint64_t repeats_sent, repeats_received;
	uint64_t timeouts, transport_errors;
	uint64_t refused; /* requests answered 503 for a ceiling */
	uint64_t strays;
	uint32_t live;
	size_t bytes; /* stored now */
};

struct sip_transactions_config {
	struct timers *timers;
	struct random *random;
	const struct sip_wire *wire;
	struct sip_timing timing;
	uint32_t max;     /* transactions, 0: SIP_TRANSACTIONS_MAX */
	size_t bytes_max; /* 0: SIP_STORED_BYTES_MAX */
	void *ctx;
	const struct sip_server_handler *server;
};

int sip_transactions_new(
	const struct sip_transactions_config *config, struct sip_transactions **out);
/* Forgets all without a word to anybody. */
void sip_transactions_free(struct sip_transactions *layer);
const struct sip_transaction_stats *sip_transactions_stats(const struct sip_transactions *layer);

/*
 * What needs no more than a glance: false when nothing is left to do for a message of which
 * sip_message_begin() found nothing wrong. That is a new call which was not admitted, and the ACK
 * of what was answered without a transaction.
 */
bool sip_transactions_admit(struct sip_transactions *layer, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns);
/* A parsed message (SIP_ACCEPT) from a hop. */
void sip_transactions_receive(struct sip_transactions *layer, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns);
/* A connection, or the attempt to make it, failed: clients that wait on it are told. */
void sip_transactions_connection_lost(
	struct sip_transactions *layer, uint64_t connection, uint64_t now_ns);
/*
 * True when a transaction is going on for a request with the same From tag, Call-ID and CSeq but
 * another branch: answer 482 (section 8.2.2.2). For requests without To tag; `id` is its own.
 */
bool sip_server_is_merged(
	const struct sip_transactions *layer, uint64_t id, const struct sip_message *request);

/* A branch for a request, terminated. */
void sip_branch_make(struct random *random, char branch[SIP_BRANCH_SIZE]);

/* ---- client ---- */

struct sip_client_request {
	enum sip_method method;
	struct str branch; /* as in the top Via of bytes */
	struct str bytes;  /* the whole request, copied */
	struct sip_hop hop;
	uint64_t tag;
	void *ctx;
	const struct sip_client_handler *handler;
};

/* -ENOBUFS at a ceiling, -ENOMEM. A failed send is told by the handler, later. */
int sip_client_start(
	struct sip_transactions *layer, const struct sip_client_request *request, uint64_t *id);
/*
 * Cancels an INVITE. Its end is told as always: a final response (487 as a rule, a 2xx when they
 * crossed) or a failure. -ESRCH when it has a final response already, or is gone.
 */
int sip_client_cancel(struct sip_transactions *layer, uint64_t id);
/* The ACK of the 2xx with this To tag: sent now, and again for each repetition of that 2xx. */
int sip_client_set_ack(struct sip_transactions *layer, uint64_t id, struct str to_tag,
	struct str bytes, const struct sip_hop *hop);
/* The hop in use, with its connection; NULL for a stale id. */
const struct sip_hop *sip_client_hop(const struct sip_transactions *layer, uint64_t id);

/* ---- server ---- */

/* Sends a response and repeats it as its state demands; bytes are copied. -ESRCH for a stale id or
 * one that has its final response; -ENOBUFS when the bytes cannot be kept (sent once all the same).
 */
int sip_server_respond(
	struct sip_transactions *layer, uint64_t id, unsigned status, struct str bytes);
/* As above, a final response, at a later moment: slows a guesser down. */
int sip_server_respond_at(struct sip_transactions *layer, uint64_t id, unsigned status,
	struct str bytes, uint64_t when_ns);
/* Forgets a request without an answer: silence. A repetition of it is a new request. */
void sip_server_abandon(struct sip_transactions *layer, uint64_t id);
/* The ACK of the 2xx is here: no more repetitions. */
void sip_server_acknowledged(struct sip_transactions *layer, uint64_t id);
/* What `cancel` and `unacknowledged` come with. */
void sip_server_set_tag(struct sip_transactions *layer, uint64_t id, uint64_t tag);
bool sip_server_is_open(const struct sip_transactions *layer, uint64_t id); /* no final response */

/*
 * A response without a transaction. The To tag is a hash of the request's branch and Call-ID, so
 * that repetitions get the same, behind a mark by which its ACK is known. lines are complete extra
 * header lines, or empty.
 */
int sip_respond_stateless(struct sip_transactions *layer, const struct sip_message *request,
	const struct sip_hop *source, unsigned status, struct str reason, struct str lines);
