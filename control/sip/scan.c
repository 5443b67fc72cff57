/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define ALNUM (SIP_CLASS_TOKEN | SIP_CLASS_WORD | SIP_CLASS_UNRESERVED | SIP_CLASS_HOST)

static uint16_t classes_of(unsigned char c)
{
	uint16_t set = 0;

	if (c == 0 || c > 126)
		return 0;
	if (c >= '0' && c <= '9')
		return ALNUM | SIP_CLASS_DIGIT | SIP_CLASS_HEX | SIP_CLASS_PHONE | SIP_CLASS_URI;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		set = ALNUM | SIP_CLASS_ALPHA | SIP_CLASS_URI;
		return (c | 32) <= 'f' ? set | SIP_CLASS_HEX | SIP_CLASS_PHONE : set;
	}
	if (strchr("-.!%*_+`'~", c))
		set |= SIP_CLASS_TOKEN;
	if (strchr("-.!%*_+`'~()<>:\\\"/[]?{}", c))
		set |= SIP_CLASS_WORD;
	if (strchr("-_.!~*'()", c))
		set |= SIP_CLASS_UNRESERVED;
	if (strchr("&=+$,;?/", c))
		set |= SIP_CLASS_USER;
	if (strchr("&=+$,", c))
		set |= SIP_CLASS_PASSWORD;
	if (strchr("[]/:&+$", c))
		set |= SIP_CLASS_PARAM;
	if (strchr("[]/?:+$", c))
		set |= SIP_CLASS_HEADER;
	if (strchr("-._", c))
		set |= SIP_CLASS_HOST;
	if (strchr("-_.!~*'();/?:@&=+$,[]", c))
		set |= SIP_CLASS_URI;
	if (strchr("-.()*#", c))
		set |= SIP_CLASS_PHONE;
	return set;
}

uint16_t sip_class_table[256];

__attribute__((constructor)) static void fill_class_table(void)
{
	for (unsigned c = 0; c < 256; c++)
		sip_class_table[c] = classes_of((unsigned char)c);
}

int sip_number(struct str text, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (text.n == 0)
		return -EBADMSG;
	for (size_t i = 0; i < text.n; i++)
		if (!sip_is((unsigned char)text.p[i], SIP_CLASS_DIGIT))
			return -EBADMSG;
	for (size_t i = 0; i < text.n; i++) {
		unsigned digit = (unsigned)(text.p[i] - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	if (n > max)
		return -ERANGE;
	*number = n;
	return 0;
}

int sip_unquote(struct str text, char *out, size_t size, size_t *length)
{
	size_t n = 0;
	bool quoted = text.n > 0 && text.p[0] == '"';
	size_t end = text.n;

	if (quoted && (text.n < 2 || text.p[text.n - 1] != '"'))
		return -EBADMSG;
	if (quoted)
		end--;
	for (size_t i = quoted; i < end; i++) {
		if (quoted && text.p[i] == '\\' && ++i == end)
			return -EBADMSG;
		if (n == size)
			return -ENOSPC;
		out[n++] = text.p[i];
	}
	*length = n;
	return 0;
}

static unsigned hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

int sip_unescape(struct str text, char *out, size_t size, size_t *length)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%') {
			if (text.n - i < 3 ||
				!sip_is((unsigned char)text.p[i + 1], SIP_CLASS_HEX) ||
				!sip_is((unsigned char)text.p[i + 2], SIP_CLASS_HEX))
				return -EBADMSG;
			c = (char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2]));
			i += 2;
		}
		if (n == size)
			return -ENOSPC;
		out[n++] = c;
	}
	*length = n;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Length of the fold or blank at the front, 0 for anything else. */
static size_t space_at(const char *at, const char *end)
{
	if (at == end)
		return 0;
	if (is_blank(*at))
		return 1;
	if (end - at >= 3 && at[0] == '\r' && at[1] == '\n' && is_blank(at[2]))
		return 3;
	return 0;
}

void sip_scan_space(struct sip_scan *scan)
{
	size_t n;

	while ((n = space_at(scan->at, scan->end)) > 0)
		scan->at += n;
}

bool sip_scan_char(struct sip_scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

bool sip_scan_mark(struct sip_scan *scan, char c)
{
	struct sip_scan next = *scan;

	sip_scan_space(&next);
	if (!sip_scan_char(&next, c))
		return false;
	sip_scan_space(&next);
	*scan = next;
	return true;
}

bool sip_scan_run(struct sip_scan *scan, unsigned classes, struct str *run)
{
	const char *at = scan->at;

	while (at < scan->end && sip_is((unsigned char)*at, classes))
		at++;
	if (at == scan->at)
		return false;
	*run = str_make(scan->at, (size_t)(at - scan->at));
	scan->at = at;
	return true;
}

bool sip_scan_token(struct sip_scan *scan, struct str *token)
{
	return sip_scan_run(scan, SIP_CLASS_TOKEN, token);
}

/* Bytes of one element of a quoted string: qdtext, a fold, or a quoted pair; 0 when there is none.
 */
static size_t quoted_element(const char *at, const char *end)
{
	unsigned char c = (unsigned char)*at;

	if (c == '\\') {
		if (end - at < 2 || at[1] == '\r' || at[1] == '\n' || (unsigned char)at[1] > 127)
			return 0;
		return 2;
	}
	if (c == '\r')
		return space_at(at, end);
	return c == '\t' || (c >= 0x20 && c != 0x7f) ? 1 : 0;
}

bool sip_scan_quoted(struct sip_scan *scan, struct str *quoted)
{
	const char *at = scan->at;

	if (at == scan->end || *at++ != '"')
		return false;
	while (at < scan->end && *at != '"') {
		size_t n = quoted_element(at, scan->end);

		if (n == 0)
			return false;
		at += n;
	}
	if (at == scan->end)
		return false;
	at++;
	*quoted = str_make(scan->at, (size_t)(at - scan->at));
	scan->at = at;
	return true;
}

static bool is_ipv4(struct str host)
{
	char text[INET_ADDRSTRLEN];
	unsigned char ip[4];

	return str_copy(host, text, sizeof(text)) == 0 && inet_pton(AF_INET, text, ip) == 1;
}

static bool is_ipv6(struct str host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char ip[16];

	return str_copy(host, text, sizeof(text)) == 0 && inet_pton(AF_INET6, text, ip) == 1;
}

/*
 * hostname: labels of letters, digits and inner hyphens; the last one is no number. Beyond the RFC
 * '_' counts as a letter and a digit may come first: names of containers and Windows machines.
 */
static bool is_domain(struct str host)
{
	struct str rest = host, label;
	uint64_t number;

	if (host.n > 1 && host.p[host.n - 1] == '.')
		rest.n--;
	while (str_split(&rest, '.', &label)) {
		if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
	}
	return sip_number(label, UINT64_MAX, &number) == -EBADMSG;
}

static bool scan_ipv6_reference(struct sip_scan *scan, struct str *host)
{
	const char *close;

	if (scan->at == scan->end || *scan->at != '[')
		return false;
	close = memchr(scan->at, ']', (size_t)(scan->end - scan->at));
	if (!close || !is_ipv6(str_make(scan->at + 1, (size_t)(close - scan->at - 1))))
		return false;
	*host = str_make(scan->at, (size_t)(close + 1 - scan->at));
	scan->at = close + 1;
	return true;
}

bool sip_scan_host(struct sip_scan *scan, struct str *host)
{
	struct sip_scan next = *scan;
	struct str name;

	if (scan_ipv6_reference(scan, host))
		return true;
	if (!sip_scan_run(&next, SIP_CLASS_HOST, &name) || (!is_ipv4(name) && !is_domain(name)))
		return false;
	*host = name;
	*scan = next;
	return true;
}

bool sip_scan_host_port(struct sip_scan *scan, struct str *host, uint16_t *port)
{
	struct sip_scan next = *scan;
	struct str name, digits;
	uint64_t number = 0;

	if (!sip_scan_host(&next, &name))
		return false;
	if (sip_scan_char(&next, ':')) {
		if (!sip_scan_run(&next, SIP_CLASS_DIGIT, &digits) ||
			sip_number(digits, 65535, &number) < 0 || number == 0)
			return false;
	}
	*host = name;
	*port = (uint16_t)number;
	*scan = next;
	return true;
}

/* An address of received= stands without brackets, so ':' may be part of a value. */
static bool scan_param_value(struct sip_scan *scan, struct str *value)
{
	const char *at = scan->at;

	if (sip_scan_quoted(scan, value))
		return true;
	while (at < scan->end && (sip_is((unsigned char)*at, SIP_CLASS_TOKEN) || *at == ':' ||
					 *at == '[' || *at == ']'))
		at++;
	if (at == scan->at)
		return false;
	*value = str_make(scan->at, (size_t)(at - scan->at));
	scan->at = at;
	return true;
}

static bool scan_param(struct sip_scan *scan, struct str *name, struct str *value)
{
	struct sip_scan next = *scan;
	struct str text = str_make(scan->end, 0);

	if (!sip_scan_mark(&next, ';') || !sip_scan_token(&next, name))
		return false;
	*scan = next;
	if (sip_scan_mark(&next, '=')) {
		if (!scan_param_value(&next, &text))
			return false;
		*scan = next;
	}
	*value = text;
	return true;
}

bool sip_scan_params(struct sip_scan *scan, struct str *params)
{
	struct sip_scan next = *scan;
	struct str name, value;
	const char *start;

	sip_scan_space(&next);
	start = next.at;
	if (next.at == next.end || *next.at != ';') {
		*params = str_make(start, 0);
		return true;
	}
	for (;;) {
		struct sip_scan before = next;

		sip_scan_space(&before);
		if (before.at == before.end || *before.at != ';')
			break;
		if (!scan_param(&next, &name, &value))
			return false;
	}
	*params = str_make(start, (size_t)(next.at - start));
	*scan = next;
	return true;
}

bool sip_param_next(struct str *rest, struct str *name, struct str *value)
{
	struct sip_scan scan = sip_scan(*rest);

	if (!scan_param(&scan, name, value))
		return false;
	*rest = str_make(scan.at, (size_t)(scan.end - scan.at));
	return true;
}

bool sip_param(struct str params, const char *name, struct str *value)
{
	struct str n, v;

	while (sip_param_next(&params, &n, &v)) {
		if (!str_equal_nocase_text(n, name))
			continue;
		if (value)
			*value = v;
		return true;
	}
	return false;
}
