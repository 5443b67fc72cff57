/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers in front of every media packet, as they lie on the wire, and the checksums over them.
 * IPv4 without options; IPv6 would be a sibling of struct packet_ipv4 and of the next-hop look-up
 * in neighbor.h.
 */
#ifndef DATAPLANE_PACKET_H
#define DATAPLANE_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PACKET_ETHERTYPE_IPV4 0x0800u
#define PACKET_ETHERTYPE_ARP  0x0806u
#define PACKET_PROTOCOL_ICMP  1u
#define PACKET_PROTOCOL_UDP   17u
/* Expedited forwarding, RFC 3246, in the TOS byte. */
#define PACKET_TOS_MEDIA 0xb8u
#define PACKET_TTL       64u

struct packet_ether {
	uint8_t to[6], from[6];
	uint16_t type;
} __attribute__((packed));

struct packet_ipv4 {
	uint8_t version_length, tos;
	uint16_t length, id, fragment;
	uint8_t ttl, protocol;
	uint16_t checksum;
	uint32_t from, to;
} __attribute__((packed));

struct packet_udp {
	uint16_t from, to, length, checksum;
} __attribute__((packed));

struct packet_arp {
	uint16_t hardware, protocol;
	uint8_t hardware_bytes, protocol_bytes;
	uint16_t operation;
	uint8_t from_mac[6];
	uint32_t from_ip;
	uint8_t to_mac[6];
	uint32_t to_ip;
} __attribute__((packed));

struct packet_icmp {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
} __attribute__((packed));

/* Ethernet, IPv4 and UDP in front of a payload. */
struct packet_headers {
	struct packet_ether ether;
	struct packet_ipv4 ip;
	struct packet_udp udp;
} __attribute__((packed));
_Static_assert(sizeof(struct packet_headers) == 42, "headers as on the wire");

static inline uint16_t packet_be16(uint16_t host)
{
	return __builtin_bswap16(host);
}

static inline uint32_t packet_be32(uint32_t host)
{
	return __builtin_bswap32(host);
}

/* Sum of 16-bit words, carries kept; `bytes` may be odd. */
static inline uint64_t packet_sum(const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint64_t sum = 0;

	for (; bytes >= 4; bytes -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	if (bytes >= 2) {
		uint16_t word;

		memcpy(&word, p, sizeof(word));
		sum += word;
		p += 2;
		bytes -= 2;
	}
	return bytes ? sum + *p : sum;
}

/* Folds a sum to the ones' complement that a checksum field carries. */
static inline uint16_t packet_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 32) + (sum & 0xffffffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	sum = (sum >> 16) + (sum & 0xffffu);
	return (uint16_t)~sum;
}

static inline uint16_t packet_ipv4_checksum(const struct packet_ipv4 *ip)
{
	return packet_fold(packet_sum(ip, sizeof(*ip)));
}

/* Over a datagram whose checksum field is as received: 0 means that it is right. */
static inline uint16_t packet_udp_checksum(
	const struct packet_ipv4 *ip, const void *udp, size_t udp_bytes)
{
	uint64_t sum = packet_sum(&ip->from, 8) + packet_be16(PACKET_PROTOCOL_UDP) +
		       packet_be16((uint16_t)udp_bytes);

	return packet_fold(sum + packet_sum(udp, udp_bytes));
}

/*
 * Fills Ethernet, IPv4 and UDP for `payload` bytes. Addresses and UDP ports in network order. The
 * UDP checksum is left 0 ("none", RFC 768): the payload is protected by the Ethernet frame and, one
 * day, by SRTP.
 */
static inline void packet_headers_write(struct packet_headers *h, const uint8_t from_mac[6],
	const uint8_t to_mac[6], uint32_t from_ip, uint32_t to_ip, uint16_t from_udp,
	uint16_t to_udp, uint16_t payload)
{
	memcpy(h->ether.to, to_mac, 6);
	memcpy(h->ether.from, from_mac, 6);
	h->ether.type = packet_be16(PACKET_ETHERTYPE_IPV4);
	h->ip = (struct packet_ipv4){
		.version_length = 0x45,
		.tos = PACKET_TOS_MEDIA,
		.length = packet_be16((uint16_t)(payload + 28)),
		.fragment = packet_be16(0x4000),
		.ttl = PACKET_TTL,
		.protocol = PACKET_PROTOCOL_UDP,
		.from = from_ip,
		.to = to_ip,
	};
	h->ip.checksum = packet_ipv4_checksum(&h->ip);
	h->udp = (struct packet_udp){from_udp, to_udp, packet_be16((uint16_t)(payload + 8)), 0};
}

#endif
