/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sounds: what clips sound like, one for each content, encoded as somebody wants to hear it, and
 * which of these encodings the dataplane has. Private to clips.c.
 *
 *     NONE -> MAKING -> MADE -> GIVEN -> READY
 *                 `-------+-------`----> REFUSED   tried again when wanted again
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cordboard/clip.h>

#include "media/clips.h"

struct sounds;

enum encoding_state {
	ENCODING_NONE,
	ENCODING_MAKING,
	ENCODING_MADE,
	ENCODING_GIVEN, /* handed over, not answered yet */
	ENCODING_READY,
	ENCODING_REFUSED,
};

struct encoding {
	enum encoding_state state;
	bool wanted;
	int fd;
	uint64_t bytes;
	struct encode_job *job;
};

/* One for each content. */
struct sound {
	struct sounds *sounds;
	struct sound *next, **back;
	cord_clip_id id;
	uint32_t frames;
	unsigned refs; /* clips */
	struct encoding encodings[CORD_CLIP_FORMAT_COUNT];
	char error[CLIPS_REASON_SIZE];
};

/* All of them. Zeroed, then the first three set by the owner. */
struct sounds {
	struct offload *offload;
	void *ctx;
	void (*settled)(void *ctx); /* some encoding has become ready or was refused */
	struct sound *all;
	bool attached;
	struct clips_carrier carrier;
	unsigned in_flight;     /* given, not answered */
	bool to_give;           /* some sound may have encodings to give */
	cord_clip_id *removals; /* to be told to the dataplane */
	unsigned n_removals, size_removals;
	uint64_t bytes;
	unsigned n;
	uint64_t refusals;
};

struct sound *sounds_find(const struct sounds *sounds, cord_clip_id id);
/* Takes the descriptor of its L16 encoding, unless there is no memory: NULL. */
struct sound *sounds_add(
	struct sounds *sounds, cord_clip_id id, uint32_t frames, int fd, uint64_t bytes);
/* Takes that of its samples at 16 kHz, which not every sound has. */
void sound_widen(struct sound *s, int fd, uint64_t bytes);
void sound_free(struct sound *s);
/*
 * Formats are bits 1 << enum cord_clip_format. Samples at 16 kHz are given where there are some; all
 * else is made of the best samples that there are.
 */
void sound_want(struct sound *s, unsigned formats);
bool sound_ready(const struct sound *s, unsigned formats);
/* One of them at least. */
bool sound_refused(const struct sound *s, unsigned formats);

/* As clips_pump() and its like (clips.h). */
void sounds_pump(struct sounds *sounds);
void sounds_attach(struct sounds *sounds, const struct clips_carrier *carrier);
void sounds_given(
	struct sounds *sounds, cord_clip_id id, uint32_t format, int error, const char *why);
