/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sip_builder sip_build(char *buffer, size_t size)
{
	return (struct sip_builder){.buffer = buffer, .size = size};
}

static void raw(struct sip_builder *b, struct str text)
{
	if (b->failed || text.n > b->size - b->length) {
		b->failed = true;
		return;
	}
	if (text.n > 0)
		memcpy(b->buffer + b->length, text.p, text.n);
	b->length += text.n;
}

static void string(struct sip_builder *b, const char *text)
{
	raw(b, str_from(text));
}

static void blank(char *at, const char *end, char c)
{
	while (at < end && (at = memchr(at, c, (size_t)(end - at))))
		*at++ = ' ';
}

static void unfold(struct sip_builder *b, size_t from)
{
	const char *end = b->buffer + b->length;

	blank(b->buffer + from, end, '\r');
	blank(b->buffer + from, end, '\n');
}

/* Text of others: line breaks become spaces. */
static void line(struct sip_builder *b, struct str text)
{
	size_t from = b->length;

	raw(b, text);
	unfold(b, from);
}

static void number(struct sip_builder *b, unsigned long value)
{
	char digits[24];
	struct strbuf text;

	strbuf_init(&text, digits, sizeof(digits));
	strbuf_u64(&text, value);
	raw(b, strbuf_str(&text));
}

static void name(struct sip_builder *b, enum sip_header_kind kind)
{
	string(b, sip_header_name(kind));
	string(b, ": ");
}

void sip_build_request(struct sip_builder *builder, struct str method, struct str uri)
{
	line(builder, method);
	string(builder, " ");
	line(builder, uri);
	string(builder, " SIP/2.0\r\n");
}

static void status_line(struct sip_builder *b, const struct sip_response *response)
{
	string(b, "SIP/2.0 ");
	number(b, response->status);
	string(b, " ");
	if (response->reason.n > 0)
		line(b, response->reason);
	else
		string(b, sip_status_reason(response->status));
	string(b, "\r\n");
}

/* The top Via with what only we know: where the request came from (RFC 3261 18.2.1, RFC 3581). */
static void top_via(struct sip_builder *b, struct str value, struct str params,
	const struct sip_response *response)
{
	struct str n, v;

	name(b, SIP_HEADER_VIA);
	line(b, str_head(value, (size_t)(params.p - value.p)));
	while (sip_param_next(&params, &n, &v)) {
		bool rport = str_equal_nocase_text(n, "rport") && response->rport;

		if (str_equal_nocase_text(n, "received") && response->received.n > 0)
			continue;
		string(b, ";");
		raw(b, n);
		if (rport || v.n > 0)
			string(b, "=");
		if (rport)
			number(b, response->rport);
		else
			line(b, v);
	}
	if (response->received.n > 0) {
		string(b, ";received=");
		line(b, response->received);
	}
	string(b, "\r\n");
}

static void vias(struct sip_builder *b, const struct sip_message *request,
	const struct sip_response *response)
{
	struct sip_values values = sip_values(request, SIP_HEADER_VIA);
	const struct sip_header *header;
	struct str value;

	if (!request->via.params.p || sip_values_next(&values, &value) <= 0) {
		sip_build_copy(b, request, SIP_HEADER_VIA);
		return;
	}
	top_via(b, value, request->via.params, response);
	if (values.rest.p)
		sip_build_value(b, SIP_HEADER_VIA, str_trim(values.rest));
	for (header = sip_message_header_next(request, values.header); header;
		header = sip_message_header_next(request, header))
		sip_build_value(b, SIP_HEADER_VIA, header->value);
}

static void to(struct sip_builder *b, const struct sip_message *request, struct str tag)
{
	const struct sip_header *header = sip_message_header(request, SIP_HEADER_TO);

	if (!header)
		return;
	name(b, SIP_HEADER_TO);
	line(b, header->value);
	if (tag.n > 0 && request->to_tag.n == 0 && request->to.uri.text.n > 0) {
		string(b, ";tag=");
		line(b, tag);
	}
	string(b, "\r\n");
}

static bool creates_dialog(uint8_t method)
{
	return method == SIP_METHOD_INVITE || method == SIP_METHOD_SUBSCRIBE ||
	       method == SIP_METHOD_REFER;
}

void sip_build_response(struct sip_builder *builder, const struct sip_message *request,
	const struct sip_response *response)
{
	status_line(builder, response);
	vias(builder, request, response);
	sip_build_copy(builder, request, SIP_HEADER_FROM);
	to(builder, request, response->to_tag);
	sip_build_copy(builder, request, SIP_HEADER_CALL_ID);
	sip_build_copy(builder, request, SIP_HEADER_CSEQ);
	if (response->status > 100 && response->status < 300 && creates_dialog(request->method))
		sip_build_copy(builder, request, SIP_HEADER_RECORD_ROUTE);
}

void sip_build_via(struct sip_builder *builder, enum sip_transport_kind transport, struct str host,
	uint16_t port, struct str branch, bool rport)
{
	name(builder, SIP_HEADER_VIA);
	string(builder, "SIP/2.0/");
	string(builder, sip_transport_name(transport));
	string(builder, " ");
	line(builder, host);
	if (port) {
		string(builder, ":");
		number(builder, port);
	}
	string(builder, ";branch=");
	line(builder, branch);
	string(builder, rport ? ";rport\r\n" : "\r\n");
}

void sip_build_value(struct sip_builder *builder, enum sip_header_kind kind, struct str value)
{
	sip_build_named(builder, str_from(sip_header_name(kind)), value);
}

void sip_build_named(struct sip_builder *builder, struct str header, struct str value)
{
	line(builder, header);
	string(builder, ": ");
	line(builder, value);
	string(builder, "\r\n");
}

void sip_build_format(
	struct sip_builder *builder, enum sip_header_kind kind, const char *format, ...)
{
	va_list args;
	size_t from, room;
	int n;

	name(builder, kind);
	if (builder->failed)
		return;
	from = builder->length;
	room = builder->size - from;
	va_start(args, format);
	n = vsnprintf(builder->buffer + from, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		builder->failed = true;
		return;
	}
	builder->length += (size_t)n;
	unfold(builder, from);
	string(builder, "\r\n");
}

static void quoted(struct sip_builder *b, struct str text)
{
	string(b, "\"");
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			continue;
		if (c == '"' || c == '\\')
			string(b, "\\");
		raw(b, str_make(text.p + i, 1));
	}
	string(b, "\" ");
}

void sip_build_address(struct sip_builder *builder, enum sip_header_kind kind, struct str display,
	struct str uri, struct str tag, struct str params)
{
	name(builder, kind);
	if (display.n > 0)
		quoted(builder, display);
	string(builder, "<");
	line(builder, uri);
	string(builder, ">");
	if (tag.n > 0) {
		string(builder, ";tag=");
		line(builder, tag);
	}
	line(builder, params);
	string(builder, "\r\n");
}

void sip_build_copy(
	struct sip_builder *builder, const struct sip_message *message, enum sip_header_kind kind)
{
	const struct sip_header *header = sip_message_header(message, kind);

	for (; header; header = sip_message_header_next(message, header))
		sip_build_value(builder, kind, header->value);
}

void sip_build_lines(struct sip_builder *builder, struct str lines)
{
	raw(builder, lines);
}

int sip_build_finish(struct sip_builder *builder, struct str content_type, struct str body)
{
	if (body.n > 0)
		sip_build_value(builder, SIP_HEADER_CONTENT_TYPE, content_type);
	name(builder, SIP_HEADER_CONTENT_LENGTH);
	number(builder, body.n);
	string(builder, "\r\n\r\n");
	raw(builder, body);
	if (builder->failed)
		return -ENOSPC;
	return builder->length > SIP_MESSAGE_BYTES_MAX ? -EMSGSIZE : (int)builder->length;
}

static const struct {
	uint16_t status;
	const char *reason;
} reasons[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{200, "OK"},
	{202, "Accepted"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
};

const char *sip_status_reason(unsigned status)
{
	static const char *const classes[] = {"Unknown", "Progress", "OK", "Redirection",
		"Request Failed", "Server Failed", "Failed Everywhere"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return classes[status / 100 <= 6 ? status / 100 : 0];
}
