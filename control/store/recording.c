/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "store/ogg_opus.h"
#include "store/recording_file.h"
#include "store/recording_repair.h"
#include "store/wav.h"

/* So that a path of it, with a day and a name, fits RECORDING_PATH_SIZE. */
#define DIRECTORY_SIZE 1025u
#define SAMPLES_MAX    320u /* of a channel in 20 ms */
/* Tries of a write after the end, before what is left is given up. */
#define LAST_TRIES 10u
/* Frames of silence that are encoded in one job: the next recording's turn comes in time. */
#define SILENCE_FRAMES 1500u

static const char *const suffixes[] = {
	[RECORDING_WAV] = ".wav", [RECORDING_OPUS] = OGG_OPUS_SUFFIX};

/* Sound without a gap in it, in the order of the file. */
struct chunk {
	struct chunk *next;
	uint64_t first; /* frame of 20 ms, from the beginning of the recording */
	unsigned frames;
	int16_t pcm[]; /* left, right, left, … */
};

enum recording_state { RECORDING_OPENING, RECORDING_IDLE, RECORDING_BUSY, RECORDING_CLOSING };

struct recording {
	struct recordings *all;
	struct recording *next, **back;
	struct recording_config config;
	char name[RECORDING_NAME_MAX + RECORDING_SUFFIX_SIZE]; /* with its suffix */
	char path[RECORDING_PATH_SIZE];
	enum recording_state state;
	bool ended;
	int fd;
	int job_error;    /* of the job under way: the helper thread's until it is back */
	uint32_t samples; /* of a channel in 20 ms */

	bool begun;
	uint64_t first_period, last_period;
	uint64_t last; /* frames since the beginning, up to the last one given */
	struct chunk *chunks, *chunks_last; /* NULL: none */
	unsigned n_chunks;

	uint64_t written;   /* frames: the length of what is in the file */
	uint64_t header_ns; /* when it was last brought up to date */
	uint64_t begun_ns;  /* of the write under way */
	uint8_t header[WAV_HEADER_BYTES];
	/* Opus */
	struct ogg_opus *ogg; /* the helper thread's while a job is under way */
	uint64_t encoded;     /* frames */
	bool closes;          /* the last page has been made */
	bool takes;           /* the job under way takes the first chunk */
	uint64_t file_end;    /* where the next page goes */
	unsigned failures;    /* in a row */
	struct timer retry;
	struct recording_result result;
};

struct recordings {
	struct recordings_config config;
	char directory[DIRECTORY_SIZE];
	struct recording *list;
	unsigned chunks_max; /* of one recording */
	bool closing;        /* recordings_close(): the helper is gone, nothing more is begun */
	struct recordings_stats stats;
};

static void pump(struct recording *r);

static uint64_t bytes_of(const struct recording *r, uint64_t frames)
{
	return frames * r->samples * WAV_FRAME_BYTES;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static struct chunk *chunk_add(struct recording *r, uint64_t first)
{
	struct chunk *c;

	if (r->n_chunks == r->all->chunks_max)
		return NULL;
	c = malloc(sizeof(*c) + (size_t)RECORDING_CHUNK_FRAMES * r->samples * WAV_FRAME_BYTES);
	if (!c)
		return NULL;
	c->next = NULL;
	c->first = first;
	c->frames = 0;
	if (r->chunks_last)
		r->chunks_last->next = c;
	else
		r->chunks = c;
	r->chunks_last = c;
	r->n_chunks++;
	return c;
}

static void chunk_drop(struct recording *r)
{
	struct chunk *c = r->chunks;

	r->chunks = c->next;
	if (!r->chunks)
		r->chunks_last = NULL;
	r->n_chunks--;
	free(c);
}

/* The chunk that takes the frame; NULL: there is no space. */
static struct chunk *chunk_for(struct recording *r, uint64_t frame)
{
	struct chunk *c = r->chunks_last;

	if (c && c->frames < RECORDING_CHUNK_FRAMES && c->first + c->frames == frame)
		return c;
	return chunk_add(r, frame);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void recording_free(struct recording *r)
{
	while (r->chunks)
		chunk_drop(r);
	ogg_opus_destroy(r->ogg);
	*r->back = r->next;
	if (r->next)
		r->next->back = r->back;
	free(r);
}

static void recording_over(struct recording *r)
{
	struct recording_config config = r->config;
	struct recording_result result = r->result;

	recording_free(r);
	if (config.done)
		config.done(config.ctx, &result);
}

static void closed(void *job)
{
	struct recording *r = job;
	struct recordings *all = r->all;

	if (offload_cancelled(all->config.offload))
		return; /* recordings_close() sees to it */
	r->result.error = r->job_error;
	if (r->result.error) {
		all->stats.failed++;
		log_error(NULL, "store", "recording %s: %s", r->path, strerror(-r->result.error));
	} else {
		all->stats.finished++;
	}
	all->stats.finishing--;
	recording_over(r);
}

static void close_work(void *job)
{
	struct recording *r = job;

	if (r->fd < 0)
		return;
	/* silence at the end */
	if (r->job_error == 0 && !r->ogg && r->last > r->written &&
		ftruncate(r->fd, (off_t)(WAV_HEADER_BYTES + bytes_of(r, r->last))) < 0)
		r->job_error = -errno;
	if (close(r->fd) < 0 && r->job_error == 0)
		r->job_error = -errno;
	r->fd = -1;
	if (r->job_error)
		return; /* looked at again at the next start */
	recording_file_finished(r->all->directory, r->name);
}

/* Short work for the helper thread; one that it has no place for is done here. */
static void off_the_loop(struct recording *r, void (*work)(void *), void (*done)(void *))
{
	if (offload_submit(r->all->config.offload, work, done, r) == 0)
		return;
	work(r);
	done(r);
}

static void finish(struct recording *r)
{
	r->state = RECORDING_CLOSING;
	r->job_error = r->result.error;
	off_the_loop(r, close_work, closed);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void retry_due(void *ctx, uint64_t now_ns)
{
	pump(ctx);
}

/* True: it succeeded, go on. A failure is tried again, after the end not for ever. */
static bool write_over(struct recording *r, int error)
{
	struct recordings *all = r->all;
	uint64_t took_ns = loop_now(all->config.loop) - r->begun_ns;

	r->state = RECORDING_IDLE;
	if (took_ns > all->stats.slowest_write_ns)
		all->stats.slowest_write_ns = took_ns;
	if (all->closing)
		return false;
	if (error == 0) {
		r->failures = 0;
		return true;
	}
	all->stats.errors++;
	r->failures++;
	log_error_limited(NULL, "store", 10, "recording %s: %s", r->path, strerror(-error));
	if (r->ended && r->failures >= LAST_TRIES) {
		r->result.error = error;
		finish(r);
		return false;
	}
	timers_set_in(loop_timers(all->config.loop), &r->retry, RECORDING_RETRY_NS);
	return false;
}

static void chunk_written(void *ctx, int error)
{
	struct recording *r = ctx;
	const struct chunk *c = r->chunks;

	if (!write_over(r, error))
		return;
	r->written = c->first + c->frames;
	r->result.file_bytes += bytes_of(r, c->frames);
	r->all->stats.bytes += bytes_of(r, c->frames);
	chunk_drop(r);
	pump(r);
}

/* All that was kept is in the file, but for the header of a WAV file. */
static bool all_written(const struct recording *r)
{
	return !r->chunks && (!r->ogg || r->closes);
}

static void header_written(void *ctx, int error)
{
	struct recording *r = ctx;

	if (!write_over(r, error))
		return;
	r->header_ns = loop_now(r->all->config.loop);
	if (r->ended && all_written(r))
		finish(r);
	else
		pump(r);
}

/* ---- Opus ------------------------------------------------------------------------------------ */

/* The silence before the next chunk or the end, a part of it at a time, and then that. */
static void encode_work(void *job)
{
	struct recording *r = job;
	const struct chunk *c = r->chunks;
	uint64_t silence = (c ? c->first : r->last) - r->encoded;
	unsigned part = silence < SILENCE_FRAMES ? (unsigned)silence : SILENCE_FRAMES;

	r->takes = false;
	r->job_error = ogg_opus_add(r->ogg, NULL, part);
	r->encoded += part;
	if (r->job_error || part < silence)
		return;
	if (!c) {
		r->job_error = ogg_opus_end(r->ogg);
		r->closes = true;
		return;
	}
	r->job_error = ogg_opus_add(r->ogg, c->pcm, c->frames);
	r->encoded += c->frames;
	r->takes = true;
}

/* An encoder that failed cannot go on in the middle: the file ends here. */
static void encoded(void *job)
{
	struct recording *r = job;

	r->state = RECORDING_IDLE;
	if (offload_cancelled(r->all->config.offload))
		return; /* recordings_close() sees to it */
	if (r->takes)
		chunk_drop(r);
	if (r->job_error == 0) {
		pump(r);
		return;
	}
	log_error(NULL, "store", "recording %s: it cannot be encoded: %s", r->path,
		strerror(-r->job_error));
	r->result.error = r->job_error;
	if (r->ended)
		finish(r);
	else
		r->state = RECORDING_CLOSING; /* to the end: what comes is lost */
}

static size_t pages_waiting(const struct recording *r)
{
	size_t n = 0;

	if (r->ogg)
		ogg_opus_bytes(r->ogg, &n);
	return n;
}

static void pages_written(void *ctx, int error)
{
	struct recording *r = ctx;
	size_t n = pages_waiting(r);

	if (!write_over(r, error))
		return;
	ogg_opus_clear(r->ogg);
	r->file_end += n;
	r->written = r->encoded;
	r->result.file_bytes += n;
	r->all->stats.bytes += n;
	pump(r);
}

/* ---- what is due ----------------------------------------------------------------------------- */

static void write_begins(struct recording *r)
{
	r->state = RECORDING_BUSY;
	r->begun_ns = loop_now(r->all->config.loop);
}

/* What was not heard between two chunks is left out: a hole of the file reads as zeros. */
static int write_chunk(struct recording *r)
{
	const struct chunk *c = r->chunks;

	write_begins(r);
	return loop_write(r->all->config.loop, r->fd, c->pcm, bytes_of(r, c->frames),
		WAV_HEADER_BYTES + bytes_of(r, c->first), false, chunk_written, r);
}

static int write_pages(struct recording *r)
{
	size_t n;
	const uint8_t *bytes = ogg_opus_bytes(r->ogg, &n);

	write_begins(r);
	return loop_write(
		r->all->config.loop, r->fd, bytes, n, r->file_end, false, pages_written, r);
}

static void encode(struct recording *r)
{
	if (offload_submit(r->all->config.offload, encode_work, encoded, r) == 0)
		r->state = RECORDING_BUSY;
	else /* the helper has no place: what comes waits */
		timers_set_in(loop_timers(r->all->config.loop), &r->retry, RECORDING_RETRY_NS);
}

/* Of an Ogg file nothing but the sync. */
static int write_header(struct recording *r)
{
	uint64_t frames = r->ended ? r->last : r->written;

	write_begins(r);
	if (r->ogg)
		return loop_write(r->all->config.loop, r->fd, NULL, 0, 0, true, header_written, r);
	wav_header(r->header, r->config.rate_hz, bytes_of(r, frames));
	return loop_write(r->all->config.loop, r->fd, r->header, WAV_HEADER_BYTES, 0, true,
		header_written, r);
}

/* The first chunk is whole, or nothing will be added to it; or the last page is to be made. */
static bool chunk_due(const struct recording *r)
{
	const struct chunk *c = r->chunks;

	if (!c)
		return r->ogg && r->ended && !r->closes;
	return r->ended || c->next || c->frames == RECORDING_CHUNK_FRAMES;
}

static bool header_due(const struct recording *r)
{
	uint64_t sync_ns = r->all->config.sync_ns;

	if (r->ended)
		return all_written(r);
	return sync_ns && r->written && loop_now(r->all->config.loop) - r->header_ns >= sync_ns;
}

/* Begins the next write, if one is due and none is under way. */
static void pump(struct recording *r)
{
	int error = 0;

	if (r->state != RECORDING_IDLE || timer_is_set(&r->retry))
		return;
	if (pages_waiting(r))
		error = write_pages(r);
	else if (header_due(r))
		error = write_header(r);
	else if (chunk_due(r) && r->ogg)
		encode(r);
	else if (chunk_due(r))
		error = write_chunk(r);
	if (error)
		write_over(r, error);
}

/* ---- making the file ------------------------------------------------------------------------- */

/* An empty file that can be played. */
static int make_file(struct recording *r)
{
	const struct recordings_config *config = &r->all->config;
	size_t n = WAV_HEADER_BYTES;
	const uint8_t *head = r->header;
	int rc = 0;

	wav_header(r->header, r->config.rate_hz, 0);
	if (config->format == RECORDING_OPUS)
		rc = ogg_opus_create(r->config.rate_hz, config->bitrate,
			(uint32_t)r->config.wall_ns ^ (uint32_t)(uintptr_t)r, &r->ogg);
	if (rc)
		return rc;
	if (r->ogg)
		head = ogg_opus_bytes(r->ogg, &n);
	rc = recording_file_make(r->all->directory, r->path, r->name, head, n);
	if (rc < 0)
		return rc;
	r->fd = rc;
	if (r->ogg)
		ogg_opus_clear(r->ogg);
	r->file_end = n;
	return 0;
}

static void open_work(void *job)
{
	struct recording *r = job;

	r->job_error = make_file(r);
}

static void opened(void *job)
{
	struct recording *r = job;

	if (offload_cancelled(r->all->config.offload))
		return; /* recordings_close() sees to it */
	r->header_ns = loop_now(r->all->config.loop);
	r->state = RECORDING_IDLE;
	r->result.error = r->job_error;
	if (r->result.error == 0) {
		pump(r);
	} else if (r->ended) {
		finish(r);
	} else {
		log_error_limited(
			NULL, "store", 10, "recording %s: %s", r->path, strerror(-r->result.error));
		r->state = RECORDING_CLOSING; /* to the end: what comes is lost */
	}
}

static bool name_allowed(const char *name)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	size_t n = strlen(name);

	return n > 0 && n <= RECORDING_NAME_MAX && strspn(name, letters) == n;
}

static void name_with_suffix(const struct recordings *all, const char *name,
	char out[RECORDING_NAME_MAX + RECORDING_SUFFIX_SIZE])
{
	snprintf(out, RECORDING_NAME_MAX + RECORDING_SUFFIX_SIZE, "%s%s", name,
		suffixes[all->config.format]);
}

void recording_path(const struct recordings *all, const char *name, uint64_t wall_ns,
	char path[RECORDING_PATH_SIZE])
{
	char file[RECORDING_NAME_MAX + RECORDING_SUFFIX_SIZE];

	name_with_suffix(all, name, file);
	recording_file_path(all->directory, file, wall_ns, path, RECORDING_PATH_SIZE);
}

int recording_start(
	struct recordings *all, const struct recording_config *config, struct recording **out)
{
	struct recording *r;

	if (!name_allowed(config->name) || (config->rate_hz != 8000 && config->rate_hz != 16000))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->all = all;
	r->config = *config;
	r->fd = -1;
	r->samples = config->rate_hz / 50;
	recording_path(all, config->name, config->wall_ns, r->path);
	name_with_suffix(all, config->name, r->name);
	r->config.name = r->name;
	timer_init(&r->retry, retry_due, r);
	r->next = all->list;
	r->back = &all->list;
	if (all->list)
		all->list->back = &r->next;
	all->list = r;
	all->stats.started++;
	all->stats.running++;
	*out = r;
	off_the_loop(r, open_work, opened);
	return 0;
}

const char *recording_location(const struct recording *r)
{
	return r->path;
}

/* ---- sound ----------------------------------------------------------------------------------- */

static void lose(struct recording *r)
{
	r->result.lost++;
	r->all->stats.lost++;
}

static void keep(struct recording *r, uint64_t frame, const int16_t *left, const int16_t *right)
{
	struct chunk *c = chunk_for(r, frame);
	int16_t *to;

	if (!c) {
		lose(r);
		return;
	}
	to = c->pcm + (size_t)c->frames++ * r->samples * 2;
	for (uint32_t i = 0; i < r->samples; i++) {
		to[2 * i] = left[i];
		to[2 * i + 1] = right[i];
	}
}

void recording_frame(
	struct recording *r, uint64_t period, const int16_t *left, const int16_t *right)
{
	uint64_t frame, missing;

	if (!r->begun)
		r->first_period = period;
	else if (period <= r->last_period)
		return;
	frame = period - r->first_period;
	if (frame >= RECORDING_FRAMES_MAX)
		return;
	missing = frame - r->last;
	r->begun = true;
	r->last_period = period;
	r->last = frame + 1;
	r->result.missing += missing;
	r->all->stats.missing += missing;
	r->all->stats.frames++;
	if (r->state == RECORDING_CLOSING)
		lose(r);
	else
		keep(r, frame, left, right);
	pump(r);
}

void recording_end(struct recording *r)
{
	r->ended = true;
	r->result.frames = r->last;
	r->all->stats.running--;
	r->all->stats.finishing++;
	if (r->state == RECORDING_CLOSING)
		finish(r);
	else
		pump(r);
}

/* ---- all of them ----------------------------------------------------------------------------- */

int recordings_open(const struct recordings_config *config, char *error, struct recordings **out)
{
	struct recordings *all = calloc(1, sizeof(*all));
	char path[RECORDING_PATH_SIZE];
	int rc;

	if (!all)
		return -ENOMEM;
	all->config = *config;
	snprintf(all->directory, sizeof(all->directory), "%s", config->directory);
	all->chunks_max =
		(unsigned)(config->buffer_ns / RECORDING_PERIOD_NS / RECORDING_CHUNK_FRAMES);
	if (all->chunks_max < 2)
		all->chunks_max = 2;
	recording_file_mark(all->directory, "", path, sizeof(path));
	rc = strlen(config->directory) >= sizeof(all->directory) ? -ENAMETOOLONG : 0;
	if (rc == 0 && mkdir(all->directory, RECORDING_FILE_DIRECTORY_MODE) < 0 && errno != EEXIST)
		rc = -errno;
	if (rc == 0 && mkdir(path, RECORDING_FILE_DIRECTORY_MODE) < 0 && errno != EEXIST)
		rc = -errno;
	if (rc == 0)
		rc = recording_repair(path);
	if (rc < 0) {
		snprintf(error, RECORDING_ERROR_SIZE, "recordings in %s: %s", config->directory,
			strerror(-rc));
		free(all);
		return rc;
	}
	all->stats.repaired = (uint64_t)rc;
	*out = all;
	return 0;
}

/* The kernel still reads from chunks. */
static bool any_busy(const struct recordings *all)
{
	const struct recording *r = all->list;

	while (r && r->state != RECORDING_BUSY)
		r = r->next;
	return r != NULL;
}

void recordings_close(struct recordings *all)
{
	if (!all)
		return;
	all->closing = true;
	while (any_busy(all))
		loop_step(all->config.loop, CLOCK_MS);
	while (all->list) {
		struct recording *r = all->list;

		log_warning(NULL, "store", "recording %s stays unfinished", r->path);
		timers_cancel(loop_timers(all->config.loop), &r->retry);
		if (r->fd >= 0)
			close(r->fd);
		r->result.error = -ECANCELED;
		recording_over(r);
	}
	free(all);
}

bool recordings_idle(const struct recordings *all)
{
	return all->list == NULL;
}

void recordings_stats(const struct recordings *all, struct recordings_stats *out)
{
	*out = all->stats;
	for (const struct recording *r = all->list; r; r = r->next)
		out->failing += r->failures > 0 || r->result.error;
}
