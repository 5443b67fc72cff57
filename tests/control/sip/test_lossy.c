/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thousands of calls between two user agents through a pipe that loses, doubles and reorders, with
 * users who ring, answer, refuse, hold and hang up whenever they like. Whatever happens: one final
 * word for each session on each side, and nothing left over.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

static struct sim sim;

static void wait_some(struct sim_ua *ua, struct sim_call *call, uint64_t max_ns)
{
	timers_set_in(&ua->sim->timers, &call->timer, random_below(&ua->sim->random, max_ns));
}

static void on_incoming(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	wait_some(ua, call, 4 * SIM_S);
}

static void decide_incoming(struct sim_ua *ua, struct sim_call *call)
{
	uint64_t what = random_below(&ua->sim->random, 100);
	struct sdp_stream agreed;

	if (what < 30)
		sip_session_ring(ua->sessions, call->id);
	else if (what < 45)
		sip_session_early_media(ua->sessions, call->id, &ua->local, &agreed);
	else if (what < 85)
		sip_session_answer(ua->sessions, call->id, &ua->local, &agreed);
	else if (what < 93)
		sip_session_reject(ua->sessions, call->id, 486, STR_NULL, 0);
	else
		sip_session_hangup(ua->sessions, call->id, 16, STR_NULL);
}

static void decide_up(struct sim_ua *ua, struct sim_call *call)
{
	struct sdp_local local = ua->local;

	if (random_below(&ua->sim->random, 100) < 30) {
		sip_session_hangup(ua->sessions, call->id, 16, STR("bye"));
		return;
	}
	local.direction = (uint8_t)random_below(&ua->sim->random, 4);
	sip_session_reoffer(ua->sessions, call->id, &local, ua->sim->now_ns);
}

static void on_timer(struct sim_ua *ua, struct sim_call *call)
{
	switch (sip_session_state(ua->sessions, call->id)) {
	case SIP_SESSION_INCOMING:
	case SIP_SESSION_RINGING:
	case SIP_SESSION_EARLY:
		decide_incoming(ua, call);
		break;
	case SIP_SESSION_CALLING:
	case SIP_SESSION_PROCEEDING:
		if (random_below(&ua->sim->random, 100) < 20)
			sip_session_hangup(ua->sessions, call->id, 0, STR_NULL);
		break;
	case SIP_SESSION_DONE:
		return;
	default:
		decide_up(ua, call);
		break;
	}
	wait_some(ua, call, 8 * SIM_S);
}

static void on_answered(struct sim_ua *ua, struct sim_call *call)
{
	wait_some(ua, call, 10 * SIM_S);
}

static void check_calls(struct sim_ua *ua)
{
	for (unsigned i = 0; i < ua->count; i++)
		assert_int_equal(ua->calls[i].ended + ua->calls[i].failed, 1);
}

static unsigned count_answered(struct sim_ua *ua)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ua->count; i++)
		n += ua->calls[i].answered;
	return n;
}

static void run_calls(uint64_t seed, unsigned loss, unsigned dup, uint64_t delay_max_ns, unsigned n)
{
	sim_init(&sim, seed);
	sim.loss = loss;
	sim.dup = dup;
	sim.delay_max_ns = delay_max_ns;
	for (int i = 0; i < SIM_UAS; i++) {
		sim.ua[i].incoming = on_incoming;
		sim.ua[i].answered = on_answered;
		sim.ua[i].on_timer = on_timer;
	}
	for (unsigned i = 0; i < n; i++) {
		struct sim_call *call = sim_call(&sim, (int)random_below(&sim.random, 2));

		wait_some(call->ua, call, 10 * SIM_S);
		sim_run(&sim, random_below(&sim.random, 200 * SIM_MS));
	}
	sim_settle(&sim, 4000 * SIM_S);
	sim_assert_empty(&sim);
	check_calls(&sim.ua[0]);
	check_calls(&sim.ua[1]);
	if (loss <= 100)
		assert_in_range(count_answered(&sim.ua[0]), n / 3, 2 * n);
	for (int i = 0; i < SIM_UAS; i++) {
		const struct sip_session_stats *stats = sip_sessions_stats(sim.ua[i].sessions);

		print_message("seed %u ua %d: %u sessions, %u answered, glare %u, surplus %u, "
			      "unacknowledged %u, BYE %u, CANCEL %u\n",
			(unsigned)seed, i, sim.ua[i].count, count_answered(&sim.ua[i]),
			(unsigned)stats->glare, (unsigned)stats->surplus_forks,
			(unsigned)stats->unacknowledged, sim.ua[i].sent[SIP_METHOD_BYE],
			sim.ua[i].sent[SIP_METHOD_CANCEL]);
	}
	sim_free(&sim);
}

static void perfect_network(void **state)
{
	run_calls(1, 0, 0, SIM_MS, 500);
}

static void reordering_and_doubling_network(void **state)
{
	run_calls(2, 0, 200, 400 * SIM_MS, 500);
}

static void lossy_network_many_seeds(void **state)
{
	for (uint64_t seed = 10; seed < 20; seed++)
		run_calls(seed, 100, 50, 100 * SIM_MS, 200);
}

static void terrible_network(void **state)
{
	for (uint64_t seed = 30; seed < 36; seed++)
		run_calls(seed, 400, 200, 1500 * SIM_MS, 100);
}

static void black_hole(void **state)
{
	run_calls(3, 1000, 0, SIM_MS, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perfect_network),
		cmocka_unit_test(reordering_and_doubling_network),
		cmocka_unit_test(lossy_network_many_seeds),
		cmocka_unit_test(terrible_network),
		cmocka_unit_test(black_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
