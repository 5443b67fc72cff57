/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct address ipv6(const struct in6_addr *ip, uint16_t port)
{
	struct address a = {.length = sizeof(struct sockaddr_in6)};

	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_addr = *ip;
	a.in6.sin6_port = htons(port);
	return a;
}

struct address address_ipv4(uint32_t ip, uint16_t port)
{
	struct address a = {.length = sizeof(struct sockaddr_in)};

	a.in.sin_family = AF_INET;
	a.in.sin_addr.s_addr = htonl(ip);
	a.in.sin_port = htons(port);
	return a;
}

int address_make(struct str host, uint16_t port, struct address *out)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_make(host.p + 1, host.n - 2);
	if (str_copy(host, text, sizeof(text)) < 0 || memchr(text, 0, host.n))
		return -EINVAL;
	if (inet_pton(AF_INET, text, &v4) != 1) {
		if (inet_pton(AF_INET6, text, &v6) != 1)
			return -EINVAL;
		if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
			*out = ipv6(&v6, port);
			return 0;
		}
		memcpy(&v4, &v6.s6_addr[12], sizeof(v4));
	}
	*out = address_ipv4(ntohl(v4.s_addr), port);
	return 0;
}

static int parse_unix(struct str path, struct address *out)
{
	struct address a = {.length = sizeof(struct sockaddr_un)};

	if (str_empty(path) || memchr(path.p, 0, path.n) ||
		str_copy(path, a.un.sun_path, sizeof(a.un.sun_path)) < 0)
		return -EINVAL;
	a.un.sun_family = AF_UNIX;
	*out = a;
	return 0;
}

int address_parse(struct str text, int default_port, struct address *out)
{
	ptrdiff_t colon = str_index_last(text, ':');
	bool bracketed = text.n && text.p[0] == '[';
	struct str host = text;
	uint32_t port;

	if (str_starts(text, STR("unix:")))
		return parse_unix(str_skip(text, 5), out);
	if (text.n && text.p[0] == '/')
		return parse_unix(text, out);
	/* A bare IPv6 literal has colons of its own and so no port. */
	if (colon >= 0 && bracketed && colon < str_index(text, ']'))
		colon = -1;
	if (colon >= 0 && !bracketed && str_index(text, ':') != colon)
		colon = -1;
	if (colon < 0) {
		if (default_port < 0)
			return -EINVAL;
		port = (uint32_t)default_port;
	} else {
		host = str_head(text, (size_t)colon);
		if (str_to_u32(str_skip(text, (size_t)colon + 1), &port) < 0 || port > UINT16_MAX)
			return -EINVAL;
	}
	return address_make(host, (uint16_t)port, out);
}

int address_family(const struct address *a)
{
	return a->length ? a->any.sa_family : AF_UNSPEC;
}

/* As inet_ntop() does, which prints: this is done for each message. */
static void format_ipv4(uint32_t ip, char out[ADDRESS_TEXT_SIZE])
{
	struct strbuf text;

	strbuf_init(&text, out, ADDRESS_TEXT_SIZE);
	for (int shift = 24; shift >= 0; shift -= 8) {
		strbuf_u64(&text, ip >> shift & 255);
		if (shift > 0)
			strbuf_char(&text, '.');
	}
}

void address_format_host(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	out[0] = 0;
	if (address_family(a) == AF_INET)
		format_ipv4(ntohl(a->in.sin_addr.s_addr), out);
	else if (address_family(a) == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, out, ADDRESS_TEXT_SIZE);
	else if (address_family(a) == AF_UNIX)
		snprintf(out, ADDRESS_TEXT_SIZE, "%.*s", (int)sizeof(a->un.sun_path),
			a->un.sun_path);
}

void address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
	char host[ADDRESS_TEXT_SIZE];
	struct strbuf b;

	address_format_host(a, host);
	strbuf_init(&b, out, ADDRESS_TEXT_SIZE);
	if (address_family(a) == AF_INET)
		strbuf_printf(&b, "%s:%u", host, address_port(a));
	else if (address_family(a) == AF_INET6)
		strbuf_printf(&b, "[%s]:%u", host, address_port(a));
	else if (address_family(a) == AF_UNIX)
		strbuf_printf(&b, "unix:%s", host);
	else
		strbuf_text(&b, "-");
}

uint16_t address_port(const struct address *a)
{
	if (address_family(a) == AF_INET)
		return ntohs(a->in.sin_port);
	return address_family(a) == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

void address_set_port(struct address *a, uint16_t port)
{
	if (address_family(a) == AF_INET)
		a->in.sin_port = htons(port);
	else if (address_family(a) == AF_INET6)
		a->in6.sin6_port = htons(port);
}

/* The bytes of the host part. */
static struct str host_bytes(const struct address *a)
{
	if (address_family(a) == AF_INET)
		return str_make((const char *)&a->in.sin_addr, 4);
	if (address_family(a) == AF_INET6)
		return str_make((const char *)&a->in6.sin6_addr, 16);
	if (address_family(a) == AF_UNIX)
		return str_make(a->un.sun_path, strnlen(a->un.sun_path, sizeof(a->un.sun_path)));
	return STR_NULL;
}

bool address_equal_host(const struct address *a, const struct address *b)
{
	return address_family(a) == address_family(b) && str_equal(host_bytes(a), host_bytes(b));
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_equal_host(a, b) && address_port(a) == address_port(b);
}

bool address_is_any(const struct address *a)
{
	struct str host = host_bytes(a);

	if (address_family(a) == AF_UNIX || host.n == 0)
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i])
			return false;
	return true;
}

int address_prefix_parse(struct str text, struct address_prefix *out)
{
	ptrdiff_t slash = str_index(text, '/');
	struct address_prefix p;
	uint32_t bits, most;

	if (address_make(slash < 0 ? text : str_head(text, (size_t)slash), 0, &p.base) < 0)
		return -EINVAL;
	most = address_family(&p.base) == AF_INET ? 32 : 128;
	bits = most;
	if (slash >= 0 && (str_to_u32(str_skip(text, (size_t)slash + 1), &bits) < 0 || bits > most))
		return -EINVAL;
	p.bits = bits;
	*out = p;
	return 0;
}

bool address_prefix_has(const struct address_prefix *p, const struct address *a)
{
	struct str want = host_bytes(&p->base), is = host_bytes(a);
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	if (address_family(&p->base) != address_family(a) || address_family(a) == AF_UNIX ||
		!want.p)
		return false;
	if (memcmp(want.p, is.p, whole) != 0)
		return false;
	return !rest || !(((unsigned char)want.p[whole] ^ (unsigned char)is.p[whole]) & mask);
}
