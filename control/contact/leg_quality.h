/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_quality: how good each leg sounds. While there are legs the figures of each are read every
 * LEG_QUALITY_NS (media/quality.h), and once more when the leg ends or the customer goes on to
 * another segment. What they say is kept with the leg, for who asks now; with the customer and the
 * agent of the segment, for its record; and by the side that the leg is on, a trunk or the agents'
 * phones, for the Prometheus page.
 *
 * A leg whose media stays away for `media_timeout` of its trunk or phone is announced (MEDIA_LOST,
 * then MEDIA_BACK) and counted. The contact goes on: nobody but the parties can say whether they
 * still hear each other.
 */
#ifndef CONTACT_LEG_QUALITY_H
#define CONTACT_LEG_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timers.h"
#include "media/quality.h"
#include "sip/trunk.h"

#define LEG_QUALITY_NS    5000000000ull
#define LEG_QUALITY_TURNS 10u /* the legs are read in so many parts */

/* Name of the side of phones of agents and supervisors; a trunk's is its own. */
#define LEG_QUALITY_AGENTS "agents"
#define LEG_QUALITY_SIDES  (TRUNKS_MAX + 1)

/* Bounds of buckets, in hundredths, and for each a last one beyond all. */
#define LEG_QUALITY_BUCKETS 8u
struct leg_quality_histogram {
	uint64_t count[LEG_QUALITY_BUCKETS];
	double sum;
};

/* One of these for "from" and "to" of a side: media that comes from its parties and goes to them. */
struct leg_quality_figures {
	struct leg_quality_histogram mos, loss_percent, jitter_ms;
};

struct leg_quality_side {
	char name[TRUNK_NAME_SIZE];
	struct leg_quality_figures from, to;
	struct leg_quality_histogram round_trip_ms;
	uint64_t lost_media; /* times */
};

/* Of the switchboard. */
struct leg_quality_board {
	struct timer timer;
	unsigned turn;
	struct leg_quality_side *sides; /* at most LEG_QUALITY_SIDES */
	unsigned n_sides;
};

extern const uint32_t leg_quality_mos_bounds[LEG_QUALITY_BUCKETS - 1];
extern const uint32_t leg_quality_loss_bounds[LEG_QUALITY_BUCKETS - 1];
extern const uint32_t leg_quality_time_bounds[LEG_QUALITY_BUCKETS - 1];

struct leg;
struct switchboard;

void leg_quality_init(struct switchboard *board);
void leg_quality_clear(struct switchboard *board);
/* There is a leg: the readings begin. */
void leg_quality_begin(struct switchboard *board);
/* Reads a leg now. */
void leg_quality_read(struct leg *leg);
/* A leg's media stays away, or is back. */
void leg_quality_media_lost(struct leg *leg, uint64_t now_ns);
void leg_quality_media_back(struct leg *leg, uint64_t now_ns);
/* Name of the side that a leg is on. */
const char *leg_quality_side(const struct leg *leg);

#endif
