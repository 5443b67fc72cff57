/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery.h"

#include <errno.h>

#define DISCOVERY_HOPS    255u /* a packet that no router has touched */
#define OPTION_SOURCE_MAC 1u
#define OPTION_TARGET_MAC 2u
#define OPTION_UNIT       8u

/* Flags of an advertisement are the high byte of its body. */
#define FLAGS(body) ((uint8_t)(packet_be32(body) >> 24))

static const uint8_t unspecified[PACKET_IPV6_BYTES];
static const uint8_t all_nodes[PACKET_IPV6_BYTES] = {0xff, 2, [15] = 1};

/* ff02::1:ff00:0/104 and the last three bytes of an address (RFC 4291 section 2.7.1). */
static const uint8_t solicited_node[13] = {0xff, 2, [11] = 1, [12] = 0xff};

static bool multicast(const uint8_t ip[PACKET_IPV6_BYTES])
{
	return ip[0] == 0xff;
}

static bool is_unspecified(const uint8_t ip[PACKET_IPV6_BYTES])
{
	return memcmp(ip, unspecified, sizeof(unspecified)) == 0;
}

/* Hop-by-hop, routing, fragment, ESP, AH, destination options, mobility, HIP, shim6; experiments. */
static bool extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 50 || next == 51 || next == 60 ||
	       next == 135 || next == 139 || next == 140 || next == 253 || next == 254;
}

enum ipv6_verdict ipv6_judge(const struct packet_ipv6 *ip, uint32_t available, uint16_t *bytes)
{
	if (available < sizeof(*ip))
		return IPV6_RUNT;
	if (packet_be32(ip->version_class_label) >> 28 != 6 || multicast(ip->from))
		return IPV6_BAD_HEADER;
	uint16_t length = packet_be16(ip->length);

	if (length > available - sizeof(*ip))
		return IPV6_RUNT;
	if (extension(ip->next))
		return IPV6_EXTENSION;
	*bytes = length;
	return IPV6_GOOD;
}

/* Every option has a length; the one that says a MAC has one unit. */
static int read_options(const uint8_t *option, size_t bytes, uint8_t wanted, const uint8_t **mac)
{
	*mac = NULL;
	while (bytes > 0) {
		size_t length = bytes < OPTION_UNIT ? 0 : option[1] * (size_t)OPTION_UNIT;

		if (length == 0 || length > bytes)
			return -EBADMSG;
		if (option[0] == wanted && length == OPTION_UNIT) {
			if (option[2] & 1)
				return -EBADMSG;
			*mac = option + 2;
		}
		option += length;
		bytes -= length;
	}
	return 0;
}

/* Of a probe: to the group of its target, and no MAC of an address that is not theirs yet. */
static bool probe_allowed(const struct packet_ipv6 *ip, const struct discovery *d)
{
	return memcmp(ip->to, solicited_node, sizeof(solicited_node)) == 0 && d->mac == NULL;
}

int discovery_read(
	const struct packet_ipv6 *ip, const void *icmp, size_t bytes, struct discovery *discovery)
{
	struct packet_icmpv6 h;
	const uint8_t *target = (const uint8_t *)icmp + sizeof(h);
	const uint8_t *options = target + PACKET_IPV6_BYTES;

	if (bytes < sizeof(h) + PACKET_IPV6_BYTES || ip->hops != DISCOVERY_HOPS)
		return -EBADMSG;
	memcpy(&h, icmp, sizeof(h));
	if ((h.type != ICMPV6_SOLICITATION && h.type != ICMPV6_ADVERTISEMENT) || h.code != 0 ||
		multicast(target) || is_unspecified(target) ||
		packet_ipv6_checksum(ip, PACKET_PROTOCOL_ICMPV6, icmp, bytes) != 0)
		return -EBADMSG;
	struct discovery d = {
		.target = target,
		.solicitation = h.type == ICMPV6_SOLICITATION,
		.probe = is_unspecified(ip->from),
		.solicited = FLAGS(h.body) & DISCOVERY_SOLICITED,
		.override = FLAGS(h.body) & DISCOVERY_OVERRIDE,
	};

	if (read_options(options, bytes - sizeof(h) - PACKET_IPV6_BYTES,
		    d.solicitation ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC, &d.mac))
		return -EBADMSG;
	if (d.solicitation ? d.probe && !probe_allowed(ip, &d)
			   : d.probe || (multicast(ip->to) && d.solicited))
		return -EBADMSG;
	*discovery = d;
	return 0;
}

void discovery_group_mac(const uint8_t ip[PACKET_IPV6_BYTES], uint8_t mac[6])
{
	memcpy(mac, "\x33\x33\xff", 3);
	memcpy(mac + 3, ip + 13, 3);
}

static void write(struct discovery_packet *p, uint8_t type, uint8_t flags,
	const uint8_t target[PACKET_IPV6_BYTES], uint8_t option, const uint8_t mac[6])
{
	const uint16_t bytes = sizeof(*p) - sizeof(p->ether) - sizeof(p->ip);

	memcpy(p->ether.from, mac, 6);
	p->ether.type = packet_be16(PACKET_ETHERTYPE_IPV6);
	p->ip.version_class_label = packet_be32(6u << 28);
	p->ip.length = packet_be16(bytes);
	p->ip.next = PACKET_PROTOCOL_ICMPV6;
	p->ip.hops = DISCOVERY_HOPS;
	p->icmp = (struct packet_icmpv6){.type = type, .body = packet_be32((uint32_t)flags << 24)};
	memcpy(p->target, target, sizeof(p->target));
	p->option = option;
	p->option_length = 1;
	memcpy(p->mac, mac, 6);
	p->icmp.checksum = packet_ipv6_checksum(&p->ip, PACKET_PROTOCOL_ICMPV6, &p->icmp, bytes);
}

void discovery_solicit(struct discovery_packet *p, const uint8_t mac[6],
	const uint8_t local[PACKET_IPV6_BYTES], const uint8_t target[PACKET_IPV6_BYTES])
{
	discovery_group_mac(target, p->ether.to);
	memcpy(p->ip.from, local, PACKET_IPV6_BYTES);
	memcpy(p->ip.to, solicited_node, sizeof(solicited_node));
	memcpy(p->ip.to + sizeof(solicited_node), target + 13, 3);
	write(p, ICMPV6_SOLICITATION, 0, target, OPTION_SOURCE_MAC, mac);
}

void discovery_advertise(struct discovery_packet *p, const uint8_t mac[6],
	const uint8_t local[PACKET_IPV6_BYTES], const uint8_t *to, const uint8_t *to_mac)
{
	memcpy(p->ether.to, to ? to_mac : (const uint8_t *)"\x33\x33\0\0\0\1", 6);
	memcpy(p->ip.from, local, PACKET_IPV6_BYTES);
	memcpy(p->ip.to, to ? to : all_nodes, PACKET_IPV6_BYTES);
	write(p, ICMPV6_ADVERTISEMENT, DISCOVERY_OVERRIDE | (to ? DISCOVERY_SOLICITED : 0), local,
		OPTION_TARGET_MAC, mac);
}
