/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRTP and SRTCP (RFC 3711) with the suites of enum cord_srtp_suite (RFC 3711, 6188, 7714), over
 * bursts. Two back ends do the work, one of which is chosen at start:
 *
 *   ipsec-mb  srtp_ipsec_mb.c, for the packet path: nothing is allocated after the start
 *   libsrtp   srtp_libsrtp.c, where the processor has no AES instructions, and what tests compare
 *             with. It allocates when keys are set and once for each SSRC that a peer sends with.
 *
 * Keys come from outside: here is no SDP and no handshake. A slot (of a port) has a key for each
 * direction, from which the session keys are derived once. What is known of a peer's streams
 * (roll-over counters, replay windows) belongs to its key: it goes with it, but for what
 * srtp_inherit() says. What a peer sent before this process began is not known: a counter that it
 * keeps, whether under the same key or another, is taken to be 0.
 *
 * A packet that does not authenticate changes nothing but its own bytes.
 *
 *   struct srtp_keys    keys and streams of all slots. A slot is touched by one thread at a time
 *   struct srtp_engine  what a thread works with; one each
 */
#ifndef SRTP_H
#define SRTP_H

#include <cordboard/types.h>

/* What protecting adds to a packet at most: room that must lie behind it. */
#define SRTP_TRAILER_MAX 20u
/* SSRCs that a peer may use under one key. Those it left are kept, since a packet of a stream that
 * is not known any more could not be told from a replay; one more is taken for a replay. */
#define SRTP_STREAMS_MAX 16u

enum srtp_verdict {
	SRTP_GOOD = 0,
	SRTP_FORGED,   /* its tag is wrong, it has none, or its header does not fit it */
	SRTP_REPLAYED, /* it has come before, or so long ago that it may have */
	SRTP_SPENT,    /* to send: no key, or as many packets as one key may protect */
};

struct srtp_packet {
	uint8_t *data; /* the first byte of RTP or RTCP; SRTP_TRAILER_MAX bytes of room behind */
	uint32_t slot;
	uint16_t bytes; /* changed with the packet when it is good */
	bool rtcp;
	uint8_t verdict; /* enum srtp_verdict */
};

struct srtp_keys;
struct srtp_engine;

/*
 * The back end to run: `asked` when it can run here, the best one for CORD_SRTP_BACKEND_NONE, the
 * best kind of ipsec-mb for CORD_SRTP_BACKEND_IPSEC_MB. CORD_SRTP_BACKEND_NONE: it cannot run.
 */
enum cord_srtp_backend srtp_pick(enum cord_srtp_backend asked);

/* Keys for `slots` slots, none of them set. 0, -ENOMEM, or -ENOTSUP: the back end cannot run. */
int srtp_keys_create(struct srtp_keys **keys, enum cord_srtp_backend backend, uint32_t slots);
/* Wipes all keys. NULL is allowed. No engine may be left. */
void srtp_keys_destroy(struct srtp_keys *keys);

int srtp_engine_create(struct srtp_engine **engine, struct srtp_keys *keys);
void srtp_engine_destroy(struct srtp_engine *engine);

/*
 * Sets the key of a slot to send the stream `ssrc` with, which begins at roll-over counter 0, or to
 * receive with; what was set before is wiped. 0, -EINVAL for a key of no suite, or another
 * negative errno: then the slot has no key for this direction.
 */
int srtp_set_send(
	struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key, uint32_t ssrc);
int srtp_set_receive(struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key);

/*
 * The peer of a slot, whose key has just been set, sent so far under the key of slot `before`: the
 * SSRC whose RTP came there last may go on here with its roll-over counter. Once for a key.
 */
void srtp_inherit(struct srtp_engine *e, uint32_t slot, uint32_t before);

/* Whether this very key is set, so that its indices and windows go on. */
bool srtp_sends_with(const struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key);
bool srtp_receives_with(
	const struct srtp_engine *e, uint32_t slot, const struct cord_srtp_key *key);

/* Wipes both keys of a slot. */
void srtp_clear(struct srtp_engine *e, uint32_t slot);

/*
 * Protects packets to send, in place. The packets of a stream must come in the order of their
 * sequence numbers. A packet that is not SRTP_GOOD must not be sent: what it holds is undefined.
 */
void srtp_protect_burst(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n);

/* Checks received packets and decrypts the good ones in place; the others are spent. */
void srtp_unprotect_burst(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n);

#endif
