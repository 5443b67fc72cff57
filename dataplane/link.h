/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host on an Ethernet owes its neighbours beside media: ARP (RFC 826), neighbour discovery
 * (RFC 4861) and echo (RFC 792, RFC 4443). Answers are made in the packet that asked.
 *
 * A neighbour's MAC is believed as the two protocols have it, for addresses that ports need
 * (neighbor.h), never for one of ours and never when it is a group.
 */
#ifndef DATAPLANE_LINK_H
#define DATAPLANE_LINK_H

#include "exit.h"
#include "packet.h"
#include "worker.h"

/* An ARP packet; nothing behind its Ethernet header has been checked. */
struct exit link_arp(struct worker *w, struct rte_mbuf *m);

/* An ICMP packet to one of our addresses, ip_bytes long with its checked header. */
struct exit link_icmp(
	struct worker *w, struct rte_mbuf *m, struct packet_ipv4 *ip, uint16_t ip_bytes);

/* An ICMPv6 packet to anybody: `bytes` behind its checked header. */
struct exit link_icmpv6(
	struct worker *w, struct rte_mbuf *m, struct packet_ipv6 *ip, uint16_t bytes);

/* Asks from our address `local` who has `ip`, of the same family; NULL: pool empty. Any thread. */
struct rte_mbuf *link_question(
	struct nic *nic, const struct cord_address *local, const struct cord_address *ip);

/* Tells everybody where our address `local` is; NULL: pool empty. Any thread. */
struct rte_mbuf *link_announcement(struct nic *nic, const struct cord_address *local);

#endif
