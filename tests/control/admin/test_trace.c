/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of SIP messages, what is blanked, the metrics text and the bottleneck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/bottleneck.h"
#include "admin/page.h"
#include "admin/trace.h"

static void blanked(const char *message, const char *expected)
{
	char *copy = strdup(message);

	trace_blank(copy, strlen(copy));
	assert_string_equal(copy, expected);
	free(copy);
}

static void secrets_never_get_in(void **state)
{
	blanked("REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"u\", "
		"response=\"0123abcd\", cnonce=\"z\"\r\nX: response=\"kept\"\r\n\r\n",
		"REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"u\", "
		"response=\"xxxxxxxx\", cnonce=\"z\"\r\nX: response=\"kept\"\r\n\r\n");
	blanked("INVITE a\r\nproxy-authorization : digest\r\n  RESPONSE = \"77\",\r\n "
		"a=response\r\n\r\n",
		"INVITE a\r\nproxy-authorization : digest\r\n  RESPONSE = \"xx\",\r\n "
		"a=response\r\n\r\n");
	blanked("INVITE a\r\nAuthorization: Basic dXNlcjpwYXNz\r\n\r\n",
		"INVITE a\r\nAuthorization: Basic xxxxxxxxxxxx\r\n\r\n");
	blanked("INVITE a\r\nAuthorization:\r\n\r\n", "INVITE a\r\nAuthorization:\r\n\r\n");
	blanked("INVITE a\r\n\r\nv=0\r\na=crypto:1 AES inline:secret|2\r\nk=clear:me\r\n",
		"INVITE a\r\n\r\nv=0\r\na=crypto:1 AES inline:xxxxxxxx\r\nk=xxxxxxxx\r\n");
	blanked("INVITE a\n\na=crypto:1 AES_CM_128_HMAC_SHA1_80 INLINE:s|2^31;inline:t W=1\na=x\n",
		"INVITE a\n\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"INLINE:xxxxxxxxxxxxxxxxxxx\na=x\n");
	blanked("INVITE a\r\n\r\na=crypto:1 AES  key\r\na=crypto:1 key\r\nA=CRYPTO:2 A in:k\r\n",
		"INVITE a\r\n\r\na=crypto:1 AES  xxx\r\na=crypto:1 xxx\r\nA=CRYPTO:2 A xxxx\r\n");
	blanked("INFO a\r\nContent-Type: application/dtmf\r\n\r\n5\r\n",
		"INFO a\r\nContent-Type: application/dtmf\r\n\r\nx\r\n");
	blanked("INFO a\r\nc:APPLICATION/DTMF-RELAY\r\n\r\nSignal : 5\r\n",
		"INFO a\r\nc:APPLICATION/DTMF-RELAY\r\n\r\nxxxxxxxxxx\r\n");
	blanked("INFO a\r\n\r\nSignal=5\r\nDuration=160\r\n",
		"INFO a\r\n\r\nSignal=x\r\nDuration=160\r\n");
}

/* No cut of a message, and no byte in it, leads out of its bytes. */
static void blanking_stays_inside(void **state)
{
	static const char message[] = "INVITE a\r\nAuthorization: Digest "
				      "response=\"77\"\r\nCall-ID: x\r\n\r\na=crypto:1 inline:s";
	size_t n = sizeof(message) - 1;

	for (size_t cut = 0; cut <= n; cut++)
		for (unsigned byte = 0; byte < 256; byte += 5) {
			char *copy = malloc(cut ? cut : 1);

			memcpy(copy, message, cut);
			if (cut)
				copy[cut / 2] = (char)byte;
			trace_blank(copy, cut);
			trace_call_id(str_make(copy, cut));
			free(copy);
		}
}

static bool count_visit(void *ctx, const struct trace_message *m)
{
	unsigned *last = ctx;
	unsigned number = (unsigned)m->now_ns;

	assert_true(number > *last); /* oldest first */
	*last = number;
	assert_string_equal(m->peer, "127.0.0.1:5060");
	return true;
}

static void the_ring_keeps_the_last(void **state)
{
	struct address peer = address_ipv4(0x7f000001, 5060);
	struct trace *t = trace_new(16384);
	struct trace_stats stats;
	char message[3000];
	unsigned last;

	for (unsigned i = 1; i <= 5000; i++) {
		int n = snprintf(
			message, sizeof(message), "OPTIONS a\r\nCall-ID:  c%u \r\n\r\n", i % 3);

		memset(message + n, 'b', (i * 37) % 2000);
		trace_add(
			t, i, i % 2, "udp", &peer, str_make(message, (size_t)n + (i * 37) % 2000));
		trace_stats(t, &stats);
		assert_true(stats.bytes <= 16384 && stats.held > 0);
		last = 0;
		trace_each(t, str_make(message + 21, 2), count_visit, &last);
		assert_int_equal(last, i); /* what was put in last is there */
	}
	assert_int_equal(stats.messages, 5000);
	assert_int_equal(trace_each(t, STR("none"), count_visit, &last), 0);
	trace_free(t);
}

static void calls_are_found_by_contact(void **state)
{
	struct trace *t = trace_new(0);
	struct str ids[4];

	trace_bind(t, "11111111-aaaa-4aaa-8aaa-000000000001", STR("one"));
	trace_bind(t, "11111111-aaaa-4aaa-8aaa-000000000002", STR("two"));
	trace_bind(t, "11111111-aaaa-4aaa-8aaa-000000000001", STR("three"));
	trace_bind(t, "11111111-aaaa-4aaa-8aaa-000000000001", STR(""));
	assert_int_equal(trace_calls_of(t, "11111111-aaaa-4aaa-8aaa-000000000001", ids, 4), 2);
	assert_true(str_equal_text(ids[0], "one"));
	assert_true(str_equal_text(ids[1], "three"));
	for (unsigned i = 0; i < TRACE_BINDINGS_MAX; i++)
		trace_bind(t, "11111111-aaaa-4aaa-8aaa-000000000003", STR("x"));
	assert_int_equal(trace_calls_of(t, "11111111-aaaa-4aaa-8aaa-000000000001", ids, 4), 0);
	trace_free(t);
}

/* ---- the metrics text ---------------------------------------------------------------------- */

/* NAME or NAME{label="value",…}, a space, a number. */
static void lint_sample(const char *line)
{
	char *end;

	assert_true(strncmp(line, "cordboard_", 10) == 0);
	line += strspn(line, "abcdefghijklmnopqrstuvwxyz_0123456789");
	if (*line == '{') {
		do {
			line++;
			assert_true(islower((unsigned char)*line));
			line += strspn(line, "abcdefghijklmnopqrstuvwxyz_");
			assert_int_equal(*line++, '=');
			assert_int_equal(*line++, '"');
			while (*line != '"') {
				assert_true(*line && *line != '\n');
				line += *line == '\\' ? 2 : 1;
			}
			line++;
		} while (*line == ',');
		assert_int_equal(*line++, '}');
	}
	assert_int_equal(*line++, ' ');
	strtod(line, &end);
	assert_true(end != line && *end == '\0');
}

static void every_line_parses(void **state)
{
	static const uint32_t bounds[] = {5, 10};
	static const uint64_t counts[] = {1, 2, 4};
	char *text = NULL, *line, *rest;
	size_t n = 0;
	struct page page = {.to = open_memstream(&text, &n)};

	page_family(&page, "queue_contacts", PAGE_GAUGE, "contacts in the queue");
	page_value(&page, 3, "queue", "Ret\"ur\\n\ns", NULL);
	page_value(&page, 0.25, NULL);
	page_value(&page, 1e300, "queue", "a", "reason", "b", NULL);
	page_family(&page, "queue_wait_seconds", PAGE_HISTOGRAM, "waits");
	page_histogram(&page, &(struct page_label){"queue", "A"}, 1,
		&(struct page_buckets){bounds, 1, counts, 2, 12.5});
	page_family(&page, "leg_mos", PAGE_HISTOGRAM, "how good");
	page_histogram(&page, (struct page_label[]){{"side", "a"}, {"direction", "to"}}, 2,
		&(struct page_buckets){bounds, 0.01, counts, 2, 1});
	fclose(page.to);
	assert_non_null(strstr(text, "{queue=\"Ret\\\"ur\\\\n\\ns\"} 3\n"));
	assert_non_null(strstr(text, "_bucket{queue=\"A\",le=\"10\"} 3\n"));
	assert_non_null(strstr(text, "_bucket{queue=\"A\",le=\"+Inf\"} 7\n"));
	assert_non_null(strstr(text, "_bucket{side=\"a\",direction=\"to\",le=\"0.05\"} 1\n"));
	assert_non_null(strstr(text, "_sum{queue=\"A\"} 12.5\n"));
	assert_non_null(strstr(text, "_count{queue=\"A\"} 7\n"));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (line[0] != '#')
			lint_sample(line);
	free(text);
}

static void the_first_limit_is_named(void **state)
{
	struct bottleneck b = {.name = NULL};
	char text[BOTTLENECK_SIZE];

	bottleneck_text(&b, text);
	assert_string_equal(text, "nothing is in use");
	bottleneck_limit(&b, "rooms", 0, 10);
	bottleneck_limit(&b, "nothing", 5, 0);
	bottleneck_limit(&b, "ports", 812, 1024);
	bottleneck_limit(&b, "contacts", 7, 10);
	bottleneck_limit(&b, "cycles", UINT64_MAX / 4, UINT64_MAX);
	bottleneck_text(&b, text);
	assert_string_equal(text, "ports: 812 of 1024 in use (79.3 %)");
	bottleneck_fails(&b, "the dataplane is %s", "down");
	bottleneck_fails(&b, "later");
	bottleneck_text(&b, text);
	assert_string_equal(text, "the dataplane is down");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(secrets_never_get_in),
		cmocka_unit_test(blanking_stays_inside), cmocka_unit_test(the_ring_keeps_the_last),
		cmocka_unit_test(calls_are_found_by_contact), cmocka_unit_test(every_line_parses),
		cmocka_unit_test(the_first_limit_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
