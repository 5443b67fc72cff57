/* SPDX-License-Identifier: Apache-2.0 */
#include "media/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/siphash.h"
#include "media/encode.h"

#define FRAME (AUDIO_RATE / 50)

/* Ids are compared between processes and over restarts: the key is fixed for ever. */
static const uint8_t id_key[SIPHASH_KEY_SIZE] = "cordboard clip 1";

uint32_t audio_frames(const struct audio *a)
{
	return (a->n + FRAME - 1) / FRAME;
}

cord_clip_id audio_id(const struct audio *a)
{
	cord_clip_id id = siphash(a->samples, a->n * sizeof(*a->samples), id_key);

	return id ? id : 1;
}

/* The header, where each frame ends, and the frames; how long all of it is, or a negative errno. */
static int64_t fill(
	const struct audio *a, cord_clip_id id, enum cord_clip_format format, uint8_t *at)
{
	uint32_t frames = audio_frames(a);
	const struct cord_clip_header header = {
		.magic = CORD_CLIP_MAGIC,
		.version = CORD_CLIP_VERSION,
		.id = id,
		.format = format,
		.rate_hz = cord_clip_rate_hz(format),
		.frames = frames,
	};
	size_t offset = cord_clip_payload_offset(frames);
	uint32_t *end = (uint32_t *)(void *)(at + sizeof(header));
	int error = encode_frames(a, format, at + offset, end);

	memcpy(at, &header, sizeof(header));
	return error ? error : (int64_t)(offset + end[frames - 1]);
}

static int seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

int audio_clip(const struct audio *a, cord_clip_id id, enum cord_clip_format format, int *out,
	uint64_t *out_bytes)
{
	uint32_t frames = audio_frames(a);
	size_t most = cord_clip_payload_offset(frames) + (size_t)frames * encode_frame_max(format);
	int64_t bytes;
	void *at;
	int error, fd;

	CHECK(frames > 0 && frames <= CORD_CLIP_FRAMES_MAX && most <= CORD_CLIP_BYTES_MAX);
	fd = memfd_create("clip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)most) < 0) {
		error = -errno;
		goto fail;
	}
	at = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		error = -errno;
		goto fail;
	}
	bytes = fill(a, id, format, at);
	munmap(at, most);
	error = bytes < 0 ? (int)bytes : ftruncate(fd, (off_t)bytes) < 0 ? -errno : seal(fd);
	if (error)
		goto fail;
	*out = fd;
	*out_bytes = (uint64_t)bytes;
	return 0;
fail:
	close(fd);
	return error;
}

int audio_of_clip(int fd, uint64_t bytes, struct audio *out)
{
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	struct cord_clip_header header;
	struct audio a = {0};
	int16_t *samples;

	if (at == MAP_FAILED)
		return -errno;
	memcpy(&header, at, sizeof(header));
	CHECK(header.format == CORD_CLIP_L16 || header.format == CORD_CLIP_L16_WIDE);
	size_t size = (size_t)header.frames * cord_clip_frame_bytes(header.format);

	samples = malloc(size);
	if (samples) {
		memcpy(samples, (uint8_t *)at + cord_clip_payload_offset(header.frames), size);
		a.n = header.frames * FRAME;
		*(header.format == CORD_CLIP_L16 ? &a.samples : &a.wide) = samples;
		*out = a;
	}
	munmap(at, bytes);
	return samples ? 0 : -ENOMEM;
}
