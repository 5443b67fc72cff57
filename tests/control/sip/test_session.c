/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

static struct sim sim;

static int setup(void **state)
{
	sim_init(&sim, 1);
	sim.print = getenv("SIM_PRINT") != NULL;
	return 0;
}

static int teardown(void **state)
{
	sim_free(&sim);
	return 0;
}

/* The default script answers at once. */
static struct sim_call *answered_call(void)
{
	struct sim_call *call = sim_call(&sim, 0);

	sim_run(&sim, 100 * SIM_MS);
	assert_int_equal(call->answered, 1);
	assert_int_equal(sim_last(&sim, 1)->answered, 1);
	return call;
}

static void hang_up_both_ways_empty(struct sim_call *call, int by)
{
	struct sim_call *at[] = {call, sim_last(&sim, 1)};

	assert_int_equal(sip_session_hangup(sim.ua[by].sessions, at[by]->id, 16, STR("done")), 0);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(at[0]->ended, 1);
	assert_int_equal(at[1]->ended, 1);
	assert_true(at[!by]->end.by_peer);
	assert_false(at[by]->end.by_peer);
	assert_int_equal(at[!by]->end.q850, 16);
	assert_string_equal(at[!by]->reason, "done");
	sim_assert_empty(&sim);
}

static void call_is_answered_and_caller_hangs_up(void **state)
{
	struct sim_call *call = answered_call();

	assert_int_equal(call->stream.codec, CORD_CODEC_PCMU);
	assert_int_equal(call->stream.remote.udp_port, 20000);
	assert_int_equal(call->stream.remote.ip[3], 2);
	assert_int_equal(sim_last(&sim, 1)->stream.remote.ip[3], 1);
	hang_up_both_ways_empty(call, 0);
}

static void call_is_answered_and_callee_hangs_up(void **state)
{
	hang_up_both_ways_empty(answered_call(), 1);
}

static void bye_crosses_bye(void **state)
{
	struct sim_call *call = answered_call(), *other = sim_last(&sim, 1);

	sip_session_hangup(sim.ua[0].sessions, call->id, 0, STR_NULL);
	sip_session_hangup(sim.ua[1].sessions, other->id, 0, STR_NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	assert_int_equal(other->ended, 1);
	sim_assert_empty(&sim);
}

static void ring_only(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	char number[32];

	assert_int_equal(sip_uri_number(&in->message->uri, number, sizeof(number)), 0);
	assert_string_equal(number, "+4930123456");
	assert_int_equal(in->asserted.uri.scheme, SIP_SCHEME_TEL);
	assert_int_equal(sip_session_ring(ua->sessions, call->id), 0);
}

static void ring_then_early_then_answer(void **state)
{
	struct sdp_stream agreed = {0};
	struct sim_call *call, *other;

	sim.ua[1].incoming = ring_only;
	call = sim_call(&sim, 0);
	sim_run(&sim, SIM_S);
	other = sim_last(&sim, 1);
	assert_int_equal(call->last_progress, 180);
	assert_false(call->has_early);
	assert_int_equal(
		sip_session_early_media(sim.ua[1].sessions, other->id, &sim.ua[1].local, &agreed),
		0);
	assert_int_equal(agreed.remote.udp_port, 20000);
	sim_run(&sim, SIM_S);
	assert_int_equal(call->last_progress, 183);
	assert_true(call->has_early);
	assert_int_equal(sip_session_ring(sim.ua[1].sessions, other->id), -EINVAL);
	assert_int_equal(sip_session_answer(sim.ua[1].sessions, other->id, NULL, &agreed), 0);
	sim_run(&sim, SIM_S);
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->media, 0);
	hang_up_both_ways_empty(call, 1);
}

static void reject_busy(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	assert_int_equal(sip_session_reject(ua->sessions, call->id, 486, STR("Busy Now"), 30), 0);
}

static void rejected_call_fails_with_code_and_reason(void **state)
{
	struct sim_call *call;

	sim.ua[1].incoming = reject_busy;
	call = sim_call(&sim, 0);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 486);
	assert_int_equal(call->end.retry_after_s, 30);
	assert_string_equal(call->reason, "Busy Now");
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

static void strangers_are_refused(void **state)
{
	struct sim_call *call;

	sim.ua[1].strangers = true;
	call = sim_call(&sim, 0);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 403);
	assert_int_equal(sim.ua[1].count, 0);
	sim_assert_empty(&sim);
}

static void silence_fails_after_timer_b(void **state)
{
	struct sim_call *call;
	uint64_t start = sim.now_ns;

	sim.loss = 1000;
	call = sim_call(&sim, 0);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->failed, 1);
	assert_int_equal(call->end.status, 408);
	assert_true(call->end.timed_out);
	assert_int_equal((sim.now_ns - start) / SIM_S, 32);
	assert_int_equal(sim.ua[0].sent[SIP_METHOD_INVITE], 7);
	sim_assert_empty(&sim);
}

static void answer_later(struct sim_ua *ua, struct sim_call *call)
{
	struct sdp_stream agreed;

	sip_session_answer(ua->sessions, call->id, &ua->local, &agreed);
}

static void ring_then_wait(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	sip_session_ring(ua->sessions, call->id);
	timers_set_in(&ua->sim->timers, &call->timer, 20 * SIM_MS);
}

/* The caller hangs up at each half millisecond of a call that rings at 5 and is answered at 25. */
static void cancel_in_every_window(void **state)
{
	unsigned failed = 0, ended = 0;

	for (uint64_t at = 0; at < 120; at++) {
		struct sim_call *call;

		sim_free(&sim);
		sim_init(&sim, at + 1);
		sim.delay_min_ns = sim.delay_max_ns = 5 * SIM_MS;
		sim.ua[1].incoming = ring_then_wait;
		sim.ua[1].on_timer = answer_later;
		call = sim_call(&sim, 0);
		if (at)
			sim_run(&sim, at * SIM_MS / 2);
		assert_int_equal(sip_session_hangup(sim.ua[0].sessions, call->id, 0, STR_NULL), 0);
		sim_settle(&sim, 200 * SIM_S);
		assert_int_equal(call->failed + call->ended, 1);
		assert_int_equal(sim_last(&sim, 1)->ended, 1);
		failed += call->failed;
		ended += call->ended;
		sim_assert_empty(&sim);
	}
	assert_in_range(failed, 50, 80);
	assert_in_range(ended, 40, 70);
}

static void glare_is_resolved(void **state)
{
	struct sim_call *call = answered_call(), *other = sim_last(&sim, 1);
	struct sdp_local hold = sim.ua[0].local;

	hold.direction = CORD_MAY_SEND;
	assert_int_equal(sip_session_reoffer(sim.ua[0].sessions, call->id, &hold, sim.now_ns), 0);
	assert_int_equal(
		sip_session_reoffer(sim.ua[1].sessions, other->id, &sim.ua[1].local, sim.now_ns),
		0);
	sim_run(&sim, 10 * SIM_S);
	assert_int_equal(call->reoffered, 1);
	assert_int_equal(call->reoffer_status, 0);
	assert_int_equal(other->reoffered, 1);
	assert_int_equal(other->reoffer_status, 0);
	assert_int_equal(call->stream.direction, CORD_MAY_SEND);
	assert_true(other->stream.held_by_peer);
	hang_up_both_ways_empty(call, 0);
}

/* What we want against what the peer wants (RFC 3264 section 6.1). */
static void direction_matrix(void **state)
{
	const uint8_t send = CORD_MAY_SEND, receive = CORD_MAY_RECEIVE;
	struct sim_call *call = answered_call(), *other = sim_last(&sim, 1);

	for (unsigned theirs = 0; theirs < 4; theirs++) {
		struct sdp_local local = sim.ua[1].local;

		local.direction = (uint8_t)theirs;
		sip_session_reoffer(sim.ua[1].sessions, other->id, &local, sim.now_ns);
		sim_run(&sim, SIM_S);
		for (unsigned ours = 0; ours < 4; ours++) {
			unsigned we_send = (ours & send) && (theirs & receive);
			unsigned we_receive = (ours & receive) && (theirs & send);

			local = sim.ua[0].local;
			local.direction = (uint8_t)ours;
			assert_int_equal(sip_session_reoffer(
						 sim.ua[0].sessions, call->id, &local, sim.now_ns),
				0);
			sim_run(&sim, SIM_S);
			assert_int_equal(call->stream.direction,
				(we_send ? send : 0) | (we_receive ? receive : 0));
			assert_int_equal(other->stream.direction,
				(we_send ? receive : 0) | (we_receive ? send : 0));
		}
	}
	hang_up_both_ways_empty(call, 1);
}

static void refresh_goes_on_by_itself(void **state)
{
	struct sim_call *call = answered_call();

	sim_run(&sim, 4 * 3600 * SIM_S);
	assert_int_equal(call->ended, 0);
	assert_int_equal(call->media, 0);
	assert_in_range(
		sim.ua[0].sent[SIP_METHOD_INVITE] + sim.ua[1].sent[SIP_METHOD_INVITE], 15, 18);
	/* The other side goes away without a word. */
	sim.loss = 1000;
	sim_settle(&sim, 4000 * SIM_S);
	assert_int_equal(call->ended, 1);
	assert_int_equal(sim_last(&sim, 1)->ended, 1);
	sim_assert_empty(&sim);
}

static unsigned pinged_status;

static void on_ping(void *ctx, uint64_t tag, unsigned status, uint64_t rtt_ns, uint64_t now_ns)
{
	assert_int_equal(tag, 7);
	assert_true(status == 0 || rtt_ns == 2 * SIM_MS);
	pinged_status = status;
}

static void ping_tells_life_and_death(void **state)
{
	struct sip_hop hop = sim_hop(&sim, 1);

	pinged_status = 1;
	assert_int_equal(sip_ua_ping(sim.ua[0].ua, &hop, STR("sip:10.0.0.2"),
				 STR("sip:cordboard@10.0.0.1"), on_ping, NULL, 7),
		0);
	sim_settle(&sim, 100 * SIM_S);
	assert_int_equal(pinged_status, 200);
	sim.loss = 1000;
	assert_int_equal(sip_ua_ping(sim.ua[0].ua, &hop, STR("sip:10.0.0.2"),
				 STR("sip:cordboard@10.0.0.1"), on_ping, NULL, 7),
		0);
	sim_settle(&sim, 100 * SIM_S);
	assert_int_equal(pinged_status, 0);
	assert_int_equal(sip_ua_stats(sim.ua[0].ua)->pings_lost, 1);
	sim_assert_empty(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			call_is_answered_and_caller_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
			call_is_answered_and_callee_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(bye_crosses_bye, setup, teardown),
		cmocka_unit_test_setup_teardown(ring_then_early_then_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			rejected_call_fails_with_code_and_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_fails_after_timer_b, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_in_every_window, setup, teardown),
		cmocka_unit_test_setup_teardown(glare_is_resolved, setup, teardown),
		cmocka_unit_test_setup_teardown(direction_matrix, setup, teardown),
		cmocka_unit_test_setup_teardown(refresh_goes_on_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(ping_tells_life_and_death, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
