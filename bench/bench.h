/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What benches share. A bench prints JSON lines, one for each figure, each with a hash of the
 * result it computed, so that a faster wrong answer shows. `--smoke` runs it small, with the tests;
 * without it a build that says nothing about speed is refused: meson.build sets BENCH_MEASURES to 1
 * where all is optimised (-O3) and no sanitizer is built in, whatever this file is compiled with.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_HASH 0xcbf29ce484222325ull

static inline uint64_t bench_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* FNV-1a. */
static inline uint64_t bench_hash(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}

/* Cycles of the TSC in a second, by CLOCK_MONOTONIC over 50 ms. */
static inline double bench_tsc_hz(void)
{
	struct timespec a, b, pause = {0, 50000000};
	uint64_t begun, end;

	clock_gettime(CLOCK_MONOTONIC, &a);
	begun = bench_tsc();
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	end = bench_tsc();
	return (double)(end - begun) /
	       ((double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double bench_median(double *value, size_t count)
{
	qsort(value, count, sizeof(*value), bench_compare);
	return value[count / 2];
}

/* True for --smoke. Leaves the program when the build is no use for measuring. */
static inline bool bench_smoke(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--smoke") == 0)
			return true;
	}
	if (!BENCH_MEASURES) {
		fprintf(stderr, "this build is not for measuring: only --smoke runs; "
				"meson setup --buildtype=release\n");
		exit(2);
	}
	return false;
}

#endif
