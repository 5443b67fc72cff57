/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 on the wire: media heard over it, each header that can be wrong, neighbour discovery as RFC
 * 4861 has it and echo.
 */
#include "discovery.h"
#include "rig.h"
#include "rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define OURS  RIG_IPV6 /* slot of the port at hand, at UDP port 20000 */
#define OTHER (RIG_IPV6 + 1)
#define FULL  (uint16_t)(62 + 12 + 160)

struct frame {
	struct packet_headers6 h;
	uint8_t rtp[RTP_HEADER_BYTES];
	uint8_t payload[600];
} __attribute__((packed));

/* With as many options as are wanted. */
struct nd_frame {
	struct discovery_packet p;
	uint8_t more[64];
} __attribute__((packed));

static const uint8_t peer_mac[6] = {2, 9, 9, 9, 9, 9};
static uint16_t sequence;

static int setup(void **state)
{
	struct rig *r = rig_create_dual(1);
	const uint32_t slots[] = {0, OURS, OTHER};
	const uint16_t all[] = {6, 5, 3};

	*state = r;
	sequence = 100;
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, OURS, CORD_CODEC_PCMA), 0);
	assert_int_equal(rig_open(r, 0, OTHER, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_set(r, 0, 0, 3, slots, all), 0);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* ---- media ---------------------------------------------------------------------------------- */

/* Three in a room, one of them at IPv4: each hears the other two and not itself. */
static void a_room_of_both_families_talks(void **state)
{
	struct rig *r = *state;
	const uint32_t slots[] = {0, OURS, OTHER};
	const double hz[] = {400, 700, 1100};

	for (uint32_t i = 0; i < 3; i++)
		rig_talk(r, slots[i], hz[i]);
	rig_run(r, 1000);
	for (uint32_t i = 0; i < 3; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			double level = rig_level(r, slots[i], hz[k], 500);

			assert_true(i == k ? level < 100 : level > 7000);
		}
		assert_int_equal(r->heard[slots[i]].sequence_gaps, 0);
		assert_int_equal(r->heard[slots[i]].timestamp_gaps, 0);
	}
	rig_run(r, 5000);
	assert_true(r->heard[OURS].rtcp > 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_tx_no_neighbor), 0);
}

static struct frame good(struct rig *r, uint16_t payload)
{
	struct frame f;

	memset(&f, 0, sizeof(f));
	rig_headers(r, OURS, (uint8_t *)&f, (uint16_t)(12 + payload));
	rtp_write(f.rtp, false, 8, sequence, sequence * 160u, 0x5000);
	sequence++;
	memset(f.payload, 0x55, sizeof(f.payload));
	return f;
}

static void each_header_that_can_be_wrong(void **state)
{
	struct rig *r = *state;
	struct frame f;

#define WRONG(change, verdict)                    \
	do {                                      \
		f = good(r, 160);                 \
		change;                           \
		packet_headers6_seal(&f.h);       \
		rig_expect(r, &f, FULL, verdict); \
	} while (0)
	WRONG(, CORD_COUNTER_rx_media);
	WRONG(f.h.ip.hops = 1, CORD_COUNTER_rx_media);
	WRONG(f.h.ip.version_class_label = packet_be32(0x6fffffff), CORD_COUNTER_rx_media);
	WRONG(f.h.ip.version_class_label = packet_be32(0x40000000), CORD_COUNTER_drop_ip_header);
	WRONG(f.h.ip.from[0] = 0xff, CORD_COUNTER_drop_ip_header);
	WRONG(f.h.ip.to[15] = 0xfe, CORD_COUNTER_drop_not_ours);
	WRONG(f.h.ip.to[0] = 0xff, CORD_COUNTER_drop_not_ours);
	WRONG(f.h.ip.next = 6, CORD_COUNTER_drop_protocol);
	WRONG(f.h.ip.next = 59, CORD_COUNTER_drop_protocol);
	WRONG(f.h.ip.next = PACKET_PROTOCOL_ICMP, CORD_COUNTER_drop_protocol);
	static const uint8_t extensions[] = {0, 43, 44, 50, 51, 60, 135, 139, 140, 253, 254};

	for (uint32_t i = 0; i < sizeof(extensions); i++)
		WRONG(f.h.ip.next = extensions[i], CORD_COUNTER_drop_extension);
	WRONG(f.h.udp.length = packet_be16(7), CORD_COUNTER_drop_runt);
	WRONG(f.h.udp.length = packet_be16(181), CORD_COUNTER_drop_runt);
	WRONG(f.h.udp.to = packet_be16(19998), CORD_COUNTER_drop_no_port);
	WRONG(f.h.udp.to = packet_be16(20004), CORD_COUNTER_drop_no_port);
	/* The UDP port of the IPv4 address's slots only. */
	WRONG(f.h.udp.to = packet_be16(20000 + 2 * RIG_IPV6), CORD_COUNTER_drop_no_port);
	WRONG(f.h.ip.from[15] = 0x77, CORD_COUNTER_drop_source);
	WRONG(f.h.ip.from[7] = 1, CORD_COUNTER_drop_source);
	WRONG(f.h.udp.from = packet_be16(4002), CORD_COUNTER_drop_source);
	WRONG(f.rtp[0] = 0x40, CORD_COUNTER_drop_rtp_header);
	WRONG(f.h.udp.to = packet_be16(20001), CORD_COUNTER_drop_rtcp);
#undef WRONG
	f = good(r, 160);
	f.h.ip.length = packet_be16(181);
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_runt);
	f = good(r, 160);
	packet_headers6_seal(&f.h);
	f.h.udp.checksum ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	/* None at all is what IPv4 may have. */
	f.h.udp.checksum = 0;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	r->dp.config.ignore_udp_checksum = true;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
}

static void every_truncation(void **state)
{
	struct rig *r = *state;
	struct frame f = good(r, 160);

	packet_headers6_seal(&f.h);
	for (uint16_t bytes = 1; bytes < FULL; bytes++)
		rig_expect(r, &f, bytes, CORD_COUNTER_drop_runt);
	/* What Ethernet pads is not of the packet. */
	rig_expect(r, &f, FULL + 20, CORD_COUNTER_rx_media);
}

/* An IPv4 packet to 0.0.0.0 is for nobody, though an IPv6 address has no IPv4 one. */
static void no_packet_crosses_the_families(void **state)
{
	struct rig *r = *state;
	uint8_t frame[300] = {0};
	struct packet_headers *h = (struct packet_headers *)frame;

	rig_headers(r, 0, frame, 172);
	h->ip.to = 0;
	rig_seal(frame);
	rig_expect(r, frame, 214, CORD_COUNTER_drop_not_ours);
	/* A peer of the other family is refused. */
	struct cord_message m = {.port_set = {rig_port(r, OURS), rig_terms(0, CORD_CODEC_PCMU)}};

	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), CORD_REFUSAL_BAD_VALUE);
	m = (struct cord_message){.port_set = {rig_port(r, 0), rig_terms(0, CORD_CODEC_PCMU)}};
	m.port_set.terms.remote = rig_remote(r, OURS);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), CORD_REFUSAL_BAD_VALUE);
	/* So is a group, and an IPv4 address in IPv6's clothes. */
	m.port_set.port = rig_port(r, OURS);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), CORD_REFUSAL_NONE);
	m.port_set.terms.remote.ip[0] = 0xff;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), CORD_REFUSAL_BAD_VALUE);
	m.port_set.terms.remote = (struct cord_address){.family = CORD_FAMILY_IPV6,
		.udp_port = 4000,
		.ip = {[10] = 0xff, 0xff, 10, 0, 0, 1}};
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), CORD_REFUSAL_BAD_VALUE);
}

/* A re-INVITE with another address: the old one is foreign from then on. */
static void a_peer_moves(void **state)
{
	struct rig *r = *state;
	struct frame f = good(r, 160);
	struct cord_message m = {.port_set = {rig_port(r, OURS), rig_terms(OURS, CORD_CODEC_PCMA)}};

	m.port_set.terms.remote = rig_remote(r, OTHER);
	packet_headers6_seal(&f.h);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	f = good(r, 160);
	packet_headers6_seal(&f.h);
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_source);
	memcpy(f.h.ip.from, m.port_set.terms.remote.ip, 16);
	packet_headers6_seal(&f.h);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_media);
}

/* ---- neighbour discovery -------------------------------------------------------------------- */

static const uint8_t *address(const struct rig *r)
{
	return r->dp.config.address[1].ip;
}

static uint16_t nd_bytes(const struct nd_frame *f)
{
	return (uint16_t)(54 + packet_be16(f->p.ip.length));
}

static void nd_seal(struct nd_frame *f)
{
	f->p.icmp.checksum = 0;
	f->p.icmp.checksum = packet_ipv6_checksum(
		&f->p.ip, PACKET_PROTOCOL_ICMPV6, &f->p.icmp, packet_be16(f->p.ip.length));
}

static struct nd_frame solicitation(const struct rig *r)
{
	struct cord_address peer = rig_remote(r, OURS);
	struct nd_frame f;

	memset(&f, 0, sizeof(f));
	discovery_solicit(&f.p, peer_mac, peer.ip, address(r));
	return f;
}

static struct nd_frame advertisement(const struct rig *r, uint32_t flags)
{
	struct cord_address peer = rig_remote(r, OURS);
	struct nd_frame f;

	memset(&f, 0, sizeof(f));
	discovery_advertise(&f.p, peer_mac, peer.ip, address(r), r->dp.nic.mac);
	f.p.icmp.body = packet_be32(flags << 24);
	nd_seal(&f);
	return f;
}

static bool peer_is_at(const struct rig *r, const uint8_t mac[6])
{
	uint8_t is[6];

	return neighbor_mac(&r->dp.neighbors, r->dp.port[OURS].neighbor, is) &&
	       memcmp(is, mac, 6) == 0;
}

/* The frame that left since the last time: an advertisement of ours, or NULL. */
static const struct discovery_packet *answer(struct rig *r)
{
	const struct discovery_packet *p = (const struct discovery_packet *)r->other;

	r->other_bytes = 0;
	rig_run(r, 1);
	if (r->other_bytes == 0)
		return NULL;
	assert_int_equal(r->other_bytes, sizeof(*p));
	assert_int_equal(p->ip.hops, 255);
	assert_int_equal(p->ip.next, PACKET_PROTOCOL_ICMPV6);
	assert_int_equal(p->icmp.type, ICMPV6_ADVERTISEMENT);
	assert_int_equal(packet_ipv6_checksum(&p->ip, PACKET_PROTOCOL_ICMPV6, &p->icmp, 32), 0);
	assert_memory_equal(p->target, address(r), 16);
	assert_memory_equal(p->ip.from, address(r), 16);
	assert_int_equal(p->option, 2);
	assert_int_equal(p->option_length, 1);
	assert_memory_equal(p->mac, r->dp.nic.mac, 6);
	assert_memory_equal(p->ether.from, r->dp.nic.mac, 6);
	return p;
}

static void a_solicitation_is_answered_and_learned(void **state)
{
	struct rig *r = *state;
	struct nd_frame f = solicitation(r);

	assert_memory_equal(f.p.ether.to, "\x33\x33\xff\0\0\xff", 6);
	assert_memory_equal(f.p.ip.to, "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\0\0\xff", 16);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	const struct discovery_packet *p = answer(r);

	assert_non_null(p);
	assert_int_equal(packet_be32(p->icmp.body), 0x60000000);
	assert_memory_equal(p->ip.to, f.p.ip.from, 16);
	assert_memory_equal(p->ether.to, peer_mac, 6);
	assert_true(peer_is_at(r, peer_mac));
	/* Without the option, as one that asks the address itself may be. */
	f.p.ip.length = packet_be16(24);
	memcpy(f.p.ip.to, address(r), 16);
	memcpy(f.p.ether.from, "\2\1\1\1\1\1", 6);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	p = answer(r);
	assert_non_null(p);
	assert_memory_equal(p->ether.to, "\2\1\1\1\1\1", 6);
	assert_true(peer_is_at(r, peer_mac));
	/* For somebody else: learned, not answered. */
	f = solicitation(r);
	f.p.target[15] = 0x33;
	memcpy(f.p.mac, "\2\1\1\1\1\1", 6);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_null(answer(r));
	assert_true(peer_is_at(r, (const uint8_t *)"\2\1\1\1\1\1"));
}

/* RFC 4862 section 5.4: who asks has no address yet, so everybody is told. */
static void a_probe_for_duplicates_is_answered_to_all(void **state)
{
	struct rig *r = *state;
	struct nd_frame f = solicitation(r);

	memset(f.p.ip.from, 0, 16);
	f.p.ip.length = packet_be16(24);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	const struct discovery_packet *p = answer(r);

	assert_non_null(p);
	assert_int_equal(packet_be32(p->icmp.body), 0x20000000);
	assert_memory_equal(p->ip.to, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_memory_equal(p->ether.to, "\x33\x33\0\0\0\1", 6);
	/* Not to a group, or with a MAC that is not its own yet: no probe. */
	memcpy(f.p.ip.to, address(r), 16);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);
	f = solicitation(r);
	memset(f.p.ip.from, 0, 16);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);
	assert_null(answer(r));
}

static void advertisements_are_believed_as_their_flags_say(void **state)
{
	struct rig *r = *state;
	struct nd_frame f = advertisement(r, DISCOVERY_SOLICITED | DISCOVERY_OVERRIDE);

	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_true(peer_is_at(r, peer_mac));
	/* Without override one that is known stays. */
	f = advertisement(r, DISCOVERY_SOLICITED);
	memcpy(f.p.mac, "\2\1\1\1\1\1", 6);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_true(peer_is_at(r, peer_mac));
	/* Unsolicited, to everybody: a peer that changed its card. */
	f = advertisement(r, DISCOVERY_OVERRIDE);
	memcpy(f.p.ip.to, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(f.p.mac, "\2\1\1\1\1\1", 6);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_true(peer_is_at(r, (const uint8_t *)"\2\1\1\1\1\1"));
	/* Without a MAC it says nothing that could be used. */
	f = advertisement(r, DISCOVERY_OVERRIDE);
	f.p.ip.length = packet_be16(24);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_true(peer_is_at(r, (const uint8_t *)"\2\1\1\1\1\1"));
	/* Nobody is told where our own address is. */
	f = advertisement(r, DISCOVERY_OVERRIDE);
	memcpy(f.p.target, address(r), 16);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_null(answer(r));
}

/* RFC 4861 sections 7.1.1 and 7.1.2, one after the other. */
static void what_must_be_discarded_is(void **state)
{
	struct rig *r = *state;
	struct nd_frame f;

	for (uint32_t i = 0; i < 2; i++) {
#define WRONG(change)                                                           \
	do {                                                                    \
		f = i ? advertisement(r, DISCOVERY_OVERRIDE) : solicitation(r); \
		change;                                                         \
		nd_seal(&f);                                                    \
		rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);   \
	} while (0)
		WRONG(f.p.ip.hops = 254);
		WRONG(f.p.icmp.code = 1);
		WRONG(f.p.target[0] = 0xff);
		WRONG(memset(f.p.target, 0, 16));
		WRONG(f.p.ip.length = packet_be16(23));
		WRONG(f.p.ip.length = packet_be16(25));
		WRONG(f.p.option_length = 0);
		WRONG(f.p.option_length = 2);
		WRONG(f.p.mac[0] = 0x33);
		WRONG(f.p.ip.length = packet_be16(40));
#undef WRONG
		f = i ? advertisement(r, DISCOVERY_OVERRIDE) : solicitation(r);
		f.p.icmp.checksum ^= 1;
		rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);
	}
	/* A solicited answer goes to one node. */
	f = advertisement(r, DISCOVERY_SOLICITED);
	memcpy(f.p.ip.to, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);
	/* The unspecified address advertises nothing. */
	f = advertisement(r, DISCOVERY_OVERRIDE);
	memset(f.p.ip.from, 0, 16);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_drop_discovery);
	assert_null(answer(r));
	/* Unknown options, of any length, are passed over. */
	f = solicitation(r);
	f.p.option = 14;
	f.p.option_length = 2;
	f.more[8] = 1;
	f.more[9] = 1;
	memcpy(f.more + 10, "\2\1\1\1\1\1", 6);
	f.p.ip.length = packet_be16(48);
	nd_seal(&f);
	rig_expect(r, &f, nd_bytes(&f), CORD_COUNTER_rx_discovery);
	assert_non_null(answer(r));
	assert_true(peer_is_at(r, (const uint8_t *)"\2\1\1\1\1\1"));
}

/* A port whose next hop is unknown has it asked for; the answer opens the way. */
static void a_new_peer_is_solicited(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.port_open = rig_port_open(r, OURS + 2, CORD_CODEC_PCMU)};
	const struct discovery_packet *p = (const struct discovery_packet *)r->other;

	m.port_open.terms.remote = rig_remote(r, OURS + 2);
	r->other_bytes = 0;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_OPEN), 0);
	assert_int_equal(r->other_bytes, sizeof(*p));
	assert_int_equal(p->icmp.type, ICMPV6_SOLICITATION);
	assert_int_equal(p->option, 1);
	assert_memory_equal(p->target, m.port_open.terms.remote.ip, 16);
	assert_memory_equal(p->ether.to, "\x33\x33\xff\0\0\x23", 6);
	assert_int_equal(packet_ipv6_checksum(&p->ip, PACKET_PROTOCOL_ICMPV6, &p->icmp, 32), 0);
}

static void ping_is_answered(void **state)
{
	struct rig *r = *state;
	struct frame f = good(r, 160);
	struct packet_icmpv6 *icmp = (struct packet_icmpv6 *)&f.h.udp;
	struct packet_headers6 *h = (struct packet_headers6 *)r->other;

	f.h.ip.next = PACKET_PROTOCOL_ICMPV6;
	*icmp = (struct packet_icmpv6){.type = ICMPV6_ECHO_REQUEST, .body = 0x01020304};
	icmp->checksum = packet_ipv6_checksum(&f.h.ip, PACKET_PROTOCOL_ICMPV6, icmp, 180);
	rig_expect(r, &f, FULL, CORD_COUNTER_rx_icmp);
	rig_run(r, 1);
	assert_int_equal(r->other_bytes, FULL);
	assert_memory_equal(h->ip.to, f.h.ip.from, 16);
	assert_memory_equal(h->ip.from, f.h.ip.to, 16);
	assert_int_equal(((const struct packet_icmpv6 *)&h->udp)->type, ICMPV6_ECHO_REPLY);
	assert_int_equal(packet_ipv6_checksum(&h->ip, PACKET_PROTOCOL_ICMPV6, &h->udp, 180), 0);
	assert_memory_equal(&r->other[62], &f.rtp[0], 172);
	f.payload[3] ^= 1;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_udp_checksum);
	f.payload[3] ^= 1;
	f.h.ip.to[15] = 0x66;
	rig_expect(r, &f, FULL, CORD_COUNTER_drop_not_ours);
}

/* Frames with bytes changed anywhere: nothing but verdicts. */
static void noise(void **state)
{
	struct rig *r = *state;

	srandom(11);
	for (uint32_t i = 0; i < 20000; i++) {
		union {
			struct frame media;
			struct nd_frame nd;
			uint8_t bytes[300];
		} f = {0};
		uint16_t n = FULL;

		if (i % 3 == 0) {
			f.media = good(r, 160);
		} else {
			f.nd = i % 3 == 1 ? solicitation(r) : advertisement(r, 0x20);
			n = (uint16_t)(nd_bytes(&f.nd) + random() % 16);
		}
		for (uint32_t k = random() % 4; k > 0; k--)
			f.bytes[12 + random() % (n - 12)] = (uint8_t)random();
		if (i % 3 && i % 2 && nd_bytes(&f.nd) <= sizeof(f.nd))
			nd_seal(&f.nd);
		rig_frame(r, &f, (uint16_t)(1 + random() % n));
		rig_frame(r, &f, n);
		if (i % 64 == 0)
			rig_run(r, 1);
	}
	rig_run(r, 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_room_of_both_families_talks),
		TEST(each_header_that_can_be_wrong),
		TEST(every_truncation),
		TEST(no_packet_crosses_the_families),
		TEST(a_peer_moves),
		TEST(a_solicitation_is_answered_and_learned),
		TEST(a_probe_for_duplicates_is_answered_to_all),
		TEST(advertisements_are_believed_as_their_flags_say),
		TEST(what_must_be_discarded_is),
		TEST(a_new_peer_is_solicited),
		TEST(ping_is_answered),
		TEST(noise),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
