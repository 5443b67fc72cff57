/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user agent over the real transport, for SIPp: answers each call after a 180, or with
 * `call HOST:PORT COUNT` places calls of one second one after the other, and exits with their
 * outcome.
 *
 *     sip-echo-server ADDRESS:PORT [call ADDRESS:PORT COUNT [tcp]]
 *
 * Prints its bound port on the first line and its counters on SIGTERM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "sip/transport.h"
#include "sip/ua.h"

struct server {
	struct loop *loop;
	struct random random;
	struct sip_transports *transports;
	struct sip_ua *ua;
	struct sip_sessions *sessions;
	struct sdp_local local;
	struct sip_hop target;
	char target_uri[128];
	struct timer place;
	unsigned to_place, answered, ended, failed;
};

static void on_received(
	void *ctx, const struct sip_hop *source, const void *bytes, size_t n, uint64_t now_ns)
{
	struct server *s = ctx;

	sip_ua_receive(s->ua, source, bytes, n, now_ns);
}

static void on_lost(void *ctx, uint64_t connection, uint64_t now_ns)
{
	struct server *s = ctx;

	sip_ua_connection_lost(s->ua, connection, now_ns);
}

static bool identify(void *ctx, const struct sip_message *request, const struct sip_hop *source,
	uint64_t now_ns, struct sip_peer *peer, struct sip_reply *reply)
{
	peer->kind = SIP_PEER_TRUNK;
	return true;
}

static void on_incoming(void *ctx, uint64_t id, const struct sip_incoming *call, uint64_t now_ns)
{
	struct server *s = ctx;

	sip_session_ring(s->sessions, id);
	if (sip_session_answer(s->sessions, id, &s->local, NULL) < 0)
		sip_session_reject(s->sessions, id, 488, STR_NULL, 0);
}

static void on_progress(
	void *ctx, uint64_t id, unsigned status, const struct sdp_stream *media, uint64_t now_ns)
{
}

static void on_hangup_timer(void *ctx, uint64_t now_ns);

struct hangup {
	struct timer timer;
	struct server *server;
	uint64_t id;
};

static void on_hangup_timer(void *ctx, uint64_t now_ns)
{
	struct hangup *h = ctx;

	sip_session_hangup(h->server->sessions, h->id, 16, STR_NULL);
	free(h);
}

static void on_answered(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
	struct server *s = ctx;
	struct hangup *h;

	s->answered++;
	if (!s->target_uri[0])
		return;
	h = calloc(1, sizeof(*h));
	h->server = s;
	h->id = id;
	timer_init(&h->timer, on_hangup_timer, h);
	timers_set_in(loop_timers(s->loop), &h->timer, 1000000000ull);
}

static void on_media(void *ctx, uint64_t id, const struct sdp_stream *media, uint64_t now_ns)
{
}

static void on_reoffered(void *ctx, uint64_t id, unsigned status, uint64_t now_ns)
{
}

static void on_digit(void *ctx, uint64_t id, char digit, unsigned duration_ms, uint64_t now_ns)
{
}

static void check_done(struct server *s)
{
	if (s->target_uri[0] && !s->to_place &&
		sip_sessions_stats(s->sessions)->outgoing == s->ended + s->failed)
		loop_stop(s->loop);
}

static void on_ended(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	struct server *s = ctx;

	s->ended++;
	check_done(s);
}

static void on_failed(void *ctx, uint64_t id, const struct sip_end *end, uint64_t now_ns)
{
	struct server *s = ctx;

	fprintf(stderr, "failed: %u %.*s\n", end->status, STR_ARG(end->reason));
	s->failed++;
	check_done(s);
}

static const struct sip_session_events events = {
	.incoming = on_incoming,
	.progress = on_progress,
	.answered = on_answered,
	.media = on_media,
	.reoffered = on_reoffered,
	.digit = on_digit,
	.ended = on_ended,
	.failed = on_failed,
};

static void place(void *ctx, uint64_t now_ns)
{
	struct server *s = ctx;
	uint64_t id;

	if (!s->to_place)
		return;
	s->to_place--;
	if (sip_session_invite(s->sessions,
		    &(struct sip_invite){.target = str_from(s->target_uri),
			    .from = STR("sip:cordboard@127.0.0.1"),
			    .hops = &s->target,
			    .hop_count = 1,
			    .local = s->local},
		    now_ns, &id) < 0)
		s->failed++;
	timers_set_in(loop_timers(s->loop), &s->place, 50000000ull);
}

static void on_signal(void *ctx, int signo)
{
	struct server *s = ctx;

	loop_stop(s->loop);
}

static int set_up(struct server *s, const char *listen)
{
	static const struct sip_ua_policy policy = {.identify = identify};
	struct sip_listener listeners[2] = {
		{.transport = SIP_TRANSPORT_UDP}, {.transport = SIP_TRANSPORT_TCP}};
	struct sip_ua_config config = {0};
	int rc = loop_create(NULL, &s->loop);

	if (rc < 0 || address_parse(str_from(listen), 0, &listeners[0].local) < 0)
		return rc < 0 ? rc : -1;
	listeners[1].local = listeners[0].local;
	rc = sip_transports_open(s->loop,
		&(struct sip_transport_config){.listeners = listeners,
			.listener_count = 2,
			.ctx = s,
			.received = on_received,
			.lost = on_lost},
		NULL, &s->transports);
	if (rc < 0)
		return rc;
	random_init(&s->random);
	config.timers = loop_timers(s->loop);
	config.random = &s->random;
	config.wire = sip_transports_wire(s->transports);
	config.policy = &policy;
	config.sessions.ctx = s;
	config.sessions.events = &events;
	rc = sip_ua_new(&config, &s->ua);
	s->sessions = sip_ua_sessions(s->ua);
	return rc;
}

static void report(const struct server *s)
{
	const struct sip_session_stats *sessions = sip_sessions_stats(s->sessions);
	const struct sip_transaction_stats *transactions = sip_ua_transaction_stats(s->ua);

	printf("answered %u ended %u failed %u live %u unacknowledged %llu repeats %llu\n",
		s->answered, s->ended, s->failed, sessions->live,
		(unsigned long long)sessions->unacknowledged,
		(unsigned long long)transactions->repeats_sent);
}

int main(int argc, char **argv)
{
	static struct server s = {
		.local = {.codecs = {CORD_CODEC_PCMU, CORD_CODEC_PCMA},
			.codec_count = 2,
			.events = true,
			.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE},
	};
	struct loop_signal *signal_handle;
	unsigned count = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	s.local.address = cord_address_ipv4(127, 0, 0, 1, 40000);
	if (argc < 2 || set_up(&s, argv[1]) < 0)
		return 2;
	loop_signal(s.loop, SIGTERM, on_signal, &s, &signal_handle);
	printf("%u %u\n",
		address_port(&(struct address[]){sip_transports_local(s.transports, 0)}[0]),
		address_port(&(struct address[]){sip_transports_local(s.transports, 1)}[0]));
	if (argc >= 5) {
		s.target.transport = argc > 5 ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP;
		if (address_parse(str_from(argv[3]), 5060, &s.target.remote) < 0)
			return 2;
		snprintf(s.target_uri, sizeof(s.target_uri), "sip:service@%s", argv[3]);
		s.to_place = count = (unsigned)atoi(argv[4]);
		timer_init(&s.place, place, &s);
		timers_set_in(loop_timers(s.loop), &s.place, 0);
	}
	loop_run(s.loop);
	report(&s);
	return count ? s.answered != count || s.failed : 0;
}
