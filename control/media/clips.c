/* SPDX-License-Identifier: Apache-2.0 */
#include "media/clips.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/offload.h"
#include "media/audio.h"
#include "media/ssml.h"

#define KEY_SIZE (CLIPS_SOURCE_MAX + 3)

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
	struct clips *clips;
	struct sound *next, **back;
	cord_clip_id id;
	uint32_t frames;
	unsigned refs; /* clips */
	struct encoding encodings[CORD_CLIP_FORMAT_COUNT];
	char error[CLIPS_REASON_SIZE];
};

enum clip_kind { CLIP_KIND_FILE, CLIP_KIND_TONE, CLIP_KIND_TEXT };

struct clip {
	struct clips *clips;
	struct clip *next, **back; /* all */
	struct clip *idle_next,
		**idle_back; /* held by nobody, the longest first; back NULL: held */
	enum clip_kind kind;
	char *key; /* in the map while `known` */
	char *name;
	bool known;
	unsigned refs;
	enum clip_state state;
	uint64_t failed_ns;
	char error[CLIPS_REASON_SIZE];
	struct sound *sound;
	/* while it loads */
	struct load_job *job;
	struct speech_job *speech;
	char *directory; /* of a file that must be below it, or NULL */
	/* of a text */
	char *text, *voice;
	bool ssml;
};

/* Work of the offload thread: values in, values out. */
struct load_job {
	struct clip *clip; /* NULL: nobody waits for it any more */
	enum clip_kind kind;
	enum audio_kind audio;
	char *source;    /* of a file or a tone */
	char *directory; /* that the file must be below, or NULL */
	int fd;          /* of speech; -1: open `source` */
	int error;
	char wrong[AUDIO_WRONG_SIZE];
	cord_clip_id id;
	uint32_t frames;
	int clip_fd;
	uint64_t bytes;
};

struct encode_job {
	struct sound *sound; /* NULL: gone */
	cord_clip_id id;
	enum cord_clip_format format;
	int source_fd;
	uint64_t source_bytes;
	int error, fd;
	uint64_t bytes;
};

struct clips {
	struct clips_config config;
	struct speech *speech;
	struct map map;
	struct clip *all;
	struct clip *idle, **idle_last;
	struct sound *sounds;
	struct clip_wait *waits;
	struct loop_task settle;
	bool attached;
	struct clips_carrier carrier;
	unsigned in_flight;     /* given, not answered */
	bool to_give;           /* some sound may have encodings to give */
	cord_clip_id *removals; /* to be told to the dataplane */
	unsigned n_removals, size_removals;
	uint64_t bytes;
	unsigned n_clips, n_sounds, n_held;
	uint64_t loads, hits, evictions, refusals;
};

/* ---- waits --------------------------------------------------------------------------------- */

static const struct sound *sound_of(const struct clip *c)
{
	return c->state == CLIP_LOADED ? c->sound : NULL;
}

bool clip_ready(const struct clip *c, unsigned formats)
{
	const struct sound *s = sound_of(c);

	for (unsigned f = 0; s && f < CORD_CLIP_FORMAT_COUNT; f++)
		if (formats & 1u << f && s->encodings[f].state != ENCODING_READY)
			return false;
	return s != NULL;
}

/* 1: not settled yet. */
static int wait_outcome(const struct clip_wait *w)
{
	const struct clip *c = w->clip;

	if (c->state == CLIP_FAILED)
		return -EIO;
	if (clip_ready(c, w->formats))
		return 0;
	for (unsigned f = 0; c->state == CLIP_LOADED && f < CORD_CLIP_FORMAT_COUNT; f++)
		if (w->formats & 1u << f && c->sound->encodings[f].state == ENCODING_REFUSED)
			return -EPROTO;
	return 1;
}

static void wait_unlink(struct clip_wait *w)
{
	*w->back = w->next;
	if (w->next)
		w->next->back = w->back;
	w->back = NULL;
}

static void wait_link(struct clip_wait *w, struct clip_wait **list)
{
	w->next = *list;
	w->back = list;
	if (*list)
		(*list)->back = &w->next;
	*list = w;
}

/* Those that are settled are set apart first: a callback may start or cancel any wait. */
static void settle(void *ctx)
{
	struct clips *clips = ctx;
	struct clip_wait *due = NULL, *w = clips->waits;

	while (w) {
		struct clip_wait *next = w->next;

		if (wait_outcome(w) <= 0) {
			wait_unlink(w);
			wait_link(w, &due);
		}
		w = next;
	}
	while (due) {
		int outcome;

		w = due;
		wait_unlink(w);
		outcome = wait_outcome(w);
		if (outcome > 0)
			wait_link(w, &clips->waits);
		else
			w->fn(w->ctx, outcome);
	}
}

static void settle_later(struct clips *clips)
{
	if (clips->waits)
		loop_task_set(clips->config.loop, &clips->settle);
}

void clip_wait_cancel(struct clip_wait *w)
{
	if (w->back)
		wait_unlink(w);
}

/* ---- sounds -------------------------------------------------------------------------------- */

static void remove_from_dataplane(struct clips *clips, cord_clip_id id)
{
	if (clips->n_removals == clips->size_removals) {
		unsigned size = clips->size_removals ? 2 * clips->size_removals : 16;
		cord_clip_id *grown = realloc(clips->removals, size * sizeof(*grown));

		CHECK(grown);
		clips->removals = grown;
		clips->size_removals = size;
	}
	clips->removals[clips->n_removals++] = id;
}

static void sound_free(struct sound *s)
{
	struct clips *clips = s->clips;
	bool known = false;

	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (e->job)
			e->job->sound = NULL;
		if (e->state == ENCODING_GIVEN)
			clips->in_flight--;
		known = known || e->state == ENCODING_GIVEN || e->state == ENCODING_READY;
		if (e->fd >= 0)
			close(e->fd);
		clips->bytes -= e->bytes;
	}
	if (known && clips->attached)
		remove_from_dataplane(clips, s->id);
	*s->back = s->next;
	if (s->next)
		s->next->back = s->back;
	clips->n_sounds--;
	free(s);
}

static struct sound *sound_find(const struct clips *clips, cord_clip_id id)
{
	for (struct sound *s = clips->sounds; s; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

static struct sound *sound_new(struct clips *clips, cord_clip_id id, uint32_t frames)
{
	struct sound *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->clips = clips;
	s->id = id;
	s->frames = frames;
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++)
		s->encodings[f].fd = -1;
	s->next = clips->sounds;
	s->back = &clips->sounds;
	if (s->next)
		s->next->back = &s->next;
	clips->sounds = s;
	clips->n_sounds++;
	return s;
}

static void sound_refused(struct sound *s, enum cord_clip_format format, const char *why)
{
	s->encodings[format].state = ENCODING_REFUSED;
	s->clips->refusals++;
	snprintf(s->error, sizeof(s->error), "%s", why);
	log_error(NULL, "media", "clip %016llx: %s", (unsigned long long)s->id, why);
	settle_later(s->clips);
}

static void encoding_made(struct sound *s, enum cord_clip_format format, int fd, uint64_t bytes)
{
	s->encodings[format].fd = fd;
	s->encodings[format].bytes = bytes;
	s->encodings[format].state = ENCODING_MADE;
	s->clips->bytes += bytes;
	s->clips->to_give = true;
}

static void encode_work(void *arg)
{
	struct encode_job *job = arg;
	struct audio audio;

	job->error = audio_of_clip(job->source_fd, job->source_bytes, &audio);
	if (job->error)
		return;
	job->error = audio_clip(&audio, job->id, job->format, &job->fd, &job->bytes);
	audio_free(&audio);
}

static void encode_done(void *arg)
{
	struct encode_job *job = arg;
	struct sound *s = job->sound;

	close(job->source_fd);
	if (!s) {
		if (job->fd >= 0)
			close(job->fd);
	} else {
		s->encodings[job->format].job = NULL;
		if (job->fd < 0)
			sound_refused(
				s, job->format, strerror(job->error ? -job->error : ECANCELED));
		else
			encoding_made(s, job->format, job->fd, job->bytes);
		clips_pump(s->clips);
	}
	free(job);
}

static int encode_start(struct sound *s, enum cord_clip_format format)
{
	const struct encoding *source = &s->encodings[CORD_CLIP_L16];
	struct encode_job *job = calloc(1, sizeof(*job));
	int error;

	if (!job)
		return -ENOMEM;
	*job = (struct encode_job){.sound = s,
		.id = s->id,
		.format = format,
		.fd = -1,
		.source_fd = fcntl(source->fd, F_DUPFD_CLOEXEC, 0),
		.source_bytes = source->bytes};
	error = job->source_fd < 0
			? -errno
			: offload_submit(s->clips->config.offload, encode_work, encode_done, job);
	if (error) {
		if (job->source_fd >= 0)
			close(job->source_fd);
		free(job);
		return error;
	}
	s->encodings[format].job = job;
	s->encodings[format].state = ENCODING_MAKING;
	return 0;
}

static void sound_want(struct sound *s, unsigned formats)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (!(formats & 1u << f))
			continue;
		if (!e->wanted || e->state == ENCODING_REFUSED)
			s->clips->to_give = true;
		e->wanted = true;
		if (e->state == ENCODING_REFUSED)
			e->state = e->fd >= 0 ? ENCODING_MADE : ENCODING_NONE;
		if (e->state == ENCODING_NONE) {
			int error = encode_start(s, f);

			if (error)
				sound_refused(s, f, strerror(-error));
		}
	}
}

/* ---- to the dataplane ---------------------------------------------------------------------- */

static bool give_sound(struct clips *clips, struct sound *s)
{
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct encoding *e = &s->encodings[f];

		if (!e->wanted || e->state != ENCODING_MADE)
			continue;
		if (clips->in_flight >= CLIPS_WINDOW)
			return false;
		if (clips->carrier.give(clips->carrier.ctx, s->id, f, e->fd, e->bytes))
			return false;
		e->state = ENCODING_GIVEN;
		clips->in_flight++;
	}
	return true;
}

static void tell_removals(struct clips *clips)
{
	unsigned told = 0;

	while (told < clips->n_removals &&
		!clips->carrier.remove(clips->carrier.ctx, clips->removals[told]))
		told++;
	clips->n_removals -= told;
	memmove(clips->removals, clips->removals + told,
		clips->n_removals * sizeof(*clips->removals));
}

void clips_pump(struct clips *clips)
{
	if (!clips->attached)
		return;
	if (clips->n_removals)
		tell_removals(clips);
	if (!clips->to_give || clips->in_flight >= CLIPS_WINDOW)
		return;
	for (struct sound *s = clips->sounds; s; s = s->next)
		if (!give_sound(clips, s))
			return;
	clips->to_give = false;
}

void clips_given(struct clips *clips, cord_clip_id id, uint32_t format, int error, const char *why)
{
	struct sound *s = sound_find(clips, id);

	if (!s || format >= CORD_CLIP_FORMAT_COUNT || s->encodings[format].state != ENCODING_GIVEN)
		return;
	clips->in_flight--;
	if (error) {
		sound_refused(s, format, why);
	} else {
		s->encodings[format].state = ENCODING_READY;
		settle_later(clips);
	}
	clips_pump(clips);
}

void clips_attach(struct clips *clips, const struct clips_carrier *carrier)
{
	clips->attached = carrier != NULL;
	if (carrier)
		clips->carrier = *carrier;
	clips->in_flight = 0;
	clips->n_removals = 0;
	clips->to_give = true;
	for (struct sound *s = clips->sounds; s; s = s->next) {
		for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
			struct encoding *e = &s->encodings[f];

			if (e->fd >= 0)
				e->state = ENCODING_MADE;
		}
	}
	clips_pump(clips);
}

/* ---- loading ------------------------------------------------------------------------------- */

static void load_failed(struct clip *c, const char *why)
{
	/* Of a long name the end says most. */
	size_t n = strlen(c->name);

	c->state = CLIP_FAILED;
	c->failed_ns = loop_now(c->clips->config.loop);
	snprintf(c->error, sizeof(c->error), "%.100s: %.97s", c->name + (n > 100 ? n - 100 : 0),
		why);
	log_warning(NULL, "media", "clip %s", c->error);
	settle_later(c->clips);
}

static void load_job_free(struct load_job *job)
{
	if (!job)
		return;
	free(job->source);
	free(job->directory);
	free(job);
}

static int open_source(const struct load_job *job)
{
	int fd;

	if (job->directory)
		return file_open_below(job->directory, job->source);
	fd = open(job->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void load_work(void *arg)
{
	struct load_job *job = arg;
	struct audio audio = {0};

	if (job->kind == CLIP_KIND_TONE) {
		job->error = audio_tone(str_from(job->source), &audio, job->wrong);
	} else {
		int fd = job->fd >= 0 ? job->fd : open_source(job);

		if (fd < 0) {
			job->error = fd;
			snprintf(job->wrong, sizeof(job->wrong), "%s",
				fd == -EXDEV ? "a link leads out of the directory" : strerror(-fd));
			return;
		}
		job->error = audio_read(fd, job->audio, &audio, job->wrong);
		if (job->fd < 0)
			close(fd);
	}
	if (job->error)
		return;
	job->id = audio_id(&audio);
	job->frames = audio_frames(&audio);
	job->error = audio_clip(&audio, job->id, CORD_CLIP_L16, &job->clip_fd, &job->bytes);
	if (job->error)
		snprintf(job->wrong, sizeof(job->wrong), "%s", strerror(-job->error));
	audio_free(&audio);
}

static void load_came(struct clip *c, struct load_job *job)
{
	struct sound *s = sound_find(c->clips, job->id);

	if (!s) {
		s = sound_new(c->clips, job->id, job->frames);
		if (!s) {
			load_failed(c, "out of memory");
			return;
		}
		encoding_made(s, CORD_CLIP_L16, job->clip_fd, job->bytes);
		job->clip_fd = -1;
	}
	s->refs++;
	c->sound = s;
	c->state = CLIP_LOADED;
	for (struct clip_wait *w = c->clips->waits; w; w = w->next)
		if (w->clip == c && w->formats)
			sound_want(s, w->formats);
	settle_later(c->clips);
	clips_pump(c->clips);
}

static void load_done(void *arg)
{
	struct load_job *job = arg;
	struct clip *c = job->clip;

	if (c) {
		c->job = NULL;
		if (job->clip_fd >= 0)
			load_came(c, job);
		else
			load_failed(c, job->error ? job->wrong : "cancelled");
	}
	if (job->clip_fd >= 0)
		close(job->clip_fd);
	if (job->fd >= 0)
		close(job->fd);
	load_job_free(job);
}

/* Takes the descriptor. */
static int load_start(struct clip *c, const char *source, int fd)
{
	struct load_job *job = calloc(1, sizeof(*job));
	int error = job ? 0 : -ENOMEM;

	if (job) {
		*job = (struct load_job){.clip = c,
			.kind = c->kind,
			.audio = c->kind != CLIP_KIND_TEXT ? AUDIO_PROMPT
				 : c->ssml                 ? AUDIO_MARKUP
							   : AUDIO_SPEECH,
			.fd = fd,
			.clip_fd = -1,
			.source = str_dup(str_from(source)),
			.directory = c->directory ? str_dup(str_from(c->directory)) : NULL};
		error = job->source && !job->directory == !c->directory
				? offload_submit(
					  c->clips->config.offload, load_work, load_done, job)
				: -ENOMEM;
	}
	if (error) {
		load_job_free(job);
		if (fd >= 0)
			close(fd);
		return error;
	}
	c->job = job;
	c->clips->loads++;
	return 0;
}

static void spoken(void *ctx, int fd_or_error, const char *wrong)
{
	struct clip *c = ctx;

	c->speech = NULL;
	if (fd_or_error < 0)
		load_failed(c, wrong);
	else if (load_start(c, "", fd_or_error))
		load_failed(c, "too much to do");
}

static int clip_load(struct clip *c)
{
	c->state = CLIP_LOADING;
	c->error[0] = '\0';
	if (c->kind != CLIP_KIND_TEXT)
		return load_start(c, c->name, -1);
	const struct speech_text text = {
		.text = str_from(c->text), .voice = str_from(c->voice), .ssml = c->ssml};

	return speech_render(c->clips->speech, &text, spoken, c, &c->speech);
}

/* ---- clips --------------------------------------------------------------------------------- */

static void idle_unlink(struct clip *c)
{
	struct clips *clips = c->clips;

	*c->idle_back = c->idle_next;
	if (c->idle_next)
		c->idle_next->idle_back = c->idle_back;
	else
		clips->idle_last = c->idle_back;
	c->idle_back = NULL;
}

static void idle_link(struct clip *c)
{
	struct clips *clips = c->clips;

	c->idle_next = NULL;
	c->idle_back = clips->idle_last;
	*clips->idle_last = c;
	clips->idle_last = &c->idle_next;
}

static void clip_forget(struct clip *c)
{
	if (c->known)
		map_remove(&c->clips->map, c->key, strlen(c->key));
	c->known = false;
}

static void clip_destroy(struct clip *c)
{
	struct clips *clips = c->clips;

	if (c->idle_back)
		idle_unlink(c);
	clip_forget(c);
	if (c->job)
		c->job->clip = NULL;
	if (c->speech)
		speech_cancel(c->speech);
	if (c->sound && --c->sound->refs == 0)
		sound_free(c->sound);
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	clips->n_clips--;
	free(c->key);
	free(c->name);
	free(c->directory);
	free(c->text);
	free(c->voice);
	free(c);
}

static void evict(struct clips *clips)
{
	uint64_t max = clips->config.bytes_max;

	while (clips->idle && (clips->n_clips >= CLIPS_MAX || clips->bytes > max)) {
		clips->evictions++;
		clip_destroy(clips->idle);
	}
}

struct clip *clip_hold(struct clip *c)
{
	if (c->refs++ == 0) {
		idle_unlink(c);
		c->clips->n_held++;
	}
	return c;
}

void clip_release(struct clip *c)
{
	if (!c)
		return;
	CHECK(c->refs > 0);
	if (--c->refs)
		return;
	c->clips->n_held--;
	if (!c->known) {
		clip_destroy(c);
		return;
	}
	idle_link(c);
	evict(c->clips);
}

static struct clip *clip_new(
	struct clips *clips, enum clip_kind kind, const char *key, struct str name)
{
	struct clip *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->clips = clips;
	c->kind = kind;
	c->refs = 1;
	clips->n_held++;
	clips->n_clips++;
	c->key = str_dup(str_from(key));
	c->name = str_dup(name);
	c->next = clips->all;
	c->back = &clips->all;
	if (c->next)
		c->next->back = &c->next;
	clips->all = c;
	c->known = c->key && c->name && !map_put(&clips->map, c->key, strlen(c->key), c);
	return c;
}

/* The clip known under a key, held; a failure that is old is tried again. */
static struct clip *clip_known(struct clips *clips, const char *key)
{
	struct clip *c = map_get(&clips->map, key, strlen(key));

	if (!c)
		return NULL;
	clip_hold(c);
	clips->hits++;
	if (c->state == CLIP_FAILED &&
		loop_now(clips->config.loop) >= c->failed_ns + CLIPS_FAILED_NS) {
		int error = clip_load(c);

		if (error)
			load_failed(c, strerror(-error));
	}
	return c;
}

/* The clip under a key, held: 0 a known one; 1 a new one, clip_begin() follows; -ENOSPC, -ENOMEM. */
static int clip_ask(struct clips *clips, enum clip_kind kind, const char *key, struct str name,
	struct clip **out)
{
	*out = clip_known(clips, key);
	if (*out)
		return 0;
	evict(clips);
	if (clips->n_clips >= CLIPS_MAX)
		return -ENOSPC;
	*out = clip_new(clips, kind, key, name);
	return *out ? 1 : -ENOMEM;
}

/* Hands out a new clip whose fields are set: begins to load it, or takes it back. */
static int clip_begin(struct clip *c, bool complete, struct clip **out)
{
	int error = complete && c->known ? clip_load(c) : -ENOMEM;

	if (error) {
		clip_forget(c);
		clip_release(c);
		return error;
	}
	*out = c;
	return 0;
}

int clips_source(struct clips *clips, struct str source, char *wrong, struct clip **out)
{
	bool tone = str_equal_text(source, "beep") || str_starts(source, STR("tone:"));
	char key[KEY_SIZE];
	struct clip *c;
	int rc;

	if (wrong)
		wrong[0] = '\0';
	if (source.n == 0 || source.n > CLIPS_SOURCE_MAX || memchr(source.p, 0, source.n)) {
		if (wrong)
			snprintf(wrong, CLIPS_REASON_SIZE, "expected a file name of 1 to %u bytes",
				CLIPS_SOURCE_MAX);
		return -EINVAL;
	}
	if (str_equal_text(source, "beep"))
		source = STR(CLIPS_BEEP);
	if (tone && audio_tone_check(source, wrong))
		return -EINVAL;
	snprintf(key, sizeof(key), "%c:%.*s", tone ? 't' : 'f', STR_ARG(source));
	rc = clip_ask(clips, tone ? CLIP_KIND_TONE : CLIP_KIND_FILE, key, source, &c);
	if (rc > 0)
		return clip_begin(c, true, out);
	if (rc == 0)
		*out = c;
	return rc;
}

int clips_file_below(
	struct clips *clips, const char *directory, struct str file, char *wrong, struct clip **out)
{
	char key[KEY_SIZE];
	struct clip *c;
	int rc;

	if (wrong)
		wrong[0] = '\0';
	if (file.n == 0 || strlen(directory) + 1 + file.n > CLIPS_SOURCE_MAX) {
		if (wrong)
			snprintf(wrong, CLIPS_REASON_SIZE,
				"expected a file name of 1 to %u bytes with its directory",
				CLIPS_SOURCE_MAX);
		return -EINVAL;
	}
	snprintf(key, sizeof(key), "d:%s/%.*s", directory, STR_ARG(file));
	rc = clip_ask(clips, CLIP_KIND_FILE, key, file, &c);
	if (rc > 0) {
		c->directory = str_dup(str_from(directory));
		return clip_begin(c, c->directory != NULL, out);
	}
	if (rc == 0)
		*out = c;
	return rc;
}

static bool text_sound(const struct speech_text *text)
{
	return text->text.n > 0 && text->text.n <= SPEECH_TEXT_MAX && str_is_utf8(text->text) &&
	       !memchr(text->text.p, 0, text->text.n) && text->voice.n < SPEECH_VOICE_MAX &&
	       (text->voice.n == 0 || !memchr(text->voice.p, 0, text->voice.n));
}

int clips_text(struct clips *clips, const struct speech_text *text, char *wrong, struct clip **out)
{
	char key[SPEECH_KEY_SIZE + 2] = "s:", markup[SSML_WRONG_SIZE];
	struct clip *c;
	int rc;

	if (wrong)
		wrong[0] = '\0';
	if (!text_sound(text)) {
		if (wrong)
			snprintf(wrong, CLIPS_REASON_SIZE,
				"expected a text of 1 to %u bytes, UTF-8", SPEECH_TEXT_MAX);
		return -EINVAL;
	}
	if (text->ssml && ssml_prepare(text->text, NULL, markup) < 0) {
		if (wrong)
			snprintf(wrong, CLIPS_REASON_SIZE, "%s", markup);
		return -EINVAL;
	}
	speech_key(clips->speech, text, key + 2);
	rc = clip_ask(clips, CLIP_KIND_TEXT, key, str_head(text->text, 40), &c);
	if (rc > 0) {
		c->text = str_dup(text->text);
		c->voice = str_dup(text->voice);
		c->ssml = text->ssml;
		return clip_begin(c, c->text && c->voice, out);
	}
	if (rc == 0)
		*out = c;
	return rc;
}

void clips_reload(struct clips *clips)
{
	for (struct clip *c = clips->all, *next; c; c = next) {
		next = c->next;
		if (c->kind != CLIP_KIND_FILE)
			continue;
		clip_forget(c);
		if (c->refs == 0)
			clip_destroy(c);
	}
}

enum clip_state clip_state(const struct clip *c)
{
	return c->state;
}

const char *clip_error(const struct clip *c)
{
	if (c->state == CLIP_FAILED)
		return c->error;
	return c->sound ? c->sound->error : "";
}

const char *clip_name(const struct clip *c)
{
	return c->name;
}

cord_clip_id clip_content(const struct clip *c)
{
	return c->state == CLIP_LOADED ? c->sound->id : 0;
}

uint32_t clip_frames(const struct clip *c)
{
	return c->state == CLIP_LOADED ? c->sound->frames : 0;
}

void clip_want(struct clip *c, unsigned formats, struct clip_wait *wait)
{
	CHECK(c->refs > 0 && formats >> CORD_CLIP_FORMAT_COUNT == 0);
	if (wait) {
		CHECK(!wait->back);
		wait->clip = c;
		wait->formats = formats;
		wait_link(wait, &c->clips->waits);
	}
	if (c->state == CLIP_LOADED) {
		sound_want(c->sound, formats);
		clips_pump(c->clips);
	}
	settle_later(c->clips);
}

void clip_when_loaded(struct clip *c, struct clip_wait *wait)
{
	clip_want(c, 0, wait);
}

/* ---- all of them --------------------------------------------------------------------------- */

int clips_create(const struct clips_config *config, struct clips **out)
{
	struct clips *clips = calloc(1, sizeof(*clips));
	int error;

	if (!clips)
		return -ENOMEM;
	clips->config = *config;
	if (!clips->config.bytes_max)
		clips->config.bytes_max = CLIPS_BYTES_MAX;
	clips->idle_last = &clips->idle;
	clips->settle = (struct loop_task){.fn = settle, .ctx = clips};
	map_init(&clips->map, NULL, 0);
	error = speech_create(config->loop, config->offload, &config->speech, &clips->speech);
	if (error) {
		free(clips);
		return error;
	}
	*out = clips;
	return 0;
}

void clips_destroy(struct clips *clips)
{
	if (!clips)
		return;
	CHECK(!clips->waits);
	loop_task_cancel(&clips->settle);
	while (clips->all) {
		CHECK(clips->all->refs == 0);
		clip_destroy(clips->all);
	}
	speech_destroy(clips->speech);
	map_clear(&clips->map);
	free(clips->removals);
	free(clips);
}

void clips_stats(const struct clips *clips, struct clips_stats *out)
{
	*out = (struct clips_stats){
		.sources = clips->n_clips,
		.sounds = clips->n_sounds,
		.held = clips->n_held,
		.bytes = clips->bytes,
		.loads = clips->loads,
		.hits = clips->hits,
		.evictions = clips->evictions,
		.refusals = clips->refusals,
	};
	for (const struct clip *c = clips->all; c; c = c->next) {
		out->loading += c->state == CLIP_LOADING;
		out->failed += c->state == CLIP_FAILED;
	}
}
