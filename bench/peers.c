/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include "bench.h"
#include "codec.h"
#include "g711.h"
#include "packet.h"
#include "rooms.h"
#include "rtp.h"
#include "srtp.h"

#include <math.h>

enum {
	UNITS = 160,
	FRAME_MAX = CODEC_FRAME_BYTES_MAX,
	PERIODS_MAX = 4, /* furthest back that what is heard was said */
	BURST = 64,
	NOT_HEARD = PEERS_FRAMES,
	HEADERS = sizeof(struct packet_headers) + RTP_HEADER_BYTES,
};

/* What a peer knows of the stream that it is sent. */
struct heard {
	uint32_t timestamp, ssrc;
	uint16_t sequence;
	uint16_t frame; /* of the clip, the last one; NOT_HEARD: none yet */
	bool begun;
};

struct peers {
	struct peers_config config;
	struct srtp_keys *keys;
	struct srtp_engine *srtp;
	struct heard *heard;
	struct peers_figures figures;
	uint8_t frame[PEERS_FRAMES][FRAME_MAX];
	uint16_t bytes[PEERS_FRAMES];
	int16_t pcm[PEERS_FRAMES][UNITS]; /* of G.711 */
	uint8_t clip[PEERS_FRAMES][UNITS];
};

static void need(bool good, const char *what, uint32_t slot)
{
	if (good)
		return;
	fprintf(stderr, "peers: %s (slot %u)\n", what, slot);
	exit(1);
}

struct cord_srtp_key peers_key(uint32_t suite, uint32_t slot, bool to_port)
{
	struct cord_srtp_key key = {.suite = (uint8_t)suite};

	for (uint32_t i = 0; i < cord_srtp_key_bytes(suite); i++)
		key.key[i] = (uint8_t)(slot * 31 + (slot >> 8) * 7 + (slot >> 16) + i * 5 +
				       (to_port ? 101 : 0));
	return key;
}

int16_t peers_music(void *context, uint32_t index, uint32_t rate_hz)
{
	double t = (double)index / rate_hz, sum = 0;

	(void)context;
	/* It drifts, so that no two frames are the same. */
	for (int k = 1; k <= 8; k++)
		sum += sin(2 * M_PI * (110 + t) * k * t) / k;
	return (int16_t)lrint(4000 * sum);
}

/* ---- what they say -------------------------------------------------------------------------- */

static int16_t voice(uint32_t index, uint32_t rate_hz)
{
	double t = (double)index / rate_hz, sum = 0;

	for (int k = 1; k <= 12; k++)
		sum += sin(2 * M_PI * (150 + 11 * t) * k * t) / k;
	return (int16_t)lrint(3000 * sum);
}

static void frames_make(struct peers *p)
{
	enum cord_codec codec = p->config.codec;
	uint32_t khz = codec_rate_khz(codec), samples = 20 * khz;
	const struct codec_encoding how = {.codec = (uint8_t)codec,
		.rate_khz = 16,
		.complexity = 5,
		.bitrate = CODEC_OPUS_BITRATE};
	struct codec_encoder *encoder = cord_codec_wide(codec) ? codec_encoder_create() : NULL;
	int16_t pcm[2 * UNITS];

	if (encoder)
		codec_encoder_reset(encoder, &how);
	for (uint32_t f = 0; f < PEERS_FRAMES; f++) {
		for (uint32_t i = 0; i < samples; i++)
			pcm[i] = voice(f * samples + i, khz * 1000);
		if (encoder) {
			p->bytes[f] = (uint16_t)codec_encode(encoder, p->frame[f], pcm, samples);
			continue;
		}
		g711_encode(codec, p->frame[f], pcm, UNITS);
		g711_decode(codec, p->pcm[f], p->frame[f], UNITS);
		p->bytes[f] = UNITS;
		for (uint32_t i = 0; i < UNITS; i++)
			pcm[i] = peers_music(NULL, f * UNITS + i, 8000);
		g711_encode(codec, p->clip[f], pcm, UNITS);
	}
	codec_encoder_destroy(encoder);
}

static uint32_t frame_of(uint32_t slot, uint32_t period)
{
	return (slot * 7 + period) % PEERS_FRAMES;
}

static uint16_t udp_of(uint32_t slot)
{
	return packet_be16((uint16_t)(CALLS_UDP_BASE + 2 * (slot % CALLS_ADDRESS)));
}

static void packet_make(struct peers *p, uint32_t slot, uint32_t period, struct rte_mbuf *m)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint32_t frame = frame_of(slot, period), units = 20 * cord_codec_clock_khz(p->config.codec);
	uint8_t *rtp = rte_pktmbuf_mtod_offset(m, uint8_t *, sizeof(struct packet_headers));

	rtp_write(rtp, period == 0, calls_payload_type(p->config.codec), (uint16_t)period,
		period * units, slot + 7);
	memcpy(rtp + RTP_HEADER_BYTES, p->frame[frame], p->bytes[frame]);
	m->data_len = (uint16_t)(HEADERS + p->bytes[frame]);
	packet_headers_write(rte_pktmbuf_mtod(m, struct packet_headers *), mac, mac,
		rooms_peer_ip(slot), p->config.local[slot / CALLS_ADDRESS], packet_be16(PEERS_UDP),
		udp_of(slot), 0);
}

/* Lengths and checksums, once the payload is as it travels; whether the NIC has verified them. */
static void packet_seal(struct rte_mbuf *m, bool verified)
{
	struct packet_headers *h = rte_pktmbuf_mtod(m, struct packet_headers *);
	uint16_t udp_bytes = (uint16_t)(m->data_len - sizeof(*h) + sizeof(h->udp));

	m->pkt_len = m->data_len;
	h->ip.length = packet_be16((uint16_t)(udp_bytes + sizeof(h->ip)));
	h->ip.checksum = 0;
	h->ip.checksum = packet_ipv4_checksum(&h->ip);
	h->udp.length = packet_be16(udp_bytes);
	h->udp.checksum = 0;
	h->udp.checksum = packet_udp_checksum(&h->ip, &h->udp, udp_bytes);
	m->ol_flags = verified ? RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0;
}

static void protect(struct peers *p, const uint32_t *slot, uint32_t n, struct rte_mbuf **packet)
{
	struct srtp_packet secure[BURST];

	for (uint32_t i = 0; i < n; i++)
		secure[i] = (struct srtp_packet){.data = rte_pktmbuf_mtod_offset(packet[i],
							 uint8_t *, sizeof(struct packet_headers)),
			.slot = slot[i],
			.bytes = (uint16_t)(packet[i]->data_len - sizeof(struct packet_headers))};
	srtp_protect_burst(p->srtp, secure, n);
	for (uint32_t i = 0; i < n; i++) {
		need(secure[i].verdict == SRTP_GOOD, "cannot protect", slot[i]);
		packet[i]->data_len = (uint16_t)(sizeof(struct packet_headers) + secure[i].bytes);
	}
}

void peers_talk(struct peers *p, const uint32_t *slot, uint32_t n, uint32_t period,
	struct rte_mbuf **packet)
{
	need(rte_pktmbuf_alloc_bulk(p->config.nic->pool, packet, n) == 0, "the pool is empty", n);
	for (uint32_t i = 0; i < n; i++)
		packet_make(p, slot[i], period, packet[i]);
	for (uint32_t i = 0; p->srtp && i < n; i += BURST)
		protect(p, slot + i, n - i < BURST ? n - i : BURST, packet + i);
	for (uint32_t i = 0; i < n; i++)
		packet_seal(packet[i], p->config.verified);
}

/* ---- what they hear ------------------------------------------------------------------------- */

static void mix(const struct peers *p, uint32_t a, uint32_t b, uint8_t *codes)
{
	int16_t pcm[UNITS];

	for (uint32_t i = 0; i < UNITS; i++) {
		int32_t sum = p->pcm[a][i] + p->pcm[b][i];

		sum = sum < INT16_MAX ? sum : INT16_MAX;
		pcm[i] = (int16_t)(sum > INT16_MIN ? sum : INT16_MIN);
	}
	g711_encode(p->config.codec, codes, pcm, UNITS);
}

/* The two others of the room, each of some periods ago. */
static bool is_conference(
	const struct peers *p, uint32_t slot, uint32_t period, const uint8_t *payload)
{
	uint32_t room = slot - slot % 3, a = room + (slot + 1) % 3, b = room + (slot + 2) % 3;
	uint8_t codes[UNITS];

	for (uint32_t i = 0; i < PERIODS_MAX * PERIODS_MAX; i++) {
		uint32_t back_a = i % PERIODS_MAX, back_b = i / PERIODS_MAX;

		if (back_a > period || back_b > period)
			continue;
		mix(p, frame_of(a, period - back_a), frame_of(b, period - back_b), codes);
		if (memcmp(codes, payload, UNITS) == 0)
			return true;
	}
	return false;
}

/* The clip's frame that follows the one before. */
static bool is_clip(const struct peers *p, struct heard *heard, const uint8_t *payload)
{
	uint16_t frame = heard->frame;

	if (frame == NOT_HEARD) {
		for (frame = 0; frame < PEERS_FRAMES; frame++)
			if (memcmp(p->clip[frame], payload, UNITS) == 0)
				break;
	} else {
		frame = (uint16_t)((frame + 1) % PEERS_FRAMES);
	}
	heard->frame = frame;
	return frame < PEERS_FRAMES && memcmp(p->clip[frame], payload, UNITS) == 0;
}

/* The sound of a packet of `bytes` bytes from its RTP header on. */
static void compare(struct peers *p, uint32_t slot, uint32_t period, uint8_t *rtp, uint16_t bytes)
{
	struct srtp_packet secure = {.data = rtp, .slot = slot, .bytes = bytes};

	if (p->srtp) {
		srtp_unprotect_burst(p->srtp, &secure, 1);
		need(secure.verdict == SRTP_GOOD, "a packet is not authentic", slot);
	}
	uint8_t *payload = rtp + RTP_HEADER_BYTES;

	p->figures.compared++;
	if (cord_codec_wide(p->config.codec)) {
		need(secure.bytes > RTP_HEADER_BYTES, "a packet is empty", slot);
		/* Opus is as good as there is time for. */
		if (p->config.codec != CORD_CODEC_OPUS)
			p->figures.hash = bench_hash(
				p->figures.hash, payload, secure.bytes - RTP_HEADER_BYTES);
		return;
	}
	need(secure.bytes == RTP_HEADER_BYTES + UNITS, "a packet is no frame", slot);
	/* It begins with silence; then come those who are there already. */
	if (period < 2 * PERIODS_MAX && p->config.room > 1)
		return;
	if (p->config.room > 1)
		need(is_conference(p, slot, period, payload), "a mix is wrong", slot);
	else
		need(is_clip(p, &p->heard[slot], payload), "a clip is wrong", slot);
	p->figures.hash = bench_hash(p->figures.hash, payload, UNITS);
}

static void take(struct peers *p, struct rte_mbuf *m, uint32_t period)
{
	const struct packet_headers *h = rte_pktmbuf_mtod(m, const struct packet_headers *);
	uint32_t slot = rooms_peer_slot(h->ip.to);

	need(m->data_len > HEADERS && slot < p->config.peers, "a packet is for nobody", slot);
	if (h->udp.to == packet_be16(PEERS_UDP + 1)) {
		p->figures.rtcp++;
		return;
	}
	need(h->udp.to == packet_be16(PEERS_UDP) && h->udp.from == udp_of(slot) &&
			h->ip.from == p->config.local[slot / CALLS_ADDRESS] &&
			packet_ipv4_checksum(&h->ip) == 0 &&
			packet_be16(h->ip.length) + sizeof(h->ether) == m->data_len,
		"headers are wrong", slot);
	uint8_t *rtp = rte_pktmbuf_mtod_offset(m, uint8_t *, sizeof(*h));
	struct heard *heard = &p->heard[slot];
	uint16_t sequence = rtp_get16(rtp + 2);
	uint32_t timestamp = rtp_get32(rtp + 4), ssrc = rtp_get32(rtp + 8);
	uint32_t units = 20 * cord_codec_clock_khz(p->config.codec);

	need((rtp[1] & 0x7f) == calls_payload_type(p->config.codec), "a payload type is wrong",
		slot);
	need(!heard->begun || (ssrc == heard->ssrc && sequence == (uint16_t)(heard->sequence + 1) &&
				      timestamp == heard->timestamp + units),
		"a stream has a gap", slot);
	heard->begun = true;
	heard->ssrc = ssrc;
	heard->sequence = sequence;
	heard->timestamp = timestamp;
	p->figures.media++;
	if (slot % PEERS_SAMPLE == 0)
		compare(p, slot, period, rtp, (uint16_t)(m->data_len - sizeof(*h)));
}

void peers_listen(struct peers *p, struct rte_mbuf **packet, uint32_t n, uint32_t period)
{
	for (uint32_t i = 0; i < n; i++)
		take(p, packet[i], period);
}

struct peers_figures peers_figures(const struct peers *p)
{
	return p->figures;
}

/* ---- start and end -------------------------------------------------------------------------- */

static void keys_make(struct peers *p)
{
	uint32_t n = p->config.peers, suite = p->config.suite;

	need(srtp_keys_create(&p->keys, CORD_SRTP_BACKEND_NONE, n) == 0 &&
			srtp_engine_create(&p->srtp, p->keys) == 0,
		"no memory for keys", n);
	for (uint32_t slot = 0; slot < n; slot++) {
		struct cord_srtp_key out = peers_key(suite, slot, true);
		struct cord_srtp_key in = peers_key(suite, slot, false);

		need(srtp_set_send(p->srtp, slot, &out, slot + 7) == 0, "cannot set a key", slot);
		if (slot % PEERS_SAMPLE == 0)
			need(srtp_set_receive(p->srtp, slot, &in) == 0, "cannot set a key", slot);
	}
}

struct peers *peers_create(const struct peers_config *config)
{
	struct peers *p = calloc(1, sizeof(*p));

	need(p != NULL, "no memory", 0);
	p->config = *config;
	p->heard = calloc(config->peers, sizeof(*p->heard));
	need(p->heard != NULL, "no memory", 0);
	for (uint32_t i = 0; i < config->peers; i++)
		p->heard[i].frame = NOT_HEARD;
	p->figures.hash = BENCH_HASH;
	frames_make(p);
	if (config->suite != CORD_SRTP_NONE)
		keys_make(p);
	return p;
}

void peers_destroy(struct peers *p)
{
	if (p->srtp) {
		srtp_engine_destroy(p->srtp);
		srtp_keys_destroy(p->keys);
	}
	free(p->heard);
	free(p);
}
