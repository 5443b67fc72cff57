/* SPDX-License-Identifier: Apache-2.0 */
#include "contact/media_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#define SCHEME      "s3://"
#define SHOWN       80 /* bytes of a URI in a line of the log */
#define CONTROLS    0x20
#define CONTROL_DEL 0x7f

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < CONTROLS || text.p[i] == CONTROL_DEL)
			return false;
	return true;
}

/* A bucket and at least one part of a key, none of which leads elsewhere. */
static bool has_good_parts(struct str name)
{
	struct str rest = name, part;
	unsigned n = 0;

	for (; str_split(&rest, '/', &part); n++)
		if (part.n == 0 || str_equal_text(part, ".") || str_equal_text(part, ".."))
			return false;
	return n >= 2;
}

int media_files_name(struct str uri, char *wrong, struct str *name)
{
	struct str path = str_skip(uri, sizeof(SCHEME) - 1);

	if (uri.n > CLIPS_SOURCE_MAX || !is_plain(uri)) {
		snprintf(wrong, CLIPS_REASON_SIZE,
			"expected a URI of at most %u bytes without control characters",
			CLIPS_SOURCE_MAX);
		return -EINVAL;
	}
	if (!str_starts(uri, STR(SCHEME)) || !has_good_parts(path)) {
		struct str shown = str_head(uri, SHOWN);

		snprintf(wrong, CLIPS_REASON_SIZE,
			"expected " SCHEME "BUCKET/KEY without empty, . and .. parts, found '%.*s'",
			STR_ARG(shown));
		return -EINVAL;
	}
	*name = path;
	return 0;
}

int media_files_clip(
	struct clips *clips, const char *directory, struct str uri, char *wrong, struct clip **clip)
{
	struct str name;
	int rc = media_files_name(uri, wrong, &name);

	if (rc < 0)
		return rc;
	if (directory[0] == '\0') {
		snprintf(wrong, CLIPS_REASON_SIZE,
			"expected the option media.files to name a directory with %.*s",
			(int)(name.n < SHOWN ? name.n : SHOWN), name.p);
		return -ENOENT;
	}
	return clips_file_below(clips, directory, name, wrong, clip);
}
