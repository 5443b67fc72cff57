/* SPDX-License-Identifier: Apache-2.0 */
#include "tx.h"

#include "packet.h"
#include "rtp.h"

#include <rte_ethdev.h>

/* What the NIC does not take stays for the next pass; what does not fit here is dropped. */
static uint32_t flush_to_nic(struct worker *w)
{
	struct dataplane *dp = w->dp;
	uint32_t sent = 0;

	while (sent < w->tx_count) {
		uint32_t n = w->tx_count - sent;
		uint16_t took = rte_eth_tx_burst(dp->nic.port, (uint16_t)w->index, w->tx + sent,
			(uint16_t)(n < TX_BURST ? n : TX_BURST));

		if (took == 0)
			break;
		sent += took;
	}
	w->tx_count -= sent;
	if (sent && w->tx_count)
		memmove(w->tx, w->tx + sent, w->tx_count * sizeof(w->tx[0]));
	return sent;
}

static uint32_t flush_to_first_worker(struct worker *w)
{
	struct exchange *e = w->dp->worker[0]->exchange[w->index];
	uint32_t sent = 0;

	while (sent < w->tx_count &&
		exchange_put(e, WORKER_WORD(WORKER_WORD_SEND, (uintptr_t)w->tx[sent])))
		sent++;
	w->tx_count -= sent;
	if (sent && w->tx_count)
		memmove(w->tx, w->tx + sent, w->tx_count * sizeof(w->tx[0]));
	return sent;
}

uint32_t tx_flush(struct worker *w)
{
	if (w->tx_count == 0)
		return 0;
	return w->index < w->dp->nic.tx_queues ? flush_to_nic(w) : flush_to_first_worker(w);
}

void tx_frame(struct worker *w, struct rte_mbuf *m, enum cord_counter counter)
{
	if (w->tx_count == WORKER_TX_PENDING)
		tx_flush(w);
	if (w->tx_count == WORKER_TX_PENDING) {
		worker_count(w, CORD_COUNTER_tx_nic_full, 1);
		rte_pktmbuf_free(m);
		return;
	}
	w->tx[w->tx_count++] = m;
	worker_count(w, counter, 1);
}

/* An empty packet with `bytes` of room, `reuse` if that is not NULL. */
static struct rte_mbuf *tx_packet(struct worker *w, struct rte_mbuf *reuse, uint16_t bytes)
{
	struct rte_mbuf *m = reuse;

	if (m)
		rte_pktmbuf_reset(m);
	else
		m = rte_pktmbuf_alloc(w->dp->nic.pool);
	if (m == NULL) {
		worker_count(w, CORD_COUNTER_tx_no_mbuf, 1);
		return NULL;
	}
	m->data_len = bytes;
	m->pkt_len = bytes;
	return m;
}

static uint16_t headers_bytes(const struct port *p)
{
	return p->family == CORD_FAMILY_IPV6 ? sizeof(struct packet_headers6)
					     : sizeof(struct packet_headers);
}

/* Headers of the port's family in front of `bytes`, in network order as all here. */
static void headers_write(struct worker *w, const struct port *p, struct rte_mbuf *m,
	const uint8_t mac[6], uint16_t from_udp, uint16_t to_udp, uint16_t bytes)
{
	const struct dataplane *dp = w->dp;

	if (p->family == CORD_FAMILY_IPV6) {
		const struct port_ipv6 *ip = &dp->port_cold[p->slot].ipv6;

		packet_headers6_write(rte_pktmbuf_mtod(m, struct packet_headers6 *), dp->nic.mac,
			mac, ip->local, ip->remote, ip->label, from_udp, to_udp, bytes);
	} else {
		packet_headers_write(rte_pktmbuf_mtod(m, struct packet_headers *), dp->nic.mac, mac,
			p->local_ip, p->remote_ip, from_udp, to_udp, bytes);
	}
}

/* Sends what headers_write() was for, its payload in place. */
static void datagram_send(
	struct worker *w, const struct port *p, struct rte_mbuf *m, enum cord_counter counter)
{
	if (p->family == CORD_FAMILY_IPV6)
		packet_headers6_seal(rte_pktmbuf_mtod(m, struct packet_headers6 *));
	tx_frame(w, m, counter);
}

void tx_rtp(struct worker *w, struct port *p, struct rte_mbuf *reuse, enum cord_counter counter,
	bool marker, uint8_t payload_type, uint32_t timestamp, const uint8_t *payload,
	uint16_t bytes)
{
	struct dataplane *dp = w->dp;
	uint16_t sequence = p->sequence++;
	uint8_t mac[6];

	if (!neighbor_mac(&dp->neighbors, p->neighbor, mac)) {
		worker_count(w, CORD_COUNTER_tx_no_neighbor, 1);
		rte_pktmbuf_free(reuse);
		return;
	}
	uint16_t headers = headers_bytes(p);
	struct rte_mbuf *m = tx_packet(w, reuse, (uint16_t)(headers + RTP_HEADER_BYTES + bytes));

	if (m == NULL)
		return;
	uint8_t *rtp = rte_pktmbuf_mtod_offset(m, uint8_t *, headers);

	headers_write(
		w, p, m, mac, p->local_udp, p->remote_udp, (uint16_t)(RTP_HEADER_BYTES + bytes));
	rtp_write(rtp, marker, payload_type, sequence, timestamp, p->ssrc);
	memcpy(rtp + RTP_HEADER_BYTES, payload, bytes);
	p->tx_packets++;
	p->tx_bytes += bytes;
	datagram_send(w, p, m, counter);
}

static uint16_t next_udp_port(uint16_t be)
{
	return packet_be16((uint16_t)(packet_be16(be) + 1));
}

void tx_rtcp(struct worker *w, struct port *p, bool bye)
{
	struct dataplane *dp = w->dp;
	struct rtcp_report report;
	uint8_t mac[6];
	bool mux = p->flags & PORT_RTCP_MUX;
	uint16_t to = mux ? p->remote_udp : dp->port_cold[p->slot].report.remote_udp;

	if (to == 0 || !neighbor_mac(&dp->neighbors, p->neighbor, mac))
		return;
	uint16_t headers = headers_bytes(p);
	struct rte_mbuf *m = tx_packet(w, NULL, (uint16_t)(headers + RTCP_WRITE_MAX));

	if (m == NULL)
		return;
	report_fill(w, p, bye, &report);
	int bytes =
		rtcp_write(rte_pktmbuf_mtod_offset(m, uint8_t *, headers), RTCP_WRITE_MAX, &report);

	if (bytes < 0) {
		rte_pktmbuf_free(m);
		return;
	}
	headers_write(w, p, m, mac, mux ? p->local_udp : next_udp_port(p->local_udp), to,
		(uint16_t)bytes);
	m->data_len = (uint16_t)(headers + bytes);
	m->pkt_len = m->data_len;
	datagram_send(w, p, m, CORD_COUNTER_tx_rtcp);
}
