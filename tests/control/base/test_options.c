/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/options.h"

struct config {
	bool strict;
	int64_t limit;
	uint64_t offer;
	char *name;
	struct address listen, extra;
	struct option_list hosts;
	int format;
};

static const char *const formats[] = {"text", "json", NULL};
static const struct option_row rows[] = {
	{"name", OPTION_STRING, offsetof(struct config, name), .max = 10, .preset = "x",
		.help = "name"},
	{"sip.listen", OPTION_ADDRESS, offsetof(struct config, listen), .preset = "127.0.0.1:5060",
		.help = "heard on"},
	{"sip.extra", OPTION_ADDRESS, offsetof(struct config, extra), .help = "also heard on"},
	{"sip.hosts", OPTION_LIST, offsetof(struct config, hosts), .max = 3, .preset = "a, b",
		.help = "hosts\nsecond line"},
	{"queue.limit", OPTION_INT, offsetof(struct config, limit), .min = 1, .max = 100,
		.preset = "10", .help = "limit"},
	{"queue.offer", OPTION_DURATION, offsetof(struct config, offer), .min = CLOCK_S,
		.max = 300 * (int64_t)CLOCK_S, .preset = "20s", .help = "offer"},
	{"queue.strict", OPTION_BOOL, offsetof(struct config, strict), .preset = "true",
		.help = "strict"},
	{"log.format", OPTION_ENUM, offsetof(struct config, format), .choices = formats,
		.preset = "text", .help = "format"},
};
static const struct options options = {rows, sizeof(rows) / sizeof(rows[0])};

static int read_text(const char *text, struct config *c, struct report *r)
{
	static const char *const others[] = {"trunks", NULL};
	struct yml_doc *doc;
	int rc;

	report_init(r);
	assert_int_equal(yml_load_text(text, strlen(text), "c.yaml", r, &doc), 0);
	rc = options_read(&options, c, yml_root(doc), others, r);
	yml_destroy(doc);
	return rc;
}

static void defaults_and_values(void **state)
{
	struct config c = {0};
	struct report r;

	options_preset(&options, &c);
	assert_string_equal(c.name, "x");
	assert_int_equal(address_port(&c.listen), 5060);
	assert_int_equal(c.extra.length, 0);
	assert_int_equal(c.hosts.n, 2);
	assert_string_equal(c.hosts.items[1], "b");
	assert_true(c.strict);
	assert_int_equal(
		read_text("name: shop\nsip:\n  listen: 192.0.2.1:5080\n  hosts: [q]\n"
			  "queue: {limit: 100, offer: 5s, strict: no}\nlog: {format: json}\n"
			  "trunks: []\n",
			&c, &r),
		0);
	assert_int_equal(report_size(&r), 0);
	assert_string_equal(c.name, "shop");
	assert_int_equal(address_port(&c.listen), 5080);
	assert_int_equal(c.hosts.n, 1);
	assert_int_equal(c.limit, 100);
	assert_true(c.offer == 5 * CLOCK_S);
	assert_false(c.strict);
	assert_int_equal(c.format, 1);
	options_clear(&options, &c);
}

static void wrong_values_are_named(void **state)
{
	static const struct {
		const char *text, *place, *message;
	} bad[] = {
		{"name: 12345678901", "c.yaml:1:7: name", "expected text of 0 to 10 bytes"},
		{"name: [a]", "c.yaml:1:7: name", "found a list"},
		{"sip: {listen: 'host:1'}", "c.yaml:1:15: sip.listen",
			"expected an address and port"},
		{"sip: {hosts: [a, b, c, d]}", "sip.hosts", "expected a list of 0 to 3 values"},
		{"sip: {hosts: a}", "sip.hosts", "expected a list"},
		{"sip: {hosts: [[a]]}", "sip.hosts[0]", "expected text"},
		{"sip: 5", "c.yaml:1:6: sip", "expected a mapping"},
		{"queue: {limit: 0}", "queue.limit",
			"expected a whole number from 1 to 100, found '0'"},
		{"queue: {limit: 1x}", "queue.limit", "found '1x'"},
		{"queue: {offer: 20}", "queue.offer", "expected a duration from 1s to 5m"},
		{"queue: {strict: maybe}", "queue.strict", "expected true or false"},
		{"log: {format: xml}", "log.format", "expected one of: text, json, found 'xml'"},
		{"sip: {liste: x}", "c.yaml:1:14: sip.liste",
			"expected one of: listen, extra, hosts"},
		{"sipp: x", "sipp", "expected one of: name, sip, queue, log, trunks"},
		{"[a]", "c.yaml:1:1", "expected a mapping, found a list"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config c = {0};
		struct report r;

		options_preset(&options, &c);
		assert_int_equal(read_text(bad[i].text, &c, &r), -EINVAL);
		assert_true(report_mentions(&r, REPORT_ERROR, bad[i].place));
		assert_true(report_mentions(&r, REPORT_ERROR, bad[i].message));
		assert_string_equal(c.name, "x");
		assert_int_equal(c.limit, 10);
		report_clear(&r);
		options_clear(&options, &c);
	}
}

static void set_from_the_command_line(void **state)
{
	struct config c = {0};
	struct report r;

	report_init(&r);
	options_preset(&options, &c);
	assert_int_equal(options_set(&options, &c, "queue.limit=7", &r), 0);
	assert_int_equal(options_set(&options, &c, "sip.hosts=p,q,r", &r), 0);
	assert_int_equal(c.limit, 7);
	assert_int_equal(c.hosts.n, 3);
	assert_int_equal(options_set(&options, &c, "queue.limit=101", &r), -EINVAL);
	assert_int_equal(options_set(&options, &c, "queue.limit", &r), -EINVAL);
	assert_int_equal(options_set(&options, &c, "limit=1", &r), -ENOENT);
	assert_int_equal(report_count(&r, REPORT_ERROR), 3);
	assert_true(report_mentions(&r, REPORT_ERROR, "--set queue.limit=101"));
	report_clear(&r);
	options_clear(&options, &c);
}

static char *print(const struct config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (c)
		options_print(&options, c, f);
	else
		options_print_default(&options, f);
	fclose(f);
	return text;
}

/* `#sip:` and `#  listen: …` are options; `# …` and `  # …` are help. */
static void uncomment(char *text)
{
	for (char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (*p == '#' && (p[1] != ' ' || p[2] == ' '))
			*p = ' ';
	}
}

/* What is printed reads back the same, and the default file with its comments taken off as well. */
static void printing_reads_back(void **state)
{
	struct config c = {0}, d = {0};
	struct report r;
	char *text, *again;

	options_preset(&options, &c);
	options_preset(&options, &d);
	report_init(&r);
	options_set(&options, &c, "name=a\"b\\\x01", &r);
	options_set(&options, &c, "queue.offer=1500ms", &r);
	text = print(&c);
	assert_int_equal(read_text(text, &d, &r), 0);
	again = print(&d);
	assert_string_equal(text, again);
	free(text);
	free(again);

	text = print(NULL);
	assert_non_null(strstr(text, "  # second line\n"));
	assert_non_null(strstr(text, "#  limit: 10\n"));
	assert_non_null(strstr(text, "# (a whole number from 1 to 100)\n"));
	uncomment(text);
	options_clear(&options, &c);
	options_clear(&options, &d);
	options_preset(&options, &c);
	assert_int_equal(read_text(text, &d, &r), 0);
	free(text);
	text = print(&c);
	again = print(&d);
	assert_string_equal(text, again);
	free(text);
	free(again);
	options_clear(&options, &c);
	options_clear(&options, &d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_and_values),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(set_from_the_command_line),
		cmocka_unit_test(printing_reads_back),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
