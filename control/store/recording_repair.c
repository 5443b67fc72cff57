/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recording_repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/ogg_opus.h"
#include "store/wav.h"

/* The header says the true length again. Returns frames of 20 ms, or a negative errno. */
static int64_t repair_wav(int fd)
{
	uint8_t header[WAV_HEADER_BYTES];
	struct stat st;
	uint32_t rate_hz;
	uint64_t bytes;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || pread(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -EINVAL;
	rate_hz = wav_rate(header);
	if (rate_hz != 8000 && rate_hz != 16000)
		return -EINVAL;
	bytes = ((uint64_t)st.st_size - WAV_HEADER_BYTES) & ~(uint64_t)(WAV_FRAME_BYTES - 1);
	wav_header(header, rate_hz, bytes);
	if (pwrite(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) || fdatasync(fd) < 0)
		return errno ? -errno : -EIO;
	return (int64_t)(bytes / WAV_FRAME_BYTES / (rate_hz / 50));
}

static int64_t repair(int fd, const char *name)
{
	size_t n = strlen(name), suffix = strlen(OGG_OPUS_SUFFIX);
	int64_t samples;

	if (n < suffix || strcmp(name + n - suffix, OGG_OPUS_SUFFIX) != 0)
		return repair_wav(fd);
	samples = ogg_opus_repair(fd);
	return samples < 0 ? samples : samples / 960;
}

static bool repair_one(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int64_t frames = fd < 0 ? -errno : repair(fd, name);

	if (fd >= 0)
		close(fd);
	if (frames < 0) {
		log_warning(NULL, "store", "unfinished recording %s cannot be repaired: %s", name,
			strerror((int)-frames));
		return false;
	}
	unlinkat(directory, name, 0);
	log_warning(NULL, "store", "recording %s was not finished: repaired, %.1f s long", name,
		(double)frames / 50);
	return true;
}

int recording_repair(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int repaired = 0;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			repaired += repair_one(dirfd(directory), entry->d_name);
	closedir(directory);
	return repaired;
}
