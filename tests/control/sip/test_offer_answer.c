/* SPDX-License-Identifier: Apache-2.0 */
/* What is agreed on beyond the lines of test_sdp.c: codecs, events, noise, RTCP, keys. */
#include "sip/offer_answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sip/sdp_audio.h"

#define NONE   SDP_NO_PAYLOAD_TYPE
#define HEAD   "v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"
#define AVP    HEAD "m=audio 4000 RTP/AVP "
#define SAVP   HEAD "m=audio 4000 RTP/SAVP "
#define OPUS   "a=rtpmap:111 opus/48000/2\r\n"
#define EVENTS "a=rtpmap:126 telephone-event/8000\r\n"
#define EV_48K "a=rtpmap:110 telephone-event/48000\r\n"
#define KEY    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define CM_80  "AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"
#define CM_32  "AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n"
#define GCM    "AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\n"
#define GCM256                                                                                   \
	"AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis=\r" \
	"\n"

static struct sdp sdp;
static char text[SDP_BYTES_MAX];
static struct strbuf out;
static struct sdp_stream stream;
static struct sdp_origin origin;

static struct sdp_local local_side(void)
{
	return (struct sdp_local){.address = cord_address_ipv4(198, 51, 100, 1, 20000),
		.codecs = {CORD_CODEC_OPUS, CORD_CODEC_G722, CORD_CODEC_PCMA, CORD_CODEC_PCMU},
		.codec_count = 4,
		.events = true,
		.comfort_noise = true,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE};
}

static int fresh(void **state)
{
	struct random random;

	random_init_seed(&random, 3);
	sdes_keys_free(origin.keys);
	origin = (struct sdp_origin){.id = 1, .keys = sdes_keys_new(&random)};
	stream = (struct sdp_stream){0};
	return 0;
}

static void parse(const char *body)
{
	const char *expected = NULL;

	if (sdp_parse(&sdp, str_from(body), &expected) < 0)
		fail_msg("expected %s in:\n%s", expected, body);
}

/* A description in `text` is kept as what is parsed. */
static void parse_ours(void)
{
	static char copy[SDP_BYTES_MAX];

	memcpy(copy, text, sizeof(copy));
	parse(copy);
}

static int answer(const char *offer, const struct sdp_local *local, const struct sdp_stream *agreed)
{
	parse(offer);
	strbuf_init(&out, text, sizeof(text));
	return sdp_answer(&sdp, local, agreed, &origin, &out, &stream);
}

static void offer(const struct sdp_local *local, const struct sdp_stream *agreed)
{
	strbuf_init(&out, text, sizeof(text));
	assert_int_equal(sdp_offer(local, agreed ? &sdp : NULL, agreed, &origin, &out), 0);
}

static int take(const char *body, const struct sdp_local *local, const struct sdp_stream *agreed)
{
	parse(body);
	return sdp_take_answer(&sdp, local, agreed, &origin, &stream);
}

static bool says(const char *part)
{
	return strstr(text, part) != NULL;
}

static void must_say(const char *part)
{
	if (!says(part))
		fail_msg("no '%s' in:\n%s", part, text);
}

/* ---- codecs ------------------------------------------------------------------------------ */

static void codec_events_and_noise_of_an_offer(void **state)
{
	static const struct {
		const char *offer;
		uint8_t codec, type, event, noise;
		uint32_t event_clock;
	} rows[] = {
		{AVP "0 8\r\n", CORD_CODEC_PCMA, 8, NONE, NONE, 0},
		{AVP "9 0\r\n", CORD_CODEC_G722, 9, NONE, NONE, 0},
		{AVP "9 13 126\r\n" EVENTS, CORD_CODEC_G722, 9, 126, 13, 8000},
		{AVP "96\r\na=rtpmap:96 G722/8000/1\r\n", CORD_CODEC_G722, 96, NONE, NONE, 0},
		/* The clock of G.722 is 8 kHz: noise and events at 16 kHz do not go with it. */
		{AVP "9 96 97\r\na=rtpmap:96 CN/16000\r\na=rtpmap:97 telephone-event/16000\r\n",
			CORD_CODEC_G722, 9, NONE, NONE, 0},
		{AVP "111 0 110 126\r\n" OPUS EV_48K EVENTS, CORD_CODEC_OPUS, 111, 110, NONE,
			48000},
		{AVP "111 0 126 13\r\n" OPUS EVENTS, CORD_CODEC_OPUS, 111, 126, NONE, 8000},
		{AVP "111\r\n" OPUS, CORD_CODEC_OPUS, 111, NONE, NONE, 0},
		{AVP "111\r\na=rtpmap:111 OPUS/48000/2\r\n", CORD_CODEC_OPUS, 111, NONE, NONE, 0},
		/* No Opus: RFC 7587 section 7 has one form only. */
		{AVP "111 0\r\na=rtpmap:111 opus/48000\r\n", CORD_CODEC_PCMU, 0, NONE, NONE, 0},
		{AVP "111 0\r\na=rtpmap:111 opus/16000/2\r\n", CORD_CODEC_PCMU, 0, NONE, NONE, 0},
		{AVP "0 110\r\n" EV_48K, CORD_CODEC_PCMU, 0, NONE, NONE, 0},
	};
	struct sdp_local local = local_side();

	local.prefer_ours = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (answer(rows[i].offer, &local, NULL) < 0)
			fail_msg("refused: %s", rows[i].offer);
		assert_int_equal(stream.codec, rows[i].codec);
		assert_int_equal(stream.payload_type, rows[i].type);
		assert_int_equal(stream.receive_payload_type, rows[i].type);
		assert_int_equal(stream.event_payload_type, rows[i].event);
		assert_int_equal(stream.receive_event_payload_type, rows[i].event);
		assert_int_equal(stream.event_clock, rows[i].event_clock);
		assert_int_equal(stream.noise_payload_type, rows[i].noise);
		assert_int_equal(stream.receive_noise_payload_type, rows[i].noise);
	}
}

static void preference_is_ours_or_theirs(void **state)
{
	struct sdp_local local = local_side();

	assert_int_equal(answer(AVP "0 8 9 111\r\n" OPUS, &local, NULL), 0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMU);
	local.prefer_ours = true;
	assert_int_equal(answer(AVP "0 8 9 111\r\n" OPUS, &local, NULL), 0);
	assert_int_equal(stream.codec, CORD_CODEC_OPUS);
	local.codecs[0] = CORD_CODEC_G722;
	local.codec_count = 1;
	assert_int_equal(answer(AVP "0 8 9 111\r\n" OPUS, &local, NULL), 0);
	assert_int_equal(stream.codec, CORD_CODEC_G722);
	assert_int_equal(answer(AVP "0 8 111\r\n" OPUS, &local, NULL), -ENOTSUP);
}

static void an_answer_says_what_was_taken_and_no_more(void **state)
{
	struct sdp_local local = local_side();

	local.prefer_ours = true;
	local.opus_fec = true;
	local.opus_bitrate = 24000;
	assert_int_equal(answer(AVP "0 111 110 126 13\r\n" OPUS EV_48K EVENTS
				    "a=fmtp:111 useinbandfec=1\r\na=rtcp-mux\r\n",
				 &local, NULL),
		0);
	must_say("m=audio 20000 RTP/AVP 111 110\r\n"
		 "a=rtpmap:111 opus/48000/2\r\n"
		 "a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;"
		 "useinbandfec=1;usedtx=0;maxaveragebitrate=24000\r\n"
		 "a=rtpmap:110 telephone-event/48000\r\na=fmtp:110 0-15\r\n"
		 "a=ptime:20\r\na=sendrecv\r\n");
	assert_int_equal(answer(AVP "0 13 126\r\n" EVENTS, &local, NULL), 0);
	must_say("m=audio 20000 RTP/AVP 0 13 126\r\na=rtpmap:0 PCMU/8000\r\n"
		 "a=rtpmap:13 CN/8000\r\na=rtpmap:126 telephone-event/8000\r\n");
	local.comfort_noise = local.events = false;
	assert_int_equal(answer(AVP "0 13 126\r\n" EVENTS, &local, NULL), 0);
	must_say("m=audio 20000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n");
	assert_int_equal(stream.noise_payload_type, NONE);
}

static void opus_is_sent_as_the_peer_likes_it(void **state)
{
	static const struct {
		const char *fmtp;
		uint32_t rate, bitrate;
		bool fec, dtx, cbr;
		uint16_t ptime;
	} rows[] = {
		{"", 16000, 32000, false, false, false, 20},
		{"a=fmtp:111 maxplaybackrate=48000;useinbandfec=1;usedtx=1;cbr=1\r\n", 16000, 32000,
			true, true, true, 20},
		{"a=fmtp:111 MaxPlaybackRate=8000; maxaveragebitrate=12000 ;usedtx=0\r\n", 8000,
			12000, false, false, false, 20},
		{"a=fmtp:111 maxaveragebitrate=64000;stereo=1;sprop-stereo=1\r\n", 16000, 32000,
			false, false, false, 20},
		{"a=fmtp:111 maxaveragebitrate=5999;maxplaybackrate=7999\r\n", 16000, 32000, false,
			false, false, 20},
		{"a=fmtp:111 maxaveragebitrate=-1;maxplaybackrate=99999999999;useinbandfec=2\r\n",
			16000, 32000, false, false, false, 20},
		{"a=fmtp:111 ;;=;useinbandfec;minptime=40;usedtx=1\r\n", 16000, 32000, false, true,
			false, 40},
		{"a=fmtp:111 minptime=10\r\na=ptime:60\r\n", 16000, 32000, false, false, false, 60},
	};
	struct sdp_local local = local_side();
	char body[1024];

	local.opus_bitrate = 32000;
	local.opus_fec = local.opus_dtx = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(body, sizeof(body), AVP "111\r\n" OPUS "%s", rows[i].fmtp);
		assert_int_equal(answer(body, &local, NULL), 0);
		assert_int_equal(stream.opus.rate, rows[i].rate);
		assert_int_equal(stream.opus.bitrate, rows[i].bitrate);
		assert_int_equal(stream.opus.fec, rows[i].fec);
		assert_int_equal(stream.opus.dtx, rows[i].dtx);
		assert_int_equal(stream.opus.cbr, rows[i].cbr);
		assert_int_equal(stream.ptime_ms, rows[i].ptime);
	}
	local.opus_fec = local.opus_dtx = false;
	local.opus_bitrate = 0;
	assert_int_equal(
		answer(AVP "111\r\n" OPUS "a=fmtp:111 useinbandfec=1;usedtx=1\r\n", &local, NULL),
		0);
	assert_false(stream.opus.fec || stream.opus.dtx);
	assert_int_equal(stream.opus.bitrate, 0);
	assert_false(says("maxaveragebitrate"));
}

static void an_offer_has_everything_once(void **state)
{
	struct sdp_local local = local_side();

	local.rtcp_mux = true;
	offer(&local, NULL);
	must_say("m=audio 20000 RTP/AVP 96 9 8 0 13 101 102\r\n"
		 "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxplaybackrate=16000;");
	must_say("a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		 "a=rtpmap:13 CN/8000\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
		 "a=rtpmap:102 telephone-event/48000\r\na=fmtp:102 0-15\r\n"
		 "a=rtcp-mux\r\na=ptime:20\r\na=sendrecv\r\n");
	assert_false(says("crypto"));
	local.codecs[0] = CORD_CODEC_PCMU;
	local.codec_count = 1;
	local.rtcp_mux = local.comfort_noise = false;
	offer(&local, NULL);
	must_say("m=audio 20000 RTP/AVP 0 101\r\n");
	local.codecs[0] = CORD_CODEC_OPUS;
	local.comfort_noise = true;
	offer(&local, NULL);
	must_say("m=audio 20000 RTP/AVP 96 101 102\r\n");
}

static void an_answer_has_numbers_of_its_own(void **state)
{
	struct sdp_local local = local_side();

	assert_int_equal(take(AVP "120 13 121\r\na=rtpmap:120 opus/48000/2\r\n"
				  "a=rtpmap:121 telephone-event/48000\r\n",
				 &local, NULL),
		0);
	assert_int_equal(stream.codec, CORD_CODEC_OPUS);
	assert_int_equal(stream.payload_type, 120);
	assert_int_equal(stream.receive_payload_type, 96);
	assert_int_equal(stream.event_payload_type, 121);
	assert_int_equal(stream.receive_event_payload_type, 102);
	assert_int_equal(stream.event_clock, 48000);
	assert_int_equal(stream.noise_payload_type, NONE);
	assert_int_equal(take(AVP "120 121\r\na=rtpmap:120 opus/48000/2\r\n"
				  "a=rtpmap:121 telephone-event/8000\r\n",
				 &local, NULL),
		0);
	assert_int_equal(stream.receive_event_payload_type, 101);
	assert_int_equal(stream.event_clock, 8000);
	assert_int_equal(take(AVP "0 98\r\na=rtpmap:98 CN/8000\r\n", &local, NULL), 0);
	assert_int_equal(stream.noise_payload_type, 98);
	assert_int_equal(stream.receive_noise_payload_type, 13);
	assert_int_equal(stream.receive_event_payload_type, NONE);
	/* The first codec of the answer is what will be sent. */
	assert_int_equal(take(AVP "8 9 0\r\n", &local, NULL), 0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMA);
	/* What we did not offer cannot be agreed on. */
	local.codecs[0] = CORD_CODEC_PCMU;
	local.codec_count = 1;
	assert_int_equal(take(AVP "9\r\n", &local, NULL), -ENOTSUP);
}

static void a_new_offer_keeps_the_numbers(void **state)
{
	struct sdp_local local = local_side();
	struct sdp_stream agreed;

	/* The peer's 96 is events, its 101 is Opus, its 102 noise. */
	local.prefer_ours = true;
	assert_int_equal(answer(AVP "101 96 102\r\na=rtpmap:101 opus/48000/2\r\n"
				    "a=rtpmap:96 telephone-event/48000\r\na=rtpmap:102 CN/8000\r\n",
				 &local, NULL),
		0);
	agreed = stream;
	offer(&local, &agreed);
	must_say("m=audio 20000 RTP/AVP 101 9 8 0 13 97 96\r\n");
	must_say("a=rtpmap:97 telephone-event/8000\r\n");
	must_say("a=rtpmap:96 telephone-event/48000\r\n");
	assert_int_equal(take(AVP "0 98 97\r\na=rtpmap:98 CN/8000\r\n"
				  "a=rtpmap:97 telephone-event/8000\r\n",
				 &local, &agreed),
		0);
	assert_int_equal(stream.codec, CORD_CODEC_PCMU);
	assert_int_equal(stream.receive_event_payload_type, 97);
	assert_int_equal(stream.receive_noise_payload_type, 13);
	agreed = stream;
	offer(&local, &agreed);
	must_say("m=audio 20000 RTP/AVP 96 9 8 0 13 97 102\r\n");
}

/* ---- RTCP -------------------------------------------------------------------------------- */

static void rtcp_shares_the_port_when_both_can(void **state)
{
	static const struct {
		bool ours;
		const char *line;
		bool mux;
		uint16_t port;
	} rows[] = {
		{false, "", false, 4001},
		{false, "a=rtcp-mux\r\n", false, 4001},
		{true, "", false, 4001},
		{true, "a=rtcp-mux\r\n", true, 4000},
		{true, "a=rtcp:4009\r\n", false, 4009},
		{true, "a=rtcp:4009\r\na=rtcp-mux\r\n", true, 4000},
	};
	struct sdp_local local = local_side();
	char body[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		local.rtcp_mux = rows[i].ours;
		snprintf(body, sizeof(body), AVP "0\r\n%s", rows[i].line);
		for (int answered = 0; answered < 2; answered++) {
			assert_int_equal(
				answered ? answer(body, &local, NULL) : take(body, &local, NULL),
				0);
			assert_int_equal(stream.rtcp_mux, rows[i].mux);
			assert_int_equal(stream.remote_rtcp_port, rows[i].port);
		}
		assert_int_equal(says("a=rtcp-mux\r\n"), rows[i].mux);
	}
}

/* ---- keys -------------------------------------------------------------------------------- */

static void srtp_of_an_offer(void **state)
{
	static const struct {
		const char *offer;
		int suite[3]; /* by enum sdp_srtp; -1: refused */
	} rows[] = {
		{AVP "0\r\n", {0, 0, -1}},
		{HEAD "m=audio 4000 RTP/AVPF 0\r\n", {0, 0, -1}},
		{AVP "0\r\na=crypto:1 " CM_80, {0, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, -1}},
		{AVP "0\r\na=crypto:1 UNKNOWN inline:x\r\n", {0, 0, -1}},
		{SAVP "0\r\n", {-1, -1, -1}},
		{SAVP "0\r\na=crypto:1 UNKNOWN inline:x\r\n", {-1, -1, -1}},
		{SAVP "0\r\na=crypto:1 " CM_80,
			{-1, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, CORD_SRTP_AES_CM_128_HMAC_SHA1_80}},
		{HEAD "m=audio 4000 RTP/SAVPF 0\r\na=crypto:1 " CM_32,
			{-1, CORD_SRTP_AES_CM_128_HMAC_SHA1_32, CORD_SRTP_AES_CM_128_HMAC_SHA1_32}},
		{HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=crypto:1 " CM_80, {-1, -1, -1}},
		{SAVP "0\r\na=crypto:1 " CM_32 "a=crypto:2 " CM_80 "a=crypto:3 " GCM,
			{-1, CORD_SRTP_AEAD_AES_128_GCM, CORD_SRTP_AEAD_AES_128_GCM}},
		{SAVP "0\r\na=crypto:1 " GCM256 "a=crypto:3 " GCM,
			{-1, CORD_SRTP_AEAD_AES_256_GCM, CORD_SRTP_AEAD_AES_256_GCM}},
		/* The line of a session says nothing of a stream (RFC 4568 section 5). */
		{HEAD "a=crypto:1 " CM_80 "m=audio 4000 RTP/SAVP 0\r\n", {-1, -1, -1}},
	};
	struct sdp_local local = local_side();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (local.srtp = SDP_SRTP_OFF; local.srtp <= SDP_SRTP_REQUIRED; local.srtp++) {
			int expected = rows[i].suite[local.srtp];
			int rc = answer(rows[i].offer, &local, NULL);

			if (rc != (expected < 0 ? -ENOTSUP : 0))
				fail_msg("%d with %d for:\n%s", rc, local.srtp, rows[i].offer);
			if (rc == 0)
				assert_int_equal(stream.send_key.suite, expected);
			if (rc == 0)
				assert_int_equal(says("a=crypto:"), expected > 0);
		}
}

static void an_encrypted_line_goes_before_a_plain_one(void **state)
{
	const char *two = AVP "0\r\nm=audio 4002 RTP/SAVP 0\r\na=crypto:4 " CM_80;
	struct sdp_local local = local_side();

	assert_int_equal(answer(two, &local, NULL), 0);
	assert_int_equal(stream.media_index, 0);
	local.srtp = SDP_SRTP_OPTIONAL;
	assert_int_equal(answer(two, &local, NULL), 0);
	assert_int_equal(stream.media_index, 1);
	assert_int_equal(stream.crypto_tag, 4);
	must_say("m=audio 0 RTP/AVP 0\r\nm=audio 20000 RTP/SAVP 0\r\n");
	must_say("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:");
}

static void each_side_has_its_key(void **state)
{
	struct sdp_local local = local_side();

	local.srtp = SDP_SRTP_REQUIRED;
	assert_int_equal(answer(SAVP "0\r\na=crypto:7 " CM_80, &local, NULL), 0);
	assert_int_equal(stream.crypto_tag, 7);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(stream.receive_key.key[i], i);
	assert_memory_equal(&stream.send_key, &origin.keys->key[CORD_SRTP_AES_CM_128_HMAC_SHA1_80],
		sizeof(stream.send_key));
	parse_ours();
	/* What we say is what we send with. */
	assert_int_equal(take(text, &local, &stream), 0);
	assert_memory_equal(&stream.receive_key,
		&origin.keys->key[CORD_SRTP_AES_CM_128_HMAC_SHA1_80], sizeof(stream.receive_key));
	sdes_keys_free(origin.keys);
	origin.keys = NULL;
	assert_int_equal(take(text, &local, &stream), -EINVAL);
	assert_int_equal(answer(SAVP "0\r\na=crypto:7 " CM_80, &local, NULL), -EINVAL);
}

static void srtp_of_our_offer(void **state)
{
	static const struct {
		enum sdp_srtp srtp;
		const char *line;
		bool keys;
	} rows[] = {
		{SDP_SRTP_OFF, "m=audio 20000 RTP/AVP ", false},
		{SDP_SRTP_OPTIONAL, "m=audio 20000 RTP/AVP ", true},
		{SDP_SRTP_REQUIRED, "m=audio 20000 RTP/SAVP ", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdp_local local = local_side();

		local.srtp = (uint8_t)rows[i].srtp;
		offer(&local, NULL);
		must_say(rows[i].line);
		assert_int_equal(says("a=crypto:1 AEAD_AES_256_GCM inline:"), rows[i].keys);
		assert_int_equal(says("a=crypto:2 AEAD_AES_128_GCM inline:"), rows[i].keys);
		assert_int_equal(says("a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:"), rows[i].keys);
		assert_int_equal(says("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"), rows[i].keys);
		assert_false(says("_32"));
	}
}

static void srtp_of_an_answer(void **state)
{
	static const struct {
		const char *answer;
		int suite[3]; /* by enum sdp_srtp; -1: refused */
	} rows[] = {
		{AVP "0\r\n", {0, 0, -1}},
		{AVP "0\r\na=crypto:4 " CM_80, {0, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, -1}},
		{SAVP "0\r\n", {-1, -1, -1}},
		{SAVP "0\r\na=crypto:4 " CM_80,
			{-1, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, CORD_SRTP_AES_CM_128_HMAC_SHA1_80}},
		{SAVP "0\r\na=crypto:2 " GCM,
			{-1, CORD_SRTP_AEAD_AES_128_GCM, CORD_SRTP_AEAD_AES_128_GCM}},
		/* A tag that stands for another suite, one that we did not offer, junk. */
		{SAVP "0\r\na=crypto:1 " CM_80, {-1, -1, -1}},
		{SAVP "0\r\na=crypto:5 " CM_80, {-1, -1, -1}},
		{SAVP "0\r\na=crypto:4 " CM_32, {-1, -1, -1}},
		{AVP "0\r\na=crypto:9 " CM_80, {0, -1, -1}},
		{AVP "0\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:x\r\n", {0, -1, -1}},
	};
	struct sdp_local local = local_side();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (local.srtp = SDP_SRTP_OFF; local.srtp <= SDP_SRTP_REQUIRED; local.srtp++) {
			int expected = rows[i].suite[local.srtp];
			int rc = take(rows[i].answer, &local, NULL);

			if (rc != (expected < 0 ? -ENOTSUP : 0))
				fail_msg("%d with %d for:\n%s", rc, local.srtp, rows[i].answer);
			if (rc == 0)
				assert_int_equal(stream.send_key.suite, expected);
		}
}

static void the_suite_that_runs_is_kept(void **state)
{
	const char *both = SAVP "0\r\na=crypto:1 " GCM "a=crypto:2 " CM_80;
	struct sdp_local local = local_side();
	struct sdp_stream agreed;
	struct cord_srtp_key key;

	local.srtp = SDP_SRTP_REQUIRED;
	assert_int_equal(answer(SAVP "0\r\na=crypto:2 " CM_80, &local, NULL), 0);
	agreed = stream;
	key = stream.send_key;
	assert_int_equal(answer(both, &local, &agreed), 0);
	assert_int_equal(stream.send_key.suite, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_memory_equal(&stream.send_key, &key, sizeof(key));
	/* Our own offer has that one line. */
	offer(&local, &agreed);
	must_say("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:");
	assert_false(says("GCM"));
	/* Another suite is another key; the first comes back with the first. */
	assert_int_equal(answer(SAVP "0\r\na=crypto:1 " GCM, &local, &agreed), 0);
	assert_int_equal(stream.send_key.suite, CORD_SRTP_AEAD_AES_128_GCM);
	assert_memory_not_equal(stream.send_key.key, key.key, 16);
	agreed = stream;
	assert_int_equal(answer(SAVP "0\r\na=crypto:2 " CM_80, &local, &agreed), 0);
	assert_memory_equal(&stream.send_key, &key, sizeof(key));
}

static void encryption_is_never_taken_back(void **state)
{
	static const char *const offers[] = {
		AVP "0\r\n",
		SAVP "0\r\n",
		SAVP "0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY " UNENCRYPTED_SRTP\r\n",
		HEAD "m=audio 0 RTP/SAVP 0\r\na=crypto:1 " CM_80 "m=audio 4000 RTP/AVP 0\r\n",
	};
	struct sdp_local local = local_side();
	struct sdp_stream agreed, before;
	struct sdp_origin said;

	for (local.srtp = SDP_SRTP_OPTIONAL; local.srtp <= SDP_SRTP_REQUIRED; local.srtp++) {
		assert_int_equal(answer(SAVP "0\r\na=crypto:1 " CM_80, &local, NULL), 0);
		agreed = before = stream;
		said = origin;
		for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
			assert_int_equal(answer(offers[i], &local, &agreed), -ENOTSUP);
			assert_int_equal(take(offers[i], &local, &agreed), -ENOTSUP);
			assert_memory_equal(&stream, &before, sizeof(stream));
			assert_memory_equal(&origin, &said, sizeof(origin));
		}
	}
	/* What is plain may become encrypted, and stays plain when we offer. */
	local.srtp = SDP_SRTP_OPTIONAL;
	assert_int_equal(answer(AVP "0\r\n", &local, NULL), 0);
	agreed = stream;
	offer(&local, &agreed);
	assert_false(says("crypto"));
	assert_int_equal(answer(SAVP "0\r\na=crypto:1 " CM_80, &local, &agreed), 0);
	assert_int_equal(stream.send_key.suite, CORD_SRTP_AES_CM_128_HMAC_SHA1_80);
}

static void ours_offer_and_ours_answer_agree(void **state)
{
	static const enum cord_codec codecs[] = {
		CORD_CODEC_PCMU, CORD_CODEC_PCMA, CORD_CODEC_G722, CORD_CODEC_OPUS};

	for (unsigned srtp = SDP_SRTP_OFF; srtp <= SDP_SRTP_REQUIRED; srtp++)
		for (unsigned i = 0; i < 4; i++) {
			static char said[SDP_BYTES_MAX];
			struct sdp_local a = local_side(), b = local_side();
			struct sdp_stream at_b;

			a.srtp = b.srtp = (uint8_t)srtp;
			a.rtcp_mux = b.rtcp_mux = true;
			b.codecs[0] = (uint8_t)codecs[i];
			b.codec_count = 1;
			offer(&a, NULL);
			memcpy(said, text, sizeof(said));
			assert_int_equal(answer(said, &b, NULL), 0);
			at_b = stream;
			memcpy(said, text, sizeof(said));
			assert_int_equal(take(said, &a, NULL), 0);
			assert_int_equal(stream.codec, codecs[i]);
			assert_int_equal(at_b.codec, codecs[i]);
			assert_int_equal(stream.payload_type, at_b.receive_payload_type);
			assert_int_equal(stream.receive_payload_type, at_b.payload_type);
			assert_int_equal(stream.event_clock, at_b.event_clock);
			assert_int_equal(stream.event_clock, sdp_codec(codecs[i])->clock);
			assert_int_equal(
				stream.receive_event_payload_type, at_b.event_payload_type);
			assert_int_equal(
				stream.receive_noise_payload_type, at_b.noise_payload_type);
			assert_int_equal(stream.send_key.suite,
				srtp == SDP_SRTP_OFF ? CORD_SRTP_NONE : CORD_SRTP_AEAD_AES_256_GCM);
			assert_memory_equal(
				&stream.send_key, &at_b.receive_key, sizeof(at_b.receive_key));
			assert_true(stream.rtcp_mux && at_b.rtcp_mux);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(codec_events_and_noise_of_an_offer, fresh),
		cmocka_unit_test_setup(preference_is_ours_or_theirs, fresh),
		cmocka_unit_test_setup(an_answer_says_what_was_taken_and_no_more, fresh),
		cmocka_unit_test_setup(opus_is_sent_as_the_peer_likes_it, fresh),
		cmocka_unit_test_setup(an_offer_has_everything_once, fresh),
		cmocka_unit_test_setup(an_answer_has_numbers_of_its_own, fresh),
		cmocka_unit_test_setup(a_new_offer_keeps_the_numbers, fresh),
		cmocka_unit_test_setup(rtcp_shares_the_port_when_both_can, fresh),
		cmocka_unit_test_setup(srtp_of_an_offer, fresh),
		cmocka_unit_test_setup(an_encrypted_line_goes_before_a_plain_one, fresh),
		cmocka_unit_test_setup(each_side_has_its_key, fresh),
		cmocka_unit_test_setup(srtp_of_our_offer, fresh),
		cmocka_unit_test_setup(srtp_of_an_answer, fresh),
		cmocka_unit_test_setup(the_suite_that_runs_is_kept, fresh),
		cmocka_unit_test_setup(encryption_is_never_taken_back, fresh),
		cmocka_unit_test_setup(ours_offer_and_ours_answer_agree, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
