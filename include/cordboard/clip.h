/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clip as it lies in memory: made by control in a memfd, sealed, handed to the dataplane.
 *
 *   struct cord_clip_header
 *   uint32_t end[frames]          end of each frame, in bytes from the start of the payload
 *   payload                       begins at the next multiple of 64
 *
 * A clip is sound at one rate. Its samples (CORD_CLIP_L16) and each codec's encoding are sealed
 * memfds of their own with the same id. A frame is 20 ms; the last one is padded with silence.
 * The memfd is sealed with F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL before it is
 * handed over. The receiver maps it read-only, copies the header, and checks every frame before the
 * clip is announced ready; it never believes the file again.
 */
#ifndef CORDBOARD_CLIP_H
#define CORDBOARD_CLIP_H

#include <cordboard/types.h>

#include <errno.h>
#include <stddef.h>

#define CORD_CLIP_MAGIC   0x70696c63u /* "clip" */
#define CORD_CLIP_VERSION 1u

enum cord_clip_format {
	CORD_CLIP_L16 = 0,                /* signed 16-bit samples, host order */
	CORD_CLIP_PCMU = CORD_CODEC_PCMU, /* one byte a sample */
	CORD_CLIP_PCMA = CORD_CODEC_PCMA,
	CORD_CLIP_FORMAT_COUNT,
};

struct cord_clip_header {
	uint32_t magic;
	uint32_t version;
	cord_clip_id id;
	uint32_t format;  /* enum cord_clip_format */
	uint32_t rate_hz; /* 8000 */
	uint32_t frames;  /* 1..CORD_CLIP_FRAMES_MAX */
	uint32_t reserved;
};

static inline size_t cord_clip_payload_offset(uint32_t frames)
{
	return (sizeof(struct cord_clip_header) + (size_t)frames * sizeof(uint32_t) + 63) &
	       ~(size_t)63;
}

/* Bytes of a 20 ms frame in a format of fixed size; 0: no such format. */
static inline uint32_t cord_clip_frame_bytes(uint32_t format, uint32_t rate_hz)
{
	switch (format) {
	case CORD_CLIP_L16:
		return rate_hz / 50 * 2;
	case CORD_CLIP_PCMU:
	case CORD_CLIP_PCMA:
		return rate_hz / 50;
	default:
		return 0;
	}
}

/*
 * Judges a mapped clip of `bytes` bytes: header in range, table inside the file, ends rising, every
 * frame of the size that the format has, the last end inside the file. Copies the header out.
 * Returns 0, or -EINVAL and a text that says what is wrong.
 */
static inline int cord_clip_check(
	const void *mapped, size_t bytes, struct cord_clip_header *header, const char **wrong)
{
	const uint8_t *base = mapped;
	struct cord_clip_header h;

	*wrong = "shorter than its header";
	if (bytes < sizeof(h) || bytes > CORD_CLIP_BYTES_MAX)
		return -EINVAL;
	memcpy(&h, base, sizeof(h));
	*wrong = "magic or version";
	if (h.magic != CORD_CLIP_MAGIC || h.version != CORD_CLIP_VERSION)
		return -EINVAL;
	*wrong = "id";
	if (h.id == 0)
		return -EINVAL;
	*wrong = "rate";
	if (h.rate_hz != 8000)
		return -EINVAL;
	*wrong = "format";
	uint32_t frame_bytes = cord_clip_frame_bytes(h.format, h.rate_hz);
	if (frame_bytes == 0)
		return -EINVAL;
	*wrong = "number of frames";
	if (h.frames == 0 || h.frames > CORD_CLIP_FRAMES_MAX)
		return -EINVAL;
	*wrong = "frame table beyond the end of the file";
	size_t offset = cord_clip_payload_offset(h.frames);
	if (offset > bytes)
		return -EINVAL;
	*wrong = "frame of a wrong size or beyond the end of the file";
	for (uint32_t i = 0; i < h.frames; i++) {
		uint32_t end;

		memcpy(&end, base + sizeof(h) + (size_t)i * sizeof(end), sizeof(end));
		if (end != (i + 1) * frame_bytes || end > bytes - offset)
			return -EINVAL;
	}
	*wrong = "";
	*header = h;
	return 0;
}

#endif
