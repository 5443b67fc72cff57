/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers behind NAT, and those who would like to be taken for them (RTP bleed and inject): nothing is
 * heard from a foreign address and nothing sent there, whether the port may learn or not.
 */
#include "g711.h"
#include "packet.h"
#include "rig.h"
#include "rtp.h"
#include "srtp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PEER   0u /* the slot that is attacked, whose peer is at 192.168.1.2 by its terms */
#define OTHER  1u /* who hears it */
#define SPRAYS 4000u

/* A source of RTP, wherever it is. */
struct source {
	uint8_t ip[4];
	uint16_t udp_port;
	uint32_t ssrc;
	uint16_t sequence;
	double hz;
	uint32_t sample;
};

static struct source peer, attacker;

static struct cord_terms terms(bool learn)
{
	struct cord_terms t = rig_terms(PEER, CORD_CODEC_PCMU);

	t.remote = cord_address_ipv4(192, 168, 1, 2, 4000);
	t.remote_rtcp_udp_port = 4001;
	t.flags = learn ? CORD_TERMS_LEARN : 0;
	return t;
}

static int setup_port(void **state, bool learn, bool secure)
{
	struct rig *r = rig_create(1);
	const uint32_t slots[] = {PEER, OTHER};
	const uint16_t both[] = {2, 1};
	struct cord_message m = {.port_set = {.terms = terms(learn)}};

	if (secure) {
		rig_secure(r, PEER, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 3, 4);
		m.port_set.terms.send_key = r->send_key[PEER];
		m.port_set.terms.receive_key = r->receive_key[PEER];
	}

	*state = r;
	peer = (struct source){{10, 0, 0, 77}, 31000, 0x1111, 500, 700, 0};
	attacker = (struct source){{10, 0, 0, 66}, 31000, 0x6666, 9000, 1300, 0};
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	assert_int_equal(rig_open(r, 0, PEER, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, OTHER, CORD_CODEC_PCMU), 0);
	m.port_set.port = rig_port(r, PEER);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, both), 0);
	rig_forget(r);
	return 0;
}

static int setup_learning(void **state)
{
	return setup_port(state, true, false);
}

static int setup_strict(void **state)
{
	return setup_port(state, false, false);
}

static int setup_secure(void **state)
{
	return setup_port(state, true, true);
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

static struct cord_address address_of(const struct source *s)
{
	return cord_address_ipv4(s->ip[0], s->ip[1], s->ip[2], s->ip[3], s->udp_port);
}

static void send_datagram(
	struct rig *r, const struct source *s, bool second, const uint8_t *payload, uint16_t bytes)
{
	uint8_t frame[1600];
	uint8_t *at = rig_headers(r, PEER, frame, bytes);
	struct packet_headers *h = (struct packet_headers *)frame;

	memcpy(&h->ip.from, s->ip, 4);
	h->udp.from = packet_be16(s->udp_port);
	if (second)
		h->udp.to = packet_be16((uint16_t)(packet_be16(h->udp.to) + 1));
	memcpy(at, payload, bytes);
	rig_seal(frame);
	rig_frame(r, frame, (uint16_t)(at + bytes - frame));
}

/* The next packet of a source; how long it is. */
static uint16_t make_rtp(struct source *s, uint8_t payload_type, uint8_t *rtp)
{
	rtp_write(rtp, false, payload_type, s->sequence, s->sequence * 160u, s->ssrc);
	s->sequence++;
	for (uint32_t i = 0; i < 160; i++) {
		int16_t pcm = (int16_t)lrint(8000 * sin(2 * M_PI * s->hz * s->sample++ / 8000));

		g711_encode(CORD_CODEC_PCMU, &rtp[RTP_HEADER_BYTES + i], &pcm, 1);
	}
	return RTP_HEADER_BYTES + 160;
}

static void send_rtp(struct rig *r, struct source *s, uint8_t payload_type)
{
	uint8_t rtp[RTP_HEADER_BYTES + 160];

	send_datagram(r, s, false, rtp, make_rtp(s, payload_type, rtp));
}

/* An empty receiver report. */
static void send_rtcp(struct rig *r, const struct source *s)
{
	uint8_t rtcp[8] = {0x80, 201, 0, 1, 0, 0, 0x11, 0x11};

	send_datagram(r, s, true, rtcp, sizeof(rtcp));
}

/* Where the port sends to. */
static bool sends_to(struct rig *r, const struct source *s)
{
	const struct port *p = &r->dp.port[PEER];
	uint32_t ip;

	memcpy(&ip, s->ip, sizeof(ip));
	return p->remote_ip == ip && p->remote_udp == packet_be16(s->udp_port);
}

/* The peer talks for `ms`, and so does the attacker if that is wanted; all that leaves is seen. */
static void talk(struct rig *r, uint32_t ms, bool attacked)
{
	for (uint32_t i = 0; i < ms / 20; i++) {
		if (attacked)
			send_rtp(r, &attacker, 0);
		send_rtp(r, &peer, 0);
		if (attacked)
			send_rtp(r, &attacker, 0);
		rig_run(r, 20);
		assert_false(sends_to(r, &attacker));
	}
}

static void learned_is(struct rig *r, const struct source *s)
{
	struct cord_port_status status;
	struct cord_address want = address_of(s);

	assert_true(cord_port_status_read(&r->dp.port_status[PEER], &status));
	assert_true(cord_address_equal(&status.learned, &want));
	assert_true(sends_to(r, s));
}

static void nothing_is_learned(struct rig *r)
{
	struct cord_port_status status;

	rig_run(r, 400);
	assert_true(cord_port_status_read(&r->dp.port_status[PEER], &status));
	assert_int_equal(status.learned.family, CORD_FAMILY_NONE);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LEARNED), 0);
	assert_int_equal(
		packet_be32(r->dp.port[PEER].remote_ip), 0xc0a80102u); /* as its terms say */
}

/* ---- learning ------------------------------------------------------------------------------- */

static void three_packets_in_a_row_say_where_a_peer_is(void **state)
{
	struct rig *r = *state;
	struct cord_address want = address_of(&peer);

	send_rtp(r, &peer, 0);
	send_rtp(r, &peer, 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_learning), 2);
	nothing_is_learned(r);
	send_rtp(r, &peer, 0);
	rig_run(r, 5);
	learned_is(r, &peer);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LEARNED), 1);
	for (uint32_t i = 0; i < r->event_count; i++) {
		if (r->event[i].type == CORD_EVENT_MEDIA_LEARNED)
			assert_true(cord_address_equal(
				&r->event[i].event_media_learned.address, &want));
	}
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_FIRST), 1);
	talk(r, 1000, false);
	assert_true(rig_level(r, OTHER, peer.hz, 500) > 7000);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LEARNED), 1);
}

static void only_valid_packets_of_one_stream_count(void **state)
{
	struct rig *r = *state;
	struct source elsewhere = peer;

	/* A gap, another SSRC, another port, a payload type that was not agreed on. */
	send_rtp(r, &peer, 0);
	send_rtp(r, &peer, 0);
	peer.sequence++;
	send_rtp(r, &peer, 0);
	send_rtp(r, &peer, 0);
	peer.ssrc++;
	send_rtp(r, &peer, 0);
	send_rtp(r, &peer, 0);
	elsewhere.udp_port++;
	elsewhere.sequence = peer.sequence;
	send_rtp(r, &elsewhere, 0);
	peer.sequence++;
	for (uint32_t i = 0; i < 10; i++)
		send_rtp(r, &peer, 96);
	for (uint32_t i = 0; i < 10; i++)
		send_rtp(r, &peer, 101);
	nothing_is_learned(r);
	for (uint32_t i = 0; i < 3; i++)
		send_rtp(r, &peer, 0);
	learned_is(r, &peer);
}

static void who_is_where_the_terms_say_is_not_learned(void **state)
{
	struct rig *r = *state;
	struct source told = {{192, 168, 1, 2}, 4000, 0x1111, 1, 700, 0};

	send_rtp(r, &told, 0);
	for (uint32_t i = 0; i < 10; i++)
		send_rtp(r, &attacker, 0);
	nothing_is_learned(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_source), 10);
}

static void a_source_that_no_peer_has_is_not_learned(void **state)
{
	struct rig *r = *state;
	static const uint8_t ips[][4] = {{10, 0, 0, 255}, {224, 0, 0, 1}, {239, 1, 2, 3},
		{255, 255, 255, 255}, {0, 0, 0, 0}, {0, 1, 2, 3}, {127, 0, 0, 1}};

	for (uint32_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		memcpy(attacker.ip, ips[i], 4);
		for (uint32_t k = 0; k < 5; k++)
			send_rtp(r, &attacker, 0);
	}
	memcpy(attacker.ip, "\x0a\0\0\x42", 4);
	attacker.udp_port = 0;
	for (uint32_t k = 0; k < 5; k++)
		send_rtp(r, &attacker, 0);
	nothing_is_learned(r);
}

/* RTCP goes above the learnt port, until it comes from another one of the same address. */
static void rtcp_follows(void **state)
{
	struct rig *r = *state;
	const struct report *report = &r->dp.port_cold[PEER].report;
	struct source other = peer;

	assert_int_equal(report->remote_udp, packet_be16(4001));
	send_rtcp(r, &peer);
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_rtcp), 0);
	talk(r, 100, false);
	assert_int_equal(report->remote_udp, packet_be16(31001));
	send_rtcp(r, &attacker);
	assert_int_equal(report->remote_udp, packet_be16(31001));
	other.udp_port = 40123;
	send_rtcp(r, &other);
	assert_int_equal(report->remote_udp, packet_be16(40123));
	other.udp_port = 40125;
	send_rtcp(r, &other);
	assert_int_equal(report->remote_udp, packet_be16(40123));
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_rtcp), 2);
}

static void terms_with_another_address_let_it_learn_again(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.port_set = {rig_port(r, PEER), terms(true)}};
	struct source moved = {{10, 0, 0, 78}, 31002, 0x2222, 7, 900, 0};

	talk(r, 200, false);
	learned_is(r, &peer);
	/* The same address once more, as a hold says it: all stays, but the stream may be another. */
	m.port_set.terms.direction = CORD_MAY_SEND;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	learned_is(r, &peer);
	m.port_set.terms.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	peer.ssrc = 0x3333;
	talk(r, 600, false);
	learned_is(r, &peer);
	assert_true(rig_level(r, OTHER, peer.hz, 200) > 7000);
	for (uint32_t i = 0; i < 5; i++)
		send_rtp(r, &moved, 0);
	learned_is(r, &peer);
	m.port_set.terms.remote.udp_port = 4002;
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	assert_false(sends_to(r, &peer));
	for (uint32_t i = 0; i < 3; i++)
		send_rtp(r, &moved, 0);
	learned_is(r, &moved);
	rig_run(r, 5);
	assert_int_equal(rig_events(r, CORD_EVENT_MEDIA_LEARNED), 2);
	/* Without the option it is where the terms say. */
	m.port_set.terms = terms(false);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET), 0);
	assert_int_equal(packet_be32(r->dp.port[PEER].remote_ip), 0xc0a80102u);
	rig_forget(r);
	nothing_is_learned(r);
}

/* With keys nothing is learned from a packet that is not authentic, RTCP included. */
static void srtp_says_who_it_is_first(void **state)
{
	struct rig *r = *state;
	const struct report *report = &r->dp.port_cold[PEER].report;
	uint8_t packet[RTP_HEADER_BYTES + 160 + SRTP_TRAILER_MAX];
	uint8_t rtcp[8 + SRTP_TRAILER_MAX] = {0x80, 201, 0, 1, 0, 0, 0x50, PEER};

	peer.ssrc = 0x5000 + PEER;
	for (uint32_t i = 0; i < 50; i++) {
		send_rtp(r, &attacker, 0);
		uint16_t bytes = make_rtp(&attacker, 0, packet);

		/* As long as an authentic one. */
		memset(packet + bytes, (int)i, 10);
		send_datagram(r, &attacker, false, packet, (uint16_t)(bytes + 10));
	}
	nothing_is_learned(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 100);
	for (uint32_t i = 0; i < 50; i++) {
		uint16_t bytes = make_rtp(&peer, 0, packet);

		bytes = rig_protect(r, PEER, false, packet, bytes);
		send_datagram(r, &peer, false, packet, bytes);
		/* A replay from elsewhere is no packet of the peer. */
		send_datagram(r, &attacker, false, packet, bytes);
		rig_run(r, 20);
		assert_false(sends_to(r, &attacker));
	}
	learned_is(r, &peer);
	assert_true(rig_level(r, OTHER, peer.hz, 500) > 7000);
	assert_true(rig_level(r, OTHER, attacker.hz, 500) < 50);
	send_rtcp(r, &peer);
	assert_int_equal(report->remote_udp, packet_be16(31001));
	peer.udp_port = 40001;
	uint16_t bytes = rig_protect(r, PEER, true, rtcp, 8);

	send_datagram(r, &peer, true, rtcp, bytes);
	assert_int_equal(report->remote_udp, packet_be16(40001));
}

/* ---- attacks -------------------------------------------------------------------------------- */

/* rtpbleedinject: once a port is learnt nobody is heard on it but the peer, however long they try. */
static void a_learnt_port_is_not_taken_over(void **state)
{
	struct rig *r = *state;
	struct source forger = peer;

	talk(r, 200, false);
	learned_is(r, &peer);
	rig_forget(r);
	talk(r, 2000, true);
	learned_is(r, &peer);
	assert_true(rig_level(r, OTHER, peer.hz, 1000) > 7000);
	assert_true(rig_level(r, OTHER, attacker.hz, 1000) < 50);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_source), 200);
	/* One who forges the source as well, but does not know the stream. */
	forger.ssrc = 0x6666;
	forger.hz = attacker.hz;
	for (uint32_t i = 0; i < 50; i++) {
		send_rtp(r, &forger, 0);
		talk(r, 20, false);
	}
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_ssrc), 50);
	assert_true(rig_level(r, OTHER, peer.hz, 500) > 7000);
	assert_true(rig_level(r, OTHER, attacker.hz, 500) < 50);
}

/* rtpbleed: packets from everywhere, of every kind, while the port waits for its peer. */
static void sprays_while_it_learns(void **state)
{
	struct rig *r = *state;

	srandom(5);
	for (uint32_t i = 0; i < SPRAYS; i++) {
		struct source s = {{10, 0, (uint8_t)random(), (uint8_t)random()},
			(uint16_t)(1 + random() % 65535), (uint32_t)random(), (uint16_t)random(),
			attacker.hz, 0};

		send_rtp(r, &s, (uint8_t)(random() % 128));
		if (i % 200 == 0)
			rig_run(r, 20);
	}
	nothing_is_learned(r);
	assert_true(rig_level(r, OTHER, attacker.hz, 200) < 50);
	/* The peer is found all the same. */
	talk(r, 1000, false);
	learned_is(r, &peer);
	assert_true(rig_level(r, OTHER, peer.hz, 500) > 7000);
}

static void a_strict_port_hears_its_peer_alone(void **state)
{
	struct rig *r = *state;
	struct source other_port = {{192, 168, 1, 2}, 4002, 0x6666, 1, 1300, 0};

	memcpy(peer.ip, "\xc0\xa8\1\2", 4);
	peer.udp_port = 4000;
	for (uint32_t i = 0; i < 200; i++) {
		send_rtp(r, &attacker, 0);
		send_rtp(r, &other_port, 0);
		send_rtcp(r, &attacker);
	}
	nothing_is_learned(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_source), 600);
	talk(r, 2000, true);
	nothing_is_learned(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_source), 800);
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_rtcp), 0);
}

static void a_strict_port_mixes_nobody_else(void **state)
{
	struct rig *r = *state;

	memcpy(peer.ip, "\xc0\xa8\1\2", 4);
	peer.udp_port = 4000;
	talk(r, 2000, true);
	assert_true(rig_level(r, OTHER, peer.hz, 1000) > 7000);
	assert_true(rig_level(r, OTHER, attacker.hz, 1000) < 50);
}

int main(void)
{
#define LEARNING(name) cmocka_unit_test_setup_teardown(name, setup_learning, teardown)
#define STRICT(name)   cmocka_unit_test_setup_teardown(name, setup_strict, teardown)
	const struct CMUnitTest tests[] = {
		LEARNING(three_packets_in_a_row_say_where_a_peer_is),
		LEARNING(only_valid_packets_of_one_stream_count),
		LEARNING(who_is_where_the_terms_say_is_not_learned),
		LEARNING(a_source_that_no_peer_has_is_not_learned),
		LEARNING(rtcp_follows),
		LEARNING(terms_with_another_address_let_it_learn_again),
		LEARNING(a_learnt_port_is_not_taken_over),
		LEARNING(sprays_while_it_learns),
		cmocka_unit_test_setup_teardown(srtp_says_who_it_is_first, setup_secure, teardown),
		STRICT(a_strict_port_hears_its_peer_alone),
		STRICT(a_strict_port_mixes_nobody_else),
	};
#undef LEARNING
#undef STRICT

	return cmocka_run_group_tests(tests, NULL, NULL);
}
