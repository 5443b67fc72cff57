/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RFC 3711 makes of a packet around the arithmetic of its suite: where header, body, tag and
 * index are, the IV, the packet index, and the window that it is taken from once. A packet goes
 *
 *   to send:   srtp_packet_send(), encryption, authentication, srtp_packet_sent()
 *   received:  srtp_packet_receive(), the tag, srtp_packet_authenticate(), decryption,
 *              srtp_packet_received()
 *
 * and stays as it is once its verdict is not SRTP_GOOD.
 */
#ifndef SRTP_PACKET_H
#define SRTP_PACKET_H

#include "srtp_backend.h"
#include "srtp_stream.h"

#include <stdalign.h>

#define SRTP_SALT_BYTES       14u
#define SRTP_GCM_TAG_BYTES    16u
#define SRTP_RTCP_INDEX_BYTES 4u

enum srtp_protocol { SRTP_RTP, SRTP_RTCP, SRTP_PROTOCOLS };

/* What a packet needs of a key besides the key itself. */
struct srtp_context {
	uint8_t salt[SRTP_SALT_BYTES]; /* read as two words: two bytes must follow */
	uint8_t suite;                 /* enum cord_srtp_suite; 0: there is no key */
	uint8_t unused;
	uint64_t next; /* to send: no packet has had this index or a higher one */
};

struct srtp_stream {
	uint32_t ssrc;
	struct srtp_window window[SRTP_PROTOCOLS];
};

/* The streams that came with a slot's key. */
struct srtp_receiver {
	alignas(64) uint32_t streams;
	uint32_t last; /* of them that RTP came of: the first one looked at */
	struct srtp_stream stream[SRTP_STREAMS_MAX];
	struct srtp_reached before; /* the last one under the key before, whose counter may go on */
};
_Static_assert(
	offsetof(struct srtp_receiver, stream[1]) <= 64, "the usual stream is in the first line");

/* A packet under work. */
struct srtp_work {
	struct srtp_packet *packet;
	struct srtp_context *context;
	const struct cord_srtp_parts *suite;
	uint64_t index;
	uint32_t ssrc;
	uint16_t clear; /* bytes in front that are not encrypted */
	uint16_t body;  /* bytes that are */
	enum srtp_protocol protocol;
	uint8_t aad[SRTP_RTCP_HEADER_BYTES + SRTP_RTCP_INDEX_BYTES];
	uint8_t sent[SRTP_GCM_TAG_BYTES]; /* the tag as it came; one of 10 bytes is read as 12 */
	uint8_t tag[SRTP_SHA1_BYTES];     /* as it should be */
	alignas(16) uint8_t iv[16];
};

/* Begins with a packet whose context is set: it cannot be sent, or SRTP_GOOD. */
enum srtp_verdict srtp_packet_send(struct srtp_work *w);
/* Puts the tag behind a packet that is SRTP_GOOD. */
void srtp_packet_sent(struct srtp_work *w);

/* The same for one that has come to the streams of a receiver. */
enum srtp_verdict srtp_packet_receive(struct srtp_work *w, struct srtp_receiver *r);
/* Judges its tag. */
void srtp_packet_authenticate(struct srtp_work *w);
/* Takes it, once; packets of a burst in the order of their arrival. */
void srtp_packet_received(struct srtp_work *w, struct srtp_receiver *r);

/* srtp_inherit() */
void srtp_receiver_inherit(struct srtp_receiver *r, const struct srtp_receiver *before);

#endif
