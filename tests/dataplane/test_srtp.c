/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP: packet indices, the RFCs' vectors, and every back end that runs on this machine, each with
 * every suite, bit for bit.
 */
#include "srtp.h"

#include "rtp.h"
#include "srtp_backend.h"
#include "srtp_reference.h"
#include "srtp_stream.h"

#include <fcntl.h>
#include <setjmp.h>
#include <srtp2/srtp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLOTS = 4, PACKET_MAX = 1600, SSRC = 0x12345678 };

/* ---- indices -------------------------------------------------------------------------------- */

static void an_index_follows_from_a_sequence_number(void **state)
{
	static const struct {
		uint64_t highest;
		uint16_t sequence;
		uint64_t index;
	} rows[] = {
		{0, 0, 0},
		{0, 65535, 65535},     /* before the first wrap there is no turn to go back to */
		{65535, 0, 65536},     /* the wrap */
		{65536, 65535, 65535}, /* late, from before it */
		{0x1fff0, 5, 0x20005}, /* the second wrap */
		{0x20005, 0xfff0, 0x1fff0},
		{0x28000, 0, 0x20000}, /* half a turn back, and one less is a turn on */
		{0x28001, 0, 0x30000},
		{0x27fff, 0xffff, 0x2ffff}, /* half a turn on, and one more is a turn back */
		{0x27ffe, 0xffff, 0x1ffff},
		{0xffffffff0000ull, 0xffff, 0xfffffffeffffull},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct srtp_window w = {.highest = rows[i].highest};

		assert_int_equal(srtp_window_index(&w, rows[i].sequence), rows[i].index);
	}
}

/* Against a list of all that has been seen. */
static void a_window_takes_each_index_once(void **state)
{
	enum { SPAN = 4000 };
	static bool seen[SPAN];
	struct srtp_window w = {0};
	uint64_t highest = 0;

	memset(seen, 0, sizeof(seen));
	srandom(3);
	for (int i = 0; i < 200000; i++) {
		uint64_t step = (uint64_t)random() % 1000 ? (uint64_t)random() % 8 : 150;
		uint64_t index = highest + step;

		index = index > 260 ? index - (uint64_t)random() % 260 : index;
		if (index >= SPAN)
			break;
		bool takes = index > highest || (highest - index < SRTP_WINDOW && !seen[index]);

		assert_int_equal(srtp_window_takes(&w, index), takes);
		if (!takes)
			continue;
		srtp_window_note(&w, index);
		seen[index] = true;
		highest = index > highest ? index : highest;
	}
	assert_true(highest > SPAN - 400);
}

/* ---- the RFCs' vectors ---------------------------------------------------------------------- */

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; *text; text += 2) {
		char digits[3] = {text[0], text[1], 0};

		out[n++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

static void expect_hex(const uint8_t *found, const char *expected)
{
	uint8_t bytes[256];
	size_t n = from_hex(expected, bytes);

	assert_memory_equal(found, bytes, n);
}

/* RFC 3711 appendix B.2: AES-128 in counter mode. */
static void key_stream_of_rfc_3711(void **state)
{
	uint8_t key[16], salt[14], stream[48];

	from_hex("2b7e151628aed2a6abf7158809cf4f3c", key);
	from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd", salt);
	srtp_reference_key_stream(key, 16, salt, 0, 0, stream, sizeof(stream));
	expect_hex(stream, "e03ead0935c95e80e166b16dd92b4eb4"
			   "d23513162b02d0f72a43a2fe4a5f97ab"
			   "41e95b3bb0a2e8dd477901e4fca894c0");
}

/* RFC 3711 appendix B.3, RFC 6188 section 7.2: session keys from master keys. */
static void session_keys_of_rfc_3711_and_6188(void **state)
{
	struct cord_srtp_key key = {.suite = CORD_SRTP_AES_CM_128_HMAC_SHA1_80};
	struct srtp_reference r;

	from_hex("e1f97a0d3e018be0d64fa32c06de4139"
		 "0ec675ad498afeebb6960b3aabe6",
		key.key);
	srtp_reference_derive(&r, &key);
	expect_hex(r.cipher[0], "c61e7a93744f39ee10734afe3ff7a087");
	expect_hex(r.salt[0], "30cbbc08863d8c85d49db34a9ae1");
	expect_hex(r.authentication[0], "cebe321f6ff7716b6fd4ab49af256a156d38baa4");
	key.suite = CORD_SRTP_AES_256_CM_HMAC_SHA1_80;
	from_hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"
		 "3b04803de51ee7c96423ab5b78d2",
		key.key);
	srtp_reference_derive(&r, &key);
	expect_hex(r.cipher[0], "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
	expect_hex(r.salt[0], "fa31791685ca444a9e07c6c64e93");
	expect_hex(r.authentication[0], "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
}

/* RFC 7714 sections 16.1.1, 16.2.1, 17.1 and 17.2, which give session keys. */
static void packets_of_rfc_7714(void **state)
{
	static const struct {
		uint32_t suite;
		bool rtcp;
		uint64_t index;
		const char *packet, *protected;
	} rows[] = {
		{CORD_SRTP_AEAD_AES_128_GCM, false, 0xf17b,
			"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120"
			"696e207061727465732074726573",
			"8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f"
			"42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"},
		{CORD_SRTP_AEAD_AES_256_GCM, false, 0xf17b,
			"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120"
			"696e207061727465732074726573",
			"8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3"
			"b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"},
		{CORD_SRTP_AEAD_AES_128_GCM, true, 0x5d4,
			"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeef"
			"deadbeefdeadbeefdeadbeefdeadbeef",
			"81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1"
			"730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4"},
		{CORD_SRTP_AEAD_AES_256_GCM, true, 0x5d4,
			"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeef"
			"deadbeefdeadbeefdeadbeefdeadbeef",
			"81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1"
			"110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct srtp_reference r = {.suite = rows[i].suite};
		uint8_t packet[256];

		for (uint8_t n = 0; n < 32; n++)
			r.cipher[rows[i].rtcp][n] = n;
		from_hex("517569642070726f2071756f", r.salt[rows[i].rtcp]);
		size_t bytes = from_hex(rows[i].packet, packet);

		bytes = srtp_reference_protect(&r, rows[i].rtcp, rows[i].index, packet, bytes);
		assert_int_equal(bytes, strlen(rows[i].protected) / 2);
		expect_hex(packet, rows[i].protected);
	}
}

/* ---- back ends ------------------------------------------------------------------------------ */

struct end {
	struct srtp_keys *keys;
	struct srtp_engine *engine;
};

static struct end end_open(enum cord_srtp_backend backend)
{
	struct end e;

	assert_int_equal(srtp_keys_create(&e.keys, backend, SLOTS), 0);
	assert_int_equal(srtp_engine_create(&e.engine, e.keys), 0);
	return e;
}

static void end_close(struct end *e)
{
	srtp_engine_destroy(e->engine);
	srtp_keys_destroy(e->keys);
}

static struct cord_srtp_key key_of(uint32_t suite, unsigned seed)
{
	struct cord_srtp_key key = {.suite = (uint8_t)suite};

	srandom(seed);
	for (uint32_t i = 0; i < cord_srtp_key_bytes(suite); i++)
		key.key[i] = (uint8_t)random();
	return key;
}

/* Calls a test with each back end that runs here and each suite. */
static void each(void (*test)(enum cord_srtp_backend backend, uint32_t suite))
{
	uint32_t backends = 0;

	for (uint32_t b = CORD_SRTP_BACKEND_LIBSRTP; b < CORD_SRTP_BACKEND_COUNT; b++) {
		if (srtp_pick((enum cord_srtp_backend)b) != b)
			continue;
		for (uint32_t suite = 1; suite < CORD_SRTP_SUITE_COUNT; suite++)
			test((enum cord_srtp_backend)b, suite);
		backends++;
	}
	print_message("back ends: %u\n", backends);
	assert_true(backends > 0);
}

struct wire {
	uint8_t data[PACKET_MAX];
	uint16_t bytes;
};

static size_t rtp_make(
	uint8_t *data, uint32_t ssrc, uint16_t sequence, uint16_t payload, uint32_t csrcs)
{
	bool extended = csrcs & 1;
	size_t at = RTP_HEADER_BYTES;

	rtp_write(data, false, 0, sequence, sequence * 160u, ssrc);
	data[0] |= (uint8_t)(csrcs | (extended ? 0x10 : 0));
	for (uint32_t i = 0; i < csrcs; i++, at += 4)
		rtp_put32(data + at, i);
	if (extended) {
		rtp_put32(data + at, 0xbede0001);
		rtp_put32(data + at + 4, 0x10aa0000);
		at += 8;
	}
	for (uint32_t i = 0; i < payload; i++)
		data[at++] = (uint8_t)(i * 7 + sequence);
	return at;
}

static size_t rtcp_make(uint8_t *data, uint32_t ssrc, uint16_t words)
{
	memset(data, 0x5a, 4u * words + 4);
	data[0] = 0x80;
	data[1] = 200;
	rtp_put16(data + 2, words);
	rtp_put32(data + 4, ssrc);
	return 4u * words + 4;
}

static enum srtp_verdict one(struct end *e, bool protect, bool rtcp, uint32_t slot, struct wire *w)
{
	struct srtp_packet p = {.data = w->data, .slot = slot, .bytes = w->bytes, .rtcp = rtcp};

	if (protect)
		srtp_protect_burst(e->engine, &p, 1);
	else
		srtp_unprotect_burst(e->engine, &p, 1);
	w->bytes = p.bytes;
	return (enum srtp_verdict)p.verdict;
}

static enum srtp_verdict sent(struct end *e, bool rtcp, struct wire *w)
{
	return one(e, true, rtcp, 1, w);
}

/* Of a copy: what is received is spent. */
static enum srtp_verdict received(struct end *e, bool rtcp, const struct wire *w)
{
	struct wire copy = *w;

	return one(e, false, rtcp, 1, &copy);
}

/* Bursts of 1 to 70 packets of three slots, RTP of many lengths and RTCP, with the sequence numbers
 * wrapping on the way: each is what the reference makes of it, and comes out as it went in. */
static void bursts_equal_the_reference(enum cord_srtp_backend backend, uint32_t suite)
{
	enum { BURST = 70, ROUNDS = 60 };
	static struct wire plain[BURST], wire[BURST];
	struct srtp_packet packet[BURST];
	struct end a = end_open(backend), b = end_open(backend);
	struct srtp_reference reference[SLOTS];
	uint64_t index[SLOTS] = {65500, 7, 65535, 0}, rtcp_index[SLOTS] = {0};
	uint64_t last[SLOTS];

	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		struct cord_srtp_key key = key_of(suite, 40 + slot);

		srtp_reference_derive(&reference[slot], &key);
		assert_int_equal(srtp_set_send(a.engine, slot, &key, SSRC + slot), 0);
		assert_int_equal(srtp_set_receive(b.engine, slot, &key), 0);
		/* libsrtp counts SRTCP from 1, which RFC 3711 section 3.2.1 would have from 0. */
		rtcp_index[slot] = backend == CORD_SRTP_BACKEND_LIBSRTP;
		last[slot] = index[slot];
	}
	srandom(5);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint32_t n = round < BURST ? round : BURST;

		for (uint32_t i = 0; i < n; i++) {
			uint32_t slot = (uint32_t)random() % SLOTS;
			bool rtcp = random() % 8 == 0;
			size_t bytes =
				rtcp ? rtcp_make(plain[i].data, SSRC + slot,
					       (uint16_t)(1 + random() % 30))
				     : rtp_make(plain[i].data, SSRC + slot, (uint16_t)index[slot],
					       (uint16_t)(random() % (random() % 4 ? 500 : 1400)),
					       (uint32_t)random() % 4);

			plain[i].bytes = (uint16_t)bytes;
			wire[i] = plain[i];
			wire[i].bytes = (uint16_t)srtp_reference_protect(&reference[slot], rtcp,
				rtcp ? rtcp_index[slot]++ : index[slot]++, wire[i].data, bytes);
			packet[i] = (struct srtp_packet){.data = malloc(bytes + SRTP_TRAILER_MAX),
				.slot = slot,
				.bytes = (uint16_t)bytes,
				.rtcp = rtcp};
			memcpy(packet[i].data, plain[i].data, bytes);
		}
		srtp_protect_burst(a.engine, packet, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(packet[i].verdict, SRTP_GOOD);
			assert_int_equal(packet[i].bytes, wire[i].bytes);
			assert_memory_equal(packet[i].data, wire[i].data, wire[i].bytes);
		}
		srtp_unprotect_burst(b.engine, packet, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(packet[i].verdict, SRTP_GOOD);
			assert_int_equal(packet[i].bytes, plain[i].bytes);
			assert_memory_equal(packet[i].data, plain[i].data, plain[i].bytes);
			free(packet[i].data);
		}
	}
	assert_true(last[0] < 65536 && index[0] > 65536 && index[2] > 65536);
	end_close(&a);
	end_close(&b);
}

static void every_back_end_equals_the_reference(void **state)
{
	each(bursts_equal_the_reference);
}

static void open_pair(struct end *a, struct end *b, enum cord_srtp_backend backend, uint32_t suite)
{
	struct cord_srtp_key key = key_of(suite, 9);

	*a = end_open(backend);
	*b = end_open(backend);
	assert_int_equal(srtp_set_send(a->engine, 1, &key, SSRC), 0);
	assert_int_equal(srtp_set_receive(b->engine, 1, &key), 0);
}

static struct wire rtp_sent(struct end *a, uint16_t sequence)
{
	struct wire w;

	w.bytes = (uint16_t)rtp_make(w.data, SSRC, sequence, 40, 0);
	assert_int_equal(sent(a, false, &w), SRTP_GOOD);
	return w;
}

static struct wire rtcp_sent(struct end *a)
{
	struct wire w;

	w.bytes = (uint16_t)rtcp_make(w.data, SSRC, 6);
	assert_int_equal(sent(a, true, &w), SRTP_GOOD);
	return w;
}

/* Every bit, and every length that is too short. */
static void forgeries_change_nothing(enum cord_srtp_backend backend, uint32_t suite)
{
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	for (uint32_t rtcp = 0; rtcp < 2; rtcp++) {
		struct wire w = rtcp ? rtcp_sent(&a) : rtp_sent(&a, 100);
		struct wire before = rtcp ? rtcp_sent(&a) : rtp_sent(&a, 101);

		/* A stream that is known, and one that is not yet. */
		for (uint32_t known = 0; known < 2; known++) {
			for (uint32_t bit = 0; bit < w.bytes * 8u; bit++) {
				struct wire forged = w;

				forged.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_int_not_equal(received(&b, rtcp, &forged), SRTP_GOOD);
			}
			for (uint16_t bytes = 0; bytes < w.bytes; bytes++) {
				struct wire cut = w;

				cut.bytes = bytes;
				assert_int_not_equal(received(&b, rtcp, &cut), SRTP_GOOD);
			}
			if (!known)
				assert_int_equal(received(&b, rtcp, &before), SRTP_GOOD);
		}
		assert_int_equal(received(&b, rtcp, &w), SRTP_GOOD);
		assert_int_equal(received(&b, rtcp, &w), SRTP_REPLAYED);
	}
	end_close(&a);
	end_close(&b);
}

static void a_forged_packet_changes_nothing(void **state)
{
	each(forgeries_change_nothing);
}

/* Plain RTP where SRTP was agreed on, of every length. */
static void clear_packets_are_refused(enum cord_srtp_backend backend, uint32_t suite)
{
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	for (uint16_t payload = 0; payload < 500; payload += 20) {
		struct wire w;

		w.bytes = (uint16_t)rtp_make(w.data, SSRC, payload, payload, 0);
		assert_int_equal(received(&b, false, &w), SRTP_FORGED);
		w.bytes = (uint16_t)rtcp_make(w.data, SSRC, (uint16_t)(1 + payload / 20));
		assert_int_equal(received(&b, true, &w), SRTP_FORGED);
	}
	end_close(&a);
	end_close(&b);
}

static void a_clear_packet_is_refused(void **state)
{
	each(clear_packets_are_refused);
}

/* In any order around the wrap: each within the window once, none from before it. */
static void late_ones_come_once(enum cord_srtp_backend backend, uint32_t suite)
{
	enum { COUNT = 300, FIRST = 65400 };
	static struct wire w[COUNT], report[COUNT];
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	for (uint32_t i = 0; i < COUNT; i++) {
		w[i] = rtp_sent(&a, (uint16_t)(FIRST + i));
		report[i] = rtcp_sent(&a);
	}
	for (uint32_t rtcp = 0; rtcp < 2; rtcp++) {
		struct wire *packet = rtcp ? report : w;

		assert_int_equal(received(&b, rtcp, &packet[0]), SRTP_GOOD);
		assert_int_equal(received(&b, rtcp, &packet[COUNT - 1]), SRTP_GOOD);
		for (uint32_t i = 1; i < COUNT - 1; i++) {
			bool late = COUNT - 1 - i >= SRTP_WINDOW;

			assert_int_equal(
				received(&b, rtcp, &packet[i]), late ? SRTP_REPLAYED : SRTP_GOOD);
		}
		for (uint32_t i = 0; i < COUNT; i++)
			assert_int_equal(received(&b, rtcp, &packet[i]), SRTP_REPLAYED);
	}
	end_close(&a);
	end_close(&b);
}

static void a_late_packet_is_taken_once(void **state)
{
	each(late_ones_come_once);
}

/* The same packet twice in one burst, of a stream that is known and of one that is not. */
static void twins_in_a_burst(enum cord_srtp_backend backend, uint32_t suite)
{
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	for (uint16_t round = 0; round < 2; round++) {
		struct wire w[4] = {rtp_sent(&a, (uint16_t)(2 * round)),
			rtp_sent(&a, (uint16_t)(2 * round + 1))};
		struct srtp_packet p[4];

		w[2] = w[0];
		w[3] = w[1];
		for (uint32_t i = 0; i < 4; i++)
			p[i] = (struct srtp_packet){
				.data = w[i].data, .slot = 1, .bytes = w[i].bytes};
		srtp_unprotect_burst(b.engine, p, 4);
		assert_int_equal(p[0].verdict, SRTP_GOOD);
		assert_int_equal(p[1].verdict, SRTP_GOOD);
		assert_int_equal(p[2].verdict, SRTP_REPLAYED);
		assert_int_equal(p[3].verdict, SRTP_REPLAYED);
	}
	end_close(&a);
	end_close(&b);
}

static void a_burst_may_bring_a_packet_twice(void **state)
{
	each(twins_in_a_burst);
}

/* A peer may change its SSRC; the streams it left cannot be replayed, and there is an end to it. */
static void many_streams(enum cord_srtp_backend backend, uint32_t suite)
{
	struct cord_srtp_key key = key_of(suite, 9);
	struct end b = end_open(backend);
	static struct wire w[SRTP_STREAMS_MAX + 1];

	assert_int_equal(srtp_set_receive(b.engine, 1, &key), 0);
	for (uint32_t i = 0; i <= SRTP_STREAMS_MAX; i++) {
		struct end a = end_open(backend);

		assert_int_equal(srtp_set_send(a.engine, 1, &key, SSRC + i), 0);
		w[i].bytes = (uint16_t)rtp_make(w[i].data, SSRC + i, 8, 40, 0);
		assert_int_equal(sent(&a, false, &w[i]), SRTP_GOOD);
		assert_int_equal(received(&b, false, &w[i]),
			i < SRTP_STREAMS_MAX ? SRTP_GOOD : SRTP_REPLAYED);
		end_close(&a);
	}
	for (uint32_t i = 0; i <= SRTP_STREAMS_MAX; i++)
		assert_int_equal(received(&b, false, &w[i]), SRTP_REPLAYED);
	/* A new key is a new beginning for all. */
	assert_int_equal(srtp_set_receive(b.engine, 1, &key), 0);
	assert_int_equal(received(&b, false, &w[SRTP_STREAMS_MAX]), SRTP_GOOD);
	end_close(&b);
}

static void streams_of_a_key_are_remembered(void **state)
{
	each(many_streams);
}

/* ---- a key after another ---------------------------------------------------------------------- */

/* What the peer makes under its next key, in slot 2. */
static struct wire next_sent(struct end *a, bool rtcp, uint32_t ssrc, uint16_t sequence)
{
	struct wire w;

	w.bytes = (uint16_t)(rtcp ? rtcp_make(w.data, ssrc, 6)
				  : rtp_make(w.data, ssrc, sequence, 40, 0));
	assert_int_equal(one(a, true, rtcp, 2, &w), SRTP_GOOD);
	return w;
}

static enum srtp_verdict next_received(struct end *b, bool rtcp, const struct wire *w)
{
	struct wire copy = *w;

	return one(b, false, rtcp, 2, &copy);
}

/* What happens to the counter at a change of keys that comes behind sequence number `last`. */
struct change {
	bool goes_on;    /* else it begins at 0 */
	bool rtcp_first; /* RTCP under the new key comes before RTP */
	uint16_t last;
};

/* Of the packets behind the change one at most is lost, and none of what is forged makes it more. */
static void change_keys(enum cord_srtp_backend backend, uint32_t suite, const struct change *how)
{
	struct cord_srtp_key next = key_of(suite, 10);
	struct end a, b;
	uint32_t lost = 0;
	uint16_t sequence = 65000;

	open_pair(&a, &b, backend, suite);
	do {
		struct wire w = rtp_sent(&a, ++sequence);

		assert_int_equal(received(&b, false, &w), SRTP_GOOD);
	} while (sequence != how->last);
	assert_int_equal(srtp_set_send(a.engine, 2, &next, SSRC), 0);
	assert_int_equal(srtp_set_receive(b.engine, 2, &next), 0);
	srtp_inherit(b.engine, 2, 1);
	/* It is in its second turn when the number before was in the first. */
	if (how->goes_on)
		next_sent(&a, false, SSRC, 65000);
	if (how->rtcp_first) {
		struct wire w = next_sent(&a, true, SSRC, 0);

		assert_int_equal(next_received(&b, true, &w), SRTP_GOOD);
	}
	for (uint32_t i = 0; i < 300; i++) {
		struct wire w = next_sent(&a, false, SSRC, ++sequence), forged = w;

		forged.data[20] ^= 4;
		assert_int_equal(next_received(&b, false, &forged), SRTP_FORGED);
		lost += next_received(&b, false, &w) != SRTP_GOOD;
		if (i > 0)
			assert_int_equal(next_received(&b, false, &w), SRTP_REPLAYED);
	}
	assert_in_range(lost, 0, 1);
	end_close(&a);
	end_close(&b);
}

static void counters_at_a_change(enum cord_srtp_backend backend, uint32_t suite)
{
	for (uint32_t way = 0; way < 16; way++) {
		const struct change how = {.goes_on = way & 1,
			.rtcp_first = way & 2,
			/* in the second turn, and at the end of the first */
			.last = (uint16_t)((way & 8 ? 20 : 65534) + (way >> 2 & 1))};

		change_keys(backend, suite, &how);
	}
}

static void a_counter_goes_on_or_begins_under_another_key(void **state)
{
	each(counters_at_a_change);
}

/* Nothing is inherited: not by another SSRC, not where there was nothing, not twice. */
static void counters_of_others(enum cord_srtp_backend backend, uint32_t suite)
{
	struct cord_srtp_key next = key_of(suite, 10);
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	struct wire w = rtp_sent(&a, 65535);

	assert_int_equal(received(&b, false, &w), SRTP_GOOD);
	w = rtp_sent(&a, 1);
	assert_int_equal(received(&b, false, &w), SRTP_GOOD);
	assert_int_equal(srtp_set_send(a.engine, 2, &next, SSRC + 1), 0);
	srtp_inherit(b.engine, 2, 1);
	assert_int_equal(srtp_set_receive(b.engine, 2, &next), 0);
	srtp_inherit(b.engine, 2, 3);
	srtp_inherit(b.engine, 2, 1);
	for (uint16_t sequence = 3; sequence < 6; sequence++) {
		w = next_sent(&a, false, SSRC + 1, sequence);
		assert_int_equal(next_received(&b, false, &w), SRTP_GOOD);
	}
	/* Set anew it knows of no other key. */
	assert_int_equal(srtp_set_send(a.engine, 2, &next, SSRC), 0);
	assert_int_equal(srtp_set_receive(b.engine, 2, &next), 0);
	w = next_sent(&a, false, SSRC, 3);
	assert_int_equal(next_received(&b, false, &w), SRTP_GOOD);
	end_close(&a);
	end_close(&b);
}

static void a_counter_is_inherited_by_its_ssrc_alone(void **state)
{
	each(counters_of_others);
}

/* Reports of another SSRC are no RTP that could go on, neither before the change nor behind it. */
static void counters_beside_reports(enum cord_srtp_backend backend, uint32_t suite)
{
	struct cord_srtp_key key = key_of(suite, 9), next = key_of(suite, 10);
	struct end a, b, other = end_open(backend);
	uint32_t lost = 0;

	open_pair(&a, &b, backend, suite);
	assert_int_equal(srtp_set_send(other.engine, 1, &key, SSRC + 1), 0);
	assert_int_equal(srtp_set_send(other.engine, 2, &next, SSRC + 1), 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct wire w = rtp_sent(&a, i ? 1 : 65535);

		assert_int_equal(received(&b, false, &w), SRTP_GOOD);
	}
	struct wire report = {.bytes = (uint16_t)rtcp_make(report.data, SSRC + 1, 6)};

	assert_int_equal(sent(&other, true, &report), SRTP_GOOD);
	assert_int_equal(received(&b, true, &report), SRTP_GOOD);
	assert_int_equal(srtp_set_send(a.engine, 2, &next, SSRC), 0);
	assert_int_equal(srtp_set_receive(b.engine, 2, &next), 0);
	srtp_inherit(b.engine, 2, 1);
	report = next_sent(&other, true, SSRC + 1, 0);
	assert_int_equal(next_received(&b, true, &report), SRTP_GOOD);
	next_sent(&a, false, SSRC, 65535);
	for (uint16_t sequence = 2; sequence < 10; sequence++) {
		struct wire w = next_sent(&a, false, SSRC, sequence);

		lost += next_received(&b, false, &w) != SRTP_GOOD;
	}
	assert_in_range(lost, 0, 1);
	end_close(&other);
	end_close(&a);
	end_close(&b);
}

static void a_report_of_another_takes_no_counter(void **state)
{
	each(counters_beside_reports);
}

/* The linker leads the calls of srtp_libsrtp.c here. */
static uint32_t streams_added;
srtp_err_status_t __real_srtp_add_stream(srtp_t session, const srtp_policy_t *policy);
srtp_err_status_t __wrap_srtp_add_stream(srtp_t session, const srtp_policy_t *policy);

srtp_err_status_t __wrap_srtp_add_stream(srtp_t session, const srtp_policy_t *policy)
{
	streams_added++;
	return __real_srtp_add_stream(session, policy);
}

/* What others make up would otherwise cost memory and the derivation of keys, a packet each. */
static void libsrtp_is_told_of_a_stream_once(void **state)
{
	struct cord_srtp_key next = key_of(CORD_SRTP_AEAD_AES_128_GCM, 10);
	struct end a, b;

	open_pair(&a, &b, CORD_SRTP_BACKEND_LIBSRTP, CORD_SRTP_AEAD_AES_128_GCM);
	for (uint32_t i = 0; i < 2; i++) {
		struct wire w = rtp_sent(&a, i ? 1 : 65535);

		assert_int_equal(received(&b, false, &w), SRTP_GOOD);
	}
	assert_int_equal(srtp_set_send(a.engine, 2, &next, SSRC), 0);
	assert_int_equal(srtp_set_receive(b.engine, 2, &next), 0);
	streams_added = 0;
	srtp_inherit(b.engine, 2, 1);
	next_sent(&a, false, SSRC, 65535);
	for (uint16_t sequence = 3; sequence < 100; sequence++) {
		struct wire w = next_sent(&a, false, SSRC, sequence);

		w.data[20] ^= 4;
		assert_int_equal(next_received(&b, false, &w), SRTP_FORGED);
	}
	struct wire w = next_sent(&a, false, SSRC, 101);

	assert_int_equal(next_received(&b, false, &w), SRTP_GOOD);
	assert_int_equal(streams_added, 1);
	end_close(&a);
	end_close(&b);
}

static void keys_come_and_go(enum cord_srtp_backend backend, uint32_t suite)
{
	struct cord_srtp_key key = key_of(suite, 9), other = key_of(suite, 10), none = {0};
	struct end a, b;

	open_pair(&a, &b, backend, suite);
	assert_true(srtp_sends_with(a.engine, 1, &key));
	assert_false(srtp_sends_with(a.engine, 1, &other));
	assert_false(srtp_sends_with(a.engine, 2, &key));
	assert_false(srtp_receives_with(a.engine, 1, &key));
	assert_true(srtp_receives_with(b.engine, 1, &key));
	assert_int_equal(srtp_set_send(a.engine, SLOTS, &key, 1), -EINVAL);
	assert_int_equal(srtp_set_send(a.engine, 1, &none, 1), -EINVAL);
	struct wire first = rtp_sent(&a, 1);

	assert_int_equal(srtp_set_receive(b.engine, 1, &other), 0);
	assert_int_equal(received(&b, false, &first), SRTP_FORGED);
	srtp_clear(b.engine, 1);
	assert_false(srtp_receives_with(b.engine, 1, &other));
	assert_int_equal(received(&b, false, &first), SRTP_FORGED);
	srtp_clear(a.engine, 1);
	first.bytes = (uint16_t)rtp_make(first.data, SSRC, 2, 40, 0);
	assert_int_equal(sent(&a, false, &first), SRTP_SPENT);
	end_close(&a);
	end_close(&b);
}

static void keys_are_set_and_cleared(void **state)
{
	each(keys_come_and_go);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* A worker that sets a key would stand still while the kernel clears a page. */
static void memory_is_taken_at_once(void **state)
{
	enum { PAGE = 4096, PAGES = 4097 };
	uint8_t *memory = srtp_memory_take(PAGES * PAGE);
	static unsigned char there[PAGES];

	assert_non_null(memory);
	assert_int_equal(mincore(memory, PAGES * PAGE, there), 0);
	for (uint32_t i = 0; i < PAGES; i++)
		assert_true(there[i] & 1);
	srtp_memory_give(memory, PAGES * PAGE);
}

/* ---- what is left of a key ------------------------------------------------------------------- */

enum { SCAN_BYTES = 1 << 20, SECRET_BYTES = 16, SECRETS = 5 };

/* As it must not stand in memory itself: each byte turned over. */
static void secret_note(uint8_t *secret, const uint8_t *key)
{
	for (uint32_t i = 0; i < SECRET_BYTES; i++)
		secret[i] = (uint8_t)~key[i];
}

/* A key of a suite, and what must not be left of it. */
static void secrets_note(
	struct cord_srtp_key *key, uint8_t secret[SECRETS][SECRET_BYTES], uint32_t suite)
{
	struct srtp_reference r;

	*key = key_of(suite, 1000 + suite);
	srtp_reference_derive(&r, key);
	secret_note(secret[0], key->key);
	secret_note(secret[1], r.cipher[0]);
	secret_note(secret[2], r.cipher[1]);
	secret_note(secret[3], r.authentication[0]);
	secret_note(secret[4], r.authentication[1]);
}

static bool secret_at(const uint8_t *p, const uint8_t *secret)
{
	uint32_t n = 0;

	while (n < SECRET_BYTES && (p[n] ^ secret[n]) == 0xff)
		n++;
	return n == SECRET_BYTES;
}

static bool secret_in(const uint8_t *p, size_t bytes, const uint8_t *secret)
{
	const uint8_t *end = p + bytes, *at = p;

	while ((at = memchr(at, (uint8_t)~secret[0], (size_t)(end - at))) != NULL) {
		if (end - at >= SECRET_BYTES && secret_at(at, secret))
			return true;
		at++;
	}
	return false;
}

/*
 * Which of the secrets stand anywhere in what this process may write: bits. But for `buffer`, and
 * for the stack, where the compiler may have put anything for a while.
 */
static uint32_t scan(uint8_t *buffer, uint8_t secret[SECRETS][SECRET_BYTES])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	uint32_t found = 0;
	char line[512], rights[8];

	assert_non_null(maps);
	assert_true(memory >= 0);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[1] != 'w' ||
			to - from > 1ul << 30 || from == (unsigned long)buffer ||
			strstr(line, "[stack]"))
			continue;
		for (; from < to; from += SCAN_BYTES - SECRET_BYTES) {
			ssize_t n = pread(memory, buffer, SCAN_BYTES, (off_t)from);

			for (uint32_t s = 0; s < SECRETS && n > 0; s++)
				found |= (uint32_t)secret_in(buffer, (size_t)n, secret[s]) << s;
		}
	}
	fclose(maps);
	close(memory);
	return found;
}

/* Of the master key and the session keys of both protocols, HMAC's state first of all, nothing. */
static void a_cleared_key_is_nowhere(void **state)
{
	enum cord_srtp_backend backend = srtp_pick(CORD_SRTP_BACKEND_IPSEC_MB);
	/* Shared, so that it is a mapping of its own. */
	uint8_t *buffer =
		mmap(NULL, SCAN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct cord_srtp_key key;
	uint8_t secret[SECRETS][SECRET_BYTES];

	if (backend == CORD_SRTP_BACKEND_NONE)
		skip();
	assert_true(buffer != MAP_FAILED);
	for (uint32_t suite = 1; suite < CORD_SRTP_SUITE_COUNT; suite++) {
		struct end a = end_open(backend);

		secrets_note(&key, secret, suite);
		assert_int_equal(srtp_set_send(a.engine, 1, &key, SSRC), 0);
		assert_int_equal(srtp_set_receive(a.engine, 2, &key), 0);
		explicit_bzero(&key, sizeof(key));
		rtp_sent(&a, 1);
		/* The master key, and what AES begins with. */
		assert_int_equal(scan(buffer, secret) & 7, 7);
		srtp_clear(a.engine, 1);
		srtp_clear(a.engine, 2);
		assert_int_equal(scan(buffer, secret), 0);
		end_close(&a);
	}
	munmap(buffer, SCAN_BYTES);
}

/* A sender that spent sequence numbers on nothing for more than half a turn. */
static void an_index_is_never_used_twice(void **state)
{
	enum cord_srtp_backend backend = srtp_pick(CORD_SRTP_BACKEND_IPSEC_MB);
	struct cord_srtp_key key = key_of(CORD_SRTP_AEAD_AES_128_GCM, 9);
	static const uint16_t sequences[] = {10, 40000, 9, 9, 65535, 0};
	static const uint64_t indices[] = {10, 40000, 65545, 131081, 196607, 196608};
	struct srtp_reference r;

	if (backend == CORD_SRTP_BACKEND_NONE)
		skip();
	struct end a = end_open(backend);

	srtp_reference_derive(&r, &key);
	assert_int_equal(srtp_set_send(a.engine, 1, &key, SSRC), 0);
	for (uint32_t i = 0; i < 6; i++) {
		struct wire w = rtp_sent(&a, sequences[i]), expected;
		size_t bytes = rtp_make(expected.data, SSRC, sequences[i], 40, 0);

		bytes = srtp_reference_protect(&r, false, indices[i], expected.data, bytes);
		assert_int_equal(w.bytes, bytes);
		assert_memory_equal(w.data, expected.data, bytes);
	}
	end_close(&a);
}

static void a_back_end_is_picked(void **state)
{
	enum cord_srtp_backend best = srtp_pick(CORD_SRTP_BACKEND_NONE);

	assert_int_equal(srtp_pick(CORD_SRTP_BACKEND_LIBSRTP), CORD_SRTP_BACKEND_LIBSRTP);
	assert_int_not_equal(best, CORD_SRTP_BACKEND_NONE);
	if (srtp_pick(CORD_SRTP_BACKEND_IPSEC_MB))
		assert_int_equal(best, srtp_pick(CORD_SRTP_BACKEND_IPSEC_MB));
	else
		assert_int_equal(best, CORD_SRTP_BACKEND_LIBSRTP);
	print_message("best: %s\n", cord_srtp_backend_name(best));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_follows_from_a_sequence_number),
		cmocka_unit_test(a_window_takes_each_index_once),
		cmocka_unit_test(key_stream_of_rfc_3711),
		cmocka_unit_test(session_keys_of_rfc_3711_and_6188),
		cmocka_unit_test(packets_of_rfc_7714),
		cmocka_unit_test(a_back_end_is_picked),
		cmocka_unit_test(every_back_end_equals_the_reference),
		cmocka_unit_test(a_forged_packet_changes_nothing),
		cmocka_unit_test(a_clear_packet_is_refused),
		cmocka_unit_test(a_late_packet_is_taken_once),
		cmocka_unit_test(a_burst_may_bring_a_packet_twice),
		cmocka_unit_test(streams_of_a_key_are_remembered),
		cmocka_unit_test(a_counter_goes_on_or_begins_under_another_key),
		cmocka_unit_test(a_counter_is_inherited_by_its_ssrc_alone),
		cmocka_unit_test(a_report_of_another_takes_no_counter),
		cmocka_unit_test(libsrtp_is_told_of_a_stream_once),
		cmocka_unit_test(keys_are_set_and_cleared),
		cmocka_unit_test(memory_is_taken_at_once),
		cmocka_unit_test(a_cleared_key_is_nowhere),
		cmocka_unit_test(an_index_is_never_used_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
