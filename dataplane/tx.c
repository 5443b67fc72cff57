/* SPDX-License-Identifier: Apache-2.0 */
#include "tx.h"

#include "packet.h"
#include "rtp.h"

#include <rte_ethdev.h>

struct tx_rtp_packet {
	struct packet_headers headers;
	uint8_t rtp[RTP_HEADER_BYTES];
} __attribute__((packed));
_Static_assert(sizeof(struct tx_rtp_packet) == 54, "headers as on the wire");

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
	struct rte_mbuf *m = tx_packet(w, reuse, (uint16_t)(sizeof(struct tx_rtp_packet) + bytes));

	if (m == NULL)
		return;
	struct tx_rtp_packet *h = rte_pktmbuf_mtod(m, struct tx_rtp_packet *);

	packet_headers_write(&h->headers, dp->nic.mac, mac, p->local_ip, p->remote_ip, p->local_udp,
		p->remote_udp, (uint16_t)(RTP_HEADER_BYTES + bytes));
	rtp_write(h->rtp, marker, payload_type, sequence, timestamp, p->ssrc);
	memcpy(h + 1, payload, bytes);
	p->tx_packets++;
	p->tx_bytes += bytes;
	tx_frame(w, m, counter);
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
	struct rte_mbuf *m = tx_packet(w, NULL, sizeof(struct packet_headers) + RTCP_WRITE_MAX);

	if (m == NULL)
		return;
	struct packet_headers *h = rte_pktmbuf_mtod(m, struct packet_headers *);

	report_fill(w, p, bye, &report);
	int bytes = rtcp_write((uint8_t *)(h + 1), RTCP_WRITE_MAX, &report);

	if (bytes < 0) {
		rte_pktmbuf_free(m);
		return;
	}
	packet_headers_write(h, dp->nic.mac, mac, p->local_ip, p->remote_ip,
		mux ? p->local_udp : next_udp_port(p->local_udp), to, (uint16_t)bytes);
	m->data_len = (uint16_t)(sizeof(*h) + (size_t)bytes);
	m->pkt_len = m->data_len;
	tx_frame(w, m, CORD_COUNTER_tx_rtcp);
}

struct rte_mbuf *tx_arp_request(struct nic *nic, uint32_t local_ip, uint32_t ip)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(nic->pool);

	if (m == NULL)
		return NULL;
	struct packet_ether *ether = rte_pktmbuf_mtod(m, struct packet_ether *);
	struct packet_arp *arp = (struct packet_arp *)(ether + 1);

	memset(ether->to, 0xff, 6);
	memcpy(ether->from, nic->mac, 6);
	ether->type = packet_be16(PACKET_ETHERTYPE_ARP);
	*arp = (struct packet_arp){
		.hardware = packet_be16(1),
		.protocol = packet_be16(PACKET_ETHERTYPE_IPV4),
		.hardware_bytes = 6,
		.protocol_bytes = 4,
		.operation = packet_be16(1),
		.from_ip = local_ip,
		.to_ip = ip,
	};
	memcpy(arp->from_mac, nic->mac, 6);
	m->data_len = sizeof(*ether) + sizeof(*arp);
	m->pkt_len = m->data_len;
	return m;
}
