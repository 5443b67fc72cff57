/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdes.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/check.h"

#define LIFETIME_MIN      (UINT64_C(1) << 20)
#define LIFETIME_BITS_MIN 20
#define LIFETIME_BITS_MAX 48 /* RFC 3711 section 9.2 */
#define WINDOW_MIN        64 /* RFC 4568 section 6.3.7 */
#define WINDOW_MAX        32768

struct suite {
	enum cord_srtp_suite suite;
	bool offered;
};

/* Best first: authenticated encryption, then the longer key, then the longer tag. */
static const struct suite suites[] = {
	{CORD_SRTP_AEAD_AES_256_GCM, true},
	{CORD_SRTP_AEAD_AES_128_GCM, true},
	{CORD_SRTP_AES_256_CM_HMAC_SHA1_80, true},
	{CORD_SRTP_AES_CM_128_HMAC_SHA1_80, true},
	{CORD_SRTP_AES_256_CM_HMAC_SHA1_32, false},
	{CORD_SRTP_AES_CM_128_HMAC_SHA1_32, false},
};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

static const struct suite *suite_row(enum cord_srtp_suite suite)
{
	for (size_t i = 0; i < SUITES; i++)
		if (suites[i].suite == suite)
			return &suites[i];
	return NULL;
}

/* ---- base64 ------------------------------------------------------------------------------ */

static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Exactly n bytes; the padding may be missing, as some phones leave it out. */
static bool decode(struct str text, uint8_t *out, unsigned n)
{
	unsigned digits = (n * 8 + 5) / 6, padded = (n + 2) / 3 * 4, bits = 0, done = 0;
	uint32_t window = 0;

	if (text.n != digits && text.n != padded)
		return false;
	for (unsigned i = 0; i < text.n; i++) {
		int value = sextet(text.p[i]);

		if (i >= digits ? text.p[i] != '=' : value < 0)
			return false;
		if (i >= digits)
			continue;
		window = window << 6 | (uint32_t)value;
		bits += 6;
		if (bits < 8 || done == n)
			continue;
		bits -= 8;
		out[done++] = (uint8_t)(window >> bits);
	}
	return true;
}

/* ---- parsing ----------------------------------------------------------------------------- */

static struct str word(struct str *rest)
{
	size_t n = 0;
	struct str found;

	*rest = str_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	found = str_head(*rest, n);
	*rest = str_skip(*rest, n);
	return found;
}

/* "2^31" or a number of packets. */
static bool lifetime_fits(struct str text)
{
	uint64_t number;

	if (str_starts(text, STR("2^")))
		return str_to_u64(str_skip(text, 2), &number) == 0 && number >= LIFETIME_BITS_MIN &&
		       number <= LIFETIME_BITS_MAX;
	return str_to_u64(text, &number) == 0 && number >= LIFETIME_MIN;
}

/* inline:<key>[|lifetime]; a key identifier has a colon and fits no lifetime. */
static bool parse_key(struct str text, struct cord_srtp_key *found)
{
	struct str inline_key = STR("inline:"), key, part;

	if (!str_starts_nocase(text, inline_key))
		return false;
	text = str_skip(text, inline_key.n);
	if (!str_split(&text, '|', &key) ||
		!decode(key, found->key, cord_srtp_key_bytes(found->suite)))
		return false;
	if (!str_split(&text, '|', &part))
		return true;
	return lifetime_fits(part) && text.p == NULL;
}

static bool parameter_fits(struct str text)
{
	struct str window = STR("WSH=");
	uint64_t size;

	if (text.p[0] == '-')
		return true;
	return str_starts_nocase(text, window) &&
	       str_to_u64(str_skip(text, window.n), &size) == 0 && size >= WINDOW_MIN &&
	       size <= WINDOW_MAX;
}

bool sdes_parse(struct str value, struct sdes_line *line)
{
	struct sdes_line found = {0};
	struct str rest = value, tag = word(&rest), suite = word(&rest), parameter;

	for (size_t i = 0; i < SUITES; i++)
		if (str_equal_nocase_text(suite, cord_srtp_parts(suites[i].suite)->name))
			found.key.suite = (uint8_t)suites[i].suite;
	if (found.key.suite == CORD_SRTP_NONE || tag.n > 9 || str_to_u32(tag, &found.tag) < 0 ||
		!parse_key(word(&rest), &found.key))
		return false;
	while ((parameter = word(&rest)).n > 0)
		if (!parameter_fits(parameter))
			return false;
	*line = found;
	explicit_bzero(&found, sizeof(found));
	return true;
}

/* ---- ours -------------------------------------------------------------------------------- */

static void make_key(struct cord_srtp_key *key, enum cord_srtp_suite suite, struct random *random)
{
	key->suite = (uint8_t)suite;
	random_bytes(random, key->key, cord_srtp_key_bytes(suite));
}

struct sdes_keys *sdes_keys_new(struct random *random)
{
	struct sdes_keys *keys = calloc(1, sizeof(*keys));

	if (keys)
		sdes_keys_renew(keys, random);
	return keys;
}

void sdes_keys_renew(struct sdes_keys *keys, struct random *random)
{
	for (size_t i = 0; i < SUITES; i++)
		make_key(&keys->key[suites[i].suite], suites[i].suite, random);
}

void sdes_keys_free(struct sdes_keys *keys)
{
	if (keys)
		explicit_bzero(keys, sizeof(*keys));
	free(keys);
}

void sdes_write(struct strbuf *out, uint32_t tag, const struct cord_srtp_key *key)
{
	const struct suite *row = suite_row((enum cord_srtp_suite)key->suite);
	uint8_t text[(CORD_SRTP_KEY_MAX + 2) / 3 * 4 + 1];

	CHECK(row);
	EVP_EncodeBlock(text, key->key, (int)cord_srtp_key_bytes(key->suite));
	strbuf_printf(out, "a=crypto:%u %s inline:%s\r\n", tag, cord_srtp_parts(key->suite)->name,
		(const char *)text);
	explicit_bzero(text, sizeof(text));
}

enum cord_srtp_suite sdes_preferred(unsigned n)
{
	return n < SUITES ? suites[n].suite : CORD_SRTP_NONE;
}

bool sdes_offered(enum cord_srtp_suite suite)
{
	const struct suite *row = suite_row(suite);

	return row && row->offered;
}
