/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 4475: every message has the outcome of the table, and is understood, not only accepted. */
#include "sip/build.h"
#include "torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct sip_message message;
static struct sip_outcome outcome;

/* Parses a copy of the exact size, so that the sanitizer sees any byte read beyond it. */
static enum sip_verdict parse(const char *name, char **copy)
{
	const struct torture_message *messages = torture_load();

	for (int i = 0; i < TORTURE_COUNT; i++) {
		if (strcmp(torture_rows[i].name, name) != 0)
			continue;
		*copy = malloc(messages[i].length);
		memcpy(*copy, messages[i].bytes, messages[i].length);
		return sip_message_parse(
			&message, *copy, messages[i].length, SIP_DATAGRAM, &outcome);
	}
	fail_msg("no message %s", name);
	return SIP_DROP;
}

static void outcome_of_every_message(void **state)
{
	int good = 0;

	for (int i = 0; i < TORTURE_COUNT; i++) {
		const struct torture_row *row = &torture_rows[i];
		char *copy;
		enum sip_verdict verdict = parse(row->name, &copy);
		bool asked = row->asks == TORTURE_EITHER ||
			     (row->asks == TORTURE_ACCEPT) == (verdict == SIP_ACCEPT);

		if (verdict != row->verdict || outcome.status != row->status ||
			strcmp(outcome.reason, row->reason) != 0)
			fail_msg("%s: %s %d %s, expected %s %d %s", row->name,
				sip_verdict_name(verdict), outcome.status, outcome.reason,
				sip_verdict_name(row->verdict), row->status, row->reason);
		good += asked;
		free(copy);
	}
	print_message(
		"%d of %d messages have the outcome that RFC 4475 asks for\n", good, TORTURE_COUNT);
	assert_int_equal(good, TORTURE_COUNT);
}

static void every_request_can_be_answered(void **state)
{
	static char answer[SIP_MESSAGE_BYTES_MAX];
	static struct sip_message parsed;

	for (int i = 0; i < TORTURE_COUNT; i++) {
		char *copy;
		enum sip_verdict verdict = parse(torture_rows[i].name, &copy);
		struct sip_builder b = sip_build(answer, sizeof(answer));
		struct sip_response response = {.status = verdict == SIP_ACCEPT ? 200 : 400,
			.to_tag = STR("local"),
			.received = STR("192.0.2.1"),
			.rport = 5099};
		int n;

		if (message.request && verdict != SIP_DROP) {
			sip_build_response(&b, &message, &response);
			n = sip_build_finish(&b, STR_NULL, STR_NULL);
			assert_true(n > 0);
			if (verdict == SIP_ACCEPT) {
				struct sip_outcome o;

				sip_message_parse(&parsed, answer, (size_t)n, SIP_STREAM, &o);
				assert_string_equal(o.reason, "accepted");
				assert_int_equal(parsed.via_count, message.via_count);
				assert_true(str_equal(parsed.call_id, message.call_id));
				assert_int_equal(parsed.cseq.number, message.cseq.number);
				assert_true(parsed.to_tag.n > 0);
				assert_true(str_equal_text(parsed.via.received, "192.0.2.1"));
			}
		}
		free(copy);
	}
}

/* No buffer size lets a response be written past its end; each too small one fails. */
static void no_buffer_is_overrun(void **state)
{
	char *copy;
	int full = 0;

	assert_int_equal(parse("longreq", &copy), SIP_ACCEPT);
	for (size_t size = 0; size < 4096; size++) {
		char *buffer = malloc(size + 1);
		struct sip_builder b = sip_build(buffer, size);
		int n;

		sip_build_response(
			&b, &message, &(struct sip_response){.status = 200, .to_tag = STR("x")});
		n = sip_build_finish(&b, STR_NULL, STR_NULL);
		if (full == 0 && n > 0)
			full = n;
		assert_int_equal(n > 0, full > 0);
		free(buffer);
	}
	assert_true(full > 2000);
	free(copy);
}

static void wsinv_is_understood(void **state)
{
	struct sip_via via;
	struct sip_address address;
	unsigned q;
	char display[64];
	char *copy;

	assert_int_equal(parse("wsinv", &copy), SIP_ACCEPT);
	assert_int_equal(message.method, SIP_METHOD_INVITE);
	assert_true(str_equal_text(message.to_tag, "1918181833n"));
	assert_true(str_equal_text(message.from_tag, "98asjd8"));
	assert_int_equal(message.max_forwards, 68);
	assert_int_equal(message.cseq.number, 9);
	assert_int_equal(message.via_count, 3);
	assert_true(str_equal_text(message.via.host, "192.0.2.2"));
	assert_true(str_equal_text(message.via.branch, "390skdjuw"));
	assert_false(sip_via_has_cookie(&message.via));
	assert_int_equal(sip_message_via(&message, 2, &via), 0);
	assert_true(str_equal_text(via.branch, "z9hG4bK30239"));
	assert_int_equal(sip_message_address(&message, SIP_HEADER_CONTACT, 0, &address), 0);
	assert_int_equal(sip_address_q(&address, &q), 0);
	assert_int_equal(q, 330);
	assert_int_equal(sip_address_display(&address, display, sizeof(display)), 0);
	assert_string_equal(display, "Quoted string \"\"");
	assert_int_equal(sip_address_display(&message.from, display, sizeof(display)), 0);
	assert_string_equal(display, "J Rosenberg \\\"");
	assert_int_equal(message.body.n, 150);
	free(copy);
}

static void intmeth_is_understood(void **state)
{
	char *copy;
	struct str value;

	assert_int_equal(parse("intmeth", &copy), SIP_ACCEPT);
	assert_int_equal(message.method, SIP_METHOD_OTHER);
	assert_true(
		str_equal_text(message.method_name, "!interesting-Method0123456789_*+`.%indeed'~"));
	assert_true(str_equal_text(
		message.uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
	assert_true(
		str_equal_text(message.uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
	assert_true(str_equal_text(message.from_tag, "_token~1'+`*%!-."));
	assert_true(sip_address_param(&message.from, "fromParam''~+*_!.-%", &value));
	assert_int_equal(message.max_forwards, 255);
	free(copy);
}

static void escapes_are_understood(void **state)
{
	char *copy, user[64];
	struct sip_uri plain;
	struct sip_address contact;

	assert_int_equal(parse("esc01", &copy), SIP_ACCEPT);
	assert_int_equal(sip_uri_user(&message.uri, user, sizeof(user)), 0);
	assert_string_equal(user, "sips:user@example.com");
	assert_true(str_equal_text(message.uri.host, "example.net"));
	assert_int_equal(sip_uri_parse(&plain, STR("sip:user@example.com")), 0);
	assert_true(sip_uri_equal(&message.to.uri, &plain));
	free(copy);

	assert_int_equal(parse("escnull", &copy), SIP_ACCEPT);
	assert_true(sip_uri_user(&message.to.uri, user, sizeof(user)) < 0);
	assert_int_equal(sip_message_address(&message, SIP_HEADER_CONTACT, 1, &contact), 0);
	assert_true(str_equal_text(contact.uri.user, "%00%00"));
	free(copy);

	assert_int_equal(parse("esc02", &copy), SIP_ACCEPT);
	assert_int_equal(message.method, SIP_METHOD_OTHER);
	assert_int_equal(sip_message_count(&message, SIP_HEADER_CONTACT), 2);
	free(copy);
}

static void the_rest_is_understood(void **state)
{
	char *copy;
	struct sip_address contact;

	assert_int_equal(parse("semiuri", &copy), SIP_ACCEPT);
	assert_true(str_equal_text(message.uri.user, "user;par=u%40example.net"));
	assert_int_equal(sip_message_count(&message, SIP_HEADER_ACCEPT), 6);
	free(copy);
	assert_int_equal(parse("cparam01", &copy), SIP_ACCEPT);
	assert_int_equal(sip_message_address(&message, SIP_HEADER_CONTACT, 0, &contact), 0);
	assert_true(sip_address_param(&contact, "unknownparam", NULL));
	assert_int_equal(contact.uri.params.n, 0);
	free(copy);
	assert_int_equal(parse("cparam02", &copy), SIP_ACCEPT);
	assert_int_equal(sip_message_address(&message, SIP_HEADER_CONTACT, 0, &contact), 0);
	assert_true(sip_uri_param(&contact.uri, "unknownparam", NULL));
	assert_int_equal(contact.params.n, 0);
	free(copy);
	assert_int_equal(parse("dblreq", &copy), SIP_ACCEPT);
	assert_int_equal(message.method, SIP_METHOD_REGISTER);
	assert_int_equal(message.body.n, 0);
	free(copy);
	assert_int_equal(parse("longreq", &copy), SIP_ACCEPT);
	assert_int_equal(message.via_count, 34);
	free(copy);
	assert_int_equal(parse("novelsc", &copy), SIP_ACCEPT);
	assert_int_equal(message.uri.scheme, SIP_SCHEME_OTHER);
	assert_true(str_equal_text(message.uri.scheme_name, "soap.beep"));
	free(copy);
	assert_int_equal(parse("bext01", &copy), SIP_ACCEPT);
	assert_true(sip_message_lists(&message, SIP_HEADER_REQUIRE, "nothingSupportsThisEither"));
	assert_false(sip_message_lists(&message, SIP_HEADER_REQUIRE, "timer"));
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcome_of_every_message),
		cmocka_unit_test(every_request_can_be_answered),
		cmocka_unit_test(no_buffer_is_overrun),
		cmocka_unit_test(wsinv_is_understood),
		cmocka_unit_test(intmeth_is_understood),
		cmocka_unit_test(escapes_are_understood),
		cmocka_unit_test(the_rest_is_understood),
	};

	torture_load();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
