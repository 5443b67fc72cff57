/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Of RFC 4568 section 6.1 and RFC 6188 section 4 the form; the bytes are 0, 1, 2, … */
#define KEY_30 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY_28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define KEY_44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"
#define KEY_46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"

static bool parse(const char *text, struct sdes_line *line)
{
	return sdes_parse(str_from(text), line);
}

static void takes_each_suite(void **state)
{
	static const struct {
		const char *text;
		uint32_t tag;
		enum cord_srtp_suite suite;
		unsigned bytes;
	} rows[] = {
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30, 1, CORD_SRTP_AES_CM_128_HMAC_SHA1_80,
			30},
		{"2 AES_CM_128_HMAC_SHA1_32 inline:" KEY_30, 2, CORD_SRTP_AES_CM_128_HMAC_SHA1_32,
			30},
		{"3 AES_256_CM_HMAC_SHA1_80 inline:" KEY_46 "==", 3,
			CORD_SRTP_AES_256_CM_HMAC_SHA1_80, 46},
		{"4 AES_256_CM_HMAC_SHA1_32 inline:" KEY_46, 4, CORD_SRTP_AES_256_CM_HMAC_SHA1_32,
			46},
		{"5 AEAD_AES_128_GCM inline:" KEY_28 "==", 5, CORD_SRTP_AEAD_AES_128_GCM, 28},
		{"999999999 AEAD_AES_256_GCM inline:" KEY_44 "=", 999999999,
			CORD_SRTP_AEAD_AES_256_GCM, 44},
		{"1  AES_CM_128_HMAC_SHA1_80\tinline:" KEY_30 "|2^31 ", 1,
			CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 30},
		{"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|2^20 WSH=128", 1,
			CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 30},
		{"1 AES_CM_128_HMAC_SHA1_80 INLINE:" KEY_30 "|1048576 -NEW=1", 1,
			CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 30},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdes_line line;

		if (!parse(rows[i].text, &line))
			fail_msg("refused: %s", rows[i].text);
		assert_int_equal(line.tag, rows[i].tag);
		assert_int_equal(line.key.suite, rows[i].suite);
		assert_int_equal(cord_srtp_key_bytes(line.key.suite), rows[i].bytes);
		for (unsigned n = 0; n < CORD_SRTP_KEY_MAX; n++)
			assert_int_equal(line.key.key[n], n < rows[i].bytes ? n : 0);
	}
}

static void refuses_what_it_does_not_do(void **state)
{
	static const char *const rows[] = {
		"",
		"1",
		"1 AES_CM_128_HMAC_SHA1_80",
		"x AES_CM_128_HMAC_SHA1_80 inline:" KEY_30,
		"-1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30,
		"1000000000 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30,
		"1 F8_128_HMAC_SHA1_80 inline:" KEY_30,
		"1 AEAD_AES_128_GCM_8 inline:" KEY_28,
		"1 AES_CM_128_HMAC_SHA1_80 " KEY_30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_28, /* too short, too long */
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "AA",
		"1 AEAD_AES_128_GCM inline:" KEY_28 "=",
		"1 AEAD_AES_128_GCM inline:" KEY_28 "AA",
		"1 AES_CM_128_HMAC_SHA1_80 inline:-AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
		"1 AES_CM_128_HMAC_SHA1_80 inline:=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|1:4", /* MKI */
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|2^20|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|2^19",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|2^49",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|1000",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 "|",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 ";inline:" KEY_30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " KDR=1",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " UNENCRYPTED_SRTCP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " UNAUTHENTICATED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " FEC_ORDER=FEC_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " NEW=1",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " WSH=63",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " WSH=x",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY_30 " WSH=64 KDR=1",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdes_line line = {.tag = 77};

		if (parse(rows[i], &line))
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(line.tag, 77);
	}
}

static void writes_what_it_reads(void **state)
{
	struct sdes_keys *keys, before;
	struct random random;
	char text[256];

	random_init_seed(&random, 7);
	keys = sdes_keys_new(&random);
	assert_non_null(keys);
	before = *keys;
	for (unsigned i = 0; sdes_preferred(i) != CORD_SRTP_NONE; i++) {
		enum cord_srtp_suite suite = sdes_preferred(i);
		struct sdes_line line;
		struct strbuf out;

		strbuf_init(&out, text, sizeof(text));
		sdes_write(&out, 7 + i, &keys->key[suite]);
		assert_true(strbuf_result(&out) == 0 && str_ends(strbuf_str(&out), STR("\r\n")));
		assert_true(str_starts(strbuf_str(&out), STR("a=crypto:")));
		assert_true(sdes_parse(str_trim(str_skip(strbuf_str(&out), 9)), &line));
		assert_int_equal(line.key.suite, suite);
		assert_int_equal(line.tag, 7 + i);
		assert_memory_equal(&line.key, &keys->key[suite], sizeof(line.key));
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(
				keys->key[suite].key, keys->key[sdes_preferred(j)].key, 16);
	}
	sdes_keys_renew(keys, &random);
	for (unsigned i = 0; sdes_preferred(i) != CORD_SRTP_NONE; i++)
		assert_memory_not_equal(
			keys->key[sdes_preferred(i)].key, before.key[sdes_preferred(i)].key, 16);
	sdes_keys_free(keys);
}

static void gcm_comes_first(void **state)
{
	assert_int_equal(sdes_preferred(0), CORD_SRTP_AEAD_AES_256_GCM);
	assert_int_equal(sdes_preferred(1), CORD_SRTP_AEAD_AES_128_GCM);
	assert_int_equal(sdes_preferred(CORD_SRTP_SUITE_COUNT - 1), CORD_SRTP_NONE);
	assert_true(sdes_offered(CORD_SRTP_AES_CM_128_HMAC_SHA1_80));
	assert_false(sdes_offered(CORD_SRTP_AES_CM_128_HMAC_SHA1_32));
	assert_false(sdes_offered(CORD_SRTP_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_suite),
		cmocka_unit_test(refuses_what_it_does_not_do),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(gcm_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
