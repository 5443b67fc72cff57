/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include "g711.h"
#include "mix.h"
#include "take.h"

#define UNITS PORT_PERIOD_UNITS

const uint8_t *listen_silence(uint8_t codec)
{
	static const uint8_t codes[CORD_CODEC_COUNT][UNITS] = {
		[CORD_CODEC_PCMU] = {[0 ... UNITS - 1] = G711_SILENCE_MU},
		[CORD_CODEC_PCMA] = {[0 ... UNITS - 1] = G711_SILENCE_A},
	};

	return codes[codec];
}

static const int16_t *talk_pcm(struct worker *w, struct port *p, uint32_t i)
{
	struct talk *t = &w->scratch.talk[i];

	if (t->pcm == NULL) {
		g711_decode((enum cord_codec)t->codec, w->scratch.pcm[i], t->raw, UNITS);
		t->pcm = w->scratch.pcm[i];
		take_note_level(p, t->pcm, UNITS);
	}
	return t->pcm;
}

static const int16_t *player_pcm(struct worker *w, const struct port *p, uint32_t i)
{
	const struct player *player = &worker_cold(w, p)->player;
	const struct clip *clip = player_clip(player);
	const uint8_t *frame = clip_frame(clip, CORD_CLIP_L16, player->frame);

	if (frame)
		return (const int16_t *)(const void *)frame;
	for (uint32_t codec = CORD_CODEC_PCMU; codec < CORD_CLIP_FORMAT_COUNT; codec++) {
		frame = clip_frame(clip, (enum cord_clip_format)codec, player->frame);
		if (frame) {
			g711_decode((enum cord_codec)codec, w->scratch.player_pcm[i], frame, UNITS);
			return w->scratch.player_pcm[i];
		}
	}
	return NULL;
}

static int32_t gain_of(const struct room *r, uint32_t listener, uint32_t talker)
{
	for (uint32_t i = 0; i < r->gains; i++) {
		if (r->gain[i].listener == listener && r->gain[i].talker == talker)
			return r->gain[i].gain_q14;
	}
	return MIX_GAIN_UNITY;
}

/* All who talk, at unity: what most mixes are a small subtraction from. */
static const int32_t *total(struct worker *w, const struct room *r, uint32_t talking, bool *ready)
{
	int32_t *sum = w->scratch.total;
	bool first = true;

	if (*ready)
		return sum;
	for (uint32_t set = talking; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);
		const int16_t *pcm = talk_pcm(w, worker_member(w, r, i), i);

		if (first)
			mix_set(sum, pcm, UNITS);
		else
			mix_add(sum, pcm, UNITS);
		first = false;
	}
	*ready = true;
	return sum;
}

static const uint8_t *encode(struct worker *w, uint8_t codec, const int16_t *pcm)
{
	uint8_t *codes = w->scratch.codes[w->scratch.encodings];

	g711_encode((enum cord_codec)codec, codes, pcm, UNITS);
	worker_count(w, CORD_COUNTER_frames_mixed, 1);
	return codes;
}

/* The sum of a set at unity, narrowed. */
static const int16_t *mix_set_of(
	struct worker *w, const struct room *r, uint32_t set, uint32_t talking, bool *total_ready)
{
	int32_t *sum = w->scratch.sum;
	uint32_t missing = talking & ~set;

	if ((set & (set - 1)) == 0)
		return talk_pcm(w, worker_member(w, r, (uint32_t)__builtin_ctz(set)),
			(uint32_t)__builtin_ctz(set));
	if (missing && (missing & (missing - 1)) == 0) {
		uint32_t self = (uint32_t)__builtin_ctz(missing);

		mix_minus(w->scratch.mixed, total(w, r, talking, total_ready),
			talk_pcm(w, worker_member(w, r, self), self), UNITS);
		return w->scratch.mixed;
	}
	if (missing == 0) {
		mix_narrow(w->scratch.mixed, total(w, r, talking, total_ready), UNITS);
		return w->scratch.mixed;
	}
	bool first = true;

	for (; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);
		const int16_t *pcm = talk_pcm(w, worker_member(w, r, i), i);

		if (first)
			mix_set(sum, pcm, UNITS);
		else
			mix_add(sum, pcm, UNITS);
		first = false;
	}
	mix_narrow(w->scratch.mixed, sum, UNITS);
	return w->scratch.mixed;
}

/* A mix of its own: gains, or the listener's player beside talkers. */
static const int16_t *mix_alone(struct worker *w, const struct room *r, uint32_t listener,
	uint32_t set, const int16_t *player)
{
	int32_t *sum = w->scratch.sum;

	memset(sum, 0, UNITS * sizeof(*sum));
	for (; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);

		mix_add_gain(sum, talk_pcm(w, worker_member(w, r, i), i), gain_of(r, listener, i),
			UNITS);
	}
	if (player)
		mix_add_gain(sum, player, gain_of(r, listener, listener), UNITS);
	mix_narrow(w->scratch.mixed, sum, UNITS);
	return w->scratch.mixed;
}

/* One talker's codes as they came, where codec and samples allow. */
static const uint8_t *pass_through(struct worker *w, uint32_t set, uint8_t codec)
{
	const struct talk *t = &w->scratch.talk[__builtin_ctz(set)];
	uint8_t *codes = w->scratch.codes[w->scratch.encodings];

	if ((set & (set - 1)) || t->raw == NULL)
		return NULL;
	if (t->codec == codec)
		memcpy(codes, t->raw, UNITS);
	else if (codec == CORD_CODEC_PCMA)
		g711_mu_to_a(codes, t->raw, UNITS);
	else
		g711_a_to_mu(codes, t->raw, UNITS);
	return codes;
}

static const uint8_t *shared(struct worker *w, uint32_t set, uint8_t codec)
{
	for (uint32_t i = 0; i < w->scratch.encodings; i++) {
		const struct encoded *e = &w->scratch.encoded[i];

		if (e->set == set && e->codec == codec)
			return e->codes;
	}
	return NULL;
}

static const uint8_t *keep(struct worker *w, uint32_t set, uint8_t codec, const uint8_t *codes)
{
	w->scratch.encoded[w->scratch.encodings++] = (struct encoded){(uint16_t)set, codec, codes};
	return codes;
}

/* A listener that hears its own player and nobody. */
static const uint8_t *hear_player(struct worker *w, const struct port *p, uint32_t listener)
{
	const struct player *player = &worker_cold(w, p)->player;
	const uint8_t *stored =
		clip_frame(player_clip(player), (enum cord_clip_format)p->codec, player->frame);

	if (stored) {
		worker_count(w, CORD_COUNTER_frames_clip, 1);
		return stored;
	}
	const int16_t *pcm = player_pcm(w, p, listener);

	/* A set of nobody is not shared: what each player plays is its own. */
	return pcm ? keep(w, 0, CORD_CODEC_NONE, encode(w, p->codec, pcm))
		   : listen_silence(p->codec);
}

/* The codes of 20 ms that a member hears. */
const uint8_t *listen_codes(struct worker *w, const struct room *r, uint32_t listener,
	uint32_t talking, bool *total_ready)
{
	const struct port *p = worker_member(w, r, listener);
	uint32_t self = 1u << listener;
	uint32_t set = r->hears[listener] & talking & ~self;
	bool player = (r->hears[listener] & self) && (p->flags & PORT_PLAYING);
	bool gained = r->gained & self;

	if (set == 0 && !player)
		return listen_silence(p->codec);
	if (set == 0 && !gained)
		return hear_player(w, p, listener);
	if (gained || player)
		return keep(w, 0, CORD_CODEC_NONE,
			encode(w, p->codec,
				mix_alone(w, r, listener, set,
					player ? player_pcm(w, p, listener) : NULL)));
	const uint8_t *codes = shared(w, set, p->codec);

	if (codes == NULL) {
		codes = pass_through(w, set, p->codec);
		if (codes == NULL)
			codes = encode(w, p->codec, mix_set_of(w, r, set, talking, total_ready));
		keep(w, set, p->codec, codes);
	}
	return codes;
}
