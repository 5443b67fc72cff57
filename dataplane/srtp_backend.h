/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two back ends of srtp.h have in common, and what each of them does. Only they and srtp.c
 * include it.
 */
#ifndef SRTP_BACKEND_H
#define SRTP_BACKEND_H

#include "srtp.h"

#include <stddef.h>

/* Packets that a back end is given at a time. */
#define SRTP_BURST 64u

#define SRTP_RTP_HEADER_BYTES  12u
#define SRTP_RTCP_HEADER_BYTES 8u
#define SRTP_SHA1_BYTES        20u

enum srtp_direction { SRTP_SEND, SRTP_RECEIVE, SRTP_DIRECTIONS };

/* The functions of a back end. Slots are in range, and keys that are set have a suite. */
struct srtp_ops {
	/* What it keeps for all slots, in keys->own. 0 or a negative errno. */
	int (*create)(struct srtp_keys *keys);
	void (*destroy)(struct srtp_keys *keys);
	/* What it keeps for a thread, in e->own. */
	int (*engine_create)(struct srtp_engine *e);
	void (*engine_destroy)(struct srtp_engine *e);
	/* Sets a key where none is set. 0 or a negative errno. ssrc: of the stream to send. */
	int (*set)(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction,
		const struct cord_srtp_key *key, uint32_t ssrc);
	/* Wipes a key that is set, with the streams that belong to it. */
	void (*clear)(struct srtp_engine *e, uint32_t slot, enum srtp_direction direction);
	/* srtp_inherit(); both keys are set. */
	void (*inherit)(struct srtp_engine *e, uint32_t slot, uint32_t before);
	/* 1..SRTP_BURST packets. Without a key: SRTP_SPENT, SRTP_FORGED. */
	void (*protect)(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n);
	void (*unprotect)(struct srtp_engine *e, struct srtp_packet *packet, uint32_t n);
};

extern const struct srtp_ops srtp_libsrtp_ops, srtp_ipsec_mb_ops;

/* The best kind of ipsec-mb that runs here, no better than `most`; NONE: none does. */
enum cord_srtp_backend srtp_ipsec_mb_kind(enum cord_srtp_backend most);

struct srtp_keys {
	const struct srtp_ops *ops;
	enum cord_srtp_backend backend;
	uint32_t slots;
	/* by slot: the keys as they were set, to see that they are set once more; no packet needs them */
	struct cord_srtp_key *master[SRTP_DIRECTIONS];
	void *own;
};

struct srtp_engine {
	struct srtp_keys *keys;
	void *own;
};

/*
 * Zeros that are not written to a core file, in large pages where the kernel has them. All of it is
 * taken here: the first touch of a large page would hold a worker up for half a millisecond. NULL:
 * there is none.
 */
void *srtp_memory_take(size_t bytes);
/* Gives it back to the kernel, which wipes it. NULL is allowed. */
void srtp_memory_give(void *memory, size_t bytes);

#endif
