/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest access authentication (RFC 7616, RFC 8760 for SIP), MD5 and SHA-256, both sides.
 *
 * The server's nonce needs no memory: time stamp and a keyed hash of it, of the realm and of the
 * source. What needs memory is the replay guard, a bounded table of the highest nonce count seen
 * for a nonce. A nonce that the table had to forget is refused as stale, never believed.
 *
 * Credentials come in as a password or as HA1 (hash of user:realm:password). All comparisons of
 * secrets take constant time.
 */
#pragma once

#include "sip/message.h"

enum digest_algorithm {
	DIGEST_MD5,
	DIGEST_SHA256,
	DIGEST_ALGORITHMS,
};

#define DIGEST_HEX_MAX       65 /* SHA-256 in hexadecimal, with its NUL */
#define DIGEST_NONCE_MAX     80
#define DIGEST_NONCE_LIFE_NS (300ull * 1000000000ull)
#define DIGEST_GUARD_SLOTS   4096

const char *digest_algorithm_name(enum digest_algorithm algorithm); /* "MD5", "SHA-256" */

/* HA1 in hexadecimal with its NUL; out has DIGEST_HEX_MAX bytes. */
int digest_ha1(enum digest_algorithm algorithm, struct str user, struct str realm,
	struct str password, char *out);

/* ---- server ---- */

struct digest_server; /* key and replay guard */

/* key is 32 random bytes. NULL without memory. */
struct digest_server *digest_server_new(const uint8_t key[32]);
void digest_server_free(struct digest_server *server);

/*
 * Writes the value of one WWW-Authenticate or Proxy-Authenticate header with a fresh nonce. Offer
 * SHA-256 first, then MD5, in two headers (RFC 8760). source is any text that names the peer's
 * address. Returns the length or -ENOSPC.
 */
int digest_challenge(struct digest_server *server, enum digest_algorithm algorithm,
	struct str realm, struct str source, bool stale, uint64_t now_ns, char *out, size_t size);

enum digest_verdict {
	DIGEST_OK,
	DIGEST_ABSENT, /* no Digest credentials for this realm: challenge */
	DIGEST_STALE,  /* right, but the nonce is old or was used: challenge with stale=true */
	DIGEST_WRONG,  /* bad user, password, nonce or syntax: count it, challenge or 403 */
};

/*
 * Finds HA1 of a user for an algorithm; out has DIGEST_HEX_MAX bytes. Negative when the user is not
 * known; the time that verification takes does not depend on it.
 */
typedef int (*digest_lookup)(void *context, struct str user, struct str realm,
	enum digest_algorithm algorithm, char *out);

/*
 * Verifies a request's Authorization (or Proxy-Authorization) headers for a realm. The digest URI
 * must be equivalent to the Request-URI. On DIGEST_OK *user, which may be NULL, is the name, in the
 * message's buffer.
 */
enum digest_verdict digest_verify(struct digest_server *server, const struct sip_message *request,
	enum sip_header_kind kind, struct str realm, struct str source, uint64_t now_ns,
	digest_lookup lookup, void *context, struct str *user);

/* ---- client ---- */

struct digest_account {
	struct str user;
	struct str password;
	struct str realm; /* empty: any realm that asks */
};

/*
 * Answers the strongest challenge of a 401 or 407 with the value of the Authorization (or
 * Proxy-Authorization) header: *kind says which. nc is 1 for a fresh nonce; cnonce is random text
 * of the caller. Returns the length, -ENOENT when no challenge can be answered, -ENOSPC.
 */
int digest_answer(const struct sip_message *response, const struct digest_account *account,
	struct str method, struct str uri, struct str body, uint32_t nc, struct str cnonce,
	enum sip_header_kind *kind, char *out, size_t size);

/* True when a challenge of the response says stale=true: the password was right. */
bool digest_is_stale(const struct sip_message *response);
