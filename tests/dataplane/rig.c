/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include "fake_control.h"
#include "g711.h"
#include "packet.h"
#include "rtp.h"
#include "rx.h"
#include "srtp.h"

#include <math.h>
#include <rte_eal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define RIG_MBUFS       8191u
#define RIG_BASE        20000u
#define RIG_PAYLOAD_MAX 1500u

static struct rte_mempool *pool;
static uintptr_t pool_base;

static uint8_t rig_payload_type(enum cord_codec codec)
{
	static const uint8_t type[] = {[CORD_CODEC_PCMU] = 0,
		[CORD_CODEC_PCMA] = 8,
		[CORD_CODEC_G722] = 9,
		[CORD_CODEC_OPUS] = 111};

	return type[codec];
}

uint32_t rig_rate_khz(const struct rig *r, uint32_t slot)
{
	return codec_rate_khz((enum cord_codec)r->codec[slot]);
}

void rig_start_eal(void)
{
	char *words[] = {"rig", "--lcores=0", "--no-huge", "-m", "64", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=lib.eal:error", NULL};
	struct nic nic = {0};
	int count = 0;

	if (pool)
		return;
	while (words[count])
		count++;
	assert_true(rte_eal_init(count, words) >= 0);
	assert_int_equal(nic_pool_create(&nic, RIG_MBUFS), 0);
	pool = nic.pool;
	pool_base = nic.handle_base;
}

static struct rig *create(uint32_t workers, uint32_t addresses, enum cord_srtp_backend backend)
{
	struct dataplane_config c = {
		.workers = workers,
		.ports = RIG_PORTS,
		.rooms = RIG_PORTS,
		.coders = RIG_CODERS,
		.addresses = addresses,
		.address = {cord_address_ipv4(10, 0, 0, 0xff, 0),
			{.family = CORD_FAMILY_IPV6, .ip = {0xfd, [15] = 0xff}}},
		.prefix = {24, 64},
		.udp_port_base = RIG_BASE,
		.tsc_hz = 1000000000u,
		.epoch = 1,
		.seed = 7,
		.srtp_backend = backend,
	};
	struct rig *r = calloc(1, sizeof(*r));

	rig_start_eal();
	r->dp.nic.pool = pool;
	r->dp.nic.handle_base = pool_base;
	memcpy(r->dp.nic.mac, "\x02\0\0\0\0\1", 6);
	assert_int_equal(dataplane_create(&r->dp, &c), 0);
	assert_int_equal(srtp_keys_create(&r->peer_keys, CORD_SRTP_BACKEND_LIBSRTP, RIG_PORTS), 0);
	assert_int_equal(srtp_engine_create(&r->peer_srtp, r->peer_keys), 0);
	atomic_store(&r->dp.unattended_since, 0);
	r->workers = workers;
	r->now_ns = 1000 * CORD_TICK_NS;
	r->correlation = 1;
	for (uint32_t i = 0; i < workers; i++) {
		cord_ring_writer_join(&r->commands[i], &r->dp.shared[i].commands);
		cord_ring_reader_join(&r->events[i], &r->dp.shared[i].events);
	}
	return r;
}

struct rig *rig_create(uint32_t workers)
{
	return create(workers, 1, CORD_SRTP_BACKEND_NONE);
}

struct rig *rig_create_with(uint32_t workers, enum cord_srtp_backend backend)
{
	return create(workers, 2, backend);
}

struct rig *rig_create_dual(uint32_t workers)
{
	return create(workers, 2, CORD_SRTP_BACKEND_NONE);
}

struct rig *rig_create_three(uint32_t workers, const double tone[3], enum cord_codec a,
	enum cord_codec b, enum cord_codec c)
{
	struct rig *r = rig_create(workers);
	const enum cord_codec codec[] = {a, b, c};

	assert_int_equal(rig_open_room(r, 0, 0), 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(rig_open(r, 0, i, codec[i]), 0);
		rig_talk(r, i, tone[i]);
	}
	return r;
}

static void free_all(struct rig *r)
{
	struct cord_message m;

	for (uint32_t i = 0; i < RIG_PORTS; i++) {
		uint8_t owner = atomic_load(&r->dp.port_owner[i]);

		if (owner == OWNER_NONE)
			continue;
		m = (struct cord_message){.port_close = {.port = r->dp.port[i].id}};
		rig_ask(r, owner, &m, CORD_COMMAND_PORT_CLOSE);
	}
}

void rig_destroy(struct rig *r)
{
	r->attended = false;
	for (uint32_t i = 0; i < r->workers; i++) {
		cord_ring_writer_join(&r->commands[i], &r->dp.shared[i].commands);
		cord_ring_reader_join(&r->events[i], &r->dp.shared[i].events);
	}
	free_all(r);
	rig_run(r, 2);
	dataplane_destroy(&r->dp);
	srtp_engine_destroy(r->peer_srtp);
	srtp_keys_destroy(r->peer_keys);
	for (uint32_t i = 0; i < RIG_PORTS; i++) {
		codec_decoder_destroy(r->heard[i].decoder);
		codec_encoder_destroy(r->peer[i].encoder);
	}
	/* Every packet that was taken has been given back. */
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	free(r);
}

/* ---- what leaves ---------------------------------------------------------------------------- */

static void hear_key(
	struct rig *r, uint32_t slot, const struct rtp_header *header, const uint8_t *payload)
{
	struct rig_heard *h = &r->heard[slot];
	size_t told = strlen(h->keys);
	char digit;

	if (telephone_event_receive(&h->event, r->event_khz[slot] ? r->event_khz[slot] : 8, payload,
		    header->payload_bytes, header->timestamp, header->marker,
		    &digit) == TELEPHONE_EVENT_BEGUN &&
		told < RIG_KEYS_MAX)
		h->keys[told] = digit;
}

static void hear_media(struct rig *r, uint32_t slot, const struct rtp_header *header,
	const uint8_t *payload, bool follows)
{
	struct rig_heard *h = &r->heard[slot];
	enum cord_codec codec = (enum cord_codec)r->codec[slot];

	if (h->packets && follows)
		h->timestamp_gaps += header->timestamp != h->next_timestamp;
	h->packets++;
	h->payload_bytes = header->payload_bytes;
	h->payload_us = codec_payload_us(codec, payload, header->payload_bytes);
	assert_int_not_equal(h->payload_us, 0);
	h->timestamp = header->timestamp;
	h->next_timestamp = header->timestamp + h->payload_us * cord_codec_clock_khz(codec) / 1000;
	memcpy(h->payload, payload, header->payload_bytes);
	if (h->samples + CODEC_SAMPLES_MAX > RIG_SAMPLES_MAX)
		h->samples = 0;
	if (!cord_codec_wide(codec)) {
		g711_decode(codec, h->pcm + h->samples, payload, header->payload_bytes);
		h->samples += header->payload_bytes;
		return;
	}
	int samples = codec_decode(h->decoder, h->pcm + h->samples, payload, header->payload_bytes);

	assert_int_equal(samples, h->payload_us * 16 / 1000);
	h->samples += (uint32_t)samples;
}

static void hear_rtp(struct rig *r, uint32_t slot, const uint8_t *rtp, size_t bytes)
{
	struct rig_heard *h = &r->heard[slot];
	struct rtp_header header = {0};

	assert_int_equal(rtp_parse(rtp, bytes, &header), 0);
	bool follows = h->packets + h->events && !h->renewed;

	/* A peer forgets the events of a stream with it. */
	if (h->ssrc != header.ssrc)
		h->event = (struct telephone_event_receiver){0};
	h->renewed = false;
	if (follows) {
		h->sequence_gaps += (uint16_t)(h->sequence + 1) != header.sequence;
		assert_int_equal(h->ssrc, header.ssrc);
	}
	h->sequence = header.sequence;
	h->ssrc = header.ssrc;
	h->markers += header.marker;
	if (header.payload_type == 101) {
		h->events++;
		memcpy(h->last_event, rtp + header.payload_offset, 4);
		hear_key(r, slot, &header, rtp + header.payload_offset);
		return;
	}
	if (header.payload_type == RIG_NOISE) {
		h->noises++;
		memcpy(h->payload, rtp + header.payload_offset, header.payload_bytes);
		return;
	}
	hear_media(r, slot, &header, rtp + header.payload_offset, follows);
}

static void hear_rtcp(struct rig *r, uint32_t slot, const struct packet_udp *udp,
	const uint8_t *payload, size_t bytes)
{
	struct rig_heard *heard = &r->heard[slot];

	assert_true(bytes <= sizeof(heard->last_rtcp));
	memcpy(heard->last_rtcp, payload, bytes);
	heard->rtcp++;
	heard->last_rtcp_bytes = (uint32_t)bytes;
	heard->rtcp_from = packet_be16(udp->from);
	heard->rtcp_to = packet_be16(udp->to);
}

/* The port that a datagram of ours left from. */
static uint32_t sender(const struct rig *r, bool ipv6, uint16_t from_udp)
{
	uint32_t offset = packet_be16(from_udp) - RIG_BASE;

	return offset / 2 + (ipv6 ? r->dp.ports_per_address : 0);
}

static void hear_payload(struct rig *r, uint32_t slot, const struct packet_udp *udp,
	const uint8_t *payload, size_t bytes)
{
	uint8_t data[RIG_PAYLOAD_MAX];
	struct srtp_packet packet = {.data = data, .slot = slot, .bytes = (uint16_t)bytes};

	assert_true(bytes <= sizeof(data));
	memcpy(data, payload, bytes);
	packet.rtcp = rtp_is_rtcp(data, bytes);
	if (r->peer[slot].secure) {
		srtp_unprotect_burst(r->peer_srtp, &packet, 1);
		if (packet.verdict != SRTP_GOOD) {
			r->heard[slot].unauthentic++;
			return;
		}
	}
	if (packet.rtcp)
		hear_rtcp(r, slot, udp, data, packet.bytes);
	else
		hear_rtp(r, slot, data, packet.bytes);
}

static void hear_ipv6(struct rig *r, const struct packet_headers6 *h, size_t bytes)
{
	uint32_t slot = sender(r, true, h->udp.from);
	struct cord_address remote = rig_remote(r, slot);

	assert_int_equal(packet_be16(h->ip.length) + 54, bytes);
	assert_int_equal(h->udp.length, h->ip.length);
	assert_int_not_equal(h->udp.checksum, 0);
	assert_int_equal(packet_ipv6_checksum(&h->ip, 17, &h->udp, bytes - 54), 0);
	assert_memory_equal(h->ip.to, remote.ip, 16);
	hear_payload(r, slot, &h->udp, (const uint8_t *)(h + 1), bytes - sizeof(*h));
}

static void hear_other(struct rig *r, const struct rte_mbuf *m)
{
	assert_true(m->data_len <= sizeof(r->other));
	memcpy(r->other, rte_pktmbuf_mtod(m, const void *), m->data_len);
	r->other_bytes = m->data_len;
}

static void hear(struct rig *r, const struct rte_mbuf *m)
{
	const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
	const struct packet_headers6 *h6 = rte_pktmbuf_mtod(m, const struct packet_headers6 *);

	if (h->ether.type == packet_be16(PACKET_ETHERTYPE_IPV6) && h6->ip.next == 17) {
		hear_ipv6(r, h6, m->data_len);
	} else if (h->ether.type != packet_be16(PACKET_ETHERTYPE_IPV4) || h->ip.protocol != 17) {
		hear_other(r, m);
	} else {
		assert_int_equal(packet_ipv4_checksum(&h->ip), 0);
		assert_int_equal(packet_be16(h->ip.length) + 14, m->data_len);
		uint32_t slot = sender(r, false, h->udp.from);

		hear_payload(r, slot, &h->udp, (const uint8_t *)(h + 1), m->data_len - sizeof(*h));
	}
}

/* Without a NIC queue every worker hands its packets to the first one; that is where we wait. */
static void take_sent(struct rig *r)
{
	uint64_t word;

	for (uint32_t i = 0; i < r->workers; i++) {
		struct worker *w = r->dp.worker[i];

		for (uint32_t n = 0; n < w->tx_count; n++) {
			hear(r, w->tx[n]);
			rte_pktmbuf_free(w->tx[n]);
		}
		w->tx_count = 0;
	}
	while (exchange_get(r->dp.worker[0]->exchange[0], &word)) {
		struct rte_mbuf *m = (struct rte_mbuf *)(uintptr_t)WORKER_WORD_VALUE(word);

		hear(r, m);
		rte_pktmbuf_free(m);
	}
}

static void take_events(struct rig *r)
{
	struct cord_message m;

	for (uint32_t i = 0; i < r->workers && !r->attended; i++) {
		while (cord_ring_read(&r->events[i], &m) == CORD_RING_OK) {
			if (m.type == CORD_EVENT_DONE) {
				r->last_refusal = (int)m.event_done.refusal;
				r->last_correlation = m.correlation;
			} else if (r->event_count < RIG_EVENTS_MAX) {
				r->event[r->event_count++] = m;
			}
		}
	}
}

/* A pass of each worker, and as many more as one needs that was held up. */
static void pass(struct rig *r)
{
	for (uint32_t i = 0; i < r->workers; i++) {
		do
			worker_pass(r->dp.worker[i], r->now_ns);
		while (r->dp.worker[i]->phase_at <= r->now_ns / WORKER_PHASE_NS);
		take_sent(r);
	}
	take_events(r);
}

/* ---- what arrives --------------------------------------------------------------------------- */

void rig_frame(struct rig *r, const void *frame, uint16_t bytes)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	assert_non_null(m);
	memcpy(rte_pktmbuf_append(m, bytes), frame, bytes);
	m->ol_flags = r->nic_verdict;
	r->dp.worker[r->home]->now_ns = r->now_ns;
	rx_burst(r->dp.worker[r->home], &m, 1);
}

void rig_expect(struct rig *r, const void *frame, uint16_t bytes, enum cord_counter verdict)
{
	uint64_t before[CORD_COUNTER_COUNT];

	for (uint32_t c = 0; c < CORD_COUNTER_COUNT; c++)
		before[c] = rig_counter(r, c);
	rig_frame(r, frame, bytes);
	for (uint32_t c = 0; c <= CORD_COUNTER_drop_handover_full; c++) {
		uint64_t moved = rig_counter(r, c) - before[c];

		if (moved != (c == verdict))
			fail_msg("%s moved by %d, expected %s", cord_counter_row(c)->name,
				(int)moved, cord_counter_row(verdict)->name);
	}
}

struct cord_address rig_remote(const struct rig *r, uint32_t slot)
{
	uint32_t local = slot / r->dp.ports_per_address;
	struct cord_address a = r->dp.config.address[local];

	a.udp_port = 4000;
	a.ip[a.family == CORD_FAMILY_IPV6 ? 15 : 3] = (uint8_t)(slot + 1);
	return a;
}

uint8_t *rig_headers(const struct rig *r, uint32_t slot, uint8_t *frame, uint16_t payload)
{
	static const uint8_t to[6] = {2, 0, 0, 0, 0, 1}, from[6] = {2, 0, 0, 0, 0, 2};
	const uint32_t per_address = r->dp.ports_per_address;
	const struct cord_address *local = &r->dp.config.address[slot / per_address];
	struct cord_address remote = rig_remote(r, slot);
	uint16_t udp = packet_be16((uint16_t)(RIG_BASE + 2 * (slot % per_address)));
	uint32_t from_ip, to_ip;

	if (local->family == CORD_FAMILY_IPV6) {
		packet_headers6_write((struct packet_headers6 *)frame, from, to, remote.ip,
			local->ip, 0, packet_be16(4000), udp, payload);
		return frame + sizeof(struct packet_headers6);
	}
	memcpy(&from_ip, remote.ip, sizeof(from_ip));
	memcpy(&to_ip, local->ip, sizeof(to_ip));
	packet_headers_write((struct packet_headers *)frame, from, to, from_ip, to_ip,
		packet_be16(4000), udp, payload);
	return frame + sizeof(struct packet_headers);
}

void rig_seal(uint8_t *frame)
{
	struct packet_headers *h = (struct packet_headers *)frame;

	if (h->ether.type == packet_be16(PACKET_ETHERTYPE_IPV6)) {
		packet_headers6_seal((struct packet_headers6 *)frame);
		return;
	}
	h->ip.checksum = 0;
	h->ip.checksum = packet_ipv4_checksum(&h->ip);
}

void rig_datagram(struct rig *r, uint32_t slot, bool second, const uint8_t *payload, uint16_t bytes)
{
	uint8_t frame[RIG_PAYLOAD_MAX + sizeof(struct packet_headers6)];
	uint8_t *at = rig_headers(r, slot, frame, bytes);
	struct packet_udp *udp = (struct packet_udp *)(at - sizeof(struct packet_udp));

	if (second) {
		udp->from = packet_be16(4001);
		udp->to = packet_be16((uint16_t)(packet_be16(udp->to) + 1));
	}
	memcpy(at, payload, bytes);
	rig_seal(frame);
	rig_frame(r, frame, (uint16_t)(at + bytes - frame));
}

void rig_rtcp(struct rig *r, uint32_t slot, const uint8_t *payload, uint16_t bytes)
{
	rig_datagram(r, slot, true, payload, bytes);
}

uint16_t rig_protect(struct rig *r, uint32_t slot, bool rtcp, uint8_t *data, uint16_t bytes)
{
	struct srtp_packet packet = {.data = data, .slot = slot, .bytes = bytes, .rtcp = rtcp};

	if (!r->peer[slot].secure)
		return bytes;
	srtp_protect_burst(r->peer_srtp, &packet, 1);
	assert_int_equal(packet.verdict, SRTP_GOOD);
	return packet.bytes;
}

static struct cord_srtp_key key_make(enum cord_srtp_suite suite, uint32_t seed)
{
	struct cord_srtp_key key = {.suite = (uint8_t)suite};

	for (uint32_t i = 0; i < cord_srtp_key_bytes(suite); i++)
		key.key[i] = (uint8_t)(seed * 2654435761u >> i % 24) ^ (uint8_t)(i * 11);
	return key;
}

void rig_secure(struct rig *r, uint32_t slot, enum cord_srtp_suite suite, uint32_t send_seed,
	uint32_t receive_seed)
{
	r->send_key[slot] = key_make(suite, send_seed);
	r->receive_key[slot] = key_make(suite, receive_seed);
	r->peer[slot].secure = true;
	r->heard[slot].renewed = true;
	if (!srtp_receives_with(r->peer_srtp, slot, &r->send_key[slot]))
		assert_int_equal(srtp_set_receive(r->peer_srtp, slot, &r->send_key[slot]), 0);
	if (!srtp_sends_with(r->peer_srtp, slot, &r->receive_key[slot]))
		assert_int_equal(
			srtp_set_send(r->peer_srtp, slot, &r->receive_key[slot], 0x5000 + slot), 0);
}

void rig_rtp(struct rig *r, uint32_t slot, uint8_t payload_type, bool marker, uint16_t sequence,
	uint32_t timestamp, const uint8_t *payload, uint16_t bytes)
{
	uint8_t packet[RIG_PAYLOAD_MAX];

	rtp_write(packet, marker, payload_type, sequence, timestamp, 0x5000 + slot);
	memcpy(packet + RTP_HEADER_BYTES, payload, bytes);
	rig_datagram(r, slot, false, packet,
		rig_protect(r, slot, false, packet, (uint16_t)(RTP_HEADER_BYTES + bytes)));
}

static uint32_t peer_encode(struct rig *r, uint32_t slot, uint8_t *codes)
{
	struct rig_peer *p = &r->peer[slot];
	enum cord_codec codec = (enum cord_codec)r->codec[slot];
	uint32_t rate_khz = codec_rate_khz(codec), n = p->ptime_ms * rate_khz;
	struct opus_gather gather = {0};
	int16_t pcm[CODEC_SAMPLES_MAX];

	for (uint32_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(
			8000 * sin(2 * M_PI * p->hz * (p->sample + i) / (rate_khz * 1000)));
	p->sample += n;
	if (!cord_codec_wide(codec)) {
		g711_encode(codec, codes, pcm, n);
		return n;
	}
	if (codec == CORD_CODEC_G722)
		return (uint32_t)codec_encode(p->encoder, codes, pcm, n);
	for (uint32_t i = 0, step = n < 160 ? n : 160; i < n; i += step) {
		uint8_t frame[CODEC_FRAME_BYTES_MAX];

		assert_true(opus_gather_add(
			&gather, frame, codec_encode(p->encoder, frame, pcm + i, step)));
	}
	return (uint32_t)opus_gather_write(&gather, codes);
}

static void peer_send(struct rig *r, uint32_t slot)
{
	struct rig_peer *p = &r->peer[slot];
	uint8_t codes[OPUS_PACKET_MAX];
	bool first = p->sample == 0;
	uint32_t n = peer_encode(r, slot, codes);

	if (p->lose)
		p->lose--;
	else
		rig_rtp(r, slot, rig_payload_type((enum cord_codec)r->codec[slot]), first,
			p->sequence, p->timestamp, codes, (uint16_t)n);
	p->sequence++;
	p->timestamp += p->ptime_ms * cord_codec_clock_khz(r->codec[slot]);
}

void rig_talk(struct rig *r, uint32_t slot, double hz)
{
	struct rig_peer *p = &r->peer[slot];

	p->hz = hz;
	if (p->ptime_ms == 0)
		p->ptime_ms = 20;
	if (!p->sends)
		p->next_ns = r->now_ns;
	p->sends = true;
}

void rig_hush(struct rig *r, uint32_t slot)
{
	r->peer[slot].sends = false;
}

void rig_run(struct rig *r, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		r->now_ns += 1000000u;
		for (uint32_t s = 0; s < RIG_PORTS; s++) {
			if (!r->peer[s].sends || r->now_ns < r->peer[s].next_ns)
				continue;
			peer_send(r, s);
			r->peer[s].next_ns += r->peer[s].ptime_ms * 1000000ull;
		}
		pass(r);
	}
}

/* ---- control -------------------------------------------------------------------------------- */

int rig_ask(struct rig *r, uint32_t worker, struct cord_message *m, enum cord_message_type type)
{
	uint64_t correlation = r->correlation++;

	if (type) {
		m->type = type;
		m->size = cord_message_body_size(type);
	}
	m->correlation = correlation;
	assert_int_equal(cord_ring_write(&r->commands[worker], m), CORD_RING_OK);
	for (uint32_t i = 0; i < 10; i++) {
		pass(r);
		if (r->last_correlation == correlation)
			return r->last_refusal;
	}
	return -1;
}

cord_id rig_port(struct rig *r, uint32_t slot)
{
	return cord_id_make(slot, r->generation[slot]);
}

cord_id rig_room(uint32_t slot)
{
	return cord_id_make(slot, 1);
}

struct cord_terms rig_terms(uint32_t slot, enum cord_codec codec)
{
	uint8_t type = rig_payload_type(codec);

	return (struct cord_terms){
		.remote = cord_address_ipv4(10, 0, 0, (uint8_t)(slot + 1), 4000),
		.remote_rtcp_udp_port = 4001,
		.codec = codec,
		.payload_type = type,
		.event_payload_type = 101,
		.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.receive_payload_type = type,
		.receive_event_payload_type = 101,
		.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.event_clock_hz = 8000,
		.opus_rate_khz = 16,
		.ptime_ms = 20,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE,
	};
}

struct cord_port_open rig_port_open(struct rig *r, uint32_t slot, enum cord_codec codec)
{
	return (struct cord_port_open){
		.port = cord_id_make(slot, r->generation[slot] + 1),
		.ssrc = 0x9000 + slot,
		.terms = rig_terms(slot, codec),
	};
}

void rig_code(struct rig *r, uint32_t slot, enum cord_codec codec)
{
	const struct codec_encoding how = {
		.codec = codec, .rate_khz = 16, .bitrate = CODEC_OPUS_BITRATE};

	r->codec[slot] = codec;
	r->heard[slot].samples = 0;
	if (!cord_codec_wide(codec))
		return;
	if (r->heard[slot].decoder == NULL) {
		r->heard[slot].decoder = codec_decoder_create();
		r->peer[slot].encoder = codec_encoder_create();
	}
	codec_decoder_reset(r->heard[slot].decoder, codec);
	codec_encoder_reset(r->peer[slot].encoder, &how);
}

int rig_open(struct rig *r, uint32_t worker, uint32_t slot, enum cord_codec codec)
{
	const struct cord_terms terms = rig_terms(slot, codec);

	return rig_open_terms(r, worker, slot, &terms);
}

int rig_open_terms(struct rig *r, uint32_t worker, uint32_t slot, const struct cord_terms *terms)
{
	enum cord_codec codec = (enum cord_codec)terms->codec;
	struct cord_message m = {.port_open = rig_port_open(r, slot, codec)};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};

	m.port_open.terms = *terms;
	m.port_open.terms.remote = rig_remote(r, slot);
	m.port_open.terms.send_key = r->send_key[slot];
	m.port_open.terms.receive_key = r->receive_key[slot];
	int refusal = rig_ask(r, worker, &m, CORD_COMMAND_PORT_OPEN);

	if (refusal)
		return refusal;
	r->generation[slot]++;
	rig_code(r, slot, codec);
	r->event_khz[slot] = (uint8_t)(terms->event_clock_hz / 1000);
	neighbor_learn(&r->dp.neighbors, &m.port_open.terms.remote, mac, true, r->now_ns);
	return 0;
}

int rig_open_room(struct rig *r, uint32_t worker, uint32_t slot)
{
	struct cord_message m = {.room_open = {.room = rig_room(slot), .rate_hz = 8000}};

	return rig_ask(r, worker, &m, CORD_COMMAND_ROOM_OPEN);
}

int rig_set(struct rig *r, uint32_t worker, uint32_t room, uint32_t n, const uint32_t *slots,
	const uint16_t *hears)
{
	struct cord_message m = {.room_set = {.room = rig_room(room), .members = (uint8_t)n}};

	for (uint32_t i = 0; i < n; i++)
		m.room_set.member[i] =
			(struct cord_room_member){.port = rig_port(r, slots[i]), .hears = hears[i]};
	return rig_ask(r, worker, &m, CORD_COMMAND_ROOM_SET);
}

/* ---- judging -------------------------------------------------------------------------------- */

double rig_level(const struct rig *r, uint32_t slot, double hz, uint32_t ms)
{
	const struct rig_heard *h = &r->heard[slot];
	uint32_t khz = rig_rate_khz(r, slot);
	uint32_t n = ms * khz < h->samples ? ms * khz : h->samples;
	const int16_t *pcm = h->pcm + h->samples - n;
	double a = 0, b = 0;

	for (uint32_t i = 0; i < n; i++) {
		a += pcm[i] * cos(2 * M_PI * hz * i / (khz * 1000));
		b += pcm[i] * sin(2 * M_PI * hz * i / (khz * 1000));
	}
	return n ? 2 * hypot(a, b) / n : 0;
}

void rig_forget(struct rig *r)
{
	for (uint32_t i = 0; i < RIG_PORTS; i++)
		r->heard[i].samples = 0;
	r->event_count = 0;
}

uint32_t rig_events(const struct rig *r, enum cord_message_type type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->event_count; i++)
		n += r->event[i].type == type;
	return n;
}

uint64_t rig_counter(const struct rig *r, enum cord_counter counter)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->workers; i++)
		sum += atomic_load(&r->dp.shared[i].counters.value[counter]);
	return sum;
}

static int16_t clip_sample(void *context, uint32_t index, uint32_t rate_hz)
{
	return (int16_t)lrint(8000 * sin(2 * M_PI * *(double *)context * index / rate_hz));
}

void rig_clip(struct rig *r, cord_clip_id id, uint32_t format, uint32_t frames, double hz)
{
	uint64_t bytes;
	int fd = fake_control_clip(id, format, frames, clip_sample, &hz, &bytes);

	assert_true(fd >= 0);
	assert_int_equal(clip_add(&r->dp.clips, fd, bytes, id, format, 1), CORD_ATTACH_RESULT_OK);
	close(fd);
}
