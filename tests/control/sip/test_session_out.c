/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to a call of ours, with a callee written by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw_peer.h"

static struct sim sim;
static struct raw_peer raw;

static int setup(void **state)
{
	sim_init(&sim, 1);
	raw_start(&raw, &sim);
	sim.print = getenv("SIM_PRINT") != NULL;
	return 0;
}

static int teardown(void **state)
{
	sim_free(&sim);
	return 0;
}

static struct sip_invite an_invite(const struct sip_hop *hops, unsigned count)
{
	return (struct sip_invite){
		.target = STR("sip:+4930123456@10.0.0.1"),
		.from = STR("sip:+4940654321@10.0.0.2"),
		.hops = hops,
		.hop_count = count,
		.local = sim.ua[1].local,
	};
}

static struct sim_call *start(void)
{
	struct sip_hop hop = sim_hop(&sim, 0);
	struct sip_invite invite = an_invite(&hop, 1);

	return sim_call_with(&sim, 1, &invite);
}

/* Larger than a datagram should be, to a phone that may take TCP and does not. */
static void a_large_invite_falls_back_to_udp(void **state)
{
	static const int fates[] = {SIM_TCP_REFUSED, SIM_TCP_LOST};
	char lines[SIP_EXTRA_LINES_MAX];

	snprintf(lines, sizeof(lines), "X-Large: %01500d\r\n", 7);
	for (int i = 0; i < 2; i++) {
		struct sip_hop hop;
		struct sip_invite invite;
		const struct sip_message *sent;
		struct sim_call *call;

		sim_free(&sim);
		setup(NULL);
		hop = sim_hop(&sim, 0);
		hop.tcp_when_large = true;
		invite = an_invite(&hop, 1);
		invite.lines = str_from(lines);
		sim.tcp = fates[i];
		call = sim_call_with(&sim, 1, &invite);
		if (fates[i] == SIM_TCP_LOST) {
			raw_expect_nothing(&raw);
			sip_ua_connection_lost(sim.ua[1].ua, SIM_LOST_CONNECTION, sim.now_ns);
		}
		sent = raw_expect_request(&raw, SIP_METHOD_INVITE);
		assert_true(sent->raw.n > SIP_DATAGRAM_COMMON);
		assert_true(str_find(sent->raw, STR("Via: SIP/2.0/UDP ")) >= 0);
		raw_respond(&raw, sent, 486, "t", "", NULL);
		raw_expect_request(&raw, SIP_METHOD_ACK);
		assert_int_equal(call->end.status, 486);
	}
}

static const char *answer(void)
{
	return raw_sdp("10.0.0.1", 30000, "0", "");
}

static void finish_by_bye_of_ours(struct sim_call *call)
{
	const struct sip_message *bye;

	assert_int_equal(
		sip_session_hangup(sim.ua[1].sessions, call->id, 16, STR("a \"word\"")), 0);
	bye = raw_expect_request(&raw, SIP_METHOD_BYE);
	assert_true(str_find(bye->raw, STR("Reason: Q.850;cause=16;text=\"a \\\"word\\\"\"")) > 0);
	raw_respond(&raw, bye, 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
}

static void headers_of_an_invite(void **state)
{
	struct sip_hop hop = sim_hop(&sim, 0);
	struct sip_invite invite = an_invite(&hop, 1);
	const struct sip_message *request;
	struct sip_address asserted;
	char display[64];

	invite.display = STR("Queue \"gold\"");
	invite.asserted = STR("sip:+4940654321@10.0.0.2");
	invite.privacy = STR("id");
	invite.lines = STR("Alert-Info: <http://x.example>;info=alert-autoanswer\r\n"
			   "Call-Info: <sip:x.example>;answer-after=0\r\n");
	sim_call_with(&sim, 1, &invite);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	assert_int_equal(sip_address_display(&request->from, display, sizeof(display)), 0);
	assert_string_equal(display, "Queue \"gold\"");
	assert_int_equal(
		sip_message_address(request, SIP_HEADER_P_ASSERTED_IDENTITY, 0, &asserted), 0);
	assert_non_null(sip_message_header(request, SIP_HEADER_PRIVACY));
	assert_non_null(sip_message_header(request, SIP_HEADER_ALERT_INFO));
	assert_non_null(sip_message_header(request, SIP_HEADER_CALL_INFO));
	assert_true(sip_message_lists(request, SIP_HEADER_SUPPORTED, "timer"));
	raw_respond(&raw, request, 404, "t", "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->failed, 1);
	sim_assert_empty(&sim);
}

static void early_media_then_answer_without_sdp(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE);

	raw_respond(&raw, invite, 183, "t", "", answer());
	raw_expect_nothing(&raw);
	assert_true(call->has_early);
	raw_respond(&raw, invite, 200, "t", "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->stream.remote.udp_port, 30000);
	finish_by_bye_of_ours(call);
}

static void answer_without_media_is_acknowledged_and_ended(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE);

	raw_respond(&raw, invite, 200, "t", "", NULL);
	sim_run(&sim, 50 * SIM_MS);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 488);
	sim_assert_empty(&sim);
}

static void forks_first_wins_second_is_ended(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE), *request;

	raw_respond(&raw, invite, 180, "one", "", NULL);
	raw_respond(&raw, invite, 180, "two", "", NULL);
	raw_respond(&raw, invite, 200, "two", "", answer());
	request = raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_true(str_equal(request->to_tag, STR("two")));
	raw_respond(&raw, invite, 200, "one", "", answer());
	request = raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_true(str_equal(request->to_tag, STR("one")));
	request = raw_expect_request(&raw, SIP_METHOD_BYE);
	assert_true(str_equal(request->to_tag, STR("one")));
	raw_respond(&raw, request, 200, NULL, "", NULL);
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->progress, 2);
	finish_by_bye_of_ours(call);
}

static void challenge_is_answered_once(void **state)
{
	static const char *const kinds[] = {"WWW-Authenticate", "Proxy-Authenticate"};
	struct sip_hop hop = sim_hop(&sim, 0);

	for (int proxy = 0; proxy < 2; proxy++) {
		struct sip_invite invite = an_invite(&hop, 1);
		const struct sip_message *request;
		struct sim_call *call;
		char challenge[200];

		strcpy(invite.account.user, "trunk");
		strcpy(invite.account.password, "secret");
		call = sim_call_with(&sim, 1, &invite);
		request = raw_expect_request(&raw, SIP_METHOD_INVITE);
		assert_int_equal(request->cseq.number, 1);
		snprintf(challenge, sizeof(challenge),
			"%s: Digest realm=\"carrier\", nonce=\"n%d\", algorithm=MD5, "
			"qop=\"auth\"\r\n",
			kinds[proxy], proxy);
		raw_respond(&raw, request, proxy ? 407 : 401, "t", challenge, NULL);
		raw_expect_request(&raw, SIP_METHOD_ACK);
		request = raw_expect_request(&raw, SIP_METHOD_INVITE);
		assert_int_equal(request->cseq.number, 2);
		assert_non_null(sip_message_header(request,
			proxy ? SIP_HEADER_PROXY_AUTHORIZATION : SIP_HEADER_AUTHORIZATION));
		raw_respond(&raw, request, proxy ? 407 : 401, "t", challenge, NULL);
		raw_expect_request(&raw, SIP_METHOD_ACK);
		raw_expect_nothing(&raw);
		assert_int_equal(call->failed, 1);
		assert_int_equal(call->end.status, proxy ? 407 : 401);
	}
	sim_settle(&sim, 200 * SIM_S);
	sim_assert_empty(&sim);
}

static void ack_of_an_authorized_invite_has_its_credentials(void **state)
{
	struct sip_hop hop = sim_hop(&sim, 0);
	struct sip_invite invite = an_invite(&hop, 1);
	const struct sip_message *request;
	struct sim_call *call;

	strcpy(invite.account.user, "trunk");
	strcpy(invite.account.password, "secret");
	call = sim_call_with(&sim, 1, &invite);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, request, 401, "t",
		"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\"\r\n", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, request, 200, "t", "", answer());
	request = raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_non_null(sip_message_header(request, SIP_HEADER_AUTHORIZATION));
	assert_int_equal(request->cseq.number, 2);
	finish_by_bye_of_ours(call);
}

static void min_se_is_raised(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	struct sip_session_expires expires;

	raw_respond(&raw, request, 422, "t", "Min-SE: 3600\r\n", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	assert_int_equal(
		sip_message_session_expires(request, SIP_HEADER_SESSION_EXPIRES, &expires), 0);
	assert_int_equal(expires.seconds, 3600);
	raw_respond(&raw, request, 200, "t", "Session-Expires: 3600;refresher=uac\r\n", answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	sim_run(&sim, 1800 * SIM_S);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, request, 200, NULL, "Session-Expires: 3600;refresher=uac\r\n", answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	finish_by_bye_of_ours(call);
}

/* A peer that grants a second is not refreshed without end. */
static void session_of_a_second_is_refreshed_in_our_time(void **state)
{
	static const char second[] = "Session-Expires: 1;refresher=uac\r\n";
	struct sim_call *call = start();
	const struct sip_message *request = raw_expect_request(&raw, SIP_METHOD_INVITE);

	raw_respond(&raw, request, 200, "t", second, answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	sim_run(&sim, 40 * SIM_S);
	raw_expect_nothing(&raw);
	sim_run(&sim, 6 * SIM_S);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_INVITE), 200, NULL, second, answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	finish_by_bye_of_ours(call);
}

static void failover_after_503_and_silence(void **state)
{
	struct sip_hop hops[3] = {sim_hop(&sim, 0), sim_hop(&sim, 0), sim_hop(&sim, 0)};
	struct sip_invite invite = an_invite(hops, 3);
	struct sim_call *call = sim_call_with(&sim, 1, &invite);
	const struct sip_message *first = raw_expect_request(&raw, SIP_METHOD_INVITE), *second,
				 *third, *cancel;

	raw_respond(&raw, first, 503, "t", "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	second = raw_expect_request(&raw, SIP_METHOD_INVITE);
	sim_run(&sim, 4 * SIM_S);
	third = raw_expect_request(&raw, SIP_METHOD_INVITE);
	/* The second one wakes up: it is cancelled. */
	raw_respond(&raw, second, 180, "t2", "", NULL);
	cancel = raw_expect_request(&raw, SIP_METHOD_CANCEL);
	assert_true(str_equal(cancel->via.branch, second->via.branch));
	raw_respond(&raw, cancel, 200, "t2", "", NULL);
	raw_respond(&raw, second, 487, "t2", "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	raw_respond(&raw, third, 200, "t3", "", answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->progress, 0);
	finish_by_bye_of_ours(call);
}

static void each_gateway_challenges_for_itself(void **state)
{
	struct sip_hop hops[2] = {sim_hop(&sim, 0), sim_hop(&sim, 0)};
	struct sip_invite invite = an_invite(hops, 2);
	const struct sip_message *request;
	struct sim_call *call;

	strcpy(invite.account.user, "trunk");
	strcpy(invite.account.password, "secret");
	call = sim_call_with(&sim, 1, &invite);
	for (int gateway = 0; gateway < 2; gateway++) {
		request = raw_expect_request(&raw, SIP_METHOD_INVITE);
		assert_null(sip_message_header(request, SIP_HEADER_PROXY_AUTHORIZATION));
		raw_respond(&raw, request, 407, "t",
			gateway ? "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n2\"\r\n"
				: "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n1\"\r\n",
			NULL);
		raw_expect_request(&raw, SIP_METHOD_ACK);
		request = raw_expect_request(&raw, SIP_METHOD_INVITE);
		assert_non_null(sip_message_header(request, SIP_HEADER_PROXY_AUTHORIZATION));
		raw_respond(&raw, request, gateway ? 200 : 503, "t", "", gateway ? answer() : NULL);
		raw_expect_request(&raw, SIP_METHOD_ACK);
	}
	assert_int_equal(call->answered, 1);
	finish_by_bye_of_ours(call);
}

static void cancel_waits_for_a_provisional(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE), *cancel;

	assert_int_equal(sip_session_hangup(sim.ua[1].sessions, call->id, 0, STR_NULL), 0);
	raw_expect_nothing(&raw);
	raw_respond(&raw, invite, 100, NULL, "", NULL);
	cancel = raw_expect_request(&raw, SIP_METHOD_CANCEL);
	assert_true(str_equal(cancel->via.branch, invite->via.branch));
	raw_respond(&raw, cancel, 200, "t", "", NULL);
	raw_respond(&raw, invite, 487, "t", "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 487);
	assert_false(call->end.by_peer);
	sim_assert_empty(&sim);
}

/* The second time by a phone behind NAT, whose Contact leads nowhere. */
static void cancel_crosses_the_answer(void **state)
{
	struct sip_hop hop = sim_hop(&sim, 0);
	struct sip_invite phone = an_invite(&hop, 1);

	for (int nat = 0; nat < 2; nat++) {
		const struct sip_message *invite, *cancel;
		struct sim_call *call;

		phone.symmetric = nat;
		call = sim_call_with(&sim, 1, &phone);
		invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
		raw_respond(&raw, invite, 180, "t", "", NULL);
		raw_expect_nothing(&raw);
		sip_session_hangup(sim.ua[1].sessions, call->id, 0, STR_NULL);
		cancel = raw_expect_request(&raw, SIP_METHOD_CANCEL);
		raw_respond(&raw, invite, 200, "t",
			nat ? "Contact: <sip:phone@192.168.9.9:5070>\r\n" : "", answer());
		raw_expect_request(&raw, SIP_METHOD_ACK);
		assert_true(address_equal(&sim.sent_to, &hop.remote));
		raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
		raw_respond(&raw, cancel, 481, "t", "", NULL);
		sim_settle(&sim, 200 * SIM_S);
		assert_int_equal(call->failed, 1);
		assert_int_equal(call->answered, 0);
		sim_assert_empty(&sim);
	}
}

/* The peer rings, and dies: neither the session nor the trunk's channel stays for good. */
static void ringing_without_end_is_cancelled(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE);

	for (int i = 0; i < 5; i++) {
		raw_respond(&raw, invite, 180, "t", "", NULL);
		sim_run(&sim, 190 * SIM_S);
	}
	assert_int_equal(call->failed, 0);
	sim_run(&sim, 20 * SIM_S);
	raw_expect_request(&raw, SIP_METHOD_CANCEL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 408);
	assert_true(call->end.timed_out);
	sim_assert_empty(&sim);
}

static void cancel_that_is_never_answered(void **state)
{
	struct sim_call *call = start();
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE);

	raw_respond(&raw, invite, 180, "t", "", NULL);
	raw_expect_nothing(&raw);
	sip_session_hangup(sim.ua[1].sessions, call->id, 0, STR_NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	sim_assert_empty(&sim);
}

/* Routes of the call up: each row is a Record-Route, and where and how the BYE goes. */
static void routes(void **state)
{
	const struct {
		const char *record_route, *uri, *route;
	} rows[] = {
		{"", "sip:raw@10.0.0.1:5060", NULL},
		{"Record-Route: \"x, y\" <sip:10.0.0.1;lr>, <sip:p2.example;lr>\r\n",
			"sip:raw@10.0.0.1:5060", "<sip:p2.example;lr>, \"x, y\" <sip:10.0.0.1;lr>"},
		{"Record-Route: <sip:p1.example>\r\nRecord-Route: <sip:10.0.0.1>\r\n",
			"sip:10.0.0.1", "<sip:p1.example>"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_call *call = start();
		const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE),
					 *bye;
		const struct sip_header *route;

		raw_respond(&raw, invite, 200, "t", rows[i].record_route, answer());
		raw_expect_request(&raw, SIP_METHOD_ACK);
		sip_session_hangup(sim.ua[1].sessions, call->id, 0, STR_NULL);
		bye = raw_expect_request(&raw, SIP_METHOD_BYE);
		assert_true(str_equal_text(bye->uri.text, rows[i].uri));
		route = sip_message_header(bye, SIP_HEADER_ROUTE);
		if (!rows[i].route)
			assert_null(route);
		else
			assert_true(str_equal_text(route->value, rows[i].route));
		raw_respond(&raw, bye, 200, NULL, "", NULL);
		sim_run(&sim, 100 * SIM_S);
	}
	sim_settle(&sim, 200 * SIM_S);
	sim_assert_empty(&sim);
}

/* A 2xx without a usable Contact: the call is up, its requests go to whom we called. */
static void answer_with_a_bad_contact(void **state)
{
	static const char *const contacts[] = {
		"Contact: <sip:two words@10.0.0.1>\r\n", "Contact: *\r\n", "x-Contact:\r\n"};

	for (size_t i = 0; i < sizeof(contacts) / sizeof(contacts[0]); i++) {
		struct sim_call *call = start();
		const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE),
					 *bye;

		raw_respond(&raw, invite, 200, "t", contacts[i], answer());
		raw_expect_request(&raw, SIP_METHOD_ACK);
		assert_int_equal(call->answered, 1);
		sip_session_hangup(sim.ua[1].sessions, call->id, 0, STR_NULL);
		bye = raw_expect_request(&raw, SIP_METHOD_BYE);
		assert_true(str_equal_text(bye->uri.text, "sip:+4930123456@10.0.0.1"));
		raw_respond(&raw, bye, 200, NULL, contacts[i], NULL);
		sim_settle(&sim, 200 * SIM_S);
		assert_int_equal(call->ended, 1);
		sim_assert_empty(&sim);
	}
}

static void reoffer_refused_keeps_the_call(void **state)
{
	struct sdp_local hold = sim.ua[1].local;
	struct sim_call *call = start();
	const struct sip_message *request = raw_expect_request(&raw, SIP_METHOD_INVITE);

	raw_respond(&raw, request, 200, "t", "", answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	hold.direction = CORD_MAY_SEND;
	assert_int_equal(sip_session_reoffer(sim.ua[1].sessions, call->id, &hold, sim.now_ns), 0);
	assert_int_equal(
		sip_session_reoffer(sim.ua[1].sessions, call->id, &hold, sim.now_ns), -EBUSY);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	assert_true(str_find(request->body, STR("a=sendonly")) > 0);
	raw_respond(&raw, request, 488, NULL, "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->reoffered, 1);
	assert_int_equal(call->reoffer_status, 488);
	assert_int_equal(call->media, 0);
	finish_by_bye_of_ours(call);
}

static void reoffer_is_repeated_after_491(void **state)
{
	struct sdp_local hold = sim.ua[1].local;
	struct sim_call *call = start();
	const struct sip_message *request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	uint64_t start_ns;

	raw_respond(&raw, request, 200, "t", "", answer());
	raw_expect_request(&raw, SIP_METHOD_ACK);
	hold.direction = CORD_MAY_SEND;
	sip_session_reoffer(sim.ua[1].sessions, call->id, &hold, sim.now_ns);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, request, 491, NULL, "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	start_ns = sim.now_ns;
	while (raw.seen == raw.count)
		sim_run(&sim, 10 * SIM_MS);
	/* We own the Call-ID: 2.1 to 4 s. */
	assert_in_range((sim.now_ns - start_ns) / SIM_MS, 2000, 4010);
	request = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(
		&raw, request, 200, NULL, "", raw_sdp("10.0.0.1", 30000, "0", "a=recvonly\r\n"));
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->reoffered, 1);
	assert_int_equal(call->reoffer_status, 0);
	assert_int_equal(call->stream.direction, CORD_MAY_SEND);
	finish_by_bye_of_ours(call);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(headers_of_an_invite),
		T(a_large_invite_falls_back_to_udp),
		T(early_media_then_answer_without_sdp),
		T(answer_without_media_is_acknowledged_and_ended),
		T(forks_first_wins_second_is_ended),
		T(challenge_is_answered_once),
		T(ack_of_an_authorized_invite_has_its_credentials),
		T(min_se_is_raised),
		T(session_of_a_second_is_refreshed_in_our_time),
		T(failover_after_503_and_silence),
		T(each_gateway_challenges_for_itself),
		T(cancel_waits_for_a_provisional),
		T(cancel_crosses_the_answer),
		T(ringing_without_end_is_cancelled),
		T(cancel_that_is_never_answered),
		T(routes),
		T(answer_with_a_bad_contact),
		T(reoffer_refused_keeps_the_call),
		T(reoffer_is_repeated_after_491),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
