/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "discovery.h"
#include "tx.h"

#define ARP_REQUEST       1u
#define ARP_REPLY         2u
#define ICMP_ECHO_REQUEST 8u

static struct cord_address address_ipv4(uint32_t ip)
{
	struct cord_address a = {.family = CORD_FAMILY_IPV4};

	memcpy(a.ip, &ip, sizeof(ip));
	return a;
}

static struct cord_address address_ipv6(const uint8_t ip[PACKET_IPV6_BYTES])
{
	struct cord_address a = {.family = CORD_FAMILY_IPV6};

	memcpy(a.ip, ip, sizeof(a.ip));
	return a;
}

static void resize(struct rte_mbuf *m, size_t bytes)
{
	m->data_len = (uint16_t)bytes;
	m->pkt_len = m->data_len;
	m->ol_flags = 0;
}

/* Our answer to a request is the same packet with the sides exchanged. */
static struct exit arp_answer(
	struct worker *w, struct rte_mbuf *m, struct packet_ether *ether, struct packet_arp *arp)
{
	uint32_t ours = arp->to_ip;

	memcpy(ether->to, arp->from_mac, 6);
	memcpy(ether->from, w->dp->nic.mac, 6);
	arp->operation = packet_be16(ARP_REPLY);
	memcpy(arp->to_mac, arp->from_mac, 6);
	arp->to_ip = arp->from_ip;
	memcpy(arp->from_mac, w->dp->nic.mac, 6);
	arp->from_ip = ours;
	resize(m, sizeof(*ether) + sizeof(*arp));
	tx_frame(w, m, CORD_COUNTER_tx_other);
	return kept(CORD_COUNTER_rx_arp);
}

struct exit link_arp(struct worker *w, struct rte_mbuf *m)
{
	struct packet_ether *ether = rte_pktmbuf_mtod(m, struct packet_ether *);
	struct packet_arp *arp = (struct packet_arp *)(ether + 1);
	uint32_t local;

	if (m->data_len < sizeof(*ether) + sizeof(*arp))
		return dropped(CORD_COUNTER_drop_runt);
	if (arp->hardware != packet_be16(1) ||
		arp->protocol != packet_be16(PACKET_ETHERTYPE_IPV4) || arp->hardware_bytes != 6 ||
		arp->protocol_bytes != 4)
		return dropped(CORD_COUNTER_drop_ethertype);
	/* Never believe that our own address is somewhere else, or that a group is a neighbour. */
	if (!dataplane_local_ipv4(w->dp, arp->from_ip, &local) && !(arp->from_mac[0] & 1)) {
		struct cord_address from = address_ipv4(arp->from_ip);

		neighbor_learn(&w->dp->neighbors, &from, arp->from_mac, true, w->now_ns);
	}
	if (arp->operation == packet_be16(ARP_REQUEST) &&
		dataplane_local_ipv4(w->dp, arp->to_ip, &local))
		return arp_answer(w, m, ether, arp);
	return dropped(CORD_COUNTER_rx_arp);
}

struct exit link_icmp(
	struct worker *w, struct rte_mbuf *m, struct packet_ipv4 *ip, uint16_t ip_bytes)
{
	struct packet_ether *ether = rte_pktmbuf_mtod(m, struct packet_ether *);
	struct packet_icmp *icmp = (struct packet_icmp *)(ip + 1);
	uint16_t bytes = (uint16_t)(ip_bytes - sizeof(*ip));
	uint32_t from = ip->from;

	if (bytes < sizeof(*icmp))
		return dropped(CORD_COUNTER_drop_runt);
	if (icmp->type != ICMP_ECHO_REQUEST || icmp->code != 0)
		return dropped(CORD_COUNTER_drop_protocol);
	if (packet_fold(packet_sum(icmp, bytes)) != 0)
		return dropped(CORD_COUNTER_drop_udp_checksum);
	memcpy(ether->to, ether->from, 6);
	memcpy(ether->from, w->dp->nic.mac, 6);
	ip->from = ip->to;
	ip->to = from;
	ip->ttl = PACKET_TTL;
	ip->checksum = 0;
	ip->checksum = packet_ipv4_checksum(ip);
	icmp->type = 0;
	icmp->checksum = 0;
	icmp->checksum = packet_fold(packet_sum(icmp, bytes));
	resize(m, sizeof(*ether) + ip_bytes);
	tx_frame(w, m, CORD_COUNTER_tx_other);
	return kept(CORD_COUNTER_rx_icmp);
}

static void believe(
	struct worker *w, const uint8_t ip[PACKET_IPV6_BYTES], const uint8_t *mac, bool override)
{
	struct cord_address address = address_ipv6(ip);
	uint32_t local;

	if (mac && !dataplane_local_ipv6(w->dp, ip, &local))
		neighbor_learn(&w->dp->neighbors, &address, mac, override, w->now_ns);
}

static struct exit discovery_answer(struct worker *w, struct rte_mbuf *m,
	const struct packet_ipv6 *ip, const struct discovery *d)
{
	struct discovery_packet *answer = rte_pktmbuf_mtod(m, struct discovery_packet *);
	uint8_t local[PACKET_IPV6_BYTES], to[PACKET_IPV6_BYTES], to_mac[6];

	/* The answer is written over what it answers, which may be shorter. */
	if (m->data_len < sizeof(*answer) &&
		!rte_pktmbuf_append(m, (uint16_t)(sizeof(*answer) - m->data_len)))
		return dropped(CORD_COUNTER_tx_no_mbuf);
	memcpy(local, d->target, sizeof(local));
	memcpy(to, ip->from, sizeof(to));
	memcpy(to_mac, d->mac ? d->mac : answer->ether.from, sizeof(to_mac));
	discovery_advertise(answer, w->dp->nic.mac, local, d->probe ? NULL : to, to_mac);
	resize(m, sizeof(*answer));
	tx_frame(w, m, CORD_COUNTER_tx_other);
	return kept(CORD_COUNTER_rx_discovery);
}

static struct exit link_discovery(
	struct worker *w, struct rte_mbuf *m, const struct packet_ipv6 *ip, uint16_t bytes)
{
	struct discovery d;
	uint32_t local;

	if (discovery_read(ip, ip + 1, bytes, &d))
		return dropped(CORD_COUNTER_drop_discovery);
	if (!d.solicitation)
		believe(w, d.target, d.mac, d.override);
	else if (!d.probe)
		believe(w, ip->from, d.mac, true);
	if (d.solicitation && dataplane_local_ipv6(w->dp, d.target, &local))
		return discovery_answer(w, m, ip, &d);
	return dropped(CORD_COUNTER_rx_discovery);
}

static struct exit echo(
	struct worker *w, struct rte_mbuf *m, struct packet_ipv6 *ip, uint16_t bytes)
{
	struct packet_ether *ether = rte_pktmbuf_mtod(m, struct packet_ether *);
	struct packet_icmpv6 *icmp = (struct packet_icmpv6 *)(ip + 1);
	uint8_t from[PACKET_IPV6_BYTES];

	if (packet_ipv6_checksum(ip, PACKET_PROTOCOL_ICMPV6, icmp, bytes) != 0)
		return dropped(CORD_COUNTER_drop_udp_checksum);
	memcpy(ether->to, ether->from, 6);
	memcpy(ether->from, w->dp->nic.mac, 6);
	memcpy(from, ip->from, sizeof(from));
	memcpy(ip->from, ip->to, sizeof(from));
	memcpy(ip->to, from, sizeof(from));
	ip->hops = PACKET_TTL;
	icmp->type = ICMPV6_ECHO_REPLY;
	icmp->checksum = 0;
	icmp->checksum = packet_ipv6_checksum(ip, PACKET_PROTOCOL_ICMPV6, icmp, bytes);
	resize(m, sizeof(*ether) + sizeof(*ip) + bytes);
	tx_frame(w, m, CORD_COUNTER_tx_other);
	return kept(CORD_COUNTER_rx_icmp);
}

struct exit link_icmpv6(
	struct worker *w, struct rte_mbuf *m, struct packet_ipv6 *ip, uint16_t bytes)
{
	const struct packet_icmpv6 *icmp = (const struct packet_icmpv6 *)(ip + 1);
	uint32_t local;

	if (bytes < sizeof(*icmp))
		return dropped(CORD_COUNTER_drop_runt);
	if (icmp->type == ICMPV6_SOLICITATION || icmp->type == ICMPV6_ADVERTISEMENT)
		return link_discovery(w, m, ip, bytes);
	if (icmp->type != ICMPV6_ECHO_REQUEST || icmp->code != 0)
		return dropped(CORD_COUNTER_drop_protocol);
	if (!dataplane_local_ipv6(w->dp, ip->to, &local))
		return dropped(CORD_COUNTER_drop_not_ours);
	return echo(w, m, ip, bytes);
}

static void arp_write(struct packet_ether *ether, const uint8_t mac[6],
	const struct cord_address *local, const struct cord_address *ip)
{
	struct packet_arp *arp = (struct packet_arp *)(ether + 1);

	memset(ether->to, 0xff, 6);
	memcpy(ether->from, mac, 6);
	ether->type = packet_be16(PACKET_ETHERTYPE_ARP);
	*arp = (struct packet_arp){
		.hardware = packet_be16(1),
		.protocol = packet_be16(PACKET_ETHERTYPE_IPV4),
		.hardware_bytes = 6,
		.protocol_bytes = 4,
		.operation = packet_be16(ARP_REQUEST),
	};
	memcpy(&arp->from_ip, local->ip, 4);
	memcpy(&arp->to_ip, ip->ip, 4);
	memcpy(arp->from_mac, mac, 6);
}

struct rte_mbuf *link_question(
	struct nic *nic, const struct cord_address *local, const struct cord_address *ip)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(nic->pool);

	if (m == NULL)
		return NULL;
	if (ip->family == CORD_FAMILY_IPV6) {
		discovery_solicit(rte_pktmbuf_mtod(m, struct discovery_packet *), nic->mac,
			local->ip, ip->ip);
		resize(m, sizeof(struct discovery_packet));
	} else {
		arp_write(rte_pktmbuf_mtod(m, struct packet_ether *), nic->mac, local, ip);
		resize(m, sizeof(struct packet_ether) + sizeof(struct packet_arp));
	}
	return m;
}

struct rte_mbuf *link_announcement(struct nic *nic, const struct cord_address *local)
{
	if (local->family != CORD_FAMILY_IPV6)
		return link_question(nic, local, local);
	struct rte_mbuf *m = rte_pktmbuf_alloc(nic->pool);

	if (m) {
		discovery_advertise(rte_pktmbuf_mtod(m, struct discovery_packet *), nic->mac,
			local->ip, NULL, NULL);
		resize(m, sizeof(struct discovery_packet));
	}
	return m;
}
