/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored input encrypted for a customer's key: read back with a decryption of its own, written from
 * the message format's description, and with keys made here.
 */
#include "contact/sealed_input.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define KEY_ID   "1f2a7b64-0b0d-4c1c-9a56-3f1de8b7c001"
#define DIGITS   "4111111111111111"
#define PEM_SIZE 8192

/* A key made for this test, and a message that the AWS Encryption SDK for JavaScript decrypts. */
static const char vector_key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCtGclq9xDfQr9n\n"
	"N/HbvMAuAGa0o+I1Gao7aa3IBIs1ETM1NzywElkxwDhRYFjXAvmBbzAyIfhn5jr1\n"
	"ZQq902jrgLVSavitNlxlZsNMt5S2tXFwcqvc1IV7hkbNlS7u83xRXbniMJhj3+Qu\n"
	"tD1x0aH1r5pDX/Uz5V7s8sCRpuZRdeM+js8Rvq75rHMqe7V5m2sdmO5JnhuBeg8R\n"
	"9yob7faU4YOGMcV1ZXR0R6UzTz1m2uQmYTw0EUk6hJCeLfyjzSjd1ABDT5h7otbg\n"
	"hs80rev/VD7vsSHMV1WiMQFN5BxCstuYJ2gQdDygXdaN+NOFEGxFW7bFYFPdPYN+\n"
	"ooKZgIshAgMBAAECggEAB9sjaghb1VYegQe9S/S4CskX4DDj46G448i7C1iGx4TH\n"
	"/IKiQszCYYtQwwNgD3oMwClqAuHJzVAEnah/9qIxS9GOk8v+YetqrBYgMkt5TgV+\n"
	"vX9mz2HnIPZfdkBuszI3vSryHxLc3QOHQ/Cy19yPa4AUZzm5U36gcpkzJikbS4Jp\n"
	"UiFzzjPTMYqdEerk+c9/yIdHJRhc1TdLtDWJZ62SCxGU6HSylvmLbP++CdPqcd06\n"
	"9M+DXftHrn8mCo6UlzocJ2JbIcRjl/kvx1mXXPDPIsthZiF/y6wLNLIOf3YZ6L/L\n"
	"MH3A4nmS9WGUfMZWDe4apjiaN/vMQFHPrcYRCugztQKBgQDlmiR3GMVEvH7+s3Er\n"
	"pSXUD3Z5KzC8yUrEYIcAO0yPw6O7rbAkq6ApzmPyNmV3wQQ53RMtYXk3CLuvRWW2\n"
	"17Ro7RANifZtU5N3Qr9FzZPQ1JZjtXYbMPxjjiscVQrch6+0/VN/Fub8KSCLEC9N\n"
	"xaFQtCFvgi46ANn2dHU58OxViwKBgQDBAKTvFVKxTQ9HJYlFWATfqr9cq/CEilPD\n"
	"dn0FbDzWvTDQl8mFY4l3pPT3n1v95iHDGX7uIYWJplZyg612rDgh5xTsi4sHfhAG\n"
	"qP55Ub3rO0eqfycJB9/Rrloj2C04mX/Xp4N9FMSHVWzREdeft8nyipt4ePzjxTO5\n"
	"miosJJzvgwKBgCUeVVTXsVSacKF2mw4mRcZRtaKDI/7xP+AdhtW3wHnhc//sZXSY\n"
	"Nm1ry2al+qNwleFQ5z/H6VPHWqhMPNRhbO4lnRnDOw6Tm1yFcuyy/nmdVK7L8EsX\n"
	"EUZ6/mc3LGlYmkRVTAFYz4DmmTdCJ5OYJqsoY9tmHVkNOC+KxkTWuS5fAoGBAJp3\n"
	"zYmcY0aMCkJDBI5/V8c7fVTKOAGcRFYYKw+ABWFIoh0QnrUnaQpc98KHxLR8z2C6\n"
	"syAbrCjy/BVC1j44r+RSciivtmIUvvbVonWuunXeSAlpIvDTYIsNJA+0IN0/3VXY\n"
	"OCCP0osOD710rkKicfqwfKX7D0ustS1C+aXC1+fJAoGAL2ajwqsSwA4/n7eTHayx\n"
	"JY34OLQahTBwQUDFHjM6LO9gLrg3nwSUZvOsHewLg9dePjqGlo9EVgplK0XTCu0W\n"
	"AdE9z93MRd7rYCQesPaHzlxbKyFm2/D2RzIpq7Y12tD40CXtEaux1aK0RBSGZtRv\n"
	"1v5G/PBLv2eB12p0CdSK85s=\n"
	"-----END PRIVATE KEY-----\n";
static const char vector[] =
	"AYABeBhkT3oQzyT4YdCc4biaJIIAAAABAA1BbWF6b25Db25uZWN0ACQxZjJhN2I2NC0wYjBkLTRj"
	"MWMtOWE1Ni0zZjFkZThiN2MwMDEBAIUJ7gecPyJmmTQzSO/Wowjm4yEaYIaSiFbJ8ucu5ZTDsOoW"
	"Dp1C8so5NusSko/6H1WEwZSVGFTxcwrHvqNXSicrwBnOSSKRVKm755SKwELuM8Dv0Z1cAwey+ULR"
	"nqyqv6XsGLhN+8/v3pBs32ftCpA6vDCmZ2g7iipWgvh53rjIvFgCW7Cs+5bTeVKqi+BI/vONyZPm"
	"+8InN6BCsy/dXvURx2JVf6OCxIFhvVrV4EPglgGRRRr2Wmztx6J9nmzf3AbsYvqtWVdoaOrA/TgQ"
	"/SUXC288tNSsCMtJ7ccVjwaXiA4dTYr6zb7RlL2tCdmeUaOlShwHDzxbA1tFWnKpytsCAAAAAAwA"
	"ABAAAAAAAAAAAAAAAAAAnk9WzmjyS5pv0I0Goxjp1/////8AAAABAAAAAAAAAAAAAAABAAAAEEdo"
	"6jdQsLyOTvsVV9VB45MeUbBPdBWzUEBDwfKlUulu";

static EVP_PKEY *rsa;

static int make_key(void **state)
{
	rsa = EVP_RSA_gen(2048);
	return rsa ? 0 : -1;
}

static int drop_key(void **state)
{
	EVP_PKEY_free(rsa);
	return 0;
}

static void take_pem(BIO *bio, char pem[PEM_SIZE])
{
	int n = BIO_read(bio, pem, PEM_SIZE - 1);

	assert_true(n > 0);
	pem[n] = '\0';
	BIO_free(bio);
}

static const char *public_pem(EVP_PKEY *key)
{
	static char pem[PEM_SIZE];
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(PEM_write_bio_PUBKEY(bio, key));
	take_pem(bio, pem);
	return pem;
}

static const char *certificate_pem(EVP_PKEY *key)
{
	static char pem[PEM_SIZE];
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_true(PEM_write_bio_X509(bio, certificate));
	X509_free(certificate);
	take_pem(bio, pem);
	return pem;
}

/* ---- the other side ---- */

struct reader {
	uint8_t bytes[2048];
	size_t n, at;
};

static void read_text(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	assert_true(n > 0 && n % 4 == 0 && n <= sizeof(r->bytes));
	assert_true(EVP_DecodeBlock(r->bytes, (const uint8_t *)text, (int)n) > 0);
	r->n = strcspn(text, "=") * 3 / 4;
	r->at = 0;
}

static const uint8_t *take(struct reader *r, size_t n)
{
	assert_true(n <= r->n - r->at);
	r->at += n;
	return r->bytes + r->at - n;
}

static uint32_t number(struct reader *r, size_t n)
{
	const uint8_t *bytes = take(r, n);
	uint32_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void takes_text(struct reader *r, const char *text)
{
	assert_int_equal(number(r, 2), strlen(text));
	assert_memory_equal(take(r, strlen(text)), text, strlen(text));
}

static void unwrap(EVP_PKEY *key, const uint8_t *wrapped, size_t n, uint8_t data_key[32])
{
	uint8_t plain[512];
	size_t size = sizeof(plain);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);

	assert_true(EVP_PKEY_decrypt_init(context) > 0);
	assert_true(EVP_PKEY_CTX_ctrl_str(context, "rsa_padding_mode", "oaep") > 0);
	assert_true(EVP_PKEY_CTX_ctrl_str(context, "rsa_oaep_md", "sha512") > 0);
	assert_true(EVP_PKEY_CTX_ctrl_str(context, "rsa_mgf1_md", "sha512") > 0);
	assert_true(EVP_PKEY_decrypt(context, plain, &size, wrapped, n) > 0);
	EVP_PKEY_CTX_free(context);
	assert_int_equal(size, 32);
	memcpy(data_key, plain, 32);
}

/* RFC 5869 with one block of output. */
static void derive(const uint8_t data_key[32], const uint8_t *message_id, uint8_t key[32])
{
	static const uint8_t salt[32];
	uint8_t prk[32], info[19] = {0x01, 0x78};
	unsigned n;

	memcpy(info + 2, message_id, 16);
	info[18] = 1;
	assert_non_null(HMAC(EVP_sha256(), salt, sizeof(salt), data_key, 32, prk, &n));
	assert_non_null(HMAC(EVP_sha256(), prk, sizeof(prk), info, sizeof(info), key, &n));
}

/* False: the tag does not fit. */
static bool open_gcm(const uint8_t key[32], const uint8_t *iv, const uint8_t *aad, size_t n_aad,
	const uint8_t *in, size_t n, char *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t tag[16];
	int size;
	bool good;

	memcpy(tag, in + n, sizeof(tag));
	assert_true(EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv));
	assert_true(EVP_DecryptUpdate(context, NULL, &size, aad, (int)n_aad));
	if (n > 0)
		assert_true(EVP_DecryptUpdate(context, (uint8_t *)out, &size, in, (int)n));
	assert_true(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag));
	good = EVP_DecryptFinal_ex(context, (uint8_t *)out + n, &size) > 0;
	EVP_CIPHER_CTX_free(context);
	out[n] = '\0';
	return good;
}

static bool open_frame(
	struct reader *r, const uint8_t key[32], const uint8_t *message_id, char digits[256])
{
	static const char label[] = "AWSKMSEncryptionClient Final Frame";
	static const uint8_t sequence[12] = {[11] = 1};
	uint8_t aad[16 + sizeof(label) - 1 + 4 + 8] = {0};
	size_t n;

	assert_int_equal(number(r, 4), UINT32_MAX);
	assert_int_equal(number(r, 4), 1);
	assert_memory_equal(take(r, 12), sequence, 12);
	n = number(r, 4);
	assert_true(n < 240 && r->n - r->at == n + 16);
	memcpy(aad, message_id, 16);
	memcpy(aad + 16, label, sizeof(label) - 1);
	aad[16 + sizeof(label) - 1 + 3] = 1;
	aad[sizeof(aad) - 1] = (uint8_t)n;
	return open_gcm(key, sequence, aad, sizeof(aad), take(r, n + 16), n, digits);
}

/* False: a tag does not fit; what the format says otherwise is asserted. */
static bool open_seal(const char *text, EVP_PKEY *private, const char *key_id, char digits[256])
{
	static const uint8_t zeros[12];
	struct reader r;
	const uint8_t *message_id, *iv;
	uint8_t data_key[32], key[32];
	size_t n;

	read_text(&r, text);
	assert_int_equal(number(&r, 4), 0x01800178);
	message_id = take(&r, 16);
	assert_int_equal(number(&r, 2), 0);
	assert_int_equal(number(&r, 2), 1);
	takes_text(&r, "AmazonConnect");
	takes_text(&r, key_id);
	n = number(&r, 2);
	assert_int_equal(n, EVP_PKEY_get_size(private));
	unwrap(private, take(&r, n), n, data_key);
	derive(data_key, message_id, key);
	assert_int_equal(number(&r, 1), 2);
	assert_int_equal(number(&r, 4), 0);
	assert_int_equal(number(&r, 1), 12);
	assert_int_equal(number(&r, 4), 4096);
	n = r.at;
	iv = take(&r, 12);
	assert_memory_equal(iv, zeros, 12);
	if (!open_gcm(key, iv, r.bytes, n, take(&r, 16), 0, digits))
		return false;
	return open_frame(&r, key, message_id, digits);
}

static void expect_opens(const char *text, EVP_PKEY *private, const char *expected)
{
	char digits[256];

	assert_true(open_seal(text, private, KEY_ID, digits));
	assert_string_equal(digits, expected);
}

static void expect_refused(
	const char *digits, const char *key_id, const char *key, const char *mention)
{
	char out[SEALED_INPUT_SIZE] = "untouched", why[SEALED_INPUT_WHY_SIZE] = "";

	assert_int_equal(sealed_input(digits, key_id, key, out, why), -EINVAL);
	assert_string_equal(out, "untouched");
	assert_non_null(strstr(why, mention));
	assert_null(strstr(why, DIGITS));
}

/* ---- tests ---- */

static void test_the_holder_of_the_key_reads_the_digits(void **state)
{
	char out[SEALED_INPUT_SIZE], why[SEALED_INPUT_WHY_SIZE];

	assert_int_equal(sealed_input(DIGITS, KEY_ID, public_pem(rsa), out, why), 0);
	assert_null(strstr(out, DIGITS));
	expect_opens(out, rsa, DIGITS);
	assert_int_equal(sealed_input(DIGITS, KEY_ID, certificate_pem(rsa), out, why), 0);
	expect_opens(out, rsa, DIGITS);
}

static void test_a_pinned_message_opens(void **state)
{
	BIO *bio = BIO_new_mem_buf(vector_key, -1);
	EVP_PKEY *private = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	assert_non_null(private);
	expect_opens(vector, private, DIGITS);
	EVP_PKEY_free(private);
	BIO_free(bio);
}

static void test_every_length_and_the_largest_key(void **state)
{
	char digits[SEALED_INPUT_DIGITS_MAX + 2] = "", key_id[SEALED_INPUT_KEY_ID_MAX + 2];
	char out[SEALED_INPUT_SIZE], why[SEALED_INPUT_WHY_SIZE], opened[256];
	EVP_PKEY *large = EVP_RSA_gen(4096);

	for (size_t n = 1; n <= SEALED_INPUT_DIGITS_MAX; n++) {
		digits[n - 1] = (char)('0' + n % 10);
		assert_int_equal(sealed_input(digits, KEY_ID, public_pem(rsa), out, why), 0);
		expect_opens(out, rsa, digits);
	}
	memset(key_id, 'k', sizeof(key_id));
	key_id[SEALED_INPUT_KEY_ID_MAX] = '\0';
	assert_int_equal(sealed_input(digits, key_id, public_pem(large), out, why), 0);
	assert_int_equal(strlen(out), SEALED_INPUT_SIZE - 1);
	assert_true(open_seal(out, large, key_id, opened));
	assert_string_equal(opened, digits);
	EVP_PKEY_free(large);
}

static void test_two_seals_of_the_same_digits_differ(void **state)
{
	char a[SEALED_INPUT_SIZE], b[SEALED_INPUT_SIZE], why[SEALED_INPUT_WHY_SIZE];
	struct reader one, two;

	assert_int_equal(sealed_input(DIGITS, KEY_ID, public_pem(rsa), a, why), 0);
	assert_int_equal(sealed_input(DIGITS, KEY_ID, public_pem(rsa), b, why), 0);
	read_text(&one, a);
	read_text(&two, b);
	assert_memory_not_equal(one.bytes + 4, two.bytes + 4, 16);
	assert_memory_not_equal(one.bytes + one.n - 32, two.bytes + two.n - 32, 16);
}

static void test_a_changed_byte_is_noticed(void **state)
{
	char out[SEALED_INPUT_SIZE], why[SEALED_INPUT_WHY_SIZE], digits[256];
	struct reader r;

	assert_int_equal(sealed_input(DIGITS, KEY_ID, public_pem(rsa), out, why), 0);
	read_text(&r, out);
	r.bytes[r.n - 20] ^= 1;
	EVP_EncodeBlock((uint8_t *)out, r.bytes, (int)r.n);
	assert_false(open_seal(out, rsa, KEY_ID, digits));
}

static void test_keys_that_are_refused(void **state)
{
	static const char locked[] = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
				     "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
				     "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n";
	EVP_PKEY *small = EVP_RSA_gen(1024), *huge = EVP_RSA_gen(5120);
	EVP_PKEY *curve = EVP_EC_gen("P-256");
	char damaged[PEM_SIZE];

	snprintf(damaged, sizeof(damaged), "%s", public_pem(rsa));
	damaged[100] = '!';
	expect_refused(DIGITS, KEY_ID, damaged, "in PEM");
	snprintf(damaged, 200, "%s", certificate_pem(rsa));
	expect_refused(DIGITS, KEY_ID, damaged, "in PEM");
	expect_refused(DIGITS, KEY_ID, "", "in PEM");
	expect_refused(DIGITS, KEY_ID, "Certificate to use for encryption", "in PEM");
	expect_refused(DIGITS, KEY_ID, locked, "in PEM");
	expect_refused(DIGITS, KEY_ID, public_pem(curve), "RSA");
	expect_refused(DIGITS, KEY_ID, certificate_pem(curve), "RSA");
	expect_refused(DIGITS, KEY_ID, public_pem(small), "has 1024");
	expect_refused(DIGITS, KEY_ID, public_pem(huge), "has 5120");
	EVP_PKEY_free(small);
	EVP_PKEY_free(huge);
	EVP_PKEY_free(curve);
}

static void test_lengths_that_are_refused(void **state)
{
	char digits[SEALED_INPUT_DIGITS_MAX + 2], key_id[SEALED_INPUT_KEY_ID_MAX + 2];
	static char key[SEALED_INPUT_KEY_MAX + 2];

	memset(digits, '1', sizeof(digits));
	digits[sizeof(digits) - 1] = '\0';
	memset(key_id, 'k', sizeof(key_id));
	key_id[sizeof(key_id) - 1] = '\0';
	memset(key, '\n', sizeof(key) - 1);
	memcpy(key, public_pem(rsa), strlen(public_pem(rsa)));
	expect_refused(digits, KEY_ID, public_pem(rsa), "of input");
	expect_refused("", KEY_ID, public_pem(rsa), "of input");
	expect_refused(DIGITS, key_id, public_pem(rsa), "of key id");
	expect_refused(DIGITS, "", public_pem(rsa), "of key id");
	expect_refused(DIGITS, KEY_ID, key, "in PEM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_holder_of_the_key_reads_the_digits),
		cmocka_unit_test(test_a_pinned_message_opens),
		cmocka_unit_test(test_every_length_and_the_largest_key),
		cmocka_unit_test(test_two_seals_of_the_same_digits_differ),
		cmocka_unit_test(test_a_changed_byte_is_noticed),
		cmocka_unit_test(test_keys_that_are_refused),
		cmocka_unit_test(test_lengths_that_are_refused),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
