/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signalling: the SIP room put together for an instance: transports, user agent, trunks, agents'
 * phones, number plan, guard; and the policy that says who may do what:
 *
 *     source address of a trunk, or its digest credentials   INVITE to the instance's numbers
 *     phone of an agent (registered or static)               INVITE to numbers of the plan
 *     REGISTER with an agent's credentials                   binds the phone
 *     anybody else                                           a refusal that helps no scanner
 *
 * The switchboard judges a call with signalling_judge(), and dials with signalling_call_phone() and
 * signalling_dial().
 */
#ifndef CONTACT_SIGNALLING_H
#define CONTACT_SIGNALLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/random.h"
#include "contact/config.h"
#include "contact/instance.h"
#include "media/media.h"
#include "sip/overload.h"
#include "sip/session.h"
#include "sip/ua.h"

#define SIGNALLING_FAILED_SIZE 192

struct signalling;

struct signalling_config {
	struct loop *loop;
	struct random *random;
	const struct config *config;
	const struct instance *instance;
	const struct sip_session_events *events;
	void *ctx; /* of the events and of `phone` */
	/* An agent's phone can be called from now on, or cannot any more. */
	void (*phone)(void *ctx, const struct resource_agent *agent, bool ready);
	/* Every message in and out; may be NULL. */
	void (*trace)(void *ctx, const struct sip_trace *trace);
	void *trace_ctx;
};

/* -EADDRINUSE and friends; `failed` says what could not be opened (may be NULL). */
int signalling_open(const struct signalling_config *config, char failed[SIGNALLING_FAILED_SIZE],
	struct signalling **out);
void signalling_close(struct signalling *signalling);
void signalling_reload(struct signalling *signalling, const struct instance *instance);
/* New calls get 503 from now on. */
void signalling_drain(struct signalling *signalling, uint32_t retry_after_s);

struct sip_ua *signalling_ua(struct signalling *signalling);
struct sip_sessions *signalling_sessions(struct signalling *signalling);

/* A new call, judged. Texts are copies; `flow` belongs to the instance. */
struct signalling_call {
	char from[64];       /* E.164 where the plan can make it so, else as the peer wrote it */
	char from_name[128]; /* display name, "" when none */
	char to[64];
	char peer[SIP_PEER_NAME_SIZE];
	bool by_phone;
	char trunk[TRUNK_NAME_SIZE];        /* whose channel it holds; "": none */
	const struct resource_agent *agent; /* by_phone: whose */
	const char *flow;                   /* of the number; NULL when dialled by a phone */
	const struct sip_incoming *incoming;
};

/* 0 and the call, or the SIP status that refuses it (404 no such number, 403 not allowed, 503 over
 * the trunk's limits). `call` is always filled as far as it is known. */
unsigned signalling_judge(struct signalling *signalling, const struct sip_incoming *incoming,
	uint64_t now_ns, struct signalling_call *call);
/* A call over a trunk, in or out, is over: its channel is free. */
void signalling_release(struct signalling *signalling, const char *trunk);

/* $.Media.Sip.Headers.*: pairs "Name\0value\0…\0", malloc'ed; NULL when there are none. */
char *signalling_headers(const struct signalling_call *call);

/* The media options of a trunk; "" and one that is gone: those of the instance. Until a reload. */
const struct peer_media *signalling_media(const struct signalling *signalling, const char *trunk);
/* What our SDP says for a port to a peer with these options. */
struct sdp_local signalling_local(const struct address *port, const struct peer_media *media);

struct signalling_dial {
	const char *number;      /* caller id: number, or user part of From */
	const char *name;        /* caller id: name */
	struct media_leg *media; /* what is called; it goes to the family of where the call goes */
	bool auto_answer;        /* ask the phone to answer by itself */
};

/* Calls an agent's phone. -EHOSTUNREACH: not registered. */
int signalling_call_phone(struct signalling *signalling, const struct resource_agent *agent,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session);

/*
 * Calls a number (E.164) over the first trunk of the number plan that has a channel; its gateways
 * are tried in turn. `trunk` is whose channel it holds until signalling_release(). -EACCES: the
 * plan does not let it be dialled; -ENOENT: no route; -EBUSY: no trunk can take it.
 */
int signalling_call_number(struct signalling *signalling, const char *number,
	const struct signalling_dial *dial, uint64_t now_ns, uint64_t *session,
	char trunk[TRUNK_NAME_SIZE]);

/* The number plan lets it be dialled and knows a way. */
bool signalling_may_call(const struct signalling *signalling, const char *number);

struct signalling_stats {
	uint32_t phones_registered;
	uint32_t trunks, trunks_up;
	uint64_t guard_failures, guard_blocked;
	struct overload_stats overload;
};
void signalling_stats(const struct signalling *signalling, struct signalling_stats *out);

#endif
