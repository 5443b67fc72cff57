/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of 20 ms of a clip, in each format of cordboard/clip.h, in order and as many at a time as
 * the caller likes. Pure, but slow: for the offload thread.
 */
#pragma once

#include <stdint.h>

#include "media/audio.h"

/* Opus of clips: music as well as speech. */
#define ENCODE_OPUS_BITRATE    32000
#define ENCODE_OPUS_COMPLEXITY 3

struct encoder;

/* Most bytes of a frame. */
uint32_t encode_frame_max(enum cord_clip_format format);
/* Frames that take some 10 ms: what else is to be done waits no longer for its turn. */
uint32_t encode_piece(enum cord_clip_format format);

/* Of a sound that stays as long as the encoder. -ENOMEM. */
int encoder_create(const struct audio *audio, enum cord_clip_format format, struct encoder **out);
/* NULL is fine. */
void encoder_destroy(struct encoder *e);
/*
 * Writes the next frame, the sound's last one filled up with silence, and returns its bytes: at most
 * encode_frame_max(). What the format has and the sound has not (samples at 16 kHz) is made of the
 * other.
 */
uint32_t encoder_next(struct encoder *e, uint8_t *out);
