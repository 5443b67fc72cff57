/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loading: from a file, a tone specification or a program's speech to the sealed samples of a clip,
 * on the offload thread. Private to clips.c.
 *
 *   OPEN -> READ -> END -> SAMPLES -> WIDE -> OVER
 *
 * What lasts up to LOADING_LONG_S is one job. What is longer comes back after each piece of some
 * 10 ms of work, so that other jobs have their turn in between; since it needs much memory meanwhile,
 * only one such is under way at a time, and the others wait in order.
 */
#pragma once

#include <cordboard/clip.h>

#include "media/audio.h"

#define LOADING_LONG_S 30

struct offload;
struct loading;

/* Zeroed, but for the first. */
struct loader {
	struct offload *offload;
	struct loading *turn; /* the long one under way; NULL: none */
	struct loading *waiting, **waiting_last;
};

struct load_source {
	bool tone;            /* `name` is a specification */
	enum audio_kind kind; /* of a file or of speech */
	const char *name;     /* of a file; with a fd it does not matter */
	const char
		*directory; /* NULL, or what the file must be below when links have been followed */
	int fd;             /* of speech; -1: none. Taken, also on failure */
};

struct load_result {
	int error; /* then `wrong` says why, and there is no more */
	char wrong[AUDIO_WRONG_SIZE];
	cord_clip_id id;
	uint32_t frames;
	/* Sealed; who takes one puts -1 there. wide_fd -1: there are no samples at 16 kHz. */
	int fd, wide_fd;
	uint64_t bytes, wide_bytes;
};

/* -ENOMEM, -ENOBUFS. `done` is called once, from the loop, and the loading is over then. */
int loading_start(struct loader *loader, const struct load_source *source,
	void (*done)(void *ctx, struct load_result *result), void *ctx, struct loading **out);
/* `done` is not called. */
void loading_cancel(struct loading *l);
