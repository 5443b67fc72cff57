/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jitter buffer of a port: packets go in as they arrive, frames come out one a period.
 *
 * It holds handles (an mbuf's offset, an index; 0 is none), never packets, and takes no memory: two
 * cache lines, of which a packet that comes in order touches both once. What it is given it gives
 * back exactly once: from jitter_pop(), or from jitter_flush(). Pure: time comes in.
 *
 * Play-out. The first packet of a talk spurt plays at the first tick that is at least `target`
 * after its arrival; what follows plays by timestamp. The slack of a packet is how long before its
 * tick it came. From slack alone the delay adapts:
 *   - grow: a packet that came too late, with none behind it, is played when it comes and moves the
 *     play-out by the frames that were concealed while waiting; packets that came too late behind
 *     others ask for an extra frame. Either raises the target of the next talk spurt.
 *   - shrink: when for 10 s the smallest slack was more than a frame above what evenly paced
 *     packets need (JITTER_EXCESS_US), one frame is dropped.
 * A sender whose clock is faster than ours fills the buffer slowly and is followed by the same
 * rule; that of a slower one drains, and when little slack is left on average, a frame is added
 * before packets come too late. Where the caller says that the talk is quiet, the frame is dropped
 * or added there, otherwise a few seconds later at the latest.
 *
 *                 insert                tick >= due
 *   +------+ ---------------> +---------+ --------> +---------+
 *   | IDLE |                  | WAITING |           | PLAYING |
 *   +------+ <--------------- +---------+ <-------- +---------+
 *       ^      flush              ^    first packet     |
 *       |                         |    of a talk spurt  |
 *       +-------------------------+---------------------+
 *             nothing came for JITTER_STARVED_MAX frames, or flush
 *
 * With evenly paced packets, noise of +-5 ms in their arrival, any phase between sender and ticks,
 * and ticks that run up to 15 ms late, nothing is concealed, added or dropped (noise of +-1 ms where
 * a leg has a least delay of CORD_JITTER_LEAST_MS). For that, the caller gives jitter_pop() the time
 * that the tick was due, not the time that it ran, and inserts all packets that have arrived before
 * it runs the tick.
 */
#ifndef JITTER_H
#define JITTER_H

#include <cordboard/types.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define JITTER_SLOTS 16u /* frames held; a power of two */

#define JITTER_MIN_MS    12u    /* a leg's smallest delay where nothing else was said */
#define JITTER_MAX_MS    120u   /* the largest then */
#define JITTER_EXCESS_US 40000u /* with frames of 20 ms; more with longer ones */
/* Frames concealed in a row before the stream counts as paused; of short ones as many as last */
#define JITTER_STARVED_MAX 5u
#define JITTER_STARVED_US  100000u
#define JITTER_WINDOW      500u /* packets that must agree before a frame is dropped */
/* Of struct jitter's flags: packets that came too late behind others, in this window. */
#define JITTER_LATE_MASK 0x07u

enum jitter_state {
	JITTER_IDLE,    /* empty, no play-out time */
	JITTER_WAITING, /* the first packet of a talk spurt is there, its time has not come */
	JITTER_PLAYING,
};

/* All zero but for what jitter_init() sets is an empty buffer. */
struct jitter {
	alignas(64) uint32_t next_timestamp; /* of the frame that is to play next */
	uint32_t next_due_us;                /* when it plays */
	uint16_t next_sequence;
	uint16_t highest_sequence;
	uint16_t present;       /* bit sequence % 16: the slot is filled */
	uint16_t past;          /* bit n: sequence next_sequence - 1 - n has come */
	int32_t slack_mean_us;  /* moving average */
	uint16_t slack_min_ms8; /* smallest in this window, in 1/8 ms */
	uint16_t window;        /* packets in this window */
	uint16_t frame_samples; /* RTP clock units of a packet */
	uint8_t state : 2;      /* enum jitter_state */
	uint8_t starved : 4;    /* periods since a packet was there to play */
	uint8_t recovers : 1;   /* the packet that follows a lost one helps */
	uint8_t clock_khz;      /* RTP clock */
	uint8_t flags;
	uint8_t target_ms, min_ms, max_ms;
	uint16_t timestamp[JITTER_SLOTS]; /* low bits of each slot's timestamp */
	uint32_t handle[JITTER_SLOTS];    /* 0: a packet without a frame, or an empty slot */
};
_Static_assert(sizeof(struct jitter) == 128, "two cache lines");

struct jitter_packet {
	uint32_t
		handle; /* 0: has a sequence number but no frame (telephone-event, comfort noise) */
	uint32_t timestamp;
	uint16_t sequence;
	uint16_t samples; /* duration in RTP clock units; of no meaning without a handle */
	bool marker;
};

enum jitter_verdict {
	JITTER_TAKEN,
	JITTER_DUPLICATE, /* not taken: has come before */
	JITTER_LATE,      /* not taken: its time has passed */
	JITTER_OVERFLOW,  /* not taken: too far ahead of what plays */
	JITTER_RESET, /* not taken: the stream jumped; flush, then insert it again: it is taken */
};

enum jitter_frame {
	JITTER_FRAME,   /* *handle is to be played */
	JITTER_CONCEAL, /* a frame is missing: conceal it */
	JITTER_STRETCH, /* one frame more, to follow a slow sender or to delay more: conceal */
	JITTER_SILENCE, /* the talker is silent, paused, or has not begun */
	JITTER_DROP,    /* *handle is to be released unplayed; call again in the same tick */
};

/* clock_khz: RTP clock of the stream, 8 for G.711 (and G.722), up to 96. Default bounds. */
void jitter_init(struct jitter *j, uint8_t clock_khz);

/*
 * Bounds of the delay of this leg, from now on; 0: JITTER_MIN_MS, JITTER_MAX_MS. max_ms prevails;
 * less than CORD_JITTER_LEAST_MS is taken as that. A mean delay more than a frame above max_ms is cut
 * at once. Short frames bound it as well: at most 12 of them wait.
 */
void jitter_bounds(struct jitter *j, uint8_t min_ms, uint8_t max_ms);

/*
 * Gives a packet to the buffer. arrival_ns: when it was received. Whatever the verdict but TAKEN,
 * the handle stays the caller's.
 */
enum jitter_verdict jitter_insert(
	struct jitter *j, const struct jitter_packet *packet, uint64_t arrival_ns);

/*
 * The next frame. due_ns: when this tick was due. quiet: the last frame played had no talk in it.
 * A packet is popped whole: with another packet time than the tick's the caller pops as often as
 * its store of samples runs short. JITTER_DROP is returned at most JITTER_SLOTS times in a row.
 */
enum jitter_frame jitter_pop(struct jitter *j, uint64_t due_ns, bool quiet, uint32_t *handle);

/*
 * Whether the next jitter_pop() may make something of `quiet`. Where not, nobody need find out
 * whether there was talk in what it gives: that costs as much as a mix. (A packet or two that come
 * too late between the two may have the frame after that one decide.)
 */
static inline bool jitter_asks_quiet(const struct jitter *j)
{
	return j->window >= JITTER_WINDOW - JITTER_SLOTS || (j->flags & JITTER_LATE_MASK);
}

/*
 * Says that packets have forward error correction (jitter_following()): from the first loss on the
 * delay is a frame longer, so that what follows a lost packet is there in its time.
 */
void jitter_recovers(struct jitter *j, bool recovers);

/*
 * Empties the buffer and forgets the stream, but not target, bounds and the like. Writes the handles that are to be
 * released and returns how many.
 */
unsigned jitter_flush(struct jitter *j, uint32_t handles[JITTER_SLOTS]);

/*
 * How many frames were concealed or added since the last call, for the counters; call it after
 * jitter_pop(). Frames that were concealed because nothing came are told when a packet says that
 * talk was lost or late; at the end of a stream, or of a talk spurt, nothing was missing.
 */
unsigned jitter_concealed(struct jitter *j);

/*
 * The packet that follows what jitter_pop() has just left open (JITTER_CONCEAL, JITTER_STRETCH),
 * when it is there already: its forward error correction holds the lost frame. It stays in the
 * buffer. 0: it is not there, or does not follow directly.
 */
uint32_t jitter_following(const struct jitter *j);

/* Frames held. */
unsigned jitter_depth(const struct jitter *j);

#endif
