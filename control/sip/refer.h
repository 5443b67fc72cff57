/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a REFER asks for (RFC 3515): the peer wants the party at the other end of its call to talk
 * to somebody else. With a Replaces in the URI (RFC 3891) that is the other party of a second call
 * of the peer: an attended transfer. Pure; who may ask is session.h's business.
 */
#pragma once

#include "sip/message.h"

#define SIP_REFER_USER_SIZE     128 /* of what was dialled, with the terminator */
#define SIP_REFER_REPLACES_SIZE 512 /* of an unescaped Replaces */

/* Slices point into the message, those of `replaces` into `text`: never copy the struct. */
struct sip_refer {
	struct sip_uri uri; /* of Refer-To: sip, sips or tel */
	/*
	 * What was dialled: the user of the URI without escapes and without ";phone-context=" and
	 * its like, for the number plan. Empty only with Replaces, where nothing is dialled.
	 */
	char user[SIP_REFER_USER_SIZE];
	struct str referred_by; /* RFC 3892, as written; empty: none */
	bool unsubscribed;      /* Refer-Sub: false (RFC 4488): the peer wants no NOTIFY */
	bool has_replaces;
	struct sip_replaces replaces;
	char text[SIP_REFER_REPLACES_SIZE];
	/* Filled by the session layer: the session of the same peer that Replaces names. */
	uint64_t other;        /* 0: none */
	bool replaces_unknown; /* has_replaces, and no such session */
};

/*
 * Reads a request. Refused with -EBADMSG and a reason phrase for a 400: no Refer-To, one that is
 * malformed, of another scheme, for another method than INVITE, or that names nobody.
 */
int sip_refer_parse(
	const struct sip_message *request, struct sip_refer *refer, const char **problem);
