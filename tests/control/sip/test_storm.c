/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged messages against a whole user agent with a call that is up: torture messages and messages
 * of calls, mutated. Nothing stops it, nothing is left over, and the call goes on.
 * CORDBOARD_MUTATIONS says how many, CORDBOARD_SEED from which seed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mutate.h"
#include "sim.h"
#include "torture.h"

#define BATCH 500

static struct sim sim;

static const char *const texts[] = {
	"INVITE sip:100@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%u;rport\r\n"
	"From: <sip:a@10.0.0.1>;tag=a%u\r\nTo: <sip:100@10.0.0.2>\r\nCall-ID: storm%u\r\n"
	"CSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.1>\r\nMax-Forwards: 70\r\n"
	"Supported: timer\r\nSession-Expires: 100\r\nContent-Type: application/sdp\r\n"
	"Content-Length: 101\r\n\r\n"
	"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
	"m=audio 30000 RTP/AVP 0 8\r\na=sendrecv\r\n",
	"CANCEL sip:100@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%u;rport\r\n"
	"From: <sip:a@10.0.0.1>;tag=a%u\r\nTo: <sip:100@10.0.0.2>\r\nCall-ID: storm%u\r\n"
	"CSeq: 1 CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK%u\r\n"
	"From: <sip:a@10.0.0.1>;tag=a%u\r\nTo: <sip:100@10.0.0.2>;tag=x\r\nCall-ID: storm%u\r\n"
	"CSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.1>\r\nContent-Length: 0\r\n\r\n",
};

/* A damaged offer may have nothing that we can answer. */
static void answer_or_refuse(
	struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	if (sip_session_answer(ua->sessions, call->id, &ua->local, NULL) < 0)
		assert_int_equal(sip_session_reject(ua->sessions, call->id, 488, STR_NULL, 0), 0);
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void send_mutated(const struct torture_message *messages, unsigned long i)
{
	struct sip_hop hop = {.transport = (i & 7) ? SIP_TRANSPORT_UDP : SIP_TRANSPORT_TCP,
		.listener = 1,
		.remote = sim.ua[0].address};
	static char text[MUTATED_MAX];
	size_t n;
	char *exact;

	if (i % 3) {
		unsigned number = (unsigned)(i / 4);

		n = (size_t)snprintf(
			text, sizeof(text), texts[(i / 3) % 3], number, number, number);
	} else {
		const struct torture_message *m = &messages[(i / 3) % TORTURE_COUNT];

		n = m->length < MUTATED_MAX ? m->length : MUTATED_MAX;
		memcpy(text, m->bytes, n);
	}
	if (i % 5)
		mutate(text, &n);
	exact = malloc(n + (n == 0));
	memcpy(exact, text, n);
	sip_ua_receive(sim.ua[1].ua, &hop, exact, n, sim.now_ns);
	free(exact);
}

static void run_batch(const struct torture_message *messages, unsigned long from, unsigned long to)
{
	struct sim_call *call, *other;

	sim_init(&sim, from + 1);
	sim.ua[1].incoming = answer_or_refuse;
	call = sim_call(&sim, 0);
	sim_run(&sim, 100 * SIM_MS);
	other = &sim.ua[1].calls[0];
	for (unsigned long i = from; i < to; i++) {
		send_mutated(messages, i);
		sim_run(&sim, random_below(&sim.random, 20 * SIM_MS));
	}
	assert_int_equal(call->answered, 1);
	assert_int_equal(call->ended + other->ended, 0);
	sip_session_hangup(sim.ua[1].sessions, other->id, 0, STR_NULL);
	sim_settle(&sim, 4000 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
	sim_free(&sim);
}

static void storm(void **state)
{
	const struct torture_message *messages = torture_load();
	unsigned long count = from_environment("CORDBOARD_MUTATIONS", 5000);

	mutate_seed(from_environment("CORDBOARD_SEED", 1));
	for (unsigned long i = 0; i < count; i += BATCH)
		run_batch(messages, i, i + BATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(storm)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
