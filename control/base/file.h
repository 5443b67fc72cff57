/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, with a ceiling, for start and reload. They block: not for the loop while calls run.
 */
#pragma once

#include <stddef.h>

/*
 * Reads a regular file into malloc'ed memory with a zero byte behind its `*n` bytes.
 * -ENOENT and friends from open; -EISDIR; -EINVAL for what is not a regular file; -EFBIG above
 * `max`.
 */
int file_read(const char *path, size_t max, char **data, size_t *n);
/*
 * Opens a file for reading that must lie below the directory when links have been followed; does
 * not wait for the writer of a pipe. The descriptor; -EXDEV: it lies elsewhere; -ENAMETOOLONG, and
 * what open and realpath say.
 */
int file_open_below(const char *directory, const char *name);
/* Replaces or makes the file in one step (temporary name, fsync, rename), mode 0640. */
int file_write(const char *path, const void *data, size_t n);
