/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes SIP messages into a buffer of the caller, and never past its end: a message that does not
 * fit makes the builder fail, which the final sip_build_finish() reports. Calls after a failure do
 * nothing, so only the end needs a check.
 *
 *     struct sip_builder b = sip_build(buffer, sizeof(buffer));
 *     sip_build_response(&b, request, &(struct sip_response){.status = 200, .to_tag = tag});
 *     sip_build_value(&b, SIP_HEADER_CONTACT, contact);
 *     length = sip_build_finish(&b, STR("application/sdp"), body);
 *
 * A line break inside any text that is written becomes a space: a fold of a received header is
 * unfolded, and no text can smuggle in a header of its own.
 */
#pragma once

#include "sip/message.h"

struct sip_builder {
	char *buffer;
	size_t size;
	size_t length;
	bool failed;
};

struct sip_builder sip_build(char *buffer, size_t size);

/* The start line of a request. */
void sip_build_request(struct sip_builder *builder, struct str method, struct str uri);

struct sip_response {
	uint16_t status;
	struct str reason;   /* empty: the standard phrase */
	struct str to_tag;   /* added when the request's To has no tag; empty: none is added */
	struct str received; /* source address, added to the top Via; empty: not added */
	uint16_t rport;      /* source port, filled in when the top Via has rport */
};

/*
 * Start line and the headers that a response copies from its request (RFC 3261 section 8.2.6.2):
 * all Via in order (the top one with received and rport), From, To with the tag, Call-ID, CSeq, and
 * Record-Route for 101 to 299 when the request could create a dialog. Works for a request that was
 * SIP_REJECTed: what it lacks, the response lacks.
 */
void sip_build_response(struct sip_builder *builder, const struct sip_message *request,
	const struct sip_response *response);

/* One Via: "SIP/2.0/UDP host:port;branch=…;rport". port 0 writes none. */
void sip_build_via(struct sip_builder *builder, enum sip_transport_kind transport, struct str host,
	uint16_t port, struct str branch, bool rport);

/* A header of a known kind, of any name. */
void sip_build_value(struct sip_builder *builder, enum sip_header_kind kind, struct str value);
void sip_build_named(struct sip_builder *builder, struct str name, struct str value);
void sip_build_format(struct sip_builder *builder, enum sip_header_kind kind, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/*
 * From, To, Contact: [display] <uri>[;tag=…][params]. The display name is quoted and escaped here;
 * display, tag and params (with their ';') may be empty.
 */
void sip_build_address(struct sip_builder *builder, enum sip_header_kind kind, struct str display,
	struct str uri, struct str tag, struct str params);

/* All fields of a kind as they stand in a message. */
void sip_build_copy(
	struct sip_builder *builder, const struct sip_message *message, enum sip_header_kind kind);

/* The route set as Route headers are copied one value each: sip_build_value with SIP_HEADER_ROUTE.
 */

/* Raw bytes of complete header lines ("Name: value\r\n"), as the caller's own extra headers. */
void sip_build_lines(struct sip_builder *builder, struct str lines);

/*
 * Content-Type when there is a body, Content-Length, the empty line and the body. Returns the
 * length of the message, -ENOSPC when the buffer was too small, -EMSGSIZE above
 * SIP_MESSAGE_BYTES_MAX.
 */
int sip_build_finish(struct sip_builder *builder, struct str content_type, struct str body);

/* The standard reason phrase of a status; that of its class for an unknown one. */
const char *sip_status_reason(unsigned status);
