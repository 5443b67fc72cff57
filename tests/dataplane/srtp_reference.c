/* SPDX-License-Identifier: Apache-2.0 */
#include "srtp_reference.h"

#include "rtp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ENCRYPTED 0x80000000u

uint32_t srtp_reference_key_bytes(uint32_t suite)
{
	return suite == CORD_SRTP_AES_256_CM_HMAC_SHA1_80 ||
			       suite == CORD_SRTP_AES_256_CM_HMAC_SHA1_32 ||
			       suite == CORD_SRTP_AEAD_AES_256_GCM
		       ? 32
		       : 16;
}

bool srtp_reference_aead(uint32_t suite)
{
	return suite == CORD_SRTP_AEAD_AES_128_GCM || suite == CORD_SRTP_AEAD_AES_256_GCM;
}

static uint32_t tag_bytes(uint32_t suite, bool rtcp)
{
	bool brief = suite == CORD_SRTP_AES_CM_128_HMAC_SHA1_32 ||
		     suite == CORD_SRTP_AES_256_CM_HMAC_SHA1_32;

	return brief && !rtcp ? 4 : 10;
}

static void counter_mode(
	const uint8_t *key, uint32_t key_bytes, const uint8_t iv[16], uint8_t *data, size_t bytes)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_true(EVP_EncryptInit_ex(
		c, key_bytes == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, key, iv));
	assert_true(EVP_EncryptUpdate(c, data, &n, data, (int)bytes));
	assert_int_equal(n, bytes);
	EVP_CIPHER_CTX_free(c);
}

void srtp_reference_derive(struct srtp_reference *r, const struct cord_srtp_key *key)
{
	uint32_t key_bytes = srtp_reference_key_bytes(key->suite);
	uint32_t salt_bytes = srtp_reference_aead(key->suite) ? 12 : 14;

	memset(r, 0, sizeof(*r));
	r->suite = key->suite;
	for (uint32_t label = 0; label < 6; label++) {
		uint8_t iv[16] = {0};
		uint8_t *out[] = {
			r->cipher[label / 3], r->authentication[label / 3], r->salt[label / 3]};
		uint32_t bytes[] = {key_bytes, 20, salt_bytes};

		memcpy(iv, key->key + key_bytes, salt_bytes);
		iv[7] ^= (uint8_t)label;
		counter_mode(key->key, key_bytes, iv, out[label % 3], bytes[label % 3]);
	}
}

void srtp_reference_key_stream(const uint8_t *key, uint32_t key_bytes, const uint8_t salt[14],
	uint32_t ssrc, uint64_t index, uint8_t *out, size_t bytes)
{
	uint8_t iv[16] = {0};

	rtp_put32(iv + 4, ssrc);
	rtp_put16(iv + 8, (uint16_t)(index >> 32));
	rtp_put32(iv + 10, (uint32_t)index);
	for (int i = 0; i < 14; i++)
		iv[i] ^= salt[i];
	memset(out, 0, bytes);
	counter_mode(key, key_bytes, iv, out, bytes);
}

static size_t header_bytes(const uint8_t *packet, bool rtcp)
{
	size_t bytes = 12 + 4u * (packet[0] & 15);

	if (rtcp)
		return 8;
	if (packet[0] & 0x10)
		bytes += 4 + 4u * rtp_get16(packet + bytes + 2);
	return bytes;
}

/* RFC 7714. */
static size_t protect_aead(
	const struct srtp_reference *r, bool rtcp, uint64_t index, uint8_t *packet, size_t bytes)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t header = header_bytes(packet, rtcp);
	uint8_t iv[12] = {0}, word[4];
	int n;

	memcpy(iv + 2, packet + (rtcp ? 4 : 8), 4);
	rtp_put16(iv + 6, (uint16_t)(index >> 32));
	rtp_put32(iv + 8, (uint32_t)index);
	for (int i = 0; i < 12; i++)
		iv[i] ^= r->salt[rtcp][i];
	rtp_put32(word, ENCRYPTED | (uint32_t)index);
	assert_true(EVP_EncryptInit_ex(c,
		srtp_reference_key_bytes(r->suite) == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(),
		NULL, r->cipher[rtcp], iv));
	assert_true(EVP_EncryptUpdate(c, NULL, &n, packet, (int)header));
	if (rtcp)
		assert_true(EVP_EncryptUpdate(c, NULL, &n, word, 4));
	if (bytes > header)
		assert_true(EVP_EncryptUpdate(
			c, packet + header, &n, packet + header, (int)(bytes - header)));
	assert_true(EVP_EncryptFinal_ex(c, packet + bytes, &n));
	assert_true(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, packet + bytes));
	EVP_CIPHER_CTX_free(c);
	if (rtcp)
		memcpy(packet + bytes + 16, word, 4);
	return bytes + 16 + (rtcp ? 4 : 0);
}

size_t srtp_reference_protect(
	const struct srtp_reference *r, bool rtcp, uint64_t index, uint8_t *packet, size_t bytes)
{
	size_t header = header_bytes(packet, rtcp);
	uint32_t ssrc = rtp_get32(packet + (rtcp ? 4 : 8));
	uint8_t stream[2048], tag[20];
	unsigned n = sizeof(tag);

	if (srtp_reference_aead(r->suite))
		return protect_aead(r, rtcp, index, packet, bytes);
	srtp_reference_key_stream(r->cipher[rtcp], srtp_reference_key_bytes(r->suite),
		r->salt[rtcp], ssrc, index, stream, bytes - header);
	for (size_t i = header; i < bytes; i++)
		packet[i] ^= stream[i - header];
	rtp_put32(packet + bytes, rtcp ? ENCRYPTED | (uint32_t)index : (uint32_t)(index >> 16));
	assert_non_null(HMAC(EVP_sha1(), r->authentication[rtcp], 20, packet, bytes + 4, tag, &n));
	bytes += rtcp ? 4 : 0;
	memcpy(packet + bytes, tag, tag_bytes(r->suite, rtcp));
	return bytes + tag_bytes(r->suite, rtcp);
}
