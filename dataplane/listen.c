/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include "g711.h"
#include "mix.h"
#include "pass.h"
#include "take.h"

#define UNITS PORT_PERIOD_UNITS
/* A port that may pause is told so again after so many periods. */
#define PAUSE_PERIODS 10u
/* Comfort noise of nobody: -dBov (RFC 3389 section 3.1). */
#define NOISE_OF_NOBODY 78u

/* ---- samples -------------------------------------------------------------------------------- */

/* A source that rested begins at the other rate anew; to be called once a period. */
static void rate_follow(struct worker *w, struct port_rate *rate)
{
	if (rate->period + 1 != w->scratch.period) {
		memset(&rate->up, 0, sizeof(rate->up));
		memset(&rate->down, 0, sizeof(rate->down));
	}
	rate->period = w->scratch.period;
}

const int16_t *listen_talk(struct worker *w, const struct room *r, uint32_t i, enum tick_rate rate)
{
	struct talk *t = &w->scratch.talk[i];
	struct port *p = worker_member(w, r, i);

	if (t->later)
		take_samples(w, p, i);
	if (t->pcm[rate])
		return t->pcm[rate];
	if (t->raw && t->pcm[TICK_NARROW] == NULL) {
		g711_decode((enum cord_codec)t->codec, w->scratch.narrow[i], t->raw, UNITS);
		t->pcm[TICK_NARROW] = w->scratch.narrow[i];
		if (jitter_asks_quiet(&p->jitter))
			take_note_level(p, t->pcm[TICK_NARROW], UNITS);
	}
	if (t->pcm[rate])
		return t->pcm[rate];
	struct port_rate *other = &worker_rich(w, p)->talk_rate;

	rate_follow(w, other);
	if (rate == TICK_WIDE) {
		resample_up(&other->up, w->scratch.wide[i], t->pcm[TICK_NARROW], UNITS);
		t->pcm[rate] = w->scratch.wide[i];
	} else {
		resample_down(&other->down, w->scratch.narrow[i], t->pcm[TICK_WIDE], UNITS);
		t->pcm[rate] = w->scratch.narrow[i];
	}
	return t->pcm[rate];
}

/* A stored frame at 8 kHz, decoded where that is needed. */
static const int16_t *stored_narrow(
	struct worker *w, const struct clip *clip, uint32_t frame, uint32_t i)
{
	uint32_t bytes;
	const uint8_t *stored = clip_frame(clip, CORD_CLIP_L16, frame, &bytes);

	if (stored)
		return (const int16_t *)(const void *)stored;
	for (uint32_t codec = CORD_CODEC_PCMU; codec <= CORD_CODEC_PCMA; codec++) {
		stored = clip_frame(clip, (enum cord_clip_format)codec, frame, &bytes);
		if (stored) {
			g711_decode(
				(enum cord_codec)codec, w->scratch.player_narrow[i], stored, UNITS);
			return w->scratch.player_narrow[i];
		}
	}
	return NULL;
}

static const int16_t *play_at(
	struct worker *w, const struct port *p, uint32_t i, enum tick_rate rate)
{
	const struct player *player = &worker_cold(w, p)->player;
	const struct clip *clip = player_clip(player);
	uint32_t frame = player->frame, bytes;
	const int16_t *narrow = stored_narrow(w, clip, frame, i);
	const int16_t *wide =
		(const int16_t *)(const void *)clip_frame(clip, CORD_CLIP_L16_WIDE, frame, &bytes);

	if (rate == TICK_NARROW && (narrow || !wide))
		return narrow;
	if (rate == TICK_WIDE && (wide || !narrow))
		return wide;
	struct port_rate *other = &worker_rich(w, p)->player_rate;

	rate_follow(w, other);
	if (rate == TICK_NARROW) {
		resample_down(&other->down, w->scratch.player_narrow[i], wide, UNITS);
		return w->scratch.player_narrow[i];
	}
	resample_up(&other->up, w->scratch.player_wide[i], narrow, UNITS);
	return w->scratch.player_wide[i];
}

/* What the player of member i plays, at a rate; NULL: its clip has no samples (yet). */
static const int16_t *player_pcm(
	struct worker *w, const struct port *p, uint32_t i, enum tick_rate rate)
{
	struct talk *t = &w->scratch.talk[i];

	if (t->played[rate] == NULL)
		t->played[rate] = play_at(w, p, i, rate);
	return t->played[rate];
}

/* ---- mixing --------------------------------------------------------------------------------- */

static int32_t gain_of(const struct room *r, uint32_t listener, uint32_t talker)
{
	for (uint32_t i = 0; i < r->gains; i++) {
		if (r->gain[i].listener == listener && r->gain[i].talker == talker)
			return r->gain[i].gain_q14;
	}
	return MIX_GAIN_UNITY;
}

static void sum_of(
	struct worker *w, const struct room *r, uint32_t set, enum tick_rate rate, int32_t *sum)
{
	bool first = true;

	for (; set; set &= set - 1) {
		const int16_t *pcm = listen_talk(w, r, (uint32_t)__builtin_ctz(set), rate);

		if (first)
			mix_set(sum, pcm, TICK_SAMPLES(rate));
		else
			mix_add(sum, pcm, TICK_SAMPLES(rate));
		first = false;
	}
}

/* All who talk, at unity: what most mixes are a small subtraction from. */
static const int32_t *total(
	struct worker *w, const struct room *r, uint32_t talking, enum tick_rate rate)
{
	if (!w->scratch.total_ready[rate])
		sum_of(w, r, talking, rate, w->scratch.total[rate]);
	w->scratch.total_ready[rate] = true;
	return w->scratch.total[rate];
}

/* Whether one is all there is in a set, and its samples are there: the silent may not be decoded. */
static bool single_made(const struct worker *w, uint32_t set)
{
	return set && (set & (set - 1)) == 0 && !w->scratch.talk[__builtin_ctz(set)].later;
}

/* The sum of a set at unity, narrowed. */
static const int16_t *mix_set_of(
	struct worker *w, const struct room *r, uint32_t set, uint32_t talking, enum tick_rate rate)
{
	int16_t *mixed = w->scratch.mixed;
	uint32_t missing = talking & ~set, samples = TICK_SAMPLES(rate);
	uint32_t others = set & (set - 1); /* all but the first */

	if (others == 0)
		return listen_talk(w, r, (uint32_t)__builtin_ctz(set), rate);
	if ((others & (others - 1)) == 0) {
		mix_pair(mixed, listen_talk(w, r, (uint32_t)__builtin_ctz(set), rate),
			listen_talk(w, r, (uint32_t)__builtin_ctz(others), rate), samples);
		return mixed;
	}
	if (single_made(w, missing)) {
		const int16_t *self = listen_talk(w, r, (uint32_t)__builtin_ctz(missing), rate);

		mix_minus(mixed, total(w, r, talking, rate), self, samples);
		return mixed;
	}
	if (missing == 0) {
		mix_narrow(mixed, total(w, r, talking, rate), samples);
		return mixed;
	}
	sum_of(w, r, set, rate, w->scratch.sum);
	mix_narrow(mixed, w->scratch.sum, samples);
	return mixed;
}

/* A mix of its own: gains, or the listener's player beside talkers. */
static const int16_t *mix_alone(struct worker *w, const struct room *r, uint32_t listener,
	uint32_t set, const int16_t *player, enum tick_rate rate)
{
	int32_t *sum = w->scratch.sum;
	uint32_t samples = TICK_SAMPLES(rate);

	memset(sum, 0, samples * sizeof(*sum));
	for (; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);

		mix_add_gain(sum, listen_talk(w, r, i, rate), gain_of(r, listener, i), samples);
	}
	if (player)
		mix_add_gain(sum, player, gain_of(r, listener, listener), samples);
	mix_narrow(w->scratch.mixed, sum, samples);
	return w->scratch.mixed;
}

/* ---- encoding ------------------------------------------------------------------------------- */

/* The rate at which a listener hears a room. */
static enum tick_rate listener_rate(struct worker *w, const struct room *r, const struct port *p)
{
	if (!r->wide || !cord_codec_wide(p->codec))
		return TICK_NARROW;
	return p->codec == CORD_CODEC_OPUS && worker_cold(w, p)->opus_rate_khz == 8 ? TICK_NARROW
										    : TICK_WIDE;
}

/* Whether two ports that hear the same can be sent the same. */
static bool coded_alike(struct worker *w, const struct port *a, const struct port *b)
{
	const struct port_cold *x = worker_cold(w, a), *y = worker_cold(w, b);

	if (a->codec != b->codec || !cord_codec_wide(a->codec))
		return a->codec == b->codec;
	return port_frame_ms(a) == port_frame_ms(b) && x->opus_rate_khz == y->opus_rate_khz &&
	       codec_encoding_equal(&x->encoding, &y->encoding);
}

static const struct sound *shared(
	struct worker *w, const struct room *r, const struct port *p, uint32_t mix)
{
	for (uint32_t i = 0; i < w->scratch.encodings; i++) {
		const struct encoded *e = &w->scratch.encoded[i];

		if (e->mix == mix && e->codec == p->codec &&
			coded_alike(w, p, worker_member(w, r, e->by))) {
			worker_count(w, CORD_COUNTER_frames_shared, 1);
			return &e->sound;
		}
	}
	return NULL;
}

/* Keeps a sound whose codes are those that codes_next() gave. */
static struct sound keep(
	struct worker *w, const struct port *p, uint32_t mix, const struct sound *sound)
{
	w->scratch.encoded[w->scratch.encodings++] =
		(struct encoded){(uint16_t)mix, p->codec, p->member, *sound};
	return *sound;
}

static uint8_t *codes_next(struct worker *w)
{
	return w->scratch.codes[w->scratch.encodings];
}

static struct sound sound_of(const uint8_t *codes, uint32_t bytes)
{
	return (struct sound){.codes = codes, .bytes = {(uint16_t)bytes}, .frames = 1};
}

/* Whether the coder's encoder has encoded all of a stream so far. */
static bool goes_on(
	const struct worker *w, const struct coder *c, const struct coder_stream *stream)
{
	return coder_stream_equal(&c->out.stream, stream) && c->out.period + 1 == w->scratch.period;
}

/*
 * The encoder of a stream whose port is sent a talker's own packets now goes to the one who encodes
 * for those who still share it: they hear nothing of that.
 */
static void take_over(
	struct worker *w, const struct room *r, struct coder *c, const struct coder_stream *stream)
{
	for (uint32_t set = stream->listeners; set; set &= set - 1) {
		const struct port *p = worker_member(w, r, (uint32_t)__builtin_ctz(set));
		struct coder *other = worker_cold(w, p)->coder;

		if (pass_now(w, p) && goes_on(w, other, stream)) {
			coder_swap_encoders(c, other);
			return;
		}
	}
}

/*
 * A listener of a stream who was sent a talker's own packets until now; NULL: none. An encoder in the
 * middle of something is of no use to it.
 */
static const struct port *newcomer(
	struct worker *w, const struct room *r, const struct coder_stream *stream)
{
	for (uint32_t set = stream->listeners; set; set &= set - 1) {
		const struct port *p = worker_member(w, r, (uint32_t)__builtin_ctz(set));

		if (pass_ended(w, p))
			return p;
	}
	return NULL;
}

/* As agreed, or what there is time for. */
static uint8_t complexity(const struct worker *w, const struct port_cold *cold)
{
	return cold->encoding.complexity < w->pace.complexity ? cold->encoding.complexity
							      : (uint8_t)w->pace.complexity;
}

static void begin_anew(struct worker *w, const struct port *p, const struct coder_stream *stream,
	const struct port *joins)
{
	struct port_cold *cold = worker_cold(w, p);
	struct coder_out *out = &cold->coder->out;
	struct codec_encoding encoding = cold->encoding;
	const int16_t *before = joins ? pass_before(w, joins) : NULL;

	encoding.rate_khz = p->codec == CORD_CODEC_OPUS ? stream->rate_khz : 16;
	encoding.complexity = complexity(w, cold);
	codec_encoder_reset(out->encoder, &encoding);
	if (before && encoding.rate_khz == 16)
		codec_encoder_join(out->encoder, before, CODER_SAMPLES);
	memset(&out->up, 0, sizeof(out->up));
	out->stream = *stream;
}

/*
 * Encodes with the coder of the port, for all `listeners` of the stream. Where it was of something
 * else so far, or rested, or one of them comes to it, it begins anew.
 */
static void encode_coded(struct worker *w, const struct room *r, struct port *p,
	const struct coder_stream *stream, const int16_t *pcm, struct sound *sound)
{
	struct port_cold *cold = worker_cold(w, p);
	struct coder *c = cold->coder;
	int16_t wide[TICK_SAMPLES_MAX];
	uint32_t ms = p->codec == CORD_CODEC_OPUS ? port_frame_ms(p) : 20, bytes = 0;
	const struct port *joins = newcomer(w, r, stream);

	if (joins == NULL && !goes_on(w, c, stream))
		take_over(w, r, c, stream);
	if (joins || !goes_on(w, c, stream))
		begin_anew(w, p, stream, joins);
	c->out.period = w->scratch.period;
	codec_encoder_complexity(c->out.encoder, complexity(w, cold));
	if (p->codec == CORD_CODEC_G722 && stream->rate_khz == 8) {
		resample_up(&c->out.up, wide, pcm, UNITS);
		pcm = wide;
	}
	uint32_t khz = p->codec == CORD_CODEC_OPUS ? stream->rate_khz : 16;

	w->opus_coded |= p->codec == CORD_CODEC_OPUS;
	for (uint32_t at = 0; at < 20; at += ms) {
		size_t n = codec_encode(
			c->out.encoder, codes_next(w) + bytes, pcm + at * khz, ms * khz);

		sound->bytes[sound->frames++] = (uint16_t)n;
		bytes += (uint32_t)n;
	}
	worker_count(w, CORD_COUNTER_frames_coded, 1);
}

/* Encodes 20 ms of samples for a listener, and for those who may share it. */
static struct sound encode(struct worker *w, const struct room *r, uint32_t listener, uint32_t mix,
	uint32_t listeners, const int16_t *pcm)
{
	struct port *p = worker_member(w, r, listener);
	struct sound sound = {.codes = codes_next(w)};

	worker_count(w, CORD_COUNTER_frames_mixed, 1);
	if (cord_codec_wide(p->codec)) {
		const struct coder_stream stream = {
			.room = r->slot,
			.mix = (uint16_t)mix,
			.listeners = (uint16_t)listeners,
			.rate_khz = listener_rate(w, r, p) == TICK_WIDE ? 16 : 8,
		};

		encode_coded(w, r, p, &stream, pcm, &sound);
		return sound;
	}
	g711_encode((enum cord_codec)p->codec, codes_next(w), pcm, UNITS);
	sound.bytes[sound.frames++] = UNITS;
	return sound;
}

/* ---- listeners ------------------------------------------------------------------------------ */

static struct sound silence(const struct worker *w, const struct port *p)
{
	uint32_t ms = port_frame_ms(p);
	const struct silence *s = &w->silence[p->codec][ms == 20];
	struct sound sound = sound_of(s->codes, s->bytes);

	if (p->codec == CORD_CODEC_OPUS && ms == 10)
		sound = (struct sound){.codes = s->codes,
			.bytes = {(uint16_t)(s->bytes / 2), (uint16_t)(s->bytes / 2)},
			.frames = 2};
	return sound;
}

/* A port that may pause is sent how silent it is, at first and then at times, and nothing else. */
static struct sound paused(struct worker *w, const struct port *p)
{
	static const uint8_t noise = NOISE_OF_NOBODY;
	struct port_cold *cold = worker_cold(w, p);
	bool opus = p->codec == CORD_CODEC_OPUS;

	if (!opus && cold->noise_payload_type == CORD_NO_PAYLOAD_TYPE)
		return silence(w, p);
	if (cold->paused++ % PAUSE_PERIODS)
		return (struct sound){0};
	if (opus)
		return silence(w, p);
	struct sound sound = sound_of(&noise, sizeof(noise));

	sound.noise = true;
	return sound;
}

struct sound listen_silence(struct worker *w, const struct port *p)
{
	return p->flags & PORT_MAY_PAUSE ? paused(w, p) : silence(w, p);
}

/* One talker's codes as they came, where codec and samples allow. False: they do not. */
static bool pass_through(struct worker *w, uint32_t set, uint8_t codec, struct sound *sound)
{
	const struct talk *t = &w->scratch.talk[__builtin_ctz(set)];
	uint8_t *codes = codes_next(w);

	if ((set & (set - 1)) || t->raw == NULL || cord_codec_wide(codec))
		return false;
	if (t->codec == codec)
		memcpy(codes, t->raw, UNITS);
	else if (codec == CORD_CODEC_PCMA)
		g711_mu_to_a(codes, t->raw, UNITS);
	else
		g711_a_to_mu(codes, t->raw, UNITS);
	*sound = sound_of(codes, UNITS);
	return true;
}

/* A frame of the clip as the port's peer takes it; false: there is none. */
static bool stored(struct worker *w, const struct port *p, struct sound *sound)
{
	const struct player *player = &worker_cold(w, p)->player;
	uint32_t bytes;

	if (p->codec == CORD_CODEC_OPUS && port_frame_ms(p) != 20)
		return false;
	const uint8_t *codes = clip_frame(
		player_clip(player), (enum cord_clip_format)p->codec, player->frame, &bytes);

	if (codes == NULL)
		return false;
	*sound = sound_of(codes, bytes);
	worker_count(w, CORD_COUNTER_frames_clip, 1);
	return true;
}

/* A listener whose sound nobody else can have: gains, or its own player. */
static struct sound hear_alone(
	struct worker *w, const struct room *r, uint32_t listener, uint32_t set, bool player)
{
	const struct port *p = worker_member(w, r, listener);
	enum tick_rate rate = listener_rate(w, r, p);
	bool gained = r->gained & 1u << listener;
	const int16_t *played = player ? player_pcm(w, p, listener, rate) : NULL;
	const int16_t *pcm =
		set == 0 && !gained ? played : mix_alone(w, r, listener, set, played, rate);

	if (pcm == NULL)
		return listen_silence(w, p);
	struct sound sound = encode(w, r, listener, r->member[listener].hears, 1u << listener, pcm);

	return keep(w, p, 0, &sound);
}

/* Whether a member hears a mix that others may share. */
static bool hears_alone(struct worker *w, const struct room *r, uint32_t i)
{
	uint32_t self = 1u << i;

	return (r->gained & self) ||
	       ((r->member[i].hears & self) && (worker_member(w, r, i)->flags & PORT_PLAYING));
}

/* Who shares the stream of a listener of a codec that remembers: the same mask, the same coding. */
static uint32_t listeners_of(struct worker *w, const struct room *r, uint32_t listener)
{
	const struct port *p = worker_member(w, r, listener);
	uint32_t mix = r->member[listener].hears & ~(1u << listener), all = 0;

	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *other = worker_member(w, r, i);

		if ((r->member[i].hears & ~(1u << i)) == mix &&
			(other->direction & CORD_MAY_SEND) && !hears_alone(w, r, i) &&
			coded_alike(w, p, other))
			all |= 1u << i;
	}
	return all;
}

/*
 * What several may hear. G.711 forgets, so all who hear the same now share it; a stream of G.722 or
 * Opus belongs to those whose mask is the same, whoever talks.
 */
static struct sound hear_mix(
	struct worker *w, const struct room *r, uint32_t listener, uint32_t set, uint32_t talking)
{
	const struct port *p = worker_member(w, r, listener);
	bool coded = cord_codec_wide(p->codec);
	uint32_t mix = coded ? r->member[listener].hears & ~(1u << listener) : set;
	const struct sound *have = shared(w, r, p, mix);
	struct sound sound;

	if (have)
		return *have;
	if (!pass_through(w, set, p->codec, &sound)) {
		const int16_t *pcm = mix_set_of(w, r, set, talking, listener_rate(w, r, p));
		uint32_t listeners = coded ? listeners_of(w, r, listener) : 0;

		sound = encode(w, r, listener, mix, listeners, pcm);
	}
	return keep(w, p, mix, &sound);
}

/*
 * A peer without telephone-events is sent keys as tones, and nothing else meanwhile. False: none is
 * being sent (any more).
 */
static bool hear_key(struct worker *w, const struct room *r, uint32_t listener, struct sound *sound)
{
	struct port *p = worker_member(w, r, listener);
	enum tick_rate rate = listener_rate(w, r, p);
	int16_t *pcm = w->scratch.mixed;
	struct telephone_event_packet packet;

	switch (port_key_step(w, p, 0, 8, &packet)) {
	case TELEPHONE_EVENT_STEP_PACKET:
		if (telephone_event_held(&worker_cold(w, p)->event_out))
			break;
		/* fall through */
	case TELEPHONE_EVENT_STEP_SILENCE:
		*sound = listen_silence(w, p);
		return true;
	default:
		return false;
	}
	uint32_t from = telephone_event_duration(&packet) - UNITS;

	worker_cold(w, p)->paused = 0;
	inband_keys_tone(telephone_event_digit(packet.payload[0]), 8000u << rate, from << rate, pcm,
		TICK_SAMPLES(rate));
	*sound = encode(w, r, listener, 0, 1u << listener, pcm);
	keep(w, p, 0, sound);
	return true;
}

/*
 * What a listener is sent that has nothing to do with what others are: the tone of a key, or a
 * talker's own packets. False: neither.
 */
static bool hear_apart(struct worker *w, const struct room *r, uint32_t listener, uint32_t talking,
	struct sound *sound)
{
	const struct port *p = worker_member(w, r, listener);
	const uint32_t tones = PORT_KEYS | PORT_INBAND;

	if ((p->flags & tones) == tones && hear_key(w, r, listener, sound))
		return true;
	if (!cord_codec_wide(p->codec) ||
		!pass_sound(w, r, listener, r->member[listener].hears & talking & ~(1u << listener),
			sound))
		return false;
	worker_cold(w, p)->paused = 0;
	return true;
}

static struct sound hear(
	struct worker *w, const struct room *r, uint32_t listener, uint32_t talking)
{
	const struct port *p = worker_member(w, r, listener);
	uint32_t self = 1u << listener;
	uint32_t set = r->member[listener].hears & talking & ~self;
	bool player = (r->member[listener].hears & self) && (p->flags & PORT_PLAYING);
	bool coded = cord_codec_wide(p->codec);
	struct sound sound;

	if (coded)
		set = pass_heard(w, set);
	if (set == 0 && !player)
		return listen_silence(w, p);
	if (p->flags & PORT_MAY_PAUSE)
		worker_cold(w, p)->paused = 0;
	if (set == 0 && !(r->gained & self) && stored(w, p, &sound))
		return sound;
	if (coded)
		pass_coded(w, p);
	if (hears_alone(w, r, listener))
		return hear_alone(w, r, listener, set, player);
	return hear_mix(w, r, listener, set, talking);
}

void listen_room(struct worker *w, const struct room *r, uint32_t listeners, uint32_t talking,
	struct sound sound[CORD_ROOM_MEMBERS_MAX])
{
	uint32_t others = 0;

	for (uint32_t set = listeners; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);

		if (!hear_apart(w, r, i, talking, &sound[i]))
			others |= 1u << i;
	}
	/* Who shares what is known now. */
	for (; others; others &= others - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(others);

		sound[i] = hear(w, r, i, talking);
	}
}

void listen_begin(struct worker *w, uint32_t period)
{
	struct tick_scratch *s = &w->scratch;

	s->encodings = 0;
	s->period = period;
	s->quiet = s->silent = 0;
	memset(s->total_ready, 0, sizeof(s->total_ready));
}

void listen_prepare(struct worker *w)
{
	for (uint32_t codec = CORD_CODEC_PCMU; codec < CORD_CODEC_COUNT; codec++) {
		struct silence *s = w->silence[codec];

		/* In the one row a frame of 10 ms twice, in the other one of 20 ms. */
		size_t n = codec_silence((enum cord_codec)codec, 10, s[0].codes);

		s[0].bytes =
			(uint32_t)(n + codec_silence((enum cord_codec)codec, 10, s[0].codes + n));
		s[1].bytes = (uint32_t)codec_silence((enum cord_codec)codec, 20, s[1].codes);
	}
}

void listen_mix(struct worker *w, const struct room *r, uint32_t set, uint32_t players,
	enum tick_rate rate, int16_t *pcm)
{
	int32_t *sum = w->scratch.sum;

	memset(sum, 0, TICK_SAMPLES(rate) * sizeof(*sum));
	for (; set; set &= set - 1)
		mix_add(sum, listen_talk(w, r, (uint32_t)__builtin_ctz(set), rate),
			TICK_SAMPLES(rate));
	for (; players; players &= players - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(players);
		const struct port *p = worker_member(w, r, i);
		const int16_t *played = p->flags & PORT_PLAYING ? player_pcm(w, p, i, rate) : NULL;

		if (played)
			mix_add(sum, played, TICK_SAMPLES(rate));
	}
	mix_narrow(pcm, sum, TICK_SAMPLES(rate));
}
