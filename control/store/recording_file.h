/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the files of recordings lie: each below its day, and as long as it is written under a second
 * name, a hard link, among the unfinished ones (recording.h). Blocks.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RECORDING_FILE_DIRECTORY_MODE 0750

/* DIRECTORY/2026/11/27/NAME: of one that begins then. */
void recording_file_path(
	const char *directory, const char *name, uint64_t wall_ns, char *path, size_t size);
/* DIRECTORY/unfinished/NAME; "": the directory of them. */
void recording_file_mark(const char *directory, const char *name, char *path, size_t size);
/*
 * Makes the file of a path of recording_file_path(), the directories of its day, and its second name,
 * and writes `n` bytes of a head. A descriptor to write with; or a negative errno, and no file is there.
 */
int recording_file_make(
	const char *directory, const char *path, const char *name, const void *head, size_t n);
/* The second name goes. */
void recording_file_finished(const char *directory, const char *name);
