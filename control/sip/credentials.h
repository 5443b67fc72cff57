/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges and credentials: one value of WWW-Authenticate, Proxy-Authenticate, Authorization or
 * Proxy-Authorization (RFC 3261 section 25.1, RFC 7616). A scheme other than Digest is accepted and
 * its parameters are not looked at.
 */
#pragma once

#include "sip/scan.h"

#define SIP_CREDENTIALS_PARAMS_MAX 32

/* Values are without quotes but with backslashes, as digests are computed over them. */
struct sip_credentials {
	bool digest; /* scheme is Digest, without regard to case */
	bool has_qop, has_algorithm, has_opaque, has_stale_true;
	struct str scheme;
	struct str username, realm, nonce, uri, response, algorithm, cnonce, opaque, qop, domain;
	uint32_t nc;        /* 0: absent */
	struct str nc_text; /* eight hexadecimal digits as written */
};

/*
 * The whole text must be one challenge or one set of credentials. -EBADMSG for bad grammar, for a
 * parameter that stands twice, or for an nc that is not eight hexadecimal digits; -E2BIG for more
 * parameters than the ceiling.
 */
int sip_credentials_parse(struct sip_credentials *credentials, struct str value);
