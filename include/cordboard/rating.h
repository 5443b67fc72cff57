/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good a direction of a call sounds, by the E-model (ITU-T G.107). Control says it in records
 * and metrics, the dataplane to the peer in RTCP, and both mean the same. Pure, inline.
 *
 *	R = 93.2 - Id(one-way delay) - Ie,eff(codec, loss, how the losses lie)       0..100
 *	MOS = G.107 Annex B of R                                                   1.0..4.5
 *
 * All other parameters have the defaults of G.107 clause 7.7. Codecs: equipment impairment and
 * robustness of G.711 with concealment are those of G.113 Appendix I; for Opus there are none, and
 * those for G.722 lie on the wideband scale of G.107.1, on which the same telephone call would get
 * another number. So that legs can be compared, all are judged on the scale of the telephone band, on
 * which G.722 and Opus are taken to be as good, and as robust, as G.711: none is better than 4.4.
 */
#ifndef CORDBOARD_RATING_H
#define CORDBOARD_RATING_H

#include <cordboard/types.h>

#include <math.h>

struct cord_rating {
	uint8_t codec;   /* enum cord_codec */
	double lost;     /* share that was not heard, 0..1 */
	double burst;    /* BurstR: 1 when losses lie at random, more when they come together */
	double delay_ms; /* from mouth to ear */
};

/* G.107 clause 7: signal to noise less simultaneous impairments, with default values. */
#define CORD_RATING_RO      94.77
#define CORD_RATING_RO_IS   93.355
#define CORD_RATING_NO_DBM  (-61.18)
#define CORD_RATING_RLR_DB  2.0
#define CORD_RATING_TELR_DB 65.0
#define CORD_RATING_WEPL_DB 110.0

struct cord_rating_codec {
	double ie, bpl;  /* G.113 Appendix I */
	double delay_ms; /* that coding adds (look-ahead) */
};

static inline struct cord_rating_codec cord_rating_codec(uint8_t codec)
{
	static const struct cord_rating_codec codecs[CORD_CODEC_COUNT] = {
		[CORD_CODEC_NONE] = {0, 25.1, 0},
		[CORD_CODEC_PCMU] = {0, 25.1, 0},
		[CORD_CODEC_PCMA] = {0, 25.1, 0},
		/* the filter banks of G.722 clause 1.3: 3 ms both ways */
		[CORD_CODEC_G722] = {0, 25.1, 1.5},
		/* RFC 6716 section 2.1.4 */
		[CORD_CODEC_OPUS] = {0, 25.1, 6.5},
	};

	return codecs[codec < CORD_CODEC_COUNT ? codec : CORD_CODEC_NONE];
}

/* G.107 (7-18) to (7-22): echo of the own voice, of which this is the delay. */
static inline double cord_rating_talker_echo(double ms)
{
	double terv = CORD_RATING_TELR_DB - 40 * log10((1 + ms / 10) / (1 + ms / 150)) +
		      6 * exp(-0.3 * ms * ms);
	double re = 80 + 2.5 * (terv - 14);
	double roe = -1.5 * (CORD_RATING_NO_DBM - CORD_RATING_RLR_DB);
	double half = (roe - re) / 2;

	return (half + sqrt(half * half + 100) - 1) * (1 - exp(-ms));
}

/* G.107 (7-23), (7-24): echo of the other's voice, over the round trip. */
static inline double cord_rating_listener_echo(double round_trip_ms)
{
	double rle = 10.5 * (CORD_RATING_WEPL_DB + 7) * pow(round_trip_ms + 1, -0.25);
	double half = (CORD_RATING_RO - rle) / 2;

	return half + sqrt(half * half + 169);
}

/* G.107 (7-25) to (7-27): too long to talk easily. */
static inline double cord_rating_absolute_delay(double ms)
{
	if (ms <= 100)
		return 0;
	double x = log2(ms / 100);

	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/* G.107 (7-29). */
static inline double cord_rating_equipment(const struct cord_rating *in)
{
	struct cord_rating_codec codec = cord_rating_codec(in->codec);
	double percent = 100 * in->lost;

	return percent > 0
		       ? codec.ie + (95 - codec.ie) * percent / (percent / in->burst + codec.bpl)
		       : codec.ie;
}

/* 0..100 */
static inline double cord_rating_r(const struct cord_rating *in)
{
	double ms = in->delay_ms;
	double r = CORD_RATING_RO_IS - cord_rating_talker_echo(ms) -
		   cord_rating_listener_echo(2 * ms) - cord_rating_absolute_delay(ms) -
		   cord_rating_equipment(in);

	return r < 0 ? 0 : r > 100 ? 100 : r;
}

/* 1..4.5 */
static inline double cord_rating_mos(double r)
{
	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5;
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	/* The polynomial dips below 1 for the worst. */
	return mos < 1 ? 1 : mos;
}

/*
 * BurstR of packets that were missing in so many stretches, where `lost` is their share: the mean
 * length of a stretch, compared with that of losses at random.
 */
static inline double cord_rating_burst(uint32_t missing, uint32_t stretches, double lost)
{
	double ratio = stretches ? (double)missing / stretches * (1 - lost) : 1;

	return ratio > 1 ? ratio : 1;
}

#endif
