/* SPDX-License-Identifier: Apache-2.0 */
#include "media/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/offload.h"
#include "media/encode.h"

enum stage { STAGE_OPEN, STAGE_READ, STAGE_END, STAGE_SAMPLES, STAGE_WIDE, STAGE_OVER };

struct loading {
	struct offload *offload;
	struct loader *loader; /* NULL: nobody waits for it any more */
	struct loading *next;  /* of those that wait for their turn */
	void (*done)(void *ctx, struct load_result *result);
	void *ctx;
	struct load_source source; /* its texts are the loading's own */
	bool is_long;

	/* the job's: values in, values out */
	enum stage stage;
	int file; /* that was opened here; -1 */
	struct audio_reading *reading;
	struct audio audio;
	struct clip_making *making;
	struct load_result result;
};

/* ---- on the helper ------------------------------------------------------------------------- */

static void fail(struct loading *l, int error, const char *why)
{
	l->result.error = error;
	if (why)
		snprintf(l->result.wrong, sizeof(l->result.wrong), "%s", why);
	l->stage = STAGE_OVER;
}

/* What is half done: the file, what was read of it, the memory that is written. */
static void put_away(struct loading *l)
{
	audio_reading_drop(l->reading);
	l->reading = NULL;
	audio_free(&l->audio);
	clip_making_drop(l->making);
	l->making = NULL;
	if (l->file >= 0)
		close(l->file);
	l->file = -1;
}

static int open_file(const struct load_source *source)
{
	int fd;

	if (source->directory)
		return file_open_below(source->directory, source->name);
	fd = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void open_tone(struct loading *l)
{
	int error = audio_tone(str_from(l->source.name), &l->audio, l->result.wrong);

	if (error)
		fail(l, error, NULL);
	else
		l->stage = STAGE_SAMPLES;
}

/* A long one whose turn it is not is looked at again when it is. */
static void open_sound(struct loading *l, bool turn)
{
	int fd = l->source.fd, error;

	if (fd < 0) {
		fd = open_file(&l->source);
		if (fd < 0) {
			fail(l, fd,
				fd == -EXDEV ? "a link leads out of the directory" : strerror(-fd));
			return;
		}
		l->file = fd;
	}
	error = audio_reading_begin(fd, l->source.kind, &l->reading, l->result.wrong);
	if (error) {
		fail(l, error, NULL);
		return;
	}
	l->is_long = audio_reading_seconds(l->reading) > LOADING_LONG_S;
	if (l->is_long && !turn)
		put_away(l);
	else
		l->stage = STAGE_READ;
}

static void end_reading(struct loading *l)
{
	int error = audio_reading_end(l->reading, &l->audio, l->result.wrong);

	l->reading = NULL;
	if (error)
		fail(l, error, NULL);
	else
		l->stage = STAGE_SAMPLES;
}

/* True: this encoding is over, with or without an error. */
static bool make(
	struct loading *l, enum cord_clip_format format, int *fd, uint64_t *bytes, int *error)
{
	*error = 0;
	if (!l->making)
		*error = clip_making_begin(&l->audio, l->result.id, format, &l->making);
	if (*error)
		return true;
	if (!clip_making_run(l->making, encode_piece(format)))
		return false;
	*error = clip_making_end(l->making, fd, bytes);
	l->making = NULL;
	return true;
}

static void make_samples(struct loading *l)
{
	struct load_result *r = &l->result;
	int error;

	if (!l->making) {
		r->id = audio_id(&l->audio);
		r->frames = audio_frames(&l->audio);
	}
	if (!make(l, CORD_CLIP_L16, &r->fd, &r->bytes, &error))
		return;
	if (error)
		fail(l, error, strerror(-error));
	else
		l->stage = l->audio.wide ? STAGE_WIDE : STAGE_OVER;
}

/* Without memory for them it is heard at 8 kHz. */
static void make_wide(struct loading *l)
{
	struct load_result *r = &l->result;
	int error;

	if (make(l, CORD_CLIP_L16_WIDE, &r->wide_fd, &r->wide_bytes, &error))
		l->stage = STAGE_OVER;
}

static void step(struct loading *l, bool turn)
{
	int rc;

	switch (l->stage) {
	case STAGE_OPEN:
		if (l->source.tone)
			open_tone(l);
		else
			open_sound(l, turn);
		break;
	case STAGE_READ:
		rc = audio_reading_run(l->reading, l->result.wrong);
		if (rc < 0)
			fail(l, rc, NULL);
		else if (rc == 0)
			l->stage = STAGE_END;
		break;
	case STAGE_END:
		end_reading(l);
		break;
	case STAGE_SAMPLES:
		make_samples(l);
		break;
	case STAGE_WIDE:
		make_wide(l);
		break;
	case STAGE_OVER:
		break;
	}
	if (l->stage == STAGE_OVER)
		put_away(l);
}

/* All of a short one, as far as it is known to be one. */
static void work(void *job)
{
	struct loading *l = job;

	do
		step(l, false);
	while (!l->is_long && l->stage != STAGE_OVER);
}

static void work_on(void *job)
{
	step(job, true);
}

/* ---- on the loop --------------------------------------------------------------------------- */

static void done(void *job);

/* On the helper: of a long one that was cancelled, or was there already, this is much memory. */
static void loading_release(void *thing)
{
	struct loading *l = thing;

	put_away(l);
	if (l->source.fd >= 0)
		close(l->source.fd);
	if (l->result.fd >= 0)
		close(l->result.fd);
	if (l->result.wide_fd >= 0)
		close(l->result.wide_fd);
	free((char *)l->source.name);
	free((char *)l->source.directory);
	free(l);
}

static void loading_free(struct loading *l)
{
	offload_release(l->offload, loading_release, l);
}

static void tell(struct loading *l)
{
	if (l->stage != STAGE_OVER)
		fail(l, -ECANCELED, "cancelled");
	l->done(l->ctx, &l->result);
	loading_free(l);
}

/* The next long one, if none is under way. One that cannot be handed to the helper is over. */
static void next_turn(struct loader *loader)
{
	while (!loader->turn && loader->waiting) {
		struct loading *l = loader->waiting;

		loader->waiting = l->next;
		if (!loader->waiting)
			loader->waiting_last = &loader->waiting;
		if (offload_submit(loader->offload, work_on, done, l) == 0)
			loader->turn = l;
		else
			tell(l);
	}
}

static void wait_for_turn(struct loading *l)
{
	struct loader *loader = l->loader;

	if (!loader->waiting)
		loader->waiting_last = &loader->waiting;
	l->next = NULL;
	*loader->waiting_last = l;
	loader->waiting_last = &l->next;
	next_turn(loader);
}

static void done(void *job)
{
	struct loading *l = job;
	struct loader *loader = l->loader;

	if (!loader) {
		loading_free(l);
		return;
	}
	if (l->stage != STAGE_OVER && l->is_long && loader->turn != l) {
		wait_for_turn(l);
		return;
	}
	if (l->stage != STAGE_OVER && offload_submit(loader->offload, work_on, done, l) == 0)
		return;
	if (loader->turn == l)
		loader->turn = NULL;
	tell(l);
	next_turn(loader);
}

int loading_start(struct loader *loader, const struct load_source *source,
	void (*fn)(void *ctx, struct load_result *result), void *ctx, struct loading **out)
{
	struct loading *l = calloc(1, sizeof(*l));
	int error;

	if (!l) {
		if (source->fd >= 0)
			close(source->fd);
		return -ENOMEM;
	}
	*l = (struct loading){.offload = loader->offload,
		.loader = loader,
		.done = fn,
		.ctx = ctx,
		.source = *source,
		.file = -1,
		.result = {.fd = -1, .wide_fd = -1}};
	l->source.name = str_dup(str_from(source->name));
	l->source.directory = source->directory ? str_dup(str_from(source->directory)) : NULL;
	error = l->source.name && !l->source.directory == !source->directory
			? offload_submit(loader->offload, work, done, l)
			: -ENOMEM;
	if (error) {
		loading_free(l);
		return error;
	}
	*out = l;
	return 0;
}

void loading_cancel(struct loading *l)
{
	struct loader *loader = l->loader;

	for (struct loading **p = &loader->waiting; *p; p = &(*p)->next)
		if (*p == l) {
			*p = l->next;
			if (!*p)
				loader->waiting_last = p;
			loading_free(l);
			return;
		}
	/* the helper has it, or will: done() sees to it */
	l->loader = NULL;
	if (loader->turn == l) {
		loader->turn = NULL;
		next_turn(loader);
	}
}
