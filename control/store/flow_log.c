/* SPDX-License-Identifier: Apache-2.0 */
#include "store/flow_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"

#define PATH_SIZE     4096
#define NAME_SIZE     (PATH_SIZE + 16)
#define LEFT_OUT_SIZE 200
#define FILE_MODE     0640

struct buffer {
	char *p;
	size_t n, room;
};

/* The offload thread's, until that is destroyed. */
struct file {
	char path[PATH_SIZE];
	uint64_t size_max;
	unsigned keep;
	int fd;
	uint64_t size;
};

struct flow_log {
	struct file file;
	struct loop *loop;
	struct offload *offload;
	struct buffer waiting;
	size_t writing; /* bytes of the job that is under way */
	struct loop_task pump;
	uint64_t left_out; /* lines since the last one that says so */
	unsigned n_readings;
	struct flow_log_stats stats;
};

/* ---- buffers ------------------------------------------------------------------------------- */

static bool buffer_add(struct buffer *b, const char *text, size_t n)
{
	if (b->n + n > b->room) {
		size_t room = b->room ? b->room : 4096;
		char *grown;

		while (room < b->n + n)
			room *= 2;
		grown = realloc(b->p, room);
		if (!grown)
			return false;
		b->p = grown;
		b->room = room;
	}
	memcpy(b->p + b->n, text, n);
	b->n += n;
	return true;
}

static void buffer_clear(struct buffer *b)
{
	free(b->p);
	*b = (struct buffer){0};
}

/* ---- the file ------------------------------------------------------------------------------ */

/* The nth oldest file; 0: the one that is written. */
static void name_of(const char *path, unsigned n, char name[NAME_SIZE])
{
	if (n == 0)
		snprintf(name, NAME_SIZE, "%s", path);
	else
		snprintf(name, NAME_SIZE, "%s.%u", path, n);
}

/* A line that a crash cut short must not swallow the next one. */
static int end_last_line(struct file *f)
{
	char last;

	if (f->size == 0 || (pread(f->fd, &last, 1, (off_t)f->size - 1) == 1 && last == '\n'))
		return 0;
	if (pwrite(f->fd, "\n", 1, (off_t)f->size) != 1)
		return errno ? -errno : -EIO;
	f->size++;
	return 0;
}

static int file_open(struct file *f)
{
	struct stat st;
	int rc;

	f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
	if (f->fd < 0)
		return -errno;
	if (fstat(f->fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else {
		f->size = (uint64_t)st.st_size;
		rc = end_last_line(f);
	}
	if (rc < 0) {
		close(f->fd);
		f->fd = -1;
	}
	return rc;
}

/* The file gets the name FILE.1, and so on; the oldest goes. */
static int rotate(struct file *f)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	if (f->keep == 0 && unlink(f->path) < 0 && errno != ENOENT)
		return -errno;
	for (unsigned i = f->keep; i > 0; i--) {
		name_of(f->path, i - 1, from);
		name_of(f->path, i, to);
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	return file_open(f);
}

static int file_add(struct file *f, const struct buffer *b, bool *rotated)
{
	size_t done = 0;
	int rc = 0;

	*rotated = f->size > 0 && f->size + b->n > f->size_max;
	if (*rotated)
		rc = rotate(f);
	else if (f->fd < 0)
		rc = file_open(f);
	while (rc == 0 && done < b->n) {
		ssize_t n = pwrite(f->fd, b->p + done, b->n - done, (off_t)(f->size + done));

		if (n <= 0 && !(n < 0 && errno == EINTR))
			rc = n < 0 ? -errno : -EIO;
		else if (n > 0)
			done += (size_t)n;
	}
	if (rc == 0)
		f->size += b->n;
	else if (f->fd >= 0 && ftruncate(f->fd, (off_t)f->size) < 0) /* half a line */
		rc = -errno;
	return rc;
}

/* ---- writing ------------------------------------------------------------------------------- */

struct writing {
	struct flow_log *log;
	struct buffer lines;
	bool worked, rotated;
	int error;
};

static void write_work(void *job)
{
	struct writing *w = job;

	w->worked = true;
	w->error = file_add(&w->log->file, &w->lines, &w->rotated);
}

static void lost(struct flow_log *log, size_t n, int error)
{
	log->stats.failures++;
	log_warning_limited(NULL, "store", 10, "%s: %zu bytes of the flow log are lost: %s",
		log->file.path, n, strerror(-error));
}

static void write_done(void *job)
{
	struct writing *w = job;
	struct flow_log *log = w->log;

	if (!w->worked) /* the offload is being destroyed: there is no other thread any more */
		write_work(w);
	log->writing -= w->lines.n;
	log->stats.rotations += w->rotated && w->error == 0;
	if (w->error < 0)
		lost(log, w->lines.n, w->error);
	buffer_clear(&w->lines);
	free(w);
	if (log->waiting.n)
		loop_task_set(log->loop, &log->pump);
}

/* What waits becomes a job. */
static void submit(struct flow_log *log)
{
	struct writing *w = log->waiting.n ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return;
	*w = (struct writing){.log = log, .lines = log->waiting};
	if (offload_submit(log->offload, write_work, write_done, w) < 0) {
		free(w); /* tried again with the next line */
		return;
	}
	log->writing += log->waiting.n;
	log->waiting = (struct buffer){0};
}

static void pump(void *ctx)
{
	struct flow_log *log = ctx;

	if (!log->writing)
		submit(log);
}

static bool has_room(const struct flow_log *log, size_t n)
{
	return log->waiting.n + log->writing + n <= FLOW_LOG_WAITING_BYTES;
}

static int take(struct flow_log *log, const char *line, size_t n)
{
	if (!has_room(log, n + 1) || !buffer_add(&log->waiting, line, n))
		return -ENOBUFS;
	if (!buffer_add(&log->waiting, "\n", 1)) {
		log->waiting.n -= n;
		return -ENOBUFS;
	}
	log->stats.lines++;
	return 0;
}

/* As soon as there is room again. */
static void say_left_out(struct flow_log *log)
{
	char line[LEFT_OUT_SIZE], now[CLOCK_ISO_SIZE];
	int n;

	if (!log->left_out || !has_room(log, FLOW_LOG_LINE_MAX))
		return;
	clock_format(clock_wall(), now);
	n = snprintf(line, sizeof(line),
		"{\"Timestamp\":\"%s\",\"LinesLeftOut\":%llu,\"Reason\":\"the file was not written "
		"fast enough\"}",
		now, (unsigned long long)log->left_out);
	if (take(log, line, (size_t)n) == 0)
		log->left_out = 0;
}

int flow_log_write(struct flow_log *log, struct str line)
{
	int rc;

	if (line.n == 0 || line.n + 1 > FLOW_LOG_LINE_MAX)
		return -E2BIG;
	say_left_out(log);
	rc = take(log, line.p, line.n);
	if (rc < 0) {
		log->left_out++;
		log->stats.left_out++;
	}
	loop_task_set(log->loop, &log->pump);
	return rc;
}

void flow_log_stats(const struct flow_log *log, struct flow_log_stats *out)
{
	*out = log->stats;
	out->waiting_bytes = log->waiting.n + log->writing;
}

/* ---- reading ------------------------------------------------------------------------------- */

struct reading {
	struct flow_log *log;
	char *contact; /* as it stands in a line: "ContactId":"…" */
	unsigned limit;
	struct buffer lines;
	unsigned n_lines;
	bool more;
	int error;
	void (*done)(void *ctx, const struct flow_log_result *result);
	void *ctx;
};

/* Whether another line is wanted. */
static bool take_line(struct reading *r, const char *line, size_t n)
{
	if (!memmem(line, n, r->contact, strlen(r->contact)))
		return true;
	if (r->n_lines == r->limit || r->lines.n + n > FLOW_LOG_READ_BYTES) {
		r->more = true;
		return false;
	}
	if (!buffer_add(&r->lines, line, n)) {
		r->error = -ENOMEM;
		return false;
	}
	r->n_lines++;
	return true;
}

static bool read_file(struct reading *r, const char *path)
{
	FILE *file = fopen(path, "re");
	bool wanted = true;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!file) {
		if (errno != ENOENT)
			r->error = -errno;
		return errno == ENOENT;
	}
	while (wanted && (n = getline(&line, &room, file)) > 0)
		wanted = take_line(r, line, (size_t)n);
	free(line);
	fclose(file);
	return wanted;
}

static void read_work(void *job)
{
	struct reading *r = job;
	const struct file *f = &r->log->file;
	char name[NAME_SIZE];
	bool wanted = true;

	for (unsigned i = f->keep + 1; wanted && i > 0; i--) {
		name_of(f->path, i - 1, name);
		wanted = read_file(r, name);
	}
}

static void read_done(void *job)
{
	struct reading *r = job;
	struct flow_log_result result = {.text = r->lines.p, .n = r->lines.n, .more = r->more};

	result.error = offload_cancelled(r->log->offload) ? -ECANCELED : r->error;
	r->log->n_readings--;
	r->done(r->ctx, &result);
	buffer_clear(&r->lines);
	free(r->contact);
	free(r);
}

int flow_log_read(struct flow_log *log, struct str contact_id, unsigned limit,
	void (*done)(void *ctx, const struct flow_log_result *result), void *ctx)
{
	struct reading *r;
	int rc;

	if (log->n_readings == FLOW_LOG_READS_MAX)
		return -EBUSY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct reading){.log = log,
		.limit = limit && limit < FLOW_LOG_READ_LINES ? limit : FLOW_LOG_READ_LINES,
		.done = done,
		.ctx = ctx};
	submit(log); /* jobs are worked on in order */
	rc = asprintf(&r->contact, "\"ContactId\":\"%.*s\"", STR_ARG(contact_id)) < 0
		     ? -ENOMEM
		     : offload_submit(log->offload, read_work, read_done, r);
	if (rc < 0) {
		free(r->contact);
		free(r);
		return rc;
	}
	log->n_readings++;
	return 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

int flow_log_open(const struct flow_log_config *config, char *error, struct flow_log **out)
{
	struct flow_log *log = calloc(1, sizeof(*log));
	int rc;

	if (!log)
		return -ENOMEM;
	log->loop = config->loop;
	log->offload = config->offload;
	log->pump = (struct loop_task){.fn = pump, .ctx = log};
	log->file.size_max = config->size_max;
	log->file.keep = config->keep;
	snprintf(log->file.path, sizeof(log->file.path), "%s", config->path);
	rc = file_open(&log->file);
	if (rc < 0) {
		snprintf(error, FLOW_LOG_ERROR_SIZE, "flow log %.200s: %s", log->file.path,
			rc == -EINVAL ? "expected a regular file" : strerror(-rc));
		free(log);
		return rc;
	}
	*out = log;
	return 0;
}

void flow_log_close(struct flow_log *log)
{
	bool rotated;
	int rc;

	if (!log)
		return;
	loop_task_cancel(&log->pump);
	rc = log->waiting.n ? file_add(&log->file, &log->waiting, &rotated) : 0;
	if (rc < 0)
		lost(log, log->waiting.n, rc);
	if (log->file.fd >= 0)
		close(log->file.fd);
	buffer_clear(&log->waiting);
	free(log);
}
