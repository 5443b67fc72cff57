/* SPDX-License-Identifier: Apache-2.0 */
#include "rx.h"

#include "check.h"
#include "discovery.h"
#include "event.h"
#include "exit.h"
#include "link.h"
#include "packet.h"
#include "port_secure.h"
#include "srtp.h"

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#define LINE 64u
/* How far ahead of the packet being judged packets' own headers, packets and ports are fetched. */
#define RX_AHEAD_HEADER 24u
#define RX_AHEAD_PACKET 12u
#define RX_AHEAD_PORT   6u

/* Once for each family, which is then a constant. */
#define RX_INLINE static inline __attribute__((always_inline))

/* A datagram to a media port, its headers checked. */
struct datagram {
	struct rte_mbuf *packet;
	const struct packet_ipv4 *ip;  /* one of the two, the other is NULL */
	const struct packet_ipv6 *ip6; /* for a port at an IPv6 address */
	const struct packet_udp *udp;
	uint8_t *payload;
	uint16_t bytes;
	bool second; /* to the odd one of the port's two UDP ports */
};

/* Packets of ports with keys: they are unprotected together when the burst has been looked at. */
struct rx_secure {
	uint32_t count;
	struct srtp_packet packet[RX_BURST_MAX];
	struct datagram datagram[RX_BURST_MAX];
	struct port *port[RX_BURST_MAX];
	/* of those that may be under the key before, since a failed check leaves them damaged */
	uint32_t copies;
	struct {
		uint32_t of;
		struct rte_mbuf *packet;
	} copy[RX_BURST_MAX];
};

static struct cord_address source_of(const struct datagram *d)
{
	struct cord_address a = {.family = d->ip ? CORD_FAMILY_IPV4 : CORD_FAMILY_IPV6,
		.udp_port = packet_be16(d->udp->from)};

	if (d->ip)
		memcpy(a.ip, &d->ip->from, sizeof(d->ip->from));
	else
		memcpy(a.ip, d->ip6->from, sizeof(d->ip6->from));
	return a;
}

static struct exit rx_foreign(struct worker *w, struct port *p)
{
	w->dp->port_cold[p->slot].source_dropped++;
	p->flags |= PORT_CHANGED;
	return dropped(CORD_COUNTER_drop_source);
}

static struct exit rx_rtcp(struct worker *w, struct port *p, const struct datagram *d)
{
	struct rtcp_summary summary;

	if (rtcp_parse(d->payload, d->bytes, p->ssrc, &summary))
		return dropped(CORD_COUNTER_drop_rtcp);
	if (p->learns != LEARN_NOT) {
		struct cord_address from = source_of(d);

		if (learn_rtcp(w, p, &from) != LEARN_TAKE)
			return rx_foreign(w, p);
	}
	report_take(w, p, &summary);
	return dropped(CORD_COUNTER_rx_rtcp);
}

/* A packet that the port believes. */
static void rx_heard(struct worker *w, struct port *p)
{
	if (!(p->flags & PORT_HEARD))
		report_heard(w, p);
}

static enum jitter_verdict insert(
	struct worker *w, struct port *p, const struct jitter_packet *packet)
{
	enum jitter_verdict v = jitter_insert(&p->jitter, packet, w->now_ns);

	if (v == JITTER_RESET) {
		port_flush(w, p);
		v = jitter_insert(&p->jitter, packet, w->now_ns);
	}
	return v;
}

static struct exit rx_event(struct worker *w, struct port *p, const struct rtp_header *h,
	const uint8_t *payload, struct jitter_packet *packet)
{
	struct port_cold *cold = &w->dp->port_cold[p->slot];
	char digit;

	switch (telephone_event_receive(&cold->event_in, cold->event_khz, payload, h->payload_bytes,
		h->timestamp, h->marker, &digit)) {
	case TELEPHONE_EVENT_BAD:
		return dropped(CORD_COUNTER_drop_event);
	case TELEPHONE_EVENT_BEGUN:
		rx_heard(w, p);
		port_told_key(w, p, digit);
		break;
	default:
		rx_heard(w, p);
		break;
	}
	/* Another clock than the sound's says nothing about when that goes on. */
	if (cold->event_khz != p->jitter.clock_khz)
		packet->timestamp = p->jitter.next_timestamp;
	if (p->room != PORT_NONE)
		insert(w, p, packet);
	return dropped(CORD_COUNTER_rx_event);
}

/*
 * Whether a frame can be given up now, but for its time: a frame of G.711 is of no use to those that
 * follow, unless they are to be joined to it.
 */
static bool rx_unheard(const struct port *p, const struct rtp_header *h)
{
	return p->alone && h->payload_bytes == PORT_PERIOD_UNITS && !cord_codec_wide(p->codec) &&
	       !(p->flags & (PORT_CONCEALS | PORT_INBAND | PORT_RICH_IN));
}

/* The frame waits in its packet, whose data is cut down to the payload. */
static struct exit rx_frame(struct worker *w, struct port *p, const struct rtp_header *h,
	const struct datagram *d, struct jitter_packet *packet)
{
	struct port_cold *cold = &w->dp->port_cold[p->slot];
	struct rte_mbuf *m = d->packet;

	rx_heard(w, p);
	p->rx_packets++;
	if (p->room == PORT_NONE)
		return dropped(CORD_COUNTER_rx_media);
	bool unheard = rx_unheard(p, h);

	if (!unheard) {
		m->data_off = (uint16_t)(d->payload + h->payload_offset - (uint8_t *)m->buf_addr);
		m->data_len = h->payload_bytes;
	}
	packet->handle = unheard ? PORT_UNHEARD : nic_handle(&w->dp->nic, m);
	switch (insert(w, p, packet)) {
	case JITTER_TAKEN:
		return unheard ? dropped(CORD_COUNTER_rx_media) : kept(CORD_COUNTER_rx_media);
	case JITTER_DUPLICATE:
		cold->duplicate++;
		return dropped(CORD_COUNTER_drop_duplicate);
	case JITTER_LATE:
		cold->late++;
		return dropped(CORD_COUNTER_drop_late);
	default:
		cold->rx_dropped++;
		return dropped(CORD_COUNTER_drop_overflow);
	}
}

static bool is_noise(struct worker *w, const struct port *p, uint8_t payload_type)
{
	return payload_type == worker_cold(w, p)->receive_noise_payload_type ||
	       payload_type == PORT_COMFORT_NOISE;
}

/* The talker is silent from here on, and says how loud its silence is (RFC 3389 section 3.1). */
static struct exit rx_noise(struct worker *w, struct port *p, const struct rtp_header *h,
	const uint8_t *payload, const struct jitter_packet *packet)
{
	struct port_cold *cold = worker_cold(w, p);

	rx_heard(w, p);
	if (p->room == PORT_NONE)
		return dropped(CORD_COUNTER_rx_comfort_noise);
	insert(w, p, packet);
	if (h->payload_bytes) {
		cold->noise_level = payload[0] & 0x7f;
		cold->noise_sequence = h->sequence;
		p->flags |= PORT_NOISE;
	}
	return dropped(CORD_COUNTER_rx_comfort_noise);
}

/* A valid packet of a port whose peer may be behind NAT. True: it is the peer's; else *e. */
static bool rx_learn(struct worker *w, struct port *p, const struct datagram *d,
	const struct rtp_header *h, bool media, struct exit *e)
{
	struct cord_address from = source_of(d);

	switch (learn_rtp(w, p, &from, h, media)) {
	case LEARN_TAKE:
		return true;
	case LEARN_WAIT:
		*e = dropped(CORD_COUNTER_drop_learning);
		return false;
	case LEARN_SSRC:
		*e = dropped(CORD_COUNTER_drop_ssrc);
		return false;
	default:
		*e = rx_foreign(w, p);
		return false;
	}
}

static struct exit rx_rtp(struct worker *w, struct port *p, const struct datagram *d)
{
	struct rtp_header h;

	if (rtp_parse(d->payload, d->bytes, &h))
		return dropped(CORD_COUNTER_drop_rtp_header);
	bool media = h.payload_type == p->receive_payload_type;
	bool event = !media && h.payload_type == p->receive_event_payload_type;

	const uint8_t *payload = d->payload + h.payload_offset;
	uint32_t us = 0, clock_khz = cord_codec_clock_khz(p->codec);

	if (!media && !event && !is_noise(w, p, h.payload_type))
		return dropped(CORD_COUNTER_drop_payload_type);
	if (media) {
		us = codec_payload_us((enum cord_codec)p->codec, payload, h.payload_bytes);
		if (us == 0)
			return dropped(CORD_COUNTER_drop_payload_size);
	}
	struct exit unheard;

	if (p->learns != LEARN_NOT && !rx_learn(w, p, d, &h, media, &unheard))
		return unheard;
	switch (rtp_source_judge(&p->source, &h, media, w->now_ns, clock_khz * 1000)) {
	case RTP_SOURCE_STRANGE:
		return dropped(CORD_COUNTER_drop_ssrc);
	case RTP_SOURCE_CHANGED:
		port_flush(w, p);
		report_begin(w, p);
		telephone_event_receiver_renew(&w->dp->port_cold[p->slot].event_in,
			w->dp->port_cold[p->slot].event_khz, w->dp->port_cold[p->slot].event_khz);
		break;
	default:
		break;
	}
	p->last_rx = w->now_ns;
	struct jitter_packet packet = {
		.timestamp = h.timestamp,
		.sequence = h.sequence,
		.samples = (uint16_t)(us * clock_khz / 1000),
		.marker = h.marker,
	};

	if (media)
		return rx_frame(w, p, &h, d, &packet);
	if (event)
		return rx_event(w, p, &h, payload, &packet);
	return rx_noise(w, p, &h, payload, &packet);
}

/*
 * A packet from the port's peer. Of a port with keys it is authentic, also while the port does not
 * receive: its indices go on meanwhile.
 */
static struct exit rx_accepted(
	struct worker *w, struct port *p, const struct datagram *d, bool rtcp)
{
	if (rtcp)
		return rx_rtcp(w, p, d);
	if (!(p->direction & CORD_MAY_RECEIVE))
		return dropped(CORD_COUNTER_drop_direction);
	struct exit e = rx_rtp(w, p, d);

	if (e.verdict >= CORD_COUNTER_drop_rtp_header && e.verdict <= CORD_COUNTER_drop_rtcp)
		worker_cold(w, p)->rx_dropped++;
	return e;
}

static struct exit rx_unauthentic(struct worker *w, struct port *p, enum srtp_verdict v)
{
	worker_cold(w, p)->rx_dropped++;
	return dropped(
		v == SRTP_REPLAYED ? CORD_COUNTER_drop_srtp_replay : CORD_COUNTER_drop_srtp_auth);
}

/* Without a packet to spare that holds it there is no second try. */
static void rx_copy(struct worker *w, struct rx_secure *s, uint32_t i)
{
	const struct datagram *d = &s->datagram[i];
	struct rte_mempool *pool = w->dp->nic.pool;
	uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	struct rte_mbuf *m = d->bytes <= room ? rte_pktmbuf_alloc(pool) : NULL;

	if (m == NULL)
		return;
	memcpy(rte_pktmbuf_mtod(m, void *), d->payload, d->bytes);
	s->copy[s->copies].of = i;
	s->copy[s->copies++].packet = m;
}

static struct exit rx_wait(struct worker *w, struct port *p, const struct datagram *d, bool rtcp)
{
	struct rx_secure *s = w->rx_secure;
	uint32_t i = s->count++;

	/* All of it will be looked at, with the rest of the burst. */
	for (uint32_t at = LINE; at < d->bytes; at += LINE)
		rte_prefetch0(d->payload + at);
	rte_prefetch0(d->payload + d->bytes - 1);
	s->packet[i] = (struct srtp_packet){
		.data = d->payload, .slot = port_key_slot(w, p), .bytes = d->bytes, .rtcp = rtcp};
	s->datagram[i] = *d;
	s->port[i] = p;
	if (port_key_before(w, p))
		rx_copy(w, s, i);
	return waits();
}

static void leave(struct worker *w, struct rte_mbuf *m, struct exit e)
{
	worker_count(w, e.verdict, 1);
	if (!e.kept)
		nic_free(&w->dp->nic, m);
}

RX_INLINE bool from_remote(const struct worker *w, const struct port *p, const struct datagram *d)
{
	return d->ip ? d->ip->from == p->remote_ip
		     : memcmp(d->ip6->from, w->dp->port_cold[p->slot].ipv6.remote,
			       PACKET_IPV6_BYTES) == 0;
}

RX_INLINE struct exit rx_port(struct worker *w, struct port *p, const struct datagram *d)
{
	bool rtcp = d->second || rtp_is_rtcp(d->payload, d->bytes);

	/* The peer's RTCP comes from whatever UDP port it chose; its address is the negotiated one.
	 */
	if (p->learns != LEARN_WANTED &&
		(!from_remote(w, p, d) || (!rtcp && d->udp->from != p->remote_udp)))
		return rx_foreign(w, p);
	return p->flags & PORT_SECURE ? rx_wait(w, p, d, rtcp) : rx_accepted(w, p, d, rtcp);
}

/* What the port's key did not open, as it came, under the key before. */
static void rx_unprotect_before(struct worker *w, struct rx_secure *s)
{
	struct srtp_packet again[RX_BURST_MAX];
	uint32_t n = 0;

	for (uint32_t c = 0; c < s->copies; c++) {
		uint32_t i = s->copy[c].of;
		struct rte_mbuf *m = s->copy[c].packet;

		if (s->packet[i].verdict == SRTP_GOOD) {
			port_key_heard(w, s->port[i]);
			rte_pktmbuf_free(m);
			continue;
		}
		again[n] = s->packet[i];
		again[n].data = rte_pktmbuf_mtod(m, uint8_t *);
		again[n].slot = port_key_before_slot(w, s->port[i]);
		s->copy[n++] = s->copy[c];
	}
	srtp_unprotect_burst(w->srtp, again, n);
	for (uint32_t c = 0; c < n; c++) {
		uint32_t i = s->copy[c].of;

		if (again[c].verdict == SRTP_GOOD)
			memcpy(s->packet[i].data, again[c].data, again[c].bytes);
		if (again[c].verdict != SRTP_FORGED) {
			s->packet[i].verdict = again[c].verdict;
			s->packet[i].bytes = again[c].bytes;
		}
		rte_pktmbuf_free(s->copy[c].packet);
	}
}

/* What waited, in the order it came. */
static void rx_unprotect(struct worker *w)
{
	struct rx_secure *s = w->rx_secure;

	srtp_unprotect_burst(w->srtp, s->packet, s->count);
	if (s->copies)
		rx_unprotect_before(w, s);
	for (uint32_t i = 0; i < s->count; i++) {
		struct datagram *d = &s->datagram[i];
		const struct srtp_packet *packet = &s->packet[i];

		d->bytes = packet->bytes;
		leave(w, d->packet,
			packet->verdict == SRTP_GOOD ? rx_accepted(w, s->port[i], d, packet->rtcp)
						     : rx_unauthentic(w, s->port[i],
							       (enum srtp_verdict)packet->verdict));
	}
}

/* The NIC has verified it, or the sender's machine has not left it yet (a virtual NIC). */
static bool nic_verified_udp(const struct rte_mbuf *m)
{
	uint64_t verdict = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return verdict == RTE_MBUF_F_RX_L4_CKSUM_GOOD || verdict == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/*
 * IPv4 may come without a checksum (RFC 768), IPv6 must not (RFC 8200 section 8.1). What the NIC calls
 * bad is looked at again: some mean one that is not there.
 */
RX_INLINE bool checksum_good(const struct dataplane *dp, const struct datagram *d, uint16_t bytes)
{
	if (d->udp->checksum == 0)
		return d->ip;
	if (nic_verified_udp(d->packet))
		return true;
	if (dp->config.ignore_udp_checksum)
		return true;
	return d->ip ? packet_udp_checksum(d->ip, d->udp, bytes) == 0
		     : packet_ipv6_checksum(d->ip6, PACKET_PROTOCOL_UDP, d->udp, bytes) == 0;
}

/* Finds the port that a datagram is for, and its owner. */
RX_INLINE struct exit rx_udp(
	struct worker *w, struct datagram *d, uint32_t local, uint16_t available)
{
	struct dataplane *dp = w->dp;
	uint16_t bytes = packet_be16(d->udp->length);

	if (available < sizeof(*d->udp) || bytes < sizeof(*d->udp) || bytes > available)
		return dropped(CORD_COUNTER_drop_runt);
	if (!checksum_good(dp, d, bytes))
		return dropped(CORD_COUNTER_drop_udp_checksum);
	uint32_t offset = (uint32_t)packet_be16(d->udp->to) - dp->config.udp_port_base;

	if (offset >= 2 * dp->ports_per_address)
		return dropped(CORD_COUNTER_drop_no_port);
	uint32_t slot = local * dp->ports_per_address + offset / 2;
	uint8_t owner = atomic_load_explicit(&dp->port_owner[slot], memory_order_acquire);

	if (owner == OWNER_NONE)
		return dropped(CORD_COUNTER_drop_no_port);
	if (owner != w->index) {
		struct exchange *e = dp->worker[owner]->exchange[w->index];

		if (!exchange_put(e, WORKER_WORD(WORKER_WORD_PACKET, (uintptr_t)d->packet)))
			return dropped(CORD_COUNTER_drop_handover_full);
		return kept(CORD_COUNTER_rx_handed_over);
	}
	d->second = offset & 1;
	d->payload = (uint8_t *)(uintptr_t)(d->udp + 1);
	d->bytes = (uint16_t)(bytes - sizeof(*d->udp));
	return rx_port(w, &dp->port[slot], d);
}

static struct exit rx_ipv4(struct worker *w, struct rte_mbuf *m)
{
	struct packet_ipv4 *ip =
		rte_pktmbuf_mtod_offset(m, struct packet_ipv4 *, sizeof(struct packet_ether));
	uint32_t available = m->data_len - (uint32_t)sizeof(struct packet_ether);
	uint32_t local;

	if (available < sizeof(*ip))
		return dropped(CORD_COUNTER_drop_runt);
	/* No peer sends media with IP options, and no router should forward them. */
	if (ip->version_length != 0x45)
		return dropped(CORD_COUNTER_drop_ip_header);
	uint16_t bytes = packet_be16(ip->length);

	if (bytes < sizeof(*ip) || bytes > available)
		return dropped(CORD_COUNTER_drop_runt);
	if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
		packet_ipv4_checksum(ip) != 0)
		return dropped(CORD_COUNTER_drop_ip_header);
	if (!dataplane_local_ipv4(w->dp, ip->to, &local))
		return dropped(CORD_COUNTER_drop_not_ours);
	if (ip->fragment & packet_be16(0x3fff))
		return dropped(CORD_COUNTER_drop_fragment);
	if (ip->protocol == PACKET_PROTOCOL_ICMP)
		return link_icmp(w, m, ip, bytes);
	if (ip->protocol != PACKET_PROTOCOL_UDP)
		return dropped(CORD_COUNTER_drop_protocol);
	struct datagram d = {.packet = m, .ip = ip, .udp = (const struct packet_udp *)(ip + 1)};

	return rx_udp(w, &d, local, (uint16_t)(bytes - sizeof(*ip)));
}

static struct exit rx_ipv6(struct worker *w, struct rte_mbuf *m)
{
	struct packet_ipv6 *ip =
		rte_pktmbuf_mtod_offset(m, struct packet_ipv6 *, sizeof(struct packet_ether));
	uint32_t local;
	uint16_t bytes;

	switch (ipv6_judge(ip, m->data_len - (uint32_t)sizeof(struct packet_ether), &bytes)) {
	case IPV6_RUNT:
		return dropped(CORD_COUNTER_drop_runt);
	case IPV6_BAD_HEADER:
		return dropped(CORD_COUNTER_drop_ip_header);
	case IPV6_EXTENSION:
		return dropped(CORD_COUNTER_drop_extension);
	case IPV6_GOOD:
		break;
	}
	if (ip->next == PACKET_PROTOCOL_ICMPV6)
		return link_icmpv6(w, m, ip, bytes);
	if (!dataplane_local_ipv6(w->dp, ip->to, &local))
		return dropped(CORD_COUNTER_drop_not_ours);
	if (ip->next != PACKET_PROTOCOL_UDP)
		return dropped(CORD_COUNTER_drop_protocol);
	struct datagram d = {.packet = m, .ip6 = ip, .udp = (const struct packet_udp *)(ip + 1)};

	return rx_udp(w, &d, local, bytes);
}

static struct exit rx_ether(struct worker *w, struct rte_mbuf *m)
{
	const struct packet_ether *ether = rte_pktmbuf_mtod(m, const struct packet_ether *);

	if (m->nb_segs != 1 || m->data_len < sizeof(*ether))
		return dropped(CORD_COUNTER_drop_runt);
	if (ether->type == packet_be16(PACKET_ETHERTYPE_IPV4))
		return rx_ipv4(w, m);
	if (ether->type == packet_be16(PACKET_ETHERTYPE_IPV6))
		return rx_ipv6(w, m);
	if (ether->type == packet_be16(PACKET_ETHERTYPE_ARP))
		return link_arp(w, m);
	return dropped(CORD_COUNTER_drop_ethertype);
}

static void rx_packet(struct worker *w, struct rte_mbuf *m)
{
	struct exit e = rx_ether(w, m);

	if (!e.waits)
		leave(w, m, e);
}

/* The headers, and all that the checksum covers where the NIC has not verified it. */
static void prefetch_packet(const struct rte_mbuf *m)
{
	const char *data = rte_pktmbuf_mtod(m, const char *);

	rte_prefetch0(data);
	if (nic_verified_udp(m))
		return;
	rte_prefetch0(data + 64);
	rte_prefetch0(data + 128);
	rte_prefetch0(data + 192);
}

/* The port that a packet seems to be for, before anything about it has been checked. */
static void prefetch_port(struct worker *w, const struct rte_mbuf *m)
{
	struct dataplane *dp = w->dp;
	const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
	const struct packet_headers6 *h6 = rte_pktmbuf_mtod(m, const struct packet_headers6 *);
	bool ipv6 = h->ether.type == packet_be16(PACKET_ETHERTYPE_IPV6);
	uint16_t to = ipv6 ? h6->udp.to : h->udp.to;
	uint32_t offset = (uint32_t)packet_be16(to) - dp->config.udp_port_base, local;

	if (m->data_len < sizeof(*h6) || offset >= 2 * dp->ports_per_address)
		return;
	if (!(ipv6 ? dataplane_local_ipv6(dp, h6->ip.to, &local)
		   : dataplane_local_ipv4(dp, h->ip.to, &local)))
		return;
	uint32_t slot = local * dp->ports_per_address + offset / 2;
	const char *p = (const char *)&dp->port[slot];

	rte_prefetch0((const void *)(uintptr_t)&dp->port_owner[slot]);
	rte_prefetch0(p);
	rte_prefetch0(p + 64);
	rte_prefetch0(p + 128);
	rte_prefetch0(p + 192);
}

void rx_burst(struct worker *w, struct rte_mbuf **packet, uint32_t n)
{
	struct rx_secure secure;

	CHECK(n <= RX_BURST_MAX);
	secure.count = secure.copies = 0;
	w->rx_secure = &secure;
	for (uint32_t i = 0; i < n && i < RX_AHEAD_HEADER; i++)
		rte_prefetch0(packet[i]);
	for (uint32_t i = 0; i < n && i < RX_AHEAD_PACKET; i++)
		prefetch_packet(packet[i]);
	for (uint32_t i = 0; i < n && i < RX_AHEAD_PORT; i++)
		prefetch_port(w, packet[i]);
	for (uint32_t i = 0; i < n; i++) {
		if (i + RX_AHEAD_HEADER < n)
			rte_prefetch0(packet[i + RX_AHEAD_HEADER]);
		if (i + RX_AHEAD_PACKET < n)
			prefetch_packet(packet[i + RX_AHEAD_PACKET]);
		if (i + RX_AHEAD_PORT < n)
			prefetch_port(w, packet[i + RX_AHEAD_PORT]);
		rx_packet(w, packet[i]);
	}
	rx_unprotect(w);
	w->rx_secure = NULL;
}

uint32_t rx_step(struct worker *w)
{
	struct rte_mbuf *packet[WORKER_RX_BURST];

	if (w->index >= w->dp->nic.rx_queues)
		return 0;

	uint16_t n = rte_eth_rx_burst(w->dp->nic.port, (uint16_t)w->index, packet, WORKER_RX_BURST);

	rx_burst(w, packet, n);
	return n;
}
