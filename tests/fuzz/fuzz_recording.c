/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: a recording that a process left unfinished, damaged anyhow. What is repaired stays
 * repaired, and is no longer than it was.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/ogg_opus.h"
#include "store/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);
	struct stat st;
	int64_t first, second;

	require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	first = ogg_opus_repair(fd);
	require(fstat(fd, &st) == 0 && (size_t)st.st_size <= length);
	second = ogg_opus_repair(fd);
	require(first == second);
	if (length >= WAV_HEADER_BYTES)
		wav_rate(bytes);
	close(fd);
	return 0;
}
