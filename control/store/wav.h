/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a WAV file (RIFF WAVE, format 1: PCM) of two channels and 16 bits. Pure. */
#pragma once

#include <stdint.h>

#define WAV_HEADER_BYTES 44u
#define WAV_FRAME_BYTES  4u /* a sample of each channel */

/* `bytes` of samples follow; what is more than the header can say is cut. */
void wav_header(uint8_t header[WAV_HEADER_BYTES], uint32_t rate_hz, uint64_t bytes);
/* The rate of a file that begins with a header of ours; 0: it is none. */
uint32_t wav_rate(const uint8_t header[WAV_HEADER_BYTES]);
