/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/address.h"

#include <errno.h>
#include <string.h>

static bool is_plain_text(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != '"' && c != '<' && c != '>';
}

/*
 * [ display-name ] before '<'. False when there is no '<' where one must be. Without quotes any
 * text passes, not only tokens: carriers write "Miller, J. (Sales)" like that, and UTF-8.
 */
static bool scan_display(struct sip_scan *scan, struct str *display)
{
	struct sip_scan next = *scan;
	const char *start = scan->at, *end = scan->at;

	if (sip_scan_quoted(&next, display)) {
		sip_scan_space(&next);
	} else {
		while (next.at < next.end && is_plain_text((unsigned char)*next.at)) {
			end = ++next.at;
			sip_scan_space(&next);
		}
		*display = str_make(start, (size_t)(end - start));
	}
	if (next.at == next.end || *next.at != '<')
		return false;
	*scan = next;
	return true;
}

static int parse_bracketed(struct sip_address *address, struct sip_scan *scan)
{
	const char *start = ++scan->at;
	const char *close = memchr(start, '>', (size_t)(scan->end - start));

	if (!close)
		return -EBADMSG;
	scan->at = close + 1;
	address->bracketed = true;
	return sip_uri_parse(&address->uri, str_make(start, (size_t)(close - start)));
}

static int parse_bare(struct sip_address *address, struct sip_scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && !strchr(" \t\r\n;,?<>\"", *scan->at))
		scan->at++;
	return sip_uri_parse(&address->uri, str_make(start, (size_t)(scan->at - start)));
}

int sip_address_parse(struct sip_address *address, struct str value)
{
	struct sip_address a = {0};
	struct sip_scan scan = sip_scan(value);
	int rc;

	sip_scan_space(&scan);
	if (sip_scan_char(&scan, '*')) {
		a.star = true;
		rc = 0;
	} else if (scan_display(&scan, &a.display)) {
		rc = parse_bracketed(&a, &scan);
	} else {
		a.display = (struct str){0};
		rc = parse_bare(&a, &scan);
	}
	if (rc < 0)
		return rc;
	if (!a.star && !sip_scan_params(&scan, &a.params))
		return -EBADMSG;
	sip_scan_space(&scan);
	if (!sip_scan_done(&scan))
		return -EBADMSG;
	*address = a;
	return 0;
}

bool sip_address_param(const struct sip_address *address, const char *name, struct str *value)
{
	return sip_param(address->params, name, value);
}

struct str sip_address_tag(const struct sip_address *address)
{
	struct str tag = {0};

	sip_address_param(address, "tag", &tag);
	return tag;
}

int sip_address_display(const struct sip_address *address, char *display, size_t size)
{
	size_t n = 0;
	int rc;

	if (size == 0)
		return -ENOSPC;
	rc = sip_unquote(address->display, display, size - 1, &n);
	if (rc == 0 && memchr(display, '\0', n))
		rc = -EBADMSG;
	display[rc == 0 ? n : 0] = '\0';
	return rc;
}

int sip_address_expires(const struct sip_address *address, uint32_t *seconds)
{
	struct str value;
	uint64_t number;

	if (!sip_address_param(address, "expires", &value))
		return -ENOENT;
	if (sip_number(value, UINT32_MAX, &number) < 0)
		return -EBADMSG;
	*seconds = (uint32_t)number;
	return 0;
}

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3"0" ] */
int sip_address_q(const struct sip_address *address, unsigned *thousandths)
{
	struct str value;
	unsigned q, weight = 100;

	if (!sip_address_param(address, "q", &value))
		return -ENOENT;
	if (value.n == 0 || value.n > 5 || (value.p[0] != '0' && value.p[0] != '1') ||
		(value.n > 1 && value.p[1] != '.'))
		return -EBADMSG;
	q = (unsigned)(value.p[0] - '0') * 1000;
	for (size_t i = 2; i < value.n; i++, weight /= 10) {
		if (!sip_is((unsigned char)value.p[i], SIP_CLASS_DIGIT))
			return -EBADMSG;
		q += (unsigned)(value.p[i] - '0') * weight;
	}
	if (q > 1000)
		return -EBADMSG;
	*thousandths = q;
	return 0;
}
