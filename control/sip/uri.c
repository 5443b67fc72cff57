/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/uri.h"

#include <errno.h>
#include <string.h>

static struct str rest_of(const struct sip_scan *scan)
{
	return str_make(scan->at, (size_t)(scan->end - scan->at));
}

/* Every character is of the classes or a valid escape. */
static bool all_of(struct str text, unsigned classes)
{
	for (size_t i = 0; i < text.n; i++) {
		if (sip_is((unsigned char)text.p[i], classes) && text.p[i] != '%')
			continue;
		if (text.p[i] != '%' || text.n - i < 3 ||
			!sip_is((unsigned char)text.p[i + 1], SIP_CLASS_HEX) ||
			!sip_is((unsigned char)text.p[i + 2], SIP_CLASS_HEX))
			return false;
		i += 2;
	}
	return true;
}

/* Splits "name[=value]". */
static void split_pair(struct str pair, struct str *name, struct str *value)
{
	ptrdiff_t equal = str_index(pair, '=');

	*name = equal < 0 ? pair : str_head(pair, (size_t)equal);
	*value = equal < 0 ? str_make(pair.p + pair.n, 0) : str_skip(pair, (size_t)equal + 1);
}

static bool params_valid(struct str params)
{
	struct str rest = str_skip(params, 1), pair, name, value;
	unsigned count = 0;

	while (str_split(&rest, ';', &pair)) {
		if (count++ == SIP_URI_PARTS_MAX)
			return false;
		split_pair(pair, &name, &value);
		if (name.n == 0 || (value.n == 0 && name.n < pair.n))
			return false;
		if (!all_of(name, SIP_CLASS_PARAM | SIP_CLASS_UNRESERVED) ||
			!all_of(value, SIP_CLASS_PARAM | SIP_CLASS_UNRESERVED))
			return false;
	}
	return true;
}

static bool headers_valid(struct str headers)
{
	struct str rest = headers, pair, name, value;
	unsigned count = 0;

	if (headers.n == 0)
		return false;
	while (str_split(&rest, '&', &pair)) {
		if (count++ == SIP_URI_PARTS_MAX)
			return false;
		split_pair(pair, &name, &value);
		if (name.n == 0 || name.n == pair.n ||
			!all_of(name, SIP_CLASS_HEADER | SIP_CLASS_UNRESERVED) ||
			!all_of(value, SIP_CLASS_HEADER | SIP_CLASS_UNRESERVED))
			return false;
	}
	return true;
}

static int parse_userinfo(struct sip_uri *uri, struct sip_scan *scan)
{
	struct str rest = rest_of(scan);
	ptrdiff_t at = str_index(rest, '@');
	struct str info;
	ptrdiff_t colon;

	if (at < 0)
		return 0;
	info = str_head(rest, (size_t)at);
	colon = str_index(info, ':');
	uri->user = colon < 0 ? info : str_head(info, (size_t)colon);
	if (colon >= 0) {
		uri->has_password = true;
		uri->password = str_skip(info, (size_t)colon + 1);
	}
	if (uri->user.n == 0 || !all_of(uri->user, SIP_CLASS_UNRESERVED | SIP_CLASS_USER) ||
		!all_of(uri->password, SIP_CLASS_UNRESERVED | SIP_CLASS_PASSWORD))
		return -EBADMSG;
	scan->at += at + 1;
	return 0;
}

static int parse_sip(struct sip_uri *uri, struct sip_scan *scan)
{
	struct str rest;
	ptrdiff_t question;

	if (parse_userinfo(uri, scan) < 0 || !sip_scan_host_port(scan, &uri->host, &uri->port))
		return -EBADMSG;
	rest = rest_of(scan);
	question = str_index(rest, '?');
	if (question >= 0) {
		uri->headers = str_skip(rest, (size_t)question + 1);
		if (!headers_valid(uri->headers))
			return -EBADMSG;
		rest = str_head(rest, (size_t)question);
	}
	if (rest.n > 0 && (rest.p[0] != ';' || !params_valid(rest)))
		return -EBADMSG;
	uri->params = rest;
	return 0;
}

static int parse_tel(struct sip_uri *uri, struct sip_scan *scan)
{
	const char *start = scan->at;
	struct str digits, rest;
	bool plus = sip_scan_char(scan, '+');
	bool any = false;

	if (!sip_scan_run(scan, SIP_CLASS_PHONE, &digits))
		return -EBADMSG;
	for (size_t i = 0; i < digits.n; i++) {
		bool digit = sip_is((unsigned char)digits.p[i], SIP_CLASS_DIGIT);

		if (plus && !digit && !strchr("-.()", digits.p[i]))
			return -EBADMSG;
		any |= digit || !strchr("-.()", digits.p[i]);
	}
	uri->user = str_make(start, (size_t)(scan->at - start));
	rest = rest_of(scan);
	if (!any || (rest.n > 0 && (rest.p[0] != ';' || !params_valid(rest))))
		return -EBADMSG;
	uri->params = rest;
	return 0;
}

static bool scan_scheme(struct sip_scan *scan, struct str *scheme)
{
	const char *at = scan->at;

	if (at == scan->end || !sip_is((unsigned char)*at, SIP_CLASS_ALPHA))
		return false;
	while (at < scan->end && (sip_is((unsigned char)*at, SIP_CLASS_ALPHA | SIP_CLASS_DIGIT) ||
					 *at == '+' || *at == '-' || *at == '.'))
		at++;
	*scheme = str_make(scan->at, (size_t)(at - scan->at));
	scan->at = at;
	return sip_scan_char(scan, ':');
}

int sip_uri_parse(struct sip_uri *uri, struct str text)
{
	struct sip_uri u = {.text = text, .scheme = SIP_SCHEME_OTHER};
	struct sip_scan scan = sip_scan(text);
	int rc = 0;

	if (!scan_scheme(&scan, &u.scheme_name))
		return -EBADMSG;
	if (str_equal_nocase_text(u.scheme_name, "sip"))
		u.scheme = SIP_SCHEME_SIP;
	else if (str_equal_nocase_text(u.scheme_name, "sips"))
		u.scheme = SIP_SCHEME_SIPS;
	else if (str_equal_nocase_text(u.scheme_name, "tel"))
		u.scheme = SIP_SCHEME_TEL;

	if (u.scheme == SIP_SCHEME_TEL) {
		rc = parse_tel(&u, &scan);
	} else if (u.scheme != SIP_SCHEME_OTHER) {
		rc = parse_sip(&u, &scan);
	} else {
		u.opaque = rest_of(&scan);
		if (u.opaque.n == 0 || !all_of(u.opaque, SIP_CLASS_URI))
			rc = -EBADMSG;
	}
	if (rc == 0)
		*uri = u;
	return rc;
}

static bool pair_find(
	struct str list, char separator, const char *name, size_t name_n, struct str *value)
{
	struct str pair, n, v, wanted = str_make(name, name_n);

	while (str_split(&list, separator, &pair)) {
		split_pair(pair, &n, &v);
		if (!str_equal_nocase(n, wanted))
			continue;
		if (value)
			*value = v;
		return true;
	}
	return false;
}

bool sip_uri_param(const struct sip_uri *uri, const char *name, struct str *value)
{
	return uri->params.n > 0 &&
	       pair_find(str_skip(uri->params, 1), ';', name, strlen(name), value);
}

bool sip_uri_header(const struct sip_uri *uri, const char *name, struct str *value)
{
	return uri->headers.n > 0 && pair_find(uri->headers, '&', name, strlen(name), value);
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
}

/*
 * The next character with its escape resolved; an escaped character of the reserved set differs
 * from the same character as it is (RFC 3261 section 19.1.4). -1 at the end.
 */
static int next_character(struct str text, size_t *i)
{
	int c;

	if (*i >= text.n)
		return -1;
	c = (unsigned char)text.p[*i];
	if (c != '%' || text.n - *i < 3) {
		*i += 1;
		return c;
	}
	c = (int)(hex_digit(text.p[*i + 1]) << 4 | hex_digit(text.p[*i + 2]));
	*i += 3;
	return c != 0 && strchr(";/?:@&=+$,", c) ? c + 256 : c;
}

static int fold_case(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool equal_escaped(struct str a, struct str b, bool nocase)
{
	size_t i = 0, j = 0;

	for (;;) {
		int x = next_character(a, &i), y = next_character(b, &j);

		if (nocase ? fold_case(x) != fold_case(y) : x != y)
			return false;
		if (x < 0)
			return true;
	}
}

static bool must_match_always(struct str name)
{
	static const char *const names[] = {"user", "ttl", "method", "maddr", "transport"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal_nocase_text(name, names[i]))
			return true;
	return false;
}

/* Every parameter of a agrees with b's, and those that always count are there. */
static bool params_agree(const struct sip_uri *a, const struct sip_uri *b, bool all)
{
	struct str rest, pair, name, value, other;

	if (a->params.n == 0)
		return true;
	rest = str_skip(a->params, 1);
	while (str_split(&rest, ';', &pair)) {
		split_pair(pair, &name, &value);
		if (b->params.n > 0 &&
			pair_find(str_skip(b->params, 1), ';', name.p, name.n, &other)) {
			if (!equal_escaped(value, other, true))
				return false;
		} else if (all || must_match_always(name)) {
			return false;
		}
	}
	return true;
}

static bool headers_agree(struct str a, struct str b)
{
	struct str pair, name, value, other;

	while (a.n > 0 && str_split(&a, '&', &pair)) {
		split_pair(pair, &name, &value);
		if (b.n == 0 || !pair_find(b, '&', name.p, name.n, &other) ||
			!equal_escaped(value, other, false))
			return false;
	}
	return true;
}

static bool equal_tel(const struct sip_uri *a, const struct sip_uri *b)
{
	char x[64], y[64];

	if (sip_uri_number(a, x, sizeof(x)) < 0 || sip_uri_number(b, y, sizeof(y)) < 0)
		return equal_escaped(a->text, b->text, true);
	return strcasecmp(x, y) == 0 && params_agree(a, b, true) && params_agree(b, a, true);
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (str_equal(a->text, b->text))
		return true;
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == SIP_SCHEME_OTHER)
		return str_equal_nocase(a->scheme_name, b->scheme_name) &&
		       str_equal(a->opaque, b->opaque);
	if (a->scheme == SIP_SCHEME_TEL)
		return equal_tel(a, b);
	return a->has_password == b->has_password && a->port == b->port &&
	       equal_escaped(a->user, b->user, false) &&
	       equal_escaped(a->password, b->password, false) &&
	       str_equal_nocase(a->host, b->host) && params_agree(a, b, false) &&
	       params_agree(b, a, false) && headers_agree(a->headers, b->headers) &&
	       headers_agree(b->headers, a->headers);
}

int sip_uri_user(const struct sip_uri *uri, char *user, size_t size)
{
	size_t n;
	int rc;

	if (size == 0)
		return -ENOSPC;
	rc = sip_unescape(uri->user, user, size - 1, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if ((unsigned char)user[i] < 32 || user[i] == 127)
			rc = -EBADMSG;
	user[rc == 0 ? n : 0] = '\0';
	return rc;
}

int sip_uri_number(const struct sip_uri *uri, char *number, size_t size)
{
	struct str user = uri->user;
	ptrdiff_t semicolon = str_index(user, ';');
	size_t n = 0;

	if (semicolon >= 0)
		user.n = (size_t)semicolon;
	for (size_t i = 0; i < user.n; i++) {
		char c = user.p[i];

		if (strchr("-.()", c) && c != '\0')
			continue;
		if (!(c == '+' && n == 0) && !sip_is((unsigned char)c, SIP_CLASS_DIGIT) &&
			c != '*' && c != '#')
			return -ENOENT;
		if (n + 1 >= size)
			return -ENOSPC;
		number[n++] = c;
	}
	if (n == 0 || (n == 1 && number[0] == '+'))
		return -ENOENT;
	number[n] = '\0';
	return 0;
}

uint16_t sip_uri_port(const struct sip_uri *uri)
{
	if (uri->port)
		return uri->port;
	return uri->scheme == SIP_SCHEME_SIPS ? 5061 : 5060;
}
