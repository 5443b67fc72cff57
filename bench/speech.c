/* SPDX-License-Identifier: Apache-2.0 */
#include "speech.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOKEN_HZ  22050u
#define WAV_HEADER 44u
#define SPOKEN_MAX (20u * SPOKEN_HZ) /* of a sentence */
#define SINC_HALF  32                /* samples of SPOKEN_HZ to each side */
#define PASS_HZ    3400.0
#define PAUSE      (SPEECH_HZ * 6 / 10)
#define WHOLE      (SPEECH_HZ * 60 / 1000)
#define TALK       64   /* mean magnitude of 20 ms that counts as talk */
#define LEVEL      1642 /* RMS of -26 dB below full scale */
#define CHUNK      (SPEECH_HZ / 50)

static const char *const sentence[] = {
	"Thank you for calling. Please tell me your account number, and I will find your order.",
	"My number is four seven one, nine eight zero, five. I have been waiting since Tuesday.",
	"I am very sorry about that. The parcel left our warehouse yesterday morning at six.",
	"Could you ask the driver to leave it with the neighbours on the third floor?",
	"Of course. Shall I read the address back to you? It is seventeen Hazel Row, flat eight.",
	"Yes, that is right. And while we are talking, the last bill was higher than usual.",
	"Let me see. There was a fee for changing the plan; I can take half of it off again.",
	"That would be fair. Is there anything that I have to sign, or will you send a message?",
};

enum { SENTENCES = sizeof(sentence) / sizeof(sentence[0]) };

static void fatal(const char *what)
{
	fprintf(stderr, "speech: %s\n", what);
	exit(1);
}

static size_t speak(unsigned i, int16_t *out)
{
	static uint8_t header[WAV_HEADER];
	char command[256];

	snprintf(command, sizeof(command), "espeak-ng -v en-us%s -s %u --stdout '%s'",
		i % 2 ? "+f3" : "", i % 3 == 2 ? 175u : 155u, sentence[i]);
	FILE *f = popen(command, "r");

	if (f == NULL || fread(header, 1, sizeof(header), f) != sizeof(header))
		fatal("espeak-ng does not speak; install it (scripts/packages)");
	size_t count = fread(out, sizeof(*out), SPOKEN_MAX, f);

	if (pclose(f) != 0 || memcmp(header, "RIFF", 4) != 0 ||
		header[24] + 256u * header[25] != SPOKEN_HZ || count == 0)
		fatal("espeak-ng gave no WAV of 22050 Hz");
	return count;
}

static double window_sinc(double t)
{
	double cut = 2 * PASS_HZ / SPOKEN_HZ, x = M_PI * cut * t;
	double window = 0.5 + 0.5 * cos(M_PI * t / (SINC_HALF + 1));

	return cut * (fabs(x) < 1e-9 ? 1 : sin(x) / x) * window;
}

/* From SPOKEN_HZ to SPEECH_HZ, cut off at PASS_HZ as a telephone does. Returns samples written. */
static size_t resample(int16_t *out, const int16_t *in, size_t count)
{
	size_t n = count * SPEECH_HZ / SPOKEN_HZ;

	for (size_t i = 0; i < n; i++) {
		double at = (double)i * SPOKEN_HZ / SPEECH_HZ, sum = 0;
		long middle = (long)at;

		for (long k = middle - SINC_HALF; k <= middle + SINC_HALF; k++)
			if (k >= 0 && k < (long)count)
				sum += in[k] * window_sinc((double)k - at);
		out[i] = (int16_t)lrint(fmax(-32768, fmin(32767, sum)));
	}
	return n;
}

static bool talks(const int16_t *pcm)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < CHUNK; i++)
		sum += (unsigned)abs(pcm[i]);
	return sum / CHUNK >= TALK;
}

static void level(int16_t *pcm, size_t samples)
{
	double power = 0;
	size_t talk = 0;

	for (size_t at = 0; at + CHUNK <= samples; at += CHUNK) {
		if (!talks(pcm + at))
			continue;
		for (size_t i = 0; i < CHUNK; i++)
			power += (double)pcm[at + i] * pcm[at + i];
		talk += CHUNK;
	}
	double gain = talk ? LEVEL / sqrt(power / (double)talk) : 1;

	for (size_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)lrint(fmax(-32768, fmin(32767, pcm[i] * gain)));
}

int16_t *speech_say(unsigned sentences, size_t *samples)
{
	static int16_t spoken[SPOKEN_MAX];
	size_t room = SPEECH_HZ * (SPOKEN_MAX / SPOKEN_HZ + 1), all = 0;

	sentences = sentences < SENTENCES ? sentences : SENTENCES;
	int16_t *pcm = calloc(sentences * room + WHOLE, sizeof(*pcm));

	if (pcm == NULL)
		fatal("no memory");
	for (unsigned i = 0; i < sentences; i++) {
		size_t n = resample(pcm + all, spoken, speak(i, spoken));

		level(pcm + all, n);
		all += n + PAUSE;
	}
	*samples = (all + WHOLE - 1) / WHOLE * WHOLE;
	return pcm;
}
