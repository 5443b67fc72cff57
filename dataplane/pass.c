/* SPDX-License-Identifier: Apache-2.0 */
#include "pass.h"

#include "listen.h"

/* So many periods a quiet one is not listened to whose encoder finds no voice. */
#define BELIEVED_PERIODS 15u
/* So long our own coding of a talker who makes no pause goes on. */
#define PATIENCE_PERIODS 250u

static bool single(uint32_t set)
{
	return set && (set & (set - 1)) == 0;
}

/* Whether a member may be sent the packets of another at all. */
static bool takes_packets(struct worker *w, const struct room *r, uint32_t listener)
{
	const struct port *p = worker_member(w, r, listener);
	uint32_t self = 1u << listener;
	const uint32_t tones = PORT_KEYS | PORT_INBAND;

	return p->codec == CORD_CODEC_OPUS && worker_cold(w, p)->opus_pass && p->ptime_ms == 20 &&
	       !(r->gained & self) &&
	       !((r->member[listener].hears & self) && (p->flags & PORT_PLAYING)) &&
	       (p->flags & tones) != tones;
}

/* Whether it is being sent those of a talker. */
static bool goes_on(
	const struct worker *w, const struct coder_pass *pass, const struct port *talker)
{
	return pass->period + 1 == w->scratch.period && pass->from == talker->slot;
}

/* bit/s: a listener who is being sent a stream is not troubled by a little more of it. */
static bool frugal(const struct coder *talker, const struct port_cold *listener, bool going)
{
	uint32_t allowed = listener->encoding.bitrate;

	return talker->bytes_mean * 8u * 50u / 16u <= allowed + allowed / (going ? 4 : 8);
}

/* Whether a listener may be sent what a member of its room says in this period. */
static bool fits(struct worker *w, const struct room *r, uint32_t listener, uint32_t talker)
{
	const struct talk *t = &w->scratch.talk[talker];
	const struct port *from = worker_member(w, r, talker);
	const struct port_cold *to = worker_cold(w, worker_member(w, r, listener));
	bool going = goes_on(w, &to->coder->pass, from);

	if (t->codec != CORD_CODEC_OPUS || !worker_cold(w, from)->opus_pass)
		return false;
	if (t->opus == 0)
		return going && (t->later || t->made_up);
	const uint8_t *payload = rte_pktmbuf_mtod(t->packet, const uint8_t *);

	return t->opus <= CODEC_FRAME_BYTES_MAX && opus_codec_mono(payload) &&
	       opus_codec_rate_khz(payload) <= to->opus_rate_khz &&
	       frugal(worker_cold(w, from)->coder, to, going);
}

/* ---- silence -------------------------------------------------------------------------------- */

/*
 * Decodes what a member says, unless it has been quiet and its own encoder goes on finding no voice in
 * it. That is believed for a while: noise that does not change has none, however loud it is.
 */
static void listen_closely(struct worker *w, const struct room *r, uint32_t i)
{
	const struct port *p = worker_member(w, r, i);
	struct coder *c = worker_cold(w, p)->coder;

	if (w->scratch.talk[i].later == TALK_DECODE && c->quiet > CODER_QUIET_PERIODS &&
		(p->flags & PORT_QUIET)) {
		if (c->missed.count < BELIEVED_PERIODS)
			return;
		/* Without a voice a frame does not refer to those before. */
		c->missed.count = 0;
	}
	listen_talk(w, r, i, TICK_WIDE);
}

void pass_judge(struct worker *w, const struct room *r, uint32_t talking)
{
	uint32_t judged = 0;

	for (uint32_t set = r->coded; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);
		uint32_t heard = r->member[i].hears & talking & ~(1u << i);

		if (!(worker_member(w, r, i)->direction & CORD_MAY_SEND) || heard == 0)
			continue;
		if (!single(heard) || !takes_packets(w, r, i) ||
			!fits(w, r, i, (uint32_t)__builtin_ctz(heard)))
			judged |= heard;
	}
	for (uint32_t set = judged & r->coded; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);
		const struct coder *c = worker_cold(w, worker_member(w, r, i))->coder;

		listen_closely(w, r, i);
		w->scratch.quiet |= (uint16_t)((c->quiet >= CODER_QUIET_PERIODS) << i);
		w->scratch.silent |= (uint16_t)((c->silent >= CODER_QUIET_PERIODS) << i);
	}
}

uint32_t pass_heard(const struct worker *w, uint32_t set)
{
	uint32_t talk = set & ~(uint32_t)w->scratch.quiet;

	return talk ? talk : set & ~(uint32_t)w->scratch.silent;
}

/* ---- pass-through --------------------------------------------------------------------------- */

/* The one of a set who alone is to be heard. False: there are several. */
static bool choose(struct worker *w, const struct room *r, const struct coder_pass *pass,
	uint32_t set, uint32_t *talker)
{
	uint32_t talk = set & ~(uint32_t)w->scratch.quiet;

	*talker = (uint32_t)__builtin_ctz(talk ? talk : set);
	if (talk)
		return single(talk);
	for (; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);

		if (goes_on(w, pass, worker_member(w, r, i)))
			*talker = i;
	}
	return true;
}

/* Whether the switch from our own coding is not heard, or has been put off for long enough. */
static bool may_begin(
	struct worker *w, const struct room *r, struct coder_pass *pass, uint32_t talker)
{
	const struct port *from = worker_member(w, r, talker);

	if (pass->period + 1 == w->scratch.period || pass->coded + 1 != w->scratch.period)
		return true;
	/* Its encoder says whether there was a voice in it; other codings have to be listened to. */
	if (!(from->flags & PORT_QUIET))
		listen_talk(w, r, talker, TICK_WIDE);
	return (from->flags & PORT_QUIET) || pass->waited++ >= PATIENCE_PERIODS;
}

static void put_missing(struct worker *w, struct coder_pass *pass, struct sound *sound)
{
	pass->period = w->scratch.period;
	if (pass->missed < UINT8_MAX)
		pass->missed++;
	*sound = (struct sound){.missing = true};
}

static void put_packet(struct worker *w, const struct port *from, const struct talk *t,
	struct coder_pass *pass, struct sound *sound)
{
	uint16_t sequence = (uint16_t)(from->jitter.next_sequence - 1);
	uint16_t lost = 0;
	uint8_t missed = pass->period + 1 == w->scratch.period ? pass->missed : 0;

	if (goes_on(w, pass, from))
		lost = (uint16_t)(sequence - pass->sequence - 1);
	lost = lost < missed ? lost : missed;
	*sound = (struct sound){.codes = rte_pktmbuf_mtod(t->packet, const uint8_t *),
		.bytes = {t->opus},
		.frames = 1,
		.lost = (uint8_t)lost,
		.resumes = lost < missed};
	pass->period = w->scratch.period;
	pass->from = from->slot;
	pass->sequence = sequence;
	pass->missed = 0;
	worker_count(w, CORD_COUNTER_frames_passed, 1);
}

bool pass_sound(struct worker *w, const struct room *r, uint32_t listener, uint32_t set,
	struct sound *sound)
{
	struct coder *c = worker_cold(w, worker_member(w, r, listener))->coder;
	uint32_t talker;

	if (set == 0 || !takes_packets(w, r, listener))
		return false;
	struct coder_pass *pass = &c->pass;

	if (!choose(w, r, pass, set, &talker) || !fits(w, r, listener, talker)) {
		pass->waited = 0;
		return false;
	}
	const struct talk *t = &w->scratch.talk[talker];

	if (t->opus == 0) {
		put_missing(w, pass, sound);
		return true;
	}
	if (!may_begin(w, r, pass, talker))
		return false;
	pass->waited = 0;
	put_packet(w, worker_member(w, r, talker), t, pass, sound);
	return true;
}

void pass_coded(struct worker *w, const struct port *listener)
{
	worker_cold(w, listener)->coder->pass.coded = w->scratch.period;
}

bool pass_now(struct worker *w, const struct port *listener)
{
	return worker_cold(w, listener)->coder->pass.period == w->scratch.period;
}

bool pass_ended(struct worker *w, const struct port *listener)
{
	return worker_cold(w, listener)->coder->pass.period + 1 == w->scratch.period;
}

const int16_t *pass_before(struct worker *w, const struct port *listener)
{
	const struct coder_pass *pass = &worker_cold(w, listener)->coder->pass;
	const struct room *r = &w->dp->room[listener->room];

	if (!pass_ended(w, listener))
		return NULL;
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = worker_member(w, r, i);

		if (p->slot == pass->from && p->codec == CORD_CODEC_OPUS)
			return coder_said(worker_cold(w, p)->coder, pass->period);
	}
	return NULL;
}
