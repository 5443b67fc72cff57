/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/via.h"

#include <errno.h>

#define COOKIE STR("z9hG4bK")

static const char *const transport_names[] = {"UDP", "TCP", "TLS", "WS", "WSS", "?"};

const char *sip_transport_name(enum sip_transport_kind kind)
{
	return transport_names[kind <= SIP_TRANSPORT_OTHER ? kind : SIP_TRANSPORT_OTHER];
}

enum sip_transport_kind sip_transport_kind(struct str name)
{
	for (unsigned i = 0; i < SIP_TRANSPORT_OTHER; i++)
		if (str_equal_nocase_text(name, transport_names[i]))
			return (enum sip_transport_kind)i;
	return SIP_TRANSPORT_OTHER;
}

static bool scan_protocol(struct sip_scan *scan, struct sip_via *via)
{
	struct str name;
	const char *before;

	if (!sip_scan_token(scan, &name) || !str_equal_nocase_text(name, "SIP") ||
		!sip_scan_mark(scan, '/') || !sip_scan_token(scan, &via->version) ||
		!sip_scan_mark(scan, '/') || !sip_scan_token(scan, &via->transport))
		return false;
	before = scan->at;
	sip_scan_space(scan);
	return scan->at > before;
}

static bool scan_sent_by(struct sip_scan *scan, struct sip_via *via)
{
	struct str host, digits;
	uint64_t port = 0;

	if (!sip_scan_host(scan, &host))
		return false;
	if (sip_scan_mark(scan, ':') && (!sip_scan_run(scan, SIP_CLASS_DIGIT, &digits) ||
						sip_number(digits, 65535, &port) < 0 || port == 0))
		return false;
	via->host = host;
	via->port = (uint16_t)port;
	return true;
}

/* Takes the parameters that matter; false when one of them is malformed. */
static bool take_params(struct sip_via *via)
{
	struct str rest = via->params, name, value;
	uint64_t port;

	while (sip_param_next(&rest, &name, &value)) {
		struct str *slot = str_equal_nocase_text(name, "branch")     ? &via->branch
				   : str_equal_nocase_text(name, "received") ? &via->received
				   : str_equal_nocase_text(name, "maddr")    ? &via->maddr
									     : NULL;

		if (slot && (value.n == 0 || value.p[0] == '"' || slot->n > 0))
			return false;
		if (slot)
			*slot = value;
		if (!str_equal_nocase_text(name, "rport"))
			continue;
		if (via->has_rport)
			return false;
		via->has_rport = true;
		if (value.n > 0 && (sip_number(value, 65535, &port) < 0 || port == 0))
			return false;
		if (value.n > 0)
			via->rport = (uint16_t)port;
	}
	return true;
}

int sip_via_parse(struct sip_via *via, struct str value)
{
	struct sip_scan scan = sip_scan(value);

	*via = (struct sip_via){.transport_kind = SIP_TRANSPORT_OTHER};
	if (!scan_protocol(&scan, via) || !scan_sent_by(&scan, via))
		return -EBADMSG;
	via->transport_kind = (uint8_t)sip_transport_kind(via->transport);
	if (sip_scan_params(&scan, &via->params) && take_params(via)) {
		sip_scan_space(&scan);
		if (sip_scan_done(&scan))
			return 0;
	}
	via->params = STR_NULL;
	return -EBADMSG;
}

bool sip_via_has_cookie(const struct sip_via *via)
{
	return via->branch.n > COOKIE.n && str_starts_nocase(via->branch, COOKIE);
}
