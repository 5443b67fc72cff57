/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_control.h"

#include "codec.h"
#include "g711.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

cord_time fake_control_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (cord_time)t.tv_sec * 1000000000u + (cord_time)t.tv_nsec;
}

int fake_control_connect(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(s, (struct sockaddr *)&a, sizeof(a))) {
		int rc = -errno;

		close(s);
		return rc;
	}
	return s;
}

int fake_control_send(int s, struct cord_attach_message *m, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(s, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int fake_control_receive(int s, struct cord_attach_message *m, int fds[2], int timeout_ms)
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = s, .events = POLLIN};

	fds[0] = fds[1] = -1;
	if (poll(&p, 1, timeout_ms) != 1)
		return -ETIME;
	ssize_t n = recvmsg(s, &h, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return -EPIPE;
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return 0;
}

static void join(struct fake_control *c)
{
	char *at = (char *)c->segment;

	c->worker = (struct cord_worker *)(at + c->segment->offset_workers);
	c->port_status = (struct cord_port_status *)(at + c->segment->offset_port_status);
	c->room_status = (struct cord_room_status *)(at + c->segment->offset_room_status);
	for (uint32_t i = 0; i < c->segment->workers; i++) {
		cord_ring_writer_join(&c->commands[i], &c->worker[i].commands);
		cord_ring_reader_join(&c->events[i], &c->worker[i].events);
	}
	c->correlation = 1;
	fake_control_beat(c);
}

int fake_control_attach(struct fake_control *c, const char *path)
{
	struct cord_attach_message m = {
		.magic = CORD_SEGMENT_MAGIC, .type = CORD_ATTACH_HELLO, .sizes = cord_sizes_here()};
	int fds[2];
	int s = fake_control_connect(path);

	if (s < 0)
		return s;
	int rc = fake_control_send(s, &m, -1);

	if (rc == 0)
		rc = fake_control_receive(s, &m, fds, 2000);
	if (rc == 0 && m.result)
		rc = (int)m.result;
	if (rc) {
		close(s);
		return rc;
	}
	c->socket = s;
	c->wake = fds[1];
	c->bytes = m.bytes;
	c->segment = mmap(NULL, m.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	close(fds[0]);
	if (c->segment == MAP_FAILED)
		return -errno;
	join(c);
	return 0;
}

void fake_control_detach(struct fake_control *c)
{
	munmap(c->segment, c->bytes);
	close(c->socket);
	close(c->wake);
	c->segment = NULL;
}

void fake_control_beat(struct fake_control *c)
{
	atomic_store(&c->segment->control_heartbeat, fake_control_now());
}

uint64_t fake_control_write(struct fake_control *c, uint32_t worker, struct cord_message *m,
	enum cord_message_type type)
{
	m->type = type;
	m->size = cord_message_body_size(type);
	m->correlation = c->correlation;
	m->time = fake_control_now();
	if (cord_ring_write(&c->commands[worker], m) != CORD_RING_OK)
		return 0;
	return c->correlation++;
}

int fake_control_poll(struct fake_control *c, uint64_t correlation)
{
	struct cord_message m;
	int refusal = -1;

	for (uint32_t i = 0; i < c->segment->workers; i++) {
		while (cord_ring_read(&c->events[i], &m) == CORD_RING_OK) {
			if (m.type == CORD_EVENT_DONE && m.correlation == correlation)
				refusal = (int)m.event_done.refusal;
			else if (m.type != CORD_EVENT_DONE && c->on_event)
				c->on_event(c->context, i, &m);
		}
	}
	return refusal;
}

int fake_control_ask(struct fake_control *c, uint32_t worker, struct cord_message *m,
	enum cord_message_type type)
{
	uint64_t correlation = fake_control_write(c, worker, m, type);
	cord_time until = fake_control_now() + 2000000000u;

	while (fake_control_now() < until) {
		int refusal = fake_control_poll(c, correlation);

		if (refusal >= 0)
			return refusal;
		fake_control_beat(c);
		usleep(500);
	}
	return -1;
}

/* One frame in a format; how many bytes. */
static uint32_t frame_make(uint32_t format, struct codec_encoder *encoder, uint32_t frame,
	fake_control_sample sample, void *context, uint8_t *out)
{
	uint32_t rate_hz = cord_clip_rate_hz(format), n = rate_hz / 50;
	int16_t pcm[320];

	for (uint32_t i = 0; i < n; i++)
		pcm[i] = sample ? sample(context, frame * n + i, rate_hz) : 0;
	if (format == CORD_CLIP_L16 || format == CORD_CLIP_L16_WIDE) {
		memcpy(out, pcm, 2 * (size_t)n);
		return 2 * n;
	}
	if (format == CORD_CLIP_PCMU || format == CORD_CLIP_PCMA) {
		g711_encode((enum cord_codec)format, out, pcm, n);
		return n;
	}
	return (uint32_t)codec_encode(encoder, out, pcm, n);
}

int fake_control_clip(cord_clip_id id, uint32_t format, uint32_t frames, fake_control_sample sample,
	void *context, uint64_t *bytes)
{
	size_t offset = cord_clip_payload_offset(frames), size = offset;
	uint8_t *at = calloc(1, offset + (size_t)frames * 640);
	struct cord_clip_header h = {.magic = CORD_CLIP_MAGIC,
		.version = CORD_CLIP_VERSION,
		.id = id,
		.format = format,
		.rate_hz = cord_clip_rate_hz(format),
		.frames = frames};
	const struct codec_encoding how = {
		.codec = (uint8_t)format, .rate_khz = 16, .bitrate = CODEC_OPUS_BITRATE};
	bool coded = format == CORD_CLIP_G722 || format == CORD_CLIP_OPUS;
	struct codec_encoder *encoder = coded ? codec_encoder_create() : NULL;
	int fd = memfd_create("clip", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (coded)
		codec_encoder_reset(encoder, &how);
	memcpy(at, &h, sizeof(h));
	for (uint32_t f = 0; f < frames; f++) {
		size += frame_make(format, encoder, f, sample, context, at + size);
		uint32_t end = (uint32_t)(size - offset);

		memcpy(at + sizeof(h) + f * sizeof(end), &end, sizeof(end));
	}
	bool written = fd >= 0 && write(fd, at, size) == (ssize_t)size;

	codec_encoder_destroy(encoder);
	free(at);
	if (!written ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return -1;
	*bytes = size;
	return fd;
}

int fake_control_clip_add(
	struct fake_control *c, int fd, uint64_t bytes, cord_clip_id id, uint32_t format)
{
	struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_CLIP_ADD,
		.format = format,
		.clip = id,
		.bytes = bytes};
	int fds[2];

	if (fake_control_send(c->socket, &m, fd) ||
		fake_control_receive(c->socket, &m, fds, 2000) || m.type != CORD_ATTACH_CLIP_READY)
		return -1;
	return (int)m.result;
}

int fake_control_tap(cord_id id, uint32_t rate_hz, struct cord_tap **tap)
{
	size_t bytes = cord_tap_bytes(rate_hz);
	int fd = memfd_create("tap", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -1;
	*tap = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*tap == MAP_FAILED)
		return -1;
	(*tap)->header = (struct cord_tap_header){.magic = CORD_TAP_MAGIC,
		.version = CORD_TAP_VERSION,
		.id = id,
		.rate_hz = rate_hz,
		.slots = CORD_TAP_SLOTS};
	return fd;
}

int fake_control_tap_add(struct fake_control *c, int fd, uint64_t bytes, cord_id id)
{
	struct cord_attach_message m = {.magic = CORD_SEGMENT_MAGIC,
		.type = CORD_ATTACH_TAP_ADD,
		.tap = id,
		.bytes = bytes};
	int fds[2];

	if (fake_control_send(c->socket, &m, fd) ||
		fake_control_receive(c->socket, &m, fds, 2000) || m.type != CORD_ATTACH_TAP_READY)
		return -1;
	return (int)m.result;
}
