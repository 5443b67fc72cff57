/* SPDX-License-Identifier: Apache-2.0 */
/* The option rows: defaults are good, the printed file reads back, bad values are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contact/config.h"

static void test_defaults_are_good(void **state)
{
	struct config config = {0};
	struct report report;

	report_init(&report);
	config_preset(&config);
	assert_int_equal(config_judge(&config, &report), 0);
	config_clear(&config);
	report_clear(&report);
}

static void test_what_is_printed_reads_back(void **state)
{
	struct config config = {0}, again = {0};
	struct report report;
	struct yml_doc *doc;
	char *text;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	report_init(&report);
	config_preset(&config);
	assert_int_equal(config_set(&config, "routing.offer=7s", &report), 0);
	config_print(&config, to);
	fclose(to);
	assert_int_equal(yml_load_text(text, n, "printed", &report, &doc), 0);
	config_preset(&again);
	assert_int_equal(config_read(&again, yml_root(doc), &report), 0);
	assert_int_equal(again.offer_ns, config.offer_ns);
	assert_string_equal(again.account, config.account);
	yml_destroy(doc);
	free(text);
	config_clear(&config);
	config_clear(&again);
	report_clear(&report);
}

static void test_bad_values_are_named(void **state)
{
	static const struct {
		const char *set, *named;
	} rows[] = {
		{"instance.account=12345678901x", "instance.account"},
		{"sip.udp=localhost:5060", "localhost"},
		{"sip.udp=[2001:db8::g]:5060", "2001:db8::g"},
		{"sip.tcp=unix:/run/sip", "unix:/run/sip"},
		{"media.codecs=G729", "G729"},
		{"media.codecs=PCMU,opus,pcmu", "each once"},
		{"sip.registration_min=2h", "sip.registration_min"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config config = {0};
		struct report report;

		report_init(&report);
		config_preset(&config);
		assert_int_equal(config_set(&config, rows[i].set, &report), 0);
		assert_int_not_equal(config_judge(&config, &report), 0);
		assert_true(report_mentions(&report, REPORT_ERROR, rows[i].named));
		config_clear(&config);
		report_clear(&report);
	}
}

static void test_media_of_peers_that_say_nothing(void **state)
{
	struct config config = {0};
	struct peer_media media;
	struct report report;

	report_init(&report);
	config_preset(&config);
	config_peer_media(&config, &media);
	assert_int_equal(media.codec_count, 2);
	assert_int_equal(media.codecs[0], CORD_CODEC_PCMU);
	assert_int_equal(media.srtp, PEER_SRTP_OFF);
	assert_int_equal(peer_media_ptime_ms(&media), 20);
	assert_int_equal(config_set(&config, "media.codecs=Opus,g722,PCMA", &report), 0);
	assert_int_equal(config_set(&config, "media.srtp=optional", &report), 0);
	assert_int_equal(config_set(&config, "media.jitter_min=100ms", &report), 0);
	assert_int_equal(config_judge(&config, &report), 0);
	config_peer_media(&config, &media);
	assert_int_equal(media.codec_count, 3);
	assert_int_equal(media.codecs[0], CORD_CODEC_OPUS);
	assert_int_equal(media.codecs[1], CORD_CODEC_G722);
	assert_int_equal(media.srtp, PEER_SRTP_OPTIONAL);
	assert_int_equal(media.jitter_min_ns, 100000000);
	assert_int_equal(config_set(&config, "media.jitter_max=90ms", &report), 0);
	assert_int_not_equal(config_judge(&config, &report), 0);
	assert_true(report_mentions(&report, REPORT_ERROR, "jitter_max"));
	config_clear(&config);
	report_clear(&report);
}

static void test_a_set_that_is_none(void **state)
{
	struct config config = {0};
	struct report report;

	report_init(&report);
	config_preset(&config);
	assert_int_not_equal(config_set(&config, "routing.offer", &report), 0);
	assert_int_not_equal(config_set(&config, "routing.ofer=20s", &report), 0);
	assert_int_not_equal(config_set(&config, "routing.offer=soon", &report), 0);
	config_clear(&config);
	report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_good),
		cmocka_unit_test(test_what_is_printed_reads_back),
		cmocka_unit_test(test_bad_values_are_named),
		cmocka_unit_test(test_media_of_peers_that_say_nothing),
		cmocka_unit_test(test_a_set_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
