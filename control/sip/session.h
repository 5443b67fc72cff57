/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INVITE sessions, both ways: what the contact room calls a leg's signalling. Pure; time, timers
 * and the wire come in.
 *
 *   incoming                                   outgoing
 *
 *   INCOMING --ring--> RINGING                 CALLING --1xx--> PROCEEDING
 *      |  \--early-->  EARLY                      |  |  hangup     |   | hangup
 *      |                 |                        |  +-> CANCELLING <--+
 *      answer         answer                     2xx      |  |  2xx: ACK, BYE
 *      v                 v                        |       |  v
 *   ANSWERED ---ACK--> ESTABLISHED <--------------+       | ENDING
 *      |                 | hangup                         | 487
 *      |hangup           v                                v
 *      +-------------> ENDING --(BYE answered)---------> DONE
 *
 *   INCOMING, RINGING, EARLY: reject, hangup, CANCEL -> DONE.  Any: BYE of the peer -> DONE.
 *   hangup in ANSWERED waits for the ACK (or 64*T1 without it) before the BYE, as section 15 asks.
 *
 * Contract with the user
 * - A session is an id with a generation. It is made by `incoming` or sip_session_invite() and ends
 *   with exactly one `ended` or `failed`, after which the id is stale.
 * - No callback runs inside a call of a function below; what such a call causes is told by a timer
 *   that is due at once. Calls are fine inside callbacks.
 * - Text and messages given to callbacks are valid during the callback.
 * - Calls on a stale id give -ESRCH, calls that the state forbids -EINVAL.
 *
 * What the session does by itself: 2xx repetition until ACK, ACK, CANCEL in every window, surplus
 * forks (ACK and BYE), answers to re-INVITE (hold, resume, new address, new codecs, none: our
 * offer), 491 and its retry, digest credentials, 422 and session timers (RFC 4028), failover over
 * the given hops, 420, OPTIONS and INFO in the dialog, 405 and 501 with Allow.
 *
 * SRTP (offer_answer.h): our keys are drawn once for a session, and gone with it. A re-INVITE that
 * would end encryption is refused with 488 and changes nothing; an answer that does ends the call.
 *
 * REFER (RFC 3515)
 * - Heard from those alone whom the user lets refer, the phones of agents (struct sip_peer and
 *   struct sip_invite); anybody else gets 403, since who refers makes us dial (toll fraud). So does
 *   a REFER outside of a dialog.
 * - Told by `refer`, in which the user accepts or rejects it. What it led to is told later with
 *   sip_session_refer_result(). The session answers 400 to a malformed one, 491 while another one
 *   is open, and 500 when the call is not up yet or the user did not decide.
 * - The implicit subscription ends with the result, after SIP_REFER_EXPIRES_S, when a NOTIFY fails,
 *   or with the session, whichever comes first; only the first two are told to the peer. With
 *   Refer-Sub: false (RFC 4488) there is none, and no NOTIFY.
 * - An INVITE of such a peer that Replaces a dialog is not supported: 501 when the dialog is ours,
 *   481 when it is not. A peer says it with REFER.
 */
#pragma once

#include "sip/dialog.h"
#include "sip/offer_answer.h"
#include "sip/refer.h"
#include "sip/transaction.h"

#define SIP_SESSIONS_MAX        65536u /* default ceiling */
#define SIP_SESSION_HOPS_MAX    4
#define SIP_SESSION_EXPIRES_S   1800
#define SIP_SESSION_MIN_SE_S    90
#define SIP_FAILOVER_NS         4000000000ull   /* silence after which the next hop is tried */
#define SIP_RING_SILENCE_NS     200000000000ull /* between responses of a ringing peer; then CANCEL */
#define SIP_URI_TEXT_MAX        512
#define SIP_EXTRA_LINES_MAX     2048
#define SIP_PEER_NAME_SIZE      64
#define SIP_INVITE_ATTEMPTS_MAX 8 /* challenges, 422 and failover together */
#define SIP_REFER_EXPIRES_S     180u

struct sip_sessions;

enum sip_session_state {
	SIP_SESSION_INCOMING,
	SIP_SESSION_RINGING,
	SIP_SESSION_EARLY,
	SIP_SESSION_ANSWERED,
	SIP_SESSION_CALLING,
	SIP_SESSION_PROCEEDING,
	SIP_SESSION_CANCELLING,
	SIP_SESSION_ESTABLISHED,
	SIP_SESSION_ENDING,
	SIP_SESSION_DONE,
	SIP_SESSION_STATES,
};
const char *sip_session_state_name(enum sip_session_state state);

/* Who sent a request, as the policy of ua.h found. */
enum sip_peer_kind {
	SIP_PEER_UNKNOWN,
	SIP_PEER_TRUNK,
	SIP_PEER_PHONE,
};
struct sip_peer {
	uint8_t kind;   /* enum sip_peer_kind */
	bool symmetric; /* requests go to where its messages come from, not to its Contact (NAT) */
	bool may_refer; /* its REFERs are heard */
	uint32_t index; /* of the trunk, or of the phone in its list */
	char name[SIP_PEER_NAME_SIZE]; /* trunk name, or user of the phone; terminated */
};

struct sip_incoming {
	struct sip_peer peer;
	struct sip_hop source;
	const struct sip_message *message; /* all headers, Request-URI, From, To */
	const struct sdp *offer;           /* NULL: none, ours goes into the 200 */
	/*
	 * First P-Asserted-Identity with a sip or tel URI, else absent (empty text). Believe it
	 * only when the peer is a trunk that may assert.
	 */
	struct sip_address asserted;
};

/* How a session ended or failed. */
struct sip_end {
	uint16_t status; /* SIP status of the peer or of ours; 0: BYE */
	bool by_peer;   /* the peer ended it (BYE, CANCEL, final response); false: we, or silence */
	bool cancelled; /* CANCEL of the peer */
	bool timed_out; /* nobody answered: transaction or session timer, missing ACK */
	int16_t q850;   /* cause of Reason: Q.850, 0: none */
	uint32_t retry_after_s; /* of the final response, 0: none */
	struct str reason;      /* phrase of the response, or text of the Reason header */
};

struct sip_session_events {
	/* A new call that the policy let in; 100 is sent. Ring, answer or reject it. */
	void (*incoming)(void *ctx, uint64_t id, const struct sip_incoming *call, uint64_t now_ns);
	/* Outgoing: 101 to 199. media: early media, NULL without. */
	void (*progress)(void *ctx, uint64_t id, unsigned status, const struct sdp_stream *media,
		uint64_t now_ns);
	/* The call is up: 200 came and was acknowledged, or ACK came. media is never NULL. */
	void (*answered)(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns);
	/* Media changed while up: address, codec, payload types, direction, held_by_peer. */
	void (*media)(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns);
	/* Our sip_session_reoffer() is over: 0, or the status that refused it (408: silence). When
	 * it changed something, `media` came before. */
	void (*reoffered)(void *ctx, uint64_t id, unsigned status, uint64_t now_ns);
	/*
	 * An offer of sip_sessions_renew_keys() is over: 0, or the status that refused it; with 0,
	 * whether the peer's own key is a new one as well. `media` came before. May be NULL.
	 */
	void (*rekeyed)(
		void *ctx, uint64_t id, unsigned status, bool peer_key_is_new, uint64_t now_ns);
	/* A key by INFO (application/dtmf-relay, application/dtmf); duration 0: not said. */
	void (*digit)(void *ctx, uint64_t id, char digit, unsigned duration_ms, uint64_t now_ns);
	/*
	 * The peer wants its other end to talk to somebody else. Accept or reject it before this
	 * returns. May be NULL: 403.
	 */
	void (*refer)(void *ctx, uint64_t id, const struct sip_refer *refer, uint64_t now_ns);
	/* The last word: a session that was incoming, or was answered. */
	void (*ended)(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns);
	/* The last word: an outgoing session that was never answered. */
	void (*failed)(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns);
};

struct sip_session_stats {
	uint64_t incoming, outgoing, answered, failed, ended;
	uint64_t glare, challenges, failovers, surplus_forks, timer_expired, unacknowledged;
	uint64_t refused; /* at the ceiling */
	uint32_t live;
};

struct sip_sessions_config {
	struct timers *timers;
	struct random *random;
	const struct sip_wire *wire;
	struct sip_transactions *transactions;
	struct sip_timing timing;
	uint32_t max;           /* 0: SIP_SESSIONS_MAX */
	uint32_t expires_s;     /* Session-Expires, 0: SIP_SESSION_EXPIRES_S */
	uint32_t min_se_s;      /* 0: SIP_SESSION_MIN_SE_S */
	bool no_session_timers; /* offer none (the peer's are served) */
	uint64_t failover_ns;   /* 0: SIP_FAILOVER_NS */
	char product[64];       /* Server and User-Agent; empty: none */
	char user[64];          /* user part of our Contact; empty: cordboard */
	void *ctx;
	const struct sip_session_events *events;
};

int sip_sessions_new(const struct sip_sessions_config *config, struct sip_sessions **out);
void sip_sessions_free(struct sip_sessions *layer); /* no callbacks, nothing sent */
const struct sip_session_stats *sip_sessions_stats(const struct sip_sessions *layer);

/* ---- what the user asks for ---- */

struct sip_invite {
	struct str target;   /* Request-URI */
	struct str from;     /* URI of From */
	struct str display;  /* caller id name of From, not quoted; empty: none */
	struct str to;       /* URI of To; empty: target */
	struct str asserted; /* URI for P-Asserted-Identity; empty: none */
	struct str privacy;  /* Privacy value, such as id; empty: none */
	struct str
		lines; /* complete extra header lines, each with CRLF: Alert-Info, Call-Info, … */
	const struct sip_hop *hops; /* in order of trial */
	unsigned hop_count;         /* 1 to SIP_SESSION_HOPS_MAX */
	bool symmetric;             /* as in struct sip_peer */
	struct str
		referrer; /* name of the peer as in struct sip_peer when it may refer, or empty */
	struct sdp_local local;
	struct digest_account_text {
		char user[64], password[128], realm[128]; /* realm empty: any; user empty: none */
	} account;
};

/* Starts a call. -ENOBUFS at a ceiling, -EINVAL, -EADDRNOTAVAIL, -E2BIG for long text. */
int sip_session_invite(
	struct sip_sessions *layer, const struct sip_invite *invite, uint64_t now_ns, uint64_t *id);

/* 180. INCOMING or RINGING. */
int sip_session_ring(struct sip_sessions *layer, uint64_t id);
/*
 * 183 with our answer; *agreed is what was agreed. INCOMING or RINGING; -ENODATA when the INVITE
 * had no offer; -ENOTSUP when nothing is in common (reject it with 488).
 */
int sip_session_early_media(struct sip_sessions *layer, uint64_t id, const struct sdp_local *local,
	struct sdp_stream *agreed);
/*
 * 200. After early media, local is not looked at and may be NULL. *agreed (may be NULL) is what was
 * agreed, with remote.udp_port 0 when our offer is in the 200 and the answer comes with the ACK.
 * -ENOTSUP as above.
 */
int sip_session_answer(struct sip_sessions *layer, uint64_t id, const struct sdp_local *local,
	struct sdp_stream *agreed);
/* status 300 to 699; reason empty: the standard phrase; retry_after_s 0: none. */
int sip_session_reject(struct sip_sessions *layer, uint64_t id, unsigned status, struct str reason,
	uint32_t retry_after_s);
/*
 * Ends it whatever its state: 480 (incoming, not answered), CANCEL, BYE. q850 and text go into a
 * Reason header; 0 and empty: none.
 */
int sip_session_hangup(struct sip_sessions *layer, uint64_t id, unsigned q850, struct str text);
/*
 * Offers new media to the peer (hold: direction CORD_MAY_SEND; new address; codecs): a re-INVITE,
 * ended by `reoffered`. Refused: all stays as it was. -EBUSY while another one is under way.
 */
int sip_session_reoffer(
	struct sip_sessions *layer, uint64_t id, const struct sdp_local *local, uint64_t now_ns);
/*
 * Offers new SRTP keys to the peers of all sessions that are encrypted now: each gets a re-INVITE
 * that changes nothing else, at most 5 in 10 ms, and `rekeyed` ends it. Where an exchange is under
 * way it follows that one; after a 491 it is sent again with other keys (RFC 3261 section 14.1). A
 * peer that is silent or knows no such call (481) is hung up on, as after every re-INVITE.
 *
 * RFC 4568 section 7.1.4 lets the peer answer with the key that it has. One that answers a new key
 * with a new one of its own is taken to count from roll-over counter 0 with it, as for every new key;
 * one that carries its counter over to the new key (RFC 3711 section 3.3.1) cannot be told from that.
 * Refused: both keys stay as they were.
 */
void sip_sessions_renew_keys(struct sip_sessions *layer);

/*
 * Within `refer` only, -EINVAL otherwise. Accepted: 202, and NOTIFY with "100 Trying". Rejected:
 * status 300 to 699; reason empty: the standard phrase.
 */
int sip_session_refer_accept(struct sip_sessions *layer, uint64_t id);
int sip_session_refer_reject(
	struct sip_sessions *layer, uint64_t id, unsigned status, struct str reason);
/*
 * What an accepted REFER led to, as a status 200 to 699 for the last NOTIFY. A hang-up may follow
 * at once. -EINVAL when none is open (any more).
 */
int sip_session_refer_result(struct sip_sessions *layer, uint64_t id, unsigned status);

/* A number of the user's own, given back by sip_session_tag(). */
int sip_session_set_tag(struct sip_sessions *layer, uint64_t id, uint64_t tag);
uint64_t sip_session_tag(const struct sip_sessions *layer, uint64_t id);
enum sip_session_state sip_session_state(
	const struct sip_sessions *layer, uint64_t id); /* DONE when stale */
/*
 * The address family that the peer wants media over: of the first audio line of its description,
 * without one of where its messages come from. CORD_FAMILY_NONE when stale.
 */
enum cord_family sip_session_family(struct sip_sessions *layer, uint64_t id);
/* Call-ID for logs and traces; empty when stale. */
struct str sip_session_call_id(const struct sip_sessions *layer, uint64_t id);

/* ---- what the user agent core (ua.h) hands over ---- */

/* A new INVITE without To tag, let in by the policy. The layer answers it. */
void sip_sessions_invite(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source,
	const struct sip_peer *peer, uint64_t now_ns);
/* Any other request with a To tag. The layer answers it (481 when it has no such dialog). */
void sip_sessions_request(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns);
void sip_sessions_ack(struct sip_sessions *layer, const struct sip_message *ack,
	const struct sip_hop *source, uint64_t now_ns);
/* Answers the CANCEL too. */
void sip_sessions_cancel(struct sip_sessions *layer, uint64_t transaction, uint64_t invite,
	uint64_t tag, const struct sip_message *cancel, const struct sip_hop *source,
	uint64_t now_ns);
void sip_sessions_unacknowledged(
	struct sip_sessions *layer, uint64_t tag, uint64_t transaction, uint64_t now_ns);
/* True when a request belongs to a dialog of the layer. */
bool sip_sessions_know(const struct sip_sessions *layer, const struct sip_message *request);
/* Methods for Allow. */
#define SIP_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER"
/* Option tags for Supported, which may be required. */
#define SIP_SUPPORTED "timer, norefersub"
