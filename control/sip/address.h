/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name-addr or addr-spec with header parameters: one value of From, To, Contact, Route,
 * Record-Route, P-Asserted-Identity, Diversion, Refer-To.
 */
#pragma once

#include "sip/uri.h"

struct sip_address {
	bool star;          /* Contact: * */
	bool bracketed;     /* the URI stood in < > */
	struct str display; /* as written, a quoted string with its quotes; empty: none */
	struct sip_uri uri;
	struct str params; /* header parameters, from the first ';' */
};

/*
 * The whole text must be one value. Without < > the URI may contain no comma, question mark or
 * semicolon, and all parameters belong to the header (RFC 3261 section 20.10). -EBADMSG otherwise.
 */
int sip_address_parse(struct sip_address *address, struct str value);

/* A header parameter; value may be NULL. */
bool sip_address_param(const struct sip_address *address, const char *name, struct str *value);

/* The tag, or the empty slice. */
struct str sip_address_tag(const struct sip_address *address);

/* The display name without quotes as a string; "" when there is none. -ENOSPC, -EBADMSG for a NUL.
 */
int sip_address_display(const struct sip_address *address, char *display, size_t size);

/* expires= of a Contact: -ENOENT when absent, -EBADMSG when not a number up to 2^32-1. */
int sip_address_expires(const struct sip_address *address, uint32_t *seconds);

/* q= of a Contact in thousandths: -ENOENT when absent, -EBADMSG when not 0 to 1. */
int sip_address_q(const struct sip_address *address, unsigned *thousandths);
