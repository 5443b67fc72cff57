/* SPDX-License-Identifier: Apache-2.0 */
/* REFER of a phone, written by hand: who may, what it asks for, and what the phone is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "raw_peer.h"

#define SDP   "application/sdp"
#define BLIND "Refer-To: <sip:+4930999@10.0.0.2>\r\n"

static struct sim sim;
static struct raw_peer raw;

static int setup(void **state)
{
	sim_init(&sim, 1);
	raw_start(&raw, &sim);
	sim.ua[1].phones = true;
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
	raw_request(&raw, "BYE", "", NULL, NULL);
	raw_expect(&raw, 200);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
}

static int result(const struct sim_call *call, unsigned status)
{
	return sip_session_refer_result(sim.ua[1].sessions, call->id, status);
}

static bool says(const struct sip_message *message, enum sip_header_kind kind, const char *text)
{
	const struct sip_header *header = sip_message_header(message, kind);

	return header && str_equal(header->value, str_from(text));
}

/* The next NOTIFY, unanswered. */
static const struct sip_message *expect_notify(const char *fragment, const char *state)
{
	const struct sip_message *notify = raw_expect_request(&raw, SIP_METHOD_NOTIFY);

	assert_true(says(notify, SIP_HEADER_SUBSCRIPTION_STATE, state));
	assert_true(says(notify, SIP_HEADER_CONTENT_TYPE, "message/sipfrag;version=2.0"));
	assert_true(str_equal(notify->body, str_from(fragment)));
	assert_non_null(sip_message_header(notify, SIP_HEADER_CONTACT));
	return notify;
}

static void told(const char *fragment, const char *state)
{
	raw_respond(&raw, expect_notify(fragment, state), 200, NULL, "", NULL);
}

#define TRYING_IS_TOLD() told("SIP/2.0 100 Trying\r\n", "active;expires=180")
#define LAST             "terminated;reason=noresource"

static void refer_is_accepted_and_its_result_told(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *answer, *notify;
	char id[32];

	raw_request(&raw, "REFER", BLIND "b: \"A\" <sip:raw@10.0.0.1>;x=y\r\n", NULL, NULL);
	answer = raw_expect(&raw, 202);
	assert_non_null(sip_message_header(answer, SIP_HEADER_CONTACT));
	assert_true(sip_message_lists(answer, SIP_HEADER_ALLOW, "REFER"));
	assert_int_equal(call->refers, 1);
	assert_string_equal(call->refer.user, "+4930999");
	assert_string_equal(call->refer.by, "\"A\" <sip:raw@10.0.0.1>;x=y");
	assert_false(call->refer.has_replaces || call->refer.unknown || call->refer.unsubscribed);
	notify = expect_notify("SIP/2.0 100 Trying\r\n", "active;expires=180");
	snprintf(id, sizeof(id), "refer;id=%u", raw.cseq);
	assert_true(says(notify, SIP_HEADER_EVENT, id));
	raw_respond(&raw, notify, 200, NULL, "", NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(result(call, 200), 0);
	notify = expect_notify("SIP/2.0 200 OK\r\n", LAST);
	assert_true(says(notify, SIP_HEADER_EVENT, id));
	raw_respond(&raw, notify, 200, NULL, "", NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(result(call, 200), -EINVAL);
	end_by_bye(call);
}

static void result_waits_for_the_answer_to_the_first_notify(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *notify;

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	notify = expect_notify("SIP/2.0 100 Trying\r\n", "active;expires=180");
	assert_int_equal(result(call, 486), 0);
	assert_int_equal(result(call, 200), -EINVAL);
	raw_expect_nothing(&raw);
	raw_respond(&raw, notify, 200, NULL, "", NULL);
	told("SIP/2.0 486 Busy Here\r\n", LAST);
	end_by_bye(call);
}

static void result_goes_out_before_our_bye(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	raw_expect_request(&raw, SIP_METHOD_NOTIFY);
	assert_int_equal(result(call, 200), 0);
	assert_int_equal(sip_session_hangup(sim.ua[1].sessions, call->id, 16, STR_NULL), 0);
	told("SIP/2.0 200 OK\r\n", LAST);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
}

static void only_phones_may_refer(void **state)
{
	struct sim_call *call;
	const struct sip_message *answer;

	sim.ua[1].phones = false;
	call = call_up();
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 403);
	assert_int_equal(call->refers, 0);
	end_by_bye(call);
	/* Nor may anybody outside of a call. */
	raw.to_tag[0] = '\0';
	sim.ua[1].phones = true;
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	answer = raw_expect(&raw, 403);
	assert_true(answer->to_tag.n > 0);
	assert_int_equal(call->refers, 0);
	sim_settle(&sim, 200 * SIM_S);
	sim_assert_empty(&sim);
}

static void one_refer_at_a_time(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	TRYING_IS_TOLD();
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 491);
	assert_int_equal(call->refers, 1);
	assert_int_equal(result(call, 603), 0);
	told("SIP/2.0 603 Decline\r\n", LAST);
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	assert_int_equal(call->refers, 2);
	TRYING_IS_TOLD();
	assert_int_equal(result(call, 200), 0);
	told("SIP/2.0 200 OK\r\n", LAST);
	end_by_bye(call);
}

static void malformed_refers_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *lines, *reason;
	} rows[] = {
		{"", "Missing Refer-To"},
		{"Refer-To: sip:a@b?x=y\r\n", "Bad Refer-To"},
		{"Refer-To: <sip:a@b\r\n", "Bad Refer-To"},
		{"Refer-To: *\r\n", "Bad Refer-To"},
		{"Refer-To: <sip:a@b>, <sip:c@d>\r\n", "Bad Refer-To"},
		{"Refer-To: <http://a.example/>\r\n", "Refer-To Is No SIP Or Telephone URI"},
		{"Refer-To: <sip:a@b;method=BYE>\r\n", "Refer-To Is Not For INVITE"},
		{"Refer-To: <sip:b>\r\n", "Bad User In Refer-To"},
		{"Refer-To: <sip:a%00b@c>\r\n", "Bad User In Refer-To"},
		{"Refer-To: <sip:a%0db@c>\r\n", "Bad User In Refer-To"},
		{"Refer-To: <sip:;x=y@c>\r\n", "Bad User In Refer-To"},
		{"Refer-To: <sip:a@b?Replaces=x>\r\n", "Bad Replaces In Refer-To"},
		{"Refer-To: <sip:a@b?Replaces=x%3bto-tag%3d1>\r\n", "Bad Replaces In Refer-To"},
		{"Refer-To: <sip:a@b?replaces=%00%3bto-tag%3d1%3bfrom-tag%3d2>\r\n",
			"Bad Replaces In Refer-To"},
		{"Refer-To: <sip:a@b>\r\nRefer-To: <sip:a@b>\r\n", NULL},
	};
	struct sim_call *call = call_up();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_message *answer;

		raw_request(&raw, "REFER", rows[i].lines, NULL, NULL);
		answer = raw_expect(&raw, 400);
		if (rows[i].reason)
			assert_true(str_equal(answer->reason, str_from(rows[i].reason)));
	}
	assert_int_equal(call->refers, 0);
	end_by_bye(call);
}

static void long_user_is_refused(void **state)
{
	struct sim_call *call = call_up();
	char lines[512], user[SIP_REFER_USER_SIZE + 1];

	memset(user, '1', sizeof(user));
	snprintf(lines, sizeof(lines), "Refer-To: <sip:%.*s@b>\r\n", SIP_REFER_USER_SIZE, user);
	raw_request(&raw, "REFER", lines, NULL, NULL);
	raw_expect(&raw, 400);
	snprintf(lines, sizeof(lines), "Refer-To: <sip:%.*s@b>\r\n", SIP_REFER_USER_SIZE - 1, user);
	raw_request(&raw, "REFER", lines, NULL, NULL);
	raw_expect(&raw, 202);
	assert_int_equal(strlen(call->refer.user), SIP_REFER_USER_SIZE - 1);
	TRYING_IS_TOLD();
	end_by_bye(call);
}

static void refuse(struct sim_ua *ua, struct sim_call *call)
{
	assert_int_equal(
		sip_session_refer_reject(ua->sessions, call->id, 603, STR("Not Allowed Now")), 0);
	assert_int_equal(sip_session_refer_accept(ua->sessions, call->id), -EINVAL);
}

static void what_was_dialled(void **state)
{
	static const struct {
		const char *line, *user;
	} rows[] = {
		{"Refer-To: <sip:+4930123@10.0.0.2>\r\n", "+4930123"},
		{"Refer-To: sip:100@10.0.0.2;tag=header\r\n", "100"},
		{"r: <sips:100@10.0.0.2:5061;user=phone>\r\n", "100"},
		{"Refer-To: <tel:+49-30-123;ext=5>\r\n", "+49-30-123"},
		{"Refer-To: <sip:123;phone-context=+49@10.0.0.2;method=INVITE>\r\n", "123"},
		{"Refer-To: <sip:Sales%20desk%3b@10.0.0.2?Subject=x>\r\n", "Sales desk;"},
		{"Refer-To: \"a, b\" <sip:*21%23@10.0.0.2>\r\n", "*21#"},
	};
	struct sim_call *call = call_up();

	sim.ua[1].refer = refuse;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_message *answer;

		raw_request(&raw, "REFER", rows[i].line, NULL, NULL);
		answer = raw_expect(&raw, 603);
		assert_true(str_equal(answer->reason, STR("Not Allowed Now")));
		assert_int_equal(call->refers, i + 1);
		assert_string_equal(call->refer.user, rows[i].user);
	}
	assert_int_equal(result(call, 200), -EINVAL);
	end_by_bye(call);
}

static void refer_sub_false_has_no_notify(void **state)
{
	struct sim_call *call = call_up();
	const struct sip_message *answer;

	raw_request(&raw, "REFER", BLIND "Refer-Sub: false\r\nRequire: norefersub\r\n", NULL, NULL);
	answer = raw_expect(&raw, 202);
	assert_true(says(answer, SIP_HEADER_REFER_SUB, "false"));
	assert_true(sip_message_lists(answer, SIP_HEADER_SUPPORTED, "norefersub"));
	assert_true(call->refer.unsubscribed);
	raw_expect_nothing(&raw);
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 491);
	assert_int_equal(result(call, 200), 0);
	raw_expect_nothing(&raw);
	raw_request(&raw, "REFER", BLIND "Refer-Sub: true\r\n", NULL, NULL);
	answer = raw_expect(&raw, 202);
	assert_null(sip_message_header(answer, SIP_HEADER_REFER_SUB));
	TRYING_IS_TOLD();
	end_by_bye(call);
}

/* A second call of the same phone, which becomes the dialog of `raw`. */
static struct sim_call *second_call(char first_tag[64])
{
	strcpy(first_tag, raw.to_tag);
	raw.to_tag[0] = '\0';
	strcpy(raw.call_id, "second@10.0.0.1");
	return call_up();
}

static void refer_with_replaces(const char *call_id, const char *to_tag, const char *from_tag)
{
	char line[512];

	snprintf(line, sizeof(line),
		"Refer-To: <sip:cordboard@10.0.0.2?Replaces=%s%%3Bfrom-tag%%3D%s%%3Bto-tag%%3D%s"
		"&Require=replaces>\r\n",
		call_id, from_tag, to_tag);
	raw_request(&raw, "REFER", line, NULL, NULL);
}

static void replaces_names_another_call_of_the_phone(void **state)
{
	struct sim_call *first = call_up(), *second;
	char tag[64];

	second = second_call(tag);
	sim.ua[1].refer = refuse;
	refer_with_replaces("raw%4010.0.0.1", tag, "rawtag");
	raw_expect(&raw, 603);
	assert_true(second->refer.has_replaces && !second->refer.unknown);
	assert_int_equal(second->refer.other, first->id);
	/* What matches only in part, this call itself, and swapped tags. */
	refer_with_replaces("raw%4010.0.0.2", tag, "rawtag");
	raw_expect(&raw, 603);
	assert_true(second->refer.unknown && second->refer.other == 0);
	refer_with_replaces("raw%4010.0.0.1", tag, "other");
	raw_expect(&raw, 603);
	assert_true(second->refer.unknown && second->refer.other == 0);
	refer_with_replaces("raw%4010.0.0.1", "rawtag", tag);
	raw_expect(&raw, 603);
	assert_true(second->refer.unknown && second->refer.other == 0);
	refer_with_replaces("second%4010.0.0.1", raw.to_tag, "rawtag");
	raw_expect(&raw, 603);
	assert_true(second->refer.unknown && second->refer.other == 0);
}

/* Our own call to the phone, as an offer is, and one to another phone. */
static void replaces_knows_its_own_calls_alone(void **state)
{
	const struct sip_hop hop = sim_hop(&sim, 0);
	const struct {
		const char *referrer;
		bool known;
	} rows[] = {{"peer", true}, {"another", false}, {"", false}};
	struct sim_call *first = call_up();

	sim.ua[1].refer = refuse;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sip_message *invite;
		struct sim_call *call;
		char call_id[64], tag[64];

		call = sim_call_with(&sim, 1,
			&(struct sip_invite){.target = STR("sip:raw@10.0.0.1"),
				.from = STR("sip:1@10.0.0.2"),
				.referrer = str_from(rows[i].referrer),
				.hops = &hop,
				.hop_count = 1,
				.local = sim.ua[1].local});
		invite = raw_expect_request(&raw, SIP_METHOD_INVITE);
		raw_respond(&raw, invite, 200, "theirs", "", raw_sdp("10.0.0.1", 30002, "0", ""));
		raw_expect_request(&raw, SIP_METHOD_ACK);
		assert_int_equal(str_copy(invite->call_id, call_id, sizeof(call_id)), 0);
		assert_int_equal(str_copy(invite->from_tag, tag, sizeof(tag)), 0);
		refer_with_replaces(call_id, tag, "theirs");
		raw_expect(&raw, 603);
		assert_int_equal(first->refer.other, rows[i].known ? call->id : 0);
		assert_int_equal(first->refer.unknown, !rows[i].known);
	}
}

static void bye_while_it_is_open(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	raw_expect_request(&raw, SIP_METHOD_NOTIFY);
	assert_int_equal(result(call, 200), 0);
	raw_request(&raw, "BYE", "", NULL, NULL);
	raw_expect(&raw, 200);
	raw_expect_nothing(&raw);
	assert_int_equal(result(call, 200), -ESRCH);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
}

static void failed_notify_ends_the_subscription_alone(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_NOTIFY), 481, NULL, "", NULL);
	raw_expect_nothing(&raw);
	assert_int_equal(result(call, 200), -EINVAL);
	/* Silence does the same, also while a result waits. */
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	raw_expect_request(&raw, SIP_METHOD_NOTIFY);
	assert_int_equal(result(call, 200), 0);
	sim_run(&sim, 40 * SIM_S);
	raw_expect_nothing(&raw);
	assert_int_equal(result(call, 200), -EINVAL);
	assert_int_equal(call->ended, 0);
	end_by_bye(call);
}

static void what_never_comes_to_a_result_expires(void **state)
{
	struct sim_call *call = call_up();

	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 202);
	TRYING_IS_TOLD();
	sim_run(&sim, 179 * SIM_S);
	raw_expect_nothing(&raw);
	sim_run(&sim, 2 * SIM_S);
	told("SIP/2.0 408 Request Timeout\r\n", LAST);
	end_by_bye(call);
}

static void say_nothing(struct sim_ua *ua, struct sim_call *call)
{
}

static void hang_up(struct sim_ua *ua, struct sim_call *call)
{
	assert_int_equal(sip_session_hangup(ua->sessions, call->id, 0, STR_NULL), 0);
	assert_int_equal(sip_session_refer_accept(ua->sessions, call->id), -EINVAL);
}

static void undecided_refers_are_answered(void **state)
{
	struct sim_call *call = call_up();

	sim.ua[1].refer = say_nothing;
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_expect(&raw, 500);
	assert_int_equal(sip_session_refer_accept(sim.ua[1].sessions, call->id), -EINVAL);
	assert_int_equal(
		sip_session_refer_reject(sim.ua[1].sessions, call->id, 603, STR_NULL), -EINVAL);
	sim.ua[1].refer = hang_up;
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	raw_respond(&raw, raw_expect_request(&raw, SIP_METHOD_BYE), 200, NULL, "", NULL);
	raw_expect(&raw, 487);
	sim_settle(&sim, 200 * SIM_S);
	assert_int_equal(call->ended, 1);
	sim_assert_empty(&sim);
}

static void ring(struct sim_ua *ua, struct sim_call *call, const struct sip_incoming *in)
{
	assert_int_equal(sip_session_ring(ua->sessions, call->id), 0);
}

static void refer_before_the_call_is_up(void **state)
{
	const struct sip_message *answer;

	sim.ua[1].incoming = ring;
	raw_request(&raw, "INVITE", "", SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
	raw_expect(&raw, 180);
	raw_request(&raw, "REFER", BLIND, NULL, NULL);
	answer = raw_expect(&raw, 500);
	assert_non_null(sip_message_header(answer, SIP_HEADER_RETRY_AFTER));
	assert_int_equal(sim_last(&sim, 1)->refers, 0);
}

static void invite_with_replaces(const char *replaces)
{
	char lines[512];

	snprintf(lines, sizeof(lines), "Replaces: %s\r\n", replaces);
	raw_request(&raw, "INVITE", lines, SDP, raw_sdp("10.0.0.1", 30000, "0", ""));
	raw_expect(&raw, 100);
}

static void invite_that_replaces_is_refused(void **state)
{
	char replaces[256], tag[64];

	call_up();
	strcpy(tag, raw.to_tag);
	raw.to_tag[0] = '\0';
	snprintf(replaces, sizeof(replaces), "%s;to-tag=%s;from-tag=rawtag", raw.call_id, tag);
	strcpy(raw.call_id, "third@10.0.0.1");
	invite_with_replaces(replaces);
	raw_expect(&raw, 501);
	invite_with_replaces("nobody;to-tag=a;from-tag=b");
	raw_expect(&raw, 481);
	invite_with_replaces("nobody;to-tag=a");
	raw_expect(&raw, 400);
	assert_int_equal(sim.ua[1].count, 1);
	/* To anybody else it is a header that we do not know. */
	sim.ua[1].phones = false;
	invite_with_replaces(replaces);
	raw_expect(&raw, 200);
	assert_int_equal(sim.ua[1].count, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refer_is_accepted_and_its_result_told),
		T(result_waits_for_the_answer_to_the_first_notify),
		T(result_goes_out_before_our_bye),
		T(only_phones_may_refer),
		T(one_refer_at_a_time),
		T(malformed_refers_are_refused_with_a_reason),
		T(long_user_is_refused),
		T(what_was_dialled),
		T(refer_sub_false_has_no_notify),
		T(replaces_names_another_call_of_the_phone),
		T(replaces_knows_its_own_calls_alone),
		T(bye_while_it_is_open),
		T(failed_notify_ends_the_subscription_alone),
		T(what_never_comes_to_a_result_expires),
		T(undecided_refers_are_answered),
		T(refer_before_the_call_is_up),
		T(invite_that_replaces_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
