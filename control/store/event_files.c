/* SPDX-License-Identifier: Apache-2.0 */
#include "store/event_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define PATH_SIZE  4200
#define NAME_END   ".events"
#define NAME_SIZE  (20 + sizeof(NAME_END))
#define END_LINE   "end\n"
#define HEAD_MAX   (2 * 20 + EVENTS_TOPIC_MAX + 4) /* of a line, without the JSON */
#define CHUNK_SIZE (1u << 20)

_Static_assert(CHUNK_SIZE > HEAD_MAX + EVENTS_JSON_MAX, "a chunk holds a line");

struct file {
	uint64_t first;        /* the number that it is named after */
	uint64_t last_wall_ns; /* of its last event, or when it was last written to */
};

struct event_files {
	char directory[4096];
	struct file *files; /* oldest first; the last one is being written to */
	size_t n, size;
	int fd;
	off_t written; /* bytes of it */
	bool torn;     /* a write that failed may have left something behind them */
	char *buffer;  /* lines that are not written yet */
	size_t buffer_n, buffer_size;
	uint64_t last_number; /* put */
	uint64_t flushed_number;
	uint64_t forget_number, forget_wall_ns;
	/* where the last read ended, for the next one */
	uint64_t read_first, read_after;
	off_t read_at;
};

/* ---- names and files ------------------------------------------------------------------------- */

static void path_of(const struct event_files *f, uint64_t first, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/%020llu" NAME_END, f->directory, (unsigned long long)first);
}

static bool is_ours(const char *name, uint64_t *first)
{
	return strlen(name) == NAME_SIZE - 1 && strcmp(name + 20, NAME_END) == 0 &&
	       str_to_u64(str_make(name, 20), first) == 0;
}

static int add_file(struct event_files *f, uint64_t first, uint64_t last_wall_ns)
{
	if (f->n == f->size) {
		size_t size = f->size ? 2 * f->size : 64;
		struct file *files = realloc(f->files, size * sizeof(*files));

		if (!files)
			return -ENOMEM;
		f->files = files;
		f->size = size;
	}
	f->files[f->n++] = (struct file){first, last_wall_ns};
	return 0;
}

static void drop_oldest(struct event_files *f)
{
	char path[PATH_SIZE];

	path_of(f, f->files[0].first, path);
	unlink(path);
	f->n--;
	memmove(f->files, f->files + 1, f->n * sizeof(*f->files));
}

static int by_first(const void *a, const void *b)
{
	uint64_t x = ((const struct file *)a)->first, y = ((const struct file *)b)->first;

	return (x > y) - (x < y);
}

static int list_files(struct event_files *f)
{
	DIR *directory = opendir(f->directory);
	struct dirent *entry;
	int rc = 0;

	if (!directory)
		return -errno;
	while (rc == 0 && (entry = readdir(directory))) {
		struct stat st;
		uint64_t first;

		if (is_ours(entry->d_name, &first) &&
			fstatat(dirfd(directory), entry->d_name, &st, 0) == 0)
			rc = add_file(f, first,
				(uint64_t)st.st_mtim.tv_sec * CLOCK_S +
					(uint64_t)st.st_mtim.tv_nsec);
	}
	closedir(directory);
	if (f->files)
		qsort(f->files, f->n, sizeof(*f->files), by_first);
	return rc;
}

/* ---- lines ----------------------------------------------------------------------------------- */

enum line { LINE_EVENT, LINE_END, LINE_CUT, LINE_BAD };

/* `event` points into the line. */
static enum line parse(struct str line, struct event *event, struct str *topic)
{
	struct str number, wall;

	if (str_equal(line, STR("end")))
		return LINE_END;
	if (!str_split(&line, ' ', &number) || !str_split(&line, ' ', &wall) ||
		!str_split(&line, ' ', topic) || str_to_u64(number, &event->number) < 0 ||
		str_to_u64(wall, &event->wall_ns) < 0 || str_empty(*topic) || line.n < 2 ||
		line.p[line.n - 1] != '}')
		return LINE_BAD;
	event->json = line;
	return LINE_EVENT;
}

/* A file that is gone through, a chunk at a time. */
struct reader {
	int fd;
	off_t at; /* of the next line */
	char *chunk;
	size_t n, used;
};

static int reader_open(struct reader *r, const struct event_files *f, uint64_t first, off_t at)
{
	char path[PATH_SIZE];
	int error;

	path_of(f, first, path);
	*r = (struct reader){.fd = open(path, O_RDONLY | O_CLOEXEC), .at = at};
	error = errno;
	if (r->fd < 0)
		return error > 0 ? -error : -EIO;
	r->chunk = malloc(CHUNK_SIZE);
	if (r->chunk)
		return 0;
	close(r->fd);
	return -ENOMEM;
}

static void reader_close(struct reader *r)
{
	close(r->fd);
	free(r->chunk);
}

static int more(struct reader *r)
{
	ssize_t n = pread(r->fd, r->chunk, CHUNK_SIZE, r->at);

	if (n < 0)
		return -errno;
	r->n = (size_t)n;
	r->used = 0;
	return 0;
}

/* LINE_CUT: there is no more, or but a part of a line. */
static enum line next_line(struct reader *r, struct event *event, struct str *topic)
{
	const char *begun, *end;

	for (unsigned i = 0;; i++) {
		begun = r->chunk + r->used;
		end = r->chunk && r->n > r->used ? memchr(begun, '\n', r->n - r->used) : NULL;
		if (end)
			break;
		if (i == 1 || more(r) < 0)
			return LINE_CUT;
	}
	r->used += (size_t)(end + 1 - begun);
	r->at += end + 1 - begun;
	return parse(str_make(begun, (size_t)(end - begun)), event, topic);
}

/* ---- writing --------------------------------------------------------------------------------- */

static int write_all(int fd, const char *p, size_t n, off_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		p += done;
		n -= (size_t)done;
		at += done;
	}
	return 0;
}

static int write_buffer(struct event_files *f)
{
	if (f->torn && ftruncate(f->fd, f->written) < 0)
		return -errno;
	f->torn = false;
	return write_all(f->fd, f->buffer, f->buffer_n, f->written);
}

int event_files_flush(struct event_files *f)
{
	int rc = write_buffer(f);

	if (rc == 0) {
		f->written += (off_t)f->buffer_n;
		f->flushed_number = f->last_number;
	} else {
		f->torn = true;
	}
	f->buffer_n = 0;
	f->last_number = f->flushed_number;
	return rc;
}

static int begin_file(struct event_files *f, uint64_t first)
{
	char path[PATH_SIZE];
	int fd, rc;

	path_of(f, first, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	rc = f->n && f->files[f->n - 1].first == first ? 0 : add_file(f, first, 0);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	f->written = 0;
	f->torn = false;
	return 0;
}

static int make_room(struct event_files *f, size_t n)
{
	size_t size = f->buffer_size ? f->buffer_size : CHUNK_SIZE;
	char *buffer;

	while (size < f->buffer_n + n)
		size *= 2;
	if (size == f->buffer_size)
		return 0;
	buffer = realloc(f->buffer, size);
	if (!buffer)
		return -ENOMEM;
	f->buffer = buffer;
	f->buffer_size = size;
	return 0;
}

static char *put_number(char *at, uint64_t number)
{
	char text[20];
	size_t i = sizeof(text);

	do {
		text[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(at, text + i, sizeof(text) - i);
	at += sizeof(text) - i;
	*at++ = ' ';
	return at;
}

/* The file and the buffer for another event. */
static int prepare(struct event_files *f, const struct event *event)
{
	int rc = 0;

	if (event->number >= f->files[f->n - 1].first + EVENT_FILES_LINES) {
		rc = event_files_flush(f);
		if (rc == 0)
			rc = begin_file(f, event->number);
	}
	if (rc == 0)
		rc = make_room(f, HEAD_MAX + event->json.n);
	return rc;
}

int event_files_put(struct event_files *f, const struct event *event)
{
	size_t topic_n = strlen(event->topic);
	char *at;
	int rc;

	if (event->number <= f->last_number) /* of a batch that failed later */
		return 0;
	rc = prepare(f, event);
	if (rc < 0) {
		f->buffer_n = 0;
		f->last_number = f->flushed_number;
		return rc;
	}
	at = put_number(f->buffer + f->buffer_n, event->number);
	at = put_number(at, event->wall_ns);
	memcpy(at, event->topic, topic_n);
	at += topic_n;
	*at++ = ' ';
	memcpy(at, event->json.p, event->json.n);
	at += event->json.n;
	*at++ = '\n';
	f->buffer_n = (size_t)(at - f->buffer);
	f->files[f->n - 1].last_wall_ns = event->wall_ns;
	f->last_number = event->number;
	return 0;
}

/* The last number that is not among the last `keep`. Of a former life a file counts as full. */
static uint64_t number_before(const struct event_files *f, uint64_t keep)
{
	uint64_t end = f->last_number;

	for (size_t i = f->n; i > 0; i--) {
		uint64_t before = f->files[i - 1].first - 1;

		if (end - before > keep)
			return end - keep;
		keep -= end - before;
		end = i > 1 && f->files[i - 2].first + EVENT_FILES_LINES <= before
			      ? f->files[i - 2].first + EVENT_FILES_LINES - 1
			      : before;
	}
	return 0;
}

void event_files_forget(struct event_files *f, uint64_t keep, uint64_t wall_ns)
{
	uint64_t number = number_before(f, keep);

	f->forget_number = number;
	f->forget_wall_ns = wall_ns;
	while (f->n > 1 && (f->files[1].first <= number + 1 || f->files[0].last_wall_ns < wall_ns))
		drop_oldest(f);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int copy(struct event *to, const struct event *from, struct str topic)
{
	char *json = str_dup(from->json), *name = str_dup(topic);

	if (!json || !name) {
		free(json);
		free(name);
		return -ENOMEM;
	}
	*to = (struct event){from->number, from->wall_ns, name, {json, from->json.n}};
	return 0;
}

static int read_file(struct event_files *f, size_t file, uint64_t after, struct event *rows,
	size_t max, size_t *n)
{
	uint64_t first = f->files[file].first;
	bool goes_on = f->read_first == first && f->read_after == after;
	struct event event;
	struct reader reader;
	struct str topic;
	int rc = reader_open(&reader, f, first, goes_on ? f->read_at : 0);

	if (rc)
		return rc;
	while (rc == 0 && *n < max && next_line(&reader, &event, &topic) == LINE_EVENT) {
		if (event.number <= after || event.wall_ns < f->forget_wall_ns)
			continue;
		rc = copy(&rows[*n], &event, topic);
		*n += rc == 0;
	}
	if (*n) {
		f->read_first = first;
		f->read_after = rows[*n - 1].number;
		f->read_at = reader.at;
	}
	reader_close(&reader);
	return rc;
}

int event_files_read(
	struct event_files *f, uint64_t after, struct event *rows, size_t max, size_t *n)
{
	size_t file = f->n - 1;
	int rc = 0;

	*n = 0;
	if (after < f->forget_number)
		after = f->forget_number;
	while (file > 0 && f->files[file].first > after + 1)
		file--;
	for (; rc == 0 && *n < max && file < f->n; file++) {
		uint64_t from = *n ? rows[*n - 1].number : after;

		rc = read_file(f, file, from, rows, max, n);
	}
	return rc;
}

/* ---- open and close -------------------------------------------------------------------------- */

/* Where the last life ended. */
static int find_last(struct event_files *f)
{
	struct event event = {0};
	struct reader reader;
	struct str topic;
	enum line line;
	int rc;

	if (f->n == 0)
		return 0;
	rc = reader_open(&reader, f, f->files[f->n - 1].first, 0);
	if (rc)
		return rc;
	f->last_number = f->files[f->n - 1].first - 1;
	while ((line = next_line(&reader, &event, &topic)) == LINE_EVENT)
		f->last_number = event.number;
	if (line != LINE_END)
		f->last_number += EVENT_FILES_SKIP;
	f->flushed_number = f->last_number;
	reader_close(&reader);
	return 0;
}

int event_files_open(const char *directory, char *error, struct event_files **out)
{
	struct event_files *f = calloc(1, sizeof(*f));
	int rc = f ? 0 : -ENOMEM;

	if (f) {
		f->fd = -1;
		if (snprintf(f->directory, sizeof(f->directory), "%s", directory) >=
			(int)sizeof(f->directory))
			rc = -ENAMETOOLONG;
	}
	if (rc == 0 && mkdir(directory, 0750) < 0 && errno != EEXIST)
		rc = -errno;
	if (rc == 0)
		rc = list_files(f);
	if (rc == 0)
		rc = find_last(f);
	if (rc == 0)
		rc = begin_file(f, f->last_number + 1);
	if (rc < 0) {
		snprintf(error, EVENTS_ERROR_SIZE, "%s: %s", directory, strerror(-rc));
		event_files_close(f, false);
		return rc;
	}
	*out = f;
	return 0;
}

int event_files_close(struct event_files *f, bool good)
{
	int rc = 0;

	if (!f)
		return 0;
	if (good)
		rc = write_all(f->fd, END_LINE, sizeof(END_LINE) - 1, f->written);
	if (f->fd >= 0)
		close(f->fd);
	free(f->buffer);
	free(f->files);
	free(f);
	return rc;
}

uint64_t event_files_last(const struct event_files *f)
{
	return f->last_number;
}
