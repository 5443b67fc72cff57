/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct datagram {
	struct timer timer;
	struct sim *sim;
	int to;
	struct sip_hop hop;
	size_t n;
	char bytes[];
};

/* ---- network ----------------------------------------------------------------------------- */

static void deliver(void *ctx, uint64_t now_ns)
{
	struct datagram *d = ctx;
	/* Exact size, so that sanitizers see any read beyond it. */
	char *bytes = malloc(d->n);

	memcpy(bytes, d->bytes, d->n);
	sip_ua_receive(d->sim->ua[d->to].ua, &d->hop, bytes, d->n, now_ns);
	free(bytes);
	free(d);
}

static void put(struct sim *sim, int from, int to, const void *bytes, size_t n)
{
	struct datagram *d = malloc(sizeof(*d) + n);
	uint64_t spread = sim->delay_max_ns - sim->delay_min_ns;
	uint64_t delay = sim->delay_min_ns + (spread ? random_below(&sim->random, spread) : 0);

	d->sim = sim;
	d->to = to;
	d->n = n;
	d->hop = (struct sip_hop){
		.transport = SIP_TRANSPORT_UDP, .listener = 1, .remote = sim->ua[from].address};
	memcpy(d->bytes, bytes, n);
	timer_init(&d->timer, deliver, d);
	timers_set(&sim->timers, &d->timer, sim->now_ns + delay);
}

static void count_sent(struct sim_ua *ua, const char *bytes, size_t n)
{
	struct str rest = str_make(bytes, n), method;

	if (str_split(&rest, ' ', &method) && !str_starts(method, STR("SIP/")))
		ua->sent[sip_method(method)]++;
}

static int sim_send(void *ctx, struct sip_hop *hop, const void *bytes, size_t n)
{
	struct sim_ua *ua = ctx;
	struct sim *sim = ua->sim;
	int from = (int)(ua - sim->ua);

	if (hop->transport == SIP_TRANSPORT_TCP && sim->tcp != SIM_TCP) {
		hop->connection = SIM_LOST_CONNECTION;
		return sim->tcp == SIM_TCP_REFUSED ? -ECONNREFUSED : 0;
	}
	count_sent(ua, bytes, n);
	sim->sent_to = hop->remote;
	if (sim->print)
		printf("%8.3f  %d sends\n%.*s\n", (double)sim->now_ns / 1e9, from, (int)n,
			(const char *)bytes);
	if (sim->tap && !sim->tap(sim, from, bytes, n))
		return 0;
	for (int to = 0; to < SIM_UAS; to++) {
		if (!address_equal(&sim->ua[to].address, &hop->remote))
			continue;
		if (random_below(&sim->random, 1000) < sim->loss)
			return 0;
		put(sim, from, to, bytes, n);
		if (random_below(&sim->random, 1000) < sim->dup)
			put(sim, from, to, bytes, n);
	}
	return 0;
}

static int sim_local(void *ctx, const struct sip_hop *hop, struct sip_local *local)
{
	struct sim_ua *ua = ctx;
	char host[ADDRESS_TEXT_SIZE];

	address_format_host(&ua->address, host);
	snprintf(local->host, sizeof(local->host), "%.60s", host);
	local->port = address_port(&ua->address);
	return 0;
}

void sim_inject(struct sim *sim, int from, const char *text)
{
	put(sim, from, !from, text, strlen(text));
}

/* ---- the user ---------------------------------------------------------------------------- */

static struct sim_call *find(struct sim_ua *ua, uint64_t id)
{
	return &ua->calls[sip_session_tag(ua->sessions, id)];
}

static void on_call_timer(void *ctx, uint64_t now_ns)
{
	struct sim_call *call = ctx;

	call->ua->on_timer(call->ua, call);
}

static struct sim_call *add(struct sim_ua *ua, uint64_t id, bool incoming)
{
	struct sim_call *call = &ua->calls[ua->count];

	assert_in_range(ua->count, 0, SIM_CALLS_MAX - 1);
	memset(call, 0, sizeof(*call));
	call->id = id;
	call->incoming = incoming;
	call->ua = ua;
	timer_init(&call->timer, on_call_timer, call);
	assert_int_equal(sip_session_set_tag(ua->sessions, id, ua->count), 0);
	ua->count++;
	return call;
}

static void on_incoming(void *ctx, uint64_t id, const struct sip_incoming *in, uint64_t now_ns)
{
	struct sim_ua *ua = ctx;
	struct sim_call *call = add(ua, id, true);
	struct sdp_stream agreed;

	call->had_offer = in->offer != NULL;
	if (ua->incoming)
		ua->incoming(ua, call, in);
	else
		assert_int_equal(sip_session_answer(ua->sessions, id, &ua->local, &agreed), 0);
}

static void on_progress(
	void *ctx, uint64_t id, unsigned status, const struct sdp_stream *media, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	assert_int_equal(call->answered + call->ended + call->failed, 0);
	call->progress++;
	call->last_progress = status;
	if (media) {
		call->early = *media;
		call->has_early = true;
	}
}

static void on_answered(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
	struct sim_ua *ua = ctx;
	struct sim_call *call = find(ua, id);

	assert_int_equal(call->answered + call->ended + call->failed, 0);
	assert_int_not_equal(media->remote.udp_port, 0);
	call->answered++;
	call->stream = *media;
	if (ua->answered)
		ua->answered(ua, call);
}

static void on_media(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	assert_int_equal(call->ended + call->failed, 0);
	call->media++;
	call->stream = *media;
}

static void on_reoffered(void *ctx, uint64_t id, unsigned status, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	call->reoffered++;
	call->reoffer_status = status;
}

static void on_rekeyed(
	void *ctx, uint64_t id, unsigned status, bool peer_key_is_new, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	call->rekeyed++;
	call->rekey_status = status;
	call->peer_key_is_new = peer_key_is_new;
}

static void on_digit(void *ctx, uint64_t id, char digit, unsigned duration_ms, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	call->digits++;
	call->digit = digit;
}

static void on_refer(void *ctx, uint64_t id, const struct sip_refer *refer, uint64_t now_ns)
{
	struct sim_ua *ua = ctx;
	struct sim_call *call = find(ua, id);

	call->refers++;
	snprintf(call->refer.user, sizeof(call->refer.user), "%s", refer->user);
	snprintf(call->refer.by, sizeof(call->refer.by), "%.*s", STR_ARG(refer->referred_by));
	call->refer.other = refer->other;
	call->refer.has_replaces = refer->has_replaces;
	call->refer.unknown = refer->replaces_unknown;
	call->refer.unsubscribed = refer->unsubscribed;
	if (ua->refer)
		ua->refer(ua, call);
	else
		assert_int_equal(sip_session_refer_accept(ua->sessions, id), 0);
}

static void finish(struct sim_ua *ua, struct sim_call *call, const struct sip_end *end)
{
	assert_int_equal(call->ended + call->failed, 0);
	call->end = *end;
	snprintf(call->reason, sizeof(call->reason), "%.*s", STR_ARG(end->reason));
	timers_cancel(&ua->sim->timers, &call->timer);
}

static void on_ended(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	finish(ctx, call, end);
	assert_true(call->incoming || call->answered);
	call->ended++;
}

static void on_failed(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	struct sim_call *call = find(ctx, id);

	finish(ctx, call, end);
	assert_true(!call->incoming && !call->answered);
	call->failed++;
}

static const struct sip_session_events events = {
	.incoming = on_incoming,
	.progress = on_progress,
	.answered = on_answered,
	.media = on_media,
	.reoffered = on_reoffered,
	.rekeyed = on_rekeyed,
	.digit = on_digit,
	.refer = on_refer,
	.ended = on_ended,
	.failed = on_failed,
};

static bool identify(void *ctx, const struct sip_message *request, const struct sip_hop *source,
	uint64_t now_ns, struct sip_peer *peer, struct sip_reply *reply)
{
	struct sim_ua *ua = ctx;

	peer->kind = ua->phones ? SIP_PEER_PHONE : SIP_PEER_TRUNK;
	peer->may_refer = ua->phones;
	strcpy(peer->name, "peer");
	peer->symmetric = ua->symmetric;
	reply->status = 403;
	return !ua->strangers;
}

static uint32_t overloaded(void *ctx, uint64_t key, const struct sip_hop *source, uint64_t now_ns)
{
	struct sim_ua *ua = ctx;

	if (ua->overloaded)
		ua->refused = key;
	return ua->overloaded ? 7 : 0;
}

static bool refused(void *ctx, uint64_t key, uint64_t now_ns)
{
	const struct sim_ua *ua = ctx;

	return key == ua->refused;
}

/* ---- life -------------------------------------------------------------------------------- */

static void make_ua(
	struct sim *sim, int index, uint64_t seed, const struct sip_sessions_config *sessions)
{
	static struct sip_ua_policy policies[SIM_UAS];
	struct sim_ua *ua = &sim->ua[index];
	struct sip_ua_config config = {.timers = &sim->timers, .random = &ua->random};

	ua->sim = sim;
	ua->address = address_ipv4(0x0a000001u + (uint32_t)index, 5060);
	ua->wire = (struct sip_wire){ua, sim_send, sim_local};
	ua->local = (struct sdp_local){
		.address = cord_address_ipv4(10, 0, 0, (uint8_t)(1 + index), 20000),
		.codecs = {CORD_CODEC_PCMU, CORD_CODEC_PCMA},
		.codec_count = 2,
		.events = true,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE,
	};
	random_init_seed(&ua->random, seed * 7 + (uint64_t)index);
	policies[index] = (struct sip_ua_policy){
		.ctx = ua, .identify = identify, .overloaded = overloaded, .refused = refused};
	config.wire = &ua->wire;
	config.policy = &policies[index];
	config.transactions_max = 65536;
	config.sessions_max = SIM_CALLS_MAX;
	if (sessions)
		config.sessions = *sessions;
	config.sessions.ctx = ua;
	config.sessions.events = &events;
	assert_int_equal(sip_ua_new(&config, &ua->ua), 0);
	ua->sessions = sip_ua_sessions(ua->ua);
}

void sim_init_with(struct sim *sim, uint64_t seed, const struct sip_sessions_config *sessions)
{
	memset(sim, 0, sizeof(*sim));
	sim->now_ns = SIM_S;
	timers_init(&sim->timers, sim->now_ns);
	random_init_seed(&sim->random, seed);
	sim->delay_min_ns = sim->delay_max_ns = SIM_MS;
	for (int i = 0; i < SIM_UAS; i++)
		make_ua(sim, i, seed, sessions);
}

void sim_init(struct sim *sim, uint64_t seed)
{
	sim_init_with(sim, seed, NULL);
}

void sim_free(struct sim *sim)
{
	for (int i = 0; i < SIM_UAS; i++)
		sip_ua_free(sim->ua[i].ua);
	timers_clear(&sim->timers);
}

static bool step(struct sim *sim, uint64_t until_ns)
{
	uint64_t next = timers_next(&sim->timers);

	if (next == TIMERS_NEVER || next > until_ns)
		return false;
	if (next > sim->now_ns)
		sim->now_ns = next;
	timers_run(&sim->timers, sim->now_ns);
	return true;
}

void sim_run(struct sim *sim, uint64_t ns)
{
	uint64_t until_ns = sim->now_ns + ns;

	while (step(sim, until_ns))
		;
	sim->now_ns = until_ns;
	timers_run(&sim->timers, until_ns);
}

void sim_settle(struct sim *sim, uint64_t ns)
{
	uint64_t until_ns = sim->now_ns + ns;

	while (step(sim, until_ns))
		;
}

struct sip_hop sim_hop(const struct sim *sim, int to)
{
	return (struct sip_hop){.transport = SIP_TRANSPORT_UDP, .remote = sim->ua[to].address};
}

struct sim_call *sim_call_with(struct sim *sim, int from, const struct sip_invite *invite)
{
	struct sim_ua *ua = &sim->ua[from];
	uint64_t id;

	assert_int_equal(sip_session_invite(ua->sessions, invite, sim->now_ns, &id), 0);
	return add(ua, id, false);
}

struct sim_call *sim_call(struct sim *sim, int from)
{
	struct sip_hop hop = sim_hop(sim, !from);

	return sim_call_with(sim, from,
		&(struct sip_invite){
			.target = STR("sip:+4930123456@10.0.0.2"),
			.from = STR("sip:+4940654321@10.0.0.1"),
			.display = STR("A \"quoted\" caller"),
			.asserted = STR("tel:+4940654321"),
			.hops = &hop,
			.hop_count = 1,
			.local = sim->ua[from].local,
		});
}

struct sim_call *sim_last(struct sim *sim, int ua)
{
	assert_int_not_equal(sim->ua[ua].count, 0);
	return &sim->ua[ua].calls[sim->ua[ua].count - 1];
}

void sim_assert_empty(const struct sim *sim)
{
	for (int i = 0; i < SIM_UAS; i++) {
		const struct sip_transaction_stats *stats = sip_ua_transaction_stats(sim->ua[i].ua);

		assert_int_equal(stats->live, 0);
		assert_int_equal(stats->bytes, 0);
		assert_int_equal(sip_sessions_stats(sim->ua[i].sessions)->live, 0);
	}
	assert_int_equal(timers_count(&sim->timers), 0);
}
