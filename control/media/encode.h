/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of 20 ms of a clip, in each format of cordboard/clip.h. Pure, but slow: for the offload
 * thread.
 */
#pragma once

#include <stdint.h>

#include "media/audio.h"

/* Opus of clips: music as well as speech. */
#define ENCODE_OPUS_BITRATE    32000
#define ENCODE_OPUS_COMPLEXITY 3

/* Most bytes of a frame. */
uint32_t encode_frame_max(enum cord_clip_format format);

/*
 * Writes all frames of a sound one after the other, and where each ends; the last is filled up with
 * silence. What the format has and the sound has not (samples at 16 kHz) is made of the other.
 * payload has room for audio_frames() of encode_frame_max(). 0, or -ENOMEM.
 */
int encode_frames(
	const struct audio *audio, enum cord_clip_format format, uint8_t *payload, uint32_t *end);
