/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sound at 8 kHz, and where its source has more at 16 kHz as well, mono, 16 bits: from WAV of any
 * common form, from tones, and as the sealed memory that the dataplane takes. For the offload thread: everything here may take long, nothing is
 * shared. Texts about what is wrong have AUDIO_WRONG_SIZE bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cordboard/clip.h>

#include "base/str.h"

#define AUDIO_RATE        8000u
#define AUDIO_SAMPLES_MAX (CORD_CLIP_FRAMES_MAX * (AUDIO_RATE / 50))
#define AUDIO_RATE_MIN    1000
#define AUDIO_RATE_MAX    384000
#define AUDIO_CHANNELS    16
#define AUDIO_WRONG_SIZE  200

struct audio {
	int16_t *samples; /* malloc'ed */
	uint32_t n;
	/* malloc'ed: 2 * n at 16 kHz of the same; NULL: there is nothing above 4 kHz to be had */
	int16_t *wide;
};

void audio_free(struct audio *audio);

enum audio_kind {
	AUDIO_PROMPT, /* a recording: trimmed below -60 dBFS, its level is kept unless it clips */
	AUDIO_SPEECH, /* of a program: trimmed below -50 dBFS, its level made even */
	AUDIO_MARKUP, /* the same of speech markup: not trimmed, its pauses are meant */
};

/*
 * Reads a WAV (WAVEX, RF64) from the start of a descriptor of a regular file or a memfd. Stays
 * open. -EINVAL: not such a file, cut short, or its header lies; -EFBIG: longer than an hour;
 * -ENOMEM. A program that writes to a pipe cannot know the length: sizes of 0 or above 2 GB mean
 * "all".
 */
int audio_read(int fd, enum audio_kind kind, struct audio *out, char *wrong);

/* Leaves 5 ms before and 10 ms behind what is above the threshold; all of it when nothing is. */
void audio_trim(struct audio *audio, int threshold);

/* The grammar in clips.h, `tone:` included. Whole frames of 20 ms. -EINVAL, -ENOMEM. */
int audio_tone(struct str spec, struct audio *out, char *wrong);
/* The same without rendering. */
int audio_tone_check(struct str spec, char *wrong);

/* The id of a clip with these samples; never 0. */
cord_clip_id audio_id(const struct audio *audio);
uint32_t audio_frames(const struct audio *audio);
/* Makes and seals a memfd as cordboard/clip.h says. */
int audio_clip(const struct audio *audio, cord_clip_id id, enum cord_clip_format format, int *fd,
	uint64_t *bytes);
/* Samples of a clip that audio_clip() made as CORD_CLIP_L16, or as CORD_CLIP_L16_WIDE: `wide` alone. */
int audio_of_clip(int fd, uint64_t bytes, struct audio *out);
