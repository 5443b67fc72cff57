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

struct clip_making {
	struct encoder *encoder;
	enum cord_clip_format format;
	int fd;
	uint8_t *at;
	size_t size; /* of the mapping: the most that it may need */
	uint32_t frames, made;
	uint32_t bytes; /* of the payload, so far */
};

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

static int seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

void clip_making_drop(struct clip_making *m)
{
	if (!m)
		return;
	encoder_destroy(m->encoder);
	if (m->at)
		munmap(m->at, m->size);
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

static int map_memory(struct clip_making *m)
{
	void *at;

	m->fd = memfd_create("clip", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)m->size) < 0)
		return -errno;
	at = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	m->at = at;
	return 0;
}

int clip_making_begin(const struct audio *a, cord_clip_id id, enum cord_clip_format format,
	struct clip_making **out)
{
	const struct cord_clip_header header = {
		.magic = CORD_CLIP_MAGIC,
		.version = CORD_CLIP_VERSION,
		.id = id,
		.format = format,
		.rate_hz = cord_clip_rate_hz(format),
		.frames = audio_frames(a),
	};
	struct clip_making *m = calloc(1, sizeof(*m));
	int error;

	if (!m)
		return -ENOMEM;
	m->fd = -1;
	m->format = format;
	m->frames = header.frames;
	m->size =
		cord_clip_payload_offset(m->frames) + (size_t)m->frames * encode_frame_max(format);
	CHECK(m->frames > 0 && m->frames <= CORD_CLIP_FRAMES_MAX && m->size <= CORD_CLIP_BYTES_MAX);
	error = map_memory(m);
	if (!error)
		error = encoder_create(a, format, &m->encoder);
	if (error) {
		clip_making_drop(m);
		return error;
	}
	memcpy(m->at, &header, sizeof(header));
	*out = m;
	return 0;
}

bool clip_making_run(struct clip_making *m, uint32_t frames)
{
	uint8_t *payload = m->at + cord_clip_payload_offset(m->frames);
	uint32_t *end = (uint32_t *)(void *)(m->at + sizeof(struct cord_clip_header));

	for (; frames && m->made < m->frames; frames--) {
		m->bytes += encoder_next(m->encoder, payload + m->bytes);
		end[m->made++] = m->bytes;
	}
	return m->made == m->frames;
}

int clip_making_end(struct clip_making *m, int *fd, uint64_t *bytes)
{
	size_t size = cord_clip_payload_offset(m->frames) + m->bytes;
	int error;

	munmap(m->at, m->size);
	m->at = NULL;
	error = ftruncate(m->fd, (off_t)size) < 0 ? -errno : seal(m->fd);
	if (!error) {
		*fd = m->fd;
		*bytes = size;
		m->fd = -1;
	}
	clip_making_drop(m);
	return error;
}

int audio_clip(const struct audio *a, cord_clip_id id, enum cord_clip_format format, int *fd,
	uint64_t *bytes)
{
	struct clip_making *m;
	int error = clip_making_begin(a, id, format, &m);

	if (error)
		return error;
	clip_making_run(m, UINT32_MAX);
	return clip_making_end(m, fd, bytes);
}

int audio_map_clip(int fd, uint64_t bytes, struct audio_mapped *out)
{
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	struct audio a = {0};
	struct cord_clip_header header;
	int16_t *samples;

	if (at == MAP_FAILED)
		return -errno;
	memcpy(&header, at, sizeof(header));
	CHECK(header.format == CORD_CLIP_L16 || header.format == CORD_CLIP_L16_WIDE);
	samples = (int16_t *)(void *)((uint8_t *)at + cord_clip_payload_offset(header.frames));
	a.n = header.frames * FRAME;
	*(header.format == CORD_CLIP_L16 ? &a.samples : &a.wide) = samples;
	*out = (struct audio_mapped){a, at, bytes};
	return 0;
}

void audio_unmap(struct audio_mapped *mapped)
{
	if (mapped->at)
		munmap(mapped->at, mapped->bytes);
	*mapped = (struct audio_mapped){0};
}
