/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one pinned core's state and loop.
 *
 *   worker_pass()
 *     rx      what has come: from the NIC queue, packets and ports from other workers
 *     command a burst from control's ring
 *     tick    the phase that is due
 *     tx      what has gathered
 *     housekeeping, every WORKER_HOUSEKEEPING_NS
 *
 * A worker that was held up works one phase a pass until it has caught up, each with what has come
 * until then: were phases worked in a row, packets for the later ones would be lost in the NIC's
 * ring meanwhile, each would have to be concealed, and the worker would fall behind further.
 *
 * Nothing in a pass takes a lock, allocates, logs, or makes a system call, but for the device
 * driver's own and the one write that wakes a sleeping control.
 *
 * Between workers: exchange[from] carries packets, handover[from] ports (enum worker_word). A
 * room_set that names ports of other workers is kept in `pending` while they are asked for; this
 * worker's commands wait meanwhile, its media does not.
 */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include "dataplane.h"
#include "exchange.h"
#include "pace.h"
#include "room.h"

#include <rte_mbuf.h>

#define WORKER_RX_BURST        64u
#define WORKER_RX_MORE         32u /* so many at once, the most of some drivers: more may wait */
#define WORKER_RX_SHARE        2u  /* of a phase that may go on with taking what has come: a half */
#define WORKER_COMMAND_BURST   32u
#define WORKER_EXCHANGE_BURST  64u
#define WORKER_TX_PENDING      512u /* that the NIC has not taken */
#define WORKER_TX_FLUSH        64u
#define WORKER_TX_SECURE       64u
#define WORKER_HOUSEKEEPING_NS 10000000ull
#define WORKER_WAIT_NS         250000ull /* from one pass to the next when there is time */
#define WORKER_PHASE_NS        (CORD_TICK_NS / CORD_PHASES)
/* Passes without work before a worker that may sleep does. */
#define WORKER_IDLE_PASSES 8u

/* What a word of an exchange is: the high byte. The rest is a pointer or a slot. */
enum worker_word {
	WORKER_WORD_PACKET = 0, /* an mbuf for a port of yours */
	WORKER_WORD_SEND = 1,   /* an mbuf to be sent: your queue is the NIC's only one */
	WORKER_WORD_ASK = 2,    /* give me this port */
	WORKER_WORD_GIVEN = 3,  /* it is yours */
	WORKER_WORD_GONE = 4,   /* it is not mine */
};
#define WORKER_WORD(kind, value) ((uint64_t)(kind) << 56 | (uint64_t)(value))
#define WORKER_WORD_KIND(word)   ((enum worker_word)((word) >> 56))
#define WORKER_WORD_VALUE(word)  ((word) & ((1ull << 56) - 1))

enum worker_rings {
	WORKER_RINGS_OPEN = 0,
	WORKER_RINGS_FAULT = 1, /* the worker found an impossible position and keeps off */
	WORKER_RINGS_JOIN = 2,  /* the main lcore repaired them: take them up again */
};

/* The rates that sound is mixed at: a listener hears 16 kHz where room, codec and peer allow it. */
enum tick_rate { TICK_NARROW, TICK_WIDE, TICK_RATES };
#define TICK_SAMPLES(rate) (PORT_PERIOD_UNITS << (rate)) /* of 20 ms */
#define TICK_SAMPLES_MAX   TICK_SAMPLES(TICK_WIDE)

/* What a member says in a tick, and what its player plays. */
struct talk {
	const uint8_t *raw;                /* G.711 codes of 20 ms as received, NULL: none */
	const int16_t *pcm[TICK_RATES];    /* samples, NULL: not made (yet) */
	const int16_t *played[TICK_RATES]; /* its player's */
	struct rte_mbuf *packet;
	uint16_t opus; /* bytes of the packet where it is Opus and all there is of it, else 0 */
	uint8_t codec;
	uint8_t later; /* enum talk_later: samples that are made when somebody needs them */
	bool made_up;  /* some of it for a lost frame */
};

enum talk_later {
	TALK_MADE, /* or there are none */
	TALK_DECODE,
	TALK_CONCEAL, /* a frame is missing */
	TALK_STRETCH, /* a frame is to be added */
};

static inline bool talk_says(const struct talk *t)
{
	return t->raw || t->later || t->pcm[TICK_NARROW] || t->pcm[TICK_WIDE];
}

/* What a listener is sent in a tick: handed on in two registers. */
struct sound {
	const uint8_t *codes;
	uint16_t bytes[2];  /* of each frame; 0: the encoder says that it need not be sent (DTX) */
	uint8_t frames : 2; /* 20 ms in one frame, or in two; 0: nothing is sent */
	bool noise : 1;     /* the codes are a payload of comfort noise */
	/* of a talker's own packets (pass.h) */
	bool missing : 1; /* the one of this period is not there: the listener is to conceal it */
	bool resumes : 1; /* it follows others that were missing, and not lost */
	uint8_t lost;     /* so many before it were lost: their sequence numbers are left out */
};
_Static_assert(sizeof(struct sound) == 16, "two registers");

/* A sound that others who hear the same in the same coding are sent as well. */
struct encoded {
	uint16_t mix; /* who is heard; 0: nobody shares it */
	uint8_t codec;
	uint8_t by; /* the listener it was made for */
	struct sound sound;
};

struct silence {
	uint32_t bytes;
	uint8_t codes[TICK_SAMPLES(TICK_NARROW)];
};

struct tick_scratch {
	alignas(64) int16_t narrow[CORD_ROOM_MEMBERS_MAX][TICK_SAMPLES(TICK_NARROW)];
	alignas(64) int16_t wide[CORD_ROOM_MEMBERS_MAX][TICK_SAMPLES(TICK_WIDE)];
	alignas(64) int16_t player_narrow[CORD_ROOM_MEMBERS_MAX][TICK_SAMPLES(TICK_NARROW)];
	alignas(64) int16_t player_wide[CORD_ROOM_MEMBERS_MAX][TICK_SAMPLES(TICK_WIDE)];
	alignas(64) uint8_t codes[CORD_ROOM_MEMBERS_MAX][2 * CODEC_FRAME_BYTES_MAX];
	alignas(64) int16_t mixed[TICK_SAMPLES_MAX];
	alignas(64) int16_t spare[CODEC_SAMPLES_MAX];
	alignas(64) int32_t sum[TICK_SAMPLES_MAX];
	alignas(64) int32_t total[TICK_RATES][TICK_SAMPLES_MAX];
	struct talk talk[CORD_ROOM_MEMBERS_MAX];
	struct encoded encoded[CORD_ROOM_MEMBERS_MAX];
	uint32_t encodings;
	uint32_t period;
	bool total_ready[TICK_RATES];
	uint16_t quiet, silent; /* bit n: member n has been so for long: pass.h */
};

/*
 * A packet of a port, RTP or RTCP: it lies behind the room for its headers, which are written when
 * it has been protected.
 */
struct tx_media {
	struct rte_mbuf *packet;
	const struct port *port;
	enum cord_counter counter;
	uint16_t from_udp, to_udp; /* network order */
	uint8_t mac[6];
	bool rtcp;
};

/* A worker asks for the ports of one room at a time, and each ask has one answer. */
_Static_assert(2 * CORD_ROOM_MEMBERS_MAX <= EXCHANGE_SLOTS, "hand-overs never find a full ring");

struct worker_pending {
	bool set;
	struct cord_message message;
	uint32_t foreign[CORD_ROOM_MEMBERS_MAX]; /* slots asked for */
	uint32_t foreign_count;
	uint32_t asked;   /* sent so far */
	uint32_t waiting; /* asked and not answered */
};

struct rx_secure;
struct srtp_engine;

struct worker {
	struct dataplane *dp;
	uint32_t index;
	bool may_sleep;
	struct cord_worker *shared;
	struct cord_ring_reader commands;
	struct cord_ring_writer events;
	_Atomic uint32_t rings;  /* enum worker_rings; the main lcore sets OPEN to JOIN */
	_Atomic uint64_t passes; /* begun; the main lcore reads */
	struct worker_pending pending;

	/* time */
	cord_time now_ns;  /* of this pass */
	uint64_t phase_at; /* phases since the epoch of CLOCK_MONOTONIC: the next to work */
	cord_time housekeeping_at, woke_at;
	uint32_t idle_passes;
	bool unsaid; /* events written since control was last woken */

	/* rooms of each phase; phase_rooms[phase] of phase_capacity slots */
	uint32_t *phase_rooms[CORD_PHASES];
	uint32_t phase_count[CORD_PHASES];
	uint64_t phase_load_ns[CORD_PHASES]; /* what a tick of each is expected to take */
	uint32_t phase_taken[CORD_PHASES];   /* by ticks of each in `second`: permille, added up */
	uint64_t second;
	uint32_t phase_capacity;
	uint32_t phase_last;     /* where the room that was opened last went */
	uint32_t phases_crowded; /* bit n: rooms of phase n are to be moved */
	uint32_t rooms, ports, orphan_at;

	/* packets to send */
	struct rte_mbuf *tx[WORKER_TX_PENDING];
	uint32_t tx_count;
	/* those of ports with keys, until there is a burst of them or the pass ends */
	struct tx_media secure[WORKER_TX_SECURE];
	uint32_t secure_count;
	struct srtp_engine *srtp;
	/* received by ports with keys; NULL but in rx_burst() */
	struct rx_secure *rx_secure;

	/* by sender; ours to read. Packets may fill the first; hand-overs of ports never the second
	 */
	struct exchange *exchange[CORD_WORKERS_MAX], *handover[CORD_WORKERS_MAX];
	struct tick_scratch scratch;
	struct coders coders; /* that no port has */
	struct pace pace;
	bool opus_coded;                             /* in the phase that is worked */
	struct silence silence[CORD_CODEC_COUNT][2]; /* of 20 ms, as two frames and as one */
	uint64_t random;
};

/* Joins a worker to its rings and memory. 0, or -ENOMEM. */
int worker_create(struct dataplane *dp, uint32_t index, struct worker **worker);
void worker_destroy(struct worker *w);

/*
 * One pass at now_ns; how many things moved. When time goes back (clock.h) the phases go on from
 * there.
 */
uint32_t worker_pass(struct worker *w, cord_time now_ns);

/* Passes until dp->stop. For rte_eal_remote_launch(). */
int worker_run(void *worker);

/* Asks owners for the ports of a pending set; applies or refuses it when all have answered. */
void worker_pending_step(struct worker *w, cord_time now_ns);

static inline void worker_count(struct worker *w, enum cord_counter counter, uint64_t n)
{
	_Atomic uint64_t *v = &w->shared->counters.value[counter];

	atomic_store_explicit(
		v, atomic_load_explicit(v, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void worker_gauge(struct worker *w, enum cord_counter counter, uint64_t n)
{
	atomic_store_explicit(&w->shared->counters.value[counter], n, memory_order_relaxed);
}

/* The TSC's cycles from one phase to the next. */
static inline uint64_t worker_phase_cycles(const struct worker *w)
{
	return w->dp->config.tsc_hz / (1000000000u / WORKER_PHASE_NS);
}

static inline struct port *worker_member(struct worker *w, const struct room *r, uint32_t i)
{
	return &w->dp->port[r->member[i].port];
}

static inline struct port_cold *worker_cold(struct worker *w, const struct port *p)
{
	return &w->dp->port_cold[p->slot];
}

/* Begun by the first look: what a port before it left in its slot is nobody's. */
static inline struct port_rich *worker_rich(struct worker *w, const struct port *p)
{
	struct port_cold *cold = worker_cold(w, p);
	struct port_rich *rich = &w->dp->port_rich[p->slot];

	if (!cold->rich) {
		memset(rich, 0, offsetof(struct port_rich, in));
		cold->rich = true;
	}
	return rich;
}

/* xorshift64*: for timestamps and sequence numbers of new streams (RFC 3550 section 5.1). */
static inline uint32_t worker_random(struct worker *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (uint32_t)((w->random * 0x2545f4914f6cdd1dull) >> 32);
}

#endif
