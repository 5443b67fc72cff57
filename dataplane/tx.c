/* SPDX-License-Identifier: Apache-2.0 */
#include "tx.h"

#include "packet.h"
#include "rtp.h"
#include "srtp.h"

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

static uint32_t flush(struct worker *w)
{
	if (w->tx_count == 0)
		return 0;
	return w->index < w->dp->nic.tx_queues ? flush_to_nic(w) : flush_to_first_worker(w);
}

void tx_frame(struct worker *w, struct rte_mbuf *m, enum cord_counter counter)
{
	/* A few bursts at a time: packets come back while the pool's cache still has them. */
	if (w->tx_count && w->tx_count % WORKER_TX_FLUSH == 0)
		flush(w);
	if (w->tx_count == WORKER_TX_PENDING) {
		worker_count(w, CORD_COUNTER_tx_nic_full, 1);
		rte_pktmbuf_free(m);
		return;
	}
	w->tx[w->tx_count++] = m;
	worker_count(w, counter, 1);
}

/*
 * An empty packet with `bytes` of room, `reuse` if that is not NULL. One of the pool, and one that
 * was received in one piece (rx.c sees to it), is alone: what says so lies in the second cache line
 * of its header, which stays untouched.
 */
static struct rte_mbuf *tx_packet(struct worker *w, struct rte_mbuf *reuse, uint16_t bytes)
{
	struct rte_mbuf *m = reuse ? reuse : rte_mbuf_raw_alloc(w->dp->nic.pool);

	if (m == NULL) {
		worker_count(w, CORD_COUNTER_tx_no_mbuf, 1);
		return NULL;
	}
	m->ol_flags = 0;
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = bytes;
	m->pkt_len = bytes;
	return m;
}

static uint16_t headers_bytes(const struct port *p)
{
	return p->family == CORD_FAMILY_IPV6 ? sizeof(struct packet_headers6)
					     : sizeof(struct packet_headers);
}

/* Writes headers of the port's family in front of a payload that is as it will be received. */
static void media_leave(struct worker *w, const struct tx_media *media)
{
	const struct dataplane *dp = w->dp;
	const struct port *p = media->port;
	struct rte_mbuf *m = media->packet;
	uint16_t bytes = (uint16_t)(m->data_len - headers_bytes(p));

	if (p->family == CORD_FAMILY_IPV6) {
		const struct port_ipv6 *ip = &dp->port_cold[p->slot].ipv6;
		struct packet_headers6 *h = rte_pktmbuf_mtod(m, struct packet_headers6 *);

		packet_headers6_write(h, dp->nic.mac, media->mac, ip->local, ip->remote, ip->label,
			media->from_udp, media->to_udp, bytes);
		packet_headers6_seal(h);
	} else {
		packet_headers_write(rte_pktmbuf_mtod(m, struct packet_headers *), dp->nic.mac,
			media->mac, p->local_ip, p->remote_ip, media->from_udp, media->to_udp,
			bytes);
	}
	tx_frame(w, m, media->counter);
}

void tx_protect(struct worker *w)
{
	struct srtp_packet packet[WORKER_TX_SECURE];
	uint32_t n = w->secure_count;

	for (uint32_t i = 0; i < n; i++) {
		const struct tx_media *media = &w->secure[i];
		uint16_t headers = headers_bytes(media->port);

		packet[i] = (struct srtp_packet){
			.data = rte_pktmbuf_mtod_offset(media->packet, uint8_t *, headers),
			.slot = media->port->slot,
			.bytes = (uint16_t)(media->packet->data_len - headers),
			.rtcp = media->rtcp,
		};
	}
	srtp_protect_burst(w->srtp, packet, n);
	w->secure_count = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m = w->secure[i].packet;

		if (packet[i].verdict != SRTP_GOOD) {
			worker_count(w, CORD_COUNTER_tx_srtp, 1);
			rte_pktmbuf_free(m);
			continue;
		}
		m->data_len = (uint16_t)(headers_bytes(w->secure[i].port) + packet[i].bytes);
		m->pkt_len = m->data_len;
		media_leave(w, &w->secure[i]);
	}
}

static void media_send(struct worker *w, const struct tx_media *media)
{
	if (!(media->port->flags & PORT_SECURE)) {
		media_leave(w, media);
		return;
	}
	if (w->secure_count == WORKER_TX_SECURE)
		tx_protect(w);
	w->secure[w->secure_count++] = *media;
}

uint32_t tx_flush(struct worker *w)
{
	tx_protect(w);
	return flush(w);
}

void tx_rtp(struct worker *w, struct port *p, struct rte_mbuf *reuse, enum cord_counter counter,
	bool marker, uint8_t payload_type, uint32_t timestamp, const uint8_t *payload,
	uint16_t bytes)
{
	struct tx_media media = {
		.port = p, .counter = counter, .from_udp = p->local_udp, .to_udp = p->remote_udp};
	uint16_t sequence = p->sequence++;

	if (!neighbor_mac(&w->dp->neighbors, p->neighbor, media.mac)) {
		worker_count(w, CORD_COUNTER_tx_no_neighbor, 1);
		rte_pktmbuf_free(reuse);
		return;
	}
	uint16_t headers = headers_bytes(p);

	media.packet = tx_packet(w, reuse, (uint16_t)(headers + RTP_HEADER_BYTES + bytes));
	if (media.packet == NULL)
		return;
	uint8_t *rtp = rte_pktmbuf_mtod_offset(media.packet, uint8_t *, headers);

	rtp_write(rtp, marker, payload_type, sequence, timestamp, p->ssrc);
	/* Of known length it is a few moves, none wider than what has just been written. */
	if (bytes == PORT_PERIOD_UNITS)
		memcpy(rtp + RTP_HEADER_BYTES, payload, PORT_PERIOD_UNITS);
	else
		memcpy(rtp + RTP_HEADER_BYTES, payload, bytes);
	p->tx_packets++;
	p->tx_bytes += bytes;
	media_send(w, &media);
}

static uint16_t next_udp_port(uint16_t be)
{
	return packet_be16((uint16_t)(packet_be16(be) + 1));
}

void tx_rtcp(struct worker *w, struct port *p, bool bye)
{
	bool mux = p->flags & PORT_RTCP_MUX;
	struct tx_media media = {.port = p,
		.counter = CORD_COUNTER_tx_rtcp,
		.from_udp = mux ? p->local_udp : next_udp_port(p->local_udp),
		.to_udp = mux ? p->remote_udp : w->dp->port_cold[p->slot].report.remote_udp,
		.rtcp = true};
	struct rtcp_report report;

	if (media.to_udp == 0 || !neighbor_mac(&w->dp->neighbors, p->neighbor, media.mac))
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
	m->data_len = (uint16_t)(headers + bytes);
	m->pkt_len = m->data_len;
	media.packet = m;
	media_send(w, &media);
}
