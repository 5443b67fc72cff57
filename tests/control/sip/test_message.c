/* SPDX-License-Identifier: Apache-2.0 */
/* Message, URI, header values, framing and builder beyond what the torture messages ask. */
#include "sip/build.h"
#include "sip/framing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct sip_message message;
static struct sip_outcome outcome;
static char text[200000];

#define REST                                                                      \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" \
	"To: <sip:c@d>\r\nCall-ID: x@y\r\n"
#define REGISTER "REGISTER sip:c@d SIP/2.0\r\n" REST "CSeq: 1 REGISTER\r\n"
#define REQUEST  "OPTIONS sip:c@d SIP/2.0\r\n" REST "CSeq: 1 OPTIONS\r\n"

static const char *parse(const char *bytes, enum sip_framing framing)
{
	sip_message_parse(&message, bytes, strlen(bytes), framing, &outcome);
	return outcome.reason;
}

static void uris_are_parsed(void **state)
{
	static const struct {
		const char *text;
		int scheme; /* -1: refused */
		const char *user, *host;
		uint16_t port;
		const char *params, *headers;
	} rows[] = {
		{"sip:alice@atlanta.com", SIP_SCHEME_SIP, "alice", "atlanta.com", 0, "", ""},
		{"SIPS:alice:pw@atlanta.com:5071;transport=tcp?a=b&c=", SIP_SCHEME_SIPS, "alice",
			"atlanta.com", 5071, ";transport=tcp", "a=b&c="},
		{"sip:[2001:db8::1]:5060;lr", SIP_SCHEME_SIP, "", "[2001:db8::1]", 5060, ";lr", ""},
		{"sip:192.0.2.1", SIP_SCHEME_SIP, "", "192.0.2.1", 0, "", ""},
		{"sip:a@host.", SIP_SCHEME_SIP, "a", "host.", 0, "", ""},
		{"sip:a@my_pbx_1", SIP_SCHEME_SIP, "a", "my_pbx_1", 0, "", ""},
		{"sip:3f2a1b9c4d5e:5060", SIP_SCHEME_SIP, "", "3f2a1b9c4d5e", 5060, "", ""},
		{"sip:a@pbx.1st", SIP_SCHEME_SIP, "a", "pbx.1st", 0, "", ""},
		{"sip:a@pbx.1", -1},
		{"tel:+1-202-555-0100;ext=5", SIP_SCHEME_TEL, "+1-202-555-0100", "", 0, ";ext=5",
			""},
		{"tel:7042;phone-context=example.com", SIP_SCHEME_TEL, "7042", "", 0,
			";phone-context=example.com", ""},
		{"http://www.example.com/x", SIP_SCHEME_OTHER, "", "", 0, "", ""},
		{"", -1},
		{"sip:", -1},
		{"sip:@host", -1},
		{"sip:a@", -1},
		{"sip:a@host:0", -1},
		{"sip:a@host:65536", -1},
		{"sip:a@host:", -1},
		{"sip:a@host;", -1},
		{"sip:a@host;a=", -1},
		{"sip:a@host?", -1},
		{"sip:a@host?a", -1},
		{"sip:a b@host", -1},
		{"sip:a%4@host", -1},
		{"sip:a%zz@host", -1},
		{"sip:a@host%20", -1},
		{"sip:a@-host", -1},
		{"sip:a@ho..st", -1},
		{"sip:a@1.2.3.400", -1},
		{"sip:a@1.2.3", -1},
		{"sip:a@[::1", -1},
		{"sip:a@[zz]", -1},
		{"sip:a@b@c", -1},
		{"sip:a\"@host", -1},
		{"tel:", -1},
		{"tel:+", -1},
		{"tel:+abc", -1},
		{"tel:()", -1},
		{"host", -1},
		{"1a:b", -1},
		{":b", -1},
		{"x:", -1},
		{"x:a b", -1},
		{"sip:a@h\r\n b", -1},
	};
	struct sip_uri uri;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = sip_uri_parse(&uri, str_from(rows[i].text));

		if ((rc < 0) != (rows[i].scheme < 0))
			fail_msg("'%s': %d", rows[i].text, rc);
		if (rc < 0)
			continue;
		assert_int_equal(uri.scheme, rows[i].scheme);
		assert_true(str_equal_text(uri.user, rows[i].user));
		assert_true(str_equal_text(uri.host, rows[i].host));
		assert_int_equal(uri.port, rows[i].port);
		assert_true(str_equal_text(uri.params, rows[i].params));
		assert_true(str_equal_text(uri.headers, rows[i].headers));
	}
}

/* The examples of RFC 3261 section 19.1.4. */
static void uris_are_compared(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp",
			true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
			true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP",
			false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:a@h;security=on", "sip:a@h;security=off", false},
		{"sip:a@h", "sips:a@h", false},
		{"sip:a%40b@h", "sip:a%40b@h", true},
		{"tel:+1-202-555-0100", "tel:+12025550100", true},
		{"tel:+12025550100", "tel:+12025550101", false},
		{"tel:+12025550100;ext=1", "tel:+12025550100", false},
	};
	struct sip_uri a, b;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sip_uri_parse(&a, str_from(rows[i].a)), 0);
		assert_int_equal(sip_uri_parse(&b, str_from(rows[i].b)), 0);
		if (sip_uri_equal(&a, &b) != rows[i].equal ||
			sip_uri_equal(&b, &a) != rows[i].equal)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
	}
}

static void numbers_are_read_from_uris(void **state)
{
	static const struct {
		const char *uri, *number;
	} rows[] = {
		{"sip:+12025550100@h;user=phone", "+12025550100"},
		{"sip:+1(202)555-0100@h", "+12025550100"},
		{"sip:0301234;phone-context=+49@h", "0301234"},
		{"tel:+49.30.1234", "+49301234"},
		{"sip:*43%23@h", NULL},
		{"sip:alice@h", NULL},
		{"sip:h", NULL},
		{"sip:+@h", NULL},
		{"sip:1+2@h", NULL},
	};
	struct sip_uri uri;
	char number[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sip_uri_parse(&uri, str_from(rows[i].uri)), 0);
		if (!rows[i].number) {
			assert_int_equal(sip_uri_number(&uri, number, sizeof(number)), -ENOENT);
			continue;
		}
		assert_int_equal(sip_uri_number(&uri, number, sizeof(number)), 0);
		assert_string_equal(number, rows[i].number);
		assert_int_equal(sip_uri_number(&uri, number, strlen(rows[i].number)), -ENOSPC);
	}
}

static void every_mandatory_header_is_asked_for(void **state)
{
	static const char *const lines[] = {"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n",
		"From: <sip:a@b>;tag=1\r\n", "To: <sip:c@d>\r\n", "Call-ID: x\r\n",
		"CSeq: 1 OPTIONS\r\n"};
	static const char *const reasons[] = {
		"Missing Via", "Missing From", "Missing To", "Missing Call-ID", "Missing CSeq"};

	for (int without = 0; without < 5; without++)
		for (int twice = 0; twice < 2; twice++) {
			strcpy(text, "OPTIONS sip:c@d SIP/2.0\r\n");
			for (int i = 0; i < 5; i++)
				for (int n = i == without ? twice * 2 : 1; n > 0; n--)
					strcat(text, lines[i]);
			strcat(text, "\r\n");
			if (twice && without > 0)
				assert_string_equal(
					parse(text, SIP_DATAGRAM), "Header Stands Twice");
			else if (!twice)
				assert_string_equal(parse(text, SIP_DATAGRAM), reasons[without]);
			if (!twice && without == 0)
				assert_int_equal(outcome.verdict, SIP_DROP);
			else if (without > 0)
				assert_int_equal(outcome.verdict, SIP_REJECT);
		}
}

static void malformed_messages_have_a_reason(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t verdict;
		const char *reason;
	} rows[] = {
		{"", SIP_DROP, "not SIP"},
		{"\r\n\r\n", SIP_DROP, "not SIP"},
		{"GET / HTTP/1.1\r\n\r\n", SIP_DROP, "not SIP"},
		{"OPTIONS sip:c@d\r\n" REST "\r\n", SIP_DROP, "not SIP"},
		{REQUEST "\r\n", SIP_ACCEPT, "accepted"},
		{"\r\n\r\n" REQUEST "\r\n", SIP_ACCEPT, "accepted"},
		{REQUEST, SIP_REJECT, "Header Section Is Cut Short"},
		{REQUEST "X: 1", SIP_REJECT, "Header Section Is Cut Short"},
		{REQUEST "X: a\nY: b\r\n\r\n", SIP_REJECT, "Bare CR or LF"},
		{REQUEST "X: a\rY: b\r\n\r\n", SIP_REJECT, "Bare CR or LF"},
		{REQUEST "X\r\n\r\n", SIP_REJECT, "Header Without Colon"},
		{REQUEST ": a\r\n\r\n", SIP_REJECT, "Bad Header Name"},
		{REQUEST "X Y: a\r\n\r\n", SIP_REJECT, "Header Without Colon"},
		{REQUEST "Content-Type: x\r\n\r\n", SIP_REJECT, "Bad Content-Type"},
		{REQUEST "Content-Length: 5\r\n\r\nab", SIP_REJECT,
			"Body Is Shorter Than Content-Length"},
		{REQUEST "Max-Forwards: 256\r\n\r\n", SIP_REJECT, "Bad Max-Forwards"},
		{REGISTER "Contact: *, <sip:a@b>\r\n\r\n", SIP_REJECT, "Bad Contact"},
		{REGISTER "Contact:\r\n\r\n", SIP_REJECT, "Bad Contact"},
		{REGISTER "Contact: <sip:a@b>,\r\n\r\n", SIP_REJECT, "Bad Contact"},
		{REQUEST "Route: sip:a@b\r\n\r\n", SIP_REJECT, "Bad Route"},
		{REQUEST "Record-Route: <sip:a@b>;;\r\n\r\n", SIP_REJECT, "Bad Record-Route"},
		{REQUEST "v: SIP/3.0/UDP h\r\n\r\n", SIP_REJECT, "Unknown Version in Via"},
		{"ACK sip:c@d SIP/2.0\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_DROP,
			"CSeq Method Does Not Match"},
		{"SIP/2.0 99 X\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_DROP, "Bad Status Code"},
		{"SIP/2.0 700 X\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_DROP, "Bad Status Code"},
		{"SIP/2.0 2000 X\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_DROP, "Bad Status Code"},
		{"SIP/3.0 200 X\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_DROP,
			"Unknown SIP Version"},
		{"SIP/2.0 200\r\n" REST "CSeq: 1 INVITE\r\n\r\n", SIP_ACCEPT, "accepted"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(rows[i].bytes, SIP_DATAGRAM);
		if (outcome.verdict != rows[i].verdict ||
			strcmp(outcome.reason, rows[i].reason) != 0)
			fail_msg("%s\n-> %s %s", rows[i].bytes,
				sip_verdict_name((enum sip_verdict)outcome.verdict),
				outcome.reason);
	}
	assert_string_equal(parse(REQUEST "\r\n", SIP_STREAM), "Missing Content-Length");
}

static void ceilings_are_kept(void **state)
{
	size_t n = (size_t)sprintf(text, REQUEST);

	for (int i = 0; i < SIP_HEADERS_MAX - 5; i++)
		n += (size_t)sprintf(text + n, "X-A: %d\r\n", i);
	strcpy(text + n, "\r\n");
	assert_string_equal(parse(text, SIP_DATAGRAM), "accepted");
	strcpy(text + n, "X-A: 1\r\n\r\n");
	assert_string_equal(parse(text, SIP_DATAGRAM), "Too Many Headers");

	n = (size_t)sprintf(text, REQUEST "X-A: ");
	memset(text + n, 'a', SIP_HEADER_BYTES_MAX);
	strcpy(text + n + SIP_HEADER_BYTES_MAX, "\r\n\r\n");
	assert_string_equal(parse(text, SIP_DATAGRAM), "Header Too Long");

	n = (size_t)sprintf(text, REQUEST "\r\n");
	memset(text + n, 'a', SIP_MESSAGE_BYTES_MAX);
	text[n + SIP_MESSAGE_BYTES_MAX] = '\0';
	assert_string_equal(parse(text, SIP_DATAGRAM), "Message Too Large");
	assert_int_equal(outcome.status, 513);

	n = (size_t)sprintf(text, REQUEST "Supported: a");
	for (int i = 1; i < SIP_VALUES_MAX; i++)
		n += (size_t)sprintf(text + n, ",a");
	strcpy(text + n, "\r\n\r\n");
	assert_string_equal(parse(text, SIP_DATAGRAM), "accepted");
	assert_int_equal(sip_message_count(&message, SIP_HEADER_SUPPORTED), SIP_VALUES_MAX);
	strcpy(text + n, ",a\r\n\r\n");
	assert_string_equal(parse(text, SIP_DATAGRAM), "accepted");
	assert_int_equal(sip_message_count(&message, SIP_HEADER_SUPPORTED), -E2BIG);
}

static void values_are_read(void **state)
{
	struct sip_session_expires expires;
	struct sip_reason reason;
	struct sip_info info;
	uint32_t seconds;

	assert_string_equal(
		parse(REQUEST "Session-Expires: 1800;refresher=uas\r\nMin-SE: 90;x=y\r\n"
			      "Retry-After: 18 (I (am) busy);duration=10\r\n"
			      "Reason: SIP;cause=200;text=\"a, b\", Q.850;cause=16\r\n"
			      "Alert-Info: <http://x/y>;info=alert-autoanswer\r\nSupported:\r\n"
			      "Supported: timer, 100rel\r\nExpires: 4294967296\r\n\r\n",
			SIP_DATAGRAM),
		"accepted");
	assert_int_equal(
		sip_message_session_expires(&message, SIP_HEADER_SESSION_EXPIRES, &expires), 0);
	assert_int_equal(expires.seconds, 1800);
	assert_int_equal(expires.refresher, SIP_REFRESHER_UAS);
	assert_int_equal(sip_message_session_expires(&message, SIP_HEADER_MIN_SE, &expires), 0);
	assert_int_equal(expires.seconds, 90);
	assert_int_equal(expires.refresher, SIP_REFRESHER_NONE);
	assert_int_equal(sip_message_seconds(&message, SIP_HEADER_RETRY_AFTER, &seconds), 0);
	assert_int_equal(seconds, 18);
	assert_int_equal(sip_message_seconds(&message, SIP_HEADER_EXPIRES, &seconds), -ERANGE);
	assert_int_equal(sip_message_seconds(&message, SIP_HEADER_MIN_EXPIRES, &seconds), -ENOENT);
	assert_int_equal(sip_message_reason(&message, 1, &reason), 0);
	assert_true(str_equal_text(reason.protocol, "Q.850"));
	assert_int_equal(reason.cause, 16);
	assert_int_equal(sip_message_reason(&message, 2, &reason), -ENOENT);
	assert_true(sip_message_lists(&message, SIP_HEADER_SUPPORTED, "TIMER"));
	assert_int_equal(
		sip_info_parse(&info, sip_message_header(&message, SIP_HEADER_ALERT_INFO)->value),
		0);
	assert_true(str_equal_text(info.uri, "http://x/y"));
	assert_int_equal(sip_session_expires_parse(&expires, STR("90;refresher=me")), -EBADMSG);
	assert_int_equal(sip_retry_after_parse(&seconds, STR("5 (open")), -EBADMSG);
}

static void a_stream_is_cut_into_messages(void **state)
{
	static const char one[] = REQUEST "Content-Length: 3\r\n\r\nabc";
	char stream[4096];
	size_t length = (size_t)sprintf(stream, "\r\n\r\n%s\r\n%sOPT", one, one);
	size_t scanned = 0, at = 0;
	static const enum sip_frame_kind kinds[] = {SIP_FRAME_PING, SIP_FRAME_MESSAGE,
		SIP_FRAME_PONG, SIP_FRAME_MESSAGE, SIP_FRAME_MORE};
	struct sip_frame frame;

	for (int i = 0; i < 5; i++) {
		frame = sip_frame_next(stream + at, length - at, &scanned);
		assert_int_equal(frame.kind, kinds[i]);
		if (frame.kind == SIP_FRAME_MESSAGE)
			assert_int_equal(frame.bytes, sizeof(one) - 1);
		at += frame.bytes;
		scanned = 0;
	}
	/* Byte by byte: nothing comes early, and the message comes with its last byte. */
	for (size_t n = 0; n <= sizeof(one) - 1; n++) {
		frame = sip_frame_next(one, n, &scanned);
		assert_int_equal(
			frame.kind, n == sizeof(one) - 1 ? SIP_FRAME_MESSAGE : SIP_FRAME_MORE);
	}
}

static void a_broken_stream_is_closed(void **state)
{
	static const char *const streams[] = {REQUEST "\r\n", REQUEST "l: x\r\n\r\n",
		REQUEST "l: -1\r\n\r\n", REQUEST "l: 1\r\nContent-Length: 1\r\n\r\na",
		REQUEST "l: 65535\r\n\r\n", "\rX", "\nX",
		REQUEST "l: 99999999999999999999\r\n\r\n"};
	struct sip_frame frame;

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		frame = sip_frame_next(streams[i], strlen(streams[i]), NULL);
		if (frame.kind != SIP_FRAME_BROKEN || !frame.reason)
			fail_msg("not broken: %s", streams[i]);
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(
		sip_frame_next(text, SIP_MESSAGE_BYTES_MAX - 1, NULL).kind, SIP_FRAME_MORE);
	assert_int_equal(sip_frame_next(text, SIP_MESSAGE_BYTES_MAX, NULL).kind, SIP_FRAME_BROKEN);
	assert_int_equal(sip_frame_next(NULL, 0, NULL).kind, SIP_FRAME_MORE);
}

static void requests_are_built(void **state)
{
	struct sip_builder b = sip_build(text, sizeof(text));
	char display[64];
	int n;

	sip_build_request(&b, STR("INVITE"), STR("sip:bob@example.com"));
	sip_build_via(&b, SIP_TRANSPORT_UDP, STR("192.0.2.1"), 5060, STR("z9hG4bKx"), true);
	sip_build_format(&b, SIP_HEADER_MAX_FORWARDS, "%d", 70);
	sip_build_address(&b, SIP_HEADER_FROM, STR("A \"quoted\" \\ name\r\nX: y"),
		STR("sip:+1@example.com"), STR("tag1"), STR_NULL);
	sip_build_address(
		&b, SIP_HEADER_TO, STR_NULL, STR("sip:bob@example.com"), STR_NULL, STR_NULL);
	sip_build_value(&b, SIP_HEADER_CALL_ID, STR("c1"));
	sip_build_format(&b, SIP_HEADER_CSEQ, "%u %s", 7u, "INVITE");
	sip_build_named(&b, STR("X-Smuggle"), STR("a\r\nEvil: yes"));
	n = sip_build_finish(&b, STR("application/sdp"), STR("v=0\r\n"));
	assert_true(n > 0);
	sip_message_parse(&message, text, (size_t)n, SIP_STREAM, &outcome);
	assert_string_equal(outcome.reason, "accepted");
	assert_null(sip_message_header_named(&message, "Evil"));
	assert_null(sip_message_header_named(&message, "X"));
	assert_non_null(sip_message_header_named(&message, "x-smuggle"));
	assert_int_equal(sip_address_display(&message.from, display, sizeof(display)), 0);
	assert_string_equal(display, "A \"quoted\" \\ nameX: y");
	assert_true(message.via.has_rport);
	assert_true(sip_message_body_is(&message, "application", "SDP"));
	assert_false(sip_message_body_is(&message, "text", "plain"));
}

static void responses_say_where_the_request_came_from(void **state)
{
	struct sip_builder b = sip_build(text, sizeof(text) / 2);
	char *copy = text + sizeof(text) / 2;
	int n;

	strcpy(copy, "INVITE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;received=1.1.1.1;"
		     "branch=z9hG4bKa , SIP/2.0/TCP p;branch=z9hG4bKb\r\n"
		     "v: SIP/2.0/TCP q\r\n ;branch=z9hG4bKc\r\nFrom: <sip:a@b>;tag=1\r\n"
		     "To: <sip:c@d>\r\nCall-ID: x@y\r\nCSeq: 1 INVITE\r\n"
		     "Record-Route: <sip:p;lr>, <sip:q;lr>\r\n\r\n");
	assert_string_equal(parse(copy, SIP_DATAGRAM), "accepted");
	sip_build_response(&b, &message,
		&(struct sip_response){.status = 180,
			.to_tag = STR("t"),
			.received = STR("192.0.2.9"),
			.rport = 6000});
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	text[n] = '\0';
	assert_string_equal(text,
		"SIP/2.0 180 Ringing\r\n"
		"Via: SIP/2.0/UDP 10.0.0.1;rport=6000;branch=z9hG4bKa;received=192.0.2.9\r\n"
		"Via: SIP/2.0/TCP p;branch=z9hG4bKb\r\n"
		"Via: SIP/2.0/TCP q   ;branch=z9hG4bKc\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=t\r\nCall-ID: x@y\r\n"
		"CSeq: 1 INVITE\r\nRecord-Route: <sip:p;lr>, <sip:q;lr>\r\n"
		"Content-Length: 0\r\n\r\n");
	b = sip_build(text, sizeof(text) / 2);
	sip_build_response(&b, &message, &(struct sip_response){.status = 486});
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	text[n] = '\0';
	assert_null(strstr(text, "Record-Route"));
	assert_null(strstr(text, "tag=t"));
	assert_string_equal(sip_status_reason(499), "Request Failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris_are_parsed),
		cmocka_unit_test(uris_are_compared),
		cmocka_unit_test(numbers_are_read_from_uris),
		cmocka_unit_test(every_mandatory_header_is_asked_for),
		cmocka_unit_test(malformed_messages_have_a_reason),
		cmocka_unit_test(ceilings_are_kept),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(a_stream_is_cut_into_messages),
		cmocka_unit_test(a_broken_stream_is_closed),
		cmocka_unit_test(requests_are_built),
		cmocka_unit_test(responses_say_where_the_request_came_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
