/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/offer_answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct sdp sdp, reply;
static const char *expected;
static char text[4096];
static struct strbuf out;
static struct sdp_stream stream;

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"

static struct sdp_local local_side(void)
{
	return (struct sdp_local){.address = cord_address_ipv4(198, 51, 100, 1, 20000),
		.codecs = {CORD_CODEC_PCMA, CORD_CODEC_PCMU},
		.codec_count = 2,
		.events = true,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE};
}

static int parse(const char *body)
{
	return sdp_parse(&sdp, str_from(body), &expected);
}

static int answer(const char *body, const struct sdp_local *local, struct sdp_origin *origin)
{
	int rc;

	assert_int_equal(parse(body), 0);
	strbuf_init(&out, text, sizeof(text));
	rc = sdp_answer(&sdp, local, NULL, origin, &out, &stream);
	if (rc == 0)
		assert_int_equal(sdp_parse(&reply, strbuf_str(&out), &expected), 0);
	return rc;
}

static void says(const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void parses_lines_and_media(void **state)
{
	struct str value;

	assert_int_equal(parse(HEAD "a=unknown:thing\r\n"
				    "m=audio 4000 RTP/AVP 0 8 101\r\n"
				    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
				    "a=ptime:30\r\na=maxptime:60\r\na=sendonly\r\na=rtcp:4005\r\n"
				    "a=x-ours:1\r\n"
				    "m=video 0 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\n"),
		0);
	assert_int_equal(sdp.media_count, 2);
	assert_int_equal(sdp.media[0].udp_port, 4000);
	assert_int_equal(sdp.media[0].format_count, 3);
	assert_int_equal(sdp.media[0].formats[2].clock, 8000);
	assert_true(str_equal_text(sdp.media[0].formats[2].fmtp, "0-15"));
	assert_int_equal(sdp.media[0].ptime_ms, 30);
	assert_int_equal(sdp.media[0].maxptime_ms, 60);
	assert_int_equal(sdp.media[0].rtcp_port, 4005);
	assert_int_equal(sdp.media[0].direction, CORD_MAY_SEND);
	assert_true(sdp.media[0].has_address);
	assert_int_equal(sdp.media[1].address.family, CORD_FAMILY_IPV6);
	assert_int_equal(sdp.media[1].udp_port, 0);
	assert_true(sdp_attribute(&sdp, NULL, "unknown", &value));
	assert_true(str_equal_text(value, "thing"));
	assert_true(sdp_attribute(&sdp, &sdp.media[0], "x-ours", NULL));
	assert_false(sdp_attribute(&sdp, &sdp.media[1], "x-ours", NULL));
	assert_int_equal(parse("v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nt=0 0\n"), 0);
}

static void rtcp_goes_where_the_peer_says(void **state)
{
	static const struct {
		const char *lines;
		uint16_t port;
	} rows[] = {
		{"", 4001},
		{"a=rtcp:4005\r\n", 4005},
		{"a=rtcp:4005 IN IP4 192.0.2.5\r\n", 4005},
		{"a=rtcp:4005 IN IP4 192.0.2.6\r\n", 0},
		{"a=rtcp:4005 IN IP6 2001:db8::1\r\n", 0},
		{"a=rtcp:4005 IN IP4 host.example\r\n", 0},
		{"a=rtcp:x\r\n", 4001},
		{"a=rtcp:70000\r\n", 4001},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/AVP 0\r\n%s", rows[i].lines);
		assert_int_equal(parse(text), 0);
		assert_int_equal(sdp.media[0].rtcp_port, rows[i].port);
	}
}

static void attributes_of_one_name_come_in_order(void **state)
{
	struct str value;
	unsigned line = 0;

	assert_int_equal(parse(HEAD "a=crypto:9\r\nm=audio 4000 RTP/AVP 0\r\na=crypto:1\r\n"
				    "a=cryptography:2\r\na=crypto:3\r\n"
				    "m=audio 4002 RTP/AVP 0\r\na=crypto:4\r\n"),
		0);
	assert_true(sdp_next_attribute(&sdp, &sdp.media[0], "crypto", &line, &value));
	assert_true(str_equal_text(value, "1"));
	assert_true(sdp_next_attribute(&sdp, &sdp.media[0], "crypto", &line, &value));
	assert_true(str_equal_text(value, "3"));
	assert_false(sdp_next_attribute(&sdp, &sdp.media[0], "crypto", &line, &value));
	assert_false(sdp_next_attribute(&sdp, &sdp.media[0], "crypto", &line, &value));
}

static void refuses_what_is_malformed(void **state)
{
	static const char *const bodies[] = {
		"",
		"v=1\r\no=- 1 1 IN IP4 1.2.3.4\r\n",
		"o=- 1 1 IN IP4 1.2.3.4\r\nv=0\r\n",
		"v=0\r\ns=-\r\n",
		"v=0\r\no=- 1 1 IN IP4\r\n",
		"v=0\r\no=- x 1 IN IP4 1.2.3.4\r\n",
		HEAD "m =video 3227 RTP/AVP 31\r\n",
		HEAD "m=audio 70000 RTP/AVP 0\r\n",
		HEAD "m=audio -1 RTP/AVP 0\r\n",
		HEAD "m=audio 4000 RTP/AVP\r\n",
		HEAD "m=audio 4000\r\n",
		HEAD "m=video 322m=\"example.com\",nonce=\"abc\" RTP/AVP 31\r\n",
		HEAD "m=au\"dio 4000 RTP/AVP 0\r\n",
		HEAD "\r\nm=audio 4000 RTP/AVP 0\r\n",
		HEAD "a=bad\x01"
		     "control\r\n",
		HEAD "nonsense\r\n",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		expected = NULL;
		if (parse(bodies[i]) != -EBADMSG || !expected)
			fail_msg("accepted: %s", bodies[i]);
	}
}

static void keeps_its_ceilings(void **state)
{
	char *big = malloc(SDP_BYTES_MAX + 200);
	int n = sprintf(big, HEAD);

	for (int i = 0; i < SDP_MEDIA_MAX; i++)
		n += sprintf(big + n, "m=audio 4000 RTP/AVP 0\r\n");
	assert_int_equal(parse(big), 0);
	sprintf(big + n, "m=audio 4000 RTP/AVP 0\r\n");
	assert_int_equal(parse(big), -E2BIG);
	n = sprintf(big, HEAD);
	for (int i = 0; i < SDP_LINES_MAX; i++)
		n += sprintf(big + n, "a=x\r\n");
	assert_int_equal(parse(big), -E2BIG);
	memset(big, 'a', SDP_BYTES_MAX + 1);
	big[SDP_BYTES_MAX + 1] = '\0';
	assert_int_equal(parse(big), -E2BIG);
	free(big);
	n = sprintf(text, HEAD "m=audio 4000 RTP/AVP");
	for (int i = 0; i < 128; i++)
		n += sprintf(text + n, " %d", i);
	assert_int_equal(parse(text), 0);
	assert_int_equal(sdp.media[0].format_count, SDP_FORMATS_MAX);
}

static void answers_by_the_offers_order_or_by_ours(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 77};

	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 18 0 8\r\n", &local, &origin), 0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMU);
	assert_int_equal(stream.payload_type, 0);
	assert_int_equal(stream.event_payload_type, SDP_NO_PAYLOAD_TYPE);
	assert_int_equal(stream.direction, CORD_MAY_SEND | CORD_MAY_RECEIVE);
	assert_int_equal(stream.ptime_ms, 20);
	assert_int_equal(stream.remote.udp_port, 4000);
	assert_int_equal(stream.remote.ip[3], 5);
	says("o=- 77 1 IN IP4 198.51.100.1\r\n");
	says("m=audio 20000 RTP/AVP 0\r\n");
	says("a=sendrecv\r\n");
	local.prefer_ours = true;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 18 0 8\r\n", &local, &origin), 0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMA);
}

static void agrees_on_events_with_the_peers_payload_type(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 1};
	const char *offer = HEAD "m=audio 4000 RTP/AVP 0 96 97\r\n"
				 "a=rtpmap:96 telephone-event/16000\r\n"
				 "a=rtpmap:97 Telephone-Event/8000\r\n";

	assert_int_equal(answer(offer, &local, &origin), 0);
	assert_int_equal(stream.event_payload_type, 97);
	assert_int_equal(stream.event_clock, 8000);
	says("m=audio 20000 RTP/AVP 0 97\r\n");
	says("a=rtpmap:97 telephone-event/8000\r\n");
	local.events = false;
	assert_int_equal(answer(offer, &local, &origin), 0);
	assert_int_equal(stream.event_payload_type, SDP_NO_PAYLOAD_TYPE);
	assert_null(strstr(text, "telephone-event"));
}

static void takes_dynamic_payload_types_for_codecs(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 1};

	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 99\r\na=rtpmap:99 pcma/8000/1\r\n",
				 &local, &origin),
		0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMA);
	assert_int_equal(stream.payload_type, 99);
	/* A static payload type that the offer gave another meaning. */
	assert_int_equal(
		answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 speex/8000\r\n", &local, &origin),
		-ENOTSUP);
	assert_int_equal(
		answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n", &local, &origin),
		-ENOTSUP);
}

static void uses_the_first_usable_line_and_refuses_the_others(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 1};

	assert_int_equal(answer(HEAD "m=video 3000 RTP/AVP 31\r\n"
				     "m=audio 4000 RTP/SAVP 0\r\n"
				     "m=audio 4002 RTP/AVP 18\r\n"
				     "m=audio 4004 RTP/AVP 8\r\n"
				     "m=audio 4006 RTP/AVP 0\r\n"
				     "m=image 4008 udptl t38\r\n",
				 &local, &origin),
		0);
	assert_int_equal(stream.media_index, 3);
	assert_int_equal(stream.remote.udp_port, 4004);
	assert_int_equal(reply.media_count, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(reply.media[i].udp_port, i == 3 ? 20000 : 0);
	says("m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/SAVP 0\r\n");
	says("m=image 0 udptl t38\r\n");
}

static void nothing_usable_is_488(void **state)
{
	static const char *const offers[] = {
		HEAD,
		HEAD "m=video 3000 RTP/AVP 31\r\n",
		HEAD "m=audio 0 RTP/AVP 0\r\n",
		HEAD "m=audio 4000 RTP/AVP 18 9\r\n",
		HEAD "m=audio 4000 RTP/SAVP 0\r\n",
		"v=0\r\no=- 1 1 IN IP4 x\r\nm=audio 4000 RTP/AVP 0\r\n",
		"v=0\r\no=- 1 1 IN IP4 x\r\nc=IN IP4 h.example\r\nm=audio 4000 RTP/AVP 0\r\n",
		"v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n",
	};
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 1};

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		assert_int_equal(answer(offers[i], &local, &origin), -ENOTSUP);
	assert_int_equal(origin.version, 0);
}

static void every_direction_is_mirrored(void **state)
{
	static const struct {
		const char *offered;
		uint8_t wanted;
		uint8_t ours;
		const char *said;
		bool held;
	} rows[] = {
		{"sendrecv", 3, CORD_MAY_SEND | CORD_MAY_RECEIVE, "a=sendrecv", false},
		{"sendonly", 3, CORD_MAY_RECEIVE, "a=recvonly", true},
		{"recvonly", 3, CORD_MAY_SEND, "a=sendonly", false},
		{"inactive", 3, 0, "a=inactive", true},
		{"sendrecv", CORD_MAY_SEND, CORD_MAY_SEND, "a=sendonly", false},
		{"sendrecv", CORD_MAY_RECEIVE, CORD_MAY_RECEIVE, "a=recvonly", false},
		{"sendonly", CORD_MAY_SEND, 0, "a=inactive", true},
		{"recvonly", CORD_MAY_SEND, CORD_MAY_SEND, "a=sendonly", false},
		{"sendrecv", 0, 0, "a=inactive", false},
	};
	char offer[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int session = 0; session < 2; session++) {
			struct sdp_local local = local_side();
			struct sdp_origin origin = {.id = 1};

			local.direction = rows[i].wanted;
			sprintf(offer, HEAD "%s%s%sm=audio 4000 RTP/AVP 0\r\n%s%s%s",
				session ? "a=" : "", session ? rows[i].offered : "",
				session ? "\r\n" : "",
				session ? "" : "a=", session ? "" : rows[i].offered,
				session ? "" : "\r\n");
			assert_int_equal(answer(offer, &local, &origin), 0);
			assert_int_equal(stream.direction, rows[i].ours);
			assert_int_equal(stream.held_by_peer, rows[i].held);
			says(rows[i].said);
		}
}

static void hold_of_rfc_2543(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 1};

	assert_int_equal(answer("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nc=IN IP4 0.0.0.0\r\n"
				"m=audio 4000 RTP/AVP 0\r\n",
				 &local, &origin),
		0);
	assert_true(stream.held_by_peer);
	assert_int_equal(stream.direction, CORD_MAY_RECEIVE);
}

static void packet_time_is_bounded(void **state)
{
	static const struct {
		const char *lines;
		uint16_t ptime;
	} rows[] = {
		{"", 20},
		{"a=ptime:10\r\n", 10},
		{"a=ptime:30\r\n", 30},
		{"a=ptime:35\r\n", 30},
		{"a=ptime:50\r\n", 40},
		{"a=ptime:59\r\n", 40},
		{"a=ptime:60\r\n", 60},
		{"a=ptime:200\r\n", 60},
		{"a=ptime:1\r\n", 10},
		{"a=ptime:0\r\n", 20},
		{"a=ptime:x\r\n", 20},
		{"a=ptime:99999\r\n", 20},
		{"a=ptime:40\r\na=maxptime:20\r\n", 20},
		{"a=maxptime:10\r\n", 10},
	};
	char offer[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_local local = local_side();
		struct sdp_origin origin = {.id = 1};

		sprintf(offer, HEAD "m=audio 4000 RTP/AVP 0\r\n%s", rows[i].lines);
		assert_int_equal(answer(offer, &local, &origin), 0);
		assert_int_equal(stream.ptime_ms, rows[i].ptime);
	}
}

static void the_version_changes_with_what_we_say(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 9};

	answer(HEAD "m=audio 4000 RTP/AVP 0\r\n", &local, &origin);
	assert_int_equal(origin.version, 1);
	answer(HEAD "m=audio 5000 RTP/AVP 0 18\r\n", &local, &origin);
	assert_int_equal(origin.version, 1);
	answer(HEAD "m=audio 5000 RTP/AVP 0\r\na=sendonly\r\n", &local, &origin);
	assert_int_equal(origin.version, 2);
	says("o=- 9 2 IN");
	answer(HEAD "m=audio 5000 RTP/AVP 8\r\n", &local, &origin);
	assert_int_equal(origin.version, 3);
}

static void offers_and_takes_the_answer(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 5};
	struct sdp_stream second = {0};

	strbuf_init(&out, text, sizeof(text));
	assert_int_equal(sdp_offer(&local, NULL, NULL, &origin, &out), 0);
	says("m=audio 20000 RTP/AVP 8 0 101\r\n");
	says("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n");
	says("a=ptime:20\r\na=sendrecv\r\n");
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/AVP 0 101\r\n"
				    "a=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n"),
		0);
	assert_int_equal(sdp_take_answer(&sdp, &local, NULL, &origin, &stream), 0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMU);
	assert_int_equal(stream.event_payload_type, 101);
	assert_int_equal(stream.ptime_ms, 30);
	second.media_index = 1;
	assert_int_equal(sdp_take_answer(&sdp, &local, &second, &origin, &stream), -EBADMSG);
	assert_int_equal(parse(HEAD "m=audio 0 RTP/AVP 0\r\n"), 0);
	assert_int_equal(sdp_take_answer(&sdp, &local, NULL, &origin, &stream), -ENOTSUP);
	assert_int_equal(parse(HEAD "m=audio 4000 RTP/AVP 18\r\n"), 0);
	assert_int_equal(sdp_take_answer(&sdp, &local, NULL, &origin, &stream), -ENOTSUP);
}

static void a_new_offer_keeps_the_lines_of_the_session(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 5};

	assert_int_equal(answer(HEAD "m=video 3000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n",
				 &local, &origin),
		0);
	local.direction = CORD_MAY_SEND;
	assert_int_equal(sdp_offer(&local, &sdp, &stream, &origin, &out), 0);
	says("m=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8 0 101\r\n");
	says("a=sendonly\r\n");
	assert_int_equal(origin.version, 2);
	stream.media_index = 2;
	assert_int_equal(sdp_offer(&local, &sdp, &stream, &origin, &out), -EINVAL);
}

static void no_buffer_is_overrun(void **state)
{
	struct sdp_local local = local_side();
	bool fitted = false;

	assert_int_equal(parse(HEAD "m=video 3000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"), 0);
	for (size_t size = 1; size < 400; size++) {
		char *buffer = malloc(size);
		struct sdp_origin origin = {.id = 5};
		int rc;

		strbuf_init(&out, buffer, size);
		rc = sdp_answer(&sdp, &local, NULL, &origin, &out, &stream);
		assert_true(rc == (fitted || rc == 0 ? 0 : -ENOSPC));
		fitted |= rc == 0;
		free(buffer);
	}
	assert_true(fitted);
}

static void ipv6(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_origin origin = {.id = 5};

	local.address = (struct cord_address){.family = CORD_FAMILY_IPV6,
		.udp_port = 20000,
		.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}};
	assert_int_equal(answer("v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 2001:db8::5\r\n"
				"m=audio 4000 RTP/AVP 0\r\n",
				 &local, &origin),
		0);
	says("c=IN IP6 2001:db8::1\r\n");
	assert_int_equal(stream.remote.ip[15], 5);
}

/* RFC 5118 section 4.10, and what has no IPv4 address in it. */
static void a_mapped_address_is_an_ipv4_one(void **state)
{
	static const struct cord_address v4 = {
		.family = CORD_FAMILY_IPV4, .udp_port = 4000, .ip = {192, 0, 2, 10}};

	assert_int_equal(parse("v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 ::ffff:192.0.2.10\r\n"
			       "m=audio 4000 RTP/AVP 0\r\n"),
		0);
	assert_true(cord_address_equal(&sdp.media[0].address, &v4));
	assert_int_equal(sdp_audio_family(&sdp), CORD_FAMILY_IPV4);
	assert_int_equal(parse("v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP6 ::192.0.2.10\r\n"
			       "m=audio 4000 RTP/AVP 0\r\n"),
		0);
	assert_int_equal(sdp.media[0].address.family, CORD_FAMILY_IPV6);
}

/* RFC 5118 section 4.8: the address of the audio counts, not the session's or the video's. */
static void the_family_of_the_audio_counts(void **state)
{
	assert_int_equal(parse("v=0\r\no=- 1 1 IN IP6 ::1\r\nc=IN IP4 192.0.2.1\r\n"
			       "m=video 3000 RTP/AVP 31\r\n"
			       "m=audio 0 RTP/AVP 0\r\n"
			       "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"
			       "m=audio 4002 RTP/AVP 0\r\n"),
		0);
	assert_int_equal(sdp_audio_family(&sdp), CORD_FAMILY_IPV6);
	assert_int_equal(parse("v=0\r\no=- 1 1 IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(sdp_audio_family(&sdp), CORD_FAMILY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_lines_and_media),
		cmocka_unit_test(rtcp_goes_where_the_peer_says),
		cmocka_unit_test(attributes_of_one_name_come_in_order),
		cmocka_unit_test(refuses_what_is_malformed),
		cmocka_unit_test(keeps_its_ceilings),
		cmocka_unit_test(answers_by_the_offers_order_or_by_ours),
		cmocka_unit_test(agrees_on_events_with_the_peers_payload_type),
		cmocka_unit_test(takes_dynamic_payload_types_for_codecs),
		cmocka_unit_test(uses_the_first_usable_line_and_refuses_the_others),
		cmocka_unit_test(nothing_usable_is_488),
		cmocka_unit_test(every_direction_is_mirrored),
		cmocka_unit_test(hold_of_rfc_2543),
		cmocka_unit_test(packet_time_is_bounded),
		cmocka_unit_test(the_version_changes_with_what_we_say),
		cmocka_unit_test(offers_and_takes_the_answer),
		cmocka_unit_test(a_new_offer_keeps_the_lines_of_the_session),
		cmocka_unit_test(no_buffer_is_overrun),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(a_mapped_address_is_an_ipv4_one),
		cmocka_unit_test(the_family_of_the_audio_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
