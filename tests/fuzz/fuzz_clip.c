/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: one clip as control hands it over. What is accepted lies inside the file. */
#include <cordboard/clip.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void walk(const uint8_t *bytes, size_t length, const struct cord_clip_header *h)
{
	size_t at = cord_clip_payload_offset(h->frames);
	uint32_t end = 0;

	for (uint32_t i = 0; i < h->frames; i++) {
		uint32_t start = end;

		memcpy(&end, bytes + sizeof(*h) + i * sizeof(end), sizeof(end));
		require(cord_clip_frame_allowed(h->format, bytes + at, start, end));
		require(at + end <= length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct cord_clip_header header;
	const char *wrong = NULL;
	int rc = cord_clip_check(bytes, length, &header, &wrong);

	require(rc == 0 || rc == -EINVAL);
	require(wrong && (*wrong == '\0') == (rc == 0));
	if (rc == 0)
		walk(bytes, length, &header);
	return 0;
}
