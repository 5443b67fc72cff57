/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers behind the network, and the board's SIP core in front of it: callers, agents' phones, outside
 * numbers, all played by one SIP core with a host for each (network.h). A peer rings, answers, refuses,
 * never answers, hangs up and puts on hold when its random numbers say so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "network.h"
#include "sip/session_private.h"
#include "sip/ua.h"

enum kind { KIND_CALLER, KIND_PHONE, KIND_NUMBER };

struct peer {
	uint64_t id, session;
	enum kind kind;
	bool calls;  /* it sent the INVITE */
	bool silent; /* it rings and never answers */
	bool up;
	uint8_t host;
};

static struct pool peers;
static struct sip_ua *ua;
static struct random random_of_peers;
static bool is_watched; /* whether all are gone */
static uint64_t ending_ns;
static uint64_t crossed, refers, refers_attended, refers_accepted, notifies;

static struct sip_sessions *layer(void)
{
	return sip_ua_sessions(ua);
}

static const struct sdp_local *media_of(bool held)
{
	static struct sdp_local local;

	local = (struct sdp_local){.address = cord_address_ipv4(10, 9, 2, 1, 30000),
		.codecs = {CORD_CODEC_PCMU, CORD_CODEC_PCMA},
		.codec_count = 2,
		.events = true,
		.direction = held ? CORD_MAY_SEND : CORD_MAY_SEND | CORD_MAY_RECEIVE};
	return &local;
}

static struct peer *peer_new(enum kind kind, uint64_t session, bool calls)
{
	uint64_t id;
	struct peer *p = pool_alloc(&peers, &id);

	CHECK(p);
	*p = (struct peer){.id = id, .session = session, .kind = kind, .calls = calls};
	CHECK(sip_session_set_tag(layer(), session, id) == 0);
	return p;
}

static struct peer *find_phone(unsigned host, const struct peer *but)
{
	struct peer *p = NULL;

	while ((p = pool_next(&peers, p)))
		if (p->host == host && p->up && p != but)
			return p;
	return NULL;
}

static struct peer *find(uint64_t id)
{
	return pool_get(&peers, id);
}

static struct peer *peer_of(uint64_t session)
{
	struct peer *p = find(sip_session_tag(layer(), session));

	CHECK(p);
	return p;
}

/* ---- what peers do ---- */

static void peer_hangs_up(uint64_t id, uint64_t argument)
{
	struct peer *p = find(id);

	if (p)
		sip_session_hangup(layer(), p->session, 16, STR_NULL);
}

static void peer_holds(uint64_t id, uint64_t held)
{
	struct peer *p = find(id);

	if (!p || !p->up)
		return;
	sip_session_reoffer(layer(), p->session, media_of(held), sim.now_ns);
	if (held)
		sim_at(sim_while(5 * S), peer_holds, id, false);
}

static void peer_answers(uint64_t id, uint64_t argument)
{
	struct peer *p = find(id);
	struct sdp_stream agreed;

	if (p)
		sip_session_answer(layer(), p->session, media_of(false), &agreed);
}

static void peer_refuses(uint64_t id, uint64_t status)
{
	struct peer *p = find(id);

	if (p)
		sip_session_reject(layer(), p->session, (unsigned)status, STR_NULL, 0);
}

static void peer_rings(uint64_t id, uint64_t early)
{
	static const uint16_t refusals[] = {486, 603, 480, 404, 503, 408};
	struct peer *p = find(id);
	struct sdp_stream agreed;

	if (!p)
		return;
	if (!early || sip_session_early_media(layer(), p->session, media_of(false), &agreed) < 0)
		sip_session_ring(layer(), p->session);
	if (p->silent) { /* nobody has told it that it is called no more */
		sim_at(400 * S, peer_refuses, id, 480);
		return;
	}
	if (sim_percent(sim.profile.lost_percent))
		sim_at(sim_while(15 * S), peer_refuses, id,
			refusals[random_below(
				&sim.random, sizeof(refusals) / sizeof(refusals[0]))]);
	else
		sim_at(sim_while(12 * S), peer_answers, id, 0);
}

/* ---- phones that transfer with REFER ---- */

static void refer_answered(void *ctx, uint64_t tag, uint64_t id, const struct sip_message *response,
	const struct sip_hop *source, uint64_t now_ns)
{
	refers_accepted += response->status == 202;
}

static void refer_lost(
	void *ctx, uint64_t tag, uint64_t id, enum sip_failure failure, uint64_t now_ns)
{
}

static const struct sip_client_handler refer_handler = {
	.response = refer_answered,
	.failed = refer_lost,
};

static const char *any_destination(void)
{
	static const char *const users[] = {"+12025550177", "2025550177", "+12025550178",
		"To%20Two", "To%20a0", "To%20a1", "To%20Tiny", "nonsense", "%20", "+4930123456"};

	return users[random_below(&sim.random, sizeof(users) / sizeof(users[0]))];
}

/* A second call of a phone that is on one: a consultation. */
static void phone_dials_too(uint64_t id, uint64_t argument)
{
	const struct peer *p = find(id);

	if (p && p->up)
		agent_dials(p->host - HOST_PHONES);
}

/* Attended when the phone has a second call, blind otherwise. */
static void phone_refers_to(uint64_t id, uint64_t argument)
{
	struct peer *p = find(id);
	const struct peer *other = p ? find_phone(p->host, p) : NULL;
	char lines[600];
	uint64_t transaction;

	if (!p || !p->up)
		return;
	if (other) {
		const struct sip_dialog *d = &session_find(layer(), other->session)->dialog;

		snprintf(lines, sizeof(lines),
			"Refer-To: "
			"<sip:x@10.9.0.1?Replaces=%.*s%%3Bto-tag%%3D%.*s%%3Bfrom-tag%%3D%.*s>"
			"\r\n",
			STR_ARG(sip_dialog_text(d, SIP_DIALOG_CALL_ID)),
			STR_ARG(sip_dialog_text(d, SIP_DIALOG_REMOTE_TAG)),
			STR_ARG(sip_dialog_text(d, SIP_DIALOG_LOCAL_TAG)));
	} else {
		snprintf(
			lines, sizeof(lines), "Refer-To: <sip:%s@10.9.0.1>\r\n", any_destination());
	}
	refers++;
	refers_attended += other != NULL;
	sim_note("a%u refers%s", p->host - HOST_PHONES, other ? " one call to its other" : "");
	session_start(session_find(layer(), p->session),
		&(struct session_request){.method = SIP_METHOD_REFER, .lines = lines},
		&refer_handler, &transaction);
}

/* The peers' SIP core, which does not refer itself, knows no NOTIFY. */
static bool take_notify(const struct sip_hop *hop, const char *bytes, size_t n)
{
	static struct sip_message m;
	struct sip_outcome outcome;
	char answer[4096];
	struct sip_builder b = sip_build(answer, sizeof(answer));
	int length;

	if (n < 7 || memcmp(bytes, "NOTIFY ", 7) != 0)
		return false;
	CHECK(sip_message_parse(&m, bytes, n, SIP_DATAGRAM, &outcome) == SIP_ACCEPT);
	sip_build_response(&b, &m, &(struct sip_response){.status = sim_percent(90) ? 200 : 481});
	length = sip_build_finish(&b, STR_NULL, STR_NULL);
	CHECK(length > 0);
	notifies++;
	network_put(hop->listener - 1u, &hop->remote, answer, (size_t)length);
	return true;
}

/* The same at the same moment: what the peer says crosses what the board has just said. */
void peers_cross(struct str call_id, enum sip_method method)
{
	struct peer *p = NULL;

	if (!sim_percent(method == SIP_METHOD_CANCEL ? 25 : 10))
		return;
	while ((p = pool_next(&peers, p)) &&
		!str_equal(sip_session_call_id(layer(), p->session), call_id))
		continue;
	if (!p)
		return;
	crossed++;
	if (method == SIP_METHOD_CANCEL)
		sim_at(0, peer_answers, p->id, 0);
	else if (method == SIP_METHOD_INVITE)
		sim_at(0, peer_holds, p->id, sim_percent(50));
	else
		sim_at(0, peer_hangs_up, p->id, 0);
}

/* ---- what the peers' SIP core tells ---- */

static void on_incoming(
	void *ctx, uint64_t session, const struct sip_incoming *call, uint64_t now_ns)
{
	char user[64] = "";
	enum kind kind = call->source.listener > HOST_PHONES ? KIND_PHONE : KIND_NUMBER;
	struct peer *p = peer_new(kind, session, false);

	p->host = (uint8_t)(call->source.listener - 1);
	sip_uri_user(&call->message->uri, user, sizeof(user));
	p->silent = sim_percent(sim.profile.lost_percent / 4) || strcmp(user, "+12025550178") == 0;
	if (sim_percent(20) && !p->silent)
		sim_at(sim_while(S), peer_answers, p->id, 0);
	else
		sim_at(sim_while(500 * MS), peer_rings, p->id, sim_percent(20));
}

static void on_answered(
	void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
	struct peer *p = peer_of(session);

	p->up = true;
	if (sim_percent(sim.profile.hang_up_percent))
		sim_at(sim_while(120 * S), peer_hangs_up, p->id, 0);
	else
		sim_at(120 * S + sim_while(300 * S), peer_hangs_up, p->id, 0);
	if (sim_percent(10))
		sim_at(sim_while(20 * S), peer_holds, p->id, true);
	if (p->kind == KIND_PHONE && sim_percent(10))
		sim_at(sim_while(10 * S), phone_dials_too, p->id, 0);
	if (p->kind == KIND_PHONE && sim_percent(10))
		sim_at(S + sim_while(30 * S), phone_refers_to, p->id, 0);
	if (p->kind == KIND_PHONE && p->calls && sim_percent(50))
		sim_at(sim_while(5 * S), phone_refers_to, p->id, 0);
	/* its host is cut off: nothing more is heard of it, or only later */
	if (sim_percent(sim.profile.lost_percent / 8) && p->kind == KIND_PHONE)
		network_silence(
			HOST_PHONES + (unsigned)random_below(&sim.random, 24), sim_while(120 * S));
}

static void on_over(void *ctx, uint64_t session, const struct sip_end *end, uint64_t now_ns)
{
	pool_free(&peers, peer_of(session));
}

static void on_progress(void *ctx, uint64_t session, unsigned status,
	const struct sdp_stream *media, uint64_t now_ns)
{
}

static void on_media(void *ctx, uint64_t session, const struct sdp_stream *media, uint64_t now_ns)
{
}

static void on_reoffered(void *ctx, uint64_t session, unsigned status, uint64_t now_ns)
{
}

static void on_digit(void *ctx, uint64_t session, char digit, unsigned duration_ms, uint64_t now_ns)
{
}

static const struct sip_session_events events = {
	.incoming = on_incoming,
	.progress = on_progress,
	.answered = on_answered,
	.media = on_media,
	.reoffered = on_reoffered,
	.digit = on_digit,
	.ended = on_over,
	.failed = on_over,
};

static bool identify(void *ctx, const struct sip_message *request, const struct sip_hop *source,
	uint64_t now_ns, struct sip_peer *peer, struct sip_reply *reply)
{
	*peer = (struct sip_peer){.kind = SIP_PEER_TRUNK};
	return true;
}

void peers_receive(const struct sip_hop *hop, const void *bytes, size_t n)
{
	if (!take_notify(hop, bytes, n))
		sip_ua_receive(ua, hop, bytes, n, sim.now_ns);
}

/* ---- calls that come in ---- */

static void call(enum kind kind, unsigned host, const char *user, const char *number)
{
	struct sip_hop hop = {.transport = SIP_TRANSPORT_UDP,
		.listener = (uint8_t)(host + 1),
		.remote = network_address(HOST_BOARD)};
	struct sdp_local local = *media_of(false);
	char target[128], from[128];
	uint64_t session;
	struct peer *p;
	int rc;

	if (sim_percent(1)) { /* the trunk does not take it */
		local.codecs[0] = CORD_CODEC_PCMA;
		local.codec_count = 1;
	}
	snprintf(target, sizeof(target), "sip:%s@10.9.0.1", number);
	snprintf(from, sizeof(from), "sip:%s@10.9.0.1", user);
	rc = sip_session_invite(layer(),
		&(struct sip_invite){.target = str_from(target),
			.from = str_from(from),
			.hops = &hop,
			.hop_count = 1,
			.local = local},
		sim.now_ns, &session);
	CHECK(rc == 0);
	p = peer_new(kind, session, true);
	p->host = (uint8_t)host;
	if (sim_percent(sim.profile.hang_up_percent))
		sim_at(sim_while(60 * S), peer_hangs_up, p->id, 0);
}

void caller_calls(void)
{
	/* by number: "Plain" is 00, and so on */
	static const unsigned numbers[] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	char user[32], number[32];

	if (sim.arrivals_left == 0)
		return;
	sim.arrivals_left--;
	sim.count[COUNT_CALLS]++;
	snprintf(user, sizeof(user), "+1202555%04u", (unsigned)random_below(&sim.random, 10000));
	snprintf(number, sizeof(number), "+120255501%02u",
		numbers[random_below(&sim.random, sizeof(numbers) / sizeof(numbers[0]))]);
	sim_note("%s calls %s", user, number);
	call(KIND_CALLER, sim_percent(80) ? HOST_CARRIER : HOST_CARRIER_2, user, number);
}

void caller_arrives(uint64_t unused, uint64_t argument)
{
	caller_calls();
	/* about as many at a time as the profile has, of 40 s each */
	if (sim.arrivals_left)
		sim_at(random_below(&sim.random, 80 * S / sim.profile.calls), caller_arrives, 0, 0);
	else
		sim_at(60 * S, actors_last_call, 0, 0);
}

void agent_dials(uint32_t agent)
{
	sim.count[COUNT_OUT]++;
	sim_note("a%u dials at the phone", agent);
	call(KIND_PHONE, HOST_PHONES + agent, router_agent_row(sim.board.router, agent)->row.name,
		"+12025550199");
}

/* ---- life ---- */

static const struct sip_ua_policy policy = {.identify = identify};

static void open_peers(void)
{
	struct sip_ua_config config = {.timers = &sim.timers,
		.random = &random_of_peers,
		.wire = network_wire_of_peers(),
		.policy = &policy,
		.transactions_max = 20000,
		.sessions_max = 8000,
		.sessions = {.no_session_timers = sim_percent(30), .events = &events}};

	random_init_seed(&random_of_peers, sim.seed ^ 0x9ee7);
	CHECK(pool_init(&peers, sizeof(struct peer), 8000) == 0);
	CHECK(sip_ua_new(&config, &ua) == 0);
}

static void phone_of(void *ctx, const struct resource_agent *agent, bool ready)
{
	board_phone(ctx, agent->row.index, ready);
}

/* The instance outlives a round, and its trunks count calls by the clock. */
static void renew_trunks(const struct trunk_set *trunks)
{
	static struct trunk fresh[4];
	static unsigned n;

	CHECK(trunks->count <= sizeof(fresh) / sizeof(fresh[0]));
	if (n == 0)
		memcpy(fresh, trunks->trunks, trunks->count * sizeof(fresh[0]));
	n = trunks->count;
	memcpy(trunks->trunks, fresh, n * sizeof(fresh[0]));
}

static unsigned live(struct sip_ua *one)
{
	return sip_ua_transaction_stats(one)->live + sip_sessions_stats(sip_ua_sessions(one))->live;
}

/* Keeps the clock going while messages may be repeated. */
static void look_again(uint64_t unused, uint64_t argument)
{
	is_watched = sessions_left() > 0;
	if (is_watched)
		sim_at(S, look_again, 0, 0);
	if (is_watched && sim.ending && ending_ns == 0)
		ending_ns = sim.now_ns;
	if (is_watched && sim.ending && sim.now_ns > ending_ns + 3600 * S)
		sim_wrong("for an hour after the last call live, of the board: %u transactions, "
			  "%u sessions; of the peers: %u and %u",
			sip_ua_transaction_stats(signalling_ua(sim.board.signalling))->live,
			sip_sessions_stats(signalling_sessions(sim.board.signalling))->live,
			sip_ua_transaction_stats(ua)->live, sip_sessions_stats(layer())->live);
}

void peers_watch(void)
{
	if (!is_watched)
		sim_at(S, look_again, 0, 0);
	is_watched = true;
}

void sessions_open(void)
{
	char failed[SIGNALLING_FAILED_SIZE];
	struct switchboard *b = &sim.board;

	network_open();
	open_peers();
	renew_trunks(b->instance->trunks);
	CHECK(signalling_open(&(struct signalling_config){.loop = b->loop,
				      .random = &b->random,
				      .config = &sim.config,
				      .instance = b->instance,
				      .events = &watched_events,
				      .ctx = b,
				      .phone = phone_of},
		      failed, &b->signalling) == 0);
	is_watched = false;
	ending_ns = 0;
}

unsigned peers_board_live(void)
{
	return live(signalling_ua(sim.board.signalling));
}

unsigned sessions_left(void)
{
	return live(ua) + peers_board_live();
}

void sessions_close(void)
{
	const struct trunk_set *trunks = sim.board.instance->trunks;

	if (sip_ua_transaction_stats(signalling_ua(sim.board.signalling))->bytes)
		sim_wrong("the transactions are gone and have left bytes");
	if (pool_used(&peers))
		sim_wrong("%u peers are left", pool_used(&peers));
	for (unsigned i = 0; i < trunks->count; i++)
		if (trunks->trunks[i].calls)
			sim_wrong("trunk %s still counts %u calls", trunks->trunks[i].name,
				trunks->trunks[i].calls);
	signalling_close(sim.board.signalling);
	sip_ua_free(ua);
	pool_clear(&peers);
	network_close();
}

void sessions_print(void)
{
	const struct network_stats *s = network_stats();

	printf("  datagrams %llu: %llu delivered, %llu lost, %llu doubled, %llu from or to the cut "
	       "off, "
	       "%llu from a second fork\n",
		(unsigned long long)s->sent, (unsigned long long)s->delivered,
		(unsigned long long)s->lost, (unsigned long long)s->doubled,
		(unsigned long long)s->silenced, (unsigned long long)s->forked);
	printf("  BYE %llu, CANCEL %llu, re-INVITE %llu of the board; crossed by the peer's %llu "
	       "times\n",
		(unsigned long long)s->byes, (unsigned long long)s->cancels,
		(unsigned long long)s->reinvites, (unsigned long long)crossed);
	printf("  jams %llu, INVITE refused in overload %llu\n", (unsigned long long)s->jams,
		(unsigned long long)s->refused);
	printf("  REFER %llu, %llu of them with Replaces, %llu accepted, NOTIFY %llu\n",
		(unsigned long long)refers, (unsigned long long)refers_attended,
		(unsigned long long)refers_accepted, (unsigned long long)notifies);
}
