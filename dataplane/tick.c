/* SPDX-License-Identifier: Apache-2.0 */
#include "tick.h"

#include "event.h"
#include "g711.h"
#include "mix.h"
#include "packet.h"
#include "rtp.h"
#include "tx.h"

#include <rte_prefetch.h>

#define UNITS PORT_PERIOD_UNITS
/* How many rooms ahead of the one being worked things are fetched. */
#define TICK_AHEAD_ROOM    10u
#define TICK_AHEAD_PORT    7u
#define TICK_AHEAD_PACKET  4u
#define TICK_AHEAD_PAYLOAD 2u
#define TICK_LATE_NS       1000000u
/* Periods between two writings of a port's figures, and between two RTCP reports. */
#define TICK_STATUS_PERIODS 16u
#define TICK_RTCP_PERIODS   256u

static const uint8_t *silence_codes(uint8_t codec)
{
	static const uint8_t codes[CORD_CODEC_COUNT][UNITS] = {
		[CORD_CODEC_PCMU] = {[0 ... UNITS - 1] = G711_SILENCE_MU},
		[CORD_CODEC_PCMA] = {[0 ... UNITS - 1] = G711_SILENCE_A},
	};

	return codes[codec];
}

/* ---- take ----------------------------------------------------------------------------------- */

static struct port *member_port(struct worker *w, const struct room *r, uint32_t i)
{
	return &w->dp->port[r->port[i]];
}

static struct port_cold *port_cold(struct worker *w, const struct port *p)
{
	return &w->dp->port_cold[p->slot];
}

static void conceal(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	struct port_cold *cold = port_cold(w, p);

	/* The first loss has no past to repeat: it is silence, and begins the record. */
	if (!(p->flags & PORT_CONCEALS)) {
		conceal_init(&cold->conceal);
		p->flags |= PORT_CONCEALS;
	}
	conceal_lost(&cold->conceal, pcm, samples);
	cold->conceal_good = 0;
}

/* A good frame of a port with a record passes through it. */
static void conceal_pass(struct worker *w, struct port *p, int16_t *pcm, uint32_t samples)
{
	struct port_cold *cold = port_cold(w, p);

	conceal_good(&cold->conceal, pcm, samples);
	if (++cold->conceal_good >= PORT_CONCEAL_CALM)
		p->flags &= (uint16_t)~PORT_CONCEALS;
}

static void note_level(struct port *p, const int16_t *pcm, uint32_t samples)
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
		port_cold(w, p)->concealed += concealed;
		worker_count(w, CORD_COUNTER_frames_concealed, concealed);
	}
	*packet = f == JITTER_FRAME ? nic_mbuf(&w->dp->nic, handle) : NULL;
	return f;
}

/* Adds the next packet's samples to those that wait. False: the talker is silent. */
static bool rich_fill(struct worker *w, struct port *p, uint64_t due_ns)
{
	struct port_cold *cold = port_cold(w, p);
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
		note_level(p, at, samples);
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
	struct port_cold *cold = port_cold(w, p);
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
		struct port_cold *cold = port_cold(w, p);

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
		port_cold(w, p)->silent++;
		worker_count(w, CORD_COUNTER_frames_silent, 1);
		return;
	}
}

static void take(struct worker *w, struct port *p, uint32_t i, uint64_t due_ns)
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

/* ---- mix ------------------------------------------------------------------------------------ */

static const int16_t *talk_pcm(struct worker *w, struct port *p, uint32_t i)
{
	struct talk *t = &w->scratch.talk[i];

	if (t->pcm == NULL) {
		g711_decode((enum cord_codec)t->codec, w->scratch.pcm[i], t->raw, UNITS);
		t->pcm = w->scratch.pcm[i];
		note_level(p, t->pcm, UNITS);
	}
	return t->pcm;
}

static const int16_t *player_pcm(struct worker *w, const struct port *p, uint32_t i)
{
	const struct player *player = &port_cold(w, p)->player;
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
		const int16_t *pcm = talk_pcm(w, member_port(w, r, i), i);

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
		return talk_pcm(w, member_port(w, r, (uint32_t)__builtin_ctz(set)),
			(uint32_t)__builtin_ctz(set));
	if (missing && (missing & (missing - 1)) == 0) {
		uint32_t self = (uint32_t)__builtin_ctz(missing);

		mix_minus(w->scratch.mixed, total(w, r, talking, total_ready),
			talk_pcm(w, member_port(w, r, self), self), UNITS);
		return w->scratch.mixed;
	}
	if (missing == 0) {
		mix_narrow(w->scratch.mixed, total(w, r, talking, total_ready), UNITS);
		return w->scratch.mixed;
	}
	bool first = true;

	for (; set; set &= set - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(set);
		const int16_t *pcm = talk_pcm(w, member_port(w, r, i), i);

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

		mix_add_gain(
			sum, talk_pcm(w, member_port(w, r, i), i), gain_of(r, listener, i), UNITS);
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
	const struct player *player = &port_cold(w, p)->player;
	const uint8_t *stored =
		clip_frame(player_clip(player), (enum cord_clip_format)p->codec, player->frame);

	if (stored) {
		worker_count(w, CORD_COUNTER_frames_clip, 1);
		return stored;
	}
	const int16_t *pcm = player_pcm(w, p, listener);

	/* A set of nobody is not shared: what each player plays is its own. */
	return pcm ? keep(w, 0, CORD_CODEC_NONE, encode(w, p->codec, pcm))
		   : silence_codes(p->codec);
}

/* The codes of 20 ms that a member hears. */
static const uint8_t *hear(struct worker *w, const struct room *r, uint32_t listener,
	uint32_t talking, bool *total_ready)
{
	const struct port *p = member_port(w, r, listener);
	uint32_t self = 1u << listener;
	uint32_t set = r->hears[listener] & talking & ~self;
	bool player = (r->hears[listener] & self) && (p->flags & PORT_PLAYING);
	bool gained = r->gained & self;

	if (set == 0 && !player)
		return silence_codes(p->codec);
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

/* ---- send ----------------------------------------------------------------------------------- */

/* Packets of another length than 20 ms leave when a whole one is there. */
static void send_rich(
	struct worker *w, struct port *p, bool marker, uint32_t timestamp, const uint8_t *codes)
{
	struct port_cold *cold = port_cold(w, p);
	uint32_t bytes = p->ptime_ms * 8u;

	if (marker)
		cold->out_count = 0;
	if (cold->out_count == 0) {
		cold->out_timestamp = timestamp;
		p->marker |= marker;
	}
	memcpy(cold->out + cold->out_count, codes, UNITS);
	cold->out_count += UNITS;
	while (cold->out_count >= bytes) {
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_media, p->marker, p->payload_type,
			cold->out_timestamp, cold->out, (uint16_t)bytes);
		p->marker = 0;
		cold->out_timestamp += bytes;
		cold->out_count -= bytes;
		memmove(cold->out, cold->out + bytes, cold->out_count);
	}
}

/* True: a key took the place of sound in this period. Silence is put in *codes where one is due. */
static bool send_key(struct worker *w, struct port *p, uint32_t timestamp, const uint8_t **codes)
{
	struct port_cold *cold = port_cold(w, p);
	struct telephone_event_packet packet;

	switch (telephone_event_step(&cold->event_out, timestamp, UNITS, &packet)) {
	case TELEPHONE_EVENT_STEP_PACKET:
		if (packet.marker)
			worker_count(w, CORD_COUNTER_digits_sent, 1);
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_event, packet.marker, p->event_payload_type,
			packet.timestamp, packet.payload, sizeof(packet.payload));
		cold->out_count = 0;
		return true;
	case TELEPHONE_EVENT_STEP_SILENCE:
		*codes = silence_codes(p->codec);
		return false;
	case TELEPHONE_EVENT_STEP_DONE:
		port_keys_end(w, p);
		return false;
	default:
		p->flags &= (uint16_t) ~(PORT_KEYS | PORT_KEYS_ASKED);
		return false;
	}
}

static void send(
	struct worker *w, struct port *p, uint32_t i, uint32_t period, const uint8_t *codes)
{
	struct talk *t = &w->scratch.talk[i];
	uint32_t timestamp = p->timestamp_base + period * UNITS;
	bool marker = !(p->flags & PORT_STARTED) || p->period + 1 != period;

	p->flags |= PORT_STARTED;
	p->period = period;
	if ((p->flags & PORT_KEYS) && send_key(w, p, timestamp, &codes))
		return;
	if (p->flags & PORT_RICH_OUT) {
		send_rich(w, p, marker, timestamp, codes);
		return;
	}
	tx_rtp(w, p, t->packet, CORD_COUNTER_tx_media, marker, p->payload_type, timestamp, codes,
		UNITS);
	t->packet = NULL;
}

static void advance_player(struct worker *w, struct port *p)
{
	struct player *player = &port_cold(w, p)->player;

	if (!player_advance(player))
		return;
	p->flags &= (uint16_t)~PORT_PLAYING;
	port_status_write(w, p);
	event_player_end(w, p->id, player->list.generation);
}

static void finish(struct worker *w, struct port *p, uint32_t i, uint32_t period)
{
	uint32_t turn = period + p->slot;

	rte_pktmbuf_free(w->scratch.talk[i].packet);
	if (p->flags & PORT_PLAYING)
		advance_player(w, p);
	if (turn % TICK_RTCP_PERIODS == 0)
		tx_rtcp(w, p, p->timestamp_base + period * UNITS);
	if ((p->flags & PORT_CHANGED) || turn % TICK_STATUS_PERIODS == 0)
		port_status_write(w, p);
	else if (p->flags & PORT_PLAYING)
		port_status_write_player(w, p);
}

static void tick_room(struct worker *w, struct room *r, uint64_t due_ns, uint32_t period)
{
	const uint8_t *codes[CORD_ROOM_MEMBERS_MAX];
	uint32_t talking = 0;
	bool total_ready = false;

	w->scratch.encodings = 0;
	for (uint32_t i = 0; i < r->members; i++) {
		const struct talk *t = &w->scratch.talk[i];

		take(w, member_port(w, r, i), i, due_ns);
		if ((t->raw || t->pcm) && (r->heard >> i & 1))
			talking |= 1u << i;
	}
	for (uint32_t i = 0; i < r->members; i++) {
		const struct port *p = member_port(w, r, i);

		/* Moved here from a room that was worked earlier in this period: it has sent. */
		bool sends = (p->direction & CORD_MAY_SEND) &&
			     !((p->flags & PORT_STARTED) && p->period == period);

		codes[i] = sends ? hear(w, r, i, talking, &total_ready) : NULL;
	}
	for (uint32_t i = 0; i < r->members; i++) {
		struct port *p = member_port(w, r, i);

		if (codes[i])
			send(w, p, i, period, codes[i]);
		finish(w, p, i, period);
	}
}

/* The packet that a port will play next: its header, then its payload. */
static void prefetch_packet(struct worker *w, const struct port *p, bool payload)
{
	uint32_t handle = p->jitter.handle[p->jitter.next_sequence % JITTER_SLOTS];

	if (handle == 0)
		return;
	const struct rte_mbuf *m = nic_mbuf(&w->dp->nic, handle);

	if (!payload) {
		rte_prefetch0(m);
		return;
	}
	const char *data = rte_pktmbuf_mtod(m, const char *);

	rte_prefetch0(data - RTP_HEADER_BYTES - sizeof(struct packet_headers));
	rte_prefetch0(data);
	rte_prefetch0(data + 64);
	rte_prefetch0(data + 128);
}

static void prefetch_ports(struct worker *w, const struct room *r)
{
	for (uint32_t i = 0; i < r->members; i++) {
		const char *p = (const char *)&w->dp->port[r->port[i]];

		rte_prefetch0(p);
		rte_prefetch0(p + 64);
		rte_prefetch0(p + 128);
		rte_prefetch0(p + 192);
	}
}

/* Rolls ahead of the rooms: a room, then its ports, then their packets. */
static void prefetch_room(struct worker *w, const uint32_t *rooms, uint32_t count, uint32_t at)
{
	struct dataplane *dp = w->dp;

	if (at + TICK_AHEAD_ROOM < count)
		rte_prefetch0(&dp->room[rooms[at + TICK_AHEAD_ROOM]]);
	if (at + TICK_AHEAD_PORT < count)
		prefetch_ports(w, &dp->room[rooms[at + TICK_AHEAD_PORT]]);
	for (uint32_t payload = 0; payload < 2; payload++) {
		uint32_t next = at + (payload ? TICK_AHEAD_PAYLOAD : TICK_AHEAD_PACKET);

		if (next >= count)
			continue;
		const struct room *r = &dp->room[rooms[next]];

		for (uint32_t i = 0; i < r->members; i++)
			prefetch_packet(w, member_port(w, r, i), payload);
	}
}

void tick_phase(struct worker *w, uint64_t phase_at)
{
	uint32_t phase = (uint32_t)(phase_at % CORD_PHASES);
	uint32_t period = (uint32_t)(phase_at / CORD_PHASES);
	const uint32_t *rooms = w->phase_rooms[phase];
	uint32_t count = w->phase_count[phase];

	for (uint32_t i = 0; i < count; i++) {
		prefetch_room(w, rooms, count, i);
		tick_room(w, &w->dp->room[rooms[i]], phase_at * WORKER_PHASE_NS, period);
	}
}

uint32_t tick_step(struct worker *w, cord_time now_ns)
{
	uint64_t now_phase = now_ns / WORKER_PHASE_NS;
	uint32_t worked = 0;

	/* The first one ever, or the clock was ahead and has been put back. */
	if (w->phase_at == 0 || w->phase_at > now_phase + 1)
		w->phase_at = now_phase;
	if (now_phase >= w->phase_at + CORD_PHASES) {
		uint64_t skipped = now_phase - w->phase_at - CORD_PHASES + 1;

		worker_count(w, CORD_COUNTER_ticks_skipped, skipped);
		w->phase_at += skipped;
	}
	for (; w->phase_at <= now_phase; w->phase_at++) {
		uint64_t begun = clock_tsc();

		if (now_ns - w->phase_at * WORKER_PHASE_NS > TICK_LATE_NS)
			worker_count(w, CORD_COUNTER_ticks_late, 1);
		if (w->phase_count[w->phase_at % CORD_PHASES])
			tick_phase(w, w->phase_at);
		uint64_t cycles = clock_tsc() - begun;

		worker_count(w, CORD_COUNTER_ticks, 1);
		worker_count(w, CORD_COUNTER_tick_cycles, cycles);
		if (cycles > atomic_load_explicit(
				     &w->shared->counters.value[CORD_COUNTER_tick_cycles_max],
				     memory_order_relaxed))
			worker_gauge(w, CORD_COUNTER_tick_cycles_max, cycles);
		worked++;
		event_wake(w);
	}
	return worked;
}
