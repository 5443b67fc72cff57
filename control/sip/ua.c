/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/ua.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define SCRATCH_SIZE (SIP_MESSAGE_BYTES_MAX + 256)
#define PINGS_MAX    1024
#define LINES_MAX    1024

struct ping {
	uint64_t started_ns, tag;
	void (*done)(void *ctx, uint64_t tag, unsigned status, uint64_t rtt_ns, uint64_t now_ns);
	void *ctx;
};

struct sip_ua {
	struct sip_ua_config config;
	struct sip_wire wire; /* the one below with trace and counters */
	struct sip_transactions *transactions;
	struct sip_sessions *sessions;
	struct sip_ua_stats stats;
	struct pool pings;
	bool draining;
	uint32_t retry_after_s;
	char *scratch;
	char *lines; /* of a struct sip_reply */
};

/* A new request in the hands of the core. */
struct arrival {
	struct sip_ua *ua;
	uint64_t transaction;
	const struct sip_message *message;
	const struct sip_hop *source;
	uint64_t now_ns;
};

/* ---- the wire, watched ------------------------------------------------------------------- */

static void trace(struct sip_ua *ua, const struct sip_hop *hop, const void *bytes, size_t n,
	bool outgoing, uint64_t now_ns)
{
	if (ua->config.trace)
		ua->config.trace(ua->config.trace_ctx,
			&(struct sip_trace){now_ns, outgoing, hop, str_make(bytes, n)});
}

static int watched_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	struct sip_ua *ua = ctx;
	int rc = ua->config.wire->send(ua->config.wire->ctx, hop, bytes, n);

	if (rc < 0) {
		ua->stats.send_errors++;
		return rc;
	}
	ua->stats.sent++;
	trace(ua, hop, bytes, n, true, timers_now(ua->config.timers));
	return rc;
}

static int watched_local(void *ctx, const struct sip_hop *hop, struct sip_local *local)
{
	struct sip_ua *ua = ctx;

	return ua->config.wire->local(ua->config.wire->ctx, hop, local);
}

/* ---- answers ----------------------------------------------------------------------------- */

static int build_reply(
	const struct arrival *in, unsigned status, const char *reason, struct str lines)
{
	struct sip_ua *ua = in->ua;
	struct sip_builder b = sip_build(ua->scratch, SCRATCH_SIZE);
	char received[ADDRESS_TEXT_SIZE], tag[SIP_TAG_SIZE];

	sip_tag_make(ua->config.random, tag);
	address_format_host(&in->source->remote, received);
	sip_build_response(&b, in->message,
		&(struct sip_response){
			.status = (uint16_t)status,
			.reason = str_from(reason),
			.to_tag = status > 100 ? str_from(tag) : STR_NULL,
			.received = str_from(received),
			.rport = address_port(&in->source->remote),
		});
	sip_build_lines(&b, lines);
	return sip_build_finish(&b, STR_NULL, STR_NULL);
}

static void answer_at(const struct arrival *in, unsigned status, const char *reason,
	struct str lines, uint64_t delay_ns)
{
	struct sip_ua *ua = in->ua;
	int n = build_reply(in, status, reason, lines);
	struct str bytes;

	if (n < 0) {
		sip_server_abandon(ua->transactions, in->transaction);
		return;
	}
	bytes = str_make(ua->scratch, (size_t)n);
	if (delay_ns)
		sip_server_respond_at(
			ua->transactions, in->transaction, status, bytes, in->now_ns + delay_ns);
	else
		sip_server_respond(ua->transactions, in->transaction, status, bytes);
}

static void answer(const struct arrival *in, unsigned status, const char *lines)
{
	answer_at(in, status, NULL, str_from(lines), 0);
}

static struct sip_reply empty_reply(struct sip_ua *ua)
{
	struct sip_reply reply = {0};

	strbuf_init(&reply.lines, ua->lines, SIP_UA_REPLY_LINES_MAX);
	return reply;
}

/*
 * Who is not known yet gets one answer for each request and leaves nothing behind: a forged source
 * is not sent repetitions, and a flood of strangers does not fill the table of transactions.
 */
static void carry_out(const struct arrival *in, const struct sip_reply *reply, bool known)
{
	struct sip_transactions *transactions = in->ua->transactions;
	unsigned status = reply->lines.overflow ? 500 : reply->status;
	struct str lines = reply->lines.overflow ? STR_NULL : strbuf_str(&reply->lines);
	bool silent = status < 200 || status > 699;

	if (!silent && (known || reply->delay_ns)) {
		answer_at(in, status, reply->reason, lines, reply->delay_ns);
		return;
	}
	if (!silent)
		sip_respond_stateless(transactions, in->message, in->source, status,
			str_from(reply->reason), lines);
	sip_server_abandon(transactions, in->transaction);
}

/* ---- new requests ------------------------------------------------------------------------ */

/* False when the sender is nobody we know; then it has been dealt with. */
static bool identified(const struct arrival *in, struct sip_peer *peer)
{
	struct sip_ua *ua = in->ua;
	const struct sip_ua_policy *policy = ua->config.policy;
	struct sip_reply reply = empty_reply(ua);

	memset(peer, 0, sizeof(*peer));
	if (policy->identify(policy->ctx, in->message, in->source, in->now_ns, peer, &reply))
		return true;
	ua->stats.unknown_peers++;
	carry_out(in, &reply, false);
	return false;
}

/* The option tags of SIP_SUPPORTED. */
static bool is_supported(struct str option)
{
	return str_equal_nocase(option, STR("timer")) ||
	       str_equal_nocase(option, STR("norefersub"));
}

/* Option tags of Require that are not ours, as an Unsupported line; false when there is none. */
static bool unsupported(const struct sip_message *message, char lines[LINES_MAX])
{
	struct sip_values values = sip_values(message, SIP_HEADER_REQUIRE);
	struct strbuf text;
	struct str value;
	bool any = false;

	strbuf_init(&text, lines, LINES_MAX - 2);
	while (sip_values_next(&values, &value) > 0) {
		if (is_supported(value))
			continue;
		strbuf_text(&text, any ? ", " : "Unsupported: ");
		strbuf_add(&text, value);
		any = true;
	}
	if (any)
		memcpy(lines + text.n, "\r\n", 3);
	return any;
}

/* What RFC 3261 section 8.2 lets nobody through with. */
static bool refused(const struct arrival *in)
{
	struct sip_ua *ua = in->ua;
	const struct sip_message *message = in->message;
	char lines[LINES_MAX];

	if (sip_server_is_merged(ua->transactions, in->transaction, message)) {
		ua->stats.merged++;
		answer(in, 482, NULL);
	} else if (message->method == SIP_METHOD_INVITE && message->max_forwards == 0) {
		ua->stats.too_many_hops++;
		answer(in, 483, NULL);
	} else if (message->uri.scheme == SIP_SCHEME_OTHER) {
		answer(in, 416, NULL);
	} else if (unsupported(message, lines)) {
		answer(in, 420, lines);
	} else {
		return false;
	}
	return true;
}

static void new_invite(const struct arrival *in, const struct sip_peer *peer)
{
	struct sip_ua *ua = in->ua;
	char lines[48];

	if (ua->draining) {
		ua->stats.refused_draining++;
		snprintf(lines, sizeof(lines), "Retry-After: %u\r\n", ua->retry_after_s);
		answer(in, 503, lines);
		return;
	}
	answer(in, 100, NULL);
	sip_sessions_invite(
		ua->sessions, in->transaction, in->message, in->source, peer, in->now_ns);
}

static void new_request(const struct arrival *in, const struct sip_peer *peer)
{
	static const char capabilities[] = "Allow: " SIP_ALLOW "\r\n"
					   "Accept: application/sdp\r\n"
					   "Supported: " SIP_SUPPORTED "\r\n";

	switch ((enum sip_method)in->message->method) {
	case SIP_METHOD_INVITE:
		new_invite(in, peer);
		break;
	case SIP_METHOD_OPTIONS:
		answer(in, in->ua->draining ? 503 : 200, capabilities);
		break;
	case SIP_METHOD_BYE:
	case SIP_METHOD_INFO:
	case SIP_METHOD_UPDATE:
	case SIP_METHOD_PRACK:
		answer(in, 481, NULL);
		break;
	case SIP_METHOD_REFER:
		answer(in, 403, NULL); /* only within a call of an agent's phone */
		break;
	case SIP_METHOD_OTHER:
		answer(in, 501, capabilities);
		break;
	default:
		answer(in, 405, capabilities);
		break;
	}
}

static void registration(const struct arrival *in)
{
	struct sip_ua *ua = in->ua;
	const struct sip_ua_policy *policy = ua->config.policy;
	struct sip_reply reply = empty_reply(ua);

	ua->stats.registrations++;
	if (!policy->registration) {
		answer(in, 405, "Allow: " SIP_ALLOW "\r\n");
		return;
	}
	policy->registration(policy->ctx, in->message, in->source, in->now_ns, &reply);
	carry_out(in, &reply, reply.status != 401);
}

static bool on_admit(void *ctx, uint64_t key, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_ua *ua = ctx;
	const struct sip_ua_policy *policy = ua->config.policy;
	uint32_t retry_s =
		policy->overloaded ? policy->overloaded(policy->ctx, key, source, now_ns) : 0;
	char text[48];
	struct strbuf lines;

	if (retry_s == 0)
		return true;
	ua->stats.refused_overload++;
	strbuf_init(&lines, text, sizeof(text));
	strbuf_text(&lines, "Retry-After: ");
	strbuf_u64(&lines, retry_s);
	strbuf_text(&lines, "\r\n");
	sip_respond_stateless(ua->transactions, message, source, 503, STR_NULL, strbuf_str(&lines));
	return false;
}

static bool on_refused(void *ctx, uint64_t key, uint64_t now_ns)
{
	const struct sip_ua *ua = ctx;
	const struct sip_ua_policy *policy = ua->config.policy;

	return policy->refused && policy->refused(policy->ctx, key, now_ns);
}

static void on_request(void *ctx, uint64_t id, const struct sip_message *message,
	const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_ua *ua = ctx;
	struct arrival in = {ua, id, message, source, now_ns};
	struct sip_peer peer;
	char lines[LINES_MAX];

	if (message->method == SIP_METHOD_REGISTER) {
		registration(&in);
	} else if (message->to_tag.n && sip_sessions_know(ua->sessions, message)) {
		if (unsupported(message, lines))
			answer(&in, 420, lines);
		else
			sip_sessions_request(ua->sessions, id, message, source, now_ns);
	} else if (!identified(&in, &peer)) {
		return;
	} else if (message->to_tag.n) {
		answer(&in, 481, NULL);
	} else if (!refused(&in)) {
		new_request(&in, &peer);
	}
}

static void on_ack(
	void *ctx, const struct sip_message *ack, const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_ua *ua = ctx;

	sip_sessions_ack(ua->sessions, ack, source, now_ns);
}

static void on_cancel(void *ctx, uint64_t id, uint64_t invite, uint64_t tag,
	const struct sip_message *cancel, const struct sip_hop *source, uint64_t now_ns)
{
	struct sip_ua *ua = ctx;
	struct arrival in = {ua, id, cancel, source, now_ns};
	struct sip_peer peer;

	if (!invite && !identified(&in, &peer))
		return;
	sip_sessions_cancel(ua->sessions, id, invite, tag, cancel, source, now_ns);
}

static void on_unacknowledged(void *ctx, uint64_t tag, uint64_t id, uint64_t now_ns)
{
	struct sip_ua *ua = ctx;

	sip_sessions_unacknowledged(ua->sessions, tag, id, now_ns);
}

static void on_stray(void *ctx, const struct sip_message *response, const struct sip_hop *source,
	uint64_t now_ns)
{
	struct sip_ua *ua = ctx;

	ua->stats.stray_responses++;
}

static const struct sip_server_handler server_handler = {
	.admit = on_admit,
	.refused = on_refused,
	.request = on_request,
	.ack = on_ack,
	.cancel = on_cancel,
	.unacknowledged = on_unacknowledged,
	.stray = on_stray,
};

/* ---- bytes in ---------------------------------------------------------------------------- */

static void malformed(
	struct sip_ua *ua, const struct sip_hop *source, const char *what, uint64_t now_ns)
{
	const struct sip_ua_policy *policy = ua->config.policy;

	if (policy->malformed)
		policy->malformed(policy->ctx, source, what, now_ns);
}

void sip_ua_receive(struct sip_ua *ua, const struct sip_hop *source, const void *bytes, size_t n,
	uint64_t now_ns)
{
	const struct sip_ua_policy *policy = ua->config.policy;
	struct sip_message message;
	struct sip_outcome outcome;
	struct sip_parse parse;

	if (policy->admit && !policy->admit(policy->ctx, source, now_ns)) {
		ua->stats.blocked++;
		return;
	}
	ua->stats.received++;
	trace(ua, source, bytes, n, false, now_ns);
	if (sip_message_begin(&parse, &message, bytes, n,
		    sip_hop_reliable(source) ? SIP_STREAM : SIP_DATAGRAM) &&
		!sip_transactions_admit(ua->transactions, &message, source, now_ns))
		return;
	switch (sip_message_finish(&parse, &outcome)) {
	case SIP_ACCEPT:
		sip_transactions_receive(ua->transactions, &message, source, now_ns);
		break;
	case SIP_REJECT:
		ua->stats.malformed++;
		malformed(ua, source, outcome.reason, now_ns);
		sip_respond_stateless(ua->transactions, &message, source, outcome.status,
			str_from(outcome.reason), STR_NULL);
		break;
	case SIP_DROP:
		ua->stats.dropped++;
		malformed(ua, source, outcome.reason, now_ns);
		break;
	}
}

void sip_ua_connection_lost(struct sip_ua *ua, uint64_t connection, uint64_t now_ns)
{
	sip_transactions_connection_lost(ua->transactions, connection, now_ns);
}

/* ---- pings ------------------------------------------------------------------------------- */

static void ping_done(struct sip_ua *ua, uint64_t id, unsigned status, uint64_t now_ns)
{
	struct ping *ping = pool_get(&ua->pings, id);
	struct ping copy;

	if (!ping)
		return;
	copy = *ping;
	pool_free(&ua->pings, ping);
	ua->stats.pings_lost += status == 0;
	copy.done(copy.ctx, copy.tag, status, now_ns - copy.started_ns, now_ns);
}

static void on_ping_response(void *ctx, uint64_t tag, uint64_t id,
	const struct sip_message *response, const struct sip_hop *source, uint64_t now_ns)
{
	if (response->status >= 200)
		ping_done(ctx, tag, response->status, now_ns);
}

static void on_ping_failed(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
	ping_done(ctx, tag, 0, now_ns);
}

static const struct sip_client_handler ping_handler = {
	.response = on_ping_response,
	.failed = on_ping_failed,
};

static int build_ping(struct sip_ua *ua, const struct sip_hop *hop, struct str target,
	struct str from, const char *branch)
{
	struct sip_builder b = sip_build(ua->scratch, SCRATCH_SIZE);
	char call_id[33], tag[SIP_TAG_SIZE];
	struct sip_local local;
	int rc = watched_local(ua, hop, &local);

	if (rc < 0)
		return rc;
	random_hex(ua->config.random, call_id, 32);
	sip_tag_make(ua->config.random, tag);
	sip_build_request(&b, STR("OPTIONS"), target);
	sip_build_via(&b, (enum sip_transport_kind)hop->transport, str_from(local.host), local.port,
		str_from(branch), true);
	sip_build_value(&b, SIP_HEADER_MAX_FORWARDS, STR("70"));
	sip_build_address(&b, SIP_HEADER_FROM, STR_NULL, from, str_from(tag), STR_NULL);
	sip_build_address(&b, SIP_HEADER_TO, STR_NULL, target, STR_NULL, STR_NULL);
	sip_build_value(&b, SIP_HEADER_CALL_ID, str_from(call_id));
	sip_build_value(&b, SIP_HEADER_CSEQ, STR("1 OPTIONS"));
	sip_build_format(&b, SIP_HEADER_CONTACT, "<sip:%s:%u>", local.host, local.port);
	sip_build_value(&b, SIP_HEADER_ACCEPT, STR("application/sdp"));
	return sip_build_finish(&b, STR_NULL, STR_NULL);
}

int sip_ua_ping(struct sip_ua *ua, const struct sip_hop *hop, struct str target, struct str from,
	void (*done)(void *ctx, uint64_t tag, unsigned status, uint64_t rtt_ns, uint64_t now_ns),
	void *ctx, uint64_t tag)
{
	char branch[SIP_BRANCH_SIZE];
	uint64_t id, transaction;
	struct ping *ping;
	int n, rc;

	sip_branch_make(ua->config.random, branch);
	n = build_ping(ua, hop, target, from, branch);
	if (n < 0)
		return n;
	ping = pool_alloc(&ua->pings, &id);
	if (!ping)
		return -ENOBUFS;
	*ping = (struct ping){timers_now(ua->config.timers), tag, done, ctx};
	rc = sip_client_start(ua->transactions,
		&(struct sip_client_request){.method = SIP_METHOD_OPTIONS,
			.branch = str_from(branch),
			.bytes = str_make(ua->scratch, (size_t)n),
			.hop = *hop,
			.tag = id,
			.ctx = ua,
			.handler = &ping_handler},
		&transaction);
	if (rc < 0)
		pool_free(&ua->pings, ping);
	else
		ua->stats.pings_sent++;
	return rc;
}

/* ---- the rest ---------------------------------------------------------------------------- */

struct sip_sessions *sip_ua_sessions(struct sip_ua *ua)
{
	return ua->sessions;
}

const struct sip_ua_stats *sip_ua_stats(const struct sip_ua *ua)
{
	return &ua->stats;
}

const struct sip_transaction_stats *sip_ua_transaction_stats(const struct sip_ua *ua)
{
	return sip_transactions_stats(ua->transactions);
}

void sip_ua_drain(struct sip_ua *ua, bool draining, uint32_t retry_after_s)
{
	ua->draining = draining;
	ua->retry_after_s = retry_after_s;
}

static int make_layers(struct sip_ua *ua)
{
	const struct sip_ua_config *config = &ua->config;
	struct sip_sessions_config sessions = config->sessions;
	int rc;

	rc = sip_transactions_new(
		&(struct sip_transactions_config){
			.timers = config->timers,
			.random = config->random,
			.wire = &ua->wire,
			.timing = config->timing,
			.max = config->transactions_max,
			.ctx = ua,
			.server = &server_handler,
		},
		&ua->transactions);
	if (rc < 0)
		return rc;
	sessions.timers = config->timers;
	sessions.random = config->random;
	sessions.wire = &ua->wire;
	sessions.transactions = ua->transactions;
	sessions.timing = config->timing;
	sessions.max = config->sessions_max;
	return sip_sessions_new(&sessions, &ua->sessions);
}

int sip_ua_new(const struct sip_ua_config *config, struct sip_ua **out)
{
	struct sip_ua *ua = calloc(1, sizeof(*ua));
	int rc = -ENOMEM;

	if (!ua)
		return -ENOMEM;
	ua->config = *config;
	ua->wire = (struct sip_wire){ua, watched_send, watched_local};
	ua->scratch = malloc(SCRATCH_SIZE);
	ua->lines = malloc(SIP_UA_REPLY_LINES_MAX);
	if (!ua->scratch || !ua->lines || pool_init(&ua->pings, sizeof(struct ping), PINGS_MAX) < 0)
		goto fail;
	rc = make_layers(ua);
	if (rc < 0)
		goto fail;
	*out = ua;
	return 0;
fail:
	sip_ua_free(ua);
	return rc;
}

void sip_ua_free(struct sip_ua *ua)
{
	if (!ua)
		return;
	sip_sessions_free(ua->sessions);
	sip_transactions_free(ua->transactions);
	pool_clear(&ua->pings);
	free(ua->lines);
	free(ua->scratch);
	free(ua);
}
