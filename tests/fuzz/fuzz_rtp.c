/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: what a peer may send to a media port. The input is a series of packets, each led by
 * its length (16 bits; the highest says that it begins with an IPv6 header) and by the milliseconds
 * since the one before; each goes the way of the dataplane: IPv6 and neighbour discovery, RTCP, or
 * RTP, the source, telephone-events, the jitter buffer. Whatever comes, a handle is given back
 * exactly once and the buffer stays within its bounds.
 */
#include "discovery.h"
#include "jitter.h"
#include "rtcp.h"
#include "rtp.h"
#include "rtp_source.h"
#include "telephone_event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { EVENT_PAYLOAD_TYPE = 101, HANDLES = 1 << 12 };

struct peer {
	struct rtp_source source;
	struct jitter jitter;
	struct telephone_event_receiver events;
	uint64_t now_ns, tick_ns;
	uint32_t next;
	uint8_t owned[HANDLES];
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static void give_back(struct peer *p, uint32_t handle)
{
	require(handle > 0 && handle < p->next && p->owned[handle] == 1);
	p->owned[handle] = 0;
}

static void flush(struct peer *p)
{
	uint32_t handles[JITTER_SLOTS];
	unsigned n = jitter_flush(&p->jitter, handles);

	require(n <= JITTER_SLOTS);
	while (n > 0)
		give_back(p, handles[--n]);
}

static void tick(struct peer *p)
{
	for (; p->tick_ns <= p->now_ns; p->tick_ns += 20000000) {
		uint32_t handle = 0;
		enum jitter_frame frame;
		unsigned drops = 0;

		while ((frame = jitter_pop(&p->jitter, p->tick_ns, p->next & 1, &handle)) ==
			JITTER_DROP) {
			give_back(p, handle);
			require(++drops <= JITTER_SLOTS);
		}
		if (frame == JITTER_FRAME)
			give_back(p, handle);
	}
}

static void take_rtp(struct peer *p, const uint8_t *packet, size_t bytes)
{
	struct rtp_header h;
	char digit = '\0';

	if (rtp_parse(packet, bytes, &h) != 0)
		return;
	require(h.payload_offset + h.payload_bytes <= bytes);
	bool event = h.payload_type == EVENT_PAYLOAD_TYPE;
	enum rtp_source_verdict verdict = rtp_source_judge(&p->source, &h, !event, p->now_ns, 8000);
	if (verdict == RTP_SOURCE_STRANGE)
		return;
	if (verdict == RTP_SOURCE_CHANGED) {
		flush(p);
		telephone_event_receiver_renew(&p->events, 8, 8);
	}
	if (event &&
		telephone_event_receive(&p->events, 8, packet + h.payload_offset, h.payload_bytes,
			h.timestamp, h.marker, &digit) == TELEPHONE_EVENT_BEGUN)
		require(telephone_event_code(digit) >= 0);
	if (p->next == HANDLES)
		return;
	struct jitter_packet in = {
		.handle = event ? 0 : p->next,
		.timestamp = h.timestamp,
		.sequence = h.sequence,
		.samples = h.payload_bytes,
		.marker = h.marker,
	};
	enum jitter_verdict v = jitter_insert(&p->jitter, &in, p->now_ns);
	if (v == JITTER_RESET) {
		flush(p);
		v = jitter_insert(&p->jitter, &in, p->now_ns);
		require(v == JITTER_TAKEN);
	}
	if (v == JITTER_TAKEN && !event)
		p->owned[p->next++] = 1;
	require(jitter_depth(&p->jitter) <= JITTER_SLOTS);
}

/* What was read must say the same when it is written by us. */
static void take_discovery(const struct packet_ipv6 *ip, uint16_t bytes)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct discovery_packet again;
	struct discovery d, e;

	if (bytes < sizeof(struct packet_icmpv6) || discovery_read(ip, ip + 1, bytes, &d) != 0)
		return;
	require(d.target[0] != 0xff && !(d.mac && d.mac[0] & 1));
	require((const uint8_t *)(ip + 1) + bytes >= d.target + 16);
	if (d.probe)
		return;
	discovery_solicit(&again, d.mac ? d.mac : mac, ip->from, d.target);
	require(discovery_read(&again.ip, &again.icmp, sizeof(again) - 54, &e) == 0);
	require(e.solicitation && memcmp(e.target, d.target, 16) == 0);
	discovery_advertise(&again, d.mac ? d.mac : mac, d.target, ip->from, mac);
	require(discovery_read(&again.ip, &again.icmp, sizeof(again) - 54, &e) == 0);
	require(!e.solicitation && e.solicited && e.override && e.mac);
}

/* The datagram of an IPv6 packet, or NULL. Checksums are made right: they keep nothing safe. */
static const uint8_t *take_ipv6(uint8_t *packet, size_t *bytes)
{
	struct packet_ipv6 *ip = (struct packet_ipv6 *)packet;
	uint16_t follow;

	if (ipv6_judge(ip, (uint32_t)*bytes, &follow) != IPV6_GOOD)
		return NULL;
	require(sizeof(*ip) + follow <= *bytes);
	if (ip->next == PACKET_PROTOCOL_ICMPV6 && follow >= sizeof(struct packet_icmpv6)) {
		struct packet_icmpv6 *icmp = (struct packet_icmpv6 *)(ip + 1);

		icmp->checksum = 0;
		icmp->checksum = packet_ipv6_checksum(ip, PACKET_PROTOCOL_ICMPV6, icmp, follow);
		take_discovery(ip, follow);
	}
	if (ip->next != PACKET_PROTOCOL_UDP || follow < sizeof(struct packet_udp))
		return NULL;
	*bytes = follow - sizeof(struct packet_udp);
	return (const uint8_t *)(ip + 1) + sizeof(struct packet_udp);
}

static void report(struct peer *p)
{
	struct rtcp_interval interval = {0};
	struct rtcp_report r = {.ssrc = 1, .receiving = true, .cname = "fuzz"};
	uint8_t packet[RTCP_WRITE_MAX];
	struct rtcp_summary summary;

	rtcp_block_from_source(&r.block, &interval, &p->source);
	int bytes = rtcp_write(packet, sizeof(packet), &r);
	require(bytes > 0 && rtcp_parse(packet, (size_t)bytes, r.block.ssrc, &summary) == 0);
	require(summary.has_block && summary.block.lost == r.block.lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct peer p;

	memset(&p, 0, sizeof(p));
	jitter_init(&p.jitter, 8);
	p.now_ns = p.tick_ns = 4294967296ull * 1000 - 50000000;
	p.next = 1;
	while (length >= 3) {
		size_t n = rtp_get16(bytes) & 0x1ff;
		bool ipv6 = bytes[0] & 0x80;
		struct rtcp_summary summary;

		p.now_ns += bytes[2] * 1000000ull;
		bytes += 3;
		length -= 3;
		n = n < length ? n : length;
		/* Of its exact size, so that a read beyond it is seen. */
		uint8_t *packet = malloc(n ? n : 1);
		memcpy(packet, bytes, n);
		bytes += n;
		length -= n;
		const uint8_t *datagram = ipv6 ? take_ipv6(packet, &n) : packet;
		if (datagram && rtp_is_rtcp(datagram, n))
			rtcp_parse(datagram, n, 1, &summary);
		else if (datagram)
			take_rtp(&p, datagram, n);
		free(packet);
		tick(&p);
	}
	report(&p);
	flush(&p);
	for (uint32_t handle = 1; handle < p.next; handle++)
		require(p.owned[handle] == 0);
	return 0;
}
