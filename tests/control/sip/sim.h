/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two user agents on a simulated network under simulated time: a seed decides what is lost,
 * doubled and overtaken. Each agent answers calls as its script says and counts what it is told.
 */
#pragma once

#include "sip/ua.h"

#define SIM_CALLS_MAX       4096
#define SIM_UAS             2
#define SIM_LOST_CONNECTION 77 /* of SIM_TCP_LOST */
#define SIM_MS              1000000ull
#define SIM_S               1000000000ull

struct sim;

/* What a session was told so far. */
struct sim_call {
	uint64_t id;
	bool incoming;
	unsigned progress, answered, media, ended, failed, reoffered, digits;
	unsigned last_progress, reoffer_status, rekeyed, rekey_status;
	bool peer_key_is_new;
	struct sdp_stream stream, early;
	bool has_early, had_offer;
	unsigned refers;
	struct {
		char user[SIP_REFER_USER_SIZE], by[128];
		uint64_t other;
		bool has_replaces, unknown, unsubscribed;
	} refer; /* the last one */
	struct sip_end end;
	char reason[64];
	char digit;
	struct timer timer; /* of the script */
	int step;
	struct sim_ua *ua;
};

struct sim_ua {
	struct sim *sim;
	struct sip_ua *ua;
	struct sip_sessions *sessions;
	struct sip_wire wire;
	struct address address;
	struct sdp_local local;
	struct random random;
	struct sim_call calls[SIM_CALLS_MAX];
	unsigned count;
	bool strangers; /* nobody is known */
	bool symmetric;
	bool overloaded;  /* new calls are one too many */
	uint64_t refused; /* the last one's key */
	bool phones;      /* its peers are phones that may refer, all of one name */
	unsigned sent[SIP_METHOD_OTHER + 1]; /* requests, by method */
	/* The script; NULL: answer at once. */
	void (*incoming)(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in);
	void (*answered)(struct sim_ua *ua, struct sim_call *call);
	void (*refer)(struct sim_ua *ua, struct sim_call *call); /* NULL: accepts */
	void (*on_timer)(struct sim_ua *ua, struct sim_call *call);
};

struct sim {
	struct timers timers;
	struct random random; /* of the network */
	struct sim_ua ua[SIM_UAS];
	unsigned loss, dup; /* per mille */
	uint64_t delay_min_ns, delay_max_ns;
	uint64_t now_ns;
	/* Sees each datagram before the network does; false swallows it. May be NULL. */
	bool (*tap)(struct sim *sim, int from, const char *bytes, size_t n);
	void *tap_ctx;
	struct address sent_to; /* of the last message */
	bool print;
	enum { SIM_TCP, SIM_TCP_REFUSED, SIM_TCP_LOST } tcp; /* what becomes of what goes over it */
};

void sim_init(struct sim *sim, uint64_t seed);
void sim_init_with(struct sim *sim, uint64_t seed, const struct sip_sessions_config *sessions);
void sim_free(struct sim *sim);
void sim_run(struct sim *sim, uint64_t ns);
/* Until no timer is left, at most `ns`. */
void sim_settle(struct sim *sim, uint64_t ns);
/* ua[0] calls ua[1] (or the other way round). */
struct sim_call *sim_call(struct sim *sim, int from);
struct sim_call *sim_call_with(struct sim *sim, int from, const struct sip_invite *invite);
struct sip_hop sim_hop(const struct sim *sim, int to);
/* The call at the other end that was told last. */
struct sim_call *sim_last(struct sim *sim, int ua);
/* A message by hand, as if `from` had sent it. */
void sim_inject(struct sim *sim, int from, const char *text);
/* Checks that no transaction, session or stored byte is left. */
void sim_assert_empty(const struct sim *sim);
