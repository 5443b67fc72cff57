/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_repeated(const struct raw_peer *peer, const char *bytes, size_t n)
{
	for (unsigned i = 0; i < peer->count; i++)
		if (peer->message[i].raw.n == n && memcmp(peer->text[i], bytes, n) == 0)
			return true;
	return false;
}

static bool keep(struct sim *sim, int from, const char *bytes, size_t n)
{
	struct raw_peer *peer = sim->tap_ctx;
	struct sip_outcome outcome;

	if (from == 0 || is_repeated(peer, bytes, n))
		return false;
	assert_in_range(peer->count, 0, RAW_KEPT - 1);
	assert_in_range(n, 0, sizeof(peer->text[0]) - 1);
	memcpy(peer->text[peer->count], bytes, n);
	peer->text[peer->count][n] = '\0';
	assert_int_equal(sip_message_parse(&peer->message[peer->count], peer->text[peer->count], n,
				 SIP_STREAM, &outcome),
		SIP_ACCEPT);
	peer->count++;
	return false;
}

void raw_start(struct raw_peer *peer, struct sim *sim)
{
	memset(peer, 0, sizeof(*peer));
	peer->sim = sim;
	strcpy(peer->call_id, "raw@10.0.0.1");
	sim->tap = keep;
	sim->tap_ctx = peer;
}

void raw_send(struct raw_peer *peer, const char *method, const char *uri, uint32_t cseq,
	const char *extra, const char *type, const char *body)
{
	char text[8192];

	if (!cseq)
		cseq = ++peer->cseq;
	snprintf(text, sizeof(text),
		"%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKraw%u\r\n"
		"%s"
		"From: \"Raw\" <sip:raw@10.0.0.1>;tag=rawtag\r\n"
		"To: <sip:100@10.0.0.2>%s%s\r\n"
		"Call-ID: %s\r\n"
		"CSeq: %u %s\r\n"
		"%s%s%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		method, uri, ++peer->branch,
		strstr(extra, "Max-Forwards") ? "" : "Max-Forwards: 70\r\n",
		peer->to_tag[0] ? ";tag=" : "", peer->to_tag, peer->call_id, cseq, method, extra,
		type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	sim_inject(peer->sim, 0, text);
}

void raw_request(struct raw_peer *peer, const char *method, const char *extra, const char *type,
	const char *body)
{
	char lines[4096];

	snprintf(lines, sizeof(lines), "Contact: <sip:raw@10.0.0.1:5060>\r\n%s", extra);
	raw_send(peer, method, "sip:100@10.0.0.2", 0, lines, type, body);
}

void raw_ack(struct raw_peer *peer, const char *body)
{
	raw_send(peer, "ACK", "sip:100@10.0.0.2", peer->cseq, "", body ? "application/sdp" : NULL,
		body);
}

static const struct sip_message *next(struct raw_peer *peer)
{
	const struct sip_message *message;

	sim_run(peer->sim, 50 * SIM_MS);
	if (peer->seen == peer->count)
		fail_msg("nothing came");
	message = &peer->message[peer->seen++];
	if (!message->request && message->to_tag.n < sizeof(peer->to_tag) &&
		message->status < 300 && message->method == SIP_METHOD_INVITE && message->to_tag.n)
		assert_int_equal(str_copy(message->to_tag, peer->to_tag, sizeof(peer->to_tag)), 0);
	return message;
}

const struct sip_message *raw_expect(struct raw_peer *peer, unsigned status)
{
	const struct sip_message *message = next(peer);

	if (message->request || message->status != status)
		fail_msg("expected %u, got\n%.*s", status, STR_ARG(message->raw));
	return message;
}

const struct sip_message *raw_expect_request(struct raw_peer *peer, enum sip_method method)
{
	const struct sip_message *message = next(peer);

	if (!message->request || message->method != method)
		fail_msg("expected %s, got\n%.*s", sip_method_name(method), STR_ARG(message->raw));
	return message;
}

void raw_expect_nothing(struct raw_peer *peer)
{
	sim_run(peer->sim, 50 * SIM_MS);
	if (peer->seen != peer->count)
		fail_msg("expected nothing, got\n%s", peer->text[peer->seen]);
}

void raw_respond(struct raw_peer *peer, const struct sip_message *request, unsigned status,
	const char *tag, const char *extra, const char *body)
{
	char bytes[8192];
	struct sip_builder b = sip_build(bytes, sizeof(bytes) - 1);
	int n;

	sip_build_response(&b, request,
		&(struct sip_response){.status = (uint16_t)status, .to_tag = str_from(tag)});
	if (request->method == SIP_METHOD_INVITE && status > 100 && status < 300 &&
		!strstr(extra, "Contact:"))
		sip_build_value(&b, SIP_HEADER_CONTACT, STR("<sip:raw@10.0.0.1:5060>"));
	sip_build_lines(&b, str_from(extra));
	n = sip_build_finish(&b, STR("application/sdp"), str_from(body));
	assert_true(n > 0);
	bytes[n] = '\0';
	sim_inject(peer->sim, 0, bytes);
}

const char *raw_sdp(const char *address, unsigned port, const char *formats, const char *lines)
{
	static char text[2048];
	static unsigned version;

	snprintf(text, sizeof(text),
		"v=0\r\no=- 1 %u IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		"m=audio %u RTP/AVP %s\r\n%s",
		++version, address, port, formats, lines);
	return text;
}
