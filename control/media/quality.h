/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good a leg sounds: a rating of each of its directions by the E-model (ITU-T G.107), from what
 * the dataplane counted and the peer reported. Pure.
 *
 *	R = 93.2 - Id(one-way delay) - Ie,eff(codec, loss, how the losses lie)       0..100
 *	MOS = G.107 Annex B of R                                                   1.0..4.5
 *
 * All other parameters have the defaults of G.107 clause 7.7. Loss is what was not there when it was
 * to be heard, so late packets count. Codecs: equipment impairment and robustness of G.711 with
 * concealment are those of G.113 Appendix I; for Opus there are none, and those for G.722 lie on the
 * wideband scale of G.107.1, on which the same telephone call would get another number. So that legs
 * can be compared, all are judged on the scale of the telephone band, on which G.722 and Opus are
 * taken to be as good, and as robust, as G.711: none is better than 4.4. A frame of Opus that its
 * forward error correction brought back was not lost to what it says; the peer's reports of our
 * stream count it as lost.
 *
 * A leg is watched by readings of its figures. A direction is judged over the time between two of
 * them: what the party says ("from") at each reading at which packets were due, what it hears ("to")
 * at each report of its own. Without RTCP of the peer nothing is known of "to" and of the delay of
 * the network, which then counts as none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

struct quality_input {
	uint8_t codec;   /* enum cord_codec */
	double lost;     /* share that was not heard, 0..1 */
	double burst;    /* BurstR: 1 when losses lie at random, more when they come together */
	double delay_ms; /* from mouth to ear */
};

double quality_r(const struct quality_input *input);
double quality_mos(double r);

/* A direction between two readings. */
struct quality_path {
	bool known;
	double lost;      /* share, 0..1 */
	double jitter_ms; /* RFC 3550 section 6.4.1 */
	double delay_ms;
	double r, mos;
};

/* A direction over some time. All zero: nothing known. */
struct quality_total {
	uint32_t samples;
	double mos_sum, mos_min;
	uint64_t lost, of; /* packets */
	double jitter_max_ms;
};

/* What became of a party's media, for its record. All zero: nothing known. */
struct quality_party {
	struct quality_total from, to;
	double round_trip_max_ms; /* 0: not known */
	uint32_t buffer_max_ms;
};

struct quality_watch {
	struct media_leg_stats from_at,
		to_at;                /* the readings that the next ones are compared with */
	struct quality_path from, to; /* as last judged */
};

/* What a reading brought. */
struct quality_news {
	bool from, to; /* the path was judged anew */
};

/* Takes a reading, and adds it to the party's totals (NULL: to none). */
struct quality_news quality_watch_step(struct quality_watch *watch,
	const struct media_leg_stats *stats, struct quality_party *party);

/* Mean MOS of a direction, or of the worse one of a party; 0: nothing known. */
double quality_total_mos(const struct quality_total *total);
double quality_party_mos(const struct quality_party *party);

/* What may have troubled a party, in the words of the record's PotentialQualityIssues. */
#define QUALITY_ISSUE_LOSS_PERCENT  3   /* of all packets of a direction */
#define QUALITY_ISSUE_ROUND_TRIP_MS 300 /* once */
#define QUALITY_ISSUE_BUFFER_MS     100 /* once */
enum quality_issue {
	QUALITY_ISSUE_LOSS = 1 << 0,
	QUALITY_ISSUE_ROUND_TRIP = 1 << 1,
	QUALITY_ISSUE_BUFFER = 1 << 2,
};
#define QUALITY_ISSUES 3u
unsigned quality_issues(const struct quality_party *party);
/* "HighPacketLoss", …, of bit n. */
const char *quality_issue_name(unsigned n);
