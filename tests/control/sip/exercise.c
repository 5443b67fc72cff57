/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise.h"

#include "base/check.h"
#include "sip/build.h"
#include "sip/digest.h"
#include "sip/framing.h"
#include "sip/offer_answer.h"
#include "sip/refer.h"

#include <string.h>

static struct sip_message message, again;
static char buffer[SIP_MESSAGE_BYTES_MAX + 1];

static void read_uri(const struct sip_uri *uri)
{
	char text[64];
	struct str value;

	sip_uri_user(uri, text, sizeof(text));
	sip_uri_number(uri, text, sizeof(text));
	sip_uri_param(uri, "transport", &value);
	sip_uri_header(uri, "Replaces", &value);
	CHECK(uri->text.n == 0 || sip_uri_equal(uri, uri));
	CHECK(sip_uri_port(uri) > 0);
}

static void read_address(const struct sip_address *address)
{
	char text[64];
	uint32_t seconds;
	unsigned q;

	sip_address_display(address, text, sizeof(text));
	sip_address_tag(address);
	sip_address_expires(address, &seconds);
	sip_address_q(address, &q);
	read_uri(&address->uri);
}

static void read_value(struct str value)
{
	struct sip_address address;
	struct sip_via via;
	struct sip_cseq cseq;
	struct sip_credentials credentials;
	struct sip_content_type content;
	struct sip_session_expires expires;
	struct sip_reason reason;
	struct sip_replaces replaces;
	struct sip_info info;
	struct sip_uri uri;
	uint32_t number;
	uint8_t hops;
	char text[32];
	size_t n;

	if (sip_address_parse(&address, value) == 0)
		read_address(&address);
	if (sip_via_parse(&via, value) == 0)
		sip_via_has_cookie(&via);
	if (sip_uri_parse(&uri, value) == 0)
		read_uri(&uri);
	if (sip_credentials_parse(&credentials, value) == 0)
		CHECK(credentials.scheme.n > 0);
	sip_cseq_parse(&cseq, value);
	sip_content_type_parse(&content, value);
	sip_session_expires_parse(&expires, value);
	sip_reason_parse(&reason, value);
	sip_replaces_parse(&replaces, value);
	sip_info_parse(&info, value);
	sip_call_id_parse(value);
	sip_token_parse(value);
	sip_max_forwards_parse(&hops, value);
	sip_content_length_parse(&number, value);
	sip_seconds_parse(&number, value);
	sip_retry_after_parse(&number, value);
	sip_unquote(value, text, sizeof(text), &n);
	sip_unescape(value, text, sizeof(text), &n);
}

static void read_headers(void)
{
	for (unsigned kind = 0; kind < SIP_HEADER_OTHER; kind++) {
		struct sip_values values = sip_values(&message, (enum sip_header_kind)kind);
		struct str value;

		while (sip_values_next(&values, &value) > 0)
			read_value(value);
		sip_message_count(&message, (enum sip_header_kind)kind);
		sip_message_lists(&message, (enum sip_header_kind)kind, "timer");
	}
	for (unsigned i = 0; i < message.header_count; i++) {
		read_value(message.headers[i].value);
		sip_message_header_next(&message, &message.headers[i]);
	}
	sip_message_header_named(&message, "X-Unknown");
	sip_message_body_is(&message, "application", "sdp");
}

static void read_refer(void)
{
	static struct sip_refer refer;
	const char *problem = NULL;

	if (sip_refer_parse(&message, &refer, &problem) < 0)
		CHECK(problem);
	else
		CHECK(refer.user[0] || refer.has_replaces);
}

/* What a refusal in overload relies on, before the rest is parsed. */
static void check_begun(void)
{
	CHECK(message.via_count > 0 && message.via.host.n > 0 && message.call_id.n > 0);
	CHECK(message.from.uri.text.n > 0 && message.to.uri.text.n > 0);
	CHECK(message.cseq.number <= SIP_CSEQ_MAX && message.method_name.n > 0);
}

/* What was accepted has all that its users rely on. */
static void check_accepted(void)
{
	check_begun();
	CHECK(message.request ? message.uri.text.n > 0
			      : message.status >= 100 && message.status <= 699);
}

static void build_response(size_t size)
{
	struct sip_builder b = sip_build(buffer, size);
	const struct sip_response response = {
		.status = 200, .to_tag = STR("t"), .received = STR("2001:db8::1"), .rport = 5060};
	struct sip_outcome outcome;
	int n;

	sip_build_response(&b, &message, &response);
	sip_build_copy(&b, &message, SIP_HEADER_CONTACT);
	n = sip_build_finish(&b, STR("text/plain"), message.body);
	CHECK(b.length <= size);
	if (n <= 0)
		return;
	sip_message_parse(&again, buffer, (size_t)n, SIP_STREAM, &outcome);
	if (sip_message_header(&message, SIP_HEADER_VIA) && message.via_count > 0 &&
		outcome.verdict == SIP_ACCEPT)
		CHECK(again.via_count == message.via_count);
}

static int lookup(void *context, struct str user, struct str realm, enum digest_algorithm algorithm,
	char *out)
{
	return digest_ha1(algorithm, user, realm, STR("secret"), out);
}

static void authenticate(void)
{
	static struct digest_server *server;
	static const uint8_t key[32] = {1};
	const struct digest_account account = {.user = STR("u"), .password = STR("p")};
	enum sip_header_kind kind;
	struct str user;

	if (!server)
		server = digest_server_new(key);
	digest_verify(server, &message, SIP_HEADER_AUTHORIZATION, STR("example.com"), STR("s"),
		1000, lookup, NULL, &user);
	digest_answer(&message, &account, STR("INVITE"), STR("sip:a"), STR_NULL, 1, STR("c"), &kind,
		buffer, 512);
}

static void frame(const char *bytes, size_t length)
{
	size_t scanned = 0;

	for (size_t at = 0; at < length;) {
		struct sip_frame f = sip_frame_next(bytes + at, length - at, &scanned);

		CHECK(f.bytes <= length - at);
		if (f.bytes == 0)
			break;
		at += f.bytes;
		scanned = 0;
	}
}

void exercise_message(const char *bytes, size_t length)
{
	struct sip_outcome outcome;
	enum sip_verdict verdict;
	struct sip_parse parse;
	bool begun;

	frame(bytes, length);
	begun = sip_message_begin(&parse, &message, bytes, length, SIP_DATAGRAM);
	if (begun) {
		check_begun();
		build_response(sizeof(buffer));
	}
	verdict = sip_message_finish(&parse, &outcome);
	CHECK(outcome.reason && (begun || verdict != SIP_ACCEPT));
	read_headers();
	read_refer();
	exercise_sdp(message.body.p, message.body.n);
	if (verdict == SIP_ACCEPT)
		check_accepted();
	if (verdict == SIP_REJECT)
		CHECK(outcome.status >= 400 && message.request && message.via.host.n > 0);
	if (verdict == SIP_DROP)
		return;
	authenticate();
	build_response(sizeof(buffer));
	build_response(100);
	build_response(length);
}

static void exercise_offer(
	const struct sdp *sdp, const struct sdp_local *local, const struct sdp_stream *agreed)
{
	static struct sdp written;
	static struct sdp_origin origin;
	struct sdp_stream stream;
	struct strbuf out;
	const char *problem = NULL;
	int rc;

	if (!origin.keys) {
		struct random random;

		random_init_seed(&random, 1);
		origin.keys = sdes_keys_new(&random);
		CHECK(origin.keys);
	}
	sdp_take_answer(sdp, local, agreed, &origin, &stream);
	strbuf_init(&out, buffer, sizeof(buffer));
	rc = sdp_answer(sdp, local, agreed, &origin, &out, &stream);
	if (rc < 0)
		return;
	CHECK(stream.remote.udp_port > 0 && stream.ptime_ms >= SDP_PTIME_MS_MIN);
	CHECK(local->srtp != SDP_SRTP_REQUIRED || stream.send_key.suite != CORD_SRTP_NONE);
	CHECK(!agreed || stream.send_key.suite != CORD_SRTP_NONE);
	CHECK(out.n > SDP_BYTES_MAX || (sdp_parse(&written, strbuf_str(&out), &problem) == 0 &&
					       written.media_count == sdp->media_count));
	strbuf_init(&out, buffer, sizeof(buffer));
	sdp_offer(local, sdp, &stream, &origin, &out);
}

void exercise_sdp(const char *bytes, size_t length)
{
	static struct sdp sdp;
	struct sdp_local local = {
		.address = {.family = CORD_FAMILY_IPV4, .udp_port = 20000, .ip = {192, 0, 2, 1}},
		.codecs = {CORD_CODEC_PCMU, CORD_CODEC_OPUS, CORD_CODEC_PCMA, CORD_CODEC_G722},
		.codec_count = 4,
		.events = true,
		.comfort_noise = true,
		.rtcp_mux = true,
		.opus_fec = true,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE};
	const struct sdp_stream secured = {.send_key = {.suite = CORD_SRTP_AES_CM_128_HMAC_SHA1_80},
		.crypto_tag = 1,
		.codec = CORD_CODEC_OPUS,
		.receive_payload_type = 101};
	const char *problem = NULL;

	if (sdp_parse(&sdp, str_make(bytes, length), &problem) < 0) {
		CHECK(problem);
		return;
	}
	for (unsigned i = 0; i < sdp.media_count; i++)
		sdp_attribute(&sdp, &sdp.media[i], "rtpmap", NULL);
	sdp_attribute(&sdp, NULL, "group", NULL);
	for (local.srtp = SDP_SRTP_OFF; local.srtp <= SDP_SRTP_REQUIRED; local.srtp++) {
		exercise_offer(&sdp, &local, NULL);
		if (local.srtp != SDP_SRTP_OFF)
			exercise_offer(&sdp, &local, &secured);
	}
}
