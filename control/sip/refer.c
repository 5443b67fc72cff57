/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/refer.h"

#include <errno.h>

/* The user without escapes and parameters; false for one that cannot be a text. */
static bool read_user(struct sip_refer *refer)
{
	struct sip_uri plain = refer->uri;
	ptrdiff_t semicolon = str_index(plain.user, ';');

	if (semicolon >= 0)
		plain.user = str_head(plain.user, (size_t)semicolon);
	return sip_uri_user(&plain, refer->user, sizeof(refer->user)) == 0;
}

static bool read_replaces(struct sip_refer *refer)
{
	struct str escaped;
	size_t n;

	refer->has_replaces = sip_uri_header(&refer->uri, "Replaces", &escaped);
	if (!refer->has_replaces)
		return true;
	return sip_unescape(escaped, refer->text, sizeof(refer->text), &n) == 0 &&
	       sip_replaces_parse(&refer->replaces, str_make(refer->text, n)) == 0;
}

static bool is_invite(const struct sip_uri *uri)
{
	struct str method;

	return !sip_uri_param(uri, "method", &method) || str_equal(method, STR("INVITE"));
}

/* "false" with or without parameters; anything else asks for what RFC 3515 does anyway. */
static bool is_unsubscribed(const struct sip_message *request)
{
	const struct sip_header *header = sip_message_header(request, SIP_HEADER_REFER_SUB);
	struct sip_scan scan;
	struct str value;

	if (!header)
		return false;
	scan = sip_scan(header->value);
	return sip_scan_token(&scan, &value) && str_equal_nocase(value, STR("false"));
}

int sip_refer_parse(
	const struct sip_message *request, struct sip_refer *refer, const char **problem)
{
	const struct sip_header *to = sip_message_header(request, SIP_HEADER_REFER_TO);
	const struct sip_header *by = sip_message_header(request, SIP_HEADER_REFERRED_BY);
	struct sip_address address;

	*refer = (struct sip_refer){0};
	*problem = "Missing Refer-To";
	if (!to)
		return -EBADMSG;
	*problem = "Bad Refer-To";
	if (sip_address_parse(&address, to->value) < 0 || address.star)
		return -EBADMSG;
	refer->uri = address.uri;
	*problem = "Refer-To Is No SIP Or Telephone URI";
	if (refer->uri.scheme == SIP_SCHEME_OTHER)
		return -EBADMSG;
	*problem = "Refer-To Is Not For INVITE";
	if (!is_invite(&refer->uri))
		return -EBADMSG;
	*problem = "Bad Replaces In Refer-To";
	if (!read_replaces(refer))
		return -EBADMSG;
	*problem = "Bad User In Refer-To";
	if (!read_user(refer) || (!refer->user[0] && !refer->has_replaces))
		return -EBADMSG;
	refer->referred_by = by ? by->value : STR_NULL;
	refer->unsubscribed = is_unsubscribed(request);
	*problem = NULL;
	return 0;
}
