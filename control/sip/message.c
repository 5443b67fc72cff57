/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/message.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_MAX_FORWARDS 70

_Static_assert(SIP_HEADERS_MAX < 255, "the index of a header fits a byte");

static void problem(struct sip_parse *p, uint16_t status, const char *reason)
{
	if (p->status == 0) {
		p->status = status;
		p->reason = reason;
	}
}

static void bad(struct sip_parse *p, const char *reason)
{
	problem(p, 400, reason);
}

/* ---- lines ---- */

/*
 * Takes a line up to its CRLF. With folds, lines that start with a space or tab belong to it. A CR
 * or LF alone ends it too, as a problem.
 */
static bool take_line(struct sip_parse *p, bool folds, struct str *line)
{
	const char *start = p->scan.at, *end = p->scan.end, *at = start;

	if (at == end)
		return false;
	for (;;) {
		while (at < end && *at != '\r' && *at != '\n')
			at++;
		if (at == end) {
			bad(p, "Header Section Is Cut Short");
			break;
		}
		if (*at == '\n' || end - at < 2 || at[1] != '\n') {
			bad(p, "Bare CR or LF");
			break;
		}
		if (!folds || end - at < 3 || (at[2] != ' ' && at[2] != '\t'))
			break;
		at += 3;
	}
	*line = str_make(start, (size_t)(at - start));
	if (at < end)
		at += *at == '\r' && end - at > 1 && at[1] == '\n' ? 2 : 1;
	p->scan.at = at;
	return true;
}

/* ---- start line ---- */

static bool starts_with_version(struct str line)
{
	return str_starts_nocase(line, STR("SIP/"));
}

static bool is_our_version(struct str version)
{
	return str_equal_nocase_text(version, "SIP/2.0");
}

static void parse_status_line(struct sip_parse *p, struct str line)
{
	struct sip_message *m = p->message;
	ptrdiff_t space = str_index(line, ' ');
	struct str version = space < 0 ? line : str_head(line, (size_t)space);
	struct str rest = str_skip(line, version.n + 1);
	uint64_t status;

	if (!is_our_version(version))
		bad(p, "Unknown SIP Version");
	else if (rest.n < 3 || sip_number(str_head(rest, 3), 699, &status) < 0 || status < 100 ||
		 (rest.n > 3 && rest.p[3] != ' '))
		bad(p, "Bad Status Code");
	else
		m->status = (uint16_t)status;
	m->reason = str_skip(rest, 4);
}

/* False when it is no request line of any SIP at all. */
static bool parse_request_line(struct sip_parse *p, struct str line)
{
	struct sip_message *m = p->message;
	struct sip_scan scan = sip_scan(line);
	struct str version, rest;
	ptrdiff_t space;

	if (!sip_scan_token(&scan, &m->method_name) || !sip_scan_char(&scan, ' '))
		return false;
	m->method = (uint8_t)sip_method(m->method_name);
	rest = str_make(scan.at, (size_t)(scan.end - scan.at));
	if (rest.n > 0 && rest.p[rest.n - 1] == ' ')
		bad(p, "White Space after SIP-Version");
	while (rest.n > 0 && rest.p[rest.n - 1] == ' ')
		rest.n--;
	space = str_index_last(rest, ' ');
	if (space < 0)
		return false;
	version = str_skip(rest, (size_t)space + 1);
	if (!starts_with_version(version))
		return false;
	if (!is_our_version(version))
		problem(p, 505, "Version Not Supported");
	p->uri = str_head(rest, (size_t)space);
	return true;
}

static bool parse_start_line(struct sip_parse *p)
{
	struct str line;

	while (sip_scan_char(&p->scan, '\r'))
		if (!sip_scan_char(&p->scan, '\n'))
			return false;
	if (!take_line(p, false, &line))
		return false;
	p->message->request = !starts_with_version(line);
	if (p->message->request)
		return parse_request_line(p, line);
	parse_status_line(p, line);
	return true;
}

/* ---- headers ---- */

static void add_header(struct sip_parse *p, struct str name, struct str value)
{
	struct sip_message *m = p->message;
	enum sip_header_kind kind = sip_header_kind(name);

	if (m->header_count == SIP_HEADERS_MAX) {
		bad(p, "Too Many Headers");
		return;
	}
	m->headers[m->header_count++] =
		(struct sip_header){.name = name, .value = str_trim(value), .kind = (uint8_t)kind};
	if (kind == SIP_HEADER_OTHER)
		return;
	if (m->first[kind] && (sip_header_flags(kind) & SIP_ONCE))
		bad(p, "Header Stands Twice");
	else if (!m->first[kind])
		m->first[kind] = (uint8_t)m->header_count;
}

static void parse_header_line(struct sip_parse *p, struct str line)
{
	struct sip_scan scan = sip_scan(line);
	struct str name;

	if (line.n > SIP_HEADER_BYTES_MAX) {
		bad(p, "Header Too Long");
		return;
	}
	if (!sip_scan_token(&scan, &name)) {
		bad(p, "Bad Header Name");
		return;
	}
	while (sip_scan_char(&scan, ' ') || sip_scan_char(&scan, '\t'))
		;
	if (!sip_scan_char(&scan, ':'))
		bad(p, "Header Without Colon");
	else
		add_header(p, name, str_make(scan.at, (size_t)(scan.end - scan.at)));
}

static void parse_headers(struct sip_parse *p)
{
	struct str line;

	while (take_line(p, true, &line)) {
		if (line.n == 0)
			return;
		parse_header_line(p, line);
	}
	bad(p, "Header Section Is Cut Short");
}

/* ---- what every message must have ---- */

static bool value_of(struct sip_parse *p, enum sip_header_kind kind, struct str *value)
{
	const struct sip_header *header = sip_message_header(p->message, kind);

	if (header)
		*value = header->value;
	return header;
}

static void check_via(struct sip_parse *p)
{
	struct sip_message *m = p->message;
	struct sip_values values = sip_values(m, SIP_HEADER_VIA);
	struct sip_via via;
	struct str value;
	int rc;

	while ((rc = sip_values_next(&values, &value)) > 0) {
		int parsed = sip_via_parse(&via, value);

		if (m->via_count++ == 0)
			m->via = via;
		if (parsed < 0)
			bad(p, "Bad Via");
		else if (!str_equal_text(via.version, "2.0"))
			bad(p, "Unknown Version in Via");
	}
	if (rc < 0)
		bad(p, "Bad Via");
	if (m->via_count == 0)
		bad(p, "Missing Via");
	else if (str_equal_nocase_text(m->via.branch, "z9hG4bK"))
		bad(p, "Empty Via Branch");
}

/* Of From and To: one address, and a tag that is none or a token. */
static bool is_party(struct str value, struct sip_address *address, struct str *tag)
{
	if (sip_address_parse(address, value) < 0 || address->star)
		return false;
	return !sip_address_param(address, "tag", tag) || (tag->n != 0 && tag->p[0] != '"');
}

static void check_party(struct sip_parse *p, enum sip_header_kind kind, struct sip_address *address,
	struct str *tag, const char *missing, const char *wrong)
{
	struct str value;

	if (!value_of(p, kind, &value))
		bad(p, missing);
	else if (!is_party(value, address, tag))
		bad(p, wrong);
}

static void check_cseq(struct sip_parse *p)
{
	struct sip_message *m = p->message;
	struct str value;

	if (!value_of(p, SIP_HEADER_CSEQ, &value)) {
		bad(p, "Missing CSeq");
	} else if (sip_cseq_parse(&m->cseq, value) < 0) {
		bad(p, "Bad CSeq");
	} else if (!m->request) {
		m->method = m->cseq.method;
		m->method_name = m->cseq.method_name;
	} else if (!str_equal(m->cseq.method_name, m->method_name)) {
		bad(p, "CSeq Method Does Not Match");
	}
}

static void check_call_id(struct sip_parse *p)
{
	struct str value;

	if (!value_of(p, SIP_HEADER_CALL_ID, &value))
		bad(p, "Missing Call-ID");
	else if (sip_call_id_parse(value) < 0)
		bad(p, "Bad Call-ID");
	else
		p->message->call_id = value;
}

static void check_request_uri(struct sip_parse *p)
{
	struct sip_message *m = p->message;

	if (sip_uri_parse(&m->uri, p->uri) < 0)
		bad(p, "Bad Request-URI");
	else if (m->uri.headers.n > 0)
		bad(p, "Headers in Request-URI");
}

static void check_max_forwards(struct sip_parse *p)
{
	struct sip_message *m = p->message;
	struct str value;

	m->max_forwards = DEFAULT_MAX_FORWARDS;
	if (!value_of(p, SIP_HEADER_MAX_FORWARDS, &value))
		return;
	m->has_max_forwards = true;
	if (sip_max_forwards_parse(&m->max_forwards, value) < 0)
		bad(p, "Bad Max-Forwards");
}

/* Every value is an address; those of a route stand in < >; "*" is only for Contact, and alone. */
static void check_addresses(struct sip_parse *p, enum sip_header_kind kind, const char *wrong)
{
	const struct sip_header *header = sip_message_header(p->message, kind);
	struct sip_values values = sip_values(p->message, kind);
	struct sip_address address;
	struct str value;
	bool star = false;
	unsigned count = 0;
	int rc;

	for (; header; header = sip_message_header_next(p->message, header))
		if (header->value.n == 0)
			bad(p, wrong);
	while ((rc = sip_values_next(&values, &value)) > 0) {
		count++;
		if (sip_address_parse(&address, value) < 0 ||
			(kind != SIP_HEADER_CONTACT && !address.bracketed)) {
			bad(p, wrong);
			return;
		}
		star |= address.star;
	}
	if (rc < 0 || (star && count > 1))
		bad(p, wrong);
}

static void check_content(struct sip_parse *p)
{
	struct sip_content_type content;
	struct str value;

	if (value_of(p, SIP_HEADER_CONTENT_TYPE, &value) &&
		sip_content_type_parse(&content, value) < 0)
		bad(p, "Bad Content-Type");
	p->has_length = value_of(p, SIP_HEADER_CONTENT_LENGTH, &value);
	if (!p->has_length)
		return;
	if (sip_content_length_parse(&p->length, value) < 0) {
		bad(p, "Bad Content-Length");
		p->has_length = false;
	}
}

static void take_body(struct sip_parse *p)
{
	struct sip_message *m = p->message;
	size_t rest = (size_t)(p->scan.end - p->scan.at);
	size_t length = p->has_length ? p->length : rest;

	if (!p->has_length && p->framing == SIP_STREAM)
		bad(p, "Missing Content-Length");
	if (length > rest) {
		bad(p, "Body Is Shorter Than Content-Length");
		length = rest;
	}
	m->body = str_make(p->scan.at, length);
	m->raw.n = (size_t)(p->scan.at + length - m->raw.p);
}

static void check_identity(struct sip_parse *p)
{
	struct sip_message *m = p->message;

	check_via(p);
	check_party(p, SIP_HEADER_FROM, &m->from, &m->from_tag, "Missing From", "Bad From");
	check_party(p, SIP_HEADER_TO, &m->to, &m->to_tag, "Missing To", "Bad To");
	check_call_id(p);
	check_cseq(p);
}

static void check_the_rest(struct sip_parse *p)
{
	const struct sip_message *m = p->message;

	if (m->request)
		check_request_uri(p);
	check_max_forwards(p);
	check_content(p);
	/* Elsewhere nobody needs it: a BYE or a 200 is not lost for a bad one. */
	if (m->request && (m->method == SIP_METHOD_INVITE || m->method == SIP_METHOD_REGISTER))
		check_addresses(p, SIP_HEADER_CONTACT, "Bad Contact");
	check_addresses(p, SIP_HEADER_ROUTE, "Bad Route");
	check_addresses(p, SIP_HEADER_RECORD_ROUTE, "Bad Record-Route");
}

static struct sip_outcome outcome_of(const struct sip_parse *p)
{
	const struct sip_message *m = p->message;
	struct sip_outcome outcome = {SIP_ACCEPT, 0, "accepted"};

	if (p->status == 0)
		return outcome;
	outcome.verdict = SIP_DROP;
	outcome.reason = p->reason;
	if (m->request && m->method != SIP_METHOD_ACK && m->via.host.n > 0) {
		outcome.verdict = SIP_REJECT;
		outcome.status = p->status;
	}
	return outcome;
}

bool sip_message_begin(struct sip_parse *p, struct sip_message *message, const char *bytes,
	size_t length, enum sip_framing framing)
{
	*p = (struct sip_parse){.message = message, .framing = framing};
	memset(message, 0, offsetof(struct sip_message, headers));
	if (length > SIP_MESSAGE_BYTES_MAX) {
		problem(p, 513, "Message Too Large");
		length = SIP_MESSAGE_BYTES_MAX;
	}
	p->scan = sip_scan(str_make(bytes, length));
	message->raw = str_make(p->scan.at, length);
	p->is_sip = parse_start_line(p);
	if (!p->is_sip)
		return false;
	parse_headers(p);
	check_identity(p);
	return p->status == 0;
}

enum sip_verdict sip_message_finish(struct sip_parse *p, struct sip_outcome *outcome)
{
	if (p->is_sip) {
		check_the_rest(p);
		take_body(p);
		*outcome = outcome_of(p);
	} else {
		*outcome = (struct sip_outcome){SIP_DROP, 0, "not SIP"};
	}
	return (enum sip_verdict)outcome->verdict;
}

enum sip_verdict sip_message_parse(struct sip_message *message, const char *bytes, size_t length,
	enum sip_framing framing, struct sip_outcome *outcome)
{
	struct sip_parse parse;

	sip_message_begin(&parse, message, bytes, length, framing);
	return sip_message_finish(&parse, outcome);
}

const char *sip_verdict_name(enum sip_verdict verdict)
{
	static const char *const names[] = {"accept", "reject", "drop"};

	return names[verdict];
}

/* ---- access ---- */

const struct sip_header *sip_message_header(
	const struct sip_message *message, enum sip_header_kind kind)
{
	if (kind >= SIP_HEADER_OTHER || message->first[kind] == 0)
		return NULL;
	return &message->headers[message->first[kind] - 1];
}

const struct sip_header *sip_message_header_next(
	const struct sip_message *message, const struct sip_header *header)
{
	const struct sip_header *end = message->headers + message->header_count;

	for (const struct sip_header *h = header + 1; h < end; h++)
		if (h->kind == header->kind &&
			(h->kind != SIP_HEADER_OTHER || str_equal_nocase(h->name, header->name)))
			return h;
	return NULL;
}

const struct sip_header *sip_message_header_named(
	const struct sip_message *message, const char *name)
{
	struct str wanted = str_from(name);
	enum sip_header_kind kind = sip_header_kind(wanted);

	if (kind != SIP_HEADER_OTHER)
		return sip_message_header(message, kind);
	for (unsigned i = 0; i < message->header_count; i++)
		if (message->headers[i].kind == SIP_HEADER_OTHER &&
			str_equal_nocase(message->headers[i].name, wanted))
			return &message->headers[i];
	return NULL;
}

struct sip_values sip_values(const struct sip_message *message, enum sip_header_kind kind)
{
	return (struct sip_values){.message = message, .kind = (uint8_t)kind};
}

/* Moves to the next field that is not empty. */
static bool next_field(struct sip_values *values)
{
	do {
		values->header = values->header
					 ? sip_message_header_next(values->message, values->header)
					 : sip_message_header(values->message,
						   (enum sip_header_kind)values->kind);
	} while (values->header && values->header->value.n == 0);
	if (values->header)
		values->rest = values->header->value;
	return values->header;
}

/* Bytes up to the comma that ends a value, or -EBADMSG. */
static ptrdiff_t value_length(struct str text)
{
	struct sip_scan scan = sip_scan(text);
	struct str quoted;

	while (!sip_scan_done(&scan) && *scan.at != ',') {
		if (*scan.at == '"') {
			if (!sip_scan_quoted(&scan, &quoted))
				return -EBADMSG;
		} else if (*scan.at == '<') {
			scan.at = memchr(scan.at, '>', (size_t)(scan.end - scan.at));
			if (!scan.at)
				return -EBADMSG;
			scan.at++;
		} else {
			scan.at++;
		}
	}
	return scan.at - text.p;
}

int sip_values_next(struct sip_values *values, struct str *value)
{
	bool last;
	ptrdiff_t n;

	if (!values->rest.p && !next_field(values))
		return 0;
	if (values->count++ == SIP_VALUES_MAX)
		return -E2BIG;
	n = (sip_header_flags((enum sip_header_kind)values->kind) & SIP_LIST)
		    ? value_length(values->rest)
		    : (ptrdiff_t)values->rest.n;
	if (n < 0)
		return (int)n;
	last = (size_t)n == values->rest.n;
	*value = str_trim(str_head(values->rest, (size_t)n));
	values->rest = last ? STR_NULL : str_skip(values->rest, (size_t)n + 1);
	return value->n > 0 ? 1 : -EBADMSG;
}

int sip_message_count(const struct sip_message *message, enum sip_header_kind kind)
{
	struct sip_values values = sip_values(message, kind);
	struct str value;
	int count = 0, rc;

	while ((rc = sip_values_next(&values, &value)) > 0)
		count++;
	return rc < 0 ? rc : count;
}

static int value_at(const struct sip_message *message, enum sip_header_kind kind, unsigned index,
	struct str *value)
{
	struct sip_values values = sip_values(message, kind);
	int rc;

	while ((rc = sip_values_next(&values, value)) > 0)
		if (index-- == 0)
			return 0;
	return rc < 0 ? rc : -ENOENT;
}

int sip_message_via(const struct sip_message *message, unsigned index, struct sip_via *via)
{
	struct str value;
	int rc = value_at(message, SIP_HEADER_VIA, index, &value);

	return rc < 0 ? rc : sip_via_parse(via, value);
}

int sip_message_address(const struct sip_message *message, enum sip_header_kind kind,
	unsigned index, struct sip_address *address)
{
	struct str value;
	int rc = value_at(message, kind, index, &value);

	return rc < 0 ? rc : sip_address_parse(address, value);
}

int sip_message_seconds(
	const struct sip_message *message, enum sip_header_kind kind, uint32_t *seconds)
{
	const struct sip_header *header = sip_message_header(message, kind);

	if (!header)
		return -ENOENT;
	return kind == SIP_HEADER_RETRY_AFTER ? sip_retry_after_parse(seconds, header->value)
					      : sip_seconds_parse(seconds, header->value);
}

int sip_message_session_expires(const struct sip_message *message, enum sip_header_kind kind,
	struct sip_session_expires *expires)
{
	const struct sip_header *header = sip_message_header(message, kind);

	return header ? sip_session_expires_parse(expires, header->value) : -ENOENT;
}

int sip_message_content_type(
	const struct sip_message *message, struct sip_content_type *content_type)
{
	const struct sip_header *header = sip_message_header(message, SIP_HEADER_CONTENT_TYPE);

	return header ? sip_content_type_parse(content_type, header->value) : -ENOENT;
}

int sip_message_reason(const struct sip_message *message, unsigned index, struct sip_reason *reason)
{
	struct str value;
	int rc = value_at(message, SIP_HEADER_REASON, index, &value);

	return rc < 0 ? rc : sip_reason_parse(reason, value);
}

bool sip_message_lists(
	const struct sip_message *message, enum sip_header_kind kind, const char *token)
{
	struct sip_values values = sip_values(message, kind);
	struct str value;

	while (sip_values_next(&values, &value) > 0)
		if (str_equal_nocase_text(value, token))
			return true;
	return false;
}

bool sip_message_body_is(const struct sip_message *message, const char *type, const char *subtype)
{
	struct sip_content_type content;

	return message->body.n > 0 && sip_message_content_type(message, &content) == 0 &&
	       sip_content_type_is(&content, type, subtype);
}

/* ---- multipart bodies ---- */

/* Index of the next "--boundary" that begins a line, or -1. */
static ptrdiff_t find_delimiter(struct str body, struct str boundary, size_t from)
{
	while (from < body.n) {
		ptrdiff_t at = str_find(str_skip(body, from), boundary);

		if (at < 0)
			return -1;
		at += (ptrdiff_t)from;
		if (at >= 2 && memcmp(body.p + at - 2, "--", 2) == 0 &&
			(at == 2 || body.p[at - 3] == '\n'))
			return at - 2;
		from = (size_t)at + 1;
	}
	return -1;
}

/* Takes the lines of headers off the front; without Content-Type a part is text. */
static bool part_is(struct str *part, const char *type, const char *subtype)
{
	struct sip_content_type content = {.type = STR("text"), .subtype = STR("plain")};
	struct str line;

	while (str_split(part, '\n', &line) && str_trim(line).n > 0) {
		ptrdiff_t colon = str_index(line, ':');
		enum sip_header_kind kind =
			colon < 0 ? SIP_HEADER_OTHER
				  : sip_header_kind(str_trim(str_head(line, (size_t)colon)));

		if (kind == SIP_HEADER_CONTENT_ENCODING)
			return false;
		if (kind == SIP_HEADER_CONTENT_TYPE &&
			sip_content_type_parse(
				&content, str_trim(str_skip(line, (size_t)colon + 1))) < 0)
			return false;
	}
	return sip_content_type_is(&content, type, subtype);
}

static struct str without_line_end(struct str text)
{
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	return text;
}

static int find_part(struct str body, struct str boundary, const char *type, const char *subtype,
	struct str *part)
{
	ptrdiff_t at = find_delimiter(body, boundary, 0), next;

	for (; at >= 0; at = next) {
		size_t from = (size_t)at + 2 + boundary.n;
		struct str text, line;

		next = find_delimiter(body, boundary, from);
		if (next < 0)
			break;
		text = str_make(body.p + from, (size_t)next - from);
		/* What is left of the line of the delimiter is blank. */
		if (!str_split(&text, '\n', &line) || str_trim(line).n > 0 || !text.p ||
			!part_is(&text, type, subtype) || !text.p)
			continue;
		text = without_line_end(text);
		if (text.n == 0)
			continue;
		*part = text;
		return 0;
	}
	return -ENODATA;
}

int sip_message_part(
	const struct sip_message *message, const char *type, const char *subtype, struct str *part)
{
	struct sip_content_type content;
	struct str boundary;

	if (message->body.n == 0)
		return -ENODATA;
	if (sip_message_header(message, SIP_HEADER_CONTENT_ENCODING) ||
		sip_message_content_type(message, &content) < 0)
		return -EMEDIUMTYPE;
	if (sip_content_type_is(&content, type, subtype)) {
		*part = message->body;
		return 0;
	}
	if (!str_equal_nocase_text(content.type, "multipart") ||
		!sip_param(content.params, "boundary", &boundary))
		return -EMEDIUMTYPE;
	if (boundary.n > 1 && boundary.p[0] == '"')
		boundary = str_make(boundary.p + 1, boundary.n - 2);
	if (boundary.n == 0 || boundary.n > 70)
		return -EMEDIUMTYPE;
	return find_part(message->body, boundary, type, subtype, part);
}
