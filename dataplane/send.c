/* SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include "listen.h"
#include "tx.h"

#define UNITS PORT_PERIOD_UNITS

/* Packets of another length than 20 ms leave when a whole one is there. */
static void send_rich(
	struct worker *w, struct port *p, bool marker, uint32_t timestamp, const uint8_t *codes)
{
	struct port_cold *cold = worker_cold(w, p);
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
static bool send_key(struct worker *w, struct port *p, uint32_t period, const uint8_t **codes)
{
	struct port_cold *cold = worker_cold(w, p);
	uint32_t timestamp = p->timestamp_base + period * 20 * cold->event_khz;
	struct telephone_event_packet packet;

	switch (telephone_event_step(&cold->event_out, timestamp, cold->event_khz, &packet)) {
	case TELEPHONE_EVENT_STEP_PACKET:
		if (packet.marker)
			worker_count(w, CORD_COUNTER_digits_sent, 1);
		tx_rtp(w, p, NULL, CORD_COUNTER_tx_event, packet.marker, p->event_payload_type,
			packet.timestamp, packet.payload, sizeof(packet.payload));
		cold->out_count = 0;
		return true;
	case TELEPHONE_EVENT_STEP_SILENCE:
		*codes = listen_silence(p->codec);
		return false;
	case TELEPHONE_EVENT_STEP_DONE:
		port_keys_end(w, p);
		return false;
	default:
		p->flags &= (uint16_t) ~(PORT_KEYS | PORT_KEYS_ASKED);
		return false;
	}
}

void send_codes(struct worker *w, struct port *p, uint32_t i, uint32_t period, const uint8_t *codes)
{
	struct talk *t = &w->scratch.talk[i];
	uint32_t timestamp = p->timestamp_base + period * UNITS;
	bool marker = !(p->flags & PORT_STARTED) || p->period + 1 != period;

	p->flags |= PORT_STARTED;
	p->period = period;
	if ((p->flags & PORT_KEYS) && send_key(w, p, period, &codes))
		return;
	if (p->flags & PORT_RICH_OUT) {
		send_rich(w, p, marker, timestamp, codes);
		return;
	}
	tx_rtp(w, p, t->packet, CORD_COUNTER_tx_media, marker, p->payload_type, timestamp, codes,
		UNITS);
	t->packet = NULL;
}
