/* SPDX-License-Identifier: Apache-2.0 */
/* WAV of every common form, files that lie, tones, and the memory that the dataplane takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <opus/opus.h>
#include <sndfile.h>
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/random.h"
#include "media/audio.h"

static int memory(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* `seconds` of a sine at `amplitude` of full scale, `lead` seconds of silence at both ends. */
static int make_wav(
	int form, int rate, int channels, double seconds, double lead, double hz, double amplitude)
{
	SF_INFO info = {.samplerate = rate, .channels = channels, .format = form};
	int fd = memory();
	SNDFILE *f = sf_open_fd(fd, SFM_WRITE, &info, SF_FALSE);
	sf_count_t n = (sf_count_t)((seconds + 2 * lead) * rate);
	float *frame = calloc((size_t)channels, sizeof(*frame));

	assert_non_null(f);
	for (sf_count_t i = 0; i < n; i++) {
		double t = (double)i / rate - lead;
		double v = t >= 0 && t < seconds ? amplitude * sin(2 * M_PI * hz * t) : 0;

		for (int c = 0; c < channels; c++)
			frame[c] = (float)v;
		sf_writef_float(f, frame, 1);
	}
	free(frame);
	sf_close(f);
	return fd;
}

/* Power of one frequency (Goertzel) in dB below full scale of a sine. */
static double level_at(const struct audio *a, double hz)
{
	double w = 2 * M_PI * hz / AUDIO_RATE, re = 0, im = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		re += a->samples[i] / 32768.0 * cos(w * i);
		im += a->samples[i] / 32768.0 * sin(w * i);
	}
	return 20 * log10(2 * sqrt(re * re + im * im) / a->n + 1e-12);
}

static int audio_read(int fd, enum audio_kind kind, struct audio *a, char *wrong)
{
	struct audio_reading *r;
	int rc = audio_reading_begin(fd, kind, &r, wrong);

	if (rc < 0)
		return rc;
	while ((rc = audio_reading_run(r, wrong)) > 0)
		;
	if (rc == 0)
		return audio_reading_end(r, a, wrong);
	audio_reading_drop(r);
	return rc;
}

static void every_common_form_is_heard(void **state)
{
	static const struct {
		int form, rate, channels;
	} forms[] = {
		{SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_24, 48000, 1},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_32, 16000, 2},
		{SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22050, 1},
		{SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 11025, 1},
		{SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2},
		{SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 1},
		{SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 1},
		{SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 22050, 1},
		{SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1},
		{SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 96000, 6},
		{SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 44100, 1},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		int fd = make_wav(
			forms[i].form, forms[i].rate, forms[i].channels, 1.0, 0, 440, 0.25);
		char wrong[AUDIO_WRONG_SIZE] = "";
		struct audio a;

		if (audio_read(fd, AUDIO_PROMPT, &a, wrong))
			fail_msg("form %zu: %s", i, wrong);
		assert_in_range(a.n, 7800, 8400); /* some forms have blocks */
		double level = level_at(&a, 440);
		if (fabs(level + 12.04) > 0.8)
			fail_msg("form %zu: 440 Hz at %.1f dB", i, level);
		assert_true(level_at(&a, 1230) < -40);
		audio_free(&a);
		close(fd);
	}
}

static void silence_at_both_ends_is_trimmed(void **state)
{
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 1.0, 0.7, 500, 0.3);
	char wrong[AUDIO_WRONG_SIZE];
	struct audio a;

	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), 0);
	/* 5 ms before, 10 ms behind, and a little ringing of the resampler. */
	assert_in_range(a.n, 8000, 8000 + 40 + 80 + 40);
	audio_free(&a);
	close(fd);

	/* Nothing but silence is a pause that somebody wants. */
	fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 0.5, 0, 440, 0);
	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), 0);
	assert_int_equal(a.n, 4000);
	audio_free(&a);
	close(fd);

	/* Long sound ends at the end of a frame: it can be looped without a hole. */
	fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 3.013, 0, 440, 0.3);
	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), 0);
	assert_int_equal(a.n % 160, 0);
	audio_free(&a);
	close(fd);
}

static void levels_are_sane(void **state)
{
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 1, 1.0, 0, 440, 4.0);
	char wrong[AUDIO_WRONG_SIZE];
	struct audio a;

	/* Above full scale: made lower, not clipped. */
	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), 0);
	assert_true(fabs(level_at(&a, 440)) < 0.3);
	assert_true(level_at(&a, 1320) < -50);
	audio_free(&a);
	/* Speech is brought to one level. */
	assert_int_equal(audio_read(fd, AUDIO_SPEECH, &a, wrong), 0);
	assert_true(fabs(level_at(&a, 440) + 17) < 0.5);
	audio_free(&a);
	close(fd);
}

static void refused(int fd, const char *part)
{
	char wrong[AUDIO_WRONG_SIZE] = "";
	struct audio a;

	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), -EINVAL);
	if (!strstr(wrong, part))
		fail_msg("'%s' does not say '%s'", wrong, part);
	close(fd);
}

static int with_bytes(const void *bytes, size_t n)
{
	int fd = memory();

	assert_int_equal(write(fd, bytes, n), n);
	return fd;
}

static void files_that_are_wrong_are_named(void **state)
{
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1.0, 0, 440, 0.3);

	assert_int_equal(ftruncate(fd, 9000), 0);
	refused(fd, "cut short");
	refused(with_bytes("", 0), "empty");
	refused(with_bytes("ID3 this is no sound at all, not even close to it ............", 60),
		"not a WAV");
	refused(make_wav(SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 8000, 1, 0.1, 0, 440, 0.3),
		"not a WAV");
	refused(make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 500, 1, 1, 0, 100, 0.3), "sample rate");
	refused(make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 20, 0.1, 0, 440, 0.3),
		"20 channels");
	refused(make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 0, 0, 440, 0.3), "no sound");
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	refused(ends[0], "not a regular file");
	refused(open("/", O_RDONLY), "not a regular file");
}

/* The header may say anything: a clear error or sound, and nothing else happens. */
static void headers_that_lie_do_no_harm(void **state)
{
	uint8_t good[2000], bad[2000];
	struct random r;
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 0.1, 0, 440, 0.3);
	ssize_t n = pread(fd, good, sizeof(good), 0);

	close(fd);
	assert_true(n > 1600);
	random_init_seed(&r, 9);
	for (unsigned round = 0; round < 4000; round++) {
		char wrong[AUDIO_WRONG_SIZE];
		struct audio a;

		memcpy(bad, good, (size_t)n);
		for (unsigned i = 0; i < 1 + round % 6; i++)
			bad[random_below(&r, 48)] = (uint8_t)random_u32(&r);
		fd = with_bytes(bad, (size_t)n);
		if (audio_read(fd, AUDIO_PROMPT, &a, wrong) == 0)
			audio_free(&a);
		close(fd);
	}
}

static void what_a_pipe_cannot_know_is_no_lie(void **state)
{
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1.0, 0, 440, 0.3);
	const uint32_t unknown = 0x7ffff000;
	char wrong[AUDIO_WRONG_SIZE];
	struct audio a;

	assert_int_equal(pwrite(fd, &unknown, 4, 4), 4);
	assert_int_equal(pwrite(fd, &unknown, 4, 40), 4);
	assert_int_equal(audio_read(fd, AUDIO_SPEECH, &a, wrong), 0);
	assert_in_range(a.n, 7900, 8001);
	audio_free(&a);
	close(fd);
}

static void tones_are_as_specified(void **state)
{
	char wrong[AUDIO_WRONG_SIZE] = "";
	struct audio a;

	assert_int_equal(audio_tone(STR("tone:440,880:500ms"), &a, wrong), 0);
	assert_int_equal(a.n, 4000);
	/* -10 dBm0 each; full scale is 3.14 dBm0. */
	assert_true(fabs(level_at(&a, 440) + 13.14) < 0.2);
	assert_true(fabs(level_at(&a, 880) + 13.14) < 0.2);
	audio_free(&a);
	assert_int_equal(audio_tone(STR("tone:1000:20ms:-3/0:40ms/2000:15ms:0"), &a, wrong), 0);
	assert_int_equal(a.n, 640); /* 75 ms, in whole frames */
	for (unsigned i = 160; i < 480; i++)
		assert_int_equal(a.samples[i], 0);
	audio_free(&a);

	static const char *const bad[] = {"tone:", "tone:440", "tone:440:", "tone:440:0s",
		"tone:440:1ns", "tone:4000:1s", "tone:-1:1s", "tone:440:6m", "tone:440:1s:9",
		"tone:440:1s:-3:4", "tone:440:1s/", "tone:1,2,3,4,5,6,7,8,9:1s", "tone:,:1s",
		"tune:440:1s", ""};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wrong[0] = '\0';
		if (audio_tone(str_from(bad[i]), &a, wrong) != -EINVAL || !wrong[0])
			fail_msg("'%s' was taken", bad[i]);
	}
}

/* What a clip's codes decode to, at 16 kHz. */
static uint32_t decoded(int fd, uint64_t bytes, int16_t *pcm)
{
	uint8_t *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	struct cord_clip_header header = {0};
	const char *text;
	OpusDecoder *opus = opus_decoder_create(16000, 1, NULL);
	g722_decode_state_t *g722 = g722_decode_init(NULL, 64000, 0);
	uint32_t n = 0, begin = 0, end;

	assert_int_equal(cord_clip_check(at, bytes, &header, &text), 0);
	const uint8_t *payload = at + cord_clip_payload_offset(header.frames);

	for (uint32_t f = 0; f < header.frames; f++, begin = end) {
		memcpy(&end, at + sizeof(header) + f * sizeof(end), sizeof(end));
		n += (uint32_t)(header.format == CORD_CLIP_OPUS
					? opus_decode(opus, payload + begin, (int)(end - begin),
						  pcm + n, 320, 0)
					: g722_decode(g722, pcm + n, payload + begin,
						  (int)(end - begin)));
	}
	opus_decoder_destroy(opus);
	g722_decode_free(g722);
	munmap(at, bytes);
	return n;
}

/* 6 kHz of a file at 48 kHz is in the samples at 16 kHz and in all that is made of them. */
static void what_a_file_has_above_4_khz_is_kept(void **state)
{
	int fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1, 1.0, 0.2, 6000, 0.25);
	static int16_t pcm[32000];
	char wrong[AUDIO_WRONG_SIZE];
	struct audio_mapped wide;
	struct audio a, low;

	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &a, wrong), 0);
	close(fd);
	assert_non_null(a.wide);
	for (unsigned f = CORD_CLIP_G722; f <= CORD_CLIP_L16_WIDE; f++) {
		uint64_t bytes;

		assert_int_equal(audio_clip(&a, 7, f, &fd, &bytes), 0);
		if (f == CORD_CLIP_L16_WIDE) {
			assert_int_equal(audio_map_clip(fd, bytes, &wide), 0);
			assert_null(wide.audio.samples);
			assert_memory_equal(wide.audio.wide, a.wide, 2 * a.n * sizeof(*a.wide));
			audio_unmap(&wide);
		} else {
			assert_int_equal(decoded(fd, bytes, pcm), 320 * audio_frames(&a));
			/* Named at the rate that level_at() takes for granted. */
			struct audio heard = {.samples = pcm + 8000, .n = 8000};

			assert_true(fabs(level_at(&heard, 3000) + 12) < 3);
		}
		close(fd);
	}
	audio_free(&a);
	/* A file at 8 kHz has none; its codes are made of what there is. */
	fd = make_wav(SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1.0, 0, 440, 0.25);
	assert_int_equal(audio_read(fd, AUDIO_PROMPT, &low, wrong), 0);
	close(fd);
	assert_null(low.wide);
	for (unsigned f = CORD_CLIP_G722; f <= CORD_CLIP_OPUS; f++) {
		uint64_t bytes;

		assert_int_equal(audio_clip(&low, 7, f, &fd, &bytes), 0);
		assert_int_equal(decoded(fd, bytes, pcm), 320 * audio_frames(&low));
		struct audio heard = {.samples = pcm + 4000, .n = 8000};

		assert_true(fabs(level_at(&heard, 220) + 12) < 3);
		close(fd);
	}
	audio_free(&low);
}

static void a_clip_is_what_the_contract_says(void **state)
{
	struct audio_mapped back;
	struct audio a;
	char wrong[AUDIO_WRONG_SIZE];

	assert_int_equal(audio_tone(STR("tone:440:1010ms"), &a, wrong), 0);
	a.n = 8080 - 20; /* the last frame is not whole */
	cord_clip_id id = audio_id(&a);
	assert_true(id != 0);
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		struct cord_clip_header header = {0};
		const char *text;
		uint64_t bytes;
		int fd;

		assert_int_equal(audio_clip(&a, id, f, &fd, &bytes), 0);
		void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(at, MAP_FAILED);
		assert_int_equal(cord_clip_check(at, bytes, &header, &text), 0);
		assert_true(header.id == id);
		assert_int_equal(header.frames, 51);
		const uint8_t *last = (uint8_t *)at + bytes - 1;
		if (f != CORD_CLIP_G722 && f != CORD_CLIP_OPUS)
			assert_int_equal(*last, f == CORD_CLIP_PCMU   ? 0xff
						: f == CORD_CLIP_PCMA ? 0xd5
								      : 0);
		/* An hour of Opus has to fit, and hold music to sound like music. */
		if (f == CORD_CLIP_OPUS)
			assert_in_range(bytes, 51 * 30, 51 * 120);
		munmap(at, bytes);
		assert_true(ftruncate(fd, 0) < 0);
		assert_true(write(fd, "x", 1) < 0);
		if (f == CORD_CLIP_L16) {
			assert_int_equal(audio_map_clip(fd, bytes, &back), 0);
			assert_int_equal(back.audio.n, 51 * 160);
			assert_memory_equal(
				back.audio.samples, a.samples, a.n * sizeof(*a.samples));
			audio_unmap(&back);
		}
		close(fd);
	}
	a.samples[100]++;
	assert_true(audio_id(&a) != id);
	audio_free(&a);
}

/* In pieces of any size it is, byte for byte, what it is in one go. */
static void a_clip_may_be_made_in_pieces(void **state)
{
	struct audio a;
	char wrong[AUDIO_WRONG_SIZE];

	assert_int_equal(audio_tone(STR("tone:440,1000:1s/0:200ms/700:830ms"), &a, wrong), 0);
	a.n -= 70;
	for (unsigned f = 0; f < CORD_CLIP_FORMAT_COUNT; f++) {
		uint64_t bytes, in_pieces;
		struct clip_making *m;
		int fd, other;

		assert_int_equal(audio_clip(&a, 7, f, &fd, &bytes), 0);
		void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

		for (uint32_t piece = 1; piece < 100; piece = piece * 3 + 1) {
			uint32_t runs = 1;

			assert_int_equal(clip_making_begin(&a, 7, f, &m), 0);
			while (!clip_making_run(m, piece))
				runs++;
			assert_int_equal(runs, (audio_frames(&a) + piece - 1) / piece);
			assert_int_equal(clip_making_end(m, &other, &in_pieces), 0);
			assert_int_equal(in_pieces, bytes);
			void *pieces = mmap(NULL, bytes, PROT_READ, MAP_SHARED, other, 0);

			assert_memory_equal(pieces, at, bytes);
			munmap(pieces, bytes);
			close(other);
		}
		munmap(at, bytes);
		close(fd);
		/* it may be given up at any moment */
		assert_int_equal(clip_making_begin(&a, 7, f, &m), 0);
		clip_making_run(m, 3);
		clip_making_drop(m);
	}
	audio_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_common_form_is_heard),
		cmocka_unit_test(silence_at_both_ends_is_trimmed),
		cmocka_unit_test(levels_are_sane),
		cmocka_unit_test(files_that_are_wrong_are_named),
		cmocka_unit_test(headers_that_lie_do_no_harm),
		cmocka_unit_test(what_a_pipe_cannot_know_is_no_lie),
		cmocka_unit_test(tones_are_as_specified),
		cmocka_unit_test(what_a_file_has_above_4_khz_is_kept),
		cmocka_unit_test(a_clip_is_what_the_contract_says),
		cmocka_unit_test(a_clip_may_be_made_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
