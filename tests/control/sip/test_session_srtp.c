/* SPDX-License-Identifier: Apache-2.0 */
/* Keys over the life of a session: kept by every exchange, never given up, gone with the session. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw_peer.h"

#define SDP    "application/sdp"
#define TIMER  "Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n"
#define KEY    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define OTHER  "ZZECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

static struct sim sim;
static struct raw_peer raw;
static uint64_t said; /* version of our description that came last, where a test looks */

static void answer_or_refuse(
	struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *incoming)
{
	struct sdp_stream agreed;
	int rc = sip_session_answer(ua->sessions, call->id, &ua->local, &agreed);

	if (rc < 0) {
		assert_int_equal(rc, -ENOTSUP);
		sip_session_reject(ua->sessions, call->id, 488, STR_NULL, 0);
	}
}

static int setup(void **state)
{
	sim_init(&sim, 1);
	sim.ua[1].incoming = answer_or_refuse;
	sim.print = getenv("SIM_PRINT") != NULL;
	return 0;
}

static int teardown(void **state)
{
	sim_free(&sim);
	return 0;
}

static const char *describe(const char *protocol, const char *lines)
{
	static char text[1024];
	static unsigned version;

	snprintf(text, sizeof(text),
		"v=0\r\no=- 1 %u IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
		"m=audio 30000 %s 0\r\n%s",
		++version, protocol, lines);
	return text;
}

/* The crypto line of a message of ours. */
static void keep_line(const struct sip_message *message, char line[160])
{
	ptrdiff_t at = str_find(message->body, STR("a=crypto:"));
	struct str rest = str_skip(message->body, at < 0 ? message->body.n : (size_t)at), first;

	line[0] = '\0';
	if (at >= 0 && str_split(&rest, '\r', &first))
		assert_int_equal(str_copy(first, line, 160), 0);
}

static struct sim_call *call_up(
	enum sdp_srtp srtp, const char *protocol, const char *lines, char line[160])
{
	sim.ua[1].local.srtp = (uint8_t)srtp;
	raw_start(&raw, &sim);
	raw_request(&raw, "INVITE", TIMER, SDP, describe(protocol, lines));
	raw_expect(&raw, 100);
	keep_line(raw_expect(&raw, 200), line);
	said = 1;
	raw_ack(&raw, NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(sim_last(&sim, 1)->answered, 1);
	return sim_last(&sim, 1);
}

static void reinvite(const char *body, unsigned status, char line[160])
{
	raw_request(&raw, "INVITE", TIMER, body ? SDP : NULL, body);
	keep_line(raw_expect(&raw, status), line);
	if (status != 200 || body)
		raw_ack(&raw, NULL);
}

static void a_reinvite_without_encryption_is_refused(void **state)
{
	static const char *const protocols[] = {"RTP/SAVP", "RTP/AVP"};
	char first[160], line[160];

	/* Agreed on as RTP/SAVP, and as RTP/AVP with keys. */
	for (int i = 0; i < 2; i++) {
		struct sdp_stream before;
		struct sim_call *call;

		sim_free(&sim);
		setup(NULL);
		call = call_up(SDP_SRTP_OPTIONAL, protocols[i], CRYPTO, first);
		before = call->stream;
		assert_int_equal(before.send_key.suite, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
		reinvite(describe("RTP/AVP", ""), 488, line);
		reinvite(describe("RTP/SAVP", ""), 488, line);
		reinvite(describe("RTP/AVP", "a=sendonly\r\n"), 488, line);
		raw_expect_nothing(&raw);
		assert_int_equal(call->media, 0);
		assert_int_equal(call->ended, 0);
		/* The call goes on with what it had. */
		reinvite(describe(protocols[i], CRYPTO "a=sendonly\r\n"), 200, line);
		assert_string_equal(line, first);
		raw_expect_nothing(&raw);
		assert_int_equal(call->media, 1);
		assert_memory_equal(
			&call->stream.send_key, &before.send_key, sizeof(before.send_key));
		assert_memory_equal(
			&call->stream.receive_key, &before.receive_key, sizeof(before.receive_key));
	}
}

static void our_key_is_the_same_for_the_life_of_the_call(void **state)
{
	char first[160], line[160];
	struct sim_call *call = call_up(SDP_SRTP_REQUIRED, "RTP/SAVP", CRYPTO, first);
	struct sdp_local local = sim.ua[1].local;
	const struct sip_message *invite;

	/* Hold and resume of the peer, then a key of its own that is new. */
	reinvite(describe("RTP/SAVP", CRYPTO "a=inactive\r\n"), 200, line);
	assert_string_equal(line, first);
	reinvite(describe("RTP/SAVP", CRYPTO), 200, line);
	assert_string_equal(line, first);
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 2);
	reinvite(describe("RTP/SAVP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" OTHER "\r\n"),
		200, line);
	assert_string_equal(line, first);
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 3);
	assert_int_equal(call->stream.receive_key.key[0], 0x65);
	/* Our hold. */
	local.direction = CORD_MAY_SEND;
	assert_int_equal(sip_session_reoffer(sim.ua[1].sessions, call->id, &local, sim.now_ns), 0);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	keep_line(invite, line);
	assert_string_equal(line, first);
	assert_true(str_find(invite->body, STR("m=audio 20000 RTP/SAVP ")) >= 0);
	raw_respond(&raw, invite, 200, raw.to_tag, "Session-Expires: 100;refresher=uac\r\n",
		describe("RTP/SAVP",
			"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" OTHER "\r\na=recvonly\r\n"));
	raw_expect_request(&raw, SIP_METHOD_ACK);
	assert_int_equal(call->reoffer_status, 0);
	assert_int_equal(call->stream.direction, CORD_MAY_SEND);
	/* The refresh of the session timer. */
	sim_run(&sim, 51 * SIM_S);
	invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
	keep_line(invite, line);
	assert_string_equal(line, first);
}

static void an_answer_without_encryption_ends_the_call(void **state)
{
	static const char *const answers[] = {
		"RTP/AVP",
		"RTP/SAVP",
	};

	for (int i = 0; i < 2; i++) {
		struct sdp_local local;
		const struct sip_message *invite;
		struct sim_call *call;
		char line[160];

		sim_free(&sim);
		setup(NULL);
		call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, line);
		local = sim.ua[1].local;
		local.direction = CORD_MAY_SEND;
		assert_int_equal(
			sip_session_reoffer(sim.ua[1].sessions, call->id, &local, sim.now_ns), 0);
		invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
		raw_respond(&raw, invite, 200, raw.to_tag, "", describe(answers[i], ""));
		raw_expect_request(&raw, SIP_METHOD_ACK);
		raw_respond(
			&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, raw.to_tag, "", NULL);
		sim_run(&sim, SIM_S);
		assert_int_equal(call->media, 0);
		assert_int_equal(call->ended, 1);
		assert_int_equal(call->end.status, 488);
	}
}

static void without_an_offer_ours_keeps_the_key(void **state)
{
	char first[160], line[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);

	reinvite(NULL, 200, line);
	assert_string_equal(line, first);
	raw_ack(&raw, describe("RTP/SAVP", CRYPTO));
	raw_expect_nothing(&raw);
	assert_int_equal(call->media, 0);
	reinvite(NULL, 200, line);
	raw_ack(&raw, describe("RTP/AVP", ""));
	raw_expect_request(&raw, SIP_METHOD_BYE);
}

static void required_is_not_talked_down(void **state)
{
	sim.ua[1].local.srtp = SDP_SRTP_REQUIRED;
	raw_start(&raw, &sim);
	raw_request(&raw, "INVITE", "", SDP, describe("RTP/AVP", CRYPTO));
	raw_expect(&raw, 100);
	raw_expect(&raw, 488);
}

/* Ours at both ends: who wants it gets it, who does not hears us as before. */
static void both_ends(void **state)
{
	static const struct {
		enum sdp_srtp caller, called;
		bool answered, encrypted;
	} rows[] = {
		{SDP_SRTP_OFF, SDP_SRTP_OFF, true, false},
		{SDP_SRTP_OFF, SDP_SRTP_OPTIONAL, true, false},
		{SDP_SRTP_OFF, SDP_SRTP_REQUIRED, false, false},
		{SDP_SRTP_OPTIONAL, SDP_SRTP_OFF, true, false},
		{SDP_SRTP_OPTIONAL, SDP_SRTP_OPTIONAL, true, true},
		{SDP_SRTP_OPTIONAL, SDP_SRTP_REQUIRED, false, false},
		{SDP_SRTP_REQUIRED, SDP_SRTP_OFF, false, false},
		{SDP_SRTP_REQUIRED, SDP_SRTP_OPTIONAL, true, true},
		{SDP_SRTP_REQUIRED, SDP_SRTP_REQUIRED, true, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sim_call *a, *b;

		sim_free(&sim);
		setup(NULL);
		sim.ua[0].local.srtp = (uint8_t)rows[i].caller;
		sim.ua[1].local.srtp = (uint8_t)rows[i].called;
		a = sim_call(&sim, 0);
		sim_run(&sim, SIM_S);
		assert_int_equal(a->answered, rows[i].answered);
		assert_int_equal(a->failed, !rows[i].answered);
		if (!rows[i].answered) {
			assert_int_equal(a->end.status, 488);
			continue;
		}
		b = sim_last(&sim, 1);
		assert_int_equal(a->stream.send_key.suite,
			rows[i].encrypted ? CORD_SRTP_AEAD_AES_256_GCM : CORD_SRTP_NONE);
		assert_memory_equal(
			&a->stream.send_key, &b->stream.receive_key, sizeof(a->stream.send_key));
		assert_memory_equal(
			&b->stream.send_key, &a->stream.receive_key, sizeof(a->stream.send_key));
		assert_int_equal(memcmp(&a->stream.send_key, &b->stream.send_key,
					 sizeof(a->stream.send_key)) != 0,
			rows[i].encrypted);
	}
}

/* ---- new keys for all ---- */

#define ANSWER_KEY(key) "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" key "\r\n"

/* The version of o= in a description of ours. */
static uint64_t version_of(const struct sip_message *message)
{
	struct str rest = message->body, word = STR_NULL;
	uint64_t number = 0;

	rest = str_skip(rest, (size_t)str_find(rest, STR("o=- ")) + 4);
	assert_true(str_split(&rest, ' ', &word) && str_split(&rest, ' ', &word));
	assert_int_equal(str_to_u64(word, &number), 0);
	return number;
}

/* The offer of new keys, whose line and version are others than before. */
static const struct sip_message *expect_new_keys(const char *before, char line[160])
{
	const struct sip_message *invite = raw_expect_request(&raw, SIP_METHOD_INVITE);

	keep_line(invite, line);
	assert_non_null(strstr(line, "AES_CM_128_HMAC_SHA1_80"));
	assert_string_not_equal(line, before);
	assert_true(version_of(invite) > said);
	said = version_of(invite);
	return invite;
}

static void respond(const struct sip_message *invite, unsigned status, const char *body)
{
	raw_respond(&raw, invite, status, raw.to_tag, "", body);
	raw_expect_request(&raw, SIP_METHOD_ACK);
}

static bool sends_with(const struct sim_call *call, const char *line)
{
	const char *inline_key = strstr(line, "inline:");
	struct strbuf text;
	char bytes[160];

	strbuf_init(&text, bytes, sizeof(bytes));
	sdes_write(&text, 1, &call->stream.send_key);
	return inline_key && strncmp(strstr(bytes, "inline:"), inline_key, strlen(inline_key)) == 0;
}

static void new_keys_of_both_sides(void **state)
{
	char first[160], second[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);
	const struct sip_message *invite;

	assert_true(sends_with(call, first));
	sip_sessions_renew_keys(sim.ua[1].sessions);
	invite = expect_new_keys(first, second);
	assert_int_equal(call->media, 0);
	respond(invite, 200, describe("RTP/SAVP", ANSWER_KEY(OTHER)));
	assert_int_equal(call->media, 1);
	assert_true(sends_with(call, second));
	assert_int_equal(call->stream.receive_key.key[0], 0x65);
	assert_int_equal(call->rekeyed, 1);
	assert_int_equal(call->rekey_status, 0);
	assert_true(call->peer_key_is_new);
	assert_int_equal(call->reoffered, 0);
	/* Kept from then on. */
	reinvite(describe("RTP/SAVP", ANSWER_KEY(OTHER)), 200, first);
	assert_string_equal(first, second);
	sim_run(&sim, 2 * SIM_S);
	raw_expect_nothing(&raw);
}

static void a_peer_that_keeps_its_key_is_told_of(void **state)
{
	char first[160], second[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);

	sip_sessions_renew_keys(sim.ua[1].sessions);
	respond(expect_new_keys(first, second), 200, describe("RTP/SAVP", CRYPTO));
	assert_true(sends_with(call, second));
	assert_int_equal(call->rekeyed, 1);
	assert_int_equal(call->rekey_status, 0);
	assert_false(call->peer_key_is_new);
}

static void new_keys_that_are_refused_change_nothing(void **state)
{
	char first[160], line[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);

	sip_sessions_renew_keys(sim.ua[1].sessions);
	respond(expect_new_keys(first, line), 488, NULL);
	assert_int_equal(call->rekeyed, 1);
	assert_int_equal(call->rekey_status, 488);
	assert_int_equal(call->media + call->ended, 0);
	reinvite(describe("RTP/SAVP", CRYPTO), 200, line);
	assert_string_equal(line, first);
	raw_expect_nothing(&raw);
}

static void new_keys_go_round_glare(void **state)
{
	char first[160], second[160], third[160], line[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);

	sip_sessions_renew_keys(sim.ua[1].sessions);
	respond(expect_new_keys(first, second), 491, NULL);
	/* The peer's own re-INVITE comes meanwhile. */
	reinvite(describe("RTP/SAVP", CRYPTO "a=sendonly\r\n"), 200, line);
	assert_string_equal(line, first);
	sim_run(&sim, 5 * SIM_S / 2);
	respond(expect_new_keys(second, third), 200, describe("RTP/SAVP", ANSWER_KEY(OTHER)));
	assert_string_not_equal(third, first);
	assert_true(sends_with(call, third));
	assert_int_equal(call->rekeyed, 1);
	assert_int_equal(call->rekey_status, 0);
}

/* It lacks the ACK of a 200 of ours when new keys are asked for. */
static void new_keys_wait_for_an_exchange(void **state)
{
	char first[160], line[160];
	struct sim_call *call = call_up(SDP_SRTP_OPTIONAL, "RTP/SAVP", CRYPTO, first);

	raw_request(&raw, "INVITE", TIMER, SDP, describe("RTP/SAVP", CRYPTO));
	raw_expect(&raw, 200);
	sip_sessions_renew_keys(sim.ua[1].sessions);
	raw_ack(&raw, NULL);
	sim_run(&sim, 50 * SIM_MS);
	raw_expect_nothing(&raw);
	sim_run(&sim, SIM_S);
	respond(expect_new_keys(first, line), 200, describe("RTP/SAVP", ANSWER_KEY(OTHER)));
	assert_int_equal(call->rekeyed, 1);
}

/* 40 calls, every second one of them encrypted; those are asked, and not all at once. */
static void new_keys_are_for_the_encrypted_and_paced(void **state)
{
	enum { CALLS = 40 };
	struct sim_call *calls[CALLS];
	unsigned *sent = &sim.ua[0].sent[SIP_METHOD_INVITE];

	sim.ua[1].local.srtp = SDP_SRTP_OPTIONAL;
	for (unsigned i = 0; i < CALLS; i++) {
		sim.ua[0].local.srtp = i % 2 ? SDP_SRTP_OPTIONAL : SDP_SRTP_OFF;
		calls[i] = sim_call(&sim, 0);
		sim_run(&sim, SIM_S);
		assert_int_equal(calls[i]->answered, 1);
	}
	assert_int_equal(*sent, CALLS);
	sip_sessions_renew_keys(sim.ua[0].sessions);
	assert_int_equal(*sent, CALLS);
	sim_run(&sim, 1);
	assert_in_range(*sent, CALLS + 1, CALLS + 5);
	sim_run(&sim, 15 * SIM_MS);
	assert_in_range(*sent, CALLS + 6, CALLS + 10);
	sim_run(&sim, 5 * SIM_S);
	assert_int_equal(*sent, CALLS + CALLS / 2);
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(calls[i]->rekeyed, i % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_reinvite_without_encryption_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			our_key_is_the_same_for_the_life_of_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_without_encryption_ends_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_an_offer_ours_keeps_the_key, setup, teardown),
		cmocka_unit_test_setup_teardown(required_is_not_talked_down, setup, teardown),
		cmocka_unit_test_setup_teardown(both_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(new_keys_of_both_sides, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_peer_that_keeps_its_key_is_told_of, setup, teardown),
		cmocka_unit_test_setup_teardown(
			new_keys_that_are_refused_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(new_keys_go_round_glare, setup, teardown),
		cmocka_unit_test_setup_teardown(new_keys_wait_for_an_exchange, setup, teardown),
		cmocka_unit_test_setup_teardown(
			new_keys_are_for_the_encrypted_and_paced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
