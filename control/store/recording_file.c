/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recording_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/recording.h"

#define FILE_MODE  0640
#define UNFINISHED "unfinished"

void recording_file_path(
	const char *directory, const char *name, uint64_t wall_ns, char *path, size_t size)
{
	time_t seconds = (time_t)(wall_ns / CLOCK_S);
	struct tm day;

	gmtime_r(&seconds, &day);
	snprintf(path, size, "%s/%04u/%02u/%02u/%s", directory,
		(unsigned)(day.tm_year + 1900) % 10000, (unsigned)(day.tm_mon + 1) % 100,
		(unsigned)day.tm_mday % 100, name);
}

void recording_file_mark(const char *directory, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/" UNFINISHED "/%s", directory, name);
}

/* Each directory of a file's path that is missing, below the one of all recordings. */
static int make_directories(const char *file, size_t from)
{
	char path[RECORDING_PATH_SIZE];

	for (const char *p = strchr(file + from + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(p - file), file);
		if (mkdir(path, RECORDING_FILE_DIRECTORY_MODE) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int write_head(int fd, const void *head, size_t n)
{
	errno = 0;
	if (pwrite(fd, head, n, 0) != (ssize_t)n)
		return errno ? -errno : -EIO;
	return 0;
}

int recording_file_make(
	const char *directory, const char *path, const char *name, const void *head, size_t n)
{
	char mark[RECORDING_PATH_SIZE];
	int rc = make_directories(path, strlen(directory)), fd;

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return -errno;
	recording_file_mark(directory, name, mark, sizeof(mark));
	rc = link(path, mark) < 0 ? -errno : write_head(fd, head, n);
	if (rc == 0)
		return fd;
	unlink(path);
	close(fd);
	return rc;
}

void recording_file_finished(const char *directory, const char *name)
{
	char mark[RECORDING_PATH_SIZE];

	recording_file_mark(directory, name, mark, sizeof(mark));
	unlink(mark);
}
