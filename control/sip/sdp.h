/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session descriptions (RFC 8866, taking RFC 4566 and 2327 as they are sent), line by line: what we
 * do not know stays in its line as it came. Zero-copy: slices point into the
 * body.
 */
#pragma once

#include <cordboard/types.h>

#include "sip/scan.h"

#define SDP_BYTES_MAX      16384
#define SDP_LINES_MAX      512
#define SDP_LINE_BYTES_MAX 2048
#define SDP_MEDIA_MAX      16
#define SDP_FORMATS_MAX    32 /* payload types of one m= line that are looked at */

#define SDP_NO_PAYLOAD_TYPE 255

struct sdp_line {
	char type;
	struct str value;
};

/* One payload type of an audio line, in the order of the m= line. */
struct sdp_format {
	uint8_t payload_type; /* 0 to 127 */
	uint8_t channels;     /* 1 when not said */
	uint32_t clock;       /* 0: dynamic and without rtpmap */
	struct str encoding;
	struct str fmtp; /* parameters, or empty */
};

struct sdp_media {
	uint16_t first_line; /* the m= line */
	uint16_t line_count; /* with the m= line */
	uint16_t udp_port;   /* 0: refused or taken out */
	uint16_t rtcp_port; /* a=rtcp, else udp_port + 1, else 0; 0 when it is at another address */
	bool rtcp_mux;
	bool rtcp_elsewhere; /* a=rtcp names another address than c= (RFC 3605) */
	bool has_address;    /* of an own or the session's c= line, IPv4 or IPv6 literal */
	bool held;           /* c= is 0.0.0.0 or :: (RFC 2543 hold) */
	uint8_t direction;   /* as the peer wrote it: CORD_MAY_SEND: the peer sends */
	uint8_t format_count;
	uint16_t ptime_ms;    /* 0: not said */
	uint16_t maxptime_ms; /* 0: not said */
	struct str media;     /* "audio" */
	struct str protocol;  /* "RTP/AVP" */
	struct str formats_text;
	struct cord_address address;                /* with udp_port */
	struct sdp_format formats[SDP_FORMATS_MAX]; /* protocols RTP/… only */
};

struct sdp {
	uint16_t line_count;
	uint16_t media_count;
	struct str origin; /* of o=, as written */
	struct str timing; /* of the first t= */
	struct sdp_line lines[SDP_LINES_MAX];
	struct sdp_media media[SDP_MEDIA_MAX];
};

/*
 * Parses a body. -EBADMSG for what is malformed, -E2BIG beyond a ceiling; *problem then says what
 * was expected, for the log and for a 400. A description without m= lines is valid. Lines may end
 * with a bare LF, as RFC 8866 section 5 asks receivers to allow.
 */
int sdp_parse(struct sdp *sdp, struct str body, const char **problem);

/* Of the first audio line that has an address and a port, CORD_FAMILY_NONE when there is none. */
enum cord_family sdp_audio_family(const struct sdp *sdp);

/*
 * The attributes of that name in a media section, one after the other: *line is 0 at first, and kept
 * by the caller. False behind the last.
 */
bool sdp_next_attribute(const struct sdp *sdp, const struct sdp_media *media, const char *name,
	unsigned *line, struct str *value);
/* The first attribute of a media section (or of the session with media NULL), value may be NULL. */
bool sdp_attribute(
	const struct sdp *sdp, const struct sdp_media *media, const char *name, struct str *value);
