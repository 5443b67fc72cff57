/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers in front of every media packet, as they lie on the wire, and the checksums over them:
 * IPv4 without options (RFC 791), IPv6 without extension headers (RFC 8200), UDP (RFC 768).
 */
#ifndef DATAPLANE_PACKET_H
#define DATAPLANE_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PACKET_ETHERTYPE_IPV4  0x0800u
#define PACKET_ETHERTYPE_ARP   0x0806u
#define PACKET_ETHERTYPE_IPV6  0x86ddu
#define PACKET_PROTOCOL_ICMP   1u
#define PACKET_PROTOCOL_UDP    17u
#define PACKET_PROTOCOL_ICMPV6 58u
/* Expedited forwarding, RFC 3246, in the TOS byte or the traffic class. */
#define PACKET_TOS_MEDIA  0xb8u
#define PACKET_TTL        64u
#define PACKET_IPV6_BYTES 16u

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

struct packet_ipv6 {
	uint32_t version_class_label; /* 4 bits, 8 bits, 20 bits */
	uint16_t length;              /* of what follows this header */
	uint8_t next, hops;
	uint8_t from[PACKET_IPV6_BYTES], to[PACKET_IPV6_BYTES];
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

/* Ethernet, IPv6 and UDP in front of a payload. */
struct packet_headers6 {
	struct packet_ether ether;
	struct packet_ipv6 ip;
	struct packet_udp udp;
} __attribute__((packed));
_Static_assert(sizeof(struct packet_headers6) == 62, "headers as on the wire");

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
 * Over what follows an IPv6 header, `bytes` of `protocol`, with the pseudo-header of RFC 8200
 * section 8.1. With the checksum field as received 0 means that it is right.
 */
static inline uint16_t packet_ipv6_checksum(
	const struct packet_ipv6 *ip, uint8_t protocol, const void *data, size_t bytes)
{
	uint64_t sum = packet_sum(ip->from, 2 * (size_t)PACKET_IPV6_BYTES) + packet_be16(protocol) +
		       packet_be32((uint32_t)bytes);

	return packet_fold(sum + packet_sum(data, bytes));
}

/*
 * The checksum of the header that packet_headers_write() writes, from what it is made of: reading
 * back in words what has just been written in smaller pieces would wait for the writes.
 */
static inline uint16_t packet_ipv4_checksum_of(uint32_t from, uint32_t to, uint16_t be_length)
{
	const uint32_t first = packet_be16(0x4500 | PACKET_TOS_MEDIA);
	const uint32_t third = packet_be16(0x4000);
	const uint32_t fourth = packet_be16(PACKET_TTL << 8 | PACKET_PROTOCOL_UDP);

	return packet_fold((uint64_t)from + to + first + third + fourth + be_length);
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
	uint16_t length = packet_be16((uint16_t)(payload + 28));

	h->ip = (struct packet_ipv4){
		.version_length = 0x45,
		.tos = PACKET_TOS_MEDIA,
		.length = length,
		.fragment = packet_be16(0x4000),
		.ttl = PACKET_TTL,
		.protocol = PACKET_PROTOCOL_UDP,
		.checksum = packet_ipv4_checksum_of(from_ip, to_ip, length),
		.from = from_ip,
		.to = to_ip,
	};
	h->udp = (struct packet_udp){from_udp, to_udp, packet_be16((uint16_t)(payload + 8)), 0};
}

/*
 * Fills Ethernet, IPv6 and UDP for `payload` bytes. Addresses and UDP ports in network order;
 * label: the flow's, of 20 bits (RFC 6437). The UDP checksum, which IPv6 demands, is for
 * packet_headers6_seal() when the payload lies behind.
 */
static inline void packet_headers6_write(struct packet_headers6 *h, const uint8_t from_mac[6],
	const uint8_t to_mac[6], const uint8_t from[PACKET_IPV6_BYTES],
	const uint8_t to[PACKET_IPV6_BYTES], uint32_t label, uint16_t from_udp, uint16_t to_udp,
	uint16_t payload)
{
	uint16_t length = packet_be16((uint16_t)(payload + sizeof(h->udp)));

	memcpy(h->ether.to, to_mac, 6);
	memcpy(h->ether.from, from_mac, 6);
	h->ether.type = packet_be16(PACKET_ETHERTYPE_IPV6);
	h->ip.version_class_label =
		packet_be32(6u << 28 | PACKET_TOS_MEDIA << 20 | (label & 0xfffffu));
	h->ip.length = length;
	h->ip.next = PACKET_PROTOCOL_UDP;
	h->ip.hops = PACKET_TTL;
	memcpy(h->ip.from, from, PACKET_IPV6_BYTES);
	memcpy(h->ip.to, to, PACKET_IPV6_BYTES);
	h->udp = (struct packet_udp){from_udp, to_udp, length, 0};
}

/* Over the datagram as it will leave: after encryption. 0 would mean "none", so it is 0xffff. */
static inline void packet_headers6_seal(struct packet_headers6 *h)
{
	uint16_t sum;

	h->udp.checksum = 0;
	sum = packet_ipv6_checksum(&h->ip, PACKET_PROTOCOL_UDP, &h->udp, packet_be16(h->ip.length));
	h->udp.checksum = sum ? sum : 0xffff;
}

#endif
