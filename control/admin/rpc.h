/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: JSON-RPC 2.0 over lines, apart from sockets: a line comes in, texts go out through the
 * peer's `send`, one line each.
 *
 *   line --parse--> call --verb known? role? parameters? request id?--> handler --> answer
 *                   or batch of calls                                    now or later
 *
 * Whatever a line holds, the peer lives on and gets an answer that says what is wrong and what was
 * expected. A call whose peer has gone runs to its end; its answer goes nowhere.
 *
 * A line with an object that has `channel` and `topic`, and not `jsonrpc`, is a message of an agent's
 * desktop instead: the owner's `message` answers it in that protocol's own words (desktop.h).
 */
#ifndef ADMIN_RPC_H
#define ADMIN_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "admin/answers.h"
#include "admin/verb.h"

#define RPC_BATCH_MAX  100u
#define RPC_CALLS_MAX  64u        /* of one peer, not answered yet */
#define RPC_ANSWER_MAX (2u << 20) /* bytes of one answer; a longer one is an error */
#define RPC_WHY_SIZE   320

enum rpc_error {
	RPC_PARSE = -32700,
	RPC_INVALID = -32600,
	RPC_NO_VERB = -32601,
	RPC_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	/* our own */
	RPC_FORBIDDEN = -32001, /* the role is not enough */
	RPC_REFUSED = -32002,   /* the state of things forbids it */
	RPC_NOT_FOUND = -32003, /* no such agent, contact, queue, … */
	RPC_VERSION = -32004,   /* `if_version` is not the contact's version */
	RPC_BUSY = -32005,      /* too much under way */
	RPC_FAILED = -32006,    /* a part of control does not work now */
	RPC_REQUEST = -32007,   /* `request` was used for another call */
};

/* What serves the calls: a table of verbs and its context. */
struct rpc {
	const struct verb_group *groups;
	size_t n_groups;
	void *ctx;
	uint64_t (*now)(void *ctx); /* CLOCK_MONOTONIC */
	/*
	 * A message, the call's parameters; the call has no verb, and is answered with rpc_answer(). NULL:
	 * there are none.
	 */
	void (*message)(struct rpc_call *call);
	struct answers answers;
	uint64_t calls, errors; /* counted */
};

/* One connection as seen from here; lives in its owner's record. */
struct rpc_peer {
	struct rpc *rpc;
	enum role role;
	uid_t uid;
	/* One line, with its LF. */
	void (*send)(struct rpc_peer *peer, const char *line, size_t n);
	/* Told when the last call under way has been answered. May be NULL. */
	void (*idle)(struct rpc_peer *peer);
	struct rpc_call *calls; /* under way */
	unsigned n_calls;
	char *agent; /* id of the user whom messages act for; NULL: nobody yet (desktop.c) */
};

struct rpc_batch;

struct rpc_call {
	struct rpc *rpc;
	struct rpc_peer *peer;   /* NULL: gone */
	const struct verb *verb; /* NULL: a message */
	json_t *id;              /* NULL: a notification */
	json_t *params;          /* an object, checked */
	void *state;             /* the handler's own, for one that answers later */
	struct rpc_batch *batch;
	char *key; /* of `request`, NULL: none */
	size_t key_n;
	struct rpc_call *next, **back;
};

void rpc_init(struct rpc *rpc, const struct verb_group *groups, size_t n_groups, void *ctx,
	uint64_t (*now)(void *ctx));
/* All peers must be gone and all calls answered. */
void rpc_clear(struct rpc *rpc);

const struct verb *rpc_find(const struct rpc *rpc, const char *name);

/* A line of the peer; NULL: one that was too long. */
void rpc_line(struct rpc_peer *peer, const char *line, size_t n);
/* No `send` for it any more. */
void rpc_peer_gone(struct rpc_peer *peer);
/* A notification to the peer; takes the object. */
void rpc_notify(struct rpc_peer *peer, const char *method, json_t *params);

/* ---- for handlers: one of these answers the call and ends it ---- */

/* Takes the result; NULL is an internal error (no memory). */
void rpc_result(struct rpc_call *call, json_t *result);
__attribute__((format(printf, 3, 4))) void rpc_refuse(
	struct rpc_call *call, enum rpc_error code, const char *fmt, ...);
/* A parameter is not what was expected. */
__attribute__((format(printf, 3, 4))) void rpc_refuse_param(
	struct rpc_call *call, const char *param, const char *fmt, ...);
/* The answer to a message; takes the object. */
void rpc_answer(struct rpc_call *call, json_t *object);
/* 0 answers with `result`; an errno refuses with the text and drops the result. */
void rpc_finish(struct rpc_call *call, int rc, const char *why, json_t *result);

/* Parameters; NULL, the default or false when absent. */
const char *rpc_text(const struct rpc_call *call, const char *name);
int64_t rpc_number(const struct rpc_call *call, const char *name, int64_t otherwise);
bool rpc_flag(const struct rpc_call *call, const char *name);
bool rpc_has(const struct rpc_call *call, const char *name);
const json_t *rpc_value(const struct rpc_call *call, const char *name);

/* The verbs that every table has: ping, rpc.list. */
extern const struct verb_group rpc_verbs;

#endif
