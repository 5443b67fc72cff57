/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, char *data, size_t size, size_t *n)
{
	size_t at = 0;

	while (at < size) {
		ssize_t got = read(fd, data + at, size - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		at += (size_t)got;
	}
	*n = at;
	return 0;
}

int file_read(const char *path, size_t max, char **data, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	char *p = NULL;
	struct stat st;
	size_t got = 0;

	if (fd < 0)
		return -errno;
	rc = fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (rc == 0 && (uint64_t)st.st_size > max)
		rc = -EFBIG;
	if (rc < 0)
		goto out;
	p = malloc((size_t)st.st_size + 1);
	rc = p ? read_all(fd, p, (size_t)st.st_size, &got) : -ENOMEM;
	if (rc < 0)
		goto out;
	p[got] = 0;
	*data = p;
	*n = got;
	p = NULL;
out:
	free(p);
	close(fd);
	return rc;
}

/* 0; -EXDEV: the open file lies elsewhere. */
static int judge_place(int fd, const char *directory)
{
	char link[32], top[PATH_MAX], place[PATH_MAX];
	ssize_t n;
	size_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, place, sizeof(place) - 1);
	if (n < 0 || !realpath(directory, top))
		return -errno;
	place[n] = '\0';
	size = strcmp(top, "/") == 0 ? 0 : strlen(top);
	return strncmp(place, top, size) == 0 && place[size] == '/' ? 0 : -EXDEV;
}

int file_open_below(const char *directory, const char *name)
{
	char path[PATH_MAX];
	int fd, rc;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	rc = judge_place(fd, directory);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int file_write(const char *path, const void *data, size_t n)
{
	char *temporary;
	int fd, rc;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		goto out;
	}
	rc = write_all(fd, data, n);
	if (rc == 0 && fchmod(fd, 0640) < 0)
		rc = -errno;
	close(fd);
	if (rc == 0 && rename(temporary, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(temporary);
out:
	free(temporary);
	return rc;
}
