/* SPDX-License-Identifier: Apache-2.0 */
#include "media/quality.h"

#include <cordboard/rating.h>

#include <string.h>

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
	const struct cord_rating in = {
		.codec = codec, .lost = path->lost, .burst = burst, .delay_ms = path->delay_ms};

	path->r = cord_rating_r(&in);
	path->mos = cord_rating_mos(path->r);
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

static bool step_from(
	struct quality_watch *w, const struct media_leg_stats *now, struct quality_total *total)
{
	struct quality_from_mark was = w->from_at;

	/* Another stream is counted from its start. */
	if (now->rx_expected < was.rx_expected || now->opened_ns != was.opened_ns)
		was.rx_expected = was.rx_lost = 0;
	if (now->opened_ns != was.opened_ns)
		was.rx_late = was.recovered = was.missing = was.missing_stretches = 0;
	w->from_at = (struct quality_from_mark){
		.opened_ns = now->opened_ns,
		.rx_expected = now->rx_expected,
		.rx_lost = now->rx_lost,
		.rx_late = now->rx_late,
		.recovered = now->recovered,
		.missing = now->missing,
		.missing_stretches = now->missing_stretches,
	};
	double of = now->rx_expected - was.rx_expected;

	if (of == 0)
		return false;
	double lost = (double)now->rx_lost - was.rx_lost + (now->rx_late - was.rx_late) -
		      (now->recovered - was.recovered);

	w->from.lost = share(lost, of);
	w->from.jitter_ms = ms(now->jitter_us);
	w->from.delay_ms = ms(now->round_trip_us) / 2 + now->buffer_ms + now->ptime_ms +
			   cord_rating_codec(now->codec).delay_ms;
	judge(&w->from, now->codec,
		cord_rating_burst(now->missing - was.missing,
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
	struct quality_to_mark was = w->to_at;

	if (now->opened_ns != was.opened_ns || now->peer_lost_of < was.peer_lost_of)
		was.peer_reports = was.peer_lost = was.peer_lost_of = 0;
	if (now->peer_reports == was.peer_reports)
		return false;
	w->to_at = (struct quality_to_mark){
		.opened_ns = now->opened_ns,
		.peer_reports = now->peer_reports,
		.peer_lost = now->peer_lost,
		.peer_lost_of = now->peer_lost_of,
	};
	double of = now->peer_lost_of - was.peer_lost_of;
	double lost = (double)now->peer_lost - was.peer_lost;

	w->to.lost = share(share(lost, of) + now->peer_discarded / 256.0, 1);
	w->to.jitter_ms = ms(now->peer_jitter_us);
	w->to.delay_ms = ms(now->round_trip_us) / 2 + peer_buffer_ms(now) + now->ptime_ms +
			 cord_rating_codec(now->codec).delay_ms;
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

	watch->round_trip_us = stats->round_trip_us;
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
