/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of Opus in session descriptions (RFC 7587 section 6.1). Each side says what it likes to
 * receive, and how it will send; neither has to be the other's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define OPUS_RATE_MIN    8000u
#define OPUS_RATE_MAX    48000u
#define OPUS_BITRATE_MIN 6000u
#define OPUS_BITRATE_MAX 510000u

/* What a receiver says. */
struct opus_fmtp {
	uint32_t rate;         /* maxplaybackrate, Hz: nothing above half of it is of use */
	uint32_t bitrate;      /* maxaveragebitrate, bit/s; 0: not said */
	uint16_t min_ptime_ms; /* minptime (not of the RFC, said by browsers); 0: not said */
	bool fec;              /* useinbandfec */
	bool dtx;              /* usedtx */
	bool cbr;
};

/* Of a value that is missing or out of its range, what the RFC says of one that is missing. */
void opus_fmtp_read(struct str fmtp, struct opus_fmtp *said);
/*
 * The value of our fmtp: mono; sprop-maxcapturerate is the rate too, since what we send comes out
 * of the same room.
 */
void opus_fmtp_write(struct strbuf *out, const struct opus_fmtp *ours);
