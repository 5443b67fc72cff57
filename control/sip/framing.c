/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/framing.h"

#include "sip/message.h"

#include <string.h>

static struct sip_frame frame(enum sip_frame_kind kind, size_t bytes, const char *reason)
{
	return (struct sip_frame){.kind = kind, .bytes = bytes, .reason = reason};
}

/* Line ends before the start line. False when a start line stands at the front. */
static bool keep_alive(const char *bytes, size_t length, struct sip_frame *out)
{
	if (!bytes || length == 0 || (length < 4 && memcmp(bytes, "\r\n\r", length) == 0))
		*out = frame(SIP_FRAME_MORE, 0, NULL);
	else if (length >= 4 && memcmp(bytes, "\r\n\r\n", 4) == 0)
		*out = frame(SIP_FRAME_PING, 4, NULL);
	else if (length >= 2 && memcmp(bytes, "\r\n", 2) == 0)
		*out = frame(SIP_FRAME_PONG, 2, NULL);
	else if (bytes[0] == '\r' || bytes[0] == '\n')
		*out = frame(SIP_FRAME_BROKEN, 0, "bare CR or LF");
	else
		return false;
	return true;
}

/* The end of the header section, its empty line included, or NULL. */
static const char *headers_end(const char *bytes, size_t length, size_t *scanned)
{
	size_t from = scanned && *scanned > 3 ? *scanned - 3 : 0;
	const char *found = memmem(bytes + from, length - from, "\r\n\r\n", 4);

	if (scanned)
		*scanned = length;
	return found ? found + 4 : NULL;
}

static bool is_length_line(struct str line, struct str *value)
{
	struct sip_scan scan = sip_scan(line);
	struct str name;

	if (!sip_scan_token(&scan, &name) || sip_header_kind(name) != SIP_HEADER_CONTENT_LENGTH)
		return false;
	while (sip_scan_char(&scan, ' ') || sip_scan_char(&scan, '\t'))
		;
	if (!sip_scan_char(&scan, ':'))
		return false;
	*value = str_trim(str_make(scan.at, (size_t)(scan.end - scan.at)));
	return true;
}

static const char *read_length(struct str headers, uint32_t *length)
{
	const char *at = headers.p, *end = headers.p + headers.n;
	struct str value;
	bool found = false;

	while (at < end) {
		const char *start = at, *stop;

		do {
			stop = memmem(at, (size_t)(end - at), "\r\n", 2);
			at = stop ? stop + 2 : end;
		} while (stop && at < end && (*at == ' ' || *at == '\t'));
		if (!is_length_line(str_make(start, (size_t)((stop ? stop : end) - start)), &value))
			continue;
		if (found)
			return "Content-Length stands twice";
		if (sip_content_length_parse(length, value) < 0)
			return "bad Content-Length";
		found = true;
	}
	return found ? NULL : "missing Content-Length";
}

struct sip_frame sip_frame_next(const char *bytes, size_t length, size_t *scanned)
{
	struct sip_frame out;
	const char *end, *reason;
	size_t headers;
	uint32_t body = 0;

	if (keep_alive(bytes, length, &out))
		return out;
	end = headers_end(bytes, length, scanned);
	if (!end)
		return length >= SIP_MESSAGE_BYTES_MAX
			       ? frame(SIP_FRAME_BROKEN, 0, "header section too long")
			       : frame(SIP_FRAME_MORE, 0, NULL);
	headers = (size_t)(end - bytes);
	reason = read_length(str_make(bytes, headers - 2), &body);
	if (reason)
		return frame(SIP_FRAME_BROKEN, 0, reason);
	if (headers + body > SIP_MESSAGE_BYTES_MAX)
		return frame(SIP_FRAME_BROKEN, 0, "message too large");
	if (headers + body <= length)
		return frame(SIP_FRAME_MESSAGE, headers + body, NULL);
	/* So that the end of the headers is found again, at once, when more has come. */
	if (scanned)
		*scanned = headers - 1;
	return frame(SIP_FRAME_MORE, 0, NULL);
}
