/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URIs: sip and sips (RFC 3261 section 19.1), tel (RFC 3966), and any other scheme as an opaque
 * text that is only checked for the characters of an absolute URI (RFC 2396).
 *
 * Escapes stay in the slices. %00 is legal in a user and stays escaped, so that no text is ever cut
 * short by it.
 */
#pragma once

#include "sip/scan.h"

#define SIP_URI_PARTS_MAX 64 /* parameters of a URI, and headers of a URI */

enum sip_scheme {
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL,
	SIP_SCHEME_OTHER, /* accepted, and not served: 416 */
};

struct sip_uri {
	struct str text; /* the whole URI */
	uint8_t scheme;  /* enum sip_scheme */
	bool has_password;
	uint16_t port; /* 0: none written */
	struct str scheme_name;
	struct str user;     /* sip, sips: escaped as written; tel: the number with separators */
	struct str password; /* as written */
	struct str host;     /* sip, sips; an IPv6 reference keeps its brackets */
	struct str params;   /* from the first ';', or empty */
	struct str headers;  /* after '?', or empty */
	struct str opaque;   /* other schemes: all after ':' */
};

/* The whole text must be one URI. -EBADMSG otherwise. */
int sip_uri_parse(struct sip_uri *uri, struct str text);

/* A URI parameter without regard to case; value may be NULL. */
bool sip_uri_param(const struct sip_uri *uri, const char *name, struct str *value);

/* A header of the URI, what follows '?', by its name without regard to case; value is escaped. */
bool sip_uri_header(const struct sip_uri *uri, const char *name, struct str *value);

/* RFC 3261 section 19.1.4 for sip and sips, RFC 3966 section 4 for tel, byte for byte for others.
 */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

/* The user without escapes as a string. -ENOSPC; -EBADMSG for a NUL or another control character.
 */
int sip_uri_user(const struct sip_uri *uri, char *user, size_t size);

/*
 * The telephone number of a tel URI, or of a sip URI whose user is one ("+49…", digits, with or
 * without user=phone): '+' where there is one, and digits without separators; parameters inside the
 * user part (";phone-context=") are cut off. -ENOENT when the user is not a number, -ENOSPC.
 */
int sip_uri_number(const struct sip_uri *uri, char *number, size_t size);

/* The port to use: the one written, else 5061 for sips, else 5060. */
uint16_t sip_uri_port(const struct sip_uri *uri);
