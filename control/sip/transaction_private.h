/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the transaction layer: the record of a transaction, and what its files ask of each other.
 *
 *   transaction.c          the layer: life, messages in, what users of both sides call
 *   transaction_machine.c  states, transitions, timers
 *   transaction_key.c      by what a message finds its transaction
 *   transaction_message.c  what is sent and kept: messages, ACK and CANCEL of a client
 */
#pragma once

#include "base/map.h"
#include "base/pool.h"
#include "sip/transaction.h"

#define TRANSACTION_KEY_SIZE 16
#define TRANSACTION_SCRATCH  (SIP_MESSAGE_BYTES_MAX + 256)

enum transaction_kind { CLIENT_INVITE, CLIENT_OTHER, SERVER_INVITE, SERVER_OTHER, KINDS };

enum transaction_event {
	EV_1XX, /* a response received, or asked for by the user */
	EV_2XX,
	EV_FINAL, /* 300 to 699; of other methods than INVITE 200 to 699 */
	EV_REPEAT,
	EV_ACK,
	EV_AGAIN, /* timers A, E, G */
	EV_END,   /* all other timers */
	EV_ERROR,
	EVENTS,
};

/* A message kept for repetition. */
struct stored {
	struct sip_hop hop;
	uint32_t n;
	char bytes[];
};

struct transaction {
	uint8_t key[TRANSACTION_KEY_SIZE];
	uint8_t merge_key[TRANSACTION_KEY_SIZE]; /* server */
	uint64_t id;
	uint64_t tag;
	struct sip_transactions *layer;
	struct timer again, end;
	uint64_t interval_ns; /* of `again` */
	uint8_t kind;
	uint8_t state;
	bool in_merge_map, merged;
	bool cancel_wanted, cancel_sent;
	bool send_failed;
	bool acknowledged;
	uint16_t delayed_status; /* a final response waits for `again` */
	struct sip_hop hop;
	struct stored *message; /* request, ACK of a refusal, or last response */
	struct stored *ack;     /* client, of a 2xx */
	uint8_t ack_tag[TRANSACTION_KEY_SIZE];
	void *ctx; /* client */
	const struct sip_client_handler *handler;
};

struct sip_transactions {
	struct sip_transactions_config config;
	struct pool pool;
	struct map map, merge_map;
	uint8_t seed[2][SIPHASH_KEY_SIZE];
	struct sip_transaction_stats stats;
	char *scratch; /* a message that is built, or what a key is made of */
};

static inline bool transaction_is_client(const struct transaction *t)
{
	return t->kind == CLIENT_INVITE || t->kind == CLIENT_OTHER;
}

/* ---- transaction.c ---- */
void transaction_finish(struct transaction *t);

/* ---- transaction_machine.c ---- */
void transaction_timers_init(struct transaction *t);
/* Begins in this state. */
void transaction_enter(struct transaction *t, enum sip_transaction_state state);
/* message and source: what came, NULL where nothing did. May finish t. */
void transaction_run(struct transaction *t, enum transaction_event event,
	const struct sip_message *message, const struct sip_hop *source, uint64_t now_ns);
/* Tells a client by a timer that it could not send. */
void transaction_fail_soon(struct transaction *t);

/* ---- transaction_key.c: in the scratch buffer ---- */
/* space sets keys of unlike meaning apart. */
void transaction_hash(struct sip_transactions *layer, char space, const struct str *parts,
	unsigned count, uint8_t key[TRANSACTION_KEY_SIZE]);
void transaction_client_key(struct sip_transactions *layer, struct str branch, struct str method,
	uint8_t key[TRANSACTION_KEY_SIZE]);
void transaction_server_key(struct sip_transactions *layer, const struct sip_message *request,
	struct str method, uint8_t key[TRANSACTION_KEY_SIZE]);
/* Of a request that came by two ways (section 8.2.2.2). */
void transaction_merge_key(struct sip_transactions *layer, const struct sip_message *request,
	uint8_t key[TRANSACTION_KEY_SIZE]);

/* ---- transaction_message.c ---- */
/* Replaces what is at `at`, on success only: -ENOBUFS at the ceiling of bytes, -ENOMEM. */
int transaction_store(struct sip_transactions *layer, struct stored **at, struct str bytes,
	const struct sip_hop *hop);
void transaction_drop(struct sip_transactions *layer, struct stored **at);
int transaction_send_bytes(
	struct sip_transactions *layer, struct sip_hop *hop, const void *p, size_t n);
/* NULL: nothing to send, 0. */
int transaction_send(struct sip_transactions *layer, struct stored *stored);
/* The ACK of a final response other than 2xx, kept in the place of the INVITE. */
void transaction_send_ack(struct transaction *t, const struct sip_message *response);
void transaction_send_cancel(struct transaction *t);
