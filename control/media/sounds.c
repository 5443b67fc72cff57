/* SPDX-License-Identifier: Apache-2.0 */
#include "media/sounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/offload.h"
#include "media/audio.h"
#include "media/encode.h"

/*
 * Of a long sound it comes back after each piece of the work, so that other jobs have their turn in
 * between. Short ones are made one after the other: it would take all of them longer to be there.
 */
#define ENCODE_AT_ONCE 1500u /* frames */

struct encode_job {
	struct offload *offload;
	struct sound *sound; /* NULL: gone */
	cord_clip_id id;
	enum cord_clip_format format;
	uint32_t piece; /* frames */
	int source_fd;
	uint64_t source_bytes;
	struct audio_mapped source; /* from the first piece on, as is */
	struct clip_making *making; /* NULL: not begun, or at its end */
	int error, fd;              /* fd -1: not made yet */
	uint64_t bytes;
};

/* ---- one sound ----------------------------------------------------------------------------- */

static void remove_from_dataplane(struct sounds *sounds, cord_clip_id id)
{
	if (sounds->n_removals == sounds->size_removals) {
		unsigned size = sounds->size_removals ? 2 * sounds->size_removals : 16;
		cord_clip_id *grown = realloc(sounds->removals, size * sizeof(*grown));

		CHECK(grown);
		sounds->removals = grown;
		sounds->size_removals = size;
	}
	sounds->removals[sounds->n_removals++] = id;
}

/* Nobody knows of it any more. The last descriptor of a long one frees many megabytes. */
static void sound_release(void *thing)
{
	struct sound *s = thing;

	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++)
		if (s->encodings[f].fd >= 0)
			close(s->encodings[f].fd);
	free(s);
}

void sound_free(struct sound *s)
{
	struct sounds *sounds = s->sounds;
	bool known = false;

	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (e->job)
			e->job->sound = NULL;
		if (e->state == ENCODING_GIVEN)
			sounds->in_flight--;
		known = known || e->state == ENCODING_GIVEN || e->state == ENCODING_READY;
		sounds->bytes -= e->bytes;
	}
	if (known && sounds->attached)
		remove_from_dataplane(sounds, s->id);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	sounds->n--;
	offload_release(sounds->offload, sound_release, s);
}

struct sound *sounds_find(const struct sounds *sounds, cord_clip_id id)
{
	for (struct sound *s = sounds->all; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

static void refuse(struct sound *s, enum cord_clip_format format, const char *why)
{
	s->encodings[format].state = ENCODING_REFUSED;
	s->sounds->refusals++;
	snprintf(s->error, sizeof(s->error), "%s", why);
	log_error(NULL, "media", "clip %016llx: %s", (unsigned long long)s->id, why);
	s->sounds->settled(s->sounds->ctx);
}

static void encoding_made(struct sound *s, enum cord_clip_format format, int fd, uint64_t bytes)
{
	s->encodings[format].fd = fd;
	s->encodings[format].bytes = bytes;
	s->encodings[format].state = ENCODING_MADE;
	s->sounds->bytes += bytes;
	s->sounds->to_give = true;
}

struct sound *sounds_add(
	struct sounds *sounds, cord_clip_id id, uint32_t frames, int fd, uint64_t bytes)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sounds = sounds;
	s->id = id;
	s->frames = frames;
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++)
		s->encodings[f].fd = -1;
	s->next = sounds->all;
	s->back = &sounds->all;
	if (s->next)
		s->next->back = &s->next;
	sounds->all = s;
	sounds->n++;
	encoding_made(s, CORD_CLIP_L16, fd, bytes);
	return s;
}

void sound_widen(struct sound *s, int fd, uint64_t bytes)
{
	encoding_made(s, CORD_CLIP_L16_WIDE, fd, bytes);
}

static void encode_work(void *arg)
{
	struct encode_job *job = arg;

	if (!job->making) {
		job->error = audio_map_clip(job->source_fd, job->source_bytes, &job->source);
		if (!job->error)
			job->error = clip_making_begin(
				&job->source.audio, job->id, job->format, &job->making);
		if (job->error)
			return;
	}
	if (clip_making_run(job->making, job->piece)) {
		job->error = clip_making_end(job->making, &job->fd, &job->bytes);
		job->making = NULL;
	}
}

static void encode_job_release(void *thing)
{
	struct encode_job *job = thing;

	clip_making_drop(job->making);
	audio_unmap(&job->source);
	if (job->source_fd >= 0)
		close(job->source_fd);
	if (job->fd >= 0)
		close(job->fd);
	free(job);
}

static void encode_job_free(struct encode_job *job)
{
	offload_release(job->offload, encode_job_release, job);
}

static void encode_done(void *arg)
{
	struct encode_job *job = arg;
	struct sound *s = job->sound;

	if (!s) {
		encode_job_free(job);
		return;
	}
	if (job->making) {
		int error = offload_submit(s->sounds->offload, encode_work, encode_done, job);

		if (!error)
			return; /* it is the helper's */
		job->error = error;
	}
	s->encodings[job->format].job = NULL;
	if (job->fd < 0)
		refuse(s, job->format, strerror(job->error ? -job->error : ECANCELED));
	else
		encoding_made(s, job->format, job->fd, job->bytes);
	job->fd = -1;
	encode_job_free(job);
	sounds_pump(s->sounds);
}

static int encode_start(struct sound *s, enum cord_clip_format format)
{
	bool wide =
		cord_clip_rate_hz(format) != AUDIO_RATE && s->encodings[CORD_CLIP_L16_WIDE].fd >= 0;
	const struct encoding *source = &s->encodings[wide ? CORD_CLIP_L16_WIDE : CORD_CLIP_L16];
	struct encode_job *job = calloc(1, sizeof(*job));
	int error;

	if (!job)
		return -ENOMEM;
	*job = (struct encode_job){.offload = s->sounds->offload,
		.sound = s,
		.id = s->id,
		.format = format,
		.piece = s->frames > ENCODE_AT_ONCE ? encode_piece(format) : s->frames,
		.fd = -1,
		.source_fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0),
		.source_bytes = source->bytes};
	error = job->source_fd < 0
			? -errno
			: offload_submit(s->sounds->offload, encode_work, encode_done, job);
	if (error) {
		encode_job_free(job);
		return error;
	}
	s->encodings[format].job = job;
	s->encodings[format].state = ENCODING_MAKING;
	return 0;
}

void sound_want(struct sound *s, unsigned formats)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (!(formats & 1u << f) || (f == CORD_CLIP_L16_WIDE && e->fd < 0))
			continue;
		if (!e->wanted || e->state == ENCODING_REFUSED)
			s->sounds->to_give = true;
		e->wanted = true;
		if (e->state == ENCODING_REFUSED)
			e->state = e->fd >= 0 ? ENCODING_MADE : ENCODING_NONE;
		if (e->state == ENCODING_NONE) {
			int error = encode_start(s, f);

			if (error)
				refuse(s, f, strerror(-error));
		}
	}
}

bool sound_ready(const struct sound *s, unsigned formats)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++)
		if (formats & 1u << f && s->encodings[f].state != ENCODING_READY)
			return false;
	return true;
}

bool sound_refused(const struct sound *s, unsigned formats)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++)
		if (formats & 1u << f && s->encodings[f].state == ENCODING_REFUSED)
			return true;
	return false;
}

/* ---- to the dataplane ---------------------------------------------------------------------- */

static bool give_sound(struct sounds *sounds, struct sound *s)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (!e->wanted || e->state != ENCODING_MADE)
			continue;
		if (sounds->in_flight >= CLIPS_WINDOW)
			return false;
		if (sounds->carrier.give(sounds->carrier.ctx, s->id, f, e->fd, e->bytes))
			return false;
		e->state = ENCODING_GIVEN;
		sounds->in_flight++;
	}
	return true;
}

static void tell_removals(struct sounds *sounds)
{
	unsigned told = 0;

	while (told < sounds->n_removals &&
		!sounds->carrier.remove(sounds->carrier.ctx, sounds->removals[told]))
		told++;
	sounds->n_removals -= told;
	memmove(sounds->removals, sounds->removals + told,
		sounds->n_removals * sizeof(*sounds->removals));
}

void sounds_pump(struct sounds *sounds)
{
	if (!sounds->attached)
		return;
	if (sounds->n_removals)
		tell_removals(sounds);
	if (!sounds->to_give || sounds->in_flight >= CLIPS_WINDOW)
		return;
	for (struct sound *s = sounds->all; s; s = s->next)
		if (!give_sound(sounds, s))
			return;
	sounds->to_give = false;
}

void sounds_given(
	struct sounds *sounds, cord_clip_id id, uint32_t format, int error, const char *why)
{
	struct sound *s = sounds_find(sounds, id);

	if (!s || format >= CORD_CLIP_FORMAT_COUNT || s->encodings[format].state != ENCODING_GIVEN)
		return;
	sounds->in_flight--;
	if (error) {
		refuse(s, format, why);
	} else {
		s->encodings[format].state = ENCODING_READY;
		sounds->settled(sounds->ctx);
	}
	sounds_pump(sounds);
}

void sounds_attach(struct sounds *sounds, const struct clips_carrier *carrier)
{
	sounds->attached = carrier != NULL;
	if (carrier)
		sounds->carrier = *carrier;
	sounds->in_flight = 0;
	sounds->n_removals = 0;
	sounds->to_give = true;
	for (struct sound *s = sounds->all; s; s = s->next) {
		for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
			struct encoding *e = &s->encodings[f];

			if (e->fd >= 0)
				e->state = ENCODING_MADE;
		}
	}
	sounds_pump(sounds);
}
