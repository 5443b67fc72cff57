/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codecs of the ear, all at 8 kHz: G.711 by tones.h, G.722 by spandsp and Opus by libopus, which
 * both can code the telephone band alone.
 */
#ifndef EAR_CODEC_H
#define EAR_CODEC_H

#include <opus.h>
#include <spandsp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EAR_SAMPLES_MAX 960u /* 120 ms, which Opus may have in a packet */

enum ear_codec_kind { EAR_PCMU, EAR_PCMA, EAR_G722, EAR_OPUS, EAR_CODECS };

/* Coders that keep something from one packet to the next; made when first used. Zero at the start. */
struct ear_codec {
	g722_encode_state_t *g722_encode;
	g722_decode_state_t *g722_decode;
	OpusEncoder *opus_encode;
	OpusDecoder *opus_decode;
};

/* EAR_CODECS for a name that is none. */
enum ear_codec_kind ear_codec_kind(const char *name);
int ear_codec_payload_type(enum ear_codec_kind kind); /* static, or 96 */
unsigned ear_codec_clock_khz(enum ear_codec_kind kind);

/* Bytes written; 0 when it could not be done. */
size_t ear_codec_encode(struct ear_codec *codec, enum ear_codec_kind kind, const int16_t *pcm,
	size_t samples, uint8_t *out, size_t size);
/* Samples, at most EAR_SAMPLES_MAX; 0 when the packet is broken. */
size_t ear_codec_decode(struct ear_codec *codec, enum ear_codec_kind kind, const uint8_t *payload,
	size_t bytes, int16_t *pcm);
void ear_codec_clear(struct ear_codec *codec);

#endif
