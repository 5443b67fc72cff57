/* SPDX-License-Identifier: Apache-2.0 */
#include "media/clips.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "media/loading.h"
#include "media/sounds.h"
#include "media/ssml.h"

#define KEY_SIZE (CLIPS_SOURCE_MAX + 3)

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
	unsigned also; /* formats that nobody waits for */
	/* while it loads */
	struct loading *loading;
	struct speech_job *speech;
	char *directory; /* of a file that must be below it, or NULL */
	/* of a text */
	char *text, *voice;
	bool ssml;
};

struct clips {
	struct clips_config config;
	struct speech *speech;
	struct map map;
	struct clip *all;
	struct clip *idle, **idle_last;
	struct loader loader;
	struct sounds sounds;
	struct clip_wait *waits;
	struct loop_task settle;
	unsigned n_clips, n_held;
	uint64_t loads, hits, evictions;
};

/* ---- waits --------------------------------------------------------------------------------- */

bool clip_ready(const struct clip *c, unsigned formats)
{
	return c->state == CLIP_LOADED && sound_ready(c->sound, formats);
}

/* 1: not settled yet. */
static int wait_outcome(const struct clip_wait *w)
{
	const struct clip *c = w->clip;

	if (c->state == CLIP_FAILED)
		return -EIO;
	if (clip_ready(c, w->formats))
		return 0;
	return c->state == CLIP_LOADED && sound_refused(c->sound, w->formats) ? -EPROTO : 1;
}

static void wait_unlink(struct clip_wait *w)
{
	CHECK(w->back);
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

static void settle_later(void *ctx)
{
	struct clips *clips = ctx;

	if (clips->waits)
		loop_task_set(clips->config.loop, &clips->settle);
}

void clip_wait_cancel(struct clip_wait *w)
{
	if (w->back)
		wait_unlink(w);
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

static void load_came(struct clip *c, struct load_result *result)
{
	struct sounds *sounds = &c->clips->sounds;
	struct sound *s = sounds_find(sounds, result->id);

	if (!s) {
		s = sounds_add(sounds, result->id, result->frames, result->fd, result->bytes);
		if (!s) {
			load_failed(c, "out of memory");
			return;
		}
		result->fd = -1;
		if (result->wide_fd >= 0)
			sound_widen(s, result->wide_fd, result->wide_bytes);
		result->wide_fd = -1;
	}
	s->refs++;
	c->sound = s;
	c->state = CLIP_LOADED;
	for (struct clip_wait *w = c->clips->waits; w; w = w->next)
		if (w->clip == c && w->formats)
			sound_want(s, w->formats);
	sound_want(s, c->also);
	settle_later(c->clips);
	sounds_pump(sounds);
}

static void load_done(void *ctx, struct load_result *result)
{
	struct clip *c = ctx;

	c->loading = NULL;
	if (result->error)
		load_failed(c, result->wrong);
	else
		load_came(c, result);
}

/* Takes the descriptor. */
static int load_start(struct clip *c, const char *name, int fd)
{
	const struct load_source source = {.tone = c->kind == CLIP_KIND_TONE,
		.kind = c->kind != CLIP_KIND_TEXT ? AUDIO_PROMPT
			: c->ssml                 ? AUDIO_MARKUP
						  : AUDIO_SPEECH,
		.name = name,
		.directory = c->directory,
		.fd = fd};
	int error = loading_start(&c->clips->loader, &source, load_done, c, &c->loading);

	if (!error)
		c->clips->loads++;
	return error;
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
	if (c->loading)
		loading_cancel(c->loading);
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

	while (clips->idle && (clips->n_clips >= CLIPS_MAX || clips->sounds.bytes > max)) {
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
		sounds_pump(&c->clips->sounds);
	}
	settle_later(c->clips);
}

void clip_want_also(struct clip *c, unsigned formats)
{
	CHECK(c->refs > 0 && formats >> CORD_CLIP_FORMAT_COUNT == 0);
	c->also |= formats;
	if (c->state != CLIP_LOADED)
		return;
	sound_want(c->sound, formats);
	sounds_pump(&c->clips->sounds);
}

void clip_when_loaded(struct clip *c, struct clip_wait *wait)
{
	clip_want(c, 0, wait);
}

void clips_pump(struct clips *clips)
{
	sounds_pump(&clips->sounds);
}

void clips_given(struct clips *clips, cord_clip_id id, uint32_t format, int error, const char *why)
{
	sounds_given(&clips->sounds, id, format, error, why);
}

void clips_attach(struct clips *clips, const struct clips_carrier *carrier)
{
	sounds_attach(&clips->sounds, carrier);
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
	clips->sounds =
		(struct sounds){.offload = config->offload, .ctx = clips, .settled = settle_later};
	clips->loader = (struct loader){.offload = config->offload};
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
	free(clips->sounds.removals);
	free(clips);
}

void clips_stats(const struct clips *clips, struct clips_stats *out)
{
	*out = (struct clips_stats){
		.sources = clips->n_clips,
		.sounds = clips->sounds.n,
		.held = clips->n_held,
		.bytes = clips->sounds.bytes,
		.loads = clips->loads,
		.hits = clips->hits,
		.evictions = clips->evictions,
		.refusals = clips->sounds.refusals,
	};
	for (const struct clip *c = clips->all; c; c = c->next) {
		out->loading += c->state == CLIP_LOADING;
		out->failed += c->state == CLIP_FAILED;
	}
}
