/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: what a peer may send to a port with keys, to both back ends. The first byte chooses the
 * suite. Then come packets, each led by four bytes: what it is, its length (16 bits, in the second
 * and third) and where it is damaged. A packet of the peer's is protected first, and may then come
 * damaged, cut, or once more; another comes as it is. Both back ends must take the same packets, and
 * make the same of them.
 */
#include "rtp.h"
#include "srtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum {
	PACKET_MAX = 600,
	KIND_RTCP = 1,    /* RTCP, not RTP */
	KIND_KEYED = 2,   /* protected by the peer, who has the key */
	KIND_DAMAGED = 4, /* one bit changed on the way */
	KIND_CUT = 8,     /* the last byte lost */
	KIND_AGAIN = 16,  /* the last packet comes in its place */
};

enum end { PEER, OURS, ORACLE, ENDS };

static struct srtp_engine *engine[ENDS];
static struct srtp_keys *keys[ENDS];

static void require(int condition)
{
	if (!condition)
		abort();
}

static void open_ends(void)
{
	enum cord_srtp_backend best = srtp_pick(CORD_SRTP_BACKEND_NONE);

	for (uint32_t i = 0; i < ENDS; i++) {
		require(srtp_keys_create(
				&keys[i], i == ORACLE ? CORD_SRTP_BACKEND_LIBSRTP : best, 1) == 0);
		require(srtp_engine_create(&engine[i], keys[i]) == 0);
	}
}

/* What an end makes of a packet; *bytes changes with it. In memory of just the size it may use. */
static enum srtp_verdict put(
	enum end end, bool rtcp, const uint8_t *data, uint16_t *bytes, uint8_t *out)
{
	size_t room = *bytes + (end == PEER ? SRTP_TRAILER_MAX : 0);
	struct srtp_packet p = {.data = malloc(room ? room : 1), .bytes = *bytes, .rtcp = rtcp};

	memcpy(p.data, data, *bytes);
	if (end == PEER)
		srtp_protect_burst(engine[end], &p, 1);
	else
		srtp_unprotect_burst(engine[end], &p, 1);
	require(p.bytes <= room);
	memcpy(out, p.data, p.bytes);
	free(p.data);
	*bytes = p.bytes;
	return (enum srtp_verdict)p.verdict;
}

struct wire {
	uint8_t data[PACKET_MAX + SRTP_TRAILER_MAX];
	uint16_t bytes;
	bool rtcp;
};

static void arrive(const struct wire *w)
{
	uint8_t ours[PACKET_MAX + SRTP_TRAILER_MAX], oracle[PACKET_MAX + SRTP_TRAILER_MAX];
	uint16_t our_bytes = w->bytes, oracle_bytes = w->bytes;
	enum srtp_verdict a = put(OURS, w->rtcp, w->data, &our_bytes, ours);
	enum srtp_verdict b = put(ORACLE, w->rtcp, w->data, &oracle_bytes, oracle);

	require((a == SRTP_GOOD) == (b == SRTP_GOOD));
	if (a != SRTP_GOOD)
		return;
	require(our_bytes == oracle_bytes && memcmp(ours, oracle, our_bytes) == 0);
}

static void one(struct wire *last, const uint8_t *lead, const uint8_t *data, uint16_t bytes)
{
	struct wire w = {.bytes = bytes, .rtcp = lead[0] & KIND_RTCP};

	memcpy(w.data, data, bytes);
	if (lead[0] & KIND_AGAIN)
		w = *last;
	else if ((lead[0] & KIND_KEYED) && put(PEER, w.rtcp, data, &w.bytes, w.data) != SRTP_GOOD)
		return;
	*last = w;
	if ((lead[0] & KIND_DAMAGED) && w.bytes)
		w.data[lead[3] % w.bytes] ^= (uint8_t)(1 << lead[3] % 8);
	if ((lead[0] & KIND_CUT) && w.bytes)
		w.bytes--;
	arrive(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cord_srtp_key key = {.key = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI"};
	struct wire last = {.bytes = 0};

	if (length == 0)
		return 0;
	if (engine[0] == NULL)
		open_ends();
	key.suite = (uint8_t)(1 + *bytes % (CORD_SRTP_SUITE_COUNT - 1));
	require(srtp_set_send(engine[PEER], 0, &key, 1) == 0);
	for (uint32_t i = OURS; i < ENDS; i++)
		require(srtp_set_receive(engine[i], 0, &key) == 0);
	bytes++;
	length--;
	while (length >= 4) {
		const uint8_t *lead = bytes;
		size_t n = rtp_get16(lead + 1) % PACKET_MAX;

		bytes += 4;
		length -= 4;
		n = n < length ? n : length;
		one(&last, lead, bytes, (uint16_t)n);
		bytes += n;
		length -= n;
	}
	for (uint32_t i = 0; i < ENDS; i++)
		srtp_clear(engine[i], 0);
	return 0;
}
