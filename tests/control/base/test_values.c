/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* random, clock, duration, address, file, log. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/jot.h"
#include "base/log.h"
#include "base/random.h"

/* RFC 8439, appendix A.1, test vector 1: key, nonce and counter of zeros. */
static void random_is_chacha20(void **state)
{
	static const uint8_t want[] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90};
	struct random r;
	uint8_t got[8];

	random_init_seed(&r, 0);
	random_bytes(&r, got, sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
}

static void random_repeats_and_is_even(void **state)
{
	struct random a, b;
	unsigned counts[10] = {0};
	char x[RANDOM_UUID_SIZE], y[RANDOM_UUID_SIZE], hex[9];

	random_init_seed(&a, 42);
	random_init_seed(&b, 42);
	for (int i = 0; i < 10000; i++) {
		uint64_t v = random_below(&a, 10);

		assert_true(v == random_below(&b, 10));
		counts[v]++;
	}
	for (int i = 0; i < 10; i++)
		assert_true(counts[i] > 800 && counts[i] < 1200);
	for (int i = 0; i < 1000; i++)
		assert_true(random_unit(&a) >= 0 && random_unit(&a) < 1);
	random_init(&a);
	random_init(&b);
	random_uuid(&a, x);
	random_uuid(&b, y);
	assert_true(uuid_valid(str_from(x)));
	assert_int_equal(x[14], '4');
	assert_string_not_equal(x, y);
	random_hex(&a, hex, 8);
	assert_int_equal(strlen(hex), 8);
}

static void uuid_from_name_is_stable(void **state)
{
	char x[RANDOM_UUID_SIZE], y[RANDOM_UUID_SIZE];

	uuid_from_name(STR("queue"), STR("Sales"), x);
	uuid_from_name(STR("queue"), STR("Sales"), y);
	assert_string_equal(x, y);
	assert_true(uuid_valid(str_from(x)));
	uuid_from_name(STR("queueS"), STR("ales"), y);
	assert_string_not_equal(x, y);
	assert_false(uuid_valid(STR("not-a-uuid")));
	x[8] = '0';
	assert_false(uuid_valid(str_from(x)));
}

static void clock_formats_and_parses(void **state)
{
	static const char *const bad[] = {"", "2026-11-20", "2026-11-20T11:40:51",
		"2026-02-30T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T11:40:51.Z",
		"2026-11-20 11:40:51Z", "2026-11-20T11:40:51.1234567890Z", "1969-12-31T23:59:59Z",
		"20x6-11-20T11:40:51Z"};
	struct clock_pair pair = {1000 * CLOCK_S, UINT64_C(1795174851) * CLOCK_S};
	char text[CLOCK_ISO_SIZE];
	uint64_t wall = 1;

	clock_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_format(UINT64_C(951827696123999999), text);
	assert_string_equal(text, "2000-02-29T12:34:56.123Z");
	assert_int_equal(clock_parse(str_from(text), &wall), 0);
	assert_true(wall == UINT64_C(951827696123000000));
	assert_int_equal(clock_parse(STR("2000-02-29T12:34:56Z"), &wall), 0);
	/* each day of four centuries as the C library has it */
	for (time_t day = 0; day < 146097; day++) {
		struct tm tm;
		time_t noon = day * 86400 + 43200;
		char want[CLOCK_ISO_SIZE + 40];

		gmtime_r(&noon, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT12:00:00.000Z", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday);
		clock_format((uint64_t)noon * CLOCK_S, text);
		assert_string_equal(text, want);
	}
	clock_format(UINT64_C(951827696123999999), text);
	assert_int_equal(clock_parse(STR("2000-02-29T12:34:56Z"), &wall), 0);
	assert_true(wall == UINT64_C(951827696000000000));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clock_parse(str_from(bad[i]), &wall), -EINVAL);
	assert_true(clock_wall_at(&pair, 1001 * CLOCK_S) == pair.wall_ns + CLOCK_S);
	assert_true(clock_wall_at(&pair, 999 * CLOCK_S) == pair.wall_ns - CLOCK_S);
	clock_format(UINT64_MAX, text);
	assert_int_equal(strlen(text), CLOCK_ISO_SIZE - 1);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {{"0s", 0}, {"20s", 20 * CLOCK_S}, {"1500ms", 1500 * CLOCK_MS},
		{"2m", 120 * CLOCK_S}, {"1h", 3600 * CLOCK_S}, {"1d", 86400 * CLOCK_S},
		{"250us", 250 * CLOCK_US}, {"7ns", 7}};
	static const char *const bad[] = {"", "s", "20", "20 s", "-1s", "1.5s", "1w", "20S"};
	char text[DURATION_TEXT_SIZE];
	uint64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(str_from(good[i].text), &ns), 0);
		assert_true(ns == good[i].ns);
		duration_format(ns, text);
		assert_string_equal(text, good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(str_from(bad[i]), &ns), -EINVAL);
	assert_int_equal(duration_parse(STR("0"), &ns), 0);
	assert_int_equal(duration_parse(STR("999999999d"), &ns), -ERANGE);
}

static void addresses(void **state)
{
	static const char *const same[] = {
		"192.0.2.1:5060", "[2001:db8::1]:5061", "unix:/run/a.sock"};
	static const char *const bad[] = {"", "host:1", "192.0.2.1", "192.0.2.1:65536",
		"192.0.2.1:", "192.0.2:1", "[2001:db8::1", "unix:", "192.0.2.1:-1",
		"[192.0.2.1:5060"};
	char text[ADDRESS_TEXT_SIZE], longer[200];
	struct address a, b;
	struct address_prefix p;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(address_parse(str_from(same[i]), -1, &a), 0);
		address_format(&a, text);
		assert_string_equal(text, same[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(address_parse(str_from(bad[i]), -1, &a), -EINVAL);
	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	assert_int_equal(address_parse(str_make(longer, sizeof(longer)), -1, &a), -EINVAL);
	assert_int_equal(address_parse(STR("[::ffff:192.0.2.1]:5060"), -1, &a), 0);
	assert_int_equal(address_family(&a), AF_INET);
	assert_int_equal(address_parse(STR("2001:db8::1"), 5060, &a), 0);
	assert_int_equal(address_port(&a), 5060);
	assert_int_equal(address_parse(STR("192.0.2.1"), 5060, &a), 0);
	b = address_ipv4(0xc0000201, 5060);
	assert_true(address_equal(&a, &b));
	address_set_port(&b, 1);
	assert_false(address_equal(&a, &b));
	assert_true(address_equal_host(&a, &b));
	address_format_host(&b, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(address_prefix_parse(STR("192.0.2.0/31"), &p), 0);
	assert_true(address_prefix_has(&p, &a));
	assert_int_equal(address_prefix_parse(STR("192.0.2.2/31"), &p), 0);
	assert_false(address_prefix_has(&p, &a));
	assert_int_equal(address_prefix_parse(STR("0.0.0.0/0"), &p), 0);
	assert_true(address_prefix_has(&p, &a));
	assert_int_equal(address_prefix_parse(STR("192.0.2.0/33"), &p), -EINVAL);
	assert_int_equal(address_prefix_parse(STR("2001:db8::/32"), &p), 0);
	assert_false(address_prefix_has(&p, &a));
	b = address_ipv4(0, 1);
	assert_true(address_is_any(&b));
	assert_false(address_is_any(&a));
}

static void files(void **state)
{
	char path[] = "/tmp/base-file-XXXXXX", *data;
	size_t n;

	close(mkstemp(path));
	assert_int_equal(file_write(path, "hello", 5), 0);
	assert_int_equal(file_read(path, 5, &data, &n), 0);
	assert_int_equal(n, 5);
	assert_string_equal(data, "hello");
	free(data);
	assert_int_equal(file_read(path, 4, &data, &n), -EFBIG);
	assert_int_equal(file_read("/tmp", 4, &data, &n), -EISDIR);
	assert_int_equal(file_read("/dev/null", 4, &data, &n), -EINVAL);
	assert_int_equal(file_read("/nowhere", 4, &data, &n), -ENOENT);
	assert_int_equal(file_write("/nowhere/x", "", 0), -ENOENT);
	unlink(path);
}

static void read_log(int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);

	out[n > 0 ? n : 0] = 0;
}

static void log_lines(void **state)
{
	char text[16384];
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	log_set_fd(fds[1]);
	log_debug(NULL, "test", "not wanted");
	log_info(LOG_CALL("c-1", 12), "sip", "two\nlines %d", 5);
	read_log(fds[0], text, sizeof(text));
	assert_string_equal(
		text + CLOCK_ISO_SIZE - 1, " INFO sip contact=c-1 leg=12: two\\nlines 5\n");
	log_warning(LOG_CALL_FIELDS(NULL, 0, {"peer", "a b"}, {"none", NULL}), "sip", "x");
	read_log(fds[0], text, sizeof(text));
	assert_string_equal(text + CLOCK_ISO_SIZE - 1, " WARNING sip peer=\"a b\": x\n");
	log_set_json(true);
	log_error(LOG_CALL("c", 3), "media", "say \"hi\"\x01");
	read_log(fds[0], text, sizeof(text));
	assert_non_null(strstr(text,
		"\",\"level\":\"error\",\"area\":\"media\",\"contact\":\"c\",\"leg\":3,"
		"\"message\":\"say \\\"hi\\\"\\u0001\"}\n"));
	log_set_json(false);
	log_set_fd(STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}

static void log_is_limited(void **state)
{
	char text[16384];
	size_t lines = 0;
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	log_set_fd(fds[1]);
	for (int i = 0; i < 1000; i++)
		log_warning_limited(NULL, "sip", 5, "malformed");
	read_log(fds[0], text, sizeof(text));
	for (char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_in_range(lines, 5, 10); /* the second may have turned in between */
	log_set_fd(STDERR_FILENO);
	close(fds[0]);
	close(fds[1]);
}

static const char *written(struct jot *j)
{
	assert_false(j->failed);
	assert_int_equal(strlen(j->p), j->n);
	return j->p;
}

static void a_jot_is_json(void **state)
{
	struct jot j = {0};

	jot_open(&j, NULL, '{');
	jot_text(&j, "a", STR("x\"\\\n\x01\xc3\xbc/{"));
	jot_text_or_null(&j, "b", STR_NULL);
	jot_open(&j, "c", '[');
	jot_number(&j, NULL, 0);
	jot_bool(&j, NULL, true);
	jot_bool(&j, NULL, false);
	jot_number(&j, NULL, UINT64_MAX);
	jot_open(&j, NULL, '{');
	jot_close(&j, '}');
	jot_hundredths(&j, NULL, 3.8765);
	jot_hundredths(&j, NULL, NAN);
	jot_close(&j, ']');
	jot_text_of(&j, STR("k\"\x7f"), STR(""));
	jot_time(&j, "t", UINT64_C(951827696123999999));
	jot_fields(&j, STR("\"v\":1,\"w\":2"));
	jot_time(&j, "u", 0);
	jot_close(&j, '}');
	assert_string_equal(written(&j),
		"{\"a\":\"x\\\"\\\\\\n\\u0001\xc3\xbc/"
		"{\",\"b\":null,\"c\":[0,true,false,18446744073709551615,{},"
		"3.88,null],\"k\\\"\x7f\":\"\",\"t\":\"2000-02-29T12:34:"
		"56.123Z\",\"v\":1,\"w\":2,\"u\":null}");
	/* it grows, and is used again */
	jot_reset(&j);
	jot_open(&j, NULL, '[');
	for (unsigned i = 0; i < 5000; i++)
		jot_text(&j, NULL, STR("\x1f"));
	jot_close(&j, ']');
	assert_int_equal(strlen(written(&j)), 5000 * 9 + 1);
	jot_clear(&j);
}

static void a_jot_fails_on_what_is_not_text(void **state)
{
	static const struct str bad[] = {
		STR("\xff"), STR("a\xc3"), STR("\xed\xa0\x80"), STR("a\0b")};
	struct jot j = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		jot_reset(&j);
		jot_text(&j, NULL, bad[i]);
		jot_text(&j, NULL, STR("good"));
		assert_true(j.failed);
	}
	jot_clear(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_is_chacha20),
		cmocka_unit_test(random_repeats_and_is_even),
		cmocka_unit_test(uuid_from_name_is_stable),
		cmocka_unit_test(clock_formats_and_parses),
		cmocka_unit_test(a_jot_is_json),
		cmocka_unit_test(a_jot_fails_on_what_is_not_text),
		cmocka_unit_test(durations),
		cmocka_unit_test(addresses),
		cmocka_unit_test(files),
		cmocka_unit_test(log_lines),
		cmocka_unit_test(log_is_limited),
	};

	return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
