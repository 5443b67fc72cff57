/* SPDX-License-Identifier: Apache-2.0 */
#include "distortion.h"

#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define HZ      8000.0
#define FULL_DB 105.0

static const float edge_hz[DISTORTION_BANDS + 1] = {100, 200, 300, 400, 510, 630, 770, 920, 1080,
	1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4000};

/* In place, radix 2, DISTORTION_WINDOW values. */
static void transform(float complex *v)
{
	enum { N = DISTORTION_WINDOW };

	for (unsigned i = 1, k = 0; i < N; i++) {
		unsigned bit = N / 2;

		for (; k & bit; bit /= 2)
			k ^= bit;
		k ^= bit;
		if (i < k) {
			float complex t = v[i];
			v[i] = v[k];
			v[k] = t;
		}
	}
	static float complex turn[N / 2];
	if (turn[0] == 0)
		for (unsigned i = 0; i < N / 2; i++)
			turn[i] = cexpf(-2.0f * (float)M_PI * I * (float)i / N);
	for (unsigned half = 1; half < N; half *= 2)
		for (unsigned at = 0; at < N; at += 2 * half)
			for (unsigned i = 0; i < half; i++) {
				float complex a = v[at + i],
					      b = v[at + half + i] * turn[i * (N / 2 / half)];

				v[at + i] = a + b;
				v[at + half + i] = a - b;
			}
}

static float sone(double power)
{
	double db = FULL_DB + 10 * log10(power + 1e-12);

	if (db <= 0)
		return 0;
	return (float)(db >= 40 ? pow(2, (db - 40) / 10) : pow(db / 40, 2.642));
}

static void loudness(
	float out[DISTORTION_BANDS], const int16_t *pcm, const int16_t *again, size_t whole)
{
	enum { N = DISTORTION_WINDOW };
	static float window[N];
	float complex v[N];
	unsigned bin = 0;

	if (window[N / 2] == 0)
		for (unsigned i = 0; i < N; i++)
			window[i] = 0.5f - 0.5f * cosf(2 * (float)M_PI * ((float)i + 0.5f) / N);
	for (unsigned i = 0; i < N; i++)
		v[i] = window[i] * (float)(i < whole ? pcm[i] : again[i - whole]) / 32768;
	transform(v);
	while ((float)bin * HZ / N < edge_hz[0])
		bin++;
	for (unsigned band = 0; band < DISTORTION_BANDS; band++) {
		double power = 0;

		/* Hann's window passes 3/8 of the power, which the two halves of the spectrum share. */
		for (; bin < N / 2 && (float)bin * HZ / N < edge_hz[band + 1]; bin++)
			power += 2 * (double)(crealf(v[bin]) * crealf(v[bin]) +
					      cimagf(v[bin]) * cimagf(v[bin]));
		out[band] = sone(power / (0.375 * N * N));
	}
}

void distortion_init(struct distortion *d, const int16_t *spoken, size_t samples)
{
	*d = (struct distortion){.spoken = spoken, .steps = samples / DISTORTION_STEP};
	d->loudness = malloc(d->steps * sizeof(*d->loudness));
	if (d->loudness == NULL) {
		fprintf(stderr, "distortion: no memory\n");
		exit(1);
	}
	for (size_t step = 0; step < d->steps; step++) {
		size_t at = step * DISTORTION_STEP;

		loudness(d->loudness[step], spoken + at, spoken, samples - at);
	}
}

void distortion_free(struct distortion *d)
{
	free(d->loudness);
}

void distortion_add(struct distortion *d, const int16_t *heard, size_t due)
{
	const float *spoken = d->loudness[due % d->steps];
	float is[DISTORTION_BANDS];

	loudness(is, heard, NULL, DISTORTION_WINDOW);
	for (unsigned band = 0; band < DISTORTION_BANDS; band++) {
		d->wrong += (double)((is[band] - spoken[band]) * (is[band] - spoken[band]));
		d->right += (double)(spoken[band] * spoken[band]);
	}
}

double distortion_take(struct distortion *d)
{
	double result = d->right > 0 ? d->wrong / d->right : 0;

	d->wrong = d->right = 0;
	return result;
}
