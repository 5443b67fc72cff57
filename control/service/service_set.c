/* SPDX-License-Identifier: Apache-2.0 */
#include "service/service_set.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/yaml.h"

#define NAME_TEXT_MAX  512
#define URL_TEXT_MAX   2048
#define PATH_TEXT_MAX  1024
#define VALUE_TEXT_MAX 4096
#define TOKEN_MAX      16384
#define PATH_SIZE      4096
#define LIMIT_MIN      (100 * CLOCK_MS)
#define LIMIT_MAX      (60 * CLOCK_S)

struct row {
	struct service_target target;
	const char *program[SERVICE_ARGUMENTS_MAX + 1];
	char *headers[SERVICE_HEADERS_MAX + 2]; /* owned; the last may be the token */
	unsigned n_headers;
	char *ca_file; /* owned */
};

struct service_set {
	unsigned references;
	struct yml_doc *doc; /* texts point into it; NULL: no file */
	struct row *rows[SERVICE_KINDS];
	size_t n[SERVICE_KINDS];
};

struct reading {
	const char *directory;
	struct report *report;
	struct service_set *set;
};

static const struct {
	const char *section, *key;
	const char *keys[10];
} kinds[SERVICE_KINDS] = {
	[SERVICE_FUNCTION] = {"functions", "name",
		{"name", "url", "program", "timeout", "concurrency", "headers", "token_file",
			"ca_file", NULL}},
	[SERVICE_ACTION] = {"services", "type",
		{"type", "url", "program", "timeout", "concurrency", "headers", "token_file",
			"ca_file", NULL}},
};

static bool is_printable(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f)
			return false;
	return true;
}

/* ---- where a row leads ---- */

static bool is_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool is = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return is;
}

static bool is_web(CURLU *url)
{
	char *scheme = NULL;
	bool is = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);

	curl_free(scheme);
	return is;
}

static void judge_url(struct reading *r, const struct yml_node *node, const char *text)
{
	CURLU *url = curl_url();
	bool good = url && is_printable(text) &&
		    curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && is_web(url);

	if (!good)
		yml_report(r->report, node, REPORT_ERROR,
			"expected an address like http://host:8080/path, found \"%s\"", text);
	else if (is_part(url, CURLUPART_USER) || is_part(url, CURLUPART_PASSWORD))
		yml_report(r->report, node, REPORT_ERROR,
			"expected no user and password in an address: give a token_file or a "
			"header");
	curl_url_cleanup(url);
}

static void read_program(struct reading *r, const struct yml_node *list, struct row *row)
{
	size_t n = yml_size(list);

	if (n == 0 || n > SERVICE_ARGUMENTS_MAX) {
		yml_report(r->report, list, REPORT_ERROR,
			"expected a program and at most %u arguments, found %zu entries",
			SERVICE_ARGUMENTS_MAX - 1, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (yml_expect(r->report, yml_at(list, i), YML_SCALAR) < 0)
			return;
		row->program[i] = yml_text(yml_at(list, i));
	}
	if (row->program[0][0] == '\0' ||
		(strchr(row->program[0], '/') && access(row->program[0], X_OK) < 0))
		yml_report(r->report, yml_at(list, 0), REPORT_ERROR,
			"expected a program that can be run, found \"%s\"", row->program[0]);
	row->target.program = row->program;
}

static void read_destination(struct reading *r, const struct yml_node *node, struct row *row)
{
	const struct yml_node *program;

	if (!yml_get(node, "url") == !yml_get(node, "program")) {
		yml_report(r->report, node, REPORT_ERROR, "expected one of url and program");
		return;
	}
	if (yml_read_string(r->report, node, "url", YML_OPTIONAL, URL_TEXT_MAX, &row->target.url) ==
		0)
		judge_url(r, yml_get(node, "url"), row->target.url);
	if (yml_read_sequence(r->report, node, "program", YML_OPTIONAL, &program) == 0)
		read_program(r, program, row);
}

/* ---- what goes with a POST ---- */

static void add_header(struct reading *r, const struct yml_node *node, struct row *row,
	const char *name, const char *value)
{
	static const char *const ours[] = {
		"Content-Type", "Content-Length", "Transfer-Encoding", "Expect", "Connection"};
	char **line = &row->headers[row->n_headers];

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcasecmp(ours[i], name) == 0)
			yml_report(r->report, node, REPORT_ERROR, "%s is not for the file to set",
				ours[i]);
	if (name[0] == '\0' ||
		name[strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] ||
		!is_printable(value) || value[0] == '\0') {
		yml_report(r->report, node, REPORT_ERROR,
			"expected the name of a header and a line of text");
		return;
	}
	CHECK(row->n_headers <= SERVICE_HEADERS_MAX);
	if (asprintf(line, "%s: %s", name, value) < 0)
		*line = NULL;
	else
		row->n_headers++;
}

static void read_headers(struct reading *r, const struct yml_node *node, struct row *row)
{
	const struct yml_node *map;

	if (yml_read_mapping(r->report, node, "headers", YML_OPTIONAL, &map))
		return;
	if (yml_size(map) > SERVICE_HEADERS_MAX) {
		yml_report(r->report, map, REPORT_ERROR, "expected at most %u headers, found %zu",
			SERVICE_HEADERS_MAX, yml_size(map));
		return;
	}
	for (size_t i = 0; i < yml_size(map); i++) {
		const struct yml_node *value = yml_at(map, i);

		if (yml_expect(r->report, value, YML_SCALAR) == 0)
			add_header(r, value, row, yml_key_at(map, i), yml_text(value));
	}
}

static char *path_of(const struct reading *r, const char *file)
{
	char *path;

	if (asprintf(&path, "%s%s%s", file[0] == '/' ? "" : r->directory, file[0] == '/' ? "" : "/",
		    file) < 0)
		return NULL;
	return path;
}

static void read_token(struct reading *r, const struct yml_node *node, struct row *row)
{
	char *path, *data = NULL, *value = NULL;
	const char *file;
	struct str token;
	size_t n = 0;
	int rc;

	if (yml_read_string(r->report, node, "token_file", YML_OPTIONAL, PATH_TEXT_MAX, &file))
		return;
	path = path_of(r, file);
	rc = path ? file_read(path, TOKEN_MAX, &data, &n) : -ENOMEM;
	token = str_trim(str_make(data, n));
	if (rc < 0)
		yml_report(r->report, yml_get(node, "token_file"), REPORT_ERROR,
			"expected a file with a token: %s: %s", file, strerror(-rc));
	else if (str_empty(token) || asprintf(&value, "Bearer %.*s", STR_ARG(token)) < 0)
		yml_report(r->report, yml_get(node, "token_file"), REPORT_ERROR,
			"expected a token in %s, found nothing", file);
	else
		add_header(r, yml_get(node, "token_file"), row, "Authorization", value);
	if (data)
		explicit_bzero(data, n);
	free(data);
	free(value);
	free(path);
}

static bool has_certificates(const char *path)
{
	X509_STORE *store = X509_STORE_new();
	bool has = store && X509_STORE_load_file(store, path) == 1;

	X509_STORE_free(store);
	ERR_clear_error();
	return has;
}

static void read_ca_file(struct reading *r, const struct yml_node *node, struct row *row)
{
	const char *file;

	if (yml_read_string(r->report, node, "ca_file", YML_OPTIONAL, PATH_TEXT_MAX, &file))
		return;
	row->ca_file = path_of(r, file);
	row->target.ca_file = row->ca_file;
	if (row->ca_file && !has_certificates(row->ca_file))
		yml_report(r->report, yml_get(node, "ca_file"), REPORT_ERROR,
			"expected a readable file with certificates in PEM, found %s", file);
}

static void refuse_with_program(struct reading *r, const struct yml_node *node)
{
	static const char *const keys[] = {"headers", "token_file", "ca_file"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (yml_get(node, keys[i]))
			yml_report(r->report, yml_get(node, keys[i]), REPORT_ERROR,
				"expected no %s with a program", keys[i]);
}

/* ---- rows ---- */

static void read_name(
	struct reading *r, const struct yml_node *node, enum service_kind kind, struct row *row)
{
	const char *name = "";

	row->target.name = "";
	if (yml_read_string(r->report, node, kinds[kind].key, YML_REQUIRED, NAME_TEXT_MAX, &name))
		return;
	if (name[0] == '\0' || !is_printable(name))
		yml_report(r->report, yml_get(node, kinds[kind].key), REPORT_ERROR,
			"expected a name, found \"%s\"", name);
	for (struct row *other = r->set->rows[kind]; other < row; other++)
		if (strcmp(other->target.name, name) == 0)
			yml_report(r->report, yml_get(node, kinds[kind].key), REPORT_ERROR,
				"expected each %s once, \"%s\" stands in line %u too",
				kinds[kind].key, name, other->target.line);
	row->target.name = name;
}

static void read_row(
	struct reading *r, const struct yml_node *node, enum service_kind kind, struct row *row)
{
	struct service_target *target = &row->target;
	int64_t concurrency;

	target->set = r->set;
	target->kind = kind;
	target->line = yml_line(node);
	target->name = "";
	target->headers = (const char *const *)row->headers;
	if (yml_expect(r->report, node, YML_MAPPING) < 0)
		return;
	yml_only_keys(r->report, node, kinds[kind].keys);
	read_name(r, node, kind, row);
	read_destination(r, node, row);
	if (target->program) {
		refuse_with_program(r, node);
	} else {
		read_headers(r, node, row);
		read_token(r, node, row);
		read_ca_file(r, node, row);
	}
	yml_read_duration(
		r->report, node, "timeout", YML_OPTIONAL, LIMIT_MIN, LIMIT_MAX, &target->limit_ns);
	target->concurrency = target->program ? SERVICE_CONCURRENCY_RUN : SERVICE_CONCURRENCY;
	if (yml_read_int(r->report, node, "concurrency", YML_OPTIONAL, 1, 512, &concurrency) == 0)
		target->concurrency = (unsigned)concurrency;
}

static int read_section(struct reading *r, enum service_kind kind)
{
	const struct yml_node *list;
	size_t n;

	if (yml_read_sequence(
		    r->report, yml_root(r->set->doc), kinds[kind].section, YML_OPTIONAL, &list))
		return 0;
	n = yml_size(list);
	if (n > SERVICE_ROWS_MAX) {
		yml_report(r->report, list, REPORT_ERROR, "expected at most %u entries, found %zu",
			SERVICE_ROWS_MAX, n);
		return 0;
	}
	r->set->rows[kind] = calloc(n + 1, sizeof(struct row));
	if (!r->set->rows[kind])
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r->set->n[kind] = i + 1;
		read_row(r, yml_at(list, i), kind, &r->set->rows[kind][i]);
	}
	return 0;
}

static int read_file(struct reading *r)
{
	const char *const sections[] = {
		kinds[SERVICE_FUNCTION].section, kinds[SERVICE_ACTION].section, NULL};
	size_t before = report_count(r->report, REPORT_ERROR);
	char path[PATH_SIZE];
	int rc;

	snprintf(path, sizeof(path), "%s/" SERVICE_FILE, r->directory);
	if (access(path, F_OK) < 0)
		return 0;
	rc = yml_load_file(path, SERVICE_FILE, r->report, &r->set->doc);
	if (rc < 0)
		return rc;
	if (yml_kind(yml_root(r->set->doc)) == YML_NULL)
		return 0;
	if (yml_expect(r->report, yml_root(r->set->doc), YML_MAPPING) == 0)
		yml_only_keys(r->report, yml_root(r->set->doc), sections);
	for (int kind = 0; rc == 0 && kind < SERVICE_KINDS; kind++)
		rc = read_section(r, kind);
	if (rc == 0 && report_count(r->report, REPORT_ERROR) > before)
		rc = -EINVAL;
	return rc;
}

/* ---- sets ---- */

int service_set_load(const char *directory, struct report *report, struct service_set **out)
{
	struct reading r = {.directory = directory, .report = report};
	int rc;

	r.set = calloc(1, sizeof(*r.set));
	if (!r.set)
		return -ENOMEM;
	r.set->references = 1;
	rc = read_file(&r);
	if (rc < 0) {
		service_set_release(r.set);
		return rc;
	}
	*out = r.set;
	return 0;
}

struct service_set *service_set_hold(struct service_set *set)
{
	set->references++;
	return set;
}

static void row_clear(struct row *row)
{
	for (unsigned i = 0; i < row->n_headers; i++) {
		explicit_bzero(row->headers[i], strlen(row->headers[i]));
		free(row->headers[i]);
	}
	free(row->ca_file);
}

void service_set_release(struct service_set *set)
{
	if (!set || --set->references > 0)
		return;
	for (int kind = 0; kind < SERVICE_KINDS; kind++) {
		for (size_t i = 0; i < set->n[kind]; i++)
			row_clear(&set->rows[kind][i]);
		free(set->rows[kind]);
	}
	yml_destroy(set->doc);
	free(set);
}

/* ---- look-ups ---- */

const struct service_target *service_set_at(
	const struct service_set *set, enum service_kind kind, size_t i)
{
	return set && i < set->n[kind] ? &set->rows[kind][i].target : NULL;
}

static const struct service_target *find(
	const struct service_set *set, enum service_kind kind, struct str name)
{
	const struct service_target *target;

	for (size_t i = 0; (target = service_set_at(set, kind, i)); i++)
		if (str_equal_text(name, target->name))
			return target;
	return NULL;
}

/* Up to the next colon: an alias or version follows. */
static struct str without_version(struct str text, size_t from)
{
	ptrdiff_t colon = str_index(str_skip(text, from), ':');

	return colon < 0 ? text : str_head(text, from + (size_t)colon);
}

const struct service_target *service_set_function(
	const struct service_set *set, const char *reference)
{
	static const char mark[] = "function:";
	struct str text = str_from(reference);
	ptrdiff_t place = str_find(text, STR("function:"));
	size_t from = place < 0 ? 0 : (size_t)place + sizeof(mark) - 1;
	struct str plain = without_version(text, from);
	const struct service_target *target = find(set, SERVICE_FUNCTION, text);

	if (!target)
		target = find(set, SERVICE_FUNCTION, plain);
	if (!target)
		target = find(set, SERVICE_FUNCTION, str_skip(plain, from));
	return target ? target : find(set, SERVICE_FUNCTION, STR("*"));
}

const struct service_target *service_set_action(const struct service_set *set, const char *type)
{
	return find(set, SERVICE_ACTION, str_from(type));
}
