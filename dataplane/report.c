/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "event.h"
#include "port.h"
#include "tx.h"
#include "worker.h"

#include <cordboard/rating.h>

#include <string.h>

#define SECOND_NS 1000000000ull
/* Furthest behind our newest packet that a report of it can be. */
#define BEHIND_MAX         3000u
#define PEER_JITTER_MAX_MS 10000u
#define END_SYSTEM_MAX_MS  5000u
/* How long the peer's wish to know the round trip is answered. */
#define REFERENCE_NS (60 * SECOND_NS)

static struct port_cold *cold_of(struct worker *w, const struct port *p)
{
	return &w->dp->port_cold[p->slot];
}

static uint32_t middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

static uint64_t ntp_now(const struct worker *w)
{
	return clock_ntp(clock_wall_ns(&w->dp->clock, w->now_ns));
}

/* As DLSR says it: 1/65536 s. */
static uint32_t delay_since(const struct worker *w, cord_time at)
{
	return (uint32_t)((w->now_ns - at) * 65536 / SECOND_NS);
}

/* ---- what the peer says --------------------------------------------------------------------- */

static bool sent_by_us(const struct report *r, uint32_t last)
{
	uint32_t kept = r->sent_count < REPORT_SENT ? r->sent_count : REPORT_SENT;

	for (uint32_t i = 0; i < kept; i++)
		if (r->sent[i] == last)
			return true;
	return false;
}

static void take_round_trip(struct worker *w, struct report *r, uint32_t last, uint32_t delay)
{
	uint32_t us = rtcp_round_trip_us(middle(ntp_now(w)), last, delay);

	if (us == 0 || !sent_by_us(r, last))
		return;
	r->round_trip_us = us;
	if (us > r->round_trip_max_us)
		r->round_trip_max_us = us;
}

static void take_block(
	struct worker *w, const struct port *p, struct report *r, const struct rtcp_block *b)
{
	uint32_t khz = cord_codec_clock_khz(p->codec);
	uint32_t sent = p->tx_packets - r->packets_before;
	uint16_t behind = (uint16_t)(p->sequence - 1 - (uint16_t)b->highest);

	if (!(p->flags & PORT_STARTED) || behind > BEHIND_MAX || b->lost > (int64_t)sent ||
		khz == 0 || b->jitter / khz > PEER_JITTER_MAX_MS)
		return;
	r->blocks++;
	r->lost = b->lost > 0 ? (uint32_t)b->lost : 0;
	r->lost_of = sent;
	r->jitter_us = (uint32_t)((uint64_t)b->jitter * 1000 / khz);
	take_round_trip(w, r, b->last_sr, b->delay_last_sr);
}

static void take_xr(struct worker *w, const struct port *p, struct report *r,
	const struct rtcp_summary *summary)
{
	const struct rtcp_xr_summary *xr = &summary->xr;

	if (xr->has_reference) {
		r->reference = xr->reference;
		r->reference_ssrc = summary->sender_ssrc;
		r->reference_at = w->now_ns;
	}
	if (xr->has_answer)
		take_round_trip(w, r, xr->last_reference, xr->delay_last_reference);
	if (xr->has_voip && (p->flags & PORT_STARTED)) {
		r->discarded = xr->voip.discarded;
		if (xr->voip.end_system_ms <= END_SYSTEM_MAX_MS)
			r->end_system_ms = xr->voip.end_system_ms;
	}
}

void report_take(struct worker *w, struct port *p, const struct rtcp_summary *summary)
{
	struct report *r = &cold_of(w, p)->report;
	bool of_stream = p->source.started && summary->sender_ssrc == p->source.ssrc;

	r->rtcp_at = w->now_ns;
	if (summary->has_sr && of_stream) {
		r->sr = middle(summary->ntp);
		r->sr_at = w->now_ns;
	}
	if (summary->has_block)
		take_block(w, p, r, &summary->block);
	take_xr(w, p, r, summary);
	if (summary->bye && of_stream)
		r->sr_at = 0;
	if (summary->bye && summary->sender_ssrc == r->reference_ssrc)
		r->reference_at = 0;
}

/* ---- what we say ---------------------------------------------------------------------------- */

/* Frames that are heard. */
static uint32_t good(const struct port *p, const struct port_cold *cold)
{
	return p->rx_packets - cold->late - cold->duplicate + cold->recovered;
}

static uint8_t of_256(uint32_t part, uint32_t all)
{
	uint64_t share = all ? (uint64_t)part * 256 / all : 0;

	return (uint8_t)(share < 255 ? share : 255);
}

static uint16_t milliseconds(uint64_t ms)
{
	return (uint16_t)(ms < UINT16_MAX ? ms : UINT16_MAX);
}

static double share(uint32_t part, uint32_t all)
{
	return part < all ? (double)part / all : all != 0;
}

/* Of all that the peer has said in this stream, with its delay and (LQ) without. */
static void fill_rating(
	const struct port *p, const struct burst *b, double lost, struct rtcp_voip *v)
{
	struct cord_rating heard = {.codec = p->codec,
		.lost = lost,
		.burst = cord_rating_burst(b->lost, b->stretches, lost)};

	v->mos_lq = (uint8_t)lround(10 * cord_rating_mos(cord_rating_r(&heard)));
	heard.delay_ms =
		v->round_trip_ms / 2.0 + v->end_system_ms + cord_rating_codec(p->codec).delay_ms;
	double r = cord_rating_r(&heard);

	v->r_factor = (uint8_t)lround(r);
	v->mos_cq = (uint8_t)lround(10 * cord_rating_mos(r));
}

static void fill_voip(const struct port *p, const struct port_cold *cold, struct rtcp_voip *v)
{
	const struct report *r = &cold->report;
	struct burst_figures burst = burst_figures(&r->burst, good(p, cold));
	uint32_t expected = rtp_source_expected(&p->source);
	/* What came is what is left of it after its FEC (RFC 3611 section 4.7.1). */
	uint32_t received = p->source.received + cold->recovered - r->recovered_before;
	uint32_t lost = expected > received ? expected - received : 0;
	uint32_t late = cold->late - r->late_before;
	uint32_t frame_ms = p->jitter.frame_samples / p->jitter.clock_khz;
	uint32_t buffer_ms = jitter_depth(&p->jitter) * frame_ms;

	*v = (struct rtcp_voip){
		.ssrc = p->source.ssrc,
		.lost = of_256(lost, expected),
		.discarded = of_256(late, expected),
		.burst_density = burst.burst_density,
		.gap_density = burst.gap_density,
		.burst_ms = milliseconds((uint64_t)burst.burst_packets * frame_ms),
		.gap_ms = milliseconds((uint64_t)burst.gap_packets * frame_ms),
		.round_trip_ms = milliseconds((r->round_trip_us + 999) / 1000),
		.end_system_ms = milliseconds(buffer_ms + CORD_TICK_NS / 1000000),
		.buffer_ms = milliseconds(buffer_ms),
		.buffer_max_ms = p->jitter.max_ms,
	};
	fill_rating(p, &r->burst, share(lost + late, expected), v);
}

static void fill_block(struct worker *w, const struct port *p, struct rtcp_report *report)
{
	struct report *r = &cold_of(w, p)->report;

	rtcp_block_from_source(&report->block, &r->interval, &p->source);
	if (r->sr_at) {
		report->block.last_sr = r->sr;
		report->block.delay_last_sr = delay_since(w, r->sr_at);
	}
}

static void fill_xr(struct worker *w, const struct port *p, struct rtcp_report *report)
{
	const struct port_cold *cold = cold_of(w, p);
	const struct report *r = &cold->report;

	report->xr = (struct rtcp_xr_report){
		.voip = report->receiving,
		.reference = !report->sending,
		.answer = r->reference_at && w->now_ns - r->reference_at < REFERENCE_NS,
		.ntp = report->ntp,
	};
	if (report->xr.voip)
		fill_voip(p, cold, &report->xr.metrics);
	if (report->xr.answer) {
		report->xr.peer_ssrc = r->reference_ssrc;
		report->xr.last_reference = r->reference;
		report->xr.delay_last_reference = delay_since(w, r->reference_at);
	}
}

/* A sender is who has sent since the last report but one (RFC 3550 section 6.3.8). */
static bool is_sender(const struct port *p, const struct report *r)
{
	return p->tx_packets != r->tx_packets[1];
}

void report_fill(struct worker *w, struct port *p, bool bye, struct rtcp_report *report)
{
	struct report *r = &cold_of(w, p)->report;
	uint32_t khz = cord_codec_clock_khz(p->codec);

	*report = (struct rtcp_report){
		.ssrc = p->ssrc,
		.sending = is_sender(p, r),
		.receiving = p->source.started,
		.bye = bye,
		.ntp = ntp_now(w),
		.timestamp = p->timestamp_base + (uint32_t)(w->now_ns * khz / 1000000),
		.packets = p->tx_packets - r->packets_before,
		.bytes = p->tx_bytes - r->bytes_before,
		.cname = r->cname,
	};
	if (report->receiving)
		fill_block(w, p, report);
	if (!bye)
		fill_xr(w, p, report);
	r->tx_packets[1] = r->tx_packets[0];
	r->tx_packets[0] = p->tx_packets;
	r->sent[r->sent_count++ % REPORT_SENT] = middle(report->ntp);
}

/* ---- now and then --------------------------------------------------------------------------- */

static void step_media(struct worker *w, struct port *p, struct report *r)
{
	cord_time since = p->last_rx > r->expected ? p->last_rx : r->expected;

	if (r->rtcp_at > since && cold_of(w, p)->receive_noise_payload_type != CORD_NO_PAYLOAD_TYPE)
		since = r->rtcp_at;
	if (r->timeout_s == 0 || r->media_lost || !(p->direction & CORD_MAY_RECEIVE) ||
		w->now_ns < since || w->now_ns - since < r->timeout_s * SECOND_NS)
		return;
	r->media_lost = true;
	p->flags &= (uint16_t)~PORT_HEARD;
	port_status_write(w, p);
	event_media_lost(w, p->id);
}

void report_step(struct worker *w, struct port *p)
{
	struct report *r = &cold_of(w, p)->report;

	step_media(w, p, r);
	if (r->due && w->now_ns < r->due)
		return;
	if (r->due)
		tx_rtcp(w, p, false);
	r->due = w->now_ns + rtcp_interval_ns(r->due == 0, worker_random(w));
}

void report_heard(struct worker *w, struct port *p)
{
	struct port_cold *cold = cold_of(w, p);
	bool first = cold->first_rx == 0;
	bool back = cold->report.media_lost && !first;

	p->flags |= PORT_HEARD;
	cold->report.media_lost = false;
	if (first)
		cold->first_rx = w->now_ns;
	port_status_write(w, p);
	if (first)
		event_media_first(w, p->id);
	else if (back)
		event_media_back(w, p->id);
}

void report_begin(struct worker *w, const struct port *p)
{
	struct port_cold *cold = cold_of(w, p);

	cold->report.late_before = cold->late;
	cold->report.recovered_before = cold->recovered;
}

void report_lost(struct worker *w, const struct port *p, uint32_t lost)
{
	struct port_cold *cold = cold_of(w, p);

	burst_lost(&cold->report.burst, good(p, cold), lost);
}
