/* SPDX-License-Identifier: Apache-2.0 */
#include "media/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK             4096 /* source frames read at a time */
#define CHUNKS_OF_A_PIECE 8
#define RESAMPLER_QUALITY 6
#define MARGIN_BEFORE     (AUDIO_RATE * 5 / 1000)
#define MARGIN_BEHIND     (AUDIO_RATE * 10 / 1000)
#define FRAME             (AUDIO_RATE / 50)
#define WHOLE_FRAMES_FROM (2 * AUDIO_RATE) /* this long: the last part of a frame is left off */
#define THRESHOLD_PROMPT  33               /* -60 dBFS */
#define THRESHOLD_SPEECH  104              /* -50 dBFS */
#define SPEECH_RMS        3277.0           /* -20 dBFS over what is spoken */
#define SPEECH_GAIN_MAX   4.0
#define SPEECH_PEAK       29490.0 /* -0.9 dBFS */

void audio_free(struct audio *a)
{
	free(a->samples);
	free(a->wide);
	*a = (struct audio){0};
}

/* ---- the container ------------------------------------------------------------------------- */

static uint32_t little32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/*
 * The library reads a file that is cut short without a word; a prompt that ends in mid-word is
 * worse than an error. Returns false when the data chunk claims more than there is.
 */
static bool riff_complete(int fd, off_t size, char *wrong)
{
	uint8_t head[12], chunk[8];
	off_t at = 12;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, "RIFF", 4) != 0)
		return true;
	while (pread(fd, chunk, sizeof(chunk), at) == sizeof(chunk)) {
		uint32_t n = little32(chunk + 4);

		at += sizeof(chunk);
		if (memcmp(chunk, "data", 4) == 0) {
			if (n == 0 || n >= 0x7fff0000u || n <= size - at)
				return true;
			snprintf(wrong, AUDIO_WRONG_SIZE,
				"cut short: %lld of %u bytes of sound are there",
				(long long)(size - at), n);
			return false;
		}
		at += n + (n & 1);
	}
	return true;
}

static bool form_sound(const SF_INFO *info, char *wrong)
{
	int type = info->format & SF_FORMAT_TYPEMASK;

	if (type != SF_FORMAT_WAV && type != SF_FORMAT_WAVEX && type != SF_FORMAT_RF64)
		snprintf(wrong, AUDIO_WRONG_SIZE, "not a WAV file");
	else if (info->samplerate < AUDIO_RATE_MIN || info->samplerate > AUDIO_RATE_MAX)
		snprintf(wrong, AUDIO_WRONG_SIZE, "sample rate of %d Hz, expected %d to %d",
			info->samplerate, AUDIO_RATE_MIN, AUDIO_RATE_MAX);
	else if (info->channels < 1 || info->channels > AUDIO_CHANNELS)
		snprintf(wrong, AUDIO_WRONG_SIZE, "%d channels, expected 1 to %d", info->channels,
			AUDIO_CHANNELS);
	else
		return true;
	return false;
}

static SNDFILE *open_sound(int fd, SF_INFO *info, char *wrong)
{
	struct stat st;
	SNDFILE *file;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(wrong, AUDIO_WRONG_SIZE, "not a regular file");
		return NULL;
	}
	if (st.st_size == 0) {
		snprintf(wrong, AUDIO_WRONG_SIZE, "empty file");
		return NULL;
	}
	if (!riff_complete(fd, st.st_size, wrong) || lseek(fd, 0, SEEK_SET) < 0)
		return NULL;
	file = sf_open_fd(fd, SFM_READ, info, SF_FALSE);
	if (!file) {
		snprintf(wrong, AUDIO_WRONG_SIZE, "not a WAV file: %s", sf_strerror(NULL));
		return NULL;
	}
	if (!form_sound(info, wrong)) {
		sf_close(file);
		return NULL;
	}
	return file;
}

/* ---- to 8 and 16 kHz mono ------------------------------------------------------------------ */

struct growing {
	float *p;
	size_t n, size;
};

static int grow(struct growing *g, size_t more)
{
	if (g->n + more > g->size) {
		size_t size = g->size ? 2 * g->size : 65536;

		while (size < g->n + more)
			size *= 2;
		float *p = realloc(g->p, size * sizeof(*p));
		if (!p)
			return -ENOMEM;
		g->p = p;
		g->size = size;
	}
	return 0;
}

static void mix_down(const float *in, size_t frames, int channels, float *out)
{
	for (size_t i = 0; i < frames; i++) {
		float sum = 0;

		for (int c = 0; c < channels; c++) {
			float v = in[i * (size_t)channels + (size_t)c];

			sum += isfinite(v) ? v : 0;
		}
		out[i] = sum / (float)channels;
	}
}

static int resample(SpeexResamplerState *r, const float *in, size_t n, struct growing *g)
{
	spx_uint32_t at = 0;

	while (at < n) {
		spx_uint32_t taken = (spx_uint32_t)(n - at), made = 8192;
		int error = grow(g, made);

		if (error)
			return error;
		speex_resampler_process_float(r, 0, in + at, &taken, g->p + g->n, &made);
		at += taken;
		g->n += made;
		if (taken == 0 && made == 0)
			break;
	}
	return 0;
}

static int keep(SpeexResamplerState *r, const float *in, size_t n, struct growing *g)
{
	int error;

	if (r)
		return resample(r, in, n, g);
	error = grow(g, n);
	if (!error) {
		memcpy(g->p + g->n, in, n * sizeof(*in));
		g->n += n;
	}
	return error;
}

/* A rate that a file is read to. */
struct reading {
	unsigned rate;
	SpeexResamplerState *resampler; /* NULL: the file has this rate */
	struct growing g;
};

static int keep_tail(struct reading *to, const float *zeros)
{
	if (!to->resampler)
		return 0;
	size_t tail = (size_t)speex_resampler_get_input_latency(to->resampler);

	return resample(to->resampler, zeros, tail < CHUNK ? tail : CHUNK, &to->g);
}

static int resampler(int rate, struct reading *to)
{
	int error = 0;

	if (rate == (int)to->rate)
		return 0;
	to->resampler =
		speex_resampler_init(1, (spx_uint32_t)rate, to->rate, RESAMPLER_QUALITY, &error);
	if (!to->resampler)
		return -ENOMEM;
	speex_resampler_skip_zeros(to->resampler);
	return 0;
}

static void reading_end(struct reading *to)
{
	if (to->resampler)
		speex_resampler_destroy(to->resampler);
	free(to->g.p);
}

static float peak_of(const struct growing *g)
{
	float peak = 0;

	for (size_t i = 0; i < g->n; i++)
		if (fabsf(g->p[i]) > peak)
			peak = fabsf(g->p[i]);
	return peak;
}

/* `n` samples; what the file has not is silence. */
static int16_t *to_samples(const struct growing *g, float scale, size_t n)
{
	int16_t *samples = calloc(n ? n : 1, sizeof(*samples));

	for (size_t i = 0; samples && i < n && i < g->n; i++) {
		float v = g->p[i] * scale;

		samples[i] = (int16_t)lrintf(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
	}
	return samples;
}

/* wide: NULL: there is none. */
static int to_audio(const struct growing *narrow, const struct growing *wide, struct audio *out)
{
	float peak = peak_of(narrow), also = wide ? peak_of(wide) : 0;
	size_t n = narrow->n < AUDIO_SAMPLES_MAX ? narrow->n : AUDIO_SAMPLES_MAX;
	struct audio a = {.n = (uint32_t)n};

	peak = peak > also ? peak : also;
	/* Up to 0.2 dB over full scale comes from the resampler and is clipped; more is the file's.
	 */
	float scale = peak > 1.025f ? 32767.0f / peak : 32767.0f;

	a.samples = to_samples(narrow, scale, n);
	if (wide)
		a.wide = to_samples(wide, scale, 2 * n);
	if (!a.samples || (wide && !a.wide)) {
		audio_free(&a);
		return -ENOMEM;
	}
	*out = a;
	return 0;
}

/* ---- ends and level ------------------------------------------------------------------------ */

void audio_trim(struct audio *a, int threshold)
{
	uint32_t first = 0, last = a->n;

	while (first < a->n && abs(a->samples[first]) < threshold)
		first++;
	if (first == a->n)
		return;
	while (abs(a->samples[last - 1]) < threshold)
		last--;
	first = first > MARGIN_BEFORE ? first - MARGIN_BEFORE : 0;
	last = a->n - last > MARGIN_BEHIND ? last + MARGIN_BEHIND : a->n;
	memmove(a->samples, a->samples + first, (last - first) * sizeof(*a->samples));
	if (a->wide)
		memmove(a->wide, a->wide + 2 * (size_t)first,
			2 * (size_t)(last - first) * sizeof(*a->wide));
	a->n = last - first;
	if (a->n >= WHOLE_FRAMES_FROM)
		a->n -= a->n % FRAME;
}

/* Over the frames in which something is said. */
static double spoken_rms(const struct audio *a)
{
	double sum = 0;
	uint32_t n = 0;

	for (uint32_t at = 0; at + FRAME <= a->n; at += FRAME) {
		double power = 0;

		for (uint32_t i = 0; i < FRAME; i++)
			power += (double)a->samples[at + i] * a->samples[at + i];
		if (power / FRAME < 184.0 * 184.0) /* -45 dBFS */
			continue;
		sum += power;
		n += FRAME;
	}
	return n ? sqrt(sum / n) : 0;
}

static void amplify(int16_t *samples, size_t n, double gain)
{
	for (size_t i = 0; i < n; i++) {
		long v = lrint(samples[i] * gain);

		samples[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
	}
}

static void even_level(struct audio *a)
{
	double rms = spoken_rms(a), gain, peak = 1;

	if (rms == 0)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		if (abs(a->samples[i]) > peak)
			peak = abs(a->samples[i]);
	gain = SPEECH_RMS / rms;
	if (gain > SPEECH_GAIN_MAX)
		gain = SPEECH_GAIN_MAX;
	if (gain * peak > SPEECH_PEAK)
		gain = SPEECH_PEAK / peak;
	amplify(a->samples, a->n, gain);
	if (a->wide)
		amplify(a->wide, 2 * (size_t)a->n, gain);
}

/* ---- a piece at a time --------------------------------------------------------------------- */

struct audio_reading {
	enum audio_kind kind;
	SNDFILE *file;
	SF_INFO info;
	bool more; /* the file has something above 4 kHz */
	struct reading narrow, wide;
	float *in, *mono;
};

void audio_reading_drop(struct audio_reading *r)
{
	if (!r)
		return;
	reading_end(&r->narrow);
	reading_end(&r->wide);
	if (r->file)
		sf_close(r->file);
	free(r->in);
	free(r->mono);
	free(r);
}

static int audio_error(int error, char *wrong)
{
	if (error == -EFBIG)
		snprintf(wrong, AUDIO_WRONG_SIZE, "longer than an hour");
	else if (error)
		snprintf(wrong, AUDIO_WRONG_SIZE, "%s", strerror(-error));
	return error;
}

int audio_reading_begin(int fd, enum audio_kind kind, struct audio_reading **out, char *wrong)
{
	struct audio_reading *r = calloc(1, sizeof(*r));
	int error = -ENOMEM;

	if (!r)
		return audio_error(error, wrong);
	r->kind = kind;
	r->narrow.rate = AUDIO_RATE;
	r->wide.rate = 2 * AUDIO_RATE;
	r->file = open_sound(fd, &r->info, wrong);
	if (!r->file) {
		audio_reading_drop(r);
		return -EINVAL;
	}
	r->more = r->info.samplerate > (int)AUDIO_RATE;
	r->in = malloc(CHUNK * (size_t)r->info.channels * sizeof(*r->in));
	r->mono = calloc(CHUNK, sizeof(*r->mono));
	if (r->in && r->mono)
		error = resampler(r->info.samplerate, &r->narrow);
	if (!error && r->more)
		error = resampler(r->info.samplerate, &r->wide);
	if (error) {
		audio_reading_drop(r);
		return audio_error(error, wrong);
	}
	*out = r;
	return 0;
}

uint64_t audio_reading_seconds(const struct audio_reading *r)
{
	return (uint64_t)r->info.frames / (uint64_t)r->info.samplerate;
}

/* 1: there may be more. */
static int read_chunk(struct audio_reading *r)
{
	sf_count_t n = sf_readf_float(r->file, r->in, CHUNK);
	int error;

	if (n <= 0)
		return 0;
	mix_down(r->in, (size_t)n, r->info.channels, r->mono);
	error = keep(r->narrow.resampler, r->mono, (size_t)n, &r->narrow.g);
	if (!error && r->more)
		error = keep(r->wide.resampler, r->mono, (size_t)n, &r->wide.g);
	if (!error && r->narrow.g.n > AUDIO_SAMPLES_MAX)
		error = -EFBIG;
	return error ? error : 1;
}

int audio_reading_run(struct audio_reading *r, char *wrong)
{
	int rc = 1;

	for (unsigned i = 0; i < CHUNKS_OF_A_PIECE && rc > 0; i++)
		rc = read_chunk(r);
	if (rc < 0)
		return audio_error(rc, wrong);
	return rc;
}

/* What is left in the resamplers. */
static int keep_tails(struct audio_reading *r)
{
	int error;

	memset(r->mono, 0, CHUNK * sizeof(*r->mono));
	error = keep_tail(&r->narrow, r->mono);
	if (!error && r->more)
		error = keep_tail(&r->wide, r->mono);
	return error;
}

int audio_reading_end(struct audio_reading *r, struct audio *out, char *wrong)
{
	struct audio a = {0};
	enum audio_kind kind = r->kind;
	int error = keep_tails(r);

	if (!error && r->narrow.g.n == 0) {
		snprintf(wrong, AUDIO_WRONG_SIZE, "no sound in it");
		audio_reading_drop(r);
		return -EINVAL;
	}
	if (!error)
		error = to_audio(&r->narrow.g, r->more ? &r->wide.g : NULL, &a);
	audio_reading_drop(r);
	if (error)
		return audio_error(error, wrong);
	if (kind != AUDIO_MARKUP)
		audio_trim(&a, kind == AUDIO_SPEECH ? THRESHOLD_SPEECH : THRESHOLD_PROMPT);
	if (kind != AUDIO_PROMPT)
		even_level(&a);
	*out = a;
	return 0;
}
