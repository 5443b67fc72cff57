/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A received SIP message: zero-copy, strict (RFC 3261; the cases of RFC 4475 are the test table)
 * but where peers are known to err and no harm is in it: host names, display names, Contact.
 *
 * sip_message_parse() splits the buffer, checks what every element has to check before it acts, and
 * says what to do with the message:
 *
 *   SIP_ACCEPT  well-formed: start line, all Via, From, To, Call-ID, CSeq (and its method),
 *               Max-Forwards, Content-Length, Content-Type, Route and Record-Route are valid, so
 *               is Contact of INVITE and REGISTER, nothing that may stand once stands twice, and
 *               the body is complete.
 *   SIP_REJECT  a request to be answered with outcome.status and outcome.reason. The top Via has a
 *               usable sent-by, and build.h can build the response from what is there.
 *   SIP_DROP    nothing may be sent: a bad response, a bad ACK, no usable Via, not SIP.
 *
 * It does so in two halves, because a call that is refused for want of time should cost little:
 * sip_message_begin() splits, and checks what says which request it is and goes into any response
 * (method, Via, From, To, Call-ID, CSeq); sip_message_finish() checks all the rest.
 *
 * All other headers are parsed when asked for (values are found by kind, split at commas, and given
 * to the parser of their noun). What the user agent decides is not the parser's: 416 for an unknown
 * scheme of the Request-URI, 420 for Require, 415 for the body, 405 and 501 for the method.
 *
 * Slices point into the buffer, which the caller keeps unchanged as long as the message is used.
 */
#pragma once

#include "sip/address.h"
#include "sip/credentials.h"
#include "sip/header.h"
#include "sip/uri.h"
#include "sip/value.h"
#include "sip/via.h"

#define SIP_MESSAGE_BYTES_MAX 65535 /* headers and body together; more is 513 */
#define SIP_HEADER_BYTES_MAX  16384 /* one header field with its name */
#define SIP_HEADERS_MAX       192   /* header fields of a message */
#define SIP_VALUES_MAX        256   /* values of one list header over all its fields */

enum sip_framing {
	SIP_DATAGRAM, /* Content-Length may be absent; bytes after the body are ignored */
	SIP_STREAM,   /* Content-Length must be there; the buffer holds exactly one message */
};

enum sip_verdict {
	SIP_ACCEPT,
	SIP_REJECT,
	SIP_DROP,
};

struct sip_outcome {
	uint8_t verdict;    /* enum sip_verdict */
	uint16_t status;    /* SIP_REJECT: 400, 505 or 513 */
	const char *reason; /* what is wrong: the reason phrase of a response, or for the log */
};

struct sip_message {
	bool request;
	bool has_max_forwards;
	uint8_t method;       /* enum sip_method; of a response: the method of its CSeq */
	uint8_t max_forwards; /* 70 when absent */
	uint16_t status;      /* responses: 100 to 699 */
	uint16_t header_count;
	uint16_t via_count; /* Via values */
	struct str method_name;
	struct sip_uri uri; /* requests: the Request-URI */
	struct str reason;  /* responses: may be empty */
	struct sip_via via; /* the top one */
	struct sip_address from;
	struct sip_address to;
	struct str from_tag; /* empty: none */
	struct str to_tag;   /* empty: none */
	struct str call_id;
	struct sip_cseq cseq;
	struct str body;
	struct str raw;                  /* from start line to end of body */
	uint8_t first[SIP_HEADER_OTHER]; /* index + 1 of the first header of a kind, 0: none */
	struct sip_header headers[SIP_HEADERS_MAX];
};

/* A message on its way through the checks. */
struct sip_parse {
	struct sip_message *message;
	struct sip_scan scan;
	enum sip_framing framing;
	bool is_sip;
	uint16_t status; /* of the first problem, which decides; 0: none so far */
	const char *reason;
	struct str uri; /* of a request: not looked at yet */
	bool has_length;
	uint32_t length;
};

/* True when nothing is wrong so far: a response can be built, and sip_message_finish() be left out. */
bool sip_message_begin(struct sip_parse *parse, struct sip_message *message, const char *bytes,
	size_t length, enum sip_framing framing);
enum sip_verdict sip_message_finish(struct sip_parse *parse, struct sip_outcome *outcome);

/*
 * Both halves. Returns outcome->verdict. Empty lines before the start line are skipped.
 * message is valid for SIP_ACCEPT and, for building a response only, for SIP_REJECT.
 */
enum sip_verdict sip_message_parse(struct sip_message *message, const char *bytes, size_t length,
	enum sip_framing framing, struct sip_outcome *outcome);

const char *sip_verdict_name(enum sip_verdict verdict);

/* The first header of a kind, or NULL. */
const struct sip_header *sip_message_header(
	const struct sip_message *message, enum sip_header_kind kind);

/* The next header of the same kind (for SIP_HEADER_OTHER: of the same name), or NULL. */
const struct sip_header *sip_message_header_next(
	const struct sip_message *message, const struct sip_header *header);

/* The first header of any name (long form), known kinds too, or NULL. */
const struct sip_header *sip_message_header_named(
	const struct sip_message *message, const char *name);

/*
 * Walks the values of a list header through all its fields.
 *
 *     struct sip_values values = sip_values(message, SIP_HEADER_CONTACT);
 *     while ((rc = sip_values_next(&values, &value)) > 0)
 *             ...
 *
 * sip_values_next() gives 1 with a trimmed value, 0 at the end, -EBADMSG for an empty value or
 * unbalanced quotes or brackets, -E2BIG beyond SIP_VALUES_MAX.
 */
struct sip_values {
	const struct sip_message *message;
	const struct sip_header *header;
	struct str rest;
	uint16_t count;
	uint8_t kind;
};
struct sip_values sip_values(const struct sip_message *message, enum sip_header_kind kind);
int sip_values_next(struct sip_values *values, struct str *value);

/* The number of values of a list header, or a negative errno. */
int sip_message_count(const struct sip_message *message, enum sip_header_kind kind);

/*
 * The values that are parsed most. All give 0 and the value, -ENOENT when the header (or the value
 * of that index) is absent, -EBADMSG or -ERANGE when it is malformed.
 */
int sip_message_via(const struct sip_message *message, unsigned index, struct sip_via *via);
int sip_message_address(const struct sip_message *message, enum sip_header_kind kind,
	unsigned index, struct sip_address *address);
int sip_message_seconds(
	const struct sip_message *message, enum sip_header_kind kind, uint32_t *seconds);
int sip_message_session_expires(const struct sip_message *message, enum sip_header_kind kind,
	struct sip_session_expires *expires); /* SIP_HEADER_SESSION_EXPIRES or SIP_HEADER_MIN_SE */
int sip_message_content_type(
	const struct sip_message *message, struct sip_content_type *content_type);
int sip_message_reason(
	const struct sip_message *message, unsigned index, struct sip_reason *reason);

/* True when the list header (Supported, Require, Allow, …) has this token, without regard to case.
 */
bool sip_message_lists(
	const struct sip_message *message, enum sip_header_kind kind, const char *token);

/* True when the body is of this type, "application", "sdp"; false without a body. */
bool sip_message_body_is(const struct sip_message *message, const char *type, const char *subtype);
/*
 * The body when it is of this type, or the first part of a multipart body (RFC 2046) that is; parts
 * of parts are not looked at. -ENODATA: there is no body, or no such part; -EMEDIUMTYPE: a body of
 * another type, or one that is encoded.
 */
int sip_message_part(
	const struct sip_message *message, const char *type, const char *subtype, struct str *part);
