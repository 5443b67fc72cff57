/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hold and resume by re-INVITE (RFC 3264 section 8.4, RFC 6337 section 5), every change from every
 * state: what we answer or offer, who may send then, and whether the peer holds us.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw_peer.h"

#define SDP  "application/sdp"
#define BOTH (CORD_MAY_SEND | CORD_MAY_RECEIVE)

static struct sim sim;
static struct raw_peer raw;

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

static struct sim_call *call_up(void)
{
	raw_start(&raw, &sim);
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0 8", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(sim_last(&sim, 1)->answered, 1);
	return sim_last(&sim, 1);
}

/* What a peer may write, and what it means for us when we are ready to talk. */
static const struct wish {
	const char *address, *lines;
	bool in_session; /* the attribute stands before the m= line */
	uint8_t direction;
	bool held;
	const char *answer;
} wishes[] = {
	{"10.0.0.1", "", false, BOTH, false, "a=sendrecv\r\n"},
	{"10.0.0.1", "a=sendrecv\r\n", false, BOTH, false, "a=sendrecv\r\n"},
	{"10.0.0.1", "a=sendonly\r\n", false, CORD_MAY_RECEIVE, true, "a=recvonly\r\n"},
	{"10.0.0.1", "a=sendonly\r\n", true, CORD_MAY_RECEIVE, true, "a=recvonly\r\n"},
	{"10.0.0.1", "a=recvonly\r\n", false, CORD_MAY_SEND, false, "a=sendonly\r\n"},
	{"10.0.0.1", "a=inactive\r\n", false, 0, true, "a=inactive\r\n"},
	{"10.0.0.1", "a=inactive\r\n", true, 0, true, "a=inactive\r\n"},
	{"0.0.0.0", "", false, CORD_MAY_RECEIVE, true, "a=recvonly\r\n"},
	{"0.0.0.0", "a=sendonly\r\n", false, CORD_MAY_RECEIVE, true, "a=recvonly\r\n"},
	{"0.0.0.0", "a=recvonly\r\n", false, 0, true, "a=inactive\r\n"},
	{"0.0.0.0", "a=inactive\r\n", false, 0, true, "a=inactive\r\n"},
};
#define WISHES (sizeof(wishes) / sizeof(wishes[0]))

static const char *describe(const struct wish *wish)
{
	static char text[1024];
	static unsigned version;

	snprintf(text, sizeof(text),
		"v=0\r\no=- 1 %u IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s"
		"m=audio 30000 RTP/AVP 0 8\r\n%s",
		++version, wish->address, wish->in_session ? wish->lines : "",
		wish->in_session ? "" : wish->lines);
	return text;
}

static void assert_agreed(const struct sim_call *call, const struct wish *wish)
{
	if (call->stream.direction != wish->direction || call->stream.held_by_peer != wish->held)
		fail_msg("%s %s: direction %u, held %d", wish->address, wish->lines,
			call->stream.direction, call->stream.held_by_peer);
	assert_int_equal(call->stream.remote.ip[0], wish->address[0] == '0' ? 0 : 10);
	assert_int_equal(call->stream.remote.udp_port, 30000);
}

static bool alike(const struct wish *a, const struct wish *b)
{
	return a->direction == b->direction && a->held == b->held && a->address[0] == b->address[0];
}

static void hold_by_offer(struct sim_call *call, const struct wish *wish)
{
	const struct sip_message *ok;

	raw_request(&raw, "INVITE", "", SDP, describe(wish));
	ok = raw_expect(&raw, 200);
	if (str_find(ok->body, str_from(wish->answer)) < 0)
		fail_msg("%s %s: answered\n%.*s", wish->address, wish->lines, STR_ARG(ok->body));
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_agreed(call, wish);
}

/* No offer: ours is to talk, whatever was before, and the answer in the ACK decides. */
static void hold_by_answer(struct sim_call *call, const struct wish *wish)
{
	const struct sip_message *ok;

	raw_request(&raw, "INVITE", "", NULL, NULL);
	ok = raw_expect(&raw, 200);
	assert_true(str_find(ok->body, STR("a=sendrecv\r\n")) >= 0);
	assert_true(str_find(ok->body, STR("m=audio 20000 ")) >= 0);
	raw_ack(&raw, describe(wish));
	raw_expect_nothing(&raw);
	assert_agreed(call, wish);
}

/* From each state to each other, and told to the user only when something changed. */
static void walk(void (*step)(struct sim_call *call, const struct wish *wish), size_t from)
{
	struct sim_call *call;

	sim_free(&sim);
	setup(NULL);
	call = call_up();
	for (size_t to = 0; to < WISHES; to++) {
		unsigned told;

		step(call, &wishes[from]);
		told = call->media;
		step(call, &wishes[to]);
		assert_int_equal(call->media - told, !alike(&wishes[from], &wishes[to]));
	}
	assert_int_equal(call->ended, 0);
}

static void pain_12_every_hold_from_every_hold_by_offer(void **state)
{
	for (size_t from = 0; from < WISHES; from++)
		walk(hold_by_offer, from);
}

static void pain_12_every_hold_from_every_hold_without_offer(void **state)
{
	for (size_t from = 0; from < WISHES; from++)
		walk(hold_by_answer, from);
}

static void pain_12_unhold_without_offer_after_hold_with_one(void **state)
{
	for (size_t from = 0; from < WISHES; from++) {
		struct sim_call *call;

		sim_free(&sim);
		setup(NULL);
		call = call_up();
		hold_by_offer(call, &wishes[from]);
		hold_by_answer(call, &wishes[0]);
		hold_by_answer(call, &wishes[from]);
		hold_by_offer(call, &wishes[1]);
	}
}

/* ---- our own offers ---------------------------------------------------------------------- */

static void reoffer(struct sim_call *call, uint8_t direction, const char *offer, const char *answer)
{
	struct sdp_local local = sim.ua[1].local;
	const struct sip_message *invite;

	local.direction = direction;
	assert_int_equal(sip_session_reoffer(sim.ua[1].sessions, call->id, &local, sim.now_ns), 0);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	assert_true(str_find(invite->body, str_from(offer)) >= 0);
	raw_respond(&raw, invite, 200, raw.to_tag, "", raw_sdp("10.0.0.1", 30000, "0", answer));
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->reoffer_status, 0);
}

/* Each offer of ours with each answer that RFC 3264 section 6.1 allows, while held and while not. */
static void pain_12_our_hold_and_the_peers(void **state)
{
	static const struct {
		uint8_t wanted;
		const char *offer, *answer;
		uint8_t direction;
		int held; /* -1: as before, an answer to this offer does not tell */
	} rows[] = {
		{BOTH, "a=sendrecv\r\n", "a=sendrecv\r\n", BOTH, 0},
		{BOTH, "a=sendrecv\r\n", "", BOTH, 0},
		{BOTH, "a=sendrecv\r\n", "a=sendonly\r\n", CORD_MAY_RECEIVE, 1},
		{BOTH, "a=sendrecv\r\n", "a=recvonly\r\n", CORD_MAY_SEND, 0},
		{BOTH, "a=sendrecv\r\n", "a=inactive\r\n", 0, 1},
		{CORD_MAY_SEND, "a=sendonly\r\n", "a=recvonly\r\n", CORD_MAY_SEND, 0},
		{CORD_MAY_SEND, "a=sendonly\r\n", "a=inactive\r\n", 0, 1},
		{CORD_MAY_RECEIVE, "a=recvonly\r\n", "a=sendonly\r\n", CORD_MAY_RECEIVE, -1},
		{CORD_MAY_RECEIVE, "a=recvonly\r\n", "a=inactive\r\n", 0, -1},
		{0, "a=inactive\r\n", "a=inactive\r\n", 0, -1},
		/* Wrong answers do no harm. */
		{CORD_MAY_SEND, "a=sendonly\r\n", "a=sendrecv\r\n", CORD_MAY_SEND, 0},
		{0, "a=inactive\r\n", "a=sendrecv\r\n", 0, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int held = 0; held < 2; held++) {
			struct sim_call *call;

			sim_free(&sim);
			setup(NULL);
			call = call_up();
			hold_by_offer(call, &wishes[held ? 2 : 1]);
			reoffer(call, rows[i].wanted, rows[i].offer, rows[i].answer);
			assert_int_equal(call->stream.direction, rows[i].direction);
			assert_int_equal(
				call->stream.held_by_peer, rows[i].held < 0 ? held : rows[i].held);
			reoffer(call, BOTH, "a=sendrecv\r\n", "a=sendrecv\r\n");
			assert_int_equal(call->stream.direction, BOTH);
			assert_false(call->stream.held_by_peer);
		}
}

/* The refresh of a session timer keeps the peer's hold, and our offer in it is still to talk. */
static void pain_12_refresh_while_held(void **state)
{
	const struct sip_message *invite;
	struct sim_call *call;
	unsigned told;

	raw_start(&raw, &sim);
	raw_request(&raw, "INVITE", "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n",
		SDP, raw_sdp("10.0.0.1", 30000, "0", "a=sendonly\r\n"));
	raw_expect(&raw, 100);
	raw_expect(&raw, 200);
	raw_ack(&raw, NULL);
	sim_run(&sim, 51 * SIM_S);
	call = sim_last(&sim, 1);
	assert_true(call->stream.held_by_peer);
	told = call->media;
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	assert_true(str_find(invite->body, STR("a=sendrecv\r\n")) >= 0);
	raw_respond(&raw, invite, 200, raw.to_tag, "",
		raw_sdp("10.0.0.1", 30000, "0", "a=sendonly\r\n"));
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_true(call->stream.held_by_peer);
	assert_int_equal(call->stream.direction, CORD_MAY_RECEIVE);
	assert_int_equal(call->media, told);
}

/* ---- both at once ------------------------------------------------------------------------ */

/* The peer's hold meets ours on the way: each refuses with 491, and both happen in the end. */
static void pain_12_hold_crosses_hold_by_hand(void **state)
{
	struct sim_call *call = call_up();
	struct sdp_local local = sim.ua[1].local;
	const struct sip_message *invite, *ok;

	local.direction = CORD_MAY_SEND;
	assert_int_equal(sip_session_reoffer(sim.ua[1].sessions, call->id, &local, sim.now_ns), 0);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_request(&raw, "INVITE", "", SDP, describe(&wishes[2]));
	raw_expect(&raw, 491);
	raw_ack(&raw, NULL);
	raw_respond(&raw, invite, 491, raw.to_tag, "", NULL);
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->stream.direction, BOTH);
	/* We answered the call, so we are the one who waits less than two seconds (14.1). */
	sim_run(&sim, 2 * SIM_S);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	raw_respond(&raw, invite, 200, raw.to_tag, "",
		raw_sdp("10.0.0.1", 30000, "0", "a=recvonly\r\n"));
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->stream.direction, CORD_MAY_SEND);
	assert_false(call->stream.held_by_peer);
	raw_request(&raw, "INVITE", "", SDP, describe(&wishes[2]));
	ok = raw_expect(&raw, 200);
	assert_true(str_find(ok->body, STR("a=inactive\r\n")) >= 0);
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(call->stream.direction, 0);
	assert_true(call->stream.held_by_peer);
	assert_int_equal(call->reoffered, 1);
}

static void set_direction(int ua, const struct sim_call *call, uint8_t direction)
{
	struct sdp_local local = sim.ua[ua].local;

	local.direction = direction;
	assert_int_equal(sip_session_reoffer(sim.ua[ua].sessions, call->id, &local, sim.now_ns), 0);
}

static void assert_sides(const struct sim_call *a, uint8_t a_direction, bool a_held,
	const struct sim_call *b, uint8_t b_direction, bool b_held)
{
	assert_int_equal(a->stream.direction, a_direction);
	assert_int_equal(a->stream.held_by_peer, a_held);
	assert_int_equal(b->stream.direction, b_direction);
	assert_int_equal(b->stream.held_by_peer, b_held);
}

/* Both of us at both ends, on a network that loses and doubles: hold, resume one, resume the other. */
static void pain_12_hold_crosses_hold(void **state)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct sim_call *a, *b;

		sim_free(&sim);
		sim_init(&sim, seed);
		a = sim_call(&sim, 0);
		sim_run(&sim, SIM_S);
		b = sim_last(&sim, 1);
		sim.loss = sim.dup = 100;
		sim.delay_max_ns = 50 * SIM_MS;
		set_direction(0, a, CORD_MAY_SEND);
		set_direction(1, b, CORD_MAY_SEND);
		sim_run(&sim, 40 * SIM_S);
		assert_sides(a, 0, true, b, 0, true);
		set_direction(0, a, BOTH);
		sim_run(&sim, 40 * SIM_S);
		assert_sides(a, CORD_MAY_RECEIVE, true, b, CORD_MAY_SEND, false);
		set_direction(0, a, BOTH);
		set_direction(1, b, BOTH);
		sim_run(&sim, 40 * SIM_S);
		assert_sides(a, BOTH, false, b, BOTH, false);
		assert_int_equal(a->ended + b->ended, 0);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pain_12_every_hold_from_every_hold_by_offer),
		T(pain_12_every_hold_from_every_hold_without_offer),
		T(pain_12_unhold_without_offer_after_hold_with_one),
		T(pain_12_our_hold_and_the_peers),
		T(pain_12_refresh_while_held),
		T(pain_12_hold_crosses_hold_by_hand),
		T(pain_12_hold_crosses_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
