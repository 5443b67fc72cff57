/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speech for benches: sentences by two voices of espeak-ng with pauses between them, at 8 kHz, the
 * same each time with the same espeak-ng.
 */
#ifndef BENCH_SPEECH_H
#define BENCH_SPEECH_H

#include <stddef.h>
#include <stdint.h>

#define SPEECH_HZ 8000u

/*
 * Speaks the first `sentences` of what there is (at least 1; more than there are: all), each
 * followed by 0.6 s of silence, at -26 dB below full scale where there is talk. Returns malloced
 * samples, a whole number of frames of 60 ms, and their count; leaves the program when espeak-ng
 * cannot be run.
 */
int16_t *speech_say(unsigned sentences, size_t *samples);

#endif
