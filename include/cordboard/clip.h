/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clip as it lies in memory: made by control in a memfd, sealed, handed to the dataplane.
 *
 *   struct cord_clip_header
 *   uint32_t end[frames]          end of each frame, in bytes from the start of the payload
 *   payload                       begins at the next multiple of 64
 *
 * Its samples, at 8 and where they are to be had at 16 kHz, and each codec's encoding are sealed
 * memfds of their own with the same id and the same number of frames. A frame is 20 ms; the last one
 * is padded with silence. Frames of Opus vary in size: each is a packet of one frame of 20 ms, mono.
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
	CORD_CLIP_L16 = 0,                /* signed 16-bit samples at 8 kHz, host order */
	CORD_CLIP_PCMU = CORD_CODEC_PCMU, /* one byte a sample */
	CORD_CLIP_PCMA = CORD_CODEC_PCMA,
	CORD_CLIP_G722 = CORD_CODEC_G722, /* one byte for two samples at 16 kHz */
	CORD_CLIP_OPUS = CORD_CODEC_OPUS,
	CORD_CLIP_L16_WIDE = CORD_CODEC_COUNT, /* the samples at 16 kHz */
	CORD_CLIP_FORMAT_COUNT,
};

/* Largest frame of Opus. */
#define CORD_CLIP_OPUS_FRAME_MAX 400u

struct cord_clip_header {
	uint32_t magic;
	uint32_t version;
	cord_clip_id id;
	uint32_t format;  /* enum cord_clip_format */
	uint32_t rate_hz; /* cord_clip_rate_hz() of the format */
	uint32_t frames;  /* 1..CORD_CLIP_FRAMES_MAX */
	uint32_t reserved;
};

static inline size_t cord_clip_payload_offset(uint32_t frames)
{
	return (sizeof(struct cord_clip_header) + (size_t)frames * sizeof(uint32_t) + 63) &
	       ~(size_t)63;
}

/* Rate of the samples that a format holds; 0: no such format. */
static inline uint32_t cord_clip_rate_hz(uint32_t format)
{
	if (format >= CORD_CLIP_FORMAT_COUNT)
		return 0;
	return format == CORD_CLIP_L16 || format == CORD_CLIP_PCMU || format == CORD_CLIP_PCMA
		       ? 8000
		       : 16000;
}

/* Bytes of a 20 ms frame in a format of fixed size; 0: its frames vary, or there is no such format. */
static inline uint32_t cord_clip_frame_bytes(uint32_t format)
{
	switch (format) {
	case CORD_CLIP_L16:
	case CORD_CLIP_L16_WIDE:
		return cord_clip_rate_hz(format) / 50 * 2;
	case CORD_CLIP_PCMU:
	case CORD_CLIP_PCMA:
	case CORD_CLIP_G722:
		return 160;
	default:
		return 0;
	}
}

/*
 * Whether a packet of Opus is one frame of 20 ms, mono (RFC 6716 section 3.1): of the 32
 * configurations every fourth, or second, of each mode.
 */
static inline bool cord_clip_opus_frame(const uint8_t *packet, uint32_t bytes)
{
	if (bytes == 0 || bytes > CORD_CLIP_OPUS_FRAME_MAX)
		return false;
	uint32_t config = packet[0] >> 3;
	bool lasts_20_ms = config < 12   ? config % 4 == 1
			   : config < 16 ? config % 2 == 1
					 : config % 4 == 3;

	return lasts_20_ms && (packet[0] & 7) == 0;
}

/* Whether a frame that begins at `at` and ends at `end` is one of the format. */
static inline bool cord_clip_frame_allowed(
	uint32_t format, const uint8_t *payload, uint32_t at, uint32_t end)
{
	uint32_t bytes = cord_clip_frame_bytes(format);

	if (format == CORD_CLIP_OPUS)
		return end > at && cord_clip_opus_frame(payload + at, end - at);
	return end > at && end - at == bytes;
}

/*
 * Judges a mapped clip of `bytes` bytes: header in range, table inside the file, ends rising, every
 * frame as the format has it, the last end inside the file. Copies the header out.
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
	*wrong = "format";
	if (h.format >= CORD_CLIP_FORMAT_COUNT)
		return -EINVAL;
	*wrong = "rate";
	if (h.rate_hz != cord_clip_rate_hz(h.format))
		return -EINVAL;
	*wrong = "number of frames";
	if (h.frames == 0 || h.frames > CORD_CLIP_FRAMES_MAX)
		return -EINVAL;
	*wrong = "frame table beyond the end of the file";
	size_t offset = cord_clip_payload_offset(h.frames);
	if (offset > bytes)
		return -EINVAL;
	*wrong = "frame of a wrong size or beyond the end of the file";
	for (uint32_t i = 0, at = 0; i < h.frames; i++) {
		uint32_t end;

		memcpy(&end, base + sizeof(h) + (size_t)i * sizeof(end), sizeof(end));
		if (end > bytes - offset ||
			!cord_clip_frame_allowed(h.format, base + offset, at, end))
			return -EINVAL;
		at = end;
	}
	*wrong = "";
	*header = h;
	return 0;
}

#endif
