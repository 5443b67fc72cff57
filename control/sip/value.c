/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/value.h"

#include <errno.h>

static const char *const method_names[] = {
#define X(name) #name,
	SIP_METHODS(X)
#undef X
		"?",
};

enum sip_method sip_method(struct str name)
{
	for (unsigned i = 0; i < SIP_METHOD_OTHER; i++)
		if (str_equal_text(name, method_names[i]))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

const char *sip_method_name(enum sip_method method)
{
	return method_names[method <= SIP_METHOD_OTHER ? method : SIP_METHOD_OTHER];
}

static bool scan_end(struct sip_scan *scan)
{
	sip_scan_space(scan);
	return sip_scan_done(scan);
}

/* digits *( SEMI param ) */
static int parse_number_params(
	struct sip_scan *scan, uint64_t max, uint64_t *number, struct str *params)
{
	struct str digits;
	int rc;

	if (!sip_scan_run(scan, SIP_CLASS_DIGIT, &digits))
		return -EBADMSG;
	rc = sip_number(digits, max, number);
	if (rc < 0)
		return rc;
	return sip_scan_params(scan, params) && scan_end(scan) ? 0 : -EBADMSG;
}

static int parse_number(struct str value, uint64_t max, uint64_t *number)
{
	return sip_number(str_trim(value), max, number);
}

int sip_cseq_parse(struct sip_cseq *cseq, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct str digits, name;
	uint64_t number;
	const char *before;
	int rc;

	if (!sip_scan_run(&scan, SIP_CLASS_DIGIT, &digits))
		return -EBADMSG;
	before = scan.at;
	sip_scan_space(&scan);
	if (scan.at == before || !sip_scan_token(&scan, &name) || !scan_end(&scan))
		return -EBADMSG;
	rc = sip_number(digits, SIP_CSEQ_MAX, &number);
	if (rc < 0)
		return rc;
	*cseq = (struct sip_cseq){.number = (uint32_t)number,
		.method = (uint8_t)sip_method(name),
		.method_name = name};
	return 0;
}

static bool scan_call_id(struct sip_scan *scan, struct str *call_id)
{
	const char *start = scan->at;
	struct str word;

	if (!sip_scan_run(scan, SIP_CLASS_WORD, &word))
		return false;
	if (sip_scan_char(scan, '@') && !sip_scan_run(scan, SIP_CLASS_WORD, &word))
		return false;
	*call_id = str_make(start, (size_t)(scan->at - start));
	return true;
}

int sip_call_id_parse(struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct str call_id;

	return scan_call_id(&scan, &call_id) && sip_scan_done(&scan) ? 0 : -EBADMSG;
}

int sip_max_forwards_parse(uint8_t *hops, struct str value)
{
	uint64_t number;
	int rc = parse_number(value, 255, &number);

	if (rc == 0)
		*hops = (uint8_t)number;
	return rc;
}

int sip_content_length_parse(uint32_t *length, struct str value)
{
	uint64_t number;
	int rc = parse_number(value, INT32_MAX, &number);

	if (rc == 0)
		*length = (uint32_t)number;
	return rc;
}

int sip_seconds_parse(uint32_t *seconds, struct str value)
{
	uint64_t number;
	int rc = parse_number(value, SIP_SECONDS_MAX, &number);

	if (rc == 0)
		*seconds = (uint32_t)number;
	return rc;
}

/* A comment in parentheses, with comments inside and quoted pairs. */
static bool scan_comment(struct sip_scan *scan)
{
	unsigned depth = 0;
	const char *at = scan->at;

	do {
		if (at == scan->end)
			return false;
		if (*at == '\\' && scan->end - at < 2)
			return false;
		if (*at == '(')
			depth++;
		else if (*at == ')')
			depth--;
		at += *at == '\\' ? 2 : 1;
	} while (depth > 0);
	scan->at = at;
	return true;
}

int sip_retry_after_parse(uint32_t *seconds, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct str digits, params;
	uint64_t number;
	int rc;

	if (!sip_scan_run(&scan, SIP_CLASS_DIGIT, &digits))
		return -EBADMSG;
	sip_scan_space(&scan);
	if (scan.at < scan.end && *scan.at == '(' && !scan_comment(&scan))
		return -EBADMSG;
	if (!sip_scan_params(&scan, &params) || !scan_end(&scan))
		return -EBADMSG;
	rc = sip_number(digits, SIP_SECONDS_MAX, &number);
	if (rc == 0)
		*seconds = (uint32_t)number;
	return rc;
}

int sip_content_type_parse(struct sip_content_type *content, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct sip_content_type c = {0};

	if (!sip_scan_token(&scan, &c.type) || !sip_scan_mark(&scan, '/') ||
		!sip_scan_token(&scan, &c.subtype) || !sip_scan_params(&scan, &c.params) ||
		!scan_end(&scan))
		return -EBADMSG;
	*content = c;
	return 0;
}

bool sip_content_type_is(
	const struct sip_content_type *content, const char *type, const char *subtype)
{
	return str_equal_nocase_text(content->type, type) &&
	       str_equal_nocase_text(content->subtype, subtype);
}

int sip_session_expires_parse(struct sip_session_expires *expires, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	enum sip_refresher refresher = SIP_REFRESHER_NONE;
	struct str params, who;
	uint64_t number;
	int rc = parse_number_params(&scan, SIP_SECONDS_MAX, &number, &params);

	if (rc < 0)
		return rc;
	if (sip_param(params, "refresher", &who)) {
		if (str_equal_nocase_text(who, "uac"))
			refresher = SIP_REFRESHER_UAC;
		else if (str_equal_nocase_text(who, "uas"))
			refresher = SIP_REFRESHER_UAS;
		else
			return -EBADMSG;
	}
	*expires = (struct sip_session_expires){
		.seconds = (uint32_t)number, .refresher = (uint8_t)refresher};
	return 0;
}

int sip_reason_parse(struct sip_reason *reason, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct sip_reason r = {.cause = -1};
	struct str params, cause;
	uint64_t number;

	if (!sip_scan_token(&scan, &r.protocol) || !sip_scan_params(&scan, &params) ||
		!scan_end(&scan))
		return -EBADMSG;
	if (sip_param(params, "cause", &cause)) {
		if (sip_number(cause, 65535, &number) < 0)
			return -EBADMSG;
		r.cause = (int)number;
	}
	sip_param(params, "text", &r.text);
	*reason = r;
	return 0;
}

int sip_info_parse(struct sip_info *info, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct sip_info i = {0};
	const char *start;

	if (!sip_scan_char(&scan, '<'))
		return -EBADMSG;
	start = scan.at;
	while (scan.at < scan.end &&
		(sip_is((unsigned char)*scan.at, SIP_CLASS_URI) || *scan.at == '%'))
		scan.at++;
	i.uri = str_make(start, (size_t)(scan.at - start));
	if (i.uri.n == 0 || !sip_scan_char(&scan, '>') || !sip_scan_params(&scan, &i.params) ||
		!scan_end(&scan))
		return -EBADMSG;
	*info = i;
	return 0;
}

int sip_replaces_parse(struct sip_replaces *replaces, struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct sip_replaces r = {0};
	struct str params;

	if (!scan_call_id(&scan, &r.call_id) || !sip_scan_params(&scan, &params) ||
		!scan_end(&scan))
		return -EBADMSG;
	if (!sip_param(params, "to-tag", &r.to_tag) || !sip_param(params, "from-tag", &r.from_tag))
		return -EBADMSG;
	r.early_only = sip_param(params, "early-only", NULL);
	*replaces = r;
	return 0;
}

int sip_token_parse(struct str value)
{
	struct sip_scan scan = sip_scan(value);
	struct str token;

	return sip_scan_token(&scan, &token) && sip_scan_done(&scan) ? 0 : -EBADMSG;
}
