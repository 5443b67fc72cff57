/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/sealed_input.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VERSION         0x01
#define TYPE            0x80 /* authenticated data, encrypted */
#define SUITE           0x0178
#define CONTENT_FRAMED  0x02
#define FRAME_BYTES     4096u
#define FINAL_FRAME     UINT32_MAX
#define FINAL_FRAME_AAD "AWSKMSEncryptionClient Final Frame"
#define PROVIDER        "AmazonConnect"

#define KEY_BYTES        32u /* data key and the one derived from it */
#define MESSAGE_ID_BYTES 16u
#define IV_BYTES         12u
#define TAG_BYTES        16u
#define RSA_BITS_MIN     2048
#define RSA_BITS_MAX     4096
#define RSA_BYTES_MAX    (RSA_BITS_MAX / 8)

/* Before the encrypted data key, the key, after it, authentication, the frame. */
#define HEADER_BYTES_MAX \
	(24u + 2u + sizeof(PROVIDER) - 1 + 2u + SEALED_INPUT_KEY_ID_MAX + 2u + RSA_BYTES_MAX + 10u)
#define MESSAGE_BYTES_MAX                                                                         \
	(HEADER_BYTES_MAX + IV_BYTES + TAG_BYTES + 8u + IV_BYTES + 4u + SEALED_INPUT_DIGITS_MAX + \
		TAG_BYTES)

_Static_assert(SEALED_INPUT_SIZE > (MESSAGE_BYTES_MAX + 2) / 3 * 4, "the longest message fits");
_Static_assert(SEALED_INPUT_DIGITS_MAX <= FRAME_BYTES, "digits are one frame");

struct message {
	size_t n;
	uint8_t bytes[MESSAGE_BYTES_MAX];
};

struct secrets {
	uint8_t data_key[KEY_BYTES];
	uint8_t derived[KEY_BYTES];
};

/* ---- bytes of the message ---- */

static uint8_t *put(struct message *m, const void *bytes, size_t n)
{
	uint8_t *at = m->bytes + m->n;

	memcpy(at, bytes, n);
	m->n += n;
	return at;
}

static void put_u8(struct message *m, uint8_t value)
{
	put(m, &value, 1);
}

static void put_u16(struct message *m, size_t value)
{
	put(m, (const uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_u32(struct message *m, uint32_t value)
{
	put_u16(m, value >> 16);
	put_u16(m, value & 0xffff);
}

static void put_counted(struct message *m, const void *bytes, size_t n)
{
	put_u16(m, n);
	put(m, bytes, n);
}

/* ---- the key ---- */

/* A key that wants a pass phrase is no public key; nobody is asked for one. */
static int no_pass_phrase(char *out, int size, int writing, void *ctx)
{
	return -1;
}

static EVP_PKEY *key_of_certificate(BIO *pem)
{
	X509 *certificate = PEM_read_bio_X509(pem, NULL, no_pass_phrase, NULL);
	EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

	X509_free(certificate);
	return key;
}

static EVP_PKEY *parse_key(const char *text)
{
	BIO *pem = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = NULL;

	if (!pem)
		return NULL;
	key = strstr(text, "CERTIFICATE-----")
		      ? key_of_certificate(pem)
		      : PEM_read_bio_PUBKEY(pem, NULL, no_pass_phrase, NULL);
	BIO_free(pem);
	return key;
}

static EVP_PKEY *read_key(const char *text, char why[SEALED_INPUT_WHY_SIZE])
{
	EVP_PKEY *key = strnlen(text, SEALED_INPUT_KEY_MAX + 1) > SEALED_INPUT_KEY_MAX
				? NULL
				: parse_key(text);

	if (!key) {
		snprintf(why, SEALED_INPUT_WHY_SIZE,
			"expected a public key or a certificate in PEM as key");
		return NULL;
	}
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		snprintf(why, SEALED_INPUT_WHY_SIZE, "expected an RSA key");
	else if (EVP_PKEY_get_bits(key) < RSA_BITS_MIN || EVP_PKEY_get_bits(key) > RSA_BITS_MAX)
		snprintf(why, SEALED_INPUT_WHY_SIZE, "expected an RSA key of %d to %d bits, has %d",
			RSA_BITS_MIN, RSA_BITS_MAX, EVP_PKEY_get_bits(key));
	else
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* ---- ciphers ---- */

static bool wrap(
	EVP_PKEY *key, const uint8_t data_key[KEY_BYTES], uint8_t out[RSA_BYTES_MAX], size_t *n)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool good = context && EVP_PKEY_encrypt_init(context) > 0 &&
		    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
		    EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha512()) > 0 &&
		    EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha512()) > 0;

	*n = RSA_BYTES_MAX;
	good = good && EVP_PKEY_encrypt(context, out, n, data_key, KEY_BYTES) > 0;
	EVP_PKEY_CTX_free(context);
	return good;
}

/* HKDF without a salt; the message's suite and id are the info. */
static bool derive(struct secrets *secrets, const uint8_t message_id[MESSAGE_ID_BYTES])
{
	uint8_t info[2 + MESSAGE_ID_BYTES] = {SUITE >> 8, SUITE & 0xff};
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, secrets->data_key, KEY_BYTES),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
		OSSL_PARAM_END,
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool good;

	memcpy(info + 2, message_id, MESSAGE_ID_BYTES);
	good = context && EVP_KDF_derive(context, secrets->derived, KEY_BYTES, params) > 0;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return good;
}

struct gcm {
	const uint8_t *iv;
	const uint8_t *aad;
	size_t aad_n;
	const char *plain;
	size_t n;
};

/* The ciphertext, `n` bytes, and the tag behind it. */
static bool encrypt(const uint8_t key[KEY_BYTES], const struct gcm *in, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n;
	bool good = context &&
		    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, in->iv) > 0 &&
		    EVP_EncryptUpdate(context, NULL, &n, in->aad, (int)in->aad_n) > 0;

	if (good && in->n > 0)
		good = EVP_EncryptUpdate(context, out, &n, (const uint8_t *)in->plain, (int)in->n) >
		       0;
	good = good && EVP_EncryptFinal_ex(context, out + in->n, &n) > 0 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, (int)TAG_BYTES, out + in->n) > 0;
	EVP_CIPHER_CTX_free(context);
	return good;
}

/* ---- the parts of the message ---- */

static void put_header(struct message *m, const uint8_t message_id[MESSAGE_ID_BYTES],
	const char *key_id, const uint8_t *wrapped, size_t n_wrapped)
{
	put_u8(m, VERSION);
	put_u8(m, TYPE);
	put_u16(m, SUITE);
	put(m, message_id, MESSAGE_ID_BYTES);
	put_u16(m, 0); /* bytes of encryption context */
	put_u16(m, 1); /* encrypted data keys */
	put_counted(m, PROVIDER, sizeof(PROVIDER) - 1);
	put_counted(m, key_id, strlen(key_id));
	put_counted(m, wrapped, n_wrapped);
	put_u8(m, CONTENT_FRAMED);
	put_u32(m, 0); /* reserved */
	put_u8(m, IV_BYTES);
	put_u32(m, FRAME_BYTES);
}

static bool put_header_tag(struct message *m, const uint8_t key[KEY_BYTES])
{
	static const uint8_t iv[IV_BYTES];
	struct gcm in = {.iv = iv, .aad = m->bytes, .aad_n = m->n};

	put(m, iv, IV_BYTES);
	if (!encrypt(key, &in, m->bytes + m->n))
		return false;
	m->n += TAG_BYTES;
	return true;
}

static bool put_frame(struct message *m, const uint8_t key[KEY_BYTES],
	const uint8_t message_id[MESSAGE_ID_BYTES], const char *digits)
{
	static const uint8_t sequence[IV_BYTES] = {[IV_BYTES - 1] = 1};
	size_t n = strlen(digits);
	struct message aad = {0};
	struct gcm in = {.iv = sequence, .aad = aad.bytes, .plain = digits, .n = n};

	put(&aad, message_id, MESSAGE_ID_BYTES);
	put(&aad, FINAL_FRAME_AAD, sizeof(FINAL_FRAME_AAD) - 1);
	put_u32(&aad, 1);
	put_u32(&aad, 0); /* the length has 8 bytes here */
	put_u32(&aad, (uint32_t)n);
	in.aad_n = aad.n;

	put_u32(m, FINAL_FRAME);
	put_u32(m, 1);
	put(m, sequence, IV_BYTES);
	put_u32(m, (uint32_t)n);
	if (!encrypt(key, &in, m->bytes + m->n))
		return false;
	m->n += n + TAG_BYTES;
	return true;
}

static bool build(struct message *m, EVP_PKEY *key, const char *key_id, const char *digits)
{
	uint8_t message_id[MESSAGE_ID_BYTES], wrapped[RSA_BYTES_MAX];
	struct secrets secrets;
	size_t n;
	bool good = RAND_bytes(message_id, sizeof(message_id)) > 0 &&
		    RAND_priv_bytes(secrets.data_key, KEY_BYTES) > 0 &&
		    wrap(key, secrets.data_key, wrapped, &n) && derive(&secrets, message_id);

	if (good) {
		put_header(m, message_id, key_id, wrapped, n);
		good = put_header_tag(m, secrets.derived) &&
		       put_frame(m, secrets.derived, message_id, digits);
	}
	explicit_bzero(&secrets, sizeof(secrets));
	return good;
}

static bool length_fits(
	const char *text, const char *name, size_t max, char why[SEALED_INPUT_WHY_SIZE])
{
	size_t n = strlen(text);

	if (n >= 1 && n <= max)
		return true;
	snprintf(why, SEALED_INPUT_WHY_SIZE, "expected 1 to %zu bytes of %s, found %zu", max, name,
		n);
	return false;
}

int sealed_input(const char *digits, const char *key_id, const char *key_text,
	char out[SEALED_INPUT_SIZE], char why[SEALED_INPUT_WHY_SIZE])
{
	struct message m = {0};
	EVP_PKEY *key;
	bool good;

	if (!length_fits(digits, "input", SEALED_INPUT_DIGITS_MAX, why) ||
		!length_fits(key_id, "key id", SEALED_INPUT_KEY_ID_MAX, why))
		return -EINVAL;
	ERR_clear_error();
	key = read_key(key_text, why);
	if (!key) {
		ERR_clear_error();
		return -EINVAL;
	}
	good = build(&m, key, key_id, digits);
	EVP_PKEY_free(key);
	if (!good) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		snprintf(why, SEALED_INPUT_WHY_SIZE, "OpenSSL: %s",
			reason ? reason : "no reason given");
		ERR_clear_error();
		return -EIO;
	}
	EVP_EncodeBlock((uint8_t *)out, m.bytes, (int)m.n);
	return 0;
}
