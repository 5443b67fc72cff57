/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/digest.h"
#include "sip/build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECOND 1000000000ull
#define SOURCE STR("192.0.2.7")
#define REALM  STR("cordboard.example")

static struct sip_message request, response;
static struct digest_server *server;
static const struct digest_account alice = {.user = {"alice", 5}, .password = {"open sesame", 11}};
static uint64_t now = 1000 * SECOND;
static int looked_up;

static int set_up(void **state)
{
	uint8_t key[32];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(i * 7);
	server = digest_server_new(key);
	now = 1000 * SECOND;
	return 0;
}

static int tear_down(void **state)
{
	digest_server_free(server);
	return 0;
}

static int lookup(void *context, struct str user, struct str realm, enum digest_algorithm algorithm,
	char *out)
{
	looked_up++;
	if (!str_equal_text(user, "alice"))
		return -ENOENT;
	return digest_ha1(algorithm, user, realm, STR("open sesame"), out);
}

static void parse_request(const char *authorization)
{
	static char text[4096];
	struct sip_outcome outcome;
	int n = snprintf(text, sizeof(text),
		"REGISTER sip:cordboard.example SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
		"From: <sip:alice@cordboard.example>;tag=1\r\nTo: <sip:alice@cordboard.example>\r\n"
		"Call-ID: 1\r\nCSeq: 1 REGISTER\r\n%s%s\r\n\r\n",
		authorization ? "Authorization: " : "X: ", authorization ? authorization : "");

	sip_message_parse(&request, text, (size_t)n, SIP_DATAGRAM, &outcome);
	assert_string_equal(outcome.reason, "accepted");
}

/* A 401 with the challenges of the given algorithms, in this order. */
static void challenge(const enum digest_algorithm *algorithms, int count, bool stale)
{
	static char text[4096];
	struct sip_outcome outcome;
	struct sip_builder b = sip_build(text, sizeof(text));
	char value[512];
	int n;

	parse_request(NULL);
	sip_build_response(&b, &request, &(struct sip_response){.status = 401, .to_tag = STR("x")});
	for (int i = 0; i < count; i++) {
		n = digest_challenge(
			server, algorithms[i], REALM, SOURCE, stale, now, value, sizeof(value));
		assert_true(n > 0);
		sip_build_value(&b, SIP_HEADER_WWW_AUTHENTICATE, str_make(value, (size_t)n));
	}
	n = sip_build_finish(&b, STR_NULL, STR_NULL);
	sip_message_parse(&response, text, (size_t)n, SIP_STREAM, &outcome);
	assert_string_equal(outcome.reason, "accepted");
}

static const enum digest_algorithm both[] = {DIGEST_SHA256, DIGEST_MD5};
static char credentials[1024];

static void answer(const struct digest_account *account, uint32_t nc)
{
	enum sip_header_kind kind = SIP_HEADER_OTHER;
	int n = digest_answer(&response, account, STR("REGISTER"), STR("sip:cordboard.example"),
		STR_NULL, nc, STR("c0ffee"), &kind, credentials, sizeof(credentials) - 1);

	assert_true(n > 0);
	credentials[n] = '\0';
	assert_int_equal(kind, SIP_HEADER_AUTHORIZATION);
	parse_request(credentials);
}

static enum digest_verdict verify_from(struct str source)
{
	return digest_verify(
		server, &request, SIP_HEADER_AUTHORIZATION, REALM, source, now, lookup, NULL, NULL);
}

static enum digest_verdict verify(void)
{
	return verify_from(SOURCE);
}

/* RFC 7616 section 3.9.1, both algorithms. */
static void vectors_of_rfc_7616(void **state)
{
	static const char *const header[] = {"MD5", "SHA-256"};
	static const char *const wanted[] = {"8ca523f5e9506fed4657c9700eebdbec",
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"};
	const struct digest_account mufasa = {
		.user = STR("Mufasa"), .password = STR("Circle of Life")};
	static char text[2048];
	struct sip_outcome outcome;
	enum sip_header_kind kind;
	int n;

	for (int i = 0; i < 2; i++) {
		n = snprintf(text, sizeof(text),
			"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\n"
			"CSeq: 1 GET\r\nWWW-Authenticate: Digest realm=\"http-auth@example.org\","
			" qop=\"auth, auth-int\", algorithm=%s,"
			" nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\","
			" opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"\r\n\r\n",
			header[i]);
		sip_message_parse(&response, text, (size_t)n, SIP_DATAGRAM, &outcome);
		assert_string_equal(outcome.reason, "accepted");
		n = digest_answer(&response, &mufasa, STR("GET"), STR("/dir/index.html"), STR_NULL,
			1, STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"), &kind, credentials,
			sizeof(credentials));
		assert_true(n > 0);
		credentials[n] = '\0';
		assert_non_null(strstr(credentials, wanted[i]));
		assert_non_null(strstr(credentials, "opaque=\"FQhe/"));
		assert_non_null(strstr(credentials, "nc=00000001"));
	}
}

static void no_credentials_is_absent(void **state)
{
	parse_request(NULL);
	assert_int_equal(verify(), DIGEST_ABSENT);
	parse_request("Bearer abcdef");
	assert_int_equal(verify(), DIGEST_ABSENT);
	challenge(both, 2, false);
	answer(&alice, 1);
	assert_int_equal(digest_verify(server, &request, SIP_HEADER_AUTHORIZATION, STR("other"),
				 SOURCE, now, lookup, NULL, NULL),
		DIGEST_ABSENT);
	assert_int_equal(digest_verify(server, &request, SIP_HEADER_PROXY_AUTHORIZATION, REALM,
				 SOURCE, now, lookup, NULL, NULL),
		DIGEST_ABSENT);
}

static void each_algorithm_passes_and_the_strongest_is_taken(void **state)
{
	struct str user;

	challenge(both, 2, false);
	answer(&alice, 1);
	assert_non_null(strstr(credentials, "algorithm=SHA-256"));
	assert_int_equal(digest_verify(server, &request, SIP_HEADER_AUTHORIZATION, REALM, SOURCE,
				 now, lookup, NULL, &user),
		DIGEST_OK);
	assert_true(str_equal_text(user, "alice"));
	now += SECOND;
	challenge(both + 1, 1, false);
	answer(&alice, 1);
	assert_non_null(strstr(credentials, "algorithm=MD5"));
	assert_int_equal(verify(), DIGEST_OK);
}

static void wrong_is_wrong(void **state)
{
	const struct digest_account bad = {.user = STR("alice"), .password = STR("guess")};
	const struct digest_account nobody = {
		.user = STR("mallory"), .password = STR("open sesame")};

	challenge(both, 2, false);
	answer(&bad, 1);
	assert_int_equal(verify(), DIGEST_WRONG);
	looked_up = 0;
	answer(&nobody, 1);
	assert_int_equal(verify(), DIGEST_WRONG);
	assert_int_equal(looked_up, 1);
	parse_request("Digest username=\"alice\", username=\"bob\"");
	assert_int_equal(verify(), DIGEST_WRONG);
	parse_request("Digest realm=\"cordboard.example\"");
	assert_int_equal(verify(), DIGEST_WRONG);
	/* Right response, but for another URI than the request's. */
	answer(&alice, 1);
	memcpy(strstr(credentials, "sip:cordboard"), "sip:cordbored", 13);
	parse_request(credentials);
	assert_int_equal(verify(), DIGEST_WRONG);
}

static void replay_is_stale(void **state)
{
	challenge(both, 2, false);
	answer(&alice, 1);
	assert_int_equal(verify(), DIGEST_OK);
	assert_int_equal(verify(), DIGEST_STALE);
	answer(&alice, 2);
	assert_int_equal(verify(), DIGEST_OK);
	answer(&alice, 5);
	assert_int_equal(verify(), DIGEST_OK);
	answer(&alice, 4);
	assert_int_equal(verify(), DIGEST_STALE);
}

static void a_nonce_ages_and_belongs_to_its_source(void **state)
{
	challenge(both, 2, false);
	answer(&alice, 1);
	assert_int_equal(verify_from(STR("192.0.2.8")), DIGEST_STALE);
	now += DIGEST_NONCE_LIFE_NS + 1;
	assert_int_equal(verify(), DIGEST_STALE);
	now -= DIGEST_NONCE_LIFE_NS + 2;
	assert_int_equal(verify(), DIGEST_STALE);
	now = 1000 * SECOND;
	assert_int_equal(verify(), DIGEST_OK);
	challenge(both, 2, true);
	assert_true(digest_is_stale(&response));
	challenge(both, 2, false);
	assert_false(digest_is_stale(&response));
}

/* More nonces than the guard remembers: a forgotten one is stale, never believed again. */
static void a_forgotten_nonce_is_not_believed(void **state)
{
	char first[sizeof(credentials)];

	challenge(both + 1, 1, false);
	answer(&alice, 1);
	memcpy(first, credentials, sizeof(first));
	assert_int_equal(verify(), DIGEST_OK);
	for (int i = 0; i < 3 * DIGEST_GUARD_SLOTS; i++) {
		enum digest_verdict verdict;

		now += 1000000;
		challenge(both + 1, 1, false);
		answer(&alice, 1);
		verdict = verify();
		assert_true(verdict == DIGEST_OK || verdict == DIGEST_STALE);
		if (verdict == DIGEST_OK)
			assert_int_equal(verify(), DIGEST_STALE);
	}
	parse_request(first);
	assert_int_equal(verify(), DIGEST_STALE);
}

static void no_buffer_is_overrun(void **state)
{
	char value[512];
	enum sip_header_kind kind;

	challenge(both, 2, false);
	for (size_t size = 0; size < 100; size++) {
		char *buffer = malloc(size + 1);

		assert_int_equal(digest_challenge(server, DIGEST_MD5, REALM, SOURCE, false, now,
					 buffer, size),
			-ENOSPC);
		assert_int_equal(digest_answer(&response, &alice, STR("REGISTER"), STR("sip:a"),
					 STR_NULL, 1, STR("c"), &kind, buffer, size),
			-ENOSPC);
		free(buffer);
	}
	memset(value, 'x', sizeof(value));
	assert_true(digest_challenge(server, DIGEST_MD5, str_make(value, sizeof(value)), SOURCE,
			    false, now, value, sizeof(value)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_7616),
		cmocka_unit_test_setup_teardown(no_credentials_is_absent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			each_algorithm_passes_and_the_strongest_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replay_is_stale, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_nonce_ages_and_belongs_to_its_source, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_forgotten_nonce_is_not_believed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_buffer_is_overrun, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
