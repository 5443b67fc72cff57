/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: what is in the file, to the sample, whatever the disk and the process do. */
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "store/recording.h"
#include "store/wav.h"

#define RATE    8000u
#define SAMPLES 160u
#define SECOND  50u /* frames */
/* 2026-11-27T03:00:00Z */
#define BEGIN_WALL (UINT64_C(1795748400) * CLOCK_S)

static char directory[64], path[256];
static struct loop *loop;
static struct offload *offload;
static struct recordings *all;
static struct recording_result result;
static unsigned results;

static void start_as(enum recording_format format, uint64_t buffer_ns, uint64_t sync_ns)
{
	char error[RECORDING_ERROR_SIZE] = "";

	assert_int_equal(loop_create(NULL, &loop), 0);
	assert_int_equal(offload_create(loop, 0, &offload), 0);
	if (recordings_open(&(struct recordings_config){.loop = loop,
				    .offload = offload,
				    .directory = directory,
				    .format = format,
				    .bitrate = 32000,
				    .buffer_ns = buffer_ns,
				    .sync_ns = sync_ns},
		    error, &all) < 0)
		fail_msg("%s", error);
}

static void start(uint64_t buffer_ns, uint64_t sync_ns)
{
	start_as(RECORDING_WAV, buffer_ns, sync_ns);
}

static void stop(void)
{
	offload_destroy(offload);
	recordings_close(all);
	loop_destroy(loop);
}

static int set_up(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/cordboard-recording-XXXXXX");
	assert_non_null(mkdtemp(directory));
	results = 0;
	return 0;
}

static int drop(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int tear_down(void **state)
{
	nftw(directory, drop, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static void on_done(void *ctx, const struct recording_result *r)
{
	result = *r;
	results++;
}

static struct recording *begin(const char *name)
{
	struct recording *r;

	assert_int_equal(recording_start(all,
				 &(struct recording_config){.name = name,
					 .wall_ns = BEGIN_WALL,
					 .rate_hz = RATE,
					 .done = on_done},
				 &r),
		0);
	snprintf(path, sizeof(path), "%s", recording_location(r));
	return r;
}

/* Every frame tells which one it is. */
static void frames(struct recording *r, uint64_t first, unsigned n)
{
	int16_t left[SAMPLES], right[SAMPLES];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned s = 0; s < SAMPLES; s++) {
			left[s] = (int16_t)(1 + (first + i) % 1000);
			right[s] = (int16_t)-left[s];
		}
		recording_frame(r, first + i, left, right);
	}
}

#define UNTIL(condition)                                    \
	do {                                                \
		uint64_t end_ = clock_now() + 10 * CLOCK_S; \
		while (!(condition) && clock_now() < end_)  \
			loop_step(loop, CLOCK_MS);          \
		assert_true(condition);                     \
	} while (0)

static void finish(struct recording *r)
{
	unsigned before = results;

	recording_end(r);
	UNTIL(results == before + 1);
	assert_true(recordings_idle(all));
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Reads the file at `path` as a player does; how many samples of a channel it has. */
static size_t play(int16_t **pcm)
{
	FILE *f = fopen(path, "rb");
	uint8_t h[WAV_HEADER_BYTES];
	size_t n;

	assert_non_null(f);
	assert_int_equal(fread(h, 1, sizeof(h), f), sizeof(h));
	assert_memory_equal(h, "RIFF", 4);
	assert_memory_equal(h + 8, "WAVEfmt ", 8);
	assert_memory_equal(h + 16, "\x10\0\0\0\1\0\2\0", 8);
	assert_int_equal(word(h + 24), RATE);
	assert_int_equal(word(h + 28), RATE * 4);
	assert_memory_equal(h + 32, "\4\0\x10\0data", 8);
	assert_int_equal(word(h + 4), word(h + 40) + 36);
	n = word(h + 40) / 4;
	*pcm = malloc(n * 4 + 1);
	assert_int_equal(fread(*pcm, 4, n, f), n);
	fclose(f);
	return n;
}

/* Frames first .. first+n-1 of the file hold period `period` on. */
static void holds(const int16_t *pcm, unsigned first, unsigned n, uint64_t period)
{
	for (unsigned i = 0; i < n * SAMPLES; i++) {
		int16_t want = (int16_t)(1 + (period + i / SAMPLES) % 1000);

		assert_int_equal(pcm[2 * (first * SAMPLES + i)], want);
		assert_int_equal(pcm[2 * (first * SAMPLES + i) + 1], -want);
	}
}

static void is_silent(const int16_t *pcm, unsigned first, unsigned n)
{
	for (unsigned i = 0; i < 2 * n * SAMPLES; i++)
		assert_int_equal(pcm[2 * first * SAMPLES + i], 0);
}

static bool unfinished(const char *name)
{
	char mark[256];

	snprintf(mark, sizeof(mark), "%s/unfinished/%s.wav", directory, name);
	return access(mark, F_OK) == 0;
}

static void each_channel_is_kept_in_order(void **state)
{
	struct stat st;
	int16_t *pcm;
	char want[128];

	start(10 * CLOCK_S, CLOCK_S);
	struct recording *r = begin("one");

	snprintf(want, sizeof(want), "%s/2026/11/27/one.wav", directory);
	assert_string_equal(path, want);
	for (unsigned i = 0; i < 7; i++) {
		frames(r, 100 + 25 * i, 25);
		UNTIL(i < 1 || access(path, F_OK) == 0);
		loop_step(loop, CLOCK_MS);
	}
	assert_true(unfinished("one"));
	finish(r);
	assert_false(unfinished("one"));
	assert_int_equal(result.error, 0);
	assert_int_equal(result.frames, 175);
	assert_int_equal(result.missing + result.lost, 0);
	assert_int_equal(result.file_bytes, 175 * SAMPLES * 4);
	assert_int_equal(play(&pcm), 175 * SAMPLES);
	holds(pcm, 0, 175, 100);
	free(pcm);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	stop();
}

/* Periods that were never heard are silence of their length; what comes twice is there once. */
static void a_gap_is_silence_to_the_sample(void **state)
{
	int16_t *pcm;

	start(10 * CLOCK_S, 0);
	struct recording *r = begin("gaps");

	frames(r, 5000, 10);
	frames(r, 5000, 10);
	frames(r, 5017, 60);
	frames(r, 5500, 1);
	finish(r);
	assert_int_equal(result.frames, 501);
	assert_int_equal(result.missing, 7 + 423);
	assert_int_equal(play(&pcm), 501 * SAMPLES);
	holds(pcm, 0, 10, 5000);
	is_silent(pcm, 10, 7);
	holds(pcm, 17, 60, 5017);
	is_silent(pcm, 77, 423);
	holds(pcm, 500, 1, 5500);
	free(pcm);
	stop();
}

/* The disk takes nothing for a while: so much is kept, the rest is lost, and that is silence. */
static void a_slow_disk_loses_what_does_not_fit(void **state)
{
	struct recordings_stats s;
	int16_t *pcm;

	start(3 * CLOCK_S, 0);
	struct recording *r = begin("slow");

	frames(r, 0, 10 * SECOND); /* no pass of the loop: nothing is written */
	recordings_stats(all, &s);
	assert_int_equal(s.lost, 7 * SECOND);
	for (unsigned i = 0; i < 100; i++)
		loop_step(loop, CLOCK_MS);
	UNTIL((recordings_stats(all, &s), s.bytes == 3 * SECOND * SAMPLES * 4));
	frames(r, 10 * SECOND, 3);
	finish(r);
	assert_int_equal(result.error, 0);
	assert_int_equal(result.lost, 7 * SECOND);
	assert_int_equal(result.missing, 0);
	assert_int_equal(play(&pcm), (10 * SECOND + 3) * SAMPLES);
	holds(pcm, 0, 3 * SECOND, 0);
	is_silent(pcm, 3 * SECOND, 7 * SECOND);
	holds(pcm, 10 * SECOND, 3, 10 * SECOND);
	free(pcm);
	/* Lost at the very end: the file has its length all the same. */
	r = begin("slow-end");
	frames(r, 0, 10 * SECOND);
	finish(r);
	assert_int_equal(result.lost, 7 * SECOND);
	assert_int_equal(play(&pcm), 10 * SECOND * SAMPLES);
	is_silent(pcm, 3 * SECOND, 7 * SECOND);
	free(pcm);
	stop();
}

/* A full disk, which has space again later. */
static void a_write_that_fails_is_tried_again(void **state)
{
	struct rlimit old, none;
	struct recordings_stats s;
	int16_t *pcm;

	start(10 * CLOCK_S, 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){WAV_HEADER_BYTES, old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	struct recording *r = begin("full");

	UNTIL(access(path, F_OK) == 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	frames(r, 0, SECOND);
	UNTIL((recordings_stats(all, &s), s.errors > 0));
	frames(r, SECOND, SECOND);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	finish(r);
	assert_int_equal(result.error, 0);
	assert_int_equal(result.lost, 0);
	assert_int_equal(play(&pcm), 2 * SECOND * SAMPLES);
	holds(pcm, 0, 2 * SECOND, 0);
	free(pcm);
	stop();
}

/* Whoever looks at the file meanwhile can play what is there. */
static void the_header_follows_the_file(void **state)
{
	int16_t *pcm;
	size_t n = 0;

	start(10 * CLOCK_S, CLOCK_MS);
	struct recording *r = begin("header");

	for (unsigned i = 0; i < 5; i++) {
		frames(r, i * SECOND, SECOND);
		for (unsigned j = 0; j < 20; j++)
			loop_step(loop, CLOCK_MS);
	}
	n = play(&pcm);
	assert_in_range(n, 3 * SECOND * SAMPLES, 5 * SECOND * SAMPLES);
	holds(pcm, 0, (unsigned)(n / SAMPLES), 0);
	free(pcm);
	finish(r);
	stop();
}

/* kill -9: the next start finds the file and gives it its true length. */
static void a_killed_process_leaves_a_file_that_is_repaired(void **state)
{
	struct recordings_stats s;
	int16_t *pcm;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		start(10 * CLOCK_S, 0);
		struct recording *r = begin("killed");

		for (unsigned i = 0; i < 3; i++)
			frames(r, i * SECOND, SECOND);
		do {
			loop_step(loop, CLOCK_MS);
			recordings_stats(all, &s);
		} while (s.bytes < 3 * SECOND * SAMPLES * 4);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	snprintf(path, sizeof(path), "%s/2026/11/27/killed.wav", directory);
	assert_int_equal(play(&pcm), 0); /* an empty one, but one that can be played */
	free(pcm);
	assert_true(unfinished("killed"));
	start(10 * CLOCK_S, 0);
	recordings_stats(all, &s);
	assert_int_equal(s.repaired, 1);
	assert_false(unfinished("killed"));
	assert_int_equal(play(&pcm), 3 * SECOND * SAMPLES);
	holds(pcm, 0, 3 * SECOND, 0);
	free(pcm);
	stop();
}

/* What lies there and is none of ours stays as it is. */
static void what_is_no_recording_is_not_repaired(void **state)
{
	struct recordings_stats s;
	char name[128];
	FILE *f;

	start(10 * CLOCK_S, 0);
	stop();
	snprintf(name, sizeof(name), "%s/unfinished/notes.wav", directory);
	f = fopen(name, "wb");
	for (unsigned i = 0; i < 100; i++)
		fputc('n', f);
	fclose(f);
	start(10 * CLOCK_S, 0);
	recordings_stats(all, &s);
	assert_int_equal(s.repaired, 0);
	assert_int_equal(access(name, F_OK), 0);
	stop();
}

static void what_cannot_be_made_is_told(void **state)
{
	struct recording *r;
	char name[128];
	FILE *f;

	start(10 * CLOCK_S, 0);
	snprintf(name, sizeof(name), "%s/2026", directory);
	f = fopen(name, "wb");
	fclose(f);
	r = begin("nowhere");
	frames(r, 0, SECOND);
	finish(r);
	assert_int_equal(result.error, -ENOTDIR);
	r = begin("nowhere");
	for (unsigned i = 0; i < 50; i++)
		loop_step(loop, CLOCK_MS);
	frames(r, 0, SECOND);
	finish(r);
	assert_int_equal(result.error, -ENOTDIR);
	assert_int_equal(result.lost, SECOND);
	remove(name);
	/* One name is one file. */
	r = begin("twice");
	frames(r, 0, SECOND);
	finish(r);
	assert_int_equal(result.error, 0);
	r = begin("twice");
	finish(r);
	assert_int_equal(result.error, -EEXIST);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const bad[] = {"", "..", "a/b", "a b", "a.wav"};

		assert_int_equal(
			recording_start(all,
				&(struct recording_config){.name = bad[i], .rate_hz = RATE}, &r),
			-EINVAL);
	}
	assert_int_equal(
		recording_start(all, &(struct recording_config){.name = "a", .rate_hz = 44100}, &r),
		-EINVAL);
	stop();
}

/* Many at once, ended while they wait, and the process ends with some of them running. */
static void many_run_at_once(void **state)
{
	struct recording *r[200];
	char name[32];

	start(10 * CLOCK_S, CLOCK_MS);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		r[i] = begin(name);
	}
	for (unsigned n = 0; n < 4; n++) {
		for (unsigned i = 0; i < 200; i++)
			frames(r[i], n * 40, 40);
		loop_step(loop, CLOCK_MS);
	}
	for (unsigned i = 0; i < 190; i++)
		recording_end(r[i]);
	UNTIL(results == 190);
	assert_false(recordings_idle(all));
	stop();
	start(10 * CLOCK_S, 0);
	struct recordings_stats s;

	recordings_stats(all, &s);
	assert_int_equal(s.repaired, 10);
	stop();
}

/* ---- Opus ---- */

/* Frames first .. first+n-1 with a tone on each side. */
static void tones(struct recording *r, uint64_t first, unsigned n, double left_hz, double right_hz)
{
	int16_t left[SAMPLES], right[SAMPLES];

	for (unsigned i = 0; i < n; i++) {
		for (unsigned s = 0; s < SAMPLES; s++) {
			double t = 2 * M_PI * (double)((first + i) * SAMPLES + s) / RATE;

			left[s] = (int16_t)lrint(8000 * sin(left_hz * t));
			right[s] = (int16_t)lrint(8000 * sin(right_hz * t));
		}
		recording_frame(r, first + i, left, right);
	}
}

/* Reads an Ogg file whole; how many samples of a channel. */
static size_t play_opus(int16_t **pcm)
{
	SF_INFO info = {0};
	SNDFILE *f = sf_open(path, SFM_READ, &info);

	assert_non_null(f);
	assert_int_equal(info.channels, 2);
	assert_int_equal(info.samplerate, RATE);
	assert_int_equal(info.format, SF_FORMAT_OGG | SF_FORMAT_OPUS);
	*pcm = malloc((size_t)info.frames * 4 + 1);
	assert_int_equal(sf_readf_short(f, *pcm, info.frames), info.frames);
	sf_close(f);
	return (size_t)info.frames;
}

/* Amplitude of a tone in frames first .. first+n-1 of a channel. */
static double level(const int16_t *pcm, unsigned channel, double hz, unsigned first, unsigned n)
{
	const int16_t *from = pcm + 2 * (size_t)first * SAMPLES + channel;
	double a = 0, b = 0;

	for (unsigned i = 0; i < n * SAMPLES; i++) {
		a += from[2 * i] * cos(2 * M_PI * hz * i / RATE);
		b += from[2 * i] * sin(2 * M_PI * hz * i / RATE);
	}
	return 2 * hypot(a, b) / (n * SAMPLES);
}

static void opus_keeps_sides_gaps_and_length(void **state)
{
	int16_t *pcm;

	start_as(RECORDING_OPUS, 10 * CLOCK_S, CLOCK_S);
	struct recording *r = begin("opus");

	tones(r, 0, 75, 450, 1100);
	tones(r, 175, 80, 450, 1100);
	finish(r);
	assert_int_equal(result.error, 0);
	assert_int_equal(result.frames, 255);
	assert_int_equal(result.missing, 100);
	assert_string_equal(path + strlen(path) - 9, "opus.opus");
	/* to the sample */
	assert_int_equal(play_opus(&pcm), 255 * SAMPLES);
	for (unsigned side = 0; side < 2; side++) {
		double own = side ? 1100 : 450, other = side ? 450 : 1100;

		assert_true(level(pcm, side, own, 10, 50) > 6000);
		assert_true(level(pcm, side, own, 190, 50) > 6000);
		assert_true(level(pcm, side, other, 10, 50) < 100);
		assert_true(level(pcm, side, own, 85, 80) < 50);
	}
	/* where the sound begins again */
	unsigned i = 80 * SAMPLES;

	while (i < 255 * SAMPLES && abs(pcm[2 * i]) < 1000)
		i++;
	assert_in_range(i, 175 * SAMPLES - 40, 175 * SAMPLES + 80);
	free(pcm);
	/* One without a sound, and one with nothing but a gap at its end. */
	finish(begin("opus-empty"));
	assert_int_equal(result.error, 0);
	r = begin("opus-lost");
	tones(r, 0, 12 * SECOND, 450, 1100); /* no pass of the loop: two seconds are lost */
	finish(r);
	assert_int_equal(result.lost, 2 * SECOND);
	assert_int_equal(play_opus(&pcm), 12 * SECOND * SAMPLES);
	assert_true(level(pcm, 0, 450, 9 * SECOND, 40) > 6000);
	assert_true(level(pcm, 0, 450, 11 * SECOND, 40) < 50);
	free(pcm);
	stop();
}

/* At the end of the process the helper is gone: what is still being written is left as it is. */
static void an_ended_recording_may_be_cut_short(void **state)
{
	struct recordings_stats s;
	int16_t *pcm;

	for (enum recording_format format = RECORDING_WAV; format <= RECORDING_OPUS; format++) {
		start_as(format, 10 * CLOCK_S, 0);
		struct recording *r = begin("late");

		frames(r, 0, SECOND);
		UNTIL(offload_pending(offload) == 0);
		recording_end(r);
		stop();
		assert_int_equal(results, format + 1);
		assert_int_equal(result.error, -ECANCELED);
		start_as(format, 10 * CLOCK_S, 0);
		recordings_stats(all, &s);
		assert_int_equal(s.repaired, 1);
		stop();
	}
	snprintf(path, sizeof(path), "%s/2026/11/27/late.wav", directory);
	assert_int_equal(play(&pcm), SECOND * SAMPLES);
	free(pcm);
}

/* Cut off anywhere: what is whole can be played, and the file has an end. */
static void an_opus_file_is_repaired(void **state)
{
	struct recordings_stats s;
	int16_t *pcm;
	struct stat st;
	char mark[256];

	start_as(RECORDING_OPUS, 10 * CLOCK_S, 0);
	struct recording *r = begin("cut");

	tones(r, 0, 5 * SECOND, 450, 1100);
	finish(r);
	stop();
	assert_int_equal(stat(path, &st), 0);
	snprintf(mark, sizeof(mark), "%s/unfinished/cut.opus", directory);
	for (off_t bytes = st.st_size - 1; bytes > 6000; bytes -= 977) {
		assert_int_equal(truncate(path, bytes), 0);
		assert_int_equal(link(path, mark), 0);
		start_as(RECORDING_OPUS, 10 * CLOCK_S, 0);
		recordings_stats(all, &s);
		assert_int_equal(s.repaired, 1);
		stop();
		size_t n = play_opus(&pcm);

		assert_in_range(n, 0, 5 * SECOND * SAMPLES);
		if (n > 60 * SAMPLES)
			assert_true(level(pcm, 0, 450, 10, 40) > 6000);
		free(pcm);
		assert_int_equal(stat(path, &st), 0);
		if (st.st_size < bytes)
			bytes = st.st_size;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(each_channel_is_kept_in_order),
		T(a_gap_is_silence_to_the_sample),
		T(a_slow_disk_loses_what_does_not_fit),
		T(a_write_that_fails_is_tried_again),
		T(the_header_follows_the_file),
		T(a_killed_process_leaves_a_file_that_is_repaired),
		T(what_is_no_recording_is_not_repaired),
		T(what_cannot_be_made_is_told),
		T(many_run_at_once),
		T(opus_keeps_sides_gaps_and_length),
		T(an_opus_file_is_repaired),
		T(an_ended_recording_may_be_cut_short),
#undef T
	};

	log_set_level(LOG_LEVEL_ERROR + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
