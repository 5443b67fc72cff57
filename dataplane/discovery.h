/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 as a host of media needs it: the header of a packet, neighbour discovery (RFC 4861) and
 * echo (RFC 4443 section 4). Bytes in, bytes out; what follows from them is link.c's.
 *
 * Extension headers are refused: no peer sends media with them, and what a fragment or a routing
 * header leads to has been attacked often enough (RFC 7112, RFC 5095).
 */
#ifndef DATAPLANE_DISCOVERY_H
#define DATAPLANE_DISCOVERY_H

#include "packet.h"

#include <stdbool.h>

#define ICMPV6_ECHO_REQUEST  128u
#define ICMPV6_ECHO_REPLY    129u
#define ICMPV6_SOLICITATION  135u
#define ICMPV6_ADVERTISEMENT 136u

/* Of an advertisement: RFC 4861 section 4.4. */
#define DISCOVERY_SOLICITED 0x40u
#define DISCOVERY_OVERRIDE  0x20u

struct packet_icmpv6 {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t body; /* flags of an advertisement; identifier and sequence of an echo */
} __attribute__((packed));

/* A solicitation or an advertisement with the one option that we send: a link-layer address. */
struct discovery_packet {
	struct packet_ether ether;
	struct packet_ipv6 ip;
	struct packet_icmpv6 icmp;
	uint8_t target[PACKET_IPV6_BYTES];
	uint8_t option, option_length; /* in units of 8 bytes */
	uint8_t mac[6];
} __attribute__((packed));
_Static_assert(sizeof(struct discovery_packet) == 86, "as on the wire");

enum ipv6_verdict { IPV6_GOOD, IPV6_RUNT, IPV6_BAD_HEADER, IPV6_EXTENSION };

/*
 * Judges a header of which `available` bytes are there, what follows included. IPV6_GOOD: *bytes
 * follow it, and ip->next is a protocol and no extension header.
 */
enum ipv6_verdict ipv6_judge(const struct packet_ipv6 *ip, uint32_t available, uint16_t *bytes);

/* What a solicitation or advertisement says; pointers into it. */
struct discovery {
	const uint8_t *target;
	const uint8_t *mac; /* the sender's of a solicitation, the target's otherwise; NULL: none */
	bool solicitation;
	bool probe; /* from the unspecified address: is the target in use? (RFC 4862) */
	bool solicited, override;
};

/*
 * Reads `bytes` behind ip. -EBADMSG: what RFC 4861 sections 7.1.1 and 7.1.2 have a node discard, or
 * a link-layer address that is a group, or another type of message.
 */
int discovery_read(
	const struct packet_ipv6 *ip, const void *icmp, size_t bytes, struct discovery *discovery);

/* Asks for the MAC of `target`, from our address `local`. */
void discovery_solicit(struct discovery_packet *p, const uint8_t mac[6],
	const uint8_t local[PACKET_IPV6_BYTES], const uint8_t target[PACKET_IPV6_BYTES]);

/*
 * Says that `local` is at `mac`: to `to` at `to_mac`, who solicited it, or to all nodes when `to`
 * is NULL.
 */
void discovery_advertise(struct discovery_packet *p, const uint8_t mac[6],
	const uint8_t local[PACKET_IPV6_BYTES], const uint8_t *to, const uint8_t *to_mac);

/* The Ethernet address of the group that solicitations of `ip` go to (RFC 2464 section 7). */
void discovery_group_mac(const uint8_t ip[PACKET_IPV6_BYTES], uint8_t mac[6]);

#endif
