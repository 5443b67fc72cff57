/* SPDX-License-Identifier: Apache-2.0 */
/* Clips and speech against a carrier that takes, refuses, is full, and goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/offload.h"
#include "media/clips.h"

#define L16  (1u << CORD_CLIP_L16)
#define PCMU (1u << CORD_CLIP_PCMU)
#define PCMA (1u << CORD_CLIP_PCMA)

static char directory[] = "/tmp/cordboard-clips-XXXXXX";
static struct loop *loop;
static struct offload *offload;
static struct clips *clips;

/* What was given, in order; answered by the test. */
static struct {
	struct {
		cord_clip_id id;
		enum cord_clip_format format;
	} given[512];
	unsigned n, answered, removed;
	unsigned space; /* how many it takes before it is full */
	int error;      /* of every answer */
} carrier;

static int give(void *ctx, cord_clip_id id, enum cord_clip_format format, int fd, uint64_t bytes)
{
	if (carrier.space == 0)
		return -ENOBUFS;
	carrier.space--;
	assert_true(fcntl(fd, F_GETFD) >= 0);
	carrier.given[carrier.n].id = id;
	carrier.given[carrier.n++].format = format;
	return 0;
}

static int take_out(void *ctx, cord_clip_id id)
{
	carrier.removed++;
	return 0;
}

static void attach(void)
{
	const struct clips_carrier c = {.give = give, .remove = take_out};

	memset(&carrier, 0, sizeof(carrier));
	carrier.space = 512;
	clips_attach(clips, &c);
}

static void answer_all(void)
{
	while (carrier.answered < carrier.n) {
		unsigned i = carrier.answered++;

		clips_given(clips, carrier.given[i].id, carrier.given[i].format, carrier.error,
			"refused by the test");
	}
}

static void step(void)
{
	loop_step(loop, CLOCK_MS);
	clips_pump(clips);
	answer_all();
}

#define UNTIL(condition)                                    \
	do {                                                \
		uint64_t end_ = clock_now() + 20 * CLOCK_S; \
		while (!(condition) && clock_now() < end_)  \
			step();                             \
		assert_true(condition);                     \
	} while (0)

static void start(const struct speech_config *speech, uint64_t bytes_max)
{
	struct clips_config config = {.loop = loop, .offload = offload, .bytes_max = bytes_max};

	if (speech)
		config.speech = *speech;
	assert_int_equal(clips_create(&config, &clips), 0);
}

static int set_up(void **state)
{
	assert_int_equal(loop_create(NULL, &loop), 0);
	return offload_create(loop, 0, &offload);
}

static int tear_down(void **state)
{
	clips_destroy(clips);
	clips = NULL;
	offload_destroy(offload);
	loop_destroy(loop);
	return 0;
}

struct waiter {
	struct clip_wait wait;
	unsigned calls;
	int error;
	struct clip *releases;
	struct clip_wait *cancels;
};

static void on_wait(void *ctx, int error)
{
	struct waiter *w = ctx;

	w->calls++;
	w->error = error;
	if (w->cancels)
		clip_wait_cancel(w->cancels);
	clip_release(w->releases);
}

static void want(struct clip *clip, unsigned formats, struct waiter *w)
{
	w->wait.fn = on_wait;
	w->wait.ctx = w;
	clip_want(clip, formats, &w->wait);
}

static struct clip *source(const char *name)
{
	struct clip *clip = NULL;
	char wrong[CLIPS_REASON_SIZE];

	if (clips_source(clips, str_from(name), wrong, &clip))
		fail_msg("%s: %s", name, wrong);
	return clip;
}

static struct clip *spoken(const char *text, const char *voice, bool ssml)
{
	const struct speech_text t = {str_from(text), str_from(voice), ssml};
	struct clip *clip = NULL;

	assert_int_equal(clips_text(clips, &t, NULL, &clip), 0);
	return clip;
}

static void equal_sources_and_contents_are_shared(void **state)
{
	struct waiter w[3] = {0};
	struct clips_stats s;

	start(NULL, 0);
	attach();
	struct clip *a = source("tone:440:200ms"), *b = source("tone:440:200ms");
	struct clip *c = source("tone:440:100ms/440:100ms"), *beep = source("beep");
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	want(a, L16 | PCMU, &w[0]);
	want(b, L16, &w[1]);
	want(c, L16 | PCMA, &w[2]);
	assert_int_equal(w[0].calls, 0);
	UNTIL(w[0].calls && w[1].calls && w[2].calls && clip_state(beep) == CLIP_LOADED);
	assert_int_equal(w[0].error | w[1].error | w[2].error, 0);
	assert_true(clip_content(a) == clip_content(c));
	assert_int_equal(clip_frames(a), 10);
	clips_stats(clips, &s);
	assert_int_equal(s.sources, 3);
	assert_int_equal(s.sounds, 2);
	/* Each encoding was made and given once; the beep that nobody wants was not. */
	assert_int_equal(carrier.n, 3);
	assert_true(clip_ready(a, L16 | PCMU | PCMA));
	clip_release(a);
	clip_release(b);
	clip_release(c);
	clip_release(beep);
}

/* The codes of a long clip take their time: who plays it does not wait for them. */
static void what_is_wanted_also_is_waited_for_by_nobody(void **state)
{
	const unsigned opus = 1u << CORD_CLIP_OPUS, wide = 1u << CORD_CLIP_L16_WIDE;
	struct waiter w = {0};

	start(NULL, 0);
	attach();
	struct clip *a = source("tone:440:20s");
	clip_want_also(a, opus | wide);
	want(a, L16, &w);
	UNTIL(w.calls);
	assert_int_equal(w.error, 0);
	assert_false(clip_ready(a, opus));
	UNTIL(clip_ready(a, opus));
	/* A tone has no samples at 16 kHz. */
	assert_false(clip_ready(a, wide));
	assert_int_equal(carrier.n, 2);
	/* Once it is loaded too. */
	clip_want_also(a, 1u << CORD_CLIP_G722);
	UNTIL(clip_ready(a, 1u << CORD_CLIP_G722));
	clip_release(a);
}

static void no_work(void *ctx)
{
}

static void count_done(void *ctx)
{
	++*(unsigned *)ctx;
}

/* The helper's next job is done while a long clip is only begun. */
static void other_jobs_come_between_the_pieces_of_a_long_clip(void **state)
{
	const unsigned opus = 1u << CORD_CLIP_OPUS;
	unsigned done = 0;

	start(NULL, 0);
	attach();
	struct clip *a = source("tone:440:60s");
	UNTIL(clip_state(a) == CLIP_LOADED);
	clip_want_also(a, opus);
	for (unsigned before = 0; before < 5; before = done) {
		assert_int_equal(offload_submit(offload, no_work, count_done, &done), 0);
		UNTIL(done > before);
	}
	assert_int_equal(carrier.n, 0);
	UNTIL(clip_ready(a, opus));
	assert_int_equal(carrier.n, 1);
	assert_int_equal(offload_pending(offload), 0);
	clip_release(a);
}

/* What is left of the work on a clip that is gone is not done. */
static void a_clip_that_goes_is_not_made_any_further(void **state)
{
	unsigned done = 0;

	start(NULL, 0);
	struct clip *a = source("tone:440:300s");
	UNTIL(clip_state(a) == CLIP_LOADED);
	clip_want_also(a, 1u << CORD_CLIP_OPUS | 1u << CORD_CLIP_G722);
	step();
	clip_release(a);
	clips_destroy(clips);
	clips = NULL;
	/* at most one piece of each was before it */
	assert_int_equal(offload_submit(offload, no_work, count_done, &done), 0);
	while (!done)
		loop_step(loop, CLOCK_MS);
	assert_int_equal(offload_pending(offload), 0);
}

static unsigned open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void wait_for_gate(void *ctx)
{
	pthread_mutex_lock(ctx);
	pthread_mutex_unlock(ctx);
}

static void nothing_done(void *ctx)
{
}

/* The last descriptor of a clip frees all of it, which may take tens of milliseconds. */
static void a_clip_is_freed_by_the_helper(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	unsigned before, with;
	struct waiter w = {0};

	start(NULL, 0);
	attach();
	before = open_descriptors();
	struct clip *a = source("tone:440:60s");
	want(a, L16 | PCMU, &w);
	UNTIL(w.calls);
	pthread_mutex_lock(&gate);
	assert_int_equal(offload_submit(offload, wait_for_gate, nothing_done, &gate), 0);
	with = open_descriptors();
	assert_true(with >= before + 2);
	clip_release(a);
	clips_destroy(clips);
	clips = NULL;
	assert_int_equal(open_descriptors(), with);
	pthread_mutex_unlock(&gate);
	for (uint64_t end = clock_now() + 5 * CLOCK_S;
		open_descriptors() > before && clock_now() < end;)
		loop_step(loop, CLOCK_MS);
	assert_int_equal(open_descriptors(), before);
}

static void a_new_dataplane_gets_all_again(void **state)
{
	struct waiter w = {0}, again = {0};

	start(NULL, 0);
	struct clip *a = source("tone:440:200ms");
	want(a, L16 | PCMU, &w);
	for (unsigned i = 0; i < 50; i++)
		step();
	assert_int_equal(w.calls, 0);
	attach();
	UNTIL(w.calls == 1);
	clips_attach(clips, NULL);
	assert_false(clip_ready(a, L16));
	attach();
	want(a, L16 | PCMU, &again);
	UNTIL(again.calls == 1);
	assert_int_equal(carrier.n, 2);
	clip_release(a);
}

static void a_full_carrier_is_tried_again(void **state)
{
	enum { MANY = 150 };
	static struct waiter w[MANY];
	struct clip *all[MANY];
	unsigned done = 0;

	memset(w, 0, sizeof(w));
	start(NULL, 0);
	attach();
	carrier.space = 5;
	for (unsigned i = 0; i < MANY; i++) {
		char name[40];

		snprintf(name, sizeof(name), "tone:%u:40ms", 300 + i);
		all[i] = source(name);
		want(all[i], L16, &w[i]);
	}
	for (unsigned i = 0; i < 200; i++)
		step();
	assert_int_equal(carrier.n, 5);
	carrier.space = 512;
	while (done < MANY) {
		UNTIL(w[done].calls == 1);
		assert_int_equal(w[done++].error, 0);
	}
	for (unsigned i = 0; i < MANY; i++)
		clip_release(all[i]);
}

static void a_refused_clip_fails_and_may_be_tried_again(void **state)
{
	struct waiter w = {0}, again = {0};

	start(NULL, 0);
	attach();
	carrier.error = -EPROTO;
	struct clip *a = source("tone:440:200ms");
	want(a, L16, &w);
	UNTIL(w.calls == 1);
	assert_int_equal(w.error, -EPROTO);
	assert_string_equal(clip_error(a), "refused by the test");
	carrier.error = 0;
	want(a, L16, &again);
	UNTIL(again.calls == 1);
	assert_int_equal(again.error, 0);
	clip_release(a);
}

static void waits_may_be_cancelled_from_a_callback(void **state)
{
	struct waiter w[2] = {0};

	start(NULL, 0);
	attach();
	struct clip *a = source("tone:440:200ms");
	w[0].cancels = &w[1].wait;
	w[1].cancels = &w[0].wait;
	want(a, L16, &w[0]);
	want(a, L16, &w[1]);
	UNTIL(w[0].calls + w[1].calls > 0);
	for (unsigned i = 0; i < 20; i++)
		step();
	assert_int_equal(w[0].calls + w[1].calls, 1);
	clip_release(a);
}

static void bad_sources_are_named(void **state)
{
	static const char *const missing = "/nonexistent/hello.wav";
	struct clip *clip = NULL;
	struct waiter w = {0};
	char wrong[CLIPS_REASON_SIZE];
	char path[128];

	start(NULL, 0);
	assert_int_equal(clips_source(clips, STR("tone:99999:1s"), wrong, &clip), -EINVAL);
	assert_non_null(strstr(wrong, "99999"));
	assert_int_equal(clips_source(clips, STR_NULL, wrong, &clip), -EINVAL);
	assert_int_equal(clips_text(clips, &(struct speech_text){0}, wrong, &clip), -EINVAL);
	assert_int_equal(
		clips_text(clips, &(struct speech_text){.text = STR("a\xff")}, wrong, &clip),
		-EINVAL);

	clip = source(missing);
	clip_when_loaded(clip, &w.wait);
	clip_wait_cancel(&w.wait);
	want(clip, 0, &w);
	UNTIL(w.calls == 1);
	assert_int_equal(w.error, -EIO);
	assert_int_equal(clip_state(clip), CLIP_FAILED);
	assert_non_null(strstr(clip_error(clip), missing));
	clip_release(clip);

	/* A FIFO does not hold up the helper. */
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	clip = source(path);
	UNTIL(clip_state(clip) == CLIP_FAILED);
	unlink(path);
	clip_release(clip);
}

static void what_nobody_holds_goes_when_space_is_short(void **state)
{
	struct clips_stats s;
	struct waiter w = {0};

	start(NULL, 100000);
	attach();
	struct clip *held = source("tone:500:1s");
	want(held, L16, &w);
	UNTIL(w.calls == 1);
	for (unsigned i = 0; i < 20; i++) {
		char name[40];
		struct waiter one = {0};

		snprintf(name, sizeof(name), "tone:%u:1s", 600 + i);
		struct clip *c = source(name);
		want(c, L16, &one);
		UNTIL(one.calls == 1);
		clip_release(c);
	}
	UNTIL(carrier.removed >= 14);
	clips_stats(clips, &s);
	assert_true(s.bytes <= 100000);
	assert_true(s.evictions >= 14);
	assert_int_equal(clip_state(held), CLIP_LOADED);
	clip_release(held);
}

static void copy_file(const char *spec, const char *path)
{
	/* A WAV of one second of silence but for its length. */
	unsigned n = (unsigned)atoi(spec);
	uint8_t head[44] = "RIFF....WAVEfmt ";
	const uint32_t words[] = {16, 1 | 1 << 16, 8000, 16000, 2 | 16 << 16};
	uint32_t riff = 36 + 2 * n, data = 2 * n;
	FILE *f = fopen(path, "w");

	memcpy(head + 4, &riff, 4);
	memcpy(head + 16, words, sizeof(words));
	memcpy(head + 36, "data", 4);
	memcpy(head + 40, &data, 4);
	fwrite(head, 1, sizeof(head), f);
	for (unsigned i = 0; i < n; i++) {
		int16_t v = (int16_t)(i % 2 ? 9000 : -9000);

		fwrite(&v, sizeof(v), 1, f);
	}
	fclose(f);
}

static void a_reload_reads_files_anew(void **state)
{
	char path[128];

	start(NULL, 0);
	snprintf(path, sizeof(path), "%s/prompt.wav", directory);
	copy_file("1600", path);
	struct clip *old = source(path);
	UNTIL(clip_state(old) == CLIP_LOADED);
	assert_int_equal(clip_frames(old), 10);
	copy_file("3200", path);
	struct clip *same = source(path);
	assert_ptr_equal(same, old);
	clip_release(same);
	clips_reload(clips);
	struct clip *new = source(path);
	assert_ptr_not_equal(new, old);
	UNTIL(clip_state(new) == CLIP_LOADED);
	assert_int_equal(clip_frames(new), 20);
	assert_int_equal(clip_frames(old), 10);
	clip_release(old);
	clip_release(new);
	unlink(path);
}

/* Long files are read one after the other, and short ones meanwhile. */
static void long_files_hold_up_nothing(void **state)
{
	static const char *const names[] = {"long1", "long2", "long3", "short"};
	struct clip *c[4];
	char path[4][128];

	for (unsigned again = 0; again < 3; again++) {
		start(NULL, 0);
		for (unsigned i = 0; i < 4; i++) {
			snprintf(path[i], sizeof(path[i]), "%s/%s.wav", directory, names[i]);
			copy_file(i < 3 ? "480000" : "1600", path[i]);
			c[i] = source(path[i]);
		}
		UNTIL(clip_state(c[3]) == CLIP_LOADED);
		assert_int_equal(clip_frames(c[3]), 10);
		assert_int_equal(clip_state(c[0]), CLIP_LOADING);
		if (again == 0) {
			UNTIL(clip_state(c[0]) == CLIP_LOADED);
			assert_int_equal(clip_frames(c[0]), 3000);
			assert_int_equal(clip_state(c[1]), CLIP_LOADING);
			UNTIL(clip_state(c[1]) == CLIP_LOADED && clip_state(c[2]) == CLIP_LOADED);
			/* they are equal, and so of one content */
			assert_true(clip_content(c[0]) == clip_content(c[2]));
		}
		if (again == 2) { /* the one under way goes: the next one has its turn */
			clips_reload(clips);
			clip_release(c[0]);
			UNTIL(clip_state(c[1]) == CLIP_LOADED);
			clip_release(c[2]);
		}
		for (unsigned i = again == 2 ? 3 : 0; i < 4; i++)
			clip_release(c[i]);
		if (again == 2)
			clip_release(c[1]);
		clips_destroy(clips);
		clips = NULL;
	}
	for (unsigned i = 0; i < 4; i++)
		unlink(path[i]);
}

static struct clip *file_below(const char *top, const char *name)
{
	char wrong[CLIPS_REASON_SIZE];
	struct clip *clip = NULL;

	assert_int_equal(clips_file_below(clips, top, str_from(name), wrong, &clip), 0);
	UNTIL(clip_state(clip) != CLIP_LOADING);
	return clip;
}

static void files_below_a_directory_do_not_lead_out(void **state)
{
	char top[128], in[160], out[128], link[160], wrong[CLIPS_REASON_SIZE];
	struct clip *clip, *same;

	start(NULL, 0);
	snprintf(top, sizeof(top), "%s/below", directory);
	snprintf(in, sizeof(in), "%s/in.wav", top);
	snprintf(link, sizeof(link), "%s/out.wav", top);
	snprintf(out, sizeof(out), "%s/out.wav", directory);
	assert_int_equal(mkdir(top, 0700), 0);
	copy_file("1600", in);
	copy_file("1600", out);
	assert_int_equal(symlink("../out.wav", link), 0);

	clip = file_below(top, "in.wav");
	assert_int_equal(clip_state(clip), CLIP_LOADED);
	assert_int_equal(clip_frames(clip), 10);
	same = file_below(top, "in.wav");
	assert_ptr_equal(clip, same);
	clip_release(same);
	clip_release(clip);
	clip = file_below(top, "out.wav");
	assert_int_equal(clip_state(clip), CLIP_FAILED);
	assert_non_null(strstr(clip_error(clip), "out.wav: a link leads out"));
	clip_release(clip);
	assert_int_equal(clips_file_below(clips, top, STR_NULL, wrong, &clip), -EINVAL);

	unlink(in);
	unlink(out);
	unlink(link);
	rmdir(top);
}

/* ---- speech -------------------------------------------------------------------------------- */

static void remove_files(const char *from)
{
	DIR *d = opendir(from);
	struct dirent *entry;

	while ((entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(from);
}

static void text_is_spoken(void **state)
{
	char cache[128], name[256], key[SPEECH_KEY_SIZE];
	struct speech_config config = {.cache_dir = cache};
	const struct speech_text text = {
		STR("You are connected to the support queue."), STR("Joanna"), false};
	struct speech *speech;

	snprintf(cache, sizeof(cache), "%s/speech", directory);
	assert_int_equal(speech_create(loop, offload, &config, &speech), 0);
	speech_key(speech, &text, key);
	speech_destroy(speech);
	start(&config, 0);
	struct clip *one = spoken("You are connected to the support queue.", "Joanna", false);
	struct clip *same = spoken("You are connected to the support queue.", "joanna", false);
	struct clip *marked = spoken("<speak>One <break time=\"300ms\"/> two.</speak>", "", true);
	struct clip *dashed = spoken("--help -v; $(touch /tmp/x) `id` \n-m", "en", false);
	UNTIL(clip_state(one) != CLIP_LOADING && clip_state(marked) != CLIP_LOADING &&
		clip_state(dashed) != CLIP_LOADING);
	assert_ptr_equal(one, same);
	assert_string_equal(clip_error(one), "");
	assert_string_equal(clip_error(marked), "");
	assert_string_equal(clip_error(dashed), "");
	assert_in_range(clip_frames(one), 60, 250);
	assert_in_range(clip_frames(marked), 30, 120);
	uint64_t content = clip_content(one);
	clip_release(one);
	clip_release(same);
	clip_release(marked);
	clip_release(dashed);
	for (unsigned i = 0; i < 20; i++)
		step();

	/* In another life it comes from the directory, without the program. */
	clips_destroy(clips);
	offload_destroy(offload);
	assert_int_equal(offload_create(loop, 0, &offload), 0);
	config.voice = "en-gb";
	start(&config, 0);
	one = spoken("You are connected to the support queue.", "Joanna", false);
	UNTIL(clip_state(one) != CLIP_LOADING);
	assert_true(clip_content(one) == content);
	clip_release(one);
	snprintf(name, sizeof(name), "%s/%s.wav", cache, key);
	assert_int_equal(access(name, R_OK), 0);
	remove_files(cache);
}

/* Frames of a text once it is spoken. */
static uint32_t spoken_frames(const char *text)
{
	struct clip *clip = spoken(text, "", true);
	uint32_t frames;

	UNTIL(clip_state(clip) != CLIP_LOADING);
	assert_string_equal(clip_error(clip), "");
	frames = clip_frames(clip);
	clip_release(clip);
	return frames;
}

static void markup_is_heard(void **state)
{
	start(NULL, 0);
	const uint32_t plain = spoken_frames("<speak>one two</speak>");
	const uint32_t second = 50; /* frames */
	static const struct {
		const char *text;
		unsigned seconds;
	} pauses[] = {
		{"<speak>one <break time=\"2s\"/> two</speak>", 2},
		{"<speak>one <break time=\"1.0s\"/> two</speak>", 1},
		{"<speak>one <break time=\"500ms\"/><break time=\"500ms\"/> two</speak>", 1},
		{"<speak><break time=\"3s\"/>one two</speak>", 3},
		{"<speak><p>one two</p> <break time=\"3s\"/></speak>", 3},
		{"<speak>one <break strength=\"x-strong\"/> two</speak>", 1},
	};

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++)
		assert_in_range(spoken_frames(pauses[i].text),
			plain + pauses[i].seconds * second - second / 2,
			plain + pauses[i].seconds * second + second / 2);
	/* digit by digit, not as a number of millions */
	assert_true(
		spoken_frames("<speak><say-as interpret-as=\"digits\">7777777</say-as></speak>") *
			3 <
		spoken_frames("<speak>7777777</speak>") * 2);
	assert_true(
		spoken_frames("<speak><say-as interpret-as=\"spell-out\">hello</say-as></speak>") >
		spoken_frames("<speak>hello</speak>") * 2);
	assert_true(spoken_frames("<speak><prosody rate=\"x-slow\">one two</prosody></speak>") >
		    spoken_frames("<speak><prosody rate=\"x-fast\">one two</prosody></speak>"));
}

static void bad_markup_is_refused_at_once(void **state)
{
	const struct speech_text text = {
		.text = STR("<speak>one <prosody rate=\"slow\">two</speak>"), .ssml = true};
	char wrong[CLIPS_REASON_SIZE];
	struct clip *clip;

	start(NULL, 0);
	assert_int_equal(clips_text(clips, &text, wrong, &clip), -EINVAL);
	assert_non_null(strstr(wrong, "</prosody>"));
}

static void a_program_that_fails_is_named(void **state)
{
	static const struct {
		const char *program, *part;
	} cases[] = {
		{"/nonexistent/speak", "/nonexistent/speak"},
		{"no-such-program-here", "not found"},
		{"false", "failed with code 1"},
		{"true", "did not write a WAV"},
		{"/etc/passwd", "/etc/passwd"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct speech_config config = {.program = cases[i].program};
		struct waiter w = {0};

		start(&config, 0);
		struct clip *c = spoken("Hello.", "", false);
		want(c, L16, &w);
		UNTIL(w.calls == 1);
		assert_int_equal(w.error, -EIO);
		if (!strstr(clip_error(c), cases[i].part))
			fail_msg("'%s' does not say '%s'", clip_error(c), cases[i].part);
		clip_release(c);
		clips_destroy(clips);
		clips = NULL;
	}
}

static void a_program_that_hangs_is_killed_in_time(void **state)
{
	char script[128];
	struct speech_config config = {.program = script, .timeout_ns = 300 * CLOCK_MS};
	struct clip *all[6];

	snprintf(script, sizeof(script), "%s/hang", directory);
	FILE *f = fopen(script, "w");
	fputs("#!/bin/sh\nexec sleep 60\n", f);
	fchmod(fileno(f), 0700);
	fclose(f);
	start(&config, 0);
	for (unsigned i = 0; i < 6; i++) {
		char text[16];

		snprintf(text, sizeof(text), "Text %u", i);
		all[i] = spoken(text, "", false);
	}
	UNTIL(clip_state(all[0]) == CLIP_FAILED && clip_state(all[2]) == CLIP_FAILED);
	assert_non_null(strstr(clip_error(all[0]), "too long"));
	/* The others are still waiting or running when everything ends. */
	for (unsigned i = 0; i < 6; i++)
		clip_release(all[i]);
	clips_destroy(clips);
	clips = NULL;
	unlink(script);
}

static void voices_are_mapped(void **state)
{
	static const struct {
		const char *name, *voice;
	} cases[] = {
		{"Joanna", "en-us+f3"},
		{"HANS", "de+m3"},
		{"de", "de"},
		{"de-DE", "de"},
		{"es-MX", "es-419"},
		{"pt-BR", "pt-br"},
		{"en-gb+f3", "en-gb+f3"},
		{"Nobody", "en-us"},
		{"", "en-us"},
		{"-x", "en-us"},
		{"../etc", "en-us"},
		{"e", "en-us"},
	};
	struct speech *s;
	char out[SPEECH_VOICE_MAX];

	assert_int_equal(speech_create(loop, offload, &(struct speech_config){0}, &s), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(speech_voice(s, str_from(cases[i].name), out), cases[i].voice);
	speech_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(equal_sources_and_contents_are_shared),
		T(what_is_wanted_also_is_waited_for_by_nobody),
		T(other_jobs_come_between_the_pieces_of_a_long_clip),
		T(a_clip_that_goes_is_not_made_any_further),
		T(a_clip_is_freed_by_the_helper),
		T(a_new_dataplane_gets_all_again),
		T(a_full_carrier_is_tried_again),
		T(a_refused_clip_fails_and_may_be_tried_again),
		T(waits_may_be_cancelled_from_a_callback),
		T(bad_sources_are_named),
		T(what_nobody_holds_goes_when_space_is_short),
		T(a_reload_reads_files_anew),
		T(long_files_hold_up_nothing),
		T(files_below_a_directory_do_not_lead_out),
		T(text_is_spoken),
		T(markup_is_heard),
		T(bad_markup_is_refused_at_once),
		T(a_program_that_fails_is_named),
		T(a_program_that_hangs_is_killed_in_time),
		T(voices_are_mapped),
#undef T
	};

	if (!mkdtemp(directory))
		return 1;
	log_set_level(LOG_LEVEL_ERROR + 1);
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return result;
}
