/* SPDX-License-Identifier: Apache-2.0 */
#include "sip/sdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define BOTH (CORD_MAY_SEND | CORD_MAY_RECEIVE)

/* Payload types that need no rtpmap (RFC 3551 section 6), those that are met on telephone lines. */
static const struct sdp_format static_formats[] = {
	{.payload_type = 0, .channels = 1, .clock = 8000, .encoding = {"PCMU", 4}},
	{.payload_type = 3, .channels = 1, .clock = 8000, .encoding = {"GSM", 3}},
	{.payload_type = 4, .channels = 1, .clock = 8000, .encoding = {"G723", 4}},
	{.payload_type = 8, .channels = 1, .clock = 8000, .encoding = {"PCMA", 4}},
	{.payload_type = 9, .channels = 1, .clock = 8000, .encoding = {"G722", 4}},
	{.payload_type = 13, .channels = 1, .clock = 8000, .encoding = {"CN", 2}},
	{.payload_type = 15, .channels = 1, .clock = 8000, .encoding = {"G728", 4}},
	{.payload_type = 18, .channels = 1, .clock = 8000, .encoding = {"G729", 4}},
};

struct parse {
	struct sdp *sdp;
	const char *problem;
	struct cord_address address; /* of the session */
	bool has_address;
	uint8_t direction;
	uint16_t ptime_ms, maxptime_ms;
	bool has_origin;
};

static int bad(struct parse *p, int rc, const char *expected)
{
	if (!p->problem)
		p->problem = expected;
	return rc;
}

/* ---- pieces of a line ---- */

/* The next word of a line; words are separated by spaces. Empty at the end. */
static struct str word(struct str *rest)
{
	struct str w;
	ptrdiff_t space;

	while (rest->n > 0 && rest->p[0] == ' ')
		*rest = str_skip(*rest, 1);
	space = str_index(*rest, ' ');
	w = space < 0 ? *rest : str_head(*rest, (size_t)space);
	*rest = str_skip(*rest, w.n);
	return w;
}

static bool small_number(struct str text, uint64_t max, uint16_t *number)
{
	uint64_t value;

	if (sip_number(text, max, &value) < 0)
		return false;
	*number = (uint16_t)value;
	return true;
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* ::ffff:192.0.2.1 is an IPv4 node (RFC 5118 section 4.10), and reached as one. */
static void unmap(struct cord_address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->family == CORD_FAMILY_IPV6 && memcmp(a->ip, mapped, sizeof(mapped)) == 0)
		*a = cord_address_ipv4(a->ip[12], a->ip[13], a->ip[14], a->ip[15], 0);
}

/* nettype SP addrtype SP address ["/" …]. False when it is no literal that we can use. */
static bool parse_address(struct str value, struct cord_address *address)
{
	struct str rest = value, net = word(&rest), type = word(&rest), host = word(&rest);
	ptrdiff_t slash = str_index(host, '/');
	struct cord_address a = {0};
	char text[INET6_ADDRSTRLEN];
	bool six = str_equal_nocase_text(type, "IP6");

	if (slash >= 0)
		host.n = (size_t)slash;
	if (!str_equal_nocase_text(net, "IN") || (!six && !str_equal_nocase_text(type, "IP4")) ||
		str_copy(host, text, sizeof(text)) < 0 ||
		inet_pton(six ? AF_INET6 : AF_INET, text, a.ip) != 1)
		return false;
	a.family = six ? CORD_FAMILY_IPV6 : CORD_FAMILY_IPV4;
	unmap(&a);
	*address = a;
	return true;
}

/* ---- attributes ---- */

static bool attribute_is(struct str value, const char *name, struct str *content)
{
	size_t n = strlen(name);

	if (value.n < n || memcmp(value.p, name, n) != 0)
		return false;
	if (value.n > n && value.p[n] != ':')
		return false;
	*content = str_skip(value, n + 1);
	return true;
}

/* sendonly of the peer: it sends and does not receive. */
static bool direction_of(struct str value, uint8_t *direction)
{
	static const struct {
		const char *name;
		uint8_t direction;
	} rows[] = {
		{"sendrecv", BOTH},
		{"sendonly", CORD_MAY_SEND},
		{"recvonly", CORD_MAY_RECEIVE},
		{"inactive", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (str_equal_text(value, rows[i].name)) {
			*direction = rows[i].direction;
			return true;
		}
	return false;
}

static struct sdp_format *format_of(struct sdp_media *media, struct str payload_type)
{
	uint16_t number;

	if (!small_number(payload_type, 127, &number))
		return NULL;
	for (unsigned i = 0; i < media->format_count; i++)
		if (media->formats[i].payload_type == number)
			return &media->formats[i];
	return NULL;
}

/* "<payload type> <encoding>/<clock>[/<channels>]"; one that is malformed says nothing. */
static void take_rtpmap(struct sdp_media *media, struct str content)
{
	struct sdp_format *format = format_of(media, word(&content));
	struct str map = word(&content), part[3] = {STR_NULL, STR_NULL, STR_NULL};
	uint64_t clock, channels = 1;

	if (!format)
		return;
	for (int i = 0; i < 3 && str_split(&map, '/', &part[i]); i++)
		;
	if (part[0].n == 0 || sip_number(part[1], 1000000, &clock) < 0 || clock == 0)
		return;
	if (part[2].p && (sip_number(part[2], 8, &channels) < 0 || channels == 0))
		return;
	format->encoding = part[0];
	format->clock = (uint32_t)clock;
	format->channels = (uint8_t)channels;
}

static void take_fmtp(struct sdp_media *media, struct str content)
{
	struct sdp_format *format = format_of(media, word(&content));

	if (format)
		format->fmtp = str_trim(content);
}

/* "<port>[ IN IP4 <address>]"; the c= line stands before it. */
static void take_rtcp(struct sdp_media *media, struct str content)
{
	struct cord_address address;

	if (!small_number(word(&content), 65535, &media->rtcp_port) || str_trim(content).n == 0)
		return;
	media->rtcp_elsewhere = !parse_address(content, &address) || !media->has_address ||
				address.family != media->address.family ||
				memcmp(address.ip, media->address.ip, sizeof(address.ip)) != 0;
}

static void take_media_attribute(struct sdp_media *media, struct str value)
{
	struct str content;

	if (direction_of(value, &media->direction))
		return;
	if (attribute_is(value, "rtpmap", &content))
		take_rtpmap(media, content);
	else if (attribute_is(value, "fmtp", &content))
		take_fmtp(media, content);
	else if (attribute_is(value, "ptime", &content))
		small_number(str_trim(content), 1000, &media->ptime_ms);
	else if (attribute_is(value, "maxptime", &content))
		small_number(str_trim(content), 1000, &media->maxptime_ms);
	else if (attribute_is(value, "rtcp", &content))
		take_rtcp(media, content);
	else if (str_equal_text(value, "rtcp-mux"))
		media->rtcp_mux = true;
}

static void take_session_attribute(struct parse *p, struct str value)
{
	struct str content;

	if (direction_of(value, &p->direction))
		return;
	if (attribute_is(value, "ptime", &content))
		small_number(str_trim(content), 1000, &p->ptime_ms);
	else if (attribute_is(value, "maxptime", &content))
		small_number(str_trim(content), 1000, &p->maxptime_ms);
}

/* ---- m= ---- */

static void add_format(struct sdp_media *media, struct str text)
{
	struct sdp_format *format = &media->formats[media->format_count];
	uint16_t number;

	if (media->format_count == SDP_FORMATS_MAX || !small_number(text, 127, &number))
		return;
	*format = (struct sdp_format){.payload_type = (uint8_t)number, .channels = 1};
	for (size_t i = 0; i < sizeof(static_formats) / sizeof(static_formats[0]); i++)
		if (static_formats[i].payload_type == number)
			*format = static_formats[i];
	media->format_count++;
}

static bool all_tokens(struct str text, const char *also)
{
	for (size_t i = 0; i < text.n; i++)
		if (!sip_is((unsigned char)text.p[i], SIP_CLASS_TOKEN) &&
			(text.p[i] == '\0' || !strchr(also, text.p[i])))
			return false;
	return text.n > 0;
}

static int take_media(struct parse *p, struct str value)
{
	struct sdp *sdp = p->sdp;
	struct sdp_media *media = &sdp->media[sdp->media_count];
	struct str rest = value, port, ports, format;

	if (sdp->media_count == SDP_MEDIA_MAX)
		return bad(p, -E2BIG, "fewer m= lines");
	*media = (struct sdp_media){.first_line = sdp->line_count,
		.has_address = p->has_address,
		.address = p->address,
		.direction = p->direction,
		.ptime_ms = p->ptime_ms,
		.maxptime_ms = p->maxptime_ms};
	media->media = word(&rest);
	ports = word(&rest);
	media->protocol = word(&rest);
	media->formats_text = str_trim(rest);
	if (!str_split(&ports, '/', &port) || !small_number(port, 65535, &media->udp_port) ||
		!all_tokens(media->media, "") || !all_tokens(media->protocol, "/") ||
		media->formats_text.n == 0)
		return bad(p, -EBADMSG, "m=<media> <port> <protocol> <format> …");
	if (str_starts(media->protocol, STR("RTP/")))
		while ((format = word(&rest)).n > 0)
			add_format(media, format);
	sdp->media_count++;
	return 0;
}

/* ---- lines ---- */

/* o=<user> <id> <version> <net> <type> <address> */
static int take_origin(struct parse *p, struct str value)
{
	struct str rest = value, w[6];
	uint64_t number;

	for (int i = 0; i < 6; i++)
		w[i] = word(&rest);
	if (p->has_origin || w[5].n == 0 || rest.n > 0 ||
		sip_number(w[1], UINT64_MAX, &number) == -EBADMSG ||
		sip_number(w[2], UINT64_MAX, &number) == -EBADMSG)
		return bad(p, -EBADMSG, "one o=<user> <id> <version> <net> <type> <address>");
	p->has_origin = true;
	p->sdp->origin = value;
	return 0;
}

static void take_connection(struct parse *p, struct sdp_media *media, struct str value)
{
	struct cord_address address;
	bool usable = parse_address(value, &address);

	if (media) {
		media->has_address = usable;
		if (usable)
			media->address = address;
	} else {
		p->has_address = usable;
		if (usable)
			p->address = address;
	}
}

static int take_line(struct parse *p, char type, struct str value)
{
	struct sdp *sdp = p->sdp;
	struct sdp_media *media = sdp->media_count > 0 ? &sdp->media[sdp->media_count - 1] : NULL;

	if (type == 'm')
		return take_media(p, value);
	if (type == 'c')
		take_connection(p, media, value);
	else if (type == 'a' && media)
		take_media_attribute(media, value);
	else if (type == 'a')
		take_session_attribute(p, value);
	else if (type == 'o')
		return take_origin(p, value);
	else if (type == 't' && !sdp->timing.p)
		sdp->timing = value;
	return 0;
}

static bool clean(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t')
			return false;
	return true;
}

static int add_line(struct parse *p, struct str line)
{
	struct sdp *sdp = p->sdp;
	int rc;

	if (sdp->line_count == SDP_LINES_MAX)
		return bad(p, -E2BIG, "fewer lines");
	if (line.n > SDP_LINE_BYTES_MAX)
		return bad(p, -E2BIG, "shorter lines");
	if (line.n < 2 || line.p[1] != '=' || !sip_is((unsigned char)line.p[0], SIP_CLASS_ALPHA) ||
		!clean(line))
		return bad(p, -EBADMSG, "<letter>=<value> on each line");
	if (sdp->line_count == 0 && !str_equal_text(line, "v=0"))
		return bad(p, -EBADMSG, "v=0 first");
	rc = take_line(p, line.p[0], str_skip(line, 2));
	if (rc < 0)
		return rc;
	sdp->lines[sdp->line_count++] = (struct sdp_line){line.p[0], str_skip(line, 2)};
	return 0;
}

static void finish_media(struct sdp *sdp)
{
	for (unsigned i = 0; i < sdp->media_count; i++) {
		struct sdp_media *media = &sdp->media[i];
		unsigned end =
			i + 1u < sdp->media_count ? sdp->media[i + 1].first_line : sdp->line_count;

		media->line_count = (uint16_t)(end - media->first_line);
		media->held = media->has_address &&
			      all_zero(media->address.ip, sizeof(media->address.ip));
		media->address.udp_port = media->udp_port;
		if (media->rtcp_elsewhere)
			media->rtcp_port = 0;
		else if (media->rtcp_port == 0 && media->udp_port > 0 && media->udp_port < 65535)
			media->rtcp_port = media->udp_port + 1;
	}
}

int sdp_parse(struct sdp *sdp, struct str body, const char **problem)
{
	struct parse p = {.sdp = sdp, .direction = BOTH};
	struct str rest = body, line;
	int rc = 0;

	sdp->line_count = sdp->media_count = 0;
	sdp->origin = sdp->timing = STR_NULL;
	if (body.n > SDP_BYTES_MAX)
		rc = bad(&p, -E2BIG, "a shorter description");
	while (rc == 0 && str_split(&rest, '\n', &line)) {
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 && str_trim(rest).n == 0)
			break;
		rc = add_line(&p, line);
	}
	if (rc == 0 && !p.has_origin)
		rc = bad(&p, -EBADMSG, "an o= line");
	if (rc < 0)
		*problem = p.problem;
	else
		finish_media(sdp);
	return rc;
}

bool sdp_next_attribute(const struct sdp *sdp, const struct sdp_media *media, const char *name,
	unsigned *line, struct str *value)
{
	while (*line < media->line_count) {
		const struct sdp_line *l = &sdp->lines[media->first_line + (*line)++];

		if (l->type == 'a' && attribute_is(l->value, name, value))
			return true;
	}
	return false;
}

bool sdp_attribute(
	const struct sdp *sdp, const struct sdp_media *media, const char *name, struct str *value)
{
	unsigned first = media ? media->first_line : 0;
	unsigned end = media                  ? first + media->line_count
		       : sdp->media_count > 0 ? sdp->media[0].first_line
					      : sdp->line_count;
	struct str content;

	for (unsigned i = first; i < end; i++) {
		if (sdp->lines[i].type != 'a' || !attribute_is(sdp->lines[i].value, name, &content))
			continue;
		if (value)
			*value = content;
		return true;
	}
	return false;
}

enum cord_family sdp_audio_family(const struct sdp *sdp)
{
	for (unsigned i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *media = &sdp->media[i];

		if (str_equal_text(media->media, "audio") && media->udp_port > 0 &&
			media->has_address)
			return (enum cord_family)media->address.family;
	}
	return CORD_FAMILY_NONE;
}
