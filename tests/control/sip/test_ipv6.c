/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 in SIP messages: what RFC 5118 section 4 goes through, one after the other. The messages are
 * our own.
 */
#include "sip/build.h"
#include "sip/hop.h"
#include "sip/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char text[4096];
static struct sip_message message;
static struct sip_outcome outcome;

static enum sip_verdict parse(const char *uri, const char *via, const char *contact)
{
	int n = snprintf(text, sizeof(text),
		"REGISTER %s SIP/2.0\r\nVia: %s\r\nFrom: <sip:a@[2001:db8::10]>;tag=1\r\n"
		"To: <sip:a@[2001:db8::10]>\r\nCall-ID: six@[2001:db8::9:1]\r\nCSeq: 1 REGISTER\r\n"
		"Max-Forwards: 70\r\nContact: %s\r\nContent-Length: 0\r\n\r\n",
		uri, via, contact);

	return sip_message_parse(&message, text, (size_t)n, SIP_DATAGRAM, &outcome);
}

#define URI     "sip:[2001:db8::10]"
#define VIA     "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3"
#define CONTACT "\"A\" <sip:a@[2001:db8::1]>"

/* 4.1 */
static void a_reference_in_brackets_is_an_address(void **state)
{
	struct sip_address contact;

	assert_int_equal(parse(URI, VIA, CONTACT), SIP_ACCEPT);
	assert_true(str_equal_text(message.uri.host, "[2001:db8::10]"));
	assert_true(str_equal_text(message.via.host, "[2001:db8::9:1]"));
	assert_int_equal(message.via.port, 0);
	assert_int_equal(sip_message_address(&message, SIP_HEADER_CONTACT, 0, &contact), 0);
	assert_true(str_equal_text(contact.uri.host, "[2001:db8::1]"));
}

/* 4.2, and other texts that are none */
static void without_brackets_it_is_none(void **state)
{
	static const char *const bad[] = {"sip:2001:db8::10", "sip:[2001:db8::10",
		"sip:2001:db8::10]", "sip:[2001:db8:::10]", "sip:[2001:db8::10::1]",
		"sip:[1:2:3:4:5:6:7:8:9]", "sip:[2001:db8::g]", "sip:[2001:db8::12345]", "sip:[]",
		"sip:[::1%25eth0]", "sip:[::ffff:192.0.2.256]",
		"sip:[2001:db8::10]:", "sip:[2001:db8::10]x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i], VIA, CONTACT) != SIP_REJECT || outcome.status != 400)
			fail_msg("%s: %s %d", bad[i], outcome.reason, outcome.status);
	}
	/* Nobody could be told. */
	assert_int_equal(
		parse(URI, "SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bKas3", CONTACT), SIP_DROP);
}

/* 4.3 and 4.4 */
static void a_port_stands_behind_the_bracket(void **state)
{
	assert_int_equal(parse("sip:[2001:db8::10:5070]", VIA, CONTACT), SIP_ACCEPT);
	assert_true(str_equal_text(message.uri.host, "[2001:db8::10:5070]"));
	assert_int_equal(sip_uri_port(&message.uri), 5060);
	assert_int_equal(parse("sip:[2001:db8::10]:5070", VIA, CONTACT), SIP_ACCEPT);
	assert_true(str_equal_text(message.uri.host, "[2001:db8::10]"));
	assert_int_equal(sip_uri_port(&message.uri), 5070);
	assert_int_equal(parse(URI, "SIP/2.0/UDP [2001:db8::9:1]:5080;branch=z9hG4bKas3", CONTACT),
		SIP_ACCEPT);
	assert_int_equal(message.via.port, 5080);
}

/* 4.5: the grammar has received= without brackets; with them it is understood too. */
static void received_is_taken_with_and_without_brackets(void **state)
{
	static const struct {
		const char *via, *received;
	} rows[] = {{VIA ";received=2001:db8::9:255", "2001:db8::9:255"},
		{VIA ";received=[2001:db8::9:255]", "[2001:db8::9:255]"}};
	struct address address, want;

	assert_int_equal(address_make(STR("2001:db8::9:255"), 0, &want), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(parse(URI, rows[i].via, CONTACT), SIP_ACCEPT);
		assert_true(str_equal_text(message.via.received, rows[i].received));
		assert_int_equal(address_make(message.via.received, 0, &address), 0);
		assert_true(address_equal(&address, &want));
	}
}

/* Ours has none, as the grammar says, and is read again. */
static void our_received_has_no_brackets(void **state)
{
	static char answer[2048];
	struct sip_builder b = sip_build(answer, sizeof(answer));
	struct address source;
	char host[ADDRESS_TEXT_SIZE];
	int n;

	assert_int_equal(parse(URI, VIA ";rport", CONTACT), SIP_ACCEPT);
	assert_int_equal(address_parse(STR("[2001:db8::9:255]:5099"), -1, &source), 0);
	address_format_host(&source, host);
	sip_build_response(&b, &message,
		&(struct sip_response){.status = 200,
			.to_tag = STR("x"),
			.received = str_from(host),
			.rport = address_port(&source)});
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	assert_true(n > 0);
	answer[n] = '\0';
	assert_non_null(strstr(answer, ";received=2001:db8::9:255"));
	assert_int_equal(
		sip_message_parse(&message, answer, (size_t)n, SIP_STREAM, &outcome), SIP_ACCEPT);
	assert_true(str_equal_text(message.via.host, "[2001:db8::9:1]"));
	assert_true(str_equal_text(message.via.received, "2001:db8::9:255"));
	assert_int_equal(message.via.rport, 5099);
}

/* 4.9: a request that has passed both worlds. */
static void hops_of_both_families_stand_in_one_message(void **state)
{
	assert_int_equal(parse("sip:user@example.com",
				 "SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKb\r\n"
				 "Via: SIP/2.0/TCP [2001:db8::9:1]:5061;received=2001:db8::9:255;"
				 "branch=z9hG4bKa",
				 "<sip:a@[2001:db8::9:1]>"),
		SIP_ACCEPT);
	assert_int_equal(message.via_count, 2);
	assert_true(str_equal_text(message.via.host, "192.0.2.1"));
}

/* 4.10: the IPv4 node that it is. */
static void a_mapped_address_is_accepted(void **state)
{
	struct address address;

	assert_int_equal(parse("sip:[::ffff:192.0.2.10]", VIA, "<sip:a@[::ffff:192.0.2.2]:5080>"),
		SIP_ACCEPT);
	assert_int_equal(address_make(message.uri.host, 5060, &address), 0);
	assert_int_equal(address_family(&address), AF_INET);
}

/* Where a response goes: the source, and the port of sent-by where the peer knows no rport. */
static void responses_go_back_to_the_source(void **state)
{
	struct sip_hop source = {.transport = SIP_TRANSPORT_UDP}, back;
	char told[SIP_HOP_TEXT_SIZE];

	assert_int_equal(address_parse(STR("[2001:db8::9:255]:5099"), -1, &source.remote), 0);
	assert_int_equal(parse(URI, "SIP/2.0/UDP [2001:db8::9:1]:5080;branch=z9hG4bKas3", CONTACT),
		SIP_ACCEPT);
	back = sip_hop_of_response(&source, &message.via);
	sip_hop_format(&back, told);
	assert_string_equal(told, "UDP:[2001:db8::9:255]:5080");
	assert_int_equal(parse(URI, VIA ";rport", CONTACT), SIP_ACCEPT);
	back = sip_hop_of_response(&source, &message.via);
	assert_int_equal(address_port(&back.remote), 5099);
	assert_int_equal(sip_hop_family(&back), CORD_FAMILY_IPV6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reference_in_brackets_is_an_address),
		cmocka_unit_test(without_brackets_it_is_none),
		cmocka_unit_test(a_port_stands_behind_the_bracket),
		cmocka_unit_test(received_is_taken_with_and_without_brackets),
		cmocka_unit_test(our_received_has_no_brackets),
		cmocka_unit_test(hops_of_both_families_stand_in_one_message),
		cmocka_unit_test(a_mapped_address_is_accepted),
		cmocka_unit_test(responses_go_back_to_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
