/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/digest.h"

#include "base/siphash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES  32
#define TAG_BYTES  16
#define NONCE_HEX  (2 * (8 + TAG_BYTES)) /* time stamp, tag */
#define GUARD_WAYS 4                     /* slots in which one nonce may sit */
#define TEXT_MAX   256                   /* of user and realm in credentials */

_Static_assert(NONCE_HEX < DIGEST_NONCE_MAX, "a nonce fits");
_Static_assert((DIGEST_GUARD_SLOTS & (DIGEST_GUARD_SLOTS - 1)) == 0, "guard slots are masked");

/* A nonce that was used: stamp 0 is a free slot. */
struct guard_slot {
	uint64_t stamp_ns; /* of the nonce */
	uint64_t hash;     /* of the nonce */
	uint32_t nc;       /* highest seen */
};

struct digest_server {
	uint8_t key[KEY_BYTES];
	uint8_t guard_key[SIPHASH_KEY_SIZE];
	uint64_t forgotten_ns; /* nonces of this stamp and before were forgotten, if not found */
	struct guard_slot guard[DIGEST_GUARD_SLOTS];
};

static const char *const names[] = {"MD5", "SHA-256"};

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	return names[algorithm];
}

static const EVP_MD *method_of(enum digest_algorithm algorithm)
{
	return algorithm == DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
}

static void to_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

/* The hash of all parts joined by ':', in hexadecimal. */
static int hash_joined(
	enum digest_algorithm algorithm, const struct str *parts, size_t count, char *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int rc = -ENOMEM;

	if (!context || !EVP_DigestInit_ex(context, method_of(algorithm), NULL))
		goto out;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && !EVP_DigestUpdate(context, ":", 1))
			goto out;
		if (parts[i].n > 0 && !EVP_DigestUpdate(context, parts[i].p, parts[i].n))
			goto out;
	}
	if (!EVP_DigestFinal_ex(context, bytes, &n))
		goto out;
	to_hex(bytes, n, out);
	rc = 0;
out:
	EVP_MD_CTX_free(context);
	return rc;
}

int digest_ha1(enum digest_algorithm algorithm, struct str user, struct str realm,
	struct str password, char *out)
{
	const struct str parts[] = {user, realm, password};

	return hash_joined(algorithm, parts, 3, out);
}

/* What both sides compute the response from. */
struct response_input {
	enum digest_algorithm algorithm;
	struct str ha1, nonce, method, uri;
	struct str qop; /* empty: RFC 2069 form */
	struct str nc, cnonce;
	struct str body; /* for auth-int */
};

static int compute_response(const struct response_input *in, char *out)
{
	char ha2[DIGEST_HEX_MAX], body[DIGEST_HEX_MAX];
	bool integrity = str_equal_nocase_text(in->qop, "auth-int");
	struct str a2[3] = {in->method, in->uri, STR_NULL};
	int rc = 0;

	if (integrity) {
		rc = hash_joined(in->algorithm, &in->body, 1, body);
		a2[2] = str_from(rc == 0 ? body : "");
	}
	if (rc == 0)
		rc = hash_joined(in->algorithm, a2, integrity ? 3 : 2, ha2);
	if (rc < 0)
		return rc;
	if (in->qop.n > 0) {
		const struct str parts[] = {
			in->ha1, in->nonce, in->nc, in->cnonce, in->qop, str_from(ha2)};

		return hash_joined(in->algorithm, parts, 6, out);
	}
	const struct str parts[] = {in->ha1, in->nonce, str_from(ha2)};

	return hash_joined(in->algorithm, parts, 3, out);
}

/* ---- nonces ---- */

struct digest_server *digest_server_new(const uint8_t key[32])
{
	static const char guard_label[] = "guard";
	struct digest_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	memcpy(server->key, key, KEY_BYTES);
	for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++)
		server->guard_key[i] =
			key[i] ^ key[i + 16] ^ (uint8_t)guard_label[i % sizeof(guard_label)];
	return server;
}

void digest_server_free(struct digest_server *server)
{
	if (!server)
		return;
	OPENSSL_cleanse(server, sizeof(*server));
	free(server);
}

static void put_u64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static int nonce_tag(const struct digest_server *server, const uint8_t stamp[8], struct str realm,
	struct str source, uint8_t tag[TAG_BYTES])
{
	uint8_t input[8 + 8 + TEXT_MAX * 2], bytes[EVP_MAX_MD_SIZE];
	unsigned n;

	if (realm.n > TEXT_MAX || source.n > TEXT_MAX)
		return -E2BIG;
	memcpy(input, stamp, 8);
	put_u64(input + 8, realm.n);
	if (realm.n > 0)
		memcpy(input + 16, realm.p, realm.n);
	if (source.n > 0)
		memcpy(input + 16 + realm.n, source.p, source.n);
	if (!HMAC(EVP_sha256(), server->key, KEY_BYTES, input, 16 + realm.n + source.n, bytes, &n))
		return -ENOMEM;
	memcpy(tag, bytes, TAG_BYTES);
	return 0;
}

static int make_nonce(const struct digest_server *server, struct str realm, struct str source,
	uint64_t stamp_ns, char out[NONCE_HEX + 1])
{
	uint8_t bytes[8 + TAG_BYTES];
	int rc;

	put_u64(bytes, stamp_ns);
	rc = nonce_tag(server, bytes, realm, source, bytes + 8);
	if (rc == 0)
		to_hex(bytes, sizeof(bytes), out);
	return rc;
}

/* Says whether we made the nonce for this realm and source, and when. */
static bool our_nonce(const struct digest_server *server, struct str nonce, struct str realm,
	struct str source, uint64_t *stamp_ns)
{
	char expected[NONCE_HEX + 1];
	uint64_t stamp;

	if (nonce.n != NONCE_HEX || str_to_hex64(str_head(nonce, 16), &stamp) < 0 ||
		make_nonce(server, realm, source, stamp, expected) < 0 ||
		CRYPTO_memcmp(expected, nonce.p, NONCE_HEX) != 0)
		return false;
	*stamp_ns = stamp;
	return true;
}

static void forget(struct digest_server *server, struct guard_slot *slot)
{
	if (slot->stamp_ns > server->forgotten_ns)
		server->forgotten_ns = slot->stamp_ns;
}

/* True when this count was not seen for this nonce, and remembers it. */
static bool guard_pass(
	struct digest_server *server, struct str nonce, uint64_t stamp_ns, uint32_t nc)
{
	uint64_t hash = siphash(nonce.p, nonce.n, server->guard_key);
	struct guard_slot *oldest = NULL;

	for (unsigned i = 0; i < GUARD_WAYS; i++) {
		struct guard_slot *slot = &server->guard[(hash + i) & (DIGEST_GUARD_SLOTS - 1)];

		if (slot->stamp_ns == stamp_ns && slot->hash == hash) {
			if (nc <= slot->nc)
				return false;
			slot->nc = nc;
			return true;
		}
		if (!oldest || slot->stamp_ns < oldest->stamp_ns)
			oldest = slot;
	}
	if (stamp_ns <= server->forgotten_ns)
		return false;
	forget(server, oldest);
	*oldest = (struct guard_slot){.stamp_ns = stamp_ns, .hash = hash, .nc = nc};
	return true;
}

/* ---- server ---- */

int digest_challenge(struct digest_server *server, enum digest_algorithm algorithm,
	struct str realm, struct str source, bool stale, uint64_t now_ns, char *out, size_t size)
{
	char nonce[NONCE_HEX + 1];
	struct strbuf text;
	int rc = make_nonce(server, realm, source, now_ns, nonce);

	if (rc < 0)
		return rc;
	if (size == 0)
		return -ENOSPC;
	strbuf_init(&text, out, size);
	strbuf_printf(&text, "Digest realm=\"%.*s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s",
		STR_ARG(realm), nonce, names[algorithm], stale ? ", stale=true" : "");
	return strbuf_result(&text) < 0 ? -ENOSPC : (int)text.n;
}

static bool algorithm_of(const struct sip_credentials *c, enum digest_algorithm *algorithm)
{
	*algorithm = DIGEST_MD5;
	if (!c->has_algorithm)
		return true;
	for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++)
		if (str_equal_nocase_text(c->algorithm, names[i])) {
			*algorithm = (enum digest_algorithm)i;
			return true;
		}
	return false;
}

static bool uri_matches(const struct sip_message *request, struct str uri)
{
	struct sip_uri parsed;

	return sip_uri_parse(&parsed, uri) == 0 && sip_uri_equal(&parsed, &request->uri);
}

/* The response is right for these credentials. Runs the same way for a user who is not known. */
static bool response_is_right(const struct sip_message *request, const struct sip_credentials *c,
	enum digest_algorithm algorithm, digest_lookup lookup, void *context)
{
	char ha1[DIGEST_HEX_MAX], expected[DIGEST_HEX_MAX];
	bool known;
	struct response_input in;

	memset(ha1, '0', sizeof(ha1));
	ha1[sizeof(ha1) - 1] = '\0';
	known = lookup(context, c->username, c->realm, algorithm, ha1) >= 0;
	in = (struct response_input){.algorithm = algorithm,
		.ha1 = str_from(ha1),
		.nonce = c->nonce,
		.method = request->method_name,
		.uri = c->uri,
		.qop = c->qop,
		.nc = c->nc_text,
		.cnonce = c->cnonce};
	if (compute_response(&in, expected) < 0)
		return false;
	OPENSSL_cleanse(ha1, sizeof(ha1));
	if (c->response.n != strlen(expected))
		return false;
	return (CRYPTO_memcmp(expected, c->response.p, c->response.n) == 0) & known;
}

static enum digest_verdict judge(struct digest_server *server, const struct sip_message *request,
	const struct sip_credentials *c, struct str source, uint64_t now_ns, digest_lookup lookup,
	void *context)
{
	enum digest_algorithm algorithm;
	uint64_t stamp_ns;

	if (!algorithm_of(c, &algorithm) || c->username.n == 0 || c->username.n > TEXT_MAX ||
		!str_equal_nocase_text(c->qop, "auth") || c->nc == 0 || c->cnonce.n == 0 ||
		!uri_matches(request, c->uri) ||
		!response_is_right(request, c, algorithm, lookup, context))
		return DIGEST_WRONG;
	if (!our_nonce(server, c->nonce, c->realm, source, &stamp_ns) || stamp_ns > now_ns ||
		now_ns - stamp_ns > DIGEST_NONCE_LIFE_NS)
		return DIGEST_STALE;
	return guard_pass(server, c->nonce, stamp_ns, c->nc) ? DIGEST_OK : DIGEST_STALE;
}

enum digest_verdict digest_verify(struct digest_server *server, const struct sip_message *request,
	enum sip_header_kind kind, struct str realm, struct str source, uint64_t now_ns,
	digest_lookup lookup, void *context, struct str *user)
{
	const struct sip_header *header = sip_message_header(request, kind);
	struct sip_credentials c;
	enum digest_verdict verdict = DIGEST_ABSENT;

	for (; header; header = sip_message_header_next(request, header)) {
		if (sip_credentials_parse(&c, header->value) < 0)
			return DIGEST_WRONG;
		if (!c.digest || !str_equal(c.realm, realm))
			continue;
		verdict = judge(server, request, &c, source, now_ns, lookup, context);
		if (verdict == DIGEST_OK && user)
			*user = c.username;
		break;
	}
	return verdict;
}

/* ---- client ---- */

static bool has_qop(struct str list, const char *wanted)
{
	struct str item;

	while (str_split(&list, ',', &item))
		if (str_equal_nocase_text(str_trim(item), wanted))
			return true;
	return false;
}

static bool challenge_is_usable(
	const struct sip_credentials *c, const struct digest_account *account)
{
	return c->digest && c->nonce.n > 0 && c->realm.p &&
	       (account->realm.n == 0 || str_equal(account->realm, c->realm)) &&
	       (!c->has_qop || has_qop(c->qop, "auth") || has_qop(c->qop, "auth-int"));
}

/* The strongest challenge of one kind. */
static bool strongest(const struct sip_message *response, enum sip_header_kind kind,
	const struct digest_account *account, struct sip_credentials *best,
	enum digest_algorithm *algorithm)
{
	const struct sip_header *header = sip_message_header(response, kind);
	struct sip_credentials c;
	enum digest_algorithm a;
	bool found = false;

	for (; header; header = sip_message_header_next(response, header)) {
		if (sip_credentials_parse(&c, header->value) < 0 ||
			!challenge_is_usable(&c, account) || !algorithm_of(&c, &a))
			continue;
		if (found && a <= *algorithm)
			continue;
		*best = c;
		*algorithm = a;
		found = true;
	}
	return found;
}

static void quoted(struct strbuf *out, const char *name, struct str value)
{
	strbuf_printf(out, ", %s=\"", name);
	strbuf_add(out, value);
	strbuf_char(out, '"');
}

static void write_answer(struct strbuf *out, const struct response_input *in,
	const struct sip_credentials *challenge, struct str user, const char *response)
{
	strbuf_text(out, "Digest username=\"");
	strbuf_add(out, user);
	strbuf_char(out, '"');
	quoted(out, "realm", challenge->realm);
	quoted(out, "nonce", challenge->nonce);
	quoted(out, "uri", in->uri);
	quoted(out, "response", str_from(response));
	if (challenge->has_algorithm)
		strbuf_printf(out, ", algorithm=%s", names[in->algorithm]);
	if (in->qop.n > 0) {
		quoted(out, "cnonce", in->cnonce);
		strbuf_printf(out, ", qop=%.*s, nc=%.*s", STR_ARG(in->qop), STR_ARG(in->nc));
	}
	if (challenge->has_opaque)
		quoted(out, "opaque", challenge->opaque);
}

/* A fold that stood in a quoted value must not leave a line break in what we write. */
static bool has_line_break(const struct strbuf *text)
{
	return memchr(text->p, '\r', text->n) || memchr(text->p, '\n', text->n);
}

static int answer_challenge(const struct sip_credentials *challenge,
	enum digest_algorithm algorithm, const struct digest_account *account,
	struct response_input *in, char *out, size_t size)
{
	char ha1[DIGEST_HEX_MAX], response[DIGEST_HEX_MAX];
	struct strbuf text;
	int rc = digest_ha1(algorithm, account->user, challenge->realm, account->password, ha1);

	in->algorithm = algorithm;
	in->ha1 = str_from(ha1);
	in->nonce = challenge->nonce;
	if (challenge->has_qop)
		in->qop = has_qop(challenge->qop, "auth") ? STR("auth") : STR("auth-int");
	if (rc == 0)
		rc = compute_response(in, response);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	if (rc < 0)
		return rc;
	if (size == 0)
		return -ENOSPC;
	strbuf_init(&text, out, size);
	write_answer(&text, in, challenge, account->user, response);
	if (strbuf_result(&text) < 0)
		return -ENOSPC;
	return has_line_break(&text) ? -ENOENT : (int)text.n;
}

int digest_answer(const struct sip_message *response, const struct digest_account *account,
	struct str method, struct str uri, struct str body, uint32_t nc, struct str cnonce,
	enum sip_header_kind *kind, char *out, size_t size)
{
	struct sip_credentials challenge;
	enum digest_algorithm algorithm;
	char nc_text[9];
	struct response_input in = {
		.method = method, .uri = uri, .cnonce = cnonce, .body = body, .nc = {nc_text, 8}};
	uint8_t nc_bytes[8];
	enum sip_header_kind answer_kind = SIP_HEADER_AUTHORIZATION;
	int rc;

	put_u64(nc_bytes, nc);
	to_hex(nc_bytes + 4, 4, nc_text);
	if (!strongest(response, SIP_HEADER_WWW_AUTHENTICATE, account, &challenge, &algorithm)) {
		answer_kind = SIP_HEADER_PROXY_AUTHORIZATION;
		if (!strongest(response, SIP_HEADER_PROXY_AUTHENTICATE, account, &challenge,
			    &algorithm))
			return -ENOENT;
	}
	rc = answer_challenge(&challenge, algorithm, account, &in, out, size);
	if (rc > 0)
		*kind = answer_kind;
	return rc;
}

static bool kind_is_stale(const struct sip_message *response, enum sip_header_kind kind)
{
	const struct sip_header *header = sip_message_header(response, kind);
	struct sip_credentials c;

	for (; header; header = sip_message_header_next(response, header))
		if (sip_credentials_parse(&c, header->value) == 0 && c.has_stale_true)
			return true;
	return false;
}

bool digest_is_stale(const struct sip_message *response)
{
	return kind_is_stale(response, SIP_HEADER_WWW_AUTHENTICATE) ||
	       kind_is_stale(response, SIP_HEADER_PROXY_AUTHENTICATE);
}
