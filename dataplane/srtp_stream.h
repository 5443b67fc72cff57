/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet indices of SRTP: the estimate of an index from a sequence number, and the window that a
 * packet is taken from once (RFC 3711 sections 3.3.1 and 3.3.2). Pure, inline.
 */
#ifndef SRTP_STREAM_H
#define SRTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/* How far behind the highest index a packet may come. */
#define SRTP_WINDOW 128u
/* Indices of RTP have 48 bits: 32 of roll-over counter, 16 of sequence number. */
#define SRTP_INDEX_END (1ull << 48)
/* Those of RTCP have 31. */
#define SRTP_RTCP_INDEX_END (1ull << 31)

/* All zero: nothing has come, and the roll-over counter is 0. */
struct srtp_window {
	uint64_t highest;
	uint64_t seen[2]; /* bit n, from seen[0] on: index highest - n has been taken */
};

/* The index that a packet with this sequence number most likely has. */
static inline uint64_t srtp_window_index(const struct srtp_window *w, uint16_t sequence)
{
	uint64_t rolled = w->highest >> 16;
	int32_t ahead = (int32_t)sequence - (uint16_t)w->highest;

	if (ahead > 0x8000 && rolled > 0)
		rolled--;
	else if (ahead < -0x8000)
		rolled++;
	return rolled << 16 | sequence;
}

/* Whether a packet with this index may be taken: not yet seen, and not too old to tell. */
static inline bool srtp_window_takes(const struct srtp_window *w, uint64_t index)
{
	uint64_t behind = w->highest - index;

	if (index > w->highest)
		return true;
	return behind < SRTP_WINDOW && !(w->seen[behind / 64] >> behind % 64 & 1);
}

/* Notes a packet that srtp_window_takes() and that has been authenticated. */
static inline void srtp_window_note(struct srtp_window *w, uint64_t index)
{
	if (index > w->highest) {
		uint64_t ahead = index - w->highest;

		if (ahead >= SRTP_WINDOW) {
			w->seen[0] = w->seen[1] = 0;
		} else if (ahead >= 64) {
			w->seen[1] = w->seen[0] << (ahead - 64);
			w->seen[0] = 0;
		} else {
			w->seen[1] = w->seen[1] << ahead | w->seen[0] >> (64 - ahead);
			w->seen[0] <<= ahead;
		}
		w->highest = index;
	}
	uint64_t behind = w->highest - index;

	w->seen[behind / 64] |= 1ull << behind % 64;
}

/* Whether nothing has come yet. */
static inline bool srtp_window_empty(const struct srtp_window *w)
{
	return w->seen[0] == 0;
}

/* How far the RTP of an SSRC is. */
struct srtp_reached {
	uint32_t ssrc;
	uint64_t highest; /* index; 0: nothing is known */
};

/*
 * The index of the first packet of an SSRC under a new key, by what it was under the one before. A
 * peer that keeps SSRC and address goes on with its roll-over counter (RFC 3711
 * section 3.3.1), one that moves begins at 0 (RFC 4568 section 7.1.4), and some do the other: an odd
 * sequence number is taken to go on, an even one to begin, until one of them authenticates.
 */
static inline uint64_t srtp_window_first(const struct srtp_reached *before, uint16_t sequence)
{
	const struct srtp_window w = {.highest = before->highest};

	return sequence & 1 ? srtp_window_index(&w, sequence) : sequence;
}

#endif
