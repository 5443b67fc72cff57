/* SPDX-License-Identifier: Apache-2.0 */
#include "ear_srtp.h"

#include <openssl/evp.h>
#include <srtp2/srtp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX  64
#define KEPT_MAX 600

struct ear_srtp {
	srtp_t send, receive;
	char said[256]; /* suite and keys, as they were given */
	unsigned sent;
	struct {
		size_t bytes;
		uint8_t packet[KEPT_MAX];
	} kept[EAR_SRTP_KEPT];
};

static const struct suite {
	const char *name;
	unsigned bytes; /* key and salt */
	void (*policy)(srtp_crypto_policy_t *policy);
} suites[] = {
	{"AES_CM_128_HMAC_SHA1_80", 30, srtp_crypto_policy_set_rtp_default},
	{"AES_CM_128_HMAC_SHA1_32", 30, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32},
	{"AES_256_CM_HMAC_SHA1_80", 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
	{"AES_256_CM_HMAC_SHA1_32", 46, srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32},
	{"AEAD_AES_128_GCM", 28, srtp_crypto_policy_set_aes_gcm_128_16_auth},
	{"AEAD_AES_256_GCM", 44, srtp_crypto_policy_set_aes_gcm_256_16_auth},
};

static const struct suite *suite_row(const char *name)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	return NULL;
}

static int make(const struct suite *suite, const char *key, srtp_ssrc_type_t direction, srtp_t *out)
{
	uint8_t bytes[KEY_MAX * 2];
	srtp_policy_t policy = {.ssrc = {.type = direction}, .key = bytes, .window_size = 1024};
	size_t length = strlen(key);

	if (length > KEY_MAX + 32 || length < suite->bytes ||
		EVP_DecodeBlock(bytes, (const uint8_t *)key, (int)length) < (int)suite->bytes)
		return -1;
	suite->policy(&policy.rtp);
	suite->policy(&policy.rtcp);
	return srtp_create(out, &policy) == srtp_err_status_ok ? 0 : -1;
}

static void say(char said[256], const char *suite, const char *send_key, const char *receive_key)
{
	snprintf(said, 256, "%.40s %.100s %.100s", suite, send_key, receive_key);
}

struct ear_srtp *ear_srtp_new(const char *suite, const char *send_key, const char *receive_key)
{
	static bool ready;
	const struct suite *row = suite_row(suite);
	struct ear_srtp *srtp;

	ready = ready || srtp_init() == srtp_err_status_ok;
	srtp = row && ready ? calloc(1, sizeof(*srtp)) : NULL;
	if (!srtp)
		return NULL;
	if (make(row, send_key, ssrc_any_outbound, &srtp->send) < 0 ||
		make(row, receive_key, ssrc_any_inbound, &srtp->receive) < 0) {
		ear_srtp_free(srtp);
		return NULL;
	}
	say(srtp->said, suite, send_key, receive_key);
	return srtp;
}

bool ear_srtp_is(const struct ear_srtp *srtp, const char *suite, const char *send_key,
	const char *receive_key)
{
	char said[sizeof(srtp->said)];

	say(said, suite, send_key, receive_key);
	return strcmp(said, srtp->said) == 0;
}

void ear_srtp_free(struct ear_srtp *srtp)
{
	if (!srtp)
		return;
	if (srtp->send)
		srtp_dealloc(srtp->send);
	if (srtp->receive)
		srtp_dealloc(srtp->receive);
	free(srtp);
}

size_t ear_srtp_protect(struct ear_srtp *srtp, uint8_t *packet, size_t bytes)
{
	int length = (int)bytes;

	if (srtp_protect(srtp->send, packet, &length) != srtp_err_status_ok)
		return 0;
	bytes = (size_t)length < KEPT_MAX ? (size_t)length : 0;
	memcpy(srtp->kept[srtp->sent % EAR_SRTP_KEPT].packet, packet, bytes);
	srtp->kept[srtp->sent++ % EAR_SRTP_KEPT].bytes = bytes;
	return (size_t)length;
}

size_t ear_srtp_kept(const struct ear_srtp *srtp, unsigned ago, const uint8_t **packet)
{
	unsigned at = (srtp->sent - 1 - ago) % EAR_SRTP_KEPT;

	*packet = srtp->kept[at].packet;
	return ago < srtp->sent && ago < EAR_SRTP_KEPT ? srtp->kept[at].bytes : 0;
}

size_t ear_srtp_unprotect(struct ear_srtp *srtp, uint8_t *packet, size_t bytes)
{
	int length = (int)bytes;

	return srtp_unprotect(srtp->receive, packet, &length) == srtp_err_status_ok ? (size_t)length
										    : 0;
}
