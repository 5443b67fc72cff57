/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports with keys, by ear: what each suite carries, what keeps and what ends a key's state, and
 * that nothing which does not authenticate is heard or changes anything.
 */
#include "rig.h"

#include "g711.h"
#include "packet.h"
#include "rtp.h"
#include "rx.h"
#include "srtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WINDOW_MS = 400, LOUD = 5000, QUIET = 60, STATUS_MS = 400 };

static struct rig *create(enum cord_srtp_backend backend, uint32_t workers)
{
	struct rig *r = rig_create_with(workers, backend);

	for (uint32_t slot = 0; slot < 2; slot++)
		rig_secure(r, slot, CORD_SRTP_AEAD_AES_128_GCM, 10 + slot, 20 + slot);
	return r;
}

static int setup(void **state)
{
	*state = create(CORD_SRTP_BACKEND_NONE, 1);
	return 0;
}

static int setup_libsrtp(void **state)
{
	*state = create(CORD_SRTP_BACKEND_LIBSRTP, 1);
	return 0;
}

static int setup_two_workers(void **state)
{
	*state = create(CORD_SRTP_BACKEND_NONE, 2);
	return 0;
}

static int teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

/* Slots 0 and 1 in a new room of worker 0, each hears the other. */
static void open_in(struct rig *r, uint32_t room)
{
	static const uint32_t slots[] = {0, 1};
	static const uint16_t hears[] = {2, 1};

	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_open(r, 0, 1, CORD_CODEC_PCMA), 0);
	assert_int_equal(rig_open_room(r, 0, room), 0);
	assert_int_equal(rig_set(r, 0, room, 2, slots, hears), 0);
}

static void open_two(struct rig *r)
{
	open_in(r, 0);
}

/* Sets a port's terms anew with its present keys and a direction: a re-INVITE. */
static int set_terms(struct rig *r, uint32_t slot, uint8_t direction)
{
	struct cord_message m = {
		.port_set = {.port = rig_port(r, slot),
			.terms = rig_terms(slot, (enum cord_codec)r->codec[slot])}};

	m.port_set.terms.direction = direction;
	m.port_set.terms.send_key = r->send_key[slot];
	m.port_set.terms.receive_key = r->receive_key[slot];
	return rig_ask(r, 0, &m, CORD_COMMAND_PORT_SET);
}

/* Both talk and hear each other, and the peers' keys open everything they are sent. */
static void both_hear(struct rig *r)
{
	rig_talk(r, 0, 500);
	rig_talk(r, 1, 900);
	rig_run(r, 1000);
	rig_forget(r);
	rig_run(r, 500);
	assert_true(rig_level(r, 0, 900, WINDOW_MS) > LOUD);
	assert_true(rig_level(r, 1, 500, WINDOW_MS) > LOUD);
	for (uint32_t slot = 0; slot < 2; slot++) {
		assert_int_equal(r->heard[slot].unauthentic, 0);
		assert_int_equal(r->heard[slot].sequence_gaps, 0);
		assert_int_equal(r->heard[slot].timestamp_gaps, 0);
	}
}

static void every_suite_is_heard_both_ways(void **state)
{
	struct rig *r = *state;

	for (uint32_t suite = 1; suite < CORD_SRTP_SUITE_COUNT; suite++) {
		struct cord_message m = {.port_close = {.port = 0}};

		for (uint32_t slot = 0; slot < 2; slot++)
			rig_secure(r, slot, (enum cord_srtp_suite)suite, suite, 100 + suite);
		open_in(r, suite);
		both_hear(r);
		rig_run(r, 6000);
		assert_true(r->heard[0].rtcp >= suite);
		assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
		assert_int_equal(rig_counter(r, CORD_COUNTER_tx_srtp), 0);
		for (uint32_t slot = 0; slot < 2; slot++) {
			rig_hush(r, slot);
			m.port_close.port = rig_port(r, slot);
			assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), 0);
		}
		rig_run(r, 40);
	}
}

/* Each at an address of another family; the UDP checksum of IPv6 is over what is encrypted. */
static void an_ipv6_peer_is_heard(void **state)
{
	static const uint32_t slots[] = {0, RIG_IPV6};
	static const uint16_t hears[] = {2, 1};
	struct rig *r = *state;

	rig_secure(r, RIG_IPV6, CORD_SRTP_AES_256_CM_HMAC_SHA1_32, 5, 6);
	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(rig_open(r, 0, slots[i], CORD_CODEC_PCMU), 0);
	assert_int_equal(rig_set(r, 0, 0, 2, slots, hears), 0);
	rig_talk(r, 0, 500);
	rig_talk(r, RIG_IPV6, 900);
	rig_run(r, 7000);
	assert_true(rig_level(r, 0, 900, WINDOW_MS) > LOUD);
	assert_true(rig_level(r, RIG_IPV6, 500, WINDOW_MS) > LOUD);
	assert_int_equal(r->heard[RIG_IPV6].unauthentic, 0);
	assert_true(r->heard[RIG_IPV6].rtcp > 0);
}

/* A plain and a secure party in one room. */
static void plain_and_secure_talk(void **state)
{
	struct rig *r = *state;

	r->peer[1].secure = false;
	memset(&r->send_key[1], 0, sizeof(r->send_key[1]));
	memset(&r->receive_key[1], 0, sizeof(r->receive_key[1]));
	open_two(r);
	both_hear(r);
}

/* What a listener must not notice, as the port's status has it. */
struct learned {
	uint32_t ssrc, rx_lost, rx_late, rx_duplicate, jitter_us, source_dropped;
	uint64_t rx_packets;
	cord_time last_rx;
};

static struct cord_port_status status(struct rig *r, uint32_t slot)
{
	struct cord_port_status s;

	assert_true(cord_port_status_read(&r->dp.port_status[slot], &s));
	return s;
}

static struct learned learned(struct rig *r, uint32_t slot)
{
	const struct cord_port_status s = status(r, slot);

	return (struct learned){s.ssrc, s.rx_lost, s.rx_late, s.rx_duplicate, s.jitter_us,
		s.source_dropped, s.rx_packets, s.last_rx};
}

/* 20 ms of a tone that is nobody's, as RTP; its length. */
static uint16_t foreign(uint8_t *data, uint16_t sequence, uint32_t timestamp, uint32_t ssrc)
{
	rtp_write(data, false, 0, sequence, timestamp, ssrc);
	memset(data + RTP_HEADER_BYTES, 0x10, 160);
	return RTP_HEADER_BYTES + 160;
}

static uint16_t receiver_report(uint8_t *data, uint32_t ssrc)
{
	static const uint8_t report[] = {0x80, 200, 0, 6};

	memset(data, 0x77, 28);
	memcpy(data, report, sizeof(report));
	rtp_put32(data + 4, ssrc);
	return 28;
}

/*
 * Into a quiet port's silence: plain RTP of the peer's own SSRC and of others, SRTP under another
 * key, noise, plain RTCP. Nothing is heard, nothing has changed.
 */
static void what_is_not_authentic_changes_nothing(void **state)
{
	struct rig *r = *state;
	uint8_t data[256];
	uint64_t replayed, forged = 0;

	open_two(r);
	both_hear(r);
	rig_hush(r, 0);
	rig_run(r, 1000);
	rig_forget(r);
	replayed = rig_counter(r, CORD_COUNTER_drop_srtp_replay);
	struct learned before = learned(r, 0);
	const struct rig_peer *p = &r->peer[0];

	srandom(8);
	for (uint16_t i = 0; i < 50; i++) {
		uint16_t sequence = (uint16_t)(p->sequence + i);
		uint32_t timestamp = p->timestamp + 160u * i;

		rig_datagram(r, 0, false, data, foreign(data, sequence, timestamp, 0x5000));
		rig_datagram(r, 0, false, data, foreign(data, sequence, timestamp, 0x7777));
		foreign(data, sequence, timestamp, 0x5000);
		rig_datagram(r, 0, false, data, 188);
		for (uint32_t n = 0; n < 200; n++)
			data[n] = (uint8_t)random();
		data[0] = 0x80;
		data[1] = 0;
		rig_datagram(r, 0, false, data, (uint16_t)(i * 4));
		rig_datagram(r, 0, true, data, receiver_report(data, 0x5000));
		rig_datagram(r, 0, false, data, receiver_report(data, 0x5000));
		forged += 6;
		rig_run(r, 20);
	}
	rig_run(r, STATUS_MS);
	struct learned after = learned(r, 0);

	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), forged);
	assert_int_equal(status(r, 0).rx_dropped, forged);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_replay), replayed);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_rtp_header), 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_rtcp), 0);
	assert_true(rig_level(r, 1, 500, 900) < QUIET);
	both_hear(r);
}

static void what_is_replayed_changes_nothing(void **state)
{
	enum { KEPT = 40 };
	static uint8_t kept[KEPT][256];
	struct rig *r = *state;
	uint16_t bytes[KEPT];
	uint8_t report[64];

	open_two(r);
	rig_run(r, 20);
	for (uint32_t i = 0; i < KEPT; i++) {
		uint16_t n = foreign(kept[i], (uint16_t)i, 160 * i, 0x5000);

		bytes[i] = rig_protect(r, 0, false, kept[i], n);
		rig_datagram(r, 0, false, kept[i], bytes[i]);
		rig_run(r, 20);
	}
	uint16_t report_bytes = rig_protect(r, 0, true, report, receiver_report(report, 0x5000));

	rig_datagram(r, 0, true, report, report_bytes);
	rig_run(r, 1000);
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_media), KEPT);
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_rtcp), 1);
	rig_forget(r);
	struct learned before = learned(r, 0);
	cord_time sr_at = r->dp.port_cold[0].report.sr_at;

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < KEPT; i++) {
			rig_datagram(r, 0, false, kept[i], bytes[i]);
			rig_datagram(r, 0, true, report, report_bytes);
			rig_run(r, 20);
		}
	}
	rig_run(r, STATUS_MS);
	struct learned after = learned(r, 0);

	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(r->dp.port_cold[0].report.sr_at, sr_at);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_replay), 4 * KEPT);
	assert_int_equal(status(r, 0).rx_dropped, 4 * KEPT);
	assert_int_equal(rig_counter(r, CORD_COUNTER_rx_media), KEPT);
	for (uint32_t i = 0; i < r->heard[1].samples; i++)
		assert_true(abs(r->heard[1].pcm[i]) < QUIET);
}

/*
 * Held for longer than half a turn of sequence numbers, while the peer sends on; then resumed with
 * the same keys. Stream, indices and windows have gone on.
 */
static void hold_and_resume_keep_the_stream(void **state)
{
	struct rig *r = *state;
	uint32_t ssrc;

	open_two(r);
	both_hear(r);
	ssrc = r->heard[0].ssrc;
	assert_int_equal(set_terms(r, 0, 0), 0);
	rig_run(r, 200);
	rig_forget(r);
	for (uint32_t i = 0; i < 40000; i++) {
		struct rig_peer *p = &r->peer[0];
		uint8_t data[256];
		uint16_t bytes = foreign(data, p->sequence++, p->timestamp, 0x5000);

		p->timestamp += 160;
		rig_datagram(r, 0, false, data, rig_protect(r, 0, false, data, bytes));
	}
	rig_run(r, 200);
	assert_int_equal(r->heard[0].samples, 0);
	assert_true(rig_level(r, 1, 500, 150) < QUIET);
	assert_true(rig_counter(r, CORD_COUNTER_drop_direction) >= 40000);
	assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
	/* The time that was held is a gap of nothing sent: no sequence number is missing. */
	r->heard[0].renewed = true;
	both_hear(r);
	assert_int_equal(r->heard[0].ssrc, ssrc);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_replay), 0);
}

/* The sequence numbers of both directions wrap, and a re-INVITE comes behind it. */
static void a_wrap_is_not_noticed(void **state)
{
	struct rig *r = *state;

	open_two(r);
	both_hear(r);
	r->peer[0].sequence = 65500;
	r->peer[1].sequence = 65520;
	r->dp.port[0].sequence = 65510;
	r->dp.port[1].sequence = 65515;
	/* The peers did not hear the jump. */
	r->heard[0].renewed = r->heard[1].renewed = true;
	for (uint32_t turn = 0; turn < 2; turn++) {
		rig_run(r, 3000);
		both_hear(r);
		assert_true(r->dp.port[0].sequence < 10000);
		assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
	}
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
}

/* One direction's key is changed at a time; the other goes on with its stream. */
static void another_key_is_another_stream(void **state)
{
	struct rig *r = *state;
	uint32_t ssrc, other;

	open_two(r);
	both_hear(r);
	ssrc = r->heard[0].ssrc;
	assert_int_equal(r->dp.port[0].ssrc, ssrc);
	rig_secure(r, 0, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 77, 78);
	assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
	other = r->dp.port[0].ssrc;
	assert_int_not_equal(ssrc, other);
	both_hear(r);
	assert_int_equal(r->heard[0].ssrc, other);
	assert_int_equal(learned(r, 0).ssrc, other);
	/* What the peer sends has a new key, and what it is sent the old one. */
	rig_secure(r, 0, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 77, 79);
	assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
	assert_int_equal(r->dp.port[0].ssrc, other);
	both_hear(r);
}

/* Packets that the peer of port 0 has sent, and that have not come yet. */
struct underway {
	uint8_t data[60][256];
	uint16_t bytes[60];
};

static void send_off(struct rig *r, struct underway *u)
{
	struct rig_peer *p = &r->peer[0];

	for (uint32_t i = 0; i < 60; i++) {
		uint16_t n = foreign(u->data[i], p->sequence++, p->timestamp, 0x5000);

		p->timestamp += 160;
		u->bytes[i] = rig_protect(r, 0, false, u->data[i], n);
	}
}

/* Some of them come; all of them get this verdict of SRTP, whatever becomes of them behind it. */
static void arrive(struct rig *r, const struct underway *u, uint32_t from, uint32_t to,
	enum srtp_verdict verdict)
{
	uint64_t forged = rig_counter(r, CORD_COUNTER_drop_srtp_auth);
	uint64_t replayed = rig_counter(r, CORD_COUNTER_drop_srtp_replay);

	for (uint32_t i = from; i < to; i++) {
		rig_datagram(r, 0, false, u->data[i], u->bytes[i]);
		rig_run(r, 20);
	}
	forged += verdict == SRTP_FORGED ? to - from : 0;
	replayed += verdict == SRTP_REPLAYED ? to - from : 0;
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), forged);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_replay), replayed);
}

static int last_heard(const struct rig *r)
{
	return abs(r->heard[1].pcm[r->heard[1].samples - 1]);
}

static void hush_both(struct rig *r)
{
	rig_hush(r, 0);
	rig_hush(r, 1);
}

static void rekey(struct rig *r, enum cord_srtp_suite suite, uint32_t seed)
{
	rig_secure(r, 0, suite, 10, seed);
	assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
}

/*
 * A re-INVITE brings the peer's next key while packets under the one before are underway, in the
 * second turn of their sequence numbers; then a third one that the peer does not use, and the second
 * again. None of them is taken twice, whatever key is the present one.
 */
static void the_key_before_goes_on(void **state)
{
	static struct underway first, second, lost;
	struct rig *r = *state;

	open_two(r);
	r->peer[0].sequence = 65500;
	both_hear(r);
	hush_both(r);
	assert_true(r->peer[0].sequence < 1000);
	send_off(r, &first);
	arrive(r, &first, 0, 10, SRTP_GOOD);
	rekey(r, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 21);
	send_off(r, &second);
	arrive(r, &first, 10, 20, SRTP_GOOD);
	assert_true(last_heard(r) > LOUD);
	arrive(r, &first, 0, 20, SRTP_REPLAYED);
	arrive(r, &second, 0, 1, SRTP_GOOD);
	arrive(r, &first, 20, 30, SRTP_GOOD);
	arrive(r, &second, 1, 10, SRTP_GOOD);
	arrive(r, &second, 0, 10, SRTP_REPLAYED);
	/* The peer has changed over. */
	rig_run(r, 1000);
	arrive(r, &first, 30, 40, SRTP_FORGED);
	arrive(r, &second, 10, 20, SRTP_GOOD);
	rekey(r, CORD_SRTP_AEAD_AES_256_GCM, 22);
	send_off(r, &lost);
	arrive(r, &first, 30, 40, SRTP_FORGED);
	arrive(r, &second, 20, 30, SRTP_GOOD);
	assert_true(last_heard(r) > LOUD);
	rekey(r, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 21);
	arrive(r, &second, 30, 40, SRTP_GOOD);
	arrive(r, &second, 0, 40, SRTP_REPLAYED);
}

/*
 * A peer that keeps its SSRC under another key, in the second turn of its sequence numbers, and goes
 * on with the roll-over counter that it has.
 */
static void a_counter_goes_on_under_another_key(void **state)
{
	struct rig *r = *state;
	uint8_t data[256];

	open_two(r);
	r->peer[0].sequence = 65500;
	both_hear(r);
	rekey(r, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 21);
	/* Of the new key's first turn this is all. */
	rig_protect(r, 0, false, data, foreign(data, 65535, 0, 0x5000));
	both_hear(r);
	assert_in_range(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0, 1);
	/* and under one behind that, which it never sent with */
	rekey(r, CORD_SRTP_AEAD_AES_256_GCM, 22);
	rekey(r, CORD_SRTP_AEAD_AES_128_GCM, 23);
	rig_protect(r, 0, false, data, foreign(data, 65535, 0, 0x5000));
	both_hear(r);
	assert_in_range(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0, 2);
}

/* As long as a packet can be, in one that no packet of ours with room for headers can hold. */
static void a_packet_too_long_for_a_second_try_is_dropped(void **state)
{
	enum { BYTES = RTE_MBUF_DEFAULT_BUF_SIZE };
	struct rig *r = *state;
	uint8_t frame[BYTES] = {0};
	struct worker *w = r->dp.worker[0];

	open_two(r);
	both_hear(r);
	rekey(r, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 21);
	uint8_t *rtp = rig_headers(r, 0, frame, BYTES - sizeof(struct packet_headers));
	uint64_t forged = rig_counter(r, CORD_COUNTER_drop_srtp_auth);
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->dp.nic.pool);

	rtp_write(rtp, false, 0, 0, 0, 0x5000);
	rig_seal(frame);
	assert_non_null(m);
	memcpy(rte_pktmbuf_prepend(m, RTE_PKTMBUF_HEADROOM), frame, RTE_PKTMBUF_HEADROOM);
	memcpy(rte_pktmbuf_append(m, BYTES - RTE_PKTMBUF_HEADROOM), frame + RTE_PKTMBUF_HEADROOM,
		BYTES - RTE_PKTMBUF_HEADROOM);
	rx_burst(w, &m, 1);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), forged + 1);
	both_hear(r);
}

/* A peer that does not answer to its own key is given up, as its session is. */
static void the_key_before_ends(void **state)
{
	static struct underway first;
	struct rig *r = *state;

	open_two(r);
	both_hear(r);
	hush_both(r);
	send_off(r, &first);
	rekey(r, CORD_SRTP_AES_CM_128_HMAC_SHA1_80, 21);
	rig_run(r, 31000);
	arrive(r, &first, 0, 10, SRTP_GOOD);
	rig_run(r, 1000);
	arrive(r, &first, 10, 20, SRTP_FORGED);
}

/*
 * Keys go out while a re-INVITE changes what the port sends with, in each of their periods. The peer
 * changes over behind it, and knows nothing in the new stream of what the old one held.
 */
static void keys_being_sent_go_on_under_another_key(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.port_digits = {.duration_ms = 100,
					 .gap_ms = 60,
					 .pause_ms = 500,
					 .digits = 3,
					 .digit = "123"}};

	open_two(r);
	m.port_digits.port = rig_port(r, 0);
	for (uint32_t at = 0; at < 26; at++) {
		memset(r->heard[0].keys, 0, sizeof(r->heard[0].keys));
		rig_run(r, 100);
		assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_DIGITS), 0);
		rig_run(r, 20 * at);
		/* Seeds of its own make the keys of a slot that nobody has. */
		rig_secure(r, 2, CORD_SRTP_AEAD_AES_128_GCM, 1000 + at, 1);
		r->send_key[0] = r->send_key[2];
		assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
		assert_int_equal(srtp_set_receive(r->peer_srtp, 0, &r->send_key[0]), 0);
		r->heard[0].renewed = true;
		rig_run(r, 600);
		assert_string_equal(r->heard[0].keys, "123");
	}
	assert_int_equal(r->heard[0].unauthentic, 0);
	assert_int_equal(r->heard[0].sequence_gaps, 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_digits_sent), 3 * 26);
}

/* The same key sends another SSRC, whose indices begin anew; the peer's key goes on. */
static void another_clock_is_another_stream(void **state)
{
	static const enum cord_codec codecs[] = {CORD_CODEC_OPUS, CORD_CODEC_PCMA};
	struct rig *r = *state;

	open_two(r);
	both_hear(r);
	/* So that the index of the old stream is in its second turn. */
	r->dp.port[0].sequence = 65530;
	r->heard[0].renewed = true;
	both_hear(r);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t ssrc = r->heard[0].ssrc;

		rig_code(r, 0, codecs[i]);
		r->heard[0].renewed = true;
		assert_int_equal(set_terms(r, 0, CORD_MAY_SEND | CORD_MAY_RECEIVE), 0);
		assert_int_not_equal(r->dp.port[0].ssrc, ssrc);
		both_hear(r);
		assert_int_equal(r->heard[0].ssrc, r->dp.port[0].ssrc);
	}
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_tx_srtp), 0);
}

static void plain_never_replaces_keys(void **state)
{
	struct rig *r = *state;
	struct cord_srtp_key none = {0}, unknown = {.suite = CORD_SRTP_SUITE_COUNT};
	struct cord_srtp_key send, receive;

	open_two(r);
	both_hear(r);
	send = r->send_key[0];
	receive = r->receive_key[0];
	r->send_key[0] = none;
	assert_int_equal(set_terms(r, 0, 3), CORD_REFUSAL_BAD_VALUE);
	r->receive_key[0] = none;
	assert_int_equal(set_terms(r, 0, 3), CORD_REFUSAL_DOWNGRADE);
	r->send_key[0] = r->receive_key[0] = unknown;
	assert_int_equal(set_terms(r, 0, 3), CORD_REFUSAL_BAD_VALUE);
	r->send_key[0] = send;
	r->receive_key[0] = receive;
	both_hear(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
}

/* A port that was opened plain, before the peer had answered, gets its keys. */
static void keys_may_come_later(void **state)
{
	struct rig *r = *state;
	struct cord_srtp_key send = r->send_key[0], receive = r->receive_key[0], none = {0};

	r->send_key[0] = r->receive_key[0] = none;
	r->peer[0].secure = false;
	open_two(r);
	both_hear(r);
	r->peer[0].secure = true;
	r->heard[0].renewed = true;
	r->send_key[0] = send;
	r->receive_key[0] = receive;
	assert_int_equal(set_terms(r, 0, 3), 0);
	both_hear(r);
}

static bool is_zero(const void *data, size_t bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < bytes; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/* The ring that brought the keys holds them no more. */
static void a_command_leaves_no_keys_in_its_ring(void **state)
{
	struct rig *r = *state;
	const struct cord_ring *ring = &r->dp.shared[0].commands;

	open_two(r);
	assert_int_equal(set_terms(r, 0, 3), 0);
	for (uint32_t i = 0; i < CORD_RING_SLOTS; i++) {
		struct cord_message m;

		memcpy(&m, ring->slot[i], sizeof(m));
		if (!is_zero(&m, sizeof(m)))
			assert_int_not_equal(m.type, CORD_COMMAND_PORT_OPEN);
	}
	assert_true(is_zero(ring->slot[0], sizeof(struct cord_message)));
}

/* A port opened again in the same slot with the same keys has another SSRC: no key stream twice. */
static void the_same_keys_never_meet_the_same_ssrc(void **state)
{
	struct rig *r = *state;
	struct cord_message m = {.port_close = {.port = 0}};
	uint32_t ssrc;

	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	ssrc = r->dp.port[0].ssrc;
	m.port_close.port = rig_port(r, 0);
	assert_int_equal(rig_ask(r, 0, &m, CORD_COMMAND_PORT_CLOSE), 0);
	assert_int_equal(rig_open(r, 0, 0, CORD_CODEC_PCMU), 0);
	assert_int_not_equal(r->dp.port[0].ssrc, ssrc);
}

/* Packets arrive at one worker and belong to another, which gives the ports away in the call. */
static void keys_go_with_the_port(void **state)
{
	static const uint32_t slots[] = {0, 1};
	static const uint16_t hears[] = {2, 1};
	struct rig *r = *state;

	r->home = 1;
	open_two(r);
	both_hear(r);
	assert_int_equal(rig_open_room(r, 1, 1), 0);
	assert_int_equal(rig_set(r, 1, 1, 2, slots, hears), 0);
	both_hear(r);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_auth), 0);
	assert_int_equal(rig_counter(r, CORD_COUNTER_drop_srtp_replay), 0);
}

static void the_back_end_is_told(void **state)
{
	const struct rig *r = *state;

	assert_int_equal(r->dp.segment->srtp_backend, CORD_SRTP_BACKEND_LIBSRTP);
}

#define TEST(name)         cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_LIBSRTP(name) cmocka_unit_test_setup_teardown(name, setup_libsrtp, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_suite_is_heard_both_ways),
		TEST_LIBSRTP(every_suite_is_heard_both_ways),
		TEST(an_ipv6_peer_is_heard),
		TEST(plain_and_secure_talk),
		TEST(what_is_not_authentic_changes_nothing),
		TEST_LIBSRTP(what_is_not_authentic_changes_nothing),
		TEST(what_is_replayed_changes_nothing),
		TEST_LIBSRTP(what_is_replayed_changes_nothing),
		TEST(hold_and_resume_keep_the_stream),
		TEST_LIBSRTP(hold_and_resume_keep_the_stream),
		TEST(a_wrap_is_not_noticed),
		TEST(another_key_is_another_stream),
		TEST(the_key_before_goes_on),
		TEST_LIBSRTP(the_key_before_goes_on),
		TEST(a_packet_too_long_for_a_second_try_is_dropped),
		TEST_LIBSRTP(a_packet_too_long_for_a_second_try_is_dropped),
		TEST(the_key_before_ends),
		TEST(a_counter_goes_on_under_another_key),
		TEST_LIBSRTP(a_counter_goes_on_under_another_key),
		TEST(keys_being_sent_go_on_under_another_key),
		TEST_LIBSRTP(keys_being_sent_go_on_under_another_key),
		TEST(another_clock_is_another_stream),
		TEST_LIBSRTP(another_clock_is_another_stream),
		TEST(plain_never_replaces_keys),
		TEST(keys_may_come_later),
		TEST(a_command_leaves_no_keys_in_its_ring),
		TEST(the_same_keys_never_meet_the_same_ssrc),
		cmocka_unit_test_setup_teardown(keys_go_with_the_port, setup_two_workers, teardown),
		TEST_LIBSRTP(the_back_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
