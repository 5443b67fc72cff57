/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls as all benches open them, in messages: 20 ms of media both ways, and rooms in which each
 * hears the others.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <cordboard/messages.h>

#define CALLS_UDP_BASE 2000u  /* of our UDP ports at each address */
#define CALLS_ADDRESS  30000u /* ports at an address of ours, at most; whole rooms of 3 */

/* The port or room of a slot. */
static inline cord_id calls_id(uint32_t slot)
{
	return cord_id_make(slot, 1);
}

static inline uint8_t calls_payload_type(enum cord_codec codec)
{
	static const uint8_t type[] = {[CORD_CODEC_PCMU] = 0,
		[CORD_CODEC_PCMA] = 8,
		[CORD_CODEC_G722] = 9,
		[CORD_CODEC_OPUS] = 111};

	return type[codec];
}

/* A peer's; Opus of complexity 5 at 16 kHz. */
static inline struct cord_terms calls_terms(struct cord_address remote, enum cord_codec codec)
{
	return (struct cord_terms){.remote = remote,
		.codec = (uint8_t)codec,
		.payload_type = calls_payload_type(codec),
		.event_payload_type = 101,
		.noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.receive_payload_type = calls_payload_type(codec),
		.receive_event_payload_type = 101,
		.receive_noise_payload_type = CORD_NO_PAYLOAD_TYPE,
		.event_clock_hz = 8000,
		.opus_complexity = 5,
		.opus_rate_khz = 16,
		.ptime_ms = 20,
		.direction = CORD_MAY_SEND | CORD_MAY_RECEIVE};
}

/* Room `number` of those with so many members: the ports of the slots from number * members on. */
static inline struct cord_room_set calls_room(uint32_t number, uint32_t members)
{
	struct cord_room_set set = {.room = calls_id(number), .members = (uint8_t)members};

	for (uint32_t i = 0; i < members; i++) {
		set.member[i].port = calls_id(number * members + i);
		set.member[i].hears = (uint16_t)(((1u << members) - 1) & ~(1u << i));
	}
	return set;
}

#endif
