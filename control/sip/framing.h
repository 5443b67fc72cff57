/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages end in a stream (RFC 3261 section 18.3): by Content-Length, with CRLF keep-alives
 * (RFC 5626 section 3.5.1) between messages.
 */
#pragma once

#include <stddef.h>

enum sip_frame_kind {
	SIP_FRAME_MORE, /* not complete: read more; the buffer must be able to grow to the limit */
	SIP_FRAME_MESSAGE, /* bytes holds one message */
	SIP_FRAME_PING,    /* CRLF CRLF: consume, answer with CRLF */
	SIP_FRAME_PONG,    /* a single CRLF that is followed by something else: consume */
	SIP_FRAME_BROKEN,  /* the end of the message cannot be known: close the connection */
};

struct sip_frame {
	enum sip_frame_kind kind;
	size_t bytes;       /* to consume from the front of the buffer; 0 for MORE and BROKEN */
	const char *reason; /* BROKEN: why, for the log and for a 400 before closing */
};

/*
 * What stands at the front of a stream. A message above SIP_MESSAGE_BYTES_MAX, a missing, repeated
 * or bad Content-Length are BROKEN.
 *
 * scanned may be NULL; otherwise it remembers, between calls on the same growing buffer, how far
 * the end of the headers has been looked for, so that a slow sender costs linear time. Set it to 0
 * for a new connection and after each consumed frame.
 */
struct sip_frame sip_frame_next(const char *bytes, size_t length, size_t *scanned);
