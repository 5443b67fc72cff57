/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer may do to us, written by hand: refusals, delayed offers, BYE in odd places. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw_peer.h"

#define SDP "application/sdp"

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

static struct sim_call *call_up(void)
{
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0 8", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(sim_last(&sim, 1)->answered, 1);
	return sim_last(&sim, 1);
}

static void end_by_bye(struct sim_call *call)
{
	raw_request(&raw, "BYE", "Reason: Q.850;cause=17;text=\"user busy\"\r\n", NULL, NULL);
	raw_expect(&raw, 200);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	assert_true(call->end.by_peer);
	assert_int_equal(call->end.q850, 17);
	assert_string_equal(call->reason, "user busy");
	sim_assert_empty(&sim);
}

static void new_address_and_codec_order(void **state)
{
	struct sim_call *call = call_up();

	assert_int_equal(call->stream.codec, CORD_CODEC_PCMU);
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.9", 31000, "8 0", ""));
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 1);
	assert_int_equal(call->stream.codec, CORD_CODEC_PCMA);
	assert_int_equal(call->stream.remote.ip[3], 9);
	assert_int_equal(call->stream.remote.udp_port, 31000);
	end_by_bye(call);
}

static void unusable_reinvite_changes_nothing(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "97", ""));
	raw_expect(&raw, 488);
	raw_ack(&raw, NULL);
	raw_request(&raw, "INVITE", "", SDP, "v=nonsense\r\n");
	raw_expect(&raw, 400);
	raw_request(&raw, "INVITE", "", "text/plain", "hello");
	raw_expect(&raw, 415);
	assert_int_equal(call->media, 0);
	end_by_bye(call);
}

static void reinvite_without_offer(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *ok;

	raw_request(&raw, "INVITE", "", NULL, NULL);
	ok = raw_expect(&raw, 200);
	assert_true(sip_message_body_is(ok, "application", "sdp"));
	raw_ack(&raw, raw_sdp("10.0.0.1", 32000, "0", ""));
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 1);
	assert_int_equal(call->stream.remote.udp_port, 32000);
	end_by_bye(call);
}

static void delayed_offer(void **state)
{
	const struct sip_message *ok;
	struct sim_call *call;

	raw_request(&raw, "INVITE", "", NULL, NULL);
	raw_expect(&raw, 100);
	ok = raw_expect(&raw, 200);
	assert_true(sip_message_body_is(ok, "application", "sdp"));
	call = sim_last(&sim, 1);
	assert_false(call->had_offer);
	assert_int_equal(call->answered, 0);
	raw_ack(&raw, raw_sdp("10.0.0.1", 30000, "8", ""));
	raw_expect_nothing(&raw);
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->stream.codec, CORD_CODEC_PCMA);
	end_by_bye(call);
}

static void delayed_offer_without_answer_is_ended(void **state)
{
	raw_request(&raw, "INVITE", "", NULL, NULL);
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	assert_int_equal(sim_last(&sim, 1)->end.status, 488);
	sim_assert_empty(&sim);
}

static void missing_ack_ends_the_call(void **state)
{
	const struct sip_message *bye;

	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	sim_run(&sim, 33 * SIM_S);
	bye = raw_expect_request(&raw, SIP_METHOD_BYE);
	raw_respond(&raw, bye, 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	assert_int_equal(sim_last(&sim, 1)->answered, 0);
	assert_true(sim_last(&sim, 1)->end.timed_out);
	sim_assert_empty(&sim);
}

static void ring(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	assert_int_equal(sip_session_ring(ua->sessions, call->id), 0);
}

static void bye_in_early_dialog(void **state)
{
	sim.ua[1].incoming = ring;
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 180);
	raw_request(&raw, "BYE", "", NULL, NULL);
	raw_expect(&raw, 200);
	raw_expect(&raw, 487);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

static void bye_before_ack(void **state)
{
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_request(&raw, "BYE", "", NULL, NULL);
	raw_expect(&raw, 200);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

static void hangup_waits_for_the_ack(void **state)
{
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	assert_int_equal(
		sip_session_hangup(sim.ua[1].sessions, sim_last(&sim, 1)->id, 0, STR_NULL), 0);
	raw_expect_nothing(&raw);
	raw_ack(&raw, NULL);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

static void requests_in_the_dialog(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *answer;

	raw_request(&raw, "INFO", "", "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
	raw_expect(&raw, 200);
	assert_int_equal(call->digits, 1);
	assert_int_equal(call->digit, '5');
	raw_request(&raw, "INFO", "", "application/dtmf", "#");
	raw_expect(&raw, 200);
	assert_int_equal(call->digit, '#');
	raw_request(&raw, "INFO", "", "text/html", "x");
	raw_expect(&raw, 415);
	raw_request(&raw, "OPTIONS", "", NULL, NULL);
	answer = raw_expect(&raw, 200);
	assert_true(sip_message_lists(answer, SIP_HEADER_ALLOW, "INVITE"));
	raw_request(&raw, "MESSAGE", "", "text/plain", "hi");
	answer = raw_expect(&raw, 405);
	assert_true(sip_message_lists(answer, SIP_HEADER_ALLOW, "BYE"));
	raw_request(&raw, "REFER", "Refer-To: <sip:x@y.example>\r\n", NULL, NULL);
	raw_expect(&raw, 403);
	raw_request(&raw, "NONSENSE", "", NULL, NULL);
	raw_expect(&raw, 501);
	raw_request(&raw, "INVITE", "Require: 100rel, timer, foo\r\n", NULL, NULL);
	answer = raw_expect(&raw, 420);
	assert_true(sip_message_lists(answer, SIP_HEADER_UNSUPPORTED, "foo"));
	assert_true(sip_message_lists(answer, SIP_HEADER_UNSUPPORTED, "100rel"));
	assert_false(sip_message_lists(answer, SIP_HEADER_UNSUPPORTED, "timer"));
	raw_send(&raw, "INFO", "sip:100@10.0.0.2", 1, "", NULL, NULL);
	raw_expect(&raw, 500);
	end_by_bye(call);
}

static void refusals_outside_a_dialog(void **state)
{
	const struct {
		const char *method, *uri, *extra, *type, *body;
		unsigned status;
	} rows[] = {
		{"INVITE", "sip:1@10.0.0.2", "Contact: <sip:r@10.0.0.1>\r\nMax-Forwards: 0\r\n",
			NULL, NULL, 483},
		{"INVITE", "foo:1@10.0.0.2", "Contact: <sip:r@10.0.0.1>\r\n", NULL, NULL, 416},
		{"INVITE", "sip:1@10.0.0.2",
			"Contact: <sip:r@10.0.0.1>\r\nRequire: precondition\r\n", NULL, NULL, 420},
		{"OPTIONS", "sip:10.0.0.2", "", NULL, NULL, 200},
		{"SUBSCRIBE", "sip:10.0.0.2", "Event: presence\r\n", NULL, NULL, 405},
		{"REGISTER", "sip:10.0.0.2", "", NULL, NULL, 405},
		{"BYE", "sip:10.0.0.2", "", NULL, NULL, 481},
		{"CANCEL", "sip:10.0.0.2", "", NULL, NULL, 481},
		{"FOO", "sip:10.0.0.2", "", NULL, NULL, 501},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_send(&raw, rows[i].method, rows[i].uri, 0, rows[i].extra, rows[i].type,
			rows[i].body);
		raw_expect(&raw, rows[i].status);
	}
	assert_int_equal(sim.ua[1].count, 0);
	sim_settle(&sim, 200 * SIM_S);
	sim_assert_empty(&sim);
}

static void refused_calls(void **state)
{
	const struct {
		const char *extra, *type, *body;
		unsigned status;
	} rows[] = {
		{"Contact: <sip:r@10.0.0.1>\r\n", SDP, "v=0\r\nbad", 400},
		{"Contact: <sip:r@10.0.0.1>\r\n", "text/plain", "hi", 415},
		{"Contact: <tel:+1>\r\n", NULL, NULL, 400},
		{"", NULL, NULL, 400},
		{"Contact: <sip:r@10.0.0.1>\r\nSupported: timer\r\nSession-Expires: 30\r\n", NULL,
			NULL, 422},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		raw_send(&raw, "INVITE", "sip:1@10.0.0.2", 0, rows[i].extra, rows[i].type,
			rows[i].body);
		raw_expect(&raw, 100);
		raw_expect(&raw, rows[i].status);
	}
	assert_int_equal(sim.ua[1].count, 0);
	sim_settle(&sim, 200 * SIM_S);
	sim_assert_empty(&sim);
}

/* SDP beside ISUP or a location, as carriers send it. */
static void offer_in_a_multipart_body(void **state)
{
	static const struct {
		const char *type, *before, *after;
		unsigned status;
	} rows[] = {
		{"multipart/mixed;boundary=b1",
			"--b1\r\nContent-Type: application/isup;version=x\r\n\r\n\1\2--b1\r\n"
			"--b1\r\nContent-Disposition: session\r\nc: application/sdp\r\n\r\n",
			"\r\n--b1--\r\n", 200},
		{"multipart/mixed; boundary=\"a b\"",
			"intro\r\n--a b\r\nContent-Type: "
			"application/sdp\r\n\r\n",
			"\r\n--a b\r\n\r\ntext\r\n--a b--", 200},
		{"multipart/mixed;boundary=b1", "--b1\r\nContent-Type: application/sdp\r\n\r\n", "",
			200}, /* cut short: no part, so no offer */
		{"multipart/mixed;boundary=b1", "--b1\r\n--b1\r\n--b1--\r\n", "", 200},
		{"multipart/mixed", "--b1\r\nContent-Type: application/sdp\r\n\r\n",
			"\r\n--b1--\r\n", 415},
	};
	char body[4096];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_message *answer;

		raw.to_tag[0] = '\0';
		snprintf(raw.call_id, sizeof(raw.call_id), "multi%zu", i);
		snprintf(body, sizeof(body), "%s%s%s", rows[i].before,
			raw_sdp("10.0.0.1", 30000, "0 8", ""), rows[i].after);
		raw_request(&raw, "INVITE", "", rows[i].type, body);
		raw_expect(&raw, 100);
		answer = raw_expect(&raw, rows[i].status);
		if (rows[i].status != 200)
			continue;
		/* The answer names one codec, our own offer all. */
		assert_int_equal(str_find(answer->body, STR("PCMA")) < 0, i < 2);
		raw_ack(&raw, i < 2 ? NULL : raw_sdp("10.0.0.1", 30000, "0", ""));
		raw_expect_nothing(&raw);
		assert_int_equal(sim_last(&sim, 1)->stream.remote.udp_port, 30000);
		end_by_bye(sim_last(&sim, 1));
	}
}

static bool count_responses(struct sim *at, int from, const char *bytes, size_t n)
{
	*(unsigned *)at->tap_ctx += from == 1;
	return false;
}

/* One answer to each request, none repeated, nothing kept: the source may be forged. */
static void strangers_leave_nothing_behind(void **state)
{
	static const char *const methods[] = {"INVITE", "OPTIONS", "BYE"};
	unsigned sent = 0;

	sim.ua[1].strangers = true;
	sim.tap = count_responses;
	sim.tap_ctx = &sent;
	for (unsigned i = 0; i < 3; i++) {
		raw_request(&raw, methods[i], "", NULL, NULL);
		sim_run(&sim, 50 * SIM_MS);
		sim_assert_empty(&sim);
		sim_run(&sim, 60 * SIM_S);
		assert_int_equal(sent, i + 1);
	}
	assert_int_equal(sim.ua[1].count, 0);
}

static void drain_and_merged(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *answer;

	raw.to_tag[0] = '\0';
	raw_send(
		&raw, "INVITE", "sip:100@10.0.0.2", 1, "Contact: <sip:r@10.0.0.1>\r\n", NULL, NULL);
	raw_expect(&raw, 482);
	sip_ua_drain(sim.ua[1].ua, true, 17);
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	answer = raw_expect(&raw, 503);
	assert_non_null(sip_message_header(answer, SIP_HEADER_RETRY_AFTER));
	assert_int_equal(call->ended, 0);
}

/* New calls are refused and leave nothing; what belongs to a call that is there goes on. */
static void overload_refuses_new_calls_alone(void **state)
{
	const struct sip_transaction_stats *t = sip_ua_transaction_stats(sim.ua[1].ua);
	struct sim_call *call = call_up();
	char call_id[sizeof(raw.call_id)], to_tag[sizeof(raw.to_tag)];
	const struct sip_message *answer;
	const struct sip_header *retry;
	uint64_t servers;

	sim.ua[1].overloaded = true;
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 31000, "8 0", ""));
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 1);

	servers = t->servers;
	memcpy(call_id, raw.call_id, sizeof(call_id));
	memcpy(to_tag, raw.to_tag, sizeof(to_tag));
	raw.to_tag[0] = '\0';
	snprintf(raw.call_id, sizeof(raw.call_id), "another");
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	answer = raw_expect(&raw, 503);
	retry = sip_message_header(answer, SIP_HEADER_RETRY_AFTER);
	assert_true(retry && str_equal(retry->value, STR("7")));
	/* no 100 before it, no transaction behind it: its ACK ends here and it is not repeated */
	assert_int_equal(t->servers, servers);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	sim_run(&sim, 60 * SIM_S);
	raw_expect_nothing(&raw);
	assert_int_equal(sip_ua_stats(sim.ua[1].ua)->refused_overload, 1);
	assert_int_equal(sim.ua[1].count, 1);

	memcpy(raw.call_id, call_id, sizeof(call_id));
	memcpy(raw.to_tag, to_tag, sizeof(to_tag));
	end_by_bye(call);
}

/* Nobody was asked who calls: the CANCEL is no offence of a stranger either. */
static void overload_does_not_judge_a_cancel(void **state)
{
	const struct sip_ua_stats *stats = sip_ua_stats(sim.ua[1].ua);

	sim.ua[1].strangers = sim.ua[1].overloaded = true;
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 503);
	raw.branch--;
	raw_send(&raw, "CANCEL", "sip:100@10.0.0.2", raw.cseq, "", NULL, NULL);
	raw_expect(&raw, 481);
	assert_int_equal(stats->unknown_peers, 0);
	sim_assert_empty(&sim);
	/* Another one is judged. */
	raw_send(&raw, "CANCEL", "sip:100@10.0.0.2", 0, "", NULL, NULL);
	raw_expect(&raw, 403);
	assert_int_equal(stats->unknown_peers, 1);
}

/* Before the rest is parsed, which is wrong here; so is the ACK of the refusal known by its To tag. */
static void overload_refuses_at_a_glance(void **state)
{
	static const char bad_route[] = "Route: nowhere\r\n";
	const struct sip_ua_stats *stats = sip_ua_stats(sim.ua[1].ua);
	char stateless[sizeof(raw.to_tag)];
	const struct sip_message *answer;

	raw_request(&raw, "INVITE", bad_route, NULL, NULL);
	raw_expect(&raw, 400);
	sim.ua[1].overloaded = true;
	raw_request(&raw, "INVITE", bad_route, NULL, NULL);
	answer = raw_expect(&raw, 503);
	assert_int_equal(str_copy(answer->to_tag, stateless, sizeof(stateless)), 0);
	/* A repetition gets the same. */
	raw.branch--;
	raw.cseq--;
	raw_request(&raw, "INVITE", bad_route, NULL, NULL);
	sim_run(&sim, 50 * SIM_MS);
	assert_int_equal(stats->refused_overload, 2);
	raw_expect_nothing(&raw);

	memcpy(raw.to_tag, stateless, sizeof(stateless));
	raw_send(&raw, "ACK", "sip:100@10.0.0.2", raw.cseq, bad_route, NULL, NULL);
	sim_run(&sim, 50 * SIM_MS);
	assert_int_equal(stats->dropped, 0);
	raw.to_tag[0]++;
	raw_send(&raw, "ACK", "sip:100@10.0.0.2", raw.cseq, bad_route, NULL, NULL);
	sim_run(&sim, 50 * SIM_MS);
	assert_int_equal(stats->dropped, 1);
	/* Within a call, and what has no call to be of, is parsed whole as ever. */
	raw_request(&raw, "INVITE", bad_route, NULL, NULL);
	raw_expect(&raw, 400);
	sim_assert_empty(&sim);
}

/* An INVITE that was taken before is answered again, whatever the load is now. */
static void overload_knows_a_repetition(void **state)
{
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0 8", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	sim.ua[1].overloaded = true;
	raw.branch--;
	raw.cseq--;
	raw.to_tag[0] = '\0';
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0 8", ""));
	sim_run(&sim, 50 * SIM_MS);
	assert_int_equal(sip_ua_stats(sim.ua[1].ua)->refused_overload, 0);
	assert_int_equal(sip_ua_transaction_stats(sim.ua[1].ua)->repeats_received, 1);
}

static void peer_refreshes_or_is_hung_up(void **state)
{
	const struct sip_message *ok;
	struct sip_session_expires expires;

	raw_request(&raw, "INVITE", "Supported: timer\r\nSession-Expires: 100\r\n", SDP,
		raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	ok = raw_expect(&raw, 200);
	assert_int_equal(sip_message_session_expires(ok, SIP_HEADER_SESSION_EXPIRES, &expires), 0);
	assert_int_equal(expires.seconds, 100);
	assert_int_equal(expires.refresher, SIP_REFRESHER_UAC);
	assert_true(sip_message_lists(ok, SIP_HEADER_REQUIRE, "timer"));
	raw_ack(&raw, NULL);
	sim_run(&sim, 60 * SIM_S);
	raw_request(&raw, "INVITE", "Supported: timer\r\nSession-Expires: 100;refresher=uac\r\n",
		SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	sim_run(&sim, 60 * SIM_S);
	raw_expect_nothing(&raw);
	sim_run(&sim, 10 * SIM_S);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	assert_true(sim_last(&sim, 1)->end.timed_out);
	sim_assert_empty(&sim);
}

static void we_refresh(void **state)
{
	const struct sip_message *invite;

	raw_request(&raw, "INVITE", "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n",
		SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	for (int i = 0; i < 3; i++) {
		sim_run(&sim, 51 * SIM_S);
		invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
		raw_respond(&raw, invite, 200, NULL, "Session-Expires: 100;refresher=uac\r\n",
			raw_sdp("10.0.0.1", 30000, "0", ""));
		raw_expect_request(&raw, SIP_METHOD_ACK);
	}
	assert_int_equal(sim_last(&sim, 1)->reoffered, 0);
	assert_int_equal(sim_last(&sim, 1)->ended, 0);
	sim_run(&sim, 51 * SIM_S);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, invite, 481, NULL, "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 481, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(new_address_and_codec_order),
		T(unusable_reinvite_changes_nothing),
		T(reinvite_without_offer),
		T(delayed_offer),
		T(delayed_offer_without_answer_is_ended),
		T(missing_ack_ends_the_call),
		T(bye_in_early_dialog),
		T(bye_before_ack),
		T(hangup_waits_for_the_ack),
		T(requests_in_the_dialog),
		T(refusals_outside_a_dialog),
		T(refused_calls),
		T(offer_in_a_multipart_body),
		T(strangers_leave_nothing_behind),
		T(drain_and_merged),
		T(overload_refuses_new_calls_alone),
		T(overload_does_not_judge_a_cancel),
		T(overload_refuses_at_a_glance),
		T(overload_knows_a_repetition),
		T(peer_refreshes_or_is_hung_up),
		T(we_refresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
