/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wav.h"

#include <string.h>

/* Places of what is not the same in each file. */
enum { AT_RIFF_BYTES = 4, AT_RATE = 24, AT_BYTE_RATE = 28, AT_DATA_BYTES = 40 };

static const uint8_t fixed[WAV_HEADER_BYTES] =
	"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0\0\0\0\0\0\0\0\0\4\0\x10\0data\0\0\0";

static void put(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

void wav_header(uint8_t header[WAV_HEADER_BYTES], uint32_t rate_hz, uint64_t bytes)
{
	const uint32_t most = (UINT32_MAX - WAV_HEADER_BYTES) & ~(WAV_FRAME_BYTES - 1);
	uint32_t data = bytes < most ? (uint32_t)bytes : most;

	memcpy(header, fixed, WAV_HEADER_BYTES);
	put(header + AT_RIFF_BYTES, data + WAV_HEADER_BYTES - 8);
	put(header + AT_RATE, rate_hz);
	put(header + AT_BYTE_RATE, rate_hz * WAV_FRAME_BYTES);
	put(header + AT_DATA_BYTES, data);
}

uint32_t wav_rate(const uint8_t header[WAV_HEADER_BYTES])
{
	uint32_t rate_hz = get(header + AT_RATE), riff = get(header + AT_RIFF_BYTES);
	uint8_t ours[WAV_HEADER_BYTES];

	wav_header(ours, rate_hz, get(header + AT_DATA_BYTES));
	put(ours + AT_RIFF_BYTES, riff);
	return memcmp(ours, header, WAV_HEADER_BYTES) == 0 ? rate_hz : 0;
}
