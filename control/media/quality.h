/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good a leg sounds: a rating of each of its directions (<cordboard/rating.h>), from what the
 * dataplane counted and the peer reported. Pure.
 *
 * Loss is what was not there when it was to be heard, so late packets count. A frame of Opus that its
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

/* Of the reading that the next one is compared with (struct media_leg_stats). */
struct quality_from_mark {
	uint64_t opened_ns;
	uint32_t rx_expected, rx_lost, rx_late;
	uint32_t recovered, missing, missing_stretches;
};

struct quality_to_mark {
	uint64_t opened_ns;
	uint32_t peer_reports, peer_lost, peer_lost_of;
};

struct quality_watch {
	struct quality_from_mark from_at;
	struct quality_to_mark to_at;
	struct quality_path from, to; /* as last judged */
	uint32_t round_trip_us;       /* of the last reading; 0: not known */
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
