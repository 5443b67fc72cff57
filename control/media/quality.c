/* SPDX-License-Identifier: Apache-2.0 */
#include "media/quality.h"

#include <math.h>
#include <string.h>

/* G.107 clause 7: signal to noise less simultaneous impairments, with default values. */
#define RO      94.77
#define RO_IS   93.35
#define NO_DBM  (-61.18)
#define RLR_DB  2.0
#define TELR_DB 65.0
#define WEPL_DB 110.0

/* Of a codec: G.113 Appendix I, and the delay that coding adds (look-ahead). */
static const struct {
	double ie, bpl, delay_ms;
} codecs[CORD_CODEC_COUNT] = {
	[CORD_CODEC_PCMU] = {0, 25.1, 0},
	[CORD_CODEC_PCMA] = {0, 25.1, 0},
	[CORD_CODEC_G722] = {0, 25.1,
		1.5}, /* the filter banks of G.722 clause 1.3: 3 ms both ways */
	[CORD_CODEC_OPUS] = {0, 25.1, 6.5}, /* RFC 6716 section 2.1.4 */
};

/* ---- the model ------------------------------------------------------------------------------ */

/* G.107 (7-18) to (7-22): echo of the own voice. */
static double talker_echo(double t)
{
	double terv = TELR_DB - 40 * log10((1 + t / 10) / (1 + t / 150)) + 6 * exp(-0.3 * t * t);
	double re = 80 + 2.5 * (terv - 14);
	double roe = -1.5 * (NO_DBM - RLR_DB);
	double half = (roe - re) / 2;

	return (half + sqrt(half * half + 100) - 1) * (1 - exp(-t));
}

/* G.107 (7-23), (7-24): echo of the other's voice, over the round trip. */
static double listener_echo(double round_trip)
{
	double rle = 10.5 * (WEPL_DB + 7) * pow(round_trip + 1, -0.25);
	double half = (RO - rle) / 2;

	return half + sqrt(half * half + 169);
}

/* G.107 (7-25) to (7-27): too long to talk easily. */
static double absolute_delay(double ta)
{
	if (ta <= 100)
		return 0;
	double x = log2(ta / 100);

	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/* G.107 (7-29). */
static double equipment(const struct quality_input *in)
{
	uint8_t codec = in->codec < CORD_CODEC_COUNT ? in->codec : CORD_CODEC_NONE;
	double ie = codecs[codec].ie, bpl = codecs[codec].bpl;
	double percent = 100 * in->lost;

	return percent > 0 ? ie + (95 - ie) * percent / (percent / in->burst + bpl) : ie;
}

double quality_r(const struct quality_input *in)
{
	double t = in->delay_ms;
	double r =
		RO_IS - talker_echo(t) - listener_echo(2 * t) - absolute_delay(t) - equipment(in);

	return r < 0 ? 0 : r > 100 ? 100 : r;
}

double quality_mos(double r)
{
	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5;
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	/* The polynomial dips below 1 for the worst. */
	return mos < 1 ? 1 : mos;
}

/* ---- readings ------------------------------------------------------------------------------- */

static double ms(uint32_t us)
{
	return us / 1000.0;
}

static double share(double part, double all)
{
	double s = all > 0 ? part / all : 0;

	return s < 0 ? 0 : s > 1 ? 1 : s;
}

static void judge(struct quality_path *path, uint8_t codec, double burst)
{
	const struct quality_input in = {
		.codec = codec, .lost = path->lost, .burst = burst, .delay_ms = path->delay_ms};

	path->r = quality_r(&in);
	path->mos = quality_mos(path->r);
	path->known = true;
}

static void add(struct quality_total *t, const struct quality_path *path, double lost, double of)
{
	if (t->samples == 0 || path->mos < t->mos_min)
		t->mos_min = path->mos;
	t->samples++;
	t->mos_sum += path->mos;
	t->lost += (uint64_t)lost;
	t->of += (uint64_t)of;
	if (path->jitter_ms > t->jitter_max_ms)
		t->jitter_max_ms = path->jitter_ms;
}

/* Mean length of a stretch of losses, compared with that of losses at random. */
static double burst_ratio(uint32_t missing, uint32_t stretches, double lost)
{
	double ratio = stretches ? (double)missing / stretches * (1 - lost) : 1;

	return ratio > 1 ? ratio : 1;
}

static double codec_delay_ms(const struct media_leg_stats *s)
{
	return s->codec < CORD_CODEC_COUNT ? codecs[s->codec].delay_ms : 0;
}

static bool step_from(
	struct quality_watch *w, const struct media_leg_stats *now, struct quality_total *total)
{
	struct media_leg_stats was = w->from_at;

	/* Another stream is counted from its start. */
	if (now->rx_expected < was.rx_expected || now->opened_ns != was.opened_ns)
		was.rx_expected = was.rx_lost = 0;
	if (now->opened_ns != was.opened_ns)
		was.rx_late = was.recovered = was.missing = was.missing_stretches = 0;
	w->from_at = *now;
	double of = now->rx_expected - was.rx_expected;

	if (of == 0)
		return false;
	double lost = (double)now->rx_lost - was.rx_lost + (now->rx_late - was.rx_late) -
		      (now->recovered - was.recovered);

	w->from.lost = share(lost, of);
	w->from.jitter_ms = ms(now->jitter_us);
	w->from.delay_ms =
		ms(now->round_trip_us) / 2 + now->buffer_ms + now->ptime_ms + codec_delay_ms(now);
	judge(&w->from, now->codec,
		burst_ratio(now->missing - was.missing,
			now->missing_stretches - was.missing_stretches, w->from.lost));
	add(total, &w->from, w->from.lost * of, of);
	return true;
}

/* What is not told of the peer's buffer is taken to be as long as its jitter asks for. */
static double peer_buffer_ms(const struct media_leg_stats *s)
{
	return s->peer_end_system_ms ? s->peer_end_system_ms
				     : s->ptime_ms + 2 * ms(s->peer_jitter_us);
}

static bool step_to(
	struct quality_watch *w, const struct media_leg_stats *now, struct quality_total *total)
{
	struct media_leg_stats was = w->to_at;

	if (now->opened_ns != was.opened_ns || now->peer_lost_of < was.peer_lost_of)
		was.peer_reports = was.peer_lost = was.peer_lost_of = 0;
	if (now->peer_reports == was.peer_reports)
		return false;
	w->to_at = *now;
	double of = now->peer_lost_of - was.peer_lost_of;
	double lost = (double)now->peer_lost - was.peer_lost;

	w->to.lost = share(share(lost, of) + now->peer_discarded / 256.0, 1);
	w->to.jitter_ms = ms(now->peer_jitter_us);
	w->to.delay_ms = ms(now->round_trip_us) / 2 + peer_buffer_ms(now) + now->ptime_ms +
			 codec_delay_ms(now);
	judge(&w->to, now->codec, 1);
	add(total, &w->to, w->to.lost * of, of);
	return true;
}

struct quality_news quality_watch_step(struct quality_watch *watch,
	const struct media_leg_stats *stats, struct quality_party *party)
{
	struct quality_party nobody = {0};

	if (!stats->open)
		return (struct quality_news){false, false};
	if (!party)
		party = &nobody;
	struct quality_news news = {
		.from = step_from(watch, stats, &party->from),
		.to = step_to(watch, stats, &party->to),
	};

	if (ms(stats->round_trip_max_us) > party->round_trip_max_ms)
		party->round_trip_max_ms = ms(stats->round_trip_max_us);
	if (stats->buffer_ms > party->buffer_max_ms)
		party->buffer_max_ms = stats->buffer_ms;
	return news;
}

/* ---- a party -------------------------------------------------------------------------------- */

double quality_total_mos(const struct quality_total *t)
{
	return t->samples ? t->mos_sum / t->samples : 0;
}

double quality_party_mos(const struct quality_party *party)
{
	double from = quality_total_mos(&party->from), to = quality_total_mos(&party->to);

	return to > 0 && (from == 0 || to < from) ? to : from;
}

static bool lossy(const struct quality_total *t)
{
	return t->lost * 100 > t->of * QUALITY_ISSUE_LOSS_PERCENT;
}

unsigned quality_issues(const struct quality_party *party)
{
	unsigned issues = 0;

	if (lossy(&party->from) || lossy(&party->to))
		issues |= QUALITY_ISSUE_LOSS;
	if (party->round_trip_max_ms > QUALITY_ISSUE_ROUND_TRIP_MS)
		issues |= QUALITY_ISSUE_ROUND_TRIP;
	if (party->buffer_max_ms > QUALITY_ISSUE_BUFFER_MS)
		issues |= QUALITY_ISSUE_BUFFER;
	return issues;
}

const char *quality_issue_name(unsigned n)
{
	static const char *const names[QUALITY_ISSUES] = {
		"HighPacketLoss", "HighRoundTripTime", "HighJitterBuffer"};

	return n < QUALITY_ISSUES ? names[n] : "?";
}
