/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our audio line of a description: the codecs that we can describe, the numbers under which they
 * go, and how all of it is written. For offer_answer.c.
 */
#pragma once

#include "sip/offer_answer.h"

#define SDP_EVENTS_MAX 2 /* clocks of telephone-event in one line: 8 and 48 kHz */

/* One codec that we can describe. A new codec is a new row in sdp_audio.c. */
struct sdp_codec {
	uint8_t codec;        /* enum cord_codec */
	uint8_t payload_type; /* static, or the dynamic one of our offers */
	uint8_t channels;
	const char *encoding;
	uint32_t clock;
	/* Writes the value of our fmtp; NULL: none. */
	void (*fmtp)(struct strbuf *out, const struct sdp_local *local);
};
const struct sdp_codec *sdp_codec(enum cord_codec codec); /* NULL: not known */

/* The line, laid out: numbers only, its values come from the struct sdp_local. */
struct sdp_audio {
	struct str protocol;
	const struct sdp_codec *codecs[SDP_CODECS_MAX];
	uint8_t payload_types[SDP_CODECS_MAX];
	uint8_t count;
	uint8_t event_count;
	uint8_t event_payload_types[SDP_EVENTS_MAX];
	uint32_t event_clocks[SDP_EVENTS_MAX];
	uint8_t noise_payload_type; /* of comfort noise at 8 kHz, or SDP_NO_PAYLOAD_TYPE */
	bool rtcp_mux;
	uint8_t direction;
	uint8_t key_count;
	uint8_t suites[CORD_SRTP_SUITE_COUNT]; /* of the crypto lines: enum cord_srtp_suite */
	uint32_t tags[CORD_SRTP_SUITE_COUNT];
};

/*
 * Our offer: all that local has. What `agreed` (NULL: nothing) has keeps its number, tag and suite;
 * what was agreed to be plain stays plain.
 */
void sdp_audio_lay_out(
	struct sdp_audio *audio, const struct sdp_local *local, const struct sdp_stream *agreed);

/* SDP_NO_PAYLOAD_TYPE when it is not in the line. */
uint8_t sdp_audio_payload_type(const struct sdp_audio *audio, enum cord_codec codec);
uint8_t sdp_audio_event(const struct sdp_audio *audio, uint32_t clock);

void sdp_audio_write(struct strbuf *out, const struct sdp_audio *audio,
	const struct sdp_local *local, const struct sdes_keys *keys);
