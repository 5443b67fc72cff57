/* SPDX-License-Identifier: Apache-2.0 */
#include "take.h"

#include "g711.h"
#include "mix.h"

#define UNITS PORT_PERIOD_UNITS
/* Amplitude of noise whose mean power is that of the largest sample: the square root of 3. */
#define NOISE_PEAK 56755
/* A comfort noise softer than this, in -dBov, is silence. */
#define NOISE_LEVEL_MAX 90u

/* ---- losses --------------------------------------------------------------------------------- */

/*
 * As the codec knows best: from the packet that follows a lost one, where that holds its frame too.
 * (What follows a frame that is added holds the one before, which has been heard.)
 */
static bool recover(struct worker *w, struct port *p, struct coder *c, enum jitter_frame f,
	int16_t *pcm, uint32_t samples)
{
	uint32_t handle = f == JITTER_CONCEAL ? jitter_following(&p->jitter) : 0;
	struct codec_decoder *decoder = coder_decoder(c);

	if (handle == 0)
		return codec_conceal(decoder, pcm, samples) > 0;
	const struct rte_mbuf *next = nic_mbuf(&w->dp->nic, handle);

	return codec_recover(decoder, pcm, samples, rte_pktmbuf_mtod(next, const uint8_t *),
		       next->data_len) > 0;
}

/* The port's record; the first loss has no past to repeat, and begins it. */
static struct conceal *record(struct worker *w, struct port *p)
{
	struct port_rich *rich = worker_rich(w, p);

	if (!(p->flags & PORT_CONCEALS)) {
		conceal_init(&rich->conceal, codec_rate_khz((enum cord_codec)p->codec));
		p->flags |= PORT_CONCEALS;
	}
	rich->conceal_good = 0;
	return &rich->conceal;
}

/* A frame of G.711 that is added is the one that follows, which is then played twice. */
static bool repeat(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	uint32_t handle = jitter_following(&p->jitter);

	if (handle == 0 || handle == PORT_UNHEARD)
		return false;
	const struct rte_mbuf *m = nic_mbuf(&w->dp->nic, handle);

	if (m->data_len != samples)
		return false;
	g711_decode((enum cord_codec)p->codec, pcm, rte_pktmbuf_mtod(m, const uint8_t *), samples);
	conceal_repeat(record(w, p), pcm, samples);
	return true;
}

/* What the codec cannot make up itself is made up from the samples before. */
static void conceal(
	struct worker *w, struct port *p, enum jitter_frame f, int16_t *pcm, uint32_t samples)
{
	struct port_cold *cold = worker_cold(w, p);

	w->scratch.talk[p->member].made_up = true;
	if (cold->coder) {
		if (recover(w, p, cold->coder, f, pcm, samples))
			return;
	} else if (f == JITTER_STRETCH && repeat(w, p, pcm, samples)) {
		return;
	}
	conceal_lost(record(w, p), pcm, samples);
}

static void count_good(struct port *p, struct port_rich *rich)
{
	if (++rich->conceal_good >= PORT_CONCEAL_CALM)
		p->flags &= (uint16_t)~PORT_CONCEALS;
}

/* A good frame of a port with a record passes through it. */
static void conceal_pass(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	struct port_rich *rich = worker_rich(w, p);

	conceal_good(&rich->conceal, pcm, samples);
	count_good(p, rich);
}

/* Or its codes are kept there, and what is heard is what came. False: not after a loss. */
static bool conceal_kept(struct worker *w, struct port *p, const uint8_t *codes)
{
	struct port_rich *rich = worker_rich(w, p);

	if (!conceal_keep(&rich->conceal, (enum cord_codec)p->codec, codes))
		return false;
	count_good(p, rich);
	return true;
}

/* ---- silence -------------------------------------------------------------------------------- */

/* White noise at the level that the talker's comfort noise named (RFC 3389 section 3.1). */
static void make_noise(struct worker *w, uint32_t level, int16_t *pcm)
{
	int32_t peak = NOISE_PEAK * mix_gain(-(int)(level < 60 ? level : 60)) / MIX_GAIN_UNITY;

	if (level > 60)
		peak = peak * mix_gain(60 - (int)level) / MIX_GAIN_UNITY;
	peak = level > NOISE_LEVEL_MAX ? 0 : peak < INT16_MAX ? peak : INT16_MAX;
	for (uint32_t i = 0; i < UNITS; i += 2) {
		uint32_t random = worker_random(w);

		pcm[i] = (int16_t)((int16_t)random * peak / -INT16_MIN);
		pcm[i + 1] = (int16_t)((int16_t)(random >> 16) * peak / -INT16_MIN);
	}
}

static uint8_t one_more(uint8_t periods, uint8_t most)
{
	return periods < most ? (uint8_t)(periods + 1) : most;
}

/* How long the talker has been quiet, by the samples of a period. */
static void note_quiet(struct worker *w, const struct port *p, const int16_t *pcm, uint32_t samples)
{
	struct coder *c = worker_cold(w, p)->coder;

	if (c == NULL || w->scratch.talk[p->member].made_up)
		return;
	uint32_t level = mix_level(pcm, samples);

	c->quiet = level >= MIX_QUIET ? 0 : one_more(c->quiet, UINT8_MAX);
	c->silent = level >= MIX_SILENT ? 0 : one_more(c->silent, UINT8_MAX);
}

/* Nothing is quiet, but says nothing about what comes behind it: that is listened to. */
static void note_nothing(struct coder *c)
{
	c->quiet = one_more(c->quiet, CODER_QUIET_PERIODS);
	c->silent = one_more(c->silent, CODER_QUIET_PERIODS);
}

static void take_silence(struct worker *w, struct port *p, uint32_t i)
{
	int16_t *pcm = w->scratch.narrow[i];

	p->silent++;
	worker_count(w, CORD_COUNTER_frames_silent, 1);
	if (p->flags & PORT_NOISE) {
		make_noise(w, worker_cold(w, p)->noise_level, pcm);
		w->scratch.talk[i].pcm[TICK_NARROW] = pcm;
		note_quiet(w, p, pcm, UNITS);
	} else if (cord_codec_wide(p->codec)) {
		note_nothing(worker_cold(w, p)->coder);
	}
}

/* A frame was played: if it was said after the comfort noise was, that is over. */
static void frame_played(struct worker *w, struct port *p)
{
	uint16_t sequence = (uint16_t)(p->jitter.next_sequence - 1);

	if ((p->flags & PORT_NOISE) && (int16_t)(sequence - worker_cold(w, p)->noise_sequence) > 0)
		p->flags &= (uint16_t)~PORT_NOISE;
	worker_count(w, CORD_COUNTER_frames_played, 1);
}

void take_note_level(struct port *p, const int16_t *pcm, uint32_t samples)
{
	if (mix_level(pcm, samples) < MIX_QUIET)
		p->flags |= PORT_QUIET;
	else
		p->flags &= (uint16_t)~PORT_QUIET;
}

/* ---- frames --------------------------------------------------------------------------------- */

/* Samples of a duration in RTP clock units, at the rate that the port's codec is decoded at. */
static uint32_t samples_of(const struct port *p, uint32_t units)
{
	enum cord_codec codec = (enum cord_codec)p->codec;
	uint32_t clock_khz = cord_codec_clock_khz(codec);

	return clock_khz ? units * codec_rate_khz(codec) / clock_khz : 0;
}

/* Decodes a packet that was checked when it came; how many samples, 0: it is broken inside. */
static uint32_t decode(struct worker *w, struct port *p, const struct rte_mbuf *m, int16_t *out)
{
	const uint8_t *payload = rte_pktmbuf_mtod(m, const uint8_t *);
	struct port_cold *cold = worker_cold(w, p);

	if (cold->coder) {
		int samples = codec_decode(coder_decoder(cold->coder), out, payload, m->data_len);

		return samples > 0 ? (uint32_t)samples : 0;
	}
	g711_decode((enum cord_codec)p->codec, out, payload, m->data_len);
	return m->data_len;
}

/* Whether the frame that is missing now lies whole in the packet that follows. */
static bool recovers(struct worker *w, const struct port *p, enum jitter_frame f)
{
	const struct coder *c = worker_cold(w, p)->coder;
	uint32_t handle = c && f == JITTER_CONCEAL ? jitter_following(&p->jitter) : 0;

	if (handle == 0)
		return false;
	const struct rte_mbuf *next = nic_mbuf(&w->dp->nic, handle);

	return codec_recovers(c->decoder, samples_of(p, p->jitter.frame_samples),
		rte_pktmbuf_mtod(next, const uint8_t *), next->data_len);
}

/* Frames that were missing, now or just before now; what is recovered was not lost to the ear. */
static void count_missing(struct worker *w, struct port *p, enum jitter_frame f, uint32_t missing)
{
	struct port_cold *cold = worker_cold(w, p);

	if (recovers(w, p, f)) {
		missing--;
		cold->recovered++;
		worker_count(w, CORD_COUNTER_frames_recovered, 1);
	}
	cold->concealed += missing;
	report_lost(w, p, missing);
	worker_count(w, CORD_COUNTER_frames_concealed, missing);
}

/*
 * The next thing to play, with dropped frames freed on the way; *cut says how many samples of the
 * last one are kept so that the next can be joined to it.
 */
static enum jitter_frame pop(
	struct worker *w, struct port *p, uint64_t due_ns, struct rte_mbuf **packet, uint32_t *cut)
{
	uint32_t handle = 0;
	enum jitter_frame f;

	*cut = 0;
	while ((f = jitter_pop(&p->jitter, due_ns, p->flags & PORT_QUIET, &handle)) ==
		JITTER_DROP) {
		worker_count(w, CORD_COUNTER_frames_dropped, 1);
		*cut = 0;
		if (handle == PORT_UNHEARD)
			continue;
		struct rte_mbuf *m = nic_mbuf(&w->dp->nic, handle);

		*cut = decode(w, p, m, w->scratch.spare);
		nic_free(&w->dp->nic, m);
	}
	uint32_t missing = jitter_concealed(&p->jitter);

	if (missing)
		count_missing(w, p, f, missing);
	*packet =
		f == JITTER_FRAME && handle != PORT_UNHEARD ? nic_mbuf(&w->dp->nic, handle) : NULL;
	return f;
}

/* A whole packet's samples, joined to what was cut before and heard before. */
static uint32_t packet_samples(
	struct worker *w, struct port *p, const struct rte_mbuf *m, uint32_t cut, int16_t *at)
{
	uint32_t samples = decode(w, p, m, at);

	if (samples == 0)
		return 0;
	if (cut == samples)
		conceal_join(at, w->scratch.spare, samples);
	if (p->flags & PORT_CONCEALS)
		conceal_pass(w, p, at, samples);
	take_note_level(p, at, samples);
	return samples;
}

static uint32_t take_packet(
	struct worker *w, struct port *p, struct rte_mbuf *m, uint32_t cut, int16_t *at)
{
	uint32_t samples = packet_samples(w, p, m, cut, at);

	nic_free(&w->dp->nic, m);
	frame_played(w, p);
	return samples;
}

/* Adds the samples of a packet, or what is made up for one, to those that wait. */
static void rich_add(
	struct worker *w, struct port *p, enum jitter_frame f, struct rte_mbuf *m, uint32_t cut)
{
	struct port_cold *cold = worker_cold(w, p);
	int16_t *at = worker_rich(w, p)->in + cold->in_count;
	uint32_t samples = m ? take_packet(w, p, m, cut, at) : 0;

	if (samples == 0) {
		samples = samples_of(p, p->jitter.frame_samples);
		if (samples == 0 || samples > CODEC_SAMPLES_MAX)
			samples = samples_of(p, port_period_units(p));
		if (f == JITTER_FRAME && m == NULL)
			memset(at, 0, samples * sizeof(*at)); /* nobody could hear it */
		else
			conceal(w, p, f, at, samples);
	}
	cold->in_count += samples;
}

/* Adds the next packet's samples to those that wait. False: the talker is silent. */
static bool rich_fill(struct worker *w, struct port *p, uint64_t due_ns)
{
	struct rte_mbuf *m;
	uint32_t cut;
	enum jitter_frame f = pop(w, p, due_ns, &m, &cut);

	if (f == JITTER_SILENCE)
		return false;
	rich_add(w, p, f, m, cut);
	return true;
}

/* A period's samples of a stream whose samples have to wait for each other. */
static void take_rich(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct port_cold *cold = worker_cold(w, p);
	enum tick_rate rate = cord_codec_wide(p->codec) ? TICK_WIDE : TICK_NARROW;
	int16_t *pcm = rate == TICK_WIDE ? w->scratch.wide[i] : w->scratch.narrow[i];
	uint32_t samples = TICK_SAMPLES(rate);

	while (cold->in_count < samples && rich_fill(w, p, due_ns))
		;
	uint32_t have = cold->in_count < samples ? cold->in_count : samples;

	if (have == 0) {
		take_silence(w, p, i);
		return;
	}
	int16_t *in = worker_rich(w, p)->in;

	memcpy(pcm, in, have * sizeof(*pcm));
	memset(pcm + have, 0, (samples - have) * sizeof(*pcm));
	cold->in_count -= have;
	memmove(in, in + have, cold->in_count * sizeof(*in));
	w->scratch.talk[i].pcm[rate] = pcm;
	note_quiet(w, p, pcm, samples);
}

/* ---- Opus that fills a period ---------------------------------------------------------------- */

static void opus_decode_now(
	struct worker *w, struct port *p, uint32_t i, enum talk_later later, uint32_t cut)
{
	struct talk *t = &w->scratch.talk[i];
	int16_t *pcm = w->scratch.wide[i];
	enum jitter_frame f = later == TALK_STRETCH ? JITTER_STRETCH : JITTER_CONCEAL;

	t->later = TALK_MADE;
	t->pcm[TICK_WIDE] = pcm;
	if (later != TALK_DECODE || packet_samples(w, p, t->packet, cut, pcm) == 0)
		conceal(w, p, f, pcm, CODER_SAMPLES);
	note_quiet(w, p, pcm, CODER_SAMPLES);
	coder_keep_said(worker_cold(w, p)->coder, w->scratch.period, pcm);
}

void take_samples(struct worker *w, struct port *p, uint32_t i)
{
	opus_decode_now(w, p, i, w->scratch.talk[i].later, 0);
}

void take_unheard(struct worker *w, struct port *p, uint32_t i)
{
	const struct talk *t = &w->scratch.talk[i];
	const uint8_t *payload = t->opus ? rte_pktmbuf_mtod(t->packet, const uint8_t *) : NULL;
	struct coder *c = worker_cold(w, p)->coder;

	coder_miss(c, w->scratch.period, payload, t->opus);
	if (!(p->flags & PORT_QUIET))
		c->quiet = c->silent = 0;
}

/* A packet that lasts a period. Until it is decoded, what its encoder thought is all that is known. */
static void opus_take(
	struct worker *w, struct port *p, uint32_t i, struct rte_mbuf *m, uint32_t cut)
{
	struct talk *t = &w->scratch.talk[i];
	struct coder *c = worker_cold(w, p)->coder;
	const uint8_t *payload = rte_pktmbuf_mtod(m, const uint8_t *);

	t->packet = m;
	t->opus = m->data_len;
	t->later = TALK_DECODE;
	c->bytes_mean = (uint16_t)(c->bytes_mean + (m->data_len * 16 - c->bytes_mean) / 32);
	frame_played(w, p);
	if (opus_codec_voiceless(payload, m->data_len))
		p->flags |= PORT_QUIET;
	else
		p->flags &= (uint16_t)~PORT_QUIET;
	if (cut)
		opus_decode_now(w, p, i, TALK_DECODE, cut);
}

static void take_opus(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	const uint32_t units = port_period_units(p);
	struct rte_mbuf *m;
	uint32_t cut;
	enum jitter_frame f = pop(w, p, due_ns, &m, &cut);

	if (f == JITTER_SILENCE) {
		take_silence(w, p, i);
	} else if (m && opus_codec_payload_us(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len) ==
				20000) {
		opus_take(w, p, i, m, cut);
	} else if (m == NULL && p->jitter.frame_samples == units) {
		w->scratch.talk[i].later = f == JITTER_STRETCH ? TALK_STRETCH : TALK_CONCEAL;
	} else {
		/* Of another length: from here on the stream's samples wait for each other. */
		rich_add(w, p, f, m, cut);
		take_rich(w, p, i, due_ns);
	}
}

static void take_frame(
	struct worker *w, struct port *p, uint32_t i, struct rte_mbuf *m, uint32_t cut)
{
	struct talk *t = &w->scratch.talk[i];
	int16_t *pcm = w->scratch.narrow[i];

	t->packet = m;
	t->raw = rte_pktmbuf_mtod(m, const uint8_t *);
	frame_played(w, p);
	if (cut != UNITS && (!(p->flags & PORT_CONCEALS) || conceal_kept(w, p, t->raw)))
		return;
	g711_decode((enum cord_codec)p->codec, pcm, t->raw, UNITS);
	if (cut == UNITS)
		conceal_join(pcm, w->scratch.spare, UNITS);
	if (p->flags & PORT_CONCEALS)
		conceal_pass(w, p, pcm, UNITS);
	t->pcm[TICK_NARROW] = pcm;
	t->raw = NULL;
}

static void take_plain(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct rte_mbuf *m;
	uint32_t cut;
	enum jitter_frame f = pop(w, p, due_ns, &m, &cut);

	switch (f) {
	case JITTER_FRAME:
		if (m == NULL) {
			frame_played(w, p);
			return;
		}
		if (m->data_len == UNITS) {
			take_frame(w, p, i, m, cut);
			return;
		}
		/* From here on the stream's samples wait for each other. */
		p->flags |= PORT_RICH_IN;
		worker_cold(w, p)->in_count = take_packet(w, p, m, 0, worker_rich(w, p)->in);
		take_rich(w, p, i, due_ns);
		return;
	case JITTER_CONCEAL:
	case JITTER_STRETCH:
		conceal(w, p, f, w->scratch.narrow[i], UNITS);
		w->scratch.talk[i].pcm[TICK_NARROW] = w->scratch.narrow[i];
		return;
	default:
		take_silence(w, p, i);
		return;
	}
}

void take(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
{
	struct talk *t = &w->scratch.talk[i];

	*t = (struct talk){.codec = p->codec};
	if (!(p->direction & CORD_MAY_RECEIVE))
		return;
	if (p->codec == CORD_CODEC_OPUS && worker_cold(w, p)->in_count == 0)
		take_opus(w, p, i, due_ns);
	else if (p->flags & PORT_RICH_IN)
		take_rich(w, p, i, due_ns);
	else
		take_plain(w, p, i, due_ns);
}
