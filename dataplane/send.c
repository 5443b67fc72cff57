/* SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include "listen.h"
#include "tx.h"

#define UNITS PORT_PERIOD_UNITS

/* Sends a packet of media that was gathered, or made, in the port's own time. */
static void send_packet(struct worker *w, struct port *p, uint32_t timestamp,
	const uint8_t *payload, uint32_t bytes)
{
	tx_rtp(w, p, NULL, CORD_COUNTER_tx_media, p->marker, p->payload_type, timestamp, payload,
		(uint16_t)bytes);
	p->marker = false;
}

/* Packets of another length than 20 ms leave when a whole one is there. */
static void send_codes(struct worker *w, struct port *p, uint32_t timestamp, const uint8_t *codes)
{
	struct port_cold *cold = worker_cold(w, p);
	uint8_t *out = worker_rich(w, p)->out;
	uint32_t bytes = p->ptime_ms * 8u;

	if (cold->out_count == 0)
		cold->out_timestamp = timestamp;
	memcpy(out + cold->out_count, codes, UNITS);
	cold->out_count += UNITS;
	while (cold->out_count >= bytes) {
		send_packet(w, p, cold->out_timestamp, out, bytes);
		cold->out_timestamp += bytes;
		cold->out_count -= bytes;
		memmove(out, out + bytes, cold->out_count);
	}
}

static void send_gathered(struct worker *w, struct port *p)
{
	struct port_cold *cold = worker_cold(w, p);
	uint8_t packet[OPUS_PACKET_MAX];

	if (cold->coder->gather.frames)
		send_packet(w, p, cold->out_timestamp, packet,
			(uint32_t)opus_gather_write(&cold->coder->gather, packet));
}

/* A frame that does not go with those before ends their packet early, as does one not sent (DTX). */
static void send_frame(
	struct worker *w, struct port *p, uint32_t timestamp, const uint8_t *frame, uint32_t bytes)
{
	struct port_cold *cold = worker_cold(w, p);
	struct opus_gather *g = &cold->coder->gather;

	if (bytes == 0) {
		send_gathered(w, p);
		p->marker = true;
		return;
	}
	if (p->ptime_ms == port_frame_ms(p)) {
		send_packet(w, p, timestamp, frame, bytes);
		return;
	}
	if (g->frames == 0)
		cold->out_timestamp = timestamp;
	if (!opus_gather_add(g, frame, bytes)) {
		send_gathered(w, p);
		cold->out_timestamp = timestamp;
		opus_gather_add(g, frame, bytes);
	}
	if (g->frames * port_frame_ms(p) >= p->ptime_ms)
		send_gathered(w, p);
}

static void send_opus(struct worker *w, struct port *p, uint32_t timestamp, const struct sound *s)
{
	const uint8_t *frame = s->codes;

	for (uint32_t i = 0; i < s->frames; i++) {
		send_frame(w, p, timestamp, frame, s->bytes[i]);
		frame += s->bytes[i];
		timestamp += port_period_units(p) / s->frames;
	}
}

/* Nothing is to be heard, and nothing need be sent but, at times, how silent it is. */
static void send_pause(struct worker *w, struct port *p, uint32_t timestamp, const struct sound *s)
{
	struct port_cold *cold = worker_cold(w, p);

	if (p->codec == CORD_CODEC_OPUS)
		send_gathered(w, p);
	port_forget_unsent(cold);
	if (s->noise)
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_comfort_noise, false, cold->noise_payload_type,
			timestamp, s->codes, s->bytes[0]);
	p->marker = true;
}

/* True: a key took the place of sound in this period. Silence is put in *s where one is due. */
static bool send_key(struct worker *w, struct port *p, uint32_t period, struct sound *s)
{
	struct port_cold *cold = worker_cold(w, p);
	uint32_t timestamp = p->timestamp_base + period * 20 * cold->event_khz;
	struct telephone_event_packet packet;

	switch (port_key_step(w, p, timestamp, cold->event_khz, &packet)) {
	case TELEPHONE_EVENT_STEP_PACKET:
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_event, packet.marker, p->event_payload_type,
			packet.timestamp, packet.payload, sizeof(packet.payload));
		port_forget_unsent(cold);
		return true;
	case TELEPHONE_EVENT_STEP_SILENCE:
		*s = listen_silence(w, p);
		return false;
	default:
		return false;
	}
}

static void send_rich(struct worker *w, struct port *p, uint32_t timestamp, const struct sound *s)
{
	if (p->codec == CORD_CODEC_OPUS)
		send_opus(w, p, timestamp, s);
	else
		send_codes(w, p, timestamp, s->codes);
}

void send_sound(struct worker *w, struct port *p, uint32_t i, uint32_t period, struct sound *s)
{
	struct talk *t = &w->scratch.talk[i];
	uint32_t timestamp = p->timestamp_base + period * port_period_units(p);

	if (!(p->flags & PORT_STARTED) || p->period + 1 != period) {
		port_forget_unsent(worker_cold(w, p));
		p->marker = true;
	}
	p->flags |= PORT_STARTED;
	p->period = period;
	p->sequence += s->lost;
	if (s->resumes)
		p->marker = true;
	if ((p->flags & (PORT_KEYS | PORT_INBAND)) == PORT_KEYS && send_key(w, p, period, s))
		return;
	if (s->missing)
		return;
	if (s->frames == 0 || s->noise) {
		send_pause(w, p, timestamp, s);
		return;
	}
	if (p->flags & PORT_RICH_OUT) {
		send_rich(w, p, timestamp, s);
		return;
	}
	tx_rtp(w, p, t->packet, CORD_COUNTER_tx_media, p->marker, p->payload_type, timestamp,
		s->codes, s->bytes[0]);
	p->marker = false;
	t->packet = NULL;
}
