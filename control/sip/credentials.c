/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/credentials.h"

#include <errno.h>

static struct str without_quotes(struct str text)
{
	if (text.n >= 2 && text.p[0] == '"')
		return str_make(text.p + 1, text.n - 2);
	return text;
}

static struct str *slot_of(struct sip_credentials *c, struct str name)
{
	const struct {
		const char *name;
		struct str *slot;
	} slots[] = {
		{"username", &c->username},
		{"realm", &c->realm},
		{"nonce", &c->nonce},
		{"uri", &c->uri},
		{"response", &c->response},
		{"algorithm", &c->algorithm},
		{"cnonce", &c->cnonce},
		{"opaque", &c->opaque},
		{"qop", &c->qop},
		{"domain", &c->domain},
		{"nc", &c->nc_text},
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (str_equal_nocase_text(name, slots[i].name))
			return slots[i].slot;
	return NULL;
}

static int take_param(struct sip_credentials *c, struct str name, struct str value)
{
	struct str *slot = slot_of(c, name);

	if (str_equal_nocase_text(name, "stale"))
		c->has_stale_true = str_equal_nocase_text(without_quotes(value), "true");
	if (!slot)
		return 0;
	if (slot->p)
		return -EBADMSG;
	*slot = without_quotes(value);
	return 0;
}

static int finish(struct sip_credentials *c)
{
	uint64_t nc;

	c->has_qop = c->qop.p;
	c->has_algorithm = c->algorithm.p;
	c->has_opaque = c->opaque.p;
	if (!c->nc_text.p)
		return 0;
	if (c->nc_text.n != 8 || str_to_hex64(c->nc_text, &nc) < 0)
		return -EBADMSG;
	c->nc = (uint32_t)nc;
	return 0;
}

static int scan_digest_params(struct sip_credentials *c, struct sip_scan *scan)
{
	struct str name, value;
	unsigned count = 0;

	do {
		if (count++ == SIP_CREDENTIALS_PARAMS_MAX)
			return -E2BIG;
		if (!sip_scan_token(scan, &name) || !sip_scan_mark(scan, '=') ||
			(!sip_scan_quoted(scan, &value) && !sip_scan_token(scan, &value)) ||
			take_param(c, name, value) < 0)
			return -EBADMSG;
	} while (sip_scan_mark(scan, ','));
	sip_scan_space(scan);
	return sip_scan_done(scan) ? 0 : -EBADMSG;
}

int sip_credentials_parse(struct sip_credentials *credentials, struct str value)
{
	struct sip_credentials c = {0};
	struct sip_scan scan = sip_scan(value);
	int rc;

	if (!sip_scan_token(&scan, &c.scheme))
		return -EBADMSG;
	c.digest = str_equal_nocase_text(c.scheme, "Digest");
	sip_scan_space(&scan);
	if (sip_scan_done(&scan))
		return -EBADMSG;
	if (c.digest) {
		rc = scan_digest_params(&c, &scan);
		if (rc == 0)
			rc = finish(&c);
		if (rc < 0)
			return rc;
	}
	*credentials = c;
	return 0;
}
