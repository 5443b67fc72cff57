/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the session layer: the record of a session, and what its files ask of each other.
 *
 *   session.c         life, states, events, dispatch, messages
 *   session_in.c      the incoming INVITE up to its ACK or refusal
 *   session_out.c     the outgoing INVITE: attempts, credentials, failover, forks, CANCEL
 *   session_dialog.c  within the dialog: BYE, INFO, OPTIONS, re-INVITE both ways
 *   session_keys.c    new SRTP keys for all sessions
 *   session_refer.c   REFER and its subscription
 *   session_offer.c   session descriptions
 *   session_timer.c   RFC 4028
 */
#pragma once

#include "base/map.h"
#include "base/pool.h"
#include "sip/digest.h"
#include "sip/session.h"

#define SESSION_SCRATCH (SIP_MESSAGE_BYTES_MAX + 256)
#define SESSION_LINES   512

/* Bytes of the texts of a session's end, which are cut there. */
#define SESSION_END_REASON_MAX 127
#define SESSION_BYE_TEXT_MAX   95

/* Bytes of the session's own. */
struct session_text {
	char *p;
	size_t n;
};
int session_text_set(struct session_text *text, struct str value);
/* Cut at `max` bytes. Empty, or without memory: none. */
void session_text_keep(struct session_text *text, struct str value, size_t max);
void session_text_clear(struct session_text *text);
static inline struct str session_text_str(const struct session_text *text)
{
	return str_make(text->p, text->n);
}

/* What an outgoing call needs until it is answered, and for challenges later. */
struct session_out {
	struct session_text target, from, display, to, asserted, privacy, lines, call_id;
	struct sip_hop hops[SIP_SESSION_HOPS_MAX];
	uint8_t hop_count, hop_index;
	uint8_t attempts;
	bool heard;    /* a response came from the present hop */
	bool over_tcp; /* the attempt under way, for its size alone */
	struct digest_account_text account;
	struct session_text body;
};

/* An offer of ours after the initial one. */
enum session_exchange {
	EXCHANGE_NONE,
	EXCHANGE_REOFFER, /* our re-INVITE is under way */
	EXCHANGE_WAITING, /* it waits to be sent: after a 491, or for an ACK of the peer */
};

struct session_arrival;

/* A REFER of the peer, and the subscription to what it leads to. */
struct session_refer {
	const struct session_arrival *arrival; /* while the user decides */
	bool open;                             /* accepted, and its result is not told yet */
	bool unsubscribed;                     /* nobody listens */
	uint32_t cseq;                         /* its name */
	uint16_t result; /* waits for the answer to the first NOTIFY; 0: none */
	uint64_t notify; /* transaction of the NOTIFY under way, 0: none */
	struct timer expiry;
};

struct session {
	uint64_t id, tag;
	struct sip_sessions *layer;
	uint8_t state;    /* enum sip_session_state */
	uint8_t exchange; /* enum session_exchange */
	bool outgoing;
	bool symmetric;
	bool was_answered;
	bool hangup_wanted; /* as soon as the ACK is here */
	char local_tag[SIP_TAG_SIZE];
	struct sip_dialog dialog;
	struct sip_hop hop; /* where its messages come from, or went */

	uint64_t server;   /* transaction of the INVITE that waits for answer or ACK, 0: none */
	bool offer_in_200; /* our offer is in its 200, the answer comes with the ACK */
	uint32_t server_cseq;
	struct session_text request; /* the initial INVITE while it is unanswered */

	uint64_t client; /* transaction of our INVITE or re-INVITE */
	uint32_t client_cseq;
	struct session_out *out;
	struct session_text auth[2]; /* header lines: Authorization, Proxy-Authorization */
	uint8_t challenges;

	struct sdp_local local, wanted; /* in force, offered by a re-INVITE */
	struct sdp_origin origin;
	struct sdp_stream stream;
	bool has_stream;
	bool refresh_only;            /* the re-INVITE is no sip_session_reoffer() */
	bool new_keys;                /* the re-INVITE offers new keys, and nothing else is new */
	bool keys_due;                /* such a one is to be sent */
	bool peer_key_is_new;         /* in the answer to it */
	struct session_text peer_sdp; /* the last one */
	struct session_text our_sdp;  /* while it may have to be sent again */

	uint32_t expires_s; /* session timer, 0: none */
	uint32_t min_se_s;  /* asked for by a 422 */
	bool refresher;     /* we */
	uint64_t expire_ns;

	char referrer[SIP_PEER_NAME_SIZE]; /* name of a peer that may refer; empty: it may not */
	struct session_refer refer;

	struct timer tell, retry, refresh;
	struct sip_end end;
	struct session_text end_reason;
	uint16_t bye_q850;
	struct session_text bye_text;
};

struct sip_sessions {
	struct sip_sessions_config config;
	struct pool pool;
	struct map dialogs; /* by our tag */
	struct sip_session_stats stats;
	uint64_t serial;
	char *scratch;       /* a message that is built */
	char *sdp_text;      /* a description that is built */
	struct sdp *sdp;     /* a description that came */
	struct str sdp_body; /* its text, in the message that it came with */
	struct sdp *previous;
	struct timer keys;           /* next step of sip_sessions_renew_keys() */
	struct session *keys_behind; /* whom it has come to, who may be gone; NULL: at the start */
	bool keys_left;              /* it has passed by one that had an exchange under way */
};

struct session_reply {
	unsigned status;
	struct str reason;
	bool contact;
	uint32_t retry_after_s;
	const char *lines; /* NULL: none */
	struct str body;   /* SDP */
};

/* A request of ours within the dialog. */
struct session_request {
	enum sip_method method;
	uint32_t cseq;    /* 0: the next */
	const char *type; /* of the body; NULL: SDP */
	struct str body;
	const char *lines; /* NULL: none */
};

/* A request of the peer within the dialog. */
struct session_arrival {
	uint64_t transaction;
	const struct sip_message *message;
	const struct sip_hop *source;
	uint64_t now_ns;
};

/* ---- session.c ---- */
struct session *session_find(const struct sip_sessions *layer, uint64_t id);
struct session *session_of_dialog(const struct sip_sessions *layer, struct str call_id,
	struct str local_tag, struct str remote_tag);
struct session *session_make(struct sip_sessions *layer);
void session_drop(struct session *s); /* without a word */
void session_set_state(struct session *s, enum sip_session_state state);
/* DONE; the last event is told by a timer. Once: later calls do nothing. */
void session_finish(struct session *s);
/* What the last event will say. Only the first call counts. */
void session_set_end(struct session *s, unsigned status, bool by_peer, struct str reason);
void session_read_reason(struct session *s, const struct sip_message *message);
int session_contact(struct sip_sessions *layer, struct sip_builder *b, const struct sip_hop *hop);
void session_common_headers(struct sip_sessions *layer, struct sip_builder *b, bool request);
/* Builds and sends a response to a request that is at hand. */
int session_reply(struct sip_sessions *layer, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, struct str to_tag,
	const struct session_reply *reply);
struct sip_hop session_next_hop(const struct session *s);
uint64_t session_now(const struct sip_sessions *layer);

/* ---- session_in.c ---- */
int session_reply_invite(struct session *s, const struct session_reply *reply);

/* ---- session_out.c ---- */
extern const struct sip_client_handler session_invite_handler;
void session_out_free(struct session *s);
void session_out_failover(struct session *s);
void session_out_silent(struct session *s);
int session_authorize(struct session *s, const struct sip_message *response, enum sip_method method,
	struct str uri, struct str body);
void session_add_credentials(const struct session *s, struct sip_builder *b);

/* ---- session_dialog.c ---- */
void session_send_bye(struct session *s);
int session_start(struct session *s, const struct session_request *request,
	const struct sip_client_handler *handler, uint64_t *id);
int session_answer(
	struct session *s, const struct session_arrival *in, const struct session_reply *reply);
/* The ACK of a 2xx, kept by the transaction. */
int session_send_ack(struct session *s, const struct sip_message *response);
void session_dialog_request(struct session *s, uint64_t transaction,
	const struct sip_message *request, const struct sip_hop *source, uint64_t now_ns);
int session_send_reinvite(struct session *s);
void session_wait_for_ack(struct session *s);
void session_reoffer_over(struct session *s, unsigned status, uint64_t now_ns);

/* ---- session_keys.c ---- */
/* Our key of the stream that runs is ours again: an offer of new ones was refused. */
void session_keys_keep(struct session *s);
void session_keys_step(struct sip_sessions *layer, uint64_t now_ns);

/* ---- session_refer.c ---- */
void session_refer_init(struct session *s);
void session_refer_take(struct session *s, const struct session_arrival *in);
/* The session ends: a result that waits is told at once, and that is all. */
void session_refer_end(struct session *s);

/* ---- session_offer.c ---- */
/* The offer of a message: 0, layer->sdp and sdp_body; -ENODATA none; -EMEDIUMTYPE; -EBADMSG. */
int session_read_sdp(struct sip_sessions *layer, const struct sip_message *message);
/* Answers layer->sdp: fills our_sdp, peer_sdp and *stream. */
int session_make_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream);
int session_make_offer(struct session *s, const struct sdp_local *local);
/* Takes layer->sdp as the answer to our offer with `local`. An offer that does not let us send leaves
 * held_by_peer as it was. */
int session_take_answer(struct session *s, struct str peer, const struct sdp_local *local,
	struct sdp_stream *stream);
/* Puts a stream in force; true when that is a change. */
bool session_set_stream(struct session *s, const struct sdp_stream *stream);

/* ---- session_timer.c ---- */
/* Of a request: 0, or -ERANGE: answer 422 with Min-SE. */
int session_timer_check(const struct sip_sessions *layer, const struct sip_message *request);
/* As the one who answers: decides, and writes header lines for the 2xx. */
void session_timer_answer(
	struct session *s, const struct sip_message *request, char lines[SESSION_LINES]);
/* As the one who asks: header lines of an INVITE, and what its 2xx decided. */
void session_timer_offer(const struct session *s, struct sip_builder *b);
void session_timer_accepted(struct session *s, const struct sip_message *response);
/* Takes Min-SE of a 422: false when it makes no sense. */
bool session_timer_raise(struct session *s, const struct sip_message *response);
void session_timer_start(struct session *s);
void session_timer_fired(struct session *s, uint64_t now_ns);
void session_timer_refresh_failed(struct session *s, uint64_t now_ns);
