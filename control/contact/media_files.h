/* SPDX-License-Identifier: Apache-2.0 */
/* media_files: sounds that flows name by URI (`Media`), from a directory that stands for the store. */
#ifndef CONTACT_MEDIA_FILES_H
#define CONTACT_MEDIA_FILES_H

#include "base/str.h"
#include "media/clips.h"

/*
 * The file of s3://BUCKET/KEY, as a part of the URI: BUCKET/KEY, taken literally (such a URI has no
 * escapes). -EINVAL, and `wrong` (CLIPS_REASON_SIZE) says what was expected: another scheme, no
 * bucket or key, a part that is empty, `.` or `..`, control bytes, longer than CLIPS_SOURCE_MAX.
 */
int media_files_name(struct str uri, char *wrong, struct str *name);

/*
 * Its clip, held, from `directory` ("": there are none, -ENOENT). That a file is missing, is no
 * sound, or lies outside of the directory by a link, is told when the clip has been loaded.
 */
int media_files_clip(struct clips *clips, const char *directory, struct str uri, char *wrong,
	struct clip **clip);

#endif
