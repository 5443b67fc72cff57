/* SPDX-License-Identifier: Apache-2.0 */
/* One packet, one verdict: each way in which a packet can be wrong has its own counter. */
#include "packet.h"
#include "rig.h"
#include "rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct frame {
	struct packet_headers h;
	uint8_t rtp[RTP_HEADER_BYTES];
	uint8_t payload[600];
} __attribute__((packed));

static uint16_t sequence;

static int setup(void **state)
{
	struct rig *r = rig_create(1);
	const uint32_t slots[] = {0, 1};
	const uint16_t both[] = {2, 1};

	*state = r;
	sequence = 100;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* A good packet of port 0's peer. */
static struct frame good(struct rig *r, uint16_t payload)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct frame f = {0};

	packet_headers_write(&f.h, mac, mac, packet_be32(0x0a000001u), r->dp.ipv4[0],
		packet_be16(4000), packet_be16(20000), (uint16_t)(12 + payload));
	rtp_write(f.rtp, false, 0, sequence, sequence * 160u, 0x5000);
	sequence++;
	memset(f.payload, 0xff, sizeof(f.payload));
	return f;
}

static void seal(struct frame *f)
{
	f->h.ip.checksum = 0;
	f->h.ip.checksum = packet_ipv4_checksum(&f->h.ip);
}

#define FULL (uint16_t)(54 + 160)

static void each_header_that_can_be_wrong(void **state)
{
	struct rig *r = *state;
	struct frame f = good(r, 160);

	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
#define WRONG(change, verdict)                    \
	do {                                      \
		f = good(r, 160);                 \
		change;                           \
		seal(&f);                         \
		rig_expect(r, &f, FULL, verdict); \
	} while (0)
	WRONG(f.h.ether.type = packet_be16(0x86dd), CORD_COUNTER_drop_ip_header);
	WRONG(f.h.ether.type = 0, CORD_COUNTER_drop_ethertype);
	WRONG(f.h.ip.version_length = 0x46, CORD_COUNTER_drop_ip_header);
	WRONG(f.h.ip.version_length = 0x65, CORD_COUNTER_drop_ip_header);
	WRONG(f.h.ip.to = packet_be32(0x0a0000fdu), CORD_COUNTER_drop_not_ours);
	WRONG(f.h.ip.fragment = packet_be16(0x2000), CORD_COUNTER_drop_fragment);
	WRONG(f.h.ip.fragment = packet_be16(5), CORD_COUNTER_drop_fragment);
	WRONG(f.h.ip.protocol = 6, CORD_COUNTER_drop_protocol);
	WRONG(f.h.ip.length = packet_be16(19), CORD_COUNTER_drop_runt);
	WRONG(f.h.ip.length = packet_be16(21), CORD_COUNTER_drop_runt);
	WRONG(f.h.ip.length = packet_be16(201), CORD_COUNTER_drop_runt);
	WRONG(f.h.udp.length = packet_be16(7), CORD_COUNTER_drop_runt);
	WRONG(f.h.udp.length = packet_be16(181), CORD_COUNTER_drop_runt);
	WRONG(f.h.udp.checksum = 0x1234, CORD_COUNTER_drop_udp_checksum);
	WRONG(f.h.udp.to = packet_be16(19998), CORD_COUNTER_drop_no_port);
	WRONG(f.h.udp.to = packet_be16(20004), CORD_COUNTER_drop_no_port);
	WRONG(f.h.udp.to = packet_be16(20000 + 2 * RIG_PORTS), CORD_COUNTER_drop_no_port);
	WRONG(f.h.udp.to = 0, CORD_COUNTER_drop_no_port);
	WRONG(f.h.ip.from = packet_be32(0x0a000002u), CORD_COUNTER_drop_source);
	WRONG(f.h.udp.from = packet_be16(4002), CORD_COUNTER_drop_source);
	WRONG(f.rtp[0] = 0x40, CORD_COUNTER_drop_rtp_header);
	WRONG(f.rtp[0] = 0xa0; f.payload[159] = 200, CORD_COUNTER_drop_rtp_header);
	WRONG(f.rtp[1] = 96, CORD_COUNTER_drop_payload_type);
	WRONG(f.rtp[1] = 8, CORD_COUNTER_drop_payload_type);
	WRONG(f.rtp[8] = 0x77, CORD_COUNTER_drop_ssrc);
	WRONG(f.rtp[1] = 13, CORD_COUNTER_rx_comfort_noise);
	WRONG(f.rtp[1] = 200, CORD_COUNTER_drop_rtcp);
	WRONG(f.h.udp.to = packet_be16(20001), CORD_COUNTER_drop_rtcp);
#undef WRONG
	f = good(r, 2);
	f.rtp[1] = 101;
	rig_expect(r, &f, 56, CORD_COUNTER_drop_event);
	f = good(r, 160);
	f.h.ip.checksum ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_ip_header);
	f = good(r, 160);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	/* The same again. */
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_duplicate);
}

static void a_udp_checksum_that_is_right(void **state)
{
	struct rig *r = *state;
	struct frame f = good(r, 160);

	f.h.udp.checksum = packet_udp_checksum(&f.h.ip, &f.h.udp, 180);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	f.payload[77] ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	r->dp.config.ignore_udp_checksum = true;
	f.rtp[3]++;
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
}

/* What the NIC has verified, or a virtual one knows to be whole, is not summed up again. */
static void a_checksum_that_the_nic_has_seen(void **state)
{
	static const uint64_t ip = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	struct rig *r = *state;
	struct frame f = good(r, 160);

	f.h.udp.checksum = packet_udp_checksum(&f.h.ip, &f.h.udp, 180) ^ 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	r->nic_verdict = ip | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	f.rtp[3]++;
	r->nic_verdict = ip | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	f.rtp[3]++;
	f.h.ip.checksum ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	r->nic_verdict = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_ip_header);
	f.h.ip.checksum ^= 1;
	r->nic_verdict = ip | RTE_MBUF_F_RX_L4_CKSUM_BAD;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	/* It is wrong about this one. */
	f.rtp[3]++;
	f.h.udp.checksum = 0;
	f.h.udp.checksum = packet_udp_checksum(&f.h.ip, &f.h.udp, 180);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
}

static void every_payload_length(void **state)
{
	struct rig *r = *state;

	for (uint16_t n = 0; n <= 560; n++) {
		struct frame f = good(r, n);

		if (n && n <= 480 && n % 80 == 0)
			continue;
		rig_expect(r, &f, (uint16_t)(54 + n), CORD_COUNTER_drop_payload_size);
	}
}

static void every_truncation(void **state)
{
	struct rig *r = *state;

	for (uint16_t n = 1; n < FULL; n++) {
		struct frame f = good(r, 160);

		rig_expect(r, &f, n, CORD_COUNTER_drop_runt);
	}
}

/* Noise behind good Ethernet, IP or UDP headers: counted, never kept for ever. */
static void noise(void **state)
{
	struct rig *r = *state;

	srandom(5);
	for (uint32_t i = 0; i < 200000; i++) {
		struct frame f = good(r, 160);
		uint32_t from = (uint32_t[]){0, 12, 14, 34, 42, 54}[random() % 6];

		for (uint32_t b = from; b < FULL; b++)
			((uint8_t *)&f)[b] = (uint8_t)random();
		if (from >= 34)
			seal(&f);
		if (from == 42)
			f.rtp[0] = (uint8_t)(0x80 | (random() & 0x3f));
		rig_frame(r, &f, (uint16_t)(1 + random() % FULL));
		if (i % 64 == 0)
			rig_run(r, 1);
	}
	rig_run(r, 100);
}

static void arp_is_answered_and_learned(void **state)
{
	struct rig *r = *state;
	struct {
		struct packet_ether e;
		struct packet_arp a;
		uint8_t pad[18];
	} __attribute__((packed)) f = {
		.e = {{255, 255, 255, 255, 255, 255}, {2, 9, 9, 9, 9, 9},
			packet_be16(PACKET_ETHERTYPE_ARP)},
		.a = {packet_be16(1), packet_be16(0x0800), 6, 4, packet_be16(1), {2, 9, 9, 9, 9, 9},
			packet_be32(0x0a000001u), {0}, r->dp.ipv4[0]},
	};
	struct worker *w = r->dp.worker[0];
	uint8_t mac[6];

	rig_frame(r, &f, sizeof(f));
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_arp), 1);
	assert_int_equal(w->tx_count, 1);
	const struct packet_arp *a =
		rte_pktmbuf_mtod_offset(w->tx[0], const struct packet_arp *, 14);

	assert_int_equal(a->operation, packet_be16(2));
	assert_int_equal(a->from_ip, r->dp.ipv4[0]);
	assert_memory_equal(a->from_mac, r->dp.nic.mac, 6);
	assert_memory_equal(a->to_mac, f.a.from_mac, 6);
	assert_true(neighbor_mac(&r->dp.neighbors, r->dp.port[0].neighbor, mac));
	assert_memory_equal(mac, f.a.from_mac, 6);
	/* For somebody else: learned, not answered. Claiming our own address: neither. */
	f.a.to_ip = packet_be32(0x0a000063u);
	rig_frame(r, &f, sizeof(f));
	f.a.from_ip = r->dp.ipv4[0];
	rig_frame(r, &f, sizeof(f));
	assert_int_equal(w->tx_count, 1);
	rig_frame(r, &f, 41);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_runt), 1);
}

static void ping_is_answered(void **state)
{
	struct rig *r = *state;
	struct worker *w = r->dp.worker[0];
	struct frame f = good(r, 160);
	struct packet_icmp icmp = {.type = 8, .id = 5, .sequence = 9};

	f.h.ip.protocol = PACKET_PROTOCOL_ICMP;
	memcpy(&f.h.udp, &icmp, sizeof(icmp));
	icmp.checksum = packet_fold(packet_sum(&f.h.udp, 180));
	memcpy(&f.h.udp, &icmp, sizeof(icmp));
	seal(&f);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_icmp);
	assert_int_equal(w->tx_count, 1);
	const struct packet_headers *h = rte_pktmbuf_mtod(w->tx[0], const struct packet_headers *);

	assert_int_equal(h->ip.to, packet_be32(0x0a000001u));
	assert_int_equal(packet_ipv4_checksum(&h->ip), 0);
	assert_int_equal(packet_fold(packet_sum(&h->udp, 180)), 0);
	f.payload[3] ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
}

static void the_first_packet_is_told_once(void **state)
{
	struct rig *r = *state;
	struct frame f;
	struct cord_message m = {
		.port_set = {.port = rig_port(r, 0), .terms = rig_terms(0, CORD_CODEC_PCMU)}};

	m.port_set.terms.remote = cord_address_ipv4(10, 0, 0, 9, 5000);
	for (uint32_t i = 0; i < 5; i++) {
		f = good(r, 160);
		rig_frame(r, &f, FULL);
	}
	rig_run(r, 5);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 1);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	f = good(r, 160);
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_source);
	f.h.ip.from = packet_be32(0x0a000009u);
	f.h.udp.from = packet_be16(5000);
	seal(&f);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	rig_run(r, 5);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 2);
}

/* Loss, reordering and duplicates on the way: heard without a hole longer than a frame. */
static void a_lossy_path_is_concealed(void **state)
{
	struct rig *r = *state;

	srandom(9);
	rig_talk(r, 0, 500);
	rig_run(r, 1000);
	for (uint32_t i = 0; i < 100; i++) {
		rig_run(r, 20);
		if (random() % 10 == 0)
			r->peer[0].sequence++, r->peer[0].timestamp += 160,
				r->peer[0].sample += 160;
	}
	assert_true(rig_counter(r, CORD_COUNTER_frames_concealed) > 0);
	assert_true(rig_level(r, 1, 500, 1000) > 5000);
	assert_int_equal(r->heard[1].sequence_gaps + r->heard[1].timestamp_gaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_header_that_can_be_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(a_udp_checksum_that_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checksum_that_the_nic_has_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(every_payload_length, setup, teardown),
		cmocka_unit_test_setup_teardown(every_truncation, setup, teardown),
		cmocka_unit_test_setup_teardown(noise, setup, teardown),
		cmocka_unit_test_setup_teardown(arp_is_answered_and_learned, setup, teardown),
		cmocka_unit_test_setup_teardown(ping_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_packet_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lossy_path_is_concealed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
