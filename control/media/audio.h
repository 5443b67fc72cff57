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
 * Reads a WAV (WAVEX, RF64) from the start of a descriptor of a regular file or a memfd, which stays
 * open and is nobody else's until the end. -EINVAL: not such a file, cut short, or its header lies;
 * -EFBIG: longer than an hour; -ENOMEM. A program that writes to a pipe cannot know the length: sizes
 * of 0 or above 2 GB mean "all".
 */
struct audio_reading;
int audio_reading_begin(int fd, enum audio_kind kind, struct audio_reading **out, char *wrong);
/* How long the file says that it is. */
uint64_t audio_reading_seconds(const struct audio_reading *r);
/* Some 10 ms of work: an hour of a file at 44.1 kHz takes half a minute. 1: there is more; 0. */
int audio_reading_run(struct audio_reading *r, char *wrong);
/* All is read: what it is. It is over, also when that fails. */
int audio_reading_end(struct audio_reading *r, struct audio *out, char *wrong);
/* Without an end. NULL is fine. */
void audio_reading_drop(struct audio_reading *r);

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

/* The same a piece at a time: of a long sound, some formats take minutes. */
struct clip_making;
/* The samples stay until the end. */
int clip_making_begin(const struct audio *audio, cord_clip_id id, enum cord_clip_format format,
	struct clip_making **out);
/* Makes so many frames more, at most; true: all are made. */
bool clip_making_run(struct clip_making *m, uint32_t frames);
/* All are made: seals it. It is over, also when that fails. */
int clip_making_end(struct clip_making *m, int *fd, uint64_t *bytes);
/* Without an end. NULL is fine. */
void clip_making_drop(struct clip_making *m);

/* Samples as they lie in a clip of CORD_CLIP_L16, or of CORD_CLIP_L16_WIDE: `wide` alone. Only to be read. */
struct audio_mapped {
	struct audio audio;
	void *at;
	size_t bytes;
};
int audio_map_clip(int fd, uint64_t bytes, struct audio_mapped *out);
/* One of zeros is fine. */
void audio_unmap(struct audio_mapped *mapped);
