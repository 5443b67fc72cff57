/* SPDX-License-Identifier: Apache-2.0 */
#include "media/speech.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "base/siphash.h"
#include "media/ssml.h"

#define PATH_SIZE       4096
#define WRONG_SIZE      200
#define PRUNE_FILES_MAX 200000u
#define NAME_SUFFIX     ".wav"
#define SSML_WAY        2 /* counts the ways in which ssml.c has written markup */

struct speech_job {
	struct speech *speech;
	struct speech_job *next, **back; /* in the list of its stage */
	char *text;
	char voice[SPEECH_VOICE_MAX];
	bool ssml;
	char key[SPEECH_KEY_SIZE];
	void (*done)(void *ctx, int fd_or_error, const char *wrong);
	void *ctx;
	struct loop_child *child;
	struct look_job *look;
};

struct speech {
	struct loop *loop;
	struct offload *offload;
	char *program, *voice, *cache_dir;
	unsigned wpm;
	uint64_t cache_bytes, timeout_ns;
	struct speech_job *looking; /* in the directory, or not begun */
	struct speech_job *waiting, **waiting_last;
	struct speech_job *running;
	unsigned n_running, n_jobs;
	struct loop_task pump;
	uint64_t stored_bytes;    /* in the directory, as far as we know */
	struct keep_job *keeping; /* those on the offload thread */
	bool measured;
};

/* ---- voices -------------------------------------------------------------------------------- */

/* Names that flows use, and the nearest the default program has. */
static const struct {
	const char *name, *voice;
} voices[] = {
	{"Aditi", "en-gb+f3"},
	{"Amy", "en-gb+f3"},
	{"Astrid", "sv+f3"},
	{"Bianca", "it+f3"},
	{"Brian", "en-gb+m3"},
	{"Camila", "pt-br+f3"},
	{"Carla", "it+f3"},
	{"Celine", "fr+f3"},
	{"Conchita", "es+f3"},
	{"Cristiano", "pt+m3"},
	{"Danielle", "en-us+f3"},
	{"Emma", "en-gb+f4"},
	{"Enrique", "es+m3"},
	{"Geraint", "en-gb+m4"},
	{"Giorgio", "it+m3"},
	{"Hans", "de+m3"},
	{"Ines", "pt+f3"},
	{"Ivy", "en-us+f5"},
	{"Jacek", "pl+m3"},
	{"Joanna", "en-us+f3"},
	{"Joey", "en-us+m3"},
	{"Justin", "en-us+m5"},
	{"Kendra", "en-us+f2"},
	{"Kimberly", "en-us+f4"},
	{"Lea", "fr+f3"},
	{"Lotte", "nl+f3"},
	{"Lucia", "es+f3"},
	{"Lupe", "es-419+f3"},
	{"Marlene", "de+f3"},
	{"Mathieu", "fr+m3"},
	{"Matthew", "en-us+m3"},
	{"Mia", "es-419+f3"},
	{"Miguel", "es-419+m3"},
	{"Naja", "da+f3"},
	{"Nicole", "en-gb+f2"},
	{"Penelope", "es-419+f4"},
	{"Russell", "en-gb+m2"},
	{"Ruth", "en-us+f4"},
	{"Salli", "en-us+f1"},
	{"Stephen", "en-us+m2"},
	{"Vicki", "de+f3"},
	{"Vitoria", "pt-br+f3"},
};

/* Two or three letters, then parts of letters and digits behind '-' or '+': `en-gb+f3`. */
static bool program_voice(struct str name)
{
	bool letters = true;

	if (name.n < 2 || name.n >= SPEECH_VOICE_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool lower = c >= 'a' && c <= 'z';

		if (c == '-' || c == '+') {
			if (i < 2)
				return false;
			letters = false;
		} else if (!lower && (letters || c < '0' || c > '9')) {
			return false;
		}
		if (letters && i >= 3)
			return false;
	}
	return true;
}

/* Codes whose voice is not named by their first part. */
static const struct {
	const char *code, *voice;
} languages[] = {
	{"arb", "ar"},
	{"cmn-CN", "cmn"},
	{"en-AU", "en-gb"},
	{"en-GB", "en-gb"},
	{"en-IN", "en-gb"},
	{"en-US", "en-us"},
	{"es-MX", "es-419"},
	{"es-US", "es-419"},
	{"pt-BR", "pt-br"},
	{"zh-CN", "cmn"},
};

/* `de-DE` */
static bool language_code(struct str name)
{
	return name.n == 5 && name.p[2] == '-' && name.p[0] >= 'a' && name.p[0] <= 'z' &&
	       name.p[1] >= 'a' && name.p[1] <= 'z' && name.p[3] >= 'A' && name.p[3] <= 'Z' &&
	       name.p[4] >= 'A' && name.p[4] <= 'Z';
}

/* False: the name says nothing. */
static bool find_voice(struct str name, char out[SPEECH_VOICE_MAX])
{
	const char *voice = NULL;

	for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++)
		if (str_equal_nocase_text(name, voices[i].name))
			voice = voices[i].voice;
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		if (str_equal_nocase_text(name, languages[i].code))
			voice = languages[i].voice;
	if (voice)
		snprintf(out, SPEECH_VOICE_MAX, "%s", voice);
	else if (language_code(name))
		snprintf(out, SPEECH_VOICE_MAX, "%.2s", name.p);
	else if (program_voice(name))
		snprintf(out, SPEECH_VOICE_MAX, "%.*s", STR_ARG(name));
	else
		return false;
	return true;
}

bool speech_knows(struct str name)
{
	char out[SPEECH_VOICE_MAX];

	return find_voice(name, out);
}

const char *speech_voice(const struct speech *speech, struct str name, char out[SPEECH_VOICE_MAX])
{
	if (!find_voice(name, out))
		snprintf(out, SPEECH_VOICE_MAX, "%s", speech->voice);
	return out;
}

void speech_key(
	const struct speech *speech, const struct speech_text *text, char out[SPEECH_KEY_SIZE])
{
	static const uint8_t keys[2][SIPHASH_KEY_SIZE] = {"cordboard spk 1", "cordboard spk 2"};
	char voice[SPEECH_VOICE_MAX];
	size_t size = text->text.n + strlen(speech->program) + sizeof(voice) + 64;
	char *all = malloc(size);
	int n;

	memset(out, '0', SPEECH_KEY_SIZE - 1);
	out[SPEECH_KEY_SIZE - 1] = '\0';
	if (!all)
		return;
	n = snprintf(all, size, "%s\n%s\n%u\n%d\n%.*s", speech->program,
		speech_voice(speech, text->voice, voice), speech->wpm, text->ssml ? SSML_WAY : 0,
		STR_ARG(text->text));
	snprintf(out, SPEECH_KEY_SIZE, "%016llx%016llx",
		(unsigned long long)siphash(all, (size_t)n, keys[0]),
		(unsigned long long)siphash(all, (size_t)n, keys[1]));
	free(all);
}

/* ---- the directory ------------------------------------------------------------------------- */

struct look_job {
	struct speech_job *job; /* NULL: cancelled */
	char path[PATH_SIZE];
	int fd;
};

static void look_work(void *arg)
{
	struct look_job *look = arg;

	look->fd = open(look->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

struct keep_job {
	struct speech *speech; /* NULL: gone */
	struct keep_job *next, **back;
	char dir[PATH_SIZE - 64];
	char key[SPEECH_KEY_SIZE];
	int fd; /* -1: only measure the directory */
	uint64_t stored_bytes, cache_bytes;
	bool measured;
	int error;
};

struct kept {
	char name[SPEECH_KEY_SIZE + sizeof(NAME_SUFFIX)];
	int64_t used_ns;
	uint64_t bytes;
};

static bool kept_name(const char *name)
{
	size_t n = strlen(name);

	return n == SPEECH_KEY_SIZE - 1 + sizeof(NAME_SUFFIX) - 1 &&
	       strcmp(name + SPEECH_KEY_SIZE - 1, NAME_SUFFIX) == 0;
}

static int by_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return x->used_ns < y->used_ns ? -1 : x->used_ns > y->used_ns;
}

static size_t list_kept(DIR *dir, struct kept **out)
{
	struct kept *all = NULL;
	size_t n = 0, size = 0;
	struct dirent *entry;
	struct stat st;

	while (n < PRUNE_FILES_MAX && (entry = readdir(dir)) != NULL) {
		if (!kept_name(entry->d_name) ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n == size) {
			struct kept *grown = realloc(all, (size ? size * 2 : 256) * sizeof(*grown));

			if (!grown)
				break;
			size = size ? size * 2 : 256;
			all = grown;
		}
		snprintf(all[n].name, sizeof(all[n].name), "%s", entry->d_name);
		all[n].used_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
		all[n++].bytes = (uint64_t)st.st_size;
	}
	*out = all;
	return n;
}

/* Measures the directory and takes the oldest out until nine tenths of the ceiling are left. */
static void prune(struct keep_job *keep)
{
	DIR *dir = opendir(keep->dir);
	struct kept *all;
	size_t n;

	if (!dir)
		return;
	n = list_kept(dir, &all);
	keep->stored_bytes = 0;
	keep->measured = true;
	for (size_t i = 0; i < n; i++)
		keep->stored_bytes += all[i].bytes;
	if (n && keep->stored_bytes > keep->cache_bytes) {
		qsort(all, n, sizeof(*all), by_age);
		for (size_t i = 0; i < n && keep->stored_bytes > keep->cache_bytes / 10 * 9; i++)
			if (unlinkat(dirfd(dir), all[i].name, 0) == 0)
				keep->stored_bytes -= all[i].bytes;
	}
	free(all);
	closedir(dir);
}

static int copy_bytes(int from, int to, uint64_t *bytes)
{
	char buffer[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buffer, sizeof(buffer), at)) > 0) {
		if (write(to, buffer, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
		at += n;
	}
	*bytes = (uint64_t)at;
	return n < 0 ? -errno : 0;
}

static int store(struct keep_job *keep)
{
	char temporary[PATH_SIZE], path[PATH_SIZE];
	uint64_t bytes = 0;
	int fd, error;

	snprintf(path, sizeof(path), "%s/%s" NAME_SUFFIX, keep->dir, keep->key);
	snprintf(temporary, sizeof(temporary), "%s/.%s.new", keep->dir, keep->key);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	error = copy_bytes(keep->fd, fd, &bytes);
	if (close(fd) < 0 && !error)
		error = -errno;
	if (!error && rename(temporary, path) < 0)
		error = -errno;
	if (error)
		unlink(temporary);
	else
		keep->stored_bytes += bytes;
	return error;
}

static void keep_work(void *arg)
{
	struct keep_job *keep = arg;

	if (mkdir(keep->dir, 0750) < 0 && errno != EEXIST)
		keep->error = -errno;
	else if (keep->fd >= 0)
		keep->error = store(keep);
	if (!keep->error && (!keep->measured || keep->stored_bytes > keep->cache_bytes))
		prune(keep);
}

static void keep_done(void *arg)
{
	struct keep_job *keep = arg;
	struct speech *s = keep->speech;

	if (s) {
		*keep->back = keep->next;
		if (keep->next)
			keep->next->back = keep->back;
		s->stored_bytes = keep->stored_bytes;
		s->measured = keep->measured;
		if (keep->error)
			log_warning_limited(NULL, "media", 1, "speech cache %s: %s", keep->dir,
				strerror(-keep->error));
	}
	if (keep->fd >= 0)
		close(keep->fd);
	free(keep);
}

/* Not being kept on disk costs a rendering later and nothing else. `fd` -1: only measure. */
static void keep_on_disk(struct speech *s, const char *key, int fd)
{
	struct keep_job *keep;

	if (!s->cache_dir)
		return;
	keep = calloc(1, sizeof(*keep));
	if (!keep)
		return;
	keep->speech = s;
	keep->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	keep->stored_bytes = s->stored_bytes;
	keep->cache_bytes = s->cache_bytes;
	keep->measured = s->measured;
	snprintf(keep->dir, sizeof(keep->dir), "%s", s->cache_dir);
	snprintf(keep->key, sizeof(keep->key), "%s", key);
	if ((fd >= 0 && keep->fd < 0) || offload_submit(s->offload, keep_work, keep_done, keep)) {
		if (keep->fd >= 0)
			close(keep->fd);
		free(keep);
		return;
	}
	keep->next = s->keeping;
	keep->back = &s->keeping;
	if (keep->next)
		keep->next->back = &keep->next;
	s->keeping = keep;
}

/* ---- jobs ---------------------------------------------------------------------------------- */

static void job_unlink(struct speech_job *job)
{
	struct speech *s = job->speech;

	*job->back = job->next;
	if (job->next)
		job->next->back = job->back;
	else if (s->waiting_last == &job->next)
		s->waiting_last = job->back;
}

static void job_link(struct speech_job *job, struct speech_job **list)
{
	job->next = *list;
	job->back = list;
	if (job->next)
		job->next->back = &job->next;
	*list = job;
}

static void job_wait(struct speech_job *job)
{
	struct speech *s = job->speech;

	job->next = NULL;
	job->back = s->waiting_last;
	*s->waiting_last = job;
	s->waiting_last = &job->next;
	loop_task_set(s->loop, &s->pump);
}

static void job_free(struct speech_job *job)
{
	job->speech->n_jobs--;
	free(job->text);
	free(job);
}

/* The job is in no list any more. */
static void job_end(struct speech_job *job, int fd_or_error, const char *wrong)
{
	void (*done)(void *, int, const char *) = job->done;
	void *ctx = job->ctx;

	job_free(job);
	done(ctx, fd_or_error, wrong);
}

static int memory_file(const uint8_t *bytes, size_t n)
{
	int fd = memfd_create("speech", MFD_CLOEXEC);
	size_t at = 0;

	while (fd >= 0 && at < n) {
		ssize_t written = write(fd, bytes + at, n - at);

		if (written <= 0) {
			int error = errno ? -errno : -ENOSPC;

			close(fd);
			return error;
		}
		at += (size_t)written;
	}
	return fd < 0 ? -errno : fd;
}

static bool judge(const struct speech *s, const struct loop_child_result *r, char *wrong)
{
	size_t line = strcspn(r->errors, "\n");

	if (r->timed_out)
		snprintf(wrong, WRONG_SIZE, "%s took too long", s->program);
	else if (r->cut)
		snprintf(wrong, WRONG_SIZE, "%s wrote too much", s->program);
	else if (r->exit_code == 127 && r->output_n == 0)
		snprintf(wrong, WRONG_SIZE, "speech program %s cannot be run", s->program);
	else if (r->exit_code != 0)
		snprintf(wrong, WRONG_SIZE, "%s failed with %s %d: %.*s", s->program,
			r->signal ? "signal" : "code", r->signal ? r->signal : r->exit_code,
			line > 100 ? 100 : (int)line, r->errors);
	else if (r->output_n < 44 || memcmp(r->output, "RIFF", 4) != 0)
		snprintf(wrong, WRONG_SIZE, "%s did not write a WAV file", s->program);
	else
		return true;
	return false;
}

static void child_done(void *ctx, const struct loop_child_result *result)
{
	struct speech_job *job = ctx;
	struct speech *s = job->speech;
	char wrong[WRONG_SIZE];
	int fd = -EIO;

	job->child = NULL;
	job_unlink(job);
	s->n_running--;
	loop_task_set(s->loop, &s->pump);
	if (judge(s, result, wrong)) {
		fd = memory_file(result->output, result->output_n);
		if (fd < 0)
			snprintf(wrong, sizeof(wrong), "%s", strerror(-fd));
		else
			keep_on_disk(s, job->key, fd);
	}
	job_end(job, fd, fd < 0 ? wrong : "");
}

static int child_start(struct speech_job *job)
{
	struct speech *s = job->speech;
	char wpm[16];
	const char *argv[10] = {
		s->program, "-v", job->voice, "-s", wpm, "-b", "1", "--stdin", "--stdout", NULL};
	const char *marked[11] = {s->program, "-v", job->voice, "-s", wpm, "-b", "1", "-m",
		"--stdin", "--stdout", NULL};
	const struct loop_child_config config = {
		.argv = job->ssml ? marked : argv,
		.input = job->text,
		.input_n = strlen(job->text),
		.output_max = SPEECH_OUTPUT_MAX,
		.timeout_ns = s->timeout_ns,
		.ctx = job,
		.done = child_done,
	};

	snprintf(wpm, sizeof(wpm), "%u", s->wpm);
	return loop_child_start(s->loop, &config, &job->child);
}

static void pump(void *ctx)
{
	struct speech *s = ctx;

	while (s->waiting && s->n_running < SPEECH_RUNNING) {
		struct speech_job *job = s->waiting;
		char wrong[WRONG_SIZE];
		int error = child_start(job);

		if (error == -EAGAIN && s->n_running)
			return;
		job_unlink(job);
		if (!error) {
			job_link(job, &s->running);
			s->n_running++;
			continue;
		}
		if (error == -ENOENT)
			snprintf(wrong, sizeof(wrong), "speech program %s not found", s->program);
		else
			snprintf(wrong, sizeof(wrong), "speech program %s: %s", s->program,
				strerror(-error));
		job_end(job, error, wrong);
	}
}

static void look_done(void *arg)
{
	struct look_job *look = arg;
	struct speech_job *job = look->job;

	if (job) {
		job->look = NULL;
		job_unlink(job);
		if (look->fd >= 0)
			job_end(job, look->fd, "");
		else
			job_wait(job);
	} else if (look->fd >= 0) {
		close(look->fd);
	}
	free(look);
}

static int look_start(struct speech_job *job)
{
	struct look_job *look = calloc(1, sizeof(*look));
	struct speech *s = job->speech;
	int error;

	if (!look)
		return -ENOMEM;
	look->job = job;
	look->fd = -1;
	snprintf(look->path, sizeof(look->path), "%s/%s" NAME_SUFFIX, s->cache_dir, job->key);
	error = offload_submit(s->offload, look_work, look_done, look);
	if (error) {
		free(look);
		return error;
	}
	job->look = look;
	job_link(job, &s->looking);
	return 0;
}

/* The text as the program takes it. */
static int text_of(const struct speech_text *text, char **out)
{
	char wrong[SSML_WRONG_SIZE];

	if (text->ssml)
		return ssml_prepare(text->text, out, wrong);
	*out = str_dup(text->text);
	return *out ? 0 : -ENOMEM;
}

int speech_render(struct speech *s, const struct speech_text *text,
	void (*done)(void *ctx, int fd_or_error, const char *wrong), void *ctx,
	struct speech_job **out)
{
	struct speech_job *job;
	int error;

	if (text->text.n == 0 || text->text.n > SPEECH_TEXT_MAX)
		return -EINVAL;
	if (s->n_jobs == SPEECH_WAITING_MAX)
		return -ENOBUFS;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	s->n_jobs++;
	job->speech = s;
	job->done = done;
	job->ctx = ctx;
	job->ssml = text->ssml;
	speech_voice(s, text->voice, job->voice);
	speech_key(s, text, job->key);
	error = text_of(text, &job->text);
	if (!error && s->cache_dir)
		error = look_start(job);
	else if (!error)
		job_wait(job);
	if (error) {
		job_free(job);
		return error;
	}
	*out = job;
	return 0;
}

void speech_cancel(struct speech_job *job)
{
	struct speech *s = job->speech;

	if (job->look)
		job->look->job = NULL;
	if (job->child) {
		loop_child_kill(job->child);
		s->n_running--;
		loop_task_set(s->loop, &s->pump);
	}
	job_unlink(job);
	job_free(job);
}

/* ---- all of it ----------------------------------------------------------------------------- */

int speech_create(struct loop *loop, struct offload *offload, const struct speech_config *config,
	struct speech **out)
{
	struct speech *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->offload = offload;
	s->program = str_dup(str_from(config->program ? config->program : "espeak-ng"));
	s->voice = str_dup(str_from(config->voice ? config->voice : "en-us"));
	s->cache_dir = config->cache_dir ? str_dup(str_from(config->cache_dir)) : NULL;
	s->wpm = config->wpm ? config->wpm : 165;
	s->cache_bytes = config->cache_bytes ? config->cache_bytes : SPEECH_CACHE_BYTES;
	s->timeout_ns = config->timeout_ns ? config->timeout_ns : SPEECH_TIMEOUT_NS;
	s->waiting_last = &s->waiting;
	s->pump = (struct loop_task){.fn = pump, .ctx = s};
	if (!s->program || !s->voice || (config->cache_dir && !s->cache_dir)) {
		speech_destroy(s);
		return -ENOMEM;
	}
	keep_on_disk(s, "", -1);
	*out = s;
	return 0;
}

void speech_destroy(struct speech *s)
{
	if (!s)
		return;
	while (s->looking)
		speech_cancel(s->looking);
	while (s->waiting)
		speech_cancel(s->waiting);
	while (s->running)
		speech_cancel(s->running);
	for (struct keep_job *keep = s->keeping; keep; keep = keep->next)
		keep->speech = NULL;
	loop_task_cancel(&s->pump);
	free(s->program);
	free(s->voice);
	free(s->cache_dir);
	free(s);
}
