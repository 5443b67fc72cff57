/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "event.h"
#include "link.h"
#include "packet.h"
#include "port_secure.h"
#include "room.h"
#include "tx.h"
#include "worker.h"

static bool ptime_allowed(uint8_t ms)
{
	return ms == 10 || ms == 20 || ms == 30 || ms == 40 || ms == 60;
}

static bool event_type_allowed(uint8_t event, uint8_t media)
{
	return event == CORD_NO_PAYLOAD_TYPE || (event < 128 && event != media);
}

static bool noise_type_allowed(uint8_t noise, uint8_t media, uint8_t event)
{
	return noise == CORD_NO_PAYLOAD_TYPE || (noise < 128 && noise != media && noise != event);
}

/* Keys are events or in the sound, so that none is told twice. */
static bool events_allowed(const struct cord_terms *t)
{
	if (t->event_payload_type == CORD_NO_PAYLOAD_TYPE &&
		t->receive_event_payload_type == CORD_NO_PAYLOAD_TYPE)
		return true;
	if (t->flags & CORD_TERMS_INBAND_KEYS)
		return false;
	return t->event_clock_hz == 8000 || t->event_clock_hz == 16000 ||
	       t->event_clock_hz == 48000;
}

static bool payload_types_allowed(const struct cord_terms *t)
{
	return t->payload_type < 128 && t->receive_payload_type < 128 &&
	       event_type_allowed(t->event_payload_type, t->payload_type) &&
	       event_type_allowed(t->receive_event_payload_type, t->receive_payload_type) &&
	       noise_type_allowed(t->noise_payload_type, t->payload_type, t->event_payload_type) &&
	       noise_type_allowed(t->receive_noise_payload_type, t->receive_payload_type,
		       t->receive_event_payload_type) &&
	       events_allowed(t);
}

/* Of the family of the port's own address; a group or an IPv4 address in IPv6 is no peer. */
static bool remote_allowed(const struct dataplane *dp, uint32_t slot, const struct cord_address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->udp_port == 0 ||
		a->family != dp->config.address[slot / dp->ports_per_address].family)
		return false;
	return a->family == CORD_FAMILY_IPV4 ||
	       (a->ip[0] != 0xff && memcmp(a->ip, mapped, sizeof(mapped)) != 0);
}

static bool coding_allowed(const struct cord_terms *t)
{
	if (t->codec <= CORD_CODEC_NONE || t->codec >= CORD_CODEC_COUNT)
		return false;
	if (t->codec != CORD_CODEC_OPUS)
		return (t->flags & (CORD_TERMS_OPUS_FEC | CORD_TERMS_OPUS_PASS)) == 0;
	return (t->opus_rate_khz == 8 || t->opus_rate_khz == 16) && t->opus_complexity <= 10 &&
	       t->opus_loss_percent <= 100 &&
	       (t->opus_bitrate == 0 || (t->opus_bitrate >= CODEC_OPUS_BITRATE_MIN &&
						t->opus_bitrate <= CODEC_OPUS_BITRATE_MAX));
}

static bool terms_allowed(const struct dataplane *dp, uint32_t slot, const struct cord_terms *t)
{
	return remote_allowed(dp, slot, &t->remote) && coding_allowed(t) &&
	       payload_types_allowed(t) && ptime_allowed(t->ptime_ms) &&
	       (t->direction & ~(CORD_MAY_SEND | CORD_MAY_RECEIVE)) == 0 &&
	       (t->flags & ~CORD_TERMS_FLAGS) == 0 &&
	       (t->jitter_max_ms == 0 || t->jitter_min_ms <= t->jitter_max_ms) &&
	       port_secure_allowed(t);
}

/* A flow label is to look random and to stay (RFC 6437 section 3), as our SSRC does. */
static uint32_t flow_label(uint32_t ssrc)
{
	return (ssrc * 2654435761u) >> 12;
}

/* As both compare: what is not of an IPv4 address is 0. */
static struct cord_address remote_of(const struct cord_terms *t)
{
	struct cord_address a = {.family = t->remote.family, .udp_port = t->remote.udp_port};

	memcpy(a.ip, t->remote.ip, a.family == CORD_FAMILY_IPV6 ? sizeof(a.ip) : 4);
	return a;
}

static void remote_set(struct dataplane *dp, struct port *p, const struct cord_address *a)
{
	if (p->family == CORD_FAMILY_IPV6)
		memcpy(dp->port_cold[p->slot].ipv6.remote, a->ip, sizeof(a->ip));
	else
		memcpy(&p->remote_ip, a->ip, sizeof(p->remote_ip));
	p->remote_udp = packet_be16(a->udp_port);
}

static bool remote_is(
	const struct dataplane *dp, const struct port *p, const struct cord_address *a)
{
	if (p->remote_udp != packet_be16(a->udp_port))
		return false;
	return p->family == CORD_FAMILY_IPV6
		       ? memcmp(dp->port_cold[p->slot].ipv6.remote, a->ip, sizeof(a->ip)) == 0
		       : memcmp(&p->remote_ip, a->ip, sizeof(p->remote_ip)) == 0;
}

static uint32_t next_hop_acquire(struct worker *w, uint32_t slot, const struct cord_address *remote)
{
	struct dataplane *dp = w->dp;
	uint32_t local = slot / dp->ports_per_address;
	struct cord_address hop;
	uint8_t mac[6];

	if (!neighbor_next_hop(&dp->neighbors, local, remote, &hop))
		return NEIGHBOR_NONE;
	uint32_t index = neighbor_acquire(&dp->neighbors, &hop);

	if (index != NEIGHBOR_NONE && !neighbor_mac(&dp->neighbors, index, mac)) {
		struct rte_mbuf *m = link_question(&dp->nic, &dp->config.address[local], &hop);

		if (m)
			tx_frame(w, m, CORD_COUNTER_tx_other);
	}
	return index;
}

void port_move(struct worker *w, struct port *p, const struct cord_address *to)
{
	remote_set(w->dp, p, to);
	neighbor_release(&w->dp->neighbors, p->neighbor);
	p->neighbor = next_hop_acquire(w, p->slot, to);
}

/* An encoder that goes on would go on as it was told before. */
static void encoding_set(struct port_cold *cold, const struct codec_encoding *encoding)
{
	if (cold->coder && !codec_encoding_equal(&cold->encoding, encoding))
		cold->coder->out.stream = (struct coder_stream){0};
	cold->encoding = *encoding;
}

static void coding_apply(struct port_cold *cold, const struct cord_terms *t)
{
	struct codec_encoding encoding = {.codec = t->codec, .rate_khz = 16};

	cold->noise_payload_type = t->noise_payload_type;
	cold->receive_noise_payload_type = t->receive_noise_payload_type;
	cold->opus_rate_khz = t->opus_rate_khz;
	cold->opus_pass = t->flags & CORD_TERMS_OPUS_PASS;
	if (t->codec == CORD_CODEC_OPUS) {
		encoding.complexity = t->opus_complexity;
		encoding.loss = t->opus_loss_percent;
		encoding.fec = t->flags & CORD_TERMS_OPUS_FEC;
		encoding.dtx = t->flags & CORD_TERMS_MAY_PAUSE;
		encoding.bitrate = t->opus_bitrate ? t->opus_bitrate : CODEC_OPUS_BITRATE;
	}
	encoding_set(cold, &encoding);
}

static void terms_apply(struct dataplane *dp, struct port *p, const struct cord_terms *t)
{
	p->codec = t->codec;
	p->payload_type = t->payload_type;
	p->event_payload_type = t->event_payload_type;
	p->receive_payload_type = t->receive_payload_type;
	p->receive_event_payload_type = t->receive_event_payload_type;
	p->ptime_ms = t->ptime_ms;
	p->direction = t->direction;
	jitter_bounds(&p->jitter, t->jitter_min_ms, t->jitter_max_ms);
	jitter_recovers(
		&p->jitter, t->codec == CORD_CODEC_OPUS && (t->flags & CORD_TERMS_OPUS_FEC));
	p->flags &= (uint16_t) ~(PORT_RICH_OUT | PORT_MAY_PAUSE | PORT_RTCP_MUX);
	if (t->flags & CORD_TERMS_RTCP_MUX)
		p->flags |= PORT_RTCP_MUX;
	if (t->ptime_ms != 20 || t->codec == CORD_CODEC_OPUS)
		p->flags |= PORT_RICH_OUT;
	if (t->flags & CORD_TERMS_MAY_PAUSE)
		p->flags |= PORT_MAY_PAUSE;
	if (cord_codec_wide(t->codec))
		p->flags |= PORT_RICH_IN;
	struct port_cold *cold = &dp->port_cold[p->slot];

	cold->report.remote_udp =
		learn_rtcp_port(p, &cold->learn, packet_be16(t->remote_rtcp_udp_port));
	cold->report.timeout_s = t->media_timeout_s;
	coding_apply(cold, t);
}

static void coder_return(struct worker *w, struct port_cold *cold)
{
	if (cold->coder)
		coder_give(&w->coders, cold->coder);
	cold->coder = NULL;
}

/* Takes or gives back what the codec needs, and begins it. One is left where it is needed. */
static void coder_suit(struct worker *w, struct port_cold *cold, uint8_t codec)
{
	if (!cord_codec_wide(codec))
		coder_return(w, cold);
	else if (cold->coder)
		coder_begin(cold->coder, (enum cord_codec)codec);
	else
		cold->coder = coder_take(&w->coders, (enum cord_codec)codec);
}

struct port *port_find(struct worker *w, cord_id id, enum cord_refusal *refusal)
{
	struct dataplane *dp = w->dp;
	uint32_t slot = cord_id_slot(id);

	*refusal = CORD_REFUSAL_BAD_SLOT;
	if (slot >= dp->config.ports)
		return NULL;
	uint8_t owner = atomic_load_explicit(&dp->port_owner[slot], memory_order_acquire);

	*refusal = CORD_REFUSAL_STALE_ID;
	if (owner == OWNER_NONE || id == 0)
		return NULL;
	*refusal = CORD_REFUSAL_WRONG_WORKER;
	if (owner != w->index)
		return NULL;
	*refusal = CORD_REFUSAL_STALE_ID;
	if (dp->port[slot].id != id)
		return NULL;
	*refusal = CORD_REFUSAL_NONE;
	return &dp->port[slot];
}

/*
 * Numbers of the stream follow from its random SSRC and the time: where a new dataplane takes the
 * port over, its packets go on where the old one's would be by then, and the peer sees a gap, not a
 * jump back.
 */
static void number_stream(struct port *p, const struct cord_port_open *m, cord_time now_ns)
{
	uint32_t start = m->ssrc * 2654435761u;

	p->timestamp_base = start;
	p->sequence = (uint16_t)((start >> 16) + now_ns / (m->terms.ptime_ms * 1000000ull));
}

static void port_init(struct worker *w, struct port *p, const struct cord_port_open *m,
	uint32_t slot, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	struct port_cold *cold = &dp->port_cold[slot];
	uint32_t local = slot / dp->ports_per_address;
	uint32_t random[3];

	memset(p, 0, sizeof(*p));
	memset(cold, 0, sizeof(*cold));
	cold->last_generation = cord_id_generation(m->port);
	cold->opened = now_ns;
	p->id = m->port;
	p->slot = slot;
	p->room = PORT_NONE;
	p->neighbor = NEIGHBOR_NONE;
	p->ssrc = m->ssrc;
	p->family = dp->config.address[local].family;
	p->local_ip = dp->ipv4[local];
	memcpy(cold->ipv6.local, dp->config.address[local].ip, sizeof(cold->ipv6.local));
	cold->ipv6.label = flow_label(m->ssrc);
	p->local_udp = packet_be16(
		(uint16_t)(dp->config.udp_port_base + 2 * (slot % dp->ports_per_address)));
	number_stream(p, m, now_ns);
	for (uint32_t i = 0; i < 3; i++)
		random[i] = worker_random(w);
	rtcp_cname(cold->report.cname, random);
	report_expect(&cold->report, now_ns);
	jitter_init(&p->jitter, (uint8_t)cord_codec_clock_khz(m->terms.codec));
	rtp_source_init(&p->source);
}

/* Keys that are being sent do not go on in another clock, or without one. */
static void keys_apply(struct worker *w, struct port *p, const struct cord_terms *t)
{
	struct port_cold *cold = &w->dp->port_cold[p->slot];
	uint8_t event_khz = (uint8_t)(t->event_clock_hz / 1000);
	bool inband = t->flags & CORD_TERMS_INBAND_KEYS, was = p->flags & PORT_INBAND;
	bool other = cold->event_khz != event_khz || inband != was;
	bool none = t->event_payload_type == CORD_NO_PAYLOAD_TYPE && !inband;

	if ((p->flags & PORT_KEYS) && (other || none))
		port_keys_end(w, p);
	if (other)
		telephone_event_receiver_renew(&cold->event_in, cold->event_khz, event_khz);
	cold->event_khz = event_khz;
	p->flags &= (uint16_t)~PORT_INBAND;
	if (inband)
		p->flags |= PORT_INBAND;
	if (inband && !was)
		memset(&worker_rich(w, p)->inband, 0, sizeof(struct inband_keys));
}

enum cord_refusal port_open(struct worker *w, const struct cord_port_open *m, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	uint32_t slot = cord_id_slot(m->port);
	uint8_t none = OWNER_NONE;

	if (slot >= dp->config.ports)
		return CORD_REFUSAL_BAD_SLOT;
	if (!terms_allowed(dp, slot, &m->terms) || cord_id_generation(m->port) == 0)
		return CORD_REFUSAL_BAD_VALUE;
	if (!atomic_compare_exchange_strong(&dp->port_owner[slot], &none, (uint8_t)w->index))
		return CORD_REFUSAL_SLOT_TAKEN;
	if (cord_id_generation(m->port) <= dp->port_cold[slot].last_generation) {
		atomic_store(&dp->port_owner[slot], OWNER_NONE);
		return CORD_REFUSAL_OLD_GENERATION;
	}
	if (cord_codec_wide(m->terms.codec) && w->coders.idle_count == 0) {
		atomic_store(&dp->port_owner[slot], OWNER_NONE);
		return CORD_REFUSAL_NO_MEMORY;
	}
	struct port *p = &dp->port[slot];

	port_init(w, p, m, slot, now_ns);
	if (port_secure_set(w, p, &m->terms) != CORD_REFUSAL_NONE) {
		atomic_store(&dp->port_owner[slot], OWNER_NONE);
		return CORD_REFUSAL_NO_MEMORY;
	}
	const struct cord_address remote = remote_of(&m->terms);

	learn_terms(
		p, &dp->port_cold[slot].learn, &remote, m->terms.flags & CORD_TERMS_LEARN, false);
	port_move(w, p, &remote);
	terms_apply(dp, p, &m->terms);
	keys_apply(w, p, &m->terms);
	coder_suit(w, &dp->port_cold[slot], m->terms.codec);
	w->ports++;
	port_status_write(w, p);
	return CORD_REFUSAL_NONE;
}

/* Another RTP clock cannot go on in the same stream, in either direction (RFC 7160). */
static void begin_streams(struct worker *w, struct port *p, uint8_t codec)
{
	/* Where there are keys, they have begun one. */
	if (!(p->flags & PORT_SECURE))
		port_stream_renew(w, p);
	port_flush(w, p);
	jitter_init(&p->jitter, (uint8_t)cord_codec_clock_khz(codec));
	rtp_source_init(&p->source);
}

enum cord_refusal port_set(struct worker *w, const struct cord_port_set *m, cord_time now_ns)
{
	enum cord_refusal refusal;
	struct port *p = port_find(w, m->port, &refusal);

	if (p == NULL)
		return refusal;
	if (!terms_allowed(w->dp, p->slot, &m->terms))
		return CORD_REFUSAL_BAD_VALUE;
	struct port_cold *cold = worker_cold(w, p);

	if (cord_codec_wide(m->terms.codec) && cold->coder == NULL && w->coders.idle_count == 0)
		return CORD_REFUSAL_NO_MEMORY;
	refusal = port_secure_set(w, p, &m->terms);
	if (refusal != CORD_REFUSAL_NONE)
		return refusal;
	const struct cord_address remote = remote_of(&m->terms);
	bool moved = learn_terms(p, &cold->learn, &remote, m->terms.flags & CORD_TERMS_LEARN,
			     cold->first_rx != 0) &&
		     !remote_is(w->dp, p, &remote);
	bool recoded = p->codec != m->terms.codec;
	bool repaced = p->ptime_ms != m->terms.ptime_ms;
	bool paused = p->direction & ~m->terms.direction & CORD_MAY_RECEIVE;

	if (moved || ((p->direction ^ m->terms.direction) & CORD_MAY_RECEIVE) ||
		cold->report.timeout_s != m->terms.media_timeout_s)
		report_expect(&cold->report, now_ns);
	if (cord_codec_clock_khz(p->codec) != cord_codec_clock_khz(m->terms.codec))
		begin_streams(w, p, m->terms.codec);
	terms_apply(w->dp, p, &m->terms);
	if (moved) {
		port_move(w, p, &remote);
		p->flags &= (uint16_t)~PORT_HEARD;
		cold->first_rx = 0;
	}
	/* What waits in either direction is in the old codec; what waits to be sent is of the past
	 * when packets of another length are sent in between. What was heard before a pause would be
	 * taken for the start of what is heard after it, and the pause be waited for once more. */
	if (recoded || paused)
		port_flush(w, p);
	if (recoded) {
		coder_suit(w, cold, p->codec);
		p->flags &= (uint16_t)~PORT_CONCEALS;
	}
	if (recoded || repaced)
		port_forget_unsent(cold);
	room_recoded(w, p);
	keys_apply(w, p, &m->terms);
	port_status_write(w, p);
	return CORD_REFUSAL_NONE;
}

void port_flush(struct worker *w, struct port *p)
{
	uint32_t handle[JITTER_SLOTS];
	unsigned n = jitter_flush(&p->jitter, handle);

	for (unsigned i = 0; i < n; i++) {
		if (handle[i] != PORT_UNHEARD)
			nic_free(&w->dp->nic, nic_mbuf(&w->dp->nic, handle[i]));
	}
	worker_cold(w, p)->in_count = 0;
	p->flags &= (uint16_t)~PORT_NOISE;
	if (!cord_codec_wide(p->codec))
		p->flags &= (uint16_t)~PORT_RICH_IN;
}

void port_forget_unsent(struct port_cold *cold)
{
	cold->out_count = 0;
	if (cold->coder)
		opus_gather_clear(&cold->coder->gather);
}

void port_remove(struct worker *w, struct port *p, cord_time now_ns)
{
	struct dataplane *dp = w->dp;
	struct port_cold *cold = &dp->port_cold[p->slot];

	(void)now_ns;
	/* Who has never said anything does not say goodbye (RFC 3550 section 6.3.7). */
	if ((p->flags & PORT_STARTED) || cold->report.sent_count)
		tx_rtcp(w, p, true);
	room_leave(w, p);
	port_flush(w, p);
	port_secure_end(w, p);
	player_close(&cold->player);
	coder_return(w, cold);
	atomic_store_explicit(&cold->staged_generation, 0, memory_order_relaxed);
	neighbor_release(&dp->neighbors, p->neighbor);
	p->id = 0;
	port_status_write(w, p);
	w->ports--;
	atomic_store_explicit(&dp->port_owner[p->slot], OWNER_NONE, memory_order_release);
}

enum cord_refusal port_close(struct worker *w, const struct cord_port_close *m, cord_time now_ns)
{
	enum cord_refusal refusal;
	struct port *p = port_find(w, m->port, &refusal);

	if (p)
		port_remove(w, p, now_ns);
	return refusal;
}

enum cord_refusal port_playlist(struct worker *w, const struct cord_port_playlist *m)
{
	enum cord_refusal refusal;
	struct port *p = port_find(w, m->port, &refusal);
	struct player_list list = {.generation = m->generation, .clips = m->clips, .loop = m->loop};

	if (p == NULL)
		return refusal;
	if (m->generation == 0 || m->clips == 0 || m->clips > CORD_PLAYLIST_MAX || m->loop > 1)
		return CORD_REFUSAL_BAD_VALUE;
	for (uint32_t i = 0; i < m->clips; i++) {
		list.clip[i] = clip_find(&w->dp->clips, m->clip[i]);
		if (list.clip[i] == NULL)
			return CORD_REFUSAL_UNKNOWN_CLIP;
	}
	for (uint32_t i = 0; i < m->clips; i++)
		clip_use(list.clip[i]);
	struct port_cold *cold = &w->dp->port_cold[p->slot];

	player_stage(&cold->player, &list);
	atomic_store_explicit(&cold->staged_generation, m->generation, memory_order_relaxed);
	return CORD_REFUSAL_NONE;
}

void port_keys_end(struct worker *w, struct port *p)
{
	bool asked = p->flags & PORT_KEYS_ASKED;

	telephone_event_sender_init(&w->dp->port_cold[p->slot].event_out);
	p->flags &= (uint16_t) ~(PORT_KEYS | PORT_KEYS_ASKED);
	port_status_write(w, p);
	if (asked)
		event_digits_sent(w, p->id);
}

/* Whether keys can be sent to the peer. */
static bool takes_keys(const struct port *p)
{
	return p->event_payload_type != CORD_NO_PAYLOAD_TYPE || (p->flags & PORT_INBAND);
}

static bool digits_allowed(const struct cord_port_digits *m)
{
	if (m->digits == 0 || m->digits > CORD_DIGITS_MAX || m->duration_ms < 40 ||
		m->duration_ms > 1000 || m->gap_ms < 40 || m->gap_ms > 1000 || m->pause_ms < 100 ||
		m->pause_ms > 5000)
		return false;
	for (uint32_t i = 0; i < m->digits; i++) {
		if (m->digit[i] == 0 || strchr("0123456789*#ABCD,", m->digit[i]) == NULL)
			return false;
	}
	return true;
}

enum cord_refusal port_digits(struct worker *w, const struct cord_port_digits *m)
{
	enum cord_refusal refusal;
	struct port *p = port_find(w, m->port, &refusal);

	if (p == NULL)
		return refusal;
	if (!digits_allowed(m))
		return CORD_REFUSAL_BAD_VALUE;
	if (!takes_keys(p))
		return CORD_REFUSAL_NO_DIGITS;
	if (p->flags & PORT_KEYS)
		return CORD_REFUSAL_BUSY;
	if (telephone_event_send(&w->dp->port_cold[p->slot].event_out, m->digit, m->digits,
		    m->duration_ms, m->gap_ms, m->pause_ms))
		return CORD_REFUSAL_BAD_VALUE;
	p->flags |= PORT_KEYS | PORT_KEYS_ASKED | PORT_CHANGED;
	return CORD_REFUSAL_NONE;
}

static void pass_key(struct worker *w, struct port *p, char digit)
{
	if (!takes_keys(p) || !(p->direction & CORD_MAY_SEND))
		return;
	if (telephone_event_send_more(&w->dp->port_cold[p->slot].event_out, digit) == 0)
		p->flags |= PORT_KEYS;
}

void port_told_key(struct worker *w, struct port *p, char digit)
{
	struct dataplane *dp = w->dp;
	struct port_cold *cold = &dp->port_cold[p->slot];

	cold->key[cold->keys++ % CORD_DIGIT_LOG] = digit;
	worker_count(w, CORD_COUNTER_digits_received, 1);
	port_status_write(w, p);
	event_digit(w, p->id, cold->keys, digit);
	if (p->room == PORT_NONE)
		return;
	const struct room *r = &dp->room[p->room];

	for (uint32_t to = r->member[p->member].digits_to; to; to &= to - 1)
		pass_key(w, &dp->port[r->member[__builtin_ctz(to)].port], digit);
}

enum telephone_event_step port_key_step(struct worker *w, struct port *p, uint32_t timestamp,
	unsigned clock_khz, struct telephone_event_packet *packet)
{
	struct port_cold *cold = &w->dp->port_cold[p->slot];
	enum telephone_event_step step =
		telephone_event_step(&cold->event_out, timestamp, clock_khz, packet);

	if (step == TELEPHONE_EVENT_STEP_PACKET && packet->marker)
		worker_count(w, CORD_COUNTER_digits_sent, 1);
	if (step == TELEPHONE_EVENT_STEP_DONE)
		port_keys_end(w, p);
	if (step == TELEPHONE_EVENT_STEP_NOTHING)
		p->flags &= (uint16_t) ~(PORT_KEYS | PORT_KEYS_ASKED);
	return step;
}

static void status_quality(
	const struct port *p, const struct port_cold *cold, struct cord_port_status *s)
{
	const struct report *r = &cold->report;

	s->media_lost = r->media_lost;
	s->rx_expected = rtp_source_expected(&p->source);
	s->missing = r->burst.lost;
	s->missing_stretches = r->burst.stretches;
	s->round_trip_us = r->round_trip_us;
	s->round_trip_max_us = r->round_trip_max_us;
	s->peer_reports = r->blocks;
	s->peer_lost = r->lost;
	s->peer_lost_of = r->lost_of;
	s->peer_jitter_us = r->jitter_us;
	s->peer_end_system_ms = r->end_system_ms;
	s->peer_discarded = r->discarded;
}

/* When its room was worked, by the low bits of the clock; 0: it sits in none. */
static uint32_t room_worked_ms(const struct worker *w, const struct port *p)
{
	if (p->room == PORT_NONE)
		return 0;
	const struct room *r = &w->dp->room[p->room];

	return r->period * (uint32_t)(CORD_TICK_NS / 1000000) +
	       r->phase * (uint32_t)(WORKER_PHASE_NS / 1000000);
}

void port_status_write(struct worker *w, struct port *p)
{
	struct dataplane *dp = w->dp;
	const struct port_cold *cold = &dp->port_cold[p->slot];
	struct cord_port_status *s = &dp->port_status[p->slot];
	uint32_t expected = rtp_source_expected(&p->source);

	p->flags &= (uint16_t)~PORT_CHANGED;
	cord_port_status_begin(s);
	s->ssrc = p->ssrc;
	s->port = p->id;
	s->room = p->room == PORT_NONE ? 0 : dp->room[p->room].id;
	s->opened = cold->opened;
	s->first_rx = cold->first_rx;
	s->last_rx = p->last_rx;
	s->player_generation = cold->player.list.generation;
	s->player_clip = cold->player.at;
	s->player_frame = cold->player.frame;
	s->player_ms = room_worked_ms(w, p);
	s->player_running = cold->player.running;
	s->owner = (uint8_t)w->index;
	s->digits_sending = !!(p->flags & PORT_KEYS_ASKED);
	s->digits = cold->keys;
	memcpy(s->digit, cold->key, sizeof(s->digit));
	s->rx_packets = p->rx_packets;
	s->tx_packets = p->tx_packets;
	s->rx_lost = expected > p->source.received ? expected - p->source.received : 0;
	s->rx_late = cold->late;
	s->rx_duplicate = cold->duplicate;
	s->rx_dropped = cold->rx_dropped;
	s->concealed = cold->concealed;
	s->recovered = cold->recovered;
	s->silent = p->silent;
	s->jitter_us = rtp_source_jitter(&p->source) * 1000 / p->jitter.clock_khz;
	s->buffer_ms = jitter_depth(&p->jitter) * p->jitter.frame_samples / p->jitter.clock_khz;
	s->source_dropped = cold->source_dropped;
	s->learned = p->learns == LEARN_LOCKED ? cold->learn.from : (struct cord_address){0};
	status_quality(p, cold, s);
	cord_port_status_end(s);
}

void port_status_write_player(struct worker *w, struct port *p)
{
	const struct player *player = &w->dp->port_cold[p->slot].player;
	struct cord_port_status *s = &w->dp->port_status[p->slot];

	cord_port_status_begin(s);
	s->player_clip = player->at;
	s->player_frame = player->frame;
	s->player_ms = room_worked_ms(w, p);
	cord_port_status_end(s);
}
