/* SPDX-License-Identifier: Apache-2.0 */
#include "take.h"

#include "g711.h"
#include "mix.h"

#define UNITS PORT_PERIOD_UNITS

static void conceal(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	struct port_cold *cold = worker_cold(w, p);

	/* The first loss has no past to repeat: it is silence, and begins the record. */
	if (!(p->flags & PORT_CONCEALS)) {
		conceal_init(&cold->conceal, 8);
		p->flags |= PORT_CONCEALS;
	}
	conceal_lost(&cold->conceal, pcm, samples);
	cold->conceal_good = 0;
}

/* A good frame of a port with a record passes through it. */
static void conceal_pass(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	struct port_cold *cold = worker_cold(w, p);

	conceal_good(&cold->conceal, pcm, samples);
	if (++cold->conceal_good >= PORT_CONCEAL_CALM)
		p->flags &= (uint16_t)~PORT_CONCEALS;
}

void take_note_level(struct port *p, const int16_t *pcm, uint32_t samples)
{
	if (mix_level(pcm, samples) < MIX_QUIET)
		p->flags |= PORT_QUIET;
	else
		p->flags &= (uint16_t)~PORT_QUIET;
}

/*
 * The next thing to play, with dropped frames freed on the way; *cut keeps the samples of the last
 * one so that the next can be joined to it.
 */
static enum jitter_frame pop(
	struct worker *w, struct port *p, uint64_t due_ns, struct rte_mbuf **packet, uint32_t *cut)
{
	uint32_t handle = 0;
	enum jitter_frame f;

	*cut = 0;
	while ((f = jitter_pop(&p->jitter, due_ns, p->flags & PORT_QUIET, &handle)) ==
		JITTER_DROP) {
		struct rte_mbuf *m = nic_mbuf(&w->dp->nic, handle);

		*cut = m->data_len;
		g711_decode((enum cord_codec)p->codec, w->scratch.spare,
			rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
		rte_pktmbuf_free(m);
		worker_count(w, CORD_COUNTER_frames_dropped, 1);
	}
	uint32_t concealed = jitter_concealed(&p->jitter);
	if (concealed) {
		worker_cold(w, p)->concealed += concealed;
		report_lost(w, p, concealed);
		worker_count(w, CORD_COUNTER_frames_concealed, concealed);
	}
	*packet = f == JITTER_FRAME ? nic_mbuf(&w->dp->nic, handle) : NULL;
	return f;
}

/* Adds the next packet's samples to those that wait. False: the talker is silent. */
static bool rich_fill(struct worker *w, struct port *p, uint64_t due_ns)
{
	struct port_cold *cold = worker_cold(w, p);
	struct rte_mbuf *m;
	uint32_t cut;
	int16_t *at = cold->in + cold->in_count;
	enum jitter_frame f = pop(w, p, due_ns, &m, &cut);
	uint32_t samples = m ? m->data_len : p->jitter.frame_samples;

	if (f == JITTER_SILENCE)
		return false;
	if (samples == 0 || samples > PORT_CODES_MAX)
		samples = UNITS;
	if (m) {
		g711_decode((enum cord_codec)p->codec, at, rte_pktmbuf_mtod(m, const uint8_t *),
			samples);
		rte_pktmbuf_free(m);
		if (cut == samples)
			conceal_join(at, w->scratch.spare, samples);
		if (p->flags & PORT_CONCEALS)
			conceal_pass(w, p, at, samples);
		take_note_level(p, at, samples);
		worker_count(w, CORD_COUNTER_frames_played, 1);
	} else {
		conceal(w, p, at, samples);
	}
	cold->in_count += samples;
	return true;
}

/* A period's samples of a stream whose packets are not 20 ms long. */
static void take_rich(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct port_cold *cold = worker_cold(w, p);
	int16_t *pcm = w->scratch.pcm[i];

	while (cold->in_count < UNITS && rich_fill(w, p, due_ns))
		;
	uint32_t have = cold->in_count < UNITS ? cold->in_count : UNITS;

	if (have == 0) {
		cold->silent++;
		worker_count(w, CORD_COUNTER_frames_silent, 1);
		return;
	}
	memcpy(pcm, cold->in, have * sizeof(*pcm));
	memset(pcm + have, 0, (UNITS - have) * sizeof(*pcm));
	cold->in_count -= have;
	memmove(cold->in, cold->in + have, cold->in_count * sizeof(*cold->in));
	w->scratch.talk[i].pcm = pcm;
}

static void take_frame(
	struct worker *w, struct port *p, uint32_t i, struct rte_mbuf *m, uint32_t cut)
{
	struct talk *t = &w->scratch.talk[i];
	int16_t *pcm = w->scratch.pcm[i];

	t->packet = m;
	t->raw = rte_pktmbuf_mtod(m, const uint8_t *);
	worker_count(w, CORD_COUNTER_frames_played, 1);
	if (!(p->flags & PORT_CONCEALS) && cut != UNITS)
		return;
	g711_decode((enum cord_codec)p->codec, pcm, t->raw, UNITS);
	if (cut == UNITS)
		conceal_join(pcm, w->scratch.spare, UNITS);
	if (p->flags & PORT_CONCEALS)
		conceal_pass(w, p, pcm, UNITS);
	t->pcm = pcm;
	t->raw = NULL;
}

static void take_plain(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct rte_mbuf *m;
	uint32_t cut;
	enum jitter_frame f = pop(w, p, due_ns, &m, &cut);

	switch (f) {
	case JITTER_FRAME:
		if (m->data_len == UNITS) {
			take_frame(w, p, i, m, cut);
			return;
		}
		/* From here on the stream's samples wait for each other. */
		p->flags |= PORT_RICH_IN;
		struct port_cold *cold = worker_cold(w, p);

		g711_decode((enum cord_codec)p->codec, cold->in,
			rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);
		cold->in_count = m->data_len;
		rte_pktmbuf_free(m);
		worker_count(w, CORD_COUNTER_frames_played, 1);
		take_rich(w, p, i, due_ns);
		return;
	case JITTER_CONCEAL:
	case JITTER_STRETCH:
		conceal(w, p, w->scratch.pcm[i], UNITS);
		w->scratch.talk[i].pcm = w->scratch.pcm[i];
		return;
	default:
		worker_cold(w, p)->silent++;
		worker_count(w, CORD_COUNTER_frames_silent, 1);
		return;
	}
}

void take(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct talk *t = &w->scratch.talk[i];

	*t = (struct talk){.codec = p->codec};
	if (!(p->direction & CORD_MAY_RECEIVE))
		return;
	if (p->flags & PORT_RICH_IN)
		take_rich(w, p, i, due_ns);
	else
		take_plain(w, p, i, due_ns);
}
