/* SPDX-License-Identifier: Apache-2.0 */
#include "media/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <spandsp/telephony.h>
#include <spandsp/bit_operations.h>
#include <spandsp/g711.h>

#include "base/check.h"
#include "base/siphash.h"

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

static void fill_payload(const struct audio *a, enum cord_clip_format format, uint8_t *out)
{
	switch (format) {
	case CORD_CLIP_PCMU:
		for (uint32_t i = 0; i < a->n; i++)
			out[i] = linear_to_ulaw(a->samples[i]);
		break;
	case CORD_CLIP_PCMA:
		for (uint32_t i = 0; i < a->n; i++)
			out[i] = linear_to_alaw(a->samples[i]);
		break;
	default:
		memcpy(out, a->samples, a->n * sizeof(*a->samples));
		break;
	}
}

/* The last frame is filled up with silence, which in G.711 is not 0. */
static void fill_rest(
	const struct audio *a, enum cord_clip_format format, uint8_t *out, size_t payload)
{
	size_t used = format == CORD_CLIP_L16 ? 2 * (size_t)a->n : a->n;
	uint8_t silence = format == CORD_CLIP_PCMU   ? linear_to_ulaw(0)
			  : format == CORD_CLIP_PCMA ? linear_to_alaw(0)
						     : 0;

	memset(out + used, silence, payload - used);
}

static void fill(const struct audio *a, cord_clip_id id, enum cord_clip_format format,
	uint32_t frames, uint8_t *at)
{
	const struct cord_clip_header header = {
		.magic = CORD_CLIP_MAGIC,
		.version = CORD_CLIP_VERSION,
		.id = id,
		.format = format,
		.rate_hz = AUDIO_RATE,
		.frames = frames,
	};
	uint32_t frame_bytes = cord_clip_frame_bytes(format);
	uint8_t *payload = at + cord_clip_payload_offset(frames);

	memcpy(at, &header, sizeof(header));
	for (uint32_t i = 0; i < frames; i++) {
		uint32_t end = (i + 1) * frame_bytes;

		memcpy(at + sizeof(header) + i * sizeof(end), &end, sizeof(end));
	}
	fill_payload(a, format, payload);
	fill_rest(a, format, payload, (size_t)frames * frame_bytes);
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
	size_t bytes =
		cord_clip_payload_offset(frames) + (size_t)frames * cord_clip_frame_bytes(format);
	void *at;
	int error, fd;

	CHECK(frames > 0 && frames <= CORD_CLIP_FRAMES_MAX && bytes <= CORD_CLIP_BYTES_MAX);
	fd = memfd_create("clip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) < 0) {
		error = -errno;
		goto fail;
	}
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		error = -errno;
		goto fail;
	}
	fill(a, id, format, frames, at);
	munmap(at, bytes);
	error = seal(fd);
	if (error)
		goto fail;
	*out = fd;
	*out_bytes = bytes;
	return 0;
fail:
	close(fd);
	return error;
}

int audio_of_clip(int fd, uint64_t bytes, struct audio *out)
{
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	struct cord_clip_header header;
	struct audio a;

	if (at == MAP_FAILED)
		return -errno;
	memcpy(&header, at, sizeof(header));
	CHECK(header.format == CORD_CLIP_L16);
	a.n = header.frames * FRAME;
	a.samples = malloc(a.n * sizeof(*a.samples));
	if (a.samples) {
		memcpy(a.samples, (uint8_t *)at + cord_clip_payload_offset(header.frames),
			a.n * sizeof(*a.samples));
		*out = a;
	}
	munmap(at, bytes);
	return a.samples ? 0 : -ENOMEM;
}
