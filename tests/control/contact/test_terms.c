/* SPDX-License-Identifier: Apache-2.0 */
/* Of an offer, the answer to it and the options of the peer: what the dataplane is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contact/signalling.h"
#include "contact/terms.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"
#define OPUS "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n"
#define KEY  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

static struct peer_media media;

static int preset(void **state)
{
	peer_media_preset(&media);
	return 0;
}

static void codecs(const char *one, const char *two)
{
	media.codec_count = 0;
	assert_true(peer_media_add_codec(&media, one) && peer_media_add_codec(&media, two));
}

static struct cord_terms terms_of(const char *offer)
{
	static struct sdp sdp;
	static char text[4096];
	struct address port = address_ipv4(0x0a000001, 20000);
	struct sdp_local local = signalling_local(&port, &media);
	struct sdp_origin origin;
	struct sdp_stream stream;
	struct random random;
	struct strbuf out;
	const char *expected;

	random_init_seed(&random, 1);
	origin = (struct sdp_origin){.id = 1, .keys = sdes_keys_new(&random)};
	assert_int_equal(sdp_parse(&sdp, str_from(offer), &expected), 0);
	strbuf_init(&out, text, sizeof(text));
	assert_int_equal(sdp_answer(&sdp, &local, NULL, &origin, &out, &stream), 0);
	sdes_keys_free(origin.keys);
	return terms_make(&stream, &media);
}

static void what_nobody_said_anything_of(void **state)
{
	struct cord_terms t = terms_of(HEAD "m=audio 4000 RTP/AVP 8 0 101\r\n"
					    "a=rtpmap:101 telephone-event/8000\r\n");

	assert_int_equal(t.codec, CORD_CODEC_PCMU);
	assert_int_equal(t.remote.udp_port, 4000);
	assert_int_equal(t.remote_rtcp_udp_port, 4001);
	assert_int_equal(t.ptime_ms, 20);
	assert_int_equal(t.direction, CORD_MAY_SEND | CORD_MAY_RECEIVE);
	assert_int_equal(t.flags, 0);
	assert_int_equal(t.event_payload_type, 101);
	assert_int_equal(t.event_clock_hz, 8000);
	assert_int_equal(t.noise_payload_type, CORD_NO_PAYLOAD_TYPE);
	assert_int_equal(t.media_timeout_s, 30);
	assert_int_equal(t.jitter_min_ms, 0);
	assert_int_equal(t.jitter_max_ms, 0);
	assert_int_equal(t.opus_bitrate, 0);
	assert_int_equal(t.send_key.suite, CORD_SRTP_NONE);
	assert_int_equal(t.receive_key.suite, CORD_SRTP_NONE);
}

static void what_the_options_say(void **state)
{
	struct cord_terms t;

	media.nat = PEER_NAT_LEARN;
	media.rtcp_mux = media.comfort_noise = true;
	media.jitter_min_ns = PEER_MS(40);
	media.jitter_max_ns = PEER_MS(250);
	media.media_timeout_ns = PEER_MS(1500);
	t = terms_of(
		HEAD "m=audio 4000 RTP/AVP 0 13\r\na=rtcp-mux\r\na=recvonly\r\na=ptime:60\r\n");
	assert_int_equal(t.flags, CORD_TERMS_RTCP_MUX | CORD_TERMS_LEARN | CORD_TERMS_MAY_PAUSE |
					  CORD_TERMS_INBAND_KEYS);
	assert_int_equal(t.noise_payload_type, 13);
	assert_int_equal(t.receive_noise_payload_type, 13);
	assert_int_equal(t.jitter_min_ms, 40);
	assert_int_equal(t.jitter_max_ms, 250);
	assert_int_equal(t.media_timeout_s, 2);
	assert_int_equal(t.ptime_ms, 60);
	assert_int_equal(t.direction, CORD_MAY_SEND);
	assert_int_equal(t.event_payload_type, CORD_NO_PAYLOAD_TYPE);
	media.media_timeout_ns = 0;
	assert_int_equal(terms_of(HEAD "m=audio 4000 RTP/AVP 0\r\n").media_timeout_s, 0);
}

static void who_holds_us_may_be_silent(void **state)
{
	const char *lines[] = {"sendonly", "inactive", "recvonly", "sendrecv"};
	char offer[512];

	for (int i = 0; i < 4; i++) {
		snprintf(offer, sizeof(offer), HEAD "m=audio 4000 RTP/AVP 0\r\na=%s\r\n", lines[i]);
		assert_int_equal(terms_of(offer).media_timeout_s, i < 2 ? 0 : 30);
	}
}

static void how_opus_is_sent(void **state)
{
	struct cord_terms t;

	codecs("opus", "pcmu");
	media.opus_complexity = 7;
	media.opus_loss = 12;
	t = terms_of(HEAD "m=audio 4000 RTP/AVP 111 110\r\n" OPUS
			  "a=fmtp:111 useinbandfec=1;usedtx=1;maxaveragebitrate=16000\r\n");
	assert_int_equal(t.codec, CORD_CODEC_OPUS);
	assert_int_equal(t.payload_type, 111);
	assert_int_equal(t.event_payload_type, 110);
	assert_int_equal(t.event_clock_hz, 48000);
	assert_int_equal(t.opus_bitrate, 16000);
	assert_int_equal(t.opus_complexity, 7);
	assert_int_equal(t.opus_loss_percent, 12);
	assert_int_equal(t.opus_rate_khz, 16);
	assert_int_equal(t.flags, CORD_TERMS_OPUS_FEC | CORD_TERMS_OPUS_PASS);
	media.opus_dtx = true;
	media.opus_fec = media.opus_pass_through = false;
	t = terms_of(HEAD "m=audio 4000 RTP/AVP 111\r\n" OPUS
			  "a=fmtp:111 useinbandfec=1;usedtx=1;maxplaybackrate=12000\r\n");
	assert_int_equal(t.opus_bitrate, 24000);
	assert_int_equal(t.opus_rate_khz, 8);
	assert_int_equal(t.flags, CORD_TERMS_MAY_PAUSE | CORD_TERMS_INBAND_KEYS);
}

static void the_keys_of_both_sides(void **state)
{
	struct cord_terms t;

	media.srtp = PEER_SRTP_REQUIRED;
	t = terms_of(HEAD "m=audio 4000 RTP/SAVP 0\r\n"
			  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n");
	assert_int_equal(t.send_key.suite, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(t.receive_key.suite, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
	for (unsigned i = 0; i < CORD_SRTP_KEY_MAX; i++)
		assert_int_equal(t.receive_key.key[i], i < 30 ? i : 0);
	assert_memory_not_equal(t.send_key.key, t.receive_key.key, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_nobody_said_anything_of, preset),
		cmocka_unit_test_setup(what_the_options_say, preset),
		cmocka_unit_test_setup(who_holds_us_may_be_silent, preset),
		cmocka_unit_test_setup(how_opus_is_sent, preset),
		cmocka_unit_test_setup(the_keys_of_both_sides, preset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
