/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of SRTP in session descriptions (RFC 4568): a=crypto lines.
 *
 *     a=crypto:1 AEAD_AES_256_GCM inline:<key and salt in base64>[|2^31][|MKI:length] [parameter …]
 *
 * A line names what its sender encrypts with; the answer has one line, with the tag and the suite of
 * the offered line that was taken, and the key of the answerer. Suites: RFC 4568 section 6.2, RFC
 * 6188, RFC 7714 section 14.2.
 *
 * A line that asks for what we do not do is no line for us: several keys, a master key identifier, a
 * key derivation rate, streams that are not encrypted or not authenticated, FEC, and what we do not
 * know (section 6.3.8 lets "-name" be passed over). A window size hint is taken as one. The lifetime
 * must be at least 2^20 packets, five hours of speech: no key is renewed for its age.
 */
#pragma once

#include <cordboard/types.h>

#include "base/random.h"
#include "base/str.h"

/* Our keys of a session, one for each suite. */
struct sdes_keys {
	struct cord_srtp_key key[CORD_SRTP_SUITE_COUNT]; /* by enum cord_srtp_suite */
};
/*
 * Made once for a session that may be encrypted, and kept, so that a re-INVITE changes nothing for the
 * media that run. NULL without memory.
 */
struct sdes_keys *sdes_keys_new(struct random *random);
/* Others than before. */
void sdes_keys_renew(struct sdes_keys *keys, struct random *random);
/* Leaves nothing of them in memory. NULL is fine. */
void sdes_keys_free(struct sdes_keys *keys);

struct sdes_line {
	uint32_t tag; /* of up to nine digits */
	struct cord_srtp_key key;
};

/* The value of a crypto attribute, from the tag on. False when the line is not for us. */
bool sdes_parse(struct str value, struct sdes_line *line);
/* "a=crypto:…" with CRLF. */
void sdes_write(struct strbuf *out, uint32_t tag, const struct cord_srtp_key *key);

/* The suites in our order of preference, best first; CORD_SRTP_NONE behind the last. */
enum cord_srtp_suite sdes_preferred(unsigned n);
/*
 * Whether our offers name it. Not those with short tags: who has them has the long ones too (RFC
 * 4568 section 6.2), and an INVITE should fit into one datagram.
 */
bool sdes_offered(enum cord_srtp_suite suite);
